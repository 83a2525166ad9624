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
from typing import Any, Literal, TypeVar

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import Transformer

from livingcircle import _ground
from livingcircle._joining import crossed
from livingcircle.joins import BLOCKED, JOIN_LIMIT_M, Joiner, Joins, barrier_grid, segments
from livingcircle.network import Walk, WalkNetwork
from livingcircle.walkers import WALKERS, Walker
from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import InputError, UsageError, sentence
from livingcircle_layers.streets import Streets

CELL_M = 20.0  # what a circle may be wrong by
SPREAD_M = 150.0  # ground further from every street is in no circle: half a block of 300 m (a judgement)

MOST_TILES = 4096  # of surveyed ground that are kept, 64 kB each
STRIP_M = 2000.0  # places are worked through in strips of this width

STEP_M = CELL_M / 2  # between grid nodes
_BAND_M = 0.6 * CELL_M  # reached ground beside a street; over 1.12 steps, so that no street slips between the nodes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Geometries = npt.NDArray[Any]
T = TypeVar("T")


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
        self._of, self._start, self._stop, self._before = segments(network.streets)
        size = _ground.TILE * STEP_M
        low = np.floor((network.streets.coords.min(axis=0) - spread_m) / size).astype(np.int64)
        high = np.floor((network.streets.coords.max(axis=0) + spread_m) / size).astype(np.int64)
        self._corner, (columns, rows) = low, high - low + 1
        self._first, self._pieces = _ground.pieces_by_tile(
            self._start, self._stop, spread_m, size, low[0], low[1], rows, columns
        )
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
    def searched(
        self, walk: Walk, origins: Joins, limit: float, *, towards: bool
    ) -> Iterator[tuple[_ground.Flow, npt.NDArray[np.int32]]]:
        """Search the network from the origins, along the walk or, for people who walk towards them, against it.

        Yields the finished search and the nodes it reached. Its arrays are as long as the network; they are lent, and
        what it wrote is taken back at the end, so that a small circle costs little in a large city.
        """
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
        yield (
            _ground.Flow(
                s.tail, s.head, s.offsets, s.coords, up, down, dist, e, share, leg, walk.per_metre, limit, mark
            ),
            touched,
        )
        dist[touched] = np.inf
        self._spare.append((dist, mark))

    def bands(self, flow: _ground.Flow, touched: npt.NDArray[np.int32], legs: Floats, limits: Floats) -> _ground.Rings:
        """Return the outlines of the ground that a search reaches within each limit, in metres of the plane.

        Parameters
        ----------
        flow, touched
            A finished search over the network, and the nodes it reached.
        legs
            The origins' straight ways to their streets: x, y of both ends and the cost at the beginning.
        limits
            Costs, ascending.
        """
        edges, tiles, window = self._around(flow, touched, legs)
        return _ground.draw(flow, edges, legs, tiles, window, limits, _BAND_M, STEP_M)

    def costs(self, flow: _ground.Flow, touched: npt.NDArray[np.int32], legs: Floats) -> tuple[int, int, Floats]:
        """Return what it costs to walk to each node of the grid: first column and row, and the costs [row, column]."""
        edges, tiles, window = self._around(flow, touched, legs)
        return window[0], window[1], _ground.costs(flow, edges, legs, tiles, window, _BAND_M, STEP_M)

    def _around(
        self, flow: _ground.Flow, touched: npt.NDArray[np.int32], legs: Floats
    ) -> tuple[Ints, _ground.Tiles, tuple[int, int, int, int]]:
        """Return the edges that a search reaches, the ground around them, and its window of the grid."""
        edges, west, south, east, north = _ground.reached_edges(flow, touched, self._at_node)
        margin = max(self.spread_m, _BAND_M) + 2 * STEP_M
        low = np.minimum([west, south], np.minimum(legs[:, :2], legs[:, 2:4]).min(axis=0)) - margin
        high = np.maximum([east, north], np.maximum(legs[:, :2], legs[:, 2:4]).max(axis=0)) + margin
        (i0, j0), (i1, j1) = np.floor(low / STEP_M).astype(int), np.ceil(high / STEP_M).astype(int)
        with self._lock:
            tiles = self._survey(i0, j0, i1, j1)
        return edges, tiles, (int(i0), int(j0), int(i1 - i0 + 1), int(j1 - j0 + 1))

    def _survey(self, i0: int, j0: int, i1: int, j1: int) -> _ground.Tiles:
        """Find the nearest street of every node of the tiles that a window touches.

        Tiles that were handed out are never changed: when there are too many, new ones are begun.
        """
        rows, columns = self._shape
        low = np.maximum(np.array([i0, j0]) // _ground.TILE - self._corner, 0)
        high = np.minimum(np.array([i1, j1]) // _ground.TILE - self._corner + 1, [columns, rows])
        new = self._unseen(low, high)
        if len(new) and self._surveyed + len(new) > MOST_TILES:
            self._tiles, self._surveyed = self._no_tiles(), 0
            new = self._unseen(low, high)
        room = len(self._tiles.edge)
        if self._surveyed + len(new) > room:
            shape = (max(2 * room, self._surveyed + len(new)) - room, 2, _ground.TILE, _ground.TILE)
            edge = np.concatenate([self._tiles.edge, np.empty(shape, dtype=np.int32)])
            share = np.concatenate([self._tiles.share, np.empty(shape, dtype=np.float32)])
            self._tiles = self._tiles._replace(edge=edge, share=share)
        tiles = self._tiles
        for row, column in new:
            tiles.edge[self._surveyed], tiles.share[self._surveyed] = self._tile(int(row), int(column))
            tiles.slot[row, column] = self._surveyed
            self._surveyed += 1
        return tiles

    def _unseen(self, low: Ints, high: Ints) -> Ints:
        return np.argwhere(self._tiles.slot[low[1] : high[1], low[0] : high[0]] < 0) + low[::-1]

    def _no_tiles(self) -> _ground.Tiles:
        none = (0, 2, _ground.TILE, _ground.TILE)
        return _ground.Tiles(
            np.full(self._shape, -1, dtype=np.int32), int(self._corner[0]), int(self._corner[1]),
            np.empty(none, dtype=np.int32), np.empty(none, dtype=np.float32),
        )  # fmt: skip

    def _tile(self, row: int, column: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Return where each node of a tile meets its nearest street, and a bridge or tunnel that is nearer still.

        Edge (-1: none, or the straight way there is blocked) and share of it, both ``[layer, row, column]``.
        """
        i0, j0 = (self._corner + np.array([column, row])) * _ground.TILE
        at = row * self._shape[1] + column
        near = self._pieces[self._first[at] : self._first[at + 1]]
        streets = self.network.streets
        # Nobody steps off a bridge or out of a tunnel between its ends.
        ground = near[~streets.raised[self._of[near]]]
        found = [_ground.nearest_piece(self._start, self._stop, ground, self.spread_m, STEP_M, i0, j0)]
        raised = len(ground) < len(near)
        found.append(
            _ground.nearest_piece(self._start, self._stop, near, self.spread_m, STEP_M, i0, j0) if raised else found[0]
        )
        piece, along = np.stack([f[0] for f in found]), np.stack([f[1] for f in found])
        edge = np.where(piece >= 0, self._of[piece], -1)
        edge[1][edge[1] == edge[0]] = -1
        j, i = np.nonzero(edge[0] >= 0)
        foot = self._foot(piece[0, j, i], along[0, j, i])
        edge[0, j, i] = np.where(
            crossed(self._barriers, np.column_stack([i0 + i, j0 + j]) * STEP_M, foot), -1, edge[0, j, i]
        )
        length = streets.length_m[edge]
        share = (self._before[piece] + along) / np.where(length > 0, length, 1.0)
        return edge.astype(np.int32), np.clip(share, 0.0, 1.0).astype(np.float32)

    def _foot(self, piece: Ints, along: Floats) -> Floats:
        """Return the places `along` metres from the beginning of straight pieces."""
        way = self._stop[piece] - self._start[piece]
        length = np.hypot(way[:, 0], way[:, 1])
        return self._start[piece] + way * (along / np.where(length > 0, length, 1.0))[:, None]


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
    with grid.searched(walk, origins, limits[-1] + STEP_M * walk.per_metre, towards=towards) as (flow, touched):
        rings = grid.bands(flow, touched, legs_of(walk, xy, origins), limits)
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
