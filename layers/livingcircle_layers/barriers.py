"""What nobody walks straight across: surface water, rail, motorways, walls and fences."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

_WATERWAYS = frozenset(("river", "canal", "stream"))  # a ditch or drain is stepped over
_RAIL = frozenset(("rail", "light_rail", "narrow_gauge"))  # a tram runs in the street, a subway under it
_WALLS = frozenset(("wall", "fence", "city_wall", "retaining_wall"))


def on_ground(tags: Mapping[str, str]) -> bool:
    """Tell whether an object lies on the ground: no bridge, no tunnel, no culvert, layer 0."""
    return (
        tags.get("tunnel", "no") == "no"
        and tags.get("bridge", "no") == "no"
        and tags.get("covered", "no") == "no"
        and tags.get("location") != "underground"
        and tags.get("layer", "0").strip() in ("0", "+0", "-0", "")
    )


def is_surface_water(tags: Mapping[str, str]) -> bool:
    """Tell whether an area is open water on the ground."""
    wet = (
        tags.get("natural") == "water"
        or tags.get("waterway") in ("riverbank", "dock")
        or tags.get("landuse") in ("reservoir", "basin")
    )
    return wet and on_ground(tags)


def barrier_kind(tags: Mapping[str, str]) -> str | None:
    """Return water, rail, motorway or wall if nobody walks across an object with these tags, else None."""
    if not on_ground(tags):
        return None
    if is_surface_water(tags) or tags.get("waterway") in _WATERWAYS or tags.get("natural") == "coastline":
        return "water"
    if tags.get("railway") in _RAIL:
        return "rail"
    if tags.get("highway") in ("motorway", "motorway_link"):
        return "motorway"
    if tags.get("highway") in ("trunk", "trunk_link") and (tags.get("motorroad") == "yes" or tags.get("foot") == "no"):
        return "motorway"
    if tags.get("barrier") in _WALLS:
        return "wall"
    return None


def build_barriers(lines: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return all barriers as lines; an area blocks by its outline.

    Parameters
    ----------
    lines, areas
        Tagged objects: ``osm_id``, ``tags``, ``geometry`` in a metric plane.

    Returns
    -------
    geopandas.GeoDataFrame
        ``osm_id``, ``kind`` (water, rail, motorway, wall), ``geometry`` (lines), each object once.
    """
    both = pd.concat([areas.assign(geometry=shapely.boundary(areas.geometry.to_numpy())), lines], ignore_index=True)
    kinds = np.array([barrier_kind(t) for t in both["tags"]], dtype=object)
    chosen = np.array([k is not None for k in kinds], dtype=bool)
    frame = gpd.GeoDataFrame(
        {"osm_id": both["osm_id"][chosen], "kind": pd.Series(kinds[chosen], dtype="str", index=both.index[chosen])},
        geometry=gpd.GeoSeries(both.geometry[chosen], crs=areas.crs),
    )
    return frame.drop_duplicates("osm_id").reset_index(drop=True)
