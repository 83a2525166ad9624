"""Quantiles of a walk by people: of all people of a unit, how far a share of them walks at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import numpy.typing as npt

from livingcircle._sums import sums

if TYPE_CHECKING:
    from livingcircle.coverage import Units

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]


@numba.njit(cache=True, nogil=True)
def by_walk(walk_cm: Int32s) -> Int32s:
    """Return the homes by their walk in whole centimetres, those that reach nothing (-1) last; a sort by counting."""
    beyond = walk_cm.max() + 1 if len(walk_cm) else 0
    start = np.zeros(beyond + 2, dtype=np.int64)
    for walk in walk_cm:
        start[(walk if walk >= 0 else beyond) + 1] += 1
    start = np.cumsum(start)
    order = np.empty(len(walk_cm), dtype=np.int32)
    for home in range(len(walk_cm)):
        walk = walk_cm[home] if walk_cm[home] >= 0 else beyond
        order[start[walk]] = home
        start[walk] += 1
    return order


def people_quantiles(
    walk_m: Floats,
    count: npt.NDArray[Any],
    units: Units,
    *,
    at: tuple[float, float] = (0.5, 0.9),
    order: Int32s | None = None,
) -> tuple[Floats, Floats]:
    """Return two quantiles of the walk by people (median and p90); the unreached count as beyond everything.

    Parameters
    ----------
    walk_m, count
        The walk and the people of each home.
    units
        The units, and that of each home; a unit without people has no quantile (NaN).
    at
        The two shares of people, above 0, the smaller one first.
    order
        `by_walk` of the walks, where it is known already.
    """
    weight = np.where(units.code >= 0, count, 0).astype(np.int64)
    if order is None:
        counted = np.flatnonzero(weight > 0)
        order = counted[np.argsort(walk_m[counted])].astype(np.int32)
    total = sums(units.code, weight, len(units.ids))
    persons = np.column_stack([np.ceil(q * total - 1e-9).astype(np.int64) for q in at])
    found = _at_persons(walk_m, weight, units.code, order, persons)
    return found[:, 0], found[:, 1]


@numba.njit(cache=True, nogil=True)
def _at_persons(walk_m: Floats, weight: Ints, code: Ints, order: Int32s, persons: Ints) -> Floats:
    """Return of each unit the walks of two of its people, counted from 1 in the order of walks; NaN where 0 is asked.

    The second stands behind the first.
    """
    left, found = persons.copy(), np.full(persons.shape, np.nan)
    for home in order:
        unit, people = code[home], weight[home]
        if people > 0 and left[unit, 1] > 0:
            for k in range(2):
                if left[unit, k] > 0:
                    left[unit, k] -= people
                    found[unit, k] = walk_m[home]  # the last home that is noted is that of the person
    return found
