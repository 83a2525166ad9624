"""Bands around parks (300米见绿、500米见园): the ground from which people walk to a green within the rule's metres."""

from __future__ import annotations

from contextlib import ExitStack

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from livingcircle.circles import CircleGrid, shapes_of
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
    """Return the band of every such rule: one search from all doors of the greens that it counts, drawn side by side.

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
    walk = grid.network.walk()
    asked = []
    for rule in green_rules(measured):
        doors = city.doors_of(Layer.of(rule))
        doors = doors[city.door_joins.joined[doors]]
        if len(doors) and rule.threshold:
            asked.append((rule, doors))
    with ExitStack() as stack:
        searches = [
            stack.enter_context(
                grid.searched(
                    walk, places[doors], city.door_joins.take(doors), np.array([rule.threshold]), towards=True
                )
            )
            for rule, doors in asked
        ]
        shapes = [shapes_of(rings)[0] for rings in grid.bands(searches)]
    columns = pd.DataFrame(
        {
            "rule": pd.Series([rule.id for rule, _ in asked], dtype="str"),
            "metres": pd.Series([rule.threshold for rule, _ in asked], dtype="float64"),
            "doors": pd.Series([len(doors) for _, doors in asked], dtype="int64"),
        }
    )
    return gpd.GeoDataFrame(columns, geometry=np.array(shapes, dtype=object), crs=crs).to_crs(WGS84)
