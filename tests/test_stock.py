"""What is known about the layer of a rule: only places that the people of the communities could use count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import livingcircle as lc
from livingcircle.check import check_study
from livingcircle.rules import Rule
from livingcircle.stock import Stock, standings_of, stock_of
from livingcircle.study_parts import FacilitiesInput
from livingcircle.walkers import WALKERS
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.facilities import Facilities
from livingcircle_layers.facility_files import Complete
from livingcircle_layers.unplaced import unplaced_rows
from towns import Town, study_of, write_table

ADULT, ELDER = WALKERS["adult"], WALKERS["elder"]
SERVICES = load_catalogue().services
# Two communities of a kilometre each, side by side from x = 0 to x = 2000.
UNITS = gpd.GeoDataFrame(
    {"unit_name": ["a", "b"]},
    geometry=[shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 2000, 1000)],
    index=pd.Index(["a", "b"]),
    crs="EPSG:32648",
)


def rule(id_: str = "shop", **changes: Any) -> Rule:
    known = {"id": id_, "services": ("supermarket",), "metric": "walk_m", "threshold": 300.0, "tier": "5min"}
    return Rule.model_validate({**known, **changes})


def stock(places: Sequence[Mapping[str, Any]], complete: Complete = "unknown") -> Stock:
    """Return places at (x, 500), or with the geometry given."""
    rows = [
        {"facility_id": f"f{i}", "service": "supermarket", "area_m2": np.nan, "geometry": shapely.Point(p["x"], 500)}
        | {key: value for key, value in p.items() if key != "x"}
        for i, p in enumerate({"x": 0, **place} for place in places)
    ]
    names = ["facility_id", "service", "area_m2", "geometry"]
    frame = gpd.GeoDataFrame(rows, columns=names, geometry="geometry", crs=UNITS.crs)
    return stock_of(Facilities(frame, dict.fromkeys(SERVICES, complete), frozenset(), unplaced_rows([])), UNITS)


def status(one: Rule, places: Stock, people: int) -> str:
    return standings_of([one], places, walkers=people, residents=people, walker=ADULT, profiles=WALKERS)[one.id].status


@pytest.mark.parametrize(
    ("asked", "reach_m"),
    [
        (rule(threshold=300.0), 300.0),
        (rule(metric="radius", threshold=500.0), 500.0),
        (rule(metric="walk_min", threshold=10.0), 600 * 1.33),  # the clause's own walker: an adult
        (rule(metric="walk_min", threshold=10.0, walker="elder"), 600 * 0.9),
        (rule(metric="share_unit", threshold=1.0, community_has="in_reach"), 300 * 1.33),  # its circle is of 5 minutes
        (rule(metric="share_unit", threshold=1.0), 0.0),  # a place inside a community is asked for
        (rule(metric="per_1000", threshold=1.0, threshold_unit="m2_per_1000"), 0.0),
    ],
)
def test_places_count_as_far_as_the_rule_reaches(asked: Rule, reach_m: float) -> None:
    # In the middle, on the border, at the reach and a metre beyond; and half a million metres away.
    places = stock([{"x": x} for x in (1500, 2000, 2000 + reach_m, 2001 + reach_m, 500_000)])
    assert places.known(asked, ADULT, WALKERS).tolist() == [True, True, True, False, False]


def test_a_ground_is_as_far_away_as_its_nearest_edge() -> None:
    park = {"service": "park", "area_m2": 1e6, "geometry": shapely.box(2299, 0, 3299, 1000)}
    assert stock([park]).known(rule(services=("park",)), ADULT, WALKERS).tolist() == [True]
    assert stock([park]).away_m.tolist() == [299.0]


def test_a_list_that_covers_other_districts_does_not_hide_a_gap() -> None:
    # 480,000 people ask for 40 shops of the 5-minute tier, a quarter is 10; the list has 1 here and 99 far away.
    elsewhere = [{"x": 500}, *({"x": 50_000 + i} for i in range(99))]
    assert status(rule(), stock(elsewhere), 480_000) == "incomplete"
    assert status(rule(), stock([{"x": 20 * i} for i in range(10)]), 480_000) == "ok"
    assert status(rule(), stock(elsewhere, "yes"), 480_000) == "ok"  # the planner knows that there are no others


def test_a_list_without_places_here_is_a_list_all_the_same() -> None:
    # Nothing in reach of anybody is a gap or a lack, and either way no "there is no such layer".
    assert status(rule(), stock([{"x": 50_000}]), 10) == "incomplete"
    assert status(rule(), stock([{"x": 50_000}], "yes"), 10) == "ok"
    assert status(rule(), stock([]), 10) == "no_data"


def test_a_rule_of_parts_is_not_ok_because_its_other_part_has_places() -> None:
    # shops are known, markets are not: "a shop or a market" is reached by at least those near a shop
    shop, market = rule(), rule("market", services=("fresh_market",))
    either = rule(
        "either", services=("supermarket", "fresh_market"), combine="any_of", parts=("shop", "market"), threshold=None
    )
    known = {"walkers": 10, "residents": 10, "walker": ADULT, "profiles": WALKERS}
    found = standings_of([shop, market, either], stock([{"x": 500}]), **known)
    assert {i: s.status for i, s in found.items()} == {"shop": "ok", "market": "no_data", "either": "incomplete"}


def test_what_is_foretold_of_such_a_list_is_what_the_scan_says(tmp_path: Path) -> None:
    # 120,000 people on a street of 400 m ask for 10 shops, a quarter is 2.5. The map knows one, the list one more here
    # and a second one either here or in another town; the communities reach a kilometre beyond the drawing.
    asked = {"id": "shop", "services": ["supermarket"], "threshold": 500.0, "tier": "5min"}
    town = Town("a" + "-" * 39 + "b").way("ab").node(200, 5, shop="supermarket", name="Shop")
    for x, foretold, places in ((20, "ok", 3), (40_000, "incomplete", 2)):
        own = write_table(tmp_path / "own.csv", "类别,名称", [(350, 5, "超市", "家家"), (x, 5, "超市", "万惠")])
        study = study_of(
            tmp_path, town, people=[(100, 10, 120_000)], rules=[asked], facilities=[FacilitiesInput(file=own)]
        )
        (layer,) = check_study(study).rules
        (row,) = lc.scan(study).coverage.query("level == 'city'").to_dict("records")
        assert (layer.standing.status, layer.places) == (foretold, places)
        assert row["status"] == foretold
