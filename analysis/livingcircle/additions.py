"""Where one more place would help most: each addition tried alone, people counted along streets.

For every scoring rule a place is tried at candidates: street points, or the planner's parcels. Two numbers say what it
brings: the people who come inside the rule, and those for whom it was the only required service out of reach, so that
they have all of them. Every candidate that could be among the best is searched exactly; the others are ruled out by a
bound, the people within the straight line.

Of a rule's best candidates only those are listed that lie at least the rule's own reach apart: the neighbours of the
best one would serve the same people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.columns import ADDITIONS
from livingcircle.coverage import rule_walker
from livingcircle.gaps import without_place
from livingcircle.joins import Joins, island_edges
from livingcircle.measured import Measured, joiner_of
from livingcircle.missed import KNOWN
from livingcircle.network import Walk
from livingcircle.rules import Rule
from livingcircle_layers.access import access_points
from livingcircle_layers.crs import WGS84
from livingcircle_layers.streets import Streets

_CELL_M = 100.0  # of the grid in which people are counted for the bounds
_BATCH = 2048  # candidates that are searched before the best are looked at again
_STEEPEST = 1.2  # nobody walks faster than this times the speed on the flat (Tobler's function, rounded up)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
_Key = tuple[str, str, str]  # rule, part, what is counted


@dataclass(frozen=True)
class Candidates:
    """Where a place could be added.

    Attributes
    ----------
    ids, names
        Per candidate.
    xy
        Its position in the plane of the network (n × 2).
    joins, first
        Where it is entered from the street: candidate i at the joins ``first[i]`` to ``first[i + 1]``.
    """

    ids: npt.NDArray[np.str_]
    names: npt.NDArray[np.str_]
    xy: Floats
    joins: Joins
    first: Ints

    def take(self, index: Ints) -> tuple[Joins, Ints]:
        """Return the joins of some candidates and where those of each begin."""
        count = np.diff(self.first)[index]
        first = np.concatenate([[0], np.cumsum(count)])
        at = np.arange(first[-1]) + np.repeat(self.first[index] - first[:-1], count)
        return self.joins.take(at), first


@dataclass(frozen=True)
class _Goal:
    """One number to be made large: people who come inside a rule, or who then have everything, by one more place."""

    rule: Rule
    part: Rule
    counts: str
    weight: Int32s
    walk: Walk
    limit: float
    reach_m: float

    @property
    def key(self) -> _Key:
        return self.rule.id, self.part.id, self.counts


@dataclass(frozen=True)
class _Best:
    """What was found for a goal: its best candidates, and what every candidate brings, -1 where it was not tried."""

    candidates: Ints
    values: Ints


def additions_table(measured: Measured, candidates: Candidates) -> pd.DataFrame:
    """Return the best single additions of the city, by rule and by the people who then have every required service.

    With gates open, candidates are reached over the open borders.

    Parameters
    ----------
    measured
        What was measured; its study says how many are listed for each rule.
    candidates
        Where a place is tried (see `candidates_of`).
    """
    return _table(measured, candidates, _searched(measured, candidates, _places_of_homes(measured)))


@contextmanager
def additions_beside(
    measured: Measured, thread: ThreadPoolExecutor
) -> Iterator[Callable[[], tuple[pd.DataFrame | None, list[str]]]]:
    """Look for the additions that a study asks for while the caller does something else.

    The search works on arrays, and on no table that others look at.

    Parameters
    ----------
    measured
        What was measured.
    thread
        Searches when it has done what it was given before.

    Yields
    ------
    What waits for the search and returns the table (see `additions_table`; None where the study asks for none) and what
    is to be said of it. Who leaves without it gives the search up.
    """
    if not measured.study.candidates.top:
        yield lambda: (None, [])
        return
    given_up, homes_xy = Event(), _places_of_homes(measured)
    # Parcels are tables that others look at; points along the streets come from arrays alone.
    parcels = parcel_candidates(measured) if measured.inputs.parcels is not None else None

    def search() -> tuple[Candidates, dict[_Key, _Best]]:
        candidates = candidates_of(measured) if parcels is None else parcels
        return candidates, _searched(measured, candidates, homes_xy, given_up)

    found = thread.submit(search)

    def answer() -> tuple[pd.DataFrame, list[str]]:
        candidates, best = found.result()
        return _table(measured, candidates, best), candidate_notes(measured, candidates)

    try:
        yield answer
    finally:
        given_up.set()


def candidates_of(measured: Measured) -> Candidates:
    """Return where a study tries one more place: at its parcels, else along the streets."""
    if measured.inputs.parcels is not None:
        return parcel_candidates(measured)
    streets = measured.city_of(measured.first_gates).network.streets
    return street_candidates(streets, step_m=measured.study.candidates.step_m)


def candidate_notes(measured: Measured, candidates: Candidates) -> list[str]:
    """Name the parcels that cannot be tried because no street can be joined from them."""
    if measured.inputs.parcels is None:
        return []
    lost = [i for i in measured.inputs.parcels["parcel_id"] if i not in set(candidates.ids)]
    shown = ", ".join(lost[:8]) + (" …" if len(lost) > 8 else "")
    return [f"{len(lost)} parcels were not tried, as no street can be joined from them: {shown}"] if lost else []


def street_candidates(streets: Streets, *, step_m: float) -> Candidates:
    """Return points along the streets of the mainland, about `step_m` apart, by row and column of a grid.

    Points stand every `step_m` along each street, at least one; of those within one square of that size the one nearest
    to its middle is kept. Bridges, tunnels, steps and the paths made for estates hold no place.
    """
    usable = ~streets.raised & ~island_edges(streets) & ~np.isin(streets.highway.astype(str), ("steps", "estate"))
    edge = np.flatnonzero(usable & (streets.length_m > 0))
    count = np.maximum(1, np.round(streets.length_m[edge] / step_m)).astype(np.int64)
    owner = np.repeat(edge, count)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    share = (number + 0.5) / np.repeat(count, count)
    xy = shapely.get_coordinates(shapely.line_interpolate_point(streets.lines[owner], share, normalized=True))
    cell = np.floor(xy / step_m)
    away = np.round(np.hypot(*(xy - (cell + 0.5) * step_m).T), 3)
    order = np.lexsort((xy[:, 1], xy[:, 0], away, cell[:, 0], cell[:, 1]))
    kept = order[np.concatenate([[True], (np.diff(cell[order], axis=0) != 0).any(axis=1)])] if len(order) else order
    owner, share, xy = owner[kept], share[kept], xy[kept]
    none = np.zeros(len(kept))
    lonlat = gpd.GeoSeries(gpd.points_from_xy(*xy.T), crs=streets.crs).to_crs(WGS84)
    ids = np.array([f"{x:.5f},{y:.5f}" for x, y in zip(lonlat.x, lonlat.y, strict=True)], dtype=str)
    joins = Joins(owner, share, none, np.full(len(kept), "", dtype=object))
    return Candidates(ids, np.full(len(kept), "", dtype=str), xy, joins, np.arange(len(kept) + 1))


def parcel_candidates(measured: Measured) -> Candidates:
    """Return the planner's parcels, entered as open grounds are; those that join no street are left out."""
    parcels, inputs = measured.inputs.parcels, measured.inputs
    assert parcels is not None
    open_ = measured.first_gates == "open"
    doors = access_points(
        parcels.assign(ground=True, fence_tag=False, area_m2=parcels.geometry.area),
        streets=inputs.osm.streets,
        features=inputs.osm.features,
        walls=np.array([], dtype=object),
    )
    joins = joiner_of(measured.study, inputs, open_=open_)[1].join(shapely.get_coordinates(doors.geometry.to_numpy()))
    place = doors["place"].to_numpy()[joins.joined]
    kept, count = np.unique(place, return_counts=True)
    xy = shapely.get_coordinates(shapely.point_on_surface(parcels.geometry.to_numpy()[kept]))
    return Candidates(
        parcels["parcel_id"].to_numpy(dtype=str)[kept],
        parcels["name"].to_numpy(dtype=str)[kept],
        xy,
        joins.take(joins.joined),
        np.concatenate([[0], np.cumsum(count)]),
    )


def _goals(measured: Measured) -> list[_Goal]:
    """Return what one more place of each scoring rule could bring; rules without data are left out."""
    judged, people = measured.first, measured.people
    listed = [r for r in measured.rules.scoring_rules if r.id in judged and measured.standings[r.id].status in KNOWN]
    required = [r for r in listed if r.provision == "required"]
    missing = sum((people.applies(r) & ~judged[r.id].walk).astype(np.int64) for r in required)
    goals = []
    for rule in listed:
        for part in [judged[p].rule for p in rule.parts] if rule.combine else [rule]:
            helped = _would_help(measured, rule, part)
            gained = np.where(helped, without_place(measured, judged[rule.id]), 0)
            goals.append(_goal(measured, rule, part, "gained", gained))
            if rule in required:
                last = helped & people.applies(rule) & (missing == 1)
                goals.append(_goal(measured, rule, part, "completed", np.where(last, people.groups["all"], 0)))
    return goals


def _would_help(measured: Measured, rule: Rule, part: Rule) -> npt.NDArray[np.bool_]:
    """Tell which homes miss a rule that a place of one of its parts within reach would fulfil."""
    judged = measured.first
    missed = ~judged[rule.id].walk
    if rule.combine == "all_of":
        for other in rule.parts:
            if other != part.id:
                missed &= judged[other].walk
    return missed


def _goal(measured: Measured, rule: Rule, part: Rule, counts: str, people: Ints) -> _Goal:
    weight = people.astype(np.int32)  # of one home
    network = measured.city_of(measured.first_gates).network
    walker = rule_walker(part, measured.walkers[0], measured.study.profiles())
    threshold = part.threshold or 0.0
    if part.metric != "walk_min":
        return _Goal(rule, part, counts, weight, network.walk(walker), threshold, threshold)
    seconds = threshold * 60
    return _Goal(
        rule, part, counts, weight, network.walk(walker, unit="s"), seconds, seconds * walker.speed_m_s * _STEEPEST
    )


def _by_search(goals: Sequence[_Goal]) -> list[list[_Goal]]:
    """Put goals together that one search over the streets can serve: a longer one would look at much for nothing."""
    groups: dict[tuple[int, float], list[_Goal]] = {}
    for goal in goals:
        groups.setdefault((id(goal.walk), goal.limit), []).append(goal)
    return list(groups.values())


def _places_of_homes(measured: Measured) -> Floats:
    """Return where the homes are, in the plane of the network."""
    return measured.city_of(measured.first_gates).homes[["x", "y"]].to_numpy(dtype=float)


def _searched(
    measured: Measured, candidates: Candidates, homes_xy: Floats, given_up: Event | None = None
) -> dict[_Key, _Best]:
    """Return the best candidates of every goal; when `given_up` is set, what is found is worth nothing."""
    joins, top = measured.city_of(measured.first_gates).home_joins, measured.study.candidates.top
    goals = _goals(measured) if top and not measured.people.of_land else []  # what is counted are people
    found: dict[_Key, _Best] = {}
    for group in _by_search(goals):
        found.update(_search(joins, homes_xy, candidates, group, top, given_up))
    return {goal.key: found[goal.key] for goal in goals}


def _search(
    joins: Joins,
    homes_xy: Floats,
    candidates: Candidates,
    goals: Sequence[_Goal],
    top: int,
    given_up: Event | None,
) -> dict[_Key, _Best]:
    """Return the best candidates of goals that share one walk and one limit."""
    homes = np.flatnonzero(np.logical_or.reduce([goal.weight > 0 for goal in goals]))
    weights = np.empty((len(homes), len(goals)), dtype=np.int32)
    for column, goal in enumerate(goals):  # one after the other: all at once would be there twice
        weights[:, column] = goal.weight[homes]
    limits = np.array([goal.limit for goal in goals])
    catchments = goals[0].walk.catchments(joins.take(homes), weights)
    bounds = _bounds(homes_xy[homes], weights, candidates.xy, np.array([goal.reach_m for goal in goals]))
    order = np.argsort(-bounds, axis=0, kind="stable").astype(np.int32)
    values, done = np.zeros_like(bounds), np.zeros(len(bounds), dtype=bool)
    best = [np.empty(0, dtype=np.int64)] * len(goals)
    open_ = list(range(len(goals)))
    while open_ and not (given_up and given_up.is_set()):
        ahead = {c: order[~done[order[:, c]], c] for c in open_}
        pick = np.unique(np.concatenate([a[: max(1, _BATCH // len(open_))] for a in ahead.values()]))
        values[pick] = catchments.sums(*candidates.take(pick), limits)
        done[pick] = True
        for c in list(open_):
            left = bounds[~done, c].max(initial=0)
            best[c] = _apart(candidates.xy, np.where(done, values[:, c], 0), goals[c].reach_m, top)
            if left == 0 or (len(best[c]) == top and values[best[c][-1], c] > left):
                open_.remove(c)
    values[~done] = -1
    return {goal.key: _Best(best[c], values[:, c]) for c, goal in enumerate(goals)}


def _apart(xy: Floats, values: Ints, apart_m: float, top: int) -> Ints:
    """Return the candidates of the largest values, each at least a distance from those before it."""
    chosen: list[int] = []
    for i in np.lexsort((np.arange(len(values)), -values)):
        if values[i] <= 0 or len(chosen) == top:
            break
        if not chosen or np.hypot(*(xy[chosen] - xy[i]).T).min() >= apart_m:
            chosen.append(int(i))
    return np.array(chosen, dtype=np.int64)


def _bounds(homes: Floats, weights: Int32s, xy: Floats, reach_m: Floats) -> Ints:
    """Return the most that each candidate could bring: the weights within the straight line, by whole grid cells."""
    out = np.zeros((len(xy), len(reach_m)), dtype=np.int64)
    if not len(homes) or not len(xy):
        return out
    span = int(np.ceil(reach_m.max() / _CELL_M)) + 1
    low = np.floor(np.minimum(homes.min(axis=0), xy.min(axis=0)) / _CELL_M).astype(np.int64) - span
    at, home = (np.floor(p / _CELL_M).astype(np.int64) - low for p in (xy, homes))
    width, height = np.maximum(at.max(axis=0), home.max(axis=0)) + span + 2
    cell = home[:, 1] * (width + 1) + home[:, 0] + 1
    for column, reach in enumerate(reach_m):
        grid = np.bincount(cell, weights=weights[:, column], minlength=height * (width + 1))
        running = np.rint(grid).astype(np.int64).reshape(height, width + 1).cumsum(axis=1)
        for dy in range(-span, span + 1):
            gap = max(0, abs(dy) - 1) * _CELL_M
            if gap <= reach:
                dx = int(np.sqrt(reach**2 - gap**2) / _CELL_M) + 1
                row = at[:, 1] + dy
                out[:, column] += running[row, at[:, 0] + dx + 1] - running[row, at[:, 0] - dx]
    return out


def _table(
    measured: Measured,
    candidates: Candidates,
    found: Mapping[_Key, _Best],
) -> pd.DataFrame:
    """Put the best of every goal into one table, each candidate of a rule once, with both numbers."""
    tables = []
    for rule_id, part_id in dict.fromkeys((rule, part) for rule, part, _ in found):
        gained, completed = found[rule_id, part_id, "gained"], found.get((rule_id, part_id, "completed"))
        listed = [*gained.candidates, *(completed.candidates if completed else [])]
        at = np.array(list(dict.fromkeys(listed)), dtype=np.int64)
        rank = pd.Series(np.arange(1.0, len(gained.candidates) + 1), index=gained.candidates).reindex(at)
        tables.append(
            pd.DataFrame(
                {
                    "rule": rule_id,
                    "service": "|".join(measured.first[part_id].rule.services),
                    "candidate": at,
                    "rank": rank.to_numpy(),
                    "gained": gained.values[at],
                    "completed": completed.values[at].astype(float) if completed else np.nan,
                }
            )
        )
    empty = pd.DataFrame(columns=["rule", "service", "candidate", "rank", "gained", "completed"])
    table = pd.concat(tables, ignore_index=True) if tables else empty
    at = table["candidate"].to_numpy(dtype=np.int64)
    demand = {r: int(_demand(measured, r)) for r in dict.fromkeys(table["rule"])}
    points = gpd.points_from_xy(*candidates.xy[at].T)
    lonlat = gpd.GeoSeries(points, crs=measured.city.network.streets.crs).to_crs(WGS84)
    unit = _units(measured, candidates.xy[at])
    rules = {r.id: r for r in measured.rules.rules}
    table = table.assign(
        candidate_id=candidates.ids[at],
        candidate_name=candidates.names[at],
        lon=lonlat.x.round(6).to_numpy(),
        lat=lonlat.y.round(6).to_numpy(),
        unit_id=unit,
        unit_name=measured.inputs.units["unit_name"].reindex(unit).fillna("").to_numpy(),
        gained_share=table["gained"] / table["rule"].map(demand).astype(float),
        city_rank=_city_rank(table, measured.study.candidates.top),
        status=table["rule"].map({i: s.status for i, s in measured.standings.items()}),
        clause=table["rule"].map({i: r.citation for i, r in rules.items()}),
        walker=measured.walkers[0].name,
        gates=measured.first_gates,
    )
    return table[list(ADDITIONS.names)]


def _demand(measured: Measured, rule_id: str) -> int:
    rule = measured.first[rule_id].rule
    return int(np.where(measured.people.applies(rule), measured.people.residents(rule), 0).sum())


def _city_rank(table: pd.DataFrame, top: int) -> Floats:
    """Rank additions of all rules by the people who then have everything; empty beyond the number that is asked for."""
    completed = table["completed"].to_numpy(dtype=float)
    ranks = np.full(len(table), np.nan)
    order = np.lexsort((np.arange(len(table)), -np.nan_to_num(completed)))
    order = order[np.nan_to_num(completed[order]) > 0][:top]
    ranks[order] = np.arange(1, len(order) + 1)
    return ranks


def _units(measured: Measured, xy: Floats) -> npt.NDArray[np.object_]:
    """Return the community in which each point lies, empty outside; on a border the one with the smallest id."""
    units = measured.inputs.units
    unit = np.full(len(xy), "", dtype=object)
    point, at = shapely.STRtree(units.geometry.to_numpy()).query(shapely.points(xy), predicate="intersects")
    order = np.lexsort((at, point))[::-1]
    unit[point[order]] = units.index.to_numpy()[at[order]]
    return unit
