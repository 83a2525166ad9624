"""Networks from and to OSMnx and NetworkX: the same distances on both sides, and people walk both ways."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import osmnx as ox
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from livingcircle.exchange import from_osmnx, to_networkx
from livingcircle.network import WalkNetwork
from livingcircle_layers.errors import InputError
from livingcircle_layers.streets import Streets
from test_network import joins_at, small_streets
from towns import lonlat, streets_of

FEW = settings(max_examples=60, deadline=None)


def walks(streets: Streets) -> dict[tuple[int, int], float]:
    """Return the walk between all nodes that reach each other, by id."""
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(streets.node_id.tolist())
    for e in range(len(streets.tail)):
        u, v = int(streets.node_id[streets.tail[e]]), int(streets.node_id[streets.head[e]])
        graph.add_edge(u, v, weight=streets.length_m[e])
        if not streets.oneway[e]:
            graph.add_edge(v, u, weight=streets.length_m[e])
    return {(u, v): d for u, found in nx.all_pairs_dijkstra_path_length(graph) for v, d in found.items()}


def osmnx_graph(*edges: tuple[int, int, dict[str, Any]], crs: str = "EPSG:4326") -> nx.MultiDiGraph:
    """Return a graph as OSMnx builds it, on four corners of a rectangle of 100 m × 50 m."""
    graph = nx.MultiDiGraph(crs=crs)
    for node, place in {1: (0, 0), 2: (100, 0), 3: (100, 50), 4: (0, 50)}.items():
        x, y = lonlat(*place)
        graph.add_node(node, x=x, y=y)
    for u, v, tags in edges:
        graph.add_edge(u, v, **tags)
    return graph


def one_edge(**tags: Any) -> Streets:
    return from_osmnx(osmnx_graph((1, 2, tags))).streets


# From OSMnx -----------------------------------------------------------------------------------------------------------


def test_both_directions_become_one_two_way_street() -> None:
    bend = shapely.LineString([lonlat(0, 0), lonlat(50, 30), lonlat(100, 0)])
    streets = from_osmnx(
        osmnx_graph(
            (1, 2, {"osmid": 9, "highway": "footway"}), (2, 1, {"osmid": 9, "highway": "footway"}),
            (1, 2, {"osmid": 8, "geometry": bend}), (2, 1, {"osmid": 8, "geometry": bend.reverse()}),
            (2, 3, {"osmid": 7}),
        )
    ).streets  # fmt: skip
    assert len(streets.tail) == 3
    assert not streets.oneway.any()
    assert sorted(streets.length_m.round(2)) == [50.0, 100.0, 116.62]
    assert sorted(streets.way_id) == [7, 8, 9]
    assert walks(streets)[3, 1] == pytest.approx(150.0, abs=0.01)


def test_a_direction_that_cars_lack_is_walked() -> None:
    streets = one_edge(oneway=True, highway="residential")
    assert walks(streets)[2, 1] == pytest.approx(100.0, abs=0.01)


@pytest.mark.parametrize(
    ("tags", "ways"),
    [
        ({"oneway:foot": "yes"}, {(1, 2)}),
        ({"oneway:foot": "-1"}, {(2, 1)}),
        ({"oneway:foot": "yes", "reversed": True}, {(2, 1)}),
        ({"oneway:foot": "-1", "reversed": True}, {(1, 2)}),
        ({"oneway:foot": "yes", "reversed": [True, False]}, {(1, 2), (2, 1)}),
        ({"oneway:foot": "no"}, {(1, 2), (2, 1)}),
        ({"conveying": "forward"}, {(1, 2)}),
        ({"conveying": "backward"}, {(2, 1)}),
    ],
)
def test_people_on_foot_are_bound_by_their_own_tags(tags: dict[str, Any], ways: set[tuple[int, int]]) -> None:
    assert {pair for pair in walks(one_edge(**tags)) if pair[0] != pair[1]} == ways
    both = [(1, 2, tags), (2, 1, {**tags, "reversed": not tags.get("reversed", False)})]
    if not isinstance(tags.get("reversed"), list):  # an OSMnx walk graph holds both directions all the same
        streets = from_osmnx(osmnx_graph(*both)).streets
        assert len(streets.tail) == 1
        assert {pair for pair in walks(streets) if pair[0] != pair[1]} == ways


def test_geometry_drawn_against_the_edge_is_turned() -> None:
    bend = shapely.LineString([lonlat(100, 0), lonlat(90, 30), lonlat(0, 0)])
    streets = one_edge(geometry=bend, **{"oneway:foot": "yes"})
    assert streets.node_id[streets.tail].tolist() == [1]
    np.testing.assert_allclose(streets.coords[0], streets.node_xy[streets.tail[0]], atol=1e-6)


@pytest.mark.parametrize(
    ("tags", "highway", "way", "raised"),
    [
        ({"highway": "path", "osmid": 5, "bridge": "yes"}, "path", 5, True),
        ({"highway": "path", "osmid": 5, "tunnel": "building_passage"}, "path", 5, False),
        ({"highway": ["path", "steps"], "osmid": [7, 5], "bridge": "yes"}, "steps", 5, False),
        ({"highway": ["path", "footway"], "osmid": [7, 5], "tunnel": "yes"}, "path", 5, False),
        ({}, "", -1, False),
    ],
)
def test_tags_of_merged_edges(tags: dict[str, Any], highway: str, way: int, raised: bool) -> None:
    streets = one_edge(**tags)
    assert (streets.highway.tolist(), streets.way_id.tolist(), streets.raised.tolist()) == ([highway], [way], [raised])


def test_projected_graphs_are_measured_on_the_ellipsoid() -> None:
    graph = osmnx_graph((1, 2, {}), (2, 3, {}))
    mercator = ox.project_graph(graph, to_crs="EPSG:3857")  # its metres are 15 % too long here
    utm = ox.project_graph(graph)
    for other in (mercator, utm):
        np.testing.assert_allclose(sorted(from_osmnx(other).streets.length_m), [50.0, 100.0], atol=1e-3)


def test_streets_that_osmnx_counted_outside_are_exits() -> None:
    graph = osmnx_graph((1, 2, {}), (2, 1, {}), (2, 3, {}), (3, 2, {}), (4, 4, {"geometry": loop()}))
    for node, streets in {1: 1, 2: 4, 3: 1, 4: 3}.items():
        graph.nodes[node]["street_count"] = streets
    found = from_osmnx(graph).streets
    assert found.node_id[found.exits].tolist() == [2, 4]
    graph.nodes[2]["highway"] = "traffic_signals"
    found = from_osmnx(graph).streets
    assert found.node_id[found.signals].tolist() == [2]


def loop() -> shapely.LineString:
    return shapely.LineString([lonlat(0, 50), lonlat(0, 90), lonlat(-40, 90), lonlat(0, 50)])


def test_nodes_of_any_kind_are_numbered() -> None:
    graph = nx.relabel_nodes(osmnx_graph((1, 2, {}), (2, 3, {})), {1: "a", 2: "b", 3: ("c", 1)})
    assert from_osmnx(graph).streets.node_id.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda g: g.graph.pop("crs"), "the graph has no CRS"),
        (lambda g: g.remove_edge(1, 2), "the graph has no edges"),
        (lambda g: g.nodes[2].pop("x"), "1 nodes of the graph have no place; got the first is 2"),
    ],
)
def test_graphs_that_cannot_be_used_are_refused(spoil: Any, message: str) -> None:
    graph = osmnx_graph((1, 2, {}))
    spoil(graph)
    with pytest.raises(InputError, match=message):
        WalkNetwork.from_osmnx(graph)


# To NetworkX and back -------------------------------------------------------------------------------------------------


@given(st.data())
@FEW
def test_shortest_paths_are_the_same_on_both_sides(data: st.DataObject) -> None:
    streets = data.draw(small_streets())
    graph = to_networkx(WalkNetwork(streets))
    expected = walks(streets)
    used = {int(n) for n in streets.node_id[np.r_[streets.tail, streets.head]]}
    there = {
        (u, v): d for u, found in nx.all_pairs_dijkstra_path_length(graph, weight="length") for v, d in found.items()
    }
    assert there == pytest.approx(expected)
    back = walks(from_osmnx(graph).streets)
    assert back == pytest.approx({k: v for k, v in expected.items() if set(k) <= used}, abs=1e-5)


def test_what_osmnx_needs_is_there(tmp_path: Path) -> None:
    streets = streets_of([(0, 0), (100, 0), (100, 50)], [(0, 1), (1, 2)], oneway=[1], steps=[1], raised=[0])
    graph = WalkNetwork(streets).to_networkx()
    assert graph.graph["crs"] == "EPSG:4326"
    assert {(u, v): (d["highway"], d["oneway"], d["reversed"], d["osmid"]) for u, v, d in graph.edges(data=True)} == {
        (1, 2): ("residential", False, False, 1),
        (2, 1): ("residential", False, True, 1),
        (2, 3): ("steps", True, False, 2),
    }
    assert [graph.nodes[n]["street_count"] for n in (1, 2, 3)] == [1, 2, 1]
    _, edges = ox.graph_to_gdfs(graph)
    assert edges.geometry.geom_type.eq("LineString").all()
    nearest = ox.distance.nearest_nodes(ox.project_graph(graph), *streets_of_xy(graph, 3))
    assert nearest == 3
    ox.save_graphml(graph, tmp_path / "g.graphml")
    again = from_osmnx(ox.load_graphml(tmp_path / "g.graphml")).streets
    assert again.raised.tolist() == from_osmnx(graph).streets.raised.tolist()
    assert walks(again) == pytest.approx(walks(streets), abs=1e-5)


def streets_of_xy(graph: nx.MultiDiGraph, node: int) -> tuple[float, float]:
    projected = ox.project_graph(graph)
    return projected.nodes[node]["x"], projected.nodes[node]["y"]


def test_heights_signals_and_exits_survive() -> None:
    from dataclasses import replace

    plain = streets_of([(0, 0), (100, 0), (100, 50)], [(0, 1), (1, 2)])
    streets = replace(
        plain,
        height_m=np.array([500.0, np.nan, 512.5]),
        signals=np.array([False, True, False]),
        exits=np.array([True, False, False]),
    )
    back = from_osmnx(to_networkx(WalkNetwork(streets))).streets
    np.testing.assert_array_equal(back.height_m, streets.height_m)
    np.testing.assert_array_equal(back.signals, streets.signals)
    np.testing.assert_array_equal(back.exits, streets.exits)


# Real cities ----------------------------------------------------------------------------------------------------------


@pytest.mark.realdata
def test_chengdu_is_as_long_in_networkx_and_back(real_data: Path) -> None:
    network = WalkNetwork.from_osm(real_data / "chengdu" / "chengdu-centre.osm.pbf")
    graph = network.to_networkx()
    back = WalkNetwork.from_osmnx(graph)
    s, t = network.streets, back.streets
    np.testing.assert_array_equal(np.sort(t.node_id), np.sort(s.node_id))
    assert set(t.node_id[t.exits]) == set(s.node_id[s.exits])
    edges = {int(n): (e, 0.0) for e, n in reversed(list(enumerate(s.node_id[s.tail])))}
    edges_back = {int(n): (e, 0.0) for e, n in reversed(list(enumerate(t.node_id[t.tail])))}
    edges_back |= {
        int(n): (e, 1.0) for e, n in reversed(list(enumerate(t.node_id[t.head]))) if int(n) not in edges_back
    }
    chosen = np.random.default_rng(7).choice(sorted(edges), 40, replace=False).tolist()
    here = joins_at(*((*edges[n], 0.0) for n in chosen))
    there = joins_at(*((*edges_back[n], 0.0) for n in chosen))
    i, j, metres = network.walk().pairs(here, here, limit=1e6)
    p, q, again = back.walk().pairs(there, there, limit=1e6)
    assert len(metres) > 1000
    np.testing.assert_array_equal(np.column_stack([i, j]), np.column_stack([p, q]))
    np.testing.assert_allclose(metres, again, atol=0.0101)
    for a in range(5):
        plain = nx.single_source_dijkstra_path_length(graph, chosen[a], weight="length")
        for b, walk in zip(j[i == a], metres[i == a], strict=True):
            assert plain[chosen[b]] == pytest.approx(walk, abs=0.0051)


@pytest.mark.realdata
def test_a_graph_that_osmnx_built_itself_is_measured_on_the_ellipsoid(real_data: Path, tmp_path: Path) -> None:
    import osmium

    xml = tmp_path / "part.osm"
    with osmium.SimpleWriter(str(xml)) as writer:
        for item in osmium.FileProcessor(str(real_data / "chengdu" / "chengdu-centre.osm.pbf")):
            if item.is_node() or (item.is_way() and "highway" in item.tags):
                writer.add(item)
    graph = ox.graph_from_xml(xml, bidirectional=True, simplify=True)
    streets = from_osmnx(graph).streets
    assert len(streets.tail) > 2000
    assert not streets.oneway.any()
    length = sum(d["length"] for _, _, d in graph.edges(data=True)) / 2
    assert streets.length_m.sum() == pytest.approx(length, rel=0.005)  # OSMnx measures on a sphere
    lon, lat = np.array([(graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in streets.node_id]).T
    straight = Geod(ellps="WGS84").inv(lon[streets.tail], lat[streets.tail], lon[streets.head], lat[streets.head])[2]
    assert (streets.length_m >= straight * 0.999 - 0.01).all()
