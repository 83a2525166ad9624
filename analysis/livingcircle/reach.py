"""How far every home is from every layer of facilities: along streets, in minutes, and in a straight line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle import _joining
from livingcircle.hundredths import Walks, from_hundredths, hundredths
from livingcircle.joins import Joins
from livingcircle.network import WalkNetwork
from livingcircle.rules import Rule
from livingcircle.walkers import Walker

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]

_SQUARE_M = 100.0  # of the lattice that tells which points could lie in a polygon
_POINTS_AT_A_TIME = 50_000
_POLYGON = 3  # GEOS's number of the kind; points and lines come before it, collections after it

# Services whose rules count only grounds of the size that the clause names (standards-tables.md, min_site_m2).
_SIZED = frozenset(
    (
        "park", "square", "sports_field", "football_pitch",
        "small_sports_ground", "medium_sports_ground", "large_sports_ground",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """The facilities that one rule accepts: services, any of which will do, and the smallest ground."""

    services: tuple[str, ...]
    min_site_m2: float = 0.0
    max_site_m2: float = np.inf

    @classmethod
    def of(cls, rule: Rule) -> Layer:
        """Return the layer of a rule; size counts only for parks and sports grounds."""
        if not set(rule.services) <= _SIZED:
            return cls(rule.services)
        return cls(rule.services, rule.min_site_m2 or 0.0, rule.max_site_m2 or np.inf)

    @property
    def of_size(self) -> bool:
        """Whether only grounds of some size belong to it."""
        return self.min_site_m2 > 0.0 or self.max_site_m2 < np.inf

    def chosen(self, facilities: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Tell which rows of the facilities belong to the layer; a ground of unknown size is in no sized layer."""
        mine = facilities["service"].isin(self.services).to_numpy()
        if not self.of_size:
            return mine
        area = facilities["area_m2"].to_numpy(dtype=float)
        return mine & (area >= self.min_site_m2) & (area < self.max_site_m2)


@dataclass(frozen=True)
class City:
    """Homes and facilities on the network, ready to be measured.

    Attributes
    ----------
    network
        The streets.
    homes, home_joins
        ``x, y, unit, people`` and groups, and where each home joins.
    facilities
        One row per place and service (see `livingcircle_layers.facilities.Facilities`).
    doors, door_joins
        Access points, with ``facility_id``, and where each joins.
    """

    network: WalkNetwork
    homes: pd.DataFrame
    home_joins: Joins
    facilities: gpd.GeoDataFrame
    doors: pd.DataFrame
    door_joins: Joins

    @property
    def home_points(self) -> npt.NDArray[Any]:
        """The homes as points; made anew each time, as they are much larger than their coordinates."""
        return shapely.points(self.homes["x"].to_numpy(), self.homes["y"].to_numpy())

    @cached_property
    def _places(self) -> tuple[Ints, Ints]:
        """The place of every row of the facilities and of every door, as numbers."""
        number, ids = pd.factorize(self.facilities["facility_id"])
        return number.astype(np.int64), pd.Index(ids).get_indexer(pd.Index(self.doors["facility_id"]))

    def places_of(self, doors: Ints) -> npt.NDArray[np.bool_]:
        """Tell which rows of the facilities are places that some of the access points lead to."""
        of_row, of_door = self._places
        entered = np.zeros(len(of_row) + 1, dtype=bool)
        entered[of_door[doors]] = True
        entered[-1] = False  # doors of no place here
        return np.asarray(entered[of_row])

    def doors_of(self, layer: Layer) -> Ints:
        """Return the positions of the access points of a layer."""
        of_row, of_door = self._places
        mine = np.zeros(len(of_row) + 1, dtype=bool)  # the last is for doors of no place here
        mine[of_row[layer.chosen(self.facilities)]] = True
        return np.flatnonzero(mine[of_door])


@dataclass(frozen=True)
class Reach:
    """Distances from every home to the nearest place of one layer; NaN is not reached within the search limit.

    Attributes
    ----------
    walk_m
        Metres along streets for each walker, legs included.
    walk_s
        Seconds for each walker.
    straight_cm
        Straight line to the nearest boundary or point in whole centimetres, -1 where there is none; see `straight_m`.
    nearest
        Position of the nearest access point by metres for each walker, -1 where there is none.
    """

    walk_m: Walks
    walk_s: Walks
    straight_cm: Int32s
    nearest: Mapping[str, Int32s]

    @property
    def straight_m(self) -> Floats:
        """Straight line to the nearest boundary or point, metres."""
        return from_hundredths(self.straight_cm)

    def or_shorter(self, other: Reach) -> Reach:
        """Return the shorter of two ways to the same places, home by home."""
        # A way that reaches nothing (NaN) is never the shorter one.
        shorter = {w: other.walk_m[w] < np.nan_to_num(v, nan=np.inf) for w, v in self.walk_m.items()}
        return Reach(
            walk_m=Walks.of({w: np.fmin(v, other.walk_m[w]) for w, v in self.walk_m.items()}),
            walk_s=Walks.of({w: np.fmin(v, other.walk_s[w]) for w, v in self.walk_s.items()}),
            straight_cm=self.straight_cm,
            nearest={w: np.where(shorter[w], other.nearest[w], v) for w, v in self.nearest.items()},
        )


def measure_reach(city: City, layer: Layer, walkers: Sequence[Walker], *, limit_m: float) -> Reach:
    """Measure how far every home is from a layer.

    Parameters
    ----------
    limit_m
        How far is looked, in metres and in the time that each walker needs for them.
    """
    chosen = layer.chosen(city.facilities)
    at = city.doors_of(layer)
    doors = city.door_joins.take(at)
    walk_m, walk_s, nearest = {}, {}, {}
    measured: dict[bool, tuple[Int32s, Int32s]] = {}
    for walker in walkers:
        if walker.steps not in measured:
            metres, which = city.network.walk(walker).nearest(city.home_joins, doors, limit=limit_m)
            measured[walker.steps] = hundredths(metres), np.append(at, -1)[which].astype(np.int32)
        walk_m[walker.name], nearest[walker.name] = measured[walker.steps]
        seconds = city.network.walk(walker, unit="s")
        walk_s[walker.name] = hundredths(seconds.nearest(city.home_joins, doors, limit=limit_m / walker.speed_m_s)[0])
    xy = city.homes[["x", "y"]].to_numpy(dtype=float)
    return Reach(
        walk_m=Walks(walk_m),
        walk_s=Walks(walk_s),
        straight_cm=hundredths(straight_m(xy, city.facilities.geometry.to_numpy()[chosen], limit_m)),
        nearest=nearest,
    )


class Measurer(Protocol):
    """Measures layers for all homes of a city; `measure_layers` at once, others part by part."""

    def __call__(
        self, city: City, needed: Mapping[Layer, Sequence[Walker]], *, limit_m: float
    ) -> Mapping[Layer, Reach]:
        """Return the distances of every layer for its walkers."""
        ...


def measure_layers(city: City, needed: Mapping[Layer, Sequence[Walker]], *, limit_m: float) -> dict[Layer, Reach]:
    """Measure how far every home is from every layer, for the walkers of each.

    Layers that choose the same places are measured once: parks of several sizes where only large ones are known, and
    all those without any place.
    """
    alike = {
        layer: (layer.chosen(city.facilities).tobytes(), tuple(w.name for w in chosen))
        for layer, chosen in needed.items()
    }
    once = {key: layer for layer, key in reversed(alike.items())}
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # the searches run without the interpreter's lock
        reaches = pool.map(lambda layer: measure_reach(city, layer, needed[layer], limit_m=limit_m), once.values())
        found = dict(zip(once, reaches, strict=True))
    return {layer: found[key] for layer, key in alike.items()}


def nearest_m(city: City, layer: Layer, walker: Walker, *, limit_m: float) -> Floats:
    """Return every home's walk to the nearest place of a layer in metres; NaN beyond the limit."""
    doors = city.door_joins.take(city.doors_of(layer))
    return city.network.walk(walker).nearest(city.home_joins, doors, limit=limit_m)[0]


def straight_m(xy: Floats, places: npt.NDArray[Any], limit_m: float) -> Floats:
    """Return the straight line to the nearest boundary or point, as statistics measure; NaN beyond the limit.

    Parameters
    ----------
    xy
        From where (n × 2, metres).
    places
        To what, in the same plane.
    """
    parts = places
    while (shapely.get_type_id(parts) > _POLYGON).any():  # collections, and those within them
        parts = shapely.get_parts(parts)
    polygons = parts[shapely.get_type_id(parts) == _POLYGON]
    xy = np.require(xy, requirements=["C", "W"])
    out = _joining.nearest_gap(_boundaries(parts), xy, float(limit_m))
    if len(polygons):
        tree, near = shapely.STRtree(polygons), _near_boxes(xy, shapely.bounds(polygons))
        for begin in range(0, len(near), _POINTS_AT_A_TIME):  # a point is many times as large as its coordinates
            some = near[begin : begin + _POINTS_AT_A_TIME]
            out[some[tree.query(shapely.points(xy[some]), predicate="intersects")[0]]] = 0.0
    out[~(out <= limit_m)] = np.nan
    return np.round(out, 2)


def _near_boxes(xy: Floats, boxes: Floats) -> Ints:
    """Return the points that share a square of a lattice with a box: all those within boxes, and few others."""
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    if not len(xy) or not len(boxes):
        return np.zeros(0, dtype=np.int64)
    low, extent = xy.min(axis=0), np.ptp(xy, axis=0)
    square = max(_SQUARE_M, float(np.sqrt(extent.prod() / (4 * len(xy)))))  # never many more squares than points
    last = np.floor(extent / square).astype(np.int64)
    west, south, east, north = np.clip(np.floor((boxes - [*low, *low]) / square), -1, [*last + 1] * 2).astype(int).T + 1
    # A box raises the squares from its first corner on and lowers those beyond its last one.
    change = np.zeros(last + 4, dtype=np.int64)
    np.add.at(change, (np.r_[west, east + 1], np.r_[south, north + 1]), 1)
    np.add.at(change, (np.r_[west, east + 1], np.r_[north + 1, south]), -1)
    covered = change.cumsum(axis=0).cumsum(axis=1) > 0
    at = np.floor((xy - low) / square).astype(np.int64) + 1
    return np.flatnonzero(covered[at[:, 0], at[:, 1]])


def _boundaries(parts: npt.NDArray[Any]) -> _joining.Grid:
    """Put points, lines and the boundaries of polygons into a grid, in short pieces that know their whole segment."""
    kind = shapely.get_type_id(parts)
    points = shapely.get_coordinates(parts[kind == 0])
    rings = np.concatenate([parts[(kind > 0) & (kind < _POLYGON)], shapely.get_rings(parts[kind == _POLYGON])])
    coords, owner = shapely.get_coordinates(rings, return_index=True)
    same = owner[1:] == owner[:-1]
    start, stop = np.concatenate([points, coords[:-1][same]]), np.concatenate([points, coords[1:][same]])
    count = np.maximum(1, np.ceil(np.hypot(*(stop - start).T) / _joining.PIECE_M)).astype(np.int64)
    own = np.repeat(np.arange(len(start)), count)
    step = ((np.arange(len(own)) - np.repeat(np.cumsum(count) - count, count)) / count[own])[:, None]
    way = (stop - start)[own]
    first = start[own] + step * way
    grid = _joining.make_grid(first, first + way / count[own][:, None])
    return grid._replace(start=np.ascontiguousarray(start[own]), stop=np.ascontiguousarray(stop[own]))


def exit_distance(city: City, *, limit_m: float) -> Floats:
    """Return each home's walk to the nearest point where streets leave the data; NaN beyond the limit."""
    streets = city.network.streets
    first_edge = np.concatenate([streets.tail, streets.head])
    order = np.argsort(first_edge, kind="stable")
    position = np.searchsorted(first_edge[order], np.flatnonzero(streets.exits))
    edge = order[position] % len(streets.tail)
    at_tail = streets.tail[edge] == np.flatnonzero(streets.exits)
    n = len(edge)
    doors = Joins(edge, np.where(at_tail, 0.0, 1.0), np.zeros(n), np.full(n, "", dtype=object))
    return city.network.walk().nearest(city.home_joins, doors, limit=limit_m)[0]
