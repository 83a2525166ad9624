"""Vector files (GeoJSON, GeoPackage, Shapefile, GeoParquet), and nothing else, opened with clear errors."""

from __future__ import annotations

import codecs
import re
import shutil
import sqlite3
import tempfile
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet
import pyogrio
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from livingcircle_layers.archives import GIB, archive_of, refuse_bomb
from livingcircle_layers.crs import WGS84, is_on_earth
from livingcircle_layers.errors import InputError
from livingcircle_layers.geojson_crs import refuse_unknown_crs
from livingcircle_layers.headings import refuse_twice
from livingcircle_layers.parsing import parsed
from livingcircle_layers.postgis import read_database
from livingcircle_layers.readers import added_reader, added_suffixes
from livingcircle_layers.row_filter import kept_rows
from livingcircle_layers.sources import Database, Source, is_elsewhere, without_address

# By content and not by name alone: GDAL would follow a file that only calls itself GeoJSON to other places.
_FIRST_BYTES = {
    ".geojson": b"{",
    ".json": b"{",
    ".gpkg": b"SQLite format 3\x00",
    ".shp": b"\x00\x00\x27\x0a",
    ".zip": b"PK",
    ".parquet": b"PAR1",
}
VECTOR_SUFFIXES = frozenset(_FIRST_BYTES) | added_suffixes()
_VIRTUAL = re.compile(r'\s*create\s+virtual\s+table\s.*?\busing\s+"?(\w+)', re.IGNORECASE | re.DOTALL)
_INDEXES = frozenset(("rtree", "fts3", "fts4", "fts5"))  # virtual tables of SQLite that keep their rows in the file
_SHAPES = "geometry"  # what pyogrio calls them, also where a column has that heading
_ARCHIVE = "a whole .zip file"
_DECLARE_CRS = 'declare it in the study, for example crs = "EPSG:4490" (CGCS2000) or "EPSG:4326" (WGS-84)'
QGIS_STYLES = "layer_styles"  # the table in which QGIS keeps the styles of a GeoPackage
NO_SHAPE, BROKEN_SHAPE = "no geometry", "geometry is broken"
BROKEN_WHY = "a ring is not closed, or has too few points"
BROKEN = "broken"
"""In the ``attrs`` of a layer, if there are any: the numbers of the rows whose geometry is written but is none."""
_UNPACKED_LIMIT = 4 * GIB  # bytes; a shapefile cannot be larger than 2 GiB, its table hardly


def existing_file(path: Path | str, suffixes: frozenset[str]) -> Path:
    """Return the path of a local file of one of the kinds that can be read, or say what is wrong with it."""
    text = str(path)
    if is_elsewhere(text):
        shown = without_address(text)
        raise InputError(f"{shown} is not a local file", expected="a file on this computer", remedy="download it first")
    file = Path(path)
    if file.suffix.lower() not in suffixes:
        raise InputError(
            f"{file.name} cannot be read as this input",
            got=f"the kind {file.suffix.lower() or '(no suffix)'}",
            expected=f"one of {', '.join(sorted(suffixes))}",
            remedy="export it again in one of these formats",
        )
    if not file.is_file():
        got = "a folder" if file.is_dir() else None
        raise InputError(
            f"file not found: {file}", got=got, expected="a file on this computer", remedy="check the path"
        )
    if file.stat().st_size == 0:
        raise InputError(f"{file.name} is empty", got="0 bytes", remedy="export it again")
    return file


def read_vector(given: Source | Path | str) -> gpd.GeoDataFrame:
    """Read a layer of polygons, lines or points from a local file or a declared database.

    Parameters
    ----------
    given
        ``.geojson``, ``.json`` (WGS-84 unless it says otherwise, RFC 7946), ``.gpkg``, ``.shp``, ``.zip``
        with one shapefile, or ``.parquet`` (GeoParquet). A GeoPackage with several layers needs a choice.
        Also what other packages read (see `livingcircle_layers.readers`).
        Or a table or query of a PostGIS database.

    Returns
    -------
    The rows that `where` keeps, in the CRS that the source or else the file declares. The index ``row_number`` is the
    number of the row in the file, from 1; ``attrs`` hold the number of ``rows`` and of those ``filtered`` out, and
    which are `BROKEN`.

    Raises
    ------
    InputError
        For a missing, empty, foreign or unreadable file, no features, no geometry, no CRS on the Earth.
    """
    source = Source.of(given)
    source.check()
    if isinstance(source.file, Database):
        return checked_layer(read_database(source), source)
    return checked_layer(_read(_genuine(source.file), source), source)


def _genuine(path: Path) -> Path:
    """Return a file whose first bytes are those of the kind that its name says."""
    file = existing_file(path, VECTOR_SUFFIXES)
    if file.suffix.lower() not in _FIRST_BYTES:  # read by another package, which knows what to expect
        return file
    with file.open("rb") as stream:
        head = stream.read(64)
    if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_FIRST_BYTES[file.suffix.lower()]):
        raise InputError(
            f"{file.name} is not what its name says",
            got="other content",
            expected=f"a {file.suffix.lower()} file",
            remedy="export it again",
        )
    return file


def checked_layer(frame: pd.DataFrame, source: Source) -> gpd.GeoDataFrame:
    """Return the wanted rows of a layer that is one: with features, geometry and a CRS."""
    if len(frame) == 0:
        raise InputError(f"{source.label} has no features", remedy="export it again with all features")
    if not isinstance(frame, gpd.GeoDataFrame) or (frame.geometry.isna() | frame.geometry.is_empty).all():
        raise InputError(
            f"{source.label} has no geometry",
            got="rings that are not closed, or have too few points" if frame.attrs.get(BROKEN) else None,
            expected="polygons, lines or points",
            remedy="export the layer with its geometry",
        )
    refuse_twice(source.label, frame.columns)
    frame = _with_crs(frame, source)
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row_number")
    kept = kept_rows(attributes_as_text(frame), source)
    result = frame[kept]
    result.attrs["rows"], result.attrs["filtered"] = len(frame), int((~kept).sum())
    return result


def declared_crs(source: Source) -> CRS | None:
    """Return the CRS that a source declares, None if it leaves that to the file."""
    if source.crs is None:
        return None
    expected = 'a code such as "EPSG:4490" (CGCS2000) or "EPSG:4326" (WGS-84)'
    try:
        crs = CRS.from_user_input(source.crs)
    except CRSError:
        raise InputError(
            f"{source.label}: `crs` is no coordinate reference system", got=repr(source.crs), expected=expected
        ) from None
    if not is_on_earth(crs):
        raise InputError(
            f"{source.label}: `crs` has no places on the Earth", got=f"{source.crs!r}, {crs.name}", expected=expected
        )
    return crs


def _with_crs(frame: gpd.GeoDataFrame, source: Source) -> gpd.GeoDataFrame:
    declared = declared_crs(source)
    if declared is not None:
        return frame.set_crs(declared, allow_override=True)
    if frame.crs is None or frame.crs.name.startswith(("Undefined", "undefined", "unknown")):
        raise InputError(
            f"{source.label} has no CRS",
            expected="a layer that says which coordinate reference system it is in",
            remedy=_DECLARE_CRS,
        )
    if not is_on_earth(frame.crs):
        raise InputError(
            f"{source.label}: its CRS has no places on the Earth",
            got=f"{frame.crs.name} ({frame.crs.type_name})",
            expected="degrees, or a plane with a known place",
            remedy=_DECLARE_CRS,
        )
    return frame


def _read(file: Path, source: Source) -> pd.DataFrame:
    whole = f"a whole {file.suffix.lower()} file"
    match file.suffix.lower():
        case ".parquet":
            with parsed(file, expected=whole):
                sizes = _parquet_sizes(file)
            refuse_bomb(file.name, sizes, limit=_UNPACKED_LIMIT)
            with parsed(file, expected=whole):
                return gpd.read_parquet(file)
        case ".shp":
            return _read_shapefile(file, source)
        case ".zip":
            return _read_zip(file, source)
        case ".gpkg":
            _check_geopackage(file)
            layer = _choose_layer(file, source.layer)
            with parsed(file, expected=whole):
                return _features(file, source, layer=layer)
        case suffix if suffix not in _FIRST_BYTES:
            read = added_reader(suffix)
            with parsed(file, expected=whole):
                return read(file)
        case _:
            with parsed(file, expected=whole):
                # Without the prefix, GDAL would follow JSON that tells it to fetch its features elsewhere.
                frame = _features(f"GEOJSON:{file}", source)
            if source.crs is None and isinstance(frame, gpd.GeoDataFrame) and frame.crs == WGS84:
                refuse_unknown_crs(file)
            return frame


def _features(path: str | Path, source: Source, **options: Any) -> pd.DataFrame:
    """Read a layer with GDAL; a geometry that is written but is none is missing, and noted as `BROKEN`."""
    with warnings.catch_warnings():
        # What GDAL remarks on single features is seen in the rows that lack a geometry.
        warnings.simplefilter("ignore", RuntimeWarning)
        if _SHAPES not in source.columns.values():
            try:
                return pyogrio.read_dataframe(path, **options)
            except shapely.errors.GEOSException:  # of one row: the others are sound
                pass
        table: pd.DataFrame = pyogrio.read_dataframe(path, read_geometry=False, **options)
        described, _, written, _ = pyogrio.raw.read(path, columns=[], **options)
    if written is None:
        return table
    shapes = shapely.from_wkb(written, on_invalid="ignore")
    name = _SHAPES
    while name in table:
        name += "_"
    frame = gpd.GeoDataFrame(table.assign(**{name: shapes}), geometry=name, crs=described["crs"])
    if (broken := shapely.is_missing(shapes) & ~pd.isna(written)).any():
        frame.attrs[BROKEN] = (np.flatnonzero(broken) + 1).tolist()
    return frame


def _check_geopackage(file: Path) -> None:
    """Refuse a database that is no GeoPackage, or one with tables that would fetch their rows from elsewhere."""
    address = f"{file.resolve().as_uri()}?mode=ro&immutable=1"
    with parsed(file, expected="a whole .gpkg file"), closing(sqlite3.connect(address, uri=True)) as database:
        made = dict(database.execute("select name, sql from sqlite_master where sql is not null"))
    if "gpkg_contents" not in made:
        raise InputError(
            f"{file.name} is not what its name says",
            got="an SQLite database without the tables of a GeoPackage",
            expected="a .gpkg file",
            remedy="export it again",
        )
    modules = {name: found[1].lower() for name, sql in made.items() if (found := _VIRTUAL.match(sql))}
    foreign = sorted(name for name, module in modules.items() if module not in _INDEXES)
    if foreign:
        raise InputError(
            f"{file.name} holds tables that are not in it",
            got=", ".join(f"{name} ({modules[name]})" for name in foreign[:5]),
            expected="a GeoPackage whose rows are all in the file",
            remedy="export the layer into a new GeoPackage",
        )


def _parquet_sizes(file: Path) -> list[int]:
    described = pyarrow.parquet.read_metadata(file)
    return [described.row_group(i).total_byte_size for i in range(described.num_row_groups)]


def layer_names(source: Source) -> list[str]:
    """Return the names of the layers of a GeoPackage; none for anything else."""
    if not isinstance(source.file, Path) or source.file.suffix.lower() != ".gpkg":
        return []
    file = _genuine(source.file)
    _check_geopackage(file)
    return _layers_of(file)


def _layers_of(file: Path) -> list[str]:
    """Return the layers of a file; the styles that QGIS keeps in a GeoPackage are none."""
    with parsed(file, expected=f"a whole {file.suffix.lower()} file"):
        layers = pyogrio.list_layers(file)[:, 0]
    return [str(name) for name in layers if name != QGIS_STYLES]


def _choose_layer(file: Path, layer: str | None) -> str:
    layers = _layers_of(file)
    if layer is None and len(layers) == 1:
        return layers[0]
    if layer is None or layer not in layers:
        raise InputError(
            f"{file.name} has several layers" if layer is None else f"{file.name} has no layer {layer!r}",
            got=", ".join(layers) or "no layers",
            remedy="choose one with `layer` (`layer_name` for streets)",
        )
    return layer


def _read_shapefile(file: Path, source: Source) -> gpd.GeoDataFrame:
    """Read a shapefile, whose table is UTF-8 or GB18030 unless a .cpg says otherwise."""
    beside = {p.suffix.lower(): p for p in file.parent.iterdir() if p.stem == file.stem}
    needed = {".dbf", ".shx"} if source.crs else {".dbf", ".shx", ".prj"}
    missing = sorted(needed - beside.keys())
    if missing:
        raise InputError(
            f"{source.label} comes without {' and '.join(missing)}",
            expected="the .shp with its .shx, .dbf (attributes) and .prj (CRS) beside it",
            remedy="copy all files of the shapefile"
            + (f"; if there is no .prj, {_DECLARE_CRS}" if ".prj" in missing else ""),
        )
    if empty := sorted(suffix for suffix in (".dbf", ".shx") if beside[suffix].stat().st_size == 0):
        raise InputError(
            f"{source.label}: its {' and '.join(empty)} hold nothing",
            got="0 bytes",
            expected="what belongs to the shapes",
            remedy="copy all files of the shapefile again, or export it again",
        )
    named = _encoding(beside[".cpg"], source) if ".cpg" in beside else None
    with parsed(file, expected="a whole shapefile", called=source.label):
        for encoding in (named,) if named else ("utf-8", "gb18030"):
            try:
                return _features(file, source, encoding=encoding)
            except (UnicodeDecodeError, LookupError) as error:
                wrong = error
    if named:
        raise _wrong_encoding(source, wrong)
    raise InputError(
        f"{source.label}: its .dbf is neither UTF-8 nor GB18030",
        got=wrong,
        remedy="export it again as UTF-8, or add a .cpg that names the encoding",
    )


def _encoding(code_page: Path, source: Source) -> str:
    """Return the encoding that a .cpg names, by a name that Python knows."""
    said = code_page.read_text(encoding="ascii", errors="replace").strip()
    if number := re.fullmatch(r"(?:ansi|cp|windows)?[ -]?(\d+)", said, re.IGNORECASE):
        page = number[1]
        said = {"65001": "utf-8"}.get(page, f"iso8859-{page[4:]}" if page.startswith("8859") else f"cp{page}")
    try:
        return codecs.lookup(said).name
    except (LookupError, ValueError) as error:
        raise _wrong_encoding(source, error) from error


def _wrong_encoding(source: Source, got: object) -> InputError:
    return InputError(
        f"{source.label}: its .cpg names an encoding that its .dbf is not in",
        got=got,
        remedy="delete the .cpg (UTF-8 and GB18030 are told apart without it)",
    )


def _read_zip(file: Path, source: Source) -> gpd.GeoDataFrame:
    with archive_of(file, limit=_UNPACKED_LIMIT, expected=_ARCHIVE) as archive, tempfile.TemporaryDirectory() as folder:
        members = [m for m in archive.infolist() if not m.is_dir() and "__MACOSX" not in m.filename]
        shapes = [m for m in members if m.filename.lower().endswith(".shp")]
        if len(shapes) != 1:
            raise InputError(
                f"{file.name} must hold one shapefile",
                got=f"{len(shapes)}" + (": " + ", ".join(m.filename for m in shapes[:5]) if shapes else ""),
                remedy="put the files of one shapefile into the archive",
            )
        stem = shapes[0].filename[:-4]
        for member in (m for m in members if m.filename[:-4] == stem):
            # Under names of our own: those in the archive may lead anywhere, in any encoding.
            target = Path(folder) / f"{file.stem}{member.filename[-4:].lower()}"
            whole = parsed(file, expected=_ARCHIVE, remedy="pack it again")
            with whole, archive.open(member) as packed, target.open("wb") as sink:
                shutil.copyfileobj(packed, sink)
        return _read_shapefile(Path(folder) / f"{file.stem}.shp", source)


def attributes_as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return the attributes as text as `tables.read_table` would; whole numbers carry no ``.0``."""
    columns = {}
    plain = table.drop(columns=table.geometry.name) if isinstance(table, gpd.GeoDataFrame) else table
    for name in plain.columns:
        column = plain[name]
        if pd.api.types.is_float_dtype(column):
            whole = column.notna() & (column % 1 == 0) & (column.abs() < 1e15)
            text = column.astype("str").where(~whole, column.where(whole, 0).astype("int64").astype("str"))
        else:
            text = column.astype("str")
        columns[str(name)] = text.where(column.notna(), "").str.strip().to_numpy()
    return pd.DataFrame(columns, index=table.index, dtype="str")
