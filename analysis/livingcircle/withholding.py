"""Which numbers of a tree of units are withheld, so that no small one can be worked out from the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from livingcircle.coverage import NESTED_LEVELS
from livingcircle_layers.units import upper_levels

SMALL = 10  # counts of people from 1 to 9 are not published (design: 1–9 are printed as <10)
ROOM = 11  # a number that is withheld beside a small one can be one more or one less and is still not small

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def is_small(counts: npt.ArrayLike) -> Bools:
    """Tell which counts are of 1 to 9 people; unknown ones are not.

    Examples
    --------
    >>> is_small([0, 1, 9, 10, float("nan")]).tolist()
    [False, True, True, False, False]
    """
    values = np.round(np.asarray(counts, dtype=float), 6)
    return np.asarray((values > 0) & (values < SMALL))


def count_text(count: int | None) -> str:
    """Return a count as people read it; one that is withheld says so.

    Examples
    --------
    >>> count_text(1234), count_text(None)
    ('1,234', 'withheld 不公布')
    """
    return "withheld 不公布" if count is None else f"{count:,}"


@dataclass(frozen=True)
class UnitTree:
    """Communities and the units above them: subdistricts, districts, the city.

    Attributes
    ----------
    index
        ``(level, unit_id)`` of every unit; communities first, the city last.
    parent
        Position of the unit above each one; -1 for the city.
    """

    index: pd.MultiIndex
    parent: Ints

    @classmethod
    def of(cls, communities: gpd.GeoDataFrame) -> UnitTree:
        """Return the tree of the communities of a result, whose index is their ids."""
        upper = upper_levels(communities.assign(**{
            level: communities[level].fillna("") for level in NESTED_LEVELS[1:3]
        }))  # fmt: skip
        keys = [("community", str(unit)) for unit in communities.index]
        rows = [[(level, row[level]) for level in NESTED_LEVELS[1:] if row[level]] for row in upper.to_dict("records")]
        above = {key: up[0] for key, up in zip(keys, rows, strict=True)}
        above |= {here: there for up in rows for here, there in pairwise(up)}
        order = [*keys, *sorted({key for up in rows for key in up}, key=lambda k: (NESTED_LEVELS.index(k[0]), k[1]))]
        at = {key: position for position, key in enumerate(order)}
        parent = np.array([at[above[key]] if key in above else -1 for key in order], dtype=np.int64)
        return cls(pd.MultiIndex.from_tuples(order, names=["level", "unit_id"]), parent)

    def positions(self, level: pd.Series, unit_id: pd.Series) -> Ints:
        """Return the position of each unit; -1 for those that are not in the tree, as estates."""
        keys = pd.MultiIndex.from_arrays([level.astype(str), unit_id.astype(str)])
        return np.asarray(self.index.get_indexer(keys), dtype=np.int64)

    def upwards(self, node: int) -> Iterator[int]:
        """Yield a unit and all above it."""
        while node >= 0:
            yield node
            node = int(self.parent[node])

    @cached_property
    def leaves_below(self) -> dict[int, Ints]:
        """Return the communities of every unit, by its position; a community holds itself."""
        found: dict[int, list[int]] = {node: [] for node in range(len(self.parent))}
        for leaf in np.flatnonzero(self.index.get_level_values("level") == "community"):
            for node in self.upwards(int(leaf)):
                found[node].append(int(leaf))
        return {node: np.array(leaves, dtype=np.int64) for node, leaves in found.items()}

    def withheld(self, small: Bools, room: Floats) -> Bools:
        """Return which units' numbers are withheld, so that none of the small ones follows from sums.

        A small number is withheld with that of a community beside it that has room, and with all units between the two
        and the nearest unit above both: had one of the people lived in the other community, every number that is
        published would be the same. Where no community has room, everything above the small number is withheld.

        Parameters
        ----------
        small
            Which units have a small number.
        room
            How much the number of each unit can change either way without being small or impossible.
        """
        hidden = np.zeros(len(small), dtype=bool)
        for node in np.flatnonzero(small):
            self._protect(int(node), hidden, np.where(small, -1.0, room))
        return hidden

    def _protect(self, node: int, hidden: Bools, room: Floats) -> None:
        inside = self.leaves_below[node]
        if not hidden[inside].any():
            self._hide_up_to(int(inside[np.argmax(room[inside])]), node, hidden)
        below = node
        for top in list(self.upwards(node))[1:]:
            others = np.setdiff1d(self.leaves_below[top], self.leaves_below[below], assume_unique=True)
            able = others[room[others] >= ROOM]
            if len(able):
                withheld = able[hidden[able]]
                # One that is withheld already costs nothing; else the one by which least is lost.
                partner = withheld[0] if len(withheld) else able[np.argmin(room[able])]
                self._hide_up_to(int(partner), top, hidden)
                self._hide_up_to(node, top, hidden)
                return
            below = top
        self._hide_up_to(node, -1, hidden)

    def _hide_up_to(self, node: int, top: int, hidden: Bools) -> None:
        """Withhold a unit and those above it, below `top`."""
        for step in self.upwards(node):
            if step == top:
                return
            hidden[step] = True

    def published_above(self, node: int, hidden: Bools) -> int:
        """Return the nearest unit above one whose number is published; -1 if there is none."""
        return next((step for step in self.upwards(node) if not hidden[step]), -1)
