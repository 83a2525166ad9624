"""Read an OpenStreetMap file once and sort what is in it: streets, features, buildings, land, water, background."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import osmium
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle_layers.barriers import build_barriers, is_surface_water
from livingcircle_layers.catalogue import Catalogue
from livingcircle_layers.crs import WGS84, metric_crs, reprojected, transformer
from livingcircle_layers.errors import InputError
from livingcircle_layers.grounds import is_campus
from livingcircle_layers.parsing import no_memory
from livingcircle_layers.sources import is_elsewhere, without_address
from livingcircle_layers.streets import RawWays, Streets, Stretch, Vertices, build_streets, is_square, walkability

SUFFIXES = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")
ATTRIBUTION = "© OpenStreetMap contributors"
LICENCE = "ODbL 1.0"

# Keys that decide whether an object is looked at at all; facility keys come from the catalogue.
_LAND_KEYS = ("highway", "railway", "waterway", "natural", "water", "landuse", "leisure", "building", "barrier")
_POINT_KEYS = ("entrance", "barrier", "crossing")
_STREET_KEYS = ("highway", "landuse", "place", "crossing")
_GROUND_KEYS = ("landuse", "natural", "building")  # what has them is ground, also where its outline is a wall or a way
# Never on a map of ours, whatever else the object is tagged (see README, maps in China).
_SECRET_KEYS = frozenset(("military", "power"))
_NEVER = frozenset((("man_made", "pipeline"), ("amenity", "prison"), ("landuse", "military")))
_LINE_KEYS = frozenset(("highway", "railway", "waterway", "barrier"))

_RESIDENTIAL_BUILDINGS = frozenset(
    ("apartments", "residential", "house", "dormitory", "detached", "terrace", "semidetached_house", "bungalow")
)
_GREEN = {
    "leisure": frozenset(("park", "garden", "nature_reserve", "golf_course", "common")),
    "landuse": frozenset(("forest", "grass", "meadow", "recreation_ground", "village_green", "orchard")),
    "natural": frozenset(("wood", "scrub", "grassland", "heath", "wetland")),
}
# Roads of the background by importance; a lower rank is drawn wider and from further away.
_ROAD_RANK = {
    "motorway": 0, "trunk": 0, "primary": 1, "secondary": 2, "tertiary": 3, "motorway_link": 1, "trunk_link": 1,
    "primary_link": 2, "secondary_link": 3, "tertiary_link": 4, "residential": 4, "unclassified": 4, "living_street": 5,
    "pedestrian": 5, "service": 6, "cycleway": 6, "footway": 7, "path": 7, "steps": 7, "track": 7,
}  # fmt: skip
_WATER_LINES = {"river": 0, "canal": 1, "stream": 2}
_RAIL = frozenset(("rail", "light_rail", "subway", "narrow_gauge", "monorail", "tram"))

Tags = Mapping[str, str]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OsmExtract:
    """What an OpenStreetMap file holds for a study; every geometry is in the metric plane `crs`.

    Attributes
    ----------
    streets
        The walkable ways as edges between junctions.
    features
        ``osm_id`` (``n1``, ``w1``, ``r1``), ``tags`` (dict), ``verdict`` (what `Catalogue.classify_osm` says of the
        tags), ``geometry``: whatever may be a facility, a gate or an entrance.
    buildings
        ``floor_m2`` (footprint × ``building:levels``, one level where untagged), ``residential``, ``geometry``.
    residential_land, water
        ``osm_id``, ``name``, ``geometry``: polygons of ``landuse=residential`` and of surface water.
    barriers
        ``kind``, ``geometry``: lines that nobody walks across (see `livingcircle_layers.barriers`).
    background
        ``kind`` (water, green, road, rail), ``rank``, ``name``, ``geometry``: all that a map may show.
    extent
        The box of the file, or of its streets where the file states none.
    """

    crs: CRS
    streets: Streets
    features: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    residential_land: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    background: gpd.GeoDataFrame
    extent: shapely.Polygon
    data_date: str

    @classmethod
    def of_streets(cls, streets: Streets) -> OsmExtract:
        """Return what is known where there is a street layer and no OpenStreetMap file: the streets alone."""
        crs = streets.crs

        def empty(**columns: str) -> gpd.GeoDataFrame:
            made = {name: pd.Series([], dtype=dtype) for name, dtype in columns.items()}
            return gpd.GeoDataFrame(made, geometry=gpd.GeoSeries([], crs=crs), crs=crs)

        return cls(
            crs=crs,
            streets=streets,
            features=empty(osm_id="str", tags="object", verdict="object"),
            buildings=empty(floor_m2="float64", residential="bool"),
            residential_land=empty(osm_id="str", name="str"),
            water=empty(osm_id="str", name="str"),
            barriers=empty(osm_id="str", kind="str"),
            background=empty(kind="str", rank="int64", name="str"),
            extent=streets.box,
            data_date="",
        )


@dataclass
class _Found:
    """Collects tagged objects while the file is read; geometries are WKB in degrees."""

    ids: list[str] = field(default_factory=list)
    tags: list[dict[str, str]] = field(default_factory=list)
    wkb: list[bytes] = field(default_factory=list)

    def add(self, osm_id: str, tags: dict[str, str], wkb: bytes) -> None:
        self.ids.append(osm_id)
        self.tags.append(tags)
        self.wkb.append(wkb)

    def frame(self, crs: CRS) -> gpd.GeoDataFrame:
        return _tagged(self.ids, self.tags, project(shapely.from_wkb(np.array(self.wkb, dtype=object)), crs), crs)


def _tagged(ids: list[str], tags: list[dict[str, str]], geometry: npt.NDArray[Any], crs: CRS) -> gpd.GeoDataFrame:
    column = np.empty(len(tags), dtype=object)
    column[:] = tags
    return gpd.GeoDataFrame(
        {"osm_id": pd.Series(ids, dtype="str"), "tags": pd.Series(column, dtype=object)},
        geometry=gpd.GeoSeries(geometry, crs=crs),
    )


def project(geometry: npt.NDArray[Any], crs: CRS) -> npt.NDArray[Any]:
    """Return WGS-84 geometries in the plane `crs`."""
    return reprojected(geometry, WGS84, crs)


def read_osm(path: str | Path, catalogue: Catalogue, crs: CRS | None = None) -> OsmExtract:
    """Read streets, facilities, buildings, land, water and background from an OpenStreetMap file.

    Ways whose nodes are partly missing are kept in the pieces that are there; objects without
    timestamps or versions are fine.

    Parameters
    ----------
    path
        ``.osm.pbf``, ``.osm``, ``.osm.gz`` or ``.osm.bz2``.
    catalogue
        Decides which objects may be facilities.
    crs
        The metric plane; by default one centred on the file's streets.

    Raises
    ------
    InputError
        The file is missing, is not an OpenStreetMap file, is cut off, or holds no walkable way.
    """
    path = check_osm_path(path)
    scan, bounds = _scanned(path, catalogue)
    crs = crs or metric_crs(bounds)
    points, lines, areas = scan.points.frame(crs), scan.line_frame(crs), scan.areas.frame(crs)
    residential = _polygons(areas, _is_residential)
    water = _polygons(areas, is_surface_water)
    streets = _walkable(path, scan, crs, residential, bounds)
    greenways = lines[_mask(lines["tags"], lambda t: catalogue_line(t, catalogue))]
    candidates = pd.concat([points, areas, greenways])
    return OsmExtract(
        crs=crs,
        streets=streets,
        features=_features(candidates, catalogue),
        buildings=scan.building_frame(crs),
        residential_land=residential,
        water=water,
        barriers=build_barriers(lines, areas),
        background=_background(lines, areas),
        extent=project(np.array([shapely.box(*bounds)]), crs)[0],
        data_date=scan.latest or header_date(path),
    )


def read_streets(path: str | Path, crs: CRS | None = None) -> Streets:
    """Read only the streets of an OpenStreetMap file; the same ones that `read_osm` reads, sooner.

    Parameters
    ----------
    path
        ``.osm.pbf``, ``.osm``, ``.osm.gz`` or ``.osm.bz2``.
    crs
        The metric plane; by default one centred on the streets.
    """
    path = check_osm_path(path)
    scan, bounds = _scanned(path, None)
    crs = crs or metric_crs(bounds)
    return _walkable(path, scan, crs, _polygons(scan.areas.frame(crs), _is_residential), bounds)


def _scanned(path: Path, catalogue: Catalogue | None) -> tuple[_Scan, tuple[float, float, float, float]]:
    """Read a file; return what was found and its box in degrees."""
    with readable(path):
        box = header_box(path)
        scan = _scan(path, catalogue)
    if not scan.ways.ids:
        raise _no_walkable_way(path)
    return scan, box or scan.ways.extent()


def _walkable(
    path: Path, scan: _Scan, crs: CRS, residential: gpd.GeoDataFrame, bounds: tuple[float, float, float, float]
) -> Streets:
    streets = build_streets(scan.ways, crs=crs, residential_land=residential.geometry.to_numpy(), extent=bounds)
    if not len(streets.tail):
        raise _no_walkable_way(path)
    return streets


def keys_read(catalogue: Catalogue) -> frozenset[str]:
    """Return the keys of the objects that `read_osm` makes something of: what a download has to ask for.

    Names alone are no reason to load an object, and routes are relations that no reader of ours takes.
    """
    return (catalogue.osm_keys | {*_LAND_KEYS, *_POINT_KEYS, *_STREET_KEYS}) - {"name", "route"}


def check_osm_path(path: str | Path) -> Path:
    """Return `path` if it names an existing file of a kind that pyosmium reads."""
    path = Path(path)
    if is_elsewhere(path):
        shown = without_address(str(path))
        raise InputError(f"{shown} is not a local file", expected="a file on this computer", remedy="download it first")
    if not path.name.lower().endswith(SUFFIXES):
        raise InputError(
            f"{path.name} is not an OpenStreetMap file",
            got=f"suffix {path.suffix or 'none'!r}",
            expected=", ".join(SUFFIXES),
            remedy="export the city as .osm.pbf",
        )
    if not path.is_file():
        raise InputError(f"OpenStreetMap file not found: {path}", remedy="check the path and the current folder")
    if path.stat().st_size == 0:
        raise InputError(f"{path.name} is empty", got="0 bytes", remedy="download or export the extract again")
    return path


def _no_walkable_way(path: Path) -> InputError:
    return InputError(
        f"{path.name} holds no walkable way",
        expected="ways with a highway tag that people may walk",
        remedy="check that the extract was made with streets and covers the city",
    )


def _scan(path: Path, catalogue: Catalogue | None) -> _Scan:
    """Read a file; one that is not ordered by type and id, as editors and servers write them, is sorted first."""
    scan = _Scan(catalogue)
    try:
        scan.run(path)
        if scan.ways.ids:
            return scan
    except RuntimeError as fault:
        if not re.search(r"out of order|twice in input", str(fault)):
            raise
    with tempfile.TemporaryDirectory() as folder:
        ordered = Path(folder) / "ordered.osm.pbf"
        everything = osmium.MergeInputReader()
        everything.add_file(str(path))
        with osmium.SimpleWriter(str(ordered)) as writer:
            everything.apply(writer, simplify=True)
        scan = _Scan(catalogue)
        scan.run(ordered)
    return scan


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn whatever pyosmium says of a broken file into one clear sentence."""
    try:
        yield
    except MemoryError as fault:
        raise no_memory(path.name, fault) from fault
    except (RuntimeError, ValueError, OSError, EOFError, osmium.InvalidLocationError) as fault:
        if isinstance(fault, InputError):
            raise
        raise InputError(
            f"{path.name} cannot be read as OpenStreetMap data",
            got=str(fault) or type(fault).__name__,
            expected="a complete " + "/".join(SUFFIXES),
            remedy="the file is damaged, cut off or of another kind: download or export it again",
        ) from fault


def check_osm_head(path: Path) -> None:
    """Refuse a file that is none of OpenStreetMap's by its name or its first bytes; the rest is not read."""
    with readable(check_osm_path(path)):
        header_box(path)


def header_box(path: Path) -> tuple[float, float, float, float] | None:
    """Return the box that a file says it holds, in degrees; None where it does not say."""
    with osmium.io.Reader(str(path), osmium.osm.NOTHING) as reader:
        box = reader.header().box()
    if not box.valid():
        return None
    low, high = box.bottom_left, box.top_right
    return (low.lon, low.lat, high.lon, high.lat)


def header_date(path: Path) -> str:
    """Return of which day a file is that keeps no dates of its objects; "" where it does not say."""
    with osmium.io.Reader(str(path), osmium.osm.NOTHING) as reader:
        return str(reader.header().get("osmosis_replication_timestamp", ""))[:10]


class _Scan:
    """One pass over the file; every branch of it is a question to an object's tags.

    Without a catalogue only streets, squares and residential land are looked at.
    """

    def __init__(self, catalogue: Catalogue | None) -> None:
        self.streets_only = catalogue is None
        self.points, self.areas = _Found(), _Found()
        self.lines: list[tuple[str, dict[str, str], list[Stretch]]] = []
        self.ways = RawWays()
        self.buildings: list[tuple[bytes, float, bool]] = []
        self.latest = ""
        self._wkb = osmium.geom.WKBFactory()
        facility_keys = frozenset() if catalogue is None else frozenset(catalogue.osm_keys)
        land_keys = _STREET_KEYS if catalogue is None else (*_LAND_KEYS, *_POINT_KEYS)
        self._keys = facility_keys | set(land_keys)
        self._facility_keys = facility_keys - {"highway", "building", "landuse", "name"}

    def run(self, path: Path) -> None:
        wanted = osmium.filter.KeyFilter(*sorted(self._keys))
        processor = osmium.FileProcessor(str(path)).with_areas(wanted).with_filter(wanted)
        newest = None
        item: Any
        for item in processor:
            if item.is_way():
                self._way(item)
                # Extracts without metadata say 1970; only real dates tell the age of the data.
                when = item.timestamp
                if newest is None or when > newest:
                    newest = when
            elif item.is_node():
                self._node(item)
            elif item.is_area():
                self._area(item)
        if newest is not None and newest.year > 2000:
            self.latest = newest.date().isoformat()

    def _node(self, node: Any) -> None:
        tags = _tags(node)
        if _signalised(tags):
            self.ways.signals.add(node.id)
        if self.streets_only or not node.location.valid() or forbidden(tags):
            return
        if (
            not self._facility_keys.isdisjoint(tags)
            or "entrance" in tags
            or "barrier" in tags
            or tags.get("highway") == "bus_stop"
        ):
            self.points.add(f"n{node.id}", tags, bytes.fromhex(self._wkb.create_point(node)))

    def _way(self, way: Any) -> None:
        tags = _tags(way)
        verdict = walkability(tags)
        line = not self.streets_only and self._is_line(tags) and not forbidden(tags)
        if verdict == "no" and not line:
            return
        stretches = _stretches(way, self.ways.vertices)
        if verdict != "no":
            for stretch in stretches:
                self.ways.add(way.id, tags, stretch, private=verdict == "private")
        if line and stretches:
            self.lines.append((f"w{way.id}", tags, stretches))

    @staticmethod
    def _is_line(tags: Tags) -> bool:
        return not _LINE_KEYS.isdisjoint(tags) or tags.get("natural") == "coastline"

    def _area(self, area: Any) -> None:
        tags = _tags(area)
        if forbidden(tags) or self._is_loop(area, tags):
            return
        try:
            wkb = bytes.fromhex(self._wkb.create_multipolygon(area))
        except RuntimeError:
            # A ring that crosses the edge of the extract has no area left; its lines are kept above.
            self.ways.broken_areas += 1
            return
        if "building" in tags:
            self.buildings.append((wkb, _levels(tags), tags["building"] in _RESIDENTIAL_BUILDINGS))
            if not (self._facility_keys & tags.keys()):
                return
        osm_id = f"{'w' if area.from_way() else 'r'}{area.orig_id()}"
        if is_square(tags):
            for ring in _rings(area, self.ways.vertices):
                self.ways.add(area.orig_id(), tags, ring, square=wkb)
        self.areas.add(osm_id, tags, wkb)

    def _is_loop(self, area: Any, tags: Tags) -> bool:
        """Tell whether a closed way only returns to its start, such as a path around a lake; it has no inside."""
        linear = "highway" in tags or "barrier" in tags or "railway" in tags
        plain = not (self._facility_keys | set(_GROUND_KEYS)) & tags.keys() and tags.get("area") != "yes"
        return bool(area.from_way()) and linear and plain and not is_square(tags)

    def line_frame(self, crs: CRS) -> gpd.GeoDataFrame:
        """Return the ways that are lines; one that lacks nodes has several parts."""
        way = np.repeat(np.arange(len(self.lines)), [len(stretches) for _, _, stretches in self.lines])
        spans = np.array([span[:2] for _, _, stretches in self.lines for span in stretches], dtype=np.int64)
        size = np.diff(spans.reshape(-1, 2), axis=1).ravel()
        part = np.repeat(np.arange(len(size)), size)
        vertex = np.arange(len(part)) - np.repeat(np.cumsum(size) - size - spans.reshape(-1, 2)[:, 0], size)
        lonlat = self.ways.vertices.lonlat()[vertex]
        xy = np.column_stack(transformer(WGS84, crs).transform(lonlat[:, 0], lonlat[:, 1]))
        parts = shapely.linestrings(xy, indices=part)
        geometry = np.empty(len(self.lines), dtype=object)
        geometry[way] = parts
        for i in np.flatnonzero(np.bincount(way, minlength=len(self.lines)) > 1):
            geometry[i] = shapely.multilinestrings(parts[way == i])
        return _tagged([i for i, _, _ in self.lines], [t for _, t, _ in self.lines], geometry, crs)

    def building_frame(self, crs: CRS) -> gpd.GeoDataFrame:
        geometry = project(shapely.from_wkb(np.array([b[0] for b in self.buildings], dtype=object)), crs)
        levels = np.array([b[1] for b in self.buildings], dtype=float)
        return gpd.GeoDataFrame(
            {
                "floor_m2": shapely.area(geometry) * levels,
                "residential": np.array([b[2] for b in self.buildings], dtype=bool),
            },
            geometry=gpd.GeoSeries(geometry, crs=crs),
        )


def _tags(item: Any) -> dict[str, str]:
    """Return the tags of an object; pyosmium takes longer to find that there are no more than to tell them."""
    tags = item.tags
    return dict(islice(tags, len(tags)))


def _stretches(way: Any, vertices: Vertices) -> list[Stretch]:
    """Keep the stretches of a way whose nodes are all in the file."""
    nodes = list(way.nodes)
    if len(nodes) > 1:
        try:
            return [(*vertices.add(nodes), (False, False))]
        except osmium.InvalidLocationError:  # a node is missing
            pass
    return [(*vertices.add(run), cut) for run, cut in _runs(nodes) if len(run) > 1]


def _runs(nodes: list[Any]) -> Iterator[tuple[list[Any], tuple[bool, bool]]]:
    """Yield the runs of nodes that are in the file, and whether the way goes on before and after each."""
    run: list[Any] = []
    begins_cut = False
    for node in nodes:
        if node.location.valid():
            run.append(node)
            continue
        yield run, (begins_cut, True)
        run, begins_cut = [], True
    yield run, (begins_cut, False)


def _rings(area: Any, vertices: Vertices) -> Iterator[Stretch]:
    for outer in area.outer_rings():
        for ring in (outer, *area.inner_rings(outer)):
            yield (*vertices.add(list(ring)), (False, False))


def _is_residential(tags: Tags) -> bool:
    return tags.get("landuse") == "residential"


def _signalised(tags: Tags) -> bool:
    return tags.get("highway") == "traffic_signals" or tags.get("crossing") == "traffic_signals"


def _levels(tags: Tags) -> float:
    try:
        levels = float(tags.get("building:levels", "1"))
    except ValueError:
        return 1.0
    return levels if 1 <= levels <= 200 else 1.0


def forbidden(tags: Tags) -> bool:
    """Tell whether an object must not be read at all: military, prisons, power lines, pipelines."""
    return not _SECRET_KEYS.isdisjoint(tags) or not _NEVER.isdisjoint(tags.items())


def catalogue_line(tags: Tags, catalogue: Catalogue) -> bool:
    """Tell whether a way is a facility that has the form of a line, such as a greenway."""
    return "name" in tags and any(catalogue.services[s].kind == "line" for s in catalogue.match_osm(tags))


def _mask(tags: Iterable[Tags], wanted: Callable[[Tags], bool]) -> npt.NDArray[np.bool_]:
    """Return which objects are wanted; an array, as an empty list would choose columns."""
    return np.array([wanted(t) for t in tags], dtype=bool)


def _polygons(areas: gpd.GeoDataFrame, wanted: Callable[[Tags], bool]) -> gpd.GeoDataFrame:
    chosen = areas[_mask(areas["tags"], wanted)]
    return gpd.GeoDataFrame(
        {
            "osm_id": chosen["osm_id"],
            "name": pd.Series([t.get("name", "") for t in chosen["tags"]], chosen.index, "str"),
        },
        geometry=chosen.geometry,
        crs=areas.crs,
    ).reset_index(drop=True)


def _features(candidates: gpd.GeoDataFrame, catalogue: Catalogue) -> gpd.GeoDataFrame:
    """Return what may be a facility, a gate or an entrance, each with the catalogue's verdict, which takes long."""
    verdict = np.empty(len(candidates), dtype=object)
    verdict[:] = [catalogue.classify_osm(t) for t in candidates["tags"]]
    keep = np.array(
        [
            "entrance" in t or "barrier" in t or any(v) or is_campus(t) or catalogue.unlevelled_school(t)
            for t, v in zip(candidates["tags"], verdict, strict=True)
        ],
        dtype=bool,
    )
    chosen = candidates[keep].assign(verdict=pd.Series(verdict[keep], candidates.index[keep], dtype=object))
    return chosen.drop_duplicates("osm_id").sort_values("osm_id", kind="stable").reset_index(drop=True)


def _background(lines: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    frames = []
    for frame, classify in ((areas, _area_class), (lines, _line_class)):
        classes = [classify(t) for t in frame["tags"]]
        chosen = np.array([c is not None for c in classes], dtype=bool)
        frames.append(
            gpd.GeoDataFrame(
                {
                    "kind": pd.Series([c[0] for c in classes if c], dtype="str"),
                    "rank": pd.Series([c[1] for c in classes if c], dtype="int64"),
                    "name": pd.Series([t.get("name", "") for t in frame["tags"][chosen]], dtype="str"),
                },
                geometry=gpd.GeoSeries(frame.geometry[chosen].to_numpy(), crs=frame.crs),
            )
        )
    return pd.concat(frames, ignore_index=True)


def _area_class(tags: Tags) -> tuple[str, int] | None:
    if is_surface_water(tags):
        return ("water", 0)
    if any(tags.get(key) in values for key, values in _GREEN.items()):
        return ("green", 0)
    return None


def _line_class(tags: Tags) -> tuple[str, int] | None:
    underground = tags.get("tunnel", "no") not in ("no", "building_passage")
    if tags.get("highway") in _ROAD_RANK and tags.get("area") != "yes" and not underground:
        return ("road", _ROAD_RANK[tags["highway"]])
    if tags.get("railway") in _RAIL and not underground:
        return ("rail", 0)
    if tags.get("waterway") in _WATER_LINES and not underground:
        return ("water", 1 + _WATER_LINES[tags["waterway"]])
    return None
