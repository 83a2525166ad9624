"""Coordinates of Chinese web maps: GCJ-02 and BD-09, back to WGS-84. Only a declared layer is ever shifted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import shapely

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
