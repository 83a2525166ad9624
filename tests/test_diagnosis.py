"""What a network's diagnosis finds, what it leaves out, and where it is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import pyogrio
import pytest
import shapely

from livingcircle.columns import STREET_DIAGNOSIS
from livingcircle.diagnosis import DETOUR, LONG_LEG_M, UNDERSHOOT_M, diagnose
from livingcircle.network import WalkNetwork
from livingcircle.saved import load_result, save_streets
from livingcircle.scan import scan
from livingcircle_layers.streets import Streets
from test_network import joins_at
from towns import XY, Town, streets_of, study_of

#   0 ──────200────── 1
#          . 5 m
#          2 ──95── 3 ──60── 4       2–3–4 is cut off; 2 stops 5 m short of the street above
NODES: list[XY] = [(0, 0), (200, 0), (100, -5), (100, -100), (160, -100)]
EDGES = [(0, 1), (2, 3), (3, 4)]


def found(streets: Streets, kind: str, **options: Any) -> gpd.GeoDataFrame:
    frame = diagnose(streets, **options)
    assert list(frame.columns) == ["kind", "edge_id", "component", "length_m", "gap_m", "detail", "geometry"]
    assert frame.crs.to_epsg() == 4326
    assert (frame.geom_type == "MultiLineString").all()
    return frame[frame["kind"] == kind].to_crs(streets.crs).reset_index(drop=True)


def test_an_island_is_shown_whole_with_its_length_and_gap() -> None:
    islands = found(streets_of(NODES, EDGES), "island")
    row = islands.iloc[0]
    assert (len(islands), row["edge_id"], row["component"], row["length_m"]) == (1, 1, 1, 155.0)
    assert row["gap_m"] == pytest.approx(5.0)
    assert row["detail"].startswith("2 edges")
    assert row["geometry"].length == pytest.approx(155.0, abs=1e-3)


def test_a_short_island_and_a_long_one_are_told_apart() -> None:
    nodes: list[XY] = [(0, 0), (9000, 0), (0, 500), (2000, 500), (0, 900), (50, 900)]
    islands = found(streets_of(nodes, [(0, 1), (2, 3), (4, 5)]), "island")
    assert islands["detail"].str.contains("joined only from beside it").tolist() == [False, True]
    assert islands["component"].tolist() == [1, 2]


def test_an_undershoot_is_shown_with_the_missing_line() -> None:
    undershoots = found(streets_of(NODES, EDGES), "undershoot")
    row = undershoots.iloc[0]
    assert (len(undershoots), row["edge_id"], row["gap_m"], row["length_m"]) == (1, 0, pytest.approx(5.0), 95.0)
    assert row["geometry"].equals_exact(shapely.MultiLineString([[(100, -5), (100, 0)]]), 1e-3)
    assert row["detail"] == "dead end of way 2; no way around within 200 m"


def moved(y: float) -> list[XY]:
    return [*NODES[:2], (100, y), *NODES[3:]]


@pytest.mark.parametrize(("gap", "is_one"), [(0.0, True), (0.01, True), (4.99, True), (5.01, False)])
def test_gaps_count_up_to_five_metres(gap: float, is_one: bool) -> None:
    assert UNDERSHOOT_M == 5.0
    assert len(found(streets_of(moved(-gap), EDGES), "undershoot")) == is_one


def test_ends_of_and_below_bridges_and_at_the_edge_of_the_data_are_none() -> None:
    streets = streets_of(NODES, EDGES)
    assert len(found(streets_of(NODES, EDGES, raised=[0]), "undershoot")) == 0
    assert len(found(streets_of(NODES, EDGES, raised=[1]), "undershoot")) == 0
    assert len(found(replace(streets, exits=np.arange(5) == 2), "undershoot")) == 0
    assert len(found(replace(streets, way_id=np.array([8, 8, 9])), "undershoot")) == 0  # the same way


def test_a_stub_beside_its_own_street_is_none_and_a_long_way_around_is_one() -> None:
    #   0 ──── 1 ──── 2     a stub of 4 m at 1, and a street from 2 back to 3 m below 0–1
    nodes: list[XY] = [(0, 0), (100, 0), (200, 0), (100, 4), (200, -60), (50, -60), (50, -3)]
    streets = streets_of(nodes, [(0, 1), (1, 2), (1, 3), (2, 4), (4, 5), (5, 6)])
    undershoots = found(streets, "undershoot")
    assert undershoots["edge_id"].tolist() == [0]
    assert undershoots["detail"].tolist() == ["dead end of way 6; no way around within 200 m"]
    shorter = streets_of(
        [*nodes[:4], (200, -20), (150, -20), (150, -3)], [(0, 1), (1, 2), (1, 3), (2, 4), (4, 5), (5, 6)]
    )
    assert found(shorter, "undershoot")["detail"].tolist() == ["dead end of way 6; 137 m to walk around"]


def test_of_several_streets_the_nearest_is_named_once() -> None:
    nodes: list[XY] = [(0, 0), (200, 0), (0, 3), (200, 3), (100, -2), (100, -90)]
    streets = replace(streets_of(nodes, [(0, 1), (2, 3), (4, 5)]), exits=np.arange(6) < 4)
    undershoots = found(streets, "undershoot")
    assert undershoots["edge_id"].tolist() == [0]
    assert undershoots["gap_m"].tolist() == [2.0]


def test_long_legs_are_listed_when_places_are_given() -> None:
    streets = streets_of(NODES, EDGES)
    points = np.array([(50.0, 60.0), (50.0, 160.0), (20.0, 300.0), (0.0, 999.0)])
    joins = joins_at((0, 0.25, 60.0), (0, 0.25, 160.0), (0, 0.1, 300.0), (-1, 0, 0))
    legs = found(streets, "long_connector", joins=joins, points=points)
    assert legs["gap_m"].tolist() == [300.0, 160.0]
    assert legs["gap_m"].min() > LONG_LEG_M
    assert legs["geometry"].iloc[1].equals_exact(shapely.MultiLineString([[(50, 160), (50, 0)]]), 1e-3)
    assert legs["detail"].iloc[0] == "place 2 is 300 m from the street it joins"
    assert len(found(streets, "long_connector")) == 0


def test_homes_are_shown_by_cells_of_100_m_never_singly() -> None:
    # Streets at y = 0. Cell (0, 1): homes 120 and 180 m north of it; cell (1, 1): one at 150 m; one at 60 m is not far.
    streets = streets_of([(0, 0), (200, 0)], [(0, 1)])
    points = np.array([(20.0, 120.0), (90.0, 180.0), (140.0, 150.0), (50.0, 60.0), (0.0, 999.0)])
    joins = joins_at((0, 0.1, 120.0), (0, 0.45, 180.0), (0, 0.7, 150.0), (0, 0.25, 60.0), (-1, 0, 0))
    people = np.array([5, 7, 40, 9, 3])
    legs = found(streets, "long_connector", joins=joins, points=points, people=people)
    assert legs["gap_m"].tolist() == [150.0, 180.0]  # most people first
    assert legs["detail"].tolist() == [
        "people 40, homes 1, up to 150 m from the street they join",
        "people 12, homes 2, up to 180 m from the street they join",
    ]
    ends = [shapely.get_coordinates(line).round(2).tolist() for line in legs.geometry]
    assert ends == [[[150, 150], [150, 0]], [[50, 150], [50, 0]]]


def test_a_scan_writes_the_diagnosis_with_its_homes(tmp_path: Path) -> None:
    # A street of 300 m at y = 0; 40 people 150 m north of it, 20 m of path that hang on nothing.
    town = Town("a------b", dx=300 / 7).way("ab").street((200, -2), (200, -22), highway="footway")
    rule = {"id": "shop", "services": ["supermarket"], "threshold": 200, "threshold_unit": "m"}
    result = scan(study_of(tmp_path, town, people=[(100, 150, 40), (50, 10, 3)], rules=[rule]))
    result.save(tmp_path / "out")
    layer = pyogrio.read_dataframe(tmp_path / "out" / "diagnosis.gpkg", layer="diagnosis")
    assert tuple(layer.columns) == STREET_DIAGNOSIS.names
    assert layer["kind"].tolist() == ["island", "long_connector"]
    assert layer["detail"].iloc[-1] == "people 40, homes 1, up to 150 m from the street they join"
    metadata = pyogrio.read_info(tmp_path / "out" / "diagnosis.gpkg", layer="diagnosis")["layer_metadata"]
    assert "OpenStreetMap contributors" in metadata["ATTRIBUTION"]
    again = load_result(tmp_path / "out").diagnosis
    assert again is not None
    assert again["detail"].tolist() == layer["detail"].tolist()


def test_a_sound_network_has_an_empty_diagnosis(tmp_path: Path) -> None:
    streets = streets_of(NODES[:2], EDGES[:1])
    assert len(diagnose(streets)) == 0
    assert list(diagnose(streets).columns)[-1] == "geometry"
    save_streets(streets, tmp_path / "streets.gpkg", credit="© somebody")
    assert pyogrio.read_info(tmp_path / "streets.gpkg", layer="diagnosis")["features"] == 0


def test_streets_gpkg_holds_the_diagnosis(tmp_path: Path) -> None:
    save_streets(streets_of(NODES, EDGES), tmp_path / "streets.gpkg", credit="© somebody")
    assert pyogrio.list_layers(tmp_path / "streets.gpkg")[:, 0].tolist() == ["nodes", "edges", "diagnosis"]
    for name in ("nodes", "edges", "diagnosis"):
        told = pyogrio.read_info(tmp_path / "streets.gpkg", layer=name)["layer_metadata"]
        assert told["ATTRIBUTION"] == "© somebody"
    layer = pyogrio.read_dataframe(tmp_path / "streets.gpkg", layer="diagnosis")
    assert tuple(layer.columns) == STREET_DIAGNOSIS.names
    assert layer["kind"].tolist() == ["island", "undershoot"]


# Against a slow and plain implementation ------------------------------------------------------------------------------


def plain_undershoots(streets: Streets) -> dict[int, float]:
    """Return the dead ends and the gap to the street that each misses, looking at every street."""
    graph = nx.MultiGraph()
    for e in range(len(streets.tail)):
        graph.add_edge(int(streets.tail[e]), int(streets.head[e]), weight=streets.length_m[e])
    lines = streets.lines
    missed = {}
    for node in graph:
        if graph.degree(node) != 1 or streets.exits[node]:
            continue
        own = next(e for e in range(len(lines)) if node in (streets.tail[e], streets.head[e]))
        end = shapely.Point(streets.node_xy[node])
        walks = nx.single_source_dijkstra_path_length(graph, node, cutoff=300.0)
        for e in np.flatnonzero(shapely.dwithin(lines, end, UNDERSHOOT_M)):
            if streets.raised[e] or streets.raised[own] or streets.way_id[e] == streets.way_id[own]:
                continue
            at, gap = lines[e].project(end), lines[e].distance(end)
            walk = min(
                walks.get(int(streets.tail[e]), np.inf) + at,
                walks.get(int(streets.head[e]), np.inf) + streets.length_m[e] - at,
            )
            if walk > DETOUR * gap + 1e-2:
                missed[node] = min(gap, missed.get(node, np.inf))
    return missed


@pytest.mark.realdata
@pytest.mark.parametrize("file", ["chengdu/chengdu-centre.osm.pbf"])
def test_chengdu_agrees_with_looking_at_every_street(real_data: Path, file: str) -> None:
    streets = WalkNetwork.from_osm(real_data / file).streets
    undershoots, islands = found(streets, "undershoot"), found(streets, "island")
    expected = plain_undershoots(streets)
    assert len(expected) > 10
    np.testing.assert_allclose(np.sort(undershoots["gap_m"]), np.sort(list(expected.values())), atol=1e-6)
    assert len(islands) == streets.component.max()
    assert islands["length_m"].sum() == pytest.approx(streets.length_m[streets.component > 0].sum())
    mainland = shapely.union_all(streets.lines[streets.component == 0])
    np.testing.assert_allclose(islands["gap_m"], shapely.distance(islands.geometry.to_numpy(), mainland), atol=0.01)
