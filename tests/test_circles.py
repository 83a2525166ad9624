"""Circles: what lies inside, what lies outside, and what a new way may change."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from livingcircle.circles import CELL_M, SPREAD_M, CircleGrid, _Drawing, circles, isochrones
from livingcircle.ground import read_ground
from livingcircle.joins import Joiner, Joins
from livingcircle.network import WalkNetwork
from livingcircle.walkers import WALKERS, Walker
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import InputError, UsageError
from livingcircle_layers.osm import read_osm
from livingcircle_layers.streets import Streets
from towns import CRS, Town, lonlat, streets_of

NO_BARRIERS = np.array([], dtype=object)
ADULT = WALKERS["adult"]

#   d---e---f     a block of 200 x 200 m, another beside it
#   |   |   |
#   a---b---c
BLOCKS = [(0.0, 0.0), (200.0, 0.0), (400.0, 0.0), (0.0, 200.0), (200.0, 200.0), (400.0, 200.0)]
BLOCK_EDGES = [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)]


def one_circle(streets: Streets, start: tuple[float, float], limits: Sequence[float], **options: Any) -> Any:
    """Return the circles around one place in metres, shortest first."""
    barriers = options.pop("barriers", NO_BARRIERS)
    spread_m = options.pop("spread_m", SPREAD_M)
    xy = np.array([start])
    joins = options.pop("joins", None) or Joiner(streets, barriers).join(xy)
    grid = CircleGrid(WalkNetwork(streets), barriers, spread_m=spread_m)
    return circles(grid, xy, joins, limits=limits, **options).geometry.to_numpy()


def samples(streets: Streets, edges: Any, every_m: float) -> tuple[Joins, Any]:
    """Return positions along edges and their places."""
    edge, share = [], []
    for e in edges:
        n = int(np.ceil(streets.length_m[e] / every_m)) + 1
        edge.append(np.full(n, e))
        share.append(np.linspace(0.0, 1.0, n))
    edge, share = np.concatenate(edge), np.concatenate(share)
    xy = shapely.get_coordinates(shapely.line_interpolate_point(streets.lines[edge], share, normalized=True))
    return Joins(edge, share, np.zeros(len(edge)), np.full(len(edge), "", dtype=object)), xy


def walks(network: WalkNetwork, start: Joins, spots: Joins, limit: float, unit: Any, walker: Walker | None) -> Any:
    """Return the walk from the start to every spot by the search for pairs, infinite beyond the limit."""
    walk = network.walk(walker, unit=unit)
    _, spot, cost = walk.pairs(start, spots, limit=limit)
    out = np.full(len(spots.edge), np.inf)
    out[spot] = cost
    return out


def assert_sound(
    circle: Any, cost: Any, xy: Any, start: Any, joins: Joins, streets: Streets, *, limit: float, cell: float
) -> None:
    """Reached streets lie inside to a cell, others outside to a cell, and so does the start."""
    shapely.prepare(circle)
    inside = shapely.intersects_xy(circle, xy)
    assert inside[cost <= limit - cell].all()
    foot = shapely.line_interpolate_point(streets.lines[joins.edge[0]], joins.share[0], normalized=True)
    leg = shapely.line_interpolate_point(
        shapely.LineString([start, foot.coords[0]]), np.linspace(0, 1, 400), normalized=True
    )
    reached = np.concatenate([xy[cost <= limit], shapely.get_coordinates(leg)])
    gap, _ = cKDTree(reached).query(xy[inside & (cost > limit)])
    assert (gap <= CELL_M).all(), gap.max()
    assert shapely.intersects_xy(circle, *start)
    assert circle.is_valid
    parts = shapely.get_parts(circle)
    near, _ = shapely.STRtree(shapely.points(reached)).query(parts, predicate="dwithin", distance=CELL_M)
    assert len(np.unique(near)) == len(parts)


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[tuple[float, float]], list[tuple[int, int]], dict[str, list[int]]]:
    """Draw junctions 1 m or more apart, straight streets among them, and which are one-way, steps, or raised."""
    spot = st.tuples(st.integers(0, 400), st.integers(0, 400))
    nodes = draw(st.lists(spot, min_size=3, max_size=9, unique=True))
    ends = st.tuples(st.integers(0, len(nodes) - 1), st.integers(0, len(nodes) - 1)).filter(lambda p: p[0] != p[1])
    edges = draw(st.lists(ends, min_size=2, max_size=12, unique=True))
    some = st.lists(st.integers(0, len(edges) - 1), max_size=2)
    return [(float(x), float(y)) for x, y in nodes], edges, {k: draw(some) for k in ("oneway", "steps", "raised")}


STARTS = st.tuples(st.floats(0, 400), st.floats(0, 400))
SMALL = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SMALL
@given(networks(), STARTS, st.sampled_from([0.0, SPREAD_M]), st.sampled_from([None, *WALKERS.values()]))
def test_circles_of_any_network_are_sound_and_nest(drawn: Any, start: Any, spread_m: float, walker: Any) -> None:
    nodes, edges, kinds = drawn
    streets = streets_of(nodes, edges, **kinds)
    joins = Joiner(streets, NO_BARRIERS).join(np.array([start]))
    if not joins.joined[0]:
        return
    unit, per_metre = ("m", 1.0) if walker is None else ("min", 1 / walker.speed_m_s)
    limits = [2.0, 4.0, 7.0] if walker else [120.0, 250.0, 500.0]
    found = one_circle(streets, start, limits, spread_m=spread_m, joins=joins, walker=walker, unit=unit)
    spots, xy = samples(streets, range(len(edges)), 1.0)
    seconds = 60.0 if walker else 1.0
    cost = walks(WalkNetwork(streets), joins, spots, 1000.0, "s" if walker else "m", walker)
    for circle, limit in zip(found, limits, strict=True):
        assert_sound(circle, cost, xy, start, joins, streets, limit=limit * seconds, cell=CELL_M * per_metre)
    assert shapely.area(shapely.difference(found[:-1], found[1:])).max() < 1e-6


@SMALL
@given(networks(), STARTS, st.tuples(st.integers(0, 8), st.integers(0, 8)), st.sampled_from([0.0, SPREAD_M]))
def test_a_new_way_takes_nothing_away_from_the_streets_nor_from_the_ground_if_it_is_reached(
    drawn: Any, start: Any, ends: Any, spread_m: float
) -> None:
    nodes, edges, kinds = drawn
    a, b = ends[0] % len(nodes), ends[1] % len(nodes)
    before, after = (streets_of(nodes, e, **kinds) for e in (edges, [*edges, (a, b)]))
    joins = Joiner(before, NO_BARRIERS).join(np.array([start]))
    if a == b or not joins.joined[0]:
        return
    limit = 300.0
    [old] = one_circle(before, start, [limit], joins=joins, spread_m=spread_m)
    [new] = one_circle(after, start, [limit], joins=joins, spread_m=spread_m)
    [along_streets] = one_circle(before, start, [limit], joins=joins, spread_m=0)
    assert shapely.difference(along_streets, new).area < 1e-6
    spots, _ = samples(after, [len(edges)], 1.0)
    wholly_reached = (walks(WalkNetwork(after), joins, spots, 1000.0, "m", None) <= limit).all()
    if spread_m == 0 or wholly_reached:
        assert shapely.difference(old, new).area < 1e-6


def test_a_path_through_the_block_adds_ground_and_moves_nothing_elsewhere() -> None:
    before = streets_of(BLOCKS, BLOCK_EDGES)
    # A way through the left block, from a to e; the new place is far from the right end of the circle.
    after = streets_of(BLOCKS, [*BLOCK_EDGES, (0, 4)])
    joins = Joiner(before, NO_BARRIERS).join(np.array([[5.0, -5.0]]))
    [old] = one_circle(before, (5.0, -5.0), [330.0], joins=joins)
    [new] = one_circle(after, (5.0, -5.0), [330.0], joins=joins)
    assert new.area > old.area + 1000
    assert shapely.difference(old, new).area < 1e-6
    far_south = shapely.box(-1000, -1000, 1000, -20)
    assert shapely.intersection(old, far_south).equals(shapely.intersection(new, far_south))


def test_a_way_beyond_the_limit_changes_nothing_at_all() -> None:
    before = streets_of(BLOCKS, BLOCK_EDGES)
    after = streets_of([*BLOCKS, (400.0, 900.0)], [*BLOCK_EDGES, (5, 6)])
    [old] = one_circle(before, (5.0, 5.0), [200.0])
    [new] = one_circle(after, (5.0, 5.0), [200.0])
    assert old.equals_exact(new)


def test_a_block_is_filled_and_a_large_park_is_a_hole() -> None:
    # One ring street of 200 m sides and one of 600 m sides, walked all around.
    small = streets_of([(0, 0), (200, 0), (200, 200), (0, 200)], [(0, 1), (1, 2), (2, 3), (3, 0)])
    large = streets_of([(0, 0), (600, 0), (600, 600), (0, 600)], [(0, 1), (1, 2), (2, 3), (3, 0)])
    [block] = one_circle(small, (0.0, 0.0), [2000.0])
    [park] = one_circle(large, (0.0, 0.0), [2000.0])
    assert shapely.get_num_interior_rings(block) == 0
    assert shapely.get_num_interior_rings(park) == 1
    hole = shapely.Polygon(shapely.get_interior_ring(park, 0))
    assert np.sqrt(hole.area) == pytest.approx(600 - 2 * SPREAD_M, abs=2 * CELL_M)
    assert not shapely.intersects_xy(park, 300, 300)


def test_the_leg_across_the_ground_counts() -> None:
    streets = streets_of([(0, 0), (1000, 0)], [(0, 1)])
    [circle] = one_circle(streets, (0.0, 0.0), [500.0])
    # 60 m aside, 400 m along; 140 m aside, 485 m along: even straight across the ground that is 505 m.
    assert shapely.intersects_xy(circle, 400, 60)
    assert not shapely.intersects_xy(circle, 485, 140)
    assert circle.bounds[2] == pytest.approx(500, abs=CELL_M)


def test_circles_of_a_one_way_street_run_with_it_and_merged_circles_against_it() -> None:
    streets = streets_of([(0, 0), (1000, 0)], [(0, 1)], oneway=[0])
    [out] = one_circle(streets, (500.0, 0.0), [300.0], spread_m=0)
    [towards] = one_circle(streets, (500.0, 0.0), [300.0], spread_m=0, merge=True)
    assert out.bounds[0] == pytest.approx(500, abs=CELL_M)
    assert out.bounds[2] == pytest.approx(800, abs=CELL_M)
    assert towards.bounds[0] == pytest.approx(200, abs=CELL_M)
    assert towards.bounds[2] == pytest.approx(500, abs=CELL_M)


def test_minutes_are_those_of_the_walker_and_steps_and_signals_count() -> None:
    nodes = [(0, 0), (200, 0), (600, 0)]
    plain = streets_of(nodes, [(0, 1), (1, 2)])
    steps = streets_of(nodes, [(0, 1), (1, 2)], steps=[1])
    signals = dataclasses.replace(plain, signals=np.array([False, True, False]))

    def east(streets: Streets, walker: Walker) -> float:
        [circle] = one_circle(streets, (0.0, 0.0), [5.0], walker=walker, unit="min", spread_m=0)
        return float(circle.bounds[2])

    left = 300 - 200 / ADULT.speed_m_s
    assert east(plain, ADULT) == pytest.approx(300 * ADULT.speed_m_s, abs=CELL_M)
    assert east(steps, ADULT) == pytest.approx(200 + left * ADULT.steps_speed_m_s, abs=CELL_M)
    assert east(steps, WALKERS["wheelchair"]) == pytest.approx(200, abs=CELL_M)
    waited = (left - ADULT.signal_wait_s) * ADULT.speed_m_s
    assert east(signals, ADULT) == pytest.approx(200 + waited, abs=CELL_M)


def test_minutes_are_longer_uphill() -> None:
    flat = streets_of([(0, 0), (1000, 0)], [(0, 1)])
    hill = dataclasses.replace(flat, height_m=np.array([0.0, 100.0]))
    [circle] = one_circle(hill, (500.0, 0.0), [5.0], walker=ADULT, unit="min", spread_m=0)
    # Tobler: 10 % up is walked at exp(-0.35) of the speed on the flat, 10 % down at the same speed as there.
    assert circle.bounds[0] == pytest.approx(500 - 300 * 1.33, abs=CELL_M)
    assert circle.bounds[2] == pytest.approx(500 + 300 * 1.33 * np.exp(-0.35), abs=CELL_M)


RIVER = shapely.LinearRing([(-500, 20), (1500, 20), (1500, 60), (-500, 60)])
#   c-----d      the far bank, 80 m from the near one; the river lies between 20 and 60
#   a-----b
BANKS = [(0.0, 0.0), (1000.0, 0.0), (0.0, 80.0), (1000.0, 80.0)]


def test_water_without_a_bridge_is_not_crossed() -> None:
    [circle] = one_circle(streets_of(BANKS, [(0, 1)]), (500.0, 0.0), [400.0], barriers=np.array([RIVER]))
    assert circle.bounds[3] <= 20 + CELL_M  # ground without any street lies on the other side
    [circle] = one_circle(streets_of(BANKS, [(0, 1), (2, 3)]), (500.0, 0.0), [400.0], barriers=np.array([RIVER]))
    assert circle.bounds[3] <= 20 + CELL_M


def test_a_bridge_carries_the_circle_across_and_does_not_spread_over_the_water() -> None:
    nodes = [*BANKS, (500.0, 0.0), (500.0, 80.0)]
    streets = streets_of(nodes, [(0, 4), (4, 1), (2, 5), (5, 3), (4, 5)], raised=[4])
    [circle] = one_circle(streets, (480.0, 0.0), [400.0], barriers=np.array([RIVER]))
    assert shapely.intersects_xy(circle, 500, 40)
    assert shapely.intersects_xy(circle, 600, 100)
    assert shapely.intersection(circle, shapely.box(-500, 20 + CELL_M, 1500, 60 - 10)).area < 20 * 2 * CELL_M
    assert not shapely.intersects_xy(circle, 540, 45)


def test_a_start_far_from_the_street_lies_in_its_own_circle() -> None:
    streets = streets_of([(0, 0), (1000, 0)], [(0, 1)])
    for start in [(500.0, 280.0), (-200.0, 30.0)]:
        [circle] = one_circle(streets, start, [400.0])
        assert shapely.intersects_xy(circle, *start)
        assert shapely.get_num_geometries(circle) == 1


def test_circles_have_one_row_for_each_origin_and_limit_and_leave_the_unjoined_out() -> None:
    streets = streets_of(BLOCKS, BLOCK_EDGES)
    xy = np.array([[0.0, 0.0], [9000.0, 0.0], [400.0, 200.0]])
    joins = Joiner(streets, NO_BARRIERS).join(xy)
    grid = CircleGrid(WalkNetwork(streets))
    table = circles(grid, xy, joins, limits=[100, 50])
    assert table.columns.tolist() == ["origin", "limit", "unit", "geometry"]
    assert table["origin"].tolist() == [0, 0, 2, 2]
    assert table["limit"].tolist() == [50, 100, 50, 100]
    assert table.crs == CRS
    merged = circles(grid, xy, joins, limits=[100], merge=True)
    assert merged.columns.tolist() == ["limit", "unit", "geometry"]
    both = shapely.union_all(table.geometry[table["limit"] == 100].to_numpy())
    assert shapely.symmetric_difference(both, merged.geometry.iloc[0]).area < 1e-6
    assert circles(grid, xy, joins.take(np.array([1, 1, 1])), limits=[100], merge=True).geometry.is_empty.all()


def test_ground_drawn_in_strips_is_the_ground_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # 4 x 4 crossings 400 m apart: the middles of the blocks, farther than 150 m from every street, are holes.
    places = [(400.0 * i + 3.7, 400.0 * j + 1.3) for j in range(4) for i in range(4)]
    streets = streets_of(
        places, [(n, m) for n in range(16) for m in (n + 1, n + 4) if m < 16 and (m != n + 1 or m % 4)]
    )
    xy = np.array([[403.7, 401.3], [1203.7, 801.3]])
    joins, options = Joiner(streets, NO_BARRIERS).join(xy), {"limits": [150, 500, 900], "merge": True}
    whole = circles(CircleGrid(WalkNetwork(streets)), xy, joins, **options).geometry.to_numpy()
    assert shapely.get_num_interior_rings(shapely.get_parts(whole[-1])).sum() >= 4
    monkeypatch.setattr("livingcircle.circles.STRIP_ROWS", 8)  # the ground has 155 rows
    parts = circles(CircleGrid(WalkNetwork(streets)), xy, joins, **options).geometry.to_numpy()
    assert shapely.get_num_coordinates(whole).tolist() == shapely.get_num_coordinates(parts).tolist()
    assert shapely.hausdorff_distance(whole, parts).max() < 1e-6


def test_outlines_close_where_strips_differ_at_their_border(monkeypatch: pytest.MonkeyPatch) -> None:
    # In the acute corner north of the streets, node (48, 96) of the grid lies within 100 m in the strip below and not
    # in the one above: there the sweep begins too late to see that the corner between its neighbours is open ground.
    streets = streets_of([(980, 120), (520, 880), (480, 760)], [(0, 1), (1, 2)])
    network, xy = WalkNetwork(streets), np.array([[980.0, 120.0], [520.0, 880.0], [480.0, 760.0]])
    grid, joins = CircleGrid(network), Joiner(streets, NO_BARRIERS).join(xy)

    def drawn() -> _Drawing:
        with grid.searched(network.walk(), xy, joins, np.array([100.0]), towards=True) as search:
            drawing = _Drawing(grid, search)
            for strip in drawing.strips:
                drawing.add(strip)
        return drawing

    [whole] = drawn().shapes()
    monkeypatch.setattr("livingcircle.circles.STRIP_ROWS", 8)
    drawing = drawn()
    assert len(drawing.found) == 15  # rows -5 to 105
    # Every crossing is come to once and left once; tracing anything else would run out of memory that is ours.
    every = np.arange(drawing.number)
    for ends in ("source", "target"):
        assert np.array_equal(np.sort(np.concatenate([getattr(part, ends) for part in drawing.found])), every)
    [parts] = drawing.shapes()
    assert parts.is_valid
    assert 0 < shapely.symmetric_difference(whole, parts).area < CELL_M**2


@pytest.mark.parametrize("limits", [[], [0.0], [-100.0], [np.inf], [np.nan], [19.0, 500.0]])
def test_limits_that_cannot_be_drawn(limits: list[float]) -> None:
    with pytest.raises(UsageError, match=r"a circle cannot be drawn; got limits .* expected at least 20 m"):
        one_circle(streets_of(BLOCKS, BLOCK_EDGES), (0.0, 0.0), limits)


def test_minutes_without_a_walker() -> None:
    with pytest.raises(UsageError, match="minutes need a walker"):
        one_circle(streets_of(BLOCKS, BLOCK_EDGES), (0.0, 0.0), [5.0], unit="min")


def test_isochrones_are_a_table_in_degrees() -> None:
    network = WalkNetwork(streets_of(BLOCKS, BLOCK_EDGES))
    points = np.array([lonlat(0.0, 0.0), lonlat(400.0, 200.0)])
    table = isochrones(network, None, points, minutes=[5, 2], ids=["west", "east"])
    assert table.columns.tolist() == ["id", "minutes", "walker", "geometry"]
    assert table["id"].tolist() == ["west", "west", "east", "east"]
    assert table["minutes"].tolist() == [2, 5, 2, 5]
    assert table.crs == WGS84
    assert shapely.intersects(table.geometry.to_numpy(), shapely.points(points[[0, 0, 1, 1]])).all()
    assert isochrones(network, None, points, metres=[300])["metres"].tolist() == [300, 300]
    assert isochrones(network, None, points, metres=[300])["id"].tolist() == ["1", "2"]


def test_isochrones_name_every_point_that_does_not_join() -> None:
    network = WalkNetwork(streets_of([(0.0, 0.0), (1000.0, 0.0)], [(0, 1)]))
    wall = np.array([shapely.LineString([(-2000, 50), (3000, 50)])])
    points = np.array([lonlat(500.0, 10.0), lonlat(0.0, 5000.0), lonlat(500.0, 100.0), (np.nan, 30.0)])
    with pytest.raises(InputError) as caught:
        isochrones(network, wall, points, metres=[300])
    one, two, three = str(caught.value).split(" | ")
    assert one.startswith("point 2 (104, 30.0")
    assert "no street within 300 m" in one
    assert "remedy: move" in one
    assert two.startswith("point 3 (")
    assert "crosses water, rail, a motorway or a wall" in two
    assert three.startswith("point 4 (nan, 30)")


@pytest.mark.parametrize("limits", [{}, {"minutes": [5], "metres": [300]}])
def test_isochrones_need_one_unit(limits: dict[str, list[float]]) -> None:
    with pytest.raises(UsageError, match="minutes or metres"):
        isochrones(WalkNetwork(streets_of(BLOCKS, BLOCK_EDGES)), None, np.array([lonlat(0, 0)]), **limits)


def test_isochrones_of_a_file(tmp_path: Path) -> None:
    path = Town("a----b").way("ab", highway="residential").write(tmp_path / "town.osm")
    ground = read_ground(path)
    table = isochrones(ground.network, ground.barriers, np.array([lonlat(0, 5)]), metres=[30, 50])
    assert table["metres"].tolist() == [30, 50]
    table.to_file(tmp_path / "i.geojson", driver="GeoJSON")
    assert len(gpd.read_file(tmp_path / "i.geojson")) == 2


@cache
def _city(path: Path) -> tuple[WalkNetwork, Any]:
    extract = read_osm(path, load_catalogue())
    return WalkNetwork(extract.streets), extract.barriers.geometry.to_numpy()


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["chengdu/chengdu-centre.osm.pbf", "porto-alegre/poa_osm.pbf"])
@pytest.mark.parametrize(("unit", "limits"), [("m", [300.0, 1000.0]), ("min", [5.0, 10.0, 15.0])])
def test_circles_of_real_cities_are_sound(real_data: Path, name: str, unit: Any, limits: list[float]) -> None:
    network, barriers = _city(real_data / name)
    streets = network.streets
    rng = np.random.default_rng(5)
    at = rng.choice(np.flatnonzero((streets.component == 0) & ~streets.raised), 8)
    xy = streets.coords[streets.offsets[at]] + rng.uniform(-40, 40, (8, 2))
    joins = Joiner(streets, barriers).join(xy)
    walker = ADULT if unit == "min" else None
    table = circles(CircleGrid(network, barriers), xy, joins, limits=limits, unit=unit, walker=walker)
    middle = (streets.coords[streets.offsets[:-1]] + streets.coords[streets.offsets[1:] - 1]) / 2
    scale, per_metre = (60.0, 1 / ADULT.speed_m_s) if walker else (1.0, 1.0)
    assert len(table) == joins.joined.sum() * len(limits) > 0
    for origin, rows in table.groupby("origin"):
        close = np.flatnonzero(np.hypot(*(middle - xy[origin]).T) < 1.3 * limits[-1] * scale / per_metre + 500)
        spots, places = samples(streets, close, 2.0)
        start = joins.take(np.array([origin]))
        cost = walks(network, start, spots, limits[-1] * scale, "s" if walker else "m", walker)
        for circle, limit in zip(rows.geometry, rows["limit"], strict=True):
            assert_sound(circle, cost, places, xy[origin], start, streets, limit=limit * scale, cell=CELL_M * per_metre)
        bands = rows.geometry.to_numpy()
        assert shapely.area(shapely.difference(bands[:-1], bands[1:])).max() < 1e-6


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "most"), [("chengdu/chengdu-centre.osm.pbf", 0.15), ("porto-alegre/poa_osm.pbf", 0.08)]
)
def test_circles_hold_the_homes_that_the_network_reaches(real_data: Path, name: str, most: float) -> None:
    network, barriers = _city(real_data / name)
    streets = network.streets
    rng = np.random.default_rng(3)
    at = rng.choice(np.flatnonzero((streets.component == 0) & ~streets.raised), 5)
    xy = streets.coords[streets.offsets[at]]
    joiner = Joiner(streets, barriers)
    starts = joiner.join(xy)
    table = circles(CircleGrid(network, barriers), xy, starts, limits=[1000.0])
    wrong = covered = 0
    for start, circle in zip(range(5), table.geometry, strict=True):
        places = xy[start] + rng.uniform(-1100, 1100, (4000, 2))
        homes = joiner.join(places)
        walk = walks(network, starts.take(np.array([start])), homes, 1000.0, "m", None)
        inside = shapely.intersects_xy(circle, places)
        wrong += int(((walk <= 1000) != inside).sum())
        covered += int((walk <= 1000).sum())
    assert 0 < wrong < most * covered
