"""Surveyed ground: it is the same however few tiles are kept and however many threads ask for it at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import shapely

from livingcircle import _survey, surveyed
from livingcircle._survey import TILE
from livingcircle.surveyed import SurveyedGround
from towns import streets_of

# Two streets across 3 km, 5 by 5 tiles of 640 m, and a wall beside one of them.
STREETS = streets_of([(0, 0), (3000, 2900), (0, 1500), (3000, 100)], [(0, 1), (2, 3)])
WALL = np.array([shapely.LineString([(1000, 900), (1400, 1300)])])


def ground() -> SurveyedGround:
    return SurveyedGround(STREETS, WALL, reach_m=150.0, step_m=10.0)


def seen(ground: SurveyedGround, window: tuple[int, int, int, int]) -> Any:
    """Return edge and share of every tile of a window, copied while they are lent."""
    with ground.window(*window) as tiles:
        slots = tiles.slot.ravel()
        edge = tiles.edge[slots]
        return tiles.i, tiles.j, edge, np.where(edge >= 0, tiles.share[slots], 0)


@pytest.mark.parametrize("kept", [1, 2])
def test_few_tiles_are_the_same_as_many(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    rng = np.random.default_rng(2)
    windows = [(*rng.integers(-60, 300, 2).tolist(), *rng.integers(3, 120, 2).tolist()) for _ in range(60)]
    whole = ground()
    wanted = [seen(whole, window) for window in windows]
    monkeypatch.setattr(surveyed, "KEPT_ROWS", kept)
    small = ground()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda window: seen(small, window), windows))
    for one, other in zip(wanted, found, strict=True):
        assert one[:2] == other[:2]
        assert np.array_equal(one[2], other[2])
        assert np.array_equal(one[3], other[3])
    assert any((edge >= 0).any() for _, _, edge, _ in wanted)


def test_each_tile_is_surveyed_once_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    honest, corners = _survey.survey, []

    def counted(*given: Any) -> Any:
        corners.append(given[-2:])
        return honest(*given)

    monkeypatch.setattr(_survey, "survey", counted)
    shared = ground()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: seen(shared, (0, 0, 3 * TILE, 2 * TILE)), range(12)))
    assert len(corners) == len(set(corners)) == 6


def test_a_survey_that_fails_is_taken_up_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    window, one = (0, 0, TILE, TILE), ground()
    with monkeypatch.context() as broken:
        broken.setattr(_survey, "survey", lambda *given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            seen(one, window)
    assert np.array_equal(seen(one, window)[2], seen(ground(), window)[2])


def test_a_window_beside_all_streets_has_no_tiles() -> None:
    with ground().window(10_000, 10_000, 5, 5) as tiles:
        assert tiles.slot.size == 0
