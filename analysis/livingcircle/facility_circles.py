"""The circle of every facility: from where people walk to it within what a rule of the run asks for.

The hearing map draws it beside the straight-line radius when somebody chooses a facility. Circles are for looking at;
coverage is computed from the walks of homes.
"""

from __future__ import annotations

from typing import NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.circles import CELL_M, Asked, CircleGrid, Question, answered
from livingcircle.columns import FACILITY_CIRCLES, published
from livingcircle.community_circles import ground_of
from livingcircle.coverage import rule_walker
from livingcircle.measured import Measured
from livingcircle.reach import City, Layer
from livingcircle.walkers import Walker
from livingcircle_layers.crs import WGS84, reprojected

MOST_CIRCLES = 4_000  # services are drawn whole, the rarest first, until so many: about 1 MB of a map


Ints = npt.NDArray[np.int64]


class _Walk(NamedTuple):
    """A walk that a rule asks for, to the places of one service; `scores` puts it before others."""

    service: str
    limit: float
    unit: str
    walker: Walker
    scores: bool


def facility_circles(
    measured: Measured, *, grid: CircleGrid | None = None, most: int = MOST_CIRCLES
) -> gpd.GeoDataFrame:
    """Return the circles of facilities, one for each distance or time that a rule of the run asks for.

    Parameters
    ----------
    measured
        What was measured for a study.
    grid
        The ground of `livingcircle.community_circles.ground_of`, if it is at hand.
    most
        How many circles are drawn at most. Services of scoring rules come first, and those with few places; a service
        that would go beyond is left out whole, so that the map can say which services have none.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns of `livingcircle.columns.FACILITY_CIRCLES` in WGS-84 degrees, by service, limit and facility. A facility
        that is on no street has no row.
    """
    city, barriers = ground_of(measured)
    return answered(grid or CircleGrid(city.network, barriers), [facilities_question(measured, most=most)])[0]


def facilities_question(measured: Measured, *, most: int = MOST_CIRCLES) -> Question:
    """Return the question that `facility_circles` answers."""
    city, _ = ground_of(measured)
    chosen, left = [], most
    place, ids = pd.factorize(city.doors["facility_id"], sort=True)
    for walk, doors in _walks(measured, city):
        places = len(np.unique(place[doors]))
        if places <= left:
            left -= places
            chosen.append((walk, doors))
    return _question(city, chosen, place, ids.to_numpy(dtype=str))


def _walks(measured: Measured, city: City) -> list[tuple[_Walk, Ints]]:
    """Return every walk once with the doors it leads to, in the order in which they are drawn."""
    scoring, profiles = set(measured.rules.scoring), measured.study.profiles()
    found: dict[tuple[str, float, str, str], _Walk] = {}
    for rule in measured.rules.rules:
        if not rule.by_distance or rule.combine or rule.measured_by or not rule.threshold:
            continue
        walker = rule_walker(rule, measured.walkers[0], profiles)
        if rule.threshold < (CELL_M if rule.threshold_unit == "m" else 1.0):
            continue  # shorter than what a circle may be wrong by
        for service in rule.services:
            key = (service, rule.threshold, rule.threshold_unit, walker.name)
            scores = rule.id in scoring or (key in found and found[key].scores)
            found[key] = _Walk(service, rule.threshold, rule.threshold_unit, walker, scores)
    doors = {service: city.doors_of(Layer((service,))) for service in {walk.service for walk in found.values()}}
    joined = {service: at[city.door_joins.joined[at]] for service, at in doors.items()}
    kept = [(walk, joined[walk.service]) for walk in found.values() if len(joined[walk.service])]
    return sorted(kept, key=lambda w: (not w[0].scores, len(w[1]), w[0].service, w[0].unit, w[0].limit))


def _question(city: City, walks: list[tuple[_Walk, Ints]], place: Ints, ids: npt.NDArray[np.str_]) -> Question:
    """Return the question for the circles of the places of each service; `place` of each door, a position in `ids`."""
    asked, names = [], []
    for walk, doors in walks:
        places, owner = np.unique(place[doors], return_inverse=True)
        names.append(ids[places])
        xy, minutes = shapely.get_coordinates(city.doors.geometry.to_numpy()[doors]), walk.unit == "min"
        asked.append(
            Asked(
                xy, city.door_joins.take(doors), [walk.limit], "min" if minutes else "m",
                walker=walk.walker, owner=owner, towards=True,
            )
        )  # fmt: skip

    def table(drawn: list[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
        if not drawn:
            empty = pd.DataFrame({name: [] for name in FACILITY_CIRCLES.names if name != "geometry"})
            return published(gpd.GeoDataFrame(empty, geometry=[], crs=WGS84), FACILITY_CIRCLES)
        parts = [_named(walk, ids, part) for (walk, _), ids, part in zip(walks, names, drawn, strict=True)]
        order = ["service", "metres", "minutes", "walker", "facility_id"]
        whole = pd.concat(parts, ignore_index=True).sort_values(order, ignore_index=True)
        whole = whole.set_geometry(reprojected(whole.geometry.to_numpy(), whole.crs, WGS84), crs=WGS84)
        return published(whole, FACILITY_CIRCLES)

    return Question(asked, table)


def _named(walk: _Walk, ids: npt.NDArray[np.str_], drawn: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the circles of one walk, in the plane of the network, with the names of what they lead to."""
    return gpd.GeoDataFrame(
        {
            "facility_id": ids[drawn["origin"]],
            "service": walk.service,
            "metres": np.nan if walk.unit == "min" else walk.limit,
            "minutes": walk.limit if walk.unit == "min" else np.nan,
            "walker": walk.walker.name,
        },
        geometry=drawn.geometry.to_numpy(),
        crs=drawn.crs,
    )
