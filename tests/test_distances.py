"""How far people walk: counted by steps, against the homes themselves and against the coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import livingcircle as lc
from livingcircle.saved import load_result
from small_city import small_study


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("city")
    study = small_study(folder, walkers=["adult", "wheelchair"])
    return lc.scan(study)


def city(table, **where):
    chosen = table[(table["level"] == "city") & (table["walker"] == "adult")]
    for column, value in where.items():
        chosen = chosen[chosen[column] == value]
    return chosen


def test_every_person_of_the_demand_stands_in_one_step(result):
    key = ["level", "unit_id", "rule", "walker", "gates"]
    known = result.coverage["level"].isin(["district", "city"]) & result.coverage["status"].isin(["ok", "incomplete"])
    demand = result.coverage[known].set_index(key)["demand"]
    counted = result.distances.groupby(key)["people"].sum()
    assert len(counted) == len(demand) > 0
    assert (counted.reindex(demand.index) == demand).all()
    assert (result.distances["people"] > 0).all()


def test_steps_up_to_the_limit_of_a_clause_are_its_coverage(result):
    for rule, limit in (("shop", 300), ("clinic", 500)):
        steps, row = city(result.distances, rule=rule), city(result.coverage, rule=rule).iloc[0]
        assert steps.loc[steps["to_m"] <= limit, "people"].sum() == row["covered"]


def test_steps_are_those_of_the_homes(result):
    """The homes know their walks: the same sum made plainly, home by home."""
    homes = result.homes
    wanted: dict[float, int] = {}
    for walk, people in zip(homes["nearest_m_supermarket"], homes["people"], strict=True):
        at = next((to for to in range(100, 3100, 100) if walk <= to), np.nan)
        wanted[at] = wanted.get(at, 0) + people
    steps = city(result.distances, rule="shop")
    assert dict(zip(steps["to_m"], steps["people"], strict=True)) == {k: v for k, v in wanted.items() if v}


def test_distances_come_back_from_the_folder(result, tmp_path):
    saved = load_result(result.save(tmp_path / "out"))
    pd.testing.assert_frame_equal(saved.distances, result.distances, check_dtype=False)


def test_who_is_reached_by_nobody_stands_in_a_step_without_an_end(tmp_path):
    study = small_study(tmp_path)
    steps = city(lc.scan(study.model_copy(update={"search_limit_m": 500})).distances, rule="clinic")
    assert steps["to_m"].isna().sum() == 1
    assert steps["to_m"].dropna().max() <= 500
