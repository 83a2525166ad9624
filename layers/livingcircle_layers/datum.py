"""Coordinates of Chinese web maps: GCJ-02 and BD-09, back to WGS-84. Only a declared layer is ever shifted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from livingcircle_layers.crs import WGS84

Datum = Literal["wgs84", "cgcs2000", "gcj02", "bd09"]
Floats = npt.NDArray[np.float64]

_STEPS = 6  # of the fixed point; each gains two digits or more, three leave 2 µm in Chengdu (standards.md 12.1)
_AXIS_M, _E2 = 6378245.0, 0.00669342162296594323  # Krasovsky's ellipsoid, which the formula of GCJ-02 uses


def gcj02_from_wgs84(lonlat: Floats) -> Floats:
    """Shift WGS-84 degrees (n × 2) to GCJ-02 by its public formula.

    Examples
    --------
    >>> shift = gcj02_from_wgs84(np.array([[104.0657, 30.6595]])) - [[104.0657, 30.6595]]
    >>> (shift * [95_800, 110_900]).round(-1).astype(int).tolist()  # metres east and north at Tianfu Square
    [[240, -270]]
    """
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    x, y = lon - 105.0, lat - 35.0
    waves = (20 * np.sin(6 * x * np.pi) + 20 * np.sin(2 * x * np.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + waves
    north += (20 * np.sin(y * np.pi) + 40 * np.sin(y / 3 * np.pi)) * 2 / 3
    north += (160 * np.sin(y / 12 * np.pi) + 320 * np.sin(y * np.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + waves
    east += (20 * np.sin(x * np.pi) + 40 * np.sin(x / 3 * np.pi)) * 2 / 3
    east += (150 * np.sin(x / 12 * np.pi) + 300 * np.sin(x / 30 * np.pi)) * 2 / 3
    phi = np.radians(lat)
    w2 = 1 - _E2 * np.sin(phi) ** 2
    north = np.degrees(north / (_AXIS_M * (1 - _E2) / (w2 * np.sqrt(w2))))
    east = np.degrees(east / (_AXIS_M / np.sqrt(w2) * np.cos(phi)))
    return np.column_stack([lon + east, lat + north])


def bd09_from_wgs84(lonlat: Floats) -> Floats:
    """Shift WGS-84 degrees (n × 2) to BD-09, Baidu's own offset on top of GCJ-02."""
    x, y = gcj02_from_wgs84(lonlat).T
    turn = np.pi * 3000 / 180
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * turn)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * turn)
    return np.column_stack([radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006])


# Rough boxes (west, south, east, north) in which a layer is at all suspected of being in GCJ-02 or BD-09. They are a
# search window and no outline of anything: neighbouring land lies in them, and the data decide.
_IN_USE = (
    (108.4, 18.0, 111.5, 21.5), (107.0, 21.5, 122.2, 23.3), (99.3, 21.4, 102.3, 23.3), (102.3, 22.7, 107.0, 23.3),
    (97.8, 23.3, 122.5, 28.0), (88.6, 27.3, 89.3, 28.0), (85.0, 28.0, 122.5, 31.0), (79.0, 31.0, 122.5, 36.0),
    (75.0, 36.0, 123.0, 40.3), (123.0, 39.0, 124.5, 40.3), (78.0, 40.3, 128.3, 42.0), (80.5, 42.0, 96.3, 45.5),
    (82.5, 45.5, 91.0, 49.0), (96.3, 42.0, 105.0, 42.7), (105.0, 41.5, 111.5, 42.5), (111.5, 42.0, 131.2, 45.0),
    (116.0, 45.0, 131.0, 50.1), (131.0, 45.0, 134.5, 48.4), (119.5, 50.1, 127.4, 53.6),
)  # fmt: skip

_FROM_WGS84: dict[str, Callable[[Floats], Floats]] = {"gcj02": gcj02_from_wgs84, "bd09": bd09_from_wgs84}


def to_wgs84(geometry: npt.NDArray[Any], datum: Datum) -> npt.NDArray[Any]:
    """Return geometries in WGS-84 degrees; CGCS2000 differs by less than the data (standards.md 12.1) and stays.

    Parameters
    ----------
    geometry
        Shapely geometries in degrees of the datum.
    datum
        What the layer's owner declares.
    """
    if datum not in _FROM_WGS84:
        return geometry
    shift = _FROM_WGS84[datum]

    def back(lonlat: Floats) -> Floats:
        found = lonlat.copy()
        for _ in range(_STEPS):
            found = found + lonlat - shift(found)
        return found

    return shapely.transform(geometry, back)


def from_wgs84(lonlat: Floats, datum: Datum) -> Floats:
    """Return WGS-84 degrees (n × 2) as the datum writes them: the other way of `to_wgs84`."""
    return _FROM_WGS84[datum](lonlat) if datum in _FROM_WGS84 else lonlat


def may_be_shifted(bounds: Sequence[float]) -> bool:
    """Tell whether GCJ-02 and BD-09 are in use at all where a layer's middle lies.

    Parameters
    ----------
    bounds
        ``(west, south, east, north)`` in degrees.

    Examples
    --------
    >>> may_be_shifted((104.0, 30.6, 104.1, 30.7)), may_be_shifted((103.8, 1.2, 103.9, 1.3))
    (True, False)
    """
    lon, lat = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    return any(west <= lon <= east and south <= lat <= north for west, south, east, north in _IN_USE)


def shifted(frame: gpd.GeoDataFrame, datum: Datum) -> gpd.GeoDataFrame:
    """Return a table whose geometry, read as if it were WGS-84, is put right for its declared datum; CRS as before."""
    if datum not in _FROM_WGS84:
        return frame
    degrees = frame.geometry.to_crs(WGS84)
    right = gpd.GeoSeries(to_wgs84(degrees.to_numpy(), datum), index=frame.index, crs=WGS84)
    return frame.set_geometry(right.to_crs(frame.crs))
