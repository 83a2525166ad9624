"""Slow and plain implementations of what the product computes fast; tests compare the two."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import shapely

from livingcircle._joining import PIECE_M, TRIM_M
from livingcircle.coverage import Judged, People, Units
from livingcircle.joins import BLOCKED, MAINLAND_M, ON_ISLAND_M, ONLY_ISLAND, TOO_FAR, Joins
from livingcircle.walkers import Walker
from livingcircle_layers.streets import Streets

Floats = npt.NDArray[np.float64]


def split_graph(
    streets: Streets, homes: Joins, doors: Joins, *, walker: Walker | None = None, seconds: bool = False
) -> nx.MultiDiGraph:
    """Return the streets as a graph that is cut wherever a home or a door joins; legs are edges of their own.

    An edge hangs between its nodes by links that cost the wait at the node on the way in and nothing on the way out.
    """
    graph = nx.MultiDiGraph()
    for edge in range(len(streets.tail)):
        chain = sorted({0.0, 1.0, *homes.share[homes.edge == edge].tolist(), *doors.share[doors.edge == edge].tolist()})
        for node, share in ((streets.tail[edge], 0.0), (streets.head[edge], 1.0)):
            wait = walker.signal_wait_s if seconds and walker and streets.signals[node] else 0.0
            graph.add_edge((edge, share), ("node", int(node)), weight=wait)
            graph.add_edge(("node", int(node)), (edge, share), weight=0.0)
        there, back = _costs(streets, edge, walker, seconds=seconds)
        for low, high in itertools.pairwise(chain):
            if not math.isinf(there):
                graph.add_edge((edge, low), (edge, high), weight=there * (high - low))
            if not math.isinf(back):
                graph.add_edge((edge, high), (edge, low), weight=back * (high - low))
    per_metre = 1.0 / walker.speed_m_s if seconds and walker else 1.0
    for i in np.flatnonzero(homes.joined):
        spot = (int(homes.edge[i]), float(homes.share[i]))
        graph.add_edge(("home", int(i)), spot, weight=homes.leg_m[i] * per_metre)
    for j in np.flatnonzero(doors.joined):
        spot = (int(doors.edge[j]), float(doors.share[j]))
        graph.add_edge(spot, ("door", int(j)), weight=doors.leg_m[j] * per_metre)
    return graph


def _costs(streets: Streets, edge: int, walker: Walker | None, *, seconds: bool) -> tuple[float, float]:
    """Return what an edge costs from tail to head and back."""
    on_steps = streets.highway[edge] == "steps"
    there = back = float(streets.length_m[edge])
    if walker is not None and on_steps and not walker.steps:
        return math.inf, math.inf
    if seconds and walker is not None:
        climb = 0.0
        if streets.height_m is not None and not on_steps and there > 0:
            climb = float(streets.height_m[streets.head[edge]] - streets.height_m[streets.tail[edge]]) / there
        pace = walker.steps_speed_m_s if on_steps else walker.speed_m_s
        there, back = (
            metres / (pace * _tobler(slope) / _tobler(0.0)) for metres, slope in ((there, climb), (back, -climb))
        )
    return there, math.inf if streets.oneway[edge] else back


def _tobler(slope: float) -> float:
    """Return Tobler's walking speed in km/h on a slope (standards.md 11.2)."""
    return 6.0 * math.exp(-3.5 * abs(slope + 0.05))


def nearest(streets: Streets, homes: Joins, doors: Joins, **options: Any) -> Floats:
    """Return every home's walk to its nearest door, unlimited and unrounded; NaN where there is no way."""
    against = split_graph(streets, homes, doors, **options).reverse()
    at = [("door", j) for j in np.flatnonzero(doors.joined)]
    found = nx.multi_source_dijkstra_path_length(against, at) if at else {}
    return np.array([found.get(("home", i), math.nan) for i in range(len(homes.edge))])


def pairs(streets: Streets, homes: Joins, doors: Joins, **options: Any) -> dict[tuple[int, int], float]:
    """Return every home's walk to every door that it can reach."""
    graph = split_graph(streets, homes, doors, **options)
    walks = {}
    for i in np.flatnonzero(homes.joined):
        found = nx.single_source_dijkstra_path_length(graph, ("home", int(i)))
        walks.update({(int(i), spot[1]): cost for spot, cost in found.items() if spot[0] == "door"})
    return walks


def join_one(
    streets: Streets, islands: npt.NDArray[np.bool_], barriers: Sequence[Any], place: tuple[float, float], limit: float
) -> tuple[float, str]:
    """Return a place's leg to the street (NaN: none) and the reason, looking at every piece and every barrier."""
    steps = streets.highway == "steps"
    blocked = False

    def leg(chosen: npt.NDArray[np.bool_], reach: float) -> float:
        nonlocal blocked
        within = _feet(streets, chosen & ~streets.raised, place, min(reach, limit))
        for length, x, y in within:
            if not _crosses(place, (x, y), barriers):
                return length
        blocked = blocked or bool(within)
        return math.nan

    for chosen, reach in (
        (~islands & ~steps, MAINLAND_M), (islands, ON_ISLAND_M), (~islands & ~steps, limit), (~islands & steps, limit),
    ):  # fmt: skip
        found = leg(chosen, reach)
        if not math.isnan(found):
            return found, ""
    if not math.isnan(leg(islands, limit)):
        return math.nan, ONLY_ISLAND
    return math.nan, BLOCKED if blocked else TOO_FAR


def _feet(
    streets: Streets, chosen: npt.NDArray[np.bool_], place: tuple[float, float], reach: float
) -> list[tuple[float, float, float]]:
    """Return how far each piece of some streets is from a place, and where it is nearest; the nearest piece first."""
    home = shapely.Point(place)
    feet = []
    for edge in np.flatnonzero(chosen):
        for piece in _pieces(streets.coords[streets.offsets[edge] : streets.offsets[edge + 1]]):
            foot = piece.interpolate(piece.project(home)) if piece.length else shapely.Point(piece.coords[0])
            feet.append((home.distance(foot), foot.x, foot.y))
    return sorted(foot for foot in feet if foot[0] <= reach)


def _pieces(coords: Floats) -> list[Any]:
    found = []
    for a, b in itertools.pairwise(coords):
        n = max(1, math.ceil(math.dist(a, b) / PIECE_M))
        for k in range(n):
            found.append(shapely.LineString([a + (b - a) * (k / n), b if k + 1 == n else a + (b - a) * ((k + 1) / n)]))
    return found


def _crosses(a: tuple[float, float], b: tuple[float, float], barriers: Sequence[Any]) -> bool:
    way = shapely.LineString([a, b])
    if way.length <= 2 * TRIM_M:
        return False
    walked = shapely.LineString([way.interpolate(TRIM_M), way.interpolate(way.length - TRIM_M)])
    return any(walked.intersects(barrier) for barrier in barriers)


def count_unit(
    judged: Judged, people: People, units: Units, unit: int, exit_m: Floats, reach_m: float
) -> dict[str, Any]:
    """Return what the coverage table should say of one unit and rule, home by home."""
    rule = judged.rule
    group = rule.group if rule.group in people.groups else "all"
    applies = people.applies(rule)
    demand = walk = radius = minutes = edge = everybody = meant = 0
    walks: list[tuple[float, int]] = []
    for home, code in enumerate(units.code):
        if code != unit:
            continue
        everybody += int(people.groups["all"][home])
        if not applies[home]:
            continue
        meant += int(people.groups["all"][home])
        n = int(people.groups[group][home])
        demand += n
        walk += n if judged.walk[home] else 0
        radius += n if judged.radius is not None and judged.radius[home] else 0
        minutes += n if judged.minutes is not None and judged.minutes[home] else 0
        edge += n if exit_m[home] <= reach_m else 0
        distance = float(judged.walk_m[home])
        walks.append((math.inf if math.isnan(distance) else distance, n))
    return {
        "demand": demand,
        "covered": walk,
        "radius_covered": radius if judged.radius is not None else None,
        "minutes_covered": minutes if judged.minutes is not None else None,
        "edge": edge,
        "group_basis": "given" if rule.group in people.groups else "stand_in",
        "not_applicable": meant == 0 and everybody > 0,
        "median": quantile(walks, 1, 2),
        "p90": quantile(walks, 9, 10),
    }


def quantile(walks: Sequence[tuple[float, int]], part: int, of: int) -> float:
    """Return the walk of the person at part / of in the line of all people, nearest first; NaN if not reached."""
    line = [walk for walk, n in sorted(walks) for _ in range(n)]
    if not line:
        return math.nan
    position = -(-len(line) * part // of)
    walk = line[max(position, 1) - 1]
    return math.nan if math.isinf(walk) else walk


def mean_services(
    scoring: Sequence[str], judged: Mapping[str, Judged], with_data: set[str], people: People, units: Units, unit: int
) -> tuple[float, float]:
    """Return the mean number of services in reach of the residents of a unit, and of those that have data."""
    total = reached = usable = 0
    for home, code in enumerate(units.code):
        if code != unit:
            continue
        n = int(people.groups["all"][home])
        total += n
        for rule in scoring:
            if rule in with_data and people.applies(judged[rule].rule)[home]:
                usable += n
                reached += n if judged[rule].walk[home] else 0
    return (reached / total, usable / total) if total else (math.nan, math.nan)
