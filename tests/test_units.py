"""Communities: what is read, repaired, warned of and refused."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import box

from livingcircle_layers.errors import InputError
from livingcircle_layers.globe import off_globe, refuse_off_globe
from livingcircle_layers.sources import Source
from livingcircle_layers.units import Units, narrow_gaps, problem_notes, read_units, repair_polygons, upper_levels

#   A  B      two communities of 0.01 degrees side by side
A, B = box(104.00, 30.60, 104.01, 30.61), box(104.01, 30.60, 104.02, 30.61)
BOW_TIE = shapely.Polygon([(104, 30), (104.01, 30.01), (104.01, 30), (104, 30.01)])


def read(folder: Path, geometry: list[object], crs: int = 4326, **columns: list[object]) -> Units:
    frame = gpd.GeoDataFrame(columns, geometry=geometry, crs=crs)
    frame.to_file(folder / "u.gpkg")
    return read_units(folder / "u.gpkg")


def notes_of(units: Units) -> list[str]:
    """Return the notes on outlines, with 100 people on the ground of each problem."""
    return problem_notes("u.gpkg", units.problems, np.full(len(units.problems), 100.0))


def test_units_are_read_under_chinese_headings(tmp_path: Path) -> None:
    units = read(
        tmp_path,
        [A, B],
        社区代码=["2", "1"],
        名称=["甲社区", ""],
        街道=["东街", "西街"],
        区县=["锦江区", "锦江区"],
        类型=["城镇", None],
    )
    assert list(units.frame.index) == ["1", "2"]
    assert units.frame.index.name == "unit_id"
    assert units.frame.loc["2"].drop("geometry").to_dict() == {
        "unit_name": "甲社区",
        "subdistrict": "东街",
        "district": "锦江区",
        "unit_type": "urban",
    }
    assert units.frame.loc["1", "unit_name"] == "1"
    assert units.frame.loc["1", "unit_type"] == ""
    assert units.warnings == ()
    assert units.columns_used["id"] == "社区代码"


def test_the_users_columns_win(tmp_path: Path) -> None:
    gpd.GeoDataFrame({"id": ["x", "y"], "KEY": ["p", "q"]}, geometry=[A, B], crs=4326).to_file(tmp_path / "u.gpkg")
    assert list(read_units(Source(tmp_path / "u.gpkg", columns={"id": "KEY"})).frame.index) == ["p", "q"]
    with pytest.raises(InputError, match="has no column 'KEYS' for id; the nearest is 'KEY'"):
        read_units(Source(tmp_path / "u.gpkg", columns={"id": "KEYS"}))


def test_ids_are_made_from_unique_names(tmp_path: Path) -> None:
    units = read(tmp_path, [A, B], name=["b", "a"])
    assert list(units.frame.index) == ["a", "b"]
    assert "ids are made" in units.warnings[0]


def test_ids_are_made_from_rows_of_equal_width(tmp_path: Path) -> None:
    squares = [box(104 + k / 100, 30, 104 + (k + 1) / 100, 30.01) for k in range(10)]
    assert list(read(tmp_path, squares, name=["same"] * 10).frame.index)[:2] == ["01", "02"]


@pytest.mark.parametrize(
    ("text", "unit_type"),
    [
        ("城镇", "urban"),
        ("Urban", "urban"),
        ("农村", "rural"),
        ("village", "rural"),
        ("乡村社区", "rural"),
        ("产业", "industrial"),
        ("industrial", "industrial"),
        ("", ""),
    ],
)
def test_types(tmp_path: Path, text: str, unit_type: str) -> None:
    units = read(tmp_path, [A], id=["1"], type=[text])
    assert units.frame["unit_type"].to_list() == [unit_type]
    assert units.warnings == ()


def test_unknown_types_are_reported(tmp_path: Path) -> None:
    units = read(tmp_path, [A], id=["1"], type=["MultiPolygon"])
    assert units.frame["unit_type"].to_list() == [""]
    assert "types not known, left blank: MultiPolygon" in units.warnings[0]


def test_other_crs_and_heights(tmp_path: Path) -> None:
    tall = shapely.force_3d(gpd.GeoSeries([A], crs=4326).to_crs(32648).iloc[0], 500)
    units = read(tmp_path, [tall], crs=32648, id=["1"])
    assert units.frame.crs.to_epsg() == 4326
    assert not shapely.has_z(units.frame.geometry.iloc[0])
    assert shapely.equals_exact(units.frame.geometry.iloc[0].normalize(), A.normalize(), tolerance=1e-8)


def test_crossing_rings_are_repaired_and_reported(tmp_path: Path) -> None:
    units = read(tmp_path, [A, BOW_TIE], id=["good", "crossing"])
    assert units.frame.is_valid.all()
    assert units.frame.geom_type.isin(["Polygon", "MultiPolygon"]).all()
    assert shapely.area(units.frame.loc["crossing", "geometry"]) == pytest.approx(5e-5)
    # Half of 0.01 by 0.01 degrees: 964.86 m × 1108.57 m / 2 at 30.005° north.
    (note,) = notes_of(units)
    assert note.startswith("u.gpkg: crossing borders repaired – 1 times, 534,")
    assert note.endswith(" m², about 100 people: crossing (534,761 m², 100 people)")


def test_repair_keeps_sound_polygons_and_the_input() -> None:
    given = gpd.GeoSeries([A, BOW_TIE]).to_numpy().copy()
    result, repaired = repair_polygons(given)
    assert result[0] is given[0]
    assert repaired.tolist() == [False, True]
    assert given[1] is BOW_TIE


def test_overlaps_are_named_slivers_are_not(tmp_path: Path) -> None:
    wide = box(104.009, 30.60, 104.02, 30.61)  # 10 % over A
    narrow = box(104.00995, 30.60, 104.02, 30.61)  # 4.8 m over A, along a border of 1,109 m
    slack = box(104.009997, 30.60, 104.02, 30.61)  # 0.3 m over A
    assert notes_of(read(tmp_path, [A, slack], id=["a", "b"])) == []
    (warning,) = notes_of(read(tmp_path, [A, narrow], id=["a", "b"]))
    assert "overlap; people there count once, in the smaller id – 1 times, 5,3" in warning
    # Where a border is shared, its line is a part of what both have, and hides no overlap of 10 m by 10 m beside it.
    corner = shapely.union(box(104.01, 30.60, 104.02, 30.61), box(104.0099, 30.605, 104.01, 30.6051))
    (warning,) = notes_of(read(tmp_path, [A, corner], id=["a", "b"]))
    assert "a and b (106 m²" in warning
    (warning,) = notes_of(read(tmp_path, [A, wide], id=["a", "b"]))
    assert "overlap; people there count once, in the smaller id – 1 times, 106," in warning
    assert "a and b (106," in warning  # 95.7 m by 1,109 m


def test_a_row_that_repeats_another_is_used_once(tmp_path: Path) -> None:
    units = read(tmp_path, [A, B, A], id=["a", "b", "a"])
    assert list(units.frame.index) == ["a", "b"]
    (note,) = notes_of(units)
    assert note.startswith("u.gpkg: rows that repeat another one, used once – 1 times, 1,06")
    assert "row 3 (" in note


def test_two_ids_on_the_same_ground_are_refused(tmp_path: Path) -> None:
    nearly = box(104.0001, 30.60, 104.01, 30.61)
    with pytest.raises(InputError, match=r"same ground under different ids; got a and c; .*--areas"):
        read(tmp_path, [A, B, nearly], id=["a", "b", "c"])
    half = box(104.005, 30.60, 104.01, 30.61)  # an overlap, however large, is reported
    assert len(read(tmp_path, [A, half], id=["a", "b"]).problems) == 1


def frame_of(gap: float) -> list[object]:
    """Draw four units around a hole of 0.01 degrees high and `gap` degrees wide."""
    return [
        box(104.00, 30.60, 104.01, 30.61),
        box(104.01 + gap, 30.60, 104.02, 30.61),
        box(104.00, 30.61, 104.02, 30.62),
        box(104.00, 30.59, 104.02, 30.60),
    ]


def test_a_narrow_gap_is_bridged_and_a_wide_one_reported(tmp_path: Path) -> None:
    # 0.00005 degrees are 4.8 m here, 0.001 are 95.8 m; the hole is 1,108.6 m high.
    narrow = read(tmp_path, frame_of(0.00005), id=list("abcd"))
    (note,) = notes_of(narrow)
    assert "gaps narrower than 10 m between units; people there count in the nearest one – 1 times, 5,3" in note
    assert len(narrow_gaps(narrow)) == 1
    wide = read(tmp_path, frame_of(0.001), id=list("abcd"))
    (note,) = notes_of(wide)
    assert "belong to none of them; people there are outside – 1 times, 106," in note
    assert len(narrow_gaps(wide)) == 0


def test_areas_may_lie_over_each_other(tmp_path: Path) -> None:
    gpd.GeoDataFrame({"id": ["x", "y"]}, geometry=[A, A], crs=4326).to_file(tmp_path / "u.gpkg")
    units = read_units(tmp_path / "u.gpkg", overlapping=True)
    assert list(units.frame.index) == ["x", "y"]
    assert units.problems.empty


@pytest.mark.parametrize(
    ("geometry", "columns", "messages"),
    [
        ([A, B], {"id": ["1", "1"]}, ["ids are not unique; got 1; expected every id once"]),
        ([A, B], {"id": ["1", " "]}, [r"1 units without id \(row 2 first\)"]),
        ([A, shapely.Point(104, 30)], {"id": ["1", "p"]}, ["units are points or lines; got p"]),
        ([A, shapely.LineString([(104, 30), (105, 30)])], {"id": ["1", "l"]}, ["points or lines; got l"]),
        ([A, None], {"id": ["1", "2"]}, ["units without geometry; got 2"]),
        ([A, shapely.Polygon([(104, 30), (105, 30), (104, 30)])], {"id": ["1", "f"]}, ["area; got f"]),
        ([A, box(404000, 3390000, 405000, 3391000)], {"id": ["1", "m"]}, ["outside the globe; got m"]),
        ([shapely.Point(1, 1), None], {"id": ["d", "d"]}, ["not unique; got d", "got d", "geometry; got d"]),
    ],
)  # fmt: skip
def test_unusable_units(
    tmp_path: Path, geometry: list[object], columns: dict[str, list[object]], messages: list[str]
) -> None:
    for message in messages:
        with pytest.raises(InputError, match=message):
            read(tmp_path, geometry, **columns)


def test_order_of_the_file_changes_nothing(tmp_path: Path) -> None:
    one = read(tmp_path, [A, B], id=["a", "b"]).frame
    other = read(tmp_path, [B, A], id=["b", "a"]).frame
    assert one.equals(other)


def test_upper_levels(tmp_path: Path) -> None:
    far = box(104.05, 30.60, 104.06, 30.61)
    frame = read(tmp_path, [A, B, far], id=["1", "2", "3"], 街道=["东街", "东街", ""], 区=["甲区", "", "甲区"]).frame
    assert upper_levels(frame).to_dict("list") == {
        "subdistrict": ["甲区/东街", "东街", ""],
        "district": ["甲区", "", "甲区"],
        "city": ["city"] * 3,
    }


@pytest.mark.realdata
def test_real_communities(real_data: Path) -> None:
    units = read_units(real_data / "chengdu" / "communities_standin.geojson")
    assert len(units.frame) == 99
    assert set(units.columns_used) == {"id", "name", "subdistrict", "district", "type"}
    assert units.frame["unit_type"].eq("urban").any()
    assert upper_levels(units.frame)["subdistrict"].iloc[0] == "锦江区/锦江区示意街道1"


@pytest.mark.realdata
def test_real_districts_in_the_chinese_datum(real_data: Path) -> None:
    units = read_units(real_data / "chengdu" / "districts_wgs84.geojson")
    assert len(units.frame) == 20
    assert units.frame.total_bounds == pytest.approx([102.99, 30.09, 104.90, 31.44], abs=0.01)


def test_the_whole_globe_lies_on_the_globe() -> None:
    layer = gpd.GeoDataFrame(
        geometry=[box(-180, -90, 180, 90), box(-180.1, 0, 0, 1), box(0, 0, 1, 90.1), None], crs=4326
    )
    outside, changed = off_globe(layer)
    assert (outside.tolist(), changed.tolist()) == ([False, True, True, False], [False, False, True, False])


@pytest.mark.parametrize(("rows", "more"), [(5, ""), (6, " and 1 more")])
def test_five_rows_off_the_globe_are_shown(rows: int, more: str) -> None:
    layer = gpd.GeoDataFrame(
        geometry=[shapely.Point(30 + i, 104) for i in range(rows)], crs=4326, index=range(1, rows + 1)
    )
    with pytest.raises(InputError, match=rf"in {rows} of {rows} rows; got row 1: 30, 104; .*row 5: 34, 104{more};"):
        refuse_off_globe(layer, "layer")
