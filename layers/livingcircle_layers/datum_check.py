"""Whether a layer lies where its datum says: compared with the streets, or with a layer known to be right.

The layer is moved to where it would lie if its numbers were WGS-84, GCJ-02 or BD-09, and each time it is counted how
many of its parts meet what is known: points of its outlines a street (or keep away from streets, as estates do), named
places a place of their name. The same count at some eighty wrong places near by tells what chance alone gives, so that
a layer that says nothing about streets (a grid, cells around centres) gives "cannot tell".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS
from scipy.spatial import cKDTree

from livingcircle_layers.crs import WGS84, reprojected, transformer
from livingcircle_layers.datum import Datum, Floats, from_wgs84, may_be_shifted, to_wgs84
from livingcircle_layers.names import plain_name, same_name_pairs
from livingcircle_layers.osm import OsmExtract, project

Answer = Literal["fits", "does not fit", "cannot tell"]

STREET_REACH_M = 8.0  # a border drawn along a street lies this near to its middle (a judgement)
REFERENCE_REACH_M = 20.0  # outlines of two publishers, each generalised in its own way, agree to this (a judgement)
NAME_REACH_M = 60.0  # two lists put a place of one name this near to each other (a judgement)
STRONG = 5.0  # standard deviations from chance; below it nothing is said (a judgement)
STOPS = 6.0  # to stop a run the other datum must stand out more: long straight borders meet a street by chance
RIVAL = 0.5  # a second datum that stands out half as much as the best one leaves the matter open (a judgement)

_LEAST_POINTS, _MOST_POINTS = 40, 1500  # points of outlines within the known area
_STEP_DEG = 1e-4  # between the points of an outline, about 10 m
_MARGIN_DEG = 0.02  # BD-09 is about 950 m off, and so are the wrong places
_FAR_M = 2500.0  # places of one name further apart are different ones, wherever the layer is moved
_COMMON = 4  # a name that more known places have tells nothing
_CANDIDATES: tuple[Datum, ...] = ("wgs84", "gcj02", "bd09")

Geometries = npt.NDArray[Any]
Counted = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]  # shares of what meets, and of how many


@dataclass(frozen=True)
class Known:
    """What is known to lie right, in a metric plane.

    Attributes
    ----------
    title
        What it is, as verdicts name it.
    lines
        Streets, rails, shores or borders.
    places, names
        Geometries and their names in plain form.
    extent
        The box within which all of it is known.
    reach_m
        How near an outline must come to a line.
    """

    title: str
    crs: CRS
    lines: Geometries
    places: Geometries
    names: tuple[str, ...]
    extent: tuple[float, float, float, float]
    reach_m: float


@dataclass(frozen=True)
class DatumVerdict:
    """What the comparison of one layer says.

    Attributes
    ----------
    claimed, better
        The declared datum, and the one that fits in its place (None unless the answer is "does not fit").
    statistic
        What was counted, in one line.
    """

    layer: str
    claimed: Datum
    answer: Answer
    better: Datum | None
    statistic: str

    def line(self) -> str:
        """Return the verdict as one line for checks, warnings and reports."""
        return f"datum of {self.layer}: {self.claimed}: {self.answer} ({self.statistic})"


def known_of_osm(osm: OsmExtract) -> Known:
    """Return streets, rails, shores and named places of OpenStreetMap."""
    drawn = osm.background[osm.background["kind"].isin(("road", "rail", "water"))].geometry.to_numpy()
    areas = np.isin(shapely.get_type_id(drawn), (3, 6))
    names = np.array([plain_name(t.get("name", "")) for t in osm.features["tags"]], dtype=object)
    named = names != ""
    return Known(
        title="OpenStreetMap",
        crs=osm.crs,
        lines=np.concatenate([drawn[~areas], shapely.boundary(drawn[areas])]),
        places=osm.features.geometry.to_numpy()[named],
        names=tuple(names[named]),
        extent=osm.extent.bounds,
        reach_m=STREET_REACH_M,
    )


def known_of_layer(frame: gpd.GeoDataFrame, *, title: str, crs: CRS, names: Sequence[str] = ()) -> Known:
    """Return the outlines and named places of a layer that the planner knows to be right."""
    # By way of WGS-84: for the direct way from CGCS2000 PROJ searches a second long.
    geometry = project(reprojected(frame.geometry.to_numpy(), frame.crs, WGS84), crs)
    kind = shapely.get_type_id(geometry)
    outlines = np.where(np.isin(kind, (3, 6)), shapely.boundary(geometry), geometry)
    plain = [plain_name(n) for n in names] or [""] * len(geometry)
    named = np.array([n != "" for n in plain], dtype=bool)
    west, south, east, north = shapely.total_bounds(geometry)
    return Known(
        title=title,
        crs=crs,
        lines=outlines[kind > 0],
        places=geometry[named],
        names=tuple(n for n in plain if n),
        extent=(west, south, east, north),
        reach_m=REFERENCE_REACH_M,
    )


def check_datum(
    frame: gpd.GeoDataFrame, claimed: Datum, against: Sequence[Known], *, layer: str, names: Sequence[str] = ()
) -> DatumVerdict:
    """Compare a layer with what is known, as claimed and as it would lie in the other datums.

    Parameters
    ----------
    frame
        The layer where it lies according to its claim, in any CRS.
    claimed
        What its owner declared; "wgs84" where nothing was said.
    against
        What is known, the most telling first: the first that gives an answer decides.
    layer
        What to call it.
    names
        A name per row, ``""`` where it has none.

    Returns
    -------
    DatumVerdict
        "fits" only if the claim stands out from chance and no other datum does half as much; "does not fit" only
        if another datum stands out and the claim does not half as much. Outside the area in which GCJ-02 and BD-09
        are in use neither is considered.
    """
    claimed = "wgs84" if claimed == "cgcs2000" else claimed
    outside = DatumVerdict(layer, claimed, "fits", None, "outside the area in which GCJ-02 and BD-09 are in use")
    xy = shapely.get_coordinates(frame.geometry.to_numpy())
    lon, lat = transformer(frame.crs, WGS84).transform(xy[:, 0], xy[:, 1])
    if not len(xy) or not may_be_shifted((lon.min(), lat.min(), lon.max(), lat.max())):
        return outside
    lonlat = reprojected(frame.geometry.to_numpy(), frame.crs, WGS84)
    placed = ~(shapely.is_missing(lonlat) | shapely.is_empty(lonlat))
    lonlat, plain = lonlat[placed], [plain_name(n) for n, p in zip(names, placed, strict=bool(len(names))) if p]
    tried = []
    for known in against:
        for compare in (_by_names, _by_outlines):
            found = compare(lonlat, plain, claimed, known)
            if found is None:
                continue
            answer, better, statistic = found
            if answer != "cannot tell":
                return DatumVerdict(layer, claimed, answer, better, statistic)
            tried.append(statistic)
    nothing = "neither names nor outlines that could be compared"
    return DatumVerdict(layer, claimed, "cannot tell", None, "; ".join(tried) or nothing)


Found = tuple[Answer, Datum | None, str]


def _by_names(lonlat: Geometries, names: Sequence[str], claimed: Datum, known: Known) -> Found | None:
    """Count places that have a known place of their name within reach."""
    pairs = np.array(list(same_name_pairs(names, known.names)), dtype=np.int64).reshape(-1, 2)
    common = np.bincount(pairs[:, 0], minlength=len(names)) > _COMMON
    pairs = pairs[~common[pairs[:, 0]]] if len(pairs) else pairs
    if not len(pairs):
        return None
    centre = shapely.get_coordinates(shapely.point_on_surface(lonlat))
    ours, place = np.unique(pairs[:, 0], return_inverse=True)
    at = _Moved.of(centre[ours], claimed, known.crs)
    theirs = known.places[pairs[:, 1]]
    near = shapely.distance(shapely.points(at.claimed[place]), theirs) <= _FAR_M
    place, theirs = place[near], theirs[near]
    used = np.unique(place)
    if not len(used):
        return None

    def counted(xy: Floats) -> Counted:
        found = shapely.distance(shapely.points(xy.reshape(-1, len(ours), 2)[:, place]), theirs) <= NAME_REACH_M
        hit = np.zeros((len(found), len(ours)), dtype=bool)
        for k in range(len(place)):
            hit[:, place[k]] |= found[:, k]
        return hit[:, used].mean(axis=1), np.full(len(hit), len(used))

    what = f"of {{n}} places with a name in {known.title} lie within {NAME_REACH_M:g} m of it"
    return _judged(at, counted, claimed, what, apart=False)


def _by_outlines(lonlat: Geometries, names: Sequence[str], claimed: Datum, known: Known) -> Found | None:
    """Count points of outlines that lie on a known line."""
    del names
    west, south, east, north = shapely.total_bounds(
        reprojected(np.array([shapely.box(*known.extent)]), known.crs, WGS84)
    )
    kind = shapely.get_type_id(lonlat)
    rings = np.where(np.isin(kind, (3, 6)), shapely.boundary(lonlat), lonlat)[kind > 0]
    margin = _MARGIN_DEG
    rings = shapely.clip_by_rect(rings, west - margin, south - margin, east + margin, north + margin)
    points = shapely.get_coordinates(shapely.segmentize(rings, _STEP_DEG))
    if len(points) < _LEAST_POINTS or not len(known.lines):
        return None
    points = points[np.lexsort((points[:, 1], points[:, 0]))]  # whatever the order of the rows
    points = points[np.unique(np.linspace(0, len(points) - 1, _MOST_POINTS).astype(int))]
    at = _Moved.of(points, claimed, known.crs)
    x0, y0, x1, y1 = known.extent
    nearby = shapely.clip_by_rect(known.lines, *at.bounds())
    tree = cKDTree(shapely.get_coordinates(shapely.segmentize(nearby, known.reach_m)))
    if not tree.n:
        return None

    def counted(xy: Floats) -> Counted:
        away = tree.query(xy, distance_upper_bound=known.reach_m)[0].reshape(-1, len(points))
        inside = (xy >= (x0, y0)).all(axis=1) & (xy <= (x1, y1)).all(axis=1)
        inside = inside.reshape(-1, len(points))
        n = inside.sum(axis=1)
        return (np.isfinite(away) & inside).sum(axis=1) / np.maximum(n, 1), n

    what = f"of {{n}} points of its lines lie within {known.reach_m:g} m of a line of {known.title}"
    return _judged(at, counted, claimed, what, apart=True)


@dataclass(frozen=True)
class _Moved:
    """Points of a layer in the plane: by each datum, as claimed, and the moves to wrong places."""

    datums: dict[Datum, Floats]
    claimed: Floats
    wrong: Floats

    @classmethod
    def of(cls, lonlat: Floats, claimed: Datum, crs: CRS) -> _Moved:
        written = shapely.points(from_wgs84(lonlat, claimed))
        datums = {d: shapely.get_coordinates(project(to_wgs84(written, d), crs)) for d in _CANDIDATES}
        home = datums[claimed]
        moves = np.array([np.median(xy - home, axis=0) for xy in datums.values()])
        angle = np.arange(24) * np.pi / 12
        ring = np.concatenate([r * np.column_stack([np.cos(angle + turn), np.sin(angle + turn)]) for r, turn in _RINGS])
        apart = np.hypot(*(ring[:, None] - moves[None]).transpose(2, 0, 1)).min(axis=1) >= _CLEAR_M
        return cls(datums, home, ring[apart])

    def bounds(self) -> tuple[float, float, float, float]:
        """Return the box of all places that the points are moved to."""
        xy, far = np.concatenate(list(self.datums.values())), _RINGS[-1][0] + REFERENCE_REACH_M
        (west, south), (east, north) = xy.min(axis=0) - far, xy.max(axis=0) + far
        return float(west), float(south), float(east), float(north)


_RINGS = ((300.0, 0.0), (500.0, 0.13), (700.0, 0.0), (900.0, 0.13))  # metres from the claim, and a turn in radians
_CLEAR_M = 150.0  # a wrong place keeps this far from every datum


def _judged(
    at: _Moved, counted: Callable[[Floats], Counted], claimed: Datum, what: str, *, apart: bool
) -> Found | None:
    """Weigh the counts by the datums against those at the wrong places.

    `apart` says that fewer meetings than by chance tell as much as more: walls of estates keep away from streets.
    """
    share, n = counted(np.concatenate(list(at.datums.values())))
    chance, inside = counted((at.claimed + at.wrong[:, None]).reshape(-1, 2))
    chance = chance[inside >= _LEAST_POINTS] if apart else chance
    enough = n >= (_LEAST_POINTS if apart else 1)
    if not len(chance) or not enough[_CANDIDATES.index(claimed)]:
        return None
    mean = float(chance.mean())
    least = np.maximum(mean, 1 / np.maximum(n, 1))
    spread = np.maximum(float(chance.std()), np.sqrt(least * (1 - np.minimum(least, 0.5)) / np.maximum(n, 1)))
    z = (share - mean) / spread
    beyond = (share > chance.max()) | (apart & (share < chance.min()))
    weight = np.where(enough & beyond, np.abs(z), 0.0)
    order = np.argsort(-weight, kind="stable")
    best, second = order[0], order[1]
    statistic = (
        ", ".join(f"{d} {s:.1%} (z {v:.1f})" for d, s, v in zip(at.datums, share, z, strict=True))
        + " "
        + what.format(n=int(n.max()))
        + f"; by chance {mean:.1%}"
    )
    if weight[best] < STRONG:
        return "cannot tell", None, statistic
    if weight[second] >= RIVAL * weight[best]:
        both = " and ".join(sorted((_CANDIDATES[best], _CANDIDATES[second])))
        return "cannot tell", None, f"{statistic}; both {both} stand out, the layer may mix them"
    if _CANDIDATES[best] == claimed:
        return "fits", None, statistic
    if weight[best] < STOPS:
        return "cannot tell", None, statistic
    return "does not fit", _CANDIDATES[best], statistic
