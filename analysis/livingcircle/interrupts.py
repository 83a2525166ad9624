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
STOPPED = "stopped by Ctrl-C; a scan goes on with --resume 已中断,可用 --resume 续算"


class Interrupted(BaseException):
    """Ctrl-C was pressed; no KeyboardInterrupt, which libraries take for their own."""


@contextmanager
def interruptible() -> Iterator[None]:
    """End the program at Ctrl-C: tidily, or without that where tidying up takes too long.

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
    pressed, told, over = threading.Event(), threading.Event(), threading.Event()

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
            _tell(told)
            raise SystemExit(EXIT_CODE) from None
        raise
    finally:
        if not pressed.is_set():
            over.set()
            signal.signal(signal.SIGINT, handler)
        signal.set_wakeup_fd(descriptor)
        theirs.close()


def _watch(signals: socket.socket, over: threading.Event, told: threading.Event) -> None:
    """Wait for Ctrl-C, then for the end of the program; where that does not come, make it."""
    with signals:
        while got := signals.recv(1):  # empty: the command is over
            if got[0] == signal.SIGINT and not over.wait(GRACE_S):
                for process in multiprocessing.active_children():
                    process.kill()
                _tell(told)
                os._exit(EXIT_CODE)


def _tell(told: threading.Event) -> None:
    if not told.is_set():
        told.set()
        sys.stderr.write(f"livingcircle: {STOPPED}\n")
        sys.stderr.flush()
