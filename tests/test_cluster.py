"""The same numbers on a Dask cluster: a real scheduler and workers as processes on this machine, one of them killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from livingcircle import engine
from livingcircle.engine import Cluster, Job
from livingcircle.measured import Measured
from livingcircle.runs import Work
from livingcircle.tile_store import TileStore
from livingcircle.tiled import Tiled
from livingcircle_layers.errors import InputError, UsageError
from test_tiled import assert_equal, tiled

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).parent.parent
ENV = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("analysis", "layers", "tests")),
}


def _started(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
        env=ENV,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def _cluster(note: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Give the address of a scheduler, and the processes: first the scheduler, then its workers."""
    common = ("--host", "127.0.0.1", "--no-dashboard")
    running = [_started("scheduler", *common, "--port", "0", "--scheduler-file", str(note))]
    try:
        for _ in range(300):
            if note.exists() and note.stat().st_size:
                break
            time.sleep(0.1)
        address = json.loads(note.read_text())["address"]
        running += [_started("worker", address, "--nthreads", "1", "--no-nanny", *common) for _ in range(workers)]
        yield address, running
    finally:
        for process in running:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _cluster(tmp_path_factory.mktemp("cluster") / "scheduler.json", 2) as (address, _):
        yield address


def _kill_the_first_worker(marker: str, answer: int) -> int:
    path = Path(marker)
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return answer
    os.kill(os.getpid(), signal.SIGKILL)
    return -1


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_cluster_gives_the_numbers_of_the_whole_although_a_worker_is_killed(
    measured: Measured,
    scheduler: str,
    tmp_path: Path,
) -> None:
    jobs = [Job(_kill_the_first_worker, (str(tmp_path / "killed"), i)) for i in range(6)]
    assert sorted(Cluster(scheduler).run(jobs)) == [0, 1, 2, 3, 4, 5]
    assert (tmp_path / "killed").exists()
    tiling = Tiled(TileStore(tmp_path / "work"), Cluster(scheduler), 2500.0)
    assert_equal(tiled(measured, tiling, layers=4), measured)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_scheduler_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no Dask scheduler at tcp://127\.0\.0\.1:9.*--resume"):
        list(Cluster("tcp://127.0.0.1:9").run([Job(int, ("1",))]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("address", ["http://host:8786", "tcp://", "tcp://host", "host:8786", "tcp://host:8786/x"])
def test_what_is_no_address_is_told_before_the_work(address: str) -> None:
    with pytest.raises(UsageError, match=r"--scheduler is no address.*expected tcp://HOST:8786 or tls://HOST:8786"):
        Work(scheduler=address)


def test_certificates_that_are_missing_are_told(tmp_path: Path) -> None:
    import dask

    jobs = [Job(abs, (-1,))]
    with pytest.raises(InputError, match=r"tls://127\.0\.0\.1:1 needs certificates; got none; expected .*ca-file"):
        list(Cluster("tls://127.0.0.1:1").run(jobs))
    missing = str(tmp_path / "ca.pem")
    with (
        dask.config.set({f"distributed.comm.tls.{part}": missing for part in ("ca-file", "client.cert", "client.key")}),
        pytest.raises(InputError, match=r"needs certificates; got .*No such file"),
    ):
        list(Cluster("tls://127.0.0.1:1").run(jobs))
    with (
        dask.config.set({"distributed.comm.require-encryption": True}),
        pytest.raises(InputError, match=r"tcp://127\.0\.0\.1:1 is open.*asks for encryption; expected tls://"),
    ):
        list(Cluster("tcp://127.0.0.1:1").run(jobs))


def test_what_a_job_raises_is_not_taken_for_a_lost_scheduler(scheduler: str, tmp_path: Path) -> None:
    jobs = [Job(os.mkdir, (str(tmp_path / "missing" / "folder"),))]
    with pytest.raises(InputError, match=r"a worker of tcp.* cannot use a file of the output folder.*missing/folder"):
        list(Cluster(scheduler).run(jobs))
    with pytest.raises(ValueError, match="invalid literal"):
        list(Cluster(scheduler).run([Job(int, ("x",))]))


LOST = """
import sys, time
from livingcircle import engine
from livingcircle.engine import Cluster, Job
from livingcircle_layers.errors import InputError
try:
    for _ in Cluster(sys.argv[1]).run([Job(time.sleep, (0.2,))] * 500):
        print("one", flush=True)
except InputError as error:
    print(error)
"""


def test_a_scheduler_that_is_killed_is_told_in_one_line_without_the_tracebacks_of_dask(tmp_path: Path) -> None:
    with _cluster(tmp_path / "scheduler.json", 1) as (address, running):
        command = [sys.executable, "-c", LOST, address]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, env=ENV, text=True, **pipes) as scan:
            assert scan.stdout is not None
            assert scan.stdout.readline() == "one\n"
            running[0].kill()
            out, err = scan.communicate(timeout=60)
    assert err == ""
    assert f"no Dask scheduler at {address}" in out.splitlines()[-1]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_scheduler_without_workers_is_not_waited_for_forever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "WAIT_FOR_WORKERS_S", 0.5)
    with _cluster(tmp_path / "scheduler.json", 0) as (address, _), pytest.raises(InputError, match="has no workers"):
        list(Cluster(address).run([Job(int, ("1",))]))
