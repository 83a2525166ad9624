"""Facilities: a planner's files and OpenStreetMap put together, and nothing dropped without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.errors import InputError, LivingCircleError
from livingcircle_layers.facilities import Facilities, gather_facilities
from livingcircle_layers.facility_files import Complete, FacilitySource
from livingcircle_layers.facility_rows import STATION_ENTRANCE_M
from livingcircle_layers.names import plain_name
from livingcircle_layers.sources import Source
from livingcircle_layers.unplaced import UNPLACED_COLUMNS
from towns import CRS, Town, write_table

CATALOGUE = load_catalogue()
PARK = {"leisure": "park", "name": "人民公园"}
SHOP = {"shop": "supermarket", "name": "Shop"}


def town() -> Town:
    """Return a street, a park of 100 m × 50 m at (0, 100), and two shops."""
    return Town("a----b").way("ab").box(0, 100, 100, 50, **PARK).node(500, 0, **SHOP).node(600, 0, **SHOP)


def features(tmp_path: Path, *more: tuple[float, float, dict[str, str]], base: Town | None = None) -> gpd.GeoDataFrame:
    drawn = base or town()
    for x, y, tags in more:
        drawn.node(x, y, **tags)
    return drawn.read(tmp_path).features


def gather(tmp_path: Path, *sources: FacilitySource, **options: Any) -> Facilities:
    return gather_facilities(features(tmp_path), CATALOGUE, sources, **options)


def table(folder: Path, heading: str, *rows: tuple[Any, ...], name: str = "mine.csv") -> Path:
    folder.mkdir(exist_ok=True)
    return write_table(folder / name, heading, rows)


def ids(found: Facilities, service: str) -> list[str]:
    return found.frame["facility_id"][found.frame["service"] == service].tolist()


# The three ways to take a file --------------------------------------------------------------------


def test_openstreetmap_alone(tmp_path: Path) -> None:
    found = gather(tmp_path)
    assert found.frame["service"].tolist() == ["park", "supermarket", "supermarket"]
    assert set(found.frame["source"]) == {"osm"}
    assert found.complete["supermarket"] == "unknown"
    assert found.centre_only == frozenset()
    park = found.frame.iloc[0]
    assert (park["area_m2"], park["ground"], park["name"]) == (pytest.approx(5000, abs=5), True, "人民公园")
    assert found.frame["area_m2"].isna().tolist() == [False, True, True]


def test_a_file_without_service_is_classified_and_added(tmp_path: Path) -> None:
    file = table(tmp_path, "name,类型", (10, 10, "红旗超市", "超市"), (20, 20, "示意幼儿园", "幼儿园"))
    found = gather(tmp_path, FacilitySource(file))
    assert len(ids(found, "supermarket")) == 3
    assert ids(found, "kindergarten") == ["mine.csv:3"]
    assert found.complete["supermarket"] == "unknown"
    assert found.readings[0].sentence().startswith("mine.csv: 2 rows; columns read as ")


def test_a_file_for_a_service_replaces_openstreetmap(tmp_path: Path) -> None:
    file = table(tmp_path, "name", (10, 10, "x"))
    found = gather(tmp_path, FacilitySource(file, "supermarket", "replace", "yes"))
    assert ids(found, "supermarket") == ["mine.csv:2"]
    assert len(ids(found, "park")) == 1
    assert found.complete["supermarket"] == "yes"
    assert found.complete["park"] == "unknown"


def test_a_file_for_a_service_is_added(tmp_path: Path) -> None:
    file = table(tmp_path, "name", (10, 10, "x"))
    found = gather(tmp_path, FacilitySource(file, "supermarket", "add"))
    assert len(ids(found, "supermarket")) == 3
    assert "mine.csv:2" in ids(found, "supermarket")
    assert found.complete["supermarket"] == "unknown"


def test_all_rows_are_taken_as_the_service_whatever_they_say(tmp_path: Path) -> None:
    file = table(tmp_path, "name,类型", (10, 10, "示意幼儿园", "幼儿园"))
    found = gather(tmp_path, FacilitySource(file, "supermarket", "replace"))
    assert ids(found, "supermarket") == ["mine.csv:2"]
    assert ids(found, "kindergarten") == []


def test_two_files_of_one_service_both_count(tmp_path: Path) -> None:
    east = table(tmp_path / "east", "name", (10, 10, "x"))
    west = table(tmp_path / "west", "name", (-10, 10, "y"), (-20, 10, "z"))
    found = gather(tmp_path, *(FacilitySource(file, "supermarket", "replace") for file in (east, west)))
    assert ids(found, "supermarket") == ["mine.csv:2", "mine.csv (2):2", "mine.csv (2):3"]
    assert found.frame["facility_id"].is_unique


def test_the_same_file_for_two_services_is_the_same_places(tmp_path: Path) -> None:
    file = table(tmp_path, "name", (10, 10, "x"))
    found = gather(tmp_path, FacilitySource(file, "pharmacy", "add"), FacilitySource(file, "clinic", "add"))
    assert ids(found, "pharmacy") == ids(found, "clinic") == ["mine.csv:2"]


def test_order_of_the_rows_changes_ids_only(tmp_path: Path) -> None:
    rows = [(10.0 * k, 5.0, f"超市{k}", "超市") for k in range(5)]
    first = gather(tmp_path, FacilitySource(table(tmp_path / "a", "name,类型", *rows)))
    other = gather(tmp_path, FacilitySource(table(tmp_path / "b", "name,类型", *rows[::-1])))

    def key(found: Facilities) -> list[tuple[str, str]]:
        return sorted(zip(found.frame["name"], found.frame.geometry.to_wkt(), strict=True))

    assert key(first) == key(other)


# What is known of completeness --------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["yes", "no", "unknown"])
def test_what_the_planner_knows_of_openstreetmap(tmp_path: Path, mark: Complete) -> None:
    assert gather(tmp_path, osm_complete={"park": mark}).complete["park"] == mark


def test_a_classified_file_says_it_of_its_own_services_only(tmp_path: Path) -> None:
    file = table(tmp_path, "name,类型", (10, 10, "示意幼儿园", "幼儿园"))
    found = gather(tmp_path, FacilitySource(file, complete="yes"))
    assert found.complete["kindergarten"] == "yes"
    assert found.complete["supermarket"] == "unknown"


def test_unknown_services_name_the_nearest(tmp_path: Path) -> None:
    file = table(tmp_path, "name", (10, 10, "x"))
    with pytest.raises(LivingCircleError, match="did you mean 'supermarket'"):
        gather(tmp_path, FacilitySource(file, "supermarkt", "replace"))
    with pytest.raises(LivingCircleError, match="did you mean 'park'"):
        gather(tmp_path, osm_complete={"parks": "yes"})


# Grounds that a file knows by a point -------------------------------------------------------------


@pytest.mark.parametrize("mode", ["replace", "add"])
def test_a_point_in_a_park_takes_its_outline(tmp_path: Path, mode: Any) -> None:
    file = table(tmp_path, "name,area_m2", (50, 120, "another name", 777))
    found = gather(tmp_path, FacilitySource(file, "park", mode))
    assert ids(found, "park") == ["mine.csv:2"]  # the OpenStreetMap row is the same place
    park = found.frame[found.frame["service"] == "park"].iloc[0]
    assert park.geometry.area == pytest.approx(5000, abs=5)
    assert park["area_m2"] == pytest.approx(5000, abs=5)
    assert found.centre_only == frozenset()


def test_a_point_beside_a_park_of_its_name_takes_its_outline(tmp_path: Path) -> None:
    file = table(tmp_path, "name,area_m2", (50, 440, "人民 公园", 5000), (50, 451, "人民公园", 5000))
    found = gather(tmp_path, FacilitySource(file, "park", "replace"))
    shapes = found.frame[found.frame["service"] == "park"].set_index("facility_id").geometry
    assert shapes["mine.csv:2"].area == pytest.approx(5000, abs=5)
    assert shapes["mine.csv:3"].geom_type == "Point"  # 301 m away


def test_a_park_by_its_centre_only_makes_the_walk_longer_than_it_is(tmp_path: Path) -> None:
    file = table(tmp_path, "name,area_m2", (50, 200, "新公园", 9000))
    found = gather(tmp_path, FacilitySource(file, "park", "add"))
    assert found.centre_only == {"park"}
    assert len(ids(found, "park")) == 2


def test_another_service_at_the_park_keeps_its_point(tmp_path: Path) -> None:
    file = table(tmp_path, "name", (50, 120, "人民公园"))
    found = gather(tmp_path, FacilitySource(file, "supermarket", "add"))
    added = found.frame[found.frame["facility_id"] == "mine.csv:2"]
    assert added.geometry.geom_type.tolist() == ["Point"]


def test_outlines_of_ones_own_are_kept(tmp_path: Path) -> None:
    own = gpd.GeoDataFrame({"name": ["新公园"]}, geometry=[shapely.box(0, 300, 30, 330)], crs=CRS)
    own.to_crs(4326).to_file(tmp_path / "parks.geojson")
    found = gather(tmp_path, FacilitySource(tmp_path / "parks.geojson", "park", "replace"))
    assert found.frame.loc[found.frame["service"] == "park", "area_m2"].tolist() == [pytest.approx(900, abs=2)]
    assert found.centre_only == frozenset()


def test_names_are_compared_without_what_lists_write_differently() -> None:
    assert plain_name("人民公园（东门）") == plain_name("人民公园 (东门)")
    assert plain_name("Shop-A") == plain_name("shop a")
    assert plain_name("A") != plain_name("B")


# Metro, private grounds, schools ------------------------------------------------------------------

STATION = {"railway": "station", "station": "subway", "name": "天府广场"}
ENTRANCE = {"railway": "subway_entrance"}


def test_stations_with_entrances_are_entered_there(tmp_path: Path) -> None:
    near, far = STATION_ENTRANCE_M - 1, STATION_ENTRANCE_M + 1
    base = Town("a----b").way("ab")
    frame = features(
        tmp_path, (0, 0, STATION), (0, near, ENTRANCE), (5000, 0, STATION), (5000, far, ENTRANCE), base=base
    )
    found = gather_facilities(frame, CATALOGUE)
    places = found.frame[found.frame["service"] == "metro"].geometry
    assert sorted((round(p.x), round(p.y)) for p in places) == [(0, 299), (5000, 0), (5000, 301)]


@pytest.mark.parametrize("access", ["private", "no", "customers", "permit"])
def test_private_parks_are_out_and_listed(tmp_path: Path, access: str) -> None:
    base = Town("a----b").way("ab").box(0, 100, 100, 50, **PARK, access=access)
    found = gather_facilities(features(tmp_path, base=base), CATALOGUE)
    assert len(found.frame) == 0
    switch = "customers" if access == "customers" else "private"
    assert found.unplaced[["source", "name", "reason", "detail"]].values.tolist() == [
        [
            "osm",
            "人民公园",
            "not_public",
            f"park: not open to all ({switch}); [grounds] {switch} = true lets such grounds in",
        ]
    ]


def test_schools_without_level_are_listed(tmp_path: Path) -> None:
    base = Town("a----b").way("ab")
    schools = [(0, 0, {"amenity": "school", "name": "石室"}), (9, 9, {"amenity": "school", "name": "示意小学"})]
    found = gather_facilities(features(tmp_path, *schools, base=base), CATALOGUE)
    assert found.frame["service"].tolist() == ["primary_school"]
    assert found.unplaced[["name", "reason"]].values.tolist() == [["石室", "school_level_unknown"]]


# Rows that cannot be used -------------------------------------------------------------------------


def test_rows_that_cannot_be_used_are_listed_with_reasons(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(
        "id,name,类型,lon,lat\n"
        "a,红旗超市,超市,104.001,30.001\n"
        "b,失踪超市,超市,,\n"
        "c,颠倒超市,超市,30.001,104.001\n"
        "d,天体物理研究所,科研,104.001,30.001\n"
        "e,文字超市,超市,east,north\n",
        encoding="utf-8",
    )
    found = gather(tmp_path, FacilitySource(file))
    assert "mine.csv:a" in ids(found, "supermarket")
    lost = found.unplaced[found.unplaced["source"] == "mine.csv"].set_index("row")
    assert lost["reason"].to_dict() == {
        "b": "no coordinates",
        "c": "longitude and latitude seem swapped",
        "d": "no_service",
        "e": "coordinates are not numbers",
    }
    assert lost.loc["d", "detail"] == "科研"
    assert lost.loc["b", "name"] == "失踪超市"
    assert list(found.unplaced.columns) == list(UNPLACED_COLUMNS)
    assert len(found.frame[found.frame["source"] == "mine.csv"]) + len(lost) == 5


def test_a_file_without_any_service_is_an_error(tmp_path: Path) -> None:
    file = table(tmp_path, "name,类型", (10, 10, "天体物理研究所", "科研"))
    with pytest.raises(InputError, match=r"mine\.csv: no row is a service .*remedy: .*SERVICE=FILE"):
        gather(tmp_path, FacilitySource(file))


def test_an_area_that_is_no_number_is_an_error(tmp_path: Path) -> None:
    file = table(tmp_path, "name,area_m2", (10, 10, "x", "large"))
    with pytest.raises(InputError, match=r"area.*'large'"):
        gather(tmp_path, FacilitySource(file, "park", "add"))


@pytest.mark.parametrize(
    ("heading", "cell", "m2"),
    [
        ("占地面积(㎡)", '"12,345.6"', 12345.6),
        ("占地面积（平方米）", "800", 800),
        ("公园面积(m²)", "800", 800),
        ("占地面积(公顷)", "0.8", 8000),
        ("用地面积（hm²）", "0.8", 8000),
        ("占地(亩)", "12", 8000),
        ("占地面积公顷", "0.8", 8000),
        ("占地面积㎡", "800", 800),
        ("面积(单位:亩)", "12", 8000),
        ("用地面积(万 m²)", "0.8", 8000),
        ("面积_万平方米", "0.8", 8000),
        ("area (ha)", "0.8", 8000),
        ("占地", "800", 800),
        ("总面积(㎡)", "800", 800),
        ("Site area (hectares)", "0.8", 8000),
    ],
)
def test_areas_are_read_in_the_unit_of_their_heading(tmp_path: Path, heading: str, cell: str, m2: float) -> None:
    file = table(tmp_path, f"name,{heading}", (10, 10, "滨河公园", cell))
    found = gather(tmp_path, FacilitySource(file, "park", "add"))
    mine = found.frame[found.frame["source"] == file.name]
    assert mine["area_m2"].tolist() == [pytest.approx(m2)]
    assert found.readings[0].columns["area_m2"] == heading


def test_square_metres_win_and_a_column_that_is_refused_stays_out(tmp_path: Path) -> None:
    file = table(tmp_path, "name,占地面积(亩),占地面积(㎡)", (10, 10, "滨河公园", 9, 6000))
    found = gather(tmp_path, FacilitySource(file, "park", "add"))
    assert found.frame.loc[found.frame["source"] == file.name, "area_m2"].tolist() == [6000]
    acres = table(tmp_path, "name,占地面积(亩)", (10, 10, "滨河公园", 9))
    refused = gather(tmp_path, FacilitySource(Source(acres, columns={"area_m2": ""}), "park", "add"))
    assert refused.frame.loc[refused.frame["source"] == acres.name, "area_m2"].isna().all()


@pytest.mark.parametrize(
    ("heading", "cell", "size"),
    [
        ("建筑面积(万平方米)", "0.12", ("floor_m2", 1200)),
        ("床位数(百张)", "1.2", ("beds", 120)),
        ("床位数(个)", "120", ("beds", 120)),
        ("学位数（千人）", "0.27", ("seats", 270)),
    ],
)
def test_sizes_are_read_in_the_unit_of_their_heading(
    tmp_path: Path, heading: str, cell: str, size: tuple[str, float]
) -> None:
    file = table(tmp_path, f"name,{heading}", (10, 10, "x", cell))
    found = gather(tmp_path, FacilitySource(file, "kindergarten", "add"))
    assert found.frame.loc[found.frame["source"] == file.name, size[0]].tolist() == [pytest.approx(size[1])]


@pytest.mark.parametrize(
    ("role", "heading", "expected"),
    [
        ("area_m2", "Area (acres)", "m², 公顷, 亩, 万平方米 or km²"),
        ("floor_m2", "建筑面积(平方英尺)", "m², 公顷, 亩, 万平方米 or km²"),
        ("floor_m2", "每千人建筑面积(㎡)", "m², 公顷, 亩, 万平方米 or km²"),
        ("area_m2", "面积(万亩)", "m², 公顷, 亩, 万平方米 or km²"),
        ("area_m2", "面积(公顷)_2023", "m², 公顷, 亩, 万平方米 or km²"),
        ("beds", "每千人床位数", "numbers of them, no share and none per 1,000 people or per hectare"),
        ("beds", "床位(张/千人)", "numbers of them, no share and none per 1,000 people or per hectare"),
        ("beds", "床位使用率(%)", "numbers of them, no share and none per 1,000 people or per hectare"),
        ("seats", "学位_每百人", "numbers of them, no share and none per 1,000 people or per hectare"),
        ("seats", "学位(人/班)", "numbers of them, no share and none per 1,000 people or per hectare"),
    ],
)
def test_a_mapped_heading_of_another_measure_is_refused(tmp_path: Path, role: str, heading: str, expected: str) -> None:
    file = table(tmp_path, f"name,{heading}", (10, 10, "x", "2"))
    with pytest.raises(InputError) as caught:
        gather(tmp_path, FacilitySource(Source(file, columns={role: heading}), "park", "add"))
    remedy = (
        "turn the numbers into m², and name the column so: 面积(㎡)"
        if role.endswith("_m2")
        else "turn the numbers into whole people, beds or places, under a heading that says so: 人口(人), 床位(张)"
    )
    assert str(caught.value) == (
        f"{file.name}: {role}: cannot be read; got the heading {heading!r}; expected {expected}; remedy: {remedy}"
    )


@pytest.mark.realdata
def test_facilities_of_chengdu_are_all_used_or_listed(tmp_path: Path, real_data: Path) -> None:
    file = real_data / "chengdu" / "facilities.csv"
    found = gather(tmp_path, FacilitySource(file))
    rows = len(pd.read_csv(file))
    own = found.frame["source"] == file.name
    used = set(found.frame["facility_id"][own])
    lost = set(found.unplaced["row"][found.unplaced["source"] == file.name])
    merged = found.changes[(found.changes["source"] == file.name) & (found.changes["action"] == "merged")]
    merged_away = set(merged["facility_id"]) - used
    assert len(used) + len(lost) + len(merged_away) == rows
    assert len(used) > 0.5 * rows


def test_a_typecode_beside_a_type_is_told_as_read(tmp_path: Path) -> None:
    # 060400 is Amap's supermarket; the words of the type say nothing, and the code places the row.
    mine = table(tmp_path, "name,type,typecode", (0, 0, "家家", "生活服务", "060400"))
    found = gather(tmp_path, FacilitySource(mine))
    assert found.readings[0].columns["type"] == "type + typecode"
    alone = gather(tmp_path, FacilitySource(mine, "supermarket"))
    assert alone.readings[0].columns["type"] == "type"  # every row is one by the planner's word: no code is looked at
