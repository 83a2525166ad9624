"""Distances of layers: whose places count, in which line, by whose feet, and where the streets leave the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from livingcircle import reach as reach_module
from livingcircle.hundredths import Walks, from_hundredths, hundredths
from livingcircle.joins import Joiner, Joins
from livingcircle.network import WalkNetwork
from livingcircle.reach import City, Layer, Reach, exit_distance, measure_layers, measure_reach, nearest_m, straight_m
from livingcircle.standards import load_standard
from livingcircle.walkers import WALKERS
from towns import CRS, XY, streets_of

NAN = np.nan
ADULT, WHEELCHAIR = WALKERS["adult"], WALKERS["wheelchair"]

#   0 ──100── 1 ──100── 2 ══100══ 3      edge 2 is a flight of steps; x = 0, 100, 200, 300
STREETS = streets_of([(0, 0), (100, 0), (200, 0), (300, 0)], [(0, 1), (1, 2), (2, 3)], steps=[2])


def city_of(homes: Sequence[XY], places: Sequence[tuple[str, XY, float]], *, exits: Sequence[int] = ()) -> City:
    """Return a city on `STREETS` from homes, and places with service, position and area."""
    streets = replace(STREETS, exits=np.isin(np.arange(4), list(exits)))
    points = shapely.points([at for _, at, _ in places])
    ids = [f"p{n}" for n in range(len(places))]
    facilities = gpd.GeoDataFrame(
        {"facility_id": ids, "service": [s for s, _, _ in places], "area_m2": [m2 for _, _, m2 in places]},
        geometry=points,
        crs=CRS,
    )
    join = Joiner(streets, np.array([], dtype=object), limit_m=50.0).join
    frame = pd.DataFrame(np.array(homes, dtype=float).reshape(-1, 2), columns=["x", "y"])
    doors = pd.DataFrame({"facility_id": ids})
    return City(
        WalkNetwork(streets),
        frame,
        join(frame.to_numpy()),
        facilities,
        doors,
        join(shapely.get_coordinates(points)),
    )


# -- walks and lines -------------------------------------------------------------------------------------------------


def test_every_walker_walks_to_the_places_of_the_layer() -> None:
    # a shop in the middle of the steps at x = 250, one at x = 20; a park next door is another layer
    city = city_of([(180, 10), (30, 0)], [("park", (180, 0), NAN), ("shop", (250, 5), NAN), ("shop", (20, 0), NAN)])
    found = measure_reach(city, Layer(("shop",)), [ADULT, WHEELCHAIR], limit_m=1000.0)
    # the adult: 10 + 70 + 5 m by the steps; on wheels 10 + 160 m to the other shop
    assert found.walk_m["adult"].tolist() == [85.0, 10.0]
    assert found.walk_m["wheelchair"].tolist() == [170.0, 10.0]
    assert (found.nearest["adult"].tolist(), found.nearest["wheelchair"].tolist()) == ([1, 2], [2, 2])
    assert found.walk_s["wheelchair"].tolist() == [round(170 / WHEELCHAIR.speed_m_s, 2), 12.5]
    assert found.walk_s["adult"][0] > 85 / ADULT.speed_m_s  # steps are slow
    # as the crow flies: 70 m east and 5 m north, 10 m down; the limit holds for both measures
    assert found.straight_m.tolist() == [round(float(np.hypot(70, 5)), 2), 10.0]
    near = measure_reach(city, Layer(("shop",)), [ADULT], limit_m=60.0)
    np.testing.assert_array_equal(near.walk_m["adult"], [NAN, 10.0])
    np.testing.assert_array_equal(near.straight_m, [NAN, 10.0])
    assert near.nearest["adult"].tolist() == [-1, 2]
    np.testing.assert_array_equal(nearest_m(city, Layer(("shop",)), ADULT, limit_m=60.0), [NAN, 10.0])


def test_the_limit_of_time_is_what_the_walker_needs_for_the_limit() -> None:
    city = city_of([(0, 0)], [("shop", (100, 0), NAN)])
    # 100 m take 75.19 s at 1.33 m/s, to the hundredth: more than 100 / 1.33, and still the walk of 100 m
    for limit, reached in ((100.0, True), (99.0, False)):
        found = measure_reach(city, Layer(("shop",)), [ADULT, WHEELCHAIR], limit_m=limit)
        for name in ("adult", "wheelchair"):
            assert bool(np.isfinite(found.walk_m[name][0])) is reached
            assert bool(np.isfinite(found.walk_s[name][0])) is reached


def test_layers_are_measured_for_their_own_walkers() -> None:
    city = city_of([(0, 0)], [("shop", (100, 0), NAN), ("park", (50, 0), 900.0)])
    needed = {Layer(("shop",)): [ADULT], Layer(("park",)): [ADULT, WHEELCHAIR], Layer(("clinic",)): [ADULT]}
    found = measure_layers(city, needed, limit_m=1000.0)
    assert {layer.services[0]: list(r.walk_m) for layer, r in found.items()} == {
        "shop": ["adult"], "park": ["adult", "wheelchair"], "clinic": ["adult"]
    }  # fmt: skip
    assert [r.walk_m["adult"][0] for r in found.values()][:2] == [100.0, 50.0]
    nowhere = found[Layer(("clinic",))]  # a service without any place
    assert np.isnan([*nowhere.walk_m["adult"], *nowhere.walk_s["adult"], *nowhere.straight_m]).all()
    assert nowhere.nearest["adult"].tolist() == [-1]


def test_layers_that_choose_the_same_places_are_measured_once_and_as_if_alone() -> None:
    city = city_of([(0, 0), (90, 5)], [("shop", (100, 0), NAN), ("park", (50, 0), 900.0), ("park", (70, 0), 200.0)])
    large, larger, every = Layer(("park",), 500.0), Layer(("park",), 800.0), Layer(("park",))
    needed = {large: [ADULT], larger: [ADULT], every: [ADULT], Layer(("park",), 700.0): [ADULT, WHEELCHAIR]}
    found = measure_layers(city, needed, limit_m=1000.0)
    assert found[large] is found[larger]
    assert found[large] is not found[every]  # other places
    assert list(found[Layer(("park",), 700.0)].walk_m) == ["adult", "wheelchair"]  # the same places, more walkers
    for layer, walkers in needed.items():
        alone = measure_reach(city, layer, walkers, limit_m=1000.0)
        np.testing.assert_array_equal(found[layer].walk_m["adult"], alone.walk_m["adult"])
        np.testing.assert_array_equal(found[layer].straight_cm, alone.straight_cm)


def test_the_smallest_size_belongs_to_the_layer_and_the_largest_does_not() -> None:
    services = ["park", "park", "park", "park", "park", "shop"]
    frame = pd.DataFrame({"service": services, "area_m2": [3999.99, 4000.0, 9999.99, 10000.0, NAN, 5000.0]})
    assert Layer(("park",), 4000.0, 10000.0).chosen(frame).tolist() == [False, True, True, False, False, False]
    assert Layer(("park",), max_site_m2=10000.0).chosen(frame).tolist() == [True, True, True, False, False, False]
    assert Layer(("park",)).chosen(frame).tolist() == [True, True, True, True, True, False]
    assert Layer(("park",), min_site_m2=0.5).of_size
    assert not Layer(("park",)).of_size


@pytest.mark.parametrize(
    ("services", "counted"),
    [
        (("park",), (4000.0, 10000.0)),
        (("square",), (4000.0, 10000.0)),
        (("small_sports_ground", "medium_sports_ground", "large_sports_ground"), (4000.0, 10000.0)),
        (("sports_field", "football_pitch"), (4000.0, 10000.0)),
        # a school's site is told in the clause and says nothing of which schools count
        (("primary_school",), (0.0, np.inf)),
        (("park", "primary_school"), (0.0, np.inf)),
    ],
)
def test_the_size_of_a_clause_counts_for_grounds_alone(services: tuple[str, ...], counted: tuple[float, float]) -> None:
    rule = load_standard("chengdu").rules[0]
    sized = rule.model_copy(update={"services": services, "min_site_m2": 4000.0, "max_site_m2": 10000.0})
    assert Layer.of(sized) == Layer(services, *counted)
    assert Layer.of(sized.model_copy(update={"min_site_m2": None, "max_site_m2": None})) == Layer(services)


# -- straight lines --------------------------------------------------------------------------------------------------


def test_straight_lines_end_at_the_nearest_point_or_border() -> None:
    places = np.array([shapely.Point(0, 0), shapely.box(100, -10, 200, 10), shapely.LineString([(300, 0), (300, 50)])])
    xy = np.array([(30.0, 40.0), (90.0, 0.0), (150.0, 5.0), (250.0, 20.0), (210.004, 0.0)])
    # inside the ground there is no way left; a line is reached at its side; rounded to the centimetre
    assert straight_m(xy, places, 1000.0).tolist() == [50.0, 10.0, 0.0, 50.0, 10.0]
    np.testing.assert_array_equal(straight_m(xy[:2], places[:1], 50.0), [50.0, NAN])  # the limit itself is within
    np.testing.assert_array_equal(straight_m(xy[1:2], places[1:2], 9.0), [NAN])


def test_a_long_line_is_near_all_along_it() -> None:
    # 1,000 m drawn by its two ends; looked for within 30 m, so that its middle must be found where it lies
    xy = np.array([(x, 5.0) for x in (0.0, 13.0, 250.0, 500.0, 747.0, 990.0, 1000.0)])
    for places in ([shapely.LineString([(0, 0), (1000, 0)])], [shapely.box(0, -300, 1000, 0)]):
        assert straight_m(xy, np.array(places, dtype=object), 30.0).tolist() == [5.0] * 7
    slanted = np.array([shapely.LineString([(0, 0), (600, 800)])], dtype=object)
    # 10 m to the right of the way at 50, 500 and 950 m along it: (0.6 d + 8, 0.8 d - 6)
    beside = np.array([(0.6 * d + 8, 0.8 * d - 6) for d in (50.0, 500.0, 950.0)])
    assert straight_m(beside, slanted, 15.0).tolist() == [10.0] * 3


def test_the_ends_of_lines_are_found_wherever_they_lie() -> None:
    lines = [shapely.LineString([(x, 90 * n), (x + 49.9, 90 * n)]) for n, x in enumerate(range(0, 300, 7))]
    ends = np.array([(x + at, 90 * n + 1) for n, x in enumerate(range(0, 300, 7)) for at in (0, 49.9)], dtype=float)
    assert straight_m(ends, np.array(lines, dtype=object), 2.0).tolist() == [1.0] * len(ends)


def test_from_a_hole_in_a_ground_it_is_as_far_as_to_its_edge() -> None:
    ring = shapely.Polygon([(0, 0), (100, 0), (100, 100), (0, 100)], [[(80, 80), (20, 80), (20, 20), (80, 20)]])
    xy = np.array([(50.0, 50.0), (10.0, 50.0), (50.0, 75.0), (120.0, 50.0)])
    assert straight_m(xy, np.array([ring]), 1000.0).tolist() == [30.0, 0.0, 5.0, 20.0]


def test_places_of_several_parts_and_collections_within_them() -> None:
    two = shapely.MultiPolygon([shapely.box(0, 0, 10, 10), shapely.box(100, 0, 110, 10)])
    within = shapely.GeometryCollection([shapely.MultiPoint([(200, 0), (300, 0)]), shapely.GeometryCollection([two])])
    xy = np.array([(5.0, 5.0), (105.0, 15.0), (295.0, 0.0), (20.0, 0.0)])
    assert straight_m(xy, np.array([within]), 1000.0).tolist() == [0.0, 5.0, 5.0, 10.0]
    assert straight_m(xy[:2], np.array([two]), 1000.0).tolist() == [0.0, 5.0]


def test_a_place_without_geometry_is_nowhere() -> None:
    empty = np.array([shapely.Point(), shapely.Polygon()])
    xy = np.array([(0.0, 0.0)])
    assert np.isnan(straight_m(xy, empty, 1000.0)).all()
    assert straight_m(xy, np.array([*empty, shapely.Point(3, 4)]), 1000.0).tolist() == [5.0]
    assert np.isnan(straight_m(xy, np.array([], dtype=object), 1000.0)).all()
    assert straight_m(np.zeros((0, 2)), np.array([shapely.Point(3, 4)]), 1000.0).tolist() == []


_AT = st.tuples(st.integers(-50, 50), st.integers(-50, 50))


@given(st.lists(_AT, min_size=1, max_size=9), st.lists(_AT, max_size=4), st.lists(_AT, max_size=4), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_straight_lines_are_the_shortest_of_all(
    homes: list[XY], points: list[XY], corners: list[XY], at_a_time: int
) -> None:
    places = [*(shapely.Point(at) for at in points), *(shapely.box(x, y, x + 7, y + 3) for x, y in corners)]
    plain = [min((shapely.distance(shapely.Point(h), p) for p in places), default=np.inf) for h in homes]
    told = [round(d, 2) if d <= 30.0 else NAN for d in plain]
    with pytest.MonkeyPatch.context() as patch:  # the parts in which points are asked change nothing
        patch.setattr(reach_module, "_POINTS_AT_A_TIME", at_a_time)
        found = straight_m(np.array(homes, dtype=float), np.array(places, dtype=object), 30.0)
    np.testing.assert_allclose(found, told, atol=0.0051)


# -- whole hundredths ------------------------------------------------------------------------------------------------


def test_walks_are_kept_as_whole_hundredths() -> None:
    # 0.29 × 100 is 28.999999999999996 in the computer; no walk at all is 0 and not unknown
    numbers = np.array([0.0, 0.01, 0.29, 1.0, 300.01, NAN])
    kept = hundredths(numbers)
    assert kept.dtype == np.int32
    assert kept.tolist() == [0, 1, 29, 100, 30001, -1]
    np.testing.assert_array_equal(from_hundredths(kept), numbers)
    walks = Walks.of({"adult": numbers})
    assert (list(walks), len(walks), walks.kept["adult"].dtype) == (["adult"], 1, np.int32)
    np.testing.assert_array_equal(walks["adult"], numbers)
    assert Walks.of(walks) is walks


# -- two ways to the same places -------------------------------------------------------------------------------------


def test_the_shorter_of_two_ways_home_by_home() -> None:
    def reach(metres: list[float], seconds: list[float], nearest: list[int]) -> Reach:
        walk_m, walk_s = {"adult": np.array(metres)}, {"adult": np.array(seconds)}
        straight = hundredths(np.full(4, 5.0))
        return Reach(Walks.of(walk_m), Walks.of(walk_s), straight, {"adult": np.array(nearest, dtype=np.int32)})

    one = reach([100, 200, NAN, NAN], [80, 160, NAN, NAN], [0, 1, -1, -1])
    two = reach([150, 120, 90, NAN], [70, 110, 60, NAN], [5, 6, 7, -1])
    for both in (one.or_shorter(two), two.or_shorter(one)):
        np.testing.assert_array_equal(both.walk_m["adult"], [100, 120, 90, NAN])
        np.testing.assert_array_equal(both.walk_s["adult"], [70, 110, 60, NAN])  # the fastest need not be the shortest
        assert both.nearest["adult"].tolist() == [0, 6, 7, -1]
        assert both.straight_m.tolist() == [5.0] * 4
    # of two ways that are equally long, the first stays
    assert one.or_shorter(replace(one, nearest={"adult": np.full(4, 9, dtype=np.int32)})).nearest["adult"][0] == 0


# -- where the streets leave the data --------------------------------------------------------------------------------


def test_the_walk_to_where_the_streets_leave_the_data() -> None:
    homes = [(130.0, 10.0), (20.0, 0.0), (290.0, 0.0), (100.0, 90.0)]  # the last one is on no street
    for exits, metres in (
        ([3], [180.0, 280.0, 10.0, NAN]),  # at the head of the last edge, by the steps
        ([0], [140.0, 20.0, 290.0, NAN]),  # at the tail of the first
        ([0, 2], [80.0, 20.0, 90.0, NAN]),  # the nearest of several; the second lies between two edges
        ([], [NAN, NAN, NAN, NAN]),
    ):
        city = city_of(homes, [("shop", (0, 0), NAN)], exits=exits)
        np.testing.assert_array_equal(exit_distance(city, limit_m=1000.0), metres)
    far = exit_distance(city_of(homes, [("shop", (0, 0), NAN)], exits=[3]), limit_m=200.0)
    np.testing.assert_array_equal(far, [180.0, NAN, 10.0, NAN])


def test_joins_of_nothing_are_nothing() -> None:
    city = city_of([], [("shop", (0, 0), NAN)], exits=[3])
    assert isinstance(city.home_joins, Joins)
    assert exit_distance(city, limit_m=1000.0).shape == (0,)
    assert measure_reach(city, Layer(("shop",)), [ADULT], limit_m=1000.0).walk_m["adult"].shape == (0,)
