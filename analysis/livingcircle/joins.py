"""How homes and access points join the street: at the nearest edge position that can be walked to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from livingcircle_layers.streets import Streets

JOIN_LIMIT_M = 300.0  # beyond this a place is not on the street network (standards.md 11.3)
ISLAND_SHARE = 0.01  # a piece of network shorter than this share of the longest is an island (a judgement)
TRIM_M = 0.05  # a connector may begin at a gate in the wall and end at a street beside it
PIECE_M = 25.0  # a street is tried in pieces this long, so that the way around the end of a wall is found (a judgement)

_CHUNK = 100_000  # places per round, so that memory does not grow with the city

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Geometries = npt.NDArray[Any]

TOO_FAR = "no_street_within_limit"
BLOCKED = "way_to_street_blocked"


@dataclass(frozen=True)
class Joins:
    """Where places join the network, one entry per place.

    Attributes
    ----------
    edge
        Position of the edge, -1 where the place is not joined.
    share
        Place along the edge, 0 at its tail and 1 at its head; NaN where not joined.
    leg_m
        Straight walk from the place to the edge in metres; NaN where not joined.
    reason
        Why a place is not joined, else empty.
    """

    edge: Ints
    share: Floats
    leg_m: Floats
    reason: npt.NDArray[Any]

    @property
    def joined(self) -> npt.NDArray[np.bool_]:
        """True for places on the network."""
        return self.edge >= 0

    def take(self, index: npt.NDArray[Any]) -> Joins:
        """Return the joins of some places, by position or mask."""
        return Joins(self.edge[index], self.share[index], self.leg_m[index], self.reason[index])


class Joiner:
    """Finds where places join the streets, past water, rail, motorways and walls.

    Parameters
    ----------
    streets
        The walking network.
    barriers
        Lines that nobody walks across, in the plane of `streets`.
    limit_m
        The longest leg from a place to the street.
    """

    def __init__(self, streets: Streets, barriers: Geometries, *, limit_m: float = JOIN_LIMIT_M) -> None:
        self.limit_m = limit_m
        self._streets = streets
        edge, start, stop, before = segments(streets)
        island = island_edges(streets)[edge]
        open_ground = ~streets.raised[edge]
        self._tiers = [
            _Segments(streets, edge[keep], start[keep], stop[keep], before[keep])
            for keep in (open_ground & ~island, open_ground & island)
        ]
        self._barriers = shapely.STRtree(pieces(barriers))

    def join(self, xy: Floats) -> Joins:
        """Join places to the streets.

        The mainland comes first; an island of the network is joined only from where no other street can be walked to.
        Where the straight way to a street is blocked, the next nearest piece of street is tried.

        Parameters
        ----------
        xy
            Places in the plane of the streets (n × 2, metres).
        """
        n = len(xy)
        joins = Joins(np.full(n, -1), np.full(n, np.nan), np.full(n, np.nan), np.full(n, TOO_FAR, dtype=object))
        for at in range(0, n, _CHUNK):
            open_ = np.arange(at, min(at + _CHUNK, n))
            for tier in self._tiers:
                open_ = self._join_some(xy, open_, tier, joins)
        return joins

    def _join_some(self, xy: Floats, which: Ints, tier: _Segments, joins: Joins) -> Ints:
        """Join what can be joined to one tier; return what could not."""
        i, segment = tier.nearest(xy[which], self.limit_m)
        place = which[i]
        free = self._settle(xy, place, segment, tier, joins)
        blocked = place[~free]
        joins.reason[blocked] = BLOCKED
        for at in range(0, len(blocked), 2000):
            self._try_others(xy, blocked[at : at + 2000], tier, joins)
        return which[joins.edge[which] < 0]

    def _try_others(self, xy: Floats, places: Ints, tier: _Segments, joins: Joins) -> None:
        """Try the streets around blocked places in order of distance, a few at a time."""
        i, segment = tier.around(xy[places], self.limit_m)
        gap = tier.locate(xy[places[i]], segment)[1]
        order = np.lexsort((tier.edge[segment], np.round(gap, 6), i))
        i, segment = i[order], segment[order]
        rank = np.arange(len(i)) - np.searchsorted(i, i, side="left")
        low, step = 0, 8
        while len(i):
            now = (rank >= low) & (rank < low + step)
            if not now.any():
                break
            self._settle(xy, places[i[now]], segment[now], tier, joins)
            left = joins.edge[places[i]] < 0
            i, segment, rank = i[left], segment[left], rank[left]
            low, step = low + step, step * 4

    def _settle(self, xy: Floats, place: Ints, segment: Ints, tier: _Segments, joins: Joins) -> npt.NDArray[np.bool_]:
        """Join each place to the first of its candidates (they come nearest first) that no barrier blocks."""
        point, gap, share = tier.locate(xy[place], segment)
        free = ~crossed(self._barriers, xy[place], point)
        first = np.flatnonzero(free)
        first = first[np.unique(place[first], return_index=True)[1]]
        chosen = place[first]
        joins.edge[chosen] = tier.edge[segment[first]]
        joins.share[chosen] = share[first]
        joins.leg_m[chosen] = gap[first]
        joins.reason[chosen] = ""
        return free


def crossed(barriers: shapely.STRtree, a: Floats, b: Floats) -> npt.NDArray[np.bool_]:
    """Tell which straight ways from a to b cross a barrier; both may begin and end on one.

    Parameters
    ----------
    barriers
        Index of straight pieces of barriers (`pieces`).
    a, b
        Places in the same plane (n × 2, metres).
    """
    out = np.zeros(len(a), dtype=bool)
    way = b - a
    length = np.hypot(way[:, 0], way[:, 1])
    long = np.flatnonzero(length > 2 * TRIM_M)
    trim = way[long] * (TRIM_M / length[long])[:, None]
    lines = shapely.linestrings(np.stack([a[long] + trim, b[long] - trim], axis=1))
    out[long[np.unique(barriers.query(lines, predicate="intersects")[0])]] = True
    return out


class _Segments:
    """Straight pieces of edges with a spatial index."""

    def __init__(self, streets: Streets, edge: Ints, start: Floats, stop: Floats, before: Floats) -> None:
        self.edge, self._start, self._stop, self._before = edge, start, stop, before
        self._length = streets.length_m
        self._tree = shapely.STRtree(shapely.linestrings(np.stack([start, stop], axis=1)))

    def nearest(self, xy: Floats, limit: float) -> tuple[Ints, Ints]:
        """Return each place's nearest segment within the limit; of equally near ones that of the lowest edge."""
        i, segment = self._tree.query_nearest(shapely.points(xy), max_distance=limit, all_matches=True)
        order = np.lexsort((segment, self.edge[segment], i))
        i, segment = i[order], segment[order]
        first = np.unique(i, return_index=True)[1]
        return i[first], segment[first]

    def around(self, xy: Floats, limit: float) -> tuple[Ints, Ints]:
        """Return all segments within the limit of each place."""
        i, segment = self._tree.query(shapely.points(xy), predicate="dwithin", distance=limit)
        return i, segment

    def locate(self, xy: Floats, segment: Ints) -> tuple[Floats, Floats, Floats]:
        """Return the nearest point of each place's segment, its distance, and its share of the edge."""
        a, b = self._start[segment], self._stop[segment]
        way = b - a
        square = (way**2).sum(axis=1)
        t = np.clip(((xy - a) * way).sum(axis=1) / np.where(square > 0, square, 1.0), 0.0, 1.0)
        point = a + t[:, None] * way
        gap = np.hypot(*(xy - point).T)
        edge_length = self._length[self.edge[segment]]
        along = self._before[segment] + t * np.sqrt(square)
        share = np.where(edge_length > 0, along / np.where(edge_length > 0, edge_length, 1.0), 0.0)
        return point, gap, np.clip(share, 0.0, 1.0)


def segments(streets: Streets) -> tuple[Ints, Floats, Floats, Floats]:
    """Return all edges in straight pieces of at most `PIECE_M`: edge, start, stop, and the length along it before."""
    edge = np.repeat(np.arange(len(streets.tail)), np.diff(streets.offsets) - 1)
    first = np.arange(len(edge)) + edge
    start, stop = streets.coords[first], streets.coords[first + 1]
    length = np.hypot(*(stop - start).T)
    total = np.concatenate([[0.0], np.cumsum(length)])[:-1]
    at = streets.offsets[:-1] - np.arange(len(streets.tail))
    before = total - total[at][edge]
    count = np.maximum(1, np.ceil(length / PIECE_M)).astype(np.int64)
    own = np.repeat(np.arange(len(edge)), count)
    piece = np.arange(len(own)) - np.repeat(np.cumsum(count) - count, count)
    low, high = (piece / count[own])[:, None], ((piece + 1) / count[own])[:, None]
    way = (stop - start)[own]
    ends = np.where(high == 1, stop[own], start[own] + high * way)
    return edge[own], start[own] + low * way, ends, before[own] + low[:, 0] * length[own]


def island_edges(streets: Streets) -> npt.NDArray[np.bool_]:
    """Tell which edges lie on an island: a piece of network short against the longest one."""
    length = np.bincount(streets.component, weights=streets.length_m)
    return (length < ISLAND_SHARE * length.max())[streets.component]


def pieces(barriers: Geometries) -> Geometries:
    """Cut barriers into straight pieces, which an index finds far better than a whole river."""
    lines = shapely.get_parts(barriers)
    lines = lines[shapely.get_num_points(lines) > 1]
    coords, owner = shapely.get_coordinates(lines, return_index=True)
    same = owner[1:] == owner[:-1]
    return shapely.linestrings(np.stack([coords[:-1][same], coords[1:][same]], axis=1))
