"""The facilities in one of a planner's own files, by the catalogue of services."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle_layers.catalogue import Catalogue, Refusal
from livingcircle_layers.crs import WGS84, reprojected
from livingcircle_layers.datum import Datum, to_wgs84
from livingcircle_layers.entrances import Hints
from livingcircle_layers.errors import InputError, sentence
from livingcircle_layers.facility_rows import Records, refused, rows_frame, stations_by_entrances
from livingcircle_layers.grounds import ground_m2
from livingcircle_layers.headings import HEADINGS, LARGE_AREAS, find_column, plain_heading
from livingcircle_layers.sources import Reading, Source
from livingcircle_layers.tables import Places, pair_points, parse_amounts, read_points
from livingcircle_layers.unplaced import unplaced_rows

# Amap's code, the exits by letter and number, and the words: 春熙路地铁站A口, 天府广场站(B1出口).
_METRO_ENTRANCE = re.compile(r"150501|出入口|[A-Za-z]\d{0,2}(?:出|入)?口|\bexit\b|\bentrance\b", re.IGNORECASE)

Complete = Literal["yes", "no", "unknown"]
Mode = Literal["classify", "replace", "add"]
SIZES = ("floor_m2", "beds", "seats")  # how large a place is, in columns of a planner's file


@dataclass(frozen=True)
class FacilitySource:
    """A planner's own file of facilities.

    Attributes
    ----------
    table
        A table with coordinates or a vector file; a path alone will do.
    service
        The service all rows are taken as; None classifies each row by the catalogue.
    mode
        ``replace`` puts the file in the place of OpenStreetMap for its service, ``add`` adds to it; without a service
        rows are classified and added.
    complete
        Whether the file is known to hold every place of its services.
    datum
        What its coordinates are in; GCJ-02 and BD-09 are shifted to WGS-84.
    """

    table: Source | Path
    service: str | None = None
    mode: Mode = "classify"
    complete: Complete = "unknown"
    licence: str = "restricted"
    datum: Datum = "wgs84"

    @property
    def source(self) -> Source:
        """Return where the rows are and how they are read."""
        return Source.of(self.table)


@dataclass(frozen=True)
class ReadFile:
    """What a planner's file holds.

    Attributes
    ----------
    frame
        Its facilities.
    unplaced
        Rows that could not be used.
    removed
        Records of rows that are no places of their service.
    reading
        How it was read.
    hints
        Where rows are entered, and of which others they are parts.
    """

    frame: gpd.GeoDataFrame
    unplaced: pd.DataFrame
    removed: Records
    reading: Reading
    hints: Hints


def read_facilities(
    source: FacilitySource,
    catalogue: Catalogue,
    *,
    crs: CRS,
    label: str | None = None,
    keep: frozenset[str] = frozenset(),
) -> ReadFile:
    """Read a planner's file.

    Parameters
    ----------
    source, catalogue
        The file, and what its rows may be.
    crs
        The metric plane of the result.
    label
        What the file is called in all tables.
    keep
        Ids of rows that stay on the planner's word.
    """
    label = label or source.source.label
    if source.service is not None and source.service not in catalogue.services:
        raise catalogue.unknown_service(source.service)
    places, rejected = read_points(source.source)
    places = _with_large_areas(places, source.source)
    geometry = reprojected(to_wgs84(places.frame.geometry.to_numpy(), source.datum), WGS84, crs)
    sizes, faults = _sizes(places, label)
    area = _areas(sizes.pop("area_m2", None), geometry, crs)
    categories = places.table[_category_columns(places)]
    rows, at, lost = [], [], []
    removed: Records = []
    for i, (row, name) in enumerate(zip(places.frame["row"], places.cells("name"), strict=True)):
        place = f"{label}:{row}"
        words = categories.iloc[i].tolist()
        services, refusals = _services_of(source, catalogue, name, words, area[i], kept=place in keep)
        for service in services:
            rows.append((place, service, name, label, area[i], catalogue.services[service].kind == "ground", False))
            at.append(i)
        if not services:
            detail = "; ".join(str(word) for word in words if word)
            reason = refusals[0].rule if refusals else "no_service"
            own = {"facility_id": place, "source": label, "row": row, "name": name}
            lost.append({"source": label, "row": row, "name": name, "reason": reason, "detail": detail})
            removed += [{**refused(own, refusal), "at": geometry[i]} for refusal in refusals]
    lost.extend({"source": label, **{str(k): v for k, v in r.items()}} for r in rejected.to_dict("records"))
    if not rows:
        faults.append(_no_service(label, places.table))
    if faults:
        raise InputError.of(faults)
    frame = rows_frame(rows, geometry[at], crs).assign(**{role: size[at] for role, size in sizes.items()})
    coded = categories.apply(lambda column: column.astype("str").str.contains(_METRO_ENTRANCE)).any(axis=1).to_numpy()
    way_in = coded[at] | frame["name"].str.contains(_METRO_ENTRANCE).to_numpy()
    frame, stations = stations_by_entrances(frame, way_in, keep=keep)
    reading = places.reading
    told = reading.columns if source.service else _with_all_categories(reading.columns, categories.columns)
    reading = replace(reading, label=label, columns=told)
    hints = _hints(places, source, label, crs)
    return ReadFile(frame, unplaced_rows(lost), removed + stations, reading, hints)


def _with_large_areas(places: Places, source: Source) -> Places:
    """Take areas from columns in hectares, mu and the like, where none is in m² and the planner has said nothing."""
    given = {**places.columns_used, **(source.columns or {})}
    found = {role: find_column(places.table, names) for role, names in LARGE_AREAS.items() if role not in given}
    large = {role: heading for role, heading in found.items() if heading is not None}
    reading = replace(places.reading, columns={**places.reading.columns, **large})
    return replace(places, columns_used={**places.columns_used, **large}, reading=reading)


def _areas(said: npt.NDArray[Any] | None, geometry: npt.NDArray[Any], crs: CRS) -> npt.NDArray[Any]:
    """Return the area of each row in m²: as its column says, else of its outline; NaN where neither is there."""
    area = np.full(len(geometry), np.nan) if said is None else said
    drawn = np.round(ground_m2(geometry, crs), 1)
    return np.where(np.isnan(area) & (drawn > 0), drawn, area)


def _sizes(places: Places, label: str) -> tuple[dict[str, npt.NDArray[Any]], list[str]]:
    """Return area, beds, seats and the like of each row, where the file has such a column; and the faults of all."""
    sizes, faults = {}, []
    for role in ("area_m2", *SIZES):
        if heading := places.columns_used.get(role):
            read, found = parse_amounts(places.table, role, heading, what=f"{label}: {role}")
            sizes[role] = read.to_numpy(dtype=float)
            faults += found
    return sizes, faults


def _no_service(label: str, table: pd.DataFrame) -> str:
    return sentence(
        f"{label}: no row is a service of the catalogue",
        got=f"{len(table)} rows with the columns {', '.join(table.columns)}",
        expected="a column that names the kind of facility (类型, category, typecode) or telling names",
        remedy="say which service it is: --facilities SERVICE=FILE",
    )


def _services_of(
    source: FacilitySource, catalogue: Catalogue, name: str, categories: list[str], area_m2: float, *, kept: bool
) -> tuple[tuple[str, ...], tuple[Refusal, ...]]:
    """Return the services of a row, and what its name says against it."""
    if source.service:
        return (source.service,), ()
    matched, refusals = catalogue.classify_row(name, categories)
    if kept:
        matched = matched or tuple(refusal.service for refusal in refusals)
    return catalogue.sized(matched, None if np.isnan(area_m2) else float(area_m2)), refusals


def _hints(places: Places, source: FacilitySource, label: str, crs: CRS) -> Hints:
    """Return where the rows of a file are entered, and of which others they are parts."""
    ids = label + ":" + places.frame["row"]
    entrance: dict[str, Any] = {}
    if heading := places.columns_used.get("entrance"):
        degrees = to_wgs84(pair_points(places.table, heading, source.source), source.datum)
        known = ~shapely.is_missing(degrees)
        entrance = dict(zip(ids[known], reprojected(degrees[known], WGS84, crs), strict=True))
    return Hints(entrance, {i: f"{label}:{p}" for i, p in zip(ids, places.cells("parent"), strict=True) if p})


def _category_columns(places: Places) -> list[str]:
    """Return the columns that rows are classified by: those mapped as category and type, and all with such headings."""
    used = {heading: role for role, heading in places.columns_used.items()}
    wanted = {plain_heading(h) for role in ("category", "type") for h in HEADINGS[role]}
    return [
        heading
        for heading in places.table.columns
        if used.get(heading, "type") in {"category", "type"} and (heading in used or plain_heading(heading) in wanted)
    ]


def _with_all_categories(columns: Mapping[str, str], categories: Iterable[object]) -> dict[str, str]:
    """Name every column that rows are classified by: an export may have a typecode beside its type."""
    more = [str(heading) for heading in categories if heading not in columns.values()]
    role = "type" if "type" in columns or "category" not in columns else "category"
    return {**columns, role: " + ".join(filter(None, [columns.get(role), *more]))} if more else dict(columns)
