"""Streets: which ways people walk, and how they become edges, on towns small enough to see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from livingcircle.joins import Joins
from livingcircle.network import WalkNetwork
from livingcircle_layers.streets import Streets, is_square, streets_frames, walkability
from towns import CRS, FILE_CM, Town


def walk_m(streets: Streets, a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the walk between two places that lie on streets."""

    def on(place: tuple[float, float]) -> Joins:
        gap = shapely.distance(streets.lines, shapely.Point(place))
        edge = int(np.argmin(gap))
        assert gap[edge] < 2 * FILE_CM, f"no street at {place}"
        share = shapely.line_locate_point(streets.lines[edge], shapely.Point(place), normalized=True)
        return Joins(np.array([edge]), np.array([share]), np.zeros(1), np.array([""], dtype=object))

    return float(WalkNetwork(streets).walk().nearest(on(a), on(b), limit=1e6)[0][0])


def about(metres: float) -> Any:
    return pytest.approx(metres, abs=2 * FILE_CM)


@pytest.mark.parametrize(
    ("tags", "verdict"),
    [
        ({"highway": "residential"}, "yes"),
        ({"highway": "footway"}, "yes"),
        ({"highway": "steps"}, "yes"),
        ({"highway": "cycleway"}, "yes"),
        ({"highway": "cycleway", "foot": "designated"}, "yes"),
        ({"highway": "cycleway", "foot": "no"}, "no"),
        ({"highway": "trunk"}, "yes"),
        ({"highway": "trunk", "motorroad": "yes"}, "no"),
        ({"highway": "trunk", "motorroad": "yes", "foot": "yes"}, "yes"),
        ({"highway": "motorway"}, "no"),
        ({"highway": "motorway_link"}, "no"),
        ({"highway": "construction"}, "no"),
        ({"highway": "service", "access": "private"}, "private"),
        ({"highway": "service", "access": "private", "foot": "yes"}, "yes"),
        ({"highway": "residential", "access": "no"}, "no"),
        ({"highway": "residential", "access": "no", "foot": "permissive"}, "yes"),
        ({"highway": "track", "access": "military"}, "no"),
        ({"highway": "pedestrian", "area": "yes"}, "no"),  # read as an area, not as a line
        ({"railway": "rail"}, "no"),
    ],
)
def test_who_may_walk(tags: dict[str, str], verdict: str) -> None:
    assert walkability(tags) == verdict


@pytest.mark.parametrize(
    ("tags", "square"),
    [
        ({"highway": "pedestrian", "area": "yes"}, True),
        ({"place": "square"}, True),
        ({"highway": "pedestrian"}, False),
        ({"highway": "service", "area": "yes"}, False),
        ({"highway": "pedestrian", "area": "yes", "foot": "no"}, False),
        ({"highway": "pedestrian", "area": "yes", "access": "private"}, False),
        ({"place": "square", "access": "no"}, False),
        ({"place": "square", "access": "no", "foot": "yes"}, True),
    ],
)
def test_what_is_crossed_in_any_direction(tags: dict[str, str], square: bool) -> None:
    assert is_square(tags) is square


def test_edges_run_between_junctions(tmp_path: Path) -> None:
    town = Town("""
        a--b--c--e
              |
              d
    """).way("abce").way("cd", highway="footway")  # fmt: skip
    streets = town.read(tmp_path).streets
    assert streets.length_m.tolist() == [about(60), about(30), about(40)]
    assert streets.node_id.tolist() == [ord(m) for m in "acde"]  # b is a bend, not a node
    assert streets.highway.tolist() == ["residential", "residential", "footway"]
    assert streets.way_id.tolist() == [100, 100, 101]
    for edge, line in enumerate(streets.lines):
        assert line.length == pytest.approx(streets.length_m[edge])
        assert line.coords[0] == tuple(streets.node_xy[streets.tail[edge]])
        assert line.coords[-1] == tuple(streets.node_xy[streets.head[edge]])
    assert streets.component.tolist() == [0, 0, 0]


def test_ways_that_cross_without_a_common_node_do_not_meet(tmp_path: Path) -> None:
    town = Town("""
           c
           |
        a--+--b
           |
           d
    """).way("ab").way("cd", bridge="yes", highway="footway")  # fmt: skip
    streets = town.read(tmp_path).streets
    assert streets.component.tolist() == [1, 0]  # the longer one is 0
    assert streets.raised.tolist() == [False, True]


def test_closed_streets_are_dropped_and_leave_no_junction(tmp_path: Path) -> None:
    town = Town("""
        a--b--c
           |
           d
    """).way("abc").way("bd", highway="motorway")  # fmt: skip
    assert town.read(tmp_path).streets.length_m.tolist() == [about(60)]


def test_private_ways_stay_inside_residential_land_only(tmp_path: Path) -> None:
    # the estate covers the ends b and c of the street, not a
    town = (
        Town("""
        a-----b-----c
        |     |     |
        d     e     f
    """)
        .way("abc")
        .way("ad", highway="service", access="private")
        .way("be", highway="service", access="private")
        .way("cf", highway="service", service="private")
        .box(45, -10, 90, 60, landuse="residential")
    )
    streets = town.read(tmp_path).streets
    assert streets.way_id.tolist() == [100, 100, 102, 103]


def test_only_private_ways_outside_estates_is_no_walkable_way(tmp_path: Path) -> None:
    from livingcircle_layers.errors import InputError

    town = Town("a--b").way("ab", highway="service", access="private")
    with pytest.raises(InputError, match="holds no walkable way"):
        town.read(tmp_path)


def test_squares_are_crossed_on_a_straight_line(tmp_path: Path) -> None:
    #   e--a-----------b       40 m high, 120 m wide
    #      |  square   |
    #      d-----------c--f
    town = (
        Town("""
        e--a-----------b

           d-----------c--f
    """)
        .way("ea")
        .way("cf")
        .area("abcd", highway="pedestrian", area="yes")
    )
    streets = town.read(tmp_path).streets
    width, height = 120.0, 20.0
    assert walk_m(streets, town.xy("e"), town.xy("f")) == about(60 + np.hypot(width, height))
    assert walk_m(streets, town.xy("e"), town.xy("b")) == about(30 + width)  # along the edge of the square


def test_squares_with_a_hole_are_walked_around_it(tmp_path: Path) -> None:
    # 200 m × 80 m; a pool of 100 m × 40 m in its middle, a to c would cross it
    town = (
        Town("""
        e-a---------h---------b
        . .   ijjjjjjjjjk   . .
        . .   m         l   . .
        . .                 . .
        . d---------g---------c-f
    """.replace("jjjjjjjjj", "---------"))
        .way("ea")
        .way("cf")
        .area("abcd")
        .area("iklm")
        .relation([("outer", 2), ("inner", 3)], highway="pedestrian", area="yes")
    )  # fmt: skip
    streets = town.read(tmp_path).streets
    straight = np.hypot(200, 80)
    around = [
        shapely.LineString([town.xy("a"), town.xy(corner), town.xy("c")]).length for corner in "mk"
    ]  # past the south-western or the north-eastern corner of the pool
    walk = walk_m(streets, town.xy("a"), town.xy("c"))
    assert straight + 1 < walk <= 280 + FILE_CM
    assert walk >= min(around) - FILE_CM
    assert set(streets.way_id) == {100, 101, 900}


def test_a_square_is_no_street_for_those_it_is_closed_to(tmp_path: Path) -> None:
    town = (
        Town("""
        a-----b

        d-----c
    """)
        .way("ab")
        .way("bc")
        .area("abcd", highway="pedestrian", area="yes", access="private")
    )
    assert set(town.read(tmp_path).streets.way_id) == {100, 101}


def test_way_with_missing_nodes_is_kept_in_the_pieces_that_are_there(tmp_path: Path) -> None:
    # 500 m from every border of the file
    town = Town("a--b--x--c--d").way("abxcd").without("x").node(-500, -500).node(620, 500)
    streets = town.read(tmp_path, bounds=True).streets
    assert streets.length_m.tolist() == [about(30), about(30)]
    assert {chr(node) for node in streets.node_id[streets.exits]} == {"b", "c"}


def test_streets_leave_the_data_where_ways_are_cut_or_end_at_the_border(tmp_path: Path) -> None:
    # 1,000 m wide; the way c–x is cut, e and g end at the border of the file, i in its middle
    town = Town("""
        e---------b---------g
                  |
                  h----i
                  |
                  c
                  |
                  x
    """, dx=50, dy=200).way("ebg").way("bhcx").way("hi").without("x")  # fmt: skip
    streets = town.read(tmp_path, bounds=True).streets
    leaves = {chr(node) for node in streets.node_id[streets.exits]}
    assert leaves == {"e", "b", "g", "c"}  # b is the end of a way's edge at the northern border


def test_a_way_that_reaches_out_of_the_box_leaves_the_data(tmp_path: Path) -> None:
    town = Town("""
        a----b----c
             |
             d
    """, dx=100, dy=300).way("abc").way("bd")  # fmt: skip
    west = '<bounds minlon="103.99" minlat="29.999" maxlon="104.0050" maxlat="30.1"/>'
    file = tmp_path / "town.osm"
    file.write_text(town.xml().replace('generator="tests">', f'generator="tests">{west}'), encoding="utf-8")
    from livingcircle_layers.catalogue import load_catalogue
    from livingcircle_layers.osm import read_osm

    streets = read_osm(file, load_catalogue(), CRS).streets
    assert {chr(n) for n in streets.node_id[streets.exits]} >= {"c"}


def test_extent_is_seen_from_the_density_where_the_file_states_no_box(tmp_path: Path) -> None:
    # a town of 1.2 km by 1.2 km, and a road that reaches 9 km to the east
    town = Town("z")
    for k in range(13):
        town.street((0, 100.0 * k), (1200, 100.0 * k)).street((100.0 * k, 0), (100.0 * k, 1200))
    town.street((1200, 600), (9000, 600), highway="trunk")
    bounds = town.read(tmp_path).extent.bounds
    assert bounds == pytest.approx((0, 0, 1200, 1200), abs=1)
    assert town.read(tmp_path, bounds=True).extent.bounds == pytest.approx((0, 0, 9000, 1200), abs=5)


def test_a_node_listed_twice_in_a_row_counts_once(tmp_path: Path) -> None:
    streets = Town("a--b--c").way("abbc").read(tmp_path).streets
    assert streets.length_m.tolist() == [about(60)]


def test_a_way_drawn_twice_changes_no_walk(tmp_path: Path) -> None:
    once = Town("""
        a--b--c
           |
           d
    """).way("abc").way("bd")  # fmt: skip
    twice = Town(once.art).way("abc").way("bd").way("abc").way("cb", highway="footway")
    short = once.read(tmp_path, "once.osm").streets
    long = twice.read(tmp_path, "twice.osm").streets
    for a, b in (("a", "d"), ("c", "d"), ("a", "c")):
        assert walk_m(short, once.xy(a), once.xy(b)) == walk_m(long, once.xy(a), once.xy(b))
    assert long.length_m.sum() > short.length_m.sum()


@pytest.mark.parametrize(("ring", "edges"), [("abcda", 1), ("bcdab", 2)])
def test_closed_way_with_one_junction(tmp_path: Path, ring: str, edges: int) -> None:
    town = Town("""
        e--a--b
           |  |
           d--c
    """).way(ring).way("ea")  # fmt: skip
    streets = town.read(tmp_path).streets
    assert (streets.way_id == 100).sum() == edges
    assert streets.length_m.sum() == about(140 + 30)
    assert walk_m(streets, town.xy("e"), town.xy("c")) == about(30 + 70)


def test_one_way_for_people_on_foot_only(tmp_path: Path) -> None:
    town = Town("""
        a--b
        |  |
        c--d
        |  |
        e--f
    """)  # fmt: skip
    town.way("ab", highway="residential", oneway="yes").way("cd", highway="footway", oneway__foot="yes")
    town.way("ef", highway="steps", conveying="backward")
    streets = town.way("ace").way("bdf").read(tmp_path).streets
    by_way = {int(w): k for k, w in enumerate(streets.way_id)}
    assert streets.oneway[[by_way[100], by_way[101], by_way[102]]].tolist() == [False, True, True]
    escalator = by_way[102]
    assert streets.node_id[[streets.tail[escalator], streets.head[escalator]]].tolist() == [ord("f"), ord("e")]
    assert streets.lines[escalator].coords[0] == tuple(streets.node_xy[streets.tail[escalator]])
    assert walk_m(streets, town.xy("c"), town.xy("d")) == about(30)
    assert walk_m(streets, town.xy("d"), town.xy("c")) == about(40 + 30 + 40)


def test_signals_are_noted(tmp_path: Path) -> None:
    town = Town("a--b--c").way("ab").way("bc").tag("b", highway="traffic_signals")
    streets = town.read(tmp_path).streets
    assert streets.node_id[streets.signals].tolist() == [ord("b")]


def test_order_in_the_file_does_not_matter(tmp_path: Path) -> None:
    town = (
        Town("""
        a--b--c--g
        |  |  |
        d--e--f--h
    """)
        .way("abcg")
        .way("defh")
        .way("ad", highway="steps")
        .way("be", highway="footway", oneway__foot="yes")
        .way("cf")
        .area("abed", highway="pedestrian", area="yes")
        .area("bcfe", place="square")
    )
    first = town.read(tmp_path, "first.osm").streets
    for seed in range(4):
        other = town.read(tmp_path, f"{seed}.osm", seed=seed).streets
        for name, value in vars(first).items():
            if isinstance(value, np.ndarray) and name != "lines":
                np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)


def test_frames_are_what_the_file_of_streets_holds(tmp_path: Path) -> None:
    nodes, edges = streets_frames(Town("a--b--c").way("ab").way("bc").read(tmp_path).streets)
    assert nodes.crs.to_epsg() == edges.crs.to_epsg() == 4326
    assert set(edges["u"]) | set(edges["v"]) == set(nodes["node_id"])
    assert {"edge_id", "u", "v", "length_m", "oneway", "highway", "component"} <= set(edges.columns)
    assert edges["length_m"].tolist() == [about(30), about(30)]


@pytest.mark.realdata
def test_lengths_are_those_of_the_lines(real_data: Path) -> None:
    streets = WalkNetwork.from_osm(real_data / "porto-alegre" / "poa_osm.pbf").streets
    np.testing.assert_allclose(streets.length_m, shapely.length(streets.lines), atol=1e-6)
    assert (streets.component >= 0).all()
    assert (np.diff(np.bincount(streets.component, weights=streets.length_m)) <= 1e-6).all()
    assert len(np.unique(streets.node_id)) == len(streets.node_id)
