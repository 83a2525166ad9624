"""Number of facilities within 1,250 m of a million homes: livingcircle against pandana, in one run.

    pip install pandana
    LIVINGCIRCLE_DATA=../shared/data python benchmarks/choice.py [copies of Porto]

50,000 facilities and 1,000,000 homes at nodes. pandana counts by `aggregate` after `precompute`. Lengths are whole
quarters of a metre, so that no tool rounds, and all counts are equal before any figure is printed.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd
from _porto import LIMIT_M, machine, nodes_alone, pandana_network, porto, snapped, tiled

from livingcircle.choice import count_within
from livingcircle.network import WalkNetwork

HOMES, FACILITIES = 1_000_000, 50_000


def main() -> None:
    """Print one line per tool, and the ratio."""
    copies = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    between, streets, every = snapped(tiled(porto().streets, copies))
    n = len(streets.node_id)
    random = np.random.default_rng(1)
    alone = nodes_alone(streets)
    homes, places = random.choice(alone, HOMES), random.choice(alone, FACILITIES, replace=False)
    owner = np.arange(FACILITIES)
    count_within(WalkNetwork(between).walk(), every.take(homes[:10]), every.take(places[:10]), owner[:10], limit=1.0)

    start = time.perf_counter()
    walk = WalkNetwork(between).walk()
    ours = count_within(walk, every.take(homes), every.take(places), owner, limit=LIMIT_M)
    ours_s = time.perf_counter() - start

    network, built = pandana_network(streets)
    start = time.perf_counter()
    network.precompute(LIMIT_M)
    precomputed = time.perf_counter() - start
    start = time.perf_counter()
    network.set(pd.Series(places), variable=pd.Series(np.ones(FACILITIES)), name="all")
    theirs = network.aggregate(LIMIT_M, type="sum", decay="flat", name="all").to_numpy()[homes]
    aggregated = time.perf_counter() - start
    np.testing.assert_array_equal(ours, np.rint(theirs))

    print(machine("pandana"))
    print(f"{copies} × Porto: {n:,} nodes; {HOMES:,} homes, {FACILITIES:,} facilities within {LIMIT_M:g} m")
    print(f"livingcircle  count {ours_s:.1f} s")
    total = built + precomputed + aggregated
    print(f"pandana       build {built:.1f} s, precompute {precomputed:.1f} s, aggregate {aggregated:.1f} s")
    print(f"pandana / livingcircle: {total / ours_s:.1f}; all counts are equal")


if __name__ == "__main__":
    main()
