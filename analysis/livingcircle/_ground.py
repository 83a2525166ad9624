"""Compiled work on the ground between the streets: a square grid of nodes that carry the cost of walking there.

Node (i, j) of the grid lies at ``(i * step, j * step)`` in the plane of the streets, whatever their bounds, so that a
new street elsewhere moves nothing. Windows of the grid are arrays ``[row, column]`` that begin at node (i0, j0).
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]

_Setting = tuple[float, float, float, float, int, int]  # cost per metre, limit, band, step, first column and row

TILE = 64  # grid nodes along a side of a tile


class Flow(NamedTuple):
    """A finished search as it spreads along the edges.

    Attributes
    ----------
    tail, head, length, offsets, coords
        The edges, as in `Streets`.
    up, down
        Cost of each whole edge from tail to head and back, in the direction of the search.
    dist
        Cost at each node, infinite where it was not reached.
    start_first, start_share, start_cost
        Origins on edge e are ``start_first[e]`` to ``start_first[e + 1]``: their share of it and their leg's cost.
    per_metre
        Cost of a metre off the street.
    limit
        Nothing beyond this cost is of interest.
    """

    tail: Ints
    head: Ints
    length: Floats
    offsets: Ints
    coords: Floats
    up: Floats
    down: Floats
    dist: Floats
    start_first: Ints
    start_share: Floats
    start_cost: Floats
    per_metre: float
    limit: float


@numba.njit(cache=True)
def reached_edges(flow: Flow) -> tuple[Ints, float, float, float, float]:
    """Return all edges that are at least partly reached, and their west, south, east and north."""
    tail, head, dist, limit, offsets, coords = flow.tail, flow.head, flow.dist, flow.limit, flow.offsets, flow.coords
    first = flow.start_first
    edges, n = np.empty(len(tail), dtype=np.int64), 0
    west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
    for e in range(len(tail)):
        if dist[tail[e]] <= limit or dist[head[e]] <= limit or first[e] < first[e + 1]:
            edges[n] = e
            n += 1
            for v in range(offsets[e], offsets[e + 1]):
                west, east = min(west, coords[v, 0]), max(east, coords[v, 0])
                south, north = min(south, coords[v, 1]), max(north, coords[v, 1])
    return edges[:n].copy(), west, south, east, north


@numba.njit(cache=True)
def along_streets(flow: Flow, edges: Ints, legs: Floats, band: float, step: float, i0: int, j0: int, z: Floats) -> None:
    """Lower `z` to the cheapest walk from any reached street position within `band` metres of each node.

    `edges` are those that are reached. `legs` are the straight ways of the origins to their streets (x, y of both ends,
    cost at the beginning); they count as streets.
    """
    ground = flow.per_metre, flow.limit, band, step, i0, j0
    for s in range(len(legs)):
        x, y, to_x, to_y, cost = legs[s]
        _piece(x, y, to_x, to_y, cost, flow.per_metre, ground, z)
    tail, head, dist, length, offsets, coords = flow.tail, flow.head, flow.dist, flow.length, flow.offsets, flow.coords
    up, down, first = flow.up, flow.down, flow.start_first
    for e in edges:
        line = coords[offsets[e] : offsets[e + 1]]
        back = line[::-1]
        slope_up, slope_down = flow.per_metre, flow.per_metre
        if length[e] > 0:
            slope_up, slope_down = up[e] / length[e], down[e] / length[e]
        _run(line, 0.0, dist[tail[e]], slope_up, ground, z)
        _run(back, 0.0, dist[head[e]], slope_down, ground, z)
        for s in range(first[e], first[e + 1]):
            at = flow.start_share[s] * length[e]
            _run(line, at, flow.start_cost[s], slope_up, ground, z)
            _run(back, length[e] - at, flow.start_cost[s], slope_down, ground, z)


@numba.njit(cache=True)
def _run(line: Floats, begin: float, cost: float, slope: float, ground: _Setting, z: Floats) -> None:
    """Walk a line on from `begin` metres, where it costs `cost`, and mark the ground beside it."""
    if slope == np.inf:
        return
    limit, at = ground[1], 0.0
    for v in range(len(line) - 1):
        if not cost + slope * (at - begin) <= limit:
            return
        x, y, to_x, to_y = line[v, 0], line[v, 1], line[v + 1, 0], line[v + 1, 1]
        gap = np.sqrt((to_x - x) ** 2 + (to_y - y) ** 2)
        skip = min(max(begin - at, 0.0), gap)
        if at + gap >= begin:
            if gap > 0:
                x, y = x + (to_x - x) * skip / gap, y + (to_y - y) * skip / gap
            _piece(x, y, to_x, to_y, cost + slope * max(at + skip - begin, 0.0), slope, ground, z)
        at += gap


@numba.njit(cache=True)
def _piece(
    x: float, y: float, to_x: float, to_y: float, cost: float, slope: float, ground: _Setting, z: Floats
) -> None:
    """Mark the ground beside a straight piece that is walked from (x, y), where it costs `cost`.

    A metre along the street costs no less than one across the ground, so of all positions within the band of a node
    the first one gives the cheapest walk.
    """
    per_metre, limit, band, step, i0, j0 = ground
    length = np.sqrt((to_x - x) ** 2 + (to_y - y) ** 2)
    way_x, way_y = ((to_x - x) / length, (to_y - y) / length) if length > 0 else (1.0, 0.0)
    if slope > 0:
        length = min(length, max((limit - cost) / slope, 0.0))
        to_x, to_y = x + way_x * length, y + way_y * length
    rows, columns = z.shape
    for j in range(
        max(int(np.ceil((min(y, to_y) - band) / step)) - j0, 0),
        min(int(np.floor((max(y, to_y) + band) / step)) - j0 + 1, rows),
    ):
        for i in range(
            max(int(np.ceil((min(x, to_x) - band) / step)) - i0, 0),
            min(int(np.floor((max(x, to_x) + band) / step)) - i0 + 1, columns),
        ):
            dx, dy = (i + i0) * step - x, (j + j0) * step - y
            along, across = dx * way_x + dy * way_y, dy * way_x - dx * way_y
            half = band * band - across * across
            if half < 0:
                continue
            half = np.sqrt(half)
            if along + half < 0 or along - half > length:
                continue
            s = max(along - half, 0.0)
            here = cost + slope * s + per_metre * np.sqrt((along - s) ** 2 + across**2)
            z[j, i] = min(z[j, i], here)


@numba.njit(cache=True)
def open_ground(
    flow: Flow, slot: Int32s, tile_i: int, tile_j: int, edge: Int32s, share: Singles,
    i0: int, j0: int, shape: tuple[int, int],
) -> tuple[Int32s, Int32s, Floats]:  # fmt: skip
    """Return the nodes of a window that can be walked to across the ground: row, column, street's cost.

    `edge` and `share` name the nearest street position, tile by tile, and that of a bridge or tunnel if one is nearer
    still (-1: none): both must be reached. `slot` says where each tile is kept.
    """
    rows, columns = shape
    size = rows * columns
    row, column, floor = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size)
    n = 0
    limit = flow.limit
    for j in range(1, rows - 1):
        r, tj = (j + j0) // TILE - tile_j, (j + j0) % TILE
        for c in range(i0 // TILE - tile_i, (i0 + columns) // TILE - tile_i + 1):
            if r < 0 or r >= slot.shape[0] or c < 0 or c >= slot.shape[1]:
                continue
            tile, west = slot[r, c], (c + tile_i) * TILE - i0
            for i in range(max(west, 1), min(west + TILE, columns - 1)):
                cost = 0.0
                for layer in range(2):
                    e = edge[tile, layer, tj, i - west]
                    if e >= 0:
                        cost = max(cost, _cost_at(flow, e, share[tile, layer, tj, i - west]))
                    elif layer == 0:
                        cost = np.inf
                    if cost > limit:
                        break
                if cost <= limit:
                    row[n], column[n], floor[n] = j, i, cost
                    n += 1
    return row[:n], column[:n], floor[:n]


@numba.njit(cache=True)
def across_ground(near: Floats, row: Int32s, column: Int32s, floor: Floats, straight: float, limit: float) -> Floats:
    """Return what it costs to walk on over open ground, from node to node.

    `near` is the cost beside the streets, `straight` that of one step. Only ground whose nearest street is reached
    within the limit (`floor`) is walked across; ground along other streets is not reached either, and costs at least
    what its street does.
    """
    z = near.copy()
    diagonal = straight * np.sqrt(2.0)
    walked = np.flatnonzero(floor <= limit)
    n = len(walked)
    for turn in range(2):  # a sweep from each side, once
        away = -1 if turn % 2 == 0 else 1
        for m in range(n):
            k = walked[m] if turn % 2 == 0 else walked[n - 1 - m]
            j, i = row[k], column[k]
            beside, ahead = z[j, i + away], z[j + away, i]
            # Cutting a corner needs ground on one side of it, so that no speck hangs by its corner alone.
            same = max(z[j + away, i + away] + diagonal, min(beside, ahead))
            other = max(z[j + away, i - away] + diagonal, min(z[j, i - away], ahead))
            z[j, i] = min(z[j, i], beside + straight, ahead + straight, same, other)
    for k in np.flatnonzero(floor > limit):
        j, i = row[k], column[k]
        there = min(z[j, i - 1], z[j - 1, i], z[j, i + 1], z[j + 1, i]) + straight
        z[j, i] = min(z[j, i], max(there, floor[k]))
    return z


@numba.njit(cache=True)
def contour_field(z: Floats, limit: float, per_metre: float, step: float, steep: float) -> tuple[Floats, int, int]:
    """Return the part of `z` that holds all costs within the limit, as metres beyond it, and its first column and row.

    Metres are kept from half a metre to one step from the limit on either side; `steep` is anything beyond.
    """
    rows, columns = z.shape
    j0, j1, i0, i1 = rows, 0, columns, 0
    for j in range(rows):
        for i in range(columns):
            if z[j, i] <= limit:
                j0, j1, i0, i1 = min(j0, j), max(j1, j), min(i0, i), max(i1, i)
    field = np.empty((j1 - j0 + 3, i1 - i0 + 3))
    for j in range(field.shape[0]):
        for i in range(field.shape[1]):
            beyond = (z[j + j0 - 1, i + i0 - 1] - limit) / per_metre
            if beyond <= 0:
                field[j, i] = min(max(beyond, -step), -0.5)
            else:
                field[j, i] = max(beyond, 0.5) if beyond <= step else steep
    return field, i0 - 1, j0 - 1


@numba.njit(cache=True)
def _cost_at(flow: Flow, e: int, share: float) -> float:
    """Return the cost at a position of an edge."""
    best = np.inf
    if flow.dist[flow.tail[e]] < np.inf:
        best = flow.dist[flow.tail[e]] + (flow.up[e] * share if share > 0 else 0.0)
    if flow.dist[flow.head[e]] < np.inf:
        best = min(best, flow.dist[flow.head[e]] + (flow.down[e] * (1.0 - share) if share < 1 else 0.0))
    for s in range(flow.start_first[e], flow.start_first[e + 1]):
        gap = share - flow.start_share[s]
        whole = flow.up[e] if gap > 0 else flow.down[e]
        best = min(best, flow.start_cost[s] + (whole * abs(gap) if gap != 0 else 0.0))
    return best


@numba.njit(cache=True)
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
    first[1:] = count[:-1]
    return first, out


@numba.njit(cache=True)
def nearest_piece(
    start: Floats, stop: Floats, pieces: Int32s, reach: float, step: float, i0: int, j0: int
) -> tuple[Int32s, Floats]:
    """Return for every node of a tile its nearest straight piece within reach (-1: none) and the metres along it."""
    piece = np.full((TILE, TILE), -1, dtype=np.int32)
    along = np.zeros((TILE, TILE))
    best = np.full((TILE, TILE), reach * reach)
    for p in pieces:
        x, y = start[p]
        way_x, way_y = stop[p, 0] - x, stop[p, 1] - y
        length = np.hypot(way_x, way_y)
        if length > 0:
            way_x, way_y = way_x / length, way_y / length
        low_j = max(int(np.ceil((min(y, stop[p, 1]) - reach) / step)) - j0, 0)
        high_j = min(int(np.floor((max(y, stop[p, 1]) + reach) / step)) - j0 + 1, TILE)
        low_i = max(int(np.ceil((min(x, stop[p, 0]) - reach) / step)) - i0, 0)
        high_i = min(int(np.floor((max(x, stop[p, 0]) + reach) / step)) - i0 + 1, TILE)
        for j in range(low_j, high_j):
            for i in range(low_i, high_i):
                dx, dy = (i + i0) * step - x, (j + j0) * step - y
                s = min(max(dx * way_x + dy * way_y, 0.0), length)
                gap = (dx - s * way_x) ** 2 + (dy - s * way_y) ** 2
                if gap < best[j, i]:
                    best[j, i], piece[j, i], along[j, i] = gap, p, s
    return piece, along
