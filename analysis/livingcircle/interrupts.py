"""Ctrl-C, and other calls to stop: a command ends within two seconds, with one line and nothing half done.

What is tidied up in that time is tidied up; what is not, the next run does (`livingcircle.stage`). This module is
loaded first of all and loads little itself.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from socket import socket

GRACE_S = 1.0  # for tidying up; a long computation in machine code does not hear of Ctrl-C, and is ended after it
_SAID = {
    "SIGINT": "stopped by Ctrl-C 已中断",
    "SIGTERM": "stopped from outside (SIGTERM) 已被终止",  # by a batch system, a service manager, kill
    "SIGHUP": "stopped, as the terminal was closed (SIGHUP) 终端已关闭,运行中断",  # Windows knows no such signal
}
# What a command that is run again can use of the first run.
_GOES_ON = {
    "scan": "goes on with --resume 可用 --resume 续算",
    "fetch": "run the same command again, what has come is kept 再次运行即可,已下载的部分会保留",
}


class Interrupted(BaseException):
    """Ctrl-C was pressed or the like; no KeyboardInterrupt, which libraries take for their own."""


@contextmanager
def ended_at_once() -> Iterator[None]:
    """End the program at Ctrl-C without more ado: while libraries are loaded, and nothing is to be tidied up."""

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        _Line("").tell(number)
        _end(number)

    with _handled(_wanted(), end):
        yield


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
    wanted = _wanted()
    if not wanted:
        yield
        return
    from socket import socketpair

    ours, theirs = socketpair()
    theirs.setblocking(False)
    pressed: list[int] = []
    over, told = threading.Event(), _Line(command)

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        for each in wanted:
            signal.signal(each, signal.SIG_IGN)  # tidying up is not interrupted
        pressed.append(number)
        raise Interrupted

    descriptor = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(ours, wanted, over, told), daemon=True).start()
    try:
        with _handled(wanted, stop):
            yield
    except BaseException:
        if pressed:  # whatever a library has made of it
            told.tell(pressed[0])
            with suppress(OSError, RuntimeError):
                sys.stdout.flush()  # what was said before
            _end(pressed[0])
        raise
    finally:
        if not pressed:
            over.set()
        signal.set_wakeup_fd(descriptor)
        theirs.close()


def _wanted() -> list[int]:
    """Return the signals that are ours: where somebody else looks after them, or they are not wanted (nohup), none."""
    if threading.current_thread() is not threading.main_thread():
        return []
    known = [getattr(signal, name) for name in _SAID if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) not in (signal.SIG_IGN, None)]


@contextmanager
def _handled(numbers: Sequence[int], handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have signals handled; who handled them before does so again afterwards, unless they are ignored by then."""
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            if signal.getsignal(number) is handler:
                signal.signal(number, earlier)


def _watch(signals: socket, wanted: Sequence[int], over: threading.Event, told: _Line) -> None:
    """Wait for a call to stop, then for the end of the program; where that does not come, make it."""
    with signals:
        while got := signals.recv(1):  # empty: the command is over
            if got[0] in wanted and not over.wait(GRACE_S):
                told.tell(got[0])
                _end(got[0])


def _end(number: int) -> NoReturn:
    """End the program and its workers now, with the exit code that shells know of a signal."""
    if "multiprocessing" in sys.modules:
        from multiprocessing import active_children

        for process in active_children():
            process.kill()
    os._exit(128 + number)


class _Line:
    """The line that tells of the end, once: whoever comes first prints it."""

    def __init__(self, command: str) -> None:
        self._further = _GOES_ON.get(command)
        self._told = threading.Event()

    def tell(self, number: int) -> None:
        if not self._told.is_set():
            self._told.set()
            with suppress(OSError, RuntimeError):  # nobody reads it any more, or another line is just being written
                said = _SAID[signal.Signals(number).name]
                sys.stderr.write(f"livingcircle: {'; '.join(filter(None, (said, self._further)))}\n")
                sys.stderr.flush()
