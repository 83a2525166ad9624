"""Parks and other grounds: what is one ground, how large it is, and whether everybody may go there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.cleaning import Override
from livingcircle_layers.crs import WGS84, metric_crs
from livingcircle_layers.facilities import Facilities, gather_facilities
from livingcircle_layers.grounds import CAMPUS_M, TOUCH_M, OpenGrounds, _pairs, ground_m2, roads_of
from livingcircle_layers.names import core_name, core_names
from towns import Town

CATALOGUE = load_catalogue()
PARK = {"leisure": "park"}


def gather(town: Town, folder: Path, **more: Any) -> Facilities:
    osm = town.read(folder)
    return gather_facilities(osm.features, CATALOGUE, roads=roads_of(osm.streets.lines, osm.streets.highway), **more)


def street() -> Town:
    return Town("a----b").way("ab")


def areas(found: Facilities, service: str) -> list[float]:
    return sorted(found.frame.loc[found.frame["service"] == service, "area_m2"].round(-1))


# What is one ground -------------------------------------------------------------------------------


@pytest.mark.parametrize(("gap", "expected"), [(0, [12000]), (4.9, [12000]), (5.3, [6000, 6000])])
def test_parks_that_touch_are_one(tmp_path: Path, gap: float, expected: list[float]) -> None:
    town = street().box(0, 50, 100, 60, **PARK).box(100 + gap, 50, 100, 60, **PARK, name="示意公园")
    found = gather(town, tmp_path)
    assert areas(found, "park") == expected
    if len(expected) == 1:
        assert found.frame["name"].tolist() == ["示意公园"]
        assert found.changes[["action", "rule"]].values.tolist() == [["merged", "touching"]]
        assert found.changes["distance_m"].iloc[0] == pytest.approx(gap, abs=0.02)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 12.0, 14.9, 15.0, 15.1, 60.0, 109.9, 110.0, 110.1, 300.0]),
            st.sampled_from(["park", "primary_school"]),
            st.sampled_from(["osm", "list.csv"]),
            st.sampled_from(["", "新桥公园", "新桥 公园", "行知小学校", "行知小学"]),
        ),
        max_size=8,
    )
)
def test_grounds_are_one_by_the_plain_rule(rows: list[tuple[float, str, str, str]]) -> None:
    frame = pd.DataFrame(rows, columns=["x", "service", "source", "name"]).astype({"x": float, "name": "str"})
    west = frame["x"].to_numpy()
    crs = metric_crs((104.0, 30.6, 104.1, 30.7))
    frame = gpd.GeoDataFrame(frame, geometry=shapely.box(west, 0, west + 10, 10), crs=crs)
    plain = {}
    for i, (x, *kind, name) in enumerate(rows):
        for j, (other, *its_kind, its_name) in enumerate(rows[i + 1 :], start=i + 1):
            gap = max(abs(x - other) - 10, 0)
            if kind == its_kind and core_name(name) == core_name(its_name) != "" and gap <= CAMPUS_M:
                plain[i, j] = "one_campus"
            elif kind == its_kind and kind[0] == "park" and gap <= TOUCH_M:
                plain[i, j] = "touching"
    green = (frame["service"] == "park").to_numpy()
    i, j, rule = _pairs(frame, np.arange(len(frame)), np.array([], dtype=object), green)
    assert list(zip(zip(i.tolist(), j.tolist(), strict=True), rule.tolist(), strict=True)) == sorted(plain.items())


@given(st.lists(st.text("行知小中学校 (A)", max_size=6), max_size=8))
def test_names_of_a_column_are_reduced_as_each_is(names: list[str]) -> None:
    assert core_names(pd.Series(names, dtype="str")).tolist() == [core_name(name) for name in names]


@pytest.mark.parametrize(("highway", "one"), [("residential", False), ("footway", True), ("path", True)])
def test_a_road_separates_parks_and_a_path_does_not(tmp_path: Path, highway: str, one: bool) -> None:
    town = street().box(0, 50, 100, 60, **PARK).box(102, 50, 100, 60, **PARK)
    town.street((101, 40), (101, 120), highway=highway)
    assert areas(gather(town, tmp_path), "park") == ([12000] if one else [6000, 6000])


def test_a_road_that_crosses_the_seam_separates_nothing(tmp_path: Path) -> None:
    town = street().box(0, 50, 100, 60, **PARK).box(102, 50, 100, 60, **PARK)
    town.street((-20, 80), (300, 80), highway="residential")
    assert areas(gather(town, tmp_path), "park") == [12000]


def test_a_park_of_several_parts_of_one_name_is_one_across_a_road(tmp_path: Path) -> None:
    town = street().box(0, 50, 100, 60, **PARK, name="沙河公园").box(130, 50, 100, 60, **PARK, name="沙河公园")
    town.street((115, 0), (115, 200), highway="primary")
    found = gather(town, tmp_path)
    assert areas(found, "park") == [12000]
    assert found.changes["rule"].tolist() == ["one_campus"]


@pytest.mark.parametrize("tags", [{"amenity": "hospital"}, {"amenity": "school"}])
def test_buildings_of_one_campus_are_one(tmp_path: Path, tags: dict[str, str]) -> None:
    name = "示意医院" if tags["amenity"] == "hospital" else "示意小学"
    town = street().box(0, 50, 40, 60, **tags, name=name).box(100, 50, 40, 60, **tags, name=name)
    found = gather(town, tmp_path)
    assert len(found.frame) == 1
    assert found.frame.geometry.iloc[0].geom_type == "MultiPolygon"


def test_schools_and_pitches_side_by_side_stay_two(tmp_path: Path) -> None:
    town = (
        street()
        .box(0, 50, 40, 60, amenity="school", name="甲小学")
        .box(40, 50, 40, 60, amenity="school", name="乙小学")
    )
    town.box(200, 50, 40, 20, leisure="pitch", sport="tennis").box(240, 50, 40, 20, leisure="pitch", sport="tennis")
    found = gather(town, tmp_path)
    assert (found.frame["service"] == "primary_school").sum() == 2
    assert (found.frame["service"] == "sports_field").sum() == 2


def test_size_classes_are_those_of_the_whole_ground(tmp_path: Path) -> None:
    # Two halves of 300 m² are one park of 600 m²; a rule that asks for 400 m² counts it.
    town = street().box(0, 50, 20, 15, **PARK).box(20, 50, 20, 15, **PARK)
    assert areas(gather(town, tmp_path), "park") == [600]


def test_the_planner_keeps_two_parks_apart(tmp_path: Path) -> None:
    town = street().box(0, 50, 100, 60, **PARK).box(100, 50, 100, 60, **PARK)
    first = gather(town, tmp_path).changes["facility_id"].iloc[0]
    assert areas(gather(town, tmp_path, overrides=[Override(first, keep=True)]), "park") == [6000, 6000]


def test_order_of_the_objects_changes_nothing(tmp_path: Path) -> None:
    town = street().box(0, 50, 100, 60, **PARK).box(100, 50, 100, 60, **PARK).box(200, 50, 50, 60, **PARK, name="x")
    osm = town.read(tmp_path)
    forth, back = (
        gather_facilities(f.reset_index(drop=True), CATALOGUE) for f in (osm.features, osm.features.iloc[::-1])
    )
    pd.testing.assert_frame_equal(
        pd.DataFrame(forth.frame.drop(columns=["geometry", "given"])),
        pd.DataFrame(back.frame.drop(columns=["geometry", "given"])),
    )
    pd.testing.assert_frame_equal(forth.changes, back.changes)


def test_areas_are_those_of_the_ellipsoid() -> None:
    # 100 km from the middle of the plane the plane's areas are 0.025 % too large.
    shapes = gpd.GeoSeries(
        [shapely.box(lon, 30.6, lon + 0.01, 30.61) for lon in (104.0, 104.5, 105.04)] + [shapely.Point(104, 30)],
        crs=WGS84,
    )
    plane = metric_crs((103.9, 30.5, 104.1, 30.7))
    found = ground_m2(shapes.to_crs(plane).to_numpy(), plane)
    truth = [abs(Geod(ellps="WGS84").geometry_area_perimeter(shapely.segmentize(s, 1e-4))[0]) for s in shapes]
    assert found[:3] == pytest.approx(truth[:3], rel=2e-6)
    assert found[3] == 0
    flat = shapely.area(shapes.to_crs(plane).to_numpy())
    assert flat[2] / truth[2] - 1 > 1e-4


# Whether everybody may go there -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "switch"),
    [
        ({"leisure": "park", "access": "private"}, "private"),
        ({"leisure": "park", "access": "permit"}, "private"),
        ({"leisure": "park", "access": "customers"}, "customers"),
        ({"leisure": "park", "fee": "yes"}, "fee"),
        ({"leisure": "pitch", "sport": "soccer", "fee": "10 CNY"}, "fee"),
        ({"leisure": "golf_course"}, "golf"),
        ({"leisure": "pitch", "sport": "golf"}, "golf"),
    ],
)
def test_grounds_that_are_not_open_to_all(tmp_path: Path, tags: dict[str, str], switch: str) -> None:
    town = street().box(0, 50, 100, 60, **tags, name="示意")
    shut = gather(town, tmp_path)
    assert len(shut.frame) == 0
    assert set(shut.unplaced["reason"]) == {"not_public"}
    assert set(shut.changes["rule"]) == {f"not_public_{switch}"}
    assert shut.unplaced["detail"].str.contains(rf"\[grounds\] {switch} = true").all()
    assert len(gather(town, tmp_path, grounds=OpenGrounds(**{switch: True})).frame) >= 1
    kept = gather(town, tmp_path, overrides=[Override(shut.changes["facility_id"].iloc[0], keep=True)])
    assert len(kept.frame) >= 1


@pytest.mark.parametrize("tags", [{"fee": "no"}, {"access": "yes"}, {"access": "permissive"}, {}])
def test_grounds_that_are_open(tmp_path: Path, tags: dict[str, str]) -> None:
    assert areas(gather(street().box(0, 50, 100, 60, **PARK, **tags), tmp_path), "park") == [6000]


@pytest.mark.parametrize("campus", ["school", "kindergarten", "college", "university"])
@pytest.mark.parametrize(("access", "counts"), [("", False), ("yes", True), ("permissive", True), ("private", False)])
def test_pitches_of_schools(tmp_path: Path, campus: str, access: str, counts: bool) -> None:
    tags = {"access": access} if access else {}
    town = street().box(0, 50, 200, 200, amenity=campus, name="示意")
    town.box(20, 70, 60, 100, leisure="pitch", sport="soccer", **tags).box(
        300, 70, 40, 20, leisure="pitch", sport="tennis"
    )
    found = gather(town, tmp_path)
    assert (found.frame["service"] == "sports_field").sum() == (2 if counts else 1)
    if not access:
        assert (gather(town, tmp_path, grounds=OpenGrounds(school=True)).frame["service"] == "sports_field").sum() == 2


def test_a_private_school_is_a_school(tmp_path: Path) -> None:
    town = street().box(0, 50, 100, 60, amenity="school", name="示意小学", access="private", fee="yes")
    assert gather(town, tmp_path).frame["service"].tolist() == ["primary_school"]


def test_a_greenway_is_a_line(tmp_path: Path) -> None:
    town = street().street((0, 50), (500, 50), highway="cycleway", name="锦江绿道")
    found = gather(town, tmp_path)
    assert found.frame["service"].tolist() == ["greenway"]
    assert found.frame.geometry.iloc[0].length == pytest.approx(500, abs=1)
    assert np.isnan(found.frame["area_m2"].iloc[0])
