"""What holds of every network: more streets, more time or faster feet never lengthen a walk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

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
from test_network import FEW, joined, small_streets
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


@pytest.mark.realdata
@pytest.mark.parametrize("file", ["chengdu/chengdu-centre.osm.pbf", "porto-alegre/poa_osm.pbf"])
def test_twenty_thousand_homes_and_five_services_agree_with_networkx(real_data: Path, file: str) -> None:
    osm = read_osm(real_data / file, load_catalogue())
    joiner = Joiner(osm.streets, osm.barriers.geometry.to_numpy())
    west, south, east, north = osm.extent.bounds
    rng = np.random.default_rng(4)
    homes = joiner.join(rng.uniform((west, south), (east, north), (20_000, 2)))
    assert homes.joined.sum() > 15_000
    walk = WalkNetwork(osm.streets).walk()
    for count in (3, 20, 100, 500, 2000):
        doors = joiner.join(rng.uniform((west, south), (east, north), (count, 2)))
        assert doors.joined.any()
        cost, _ = walk.nearest(homes, doors, limit=1e6)
        np.testing.assert_allclose(cost, oracle.nearest(osm.streets, homes, doors), atol=0.0051)  # NaN where NaN
