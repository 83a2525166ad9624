"""Bands around parks (300米见绿、500米见园): the ground from which people walk to a green within the rule's metres."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from livingcircle.circles import CELL_M, Asked, CircleGrid, Question, answered
from livingcircle.community_circles import ground_of
from livingcircle.measured import Measured
from livingcircle.reach import Layer
from livingcircle.rules import Rule
from livingcircle_layers.crs import WGS84, reprojected

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
        The ground of `livingcircle.community_circles.ground_of`, if it is at hand.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns of `livingcircle.columns.BANDS` in WGS-84 degrees, in the order of the rules. A rule without a green
        has no row.
    """
    city, barriers = ground_of(measured)
    return answered(grid or CircleGrid(city.network, barriers), [bands_question(measured)])[0]


def bands_question(measured: Measured) -> Question:
    """Return the question that `green_bands` answers; rules of as many metres to the same doors share their band."""
    city, _ = ground_of(measured)
    places = shapely.get_coordinates(city.doors.geometry.to_numpy())
    rules, keys = [], []
    asked: dict[tuple[float, bytes], Asked] = {}
    for rule in green_rules(measured):
        doors = city.doors_of(Layer.of(rule))
        doors = doors[city.door_joins.joined[doors]]
        if len(doors) and rule.threshold and rule.threshold >= CELL_M:
            rules.append(rule)
            keys.append((rule.threshold, doors.tobytes()))
            asked[keys[-1]] = Asked(places[doors], city.door_joins.take(doors), [rule.threshold], merge=True)

    def table(drawn: list[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
        bands = {key: band.geometry.iloc[0] for key, band in zip(asked, drawn, strict=True)}
        columns = pd.DataFrame(
            {
                "rule": pd.Series([rule.id for rule in rules], dtype="str"),
                "metres": pd.Series([rule.threshold for rule in rules], dtype="float64"),
                "doors": pd.Series([len(asked[key].xy) for key in keys], dtype="int64"),
            }
        )
        shapes = np.array([bands[key] for key in asked], dtype=object)
        degrees = dict(zip(asked, reprojected(shapes, city.network.streets.crs, WGS84), strict=True))
        geometry = np.array([degrees[key] for key in keys], dtype=object)
        return gpd.GeoDataFrame(columns, geometry=geometry, crs=WGS84)

    return Question(list(asked.values()), table)
