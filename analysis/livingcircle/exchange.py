"""Walking networks from and to OSMnx and NetworkX."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from livingcircle.network import WalkNetwork
from livingcircle_layers.crs import WGS84, metric_crs
from livingcircle_layers.errors import InputError
from livingcircle_layers.street_lines import StreetLines, merge_directions, streets_from_lines

if TYPE_CHECKING:
    import networkx as nx

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_PLANE = "metric_crs"  # graph attribute that keeps the plane, so that distances survive the way out and back in
_YES = frozenset(("yes", "true", "1"))
_AGAINST = frozenset(("-1", "reverse"))


def from_osmnx(graph: nx.MultiDiGraph) -> WalkNetwork:
    """Return an OSMnx graph as a walking network.

    Streets may be walked both ways, whichever directions the graph holds: OSMnx leaves out a direction only where cars
    may not drive it. People on foot are bound to one direction by ``oneway:foot`` and by ``conveying`` (escalators)
    alone. Metres are measured along the lines on the ellipsoid; OSMnx's ``length`` is that of a sphere, up to 0.5 %
    off. Everything in the graph is taken to be walkable: build it with ``network_type="walk"``.

    Parameters
    ----------
    graph
        In degrees or projected (its ``crs`` says which), simplified or not; nodes carry ``x`` and ``y``.

    Raises
    ------
    InputError
        The graph has no edges or no CRS, or nodes without a place.
    """
    source = _crs_of(graph)
    nodes = list(graph.nodes)
    place = {node: i for i, node in enumerate(nodes)}
    xy = _node_places(graph, nodes)
    to_degrees = Transformer.from_crs(source, WGS84, always_xy=True)
    lon, lat = to_degrees.transform(xy[:, 0], xy[:, 1])
    plane = CRS.from_user_input(graph.graph.get(_PLANE) or metric_crs((lon.min(), lat.min(), lon.max(), lat.max())))
    to_plane = Transformer.from_crs(source, plane, always_xy=True)
    node_xy = np.column_stack(to_plane.transform(xy[:, 0], xy[:, 1]))

    edges = list(graph.edges(data=True))
    ends = np.array([(place[u], place[v]) for u, v, _ in edges], dtype=np.int64)
    tags = [data for _, _, data in edges]
    lines = _lines(ends, tags, xy)
    moved = shapely.transform(lines.line, lambda c: np.column_stack(to_plane.transform(c[:, 0], c[:, 1])))
    lines = StreetLines(moved, lines.tail, lines.head, lines.oneway, lines.highway, lines.way_id, lines.raised).turned(
        np.array([_foot_direction(t) == -1 for t in tags])
    )
    lines = merge_directions(lines)
    return WalkNetwork(
        streets_from_lines(
            lines,
            crs=plane,
            node_id=_node_ids(nodes),
            node_xy=node_xy,
            signals=np.array([_signalised(graph.nodes[n]) for n in nodes]),
            exits=_exits(graph, nodes, ends),
            height_m=_heights(graph, nodes),
        )
    )


def to_networkx(network: WalkNetwork) -> nx.MultiDiGraph:
    """Return a walking network as a graph that OSMnx and NetworkX can work with.

    Nodes carry ``x`` and ``y`` in degrees and ``street_count``; edges ``length`` in metres, ``geometry``, ``highway``,
    ``oneway``, ``osmid``, ``reversed``. A two-way street is two edges. Shortest paths by ``length`` are those of
    ``network.walk()``.
    """
    import networkx as nx

    s = network.streets
    graph = nx.MultiDiGraph(crs="EPSG:4326", simplified=True, **{_PLANE: s.crs.to_wkt()})
    transformer = Transformer.from_crs(s.crs, WGS84, always_xy=True)
    x, y = transformer.transform(s.node_xy[:, 0], s.node_xy[:, 1])
    count = np.bincount(np.concatenate([s.tail, s.head]), minlength=len(s.node_id)) + s.exits
    ids = s.node_id.tolist()
    for i, (node, lon, lat) in enumerate(zip(ids, x.tolist(), y.tolist(), strict=True)):
        signals = {"highway": "traffic_signals"} if s.signals[i] else {}
        height = {} if s.height_m is None or np.isnan(s.height_m[i]) else {"elevation": float(s.height_m[i])}
        graph.add_node(node, x=lon, y=lat, street_count=int(count[i]), **signals, **height)
    line = shapely.transform(s.lines, lambda c: np.column_stack(transformer.transform(c[:, 0], c[:, 1])))
    back = shapely.reverse(line)
    for e in range(len(line)):
        u, v = ids[s.tail[e]], ids[s.head[e]]
        oneway = bool(s.oneway[e])
        tags: dict[str, Any] = {
            "osmid": int(s.way_id[e]), "highway": str(s.highway[e]), "length": float(s.length_m[e]), "oneway": oneway,
        }  # fmt: skip
        tags |= {"oneway:foot": "yes"} if oneway else {}
        tags |= {"raised": True} if s.raised[e] else {}
        graph.add_edge(u, v, geometry=line[e], reversed=False, **tags)
        if not oneway:
            graph.add_edge(v, u, geometry=back[e], reversed=True, **tags)
    return graph


def _crs_of(graph: nx.MultiDiGraph) -> CRS:
    if graph.number_of_edges() == 0:
        raise InputError("the graph has no edges", expected="streets", remedy="download a larger place")
    crs = graph.graph.get("crs")
    if crs is None:
        raise InputError(
            "the graph has no CRS", expected='graph.graph["crs"]', remedy='set it, for example to "EPSG:4326"'
        )
    return CRS.from_user_input(crs)


def _node_places(graph: nx.MultiDiGraph, nodes: Sequence[Hashable]) -> Floats:
    xy = np.array([(graph.nodes[n].get("x", np.nan), graph.nodes[n].get("y", np.nan)) for n in nodes], dtype=float)
    lost = np.flatnonzero(~np.isfinite(xy).all(axis=1))
    if len(lost):
        raise InputError(
            f"{len(lost)} nodes of the graph have no place",
            got=f"the first is {nodes[lost[0]]!r}",
            expected="x and y at every node",
        )
    return xy


def _lines(ends: npt.NDArray[np.int64], tags: Sequence[dict[str, Any]], xy: Floats) -> StreetLines:
    """Return the edges as lines in the CRS of the graph; without a geometry they are straight."""
    tail, head = ends[:, 0], ends[:, 1]
    straight = shapely.linestrings(np.stack([xy[tail], xy[head]], axis=1))
    given = np.array([t.get("geometry") for t in tags], dtype=object)
    line = np.where(shapely.is_missing(given), straight, given)
    start, stop = (shapely.get_coordinates(shapely.get_point(line, k)) for k in (0, -1))
    ahead = np.hypot(*(start - xy[tail]).T) + np.hypot(*(stop - xy[head]).T)
    back = np.hypot(*(stop - xy[tail]).T) + np.hypot(*(start - xy[head]).T)
    return StreetLines(
        np.where(back < ahead, shapely.reverse(line), line),
        tail,
        head,
        np.array([_foot_direction(t) != 0 for t in tags]),
        np.array([_highway(t) for t in tags], dtype=object),
        np.array([_way_id(t, i) for i, t in enumerate(tags)], dtype=np.int64),
        np.array([_raised(t) for t in tags]),
    )


def _foot_direction(tags: dict[str, Any]) -> int:
    """Return 1 or -1 where people on foot may only go along or against this edge, else 0."""
    value = {"forward": "yes", "backward": "-1"}.get(str(tags.get("conveying")), str(tags.get("oneway:foot", "")))
    way = 1 if value in _YES else -1 if value in _AGAINST else 0
    turned = tags.get("reversed", False)
    # An edge that OSMnx merged from ways in both directions cannot say which of them is bound.
    return 0 if isinstance(turned, list) else -way if turned in (True, "True") else way


def _highway(tags: dict[str, Any]) -> str:
    """Return the class of an edge; one that is partly steps counts as steps, which some people cannot use."""
    value = tags.get("highway", "")
    values = [str(v) for v in value] if isinstance(value, list) else [str(value)]
    return "steps" if "steps" in values else values[0]


def _way_id(tags: dict[str, Any], number: int) -> int:
    value = tags.get("osmid")
    first = min(value, key=str) if isinstance(value, list) and value else value
    return int(first) if isinstance(first, int | np.integer) else -1 - number


def _raised(tags: dict[str, Any]) -> bool:
    """Tell whether an edge is a bridge or tunnel; one that was merged from several ways is so only in part."""
    if tags.get("raised") in (True, "True"):
        return True
    if isinstance(tags.get("osmid"), list):
        return False
    return any(tags.get(key, "no") not in ("no", "building_passage") for key in ("bridge", "tunnel"))


def _signalised(tags: dict[str, Any]) -> bool:
    return tags.get("highway") == "traffic_signals" or tags.get("crossing") == "traffic_signals"


def _node_ids(nodes: Sequence[Hashable]) -> npt.NDArray[np.int64]:
    """Return the ids of nodes where they are whole numbers, else numbers from 1."""
    if all(isinstance(n, int | np.integer) and abs(int(n)) < 2**63 for n in nodes):
        return np.array(nodes, dtype=np.int64)
    return np.arange(1, len(nodes) + 1)


def _exits(graph: nx.MultiDiGraph, nodes: Sequence[Hashable], ends: npt.NDArray[np.int64]) -> Bools | None:
    """Tell where streets go on outside: OSMnx counted more streets at a node than the graph holds."""
    counted = np.array([graph.nodes[n].get("street_count", -1) for n in nodes], dtype=float)
    if (counted < 0).all():
        return None
    pair, rows = np.unique(ends, axis=0, return_counts=True)
    held = pd.DataFrame({"a": pair.min(axis=1), "b": pair.max(axis=1), "rows": rows}).groupby(["a", "b"])["rows"].max()
    a, b = (held.index.get_level_values(k).to_numpy() for k in (0, 1))
    # A loop is one row per direction and reaches its node with both ends.
    streets = np.where(a == b, (held.to_numpy() + 1) // 2, held.to_numpy())
    return counted > np.bincount(np.concatenate([a, b]), np.concatenate([streets, streets]), minlength=len(nodes))


def _heights(graph: nx.MultiDiGraph, nodes: Sequence[Hashable]) -> Floats | None:
    height = np.array([graph.nodes[n].get("elevation", np.nan) for n in nodes], dtype=float)
    return None if np.isnan(height).all() else height
