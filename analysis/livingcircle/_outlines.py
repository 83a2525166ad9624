"""Outlines of a grid of costs: compiled marching squares that traces rings with their holes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from livingcircle._compiled import inner, kept

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]

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


UPRIGHT, INTO, OUT_OF = 0, 1, 2  # on a line to the north; on one to the east that leads in, or out, on the way east


class Crossings(NamedTuple):
    """Where outlines cross the lines of a grid, in the order of rows, and how they go on.

    ``x, y`` are column and row, ``kind`` one of the kinds above and ``limit`` the number of the limit; the outline goes
    on from crossing ``source`` to crossing ``target``, by their numbers from the first row of the grid.
    """

    x: Floats
    y: Floats
    kind: Bytes
    limit: Bytes
    source: Int32s
    target: Int32s


class Rings(NamedTuple):
    """Outlines: their points as column and row, where each ring and each polygon begins, and the polygons per limit."""

    points: Floats
    rings: Ints
    polygons: Ints
    limits: Ints


@kept
def outlines(crossings: Crossings, limits: int) -> Rings:
    """Return the outlines of all nodes within each of some limits.

    Marching squares: each outline crosses the lines of the grid between a node inside and one outside, with the inside
    on its left, and runs straight in between. Nodes that touch by a corner only are apart, and no crossing lies on a
    node, so that no two rings can touch. Of points in one straight line only the ends are kept.
    """
    x, y, kind = crossings.x, crossings.y, crossings.kind
    follow, ring_of = np.empty(len(x), np.int32), np.full(len(x), -1, np.int32)
    for link in range(len(crossings.source)):
        follow[crossings.source[link]] = crossings.target[link]
    points, rings, polygons = np.empty((0, 2)), np.zeros(1, np.int64), np.zeros(1, np.int64)
    counts, across = np.empty(limits, dtype=np.int64), np.empty(len(x), np.int64)
    for n in range(limits):
        mine, level = 0, 0
        for crossing in range(len(x)):
            if crossings.limit[crossing] == n:
                mine += 1
                if kind[crossing] != UPRIGHT:
                    across[level] = crossing
                    level += 1
        more_points, more_rings, more_polygons = _rings(x, y, kind, follow, ring_of, across[:level], mine)
        counts[n] = len(more_polygons) - 1
        polygons = np.concatenate((polygons, more_polygons[1:] + (len(rings) - 1)))
        rings = np.concatenate((rings, more_rings[1:] + len(points)))
        points = np.concatenate((points, more_points))
    return Rings(points, rings, polygons, counts)


@inner
def _rings(
    x: Floats, y: Floats, kind: Bytes, follow: Int32s, ring_of: Int32s, across: Ints, count: int
) -> tuple[Floats, Ints, Ints]:
    """Trace the rings of one limit from its crossings on lines to the east; return points, rings, polygons."""
    points = np.empty((count + len(across) + 1, 2))
    size, rings = 0, 0
    first, shell = np.empty(len(across) + 1, np.int64), np.empty(len(across), np.int64)
    for t in range(len(across)):
        e = across[t]
        if ring_of[e] >= 0:
            continue
        # From the west, the first crossing of an outer ring leads inside, that of a hole outside; to the west of a
        # hole lies the outer ring that it belongs to, or another hole of it.
        shell[rings] = shell[ring_of[across[t - 1]]] if kind[e] == OUT_OF else rings
        first[rings] = size
        at = e
        while True:
            ring_of[at] = rings
            points[size, 0], points[size, 1] = x[at], y[at]
            size = _straightened(points, first[rings], size + 1)
            at = follow[at]
            if at == e:
                break
        points[size, 0], points[size, 1] = points[first[rings], 0], points[first[rings], 1]
        size = _straightened(points, first[rings], size + 1)
        rings += 1
    first[rings] = size
    return _by_polygon(points, first, shell[:rings])


@inner
def crossings(
    z: Floats, columns: int, row: int, limit: float, gap: float, number: int, below: Int32s, which: int
) -> Crossings:
    """Find where the outlines of one limit cross the lines of some rows of a grid.

    Parameters
    ----------
    z
        Costs of the rows; nothing in the first and last column and row of the whole grid is within the limit.
    row
        The first of the rows, counted from the first one of the grid.
    gap
        Cost of a step of the grid.
    number
        How many crossings were found before.
    below
        The numbers of the crossings on the first row, which is the last of the rows before; those on the last row
        afterwards.
    which
        The number of the limit.
    """
    south, north, west, east = _box(z, columns, limit)
    south, north = max(south - 1, 0), min(north + 1, len(z) // columns - 1)
    most = 0
    for k in range(south * columns, (north + 1) * columns - 1):
        most += (z[k] <= limit) != (z[k + 1] <= limit)
    for k in range(south * columns, north * columns):
        most += (z[k] <= limit) != (z[k + columns] <= limit)
    x, y, kind = np.empty(most), np.empty(most), np.empty(most, np.uint8)
    source, target = np.empty(2 * most + 2, np.int32), np.empty(2 * most + 2, np.int32)
    n, links = 0, 0
    above = np.empty(columns, np.int32)
    sides = np.empty(4, np.int32)
    for j in range(south, north):
        a_in, d_in = False, False
        for k in range(j * columns + west - 1, j * columns + east + 1):
            column = k - j * columns
            b_in, c_in = z[k + 1] <= limit, z[k + columns + 1] <= limit
            code = a_in + 2 * b_in + 4 * c_in + 8 * d_in
            if 0 < code < 15:
                sides[_S], sides[_W] = below[column], sides[_E]
                if c_in != d_in:
                    x[n], y[n] = _crossing(z, columns, 2 * (k + columns), limit, gap)
                    kind[n] = OUT_OF if d_in else INTO
                    above[column] = sides[_N] = number + n
                    n += 1
                if b_in != c_in:
                    x[n], y[n] = _crossing(z, columns, 2 * (k + 1) + 1, limit, gap)
                    kind[n] = UPRIGHT
                    sides[_E] = number + n
                    n += 1
                for turn in range(0, 4 if _LINKS[code, 2] >= 0 else 2, 2):
                    source[links], target[links] = sides[_LINKS[code, turn]], sides[_LINKS[code, turn + 1]]
                    links += 1
            a_in, d_in = b_in, c_in
        for column in range(columns):
            below[column] = above[column]
    return Crossings(
        x[:n], y[:n] + row, kind[:n], np.full(n, which, np.uint8), source[:links].copy(), target[:links].copy()
    )


@inner
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


@inner
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


@inner
def _straightened(points: Floats, first: int, size: int) -> int:
    """Take the last point but one out of a ring if it lies straight between its neighbours; return the new size."""
    if size - first < 3:
        return size
    x, y, to_x, to_y = points[size - 2, 0], points[size - 2, 1], points[size - 1, 0], points[size - 1, 1]
    if abs((x - points[size - 3, 0]) * (to_y - y) - (y - points[size - 3, 1]) * (to_x - x)) > 1e-9:
        return size
    points[size - 2, 0], points[size - 2, 1] = to_x, to_y
    return size - 1


@inner
def _by_polygon(points: Floats, first: Ints, shell: Ints) -> tuple[Floats, Ints, Ints]:
    """Put every hole behind its outer ring; return points, where each ring begins, and where each polygon does."""
    place = np.zeros(len(shell) + 1, np.int64)
    for r in range(len(shell)):
        place[shell[r] + 1] += 1
    place = np.cumsum(place)
    order = np.empty(len(shell), np.int64)
    for r in range(len(shell)):  # a sort by counting: the outer ring is the first of its own
        order[place[shell[r]]] = r
        place[shell[r]] += 1
    out, rings, n = np.empty((first[len(shell)], 2)), np.zeros(len(shell) + 1, np.int64), 0
    polygons, count = np.zeros(len(shell) + 1, np.int64), 0
    for t in range(len(order)):
        r = order[t]
        if shell[r] == r:
            polygons[count] = t
            count += 1
        for p in range(first[r], first[r + 1]):
            out[n, 0], out[n, 1] = points[p, 0], points[p, 1]
            n += 1
        rings[t + 1] = n
    polygons[count] = len(order)
    return out, rings, polygons[: count + 1].copy()
