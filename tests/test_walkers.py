"""Who walks how fast, on slopes, steps and past signals: known answers, worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from livingcircle.coverage import judge
from livingcircle.hundredths import Walks, hundredths
from livingcircle.joins import Joiner, Joins
from livingcircle.network import WalkNetwork
from livingcircle.reach import Layer, Reach
from livingcircle.rules import Rule
from livingcircle.study import find_walkers
from livingcircle.walkers import WALKERS, Walker, slope_factor
from livingcircle_layers.streets import Streets
from towns import FILE_CM, Town, streets_of

ONE = Walker(name="one", speed_m_s=1.0)  # a metre a second: seconds are metres


def at(edge: int, share: float, leg_m: float = 0.0) -> Joins:
    return Joins(np.array([edge]), np.array([share]), np.array([leg_m]), np.array([""], dtype=object))


def seconds(streets: Streets, start: Joins, end: Joins, walker: Walker = ONE) -> float:
    walk = WalkNetwork(streets).walk(walker, unit="s")
    alone = float(walk.nearest(start, end, limit=1e6)[0][0])
    _, _, pairs = walk.pairs(start, end, limit=1e6)
    assert pairs.tolist() == ([] if np.isnan(alone) else [alone])  # two searches, one answer
    return alone


# -- Tobler ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slope", "factor"),
    [(0.05, 0.84), (0.083, 0.75), (0.10, 0.70), (0.20, 0.50), (-0.05, 1.19), (-0.10, 1.00), (-0.20, 0.70), (0, 1)],
)
def test_slope_factors_are_those_of_the_table(slope: float, factor: float) -> None:
    # standards.md 11.2: W(S) = 6 exp(-3.5 |S + 0.05|) km/h over W(0) = 5.04 km/h, S = dh/dx, not degrees
    assert slope_factor(np.array([slope])).round(2).item() == factor
    assert 6 * np.exp(-3.5 * abs(slope + 0.05)) / 5.036742 == pytest.approx(
        slope_factor(np.array([slope])).item(), 1e-6
    )


@given(st.floats(-1, 1), st.floats(0.001, 0.5))
def test_a_slope_off_the_best_one_is_slower(slope: float, more: float) -> None:
    best = -0.05  # 2.86 degrees down
    factor = slope_factor(np.array([slope, slope + more if slope > best else slope - more, best]))
    assert 0 < factor[1] < factor[0] <= factor[2]


#        head, 10 m up
#   tail ──100── head          a street that climbs 10 %
CLIMB = streets_of([(0, 0), (100, 0)], [(0, 1)], height_m=[500, 510])


def test_uphill_to_the_facility_is_slower_than_downhill() -> None:
    below, above = at(0, 0.0), at(0, 1.0)
    up = seconds(CLIMB, below, above)  # +10 %: 100 s / 0.7047
    down = seconds(CLIMB, above, below)  # -10 %: 100 s / 1.0
    assert up == pytest.approx(100 / np.exp(-0.35), abs=0.01)
    assert down == pytest.approx(100, abs=0.01)
    assert up == pytest.approx(141.91, abs=0.01)


def test_a_part_of_a_climb_costs_its_part() -> None:
    assert seconds(CLIMB, at(0, 0.25), at(0, 0.75)) == pytest.approx(141.91 / 2, abs=0.01)
    assert seconds(CLIMB, at(0, 0.25, 7), at(0, 0.75, 3)) == pytest.approx(141.91 / 2 + 10, abs=0.01)  # legs are flat


def test_metres_do_not_know_of_slopes() -> None:
    assert WalkNetwork(CLIMB).walk(ONE).nearest(at(0, 0.0), at(0, 1.0), limit=1e6)[0].tolist() == [100.0]


def test_a_street_without_a_height_counts_as_flat() -> None:
    streets = streets_of([(0, 0), (100, 0)], [(0, 1)], height_m=[500, np.nan])
    assert seconds(streets, at(0, 0.0), at(0, 1.0)) == 100


# -- signals, steps, footbridges -------------------------------------------------------------------------------------

#   0 ──100── 1* ──100── 2* ──100── 3        * signals
SIGNALS = streets_of([(0, 0), (100, 0), (200, 0), (300, 0)], [(0, 1), (1, 2), (2, 3)], signals=[1, 2])


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ((0, 0.0), (2, 1.0), 300 + 2 * 30),  # past both
        ((0, 0.5), (1, 0.5), 100 + 30),  # past the first
        ((1, 0.25), (1, 0.75), 50),  # between them: none is passed
        ((0, 0.2), (0, 0.6), 40),
        ((2, 0.5), (0, 0.5), 200 + 2 * 30),  # and back
    ],
)
def test_every_signal_that_is_passed_costs_30_s(
    start: tuple[int, float], end: tuple[int, float], expected: float
) -> None:
    assert seconds(SIGNALS, at(*start), at(*end)) == expected


@pytest.mark.parametrize(
    ("tags", "waits"),
    [
        ({"highway": "traffic_signals"}, 30),
        ({"highway": "crossing", "crossing": "traffic_signals"}, 30),
        ({"crossing": "traffic_signals"}, 30),
        ({"highway": "crossing", "crossing": "uncontrolled"}, 0),
        ({"highway": "crossing"}, 0),
    ],
)
def test_signals_between_junctions_cost_their_wait(tmp_path: Path, tags: dict[str, str], waits: int) -> None:
    # a way of 120 m from a to c, with a crossing at b (60 m) that is no junction
    osm = Town("a-----b-----c").way("abc").tag("b", **tags).read(tmp_path)
    joiner = Joiner(osm.streets, np.array([], dtype=object))
    west, middle, east = (joiner.join(np.array([[x, 0.0]])) for x in (10.0, 50.0, 100.0))
    assert seconds(osm.streets, west, east) == pytest.approx(90 + waits, abs=FILE_CM)
    assert seconds(osm.streets, east, west) == pytest.approx(90 + waits, abs=FILE_CM)
    assert seconds(osm.streets, west, middle) == pytest.approx(40, abs=FILE_CM)  # nobody waits before the crossing
    metres, _ = WalkNetwork(osm.streets).walk().nearest(west, east, limit=1e6)
    assert metres.tolist() == pytest.approx([90], abs=FILE_CM)


def test_no_wait_at_a_signal_where_the_walk_begins_and_ends() -> None:
    # From the corner at node 1 to the corner at node 2 along their own street nobody crosses at the signals.
    assert seconds(SIGNALS, at(1, 0.0), at(1, 1.0)) == 100


def test_the_wait_can_be_set_and_metres_know_of_none() -> None:
    patient = Walker(name="patient", speed_m_s=1.0, signal_wait_s=45)
    assert seconds(SIGNALS, at(0, 0.0), at(2, 1.0), patient) == 300 + 90
    assert WalkNetwork(SIGNALS).walk(patient).nearest(at(0, 0.0), at(2, 1.0), limit=1e6)[0].tolist() == [300]


#   0 ──60── 1 ~~20~~ 2 ──60── 3        edge 1: steps, edge 3: the way around, 0 to 3, 400 m
#   └───────────400────────────┘
STEPS = streets_of(
    [(0, 0), (60, 0), (80, 0), (140, 0)],
    [(0, 1), (1, 2), (2, 3), (0, 3)],
    via={3: [(0, -130), (140, -130)]},
    steps=[1],
)


def test_steps_are_taken_at_their_own_speed() -> None:
    # 60 + 60 m at 1 m/s, 20 m at 0.5 m/s
    assert seconds(STEPS, at(0, 0.0), at(2, 1.0)) == 60 + 20 / 0.5 + 60


def test_a_wheelchair_goes_around_the_steps() -> None:
    wheels = Walker(name="wheels", speed_m_s=1.0, steps=False)
    assert seconds(STEPS, at(0, 0.0), at(2, 1.0), wheels) == 400
    assert WalkNetwork(STEPS).walk(wheels).nearest(at(0, 0.0), at(2, 1.0), limit=1e6)[0].tolist() == [400]
    assert WalkNetwork(STEPS).walk(ONE).nearest(at(0, 0.0), at(2, 1.0), limit=1e6)[0].tolist() == [140]


def test_slopes_do_not_slow_steps_twice() -> None:
    steep = streets_of([(0, 0), (20, 0)], [(0, 1)], steps=[0], height_m=[0, 10])
    assert seconds(steep, at(0, 0.0), at(0, 1.0)) == 40


def test_a_footbridge_costs_its_seconds_once() -> None:
    # 0 ──50── 1 ══40══ 2 ══60══ 3 ──50── 4    one footbridge of two edges of one way
    streets = streets_of(
        [(0, 0), (50, 0), (90, 0), (150, 0), (200, 0)], [(0, 1), (1, 2), (2, 3), (3, 4)], raised=[1, 2]
    )
    highway = streets.highway.copy()
    highway[[1, 2]] = "footway"
    bridge = Streets(**{**vars_of(streets), "highway": highway, "way_id": np.array([1, 7, 7, 3])})
    slow = Walker(name="slow", speed_m_s=1.0, footbridge_s=60)
    assert seconds(bridge, at(3, 1.0), at(0, 0.0), slow) == 200 + 60  # and as much on the way back
    ramps = Streets(**{**vars_of(bridge), "way_id": np.array([7, 7, 7, 3])})  # one way with its ramp on the ground
    assert seconds(ramps, at(0, 0.0), at(3, 1.0), slow) == 200 + 60
    for kind in ("path", "pedestrian", "cycleway", "steps"):
        other = np.where(highway == "footway", kind, highway)
        of_kind = Streets(**{**vars_of(bridge), "highway": other})
        climbed = 100 / slow.steps_speed_m_s if kind == "steps" else 100
        assert seconds(of_kind, at(0, 0.0), at(3, 1.0), slow) == pytest.approx(100 + climbed + 60, abs=0.01)
    assert seconds(bridge, at(0, 0.0), at(3, 1.0), slow) == 200 + 60
    assert seconds(bridge, at(0, 0.0), at(3, 1.0)) == 200
    assert seconds(streets, at(0, 0.0), at(3, 1.0), slow) == 200  # a street on a bridge has no stairs
    level = Streets(**{**vars_of(bridge), "raised": np.zeros(4, dtype=bool)})
    assert seconds(level, at(0, 0.0), at(3, 1.0), slow) == 200  # nor has a footway on the ground


def test_the_shortest_footbridge_costs_its_seconds_and_one_of_no_length_none() -> None:
    # 0 ──50── 1 == 2 ══0.8══ 3 ──49.2── 4    two footbridges, of 0 and 0.8 m
    streets = streets_of(
        [(0, 0), (50, 0), (50, 0), (50.8, 0), (100, 0)], [(0, 1), (1, 2), (2, 3), (3, 4)], raised=[1, 2]
    )
    highway = streets.highway.copy()
    highway[[1, 2]] = "footway"
    bridges = Streets(**{**vars_of(streets), "highway": highway, "way_id": np.array([1, 5, 6, 3])})
    slow = Walker(name="slow", speed_m_s=1.0, footbridge_s=60)
    assert seconds(bridges, at(0, 0.0), at(3, 1.0), slow) == 100 + 60


def vars_of(streets: Streets) -> dict[str, Any]:
    return {name: getattr(streets, name) for name in streets.__dataclass_fields__}


# -- minutes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("metres", "within"), [(599, True), (600, True), (600.01, False), (601, False)])
def test_ten_minutes_are_600_s_and_not_601(metres: float, within: bool) -> None:
    # A metre a second, on one street of 1 km: 599, 600 and 601 s against a clause of 10 minutes.
    streets = streets_of([(0, 0), (1000, 0)], [(0, 1)])
    took = seconds(streets, at(0, 0.0), at(0, metres / 1000))
    assert took == metres
    rule = Rule(id="r", standard="s", services=("park",), tier="10min", metric="walk_min", threshold=10, citation="c",
                confidence="V:1")  # fmt: skip
    taken = np.array([took])
    reach = Reach(
        walk_m=Walks.of({"one": taken}),
        walk_s=Walks.of({"one": taken, rule.walker: taken}),
        straight_cm=hundredths(taken),
        nearest=np.zeros(1, dtype=np.int32),
    )
    judged = judge([rule], {Layer.of(rule): reach}, ONE)["r"]
    assert judged.walk.tolist() == [within]
    assert judged.minutes is not None
    assert judged.minutes.tolist() == [within]


@pytest.mark.parametrize(
    ("walker", "metres_in_15_minutes"), [("adult", 1197), ("elder", 810), ("child_primary", 990), ("wheelchair", 720)]
)
def test_speeds_are_those_of_the_standards_page(walker: str, metres_in_15_minutes: float) -> None:
    # standards.md 11.1: 1.33, 0.9, 1.1 and 0.8 m/s, times 900 s
    assert WALKERS[walker].speed_m_s * 900 == pytest.approx(metres_in_15_minutes)


def test_only_the_wheelchair_is_kept_from_steps() -> None:
    assert [name for name, walker in WALKERS.items() if not walker.steps] == ["wheelchair"]


def test_the_label_says_what_is_in_force() -> None:
    assert WALKERS["adult"].label() == "adult 1.33 m/s, 30 s at signals"
    assert WALKERS["wheelchair"].label() == "wheelchair 0.8 m/s, 30 s at signals, no steps"
    assert "60 s per footbridge" in Walker(name="w", speed_m_s=1, footbridge_s=60).label()


def test_walkers_are_found_once_and_in_order() -> None:
    assert [w.name for w in find_walkers(["elder", "adult", "elder"])] == ["elder", "adult"]


@pytest.mark.parametrize("wrong", [{"speed_m_s": 0}, {"speed_m_s": 9}, {"steps_speed_m_s": 0}, {"signal_wait_s": -1},
                                   {"sped": 1}])  # fmt: skip
def test_impossible_walkers_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Walker(**{"name": "w", "speed_m_s": 1.0, **wrong})
