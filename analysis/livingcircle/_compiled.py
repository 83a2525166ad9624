"""How the inner loops are compiled, and which of them stay compiled on disk.

Numba keeps the code of a function once for each kind of arguments, in numbered files. Two processes that keep
different kinds at the same moment take the same number, and one kind may be left with the code of the other: whoever
loads it then reads memory that is not there. So a function is either `kept`, and is only ever called with one kind of
arguments (arrays of one type, writable and without gaps; a limit is a float), or an `inner` one, which no one but those
calls and nothing keeps.

An array is written value by value: a slice or row at once would have all words of Numba's errors compiled, which takes
seconds of everybody's first run.
"""

from __future__ import annotations

from typing import Any

import numba

_KEPT: list[Any] = []


def kept(function: Any) -> Any:
    """Compile a function that Python calls, and keep its code beside the source."""
    compiled = numba.njit(cache=True, nogil=True)(function)
    _KEPT.append(compiled)
    return compiled


def inner(function: Any) -> Any:
    """Compile a function into those that call it."""
    return numba.njit(nogil=True)(function)


def of_several_kinds() -> list[str]:
    """Name the kept functions that this process has called with more than one kind of arguments."""
    return [
        "\n".join([f"{f.py_func.__module__}.{f.py_func.__name__}", *map(str, f.signatures)])
        for f in _KEPT
        if len(getattr(f, "signatures", ())) > 1  # plain functions where Numba is switched off have none
    ]
