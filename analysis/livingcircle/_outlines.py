"""Outlines of a grid of costs: compiled marching squares that traces rings with their holes."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]

# From which side of a cell of the grid (south, east, north, west) an outline runs to which, and a second one if there
# are two, by the corners that lie inside (1 south-west, 2 south-east, 4 north-east, 8 north-west): the inside is on its
# left. Two opposite corners are kept apart.
_S, _E, _N, _W = 0, 1, 2, 3
_LINKS = np.array(
    [
        (-1, -1, -1, -1), (_S, _W, -1, -1), (_E, _S, -1, -1), (_E, _W, -1, -1),
        (_N, _E, -1, -1), (_S, _W, _N, _E), (_N, _S, -1, -1), (_N, _W, -1, -1),
        (_W, _N, -1, -1), (_S, _N, -1, -1), (_E, _S, _W, _N), (_E, _N, -1, -1),
        (_W, _E, -1, -1), (_S, _E, -1, -1), (_W, _S, -1, -1), (-1, -1, -1, -1),
    ]
)  # fmt: skip


@numba.njit(cache=True, nogil=True)
def outlines(z: Floats, columns: int, limit: float, gap: float) -> tuple[Floats, Ints, Ints]:
    """Return the outlines of all nodes that cost at most `limit`: points (column, row), rings, polygons.

    Marching squares: each outline crosses the lines of the grid between a node inside and one outside, with the inside
    on its left, and runs straight in between. Nodes that touch by a corner only are apart, and no crossing lies on a
    node, so that no two rings can touch. Of points in one straight line only the ends are kept.
    """
    follow, across, upright = _crossings(z, columns, limit)
    ring_of = np.empty(2 * len(z), dtype=np.int32)
    for e in across:
        ring_of[e] = -1
    points = np.empty((upright + 2 * len(across) + 1, 2))
    size, rings = 0, 0
    first, shell = np.empty(len(across) + 1, np.int64), np.empty(len(across), np.int64)
    for t in range(len(across)):
        e = across[t]
        if ring_of[e] >= 0:
            continue
        # From the west, the first crossing of an outer ring leads inside, that of a hole outside; to the west of a
        # hole lies the outer ring that it belongs to, or another hole of it.
        shell[rings] = shell[ring_of[across[t - 1]]] if z[e >> 1] <= limit else rings
        first[rings] = size
        at = e
        while True:
            if at & 1 == 0:
                ring_of[at] = rings
            points[size, 0], points[size, 1] = _crossing(z, columns, at, limit, gap)
            size = _straightened(points, first[rings], size + 1)
            at = follow[at]
            if at == e:
                break
        points[size, 0], points[size, 1] = points[first[rings], 0], points[first[rings], 1]
        size = _straightened(points, first[rings], size + 1)
        rings += 1
    first[rings] = size
    return _by_polygon(points, first, shell[:rings])


@numba.njit(cache=True, nogil=True)
def _crossings(z: Floats, columns: int, limit: float) -> tuple[Int32s, Int32s, int]:
    """Link the places where outlines cross the lines of the grid, each to the next one along its outline.

    The line from node k to its eastern neighbour is 2 k, to its northern one 2 k + 1. Returns the links, the crossed
    lines of the first kind in order, and how many of the other kind are crossed.
    """
    follow = np.empty(2 * len(z), dtype=np.int32)
    across, n, upright = np.empty(len(z), dtype=np.int32), 0, 0
    south, north, west, east = _box(z, columns, limit)
    for j in range(south - 1, north + 1):
        row = j * columns
        a_in, d_in = False, False
        for k in range(row + west - 1, row + east + 1):
            b_in, c_in = z[k + 1] <= limit, z[k + columns + 1] <= limit
            if a_in != b_in:
                across[n] = 2 * k
                n += 1
            if a_in != d_in:
                upright += 1
            code = a_in + 2 * b_in + 4 * c_in + 8 * d_in
            if 0 < code < 15:
                sides = (2 * k, 2 * k + 3, 2 * (k + columns), 2 * k + 1)
                follow[sides[_LINKS[code, 0]]] = sides[_LINKS[code, 1]]
                if _LINKS[code, 2] >= 0:
                    follow[sides[_LINKS[code, 2]]] = sides[_LINKS[code, 3]]
            a_in, d_in = b_in, c_in
    return follow, across[:n], upright


@numba.njit(cache=True, nogil=True)
def _box(z: Floats, columns: int, limit: float) -> tuple[int, int, int, int]:
    """Return the first and last row and the first and last column that hold a node within the limit."""
    south, north, west, east = len(z) // columns, 0, columns, 0
    for j in range(len(z) // columns):
        row = j * columns
        first = 0
        while first < columns and z[row + first] > limit:
            first += 1
        if first == columns:
            continue
        last = columns - 1
        while z[row + last] > limit:
            last -= 1
        south, north, west, east = min(south, j), j, min(west, first), max(east, last)
    return south, north, west, east


@numba.njit(cache=True, nogil=True)
def _crossing(z: Floats, columns: int, line: int, limit: float, gap: float) -> tuple[float, float]:
    """Return where an outline crosses a line of the grid, as column and row.

    Costs just inside and just outside keep their distance from the limit, so that the outline runs smoothly; beside
    ground that is not reached it stays close to the last node that is.
    """
    k = line >> 1
    other = k + 1 if line & 1 == 0 else k + columns
    inner, outer = (z[k], z[other]) if z[k] <= limit else (z[other], z[k])
    share = 0.02
    if outer - limit <= gap:
        inside = min(limit - inner, gap)
        share = min(max(inside / (inside + outer - limit), 0.05), 0.95)
    if z[k] > limit:
        share = 1.0 - share
    row = k // columns
    column = k - row * columns
    return (column + share, float(row)) if line & 1 == 0 else (float(column), row + share)


@numba.njit(cache=True, nogil=True)
def _straightened(points: Floats, first: int, size: int) -> int:
    """Take the last point but one out of a ring if it lies straight between its neighbours; return the new size."""
    if size - first < 3:
        return size
    x, y, to_x, to_y = points[size - 2, 0], points[size - 2, 1], points[size - 1, 0], points[size - 1, 1]
    if abs((x - points[size - 3, 0]) * (to_y - y) - (y - points[size - 3, 1]) * (to_x - x)) > 1e-9:
        return size
    points[size - 2, 0], points[size - 2, 1] = to_x, to_y
    return size - 1


@numba.njit(cache=True, nogil=True)
def _by_polygon(points: Floats, first: Ints, shell: Ints) -> tuple[Floats, Ints, Ints]:
    """Put every hole behind its outer ring; return points, where each ring begins, and where each polygon does."""
    order = np.argsort(shell, kind="mergesort")  # stable: the outer ring is the first of its own
    out, rings, n = np.empty((first[len(shell)], 2)), np.zeros(len(shell) + 1, np.int64), 0
    polygons, count = np.zeros(len(shell) + 1, np.int64), 0
    for t in range(len(order)):
        r = order[t]
        if shell[r] == r:
            polygons[count] = t
            count += 1
        size = first[r + 1] - first[r]
        out[n : n + size] = points[first[r] : first[r + 1]]
        n += size
        rings[t + 1] = n
    polygons[count] = len(order)
    return out, rings, polygons[: count + 1].copy()
