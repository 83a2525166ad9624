"""The same numbers on a Dask cluster: a real scheduler and workers as processes on this machine, one of them killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from livingcircle.engine import Cluster, Job
from livingcircle.measured import Measured
from livingcircle.tile_store import TileStore
from livingcircle.tiled import Tiled
from livingcircle_layers.errors import InputError
from test_tiled import assert_equal, tiled

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).parent.parent


def _started(*arguments: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(str(ROOT / folder) for folder in ("analysis", "layers", "tests"))
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    note = tmp_path_factory.mktemp("cluster") / "scheduler.json"
    common = ("--host", "127.0.0.1", "--no-dashboard")
    boss = _started("scheduler", *common, "--port", "0", "--scheduler-file", str(note))
    try:
        for _ in range(300):
            if note.exists() and note.stat().st_size:
                break
            time.sleep(0.1)
        address = json.loads(note.read_text())["address"]
        workers = [_started("worker", address, "--nthreads", "1", "--no-nanny", *common) for _ in range(2)]
        yield address
    finally:
        for process in (*locals().get("workers", ()), boss):
            process.kill()
            process.wait()


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
