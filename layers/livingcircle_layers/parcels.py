"""Parcels (地块): where a planner could add a place."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle_layers.datum import Datum
from livingcircle_layers.errors import InputError
from livingcircle_layers.headings import find_columns
from livingcircle_layers.outlines import POINT, POLYGONS, read_outlines
from livingcircle_layers.sources import Source
from livingcircle_layers.vectors import attributes_as_text

_HEADINGS = {
    "id": ("id", "parcelid", "parcel_id", "地块编号", "宗地编号", "编号", "code"),
    "name": ("name", "名称", "地块名称", "parcelname", "parcel_name"),
}


def read_parcels(
    given: Source | Path | str, *, crs: CRS, datum: Datum = "wgs84"
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
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
    tuple
        ``parcel_id`` (of the file, else file and row), ``name``, ``geometry``, by id; and a row of `unplaced.csv` for
        each row that is no parcel.

    Raises
    ------
    InputError
        There is neither polygon nor point, a heading does not exist, an id stands twice, or coordinates are no places
        on the globe.
    """
    source = Source.of(given)
    layer, lost = read_outlines(source, crs=crs, datum=datum, kinds=(POINT, *POLYGONS))
    if layer.empty:
        raise InputError(f"{source.label} holds no parcel", got="lines only", expected="polygons or points")
    table = attributes_as_text(layer)
    used = find_columns(table, list(_HEADINGS), columns=source.columns, what=source.label, usual=_HEADINGS)
    texts = {role: table[used[role]] if role in used else pd.Series("", table.index, dtype="str") for role in _HEADINGS}
    ids = texts["id"]
    ids = ids.where(ids != "", [f"{source.label}:{row}" for row in layer.index])
    twice = ids[ids.duplicated()]
    if len(twice):
        raise InputError(
            f"{source.label}: ids stand for several parcels", got=", ".join(sorted(set(twice))[:5]),
            expected="an id for each parcel", remedy='correct the file, or leave the ids out: columns = {id = ""}',
        )  # fmt: skip
    frame = gpd.GeoDataFrame(
        {"parcel_id": ids.to_numpy(), "name": texts["name"].to_numpy()},
        geometry=shapely.make_valid(layer.geometry.to_numpy()),
        crs=crs,
    )
    return frame.sort_values("parcel_id", ignore_index=True), lost
