"""A city measured part by part gives the numbers of the whole, whatever the tiles, the workers and their fate."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from livingcircle.engine import Job, Processes, ThisProcess
from livingcircle.measured import Measured, layers_needed
from livingcircle.reach import Layer, Reach
from livingcircle.tile_store import TileStore
from livingcircle.tiled import Tiled
from livingcircle.tiles import tiles_of


def tiled(measured: Measured, tiling: Tiled, *, layers: int | None = None) -> dict[Layer, Reach]:
    needed = layers_needed(measured.study, measured.rules.rules, measured.walkers)
    chosen = dict(list(needed.items())[:layers])
    return dict(tiling(measured.city, chosen, limit_m=measured.study.search_limit_m))


def assert_equal(ours: dict[Layer, Reach], measured: Measured) -> None:
    for layer, reach in ours.items():
        whole = measured.reaches["respect"][layer]
        for name in whole.walk_m:
            np.testing.assert_array_equal(reach.walk_m[name], whole.walk_m[name])
            np.testing.assert_array_equal(reach.walk_s[name], whole.walk_s[name])
            np.testing.assert_array_equal(reach.nearest[name], whole.nearest[name])
        np.testing.assert_array_equal(reach.straight_m, whole.straight_m)


@pytest.mark.parametrize("side_m", [1100.0, 2500.0, 1e6])
def test_tiles_of_any_size_give_the_numbers_of_the_whole(measured: Measured, tmp_path: Path, side_m: float) -> None:
    tiling = Tiled(TileStore(tmp_path), ThisProcess(), side_m)
    assert_equal(tiled(measured, tiling, layers=None if side_m > 2000 else 4), measured)
    assert tiling.tally.reused == 0
    assert (tiling.tally.parts <= 4) == (side_m == 1e6)  # the origin of the plane lies in the town


def test_what_is_known_is_not_computed_again(measured: Measured, tmp_path: Path) -> None:
    first = Tiled(TileStore(tmp_path), ThisProcess(), 2500.0)
    tiled(measured, first, layers=3)
    again = Tiled(TileStore(tmp_path), ThisProcess(), 2500.0)
    assert_equal(tiled(measured, again, layers=3), measured)
    assert again.tally.computed == 0
    assert again.tally.reused == first.tally.computed


def test_every_place_is_in_one_tile() -> None:
    xy = np.array([[0.0, 0.0], [999.9, 0.0], [1000.0, 0.0], [-0.1, 5.0], [10.0, -1.0]])
    assert [(name, homes.tolist()) for name, homes in tiles_of(xy, side_m=1000.0)] == [
        ("-1_0", [3]),
        ("0_-1", [4]),
        ("0_0", [0, 1]),
        ("1_0", [2]),
    ]


def _die_once(marker: str, answer: int) -> int:
    """End this very process the first time, as the kernel does when memory is short."""
    path = Path(marker)
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return answer


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    jobs = [Job(_die_once, (str(tmp_path / f"{i % 2}"), i)) for i in range(6)]
    assert sorted(Processes(2).run(jobs)) == [0, 1, 2, 3, 4, 5]


def test_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight cores: two processes have four each, twenty one each, and twenty with two parts to measure four each."""
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert [Processes(2).threads(9), Processes(20).threads(99), Processes(20).threads(2)] == [4, 1, 4]
    assert ThisProcess().threads(9) is None


def test_processes_give_the_numbers_of_the_whole(measured: Measured, tmp_path: Path) -> None:
    assert_equal(tiled(measured, Tiled(TileStore(tmp_path), Processes(2), 2500.0), layers=5), measured)
