"""Bands around greens: what is drawn fits what is counted, and is kept in the folder of a scan."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from demo_scans import demo_result
from livingcircle._map_shapes import bands
from livingcircle.saved import load_result
from made_result import made_result

GREEN, PARK = "park_300_500_walk_network_green", "park_300_500_walk_network_park"


def band_of(rule):
    table = demo_result().bands
    return table[table["rule"] == rule].geometry.union_all()


def test_rules_of_metres_have_a_band_and_rules_of_parts_have_none():
    table = demo_result().bands
    assert table["rule"].tolist() == ["park_300_500_five_minute", GREEN, PARK]
    assert table["metres"].tolist() == [300.0, 300.0, 500.0]
    assert table.crs.to_epsg() == 4326
    assert table.geometry.is_valid.all()


def test_doors_lie_in_the_band():
    result = demo_result()
    large = result.facilities.query("service == 'park' and area_m2 >= 5000")["facility_id"]
    doors = result.access_points
    mine = doors[doors["facility_id"].isin(large) & (doors["service"] == "park") & (doors["edge_id"] >= 0)]
    assert len(mine) > 10
    inside = shapely.distance(mine.geometry.to_numpy(), band_of(PARK)) < 20 / 111_320  # one cell
    assert inside.all()


@pytest.mark.parametrize("rule", [GREEN, PARK])
def test_people_in_the_band_are_those_who_are_covered(rule):
    # Homes stand beside streets and cells are 20 m: what is drawn and what is counted may differ so much, no more.
    result = demo_result()
    row = result.coverage.query("rule == @rule and level == 'city'").iloc[0]
    crs = result.run["crs"]
    homes = gpd.GeoSeries(gpd.points_from_xy(result.homes["x"], result.homes["y"]), crs=crs).to_crs(4326)
    inside = shapely.contains_properly(band_of(rule), homes.to_numpy())
    people = result.homes["people"].to_numpy()[inside].sum()
    assert people == pytest.approx(row["covered"], abs=0.08 * row["demand"])
    assert people > 0


def test_bands_are_kept_and_packed_for_the_map(tmp_path):
    table = gpd.GeoDataFrame(
        {"rule": [GREEN], "metres": [300.0], "doors": [4]}, geometry=[shapely.box(104, 30.6, 104.01, 30.61)], crs=4326
    )
    folder = made_result(bands=table).save(tmp_path / "out")
    kept = load_result(folder)
    assert kept.bands["rule"].tolist() == [GREEN]
    assert np.isclose(shapely.area(kept.bands.geometry.to_numpy()), 1e-4).all()
    assert [band["rule"] for band in bands(kept, [104.0, 30.6])] == [GREEN]
    without = made_result().save(tmp_path / "without")
    assert not (without / "bands.gpkg").exists()
    assert load_result(without).bands is None
