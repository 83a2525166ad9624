"""Access points: gates, crossings and frontage of grounds, entrances of buildings, centres for want of better."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from livingcircle_layers.access import FRONTAGE_REACH_M, FRONTAGE_STEP_M, access_points, has_fence_tag, is_gate
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.facilities import osm_facilities
from livingcircle_layers.streets import Streets
from towns import CRS, Town, streets_of

Row = tuple[str, float, float]


def places(*shapes: Any, ground: bool = True, fence: bool = False) -> gpd.GeoDataFrame:
    area = shapely.area(np.array(shapes, dtype=object))
    columns = {"ground": ground, "fence_tag": fence, "area_m2": np.where(area > 0, area, np.nan)}
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS)


def features(*tagged: tuple[float, float, dict[str, str]]) -> gpd.GeoDataFrame:
    tags = np.empty(len(tagged), dtype=object)
    tags[:] = [t for _, _, t in tagged]
    return gpd.GeoDataFrame({"tags": tags}, geometry=[shapely.Point(x, y) for x, y, _ in tagged], crs=CRS)


def doors(
    frame: gpd.GeoDataFrame,
    streets: Streets,
    *,
    gates: tuple[tuple[float, float, dict[str, str]], ...] = (),
    walls: tuple[Any, ...] = (),
) -> list[list[Row]]:
    """Return the access points of every place: how, x, y."""
    found = access_points(frame, streets=streets, features=features(*gates), walls=np.array(walls, dtype=object))
    rows: list[list[Row]] = [[] for _ in range(len(frame))]
    for place, how, point in zip(found["place"], found["how"], found.geometry, strict=True):
        rows[place].append((how, round(point.x, 6), round(point.y, 6)))
    return rows


#        |            the park is 200 m wide and 100 m high; a street passes 20 m south of it,
#   ┌────┼────┐       another crosses its northern outline at x = 50 and ends inside
#   │    |    │
#   └─────────┘
#  ══════════════
PARK = shapely.box(0, 0, 200, 100)
SOUTH = streets_of([(-500, -20), (500, -20)], [(0, 1)])
SOUTH_AND_NORTH = streets_of([(-500, -20), (500, -20), (50, 300), (50, 60)], [(0, 1), (2, 3)])
FAR = streets_of([(-500, -200), (500, -200)], [(0, 1)])
GATE = {"barrier": "gate"}
FENCE = PARK.exterior


def test_an_open_park_has_frontage_where_a_street_runs_beside_it() -> None:
    (rows,) = doors(places(PARK), SOUTH)
    assert {how for how, _, _ in rows} == {"frontage"}
    xy = np.array([(x, y) for _, x, y in rows])
    assert (xy[:, 1] <= FRONTAGE_REACH_M - 20).all()  # nothing on the far side
    south = np.sort(xy[xy[:, 1] == 0, 0])
    assert south[0] <= FRONTAGE_STEP_M
    assert south[-1] >= 200 - FRONTAGE_STEP_M
    assert np.diff(south).max() <= FRONTAGE_STEP_M


def test_frontage_ends_at_thirty_metres() -> None:
    at = [streets_of([(-500, -y), (500, -y)], [(0, 1)]) for y in (30.0, 30.01)]
    assert {how for how, _, _ in doors(places(PARK), at[0])[0]} == {"frontage"}
    assert len(doors(places(PARK), at[0])[0]) > 1
    ((how, _, y),) = doors(places(PARK), at[1])[0]  # further away: only where the park comes nearest to a street
    assert (how, y) == ("frontage", 0.0)


def test_an_open_park_has_gates_crossings_and_frontage_together() -> None:
    (rows,) = doors(places(PARK), SOUTH_AND_NORTH, gates=((200, 50, GATE),))
    assert {how for how, _, _ in rows} == {"gate", "crossing", "frontage"}
    assert ("gate", 200.0, 50.0) in rows
    assert ("crossing", 50.0, 100.0) in rows


def test_a_fenced_park_is_entered_at_its_gate_only() -> None:
    (rows,) = doors(places(PARK), SOUTH, gates=((200, 50, GATE),), walls=(FENCE,))
    assert rows == [("gate", 200.0, 50.0)]
    assert doors(places(PARK, fence=True), SOUTH, gates=((200, 50, GATE),)) == [rows]


def test_a_fenced_park_without_a_gate_is_entered_where_a_street_passes() -> None:
    assert doors(places(PARK), SOUTH_AND_NORTH, walls=(FENCE,)) == [[("crossing", 50.0, 100.0)]]


def test_a_fenced_park_without_gate_or_street_has_no_way_in() -> None:
    assert doors(places(PARK), SOUTH, walls=(FENCE,)) == [[]]
    assert doors(places(PARK, fence=True), SOUTH) == [[]]


def test_a_fence_along_less_than_half_of_the_outline_closes_nothing() -> None:
    # 600 m of outline: 280 m are fenced, then 320 m
    some = shapely.LineString([(0, 0), (200, 0), (200, 80)])
    most = shapely.LineString([(0, 0), (200, 0), (200, 100), (180, 100)])
    assert {how for how, _, _ in doors(places(PARK), SOUTH, walls=(some,))[0]} == {"frontage"}
    assert doors(places(PARK), SOUTH, walls=(most,)) == [[]]


@pytest.mark.parametrize(
    ("tags", "gate"),
    [
        (GATE, True),
        ({"entrance": "yes"}, True),
        ({"entrance": "main"}, True),
        ({"barrier": "turnstile"}, True),
        ({"barrier": "gate", "access": "private"}, False),
        ({"barrier": "gate", "access": "no"}, False),
        ({"barrier": "gate", "foot": "no"}, False),
        ({"entrance": "emergency"}, False),
        ({"entrance": "no"}, False),
        ({"barrier": "fence"}, False),
        ({}, False),
    ],
)
def test_what_lets_people_through(tags: dict[str, str], gate: bool) -> None:
    assert is_gate(tags) is gate


def test_gates_belong_to_the_outline_they_stand_in() -> None:
    (rows,) = doors(places(PARK, fence=True), SOUTH, gates=((204.9, 50, GATE), (205.1, 70, GATE), (100, 50, GATE)))
    assert rows == [("gate", 204.9, 50.0)]


def test_nobody_enters_from_the_pond() -> None:
    ring = shapely.Polygon(PARK.exterior, [shapely.box(80, 40, 120, 60).exterior])
    within = streets_of([(70, 50), (130, 50)], [(0, 1)])  # a bridge-less path through the pond
    ((how, x, y),) = doors(places(ring), within)[0]
    assert how == "frontage"
    assert shapely.Point(x, y).distance(PARK.exterior) == 0


def test_bridges_over_a_park_are_no_way_in() -> None:
    over = streets_of([(-500, 50), (500, 50)], [(0, 1)], raised=[0])
    assert [how for how, _, _ in doors(places(PARK), over)[0]] == ["centre"]


def test_a_street_along_the_outline_touches_at_both_ends_of_it() -> None:
    along = streets_of([(-100, 0), (300, 0)], [(0, 1)])
    rows = doors(places(PARK, fence=True), along)[0]
    assert rows == [("crossing", 0.0, 0.0), ("crossing", 200.0, 0.0)]


def test_parks_in_several_parts() -> None:
    two = shapely.MultiPolygon([PARK, shapely.box(0, 1000, 50, 1050)])
    (rows, other) = doors(places(two, shapely.box(300, 0, 350, 50)), SOUTH)
    assert {how for how, _, _ in rows} == {how for how, _, _ in other} == {"frontage"}
    assert all(y < 100 for _, _, y in rows)
    assert all(x >= 300 for _, x, _ in other)


def test_buildings_are_entered_at_their_entrances_else_at_their_middle() -> None:
    house, other = shapely.box(0, 0, 20, 20), shapely.box(50, 0, 70, 20)
    rows = doors(places(house, other, ground=False), FAR, gates=((20, 10, {"entrance": "main"}), (72, 10, GATE)))
    assert rows[0] == [("entrance", 20.0, 10.0)]
    assert rows[1] == [("centre", 60.0, 10.0)]


def test_points_are_entered_where_they_are() -> None:
    frame = places(shapely.Point(5, 5), ground=False)
    assert doors(frame, FAR) == [[("point", 5.0, 5.0)]]
    ground = places(shapely.Point(5, 5))
    assert doors(ground, FAR) == [[("point", 5.0, 5.0)]]
    assert doors(ground.assign(area_m2=900.0), FAR) == [[("centre", 5.0, 5.0)]]


def test_a_greenway_is_entered_all_along() -> None:
    way = shapely.LineString([(0, 0), (0, 1000)])
    beside = streets_of([(10, -100), (10, 1100)], [(0, 1)])
    (rows,) = doors(places(way, ground=False), beside)
    y = np.sort([y for _, _, y in rows])
    assert (y[0], y[-1]) == (0.0, 1000.0)
    assert np.diff(y).max() <= FRONTAGE_STEP_M


def test_no_places() -> None:
    found = access_points(places().iloc[:0], streets=SOUTH, features=features(), walls=np.array([], dtype=object))
    assert len(found) == 0
    assert found.crs == CRS


def test_order_of_the_places_does_not_matter() -> None:
    frame = places(PARK, shapely.box(300, 0, 400, 80), shapely.Point(9, 9))
    forward = doors(frame, SOUTH_AND_NORTH)
    assert doors(frame.iloc[::-1].reset_index(drop=True), SOUTH_AND_NORTH) == forward[::-1]


def test_tags_of_an_outline_fence_it() -> None:
    assert has_fence_tag({"leisure": "park", "barrier": "fence"})
    assert has_fence_tag({"barrier": "hedge"})
    assert not has_fence_tag({"leisure": "park"})


def test_a_drawn_park_with_one_gate(tmp_path: Path) -> None:
    town = (
        Town("""
        a--------b
        |        |
        |  e--f  |
        |  |  |  |
        |  h--g  |
        |        |
        d---k----c
            |
            m
    """)
        .way("abckda")
        .way("km")
        .area("efgh", leisure="park", name="示意公园", barrier="fence")
        .tag("h", barrier="gate")
    )
    osm = town.read(tmp_path)
    frame, _, _ = osm_facilities(osm.features, load_catalogue())
    assert frame["service"].tolist() == ["park"]
    assert frame["fence_tag"].tolist() == [True]
    walls = osm.barriers.geometry[osm.barriers["kind"] == "wall"].to_numpy()
    found = access_points(frame, streets=osm.streets, features=osm.features, walls=walls)
    assert found["how"].tolist() == ["gate"]
    assert found.geometry.iloc[0].distance(shapely.Point(town.xy("h"))) < 0.02
