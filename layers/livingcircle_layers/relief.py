"""Ground heights along streets, from a digital elevation model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from pyproj import CRS, Transformer
from rasterio.windows import Window

from livingcircle_layers.errors import InputError
from livingcircle_layers.streets import Streets

COVERED_SHARE = 0.5  # of the street points must have a height, or the raster is of another place (a judgement)
PIECE_M = 30.0  # streets are cut into pieces of at most this length, about a cell of the usual models

Floats = npt.NDArray[np.float64]


def drape(streets: Streets, path: str | Path) -> Streets:
    """Give every street its slope: cut it into short pieces and note the height of their ends.

    A long street over a ridge goes up and down again, which its two ends alone do not tell. Bridges and tunnels do not
    follow the ground: their pieces rise evenly from end to end.

    Parameters
    ----------
    streets
        The walking network in a metric plane.
    path
        GeoTIFF of heights in metres, any CRS. Streets outside it, or on its gaps, have no height and count as flat.

    Raises
    ------
    InputError
        The raster is missing, has no CRS, or covers less than half of the streets.
    """
    cut = subdivide(streets, PIECE_M)
    height = sample_heights(Path(path), cut.node_xy, cut.crs)
    return replace(cut, height_m=_even_on_bridges(streets, cut, height))


def subdivide(streets: Streets, longest_m: float) -> Streets:
    """Cut edges into equal pieces no longer than `longest_m`; new nodes get ids below zero.

    All lengths stay as they are, up to the rounding of numbers.
    """
    pieces = np.maximum(1, np.ceil(streets.length_m / longest_m)).astype(np.int64)
    n, m = len(streets.node_id), len(pieces)
    edge = np.repeat(np.arange(m), pieces)
    number = np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    last = number == pieces[edge] - 1
    start, stop = number / pieces[edge], (number + 1) / pieces[edge]
    inner = np.flatnonzero(~last)
    tail, head = streets.tail[edge].copy(), streets.head[edge].copy()
    head[inner] = n + np.arange(len(inner))
    tail[inner + 1] = head[inner]
    coords, offsets, at_stop = _cut_lines(streets, edge, start, stop)
    middle = at_stop[inner]
    false = np.zeros(len(inner), dtype=bool)
    return replace(
        streets,
        node_id=np.concatenate([streets.node_id, -1 - np.arange(len(inner))]),
        node_xy=np.concatenate([streets.node_xy, middle]),
        tail=tail,
        head=head,
        coords=coords,
        offsets=offsets,
        length_m=streets.length_m[edge] / pieces[edge],
        oneway=streets.oneway[edge],
        highway=streets.highway[edge],
        way_id=streets.way_id[edge],
        raised=streets.raised[edge],
        signals=np.concatenate([streets.signals, false]),
        exits=np.concatenate([streets.exits, false]),
    )


def _cut_lines(
    streets: Streets, edge: npt.NDArray[np.int64], start: Floats, stop: Floats
) -> tuple[Floats, npt.NDArray[np.int64], Floats]:
    """Return the vertices of every piece: its start, the vertices between, its stop; and the stops."""
    before, owner = _vertex_shares(streets)
    piece_first = np.searchsorted(edge, np.arange(len(streets.tail)))
    count = np.bincount(edge, minlength=len(streets.tail))
    # Which piece each inner vertex falls into; the first and last vertex of an edge are ends of pieces.
    inner = np.ones(len(owner), dtype=bool)
    inner[streets.offsets[:-1]] = False
    inner[streets.offsets[1:] - 1] = False
    own = owner[inner]
    piece = piece_first[own] + np.minimum((before[inner] * count[own]).astype(np.int64), count[own] - 1)
    a, b = _point_at(streets, before, edge, start), _point_at(streets, before, edge, stop)
    key = np.concatenate([np.arange(len(edge)), piece, np.arange(len(edge))])
    share = np.concatenate([np.full(len(edge), -1.0), before[inner], np.full(len(edge), 2.0)])
    xy = np.concatenate([a, streets.coords[inner], b])
    order = np.lexsort((np.arange(len(key)), share, key))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=len(edge)))])
    return xy[order], offsets, b


def _vertex_shares(streets: Streets) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return each vertex's place along its edge (0 to 1) and the edge."""
    owner = np.repeat(np.arange(len(streets.tail)), np.diff(streets.offsets))
    step = np.concatenate([[0.0], np.hypot(*np.diff(streets.coords, axis=0).T)])
    step[streets.offsets[:-1]] = 0.0
    total = np.cumsum(step)
    along = total - total[streets.offsets[:-1]][owner]
    length = along[streets.offsets[1:] - 1][owner]
    return np.divide(along, length, out=np.zeros(len(along)), where=length > 0), owner


def _point_at(streets: Streets, before: Floats, edge: npt.NDArray[np.int64], share: Floats) -> Floats:
    """Return the points at shares of edges."""
    owner = np.repeat(np.arange(len(streets.tail)), np.diff(streets.offsets))
    position = np.searchsorted(owner + before, edge + share, side="right") - 1
    low = np.clip(position, streets.offsets[edge], streets.offsets[edge + 1] - 2)
    span = before[low + 1] - before[low]
    t = np.divide(share - before[low], span, out=np.zeros(len(edge)), where=span > 0)
    a, b = streets.coords[low], streets.coords[low + 1]
    return a + np.clip(t, 0.0, 1.0)[:, None] * (b - a)


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
    try:
        with rasterio.open(path) as source:
            return _interpolated(source, path.name, xy, crs)
    except rasterio.errors.RasterioIOError as fault:
        raise InputError(f"{path.name} cannot be read as GeoTIFF", got=str(fault)) from fault


def _interpolated(source: Any, name: str, xy: Floats, crs: CRS) -> Floats:
    if source.crs is None:
        raise InputError(f"{name} has no CRS", remedy="write the CRS of the heights into the GeoTIFF")
    there = Transformer.from_crs(crs, CRS.from_user_input(source.crs), always_xy=True)
    col, row = _cells(source.transform, *there.transform(xy[:, 0], xy[:, 1]))
    inside = (col >= -0.5) & (row >= -0.5) & (col <= source.width - 0.5) & (row <= source.height - 0.5)
    out = np.full(len(xy), np.nan)
    if inside.any():
        out[inside] = _bilinear(source, col[inside], row[inside])
    known = np.isfinite(out)
    if known.mean() < COVERED_SHARE:
        raise InputError(
            f"{name} does not cover the streets",
            got=f"heights for {known.mean():.0%} of the street points",
            expected="heights of the whole extract",
            remedy="use a larger raster, and fill its gaps (nodata)",
        )
    return out


def _bilinear(source: Any, col: Floats, row: Floats) -> Floats:
    """Interpolate between cell centres; NaN beside nodata."""
    left, top = max(int(col.min()) - 1, 0), max(int(row.min()) - 1, 0)
    right, bottom = min(int(col.max()) + 3, source.width), min(int(row.max()) + 3, source.height)
    grid = source.read(1, window=Window(left, top, right - left, bottom - top), masked=True).astype(float)
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


def _even_on_bridges(streets: Streets, cut: Streets, height: Floats) -> Floats:
    """Let the inner nodes of bridges and tunnels rise evenly between the ends of the edge."""
    out = height.copy()
    pieces = np.maximum(1, np.ceil(streets.length_m / PIECE_M)).astype(np.int64)
    edge = np.repeat(np.arange(len(pieces)), pieces)
    number = np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    inner = (number < pieces[edge] - 1) & streets.raised[edge]
    e = edge[inner]
    share = (number[inner] + 1) / pieces[e]
    out[cut.head[inner]] = (1 - share) * height[streets.tail[e]] + share * height[streets.head[e]]
    return out
