"""Joining one million homes to about a million nodes of streets, with all barriers, then 20 services.

    LIVINGCIRCLE_DATA=../shared/data python benchmarks/joins.py [copies of Porto]

Porto tiled side by side; homes lie around the streets, up to 300 m from them. The barriers are those of the file, tiled
too, and made walls: every tenth street has a wall beside it, which turns homes to their next nearest street.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import shapely
from _porto import machine, porto, tiled

from livingcircle.joins import Joiner
from livingcircle.network import WalkNetwork

HOMES, SERVICES, FACILITIES, LIMIT_M = 1_000_000, 20, 2000, 1250.0


def main() -> None:
    """Print seconds and peak memory of each stage."""
    copies = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    extract = porto()
    streets = tiled(extract.streets, copies)
    random = np.random.default_rng(1)
    walls = shapely.offset_curve(streets.lines[::10], 8.0)
    width = np.ptp(extract.streets.node_xy[:, 0]) + 1000.0
    barriers = np.concatenate(
        [
            walls[~shapely.is_empty(walls)],
            *(
                shapely.transform(extract.barriers.geometry.to_numpy(), lambda xy, k=k: xy + np.array([width * k, 0.0]))
                for k in range(copies)
            ),
        ]
    )
    near = streets.coords[random.integers(0, len(streets.coords), HOMES)]
    homes = near + random.normal(0, 40.0, (HOMES, 2))
    start = time.perf_counter()
    joiner = Joiner(streets, barriers)
    built = time.perf_counter() - start
    start = time.perf_counter()
    joined = joiner.join(homes)
    join_s = time.perf_counter() - start
    doors = [joiner.join(homes[random.integers(0, HOMES, FACILITIES)]) for _ in range(SERVICES)]
    walk = WalkNetwork(streets).walk()
    walk.nearest(joined, doors[0], limit=1.0)
    start = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda d: walk.nearest(joined, d, limit=LIMIT_M)[0], doors))
    search_s = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    vertices = len(streets.coords) - len(streets.tail) + len(streets.node_id)
    print(machine("shapely"))
    print(f"{copies} × Porto: {len(streets.tail):,} edges, {vertices:,} street points; {len(barriers):,} barriers")
    print(f"index {built:.1f} s; {HOMES:,} homes joined in {join_s:.1f} s, {joined.joined.mean():.1%} of them")
    print(f"{SERVICES} services × {FACILITIES:,} facilities, nearest for every home: {search_s:.1f} s")
    print(f"reached {np.mean([np.isfinite(f).mean() for f in found]):.0%}; peak memory {peak:.1f} GB")


if __name__ == "__main__":
    main()
