"""Entrances and gates of a planner's list: where they lead in, and where they are not believed."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from livingcircle_layers.access import access_points
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.crs import WGS84
from livingcircle_layers.datum import gcj02_from_wgs84
from livingcircle_layers.facilities import Facilities, gather_facilities
from livingcircle_layers.facility_files import FacilitySource
from livingcircle_layers.grounds import OpenGrounds
from towns import CRS, streets_of

# Central Chengdu in the plane of the tests.
_MIDDLE = gpd.GeoSeries([shapely.Point(104.06, 30.66)], crs=WGS84).to_crs(CRS).iloc[0]
X0, Y0 = _MIDDLE.x, _MIDDLE.y
WALL = [(0, 0), (400, 0), (400, 200), (0, 200), (0, 0)]


def features(*rows):
    """Return tagged objects of OpenStreetMap, from (tags, shape in metres)."""
    shapes = [shapely.transform(shape, lambda xy: xy + np.array([X0, Y0])) for _, shape in rows]
    verdicts = [load_catalogue().classify_osm(tags) for tags, _ in rows]
    ids = [f"w{i}" for i in range(len(rows))]
    frame = {"osm_id": ids, "tags": [tags for tags, _ in rows], "verdict": verdicts}
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=CRS)


def degrees(x, y):
    """Return a place of the plane as a map service writes it, in GCJ-02."""
    point = gpd.GeoSeries([shapely.Point(X0 + x, Y0 + y)], crs=CRS).to_crs(WGS84).iloc[0]
    lon, lat = gcj02_from_wgs84(np.array([[point.x, point.y]]))[0]
    return f"{lon:.7f},{lat:.7f}"


def gathered(tmp_path: Path, rows: list[dict[str, str]], *osm) -> Facilities:
    """Return the facilities of an export of a map service beside those of OpenStreetMap."""
    table = tmp_path / "amap.csv"
    pd.DataFrame(rows).fillna("").to_csv(table, index=False)
    return gather_facilities(features(*osm), load_catalogue(), [FacilitySource(table, datum="gcj02")])


def row(id_, name, code, at, **more):
    return {"id": id_, "name": name, "typecode": code, "location": degrees(*at), **more}


PARK = ({"leisure": "park", "name": "人民公园", "barrier": "fence"}, shapely.Polygon(WALL[:-1]))


def entered(found: Facilities, *, walls=()):
    """Return how and where each place is entered, in metres of the plane."""
    places = found.frame
    position = pd.Series(range(len(places)), index=places["facility_id"])
    given = found.ways_in.assign(place=position.reindex(found.ways_in["facility_id"]).to_numpy())
    street = streets_of([(X0 - 900, Y0 - 900), (X0 + 900, Y0 - 900)], [(0, 1)])  # far from every outline
    lines = np.array([shapely.LineString([(x + X0, y + Y0) for x, y in wall]) for wall in walls], dtype=object)
    doors = access_points(places, streets=street, features=features(), walls=lines, given=given)
    xy = shapely.get_coordinates(doors.geometry.to_numpy()) - [X0, Y0]
    ids = places["facility_id"].to_numpy()[doors["place"]]
    return [(i, how, round(x), round(y)) for i, how, (x, y) in zip(ids, doors["how"], xy, strict=True)]


def test_a_gate_in_a_list_is_no_park_and_the_way_into_the_fenced_one(tmp_path):
    rows = [
        row("B1", "人民公园", "110101", (200, 100)),
        row("B2", "人民公园(东门)", "110101", (412, 100)),  # 12 m before the fence
        row("B3", "人民公园(西门)", "110101", (-60, 100)),  # 60 m away: some other gate
        row("B4", "人民公园停车场", "110101", (100, 2)),  # a car park is no way in
        row("B5", "别处公园(南门)", "110101", (100, 0)),  # of another park
    ]
    found = gathered(tmp_path, rows, PARK)
    assert entered(found) == [("amap.csv:B1", "gate", 400, 100)]
    gone = found.changes[found.changes["action"] == "removed"]
    assert set(gone["facility_id"]) == {f"amap.csv:B{i}" for i in (2, 3, 4, 5)}


def test_without_the_gate_the_fenced_park_has_no_way_in(tmp_path):
    assert entered(gathered(tmp_path, [row("B1", "人民公园", "110101", (200, 100))], PARK)) == []


def test_a_gate_stands_in_the_wall_that_is_drawn_beside_the_outline(tmp_path):
    rows = [row("B1", "人民公园", "110101", (200, 100)), row("B2", "人民公园-南门", "110101", (100, -6))]
    wall = [(-3, -3), (403, -3), (403, 203), (-3, 203), (-3, -3)]
    open_park = (PARK[0] | {"barrier": "no"}, PARK[1])
    assert entered(gathered(tmp_path, rows, open_park), walls=[wall]) == [("amap.csv:B1", "gate", 100, -3)]


def test_entrances_of_an_export_take_the_place_of_the_middle_unless_they_are_far_off(tmp_path):
    rows = [
        row("S1", "实验小学", "141203", (100, 400), entr_location=degrees(100, 350)),
        row("S2", "附属小学", "141203", (900, 400), entr_location="[]"),
        row("S3", "外国语小学", "141203", (1700, 400), entr_location=degrees(1700, 900)),  # 500 m away
    ]
    found = gathered(tmp_path, rows)
    assert entered(found) == [
        ("amap.csv:S1", "entrance", 100, 350),
        ("amap.csv:S2", "point", 900, 400),
        ("amap.csv:S3", "point", 1700, 400),
    ]
    assert found.notes == ("1 entrances of lists lie over 300 m from their place and are not used",)
    assert found.readings[0].columns["entrance"] == "entr_location"


def test_an_entrance_goes_with_its_row_into_the_place_it_is_merged_with(tmp_path):
    rows = [
        row("S1", "实验小学", "141203", (200, 100)),
        row("S2", "成都市实验小学", "141203", (210, 100), entr_location=degrees(405, 100)),
    ]
    school = ({"amenity": "school", "name": "实验小学", "barrier": "wall"}, PARK[1])
    assert entered(gathered(tmp_path, rows, school)) == [("amap.csv:S1", "gate", 400, 100)]


@pytest.mark.parametrize(("code", "places"), [("141203", {"P1"}), ("150500", {"P2"})])
def test_a_part_by_its_parent_is_none_of_its_own_but_entrances_stand_for_their_metro_station(tmp_path, code, places):
    names = {"141203": ("实验小学", "小学部二期"), "150500": ("天府广场地铁站", "地铁站A口")}[code]
    rows = [row("P1", names[0], code, (200, 100)), row("P2", names[1], code, (300, 160), parent="P1")]
    found = gathered(tmp_path, rows)
    assert {i.removeprefix("amap.csv:") for i in found.frame["facility_id"]} == places


@pytest.mark.parametrize("by", ["osm", "list"])
def test_pitches_of_schools_are_out_by_default_whoever_draws_the_school_or_lists_the_pitch(tmp_path, by):
    pitch = row("F1", "篮球场", "080104", (100, 100))
    outside = row("F2", "体育公园篮球场", "080104", (900, 100))
    drawn = ({"leisure": "pitch", "sport": "basketball"}, shapely.box(200, 50, 230, 70))
    table, schools = tmp_path / "amap.csv", tmp_path / "schools.geojson"
    park = row("F3", "摩诃池公园", "110101", (300, 150))  # a list that says park means one that is open
    pd.DataFrame([pitch, outside, park]).to_csv(table, index=False)
    sources = [FacilitySource(table, datum="gcj02")]
    osm = [drawn]
    if by == "osm":
        osm.append(({"amenity": "school", "name": "实验小学"}, PARK[1]))
    else:
        features(({}, PARK[1]))[["geometry"]].assign(name="实验小学").to_crs(WGS84).to_file(schools)
        sources.append(FacilitySource(schools, service="primary_school", mode="add"))
    found = gather_facilities(features(*osm), load_catalogue(), sources)
    pitches = found.frame[found.frame["service"].str.contains("pitch|sports")]
    assert set(pitches["facility_id"]) == {"amap.csv:F2"}
    out = found.changes[found.changes["rule"] == "not_public_school"]
    assert set(out["facility_id"]) == {"amap.csv:F1", "w0"}
    assert {"F1", "w0"} <= set(found.unplaced["row"])
    assert "amap.csv:F3" in set(found.frame["facility_id"])
    let_in = gather_facilities(features(*osm), load_catalogue(), sources, grounds=OpenGrounds(school=True)).frame
    assert {"amap.csv:F1", "amap.csv:F2", "w0"} <= set(let_in["facility_id"])
    her_word = [FacilitySource(table, service="sports_field", mode="add", datum="gcj02"), *sources[1:]]
    assert "amap.csv:F1" in set(gather_facilities(features(*osm), load_catalogue(), her_word).frame["facility_id"])
