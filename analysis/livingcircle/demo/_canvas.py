"""A canvas that draws in metres and writes OpenStreetMap: the same drawing always gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import osmium.io
import shapely
from osmium.osm import Box, Location, mutable
from pyproj import Transformer

from livingcircle.demo._plan import CENTRE, STRAIGHT_WEST_OF, Array, bend
from livingcircle_layers.crs import metric_crs

Point = tuple[float, float]
Tags = Mapping[str, str]
Key = tuple[object, int, int]

TIMESTAMP = "2026-01-01T00:00:00Z"  # fixed, so that the file does not depend on when it was written
GENERATOR = "livingcircle demo town"
DECIMALS = 7  # of degrees, as OpenStreetMap keeps them: about a centimetre
GRID_STEP = 55.0  # a bent street gets a vertex at least this often


@dataclass(frozen=True)
class _Line:
    points: Array
    tags: Tags
    level: int


class Plane:
    """The metric plane of the town and the way to degrees and back."""

    def __init__(self) -> None:
        lon, lat = CENTRE
        self.crs = metric_crs((lon, lat, lon, lat))
        self._to_degrees = Transformer.from_crs(self.crs, 4326, always_xy=True)
        self._to_metres = Transformer.from_crs(4326, self.crs, always_xy=True)

    def degrees(self, xy: Array) -> Array:
        """Turn metres `(n, 2)` into longitude and latitude."""
        lonlat: Array = np.column_stack(self._to_degrees.transform(xy[:, 0], xy[:, 1]))
        return lonlat

    def metres(self, lonlat: Array) -> Array:
        """Turn longitude and latitude `(n, 2)` into metres."""
        xy: Array = np.column_stack(self._to_metres.transform(lonlat[:, 0], lonlat[:, 1]))
        return xy


class Canvas:
    """Collects lines, areas and points in grid metres and turns them into nodes, ways and relations.

    Lines of one level that touch share a node, as streets do; lines of different levels (bridges, tunnels) share
    only their ends. Areas and points keep nodes of their own.
    """

    def __init__(self) -> None:
        self.plane = Plane()
        self._lines: list[_Line] = []
        self._node_tags: dict[Point, dict[str, str]] = {}
        self._nodes: list[Point] = []  # metres
        self._tags_of_node: dict[int, dict[str, str]] = {}
        self._ids: dict[Key, int] = {}
        self._ways: list[tuple[list[int], dict[str, str]]] = []
        self._relations: list[tuple[list[tuple[str, int, str]], dict[str, str]]] = []
        self.buildings: list[tuple[Point, float]] = []  # middle in metres, residential floor area in m²

    def metres(self, point: Point) -> Array:
        """Return a grid position in the metric plane."""
        x, y = bend(np.array([point], dtype=float))[0]
        return np.array([x, y])

    def as_written(self, point: Point) -> Array:
        """Return a grid position in the metric plane as the file holds it, to about a centimetre."""
        x, y = self.plane.metres(np.round(self.plane.degrees(self.metres(point)[None]), DECIMALS))[0]
        return np.array([x, y])

    # -- drawing -------------------------------------------------------------------------------------------------

    def line(self, points: Sequence[Point], tags: Tags, *, level: int = 0) -> None:
        """Draw a line in grid metres that joins every line of its level that it touches."""
        self._lines.append(_Line(np.array(points, dtype=float), dict(tags), level))

    def ring(self, points: Sequence[Point], tags: Tags) -> None:
        """Draw a closed line (a wall, a square, the outline of a school) that joins the streets that touch it."""
        self.line([*points, points[0]], tags)

    def mark(self, point: Point, tags: Tags) -> None:
        """Tag the node of a joined line at this grid position: a gate, a crossing."""
        self._node_tags.setdefault(_rounded(point), {}).update(tags)

    def area(self, points: Sequence[Point], tags: Tags, *, step: float = 60.0) -> int:
        """Draw an area by its outline in grid metres and return its way id."""
        ring = shapely.segmentize(shapely.LinearRing(np.array(points, dtype=float)), step)
        return self.area_metres(bend(shapely.get_coordinates(ring)), tags)

    def area_metres(self, ring: Array, tags: Tags) -> int:
        """Draw an area by its closed outline in the metric plane and return its way id."""
        nodes = [self._node((float(x), float(y)), "area") for x, y in ring[:-1]]
        return self._way([*nodes, nodes[0]], tags)

    def building(self, middle: Point, width: float, depth: float, tags: Tags) -> None:
        """Draw an exact rectangle, turned as the streets are turned there."""
        tags = {"building": "yes", **tags}
        self.area_metres(self._turned(middle, _rectangle(width, depth)), tags)
        if tags["building"] in {"apartments", "dormitory", "house", "residential"}:
            floor = width * depth * float(tags.get("building:levels", "1"))
            x, y = self.metres(middle).tolist()
            self.buildings.append(((x, y), floor))

    def shape(self, middle: Point, area_m2: float, tags: Tags, *, unit_ring: Array) -> None:
        """Draw an area of exactly `area_m2` in the metric plane, of the form of `unit_ring`."""
        scale = float(np.sqrt(area_m2 / shapely.Polygon(unit_ring).area))
        self.area_metres(self._turned(middle, unit_ring * scale), tags)

    def point(self, point: Point, tags: Tags) -> int:
        """Draw a single tagged node at a grid position and return its id."""
        x, y = self.metres(point).tolist()
        node = self._node((x, y), ("point", len(self._nodes)))
        self._tags_of_node[node] = dict(tags)
        return node

    def relation(self, members: Sequence[tuple[str, int, str]], tags: Tags) -> None:
        """Draw a relation from `(type, id, role)` members."""
        self._relations.append((list(members), dict(tags)))

    # -- finishing -----------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Turn the joined lines into ways; call once, after everything is drawn."""
        touching = self._touching()
        made: dict[Point, int] = {}
        for line, extra in zip(self._lines, touching, strict=True):
            points = _merged(line, extra)
            xy = bend(np.array(points))
            nodes: list[int] = []
            for i, (point, (x, y)) in enumerate(zip(points, xy, strict=True)):
                level = 0 if i in (0, len(points) - 1) else line.level
                node = self._node((float(x), float(y)), level)
                if level == 0:
                    made[point] = node
                if not nodes or nodes[-1] != node:
                    nodes.append(node)
            self._way(nodes, line.tags)
        for point, tags in self._node_tags.items():
            if point not in made:
                raise ValueError(f"no line of the demo town passes {point}, where {tags} should be")
            self._tags_of_node.setdefault(made[point], {}).update(tags)

    def write(self, path: Path) -> None:
        """Write everything as OpenStreetMap PBF, sorted by type and id."""
        lonlat = np.round(self.plane.degrees(np.array(self._nodes)), DECIMALS)
        (west, south), (east, north) = lonlat.min(axis=0) - 0.001, lonlat.max(axis=0) + 0.001
        header = osmium.io.Header()
        header.set("generator", GENERATOR)
        header.add_box(Box(Location(west, south), Location(east, north)))
        fixed: dict[str, Any] = {"version": 1, "timestamp": TIMESTAMP}
        with osmium.SimpleWriter(str(path), header=header, overwrite=True) as out:
            for i, (lon, lat) in enumerate(lonlat.tolist(), start=1):
                out.add_node(mutable.Node(id=i, location=(lon, lat), tags=self._tags_of_node.get(i, {}), **fixed))
            for i, (nodes, tags) in enumerate(self._ways, start=1):
                out.add_way(mutable.Way(id=i, nodes=nodes, tags=tags, **fixed))
            for i, (members, tags) in enumerate(self._relations, start=1):
                out.add_relation(mutable.Relation(id=i, members=members, tags=tags, **fixed))

    # -- inside --------------------------------------------------------------------------------------------------

    def _node(self, xy: Point, space: object) -> int:
        key = (space, round(xy[0] * 1000), round(xy[1] * 1000))
        node = self._ids.get(key)
        if node is None:
            self._nodes.append(xy)
            node = self._ids[key] = len(self._nodes)
        return node

    def _way(self, nodes: list[int], tags: Tags) -> int:
        self._ways.append((nodes, dict(tags)))
        return len(self._ways)

    def _touching(self) -> list[list[Point]]:
        """Find, for every line, where other lines of its level touch or cross it."""
        shapes = np.array([shapely.LineString(line.points) for line in self._lines])
        levels = np.array([line.level for line in self._lines])
        first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        keep = (first < second) & (levels[first] == levels[second])
        first, second = first[keep], second[keep]
        extra: list[list[Point]] = [[] for _ in self._lines]
        crossings = shapely.intersection(shapes[first], shapes[second])
        for a, b, crossing in zip(first.tolist(), second.tolist(), crossings, strict=True):
            points = [_rounded(p) for p in shapely.get_coordinates(crossing).tolist()]
            extra[a].extend(points)
            extra[b].extend(points)
        return extra

    @staticmethod
    def _turned(middle: Point, ring: Array) -> Array:
        here, east = bend(np.array([middle, (middle[0] + 1, middle[1])], dtype=float))
        c, s = (east - here) / np.hypot(*(east - here))
        return np.asarray(here + ring @ np.array([[c, s], [-s, c]]))


def _merged(line: _Line, extra: Sequence[Point]) -> list[Point]:
    """Put the vertices of a line, the places where others touch it and the vertices of its bend in order."""
    shape = shapely.LineString(line.points)
    bends = (_rounded(p) for p in shapely.get_coordinates(shapely.segmentize(shape, GRID_STEP)).tolist())
    steps = [p for p in bends if p[0] > STRAIGHT_WEST_OF]
    own = [_rounded(p) for p in line.points.tolist()]
    closed = own[0] == own[-1]
    firm = dict.fromkeys([*own, *extra])
    at = {p: float(shape.line_locate_point(shapely.Point(p))) for p in firm}
    for p in steps:  # a vertex of the bend gives way to a street that meets the line beside it
        where = float(shape.line_locate_point(shapely.Point(p)))
        if all(abs(where - other) > GRID_STEP / 4 for other in at.values()):
            at[p] = where
    ordered = sorted(at, key=lambda p: (at[p], p))
    return [*ordered, ordered[0]] if closed else ordered


def _rounded(point: Sequence[float]) -> Point:
    return round(point[0], 3), round(point[1], 3)


def _rectangle(width: float, depth: float) -> Array:
    w, d = width / 2, depth / 2
    return np.array([(-w, -d), (w, -d), (w, d), (-w, d), (-w, -d)])
