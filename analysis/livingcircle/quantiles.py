"""Quantiles of a walk by people: of all people of a unit, how far a share of them walks at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from livingcircle.coverage import Units

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def by_walk(walk_m: Floats) -> Ints:
    """Return the homes by their walk, those that reach nothing (NaN) last; equal walks in any order."""
    return np.argsort(walk_m)


def people_quantiles(
    walk_m: Floats,
    count: npt.NDArray[Any],
    units: Units,
    *,
    at: tuple[float, float] = (0.5, 0.9),
    order: Ints | None = None,
) -> tuple[Floats, Floats]:
    """Return two quantiles of the walk by people (median and p90); the unreached count as beyond everything.

    Parameters
    ----------
    walk_m, count
        The walk and the people of each home.
    units
        The units, and that of each home; a unit without people has no quantile (NaN).
    at
        The two shares of people, above 0.
    order
        `by_walk` of the walks, where it is known already.
    """
    weight = np.where(units.code >= 0, count, 0).astype(np.int64)
    if order is None:
        counted = np.flatnonzero(weight > 0)
        order = counted[by_walk(walk_m[counted])]
    total = np.bincount(units.code[weight > 0], weight[weight > 0], len(units.ids)).astype(np.int64)
    first, second = (np.ceil(q * total - 1e-9).astype(np.int64) for q in at)
    return _at_person(walk_m, weight, units.code, order, first), _at_person(walk_m, weight, units.code, order, second)


@numba.njit(cache=True, nogil=True)
def _at_person(walk_m: Floats, weight: Ints, code: Ints, order: Ints, person: Ints) -> Floats:
    """Return of each unit the walk of one of its people, counted from 1 in the order of walks; NaN where 0 is asked."""
    left, found = person.copy(), np.full(len(person), np.nan)
    for home in order:
        if weight[home] > 0 and left[code[home]] > 0:
            left[code[home]] -= weight[home]
            found[code[home]] = walk_m[home]  # the last home that is noted is that of the person
    return found
