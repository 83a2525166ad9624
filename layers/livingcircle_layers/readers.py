"""Kinds of layers that another installed package reads: its entry points of the group ``livingcircle.readers``.

The name of an entry point is the suffix of the file (``.wkt``), its object a function that takes the path and returns
the features with geometry and CRS as a GeoDataFrame.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import geopandas as gpd

from livingcircle_layers.errors import InputError

GROUP = "livingcircle.readers"
Reader = Callable[[Path], gpd.GeoDataFrame]


@cache
def _announced() -> dict[str, EntryPoint]:
    return {point.name.lower(): point for point in entry_points(group=GROUP)}


def added_suffixes() -> frozenset[str]:
    """Return the suffixes that other packages read, in lower case."""
    return frozenset(_announced())


def added_reader(suffix: str) -> Reader:
    """Return the function that reads a suffix of `added_suffixes`.

    Raises
    ------
    InputError
        The package that announces it cannot be loaded.
    """
    point = _announced()[suffix]
    try:
        reader: Reader = point.load()
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{suffix} files cannot be read", got=f"{point.value}: {error}", remedy="install that package again"
        ) from error

    def read(path: Path) -> gpd.GeoDataFrame:
        try:
            return reader(path)
        except (ValueError, OSError):
            raise  # about the file: told as of every other kind
        except Exception as error:  # another's code may raise anything, and a planner gets one line
            words = str(error).splitlines()
            raise InputError(
                f"{path.name} cannot be read by {point.value}",
                got=f"{type(error).__name__}: {words[0] if words else ''}".rstrip(": "),
                remedy="look into the file, or ask who wrote that reader",
            ) from error

    return read
