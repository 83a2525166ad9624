"""Cells: the pieces into which the units of several levels cut the homes, so that one pass counts for all levels.

Homes of one cell share their unit at every level. Where levels are nested the cells are the units of the lowest one;
what lies across them, such as an estate, cuts further ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from livingcircle._sums import sums

if TYPE_CHECKING:
    from livingcircle.coverage import Units

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Cells:
    """The cells of some levels of units.

    Parameters
    ----------
    levels
        Units of the same homes.

    Attributes
    ----------
    code
        The cell of every home.
    unit
        The unit of every cell by level (levels × cells), numbered through from the first level on, -1 for none.
    first
        The number of the first unit of each level, and behind the last one that of all.
    """

    def __init__(self, levels: Sequence[Units]) -> None:
        self.first = np.cumsum([0, *(len(units.ids) for units in levels)])
        code = np.zeros(len(levels[0].code), dtype=np.int64)
        for units in levels:
            code = pd.factorize(code * (len(units.ids) + 1) + units.code + 1)[0].astype(np.int64)
        self.code = code
        self.unit = np.full((len(levels), code.max(initial=-1) + 1), -1, dtype=np.int64)
        for row, (units, first) in enumerate(zip(levels, self.first, strict=False)):
            self.unit[row, code] = np.where(units.code >= 0, units.code + first, -1)

    def total(self, weight: npt.NDArray[Any], where: Bools | None = None) -> list[Ints]:
        """Sum whole numbers of homes, of all or `where` it is true, by unit: an array for each level."""
        cells = self.unit.shape[1]
        count = sums(self.code, weight, cells, where)
        return self.by_level(np.sum([sums(unit, count, self.first[-1]) for unit in self.unit], axis=0))

    def by_level(self, values: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Take apart what is known of every unit, in the order of their numbers."""
        return np.split(values, self.first[1:-1])
