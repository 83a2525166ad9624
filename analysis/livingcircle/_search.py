"""Compiled searches over the street graph.

All functions speak positions: nodes 0..n-1, edges 0..m-1. A graph is in compressed sparse row form:
the arcs out of node i are ``head[first[i]:first[i + 1]]`` at ``cost[first[i]:first[i + 1]]``.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
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


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
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


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def multi_source(
    first: Ints, head: Int32s, cost: Floats, seed: Ints, seed_cost: Floats, limit: float
) -> tuple[Floats, Int32s]:
    """Return every node's cost from the nearest seed, and which seed that is.

    A node beyond `limit` has an infinite cost and seed -1. Of seeds equally near any one may be named; the cost is
    the same.
    """
    n = len(first) - 1
    dist = np.full(n, np.inf)
    source = np.full(n, -1, dtype=np.int32)
    capacity = len(seed) + len(head) + 1
    heap_key = np.empty(capacity)
    heap_node = np.empty(capacity, dtype=np.int32)
    size = 0
    for s in range(len(seed)):
        node = seed[s]
        if seed_cost[s] <= limit and seed_cost[s] < dist[node]:
            dist[node] = seed_cost[s]
            source[node] = s
    for s in range(len(seed)):
        if source[seed[s]] == s:
            size = _push(heap_key, heap_node, size, dist[seed[s]], seed[s])
    while size > 0:
        key = heap_key[0]
        node = heap_node[0]
        size = _pop(heap_key, heap_node, size)
        if key > dist[node]:
            continue
        for arc in range(first[node], first[node + 1]):
            there = key + cost[arc]
            other = head[arc]
            if there <= limit and there < dist[other]:
                dist[other] = there
                source[other] = source[node]
                size = _push(heap_key, heap_node, size, there, other)
    return dist, source


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def at_edge_positions(
    tail: Ints,
    head: Ints,
    forward: Floats,
    backward: Floats,
    dist: Floats,
    source: Int32s,
    edge: Ints,
    share: Floats,
    leg: Floats,
    door_first: Ints,
    door_share: Floats,
    door_leg: Floats,
    door_id: Ints,
) -> tuple[Floats, Int32s]:
    """Return the cost from places along edges to the nearest door, and which door.

    A place at `share` of edge e (0 at its tail) walks to either end and on from there, or straight along the edge to a
    door on the same edge (doors of edge e: ``door_first[e]`` to ``door_first[e + 1]``). `forward` and `backward` are the
    costs of whole edges, infinite where the edge may not be walked that way. `edge` is -1 where a place is not joined.
    """
    n = len(edge)
    best = np.full(n, np.inf)
    which = np.full(n, -1, dtype=np.int32)
    for i in range(n):
        e = edge[i]
        if e < 0:
            continue
        to_head = _along(forward[e], 1.0 - share[i]) + dist[head[e]]
        to_tail = _along(backward[e], share[i]) + dist[tail[e]]
        if to_head < to_tail:
            best[i], which[i] = to_head, source[head[e]]
        elif to_tail < np.inf:
            best[i], which[i] = to_tail, source[tail[e]]
        for d in range(door_first[e], door_first[e + 1]):
            gap = door_share[d] - share[i]
            direct = door_leg[d] + (_along(forward[e], gap) if gap >= 0 else _along(backward[e], -gap))
            if direct < best[i]:
                best[i], which[i] = direct, door_id[d]
        best[i] += leg[i]
    return best, which


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _along(cost: float, share: float) -> float:
    """Return the cost of a share of an edge; standing still costs nothing even where walking is forbidden."""
    return 0.0 if share == 0.0 else cost * share


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def within_limit(
    first: Ints,
    head: Int32s,
    cost: Floats,
    edge_tail: Ints,
    edge_head: Ints,
    forward: Floats,
    backward: Floats,
    wait: Floats,
    edge: Ints,
    share: Floats,
    leg: Floats,
    door_first: Ints,
    door_share: Floats,
    door_leg: Floats,
    door_id: Ints,
    edges_first: Ints,
    edges_at: Int32s,
    limit: float,
) -> tuple[Ints, Ints, Floats]:
    """Return all pairs of place and door within `limit`: place, door, cost, sorted by place then door.

    `edges_at` lists the edges that carry doors for each of their end nodes (``edges_first[i]`` to
    ``edges_first[i + 1]``), so that the work per place follows what it reaches, not the number of doors.
    """
    n = len(first) - 1
    dist = np.full(n, np.inf)
    touched = np.empty(n, dtype=np.int32)
    heap_key = np.empty(len(head) + 3)
    heap_node = np.empty(len(head) + 3, dtype=np.int32)
    doors = len(door_id)
    door_cost = np.full(doors, np.inf)
    door_hit = np.empty(doors, dtype=np.int64)
    capacity = 1024
    out_place = np.empty(capacity, dtype=np.int64)
    out_door = np.empty(capacity, dtype=np.int64)
    out_cost = np.empty(capacity)
    count = 0
    for i in range(len(edge)):
        e = edge[i]
        if e < 0:
            continue
        size = 0
        reached = 0
        hits = 0
        for end in range(2):
            node = edge_head[e] if end == 0 else edge_tail[e]
            there = leg[i] + wait[node]
            there += _along(forward[e], 1.0 - share[i]) if end == 0 else _along(backward[e], share[i])
            if there <= limit and there < dist[node]:
                if dist[node] == np.inf:
                    touched[reached] = node
                    reached += 1
                dist[node] = there
                size = _push(heap_key, heap_node, size, there, node)
        while size > 0:
            key = heap_key[0]
            node = heap_node[0]
            size = _pop(heap_key, heap_node, size)
            if key > dist[node]:
                continue
            for arc in range(first[node], first[node + 1]):
                there = key + cost[arc]
                other = head[arc]
                if there <= limit and there < dist[other]:
                    if dist[other] == np.inf:
                        touched[reached] = other
                        reached += 1
                    dist[other] = there
                    size = _push(heap_key, heap_node, size, there, other)
        for t in range(reached):
            node = touched[t]
            for k in range(edges_first[node], edges_first[node + 1]):
                f = edges_at[k]
                from_tail = edge_tail[f] == node
                from_head = edge_head[f] == node
                for d in range(door_first[f], door_first[f + 1]):
                    there = np.inf
                    if from_tail:
                        there = dist[node] + _along(forward[f], door_share[d]) + door_leg[d]
                    if from_head:
                        there = min(there, dist[node] + _along(backward[f], 1.0 - door_share[d]) + door_leg[d])
                    if there <= limit and there < door_cost[d]:
                        if door_cost[d] == np.inf:
                            door_hit[hits] = d
                            hits += 1
                        door_cost[d] = there
        for d in range(door_first[e], door_first[e + 1]):
            gap = door_share[d] - share[i]
            there = leg[i] + door_leg[d] + (_along(forward[e], gap) if gap >= 0 else _along(backward[e], -gap))
            if there <= limit and there < door_cost[d]:
                if door_cost[d] == np.inf:
                    door_hit[hits] = d
                    hits += 1
                door_cost[d] = there
        if count + hits > capacity:
            capacity = max(2 * capacity, count + hits)
            out_place = _grown(out_place, capacity)
            out_door = _grown(out_door, capacity)
            out_cost = _grown(out_cost, capacity)
        order = np.argsort(door_id[door_hit[:hits]])
        for k in range(hits):
            d = door_hit[order[k]]
            out_place[count] = i
            out_door[count] = door_id[d]
            out_cost[count] = door_cost[d]
            door_cost[d] = np.inf
            count += 1
        for t in range(reached):
            dist[touched[t]] = np.inf
    return out_place[:count], out_door[:count], out_cost[:count]


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _grown(array: npt.NDArray[np.float64], capacity: int) -> npt.NDArray[np.float64]:
    larger = np.empty(capacity, dtype=array.dtype)
    larger[: len(array)] = array
    return larger
