"""The command line: exit codes, what it prints and writes, and one line for every mistake."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
import typer
from openpyxl import load_workbook
from rasterio import Affine

import livingcircle as lc
from livingcircle.cli import app, main
from livingcircle.saved import load_result
from livingcircle.standards import list_standards
from towns import LAT, LON, Town, lonlat, write_communities, write_rules, write_table

#   y = 100   c ─────────────── d        300 m; supermarket S at (250, 0), 10 m beside the street
#             │                 │
#   y =   0   a ────────── S ── b
RULES = [
    {"id": "shop", "services": ["supermarket"], "threshold": 200, "threshold_unit": "m"},
    {"id": "clinic", "services": ["clinic"], "threshold": 500, "threshold_unit": "m"},
]
PEOPLE = [(100, 0, 40), (0, 50, 30), (200, 100, 50)]
FILES = {
    "coverage.csv", "scores.csv", "score_histogram.csv", "gaps.csv", "false_coverage.csv", "additions.csv",
    "fairness.csv", "distances.csv",
    "communities.gpkg", "facility_changes.csv", "circles.gpkg", "diagnosis.gpkg", "facilities.gpkg",
    "unplaced.csv", "map.html", "report.xlsx", "LICENCES.txt", "run.json",
}  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line that says what was wrong."""
        lines = [line for line in self.err.splitlines() if line.startswith("livingcircle: ")]
        assert len(lines) == 1, self.err
        assert self.err.splitlines()[-1] == lines[0]
        assert "Traceback" not in self.err
        return lines[0]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: object) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(a) for a in arguments])
        printed = capsys.readouterr()
        return Ran(int(ended.value.code or 0), printed.out, printed.err)

    return call


def town() -> Town:
    drawn = Town("c------d\n--------\na------b", dx=300 / 7, dy=50)
    return drawn.way("ab").way("cd").way("ac").way("bd").node(250, 10, shop="supermarket", name="超市")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("city")
    town().write(made / "town.osm")
    write_communities(made / "communities.geojson", {"w": (-50, -50, 200, 300), "e": (150, -50, 250, 300)})
    write_table(made / "people.csv", "population", PEOPLE)
    write_rules(made / "rules.toml", *RULES)
    return made


def options(folder: Path, **other: object) -> list[object]:
    """Return the options of a scan; an option given as None is left out."""
    files: dict[str, object] = {
        "osm": folder / "town.osm",
        "communities": folder / "communities.geojson",
        "population": folder / "people.csv",
        "standard": folder / "rules.toml",
        **other,
    }
    return ["scan", *(part for name, value in files.items() if value is not None for part in (f"--{name}", value))]


# -- as a program ------------------------------------------------------------------------------------------------------


def program(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(str(Path(__file__).parents[1] / source) for source in ("analysis", "layers"))
    env = {**os.environ, "PYTHONPATH": paths, "PYTHONUTF8": "1", "COLUMNS": "100"}
    command = [sys.executable, "-m", "livingcircle.cli", *arguments]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False
    )


def test_a_scan_without_a_standard_ends_with_2_and_the_bundles(folder: Path) -> None:
    ended = program("scan", "--osm", "town.osm", "--communities", "communities.geojson", folder=folder)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    for bundle in ("chengdu", "national", "convenience", "international"):
        assert bundle in ended.stderr


def test_bad_data_ends_with_1_and_one_line(folder: Path) -> None:
    ended = program("check", "missing.toml", folder=folder)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(r"livingcircle: study file not found: missing\.toml; .*check the path.*\n", ended.stderr)


def test_a_finished_command_ends_with_0(folder: Path) -> None:
    ended = program("standards", folder=folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) == len(list_standards())


# -- help --------------------------------------------------------------------------------------------------------------

COMMANDS = ("demo", "scan", "check", "streets", "matrix", "isochrone", "map", "standards")


def test_these_are_the_commands() -> None:
    group = typer.main.get_command(app)
    assert set(group.commands) >= set(COMMANDS)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", list(typer.main.get_command(app).commands))  # type: ignore[attr-defined]
def test_every_command_has_help_with_an_example(run: Any, command: str) -> None:
    ended = run(command, "--help")
    assert ended.code == 0
    assert f"Example: livingcircle {command}" in ended.out
    for option in typer.main.get_command(app).commands[command].params:  # type: ignore[attr-defined]
        assert getattr(option, "help", "x"), f"{command} {option.name} is not explained"


@pytest.mark.parametrize("wrong", [["nonsense"], ["scan", "--nonsense"], ["matrix"], ["isochrone", "--osm"]])
def test_wrong_usage_ends_with_2(run: Any, wrong: list[str]) -> None:
    ended = run(*wrong)
    assert ended.code == 2
    assert "Traceback" not in ended.err


# -- scan --------------------------------------------------------------------------------------------------------------


def coverage(path: Path) -> pd.DataFrame:
    return pd.read_csv(path / "coverage.csv", encoding="utf-8-sig", keep_default_na=False, na_values=[""])


def test_flags_make_a_scan_without_a_study_file(run: Any, folder: Path, tmp_path: Path) -> None:
    ended = run(*options(folder), "-o", tmp_path / "out")
    assert ended.code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    assert "People: 120 = 120 placed + 0 not placed + 0 outside" in ended.out
    assert "no_data: clinic" in ended.out
    assert "no score: 1 of 2 services that score have data, and 70% are needed; bring lists" in ended.out
    assert "walkers = adult 1.33 m/s" in ended.out
    assert str(tmp_path / "out") in ended.out
    assert "reading streets" in ended.err  # plain lines where there is no terminal
    # (100, 0): 150 + 10 m; (0, 50): 50 + 250 + 10 m; (200, 100): 100 + 100 + 50 + 10 m. Of 200 m: the first.
    city = coverage(tmp_path / "out").query("level == 'city' and rule == 'shop'").iloc[0]
    assert (city["demand"], city["covered"]) == (120, 40)


def test_a_range_beside_each_share_on_demand(run: Any, folder: Path, tmp_path: Path) -> None:
    inputs = ("--osm", folder / "town.osm", "--communities", folder / "communities.geojson",
              "--population", folder / "people.csv", "--standard", folder / "rules.toml")  # fmt: skip
    ended = run("scan", *inputs, "--sensitivity", "-o", tmp_path / "out")
    assert ended.code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES | {"sensitivity.csv", "rank_stability.csv"}
    assert "sensitivity = thresholds × 0.8; thresholds × 1.2; speeds × 0.8; speeds × 1.2" in ended.out
    again = load_result(tmp_path / "out")
    assert again.sensitivity is not None
    assert (again.sensitivity["share_low"] <= again.sensitivity["share"]).all()
    sheets = load_workbook(tmp_path / "out" / "report.xlsx").sheetnames
    assert {"波动 Sensitivity", "名次稳定性 Rank stability"} <= set(sheets)


def test_a_study_file_and_options_that_win_over_it(run: Any, folder: Path, tmp_path: Path) -> None:
    study = tmp_path / "s.toml"
    study.write_text(
        f"standard = '{folder / 'rules.toml'}'\n[streets]\nosm = '{folder / 'town.osm'}'\n"
        f"[communities]\nfile = '{folder / 'communities.geojson'}'\n[population]\nfile = '{folder / 'people.csv'}'\n",
        encoding="utf-8",
    )
    assert run("scan", study, "-o", tmp_path / "a").code == 0
    wider = write_rules(tmp_path / "wider.toml", {**RULES[0], "threshold": 300})
    assert run("scan", study, "--standard", wider, "-o", tmp_path / "b").code == 0
    # 160 m within 200 m; within 300 m also (200, 100) with 260 m, not (0, 50) with 310 m
    assert coverage(tmp_path / "a").query("level == 'city' and rule == 'shop'")["covered"].item() == 40
    assert coverage(tmp_path / "b").query("level == 'city' and rule == 'shop'")["covered"].item() == 40 + 50


@pytest.mark.parametrize(
    ("form", "rows", "covered"),
    [
        # SERVICE=FILE takes every row and replaces the map: a shop 0 m from (0, 50), 150 m from (100, 0)
        ("supermarket={}", [(0, 50, "x")], 40 + 30),
        # +SERVICE=FILE adds to it: a shop at (200, 100) helps the 50 people there as well
        ("+supermarket={}", [(200, 100, "x")], 40 + 50),
        # FILE is classified by the catalogue: one supermarket, one thing that is nothing; the map's shops stay
        ("{}", [(0, 50, "好又多超市"), (200, 100, "某某")], 40 + 30),
    ],
)
def test_facilities_in_three_forms(
    run: Any, folder: Path, tmp_path: Path, form: str, rows: list[tuple[float, float, str]], covered: int
) -> None:
    table = write_table(tmp_path / "own.csv", "name", rows)
    ended = run(*options(folder), "--facilities", form.format(table), "-o", tmp_path / "out")
    assert ended.code == 0, ended.err
    city = coverage(tmp_path / "out").query("level == 'city' and rule == 'shop'").iloc[0]
    assert city["covered"] == covered


def test_only_homes_and_two_walkers(run: Any, folder: Path, tmp_path: Path) -> None:
    ended = run(*options(folder), "--only", "w", "--homes", "--walker", "elder", "--walker", "adult", "-o", tmp_path)
    assert ended.code == 0, ended.err
    table = coverage(tmp_path)
    assert set(table["unit_id"][table["level"] == "community"]) == {"w"}
    assert set(table["walker"]) == {"elder", "adult"}
    homes = pd.read_parquet(tmp_path / "homes.parquet")
    assert {"edge_id", "fraction", "leg_m", "nearest_m_supermarket"} <= set(homes.columns)
    assert homes["nearest_m_supermarket"].round(1).sort_values().tolist() == pytest.approx([160, 260, 310], abs=0.1)
    assert run(*options(folder), "-o", tmp_path).code == 0
    assert not (tmp_path / "homes.parquet").exists()  # an earlier result is replaced as a whole


def test_gates_both_writes_the_estates(run: Any, folder: Path, tmp_path: Path) -> None:
    ring = [lonlat(x, y) for x, y in ((50, -20), (150, -20), (150, 20), (50, 20), (50, -20))]
    shapes: list[dict[str, Any]] = [
        {"type": "Polygon", "coordinates": [ring]},
        {"type": "Point", "coordinates": lonlat(50, 0)},
    ]
    features = [{"type": "Feature", "geometry": g, "properties": {"gated": "yes"}} for g in shapes]
    estates = tmp_path / "estates.geojson"
    estates.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    ended = run(*options(folder), "--estates", estates, "--gates", "both", "-o", tmp_path / "out")
    assert ended.code == 0, ended.err
    table = pd.read_csv(tmp_path / "out" / "estates.csv", encoding="utf-8-sig").query("rule == 'shop'")
    # 40 people at (100, 0): by the western gate 100 + 100 + 300 + 100 + 50 + 10 m around, straight on 150 + 10 m.
    assert table[["people", "inside", "inside_open", "gain"]].to_numpy().tolist() == [[40, 0, 40, 40]]
    assert set(coverage(tmp_path / "out")["gates"]) == {"respect", "open"}
    assert run(*options(folder), "--gates", "ajar", "-o", tmp_path / "x").code == 2


# -- the other commands ------------------------------------------------------------------------------------------------


def test_streets_are_a_geopackage_of_nodes_and_edges(run: Any, folder: Path, tmp_path: Path) -> None:
    ended = run("streets", "--osm", folder / "town.osm", "-o", tmp_path / "streets.gpkg")
    assert (ended.code, ended.err) == (0, "")
    assert "4 nodes, 4 edges" in ended.out
    assert {"edges", "nodes"} <= set(pyogrio.list_layers(tmp_path / "streets.gpkg")[:, 0])
    edges = pyogrio.read_dataframe(tmp_path / "streets.gpkg", layer="edges")
    nodes = pyogrio.read_dataframe(tmp_path / "streets.gpkg", layer="nodes")
    wanted = ["edge_id", "u", "v", "length_m", "oneway", "highway", "component", "geometry"]
    assert edges.columns.tolist() == wanted
    assert edges.crs.to_epsg() == nodes.crs.to_epsg() == 4326
    assert set(edges["u"]) | set(edges["v"]) == set(nodes["node_id"])
    assert sorted(edges["length_m"]) == pytest.approx([100, 100, 300, 300], abs=0.05)
    assert set(edges["component"]) == {0}


def write_points(path: Path, places: dict[str, tuple[float, float]]) -> Path:
    rows = [f"{name},{lonlat(*place)[0]:.9f},{lonlat(*place)[1]:.9f}" for name, place in places.items()]
    path.write_text("\n".join(["id,lon,lat", *rows]) + "\n", encoding="utf-8")
    return path


def test_a_matrix_of_walks(run: Any, folder: Path, tmp_path: Path) -> None:
    origins = write_points(tmp_path / "o.csv", {"p": (100, 0), "q": (0, 50), "far": (0, 5000)})
    destinations = write_points(tmp_path / "d.csv", {"s": (250, 10), "t": (300, 100)})
    files = ("--origins", origins, "--destinations", destinations)
    ended = run("matrix", "--osm", folder / "town.osm", *files, "-o", tmp_path / "m.csv")
    assert ended.code == 0
    assert "far left out: no_street_within_limit" in ended.err
    assert (tmp_path / "m.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    table = pd.read_csv(tmp_path / "m.csv", encoding="utf-8-sig")
    assert table.columns.tolist() == ["origin_id", "destination_id", "walk_m", "walk_min"]
    walks = table.set_index(["origin_id", "destination_id"])["walk_m"].to_dict()
    # p to s: 150 + 10; p to t: 200 + 100; q to s: 50 + 250 + 10; q to t: 50 + 300
    assert walks == pytest.approx({("p", "s"): 160, ("p", "t"): 300, ("q", "s"): 310, ("q", "t"): 350}, abs=0.05)
    assert table["walk_min"].to_numpy() == pytest.approx(table["walk_m"] / 1.33 / 60, abs=0.006)
    assert run("matrix", "--osm", folder / "town.osm", *files, "--limit-m", 305, "-o", tmp_path / "m.csv").code == 0
    short = pd.read_csv(tmp_path / "m.csv", encoding="utf-8-sig")
    assert short["walk_m"].round().tolist() == [160, 300]


def test_isochrones_are_nested_circles(run: Any, folder: Path, tmp_path: Path) -> None:
    lon, lat = lonlat(150, 0)
    at = ("--at", f"{lon:.7f},{lat:.7f}", "--at", f"{LON},{LAT}")
    ended = run("isochrone", "--osm", folder / "town.osm", *at, "--metres", "50,100", "-o", tmp_path / "i.geojson")
    assert ended.code == 0, ended.err
    assert "4 circles" in ended.out
    text = json.loads((tmp_path / "i.geojson").read_text(encoding="utf-8"))
    assert {f["properties"]["metres"] for f in text["features"]} == {50, 100}
    frame = gpd.read_file(tmp_path / "i.geojson")
    assert frame.crs.to_epsg() == 4326
    assert frame["id"].nunique() == 2
    first = frame[frame["id"].astype(str) == "1"].sort_values("metres").geometry.to_numpy()
    assert shapely.within(first[0], first[1].buffer(1e-7))
    # Along the street 100 m either way and not 130 m: the circle ends within its cell of 20 m.
    assert shapely.contains(first[1], shapely.Point(lonlat(235, 0)))
    assert not shapely.contains(first[1], shapely.Point(lonlat(280, 0)))


def test_minutes_are_those_of_the_walker(run: Any, folder: Path, tmp_path: Path) -> None:
    def length(walker: str) -> float:
        at = f"{lonlat(150, 0)[0]:.7f},{lonlat(150, 0)[1]:.7f}"
        to = tmp_path / f"{walker}.geojson"
        ended = run("isochrone", "--osm", folder / "town.osm", "--at", at, "--minutes", "1.5", "--walker", walker,
                    "-o", to)  # fmt: skip
        assert ended.code == 0, ended.err
        return float(np.ptp(shapely.get_coordinates(gpd.read_file(to).geometry.to_numpy())[:, 0]) * 96_000)

    # 90 s at 1.33 and 0.9 m/s: 120 m and 81 m either way
    assert length("adult") == pytest.approx(240, abs=45)
    assert length("elder") == pytest.approx(162, abs=45)
    assert length("adult") > length("elder") + 40


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--at", "104", "--minutes", "5"], "--at is not a place"),
        (["--at", "30,104", "--minutes", "5"], "--at is not a place"),
        (["--at", "104,30"], "--minutes or --metres"),
        (["--at", "104,30", "--minutes", "5", "--metres", "300"], "--minutes or --metres"),
        (["--at", "104,30", "--minutes", "five"], "--minutes takes numbers"),
        (["--at", "104,30", "--metres", "-5"], "--metres takes numbers above 0"),
        (["--at", "104,30", "--minutes", "5", "--walker", "adlt"], "unknown walker"),
    ],
)
def test_circles_asked_for_in_the_wrong_way(
    run: Any, folder: Path, tmp_path: Path, wrong: list[str], words: str
) -> None:
    ended = run("isochrone", "--osm", folder / "town.osm", *wrong, "-o", tmp_path / "i.geojson")
    assert ended.code == 2
    assert words in ended.complaint
    assert not (tmp_path / "i.geojson").exists()


def test_a_map_is_drawn_again_from_its_folder(run: Any, demo_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(demo_folder, tmp_path, dirs_exist_ok=True)
    before = (tmp_path / "map.html").read_bytes()
    (tmp_path / "map.html").write_text("gone")
    ended = run("map", tmp_path)
    assert (ended.code, ended.out.strip()) == (0, str(tmp_path / "map.html"))
    assert (tmp_path / "map.html").read_bytes() == before


def test_a_folder_without_a_scan_has_no_map(run: Any, tmp_path: Path) -> None:
    ended = run("map", tmp_path)
    assert ended.code == 1
    assert "does not hold a finished scan" in ended.complaint
    assert list(tmp_path.iterdir()) == []


def test_standards_are_listed_with_clause_and_confidence(run: Any) -> None:
    every = run("standards")
    assert [line.split("\t")[0] for line in every.out.splitlines()] == [entry.id for entry in list_standards()]
    one = run("standards", "gb50180-2018")
    listed = [line.split(" | ") for line in one.out.splitlines()]
    assert {rule.id for rule in lc.load_standard("gb50180-2018").rules} <= {line[0] for line in listed}
    assert all("GB 50180-2018" in line[4] for line in listed)
    assert all(line[5].startswith(("V:", "V2:", "M+", "M?")) for line in listed)
    open_ = run("standards", "chengdu", "--unverified")
    whole = run("standards", "chengdu")
    assert 0 < len(open_.out.splitlines()) < len(whole.out.splitlines())
    assert set(open_.out.splitlines()) < set(whole.out.splitlines())
    unknown = run("standards", "gb50180")
    assert unknown.code == 1
    assert "gb50180-2018" in unknown.complaint


def test_check_describes_and_computes_nothing(run: Any, folder: Path, tmp_path: Path) -> None:
    study = tmp_path / "s.toml"
    study.write_text(
        f"standard = '{folder / 'rules.toml'}'\n[streets]\nosm = '{folder / 'town.osm'}'\n"
        f"[communities]\nfile = '{folder / 'communities.geojson'}'\n[population]\nfile = '{folder / 'people.csv'}'\n",
        encoding="utf-8",
    )
    ended = run("check", study)
    assert ended.code == 0
    for words in ("2 rules", "2 communities", "1 km walkable", "120 people", "reaches: supermarket 1 osm",
                  "services without any place: clinic"):  # fmt: skip
        assert words in ended.out, words
    assert list(tmp_path.iterdir()) == [study]


# -- mistakes ----------------------------------------------------------------------------------------------------------


def spoilt_osm(path: Path, how: str) -> Path:
    """Write streets that cannot be used."""
    if how == "text.osm.pbf":
        path.write_text("no map")
    elif how == "text.osm":
        path.write_text("<html>not a map</html>")
    elif how == "empty.osm":
        path.write_bytes(b"")
    elif how == "motorway.osm":
        Town("a----b").way("ab", highway="motorway").write(path)
    elif how == "cut.osm.pbf":
        lc.demo_study(path.parent / "demo")
        whole = (path.parent / "demo" / "town.osm.pbf").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    return path


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("missing.osm.pbf", "file not found"),
        ("text.osm.pbf", "cannot be read as OpenStreetMap"),
        ("text.osm", "cannot be read as OpenStreetMap"),
        ("empty.osm", "empty.osm"),
        ("cut.osm.pbf", "cut.osm.pbf"),
        ("motorway.osm", "no walkable way"),
    ],
)
def test_streets_that_cannot_be_used(run: Any, folder: Path, tmp_path: Path, how: str, words: str) -> None:
    ended = run(*options(folder, osm=spoilt_osm(tmp_path / how, how)), "-o", tmp_path / "out")
    assert ended.code == 1
    assert words in ended.complaint
    assert not (tmp_path / "out").exists()


def spoilt_communities(path: Path) -> Path:
    """Write communities that cannot be used."""
    how = path.stem
    square = [[lonlat(x, y) for x, y in ((0, 0), (300, 0), (300, 100), (0, 0))]]
    polygon = {"type": "Polygon", "coordinates": square}
    away = {"type": "Polygon", "coordinates": [[[x + 5, y] for x, y in square[0]]]}
    features = {
        "no_geometry": [("1", None)],
        "twice": [("1", polygon), ("1", away)],
        "elsewhere": [("1", away)],
        "points": [("1", {"type": "Point", "coordinates": square[0][0]})],
        "empty": [],
    }
    if how == "no_crs":
        frame = gpd.GeoDataFrame({"id": ["1"]}, geometry=[shapely.Polygon(square[0])])
        pyogrio.write_dataframe(frame, path)
        return path
    made = [{"type": "Feature", "properties": {"id": i}, "geometry": g} for i, g in features[how]]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": made}), encoding="utf-8")
    return path


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_geometry.geojson", "no_geometry.geojson"),
        ("points.geojson", "polygon"),
        ("empty.geojson", "empty.geojson"),
        ("no_crs.shp", "CRS"),
        ("twice.geojson", "twice|duplicate|more than once"),
        ("elsewhere.geojson", "does not overlap the streets of town.osm"),
    ],
)
def test_communities_that_cannot_be_used(run: Any, folder: Path, tmp_path: Path, name: str, words: str) -> None:
    ended = run(*options(folder, communities=spoilt_communities(tmp_path / name)), "-o", tmp_path / "out")
    assert ended.code == 1
    assert re.search(words, ended.complaint), ended.complaint
    assert not (tmp_path / "out").exists()


def void_raster(path: Path) -> Path:
    with rasterio.open(path, "w", driver="GTiff", width=40, height=40, count=1, dtype="float32", crs="EPSG:4326",
                       transform=Affine(0.001, 0, LON - 0.02, 0, -0.001, LAT + 0.02), nodata=-1) as raster:  # fmt: skip
        raster.write(np.full((40, 40), -1, dtype="float32"), 1)
    return path


@pytest.mark.parametrize(
    ("name", "rows", "words"),
    [
        ("negative.csv", [(100, 0, -5)], "negative|below 0|at least 0"),
        ("text.csv", [(100, 0, "many")], "not a number.*many"),
        ("empty.csv", [], "empty.csv"),
        ("void.tif", None, "void.tif"),
    ],
)
def test_people_that_cannot_be_counted(
    run: Any, folder: Path, tmp_path: Path, name: str, rows: Any, words: str
) -> None:
    path = tmp_path / name
    people = void_raster(path) if rows is None else write_table(path, "population", rows)
    ended = run(*options(folder, population=people), "-o", tmp_path / "out")
    assert ended.code == 1
    assert re.search(words, ended.complaint), ended.complaint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("other", "code", "words"),
    [
        ({"standard": "chengduu"}, 1, "did you mean 'chengdu'"),
        ({"facilities": "supermarkt=people.csv"}, 1, "did you mean 'supermarket'"),
        ({"walker": "adlt"}, 2, "adult"),
        ({"only": "x"}, 2, "unknown community"),
    ],
)
def test_names_that_do_not_exist(
    run: Any,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    other: dict[str, str],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(folder)
    ended = run(*options(folder, **other), "-o", tmp_path / "out")
    assert ended.code == code
    assert words in ended.complaint
    assert not (tmp_path / "out").exists()


def test_an_unknown_key_names_the_nearest_one(run: Any, folder: Path, tmp_path: Path) -> None:
    study = tmp_path / "s.toml"
    study.write_text("standard = 'chengdu'\nwalker = ['adult']\n[streets]\nosmm = 'x.pbf'\n", encoding="utf-8")
    ended = run("scan", study, "-o", tmp_path / "out")
    assert ended.code == 1
    assert "walkers" in ended.complaint  # both faults at once
    assert re.search(r"osmm.*osm\b", ended.complaint)


UNWRITABLE = ["file/below", "file", *(["/proc/nowhere"] if sys.platform == "linux" else [])]


@pytest.mark.parametrize("where", UNWRITABLE)
def test_an_output_folder_that_cannot_be_written(run: Any, folder: Path, tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("a file, not a folder")
    ended = run(*options(folder), "-o", tmp_path / where)
    assert ended.code == 1
    assert "cannot write to" in ended.complaint
    assert "reading" not in ended.err  # said before anything is read
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "a file, not a folder"


@pytest.mark.parametrize("where", UNWRITABLE)
def test_the_demo_into_a_folder_that_cannot_be_written(run: Any, tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("a file, not a folder")
    ended = run("demo", "-o", tmp_path / where)
    assert ended.code == 1
    assert "cannot write to" in ended.complaint
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_of_another_program_is_not_overwritten(run: Any, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("mine")
    ended = run(*options(folder), "-o", tmp_path)
    assert ended.code == 1
    assert "another program: scores.csv" in ended.complaint
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("scores.csv", "mine")]


def test_debug_shows_the_traceback() -> None:
    with pytest.raises(lc.InputError, match="study file not found"):
        main(["--debug", "check", "missing.toml"])


def test_the_version_is_told(run: Any) -> None:
    ended = run("--version")
    assert ended.code == 0
    assert re.fullmatch(r"livingcircle \d+\.\d+\S*\n", ended.out)
