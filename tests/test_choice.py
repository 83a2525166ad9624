"""Several facilities per home: against all walks of NetworkX, facility by facility."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oracle
from livingcircle.choice import count_within, nearest_k
from livingcircle.joins import Joiner, Joins
from livingcircle.network import WalkNetwork
from livingcircle.walkers import WALKERS
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.osm import read_osm
from livingcircle_layers.streets import Streets
from test_network import joined, joins_at, small_streets
from towns import streets_of

FEW = settings(max_examples=60, deadline=None)
Owner = npt.NDArray[np.int64]


def facility_walks(pairs: dict[tuple[int, int], float], owner: Owner) -> dict[tuple[int, int], float]:
    """Return the walk from each home to each facility's nearest door."""
    best: dict[tuple[int, int], float] = {}
    for (home, door), walk in pairs.items():
        key = home, int(owner[door])
        best[key] = min(walk, best.get(key, np.inf))
    return best


def plain_count(walks: dict[tuple[int, int], float], homes: int, limit: float) -> list[int]:
    return [sum(1 for (home, _), walk in walks.items() if home == h and round(walk, 2) <= limit) for h in range(homes)]


def plain_nearest(walks: dict[tuple[int, int], float], homes: int, k: int, limit: float) -> list[list[float]]:
    return [
        sorted(round(w, 2) for (home, _), w in walks.items() if home == h and round(w, 2) <= limit)[:k]
        for h in range(homes)
    ]


def by_home(table: tuple[Owner, Owner, npt.NDArray[np.float64]], homes: int) -> list[list[float]]:
    return [table[2][table[0] == h].tolist() for h in range(homes)]


# Known answers --------------------------------------------------------------------------------------------------------

#   0 ──100── 1 ──100── 2
LINE = streets_of([(0, 0), (100, 0), (200, 0)], [(0, 1), (1, 2)])


def test_a_facility_with_two_doors_counts_once_at_its_nearest_door() -> None:
    walk = WalkNetwork(LINE).walk()
    homes, doors = joins_at((0, 0.5, 5)), joins_at((0, 0.1, 0), (1, 0.5, 0), (0, 0.7, 2))
    owner = np.array([7, 9, 7])
    assert count_within(walk, homes, doors, owner, limit=200.0).tolist() == [2]
    home, facility, cost = nearest_k(walk, homes, doors, owner, k=5, limit=200.0)
    assert (home.tolist(), facility.tolist(), cost.tolist()) == ([0, 0], [7, 9], [27.0, 105.0])


@pytest.mark.parametrize(("limit", "within"), [(104.99, 1), (105.0, 2)])
def test_limits_are_inclusive(limit: float, within: int) -> None:
    walk = WalkNetwork(LINE).walk()
    doors, owner = joins_at((0, 0.1, 0), (1, 0.5, 0)), np.array([0, 1])
    for homes in (joins_at((0, 0.5, 5)), joins_at((0, 0.5, 5), (0, 0.5, 5), (0, 0.5, 5))):
        assert set(count_within(walk, homes, doors, owner, limit=limit)) == {within}
        assert len(nearest_k(walk, homes, doors, owner, k=2, limit=limit)[0]) == within * len(homes.edge)


@pytest.mark.parametrize(("leg_m", "within"), [(5.004, 2), (5.006, 1)])
def test_walks_are_compared_to_the_centimetre(leg_m: float, within: int) -> None:
    walk, doors, owner = WalkNetwork(LINE).walk(), joins_at((0, 0.1, 0), (1, 0.5, 0)), np.array([0, 1])
    for homes in (joins_at((0, 0.5, leg_m)), joins_at(*[(0, 0.5, leg_m)] * 3)):
        assert set(count_within(walk, homes, doors, owner, limit=105.0)) == {within}


def test_doors_on_a_street_longer_than_the_limit_are_met_along_it() -> None:
    long = streets_of([(0, 0), (5000, 0)], [(0, 1)])
    homes, doors = joins_at((0, 0.5, 0)), joins_at((0, 0.49, 0), (0, 0.53, 0), (0, 0.9, 0))
    walk, owner = WalkNetwork(long).walk(), np.array([0, 1, 2])
    twice = homes.take(np.zeros(9, dtype=np.int64))  # more homes than facilities, so that searches run from those
    assert count_within(walk, homes, doors, owner, limit=300.0).tolist() == [2]
    assert count_within(walk, twice, doors, owner, limit=300.0).tolist() == [2] * 9
    assert nearest_k(walk, homes, doors, owner, k=3, limit=300.0)[2].tolist() == [50.0, 150.0]


def test_of_equally_near_facilities_the_smaller_number_comes_first_and_stays() -> None:
    doors = joins_at((1, 0.5, 0), (1, 0.5, 0), (1, 0.5, 0))
    for owner in ([3, 1, 2], [1, 2, 3], [2, 3, 1]):
        table = nearest_k(WalkNetwork(LINE).walk(), joins_at((0, 0.5, 0)), doors, np.array(owner), k=2, limit=1e3)
        assert table[1].tolist() == [1, 2]


def test_places_that_are_not_joined_reach_nothing_and_are_not_reached() -> None:
    walk, lost = WalkNetwork(LINE).walk(), joins_at((-1, 0, 0))
    here = joins_at((0, 0.5, 0))
    one = np.array([0])
    assert count_within(walk, lost, here, one, limit=1e3).tolist() == [0]
    assert count_within(walk, here, lost, one, limit=1e3).tolist() == [0]
    assert count_within(walk, here, joins_at(), one[:0], limit=1e3).tolist() == [0]
    for homes, doors in ((lost, here), (here, lost)):
        assert [len(column) for column in nearest_k(walk, homes, doors, one, k=1, limit=1e3)] == [0, 0, 0]


def test_one_way_streets_lead_from_the_home_to_the_facility() -> None:
    streets = streets_of([(0, 0), (100, 0)], [(0, 1), (1, 0)], via={1: [(100, -100), (0, -100)]}, oneway=[0])
    walk, west, east = WalkNetwork(streets).walk(), joins_at((0, 0.2, 0)), joins_at((0, 0.7, 0))
    assert nearest_k(walk, west, east, np.array([0]), k=1, limit=1e3)[2].tolist() == [50.0]
    assert nearest_k(walk, east, west, np.array([0]), k=1, limit=1e3)[2].tolist() == [350.0]
    assert count_within(walk, east, west, np.array([0]), limit=349.0).tolist() == [0]


def test_many_facilities_on_the_street_of_a_home_come_in_the_order_of_their_walks() -> None:
    # 60 facilities every 2 m along a street of 128 m, numbered at random, and the home in its middle
    number = np.random.default_rng(1).permutation(60)
    walk = WalkNetwork(streets_of([(0, 0), (128, 0)], [(0, 1)])).walk()
    home, doors = joins_at((0, 0.5, 0)), joins_at(*((0, (at + 2) / 64, 0) for at in range(60)))
    ordered = sorted((abs(2.0 * (at + 2) - 64), int(facility)) for at, facility in enumerate(number))
    for k in (1, 3, 60, 99):
        table = nearest_k(walk, home, doors, number, k=k, limit=1e3)
        assert list(zip(table[2].tolist(), table[1].tolist(), strict=True)) == ordered[:k]
    assert count_within(walk, home, doors, number, limit=10.0).tolist() == [11]  # 0, and 2 to 10 m to both sides


def test_faults_of_the_caller_are_named() -> None:
    walk, here = WalkNetwork(LINE).walk(), joins_at((0, 0.5, 0))
    with pytest.raises(ValueError, match="each of the 1 doors, got 2"):
        count_within(walk, here, here, np.array([0, 1]), limit=1.0)
    with pytest.raises(ValueError, match="k must be 1 or more, got 0"):
        nearest_k(walk, here, here, np.array([0]), k=0, limit=1.0)


# Against NetworkX -----------------------------------------------------------------------------------------------------


@given(st.data(), st.integers(1, 4), st.sampled_from([25.0, 60.0, 1e6]))
@FEW
def test_choice_agrees_with_networkx(data: st.DataObject, k: int, limit: float) -> None:
    streets = data.draw(small_streets())
    homes, doors = data.draw(joined(streets)), data.draw(joined(streets))
    owner = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(doors.edge), max_size=len(doors.edge))))
    network = WalkNetwork(streets)
    for walk, options in (
        (network.walk(), {}),
        (network.walk(WALKERS["adult"], unit="s"), {"walker": WALKERS["adult"], "seconds": True}),
    ):
        walks = facility_walks(oracle.pairs(streets, homes, doors, **options), owner)
        n = len(homes.edge)
        # The limit itself may be met to the last digit; tests of it stand above.
        sharp = [h for h in range(n) if any(abs(w - limit) < 0.011 for (home, _), w in walks.items() if home == h)]
        counted, few = plain_count(walks, n, limit), count_within(walk, homes, doors, owner, limit=limit)
        many = count_within(walk, repeated(homes, 9), doors, owner, limit=limit)[:n]
        table = nearest_k(walk, homes, doors, owner, k=k, limit=limit)
        chosen = by_home(table, n)
        for h, expected in enumerate(plain_nearest(walks, n, k, limit)):
            if h not in sharp:
                assert few[h] == many[h] == counted[h]
                assert chosen[h] == pytest.approx(expected, abs=0.0101)
        for h, f, cost in zip(*table, strict=True):
            assert walks[int(h), int(f)] == pytest.approx(cost, abs=0.0051)
        assert len(set(zip(table[0].tolist(), table[1].tolist(), strict=True))) == len(table[0])
        assert all(row == sorted(row) for row in chosen)
        assert (np.diff(table[0]) >= 0).all()


def repeated(homes: Joins, times: int) -> Joins:
    return homes.take(np.tile(np.arange(len(homes.edge)), times))


# Real cities ----------------------------------------------------------------------------------------------------------


@pytest.mark.realdata
def test_chengdu_agrees_with_all_pairs(real_data: Path) -> None:
    osm = read_osm(real_data / "chengdu" / "chengdu-centre.osm.pbf", load_catalogue())
    streets: Streets = osm.streets
    joiner = Joiner(streets, osm.barriers.geometry.to_numpy())
    west, south, east, north = osm.extent.bounds
    rng = np.random.default_rng(4)
    homes = joiner.join(rng.uniform((west, south), (east, north), (1500, 2)))
    doors = joiner.join(rng.uniform((west, south), (east, north), (600, 2)))
    owner = rng.integers(0, 250, 600)
    walk = WalkNetwork(streets).walk()
    home, door, cost = walk.pairs(homes, doors, limit=1250.0)
    walks = facility_walks(dict(zip(zip(home.tolist(), door.tolist(), strict=True), cost.tolist(), strict=True)), owner)
    expected = np.zeros(1500, dtype=np.int64)
    ranked: list[list[float]] = [[] for _ in range(1500)]
    for (h, _), metres in walks.items():
        expected[h] += 1
        ranked[h].append(metres)
    assert expected.max() > 10
    np.testing.assert_array_equal(count_within(walk, homes, doors, owner, limit=1250.0), expected)
    np.testing.assert_array_equal(
        count_within(walk, homes.take(np.arange(200)), doors, owner, limit=1250.0), expected[:200]
    )
    for k in (1, 3, 250):
        chosen = by_home(nearest_k(walk, homes, doors, owner, k=k, limit=1250.0), 1500)
        for h in range(1500):
            assert chosen[h] == pytest.approx(sorted(ranked[h])[:k], abs=0.0101)
    single, _ = walk.nearest(homes, doors, limit=1250.0)
    nearest = nearest_k(walk, homes, doors, owner, k=1, limit=1250.0)
    np.testing.assert_array_equal(nearest[2], single[nearest[0]])
    assert len(nearest[0]) == np.isfinite(single).sum()
