"""Catchments (学区): polygons whose people go to the places inside them, and to no other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS

from livingcircle_layers.datum import Datum, shifted
from livingcircle_layers.errors import InputError
from livingcircle_layers.globe import on_globe
from livingcircle_layers.sources import Source
from livingcircle_layers.vectors import read_vector

_POLYGONS = (3, 6)  # of shapely's types


def read_catchments(given: Source, *, crs: CRS, datum: Datum = "wgs84") -> npt.NDArray[Any]:
    """Read the outlines of catchments in the metric plane.

    Parameters
    ----------
    given
        A vector file; each polygon is one catchment.
    crs
        The metric plane of the result.
    datum
        What its coordinates are in; GCJ-02 and BD-09 are shifted to WGS-84.

    Raises
    ------
    InputError
        The file holds no polygon, or its coordinates are no places on the globe.
    """
    shapes = shifted(on_globe(read_vector(given), given.label), datum).to_crs(crs).geometry.to_numpy()
    shapes = shapes[np.isin(shapely.get_type_id(shapes), _POLYGONS)]
    if not len(shapes):
        raise InputError(f"{given.label} holds no catchment", got="no polygon", expected="polygons, one per catchment")
    outlines: npt.NDArray[Any] = shapely.make_valid(shapes)
    return outlines
