"""Street layers of planners: with node columns and without, noded and not, and what must not be joined."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from livingcircle.joins import Joiner
from livingcircle.network import WalkNetwork
from livingcircle.walkers import Walker
from livingcircle_layers.errors import InputError
from livingcircle_layers.sources import Source
from livingcircle_layers.street_layer import StreetLayer, read_street_layer, wait_notes
from livingcircle_layers.streets import Streets

XY = tuple[float, float]
CRS = pyproj.CRS.from_epsg(32648)  # UTM zone 48N: metres, and a name that files keep
FEW = settings(max_examples=60, deadline=None)


def write_lines(path: Path, lines: Sequence[Sequence[XY] | Any], **columns: Sequence[Any]) -> Path:
    """Write lines of the plane as a layer; what is no list of places is written as it is."""
    geometry = [shapely.LineString(line) if isinstance(line, list) else line for line in lines]
    frame = gpd.GeoDataFrame(dict(columns), geometry=gpd.GeoSeries(geometry, crs=CRS))
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    return path


def read_lines(
    folder: Path, lines: Sequence[Any], *, options: dict[str, Any] | None = None, **columns: Any
) -> StreetLayer:
    chosen = dict(options or {})
    source = Source(write_lines(folder / "streets.gpkg", lines, **columns), columns=chosen.pop("columns", {}))
    return read_street_layer(source, crs=CRS, **chosen)


def reached(streets: Streets, start: XY) -> dict[XY, float]:
    """Return the walk from one node to all it reaches, by the place of the nodes in decimetres."""
    graph = nx.MultiDiGraph()
    name = [(round(x, 1), round(y, 1)) for x, y in streets.node_xy]
    for e in range(len(streets.tail)):
        u, v = name[streets.tail[e]], name[streets.head[e]]
        graph.add_edge(u, v, weight=streets.length_m[e])
        if not streets.oneway[e]:
            graph.add_edge(v, u, weight=streets.length_m[e])
    walks = nx.single_source_dijkstra_path_length(graph, start)
    return {place: round(walk, 2) for place, walk in walks.items()}


# With node columns ----------------------------------------------------------------------------------------------------

#   1 ──100── 2 ──100── 3      and a way of 300 m around from 1 to 3
A, B, C = (0.0, 0.0), (100.0, 0.0), (200.0, 0.0)
AROUND = [A, (0.0, 50.0), (200.0, 50.0), C]


@pytest.mark.parametrize("file", ["s.gpkg", "s.geojson", "s.shp", "s.parquet"])
@pytest.mark.parametrize(("u", "v"), [("u", "v"), ("from", "to"), ("起点", "终点"), ("from_node", "to_node")])
def test_node_columns_tell_which_lines_meet(tmp_path: Path, file: str, u: str, v: str) -> None:
    columns = {u: [1, 2, 1], v: [2, 3, 3]}
    streets = read_street_layer(write_lines(tmp_path / file, [[A, B], [B, C], AROUND], **columns), crs=CRS)
    assert streets.node_id.tolist() == [1, 2, 3]
    assert reached(streets, A) == {A: 0.0, B: 100.0, C: 200.0}
    assert sorted(streets.length_m.round(2)) == [100.0, 100.0, 300.0]
    assert streets.notes == ()
    assert not streets.oneway.any()


def test_node_columns_win_over_where_lines_end(tmp_path: Path) -> None:
    #  a street under a bridge: four ends in one place, two levels
    lines = [[A, B], [B, C], [(100.0, -50.0), B], [B, (100.0, 50.0)]]
    streets = read_lines(tmp_path, lines, u=[1, 2, 4, 5], v=[2, 3, 5, 6])
    assert streets.component.max() == 1
    pieces = {
        frozenset(streets.node_id[np.r_[streets.tail[on], streets.head[on]]])
        for on in (streets.component == k for k in (0, 1))
    }
    assert pieces == {frozenset({1, 2, 3}), frozenset({4, 5, 6})}


def test_planner_names_the_columns(tmp_path: Path) -> None:
    lines = [[A, B], [B, C]]
    columns = {"u": "jiedian1", "v": "jiedian2", "highway": "dengji", "oneway": "fangxiang"}
    streets = read_lines(
        tmp_path, lines, options={"columns": columns},
        jiedian1=["a", "b"], jiedian2=["b", "c"], dengji=["steps", "footway"], fangxiang=["yes", "no"],
    )  # fmt: skip
    assert streets.node_id.tolist() == [1, 2, 3]  # names are no numbers: counted
    assert sorted(streets.highway) == ["footway", "steps"]
    assert set(reached(streets, C)) == {B, C}
    assert set(reached(streets, A)) == {A, B, C}


def test_both_directions_of_a_street_are_one_edge(tmp_path: Path) -> None:
    streets = read_lines(tmp_path, [[A, B], [B, A], AROUND, [B, C]], u=[1, 2, 1, 2], v=[2, 1, 3, 3])
    assert len(streets.tail) == 3
    assert not streets.oneway.any()  # B to C stands there once, and is walked both ways all the same
    assert reached(streets, C)[A] == 200.0


def test_parallel_streets_stay_apart(tmp_path: Path) -> None:
    streets = read_lines(tmp_path, [AROUND, [A, C], AROUND[::-1]], u=[1, 1, 3], v=[3, 3, 1])
    assert sorted(streets.length_m.round(2)) == [200.0, 300.0]


@pytest.mark.parametrize(
    ("values", "from_a", "from_c"),
    [
        (["yes", "yes", "no"], True, False),
        (["-1", "-1", "no"], False, True),
        (["no", "", "no"], True, True),
        (["F", "F", "B"], True, False),  # Geofabrik: forward
        (["T", "T", "B"], False, True),  # Geofabrik: against the line
        ([True, True, False], True, False),
    ],
)
@pytest.mark.parametrize("noded", [True, False])
def test_one_way_counts_only_where_the_planner_says_so(
    tmp_path: Path, values: list[Any], from_a: bool, from_c: bool, noded: bool
) -> None:
    lines = [[A, B], [B, C], [(300.0, 0.0), C]]
    nodes = {"u": [1, 2, 4], "v": [2, 3, 3]} if noded else {}
    said = read_lines(tmp_path, lines, options={"columns": {"oneway": "oneway"}}, oneway=values, **nodes)
    assert (C in reached(said, A), A in reached(said, C)) == (from_a, from_c)
    silent = read_lines(tmp_path, lines, oneway=values, **nodes)
    assert not silent.oneway.any()
    assert any("oneway is taken to bind cars only" in note for note in silent.notes) == (not (from_a and from_c))


def test_a_pair_that_is_one_way_in_both_directions_is_two_way(tmp_path: Path) -> None:
    lines, said = [[A, B], [B, A]], {"columns": {"oneway": "oneway"}}
    streets = read_lines(tmp_path, lines, options=said, u=[1, 2], v=[2, 1], oneway=["yes", "yes"])
    assert (len(streets.tail), streets.oneway.tolist()) == (1, [False])


def test_lines_drawn_against_their_columns_are_turned(tmp_path: Path) -> None:
    lines = [[A, B], [C, B], AROUND[::-1], [C, (300.0, 0.0)], [(400.0, 0.0), C]]
    u, v = [1, 2, 1, 3, 3], [2, 3, 3, 4, 5]
    streets = read_lines(tmp_path, lines, options={"columns": {"oneway": "oneway"}}, u=u, v=v, oneway=["yes"] * 5)
    assert reached(streets, A) == {A: 0.0, B: 100.0, C: 200.0, (300, 0): 300.0, (400, 0): 400.0}
    assert set(reached(streets, (400, 0))) == {(400, 0)}
    assert streets.notes == ()
    for e in range(len(streets.tail)):
        drawn = streets.coords[streets.offsets[e] : streets.offsets[e + 1]]
        np.testing.assert_allclose(drawn[[0, -1]], streets.node_xy[[streets.tail[e], streets.head[e]]], atol=1e-6)


def test_columns_that_hold_no_nodes_are_not_believed(tmp_path: Path) -> None:
    # 起点 and 终点 name crossings in words, the same word in many places
    lines = [[A, B], [B, C], [(900.0, 0.0), (990.0, 0.0)]]
    streets = read_lines(tmp_path, lines, 起点=["东", "东", "东"], 终点=["西", "西", "西"])
    assert reached(streets, A) == {A: 0.0, B: 100.0, C: 200.0}
    assert any("are no node ids" in note for note in streets.notes)


def test_lines_without_a_node_are_refused(tmp_path: Path) -> None:
    far = [[(100.0 * k, 0.0), (100.0 * k + 100, 0.0)] for k in range(40)]
    with pytest.raises(InputError, match=r"1 lines lack a node in u and v; got the first is row 41; .* delete both"):
        read_lines(tmp_path, [*far, [A, (0.0, 70.0)]], u=[*map(str, range(40)), "0"], v=[*map(str, range(1, 41)), ""])


def test_an_edge_in_pieces_is_left_out_and_one_of_joined_pieces_is_not(tmp_path: Path) -> None:
    joined = shapely.MultiLineString([[A, (50.0, 0.0)], [(50.0, 0.0), B]])
    apart = shapely.MultiLineString([[B, (120.0, 0.0)], [(160.0, 0.0), C]])
    streets = read_lines(tmp_path, [joined, apart, AROUND], u=[1, 2, 1], v=[2, 3, 3])
    assert sorted(streets.length_m.round(2)) == [100.0, 300.0]
    assert streets.notes == ("1 of 3 rows left out: one edge in several pieces",)


def test_a_lift_without_length_joins_its_nodes(tmp_path: Path) -> None:
    streets = read_lines(tmp_path, [[A, B], [B, B], [B, C]], u=[1, 2, 3], v=[2, 3, 4])
    assert reached(streets, A)[C] == 200.0
    assert len(streets.tail) == 3


# What is left out, and what is said -----------------------------------------------------------------------------------


def test_geometries_that_are_no_street_are_counted(tmp_path: Path) -> None:
    lines = [[A, B], None, shapely.LineString(), [C, C], shapely.Point(0, 0), [B, C]]
    streets = read_lines(tmp_path, lines, highway=["path", "path", "path", "path", "path", "motorway"])
    assert len(streets.tail) == 1
    assert streets.notes == (
        "2 of 6 rows left out: no geometry",
        "1 of 6 rows left out: no line",
        "1 of 6 rows left out: a line without length or with impossible coordinates",
        "1 of 6 rows left out: no street for people on foot",
    )


def test_a_layer_without_any_street_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"streets\.gpkg holds no walkable line; got 1 of 1 rows left out: no line"):
        read_lines(tmp_path, [shapely.Point(0, 0)])


def test_mapped_columns_that_do_not_exist_are_all_named(tmp_path: Path) -> None:
    options = {"columns": {"u": "knoten", "hiway": "a", "oneway": "onewey"}}
    with pytest.raises(
        InputError, match=r"no column 'knoten' for u.*cannot map 'hiway'; the nearest is 'highway'.*onewey"
    ):
        read_lines(tmp_path, [[A, B]], options=options, oneway=["yes"], highway=["path"])


def test_one_way_values_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'oneway' does not say which way people may walk; got 'perhaps'"):
        read_lines(tmp_path, [[A, B]], options={"columns": {"oneway": "oneway"}}, oneway=["perhaps"])


def test_coordinates_off_the_earth_are_refused(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(geometry=[shapely.LineString([(500000, 3400000), (500100, 3400000)])], crs="EPSG:4326")
    frame.to_parquet(tmp_path / "s.parquet")
    with pytest.raises(InputError, match=r"out of range in 1 of 1 rows; got row 1: 500000, 3\.4e\+06"):
        read_street_layer(tmp_path / "s.parquet")


@pytest.mark.parametrize(("length", "told"), [([100.9, 99.1], False), ([102.0, 100.0], True), ([0.001, 0.001], True)])
def test_metres_are_measured_along_the_line_and_other_lengths_are_told(
    tmp_path: Path, length: list[float], told: bool
) -> None:
    streets = read_lines(tmp_path, [[A, B], [B, C]], u=[1, 2], v=[2, 3], length=length)
    np.testing.assert_allclose(streets.length_m, 100.0, atol=1e-6)
    assert bool(streets.notes) is told
    if told:
        assert "the lines count" in streets.notes[0]


def test_layers_in_degrees_are_measured_in_metres(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "s.gpkg", [[(4e5 + x, 3.4e6 + y) for x, y in line] for line in ([A, B], [B, C])])
    gpd.read_file(path).to_crs(4490).to_file(tmp_path / "cgcs.gpkg")  # CGCS2000 in degrees
    streets = read_street_layer(tmp_path / "cgcs.gpkg")
    assert streets.crs.axis_info[0].unit_name == "metre"
    np.testing.assert_allclose(streets.length_m, 100.0 / 0.99972, rtol=1e-4)


def test_dead_ends_around_the_rim_are_where_streets_go_on(tmp_path: Path) -> None:
    #  a cross of 1 km with a stub in its middle
    cross = [
        [(-500.0, 0.0), (0.0, 0.0)],
        [(500.0, 0.0), (0.0, 0.0)],
        [(0.0, 500.0), (0.0, 0.0)],
        [(0.0, -500.0), (0.0, 0.0)],
    ]
    streets = read_lines(tmp_path, [*cross, [(0.0, 0.0), (60.0, 60.0)]])
    ends = {(round(x), round(y)) for x, y in streets.node_xy[streets.exits]}
    assert ends == {(-500, 0), (500, 0), (0, 500), (0, -500)}


# Without node columns -------------------------------------------------------------------------------------------------


def test_lines_meet_where_their_ends_lie_within_a_centimetre(tmp_path: Path) -> None:
    near, off = (100.006, 0.0), (200.06, 0.0)
    streets = read_lines(tmp_path, [[A, B], [near, C], [off, (300.0, 0.0)]])
    assert set(reached(streets, A)) == {A, B, C}
    assert streets.component.max() == 1


def test_an_end_on_a_street_cuts_it(tmp_path: Path) -> None:
    #   A ────┬──── C
    #         │
    for y in (0.0, 0.009, -0.009):
        streets = read_lines(tmp_path, [[A, C], [(100.0, y), (100.0, -80.0)]])
        assert reached(streets, A) == {A: 0.0, B: 100.0, C: 200.0, (100, -80): pytest.approx(180.0, abs=0.011)}
        assert len(streets.tail) == 3
    streets = read_lines(tmp_path, [[A, C], [(100.0, -0.02), (100.0, -80.0)]])
    assert set(reached(streets, A)) == {A, C}


def test_a_vertex_on_a_street_cuts_both(tmp_path: Path) -> None:
    streets = read_lines(tmp_path, [[A, C], [(100.0, 50.0), B, (100.0, -50.0)]])
    assert reached(streets, A) == {A: 0.0, B: 100.0, C: 200.0, (100, 50): 150.0, (100, -50): 150.0}
    assert len(streets.tail) == 4


CROSSING = [[A, C], [(100.0, 50.0), (100.0, -50.0)], [(150.0, 50.0), (150.0, -50.0)]]


def test_streets_that_merely_cross_are_left_alone_and_counted(tmp_path: Path) -> None:
    streets = read_lines(tmp_path, CROSSING)
    assert set(reached(streets, A)) == {A, C}
    assert streets.notes == (
        "2 crossings of lines without a vertex there were left alone: `node_crossings = true` joins them",
    )


def test_crossings_are_joined_when_asked_for_except_known_bridges(tmp_path: Path) -> None:
    joined = read_lines(tmp_path, CROSSING, options={"cross": True}, bridge=["no", "no", "yes"])
    assert reached(joined, A) == {A: 0.0, B: 100.0, C: 200.0, (100, 50): 150.0, (100, -50): 150.0}
    assert joined.raised.sum() == 1
    assert len(joined.notes) == 1
    assert joined.notes[0].startswith("1 crossings")


def test_three_streets_through_one_point_meet_there_once(tmp_path: Path) -> None:
    star = [[(-70.0, 0.0), (30.0, 0.0)], [(0.0, -40.0), (0.0, 60.0)], [(-30.0, -30.0), (50.0, 50.0)]]
    streets = read_lines(tmp_path, star, options={"cross": True})
    assert len(streets.tail) == 6
    assert len(streets.node_id) == 7
    assert reached(streets, (0, 0)) == {
        (0, 0): 0.0, (-70, 0): 70.0, (30, 0): 30.0, (0, -40): 40.0, (0, 60): 60.0, (-30, -30): 42.43, (50, 50): 70.71,
    }  # fmt: skip


def test_bridges_meet_others_at_ends_only(tmp_path: Path) -> None:
    # The bridge has a vertex right above the street; stairs end on the bridge; a street begins at its end.
    bridge = [(100.0, 50.0), B, (100.0, -50.0)]
    stairs, street = [(100.0, 25.0), (140.0, 25.0)], [(100.0, -50.0), (160.0, -50.0)]
    streets = read_lines(tmp_path, [[A, B, C], bridge, stairs, street], bridge=["", "yes", "", ""])
    assert set(reached(streets, A)) == {A, C}
    assert reached(streets, (140, 25)) == {
        (140, 25): 0.0, (100, 25): 40.0, (100, 50): 65.0, (100, -50): 115.0, (160, -50): 175.0,
    }  # fmt: skip


def test_lines_that_meet_themselves_are_loops(tmp_path: Path) -> None:
    #  a P: the end of the line lies on its own stem
    lollipop = [(0.0, 0.0), (0.0, 100.0), (50.0, 100.0), (50.0, 60.0), (0.0, 60.0)]
    streets = read_lines(tmp_path, [lollipop])
    assert sorted(streets.length_m.round(2)) == [60.0, 180.0]
    ring = [(0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0), (0.0, 0.0)]
    assert read_lines(tmp_path, [ring]).length_m.round(2).tolist() == [160.0]


def test_streets_drawn_twice_and_on_each_other_are_one(tmp_path: Path) -> None:
    streets = read_lines(tmp_path, [[A, C], [C, A], [A, B], [(50.0, 0.0), (150.0, 0.0)]])
    assert sorted(streets.length_m.round(2)) == [50.0, 50.0, 50.0, 50.0]


def test_multi_lines_are_split(tmp_path: Path) -> None:
    streets = read_lines(tmp_path, [shapely.MultiLineString([[A, B], [(300.0, 0.0), (400.0, 0.0)]]), [B, C]])
    assert len(streets.tail) == 3
    assert reached(streets, A)[C] == 200.0


# A slow and plain implementation --------------------------------------------------------------------------------------


def plain_walks(lines: Sequence[Sequence[XY]], *, cross: bool) -> dict[tuple[XY, XY], float]:
    """Return the walks between all ends of lines, on a graph that is cut by looking at every pair of lines."""
    shapes = [shapely.LineString(line) for line in lines]
    graph = nx.Graph()
    for i, one in enumerate(shapes):
        cuts = {0.0, one.length}
        for j, other in enumerate(shapes):
            spots = [shapely.Point(p) for p in (*other.coords, *one.coords)]
            touching = [p for p in spots if p.distance(one) < 1e-6 and p.distance(other) < 1e-6]
            if cross and i != j and one.crosses(other):
                touching += [p for p in shapely.get_parts(one.intersection(other)) if p.geom_type == "Point"]
            if i != j:
                cuts |= {one.project(p) for p in touching}
        chain = sorted(cuts)
        for low, high in itertools.pairwise(chain):
            if high - low > 1e-6:
                a, b = (_place(one.interpolate(at)) for at in (low, high))
                if (held := graph.get_edge_data(a, b)) is None or held["weight"] > high - low:
                    graph.add_edge(a, b, weight=high - low)
    ends = {_place(shapely.Point(line[k])) for line in lines for k in (0, -1)}
    walks = {}
    for start in ends:
        found = nx.single_source_dijkstra_path_length(graph, start)
        walks.update({(start, stop): found[stop] for stop in ends if stop in found})
    return walks


def _place(point: shapely.Point) -> XY:
    return round(point.x, 2) + 0.0, round(point.y, 2) + 0.0


GRID = st.tuples(st.integers(0, 4).map(lambda k: 30.0 * k), st.integers(0, 4).map(lambda k: 30.0 * k))


@given(
    st.lists(st.tuples(GRID, GRID).filter(lambda ab: ab[0] != ab[1]), min_size=1, max_size=7, unique=True),
    st.booleans(),
)
@FEW
def test_cutting_agrees_with_looking_at_every_pair_of_lines(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[XY, XY]], cross: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.gpkg"
    write_lines(path, [list(line) for line in lines])
    streets = read_street_layer(path, crs=CRS, cross=cross)
    graph = nx.MultiGraph()
    name = [(round(x, 2) + 0.0, round(y, 2) + 0.0) for x, y in streets.node_xy]
    for e in range(len(streets.tail)):
        graph.add_edge(name[streets.tail[e]], name[streets.head[e]], weight=streets.length_m[e])
    for (start, stop), walk in plain_walks(lines, cross=cross).items():
        assert nx.dijkstra_path_length(graph, start, stop) == pytest.approx(walk, abs=0.02)
    reach = {(a, b) for a, b in plain_walks(lines, cross=cross)}
    for start, stop in ((a, b) for a in {p for p, _ in reach} for b in {p for p, _ in reach}):
        assert nx.has_path(graph, start, stop) == ((start, stop) in reach)


@given(st.permutations(range(6)), st.lists(st.booleans(), min_size=6, max_size=6))
@FEW
def test_the_order_and_direction_of_rows_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], turned: list[bool]
) -> None:
    lines = [[A, C], [(100.0, 50.0), B], [B, (100.0, -50.0)], AROUND, [(150.0, 0.0), (150.0, -70.0)], [A, (-40.0, 9.0)]]
    mixed = [lines[k][::-1] if turned[k] else lines[k] for k in order]
    base = tmp_path_factory.getbasetemp()
    one = read_street_layer(write_lines(base / "one.gpkg", lines), crs=CRS)
    other = read_street_layer(write_lines(base / "other.gpkg", mixed), crs=CRS)
    np.testing.assert_allclose(one.node_xy, other.node_xy, atol=1e-6)
    np.testing.assert_allclose(one.length_m, other.length_m, atol=1e-6)
    ends = [sorted(zip(np.minimum(s.tail, s.head), np.maximum(s.tail, s.head), strict=True)) for s in (one, other)]
    assert ends[0] == ends[1]


# A real layer ---------------------------------------------------------------------------------------------------------


@pytest.mark.realdata
def test_outram_with_and_without_its_node_columns(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "outram" / "outram-walk-network.geojson"
    frame = gpd.read_file(path)
    streets = read_street_layer(path)
    assert set(streets.node_id) == set(frame["u"]) | set(frame["v"])
    assert not streets.oneway.any()
    assert len(streets.tail) == len(frame) / 2 - 3  # every street is there in both directions; three loops four times
    assert streets.length_m.sum() == pytest.approx(frame["length"].sum() / 2, rel=0.003)
    assert len(streets.notes) == 1
    assert "length differs from the line by more than 1% in 3708 of 6598 rows" in streets.notes[0]
    frame.drop(columns=["u", "v", "length"]).to_file(tmp_path / "plain.gpkg")
    plain = read_street_layer(tmp_path / "plain.gpkg", crs=streets.crs)
    assert plain.notes == (
        "102 crossings of lines without a vertex there were left alone: `node_crossings = true` joins them",
    )
    assert plain.length_m.sum() == pytest.approx(streets.length_m.sum(), rel=1e-4)
    # The layer keeps five decimals of a degree, so that vertices a metre apart may fall together: plain walks are
    # shorter for some and longer for none.
    with_columns, without = walks_from_first(streets, streets), walks_from_first(plain, streets)
    assert np.mean(np.abs(with_columns - without) < 0.1) > 0.97
    assert (without < with_columns + 0.1).all()


def walks_from_first(streets: Streets, nodes: Streets) -> np.ndarray:
    """Return the walk from the first to all places of the nodes of a network."""
    graph = nx.MultiGraph()
    for e in range(len(streets.tail)):
        graph.add_edge(int(streets.tail[e]), int(streets.head[e]), weight=streets.length_m[e])
    near = shapely.STRtree(shapely.points(streets.node_xy)).nearest(shapely.points(nodes.node_xy))
    walks = nx.single_source_dijkstra_path_length(graph, int(near[0]))
    return np.array([walks.get(int(i), math.inf) for i in near])


# Signals --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "waits"), [(["1", "0"], 1), (["yes", "no"], 1), (["是", ""], 1), ([2, 0], 2), ([1, 3], 4), ([0, 0], 0)]
)
def test_signals_of_a_line_cost_their_waits(tmp_path: Path, values: list[Any], waits: int) -> None:
    # 100 + 100 m at 1 m/s, and 30 s at each of the signals that the lines say they pass
    streets = read_lines(tmp_path, [[A, B], [B, C]], signals=values)
    assert streets.signals.sum() == waits
    assert streets.length_m.sum() == pytest.approx(200.0)
    walk = WalkNetwork(streets).walk(Walker(name="one", speed_m_s=1.0), unit="s")
    ends = Joiner(streets, np.array([], dtype=object)).join(np.array([A, C]))
    one_way, _ = walk.nearest(ends.take(np.array([0])), ends.take(np.array([1])), limit=1e6)
    assert one_way.tolist() == pytest.approx([200.0 + 30 * waits], abs=0.02)
    assert wait_notes(streets, "s.gpkg") == (
        [] if waits else ["s.gpkg tells of no signals: no waits at crossings are counted"]
    )


def test_signals_of_both_directions_are_the_same(tmp_path: Path) -> None:
    streets = read_lines(tmp_path, [[A, B], [B, A]], signals=[1, 1], u=[1, 2], v=[2, 1])
    assert streets.signals.sum() == 1


def test_a_number_of_signals_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'signals' is no number of signals.*-1"):
        read_lines(tmp_path, [[A, B]], signals=[-1])


def test_a_layer_without_such_a_column_says_that_no_waits_are_counted(tmp_path: Path) -> None:
    streets = read_lines(tmp_path, [[A, B]])
    assert wait_notes(streets, "own.shp") == ["own.shp tells of no signals: no waits at crossings are counted"]
