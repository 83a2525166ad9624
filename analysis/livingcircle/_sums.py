"""Compiled sums of whole numbers by unit: one pass over the homes, without a copy of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from livingcircle._compiled import kept

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def sums(code: Ints, weight: npt.NDArray[Any], n: int, where: Bools | None = None) -> Ints:
    """Return the sums of whole numbers by unit 0..n-1, of all homes or `where` it is true; -1 is in no unit."""
    weight = np.require(weight, np.int64, ["C", "W"])  # a column that must not be written is another kind
    return _sums(code, weight, n) if where is None else _sums_where(code, weight, np.ascontiguousarray(where), n)


@kept
def _sums(code: Ints, weight: Ints, n: int) -> Ints:
    """Return the sums of all homes."""
    out = np.zeros(n, dtype=np.int64)
    for home in range(len(code)):
        if code[home] >= 0:
            out[code[home]] += weight[home]
    return out


@kept
def _sums_where(code: Ints, weight: Ints, where: Bools, n: int) -> Ints:
    """Return those of some homes only."""
    out = np.zeros(n, dtype=np.int64)
    for home in range(len(code)):
        if where[home] and code[home] >= 0:
            out[code[home]] += weight[home]
    return out
