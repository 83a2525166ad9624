"""Coverage: every figure of the long table, worked out by hand, and against loops over homes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oracle
from livingcircle.coverage import (
    Judged,
    People,
    Standing,
    Units,
    coverage_table,
    judge,
    layer_standing,
    parts_standing,
    rule_reach_m,
    rule_walker,
)
from livingcircle.hundredths import Walks, hundredths
from livingcircle.reach import Layer, Reach
from livingcircle.rules import Rule
from livingcircle.walkers import WALKERS
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.facility_files import Complete

CATALOGUE = load_catalogue()
ADULT, ELDER = WALKERS["adult"], WALKERS["elder"]
NAN = math.nan


def rule(id_: str = "shop_300", **changes: Any) -> Rule:
    known: dict[str, Any] = {
        "id": id_,
        "standard": "own",
        "services": ("supermarket",),
        "tier": "none",
        "metric": "walk_m",
    }
    if not changes.get("combine"):
        known["threshold"] = 300.0
    return Rule.model_validate({**known, **changes})


def reach(
    walk_m: Sequence[float],
    straight_m: Sequence[float] | None = None,
    **walk_s: Sequence[float],
) -> Reach:
    """Return distances per home; seconds are those of an even walk unless they are given."""
    metres = np.array(walk_m, dtype=float)
    seconds = {w.name: np.array(walk_s.get(w.name, metres / w.speed_m_s), dtype=float) for w in (ADULT, ELDER)}
    return Reach(
        walk_m=Walks.of({"adult": metres, "elder": metres}),
        walk_s=Walks.of(seconds),
        straight_cm=hundredths(metres if straight_m is None else np.array(straight_m, dtype=float)),
        nearest=np.zeros(len(metres), dtype=np.int32),
    )


def one_unit(n: int) -> Units:
    return Units("city", ("city",), ("City",), ("urban",), np.zeros(n, dtype=np.int64), np.array([True]))


def people_of(everybody: Sequence[int], *, rural: Sequence[bool] | None = None, **groups: Sequence[int]) -> People:
    counts = {"all": np.array(everybody, dtype=np.int64)} | {k: np.array(v, dtype=np.int64) for k, v in groups.items()}
    return People(counts, np.zeros(len(everybody), dtype=bool) if rural is None else np.array(rural, dtype=bool))


def table_of(
    rules: Sequence[Rule],
    reaches: Mapping[Layer, Reach],
    people: People,
    *,
    units: Units | None = None,
    standings: Mapping[str, Standing] | None = None,
    exit_m: Sequence[float] | None = None,
) -> pd.DataFrame:
    units = units or one_unit(len(people.rural))
    judged = judge(rules, reaches, ADULT)
    inside = {Layer.of(r): np.full(len(units.ids), 7, dtype=np.int64) for r in rules}
    return coverage_table(
        list(judged.values()),
        standings or {r.id: Standing("ok", "unknown") for r in rules},
        people,
        [units],
        catalogue=CATALOGUE,
        exit_m=np.array([NAN] * len(people.rural) if exit_m is None else exit_m),
        facility_units={units.level: inside},
    )


def row_of(one: Rule, distances: Reach, people: People, **options: Any) -> dict[Any, Any]:
    table = table_of([one], {Layer.of(one): distances}, people, **options)
    assert len(table) == 1
    return table.iloc[0].to_dict()


# Known answers ------------------------------------------------------------------------------------


def test_share_of_people_not_of_homes() -> None:
    row = row_of(rule(), reach([100, 300, 300.01]), people_of([10, 20, 30]))
    assert (row["demand"], row["covered"], row["share"]) == (60, 30, 0.5)
    assert (row["denominator"], row["group"], row["walker"], row["status"]) == ("people", "all", "adult", "ok")


@pytest.mark.parametrize(("metres", "covered"), [(299.99, 1), (300.0, 1), (300.01, 0), (NAN, 0)])
def test_the_threshold_is_inclusive_to_the_centimetre(metres: float, covered: int) -> None:
    assert row_of(rule(), reach([metres]), people_of([1]))["covered"] == covered


def test_false_coverage_is_the_radius_without_the_walk() -> None:
    # 30 of 60 people live within 300 m as the crow flies and farther on foot
    row = row_of(rule(metric="radius"), reach([100, 250, 700], [80, 200, 299]), people_of([10, 20, 30]))
    assert (row["covered"], row["radius_covered"]) == (30, 60)
    assert row["radius_share"] - row["share"] == 0.5


def test_minutes_are_those_of_the_tier_and_of_the_walker() -> None:
    # five minutes are 300 s: 399 m for an adult, 270 m for an elder
    one = rule(tier="5min", threshold=300)
    distances = reach([270.0, 271.0, 399.0, 400.0])
    for walker, covered in ((ADULT, 7), (ELDER, 1)):
        judged = judge([one], {Layer.of(one): distances}, walker)[one.id]
        assert judged.minutes is not None
        assert int((judged.minutes * np.array([1, 2, 4, 8])).sum()) == covered
        assert (judged.walk == [True, True, False, False]).all()
    assert math.isnan(row_of(rule(tier="none"), distances, people_of([1] * 4))["minutes_share"])


def test_rules_in_minutes_count_their_own_walkers_minutes() -> None:
    # ten minutes of an elder are 540 m; the chosen adult would walk 798 m
    one = rule(metric="walk_min", threshold=10, walker="elder", threshold_unit="min")
    row = row_of(one, reach([540, 541, 798, 799]), people_of([1, 2, 4, 8]))
    assert (row["covered"], row["minutes_covered"]) == (1, 7)
    assert math.isnan(row["radius_share"])


def test_groups_are_counted_where_the_input_has_them() -> None:
    one = rule(group="age_3_6")
    given_ = row_of(one, reach([100, 900]), people_of([10, 30], age_3_6=[3, 1]))
    stand_in = row_of(one, reach([100, 900]), people_of([10, 30], age_60_up=[3, 1]))
    assert (given_["group"], given_["group_basis"], given_["demand"], given_["share"]) == ("age_3_6", "given", 4, 0.75)
    assert (stand_in["group"], stand_in["group_basis"], stand_in["demand"], stand_in["share"]) == (
        "all",
        "stand_in",
        40,
        0.25,
    )


def test_urban_rules_do_not_apply_in_the_country() -> None:
    urban = rule(applies_to="urban")
    village = row_of(urban, reach([100]), people_of([10], rural=[True]))
    assert village["status"] == "not_applicable"
    assert math.isnan(village["share"])
    assert pd.isna(village["met_clause"])
    mixed = row_of(urban, reach([100, 900, 100]), people_of([10, 10, 20], rural=[False, False, True]))
    assert (mixed["status"], mixed["demand"], mixed["share"]) == ("ok", 20, 0.5)
    assert row_of(rule(standard="own"), reach([100]), people_of([10], rural=[True]))["share"] == 1.0


def test_no_data_is_not_zero() -> None:
    row = row_of(rule(), reach([NAN]), people_of([10]), standings={"shop_300": Standing("no_data", "unknown")})
    assert (row["status"], row["demand"]) == ("no_data", 10)
    for column in ("covered", "share", "radius_share", "minutes_share", "nearest_m_median", "facilities"):
        assert math.isnan(row[column]), column
    assert pd.isna(row["met_clause"])
    known = row_of(rule(), reach([NAN]), people_of([10]), standings={"shop_300": Standing("ok", "yes")})
    assert (known["covered"], known["share"], known["met_clause"]) == (0, 0.0, False)


def test_nobody_to_be_served_is_no_demand() -> None:
    row = row_of(rule(group="age_3_6"), reach([100]), people_of([10], age_3_6=[0]))
    assert (row["status"], row["demand"]) == ("no_demand", 0)
    assert math.isnan(row["share"])
    assert math.isnan(row["nearest_m_median"])


def test_people_who_could_not_be_placed_are_not_nobody() -> None:
    # a: 5 people, none of whom could be joined to a street; b: nobody; c: 3 of 13 not joined; d: a village
    ids = ("a", "b", "c", "d")
    units = Units(
        "community", ids, ids, ("",) * 4, np.array([2, 3]), np.ones(4, dtype=bool), not_placed=np.array([5, 0, 3, 0])
    )
    one = rule(applies_to="urban")
    people = people_of([10, 10], rural=[False, True])
    table = table_of([one], {Layer.of(one): reach([100, 100])}, people, units=units)
    assert table["status"].tolist() == ["no_data", "no_demand", "ok", "not_applicable"]
    assert table["demand"].tolist() == [0, 0, 10, 0]


def test_a_group_that_is_a_share_of_everybody_says_so() -> None:
    people = replace(people_of([10], age_3_6=[3]), shared=frozenset({"age_3_6"}))
    row = row_of(rule(group="age_3_6"), reach([100]), people)
    assert (row["group"], row["group_basis"], row["demand"]) == ("age_3_6", "share", 3)
    assert row_of(rule(), reach([100]), people)["group_basis"] == "given"


def test_a_row_tells_its_rule() -> None:
    one = rule(services=("park", "square"), target=0.9, bound="must", citation="4.2")
    row = row_of(one, reach([100]), people_of([10]))
    assert (row["rule"], row["service"], row["theme"]) == ("shop_300", "park|square", "ecology")
    assert (row["threshold"], row["threshold_unit"], row["target"]) == (300.0, "m", 0.9)
    assert (row["clause"], row["bound"], row["facilities"]) == ("4.2", "must", 7)
    assert math.isnan(row_of(rule(), reach([100]), people_of([10]))["target"])


def test_places_of_a_layer_that_was_not_counted_are_unknown() -> None:
    one, units = rule(), one_unit(1)
    judged = judge([one], {Layer.of(one): reach([100])}, ADULT)
    table = coverage_table(
        list(judged.values()),
        {one.id: Standing("ok", "unknown")},
        people_of([10]),
        [units],
        catalogue=CATALOGUE,
        exit_m=np.array([NAN]),
        facility_units={units.key: {}},
    )
    assert math.isnan(table["facilities"].iloc[0])
    assert table["covered"].iloc[0] == 10


def test_median_and_ninetieth_percentile_are_of_people_and_count_the_unreached() -> None:
    # in order of distance: 4 people at 100 m, 2 at 200 m, 3 at 900 m, 1 not reached:
    # the 5th stands at 200 m, the 9th at 900 m
    row = row_of(rule(), reach([200, NAN, 100, 900]), people_of([2, 1, 4, 3]))
    assert (row["nearest_m_median"], row["nearest_m_p90"]) == (200.0, 900.0)
    # with 2 not reached the 9th is one of them; with 6 of 11 the 6th is
    assert math.isnan(row_of(rule(), reach([200, NAN, 100, 900]), people_of([2, 2, 4, 2]))["nearest_m_p90"])
    assert math.isnan(row_of(rule(), reach([200, NAN]), people_of([5, 6]))["nearest_m_median"])
    assert row_of(rule(), reach([200, NAN]), people_of([6, 5]))["nearest_m_median"] == 200.0


def test_rules_of_parts() -> None:
    near, far = rule("a", services=("park",), threshold=300.0), rule("b", services=("bus_stop",), threshold=500.0)
    both = rule("both", services=("park", "bus_stop"), combine="all_of", parts=("a", "b"))
    either = rule("either", services=("park", "bus_stop"), combine="any_of", parts=("a", "b"))
    reaches = {Layer.of(near): reach([100, 100, 400, NAN]), Layer.of(far): reach([500, 501, 200, NAN])}
    judged = judge([near, far, both, either], reaches, ADULT)
    assert judged["both"].walk.tolist() == [True, False, False, False]
    assert judged["either"].walk.tolist() == [True, True, True, False]
    np.testing.assert_array_equal(judged["both"].walk_m, [500, 501, 400, NAN])
    np.testing.assert_array_equal(judged["either"].walk_m, [100, 100, 200, NAN])
    assert (judged["both"].reach_m, judged["either"].reach_m) == (500, 500)
    assert list(judged) == ["a", "b", "both", "either"]


def test_a_rule_of_parts_has_the_measures_that_all_its_parts_have() -> None:
    near = rule("a", services=("park",), metric="radius", tier="5min")
    far = rule("b", services=("bus_stop",), metric="radius", tier="5min")
    timeless = rule("c", services=("bus_stop",), metric="radius", tier="none")
    own = rule("d", services=("park",), metric="walk_min", threshold=5, threshold_unit="min")
    reaches = {
        Layer.of(near): reach([100, 500, 500], [90, 90, 400]),
        Layer.of(far): reach([500, 200, 500], [90, 400, 400]),
    }

    def measures(combine: str, *parts: Rule) -> list[list[bool] | None]:
        whole = rule("whole", combine=combine, parts=tuple(p.id for p in parts))
        found = judge([*parts, whole], reaches, ADULT)["whole"]
        return [None if mask is None else mask.tolist() for mask in (found.radius, found.minutes)]

    # 300 m as the crow flies; five minutes are 399 m of walking
    assert measures("all_of", near, far) == [[True, False, False], [False, False, False]]
    assert measures("any_of", near, far) == [[True, True, False], [True, True, False]]
    assert measures("any_of", near, timeless) == [[True, True, False], None]  # one part has no minutes
    assert measures("any_of", own, far) == [None, [True, True, False]]  # one part has no radius


def test_a_rule_without_a_figure_is_met_by_nobody() -> None:
    unread = rule(threshold=None, default_on=False)
    judged = judge([unread], {Layer.of(unread): reach([0.0, 100.0])}, ADULT)[unread.id]
    assert not judged.walk.any()
    assert math.isnan(judged.reach_m)


def test_rules_of_parts_that_cannot_be_measured_are_left_out() -> None:
    near = rule("a")
    supply = rule("s", metric="per_100hh", threshold_unit="m2_per_100hh")
    both = rule("both", combine="all_of", parts=("a", "s"))
    assert list(judge([near, supply, both], {Layer.of(near): reach([1])}, ADULT)) == ["a"]


def test_share_of_people_whose_reach_leaves_the_data() -> None:
    row = row_of(rule(), reach([1, 1, 1]), people_of([1, 2, 5]), exit_m=[300.0, 300.01, NAN])
    assert row["edge_share"] == 1 / 8


def test_how_far_a_rule_reaches_and_by_whose_minutes() -> None:
    # 10 minutes of an elder at 0.9 m/s are 540 m, of an adult at 1.33 m/s 798 m
    minutes: dict[str, Any] = {"metric": "walk_min", "threshold": 10, "threshold_unit": "min"}
    assert rule_reach_m(rule(**minutes, walker="elder"), ADULT, WALKERS) == pytest.approx(540)
    assert rule_reach_m(rule(**minutes, walker=""), ADULT, WALKERS) == pytest.approx(798)
    assert rule_walker(rule(**minutes, walker="elder"), ADULT, WALKERS) is ELDER
    # metres are metres, whoever walks them, and are walked by the walker of the run
    assert [rule_reach_m(rule(), walker, WALKERS) for walker in (ADULT, ELDER)] == [300, 300]
    assert rule_walker(rule(), ADULT, WALKERS) is ADULT
    # a share of communities reaches as far as the minutes of its circle: 15 min of an adult are 1197 m
    share = rule(metric="share_unit", tier="15min", threshold=0.9, threshold_unit="share")
    assert rule_reach_m(share, ADULT, WALKERS) == pytest.approx(1197)
    judged = judge([share], {Layer.of(share): reach([1197, 1198, NAN])}, ADULT)[share.id]
    assert judged.walk.tolist() == [True, False, False]
    assert judged.minutes is not None
    assert judged.minutes.tolist() == [True, False, False]
    assert judged.radius is None
    assert judged.reach_m == pytest.approx(1197)


def test_units_that_lie_over_each_other_have_names_of_their_own() -> None:
    first = one_unit(1)
    assert (first.key, replace(first, part=2).key) == ("city", "city-2")


# Whether a clause is met --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "status", "share", "met"),
    [
        (None, "ok", 1.0, True),
        (None, "ok", 0.99, False),
        (0.9, "ok", 0.9, True),
        (0.9, "ok", 0.89, False),
        (0.9, "incomplete", 0.95, True),  # what an incomplete layer proves is proved
        (0.9, "incomplete", 0.5, None),
        (0.9, "no_data", 0.95, None),
    ],
)
def test_met_is_judged_where_it_can_be(target: float | None, status: str, share: float, met: Any) -> None:
    distances = reach([100, 900])
    n = round(share * 100)
    row = row_of(
        rule(target=target), distances, people_of([n, 100 - n]), standings={"shop_300": Standing(status, "unknown")}
    )
    assert row["met_walk"] == met or (met is None and pd.isna(row["met_walk"]))


def test_a_clause_is_judged_by_its_own_measure() -> None:
    row = row_of(rule(metric="radius"), reach([900], [200]), people_of([10]))
    assert (row["met_clause"], row["met_walk"]) == (True, False)
    walked = row_of(rule(metric="walk_m"), reach([900], [200]), people_of([10]))
    assert (walked["met_clause"], walked["met_walk"]) == (False, False)


# How much is known about a layer ------------------------------------------------------------------


def standing(one: Rule, places: int, mark: Complete = "unknown", *, people: int = 10, centre: bool = False) -> Standing:
    complete: dict[str, Complete] = dict.fromkeys(one.services, mark)
    return layer_standing(
        one,
        places,
        places,
        complete=complete,
        centre_only=frozenset(one.services if centre else ()),
        people=people,
    )


def test_parks_that_are_all_too_small_are_data() -> None:
    one = rule(services=("park",), min_site_m2=5000, tier="community")
    known: dict[str, Complete] = {"park": "yes"}
    assert layer_standing(one, 0, 3, complete=known, centre_only=frozenset(), people=10).status == "ok"
    unknown: dict[str, Complete] = {"park": "unknown"}
    assert layer_standing(one, 0, 3, complete=unknown, centre_only=frozenset(), people=10).status == "incomplete"


@pytest.mark.parametrize(("mark", "status"), [("unknown", "incomplete"), ("yes", "ok")])
def test_a_list_with_no_place_here_is_not_known_to_be_complete(mark: Complete, status: str) -> None:
    one = rule(services=("park",), tier="none")  # no tier tells how many places there should be
    complete: dict[str, Complete] = {"park": mark}
    assert layer_standing(one, 0, 3, complete=complete, centre_only=frozenset(), people=10).status == status


@pytest.mark.parametrize(
    ("places", "size_known", "mark", "status"),
    [
        (0, 0.0, "unknown", "no_data"),  # three parks, and of none is it known whether it is large enough
        (0, 0.0, "yes", "no_data"),  # that they are all does not tell how large they are
        (0, 1 / 3, "yes", "incomplete"),  # one is too small, the other two may be large enough
        (2, 2 / 3, "yes", "incomplete"),
        (2, 0.99, "yes", "incomplete"),
        (2, 1.0, "yes", "ok"),
    ],
)
def test_parks_of_unknown_size_are_not_said_to_be_too_small(
    places: int, size_known: float, mark: Complete, status: str
) -> None:
    one = rule(services=("park",), min_site_m2=5000)
    complete: dict[str, Complete] = {"park": mark}

    def found(of: Rule) -> str:
        return layer_standing(
            of, places, 3, complete=complete, centre_only=frozenset(), people=10, sized={"park": size_known}
        ).status

    assert found(one) == status
    # Any park will do; that there is none here is known where the list is known to be whole.
    assert found(rule(services=("park",))) == ("incomplete" if (places, mark) == (0, "unknown") else "ok")


@pytest.mark.parametrize(
    ("sized", "status"),
    [
        ({"park": 0.0, "square": 0.0}, "no_data"),
        ({"park": 0.0, "square": 1.0}, "incomplete"),  # the squares are too small, of the parks nobody knows
        ({"park": 1.0, "square": 0.5}, "incomplete"),
        ({}, "ok"),  # all sizes are known, and all too small
    ],
)
def test_sizes_are_unknown_where_none_of_any_service_is_known(sized: dict[str, float], status: str) -> None:
    one = rule(services=("park", "square"), min_site_m2=5000)
    complete: dict[str, Complete] = {"park": "yes", "square": "yes"}
    found = layer_standing(one, 0, 3, complete=complete, centre_only=frozenset(), people=10, sized=sized)
    assert found == Standing(status, "yes")


def test_no_places_are_no_data_unless_that_is_known() -> None:
    assert standing(rule(), 0) == Standing("no_data", "unknown")
    assert standing(rule(), 0, "no") == Standing("no_data", "no")
    assert standing(rule(), 0, "yes") == Standing("ok", "yes")


@pytest.mark.parametrize(
    ("tier", "of_one"),  # standards.md section 1: the most people of a circle, who should have one place
    [
        ("block", 3_000),
        ("5min", 12_000),
        ("community", 12_000),
        ("8min", 25_000),
        ("10min", 25_000),
        ("15min", 100_000),
    ],
)
def test_under_a_quarter_of_what_the_tier_asks_for_is_incomplete(tier: str, of_one: int) -> None:
    # four times the people of a circle ask for 4 places, a quarter of which is 1
    one = rule(tier=tier)
    assert standing(one, 1, people=4 * of_one).status == "ok"
    assert standing(one, 1, people=4 * of_one + 1).status == "incomplete"
    assert standing(one, 1, "yes", people=9_000_000).status == "ok"


def test_a_rule_of_no_tier_asks_for_no_number_of_places() -> None:
    assert standing(rule(tier="none"), 1, people=9_000_000).status == "ok"


def test_what_the_planner_or_a_centre_makes_incomplete() -> None:
    assert standing(rule(), 5, "no").status == "incomplete"
    assert standing(rule(), 5, centre=True).status == "incomplete"


def test_one_incomplete_service_of_several_counts() -> None:
    one = rule(services=("supermarket", "convenience"))

    def mark(a: Complete, b: Complete) -> Standing:
        return layer_standing(
            one, 1, 1, complete={"supermarket": a, "convenience": b}, centre_only=frozenset(), people=10
        )

    assert mark("yes", "yes") == Standing("ok", "yes")
    assert mark("yes", "unknown") == Standing("ok", "unknown")
    assert mark("yes", "no") == Standing("incomplete", "no")


@pytest.mark.parametrize(
    ("combine", "parts", "status"),
    [
        ("any_of", ("ok", "ok"), "ok"),
        ("any_of", ("ok", "no_data"), "incomplete"),  # who is not reached by the one may be by the other
        ("any_of", ("incomplete", "no_data"), "incomplete"),
        ("any_of", ("no_data", "no_data"), "no_data"),
        ("all_of", ("ok", "ok"), "ok"),
        ("all_of", ("ok", "incomplete"), "incomplete"),
        ("all_of", ("ok", "no_data"), "no_data"),  # nobody can be shown to reach both
    ],
)
def test_a_rule_of_parts_knows_what_its_parts_know(combine: str, parts: tuple[str, str], status: str) -> None:
    whole = rule("whole", combine=combine, parts=("a", "b"))
    assert parts_standing(whole, [Standing(s, "unknown") for s in parts]).status == status


@pytest.mark.parametrize(
    ("marks", "whole"),
    [(("yes", "yes"), "yes"), (("yes", "unknown"), "unknown"), (("yes", "no"), "no"), (("unknown", "no"), "no")],
)
@pytest.mark.parametrize("status", ["ok", "no_data"])
def test_a_rule_of_parts_is_complete_where_all_parts_are(
    marks: tuple[Complete, Complete], whole: Complete, status: str
) -> None:
    one = rule("whole", combine="any_of", parts=("a", "b"))
    assert parts_standing(one, [Standing(status, mark) for mark in marks]) == Standing(status, whole)


def test_one_of_several_services_without_any_place_makes_the_share_a_lower_bound() -> None:
    one = rule(services=("bus_stop", "metro"))
    unknown: dict[str, Complete] = {"bus_stop": "unknown", "metro": "unknown"}
    known: dict[str, Complete] = {"bus_stop": "yes", "metro": "unknown"}

    def status(complete: Mapping[str, Complete]) -> str:
        return layer_standing(
            one, 5, 5, complete=complete, centre_only=frozenset(), people=10, absent=frozenset({"bus_stop"})
        ).status

    assert status(unknown) == "incomplete"
    assert status(known) == "ok"  # there is none, and the planner says so


def test_a_rule_that_means_less_than_its_services_is_not_judged_by_them() -> None:
    # stops are known, how often something leaves there is not
    one = rule(services=("bus_stop",), broader="no timetable")
    complete: dict[str, Complete] = {"bus_stop": "yes"}
    assert layer_standing(one, 5, 5, complete=complete, centre_only=frozenset(), people=10).status == "no_data"


# Denominators -------------------------------------------------------------------------------------


def test_land_is_counted_in_square_metres_and_names_itself() -> None:
    # 1600 + 1600 of 6400 m² of housing lie within 500 m of a park: half; no people are counted
    one = rule(services=("park",), metric="radius", threshold=500, denominator="residential_land", target=0.8)
    land = People({"all": np.array([1600, 1600, 3200])}, np.zeros(3, dtype=bool), of_land=True)
    row = row_of(one, reach([NAN, 600, 900], [400, 500, 501]), land)
    assert (row["denominator"], row["group_basis"], row["demand"]) == ("residential_land", "", 6400)
    assert (row["radius_covered"], row["radius_share"], row["met_clause"]) == (3200, 0.5, False)
    assert row["attainment"] == 0.5 / 0.8
    assert row["share"] == 0.0


def test_households_are_counted_where_the_input_has_them() -> None:
    # 4 of 10 households and 30 of 40 people live within 400 m
    one = rule(services=("park",), metric="radius", threshold=400, denominator="households")
    people = People({"all": np.array([30, 10])}, np.zeros(2, dtype=bool), households=np.array([4, 6]))
    row = row_of(one, reach([500, 500], [400, 401]), people)
    assert (row["denominator"], row["demand"], row["radius_share"]) == ("households", 10, 0.4)
    assert row_of(rule(), reach([100, 900]), people)["share"] == 0.75  # households are asked for by name
    assert replace(people, of_land=False).number == 40
    assert replace(people, of_land=True).number == 0  # nobody is known where land is counted
    without = row_of(one, reach([500, 500], [400, 401]), people_of([30, 10]))
    assert (without["denominator"], without["demand"], without["radius_share"]) == ("people", 40, 0.75)


@pytest.mark.parametrize(
    ("target", "metres", "attained"), [(None, 100, NAN), (0.8, 100, 1.0), (0.8, 900, 0.5), (0.4, 900, 1.0)]
)
def test_attainment_is_the_share_of_the_target_at_most_one(target: Any, metres: float, attained: float) -> None:
    # 40 of 100 people live 100 m away, the others at `metres`: 40 % of people or all of them
    row = row_of(rule(target=target), reach([100, metres]), people_of([40, 60]))
    assert row["attainment"] == pytest.approx(attained, nan_ok=True)


def test_sizes_count_for_grounds_only() -> None:
    frame = pd.DataFrame({"service": ["park", "park", "park", "supermarket"], "area_m2": [5000.0, 4999.0, NAN, NAN]})
    big = Layer.of(rule(services=("park",), min_site_m2=5000))
    small = Layer.of(rule(services=("park",), min_site_m2=2000, max_site_m2=5000))
    shop = Layer.of(rule(services=("supermarket",), min_site_m2=5000))
    assert big.chosen(frame).tolist() == [True, False, False, False]
    assert small.chosen(frame).tolist() == [False, True, False, False]
    assert shop.chosen(frame).tolist() == [False, False, False, True]
    assert Layer.of(rule(services=("park",))).chosen(frame).tolist() == [True, True, True, False]


# Against loops over homes -------------------------------------------------------------------------

_METRES = st.sampled_from([0.0, 12.5, 299.99, 300.0, 300.01, 640.0, NAN])


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_table_agrees_with_loops_over_homes(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 12))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return data.draw(st.lists(values, min_size=n, max_size=n))

    ids = ("a", "b", "c")
    units = Units("community", ids, ids, ("urban",) * 3, np.array(column(st.integers(-1, 2))), np.ones(3, dtype=bool))
    everybody = column(st.integers(1, 9))
    people = people_of(
        everybody, rural=column(st.booleans()), age_3_6=[data.draw(st.integers(0, k)) for k in everybody]
    )
    rules = [
        rule("plain"),
        rule("young", group="age_3_6", tier="5min", metric="radius"),
        rule("urban", applies_to="urban", group="age_60_up"),
    ]
    rules.append(rule("either", combine="any_of", parts=("plain", "young")))
    distances = reach(column(_METRES), column(_METRES))
    exit_m = np.array(column(_METRES))
    judged = judge(rules, {Layer.of(rules[0]): distances}, ADULT)
    status = {r.id: Standing(data.draw(st.sampled_from(["ok", "incomplete", "no_data"])), "unknown") for r in rules}
    table = table_of(
        rules, {Layer.of(rules[0]): distances}, people, units=units, standings=status, exit_m=exit_m.tolist()
    )
    assert len(table) == len(rules) * len(ids)
    for row in table.to_dict("records"):
        _compare(row, judged[row["rule"]], people, units, exit_m, status[row["rule"]].status)


def _compare(row: Mapping[Any, Any], judged: Judged, people: People, units: Units, exit_m: Any, status: str) -> None:
    reach_m = judged.rule.threshold if judged.rule.threshold is not None else 300.0  # both parts reach 300 m
    plain = oracle.count_unit(judged, people, units, units.ids.index(row["unit_id"]), exit_m, reach_m)
    expected = "not_applicable" if plain["not_applicable"] else status if plain["demand"] else "no_demand"
    assert row["status"] == expected
    assert row["demand"] == plain["demand"]
    assert row["group_basis"] == plain["group_basis"]
    known = expected in ("ok", "incomplete")
    for column in ("covered", "radius_covered", "minutes_covered"):
        value = plain[column] if known and plain[column] is not None else NAN
        assert row[column] == pytest.approx(value, nan_ok=True), column
        share = column.replace("covered", "share") if column != "covered" else "share"
        assert row[share] == pytest.approx(value / plain["demand"] if plain["demand"] else NAN, nan_ok=True), share
        assert math.isnan(row[share]) or 0 <= row[share] <= 1
    for column, value in (("nearest_m_median", plain["median"]), ("nearest_m_p90", plain["p90"])):
        assert row[column] == pytest.approx(value if known else NAN, nan_ok=True), column
    edge = plain["edge"] / plain["demand"] if plain["demand"] else NAN
    assert row["edge_share"] == pytest.approx(edge, nan_ok=True)


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_upper_levels_are_sums_of_people(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 10))
    code = np.array(data.draw(st.lists(st.integers(-1, 3), min_size=n, max_size=n)))
    walks = data.draw(st.lists(_METRES, min_size=n, max_size=n))
    people = people_of(data.draw(st.lists(st.integers(1, 50), min_size=n, max_size=n)))
    ids = ("a", "b", "c", "d")
    lower = Units("community", ids, ids, ("",) * 4, code, np.ones(4, dtype=bool))
    upper = Units("city", ("city",), ("",), ("",), np.where(code >= 0, 0, -1), np.array([True]))
    parts = table_of([rule()], {Layer.of(rule()): reach(walks)}, people, units=lower)
    whole = table_of([rule()], {Layer.of(rule()): reach(walks)}, people, units=upper)
    assert parts["demand"].sum() == whole["demand"].sum()
    assert parts["covered"].sum() == whole["covered"].sum()
