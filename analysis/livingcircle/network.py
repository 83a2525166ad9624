"""The walking network: who reaches what, and how far it is along real streets."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from livingcircle import _search
from livingcircle.joins import Joins
from livingcircle.walkers import Walker, slope_factor
from livingcircle_layers.streets import Streets

if TYPE_CHECKING:
    import networkx as nx

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]

_PLACES_AT_A_TIME = 256  # per thread


@dataclass(frozen=True)
class WalkNetwork:
    """Streets as a graph that can be searched; a value that is never changed.

    Attributes
    ----------
    streets
        Nodes and edges as read, in a metric plane.
    """

    streets: Streets
    _walks: dict[tuple[str, Walker | None], Walk] = field(default_factory=dict, repr=False, compare=False)

    def __repr__(self) -> str:
        s = self.streets
        return f"WalkNetwork({len(s.node_id):,} nodes, {len(s.tail):,} edges, {s.length_m.sum() / 1000:,.0f} km)"

    @classmethod
    def from_osm(cls, path: str | Path) -> WalkNetwork:
        """Read the walking network of an OpenStreetMap file.

        Raises
        ------
        InputError
            The file is missing or holds no street that can be walked.
        """
        from livingcircle_layers.osm import read_streets

        return cls(read_streets(path))

    @classmethod
    def from_osmnx(cls, graph: nx.MultiDiGraph) -> WalkNetwork:
        """Return an OSMnx graph as a walking network (see `livingcircle.exchange.from_osmnx`)."""
        from livingcircle.exchange import from_osmnx

        return from_osmnx(graph)

    def to_networkx(self) -> nx.MultiDiGraph:
        """Return the network as a graph for OSMnx and NetworkX (see `livingcircle.exchange.to_networkx`)."""
        from livingcircle.exchange import to_networkx

        return to_networkx(self)

    def walk(self, walker: Walker | None = None, *, unit: Literal["m", "s"] = "m") -> Walk:
        """Return the network as one kind of people walk it, measured in metres or in seconds.

        Parameters
        ----------
        walker
            Closes the edges this walker cannot use and sets the speed; None may use every edge (metres only).
        unit
            What distances and limits are measured in.
        """
        if (unit, walker) not in self._walks:
            self._walks[unit, walker] = self._in_metres(walker) if unit == "m" else self._in_seconds(walker)
        return self._walks[unit, walker]

    def _in_metres(self, walker: Walker | None) -> Walk:
        cost = self._open_to(walker, self.streets.length_m)
        still = np.zeros(len(self.streets.node_id))
        return Walk(self.streets, cost, np.where(self.streets.oneway, np.inf, cost), still, 1.0)

    def _in_seconds(self, walker: Walker | None) -> Walk:
        if walker is None:
            raise ValueError("walking time needs a walker")
        s = self.streets
        on_steps = s.highway == "steps"
        flat = s.length_m / np.where(on_steps, walker.steps_speed_m_s, walker.speed_m_s)
        up = np.zeros(len(flat)) if s.height_m is None else np.nan_to_num(s.height_m[s.head] - s.height_m[s.tail])
        slope = np.divide(up, s.length_m, out=np.zeros(len(up)), where=(s.length_m > 0) & ~on_steps)
        extra = walker.footbridge_s * share_of_footbridge(s) if walker.footbridge_s else 0.0
        forward = self._open_to(walker, flat / slope_factor(slope) + extra)
        backward = self._open_to(walker, flat / slope_factor(-slope) + extra)
        return Walk(
            s,
            forward,
            np.where(s.oneway, np.inf, backward),
            np.where(s.signals, walker.signal_wait_s, 0.0),
            1.0 / walker.speed_m_s,
        )

    def _open_to(self, walker: Walker | None, cost: Floats) -> Floats:
        """Close the edges that a walker cannot use."""
        return cost if walker is None or walker.steps else np.where(self.streets.highway == "steps", np.inf, cost)


def share_of_footbridge(streets: Streets) -> Floats:
    """Return for each edge of a footbridge or underpass its share of the whole one, 0 for all others."""
    on_foot = streets.raised & np.isin(
        streets.highway.astype(str), ("footway", "path", "pedestrian", "steps", "cycleway")
    )
    total = pd.Series(np.where(on_foot, streets.length_m, 0.0)).groupby(streets.way_id).transform("sum").to_numpy()
    return np.divide(streets.length_m, total, out=np.zeros(len(total)), where=on_foot & (total > 0))


@dataclass(frozen=True)
class Walk:
    """What it costs to walk the network, in metres or seconds, and the searches over it.

    Attributes
    ----------
    forward, backward
        Cost of each whole edge from tail to head and back; infinite where it may not be walked that way.
    wait
        Cost of passing each node, such as the wait at signals.
    per_metre
        Cost of a metre between a place and the street.
    """

    streets: Streets
    forward: Floats
    backward: Floats
    wait: Floats
    per_metre: float

    @cached_property
    def edges(self) -> _search.Edges:
        """Ends and costs of whole edges, as the searches take them."""
        tail, head = (np.ascontiguousarray(ends) for ends in (self.streets.tail, self.streets.head))
        return _search.Edges(tail, head, self.forward, self.backward, self.wait)

    @cached_property
    def turned(self) -> _search.Edges:
        """Edges against the walk: a walk from home to place, searched from the place."""
        return _search.Edges(self.edges.tail, self.edges.head, self.backward, self.forward, self.wait)

    @cached_property
    def arcs(self) -> _search.Arcs:
        """Arcs in the direction of the walk."""
        return self._rows(against=False)

    @cached_property
    def arcs_against(self) -> _search.Arcs:
        """Arcs against the walk, for searches from the facilities back to the homes."""
        return self._rows(against=True)

    def _rows(self, *, against: bool) -> _search.Arcs:
        s = self.streets
        tail, head = np.concatenate([s.tail, s.head]), np.concatenate([s.head, s.tail])
        # Passing a node costs its wait, paid on the arc into it; against the walk that arc begins at the node.
        cost = np.concatenate([self.forward, self.backward])
        if against:
            cost, tail, head = cost + self.wait[tail], head, tail
        else:
            cost = cost + self.wait[head]
        open_ = np.isfinite(cost) & (tail != head)
        tail, head, cost = tail[open_], head[open_], cost[open_]
        order = np.argsort(tail, kind="stable")
        first = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=len(s.node_id)))])
        return _search.Arcs(first, head[order].astype(np.int32), cost[order])

    def node_costs(self, doors: Joins, *, limit: float) -> tuple[Floats, Int32s]:
        """Return every node's cost of the walk to the nearest door, and which door (-1: none within the limit)."""
        door = np.flatnonzero(doors.joined)
        e, share, leg = doors.edge[door], doors.share[door], doors.leg_m[door] * self.per_metre
        s = self.streets
        with np.errstate(invalid="ignore"):
            from_tail = leg + np.where(share == 0, 0.0, self.forward[e] * share)
            from_head = leg + np.where(share == 1, 0.0, self.backward[e] * (1 - share))
        seed = np.column_stack([s.tail[e], s.head[e]]).ravel()  # in the order of doors, which decides between equals
        cost = np.column_stack([from_tail, from_head]).ravel() + self.wait[seed]
        dist, source = _search.multi_source(*self.arcs_against, seed, cost, float(limit) + _search.ROUNDING)
        return dist, np.append(np.repeat(door, 2), -1).astype(np.int32)[source]

    def nearest(self, homes: Joins, doors: Joins, *, limit: float) -> tuple[Floats, Int32s]:
        """Return for every home the walk to the nearest door, and which door it is.

        One search runs from all doors at once, so that the work does not grow with homes × doors.

        Parameters
        ----------
        homes, doors
            Places joined to this network.
        limit
            The longest walk that is looked for, inclusive; taken to 0.01, as the walks are: 100 m at 1.33 m/s take
            75.19 s, and must not be lost against a limit of 75.188.

        Returns
        -------
        cost
            Rounded to 0.01; NaN where no door is within the limit.
        door
            Position in `doors`, -1 where there is none.
        """
        limit = round(float(limit), 2)
        dist, source = self.node_costs(doors, limit=limit)
        best, which = _search.at_edge_positions(
            self.edges, dist, source, self._places(homes), self._doors_by_edge(doors)
        )
        best = np.round(best, 2)
        out = ~(best <= limit)
        return np.where(out, np.nan, best), np.where(out, -1, which).astype(np.int32)

    def pairs(self, places: Joins, doors: Joins, *, limit: float) -> tuple[Ints, Ints, Floats]:
        """Return all pairs of place and door within the limit: place, door, cost (both rounded to 0.01).

        Memory grows with the answer, not with places × doors.
        """
        limit = round(float(limit), 2)
        on_edge = self._doors_by_edge(doors)
        place, door, cost = _search.within_limit(
            self.arcs, self.edges, self._places(places), on_edge, self._bearers(on_edge), limit + _search.ROUNDING
        )
        cost = np.round(cost, 2)
        keep = cost <= limit
        return place[keep], door[keep], cost[keep]

    def pairs_from_doors(self, homes: Joins, doors: Joins, *, limit: float) -> tuple[Ints, Ints, Floats]:
        """Return the same as `pairs`, sorted alike, by searches from the doors: faster where they are fewer."""
        limit = round(float(limit), 2)
        on_edge = self._doors_by_edge(homes)
        bearers = self._bearers(on_edge)

        def part(begin: int) -> tuple[Ints, Ints, Floats]:
            entries = self._places(doors.take(np.arange(begin, min(begin + _PLACES_AT_A_TIME, len(doors.edge)))))
            door, home, cost = _search.within_limit(
                self.arcs_against, self.turned, entries, on_edge, bearers, limit + _search.ROUNDING
            )
            cost = np.round(cost, 2)
            keep = cost <= limit
            return home[keep], door[keep] + begin, cost[keep]

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = list(pool.map(part, range(0, len(doors.edge), _PLACES_AT_A_TIME)))
        if not parts:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
        home, door, cost = (np.concatenate(found) for found in zip(*parts, strict=True))
        order = np.lexsort((door, home))
        return home[order], door[order], cost[order]

    def catchments(self, homes: Joins, weights: Ints | Int32s, *, towards: bool = True) -> Catchments:
        """Return what counts, for places anywhere on the network, the homes that walk to them within limits.

        Parameters
        ----------
        homes
            Where the homes join.
        weights
            Per home and column what is summed, such as people (homes × columns).
        towards
            Whether people walk to the places, not from them.
        """
        on_edge = self._doors_by_edge(homes)
        arcs, edges = (self.arcs_against, self.turned) if towards else (self.arcs, self.edges)
        return Catchments(
            self, arcs, edges, on_edge, self._bearers(on_edge), weights[on_edge.id].astype(np.int32, copy=False)
        )

    def _bearers(self, on_edge: _search.Doors) -> _search.Bearers:
        """Return for each node the edges at it that carry doors."""
        s = self.streets
        carrying = np.flatnonzero(np.diff(on_edge.first))
        node = np.concatenate([s.tail[carrying], s.head[carrying]])
        first = np.concatenate([[0], np.cumsum(np.bincount(node, minlength=len(s.node_id)))])
        edge = np.concatenate([carrying, carrying])[np.argsort(node, kind="stable")].astype(np.int32)
        return _search.Bearers(first, edge)

    def _places(self, joins: Joins) -> _search.Places:
        return _search.Places(joins.edge, joins.share, joins.leg_m * self.per_metre)

    def _doors_by_edge(self, doors: Joins) -> _search.Doors:
        door = np.flatnonzero(doors.joined)
        door = door[np.argsort(doors.edge[door], kind="stable")]
        first = np.concatenate([[0], np.cumsum(np.bincount(doors.edge[door], minlength=len(self.forward)))])
        return _search.Doors(first, doors.share[door], doors.leg_m[door] * self.per_metre, door)


@dataclass(frozen=True)
class Catchments:
    """Homes of a network laid out for counting who walks to places (see `Walk.catchments`).

    Attributes
    ----------
    walk, arcs, edges
        The network, in the direction of the search.
    homes, bearers
        The homes by edge, and the edges that carry them.
    weights
        Per home, in the order by edge, and column.
    """

    walk: Walk
    arcs: _search.Arcs
    edges: _search.Edges
    homes: _search.Doors
    bearers: _search.Bearers
    weights: Int32s

    def sums(self, places: Joins, first: Ints, limits: Floats) -> Ints:
        """Return the sums of weights over the homes that walk to each place within the limits (places × columns).

        Parameters
        ----------
        places, first
            Where each place is entered: place g at the joins ``first[g]`` to ``first[g + 1]``.
        limits
            The longest walk for each column of the weights, inclusive.
        """

        def part(begin: int, end: int) -> Ints:
            entries = self.walk._places(places.take(np.arange(first[begin], first[end])))
            return _search.sums_within(
                self.arcs, self.edges, entries, first[begin : end + 1] - first[begin], self.homes,
                self.bearers, np.asarray(limits, dtype=float), self.weights,
            )  # fmt: skip

        starts = range(0, len(first) - 1, _PLACES_AT_A_TIME)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = list(pool.map(lambda b: part(b, min(b + _PLACES_AT_A_TIME, len(first) - 1)), starts))
        return np.concatenate(parts) if parts else np.zeros((0, len(limits)), dtype=np.int64)
