"""What the hearing map draws, as packed text: outlines, circles, facilities, background and names."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from livingcircle._packing import SCALE, pack, pack_areas, pack_each_area, pack_known, pack_paths, pack_points

if TYPE_CHECKING:
    import geopandas as gpd

    from livingcircle.result import ScanResult

DEGREE_M = 111_320.0  # metres per degree of latitude
OUTLINE_M = 3.0  # outlines may move by this much; shared borders stay shared
OUTLINE_VERTICES = 400_000  # beyond it outlines are drawn more coarsely: about 1.5 MB of text
CIRCLE_M = 8.0  # circles may move by this much: they come from cells of 20 m
CIRCLE_VERTICES = 900_000  # beyond it circles are drawn more coarsely: about 3 MB of text
COARSEST = 0.001  # degrees: from here on shapes are drawn with as many vertices as they have
SAMPLED_FROM = 2_000  # circles; of fewer all are counted
SAMPLE = 8  # every eighth tells whether all would be far too many
SURELY = 1.2  # what is counted of them by that much more than allowed is too much
FACILITY_CIRCLE_VERTICES = 300_000  # the same for the circles of facilities: about 1 MB of text
RING = 4  # points of the least ring, of which the last is the first
SHAPES_AT_A_TIME = 250  # that a thread simplifies
GROUND_M = 5.0  # grounds of parks may move by this much
BACKGROUND_VERTICES = 600_000  # beyond it the least important background is left out: about 2.5 MB of text
# All that may lie behind the communities, and by how much it may move. Whatever else a file holds (borders of
# administrations, military ground, prisons, power lines, pipelines) is not drawn: maps in China must not show it.
BACKGROUND_M = {"water": 4.0, "green": 5.0, "road": 3.0, "rail": 4.0}
PLACE_NAMES = 300  # names of the largest waters and greens
GROUND_THEME = "ecology"  # the theme whose facilities are drawn with their ground

Geometries = NDArray[np.object_]


def outlines(shapes: Geometries, origin: Sequence[float]) -> list[str]:
    """Simplify outlines without opening gaps between neighbours, until they are few enough to draw; one text each."""
    tolerance = OUTLINE_M / DEGREE_M
    simple: Geometries = shapely.coverage_simplify(shapes, tolerance)
    while shapely.get_num_coordinates(simple).sum() > OUTLINE_VERTICES and tolerance < COARSEST:
        tolerance *= 2
        simple = shapely.coverage_simplify(shapes, tolerance)
    return pack_each_area(np.where(shapely.is_empty(simple), shapes, simple), origin)


def circles(result: ScanResult, origin: Sequence[float]) -> dict[str, Any] | None:
    """Pack the circles by community, walker and minutes, and where each begins; None where the scan drew none."""
    frame = result.circles
    if frame is None or frame.empty:
        return None
    walkers = [str(w) for w in frame["walker"].unique()]
    minutes = sorted({float(m) for m in frame["minutes"]})
    keys = [(str(unit), w, m) for unit in result.communities.index for w in walkers for m in minutes]
    own = frame.assign(unit_id=frame["unit_id"].astype(str), minutes=frame["minutes"].astype(float))
    rows = own.set_index(["unit_id", "walker", "minutes"]).reindex(keys)
    drawn = rows.geometry.to_numpy()
    simple = _simple(drawn, CIRCLE_VERTICES)
    starts = [(rows[name].to_numpy(dtype=float) - at) * SCALE for name, at in zip(("lon", "lat"), origin, strict=True)]
    return {
        "walkers": walkers,
        "minutes": [int(m) if m.is_integer() else m for m in minutes],
        "people": pack_known(rows["people"].to_numpy(dtype=float, na_value=np.nan), 0),
        "area_m2": pack_known(rows["area_m2"].to_numpy(dtype=float), 0),
        "pedestrian_shed": pack_known(rows["pedestrian_shed"].to_numpy(dtype=float), 3),
        "start": [pack_known(steps, 0) for steps in starts],
        "shapes": pack_each_area(simple, origin),
    }


def facility_circles(result: ScanResult, origin: Sequence[float]) -> dict[str, Any] | None:
    """Pack the circles of facilities: their walks, and for each circle its walk and the position of its facility."""
    frame = result.facility_circles
    if frame is None:
        return None
    key = ["facility_id", "service"]
    first = ~result.facilities[key].astype(str).duplicated()
    at = pd.MultiIndex.from_frame(result.facilities.loc[first, key].astype(str))
    found = at.get_indexer(pd.MultiIndex.from_frame(frame[key].astype(str)))
    frame, place = frame[found >= 0], np.flatnonzero(first)[found[found >= 0]]
    walks = frame[["service", "metres", "minutes", "walker"]].drop_duplicates(ignore_index=True)
    number = frame.drop(columns="geometry").merge(walks.reset_index(names="_walk"), how="left")["_walk"]
    in_minutes = walks["metres"].isna()
    return {
        "service": texts(walks["service"]),
        "unit": ["min" if minutes else "m" for minutes in in_minutes],
        "limit": walks["metres"].fillna(walks["minutes"]).astype(float).tolist(),
        "walker": texts(walks["walker"]),
        "walk": pack(number.to_numpy(dtype=np.int64)),
        "place": pack(place.astype(np.int64)),
        "shapes": pack_each_area(_simple(frame.geometry.to_numpy(), FACILITY_CIRCLE_VERTICES), origin),
    }


def _simple(drawn: Geometries, most: int) -> Geometries:
    """Simplify circles, more coarsely when they would have more than so many vertices."""
    tolerance = CIRCLE_M / DEGREE_M
    some = drawn[::SAMPLE] if len(drawn) >= SAMPLED_FROM else drawn[:0]
    while tolerance < COARSEST:
        # What some of them tell to be far too many need not be tried with all.
        if _vertices(_areas(some, tolerance)) * len(drawn) <= SURELY * most * len(some):
            simple = _areas(drawn, tolerance)
            if _vertices(simple) <= most:
                return simple
        tolerance *= 2
    return _areas(drawn, tolerance)


def _vertices(shapes: Geometries) -> int:
    return int(shapely.get_num_coordinates(shapes).sum())


def _areas(drawn: Geometries, tolerance: float) -> Geometries:
    """Simplify areas so that no part and no hole of them vanishes, each by itself."""
    return _in_threads(lambda part: _ring_by_ring(part, tolerance), drawn)


def _ring_by_ring(drawn: Geometries, tolerance: float) -> Geometries:
    """Simplify each ring of areas by itself; those whose rings then cross take ten times as long."""
    parts, shape = shapely.get_parts(drawn, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    simple = shapely.simplify(rings, tolerance, preserve_topology=False)
    gone = shapely.get_num_coordinates(simple) < RING
    simple[gone] = shapely.simplify(rings[gone], tolerance)
    ends = [
        np.append(0, np.cumsum(number))
        for number in (shapely.get_num_coordinates(simple), np.bincount(part, minlength=len(parts)))
    ]
    polygons = shapely.from_ragged_array(shapely.GeometryType.POLYGON, shapely.get_coordinates(simple), ends)
    areas = drawn.copy()
    areas[np.unique(shape)] = shapely.multipolygons(polygons, indices=np.unique(shape, return_inverse=True)[1])
    crossing = ~(shapely.is_valid(areas) | shapely.is_missing(areas))
    areas[crossing] = shapely.simplify(drawn[crossing], tolerance)
    return areas


def _lines(drawn: Geometries, tolerance: float) -> Geometries:
    """Simplify lines, of which none vanishes: one whose ends meet stays a ring."""
    simple = shapely.simplify(drawn, tolerance, preserve_topology=False)
    gone = shapely.length(simple) == 0
    simple[gone] = shapely.simplify(drawn[gone], tolerance)
    return simple


def _in_threads(simplify: Callable[[Geometries], Geometries], drawn: Geometries) -> Geometries:
    """Simplify shapes without the interpreter's lock."""
    parts = np.array_split(drawn, len(drawn) // SHAPES_AT_A_TIME + 1)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.concatenate(list(pool.map(simplify, parts)))


def bands(result: ScanResult, origin: Sequence[float]) -> list[dict[str, Any]]:
    """Pack the bands around greens, one for each rule that has one."""
    frame = result.bands
    if frame is None or frame.empty:
        return []
    number, areas = pd.factorize(shapely.to_wkb(frame.geometry.to_numpy()))  # rules of as many metres share a band
    simple = np.array([simplified(area, CIRCLE_M / DEGREE_M) for area in shapely.from_wkb(areas)], dtype=object)
    texts_of = pack_each_area(simple, origin)
    return [{"rule": str(rule), "shape": texts_of[n]} for rule, n in zip(frame["rule"], number, strict=True)]


def simplified(area: shapely.Geometry, tolerance: float) -> shapely.Geometry:
    """Simplify an area of very many parts, of which none vanishes, in little time.

    No step moves a line by twice the tolerance, so parts that lie four times as far apart can be simplified each by
    itself.
    """
    parts = shapely.get_parts(area)
    one, other = shapely.STRtree(parts).query(parts, predicate="dwithin", distance=4 * tolerance)
    links = coo_array((np.ones(len(one), dtype=bool), (one, other)), shape=(len(parts), len(parts)))
    cluster = connected_components(links, directed=False)[1]
    order = np.lexsort((np.arange(len(parts)), cluster))
    clusters = shapely.multipolygons(parts[order], indices=cluster[order])
    parts[order] = shapely.get_parts(_areas(clusters, tolerance))
    return shapely.multipolygons(parts)


def estates(result: ScanResult, origin: Sequence[float]) -> dict[str, Any]:
    """Pack the names of estates and where they are."""
    frame = result.estate_names
    if frame is None or frame.empty:
        return {"name": [], "xy": ""}
    return {"name": texts(frame["name"]), "xy": pack_points(frame.geometry.to_numpy(), origin)}


def _coded(values: pd.Series) -> tuple[list[str], list[int]]:
    codes, names = pd.factorize(pd.Series(texts(values), dtype="object"))
    return [str(name) for name in names], [int(code) for code in codes]


def texts(values: pd.Series) -> list[str]:
    """Return texts as they are, unknown ones empty."""
    return values.astype("object").where(values.notna(), "").astype(str).tolist()


def facilities(result: ScanResult, origin: Sequence[float]) -> dict[str, Any]:
    """Pack facilities as points, their doors, and the grounds of those of the ecology theme."""
    places, doors = result.facilities, result.access_points
    sources, source = _coded(places["source"])
    hows, how = _coded(doors["how"])
    key = ["facility_id", "service", "source"]
    owners = pd.MultiIndex.from_frame(places[key].astype(str)).get_indexer(
        pd.MultiIndex.from_frame(doors[key].astype(str))
    )
    services = pd.Index(list(result.catalogue.services)).get_indexer(pd.Index(places["service"].astype(str)))
    shapes = places.geometry.to_numpy()
    green = (places["theme"] == GROUND_THEME).to_numpy() & (shapely.area(shapes) > 0)
    ground = shapely.simplify(shapes[green], GROUND_M / DEGREE_M)
    return {
        "id": texts(places["facility_id"]),
        "service": pack(services.astype(np.int64)),
        "name": texts(places["name"]),
        "sources": sources,
        "source": pack(np.array(source, dtype=np.int64)),
        "m2": pack_known(places["area_m2"].to_numpy(dtype=float, na_value=math.nan), 0),
        "xy": pack_points(shapes, origin),
        "hows": hows,
        "door_how": pack(np.array(how, dtype=np.int64)),
        "door_of": pack(owners.astype(np.int64)),
        "door_xy": pack_points(doors.geometry.to_numpy(), origin),
        "ground_of": [int(at) for at in np.flatnonzero(green)],
        "ground": pack_each_area(ground, origin),
    }


def background(frame: gpd.GeoDataFrame, origin: Sequence[float]) -> list[dict[str, Any]]:
    """Simplify the background by kind and rank, the most important first, and stop when it is too much."""
    drawn: list[dict[str, Any]] = []
    left = BACKGROUND_VERTICES
    allowed = frame[frame["kind"].isin(list(BACKGROUND_M))]
    for (rank, kind), part in allowed.groupby(["rank", "kind"], sort=True):
        areas, lines = areas_and_lines(part.geometry.to_numpy())
        for form, shapes in (("area", areas), ("line", lines)):
            simple = (_areas if form == "area" else _lines)(shapes, BACKGROUND_M[str(kind)] / DEGREE_M)
            simple = simple[~shapely.is_empty(simple)]
            left -= int(shapely.get_num_coordinates(simple).sum())
            if left < 0:
                return drawn
            if len(simple):
                packed = pack_areas(simple, origin) if form == "area" else pack_paths(simple, origin)
                drawn.append({"kind": str(kind), "rank": int(rank), "form": form, "paths": packed})
    return drawn


def areas_and_lines(shapes: Geometries) -> tuple[Geometries, Geometries]:
    """Take polygons and lines apart; lines that only continue each other become one."""
    parts = shapely.get_parts(shapely.get_parts(shapes))
    parts = parts[~shapely.is_empty(parts)]
    kind = shapely.get_type_id(parts)
    lines = parts[kind == shapely.GeometryType.LINESTRING]
    if len(lines):
        lines = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines)))
    return parts[kind == shapely.GeometryType.POLYGON], lines


def names(frame: gpd.GeoDataFrame, origin: Sequence[float]) -> dict[str, Any]:
    """Names of the largest waters and greens, largest first."""
    size = shapely.area(frame.geometry.to_numpy())
    worth = (frame["name"].fillna("") != "").to_numpy() & frame["kind"].isin(["water", "green"]).to_numpy()
    largest = np.argsort(-size, kind="stable")
    named = frame.iloc[largest[(worth & (size > 0))[largest]]]
    named = named[~named["name"].duplicated()].head(PLACE_NAMES)
    return {
        "name": texts(named["name"]),
        "kind": texts(named["kind"]),
        "xy": pack_points(named.geometry.to_numpy(), origin),
    }
