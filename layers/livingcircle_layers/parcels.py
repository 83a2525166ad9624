"""Parcels (地块): where a planner could add a place."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle_layers.datum import Datum, shifted
from livingcircle_layers.errors import InputError
from livingcircle_layers.globe import on_globe
from livingcircle_layers.headings import plain_heading
from livingcircle_layers.sources import Source
from livingcircle_layers.vectors import read_vector

_HEADINGS = {
    "id": frozenset(("id", "parcelid", "parcel_id", "地块编号", "宗地编号", "编号", "code")),
    "name": frozenset(("name", "名称", "地块名称", "parcelname", "parcel_name")),
}


def read_parcels(given: Source | Path | str, *, crs: CRS, datum: Datum = "wgs84") -> gpd.GeoDataFrame:
    """Read a planner's parcels: polygons or points where a place could be added.

    Parameters
    ----------
    given
        A vector file; `columns` may say which headings hold ``id`` and ``name``.
    crs
        The metric plane of the result.
    datum
        What its coordinates are in; GCJ-02 and BD-09 are shifted to WGS-84.

    Returns
    -------
    geopandas.GeoDataFrame
        ``parcel_id`` (of the file, else file and row), ``name``, ``geometry``, by id.

    Raises
    ------
    InputError
        There is neither polygon nor point, a heading does not exist, an id stands twice, or coordinates are no places
        on the globe.
    """
    source = Source.of(given)
    layer = shifted(on_globe(read_vector(source), source.label), datum).to_crs(crs)
    layer = layer[np.isin(shapely.get_type_id(layer.geometry.to_numpy()), (0, 3, 6))]
    if layer.empty:
        raise InputError(f"{source.label} holds no parcel", got="lines only", expected="polygons or points")
    ids = _texts(layer, source, "id")
    ids = ids.where(ids != "", [f"{source.label}:{row}" for row in layer.index])
    twice = ids[ids.duplicated()]
    if len(twice):
        raise InputError(
            f"{source.label}: ids stand for several parcels", got=", ".join(sorted(set(twice))[:5]),
            expected="an id for each parcel", remedy='correct the file, or leave the ids out: columns = {id = ""}',
        )  # fmt: skip
    frame = gpd.GeoDataFrame(
        {"parcel_id": ids.to_numpy(), "name": _texts(layer, source, "name").to_numpy()},
        geometry=shapely.make_valid(layer.geometry.to_numpy()),
        crs=crs,
    )
    return frame.sort_values("parcel_id", ignore_index=True)


def _texts(layer: gpd.GeoDataFrame, source: Source, role: str) -> pd.Series:
    """Return the texts of a role; empty where the file has no such column."""
    heading = source.columns.get(role)
    if heading is None:
        heading = next((str(c) for c in layer.columns if plain_heading(str(c)) in _HEADINGS[role]), "")
    elif heading and heading not in layer.columns:
        raise InputError(
            f"{source.label} has no column {heading}", expected=", ".join(map(str, layer.columns.drop("geometry"))),
            remedy=f"correct columns = {{{role} = …}}",
        )  # fmt: skip
    if not heading:
        return pd.Series("", index=layer.index, dtype="str")
    return layer[heading].map(lambda v: "" if pd.isna(v) else str(v)).astype("str")
