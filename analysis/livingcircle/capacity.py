"""Capacity: beds, seats and floor that people have in reach, shared with all others who have them in reach, too.

Two-step floating catchment areas (2SFCA; Luo & Wang 2003): each place divides what it has by the people who can walk to
it; each home adds up the quotients of the places it can walk to. So nothing is handed out twice: access times people,
summed over homes, is the supply of all places that anybody reaches. The enhanced method (E2SFCA; Luo & Qi 2009) lets
nearer people weigh more, by thirds of the reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy import sparse

from livingcircle.columns import CAPACITY
from livingcircle.coverage import Units, rule_walker
from livingcircle.measured import Measured
from livingcircle.quantiles import people_quantiles
from livingcircle.rules import WHOLE_CIRCLE_MIN, Rule

# Weights by equal bands of the reach. Those of Luo & Qi (2009) for bands of 10, 20 and 30 minutes by car; how steeply
# people on foot shun a longer way is a judgement, so both of their sets are offered.
WEIGHTS: Mapping[str, tuple[float, ...]] = {"slow": (1.0, 0.68, 0.22), "fast": (1.0, 0.42, 0.09)}
EQUAL = (1.0,)
MEASURES = {"beds": "beds", "seats": "seats", "m2": "floor_m2"}  # what is measured, and the column of the places
_CLAUSE = {"beds": "places_per_1000", "seats": "places_per_1000", "m2": "m2_per_1000"}

_SHOWN = 5  # names in a note

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Costs:
    """Walks from homes to places, one row for each pair within reach: positions of both, and metres."""

    home: Ints
    place: Ints
    metres: Floats

    def where(self, keep: Bools) -> Costs:
        """Return some of the pairs."""
        return Costs(self.home[keep], self.place[keep], self.metres[keep])


@dataclass(frozen=True)
class Supply:
    """What the places of one service have, of one measure.

    Attributes
    ----------
    service, measure
        Such as primary_school, seats.
    ids
        Places whose figure is known.
    amount
        Their figures.
    unknown
        How many places of the service have no figure.
    rule
        The clause that says how far one walks to the service; None: no clause of the run does.
    reach_m
        How far that is, metres.
    """

    service: str
    measure: str
    ids: npt.NDArray[np.object_]
    amount: Floats
    unknown: int
    rule: Rule | None
    reach_m: float


def floating_catchment(
    costs: Costs, people: npt.ArrayLike, supply: npt.ArrayLike, *, reach_m: float, weights: Sequence[float] = EQUAL
) -> Floats:
    """Return for every home the supply per person that it has in reach (2SFCA, with several weights E2SFCA).

    Parameters
    ----------
    costs
        Walks between homes and places; pairs that are not there are out of reach.
    people
        Who shares the supply, per home.
    supply
        What each place has.
    reach_m
        The longest walk, inclusive.
    weights
        Of equal bands of the reach, the nearest first.

    Examples
    --------
    A school of 30 seats for 10 and 20 people, another of 5 seats for the 20 alone:

    >>> walks = Costs(np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([100.0, 200.0, 300.0]))
    >>> floating_catchment(walks, [10, 20], [30, 5], reach_m=500).tolist()
    [1.0, 1.25]
    """
    number, amount = np.asarray(people, dtype=float), np.asarray(supply, dtype=float)
    weight = weight_of(costs.metres, reach_m=reach_m, weights=weights)
    sharing = np.bincount(costs.place, number[costs.home] * weight, len(amount))
    each = np.divide(amount, sharing, out=np.zeros(len(amount)), where=sharing > 0)
    return np.bincount(costs.home, each[costs.place] * weight, len(number)).astype(float)


def weight_of(metres: Floats, *, reach_m: float, weights: Sequence[float]) -> Floats:
    """Return the weight of each walk by its band of the reach; beyond the reach 0."""
    edges = np.round(reach_m * np.arange(1, len(weights) + 1) / len(weights), 6)
    return np.append(np.asarray(weights, dtype=float), 0.0)[np.searchsorted(edges, metres, side="left")]


def within_catchments(costs: Costs, homes: npt.NDArray[Any], places: npt.NDArray[Any], outlines: Any) -> Costs:
    """Return the pairs of a home and a place that some catchment contains both; a border belongs to both sides.

    Parameters
    ----------
    homes, places
        Points in the plane of the outlines.
    outlines
        Polygons of catchments, which may overlap.
    """
    tree = shapely.STRtree(outlines)

    def inside(points: npt.NDArray[Any]) -> sparse.csr_array:
        point, outline = tree.query(points, predicate="intersects")
        return sparse.csr_array((np.ones(len(point)), (point, outline)), shape=(len(points), len(outlines)))

    shared = inside(homes)[costs.home].multiply(inside(places)[costs.place]).sum(axis=1)
    return costs.where(np.asarray(shared).ravel() > 0)


def capacity_table(measured: Measured) -> pd.DataFrame | None:
    """Return what people have in reach of every service whose places have known beds, seats or floor.

    None where no figure is known, or where nobody is. People share with the others of the group that the clause names,
    where the input has it. Places without a figure take no part; how many there are stands beside each number.
    """
    frames = [_rows(measured, supply) for supply in supplies(measured)]
    return pd.concat(frames, ignore_index=True)[list(CAPACITY.names)] if frames else None


def supplies(measured: Measured) -> Iterator[Supply]:
    """Yield what is known of the places of each service and measure, in the order of the catalogue."""
    frame = measured.city.facilities
    if measured.people.of_land:
        return
    told = frame.reindex(columns=list(MEASURES.values())).notna().any(axis=1)
    with_figures = set(frame["service"][told])
    for service in measured.catalogue.services:
        if service not in with_figures:
            continue
        mine = frame[frame["service"] == service].drop_duplicates("facility_id")
        for measure, column in MEASURES.items():
            if column not in mine or mine[column].isna().all():
                continue
            known = mine[mine[column].notna()]
            rule = _rule_of(measured, service)
            yield Supply(
                service,
                measure,
                known["facility_id"].to_numpy(dtype=object),
                known[column].to_numpy(dtype=float),
                len(mine) - len(known),
                rule,
                _reach_m(measured, rule),
            )


def capacity_notes(measured: Measured) -> list[str]:
    """Say of how many places no figure is known, of services of which other places have one."""
    frame, notes = measured.city.facilities, []
    for service in dict.fromkeys(supply.service for supply in supplies(measured)):
        mine = frame[frame["service"] == service].drop_duplicates("facility_id")
        known = mine.reindex(columns=list(MEASURES.values())).notna().any(axis=1)
        if not known.all():
            names = [name or place for name, place in zip(mine["name"], mine["facility_id"], strict=True)]
            unknown = [name for name, here in zip(names, known, strict=True) if not here]
            more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
            notes.append(
                f"capacity.csv: beds, seats and floor of {len(unknown)} of {len(mine)} places of {service} are not"
                f" known; they are left out: {', '.join(unknown[:_SHOWN])}{more}"
            )
    return notes


def _rule_of(measured: Measured, service: str) -> Rule | None:
    """Return the clause that says how far one walks to a service: one that scores before others."""
    rules = [r for r in measured.rules.rules if r.by_distance and r.combine is None and service in r.services]
    scoring = [r for r in rules if r.id in measured.rules.scoring]
    return next(iter(scoring or rules), None)


def _reach_m(measured: Measured, rule: Rule | None) -> float:
    """Return how far a clause lets people walk, in metres; without one the circle of 15 minutes."""
    walker = measured.walkers[0]
    if rule is None or rule.threshold is None:
        return WHOLE_CIRCLE_MIN * 60 * walker.speed_m_s
    if rule.metric == "walk_min":
        return rule.threshold * 60 * rule_walker(rule, walker, measured.study.profiles()).speed_m_s
    return rule.threshold


def walks_to(measured: Measured, supply: Supply) -> Costs:
    """Return the walks to the places of a supply within its reach, by their nearest entrance."""
    walks = []
    for gates in dict.fromkeys(("respect", measured.first_gates)):  # over open borders, or still through the gate
        city = measured.city_of(gates)
        place = pd.Index(supply.ids).get_indexer(pd.Index(city.doors["facility_id"]))
        at = np.flatnonzero(place >= 0)
        walk = city.network.walk(measured.walkers[0])
        home, door, metres = walk.pairs_from_doors(city.home_joins, city.door_joins.take(at), limit=supply.reach_m)
        walks.append(pd.DataFrame({"home": home, "place": place[at][door], "metres": metres}))
    nearest = pd.concat(walks).groupby(["home", "place"], as_index=False)["metres"].min()
    costs = Costs(*(nearest[name].to_numpy() for name in ("home", "place", "metres")))
    outlines = measured.inputs.catchments.get(supply.service)
    if outlines is None:
        return costs
    frame = measured.city.facilities.drop_duplicates("facility_id").set_index("facility_id")
    places = shapely.point_on_surface(frame.geometry.reindex(supply.ids).to_numpy())
    return within_catchments(costs, measured.city.home_points, places, outlines)


def _rows(measured: Measured, supply: Supply) -> pd.DataFrame:
    people = measured.people.groups["all"] if supply.rule is None else measured.people.residents(supply.rule)
    group = supply.rule.group if supply.rule and supply.rule.group in measured.people.groups else "all"
    costs = walks_to(measured, supply)
    asked = _asked(measured, supply, group)
    decay = measured.study.capacity.decay
    frames = []
    for method, weights in (("2sfca", EQUAL), (f"e2sfca_{decay}", WEIGHTS[decay])):
        access = floating_catchment(costs, people, supply.amount, reach_m=supply.reach_m, weights=weights)
        frames += [_unit_rows(units, supply, costs, people, access, asked).assign(method=method)
                   for units in measured.levels]  # fmt: skip
    known: dict[str, Any] = {
        "service": supply.service,
        "measure": supply.measure,
        "group": group,
        "reach_m": supply.reach_m,
        "required_per_1000": asked,
        "places_known": len(supply.ids),
        "places_unknown": supply.unknown,
    }
    return pd.concat(frames, ignore_index=True).assign(**known)


def _unit_rows(units: Units, supply: Supply, costs: Costs, people: Ints, access: Floats, asked: float) -> pd.DataFrame:
    demand, reached = units.total(people), np.zeros(len(people), dtype=bool)
    reached[costs.home] = True
    lived = (units.code[costs.home] >= 0) & (people[costs.home] > 0)
    met = np.unique(np.column_stack([units.code[costs.home], costs.place])[lived], axis=0)
    inside = units.code >= 0
    handed_out = np.bincount(units.code[inside], (access * people)[inside], len(units.ids))
    tenth, median = people_quantiles(access, people, units, at=(0.1, 0.5))
    below = units.total(np.where(np.round(1000 * access, 6) < asked, people, 0)).astype(float)
    return pd.DataFrame(
        {
            "level": units.level,
            "unit_id": units.ids,
            "unit_name": units.names,
            "people": demand,
            "supply_in_reach": np.bincount(met[:, 0], supply.amount[met[:, 1]], len(units.ids)),
            "access_per_1000": np.divide(1000 * handed_out, demand, out=np.full(len(demand), np.nan), where=demand > 0),
            "access_p10": 1000 * tenth,
            "access_p50": 1000 * median,
            "people_without": units.total(np.where(reached, 0, people)),
            "people_below": below if np.isfinite(asked) else np.nan,
        }
    )


def _asked(measured: Measured, supply: Supply, group: str) -> float:
    """Return what a clause of the run asks for 1,000 people of the group that shares; NaN where none does.

    Seats for 1,000 residents say nothing of seats for 1,000 children: a clause of another group is not compared.
    """
    known = measured.people.groups
    return next(
        (
            float(rule.threshold)
            for rule in measured.rules.rules
            if rule.metric == "per_1000"
            and rule.threshold_unit == _CLAUSE[supply.measure]
            and supply.service in rule.services
            and rule.threshold is not None
            and (rule.group if rule.group in known else "all") == group
        ),
        float("nan"),
    )
