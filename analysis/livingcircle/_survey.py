"""Compiled survey of the ground between the streets: the nearest street position of every node of a tile."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from livingcircle._compiled import inner, kept
from livingcircle._joining import PIECE_M, Grid, _blocked, _range

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

TILE = 64  # grid nodes along a side of a tile
_WIDE, _BLOCK = 16, 4  # and of the blocks in which the nearest streets are looked for


class Pieces(NamedTuple):
    """All streets in straight pieces: start and stop, edge, metres along it before, and whether it is raised.

    ``length_m`` is that of each edge.
    """

    start: Floats
    stop: Floats
    edge: Ints
    before: Floats
    raised: Bools
    length_m: Floats


@kept
def pieces_by_tile(
    start: Floats, stop: Floats, reach: float, size: float, tile_i: int, tile_j: int, rows: int, columns: int
) -> tuple[Ints, Int32s]:
    """Return for every tile the straight pieces within reach of it, in compressed rows: first, piece."""
    count = np.zeros(rows * columns + 1, dtype=np.int64)
    out = np.zeros(0, dtype=np.int32)
    for turn in range(2):
        for p in range(len(start)):
            west, east = min(start[p, 0], stop[p, 0]) - reach, max(start[p, 0], stop[p, 0]) + reach
            south, north = min(start[p, 1], stop[p, 1]) - reach, max(start[p, 1], stop[p, 1]) + reach
            for r in range(
                max(int(np.floor(south / size)) - tile_j, 0), min(int(np.floor(north / size)) - tile_j, rows - 1) + 1
            ):
                for c in range(
                    max(int(np.floor(west / size)) - tile_i, 0),
                    min(int(np.floor(east / size)) - tile_i, columns - 1) + 1,
                ):
                    tile = r * columns + c
                    if turn == 0:
                        count[tile + 1] += 1
                    else:
                        out[count[tile]] = p
                        count[tile] += 1
        if turn == 0:
            count = np.cumsum(count)
            out = np.empty(count[-1], dtype=np.int32)
    first = np.zeros(rows * columns + 1, dtype=np.int64)
    for tile in range(rows * columns):  # filling has moved each to the first of the next tile
        first[tile + 1] = count[tile]
    return first, out


@kept
def survey(
    pieces: Int32s, ground: Pieces, barriers: Grid, reach: float, step: float, i0: int, j0: int
) -> tuple[Int32s, Singles]:
    """Return where each node of a tile meets its nearest street, and a bridge or tunnel that is nearer still.

    `pieces` are those within reach of the tile, ascending. Edge (-1: none, or the straight way there is blocked) and
    share of it, both ``[layer, row, column]``. Nobody steps off a bridge or out of a tunnel between its ends.
    """
    edge = np.full((2, TILE, TILE), -1, dtype=np.int32)
    share = np.zeros((2, TILE, TILE), dtype=np.float32)
    lines, raised = _lines(pieces, ground), ground.raised[pieces]
    best, nearest = np.full((TILE, TILE), reach * reach), np.full((TILE, TILE), -1)
    walls = _near_pieces(barriers, i0 * step - reach, j0 * step - reach, TILE * step + 2 * reach)
    for layer in range(2):
        _nearest(np.flatnonzero(raised == (layer == 1)), lines, reach, step, i0, j0, best, nearest)
        for j in range(TILE):
            for i in range(TILE):
                n = nearest[j, i]
                if n < 0 or raised[n] != (layer == 1):
                    continue
                p, x, y = pieces[n], (i + i0) * step, (j + j0) * step
                e = ground.edge[p]
                along, _ = _along(lines, n, x, y)
                if layer == 0:
                    part = along / lines[n, 4] if lines[n, 4] > 0 else 0.0
                    foot_x = ground.start[p, 0] + (ground.stop[p, 0] - ground.start[p, 0]) * part
                    foot_y = ground.start[p, 1] + (ground.stop[p, 1] - ground.start[p, 1]) * part
                    if not (walls and _blocked(barriers, x, y, foot_x, foot_y)):
                        edge[0, j, i] = e
                elif edge[0, j, i] not in (-1, e):
                    edge[1, j, i] = e
                whole = ground.length_m[e]
                share[layer, j, i] = min(max((ground.before[p] + along) / (whole if whole > 0 else 1.0), 0.0), 1.0)
    return edge, share


@inner
def _near_pieces(grid: Grid, west: float, south: float, side: float) -> bool:
    """Tell whether any piece of a grid may lie in a square."""
    half = PIECE_M / 2
    first, last = _range(west - half - grid.west, west + side + half - grid.west, grid.cell, grid.columns)
    low, high = _range(south - half - grid.south, south + side + half - grid.south, grid.cell, grid.rows)
    if last <= first or len(grid.piece) == 0:
        return False
    for row in range(low, high):
        if grid.first[row * grid.columns + first] < grid.first[row * grid.columns + last]:
            return True
    return False


@inner
def _lines(pieces: Int32s, ground: Pieces) -> Floats:
    """Return straight pieces as x, y of the start, the way of a metre along them, and the length."""
    lines = np.empty((len(pieces), 5))
    for n in range(len(pieces)):
        x, y = ground.start[pieces[n], 0], ground.start[pieces[n], 1]
        way_x, way_y = ground.stop[pieces[n], 0] - x, ground.stop[pieces[n], 1] - y
        length = np.hypot(way_x, way_y)
        if length > 0:
            way_x, way_y = way_x / length, way_y / length
        lines[n, 0], lines[n, 1], lines[n, 2], lines[n, 3], lines[n, 4] = x, y, way_x, way_y, length
    return lines


@inner
def _along(lines: Floats, n: int, x: float, y: float) -> tuple[float, float]:
    """Return how many metres along a line the place nearest to (x, y) lies, and the square of its distance."""
    dx, dy, way_x, way_y = x - lines[n, 0], y - lines[n, 1], lines[n, 2], lines[n, 3]
    along = min(max(dx * way_x + dy * way_y, 0.0), lines[n, 4])
    return along, (dx - along * way_x) ** 2 + (dy - along * way_y) ** 2


@inner
def _nearest(
    among: Ints, lines: Floats, reach: float, step: float, i0: int, j0: int, best: Floats, nearest: Ints
) -> None:
    """Note the nearest of some lines at all nodes of a tile where none was nearer; of equals the first one stays.

    A node is compared with those alone that may be the nearest to some node of its block, and of its wider block.
    """
    if len(among) == 0:
        return
    wide, close = np.empty_like(among), np.empty_like(among)
    for j1 in range(0, TILE, _WIDE):
        for i1 in range(0, TILE, _WIDE):
            some = wide[: _candidates(among, lines, i0 + i1, j0 + j1, _WIDE, step, reach, wide)]
            for j2 in range(j1, j1 + _WIDE, _BLOCK):
                for i2 in range(i1, i1 + _WIDE, _BLOCK):
                    few = _candidates(some, lines, i0 + i2, j0 + j2, _BLOCK, step, reach, close)
                    _compare(close[:few], lines, i2, j2, step, i0, j0, best, nearest)


@inner
def _compare(
    among: Ints, lines: Floats, west: int, south: int, step: float, i0: int, j0: int, best: Floats, nearest: Ints
) -> None:
    """Note the nearest of some lines at the nodes of one block of a tile."""
    for n in among:
        for j in range(south, south + _BLOCK):
            for i in range(west, west + _BLOCK):
                _, gap = _along(lines, n, (i + i0) * step, (j + j0) * step)
                if gap < best[j, i] or (gap == best[j, i] and n < nearest[j, i]):
                    best[j, i], nearest[j, i] = gap, n


@inner
def _candidates(among: Ints, lines: Floats, i: int, j: int, side: int, step: float, reach: float, found: Ints) -> int:
    """Find the lines that may be the nearest to a node of a block within reach, in their order; return how many.

    Every node lies within half a diagonal of the middle: from there a line that is the nearest to one is farther than
    the nearest by a diagonal at most.
    """
    half = (side - 1) * step / 2
    x, y, diagonal = i * step + half, j * step + half, 2 * half * np.sqrt(2.0)
    gaps, least = np.empty(len(among)), reach + diagonal
    for k in range(len(among)):
        gaps[k] = np.sqrt(_along(lines, among[k], x, y)[1])
        least = min(least, gaps[k])
    most, n = min(least + diagonal, reach + diagonal / 2) + 1e-6, 0
    for k in range(len(among)):
        if gaps[k] <= most:
            found[n] = among[k]
            n += 1
    return n
