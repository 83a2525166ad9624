"""The circle of every community (社区生活圈): the ground that can be walked to from where its people live.

A community has many homes, and the ground within reach of any of them would flatter it. Its circle is walked from one
place, its start: of the point from which the straight ways of all its people add up to least (the geometric median of
its homes), the home nearest to it, and where that home joins the street. The start is a place on a street, never a
home. Homes on another part of the network than most of the community's people are left out of the choice.

The people inside are those whose walk along streets from the start, their own way to the street included, is no longer
than the limit; they may live in any community.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle._compiled import kept
from livingcircle.circles import Asked, CircleGrid, Question, answered, places_of
from livingcircle.gates import barriers_with
from livingcircle.joins import Joins
from livingcircle.measured import Measured
from livingcircle.reach import City
from livingcircle.walkers import Walker
from livingcircle_layers.crs import WGS84, reprojected

MINUTES = (5.0, 10.0, 15.0)  # the tiers of the living circle

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Starts(NamedTuple):
    """Where the circles of communities begin: their ids, the street position, and its place in the plane (n × 2)."""

    unit_id: npt.NDArray[np.str_]
    joins: Joins
    xy: Floats

    def take(self, index: npt.NDArray[Any]) -> Starts:
        """Return some of the starts, by position or mask."""
        return Starts(self.unit_id[index], self.joins.take(index), self.xy[index])


def community_circles(
    measured: Measured,
    *,
    grid: CircleGrid | None = None,
    minutes: Sequence[float] = MINUTES,
    walkers: Sequence[Walker] | None = None,
) -> gpd.GeoDataFrame:
    """Return the circles of all communities, on streets as the study treats the gates of its estates.

    Parameters
    ----------
    measured
        What was measured for a study (see `livingcircle.measured.measure`); its `only` restricts the communities.
    grid
        The ground of `ground_of`, if it is at hand.
    minutes
        The bands; each contains the shorter ones.
    walkers
        Who walks; by default the walkers of the study.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns of `livingcircle.columns.CIRCLES` in WGS-84 degrees, by community, walker and minutes. A community of
        which nobody lives on the street network has no row.
    """
    city, barriers = ground_of(measured)
    question = communities_question(measured, minutes=minutes, walkers=walkers)
    return answered(grid or CircleGrid(city.network, barriers), [question])[0]


def communities_question(
    measured: Measured, *, minutes: Sequence[float] = MINUTES, walkers: Sequence[Walker] | None = None
) -> Question:
    """Return the question that `community_circles` answers."""
    city, _ = ground_of(measured)
    starts = starts_of(city)
    if measured.only:
        starts = starts.take(np.isin(starts.unit_id, measured.only))
    chosen = measured.walkers if walkers is None else walkers
    parts = [circles_question(city, starts, walker, minutes) for walker in chosen]

    def table(drawn: list[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
        told = [
            part.answer([circles]).assign(_walker=n) for n, (part, circles) in enumerate(zip(parts, drawn, strict=True))
        ]
        table = pd.concat(told, ignore_index=True)
        names = measured.inputs.units["unit_name"].reindex(table["unit_id"]).to_numpy()
        table = table.assign(unit_name=names).sort_values(["unit_id", "_walker", "minutes"], ignore_index=True)
        columns = ["unit_id", "unit_name", "walker", "minutes", "people", "area_m2", "pedestrian_shed", "lon", "lat"]
        degrees = reprojected(table.geometry.to_numpy(), city.network.streets.crs, WGS84)
        return gpd.GeoDataFrame(table[columns], geometry=degrees, crs=WGS84)

    return Question([one for part in parts for one in part.asked], table)


def ground_of(measured: Measured) -> tuple[City, npt.NDArray[Any]]:
    """Return streets and what blocks the way beside them, as the study treats the gates of its estates."""
    open_, inputs = measured.study.gates == "open", measured.inputs
    barriers = barriers_with(inputs.osm.barriers, inputs.estates, inputs.osm.streets, open_=open_)
    return measured.city_of("open" if open_ else "respect"), barriers


def circles_question(city: City, starts: Starts, walker: Walker, minutes: Sequence[float]) -> Question:
    """Ask for the circles of one walker, in the plane of the network, by start and minutes.

    Columns as in `livingcircle.columns.CIRCLES`, without the name of the unit.
    """
    asked = Asked(starts.xy, starts.joins, minutes, "min", walker)
    return Question([asked], lambda drawn: _described(city, starts, walker, drawn[0]))


def _described(city: City, starts: Starts, walker: Walker, drawn: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Add to circles of communities whose they are, how large, and how many people they hold."""
    origin, limit = drawn["origin"].to_numpy(), drawn["limit"].to_numpy()
    area = shapely.area(drawn.geometry.to_numpy())
    lonlat = gpd.GeoSeries(gpd.points_from_xy(*starts.xy.T), crs=drawn.crs).to_crs(WGS84)
    people = people_within(city, starts.joins, walker, np.unique(limit))
    return drawn.assign(
        unit_id=pd.Series(starts.unit_id[origin], dtype="str"),
        walker=pd.Series([walker.name] * len(drawn), dtype="str"),
        minutes=limit,
        people=people.ravel(),
        area_m2=area,
        pedestrian_shed=area / (np.pi * (limit * 60 * walker.speed_m_s) ** 2),
        lon=lonlat.x.to_numpy()[origin],
        lat=lonlat.y.to_numpy()[origin],
    )


def people_within(city: City, starts: Joins, walker: Walker, minutes: Floats) -> Ints:
    """Count the people whose homes are walked to from each start within each limit (starts × limits)."""
    walk = city.network.walk(walker, unit="s")
    people = city.homes["people"].to_numpy(dtype=np.int64)
    limits = np.asarray(minutes, dtype=float) * 60
    homes = walk.catchments(city.home_joins, np.repeat(people[:, None], len(limits), axis=1), towards=False)
    return homes.sums(starts, np.arange(len(starts.edge) + 1), limits)


def starts_of(city: City) -> Starts:
    """Return where the circle of each community begins; communities without people on the network have none."""
    homes, streets = city.homes, city.network.streets
    x, y, people = (homes[c].to_numpy(dtype=float) for c in ("x", "y", "people"))
    unit, ids = pd.factorize(homes["unit"], sort=True)
    part = streets.component[city.home_joins.edge].astype(np.int64)
    lived_in = np.flatnonzero((people > 0) & (homes["unit"] != "").to_numpy())
    # Of a community whose streets fall into several parts, the part with most people, the longest of equal ones.
    parts = int(part.max(initial=0)) + 1
    pair, of_home = np.unique((unit * parts + part)[lived_in], return_inverse=True)
    best_last = np.lexsort((-pair, np.bincount(of_home, people[lived_in]), pair // parts))
    last = np.append(np.diff(pair[best_last] // parts) != 0, np.ones(min(len(pair), 1), dtype=bool))
    main = np.zeros(len(pair), dtype=bool)
    main[best_last[last]] = True
    mine = lived_in[main[of_home]]
    # By place, so that sums and choices do not depend on the order of the homes.
    mine = mine[np.lexsort((people[mine], y[mine], x[mine], unit[mine]))]
    number, first = np.unique(unit[mine], return_index=True)
    chosen = _middle_homes(x[mine], y[mine], people[mine], np.append(first, len(mine)))
    joins = city.home_joins.take(mine[chosen])
    on_street = Joins(joins.edge, joins.share, np.zeros(len(number)), joins.reason)
    return Starts(ids.to_numpy(dtype=str)[number], on_street, places_of(streets, on_street))


@kept
def _middle_homes(x: Floats, y: Floats, people: Floats, first: Ints) -> Ints:
    """Return of each group the home nearest to the group's geometric median, which Weiszfeld's steps approach."""
    chosen = np.empty(len(first) - 1, dtype=np.int64)
    for g in range(len(chosen)):
        a, b = first[g], first[g + 1]
        weight = people[a:b] / np.sum(people[a:b])
        at_x, at_y = float(np.sum(x[a:b] * weight)), float(np.sum(y[a:b] * weight))
        for _ in range(200):
            to_x, to_y, pulls = 0.0, 0.0, 0.0
            for k in range(a, b):
                pull = people[k] / max(np.hypot(x[k] - at_x, y[k] - at_y), 0.1)
                to_x, to_y, pulls = to_x + pull * x[k], to_y + pull * y[k], pulls + pull
            to_x, to_y = to_x / pulls, to_y / pulls
            step = np.hypot(to_x - at_x, to_y - at_y)
            at_x, at_y = to_x, to_y
            if step < 0.01:
                break
        best = np.inf
        for k in range(a, b):
            away = np.hypot(x[k] - at_x, y[k] - at_y)
            if away < best:
                best, chosen[g] = away, k
    return chosen
