"""Streets put together from lines whose ends are known: both directions of a street become one edge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle_layers.streets import EDGE_OF_EXTRACT_M, Streets

TOUCH_M = 0.01  # places closer than this are one place; results are rounded to the same

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Geometries = npt.NDArray[Any]


@dataclass(frozen=True)
class StreetLines:
    """Lines between nodes, one per row of an input, in a metric plane.

    Attributes
    ----------
    line
        LineStrings, drawn from tail to head.
    tail, head
        Positions of the nodes at both ends.
    oneway
        True where people on foot may only go from tail to head.
    highway, way_id, raised
        As in `Streets`.
    """

    line: Geometries
    tail: Ints
    head: Ints
    oneway: Bools
    highway: npt.NDArray[Any]
    way_id: Ints
    raised: Bools

    def take(self, index: npt.NDArray[Any]) -> StreetLines:
        """Return some of the lines, by position or mask."""
        return StreetLines(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    def turned(self, which: Bools) -> StreetLines:
        """Return the lines with some of them drawn the other way round."""
        return replace(
            self,
            line=np.where(which, shapely.reverse(self.line), self.line),
            tail=np.where(which, self.head, self.tail),
            head=np.where(which, self.tail, self.head),
        )


def merge_directions(lines: StreetLines) -> StreetLines:
    """Return one line per street: rows that lie on each other, in either direction, become one.

    It is one-way only where every row of it is, and all in the same direction. The order of the result depends on
    where the lines are, not on the order of the rows.
    """
    lines = lines.take(np.lexsort((lines.highway.astype(str), lines.way_id)))
    there, back = _drawn(lines.line), _drawn(shapely.reverse(lines.line))
    against = np.asarray(back < there, dtype=bool) | (np.asarray(back == there, dtype=bool) & (lines.tail > lines.head))
    same = pd.DataFrame(
        {
            "a": np.where(against, lines.head, lines.tail),
            "b": np.where(against, lines.tail, lines.head),
            "line": np.where(against, back, there),
        }
    )
    group = same.groupby(["line", "a", "b"], sort=True).ngroup().to_numpy()
    groups = int(group.max(initial=-1)) + 1
    first = np.unique(group, return_index=True)[1]

    def any_of(rows: Bools) -> Bools:
        return np.bincount(group[rows], minlength=groups) > 0

    forward, backward = any_of(~against | ~lines.oneway), any_of(against | ~lines.oneway)
    drawn_so = np.where(forward & backward, any_of(~against), forward)
    merged = lines.take(first).turned(drawn_so == against[first])
    return replace(merged, oneway=~(forward & backward))


def _drawn(line: Geometries) -> npt.NDArray[Any]:
    """Return the vertices of lines to the centimetre, as bytes that can be compared."""
    return shapely.to_wkb(shapely.transform(line, lambda xy: np.round(xy, 2) + 0.0))


def streets_from_lines(
    lines: StreetLines,
    *,
    crs: CRS,
    node_id: Ints,
    node_xy: Floats,
    signals: Bools | None = None,
    exits: Bools | None = None,
    height_m: Floats | None = None,
) -> Streets:
    """Return lines between known nodes as the walking network; nodes without a street are left out.

    Parameters
    ----------
    lines
        One line per street; `tail` and `head` are positions in `node_id`.
    crs
        The metric plane of the lines.
    node_id, node_xy
        Ids and places of the nodes.
    signals
        True at nodes with traffic signals; None where it is not known.
    exits
        True at nodes where streets leave the data; by default the dead ends around its rim.
    height_m
        Height of the ground at nodes.
    """
    used, position = np.unique(np.concatenate([lines.tail, lines.head]), return_inverse=True)
    tail, head = position[: len(lines.tail)], position[len(lines.tail) :]
    coords, owner = shapely.get_coordinates(lines.line, return_index=True)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(tail)))])
    return Streets(
        crs=crs,
        node_id=node_id[used],
        node_xy=node_xy[used],
        tail=tail,
        head=head,
        coords=coords,
        offsets=offsets,
        length_m=shapely.length(lines.line),
        oneway=lines.oneway,
        highway=lines.highway,
        way_id=lines.way_id,
        raised=lines.raised,
        signals=np.zeros(len(used), dtype=bool) if signals is None else signals[used],
        exits=_rim_ends(node_xy[used], np.bincount(position)) if exits is None else exits[used],
        height_m=None if height_m is None else height_m[used],
    )


def _rim_ends(node_xy: Floats, degree: Ints) -> Bools:
    """Tell which nodes are dead ends around the rim of the data, where streets go on outside."""
    rim = shapely.boundary(shapely.convex_hull(shapely.multipoints(node_xy)))
    ends = np.flatnonzero(degree == 1)
    out = np.zeros(len(degree), dtype=bool)
    out[ends] = shapely.dwithin(shapely.points(node_xy[ends]), rim, EDGE_OF_EXTRACT_M)
    return out
