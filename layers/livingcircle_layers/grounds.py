"""Parks, schools, hospitals and pitches as grounds: their size, their parts, and whether everybody may go there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS, Proj
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from livingcircle_layers.crs import WGS84
from livingcircle_layers.names import core_names

TOUCH_M = 5.0  # outlines this near are drawn as neighbours: the gap of a fence or a path (a judgement)
CAMPUS_M = 100.0  # outlines of one name this near are one campus, even across a street (a judgement)
ROAD_SHARE = 0.8  # a road along this much of the seam separates two outlines (a judgement)

_WHY = {"touching": "touches it and no road runs between", "one_campus": "a part of it, by name and distance"}

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
    area = shapely.area(geometry[rows])
    ids = frame["facility_id"].to_numpy()[rows].astype(object)
    order = np.lexsort((ids, -area, group))  # the largest of each group first
    parts_of = np.split(order, np.cumsum(np.bincount(group))[:-1])
    campus = np.bincount(group[i], rule != "touching", minlength=len(parts_of)) > 0
    whole = [rows[members] for members in parts_of if len(members) > 1]
    how = [("one_campus" if campus[group[m[0]]] else "touching") for m in parts_of if len(m) > 1]
    changed = _with_wholes(frame, whole)
    into = [(part, m[0], rule) for m, rule in zip(whole, how, strict=True) for part in m[1:]]
    gone = [part for part, _, _ in into]
    return changed.drop(index=changed.index[gone]).reset_index(drop=True), _records(frame, into)


def _with_wholes(frame: gpd.GeoDataFrame, whole: Sequence[npt.NDArray[np.int64]]) -> gpd.GeoDataFrame:
    """Give the first row of each group the ground of all of them, and the first name that one of them has."""
    first = [members[0] for members in whole]
    shapes, given = frame.geometry.to_numpy().copy(), frame["given"].to_numpy().copy()
    area, fence = frame["area_m2"].to_numpy(dtype=float).copy(), frame["fence_tag"].to_numpy(dtype=bool).copy()
    name = frame["name"].to_numpy(dtype=object).copy()
    united = np.empty(len(whole), dtype=object)
    united[:] = [shapely.union_all(shapes[members]) for members in whole]
    fence[first] = [fence[members].all() for members in whole]
    name[first] = [next((n for n in name[members] if n), "") for members in whole]
    area[first] = np.round(ground_m2(united, frame.crs), 1)
    shapes[first] = given[first] = united
    return frame.assign(
        geometry=gpd.GeoSeries(shapes, frame.index, frame.crs),
        given=gpd.GeoSeries(given, frame.index, frame.crs),
        area_m2=area,
        fence_tag=fence,
        name=pd.Series(name, frame.index, dtype="str"),
    )


def alike_within(
    geometry: Geometries, kind: pd.Series[str], distance_m: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the pairs of places of one kind that are no farther apart than a distance, each once and in order."""
    pairs = [np.zeros((2, 0), dtype=np.int64)]
    for rows in pd.Series(range(len(kind))).groupby(pd.factorize(kind)[0]).indices.values():
        here = geometry[rows]
        pairs.append(rows[shapely.STRtree(here).query(here, predicate="dwithin", distance=distance_m)])
    i, j = np.concatenate(pairs, axis=1)
    i, j = i[i < j], j[i < j]
    order = np.lexsort((j, i))
    return i[order], j[order]


def _pairs(
    frame: gpd.GeoDataFrame, rows: npt.NDArray[np.int64], roads: Geometries, green: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[Any]]:
    """Return the pairs of outlines (positions in `rows`) that are one ground, and by which rule."""
    geometry = frame.geometry.to_numpy()[rows]
    names, kind = (
        core_names(frame["name"])[rows],
        pd.factorize((frame["service"] + "\n" + frame["source"]).iloc[rows])[0],
    )
    box = shapely.bounds(geometry) + np.array([-CAMPUS_M, -CAMPUS_M, CAMPUS_M, CAMPUS_M])
    i, j = shapely.STRtree(geometry).query(shapely.box(*box.T))  # boxes first: most neighbours have nothing in common
    named = (names[i] == names[j]) & (names[i] != "")
    perhaps = (i < j) & (kind[i] == kind[j]) & (named | green[rows][i])
    order = np.lexsort((j[perhaps], i[perhaps]))
    i, j, named = i[perhaps][order], j[perhaps][order], named[perhaps][order]
    gap = shapely.distance(geometry[i], geometry[j])
    named &= gap <= CAMPUS_M
    touching = ~named & green[rows][i] & (gap <= TOUCH_M)
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


def _records(frame: gpd.GeoDataFrame, into: Sequence[tuple[int, int, str]]) -> list[dict[str, Any]]:
    """Return a record per part, of its row, that of the whole, and the rule."""
    part, whole = [p for p, _, _ in into], [w for _, w, _ in into]
    own = frame[["facility_id", "source", "name", "service"]].iloc[part].to_dict("records")
    ids, geometry = frame["facility_id"].to_numpy(), frame.geometry.to_numpy()
    gap = shapely.distance(geometry[part], geometry[whole])
    return [
        {
            **{str(key): value for key, value in row.items()},
            "action": "merged",
            "into": ids[w],
            "distance_m": round(float(d), 2),
            "rule": rule,
            "detail": _WHY[rule],
        }
        for row, (_, w, rule), d in zip(own, into, gap, strict=True)
    ]
