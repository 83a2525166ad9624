"""People as planners bring them: a grid as table or polygons, or a population raster."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
import shapely
from pyproj import CRS, Transformer
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError
from rasterio.windows import Window

from livingcircle_layers.apportion import round_to_whole
from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import InputError, sentence
from livingcircle_layers.headings import GROUPS
from livingcircle_layers.sources import Reading, Source
from livingcircle_layers.tables import TABLE_SUFFIXES, Places, parse_numbers, read_places
from livingcircle_layers.units import repair_polygons
from livingcircle_layers.vectors import VECTOR_SUFFIXES, existing_file

RASTER_SUFFIXES = frozenset({".tif", ".tiff"})
_ROLES = ("id", "name", "population", "area_m2", "households", *GROUPS)
_REJECTED = ("source", "row", "people", "reason", "detail")


@dataclass(frozen=True)
class People:
    """Whole people in cells, before they get a home.

    Attributes
    ----------
    cells
        In the metric CRS, ordered west to east, then south to north: ``source``, ``row`` (id or number of the
        row, ``""`` for a raster), ``people`` (above 0), one column per group, ``households`` where the input
        has them, and ``geometry``: a square of the cell's area, a raster cell, the polygon as given, or a
        point where no area is known.
    groups
        The groups of people that the input has, of `GROUPS`; ``households`` is not one of them.
    rejected
        Rows that cannot be used: ``source, row, people, reason, detail``; ``people`` is NA where unknown.
    kind
        ``grid table`` or ``raster``.
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


def read_people(
    given: Source | Path | str,
    *,
    crs: CRS,
    window: shapely.Polygon | None = None,
) -> People:
    """Read where people live, as whole people in cells of the metric plane.

    Parts of a person are rounded by largest remainder over the whole input, so the total is kept.

    Parameters
    ----------
    given
        A table (CSV, Excel) with ``lon, lat, population`` and, for cells, ``area_m2``; a vector file of
        points or polygons with ``population``; or a GeoTIFF of counts per cell (not of densities).
        Its ``columns`` map ``population, area_m2, households, age_0_3`` … to headings.
    crs
        The metric plane of the run.
    window
        In lon/lat; of a raster only the cells within its bounds are read. All rows of a table are kept.

    Raises
    ------
    InputError
        When the file cannot be read or its numbers are no counts of people; all faults of a table at once.
    """
    source = Source.of(given)
    suffixes = TABLE_SUFFIXES | VECTOR_SUFFIXES | RASTER_SUFFIXES
    file = existing_file(source.file, suffixes) if isinstance(source.file, Path) else None
    if file is not None and file.suffix.lower() in RASTER_SUFFIXES:
        return _read_raster(file, crs, window)
    return _from_places(source.label, read_places(source, roles=_ROLES, required=["population"]), crs)


def people_in(people: People, ground: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """Estimate the people on polygons, before they have homes: the people of a cell are spread evenly over it.

    Parameters
    ----------
    people
        As read.
    ground
        Polygons in the plane of the people's cells; they may overlap.
    """
    cells = people.cells.geometry.to_numpy()
    which, cell = shapely.STRtree(cells).query(ground, predicate="intersects")
    size = shapely.area(cells)[cell]
    shared = shapely.area(shapely.intersection(ground[which], cells[cell]))
    share = np.divide(shared, size, out=np.ones(len(cell)), where=size > 0)
    weight = people.cells["people"].to_numpy(dtype=float)[cell] * share
    total: npt.NDArray[np.float64] = np.bincount(which, weight, len(ground)).astype(float)
    return total


def _from_places(name: str, places: Places, crs: CRS) -> People:
    counts, area, notes = _read_counts(name, places)
    text = places.reason == "coordinates are not numbers"
    if text.any():
        shown = "; ".join(f"row {row}: {cell}" for row, cell in places.detail[text].iloc[:5].items())
        raise InputError(
            f"{name}: coordinates that are not numbers in {int(text.sum())} rows",
            got=shown,
            expected="longitude and latitude in degrees",
            remedy="correct the cells, or leave the coordinates of those rows blank to have them listed as not placed",
        )
    centre = shapely.centroid(places.frame.geometry.to_numpy())
    frame = places.frame[["row", "geometry"]].assign(
        source=name,
        area=area,
        reason=places.reason,
        detail=places.detail,
        x=shapely.get_x(centre),
        y=shapely.get_y(centre),
        **counts,
    )
    frame = frame.sort_values(["x", "y", "population", "row"])  # so that the order of the rows changes nothing
    blank = frame["population"].isna()
    frame = _with_reasons(_whole(frame, list(counts)), blank)
    bad = frame["reason"] != ""
    lived_in = ~bad & (frame["population"] > 0)
    if bad.all():
        reasons = ", ".join(f"{n} × {reason}" for reason, n in frame["reason"].value_counts().items())
        raise InputError(f"{name}: no row can be used", got=reasons, remedy="check population and coordinates")
    if not lived_in.any():
        raise InputError(
            f"{name}: nobody lives anywhere", got="population 0 in every row", remedy="check the population column"
        )
    used = frame[lived_in].rename(columns={"population": "people"})
    columns = ["people" if column == "population" else column for column in counts]
    cells = gpd.GeoDataFrame(
        used[["source", "row", *columns]].reset_index(drop=True), geometry=_cell_shapes(used, crs), crs=crs
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
    used, table = places.columns_used, places.frame
    faults, notes = _repeated_ids(name, places), []
    read: dict[str, pd.Series[float]] = {}
    for role in ("population", *GROUPS, "households", "area_m2"):
        if role in used:
            read[role], found = parse_numbers(table, used[role], what=f"{name}: {role}", minimum=0)
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
    return read, area, notes


def _groups_too_large(name: str, read: Mapping[str, pd.Series[float]], used: Mapping[str, str]) -> list[str]:
    faults = []
    for group in GROUPS:
        if group in read and (more := read[group] > read["population"] + 1e-6).any():
            rows = ", ".join(str(row) for row in more.index[more][:5])
            faults.append(
                f"{name}: {group} (column {used[group]!r}) exceeds the population; {more.sum()} rows ({rows})"
            )
    return faults


def _repeated_ids(name: str, places: Places) -> list[str]:
    if "id" not in places.columns_used:
        return []
    ids = places.frame[places.columns_used["id"]]
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
    shapes: npt.NDArray[np.object_] = frame.geometry.to_crs(crs).to_numpy().copy()
    polygon = np.isin(shapely.get_type_id(shapes), [3, 6])
    shapes[polygon] = repair_polygons(shapes[polygon])[0]
    square = ~polygon & (frame["area"] > 0).to_numpy()
    x, y = shapely.get_x(shapes[square]), shapely.get_y(shapes[square])
    half = np.sqrt(frame["area"].to_numpy()[square]) / 2
    shapes[square] = shapely.box(x - half, y - half, x + half, y + half)
    return shapes


def _read_raster(file: Path, crs: CRS, window: shapely.Polygon | None) -> People:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said below, as an error
            dataset = rasterio.open(file, driver="GTiff")
    except RasterioIOError as error:
        raise InputError(f"{file.name} cannot be parsed", expected="a GeoTIFF", remedy="export it again") from error
    with dataset:
        if dataset.crs is None:
            raise InputError(
                f"{file.name} has no CRS",
                expected="a georeferenced GeoTIFF",
                remedy="assign one, for example gdal_edit.py -a_srs EPSG:4326",
            )
        source_crs = CRS.from_user_input(dataset.crs)
        part = _raster_window(file.name, dataset, source_crs, window)
        try:
            values = dataset.read(1, window=part, masked=True)
        except RasterioIOError as error:
            raise InputError(f"{file.name} cannot be read to its end", remedy="copy it again") from error
        transform, bands = dataset.transform, dataset.count
    counts = np.where(np.ma.getmaskarray(values), np.nan, values.data.astype(float))
    _check_raster(file.name, counts)
    rows, columns = np.nonzero(counts > 0)
    people = round_to_whole(counts[rows, columns])
    rows, columns, people = rows[people > 0], columns[people > 0], people[people > 0]
    corner_columns = part.col_off + columns[:, None] + np.array([0, 1, 1, 0])
    corner_rows = part.row_off + rows[:, None] + np.array([0, 0, 1, 1])
    x, y = _apply(transform, corner_columns, corner_rows)
    x, y = Transformer.from_crs(source_crs, crs, always_xy=True).transform(x, y)
    cells = gpd.GeoDataFrame(
        {"source": file.name, "row": "", "people": people},
        geometry=shapely.polygons(np.stack([x, y], axis=-1)),
        crs=crs,
    )
    order = np.lexsort((y.mean(axis=1), x.mean(axis=1)))
    return People(
        cells=cells.iloc[order].reset_index(drop=True),
        groups=(),
        rejected=pd.DataFrame({c: pd.Series(dtype="Int64" if c == "people" else "str") for c in _REJECTED}),
        kind="raster",
        source=file.name,
        total=int(people.sum()),
        warnings=(f"{file.name} has {bands} bands; the first is read",) if bands > 1 else (),
        columns_used={},
    )


def _raster_window(
    name: str, dataset: rasterio.DatasetReader, source_crs: CRS, window: shapely.Polygon | None
) -> Window:
    """Return the part of a raster, rotated or not, that holds the window's bounds."""
    if window is None:
        return Window(0, 0, dataset.width, dataset.height)
    outline = shapely.segmentize(shapely.box(*window.bounds), max(np.ptp(window.bounds[::2]) / 16, 1e-6))
    lon, lat = shapely.get_coordinates(outline).T
    x, y = Transformer.from_crs(WGS84, source_crs, always_xy=True).transform(lon, lat)
    column, row = _apply(~dataset.transform, x, y)
    if np.isfinite(column).all() and np.isfinite(row).all():
        left, right = max(int(np.floor(column.min())), 0), min(int(np.ceil(column.max())), dataset.width)
        top, bottom = max(int(np.floor(row.min())), 0), min(int(np.ceil(row.max())), dataset.height)
        if left < right and top < bottom:
            return Window(left, top, right - left, bottom - top)
    west, south, east, north = window.bounds
    raise InputError(
        f"{name} does not overlap the communities",
        got=f"a raster of {', '.join(f'{edge:.6g}' for edge in dataset.bounds)} in {source_crs.name}",
        expected=f"one over {west:.4f}, {south:.4f}, {east:.4f}, {north:.4f} (lon/lat)",
        remedy="check the raster's CRS and place",
    )


def _apply(
    transform: rasterio.Affine, first: npt.NDArray[Any], second: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Apply an affine transform to whole arrays."""
    x = transform.a * first + transform.b * second + transform.c
    y = transform.d * first + transform.e * second + transform.f
    return x, y


def _check_raster(name: str, counts: npt.NDArray[np.float64]) -> None:
    if np.isnan(counts).all():
        raise InputError(f"{name} has only nodata over the communities", expected="people per cell")
    if np.isinf(counts).any():
        raise InputError(f"{name} holds infinite numbers", expected="people per cell", remedy="declare nodata")
    lowest = np.nanmin(counts)
    if lowest < 0:
        raise InputError(
            f"{name}: {np.count_nonzero(counts < 0)} cells are negative",
            got=f"{lowest:g} as the lowest",
            expected="people per cell, 0 or more",
            remedy=f"if it marks cells without data, declare it: gdal_edit.py -a_nodata {lowest:g}",
        )
