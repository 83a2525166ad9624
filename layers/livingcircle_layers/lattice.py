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
    found = np.full(len(points), -1)
    here = ~shapely.is_empty(points)
    found[here] = first_inside_xy(shapely.get_x(points[here]), shapely.get_y(points[here]), polygons)
    return found


def first_inside_xy(x: Floats, y: Floats, polygons: Geometries) -> Ints:
    """Return what `first_inside` does, for a city's homes without making a geometry of each.

    Parameters
    ----------
    x, y
        Coordinates in the plane of the polygons; NaN lies nowhere.
    polygons
        Some of them may be empty.
    """
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    west, south, east, north = shapely.bounds(polygons).T
    begin, end = np.searchsorted(x, west), np.searchsorted(x, east, side="right")
    inside = np.full(len(x), -1)
    shapely.prepare(polygons)
    for k in reversed(range(len(polygons))):  # so that the first one has the last word
        strip = y[begin[k] : end[k]]
        near = begin[k] + np.flatnonzero((strip >= south[k]) & (strip <= north[k]))
        inside[near[shapely.intersects_xy(polygons[k], x[near], y[near])]] = k
    shapely.destroy_prepared(polygons)  # it takes as much memory as the outlines
    found = np.empty(len(x), dtype=np.int64)
    found[order] = inside
    return found
