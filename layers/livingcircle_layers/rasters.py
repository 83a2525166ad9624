"""GeoTIFFs, and no other raster, opened and read with clear errors: people and heights alike."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from pyproj import CRS
from rasterio.errors import NotGeoreferencedWarning
from rasterio.windows import Window

from livingcircle_layers.crs import is_on_earth
from livingcircle_layers.errors import InputError
from livingcircle_layers.parsing import parsed


def opened_raster(file: Path, *, expected: str) -> tuple[rasterio.DatasetReader, CRS]:
    """Open a GeoTIFF that says where it lies; the caller closes it.

    Parameters
    ----------
    file
        A local file.
    expected
        What it should be, as errors say it.

    Raises
    ------
    InputError
        It is no GeoTIFF, holds no plain numbers, has no CRS on the Earth or no cells of a size.
    """
    with warnings.catch_warnings(), parsed(file, expected=expected):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said below, as an error
        dataset = rasterio.open(file, driver="GTiff")
    try:
        return dataset, _checked(dataset, file, expected)
    except InputError:
        dataset.close()
        raise


def _checked(dataset: rasterio.DatasetReader, file: Path, expected: str) -> CRS:
    with parsed(file, expected=expected):
        crs = CRS.from_user_input(dataset.crs) if dataset.crs is not None else None
        back = np.array([dataset.transform.a, dataset.transform.b, dataset.transform.d, dataset.transform.e])
        kind = np.dtype(dataset.dtypes[0]).kind
    if crs is None:
        raise InputError(
            f"{file.name} has no CRS",
            expected="a georeferenced GeoTIFF",
            remedy="assign one, for example gdal_edit.py -a_srs EPSG:4326",
        )
    if not is_on_earth(crs):
        raise InputError(
            f"{file.name}: its CRS has no places on the Earth",
            got=f"{crs.name} ({crs.type_name})",
            expected="degrees, or a plane with a known place",
            remedy="assign the right one, for example gdal_edit.py -a_srs EPSG:4326",
        )
    if not np.isfinite(back).all() or back[0] * back[3] == back[1] * back[2]:
        raise InputError(
            f"{file.name}: its cells have no size",
            got=f"{', '.join(f'{number:g}' for number in back)} per cell",
            expected="a georeferenced GeoTIFF",
            remedy="export it again",
        )
    if kind not in "iuf":
        raise InputError(
            f"{file.name} holds no plain numbers", got=dataset.dtypes[0], expected=expected, remedy="export it again"
        )
    return crs


def read_band(dataset: rasterio.DatasetReader, file: Path, window: Window) -> Any:
    """Return a part of the first band as a masked array."""
    with parsed(file, expected="a whole GeoTIFF", remedy="copy it again"):
        return dataset.read(1, window=window, masked=True)
