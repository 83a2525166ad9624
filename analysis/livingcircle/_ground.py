"""Compiled work on the ground between the streets: a square grid of nodes that carry the cost of walking there.

Node (i, j) of the grid lies at ``(i * step, j * step)`` in the plane of the streets, whatever their bounds, so that a
new street elsewhere moves nothing. Windows of the grid are arrays ``[row, column]`` that begin at node (i0, j0).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from livingcircle._compiled import inner, kept
from livingcircle._outlines import Crossings, crossings
from livingcircle._search import Arcs, _spread
from livingcircle._survey import TILE

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

_Setting = tuple[float, float, float, float, int, int]  # cost per metre, limit, band, step, first column and row


class Flow(NamedTuple):
    """A finished search as it spreads along the edges.

    Attributes
    ----------
    tail, head, offsets, coords
        The edges, as in `Streets`.
    up, down
        Cost of each whole edge from tail to head and back, in the direction of the search.
    dist
        Cost at each node, infinite where it was not reached.
    start_edge, start_share, start_cost
        The origins, sorted by edge: the edge, the share of it and their leg's cost.
    per_metre
        Cost of a metre off the street.
    limit
        Nothing beyond this cost is of interest.
    mark
        False for every edge; whoever sets a mark takes it back.
    """

    tail: Ints
    head: Ints
    offsets: Ints
    coords: Floats
    up: Floats
    down: Floats
    dist: Floats
    start_edge: Ints
    start_share: Floats
    start_cost: Floats
    per_metre: float
    limit: float
    mark: Bools


class Incidence(NamedTuple):
    """The edges at each node: those of node i are ``edge[first[i]:first[i + 1]]``."""

    first: Ints
    edge: Int32s


class Strip(NamedTuple):
    """Rows of a window of the grid that are drawn, with others beside them that only carry walks there.

    ``i, j, columns, rows``: first column and row of the grid, and how many; ``first, last``: the rows among them that
    are drawn; ``row``: how many rows of the window come before; ``number``: the crossings found in those.
    """

    i: int
    j: int
    columns: int
    rows: int
    first: int
    last: int
    row: int
    number: int


class Tiles(NamedTuple):
    """What was surveyed of the ground: the nearest street position of every node, tile by tile.

    ``slot[row, column]`` says where a tile is kept (-1: not surveyed), the first one being tile (i, j). ``edge`` and
    ``share`` are ``[slot, layer, row, column]``: the nearest street position (-1: none, or the straight way there is
    blocked), and that of a bridge or tunnel if one is nearer still.
    """

    slot: Int32s
    i: int
    j: int
    edge: Int32s
    share: Singles


@kept
def searched(
    first: Ints, head: Int32s, cost: Floats, seed: Ints, seed_cost: Floats, limit: float, dist: Floats
) -> Int32s:
    """Write each node's cost from the nearest seed into `dist`, all infinite before; return the nodes reached.

    Unlike `livingcircle._search.multi_source` it looks only at what it reaches, which for a circle is little.
    """
    touched = np.empty(len(first) - 1, dtype=np.int32)
    reached = 0
    for s in range(len(seed)):
        if seed_cost[s] <= limit and seed_cost[s] < dist[seed[s]]:
            if dist[seed[s]] == np.inf:
                touched[reached] = seed[s]
                reached += 1
            dist[seed[s]] = seed_cost[s]
    room = len(head) + len(seed) + 1
    heap, node = np.empty(room), np.empty(room, dtype=np.int32)
    reached = _spread(Arcs(first, head, cost), limit, dist, touched, reached, heap, node)
    return touched[:reached].copy()


@kept
def feet(offsets: Ints, coords: Floats, edge: Ints, share: Floats) -> Floats:
    """Return the places at a share of the length of edges (n × 2)."""
    out = np.empty((len(edge), 2))
    for n in range(len(edge)):
        v, last = offsets[edge[n]], offsets[edge[n] + 1] - 1
        left, gap = share[n] * _length(coords, v, last), _length(coords, v, v + 1)
        while left > gap and v + 2 <= last:
            left, v = left - gap, v + 1
            gap = _length(coords, v, v + 1)
        part = min(left / gap, 1.0) if gap > 0 else 0.0
        for axis in range(2):
            out[n, axis] = coords[v, axis] + part * (coords[v + 1, axis] - coords[v, axis])
    return out


@kept
def reached_edges(flow: Flow, touched: Int32s, at: Incidence) -> tuple[Ints, Floats]:
    """Return all edges that are at least partly reached, and the west, south, east and north of each."""
    offsets, coords = flow.offsets, flow.coords
    seen = flow.mark
    edges, n = np.empty(len(flow.tail), dtype=np.int64), 0
    for node in touched:
        for k in range(at.first[node], at.first[node + 1]):
            if not seen[at.edge[k]]:
                seen[at.edge[k]] = True
                edges[n] = at.edge[k]
                n += 1
    for e in flow.start_edge:
        if not seen[e]:
            seen[e] = True
            edges[n] = e
            n += 1
    boxes = np.empty((n, 4))
    for k in range(n):
        west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
        for v in range(offsets[edges[k]], offsets[edges[k] + 1]):
            west, east = min(west, coords[v, 0]), max(east, coords[v, 0])
            south, north = min(south, coords[v, 1]), max(north, coords[v, 1])
        boxes[k, 0], boxes[k, 1], boxes[k, 2], boxes[k, 3] = west, south, east, north
        seen[edges[k]] = False
    return edges[:n].copy(), boxes


@kept
def crossed(  # noqa: PLR0913, PLR0917  compiled code takes values one by one
    flow: Flow, edges: Ints, legs: Floats, tiles: Tiles, strip: Strip, limits: Floats, below: Int32s, border: Floats,
    band: float, step: float,
) -> Crossings:  # fmt: skip
    """Return where the outlines of the ground within each limit cross the lines of the grid, in a strip of a window.

    `edges` are those that are reached; for `below` see `livingcircle._outlines.crossings`, a row of it for each limit.
    `border` holds the costs of the row that two strips share. The next strip takes them over: ground is crossed in one
    sweep north and one south, which begin elsewhere in each strip, so that a node may lie within the limit in one of
    them alone, and the outline around it would never close.
    """
    i0, j0, columns, height = strip.i, strip.j, strip.columns, strip.rows
    near = np.full((height, columns), np.inf)
    along_streets(flow, edges, legs, band, step, i0, j0, near)
    open_k, floor = open_ground(flow, tiles, i0, j0, columns, height)
    beside = near.ravel()
    straight = flow.per_metre * step
    x, y, kind, which = np.empty(0), np.empty(0), np.empty(0, np.uint8), np.empty(0, np.uint8)
    source, target = np.empty(0, np.int32), np.empty(0, np.int32)
    for n in range(len(limits)):
        z = across_ground(beside, open_k, floor, straight, limits[n], columns)
        part = z[strip.first * columns : (strip.last + 1) * columns]
        last = len(part) - columns
        for column in range(columns):
            if strip.row > 0:
                part[column] = border[n, column]
            border[n, column] = part[last + column]
        more = crossings(part, columns, strip.row, limits[n], straight, strip.number + len(x), below[n], n)
        x, y, kind = np.concatenate((x, more.x)), np.concatenate((y, more.y)), np.concatenate((kind, more.kind))
        which = np.concatenate((which, more.limit))
        source, target = np.concatenate((source, more.source)), np.concatenate((target, more.target))
    return Crossings(x, y, kind, which, source, target)


@kept
def costs(
    flow: Flow, edges: Ints, legs: Floats, tiles: Tiles, window: tuple[int, int, int, int], band: float, step: float
) -> Floats:
    """Return what it costs to walk to each node of a window within the limit of the search, ``[row, column]``."""
    i0, j0, columns, rows = window
    near = np.full((rows, columns), np.inf)
    along_streets(flow, edges, legs, band, step, i0, j0, near)
    open_k, floor = open_ground(flow, tiles, i0, j0, columns, rows)
    z = across_ground(near.ravel(), open_k, floor, flow.per_metre * step, flow.limit, columns)
    return z.reshape((rows, columns))


@inner
def along_streets(flow: Flow, edges: Ints, legs: Floats, band: float, step: float, i0: int, j0: int, z: Floats) -> None:
    """Lower `z` to the cheapest walk from any reached street position within `band` metres of each node.

    `edges` are those that are reached. `legs` are the straight ways of the origins to their streets (x, y of both ends,
    cost at the beginning); they count as streets.
    """
    ground = flow.per_metre, flow.limit, band, step, i0, j0
    for s in range(len(legs)):
        _piece(legs[s, 0], legs[s, 1], legs[s, 2], legs[s, 3], legs[s, 4], flow.per_metre, ground, z)
    tail, head, dist, offsets, coords = flow.tail, flow.head, flow.dist, flow.offsets, flow.coords
    up, down = flow.up, flow.down
    for e in edges:
        v, w = offsets[e], offsets[e + 1] - 1
        length = _length(coords, v, w)
        a, b = dist[tail[e]], dist[head[e]]
        slope_up, slope_down = flow.per_metre, flow.per_metre
        if length > 0:
            slope_up, slope_down = up[e] / length, down[e] / length
        # Where the walks from both ends meet, each has covered its own part.
        from_tail, from_head = length, length
        if a + slope_up + b + slope_down < np.inf and slope_up + slope_down > 0:
            from_tail = min(max((b - a + slope_down * length) / (slope_up + slope_down), 0.0), length)
            from_head = length - from_tail
        _run(coords, v, w, 0.0, a, slope_up, from_tail, ground, z)
        _run(coords, w, v, 0.0, b, slope_down, from_head, ground, z)
    for s in range(len(flow.start_edge)):
        e = flow.start_edge[s]
        v, w = offsets[e], offsets[e + 1] - 1
        length = _length(coords, v, w)
        at, cost = flow.start_share[s] * length, flow.start_cost[s]
        slope_up, slope_down = flow.per_metre, flow.per_metre
        if length > 0:
            slope_up, slope_down = up[e] / length, down[e] / length
        _run(coords, v, w, at, cost, slope_up, length, ground, z)
        _run(coords, w, v, length - at, cost, slope_down, length, ground, z)


@inner
def _length(coords: Floats, first: int, last: int) -> float:
    length = 0.0
    for v in range(first, last):
        length += np.sqrt((coords[v + 1, 0] - coords[v, 0]) ** 2 + (coords[v + 1, 1] - coords[v, 1]) ** 2)
    return length


@inner
def _run(
    coords: Floats, first: int, last: int, begin: float, cost: float, slope: float, until: float, ground: _Setting,
    z: Floats,
) -> None:  # fmt: skip
    """Walk a line on from `begin` metres, where it costs `cost`, to `until`, and mark the ground beside it.

    The line runs from vertex `first` to vertex `last`, forward or back.
    """
    if slope + cost == np.inf:
        return
    limit, at, away = ground[1], 0.0, 1 if last > first else -1
    for v in range(first, last, away):
        if at > until or not cost + slope * (at - begin) <= limit:
            return
        x, y, way_x, way_y = coords[v, 0], coords[v, 1], coords[v + away, 0], coords[v + away, 1]
        way_x, way_y = way_x - x, way_y - y
        gap = np.sqrt(way_x**2 + way_y**2)
        if at + gap >= begin:
            low, high = 0.0, 1.0
            if gap > 0:
                low, high = max(begin - at, 0.0) / gap, min((until - at) / gap, 1.0)
            here = cost + slope * (max(at, begin) - begin)
            _piece(x + way_x * low, y + way_y * low, x + way_x * high, y + way_y * high, here, slope, ground, z)
        at += gap


@inner
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
            if z[j, i] <= cost:
                continue
            dx, dy = (i + i0) * step - x, (j + j0) * step - y
            along, across = dx * way_x + dy * way_y, dy * way_x - dx * way_y
            half = band * band - across * across
            if half < 0:
                continue
            half = np.sqrt(half)
            if along + half < 0 or along - half > length:
                continue
            if along > half:  # the first position within the band is a band's width away
                here = cost + slope * (along - half) + per_metre * band
            else:
                here = cost + per_metre * np.sqrt(dx * dx + dy * dy)
            z[j, i] = min(z[j, i], here)


@inner
def open_ground(flow: Flow, tiles: Tiles, i0: int, j0: int, columns: int, rows: int) -> tuple[Int32s, Floats]:
    """Return the nodes of a window that can be walked to across the ground: position in it, and their street's cost.

    Both the nearest street position and that of a nearer bridge or tunnel must be reached.
    """
    at, floor = np.empty(rows * columns, np.int32), np.empty(rows * columns)
    n = 0
    slot, edge, share, limit = tiles.slot, tiles.edge, tiles.share, flow.limit
    tail, head, dist, up, down = flow.tail, flow.head, flow.dist, flow.up, flow.down
    has_start = flow.mark
    has_start[flow.start_edge] = True
    for j in range(1, rows - 1):
        r, tj = (j + j0) // TILE - tiles.j, (j + j0) % TILE
        for c in range(i0 // TILE - tiles.i, (i0 + columns) // TILE - tiles.i + 1):
            if r < 0 or r >= slot.shape[0] or c < 0 or c >= slot.shape[1]:
                continue
            tile, west = slot[r, c], (c + tiles.i) * TILE - i0
            for i in range(max(west, 1), min(west + TILE, columns - 1)):
                worst = -1.0
                for layer in range(2):
                    e = edge[tile, layer, tj, i - west]
                    if e < 0:
                        break
                    if not has_start[e] and dist[tail[e]] == np.inf and dist[head[e]] == np.inf:
                        worst = np.inf
                        break
                    on = share[tile, layer, tj, i - west]
                    # At the very end of an edge nothing of it is walked, even where it may not be.
                    ahead = dist[tail[e]] + (up[e] * on if on > 0 else 0.0)
                    back = dist[head[e]] + (down[e] * (1.0 - on) if on < 1 else 0.0)
                    cost = min(ahead, back)
                    if has_start[e]:
                        cost = min(cost, _from_starts(flow, e, on))
                    worst = max(worst, cost)
                if 0.0 <= worst <= limit:
                    at[n], floor[n] = j * columns + i, worst
                    n += 1
    has_start[flow.start_edge] = False
    return at[:n], floor[:n]


@inner
def across_ground(near: Floats, open_k: Int32s, floor: Floats, straight: float, limit: float, columns: int) -> Floats:
    """Return what it costs to walk on over open ground, from node to node.

    `near` is the cost beside the streets, `straight` that of one step. Only ground whose nearest street is reached
    within the limit (`floor`) is walked across; ground along other streets is not reached either, and costs at least
    what its street does.
    """
    z = near.copy()
    diagonal = straight * np.sqrt(2.0)
    walked, n = np.empty(len(open_k), np.int32), 0
    for m in range(len(open_k)):
        if floor[m] <= limit:
            walked[n] = open_k[m]
            n += 1
    for turn in range(2):  # a sweep from each side, once
        row, away = (-columns, -1) if turn == 0 else (columns, 1)
        for m in range(n):
            k = walked[m] if turn == 0 else walked[n - 1 - m]
            beside, ahead = z[k + away], z[k + row]
            # Cutting a corner needs ground on one side of it, so that no speck hangs by its corner alone.
            same = max(z[k + row + away] + diagonal, min(beside, ahead))
            other = max(z[k + row - away] + diagonal, min(z[k - away], ahead))
            z[k] = min(z[k], min(beside, ahead) + straight, same, other)
    for m in range(len(open_k)):
        if limit < floor[m] <= limit + straight:
            k = open_k[m]
            there = min(z[k - 1], z[k - columns], z[k + 1], z[k + columns]) + straight
            z[k] = min(z[k], max(there, floor[m]))
    return z


@inner
def _from_starts(flow: Flow, e: int, share: float) -> float:
    """Return the cost at a position of an edge from the origins on it."""
    best = np.inf
    for s in range(np.searchsorted(flow.start_edge, e), len(flow.start_edge)):
        if flow.start_edge[s] != e:
            break
        gap = share - flow.start_share[s]
        whole = flow.up[e] if gap > 0 else flow.down[e]
        best = min(best, flow.start_cost[s] + (whole * abs(gap) if gap != 0 else 0.0))
    return best
