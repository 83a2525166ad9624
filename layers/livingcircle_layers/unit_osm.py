"""Communities from OpenStreetMap's administrative boundaries, for cities outside China only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import shapely

from livingcircle_layers.crs import WGS84
from livingcircle_layers.datum import may_be_shifted
from livingcircle_layers.errors import InputError
from livingcircle_layers.osm import check_osm_path, readable
from livingcircle_layers.units import Units, no_problems, repair_polygons

LEVELS = range(6, 11)
"""The administrative levels that can be communities, or the units above them."""


def read_osm_units(path: str | Path, level: int) -> Units:
    """Read the administrative units of one level of an OpenStreetMap file as communities.

    The units above them are those of the two next coarser levels from 6 on that the file holds whole: the nearer one
    is the subdistrict, or the district if it is the only one.

    Parameters
    ----------
    path
        An OpenStreetMap file with ``boundary=administrative`` relations.
    level
        Their ``admin_level``, one of `LEVELS`.

    Raises
    ------
    InputError
        The place lies in China, or the file holds no whole unit of the level.
    """
    file = check_osm_path(path)
    if level not in LEVELS:
        raise InputError(f"osm:{level} names no level of communities", expected="osm:6 to osm:10")
    with readable(file):
        if may_be_shifted(_somewhere(file)):
            raise _in_china(file)
        whole, cut = _relations(file)
    mine = whole[whole["level"] == level].sort_values("unit_id").reset_index(drop=True)
    if mine.empty:
        raise InputError(
            f"{file.name} holds no whole administrative boundary of level {level}",
            got=f"{len(cut.get(level, []))} that the extract cuts; whole ones of {_by_level(whole) or 'no level'}",
            remedy="use another level, a wider extract, your own polygons, or --communities grid:500",
        )
    if any(may_be_shifted(bounds) for bounds in mine.bounds.to_numpy()):
        raise _in_china(file)
    inner, outer = _above(mine, whole, level)
    frame = gpd.GeoDataFrame(
        {
            "unit_name": mine["name"].where(mine["name"] != "", mine["unit_id"]).to_numpy(),
            "subdistrict": inner,
            "district": outer,
            "unit_type": pd.Series("", index=mine.index, dtype="str"),
        },
        geometry=mine.geometry.to_numpy(),
        crs=WGS84,
    ).set_index(pd.Index(mine["unit_id"].to_numpy(), name="unit_id", dtype="str"))
    notes = [f"communities are the {len(frame)} administrative units of level {level} in {file.name}"]
    if names := sorted(cut.get(level, [])):
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        notes.append(f"{file.name}: {len(names)} units of level {level} are cut by the extract and left out: "
                     f"{', '.join(names[:5])}{more}")  # fmt: skip
    return Units(frame, tuple(notes), {}, no_problems())


def _somewhere(file: Path) -> tuple[float, float, float, float]:
    """Return where the first node of a file lies, as a box: enough to tell the country of a city."""
    item: Any
    for item in osmium.FileProcessor(str(file), osmium.osm.NODE):
        if item.location.valid():
            return (item.lon, item.lat, item.lon, item.lat)
    return (0.0, 0.0, 0.0, 0.0)


def _in_china(file: Path) -> InputError:
    return InputError(
        f"boundaries of {file.name} are not taken as communities",
        got="a place in or beside China",
        expected="your own outlines: administrative boundaries of OpenStreetMap are never drawn in China",
        remedy="give --communities FILE, or grid:500 or hex:500 for cells",
    )


def _relations(file: Path) -> tuple[gpd.GeoDataFrame, dict[int, list[str]]]:
    """Return the whole administrative areas of `LEVELS`, and the names of the others by level."""
    wanted = osmium.filter.TagFilter(("boundary", "administrative"))
    factory = osmium.geom.WKBFactory()
    rows: dict[str, tuple[int, str, bytes]] = {}
    named: dict[str, tuple[int, str]] = {}
    item: Any
    for item in osmium.FileProcessor(str(file)).with_areas(wanted).with_filter(wanted):
        level = _level(item.tags.get("admin_level", ""))
        if level is None:
            continue
        name = item.tags.get("name", "")
        if item.is_relation():
            named[f"r{item.id}"] = (level, name or f"r{item.id}")
        elif item.is_area() and not item.from_way():  # a closed way is only the ring of a relation
            unit_id = f"r{item.orig_id()}"
            try:
                rows[unit_id] = (level, name, bytes.fromhex(factory.create_multipolygon(item)))
            except RuntimeError:  # a ring that is not closed: reported with those that the extract cuts
                continue
    ids = sorted(rows)
    cut: dict[int, list[str]] = {}
    for unit_id, (level, name) in named.items():
        if unit_id not in rows:
            cut.setdefault(level, []).append(name)
    geometry = shapely.from_wkb(np.array([rows[i][2] for i in ids], dtype=object))
    frame = gpd.GeoDataFrame(
        {
            "unit_id": pd.Series(ids, dtype="str"),
            "level": pd.Series([rows[i][0] for i in ids], dtype="int64"),
            "name": pd.Series([rows[i][1] for i in ids], dtype="str"),
        },
        geometry=repair_polygons(geometry)[0] if ids else gpd.GeoSeries([], crs=WGS84),
        crs=WGS84,
    )
    return frame, cut


def _level(text: str) -> int | None:
    return int(text) if text.isdecimal() and int(text) in LEVELS else None


def _by_level(whole: gpd.GeoDataFrame) -> str:
    return ", ".join(f"level {level}: {n}" for level, n in whole["level"].value_counts().sort_index().items())


def _above(mine: gpd.GeoDataFrame, whole: gpd.GeoDataFrame, level: int) -> tuple[list[str], list[str]]:
    """Return for every unit the names of the two next coarser units around a point within it."""
    coarser = sorted({int(other) for other in whole["level"] if other < level}, reverse=True)[:2]
    points = shapely.point_on_surface(mine.geometry.to_numpy())
    found = []
    for other in coarser:
        around = whole[whole["level"] == other].reset_index(drop=True)
        labels = around["name"].where(around["name"] != "", around["unit_id"]).to_numpy()
        names = np.full(len(mine), "", dtype=object)
        unit, owner = shapely.STRtree(around.geometry.to_numpy()).query(points, predicate="intersects")
        names[unit[::-1]] = labels[owner[::-1]]
        found.append(list(names))
    nothing = [""] * len(mine)
    return (found[0], found[1]) if len(found) == 2 else (nothing, found[0] if found else nothing)
