"""Ctrl-C: a command ends within two seconds, with one line and nothing half done.

What is tidied up in that time is tidied up; what is not, the next run does (`livingcircle.stage`). This module is
loaded first of all and loads little itself.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from socket import socket

EXIT_CODE = 130  # what shells give a program that Ctrl-C ended: 128 + SIGINT
GRACE_S = 1.0  # for tidying up; a long computation in machine code does not hear of Ctrl-C, and is ended after it
STOPPED = "stopped by Ctrl-C 已中断"
# What a command that is run again can use of the first run.
_GOES_ON = {
    "scan": "goes on with --resume 可用 --resume 续算",
    "fetch": "run the same command again, what has come is kept 再次运行即可,已下载的部分会保留",
}


class Interrupted(BaseException):
    """Ctrl-C was pressed; no KeyboardInterrupt, which libraries take for their own."""


@contextmanager
def ended_at_once() -> Iterator[None]:
    """End the program at Ctrl-C without more ado: while libraries are loaded, and nothing is to be tidied up."""
    if not _wanted():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        _Line("").tell()
        _end()

    handler = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def interruptible(command: str = "") -> Iterator[None]:
    """End the program at Ctrl-C: tidily, or without that where tidying up takes too long.

    Parameters
    ----------
    command
        Which one it runs: the line at the end says how that goes on.

    Whoever pressed Ctrl-C gets the line that says so, and nothing after this is run: threads that still compute are
    not waited for.
    """
    if not _wanted():
        yield
        return
    from socket import socketpair

    ours, theirs = socketpair()
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
            with suppress(OSError, RuntimeError):
                sys.stdout.flush()  # what was said before
            _end()
        raise
    finally:
        if not pressed.is_set():
            over.set()
            signal.signal(signal.SIGINT, handler)
        signal.set_wakeup_fd(descriptor)
        theirs.close()


def _wanted() -> bool:
    """Tell whether Ctrl-C is ours: else somebody looks after signals, or they are not wanted (nohup)."""
    mine = threading.current_thread() is threading.main_thread()
    return mine and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


def _watch(signals: socket, over: threading.Event, told: _Line) -> None:
    """Wait for Ctrl-C, then for the end of the program; where that does not come, make it."""
    with signals:
        while got := signals.recv(1):  # empty: the command is over
            if got[0] == signal.SIGINT and not over.wait(GRACE_S):
                told.tell()
                _end()


def _end() -> NoReturn:
    """End the program and its workers now."""
    if "multiprocessing" in sys.modules:
        from multiprocessing import active_children

        for process in active_children():
            process.kill()
    os._exit(EXIT_CODE)


class _Line:
    """The line that tells of the end, once: whoever comes first prints it."""

    def __init__(self, command: str) -> None:
        self._text = "; ".join(filter(None, (STOPPED, _GOES_ON.get(command))))
        self._told = threading.Event()

    def tell(self) -> None:
        if not self._told.is_set():
            self._told.set()
            with suppress(OSError, RuntimeError):  # nobody reads it any more, or another line is just being written
                sys.stderr.write(f"livingcircle: {self._text}\n")
                sys.stderr.flush()
