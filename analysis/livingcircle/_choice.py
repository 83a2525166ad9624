"""Compiled search for the nearest facilities of every home; positions and rows as in `_search`.

Facilities are numbered 0..f-1. The search runs from the doors of the facilities against the walk.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from livingcircle._compiled import inner, kept
from livingcircle._search import Arcs, Doors, Edges, Places, _along, _between, _to_end

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]


class Facilities(NamedTuple):
    """Doors sorted by facility: those of facility f are ``first[f]`` to ``first[f + 1]``."""

    first: Ints
    doors: Places


class Labels(NamedTuple):
    """The facilities that nodes keep, in chains: a node's begins with the farthest at ``last[node]``, -1 ends it."""

    last: Ints
    facility: Ints
    cost: Floats
    before: Ints


@kept
def nearest_labels(arcs: Arcs, edges: Edges, facilities: Facilities, k: int, limit: float) -> Labels:
    """Return the `k` nearest facilities of every node; memory grows with the answer.

    One search runs from all doors at once; a node keeps and passes on the first `k` facilities that arrive.
    """
    n = len(facilities.first) - 1
    last = np.full(len(arcs.first) - 1, -1, dtype=np.int64)
    held = np.zeros(len(last), dtype=np.int32)
    facility, cost, before = np.empty(1024, dtype=np.int64), np.empty(1024), np.empty(1024, dtype=np.int64)
    labels = 0
    key, entry = (
        np.empty(2 * len(facilities.doors.edge) + 1),
        np.empty(2 * len(facilities.doors.edge) + 1, dtype=np.int64),
    )
    size = _put_doors(edges, facilities, limit, key, entry)
    while size > 0:
        here = key[0]
        node, f = divmod(entry[0], n)
        size = _take_first(key, entry, size)
        if held[node] == k or _keeps(last[node], f, facility, before):
            continue
        if labels == len(cost):
            facility, cost, before = (
                np.append(facility, np.empty_like(facility)),
                np.append(cost, np.empty_like(cost)),
                np.append(before, np.empty_like(before)),
            )
        facility[labels], cost[labels], before[labels] = f, here, last[node]
        last[node] = labels
        held[node] += 1
        labels += 1
        for arc in range(arcs.first[node], arcs.first[node + 1]):
            there = here + arcs.cost[arc]
            if there <= limit and held[arcs.head[arc]] < k:
                if size == len(key):
                    key, entry = np.append(key, np.empty_like(key)), np.append(entry, np.empty_like(entry))
                size = _put(key, entry, size, there, arcs.head[arc] * n + f)
    return Labels(last, facility[:labels], cost[:labels], before[:labels])


@inner
def _put_doors(edges: Edges, facilities: Facilities, limit: float, key: Floats, entry: Ints) -> int:
    """Put both ends of every door's edge into the heap; return its size. An entry is node * facilities + facility."""
    size = 0
    n = len(facilities.first) - 1
    for f in range(n):
        for d in range(facilities.first[f], facilities.first[f + 1]):
            for end in range(2):
                node, there = _to_end(edges, facilities.doors, d, end)
                if there <= limit:
                    size = _put(key, entry, size, there, node * n + f)
    return size


@inner
def _keeps(label: int, f: int, facility: Ints, before: Ints) -> bool:
    """Tell whether a chain holds a facility."""
    while label >= 0:
        if facility[label] == f:
            return True
        label = before[label]
    return False


@inner
def _put(key: Floats, entry: Ints, size: int, cost: float, what: int) -> int:
    """Add to a heap whose ties go to the smaller entry, so that equally near facilities come in order."""
    i = size
    while i > 0:
        parent = (i - 1) >> 1
        if key[parent] < cost or (key[parent] == cost and entry[parent] <= what):
            break
        key[i], entry[i] = key[parent], entry[parent]
        i = parent
    key[i], entry[i] = cost, what
    return size + 1


@inner
def _take_first(key: Floats, entry: Ints, size: int) -> int:
    """Drop the first entry of the heap; return the new size."""
    size -= 1
    cost, what = key[size], entry[size]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        right = child + 1
        if right < size and (key[right] < key[child] or (key[right] == key[child] and entry[right] < entry[child])):
            child = right
        if cost < key[child] or (cost == key[child] and what <= entry[child]):
            break
        key[i], entry[i] = key[child], entry[child]
        i = child
    key[i], entry[i] = cost, what
    return size


@kept
def nearest_at_homes(
    edges: Edges, homes: Places, doors: Doors, labels: Labels, n: int, k: int, limit: float
) -> tuple[Ints, Ints, Floats]:
    """Return the `k` nearest of `n` facilities for every home: home, facility, cost, nearest first.

    `doors` are sorted by edge; their `id` is the facility.
    """
    cost = np.full(n, np.inf)
    met = np.empty(n, dtype=np.int64)
    out_home, out_facility, out_cost = np.empty(1024, dtype=np.int64), np.empty(1024, dtype=np.int64), np.empty(1024)
    rows = 0
    for h in range(len(homes.edge)):
        if homes.edge[h] < 0:
            continue
        found = _meet_all(edges, homes, h, doors, labels, cost, met)
        kept = _nearest_first(met, cost, found, k)
        while rows + kept > len(out_cost):
            out_home, out_facility, out_cost = (
                np.append(out_home, np.empty_like(out_home)),
                np.append(out_facility, np.empty_like(out_facility)),
                np.append(out_cost, np.empty_like(out_cost)),
            )
        for i in range(kept):
            rounded = np.rint(cost[met[i]] * 100.0) / 100.0
            if rounded <= limit:
                out_home[rows], out_facility[rows], out_cost[rows] = h, met[i], rounded
                rows += 1
        for i in range(found):
            cost[met[i]] = np.inf
    return out_home[:rows], out_facility[:rows], out_cost[:rows]


@inner
def _meet_all(edges: Edges, homes: Places, h: int, doors: Doors, labels: Labels, cost: Floats, met: Ints) -> int:
    """Note what a home meets at both ends of its edge and along it; return how many facilities that are."""
    e, share, leg = homes.edge[h], homes.share[h], homes.leg[h]
    found = 0
    for side in range(2):
        label = labels.last[edges.head[e]] if side == 0 else labels.last[edges.tail[e]]
        to_end = leg + (_along(edges.forward[e], 1.0 - share) if side == 0 else _along(edges.backward[e], share))
        while label >= 0:
            found = _meet(labels.facility[label], to_end + labels.cost[label], cost, met, found)
            label = labels.before[label]
    for d in range(doors.first[e], doors.first[e + 1]):
        direct = leg + doors.leg[d] + _between(edges, e, share, doors.share[d])
        found = _meet(doors.id[d], direct, cost, met, found)
    return found


@inner
def _meet(f: int, there: float, cost: Floats, met: Ints, found: int) -> int:
    """Note the cost of a facility if it is the least so far; return how many facilities were met."""
    if there < cost[f]:
        if cost[f] == np.inf:
            met[found] = f
            found += 1
        cost[f] = there
    return found


@inner
def _nearest_first(met: Ints, cost: Floats, found: int, k: int) -> int:
    """Bring the nearest `k` facilities to the front, in order; return how many there are."""
    if found > 32:
        some = np.sort(met[:found])
        met[:found] = some[np.argsort(cost[some], kind="mergesort")]
        return min(k, found)
    for i in range(1, found):
        f = met[i]
        j = i
        while j > 0 and (cost[f] < cost[met[j - 1]] or (cost[f] == cost[met[j - 1]] and f < met[j - 1])):
            met[j] = met[j - 1]
            j -= 1
        met[j] = f
    return min(k, found)
