"""Compiled searches over the street graph.

All functions speak positions: nodes 0..n-1, edges 0..m-1. A graph is in compressed sparse row form:
the arcs out of node i are ``head[first[i]:first[i + 1]]`` at ``cost[first[i]:first[i + 1]]``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from livingcircle._compiled import inner, kept

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]


ROUNDING = 0.005  # costs are rounded to 0.01 before they are compared with a limit
BUCKETS = 512  # of cost between nothing and the limit; exact for any number, fast from a few hundred


class Arcs(NamedTuple):
    """A graph in compressed sparse rows."""

    first: Ints
    head: Int32s
    cost: Floats


class Edges(NamedTuple):
    """Ends and costs of whole edges, infinite where an edge may not be walked that way; and the wait at each node."""

    tail: Ints
    head: Ints
    forward: Floats
    backward: Floats
    wait: Floats


class Places(NamedTuple):
    """Places along edges: the edge (-1: not joined), the share of it (0 at its tail), the cost of the leg."""

    edge: Ints
    share: Floats
    leg: Floats


class Doors(NamedTuple):
    """Doors sorted by edge: those of edge e are ``first[e]`` to ``first[e + 1]``; `id` is their own position."""

    first: Ints
    share: Floats
    leg: Floats
    id: Ints


class Bearers(NamedTuple):
    """The edges that carry doors, for each of their end nodes: ``edge[first[i]:first[i + 1]]``."""

    first: Ints
    edge: Int32s


class Work(NamedTuple):
    """Room for one search after the other: what it has reached, which waits in a heap, and the doors it meets.

    Between two searches every `dist` is infinite. ``met`` holds the number of the last search that met an edge; of the
    doors that a search meets ``hit`` holds the position and ``cost`` the walk.
    """

    dist: Floats
    touched: Int32s
    heap: Floats
    node: Int32s
    met: Int32s
    hit: Ints
    cost: Floats


@inner
def _push(heap_key: Floats, heap_node: Int32s, size: int, key: float, node: int) -> int:
    """Add an entry to a binary heap kept in two arrays; return the new size."""
    i = size
    while i > 0:
        parent = (i - 1) >> 1
        if heap_key[parent] <= key:
            break
        heap_key[i] = heap_key[parent]
        heap_node[i] = heap_node[parent]
        i = parent
    heap_key[i] = key
    heap_node[i] = node
    return size + 1


@inner
def _pop(heap_key: Floats, heap_node: Int32s, size: int) -> int:
    """Drop the smallest entry of the heap; return the new size."""
    size -= 1
    key = heap_key[size]
    node = heap_node[size]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and heap_key[child + 1] < heap_key[child]:
            child += 1
        if key <= heap_key[child]:
            break
        heap_key[i] = heap_key[child]
        heap_node[i] = heap_node[child]
        i = child
    heap_key[i] = key
    heap_node[i] = node
    return size


@kept
def multi_source(
    first: Ints, head: Int32s, cost: Floats, seed: Ints, seed_cost: Floats, limit: float
) -> tuple[Floats, Int32s]:
    """Return every node's cost from the nearest seed, and which seed that is.

    A node beyond `limit`, which is above 0, has an infinite cost and seed -1. Of seeds equally near the first one is
    named, so that the answer does not depend on what else is in the network.

    Nodes wait in buckets of equal width of cost, each a doubly linked list, instead of a heap: moving a node to a lower
    bucket is a few writes, however many wait. A node that gets cheaper within its own bucket is looked at again, so
    that the answer is exact for any width.
    """
    n = len(first) - 1
    dist = np.full(n, np.inf)
    source = np.full(n, -1, dtype=np.int32)
    front = np.full(BUCKETS + 1, -1, dtype=np.int32)
    after = np.empty(n, dtype=np.int32)
    before = np.empty(n, dtype=np.int32)
    bucket = np.full(n, -1, dtype=np.int32)
    scale = BUCKETS / limit
    for s in range(len(seed)):
        node = seed[s]
        if seed_cost[s] <= limit and seed_cost[s] < dist[node]:
            dist[node] = seed_cost[s]
            source[node] = s
            _move(front, after, before, bucket, node, int(seed_cost[s] * scale))
    for now in range(BUCKETS + 1):
        while front[now] >= 0:
            node = front[now]
            _take(front, after, before, bucket, node)
            here = dist[node]
            for arc in range(first[node], first[node + 1]):
                there = here + cost[arc]
                other = head[arc]
                nearer = there < dist[other] or (there == dist[other] and source[node] < source[other])
                if there <= limit and nearer:
                    dist[other] = there
                    source[other] = source[node]
                    _move(front, after, before, bucket, other, int(there * scale))
    return dist, source


@inner
def _take(front: Int32s, after: Int32s, before: Int32s, bucket: Int32s, node: int) -> None:
    """Take a node out of its bucket."""
    if before[node] >= 0:
        after[before[node]] = after[node]
    else:
        front[bucket[node]] = after[node]
    if after[node] >= 0:
        before[after[node]] = before[node]
    bucket[node] = -1


@inner
def _move(front: Int32s, after: Int32s, before: Int32s, bucket: Int32s, node: int, target: int) -> None:
    """Put a node at the front of a bucket, out of the one it waits in."""
    if bucket[node] == target:
        return
    if bucket[node] >= 0:
        _take(front, after, before, bucket, node)
    bucket[node] = target
    after[node] = front[target]
    before[node] = -1
    if front[target] >= 0:
        before[front[target]] = node
    front[target] = node


@kept
def at_edge_positions(
    edges: Edges, dist: Floats, source: Int32s, places: Places, doors: Doors
) -> tuple[Floats, Int32s]:
    """Return the cost from places along edges to the nearest door, and which door.

    A place walks to either end of its edge and on from there, or straight along the edge to a door on it. `dist` and
    `source` are each node's cost and door, from a search against the walk.
    """
    n = len(places.edge)
    best = np.full(n, np.inf)
    which = np.full(n, -1, dtype=np.int32)
    for i in range(n):
        e = places.edge[i]
        if e < 0:
            continue
        head, tail = edges.head[e], edges.tail[e]
        to_head = _along(edges.forward[e], 1.0 - places.share[i]) + dist[head]
        to_tail = _along(edges.backward[e], places.share[i]) + dist[tail]
        if to_head < to_tail or (to_head == to_tail and source[head] < source[tail]):
            best[i], which[i] = to_head, source[head]
        elif to_tail < np.inf:
            best[i], which[i] = to_tail, source[tail]
        for d in range(doors.first[e], doors.first[e + 1]):
            direct = doors.leg[d] + _between(edges, e, places.share[i], doors.share[d])
            if direct < best[i] or (direct == best[i] and doors.id[d] < which[i]):
                best[i], which[i] = direct, doors.id[d]
        best[i] += places.leg[i]
    return best, which


@inner
def _along(cost: float, share: float) -> float:
    """Return the cost of a share of an edge; standing still costs nothing even where walking is forbidden."""
    return 0.0 if share == 0.0 else cost * share


@inner
def _between(edges: Edges, e: int, start: float, stop: float) -> float:
    """Return the cost of walking along edge e from one share of it to another."""
    gap = stop - start
    return _along(edges.forward[e], gap) if gap >= 0 else _along(edges.backward[e], -gap)


@inner
def _work(arcs: Arcs, edges: Edges, places: Places, doors: Doors) -> Work:
    """Return the room that searches from some places need."""
    size = len(arcs.head) + 2 * len(places.edge) + 1
    return Work(
        np.full(len(arcs.first) - 1, np.inf),
        np.empty(len(arcs.first) - 1, dtype=np.int32),
        np.empty(size),
        np.empty(size, dtype=np.int32),
        np.full(len(edges.tail), -1, dtype=np.int32),
        np.empty(len(doors.id), dtype=np.int64),
        np.empty(len(doors.id)),
    )


@inner
def _spread(arcs: Arcs, limit: float, dist: Floats, touched: Int32s, reached: int, heap: Floats, node: Int32s) -> int:
    """Run a bounded search from the seeded nodes ``touched[:reached]``; return how many nodes it has touched."""
    size = 0
    for t in range(reached):
        size = _push(heap, node, size, dist[touched[t]], touched[t])
    while size > 0:
        key = heap[0]
        at = node[0]
        size = _pop(heap, node, size)
        if key > dist[at]:
            continue
        for arc in range(arcs.first[at], arcs.first[at + 1]):
            there = key + arcs.cost[arc]
            other = arcs.head[arc]
            if there <= limit and there < dist[other]:
                if dist[other] == np.inf:
                    touched[reached] = other
                    reached += 1
                dist[other] = there
                size = _push(heap, node, size, there, other)
    return reached


@inner
def _to_end(edges: Edges, places: Places, i: int, end: int) -> tuple[int, float]:
    """Return an end of a place's edge (0: head, 1: tail) and the cost of the walk there, wait included."""
    e = places.edge[i]
    if end == 0:
        node, along = edges.head[e], _along(edges.forward[e], 1.0 - places.share[i])
    else:
        node, along = edges.tail[e], _along(edges.backward[e], places.share[i])
    return node, places.leg[i] + edges.wait[node] + along


@inner
def _start(edges: Edges, places: Places, begin: int, stop: int, limit: float, work: Work) -> int:
    """Walk from the places `begin` to `stop` to the ends of their edges; return how many are within the limit."""
    reached = 0
    for i in range(begin, stop):
        for end in range(2 if places.edge[i] >= 0 else 0):
            node, there = _to_end(edges, places, i, end)
            if there <= limit and there < work.dist[node]:
                if work.dist[node] == np.inf:
                    work.touched[reached] = node
                    reached += 1
                work.dist[node] = there
    return reached


@inner
def _search_from(
    arcs: Arcs, edges: Edges, places: Places, begin: int, stop: int, doors: Doors, bearers: Bearers, limit: float,
    work: Work,
) -> int:  # fmt: skip
    """Search from the places `begin` to `stop` at once; return how many doors they reach, each met once (see `Work`).

    Doors are met edge by edge, as all those of an edge are reached by its ends or straight along it.
    """
    touched, met = work.touched, work.met
    hits = 0
    reached = _start(edges, places, begin, stop, limit, work)
    reached = _spread(arcs, limit, work.dist, touched, reached, work.heap, work.node)
    for i in range(begin, stop):
        e = places.edge[i]
        if e >= 0 and met[e] != begin:
            met[e] = begin
            hits = _meet(edges, e, places, begin, stop, doors, limit, work, hits)
    for t in range(reached):
        for k in range(bearers.first[touched[t]], bearers.first[touched[t] + 1]):
            e = bearers.edge[k]
            if met[e] != begin:
                met[e] = begin
                hits = _meet(edges, e, places, 0, 0, doors, limit, work, hits)
    for t in range(reached):
        work.dist[touched[t]] = np.inf
    return hits


@inner
def _meet(
    edges: Edges, e: int, places: Places, begin: int, stop: int, doors: Doors, limit: float, work: Work, hits: int
) -> int:
    """Meet the doors on an edge, by its ends or from the places `begin` to `stop` on it; return how many are met."""
    forward, backward = edges.forward[e], edges.backward[e]
    at_tail, at_head = work.dist[edges.tail[e]], work.dist[edges.head[e]]
    for d in range(doors.first[e], doors.first[e + 1]):
        share = doors.share[d]
        there = min(at_tail + _along(forward, share), at_head + _along(backward, 1.0 - share))
        for i in range(begin, stop):
            if places.edge[i] == e:
                there = min(there, places.leg[i] + _between(edges, e, places.share[i], share))
        there += doors.leg[d]
        if there <= limit:
            work.hit[hits], work.cost[hits] = d, there
            hits += 1
    return hits


@kept
def within_limit(
    arcs: Arcs, edges: Edges, places: Places, doors: Doors, bearers: Bearers, limit: float
) -> tuple[Ints, Ints, Floats]:
    """Return all pairs of place and door within `limit`: place, door, cost, sorted by place then door.

    The work per place follows what it reaches, not the number of doors.
    """
    work = _work(arcs, edges, places, doors)
    out_place = np.empty(1024, dtype=np.int64)
    out_door = np.empty(1024, dtype=np.int64)
    out_cost = np.empty(1024)
    count = 0
    for i in range(len(places.edge)):
        hits = _search_from(arcs, edges, places, i, i + 1, doors, bearers, limit, work)
        if count + hits > len(out_place):
            capacity = max(2 * len(out_place), count + hits)
            out_place = np.append(out_place, np.empty(capacity - len(out_place), dtype=np.int64))
            out_door = np.append(out_door, np.empty(capacity - len(out_door), dtype=np.int64))
            out_cost = np.append(out_cost, np.empty(capacity - len(out_cost)))
        for k in np.argsort(doors.id[work.hit[:hits]]):
            out_place[count], out_door[count], out_cost[count] = i, doors.id[work.hit[k]], work.cost[k]
            count += 1
    return out_place[:count], out_door[:count], out_cost[:count]


@kept
def sums_within(
    arcs: Arcs,
    edges: Edges,
    places: Places,
    first: Ints,
    doors: Doors,
    bearers: Bearers,
    limits: Floats,
    weights: Int32s,
) -> Ints:
    """Return for every group of places the sums over doors within each limit of their weights (groups × limits).

    Parameters
    ----------
    places, first
        Group g begins at the places ``first[g]`` to ``first[g + 1]``; a door counts once, by the nearest of them.
    limits
        One for each column of the weights; costs are rounded to 0.01 before they are compared.
    weights
        Per door, in the order of `doors`, and column.
    """
    work = _work(arcs, edges, places, doors)
    farthest = limits.max() + ROUNDING
    out = np.zeros((len(first) - 1, len(limits)), dtype=np.int64)
    for g in range(len(first) - 1):
        for k in range(_search_from(arcs, edges, places, first[g], first[g + 1], doors, bearers, farthest, work)):
            cost = np.rint(work.cost[k] * 100.0) / 100.0
            for c in range(len(limits)):
                if cost <= limits[c]:
                    out[g, c] += weights[work.hit[k], c]
    return out


@kept
def counts_within(
    arcs: Arcs, edges: Edges, places: Places, first: Ints, doors: Doors, bearers: Bearers, limit: float
) -> Ints:
    """Return for every door, in the order of `doors`, how many groups of places are within a limit.

    Groups are as in `sums_within`; nothing is kept but the counts.
    """
    work = _work(arcs, edges, places, doors)
    counts = np.zeros(len(doors.id), dtype=np.int64)
    for g in range(len(first) - 1):
        hits = _search_from(arcs, edges, places, first[g], first[g + 1], doors, bearers, limit + ROUNDING, work)
        for k in range(hits):
            counts[work.hit[k]] += np.rint(work.cost[k] * 100.0) / 100.0 <= limit
    return counts
