"""Communities where nobody has drawn any: squares or hexagons over the places where people live."""

from __future__ import annotations

from typing import Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import InputError
from livingcircle_layers.units import Units, no_problems

Geometries = npt.NDArray[np.object_]
Ints = npt.NDArray[np.int64]
Shape = Literal["grid", "hex"]

MIN_CELL_M = 50.0  # finer than the knowledge of where people live
_MOST_CELLS = 1_000_000  # looked at; a million squares of 500 m cover a country


def grid_units(lived_in: Geometries, extent: shapely.Polygon, *, shape: Shape, size_m: float) -> Units:
    """Lay squares or hexagons over the ground where people live.

    The lattice is that of the UTM zone of the extent's centre, so that a cell has the same id and outline whatever
    data it is made for. Neighbours share their corners exactly.

    Parameters
    ----------
    lived_in
        EPSG:4326; people's cells or points and residential land.
    extent
        EPSG:4326; what lies outside makes no cell.
    shape
        ``grid``: squares; ``hex``: hexagons that stand on a corner.
    size_m
        Side of a square, or distance between two opposite sides of a hexagon.

    Returns
    -------
    Units with ids such as ``grid500-32648-00829-06784`` (size, zone, column, row); no type, no upper units.

    Raises
    ------
    InputError
        Nobody lives in the extent, or the cells are too small or too many.
    """
    if size_m < MIN_CELL_M:
        raise InputError(f"{shape}:{size_m:g}", got=f"cells of {size_m:g} m", expected=f"{MIN_CELL_M:g} m or more")
    inside = lived_in[shapely.intersects(extent, lived_in)]
    if len(inside) == 0:
        raise InputError(
            f"{shape}:{size_m:g} has no ground to cover",
            got="nobody and no residential land within the streets' extract",
            remedy="use a population of the same city",
        )
    crs = _utm(extent)
    ground = gpd.GeoSeries(shapely.intersection(inside, extent), crs=WGS84).to_crs(crs).to_numpy()
    if shape == "grid":
        column, row, corners = _squares(shapely.total_bounds(ground), size_m)
    else:
        column, row, corners = _hexagons(shapely.total_bounds(ground), size_m)
    cells = shapely.polygons(corners)
    used = np.unique(shapely.STRtree(cells).query(ground, predicate="intersects")[1])
    zone = crs.to_epsg()
    ids = [f"{shape}{size_m:g}-{zone}-{column[k]:05d}-{row[k]:05d}" for k in used]
    blank = pd.Series("", index=range(len(ids)), dtype="str")
    frame = gpd.GeoDataFrame(
        {"unit_name": ids, "subdistrict": blank.array, "district": blank.array, "unit_type": blank.array},
        geometry=gpd.GeoSeries(cells[used], crs=crs).to_crs(WGS84).to_numpy(),
        crs=WGS84,
        index=pd.Index(ids, name="unit_id", dtype="str"),
    ).sort_index()
    note = f"communities are {len(frame)} {'squares' if shape == 'grid' else 'hexagons'} of {size_m:g} m, drawn by rule"
    return Units(frame, (note,), {}, no_problems())


def _utm(extent: shapely.Polygon) -> CRS:
    centre = shapely.centroid(extent)
    zone = int((centre.x + 180) // 6) % 60 + 1
    return CRS.from_epsg((32600 if centre.y >= 0 else 32700) + zone)


def _squares(bounds: npt.NDArray[np.float64], size: float) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
    column, row = _lattice(bounds, size, size)
    across, up = column[:, None] + np.array([0, 1, 1, 0]), row[:, None] + np.array([0, 0, 1, 1])
    return column, row, np.stack([across * size, up * size], axis=-1)


def _hexagons(bounds: npt.NDArray[np.float64], size: float) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
    """Return hexagons whose corners are counted in half widths and half sides, so that neighbours agree exactly."""
    side = size / np.sqrt(3)
    column, row = _lattice(bounds, size, 1.5 * side)
    across = (2 * column + row % 2)[:, None] + np.array([0, 1, 1, 0, -1, -1])
    up = (3 * row)[:, None] + np.array([-2, -1, 1, 2, 1, -1])
    return column, row, np.stack([across * (size / 2), up * (side / 2)], axis=-1)


def _lattice(bounds: npt.NDArray[np.float64], dx: float, dy: float) -> tuple[Ints, Ints]:
    """Return column and row of every cell that may touch the bounds."""
    first_x, first_y = np.floor(bounds[:2] / (dx, dy)).astype(np.int64) - 1
    last_x, last_y = np.floor(bounds[2:] / (dx, dy)).astype(np.int64) + 2
    if (count := int(last_x - first_x) * int(last_y - first_y)) > _MOST_CELLS:
        raise InputError(
            "too many cells for the communities",
            got=f"{count:,} cells of {dx:g} m over the extract",
            expected=f"at most {_MOST_CELLS:,}",
            remedy="use larger cells or a smaller extract",
        )
    column, row = np.meshgrid(np.arange(first_x, last_x), np.arange(first_y, last_y), indexing="ij")
    return column.ravel(), row.ravel()
