"""Vector files (GeoJSON, GeoPackage, Shapefile, GeoParquet), and nothing else, opened with clear errors."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path

import geopandas as gpd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from livingcircle_layers.errors import InputError

# By content and not by name alone: GDAL would follow a file that only calls itself GeoJSON to other places.
_FIRST_BYTES = {
    ".geojson": b"{",
    ".json": b"{",
    ".gpkg": b"SQLite format 3\x00",
    ".shp": b"\x00\x00\x27\x0a",
    ".zip": b"PK",
    ".parquet": b"PAR1",
}
VECTOR_SUFFIXES = frozenset(_FIRST_BYTES)
_UNPACKED_LIMIT = 4 * 2**30  # bytes; a shapefile cannot be larger than 2 GiB, its table hardly


def existing_file(path: Path | str, suffixes: frozenset[str]) -> Path:
    """Return the path of a local file of one of the kinds that can be read, or say what is wrong with it."""
    text = str(path)
    if text.startswith("/vsi") or "://" in text:
        raise InputError(f"{text} is not a local file", expected="a file on this computer", remedy="download it first")
    file = Path(path)
    if file.suffix.lower() not in suffixes:
        raise InputError(
            f"{file.name} cannot be read as this input",
            got=f"the kind {file.suffix.lower() or '(no suffix)'}",
            expected=f"one of {', '.join(sorted(suffixes))}",
            remedy="export it again in one of these formats",
        )
    if not file.is_file():
        raise InputError(f"there is no file {file}", remedy="check the path; it is relative to the study file")
    if file.stat().st_size == 0:
        raise InputError(f"{file.name} is empty", got="0 bytes", remedy="export it again")
    return file


def read_vector(path: Path | str, *, layer: str | None = None) -> gpd.GeoDataFrame:
    """Read a layer of polygons, lines or points from a local file, in the CRS that the file declares.

    Parameters
    ----------
    path
        ``.geojson``, ``.json`` (WGS-84 unless it says otherwise, RFC 7946), ``.gpkg``, ``.shp``, ``.zip``
        with one shapefile, or ``.parquet`` (GeoParquet).
    layer
        The layer of a GeoPackage; needed when it has several.

    Raises
    ------
    InputError
        For a missing, empty, foreign or unreadable file, no features, no geometry, no CRS.
    """
    file = existing_file(path, VECTOR_SUFFIXES)
    with file.open("rb") as stream:
        head = stream.read(64)
    if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_FIRST_BYTES[file.suffix.lower()]):
        raise InputError(
            f"{file.name} is not what its name says",
            got="other content",
            expected=f"a {file.suffix.lower()} file",
            remedy="export it again",
        )
    frame = _read(file, layer)
    if len(frame) == 0:
        raise InputError(f"{file.name} has no features", remedy="export it again with all features")
    if not isinstance(frame, gpd.GeoDataFrame) or (frame.geometry.isna() | frame.geometry.is_empty).all():
        raise InputError(
            f"{file.name} has no geometry",
            expected="polygons, lines or points",
            remedy="export the layer with its geometry",
        )
    if frame.crs is None or frame.crs.name.startswith(("Undefined", "undefined", "unknown")):
        raise InputError(
            f"{file.name} has no CRS",
            expected="a file that declares its coordinate reference system",
            remedy="supply the .prj beside the .shp"
            if file.suffix.lower() in {".shp", ".zip"}
            else "save it again with a CRS, for example EPSG:4326",
        )
    return frame


def _read(file: Path, layer: str | None) -> gpd.GeoDataFrame:
    try:
        match file.suffix.lower():
            case ".parquet":
                return gpd.read_parquet(file)
            case ".shp":
                return _read_shapefile(file)
            case ".zip":
                return _read_zip(file)
            case ".gpkg":
                return pyogrio.read_dataframe(file, layer=_choose_layer(file, layer))
            case _:
                return pyogrio.read_dataframe(file)
    except InputError:
        raise
    except (DataSourceError, DataLayerError, ValueError, OSError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{file.name} cannot be parsed",
            got=reason.split("; It might help")[0],
            expected=f"a whole {file.suffix.lower()} file",
            remedy="export it again",
        ) from error


def _choose_layer(file: Path, layer: str | None) -> str:
    layers = [str(name) for name in pyogrio.list_layers(file)[:, 0]]
    if layer is None and len(layers) == 1:
        return layers[0]
    if layer is None or layer not in layers:
        raise InputError(
            f"{file.name} has several layers" if layer is None else f"{file.name} has no layer {layer!r}",
            got=", ".join(layers) or "no layers",
            remedy="choose one with `layer`",
        )
    return layer


def _read_shapefile(file: Path) -> gpd.GeoDataFrame:
    """Read a shapefile, whose table is UTF-8 or GB18030 unless a .cpg says otherwise."""
    beside = {p.suffix.lower() for p in file.parent.iterdir() if p.stem == file.stem}
    missing = sorted({".dbf", ".shx", ".prj"} - beside)
    if missing:
        raise InputError(
            f"{file.name} comes without {' and '.join(missing)}",
            expected="the .shp with its .shx, .dbf (attributes) and .prj (CRS) beside it",
            remedy="copy all files of the shapefile"
            + (", or save it again with its CRS declared" if ".prj" in missing else ""),
        )
    if ".cpg" in beside:
        return pyogrio.read_dataframe(file)
    try:
        return pyogrio.read_dataframe(file, encoding="utf-8")
    except UnicodeDecodeError:
        return pyogrio.read_dataframe(file, encoding="gb18030")


def _read_zip(file: Path) -> gpd.GeoDataFrame:
    with zipfile.ZipFile(file) as archive, tempfile.TemporaryDirectory() as folder:
        members = [m for m in archive.infolist() if not m.is_dir() and "__MACOSX" not in m.filename]
        shapes = [m for m in members if m.filename.lower().endswith(".shp")]
        if len(shapes) != 1:
            raise InputError(
                f"{file.name} must hold one shapefile",
                got=f"{len(shapes)}" + (": " + ", ".join(m.filename for m in shapes[:5]) if shapes else ""),
                remedy="put the files of one shapefile into the archive",
            )
        stem = shapes[0].filename[:-4]
        parts = [m for m in members if m.filename[:-4] == stem]
        if sum(m.file_size for m in parts) > _UNPACKED_LIMIT:
            raise InputError(f"{file.name} is too large when unpacked", remedy="unpack it and give the .shp")
        for member in parts:  # under names of our own: those in the archive may lead anywhere, in any encoding
            target = Path(folder) / f"{file.stem}{member.filename[-4:].lower()}"
            with archive.open(member) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
        return _read_shapefile(Path(folder) / f"{file.stem}.shp")
