"""People of the demo town: a grid of cells whose counts follow the floor area of the homes in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livingcircle.demo._canvas import Plane, Point
from livingcircle.demo._plan import Array

TOTAL_PEOPLE = 150_000
CELL_M = 200.0
SHARES: Mapping[str, float] = {
    "age_0_3": 0.024, "age_3_6": 0.029, "age_6_12": 0.064, "age_12_15": 0.030, "age_60_up": 0.196,
}  # fmt: skip
PEOPLE_PER_HOUSEHOLD = 2.6
COLUMNS = ("id", "lon", "lat", "population", "area_m2", *SHARES, "households")


@dataclass(frozen=True)
class Row:
    """One row of the population table; groups are whole people."""

    id: str
    lon: float
    lat: float
    population: int
    area_m2: float
    groups: tuple[int, ...]
    households: int

    def text(self) -> list[str]:
        """Return the fields as they are written."""
        area = f"{self.area_m2:.0f}"
        return [self.id, f"{self.lon:.9f}", f"{self.lat:.9f}", str(self.population), area,
                *map(str, self.groups), str(self.households)]  # fmt: skip


def whole(weights: Array, total: int) -> list[int]:
    """Share out `total` by weights in whole numbers: largest remainders first, ties by position."""
    exact = weights / weights.sum() * total
    floor = np.floor(exact).astype(int)
    order = np.lexsort((np.arange(len(exact)), -(exact - floor)))
    floor[order[: total - int(floor.sum())]] += 1
    return [int(x) for x in floor]


def row_of(row_id: str, lonlat: Sequence[float], people: int, area_m2: float) -> Row:
    """Make a row whose groups are the town's average shares."""
    groups = tuple(min(people, round(people * share)) for share in SHARES.values())
    return Row(row_id, lonlat[0], lonlat[1], people, area_m2, groups, max(1, round(people / PEOPLE_PER_HOUSEHOLD)))


def grid_rows(buildings: Sequence[tuple[Point, float]], plane: Plane, total: int) -> list[Row]:
    """Return the cells of a 200 m grid that hold homes, with `total` people by floor area."""
    floor: dict[tuple[int, int], float] = {}
    for (x, y), area in buildings:
        cell = int(np.floor(x / CELL_M)), int(np.floor(y / CELL_M))
        floor[cell] = floor.get(cell, 0.0) + area
    keys = sorted(floor, key=lambda k: (k[1], k[0]))
    people = whole(np.array([floor[k] for k in keys]), total)
    middles = plane.degrees((np.array(keys, dtype=float) + 0.5) * CELL_M)
    return [
        row_of(f"示意{i:04d}", lonlat, count, CELL_M**2)
        for i, (lonlat, count) in enumerate(zip(middles.tolist(), people, strict=True), start=1)
        if count
    ]
