"""Which facilities of two scans are the same place: by an id of their own, else by name and location, never by row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import Transformer
from scipy.spatial import cKDTree

from livingcircle_layers.crs import WGS84
from livingcircle_layers.names import core_names

NEAR_M = 1000.0  # of several places of one name, those this near to each other are one that moved (a judgement)
SAME_SPOT_M = 10.0  # a place of another name this near is the same one under a new name (a judgement)

_AT_A_TIME = 8  # neighbours that are looked at for each place
_EARTH = Transformer.from_crs(4979, 4978, always_xy=True)  # metres from its centre: no plane of a city is needed
_NUMBERED = re.compile(r" \(\d+\)$")  # list.csv (2): a second file of the name

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def places_of(facilities: gpd.GeoDataFrame, run: Mapping[str, Any]) -> pd.DataFrame:
    """Return the facilities of a scan as `same_places` compares them.

    Parameters
    ----------
    facilities
        ``facility_id, service, name, source, geometry`` in any CRS.
    run
        Of the same scan; its inputs tell which lists have ids of their own.

    Returns
    -------
    ``service``; ``id`` (``""`` where a row of the list is all that tells the place); ``key``, the name in plain form;
    ``name``, ``facility_id``; ``x, y, z``, metres from the centre of the Earth; in an order that is not that of rows.
    """
    degrees = facilities.to_crs(WGS84).geometry.to_numpy()
    middle = shapely.centroid(degrees)
    x, y, z = _EARTH.transform(shapely.get_x(middle), shapely.get_y(middle), np.zeros(len(middle)))
    name = facilities["name"].fillna("").astype("str")
    lasting = facilities["source"].astype("str").map(_lasting_ids(facilities["source"], run)).astype(bool)
    found = pd.DataFrame(
        {
            "service": facilities["service"].astype("str").to_numpy(),
            "id": facilities["facility_id"].astype("str").where(lasting, "").to_numpy(),
            "key": core_names(name),
            "osm": (facilities["source"] == "osm").to_numpy(),
            "name": name.to_numpy(),
            "facility_id": facilities["facility_id"].astype("str").to_numpy(),
            "x": x, "y": y, "z": z,
        }
    )  # fmt: skip
    return found.sort_values(["service", "key", "x", "y", "z", "facility_id"], ignore_index=True)


def _lasting_ids(sources: pd.Series, run: Mapping[str, Any]) -> dict[str, bool]:
    """Tell of every source whether the ids of its places are their own: of the map, or of a list that has ids."""
    columns: dict[str, bool] = {}
    for given in run["inputs"]:
        if given["role"].startswith("facilities"):
            name = PurePosixPath(str(given.get("path") or "")).name
            columns[name] = columns.get(name, True) and "id" in given.get("columns", {})
    plain = {source: _NUMBERED.sub("", source).rpartition("/")[2] for source in map(str, sources.unique())}
    return {source: source == "osm" or columns.get(name, False) for source, name in plain.items()}


def same_places(old: pd.DataFrame, new: pd.DataFrame) -> tuple[Ints, Ints]:
    """Pair the places of two scans, each at most once.

    A pair is of one service, and has the same id; or the same name at the same spot; or the nearest place of the same
    name; or a name that is the only one of its kind on both sides, wherever it went; or another name at the same spot.
    The id of a list counts only where name or spot agree, as lists that are numbered anew have the ids of others.

    Parameters
    ----------
    old, new
        As `places_of` returns them.

    Returns
    -------
    Positions in `old` and in `new`, the pairs in the order of `old`. The time grows with the number of places, however
    many share a name.
    """
    sides = (old, new)
    pairs = _Pairs(sides)
    known = [(side["id"] != "").to_numpy() for side in sides]
    named = [(side["key"] != "").to_numpy() for side in sides]
    alone = [~side.duplicated(["service", "key"], keep=False).to_numpy() for side in sides]
    every = [np.ones(len(side), dtype=bool) for side in sides]
    spot = [side[["x", "y", "z"]].round() for side in sides]
    pairs.by_columns(known, ["service", "id"], doubted=True)
    pairs.by_columns(named, ["service", "key"], beside=spot)
    pairs.by_distance(named, ["service", "key"], NEAR_M)
    pairs.by_columns([n & a for n, a in zip(named, alone, strict=True)], ["service", "key"])
    pairs.by_columns(every, ["service"], beside=spot)
    pairs.by_distance(every, ["service"], SAME_SPOT_M)
    return pairs.sorted()


def metres_apart(old: pd.DataFrame, new: pd.DataFrame) -> Floats:
    """Return how far the places of two tables are from each other, row by row."""
    apart: Floats = np.linalg.norm(_xyz(old) - _xyz(new), axis=1)
    return apart


class _Pairs:
    """Places that were found to be the same, and those that are still free."""

    def __init__(self, sides: Sequence[pd.DataFrame]) -> None:
        self.sides = sides
        self.free = [np.ones(len(side), dtype=bool) for side in self.sides]
        self.found: list[tuple[Ints, Ints]] = []

    def by_columns(
        self,
        some: Sequence[npt.NDArray[np.bool_]],
        columns: Sequence[str],
        *,
        beside: Sequence[pd.DataFrame] | None = None,
        doubted: bool = False,
    ) -> None:
        """Pair what is equal in columns, the first with the first; `doubted`: only where name or spot agree too."""
        keyed = []
        for i in (0, 1):
            mine = self.sides[i][list(columns)]
            mine = mine if beside is None else pd.concat([mine, beside[i]], axis="columns")
            mine = mine[self.free[i] & some[i]]
            keyed.append(mine.assign(_nth=mine.groupby(list(mine.columns)).cumcount(), _at=mine.index))
        on = [column for column in keyed[0].columns if column != "_at"]
        both = keyed[0].merge(keyed[1], on=on, suffixes=("_old", "_new"))
        old, new = both["_at_old"].to_numpy(dtype=np.int64), both["_at_new"].to_numpy(dtype=np.int64)
        if doubted:
            one, other = self.sides[0].iloc[old], self.sides[1].iloc[new]
            agree = one["osm"].to_numpy() | (one["key"].to_numpy() == other["key"].to_numpy())
            agree |= metres_apart(one, other) <= SAME_SPOT_M
            old, new = old[agree], new[agree]
        self._take(old, new)

    def by_distance(self, some: Sequence[npt.NDArray[np.bool_]], columns: Sequence[str], limit: float) -> None:
        """Pair what is equal in columns and within a limit of metres, the nearest first, until none is left."""
        one, other = (side[list(columns)] for side in self.sides)
        code = pd.concat([one, other]).groupby(list(columns), sort=True).ngroup().to_numpy()
        # What is unequal is put far apart along a fourth axis, so that one search tree serves all groups.
        xyzg = [
            np.column_stack([_xyz(side), 4 * limit * part])
            for side, part in zip(self.sides, np.split(code, [len(one)]), strict=True)
        ]
        while True:
            old, new = (np.flatnonzero(self.free[i] & some[i]) for i in (0, 1))
            if not len(old) or not len(new):
                return
            k = min(_AT_A_TIME, len(new))
            apart, nearest = cKDTree(xyzg[1][new]).query(xyzg[0][old], k=range(1, k + 1), distance_upper_bound=limit)
            i, rank = np.nonzero(np.isfinite(apart))
            if not len(i):
                return
            chosen = _nearest_first(apart[i, rank], i, nearest[i, rank])
            self._take(old[chosen[0]], new[chosen[1]])

    def sorted(self) -> tuple[Ints, Ints]:
        """Return all pairs in the order of the old ones."""
        old, new = (np.concatenate(side) for side in zip(*self.found, strict=True))
        order = np.argsort(old, kind="stable")
        return old[order], new[order]

    def _take(self, old: Ints, new: Ints) -> None:
        self.free[0][old] = False
        self.free[1][new] = False
        self.found.append((old, new))


def _nearest_first(apart: Floats, old: Ints, new: Ints) -> tuple[Ints, Ints]:
    """Choose pairs by distance, each side at most once."""
    gone: tuple[set[int], set[int]] = (set(), set())
    chosen: list[tuple[int, int]] = []
    order = np.lexsort((new, old, apart))
    for i, j in zip(old[order].tolist(), new[order].tolist(), strict=True):
        if i not in gone[0] and j not in gone[1]:
            gone[0].add(i)
            gone[1].add(j)
            chosen.append((i, j))
    pairs = np.array(chosen, dtype=np.int64)
    return pairs[:, 0], pairs[:, 1]


def _xyz(places: pd.DataFrame) -> Floats:
    return places[["x", "y", "z"]].to_numpy(dtype=float)
