"""Circles (生活圈): the ground that can be walked to from a place within a distance or a time.

Circles are drawn for people to look at; scores come from the network itself. They are read off a square grid, and every
statement about them holds to one cell of `CELL_M` metres:

- a street position reached with a cell to spare lies inside, and so does the start;
- a street position that is not reached lies outside, unless one that is reached, or the start's own way to its street,
  is within a cell of it;
- longer limits contain shorter ones;
- ground beside a street is walked to across open ground only: never past a barrier, and never where the nearest street
  is one that is not reached;
- a new way takes nothing away if all of it is reached; else it takes the ground beside its unreached part, and what was
  walked to across that ground. It never takes away what lies along a street, and changes nothing elsewhere. With
  ``spread_m=0``, which keeps to the streets, no way ever takes anything away.

Homes join their nearest street at a right angle, while a circle also cuts across open ground to the next one: at its
rim a circle holds some homes whose walk along streets is longer than the limit, by no more than their own leg.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import Any, Literal, NamedTuple, TypeVar

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import Transformer

from livingcircle import _ground, _survey
from livingcircle._outlines import Crossings, Rings, outlines
from livingcircle.joins import BLOCKED, JOIN_LIMIT_M, Joiner, Joins, barrier_grid, segments
from livingcircle.network import Walk, WalkNetwork
from livingcircle.walkers import WALKERS, Walker
from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import InputError, UsageError, sentence
from livingcircle_layers.streets import Streets

CELL_M = 20.0  # what a circle may be wrong by
SPREAD_M = 150.0  # ground further from every street is in no circle: half a block of 300 m (a judgement)

MOST_TILES = 4096  # of surveyed ground that are kept, 64 kB each
STRIP_ROWS = 512  # of the grid; ground of more than two such strips is drawn strip by strip
STRIP_M = 2000.0  # places are worked through in strips of this width

STEP_M = CELL_M / 2  # between grid nodes
_BAND_M = 0.6 * CELL_M  # reached ground beside a street; over 1.12 steps, so that no street slips between the nodes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Geometries = npt.NDArray[Any]
T = TypeVar("T")


class Search(NamedTuple):
    """A finished search over the network.

    Attributes
    ----------
    flow, touched
        What it costs, and the nodes it reached.
    legs
        The origins' straight ways to their streets: x, y of both ends and the cost at the beginning.
    limits
        The costs to draw, ascending.
    """

    flow: _ground.Flow
    touched: npt.NDArray[np.int32]
    legs: Floats
    limits: Floats


class CircleGrid:
    """The ground around the streets of a network, ready for circles; it is surveyed where a circle first needs it.

    Parameters
    ----------
    network
        The walking network.
    barriers
        Lines that nobody walks across, in the plane of the network.
    spread_m
        How far from the streets ground can be walked to; 0 keeps circles to the streets themselves.

    Attributes
    ----------
    network, spread_m
        As given.
    """

    def __init__(self, network: WalkNetwork, barriers: Geometries | None = None, *, spread_m: float = SPREAD_M) -> None:
        self.network, self.spread_m = network, spread_m
        self._barriers = barrier_grid(np.array([], dtype=object) if barriers is None else barriers)
        of, start, stop, before = segments(network.streets)
        raised, length_m = network.streets.raised[of], network.streets.length_m
        self._pieces = _survey.Pieces(start, stop, of, before, raised, length_m)
        size = _survey.TILE * STEP_M
        low = np.floor((network.streets.coords.min(axis=0) - spread_m) / size).astype(np.int64)
        high = np.floor((network.streets.coords.max(axis=0) + spread_m) / size).astype(np.int64)
        self._corner, (columns, rows) = low, high - low + 1
        self._first, self._near = _survey.pieces_by_tile(start, stop, spread_m, size, low[0], low[1], rows, columns)
        self._shape = (int(rows), int(columns))
        self._lock = Lock()
        self._surveyed = 0
        self._tiles = self._no_tiles()
        ends = np.concatenate([network.streets.tail, network.streets.head])
        first = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=len(network.streets.node_id)))])
        edge = np.argsort(ends, kind="stable") % len(network.streets.tail)
        self._at_node = _ground.Incidence(first, edge.astype(np.int32))
        self._spare: list[tuple[Floats, Bools]] = []

    @contextmanager
    def searched(self, walk: Walk, xy: Floats, origins: Joins, limits: Floats, *, towards: bool) -> Iterator[Search]:
        """Search the network from the origins, along the walk or, for people who walk towards them, against it.

        Its arrays are as long as the network; they are lent, and what it wrote is taken back at the end, so that a
        small circle costs little in a large city.
        """
        limit = limits[-1] + STEP_M * walk.per_metre
        s = walk.streets
        try:
            dist, mark = self._spare.pop()
        except IndexError:
            dist, mark = np.full(len(s.node_id), np.inf), np.zeros(len(s.tail), dtype=np.bool_)
        up, down = (walk.backward, walk.forward) if towards else (walk.forward, walk.backward)
        order = np.argsort(origins.edge, kind="stable")
        e, share, leg = origins.edge[order], origins.share[order], origins.leg_m[order] * walk.per_metre
        with np.errstate(invalid="ignore"):
            to_head = leg + np.where(share == 1, 0.0, up[e] * (1 - share))
            to_tail = leg + np.where(share == 0, 0.0, down[e] * share)
        seed = np.concatenate([s.head[e], s.tail[e]])
        cost = np.concatenate([to_head, to_tail]) + walk.wait[seed]
        touched = _ground.searched(*(walk.arcs_against if towards else walk.arcs), seed, cost, limit, dist)
        ends = s.tail, s.head, s.offsets, s.coords
        flow = _ground.Flow(*ends, up, down, dist, e, share, leg, walk.per_metre, limit, mark)
        yield Search(flow, touched, legs_of(walk, xy, origins), limits)
        dist[touched] = np.inf
        self._spare.append((dist, mark))

    def bands(self, searches: Sequence[Search]) -> list[Rings]:
        """Return the outlines of the ground that each of some searches reaches within its limits, in grid steps.

        Wide ground is drawn in strips from south to north, all searches in turn, so that they share what is surveyed
        and no more than a strip is held at a time. The strips are the same wherever the ground begins.
        """
        drawings = [_Drawing(self, search) for search in searches]
        for strip in sorted({strip for drawing in drawings for strip in drawing.strips}):
            for drawing in drawings:
                drawing.add(strip)
        return [drawing.rings() for drawing in drawings]

    def costs(self, search: Search) -> tuple[int, int, Floats]:
        """Return what it costs to walk to each node of the grid: first column and row, and the costs [row, column]."""
        edges, _, window = self.around(search)
        tiles = self.surveyed(window)
        return window[0], window[1], _ground.costs(search.flow, edges, search.legs, tiles, window, _BAND_M, STEP_M)

    def around(self, search: Search) -> tuple[Ints, Floats, tuple[int, int, int, int]]:
        """Return the edges that a search reaches, the box of each, and the window of the grid around all of them."""
        edges, boxes = _ground.reached_edges(search.flow, search.touched, self._at_node)
        legs, margin = search.legs, max(self.spread_m, _BAND_M) + 2 * STEP_M
        ends = np.concatenate([boxes[:, :2], boxes[:, 2:], legs[:, :2], legs[:, 2:4]])
        (i0, j0) = np.floor((ends.min(axis=0) - margin) / STEP_M).astype(int).tolist()
        (i1, j1) = np.ceil((ends.max(axis=0) + margin) / STEP_M).astype(int).tolist()
        return edges, boxes, (i0, j0, i1 - i0 + 1, j1 - j0 + 1)

    def surveyed(self, window: tuple[int, int, int, int]) -> _ground.Tiles:
        """Return the surveyed ground of a window: its first column and row, and the numbers of columns and rows."""
        i0, j0, columns, rows = window
        with self._lock:
            return self._survey(i0, j0, i0 + columns - 1, j0 + rows - 1)

    def _survey(self, i0: int, j0: int, i1: int, j1: int) -> _ground.Tiles:
        """Find the nearest street of every node of the tiles that a window touches.

        Tiles that were handed out are never changed: when there are too many, new ones are begun.
        """
        rows, columns = self._shape
        low = np.maximum(np.array([i0, j0]) // _survey.TILE - self._corner, 0)
        high = np.minimum(np.array([i1, j1]) // _survey.TILE - self._corner + 1, [columns, rows])
        new = self._unseen(low, high)
        if self._surveyed + len(new) > len(self._tiles.edge):
            self._tiles, self._surveyed = self._no_tiles(), 0
            new = self._unseen(low, high)
            if len(new) > len(self._tiles.edge):
                self._tiles = self._no_tiles(len(new))
        tiles = self._tiles
        for row, column in new:
            tiles.edge[self._surveyed], tiles.share[self._surveyed] = self._tile(int(row), int(column))
            tiles.slot[row, column] = self._surveyed
            self._surveyed += 1
        return tiles

    def _unseen(self, low: Ints, high: Ints) -> Ints:
        return np.argwhere(self._tiles.slot[low[1] : high[1], low[0] : high[0]] < 0) + low[::-1]

    def _no_tiles(self, room: int = MOST_TILES) -> _ground.Tiles:
        """Return room for tiles, which takes memory only as it is filled."""
        shape = (min(room, self._shape[0] * self._shape[1]), 2, _survey.TILE, _survey.TILE)
        return _ground.Tiles(
            np.full(self._shape, -1, dtype=np.int32), int(self._corner[0]), int(self._corner[1]),
            np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.float32),
        )  # fmt: skip

    def _tile(self, row: int, column: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Return where each node of a tile meets its nearest street (see `livingcircle._survey.survey`)."""
        i0, j0 = (self._corner + np.array([column, row])) * _survey.TILE
        at = row * self._shape[1] + column
        near = self._near[self._first[at] : self._first[at + 1]]
        return _survey.survey(near, self._pieces, self._barriers, self.spread_m, STEP_M, i0, j0)


class _Drawing:
    """The outlines of one search, drawn strip by strip; ground that is not wide is one strip."""

    def __init__(self, grid: CircleGrid, search: Search) -> None:
        self.grid, self.search = grid, search
        self.edges, self.boxes, self.window = grid.around(search)
        _, j0, columns, rows = self.window
        self.strips = range(j0 // STRIP_ROWS, (j0 + rows - 1) // STRIP_ROWS + 1) if rows > 2 * STRIP_ROWS else range(1)
        self.below = np.empty((len(search.limits), columns), dtype=np.int32)
        self.found: list[Crossings] = []
        self.number = 0

    def add(self, number: int) -> None:
        """Draw a strip, if it belongs to this ground, with the ground beside it from which it can be walked to."""
        if number not in self.strips:
            return
        i0, j0, columns, rows = self.window
        edges, flow = self.edges, self.search.flow
        low, high, south, north = 0, rows - 1, 0, rows - 1
        if len(self.strips) > 1:
            low, high = max(number * STRIP_ROWS - j0, 0), min((number + 1) * STRIP_ROWS - j0, rows - 1)
            beside = int(np.ceil(flow.limit / (flow.per_metre * STEP_M))) + 3
            south, north = max(low - beside, 0), min(high + beside, rows - 1)
            reach = (j0 + south) * STEP_M - _BAND_M, (j0 + north) * STEP_M + _BAND_M
            edges = edges[(self.boxes[:, 3] >= reach[0]) & (self.boxes[:, 1] <= reach[1])]
        strip = _ground.Strip(i0, j0 + south, columns, north - south + 1, low - south, high - south, low, self.number)
        tiles = self.grid.surveyed(strip[:4])
        more = _ground.crossed(
            flow, edges, self.search.legs, tiles, strip, self.search.limits, self.below, _BAND_M, STEP_M
        )
        self.number += len(more.x)
        self.found.append(more)

    def rings(self) -> Rings:
        """Return the outlines, in steps of the grid."""
        found = self.found[0]
        if len(self.found) > 1:
            found = Crossings(*(np.concatenate(parts) for parts in zip(*self.found, strict=True)))
        rings = outlines(found, len(self.search.limits))
        rings.points[:] += self.window[:2]
        return rings


def circles(
    grid: CircleGrid,
    xy: Floats,
    origins: Joins,
    *,
    limits: Sequence[float],
    unit: Literal["m", "min"] = "m",
    walker: Walker | None = None,
    merge: bool = False,
    owner: Ints | None = None,
    towards: bool | None = None,
) -> gpd.GeoDataFrame:
    """Return the ground that can be walked to from each place within each limit.

    Parameters
    ----------
    grid
        The ground around the streets.
    xy
        The places, in the plane of the network (n × 2).
    origins
        Where they join it; places that do not join have no circle.
    limits, unit
        Metres or minutes; each circle contains the shorter ones.
    walker
        Who walks; minutes need one.
    merge
        True for one circle of all places together: the ground from which people walk to any of them.
    owner
        Places of the same owner, such as the doors of a facility, have one circle together.
    towards
        Whether people walk to the places, not from them; by default only with `merge`.

    Returns
    -------
    geopandas.GeoDataFrame
        ``origin`` (position of the place, or its owner; not with `merge`), ``limit``, ``unit``, ``geometry``
        (Polygon or MultiPolygon in the plane of the network), by origin and then limit.
    """
    if unit == "min" and walker is None:
        raise UsageError("circles in minutes need a walker", expected=f"one of {', '.join(WALKERS)}")
    walk = grid.network.walk(walker, unit="s" if unit == "min" else "m")
    ordered = sorted(set(limits))
    costs = np.array(ordered) * (60.0 if unit == "min" else 1.0)
    if not ordered or not np.isfinite(costs).all() or costs[0] < CELL_M * walk.per_metre:
        least = CELL_M if unit == "m" else CELL_M * walk.per_metre / 60
        raise UsageError("a circle cannot be drawn", got=f"limits {list(limits)} {unit}",
                         expected=f"at least {least:.3g} {unit}", remedy="ask for a longer walk")  # fmt: skip
    joined = np.flatnonzero(origins.joined)
    owner = np.arange(len(xy)) if owner is None else owner
    owners = np.unique(owner[joined])
    groups = [joined] if merge else [joined[owner[joined] == one] for one in owners]
    against = merge if towards is None else towards
    shapes = _in_threads(
        lambda group: bands_around(grid, walk, xy[group], origins.take(group), costs, towards=against), groups, xy
    )
    columns = {
        "origin": np.repeat(owners[: len(groups)], len(ordered)),
        "limit": np.tile(np.asarray(ordered, dtype=float), len(groups)),
        "unit": pd.Series([unit] * (len(groups) * len(ordered)), dtype="str"),
    }
    if merge:
        del columns["origin"]
    geometry = np.array([shape for bands in shapes for shape in bands], dtype=object)
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=grid.network.streets.crs)


def _in_threads(work: Callable[[Ints], T], groups: list[Ints], xy: Floats) -> list[T]:
    """Do the work of every group of places, neighbours one after the other, so that they share surveyed ground."""
    if len(groups) < 2:
        return [work(group) for group in groups]
    first = xy[[group[0] for group in groups]]
    order = np.lexsort((first[:, 0], first[:, 1] // STRIP_M))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = dict(zip(order.tolist(), pool.map(lambda n: work(groups[n]), order), strict=True))
    return [done[n] for n in range(len(groups))]


def isochrones(
    network: WalkNetwork,
    barriers: Geometries | None,
    lonlat: Floats,
    *,
    minutes: Sequence[float] | None = None,
    metres: Sequence[float] | None = None,
    walker: Walker = WALKERS["adult"],
    ids: Sequence[str] | None = None,
    join_limit_m: float = JOIN_LIMIT_M,
) -> gpd.GeoDataFrame:
    """Return how far people walk from each point, as areas for a map.

    Parameters
    ----------
    network
        The walking network.
    barriers
        Lines that nobody walks across, in the plane of the network.
    lonlat
        Points in WGS-84 degrees (n × 2).
    minutes, metres
        The limits, in one of the two units.
    walker
        Who walks: how fast, and whether steps can be used.
    ids
        Names of the points; by default 1, 2, 3 …
    join_limit_m
        The longest straight way from a point to the street.

    Returns
    -------
    geopandas.GeoDataFrame
        ``id``, ``minutes`` or ``metres``, ``walker``, ``geometry`` in WGS-84 degrees.

    Raises
    ------
    InputError
        A point is not on the street network.
    """
    if (minutes is None) == (metres is None):
        raise UsageError("isochrones need minutes or metres", expected="one of the two")
    lonlat = np.asarray(lonlat, dtype=float).reshape(-1, 2)
    names = [str(i + 1) for i in range(len(lonlat))] if ids is None else list(ids)
    lines = np.array([], dtype=object) if barriers is None else barriers
    transformer = Transformer.from_crs(WGS84, network.streets.crs, always_xy=True)
    xy = np.column_stack(transformer.transform(lonlat[:, 0], lonlat[:, 1]))
    labels = [f"{n} ({x:g}, {y:g})" for n, (x, y) in zip(names, lonlat, strict=True)]
    joins = join_points(network, lines, xy, labels, limit_m=join_limit_m)
    unit: Literal["m", "min"] = "m" if minutes is None else "min"
    limits = metres if minutes is None else minutes
    assert limits is not None
    table = circles(CircleGrid(network, lines), xy, joins, limits=limits, unit=unit, walker=walker)
    columns = {
        "id": pd.Series(np.array(names, dtype=object)[table["origin"]], dtype="str"),
        ("metres" if minutes is None else "minutes"): table["limit"],
        "walker": pd.Series([walker.name] * len(table), dtype="str"),
    }
    return gpd.GeoDataFrame(columns, geometry=table.geometry).to_crs(WGS84)


def join_points(
    network: WalkNetwork, barriers: Geometries, xy: Floats, labels: list[str], *, limit_m: float = JOIN_LIMIT_M
) -> Joins:
    """Join points to the streets; every point must join.

    Raises
    ------
    InputError
        A point is not on the street network; `labels` name them.
    """
    lost = ~np.asarray(np.isfinite(xy).all(axis=1))
    joins = Joiner(network.streets, barriers, limit_m=limit_m).join(np.where(lost[:, None], 1e9, xy))
    faults = [
        sentence(
            f"point {labels[i]} is not on the street network",
            got=(
                f"every way to a street within {limit_m:g} m crosses water, rail, a motorway or a wall"
                if joins.reason[i] == BLOCKED
                else f"no street within {limit_m:g} m"
            ),
            expected="longitude, latitude of a place beside a street of the file",
            remedy="move the point to the street side, or use a street file that holds the place",
        )
        for i in np.flatnonzero(~joins.joined)
    ]
    if faults:
        raise InputError.of(faults)
    return joins


def bands_around(
    grid: CircleGrid, walk: Walk, xy: Floats, origins: Joins, limits: Floats, *, towards: bool = False
) -> list[shapely.Geometry]:
    """Return one circle for each limit around one place, or around all places together: the shapes alone.

    Parameters
    ----------
    walk
        The network as somebody walks it; limits are in its unit.
    xy, origins
        The places in the plane of the network, all of them joined to it.
    limits
        Ascending.
    towards
        Whether people walk to the places, not from them.
    """
    if not len(xy):
        return [shapely.MultiPolygon()] * len(limits)
    with grid.searched(walk, xy, origins, limits, towards=towards) as search:
        [rings] = grid.bands([search])
    return shapes_of(rings)


def shapes_of(rings: Rings) -> list[shapely.Geometry]:
    """Return outlines as one Polygon or MultiPolygon for each limit."""
    polygons = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, rings.points * STEP_M, (rings.rings, rings.polygons)
    )
    last = np.cumsum(rings.limits)
    parts = [polygons[b - n : b] for b, n in zip(last, rings.limits, strict=True)]
    return [part[0] if len(part) == 1 else shapely.multipolygons(part) for part in parts]


def places_of(streets: Streets, joins: Joins) -> Floats:
    """Return the street positions of joined places, in the plane of the streets (n × 2)."""
    return _ground.feet(streets.offsets, streets.coords, joins.edge, joins.share)


def legs_of(walk: Walk, xy: Floats, origins: Joins) -> Floats:
    """Return the straight ways from the places to their streets: x, y of both ends and the cost at the beginning."""
    return np.column_stack([xy, places_of(walk.streets, origins), np.zeros(len(xy))])
