"""Ground heights along streets, from a digital elevation model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import CRS
from rasterio.windows import Window
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve

from livingcircle_layers.crs import transformer
from livingcircle_layers.cuts import split_edges
from livingcircle_layers.errors import InputError
from livingcircle_layers.rasters import opened_raster, read_band
from livingcircle_layers.street_lines import TOUCH_M
from livingcircle_layers.streets import Streets

FLAT_SHARE = 0.5  # with more of the street length without a height, the raster is of another place (a judgement)
PIECE_M = 30.0  # streets are cut into pieces of at most this length, about a cell of the usual models

Floats = npt.NDArray[np.float64]


def drape(streets: Streets, path: str | Path) -> Streets:
    """Give every street its slope: cut it into short pieces and note the height of their ends.

    A long street over a ridge goes up and down again, which its two ends alone do not tell. Bridges and tunnels do not
    follow the ground: however many streets make one up, it rises evenly from where it leaves the ground to where it
    comes back.

    Parameters
    ----------
    streets
        The walking network in a metric plane.
    path
        GeoTIFF of heights in metres, any CRS. Streets outside it, or on its gaps, have no height and count as flat.

    Raises
    ------
    InputError
        The raster is missing, has no CRS, or leaves more than half of the street length without a height.
    """
    pieces = np.maximum(1, np.ceil(streets.length_m / PIECE_M)).astype(np.int64)
    edge = np.repeat(np.arange(len(pieces)), pieces - 1)
    number = np.arange(len(edge)) - np.repeat(np.cumsum(pieces - 1) - (pieces - 1), pieces - 1) + 1
    share = number / pieces[edge]
    cut, _ = split_edges(streets, edge, share)
    draped = replace(cut, height_m=_off_the_ground(cut, sample_heights(Path(path), cut.node_xy, cut.crs)))
    flat = share_without_height(draped)
    if flat > FLAT_SHARE:
        raise InputError(
            f"{Path(path).name} does not cover the streets",
            got=f"no heights for {flat:.0%} of the street length",
            expected=f"heights for all of it, at the least for {1 - FLAT_SHARE:.0%}",
            remedy="use a larger raster, and fill its gaps (nodata)",
        )
    return draped


def _off_the_ground(streets: Streets, height: Floats) -> Floats:
    """Return heights of nodes, those within bridges and tunnels interpolated between the nodes on the ground.

    A height that is not known at one end is known nowhere on the bridge.
    """
    n, ends = len(height), np.concatenate([streets.tail, streets.head])
    raised = np.tile(streets.raised, 2)
    within = (np.bincount(ends[raised], minlength=n) > 1) & (np.bincount(ends[~raised], minlength=n) == 0)
    a, b = (end[streets.raised] for end in (streets.tail, streets.head))
    inner = within[a] & within[b]
    piece = connected_components(coo_array((np.ones(inner.sum()), (a[inner], b[inner])), shape=(n, n)))[1]
    shore = within[a] != within[b]
    inside, outside = np.where(within[a], a, b)[shore], np.where(within[a], b, a)[shore]
    within &= np.isin(piece, piece[inside])  # a ring without an end stays on the ground
    lost = np.isin(piece, piece[inside[np.isnan(height[outside])]])
    number = np.cumsum(within) - 1
    steepness = 1.0 / np.maximum(streets.length_m[streets.raised], TOUCH_M)
    out = height.copy()
    if within.any():
        # Even rise: at every node within, what comes up from one side goes on to the other.
        tie = inner & within[a]
        i, j, w = number[a[tie]], number[b[tie]], steepness[tie]
        k, v = number[inside], steepness[shore]
        m = int(within.sum())
        rows, columns = np.concatenate([i, j, i, j, k]), np.concatenate([j, i, i, j, k])
        matrix = coo_array((np.concatenate([-w, -w, w, w, v]), (rows, columns)), shape=(m, m)).tocsc()
        out[within] = spsolve(matrix, np.bincount(k, v * np.nan_to_num(height[outside]), minlength=m))
        out[within & lost] = np.nan
    return out


def share_without_height(streets: Streets) -> float:
    """Return the share of the street length that counts as flat because the height of an end is not known."""
    if streets.height_m is None:
        return 1.0
    known = np.isfinite(streets.height_m)
    flat = ~(known[streets.tail] & known[streets.head])
    total = float(streets.length_m.sum())
    return float(streets.length_m[flat].sum()) / total if total else 0.0


def height_notes(streets: Streets) -> list[str]:
    """Say how much of the streets an elevation model leaves without a height."""
    flat = 0.0 if streets.height_m is None else share_without_height(streets)
    return [f"{flat:.1%} of the street length has no height in the elevation model and counts as flat"] if flat else []


def sample_heights(path: Path, xy: Floats, crs: CRS) -> Floats:
    """Return the heights of points in metres, interpolated between the four cells around each; NaN where none is known.

    Parameters
    ----------
    path
        GeoTIFF, any CRS.
    xy, crs
        Points in a plane.
    """
    if not path.is_file():
        raise InputError(f"elevation model not found: {path}", remedy="check the path")
    source, there = opened_raster(path, expected="a GeoTIFF of heights in metres")
    with source:
        return _interpolated(source, path, transformer(crs, there).transform(xy[:, 0], xy[:, 1]))


def _interpolated(source: Any, path: Path, xy: tuple[Floats, Floats]) -> Floats:
    """Return the heights at x and y in the CRS of a raster."""
    col, row = _cells(source.transform, *xy)
    inside = (col >= -0.5) & (row >= -0.5) & (col <= source.width - 0.5) & (row <= source.height - 0.5)
    out = np.full(len(col), np.nan)
    if inside.any():
        out[inside] = _bilinear(source, path, col[inside], row[inside])
    return out


def _bilinear(source: Any, path: Path, col: Floats, row: Floats) -> Floats:
    """Interpolate between cell centres; NaN beside nodata."""
    left, top = max(int(col.min()) - 1, 0), max(int(row.min()) - 1, 0)
    right, bottom = min(int(col.max()) + 3, source.width), min(int(row.max()) + 3, source.height)
    grid = read_band(source, path, Window(left, top, right - left, bottom - top)).astype(float)
    heights = grid.filled(np.nan)
    x, y = np.clip(col - left, 0, heights.shape[1] - 1), np.clip(row - top, 0, heights.shape[0] - 1)
    i, j = y.astype(np.int64), x.astype(np.int64)
    down, over = np.minimum(i + 1, heights.shape[0] - 1), np.minimum(j + 1, heights.shape[1] - 1)
    fy, fx = y - i, x - j
    upper = (1 - fx) * heights[i, j] + fx * heights[i, over]
    lower = (1 - fx) * heights[down, j] + fx * heights[down, over]
    return (1 - fy) * upper + fy * lower


def _cells(transform: Any, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return fractional columns and rows, whole numbers at cell centres."""
    back = ~transform
    return back.a * x + back.b * y + back.c - 0.5, back.d * x + back.e * y + back.f - 0.5
