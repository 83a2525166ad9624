"""Parks, schools, hospitals and pitches as grounds: their size, their parts, and whether everybody may go there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Proj
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from livingcircle_layers.crs import WGS84
from livingcircle_layers.names import core_name

TOUCH_M = 5.0  # outlines this near are drawn as neighbours: the gap of a fence or a path (a judgement)
CAMPUS_M = 100.0  # outlines of one name this near are one campus, even across a street (a judgement)
ROAD_SHARE = 0.8  # a road along this much of the seam separates two outlines (a judgement)

Geometries = npt.NDArray[Any]
_CAMPUS = frozenset(("school", "kindergarten", "college", "university"))
_QUIET = frozenset(("footway", "path", "steps", "pedestrian", "cycleway", "track", "bridleway", "corridor"))


@dataclass(frozen=True)
class OpenGrounds:
    """Which grounds that are not simply open to all count as parks and pitches; a switch each.

    Attributes
    ----------
    private
        ``access`` is private, no, permit or members.
    customers
        ``access`` is customers.
    fee
        An entrance fee is asked.
    school
        It lies in the grounds of a school, college or university that is not tagged as open.
    golf
        It is a golf course or a part of one.
    """

    private: bool = False
    customers: bool = False
    fee: bool = False
    school: bool = False
    golf: bool = False

    def shut(self, tags: Mapping[str, str], *, on_campus: bool) -> str | None:
        """Return the switch that keeps a ground out, None where it counts."""
        access = tags.get("access", "")
        found = {
            "private": access in ("private", "no", "permit", "members"),
            "customers": access == "customers",
            "fee": tags.get("fee", "no") != "no",
            "school": on_campus and access not in ("yes", "public", "permissive"),
            "golf": tags.get("leisure") == "golf_course" or "golf" in tags or tags.get("sport") == "golf",
        }
        return next((f.name for f in fields(self) if found[f.name] and not getattr(self, f.name)), None)

    def let_in(self) -> list[str]:
        """Return the switches that are on."""
        return [f.name for f in fields(self) if getattr(self, f.name)]


ONLY_OPEN = OpenGrounds()


def is_campus(tags: Mapping[str, str]) -> bool:
    """Tell whether an area is the ground of a school, college or university."""
    return tags.get("amenity") in _CAMPUS


def campuses(features: gpd.GeoDataFrame) -> Geometries:
    """Return the grounds of schools among tagged objects."""
    geometry = features.geometry.to_numpy()
    school = np.array([is_campus(t) for t in features["tags"]], dtype=bool)
    return geometry[school & (shapely.area(geometry) > 0)]


def on_campus(geometry: Geometries, campus: Geometries) -> npt.NDArray[np.bool_]:
    """Tell which places lie in one of some grounds."""
    inside = np.zeros(len(geometry), dtype=bool)
    inside[shapely.STRtree(campus).query(shapely.point_on_surface(geometry), predicate="intersects")[0]] = True
    return inside


def ground_m2(geometry: Geometries, crs: CRS) -> npt.NDArray[np.float64]:
    """Return areas on the ellipsoid, in m²; 0 for points and lines.

    The plane's area is divided by the plane's scale at the middle of each ground, which for grounds of a few kilometres
    is exact to a millionth.
    """
    plane = shapely.area(geometry)
    if not (plane > 0).any():
        return plane
    middle = gpd.GeoSeries(shapely.centroid(geometry), crs=crs).to_crs(WGS84)
    scale = Proj(crs).get_factors(middle.x.to_numpy(), middle.y.to_numpy(), errcheck=False).areal_scale
    return np.where(plane > 0, plane / np.where(np.isfinite(scale), scale, 1.0), plane)


def roads_of(lines: Geometries, highway: npt.NDArray[Any]) -> Geometries:
    """Return the streets that separate grounds; footpaths lead through them."""
    return lines[~np.isin(highway.astype(str), list(_QUIET))]


def united(
    frame: gpd.GeoDataFrame, roads: Geometries, *, green: Collection[str], apart: frozenset[str] = frozenset()
) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    """Make one ground of the outlines of a park that touch, and of those of any ground that bear one name near by.

    Parameters
    ----------
    frame
        Facilities in a metric plane: ``facility_id, service, name, source, area_m2, ground, fence_tag, geometry``.
    roads
        Streets that separate what lies on both sides of them.
    green
        The services whose outlines are one where they touch; two schools or two pitches side by side stay two.
    apart
        Ids that stay as they are.

    Returns
    -------
    The table with the largest part of each ground in the place of all its parts, and a record per part that went into
    it: ``facility_id, source, name, service, action, into, distance_m, rule, detail``.
    """
    geometry = frame.geometry.to_numpy()
    shaped = frame["ground"].to_numpy(dtype=bool) & (shapely.area(geometry) > 0)
    rows = np.flatnonzero(shaped & ~frame["facility_id"].isin(apart).to_numpy())
    i, j, rule = _pairs(frame, rows, roads, frame["service"].isin(green).to_numpy())
    if not len(i):
        return frame, []
    links = coo_array((np.ones(len(i)), (i, j)), shape=(len(rows), len(rows)))
    group = connected_components(links, directed=False)[1]
    sizes = np.bincount(group)
    changed = frame.copy()
    records: list[dict[str, Any]] = []
    gone: list[int] = []
    area = shapely.area(geometry[rows])
    ids = frame["facility_id"].to_numpy()[rows]
    for label in np.flatnonzero(sizes > 1):
        members = np.flatnonzero(group == label)
        members = members[np.lexsort((ids[members], -area[members]))]
        largest, parts = rows[members[0]], rows[members[1:]]
        whole = shapely.union_all(geometry[rows[members]])
        changed.loc[changed.index[largest], "geometry"] = whole
        changed.loc[changed.index[largest], "given"] = whole
        changed.loc[changed.index[largest], "area_m2"] = float(np.round(ground_m2(np.array([whole]), frame.crs)[0], 1))
        changed.loc[changed.index[largest], "fence_tag"] = bool(frame["fence_tag"].iloc[rows[members]].all())
        names = [n for n in frame["name"].iloc[rows[members]] if n]
        changed.loc[changed.index[largest], "name"] = names[0] if names else ""
        gone.extend(parts)
        mine = np.isin(i, members)
        how = "touching" if (rule[mine] == "touching").all() else "one_campus"
        records += [_record(frame, part, largest, geometry, how) for part in parts]
    return changed.drop(index=changed.index[gone]).reset_index(drop=True), records


def _pairs(
    frame: gpd.GeoDataFrame, rows: npt.NDArray[np.int64], roads: Geometries, green: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[Any]]:
    """Return the pairs of outlines (positions in `rows`) that are one ground, and by which rule."""
    geometry = frame.geometry.to_numpy()[rows]
    tree = shapely.STRtree(geometry)
    i, j = tree.query(geometry, predicate="dwithin", distance=CAMPUS_M)
    kind = frame["service"].to_numpy()[rows] + "\n" + frame["source"].to_numpy()[rows]
    alike = (i < j) & (kind[i] == kind[j])
    i, j = i[alike], j[alike]
    names = frame["name"].map(core_name).to_numpy()[rows]
    named = (names[i] == names[j]) & (names[i] != "")
    touching = ~named & green[rows][i] & (shapely.distance(geometry[i], geometry[j]) <= TOUCH_M)
    touching[touching] = ~_separated(geometry[i[touching]], geometry[j[touching]], roads)
    good = named | touching
    return i[good], j[good], np.where(named, "one_campus", "touching")[good]


def _separated(a: Geometries, b: Geometries, roads: Geometries) -> npt.NDArray[np.bool_]:
    """Tell between which outlines a road runs along most of their seam."""
    reach = TOUCH_M / 2 + 0.5
    seam = shapely.intersection(shapely.buffer(a, reach), shapely.buffer(b, reach))
    apart = np.zeros(len(a), dtype=bool)
    k, r = shapely.STRtree(roads).query(seam, predicate="intersects")
    for pair in np.unique(k):
        near = shapely.union_all(shapely.buffer(roads[r[k == pair]], TOUCH_M))
        covered = shapely.area(shapely.intersection(seam[pair], near))
        apart[pair] = covered >= ROAD_SHARE * shapely.area(seam[pair])
    return apart


def _record(frame: gpd.GeoDataFrame, part: int, whole: int, geometry: Geometries, rule: str) -> dict[str, Any]:
    detail = "touches it and no road runs between" if rule == "touching" else "a part of it, by name and distance"
    row = frame.iloc[part]
    return {
        "facility_id": row["facility_id"],
        "source": row["source"],
        "name": row["name"],
        "service": row["service"],
        "action": "merged",
        "into": frame["facility_id"].iloc[whole],
        "distance_m": round(float(shapely.distance(geometry[part], geometry[whole])), 2),
        "rule": rule,
        "detail": detail,
    }
