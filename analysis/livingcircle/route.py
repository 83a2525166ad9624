"""The way to the nearest place, and what it is made of: leg, street, crossings, slope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from shapely.ops import substring

from livingcircle.joins import Joins
from livingcircle.network import Walk, WalkNetwork, share_of_footbridge
from livingcircle.walkers import Walker
from livingcircle_layers.streets import Streets

Floats = npt.NDArray[np.float64]


class Step(NamedTuple):
    """A stretch of one edge, from one share of it to another; the way back where the second is the smaller."""

    edge: int
    start: float
    stop: float


@dataclass(frozen=True)
class Route:
    """One way along streets.

    Attributes
    ----------
    steps
        Stretches of edges in the order of the walk.
    nodes
        Nodes passed.
    door
        Position of the door in the doors that were searched for.
    leg_m
        Straight ways between street and place, at both ends together.
    """

    steps: tuple[Step, ...]
    nodes: tuple[int, ...]
    door: int
    leg_m: float

    def line(self, streets: Streets) -> shapely.LineString:
        """Return the way along the streets, in their plane."""
        lines = streets.lines
        pieces = [
            shapely.get_coordinates(substring(lines[s.edge], s.start, s.stop, normalized=True)) for s in self.steps
        ]
        coords = np.concatenate(pieces)
        return shapely.LineString(coords if len(coords) > 1 else np.repeat(coords, 2, axis=0))


@dataclass(frozen=True)
class RouteParts:
    """What a way is made of. Metres are leg and street; seconds also waits at crossings and what slopes cost.

    Attributes
    ----------
    leg_m, street_m
        Straight ways to and from the street; along streets.
    leg_s, street_s, crossing_s, slope_s
        Seconds of the walker on the flat, at signals and footbridges, and what slopes add (below 0: save).
    signals
        Crossings with signals that are passed.
    climb_m
        Metres that the way rises in all.
    """

    leg_m: float
    street_m: float
    leg_s: float
    street_s: float
    crossing_s: float
    slope_s: float
    signals: int
    climb_m: float

    @property
    def metres(self) -> float:
        """The whole way, to the centimetre as everywhere."""
        return round(self.leg_m + self.street_m, 2)

    @property
    def seconds(self) -> float:
        """The whole time."""
        return round(self.leg_s + self.street_s + self.crossing_s + self.slope_s, 2)


def route_to_nearest(walk: Walk, place: Joins, doors: Joins, *, limit: float) -> Route | None:
    """Return the way from one place to the nearest door; None where no door is within the limit.

    Its cost is that of `Walk.nearest`.

    Parameters
    ----------
    place
        One place.
    doors
        The doors, of which the nearest is walked to.
    """
    dist, source = walk.node_costs(doors, limit=limit)
    s = walk.streets
    edge, share = int(place.edge[0]), float(place.share[0])
    ways: list[tuple[float, Step, int]] = [
        (_cost(walk, edge, share, 1.0) + dist[s.head[edge]], Step(edge, share, 1.0), int(s.head[edge])),
        (_cost(walk, edge, share, 0.0) + dist[s.tail[edge]], Step(edge, share, 0.0), int(s.tail[edge])),
    ]
    for door in np.flatnonzero(doors.edge == edge):
        step = Step(edge, share, float(doors.share[door]))
        ways.append((_cost(walk, *step) + doors.leg_m[door] * walk.per_metre, step, -1 - int(door)))
    best, step, then = min(ways, key=lambda way: way[0])
    if not best + place.leg_m[0] * walk.per_metre <= limit + 0.005:
        return None
    steps, nodes = [step], list[int]()
    while then >= 0:
        nodes.append(then)
        step, then = _onward(walk, doors, dist, int(source[then]), then, set(nodes))
        steps.append(step)
    reached = -1 - then
    return Route(tuple(steps), tuple(nodes), reached, float(place.leg_m[0] + doors.leg_m[reached]))


def route_parts(network: WalkNetwork, route: Route, walker: Walker) -> RouteParts:
    """Return what a way is made of, for one walker."""
    s, timed = network.streets, network.walk(walker, unit="s")
    edge = np.array([step.edge for step in route.steps])
    start, stop = np.array([step.start for step in route.steps]), np.array([step.stop for step in route.steps])
    part = np.abs(stop - start)
    metres = s.length_m[edge] * part
    flat = metres / np.where(s.highway[edge] == "steps", walker.steps_speed_m_s, walker.speed_m_s)
    bridges = walker.footbridge_s * share_of_footbridge(s)[edge] * part
    whole = np.where(part == 0, 0.0, np.where(stop >= start, timed.forward[edge], timed.backward[edge]))
    taken = np.where(part == 0, 0.0, whole * part)
    waits = timed.wait[list(route.nodes)]
    climb = np.zeros(len(edge))
    if s.height_m is not None:
        climb = np.nan_to_num(s.height_m[s.head[edge]] - s.height_m[s.tail[edge]]) * (stop - start)
    return RouteParts(
        leg_m=route.leg_m,
        street_m=float(metres.sum()),
        leg_s=route.leg_m * timed.per_metre,
        street_s=float(flat.sum()),
        crossing_s=float(waits.sum() + bridges.sum()),
        slope_s=float((taken - flat - bridges).sum()),
        signals=int((waits > 0).sum()),
        climb_m=float(climb[climb > 0].sum()),
    )


def _cost(walk: Walk, edge: int, start: float, stop: float) -> float:
    """Return the cost of a stretch of an edge; standing still costs nothing even where walking is forbidden."""
    if start == stop:
        return 0.0
    return float((walk.forward if stop > start else walk.backward)[edge] * abs(stop - start))


def _onward(walk: Walk, doors: Joins, dist: Floats, door: int, node: int, passed: set[int]) -> tuple[Step, int]:
    """Return the next stretch from a node and the node it leads to, or -1 - door at the end."""
    s, edge = walk.streets, int(doors.edge[door])
    leg, share = doors.leg_m[door] * walk.per_metre, float(doors.share[door])
    ways: list[tuple[float, Step, int]] = []
    if s.tail[edge] == node:
        ways.append((leg + _cost(walk, edge, 0.0, share), Step(edge, 0.0, share), -1 - door))
    if s.head[edge] == node:
        ways.append((leg + _cost(walk, edge, 1.0, share), Step(edge, 1.0, share), -1 - door))
    out, back = np.flatnonzero(s.tail == node), np.flatnonzero(s.head == node)
    ways += [(dist[s.head[e]] + walk.forward[e], Step(int(e), 0.0, 1.0), int(s.head[e])) for e in out]
    ways += [(dist[s.tail[e]] + walk.backward[e], Step(int(e), 1.0, 0.0), int(s.tail[e])) for e in back]
    _, step, then = min((way for way in ways if way[2] not in passed), key=lambda way: way[0])
    return step, then
