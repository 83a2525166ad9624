"""Points on a fixed lattice of the metric plane, and the polygon that a point is counted in."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

LATTICE_M = 40.0  # points stand on multiples of this in the metric plane, wherever the data is cut

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Geometries = npt.NDArray[Any]


def lattice_points(polygons: Geometries) -> tuple[Ints, Floats, Floats]:
    """Return the points of the lattice that lie in polygons.

    Parameters
    ----------
    polygons
        In a metric plane; none of them empty.

    Returns
    -------
    For every point the position of its polygon, ascending, and x and y in metres. A point in several polygons
    comes once for each.
    """
    west, south, east, north = (shapely.bounds(polygons) / LATTICE_M).T
    first_x, first_y = np.ceil(west), np.ceil(south)
    columns = np.maximum(np.floor(east) - first_x + 1, 0).astype(np.int64)
    rows = np.maximum(np.floor(north) - first_y + 1, 0).astype(np.int64)
    size = columns * rows
    polygon = np.repeat(np.arange(len(polygons)), size)
    k = np.arange(len(polygon)) - np.repeat(np.cumsum(size) - size, size)
    x = (first_x[polygon] + k // rows[polygon]) * LATTICE_M
    y = (first_y[polygon] + k % rows[polygon]) * LATTICE_M
    shapely.prepare(polygons)
    inside = shapely.intersects_xy(polygons[polygon], x, y)
    return polygon[inside], x[inside], y[inside]


def first_inside(points: Geometries, polygons: Geometries) -> Ints:
    """Return for each point the polygon it is counted in: on a border the first one; -1 outside all."""
    place, polygon = shapely.STRtree(polygons).query(points, predicate="intersects")
    found = np.full(len(points), len(polygons))
    np.minimum.at(found, place, polygon)
    return np.where(found == len(polygons), -1, found)
