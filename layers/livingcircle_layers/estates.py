"""Gated estates (封闭小区): their outlines, their gates, and whether those are known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle_layers.access import GATE_REACH_M, is_gate, walled
from livingcircle_layers.datum import Datum
from livingcircle_layers.errors import InputError
from livingcircle_layers.headings import find_columns
from livingcircle_layers.osm import OsmExtract
from livingcircle_layers.outlines import POINT, POLYGONS, read_outlines
from livingcircle_layers.sources import Reading, Source, reading_of
from livingcircle_layers.units import repair_polygons
from livingcircle_layers.unplaced import unplaced_rows
from livingcircle_layers.vectors import attributes_as_text

GIVEN_GATE_REACH_M = 20.0  # a planner's gate point this close to an outline is a gate in it (a judgement)
_YES = frozenset(("yes", "true", "1", "是", "y", "封闭", "gated"))
_NO = frozenset(("no", "false", "0", "否", "n", "开放", "open"))
_HEADINGS = {"name": ("name", "名称", "小区名称", "小区"), "gated": ("gated", "封闭", "是否封闭", "closed")}

Geometries = npt.NDArray[Any]


@dataclass(frozen=True)
class Estates:
    """Estates whose people leave through gates, in a metric plane.

    Attributes
    ----------
    frame
        Gated ones only: ``estate_id``, ``name``, ``source``, ``gates`` (number of known gates), ``geometry``
        (polygons).
    gates
        ``estate`` (position in `frame`), ``geometry`` (points on the outline).
    open_outlines
        Outlines that the planner knows to be open, whatever walls are mapped along them.
    unknown
        Number of residential outlines of which nothing tells whether they are gated.
    reading
        How many rows the planner's file has and how many of them count.
    given
        Every outline of the planner's file, gated or not: ``estate_id``, ``name``, ``source``, ``geometry``; None
        without a file.
    lost
        A row of `unplaced.csv` for each row of the file that is neither an outline nor a point.
    """

    frame: gpd.GeoDataFrame
    gates: gpd.GeoDataFrame
    open_outlines: Geometries
    unknown: int
    reading: Reading | None = None
    given: gpd.GeoDataFrame | None = None
    lost: pd.DataFrame = field(default_factory=lambda: unplaced_rows([]))


def estate_units(osm: OsmExtract, given: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Return every estate, gated or not, as a unit for which people are counted.

    Parameters
    ----------
    osm
        Its residential outlines are the estates, unless the planner gives her own.
    given
        Those of the planner, as `Estates` has them.

    Returns
    -------
    Index ``unit_id``, ascending; ``unit_name`` (the id where there is none), ``unit_type`` (blank), ``geometry`` in
    the plane of the extract.
    """
    frame = osm.residential_land.rename(columns={"osm_id": "estate_id"}) if given is None else given
    frame = frame.assign(geometry=repair_polygons(frame.geometry.to_numpy())[0])
    frame = frame[frame.geometry.area > 0].sort_values("estate_id")
    names = frame["name"].astype("str")
    return gpd.GeoDataFrame(
        {"unit_name": names.where(names != "", frame["estate_id"]).to_numpy(), "unit_type": ""},
        geometry=frame.geometry.to_numpy(),
        crs=osm.crs,
        index=pd.Index(frame["estate_id"].to_numpy(), name="unit_id", dtype="str"),
    )


def osm_estates(osm: OsmExtract) -> Estates:
    """Find the residential outlines that walls or fences follow, with the gates mapped in them."""
    outlines = osm.residential_land
    geometry = outlines.geometry.to_numpy()
    walls = osm.barriers.geometry[osm.barriers["kind"] == "wall"].to_numpy()
    gated = walled(shapely.boundary(geometry), walls)
    mine = outlines[gated].reset_index(drop=True)
    frame = gpd.GeoDataFrame(
        {"estate_id": mine["osm_id"], "name": mine["name"], "source": "osm"}, geometry=mine.geometry, crs=osm.crs
    )
    openings = osm.features.geometry.to_numpy()[[is_gate(t) for t in osm.features["tags"]]]
    points = openings[shapely.get_type_id(openings) == 0]
    nothing = np.array([], dtype=object)
    return _with_gates(frame, points, GATE_REACH_M, open_outlines=nothing, unknown=int((~gated).sum()))


def read_estates(given: Source | Path | str, *, crs: CRS, datum: Datum = "wgs84") -> Estates:
    """Read a planner's file of estates: polygons with a column `gated` (yes or no), and gate points.

    Parameters
    ----------
    given
        A vector file with polygons and, in the same layer, points; a point within 20 m of an outline is a gate of it.
    crs
        The metric plane of the result.
    datum
        What its coordinates are in; GCJ-02 and BD-09 are shifted to WGS-84.

    Raises
    ------
    InputError
        There is no polygon, `gated` holds something other than yes or no, or coordinates are no places on the globe.
    """
    source = Source.of(given)
    layer, lost = read_outlines(source, crs=crs, datum=datum, kinds=(POINT, *POLYGONS))
    frame, gated, columns = _outlines(source, layer)
    points = layer.geometry.to_numpy()
    points = points[shapely.get_type_id(points) == POINT]
    chosen = frame[gated].reset_index(drop=True)
    open_outlines = frame.geometry.to_numpy()[~gated]
    estates = _with_gates(chosen, points, GIVEN_GATE_REACH_M, open_outlines=open_outlines, unknown=0)
    return replace(estates, reading=reading_of(source, layer, columns), given=frame, lost=lost)


def _outlines(
    source: Source, layer: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, npt.NDArray[np.bool_], dict[str, str]]:
    """Return the outlines of a planner's file, which of them are gated, and the columns used."""
    kind = shapely.get_type_id(layer.geometry.to_numpy())
    outlines = layer[np.isin(kind, POLYGONS)]
    if outlines.empty:
        raise InputError(
            f"{source.label} holds no estate", got="no polygon", expected="polygons, and points for the gates"
        )
    table = attributes_as_text(outlines)
    used = find_columns(table, list(_HEADINGS), columns=source.columns, what=source.label, usual=_HEADINGS)
    gated = _gated(source.label, table[used["gated"]]) if "gated" in used else np.ones(len(table), dtype=bool)
    frame = gpd.GeoDataFrame(
        {
            "estate_id": [f"{source.label}:{row}" for row in outlines.index],
            "name": table[used["name"]].to_numpy() if "name" in used else "",
            "source": source.label,
        },
        geometry=shapely.make_valid(outlines.geometry.to_numpy()),
        crs=layer.crs,
    )
    return frame, gated, used


def _gated(name: str, column: pd.Series[str]) -> npt.NDArray[np.bool_]:
    text = column.str.lower()
    wrong = ~text.isin(_YES | _NO)
    if wrong.any():
        raise InputError(
            f"{name}: column {column.name} is neither yes nor no",
            got=", ".join(f"row {row}: {cell!r}" for row, cell in text[wrong].iloc[:5].items()),
            expected="yes or no (是 or 否)",
        )
    return text.isin(_YES).to_numpy()


def with_osm(own: Estates, osm: Estates) -> Estates:
    """Return a planner's estates, and those of OpenStreetMap that they say nothing about.

    An outline of the planner, gated or open, takes the place of every OSM outline that it overlaps by half or more.
    """
    known = np.concatenate([own.frame.geometry.to_numpy(), own.open_outlines])
    theirs = osm.frame.geometry.to_numpy()
    i, j = shapely.STRtree(known).query(theirs, predicate="intersects")
    overlap = shapely.area(shapely.intersection(theirs[i], known[j]))
    keep = np.bincount(i, weights=overlap, minlength=len(theirs)) < 0.5 * shapely.area(theirs)
    number = np.cumsum(keep) - 1 + len(own.frame)
    gates = osm.gates[keep[osm.gates["estate"].to_numpy()]]
    gates = gates.assign(estate=number[gates["estate"].to_numpy()])
    return replace(
        own,
        frame=pd.concat([own.frame, osm.frame[keep]], ignore_index=True),
        gates=pd.concat([own.gates, gates], ignore_index=True),
        unknown=osm.unknown,
    )


def _with_gates(
    frame: gpd.GeoDataFrame, points: Geometries, reach: float, *, open_outlines: Geometries, unknown: int
) -> Estates:
    outline = shapely.boundary(frame.geometry.to_numpy())
    estate, gate = shapely.STRtree(points).query(outline, predicate="dwithin", distance=reach)
    order = np.lexsort((gate, estate))
    on_outline = shapely.get_point(shapely.shortest_line(outline[estate[order]], points[gate[order]]), 0)
    gates = gpd.GeoDataFrame({"estate": estate[order]}, geometry=on_outline, crs=frame.crs)
    count = np.bincount(estate, minlength=len(frame))
    return Estates(frame.assign(gates=count), gates, open_outlines, unknown)
