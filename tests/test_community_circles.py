"""The circle of every community: where it begins, who lives inside, and what is written of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely

import livingcircle as lc
from demo_scans import demo_result
from livingcircle.columns import CIRCLES, conform
from livingcircle.community_circles import community_circles, people_within, starts_of
from livingcircle.joins import Joiner
from livingcircle.measured import measure
from livingcircle.network import WalkNetwork
from livingcircle.reach import City
from livingcircle.walkers import WALKERS
from towns import streets_of

ADULT = WALKERS["adult"]


def city_of(homes: list[tuple[str, float, float, int]], streets: object = None) -> City:
    """Return homes (unit, x, y, people) on a straight street of 1 km along y = 0."""
    chosen = streets or streets_of([(0.0, 0.0), (1000.0, 0.0)], [(0, 1)])
    frame = pd.DataFrame(homes, columns=["unit", "x", "y", "people"])
    joins = Joiner(chosen, np.array([], dtype=object)).join(frame[["x", "y"]].to_numpy(dtype=float))
    none = pd.DataFrame({"facility_id": [], "service": []})
    return City(WalkNetwork(chosen), frame, joins, none, none, joins.take(np.array([], dtype=int)))


def test_a_circle_begins_on_the_street_beside_the_home_in_the_middle_of_the_people() -> None:
    # 10 people at 0, 30 at 100, 25 at 600 and one far away: half of the people live within 100, which is the middle.
    homes = [("a", 0, 20, 10), ("a", 100, 20, 30), ("a", 600, 20, 25), ("a", 900, 20, 1), ("b", 300, 40, 2)]
    starts = starts_of(city_of(homes))
    assert starts.unit_id.tolist() == ["a", "b"]
    assert starts.xy.tolist() == pytest.approx(np.array([[100.0, 0.0], [300.0, 0.0]]))
    assert starts.joins.leg_m.tolist() == [0, 0]


def test_the_start_does_not_depend_on_the_order_of_the_homes() -> None:
    rng = np.random.default_rng(4)
    homes = [("a", x, y, int(p)) for x, y, p in zip(rng.uniform(0, 1000, 60), rng.uniform(-90, 90, 60),
                                                  rng.integers(0, 9, 60), strict=True)]  # fmt: skip
    first = starts_of(city_of(homes))
    for _ in range(5):
        mixed = [homes[i] for i in rng.permutation(60)]
        assert starts_of(city_of(mixed)).xy.tobytes() == first.xy.tobytes()


def test_homes_on_another_part_of_the_network_than_most_people_are_no_start() -> None:
    streets = streets_of([(0, 0), (1000, 0), (480, 500), (520, 500)], [(0, 1), (2, 3)])
    homes = [("a", 0, 500, 0), ("a", 0, 0, 40), ("a", 1000, 0, 41), ("a", 500, 500, 30)]
    [start] = starts_of(city_of(homes, streets)).xy
    assert start[1] == 0


def test_of_two_parts_with_as_many_people_the_longer_one_is_taken() -> None:
    streets = streets_of([(0, 0), (1000, 0), (480, 500), (520, 500)], [(0, 1), (2, 3)])
    homes = [("a", 500, 500, 30), ("a", 200, 0, 30), ("b", 500, 500, 1)]
    starts = starts_of(city_of(homes, streets))
    assert starts.unit_id.tolist() == ["a", "b"]
    assert starts.xy.tolist() == [[200, 0], [500, 500]]


def test_where_nobody_lives_no_circle_begins() -> None:
    starts = starts_of(city_of([("a", 100, 0, 0), ("b", 300, 0, 2), ("", 500, 0, 9)]))
    assert starts.unit_id.tolist() == ["b"]
    assert not len(starts_of(city_of([("a", 100, 0, 0)])).unit_id)


def test_people_inside_walk_to_the_street_as_well() -> None:
    # From x = 100 an adult walks 399 m in 5 minutes: 20 m of leg leave 379 m of street.
    homes = [("a", 100, 0, 5), ("a", 478, 20, 3), ("b", 480, 20, 7), ("b", 800, 0, 11)]
    city = city_of(homes)
    start = city.home_joins.take(np.array([0]))
    assert people_within(city, start, ADULT, np.array([5.0, 10.0])).tolist() == [[8, 26]]


def test_every_community_of_the_demo_town_has_its_circles() -> None:
    table = conform(demo_result().circles, CIRCLES)
    assert table["minutes"].tolist() == [5, 10, 15] * (len(table) // 3)
    assert set(table["unit_id"]) == set(demo_result().communities.index[demo_result().communities["people"] > 0])
    for _, rows in table.groupby("unit_id"):
        assert rows["people"].is_monotonic_increasing
        assert rows["area_m2"].is_monotonic_increasing
        shapes = rows.geometry.to_numpy()
        start = shapely.points(rows["lon"].iloc[0], rows["lat"].iloc[0])
        assert shapely.intersects(shapes, start).all()
        # They nest in the plane; a straight line of the plane bends by millimetres in degrees (1e-10 is 1 m²).
        assert shapely.area(shapely.difference(shapes[:-1], shapes[1:])).max() < 1e-10
    assert table["pedestrian_shed"].between(0.02, 1.0).all()


def test_one_community_and_other_bands_and_walkers() -> None:
    one = demo_result().communities.index[3]
    measured = measure(lc.demo_study(), only=[one])
    table = community_circles(measured, minutes=[10, 3], walkers=[WALKERS["elder"], ADULT])
    assert table[["unit_id", "walker", "minutes"]].to_numpy().tolist() == [
        [one, "elder", 3], [one, "elder", 10], [one, "adult", 3], [one, "adult", 10],
    ]  # fmt: skip
    whole = demo_result().circles
    ten = whole[(whole["unit_id"] == one) & (whole["minutes"] == 10)]
    assert shapely.equals_exact(ten.geometry.iloc[0], table.geometry.iloc[3])
    assert ten["people"].iloc[0] == table["people"].iloc[3]
