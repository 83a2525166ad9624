"""Which rows count: the small language of `where`, and the errors of those who mistype it."""

from __future__ import annotations

import operator
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livingcircle_layers.errors import InputError
from livingcircle_layers.row_filter import rows_where
from livingcircle_layers.sources import Source
from livingcircle_layers.tables import read_points, read_table, read_vector

TABLE = pd.DataFrame(
    {
        "类别": ["幼儿园", "小学", "幼儿园", ""],
        "状态": ["在用", "停办", "停办", "在用"],
        "面积（㎡）": ["1,200", "500", "４９９", "—"],
        "用地 性质": ["A", "B", "A", "C"],
        "and": ["x", "y", "z", "x"],
    },
    index=pd.RangeIndex(1, 5, name="row_number"),
)


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ('类别 == "幼儿园"', [1, 3]),
        ("类别 == '幼儿园'", [1, 3]),
        ("类别 == “幼儿园”", [1, 3]),
        ('类别 != "幼儿园"', [2, 4]),
        ('类别 == ""', [4]),
        ('类别 == "幼儿园" and 状态 != "停办"', [1]),
        ('类别 in ("幼儿园", "小学")', [1, 2, 3]),
        ("类别 in （“幼儿园”，“小学”）", [1, 2, 3]),
        ('类别 not in ("幼儿园", "小学")', [4]),
        ("面积_m2 >= 500", [1, 2]),
        ("面积_m2 > 500", [1]),
        ("面积_m2 < 500", [3]),
        ("面积_m2 <= 499.0", [3]),
        ("面积_m2 == 1200", [1]),
        ("面积_m2 != 1200", [2, 3, 4]),  # a blank is unequal to every number, and neither above nor below one
        ("面积_m2 in (500, 499)", [2, 3]),
        ('`用地 性质` == "A" and not (状态 == "停办")', [1]),
        ('not 状态 == "停办" or 类别 == "小学"', [1, 2, 4]),
        # `and` binds closer than `or`: 小学, or the 幼儿园 that are in use
        ('类别 == "小学" or 类别 == "幼儿园" and 状态 == "在用"', [1, 2]),
        ('(类别 == "小学" or 类别 == "幼儿园") and 状态 == "在用"', [1]),
        ('`and` == "x" AND 状态 == "在用"', [1, 4]),
    ],
)
def test_rows_that_are_asked_for(where: str, rows: list[int]) -> None:
    found = rows_where(TABLE, where, what="t.csv")
    assert list(TABLE.index[found]) == rows


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("", "got its end; expected a column"),
        ("类别", "got its end; expected ==, !=, >=, <=, >, < or in after the column 类别"),
        ('类别 = "小学"', "got '=' at character 4"),
        ("类别 == 小学", r'got \'小学\' at character 7; expected a number, or a text in quotes \("…"\)'),
        ('类别 == "小学', "at character 7"),
        ('类别 == "小学" 状态 == "在用"', "got '状态' at character 12; expected and, or, or the end"),
        ('(类别 == "小学"', r"got its end; expected \)"),
        ('类别 in "小学"', r"expected \("),
        ('类别 > "小学"', "expected a number after >, without quotes"),
        ("类别 > 5", r"text in 3 rows \(row 1: '幼儿园', row 2: '小学', row 3: '幼儿园'\); expected numbers"),
        ('类型 == "小学"', "t.csv has no column '类型' for `where`; the nearest is '类别'"),
        ('__import__("os")', "has no column '__import__'"),
        ("类别.str.len() > 1", "got '.' at character 3"),
        ("类别 == `状态`", "expected a number, or a text in quotes"),
        ('@类别 == "小学"', "got '@' at character 1"),
        ('类别 == "小学"; drop', "got ';' at character 11"),
    ],
)
def test_mistakes_are_told_where_they_are(where: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        rows_where(TABLE, where, what="t.csv")
    assert "\n" not in str(error.value)
    # the columns are listed, unless one is so near that it must have been meant
    assert ("类别, 状态" in str(error.value)) is ("the nearest is" not in str(error.value))


@settings(deadline=None)
@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=8),
    st.integers(-5, 5),
    st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
)
def test_numbers_compare_as_numbers_do(values: list[int], limit: int, mark: str) -> None:
    plain = {
        "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    }  # fmt: skip
    table = pd.DataFrame({"n": [str(v) for v in values]})
    found = rows_where(table, f"n {mark} {limit}", what="t")
    assert found.tolist() == [plain[mark](v, limit) for v in values]
    assert rows_where(table, f"not n {mark} {limit}", what="t").tolist() == (~found).tolist()


def test_every_kind_of_source_is_filtered_and_keeps_its_row_numbers(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("name,lon,lat,beds\na,104.0,30.0,5\nb,104.1,30.1,50\nc,104.2,30.2,500\n")
    where = "beds > 5"
    table = read_table(Source(tmp_path / "t.csv", where=where))
    assert (list(table.index), table.attrs["rows"], table.attrs["filtered"]) == ([3, 4], 3, 1)
    points, _ = read_points(Source(tmp_path / "t.csv", where=where))
    assert points.frame["row"].tolist() == ["3", "4"]
    assert (points.reading.rows, points.reading.filtered) == (3, 1)
    everything, _ = read_points(tmp_path / "t.csv")
    for name in ("t.gpkg", "t.geojson", "t.shp", "t.parquet"):
        path = tmp_path / name
        ready = everything.frame.drop(columns="row").join(everything.table)
        ready.to_parquet(path) if name.endswith("parquet") else ready.to_file(path)
        kept = read_vector(Source(path, where=where))
        assert (list(kept.index), kept.attrs) == ([2, 3], {"rows": 3, "filtered": 1}), name


def test_a_filter_that_leaves_nothing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("name,lon,lat\na,104,30\n")
    with pytest.raises(InputError, match="`where` leaves none of the 1 rows; got name == 'b'"):
        read_table(Source(tmp_path / "t.csv", where="name == 'b'"))
