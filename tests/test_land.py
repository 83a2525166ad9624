"""Residential land as demand: points that stand for square metres."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from livingcircle.land import land_notes, land_points, square_metres

UNITS = gpd.GeoDataFrame(
    {"unit_type": ["urban", "rural"]},
    geometry=[shapely.box(0, 0, 200, 200), shapely.box(200, 0, 400, 200)],
    index=["a", "b"],
    crs="EPSG:32648",
)


def land(*polygons: shapely.Polygon) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=list(polygons), crs="EPSG:32648")


def test_a_point_stands_for_its_square_of_the_lattice() -> None:
    # 10 < x < 90 holds the lattice lines 40 and 80, 10 < y < 50 the line 40: 2 points of 40 m × 40 m, 3200 m² as mapped
    points = land_points(land(shapely.box(10, 10, 90, 50)), UNITS)
    assert points.to_dict("list") == {"x": [40.0, 80.0], "y": [40.0, 40.0], "unit": ["a", "a"], "m2": [1600, 1600]}


def test_land_that_is_mapped_twice_counts_once() -> None:
    one = land_points(land(shapely.box(10, 10, 90, 50)), UNITS)
    twice = land_points(land(shapely.box(10, 10, 90, 50), shapely.box(30, 10, 90, 50)), UNITS)
    assert twice.equals(one)


def test_a_piece_between_the_lattice_lines_is_not_lost() -> None:
    points = land_points(land(shapely.box(5, 5, 15, 25)), UNITS)
    assert points["m2"].tolist() == [200]
    assert points["unit"].tolist() == ["a"]


def test_a_point_on_a_border_belongs_to_the_smaller_id_and_land_outside_to_nobody() -> None:
    # lattice lines 160, 200 and 240 cross the strip; 200 is the border; what lies beyond x = 400 is in no community
    points = land_points(land(shapely.box(150, 30, 250, 50), shapely.box(410, 30, 490, 50)), UNITS)
    assert points[["x", "unit"]].to_dict("list") == {"x": [160.0, 200.0, 240.0], "unit": ["a", "a", "b"]}
    people = square_metres(points, UNITS)
    assert people.groups["all"].tolist() == [1600] * 3
    assert people.rural.tolist() == [False, False, True]


def test_no_residential_land_is_an_empty_table() -> None:
    assert len(land_points(land(), UNITS)) == 0


def test_the_order_of_polygons_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, 350, (12, 2))
    boxes = [shapely.box(x, y, x + 45, y + 30) for x, y in corners]
    assert land_points(land(*boxes), UNITS).equals(land_points(land(*reversed(boxes)), UNITS))


def test_too_little_land_for_the_people_is_told() -> None:
    # 1600 m² for 160 people is 10 m² each, which the densest blocks need; for 161 it is less
    points = pd.DataFrame({"m2": [1600]})
    assert land_notes(points, 160) == []
    assert land_notes(points, 0) == []
    assert "9.9 m² each, less than 10" in land_notes(points, 161)[0]
