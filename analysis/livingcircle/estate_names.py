"""Where estates (小区) are by name, so that a resident finds hers on the map."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from livingcircle.inputs import Inputs
from livingcircle_layers.crs import WGS84


def named_estates(inputs: Inputs) -> gpd.GeoDataFrame:
    """Return a point in every residential outline that has a name: the planner's estates and OpenStreetMap's.

    Parameters
    ----------
    inputs
        What was read for a study.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns of `livingcircle.columns.ESTATE_NAMES` in WGS-84 degrees, by name and place; no name twice at one place.
    """
    frames = [inputs.estates.frame[["name", "geometry"]], inputs.osm.residential_land[["name", "geometry"]]]
    table = pd.concat([pd.DataFrame(frame) for frame in frames], ignore_index=True)
    table = table.assign(name=table["name"].fillna("").astype(str).str.strip())
    table = table[table["name"] != ""]
    points = gpd.GeoSeries(table["geometry"].to_numpy(), table.index, crs=inputs.osm.crs).representative_point()
    table = table.assign(_x=points.x.round(1), _y=points.y.round(1), geometry=points)
    table = table.sort_values(["name", "_x", "_y"]).drop_duplicates(["name", "_x", "_y"])
    frame = gpd.GeoDataFrame(table[["name", "geometry"]], geometry="geometry", crs=inputs.osm.crs)
    return frame.reset_index(drop=True).to_crs(WGS84)
