"""Tables and places: what is read, and what each unusable input is told."""

from __future__ import annotations

import unicodedata
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from livingcircle_layers import tables
from livingcircle_layers.cells import BLANK, as_numbers
from livingcircle_layers.errors import InputError
from livingcircle_layers.headings import (
    GROUPS,
    HEADINGS,
    LARGE_AREAS,
    find_column,
    find_columns,
    plain_heading,
    unit_of,
)
from livingcircle_layers.sources import Source
from livingcircle_layers.tables import numbers, parse_numbers, read_points, read_table, read_vector

TWO_POINTS = gpd.GeoDataFrame(
    {"名称": ["水井坊社区", "崇德里社区"], "beds": [40.0, np.nan]},
    geometry=shapely.points([104.08, 104.09], [30.65, 30.66]),
    crs=4326,
)


def write(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def workbook(folder: Path, *sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for k, rows in enumerate(sheets):
        sheet = book.create_sheet(f"sheet {k}")
        for row in rows:
            sheet.append(row)
    path = folder / "table.xlsx"
    book.save(path)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_text_in_every_encoding_and_separator(tmp_path: Path, encoding: str, mark: str) -> None:
    text = "名称,人口\n水井坊社区,120\n崇德里社区,\n".replace(",", mark)
    table = read_table(write(tmp_path, "t.csv", text, encoding))
    assert table.to_dict("list") == {"名称": ["水井坊社区", "崇德里社区"], "人口": ["120", ""]}
    assert list(table.index) == [2, 3]


def test_lines_that_end_as_on_old_macs(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "t.csv", "名称,人口\r水井坊社区,120\r崇德里社区,\r"))
    assert table.to_dict("list") == {"名称": ["水井坊社区", "崇德里社区"], "人口": ["120", ""]}


def test_text_stays_text(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "t.csv", 'id,note\n001,"a, b"\nNA,1e3\n'))
    assert table.to_dict("list") == {"id": ["001", "NA"], "note": ["a, b", "1e3"]}


def test_blank_rows_keep_the_numbers_of_the_others(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "t.csv", "a,b,,\n1,2,,\n\n,,,\n3,4,,\n"))
    assert list(table.columns) == ["a", "b"]
    assert list(table.index) == [2, 5]


def test_short_rows_are_filled(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, "t.csv", "a,b,c\n1,2\n")).iloc[0].to_list() == ["1", "2", ""]


def test_excel_numbers_become_plain_text(tmp_path: Path) -> None:
    path = workbook(tmp_path, [], [["编码", "人口", "b"], [510104017001, 12.0, None], [2, 0.5, "x"]])
    assert read_table(path).to_dict("list") == {
        "编码": ["510104017001", "2"],
        "人口": ["12", "0.5"],
        "b": ["", "x"],
    }


def test_a_sheet_is_chosen_or_said(tmp_path: Path) -> None:
    path = workbook(
        tmp_path, [], [["编码", "经度", "纬度"], ["a", 104, 30]], [["编码", "经度", "纬度"], ["b", 105, 31]]
    )
    first, _ = read_points(path)
    assert first.frame["row"].tolist() == ["a"]
    assert "(sheet sheet 1, not sheet 0, sheet 2): 1 rows" in first.reading.sentence()
    second, _ = read_points(Source(path, sheet="sheet 2"))
    assert second.frame["row"].tolist() == ["b"]
    with pytest.raises(InputError, match="has no sheet '甲'; got sheet 0, sheet 1, sheet 2"):
        read_table(Source(path, sheet="甲"))


def test_a_table_in_metres_of_a_declared_crs(tmp_path: Path) -> None:
    # EPSG:4544 is CGCS2000 in Gauss-Krueger zones of 3 degrees around 105 E; x is east, y is north.
    x, y = Transformer.from_crs(4490, 4544, always_xy=True).transform(104.07, 30.65)
    path = write(tmp_path, "t.csv", f"name,x,y\na,{x},{y}\nb,0,0\nc,inf,3\n")
    points, rejected = read_points(Source(path, crs="EPSG:4544"))
    assert shapely.get_coordinates(points.frame.geometry.to_numpy())[0] == pytest.approx([104.07, 30.65], abs=1e-8)
    assert rejected["reason"].tolist() == ["coordinates are 0,0", "coordinates are not numbers"]


@pytest.mark.parametrize(
    ("code_page", "encoding"),
    [("GBK", "gbk"), ("936", "gbk"), ("CP936", "gbk"), ("ANSI 936", "gbk"), ("65001", "utf-8"), ("UTF-8", "utf-8")],
)
def test_the_code_page_of_a_shapefile(tmp_path: Path, code_page: str, encoding: str) -> None:
    TWO_POINTS.to_file(tmp_path / "p.shp", encoding=encoding)
    (tmp_path / "p.cpg").write_text(code_page)
    assert read_vector(tmp_path / "p.shp")["名称"].to_list() == ["水井坊社区", "崇德里社区"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", "", r"empty\.csv is empty; got 0 bytes"),
        ("blank.csv", "\n\n", "no headings"),
        ("headings_only.csv", "lon,lat\n", "has headings but no rows; got lon, lat"),
        ("blank_rows.csv", "lon,lat\n,\n,\n", "has headings but no rows"),
        ("twice.csv", "lon,lat,lon\n1,2,3\n", "headings appear twice: lon"),
        ("no_heading.csv", "lon,,lat\n1,2,3\n", "no heading in column 2"),
        ("titles.csv", "一览表,,\n单位,,\n年,,\n月,,\nlon,lat,name\n1,2,3\n", "remove what stands above the headings"),
        ("title_only.csv", "设施一览表,,\n104.1,30.6,a\n", "has headings but no rows; got 104.1, 30.6, a"),
        ("long_row.csv", "a,b\n1,2\n1,2,3\n", "do not fit its 2 headings; got Expected 2 fields in line 3"),
        ("long_rows.csv", "a,b\n1,2,3\n1,2,3\n", "more cells in the first row than headings; expected 2"),
        ("binary.csv", b"\x89PNG\x00\xff\xff", "not a text table"),
        ("nul.csv", b"a,b\n1,\x00\n", "not a text table"),
        ("old.xls", "x", r"got the kind \.xls"),
        ("fake.xlsx", "a,b\n", r"fake\.xlsx cannot be parsed.*expected an Excel workbook"),
        ("fake.xlsm", b"PK\x05\x06" + b"\x00" * 18, "cannot be parsed"),
    ],
)
def test_unusable_tables(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        read_table(write(tmp_path, name, content))
    assert "\n" not in str(error.value)


def test_a_title_above_the_headings_is_passed_over_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    titles: list[list[object]] = [["设施一览表"], ["填报单位:某局"], [None]]
    for above in (titles, titles[:1], titles[::2], []):
        table = read_table(workbook(tmp_path, [*above, ["lon", "lat", "name"], [1, 2, "甲"]]))
        assert table.to_dict("index") == {len(above) + 2: {"lon": "1", "lat": "2", "name": "甲"}}
    table = read_table(write(tmp_path, "t.csv", "设施一览表,,\nlon,lat,name\n1,2,甲\n,,\n3,4,\n"))
    assert table["lon"].to_dict() == {3: "1", 5: "3"}
    assert list(read_table(write(tmp_path, "one.csv", "name,,\n甲,,\n乙,,\n"))["name"]) == ["甲", "乙"]


def test_empty_workbook(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="empty; expected headings and rows"):
        read_table(workbook(tmp_path, [], [[None, ""]]))


def test_missing_table() -> None:
    with pytest.raises(
        InputError, match=r"file not found: .*nowhere\.csv; expected a file on this computer; remedy: check the path"
    ):
        read_table("nowhere.csv")


def test_numbers_as_people_type_them() -> None:
    cells = ["1,234", "１２．５", " 7 ", "", "—", "1e3", "-2", "1,234,567.5", "N/A"]
    table = pd.DataFrame({"人口": cells})
    values = numbers(table, "人口", what="people")
    expected = [1234, 12.5, 7, np.nan, np.nan, 1000, -2, 1234567.5, np.nan]
    np.testing.assert_array_equal(values.to_numpy(), expected)


@pytest.mark.parametrize("cell", ["abc", "inf", "-Infinity", "1,23", "104,05", "12人", "0x10", "1 2", "TRUE"])
def test_not_a_number(cell: str) -> None:
    with pytest.raises(InputError, match=r"people \(column 'n'\): not a number in row \(0: "):
        numbers(pd.DataFrame({"n": [cell, "1"]}), "n", what="people")


TYPED = st.text("0123456789.,-+eE １２，．一 \t無无/aNn", max_size=12)
WRITTEN = st.floats(allow_nan=False, width=64).map(repr) | st.integers().map(str) | st.sampled_from(sorted(BLANK))


@given(st.lists(TYPED | WRITTEN | st.text(max_size=6), max_size=12))
@example(["104.06571234567891", "-0", "-0.0", "1" * 15, "1" * 16, "1" * 400, "1e400", "infinity", "1_000", "٣", "1."])
def test_numbers_read_at_once_are_those_read_one_by_one(cells: list[str]) -> None:
    values, blank = as_numbers(pd.Series(cells, dtype="str"))
    for cell, value, nothing in zip(cells, values, blank, strict=True):
        # The plain way: what pandas makes of one cell, in the plain form of its characters and without separators.
        assert nothing == (cell.lower() in BLANK)
        plain = unicodedata.normalize("NFKC", cell).strip()
        if pd.Series([plain]).str.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?").all():
            plain = plain.replace(",", "")
        told = np.nan if nothing else float(pd.to_numeric(pd.Series([plain], dtype="str"), errors="coerce").iloc[0])
        if np.isfinite(told):
            assert value == pytest.approx(told, rel=1e-15, abs=0)  # pandas rounds the seventeenth digit anyhow
            assert value == float(plain)
        else:
            assert not np.isfinite(value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text('ab12,;|\t\r\n" 　一\ufeff\u2028\x0b\x0c\x1c', max_size=40))
@example("a,b\n1,2\n,\n3,4\n")
@example("a,b\r\n1,2\r\n\r\n3,4")
@example("a,b\n1,2\n3\n")
@example("a\n1\n\n2\n")
def test_plain_tables_are_read_as_all_others(tmp_path: Path, text: str) -> None:
    def told() -> object:
        try:
            table = read_table(file)
        except InputError as error:
            return str(error)
        return table.to_dict("list"), table.index.tolist(), table.dtypes.tolist()

    file = write(tmp_path, "t.csv", "x,y" + text)
    quickly = told()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "_plain_cells", lambda *_: None)
        assert quickly == told()


def test_a_table_of_programs_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pd, "read_csv", lambda *_, **__: pytest.fail("the slow way"))
    assert len(read_table(write(tmp_path, "t.csv", "id,lon,lat,人口\n1,104.1,30.6,5\n2,104.2,30.7,\n"))) == 2


def test_all_faults_of_a_column_at_once() -> None:
    table = pd.DataFrame({"n": ["x"] * 7 + ["-1", "5", "99"]}, index=range(1, 11))
    values, faults = parse_numbers(table, "n", what="beds", minimum=0, maximum=50)
    assert len(faults) == 3
    assert "not a number in 7 rows (1: 'x', 2: 'x', 3: 'x', 4: 'x', 5: 'x' and 2 more)" in faults[0]
    assert "below 0 in row (8: '-1'" in faults[1]
    assert "above 50 in row (10: '99'" in faults[2]
    assert values.dropna().to_dict() == {9: 5.0}
    assert "leave the cell empty: not known" in faults[0]


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        ("经度", "lon"),
        ("Latitude", "lat"),
        ("面积（㎡）", "area_m2"),
        ("面积(平方米)", "area_m2"),
        ("0－3岁", "age_0_3"),
        ("60岁及以上人口", "age_60_up"),
        ("户数", "households"),
        ("床位数（张）", "beds"),
        ("学位数", "seats"),
        ("常住人口（人）", "population"),
        ("GRID_ID", "id"),
        ("街道/乡镇", "subdistrict"),
        ("区（县）", "district"),
        ("社区类型", "type"),
        ("社区名称", "name"),
    ],
)
def test_usual_headings(heading: str, role: str) -> None:
    assert find_column(["other", heading], role) == heading


@pytest.mark.parametrize(
    ("headings", "name"),
    [
        (["序号", "幼儿园名称", "经度"], "幼儿园名称"),
        (["名称", "幼儿园名称"], "名称"),  # the usual one wins
        (["幼儿园名称", "所属街道名称", "街道名称", "武侯区名称"], "幼儿园名称"),  # names of something else
        (["药店名称", "校区名称"], None),  # which of two is not known
        (["所属街道名称"], None),
    ],
)
def test_a_heading_that_says_whose_name_it_is(headings: list[str], name: str | None) -> None:
    assert find_column(headings, "name") == name


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        ("0-3岁人口数(人)", "age_0_3"), ("3岁以下婴幼儿数", "age_0_3"), ("6～12岁儿童", "age_6_12"),
        ("60周岁及以上老年人口", "age_60_up"), ("老年人口（60岁及以上）", "age_60_up"),
        ("65岁以上老人数(人)", "age_65_up"), ("核定床位数（张）", "beds"), ("学位总数(个)", "seats"),
        ("核定托位数(个)", "capacity"), ("总建筑面积(㎡)", "floor_m2"), ("常住人口（人）", "population"),
        ("总户数(户)", "households"), ("常住人口（万人）", "population"),
    ],
)  # fmt: skip
def test_headings_as_ledgers_have_them(heading: str, role: str) -> None:
    assert [known for known in HEADINGS if find_column([heading], known)] == [role]


@pytest.mark.parametrize(
    "heading",
    [
        "60岁以上（％）",
        "0-3岁(%)",
        "人口(%)",
        "床位数(%)",
        "人口密度",
        "60岁以上占比",
    ],
)
def test_headings_of_another_measure_are_not_taken_for_counts(heading: str) -> None:
    assert [known for known in HEADINGS if find_column([heading], known)] == []


@pytest.mark.parametrize(
    "heading", ["面积(公顷)", "床位(张/千人)", "学位(座/百户)", "建筑面积(㎡/千人)", "人口(万人/平方公里)"]
)
def test_areas_in_large_units_and_rates_are_found_by_nobody(heading: str) -> None:
    assert [known for known in HEADINGS if find_column([heading], known)] == []


def test_every_usual_heading_has_a_known_unit() -> None:
    counts = ("population", "households", "beds", "seats", "capacity", *GROUPS)
    assert {unit_of(role, heading) for role in ("area_m2", "floor_m2") for heading in HEADINGS[role]} == {1.0}
    assert {unit_of(role, heading) for role in counts for heading in HEADINGS[role]} == {1.0, 100.0, 1000.0, 10000.0}
    large = {unit_of(role, heading) for role, headings in LARGE_AREAS.items() for heading in headings}
    assert large == {1000.0, 10000.0, 10000 / 15, 1e6}


def test_a_unit_above_the_headings_is_told(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("2025年常住人口,,\n单位：万人,,\n编号,经度,常住人口\n1,104,5\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"p\.csv: a line above the headings names a unit; got '单位：万人'"):
        read_table(Source(file))
    file.write_text("填报单位：百花社区,,\n编号,经度,常住人口\n1,104,5\n", encoding="utf-8")
    assert read_table(Source(file)).columns.tolist() == ["编号", "经度", "常住人口"]


def test_no_heading_serves_two_roles() -> None:
    plain = [plain_heading(heading) for headings in HEADINGS.values() for heading in headings]
    assert len(plain) == len(set(plain))


def test_earlier_headings_win_and_missing_ones_are_named() -> None:
    assert find_column(["代码", "ID"], "id") == "ID"
    assert find_column(["a"], ("b",)) is None
    with pytest.raises(InputError, match="no column for the map; got the headings a; expected one of lon"):
        find_column(["a"], "lon", required_for="the map")


def test_the_users_mapping_wins() -> None:
    used = find_columns(["pop", "人口"], ["population", "id"], columns={"population": "pop"}, what="t.csv")
    assert used == {"population": "pop"}


def test_wrong_mappings_all_at_once() -> None:
    with pytest.raises(InputError) as error:
        find_columns(
            ["people_2020", "经度"],
            ["population", "lon", "lat"],
            columns={"population": "people_2002", "popluation": "x"},
            required=["lat"],
            what="t.csv",
        )
    message = str(error.value)
    assert "t.csv has no column 'people_2002' for population; the nearest is 'people_2020'" in message
    assert "`columns` cannot map 'popluation'; the nearest is 'population'" in message
    assert "no column for the lat of t.csv" in message


@pytest.mark.parametrize("name", ["p.geojson", "p.gpkg", "p.shp", "p.parquet", "p.json"])
def test_vector_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("parquet"):
        TWO_POINTS.to_parquet(path)
    else:
        TWO_POINTS.to_file(path, driver="GeoJSON" if name.endswith("json") else None)
    frame = read_vector(path)
    assert frame["名称"].to_list() == ["水井坊社区", "崇德里社区"]
    assert frame.crs.to_epsg() == 4326


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("zipped", [False, True])
def test_shapefile_without_declared_encoding(tmp_path: Path, encoding: str, zipped: bool) -> None:
    pyogrio.write_dataframe(TWO_POINTS, tmp_path / "社区.shp", encoding=encoding)
    (tmp_path / "社区.cpg").unlink()
    path = tmp_path / "社区.shp"
    if zipped:
        path = tmp_path / "all.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for part in sorted(tmp_path.glob("社区.*")):
                archive.write(part, f"../成果/{part.name}")
    frame = read_vector(path)
    assert frame["名称"].to_list() == ["水井坊社区", "崇德里社区"]


@pytest.mark.parametrize(
    ("missing", "message"),
    [(".prj", r"comes without \.prj.*declare it in the study"), (".dbf", r"comes without \.dbf"), (".shx", r"\.shx")],
)
def test_shapefile_in_parts(tmp_path: Path, missing: str, message: str) -> None:
    TWO_POINTS.to_file(tmp_path / "p.shp")
    (tmp_path / f"p{missing}").unlink()
    with pytest.raises(InputError, match=message):
        read_vector(tmp_path / "p.shp")


FEATURE = '{"type":"Feature","properties":{"a":1},"geometry":null}'


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("e.geojson", "", "is empty; got 0 bytes"),
        ("b.geojson", '{"type": "Feat', "cannot be parsed"),
        ("o.json", '{"a": 1}', "cannot be parsed"),
        ("n.geojson", '{"type":"FeatureCollection","features":[]}', "has no features"),
        ("g.geojson", f'{{"type":"FeatureCollection","features":[{FEATURE}]}}', "has no geometry"),
        ("vrt.gpkg", "<OGRVRTDataSource/>", "is not what its name says"),
        ("text.shp", "hello", "is not what its name says"),
        ("half.gpkg", b"SQLite format 3\x00 and no more", "cannot be parsed"),
        ("half.parquet", "PAR1", "cannot be parsed"),
        ("half.zip", "PK", "cannot be parsed"),
        ("layer.vrt", "<OGRVRTDataSource/>", r"got the kind \.vrt; expected one of \.geojson"),
        ("layer.kml", "<kml/>", r"got the kind \.kml"),
        ("nosuffix", "x", r"got the kind \(no suffix\)"),
    ],
)
def test_unusable_vector_files(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        read_vector(write(tmp_path, name, content))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("path", ["/vsicurl/http://a.b/c.geojson", "https://a.b/c.geojson", "/vsizip/a.zip"])
def test_nothing_is_read_from_elsewhere(path: str) -> None:
    with pytest.raises(InputError, match="is not a local file"):
        read_vector(path)


def test_table_without_geometry_in_parquet(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "p.parquet")
    with pytest.raises(InputError, match="Missing geo metadata"):
        read_vector(tmp_path / "p.parquet")


def test_no_crs(tmp_path: Path) -> None:
    TWO_POINTS.set_crs(None, allow_override=True).to_parquet(tmp_path / "p.parquet")
    with pytest.raises(InputError, match=r"has no CRS.*EPSG:4326"):
        read_vector(tmp_path / "p.parquet")


def test_geopackage_layers(tmp_path: Path) -> None:
    path = tmp_path / "p.gpkg"
    TWO_POINTS.to_file(path, layer="社区")
    TWO_POINTS.iloc[:1].to_file(path, layer="街道")
    assert len(read_vector(Source(path, layer="街道"))) == 1
    with pytest.raises(InputError, match="several layers; got 社区, 街道; remedy: choose one with `layer`"):
        read_vector(path)
    with pytest.raises(InputError, match="no layer 'x'; got 社区, 街道"):
        read_vector(Source(path, layer="x"))


@pytest.mark.parametrize("count", [0, 2])
def test_archive_without_one_shapefile(tmp_path: Path, count: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
        for k in range(count):
            archive.writestr(f"{k}.shp", "x")
    with pytest.raises(InputError, match=f"must hold one shapefile; got {count}"):
        read_vector(tmp_path / "a.zip")


DIRTY = """id,名称,lon,lat,beds
a,good,104.05,30.65,1
b,swapped,30.65,104.05,2
c,zero,0,0,3
d,blank,,30.65,4
e,text,east,30.65,5
f,far,504.05,30.65,6
g,metres,404050,3393000,7
h,infinite,inf,30,8
"""


def test_points_are_kept_or_listed_with_the_reason(tmp_path: Path) -> None:
    points, rejected = read_points(write(tmp_path, "f.csv", DIRTY))
    assert points.frame["row"].to_list() == ["a"]
    assert points.table["beds"].to_list() == ["1"]
    assert points.frame.geometry.iloc[0] == shapely.Point(104.05, 30.65)
    assert points.columns_used == {
        "lon": "lon", "lat": "lat", "id": "id", "name": "名称", "beds": "beds",
    }  # fmt: skip
    assert dict(zip(rejected["name"], rejected["reason"], strict=True)) == {
        "swapped": "longitude and latitude seem swapped",
        "zero": "coordinates are 0,0",
        "blank": "no coordinates",
        "text": "coordinates are not numbers",
        "far": "coordinates out of range",
        "metres": "coordinates out of range",
        "infinite": "coordinates are not numbers",
    }
    assert rejected["row"].to_list() == list("bcdefgh")
    assert rejected["detail"].iloc[0] == "lon 30.65, lat 104.05"


def test_headings_of_a_table_in_memory_appear_once() -> None:
    with pytest.raises(InputError, match="table: headings appear twice: 0; remedy: rename or remove one of each"):
        read_points(pd.DataFrame([[104.0, 30.0]], columns=[0, "0"]))
    twice = gpd.GeoDataFrame([[1, 2, shapely.Point(104, 30)]], columns=["a", "a", "geometry"], crs=4326)
    with pytest.raises(InputError, match="headings appear twice: a"):
        read_points(twice)


def test_points_without_ids_carry_their_row_number(tmp_path: Path) -> None:
    points, rejected = read_points(write(tmp_path, "f.csv", "id,lon,lat\nx,1,2\n\nx,0,0\nx,3,4\n"))
    assert points.frame["row"].to_list() == ["2", "5"]
    assert rejected["row"].to_list() == ["4"]


def test_one_column_with_both_coordinates(tmp_path: Path) -> None:
    text = 'name,location\na,"104.05,30.65"\nb,nowhere\nc,"104.06，30.66"\n'
    points, rejected = read_points(write(tmp_path, "f.csv", text))
    assert shapely.get_coordinates(points.frame.geometry).tolist() == [[104.05, 30.65], [104.06, 30.66]]
    assert rejected["name"].to_list() == ["b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "lon,lat\n30.6,104.0\n30.7,104.1\n",
            "2 × longitude and latitude seem swapped.*remedy: change longitude and latitude about: lon and lat in",
        ),
        (
            "lon,lat\n410000,3394000\n",
            r"1 × coordinates out of range .*remedy: if they are metres .* crs = \"EPSG:4544\"",
        ),
        ("lon,lat\n0,0\n", r"no row can be put on a map; got 1 × coordinates are 0,0"),
        ("name,lat\na,1\n", "no column for the lon of f.csv; got the headings name, lat"),
        ("name\na\n", r"no column for the lon.* \| no column for the lat"),
    ],
)
def test_points_that_nobody_can_use(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_points(write(tmp_path, "f.csv", text))


def test_points_from_vector_files_in_any_crs(tmp_path: Path) -> None:
    path = tmp_path / "p.gpkg"
    TWO_POINTS.to_crs(32648).to_file(path)
    points, rejected = read_points(path)
    np.testing.assert_allclose(
        shapely.get_coordinates(points.frame.geometry), [[104.08, 30.65], [104.09, 30.66]], atol=1e-8
    )
    assert points.table["beds"].to_list() == ["40", ""]
    assert points.frame["row"].to_list() == ["1", "2"]
    assert rejected.empty


def test_vector_rows_without_geometry_are_listed(tmp_path: Path) -> None:
    holes = TWO_POINTS.copy()
    holes.geometry = np.array([shapely.Point(104, 30), None], dtype=object)
    holes.set_crs(4326, allow_override=True).to_file(tmp_path / "p.gpkg")
    points, rejected = read_points(tmp_path / "p.gpkg")
    assert len(points.frame) == 1
    assert rejected.to_dict("records") == [{"row": "2", "name": "崇德里社区", "reason": "no geometry", "detail": ""}]


def test_vector_points_in_impossible_places_are_listed(tmp_path: Path) -> None:
    shapes = shapely.points([104.0, 30.6, 0.0, 404000.0], [30.6, 104.0, 0.0, 3390000.0])
    gpd.GeoDataFrame({"name": list("abcd")}, geometry=shapes, crs=4326).to_file(tmp_path / "p.gpkg")
    points, rejected = read_points(tmp_path / "p.gpkg")
    assert points.cells("name").to_list() == ["a"]
    assert rejected["reason"].to_list() == [
        "longitude and latitude seem swapped",
        "coordinates are 0,0",
        "coordinates out of range",
    ]


@pytest.mark.realdata
def test_real_facilities(real_data: Path) -> None:
    points, rejected = read_points(real_data / "chengdu" / "facilities.csv")
    assert (len(points.frame), len(rejected)) == (1054, 0)
    assert points.columns_used["area_m2"] == "total_area_m2"
