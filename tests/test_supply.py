"""Supply: every measure and denominator, worked out by hand on two communities.

a: 0 < x < 1000, 0 < y < 1000    400 people, 100 households, town
b: 1000 < x < 2000               600 people, 200 households, town (or country)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from livingcircle.coverage import Judged, People, Standing, Units
from livingcircle.rules import Rule
from livingcircle.stock import Ground, Stock, ground_of, standings_of
from livingcircle.supply import restated, supply_table
from livingcircle.walkers import WALKERS
from livingcircle_layers.catalogue import load_catalogue
from towns import streets_of

CATALOGUE = load_catalogue()
NAN = math.nan
A, B = shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 2000, 1000)
BOTH = np.array([0, 1])
LEVELS = [
    Units("community", ("a", "b"), ("a", "b"), ("", ""), BOTH, np.ones(2, dtype=bool)),
    Units("city", ("city",), ("City",), ("",), np.zeros(2, dtype=np.int64), np.array([True])),
]
HALL = "community_service_station"


def rule(metric: str, threshold: float | None = 1.0, **changes: Any) -> Rule:
    known: dict[str, Any] = {"id": "r", "metric": metric, "threshold": threshold, "services": (HALL,)}
    return Rule.model_validate({**known, **changes})


def ground(**changes: Any) -> Ground:
    known: dict[str, Any] = {
        "people": {"all": np.array([400, 600]), "age_0_3": np.array([20, 0])},
        "households": np.array([100, 200]),
        "land_m2": np.array([1e6, 1e6]),
        "length_m": {"roads": np.array([8_000.0, 2_000.0]), "walks": np.array([20_000.0, 5_000.0])},
        "crossings": {"roads": np.array([16, 1]), "walks": np.array([120, 30])},
        "rural": np.zeros(2, dtype=bool),
        "outlines": np.array([A, B]),
    }
    return Ground(**{**known, **changes})


def place(at: float, *, service: str = HALL, **known: Any) -> dict[str, Any]:
    """Return a place at (at, 500), or with the geometry given."""
    return {"service": service, "area_m2": NAN, "geometry": shapely.Point(at, 500), **known}


def table(
    rules: Sequence[Rule], places: Sequence[Mapping[str, Any]], here: Ground | None = None, **options: Any
) -> Any:
    frame = pd.DataFrame([{"facility_id": f"f{i}", **p} for i, p in enumerate(places)])
    if not len(frame):
        frame = pd.DataFrame({"facility_id": [], "service": [], "area_m2": [], "geometry": []})
    x = np.array([shapely.get_x(shapely.centroid(g)) for g in frame["geometry"]], dtype=float)
    community = np.where(x < 1000, 0, np.where(x < 2000, 1, -1)).astype(np.int64)
    complete = dict.fromkeys(CATALOGUE.services, options.pop("complete", "yes"))
    stock = Stock(frame, community, np.where(community < 0, x - 2000, 0.0), complete)
    here = here or ground()
    known: dict[str, Any] = {
        "in_reach": {},
        "standings": standings_of(
            [one for one in rules if one.combine != "sum_of"], stock, walkers=1000, residents=here.number,
            walker=WALKERS["adult"], profiles=WALKERS,
        ),
        "people": People({"all": np.array([400, 600])}, np.zeros(2, dtype=bool)),
        "homes": LEVELS,
    }  # fmt: skip
    found = supply_table(rules, stock, here, LEVELS, catalogue=CATALOGUE, **{**known, **options})
    return found.set_index(["unit_id", "rule"])


def rows(one: Rule, places: Sequence[Mapping[str, Any]], here: Ground | None = None, **options: Any) -> Any:
    return table([one], places, here, **options).droplevel("rule")


# Floor for households -------------------------------------------------------------------------------------------------


def test_thirty_square_metres_of_floor_for_a_hundred_households() -> None:
    # a: 20 + 10 m² for 100 households: 30. b: 24 m² for 200: 12. City: 54 m² for 300: 18, not the mean of 30 and 12
    found = rows(
        rule("per_100hh", 30, denominator="households"),
        [place(100, floor_m2=20.0), place(200, floor_m2=10.0), place(1500, floor_m2=24.0)],
    )
    assert found["value"].to_dict() == {"a": 30.0, "b": 12.0, "city": 18.0}
    assert found["demand"].to_dict() == {"a": 100, "b": 200, "city": 300}
    assert set(found["denominator"]) == {"households"}
    assert found["met_clause"].to_dict() == {"a": True, "b": False, "city": False}
    assert set(found["status"]) == {"ok"}
    assert found["share"].isna().all()


def test_unknown_floor_is_no_data_and_never_zero() -> None:
    # a: one of two floors is known: at least 20; b: none of one; the city: at least 20 m² for 300 households
    places = [place(100, floor_m2=20.0), place(200, floor_m2=NAN), place(1500, floor_m2=NAN)]
    found = rows(rule("per_100hh", 30), places)
    assert found["status"].to_dict() == {"a": "incomplete", "b": "no_data", "city": "incomplete"}
    assert found["value"]["a"] == 20.0
    assert math.isnan(found["value"]["b"])
    assert pd.isna(found["met_clause"]["a"])  # the other may have the missing 10 m²
    enough = rows(rule("per_100hh", 20), places)
    assert enough["met_clause"]["a"]  # what is known is enough already


def test_no_column_of_floors_is_no_data_and_no_place_is_zero() -> None:
    without = rows(rule("per_100hh", 30), [place(100)])
    assert without["status"].to_dict() == {"a": "no_data", "b": "ok", "city": "no_data"}
    assert without["value"]["b"] == 0.0  # counted, and none


def test_households_that_the_input_lacks_are_no_data() -> None:
    found = rows(rule("per_100hh", 30), [place(100, floor_m2=20.0)], ground(households=None))
    assert set(found["status"]) == {"no_data"}
    assert found["value"].isna().all()


def test_a_place_of_several_services_counts_once() -> None:
    one = {"facility_id": "x", "floor_m2": 30.0}
    both = rule("per_100hh", 30, services=(HALL, "party_service_centre"))
    found = rows(both, [place(100, **one), place(100, service="party_service_centre", **one)])
    assert found["value"]["a"] == 30.0
    assert found["facilities"]["a"] == 1


# Land and places for people -------------------------------------------------------------------------------------------


def test_park_land_for_people_is_split_at_the_border() -> None:
    # a park of 100 m × 40 m lies half in a and half in b: 2000 m² each, for 400 and 600 people; a point of 800 m² in b
    park = shapely.box(950, 0, 1050, 40)
    found = rows(
        rule("per_cap", 5, services=("park",), denominator="people"),
        [place(0, service="park", geometry=park, area_m2=4000.0), place(1500, service="park", area_m2=800.0)],
    )
    assert found["value"].to_dict() == {"a": 5.0, "b": 2800 / 600, "city": 4.8}
    assert (found["denominator"]["a"], found["demand"]["a"], found["group"]["a"]) == ("people", 400, "all")
    assert found["met_clause"].to_dict() == {"a": True, "b": False, "city": False}


def test_land_that_is_mapped_twice_counts_once() -> None:
    # 4000 m², and within them a garden of 1000 m²
    parks = [shapely.box(0, 0, 100, 40), shapely.box(0, 0, 50, 20)]
    places = [place(0, service="park", geometry=g, area_m2=shapely.area(g)) for g in parks]
    assert rows(rule("per_cap", 5, services=("park",)), places)["value"]["a"] == 10.0


def test_hectares_for_a_thousand_people() -> None:
    # 8000 m² = 0.8 ha for 400 people: 2 ha per 1000
    park = shapely.box(0, 0, 100, 80)
    one = rule("per_1000", 2, threshold_unit="ha_per_1000", services=("park",))
    assert rows(one, [place(0, service="park", geometry=park, area_m2=8000.0)])["value"]["a"] == pytest.approx(2.0)


def test_tiers_do_not_count_each_others_parks() -> None:
    # 12,000 m² meet the 10-minute clause (1 ha) and 5000 m² the 5-minute one (0.4 ha): each counts in its own tier
    ten = rule("per_cap", 1, id="ten", tier="10min", services=("park",), min_site_m2=10_000)
    five = rule("per_cap", 1, id="five", tier="5min", services=("park",), min_site_m2=4_000)
    shapes = [shapely.box(0, 0, 120, 100), shapely.box(500, 0, 550, 100)]
    found = table([ten, five], [place(0, service="park", geometry=g, area_m2=shapely.area(g)) for g in shapes])
    assert found["value"]["a", "ten"] == 30.0
    assert found["value"]["a", "five"] == 12.5


def test_places_for_a_thousand_of_the_rules_group() -> None:
    # 12 + 6 places of nurseries for 20 small children: 900 for 1000; b has no small children
    one = rule("per_1000", 100, threshold_unit="places_per_1000", services=("nursery_0_3",), group="age_0_3")
    found = rows(one, [place(100, service="nursery_0_3", capacity=12.0), place(200, service="nursery_0_3", beds=6.0)])
    assert (found["value"]["a"], found["demand"]["a"], found["group"]["a"]) == (900.0, 20, "age_0_3")
    assert found["status"].to_dict() == {"a": "ok", "b": "no_demand", "city": "ok"}
    stand_in = rows(
        rule("per_1000", 100, threshold_unit="places_per_1000", group="age_60_up"), [place(100, capacity=4.0)]
    )
    assert (stand_in["group"]["a"], stand_in["group_basis"]["a"], stand_in["value"]["a"]) == ("all", "stand_in", 10.0)


def test_a_place_for_so_many_people() -> None:
    # one per 3000 people: 1 for 400 is 7.5 times as many, none for 600 is 0; the city has 3 for its 1000
    one = rule("count", 1, threshold_unit="count_per_3000_people", services=("recycling",))
    found = rows(one, [place(100, service="recycling")])
    assert found["value"].to_dict() == {"a": 7.5, "b": 0.0, "city": 3.0}
    assert found["met_clause"].to_dict() == {"a": True, "b": False, "city": True}


def test_a_parking_place_for_each_household() -> None:
    # 80 + 20 places for 100 households
    one = rule("count", 1, threshold_unit="count_per_household", services=("parking",))
    cars = [place(100, service="parking", capacity=80.0), place(200, service="parking", capacity=20.0)]
    assert rows(one, cars)["value"]["a"] == 1.0
    assert rows(one, [place(100, service="parking")])["status"]["a"] == "no_data"


# Streets and people on land -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "threshold", "ways", "a", "b", "city"),
    [
        ("km_per_km2", 8, "roads", 8.0, 2.0, 5.0),  # 10 km on 2 km²
        ("km_per_km2", 8, "walks", 20.0, 5.0, 12.5),
        ("m", 300, "roads", 250.0, 1000.0, 400.0),  # a grid of 250 m has 2 / 0.25 = 8 km on 1 km²
        ("people_per_km2", 500, "roads", 400.0, 600.0, 500.0),
        ("intersections_per_km2", 100, "walks", 120.0, 30.0, 75.0),
    ],
)
def test_density(unit: str, threshold: float, ways: str, a: float, b: float, city: float) -> None:
    found = rows(rule("density", threshold, threshold_unit=unit, ways=ways, services=()), [])
    assert found["value"].to_dict() == pytest.approx({"a": a, "b": b, "city": city})
    assert (found["denominator"]["city"], found["demand"]["city"]) == ("land", 2_000_000)
    # spacing is an upper limit, everything else a lower one
    assert found["met_clause"]["a"] == (a <= threshold if unit == "m" else a >= threshold)
    assert found["facilities"].isna().all()


def test_streets_are_counted_where_they_lie() -> None:
    # a road (900, 0)-(950, 0)-(1300, 0), 100 m of it in a and 300 m in b; steps of 200 m from (950, 0) to (950, 200)
    # are no road, but make a junction for people on foot
    streets = streets_of([(900, 0), (950, 0), (1300, 0), (950, 200)], [(0, 1), (1, 2), (1, 3)], steps=[2])
    units = gpd.GeoDataFrame({"unit_type": ["urban", "rural"]}, geometry=[A, B], index=["a", "b"], crs=streets.crs)
    homes = pd.DataFrame({"unit": ["a", "b", "b"], "people": [3, 4, 5], "households": [1, 2, 2], "age_3_6": [0, 1, 0]})
    found = ground_of(homes, units, streets)
    assert found.length_m is not None
    assert found.crossings is not None
    assert found.length_m["roads"].tolist() == pytest.approx([100.0, 300.0])
    assert found.length_m["walks"].tolist() == pytest.approx([300.0, 300.0])
    assert found.crossings["walks"].tolist() == [1, 0]
    assert found.crossings["roads"].tolist() == [0, 0]
    assert found.households is not None
    assert (found.people["all"].tolist(), found.households.tolist()) == ([3, 9], [1, 4])
    assert found.people["age_3_6"].tolist() == [0, 1]
    assert found.rural.tolist() == [False, True]


# Communities that have it ---------------------------------------------------------------------------------------------


def test_one_in_every_community() -> None:
    # a has two, b none: half of the communities have one
    found = rows(rule("count", 1, denominator="units"), [place(100), place(200)])
    assert found["value"].to_dict() == {"a": 2.0, "b": 0.0, "city": 2.0}
    assert found["covered"].to_dict() == {"a": 1, "b": 0, "city": 1}
    assert found["share"].to_dict() == {"a": 1.0, "b": 0.0, "city": 0.5}
    assert (found["denominator"]["city"], found["demand"]["city"]) == ("units", 2)
    assert found["met_clause"].to_dict() == {"a": True, "b": False, "city": False}


def test_what_is_known_to_be_too_small_is_none() -> None:
    one = rule("count", 1, denominator="units", min_floor_m2=600)
    found = rows(one, [place(100, floor_m2=599.0), place(1500, floor_m2=NAN)])
    assert found["share"].to_dict() == {"a": 0.0, "b": 1.0, "city": 0.5}  # a size that is not known is not too small


def test_a_hall_of_this_size_in_every_community() -> None:
    one = rule("floor_m2", 800, denominator="units")
    found = rows(one, [place(100, floor_m2=500.0), place(200, floor_m2=900.0), place(1500, floor_m2=NAN)])
    assert found["value"]["a"] == 900.0
    assert found["status"].to_dict() == {"a": "ok", "b": "no_data", "city": "incomplete"}
    assert (found["share"]["a"], found["share"]["city"]) == (1.0, 0.5)  # at least half
    assert pd.isna(found["met_clause"]["city"])


def test_rules_for_towns_leave_the_country_out() -> None:
    here = ground(rural=np.array([False, True]))
    found = rows(rule("count", 1, denominator="units", applies_to="urban"), [place(100)], here)
    assert found["status"].to_dict() == {"a": "ok", "b": "not_applicable", "city": "ok"}
    assert (found["demand"]["city"], found["share"]["city"]) == (1, 1.0)
    floor = rows(rule("per_100hh", 30, applies_to="urban"), [place(100, floor_m2=30.0)], here)
    assert floor["demand"]["city"] == 100  # households of the town alone
    assert floor["value"]["city"] == 30.0


def walked(one: Rule, reached: Sequence[bool]) -> Judged:
    walk = np.array(reached)
    return Judged(one, "adult", "respect", walk, None, walk, np.where(walk, 10_000, -1).astype(np.int32), 1197.0)


def test_all_four_services_are_one_rule() -> None:
    # homes: 300 and 100 people in a, 600 in b. Vegetables lie in a and b, breakfast in a.
    # All in reach: of 300 of 400 people in a (at least half), of nobody in b: one of two communities.
    parts = [
        rule("share_unit", 1, id=f"p_{s}", services=(s,), denominator="units", tier="community", target=1)
        for s in ("fresh_market", "breakfast")
    ]
    changes: dict[str, Any] = {
        "services": ("fresh_market", "breakfast"), "denominator": "units", "tier": "community", "target": 1,
        "combine": "all_of", "parts": [p.id for p in parts],
    }  # fmt: skip
    inside = rule("share_unit", 1, id="inside", **changes)
    reach = rule("share_unit", 1, id="reach", community_has="in_reach", **changes)
    homes = [
        Units("community", ("a", "b"), ("a", "b"), ("", ""), np.array([0, 0, 1]), np.ones(2, dtype=bool)),
        Units("city", ("city",), ("",), ("",), np.zeros(3, dtype=np.int64), np.array([True])),
    ]
    found = table(
        [*parts, inside, reach],
        [place(100, service="fresh_market"), place(1500, service="fresh_market"), place(100, service="breakfast")],
        in_reach={i: walked(reach, [True, False, False]) for i in ("inside", "reach")},
        people=People({"all": np.array([300, 100, 600])}, np.zeros(3, dtype=bool)),
        homes=homes,
    )
    assert found["value"]["city", "p_fresh_market"] == 1.0
    assert found["value"]["city", "p_breakfast"] == 0.5
    assert (found["value"]["city", "inside"], found["share"]["city", "inside"]) == (0.5, 0.5)
    assert (found["covered"]["a", "reach"], found["covered"]["b", "reach"]) == (1, 0)
    assert (found["value"]["city", "reach"], found["attainment"]["city", "reach"]) == (0.5, 0.5)
    assert found["met_clause"]["a", "reach"]
    assert not found["met_clause"]["b", "reach"]
    assert found["walker"]["a", "reach"] == "adult"


def test_one_part_without_data_leaves_all_of_them_unknown() -> None:
    services = ("fresh_market", "breakfast")
    parts = [rule("share_unit", 1, id=f"p_{s}", services=(s,), denominator="units") for s in services]
    whole = rule("share_unit", 1, id="all", services=services, combine="all_of", parts=[p.id for p in parts])
    found = table([*parts, whole], [place(100, service="fresh_market")], complete="unknown")
    assert found["status"]["city", "p_breakfast"] == "no_data"
    assert found["status"]["city", "all"] == "no_data"
    assert math.isnan(found["value"]["city", "all"])


# What cannot be counted, and where it is judged -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "one",
    [
        rule("share", 0.4, services=(), denominator="land"),  # no service says what is green
        rule("per_cap", 3, services=("park",), broader="not told from other parks"),
        rule("drive", 5, default_on=False),
        rule("share", 0.6, denominator=""),  # of what is not said
    ],
)
def test_what_the_data_cannot_tell_is_no_data(one: Rule) -> None:
    found = rows(one, [place(100, floor_m2=1.0), place(200, service="park", area_m2=9000.0)])
    assert set(found["status"]) == {"no_data"}
    assert found["value"].isna().all()
    assert found["met_clause"].isna().all()


def test_a_clause_about_the_city_is_judged_for_the_city() -> None:
    park = [place(100, service="park", area_m2=9000.0)]
    found = rows(rule("per_cap", 8, services=("park",), tier="city"), park)
    assert found["value"].to_dict() == {"a": 22.5, "b": 0.0, "city": 9.0}
    assert found["met_clause"]["city"]
    assert found["met_clause"][["a", "b"]].isna().all()


def test_points_are_the_mean_of_people() -> None:
    # 400 people reach both, 600 one of them: (400 · 2 + 600 · 1) / 1000
    parts = [rule("walk_m", 500, id=i) for i in ("p", "q")]
    points = rule("score", None, combine="sum_of", parts=["p", "q"])
    reached = {"p": walked(parts[0], [True, True]), "q": walked(parts[1], [True, False])}
    found = rows(points, [], in_reach=reached, standings={"r": Standing("ok", "yes")})
    assert found["value"].to_dict() == {"a": 2.0, "b": 1.0, "city": 1.4}
    assert found["met_clause"].isna().all()  # the clause states no figure
    lacking = rows(points, [], in_reach=reached, standings={"r": Standing("incomplete", "unknown")})
    assert set(lacking["status"]) == {"incomplete"}


def test_where_nobody_is_known_nothing_is_divided_by_people() -> None:
    here = ground(people={"all": np.array([1600, 0])}, of_land=True)
    park = [place(100, service="park", area_m2=9000.0)]
    assert set(rows(rule("per_cap", 8, services=("park",)), park, here)["status"]) == {"no_data"}
    density = rule("density", 5000, threshold_unit="people_per_km2", services=())
    assert set(rows(density, [], here)["status"]) == {"no_data"}
    counted = rows(rule("count", 1, denominator="units"), [place(100)], here)
    assert counted["share"].to_dict() == {"a": 1.0, "b": 0.0, "city": 0.5}  # communities are there all the same


def test_a_share_of_land_is_that_of_the_rule_that_measures_it() -> None:
    one = rule("share_land", 0.8, services=("park",), measured_by="radius_500", target=0.8, tier="city")
    by_distance = pd.DataFrame(
        {
            "rule": ["radius_500", "radius_500", "other"], "level": ["community", "city", "city"],
            "share": [0.1, 0.5, 1.0], "radius_share": [0.2, 0.6, 1.0], "status": "ok", "demand": [1, 3, 3],
        }
    )  # fmt: skip
    found = restated(one, by_distance, CATALOGUE)
    assert found["value"].tolist() == [0.2, 0.6]
    assert found["attainment"].tolist() == pytest.approx([0.25, 0.75])
    assert found["met_clause"].isna().tolist() == [True, False]
    assert set(found["rule"]) == {"r"}


def test_every_community_belongs_to_the_sum() -> None:
    # the figures of the city are those of its communities put together, whatever the order of places
    rng = np.random.default_rng(3)
    places = [
        place(float(x), floor_m2=float(f))
        for x, f in zip(rng.uniform(0, 1999, 30), rng.uniform(1, 99, 30), strict=True)
    ]
    found = rows(rule("per_100hh", 30), places)
    back = rows(rule("per_100hh", 30), places[::-1])
    pd.testing.assert_series_equal(found["value"], back["value"])
    total = found["value"]["a"] * 100 + found["value"]["b"] * 200
    assert found["value"]["city"] == pytest.approx(total / 300)
