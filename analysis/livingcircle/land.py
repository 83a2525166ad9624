"""Residential land as what is to be served: statistics that ask for a share of land, not of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.coverage import Judged, People, Units
from livingcircle.hundredths import Walks, hundredths
from livingcircle.reach import City, Layer, Reach, straight_m
from livingcircle_layers.homes import LAND_M2_PER_PERSON
from livingcircle_layers.lattice import LATTICE_M, first_inside, lattice_points
from livingcircle_layers.units import repair_polygons

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Land:
    """Residential land as points, and what the rules about land say of each.

    Attributes
    ----------
    judged
        Each rule's verdict per point: one entry per treatment of gates and walker, as for homes.
    square_metres
        What each point stands for, in the place of people.
    levels
        Units of every level with the unit of each point; where people live but no land is mapped, nothing is known.
    exit_m
        Each point's walk to where the streets leave the data.
    reaches
        Distances of all points by treatment of gates and layer.
    city
        The points that could be joined as homes on the streets, with gates respected.
    joined
        Which of the points those are.
    notes
        What the planner should know of the mapped land.
    """

    judged: tuple[Mapping[str, Judged], ...]
    square_metres: People
    levels: tuple[Units, ...]
    exit_m: Floats
    reaches: Mapping[str, Mapping[Layer, Reach]]
    city: City
    joined: npt.NDArray[np.bool_]
    notes: tuple[str, ...] = ()


def land_points(residential: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return points of the residential land inside communities, on the lattice that homes stand on too.

    Land that is mapped twice counts once. A point stands for its square of the lattice; a piece of land that holds no
    point of the lattice gets one, which stands for the area of the piece.

    Parameters
    ----------
    residential
        Polygons of residential land in the metric plane; they may overlap.
    units
        Communities in the same plane, index ``unit_id`` ascending.

    Returns
    -------
    ``x, y`` (metres), ``unit`` (id) and ``m2`` (whole square metres), by unit, then west to east.
    """
    outlines = units.geometry.to_numpy()
    land, _ = repair_polygons(residential.geometry.to_numpy())
    near = np.unique(shapely.STRtree(land).query(outlines, predicate="intersects")[1])
    parts = shapely.get_parts(shapely.union_all(land[near]))
    parts = parts[shapely.area(parts) > 0]
    part, x, y = lattice_points(parts)
    missed = np.setdiff1d(np.arange(len(parts)), part)
    lone = shapely.get_coordinates(shapely.point_on_surface(parts[missed]))
    x, y = np.append(x, lone[:, 0]), np.append(y, lone[:, 1])
    m2 = np.append(np.full(len(part), LATTICE_M**2), shapely.area(parts[missed]))
    unit = first_inside(shapely.points(x, y), outlines)
    order = np.lexsort((y, x, unit))
    order = order[unit[order] >= 0]
    table = pd.DataFrame({"x": x, "y": y, "unit": unit, "m2": np.maximum(np.rint(m2), 1).astype(np.int64)})
    table = table.iloc[order].reset_index(drop=True)
    return table.assign(unit=units.index.to_numpy()[table["unit"]])


def land_notes(points: pd.DataFrame, people: int) -> list[str]:
    """Say so where less residential land is mapped than can house the people: shares of it speak of a part."""
    mapped = int(points["m2"].sum())
    if not people or mapped >= LAND_M2_PER_PERSON * people:
        return []
    return [
        f"residential land: {mapped / 1e6:.2f} km² are mapped for {people:,} people, {mapped / people:.1f} m² each,"
        f" less than {LAND_M2_PER_PERSON:g}: much of it is not mapped, and shares of land are of what is mapped"
    ]


def square_metres(points: pd.DataFrame, units: gpd.GeoDataFrame) -> People:
    """Return the land in the form in which coverage counts: square metres in the place of people."""
    rural = (units["unit_type"].reindex(points["unit"]) == "rural").to_numpy(dtype=bool)
    return People({"all": points["m2"].to_numpy(dtype=np.int64)}, rural, of_land=True)


def of_every_point(
    reach: Reach, layer: Layer, points: pd.DataFrame, joined: npt.NDArray[np.bool_], city: City, *, limit_m: float
) -> Reach:
    """Return distances of all points from those of the points on the streets: a radius needs no street.

    Parameters
    ----------
    reach
        Of the points that could be joined.
    joined
        Which of the points those are.
    """
    places = city.facilities.geometry.to_numpy()[layer.chosen(city.facilities)]
    straight = straight_m(points[["x", "y"]].to_numpy(dtype=float), places, limit_m)
    return replace(spread_walks(reach, joined), straight_cm=hundredths(straight))


def spread_walks(reach: Reach, joined: npt.NDArray[np.bool_]) -> Reach:
    """Return the walks of all points from those of the joined ones; its straight lines are not known."""

    def spread(values: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        out = np.full(len(joined), -1, dtype=np.int32)  # neither a walk nor a door
        out[joined] = values
        return out

    return replace(
        reach,
        walk_m=Walks({walker: spread(v) for walker, v in reach.walk_m.kept.items()}),
        walk_s=Walks({walker: spread(v) for walker, v in reach.walk_s.kept.items()}),
        straight_cm=np.full(len(joined), -1, dtype=np.int32),
        nearest={walker: spread(doors) for walker, doors in reach.nearest.items()},
    )
