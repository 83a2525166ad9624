"""Quantiles of a walk by people: of all people of a unit, how far a share of them walks at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from livingcircle._compiled import kept
from livingcircle._sums import sums
from livingcircle.hundredths import Int32s, from_hundredths

if TYPE_CHECKING:
    from livingcircle.cells import Cells
    from livingcircle.coverage import Units

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@kept
def by_walk(walk_cm: Int32s) -> Int32s:
    """Return the homes by their walk in whole centimetres, those that reach nothing (-1) last; a sort by counting."""
    beyond = 0
    for walk in walk_cm:
        beyond = max(beyond, walk + 1)
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
    value: Floats, count: npt.NDArray[Any], units: Units, *, at: tuple[float, float] = (0.5, 0.9)
) -> tuple[Floats, Floats]:
    """Return two quantiles of a number by people (median and p90); the unknown counts as beyond everything.

    Parameters
    ----------
    value, count
        The number, such as a walk, and the people of each home.
    units
        The units, and that of each home; a unit without people has no quantile (NaN).
    at
        The two shares of people, above 0, the smaller one first.
    """
    weight = np.where(units.code >= 0, count, 0).astype(np.int64)
    counted = np.flatnonzero(weight > 0)
    order = counted[np.argsort(value[counted])].astype(np.int32)
    each = np.arange(len(units.ids))[None]
    home = _homes_at(weight, units.code, each, order, _persons(sums(units.code, weight, len(units.ids)), at))
    found = np.where(home >= 0, np.append(value, np.nan)[home], np.nan)
    return found[:, 0], found[:, 1]


def walk_quantiles(
    walk_cm: Int32s, count: npt.NDArray[Any], cells: Cells, total: Ints, *, at: tuple[float, float] = (0.5, 0.9)
) -> tuple[list[Floats], list[Floats]]:
    """Return the same of walks in whole centimetres for the units of all levels of cells at once: arrays by level.

    Parameters
    ----------
    walk_cm, count
        The walk, -1 for none, and the people of each home.
    cells
        The cell of each home, and the units of each cell.
    total
        The people of each unit, in the order of their numbers.
    at
        As above.
    """
    home = _homes_at(count, cells.code, cells.unit, by_walk(walk_cm), _persons(total, at))
    found = from_hundredths(np.where(home >= 0, np.append(walk_cm, np.int32(-1))[home], np.int32(-1)))
    return cells.by_level(found[:, 0]), cells.by_level(found[:, 1])


def _persons(total: Ints, at: tuple[float, float]) -> Ints:
    """Return which of the people of each unit stand at two shares of them, counted from 1 (units × 2)."""
    return np.column_stack([np.ceil(q * total - 1e-9).astype(np.int64) for q in at])


@kept
def _homes_at(count: npt.NDArray[Any], cell: Ints, unit: Ints, order: Int32s, persons: Ints) -> Int32s:
    """Return of each unit the homes of two of its people, counted from 1 along `order`; -1 where 0 is asked.

    A home counts for the units of its cell (levels × cells). The second person stands behind the first.
    """
    left, found = persons.copy(), np.full(persons.shape, -1, dtype=np.int32)
    for home in order:
        people = count[home]
        if people > 0:
            for level in range(len(unit)):
                u = unit[level, cell[home]]
                if u >= 0 and left[u, 1] > 0:
                    for k in range(2):
                        if left[u, k] > 0:
                            left[u, k] -= people
                            found[u, k] = home  # the last home that is noted is that of the person
    return found
