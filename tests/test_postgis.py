"""PostGIS: tables in, results out, nothing changed by reading, and no word about the password."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest
import shapely

import livingcircle as lc
from livingcircle.output_folder import held_folder
from livingcircle.postgis_tables import Target
from livingcircle.recorded import measured_again
from livingcircle.save import result_files
from livingcircle.study import Study, StudyOptions
from livingcircle.study_parts import CommunitiesInput
from livingcircle_layers.errors import InputError, UsageError
from livingcircle_layers.postgis import read_database
from livingcircle_layers.sources import Database, Source, without_address
from livingcircle_layers.tables import read_points, read_table, read_vector
from postgis_server import ENCODED, PASSWORD, USER
from towns import LAT, LON, Town, write_communities, write_rules, write_table

PROGRAM = [sys.executable, "-m", "livingcircle.cli"]
SOURCES = os.pathsep.join(str(Path(__file__).parents[1] / source) for source in ("analysis", "layers"))


@pytest.fixture(scope="module")
def server(postgis_url: str) -> Iterator[Any]:
    """A connection to a database with a schema 规划 of tables as an office keeps them."""
    import psycopg

    with psycopg.connect(postgis_url, autocommit=True) as connection:
        connection.execute("""
            create schema 规划;
            create table 规划.学校 (编码 bigint, 名称 text, 学位 numeric(8, 1), 开办 date, geom geometry(Point, 4490));
            insert into 规划.学校 values
                (9007199254740993, '=1+1 小学', 360, '2020-09-01', ST_SetSRID(ST_MakePoint(104.07, 30.65), 4490)),
                (510104, '锦江小学', 720.5, null, ST_SetSRID(ST_MakePoint(104.08, 30.66), 4490)),
                (510105, null, null, null, null);
            create sequence 规划.number;
            create table 规划.点 (lon float, lat float, name text);
            insert into 规划.点 values (104.07, 30.65, '甲'), (104.08, 30.66, '乙'), (0, 0, '丙');
        """)
        yield connection


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small town: two communities beside one street with a supermarket."""
    made = tmp_path_factory.mktemp("city")
    town = Town("c------d\n--------\na------b", dx=300 / 7, dy=50)
    town.way("ab").way("cd").way("ac").way("bd").node(250, 10, shop="supermarket", name="=HYPERLINK()")
    town.write(made / "town.osm")
    write_communities(made / "communities.geojson", {"w": (-50, -50, 200, 300), "e": (150, -50, 250, 300)})
    write_table(made / "people.csv", "population", [(100, 0, 40), (0, 50, 30), (200, 100, 50)])
    write_rules(
        made / "rules.toml",
        {"id": "shop", "services": ["supermarket"], "threshold": 200, "threshold_unit": "m"},
        {"id": "school", "services": ["primary_school"], "threshold": 500, "threshold_unit": "m"},
    )
    return made


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.postgis
def test_a_table_is_read_with_its_crs_and_its_large_ids(server: Any, postgis_url: str) -> None:
    frame = read_vector(Source(Database(postgis_url), table="规划.学校"))
    assert frame.crs.to_epsg() == 4490
    # Sorted by what they hold, from the first column on, as text: a database has no order of its own.
    assert frame["编码"].tolist() == ["510104", "510105", "9007199254740993"]
    assert frame["学位"].tolist() == ["720.5", "", "360.0"]
    assert frame["开办"].tolist() == ["", "", "2020-09-01"]
    assert shapely.get_coordinates(frame.geometry.dropna().to_numpy()).tolist() == [[104.08, 30.66], [104.07, 30.65]]
    assert (frame.attrs["rows"], frame.attrs["filtered"]) == (3, 0)


@pytest.mark.postgis
def test_a_query_gives_points_by_their_coordinates(server: Any, postgis_url: str) -> None:
    source = Source(Database(postgis_url), query="select * from 规划.点 ;", where='name != "乙"')
    points, rejected = read_points(source)
    assert points.cells("name").tolist() == ["甲"]
    assert rejected["reason"].tolist() == ["coordinates are 0,0"]
    assert points.reading.label.startswith("postgis:query ")
    assert (points.reading.rows, points.reading.filtered) == (3, 1)


@pytest.mark.postgis
@pytest.mark.parametrize(
    "shape", ["CURVEPOLYGON(CIRCULARSTRING(0 0,1 1,2 0,1 -1,0 0))", "TIN(((0 0 0,0 0 1,0 1 0,0 0 0)))"]
)
def test_curves_and_meshes_are_refused(postgis_url: str, shape: str) -> None:
    with pytest.raises(InputError, match=r"no points, straight lines or polygons.*remedy: .*ST_CurveToLine"):
        read_database(Source(Database(postgis_url), query=f"select '{shape}'::geometry as geom"))


@pytest.mark.postgis
def test_the_order_of_the_rows_changes_nothing(server: Any, postgis_url: str) -> None:
    ways = [
        read_database(Source(Database(postgis_url), query=f"select * from 规划.学校 order by 编码 {way}"))
        for way in ("asc", "desc")
    ]
    pd.testing.assert_frame_equal(pd.DataFrame(ways[0]), pd.DataFrame(ways[1]))
    assert ways[0].attrs["digest"] == ways[1].attrs["digest"]
    less = read_database(Source(Database(postgis_url), query="select * from 规划.学校 where 编码 > 510104"))
    assert less.attrs["digest"] != ways[0].attrs["digest"]


@pytest.mark.postgis
def test_a_database_declares_a_crs_that_it_does_not_know(server: Any, postgis_url: str) -> None:
    query = "select 1 as id, ST_MakePoint(104.07, 30.65) as geom"
    with pytest.raises(InputError, match=r"has no CRS.*crs = "):
        read_vector(Source(Database(postgis_url), query=query))
    assert read_vector(Source(Database(postgis_url), query=query, crs="EPSG:4490")).crs.to_epsg() == 4490


@pytest.mark.postgis
@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"query": "delete from 规划.学校 returning *"}, "syntax error"),
        ({"query": "with gone as (delete from 规划.学校 returning *) select * from gone"}, "must not contain data-mod"),
        ({"query": "select 1; drop table 规划.学校"}, "multiple commands"),
        ({"query": "select 1) as q; commit; drop table 规划.学校; select * from (select 1"}, "syntax error"),
        ({"query": "select nextval('规划.number')"}, "cannot execute nextval.. in a read-only transaction"),
        ({"query": "select set_config('transaction_read_only', 'off', false)"}, "must be set before any query"),
        ({"table": "规划.学校; drop table 规划.学校"}, "does not exist"),
        ({"table": "规划.没有"}, "postgis:规划.没有: the database says no.*does not exist.*remedy: check `table`"),
        ({"query": "select 1 as a, 2 as a"}, "headings appear twice: a"),
        ({"query": "select geom, geom as other from 规划.学校"}, "several columns of geometries; got geom, other"),
        (
            {"query": "select geom from 规划.学校 union all select ST_SetSRID(ST_MakePoint(1, 2), 4326)"},
            "in several CRS; got SRID 4326, SRID 4490",
        ),
        ({"query": "select * from 规划.学校 where false"}, "has no rows; got 编码, 名称"),
    ],
)
def test_reading_changes_nothing(server: Any, postgis_url: str, choice: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        read_database(Source(Database(postgis_url), **choice))
    assert "\n" not in str(error.value)
    assert server.execute("select count(*) from 规划.学校").fetchone() == (3,)


@pytest.mark.postgis
def test_what_a_read_only_transaction_lets_through_is_taken_back(server: Any, postgis_url: str) -> None:
    read_database(Source(Database(postgis_url), query="select lo_create(0)"))
    assert server.execute("select count(*) from pg_largeobject_metadata").fetchone() == (0,)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Source(Database("postgresql://u@h/d")), "one of `table` and `query`; got neither"),
        (Source(Database("postgresql://u@h/d"), table="t", query="select 1"), "got both"),
        (Source(Database("postgresql://u@h/d"), table="t", layer="x", sheet="y"), "`layer` does not fit.*`sheet` does"),
        (Source(Path("a.csv"), table="t"), "a.csv: `table` does not fit; got table = 't'; expected it with postgresql"),
    ],
)
def test_keys_that_do_not_fit(source: Source, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_table(source)


# -- the password ------------------------------------------------------------------------------------------------------

WRONG = "wr0ng-Wort"


@pytest.mark.postgis
@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace(ENCODED, WRONG),  # refused
        lambda url: re.sub(r":\d+/", ":1/", url),  # nobody listens
        lambda url: url.replace("127.0.0.1", "nowhere.invalid"),
        lambda url: url.replace("/postgres", "/no_such_database"),
        lambda url: url + "?no_such_option=1",  # the driver would repeat the URL
        lambda url: url.replace("127.0.0.1", "[::1"),
        lambda url: re.sub(r":\d+/", ":port/", url),
        lambda url: url.replace(f":{ENCODED}@", "@") + "?password=" + WRONG,
    ],
)
def test_the_password_is_in_no_error_and_no_traceback(postgis_url: str, change: Any) -> None:
    with pytest.raises(InputError) as error:
        read_database(Source(Database(change(postgis_url)), table="t"))
    shown = "".join(traceback.format_exception(error.value))
    for secret in (PASSWORD, ENCODED, WRONG, quote(PASSWORD)):
        assert secret not in shown
    assert "remedy" in str(error.value)


@pytest.mark.postgis
@pytest.mark.parametrize(
    "address",
    ["u:ge@heim@127.0.0.1:1/d", "u:ge/heim@127.0.0.1:1/d", "u:99/heim@127.0.0.1:1/d", "u:ge?heim@127.0.0.1:1/d"],
)
def test_no_half_of_a_password_is_taken_for_the_host(address: str) -> None:
    with pytest.raises(InputError, match=r"URL of the database cannot be understood.*write %40 for @") as error:
        read_database(Source(Database(f"postgresql://{address}"), table="t"))
    assert "heim" not in "".join(traceback.format_exception(error.value))


@pytest.mark.postgis
def test_the_password_may_come_from_the_environment(
    server: Any, postgis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without = Source(Database(postgis_url.replace(f":{ENCODED}@", "@")), table="规划.学校")
    with pytest.raises(InputError, match=r"no password supplied.*PGPASSWORD or \.pgpass"):
        read_database(without)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert len(read_database(without)) == 3
    monkeypatch.delenv("PGPASSWORD")
    kept = tmp_path / "pgpass"
    kept.write_text(f"*:*:*:*:{PASSWORD}\n", encoding="utf-8")
    kept.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(kept))
    assert len(read_database(without)) == 3


def test_a_database_shows_itself_without_its_address() -> None:
    database = Database("postgresql://u:geheim@host/db")
    study = Study(
        standard="chengdu",
        streets={"osm": "a.osm"},
        communities={"file": "postgresql://u:geheim@host/db", "table": "t"},
        population={"file": "p.csv"},
    )
    shown = [str(database), repr(database), f"{Source(database, table='t')}", str(study), study.model_dump_json()]
    assert not any("geheim" in text for text in shown)
    assert study.communities.file == database
    assert study.relative_to(Path("x")).communities.file == database
    assert study.communities.rows == Source(database, table="t")
    assert without_address("no file postgresql:/u:geheim@host/db here") == "no file postgresql:/… here"


def test_a_wrong_study_says_nothing_of_the_password(tmp_path: Path) -> None:
    text = (
        'standard = "chengdu"\n[streets]\nosm = "a.osm"\n[communities]\nfile = "c.geojson"\n[population]\n'
        'file = "p.csv"\n[[facilities]]\nfile = "postgresql://u:geheim@host/db"\ntable = "t"\nmode = "add"\n'
    )
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="mode 'replace' or 'add' with a service") as error:
        Study.load(tmp_path / "s.toml")
    assert "geheim" not in "".join(traceback.format_exception(error.value))


# -- a whole scan ------------------------------------------------------------------------------------------------------


def study_file(folder: Path, url: str) -> Path:
    place = "ST_SetSRID(ST_MakePoint"
    path = folder / "study.toml"
    path.write_text(
        f"""
        name = "town"
        standard = "rules.toml"
        streets.osm = "town.osm"
        population.file = "people.csv"
        communities.file = "communities.geojson"
        [[facilities]]
        file = "{url}"
        query = "select '=s' as id, '=cmd' as name, {place}({LON + 0.001}, {LAT}), 4326) as geom"
        service = "primary_school"
        """,
        encoding="utf-8",
    )
    return path


def run(*arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": SOURCES, "PYTHONUTF8": "1", **env},
        capture_output=True,
        encoding="utf-8",
        timeout=180,
        check=False,
    )


@pytest.mark.postgis
def test_a_scan_from_a_database_and_back(server: Any, postgis_url: str, folder: Path, tmp_path: Path) -> None:
    study = study_file(folder, postgis_url)
    out, target = tmp_path / "out", postgis_url + "?schema=结果"
    ended = run("--debug", "scan", study, "-o", out, "--to-postgis", target)
    assert ended.returncode == 0, ended.stderr

    tables = {
        name: dict(
            server.execute(
                "select column_name, data_type from information_schema.columns where table_schema = '结果'"
                " and table_name = %s",
                [name],
            ).fetchall()
        )
        for name in ("communities", "facilities", "coverage", "scores")
    }
    assert tables["communities"]["geometry"] == tables["facilities"]["geometry"] == "USER-DEFINED"
    assert tables["coverage"]["share"] == "double precision"
    assert tables["communities"]["people"] == "bigint"
    rows = server.execute("select unit_id, rule, share from 结果.coverage where level = 'community' order by 1, 2")
    files = pd.read_csv(out / "coverage.csv", encoding="utf-8-sig", dtype={"unit_id": str})
    files = files[files["level"] == "community"].sort_values(["unit_id", "rule"])
    written = pd.DataFrame(rows.fetchall(), columns=["unit_id", "rule", "share"])
    assert written["unit_id"].tolist() == files["unit_id"].tolist()
    pd.testing.assert_series_equal(written["share"].astype(float), files["share"].reset_index(drop=True))
    area = server.execute(
        "select count(*), bool_and(ST_IsValid(geometry)), min(ST_SRID(geometry)) from 结果.communities"
    )
    assert area.fetchone() == (2, True, 4326)
    names = {name for (name,) in server.execute("select name from 结果.facilities").fetchall()}
    assert names == {"=HYPERLINK()", "=cmd"}  # text as it is: nothing runs in a database
    (comment,) = server.execute("select obj_description('结果.scores'::regclass)").fetchone()
    assert "OpenStreetMap" in comment
    assert "内部工作图" in comment

    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    source = next(entry for entry in record["inputs"] if entry["role"] == "facilities")
    assert source["path"].startswith("postgis:query ")
    assert len(source["sha256"]) == 64
    told = ended.stdout + ended.stderr
    told += "".join(path.read_text(encoding="utf-8", errors="replace") for path in out.iterdir())
    for secret in (PASSWORD, ENCODED, "127.0.0.1", USER):
        assert secret not in told

    again = measured_again(out, study)
    assert len(again.inputs.readings["facilities"]) == 1
    with pytest.raises(InputError, match=r"the database of postgis:query .* is not kept with a scan"):
        measured_again(out)


@pytest.mark.postgis
def test_a_scan_with_a_wrong_password_leaves_nothing(postgis_url: str, folder: Path, tmp_path: Path) -> None:
    study = study_file(folder, postgis_url.replace(ENCODED, WRONG))
    for debug in ([], ["--debug"]):
        ended = run(*debug, "scan", study, "-o", tmp_path / "out")
        assert ended.returncode == 1
        assert "password authentication failed" in ended.stderr
        assert WRONG not in ended.stderr + ended.stdout
        assert not (tmp_path / "out").exists()


@pytest.mark.postgis
def test_a_database_that_is_not_ours_is_left_alone(server: Any, postgis_url: str, folder: Path, tmp_path: Path) -> None:
    server.execute("create schema theirs; create table theirs.scores (a int); insert into theirs.scores values (7)")
    study = study_file(folder, postgis_url)
    ended = run("scan", study, "-o", tmp_path / "out", "--to-postgis", postgis_url + "?schema=theirs")
    assert ended.returncode == 1
    assert "holds tables that are not ours: scores" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1  # before anything was read
    assert not (tmp_path / "out").exists()
    assert server.execute("select a from theirs.scores").fetchall() == [(7,)]


@pytest.fixture(scope="module")
def result(folder: Path) -> Any:
    options = StudyOptions(
        osm=folder / "town.osm",
        communities=str(folder / "communities.geojson"),
        population=folder / "people.csv",
        standard=str(folder / "rules.toml"),
    )
    return lc.scan(options.study())


@pytest.mark.postgis
def test_files_and_tables_are_replaced_together_or_not_at_all(
    server: Any, postgis_url: str, result: Any, tmp_path: Path
) -> None:
    out, target = tmp_path / "out", postgis_url + "?schema=twice"
    result.save(out, postgis=target)
    result.save(out, postgis=target)  # an earlier result of ours is replaced
    before = (out / "run.json").read_bytes()
    server.execute("create view twice.theirs as select unit_id from twice.scores")
    shorter = result.scores.iloc[:1]
    changed = dataclasses.replace(result, scores=shorter)
    with pytest.raises(InputError, match=r"other objects depend on it.*remedy: drop what depends on it"):
        changed.save(out, postgis=target)
    assert (out / "run.json").read_bytes() == before
    assert server.execute("select count(*) from twice.scores").fetchone() == (len(result.scores),)
    server.execute("drop view twice.theirs")
    with held_folder(out, result_files()), pytest.raises(InputError, match="is writing into"):
        changed.save(out, postgis=target)  # the files cannot be written: neither are the tables
    assert server.execute("select count(*) from twice.scores").fetchone() == (len(result.scores),)
    changed.save(out, postgis=target)
    assert server.execute("select count(*) from twice.scores").fetchone() == (1,)


@pytest.mark.postgis
def test_a_database_without_postgis_or_without_rights(
    server: Any, postgis_url: str, result: Any, tmp_path: Path
) -> None:
    server.execute("create database plain")
    with pytest.raises(InputError, match="has no PostGIS; remedy: let its owner run: create extension postgis"):
        result.save(tmp_path / "out", postgis=postgis_url.replace("/postgres", "/plain"))
    server.execute("create role reader login password 'reading'")
    reader = postgis_url.replace(f"{USER}:{ENCODED}", "reader:reading")
    with pytest.raises(InputError, match="no right to write into the schema livingcircle"):
        result.save(tmp_path / "out", postgis=reader)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("url", "database", "schema"),
    [
        ("postgresql://u:p@h/d", "postgresql://u:p@h/d", "livingcircle"),
        ("postgres://h/d?schema=a&sslmode=require", "postgres://h/d?sslmode=require", "a"),
        ("postgresql://h/d?sslmode=require", "postgresql://h/d?sslmode=require", "livingcircle"),
    ],
)
def test_targets(url: str, database: str, schema: str) -> None:
    assert Target.of(url) == Target(Database(database), schema)


def test_a_target_that_is_none_is_not_repeated() -> None:
    with pytest.raises(UsageError, match="the target is no PostGIS database; expected postgresql://user@host") as error:
        Target.of("mysql://u:geheim@h/d")
    assert "geheim" not in str(error.value)
    with pytest.raises(UsageError, match="the schema of the target is empty"):
        Target.of("postgresql://h/d?schema=")


def test_communities_take_a_database_too() -> None:
    part = CommunitiesInput(file="postgresql://u@h/d", table="a.b", crs="EPSG:4490", where="x > 1", columns={"id": "k"})
    expected = Source(Database("postgresql://u@h/d"), table="a.b", crs="EPSG:4490", where="x > 1", columns={"id": "k"})
    assert part.rows == expected
