"""Work that a thread does while the caller does something else: where one holds the interpreter, the other computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Answer = TypeVar("Answer")


@contextmanager
def one_thread() -> Iterator[ThreadPoolExecutor]:
    """Give a thread that does one piece of work after the other; who leaves by an error does not wait for it."""
    pool = ThreadPoolExecutor(1)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def beside(work: Callable[[], Answer]) -> Iterator[Callable[[], Answer]]:
    """Begin some work beside that of the caller.

    The two must not look things up in the same pandas index: it is filled when it is first asked.

    Parameters
    ----------
    work
        What the thread does.

    Yields
    ------
    What waits for the work and returns its answer, or raises what it raised. Who leaves by an error does not wait.

    Examples
    --------
    >>> with beside(lambda: 6 * 7) as answer:
    ...     mine = 1
    ...     mine + answer()
    43
    """
    with one_thread() as thread:
        yield thread.submit(work).result
