"""Compiled sums of whole numbers by unit: one pass over the homes, without a copy of them."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@numba.njit(cache=True, nogil=True)
def sums(code: Ints, weight: npt.NDArray[Any], n: int) -> Ints:
    """Return the sums of whole numbers by unit 0..n-1; a code of -1 is in none."""
    out = np.zeros(n, dtype=np.int64)
    for home in range(len(code)):
        if code[home] >= 0:
            out[code[home]] += weight[home]
    return out


@numba.njit(cache=True, nogil=True)
def sums_where(code: Ints, weight: npt.NDArray[Any], where: Bools, n: int) -> Ints:
    """Return the same for some homes only."""
    out = np.zeros(n, dtype=np.int64)
    for home in range(len(code)):
        if where[home] and code[home] >= 0:
            out[code[home]] += weight[home]
    return out
