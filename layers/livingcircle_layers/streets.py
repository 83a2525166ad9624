"""The streets people may walk, as edges between junctions."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle_layers.crs import WGS84, transformer

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Tags = Mapping[str, str]

# highway values that are no street for people on foot, after the pedestrian filter of standards.md section 8.
_NOT_WALKED = frozenset(
    (
        "motorway", "motorway_link", "proposed", "planned", "construction", "abandoned", "disused", "razed",
        "demolished",
        "platform", "raceway", "bus_guideway", "busway", "escape", "via_ferrata", "rest_area", "services", "bus_stop",
        "elevator", "no", "none", "emergency_bay", "emergency_access_point", "street_lamp", "traffic_signals",
    )
)  # fmt: skip
_FOOT_ALLOWED = frozenset(("yes", "designated", "permissive", "destination", "official", "customers"))
_CLOSED = frozenset(("no", "military", "agricultural", "forestry", "discouraged"))

EDGE_OF_EXTRACT_M = 50  # a way that ends this close to the border of the file goes on outside (a judgement)
DENSITY_STRIP_DEG = 0.002  # about 200 m: strips in which the box of an extract is looked for
FEW_STRIPS = 10  # about 2 km
DENSE_SHARE = 0.25  # of the typical strip; fewer vertices lie outside the box (a judgement)
SQUARE_NEIGHBOURS = 24  # lines across a square per entry; more would only repeat them

Verdict = Literal["yes", "private", "no"]
# First and last vertex (exclusive), and whether the way goes on outside the file before and after this stretch.
Stretch = tuple[int, int, tuple[bool, bool]]


def walkability(tags: Tags) -> Verdict:
    """Tell whether people may walk along a way: yes, only those who live there (private), or no.

    The pedestrian filter of global-indicators (standards.md section 8) without its losses: cycleways, steps and
    estate-internal ways stay; squares are read as areas (`is_square`).
    """
    highway = tags.get("highway")
    foot = tags.get("foot", "")
    if highway is None or highway in _NOT_WALKED or tags.get("area") == "yes" or foot in ("no", "none"):
        return "no"
    if foot in _FOOT_ALLOWED:
        return "yes"
    if tags.get("motorroad") == "yes":
        return "no"
    access = tags.get("access", "")
    if access in _CLOSED:
        return "no"
    return "private" if "private" in (access, foot, tags.get("service")) else "yes"


def is_square(tags: Tags) -> bool:
    """Tell whether an area is crossed on foot in any direction: an open square or pedestrian area."""
    square = tags.get("place") == "square" or (
        tags.get("area") == "yes" and tags.get("highway") in ("pedestrian", "footway", "living_street", "path")
    )
    return square and walkability({**tags, "highway": "pedestrian", "area": "no"}) == "yes"


@dataclass
class Vertices:
    """Vertices of ways in the order read: node id and degrees; packed arrays, as a city has millions."""

    ref: array[int] = field(default_factory=lambda: array("q"))
    lon: array[float] = field(default_factory=lambda: array("d"))
    lat: array[float] = field(default_factory=lambda: array("d"))

    def add(self, nodes: Sequence[Any]) -> tuple[int, int]:
        """Add the nodes of a way as pyosmium gives them; return where they begin and end."""
        start = len(self.ref)
        places = [node.location for node in nodes]
        lon, lat = [place.lon for place in places], [place.lat for place in places]
        self.ref.extend([node.ref for node in nodes])
        self.lon.extend(lon)
        self.lat.extend(lat)
        return start, len(self.ref)

    def lonlat(self) -> Floats:
        """Return all places (n × 2, degrees)."""
        return np.column_stack([np.frombuffer(self.lon), np.frombuffer(self.lat)])


@dataclass
class RawWays:
    """Walkable ways as read, one entry per stretch: its vertices and what the tags say."""

    vertices: Vertices = field(default_factory=Vertices)
    ids: list[int] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    stop: list[int] = field(default_factory=list)
    highway: list[str] = field(default_factory=list)
    oneway: list[int] = field(default_factory=list)
    private: list[bool] = field(default_factory=list)
    cut: list[tuple[bool, bool]] = field(default_factory=list)
    raised: list[bool] = field(default_factory=list)
    square: list[bytes | None] = field(default_factory=list)
    signals: set[int] = field(default_factory=set)
    broken_areas: int = 0

    def add(
        self,
        way_id: int,
        tags: Tags,
        stretch: Stretch,
        *,
        private: bool = False,
        square: bytes | None = None,
    ) -> None:
        """Add one stretch of a way; `square` is the WKB of the area whose ring it is."""
        start, stop, cut = stretch
        self.ids.append(way_id)
        self.start.append(start)
        self.stop.append(stop)
        self.highway.append(tags.get("highway", "pedestrian"))
        self.oneway.append(_oneway(tags))
        self.private.append(private)
        self.cut.append(cut)
        self.raised.append(_is_raised(tags))
        self.square.append(square)

    def index(self) -> tuple[Ints, Ints]:
        """Return the vertices of all stretches, and the stretch of each; a node listed twice in a row counts once."""
        start, size = np.array(self.start, dtype=np.int64), np.array(self.stop, dtype=np.int64) - self.start
        stretch = np.repeat(np.arange(len(size)), size)
        vertex = np.arange(len(stretch)) - np.repeat(np.cumsum(size) - size - start, size)
        ref = np.frombuffer(self.vertices.ref, dtype=np.int64)[vertex]
        once = np.append(True, (ref[1:] != ref[:-1]) | (stretch[1:] != stretch[:-1]))
        once &= np.bincount(stretch[once], minlength=len(size))[stretch] > 1
        return vertex[once], stretch[once]

    def extent(self) -> tuple[float, float, float, float]:
        """Return west, south, east, north of the box in which streets are dense, in degrees.

        Extracts keep whole ways, so that single ones reach far out of the box that was cut; where the file does not
        state its box, it is seen from the density of the vertices.
        """
        lonlat = self.vertices.lonlat()[self.index()[0]]
        (west, east), (south, north) = _dense_range(lonlat[:, 0]), _dense_range(lonlat[:, 1])
        return west, south, east, north


def _dense_range(values: Floats) -> tuple[float, float]:
    """Return the range around the middle of the values in which no two neighbouring strips are nearly empty."""
    strip = np.floor((values - values.min()) / DENSITY_STRIP_DEG).astype(np.int64)
    count = np.bincount(strip)
    if len(count) < FEW_STRIPS:  # too little ground to tell a border from a gap
        return float(values.min()), float(values.max())
    typical = np.median(np.repeat(count, count))
    dense = np.convolve(count >= DENSE_SHARE * typical, [1, 1, 1], "same") > 0
    middle = int(np.median(strip))
    gaps = np.flatnonzero(~dense)
    below, above = gaps[gaps < middle], gaps[gaps > middle]
    low = below[-1] + 1 if len(below) else 0
    high = above[0] if len(above) else len(count)
    inside = (strip >= low) & (strip < high) & (count >= DENSE_SHARE * typical)[strip]
    chosen = values[inside] if inside.any() else values
    return float(chosen.min()), float(chosen.max())


def _oneway(tags: Tags) -> int:
    """Return 1 or -1 where people on foot may go one way only, else 0; a car's oneway does not bind them."""
    value = tags.get("oneway:foot", "")
    if tags.get("conveying") in ("forward", "backward"):
        value = {"forward": "yes", "backward": "-1"}[tags["conveying"]]
    return {"yes": 1, "true": 1, "1": 1, "-1": -1, "reverse": -1}.get(value, 0)


def _is_raised(tags: Tags) -> bool:
    """Tell whether a way runs above or below the ground, where nobody steps onto it between its ends."""
    return tags.get("tunnel", "no") not in ("no", "building_passage") or tags.get("bridge", "no") != "no"


@dataclass(frozen=True)
class Streets:
    """The walking network as read: nodes are junctions and ends, edges the streets between them.

    All positions are in the metric plane `crs`; arrays speak positions 0..n-1, files speak ids.

    Attributes
    ----------
    node_id, node_xy
        OpenStreetMap node id (n) and place (n × 2, metres).
    tail, head
        Node positions at both ends of each edge (m); u and v in files.
    coords, offsets
        Vertices of edge e are ``coords[offsets[e]:offsets[e + 1]]``, tail first.
    length_m
        Length along the edge in the plane.
    oneway
        True where people on foot may only go from tail to head.
    highway, way_id
        The tag and the OpenStreetMap way.
    raised
        On a bridge or in a tunnel: nobody joins it between its ends.
    signals
        True at nodes with traffic signals (n), signals between junctions among them.
    exits
        True at nodes where streets leave the extract (n).
    height_m
        Height of the ground at nodes in metres (n), None without an elevation model.
    """

    crs: CRS
    node_id: Ints
    node_xy: Floats
    tail: Ints
    head: Ints
    coords: Floats
    offsets: Ints
    length_m: Floats
    oneway: Bools
    highway: npt.NDArray[Any]
    way_id: Ints
    raised: Bools
    signals: Bools
    exits: Bools
    height_m: Floats | None = None

    @cached_property
    def lines(self) -> npt.NDArray[Any]:
        """The edges as LineStrings (m)."""
        index = np.repeat(np.arange(len(self.tail)), np.diff(self.offsets))
        return shapely.linestrings(self.coords, indices=index)

    @cached_property
    def box(self) -> shapely.Polygon:
        """The rectangle around all streets, single long ones included."""
        low, high = self.coords.min(axis=0), self.coords.max(axis=0)
        return shapely.box(*low.tolist(), *high.tolist())

    @cached_property
    def component(self) -> Ints:
        """The connected piece of the network each edge belongs to; 0 is the longest (m)."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n = len(self.node_id)
        graph = coo_array((np.ones(len(self.tail), dtype=np.int8), (self.tail, self.head)), shape=(n, n))
        _, label = connected_components(graph, directed=False)
        label = label[self.tail]
        total = np.bincount(label, weights=self.length_m, minlength=label.max(initial=0) + 1)
        order = np.lexsort((np.arange(len(total)), -total))
        rank = np.empty(len(total), dtype=np.int64)
        rank[order] = np.arange(len(total))
        return rank[label]


def build_streets(
    ways: RawWays, *, crs: CRS, residential_land: npt.NDArray[Any], extent: tuple[float, float, float, float]
) -> Streets:
    """Cut walkable ways into edges at junctions and at signals.

    Parameters
    ----------
    ways
        Stretches of ways in degrees; private ones are kept only where they run on `residential_land`, as the ways
        inside an estate that its residents use.
    crs
        The metric plane.
    residential_land
        Polygons in `crs`.
    extent
        West, south, east, north of the file in degrees; streets that end there leave the data.
    """
    vertex, way = ways.index()
    refs, lonlat = np.frombuffer(ways.vertices.ref, dtype=np.int64)[vertex], ways.vertices.lonlat()[vertex]
    size = np.bincount(way, minlength=len(ways.ids))
    xy = np.column_stack(transformer(WGS84, crs).transform(lonlat[:, 0], lonlat[:, 1]))
    keep = _estate_ways_stay(ways, xy, size, residential_land)[way]
    refs, xy, way, lonlat = refs[keep], xy[keep], way[keep], lonlat[keep]

    signals = np.isin(refs, np.fromiter(ways.signals, dtype=np.int64, count=len(ways.signals)))
    node_of, junction, first, last = _junctions(refs, way, signals)
    start, stop = _edge_slices(way, junction, first, last)
    extra = _square_lines(ways, way, node_of, xy, crs)
    offsets, vertex = _vertices(start, stop)
    edge_way = way[start]
    coords = np.concatenate([xy[vertex], extra.coords.reshape(-1, 2)])
    offsets = np.concatenate([offsets, offsets[-1] + 2 * np.arange(1, len(extra.tail) + 1)])
    edge_way = np.concatenate([edge_way, extra.way])
    tail, head = np.concatenate([node_of[start], extra.tail]), np.concatenate([node_of[stop], extra.head])

    # Numbered by way and place along it, so that ids do not depend on how the file was read.
    order = np.lexsort((np.arange(len(tail)), np.array(ways.ids, dtype=np.int64)[edge_way]))
    coords, offsets = _reordered(coords, offsets, order)
    tail, head, edge_way = tail[order], head[order], edge_way[order]
    oneway = np.array(ways.oneway, dtype=np.int8)[edge_way]
    coords, tail, head = _against_the_way(coords, offsets, tail, head, oneway == -1)

    is_node = np.zeros(int(node_of.max(initial=-1)) + 1, dtype=bool)
    is_node[tail] = is_node[head] = True
    number = np.cumsum(is_node) - 1
    at = np.zeros(len(is_node), dtype=np.int64)
    at[node_of[::-1]] = np.arange(len(node_of))[::-1]  # the first vertex of each
    at = at[is_node]
    step = np.hypot(*np.diff(coords, axis=0).T)
    step[offsets[1:-1] - 1] = 0.0
    return Streets(
        crs=crs,
        node_id=refs[at],
        node_xy=xy[at],
        tail=number[tail],
        head=number[head],
        coords=coords,
        offsets=offsets,
        length_m=np.add.reduceat(step, offsets[:-1]) if len(tail) else np.zeros(0),
        oneway=oneway != 0,
        highway=np.array(ways.highway, dtype=object)[edge_way],
        way_id=np.array(ways.ids, dtype=np.int64)[edge_way],
        raised=np.array(ways.raised, dtype=bool)[edge_way],
        signals=signals[at],
        exits=_exits(ways, node_of, xy, lonlat, way, first, last, extent, crs)[at],
    )


def _estate_ways_stay(ways: RawWays, xy: Floats, size: Ints, residential_land: npt.NDArray[Any]) -> Bools:
    private = np.flatnonzero(ways.private)
    keep = np.ones(len(size), dtype=bool)
    if len(private):
        middle = (np.cumsum(size) - size + size // 2)[private]
        tree = shapely.STRtree(residential_land)
        inside = np.unique(tree.query(shapely.points(xy[middle]), predicate="intersects")[0])
        keep[private] = False
        keep[private[inside]] = True
    return keep


def _junctions(refs: Ints, way: Ints, signals: Bools) -> tuple[Ints, Bools, Bools, Bools]:
    """Return each vertex's node number and whether it is a junction, first, or last of its stretch.

    A vertex with signals counts as a junction: whoever passes it waits, and whoever turns back before it does not.
    """
    _, node_of, count = np.unique(refs, return_inverse=True, return_counts=True)
    first = np.ones(len(refs), dtype=bool)
    first[1:] = way[1:] != way[:-1]
    last = np.roll(first, -1)
    ends = np.zeros(len(count), dtype=bool)
    ends[node_of[first | last]] = True
    return node_of, (count[node_of] > 1) | ends[node_of] | signals, first, last


def _edge_slices(way: Ints, junction: Bools, first: Bools, last: Bools) -> tuple[Ints, Ints]:
    """Return the vertex range [start, stop] of each edge: from a junction to the next one of the same stretch."""
    stops = np.flatnonzero(junction | first | last)
    start, stop = stops[:-1], stops[1:]
    same = way[start] == way[stop]
    return start[same], stop[same]


def _vertices(start: Ints, stop: Ints) -> tuple[Ints, Ints]:
    count = stop - start + 1
    offsets = np.concatenate([[0], np.cumsum(count)])
    return offsets, np.arange(offsets[-1]) - np.repeat(offsets[:-1] - start, count)


def _reordered(coords: Floats, offsets: Ints, order: Ints) -> tuple[Floats, Ints]:
    new, vertex = _vertices(offsets[:-1][order], offsets[1:][order] - 1)
    return coords[vertex], new


def _against_the_way(
    coords: Floats, offsets: Ints, tail: Ints, head: Ints, backward: Bools
) -> tuple[Floats, Ints, Ints]:
    """Turn the edges that may only be walked from head to tail, so that one-way always means tail to head."""
    coords = coords.copy()
    for e in np.flatnonzero(backward):
        coords[offsets[e] : offsets[e + 1]] = coords[offsets[e] : offsets[e + 1]][::-1]
    return coords, np.where(backward, head, tail), np.where(backward, tail, head)


@dataclass(frozen=True)
class _Lines:
    """Straight lines across squares."""

    tail: Ints
    head: Ints
    coords: Floats
    way: Ints


def _square_lines(ways: RawWays, way: Ints, node_of: Ints, xy: Floats, crs: CRS) -> _Lines:
    """Connect the entries of each square by the straight lines that stay inside it."""
    from livingcircle_layers.osm import project

    rings: dict[bytes, list[int]] = {}
    for i, square in enumerate(ways.square):
        if square is not None:
            rings.setdefault(square, []).append(i)
    if not rings:
        none = np.zeros(0, dtype=np.int64)
        return _Lines(none, none, np.zeros((0, 2, 2)), none)
    bounds = np.searchsorted(way, np.arange(len(ways.ids) + 1))
    entry = _shared_between_ways(node_of, way)
    tails, heads, squares = [], [], []
    for number, mine in enumerate(rings.values()):
        vertex = np.concatenate([np.arange(bounds[i], bounds[i + 1]) for i in mine])
        vertex = vertex[entry[vertex]]
        vertex = vertex[np.unique(node_of[vertex], return_index=True)[1]]
        a, b = _pairs(xy[vertex])
        tails.append(vertex[a])
        heads.append(vertex[b])
        squares.append(np.full(len(a), number))
    tail, head, owner = np.concatenate(tails), np.concatenate(heads), np.concatenate(squares)
    ground = shapely.buffer(project(shapely.from_wkb(np.array(list(rings), dtype=object)), crs), 0.01)
    shapely.prepare(ground)
    ends = np.stack([xy[tail], xy[head]], axis=1)
    inside = shapely.covers(ground[owner], shapely.linestrings(ends))
    first_ring = np.array([mine[0] for mine in rings.values()])
    return _Lines(node_of[tail[inside]], node_of[head[inside]], ends[inside], first_ring[owner[inside]])


def _shared_between_ways(node_of: Ints, way: Ints) -> Bools:
    """Tell which vertices belong to more than one stretch; a ring's own closing vertex is none."""
    ways = int(way.max(initial=0)) + 1
    node = np.unique(node_of * ways + way) // ways
    return (np.bincount(node, minlength=node_of.max(initial=0) + 1) > 1)[node_of]


def _pairs(xy: Floats) -> tuple[Ints, Ints]:
    """Return all pairs of entries, or for a large square each entry's nearest ones."""
    n = len(xy)
    a, b = np.triu_indices(n, 1)
    if n > SQUARE_NEIGHBOURS:
        gap = np.hypot(*(xy[:, None] - xy[None]).T)
        near = np.argsort(np.argsort(gap, axis=1, kind="stable"), axis=1, kind="stable") <= SQUARE_NEIGHBOURS
        keep = near[a, b] | near[b, a]
        a, b = a[keep], b[keep]
    return a, b


def _exits(
    ways: RawWays,
    node_of: Ints,
    xy: Floats,
    lonlat: Floats,
    way: Ints,
    first: Bools,
    last: Bools,
    extent: tuple[float, float, float, float],
    crs: CRS,
) -> Bools:
    """Tell which vertices lie where streets go on outside the data: cut ways, and ends at or beyond the border."""
    west, south, east, north = extent
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    outside = (lon < west) | (lon > east) | (lat < south) | (lat > north)
    project = transformer(WGS84, crs).transform
    corner = np.array(project([west, east], [south, north])).T
    gap = np.minimum((xy - corner[0]).min(axis=1), (corner[1] - xy).min(axis=1))
    ends = first | last
    cut = np.array(ways.cut, dtype=bool).reshape(-1, 2)[way]
    at_border = ends & (gap < EDGE_OF_EXTRACT_M) | outside | (first & cut[:, 0]) | (last & cut[:, 1])
    leaves = np.zeros(int(node_of.max(initial=-1)) + 1, dtype=bool)
    leaves[node_of[at_border]] = True
    return leaves[node_of]


def streets_frames(streets: Streets) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the network as tables of nodes and edges in WGS-84 degrees, as `streets.gpkg` holds them."""
    nodes = gpd.GeoDataFrame(
        {"node_id": streets.node_id, "signals": streets.signals},
        geometry=gpd.GeoSeries(shapely.points(streets.node_xy), crs=streets.crs),
    )
    edges = gpd.GeoDataFrame(
        {
            "edge_id": np.arange(len(streets.tail)),
            "u": streets.node_id[streets.tail],
            "v": streets.node_id[streets.head],
            "length_m": np.round(streets.length_m, 3),
            "oneway": streets.oneway,
            "highway": pd.Series(streets.highway, dtype="str"),
            "component": streets.component,
            "way_id": streets.way_id,
            "raised": streets.raised,
        },
        geometry=gpd.GeoSeries(streets.lines, crs=streets.crs),
    )
    return nodes.to_crs(WGS84), edges.to_crs(WGS84)
