"""Tables and places as planners bring them: CSV, Excel and vector files, with every fault named by row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import shapely
from pyproj import CRS, Transformer

from livingcircle_layers.cells import as_numbers, numbers, parse_amounts, parse_numbers
from livingcircle_layers.crs import METRES_REMEDY, WGS84
from livingcircle_layers.errors import InputError, sentence
from livingcircle_layers.globe import OFF_GLOBE, SWAPPED, SWAPPED_REMEDY, off_globe
from livingcircle_layers.headings import HEADINGS, find_column, find_columns, refuse_twice
from livingcircle_layers.postgis import read_database
from livingcircle_layers.row_filter import kept_rows
from livingcircle_layers.sources import Database, Reading, Source, reading_of
from livingcircle_layers.vectors import (
    BROKEN,
    BROKEN_SHAPE,
    BROKEN_WHY,
    NO_SHAPE,
    VECTOR_SUFFIXES,
    attributes_as_text,
    checked_layer,
    declared_crs,
    existing_file,
    read_vector,
)
from livingcircle_layers.workbooks import read_workbook

__all__ = [
    "TABLE_SUFFIXES",
    "Places",
    "PlacesGiven",
    "attributes_as_text",
    "find_column",
    "find_columns",
    "labelled",
    "numbers",
    "pair_points",
    "parse_amounts",
    "parse_numbers",
    "read_places",
    "read_points",
    "read_table",
    "read_vector",
]

TABLE_SUFFIXES = frozenset({".csv", ".txt", ".tsv", ".xlsx", ".xlsm"})
_UTF8_CHINESE = re.compile(rb"[\xe3-\xe9][\x80-\xbf]{2}")
_TITLE_UNIT = re.compile(r"单位\s*[:：]\s*([万千百十亿](人|户|张|个|平方米|亩|公顷)|公顷|亩|平方公里|平方千米)(?!\w)")
MOST_ABOVE = 3  # rows above the headings: title, who filled it in, a blank one (a judgement)
_UTF8_TOLD = 4  # signs in a line that is valid UTF-8; in GB18030 that is six rare signs in a row (a judgement)


def read_table(given: Source | Path | str) -> pd.DataFrame:
    """Read a table from CSV or Excel, every cell as text, blank cells as ``""``.

    Parameters
    ----------
    given
        ``.csv``, ``.tsv`` or ``.txt`` in UTF-8 (with or without BOM), UTF-16 with BOM or GB18030, separated
        by commas, semicolons, tabs or bars; or ``.xlsx``, of which the sheet of the source is read, or else the first
        that is not empty.

    Returns
    -------
    The rows that are not entirely blank and that `where` keeps. The index ``row_number`` is the number of the row in
    the file as Excel shows it: the headings are row 1, or stand below a title, a cell alone in its row. ``attrs`` hold
    the number of ``rows`` and of those ``filtered`` out.

    Raises
    ------
    InputError
        For a missing or empty file, headings without rows, headings that are blank or appear twice, rows that
        do not fit the headings, unknown encodings.
    """
    source = Source.of(given)
    source.check()
    if isinstance(source.file, Database):
        return _wanted(read_database(source), source)
    file = existing_file(source.file, TABLE_SUFFIXES)
    if file.suffix.lower() in {".xlsx", ".xlsm"}:
        headings, cells, sheets = read_workbook(file, source.sheet)
    else:
        (headings, cells), sheets = _read_text(file), ""
    table = _checked(file.name, headings, cells)
    table.attrs["sheets"] = sheets
    return _wanted(table, source)


def _wanted(table: pd.DataFrame, source: Source) -> pd.DataFrame:
    kept = kept_rows(table, source)
    result = table[kept]
    result.attrs["rows"], result.attrs["filtered"] = len(table), int((~kept).sum())
    return result


def _read_text(file: Path) -> tuple[list[str], pd.DataFrame]:
    text = _decoded(file)
    delimiter = _delimiter(text)
    first = _first_row(text, delimiter)
    if not any(heading.strip() for heading in first):
        raise InputError(f"{file.name} has no headings", expected="headings in the first line")
    if (plain := _plain_cells(text, delimiter, len(first))) is not None:
        return first, plain
    try:
        table = pd.read_csv(
            io.StringIO(text),
            sep=delimiter,
            header=0,
            names=range(len(first)),
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
        )
    except pd.errors.ParserError as error:
        raise InputError(
            f"{file.name} has rows that do not fit its {len(first)} headings",
            got=str(error).split("C error: ")[-1],
            remedy='put cells that hold a separator into quotes ("…")',
        ) from error
    if not isinstance(table.index, pd.RangeIndex):
        raise InputError(
            f"{file.name} has rows that do not fit its headings",
            got="more cells in the first row than headings",
            expected=f"{len(first)} cells",
            remedy="remove the separator at the end of the rows, or give every column a heading",
        )
    return first, table.fillna("")  # short rows


def _plain_cells(text: str, delimiter: str, width: int) -> pd.DataFrame | None:
    """Return the cells of a table in which no cell is quoted and every row has the same number of them, as text.

    In a fifth of the time that pandas takes; None where a table is not like that, which pandas reads or tells why not.
    """
    if '"' in text or text.count("\r") != text.count("\r\n"):
        return None
    names = [str(i) for i in range(width)]
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(text.encode()),
            pa.csv.ReadOptions(column_names=names, skip_rows=1),
            pa.csv.ParseOptions(delimiter=delimiter, quote_char=False, ignore_empty_lines=False),
            pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.large_string())),
        )
    except pa.ArrowInvalid:
        return None
    return table.to_pandas().set_axis(range(width), axis="columns")


def _decoded(file: Path) -> str:
    raw = file.read_bytes()
    encodings = ("utf-16",) if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "gb18030" and (line := _utf8_line(raw)) is not None:
            raise InputError(
                f"{file.name} is written in two encodings",
                got=f"UTF-8 in line {line}, GB18030 in others",
                expected="one encoding from the first line to the last",
                remedy="export each list alone as CSV UTF-8 before they are put together",
            )
        if "\x00" not in text:
            return text
    raise InputError(
        f"{file.name} is not a text table",
        got="bytes that are neither UTF-8 nor GB18030 text",
        expected="one encoding from the first line to the last",
        remedy="save it as CSV UTF-8 or as .xlsx",
    )


def _utf8_line(raw: bytes) -> int | None:
    """Return the first line that is Chinese in UTF-8; GB18030 as good as never looks like that, but can be read so."""
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if len(_UTF8_CHINESE.findall(line)) >= _UTF8_TOLD:
            try:
                line.decode()
            except UnicodeDecodeError:
                continue
            return number
    return None


def _first_row(text: str, delimiter: str) -> list[str]:
    """Return the cells of the first row, whatever ends its line; none where it is longer than headings can be."""
    try:
        return next(csv.reader(io.StringIO(text, newline=None), delimiter=delimiter), [])
    except csv.Error:
        return []


def _delimiter(text: str) -> str:
    """Return the separator that splits the headings most often; a comma when none does."""
    first = _first_row(text, ",")
    line = first[0] if len(first) == 1 else ""
    return max(",;\t|", key=lambda mark: (line.count(mark), mark == ","))


def _checked(name: str, headings: Sequence[str], table: pd.DataFrame, *, above: int = 0) -> pd.DataFrame:
    """Give a table its headings and row numbers, without blank rows and without blank columns at the end.

    A title above the headings, a cell alone in its row, is passed over; ``above`` counts them and blank ones below.
    """
    clean = [" ".join(heading.split()) for heading in headings]
    blank = (table == "").all()
    keep = [i for i, heading in enumerate(clean) if heading or not blank.get(i, True)]
    clean = [clean[i] for i in keep]
    faults = []
    alone = len(clean) > 1 and sum(map(bool, clean)) in ((0, 1) if above else (1,))
    if alone and (said := next((h for h in clean if _TITLE_UNIT.search(h)), None)):
        raise InputError(
            f"{name}: a line above the headings names a unit",
            got=repr(said),
            expected="the unit in the heading of its column: 常住人口(万人)",
            remedy="write it there, and remove the line",
        )
    if alone and above < MOST_ABOVE and len(table):
        return _checked(name, table.iloc[0].tolist(), table.iloc[1:].reset_index(drop=True), above=above + 1)
    if alone:
        faults.append(
            sentence(
                f"{name}: the first rows hold one heading for {len(clean)} columns",
                got=repr(next((heading for heading in clean if heading), "")),
                expected="a heading for every column",
                remedy="remove what stands above the headings",
            )
        )
    elif not all(clean):
        numbers_ = ", ".join(str(keep[i] + 1) for i, heading in enumerate(clean) if not heading)
        faults.append(f"{name}: no heading in column {numbers_}; remedy: give every column a heading")
    twice = sorted({heading for heading in clean if heading and clean.count(heading) > 1})
    if twice:
        faults.append(f"{name}: headings appear twice: {', '.join(twice)}; remedy: rename or remove one of each")
    if faults:
        raise InputError.of(faults)
    result = table[keep].copy()
    result.columns = pd.Index(clean, dtype="str")
    first = above + 2  # as in Excel, below the headings
    result.index = pd.RangeIndex(first, len(result) + first, name="row_number")
    result = result[(result != "").any(axis=1)]
    if len(result) == 0:
        raise InputError(f"{name} has headings but no rows", got=", ".join(clean[:12]))
    return result


@dataclass(frozen=True)
class Places:
    """All rows of a file with their place on the ground, the unusable ones too.

    Attributes
    ----------
    frame
        ``row`` (the row's id, or its number in the file when ids are absent, blank or repeated), geometry in
        EPSG:4326 and, for totals of communities, ``unit``; the index is the number of the row.
    table
        The file's own columns as text, with the same index. They stand apart, so that a heading may be anything.
    reason, detail
        Why a row cannot be placed (``""``: it can), and what was found in it.
    columns_used
        Role to heading, as found or as the user mapped them.
    reading
        How many rows there were, for `run.json`.
    """

    frame: gpd.GeoDataFrame
    table: pd.DataFrame
    reason: pd.Series[str]
    detail: pd.Series[str]
    columns_used: Mapping[str, str]
    reading: Reading

    def cells(self, role: str) -> pd.Series[str]:
        """Return the cells of a role, without blanks around them; all are ``""`` where there is no such column."""
        if role not in self.columns_used:
            return pd.Series("", index=self.table.index, dtype="str")
        return self.table[self.columns_used[role]].str.strip()

    def where(self, wanted: pd.Series[bool]) -> Places:
        """Return some of the rows."""
        parts = {name: getattr(self, name)[wanted] for name in ("frame", "table", "reason", "detail")}
        return replace(self, **parts)


def read_places(
    given: Source | Path | str,
    *,
    roles: Iterable[str] = ("id", "name"),
    required: Sequence[str] = (),
    table: pd.DataFrame | None = None,
) -> Places:
    """Read rows that lie somewhere: a table with longitude and latitude, or any vector file.

    Parameters
    ----------
    given
        What `read_table` or `read_vector` reads.
    roles
        The roles whose columns the caller wants to know, beside the coordinates.
    required
        The roles among them without which the file cannot be used.
    table
        What `read_table` or `read_vector` returned, where the file has been read before.
    """
    source = Source.of(given)
    loaded = _load(source) if table is None else table
    wanted = list(dict.fromkeys(roles))
    if isinstance(loaded, gpd.GeoDataFrame):
        vector = loaded
        table = attributes_as_text(vector)
        table.attrs.update(vector.attrs)
        used = find_columns(table, wanted, columns=source.columns, required=required, what=source.label)
        geometry, reason, detail = _check_geometry(vector)
    else:
        table = loaded
        names = [*wanted, "lon", "lat", "lonlat"]
        used = find_columns(table, names, columns=source.columns, required=required, what=source.label)
        used = _one_kind_of_coordinates(used, table, source.label)
        geometry, reason, detail = _check_coordinates(table, used, declared_crs(source))
    labels = _own_ids(table, used.get("id"))
    # Ids that are blank or repeated are told as unused: rows are then known by their number.
    told = used if labels is not None else {role: heading for role, heading in used.items() if role != "id"}
    row = pd.Series(table.index.astype("str"), table.index, dtype="str") if labels is None else labels
    frame = gpd.GeoDataFrame({"row": row}, geometry=geometry, crs=WGS84)
    as_series = {"index": frame.index, "dtype": "str"}
    reading = reading_of(source, table, told)
    return Places(frame, table, pd.Series(reason, **as_series), pd.Series(detail, **as_series), used, reading)


def _load(source: Source) -> pd.DataFrame:
    """Return the rows of a source of either kind, with geometry if it has any."""
    if isinstance(source.file, Database):
        rows = read_database(source)
        return checked_layer(rows, source) if isinstance(rows, gpd.GeoDataFrame) else _wanted(rows, source)
    file = existing_file(source.file, VECTOR_SUFFIXES | TABLE_SUFFIXES)
    return read_table(source) if file.suffix.lower() in TABLE_SUFFIXES else read_vector(source)


def _held(given: pd.DataFrame) -> tuple[Source, pd.DataFrame]:
    """Return a table in memory as a file would have brought it: with geometry in a CRS, or every cell as text."""
    label = str(given.attrs.get("label", "table"))
    refuse_twice(label, given.columns)
    if isinstance(given, gpd.GeoDataFrame):
        if given.crs is None:
            raise InputError(
                f"{label} has no CRS", expected="to know what its coordinates are in", remedy='.set_crs("EPSG:4326")'
            )
        table: pd.DataFrame = given.copy()
    else:
        table = attributes_as_text(given)
    if not table.index.is_unique:
        table.index = pd.RangeIndex(1, len(table) + 1)
    table.attrs = {"rows": len(table), "filtered": 0}
    return Source(Path(label)), table


PlacesGiven = str | Path | pd.DataFrame  # a file, or a table in memory, with or without geometry


def labelled(given: PlacesGiven, label: str) -> PlacesGiven:
    """Return a table in memory with the name that errors call it by; a file has one."""
    if not isinstance(given, pd.DataFrame):
        return given
    table = given.copy()
    table.attrs["label"] = label
    return table


def read_points(given: Source | Path | str | pd.DataFrame) -> tuple[Places, pd.DataFrame]:
    """Read places (facilities, entrances, origins) and list the rows that cannot be put on a map.

    Returns
    -------
    The places, and the rejected rows: ``row, name, reason, detail``.

    Raises
    ------
    InputError
        When the file cannot be read, or no row of it can be used.
    """
    roles = [role for role in HEADINGS if role not in {"lon", "lat", "lonlat"}]
    source, table = _held(given) if isinstance(given, pd.DataFrame) else (given, None)
    places = read_places(source, roles=roles, table=table)
    usable = places.reason == ""
    if not usable.any():
        raise InputError(_nothing_usable(places.reading.label, places))
    bad = places.where(~usable)
    told = {"row": bad.frame["row"], "name": bad.cells("name"), "reason": bad.reason, "detail": bad.detail}
    return places.where(usable), pd.DataFrame(told).reset_index(drop=True)


def pair_points(table: pd.DataFrame, heading: str, source: Source) -> npt.NDArray[Any]:
    """Return the points of a column of pairs, such as ``entr_location``; None where there is none.

    The pairs are in the CRS that the source declares, or in degrees.
    """
    return _check_coordinates(table, {"lonlat": heading}, declared_crs(source))[0]


def _nothing_usable(name: str, places: Places) -> str:
    counts = places.reason.value_counts()
    most = str(counts.index[0])
    remedy = METRES_REMEDY if "out of range" in most else "check the coordinate columns"
    return sentence(
        f"{name}: no row can be put on a map",
        got=", ".join(f"{count} × {reason}" for reason, count in counts.items()) + f" (first: {places.detail.iloc[0]})",
        expected="longitude and latitude in degrees",
        remedy=SWAPPED_REMEDY if most == SWAPPED else remedy,
    )


def _one_kind_of_coordinates(used: Mapping[str, str], table: pd.DataFrame, name: str) -> dict[str, str]:
    if "lon" in used and "lat" in used:
        return {role: heading for role, heading in used.items() if role != "lonlat"}
    if "lonlat" in used:
        return {role: heading for role, heading in used.items() if role not in {"lon", "lat"}}
    find_columns(table, ["lon", "lat"], columns=None, required=["lon", "lat"], what=name)
    raise InputError(f"{name} has no two columns for lon and lat", remedy="map both in `columns`")


def _own_ids(table: pd.DataFrame, id_column: str | None) -> pd.Series[str] | None:
    """Return the ids of the rows; None where there are none, or where some are blank or repeated."""
    if id_column is None:
        return None
    ids = table[id_column].str.strip()
    return ids if ids.is_unique and (ids != "").all() else None


_NO_PLACE = (
    "",
    "no coordinates",
    "coordinates are not numbers",
    SWAPPED,
    OFF_GLOBE,
    OFF_GLOBE,
    "coordinates are 0,0",
)
Reasons = tuple[npt.NDArray[np.object_], npt.NDArray[np.object_], npt.NDArray[np.object_]]


def _check_coordinates(table: pd.DataFrame, used: Mapping[str, str], crs: CRS | None) -> Reasons:
    """Return points (None where unusable), reasons and details of a table with coordinates, in degrees or in a CRS."""
    if "lonlat" in used:
        pair = table[used["lonlat"]].str.replace("，", ",").str.split(",", n=1, expand=True)
        texts = [pair.get(i, pd.Series("", index=table.index)).fillna("").str.strip() for i in (0, 1)]
    else:
        texts = [table[used[role]].str.strip() for role in ("lon", "lat")]
    (lon, no_lon), (lat, no_lat) = as_numbers(texts[0]), as_numbers(texts[1])
    x, y = lon.to_numpy(), lat.to_numpy()
    swapped = (crs is None or crs.is_geographic) & (np.abs(y) > 90) & (np.abs(y) <= 180) & (np.abs(x) <= 90)
    if crs is not None:
        x, y = Transformer.from_crs(crs, WGS84, always_xy=True).transform(x, y)
    told = np.select(
        [
            no_lon | no_lat,
            ~np.isfinite(lon) | ~np.isfinite(lat),
            swapped,
            ~np.isfinite(x) | ~np.isfinite(y),
            (np.abs(y) > 90) | (np.abs(x) > 180),
            ((lon == 0) & (lat == 0)).to_numpy(),
        ],
        range(1, len(_NO_PLACE)),
        0,
    )
    reason = np.array(_NO_PLACE, dtype=object)[told]
    good = told == 0
    detail = np.full(len(table), "", dtype=object)
    detail[~good] = ("lon " + texts[0][~good] + ", lat " + texts[1][~good]).to_numpy(dtype=object)
    geometry = np.full(len(table), None, dtype=object)
    geometry[good] = shapely.points(x[good], y[good])
    return geometry, reason, detail


def _check_geometry(vector: gpd.GeoDataFrame) -> Reasons:
    """Return geometries in EPSG:4326 (None where unusable), reasons and details of a vector file."""
    geometry = shapely.force_2d(vector.to_crs(WGS84).geometry.to_numpy())
    bounds = shapely.bounds(geometry)
    outside, swapped = off_globe(vector)
    reason = np.select(
        [
            vector.index.isin(vector.attrs.get(BROKEN, ())),
            shapely.is_missing(geometry) | shapely.is_empty(geometry),
            swapped,
            outside,
            (bounds == 0).all(axis=1),
        ],
        [
            BROKEN_SHAPE,
            NO_SHAPE,
            SWAPPED,
            OFF_GLOBE,
            "coordinates are 0,0",
        ],
        "",
    ).astype(object)
    good = reason == ""
    west = pd.Series(bounds[:, 0]).astype("str") + ", " + pd.Series(bounds[:, 1]).astype("str")
    detail = np.where(good | shapely.is_missing(geometry) | shapely.is_empty(geometry), "", west.to_numpy(dtype=object))
    detail[reason == BROKEN_SHAPE] = BROKEN_WHY
    placed = np.full(len(vector), None, dtype=object)
    placed[good] = geometry[good]
    return placed, reason, detail
