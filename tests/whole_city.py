"""A made result as large as a whole city, with winding outlines, circles, facilities and streets."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from livingcircle.result import ScanResult
from synthetic import CELL, SOUTH, WEST, synthetic_result

BENDS = 24  # vertices along one side of a community


def whole_city(number: int = 4_351, *, rules: int = 20, places: int = 30_000, roads: int = 60_000) -> ScanResult:
    """Make a city of `number` communities with `rules` rules for two walkers."""
    rows = int(np.sqrt(number))
    columns = -(-number // rows)
    result = synthetic_result(rows=rows, columns=columns, places=places)
    keep = result.coverage["rule"].drop_duplicates().head(rules)
    communities = _winding(result.communities.iloc[:number], rows, columns)
    wanted = (result.coverage["level"] != "community") | result.coverage["unit_id"].isin(communities.index)
    scores = result.scores
    kept = (scores["level"] != "community") | scores["unit_id"].isin(communities.index)
    return dataclasses.replace(
        result,
        coverage=result.coverage[wanted & result.coverage["rule"].isin(keep)].reset_index(drop=True),
        scores=scores[kept].reset_index(drop=True),
        communities=communities,
        circles=made_circles(communities),
        background=pd.concat([result.background, _roads(rows, columns, roads)], ignore_index=True),
    )


def _winding(communities: gpd.GeoDataFrame, rows: int, columns: int) -> gpd.GeoDataFrame:
    """Give every border many bends that both neighbours share: a wave that depends on the place alone."""
    dense = shapely.segmentize(communities.geometry.to_numpy(), CELL / BENDS)

    def wave(xy: np.ndarray) -> np.ndarray:
        x, y = ((xy - (WEST, SOUTH)) / CELL).T
        return xy + np.c_[np.sin(9 * y + 5 * x), np.cos(11 * x - 7 * y)] * CELL * 0.03

    return communities.set_geometry(shapely.transform(dense, wave), crs=communities.crs)


def made_circles(communities: gpd.GeoDataFrame, walkers: tuple[str, ...] = ("adult",)) -> gpd.GeoDataFrame:
    """Make the table of circles: ragged rounds about the middle of each community, for 5, 10 and 15 minutes."""
    middles = shapely.get_coordinates(shapely.point_on_surface(communities.geometry.to_numpy()))
    turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    parts = []
    for walker in walkers:
        for minutes in (5.0, 10.0, 15.0):
            radius = minutes * 80 / 111_320 * (1 + 0.25 * np.sin(7 * turn)) * (1 + 0.1 * np.cos(23 * turn))
            round_ = radius[:, None] * np.c_[np.cos(turn), np.sin(turn)]
            parts.append(
                gpd.GeoDataFrame(
                    {
                        "unit_id": communities.index,
                        "unit_name": communities["unit_name"].to_numpy(),
                        "walker": walker,
                        "minutes": minutes,
                        "people": (communities["people"].to_numpy() * minutes / 15).astype("int64"),
                        "area_m2": np.pi * (minutes * 80) ** 2,
                        "pedestrian_shed": 0.7,
                        "lon": middles[:, 0],
                        "lat": middles[:, 1],
                    },
                    geometry=shapely.polygons(middles[:, None, :] + round_[None]),
                    crs="EPSG:4326",
                )
            )
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs="EPSG:4326")


def _roads(rows: int, columns: int, number: int) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(3)
    start = rng.uniform((0, 0), (columns, rows), (number, 2))
    bends = rng.normal(0, 0.03, (number, 8, 2)).cumsum(axis=1)
    lines = shapely.linestrings((start[:, None] + bends) * CELL + (WEST, SOUTH))
    return gpd.GeoDataFrame(
        {"kind": "road", "rank": rng.choice([1, 2, 3, 4, 5], number, p=[0.02, 0.05, 0.13, 0.3, 0.5]), "name": ""},
        geometry=lines,
        crs="EPSG:4326",
    )
