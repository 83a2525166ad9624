"""Joins: homes reach their own side of the river, find the gate, and never the street behind the wall."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import oracle
from livingcircle import _joining
from livingcircle.joins import (
    BLOCKED,
    ISLAND_SHARE,
    MAINLAND_M,
    ON_ISLAND_M,
    ONLY_ISLAND,
    TOO_FAR,
    Joiner,
    Joins,
    barrier_grid,
    island_edges,
    segments,
)
from livingcircle_layers.barriers import barrier_kind, is_surface_water, on_ground
from livingcircle_layers.osm import OsmExtract
from livingcircle_layers.streets import Streets
from towns import XY, Town, streets_of


def join(streets: Streets, *places: XY, barriers: Sequence[Any] = (), limit: float = 300.0) -> Joins:
    lines = np.array(list(barriers), dtype=object)
    return Joiner(streets, lines, limit_m=limit).join(np.array(places, dtype=float))


def line(*places: XY) -> Any:
    return shapely.LineString(places)


#   y = 100   0 ════════ 1     edge 0, 200 m
#   y =   0   2 ════════ 3     edge 1, 200 m
LADDER = streets_of([(0, 100), (200, 100), (0, 0), (200, 0)], [(0, 1), (2, 3)])


def test_nearest_position_along_the_edge() -> None:
    joins = join(LADDER, (50, 70), (120, 10), (-30, -40))
    assert joins.edge.tolist() == [0, 1, 1]
    assert joins.share.tolist() == pytest.approx([0.25, 0.6, 0.0])
    assert joins.leg_m.tolist() == pytest.approx([30.0, 10.0, 50.0])
    assert joins.joined.all()
    assert joins.reason.tolist() == ["", "", ""]


def test_share_counts_along_bends() -> None:
    streets = streets_of([(0, 0), (100, 300)], [(0, 1)], via={0: [(100, 0)]})
    joins = join(streets, (110, 100))
    assert joins.share.tolist() == pytest.approx([0.5])  # 100 + 100 of 400 m


def test_streets_are_tried_in_pieces_of_at_most_25_m() -> None:
    #   10 m in one piece; 60 m, after 10 m of the same street, in three of 20 m; 25 m in one
    streets = streets_of([(0, 0), (70, 0), (0, 50), (25, 50)], [(0, 1), (2, 3)], via={0: [(10, 0)]})
    edge, start, stop, before = segments(streets)
    assert edge.tolist() == [0, 0, 0, 0, 1]
    assert start[:, 0].tolist() == [*before[:4].tolist(), 0.0] == [0.0, 10.0, 30.0, 50.0, 0.0]
    assert stop[:, 0].tolist() == [10.0, 30.0, 50.0, 70.0, 25.0]
    assert before[4] == 0.0


def test_a_wall_sends_to_the_next_street() -> None:
    joins = join(LADDER, (100, 60), barriers=[line((-500, 80), (500, 80))])
    assert (joins.edge[0], joins.leg_m[0]) == (1, pytest.approx(60.0))


def test_a_short_wall_is_walked_around() -> None:
    # the wall hides 10 m of the street to both sides; past its end the street is 24 m away
    joins = join(LADDER, (100, 80), barriers=[line((90, 90), (110, 90))])
    assert joins.edge[0] == 0
    assert 20.0 * np.sqrt(2) <= joins.leg_m[0] < 45.0


def test_walls_on_every_side_block() -> None:
    joins = join(LADDER, (100, 50), barriers=[shapely.box(80, 40, 120, 60).boundary])
    assert (joins.edge[0], joins.reason[0]) == (-1, "way_to_street_blocked")
    assert np.isnan([joins.share[0], joins.leg_m[0]]).all()
    assert not joins.joined[0]


def test_limit_is_inclusive_and_beyond_it_there_is_no_street() -> None:
    joins = join(LADDER, (100, 400.0), (100, 400.001), (100, -300.0), (100, 399.9))
    assert joins.reason.tolist() == ["", TOO_FAR, "", ""]
    assert joins.leg_m[[0, 2]].tolist() == [300.0, 300.0]


def test_without_a_limit_of_ones_own_it_is_300_m() -> None:
    joins = Joiner(LADDER, np.array([], dtype=object)).join(np.array([(100.0, 400.0), (100.0, 400.5)]))
    assert joins.leg_m[0] == 300.0
    assert joins.reason.tolist() == ["", "no_street_within_limit"]  # these words stand in unplaced.csv


def test_a_limit_of_ones_own() -> None:
    assert join(LADDER, (100, 131), limit=30.0).reason.tolist() == [TOO_FAR]
    assert join(LADDER, (100, 129), limit=30.0).edge.tolist() == [0]


def test_a_place_at_the_wall_itself_is_a_gate() -> None:
    joins = join(LADDER, (100, 90), barriers=[line((-500, 90), (500, 90))])
    assert (joins.edge[0], joins.leg_m[0]) == (0, pytest.approx(10.0))


def test_bridges_and_tunnels_are_joined_at_their_ends_only() -> None:
    #   0 ── 1 ══bridge══ 2 ── 3        the home stands below the middle of the bridge
    streets = streets_of([(0, 0), (20, 0), (180, 0), (250, 0)], [(0, 1), (1, 2), (2, 3)], raised=[1])
    joins = join(streets, (90, 5), (110, 5))
    assert joins.edge.tolist() == [0, 2]
    assert joins.share.tolist() == [1.0, 0.0]


def test_steps_are_joined_at_their_ends_only() -> None:
    # A stair 3 m from the home, a street 12 m further: wheelchair users beside a stair are not lost.
    streets = streets_of([(0, 0), (100, 0), (0, 15), (100, 15)], [(0, 1), (2, 3), (0, 2)], steps=[0])
    joins = join(streets, (50, 3))
    assert joins.edge.tolist() == [1]
    assert joins.leg_m.tolist() == [12.0]
    # ... nor where the street is 200 m away, beyond what decides about islands
    long = streets_of([(0, 0), (400, 0), (0, 150)], [(0, 1), (0, 2)], steps=[0])
    assert (join(long, (200, 3)).edge[0], join(long, (200, 3)).leg_m[0]) == (1, 200.0)
    alone = streets_of([(0, 0), (100, 0)], [(0, 1)], steps=[0])
    assert join(alone, (50, 3)).leg_m.tolist() == [3.0]  # better than nothing
    above = streets_of([(0, 0), (100, 0)], [(0, 1)], steps=[0], raised=[0])
    assert join(above, (50, 3)).reason.tolist() == [TOO_FAR]  # the steps of a bridge hang in the air


#   y = 1000   2 ════ 3            edge 1: 40 m that nobody can leave (under 1 % of the town)
#   y =    0   0 ═══════════ 1     edge 0: 5,000 m of town
TOWN_AND_ISLAND = streets_of([(0, 0), (5000, 0), (100, 1000), (140, 1000)], [(0, 1), (2, 3)])


@pytest.mark.parametrize(
    ("north_of_island", "reason"), [(0.0, ""), (50.0, ""), (50.01, ONLY_ISLAND), (100.0, ONLY_ISLAND), (301, TOO_FAR)]
)
def test_an_island_is_joined_by_those_who_lie_on_it(north_of_island: float, reason: str) -> None:
    assert ON_ISLAND_M == 50.0
    joins = join(TOWN_AND_ISLAND, (120, 1000 + north_of_island))
    assert joins.reason.tolist() == [reason]
    assert joins.edge.tolist() == [-1 if reason else 1]


@pytest.mark.parametrize(("gap", "edge"), [(60.0, 0), (100.0, 0), (100.01, 1), (250.0, 1)])
def test_an_island_beside_the_mainland_is_a_slip_of_the_map(gap: float, edge: int) -> None:
    # the home stands on the island's street; the mainland is `gap` metres away, with nothing between
    assert MAINLAND_M == 100.0
    streets = streets_of([(0, 0), (5000, 0), (100, gap), (140, gap)], [(0, 1), (2, 3)])
    assert join(streets, (120, gap)).edge.tolist() == [edge]


def test_whoever_does_not_lie_on_the_island_walks_to_the_mainland_or_nowhere() -> None:
    streets = streets_of([(0, 0), (5000, 0), (100, 100), (140, 100)], [(0, 1), (2, 3)])
    assert join(streets, (120, 90), (120, 160), (120, 299)).edge.tolist() == [0, 0, 0]
    across = [line((-9000, 50), (9000, 50))]  # a river between
    joins = join(streets, (120, 90), (120, 160), barriers=across)
    assert joins.edge.tolist() == [1, -1]
    assert joins.reason.tolist() == ["", ONLY_ISLAND]
    shut_in = shapely.box(110, 150, 130, 170).boundary
    assert join(streets, (120, 160), barriers=[*across, shut_in]).reason.tolist() == [BLOCKED]


def test_near_nothing_but_an_island_and_shut_in_is_blocked() -> None:
    north = (120, 1100)  # 100 m from the island's street, a kilometre from the town
    assert join(TOWN_AND_ISLAND, north).reason.tolist() == ["only_island_near"]
    assert join(TOWN_AND_ISLAND, north, barriers=[shapely.box(110, 1090, 130, 1110).boundary]).reason == [BLOCKED]


def test_what_is_an_island() -> None:
    length = 5000 * ISLAND_SHARE
    nodes: list[XY] = [(0, 0), (5000, 0), (0, 100), (length, 100), (0, 200), (length - 1, 200)]
    assert island_edges(streets_of(nodes, [(0, 1), (2, 3), (4, 5)])).tolist() == [False, False, True]


def test_equal_distances_join_the_lower_edge_in_any_order() -> None:
    places = [(50.0, 50.0), (100.0, 50.0), (150.0, 50.0)]
    assert join(LADDER, *places).edge.tolist() == [0, 0, 0]
    assert join(LADDER, *places[::-1]).edge.tolist() == [0, 0, 0]


def test_equal_distances_and_a_wall_take_the_other() -> None:
    # 0.3 m from both streets but for the last bit of the number; neither may be forgotten
    streets = streets_of([(0, 0.1 + 0.2), (20, 0.1 + 0.2), (0, -0.3), (20, -0.3)], [(0, 1), (2, 3)])
    assert join(streets, (10, 0), barriers=[line((-400, -0.15), (400, -0.15))]).edge.tolist() == [0]
    assert join(streets, (10, 0), barriers=[line((-400, 0.15), (400, 0.15))]).edge.tolist() == [1]


def test_a_wall_drawn_on_the_street_does_not_close_it() -> None:
    assert join(LADDER, (100, 70), barriers=[line((-50, 100), (250, 100))]).edge.tolist() == [0]


def test_no_places_and_streets_without_length() -> None:
    assert len(Joiner(LADDER, np.array([], dtype=object)).join(np.zeros((0, 2))).edge) == 0
    point = streets_of([(0, 0), (0, 0), (50, 0)], [(0, 1), (1, 2)])
    assert join(point, (-10, 0)).edge.tolist() == [0]
    assert join(point, (-10, 0)).share.tolist() == [0.0]
    assert join(streets_of([(0, 0), (0.8, 0)], [(0, 1)]), (0.6, 1)).share.tolist() == pytest.approx([0.75])


def test_taking_some_joins() -> None:
    joins = join(LADDER, (50, 70), (120, 10), (0, 900))
    some = joins.take(np.array([2, 0]))
    assert some.edge.tolist() == [-1, 0]
    assert some.reason.tolist() == [TOO_FAR, ""]


# Against the plain implementation -----------------------------------------------------------------

_COORDINATE = st.integers(0, 12).map(lambda k: 25.0 * k)
_PLACE = st.tuples(_COORDINATE, _COORDINATE)
_OFF_GRID = st.tuples(
    st.integers(0, 40).map(lambda k: 7.31 * k + 0.37), st.integers(0, 40).map(lambda k: 7.13 * k + 0.59)
)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_joins_agree_with_looking_at_everything(data: st.DataObject) -> None:
    nodes = data.draw(st.lists(_PLACE, min_size=2, max_size=6))
    ends = st.integers(0, len(nodes) - 1)
    edges = data.draw(st.lists(st.tuples(ends, ends), min_size=1, max_size=6))
    streets = streets_of(nodes, edges, raised=data.draw(st.sets(st.integers(0, len(edges) - 1), max_size=2)))
    if streets.length_m.sum() == 0:
        return
    barriers = [
        shapely.LineString(b) for b in data.draw(st.lists(st.lists(_OFF_GRID, min_size=2, max_size=3), max_size=4))
    ]
    barriers = [b for b in barriers if b.length]
    places = data.draw(st.lists(_OFF_GRID, min_size=1, max_size=4))
    limit = data.draw(st.sampled_from([40.0, 300.0]))
    joins = join(streets, *places, barriers=barriers, limit=limit)
    for i, place in enumerate(places):
        leg, reason = oracle.join_one(streets, island_edges(streets), barriers, place, limit)
        assert joins.leg_m[i] == pytest.approx(leg, abs=1e-6, nan_ok=True)
        assert joins.reason[i] == reason
        if reason == "":
            foot = streets.lines[joins.edge[i]].interpolate(joins.share[i], normalized=True)
            assert foot.distance(shapely.Point(place)) == pytest.approx(leg, abs=1e-6)
            assert not streets.raised[joins.edge[i]]


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_order_of_the_places_does_not_matter(data: st.DataObject) -> None:
    places = data.draw(st.lists(st.one_of(_PLACE, _OFF_GRID), min_size=1, max_size=12))
    order = data.draw(st.permutations(range(len(places))))
    walls = [line((-100, 33.3), (140, 33.3)), line((20, -90), (90, 500))]
    together = join(LADDER, *places, barriers=walls).take(np.array(order))
    shuffled = join(LADDER, *[places[k] for k in order], barriers=walls)
    np.testing.assert_array_equal(together.edge, shuffled.edge)
    np.testing.assert_array_equal(together.share, shuffled.share)
    np.testing.assert_array_equal(together.leg_m, shuffled.leg_m)


# Barriers as they are mapped ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"waterway": "river"}, "water"),
        ({"waterway": "canal"}, "water"),
        ({"waterway": "ditch"}, None),
        ({"waterway": "river", "tunnel": "culvert"}, None),
        ({"waterway": "stream", "layer": "-1"}, None),
        ({"waterway": "stream", "layer": "0"}, "water"),
        ({"natural": "water"}, "water"),
        ({"natural": "coastline"}, "water"),
        ({"natural": "water", "covered": "yes"}, None),
        ({"railway": "rail"}, "rail"),
        ({"railway": "rail", "bridge": "viaduct"}, None),
        ({"railway": "subway"}, None),
        ({"railway": "subway", "tunnel": "yes"}, None),
        ({"railway": "subway", "location": "underground"}, None),
        ({"railway": "tram"}, None),
        ({"railway": "abandoned"}, None),
        ({"highway": "motorway"}, "motorway"),
        ({"highway": "motorway", "bridge": "yes"}, None),
        ({"highway": "motorway", "layer": "1"}, None),
        ({"highway": "trunk"}, None),
        ({"highway": "trunk", "foot": "no"}, "motorway"),
        ({"highway": "primary", "foot": "no"}, None),
        ({"barrier": "fence"}, "wall"),
        ({"barrier": "wall", "layer": "-2"}, None),
        ({"barrier": "gate"}, None),
        ({"barrier": "hedge"}, None),
    ],
)
def test_what_nobody_walks_across(tags: dict[str, str], kind: str | None) -> None:
    assert barrier_kind(tags) == kind
    assert kind is None or on_ground(tags)
    assert kind == "water" or not is_surface_water(tags)


RIVER_TOWN = """
    a-----------b

    r-----------s

          .

    c-----------d
"""


def river_town(tmp_path: Path, river: dict[str, str]) -> tuple[Town, OsmExtract]:
    """Return streets at y = 90 and y = 0 with something between them at y = 60."""
    town = Town(RIVER_TOWN, dx=20, dy=30).way("ab").way("cd").tagged_way("rs", river)
    return town, town.read(tmp_path)


def joined_street(town: Town, osm: OsmExtract, place: XY) -> int:
    joins = Joiner(osm.streets, osm.barriers.geometry.to_numpy()).join(np.array([place]))
    return int(osm.streets.way_id[joins.edge[0]]) if joins.joined[0] else -1


def test_a_home_by_the_river_joins_its_own_side(tmp_path: Path) -> None:
    town, osm = river_town(tmp_path, {"waterway": "river"})
    # the river runs at y = 60, the streets at y = 90 (way 100) and y = 0 (way 101)
    assert joined_street(town, osm, (60, 55)) == 101
    assert joined_street(town, osm, (60, 65)) == 100


@pytest.mark.parametrize(
    "river",
    [
        {"waterway": "river", "tunnel": "culvert"},
        {"waterway": "river", "layer": "-1"},
        {"railway": "rail", "bridge": "yes"},
        {"railway": "rail", "tunnel": "yes"},
        {"waterway": "ditch"},
    ],
)
def test_what_runs_above_or_below_does_not_part_the_town(tmp_path: Path, river: dict[str, str]) -> None:
    town, osm = river_town(tmp_path, river)
    assert joined_street(town, osm, (60, 55)) == 100


def test_a_bank_that_is_an_area_parts_the_town_too(tmp_path: Path) -> None:
    town = Town(RIVER_TOWN, dx=20, dy=30).way("ab").way("cd").box(-100, 50, 600, 10, natural="water")
    osm = town.read(tmp_path)
    assert joined_street(town, osm, (60, 48)) == 101


def test_the_way_through_the_gate_is_the_street_inside(tmp_path: Path) -> None:
    # an estate behind a fence; its lane i–g leaves through the gate g to the street
    town = (
        Town("""
        a-----g-----b

        e-----f-----k
        |     |     |
        |     i     |
        p-----------q
    """)
        .way("agb")
        .way("gfi", highway="service")
        .way("efkqpe", barrier="fence")
        .tag("f", barrier="gate")
    )
    osm = town.read(tmp_path)
    assert osm.barriers["kind"].tolist() == ["wall"]
    assert joined_street(town, osm, (30, 58)) == 101  # 30 m to the lane; the street is 22 m away behind the fence
    assert joined_street(town, osm, (30, 62)) == 100  # outside the fence


@pytest.mark.realdata
def test_blocked_homes_of_chengdu_agree_with_looking_at_everything(real_data: Path) -> None:
    from livingcircle_layers.catalogue import load_catalogue
    from livingcircle_layers.osm import read_osm

    osm = read_osm(real_data / "chengdu" / "chengdu-centre.osm.pbf", load_catalogue())
    west, south, east, north = osm.extent.bounds
    places = np.random.default_rng(3).uniform((west, south), (east, north), (4000, 2))
    barriers = osm.barriers.geometry.to_numpy()
    joins = Joiner(osm.streets, barriers).join(places)
    free = Joiner(osm.streets, np.array([], dtype=object)).join(places)
    moved = np.flatnonzero(joins.joined & (joins.leg_m > free.leg_m + 0.01))
    assert len(moved) > 20
    assert (joins.leg_m[joins.joined] >= free.leg_m[joins.joined] - 1e-6).all()
    tree = shapely.STRtree(barriers)
    ends = shapely.line_interpolate_point(osm.streets.lines[joins.edge[moved]], joins.share[moved], normalized=True)
    ways = shapely.linestrings(np.stack([places[moved], shapely.get_coordinates(ends)], axis=1))
    middle = shapely.line_interpolate_point(ways, 0.1), shapely.line_interpolate_point(ways, -0.1)
    inner = shapely.linestrings(np.stack([shapely.get_coordinates(m) for m in middle], axis=1))
    assert len(tree.query(inner, predicate="intersects")[0]) == 0


@pytest.mark.parametrize("away", [(1e7, 0.0), (-1e7, 0.0), (0.0, 1e7), (1e7, 1e7)])
def test_a_way_far_beside_all_barriers_looks_up_no_cell(away: tuple[float, float]) -> None:
    grid = barrier_grid(np.array([shapely.LineString([(0, 0), (500, 300)])], dtype=object))
    # As plain Python, in which a look-up outside of an array is an error and not a stray read.
    blocked = getattr(_joining._blocked, "py_func", _joining._blocked)  # plain already where numba is switched off
    assert not blocked(grid, away[0], away[1], away[0] + 20, away[1] + 20)
    assert blocked(grid, 100.0, 0.0, 100.0, 200.0)
