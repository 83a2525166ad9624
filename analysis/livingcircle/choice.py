"""What a home can choose from: its nearest facilities, and how many there are within reach."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from livingcircle import _choice, _search
from livingcircle._search import ROUNDING, Bearers, Doors, Places
from livingcircle.joins import Joins
from livingcircle.network import Walk

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_CHUNK = 2000  # homes per round where searches run from the homes


def nearest_k(
    walk: Walk, homes: Joins, doors: Joins, owner: Ints, *, k: int, limit: float
) -> tuple[Ints, Ints, Floats]:
    """Return for every home its nearest facilities.

    One search runs from all doors at once, so that the work does not grow with homes × doors.

    Parameters
    ----------
    walk
        The network as one kind of people walk it.
    homes, doors
        Places joined to this network.
    owner
        The facility of each door; of several doors the nearest counts.
    k
        How many facilities to return at most.
    limit
        The longest walk, inclusive, in the unit of `walk`.

    Returns
    -------
    home, facility, cost
        One row per home and facility, sorted by home, nearest first (of equally near ones the smaller number first);
        `cost` is rounded to 0.01. Homes that reach fewer than `k` facilities have fewer rows.
    """
    _check(doors, owner)
    if k < 1:
        raise ValueError(f"k must be 1 or more, got {k}")
    k, limit = int(k), float(limit)
    names, facilities = _facilities(walk, doors, owner)
    if not len(names):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    labels = _choice.nearest_labels(walk.arcs_against, walk.turned, facilities, min(k, len(names)), limit + ROUNDING)
    number = np.repeat(np.arange(len(names)), np.diff(facilities.first))
    home, facility, cost = _choice.nearest_at_homes(
        walk.edges, _places(walk, homes), _by_edge(walk, facilities.doors, number), labels, len(names), k, limit
    )
    return home, names[facility], cost


def count_within(walk: Walk, homes: Joins, doors: Joins, owner: Ints, *, limit: float) -> Ints:
    """Return how many facilities every home can walk to within a limit.

    Parameters
    ----------
    walk
        The network as one kind of people walk it.
    homes, doors
        Places joined to this network; a home that is not joined reaches none.
    owner
        The facility of each door; a facility counts once, however many of its doors are within the limit.
    limit
        The longest walk, inclusive, in the unit of `walk`.
    """
    _check(doors, owner)
    limit = float(limit)
    names, facilities = _facilities(walk, doors, owner)
    joined = np.flatnonzero(homes.joined)
    # A search costs the same from either side, so it runs from the side that has fewer places.
    if len(joined) < len(names):
        return _count_from_homes(walk, homes, doors, owner, limit)
    by_edge = _by_edge(walk, _places(walk, homes.take(joined)), joined)
    counts = np.zeros(len(homes.edge), dtype=np.int64)
    counts[by_edge.id] = _search.counts_within(
        walk.arcs_against, walk.turned, facilities.doors, facilities.first, by_edge, _bearers(walk, by_edge), limit
    )
    return counts


def _count_from_homes(walk: Walk, homes: Joins, doors: Joins, owner: Ints, limit: float) -> Ints:
    count = np.zeros(len(homes.edge), dtype=np.int64)
    joined = np.flatnonzero(homes.joined)
    for at in range(0, len(joined), _CHUNK):
        some = joined[at : at + _CHUNK]
        home, door, _ = walk.pairs(homes.take(some), doors, limit=limit)
        met = np.unique(np.column_stack([home, owner[door]]), axis=0)
        count[some] = np.bincount(met[:, 0], minlength=len(some))
    return count


def _check(doors: Joins, owner: Ints) -> None:
    if len(owner) != len(doors.edge):
        raise ValueError(f"owner must name the facility of each of the {len(doors.edge)} doors, got {len(owner)}")


def _facilities(walk: Walk, doors: Joins, owner: Ints) -> tuple[Ints, _choice.Facilities]:
    """Return the facilities that have a joined door, and their doors."""
    door = np.flatnonzero(doors.joined)
    names, number = np.unique(np.asarray(owner)[door], return_inverse=True)
    by_facility = door[np.argsort(number, kind="stable")]
    return names, _choice.Facilities(_first(number, len(names)), _places(walk, doors.take(by_facility)))


def _places(walk: Walk, joins: Joins) -> Places:
    return Places(joins.edge, joins.share, joins.leg_m * walk.per_metre)


def _by_edge(walk: Walk, places: Places, label: Ints) -> Doors:
    """Return joined places sorted by edge, each with its label."""
    order = np.argsort(places.edge, kind="stable")
    return Doors(_first(places.edge, len(walk.forward)), places.share[order], places.leg[order], label[order])


def _bearers(walk: Walk, places: Doors) -> Bearers:
    """Return the edges that carry places, for each of their end nodes."""
    s = walk.streets
    carrying = np.flatnonzero(np.diff(places.first))
    node = np.concatenate([s.tail[carrying], s.head[carrying]])
    edge = np.tile(carrying, 2)[np.argsort(node, kind="stable")].astype(np.int32)
    return Bearers(_first(node, len(s.node_id)), edge)


def _first(group: Ints, groups: int) -> Ints:
    """Return where each group begins in a list sorted by group, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(np.bincount(group, minlength=groups))])
