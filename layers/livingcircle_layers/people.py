"""People as planners bring them: a grid as table or polygons, totals of communities, or a population raster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle_layers.apportion import round_to_whole
from livingcircle_layers.crs import reprojected
from livingcircle_layers.errors import InputError, sentence
from livingcircle_layers.globe import SWAPPED, SWAPPED_REMEDY
from livingcircle_layers.headings import GROUPS, plain_heading
from livingcircle_layers.population_raster import (
    M2_PER_KM2,
    RASTER_SUFFIXES,
    Values,
    density_fault,
    is_density,
    read_raster,
)
from livingcircle_layers.population_totals import has_coordinates, places_of_units
from livingcircle_layers.sources import Reading, Source
from livingcircle_layers.tables import TABLE_SUFFIXES, Places, parse_amounts, read_places, read_table
from livingcircle_layers.units import repair_polygons
from livingcircle_layers.vectors import VECTOR_SUFFIXES, existing_file

LAND = "residential_land"
"""The kind of people that are m² of residential land, as nobody is known."""

_ROLES = ("id", "name", "population", "area_m2", "households", *GROUPS)
MOST = 1e13  # people, m² or people per km² in a row: an id or a sum in the wrong column is above it
WIDEST_CELL_M2 = 1e8  # the coarsest grids of people have cells of about 10 km; a larger area is a community's
MOST_PEOPLE = 1e10  # in a whole layer: more do not live on Earth
_AT_A_TIME = 50_000
_REJECTED = ("source", "row", "people", "reason", "detail")


@dataclass(frozen=True)
class People:
    """Whole people in cells, before they get a home.

    Attributes
    ----------
    cells
        In the metric CRS, ordered west to east, then south to north: ``source``, ``row`` (id or number of the
        row, ``""`` for a raster), ``people`` (above 0), one column per group, ``households`` where they are
        known, ``unit`` for totals of communities, and ``geometry``: a square of the cell's area, a raster cell, the
        polygon as given, the outline of the community, or a point where no area is known.
    groups
        The groups of people that the input has, of `GROUPS`; ``households`` is not one of them.
    rejected
        Rows that cannot be used: ``source, row, people, reason, detail``; ``people`` is NA where unknown.
    kind
        ``grid table``, ``totals`` or ``raster``; or `LAND`: every m² of residential land is one.
    source
        The name of the file.
    total
        People of the input that could be read: those in the cells and those of rejected rows.
    warnings
        What the user should know, a sentence each.
    columns_used
        Role to heading, for printing.
    reading
        How many rows the table has and how many of them count; None for a raster.
    used
        How many cells there were, where they are no longer held; see `number_of_cells`.
    """

    cells: gpd.GeoDataFrame
    groups: tuple[str, ...]
    rejected: pd.DataFrame
    kind: str
    source: str
    total: int
    warnings: tuple[str, ...]
    columns_used: Mapping[str, str]
    reading: Reading | None = None
    used: int = 0

    def without_cells(self) -> People:
        """Return what is known of the people once they have homes: their cells take as much memory as those."""
        return replace(self, cells=self.cells.iloc[:0].copy(), used=self.number_of_cells)

    @property
    def number_of_cells(self) -> int:
        """How many cells have people, also where the cells are no longer held."""
        return self.used or len(self.cells)


def read_people(
    given: Source | Path | str,
    *,
    crs: CRS,
    window: shapely.Polygon | None = None,
    units: gpd.GeoDataFrame | None = None,
    values: Values | None = None,
    household_size: float | None = None,
    table: pd.DataFrame | None = None,
) -> People:
    """Read where people live, as whole people in cells of the metric plane.

    Parts of a person are rounded by largest remainder over the whole input, so the total is kept.

    Parameters
    ----------
    given
        A table (CSV, Excel) with ``lon, lat, population`` and, for cells, ``area_m2``; a vector file of
        points or polygons with ``population``; a table without coordinates, with ids of communities; or a GeoTIFF.
        Its ``columns`` map ``population, area_m2, households, age_0_3`` … to headings.
    crs
        The metric plane of the run.
    window
        In lon/lat; of a raster only the cells within its bounds are read. All rows of a table are kept.
    units
        EPSG:4326, the communities that a table without coordinates means.
    values
        Whether the numbers are people (``counts``) or people per km² (``density``); None: counts, unless a name or
        the numbers themselves speak of a density, which is an error.
    household_size
        People per household, where the input does not count households.
    table
        What `read_table` returned, where the file is a table that has been read before.

    Raises
    ------
    InputError
        When the file cannot be read or its numbers are no counts of people; all faults of a table at once.
    """
    source = Source.of(given)
    suffixes = TABLE_SUFFIXES | VECTOR_SUFFIXES | RASTER_SUFFIXES
    file = existing_file(source.file, suffixes) if isinstance(source.file, Path) else None
    suffix = file.suffix.lower() if file else ""
    if file and suffix in RASTER_SUFFIXES:
        people = _from_raster(file, crs, window, values)
    else:
        table = read_table(source) if table is None and suffix in TABLE_SUFFIXES else table
        people = _from_rows(source, table, crs, units, values)
    if household_size is None or "households" in people.cells:
        return people
    households = round_to_whole(people.cells["people"] / household_size)
    return replace(people, cells=people.cells.assign(households=households))


def people_of_land(land: gpd.GeoDataFrame) -> People:
    """Let residential land stand in for people: one for each m², of land that several polygons cover only once.

    Parameters
    ----------
    land
        Polygons in the metric plane.
    """
    shapes = repair_polygons(land.geometry.to_numpy())[0]
    parts = shapely.get_parts(shapely.union_all(shapes))
    centre = shapely.get_coordinates(shapely.centroid(parts))
    parts = parts[np.lexsort((centre[:, 1], centre[:, 0]))]
    area = round_to_whole(shapely.area(parts))
    frame = gpd.GeoDataFrame({"source": "osm", "row": "", "people": area}, geometry=parts, crs=land.crs)
    return People(
        cells=frame[frame["people"] > 0].reset_index(drop=True),
        groups=(),
        rejected=_nothing_rejected(),
        kind=LAND,
        source="osm",
        total=int(area.sum()),
        warnings=("no population is given: demand is residential land in m², and there is no score",),
        columns_used={},
    )


def people_in(people: People, ground: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """Estimate the people on polygons, before they have homes: the people of a cell are spread evenly over it.

    Parameters
    ----------
    people
        As read.
    ground
        Polygons in the plane of the people's cells; they may overlap.
    """
    if not len(ground):
        return np.zeros(0)
    cells = people.cells.geometry.to_numpy()
    which, cell = shapely.STRtree(cells).query(ground, predicate="intersects")
    size = shapely.area(cells)[cell]
    shared = shapely.area(shapely.intersection(ground[which], cells[cell]))
    share = np.divide(shared, size, out=np.ones(len(cell)), where=size > 0)
    weight = people.cells["people"].to_numpy(dtype=float)[cell] * share
    total: npt.NDArray[np.float64] = np.bincount(which, weight, len(ground)).astype(float)
    return total


def _nothing_rejected() -> pd.DataFrame:
    return pd.DataFrame({c: pd.Series(dtype="Int64" if c == "people" else "str") for c in _REJECTED})


def _from_raster(file: Path, crs: CRS, window: shapely.Polygon | None, values: Values | None) -> People:
    raster = read_raster(file, crs=crs, window=window, values=values)
    _refuse_too_many(file.name, raster.people, "", "look at the largest cells, and declare what stands for no data")
    people = round_to_whole(raster.people)
    if not people.any():
        raise InputError(
            f"{file.name}: nobody lives anywhere",
            got="0 people in all cells over the communities",
            expected="people per cell",
            remedy="check that the raster holds people, and of this city",
        )
    cells = gpd.GeoDataFrame({"source": file.name, "row": "", "people": people}, geometry=raster.shapes, crs=crs)
    middle = shapely.get_coordinates(raster.shapes).reshape(-1, 5, 2)[:, :4].mean(axis=1)
    order = np.lexsort((middle[:, 1], middle[:, 0]))
    order = order[people[order] > 0]
    return People(
        cells=cells.iloc[order].reset_index(drop=True),
        groups=(),
        rejected=_nothing_rejected(),
        kind="raster",
        source=file.name,
        total=int(people.sum()),
        warnings=raster.notes,
        columns_used={},
    )


def _refuse_too_many(name: str, people: npt.ArrayLike, where: str, remedy: str) -> None:
    """Raise for more people than there are."""
    if (total := float(np.nansum(people))) > MOST_PEOPLE:
        raise InputError(
            f"{name}: more people than live on Earth",
            got=f"{total:.3g}{where}",
            expected='people, or with values = "density" people per km²',
            remedy=remedy,
        )


def _from_rows(
    source: Source, table: pd.DataFrame | None, crs: CRS, units: gpd.GeoDataFrame | None, values: Values | None
) -> People:
    """Return the people of a table, or (None) of a vector file."""
    if table is not None and not has_coordinates(source, table):
        if units is None:
            raise InputError(
                f"{source.label} has no coordinates, and no communities are drawn whose totals it could hold",
                got=f"the headings {', '.join(map(str, table.columns[:12]))}",
                expected="longitude and latitude, or communities as polygons",
                remedy="map lon and lat in `columns`, or give the communities as a file (--communities)",
            )
        places, notes = places_of_units(source, table, units, roles=_ROLES)
        people = _from_places(source.label, places, crs, values)
        return replace(people, kind="totals", warnings=(*notes, *people.warnings))
    places = read_places(source, roles=_ROLES, required=["population"], table=table)
    return _from_places(source.label, places, crs, values)


def _from_places(name: str, places: Places, crs: CRS, values: Values | None) -> People:
    counts, area, notes = _read_counts(name, places)
    heading = places.columns_used["population"]
    if values is None and is_density(heading):
        raise density_fault(name, f"the heading {heading!r}")
    if values == "density":
        counts = _from_densities(name, places, counts, area, crs)
    _refuse_too_many(
        name,
        counts["population"],
        f" in column {heading!r}",
        "look whether another column is meant (columns = {population = …})",
    )
    x, y = _middles(places.frame.geometry.to_numpy())
    frame = places.frame[["row", "geometry"]].assign(
        source=name,
        area=area,
        reason=places.reason,
        detail=places.detail,
        x=x,
        y=y,
        **counts,
        **({"unit": places.frame["unit"]} if "unit" in places.frame else {}),
    )
    _refuse_wide_cells(name, frame, places.columns_used)
    frame = frame.iloc[_by_place(frame)]  # so that the order of the rows changes nothing
    blank = frame["population"].isna()
    frame = _with_reasons(_whole(frame, list(counts)), blank)
    bad = frame["reason"] != ""
    used = _lived_in(name, frame).rename(columns={"population": "people"})
    columns = ["people" if column == "population" else column for column in counts]
    known = [*(["unit"] if "unit" in used else []), *columns]
    cells = gpd.GeoDataFrame(
        used[["source", "row", *known]].reset_index(drop=True), geometry=_cell_shapes(used, crs), crs=crs
    )
    rejected = frame.assign(people=frame["population"].astype("Int64").mask(blank))[bad]
    return People(
        cells=cells,
        groups=tuple(group for group in GROUPS if group in counts),
        rejected=pd.DataFrame(rejected[list(_REJECTED)]).reset_index(drop=True),
        kind="grid table",
        source=name,
        total=int(frame["population"].sum()),
        warnings=tuple(notes),
        columns_used=places.columns_used,
        reading=places.reading,
    )


def _refuse_wide_cells(name: str, frame: gpd.GeoDataFrame, used: Mapping[str, str]) -> None:
    """Raise where the area of a point is no cell's: its people would be put far away."""
    wide = (frame["area"] > WIDEST_CELL_M2) & (shapely.get_type_id(frame.geometry.to_numpy()) == 0)
    if wide.any():
        raise InputError(
            f"{name}: the area of {int(wide.sum())} points is too large for a cell",
            got=f"{frame['area'][wide].iloc[0] / M2_PER_KM2:,.0f} km² under the heading {used['area_m2']!r}",
            expected=f"cells of at most {WIDEST_CELL_M2 / M2_PER_KM2:.0f} km²",
            remedy='look at the unit in the heading, or write columns = {area_m2 = ""} to put the people at the points',
        )


def _lived_in(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that can be used and in which somebody lives; refuse a table without any."""
    usable = frame[frame["reason"] == ""]
    if usable.empty:
        reasons = ", ".join(f"{n} × {reason}" for reason, n in frame["reason"].value_counts().items())
        swapped = frame["reason"].isin([SWAPPED]).any()
        remedy = SWAPPED_REMEDY if swapped else "check population and coordinates"
        raise InputError(f"{name}: no row can be used", got=reasons, remedy=remedy)
    lived_in = usable[usable["population"] > 0]
    if lived_in.empty:
        raise InputError(
            f"{name}: nobody lives anywhere", got="population 0 in every row", remedy="check the population column"
        )
    return lived_in


def _words_for_coordinates(name: str, places: Places) -> list[str]:
    """Find coordinates that are words: people would be lost by a slip of the pen."""
    text = places.reason == "coordinates are not numbers"
    if not text.any():
        return []
    shown = "; ".join(f"row {row}: {cell}" for row, cell in places.detail[text].iloc[:5].items())
    return [
        sentence(
            f"{name}: coordinates that are not numbers in {int(text.sum())} rows",
            got=shown,
            expected="longitude and latitude in degrees",
            remedy="correct the cells, or leave the coordinates of those rows blank to have them listed as not placed",
        )
    ]


def _by_place(frame: gpd.GeoDataFrame) -> npt.NDArray[np.int64]:
    """Return the order of the rows by x, y, population and row; what is unknown comes last."""
    keys = [frame[key].to_numpy() for key in ("population", "y", "x")]
    order = np.lexsort(keys)
    same = np.ones(len(order) - 1, dtype=bool)
    for key in keys:
        a, b = key[order][:-1], key[order][1:]
        same &= (a == b) | (np.isnan(a) & np.isnan(b))
    if same.any():  # text is compared where nothing else tells, as it takes long
        tied = order[np.append(same, False) | np.append(False, same)]
        rank = np.zeros(len(order), dtype=np.int64)
        rank[tied] = np.unique(frame["row"].iloc[tied].to_numpy(dtype=object), return_inverse=True)[1]
        order = np.lexsort([rank, *keys])
    return order


def _middles(shapes: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the coordinates of the centroids, NaN where there is none; a few at a time, as points are large."""
    x, y = shapely.get_x(shapes), shapely.get_y(shapes)
    bodies = np.flatnonzero(shapely.get_type_id(shapes) > 0)
    for begin in range(0, len(bodies), _AT_A_TIME):
        some = bodies[begin : begin + _AT_A_TIME]
        centre = shapely.centroid(shapes[some])
        x[some], y[some] = shapely.get_x(centre), shapely.get_y(centre)
    return x, y


def _from_densities(
    name: str, places: Places, counts: Mapping[str, pd.Series[float]], area: pd.Series[float], crs: CRS
) -> dict[str, pd.Series[float]]:
    """Turn people per km² into people, by the area column or the polygon of each row."""
    used = places.columns_used
    counted = [
        c for c in counts if c != "population" and plain_heading(used[c]).endswith(("_人", "_户", "万人", "万户"))
    ]
    if counted:
        raise InputError(
            f"{name}: counts beside densities",
            got=", ".join(f"{used[column]!r} for {column}" for column in counted),
            expected='numbers per km² in every column of people, as values = "density" says',
            remedy=f'leave them out: columns = {{{counted[0]} = ""}}',
        )
    shapes = places.frame.geometry.to_crs(crs).to_numpy()
    ground = area.where(area.notna(), pd.Series(shapely.area(shapes), index=area.index))
    lost = (counts["population"] > 0) & ~(ground > 0) & (places.reason == "")
    if lost.any():
        raise InputError(
            f"{name}: densities without area in {int(lost.sum())} rows",
            got=f"row {lost.index[lost][0]} first",
            expected="a column area_m2, or polygons",
            remedy="add the area of each cell",
        )
    return {column: numbers * ground.fillna(0) / M2_PER_KM2 for column, numbers in counts.items()}


def _with_reasons(frame: gpd.GeoDataFrame, blank: pd.Series[bool]) -> gpd.GeoDataFrame:
    """Say of every row why it cannot be used; of several reasons the most basic one."""
    reason, detail = frame["reason"], frame["detail"]
    if "households" in frame:
        lonely = (reason == "") & (frame["population"] == 0) & (frame["households"] > 0)
        detail = detail.mask(lonely, frame["households"].astype("str") + " households")
        reason = reason.mask(lonely, "households without people")
    line = np.isin(shapely.get_type_id(frame.geometry.to_numpy()), [1, 2, 4, 5, 7])
    reason = reason.mask(line, "geometry is neither a point nor a polygon")
    return frame.assign(reason=reason.mask(blank, "population is blank"), detail=detail)


def _read_counts(name: str, places: Places) -> tuple[dict[str, pd.Series[float]], pd.Series[float], list[str]]:
    """Return the counts by column and the area of the cells, or raise with all faults of the table."""
    used, table = places.columns_used, places.table
    faults, notes = [*_repeated_ids(name, places), *_words_for_coordinates(name, places)], []
    read: dict[str, pd.Series[float]] = {}
    for role in ("population", *GROUPS, "households", "area_m2"):
        if role in used:
            read[role], found = parse_amounts(table, role, used[role], what=f"{name}: {role}", maximum=MOST)
            faults += found
    people, area = read["population"], read.pop("area_m2", pd.Series(np.nan, index=table.index))
    faults += _groups_too_large(name, read, used)
    if people.isna().all() and not faults:
        faults.append(sentence(f"{name}: the population is blank in all {len(table)} rows", expected="counts"))
    if faults:
        raise InputError.of(faults)
    for role, values in read.items():
        if role == "population":
            continue
        if (gaps := values.isna() & people.notna()).any():
            notes.append(f"{name}: {role} is blank in {gaps.sum()} rows with people and counts as 0 there")
        read[role] = values.where(people.notna()).fillna(0)
    return read, area, notes + _doubtful_groups(name, read)


def _doubtful_groups(name: str, read: Mapping[str, pd.Series[float]]) -> list[str]:
    """Say where groups of ages cannot all be right, though each is no larger than the population."""
    notes = []
    if "age_60_up" in read and "age_65_up" in read:
        notes.append(("age_65_up exceeds age_60_up in", read["age_65_up"] > read["age_60_up"] + 1e-6))
    old = "age_60_up" if "age_60_up" in read else "age_65_up"  # one lies in the other
    apart = [read[group] for group in (*GROUPS[:4], old) if group in read]
    if apart:
        notes.append(
            ("the groups of ages add up to more than the population in", sum(apart) > read["population"] + 1e-6)
        )
    return [
        f"{name}: {what} {n:,} rows, the first of them {doubtful.index[doubtful][0]}"
        for what, doubtful in notes
        if (n := int(doubtful.sum()))
    ]


def _groups_too_large(name: str, read: Mapping[str, pd.Series[float]], used: Mapping[str, str]) -> list[str]:
    faults = []
    for group in GROUPS:
        if group in read and (more := read[group] > read["population"] + 1e-6).any():
            rows = ", ".join(str(row) for row in more.index[more][:5])
            faults.append(
                f"{name}: {group} (column {used[group]!r}) exceeds the population; {more.sum()} rows ({rows});"
                f" remedy: look whether it is in the unit of {used['population']!r}"
            )
    return faults


def _repeated_ids(name: str, places: Places) -> list[str]:
    ids = places.cells("id")
    twice = ids[ids.duplicated() & (ids != "")].unique()
    if len(twice) == 0:
        return []
    shown = ", ".join(twice[:5]) + (f" and {len(twice) - 5} more" if len(twice) > 5 else "")
    return [sentence(f"{name}: ids appear twice", got=shown, remedy="remove the repeated rows, or map `id`")]


def _whole(frame: gpd.GeoDataFrame, columns: list[str]) -> gpd.GeoDataFrame:
    """Round counts to whole numbers of the rounded sum; no group exceeds the people of its row."""
    people = round_to_whole(frame["population"].fillna(0))
    whole = {
        column: round_to_whole(frame[column], people if column in GROUPS else None)
        for column in columns
        if column != "population"
    }
    return frame.assign(population=people, **whole)


def _cell_shapes(frame: gpd.GeoDataFrame, crs: CRS) -> npt.NDArray[np.object_]:
    """Return squares around points whose area is known, other geometry as it is, in the metric plane."""
    shapes: npt.NDArray[np.object_] = reprojected(frame.geometry.to_numpy(), frame.crs, crs)
    polygon = np.isin(shapely.get_type_id(shapes), [3, 6])
    shapes[polygon] = repair_polygons(shapes[polygon])[0]
    square = ~polygon & (frame["area"] > 0).to_numpy()
    x, y = shapely.get_x(shapes[square]), shapely.get_y(shapes[square])
    half = np.sqrt(frame["area"].to_numpy()[square]) / 2
    shapes[square] = shapely.box(x - half, y - half, x + half, y + half)
    return shapes
