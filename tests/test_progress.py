"""What long work tells: events in their order, as a bar, as lines, as JSON, and little under --quiet."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from livingcircle import events
from livingcircle.batch import Batch, scan_batch
from livingcircle.cli import _telling as telling
from livingcircle.cli import main
from livingcircle.events import KINDS, Caution, Failure, Result, Started, json_line
from livingcircle.progress import (
    DistrictBegun,
    DistrictEnded,
    Event,
    Note,
    PartDone,
    Parts,
    StageBegun,
    StageEnded,
    Stages,
    of_district,
)
from livingcircle.runs import Work, scan_into
from livingcircle_layers.errors import InputError, UsageError
from small_city import small_study
from towns import write_communities

ONE_OF_EACH: tuple[Event, ...] = (
    Started("scan", "1.0"),
    StageBegun("walk", "measuring walks"),
    StageEnded("walk", 1.5),
    PartDone(2, 4, 3.0, 3.0),
    DistrictBegun(1, 2, district="锦江"),
    DistrictEnded(1, 2, "done", people=120, seconds=3.0, seconds_left=3.0, district="锦江"),
    Note("8 of 12 results were there already"),
    Caution("a warning"),
    Result(0, "out", ("map.html",), "people", {"input": 120}, {"锦江": "done"}),
    Failure.of(InputError("no file", got="nothing", expected="a file", remedy="name it"), 1),
)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    small_study(folder)
    for name, unit in {"west": (-500.0, -500.0, 500.0, 1000.0), "east": (0.0, -500.0, 500.0, 1000.0)}.items():
        write_communities(folder / f"{name}.geojson", {name: unit})
    (folder / "bad.csv").write_text("lon,lat,population\n104,30,many\n", encoding="utf-8")
    (folder / "city.toml").write_text(
        'name = "两区"\nstandard = "rules.toml"\nstreets.osm = "town.osm"\npopulation.file = "people.csv"\n'
        '[[district]]\nname = "west"\ncommunities.file = "west.geojson"\npopulation.file = "bad.csv"\n'
        '[[district]]\nname = "east"\ncommunities.file = "east.geojson"\n',
        encoding="utf-8",
    )
    return folder


def command(city: Path, *more: object) -> list[str]:
    names = {
        "osm": "town.osm",
        "communities": "communities.geojson",
        "population": "people.csv",
        "standard": "rules.toml",
    }
    return ["scan", *(part for o, file in names.items() for part in (f"--{o}", str(city / file))), *map(str, more)]


def told(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> tuple[int, list[dict[str, Any]], str]:
    """Run a command and return its exit code, its events and what it wrote to standard error."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), [json.loads(line) for line in out.splitlines()], err


# -- events ------------------------------------------------------------------------------------------------------------


def test_every_kind_of_event_is_tried_here_and_described_on_the_page() -> None:
    assert {type(event) for event in ONE_OF_EACH} == set(KINDS)
    assert len({kind.kind for kind in KINDS}) == len(KINDS)
    page = (Path(__file__).parent.parent / "docs" / "events.md").read_text(encoding="utf-8")
    assert page == events.events_markdown(), "stale: run python -m livingcircle.events > docs/events.md"
    assert set(events.MEANINGS) == {f.name for kind in KINDS for f in fields(kind)} - {"district"}


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: event.kind)
def test_an_event_is_one_line_of_json_and_one_sentence(event: Event) -> None:
    line = json_line(event, now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert "\n" not in line + str(event)
    assert str(event)
    got = json.loads(line)
    assert list(got)[:2] == ["event", "time"]
    assert got["time"] == "2026-01-02T03:04:05Z"
    assert got.get("district", "") == event.district
    assert set(got) - {"event", "time", "district"} == {f.name for f in fields(event)} - {"district"}


def test_an_error_keeps_its_parts() -> None:
    error = Failure.of(UsageError("no such thing", got=3, remedy="another"), 2)
    assert error == Failure(2, "no such thing; got 3; remedy: another", "no such thing", "3", None, "another")


def test_what_a_scan_in_parts_tells(city: Path, tmp_path: Path) -> None:
    heard: list[Event] = []
    scan_into(small_study(city), tmp_path / "out", work=Work(resume=True), progress=heard.append)
    begun = [event.stage for event in heard if isinstance(event, StageBegun)]
    assert begun == [event.stage for event in heard if isinstance(event, StageEnded)]  # none lies in another
    assert begun[:2] == ["read_units", "read_streets"]
    assert begun[-4:] == ["additions", "circles", "map", "write"]
    run = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert set(run["timings_s"]) == set(begun)
    parts = [(event.done, event.total) for event in heard if isinstance(event, PartDone)]
    assert parts == [(1, 4), (2, 4), (3, 4), (4, 4)]  # four tiles meet in its middle
    assert heard[-1] == Note("0 of 12 results were there already, 12 are new")  # 3 layers each
    assert set(begun) <= set(telling.STAGES_ZH)


def test_the_time_left_is_that_of_the_parts_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    parts = Parts(heard.append, start=100.0)
    times = iter((110.0, 112.0, 114.0))
    monkeypatch.setattr("livingcircle.progress.time.monotonic", lambda: next(times))
    for done in (1, 2, 3):
        parts(done, 8)
    # the first took 10 s with the start of the workers; the next two 2 s each: 6 are left, then 5
    assert [(event.seconds, event.seconds_left) for event in heard] == [(10.0, None), (12.0, 12.0), (14.0, 10.0)]


def test_a_stage_that_fails_does_not_end() -> None:
    heard: list[Event] = []
    stages = Stages(of_district(heard.append, "east"))
    with pytest.raises(InputError, match="no"), stages.stage("walk", "walking"):
        raise InputError("no")
    assert heard == [StageBegun("walk", "walking", district="east")]


def test_a_batch_tells_of_every_district(city: Path, tmp_path: Path) -> None:
    heard: list[Event] = []
    scan_batch(Batch.load(city / "city.toml"), tmp_path / "out", progress=heard.append)
    west, east = (event for event in heard if isinstance(event, DistrictEnded))
    assert (west.district, west.number, west.total, west.status, west.people) == ("west", 1, 2, "failed", None)
    assert "bad.csv" in west.reason
    assert west.seconds_left is None  # nothing was scanned yet that would tell
    before = [event for event in heard[: heard.index(west)] if isinstance(event, StageBegun)]
    assert [event.stage for event in before] == ["check"]  # known before the first computation
    assert (east.district, east.status, east.reason, east.seconds_left) == ("east", "done", "", 0)
    assert east.people is not None
    walked = [event.district for event in heard if isinstance(event, StageBegun) and event.stage == "walk"]
    assert walked == ["east"]


# -- commands ----------------------------------------------------------------------------------------------------------


def test_json_is_events_from_the_start_to_the_result(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines, err = told(capsys, command(city, "-o", tmp_path / "out", "--json"))
    assert (code, err) == (0, "")
    assert lines[0]["event"] == "started"
    assert lines[0]["command"] == "scan"
    last = lines[-1]
    assert (last["event"], last["exit_code"], last["folder"]) == ("result", 0, str(tmp_path / "out"))
    assert set(last["files"]) == {path.name for path in (tmp_path / "out").iterdir()}
    assert last["counted"] == "people"
    people = last["people"]
    assert people["input"] == people["placed"] + people["not_placed"] + people["outside"] > 0
    assert {line["event"] for line in lines} >= {"stage_begun", "stage_ended"}


@pytest.mark.parametrize("encoding", ["ascii", "gbk"])
def test_json_is_utf_8_whatever_the_system_writes(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr("sys.stdout", screen)
    with telling.telling("scan", as_events=True) as teller:
        teller.warn("锦江 \udcff.csv")  # as Python reads a name of bytes that are no UTF-8
    lines = [json.loads(line) for line in screen.buffer.getvalue().decode("utf-8").splitlines()]  # type: ignore[attr-defined]
    assert [line["event"] for line in lines] == ["started", "warning"]
    assert lines[1]["text"] == "锦江 \udcff.csv"


def test_json_ends_with_the_parts_of_an_error(city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, err = told(capsys, [*command(city, "--json", "-o", tmp_path), "--population", str(city / "bad.csv")])
    assert code == lines[-1]["exit_code"] == 1
    assert lines[-1]["event"] == "error"
    assert err == f"livingcircle: {lines[-1]['message']}\n"
    code, lines, _ = told(capsys, ["scan", "--json", "--standard", "no_such", "--osm", str(city / "town.osm")])
    assert code == lines[-1]["exit_code"] == 2
    assert lines[-1]["what"] in lines[-1]["message"]
    assert lines[-1]["remedy"]


def test_json_of_a_batch_says_what_became_of_each_district(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines, _ = told(capsys, ["scan", str(city / "city.toml"), "-o", str(tmp_path / "out"), "--json"])
    assert code == lines[-1]["exit_code"] == 3
    assert lines[-1]["districts"] == {"west": "failed", "east": "done"}
    ended = [(line["district"], line["status"]) for line in lines if line["event"] == "district_ended"]
    assert ended == [("west", "failed"), ("east", "done")]


def test_quiet_is_the_last_line_alone(city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main(command(city, "-o", tmp_path / "out", "--quiet"))
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines() == [f"Results in {tmp_path / 'out'}: map.html, report.xlsx, coverage.csv, scores.csv,"
                                " gaps.csv, unplaced.csv"]  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main(["scan", str(city / "city.toml"), "-o", str(tmp_path / "two"), "--quiet"])
    assert ended.value.code == 3
    out, err = capsys.readouterr()
    first, second = out.splitlines()
    assert first.startswith("Results in ")
    assert second.startswith("west\tfailed\t")
    assert err == ""


def test_lines_are_in_the_language_of_the_system_or_the_option(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "")
    monkeypatch.setenv("LC_MESSAGES", "")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert telling.tongue_of("") == "zh"
    assert telling.tongue_of("en") == "en"
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")  # wins over LANG
    assert telling.tongue_of("") == "en"
    with pytest.raises(UsageError, match="unknown language; got fr; expected zh or en"):
        telling.tongue_of("fr")
    with pytest.raises(SystemExit, match=r"^0$"):
        main(command(city, "-o", tmp_path / "out", "--lang", "zh"))
    out, err = capsys.readouterr()
    assert out.startswith("人口: ")
    assert "结果在" in out.splitlines()[-1]
    assert "读取设施、范围与服务区" in err


def test_a_log_has_the_time_and_not_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    log = telling._Log("en")
    for event in (*ONE_OF_EACH[1:3], *(PartDone(done, 300, 1.0 * done, 300.0 - done) for done in range(1, 301))):
        log(event)
    lines = capsys.readouterr().err.splitlines()
    assert [line[9:] for line in lines] == [
        "measuring walks",
        "measured part 1 of 300, 60 per minute, about 5 min left",
        "measured part 300 of 300",
    ]
    assert all(datetime.strptime(line[:8], "%H:%M:%S") for line in lines)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (DistrictBegun(3, 22), "第 3/22 个区县"),
        (
            DistrictEnded(3, 22, "done", people=1200, seconds=60.0, seconds_left=1140.0),
            "第 3/22 个区县 完成,1,200 人;其余约剩 19 分钟",
        ),
        (
            DistrictEnded(22, 22, "failed", people=None, seconds=1.0, seconds_left=0.0, reason="找不到文件"),
            "第 22/22 个区县 失败: 找不到文件",
        ),
    ],
)
def test_districts_are_told_in_chinese(event: DistrictBegun | DistrictEnded, said: str) -> None:
    assert telling.district_words(event, "zh") == said
    assert telling.district_words(event, "en") == str(event)


def test_the_bar_shows_district_stage_part_rate_and_time_left() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=140, legacy_windows=False)
    with telling.bar(console, "en") as show:
        show(DistrictBegun(3, 22, district="锦江"))
        show(StageBegun("walk", "measuring walks", district="锦江"))
        show(PartDone(4, 16, 24.0, 72.0, district="锦江"))
        (districts, stage) = show.bars.tasks  # type: ignore[attr-defined]
        assert (stage.completed, stage.total) == (4, 16)
        # 12 parts in 72 s are 10 a minute
        assert stage.description == "measured part 4 of 16, 10 per minute, about 72 s left"
        assert districts.description == "锦江, district 3 of 22"
        show.bars.refresh()  # type: ignore[attr-defined]
        assert "measured part 4 of 16" in screen.getvalue()
        show(DistrictEnded(3, 22, "done", people=1200, seconds=60.0, seconds_left=1140.0, district="锦江"))
        show(StageBegun("walk", "measuring walks", district="武侯"))
        (districts, stage) = show.bars.tasks  # type: ignore[attr-defined]
        assert (stage.completed, stage.total, districts.completed) == (0, None, 3)
    assert "锦江: district 3 of 22 done, 1,200 people; about 1140 s left for the others" in screen.getvalue()
