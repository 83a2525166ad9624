"""Scores: k of N services, averaged over people, honest about what is not known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import oracle
from livingcircle.coverage import Judged, People, Standing, Units
from livingcircle.measured import make_levels
from livingcircle.rules import Rule, RuleSet
from livingcircle.scores import MIN_DATA_SHARE, MIN_PEOPLE, histogram_table, scores_table, services_reached
from livingcircle_layers.catalogue import load_catalogue

NAN = math.nan
CATALOGUE = load_catalogue()
SERVICES = [s.id for s in CATALOGUE.services.values() if s.theme == "convenience"]


def rules_of(n: int, **changes: Mapping[int, Any]) -> RuleSet:
    """Return n scoring rules r0, r1 …; `changes` gives values of a key by the rule's number."""
    rules = [
        Rule.model_validate(
            {
                "id": f"r{i}", "standard": "own", "services": (SERVICES[i],), "metric": "walk_m", "threshold": 300.0,
                "provision": "required", "confidence": "V:1",
                **{key: values[i] for key, values in changes.items() if i in values},
            }
        )
        for i in range(n)
    ]  # fmt: skip
    return RuleSet("own", "", "", "file", tuple(rules), tuple(r.id for r in rules))


def judged_of(rules: RuleSet, reached: Sequence[Sequence[int]]) -> dict[str, Judged]:
    """Return verdicts from a table: a row per home, a column per rule, 1 where it is reached."""
    table = np.array(reached, dtype=bool)
    return {
        r.id: Judged(
            rule=r, walker="adult", gates="respect", walk=table[:, i], radius=None, minutes=None,
            walk_cm=np.where(table[:, i], 10_000, -1).astype(np.int32), reach_m=300.0,
        )
        for i, r in enumerate(rules.rules)
    }  # fmt: skip


def score(
    rules: RuleSet,
    reached: Sequence[Sequence[int]],
    everybody: Sequence[int],
    *,
    no_data: Sequence[str] = (),
    incomplete: Sequence[str] = (),
    rural: Sequence[bool] | None = None,
    units: Units | None = None,
    of_land: bool = False,
) -> pd.DataFrame:
    n = len(everybody)
    people = People(
        {"all": np.array(everybody, dtype=np.int64)},
        np.zeros(n, dtype=bool) if rural is None else np.array(rural, dtype=bool),
        of_land=of_land,
    )
    units = units or Units("city", ("city",), ("City",), ("urban",), np.zeros(n, dtype=np.int64), np.array([True]))
    status = dict.fromkeys(no_data, "no_data") | dict.fromkeys(incomplete, "incomplete")
    standings = {r.id: Standing(status.get(r.id, "ok"), "unknown") for r in rules.rules}
    return scores_table(rules, judged_of(rules, reached), standings, people, [units], catalogue=CATALOGUE)


def test_k_of_n_is_the_mean_over_people() -> None:
    # 100 people reach 2 of 4, 300 people reach 1 of 4: (100 · 2 + 300 · 1) / 400 = 1.25 of 4
    row = score(rules_of(4), [[1, 1, 0, 0], [0, 0, 1, 0]], [100, 300]).iloc[0]
    assert (row["k_mean"], row["score"], row["score_low"], row["score_high"]) == (1.25, 31.25, 31.25, 31.25)
    assert (row["people"], row["n_scored"], row["n_listed"]) == (400, 4, 4)


def test_upper_levels_are_of_people_not_means_of_means() -> None:
    # 900 people reach everything, 100 nothing: 90, not 50
    units = Units("community", ("a", "b"), ("a", "b"), ("", ""), np.array([0, 1]), np.ones(2, dtype=bool))
    parts = score(rules_of(2), [[1, 1], [0, 0]], [900, 100], units=units)
    assert parts["score"].tolist() == [100.0, 0.0]
    whole = score(rules_of(2), [[1, 1], [0, 0]], [900, 100])
    assert whole["score"].tolist() == [90.0]
    assert (parts["score"] * parts["people"]).sum() / parts["people"].sum() == whole["score"].iloc[0]


def test_layers_without_data_widen_the_score() -> None:
    # 3 of 4 have data; 1.5 of them are reached on average: none of the missing 37.5, all of it 62.5
    row = score(rules_of(4), [[1, 1, 1, 0], [0, 0, 0, 0]], [100, 100], no_data=["r3"]).iloc[0]
    assert (row["score"], row["score_low"], row["score_high"]) == (37.5, 37.5, 62.5)
    assert (row["n_scored"], row["n_listed"]) == (3, 4)


@pytest.mark.parametrize(("missing", "shown"), [(3, True), (4, False)])
def test_no_score_under_seventy_percent_of_the_list(missing: int, shown: bool) -> None:
    assert MIN_DATA_SHARE == 0.7
    row = score(rules_of(10), [[1] * 10], [500], no_data=[f"r{i}" for i in range(missing)]).iloc[0]
    assert math.isnan(row["score"]) is not shown
    assert math.isnan(row["k_mean"]) is not shown
    assert row["n_scored"] == 10 - missing


@pytest.mark.parametrize(("people", "shown"), [(99, False), (100, True)])
def test_no_score_for_fewer_than_a_hundred_people(people: int, shown: bool) -> None:
    assert MIN_PEOPLE == 100
    row = score(rules_of(2), [[1, 0]], [people]).iloc[0]
    assert math.isnan(row["score"]) is not shown
    assert row["people"] == people


def test_required_services_all_or_all_but_one() -> None:
    # r3 is as needed and does not count; 10 people have all three, 20 miss one, 30 miss two
    rules = rules_of(4, provision={3: "as_needed"})
    row = score(rules, [[1, 1, 1, 0], [1, 1, 0, 1], [1, 0, 0, 1]], [10, 20, 30]).iloc[0]
    assert row["complete_share"] == pytest.approx(10 / 60)
    assert row["missing_one_share"] == pytest.approx(20 / 60)


def test_required_services_without_data_leave_it_open() -> None:
    row = score(rules_of(10), [[1] * 10], [500], no_data=["r0"]).iloc[0]
    assert math.isnan(row["complete_share"])
    assert math.isnan(row["missing_one_share"])
    as_needed = score(rules_of(10, provision={0: "as_needed"}), [[1] * 10], [500], no_data=["r0"]).iloc[0]
    assert as_needed["complete_share"] == 1.0


def test_a_list_without_required_services_has_no_complete_share() -> None:
    rules = rules_of(2, provision={0: "", 1: ""})
    assert math.isnan(score(rules, [[1, 1]], [500]).iloc[0]["complete_share"])


def test_urban_lists_score_nobody_in_the_country() -> None:
    rules = rules_of(2, applies_to={0: "urban", 1: "urban"})
    row = score(rules, [[1, 1], [1, 0]], [500, 500], rural=[True, False]).iloc[0]
    assert row["score"] == 50.0  # the urban half alone
    village = score(rules, [[1, 1]], [500], rural=[True]).iloc[0]
    assert math.isnan(village["score"])
    assert village["n_scored"] == 0


def test_weakest_rule_is_the_one_that_fewest_reach() -> None:
    rules = rules_of(3)
    assert score(rules, [[1, 0, 1], [1, 1, 0]], [20, 10]).iloc[0]["weakest_rule"] == "r1"
    assert score(rules, [[1, 0, 1], [1, 1, 0]], [10, 20]).iloc[0]["weakest_rule"] == "r2"
    assert score(rules, [[1, 0, 0]], [10]).iloc[0]["weakest_rule"] == "r1"  # the first of equals
    assert score(rules, [[1, 0, 0]], [10], no_data=["r1"]).iloc[0]["weakest_rule"] == "r2"


def test_homes_for_which_too_little_of_the_list_is_meant_count_in_no_mean() -> None:
    # four of ten rules are for towns: for a home in the country six are left, under 70 % of the list, though it
    # reaches all six. The five required ones are asked of the town alone, as one of them is not meant for the country.
    rules = rules_of(
        10, applies_to=dict.fromkeys(range(4), "urban"), provision=dict.fromkeys(range(5, 10), "as_needed")
    )
    reached = [[1] * 5 + [0] * 5, [0] * 4 + [1] * 6]
    row = score(rules, reached, [100, 300], rural=[False, True]).iloc[0]
    assert (row["k_mean"], row["score"], row["theme_convenience"], row["people"]) == (5.0, 50.0, 0.5, 400)
    assert (row["complete_share"], row["missing_one_share"]) == (1.0, 0.0)
    # a hundred people live there, one of them in town: the score is hers
    alone = score(rules, reached, [1, 99], rural=[False, True]).iloc[0]
    assert (alone["score"], alone["complete_share"]) == (50.0, 1.0)


def test_the_weakest_rule_counts_people_and_not_homes() -> None:
    # r0 reaches 12 of 20 people, r1 only 9 of them, who live in one home of five
    reached = [[1, 1], [1, 0], [1, 0], [1, 0], [0, 0]]
    assert score(rules_of(2), reached, [9, 1, 1, 1, 8]).iloc[0]["weakest_rule"] == "r1"
    assert score(rules_of(2), [[1, 0]], [1]).iloc[0]["weakest_rule"] == "r1"  # of one person, too


def test_what_is_known_to_be_little_data_is_not_called_the_weakest() -> None:
    reached = [[1, 0, 0], [1, 0, 1]]
    assert score(rules_of(3), reached, [20, 10], incomplete=["r1"]).iloc[0]["weakest_rule"] == "r2"
    # where all of it is little data, the weakest is told all the same
    everything = ["r0", "r1", "r2"]
    assert score(rules_of(3), reached, [20, 10], incomplete=everything).iloc[0]["weakest_rule"] == "r1"
    assert score(rules_of(3), reached, [20, 10], no_data=everything).iloc[0]["weakest_rule"] == ""


def test_the_weakest_rule_is_asked_of_those_for_whom_it_is_meant() -> None:
    # r1 is for towns: 10 of its 20 people reach it, a half; r0 reaches 60 of all 120, a half too; r2 only 50 of 120
    rules = rules_of(3, applies_to={1: "urban"})
    reached = [[1, 1, 0], [0, 0, 0], [1, 0, 1], [0, 1, 0]]
    everybody, rural = [10, 10, 50, 50], [False, False, True, True]
    assert score(rules, reached, everybody, rural=rural).iloc[0]["weakest_rule"] == "r2"
    # where nobody lives in town, it is no candidate
    village = score(rules, [[1, 0, 1]], [200], rural=[True])
    assert village.iloc[0]["weakest_rule"] == "r0"


def test_a_score_is_of_people_and_land_has_none() -> None:
    row = score(rules_of(2), [[1, 0]], [5000], of_land=True).iloc[0]
    told = ["people", "k_mean", "score", "score_low", "score_high", "complete_share", "missing_one_share"]
    assert row[[*told, "theme_convenience"]].isna().all()
    assert (row["n_listed"], row["n_scored"], row["weakest_rule"]) == (2, 2, "r1")


def test_an_empty_list_scores_nobody() -> None:
    row = score(rules_of(0), [[]], [500]).iloc[0]
    assert np.isnan([row["score"], row["score_low"], row["score_high"], row["k_mean"]]).all()
    assert (row["people"], row["n_listed"], row["weakest_rule"], row["confidence"]) == (500, 0, "", "")


def test_confidence_is_the_weakest_mark_of_what_counts() -> None:
    rules = rules_of(3, confidence={0: "V:1", 1: "M+; V2:S3", 2: "M?"})
    assert score(rules, [[1, 1, 1]], [500]).iloc[0]["confidence"] == "M?"
    assert score(rules, [[1, 1, 1]], [500], no_data=["r2"]).iloc[0]["confidence"] == "M+"


def test_themes_stand_beside_the_score() -> None:
    # N = 4: two of convenience, one of ecology, one of transit whose layer has no data; 100 and 300 people.
    # convenience: (100 · 2 + 300 · 1) / 400 / 2 = 0.625; ecology: (100 · 0 + 300 · 1) / 400 / 1 = 0.75
    rules = rules_of(4, services={2: ("park",), 3: ("bus_stop",)})
    row = score(rules, [[1, 1, 0, 0], [1, 0, 1, 0]], [100, 300], no_data=["r3"]).iloc[0]
    assert (row["theme_convenience"], row["theme_ecology"]) == (0.625, 0.75)
    assert math.isnan(row["theme_transit"])  # no data is not zero
    assert math.isnan(row["theme_public_service"])  # nothing of it is on the list
    assert row["score"] == 50.0  # (100 · 2 + 300 · 2) / 400 of 4, which is not a mean of the themes
    assert math.isnan(score(rules, [[1, 1, 0, 0]], [99], no_data=["r3"]).iloc[0]["theme_ecology"])


def histogram(
    rules: RuleSet,
    reached: Sequence[Sequence[int]],
    everybody: Sequence[int],
    units: Units,
    *,
    of_land: bool = False,
    **groups: Sequence[int],
) -> pd.DataFrame:
    counts = {name: np.array(number, dtype=np.int64) for name, number in {"all": everybody, **groups}.items()}
    people = People(counts, np.zeros(len(everybody), dtype=bool), of_land=of_land)
    standings = {r.id: Standing("ok", "unknown") for r in rules.rules}
    found = services_reached(rules, judged_of(rules, reached), standings, people, catalogue=CATALOGUE)
    return histogram_table(found, people, [units])


def test_histogram_counts_people_by_k() -> None:
    # unit a: 100 people with 2 of 2, 50 with 0; b: 120 with 1; c has 99 people and no score; one home lies outside
    ids = ("a", "b", "c")
    units = Units("community", ids, ids, ("",) * 3, np.array([0, 0, 1, 2, -1]), np.ones(3, dtype=bool))
    homes = [[1, 1], [0, 0], [0, 1], [1, 0], [1, 1]]
    table = histogram(rules_of(2), homes, [100, 50, 120, 99, 7], units, age_3_6=[3, 2, 0, 9, 9])
    assert table.to_dict("list") == {
        "level": ["community"] * 12,
        "unit_id": ["a"] * 3 + ["b"] * 3 + ["a"] * 3 + ["b"] * 3,
        "group": ["all"] * 6 + ["age_3_6"] * 6,
        "k": [0, 1, 2] * 4,
        "people": [50, 0, 100, 0, 120, 0, 2, 0, 3, 0, 0, 0],
    }
    assert histogram(rules_of(2), homes, [100, 50, 120, 99, 7], units, of_land=True).empty


def test_histogram_is_the_distribution_whose_mean_is_the_score() -> None:
    rng = np.random.default_rng(7)
    reached = rng.integers(0, 2, (40, 6)).tolist()
    everybody = rng.integers(20, 90, 40).tolist()
    units = Units("city", ("city",), ("",), ("",), np.zeros(40, dtype=np.int64), np.array([True]))
    table = histogram(rules_of(6), reached, everybody, units)
    row = score(rules_of(6), reached, everybody, units=units).iloc[0]
    assert table["people"].sum() == row["people"]
    assert (table["k"] * table["people"]).sum() / row["people"] == pytest.approx(row["k_mean"])


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_scores_agree_with_loops_over_homes(data: st.DataObject) -> None:
    n, m = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 5))
    rules = rules_of(m)
    reached = data.draw(st.lists(st.lists(st.integers(0, 1), min_size=m, max_size=m), min_size=n, max_size=n))
    everybody = data.draw(st.lists(st.integers(1, 400), min_size=n, max_size=n))
    no_data = data.draw(st.sets(st.sampled_from([r.id for r in rules.rules])))
    ids = ("a", "b")
    code = np.array(data.draw(st.lists(st.integers(-1, 1), min_size=n, max_size=n)))
    units = Units("community", ids, ids, ("", ""), code, np.ones(2, dtype=bool))
    table = score(rules, reached, everybody, no_data=sorted(no_data), units=units)
    people = People({"all": np.array(everybody)}, np.zeros(n, dtype=bool))
    known = set(rules.scoring) - no_data
    for unit, row in enumerate(table.to_dict("records")):
        k, usable = oracle.mean_services(rules.scoring, judged_of(rules, reached), known, people, units, unit)
        shown = row["people"] >= MIN_PEOPLE and len(known) >= MIN_DATA_SHARE * m
        assert row["score"] == pytest.approx(100 * k / m if shown else NAN, nan_ok=True)
        high = 100 * (k + m - usable) / m
        assert row["score_high"] == pytest.approx(high if shown else NAN, nan_ok=True)
        if shown:
            assert 0 <= row["score_low"] == row["score"] <= row["score_high"] <= 100 + 1e-9


# The page that explains the score -----------------------------------------------------------------


def test_the_worked_example_of_the_page_is_what_is_computed() -> None:
    page = (Path(__file__).parents[1] / "docs" / "score.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"]
    heading = next(row for row in rows if row[0] == "home")
    homes = [row for row in rows if row[0] in ("A", "B", "C")]
    services = [cell.split()[0] for cell in heading[2:]]
    required = {i: "required" if "▲" in cell else "as_needed" for i, cell in enumerate(heading[2:])}
    rules = rules_of(5, services={i: (s,) for i, s in enumerate(services)}, provision=required)
    reached = [[int(cell == "1") for cell in home[2:]] for home in homes]
    everybody = [int(home[1]) for home in homes]
    lacking = [f"r{i}" for i, cell in enumerate(heading[2:]) if "no data" in cell]
    row = score(rules, reached, everybody, no_data=lacking).iloc[0]
    stated = {cells[0]: float(cells[1]) for cells in rows if cells[0] in row.index and len(cells) == 3}
    assert len(stated) == 10
    assert {name: pytest.approx(row[name]) for name in stated} == stated
    # its histogram: k per home, by people
    ks = [sum(line) for line in reached]
    told = ", ".join(
        f"{sum(n for n, mine in zip(everybody, ks, strict=True) if mine == k)} people at k = {k}"
        for k in sorted(set(ks))
    )
    assert f"Histogram: {told}." in page


def test_a_stroke_in_the_name_of_a_unit_is_part_of_the_name() -> None:
    """Only the id of a subdistrict, "district/subdistrict", is made of two names."""
    units = gpd.GeoDataFrame(
        {
            "unit_name": ["甲/乙", "丙"],
            "subdistrict": ["S/T", "U/V"],
            "district": ["A/B & C", ""],
            "unit_type": ["urban", "urban"],
        },
        geometry=[shapely.box(0, 0, 1, 1)] * 2,
        index=["1", "2"],
    )
    levels = {level.level: level for level in make_levels(units, pd.Series(["1", "2"]), complete=True, name="城/市")}
    assert levels["community"].names == ("甲/乙", "丙")
    assert dict(zip(levels["subdistrict"].ids, levels["subdistrict"].names, strict=True)) == {
        "A/B & C/S/T": "S/T",
        "U/V": "U/V",
    }
    assert levels["district"].names == ("A/B & C",)
    assert levels["city"].names == ("城/市",)
