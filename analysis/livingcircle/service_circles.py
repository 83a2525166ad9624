"""The circles of a service's places: each on its own, all together, or the ground that is nearest to each.

Circles of places are walked towards them: from where people reach a place within a distance or a time. Those of single
places overlap. Shared out, each piece of the service's whole circle belongs to the place that is nearest on foot: the
parts do not overlap, and together they are the whole. Between two places the border runs along the lines halfway
between the nodes of the grid, to a step of `STEP_M`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from rasterio.features import shapes as cell_shapes
from rasterio.transform import Affine
from scipy.ndimage import distance_transform_edt

from livingcircle.circles import STEP_M, CircleGrid, circles
from livingcircle.community_circles import ground_of
from livingcircle.joins import Joins
from livingcircle.measured import Measured
from livingcircle.reach import Layer
from livingcircle.walkers import Walker
from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import UsageError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Variant = Literal["each", "whole", "nearest"]


def service_circles(
    measured: Measured,
    service: str,
    *,
    minutes: Sequence[float] | None = None,
    metres: Sequence[float] | None = None,
    walker: Walker | None = None,
    variant: Variant = "each",
) -> gpd.GeoDataFrame:
    """Return from where people walk to the places of a service.

    Parameters
    ----------
    measured
        What was measured for a study.
    service
        Service of the catalogue.
    minutes, metres
        The bands, in one of the two units.
    walker
        Who walks; by default the first walker of the study.
    variant
        A circle for each place, one for the whole service, or the part of it that is nearest to each place.

    Returns
    -------
    geopandas.GeoDataFrame
        ``facility_id`` (not for the whole), ``minutes`` or ``metres``, ``walker``, ``geometry`` in WGS-84 degrees.

    Raises
    ------
    UsageError
        The service has no places here, or not one of minutes and metres is given.
    """
    if (minutes is None) == (metres is None):
        raise UsageError("circles need minutes or metres", expected="one of the two")
    city, barriers = ground_of(measured)
    at = city.doors_of(Layer((service,)))
    if not len(at):
        present = sorted(set(city.facilities["service"]))
        raise UsageError(f"there are no places of {service}", expected=f"one of {', '.join(present)}")
    doors = city.door_joins.take(at)
    ids, owner = np.unique(city.doors["facility_id"].to_numpy(dtype=str)[at], return_inverse=True)
    walker = walker or measured.walkers[0]
    options: dict[str, Any] = {
        "limits": metres if minutes is None else minutes, "unit": "m" if minutes is None else "min", "walker": walker,
    }  # fmt: skip
    xy = shapely.get_coordinates(city.doors.geometry.to_numpy()[at])
    grid = CircleGrid(city.network, barriers)
    if variant == "nearest":
        table = nearest_parts(grid, xy, doors, owner=owner, **options)
    else:
        table = circles(grid, xy, doors, merge=variant == "whole", owner=owner, towards=True, **options)
    columns: dict[str, Any] = {
        "metres" if minutes is None else "minutes": table["limit"],
        "walker": pd.Series([walker.name] * len(table), dtype="str"),
    }
    if variant != "whole":
        columns = {"facility_id": pd.Series(ids[table["origin"]], dtype="str"), **columns}
    return gpd.GeoDataFrame(columns, geometry=table.geometry, crs=table.crs).to_crs(WGS84)


def nearest_parts(
    grid: CircleGrid,
    xy: Floats,
    origins: Joins,
    *,
    limits: Sequence[float],
    unit: Literal["m", "min"] = "m",
    walker: Walker | None = None,
    owner: Ints | None = None,
) -> gpd.GeoDataFrame:
    """Share the circle of all places together out among them: each part is nearest to its own place.

    Parameters and columns are those of `livingcircle.circles.circles`; a place that is nearest to no ground has no row.
    Of places equally near the first has the ground.
    """
    whole = circles(grid, xy, origins, limits=limits, unit=unit, walker=walker, merge=True)
    owner = np.arange(len(xy)) if owner is None else owner
    joined = np.flatnonzero(origins.joined)
    owners = np.unique(owner[joined])
    walk = grid.network.walk(walker, unit="s" if unit == "min" else "m")
    widest = np.array([max(limits) * (60.0 if unit == "min" else 1.0)])
    fields = []
    for one in owners:
        own = joined[owner[joined] == one]
        doors = origins.take(own)
        with grid.searched(walk, xy[own], doors, widest, towards=True) as search:
            fields.append(grid.costs(search))
    cells = _cells_by_owner(fields, whole.geometry.iloc[-1].bounds) if fields else {}
    rows = [
        (owners[k], limit, unit, part)
        for k, cell in cells.items()
        for limit, circle in zip(whole["limit"], whole.geometry, strict=True)
        if not (part := _areas(shapely.intersection(circle, cell))).is_empty
    ]
    table = pd.DataFrame(rows, columns=["origin", "limit", "unit", "geometry"])
    return gpd.GeoDataFrame(table, geometry="geometry", crs=whole.crs)


def _cells_by_owner(
    fields: list[tuple[int, int, Floats]], bounds: tuple[float, float, float, float]
) -> dict[int, shapely.Geometry]:
    """Return for each field the squares around the nodes of the grid where it costs least, over all of some bounds."""
    i0, j0 = int(np.floor(bounds[0] / STEP_M)) - 1, int(np.floor(bounds[1] / STEP_M)) - 1
    columns, rows = int(np.ceil(bounds[2] / STEP_M)) + 2 - i0, int(np.ceil(bounds[3] / STEP_M)) + 2 - j0
    best, label = np.full((rows, columns), np.inf), np.full((rows, columns), -1, dtype=np.int32)
    for k, (i, j, cost) in enumerate(fields):
        low_i, low_j = max(i, i0), max(j, j0)
        high_i, high_j = min(i + cost.shape[1], i0 + columns), min(j + cost.shape[0], j0 + rows)
        there = np.s_[low_j - j0 : high_j - j0, low_i - i0 : high_i - i0]
        mine = cost[low_j - j : high_j - j, low_i - i : high_i - i]
        better = mine < best[there]
        best[there] = np.where(better, mine, best[there])
        label[there] = np.where(better, k, label[there])
    # A square whose node is not reached may hold a rim of the circle: it goes with the nearest node that is.
    nearest = distance_transform_edt(label < 0, return_distances=False, return_indices=True)
    label = label[tuple(nearest)]
    corner = Affine(STEP_M, 0, (i0 - 0.5) * STEP_M, 0, STEP_M, (j0 - 0.5) * STEP_M)
    pieces: dict[int, list[Any]] = {}
    for shape, k in cell_shapes(label, transform=corner):
        pieces.setdefault(int(k), []).append(shapely.geometry.shape(shape))
    return {k: shapely.union_all(pieces[k]) for k in sorted(pieces)}


def _areas(shape: shapely.Geometry) -> shapely.Geometry:
    """Return the polygons of a shape, without points and lines."""
    parts = shapely.get_parts(shape)
    parts = parts[shapely.get_dimensions(parts) == 2]
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
