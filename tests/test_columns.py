"""The contract of columns: names as users rely on them, types that are checked, a current dictionary."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from livingcircle import columns
from livingcircle.columns import Column, Table, conform, published
from livingcircle_layers.errors import InputError
from made_result import made_result

COVERAGE_CSV = (
    "level, unit_id, unit_name, standard, rule, service, theme, tier, group, group_basis, walker, gates, "
    "clause_measure, threshold, threshold_unit, denominator, demand, covered, share, radius_covered, "
    "radius_share, minutes_covered, minutes_share, value, target, met_clause, met_walk, nearest_m_median, "
    "nearest_m_p90, facilities, status, layer_complete, edge_share, clause, bound, provision, confidence, "
    "attainment"
)
SCORES_CSV = (
    "level, unit_id, unit_name, unit_type, people, unit_complete, k_mean, n_scored, n_listed, score, "
    "score_low, score_high, complete_share, missing_one_share, weakest_rule, confidence, "
    "theme_public_service, theme_convenience, theme_transit, theme_ecology"
)
SMALL = Table(
    "small",
    "small.csv",
    "",
    "",
    (
        Column("unit_id", "id", "", "", ""),
        Column("people", "int", "people", "", ""),
        Column("walk_m", "float", "m", "", ""),
        Column("met", "bool", "", "", ""),
        Column("age_*", "int", "people", "", ""),
    ),
)


def small(**changes):
    table = {
        "walk_m": [1.239, None],
        "met": [True, None],
        "people": [3.0, 4.0],
        "unit_id": ["a", "b"],
        "age_0_3": [1, 0],
    }
    return pd.DataFrame({name: values for name, values in (table | changes).items() if values is not None})


@pytest.mark.parametrize(
    ("table", "expected"),
    [(columns.COVERAGE, COVERAGE_CSV), (columns.SCORES, SCORES_CSV)],
    ids=["coverage", "scores"],
)
def test_names_and_order_are_the_published_ones(table, expected):
    assert ", ".join(table.names) == expected


def test_edges_and_matrix_have_the_published_names():
    assert columns.STREET_EDGES.names == (
        "edge_id", "u", "v", "length_m", "oneway", "highway", "component", "geometry",
    )  # fmt: skip
    assert columns.MATRIX.names == ("origin_id", "destination_id", "walk_m", "walk_min")


def test_every_column_is_described_in_both_languages_and_named_once():
    for table in columns.TABLES:
        assert len(set(table.names)) == len(table.names), table.name
        for column in table.columns:
            assert column.meaning_en, (table.name, column.name)
            assert any(ord(sign) > 0x2E80 for sign in column.meaning_zh), (table.name, column.name)


def test_a_name_means_the_same_unit_and_type_in_every_table():
    seen = {}
    for table in columns.TABLES:
        for column in table.columns:
            if column.name not in ("confidence", "geometry"):
                assert seen.setdefault(column.name, (column.dtype, column.unit)) == (
                    column.dtype,
                    column.unit,
                ), column


def test_dictionary_in_docs_is_current():
    page = Path(__file__).parent.parent / "docs" / "data-dictionary.md"
    assert page.read_text(encoding="utf-8") == columns.data_dictionary_markdown(), (
        "stale: run python -m livingcircle.columns > docs/data-dictionary.md"
    )


def test_conform_orders_selects_and_types():
    ready = conform(small(stranger=[1, 2]), SMALL)
    assert list(ready.columns) == ["unit_id", "people", "walk_m", "met", "age_0_3"]
    assert [str(dtype) for dtype in ready.dtypes] == ["str", "int64", "float64", "boolean", "int64"]


def test_conform_takes_a_named_index_for_a_column():
    assert conform(small().set_index("unit_id"), SMALL)["unit_id"].tolist() == ["a", "b"]


def test_conform_leaves_its_input_alone():
    table = small()
    before = table.copy(deep=True)
    published(table, SMALL)
    pd.testing.assert_frame_equal(table, before)


def test_conform_names_all_faults_at_once():
    with pytest.raises(InputError, match=r"column people is missing \| .*column walk_m is str, expected float"):
        conform(small(people=None, walk_m=["1", "2"]), SMALL)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("people", [1.5, 2.0]),
        ("people", [True, False]),
        ("walk_m", [np.inf, 1.0]),
        ("walk_m", [True, False]),
        ("met", ["yes", "no"]),
        ("unit_id", [510104, 510105]),
        ("age_0_3", ["1", "2"]),
    ],
)
def test_conform_refuses_values_of_another_type(name, values):
    with pytest.raises(InputError, match=f"column {name} is"):
        conform(small(**{name: values}), SMALL)


@pytest.mark.parametrize("empty", [None, np.nan, pd.NA])
def test_a_column_without_any_value_takes_its_type(empty):
    ready = conform(small(walk_m=[empty, empty], met=[empty, empty]), SMALL)
    assert [str(dtype) for dtype in ready[["walk_m", "met"]].dtypes] == ["float64", "boolean"]


def test_conform_keeps_the_coordinate_system():
    shapes = gpd.GeoDataFrame({"name": ["a"]}, geometry=[shapely.Point(104, 30)], crs=4326)
    table = Table("t", "", "", "", (Column("geometry", "geometry", "", "", ""), Column("name", "text", "", "", "")))
    ready = conform(shapes, table)
    assert list(ready.columns) == ["geometry", "name"]
    assert ready.crs == 4326


def test_published_rounds_by_unit_and_knows_no_minus_zero():
    ready = published(small(walk_m=[1.239, -0.001]), SMALL)
    assert ready["walk_m"].tolist() == [1.24, 0.0]
    assert not np.signbit(ready["walk_m"]).any()


def test_a_made_result_conforms():
    result = made_result()
    assert len(conform(result.coverage, columns.COVERAGE)) == len(result.coverage)
    assert len(conform(result.homes, columns.HOMES)) == len(result.homes)
