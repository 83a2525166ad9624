"""Saving: equal bytes, all or nothing, other people's files, locks, and what must be said."""

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
from pyogrio.errors import DataSourceError

from livingcircle import save
from livingcircle import saved as saved_results
from livingcircle.columns import COVERAGE, FACILITIES, SCORES, UNPLACED
from livingcircle.credits import INTERNAL_DRAWING, NOT_A_SURVEY, OSM_CREDIT
from livingcircle.save import prepare_output, save_result, without_folders
from livingcircle.saved import load_result
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.errors import InputError
from made_result import made_result

ALWAYS = {
    "coverage.csv", "scores.csv", "score_histogram.csv", "communities.gpkg", "circles.gpkg", "facilities.gpkg",
    "unplaced.csv", "map.html",
    "report.xlsx", "run.json", "LICENCES.txt",
}  # fmt: skip


REAL_WRITERS = dict(save._WRITERS)


@pytest.fixture(autouse=True)
def short_page_and_report(monkeypatch):
    """Page and report have tests of their own; here short texts stand for them."""
    for name in ("map.html", "report.xlsx"):
        monkeypatch.setitem(save._WRITERS, name, lambda result, path: path.write_text(f"{result.run['name']}"))


@pytest.fixture(scope="module")
def result():
    return made_result(names=["=1+1", "-桂溪", "锦江,北"])


@pytest.fixture
def saved(result, tmp_path):
    return save_result(result, tmp_path / "out", homes=True)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def full_disk(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_writes_every_file_and_nothing_else(result, tmp_path):
    assert set(contents(save_result(result, tmp_path / "a" / "b", homes=False))) == ALWAYS
    assert {path.name for path in (tmp_path / "a" / "b").iterdir()} == ALWAYS
    assert set(contents(save_result(result, tmp_path / "c", homes=True))) == ALWAYS | {"homes.parquet"}


def test_a_result_saves_itself_with_its_page_and_report(result, tmp_path, monkeypatch):
    for name, write in REAL_WRITERS.items():
        monkeypatch.setitem(save._WRITERS, name, write)
    saved = result.save(tmp_path / "out")
    assert openpyxl.load_workbook(saved / "report.xlsx", read_only=True).sheetnames
    assert "</html>" in (saved / "map.html").read_text(encoding="utf-8")


def test_a_geopackage_that_does_not_fit_says_so(result, tmp_path, monkeypatch):
    def fails(*_, **__):
        raise DataSourceError("Failed to commit transaction")

    monkeypatch.setattr(pyogrio, "write_dataframe", fails)
    with pytest.raises(InputError, match=r"got communities\.gpkg: Failed to commit transaction; remedy"):
        save_result(result, tmp_path / "out", homes=False)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(InputError, match="the disk is full"):
        save_result(result, tmp_path / "out", homes=False)


def test_equal_results_give_equal_bytes_but_for_the_seconds_it_took(saved, tmp_path):
    again = save_result(made_result(names=["=1+1", "-桂溪", "锦江,北"]), tmp_path / "again", homes=True)
    first, second = contents(saved), contents(again)
    runs = [json.loads(files.pop("run.json")) for files in (first, second)]
    assert [sorted(run.pop("timings_s")) for run in runs] == [["map", "scan", "write"]] * 2
    assert runs[0] == runs[1]
    assert {name for name in first if first[name] != second[name]} == set()


def test_map_and_files_are_stages_that_are_told_and_stand_in_the_run(result, tmp_path):
    heard = []
    saved = save_result(result, tmp_path / "out", homes=False, progress=heard.append)
    assert [(event.kind, event.stage) for event in heard] == [
        ("stage_begun", "map"),
        ("stage_ended", "map"),
        ("stage_begun", "write"),
        ("stage_ended", "write"),
    ]
    took = json.loads((saved / "run.json").read_text(encoding="utf-8"))["timings_s"]
    assert took == {"scan": 1.25, **{event.stage: event.seconds for event in heard if event.kind == "stage_ended"}}
    assert result.run["timings_s"] == {"scan": 1.25}  # the result itself is left as it was


def test_csv_is_utf8_with_bom_lf_and_the_published_columns(saved):
    for name, table in (("coverage.csv", COVERAGE), ("scores.csv", SCORES), ("unplaced.csv", UNPLACED)):
        data = (saved / name).read_bytes()
        assert data.startswith(b"\xef\xbb\xbf"), name
        assert b"\r" not in data, name
        assert data.decode("utf-8-sig").split("\n", 1)[0] == ",".join(table.names)


def test_csv_holds_the_numbers_rounded(saved, result):
    scores = pd.read_csv(saved / "scores.csv", dtype=str, keep_default_na=False)
    assert scores["complete_share"].unique().tolist() == ["0.123457"]
    assert scores["unit_complete"].iloc[:3].tolist() == ["true", "false", ""]
    assert scores.loc[2, "score"] == "", "60 people have no score"
    coverage = pd.read_csv(saved / "coverage.csv")
    for name in ("demand", "covered", "radius_covered"):
        assert coverage[name].sum() == result.coverage[name].sum()
    pd.testing.assert_series_equal(coverage["share"], result.coverage["share"].astype(float), atol=5.1e-7, rtol=0)
    decimals = pd.read_csv(saved / "coverage.csv", dtype=str)["nearest_m_median"].dropna().str.split(".").str[1]
    assert decimals.str.len().max() == 2


def test_csv_marks_names_that_a_spreadsheet_would_run_but_never_ids(saved):
    scores = pd.read_csv(saved / "scores.csv", dtype=str)
    assert scores["unit_name"].head(3).tolist() == ["'=1+1", "'-桂溪", "锦江,北"]
    unplaced = pd.read_csv(saved / "unplaced.csv", dtype=str)
    assert unplaced.loc[2, "row"] == "-3"
    assert unplaced.loc[2, "name"] == "'@小店 分店", "one row, one line"


def test_communities_layer_carries_scores_and_a_share_per_rule(saved, result):
    layer = gpd.read_file(saved / "communities.gpkg", layer="communities")
    assert layer.crs == 4326
    assert layer["unit_name"].head(3).tolist() == ["=1+1", "-桂溪", "锦江,北"]
    assert set(layer.geom_type) == {"MultiPolygon"}
    rule = "gb50180_2018_primary_school"
    own = result.coverage[(result.coverage["rule"] == rule) & (result.coverage["level"] == "community")]
    assert layer[f"share_{rule}"].tolist() == pytest.approx(own["share"].tolist(), abs=1e-6)
    assert "confidence" in layer.columns


def test_facilities_have_two_layers_per_source_and_tell_how(saved):
    names = [name for name, geometry in pyogrio.list_layers(saved / "facilities.gpkg") if geometry]
    assert names == ["facilities_osm", "access_osm", "facilities_菜市场_2024", "access_菜市场_2024", "background"]
    places = gpd.read_file(saved / "facilities.gpkg", layer="facilities_osm").set_index("facility_id")
    assert list(places.reset_index().columns) == list(FACILITIES.names)
    assert places["how"].to_dict() == {"n1": "point", "w2": "frontage|gate"}
    own = gpd.read_file(saved / "facilities.gpkg", layer="access_菜市场_2024")
    assert own["edge_id"].tolist() == [-1]
    assert own["leg_m"].isna().all()


def test_sources_whose_names_differ_by_case_or_sign_get_layers_of_their_own(result, tmp_path):
    facilities = result.facilities.assign(source=["a b.csv", "A_B.csv", "a-b.csv"])
    points = result.access_points.assign(source=["a b.csv", "A_B.csv", "A_B.csv", "a-b.csv"])
    changed = made_result(facilities=facilities, access_points=points)
    saved = save_result(changed, tmp_path / "out", homes=False)
    layers = [name for name, geometry in pyogrio.list_layers(saved / "facilities.gpkg") if geometry]
    assert len({name.casefold() for name in layers}) == 7, "two for each source, and the background"


def test_a_city_without_facilities_still_has_readable_layers(result, tmp_path):
    none = made_result(facilities=result.facilities.head(0), access_points=result.access_points.head(0))
    saved = save_result(none, tmp_path / "out", homes=False)
    assert len(gpd.read_file(saved / "facilities.gpkg", layer="facilities_osm")) == 0


def test_credit_stands_in_every_geopackage_layer(saved):
    for file in ("communities.gpkg", "circles.gpkg", "facilities.gpkg"):
        for layer, geometry in pyogrio.list_layers(saved / file):
            if geometry is None:  # the styles of QGIS
                continue
            notice = pyogrio.read_info(saved / file, layer=layer)["layer_metadata"]["ATTRIBUTION"]
            assert OSM_CREDIT in notice
            assert INTERNAL_DRAWING in notice


def test_homes_stay_out_of_everything_but_their_own_file(saved):
    assert pd.read_parquet(saved / "homes.parquet")["nearest_m_park"].tolist() == [321.5] * 4
    for file in ("communities.gpkg", "circles.gpkg", "facilities.gpkg"):
        assert not [name for name, _ in pyogrio.list_layers(saved / file) if "home" in name]


def test_run_json_is_sorted_and_names_no_place_on_this_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/li hua"))
    run = dict(made_result().run)
    home = Path("/home/li hua/in/c.csv")
    run["warnings"] = [
        f"{home} has 3 empty rows",
        "C:\\Users\\li\\b.csv: no column",
        f"{Path.cwd()}/x/y.tif is old",
    ]
    run["inputs"] = [{"role": "osm", "path": tmp_path / "deep" / "a.pbf", "licence": "https://osm.org/copyright"}]
    run["counts"] = {"share": float("nan")}
    text = (save_result(made_result(run=run), tmp_path / "o", homes=False) / "run.json").read_text(encoding="utf-8")
    for secret in (str(tmp_path), str(Path.cwd()), "/home", "Users", "li hua"):
        assert secret not in text
    read = json.loads(text)
    assert list(read) == sorted(read)
    assert read["program"] == "livingcircle"
    assert read["settings"]["join_limit_m"] == 300
    assert read["inputs"][0] == {"licence": "https://osm.org/copyright", "path": "a.pbf", "role": "osm"}
    assert read["warnings"] == ["c.csv has 3 empty rows", "b.csv: no column", "y.tif is old"]
    assert read["counts"]["share"] is None
    assert "锦江区试算" in text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("see https://www.openstreetmap.org/copyright", "see https://www.openstreetmap.org/copyright"),
        ("adult 1.33 m/s, 1/2 of people, and/or", "adult 1.33 m/s, 1/2 of people, and/or"),
        ("/data/in/a.csv", "a.csv"),
        ("file '/data/in/a.csv' and /data/b.csv", "file 'a.csv' and b.csv"),
        (r"D:\规划\a.csv", "a.csv"),
        (r"\\server\share\a.csv", "a.csv"),
    ],
)
def test_only_folders_are_taken_out_of_texts(text, kept):
    assert without_folders(text) == kept


def test_no_file_that_is_handed_on_names_a_folder(result, tmp_path, monkeypatch):
    monkeypatch.setitem(save._WRITERS, "report.xlsx", REAL_WRITERS["report.xlsx"])
    run = dict(result.run) | {"warnings": ["/data/secret/a.csv is old"]}
    saved = save_result(replace(result, run=run), tmp_path / "out", homes=False)
    with zipfile.ZipFile(saved / "report.xlsx") as archive:
        text = "".join(archive.read(name).decode() for name in archive.namelist())
    assert "a.csv is old" in text
    assert "secret" not in text


def test_licences_name_every_input_and_what_must_be_shown(saved):
    text = (saved / "LICENCES.txt").read_text(encoding="utf-8")
    for said in ("chengdu.osm.pbf", "ab" * 32, OSM_CREDIT, INTERNAL_DRAWING, NOT_A_SURVEY, "菜市场 2024.csv"):
        assert said in text
    assert "restricted, not to be passed on" in text


def test_an_approval_number_takes_the_place_of_the_warning(tmp_path):
    saved = save_result(made_result(approval_number="川S(2024)1号"), tmp_path / "out", homes=False)
    text = (saved / "LICENCES.txt").read_text(encoding="utf-8")
    assert "审图号:川S(2024)1号" in text
    assert INTERNAL_DRAWING not in text


def test_an_earlier_result_is_replaced_and_strangers_stay(saved):
    (saved / "notes.docx").write_text("mine")
    save_result(made_result(communities=2), saved, homes=False)
    assert {path.name for path in saved.iterdir()} == ALWAYS | {"notes.docx"}, "earlier homes.parquet must go"
    assert (saved / "notes.docx").read_text() == "mine"
    assert len(gpd.read_file(saved / "communities.gpkg", layer="communities")) == 2


@pytest.mark.parametrize("broken", ["coverage.csv", "report.xlsx", "map.html", "run.json"])
def test_a_full_disk_leaves_the_earlier_result_untouched(saved, monkeypatch, broken):
    before = contents(saved)
    monkeypatch.setitem(save._WRITERS, broken, full_disk)
    with pytest.raises(InputError, match=r"cannot write to .*out; got the disk is full; remedy: free some space"):
        save_result(made_result(communities=2), saved, homes=True)
    assert contents(saved) == before
    assert {path.name for path in saved.iterdir()} == set(before)


def test_a_failure_in_a_new_folder_leaves_no_folder(result, tmp_path, monkeypatch):
    monkeypatch.setitem(save._WRITERS, "report.xlsx", full_disk)
    with pytest.raises(InputError, match="disk is full"):
        save_result(result, tmp_path / "new" / "deep", homes=False)
    assert list(tmp_path.iterdir()) == []


def test_a_programming_fault_leaves_nothing_and_is_not_dressed_up(result, tmp_path, monkeypatch):
    monkeypatch.setitem(save._WRITERS, "map.html", lambda *_: {}["missing"])
    with pytest.raises(KeyError, match="missing"):
        save_result(result, tmp_path / "new", homes=False)
    assert list(tmp_path.iterdir()) == []


def test_a_map_that_is_still_drawn_for_a_save_that_failed_is_not_written_into_the_next(saved, monkeypatch):
    drawn, ended = threading.Event(), threading.Event()
    quick, name = save._WRITERS["map.html"], made_result().run["name"]

    def slow(result, path):
        if result.run["name"] == name:
            drawn.wait(30)
        try:
            quick(result, path)
        finally:
            if result.run["name"] == name:
                ended.set()

    def after_the_slow_one(result, path):
        quick(result, path)
        drawn.set()
        assert ended.wait(30)

    monkeypatch.setitem(save._WRITERS, "map.html", slow)
    with monkeypatch.context() as patch:
        patch.setitem(save._WRITERS, "scores.csv", full_disk)
        with pytest.raises(InputError, match="disk is full"):
            save_result(made_result(), saved, homes=False)
    monkeypatch.setitem(save._WRITERS, "report.xlsx", after_the_slow_one)
    save_result(made_result(run={**made_result().run, "name": "next"}), saved, homes=False)
    assert (saved / "map.html").read_text() == "next"


def test_a_result_that_is_replaced_while_it_is_read_is_not_mixed(saved, monkeypatch):
    honest = saved_results._read

    def meanwhile(folder, run):
        result = honest(folder, run)
        save_result(made_result(communities=2), folder, homes=False)
        return result

    assert len(load_result(saved).communities) == 4
    with monkeypatch.context() as patch:
        patch.setattr(saved_results, "_read", meanwhile)
        with pytest.raises(InputError, match=r"out was replaced by another scan while it was read; remedy: run"):
            load_result(saved)
    assert len(load_result(saved).communities) == 2


@pytest.mark.parametrize("stuck", ["coverage.csv", "map.html", "homes.parquet", "run.json"])
def test_a_file_that_cannot_be_replaced_brings_all_others_back(saved, monkeypatch, stuck):
    (saved / "LICENCES.txt").unlink()  # so that one file is new and has to go again
    before = contents(saved)
    replace = Path.replace

    def sometimes(self, target):
        if self.parent.name.startswith(".livingcircle.partial-") and Path(target) == saved / stuck:
            raise PermissionError(errno.EACCES, "The process cannot access the file")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", sometimes)
    with pytest.raises(InputError, match=r"The process cannot access the file; remedy: close its files .*Excel"):
        save_result(made_result(communities=2), saved, homes=True)
    assert contents(saved) == before
    assert {path.name for path in saved.iterdir()} == set(before)


@pytest.mark.parametrize("foreign", ["coverage.csv", "map.html", "run.json"])
def test_a_file_of_another_program_is_refused_by_name(result, tmp_path, foreign):
    (tmp_path / foreign).write_text('{"program": "another"}')
    with pytest.raises(InputError, match=rf"file of ours from another program: {foreign}; .*choose another -o"):
        prepare_output(tmp_path)
    with pytest.raises(InputError, match=foreign):
        save_result(result, tmp_path, homes=False)
    assert contents(tmp_path) == {foreign: b'{"program": "another"}'}


def test_a_folder_with_one_of_our_names_is_never_replaced(saved):
    (saved / "map.html").unlink()
    (saved / "map.html").mkdir()
    with pytest.raises(InputError, match=r"map\.html"):
        prepare_output(saved)


def test_what_a_killed_run_left_is_ours_and_cleared(result, tmp_path):
    (tmp_path / ".livingcircle.partial-1" / "earlier").mkdir(parents=True)
    (tmp_path / "coverage.csv").write_text("half")
    save_result(result, tmp_path, homes=False)
    assert {path.name for path in tmp_path.iterdir()} == ALWAYS


def test_prepare_accepts_what_can_be_written_and_changes_nothing(tmp_path, saved):
    before = contents(saved)
    prepare_output(saved)
    assert contents(saved) == before
    prepare_output(tmp_path / "not" / "yet")
    assert not (tmp_path / "not").exists()
    (tmp_path / "notes.docx").write_text("mine")
    prepare_output(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("a file")
    for directory in (tmp_path / "out", tmp_path / "out" / "below"):
        with pytest.raises(InputError, match=r"cannot write to .*out is a file; expected a folder"):
            prepare_output(directory)


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    closed = Path("/proc") if os.geteuid() == 0 else tmp_path  # the superuser may write to tmp_path all the same
    with pytest.raises(InputError, match=rf"cannot write to {closed}/out; got .*; remedy: .*choose another -o"):
        prepare_output(closed / "out")
    tmp_path.chmod(0o700)


HOLDER = """
import sys
from pathlib import Path
from livingcircle.output_folder import held_folder
with held_folder(Path(sys.argv[1]), ["run.json"]):
    print("held", flush=True)
    input()
"""


def test_a_second_process_is_refused_until_the_first_is_gone(result, saved):
    before = contents(saved)
    command = [sys.executable, "-c", HOLDER, str(saved)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match=rf"process {other.pid} is writing into .*; remedy: wait until it ends"):
            prepare_output(saved)
        with pytest.raises(InputError, match=rf"process {other.pid} is writing into"):
            save_result(result, saved, homes=False)
        assert contents(saved) == before | {".livingcircle.lock": str(other.pid).encode()}
        other.kill()  # it cannot tidy up
    assert contents(saved) == before | {".livingcircle.lock": str(other.pid).encode()}
    save_result(result, saved, homes=False)
    assert {path.name for path in saved.iterdir()} == ALWAYS


def test_a_lock_file_without_a_process_behind_it_is_no_lock(result, saved):
    (saved / ".livingcircle.lock").write_text(str(os.getpid()))  # as an earlier version left it, or a copied folder
    save_result(result, saved, homes=False)
    assert {path.name for path in saved.iterdir()} == ALWAYS


def test_a_lock_is_held_while_files_are_written(result, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setitem(
        save._WRITERS,
        "map.html",
        lambda _, path: seen.append((tmp_path / "out" / ".livingcircle.lock").read_text()) or path.write_text(""),
    )
    save_result(result, tmp_path / "out", homes=False)
    assert seen == [str(os.getpid())]


def test_services_of_a_planners_own_catalogue_are_read_back_without_her_file(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(
        '[[service]]\nid = "tea_house"\nname_zh = "茶馆"\nname_en = "Tea house"\ntheme = "convenience"\n'
        'kind = "point"\nicon = "茶"\nosm = ["shop=tea + name~茶馆"]\n[[service]]\nid = "park"\nname_zh = "城市公园"\n'
    )
    folder = save_result(made_result(catalogue=load_catalogue(own)), tmp_path / "o", homes=False)
    own.unlink()
    kept = load_result(folder).catalogue
    assert (kept.services["tea_house"].icon, kept.services["park"].name_zh) == ("茶", "城市公园")
    assert kept.services["park"].osm == load_catalogue().services["park"].osm  # only the name was changed
    plain = save_result(made_result(), tmp_path / "p", homes=False)
    assert load_result(plain).catalogue is load_catalogue()


def test_a_scan_without_a_map_behind_it_still_has_the_layer_of_the_background(result, tmp_path):
    """Without OpenStreetMap there is nothing to draw behind; the layer keeps its columns of text."""
    saved = save_result(made_result(background=result.background.head(0)), tmp_path / "out", homes=False)
    layer = gpd.read_file(saved / "facilities.gpkg", layer="background")
    assert len(layer) == 0
    assert {"kind", "rank", "name"} <= set(layer.columns)


def test_what_a_thread_writes_is_given_up_when_another_file_fails(result, tmp_path, monkeypatch):
    begun, written = threading.Event(), []

    def slow(_: object, path: Path) -> None:
        begun.set()
        time.sleep(0.3)
        path.write_text("late")
        written.append(path.name)

    def failing(_: object, path: Path) -> None:
        assert begun.wait(5)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    for name in save._WRITERS:
        beside = not name.endswith((".html", ".gpkg"))
        monkeypatch.setitem(save._WRITERS, name, slow if beside else lambda _, path: path.write_text("here"))
    monkeypatch.setitem(save._WRITERS, "facilities.gpkg", failing)
    with pytest.raises(InputError, match="disk"):
        save_result(result, tmp_path / "out", homes=False)
    time.sleep(0.5)
    assert written == ["coverage.csv"]
    assert not (tmp_path / "out").exists()
