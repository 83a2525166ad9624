"""How the inner loops are compiled, and how their code is kept on disk for the next run.

A function that Python calls is `kept`; one that only those call is `inner`, part of their code and kept nowhere else.

Numba's own cache does not suit several processes: it numbers the kinds of arguments that a function has met and writes
first the number and then the code, so that two processes may leave one kind with the code of the other, which reads
memory that is not there; nor does it see that an inner function of another module has changed. Here a file is named by
what is in it and written before it is told of, and holds for the sources of all modules with inner functions. What
cannot be read or written is compiled again.

Each kind of arguments is seconds of compiling, so there is to be one (arrays of one type, writable and without gaps; a
limit is a float). An array is written value by value: a slice or row at once has all words of Numba's errors compiled.
"""

from __future__ import annotations

import hashlib
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile

WITH_INNER = ("_choice", "_ground", "_joining", "_outlines", "_search", "_survey")
"""The modules with inner functions, which may be part of the code of one another."""

_UNREADABLE = (AttributeError, EOFError, ImportError, IndexError, OSError, pickle.PickleError, TypeError, ValueError)
_KEPT: list[Any] = []


def kept(function: Any) -> Any:
    """Compile a function that Python calls, and keep its code."""
    compiled: Any = numba.njit(nogil=True)(function)
    if compiled is not function:  # Numba is not switched off
        with suppress(RuntimeError):  # there is no folder that could be written
            compiled._cache = _Cache(function)
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


class _Cache(FunctionCache):
    """The code of one function; a cache that fails only costs time."""

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        folder = Path(__file__).parent
        sources = [Path(function.__code__.co_filename), *(folder / f"{module}.py" for module in WITH_INNER)]
        stamp = tuple((source.stat().st_mtime_ns, source.stat().st_size) for source in sources)
        self._cache_file = _Files(
            cache_path=self._cache_path, filename_base=self._impl.filename_base, source_stamp=stamp
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except _UNREADABLE:  # cut off by lost power, or by a copy that failed
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(OSError):  # the disk is full
            super().save_overload(sig, data)


class _Files(IndexDataCacheFile):
    def save(self, key: Any, data: Any) -> None:
        """Write the code, then the index that names it; of two processes at once one may have its kind forgotten."""
        name = self._data_name(int(hashlib.sha256(repr((self._source_stamp, key)).encode()).hexdigest()[:15], 16))
        self._save_data(name, data)
        try:
            known = self._load_index()
        except _UNREADABLE:
            known = {}
        self._save_index({**known, key: name})
