"""From an OpenStreetMap file to a network that is ready to be searched, against a bare pass that only counts objects.

LIVINGCIRCLE_DATA=../shared/data python benchmarks/reading.py
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import osmium
from _porto import machine

from livingcircle.network import WalkNetwork

ROUNDS = 5


def bare(path: Path) -> tuple[int, int, int]:
    """Count nodes, ways and relations, nothing else."""
    nodes = ways = relations = 0
    for item in osmium.FileProcessor(str(path)):
        if item.is_node():
            nodes += 1
        elif item.is_way():
            ways += 1
        else:
            relations += 1
    return nodes, ways, relations


def main() -> None:
    """Print the median of the paired ratios."""
    path = Path(os.environ["LIVINGCIRCLE_DATA"]) / "porto" / "porto_portugal.osm.pbf"
    ratios, ours, theirs = [], [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        counted = bare(path)
        theirs.append(time.perf_counter() - start)
        start = time.perf_counter()
        walk = WalkNetwork.from_osm(path).walk()
        edges = len(walk.arcs_against.head)
        ours.append(time.perf_counter() - start)
        ratios.append(ours[-1] / theirs[-1])
    print(machine("osmium"))
    print(f"{path.name}: {counted[0]:,} nodes, {counted[1]:,} ways, {counted[2]:,} relations; {edges:,} arcs")
    print(f"bare pass {statistics.median(theirs):.2f} s, ready network {statistics.median(ours):.2f} s")
    print(f"ready network / bare pass: {statistics.median(ratios):.1f} ({min(ratios):.1f}–{max(ratios):.1f})")


if __name__ == "__main__":
    main()
