"""What there is in every community: people, households, land, streets, and places with their size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.coverage import Standing, layer_standing
from livingcircle.reach import Layer
from livingcircle.rules import Rule
from livingcircle_layers.facilities import Complete, Facilities
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
    complete
        For every service whether its layer holds every place.
    """

    places: pd.DataFrame
    community: Ints
    complete: Mapping[str, Complete]

    def figure(self, name: str) -> Floats:
        """Return a figure of every row, NaN where it is not known."""
        out = np.full(len(self.places), np.nan)
        for column in _CAPACITY if name == "capacity" else (name,):
            if column in self.places:
                given = self.places[column].to_numpy(dtype=float)
                out = np.where(np.isnan(out), given, out)
        return out

    def of(self, rule: Rule) -> Bools:
        """Tell which rows count for a rule, each place once; what is known to be too small does not."""
        mine = Layer.of(rule).chosen(self.places)
        for name, least in (("area_m2", rule.min_site_m2), ("floor_m2", rule.min_floor_m2)):
            if least is not None:
                mine = mine & ~(self.figure(name) < least)
        once = ~self.places["facility_id"].where(mine).duplicated().to_numpy()
        return mine & once

    def standing(self, rule: Rule, people: int) -> Standing:
        """Tell what is known about the places of a rule."""
        if not rule.services:
            return Standing("ok" if rule.metric == "density" and not rule.broader else "no_data", "unknown")
        any_size = self.places["facility_id"][self.places["service"].isin(rule.services)].nunique()
        return layer_standing(
            rule,
            int(self.of(rule).sum()),
            any_size,
            complete=self.complete,
            centre_only=frozenset(),
            people=people,
            absent=frozenset(rule.services) - set(self.places["service"]),
        )

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
    inside = first_inside(shapely.point_on_surface(frame.geometry.to_numpy()), units.geometry.to_numpy())
    return Stock(frame, inside, facilities.complete)


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
