"""The ground of single commands: streets, heights and walkers from options or from a study; the nearest of a matrix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import livingcircle as lc
from livingcircle.cli import main
from livingcircle.ground import chosen_ground
from livingcircle.scan import scan
from livingcircle.study import StudyOptions
from livingcircle_layers.errors import InputError, UsageError
from test_relief import write_dem
from towns import CRS, Town, lonlat, study_of

#   c ────300──── d      y = 100
#   │             │
#   a ────300──── b      y = 0
DRAWN = "c------d\n--------\na------b"


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(a) for a in arguments])
    return int(ended.value.code or 0)


def points(path: Path, places: dict[str, tuple[float, float]]) -> Path:
    rows = [f"{name},{lonlat(*place)[0]:.9f},{lonlat(*place)[1]:.9f}" for name, place in places.items()]
    path.write_text("\n".join(["id,lon,lat", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def city(tmp_path: Path) -> Path:
    Town(DRAWN, dx=300 / 7, dy=50).way("ab").way("cd").way("ac").way("bd").write(tmp_path / "town.osm")
    write_dem(tmp_path / "hill.tif", lambda x, y: 500 + 0.1 * x)
    points(tmp_path / "o.csv", {"p": (100, 0), "q": (0, 50)})
    points(tmp_path / "d.csv", {"s": (250, 0), "t": (300, 100), "u": (50, 0)})
    write_lines(tmp_path / "own.geojson")
    (tmp_path / "study.toml").write_text(
        """standard = "chengdu"
walkers = ["slow", "adult"]
join_limit_m = 40
[streets]
osm = "town.osm"
dem = "hill.tif"
[communities]
file = "c.geojson"
[population]
file = "p.csv"
[[walker_settings]]
name = "slow"
speed_m_s = 0.5
""",
        encoding="utf-8",
    )
    return tmp_path


def write_lines(path: Path) -> Path:
    """Write the street from a to b as a layer with node columns of its own names."""
    line = {"type": "LineString", "coordinates": [lonlat(0, 0), lonlat(300, 0)]}
    feature = {"type": "Feature", "geometry": line, "properties": {"甲": 1, "乙": 2}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    return path


def matrix(city: Path, *options: object) -> pd.DataFrame:
    files = ("--origins", city / "o.csv", "--destinations", city / "d.csv", "-o", city / "m.csv")
    assert run("matrix", *files, *options) == 0
    return pd.read_csv(city / "m.csv", encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("k", "wanted"),
    [
        # p to u 50 m, to s 150 m, to t 300 m; q to u 100 m, to s 300 m, to t 350 m
        (1, [("p", "u", 50), ("q", "u", 100)]),
        (2, [("p", "u", 50), ("p", "s", 150), ("q", "u", 100), ("q", "s", 300)]),
        (9, [("p", "u", 50), ("p", "s", 150), ("p", "t", 300), ("q", "u", 100), ("q", "s", 300), ("q", "t", 350)]),
    ],
)
def test_the_nearest_destinations_of_every_origin(city: Path, k: int, wanted: list[tuple[str, str, float]]) -> None:
    table = matrix(city, "--osm", city / "town.osm", "--nearest", k)
    assert list(zip(table["origin_id"], table["destination_id"], strict=True)) == [row[:2] for row in wanted]
    assert table["walk_m"].tolist() == pytest.approx([row[2] for row in wanted], abs=0.05)
    assert table["walk_min"].to_numpy() == pytest.approx(table["walk_m"] / 1.33 / 60, abs=0.006)


def test_the_nearest_keep_to_the_limit(city: Path) -> None:
    table = matrix(city, "--osm", city / "town.osm", "--nearest", 2, "--limit-m", 120)
    assert table["destination_id"].tolist() == ["u", "u"]
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["matrix", "--origins", "o", "--destinations", "d", "--nearest", "0"])


def test_heights_change_the_minutes_and_not_the_metres(city: Path) -> None:
    flat = matrix(city, "--osm", city / "town.osm").set_index(["origin_id", "destination_id"])
    hill = matrix(city, "--osm", city / "town.osm", "--dem", city / "hill.tif").set_index(
        ["origin_id", "destination_id"]
    )
    assert hill["walk_m"].to_numpy() == pytest.approx(flat["walk_m"].to_numpy(), abs=0.011)
    # p to s climbs 150 m at 10 %: exp(0.35) of the time; p to u goes down at 10 %, as fast as on the flat
    assert hill["walk_min"]["p", "s"] == pytest.approx(flat["walk_min"]["p", "s"] * np.exp(0.35), abs=0.02)
    assert hill["walk_min"]["p", "u"] == pytest.approx(flat["walk_min"]["p", "u"], abs=0.02)


def test_a_study_gives_streets_heights_walkers_and_the_joining_limit(city: Path) -> None:
    ground, walker = chosen_ground(city / "study.toml", StudyOptions())
    assert (walker.name, walker.speed_m_s, ground.join_limit_m) == ("slow", 0.5, 40.0)
    assert ground.streets.height_m is not None
    table = matrix(city, "--study", city / "study.toml").set_index(["origin_id", "destination_id"])
    assert table["walk_min"]["p", "s"] == pytest.approx(150 / 0.5 * np.exp(0.35) / 60, abs=0.02)


def test_options_win_over_the_study(city: Path) -> None:
    options = StudyOptions(streets=city / "own.geojson", streets_columns={"u": "甲", "v": "乙"})
    ground, walker = chosen_ground(city / "study.toml", options, walker="elder")
    assert walker.name == "elder"
    assert ground.streets.length_m.sum() == pytest.approx(300, abs=0.05)
    table = matrix(city, "--study", city / "study.toml", "--walker", "adult").set_index(["origin_id", "destination_id"])
    assert table["walk_min"]["p", "u"] == pytest.approx(50 / 1.33 / 60, abs=0.02)  # downhill
    with pytest.raises(UsageError, match=r"unknown walker.*slow"):
        chosen_ground(city / "study.toml", StudyOptions(), walker="nobody")


def test_isochrones_take_heights_and_studies(city: Path) -> None:
    lon, lat = lonlat(150, 0)
    at = ("--at", f"{lon:.7f},{lat:.7f}", "--minutes", "1", "-o", city / "i.geojson")

    def reach(*options: object) -> tuple[float, float]:
        assert run("isochrone", *at, *options) == 0
        west, _, east, _ = gpd.read_file(city / "i.geojson").to_crs(CRS).total_bounds
        return west, east

    flat = reach("--osm", city / "town.osm")
    hill = reach("--osm", city / "town.osm", "--dem", city / "hill.tif")
    assert hill[1] < flat[1] - 10  # uphill to the east
    assert hill[0] == pytest.approx(flat[0], abs=8)
    slow = reach("--study", city / "study.toml")
    assert slow[1] < hill[1]
    assert reach("--study", city / "study.toml", "--walker", "adult") == pytest.approx(hill, abs=1)


def test_columns_of_a_street_layer_on_the_command_line(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = ("--streets", city / "own.geojson")
    table = matrix(city, *own, "--streets-columns", "u=甲, v=乙")
    assert set(table["destination_id"]) == {"s", "t", "u"}
    capsys.readouterr()
    for wrong in ("u", "u=", "=x", "u=a=b"):
        arguments = ("matrix", *own, "--origins", "o", "--destinations", "d", "--streets-columns", wrong)
        assert run(*arguments) == 2
        assert "--streets-columns is unclear" in capsys.readouterr().err
    with pytest.raises(InputError, match="no column '丙' for u"):
        chosen_ground(None, StudyOptions(streets=city / "own.geojson", streets_columns={"u": "丙"}))


def test_no_streets_at_all_is_a_usage_error(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("matrix", "--origins", city / "o.csv", "--destinations", city / "d.csv") == 2
    assert "--study FILE" in capsys.readouterr().err


def test_what_is_not_known_of_the_heights_is_told(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dem(city / "half.tif", lambda x, y: np.where(x > 220, -9999, 500.0))
    matrix(city, "--osm", city / "town.osm", "--dem", city / "half.tif")
    assert "of the street length has no height" in capsys.readouterr().err


# -- the number of places within each rule's threshold -----------------------------------------------------------------


def test_homes_carry_the_number_of_places_within_each_scoring_rule(tmp_path: Path) -> None:
    # Homes at x = 100 and 260 on a street of 300 m; shops at 0, 120 and 250.
    town = Town("a------b", dx=300 / 7).way("ab")
    for x in (0.0, 120.0, 250.0):
        town.node(x, 0, shop="supermarket", name=f"店{x:g}")
    rules: list[dict[str, Any]] = [
        {"id": "shop", "services": ["supermarket"], "threshold": 100, "threshold_unit": "m"},
        {"id": "clinic", "services": ["clinic"], "threshold": 500, "threshold_unit": "m"},
    ]
    result = scan(study_of(tmp_path, town, people=[(100, 0, 1), (260, 0, 2)], rules=rules))
    homes = result.homes.sort_values("x")
    assert set(result.rules.scoring) == {"shop", "clinic"}
    assert {c for c in homes.columns if c.startswith("within_")} == {"within_shop", "within_clinic"}
    assert homes["within_shop"].tolist() == [2, 1]  # 100 and 20 m, then 150 m; 10 m, then 140 and 260 m
    assert homes["within_clinic"].isna().all()  # no clinic is known: that is not 0
    result.save(tmp_path / "out", homes=True)
    saved = pd.read_parquet(tmp_path / "out" / "homes.parquet")
    assert sorted(saved["within_shop"]) == [1, 2]


def test_rules_in_minutes_count_by_their_minutes(tmp_path: Path) -> None:
    town = Town("a------b", dx=300 / 7).way("ab")
    for x in (0.0, 120.0, 250.0):
        town.node(x, 0, shop="supermarket", name=f"店{x:g}")
    rule = {"id": "shop", "services": ["supermarket"], "metric": "walk_min", "threshold": 2, "threshold_unit": "min"}
    result = scan(study_of(tmp_path, town, people=[(100, 0, 1), (260, 0, 2)], rules=[rule]))
    # two minutes at 1.33 m/s are 159.6 m: 100, 20 and 150 m; 140 and 10 m, not 260 m
    assert result.homes.sort_values("x")["within_shop"].tolist() == [3, 2]


def test_places_in_memory_are_walked_between_as_those_in_files(city: Path):
    network = lc.WalkNetwork.from_osm(city / "town.osm")
    from_files = lc.matrix(network, city / "o.csv", city / "d.csv", limit_m=1000)
    origins, destinations = pd.read_csv(city / "o.csv").set_index("id"), pd.read_csv(city / "d.csv")
    places = gpd.GeoDataFrame(
        destinations[["id"]], geometry=gpd.points_from_xy(destinations["lon"], destinations["lat"]), crs=4326
    ).to_crs(CRS)
    for given in (destinations, places):
        in_memory = lc.matrix(network, origins, given, limit_m=1000)
        pd.testing.assert_frame_equal(in_memory, from_files)
    # p stands 100 m from a, s 250 m, u 50 m: the nearest of p is u
    nearest = lc.matrix(network, origins, places, nearest=1)
    assert nearest.query("origin_id == 'p'")[["destination_id", "walk_m"]].to_numpy().tolist() == [["u", 50.0]]


def test_places_that_cannot_be_walked_to_are_told_and_kept_beside_the_table(city: Path):
    network = lc.WalkNetwork.from_osm(city / "town.osm")
    here = pd.read_csv(city / "o.csv")
    far = pd.concat([here, pd.DataFrame({"id": ["x", "y"], "lon": [0.5, np.nan], "lat": [0.5, 30.0]})])
    with pytest.warns(UserWarning, match=r"2 places left out, see attrs.*row y left out: no coordinates"):
        table = lc.matrix(network, here, far)
    assert len(table.attrs["left_out"]) == 2
    with pytest.raises(InputError, match=r"origins has no CRS; .*set_crs"):
        lc.matrix(network, gpd.GeoDataFrame(geometry=gpd.points_from_xy([104], [30])), here)
    with pytest.raises(InputError, match="destinations"):
        lc.matrix(network, here, pd.DataFrame({"a": [1]}))


def test_circles_are_drawn_around_the_rows_of_a_table(city: Path):
    network = lc.WalkNetwork.from_osm(city / "town.osm")
    table = pd.read_csv(city / "o.csv")
    drawn = lc.isochrones(network, None, table, metres=[100])
    by_hand = lc.isochrones(network, None, table[["lon", "lat"]].to_numpy(), metres=[100], ids=["p", "q"])
    assert list(drawn["id"]) == ["p", "q"]
    assert drawn.union_all().symmetric_difference(by_hand.union_all()).area < 1e-12
    with pytest.raises(InputError, match=r"points: row 1: coordinates out of range"):
        lc.isochrones(network, None, pd.DataFrame({"lon": [104.0, 500], "lat": [30.0, 30]}), metres=[100])
