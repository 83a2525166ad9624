"""Lines cut where they meet, so that one can turn from one into the other there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from livingcircle_layers.street_lines import TOUCH_M

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Geometries = npt.NDArray[Any]


@dataclass(frozen=True)
class Noded:
    """Lines after cutting.

    Attributes
    ----------
    piece
        LineStrings between nodes.
    source
        Position of the line that each piece was cut from.
    tail, head
        Positions of the nodes at both ends of each piece.
    node_xy
        Places of the nodes, sorted from west to east.
    crossings
        How many times two lines cross without a vertex of either there.
    """

    piece: Geometries
    source: Ints
    tail: Ints
    head: Ints
    node_xy: Floats
    crossings: int


def cut_where_lines_meet(lines: Geometries, raised: Bools, *, cross: bool = False) -> Noded:
    """Cut lines at each other's ends and vertices; a bridge is not joined to what passes below it.

    Two lines meet where an end or a vertex of one lies on the other, within 0.01 m. Where they merely cross, nothing
    says whether they meet, so that they are left alone.

    Parameters
    ----------
    lines
        LineStrings in a metric plane, no two vertices of a line in one place.
    raised
        Lines that are known to be bridges or tunnels: they meet others only at an end of either.
    cross
        Join lines that merely cross too, except those that are raised.
    """
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    crossings, segment, place = _plain_crossings(xy, owner, raised)
    if cross and len(segment):
        xy, owner, _ = _with_vertices(xy, owner, segment, place, np.full(len(segment), -1), np.full(len(xy), -1))
    end = _ends(owner)
    vertex, segment, at = _touches(xy, owner, end, raised)
    cluster = _one_place(len(xy), vertex[at >= 0], at[at >= 0])
    node_xy, node_of = _places(xy, cluster)
    meets = end.copy()
    meets[vertex] = True
    meets[at[at >= 0]] = True
    between = at < 0
    segment, node = segment[between], node_of[vertex[between]]
    once = np.unique(np.column_stack([segment, node]), axis=0)
    label = np.where(meets, node_of, -1)
    xy = np.where(meets[:, None], node_xy[node_of], xy)
    xy, owner, label = _with_vertices(xy, owner, once[:, 0], node_xy[once[:, 1]], once[:, 1], label)
    return _pieces(xy, owner, label, node_xy, crossings)


def _segments(xy: Floats, owner: Ints) -> tuple[Ints, Geometries]:
    """Return the first vertex of each straight segment, and the segments."""
    first = np.flatnonzero(owner[1:] == owner[:-1])
    return first, shapely.linestrings(np.stack([xy[first], xy[first + 1]], axis=1))


def _ends(owner: Ints) -> Bools:
    change = owner[1:] != owner[:-1]
    return np.concatenate([[True], change]) | np.concatenate([change, [True]])


def _plain_crossings(xy: Floats, owner: Ints, raised: Bools) -> tuple[int, Ints, Floats]:
    """Return the number of crossings away from all vertices, and for both lines of each the segment and the place."""
    first, segment = _segments(xy, owner)
    one, other = first[shapely.STRtree(segment).query(segment, predicate="crosses")]
    keep = (one < other) & ~raised[owner[one]] & ~raised[owner[other]]
    one, other = one[keep], other[keep]
    way, across = xy[one + 1] - xy[one], xy[other + 1] - xy[other]
    apart = xy[other] - xy[one]
    turn = way[:, 0] * across[:, 1] - way[:, 1] * across[:, 0]
    t = (apart[:, 0] * across[:, 1] - apart[:, 1] * across[:, 0]) / np.where(turn == 0, np.inf, turn)
    place = xy[one] + t[:, None] * way
    near = [np.hypot(*(xy[v] - place).T) <= TOUCH_M for v in (one, one + 1, other, other + 1)]
    plain = ~np.any(near, axis=0) & (turn != 0)
    one, other, place = one[plain], other[plain], place[plain]
    return len(one), np.concatenate([one, other]), np.concatenate([place, place])


def _touches(xy: Floats, owner: Ints, end: Bools, raised: Bools) -> tuple[Ints, Ints, Ints]:
    """Return each vertex that lies on a segment, the segment (its first vertex), and its vertex there, else -1."""
    first, segment = _segments(xy, owner)
    vertex, found = shapely.STRtree(segment).query(shapely.points(xy), predicate="dwithin", distance=TOUCH_M)
    start = first[found]
    away = (vertex != start) & (vertex != start + 1)
    vertex, start = vertex[away], start[away]
    to_start, to_stop = np.hypot(*(xy[vertex] - xy[start]).T), np.hypot(*(xy[vertex] - xy[start + 1]).T)
    at = np.where(np.minimum(to_start, to_stop) > TOUCH_M, -1, np.where(to_start <= to_stop, start, start + 1))
    on_ground = ~raised[owner[vertex]] & ~raised[owner[start]]
    meets = on_ground | end[vertex] | (end[at] & (at >= 0))
    return vertex[meets], start[meets], at[meets]


def _one_place(n: int, a: Ints, b: Ints) -> Ints:
    """Give vertices the number of their place; vertices that touch share one."""
    links = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(n, n))
    return connected_components(links, directed=False)[1].astype(np.int64)


def _places(xy: Floats, cluster: Ints) -> tuple[Floats, Ints]:
    """Return the places from west to east (of those that touch, the most western one), and each vertex's place."""
    order = np.lexsort((xy[:, 1], xy[:, 0]))
    label, first = np.unique(cluster[order], return_index=True)
    rank = np.empty(len(label), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(label))
    return xy[order][np.sort(first)], rank[cluster]


def _with_vertices(
    xy: Floats, owner: Ints, segment: Ints, place: Floats, label: Ints, labels: Ints
) -> tuple[Floats, Ints, Ints]:
    """Insert labelled vertices into segments, in order along each."""
    along = np.hypot(*(place - xy[segment]).T)
    key = np.concatenate([np.arange(len(xy)), segment])
    order = np.lexsort((np.concatenate([np.full(len(xy), -1.0), along]), key))
    return (
        np.concatenate([xy, place])[order],
        np.concatenate([owner, owner[segment]])[order],
        np.concatenate([labels, label])[order],
    )


def _pieces(xy: Floats, owner: Ints, label: Ints, node_xy: Floats, crossings: int) -> Noded:
    """Cut every line at its labelled vertices."""
    at = np.flatnonzero(label >= 0)
    start, stop = at[:-1], at[1:]
    same = owner[start] == owner[stop]
    start, stop = start[same], stop[same]
    count = stop - start + 1
    index = np.repeat(np.arange(len(start)), count)
    vertex = np.arange(len(index)) - np.repeat(np.cumsum(count) - count - start, count)
    piece = shapely.linestrings(xy[vertex], indices=index)
    tail, head = label[start], label[stop]
    real = (tail != head) | (shapely.length(piece) > 2 * TOUCH_M)
    return Noded(piece[real], owner[start][real], tail[real], head[real], node_xy, crossings)
