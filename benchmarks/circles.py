"""Circles of 5, 10 and 15 minutes: livingcircle against the way of OSMnx's isochrone example, in one run.

    LIVINGCIRCLE_DATA=../shared/data python benchmarks/circles.py [origins] [communities]

Porto as OSMnx holds it, a graph whose nodes are the junctions, and the same streets as a livingcircle network. From the
same origins at junctions, OSMnx's example takes the part of the graph within the minutes (`ego_graph` by travel time),
buffers its nodes and edges, and unites them, once per band. Both are given the same speed and no waits. Before any
figure is printed, the nodes that the example reaches must lie in our circles to a cell, and the start in both.
"""

from __future__ import annotations

import sys
import time

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely
from _porto import machine, porto

from livingcircle.circles import CELL_M, CircleGrid, bands_around, circles
from livingcircle.joins import Joins
from livingcircle.network import WalkNetwork
from livingcircle.walkers import Walker

MINUTES = (5.0, 10.0, 15.0)
WALKER = Walker(name="plain", speed_m_s=1.25, steps_speed_m_s=1.25, signal_wait_s=0)
NODE_BUFFER_M, EDGE_BUFFER_M = 50.0, 25.0  # as in the example


def main() -> None:
    """Print one line per tool, and the ratio."""
    origins = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    communities = int(sys.argv[2]) if len(sys.argv) > 2 else 4351
    extract = porto()
    streets, barriers = extract.streets, extract.barriers.geometry.to_numpy()
    network = WalkNetwork(streets)
    ours = CircleGrid(network, barriers)
    random = np.random.default_rng(3)
    main_part = np.flatnonzero((streets.component == 0) & ~streets.raised)
    edges = random.choice(main_part, communities, replace=False)
    joins = Joins(edges, np.zeros(communities), np.zeros(communities), np.full(communities, "", dtype=object))
    xy = streets.node_xy[streets.tail[edges]]
    options = {"limits": MINUTES, "unit": "min", "walker": WALKER}
    few = np.arange(origins)
    circles(ours, xy[few], joins.take(few), **options)  # compiles, and surveys the ground around these origins

    single, drawn = [], []
    walk, limits = network.walk(WALKER, unit="s"), 60 * np.array(MINUTES)
    for n in few:
        start = time.perf_counter()
        drawn.append(bands_around(ours, walk, xy[[n]], joins.take(np.array([n])), limits))
        single.append(time.perf_counter() - start)
    graph = as_graph(streets)
    theirs, reached = [], []
    for n in few:
        start = time.perf_counter()
        bands, nodes = example(graph, int(streets.tail[edges[n]]))
        theirs.append(time.perf_counter() - start)
        reached.append(nodes)
        for circle, band, inside, minutes in zip(drawn[n], bands, nodes, MINUTES, strict=True):
            assert shapely.intersects_xy(circle, *xy[n])
            assert shapely.intersects_xy(band, *xy[n])
            sure = [i for i, seconds in inside.items() if seconds <= minutes * 60 - CELL_M / WALKER.speed_m_s]
            assert shapely.intersects_xy(circle, streets.node_xy[sure]).all()
    fresh = CircleGrid(network, barriers)
    start = time.perf_counter()
    table = circles(fresh, xy, joins, **options)
    all_s = time.perf_counter() - start
    print(machine("osmnx", "networkx", "shapely"))
    print(f"Porto: {len(streets.node_id):,} junctions, {len(streets.tail):,} edges; 5, 10 and 15 minutes at 1.25 m/s")
    print(f"livingcircle   {np.median(single) * 1e3:8.2f} ms per origin, three bands with holes (median of {origins})")
    print(f"OSMnx example  {np.median(theirs) * 1e3:8.2f} ms per origin, three bands (median of {origins})")
    print(f"OSMnx example / livingcircle: {np.median(theirs) / np.median(single):.0f}")
    print(
        f"{communities:,} communities × {len(MINUTES)} bands, ground surveyed: {all_s:.1f} s ({len(table):,} circles)"
    )


def as_graph(streets) -> nx.MultiDiGraph:
    """Return the streets as OSMnx holds them: both ways, geometry and minutes on every edge."""
    graph = nx.MultiDiGraph()
    for n, (x, y) in enumerate(streets.node_xy.tolist()):
        graph.add_node(n, x=x, y=y)
    minutes = streets.length_m / WALKER.speed_m_s / 60
    for tail, head, line, time_, oneway in zip(
        streets.tail.tolist(), streets.head.tolist(), streets.lines, minutes.tolist(), streets.oneway, strict=True
    ):
        graph.add_edge(tail, head, geometry=line, time=time_)
        if not oneway:
            graph.add_edge(head, tail, geometry=line, time=time_)
    return graph


def example(graph, start):
    """Return the bands of the example's second way, and each band's nodes with their seconds."""
    bands, nodes = [], []
    for minutes in sorted(MINUTES, reverse=True):
        part = nx.ego_graph(graph, start, radius=minutes, distance="time")
        points = gpd.GeoSeries(shapely.points([(d["x"], d["y"]) for _, d in part.nodes(data=True)]))
        lines = gpd.GeoSeries([d["geometry"] for _, _, d in part.edges(data=True)])
        shapes = [*points.buffer(NODE_BUFFER_M), *lines.buffer(EDGE_BUFFER_M)]
        whole = gpd.GeoSeries(shapes).union_all()
        bands.append(shapely.MultiPolygon([shapely.Polygon(p.exterior) for p in shapely.get_parts(whole)]))
        nodes.append(part.nodes)
    seconds = {n: 60 * m for n, m in nx.single_source_dijkstra_path_length(
        graph, start, cutoff=max(MINUTES), weight="time").items()}  # fmt: skip
    return bands[::-1], [{n: seconds[n] for n in some} for some in nodes[::-1]]


if __name__ == "__main__":
    main()
