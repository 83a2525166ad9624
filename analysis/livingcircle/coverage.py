"""Coverage: for every rule and unit, how many people can walk there within the standard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from livingcircle._sums import sums
from livingcircle.cells import Cells
from livingcircle.columns import COVERAGE
from livingcircle.hundredths import Int32s, from_hundredths, hundredths
from livingcircle.quantiles import walk_quantiles
from livingcircle.reach import Layer, Reach
from livingcircle.rules import TIER_MINUTES, Rule
from livingcircle.walkers import WALKERS, Walker
from livingcircle_layers.catalogue import Catalogue
from livingcircle_layers.facility_files import Complete

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

NESTED_LEVELS = ("community", "subdistrict", "district", "city")
LEVELS = (*NESTED_LEVELS, "estate", "area")  # the last two lie across the others, may overlap and are never summed
# Largest population of each circle (standards.md section 1): the fewest places that these people should have.
TIER_PEOPLE = {
    "5min": 12_000, "10min": 25_000, "8min": 25_000, "15min": 100_000, "block": 3_000, "community": 12_000,
}  # fmt: skip
INCOMPLETE_UNDER = 0.25  # a quarter of the places that the tier asks for (standards.md 11.3)


@dataclass(frozen=True)
class Units:
    """Units of one level: which one every home belongs to.

    Attributes
    ----------
    level
        One of `LEVELS`.
    ids, names, types
        Per unit, in ascending order of id.
    code
        Per home the position of its unit, -1 outside.
    complete
        Whether all communities of the unit are supplied, per unit.
    not_placed
        People of the unit whose homes could not be joined to the streets, who are in no other number; None: nobody.
    part
        Units of one level that lie over each other stand in several parts, numbered from 0.
    """

    level: str
    ids: tuple[str, ...]
    names: tuple[str, ...]
    types: tuple[str, ...]
    code: Ints
    complete: Bools
    not_placed: Ints | None = None
    part: int = 0

    @property
    def key(self) -> str:
        """Name the units among those of all levels and parts."""
        return f"{self.level}-{self.part}" if self.part else self.level

    def total(self, weight: npt.NDArray[Any], where: Bools | None = None) -> Ints:
        """Sum whole numbers of homes by unit, of all homes or `where` it is true."""
        number = weight if weight.dtype.kind in "biu" else np.rint(weight).astype(np.int64)
        return sums(self.code, number, len(self.ids), where)


@dataclass(frozen=True)
class Judged:
    """What one rule says of every home, for one walker.

    ``radius`` and ``minutes`` are None where the rule has no such measure. ``walk_m`` is the walk to the nearest place
    of the rule, for a rule of several parts the longest of its parts (any_of: the shortest), kept in whole centimetres,
    -1 where there is none. ``reach_m`` is how far the rule reaches.
    """

    rule: Rule
    walker: str
    gates: str
    walk: Bools
    radius: Bools | None
    minutes: Bools | None
    walk_cm: Int32s
    reach_m: float

    @property
    def walk_m(self) -> Floats:
        """Metres to the nearest place of the rule; NaN where none is reached."""
        return from_hundredths(self.walk_cm)


@dataclass(frozen=True)
class Standing:
    """How much is known about the layer of a rule: status and completeness mark."""

    status: str
    complete: Complete


def rule_walker(rule: Rule, walker: Walker, profiles: Mapping[str, Walker]) -> Walker:
    """Return whose minutes a rule counts: its own walker's where the clause is in minutes."""
    return profiles[rule.walker] if rule.metric == "walk_min" and rule.walker else walker


def rule_reach_m(rule: Rule, walker: Walker, profiles: Mapping[str, Walker]) -> float:
    """Return how far a rule reaches, metres: its threshold, or how far its walker gets in its minutes.

    A share of communities reaches as far as the minutes of its circle.
    """
    if not rule.by_distance:
        return rule.circle_min * 60 * walker.speed_m_s
    threshold = rule.threshold if rule.threshold is not None else np.nan
    return threshold * 60 * rule_walker(rule, walker, profiles).speed_m_s if rule.metric == "walk_min" else threshold


def judge(
    rules: Sequence[Rule],
    reaches: Mapping[Layer, Reach],
    walker: Walker,
    *,
    gates: str = "respect",
    profiles: Mapping[str, Walker] = WALKERS,
) -> dict[str, Judged]:
    """Judge every home by every rule that is walked (`Rule.walked`).

    Parameters
    ----------
    rules
        Rules of a run; parts of a rule must be among them.
    reaches
        Distances per layer.
    walker
        The chosen walker.
    gates
        How the gates of closed estates were taken: respect or open.
    profiles
        All walkers by name, for clauses in minutes that name one.
    """
    judged: dict[str, Judged] = {}
    for rule in rules:
        if rule.walked and rule.combine is None:
            judged[rule.id] = _judge_one(rule, reaches[Layer.of(rule)], walker, gates, profiles)
    for rule in rules:
        if rule.combine in ("any_of", "all_of") and all(p in judged for p in rule.parts):
            judged[rule.id] = _judge_parts(rule, [judged[p] for p in rule.parts])
    return {rule.id: judged[rule.id] for rule in rules if rule.id in judged}


def _judge_one(rule: Rule, reach: Reach, walker: Walker, gates: str, profiles: Mapping[str, Walker]) -> Judged:
    threshold = rule.threshold if rule.threshold is not None else np.nan
    walk_cm, reach_m = reach.walk_m.kept[walker.name], rule_reach_m(rule, walker, profiles)
    if not rule.by_distance:  # a share of communities: what can be reached is what the circle's minutes reach
        near = reach.walk_s[walker.name] <= rule.circle_min * 60
        return Judged(rule, walker.name, gates, near, None, near, walk_cm, reach_m)
    minutes_limit = threshold if rule.metric == "walk_min" else TIER_MINUTES.get(rule.tier)
    minutes = None if minutes_limit is None else reach.walk_s[walker.name] <= minutes_limit * 60
    if rule.metric == "walk_min":
        walk, radius = reach.walk_s[rule_walker(rule, walker, profiles).name] <= threshold * 60, None
    else:
        walk, radius = reach.walk_m[walker.name] <= threshold, reach.straight_m <= threshold
    return Judged(rule, walker.name, gates, walk, radius, minutes, walk_cm, reach_m)


def _judge_parts(rule: Rule, parts: Sequence[Judged]) -> Judged:
    together: Any = np.logical_and if rule.combine == "all_of" else np.logical_or
    longest: Any = np.maximum if rule.combine == "all_of" else np.fmin

    def both(masks: list[Bools | None]) -> Bools | None:
        known = [m for m in masks if m is not None]
        return together.reduce(known) if len(known) == len(masks) else None

    return Judged(
        rule=rule,
        walker=parts[0].walker,
        gates=parts[0].gates,
        walk=together.reduce([p.walk for p in parts]),
        radius=both([p.radius for p in parts]),
        minutes=both([p.minutes for p in parts]),
        walk_cm=hundredths(longest.reduce([p.walk_m for p in parts])),
        reach_m=max(p.reach_m for p in parts),
    )


def layer_standing(
    rule: Rule,
    places: int,
    places_of_any_size: int,
    *,
    complete: Mapping[str, Complete],
    centre_only: frozenset[str],
    people: int,
    absent: frozenset[str] = frozenset(),
    sized: Mapping[str, float] = MappingProxyType({}),
) -> Standing:
    """Tell whether the layer of a rule is known well enough to be counted.

    ``places`` are those that these people could use (see `livingcircle.stock.Stock.known`), ``places_of_any_size`` all
    of its services, also elsewhere: a list that has places, but none here, is a list.

    No places at all is `no_data` unless the planner knows that there are none; so is a rule that means something
    narrower than its services, and one that asks for a size of which no place's is known. No place here of a list that
    has some elsewhere, far fewer places than the circles of these people would need, grounds known by a point only or
    of unknown size (`sized`: the share of places of a service whose size is known, where it is not all), or one of
    several services without any place (`absent`) are `incomplete`.
    """
    marks = {complete[s] for s in rule.services}
    mark: Complete = "yes" if marks == {"yes"} else "no" if "no" in marks else "unknown"
    size_known = [sized.get(s, 1.0) for s in rule.services if s not in absent] if Layer.of(rule).of_size else []
    untold = places == 0 and bool(size_known) and max(size_known) == 0.0
    if rule.broader or untold or (places_of_any_size == 0 and mark != "yes"):
        return Standing("no_data", mark)
    expected = people / TIER_PEOPLE[rule.tier] if rule.tier in TIER_PEOPLE else 0.0
    few = mark == "unknown" and (places == 0 or places < INCOMPLETE_UNDER * expected)
    lacking = any(service in absent and complete[service] != "yes" for service in rule.services)
    unsized = any(share < 1.0 for share in size_known)
    if mark == "no" or few or lacking or unsized or not centre_only.isdisjoint(rule.services):
        return Standing("incomplete", mark)
    return Standing("ok", mark)


def parts_standing(rule: Rule, parts: Sequence[Standing]) -> Standing:
    """Return what is known about a rule of parts.

    Where all parts are asked for, one without data leaves the whole unknown. Where any of them will do, what the
    others reach is reached, but who is not reached may yet be: at least that many, `incomplete`.
    """
    statuses = [part.status for part in parts]
    marks = {part.complete for part in parts}
    mark: Complete = "yes" if marks == {"yes"} else "no" if "no" in marks else "unknown"
    lacking = all(s == "no_data" for s in statuses) or (rule.combine == "all_of" and "no_data" in statuses)
    if lacking:
        return Standing("no_data", mark)
    return Standing("ok" if set(statuses) == {"ok"} else "incomplete", mark)


@dataclass(frozen=True)
class Demand:
    """Who or what should be served by a rule: group, how its number is known, what is counted, and how many."""

    group: str
    basis: str
    denominator: str
    count: Ints


@dataclass(frozen=True)
class People:
    """Who is counted, per home.

    Attributes
    ----------
    groups
        People by group; ``all`` is everybody.
    shared
        Groups that are no counts but shares of everybody.
    rural
        Whose home lies in a rural community.
    households
        Households, None where the input has none.
    of_land
        The "homes" are points of residential land and ``all`` counts their square metres: a statistic of land.
    """

    groups: Mapping[str, Ints]
    rural: Bools
    households: Ints | None = None
    of_land: bool = False
    shared: frozenset[str] = frozenset()

    @property
    def number(self) -> int:
        """All people; 0 where nobody is known and land is counted."""
        return 0 if self.of_land else int(self.groups["all"].sum())

    def of(self, rule: Rule) -> Demand:
        """Return what is counted for a rule: its group where the input has it, else all people in its place."""
        if self.of_land:
            return Demand(rule.group, "", "residential_land", self.groups["all"])
        if rule.denominator == "households" and self.households is not None:
            return Demand("all", "given", "households", self.households)
        known = rule.group in self.groups
        group, basis = (rule.group, "share" if rule.group in self.shared else "given") if known else ("all", "stand_in")
        return Demand(group, basis, "people", self.residents(rule))

    def residents(self, rule: Rule) -> Ints:
        """Return the people of a rule's group per home, whatever its own share counts."""
        return self.groups[rule.group if rule.group in self.groups else "all"]

    def applies(self, rule: Rule) -> Bools:
        """Tell for which homes a rule is meant: a rule for towns says nothing of rural communities."""
        return ~self.rural if rule.applies_to == "urban" else np.ones(len(self.rural), dtype=bool)


def coverage_table(
    judged: Sequence[Judged],
    standings: Mapping[str, Standing],
    people: People,
    levels: Sequence[Units],
    *,
    catalogue: Catalogue,
    exit_m: Floats,
    facility_units: Mapping[str, Mapping[Layer, Ints]],
) -> pd.DataFrame:
    """Return the long table of coverage: one row per unit, rule and walker.

    Parameters
    ----------
    judged
        Every rule's verdict per home, for each walker.
    standings
        Per rule what is known about its layer.
    people
        Who is counted.
    levels
        Units of all levels.
    exit_m
        Each home's walk to where the streets leave the data.
    facility_units
        Per level (`Units.key`) and layer the number of places inside each unit.
    """
    if not judged or not levels:
        return pd.DataFrame(columns=list(COVERAGE.names))
    cells = Cells(levels)
    everybody = cells.total(people.groups["all"])
    frames: list[list[pd.DataFrame]] = [[] for _ in levels]
    for j in judged:
        counted = _counted(j, people, cells, everybody, exit_m)
        for rows, units, here in zip(frames, levels, counted, strict=True):
            rows.append(_unit_rows(j, standings[j.rule.id], people, units, here, catalogue, facility_units[units.key]))
    return pd.concat([rows for level in frames for rows in level], ignore_index=True)[list(COVERAGE.names)]


@dataclass(frozen=True)
class _Counted:
    """What was counted of one rule in the units of a level.

    Everybody, those it applies to, those who are asked for (`Demand`), of these who lives within it along streets, as
    the crow flies and in its minutes (None: it has no such measure), and who may walk out of the data; and the walks.
    """

    everybody: Ints
    applicable: Ints
    demand: Ints
    walk: Ints
    radius: Ints | None
    minutes: Ints | None
    at_edge: Ints
    median_m: Floats
    p90_m: Floats


def _counted(judged: Judged, people: People, cells: Cells, everybody: Sequence[Ints], exit_m: Floats) -> list[_Counted]:
    """Count the people of every unit by what a rule says of their homes; one answer for each level."""
    applies = people.applies(judged.rule)
    count = np.where(applies, people.of(judged.rule).count, 0)
    demand = cells.total(count)
    by_measure = [
        [None] * len(demand) if mask is None else cells.total(count, mask)
        for mask in (judged.walk, judged.radius, judged.minutes, exit_m <= judged.reach_m)
    ]
    walk, radius, minutes, at_edge = by_measure
    quantiles = walk_quantiles(judged.walk_cm, count, cells, np.concatenate(demand))
    applicable = cells.total(people.groups["all"], applies)
    return [
        _Counted(*values)
        for values in zip(everybody, applicable, demand, walk, radius, minutes, at_edge, *quantiles, strict=True)
    ]


def _unit_rows(
    judged: Judged,
    standing: Standing,
    people: People,
    units: Units,
    counted: _Counted,
    catalogue: Catalogue,
    places_inside: Mapping[Layer, Ints],
) -> pd.DataFrame:
    """Return the rows of one rule and walker for the units of a level."""
    # Long because the table is wide: half of it is one line for each column.
    rule, demand = judged.rule, counted.demand
    asked = people.of(rule)
    status = _statuses(standing, units, counted)
    known = np.isin(status, ("ok", "incomplete"))

    def share_of(total: npt.NDArray[Any]) -> Floats:
        return np.divide(total, demand, out=np.full(len(demand), np.nan), where=demand > 0)

    def served(total: Ints | None) -> Floats:
        return np.where(known, np.nan if total is None else total, np.nan)

    covered, radius, minutes = served(counted.walk), served(counted.radius), served(counted.minutes)
    by_clause = share_of(radius if rule.metric == "radius" else covered)
    return pd.DataFrame(
        {
            "level": units.level,
            "unit_id": units.ids,
            "unit_name": units.names,
            **rule_columns(rule, catalogue),
            "group": asked.group,
            "group_basis": asked.basis,
            "walker": judged.walker,
            "gates": judged.gates,
            "denominator": asked.denominator,
            "demand": demand,
            "covered": covered,
            "share": share_of(covered),
            "radius_covered": radius,
            "radius_share": share_of(radius),
            "minutes_covered": minutes,
            "minutes_share": share_of(minutes),
            "value": np.nan,
            "met_clause": met(by_clause, rule, status),
            "met_walk": met(share_of(covered), rule, status),
            "nearest_m_median": np.where(known, counted.median_m, np.nan),
            "nearest_m_p90": np.where(known, counted.p90_m, np.nan),
            "facilities": np.where(standing.status == "no_data", np.nan, _places(places_inside, rule, len(demand))),
            "status": status,
            "layer_complete": standing.complete,
            "edge_share": share_of(counted.at_edge),
            "attainment": attainment(by_clause, rule),
        }
    )


def _statuses(standing: Standing, units: Units, counted: _Counted) -> npt.NDArray[Any]:
    """Return the status of a rule in each unit."""
    status = np.full(len(units.ids), standing.status, dtype=object)
    status[counted.demand == 0] = "no_demand"
    # People live there, but none of them could be joined to a street: nothing is known, which is not nobody.
    if units.not_placed is not None:
        status[(counted.everybody == 0) & (units.not_placed > 0)] = "no_data"
    status[(counted.applicable == 0) & (counted.everybody > 0)] = "not_applicable"
    return status


def attainment(share: Floats, rule: Rule) -> Floats:
    """Return how much of its target a share attains, at most 1; NaN where the clause states no target."""
    return np.full(len(share), np.nan) if rule.target is None else np.minimum(1.0, share / rule.target)


def theme_of(rule: Rule, catalogue: Catalogue) -> str:
    """Return the theme of a rule, that of its first service; empty for a rule without a service."""
    return catalogue.services[rule.services[0]].theme if rule.services else ""


def rule_columns(rule: Rule, catalogue: Catalogue) -> dict[str, Any]:
    """Return what a row says of its rule, the same in every unit."""
    return {
        "standard": rule.standard,
        "rule": rule.id,
        "service": "|".join(rule.services),
        "theme": theme_of(rule, catalogue),
        "tier": rule.tier,
        "clause_measure": rule.metric,
        "threshold": rule.threshold if rule.threshold is not None else np.nan,
        "threshold_unit": rule.threshold_unit,
        "target": rule.target if rule.target is not None else np.nan,
        "clause": rule.citation,
        "bound": rule.bound,
        "provision": rule.provision,
        "confidence": rule.confidence,
    }


def _places(places_inside: Mapping[Layer, Ints], rule: Rule, n: int) -> Floats:
    inside = places_inside.get(Layer.of(rule))
    return np.full(n, np.nan) if inside is None else inside.astype(float)


def met(share: Floats, rule: Rule, status: npt.NDArray[Any]) -> Any:
    """Judge shares against the target, or against everybody where the clause states none.

    What an incomplete layer already proves is met; what it does not prove cannot be judged.
    """
    reached = np.round(share, 9) >= (rule.target if rule.target is not None else 1.0)
    met = pd.array(reached, dtype="boolean")
    unknown = np.isnan(share) | ((status == "incomplete") & ~reached)
    met[unknown] = pd.NA
    return met
