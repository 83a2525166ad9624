"""The metric plane in which every distance of a run is measured."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

WGS84 = CRS.from_epsg(4326)
EARTH_M = 6_371_008.8  # mean radius, IUGG
WIDEST_M = 200_000.0  # from the middle of a plane to its sides, where lengths are off by 0.05 % (a judgement)
WORTH_THREADS = 200_000  # coordinates
METRES_REMEDY = 'if they are metres of a plane, declare it: crs = "EPSG:4544", for example'  # standards.md 12.1


def metric_crs(bounds: Sequence[float]) -> CRS:
    """Return a transverse Mercator plane centred on the data, in metres.

    Its scale is 1 on the central meridian and off by 0.012 % at 100 km from it, so lengths of one city
    stay well within 0.1 % of the ellipsoidal ones and no zone border can cut a city.

    Parameters
    ----------
    bounds
        ``(west, south, east, north)`` in degrees, WGS-84. The centre is rounded to 0.01° so that small
        changes of the data do not move the plane.

    Examples
    --------
    >>> metric_crs((104.0, 30.6, 104.1, 30.7)).axis_info[0].unit_name
    'metre'
    """
    west, south, east, north = bounds
    lon, lat = round((west + east) / 2, 2), round((south + north) / 2, 2)
    return CRS.from_proj4(f"+proj=tmerc +lat_0={lat} +lon_0={lon} +k=1 +x_0=0 +y_0=0 +datum=WGS84 +units=m")


def off_meridian_m(lon: float, bounds: Sequence[float]) -> float:
    """Return how far east or west of a meridian a box reaches, metres.

    In the plane of `metric_crs` around that meridian lengths are off by half the square of it over the radius of the
    Earth: 0.05 % at `WIDEST_M`.

    Parameters
    ----------
    lon
        Degrees.
    bounds
        ``(west, south, east, north)`` in degrees.

    Examples
    --------
    >>> round(off_meridian_m(104.0, (104.0, 0.0, 105.0, 1.0)))
    111195
    """
    west, south, east, north = bounds
    degrees = max(abs(west - lon), abs(east - lon))
    widest = 1.0 if south <= 0.0 <= north else max(math.cos(math.radians(south)), math.cos(math.radians(north)))
    return math.radians(degrees) * EARTH_M * widest


@functools.lru_cache(maxsize=32)
def transformer(source: CRS, target: CRS) -> Transformer:
    """Return the way from one CRS to another, longitude first; PROJ takes long to find it, so it is kept."""
    return Transformer.from_crs(source, target, always_xy=True)


def is_on_earth(crs: CRS) -> bool:
    """Tell whether places in a CRS lie somewhere on the Earth.

    Local planes (of CAD drawings), heights alone, coordinates from the middle of the Earth and other planets do not.

    Examples
    --------
    >>> is_on_earth(CRS.from_epsg(4544)), is_on_earth(CRS('LOCAL_CS["site", UNIT["metre", 1]]'))
    (True, False)
    """
    if not (crs.is_geographic or crs.is_projected):
        return False
    try:
        transformer(crs, WGS84)
    except ProjError:
        return False
    return True


def reprojected(geometry: npt.NDArray[Any], source: CRS, target: CRS) -> npt.NDArray[Any]:
    """Return geometries in another CRS, without heights; missing ones stay missing.

    Points are made anew, which takes a third of the time that changing the coordinates of geometries takes. Large
    arrays are worked on by several threads, as PROJ holds no lock of the interpreter.
    """
    way = transformer(source, target)
    if (shapely.get_type_id(geometry) == 0).all() and not shapely.is_empty(geometry).any():
        return np.asarray(shapely.points(*way.transform(shapely.get_x(geometry), shapely.get_y(geometry))))

    def changed(part: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return shapely.transform(part, lambda xy: np.column_stack(way.transform(xy[:, 0], xy[:, 1])))

    if shapely.get_num_coordinates(geometry).sum() < WORTH_THREADS:
        return changed(geometry)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.concatenate(list(pool.map(changed, np.array_split(geometry, os.cpu_count() or 1))))
