"""Ctrl-C: a command ends within two seconds, with one line and nothing half done."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_CODE = 130  # what shells give a program that Ctrl-C ended: 128 + SIGINT
GRACE_S = 1.5  # for tidying up; a long computation in machine code does not hear of Ctrl-C, and is ended after it
STOPPED = "stopped by Ctrl-C 已中断"
# What a command that is run again can use of the first run.
_GOES_ON = {
    "scan": "goes on with --resume 可用 --resume 续算",
    "fetch": "run the same command again, what has come is kept 再次运行即可,已下载的部分会保留",
}


class Interrupted(BaseException):
    """Ctrl-C was pressed; no KeyboardInterrupt, which libraries take for their own."""


@contextmanager
def interruptible(command: str = "") -> Iterator[None]:
    """End the program at Ctrl-C: tidily, or without that where tidying up takes too long.

    Parameters
    ----------
    command
        Which one it runs: the line at the end says how that goes on.

    Raises
    ------
    SystemExit
        Ctrl-C was pressed; the line that says so is printed.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield  # somebody else looks after signals, or they are not wanted (nohup)
        return
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    pressed, over, told = threading.Event(), threading.Event(), _Line(command)

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # tidying up is not interrupted
        pressed.set()
        raise Interrupted

    handler = signal.signal(signal.SIGINT, stop)
    descriptor = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(ours, over, told), daemon=True).start()
    try:
        yield
    except BaseException:
        if pressed.is_set():  # whatever a library has made of it
            told.tell()
            raise SystemExit(EXIT_CODE) from None
        raise
    finally:
        if not pressed.is_set():
            over.set()
            signal.signal(signal.SIGINT, handler)
        signal.set_wakeup_fd(descriptor)
        theirs.close()


def _watch(signals: socket.socket, over: threading.Event, told: _Line) -> None:
    """Wait for Ctrl-C, then for the end of the program; where that does not come, make it."""
    with signals:
        while got := signals.recv(1):  # empty: the command is over
            if got[0] == signal.SIGINT and not over.wait(GRACE_S):
                for process in multiprocessing.active_children():
                    process.kill()
                told.tell()
                os._exit(EXIT_CODE)


class _Line:
    """The line that tells of the end, once: whoever comes first prints it."""

    def __init__(self, command: str) -> None:
        self._text = "; ".join(filter(None, (STOPPED, _GOES_ON.get(command))))
        self._told = threading.Event()

    def tell(self) -> None:
        if not self._told.is_set():
            self._told.set()
            sys.stderr.write(f"livingcircle: {self._text}\n")
            sys.stderr.flush()
