"""Numbers and paths as short text, for a page that must stay small: variable-length digits in 64 plain letters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
SCALE = 100_000  # steps per degree: one step is about 1 m, finer than any outline or facility is known

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]

_LETTERS = np.frombuffer(ALPHABET.encode("ascii"), dtype=np.uint8)
_BITS, _MORE = 5, 32  # five bits a letter, lowest first; the sixth says that another letter follows


def pack(numbers: Ints) -> str:
    """Write whole numbers, small ones short: -16 to 15 take one letter, -512 to 511 two.

    Examples
    --------
    >>> pack(np.array([0, -1, 1, 15, -16, 16]))
    '012UVW1'
    """
    return _letters(np.where(numbers >= 0, 2 * numbers, -2 * numbers - 1))


def pack_known(values: NDArray[np.floating[Any]], decimals: int) -> str:
    """Write numbers of which some are not known (NaN): 0 stands for those, every other code is one higher.

    Parameters
    ----------
    values
        Shape (n,); infinite ones count as not known.
    decimals
        Digits after the point that are kept.
    """
    known = np.isfinite(values)
    steps = np.rint(np.where(known, values, 0.0) * 10**decimals).astype(np.int64)
    codes = np.where(steps >= 0, 2 * steps, -2 * steps - 1) + 1
    return _letters(np.where(known, codes, 0))


def _letters(codes: Ints) -> str:
    return _digits(codes)[0].decode("ascii")


def _digits(codes: Ints) -> tuple[bytes, Ints]:
    """Return the letters of all codes, and where each code begins among them."""
    length = np.ones(len(codes), dtype=np.int64)
    rest = codes >> _BITS
    while rest.any():
        length += rest > 0
        rest >>= _BITS
    first = np.cumsum(length) - length
    digits = np.empty(int(length.sum()), dtype=np.uint8)
    for place in range(int(length.max(initial=0))):
        has = length > place
        part = (codes[has] >> (_BITS * place)) & (_MORE - 1)
        digits[first[has] + place] = part + np.where(length[has] > place + 1, _MORE, 0)
    return _LETTERS[digits].tobytes(), first


def pack_points(shapes: Geometries, origin: Sequence[float]) -> str:
    """Write one point per geometry, each as the step from the point before."""
    xy = shapely.get_coordinates(shapely.point_on_surface(shapes))
    grid = np.rint((xy - np.asarray(origin)) * SCALE).astype(np.int64)
    return pack(np.diff(grid, axis=0, prepend=0).ravel()) if len(grid) else ""


def pack_paths(lines: Geometries, origin: Sequence[float]) -> str:
    """Write lines one after the other: the number of vertices, then the step to each from the one before.

    Vertices that fall on the same step are written once; the first step of a line begins where the line before ended.
    """
    return _pack_groups(lines, np.zeros(len(lines), dtype=np.int64), 1, origin)[0]


def pack_areas(areas: Geometries, origin: Sequence[float]) -> str:
    """Write the rings of all areas, outer ones against the clock and holes with it, so that they may overlap."""
    rings, _ = _rings(areas)
    return pack_paths(rings, origin)


def pack_each_area(areas: Geometries, origin: Sequence[float]) -> list[str]:
    """Write every area as a text of its own, which can be read alone; empty ones are empty texts."""
    rings, area = _rings(areas)
    return _pack_groups(rings, area, len(areas), origin)


def _rings(areas: Geometries) -> tuple[Geometries, Ints]:
    """Return the rings of areas, and the area that each belongs to."""
    polygons, area = shapely.get_parts(areas, return_index=True)
    rings, polygon = shapely.get_rings(shapely.orient_polygons(polygons), return_index=True)
    return rings, area[polygon]


def _pack_groups(lines: Geometries, group: Ints, groups: int, origin: Sequence[float]) -> list[str]:
    """Write lines by group, a text each; `group` of the lines ascends, and the place is forgotten between groups."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    if len(xy) == 0:
        return [""] * groups
    grid = np.rint((xy - np.asarray(origin)) * SCALE).astype(np.int64)
    kept = np.r_[True, (line[1:] != line[:-1]) | (grid[1:] != grid[:-1]).any(axis=1)]
    grid, line = grid[kept], line[kept]
    starts = np.flatnonzero(np.r_[True, line[1:] != line[:-1]])
    steps = np.diff(grid, axis=0, prepend=0)
    own = group[line[starts]]
    fresh = starts[np.r_[True, own[1:] != own[:-1]]]
    steps[fresh] = grid[fresh]
    numbers = np.insert(steps.ravel(), 2 * starts, np.diff(np.r_[starts, len(line)]))
    text, at = _digits(np.where(numbers >= 0, 2 * numbers, -2 * numbers - 1))
    ends = np.full(groups + 1, len(text))
    begins = at[2 * starts + np.arange(len(starts))]  # where the count of each line stands
    ends[:groups] = np.r_[begins, len(text)][np.searchsorted(own, np.arange(groups))]
    return [text[a:b].decode("ascii") for a, b in pairwise(ends)]
