"""Tiny hand-drawn towns: a drawing gives the nodes, words of its letters give the ways, a file comes out.

    Town('''
        a--b--c
           |
           d
    ''').way("abc").way("bd", highway="footway")

A character stands for 10 metres across and a line for 20 metres down, unless said otherwise; letters and digits are
nodes, everything else in the drawing is there for the reader. The metre (0, 0) lies at `LON`, `LAT`, and y grows
upwards from the last line of the drawing. OpenStreetMap keeps seven decimals of a degree, so that every place in a
file is off by up to 0.8 cm.
"""

from __future__ import annotations

import bz2
import gzip
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import numpy.typing as npt
import osmium
from pyproj import Transformer

from livingcircle.study import Study
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.crs import WGS84, metric_crs
from livingcircle_layers.osm import OsmExtract, read_osm
from livingcircle_layers.streets import Streets

LON, LAT = 104.0, 30.0
CRS = metric_crs((LON, LAT, LON, LAT))
FILE_CM = 0.03  # metres by which a length read from a file may be off the drawing
_TO_DEGREES = Transformer.from_crs(CRS, WGS84, always_xy=True)

XY = tuple[float, float]


def lonlat(x: float, y: float) -> XY:
    """Return the degrees of a place of the drawing."""
    lon, lat = _TO_DEGREES.transform(x, y)
    return lon, lat


def drawn(art: str, *, dx: float = 10.0, dy: float = 20.0) -> dict[str, XY]:
    """Return the place of every letter and digit of a drawing."""
    lines = [line for line in art.splitlines() if line.strip()]
    margin = min(len(line) - len(line.lstrip()) for line in lines)
    places: dict[str, XY] = {}
    for row, line in enumerate(lines):
        for column, mark in enumerate(line[margin:]):
            if mark.isalnum():
                assert mark not in places, f"{mark} is drawn twice"
                places[mark] = (column * dx, (len(lines) - 1 - row) * dy)
    return places


@dataclass
class Town:
    """A town that is drawn, tagged and written as an OpenStreetMap file."""

    art: str
    dx: float = 10.0
    dy: float = 20.0
    at: XY = (0.0, 0.0)  # metres of the lower left corner of the drawing
    _nodes: dict[int, tuple[XY, dict[str, str]]] = field(default_factory=dict)
    _ways: list[tuple[int, list[int], dict[str, str]]] = field(default_factory=list)
    _relations: list[tuple[int, list[tuple[str, int]], dict[str, str]]] = field(default_factory=list)
    _missing: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        for mark, place in sorted(drawn(self.art, dx=self.dx, dy=self.dy).items()):
            self._nodes[ord(mark)] = ((place[0] + self.at[0], place[1] + self.at[1]), {})

    def xy(self, mark: str) -> XY:
        """Return the place of a node in metres."""
        return self._nodes[ord(mark)][0]

    def tag(self, mark: str, **tags: str) -> Town:
        """Tag a node of the drawing."""
        self._nodes[ord(mark)][1].update(_tags(tags))
        return self

    def node(self, x: float, y: float, **tags: str) -> Town:
        """Add a node that is not in the drawing."""
        self._nodes[max([999, *self._nodes]) + 1] = ((x, y), _tags(tags))
        return self

    def way(self, marks: str, id_: int | None = None, **tags: str) -> Town:
        """Add a way through nodes; without tags it is a residential street."""
        self._ways.append(
            (id_ or 100 + len(self._ways), [ord(m) for m in marks], _tags(tags) or {"highway": "residential"})
        )
        return self

    def tagged_way(self, marks: str, tags: Mapping[str, str]) -> Town:
        """Add a way with tags that are given as a dict."""
        return self.way(marks, None, **tags)

    def area(self, marks: str, **tags: str) -> Town:
        """Add a closed way; without tags it is only the ring of a relation."""
        self._ways.append((100 + len(self._ways), [ord(m) for m in marks + marks[0]], _tags(tags)))
        return self

    def street(self, a: XY, b: XY, **tags: str) -> Town:
        """Add a straight street between two places that are not in the drawing."""
        first = max([999, *self._nodes]) + 1
        self._nodes |= {first: (a, {}), first + 1: (b, {})}
        self._ways.append((100 + len(self._ways), [first, first + 1], _tags(tags) or {"highway": "residential"}))
        return self

    def box(self, x: float, y: float, width: float, height: float, **tags: str) -> Town:
        """Add a rectangular area whose corners are not in the drawing."""
        first = max([999, *self._nodes]) + 1
        for k, (i, j) in enumerate(((0, 0), (1, 0), (1, 1), (0, 1))):
            self._nodes[first + k] = ((x + i * width, y + j * height), {})
        refs = [first, first + 1, first + 2, first + 3, first]
        self._ways.append((100 + len(self._ways), refs, _tags(tags)))
        return self

    def relation(self, members: Sequence[tuple[str, int]], **tags: str) -> Town:
        """Add a multipolygon of ways, numbered in the order in which they were added."""
        refs = [(role, self._ways[way][0]) for role, way in members]
        self._relations.append((900 + len(self._relations), refs, {"type": "multipolygon", **_tags(tags)}))
        return self

    def without(self, marks: str) -> Town:
        """Leave nodes out of the file that ways still name."""
        self._missing |= {ord(m) for m in marks}
        return self

    def xml(self, *, seed: int | None = None, bounds: bool = False, metadata: bool = True) -> str:
        """Return the town as OSM XML; a seed shuffles nodes, ways and tags."""
        chance = random.Random(seed)

        def mixed(items: Iterable[Any]) -> list[Any]:
            listed = list(items)
            if seed is not None:
                chance.shuffle(listed)
            return listed

        def tagged(tags: Mapping[str, str]) -> str:
            return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in mixed(tags.items()))

        stamp = ' version="1" timestamp="2024-05-06T07:08:09Z"' if metadata else ""
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="tests">']
        if bounds:
            lines.append(self._bounds())
        for id_, (place, tags) in mixed(self._nodes.items()):
            if id_ not in self._missing:
                lon, lat = lonlat(*place)
                lines.append(f'<node id="{id_}"{stamp} lon="{lon:.7f}" lat="{lat:.7f}">{tagged(tags)}</node>')
        for id_, refs, tags in mixed(self._ways):
            nds = "".join(f'<nd ref="{ref}"/>' for ref in refs)
            lines.append(f'<way id="{id_}"{stamp}>{nds}{tagged(tags)}</way>')
        for id_, members, tags in mixed(self._relations):
            inside = "".join(f'<member type="way" ref="{ref}" role="{role}"/>' for role, ref in members)
            lines.append(f'<relation id="{id_}"{stamp}>{inside}{tagged(tags)}</relation>')
        return "\n".join([*lines, "</osm>"])

    def _bounds(self) -> str:
        x, y = zip(*(place for place, _ in self._nodes.values()), strict=True)
        (west, south), (east, north) = lonlat(min(x), min(y)), lonlat(max(x), max(y))
        return f'<bounds minlon="{west:.7f}" minlat="{south:.7f}" maxlon="{east:.7f}" maxlat="{north:.7f}"/>'

    def write(self, path: Path, **options: Any) -> Path:
        """Write the town in the format that the name of the file says."""
        text = self.xml(**options)
        if path.name.endswith(".gz"):
            path.write_bytes(gzip.compress(text.encode()))
        elif path.name.endswith(".bz2"):
            path.write_bytes(bz2.compress(text.encode()))
        elif path.name.endswith(".pbf"):
            source = path.with_name(path.name + ".osm")
            source.write_text(text, encoding="utf-8")
            with osmium.SimpleWriter(str(path)) as writer:
                for item in osmium.FileProcessor(str(source)):
                    writer.add(item)
        else:
            path.write_text(text, encoding="utf-8")
        return path

    def read(self, folder: Path, name: str = "town.osm", **options: Any) -> OsmExtract:
        """Write the town and read it back, in the plane of the drawing."""
        return read_osm(self.write(folder / name, **options), load_catalogue(), CRS)


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags as OpenStreetMap writes them: building__levels is building:levels."""
    return {key.replace("__", ":"): value for key, value in tags.items()}


def streets_of(
    nodes: Sequence[XY],
    edges: Sequence[tuple[int, int]],
    *,
    via: Mapping[int, Sequence[XY]] | None = None,
    oneway: Iterable[int] = (),
    steps: Iterable[int] = (),
    raised: Iterable[int] = (),
    signals: Iterable[int] = (),
    height_m: Sequence[float] | None = None,
) -> Streets:
    """Return streets straight from numbers, for tests of what happens to a centimetre.

    Parameters
    ----------
    nodes, edges
        Places in metres, and pairs of positions among them.
    via
        Vertices between the ends of an edge, by the edge's position.
    oneway, steps, raised
        Positions of edges.
    signals
        Positions of nodes.
    height_m
        Height of every node.
    """
    paths = [[nodes[a], *(via or {}).get(e, ()), nodes[b]] for e, (a, b) in enumerate(edges)]
    coords = np.array([xy for path in paths for xy in path], dtype=float).reshape(-1, 2)
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
    m = len(edges)

    def flags(which: Iterable[int]) -> npt.NDArray[np.bool_]:
        return np.isin(np.arange(m), list(which))

    return Streets(
        crs=CRS,
        node_id=np.arange(len(nodes)) + 1,
        node_xy=np.array(nodes, dtype=float),
        tail=ends[:, 0],
        head=ends[:, 1],
        coords=coords,
        offsets=np.cumsum([0, *(len(path) for path in paths)]),
        length_m=np.array([np.hypot(*np.diff(np.array(path, dtype=float), axis=0).T).sum() for path in paths]),
        oneway=flags(oneway),
        highway=np.where(flags(steps), "steps", "residential").astype(object),
        way_id=np.arange(m) + 1,
        raised=flags(raised),
        signals=np.isin(np.arange(len(nodes)), list(signals)),
        exits=np.zeros(len(nodes), dtype=bool),
        height_m=None if height_m is None else np.array(height_m, dtype=float),
    )


def rectangle(x: float, y: float, width: float, height: float) -> dict[str, Any]:
    """Return a GeoJSON polygon of a rectangle of the drawing."""
    ring = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
    return {"type": "Polygon", "coordinates": [[lonlat(*p) for p in ring]]}


def write_communities(
    path: Path, units: Mapping[str, tuple[float, float, float, float]], **more: Mapping[str, str]
) -> Path:
    """Write rectangles (x, y, width, height) as communities; `more` gives further columns by id of the unit."""
    features = [
        {
            "type": "Feature",
            "properties": {"id": id_, **{column: values.get(id_, "") for column, values in more.items()}},
            "geometry": rectangle(*place),
        }
        for id_, place in units.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def write_table(path: Path, heading: str, rows: Iterable[Sequence[Any]]) -> Path:
    """Write a CSV whose first two columns are metres of the drawing and become lon and lat."""
    lines = ["lon,lat," + heading]
    for x, y, *rest in rows:
        lon, lat = lonlat(x, y)
        lines.append(",".join([f"{lon:.9f}", f"{lat:.9f}", *map(str, rest)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_rules(path: Path, *rules: Mapping[str, Any]) -> Path:
    """Write a standard of one's own."""
    entries = []
    for rule in rules:
        body = {"tier": "none", "metric": "walk_m", "citation": "test 1.1", "confidence": "V:1", **rule}
        entries.append("[[rule]]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in body.items()))
    path.write_text("\n\n".join(entries) + "\n", encoding="utf-8")
    return path


def study_of(
    folder: Path,
    town: Town,
    *,
    people: Iterable[Sequence[Any]],
    rules: Sequence[Mapping[str, Any]],
    communities: Mapping[str, tuple[float, float, float, float]] | None = None,
    columns: Mapping[str, Mapping[str, str]] | None = None,
    people_heading: str = "population",
    **study: Any,
) -> Study:
    """Write every input of a study into a folder; homes stand exactly where the table of people says."""
    units = communities or {"u": (-500.0, -500.0, 3000.0, 3000.0)}
    return Study.model_validate(
        {
            "standard": str(write_rules(folder / "rules.toml", *rules)),
            "streets": {"osm": town.write(folder / "town.osm")},
            "communities": {"file": write_communities(folder / "communities.geojson", units, **(columns or {}))},
            "population": {"file": write_table(folder / "people.csv", people_heading, people)},
            **study,
        }
    )
