"""Capacity: catchments that float, worked out by hand, conserved for any table, and as PySAL has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from access import fca, weights
from hypothesis import given
from hypothesis import strategies as st

from livingcircle.capacity import EQUAL, WEIGHTS, Costs, floating_catchment, weight_of, within_catchments
from livingcircle.joins import Joins
from livingcircle.network import WalkNetwork
from livingcircle.saved import load_result
from livingcircle.scan import scan
from livingcircle.study import Study
from livingcircle_layers.errors import InputError
from towns import Town, rectangle, study_of, write_table

REACH = 900.0
DOWN = {"highway": "footway", "oneway:foot": "yes"}


def costs_of(rows: list[tuple[int, int, float]]) -> Costs:
    home, place, metres = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.array([]),) * 3
    return Costs(home.astype(np.int64), place.astype(np.int64), metres.astype(float))


# The method -----------------------------------------------------------------------------------------------------------


def test_two_steps_by_hand() -> None:
    # Place 0: 30 beds for homes 0 (10 people) and 1 (20): 1 each. Place 1: 5 beds for home 1: 0.25. 2 reaches none.
    costs = costs_of([(0, 0, 100), (1, 0, 300), (1, 1, 900)])
    assert floating_catchment(costs, [10, 20, 7], [30, 5], reach_m=REACH).tolist() == [1.0, 1.25, 0.0]


def test_nearer_people_weigh_more() -> None:
    # Thirds of 900 m: home 0 at 300 m weighs 1, home 1 at 301 m 0.68; place 0 hands out 30 / (10 + 13.6) for each of
    # them: 1.271… to home 0, 0.864… to home 1, who has 0.22 · 5 / (0.22 · 20) = 0.25 of place 1, too
    costs = costs_of([(0, 0, 300), (1, 0, 300.01), (1, 1, 900)])
    found = floating_catchment(costs, [10, 20], [30, 5], reach_m=REACH, weights=WEIGHTS["slow"])
    assert found == pytest.approx([30 / 23.6, 0.68 * 30 / 23.6 + 0.25])


def test_limits_of_bands_are_inclusive() -> None:
    metres = np.array([0, 300, 300.01, 600, 600.01, 900, 900.01])
    assert weight_of(metres, reach_m=900, weights=WEIGHTS["fast"]).tolist() == [1, 1, 0.42, 0.42, 0.09, 0.09, 0]
    assert weight_of(metres, reach_m=900, weights=EQUAL).tolist() == [1, 1, 1, 1, 1, 1, 0]


tables = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 3), st.floats(0, 1000)), max_size=20, unique_by=lambda row: row[:2]
)


@given(
    tables,
    st.lists(st.integers(0, 50), min_size=6, max_size=6),
    st.lists(st.integers(0, 50), min_size=4, max_size=4),
    st.sampled_from([EQUAL, *WEIGHTS.values()]),
)
def test_nothing_is_lost_and_nothing_handed_out_twice(
    rows: list[tuple[int, int, float]], people: list[int], supply: list[int], by_band: tuple[float, ...]
) -> None:
    access = floating_catchment(costs_of(rows), people, supply, reach_m=REACH, weights=by_band)
    reached = {place for home, place, metres in rows if metres <= REACH and people[home]}
    assert (access * people).sum() == pytest.approx(sum(supply[place] for place in reached))
    assert (access >= 0).all()


@pytest.mark.parametrize("method", ["2sfca", "slow", "fast"])
def test_as_pysal_has_it(method: str) -> None:
    rng = np.random.default_rng(7)
    rows = [(h, p, float(rng.uniform(0, 1100))) for h in range(40) for p in range(12) if rng.random() < 0.6]
    rows += [
        (h, 0, 1.0) for h in range(40) if (h, 0) not in {r[:2] for r in rows}
    ]  # all reach some place: PySAL has no 0
    people, supply = rng.integers(1, 500, 40), rng.integers(0, 300, 12)
    by_band = EQUAL if method == "2sfca" else WEIGHTS[method]
    steps = {REACH * (i + 1) / len(by_band): weight for i, weight in enumerate(by_band)}
    theirs = fca.two_stage_fca(
        pd.DataFrame({"geoid": range(40), "demand": people.astype(float)}),
        pd.DataFrame({"geoid": range(12), "supply": supply.astype(float)}),
        pd.DataFrame(rows, columns=["origin", "dest", "cost"]),
        max_cost=REACH,
        weight_fn=weights.step_fn(steps),
    )
    ours = floating_catchment(costs_of(rows), people, supply, reach_m=REACH, weights=by_band)
    assert ours[theirs.index] == pytest.approx(theirs.to_numpy(), abs=1e-6)
    assert len(theirs) == 40


def test_catchments_are_hard_borders() -> None:
    # Outlines 0–100 and 100–200: the home on the border belongs to both, the last home and place to none
    homes, places = (
        shapely.points([[50, 5], [100, 5], [150, 5], [250, 5]]),
        shapely.points([[10, 5], [190, 5], [260, 5]]),
    )
    outlines = shapely.box([0, 100], 0, [100, 200], 10)
    everything = costs_of([(h, p, 1.0) for h in range(4) for p in range(3)])
    found = within_catchments(everything, homes, places, outlines)
    assert list(zip(found.home, found.place, strict=True)) == [(0, 0), (1, 0), (1, 1), (2, 1)]


def test_pairs_are_the_same_from_either_side(tmp_path: Path) -> None:
    town = Town("""
        a-----b-----c
        |     |     |
        d-----e-----f
    """).way("abc").way("def").way("ad").tagged_way("be", DOWN).way("cf")  # fmt: skip
    walk = WalkNetwork.from_osm(town.write(tmp_path / "town.osm")).walk()
    assert not np.array_equal(walk.forward, walk.backward)  # the footway leads down only
    rng = np.random.default_rng(3)

    def some(n: int) -> Joins:
        edge = rng.integers(-1, len(walk.forward), n)
        share = np.where(edge < 0, np.nan, rng.random(n))
        return Joins(edge, share, np.where(edge < 0, np.nan, rng.uniform(0, 9, n)), np.full(n, "", dtype=object))

    homes, doors = some(30), some(8)
    for ours, theirs in zip(
        walk.pairs_from_doors(homes, doors, limit=120), walk.pairs(homes, doors, limit=120), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert len(walk.pairs_from_doors(homes, doors.take(np.array([], dtype=int)), limit=120)[0]) == 0


# The scan -------------------------------------------------------------------------------------------------------------

#   a ──h1── K1 ──h2── K2 ──────h3── K3 ── b        K1 at x = 200 with 60 seats, K2 at 500 with 30, K3 unknown
#
# 100 people at x = 100 (h1), 200 at 350 (h2), 50 at 950 (h3); the clause says 300 m and asks for 200 places per 1,000
PEOPLE = [(100, 0, 100), (350, 0, 200), (950, 0, 50)]
UNITS = {"w": (-200.0, -200.0, 600.0, 400.0), "e": (400.0, -200.0, 900.0, 400.0)}
RULES = [
    {"id": "walk", "services": ["kindergarten"], "threshold": 300},
    {"id": "seats", "services": ["kindergarten"], "metric": "per_1000", "threshold": 200,
     "threshold_unit": "places_per_1000"},
]  # fmt: skip


def town_study(folder: Path, **changes: Any) -> Study:
    town = Town("a--------------------b", dx=1100 / 21).way("ab")
    schools = write_table(
        folder / "schools.csv", "name,seats", [(200, 0, "K1", 60), (500, 0, "K2", 30), (990, 0, "K3", "")]
    )
    given: dict[str, Any] = {
        "people": PEOPLE, "rules": RULES, "communities": UNITS,
        "facilities": [{"file": schools, "service": "kindergarten", "complete": "yes"}], **changes,
    }  # fmt: skip
    return study_of(folder, town, **given)


def test_seats_of_a_town(tmp_path: Path) -> None:
    # K1: 100 m to h1, 150 m to h2: 60 / 300 = 0.2 each. K2: 150 m to h2, 450 m to h3: 30 / 200 = 0.15.
    # h1 0.2, h2 0.35, h3 none: K3 has no figure. w: (100 · 0.2 + 200 · 0.35) / 300 = 0.3; K1 and K2: 90 seats
    result = scan(town_study(tmp_path))
    assert result.capacity is not None
    table = result.capacity[result.capacity["method"] == "2sfca"].set_index(["level", "unit_id"])
    assert set(table["service"] + " " + table["measure"]) == {"kindergarten seats"}
    w, e, city = (table.loc[key] for key in (("community", "w"), ("community", "e"), ("city", "city")))
    assert (w["people"], w["supply_in_reach"], w["people_without"], w["people_below"]) == (300, 90, 0, 0)
    assert (w["access_per_1000"], w["access_p10"], w["access_p50"]) == pytest.approx((300, 200, 350))
    assert (e["people"], e["supply_in_reach"], e["people_without"], e["people_below"]) == (50, 0, 50, 50)
    assert e["access_per_1000"] == 0
    assert city["access_per_1000"] == pytest.approx(1000 * 90 / 350)
    assert (city["required_per_1000"], city["places_known"], city["places_unknown"]) == (200, 2, 1)
    assert city["reach_m"] == 300
    assert any(
        "1 of 3 places of kindergarten are not known; they are left out: K3" in n for n in result.run["warnings"]
    )

    result.save(tmp_path / "out")
    assert load_result(tmp_path / "out").capacity is not None


def test_a_clause_of_another_group_is_not_compared(tmp_path: Path) -> None:
    # The walk is the children's: 10, 20 and 5 of them. 60 / 30 = 2 and 30 / 20 = 1.5 seats for a child; 200 seats for
    # 1,000 residents are no measure of that, 2,500 for 1,000 children are: h1 has 2,000 and h3 none
    people = [(100, 0, 100, 10), (350, 0, 200, 20), (950, 0, 50, 5)]
    for group, asked, below in (("all", np.nan, np.nan), ("age_3_6", 2500.0, 15)):
        rules = [{**RULES[0], "group": "age_3_6"}, {**RULES[1], "threshold": 2500, "group": group}]
        result = scan(town_study(tmp_path, people=people, people_heading="population,age_3_6", rules=rules))
        assert result.capacity is not None
        city = result.capacity.query("method == '2sfca' and level == 'city'").iloc[0]
        assert (city["group"], city["people"]) == ("age_3_6", 35)
        np.testing.assert_array_equal([city["required_per_1000"], city["people_below"]], [asked, below])


def test_school_catchments_of_a_town(tmp_path: Path) -> None:
    # One catchment ends at x = 300: K1 only for h1, 0.6 each; another from there to 600: K2 only for h2, 0.15; h3 none
    features = [{"type": "Feature", "properties": {}, "geometry": rectangle(x, -50, 300, 100)} for x in (0, 300)]
    path = tmp_path / "catchments.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    study = town_study(tmp_path, catchments=[{"service": "kindergarten", "file": path}])
    result = scan(study)
    assert result.capacity is not None
    w = result.capacity.query("method == '2sfca' and unit_id == 'w'").iloc[0]
    assert (w["access_per_1000"], w["access_p10"], w["access_p50"]) == pytest.approx((300, 150, 150))
    assert w["people_below"] == 200
    assert "catchments.geojson" in {entry["path"] for entry in result.run["inputs"]}
    with pytest.raises(InputError, match=r"kindergarden.*kindergarten"):
        scan(town_study(tmp_path, catchments=[{"service": "kindergarden", "file": path}]))


def test_without_any_figure_there_is_no_table(tmp_path: Path) -> None:
    town = Town("a--------------------b", dx=1100 / 21).way("ab").node(200, 0, amenity="kindergarten")
    assert scan(study_of(tmp_path, town, people=PEOPLE, rules=RULES[:1])).capacity is None
