"""What a scan survives: kills at any moment, a full disk, a folder that cannot be written, others, changed inputs."""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from livingcircle.batch import Batch, scan_batch
from livingcircle.runs import Work, scan_into
from livingcircle_layers.errors import InputError
from map_servers import BOX, serving, silent
from small_city import CSV_FILES, small_study
from towns import write_table

TESTS = Path(__file__).parent
# A job in the background of a shell is born deaf to Ctrl-C, and under nohup to the end of the terminal.
AT_A_TERMINAL: Any = {
    "start_new_session": True,
    "preexec_fn": lambda: [signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGHUP)],
}
ENV = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(str(TESTS.parent / part) for part in ("analysis", "layers", "tests")),
}
KILLS = 20


def tables(folder: Path) -> dict[str, bytes]:
    """Return the tables of a result."""
    return {name: (folder / name).read_bytes() for name in CSV_FILES}


def shown(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder that a user sees."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if not path.name.startswith(".")}


# -- kills -------------------------------------------------------------------------------------------------------------


def test_a_scan_that_is_killed_at_random_moments_ends_with_the_bytes_of_an_undisturbed_one(tmp_path: Path) -> None:
    command = [sys.executable, str(TESTS / "killed_scans.py"), str(tmp_path), str(KILLS), "8"]
    ended = subprocess.run(command, env=ENV, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["killed"] == KILLS
    assert all(told["equal"].values()), told
    assert told["hidden"] == [".livingcircle-work"]  # neither lock nor stage is left
    assert "12 results" in told["told"]  # 3 layers × 4 tiles


WORKERS = """
import multiprocessing, threading, time
from livingcircle.engine import Job, Processes
threading.Thread(target=lambda: list(Processes(2).run([Job(time.sleep, (60,))] * 2)), daemon=True).start()
while len(multiprocessing.active_children()) < 2:
    time.sleep(0.05)
print(*(child.pid for child in multiprocessing.active_children()), flush=True)
time.sleep(60)
"""


def alive(process: int) -> bool:
    """Tell whether a process still runs."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_workers_end_with_the_scan_that_started_them() -> None:
    with subprocess.Popen([sys.executable, "-c", WORKERS], env=ENV, stdout=subprocess.PIPE, text=True) as scan:
        assert scan.stdout is not None
        workers = [int(pid) for pid in scan.stdout.readline().split()]
        scan.kill()
    assert len(workers) == 2
    for _ in range(200):
        if not any(alive(worker) for worker in workers):
            return
        time.sleep(0.1)
    pytest.fail("workers are left")


# -- disks -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[..., AbstractContextManager[None]]]]:
    """Give a folder, and what fills its disk: a real one as the superuser, else files may not grow."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True, check=False
    ).returncode  # fmt: skip

    @contextmanager
    def full(free: int = 50_000) -> Iterator[None]:
        if mounted:
            ballast = folder / "ballast"
            ballast.write_bytes(bytes(shutil.disk_usage(folder).free - free))
            yield
            ballast.unlink()
        else:
            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (free, hard))
            yield
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    yield folder, full
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_and_a_read_only_one_leave_the_earlier_result_alone(
    small_disk: tuple[Path, Callable[..., AbstractContextManager[None]]], tmp_path: Path
) -> None:
    disk, full = small_disk
    out, study = disk / "out", small_study(tmp_path / "city")
    scan_into(study, out)
    before = shown(out)
    with full():
        for work in (Work(), Work(resume=True)):
            with pytest.raises(
                InputError, match=r"cannot write to .*(the disk is full|larger than).*choose another -o"
            ):
                scan_into(study, out, work=work)
    assert shown(out) == before
    if not os.path.ismount(disk):
        return  # there are rights: test_save looks after a folder without any
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(InputError, match=r"cannot write to .*Read-only file system; remedy: choose another -o"):
        scan_into(study, out)
    assert shown(out) == before


def test_a_disk_without_a_free_byte_keeps_nothing_of_a_run(
    small_disk: tuple[Path, Callable[..., AbstractContextManager[None]]], tmp_path: Path
) -> None:
    disk, full = small_disk
    study = small_study(tmp_path / "city")
    before = shown(disk)
    with full(0), pytest.raises(InputError, match=r"cannot write to .*(the disk is full|larger than).*choose another"):
        scan_into(study, disk / "new" / "out")
    assert shown(disk) == before


def test_an_input_is_never_replaced_by_its_result(tmp_path: Path) -> None:
    study = small_study(tmp_path / "in")
    out = tmp_path / "out"
    scan_into(study, out)
    drawn = out / "communities.gpkg"  # the planner corrects it in QGIS, and scans it
    again = study.model_copy(update={"communities": study.communities.model_copy(update={"file": drawn})})
    (tmp_path / "link").symlink_to(out)
    before = shown(out)
    for folder in (out, tmp_path / "link"):
        with pytest.raises(InputError, match=r"the place of its own input in \S+: communities.gpkg; .*another -o"):
            scan_into(again, folder)
        with pytest.raises(InputError, match=r"the place of its own input"):
            scan_batch(Batch("city", {"a": again}), folder)
    assert shown(out) == before


def test_an_input_that_cannot_be_read_is_not_taken_for_the_folder(tmp_path: Path) -> None:
    def unreadable(_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/somewhere/people.csv")

    study = small_study(tmp_path / "city")
    with pytest.raises(InputError, match=r"/somewhere/people\.csv cannot be used; got Permission denied"):
        scan_into(study, tmp_path / "out", progress=unreadable)


# -- others ------------------------------------------------------------------------------------------------------------

RIVALS = """
import os, sys, time
from pathlib import Path
from livingcircle.output_folder import held_folder
from livingcircle_layers.errors import InputError
folder, inside, held, refused = Path(sys.argv[1]), Path(sys.argv[2]), 0, 0
input()
end = time.monotonic() + 2
while time.monotonic() < end:
    try:
        with held_folder(folder, ["run.json"]):
            inside.touch(exist_ok=False)  # fails where somebody else is inside
            inside.unlink()
            held += 1
    except InputError as error:
        assert "is writing into" in str(error), error
        refused += 1
print(held, refused)
"""


def test_a_folder_is_held_by_one_process_at_a_time_however_they_race(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    command = [sys.executable, "-c", RIVALS, str(tmp_path / "out"), str(tmp_path / "inside")]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    rivals = [subprocess.Popen(command, env=ENV, text=True, **pipes) for _ in range(3)]
    for rival in rivals:
        rival.stdin.write("\n")
        rival.stdin.flush()
    ends = [rival.communicate() for rival in rivals]
    assert [rival.returncode for rival in rivals] == [0, 0, 0], ends
    counts = [[int(part) for part in out.split()] for out, _ in ends]
    assert all(held > 0 for held, _ in counts)
    assert sum(refused for _, refused in counts) > 0  # they did meet


# -- changes -----------------------------------------------------------------------------------------------------------


def test_what_changed_is_measured_again_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, told = tmp_path / "out", []
    again = {"work": Work(resume=True), "progress": lambda event: told.append(str(event))}
    study = small_study(tmp_path / "city")
    scan_into(study, out, **again)
    assert told[-1] == "0 of 12 results were there already, 12 are new"
    # a second clinic: that layer is measured again in all four tiles (they see 3 km), the other two are not
    clinics = write_table(tmp_path / "clinics.csv", "name", [(210, 390, "二诊所")])
    more = small_study(tmp_path / "city", facilities=[{"file": str(clinics), "service": "clinic", "mode": "add"}])
    scan_into(more, out, **again)
    assert told[-1] == "8 of 12 results were there already, 4 are new"
    scan_into(more, tmp_path / "fresh")
    assert tables(out) == tables(tmp_path / "fresh")
    # a setting: everybody walks more slowly
    slow = more.model_copy(update={"walker_settings": ()}).model_dump(mode="json")
    slow["walker_settings"] = [{"name": "slow", "speed_m_s": 0.9}]
    slower = type(study).model_validate({**slow, "walkers": ["slow"]})
    scan_into(slower, out, **again)
    assert told[-1] == "0 of 12 results were there already, 12 are new"
    # another version, which may measure otherwise
    monkeypatch.setattr("livingcircle.tile_store.MADE_BY", ("99.0", "2"))
    scan_into(slower, out, **again)
    assert told[-1] == "0 of 12 results were there already, 12 are new"


# -- Ctrl-C ------------------------------------------------------------------------------------------------------------


def test_ctrl_c_says_of_a_download_that_what_has_come_is_kept(tmp_path: Path) -> None:
    with serving(silent(3.0)) as server:
        command = [sys.executable, "-m", "livingcircle.cli", "fetch", "--bbox", ",".join(map(str, BOX))]
        command += ["--overpass", server.url, "-o", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, env=ENV, text=True, **AT_A_TERMINAL, **pipes) as download:
            while not server.asked and download.poll() is None:
                time.sleep(0.02)
            download.send_signal(signal.SIGINT)
            said = download.communicate(timeout=30)[1]
    assert download.returncode == 130, said
    assert said == (
        "livingcircle: stopped by Ctrl-C 已中断; run the same command again, what has come is kept"
        " 再次运行即可,已下载的部分会保留\n"
    )
    assert not (tmp_path / "out").exists()


PRESSES = """
import os, signal, sys
class Presses:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Presses())
from livingcircle.cli import main
main(sys.argv[2:])
"""
BUSY = """
import sys
from livingcircle.beside import beside
from livingcircle.interrupts import interruptible
def busy():
    while True:
        sum(range(20_000))
with interruptible("scan"), beside(busy) as done:
    print("said, and not flushed")
    print("begun", file=sys.stderr, flush=True)
    done()
"""
NOHUP = """
import signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
from livingcircle.interrupts import interruptible
with interruptible("scan"):
    signal.raise_signal(signal.SIGHUP)
print("went on")
"""
ENDED = "livingcircle: stopped by Ctrl-C 已中断"


@pytest.mark.parametrize("module", ["typer", "numpy", "pandas._libs.lib", "geopandas", "pyogrio._io"])
def test_ctrl_c_while_a_library_is_loaded_ends_in_one_line(tmp_path: Path, module: str) -> None:
    (tmp_path / "study.toml").touch()
    command = [sys.executable, "-c", PRESSES, module, "scan", str(tmp_path / "study.toml")]
    ended = subprocess.run(command, env=ENV, capture_output=True, text=True, check=False, **AT_A_TERMINAL)
    assert ended.returncode == 130, ended.stderr
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith(ENDED)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGINT, "stopped by Ctrl-C 已中断"),
        (signal.SIGTERM, "stopped from outside (SIGTERM) 已被终止"),
        (signal.SIGHUP, "stopped, as the terminal was closed (SIGHUP) 终端已关闭,运行中断"),
    ],
)
def test_a_call_to_stop_does_not_wait_for_a_thread_that_computes(number: signal.Signals, said: str) -> None:
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", BUSY], env=ENV, text=True, **AT_A_TERMINAL, **pipes) as busy:
        assert busy.stderr is not None
        assert busy.stderr.readline() == "begun\n"
        start = time.monotonic()
        busy.send_signal(number)
        out, err = busy.communicate(timeout=30)
        took_s = time.monotonic() - start
    assert busy.returncode == 128 + number
    assert err == f"livingcircle: {said}; goes on with --resume 可用 --resume 续算\n"
    assert out == "said, and not flushed\n"
    assert took_s < 1


def test_a_signal_that_nobody_wants_stays_unwanted() -> None:
    """As under nohup, which lets a scan outlive its terminal."""
    ended = subprocess.run([sys.executable, "-c", NOHUP], env=ENV, capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("went on\n", "")


@pytest.mark.parametrize("stage", ["reading streets", "measured part 1", "drawing the map", "writing layers"])
def test_ctrl_c_ends_a_scan_within_two_seconds_in_one_line(tmp_path: Path, stage: str) -> None:
    small_study(tmp_path / "city")
    names = {"osm": "town.osm", "communities": "communities.geojson", "population": "people.csv"}
    options = [part for name, file in names.items() for part in (f"--{name}", str(tmp_path / "city" / file))]
    rules = str(tmp_path / "city" / "rules.toml")
    command = [sys.executable, "-m", "livingcircle.cli", "scan", *options, "--standard", rules, "--jobs", "2"]
    command += ["-o", str(tmp_path / "out")]
    with subprocess.Popen(command, env=ENV, stderr=subprocess.PIPE, text=True, **AT_A_TERMINAL) as scan:
        assert scan.stderr is not None
        lines = iter(scan.stderr.readline, "")
        assert any(stage in line for line in lines)
        start = time.monotonic()
        os.killpg(scan.pid, signal.SIGINT)  # as a terminal does: the workers get it, too
        rest = list(lines)
        code = scan.wait(timeout=30)
        took_s = time.monotonic() - start
    assert code == 130, rest
    assert [line for line in rest if not re.match(r"\d\d:\d\d:\d\d ", line)] == [
        "livingcircle: stopped by Ctrl-C 已中断; goes on with --resume 可用 --resume 续算\n"
    ]
    assert took_s < 2, rest
    left = {path.name for path in (tmp_path / "out").iterdir()} if (tmp_path / "out").exists() else set()
    assert left <= {".livingcircle-work"}
    running = ["pgrep", "--runstates", "R,S,D", "--pgroup", str(scan.pid)]
    workers = [
        subprocess.run(running, capture_output=True, check=False).stdout for _ in range(10) if not time.sleep(0.2)
    ]
    assert workers[-1] == b""
