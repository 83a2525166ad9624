"""Circles of facilities: what the map draws around a chosen facility fits what is counted, and is kept and packed."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pytest
import shapely

from demo_scans import demo_result
from livingcircle._map_shapes import facility_circles as packed
from livingcircle.facility_circles import facility_circles
from livingcircle.saved import load_result
from made_result import made_result
from map_reader import unpack

RULE, SERVICE = "gb50180_2018_primary_school", "primary_school"


def in_plane(frame):
    return frame.to_crs(demo_result().run["crs"])


def test_every_joined_facility_of_a_rule_has_the_circle_of_its_limit():
    result = demo_result()
    table = result.facility_circles
    own = table[table["service"] == SERVICE]
    doors = result.access_points
    joined = doors[(doors["service"] == SERVICE) & (doors["edge_id"] >= 0)]["facility_id"]
    assert set(own["facility_id"]) == set(joined)
    assert own["metres"].eq(500).all()
    assert own["minutes"].isna().all()
    assert table.geometry.is_valid.all()
    assert not table.duplicated(["facility_id", "service", "metres", "minutes"]).any()


def test_no_circle_leaves_the_straight_line_radius_and_doors_lie_inside():
    result = demo_result()
    own = in_plane(result.facility_circles.query("service == @SERVICE")).set_index("facility_id").geometry
    doors = in_plane(result.access_points.query("service == @SERVICE and edge_id >= 0"))
    for facility, part in doors.groupby("facility_id"):
        circle, places = own[facility], part.geometry.union_all()
        assert shapely.distance(shapely.points(shapely.get_coordinates(places)), circle).max() < 20  # one cell
        assert shapely.within(circle, places.buffer(500 + 20, quad_segs=64))


def test_people_in_the_circles_are_those_who_are_covered():
    # Homes stand beside streets and cells are 20 m: what is drawn and what is counted may differ so much, no more.
    result = demo_result()
    row = result.coverage.query("rule == @RULE and level == 'city'").iloc[0]
    whole = in_plane(result.facility_circles.query("service == @SERVICE")).geometry.union_all()
    homes, group = result.homes, str(row["group"])
    people = homes["people" if group == "all" else group].to_numpy()
    inside = shapely.intersects_xy(whole, homes["x"].to_numpy(), homes["y"].to_numpy())
    assert people[inside].sum() == pytest.approx(row["covered"], abs=0.08 * row["demand"])
    assert row["covered"] > 0


def test_a_service_with_too_many_places_is_left_out_whole(measured):
    drawn = facility_circles(measured, most=10)
    count = drawn.groupby(["service", "metres", "minutes"], dropna=False).size()
    everything = demo_result().facility_circles.groupby(["service", "metres", "minutes"], dropna=False).size()
    assert 0 < len(drawn) <= 10
    assert (count == everything.reindex(count.index)).all()
    none = facility_circles(measured, most=0)
    assert len(none) == 0
    assert none.crs.to_epsg() == 4326


def made_circles():
    result = made_result()
    places = result.facilities.iloc[[1, 0]]
    return gpd.GeoDataFrame(
        {
            "facility_id": places["facility_id"].to_numpy(), "service": places["service"].to_numpy(),
            "metres": [500.0, np.nan], "minutes": [np.nan, 15.0], "walker": "adult",
        },
        geometry=[shapely.box(104, 30.6, 104.01, 30.61), shapely.box(104, 30.6, 104.02, 30.61)],
        crs=4326,
    )  # fmt: skip


def test_circles_are_kept_and_packed_for_the_map(tmp_path):
    table = made_circles()
    kept = load_result(made_result(facility_circles=table).save(tmp_path / "out"))
    assert kept.facility_circles["facility_id"].tolist() == table["facility_id"].tolist()
    data = packed(kept, [104.0, 30.6])
    assert (data["unit"], data["limit"], unpack(data["walk"])) == (["m", "min"], [500.0, 15.0], [0, 1])
    ids = kept.facilities["facility_id"].tolist()
    assert [ids[i] for i in unpack(data["place"])] == table["facility_id"].tolist()
    assert all(data["shapes"])
    assert load_result(made_result().save(tmp_path / "without")).facility_circles is None
    assert packed(made_result(), [104.0, 30.6]) is None


def test_a_circle_of_a_facility_that_is_not_on_the_map_is_left_out():
    table = made_circles()
    table.loc[0, "facility_id"] = "gone"
    data = packed(dataclasses.replace(made_result(), facility_circles=table), [104.0, 30.6])
    assert len(unpack(data["place"])) == len(data["shapes"]) == 1
