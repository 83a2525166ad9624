"""One place, one facility: what is merged and what is removed, each with a record that the planner can overrule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from livingcircle.columns import FACILITY_CHANGES
from livingcircle.scan import scan
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.cleaning import CHANGE_COLUMNS, Override, changes_table, merged
from livingcircle_layers.errors import InputError
from livingcircle_layers.facilities import Facilities, gather_facilities
from livingcircle_layers.facility_files import FacilitySource
from livingcircle_layers.names import core_name, same_place_name
from livingcircle_layers.sources import Source
from towns import CRS, Town, study_of, write_table

CATALOGUE = load_catalogue()
SCHOOL = {"amenity": "school", "name": "示意小学"}


def gather(town: Town, folder: Path, *tables: tuple[str, list[tuple[Any, ...]]], **more: Any) -> Facilities:
    """Put the drawn town and tables with the columns name and 类型 together."""
    osm = town.read(folder)
    files = [write_table(folder / name, "id,name,类型", rows) for name, rows in tables]
    sources = [FacilitySource(Source(file)) for file in files]
    return gather_facilities(osm.features, CATALOGUE, sources, estates=osm.residential_land, **more)


def street() -> Town:
    return Town("a----b").way("ab")


def changes(found: Facilities) -> list[tuple[str, str, str, str]]:
    return [
        (r.facility_id, r.action, r.into, r.rule)
        for r in found.changes[["facility_id", "action", "into", "rule"]].itertuples()
    ]


def ids(found: Facilities) -> list[str]:
    return sorted(found.frame["facility_id"])


# Merging ------------------------------------------------------------------------------------------


def test_a_school_of_three_lists_is_one(tmp_path: Path) -> None:
    # The map knows the ground (0..100, 50..110), the export a point 40 m beside it, the office's list one 130 m away.
    town = street().box(0, 50, 100, 60, **SCHOOL)
    export = ("poi.csv", [(140, 80, "p1", "成都市示意小学", "小学")])
    office = ("office.csv", [(230, 80, "o1", "示意小学校", "小学")])
    found = gather(town, tmp_path, export, office)
    assert len(found.frame) == 1
    school = found.frame.iloc[0]
    assert school["facility_id"] in ("poi.csv:p1", "office.csv:o1")
    assert school.geometry.area == pytest.approx(6000, abs=10)  # the outline of the map
    assert school["area_m2"] == pytest.approx(6000, abs=10)
    assert len(found.changes) == 2
    assert set(found.changes["action"]) == {"merged"}
    assert set(found.changes["into"]) == {school["facility_id"]}


def test_what_is_known_of_a_place_is_put_together() -> None:
    frame = table(
        ("osm:1", "", "osm", np.nan, shapely.Point(0, 0)),
        ("mine:1", "示意公园", "mine", np.nan, shapely.Point(5, 0)),
        ("more:1", "示意公园", "more", 900.0, shapely.Point(9, 0)),
    )
    found, records = merged(frame)
    assert found["facility_id"].tolist() == ["osm:1", "mine:1"]  # a point without a name agrees with nobody
    assert found["area_m2"].tolist() == [pytest.approx(np.nan, nan_ok=True), 900.0]
    assert [(r["facility_id"], r["into"], r["distance_m"], r["rule"]) for r in records] == [
        ("more:1", "mine:1", 4.0, "same_name")
    ]


@pytest.mark.parametrize(
    ("ground", "one_list", "gap", "one"),
    [
        (True, False, 299, True), (True, False, 301, False), (True, True, 99, True), (True, True, 101, False),
        (False, False, 49, True), (False, False, 51, False), (False, True, 9, True), (False, True, 11, False),
    ],
)  # fmt: skip
def test_how_far_apart_one_place_may_be(ground: bool, one_list: bool, gap: float, one: bool) -> None:
    frame = table(
        ("a:1", "红旗超市", "a", np.nan, shapely.Point(0, 0)),
        ("b:1", "红旗超市", "a" if one_list else "b", np.nan, shapely.Point(gap, 0)),
        ground=ground,
    )
    assert len(merged(frame)[0]) == (1 if one else 2)


def test_of_a_chain_only_the_nearest_shop_is_the_same() -> None:
    # Two shops of one name 30 m apart in both lists: two places, each the nearest of its pair.
    frame = table(
        ("a:1", "红旗超市", "a", np.nan, shapely.Point(0, 0)),
        ("a:2", "红旗超市", "a", np.nan, shapely.Point(30, 0)),
        ("b:1", "红旗超市", "b", np.nan, shapely.Point(2, 0)),
        ("b:2", "红旗超市", "b", np.nan, shapely.Point(31, 0)),
        ground=False,
    )
    found, records = merged(frame)
    assert found["facility_id"].tolist() == ["a:1", "a:2"]
    assert {(r["facility_id"], r["into"]) for r in records} == {("b:1", "a:1"), ("b:2", "a:2")}


def test_rows_do_not_join_in_chains() -> None:
    # 250 m steps: every row joins one within 300 m of it, never through a third; so five rows stay two places at least
    frame = table(*((f"{n}:1", "示意公园", n, np.nan, shapely.Point(250 * k, 0)) for k, n in enumerate("abcde")))
    found, records = merged(frame)
    assert len(found) >= 2
    assert len(found) + len(records) == 5
    assert {r["into"] for r in records} <= set(found["facility_id"])
    assert [r["distance_m"] for r in records] == [250.0] * len(records)
    # both ends of three lie within 300 m of the middle, which takes them
    assert merged(frame.iloc[:3])[0]["facility_id"].tolist() == ["b:1"]


def test_another_service_or_name_is_another_place() -> None:
    frame = table(
        ("a:1", "示意公园", "a", np.nan, shapely.Point(0, 0)), ("b:1", "另一公园", "b", np.nan, shapely.Point(1, 0))
    )
    assert len(merged(frame)[0]) == 2
    assert len(merged(frame.assign(name="示意公园", service=["park", "square"]))[0]) == 2


def test_a_point_in_an_outline_of_its_service_is_that_ground() -> None:
    frame = table(
        ("osm:1", "", "osm", np.nan, shapely.Point(5, 5)),
        ("osm:2", "示意公园", "osm", 400.0, shapely.box(0, 0, 20, 20)),
    )
    found, records = merged(frame)
    assert found["facility_id"].tolist() == ["osm:2"]
    assert records[0]["rule"] == "inside"


def test_the_outline_tells_the_name_of_what_lies_in_it(tmp_path: Path) -> None:
    town = street().box(0, 50, 100, 60, leisure="park", name="人民公园")
    found = gather(town, tmp_path, ("poi.csv", [(50, 80, "1", "山水游园", "公园")]))
    assert found.frame[["facility_id", "name"]].values.tolist() == [["poi.csv:1", "人民公园"]]


def test_of_two_rows_at_one_outline_the_one_of_its_name_stays(tmp_path: Path) -> None:
    town = street().box(0, 50, 100, 60, leisure="park", name="文化公园")
    rows = [(50, 80, "1", "一座游园", "公园"), (60, 80, "2", "成都市文化公园", "公园")]
    found = gather(town, tmp_path, ("poi.csv", rows))
    assert found.frame[["facility_id", "name"]].values.tolist() == [["poi.csv:2", "成都市文化公园"]]
    assert ("poi.csv:1", "merged", "poi.csv:2", "same_outline") in changes(found)


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(range(7)), data=st.data())
def test_order_of_the_rows_changes_nothing(order: list[int], data: st.DataObject) -> None:
    x = data.draw(st.lists(st.integers(0, 400), min_size=7, max_size=7))
    rows = [
        (f"{s}:{k}", name, s, np.nan, shapely.Point(x[k], 0))
        for k, (s, name) in enumerate(zip("aabbccc", ["甲公园", "乙公园"] * 3 + ["甲公园"], strict=True))
    ]
    forth, records = merged(table(*rows))
    back, other = merged(table(*(rows[k] for k in order)))
    assert sorted(forth["facility_id"]) == sorted(back["facility_id"])
    pd.testing.assert_frame_equal(changes_table(records), changes_table(other))
    # Nobody is lost: every row is a facility or went into one.
    assert set(forth["facility_id"]) | {r["facility_id"] for r in records} == {row[0] for row in rows}
    assert {r["into"] for r in records} <= set(forth["facility_id"])


def table(*rows: tuple[Any, ...], ground: bool = True) -> gpd.GeoDataFrame:
    """Return facilities: id, name, source, area, geometry."""
    frame = pd.DataFrame([r[:4] for r in rows], columns=["facility_id", "name", "source", "area_m2"])
    shapes = gpd.GeoSeries([r[4] for r in rows], crs=CRS)
    return gpd.GeoDataFrame(frame.assign(service="park", ground=ground, fence_tag=False, given=shapes), geometry=shapes)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("四川省成都市盐道街中学", "盐道街中学", True),
        ("成都市武侯区行知小学校", "行知小学", True),
        ("石室初中(青龙校区)", "石室初中 青龙校区", True),
        ("上新桥公园", "新桥公园", False),
        ("茶文化公园", "文化公园", False),
        ("金沙小学-A区", "金沙小学-B区", False),
        ("泡桐树小学西区", "泡桐树小学", False),
        ("", "", False),
    ],
)
def test_names_of_one_place(one: str, other: str, same: bool) -> None:
    assert same_place_name(core_name(one), core_name(other)) is same
    assert same_place_name(core_name(other), core_name(one)) is same


# Removing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "rule"),
    [
        ("小学生托管班", "小学", "wrong_category"),
        ("南山两河峯景", "公园", "wrong_category"),
        ("双林小学(东门)", "小学", "part_of_place"),
        ("人民公园停车场", "公园", "part_of_place"),
        ("人民公园南3号门", "公园", "part_of_place"),
        ("人民公园卫生间", "公园", "part_of_place"),
        ("华西医院门诊部入口", "医院", "part_of_place"),
        ("玉林社区卫生服务中心-停车场", "社区卫生服务中心", "part_of_place"),
        ("People's Park North Gate", "park", "part_of_place"),
        ("Riverside Business Park", "park", "wrong_category"),
        ("Happy Paws Pet Hospital", "hospital", "wrong_category"),
    ],
)
def test_what_is_no_facility_is_removed_with_a_reason(tmp_path: Path, name: str, kind: str, rule: str) -> None:
    rows = [(10, 10, "1", name, kind), (20, 20, "2", "红旗超市", "超市")]
    found = gather(street(), tmp_path, ("poi.csv", rows))
    assert ids(found) == ["poi.csv:2"]
    assert {c[1:] for c in changes(found) if c[0] == "poi.csv:1"} == {("removed", "", rule)}
    assert found.unplaced[["row", "reason"]].values.tolist() == [["1", rule]]


@pytest.mark.parametrize(
    ("name", "kind", "service"),
    [
        ("四川大学东门站", "公交站", "bus_stop"),
        ("人民公园停车场", "停车场", "parking"),
        ("天府广场A口卫生间", "公共厕所", "toilet"),
        ("红旗超市(东门店)", "超市", "supermarket"),
        ("Peterhouse Hospital", "hospital", "hospital"),
    ],
)
def test_what_only_sounds_like_a_part_stays(tmp_path: Path, name: str, kind: str, service: str) -> None:
    found = gather(street(), tmp_path, ("poi.csv", [(10, 10, "1", name, kind)]))
    assert found.frame["service"].tolist() == [service]
    assert len(found.changes) == 0


def test_a_building_of_a_school_in_the_list_is_a_part_of_it(tmp_path: Path) -> None:
    rows = [
        (0, 10, "1", "示意中学", "中学"),
        (60, 10, "2", "示意中学-教学楼", "中学"),
        (900, 10, "3", "他山中学-教学楼", "中学"),
    ]
    found = gather(street(), tmp_path, ("poi.csv", rows))
    assert ids(found) == ["poi.csv:1", "poi.csv:3"]  # of the third the school itself is not known
    assert changes(found) == [("poi.csv:2", "removed", "poi.csv:1", "part_of_place")]
    assert found.changes["distance_m"].tolist() == [pytest.approx(60, abs=0.1)]


def test_a_park_that_bears_the_name_of_an_estate_is_the_estate(tmp_path: Path) -> None:
    town = street().box(0, 50, 100, 60, landuse="residential", name="云上溪谷")
    rows = [(50, 80, "1", "成都云上溪谷", "公园"), (60, 70, "2", "溪谷公园", "公园")]
    found = gather(town, tmp_path, ("poi.csv", rows))
    assert ids(found) == ["poi.csv:2"]
    assert changes(found) == [("poi.csv:1", "removed", "", "housing_estate")]


def test_objects_of_the_map_are_removed_with_a_reason_too(tmp_path: Path) -> None:
    found = gather(street().node(10, 10, amenity="hospital", name="宠物医院"), tmp_path)
    assert len(found.frame) == 0
    assert found.changes[["source", "service", "rule"]].values.tolist() == [["osm", "hospital", "wrong_category"]]


# What the planner says ----------------------------------------------------------------------------


def test_the_planner_brings_back_what_was_removed(tmp_path: Path) -> None:
    rows = [(10, 10, "1", "小学生托管班", "小学"), (20, 20, "2", "红旗超市", "超市")]
    found = gather(street(), tmp_path, ("poi.csv", rows), overrides=[Override("poi.csv:1", keep=True)])
    assert found.frame.set_index("facility_id").loc["poi.csv:1", "service"] == "primary_school"
    assert changes(found) == [("poi.csv:1", "kept", "", "override")]


def test_the_planner_keeps_two_places_apart(tmp_path: Path) -> None:
    town = street().box(0, 50, 100, 60, **SCHOOL)
    export = ("poi.csv", [(140, 80, "p1", "示意小学", "小学")])
    osm_id = gather(town, tmp_path, export).changes["facility_id"].iloc[0]
    found = gather(town, tmp_path, export, overrides=[Override(osm_id, keep=True)])
    assert ids(found) == sorted(["poi.csv:p1", osm_id])


def test_the_planner_takes_a_place_out(tmp_path: Path) -> None:
    rows = [(10, 10, "1", "红旗超市", "超市"), (400, 20, "2", "蓝旗超市", "超市")]
    found = gather(street(), tmp_path, ("poi.csv", rows), overrides=[Override("poi.csv:1", keep=False)])
    assert ids(found) == ["poi.csv:2"]
    assert changes(found) == [("poi.csv:1", "removed", "", "override")]
    assert found.unplaced[["row", "reason"]].values.tolist() == [["1", "override"]]


def test_overrides_of_rows_that_do_not_exist(tmp_path: Path) -> None:
    wrong = [Override("poi.csv:11", keep=True), Override("poi.csv:1", keep=True), Override("poi.csv:1", keep=False)]
    with pytest.raises(
        InputError, match=r"no facility 'poi.csv:11'; the nearest is 'poi.csv:1' \| .*'poi.csv:1' is named twice"
    ):
        gather(street(), tmp_path, ("poi.csv", [(10, 10, "1", "红旗超市", "超市")]), overrides=wrong)


# In a scan ----------------------------------------------------------------------------------------


def test_a_scan_lists_its_changes_and_obeys_the_study(tmp_path: Path) -> None:
    rows = [(10, 10, "1", "=小学生托管班", "小学"), (40, 0, "2", "示意小学", "小学")]
    pois = write_table(tmp_path / "poi.csv", "id,name,类型", rows)
    rule = {"id": "r", "services": ["primary_school"], "metric": "walk_m", "threshold": 500, "threshold_unit": "m"}
    more: dict[str, Any] = {"people": [(10, 5, 100)], "rules": [rule], "facilities": [{"file": pois}]}
    plain = scan(study_of(tmp_path, street(), **more))
    plain.save(tmp_path / "out")
    written = pd.read_csv(tmp_path / "out" / "facility_changes.csv", encoding="utf-8-sig")
    assert written.columns.tolist() == list(CHANGE_COLUMNS) == [c.name for c in FACILITY_CHANGES.columns]
    assert written[["facility_id", "name", "action", "rule"]].values.tolist() == [
        ["poi.csv:1", "'=小学生托管班", "removed", "wrong_category"]
    ]
    kept = scan(study_of(tmp_path, street(), **more, facility_override=[{"id": "poi.csv:1", "keep": True}]))
    assert set(kept.facilities["facility_id"]) == {"poi.csv:1", "poi.csv:2"}


@pytest.mark.realdata
def test_the_parks_and_schools_of_chengdu(tmp_path: Path, real_data: Path) -> None:
    from livingcircle_layers.osm import read_osm

    osm = read_osm(real_data / "chengdu" / "chengdu-centre.osm.pbf", CATALOGUE)
    own = FacilitySource(Source(real_data / "chengdu" / "facilities.csv"))
    found = gather_facilities(osm.features, CATALOGUE, [own], estates=osm.residential_land)
    told = found.changes.set_index("name")
    assert told.loc["南山两河峯景", "rule"] == "wrong_category"
    assert told.loc["成都西川中学-教学楼", "rule"] == "part_of_place"
    assert told.loc["马鞍小学", "action"] == "merged"  # the map's 马鞍小学 is the list's 成都市马鞍小学
    parks = found.frame[found.frame["service"] == "park"]
    assert (parks["name"] == "文化公园").sum() == 1  # the list has it and a tomb inside it
    assert parks["name"].isin(["宽窄巷子", "天府广场"]).any()


def test_services_that_no_map_can_place_are_listed_and_not_dropped(tmp_path: Path) -> None:
    rule = {"id": "r", "services": ["primary_school"], "metric": "walk_m", "threshold": 500, "threshold_unit": "m"}
    result = scan(study_of(tmp_path, street(), people=[(10, 5, 100)], rules=[rule]))
    assert result.run["services_not_measured"] == ["service_platform", "leisure_venue", "property_management"]
    assert set(CATALOGUE.unplaceable()) <= set(CATALOGUE.services)


def test_the_grounds_that_the_study_lets_in_are_named(tmp_path: Path) -> None:
    town = street().box(0, 50, 100, 60, leisure="park", fee="yes")
    rule = {"id": "r", "services": ["park"], "metric": "walk_m", "threshold": 500, "threshold_unit": "m"}
    result = scan(study_of(tmp_path, town, people=[(10, 5, 100)], rules=[rule], grounds={"fee": True, "golf": True}))
    assert result.settings["grounds"] == "open to all; fee; golf"
    assert result.facilities["service"].tolist() == ["park"]
