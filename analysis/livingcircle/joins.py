"""How homes and access points join the street: at the nearest edge position that can be walked to."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from livingcircle import _joining
from livingcircle._joining import PIECE_M
from livingcircle_layers.streets import Streets

JOIN_LIMIT_M = 300.0  # beyond this a place is not on the street network (standards.md 11.3)
ISLAND_SHARE = 0.01  # a piece of network shorter than this share of the longest is an island (a judgement)
ON_ISLAND_M = 50.0  # a home this close to a street of an island may lie on it (a judgement) ...
MAINLAND_M = 100.0  # ... unless a street of the mainland can be walked to within this (a judgement)

_CHUNK = 50_000  # places per thread at a time

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Geometries = npt.NDArray[Any]

TOO_FAR = "no_street_within_limit"
BLOCKED = "way_to_street_blocked"
ONLY_ISLAND = "only_island_near"


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
        self._length = streets.length_m
        edge, start, stop, before = segments(streets)
        island = island_edges(streets)[edge]
        open_ground = ~streets.raised[edge]
        steps = streets.highway[edge] == "steps"

        def pieces(keep: npt.NDArray[np.bool_]) -> _Pieces:
            return _Pieces(_joining.make_grid(start[keep], stop[keep]), edge[keep], before[keep])

        mainland, self._islands = pieces(open_ground & ~island & ~steps), pieces(open_ground & island)
        self._turns = (
            (mainland, min(MAINLAND_M, limit_m)),
            (self._islands, min(ON_ISLAND_M, limit_m)),
            (mainland, limit_m),
            (pieces(open_ground & ~island & steps), limit_m),
        )
        self._barriers = barrier_grid(barriers)

    def join(self, xy: Floats) -> Joins:
        """Join places to the streets.

        Where the straight way to a street is blocked, the next nearest piece of street is tried.

        An island of the network is joined only by a place that lies on it: one that is within 50 m of its streets, and
        cannot walk straight to the mainland within 100 m. Footways that are cut off by a slip of the map lie among
        streets of the mainland, where people walk on; a true island lies behind water or far away. Whoever is near
        nothing but an island, and does not lie on it, is not joined (`ONLY_ISLAND`).

        Steps are joined between their ends only from where no other street of the mainland can be walked to.

        Parameters
        ----------
        xy
            Places in the plane of the streets (n × 2, metres).
        """
        xy = np.ascontiguousarray(xy, dtype=float)
        chunks = [xy[at : at + _CHUNK] for at in range(0, len(xy), _CHUNK)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = list(pool.map(self._join_chunk, chunks))
        return Joins(
            *(np.concatenate([getattr(p, name) for p in parts]) if parts else getattr(_nowhere(0), name)
              for name in ("edge", "share", "leg_m", "reason"))
        )  # fmt: skip

    def _join_chunk(self, xy: Floats) -> Joins:
        joins = _nowhere(len(xy))
        left = np.arange(len(xy))
        for pieces, limit in self._turns:
            piece, along, leg, turned = _joining.nearest_free(pieces.grid, self._barriers, xy[left], float(limit))
            joins.reason[left[turned]] = BLOCKED
            found = piece >= 0
            at, piece, t = left[found], piece[found], along[found]
            joins.edge[at] = pieces.edge[piece]
            joins.share[at] = self._share(pieces, piece, t)
            joins.leg_m[at] = leg[found]
            joins.reason[at] = ""
            left = left[~found]
        piece, _, _, turned = _joining.nearest_free(self._islands.grid, self._barriers, xy[left], float(self.limit_m))
        joins.reason[left[turned]] = BLOCKED
        joins.reason[left[piece >= 0]] = ONLY_ISLAND
        return joins

    def _share(self, pieces: _Pieces, piece: npt.NDArray[np.int32], t: Floats) -> Floats:
        """Return places along pieces as shares of their edges."""
        along = pieces.before[piece] + t * np.hypot(*(pieces.grid.stop[piece] - pieces.grid.start[piece]).T)
        length = self._length[pieces.edge[piece]]
        return np.clip(np.divide(along, length, out=np.zeros(len(along)), where=length > 0), 0.0, 1.0)


class _Pieces(NamedTuple):
    """Straight pieces of some streets: their grid, edge, and the length along the edge before each."""

    grid: _joining.Grid
    edge: Ints
    before: Floats


def _nowhere(n: int) -> Joins:
    return Joins(np.full(n, -1), np.full(n, np.nan), np.full(n, np.nan), np.full(n, TOO_FAR, dtype=object))


def barrier_grid(barriers: Geometries) -> _joining.Grid:
    """Put barriers into a grid of short straight pieces, in which a connector finds what it would cross."""
    lines = shapely.get_parts(barriers)
    lines = shapely.segmentize(lines[shapely.get_num_points(lines) > 1], PIECE_M)
    coords, owner = shapely.get_coordinates(lines, return_index=True)
    same = owner[1:] == owner[:-1]
    return _joining.make_grid(coords[:-1][same], coords[1:][same])


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
