"""Layers of outlines (estates, catchments, parcels): put into the plane, and the rows that hold no outline listed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle_layers.datum import Datum, shifted
from livingcircle_layers.globe import refuse_off_globe
from livingcircle_layers.sources import Source
from livingcircle_layers.unplaced import unplaced_rows
from livingcircle_layers.vectors import BROKEN, BROKEN_SHAPE, BROKEN_WHY, NO_SHAPE, read_vector

POINT, POLYGONS = 0, (3, 6)  # of shapely's types


def read_outlines(
    source: Source, *, crs: CRS, datum: Datum, kinds: Sequence[int]
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Read a layer of outlines into the metric plane; what cannot be used is listed, not dropped.

    Parameters
    ----------
    source
        A vector file, or a table of a database.
    crs
        The metric plane of the result.
    datum
        What its coordinates are in; GCJ-02 and BD-09 are shifted to WGS-84.
    kinds
        Types of geometry that can be used, as numbers of shapely.

    Returns
    -------
    The rows that can be used, by their number in the file, with the ``attrs`` of `read_vector`; and a row of
    `unplaced.csv` for each of the others.

    Raises
    ------
    InputError
        The layer cannot be read, or its coordinates are no places on the globe.
    """
    layer = read_vector(source)
    refuse_off_globe(layer, source.label)
    shapes = layer.geometry.to_numpy()
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    usable = ~missing & np.isin(shapely.get_type_id(shapes), kinds)
    return shifted(layer[usable], datum).to_crs(crs), unplaced_rows(_lost(source.label, layer, missing, ~usable))


def _lost(
    label: str, layer: gpd.GeoDataFrame, missing: npt.NDArray[np.bool_], unused: npt.NDArray[np.bool_]
) -> Iterator[dict[str, Any]]:
    broken = set(layer.attrs.get(BROKEN, ()))
    for at in np.flatnonzero(unused):
        row, reason, detail = layer.index[at], f"geometry is a {str(layer.geom_type.iloc[at]).lower()}", ""
        if missing[at]:
            reason, detail = (BROKEN_SHAPE, BROKEN_WHY) if row in broken else (NO_SHAPE, "")
        yield {"source": label, "row": str(row), "reason": reason, "detail": detail}
