"""Whether coordinates are places on the globe at all, and whether they would be with their axes changed about."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from livingcircle_layers.crs import METRES_REMEDY, WGS84
from livingcircle_layers.errors import InputError

SWAPPED = "longitude and latitude seem swapped"
OFF_GLOBE = "coordinates out of range"
SWAPPED_REMEDY = (
    "change longitude and latitude about: lon and lat in `columns` of a table, "
    "the tool Swap X and Y coordinates of QGIS for a layer"
)
_SHOWN = 5
_AXES_CHANGED = np.array([90.0, 180.0, 90.0, 180.0])


def off_globe(layer: gpd.GeoDataFrame) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Tell which geometries lie outside ±180 and ±90 degrees, and which of those would not with their axes changed.

    Parameters
    ----------
    layer
        In any CRS. Rows without geometry are neither.
    """
    missing = shapely.is_missing(layer.geometry.to_numpy()) | shapely.is_empty(layer.geometry.to_numpy())
    bounds = np.abs(shapely.bounds(layer.geometry.to_crs(WGS84).to_numpy()))
    outside = ~missing & ~((bounds[:, [0, 2]] <= 180) & (bounds[:, [1, 3]] <= 90)).all(axis=1)
    if not layer.crs.is_geographic:
        return outside, np.zeros(len(layer), dtype=bool)
    # As written: what PROJ makes of a latitude of 104° between two systems of degrees is infinite.
    written = np.abs(shapely.bounds(layer.geometry.to_numpy()))
    return outside, outside & (written <= _AXES_CHANGED).all(axis=1)


def on_globe(layer: gpd.GeoDataFrame, label: str) -> gpd.GeoDataFrame:
    """Return the rows of a layer that have a geometry, all of which lie on the globe; see `refuse_off_globe`."""
    refuse_off_globe(layer, label)
    shapes = layer.geometry.to_numpy()
    return layer[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]


def refuse_off_globe(layer: gpd.GeoDataFrame, label: str) -> None:
    """Raise where geometries lie outside ±180 and ±90 degrees.

    Parameters
    ----------
    layer
        In any CRS, indexed by the number of the row.
    label
        What errors call it.

    Raises
    ------
    InputError
        Some do not; it says whether longitude and latitude are changed about.
    """
    outside, swapped = off_globe(layer)
    if not outside.any():
        return
    changed = bool(swapped[outside].all())
    corner = shapely.bounds(layer.geometry.to_numpy())[outside, :2]
    rows = [f"row {row}: {x:g}, {y:g}" for row, (x, y) in zip(layer.index[outside], corner, strict=True)]
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    raise InputError(
        f"{label}: {SWAPPED if changed else OFF_GLOBE} in {len(rows)} of {len(layer)} rows",
        got="; ".join(rows[:_SHOWN]) + more,
        expected="longitude and latitude within ±180 and ±90 degrees",
        remedy=SWAPPED_REMEDY if changed else METRES_REMEDY,
    )
