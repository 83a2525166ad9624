"""Boxes in degrees, of which OpenStreetMap is asked for or cut out: west, south, east, north."""

from __future__ import annotations

import numpy as np
from pyproj import Geod

Box = tuple[float, float, float, float]

LARGEST_KM2 = 20_000.0  # all of Chengdu has 14 335; beyond it an extract of the region is the kinder way


def is_box(box: Box) -> bool:
    """Tell whether a box lies on the earth and has an area."""
    west, south, east, north = box
    return -180 <= west < east <= 180 and -90 <= south < north <= 90


def area_km2(box: Box) -> float:
    """Return the area of a box in km²."""
    width, height = _sides_km(box)
    return width * height


def shown(box: Box) -> str:
    """Return a box as the command line takes it."""
    return ",".join(f"{side:.6f}".rstrip("0").rstrip(".") for side in box)


def around(box: Box, margin_m: float) -> Box:
    """Return a box with a margin on each side."""
    if not margin_m:
        return box
    west, south, east, north = box
    up = margin_m / 111_320.0  # metres in a degree of latitude
    aside = up / max(float(np.cos(np.radians((south + north) / 2))), 0.01)
    return west - aside, south - up, east + aside, north + up


def turned_about(box: Box) -> Box | None:
    """Return what a box was probably meant to be: written as lat,lon, or its corners in another order.

    None where neither gives a box that can be loaded.

    Examples
    --------
    >>> turned_about((30.6, 104.0, 30.7, 104.1))
    (104.0, 30.6, 104.1, 30.7)
    >>> turned_about((104.1, 30.7, 104.0, 30.6))
    (104.0, 30.6, 104.1, 30.7)
    """
    a, b, c, d = box
    for x, y in (((a, c), (b, d)), ((b, d), (a, c))):
        turned = (min(x), min(y), max(x), max(y))
        if turned != box and is_box(turned) and area_km2(turned) <= LARGEST_KM2:
            return turned
    return None


def parts_of(box: Box, part_km2: float) -> list[Box]:
    """Divide a box into equal boxes of at most an area, from south-west to north-east.

    Examples
    --------
    >>> len(parts_of((104.0, 30.6, 104.2, 30.8), 100.0))
    6
    """
    west, south, east, north = box
    width, height = _sides_km(box)
    rows = int(np.ceil(height / np.sqrt(part_km2)))
    columns = int(np.ceil(width * height / rows / part_km2))
    x, y = np.linspace(west, east, columns + 1).round(6).tolist(), np.linspace(south, north, rows + 1).round(6).tolist()
    return [(x[i], y[j], x[i + 1], y[j + 1]) for j in range(rows) for i in range(columns)]


def _sides_km(box: Box) -> tuple[float, float]:
    west, south, east, north = box
    geod, middle = Geod(ellps="WGS84"), (south + north) / 2
    return geod.inv(west, middle, east, middle)[2] / 1000, geod.inv(west, south, west, north)[2] / 1000
