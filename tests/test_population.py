"""Two populations beside each other, and residential land where nobody is known."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from livingcircle.check import describe_study
from livingcircle.population import compare_people, comparison_lines
from livingcircle.scan import scan
from livingcircle.study import Study
from livingcircle_layers.errors import InputError
from livingcircle_layers.people import LAND, People, people_of_land
from towns import CRS, Town, study_of, write_table

#   y=100 +----+----+   three units of 100 m side by side
#         | a  | b  | c
UNITS = gpd.GeoDataFrame(
    {"unit_name": ["A", "B", "C"], "subdistrict": "", "district": ["D", "D", "E"]},
    geometry=[shapely.box(k * 100, 0, k * 100 + 100, 100) for k in range(3)],
    crs=CRS,
    index=pd.Index(list("abc"), name="unit_id"),
)
RULE = {"id": "shop", "services": ["supermarket"], "threshold": 150, "provision": "required"}


def people_at(*cells: tuple[object, int]) -> People:
    frame = gpd.GeoDataFrame({"people": [n for _, n in cells]}, geometry=[shape for shape, _ in cells], crs=CRS)
    return People(frame, (), pd.DataFrame(), "grid table", "p.csv", int(frame["people"].sum()), (), {})


def test_a_cell_counts_by_the_ground_it_shares() -> None:
    first = people_at((shapely.box(50, 0, 150, 100), 80), (shapely.Point(250, 50), 20), (shapely.Point(900, 0), 7))
    second = people_at((shapely.Point(10, 10), 60), (shapely.Point(120, 50), 30))
    table = compare_people(first, second, UNITS)
    assert table["first"].tolist() == [40, 40, 20]
    assert table["second"].tolist() == [60, 30, 0]
    assert table["difference"].tolist() == [20, -10, -20]
    assert table["ratio"].tolist() == [1.5, 0.75, 0]
    assert np.isnan(compare_people(second, first, UNITS).loc["c", "ratio"])


def test_what_is_said_of_the_difference() -> None:
    table = compare_people(
        people_at((shapely.Point(10, 10), 40), (shapely.Point(110, 10), 40), (shapely.Point(210, 10), 20)),
        people_at((shapely.Point(10, 10), 60), (shapely.Point(110, 10), 30)),
        UNITS,
    )
    # (40, 40, 20) and (60, 30, 0): r = 400 / sqrt(266.7 · 1800) with sums of squares and products from the means
    r = np.corrcoef([40, 40, 20], [60, 30, 0])[0, 1]
    assert comparison_lines(table, "census.csv", "grid.tif") == [
        "two populations: census.csv 100, grid.tif 90 people (-10.0%)",
        "two populations: district D: 80, 90 (+12.5%)",
        "two populations: district E: 20, 0 (-100.0%)",
        f"two populations: correlation over 3 communities r = {r:.3f}",
        "two populations: largest differences: a 40 → 60; c 20 → 0; b 40 → 30",
    ]


def test_a_population_equals_itself() -> None:
    people = people_at((shapely.box(0, 0, 300, 100), 90))
    lines = comparison_lines(compare_people(people, people, UNITS), "a", "b")
    assert lines[-1] == "two populations: largest differences: none"
    assert not any("correlation" in line for line in lines)  # all communities alike


def test_check_compares(tmp_path: Path) -> None:
    town = Town("a" + "-" * 40 + "b").way("ab")
    other = write_table(tmp_path / "other.csv", "population", [(10, 0, 90)])
    study = study_of(tmp_path, town, people=[(10, 0, 60), (300, 0, 40)], rules=[RULE],
                     population_compare={"file": other})  # fmt: skip
    assert "two populations: people.csv 100, other.csv 90 people (-10.0%)" in describe_study(study)


# -- land instead of people


PLACE, SIDE = st.integers(0, 300), st.integers(1, 90)
BOXES = st.lists(st.tuples(PLACE, PLACE, SIDE, SIDE), min_size=1, max_size=6)


@given(BOXES)
def test_land_that_lies_twice_counts_once(boxes: list[tuple[int, int, int, int]]) -> None:
    shapes = [shapely.box(x, y, x + w, y + h) for x, y, w, h in boxes]
    people = people_of_land(gpd.GeoDataFrame(geometry=shapes, crs=CRS))
    assert people.kind == LAND
    assert people.total == people.cells["people"].sum() == round(shapely.union_all(shapes).area)


def without_people(folder: Path, town: Town) -> Study:
    study = study_of(folder, town, people=[(10, 0, 1)], rules=[RULE])
    return study.model_copy(update={"population": None})


def test_without_people_demand_is_residential_land_and_there_is_no_score(tmp_path: Path) -> None:
    #  the shop stands at 0; 80 by 40 m of land around it, and as much 300 m away: half of 6,400 m² is within 150 m
    town = Town("a" + "-" * 40 + "b").way("ab").node(0, 5, shop="supermarket", name="S")
    town.box(0, -20, 80, 40, landuse="residential").box(300, -20, 80, 40, landuse="residential")
    result = scan(without_people(tmp_path, town))
    (row,) = result.coverage[result.coverage["level"] == "city"].to_dict("records")
    assert (row["denominator"], row["group"], row["group_basis"]) == ("residential_land", "all", "")
    assert row["demand"] == pytest.approx(6400, abs=4)
    assert row["share"] == pytest.approx(0.5, abs=1e-3)
    scores = result.scores
    assert scores[["people", "k_mean", "score", "score_low", "score_high", "complete_share"]].isna().all(axis=None)
    assert result.run["demand"] == "residential_land"
    assert "no score" in result.settings["demand"]
    assert any("demand is residential land in m²" in w for w in result.run["warnings"])
    folder = result.save(tmp_path / "out")
    assert '"demand":"residential_land"' in (folder / "map.html").read_text(encoding="utf-8")
    assert pd.read_csv(folder / "scores.csv")["people"].isna().all()
    # No sheet calls the 6,400 m² people, or says that nobody lives there because nobody was counted.
    book = openpyxl.load_workbook(folder / "report.xlsx")
    words = {str(cell) for sheet in book.worksheets[:-1] for row in sheet.values for cell in row if cell is not None}
    assert "居住用地 Residential land (m²)" in words
    assert "居住用地 (m²)\nResidential land (m²)" in words
    assert not words & {"人口 People", "输入人口 People in the input", "无居住人口 nobody lives here"}
    assert any("没有人口数据" in why for why in words)


def test_a_supply_per_person_is_unknown_without_people(tmp_path: Path) -> None:
    rule = {
        "id": "places", "services": ["supermarket"], "metric": "count", "threshold": 1,
        "threshold_unit": "count_per_3000_people",
    }  # fmt: skip
    town = Town("a" + "-" * 40 + "b").way("ab").node(0, 5, shop="supermarket", name="S")
    town.box(0, -20, 80, 40, landuse="residential")
    study = study_of(tmp_path, town, people=[(10, 0, 1500)], rules=[rule])
    with_people = scan(study).coverage.set_index("level").loc["city"]
    assert (with_people["value"], with_people["denominator"]) == (2, "people")  # one for 1,500
    without = scan(study.model_copy(update={"population": None}))
    row = without.coverage.set_index("level").loc["city"]
    assert (row["status"], np.isnan(row["value"])) == ("no_data", True)


def test_square_metres_of_land_are_not_called_people_who_lack_land(tmp_path: Path) -> None:
    town = Town("a" + "-" * 40 + "b").way("ab").node(0, 5, shop="supermarket", name="S")
    town.box(0, -20, 80, 40, landuse="residential")
    study = study_of(tmp_path, town, people=[(10, 0, 1500)], rules=[RULE | {"denominator": "residential_land"}])

    def told(one: Study) -> list[str]:
        return [w for w in scan(one).run["warnings"] if "are mapped for" in w]

    assert len(told(study)) == 1  # 3,200 m² for 1,500 people
    assert told(study.model_copy(update={"population": None})) == []


def test_neither_people_nor_land(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nobody is known, and no residential land either"):
        scan(without_people(tmp_path, Town("a--b").way("ab")))


def test_check_says_what_stands_in(tmp_path: Path) -> None:
    town = Town("a" + "-" * 40 + "b").way("ab").box(0, -20, 80, 40, landuse="residential")
    assert (
        "people: none given; 3,200 m² of residential land in 1 pieces stand in, 0 of them outside the communities"
        in describe_study(without_people(tmp_path, town))
    )
