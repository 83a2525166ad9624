"""What holds of every network: more streets, more time or faster feet never lengthen a walk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracle
from livingcircle.joins import Joiner, Joins
from livingcircle.network import WalkNetwork
from livingcircle.walkers import WALKERS, Walker
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.cuts import with_paths
from livingcircle_layers.osm import read_osm
from livingcircle_layers.streets import Streets
from test_network import FEW, doors_of, joined, small_streets
from towns import streets_of

NO_NEW_NODES = np.zeros((0, 2))


def shorter_or_equal(after: np.ndarray, before: np.ndarray) -> bool:
    """Tell whether no walk is lost and none is longer."""
    reached = ~np.isnan(before)
    return bool((after[reached] <= before[reached] + 1e-9).all())


@given(st.data())
@FEW
def test_a_new_way_lengthens_no_walk_while_the_joins_stay(data: st.DataObject) -> None:
    streets = data.draw(small_streets())
    homes, doors = data.draw(joined(streets)), data.draw(joined(streets))
    ends = st.integers(0, len(streets.node_id) - 1)
    tail, head = np.array([data.draw(ends)]), np.array([data.draw(ends)])
    more = with_paths(streets, tail, head, NO_NEW_NODES, highway="footway")
    before, _ = WalkNetwork(streets).walk().nearest(homes, doors, limit=1e6)
    after, _ = WalkNetwork(more).walk().nearest(homes, doors, limit=1e6)
    assert shorter_or_equal(after, before)


@given(st.data())
@FEW
def test_what_a_change_does_not_touch_keeps_its_numbers(data: st.DataObject) -> None:
    left, right = data.draw(small_streets()), data.draw(small_streets())
    n, m = len(left.node_id), len(left.tail)
    both = replace(
        with_paths(left, n + right.tail, n + right.head, right.node_xy + 10_000.0, highway="path"),
        length_m=np.concatenate([left.length_m, right.length_m]),
        oneway=np.concatenate([left.oneway, right.oneway]),
        height_m=None,
    )
    changed = replace(both, length_m=both.length_m * np.where(np.arange(len(both.tail)) < m, 1.0, 3.0))
    homes, doors = data.draw(joined(left)), data.draw(joined(left))
    before, which = WalkNetwork(both).walk().nearest(homes, doors, limit=1e6)
    after, still = WalkNetwork(changed).walk().nearest(homes, doors, limit=1e6)
    np.testing.assert_array_equal(after, before)
    np.testing.assert_array_equal(still, which)


@given(st.data(), st.floats(0.3, 1.0), st.sampled_from([30.0, 120.0, 600.0]))
@FEW
def test_a_slower_walker_reaches_nothing_that_a_faster_one_does_not(
    data: st.DataObject, share: float, limit: float
) -> None:
    streets = data.draw(small_streets())
    homes, doors = data.draw(joined(streets)), data.draw(joined(streets))
    fast = WALKERS["adult"]
    slow = fast.model_copy(
        update={"name": "slow", "speed_m_s": fast.speed_m_s * share, "steps_speed_m_s": fast.steps_speed_m_s * share}
    )
    network = WalkNetwork(streets)
    reached_slowly = ~np.isnan(network.walk(slow, unit="s").nearest(homes, doors, limit=limit)[0])
    reached = ~np.isnan(network.walk(fast, unit="s").nearest(homes, doors, limit=limit)[0])
    assert (reached | ~reached_slowly).all()


@given(st.data(), st.integers(1, 4))
@FEW
def test_work_in_chunks_and_shuffled_gives_the_same_bytes(data: st.DataObject, chunks: int) -> None:
    streets = data.draw(small_streets())
    homes, doors = data.draw(joined(streets, most=8)), data.draw(joined(streets))
    walk = WalkNetwork(streets).walk(Walker(name="one", speed_m_s=1.0), unit="s")
    whole, _ = walk.nearest(homes, doors, limit=1e6)
    order = np.array(data.draw(st.permutations(range(len(homes.edge)))))
    parts = [walk.nearest(homes.take(p), doors, limit=1e6)[0] for p in np.array_split(order, chunks)]
    assert np.concatenate(parts).tobytes() == whole[order].tobytes()
    i, j, cost = walk.pairs(homes, doors, limit=1e6)
    split = [walk.pairs(homes.take(p), doors, limit=1e6) for p in np.array_split(np.arange(len(homes.edge)), chunks)]
    assert np.concatenate([c for _, _, c in split]).tobytes() == cost.tobytes()
    assert np.concatenate([d for _, d, _ in split]).tobytes() == j.tobytes()
    assert (np.diff(i) >= 0).all()


def test_a_walk_up_is_not_as_long_as_the_walk_down() -> None:
    hill = streets_of([(0, 0), (100, 0)], [(0, 1)], height_m=[0, 10])
    walk = WalkNetwork(hill).walk(Walker(name="one", speed_m_s=1.0), unit="s")
    foot, top = (Joins(np.array([0]), np.array([s]), np.zeros(1), np.array([""], dtype=object)) for s in (0.0, 1.0))
    up, down = walk.nearest(foot, top, limit=1e6)[0][0], walk.nearest(top, foot, limit=1e6)[0][0]
    # 100 m at 10 %: 100 s / exp(-3.5 * 0.10) up; at -10 % the factor is exp(-3.5 * (0.05 - 0.05)) = 1: 100 s down
    assert (up, down) == (141.91, 100.0)


@st.composite
def hilly_streets(draw: st.DrawFn) -> Streets:
    """Draw two-way streets between nodes of any height, without steps and signals."""
    streets = draw(small_streets(two_way=True))
    n = len(streets.node_id)
    heights = draw(st.lists(st.floats(0, 30), min_size=n, max_size=n))
    plain = np.full(len(streets.tail), "residential", dtype=object)
    return replace(streets, highway=plain, signals=np.zeros(n, dtype=bool), height_m=np.array(heights))


def end(streets: Streets, edge: int, share: float) -> Joins:
    return Joins(np.array([edge]), np.array([share]), np.zeros(1), np.array([""], dtype=object))


ONE = Walker(name="one", speed_m_s=1.0)


@given(st.data())
@FEW
def test_there_and_back_differ_by_the_climb(data: st.DataObject) -> None:
    # One street alone: what it costs there and back, from Tobler's function for either direction.
    length, climb = data.draw(st.floats(20, 200)), data.draw(st.floats(-30, 30))
    street = streets_of([(0, 0), (length, 0)], [(0, 1)], height_m=[50.0, 50.0 + climb])
    walk = WalkNetwork(street).walk(ONE, unit="s")
    there = walk.nearest(end(street, 0, 0.0), end(street, 0, 1.0), limit=1e6)[0][0]
    back = walk.nearest(end(street, 0, 1.0), end(street, 0, 0.0), limit=1e6)[0][0]
    slope = climb / length
    assert there == pytest.approx(length / np.exp(-3.5 * (abs(slope + 0.05) - 0.05)), abs=0.011)
    assert back == pytest.approx(length / np.exp(-3.5 * (abs(-slope + 0.05) - 0.05)), abs=0.011)
    # Down is never slower than up, and both ways together take at least as long as on the flat.
    assert (back - there) * climb <= 0.03 * abs(climb)
    assert there + back >= 2 * length - 0.03


@given(st.data())
@FEW
def test_on_hills_home_to_facility_is_not_facility_to_home(data: st.DataObject) -> None:
    streets = data.draw(hilly_streets())
    homes, doors = data.draw(joined(streets)), data.draw(joined(streets))
    walk = WalkNetwork(streets).walk(ONE, unit="s")
    cost, which = walk.nearest(homes, doors, limit=1e6)
    np.testing.assert_allclose(cost, oracle.nearest(streets, homes, doors, walker=ONE, seconds=True), atol=0.0051)
    # Turned upside down, every way up is a way down: the walk to the facility is then the walk back from it.
    mirrored = replace(streets, height_m=-np.asarray(streets.height_m))
    against = {(i, j): c for j, i, c in zip(*walk.pairs(doors, homes, limit=1e6), strict=True)}
    upside = WalkNetwork(mirrored).walk(ONE, unit="s").pairs(homes, doors, limit=1e6)
    assert {(i, j): c for i, j, c in zip(*upside, strict=True)} == pytest.approx(against, abs=0.0101)
    flat = WalkNetwork(replace(streets, height_m=None)).walk(ONE, unit="s")
    level = {(i, j): c for i, j, c in zip(*flat.pairs(homes, doors, limit=1e6), strict=True)}
    ahead = {(i, j): c for i, j, c in zip(*walk.pairs(homes, doors, limit=1e6), strict=True)}
    assert ahead.keys() == against.keys() == level.keys()
    # There and back over hills is never faster than there and back on the flat.
    assert all(ahead[pair] + against[pair] >= 2 * level[pair] - 0.05 for pair in level)
    for i, j in enumerate(which):
        assert j == -1 or cost[i] == ahead[i, int(j)]


@given(st.data(), st.floats(0.2, 4.0))
@FEW
def test_a_change_far_away_in_the_same_piece_of_network_leaves_the_near_alone(
    data: st.DataObject, factor: float
) -> None:
    # Two neighbourhoods joined by a street of 5,000 m: all within one connected piece. The right one is rebuilt.
    left, right = data.draw(small_streets()), data.draw(small_streets())
    n, m = len(left.node_id), len(left.tail)
    both = with_paths(left, n + right.tail, n + right.head, right.node_xy + np.array([5000.0, 0.0]), highway="path")
    both = with_paths(both, left.tail[:1], n + right.tail[:1], NO_NEW_NODES, highway="path")
    both = replace(both, height_m=None)
    assert both.component[0] == both.component[m] == both.component[-1]
    far = (np.arange(len(both.tail)) >= m) & (np.arange(len(both.tail)) < len(both.tail) - 1)
    rebuilt = replace(both, length_m=np.where(far, both.length_m * factor, both.length_m))
    homes, doors = data.draw(joined(left)), data.draw(joined(left))
    limit = 2000.0  # less than the way to the other neighbourhood and back
    for unit in ("m", "s"):
        before = WalkNetwork(both).walk(ONE, unit=unit)
        after = WalkNetwork(rebuilt).walk(ONE, unit=unit)
        for one, other in zip(
            before.nearest(homes, doors, limit=limit), after.nearest(homes, doors, limit=limit), strict=True
        ):
            assert one.tobytes() == other.tobytes()
        for one, other in zip(
            before.pairs(homes, doors, limit=limit), after.pairs(homes, doors, limit=limit), strict=True
        ):
            assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(("walker", "unit", "less", "more"), [(None, "m", 50.0, 120.0), ("elder", "s", 60.0, 200.0)])
@given(data=st.data())
@FEW
def test_a_longer_limit_loses_no_home_and_changes_no_walk(
    walker: str | None, unit: Literal["m", "s"], less: float, more: float, data: st.DataObject
) -> None:
    streets = data.draw(small_streets())
    homes, doors = data.draw(joined(streets)), data.draw(joined(streets))
    walk = WalkNetwork(streets).walk(None if walker is None else WALKERS[walker], unit=unit)
    short, long = walk.nearest(homes, doors, limit=less)[0], walk.nearest(homes, doors, limit=more)[0]
    reached = ~np.isnan(short)
    np.testing.assert_array_equal(short[reached], long[reached])
    assert (np.isnan(long[~reached]) | (long[~reached] > less)).all()


@given(st.data())
@FEW
def test_another_numbering_changes_no_walk(data: st.DataObject) -> None:
    streets = data.draw(small_streets())
    homes, doors = data.draw(joined(streets)), data.draw(joined(streets))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    other, edge = renumbered(streets, rng)
    order = rng.permutation(len(doors.edge))

    def moved(joins: Joins) -> Joins:
        return replace(joins, edge=np.where(joins.edge < 0, -1, edge[joins.edge]))

    kinds: list[tuple[Walker | None, Literal["m", "s"]]] = [
        (None, "m"), (WALKERS["adult"], "s"), (WALKERS["wheelchair"], "s"),
    ]  # fmt: skip
    for walker, unit in kinds:
        walk = WalkNetwork(streets).walk(walker, unit=unit)
        again = WalkNetwork(other).walk(walker, unit=unit)
        there, _ = walk.nearest(homes, doors, limit=1e6)
        np.testing.assert_array_equal(there, again.nearest(moved(homes), moved(doors.take(order)), limit=1e6)[0])


def renumbered(streets: Streets, rng: np.random.Generator) -> tuple[Streets, np.ndarray]:
    """Return the same streets with nodes and edges in another order, and the new position of every edge."""
    node, edge = rng.permutation(len(streets.node_id)), rng.permutation(len(streets.tail))
    old_node, old_edge = np.argsort(node), np.argsort(edge)
    paths = [streets.coords[streets.offsets[e] : streets.offsets[e + 1]] for e in old_edge]
    heights = streets.height_m
    return replace(
        streets,
        node_id=streets.node_id[old_node],
        node_xy=streets.node_xy[old_node],
        signals=streets.signals[old_node],
        exits=streets.exits[old_node],
        height_m=None if heights is None else heights[old_node],
        tail=node[streets.tail[old_edge]],
        head=node[streets.head[old_edge]],
        coords=np.concatenate(paths),
        offsets=np.cumsum([0, *(len(path) for path in paths)]),
        length_m=streets.length_m[old_edge],
        oneway=streets.oneway[old_edge],
        highway=streets.highway[old_edge],
        way_id=streets.way_id[old_edge],
        raised=streets.raised[old_edge],
    ), edge


# Five services of either city that OpenStreetMap has, points and grounds among them.
SERVICES = {
    "chengdu/chengdu-centre.osm.pbf": ("bus_stop", "park", "hospital", "primary_school", "supermarket"),
    "porto-alegre/poa_osm.pbf": ("bus_stop", "square", "toilet", "metro", "convenience"),
}


@pytest.mark.realdata
@pytest.mark.parametrize("file", SERVICES)
def test_twenty_thousand_homes_and_five_services_agree_with_networkx(real_data: Path, file: str) -> None:
    osm = read_osm(real_data / file, load_catalogue())
    joiner = Joiner(osm.streets, osm.barriers.geometry.to_numpy())
    west, south, east, north = osm.extent.bounds
    rng = np.random.default_rng(4)
    drawn = joiner.join(rng.uniform((west, south), (east, north), (40_000, 2)))
    homes = drawn.take(np.concatenate([np.flatnonzero(drawn.joined)[:20_000], np.flatnonzero(~drawn.joined)[:200]]))
    assert homes.joined.sum() == 20_000
    walk = WalkNetwork(osm.streets).walk()
    for service in SERVICES[file]:
        doors = doors_of(osm, joiner, service)
        assert doors.joined.any(), service
        cost, _ = walk.nearest(homes, doors, limit=1e6)
        assert np.isfinite(cost).sum() > 10_000
        np.testing.assert_allclose(cost, oracle.nearest(osm.streets, homes, doors), atol=0.0051)  # NaN where NaN
