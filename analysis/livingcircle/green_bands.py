"""Bands around parks (300米见绿、500米见园): the ground from which people walk to a green within the rule's metres."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import shapely

from livingcircle.circles import CircleGrid, circles
from livingcircle.community_circles import ground_of
from livingcircle.measured import Measured
from livingcircle.reach import Layer
from livingcircle.rules import Rule
from livingcircle_layers.crs import WGS84

GREEN_STANDARD = "park-300-500"


def green_rules(measured: Measured) -> list[Rule]:
    """Return the rules of the run that count metres of walking to a green of some size."""
    return [
        rule
        for rule in measured.rules.rules
        if rule.standard == GREEN_STANDARD and rule.metric == "walk_m" and rule.threshold and not rule.combine
    ]


def green_bands(measured: Measured, *, grid: CircleGrid | None = None) -> gpd.GeoDataFrame:
    """Return the band of every such rule: one search from all doors of the greens that it counts.

    The bands are for looking at; coverage is computed from the walks of homes and not from them.

    Parameters
    ----------
    measured
        What was measured for a study.
    grid
        The ground of `livingcircle.community_circles.ground_of`, if another table has had it surveyed.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns of `livingcircle.columns.BANDS` in WGS-84 degrees, in the order of the rules. A rule without a green
        has no row.
    """
    city, barriers = ground_of(measured)
    crs = city.network.streets.crs
    grid = grid or CircleGrid(city.network, barriers)
    places = shapely.get_coordinates(city.doors.geometry.to_numpy())
    drawn = []
    for rule in green_rules(measured):
        doors = city.doors_of(Layer.of(rule))
        doors = doors[city.door_joins.joined[doors]]
        if len(doors) and rule.threshold:
            band = circles(grid, places[doors], city.door_joins.take(doors), limits=[rule.threshold], merge=True)
            drawn.append(band.assign(rule=rule.id, metres=rule.threshold, doors=len(doors)))
    if not drawn:
        empty = pd.DataFrame({"rule": pd.Series(dtype="str"), "metres": pd.Series(dtype="float64"), "doors": []})
        return gpd.GeoDataFrame(empty.astype({"doors": "int64"}), geometry=[], crs=WGS84)
    table = pd.concat(drawn, ignore_index=True)
    columns = table[["rule", "metres", "doors"]].astype({"rule": "str"})
    return gpd.GeoDataFrame(columns, geometry=table.geometry.to_numpy(), crs=crs).to_crs(WGS84)
