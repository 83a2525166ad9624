"""Supply: how much there is for how many, where a clause asks for floor, land, places or streets and not for a walk.

Everything is counted by community first; the units above are sums of communities, never means of their figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.columns import COVERAGE
from livingcircle.coverage import (
    NESTED_LEVELS,
    Judged,
    People,
    Standing,
    Units,
    attainment,
    rule_columns,
)
from livingcircle.rules import Rule
from livingcircle.stock import Ground, Stock
from livingcircle_layers.catalogue import Catalogue

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

SERVED_SHARE = 0.5  # a community can walk to a service when half of its people can, the typical resident (a judgement)
_PER = {"count_per_3000_people": 3_000, "count_per_50000_people": 50_000}


@dataclass(frozen=True)
class Amount:
    """What a clause divides, by community: `factor` times so much (`amount`) for so many (`base`).

    ``known`` and ``unknown`` count places whose figure is known or not, ``demand`` is the denominator as printed.
    """

    amount: Floats
    base: Floats
    factor: float
    denominator: str
    demand: Floats
    known: Floats
    unknown: Floats
    group: str = "all"
    basis: str = ""


@dataclass(frozen=True)
class Having:
    """Which communities have what a clause asks for, which do not, and where that cannot be told.

    ``number`` is shown as the value: of a unit the sum of its communities (``total``), or the largest.
    """

    number: Floats
    has: Bools
    unknown: Bools
    total: bool = True


@dataclass(frozen=True)
class _Found:
    """The figures of one rule for the units of one level."""

    value: Floats
    status: npt.NDArray[Any]
    denominator: str = ""
    demand: Floats | None = None
    covered: Floats | None = None
    group: str = "all"
    basis: str = ""


def supply_table(
    rules: Sequence[Rule],
    stock: Stock,
    ground: Ground,
    levels: Sequence[Units],
    *,
    catalogue: Catalogue,
    in_reach: Mapping[str, Judged],
    standings: Mapping[str, Standing],
    people: People,
    homes: Sequence[Units],
) -> pd.DataFrame:
    """Return rows of coverage for the rules that measure supply, one per unit and rule.

    ``value`` holds the figure, ``denominator`` and ``demand`` what it is divided by. Where communities are counted,
    ``covered`` and ``share`` tell how many have it. What is not known is `no_data`, never 0.

    Parameters
    ----------
    rules
        Rules of the run; those by distance are passed over, but sums of points look at them.
    stock, ground
        What there is, and for whom.
    levels
        Units of the nested levels with the unit of every community.
    in_reach
        Verdicts per home that a share of communities or a sum of points asks for.
    standings
        What is known about the layer of every rule.
    people, homes
        Who lives in the homes of `in_reach`, and the units of the same levels with the unit of every home.
    """
    frames = [pd.DataFrame(columns=list(COVERAGE.names))]
    for rule in rules:
        if rule.by_distance or rule.measured_by:
            continue
        standing = standings[rule.id]
        measure = _measure_of(rule, rules, stock, ground, standing)
        walked = _walked_communities(in_reach[rule.id], people, homes[0]) if rule.id in in_reach else None
        for units, own in zip(levels, homes, strict=True):
            points = rule.metric == "score" and standing.status != "no_data" and not people.of_land
            found = _points(rule, in_reach, people, own, standing) if points else measure(units)
            rows = _rows(rule, units, found, standing, catalogue)
            rows["facilities"] = _facilities(rule, stock, units, standing)
            if walked is not None:
                rows = _on_foot(rows, rule, walked, in_reach[rule.id], ground, units)
            frames.append(rows)
    return pd.concat([f for f in frames if len(f)] or frames, ignore_index=True)[list(COVERAGE.names)]


def restated(rule: Rule, coverage: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Return rows for a rule that sets a figure for the share of another one: the same share under its own clause.

    Parameters
    ----------
    rule
        With ``measured_by``.
    coverage
        Rows of the rules by distance.
    """
    rows = coverage[coverage["rule"] == rule.measured_by].copy()
    for name, value in rule_columns(rule, catalogue).items():
        rows[name] = value
    measured_by_radius = rows["radius_share"].notna()
    value = rows["radius_share"].where(measured_by_radius, rows["share"]).to_numpy(dtype=float)
    status = rows["status"].to_numpy()
    judged_here = np.array([_judged_at(rule, level) for level in rows["level"]], dtype=bool)
    rows["value"] = value
    rows["met_clause"] = _met(rule, value, status, judged_here)
    rows["met_walk"] = _met(rule, rows["share"].to_numpy(dtype=float), status, judged_here)
    rows["attainment"] = attainment(value, rule)
    return rows


def _measure_of(
    rule: Rule, rules: Sequence[Rule], stock: Stock, ground: Ground, standing: Standing
) -> Callable[[Units], _Found]:
    """Return what gives the figures of a rule for the units of a level."""
    if standing.status != "no_data" and rule.metric != "score":
        if rule.metric in ("share_unit", "floor_m2", "site_m2") or rule.threshold_unit == "count":
            having = _having(rule, {one.id: one for one in rules}, stock, ground)
            return lambda units: _of_communities(rule, units, having, ground, standing)
        amount = _amount(rule, rules, stock, ground)
        if amount is not None:
            return lambda units: _divided(rule, units, amount, ground, standing)
    return lambda units: _Found(np.full(len(units.ids), np.nan), np.full(len(units.ids), "no_data", dtype=object))


# So much for so many --------------------------------------------------------------------------------------------------


def _amount(rule: Rule, rules: Sequence[Rule], stock: Stock, ground: Ground) -> Amount | None:
    """Return what a clause divides; None where the input does not have it."""
    n = len(ground.land_m2)
    if rule.metric == "density":
        return _density(rule, ground)
    if rule.metric not in ("per_100hh", "per_cap", "per_1000", "count", "share"):
        return None  # a drive, a commute, or a share of people that no rule measures
    if rule.threshold_unit in ("m2_per_100hh", "count_per_household"):
        base, denominator, group, basis = ground.households, "households", "all", "given"
    elif rule.metric == "share":
        land = np.rint(ground.land_m2).astype(np.int64) if rule.denominator == "land" else None
        base, denominator, group, basis = land, "land", "all", ""
    else:
        known = rule.group in ground.people
        basis = "stand_in" if not known else "share" if rule.group in ground.shared else "given"
        group = rule.group if known else "all"
        base, denominator = None if ground.of_land else ground.people[group], "people"
    if base is None:
        return None
    rows = stock.of(rule)
    if rule.metric in ("per_cap", "share") or rule.threshold_unit == "ha_per_1000":
        factor = 0.1 if rule.threshold_unit == "ha_per_1000" else 1.0  # m² to ha, for 1000 people
        amount, known_rows, unknown_rows = _land(_own_tier(rule, rules), stock, ground)
    elif rule.threshold_unit in _PER:
        factor, known_rows, unknown_rows = float(_PER[rule.threshold_unit]), rows, np.zeros(len(rows), dtype=bool)
        amount = stock.by_community(rows, n)
    else:
        name = "capacity" if rule.threshold_unit in ("places_per_1000", "count_per_household") else "floor_m2"
        factor = {"per_100hh": 100.0, "per_1000": 1000.0}.get(rule.metric, 1.0)
        figure = stock.figure(name)
        known_rows, unknown_rows = rows & ~np.isnan(figure), rows & np.isnan(figure)
        amount = stock.by_community(known_rows, n, figure)
    return Amount(
        amount, base.astype(float), factor, denominator, base.astype(float),
        stock.by_community(known_rows, n), stock.by_community(unknown_rows, n), group, basis,
    )  # fmt: skip


def _density(rule: Rule, ground: Ground) -> Amount | None:
    """Return streets, junctions or people on the land; spacing in metres is that of a square grid as dense."""
    n, land = len(ground.land_m2), ground.land_m2
    one, none = np.ones(n), np.zeros(n)
    if rule.threshold_unit == "people_per_km2":
        if ground.of_land:
            return None
        return Amount(ground.people["all"].astype(float), land, 1e6, "land", land, one, none)
    if ground.length_m is None or ground.crossings is None:
        return None
    length = ground.length_m[rule.ways]
    if rule.threshold_unit == "m":  # a grid of spacing s has 2 / s metres of street on a square metre
        return Amount(2 * land, length, 1.0, "land", land, one, none)
    if rule.threshold_unit == "km_per_km2":
        return Amount(length, land, 1000.0, "land", land, one, none)
    return Amount(ground.crossings[rule.ways].astype(float), land, 1e6, "land", land, one, none)


def _land(rule: Rule, stock: Stock, ground: Ground) -> tuple[Floats, Bools, Bools]:
    """Return the land of the places of a rule in every community, m², and the rows whose land is known or not.

    An outline counts where it lies, also across a border, and ground that is mapped twice counts once. A point of
    known area counts where it stands.
    """
    geometry, area = stock.places["geometry"].to_numpy(), stock.figure("area_m2")
    rows = stock.of(rule)
    outlined = rows & (shapely.area(geometry) > 0)
    parts = shapely.get_parts(shapely.union_all(geometry[outlined]))
    part, community = shapely.STRtree(ground.outlines).query(parts, predicate="intersects")
    pieces = shapely.area(shapely.intersection(parts[part], ground.outlines[community]))
    total = np.bincount(community, pieces, len(ground.outlines))
    pointed = rows & ~outlined & ~np.isnan(area)
    lost = stock.places["service"].isin(rule.services).to_numpy() & ~outlined & np.isnan(area)
    return total + stock.by_community(pointed, len(total), area), outlined | pointed, lost


def _own_tier(rule: Rule, rules: Sequence[Rule]) -> Rule:
    """Return the rule with the grounds of its own tier only: a larger one counts in the tier that asks for it.

    The 2 m² of the 15-minute circle are without the lower circles, so a park is counted in one of them.
    """
    larger = [
        other.min_site_m2
        for other in rules
        if (other.standard, other.services, other.metric) == (rule.standard, rule.services, rule.metric)
        and other.tier != rule.tier
        and (other.min_site_m2 or 0) > (rule.min_site_m2 or 0)
    ]
    if rule.min_site_m2 is None or rule.max_site_m2 is not None or not larger:
        return rule
    return rule.model_copy(update={"max_site_m2": min(size for size in larger if size is not None)})


def _divided(rule: Rule, units: Units, amount: Amount, ground: Ground, standing: Standing) -> _Found:
    total = _summed(units, ground.applies(rule))
    so_much, base, demand = total(amount.amount), total(amount.base), total(amount.demand)
    value = np.divide(amount.factor * so_much, base, out=np.full(len(base), np.nan), where=base > 0)
    known, unknown = total(amount.known), total(amount.unknown)
    status = np.full(len(base), standing.status, dtype=object)
    status[unknown > 0] = "incomplete"
    status[(unknown > 0) & (known == 0)] = "no_data"
    status = _without_demand(status, rule, units, ground, base)
    return _Found(_known(value, status), status, amount.denominator, demand, None, amount.group, amount.basis)


# Communities that have it ---------------------------------------------------------------------------------------------


def _having(rule: Rule, by_id: Mapping[str, Rule], stock: Stock, ground: Ground) -> Having:
    """Tell which communities have what a rule asks for, in a place inside them."""
    n = len(ground.land_m2)
    if rule.combine is not None:
        parts = [_having(by_id[part], by_id, stock, ground) for part in rule.parts]
        together: Any = np.logical_and if rule.combine == "all_of" else np.logical_or
        has = together.reduce([part.has for part in parts])
        return Having(has.astype(float), has, np.zeros(n, dtype=bool))
    rows = stock.of(rule)
    number = stock.by_community(rows, n)
    if rule.metric not in ("floor_m2", "site_m2"):
        least = rule.threshold if rule.threshold_unit == "count" and rule.threshold else 1.0
        return Having(number, number >= least, np.zeros(n, dtype=bool))
    figure = stock.figure("floor_m2" if rule.metric == "floor_m2" else "area_m2")
    largest = np.full(n, np.nan)
    inside = rows & (stock.community >= 0) & ~np.isnan(figure)
    np.fmax.at(largest, stock.community[inside], figure[inside])
    has = largest >= (rule.threshold or 0.0)
    untold = stock.by_community(rows & np.isnan(figure), n) > 0
    return Having(largest, has, untold & ~has, total=False)


def _of_communities(rule: Rule, units: Units, having: Having, ground: Ground, standing: Standing) -> _Found:
    meant = ground.applies(rule) & ground.lived_in()
    total = _summed(units, meant)
    demand, unknown = total(np.ones(len(meant))), total(having.unknown.astype(float))
    covered = total(having.has.astype(float))
    status = np.full(len(demand), standing.status, dtype=object)
    status[unknown > 0] = "incomplete"
    status[(unknown > 0) & (unknown == demand)] = "no_data"
    status = _without_demand(status, rule, units, ground, demand)
    if rule.metric == "share_unit":
        value = np.divide(covered, demand, out=np.full(len(demand), np.nan), where=demand > 0)
    elif having.total:
        value = total(having.number)
    else:
        value = np.full(len(demand), np.nan)
        inside = meant & (units.code >= 0) & ~np.isnan(having.number)
        np.fmax.at(value, units.code[inside], having.number[inside])
    if rule.denominator != "units":
        return _Found(_known(value, status), status)
    return _Found(_known(value, status), status, "units", demand, _known(covered, status))


def _walked_communities(judged: Judged, people: People, communities: Units) -> Bools:
    """Tell which communities can walk to what is asked for: at least half of their people can."""
    everybody = people.groups["all"]
    reached = communities.total(everybody, judged.walk)
    return (reached >= SERVED_SHARE * communities.total(everybody)) & (reached > 0)


def _on_foot(
    rows: pd.DataFrame, rule: Rule, walked: Bools, judged: Judged, ground: Ground, units: Units
) -> pd.DataFrame:
    """Say beside the communities that have a service how many can walk to one."""
    total = _summed(units, ground.applies(rule) & ground.lived_in())
    status = rows["status"].to_numpy()
    covered = _known(total(walked.astype(float)), status)
    demand = rows["demand"].to_numpy(dtype=float)
    share = np.divide(covered, demand, out=np.full(len(rows), np.nan), where=demand > 0)
    met = _met(rule, share, status, np.full(len(rows), _judged_at(rule, units.level)))
    if rule.community_has == "in_reach":
        rows = rows.assign(value=share, met_clause=met, attainment=attainment(share, rule))
    return rows.assign(
        covered=covered,
        share=share,
        met_walk=met,
        walker=judged.walker,
        gates=judged.gates,
    )


# Points ---------------------------------------------------------------------------------------------------------------


def _points(rule: Rule, judged: Mapping[str, Judged], people: People, units: Units, standing: Standing) -> _Found:
    """Return how many of its parts a resident reaches on average."""
    everybody = people.groups["all"]
    reached = sum((judged[part].walk.astype(np.int64) for part in rule.parts), np.zeros(len(everybody), np.int64))
    demand = units.total(everybody).astype(float)
    value = np.divide(units.total(reached * everybody), demand, out=np.full(len(demand), np.nan), where=demand > 0)
    status = np.where(demand > 0, standing.status, "no_demand").astype(object)
    asked = people.of(rule)
    return _Found(value, status, asked.denominator, demand, None, asked.group, asked.basis)


# Rows -----------------------------------------------------------------------------------------------------------------


def _rows(rule: Rule, units: Units, found: _Found, standing: Standing, catalogue: Catalogue) -> pd.DataFrame:
    n = len(units.ids)
    none = np.full(n, np.nan)
    demand = none if found.demand is None else found.demand
    covered = none if found.covered is None else found.covered
    share = np.divide(covered, demand, out=np.full(n, np.nan), where=demand > 0)
    here = np.full(n, _judged_at(rule, units.level))
    if rule.metric != "share_unit" and found.denominator == "units":
        met = _met(rule.model_copy(update={"threshold": rule.target or 1.0}), share, found.status, here)
    else:
        met = _met(rule, found.value, found.status, here)
    return pd.DataFrame(
        {
            "level": units.level,
            "unit_id": units.ids,
            "unit_name": units.names,
            **rule_columns(rule, catalogue),
            "group": found.group,
            "group_basis": found.basis,
            "walker": "",
            "gates": "",
            "denominator": found.denominator,
            "demand": np.rint(demand),
            "covered": covered,
            "share": share,
            **dict.fromkeys(("radius_covered", "radius_share", "minutes_covered", "minutes_share"), np.nan),
            "value": found.value,
            "met_clause": met,
            "met_walk": pd.array([pd.NA] * n, dtype="boolean"),
            **dict.fromkeys(("nearest_m_median", "nearest_m_p90", "edge_share"), np.nan),
            "status": found.status,
            "layer_complete": standing.complete if rule.services else "",
            "attainment": attainment(found.value if rule.threshold_unit == "share" else share, rule),
        }
    )


def _facilities(rule: Rule, stock: Stock, units: Units, standing: Standing) -> Floats:
    n = len(units.ids)
    if not rule.services or rule.broader or standing.status == "no_data":
        return np.full(n, np.nan)
    by_community = stock.by_community(stock.of(rule), len(units.code))
    return _summed(units, np.ones(len(units.code), dtype=bool))(by_community)


def _judged_at(rule: Rule, level: str) -> bool:
    """Tell whether a clause is judged at a level: one about the city says nothing of a community.

    Where communities are counted also every level above is judged by their share. A clause of a circle is judged
    everywhere.
    """
    if rule.tier not in NESTED_LEVELS:
        return rule.denominator != "" or rule.threshold_unit != "count"
    wanted, here = NESTED_LEVELS.index(rule.tier), NESTED_LEVELS.index(level) if level in NESTED_LEVELS else -1
    return here >= wanted if rule.denominator == "units" else here == wanted


def _met(rule: Rule, value: Floats, status: npt.NDArray[Any], judged_here: Bools) -> Any:
    """Judge a figure against the clause; what an incomplete layer does not prove cannot be judged."""
    limit = np.nan if rule.threshold is None else rule.threshold
    upper = rule.metric == "density" and rule.threshold_unit == "m"  # spacing of streets: at most
    reached = np.round(value, 9) <= limit if upper else np.round(value, 9) >= limit
    met = pd.array(reached, dtype="boolean")
    met[np.isnan(value) | np.isnan(limit) | ~judged_here | ((status == "incomplete") & ~reached)] = pd.NA
    return met


def _summed(units: Units, meant: Bools) -> Callable[[Floats], Floats]:
    """Return what adds figures of the communities that a rule is meant for up to the units of a level."""
    inside = (units.code >= 0) & meant
    return lambda values: np.bincount(units.code[inside], values[inside], len(units.ids)).astype(float)


def _without_demand(
    status: npt.NDArray[Any], rule: Rule, units: Units, ground: Ground, base: Floats
) -> npt.NDArray[Any]:
    """Mark units where there is nothing to divide by, and those that the rule is not meant for."""
    everywhere = _summed(units, np.ones(len(units.code), dtype=bool))
    meant = _summed(units, ground.applies(rule))
    one = np.ones(len(units.code))
    status[base == 0] = "no_demand"
    status[(meant(one) == 0) & (everywhere(one) > 0)] = "not_applicable"
    return status


def _known(values: Floats, status: npt.NDArray[Any]) -> Floats:
    return np.where(np.isin(status, ("ok", "incomplete")), values, np.nan)
