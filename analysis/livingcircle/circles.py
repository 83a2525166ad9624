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
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, Literal, NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import Transformer

from livingcircle import _ground
from livingcircle._outlines import Crossings, Rings, outlines
from livingcircle.joins import BLOCKED, JOIN_LIMIT_M, Joiner, Joins
from livingcircle.network import Walk, WalkNetwork
from livingcircle.surveyed import SurveyedGround
from livingcircle.walkers import WALKERS, Walker
from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import InputError, UsageError, sentence
from livingcircle_layers.streets import Streets
from livingcircle_layers.tables import PlacesGiven, labelled, read_points

CELL_M = 20.0  # what a circle may be wrong by
SPREAD_M = 150.0  # ground further from every street is in no circle: half a block of 300 m (a judgement)

STRIP_ROWS = 512  # of the grid; ground of more than two such strips is drawn strip by strip
STRIP_M = 2000.0  # places are worked through in strips of this width

STEP_M = CELL_M / 2  # between grid nodes
_BAND_M = 0.6 * CELL_M  # reached ground beside a street; over 1.12 steps, so that no street slips between the nodes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Geometries = npt.NDArray[Any]


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
    ground
        What has been surveyed.
    """

    def __init__(self, network: WalkNetwork, barriers: Geometries | None = None, *, spread_m: float = SPREAD_M) -> None:
        self.network, self.spread_m = network, spread_m
        lines = np.array([], dtype=object) if barriers is None else barriers
        self.ground = SurveyedGround(network.streets, lines, reach_m=spread_m, step_m=STEP_M)
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
        ends = walk.edges.tail, walk.edges.head, s.offsets, s.coords
        flow = _ground.Flow(*ends, up, down, dist, e, share, leg, walk.per_metre, limit, mark)
        yield Search(flow, touched, legs_of(walk, xy, origins), limits)
        dist[touched] = np.inf
        self._spare.append((dist, mark))

    def costs(self, search: Search) -> tuple[int, int, Floats]:
        """Return what it costs to walk to each node of the grid: first column and row, and the costs [row, column]."""
        edges, _, window = self.around(search)
        with self.ground.window(*window) as tiles:
            cost = _ground.costs(search.flow, edges, search.legs, tiles, window, _BAND_M, STEP_M)
        return window[0], window[1], cost

    def around(self, search: Search) -> tuple[Ints, Floats, tuple[int, int, int, int]]:
        """Return the edges that a search reaches, the box of each, and the window of the grid around all of them."""
        edges, boxes = _ground.reached_edges(search.flow, search.touched, self._at_node)
        legs, margin = search.legs, max(self.spread_m, _BAND_M) + 2 * STEP_M
        ends = np.concatenate([boxes[:, :2], boxes[:, 2:], legs[:, :2], legs[:, 2:4]])
        (i0, j0) = np.floor((ends.min(axis=0) - margin) / STEP_M).astype(int).tolist()
        (i1, j1) = np.ceil((ends.max(axis=0) + margin) / STEP_M).astype(int).tolist()
        return edges, boxes, (i0, j0, i1 - i0 + 1, j1 - j0 + 1)


class _Drawing:
    """The ground that a search reaches within each of its limits, drawn from south to north.

    Wide ground is drawn strip by strip, so that no more than a strip is held at a time. The strips are the same
    wherever the ground begins; ground that is not wide belongs to the strip of its first row.
    """

    def __init__(self, grid: CircleGrid, search: Search) -> None:
        self.grid, self.search = grid, search
        self.edges, self.boxes, self.window = grid.around(search)
        _, j0, columns, rows = self.window
        self.strips = range(j0 // STRIP_ROWS, (j0 + (rows - 1 if rows > 2 * STRIP_ROWS else 0)) // STRIP_ROWS + 1)
        self.below = np.empty((len(search.limits), columns), dtype=np.int32)
        self.border = np.empty((len(search.limits), columns))
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
        with self.grid.ground.window(*strip[:4]) as tiles:
            more = _ground.crossed(
                flow,
                edges,
                self.search.legs,
                tiles,
                strip,
                self.search.limits,
                self.below,
                self.border,
                _BAND_M,
                STEP_M,
            )
        self.number += len(more.x)
        self.found.append(more)

    def shapes(self) -> list[shapely.Geometry]:
        """Return the ground within each limit, once all strips are drawn."""
        found = self.found[0]
        if len(self.found) > 1:
            found = Crossings(*(np.concatenate(parts) for parts in zip(*self.found, strict=True)))
        rings = outlines(found, len(self.search.limits))
        rings.points[:] += self.window[:2]
        return shapes_of(rings)


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
    return circles_together(grid, [Asked(xy, origins, limits, unit, walker, merge, owner, towards)])[0]


class Asked(NamedTuple):
    """Circles that are asked for: the parameters of `circles`."""

    xy: Floats
    origins: Joins
    limits: Sequence[float]
    unit: Literal["m", "min"] = "m"
    walker: Walker | None = None
    merge: bool = False
    owner: Ints | None = None
    towards: bool | None = None


def circles_together(
    grid: CircleGrid, asked: Sequence[Asked], *, given_up: Event | None = None
) -> list[gpd.GeoDataFrame]:
    """Return the tables of `circles` for several questions, drawn in one sweep across the city from south to north.

    Neighbours are drawn one after the other, whatever they were asked for, and wide ground with the circles of its
    strip, so that the ground is surveyed once for all of them. When `given_up` is set, the sweep ends at the next strip
    and there are no tables.
    """
    plans = [_Plan(grid, one) for one in asked]
    jobs = [(plan, group) for plan in plans for group in plan.groups]
    found: dict[int, list[shapely.Geometry]] = {}

    def draw(n: int) -> None:
        found[n] = jobs[n][0].draw(jobs[n][1])

    with ExitStack() as stack, ThreadPoolExecutor(os.cpu_count()) as pool:
        wide = {
            n: _Drawing(grid, stack.enter_context(plan.searched(group)))
            for n, (plan, group) in enumerate(jobs)
            if plan.asked.merge and len(group)
        }
        places = {n: plan.asked.xy[group[:1]].sum(axis=0) for n, (plan, group) in enumerate(jobs) if n not in wide}
        small = _by_strip(places)
        for strip in sorted({*small, *(strip for drawing in wide.values() for strip in drawing.strips)}):
            if given_up is not None and given_up.is_set():
                return []
            parts = [partial(drawing.add, strip) for drawing in wide.values()]
            whole = [partial(draw, n) for n in small.get(strip, [])]
            list(pool.map(lambda work: work(), [*parts, *whole]))
        found.update(zip(wide, pool.map(_Drawing.shapes, wide.values()), strict=True))
    shapes = iter([found[n] for n in range(len(jobs))])
    return [plan.table([next(shapes) for _ in plan.groups]) for plan in plans]


def _by_strip(places: dict[int, Floats]) -> dict[int, list[int]]:
    """Return the numbers of places by strip of the ground, neighbours one after the other."""
    number, xy = np.array(list(places), dtype=np.int64), np.array(list(places.values())).reshape(-1, 2)
    strip = (xy[:, 1] // (STRIP_ROWS * STEP_M)).astype(np.int64)
    found: dict[int, list[int]] = {}
    for n in np.lexsort((xy[:, 0], xy[:, 1] // STRIP_M, strip)).tolist():
        found.setdefault(int(strip[n]), []).append(int(number[n]))
    return found


class Question(NamedTuple):
    """A table that is made of circles: what to draw, and how to make it of the tables of `circles` for those."""

    asked: list[Asked]
    answer: Callable[[list[gpd.GeoDataFrame]], gpd.GeoDataFrame]


@contextmanager
def answered_beside(
    grid: CircleGrid, questions: Sequence[Question], thread: ThreadPoolExecutor
) -> Iterator[Callable[[], list[gpd.GeoDataFrame]]]:
    """Draw the circles of several questions together in a thread while the caller does something else.

    The drawing works on arrays without the interpreter's lock, and on no table that others look at.

    Yields
    ------
    What waits for the circles and returns the tables of the questions. Who leaves without it gives the drawing up.
    """
    asked, given_up = [one for question in questions for one in question.asked], Event()
    drawn = thread.submit(circles_together, grid, asked, given_up=given_up)
    try:
        yield lambda: _answers(questions, drawn.result())
    finally:
        given_up.set()


def answered(grid: CircleGrid, questions: Sequence[Question]) -> list[gpd.GeoDataFrame]:
    """Return the tables of several questions, whose circles are drawn together."""
    return _answers(questions, circles_together(grid, [one for question in questions for one in question.asked]))


def _answers(questions: Sequence[Question], drawn: Sequence[gpd.GeoDataFrame]) -> list[gpd.GeoDataFrame]:
    """Give each question the tables of what it asked for."""
    tables = iter(drawn)
    return [question.answer([next(tables) for _ in question.asked]) for question in questions]


class _Plan:
    """How to draw what is asked for: the costs to draw, and the places of each circle."""

    def __init__(self, grid: CircleGrid, asked: Asked) -> None:
        self.grid, self.asked = grid, asked
        limits, unit, walker = asked.limits, asked.unit, asked.walker
        if unit == "min" and walker is None:
            raise UsageError("circles in minutes need a walker", expected=f"one of {', '.join(WALKERS)}")
        self.walk = grid.network.walk(walker, unit="s" if unit == "min" else "m")
        self.limits = sorted(set(limits))
        self.costs = np.array(self.limits, dtype=float) * (60.0 if unit == "min" else 1.0)
        if not self.limits or not np.isfinite(self.costs).all() or self.costs[0] < CELL_M * self.walk.per_metre:
            least = CELL_M if unit == "m" else CELL_M * self.walk.per_metre / 60
            raise UsageError("a circle cannot be drawn", got=f"limits {list(limits)} {unit}",
                             expected=f"at least {least:.3g} {unit}", remedy="ask for a longer walk")  # fmt: skip
        joined = np.flatnonzero(asked.origins.joined)
        owner = np.arange(len(asked.xy)) if asked.owner is None else asked.owner
        self.owners = np.unique(owner[joined])
        self.groups = [joined] if asked.merge else [joined[owner[joined] == one] for one in self.owners]
        self.towards = asked.merge if asked.towards is None else asked.towards

    def searched(self, group: Ints) -> AbstractContextManager[Search]:
        """Search the network from some places together."""
        xy, origins = self.asked.xy[group], self.asked.origins.take(group)
        return self.grid.searched(self.walk, xy, origins, self.costs, towards=self.towards)

    def draw(self, group: Ints) -> list[shapely.Geometry]:
        """Return the circles of some places together, one for each limit."""
        xy, origins = self.asked.xy[group], self.asked.origins.take(group)
        return bands_around(self.grid, self.walk, xy, origins, self.costs, towards=self.towards)

    def table(self, shapes: list[list[shapely.Geometry]]) -> gpd.GeoDataFrame:
        """Return the shapes of all groups as a table of `circles`."""
        columns = {
            "origin": np.repeat(self.owners[: len(shapes)], len(self.limits)),
            "limit": np.tile(np.asarray(self.limits, dtype=float), len(shapes)),
            "unit": pd.Series([self.asked.unit] * (len(shapes) * len(self.limits)), dtype="str"),
        }
        if self.asked.merge:
            del columns["origin"]
        geometry = np.array([shape for bands in shapes for shape in bands], dtype=object)
        return gpd.GeoDataFrame(columns, geometry=geometry, crs=self.grid.network.streets.crs)


def isochrones(
    network: WalkNetwork,
    barriers: Geometries | None,
    lonlat: Floats | Sequence[tuple[float, float]] | PlacesGiven,
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
        Lines that nobody walks across, in the plane of the network; None: there are none.
    lonlat
        Points in WGS-84 degrees (n × 2: longitude, latitude), or a table with longitude and latitude or with geometry
        in any CRS, of which the centres count, or a file of either kind.
    minutes, metres
        The limits, in one of the two units.
    walker
        Who walks: how fast, and whether steps can be used.
    ids
        Names of the points; by default 1, 2, 3 …, of a table as `livingcircle.matrix` names them.
    join_limit_m
        The longest straight way from a point to the street.

    Returns
    -------
    geopandas.GeoDataFrame
        ``id``, ``minutes`` or ``metres``, ``walker``, ``geometry`` in WGS-84 degrees.

    Raises
    ------
    InputError
        A point is not on the street network, or a table has no usable coordinates.
    """
    if (minutes is None) == (metres is None):
        raise UsageError("isochrones need minutes or metres", expected="one of the two")
    if isinstance(lonlat, str | Path | pd.DataFrame):
        lonlat, own = _points_of(lonlat, network)
        ids = own if ids is None else ids
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


def _points_of(given: PlacesGiven, network: WalkNetwork) -> tuple[Floats, list[str]]:
    """Return centres in degrees and names of the rows of a table; a row that cannot be used is an error."""
    places, rejected = read_points(labelled(given, "points"))
    if len(rejected):
        raise InputError.of([f"points: row {r.row}: {r.reason} {r.detail}".rstrip() for r in rejected.itertuples()])
    centres = places.frame.to_crs(network.streets.crs).geometry.centroid.to_crs(WGS84)
    return shapely.get_coordinates(centres.to_numpy()), list(places.frame["row"])


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
        drawing = _Drawing(grid, search)
        for strip in drawing.strips:
            drawing.add(strip)
        return drawing.shapes()


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
