"""Streets with other edges: cut at positions, without some, or with new paths; a new value each time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from livingcircle_layers.streets import Streets

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def split_edges(streets: Streets, edge: Ints, share: Floats) -> tuple[Streets, Ints]:
    """Cut edges at shares of them; return the new streets and the node at each cut.

    A cut at the end of an edge is that end. Lengths along the streets stay as they are; new nodes get ids below all
    others.
    """
    n, m = len(streets.node_id), len(streets.tail)
    inner = (share > 0) & (share < 1)
    cuts, which = np.unique(np.column_stack([edge[inner], share[inner]]), axis=0, return_inverse=True)
    node = np.where(share <= 0, streets.tail[edge], streets.head[edge])
    node[inner] = n + which.ravel()
    cut_edge, cut_share = cuts[:, 0].astype(np.int64), cuts[:, 1]
    owner = np.concatenate([np.arange(m), cut_edge])
    start = np.concatenate([np.zeros(m), cut_share])
    first = np.concatenate([streets.tail, n + np.arange(len(cuts))])
    order = np.lexsort((start, owner))
    owner, start, first = owner[order], start[order], first[order]
    last_piece = np.append(owner[1:] != owner[:-1], True)
    stop = np.where(last_piece, 1.0, np.append(start[1:], 1.0))
    head = np.where(last_piece, streets.head[owner], np.append(first[1:], 0))
    coords, offsets, at_stop = _cut_lines(streets, owner, start, stop)
    new_xy = np.zeros((len(cuts), 2))
    new_xy[head[~last_piece] - n] = at_stop[~last_piece]
    height = None if streets.height_m is None else _height_at(streets, streets.height_m, cut_edge, cut_share)
    return replace(
        _with_nodes(streets, new_xy, height),
        tail=first,
        head=head,
        coords=coords,
        offsets=offsets,
        length_m=streets.length_m[owner] * (stop - start),
        oneway=streets.oneway[owner],
        highway=streets.highway[owner],
        way_id=streets.way_id[owner],
        raised=streets.raised[owner],
    ), node


def _height_at(streets: Streets, height: Floats, edge: Ints, share: Floats) -> Floats:
    return (1 - share) * height[streets.tail[edge]] + share * height[streets.head[edge]]


def _cut_lines(
    streets: Streets, edge: npt.NDArray[np.int64], start: Floats, stop: Floats
) -> tuple[Floats, npt.NDArray[np.int64], Floats]:
    """Return the vertices of every piece: its start, the vertices between, its stop; and the stops."""
    before, owner = _vertex_shares(streets)
    # Which piece each inner vertex falls into; the first and last vertex of an edge are ends of pieces.
    inner = np.ones(len(owner), dtype=bool)
    inner[streets.offsets[:-1]] = False
    inner[streets.offsets[1:] - 1] = False
    own = owner[inner]
    piece = np.searchsorted(edge + start, own + before[inner], side="right") - 1
    piece = np.minimum(piece, np.searchsorted(edge, own, side="right") - 1)  # a vertex on the end of its edge
    a, b = _point_at(streets, before, edge, start), _point_at(streets, before, edge, stop)
    key = np.concatenate([np.arange(len(edge)), piece, np.arange(len(edge))])
    share = np.concatenate([np.full(len(edge), -1.0), before[inner], np.full(len(edge), 2.0)])
    xy = np.concatenate([a, streets.coords[inner], b])
    order = np.lexsort((np.arange(len(key)), share, key))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=len(edge)))])
    return xy[order], offsets, b


def _vertex_shares(streets: Streets) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return each vertex's place along its edge (0 to 1) and the edge."""
    owner = np.repeat(np.arange(len(streets.tail)), np.diff(streets.offsets))
    step = np.concatenate([[0.0], np.hypot(*np.diff(streets.coords, axis=0).T)])
    step[streets.offsets[:-1]] = 0.0
    total = np.cumsum(step)
    along = total - total[streets.offsets[:-1]][owner]
    length = along[streets.offsets[1:] - 1][owner]
    return np.divide(along, length, out=np.zeros(len(along)), where=length > 0), owner


def _point_at(streets: Streets, before: Floats, edge: npt.NDArray[np.int64], share: Floats) -> Floats:
    """Return the points at shares of edges."""
    owner = np.repeat(np.arange(len(streets.tail)), np.diff(streets.offsets))
    position = np.searchsorted(owner + before, edge + share, side="right") - 1
    low = np.clip(position, streets.offsets[edge], streets.offsets[edge + 1] - 2)
    span = before[low + 1] - before[low]
    t = np.divide(share - before[low], span, out=np.zeros(len(edge)), where=span > 0)
    a, b = streets.coords[low], streets.coords[low + 1]
    return a + np.clip(t, 0.0, 1.0)[:, None] * (b - a)


def without_edges(streets: Streets, shut: npt.NDArray[np.bool_]) -> Streets:
    """Return the streets without some edges; nodes stay as they are."""
    if not shut.any():
        return streets
    keep = ~shut
    count = np.diff(streets.offsets)
    return replace(
        streets,
        tail=streets.tail[keep],
        head=streets.head[keep],
        coords=streets.coords[np.repeat(keep, count)],
        offsets=np.concatenate([[0], np.cumsum(count[keep])]),
        length_m=streets.length_m[keep],
        oneway=streets.oneway[keep],
        highway=streets.highway[keep],
        way_id=streets.way_id[keep],
        raised=streets.raised[keep],
    )


def with_paths(
    streets: Streets, tail: Ints, head: Ints, new_xy: Floats, *, highway: str, way_out: Bools | None = None
) -> Streets:
    """Return the streets with straight paths between nodes.

    Parameters
    ----------
    tail, head
        Node positions at the ends of each path; positions from the number of nodes on mean rows of `new_xy`.
    new_xy
        Places of new nodes (metres); their ids are below all others.
    highway
        The class of the paths.
    way_out
        Paths that may only be walked from tail to head, and that nobody joins between their ends.
    """
    only_out = np.zeros(len(tail), dtype=bool) if way_out is None else way_out
    k, n = len(tail), len(new_xy)
    xy = np.concatenate([streets.node_xy, new_xy])
    height = streets.height_m
    return replace(
        _with_nodes(streets, new_xy, None if height is None else np.full(n, np.nan)),
        tail=np.concatenate([streets.tail, tail]),
        head=np.concatenate([streets.head, head]),
        coords=np.concatenate([streets.coords, np.stack([xy[tail], xy[head]], axis=1).reshape(-1, 2)]),
        offsets=np.concatenate([streets.offsets, streets.offsets[-1] + 2 * np.arange(1, k + 1)]),
        length_m=np.concatenate([streets.length_m, np.hypot(*(xy[head] - xy[tail]).T)]),
        oneway=np.concatenate([streets.oneway, only_out]),
        highway=np.concatenate([streets.highway, np.full(k, highway, dtype=object)]),
        way_id=np.concatenate([streets.way_id, np.zeros(k, dtype=np.int64)]),
        raised=np.concatenate([streets.raised, only_out]),
    )


def _with_nodes(streets: Streets, xy: Floats, height: Floats | None) -> Streets:
    n = len(xy)
    lowest = min(0, int(streets.node_id.min(initial=0)))
    no = np.zeros(n, dtype=bool)
    return replace(
        streets,
        node_id=np.concatenate([streets.node_id, lowest - 1 - np.arange(n)]),
        node_xy=np.concatenate([streets.node_xy, xy]),
        signals=np.concatenate([streets.signals, no]),
        exits=np.concatenate([streets.exits, no]),
        height_m=None if streets.height_m is None or height is None else np.concatenate([streets.height_m, height]),
    )
