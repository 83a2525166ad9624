"""Compiled search for the nearest piece of street that can be walked to straight.

Straight pieces of lines stand in a grid of square cells by their middles. All are short (`PIECE_M`), so that the pieces
within a distance of a place lie in the cells within that distance and half a piece.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from livingcircle._compiled import inner, kept

PIECE_M = 25.0  # a street is tried in pieces this long, so that the way around the end of a wall is found (a judgement)
TRIM_M = 0.05  # a connector may begin at a gate in the wall and end at a street beside it

_CELL_M = 50.0

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]


class Grid(NamedTuple):
    """Straight pieces in cells: those of cell c are ``piece[first[c]:first[c + 1]]``."""

    west: float
    south: float
    cell: float
    columns: int
    rows: int
    first: Ints
    piece: Int32s
    start: Floats
    stop: Floats


def make_grid(start: Floats, stop: Floats) -> Grid:
    """Put straight pieces (n × 2, metres; none longer than `PIECE_M`) into a grid."""
    middle = (start + stop) / 2
    west, south = middle.min(axis=0) if len(middle) else (0.0, 0.0)
    extent = np.ptp(middle, axis=0) if len(middle) else np.zeros(2)
    # Never many more cells than pieces, however wide and empty the country is.
    cell = max(_CELL_M, float(np.sqrt(extent[0] * extent[1] / (4 * len(middle) + 1))))
    columns, rows = (np.floor(extent / cell).astype(np.int64) + 1).tolist()
    at = np.floor((middle - [west, south]) / cell).astype(np.int64)
    number = at[:, 1] * columns + at[:, 0]
    order = np.argsort(number, kind="stable").astype(np.int32)
    first = np.concatenate([[0], np.cumsum(np.bincount(number, minlength=columns * rows))])
    return Grid(float(west), float(south), cell, columns, rows, first, order, start, stop)


@inner
def _range(low: float, high: float, cell: float, count: int) -> tuple[int, int]:
    """Return the first and last cell (exclusive) between two distances from the border of a grid."""
    return max(0, int(np.floor(low / cell))), min(count, int(np.floor(high / cell)) + 1)


@inner
def _foot(grid: Grid, piece: int, x: float, y: float) -> tuple[float, float, float]:
    """Return the nearest point of a piece, and how far along the piece it is (0 to 1)."""
    ax, ay = grid.start[piece, 0], grid.start[piece, 1]
    wx, wy = grid.stop[piece, 0] - ax, grid.stop[piece, 1] - ay
    square = wx * wx + wy * wy
    t = ((x - ax) * wx + (y - ay) * wy) / square if square > 0 else 0.0
    t = min(max(t, 0.0), 1.0)
    return ax + t * wx, ay + t * wy, t


@inner
def _side(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> float:
    """Return on which side of the line a–b the point c lies; computed from a, to keep the digits."""
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)


@inner
def _meet(ax: float, ay: float, bx: float, by: float, cx: float, cy: float, dx: float, dy: float) -> bool:
    """Tell whether two straight pieces touch or cross."""
    c, d = _side(ax, ay, bx, by, cx, cy), _side(ax, ay, bx, by, dx, dy)
    a, b = _side(cx, cy, dx, dy, ax, ay), _side(cx, cy, dx, dy, bx, by)
    if ((c > 0) != (d > 0) or c == 0 or d == 0) and ((a > 0) != (b > 0) or a == 0 or b == 0):
        return max(min(ax, bx), min(cx, dx)) <= min(max(ax, bx), max(cx, dx)) and max(min(ay, by), min(cy, dy)) <= min(
            max(ay, by), max(cy, dy)
        )
    return False


@inner
def _blocked(grid: Grid, ax: float, ay: float, bx: float, by: float) -> bool:
    """Tell whether the straight way from a to b, a little shorter at both ends, meets a piece of the grid."""
    wx, wy = bx - ax, by - ay
    length = np.sqrt(wx * wx + wy * wy)
    if length <= 2 * TRIM_M or len(grid.piece) == 0:
        return False
    tx, ty = wx / length * TRIM_M, wy / length * TRIM_M
    ax, ay, bx, by = ax + tx, ay + ty, bx - tx, by - ty
    half = PIECE_M / 2
    west, east = _range(min(ax, bx) - half - grid.west, max(ax, bx) + half - grid.west, grid.cell, grid.columns)
    south, north = _range(min(ay, by) - half - grid.south, max(ay, by) + half - grid.south, grid.cell, grid.rows)
    if east <= west:  # beside the grid, where no cell may be looked up
        return False
    for row in range(south, north):
        for k in range(grid.first[row * grid.columns + west], grid.first[row * grid.columns + east]):
            p = grid.piece[k]
            if _meet(ax, ay, bx, by, grid.start[p, 0], grid.start[p, 1], grid.stop[p, 0], grid.stop[p, 1]):
                return True
    return False


@inner
def _gather(streets: Grid, x: float, y: float, reach: float, gap: Floats, found: Int32s) -> int:
    """Note all pieces within reach of a place with their distances; return how many there are."""
    count = 0
    margin = reach + PIECE_M / 2
    west, east = _range(x - margin - streets.west, x + margin - streets.west, streets.cell, streets.columns)
    south, north = _range(y - margin - streets.south, y + margin - streets.south, streets.cell, streets.rows)
    if east <= west:
        return 0
    for row in range(south, north):
        for k in range(streets.first[row * streets.columns + west], streets.first[row * streets.columns + east]):
            piece = streets.piece[k]
            px, py, _ = _foot(streets, piece, x, y)
            d = np.sqrt((px - x) ** 2 + (py - y) ** 2)
            if d <= reach:
                gap[count] = d
                found[count] = piece
                count += 1
    return count


@inner
def _first(gap: Floats, found: Int32s, count: int, beyond: float) -> int:
    """Return which of the noted pieces comes first of `_in_order`, -1 if there is none."""
    best = -1
    for k in range(count):
        if gap[k] > beyond:
            less = 0.0 if best < 0 else np.round(gap[k] * 1e6) - np.round(gap[best] * 1e6)
            if best < 0 or less < 0 or (less == 0 and found[k] < found[best]):
                best = k
    return best


@inner
def _in_order(gap: Floats, found: Int32s, count: int, beyond: float) -> Ints:
    """Return which of the noted pieces are farther than a distance, nearest first.

    Of pieces equally near (to a thousandth of a millimetre) the lowest comes first.
    """
    far = np.flatnonzero(gap[:count] > beyond)
    by_piece = far[np.argsort(found[far].astype(np.float64), kind="mergesort")]  # as below, compiled once
    return by_piece[np.argsort(np.round(gap[by_piece] * 1e6), kind="mergesort")]


@kept
def nearest_free(
    streets: Grid, barriers: Grid, xy: Floats, limit: float
) -> tuple[Int32s, Floats, Floats, npt.NDArray[np.bool_]]:
    """Return for each place the nearest piece of street that no barrier keeps it from.

    Of pieces equally near (to a thousandth of a millimetre) the lowest wins.

    Returns
    -------
    Piece (-1: none), place along the piece (0 to 1), distance, and whether a barrier kept the place from a nearer one.
    """
    n = len(xy)
    piece = np.full(n, -1, dtype=np.int32)
    along = np.full(n, np.nan)
    leg = np.full(n, np.nan)
    turned = np.zeros(n, dtype=np.bool_)
    gap = np.empty(len(streets.piece))
    found = np.empty(len(streets.piece), dtype=np.int32)
    for i in range(n):
        x, y = xy[i, 0], xy[i, 1]
        done = -1.0
        reach = min(limit, _CELL_M / 2)
        while piece[i] < 0 and done < limit:
            count = _gather(streets, x, y, reach, gap, found)
            # Mostly the nearest piece is free, so that all others need not be put in order.
            first = _first(gap, found, count, done)
            order = np.arange(first, first + 1) if first >= 0 else np.empty(0, np.int64)
            if first >= 0 and _blocked(barriers, x, y, *_foot(streets, found[first], x, y)[:2]):
                order = _in_order(gap, found, count, done)
            for k in order:
                px, py, t = _foot(streets, found[k], x, y)
                if _blocked(barriers, x, y, px, py):
                    turned[i] = True
                    continue
                piece[i], along[i], leg[i] = found[k], t, gap[k]
                break
            done = reach
            reach = min(limit, 2.5 * reach)
    return piece, along, leg, turned


@inner
def _gap(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> float:
    """Return the distance of a place from the straight piece a–b, to the digits that GEOS gives it."""
    wx, wy = bx - ax, by - ay
    square = wx * wx + wy * wy
    r = ((x - ax) * wx + (y - ay) * wy) / square if square > 0 else 0.0
    if r <= 0.0:
        return float(np.sqrt((x - ax) * (x - ax) + (y - ay) * (y - ay)))
    if r >= 1.0:
        return float(np.sqrt((x - bx) * (x - bx) + (y - by) * (y - by)))
    return float(abs(((ay - y) * wx - (ax - x) * wy) / square) * np.sqrt(square))


@kept
def nearest_gap(grid: Grid, xy: Floats, limit: float) -> Floats:
    """Return the distance of each place (n × 2) from the nearest piece, infinite beyond the limit.

    The pieces of the grid may be parts of longer ones, whose own ends are given for each.
    """
    out = np.full(len(xy), np.inf)
    for i in range(len(xy)):
        x, y = xy[i, 0], xy[i, 1]
        reach = min(limit, grid.cell)
        while True:
            margin = reach + PIECE_M / 2
            west, east = _range(x - margin - grid.west, x + margin - grid.west, grid.cell, grid.columns)
            south, north = _range(y - margin - grid.south, y + margin - grid.south, grid.cell, grid.rows)
            if east > west:
                for row in range(south, north):
                    for k in range(grid.first[row * grid.columns + west], grid.first[row * grid.columns + east]):
                        p = grid.piece[k]
                        gap = _gap(grid.start[p, 0], grid.start[p, 1], grid.stop[p, 0], grid.stop[p, 1], x, y)
                        out[i] = min(out[i], gap)
            if out[i] <= reach or reach >= limit:
                break
            reach = min(limit, 2.0 * reach)
    return out
