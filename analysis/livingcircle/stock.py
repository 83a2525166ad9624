"""What there is in every community: people, households, land, streets, and places with their size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.coverage import Standing, layer_standing, parts_standing, rule_reach_m
from livingcircle.reach import Layer
from livingcircle.rules import Rule
from livingcircle.walkers import Walker
from livingcircle_layers.facilities import Facilities
from livingcircle_layers.facility_files import Complete
from livingcircle_layers.lattice import first_inside
from livingcircle_layers.streets import Streets

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Geometries = npt.NDArray[Any]

STREET_STEP_M = 10.0  # streets are counted in the community where each 10 m of them lie, a border's as homes on it
JUNCTION_ENDS = 3  # ways that meet at a junction, at least
# Roads of a town in OpenStreetMap; ways for people on foot, service ways and slip roads are none.
_ROADS = frozenset(
    ("trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street", "road")
)
_CAPACITY = ("capacity", "beds", "seats")  # what of a place is counted in places, the first that is known


@dataclass(frozen=True)
class Ground:
    """What there is to be supplied in every community, in ascending order of id.

    Attributes
    ----------
    people
        People by group, ``all`` among them: everybody who lives there, also off the street network.
    households
        None where the input has none.
    land_m2
        Area of the community.
    length_m, crossings
        Metres of way and number of junctions by kind of way (roads, walks); None where no clause asks.
    rural
        Rural communities, for which rules for towns say nothing.
    outlines
        The communities themselves, in the metric plane.
    of_land
        Nobody is known, and m² of residential land stand in the place of people.
    shared
        Groups that are no counts but shares of everybody.
    """

    people: Mapping[str, Ints]
    households: Ints | None
    land_m2: Floats
    length_m: Mapping[str, Floats] | None
    crossings: Mapping[str, Ints] | None
    rural: Bools
    outlines: Geometries
    of_land: bool = False
    shared: frozenset[str] = frozenset()

    def lived_in(self) -> Bools:
        """Tell in which communities somebody lives; all of them where nobody is known."""
        return (self.people["all"] > 0) | self.of_land

    @property
    def number(self) -> int:
        """All people; 0 where nobody is known."""
        return 0 if self.of_land else int(self.people["all"].sum())

    def applies(self, rule: Rule) -> Bools:
        """Tell for which communities a rule is meant."""
        return ~self.rural if rule.applies_to == "urban" else np.ones(len(self.rural), dtype=bool)


@dataclass(frozen=True)
class Stock:
    """What there is: places with their size, and the community each lies in.

    Attributes
    ----------
    places
        ``facility_id, service, area_m2`` and geometry in the metric plane; ``floor_m2, capacity, beds, seats`` where
        known. One row per place and service.
    community
        Position of the community of each row, -1 outside.
    away_m
        Straight line from each row to the nearest community, metres; 0 inside.
    complete
        For every service whether its layer holds every place.
    centre_only
        Services of which some ground is known by a point only.
    """

    places: pd.DataFrame
    community: Ints
    away_m: Floats
    complete: Mapping[str, Complete]
    centre_only: frozenset[str] = frozenset()

    def figure(self, name: str) -> Floats:
        """Return a figure of every row, NaN where it is not known."""
        out = np.full(len(self.places), np.nan)
        for column in _CAPACITY if name == "capacity" else (name,):
            if column in self.places:
                given = self.places[column].to_numpy(dtype=float)
                out = np.where(np.isnan(out), given, out)
        return out

    def of(self, rule: Rule) -> Bools:
        """Tell which rows count for a supply rule, each place once; what is known to be too small does not."""
        mine = self._large_enough(rule)
        return mine & ~self.places["facility_id"].where(mine).duplicated().to_numpy()

    def _large_enough(self, rule: Rule) -> Bools:
        mine = Layer.of(rule).chosen(self.places)
        for name, least in (("area_m2", rule.min_site_m2), ("floor_m2", rule.min_floor_m2)):
            if least is not None:
                mine = mine & ~(self.figure(name) < least)
        return mine

    def known(self, rule: Rule, walker: Walker, profiles: Mapping[str, Walker]) -> Bools:
        """Tell which rows are places of a rule that the people of the communities could use.

        A walk can lead as far as the rule reaches (`rule_reach_m`), so places within that of a community count, in a
        straight line from its outline; a supply is what lies in the communities. The rest of a list, which may be of
        the whole country, says nothing about how much is known here.
        """
        mine = Layer.of(rule).chosen(self.places) if rule.by_distance else self._large_enough(rule)
        walked = rule.by_distance or rule.community_has == "in_reach"
        return mine & (self.away_m <= (rule_reach_m(rule, walker, profiles) if walked else 0.0))

    def by_community(self, rows: Bools, n: int, weight: Floats | None = None) -> Floats:
        """Sum rows by community."""
        inside = rows & (self.community >= 0)
        chosen = None if weight is None else weight[inside]
        return np.bincount(self.community[inside], chosen, n).astype(float)


def stock_of(facilities: Facilities, units: gpd.GeoDataFrame) -> Stock:
    """Return the facilities with the community that each lies in.

    Parameters
    ----------
    units
        Communities, index ascending, in the plane of the facilities.
    """
    frame = facilities.frame
    outlines, places = units.geometry.to_numpy(), frame.geometry.to_numpy()
    inside = first_inside(shapely.point_on_surface(places), outlines)
    away_m = np.where(inside < 0, np.inf, 0.0)
    outside = np.flatnonzero(inside < 0)
    (row, _), gap = shapely.STRtree(outlines).query_nearest(places[outside], return_distance=True, all_matches=False)
    away_m[outside[row]] = np.round(gap, 2)
    return Stock(frame, inside, away_m, facilities.complete, facilities.centre_only)


def standings_of(
    rules: Sequence[Rule],
    stock: Stock,
    *,
    walkers: int,
    residents: int,
    walker: Walker,
    profiles: Mapping[str, Walker],
) -> dict[str, Standing]:
    """Return for every rule what is known about its layer; a rule of parts knows what its parts know.

    Parameters
    ----------
    stock
        All places, and how far from the communities they are.
    walkers, residents
        People whose homes join the streets, by whom rules about walks expect places, and all who live in the
        communities, by whom the others do; 0 where nobody is known.
    walker, profiles
        The first walker of the study, and all of them by name: how far rules in minutes reach.
    """
    by_id, frame = {rule.id: rule for rule in rules}, stock.places
    absent = frozenset(stock.complete) - set(frame["service"])
    sized = {str(s): float(share) for s, share in frame["area_m2"].notna().groupby(frame["service"]).mean().items()}

    def standing(rule: Rule) -> Standing:
        if rule.measured_by and rule.measured_by in by_id:
            return standing(by_id[rule.measured_by])
        if rule.combine is not None:
            return parts_standing(rule, [standing(by_id[part]) for part in rule.parts])
        if not rule.services:
            return Standing("ok" if rule.metric == "density" and not rule.broader else "no_data", "unknown")
        return layer_standing(
            rule,
            int(frame["facility_id"][stock.known(rule, walker, profiles)].nunique()),
            int(frame["facility_id"][frame["service"].isin(rule.services)].nunique()),
            complete=stock.complete,
            centre_only=stock.centre_only if rule.by_distance else frozenset(),
            people=walkers if rule.by_distance else residents,
            absent=absent,
            sized=sized if rule.by_distance else {},  # a supply tells of every unit whose sizes are not known
        )

    return {rule.id: standing(rule) for rule in rules}


def ground_of(
    homes: pd.DataFrame,
    units: gpd.GeoDataFrame,
    streets: Streets | None,
    *,
    of_land: bool = False,
    shared: frozenset[str] = frozenset(),
) -> Ground:
    """Return what is to be supplied in every community.

    Parameters
    ----------
    homes
        ``unit, people`` and groups of every home, also of those that could not be joined to a street.
    units
        Communities, index ascending, in the metric plane.
    streets
        Counted where a clause asks for a density; None: not counted.
    of_land, shared
        As in `Ground`.
    """
    names = [c for c in homes.columns if c in ("people", "households") or c.startswith("age_")]
    sums = homes.groupby("unit")[names].sum().reindex(units.index).fillna(0).astype("int64")
    groups = {"all" if name == "people" else name: sums[name].to_numpy() for name in names if name != "households"}
    outlines = units.geometry.to_numpy()
    length_m = crossings = None
    if streets is not None:
        kinds = {"roads": np.isin(streets.highway.astype(str), list(_ROADS)), "walks": np.ones(len(streets.tail), bool)}
        length_m = {name: _length_m(streets, mine, outlines) for name, mine in kinds.items()}
        crossings = {name: _crossings(streets, mine, outlines) for name, mine in kinds.items()}
    return Ground(
        people=groups,
        households=sums["households"].to_numpy() if "households" in sums else None,
        land_m2=shapely.area(outlines),
        length_m=length_m,
        crossings=crossings,
        rural=(units["unit_type"] == "rural").to_numpy(dtype=bool),
        outlines=outlines,
        of_land=of_land,
        shared=shared,
    )


def _length_m(streets: Streets, mine: Bools, outlines: Geometries) -> Floats:
    """Return the metres of some streets in each community."""
    lines, length = streets.lines[mine], streets.length_m[mine]
    steps = np.maximum(np.rint(length / STREET_STEP_M), 1).astype(np.int64)
    line = np.repeat(np.arange(len(lines)), steps)
    step = np.arange(len(line)) - np.repeat(np.cumsum(steps) - steps, steps)
    pace = (length / steps)[line]
    inside = first_inside(shapely.line_interpolate_point(lines[line], (step + 0.5) * pace), outlines)
    return np.bincount(inside[inside >= 0], pace[inside >= 0], len(outlines)).astype(float)


def _crossings(streets: Streets, mine: Bools, outlines: Geometries) -> Ints:
    """Return the junctions of some streets in each community: where at least three ends meet."""
    ends = np.bincount(np.append(streets.tail[mine], streets.head[mine]), minlength=len(streets.node_id))
    inside = first_inside(shapely.points(streets.node_xy[ends >= JUNCTION_ENDS]), outlines)
    return np.bincount(inside[inside >= 0], minlength=len(outlines)).astype(np.int64)
