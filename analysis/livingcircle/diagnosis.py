"""What may be wrong with a network: pieces that hang on nothing, ends that stop short of a street, long legs."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.joins import Joins, island_edges
from livingcircle.network import WalkNetwork
from livingcircle_layers.crs import WGS84
from livingcircle_layers.streets import Streets

UNDERSHOOT_M = 5.0  # a dead end this close to a street it does not join was probably meant to (a judgement)
DETOUR = 5.0  # ... unless the walk there is hardly longer than the gap, as at the end of a short stub (a judgement)
LONG_LEG_M = 100.0  # a home further from every street says that a street is missing (a judgement)
LEG_CELL_M = 100.0  # homes with long legs are shown by cells of this size: no layer of ours shows a single home
_FAR_M = 200.0  # detours are measured this far

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Geometries = npt.NDArray[Any]


def diagnose(
    streets: Streets,
    joins: Joins | None = None,
    points: Floats | None = None,
    *,
    people: Ints | None = None,
    of_land: bool = False,
) -> gpd.GeoDataFrame:
    """Show where a network may be broken, as a layer to look at in QGIS.

    Parameters
    ----------
    streets
        The walking network.
    joins, points
        Places joined to it and where they are (n × 2, in its plane); with them long legs are listed.
    people
        The places are homes of so many people: their legs are summed up by cells of 100 m, so that no home is shown.
    of_land
        They are m² of residential land, as nobody is known.

    Returns
    -------
    ``kind, edge_id, component, length_m, gap_m, detail, geometry`` in EPSG:4326, every geometry a MultiLineString:

    - ``island``: a piece of network without a way to the longest one. `length_m` is its streets, `gap_m` how far it is
      from the longest piece, `edge_id` the first of its edges.
    - ``undershoot``: a dead end within 5 m of a street (`edge_id`) that it does not join, with the line that is missing
      and its length `gap_m`. Ends of and below bridges, and where the data end, are none.
    - ``long_connector``: a leg of more than 100 m from a place, or from the homes of a cell, to the street (`edge_id`),
      with its length `gap_m`, of several the longest.
    """
    parts = [_islands(streets), _undershoots(streets)]
    if joins is not None and points is not None:
        parts.append(
            _long_connectors(streets, joins, points)
            if people is None
            else _long_connectors_of_cells(streets, joins, points, people, "m² of land" if of_land else "people")
        )
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    geometry = gpd.GeoSeries(rows.pop("geometry").to_numpy(dtype=object), crs=streets.crs)
    return gpd.GeoDataFrame(rows, geometry=geometry).to_crs(WGS84)


def _rows(
    streets: Streets, kind: str, edge: Ints, *, geometry: Geometries, length_m: Any, gap_m: Any, detail: Any
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kind": pd.Series(kind, index=range(len(edge)), dtype="str"),
            "edge_id": edge,
            "component": streets.component[edge],
            "length_m": np.asarray(length_m, dtype=float),
            "gap_m": np.asarray(gap_m, dtype=float),
            "detail": pd.Series(detail, index=range(len(edge)), dtype="str"),
            "geometry": pd.Series(geometry, index=range(len(edge)), dtype=object),
        }
    )


def _islands(streets: Streets) -> pd.DataFrame:
    """Return every piece of network other than the longest."""
    off = np.flatnonzero(streets.component > 0)
    order = off[np.argsort(streets.component[off], kind="stable")]
    piece = streets.component[order] - 1
    first = np.unique(piece, return_index=True)[1]
    pieces = shapely.multilinestrings(streets.lines[order], indices=piece)
    mainland = shapely.multilinestrings(streets.lines[streets.component == 0])
    shapely.prepare(mainland)  # what is near is then looked up on both sides: the other bank may be half of the city
    nearest = shapely.length(shapely.shortest_line(mainland, pieces))
    small = island_edges(streets)[order[first]]
    edges = np.bincount(piece, minlength=len(first))
    said = np.where(small, "joined only from beside it, far from others", "long enough to be joined like any street")
    return _rows(
        streets,
        "island",
        order[first],
        geometry=pieces,
        length_m=np.bincount(piece, weights=streets.length_m[order], minlength=len(first)),
        gap_m=nearest,
        detail=[f"{n} edges; {text}" for n, text in zip(edges, said, strict=True)],
    )


def _undershoots(streets: Streets) -> pd.DataFrame:
    """Return dead ends that stop short of a street, each with the nearest one."""
    dead, edge, gap = _ends_beside_streets(streets)
    own = dead % len(streets.tail)
    node = np.concatenate([streets.tail, streets.head])[dead]
    foot = shapely.line_locate_point(streets.lines[edge], shapely.points(streets.node_xy[node]), normalized=True)
    foot = np.nan_to_num(foot)  # a street without length
    walk = _walks(streets, _at(own, (dead != own).astype(float)), _at(edge, foot))
    order = np.lexsort((edge, gap, dead))
    order = order[walk[order] > DETOUR * gap[order]]
    order = order[np.unique(dead[order], return_index=True)[1]]
    stop = shapely.line_interpolate_point(streets.lines[edge[order]], foot[order], normalized=True)
    detour = [
        f"{w:.0f} m to walk around" if np.isfinite(w) else f"no way around within {_FAR_M:g} m" for w in walk[order]
    ]
    return _rows(
        streets,
        "undershoot",
        edge[order],
        geometry=_straight(streets.node_xy[node[order]], stop),
        length_m=streets.length_m[own[order]],
        gap_m=gap[order],
        detail=[f"dead end of way {way}; {text}" for way, text in zip(streets.way_id[own[order]], detour, strict=True)],
    )


def _ends_beside_streets(streets: Streets) -> tuple[Ints, Ints, Floats]:
    """Return dead ends, the streets of other ways close to them, and how close.

    Dead ends are numbered by edge, tails first: those of heads are the number of edges higher.
    """
    ends = np.concatenate([streets.tail, streets.head])
    single = np.bincount(ends, minlength=len(streets.node_id))[ends] == 1
    dead = np.flatnonzero(single & ~np.tile(streets.raised, 2) & ~streets.exits[ends])
    point = shapely.points(streets.node_xy[ends[dead]])
    end, edge = shapely.STRtree(streets.lines).query(point, predicate="dwithin", distance=UNDERSHOOT_M)
    other = ~streets.raised[edge] & (streets.way_id[edge] != np.tile(streets.way_id, 2)[dead[end]])
    end, edge = end[other], edge[other]
    return dead[end], edge, shapely.distance(streets.lines[edge], point[end])


def _straight(start: Floats, stop: Geometries) -> Geometries:
    """Return straight lines from places to points, each a MultiLineString."""
    line = shapely.linestrings(np.stack([start, shapely.get_coordinates(stop).reshape(-1, 2)], axis=1))
    return shapely.multilinestrings(line, indices=np.arange(len(start)))


def _at(edge: Ints, share: Floats) -> Joins:
    return Joins(edge, share, np.zeros(len(edge)), np.full(len(edge), "", dtype=object))


def _walks(streets: Streets, start: Joins, stop: Joins) -> Floats:
    """Return the walk from each place to the one it is paired with, infinite beyond `_FAR_M`."""
    out = np.full(len(start.edge), np.inf)
    i, j, metres = WalkNetwork(streets).walk().pairs(start, stop, limit=_FAR_M)
    same = i == j
    out[i[same]] = metres[same]
    return out


def _long_connectors(streets: Streets, joins: Joins, points: Floats) -> pd.DataFrame:
    """Return the legs that are long enough to say that a street is missing, the longest first."""
    far = np.flatnonzero(np.nan_to_num(joins.leg_m) > LONG_LEG_M)
    far = far[np.argsort(-joins.leg_m[far], kind="stable")]
    edge = joins.edge[far]
    foot = shapely.line_interpolate_point(streets.lines[edge], joins.share[far], normalized=True)
    return _rows(
        streets,
        "long_connector",
        edge,
        geometry=_straight(points[far], foot),
        length_m=streets.length_m[edge],
        gap_m=joins.leg_m[far],
        detail=[
            f"place {i} is {leg:.0f} m from the street it joins" for i, leg in zip(far, joins.leg_m[far], strict=True)
        ],
    )


def _long_connectors_of_cells(
    streets: Streets, joins: Joins, points: Floats, people: Ints, counted: str
) -> pd.DataFrame:
    """Return the long legs of homes, one for each street and cell of homes, those of most people first."""
    far = np.flatnonzero(np.nan_to_num(joins.leg_m) > LONG_LEG_M)
    cell = np.floor(points[far] / LEG_CELL_M)
    homes = pd.DataFrame(
        {"edge": joins.edge[far], "x": cell[:, 0], "y": cell[:, 1], "people": people[far], "leg": joins.leg_m[far]}
    )
    legs = homes.groupby(["edge", "x", "y"], as_index=False).agg(
        homes=("leg", "size"), people=("people", "sum"), leg=("leg", "max")
    )
    legs = legs.sort_values(["people", "edge", "x", "y"], ascending=[False, True, True, True])
    edge, middle = legs["edge"].to_numpy(), (legs[["x", "y"]].to_numpy() + 0.5) * LEG_CELL_M
    line = streets.lines[edge]
    foot = shapely.line_interpolate_point(line, shapely.line_locate_point(line, shapely.points(middle)))
    return _rows(
        streets,
        "long_connector",
        edge,
        geometry=_straight(middle, foot),
        length_m=streets.length_m[edge],
        gap_m=legs["leg"],
        detail=[
            f"{counted} {row.people}, homes {row.homes}, up to {row.leg:.0f} m from the street they join"
            for row in legs.itertuples()
        ],
    )
