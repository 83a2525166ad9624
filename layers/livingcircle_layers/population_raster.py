"""Population rasters: people per cell or per km², read piece by piece in any CRS, also turned and scaled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import rasterio
import shapely
from pyproj import CRS
from rasterio.windows import Window

from livingcircle_layers.crs import WGS84, transformer
from livingcircle_layers.errors import InputError
from livingcircle_layers.rasters import opened_raster, read_band

Floats = npt.NDArray[np.float64]
Values = Literal["counts", "density"]

RASTER_SUFFIXES = frozenset({".tif", ".tiff"})
M2_PER_KM2 = 1e6
PIECE = 1024  # cells a side that are in memory at once; of them only those with people stay
# A hectare on which everybody's neighbours are as dense as this does not exist; finer cells may hold one tower.
IMPLAUSIBLE_PER_KM2, SMALLEST_JUDGED_M2 = 200_000.0, 5_000.0
_DENSITY = re.compile(r"densit|(?:/|per[ _]?)(?:sq[ _.]?)?km|(?:^|[_\W])pd(?:$|[_\W])|密度|每平方公里")


@dataclass(frozen=True)
class RasterCells:
    """The cells of a raster that hold people.

    Attributes
    ----------
    people
        Per cell, with decimals, above 0.
    shapes
        Their outlines in the metric plane.
    notes
        What the user should know, a sentence each.
    """

    people: Floats
    shapes: npt.NDArray[np.object_]
    notes: tuple[str, ...]


def is_density(text: str) -> bool:
    """Tell whether a name or unit speaks of people per km².

    Examples
    --------
    >>> is_density("chn_pd_2020_1km"), is_density("population_density_km2"), is_density("chn_ppp_2020")
    (True, True, False)
    """
    return _DENSITY.search(text.casefold()) is not None


def density_fault(name: str, got: str) -> InputError:
    """Return the error for numbers that look like people per km² though nobody said so."""
    return InputError(
        f"{name} looks like a density",
        got=got,
        expected="people, not people per km²",
        remedy='write values = "density" into [population] of the study; or values = "counts" if they are counts',
    )


def read_raster(file: Path, *, crs: CRS, window: shapely.Polygon | None, values: Values | None) -> RasterCells:
    """Read the inhabited cells of a GeoTIFF, whose scale and offset are respected.

    Memory follows the window and not the raster, as it is read in pieces.

    Parameters
    ----------
    file
        The first band holds people per cell or per km².
    crs
        The metric plane of the result.
    window
        In lon/lat; only the cells within its bounds are read. None: all.
    values
        What the numbers are; None: counts, unless they look like a density, which is an error.

    Raises
    ------
    InputError
        The file cannot be read, lies elsewhere, or its numbers cannot be people.
    """
    dataset, source_crs = opened_raster(file, expected="a GeoTIFF")
    with dataset:
        part = _window(file.name, dataset, source_crs, window)
        told = " ".join([file.stem, str(dataset.descriptions[0] or ""), str(dataset.units[0] or "")])
        if values is None and is_density(told):
            raise density_fault(file.name, f"a name or unit that says so: {told.strip()}")
        column, row, numbers = _inhabited(file, dataset, part)
        transform = dataset.transform
        notes = [f"{file.name} has {dataset.count} bands; the first is read"] if dataset.count > 1 else []
        if (part.width, part.height) != (dataset.width, dataset.height):
            notes.append(f"{file.name}: only its cells in the box around the communities are read and counted")
    written = _apply(transform, column[:, None] + np.array([0, 1, 1, 0]), row[:, None] + np.array([0, 0, 1, 1]))
    x, y = transformer(source_crs, crs).transform(*written)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError(
            f"{file.name}: cells with people lie off the globe",
            got=" and ".join(f"{axis.min():.6g} to {axis.max():.6g}" for axis in written) + f" in {source_crs.name}",
            expected="cells within ±180 and ±90 degrees",
            remedy="check the raster's CRS and place",
        )
    shapes = shapely.polygons(np.stack([x, y], axis=-1))
    area = shapely.area(shapes)
    if values == "density":
        numbers = numbers * area / M2_PER_KM2
    elif values is None:
        _check_plausible(file.name, numbers, area)
    return RasterCells(numbers, shapes, tuple(notes))


def _inhabited(file: Path, dataset: rasterio.DatasetReader, part: Window) -> tuple[Floats, Floats, Floats]:
    """Return column, row and number of the cells above 0, from pieces of the window; refuse impossible numbers."""
    name, scale, offset = file.name, dataset.scales[0], dataset.offsets[0]
    found: list[tuple[Floats, Floats, Floats]] = []
    some, negative, lowest = False, 0, 0.0
    for piece in _pieces(part):
        values = read_band(dataset, file, piece)
        with np.errstate(invalid="ignore", over="ignore"):  # what is no number is judged below
            read = values.data.astype(float) * scale + offset
        numbers = np.where(np.ma.getmaskarray(values), np.nan, read)
        if np.isinf(numbers).any():
            raise InputError(f"{name} holds infinite numbers", expected="people per cell", remedy="declare nodata")
        known = ~np.isnan(numbers)
        some = some or bool(known.any())
        negative += int(np.count_nonzero(numbers < 0))
        lowest = min(lowest, float(numbers[known].min(initial=0)))
        row, column = np.nonzero(numbers > 0)
        found.append(
            ((column + piece.col_off).astype(float), (row + piece.row_off).astype(float), numbers[row, column])
        )
    if not some:
        raise InputError(
            f"{name} has only nodata over the communities",
            expected="people per cell",
            remedy="check that the raster is of this city, and what it declares as nodata",
        )
    if negative:
        raise InputError(
            f"{name}: {negative} cells are negative",
            got=f"{lowest:g} as the lowest",
            expected="people per cell, 0 or more",
            remedy=f"if it marks cells without data, declare it: gdal_edit.py -a_nodata {lowest:g}",
        )
    columns, rows, people = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((columns, rows))  # as if read at once
    return columns[order], rows[order], people[order]


def _pieces(part: Window) -> Iterator[Window]:
    for top in range(part.row_off, part.row_off + part.height, PIECE):
        for left in range(part.col_off, part.col_off + part.width, PIECE):
            width = min(PIECE, part.col_off + part.width - left)
            yield Window(left, top, width, min(PIECE, part.row_off + part.height - top))


def _check_plausible(name: str, people: Floats, area: Floats) -> None:
    """Refuse counts under which everybody would live more densely than anywhere on earth."""
    judged = area >= SMALLEST_JUDGED_M2
    total = people[judged].sum()
    if total == 0:
        return
    felt = float((people[judged] ** 2 / (area[judged] / M2_PER_KM2)).sum() / total)  # density where people live
    if felt > IMPLAUSIBLE_PER_KM2:
        raise density_fault(name, f"cells of {np.median(area):,.0f} m², in which the mean person has {felt:,.0f} "
                                  "neighbours per km² if they were counts")  # fmt: skip


def _window(name: str, dataset: rasterio.DatasetReader, source_crs: CRS, window: shapely.Polygon | None) -> Window:
    """Return the part of a raster, rotated or not, that holds the window's bounds."""
    if window is None:
        return Window(0, 0, dataset.width, dataset.height)
    outline = shapely.segmentize(shapely.box(*window.bounds), max(np.ptp(window.bounds[::2]) / 16, 1e-6))
    lon, lat = shapely.get_coordinates(outline).T
    x, y = transformer(WGS84, source_crs).transform(lon, lat)
    column, row = _apply(~dataset.transform, x, y)
    if np.isfinite(column).all() and np.isfinite(row).all():
        left, right = max(int(np.floor(column.min())), 0), min(int(np.ceil(column.max())), dataset.width)
        top, bottom = max(int(np.floor(row.min())), 0), min(int(np.ceil(row.max())), dataset.height)
        if left < right and top < bottom:
            return Window(left, top, right - left, bottom - top)
    west, south, east, north = window.bounds
    raise InputError(
        f"{name} does not overlap the communities",
        got=f"a raster of {', '.join(f'{edge:.6g}' for edge in dataset.bounds)} in {source_crs.name}",
        expected=f"one over {west:.4f}, {south:.4f}, {east:.4f}, {north:.4f} (lon/lat)",
        remedy="check the raster's CRS and place",
    )


def _apply(transform: rasterio.Affine, first: npt.NDArray[Any], second: npt.NDArray[Any]) -> tuple[Floats, Floats]:
    """Apply an affine transform to whole arrays."""
    x = transform.a * first + transform.b * second + transform.c
    y = transform.d * first + transform.e * second + transform.f
    return x, y
