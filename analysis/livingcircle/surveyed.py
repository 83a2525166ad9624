"""Ground that has been surveyed, tile by tile, where somebody first looks at it; only so many tiles are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from threading import Condition
from typing import Any

import numpy as np
import numpy.typing as npt

from livingcircle import _ground, _survey
from livingcircle.joins import barrier_grid, segments
from livingcircle_layers.streets import Streets

KEPT_ROWS = 14  # of tiles, 64 kB each, across the city: a strip of ground and the circles around its places

_UNSEEN, _BUSY, _READY = 0, 1, 2  # what a kept tile is

Ints = npt.NDArray[np.int64]


class SurveyedGround:
    """The nearest street of every node of the ground, for some part of it at a time.

    Threads survey different tiles at once. What a tile holds is the same whoever surveys it, and however often.

    Parameters
    ----------
    streets, barriers
        The streets, and lines that nobody walks across.
    reach_m, step_m
        How far from the streets ground can be walked to, and between the nodes of the grid.
    """

    def __init__(self, streets: Streets, barriers: npt.NDArray[Any], *, reach_m: float, step_m: float) -> None:
        self._reach_m, self._step_m = float(reach_m), float(step_m)
        self._barriers = barrier_grid(barriers)
        of, start, stop, before = segments(streets)
        self._pieces = _survey.Pieces(start, stop, of, before, streets.raised[of], streets.length_m)
        size = _survey.TILE * self._step_m
        low = np.floor((streets.coords.min(axis=0) - reach_m) / size).astype(np.int64)
        high = np.floor((streets.coords.max(axis=0) + reach_m) / size).astype(np.int64)
        self._corner, (columns, rows) = low, (high - low + 1).tolist()
        self._shape = (rows, columns)
        self._first, self._near = _survey.pieces_by_tile(
            start, stop, self._reach_m, size, low[0], low[1], rows, columns
        )
        self._room = min(KEPT_ROWS, rows) * columns
        self._edge, self._share = _no_tiles(self._room)
        self._slot: dict[int, int] = {}  # by number of tile; the tile looked at last is the last one
        self._state, self._users = np.zeros(self._room, dtype=np.int8), np.zeros(self._room, dtype=np.int64)
        self._changed = Condition()

    @contextmanager
    def window(self, i0: int, j0: int, columns: int, rows: int) -> Iterator[_ground.Tiles]:
        """Lend the surveyed ground of a window, by its first column and row and its size; nobody changes it meanwhile.

        A window of more tiles than are kept has ground of its own, which goes with it.
        """
        most = np.array(self._shape[::-1])
        low = np.clip(np.array([i0, j0]) // _survey.TILE - self._corner, 0, most)
        high = np.clip(np.array([i0 + columns - 1, j0 + rows - 1]) // _survey.TILE - self._corner + 1, low, most)
        numbers = np.arange(low[1], high[1])[:, None] * self._shape[1] + np.arange(low[0], high[0])
        tiles: list[int] = numbers.ravel().tolist()
        corner = self._corner + low
        if len(tiles) > self._room:
            edge, share = _no_tiles(len(tiles))
            for slot, tile in enumerate(tiles):
                edge[slot], share[slot] = self._surveyed(tile)
            own = np.arange(len(tiles), dtype=np.int32).reshape(numbers.shape)
            yield _ground.Tiles(own, int(corner[0]), int(corner[1]), edge, share)
            return
        slots = self._taken(tiles)
        try:
            for wait in (False, True):  # first what nobody else is at
                for n in np.flatnonzero(self._state[slots] != _READY):
                    if self._claimed(slots[n], wait=wait):
                        self._fill(tiles[n], slots[n])
            kept = np.array(slots, dtype=np.int32).reshape(numbers.shape)
            yield _ground.Tiles(kept, int(corner[0]), int(corner[1]), self._edge, self._share)
        finally:
            with self._changed:
                self._users[slots] -= 1
                self._changed.notify_all()

    def _taken(self, tiles: list[int]) -> list[int]:
        """Return where each tile is kept, and see that it stays; wait while others need too many of the places."""
        with self._changed:
            while not self._fit(tiles):
                self._changed.wait()
            missing = [tile for tile in tiles if tile not in self._slot]
            for tile in tiles:
                if tile in self._slot:
                    self._slot[tile] = slot = self._slot.pop(tile)
                    self._users[slot] += 1
            free = range(len(self._slot), self._room)[: len(missing)]
            used = self._users.tolist() if len(free) < len(missing) else []
            idle = (tile for tile, slot in self._slot.items() if used[slot] == 0)
            given_up = list(islice(idle, len(missing) - len(free)))
            for tile, slot in zip(missing, [*free, *(self._slot.pop(old) for old in given_up)], strict=True):
                self._slot[tile], self._state[slot], self._users[slot] = slot, _UNSEEN, 1
            return [self._slot[tile] for tile in tiles]

    def _fit(self, tiles: list[int]) -> bool:
        have = [self._slot[tile] for tile in tiles if tile in self._slot]
        used = np.count_nonzero(self._users) - np.count_nonzero(self._users[have])
        return bool(used + len(tiles) <= self._room)

    def _claimed(self, slot: int, *, wait: bool) -> bool:
        """Tell whether the caller is to survey a tile; others that need it wait until it is ready."""
        with self._changed:
            while wait and self._state[slot] == _BUSY:
                self._changed.wait()
            if self._state[slot] != _UNSEEN:
                return False
            self._state[slot] = _BUSY
            return True

    def _fill(self, tile: int, slot: int) -> None:
        state = _UNSEEN
        try:
            self._edge[slot], self._share[slot] = self._surveyed(tile)
            state = _READY
        finally:
            with self._changed:
                self._state[slot] = state
                self._changed.notify_all()

    def _surveyed(self, tile: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Return where each node of a tile meets its nearest street (see `livingcircle._survey.survey`)."""
        row, column = divmod(tile, self._shape[1])
        i0, j0 = (self._corner + np.array([column, row])) * _survey.TILE
        near = self._near[self._first[tile] : self._first[tile + 1]]
        return _survey.survey(near, self._pieces, self._barriers, self._reach_m, self._step_m, i0, j0)


def _no_tiles(room: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return room for tiles, which takes memory only as it is filled."""
    shape = (room, 2, _survey.TILE, _survey.TILE)
    return np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.float32)
