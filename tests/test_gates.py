"""Gated estates: people leave through the gates; opening the borders never lengthens a walk. Distances by hand.

All towns are one block of streets, 300 m square, around an estate from (20, 20) to (280, 280):

    (0,300)────────(150,300)────────(300,300)
       │     ┌─────────┴─────────┐      │        the gate is in the north, at (150, 280)
       │     │      (150,100)    │      │        the street inside, if any, ends at (150, 100)
       │     │         o home    │      │        home at (150, 60)
       │     └───────────────────┘      │
    (0,0)───────────────────────────(300,0)
                       x shop                     shop at (150, -10)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from demo_scans import demo_result
from livingcircle.gates import barriers_with, with_gate_paths
from livingcircle.joins import Joiner, Joins
from livingcircle.network import WalkNetwork
from livingcircle.result import ScanResult
from livingcircle.scan import scan
from livingcircle_layers.errors import InputError
from livingcircle_layers.estates import Estates, read_estates
from livingcircle_layers.streets import Streets
from towns import CRS as TOWN_CRS
from towns import Town, lonlat, streets_of, study_of

# North by the gate, west, south and east around the block, 10 m to the shop:
AROUND = 20 + 150 + 300 + 150 + 10
RULE = {"id": "shop", "services": ["convenience"], "metric": "walk_m", "threshold": 300, "threshold_unit": "m"}
FILE_M = 0.05


def block() -> Town:
    """Return the streets around the block, and the shop."""
    corners = [(0.0, 0.0), (300.0, 0.0), (300.0, 300.0), (0.0, 300.0)]
    town = Town("a---b---c\n---------\nd-------e", dx=37.5, dy=150)  # a, b, c at y = 300; d, e at y = 0
    assert town.xy("b") == (150, 300)
    assert [town.xy(mark) for mark in "deca"] == corners
    return town.way("abc").way("ad").way("de").way("ec").node(150, -10, shop="convenience", name="店")


def walled(town: Town) -> Town:
    """Add the estate as OpenStreetMap knows it: residential land, a wall around it, a gate in the north."""
    town.box(20, 20, 260, 260, landuse="residential", name="院").box(20, 20, 260, 260, barrier="wall")
    return town.node(150, 280, barrier="gate")


def inner_street(town: Town, south: float = 100) -> Town:
    """Add the street inside, from the street in the north through the gate."""
    first = max(town._nodes) + 1000
    town._nodes |= {first: ((150.0, south), {})}
    town._ways.append((500, [ord("b"), first], {"highway": "service"}))
    return town


def scanned(folder: Path, town: Town, homes: list[tuple[float, float, int]], **study: Any) -> ScanResult:
    folder.mkdir(exist_ok=True)
    return scan(study_of(folder, town, people=homes, rules=[RULE], **study))


def walks(result: ScanResult) -> list[float]:
    return result.homes.sort_values(["y", "x"])["nearest_m_convenience"].tolist()


def median(result: ScanResult, gates: str) -> float:
    rows = result.coverage[(result.coverage["level"] == "city") & (result.coverage["gates"] == gates)]
    return float(rows["nearest_m_median"].item())


HOME = (150.0, 60.0, 100)


def test_people_leave_by_the_street_through_the_gate(tmp_path: Path) -> None:
    # 40 m to the end of the inner street, 180 m to the gate, and around. The street in the south is 60 m away, behind
    # the wall.
    assert AROUND == 630
    assert walks(scanned(tmp_path, inner_street(walled(block())), [HOME])) == pytest.approx(
        [40 + 180 + AROUND], abs=FILE_M
    )


def test_where_no_street_is_mapped_inside_people_walk_straight_to_the_gate(tmp_path: Path) -> None:
    # The path runs from the middle (150, 150) to the gate: 90 m to the middle, 130 m to the gate, and around. The
    # second home is 50 m beside the path, 80 m before the gate.
    homes = [HOME, (100.0, 200.0, 10)]
    result = scanned(tmp_path, walled(block()), homes)
    assert walks(result) == pytest.approx([90 + 130 + AROUND, 50 + 80 + AROUND], abs=FILE_M)
    assert result.homes.sort_values("y")["leg_m"].tolist() == pytest.approx([90, 50], abs=FILE_M)


def test_an_outline_that_is_itself_the_wall_is_an_estate(tmp_path: Path) -> None:
    # One closed way says residential land and wall at once.
    town = block().box(20, 20, 260, 260, landuse="residential", barrier="wall", name="院")
    town.node(150, 280, barrier="gate")
    assert walks(scanned(tmp_path, town, [HOME])) == pytest.approx([90 + 130 + AROUND], abs=FILE_M)


def test_nobody_lives_behind_a_wall_without_a_gate(tmp_path: Path) -> None:
    shut = block().box(20, 20, 260, 260, landuse="residential").box(20, 20, 260, 260, barrier="wall")
    lost = scanned(tmp_path, shut, [HOME, (10.0, 10.0, 5)]).unplaced
    assert lost["people"].tolist() == [100]
    assert lost["reason"].tolist() == ["way_to_street_blocked"]


def test_with_open_borders_people_walk_straight_out(tmp_path: Path) -> None:
    # Without a street inside: 60 m south to the street, 10 m to the shop.
    result = scanned(tmp_path, walled(block()), [HOME], gates="both")
    assert median(result, "respect") == pytest.approx(90 + 130 + AROUND, abs=FILE_M)
    assert median(result, "open") == pytest.approx(60 + 10, abs=FILE_M)


def test_open_borders_are_crossed_from_the_streets_inside(tmp_path: Path) -> None:
    # The border is crossed every 20 m; the way from the end of the inner street (150, 100) to (140, 20) passes
    # 40 · 10 / 80.62 = 4.96 m beside the home, 80.62 - 40 · 80 / 80.62 = 40.93 m before the border. Then 20 m to the
    # street, 10 m along it, 10 m to the shop.
    result = scanned(tmp_path, inner_street(walled(block())), [HOME], gates="both")
    assert np.hypot(10, 80) == pytest.approx(80.62, abs=0.01)
    assert median(result, "respect") == pytest.approx(40 + 180 + AROUND, abs=FILE_M)
    assert median(result, "open") == pytest.approx(4.96 + 40.93 + 20 + 10 + 10, abs=FILE_M)


def test_gains_of_an_estate_are_the_people_whom_opening_brings_inside(tmp_path: Path) -> None:
    # 100 people walk 850 m, and over the border 70 m. 10 people at (150, 270) walk 10 m to the gate and around, 640 m;
    # over the border their nearest street is the same. 7 people beside the shop live outside the estate.
    homes = [HOME, (150.0, 270.0, 10), (150.0, -5.0, 7)]
    gains = scanned(tmp_path, walled(block()), homes, gates="both").estates
    assert gains is not None
    assert len(gains) == 1
    one = gains.iloc[0]
    assert (one["name"], one["known_gates"], one["rule"], one["unit_id"]) == ("院", 1, "shop", "u")
    assert (one["people"], one["inside"]) == (110, 0)
    assert (one["inside_open"], one["gain"]) == (100, 100)


def test_gates_open_alone_gives_the_open_rows(tmp_path: Path) -> None:
    town = walled(block())
    both = scanned(tmp_path / "both", town, [HOME], gates="both").coverage
    alone = scanned(tmp_path / "open", town, [HOME], gates="open").coverage
    wanted = both[both["gates"] == "open"].reset_index(drop=True)
    assert set(both["gates"]) == {"respect", "open"}
    assert alone.equals(wanted)


# -- the planner's own file --------------------------------------------------------------------------------------------


def write_estates(
    path: Path, gated: str | None = "yes", gates: tuple[tuple[float, float], ...] = ((150, 280),)
) -> Path:
    ring = [lonlat(x, y) for x, y in ((20, 20), (280, 20), (280, 280), (20, 280), (20, 20))]
    outline = {"type": "Polygon", "coordinates": [ring]}
    points = [{"type": "Point", "coordinates": lonlat(*place)} for place in gates]
    features = [
        {"type": "Feature", "geometry": g, "properties": {"名称": "院", **({"gated": gated} if gated else {})}}
        for g in (outline, *points)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def with_file(folder: Path, town: Town, homes: list[tuple[float, float, int]], **file: Any) -> ScanResult:
    estates = write_estates(folder / "estates.geojson", **file)
    return scanned(folder, town, homes, estates={"file": estates})


def test_a_planner_tells_of_an_estate_that_the_map_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert walks(scanned(tmp_path / "b", block(), [HOME])) == pytest.approx([60 + 10], abs=FILE_M)
    assert walks(with_file(tmp_path / "a", block(), [HOME])) == pytest.approx([90 + 130 + AROUND], abs=FILE_M)


@pytest.mark.parametrize("gated", ["no", "否"])
def test_an_open_estate_changes_nothing(tmp_path: Path, gated: str) -> None:
    assert walks(with_file(tmp_path, block(), [HOME], gated=gated)) == pytest.approx([60 + 10], abs=FILE_M)


def through_street(town: Town) -> Town:
    """Add a street through the whole estate, from north to south, past the gate and through the southern border."""
    first = max(town._nodes) + 1000
    town._nodes |= {first: ((150.0, 0.0), {})}
    town._ways = [w for w in town._ways if w[1] != [ord("d"), ord("e")]]
    town._ways += [(500, [ord("b"), first], {"highway": "service"}),
                   (501, [ord("d"), first, ord("e")], {"highway": "residential"})]  # fmt: skip
    return town


def test_a_street_is_shut_where_the_planner_says_that_there_is_no_gate(tmp_path: Path) -> None:
    # One street passes the gate and the southern border. Without the file: 60 m south, 10 m. With it, it is cut at the
    # border only: 220 m north to the gate and around; outside, the 20 m between border and street are still there.
    town = through_street(block())
    homes = [HOME, (150.0, 10.0, 5)]
    (tmp_path / "a").mkdir()
    assert walks(scanned(tmp_path / "b", town, homes)) == pytest.approx([10 + 10, 60 + 10], abs=FILE_M)
    assert walks(with_file(tmp_path / "a", town, homes)) == pytest.approx([10 + 10, 220 + AROUND], abs=FILE_M)


def test_streets_inside_are_linked_to_a_gate_that_no_street_passes(tmp_path: Path) -> None:
    # The map knows the way in from the south; the planner says that the gate is in the west, at (20, 150), only.
    # Home at (150, 60) on the street: 90 m north to (150, 150), 130 m west to the gate, 20 m to the street x = 0,
    # 150 m south, 150 m east, 10 m to the shop.
    town = through_street(block())
    result = with_file(tmp_path, town, [HOME], gates=((20, 150),))
    assert walks(result) == pytest.approx([90 + 130 + 20 + 150 + 150 + 10], abs=FILE_M)


def test_a_gate_point_beside_the_outline_is_a_gate_of_it(tmp_path: Path) -> None:
    # 15 m inside the outline, within the 20 m of a planner's gate; the way out still passes the border at (150, 280).
    result = with_file(tmp_path, block(), [HOME], gates=((150, 265),))
    assert walks(result) == pytest.approx([90 + 130 + AROUND], abs=FILE_M)


def test_a_gated_estate_without_a_gate_point_shuts_nothing(tmp_path: Path) -> None:
    result = with_file(tmp_path, block(), [HOME], gates=())
    assert walks(result) == pytest.approx([60 + 10], abs=FILE_M)
    assert any("no gate is known for 1 of them" in note for note in result.run["warnings"])


def test_files_of_estates_that_cannot_be_used(tmp_path: Path) -> None:
    crs = scanned(tmp_path, block(), [HOME]).run["crs"]
    perhaps = write_estates(tmp_path / "perhaps.geojson", gated="perhaps")
    with pytest.raises(InputError, match=r"perhaps\.geojson: column gated is neither yes nor no.*row 1: 'perhaps'"):
        read_estates(perhaps, crs=crs)
    points = json.loads(perhaps.read_text(encoding="utf-8"))
    points["features"] = points["features"][1:]
    (tmp_path / "points.geojson").write_text(json.dumps(points), encoding="utf-8")
    with pytest.raises(InputError, match=r"points\.geojson holds no estate.*no polygon"):
        read_estates(tmp_path / "points.geojson", crs=crs)


def test_without_a_column_every_outline_is_gated(tmp_path: Path) -> None:
    crs = scanned(tmp_path, block(), [HOME]).run["crs"]
    estates = read_estates(write_estates(tmp_path / "plain.geojson", gated=None), crs=crs)
    assert (len(estates.frame), len(estates.open_outlines), estates.unknown) == (1, 0, 0)
    assert estates.frame["name"].tolist() == ["院"]
    assert estates.frame["gates"].tolist() == [1]


def test_an_estate_elsewhere_leaves_those_of_the_map_alone(tmp_path: Path) -> None:
    before = scanned(tmp_path, walled(block()), [HOME])
    corners = [lonlat(x, y) for x, y in [(400, 400), (450, 400), (450, 450), (400, 450)]]
    polygon = {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}
    far = {"type": "Feature", "properties": {"gated": "no"}, "geometry": polygon}
    file = tmp_path / "far.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [far]}), encoding="utf-8")
    after = scanned(tmp_path, walled(block()), [HOME], estates={"file": file})
    assert walks(after) == walks(before)
    assert after.run["people"] == before.run["people"]


def test_a_planner_who_knows_that_it_is_open_is_believed_over_the_wall(tmp_path: Path) -> None:
    file = write_estates(tmp_path / "open.geojson", gated="no")
    result = scanned(tmp_path, walled(block()), [HOME], estates={"file": file})
    # home (150, 60) walks 60 m to the street in the south; the shop stands at (150, -10) beside it
    assert walks(result) == pytest.approx([70], abs=FILE_M)


# -- the paths made for an estate's people are no short cut ------------------------------------------------------------

#   A square estate of 200 m with streets all around it, 20 m off, and gates wherever chance puts them.
RING = streets_of(
    [(-20, -20), (220, -20), (220, 220), (-20, 220), (100, -120)], [(0, 1), (1, 2), (2, 3), (3, 0), (0, 4), (4, 1)]
)
_AROUND = st.tuples(st.integers(0, 3), st.floats(0.02, 0.98))
_OUTSIDE = st.tuples(st.floats(-150, 350), st.floats(-150, 350)).filter(
    lambda p: not (-1 < p[0] < 201 and -1 < p[1] < 201)
)


def square_estate(gates: list[tuple[int, float]]) -> Estates:
    ring = shapely.box(0, 0, 200, 200).exterior
    points = [ring.interpolate((side + share) / 4, normalized=True) for side, share in gates]
    frame = gpd.GeoDataFrame(
        {"estate_id": ["e"], "name": ["院"], "source": ["own"], "gates": [len(points)]},
        geometry=[shapely.box(0, 0, 200, 200)],
        crs=TOWN_CRS,
    )
    gates_frame = gpd.GeoDataFrame({"estate": np.zeros(len(points), dtype=int)}, geometry=points, crs=TOWN_CRS)
    return Estates(frame, gates_frame, np.array([], dtype=object), 0)


def no_barriers() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"kind": pd.Series(dtype="str")}, geometry=gpd.GeoSeries([], crs=TOWN_CRS))


@given(st.lists(_AROUND, min_size=1, max_size=4), st.lists(_OUTSIDE, min_size=2, max_size=8))
@settings(max_examples=60, deadline=None)
def test_nobody_outside_takes_a_short_cut_through_an_estate(
    gates: list[tuple[int, float]], places: list[tuple[float, float]]
) -> None:
    estates = square_estate(gates)
    lines = barriers_with(no_barriers(), estates, RING, open_=False)
    with_star = with_gate_paths(RING, estates, lines, limit_m=300)
    assert (with_star.highway == "estate").sum() == 3 * len(gates)
    walks = []
    for streets in (RING, with_star):
        joins = Joiner(streets, lines).join(np.array(places))
        walks.append(WalkNetwork(streets).walk().pairs(joins, joins, limit=1e6))
    (a, b, before), (c, d, after) = walks
    assert (a.tolist(), b.tolist()) == (c.tolist(), d.tolist())
    np.testing.assert_allclose(after, before, atol=0.0101)  # neither shorter nor longer


@given(st.lists(_AROUND, min_size=1, max_size=4), st.tuples(st.floats(5, 195), st.floats(5, 195)), _OUTSIDE)
@settings(max_examples=60, deadline=None)
def test_people_of_an_estate_leave_by_their_best_gate(
    gates: list[tuple[int, float]], home: tuple[float, float], shop: tuple[float, float]
) -> None:
    estates = square_estate(gates)
    lines = barriers_with(no_barriers(), estates, RING, open_=False)
    streets = with_gate_paths(RING, estates, lines, limit_m=300)
    joiner = Joiner(streets, lines)
    start, door = joiner.join(np.array([home])), joiner.join(np.array([shop]))
    # By hand: from the home straight to its path, along the star to a gate, straight to the street, and on.
    gate_xy = shapely.get_coordinates(estates.gates.geometry.to_numpy())
    on_path = streets.lines[start.edge[0]].interpolate(start.share[0], normalized=True)
    middle = shapely.get_coordinates(shapely.point_on_surface(estates.frame.geometry.iloc[0]))[0]
    outer = Joiner(RING, lines)
    at_gate = outer.join(gate_xy)
    rest, _ = WalkNetwork(RING).walk().nearest(at_gate, outer.join(np.array([shop])), limit=1e6)
    ways = []
    for gate, further in zip(gate_xy, rest, strict=True):
        arm = shapely.LineString([middle, gate])
        inside = on_path.distance(shapely.Point(gate))
        if arm.distance(on_path) > 1e-6:
            inside = on_path.distance(shapely.Point(middle)) + arm.length
        ways.append(start.leg_m[0] + inside + further)
    walk, _ = WalkNetwork(streets).walk().nearest(start, door, limit=1e6)
    assert walk[0] == pytest.approx(min(ways), abs=0.011)


def test_a_place_inside_such_an_estate_serves_its_own_people() -> None:
    estates = square_estate([(0, 0.5), (2, 0.5)])
    lines = barriers_with(no_barriers(), estates, RING, open_=False)
    streets = with_gate_paths(RING, estates, lines, limit_m=300)
    inside, other, outside = (Joiner(streets, lines).join(np.array([p])) for p in [(90, 90), (110, 150), (100, -40)])
    walk = WalkNetwork(streets).walk()
    # the gates are at (200, 100) and (0, 100): 50 m to the path, 20 m along it, 10 m to the place
    assert walk.nearest(other, inside, limit=1e6)[0].tolist() == [80.0]
    assert np.isnan(walk.nearest(outside, inside, limit=1e6)[0]).all()
    assert np.isfinite(walk.nearest(inside, outside, limit=1e6)[0]).all()


def test_places_inside_such_estates_are_counted_in_the_notes(tmp_path: Path) -> None:
    town = walled(block()).node(150, 150, shop="convenience", name="院内店")
    result = scanned(tmp_path, town, [HOME, (100.0, -30.0, 7)])
    said = "places in gated estates that no mapped street leads to, which serve their own people only: 1"
    assert said in result.run["warnings"]
    assert walks(result) == pytest.approx([30 + 50 + 10, 90], abs=FILE_M)  # the inner shop is 90 m from the home


#   An estate like a U, open to the north, in the same ring of streets; the middle is in its left arm, at (30, 120).
#
#     (0,200)┌──┐      ┌──┐gate (200,180), or inside the notch (140,180)
#            │ ·│ notch│  │
#            │  └──────┘  │      the notch is x = 60 to 140, down to y = 40
#      (0,0) └────────────┘(200,0)
U = shapely.Polygon([(0, 0), (200, 0), (200, 200), (140, 200), (140, 40), (60, 40), (60, 200), (0, 200)])


def u_shaped(gate: tuple[float, float]) -> tuple[Streets, np.ndarray]:
    frame = gpd.GeoDataFrame(
        {"estate_id": ["e"], "name": ["院"], "source": ["own"], "gates": [1]}, geometry=[U], crs=TOWN_CRS
    )
    gates = gpd.GeoDataFrame({"estate": [0]}, geometry=[shapely.Point(gate)], crs=TOWN_CRS)
    estates = Estates(frame, gates, np.array([], dtype=object), 0)
    lines = barriers_with(no_barriers(), estates, RING, open_=False)
    return with_gate_paths(RING, estates, lines, limit_m=300), lines


@pytest.mark.parametrize("gate", [(200, 180), (140, 180), (0, 180), (100, 0)])
def test_the_paths_of_a_bent_estate_stay_inside_it(gate: tuple[float, float]) -> None:
    streets, lines = u_shaped(gate)
    own = streets.lines[(streets.highway == "estate") & ~streets.raised]
    assert shapely.within(own, U).all()
    # Whoever lives or works in the notch joins the street in the north, and is walked to as if there were no estate.
    notch = np.array([[100.0, 120.0], [100.0, 190.0]])
    joins = Joiner(streets, lines).join(notch)
    assert joins.leg_m.tolist() == [100.0, 30.0]
    outsider = Joiner(streets, lines).join(np.array([[240.0, 100.0]]))
    # 20 m to the street, 120 m north, 120 m west, 100 m south
    assert WalkNetwork(streets).walk().nearest(outsider, joins.take([0]), limit=1e6)[0].tolist() == [360.0]


def test_people_of_a_bent_estate_walk_around_its_notch() -> None:
    # From (30, 120) around the inner corners (59, 39) and (141, 39), a metre off the wall, to (199, 180) behind the
    # gate, and on to the street at (220, 180); the shop lies there. The path itself begins at the home.
    streets, lines = u_shaped((200, 180))
    home, shop = (Joiner(streets, lines).join(np.array([p])) for p in [(30.0, 120.0), (220.0, 180.0)])
    by_hand = np.hypot(29, 81) + 82 + np.hypot(58, 141) + 1 + 20
    assert WalkNetwork(streets).walk().nearest(home, shop, limit=1e6)[0][0] == pytest.approx(by_hand, abs=1.0)


@given(
    st.sampled_from([(200.0, 180.0), (140.0, 180.0), (0.0, 180.0), (100.0, 0.0)]),
    st.tuples(st.floats(2, 198), st.floats(2, 198)).filter(lambda p: shapely.Point(p).within(U.buffer(-2))),
)
@settings(max_examples=40, deadline=None)
def test_nobody_is_lost_in_a_bent_estate(gate: tuple[float, float], home: tuple[float, float]) -> None:
    streets, lines = u_shaped(gate)
    joins = Joiner(streets, lines).join(np.array([home]))
    assert joins.joined.all()
    assert streets.highway[joins.edge[0]] == "estate"
    on_path = streets.lines[joins.edge[0]].interpolate(joins.share[0], normalized=True)
    assert U.covers(shapely.LineString([home, on_path]))
    corner = end_of_ring(streets)
    assert np.isfinite(WalkNetwork(streets).walk().nearest(joins, corner, limit=1e6)[0]).all()


def end_of_ring(streets: Streets) -> Joins:
    first = np.flatnonzero(streets.highway != "estate")[:1]
    return Joins(first, np.zeros(1), np.zeros(1), np.array([""], dtype=object))


def test_people_live_all_around_a_court_that_is_no_part_of_the_estate(tmp_path: Path) -> None:
    ring = shapely.Polygon(shapely.box(20, 20, 280, 280).exterior, [shapely.box(100, 100, 200, 200).exterior])
    rings = [[lonlat(x, y) for x, y in r.coords] for r in (ring.exterior, *ring.interiors)]
    features = [
        {"type": "Feature", "properties": {"gated": "yes"}, "geometry": {"type": "Polygon", "coordinates": rings}},
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": lonlat(150, 280)}},
    ]
    file = tmp_path / "court.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    homes = [HOME, (150.0, 250.0, 3), (60.0, 60.0, 2), (240.0, 150.0, 1)]
    assert scanned(tmp_path, block(), homes, estates={"file": file}).unplaced.empty


def test_each_part_of_an_estate_in_two_parts_leaves_by_its_own_gate() -> None:
    two = shapely.union(shapely.box(0, 0, 80, 200), shapely.box(120, 0, 200, 200))
    frame = gpd.GeoDataFrame(
        {"estate_id": ["e"], "name": ["院"], "source": ["own"], "gates": [2]}, geometry=[two], crs=TOWN_CRS
    )
    gates = gpd.GeoDataFrame(
        {"estate": [0, 0]}, geometry=[shapely.Point(0, 100), shapely.Point(200, 100)], crs=TOWN_CRS
    )
    estates = Estates(frame, gates, np.array([], dtype=object), 0)
    lines = barriers_with(no_barriers(), estates, RING, open_=False)
    streets = with_gate_paths(RING, estates, lines, limit_m=300)
    homes = Joiner(streets, lines).join(np.array([[30.0, 100.0], [170.0, 100.0], [100.0, 100.0]]))
    shops = Joiner(streets, lines).join(np.array([[-20.0, 100.0], [220.0, 100.0]]))
    walk = WalkNetwork(streets).walk()
    # 30 m to the gate, 20 m to the street; from between the parts 120 m to a street, 120 m along it, 120 m.
    assert walk.nearest(homes, shops, limit=1e6)[0] == pytest.approx([50.0, 50.0, 360.0], abs=0.5)


def test_gates_linked_with_streets_inside_are_no_way_through_for_others(tmp_path: Path) -> None:
    # Gates in the north and in the south, and a street between (150, 60) and (150, 240) that meets neither. From
    # (150, 310) others walk around, 10 + 150 + 300 + 150 + 10 m; the estate's people leave by the southern gate, 40 m
    # to the gate, 20 m to the street, 10 m.
    town = walled(block()).node(150, 20, barrier="gate").street((150, 60), (150, 240), highway="service")
    town.node(150, 200, shop="convenience", name="院内店")
    result = scanned(tmp_path, town, [(150.0, 310.0, 10), HOME, (150.0, 160.0, 1)])
    assert walks(result) == pytest.approx([40 + 20 + 10, 40, 620], abs=FILE_M)
    assert any("serve their own people only: 1" in note for note in result.run["warnings"])


# -- outlines that are traced on the street ----------------------------------------------------------------------------


def traced(folder: Path, off: float, noise: float = 0.0) -> Path:
    """Write an estate whose outline lies `off` metres outside the streets of the block, gate in the north."""
    low, high = 0.0 - off, 300.0 + off
    corners = [(low, low), (high, low), (high, high), (low, high)]
    ring = shapely.segmentize(shapely.Polygon(corners).exterior, 25.0)
    wave = noise * np.sin(np.arange(shapely.get_num_coordinates(ring)))[:, None]
    places = [lonlat(x, y) for x, y in shapely.get_coordinates(ring) + wave]
    outline = {"type": "Polygon", "coordinates": [[*places[:-1], places[0]]]}
    features = [
        {"type": "Feature", "geometry": g, "properties": {"名称": "院", "gated": "yes"}}
        for g in (outline, {"type": "Point", "coordinates": lonlat(150, high)})
    ]
    file = folder / "traced.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return file


@pytest.mark.parametrize(("off", "noise"), [(0.0, 0.0), (0.0, 0.3), (0.04, 0.0), (0.8, 0.0), (-0.8, 0.0)])
def test_an_outline_traced_on_the_street_still_shuts_the_estate(tmp_path: Path, off: float, noise: float) -> None:
    # Inside: 90 m to the middle, 150 m to the gate on the northern street, 150 + 300 + 150 m around, 10 m to the shop.
    # Outside, beyond the western street and below the southern one: 20 m, 150 + 150 m, 10 m; and 30 m, 50 m, 10 m.
    homes = [HOME, (-20.0, 150.0, 5), (100.0, -30.0, 7)]
    result = scanned(tmp_path, block(), homes, estates={"file": traced(tmp_path, off, noise)})
    assert walks(result) == pytest.approx([30 + 50 + 10, 90 + 150 + 600 + 10, 20 + 300 + 10], abs=2.5)


def test_streets_inside_an_outline_on_the_street_are_linked_by_the_gate_alone(tmp_path: Path) -> None:
    # The inner street runs from (150, 100) to the northern street, where the gate is: 40 m, 200 m, 600 m, 10 m.
    homes = [HOME, (100.0, -30.0, 7)]
    result = scanned(tmp_path, inner_street(block()), homes, estates={"file": traced(tmp_path, 0.0)})
    assert walks(result) == pytest.approx([30 + 50 + 10, 40 + 200 + 600 + 10], abs=0.5)


# -- the demo town -----------------------------------------------------------------------------------------------------


def test_opening_never_lengthens_a_walk_and_never_lowers_coverage() -> None:
    table = demo_result("both").coverage
    keys = ["level", "unit_id", "rule", "group", "walker"]
    respect, open_ = (table[table["gates"] == gates].set_index(keys) for gates in ("respect", "open"))
    supply = respect[~respect.index.isin(open_.index)]  # what a community has, whoever walks to it
    assert not supply["clause_measure"].isin(["walk_m", "walk_min", "radius_m"]).any()
    respect = respect.drop(supply.index)
    open_ = open_.loc[respect.index]
    for column in ("covered", "minutes_covered"):
        assert (open_[column].fillna(-1) >= respect[column].fillna(-1)).all()
    for column in ("nearest_m_median", "nearest_m_p90"):
        assert (open_[column].fillna(np.inf) <= respect[column].fillna(np.inf)).all()
    assert (open_["radius_covered"].fillna(-1) == respect["radius_covered"].fillna(-1)).all()  # no wall in a radius
    assert open_["covered"].sum() > respect["covered"].sum()


def test_comparing_leaves_the_numbers_with_gates_as_they_are() -> None:
    table = demo_result("both").coverage
    # rules that ask for a supply say nothing of gates
    assert table[table["gates"] != "open"].reset_index(drop=True).equals(demo_result().coverage)
    assert demo_result("both").scores.equals(demo_result().scores)


def test_opening_helps_the_estate_whose_gate_faces_away() -> None:
    # Cell (4, 4): 3002 people behind one gate in the north, the kindergarten wall to wall in the south-west.
    gains = demo_result("both").estates
    assert gains is not None
    assert (gains["gain"] >= 0).all()
    assert (gains["gain"] == gains["inside_open"] - gains["inside"]).all()
    assert (gains["inside_open"] <= gains["people"]).all()
    faces_away = gains[(gains["name"] == "示意映月城") & (gains["rule"] == "gb50180_2018_kindergarten")].iloc[0]
    assert (faces_away["known_gates"], faces_away["inside"]) == (1, 0)
    assert faces_away["gain"] > 0


def test_gates_stand_on_the_outlines(tmp_path: Path) -> None:
    crs = scanned(tmp_path, block(), [HOME]).run["crs"]
    estates = read_estates(write_estates(tmp_path / "e.geojson", gates=((150, 265), (295, 100), (150, 150))), crs=crs)
    outline = shapely.boundary(estates.frame.geometry.iloc[0])
    assert len(estates.gates) == 2  # 15 m off the outline each; the one in the middle is no gate
    assert shapely.distance(outline, estates.gates.geometry.to_numpy()).max() < 1e-6
