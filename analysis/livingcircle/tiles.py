"""A city in square tiles: a part of it whose homes are measured alone, with everything that they can reach.

A part holds the streets, doors and places within reach of its homes in a straight line. No walk within the limit leaves
them, so that the numbers are those of the whole city, to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.joins import Joins
from livingcircle.network import WalkNetwork
from livingcircle.reach import City
from livingcircle.walkers import Walker, slope_factor
from livingcircle_layers.cuts import without_edges
from livingcircle_layers.streets import Streets

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

STEEPEST_GAIN = float(slope_factor(np.array([-0.05]))[0])  # nobody is faster downhill than this (walkers.slope_factor)


@dataclass(frozen=True)
class Part:
    """Some homes of a city and what is within their reach.

    Attributes
    ----------
    name
        Column and row of its square, counted from the origin of the plane.
    homes
        Positions of its homes in the city, ascending.
    doors
        Positions of its doors in the city, ascending.
    city
        The part as a city of its own.
    """

    name: str
    homes: Ints
    doors: Ints
    city: City


def tiles_of(xy: Floats, *, side_m: float) -> list[tuple[str, Ints]]:
    """Put places into squares whose corners are multiples of `side_m`; return names and positions by column and row."""
    square = np.floor(xy / side_m).astype(np.int64)
    order = np.lexsort((np.arange(len(xy)), square[:, 1], square[:, 0]))
    new = np.flatnonzero((np.diff(square[order], axis=0) != 0).any(axis=1)) + 1
    parts = np.split(order, new) if len(order) else []
    return [(f"{square[part[0], 0]}_{square[part[0], 1]}", part) for part in parts]


def reach_of(walkers: Iterable[Walker], limit_m: float, *, sloped: bool) -> float:
    """Return how far anybody can get from home in a straight line before a search ends, metres."""
    gains = [STEEPEST_GAIN] if sloped else [1.0]
    gains += [walker.steps_speed_m_s / walker.speed_m_s for walker in walkers if walker.steps]
    return limit_m * max(1.0, *gains)


def part_of(city: City, name: str, homes: Ints, *, reach_m: float) -> Part:
    """Return some homes of a city with the streets, doors and places that they can reach."""
    streets, xy = city.network.streets, city.homes[["x", "y"]].to_numpy(dtype=float)[homes]
    low, high = xy.min(axis=0) - reach_m, xy.max(axis=0) + reach_m
    near = ((streets.node_xy >= low) & (streets.node_xy <= high)).all(axis=1)
    edge = near[streets.tail] | near[streets.head]
    edge[city.home_joins.edge[homes]] = True
    # A footbridge costs by its share of the whole one, so it stays whole.
    edge |= streets.raised & np.isin(streets.way_id, np.unique(streets.way_id[edge & streets.raised]))
    new_edge = np.cumsum(edge) - 1

    def joins(whole: Joins, index: Ints) -> Joins:
        kept = whole.take(index)
        return Joins(np.where(kept.joined, new_edge[kept.edge], -1), kept.share, kept.leg_m, kept.reason)

    doors = np.flatnonzero(city.door_joins.joined & edge[city.door_joins.edge])
    box = shapely.box(*low.tolist(), *high.tolist())
    place = shapely.intersects(city.facilities.geometry.to_numpy(), box)
    place |= city.places_of(doors)
    return Part(
        name,
        homes,
        doors,
        City(
            network=WalkNetwork(_with_own_nodes(without_edges(streets, ~edge))),
            homes=city.homes[["x", "y"]].iloc[homes].reset_index(drop=True),
            home_joins=joins(city.home_joins, homes),
            facilities=city.facilities[place].reset_index(drop=True),
            doors=city.doors.iloc[doors].reset_index(drop=True),
            door_joins=joins(city.door_joins, doors),
        ),
    )


def _with_own_nodes(streets: Streets) -> Streets:
    """Return streets without the nodes that no edge has; the order of nodes stays."""
    used = np.zeros(len(streets.node_id), dtype=bool)
    used[streets.tail] = used[streets.head] = True
    number = np.cumsum(used) - 1
    return replace(
        streets,
        node_id=streets.node_id[used],
        node_xy=streets.node_xy[used],
        tail=number[streets.tail],
        head=number[streets.head],
        signals=streets.signals[used],
        exits=streets.exits[used],
        height_m=None if streets.height_m is None else streets.height_m[used],
    )


def door_keys(doors: pd.DataFrame) -> npt.NDArray[np.uint64]:
    """Return for every access point a number made of its facility and place, the same in every run."""
    at = shapely.get_coordinates(gpd.GeoSeries(doors["geometry"]).to_numpy())
    table = pd.DataFrame({"facility": doors["facility_id"].astype(object), "x": at[:, 0], "y": at[:, 1]})
    keys: npt.NDArray[np.uint64] = np.asarray(pd.util.hash_pandas_object(table, index=False), dtype=np.uint64)
    return keys
