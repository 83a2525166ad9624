"""Walks between two lists of places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from livingcircle.joins import Joiner, Joins
from livingcircle.network import WalkNetwork
from livingcircle.walkers import Walker
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.osm import OsmExtract, read_osm
from livingcircle_layers.tables import read_points


def matrix_table(
    osm: str | Path, origins: str | Path, destinations: str | Path, *, limit_m: float, walker: Walker
) -> tuple[pd.DataFrame, list[str]]:
    """Return the walk from every origin to every destination within a limit.

    Parameters
    ----------
    osm
        OpenStreetMap file.
    origins, destinations
        Tables with ``id, lon, lat`` (WGS-84), or vector files of points.
    limit_m
        The longest walk, metres along streets, legs included.
    walker
        Whose minutes are given, and which edges may be used.

    Returns
    -------
    table
        ``origin_id, destination_id, walk_m, walk_min``, sorted by both ids as they come; pairs that are not reached
        are left out.
    lost
        A sentence for every place that could not be used.
    """
    extract = read_osm(osm, load_catalogue())
    joiner = Joiner(extract.streets, extract.barriers.geometry.to_numpy())
    network = WalkNetwork(extract.streets)
    start, start_ids, lost = _places(origins, extract, joiner)
    end, end_ids, lost_ends = _places(destinations, extract, joiner)
    i, j, metres = network.walk(walker).pairs(start, end, limit=limit_m)
    # The fastest way may be longer than the shortest one, so minutes get a search of their own, wide enough for it.
    p, q, seconds = network.walk(walker, unit="s").pairs(start, end, limit=4 * limit_m / walker.speed_m_s)
    minutes = pd.Series(seconds, index=pd.MultiIndex.from_arrays([p, q]))
    table = pd.DataFrame(
        {
            "origin_id": start_ids[i],
            "destination_id": end_ids[j],
            "walk_m": metres,
            "walk_min": np.round(minutes.reindex(pd.MultiIndex.from_arrays([i, j])).to_numpy() / 60, 2),
        }
    )
    return table, [*lost, *lost_ends]


def _places(path: str | Path, extract: OsmExtract, joiner: Joiner) -> tuple[Joins, np.ndarray, list[str]]:
    points, rejected = read_points(path)
    xy = shapely.get_coordinates(shapely.centroid(points.to_crs(extract.crs).geometry.to_numpy()))
    joins = joiner.join(xy)
    label = Path(path).name
    lost = [f"{label}: row {r.row} left out: {r.reason} {r.detail}".rstrip() for r in rejected.itertuples()]
    lost += [
        f"{label}: {row} left out: {reason}"
        for row, reason in zip(points["row"][~joins.joined], joins.reason[~joins.joined], strict=True)
    ]
    return joins, points["row"].to_numpy(dtype=object), lost
