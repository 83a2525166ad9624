"""Which files of a folder could be the inputs of a study, told by what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from livingcircle_layers.errors import InputError
from livingcircle_layers.headings import find_column
from livingcircle_layers.osm import SUFFIXES as OSM_SUFFIXES
from livingcircle_layers.population_raster import RASTER_SUFFIXES
from livingcircle_layers.population_totals import has_coordinates
from livingcircle_layers.sources import Source
from livingcircle_layers.tables import TABLE_SUFFIXES, read_table
from livingcircle_layers.vectors import VECTOR_SUFFIXES, attributes_as_text, layer_names, read_vector

PART = "#"  # between a file and its layer or sheet: city.gpkg#communities
_LARGEST = 200_000_000  # bytes; a larger file is not looked into for a proposal, and can still be named
_HEIGHTS = re.compile(r"(?<![a-z])(?:dem|dsm|dtm|elev|height|slope|relief)|高程|坡度", re.IGNORECASE)
_DAYTIME = re.compile(r"(?<![a-z])(?:day|daytime)(?![a-z])|白天|日间|昼", re.IGNORECASE)
_OF_UNITS = ("id", "name", "subdistrict", "district", "type")


@dataclass(frozen=True)
class Candidates:
    """Names of files in a folder, the likeliest first; ``FILE#LAYER`` where a GeoPackage has several layers."""

    osm: tuple[str, ...] = ()
    communities: tuple[str, ...] = ()
    population: tuple[str, ...] = ()
    facilities: tuple[str, ...] = ()


def look_into(folder: Path) -> Candidates:
    """Return what the files of a folder could be; those of folders in it are not looked at.

    A file that cannot be read is no candidate. Named as an input, it is read again, and what is wrong is then said.
    """
    found: dict[str, list[tuple[float, str]]] = {"osm": [], "communities": [], "population": [], "facilities": []}
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    for file in files:
        if file.name.startswith(".") or not file.is_file():
            continue
        for role, rank, name in _roles(file):
            found[role].append((rank, name))
    return Candidates(**{role: tuple(name for _, name in sorted(entries)) for role, entries in found.items()})


def _roles(file: Path) -> Iterator[tuple[str, float, str]]:
    """Return what a file may be: the role, its rank among the files of that role (the lowest first), and its name."""
    suffix = file.suffix.lower()
    if file.name.lower().endswith(OSM_SUFFIXES):
        yield "osm", 0, file.name
    elif suffix in RASTER_SUFFIXES:
        if not _HEIGHTS.search(file.stem):
            yield "population", 2, file.name
    elif suffix in VECTOR_SUFFIXES | TABLE_SUFFIXES and file.stat().st_size <= _LARGEST:
        for source, name in _parts(file):
            try:
                rows = read_table(source) if suffix in TABLE_SUFFIXES else read_vector(source)
            except InputError:
                continue
            for role, rank in _roles_of_rows(rows, source):
                yield role, rank, name


def _parts(file: Path) -> list[tuple[Source, str]]:
    try:
        layers = layer_names(Source(file))
    except InputError:
        return []
    if len(layers) < 2:
        return [(Source(file), file.name)]
    return [(Source(file, layer=layer), f"{file.name}{PART}{layer}") for layer in layers]


def _roles_of_rows(rows: pd.DataFrame, source: Source) -> Iterator[tuple[str, float]]:
    later = 0.5 if _DAYTIME.search(source.label) else 0.0  # who is there by day does not live there
    if isinstance(rows, gpd.GeoDataFrame):
        kinds = set(rows.geom_type.dropna())
        headings = attributes_as_text(rows)
        counted = find_column(headings, "population") is not None
        if kinds and kinds <= {"Polygon", "MultiPolygon"}:
            yield "communities", -sum(find_column(headings, role) is not None for role in _OF_UNITS)
            if counted:
                yield "population", 3 + later
        elif kinds and kinds <= {"Point", "MultiPoint"}:
            yield ("population", later) if counted else ("facilities", 0)
    elif find_column(rows, "population") is not None:
        if has_coordinates(source, rows):
            yield "population", later
        elif find_column(rows, "id") is not None or find_column(rows, "name") is not None:
            yield "population", 1 + later
    elif has_coordinates(source, rows):
        yield "facilities", 0
