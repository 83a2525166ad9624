"""Nearest facility for every node: livingcircle against pandana and NetworkX, in one run.

    pip install pandana
    LIVINGCIRCLE_DATA=../shared/data python benchmarks/nearest.py [copies of Porto]

Ready arrays in, 20 services of 2,000 facilities each at nodes, nearest within 1,250 m for every node. Lengths are whole
quarters of a metre, so that no tool rounds, and all answers are equal before any figure is printed.

livingcircle runs twice: on its own arrays, where only junctions are nodes and vertices are places along edges (its
reader makes them so; `reading.py` times that), and on the very network that pandana gets, every vertex a node.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import networkx as nx
import numpy as np
import pandas as pd
from _porto import LIMIT_M, at_nodes, machine, nodes_alone, pandana_network, porto, snapped, tiled

from livingcircle.network import WalkNetwork

SERVICES, FACILITIES = 20, 2000


def main() -> None:
    """Print one line per tool, and the ratios."""
    copies = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    between, streets, every = snapped(tiled(porto().streets, copies))
    n = len(streets.node_id)
    random = np.random.default_rng(1)
    alone = nodes_alone(streets)
    places = [random.choice(alone, FACILITIES, replace=False) for _ in range(SERVICES)]
    joined = [every.take(nodes) for nodes in places]
    WalkNetwork(between).walk().nearest(every, joined[0], limit=1.0)  # compiles, or loads what was compiled

    ours, built, searched = run_ours(between, joined, every)
    nodes = at_nodes(streets)
    plain, plain_built, plain_searched = run_ours(streets, [nodes.take(at) for at in places], nodes)
    for a, b in zip(ours, plain, strict=True):
        np.testing.assert_array_equal(a, b)
    walk = WalkNetwork(between).walk()
    start = time.perf_counter()
    walk.nearest(every, joined[0], limit=LIMIT_M)
    alone_s = time.perf_counter() - start

    theirs, pandana_built, pandana_searched = run_pandana(streets, places)
    for a, b in zip(ours, theirs, strict=True):
        # pandana keeps whole millimetres and says the limit where nothing is reached; ours is rounded to centimetres.
        np.testing.assert_allclose(np.where(np.isfinite(a), a, LIMIT_M), b, rtol=0, atol=0.0011)
        np.testing.assert_array_equal(np.isfinite(a), b < LIMIT_M - 0.01)

    networkx_one = run_networkx(streets, places[0], ours[0])
    print(machine("pandana", "networkx"))
    print(f"{copies} × Porto: {n:,} nodes, {len(streets.tail):,} pieces, {len(between.tail):,} edges between junctions")
    print(f"{SERVICES} services × {FACILITIES:,} facilities, nearest within {LIMIT_M:g} m for every node")
    print(f"livingcircle  build {built:8.3f} s   search {searched:8.3f} s   per service {searched / SERVICES:8.4f} s")
    print(
        f"pandana       build {pandana_built:8.3f} s   search {pandana_searched:8.3f} s"
        f"   per service {pandana_searched / SERVICES:8.4f} s"
    )
    print(
        f"  every vertex a node: build {plain_built:8.3f} s   search {plain_searched:8.3f} s"
        f"   per service {plain_searched / SERVICES:8.4f} s"
    )
    print(f"livingcircle  one service on one core {alone_s:8.4f} s")
    print(f"networkx      per service {networkx_one:8.3f} s (graph ready)")
    end_to_end = (pandana_built + pandana_searched) / (built + searched)
    print(f"pandana / livingcircle: end to end {end_to_end:.1f}, per service {pandana_searched / searched:.1f}")
    plain_whole = (pandana_built + pandana_searched) / (plain_built + plain_searched)
    print(f"  every vertex a node: end to end {plain_whole:.1f}, per service {pandana_searched / plain_searched:.1f}")
    print(f"networkx / livingcircle: per service {networkx_one / (searched / SERVICES):.0f}")


def run_ours(streets, doors, nodes):
    """Return our answers, the time to build the search arrays, and the time for all services."""
    start = time.perf_counter()
    walk = WalkNetwork(streets).walk()
    walk.arcs_against  # noqa: B018  built when first asked for
    built = time.perf_counter() - start
    start = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = list(pool.map(lambda at: walk.nearest(nodes, at, limit=LIMIT_M)[0], doors))
    return answers, built, time.perf_counter() - start


def run_pandana(streets, places):
    """Return pandana's answers, its building time, and its time for all services."""
    network, built = pandana_network(streets)
    x, y = (pd.Series(values) for values in streets.node_xy.T)
    start = time.perf_counter()
    answers = []
    for i, at in enumerate(places):
        network.set_pois(f"s{i}", LIMIT_M, 1, x.iloc[at], y.iloc[at])
        answers.append(network.nearest_pois(LIMIT_M, f"s{i}", num_pois=1)[1].to_numpy())
    return answers, built, time.perf_counter() - start


def run_networkx(streets, at, ours):
    """Return the time of NetworkX's multi-source Dijkstra for one service, after comparing its answers."""
    graph = nx.Graph()
    order = np.argsort(-streets.length_m)  # of parallel edges the shortest stays
    graph.add_weighted_edges_from(
        zip(streets.tail[order].tolist(), streets.head[order].tolist(), streets.length_m[order].tolist(), strict=True)
    )
    start = time.perf_counter()
    found = nx.multi_source_dijkstra_path_length(graph, set(at.tolist()), cutoff=LIMIT_M)
    elapsed = time.perf_counter() - start
    nodes = np.fromiter(found.keys(), dtype=np.int64)
    np.testing.assert_allclose(ours[nodes], np.fromiter(found.values(), dtype=float), rtol=0, atol=0.0011)
    assert np.isfinite(ours).sum() == len(nodes)
    return elapsed


if __name__ == "__main__":
    main()
