"""Rows of facilities, alike for those of OpenStreetMap and those of a planner's files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle_layers.catalogue import Refusal
from livingcircle_layers.cleaning import change

Records = list[dict[str, Any]]

# a metro station with an entrance this near is entered there, not at its centre (a judgement)
STATION_ENTRANCE_M = 300.0
_COLUMNS = ["facility_id", "service", "name", "source", "area_m2", "ground", "fence_tag"]


def rows_frame(rows: list[tuple[Any, ...]], geometry: Any, crs: CRS) -> gpd.GeoDataFrame:
    """Return rows ``facility_id, service, name, source, area_m2, ground, fence_tag`` as facilities with a geometry."""
    table = pd.DataFrame(rows, columns=_COLUMNS).astype(
        {
            "facility_id": "str", "service": "str", "name": "str", "source": "str",
            "area_m2": "float64", "ground": "bool", "fence_tag": "bool",
        }
    )  # fmt: skip
    places = gpd.GeoSeries(geometry, crs=crs)
    return gpd.GeoDataFrame(table.assign(given=places), geometry=places)


def refused(row: Mapping[str, Any], refusal: Refusal) -> dict[str, Any]:
    """Return the record of a row whose name says that it is no place of its service."""
    kinds = {"wrong_category": "is the name of another kind of place", "part_of_place": "is a part of a place"}
    reason = f"{refusal.word!r} in its name: {kinds[refusal.rule]}"
    return change({**row, "service": refusal.service}, "removed", refusal.rule, reason)


def stations_by_entrances(
    frame: gpd.GeoDataFrame, way_in: npt.NDArray[np.bool_], *, keep: frozenset[str]
) -> tuple[gpd.GeoDataFrame, Records]:
    """Remove stations that have known entrances: nobody boards at the middle of the platform.

    Parameters
    ----------
    way_in
        Which rows are entrances.
    keep
        Ids that stay on the planner's word.
    """
    metro = np.flatnonzero(frame["service"].to_numpy() == "metro")
    entrance = way_in[metro]
    geometry = frame.geometry.to_numpy()[metro]
    tree = shapely.STRtree(geometry[entrance])
    near = np.unique(tree.query(geometry[~entrance], predicate="dwithin", distance=STATION_ENTRANCE_M)[0])
    gone = metro[~entrance][near]
    gone = gone[~frame["facility_id"].isin(keep).to_numpy()[gone]]
    reason = f"entrances of it are known within {STATION_ENTRANCE_M:g} m; they stand for the station"
    records = [change(frame.iloc[i], "removed", "entered_elsewhere", reason) for i in gone]
    return frame.drop(index=gone).reset_index(drop=True), records
