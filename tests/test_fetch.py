"""Downloads, from servers on loopback that behave well and badly; nothing here goes further than that."""

from __future__ import annotations

import json
import re
import socket
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import osmium
import osmnx as ox
import pytest
import shapely

from livingcircle import cli
from livingcircle.fetch import Fetched, fetch, parse_box
from livingcircle.scan import scan
from livingcircle.study import Study
from livingcircle_layers import overpass
from livingcircle_layers.boxes import area_km2, parts_of
from livingcircle_layers.errors import InputError, UsageError
from livingcircle_layers.overpass import Servers
from map_servers import (
    BOX,
    CHENGDU,
    DATE,
    Reply,
    answer,
    cut_off,
    dripping,
    late,
    nominatim,
    send,
    serving,
    silent,
    small_town,
)
from said_sources import english_left


class Asked:
    """A fetch into a folder of its own, with all it said."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache, self.said = folder / "study", folder / "cache", list[str]()

    def __call__(self, overpass: str, *, nominatim_url: str = "http://127.0.0.1:9", **options: Any) -> Fetched:
        options = {"bbox": BOX, **options}
        timeout_s, waits_s = options.pop("timeout_s", 5.0), options.pop("waits_s", (0.0, 0.0))
        servers = Servers(overpass, nominatim_url, options.pop("proxy", None), timeout_s, waits_s)
        return fetch(self.folder, servers=servers, cache=self.cache, say=self.said.append, **options)


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def _objects(path: Path) -> dict[str, dict[str, str]]:
    kinds = {osmium.osm.Node: "n", osmium.osm.Way: "w", osmium.osm.Relation: "r"}
    return {f"{kinds[type(o)]}{o.id}": dict(o.tags) for o in osmium.FileProcessor(str(path))}


# -- what comes -----------------------------------------------------------------------------------------------------


def test_a_box_becomes_a_study_that_scans_as_it_is(asked: Asked) -> None:
    with serving(send(answer())) as server:
        found = asked(server.url)
    assert {path.name for path in asked.folder.iterdir()} == {
        "streets.osm.pbf",
        "study.toml",
        "LICENCES.txt",
        "run.json",
    }
    assert "OpenStreetMap contributors, ODbL" in (asked.folder / "LICENCES.txt").read_text(encoding="utf-8")
    study = Study.load(found.study)
    assert (study.standard, study.communities.make, study.population) == ("international", "grid:500", None)
    assert found.date == DATE
    result = scan(study)
    assert result.run["data_date"] == DATE
    assert "小树 '幼儿园'" in set(result.facilities["name"])
    assert set(result.facilities.loc[result.facilities["facility_id"] == "r200", "service"]) >= {"park"}


def test_all_tags_members_and_the_box_are_kept_and_what_lies_elsewhere_is_not(asked: Asked) -> None:
    with serving(send(answer())) as server:
        asked(server.url)
    file = asked.folder / "streets.osm.pbf"
    found = _objects(file)
    assert found["w100"] == {"highway": "residential", "name": "Rua Um", "surface": "asphalt"}
    assert found["r200"] == {"type": "multipolygon", "leisure": "park"}
    assert {"n5", "w103", "w104", "n30", "n36"} <= found.keys()  # the street's end outside, the rings of the park
    assert not {"r201", "w105", "n40", "n41"} & found.keys()  # the river downstream
    box = osmium.io.Reader(str(file), osmium.osm.NOTHING).header().box()
    assert (box.bottom_left.lon, box.top_right.lat) == (BOX[0], BOX[3])


def test_a_place_is_asked_for_by_name_and_then_by_its_box(asked: Asked) -> None:
    with serving(send(answer())) as overpass, serving(send(nominatim())) as names:
        found = asked(overpass.url, nominatim_url=names.url, bbox=None, place=" Centro,  Porto Alegre ")
    assert names.asked == ["Centro, Porto Alegre"]
    assert found.box == BOX
    assert Study.load(found.study).name == "Centro, Porto Alegre"
    # The hosts are named before anything is sent to them.
    assert names.host in asked.said[0]
    assert overpass.host in asked.said[0]


def test_of_a_polygon_only_the_box_is_sent(asked: Asked, tmp_path: Path) -> None:
    own = shapely.Polygon([(-51.2097654, -30.0397654), (-51.2002345, -30.0356789), (-51.2054321, -30.0302345)])
    gpd.GeoDataFrame(geometry=[own], crs=4326).to_file(tmp_path / "own.geojson")
    with serving(send(answer())) as server:
        found = asked(server.url, bbox=None, polygon=tmp_path / "own.geojson")
    assert found.box == pytest.approx((-51.2098, -30.0398, -51.2002, -30.0302))
    sent = {float(n) for n in re.findall(r"-?\d+\.\d{4,}", server.asked[0])}
    # Corners of the box, give or take what OSMnx's way through a plane moves them: four numbers, no corner of the own.
    assert {round(n, 4) for n in sent} == {-51.2098, -30.0398, -51.2002, -30.0302}


def test_what_is_sent_is_said_before_it_is_sent(asked: Asked) -> None:
    with serving(send(answer())) as server:
        seen: list[int] = []
        fetch(
            asked.folder,
            bbox=BOX,
            cache=asked.cache,
            servers=Servers(server.url),
            say=lambda _: seen.append(len(server.asked)),
        )
    assert seen[:2] == [0, 0]


def test_a_margin_is_loaded_around(asked: Asked) -> None:
    with serving(send(answer())) as server:
        found = asked(server.url, margin_m=1113.2)
    # 1113.2 m are 0.01° of latitude, and 0.01° / cos 30.035° = 0.01155° of longitude
    assert found.box == pytest.approx((-51.22155, -30.05, -51.18845, -30.02), abs=1e-5)


def test_a_second_run_asks_nobody(asked: Asked) -> None:
    with serving(send(answer())) as server:
        first = asked(server.url)
        before = (asked.folder / "streets.osm.pbf").read_bytes()
        (asked.folder / "study.toml").write_text(
            (asked.folder / "study.toml").read_text(encoding="utf-8") + "# mine\n", encoding="utf-8"
        )
        second = asked(server.url)
    assert len(server.asked) == 1
    assert first.box == second.box
    assert (asked.folder / "streets.osm.pbf").read_bytes() == before
    assert (asked.folder / "study.toml").read_text(encoding="utf-8").endswith("# mine\n")
    assert "stays as it is" in second.notes[-1]


def test_a_large_box_is_asked_for_in_parts_which_a_broken_run_keeps(asked: Asked) -> None:
    box = (BOX[0], BOX[1], BOX[0] + 0.02, BOX[3])  # 1.9 km by 1.1 km: two parts of 1.3 km² at most
    twice = small_town(BOX[0] + 0.01)
    for element in twice:  # the same streets again further east, under other ids
        element["id"] += 1000
        element["nodes"] = [n + 1000 for n in element.get("nodes", [])]
        element["members"] = [{**m, "ref": m["ref"] + 1000} for m in element.get("members", [])]
    with serving(send(answer()), send("<p>Error: <b>load</b></p>", status=500), send(answer(twice))) as server:
        with pytest.raises(InputError, match="HTTP 500: Error: load"):
            asked(server.url, bbox=box, part_km2=1.3)
        assert not asked.folder.exists()
        found = asked(server.url, bbox=box, part_km2=1.3)
    assert len(server.asked) == 3
    assert {"w100", "w1100"} <= _objects(asked.folder / "streets.osm.pbf").keys()
    assert any("1 of 2 answers were there already" in line for line in asked.said)
    assert found.date == DATE


def test_parts_cover_a_box_without_overlap() -> None:
    box = (104.0, 30.6, 104.2, 30.8)
    parts = parts_of(box, 50.0)
    assert sum(area_km2(part) for part in parts) == pytest.approx(area_km2(box), rel=1e-4)
    assert all(area_km2(part) <= 50.0 * 1.001 for part in parts)
    assert shapely.union_all([shapely.box(*part) for part in parts]).equals(shapely.box(*box))


def test_an_empty_part_is_told_and_asked_for_again(asked: Asked) -> None:
    box = (BOX[0], BOX[1], BOX[0] + 0.02, BOX[3])
    with serving(send(answer()), send(answer([]))) as server:
        found = asked(server.url, bbox=box, part_km2=1.3)
        assert any("1 of 2 parts hold nothing" in note for note in found.notes)
        asked(server.url, bbox=box, part_km2=1.3)
    assert len(server.asked) == 3


def test_settings_of_osmnx_are_put_back(asked: Asked) -> None:
    before, resolver = ox.settings.overpass_url, socket.getaddrinfo
    with serving(send("no", status=400)) as server, pytest.raises(InputError, match="400"):
        asked(server.url)
    assert ox.settings.overpass_url == before
    assert ox.settings.requests_kwargs == {}
    assert socket.getaddrinfo is resolver


# -- China ----------------------------------------------------------------------------------------------------------


def test_in_china_the_national_bundle_and_no_boundaries(asked: Asked) -> None:
    town = answer(small_town(CHENGDU[0], CHENGDU[1]))
    with serving(send(town)) as server:
        found = asked(server.url, bbox=CHENGDU)
        assert "admin_level" not in server.asked[0]
        with pytest.raises(UsageError, match="never used in China"):
            asked(server.url, bbox=CHENGDU, communities="osm:8")
    assert Study.load(found.study).standard == "national"
    assert len(server.asked) == 1


def test_outside_china_units_are_loaded_where_they_are_asked_for(asked: Asked) -> None:
    with serving(send(answer())) as server:
        found = asked(server.url, communities="osm:8")
    assert "'admin_level'='8'" in server.asked[0]
    assert Study.load(found.study).communities.make == "osm:8"


# -- servers on a bad day -------------------------------------------------------------------------------------------

BUSY = send("Too many requests", status=429, kind="text/html", Retry_After="0")
BAD_DAYS: dict[str, tuple[Reply, str]] = {
    "nothing there": (send(answer([])), "has nothing at all in this box.*remedy: check the box"),
    "ran out of time": (
        send(answer(remark='runtime error: Query timed out in "query" at line 1 after 176 seconds.')),
        "could not answer in full; got its remark: runtime error: Query timed out.*--part-km2",
    ),
    "ran out of memory": (
        send(answer([], remark="runtime error: Query run out of memory using about 2048 MB of RAM.")),
        "run out of memory.*--part-km2",
    ),
    "any other remark": (send(answer(remark="runtime error: open64: 0 Success")), "open64.*run the same command later"),
    "html": (
        send("<html><head><title>x</title></head><body>Dispatcher is <b>busy</b></body></html>", kind="text/html"),
        "gives no map data; got text/html: Dispatcher is busy",
    ),
    "a bad question": (send("<p>Error: line 1: parse error</p>", status=400), "HTTP 400: Error: line 1: parse error"),
    "other json": (send({"message": "no"}), "gives no map data of Overpass; got an answer with message"),
    "cut off": (cut_off(answer(), told=True), "cut off in the middle; remedy: run the same command again"),
    "cut off unsaid": (cut_off(answer(), told=False), "cut off in the middle"),
    "always busy": (BUSY, "is too busy; got HTTP 429 to 3 tries; remedy: run the same command later"),
    "gateway": (send("", status=504), "is too busy; got HTTP 504 to 3 tries"),
    "elsewhere": (send("", status=302, Location="https://other.example/api"), "sends on to other.example.*not named"),
    "a list": (send([1, 2]), r"gives no map data of Overpass; got JSON without elements: \[1, 2\]"),
    "null": (send("null"), "got JSON without elements: null"),
    "no element": (send(answer([1])), "gives no whole map data; got an element 1; remedy"),
    "a way without nodes": (send(answer([{"type": "way", "id": 2}])), 'got an element {"type": "way", "id": 2}'),
    "a node nowhere": (send(answer([{"type": "node", "id": 1, "lon": None, "lat": "a"}])), "no whole map data.*null"),
    "a relation of nothing": (send(answer([{"type": "relation", "id": 3, "members": [1]}])), "no whole map data"),
    "no street": (
        send(answer([e for e in small_town() if "highway" not in e.get("tags", {})])),
        "holds no walkable way",
    ),
}


@pytest.mark.parametrize("day", BAD_DAYS)
def test_a_bad_answer_is_one_line_and_leaves_nothing(asked: Asked, day: str) -> None:
    reply, expected = BAD_DAYS[day]
    with serving(reply) as server, pytest.raises(InputError, match=expected) as fault:
        asked(server.url)
    assert "\n" not in str(fault.value)
    assert not asked.folder.exists()


def test_a_silent_server_is_not_waited_for_for_ever(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overpass, "DEADLINE", 1000.0)  # not reached before, however busy the machine is
    with serving(silent(0.8)) as server, pytest.raises(InputError, match=r"is silent; got no answer in 0.3 s"):
        asked(server.url, timeout_s=0.3)
    assert not asked.folder.exists()


@pytest.mark.parametrize("head", [False, True])
def test_a_server_that_drips_is_not_waited_for_for_ever(asked: Asked, head: bool) -> None:
    # A byte every 0.1 s is no silence of 0.2 s, and the answer would take minutes.
    start = time.monotonic()
    too_slow = (
        r"is too slow; got no whole answer in 1 s; expected one within 5 times --timeout-s; remedy: smaller parts"
    )
    with serving(dripping(answer(), every_s=0.1, head=head)) as server, pytest.raises(InputError, match=too_slow):
        asked(server.url, timeout_s=0.2)
    assert time.monotonic() - start < 5
    assert not asked.folder.exists()
    assert not list(asked.cache.rglob("*.json"))


def test_an_answer_that_comes_after_the_deadline_is_not_kept(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overpass, "DEADLINE", 0.5)  # 0.5 s, while silence would be heard after 1 s
    with serving(late(answer(), 0.7)) as server, pytest.raises(InputError, match=r"is too slow; got no whole answer"):
        asked(server.url, timeout_s=1.0)
    time.sleep(0.5)  # the answer is there now
    assert not list(asked.cache.rglob("*.json"))


def test_a_proxy_that_asks_for_a_password_is_told_from_the_server(asked: Asked) -> None:
    with serving(send("who are you?", status=407)) as proxy, pytest.raises(InputError) as fault:
        asked("http://overpass.example/api", proxy=proxy.url)
    said = str(fault.value)
    assert said.startswith("the proxy on the way to overpass.example asks who you are; got HTTP 407; remedy: name it")
    assert "--proxy http://user:password@host:port" in said


def test_a_server_that_refuses(asked: Asked) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    with pytest.raises(InputError, match=f"127.0.0.1:{free} cannot be reached"):
        asked(f"http://127.0.0.1:{free}/api")
    with pytest.raises(InputError, match=r"the proxy on the way to 127\.0\.0\.1:9 cannot be used") as fault:
        asked("http://127.0.0.1:9", proxy=f"http://me:secret@127.0.0.1:{free}")
    assert "secret" not in "".join((str(fault.value), *asked.said))


def test_a_busy_server_is_waited_for(asked: Asked) -> None:
    with serving(BUSY, send("", status=504), send(answer())) as server:
        asked(server.url)
    assert len(server.asked) == 3
    assert sum("is busy" in line for line in asked.said) == 2


def test_a_server_that_does_not_say_the_date(asked: Asked) -> None:
    with serving(send({"osm3s": None, "elements": small_town()})) as server:
        assert asked(server.url).date == ""


def test_half_an_answer_of_a_killed_run_is_asked_for_again(asked: Asked) -> None:
    with serving(send(answer())) as server:
        asked(server.url)
        for file in asked.cache.rglob("*.json"):
            file.write_text(file.read_text(encoding="utf-8")[:100], encoding="utf-8")
        asked(server.url)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (send([]), "no area is called 'Nowhere'"),
        (send(nominatim(kind="Point")), "no area is called 'Nowhere'; got points or lines"),
        (send({"error": "x"}), "gives no"),
        (send([{"lat": "1"}]), "gives no Nominatim"),
    ],
)
def test_places_that_are_not_found(asked: Asked, reply: Reply, expected: str) -> None:
    with serving(send(answer())) as overpass, serving(reply) as names, pytest.raises(InputError, match=expected):
        asked(overpass.url, nominatim_url=names.url, bbox=None, place="Nowhere")
    assert overpass.asked == []
    assert not asked.folder.exists()


# -- what is asked for ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"bbox": None}, "say what to load; got nothing"),
        ({"place": "x"}, "got --place and --bbox"),
        ({"bbox": (1.0, 2.0, 0.0, 3.0)}, r"the box is none; .*remedy: did you mean 0,2,1,3\?"),
        ({"bbox": (30.65, 104.06, 30.66, 104.07)}, r"the box is none; .*did you mean 104.06,30.65,104.07,30.66\?"),
        ({"bbox": (170.0, 95.0, 171.0, 96.0)}, r"the box is none; .*E and S < N$"),  # nowhere, either way
        ({"bbox": (100.0, 30.0, 104.0, 34.0)}, "the box is too large"),
        ({"bbox": None, "place": "  "}, "say what to load; got nothing"),
        ({"part_km2": float("inf")}, "--part-km2 is no size of a part; got inf"),
        ({"timeout_s": float("inf")}, "--timeout-s is no time to wait; got inf"),
        ({"communities": "mine.geojson"}, "names no way to make communities"),
    ],
)
def test_unclear_questions_send_nothing(asked: Asked, options: dict[str, Any], expected: str) -> None:
    with serving(send(answer())) as server, pytest.raises(UsageError, match=expected):
        asked(server.url, **options)
    assert server.asked == []
    assert not asked.folder.exists()


def test_addresses_and_boxes_are_checked() -> None:
    with pytest.raises(UsageError, match="--overpass is no address"):
        Servers(overpass="overpass-api.de")
    with pytest.raises(UsageError, match="--bbox is no box"):
        parse_box("1,2,3")
    assert Servers(overpass="https://a.example/api/interpreter/").overpass == "https://a.example/api"


def test_a_box_of_the_sea_may_have_been_written_as_lat_lon(asked: Asked) -> None:
    south_first = (BOX[1], BOX[0], BOX[3], BOX[2])  # -30, -51 lies in the Atlantic
    with serving(send(answer([]))) as server, pytest.raises(InputError, match="has nothing at all") as fault:
        asked(server.url, bbox=south_first)
    assert "with latitude and longitude changed about it is -51.21,-30.04,-51.2,-30.03" in str(fault.value)


def test_an_outline_that_is_not_there_is_told_in_the_words_of_other_files(asked: Asked, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"file not found: \S*gone\.geojson; expected .*; remedy: check the path"):
        asked("http://127.0.0.1:9", bbox=None, polygon=tmp_path / "gone.geojson")


def test_results_of_a_scan_are_not_written_over(asked: Asked) -> None:
    asked.folder.mkdir()
    (asked.folder / "coverage.csv").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="holds the results of a scan"):
        asked("http://127.0.0.1:9")


def test_the_command_line_speaks_chinese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    box = ",".join(str(side) for side in BOX)
    with serving(send(answer())) as server, pytest.raises(SystemExit) as ended:
        cli.main(["fetch", f"--bbox={box}", "-o", str(tmp_path / "new"), "--overpass", server.url, "--cache",
                  str(tmp_path / "kept"), "--lang", "zh"])  # fmt: skip
    said = capsys.readouterr().out.replace(str(tmp_path), "")
    assert ended.value.code == 0
    assert said.startswith("将询问 127.0.0.1")
    assert "只发送地名或经纬度范围,不向其他任何一方发送" in said
    assert f"OpenStreetMap({DATE}): 可步行 " in said
    assert english_left(said) == []


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(send(answer())) as server:
        box = ",".join(str(side) for side in BOX)
        options = ["--bbox", box, "--overpass", server.url, "--cache", str(tmp_path / "c"), "-o", str(tmp_path / "s")]
        with pytest.raises(SystemExit) as ended:
            cli.main(["fetch", *options])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert said.startswith(f"asking {server.host} (a box in degrees); nothing else is sent")
    assert "next, livingcircle check" in said
    assert json.loads((tmp_path / "s" / "run.json").read_text(encoding="utf-8"))["box"] == list(BOX)
