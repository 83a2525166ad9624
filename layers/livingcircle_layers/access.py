"""Where a facility is entered from the street: gates, crossings, frontage, entrances."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle_layers.streets import Streets

FRONTAGE_STEP_M = 20.0  # a point every 20 m along an open ground's edge (standards.md 11.3) ...
FRONTAGE_REACH_M = 30.0  # ... where a street runs within 30 m of it (standards.md 11.3), else at its nearest point
GATE_REACH_M = 5.0  # a gate this close to a ground's outline belongs to it (a judgement)
FENCED_SHARE = 0.5  # a ground is fenced where walls follow at least half of its outline (a judgement)

_GATES = frozenset(
    (
        "gate", "lift_gate", "swing_gate", "sliding_gate", "kissing_gate", "turnstile", "full-height_turnstile",
        "entrance", "stile", "wicket_gate", "bollard", "cycle_barrier", "sally_port", "toll_booth",
    )
)  # fmt: skip
_WALL_TAGS = frozenset(("fence", "wall", "city_wall", "retaining_wall", "hedge"))

Geometries = npt.NDArray[Any]


def is_gate(tags: dict[str, str]) -> bool:
    """Tell whether a point lets people through a fence: a gate or an entrance that is not closed to them."""
    opening = tags.get("barrier") in _GATES or tags.get("entrance", "no") not in (
        "no",
        "emergency",
        "garage",
        "service",
    )
    return opening and tags.get("access") not in ("no", "private") and tags.get("foot") != "no"


def access_points(
    places: gpd.GeoDataFrame,
    *,
    streets: Streets,
    features: gpd.GeoDataFrame,
    walls: Geometries,
    given: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Find the points at which each place is entered from the street.

    A ground (park, school …) with an outline is entered at its gates and where a street crosses the outline, and, if
    no fence is mapped, also along the streets beside it; a line (greenway) all along. Everything else is entered at
    mapped entrances or at its own position.

    Parameters
    ----------
    places
        ``ground`` (bool), ``fence_tag`` (bool), ``area_m2``, ``geometry`` in the plane of `streets`.
    features
        ``tags``, ``geometry``: gates and entrances are taken from it.
    walls
        Lines of mapped walls and fences.
    given
        ``place`` (position in `places`), ``geometry``: ways in that a planner's list tells, those of grounds on their
        outline.

    Returns
    -------
    geopandas.GeoDataFrame
        ``place`` (position in `places`), ``how`` (gate, crossing, frontage, entrance, point, centre), ``geometry``
        (points), sorted by place. A fenced ground without any gate or crossing has no row.
    """
    geometry = places.geometry.to_numpy()
    has_outline = np.isin(shapely.get_type_id(geometry), (3, 6))
    ground = np.flatnonzero(places["ground"].to_numpy(dtype=bool) & has_outline)
    building = np.flatnonzero(~places["ground"].to_numpy(dtype=bool) & has_outline)
    gates = np.array([is_gate(t) for t in features["tags"]], dtype=bool)
    openings = features.geometry.to_numpy()[gates]
    openings = openings[shapely.get_type_id(openings) == 0]

    outline = _outer_rings(geometry[ground])
    level = shapely.STRtree(streets.lines[~streets.raised])
    parts = [
        _near(ground, outline, openings, GATE_REACH_M, "gate"),
        _crossings(ground, outline, level),
        _near(building, shapely.boundary(geometry[building]), openings, 1.0, "entrance"),
    ]
    if given is not None:
        parts += _given(given, ground, walls)
    fenced = places["fence_tag"].to_numpy(dtype=bool)[ground] | walled(outline, walls)
    parts.append(_frontage(ground[~fenced], outline[~fenced], level))
    line = np.flatnonzero(np.isin(shapely.get_type_id(geometry), (1, 5)))
    parts.append(_frontage(line, geometry[line], level))
    found = np.unique(np.concatenate([p["place"].to_numpy() for p in parts]))
    lonely = ~fenced & ~np.isin(ground, found)
    parts.append(_nearest_outline(ground[lonely], outline[lonely], level))
    found = np.union1d(found, parts[-1]["place"].to_numpy())
    parts.append(_centres(places, geometry, np.setdiff1d(np.arange(len(places)), np.union1d(found, ground[fenced]))))
    points = pd.concat(parts, ignore_index=True)
    frame = gpd.GeoDataFrame(points, geometry="geometry", crs=streets.crs)
    xy = shapely.get_coordinates(frame.geometry.to_numpy())
    order = np.lexsort((xy[:, 1], xy[:, 0], frame["how"].to_numpy(dtype=str), frame["place"].to_numpy()))
    return frame.iloc[order].reset_index(drop=True)


def _table(place: npt.NDArray[np.int64], how: str, points: Geometries) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "place": place.astype(np.int64),
            "how": pd.Series(how, index=range(len(place)), dtype="str"),
            "geometry": points,
        }
    )


def _outer_rings(polygons: Geometries) -> Geometries:
    """Return the outline without holes: nobody enters a park from its pond."""
    parts, owner = shapely.get_parts(polygons, return_index=True)
    rings = shapely.get_exterior_ring(parts)
    lines = np.empty(len(polygons), dtype=object)
    for i in range(len(polygons)):
        mine = rings[owner == i] if len(parts) != len(polygons) else rings[i : i + 1]
        lines[i] = shapely.multilinestrings(mine)
    return lines


def _near(owner: Any, outline: Geometries, openings: Geometries, reach: float, how: str) -> pd.DataFrame:
    i, j = shapely.STRtree(openings).query(outline, predicate="dwithin", distance=reach)
    return _table(owner[i], how, openings[j])


def _given(given: gpd.GeoDataFrame, ground: Any, walls: Geometries) -> list[pd.DataFrame]:
    """Return the ways in that a list tells; a gate stands in the wall that is drawn along its outline."""
    place, points = given["place"].to_numpy(), given.geometry.to_numpy().copy()
    gate = np.isin(place, ground)
    i, j = shapely.STRtree(walls).query_nearest(points, max_distance=GATE_REACH_M, all_matches=False)
    points[i] = np.where(gate[i], shapely.get_point(shapely.shortest_line(walls[j], points[i]), 0), points[i])
    return [_table(place[gate], "gate", points[gate]), _table(place[~gate], "entrance", points[~gate])]


def _crossings(owner: Any, outline: Geometries, streets: shapely.STRtree) -> pd.DataFrame:
    """Return where streets cross the outline; a street that runs along it touches at both ends of the shared part."""
    i, j = streets.query(outline, predicate="intersects")
    cut = shapely.intersection(outline[i], streets.geometries[j])
    parts, k = shapely.get_parts(cut, return_index=True)
    ends = shapely.get_type_id(parts) == 1
    points = np.concatenate([parts[~ends], shapely.get_point(parts[ends], 0), shapely.get_point(parts[ends], -1)])
    k = np.concatenate([k[~ends], k[ends], k[ends]])
    return _table(owner[i[k]], "crossing", points)


def walled(outline: Geometries, walls: Geometries) -> npt.NDArray[np.bool_]:
    """Tell which outlines walls or fences follow for at least half of their length."""
    share = np.zeros(len(outline))
    i, j = shapely.STRtree(walls).query(outline, predicate="dwithin", distance=GATE_REACH_M)
    for ring in np.unique(i):
        near = shapely.union_all(shapely.buffer(walls[j[i == ring]], GATE_REACH_M))
        share[ring] = shapely.length(shapely.intersection(outline[ring], near)) / shapely.length(outline[ring])
    return share >= FENCED_SHARE


def _frontage(owner: Any, outline: Geometries, streets: shapely.STRtree) -> pd.DataFrame:
    parts, index = shapely.get_parts(outline, return_index=True)
    steps = np.maximum(1, np.ceil(shapely.length(parts) / FRONTAGE_STEP_M)).astype(np.int64)
    count = steps + ~shapely.is_closed(parts)
    ring = np.repeat(np.arange(len(parts)), count)
    step = np.arange(len(ring)) - np.repeat(np.cumsum(count) - count, count)
    points = shapely.line_interpolate_point(parts[ring], step / steps[ring], normalized=True)
    near = np.unique(streets.query(points, predicate="dwithin", distance=FRONTAGE_REACH_M)[0])
    return _table(owner[index[ring[near]]], "frontage", points[near])


def _nearest_outline(owner: Any, outline: Geometries, streets: shapely.STRtree) -> pd.DataFrame:
    """Return where an open ground away from all streets comes nearest to one."""
    i, j = streets.query_nearest(outline, all_matches=False)
    at = shapely.get_point(shapely.shortest_line(outline[i], streets.geometries[j]), 0)
    return _table(owner[i], "frontage", at)


def _centres(places: gpd.GeoDataFrame, geometry: Geometries, rest: Any) -> pd.DataFrame:
    """Return the position itself where no way in is known; `centre` says that the real way in may be nearer."""
    is_point = shapely.get_type_id(geometry[rest]) == 0
    known_size = places["area_m2"].to_numpy(dtype=float)[rest] > 0
    table = _table(rest, "point", shapely.point_on_surface(geometry[rest]))
    table.loc[~is_point | (places["ground"].to_numpy(dtype=bool)[rest] & known_size), "how"] = "centre"
    return table


def has_fence_tag(tags: dict[str, str]) -> bool:
    """Tell whether an outline itself is tagged as fenced or walled."""
    return tags.get("barrier") in _WALL_TAGS
