"""What a scan is said to need is about what it uses; little memory changes how it is worked and none of its numbers."""

from __future__ import annotations

import gc
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from livingcircle import memory, runs
from livingcircle.memory import NEW_OBJECTS, PROCESS_BYTES, memory_note, resident_bytes, seldom_searched_for_garbage
from livingcircle.runs import Work, parse_memory
from livingcircle_layers.errors import InputError, UsageError
from small_city import CSV_FILES, small_study

TESTS = Path(__file__).parent
GB = 10**9
WITH_LITTLE = """
import json, sys, threading, time
from pathlib import Path
from livingcircle import runs
from small_city import small_study
folder = Path(sys.argv[1])
expected, used, notes = [], [], []
runs.scan_into(small_study(folder), folder / "plain")  # what is compiled now takes no memory later
honest = runs.expected_bytes
runs.expected_bytes = lambda *given, **more: expected.append(honest(*given, **more)) or expected[-1]
def watch():
    while True:
        used.append(runs.resident_bytes())
        time.sleep(0.01)
threading.Thread(target=watch, daemon=True).start()
work = runs.Work(jobs=4, memory_bytes=100_000_000)
runs.scan_into(small_study(folder), folder / "little", work=work, progress=notes.append)
print(json.dumps({"expected": expected, "peak": max(used), "told": [str(note) for note in notes]}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told differently elsewhere")
def test_little_memory_is_told_of_before_the_work_and_changes_no_number(tmp_path: Path) -> None:
    ours = os.pathsep.join(str(TESTS.parent / part) for part in ("analysis", "layers", "tests"))
    ended = subprocess.run(
        [sys.executable, "-c", WITH_LITTLE, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": ours}, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    told = json.loads(ended.stdout)
    (expected,) = told["expected"]
    assert max(expected.values()) / 1.5 < told["peak"] < max(expected.values()) * 1.5
    note = next(i for i, line in enumerate(told["told"]) if "more memory is needed than --memory 0.1 GB" in line)
    assert note < next(i for i, line in enumerate(told["told"]) if line.startswith("measured part"))
    for name in CSV_FILES:
        assert (tmp_path / "little" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes(), name


def test_only_stages_beyond_the_memory_are_named() -> None:
    expected = {"tables": 1 * GB, "additions": 2 * GB, "circles": 3 * GB}
    assert memory_note(expected, 3 * GB) is None
    note = memory_note(expected, 2 * GB)
    assert note is not None
    assert "(expected: circles 3.0 GB)" in note


def test_a_study_with_ranges_is_said_to_hold_a_second_set_of_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "resident_bytes", lambda: GB)
    city: Any = SimpleNamespace(
        homes=range(1_000_000), network=SimpleNamespace(streets=SimpleNamespace(tail=range(1_000_000)))
    )
    needed: Any = {"school": ["adult", "elder"], "park": ["adult"]}
    plain, again = memory.expected_bytes(city, needed), memory.expected_bytes(city, needed, judged_again=True)
    # a layer is 8 bytes of a home and 12 for each walker: 8 + 24 and 8 + 12, for a million homes
    assert again == {**plain, "sensitivity": plain["tables"] + 52_000_000}


def test_what_a_scan_with_ranges_needs_is_told_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def stop(*_: Any, **__: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(runs, "Tiled", stop)  # the walks are not needed
    study = small_study(tmp_path / "city", sensitivity={})
    with pytest.raises(RuntimeError):
        runs.scan_into(
            study, tmp_path / "out", work=Work(memory_bytes=1), progress=lambda event: told.append(str(event))
        )
    assert re.search(r"expected: tables .* GB, sensitivity .* GB, additions", "\n".join(told))


def test_want_of_memory_is_told_in_words_and_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*_: Any, **__: Any) -> Any:
        raise MemoryError("Unable to allocate 9 GiB")

    monkeypatch.setattr(runs, "measure", short)
    with pytest.raises(InputError, match=r"memory of this machine is not enough; got Unable to allocate 9 GiB; remedy"):
        runs.scan_into(small_study(tmp_path / "city"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("jobs", "room", "fitting"), [(4, 10, 4), (4, 2.5, 2), (4, 0.5, 1), (1, 9, 1), (4, -1, 1)])
def test_no_more_processes_work_than_the_memory_holds(
    monkeypatch: pytest.MonkeyPatch, jobs: int, room: float, fitting: int
) -> None:
    monkeypatch.setattr(runs, "resident_bytes", lambda: GB)
    given = Work(jobs=jobs, memory_bytes=int(GB + room * PROCESS_BYTES))
    assert given.fitting().jobs == fitting
    assert Work(jobs=jobs).fitting() == Work(jobs=jobs)  # as much as there is
    assert Work(jobs=jobs, memory_bytes=1, scheduler="tcp://x:1").fitting().jobs == jobs  # memory of other machines


def test_what_the_process_uses_now_is_told() -> None:
    assert 50_000_000 < resident_bytes() < 20 * GB


@pytest.mark.parametrize("text", ["4", "GB", "0GB", "-1 GB", "4 apples", "1,5GB"])
def test_what_is_no_amount_of_memory_is_told_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"--memory is no amount of memory; got .*; expected for example 4GB or 800MB"):
        parse_memory(text)


def test_garbage_is_looked_for_as_often_as_before_when_a_scan_has_ended() -> None:
    before, during = gc.get_threshold(), []

    def failing() -> None:
        with seldom_searched_for_garbage():
            during.append((gc.get_threshold(), gc.isenabled()))
            raise InputError("the scan failed")

    with pytest.raises(InputError, match="the scan failed"):
        failing()
    assert during == [((NEW_OBJECTS, *before[1:]), True)]
    assert gc.get_threshold() == before
