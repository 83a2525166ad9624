"""Homes: people of a cell are put where people can live, whole, and counted in one community each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle_layers.apportion import Floats, Ints, spread
from livingcircle_layers.lattice import first_inside_xy, lattice_points
from livingcircle_layers.people import LAND, People
from livingcircle_layers.units import repair_polygons

Geometries = npt.NDArray[np.object_]

BASES = ("buildings", "residential_land", "streets", "even", "cell")
"""How the people of a cell were placed, the best knowledge first; `cell`: all at its centre."""

CELL_AS_HOME_M2 = 10_100.0  # a cell of 100 m side, with 1 % for the scale of map projections
FLOOR_M2_PER_PERSON = 10.0  # standards.md 11.3: less floor cannot house the people of the cell
LAND_M2_PER_PERSON = 10.0  # judgement, by the same thought: the densest blocks have 13 (3,000 people on 4 ha)
STREET_M_PER_PERSON = 0.1  # judgement: towers on both sides of a street house about 10 people a metre
STREET_STEP_M = 25.0


@dataclass(frozen=True)
class Placement:
    """Where people live.

    Attributes
    ----------
    homes
        One row per home, ordered by cell, then west to east: ``home`` (0..n-1), ``x, y`` (metric plane),
        ``unit`` (``""``: outside all units), ``people`` (above 0), one column per group (and ``households``)
        of the input, ``basis`` (of `BASES`), ``source``, ``row``.
    basis
        Per unit the people placed by each of `BASES`.
    shared
        Groups that are no counts but shares of everybody.
    """

    homes: pd.DataFrame
    basis: pd.DataFrame
    shared: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Spots:
    """Places within cells where people can live: position of the cell, coordinates, whole weight."""

    cell: Ints
    x: Floats
    y: Floats
    weight: Ints

    def of(self, keep: npt.NDArray[np.bool_]) -> _Spots:
        return _Spots(self.cell[keep], self.x[keep], self.y[keep], self.weight[keep])


def place_people(
    people: People,
    units_metric: gpd.GeoDataFrame,
    *,
    buildings: gpd.GeoDataFrame,
    residential_land: gpd.GeoDataFrame,
    street_lines: Geometries,
    water: gpd.GeoDataFrame,
    narrow_gaps: Geometries | None = None,
) -> Placement:
    """Give all people a home, so that a cell on a border is split by where its homes are.

    A cell of at most 100 m side, a row without area and a cell that touches no unit are one home at their
    centre. The people of a larger cell go to its residential buildings by floor area, else to its residential
    land, else along its streets, else evenly over it without water; each only if it has room for all of them
    (`FLOOR_M2_PER_PERSON`, `LAND_M2_PER_PERSON`, `STREET_M_PER_PERSON`), as otherwise thousands would land in
    one mapped house. A home on a border belongs to the unit with the smallest id.

    Parameters
    ----------
    people
        As read by `read_people`; residential land that stands in for them lies evenly where it is.
    units_metric
        Index ``unit_id``, polygons.
    buildings
        ``floor_m2``, ``residential`` (true or false), geometry.
    residential_land, water
        Polygons, which may overlap.
    street_lines
        The streets that people live along.
    narrow_gaps
        Slack between the units' borders: a home there belongs to the nearest unit.

    Returns
    -------
    Homes whose people (and every group) sum exactly to those of the cells.
    """
    if units_metric.crs != people.cells.crs:
        raise ValueError("units and people must be in the same metric CRS")
    cells = people.cells.geometry.to_numpy()
    units = units_metric.sort_index()
    totals = people.cells["people"].to_numpy(dtype=np.int64)
    one_home = np.ones(len(cells), dtype=bool)
    large = np.flatnonzero(shapely.area(cells) > CELL_AS_HOME_M2)
    near = np.unique(shapely.STRtree(units.geometry.to_numpy()).query(cells[large], predicate="intersects")[0])
    one_home[large[near]] = False

    found = [("cell", _centres(cells, np.flatnonzero(one_home)))]
    wet = _polygons(water)
    rest = np.flatnonzero(~one_home)
    methods: tuple[tuple[str, Callable[[Geometries], tuple[_Spots, Floats]]], ...] = (
        ("buildings", lambda part: _in_buildings(part, buildings)),
        ("residential_land", lambda part: _on_land(part, _polygons(residential_land))),
        ("streets", lambda part: _along_streets(part, street_lines, wet)),
        ("even", lambda part: _evenly(part, wet)),
    )
    if people.kind == LAND:
        methods = (("residential_land", lambda part: _evenly(part, wet)),)
    for basis, method in methods:
        spots, room = method(cells[rest])
        enough = room >= totals[rest]
        kept = spots.of(enough[spots.cell])
        found.append((basis, _Spots(rest[kept.cell], kept.x, kept.y, kept.weight)))
        rest = rest[~enough]
    homes = _share_out(people, found)
    # A total of a community stays in it, whatever lies over its outline.
    unit = units.index.get_indexer(homes.pop("unit")) if "unit" in homes else _unit_of(homes, units)
    if narrow_gaps is not None and len(narrow_gaps):
        unit = _with_nearest(homes, unit, units, narrow_gaps)
    homes.insert(3, "unit", _chosen([*units.index, ""], unit))
    return Placement(homes, _people_by_basis(homes, unit, units.index))


def _share_out(people: People, found: list[tuple[str, _Spots]]) -> pd.DataFrame:
    """Share the people and groups of every cell among its spots; spots that nobody gets are no homes."""
    cell = np.concatenate([spots.cell for _, spots in found])
    x = np.concatenate([spots.x for _, spots in found])
    y = np.concatenate([spots.y for _, spots in found])
    weight = np.concatenate([spots.weight for _, spots in found])
    basis = np.repeat(np.arange(len(found)), [len(spots.cell) for _, spots in found])
    order = np.lexsort((-weight, y, x, cell))
    cell, x, y, basis = cell[order], x[order], y[order], basis[order]
    number = spread(people.cells["people"].to_numpy(dtype=np.int64), cell, weight[order])
    lived = number > 0
    cell, number = cell[lived], number[lived]
    columns = [*people.groups, *(["households"] if "households" in people.cells else [])]
    shared = {column: spread(people.cells[column].to_numpy(dtype=np.int64), cell, number) for column in columns}
    return pd.DataFrame(
        {
            "home": np.arange(len(cell)),
            "x": x[lived],
            "y": y[lived],
            "people": number,
            **shared,
            "basis": _chosen([name for name, _ in found], basis[lived]),
            "source": _chosen(people.cells["source"], cell),
            "row": _chosen(people.cells["row"], cell),
            **({"unit": people.cells["unit"].to_numpy(dtype=object)[cell]} if "unit" in people.cells else {}),
        }
    )


def _chosen(texts: Sequence[str] | pd.Series[str], position: Ints) -> pd.Series[str]:
    """Return texts by their position, -1 being the last one, without an object for each."""
    return pd.Series(pd.Series(texts, dtype="str").array.take(position % len(texts)))


def _unit_of(homes: pd.DataFrame, units: gpd.GeoDataFrame) -> Ints:
    """Return the position of every home's unit, -1 outside all."""
    x, y = homes["x"].to_numpy(dtype=float), homes["y"].to_numpy(dtype=float)
    return first_inside_xy(x, y, units.geometry.to_numpy())


def _with_nearest(homes: pd.DataFrame, unit: Ints, units: gpd.GeoDataFrame, gaps: Geometries) -> Ints:
    """Give homes in a gap between units to the nearest one, of equally near ones to the smallest id."""
    lost = np.flatnonzero(unit == -1)
    points = shapely.points(homes["x"].to_numpy()[lost], homes["y"].to_numpy()[lost])
    in_gap = np.unique(shapely.STRtree(gaps).query(points, predicate="intersects")[0])
    home, near = shapely.STRtree(units.geometry.to_numpy()).query_nearest(points[in_gap])
    position = np.full(len(in_gap), len(units))
    np.minimum.at(position, home, near)
    result = unit.copy()
    result[lost[in_gap]] = position
    return result


def _people_by_basis(homes: pd.DataFrame, unit: Ints, unit_ids: pd.Index[str]) -> pd.DataFrame:
    basis = pd.Index(BASES).get_indexer(pd.Index(homes["basis"]))
    table = np.zeros((len(unit_ids), len(BASES)), dtype=np.int64)
    np.add.at(table, (unit[unit >= 0], basis[unit >= 0]), homes["people"].to_numpy()[unit >= 0])
    return pd.DataFrame(table, unit_ids, list(BASES))


def _centres(cells: Geometries, which: Ints) -> _Spots:
    """Return one spot per cell: its centre, or a point within where a bent cell does not hold its centre."""
    points = cells[which]
    body = np.flatnonzero(shapely.get_type_id(points) > 0)  # a point is its own centre
    shapes = points[body]
    points[body] = shapely.centroid(shapes)
    bent = ~shapely.intersects(shapes, points[body])
    points[body[bent]] = shapely.point_on_surface(shapes[bent])
    return _at(which, points)


def _at(cell: Ints, points: Geometries) -> _Spots:
    return _Spots(cell, shapely.get_x(points), shapely.get_y(points), np.ones(len(points), dtype=np.int64))


def _in_buildings(cells: Geometries, buildings: gpd.GeoDataFrame) -> tuple[_Spots, Floats]:
    """Return residential buildings by floor area; one in two overlapping cells belongs to the nearer one."""
    floor = buildings["floor_m2"].to_numpy(dtype=float)
    lived_in = buildings["residential"].to_numpy(dtype=bool) & (floor > 0)
    points = shapely.point_on_surface(buildings.geometry.to_numpy()[lived_in])
    cell, building = shapely.STRtree(points).query(cells, predicate="intersects")
    away = np.round(shapely.distance(shapely.centroid(cells)[cell], points[building]), 3)
    order = np.lexsort((cell, away, building))
    _, first = np.unique(building[order], return_index=True)
    cell, building = cell[order][first], building[order][first]
    tenths = np.maximum(np.round(floor[lived_in][building] * 10), 1).astype(np.int64)
    spots = _at(cell, points[building])
    spots = _Spots(spots.cell, spots.x, spots.y, tenths)
    return spots, _sums(spots, len(cells)) / 10 / FLOOR_M2_PER_PERSON


def _on_land(cells: Geometries, land: Geometries) -> tuple[_Spots, Floats]:
    """Return lattice points on residential land; where none hits, one on the largest piece."""
    near = np.unique(shapely.STRtree(land).query(cells, predicate="intersects")[1])
    parts = shapely.get_parts(shapely.union_all(land[near]))
    cell, part = shapely.STRtree(parts).query(cells, predicate="intersects")
    pieces = shapely.intersection(cells[cell], parts[part])
    area = shapely.area(pieces)
    spots = _lattice(cells)
    spots = spots.of(_covered(spots, parts))
    missed = ~np.isin(cell, spots.cell) & (area > 0)
    order = np.flatnonzero(missed)[np.lexsort((-area[missed], cell[missed]))]
    largest = order[np.unique(cell[order], return_index=True)[1]]
    lone = _at(cell[largest], shapely.point_on_surface(pieces[largest]))
    return _joined(spots, lone), np.bincount(cell, area, len(cells)) / LAND_M2_PER_PERSON


def _along_streets(cells: Geometries, lines: Geometries, wet: Geometries) -> tuple[_Spots, Floats]:
    """Return points along streets, weighted by the length they stand for; none on bridges over water."""
    near = np.unique(shapely.STRtree(lines).query(cells, predicate="intersects")[1])
    streets = lines[near]
    length = shapely.length(streets)
    steps = np.maximum(np.round(length / STREET_STEP_M), 1).astype(np.int64)
    street = np.repeat(np.arange(len(streets)), steps)
    step = np.arange(len(street)) - np.repeat(np.cumsum(steps) - steps, steps)
    pace = (length / steps)[street]
    points = shapely.line_interpolate_point(streets[street], (step + 0.5) * pace)
    cell, point = shapely.STRtree(points).query(cells, predicate="intersects")
    spots = _at(cell, points[point])
    spots = _Spots(spots.cell, spots.x, spots.y, np.round(pace[point] * 100).astype(np.int64))
    spots = spots.of(~_covered(spots, wet) & (spots.weight > 0))
    return spots, _sums(spots, len(cells)) / 100 / STREET_M_PER_PERSON


def _evenly(cells: Geometries, wet: Geometries) -> tuple[_Spots, Floats]:
    """Return lattice points on dry ground; a cell without any gets one point, dry if it has dry ground."""
    spots = _lattice(cells)
    spots = spots.of(~_covered(spots, wet))
    missed = np.setdiff1d(np.arange(len(cells)), spots.cell)
    ground = cells[missed]
    row, pool = shapely.STRtree(wet).query(ground, predicate="intersects")
    pools = np.array([shapely.union_all(wet[pool[row == k]]) for k in range(len(missed))], dtype=object)
    dry = shapely.difference(ground, pools)
    ground = np.where(shapely.area(dry) > 0, dry, ground)
    lone = _at(missed, shapely.point_on_surface(ground))
    return _joined(spots, lone), np.full(len(cells), np.inf)


def _lattice(cells: Geometries) -> _Spots:
    """Return the points of the city-wide lattice that lie in each cell."""
    cell, x, y = lattice_points(cells)
    return _Spots(cell, x, y, np.ones(len(cell), dtype=np.int64))


def _covered(spots: _Spots, polygons: Geometries) -> npt.NDArray[np.bool_]:
    points = shapely.STRtree(shapely.points(spots.x, spots.y))
    hit = np.zeros(len(spots.x), dtype=bool)
    hit[points.query(polygons, predicate="intersects")[1]] = True
    return hit


def _joined(first: _Spots, second: _Spots) -> _Spots:
    return _Spots(
        np.concatenate([first.cell, second.cell]),
        np.concatenate([first.x, second.x]),
        np.concatenate([first.y, second.y]),
        np.concatenate([first.weight, second.weight]),
    )


def _sums(spots: _Spots, cells: int) -> Floats:
    total: Floats = np.bincount(spots.cell, spots.weight, cells).astype(float)
    return total


def _polygons(frame: gpd.GeoDataFrame) -> Geometries:
    """Return the polygons of a layer with sound rings."""
    geometry = frame.geometry.to_numpy()
    geometry = geometry[np.isin(shapely.get_type_id(geometry), [3, 6])]
    return repair_polygons(geometry)[0]
