"""Walks between two lists of places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.choice import nearest_k
from livingcircle.ground import Ground
from livingcircle.joins import Joiner, Joins
from livingcircle.network import Walk
from livingcircle.walkers import Walker
from livingcircle_layers.tables import read_points

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def matrix_table(
    ground: Ground,
    origins: str | Path,
    destinations: str | Path,
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
        Tables with ``id, lon, lat`` (WGS-84), or vector files of points.
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
    start, start_ids, lost = _places(origins, ground, joiner)
    end, end_ids, lost_ends = _places(destinations, ground, joiner)
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


def _places(path: str | Path, ground: Ground, joiner: Joiner) -> tuple[Joins, npt.NDArray[Any], list[str]]:
    points, rejected = read_points(path)
    xy = shapely.get_coordinates(shapely.centroid(points.to_crs(ground.streets.crs).geometry.to_numpy()))
    joins = joiner.join(xy)
    label = Path(path).name
    lost = [f"{label}: row {r.row} left out: {r.reason} {r.detail}".rstrip() for r in rejected.itertuples()]
    lost += [
        f"{label}: {row} left out: {reason}"
        for row, reason in zip(points["row"][~joins.joined], joins.reason[~joins.joined], strict=True)
    ]
    return joins, points["row"].to_numpy(dtype=object), lost
