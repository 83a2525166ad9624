"""What is planted in the demo town comes out: every expected answer is worked out by hand from the plan of the town.

Positions are grid metres (u east, v north; `livingcircle.demo._plan`). West of u = -2240 the grid is the metric plane;
elsewhere the town bends, and lengths along the grid hold to 4 %: `bend` stretches v by at most 30/1300 = 2.3 % and
u by at most 70/900 + 30/420 = 15 % across, which for a line along u is a rise, 1.1 % of its length.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely

from demo_scans import demo_result, home, metres, row
from golden.update import FOLDER as GOLDEN
from golden.update import KEYS, MOST_BYTES, accepted, differences, keyed, reduced
from livingcircle.demo._plan import bend
from livingcircle.result import ScanResult
from livingcircle_layers.crs import metric_crs

BENT = 0.04  # see above
KINDERGARTEN, PRIMARY = "gb50180_2018_kindergarten", "gb50180_2018_primary_school"
NURSERY, FITNESS = "gb50180_2018_nursery", "gb50180_2018_outdoor_fitness"
DAYCARE, STATION = "gb50180_2018_elder_daycare", "gb50180_2018_community_health_station"
CENTRE = "gb50180_2018_community_health_centre"
SCRIPT = "<script>alert(1)</script>示意"


@pytest.fixture(scope="module")
def demo() -> ScanResult:
    return demo_result()


@pytest.fixture(scope="module")
def saved(demo: ScanResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo.save(tmp_path_factory.mktemp("demo"), homes=True)


def in_metres(frame: gpd.GeoDataFrame, demo: ScanResult) -> gpd.GeoDataFrame:
    return frame.to_crs(metric_crs(demo.communities.total_bounds))


def rectangle(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    ring = shapely.segmentize(shapely.box(west, south, east, north), 20)
    return shapely.Polygon(bend(shapely.get_coordinates(ring)))


def homes_in(shape: shapely.Polygon, demo: ScanResult) -> pd.DataFrame:
    homes = demo.homes
    return homes[shapely.contains_xy(shape, homes["x"], homes["y"])]


def unit_id(demo: ScanResult, name: str) -> str:
    return str(demo.communities.index[demo.communities["unit_name"] == name].item())


def unit_name(demo: ScanResult, of: pd.Series) -> str:
    return str(demo.communities.loc[of["unit"], "unit_name"])


# -- exactly at the limit, several places, no street --------------------------------------------------------------


def test_a_walk_of_300_00_m_is_covered_and_one_of_300_01_m_is_not() -> None:
    # Both homes and the kindergarten stand on one straight street: the walk is the difference of their u.
    # Kindergarten at u = -2900; homes 300.00 m and 300.01 m to the east of it.
    assert home(-2600.0, -980, 60)["nearest_m_kindergarten"] == 300.00
    assert home(-2599.99, -980, 40)["nearest_m_kindergarten"] == 300.01
    # 示意量尺社区: 60 + 40 + 20 people, of them 10 + 10 + 0 aged 3-6; only the first home is within 300 m.
    found = row("示意量尺社区", KINDERGARTEN)
    assert (found["group"], found["demand"], found["covered"], found["share"]) == ("age_3_6", 20, 10, 0.5)
    assert found["radius_covered"] >= found["covered"]  # no walk is shorter than the straight line
    assert found["facilities"] == 1
    assert not found["met_walk"]


def test_the_nearer_of_two_places_on_one_edge_counts() -> None:
    # Home at u = -2700, shops at -2500 and -2800, 10 m beside the street: 200 + 10 to one, 100 + 10 to the other.
    assert home(-2700, -820, 20)["nearest_m_convenience"] == pytest.approx(110, abs=0.02)


def test_an_island_of_the_network_reaches_nothing(demo: ScanResult) -> None:
    # The footway on the islet meets no other street; its people are counted and covered by nothing.
    islet = home(402, 1170, 12)
    assert islet["edge_id"] >= 0
    assert islet.filter(like="nearest_m_").isna().all()
    assert demo.communities.loc[islet["unit"], "unit_name"] == "示意芙蓉社区"


def test_a_home_beyond_the_joining_limit_is_reported(demo: ScanResult) -> None:
    # u = -2650, v = -2250: the nearest streets are u = -2200 in the east (450 m) and v = -1900 (u > -2200 only).
    assert len(demo.unplaced) == 1
    lost = demo.unplaced.iloc[0]
    assert (lost["row"], lost["people"], lost["reason"]) == ("远田", 30, "no_street_within_limit")
    assert demo.run["people"] == {"input": 150_000, "placed": 149_970, "not_placed": 30, "outside": 0}
    assert demo.homes["people"].sum() == demo.communities["people"].sum() == 149_970


# -- what the straight line does not know --------------------------------------------------------------------------


def test_across_the_river_the_radius_covers_and_the_walk_does_not(demo: ScanResult) -> None:
    # The school of cell (6, 5): rect inset 14 m (-146, -266, 266, 126), on its east side a strip of 110 m:
    # (156, -266) to (266, -116), with its gate in the south, on the street v = -280 at u = 211.
    school = rectangle(156, -266, 266, -116)
    # 示意对岸社区 lies east of u = 400 between v = -280 and 140. Bridges stand at v = 520 and -700. By the southern
    # one: at least 420 m south to it, 240 m over it (u = 520 to 280), 420 m back north, 69 m to u = 211, 14 m to the
    # gate. By the northern one it is longer still.
    by_bridge = 420 + 240 + 420 + 69 + 14
    assert by_bridge == 1163
    own = demo.homes[demo.homes["unit"] == unit_id(demo, "示意对岸社区")]
    straight = np.round(shapely.distance(school, shapely.points(own["x"], own["y"])), 2)
    inside = own[straight <= 500]
    assert inside["people"].sum() > 1000
    assert inside["nearest_m_primary_school"].min() > by_bridge * (1 - BENT)
    found = row("示意对岸社区", PRIMARY)
    assert found["radius_covered"] >= inside["age_6_12"].sum() > 100
    assert found["covered"] == 0
    assert found["share"] == 0


def test_an_estate_whose_gate_faces_away_walks_around_the_block(demo: ScanResult) -> None:
    # Cell (4, 4) is (-980, -700, -560, -280); the estate is (-966, -602, -574, -294), with one gate at (-770, -294).
    # The kindergarten wall to wall with it is (-966, -686, -890, -610), its gate (-928, -686) on the street v = -700.
    # From the estate's gate: 14 north, 210 west to u = -980, 420 south, 52 east, 14 north to the kindergarten's gate.
    around = 14 + 210 + 420 + 52 + 14
    assert around == 710
    estate, kindergarten = rectangle(-966, -602, -574, -294), rectangle(-966, -686, -890, -610)
    own = homes_in(estate, demo)
    points = shapely.points(own["x"], own["y"])
    near = shapely.distance(kindergarten, points) <= 300
    assert own["people"][near].sum() > 1000
    # Whoever leaves passes the gate, so no walk is shorter than straight to the gate and straight on to a place.
    gate = shapely.Point(metres(-770, -294))
    places = in_metres(demo.facilities[demo.facilities["service"] == "kindergarten"], demo).geometry.to_numpy()
    least = shapely.distance(gate, points) + min(shapely.distance(gate, places).min(), around * (1 - BENT))
    assert (own["nearest_m_kindergarten"].to_numpy() >= least - 0.01).all()
    assert own["nearest_m_kindergarten"].min() > 300


def test_a_fenced_park_is_entered_at_its_gate_only(demo: ScanResult) -> None:
    # The fence is (-1784, 156, -996, 504); its gate is 60 m east of the middle: (-1784 - 996) / 2 + 60 = -1330.
    park = demo.facilities.loc[demo.facilities["name"] == "示意中央公园", "facility_id"].item()
    doors = in_metres(demo.access_points[demo.access_points["facility_id"] == park], demo)
    assert set(doors["how"]) <= {"gate", "crossing"}
    assert shapely.distance(doors.geometry.to_numpy(), shapely.Point(metres(-1330, 156))).max() < 0.05


def test_the_neighbour_of_a_fenced_park_walks_to_its_gate(demo: ScanResult) -> None:
    # Home at (-1600, 148), the fence runs 8 m north of it: within every radius. The walk: 8 m to the street v = 140,
    # 1600 - 1330 = 270 m along it, 16 m up to the gate.
    neighbour = home(-1600, 148, 40)
    assert neighbour["nearest_m_park"] == pytest.approx(8 + 270 + 16, rel=BENT)
    shape = in_metres(demo.facilities[demo.facilities["name"] == "示意中央公园"], demo).geometry.iloc[0]
    assert shapely.distance(shape, shapely.Point(neighbour["x"], neighbour["y"])) == pytest.approx(8, abs=0.5)
    assert row("示意园前社区", "park_300_500_walk_network_park")["radius_covered"] == 40
    assert row("示意园前社区", "park_300_500_walk_network_park")["covered"] == 40  # 294 m are within 500 m


# -- what is known about a layer -----------------------------------------------------------------------------------


def test_no_place_in_a_subdistrict_is_zero_not_unknown(demo: ScanResult) -> None:
    found = row("示意新桥街道", DAYCARE)
    assert (found["facilities"], found["status"], found["layer_complete"]) == (0, "ok", "yes")
    others = demo.coverage[(demo.coverage["level"] == "subdistrict") & (demo.coverage["rule"] == DAYCARE)]
    assert (others["facilities"][others["unit_name"] != "示意新桥街道"] > 5).all()
    assert found["demand"] > 5000
    assert found["share"] < others["share"][others["unit_name"] != "示意新桥街道"].min()


def test_a_service_that_nobody_mapped_is_no_data_and_never_zero(demo: ScanResult) -> None:
    rows = demo.coverage[demo.coverage["rule"] == NURSERY]
    applies = rows["status"] != "not_applicable"
    assert set(rows["status"][applies]) <= {"no_data", "no_demand"}
    assert (rows["status"] == "no_data").sum() > 30
    numbers = [
        "covered",
        "share",
        "radius_covered",
        "radius_share",
        "minutes_covered",
        "facilities",
        "nearest_m_median",
    ]
    assert rows[numbers].isna().all(axis=None)
    assert rows["met_clause"].isna().all()


def test_three_places_for_150_000_people_are_incomplete(demo: ScanResult) -> None:
    # A 5-minute circle has at most 12,000 people: 149,970 / 12,000 = 12.5 places are asked for, a quarter is 3.1.
    assert demo.facilities.loc[demo.facilities["service"] == "outdoor_fitness", "facility_id"].nunique() == 3
    city = demo.coverage[demo.coverage["level"] == "city"].set_index("rule")
    assert (city.loc[FITNESS, "status"], city.loc[FITNESS, "layer_complete"]) == ("incomplete", "unknown")
    assert 0 < city.loc[FITNESS, "share"] < 1
    assert pd.isna(city.loc[FITNESS, "met_clause"])  # little data proves nothing


def test_scores_know_of_the_missing_layer(demo: ScanResult) -> None:
    # 16 rules score; of one nothing is known: it counts as none in the score and as reached by all in score_high.
    city = demo.scores[demo.scores["level"] == "city"].iloc[0]
    assert (city["n_listed"], city["n_scored"]) == (16, 15)
    town = demo.scores[demo.scores["unit_name"] == "示意对岸社区"].iloc[0]
    assert town["score"] == town["score_low"] == pytest.approx(100 * town["k_mean"] / 16)
    assert town["score_high"] == pytest.approx(town["score"] + 100 / 16)


# -- who counts, and where -----------------------------------------------------------------------------------------


def test_a_cell_on_a_border_is_split_by_its_houses(demo: ScanResult) -> None:
    # 101 people, houses of 30 × 10 m and 20 × 10 m with 5 floors: 1500 and 1000 m2, room enough for 250 people.
    # 101 · 0.6 = 60.6 and 101 · 0.4 = 40.4: 60 + 40, the last goes to the larger remainder. Over 60: 101 · 0.196 =
    # 19.8, that is 20, by people: 20 · 61/101 = 12.08 and 7.92, so 12 and 8.
    south, north = home(-2880, 900, 61), home(-2900, 1030, 40)
    assert (south["age_60_up"], north["age_60_up"]) == (12, 8)
    assert (unit_name(demo, south), unit_name(demo, north)) == ("示意西原村", "示意示山村")
    assert {south["basis"], north["basis"]} == {"buildings"}
    # The shop at (-2910, 930) is 10 m beside the lane u = -2900: 20 + 30 + 10 m, and 50 + 50 + 10 m.
    assert south["nearest_m_convenience"] == pytest.approx(60, abs=0.02)
    assert north["nearest_m_convenience"] == pytest.approx(110, abs=0.02)


def test_forty_people_have_no_score(demo: ScanResult) -> None:
    score = demo.scores[demo.scores["unit_name"] == "示意园前社区"].iloc[0]
    assert score["people"] == 40
    assert np.isnan(score["score"])
    assert np.isnan(score["score_high"])
    assert row("示意园前社区", KINDERGARTEN)["demand"] == 1  # 2.9 % of 40; the coverage is told all the same


def test_urban_rules_do_not_apply_to_villages(demo: ScanResult) -> None:
    villages = demo.coverage[demo.coverage["unit_name"].str.endswith("村")]
    assert villages["unit_id"].nunique() == 7
    urban = villages[villages["standard"] == "gb50180-2018"]
    assert set(urban["status"]) == {"not_applicable"}
    assert (urban["demand"] == 0).all()
    assert urban["share"].isna().all()
    parks = villages[villages["rule"] == "park_300_500_walk_network"]
    assert set(parks["status"]) == {"ok"}  # the municipal rule is not one for towns only
    land = villages[villages["rule"] == "park_300_500_statistic"]
    assert set(land["status"]) == {"no_data"}  # people live there, but no residential land is mapped
    assert demo.scores.set_index("unit_name").loc[villages["unit_name"].unique(), "score"].isna().all()


def test_a_tier_15_health_centre_does_not_discharge_the_tier_5_station(demo: ScanResult) -> None:
    # 示意银杏社区: u = -980 to 400, v = 1340 to 1760. Columns 3 to 6 of rows 8 and 9 have no station; others are over
    # 300 m away: 400 m west (u < -1380), 400 m south (v < 940), or across the river.
    assert row("示意银杏社区", CENTRE)["facilities"] == 1
    assert row("示意银杏社区", CENTRE)["share"] > 0.5
    station = row("示意银杏社区", STATION)
    assert (station["covered"], station["radius_covered"], station["status"]) == (0, 0, "ok")
    assert not station["met_clause"]


def test_viaduct_and_metro_tunnel_block_nobody(demo: ScanResult) -> None:
    # House at v = 1030, end of the lane at v = 980, viaduct at 992 and 1008 between them.
    assert home(-2900, 1030, 40)["leg_m"] == pytest.approx(1030 - 980, abs=0.02)
    # Home at (-2600, 130), bend of the village street at (-2600, 330), metro tunnel at v = 150 between them.
    assert home(-2600, 130, 20)["leg_m"] == pytest.approx(330 - 130, abs=0.02)


# -- names and sources ---------------------------------------------------------------------------------------------


def test_a_name_that_is_code_stays_text_in_every_file(saved: Path) -> None:
    layers = [str(name) for name in pyogrio.list_layers(saved / "facilities.gpkg")[:, 0] if "facilities" in name]
    names = pd.concat([pyogrio.read_dataframe(saved / "facilities.gpkg", layer=name)["name"] for name in layers])
    assert (names == SCRIPT).sum() == 1
    page = (saved / "map.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert r"\u003cscript\u003ealert(1)\u003c/script\u003e示意" in page
    workbook = openpyxl.load_workbook(saved / "report.xlsx", read_only=True)
    cells = [c for sheet in workbook for line in sheet.iter_rows(values_only=True) for c in line if isinstance(c, str)]
    assert not any("alert(1)" in text and text.startswith(("=", "+", "-", "@")) for text in cells)


def test_one_kindergarten_of_two_sources_is_one_place(demo: ScanResult) -> None:
    kindergartens = demo.facilities[demo.facilities["service"] == "kindergarten"]
    third = kindergartens[kindergartens["name"] == "示意第三幼儿园"]
    assert third["facility_id"].nunique() == len(third) == 1
    private = kindergartens[kindergartens["name"] == "示意民办幼儿园"]
    assert private["source"].tolist() == ["kindergartens.csv"]
    assert kindergartens["facility_id"].is_unique


def test_every_name_says_that_it_is_fictional(demo: ScanResult) -> None:
    named = demo.facilities["name"][demo.facilities["name"] != ""]
    assert len(named) > 1000
    assert named[~named.str.contains("示意")].tolist() == []
    for column in ("unit_name", "subdistrict", "district"):
        assert demo.communities[column].str.startswith("示意").all()
    drawn = demo.background["name"].fillna("")
    assert drawn[(drawn != "") & ~drawn.str.contains("示意")].tolist() == []


def test_every_theme_has_places(demo: ScanResult) -> None:
    count = demo.facilities.groupby("theme")["facility_id"].nunique()
    assert set(count.index) >= {"public_service", "convenience", "transit", "ecology"}
    assert (count > 20).all()


def test_units_add_up(demo: ScanResult) -> None:
    rows = demo.coverage.assign(
        covered=demo.coverage["covered"].fillna(0), radius=demo.coverage["radius_covered"].fillna(0)
    )
    by_level = rows.groupby(["rule", "level"])[["demand", "covered", "radius"]].sum()
    for level in ("subdistrict", "district", "city"):
        assert by_level.xs(level, level="level").equals(by_level.xs("community", level="level")), level


# -- the same again ------------------------------------------------------------------------------------------------


def test_another_run_writes_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "livingcircle.cli", "demo", "--lang", "zh", "-o", str(tmp_path / "again")]
    paths = os.pathsep.join(str(Path(__file__).parents[1] / source) for source in ("analysis", "layers"))
    env = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": paths}
    run = subprocess.run(command, env=env, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True)
    last = run.stdout.strip().splitlines()
    assert str(tmp_path / "again" / "map.html") in run.stdout
    assert any("假覆盖" in line for line in last[-3:])
    for name in ("coverage.csv", "scores.csv", "unplaced.csv", "communities.gpkg", "circles.gpkg", "facilities.gpkg",
                 "map.html", "LICENCES.txt", "report.xlsx"):  # fmt: skip
        assert (saved / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


# -- the accepted numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(KEYS))
def test_the_numbers_are_the_accepted_ones(saved: Path, name: str) -> None:
    new = keyed(name, reduced(name, (saved / name).read_text(encoding="utf-8-sig")))
    found = list(differences(accepted(name), new))
    shown = "\n".join(found[:20])
    assert not found, (
        f"{name}: {len(found)} numbers of the demo town changed (first 20):\n{shown}\n"
        "Wrong? Mend it. Right? Say why in CHANGELOG.md and run: python tests/golden/update.py"
    )


def test_a_changed_number_is_told_in_one_line() -> None:
    old = {("city", "city", "r"): {"share": "0.5", "value": ""}, ("city", "city", "s"): {"share": "0.1"}}
    new = {("city", "city", "r"): {"share": "0.6", "value": ""}, ("city", "city", "t"): {"share": "0.1"}}
    assert list(differences(old, new)) == [
        "city city r: share: 0.5 -> 0.6",
        "city city s: the row is gone",
        "city city t: a new row",
    ]


@pytest.mark.parametrize("name", list(KEYS))
def test_the_accepted_files_stay_small_and_whole(name: str) -> None:
    assert (GOLDEN / name).stat().st_size < MOST_BYTES
    assert len({key[1] for key in accepted(name)}) >= 10
