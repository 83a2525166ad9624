"""Catchments (学区): polygons whose people go to the places inside them, and to no other."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle_layers.datum import Datum
from livingcircle_layers.errors import InputError
from livingcircle_layers.outlines import POLYGONS, read_outlines
from livingcircle_layers.sources import Source


def read_catchments(given: Source, *, crs: CRS, datum: Datum = "wgs84") -> tuple[npt.NDArray[Any], pd.DataFrame]:
    """Read the outlines of catchments in the metric plane.

    Parameters
    ----------
    given
        A vector file; each polygon is one catchment.
    crs
        The metric plane of the result.
    datum
        What its coordinates are in; GCJ-02 and BD-09 are shifted to WGS-84.

    Returns
    -------
    The outlines, and a row of `unplaced.csv` for each row that holds none.

    Raises
    ------
    InputError
        The file holds no polygon, or its coordinates are no places on the globe.
    """
    layer, lost = read_outlines(given, crs=crs, datum=datum, kinds=POLYGONS)
    if layer.empty:
        raise InputError(f"{given.label} holds no catchment", got="no polygon", expected="polygons, one per catchment")
    outlines: npt.NDArray[Any] = shapely.make_valid(layer.geometry.to_numpy())
    return outlines, lost
