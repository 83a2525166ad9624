"""Walking distances: against NetworkX on cut graphs, against the ellipsoid, and to the centimetre."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

import oracle
from livingcircle import _search
from livingcircle.joins import Joiner, Joins
from livingcircle.network import Walk, WalkNetwork
from livingcircle.walkers import WALKERS
from livingcircle_layers.access import access_points
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.crs import WGS84
from livingcircle_layers.facilities import gather_facilities
from livingcircle_layers.osm import OsmExtract, read_osm
from livingcircle_layers.streets import Streets
from towns import XY, streets_of

ADULT, WHEELCHAIR = WALKERS["adult"], WALKERS["wheelchair"]
FEW = settings(max_examples=60, deadline=None)


def joins_at(*places: tuple[int, float, float]) -> Joins:
    """Return joins from edge, share and leg; edge -1 is not joined."""
    edge = np.array([p[0] for p in places], dtype=np.int64)
    lost = edge < 0
    share = np.where(lost, np.nan, np.array([p[1] for p in places], dtype=float))
    leg = np.where(lost, np.nan, np.array([p[2] for p in places], dtype=float))
    return Joins(edge, share, leg, np.where(lost, "no_street_within_limit", "").astype(object))


def nearest(streets: Streets, homes: Joins, doors: Joins, limit: float = 1e6) -> list[float]:
    return WalkNetwork(streets).walk().nearest(homes, doors, limit=limit)[0].tolist()


# Known answers ------------------------------------------------------------------------------------


#   0 ──100── 1 ──100── 2        edges: 0 (0–1), 1 (1–2)
LINE = streets_of([(0, 0), (100, 0), (200, 0)], [(0, 1), (1, 2)])


def test_walk_goes_along_the_edge_with_both_legs() -> None:
    # 5 m to the street, 60 m to node 1, 30 m on, 7 m to the door
    assert nearest(LINE, joins_at((0, 0.4, 5)), joins_at((1, 0.3, 7))) == [102.0]


def test_both_on_one_edge_walk_straight_between() -> None:
    assert nearest(LINE, joins_at((0, 0.9, 1)), joins_at((0, 0.25, 2))) == [68.0]


def test_nodes_beyond_the_limit_have_no_door() -> None:
    doors = joins_at((-1, 0, 0), (0, 0.2, 5))  # 25 m from node 0 and 85 m from node 1; node 2 is 185 m away
    cost, door = WalkNetwork(LINE).walk().node_costs(doors, limit=100.0)
    assert (cost.tolist(), door.tolist()) == ([25.0, 85.0, np.inf], [1, 1, -1])


def test_the_node_that_waits_at_the_least_cost_is_looked_at_first() -> None:
    rng = np.random.default_rng(3)
    many = [rng.permutation(40) / 4 for _ in range(30)]
    for keys in (*many, rng.integers(0, 6, 40).astype(float), np.zeros(3)):
        heap, node = np.empty(len(keys)), np.empty(len(keys), dtype=np.int32)
        size = 0
        for number, key in enumerate(keys.tolist()):
            size = _search._push(heap, node, size, key, number)
        taken = []
        while size:
            taken.append((heap[0], node[0]))
            size = _search._pop(heap, node, size)
        assert [key for key, _ in taken] == sorted(keys.tolist())
        assert all(keys[number] == key for key, number in taken)
        assert len({number for _, number in taken}) == len(keys)


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_doors_equally_near_the_first_is_named(first: int) -> None:
    #   door ──100── 1 ──100── 2 ──100── door      the home is in the middle, 150 m from both
    streets = streets_of([(0, 0), (100, 0), (200, 0), (300, 0)], [(0, 1), (1, 2), (2, 3)])
    ends = [(0, 0.0, 0), (2, 1.0, 0)]
    doors = joins_at(ends[first], ends[1 - first])
    cost, door = WalkNetwork(streets).walk().nearest(joins_at((1, 0.5, 0)), doors, limit=200.0)
    assert (cost.tolist(), door.tolist()) == ([150.0], [0])


def test_many_nodes_that_wait_in_one_bucket_of_cost_are_all_looked_at() -> None:
    # The search keeps nodes in 512 buckets below the limit, here 0.2 wide: many in each, and many that find a
    # shorter way while they wait among others, or within the bucket that is looked at.
    rng = np.random.default_rng(7)
    for _ in range(30):
        tail, head = rng.integers(0, 60, 400), rng.integers(0, 60, 400)
        cost = np.round(rng.choice([0.01, 0.05, 0.1, 0.3, 2, 7, 20], 400) + rng.integers(0, 5, 400) / 100, 2)
        order = np.lexsort((cost, head, tail))
        tail, head, cost = tail[order], head[order], cost[order]
        seed, at_seed = rng.integers(0, 60, 3), rng.integers(0, 500, 3) / 100
        first = np.searchsorted(tail, np.arange(61))
        dist, source = _search.multi_source(first, head.astype(np.int32), cost, seed, at_seed, 102.4)
        graph = nx.MultiDiGraph()
        graph.add_nodes_from(range(60))
        graph.add_weighted_edges_from(zip(tail.tolist(), head.tolist(), cost.tolist(), strict=True))
        walks = np.full((3, 60), 1e9)  # farther than any limit
        for s in range(3):
            for node, walk in nx.single_source_dijkstra_path_length(graph, int(seed[s]), weight="weight").items():
                walks[s, node] = at_seed[s] + walk
        nearest_m = walks.min(axis=0)
        np.testing.assert_allclose(dist, np.where(nearest_m < 1e9, nearest_m, np.inf), atol=1e-9)
        plain = np.sort(walks, axis=0)[1] - nearest_m > 1e-6  # one seed is nearer than the others
        assert plain.sum() > 30
        np.testing.assert_array_equal(source[plain], walks.argmin(axis=0)[plain])


def test_standing_at_the_door_is_no_walk() -> None:
    assert nearest(LINE, joins_at((1, 0.5, 0)), joins_at((1, 0.5, 0))) == [0.0]


def test_unjoined_homes_and_doors_reach_nothing() -> None:
    assert np.isnan(nearest(LINE, joins_at((-1, 0, 0)), joins_at((0, 0.5, 0)))).all()
    assert np.isnan(nearest(LINE, joins_at((0, 0.5, 0)), joins_at((-1, 0, 0)))).all()
    assert np.isnan(nearest(LINE, joins_at((0, 0.5, 0)), joins_at())).all()


def test_one_way_streets_lead_from_the_home_to_the_facility() -> None:
    #   0 ──100──> 1     and back by a detour of 300 m: 1 ── (0, -100) ── 0
    streets = streets_of([(0, 0), (100, 0)], [(0, 1), (1, 0)], via={1: [(100, -100), (0, -100)]}, oneway=[0])
    west, east = joins_at((0, 0.2, 0)), joins_at((0, 0.7, 0))
    assert nearest(streets, west, east) == [50.0]
    assert nearest(streets, east, west) == [350.0]  # 30 m on, 300 m around, 20 m


def test_detour_around_is_taken_when_shorter_than_the_own_edge() -> None:
    # A street that winds 400 m from 0 to 1, beside a straight one of 100 m.
    streets = streets_of([(0, 0), (100, 0)], [(0, 1), (0, 1)], via={0: [(0, 150), (100, 150)]})
    assert nearest(streets, joins_at((0, 0.05, 0)), joins_at((0, 0.95, 0))) == [140.0]


def test_loop_is_walked_the_shorter_way_round() -> None:
    streets = streets_of([(0, 0)], [(0, 0)], via={0: [(100, 0), (100, 100), (0, 100)]})
    assert nearest(streets, joins_at((0, 0.1, 0)), joins_at((0, 0.9, 0))) == [80.0]


def test_islands_are_not_reached() -> None:
    streets = streets_of([(0, 0), (100, 0), (0, 900), (100, 900)], [(0, 1), (2, 3)])
    assert np.isnan(nearest(streets, joins_at((0, 0.5, 0)), joins_at((1, 0.5, 0)))).all()


def test_wheelchairs_go_around_steps_and_steps_are_slow() -> None:
    #   0 ──steps 40── 1   and a ramp of 100 m beside
    streets = streets_of([(0, 0), (40, 0)], [(0, 1), (0, 1)], via={1: [(20, 45.8257569495584)]}, steps=[0])
    homes, doors = joins_at((1, 0.0, 0)), joins_at((1, 1.0, 0))
    network = WalkNetwork(streets)
    assert network.walk(ADULT).nearest(homes, doors, limit=1e6)[0].tolist() == [40.0]
    assert network.walk(WHEELCHAIR).nearest(homes, doors, limit=1e6)[0].tolist() == [100.0]
    # 40 m of steps at 0.5 m/s take 80 s; the ramp at 1.33 m/s 75.19 s
    assert network.walk(ADULT, unit="s").nearest(homes, doors, limit=1e6)[0].tolist() == [75.19]
    assert network.walk(WHEELCHAIR, unit="s").nearest(homes, doors, limit=1e6)[0].tolist() == [125.0]


def test_signals_cost_a_wait_for_those_who_pass_them() -> None:
    #   0 ──133── 1 (signals) ──133── 2        100 s each at 1.33 m/s, 30 s at the signals
    streets = streets_of([(0, 0), (133, 0), (266, 0)], [(0, 1), (1, 2)], signals=[1])
    walk = WalkNetwork(streets).walk(ADULT, unit="s")
    assert walk.nearest(joins_at((0, 0.0, 0)), joins_at((1, 1.0, 0)), limit=1e6)[0].tolist() == [230.0]
    assert walk.nearest(joins_at((1, 0.5, 0)), joins_at((0, 0.5, 0)), limit=1e6)[0].tolist() == [130.0]
    assert walk.nearest(joins_at((0, 0.0, 0)), joins_at((0, 0.9, 0)), limit=1e6)[0].tolist() == [90.0]
    assert walk.pairs(joins_at((0, 0.0, 0)), joins_at((1, 1.0, 0)), limit=1e6)[2].tolist() == [230.0]
    two = streets_of([(0, 0), (133, 0), (266, 0), (399, 0)], [(0, 1), (1, 2), (2, 3)], signals=[2])
    far = WalkNetwork(two).walk(ADULT, unit="s").pairs(joins_at((0, 0.0, 0)), joins_at((2, 1.0, 0)), limit=1e6)
    assert far[2].tolist() == [330.0]


def test_climbing_takes_longer_than_going_down() -> None:
    #   133 m with a climb of 6.65 m: 5 %, Tobler 6 exp(-3.5 · 0.1) against 6 exp(-3.5 · 0.05) on the flat
    streets = streets_of([(0, 0), (133, 0)], [(0, 1)], height_m=[500.0, 506.65])
    walk = WalkNetwork(streets).walk(ADULT, unit="s")
    up, down = joins_at((0, 0.0, 0)), joins_at((0, 1.0, 0))
    assert walk.nearest(up, down, limit=1e6)[0].tolist() == [119.12]  # 100 s · exp(0.175)
    assert walk.nearest(down, up, limit=1e6)[0].tolist() == [83.95]  # 100 s · exp(-0.175)
    assert nearest(streets, up, down) == [133.0]  # metres are metres
    # and on the shortest piece: 0.8 m with a climb of 5 % take 0.6015 s · exp(0.175)
    short = WalkNetwork(streets_of([(0, 0), (0.8, 0)], [(0, 1)], height_m=[500.0, 500.04])).walk(ADULT, unit="s")
    assert short.nearest(up, down, limit=1e6)[0].tolist() == [0.72]


def test_where_a_height_is_unknown_the_way_is_level() -> None:
    streets = streets_of([(0, 0), (133, 0), (266, 0)], [(0, 1), (1, 2)], height_m=[500.0, np.nan, 520.0])
    walk = WalkNetwork(streets).walk(ADULT, unit="s")
    assert walk.nearest(joins_at((0, 0.0, 0)), joins_at((1, 1.0, 0)), limit=1e6)[0].tolist() == [200.0]


def test_a_network_tells_its_size() -> None:
    # a path of 1001 steps of 2.5 m
    streets = streets_of([(2.5 * i, 0) for i in range(1002)], [(i, i + 1) for i in range(1001)])
    assert repr(WalkNetwork(streets)) == "WalkNetwork(1,002 nodes, 1,001 edges, 3 km)"  # 2.5025 km


def test_time_needs_a_walker() -> None:
    with pytest.raises(ValueError, match="walker"):
        WalkNetwork(LINE).walk(unit="s")


@pytest.mark.parametrize(
    ("metres", "within"),
    [(299.99, True), (300.0, True), (300.004, True), (300.006, False), (300.01, False)],
)
def test_limits_are_inclusive_and_compared_to_the_centimetre(metres: float, within: bool) -> None:
    streets = streets_of([(0, 0), (1000, 0)], [(0, 1)])
    homes, doors = joins_at((0, 0.0, 0)), joins_at((0, metres / 1000, 0))
    cost, door = WalkNetwork(streets).walk().nearest(homes, doors, limit=300.0)
    place, _, paired = WalkNetwork(streets).walk().pairs(homes, doors, limit=300.0)
    assert bool(cost[0] <= 300.0) is within
    assert (int(door[0]) == 0) is within
    assert len(place) == int(within)
    if within:
        assert cost[0] == paired[0] == round(metres, 2)


def test_a_limit_between_two_hundredths_is_taken_to_the_nearer_one() -> None:
    walk = WalkNetwork(LINE).walk(ADULT, unit="s")
    home, door = joins_at((0, 0.0, 0)), joins_at((0, 1.0, 0))
    limit = 100 / ADULT.speed_m_s  # 75.188 s, for a walk that takes 75.19 s
    assert walk.nearest(home, door, limit=limit)[0].tolist() == [75.19]
    for pairs in (walk.pairs, walk.pairs_from_doors):
        assert [part.tolist() for part in pairs(home, door, limit=limit)] == [[0], [0], [75.19]]
        assert [part.tolist() for part in pairs(home, door, limit=75.184)] == [[], [], []]
        assert [len(part) for part in pairs(home, joins_at(), limit=limit)] == [0, 0, 0]


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 99])
def test_how_many_places_are_searched_at_a_time_changes_nothing(
    at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk, people = WalkNetwork(LINE).walk(), np.array([[1], [10], [100]])
    homes = joins_at((0, 0.0, 0), (0, 0.5, 0), (1, 1.0, 0))
    doors = joins_at((0, 0.2, 0), (1, 0.0, 0), (-1, 0, 0), (1, 0.5, 0), (1, 0.9, 0))
    monkeypatch.setattr("livingcircle.network._PLACES_AT_A_TIME", at_a_time)
    home, door, metres = walk.pairs_from_doors(homes, doors, limit=60.0)
    assert list(zip(home.tolist(), door.tolist(), metres.tolist(), strict=True)) == [
        (0, 0, 20.0), (1, 0, 30.0), (1, 1, 50.0), (2, 3, 50.0), (2, 4, 10.0),
    ]  # fmt: skip
    around = walk.catchments(homes, people).sums(doors, np.arange(6), np.array([60.0]))
    assert around.ravel().tolist() == [11, 10, 0, 100, 100]


def test_who_lives_around_a_place_is_counted_in_the_direction_of_the_walk() -> None:
    #   0 ──100→─ 1 ──100── 2 place      a one-way street; 5 people at node 0, 7 at 10 m beside the middle of edge 1
    walk = WalkNetwork(streets_of([(0, 0), (100, 0), (200, 0)], [(0, 1), (1, 2)], oneway=[0])).walk()
    homes, place = joins_at((0, 0.0, 0), (1, 0.5, 10)), joins_at((1, 1.0, 0))
    people = np.array([[5, 5, 5], [7, 7, 7]])
    limits, first = np.array([200.0, 199.99, 59.99]), np.array([0, 1])
    assert walk.catchments(homes, people).sums(place, first, limits).tolist() == [[12, 7, 0]]
    # nobody walks from the place to node 0
    assert walk.catchments(homes, people, towards=False).sums(place, first, limits).tolist() == [[7, 7, 0]]
    # two doors of one place count a home once; a place without doors has nobody around it
    doors, ends = joins_at((1, 1.0, 0), (1, 0.6, 0)), np.array([0, 2, 2])
    for order in ([0, 1], [1, 0]):
        assert walk.catchments(homes, people).sums(doors.take(np.array(order)), ends, limits).tolist() == [
            [12, 12, 7], [0, 0, 0],
        ]  # fmt: skip
    assert walk.catchments(homes, people).sums(joins_at(), np.array([0]), limits).shape == (0, 3)


@pytest.mark.parametrize("leg_m", [0.0, 1.25])
@pytest.mark.parametrize(("metres", "within"), [(299.99, True), (300.0, True), (300.004, True), (300.01, False)])
def test_limits_hold_through_several_edges_too(metres: float, within: bool, leg_m: float) -> None:
    # door 0 ──── 1 ──── 2 ──── 3 ──── 4     the home is at node 3, by the street that leads on
    last = metres - 2 * leg_m
    streets = streets_of([(0, 0), (100, 0), (200, 0), (last, 0), (last + 50, 0)], [(0, 1), (1, 2), (2, 3), (3, 4)])
    homes, doors = joins_at((3, 0.0, leg_m)), joins_at((0, 0.0, leg_m))
    cost, _ = WalkNetwork(streets).walk().nearest(homes, doors, limit=300.0)
    assert bool(cost[0] <= 300.0) is within


# Against NetworkX, on networks that nobody would draw ---------------------------------------------

SHARES = st.sampled_from([0.0, 0.125, 0.25, 1 / 3, 0.5, 0.9, 1.0])
LEGS = st.sampled_from([0.0, 2.5, 17.0])


@st.composite
def small_streets(draw: st.DrawFn, *, two_way: bool = False) -> Streets:
    """Draw streets with parallel edges, loops, edges without length, one-way edges and islands."""
    places: list[XY] = [
        (40.0 * x, 40.0 * y)
        for x, y in draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=7))
    ]
    ends = st.integers(0, len(places) - 1)
    edges = draw(st.lists(st.tuples(ends, ends), min_size=1, max_size=10))
    some = st.sets(st.integers(0, len(edges) - 1))
    bends = {e: [(places[a][0] + 13.0, places[a][1] + 29.0)] for e, (a, _) in enumerate(edges) if e in draw(some)}
    heights = draw(st.none() | st.lists(st.integers(0, 9), min_size=len(places), max_size=len(places)))
    return streets_of(
        places,
        edges,
        via=bends,
        oneway=[] if two_way else draw(some),
        steps=draw(some),
        signals=draw(st.sets(st.integers(0, len(places) - 1))),
        height_m=heights,
    )


@st.composite
def joined(draw: st.DrawFn, streets: Streets, most: int = 5) -> Joins:
    edges = st.integers(-1, len(streets.tail) - 1)
    return joins_at(*draw(st.lists(st.tuples(edges, SHARES, LEGS), min_size=1, max_size=most)))


@given(st.data())
@FEW
def test_nearest_agrees_with_networkx(data: st.DataObject) -> None:
    streets = data.draw(small_streets())
    homes, doors = data.draw(joined(streets)), data.draw(joined(streets))
    network = WalkNetwork(streets)
    walks: list[tuple[Walk, dict[str, Any]]] = [
        (network.walk(), {}),
        (network.walk(WHEELCHAIR), {"walker": WHEELCHAIR}),
        (network.walk(ADULT, unit="s"), {"walker": ADULT, "seconds": True}),
    ]
    for walk, options in walks:
        cost, door = walk.nearest(homes, doors, limit=1e6)
        np.testing.assert_allclose(cost, oracle.nearest(streets, homes, doors, **options), atol=0.0051)
        single = oracle.pairs(streets, homes, doors, **options)
        for i, j in enumerate(door):
            assert (j == -1) == np.isnan(cost[i])
            assert j == -1 or abs(single[i, int(j)] - cost[i]) < 0.0051


@given(st.data(), st.sampled_from([25.0, 60.0, 1e6]))
@FEW
def test_pairs_agree_with_networkx(data: st.DataObject, limit: float) -> None:
    streets = data.draw(small_streets())
    homes, doors = data.draw(joined(streets)), data.draw(joined(streets))
    options: dict[str, Any] = data.draw(st.sampled_from([{}, {"walker": ADULT, "seconds": True}]))
    walk = WalkNetwork(streets).walk(ADULT, unit="s") if options else WalkNetwork(streets).walk()
    place, door, cost = walk.pairs(homes, doors, limit=limit)
    found = {(int(i), int(j)): float(c) for i, j, c in zip(place, door, cost, strict=True)}
    walks = oracle.pairs(streets, homes, doors, **options)
    expected = {pair: round(walk, 2) for pair, walk in walks.items() if round(walk, 2) <= limit}
    assert found == pytest.approx(expected, abs=0.0101)
    assert list(found) == sorted(found)
    assert len(found) == len(place)


@given(st.data(), st.lists(st.sampled_from([25.0, 60.0, 500.0]), min_size=1, max_size=3), st.booleans())
@FEW
def test_catchments_agree_with_all_pairs(data: st.DataObject, limits: list[float], towards: bool) -> None:
    streets = data.draw(small_streets())
    homes, doors = data.draw(joined(streets)), data.draw(joined(streets))
    first = np.array([0, *sorted(data.draw(st.lists(st.integers(0, len(doors.edge)), max_size=2))), len(doors.edge)])
    weights = np.arange(1, len(homes.edge) * len(limits) + 1).reshape(-1, len(limits))
    walk = WalkNetwork(streets).walk(ADULT, unit="s")
    found = walk.catchments(homes, weights, towards=towards).sums(doors, first, np.array(limits))
    pairs = zip(*(walk.pairs(homes, doors, limit=1e6) if towards else walk.pairs(doors, homes, limit=1e6)), strict=True)
    walks = {(int(i), int(j)) if towards else (int(j), int(i)): float(cost) for i, j, cost in pairs}
    for group, (begin, end) in enumerate(itertools.pairwise(first.tolist())):
        for column, limit in enumerate(limits):
            near = {home for (home, door), cost in walks.items() if begin <= door < end and cost <= limit}
            assert found[group, column] == sum(weights[home, column] for home in near)


def test_a_town_of_many_streets_agrees_with_networkx() -> None:
    # Enough streets that searches keep many nodes waiting, and enough pairs that the room for them has to grow.
    rng = np.random.default_rng(11)
    places: list[XY] = [
        (90.0 * x + rng.uniform(0, 60), 90.0 * y + rng.uniform(0, 60)) for x in range(12) for y in range(12)
    ]
    edges = [(12 * x + y, 12 * x + y + 1) for x in range(12) for y in range(11)]
    edges += [(12 * x + y, 12 * x + y + 12) for x in range(11) for y in range(12)]
    edges += [(int(a), int(b)) for a, b in rng.integers(0, 144, (12, 2)) if a != b]
    streets = streets_of(places, edges, oneway=rng.choice(len(edges), 40, replace=False).tolist())

    def some(count: int) -> Joins:
        edge, share, leg = rng.integers(0, len(edges), count), rng.uniform(0, 1, count), rng.uniform(0, 30, count)
        return joins_at(*zip(edge.tolist(), share.round(3).tolist(), leg.round(1).tolist(), strict=True))

    homes, doors = some(60), some(80)
    walk, limit = WalkNetwork(streets).walk(), 700.0
    walks = oracle.pairs(streets, homes, doors)
    expected = {pair: metres for pair, metres in walks.items() if metres <= limit}
    assert len(expected) > 1024
    for pairs in (walk.pairs, walk.pairs_from_doors):
        home, door, cost = pairs(homes, doors, limit=limit)
        found = dict(zip(zip(home.tolist(), door.tolist(), strict=True), cost.tolist(), strict=True))
        assert found == pytest.approx(expected, abs=0.0051)
    table = np.full((60, 80), np.inf)
    table[tuple(np.array(list(expected)).T)] = list(expected.values())
    nearest_m = walk.nearest(homes, doors, limit=limit)[0]
    np.testing.assert_allclose(nearest_m, np.where(np.isinf(table.min(axis=1)), np.nan, table.min(axis=1)), atol=0.0051)
    # places of five doors each, which lie far apart: a home counts once, by the nearest of them
    people, limits = np.tile(np.arange(1, 61)[:, None], 2), np.array([limit, 250.0])
    sums = walk.catchments(homes, people).sums(doors, np.arange(0, 81, 5), limits)
    near = table.reshape(60, 16, 5).min(axis=2)
    plain = [[(people[:, 0] * (near[:, place] <= reach)).sum() for reach in limits] for place in range(16)]
    assert sums.tolist() == plain


# Properties ---------------------------------------------------------------------------------------


@given(st.data())
@FEW
def test_one_more_facility_lengthens_no_walk(data: st.DataObject) -> None:
    streets = data.draw(small_streets())
    homes, doors = data.draw(joined(streets)), data.draw(joined(streets))
    walk = WalkNetwork(streets).walk()
    fewer = walk.nearest(homes, doors.take(np.arange(len(doors.edge) - 1)), limit=1e6)[0]
    more = walk.nearest(homes, doors, limit=1e6)[0]
    assert (np.nan_to_num(more, nan=np.inf) <= np.nan_to_num(fewer, nan=np.inf)).all()


@given(st.data())
@FEW
def test_two_way_walks_are_as_long_in_both_directions(data: st.DataObject) -> None:
    streets = data.draw(small_streets(two_way=True))
    a, b = data.draw(joined(streets)), data.draw(joined(streets))
    walk = WalkNetwork(streets).walk()
    there = {(i, j): c for i, j, c in zip(*(x.tolist() for x in walk.pairs(a, b, limit=1e6)), strict=True)}
    back = {(j, i): c for i, j, c in zip(*(x.tolist() for x in walk.pairs(b, a, limit=1e6)), strict=True)}
    assert there == pytest.approx(back, abs=0.0101)


@given(st.data())
@FEW
def test_the_walk_to_oneself_is_the_two_legs(data: st.DataObject) -> None:
    streets = data.draw(small_streets())
    places = data.draw(joined(streets))
    one_by_one = [
        nearest(streets, places.take(np.array([i])), places.take(np.array([i])))[0] for i in range(len(places.edge))
    ]
    np.testing.assert_allclose(one_by_one, np.where(places.joined, 2 * places.leg_m, np.nan), atol=0.005)


def test_a_network_is_never_changed_by_a_search() -> None:
    before = {k: np.copy(v) for k, v in vars(LINE).items() if isinstance(v, np.ndarray)}
    network = WalkNetwork(LINE)
    homes = joins_at((0, 0.4, 5))
    first = network.walk(ADULT).nearest(homes, joins_at((1, 0.3, 7)), limit=1e6)[0]
    network.walk(WHEELCHAIR, unit="s").nearest(homes, joins_at((1, 0.3, 7)), limit=10)
    assert network.walk(ADULT).nearest(homes, joins_at((1, 0.3, 7)), limit=1e6)[0] == first
    for key, value in before.items():
        np.testing.assert_array_equal(value, getattr(LINE, key))


# Real cities --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chengdu(real_data: Path) -> OsmExtract:
    return read_osm(real_data / "chengdu" / "chengdu-centre.osm.pbf", load_catalogue())


def doors_of(osm: OsmExtract, joiner: Joiner, service: str) -> Joins:
    places = gather_facilities(osm.features, load_catalogue()).frame
    places = places[places["service"] == service].reset_index(drop=True)
    walls = osm.barriers.geometry[osm.barriers["kind"] == "wall"].to_numpy()
    points = access_points(places, streets=osm.streets, features=osm.features, walls=walls)
    return joiner.join(np.column_stack([points.geometry.x, points.geometry.y]))


@pytest.mark.realdata
def test_two_thousand_homes_of_chengdu_agree_with_networkx(chengdu: OsmExtract) -> None:
    joiner = Joiner(chengdu.streets, chengdu.barriers.geometry.to_numpy())
    west, south, east, north = chengdu.extent.bounds
    rng = np.random.default_rng(20)
    homes = joiner.join(rng.uniform((west, south), (east, north), (2000, 2)))
    assert 1800 < homes.joined.sum() < 2000
    walk = WalkNetwork(chengdu.streets).walk()
    for service in ("bus_stop", "park", "supermarket"):
        doors = doors_of(chengdu, joiner, service)
        assert len(doors.edge) > 10
        plain = oracle.nearest(chengdu.streets, homes, doors)
        cost, _ = walk.nearest(homes, doors, limit=1e6)
        np.testing.assert_allclose(cost, plain, atol=0.0051)  # NaN where NaN
        assert np.isnan(cost[~homes.joined]).all()
        limited, _ = walk.nearest(homes, doors, limit=1000.0)
        np.testing.assert_array_equal(limited, np.where(cost <= 1000.0, cost, np.nan))
        few = np.flatnonzero(homes.joined)[:100]
        place, door, paired = walk.pairs(homes.take(few), doors, limit=1000.0)
        least = np.full(100, np.inf)
        np.minimum.at(least, place, paired)
        np.testing.assert_array_equal(np.where(np.isinf(least), np.nan, least), limited[few])
        assert (np.diff(place) >= 0).all()
        assert len(set(zip(place.tolist(), door.tolist(), strict=True))) == len(place)


@pytest.mark.realdata
@pytest.mark.parametrize(
    "file", ["chengdu/chengdu-centre.osm.pbf", "porto/porto_portugal.osm.pbf", "porto-alegre/poa_osm.pbf"]
)
def test_lengths_are_those_of_the_ellipsoid(real_data: Path, file: str) -> None:
    streets = WalkNetwork.from_osm(real_data / file).streets
    lon, lat = Transformer.from_crs(streets.crs, WGS84, always_xy=True).transform(*streets.coords.T)
    step = Geod(ellps="WGS84").inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2]
    step[streets.offsets[1:-1] - 1] = 0.0
    true = np.add.reduceat(step, streets.offsets[:-1])
    assert true.sum() > 100_000
    np.testing.assert_allclose(streets.length_m, true, rtol=1e-3, atol=1e-6)
    assert streets.length_m.sum() == pytest.approx(true.sum(), rel=2e-4)
