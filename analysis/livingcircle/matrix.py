"""Walks between two lists of places."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.choice import nearest_k
from livingcircle.ground import Ground
from livingcircle.joins import JOIN_LIMIT_M, Joiner, Joins
from livingcircle.network import Walk, WalkNetwork
from livingcircle.walkers import WALKERS, Walker
from livingcircle_layers.tables import PlacesGiven, labelled, read_points

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def matrix(
    network: WalkNetwork,
    origins: PlacesGiven,
    destinations: PlacesGiven,
    *,
    limit_m: float = 2000.0,
    walker: Walker = WALKERS["adult"],
    nearest: int | None = None,
    join_limit_m: float = JOIN_LIMIT_M,
) -> pd.DataFrame:
    """Return the walks between two lists of places, such as the three nearest clinics of every home.

    Parameters
    ----------
    network
        The walking network.
    origins, destinations
        Tables with longitude and latitude in WGS-84 degrees (lon, lat, 经度, 纬度 …), tables with geometry in any CRS,
        of which the centres count, or files of either kind. Places are named by their column ``id``, else by the index
        of a table or the number of the row in a file.
    limit_m
        The longest walk, metres along streets, legs included.
    walker
        Whose minutes are given, and which streets may be used.
    nearest
        Only so many destinations of every origin, the nearest by metres; None: all.
    join_limit_m
        The longest straight way from a place to the street.

    Returns
    -------
    pandas.DataFrame
        ``origin_id, destination_id, walk_m, walk_min``: sorted by both as they come, or by origin and distance if only
        the `nearest` are asked for. Pairs beyond the limit are not in it. ``attrs["left_out"]`` has a sentence for
        every place that could not be used, and there is a warning if there is one.

    Raises
    ------
    InputError
        A table has no coordinates or no CRS, or no row of it can be used.

    Examples
    --------
    >>> import livingcircle as lc
    >>> streets = lc.WalkNetwork.from_osm(lc.demo_study().streets.osm)
    >>> homes = pd.DataFrame({"lon": [104.2, 104.202], "lat": [30.5, 30.501]}, index=["home 1", "home 2"])
    >>> clinics = pd.DataFrame({"id": ["a", "b"], "lon": [104.205, 104.195], "lat": [30.502, 30.5]})
    >>> lc.matrix(streets, homes, clinics, nearest=1)[["origin_id", "destination_id"]].to_numpy().tolist()
    [['home 1', 'a'], ['home 2', 'a']]
    """
    ground = Ground(network.streets, np.array([], dtype=object), join_limit_m)
    table, lost = matrix_table(ground, origins, destinations, limit_m=limit_m, walker=walker, nearest=nearest)
    table.attrs["left_out"] = lost
    if lost:
        warnings.warn(f"{len(lost)} places left out, see attrs['left_out']; the first: {lost[0]}", stacklevel=2)
    return table


def matrix_table(
    ground: Ground,
    origins: PlacesGiven,
    destinations: PlacesGiven,
    *,
    limit_m: float,
    walker: Walker,
    nearest: int | None = None,
) -> tuple[pd.DataFrame, list[str]]:
    """Return the walk from every origin to every destination within a limit.

    Parameters
    ----------
    ground
        Streets and barriers.
    origins, destinations
        Tables with ``id, lon, lat`` (WGS-84), or vector files of points; or either in memory.
    limit_m
        The longest walk, metres along streets, legs included.
    walker
        Whose minutes are given, and which edges may be used.
    nearest
        Only so many destinations of every origin, the nearest by metres; None: all.

    Returns
    -------
    table
        ``origin_id, destination_id, walk_m, walk_min``, sorted by both ids as they come, or by origin and distance if
        only the `nearest` are asked for; pairs that are not reached are left out.
    lost
        A sentence for every place that could not be used.
    """
    joiner, network = ground.joiner(), ground.network
    start, start_ids, lost = _places(origins, "origins", ground, joiner)
    end, end_ids, lost_ends = _places(destinations, "destinations", ground, joiner)
    if nearest is None:
        i, j, metres = network.walk(walker).pairs(start, end, limit=limit_m)
    else:
        each = np.arange(len(end_ids))
        i, j, metres = nearest_k(network.walk(walker), start, end, each, k=nearest, limit=limit_m)
    seconds = _seconds(network.walk(walker, unit="s"), start, end, i, j, limit_m / walker.speed_m_s)
    table = pd.DataFrame(
        {
            "origin_id": start_ids[i],
            "destination_id": end_ids[j],
            "walk_m": metres,
            "walk_min": np.round(seconds / 60, 2),
        }
    )
    return table, [*lost, *lost_ends]


def _seconds(walk: Walk, start: Joins, end: Joins, i: Ints, j: Ints, usual: float) -> Floats:
    """Return the seconds of pairs that are reached by metres; waits and steps may need a wider search than usual."""
    out = np.full(len(i), np.nan)
    limit = 1.5 * usual
    while len(missing := np.flatnonzero(np.isnan(out))):
        origin = np.unique(i[missing])
        asked = np.unique(j[missing])
        p, q, seconds = walk.pairs(start.take(origin), end.take(asked), limit=limit)
        known = pd.Series(seconds, index=pd.MultiIndex.from_arrays([origin[p], asked[q]]))
        out[missing] = known.reindex(pd.MultiIndex.from_arrays([i[missing], j[missing]])).to_numpy()
        limit *= 2
    return out


def _places(given: PlacesGiven, role: str, ground: Ground, joiner: Joiner) -> tuple[Joins, npt.NDArray[Any], list[str]]:
    places, rejected = read_points(labelled(given, role))
    points = places.frame
    xy = shapely.get_coordinates(shapely.centroid(points.to_crs(ground.streets.crs).geometry.to_numpy()))
    joins = joiner.join(xy)
    label = role if isinstance(given, pd.DataFrame) else Path(given).name
    lost = [f"{label}: row {r.row} left out: {r.reason} {r.detail}".rstrip() for r in rejected.itertuples()]
    lost += [
        f"{label}: {row} left out: {reason}"
        for row, reason in zip(points["row"][~joins.joined], joins.reason[~joins.joined], strict=True)
    ]
    return joins, points["row"].to_numpy(dtype=object), lost
