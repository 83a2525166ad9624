"""The facilities of a city: from OpenStreetMap and from a planner's own tables, by the same catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle_layers.access import has_fence_tag
from livingcircle_layers.catalogue import SCHOOL_LEVELS, Catalogue, Refusal
from livingcircle_layers.cleaning import Override, change, changes_table, kept_ids, overruled, without_inner_parts
from livingcircle_layers.cleaning import merged as merged_places
from livingcircle_layers.crs import WGS84, reprojected
from livingcircle_layers.datum import Datum, to_wgs84
from livingcircle_layers.entrances import Hints, ways_in
from livingcircle_layers.errors import InputError, sentence
from livingcircle_layers.grounds import ONLY_OPEN, OpenGrounds, campuses, ground_m2, is_campus, on_campus, united
from livingcircle_layers.headings import HEADINGS, plain_heading
from livingcircle_layers.names import core_names, same_place_name
from livingcircle_layers.sources import Reading, Source
from livingcircle_layers.tables import Places, pair_points, parse_numbers, read_points
from livingcircle_layers.unplaced import unplaced_rows

SAME_PLACE_M = 300.0  # a row and an OSM ground of one name this close are one place (a judgement)
STATION_ENTRANCE_M = (
    300.0  # a metro station with an entrance this near is entered there, not at its centre (a judgement)
)

# Amap's code, the exits by letter and number, and the words: 春熙路地铁站A口, 天府广场站(B1出口).
_METRO_ENTRANCE = re.compile(r"150501|出入口|[A-Za-z]\d{0,2}(?:出|入)?口|\bexit\b|\bentrance\b", re.IGNORECASE)

Complete = Literal["yes", "no", "unknown"]
Mode = Literal["classify", "replace", "add"]

_COLUMNS = ["facility_id", "service", "name", "source", "area_m2", "ground", "fence_tag", "geometry"]
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
class Facilities:
    """All facilities of a run.

    Attributes
    ----------
    frame
        One row per place and service: ``facility_id, service, name, source, area_m2, ground, fence_tag, geometry``;
        ``floor_m2, beds, seats`` where a file has them; and
        ``given``, the geometry as its own source has it, where ``geometry`` is an outline taken from OpenStreetMap.
    complete
        For every service of the catalogue: yes, no or unknown.
    centre_only
        Services of which a park is known by a point only, so that the walk to it is overstated.
    unplaced
        Rows and objects that could not be used, with the reason.
    notes
        What the planner should know about how the files were read.
    changes
        What was merged or removed, and what the planner overruled: the rows of `facility_changes.csv`.
    readings
        How many rows each file has and how many of them count.
    labels
        What each of the planner's files is called in `frame`'s column ``source``, in the order given.
    ways_in
        ``facility_id, geometry``: where the planner's files say that places are entered; points.
    """

    frame: gpd.GeoDataFrame
    complete: Mapping[str, Complete]
    centre_only: frozenset[str]
    unplaced: pd.DataFrame
    notes: tuple[str, ...] = ()
    changes: pd.DataFrame = field(default_factory=lambda: changes_table([]))
    readings: tuple[Reading, ...] = ()
    labels: tuple[str, ...] = ()
    ways_in: gpd.GeoDataFrame | None = None


def gather_facilities(
    features: gpd.GeoDataFrame,
    catalogue: Catalogue,
    sources: Sequence[FacilitySource] = (),
    *,
    osm_complete: Mapping[str, Complete] | None = None,
    roads: npt.NDArray[Any] | None = None,
    estates: gpd.GeoDataFrame | None = None,
    grounds: OpenGrounds = ONLY_OPEN,
    overrides: Sequence[Override] = (),
) -> Facilities:
    """Put the facilities of OpenStreetMap and of the planner's files together.

    Parameters
    ----------
    features
        Tagged objects of the OSM file in a metric plane.
    sources
        The planner's files, in the order given.
    osm_complete
        What the planner knows about OpenStreetMap's layers: service to yes, no or unknown.
    roads
        Streets that separate grounds which lie on both sides of them.
    estates
        ``name``, ``geometry``: housing estates; what bears the name of one near by is no park.
    grounds
        Which grounds count although they are not open to all.
    overrides
        What the planner says of single rows.

    Raises
    ------
    InputError
        A file cannot be used, or an override names a row that does not exist.
    """
    for service in osm_complete or {}:
        if service not in catalogue.services:
            raise catalogue.unknown_service(service)
    keep = kept_ids(overrides)
    labels = _labels(sources)
    read = [
        read_facilities(source, catalogue, crs=features.crs, label=label, keep=keep)
        for source, label in zip(sources, labels, strict=True)
    ]
    campus = np.concatenate([campuses(features), *(_school_grounds(found.frame) for found in read)])
    frame, unplaced, changes = osm_facilities(features, catalogue, grounds=grounds, keep=keep, campus=campus)
    parks = [s.id for s in catalogue.services.values() if s.theme == "ecology"]
    frame, seams = united(frame, np.array([]) if roads is None else roads, green=parks, apart=keep)
    known = {*frame["facility_id"], *(c["facility_id"] for c in (*changes, *seams))}
    changes += seams
    known |= {row for file in read for row in (*file.frame["facility_id"], *(c["facility_id"] for c in file.removed))}
    hints = Hints()
    owned, lost = [], [unplaced]
    for source, file in zip(sources, read, strict=True):
        hints = hints.and_(file.hints)
        judged = source.mode == "classify" and not grounds.school  # rows of a named service are the planner's word
        own, shut = _off_campus(file.frame, catalogue, campus, keep=keep) if judged else (file.frame, [])
        owned.append(own)
        changes += [*file.removed, *shut]
        lost += [file.unplaced, _removed_rows(shut)]
    everything, told = overruled(_beside_each_other(frame, sources, owned), overrides, known)
    everything, parts = without_inner_parts(everything, keep=keep, parents=hints.parent)
    everything, housing = _without_housing(everything, catalogue, estates, keep=keep)
    merged, twins = merged_places(everything, keep=keep)
    lost.append(_removed_rows([*told, *parts, *housing]))
    merged = merged.sort_values(["service", "source", "facility_id"], kind="stable").reset_index(drop=True)
    entered, notes = ways_in(merged, [*changes, *parts, *twins], hints)
    return Facilities(
        frame=merged,
        complete=_completeness(catalogue, osm_complete or {}, sources, owned),
        centre_only=_by_centre(merged, entered, parks),
        unplaced=pd.concat(lost, ignore_index=True),
        changes=changes_table([*changes, *told, *parts, *housing, *twins]),
        readings=tuple(file.reading for file in read),
        labels=tuple(labels),
        notes=tuple(notes),
        ways_in=entered,
    )


Records = list[dict[str, Any]]


def _completeness(
    catalogue: Catalogue,
    said: Mapping[str, Complete],
    sources: Sequence[FacilitySource],
    owned: Sequence[gpd.GeoDataFrame],
) -> dict[str, Complete]:
    """Return whether each service's layer is complete: as said of OpenStreetMap, then as said of each list in order."""
    complete: dict[str, Complete] = {**dict.fromkeys(catalogue.services, "unknown"), **said}
    for source, own in zip(sources, owned, strict=True):
        if source.mode == "replace":
            complete[str(source.service)] = source.complete
        elif source.complete != "unknown":
            complete.update(dict.fromkeys(own["service"].unique(), source.complete))
    return complete


def _beside_each_other(
    osm: gpd.GeoDataFrame, sources: Sequence[FacilitySource], owned: Sequence[gpd.GeoDataFrame]
) -> gpd.GeoDataFrame:
    """Put the places of OpenStreetMap and of each list together; a list may replace those of a service."""
    frames = [osm]
    for source, own in zip(sources, owned, strict=True):
        if source.mode == "replace":
            frames[0] = frames[0][frames[0]["service"] != source.service]
        # A file that replaces OpenStreetMap's list of parks still takes their outlines from it.
        frames.append(_at_known_ground(own, pd.concat([osm, *frames[1:]], ignore_index=True)))
    return pd.concat(frames, ignore_index=True)


def osm_facilities(
    features: gpd.GeoDataFrame,
    catalogue: Catalogue,
    *,
    grounds: OpenGrounds = ONLY_OPEN,
    keep: frozenset[str] = frozenset(),
    campus: npt.NDArray[Any] | None = None,
) -> tuple[gpd.GeoDataFrame, pd.DataFrame, Records]:
    """Return the facilities among tagged objects, what could not be used, and what was removed.

    Parameters
    ----------
    features
        ``osm_id, tags, verdict, geometry``, as `livingcircle_layers.osm.OsmExtract` has them for the same catalogue.
    campus
        Grounds of schools; without them those among the objects.
    """
    rows, at, lost = [], [], []
    removed: Records = []
    geometry = features.geometry.to_numpy()
    area = np.round(ground_m2(geometry, features.crs), 1)
    inside = on_campus(geometry, campuses(features) if campus is None else campus)
    inside &= ~np.array([is_campus(t) for t in features["tags"]], dtype=bool)
    told = zip(features["osm_id"], features["tags"], features["verdict"], strict=True)
    for i, (osm_id, tags, (allowed, refusals)) in enumerate(told):
        matched = allowed or (tuple(r.service for r in refusals) if osm_id in keep else ())
        services = catalogue.sized(matched, area[i] or None, tags=tags)
        name = tags.get("name", tags.get("name:en", ""))
        own = {"facility_id": osm_id, "source": "osm", "row": osm_id, "name": name}
        if not matched:
            removed += [_refused(own, refusal) for refusal in refusals]
        for service in services:
            kind = catalogue.services[service]
            shut = grounds.shut(tags, on_campus=bool(inside[i])) if kind.open_ground and osm_id not in keep else None
            if shut is not None:
                detail = f"{service}: not open to all ({shut}); [grounds] {shut} = true lets such grounds in"
                lost.append({"source": "osm", "row": osm_id, "name": name, "reason": "not_public", "detail": detail})
                removed.append(change({**own, "service": service}, "removed", f"not_public_{shut}", detail))
                continue
            size = area[i] if kind.kind == "ground" and area[i] > 0 else np.nan
            rows.append((osm_id, service, name, "osm", size, kind.kind == "ground", has_fence_tag(tags)))
            at.append(i)
        if not services and catalogue.unlevelled_school(tags):
            detail = "neither isced:level nor the name tells whether it is a primary or a secondary school"
            lost.append(
                {"source": "osm", "row": osm_id, "name": name, "reason": "school_level_unknown", "detail": detail}
            )
    frame = _frame(rows, geometry[at], features.crs)
    way_in = {
        i for i, t in zip(features["osm_id"], features["tags"], strict=True) if t.get("railway") == "subway_entrance"
    }
    frame, stations = _metro_by_entrances(frame, frame["facility_id"].isin(way_in).to_numpy(), keep=keep)
    return frame, unplaced_rows(lost), removed + stations


def _school_grounds(rows: gpd.GeoDataFrame) -> npt.NDArray[Any]:
    """Return the outlines of schools and kindergartens that a planner's file holds."""
    school = rows["service"].isin((*SCHOOL_LEVELS, "kindergarten")).to_numpy()
    grounds: npt.NDArray[Any] = rows.geometry.to_numpy()[school & (shapely.area(rows.geometry.to_numpy()) > 0)]
    return grounds


def _by_centre(places: gpd.GeoDataFrame, entered: pd.DataFrame, green: Sequence[str]) -> frozenset[str]:
    """Return the green services of which a place has an area and neither an outline nor a known way in."""
    points = shapely.get_type_id(places.geometry.to_numpy()) == 0
    sized = places["area_m2"].to_numpy(dtype=float) > 0
    elsewhere = ~places["facility_id"].isin(entered["facility_id"]).to_numpy()
    return frozenset(places["service"][places["service"].isin(green).to_numpy() & points & elsewhere & sized])


def _off_campus(
    rows: gpd.GeoDataFrame, catalogue: Catalogue, campus: npt.NDArray[Any], *, keep: frozenset[str]
) -> tuple[gpd.GeoDataFrame, Records]:
    """Remove the pitches of schools from a list: nothing tells that they are open to all, as the word park does."""
    kinds = [catalogue.services[s] for s in rows["service"]]
    open_ground = np.array([kind.open_ground and kind.theme != "ecology" for kind in kinds], dtype=bool)
    shut = open_ground & on_campus(rows.geometry.to_numpy(), campus) & ~rows["facility_id"].isin(keep).to_numpy()
    reason = "not open to all (school); [grounds] school = true lets such grounds in"
    records = [change(rows.iloc[i], "removed", "not_public_school", reason) for i in np.flatnonzero(shut)]
    return rows[~shut].reset_index(drop=True), records


def _refused(row: Mapping[str, Any], refusal: Refusal) -> dict[str, Any]:
    """Return the record of a row whose name says that it is no place of its service."""
    kinds = {"wrong_category": "is the name of another kind of place", "part_of_place": "is a part of a place"}
    reason = f"{refusal.word!r} in its name: {kinds[refusal.rule]}"
    return change({**row, "service": refusal.service}, "removed", refusal.rule, reason)


def _removed_rows(records: Records) -> pd.DataFrame:
    """Return the rows of `unplaced.csv` of what the cleaning or the study removed."""
    removed = [r for r in records if r["action"] == "removed"]
    return unplaced_rows(
        {
            "source": r["source"],
            "row": r["facility_id"].removeprefix(f"{r['source']}:"),
            "name": r["name"],
            "reason": r["rule"],
            "detail": f"{r['service']}: {r['detail']}",
        }
        for r in removed
    )


def _without_housing(
    frame: gpd.GeoDataFrame, catalogue: Catalogue, estates: gpd.GeoDataFrame | None, *, keep: frozenset[str]
) -> tuple[gpd.GeoDataFrame, Records]:
    """Remove the parks and pitches that bear the name of a housing estate at their place."""
    if estates is None or estates.empty:
        return frame, []
    named = estates[estates["name"] != ""]
    open_ground = np.array([catalogue.services[s].open_ground for s in frame["service"]], dtype=bool)
    rows = np.flatnonzero(open_ground & ~frame["facility_id"].isin(keep).to_numpy())
    ours, theirs = core_names(frame["name"]), core_names(named["name"])
    geometry = frame.geometry.to_numpy()
    near = shapely.STRtree(named.geometry.to_numpy()).query(geometry[rows], predicate="dwithin", distance=SAME_PLACE_M)
    records, gone = [], set[int]()
    for row, estate in sorted(zip(rows[near[0]].tolist(), near[1].tolist(), strict=True)):
        if row not in gone and same_place_name(ours[row], theirs[estate]):
            gone.add(row)
            reason = f"bears the name of the housing estate {named['name'].iloc[estate]}"
            records.append(change(frame.iloc[row], "removed", "housing_estate", reason))
    return frame.drop(index=frame.index[sorted(gone)]).reset_index(drop=True), records


def _labels(sources: Sequence[FacilitySource]) -> list[str]:
    """Return a name for each source; files of one name in different folders are told apart by a number."""
    known: dict[str, list[Source]] = {}
    labels = []
    for source in sources:
        name, table = source.source.label, replace(source.source, where=None)
        of_this_name = known.setdefault(name, [])
        if table not in of_this_name:
            of_this_name.append(table)
        number = of_this_name.index(table) + 1
        labels.append(name if number == 1 else f"{name} ({number})")
    return labels


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
            removed += [{**_refused(own, refusal), "at": geometry[i]} for refusal in refusals]
    lost.extend({"source": label, **{str(k): v for k, v in r.items()}} for r in rejected.to_dict("records"))
    if not rows:
        faults.append(_no_service(label, places.table))
    if faults:
        raise InputError.of(faults)
    frame = _frame(rows, geometry[at], crs).assign(**{role: size[at] for role, size in sizes.items()})
    coded = categories.apply(lambda column: column.astype("str").str.contains(_METRO_ENTRANCE)).any(axis=1).to_numpy()
    way_in = coded[at] | frame["name"].str.contains(_METRO_ENTRANCE).to_numpy()
    frame, stations = _metro_by_entrances(frame, way_in, keep=keep)
    reading = places.reading
    told = reading.columns if source.service else _with_all_categories(reading.columns, categories.columns)
    reading = replace(reading, label=label, columns=told)
    hints = _hints(places, source, label, crs)
    return ReadFile(frame, unplaced_rows(lost), removed + stations, reading, hints)


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
            read, found = parse_numbers(places.table, heading, what=f"{label}: {role}", minimum=0)
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


def _frame(rows: list[tuple[Any, ...]], geometry: Any, crs: CRS) -> gpd.GeoDataFrame:
    table = pd.DataFrame(rows, columns=_COLUMNS[:-1]).astype(
        {
            "facility_id": "str", "service": "str", "name": "str", "source": "str",
            "area_m2": "float64", "ground": "bool", "fence_tag": "bool",
        }
    )  # fmt: skip
    places = gpd.GeoSeries(geometry, crs=crs)
    return gpd.GeoDataFrame(table.assign(given=places), geometry=places)


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


def _metro_by_entrances(
    frame: gpd.GeoDataFrame, way_in: npt.NDArray[np.bool_], *, keep: frozenset[str]
) -> tuple[gpd.GeoDataFrame, Records]:
    """Remove stations that have known entrances: nobody boards at the middle of the platform.

    Parameters
    ----------
    way_in
        Which rows are entrances.
    keep
        Ids that stay on the planner's word.
    """
    metro = np.flatnonzero(frame["service"].to_numpy() == "metro")
    entrance = way_in[metro]
    geometry = frame.geometry.to_numpy()[metro]
    tree = shapely.STRtree(geometry[entrance])
    near = np.unique(tree.query(geometry[~entrance], predicate="dwithin", distance=STATION_ENTRANCE_M)[0])
    gone = metro[~entrance][near]
    gone = gone[~frame["facility_id"].isin(keep).to_numpy()[gone]]
    reason = f"entrances of it are known within {STATION_ENTRANCE_M:g} m; they stand for the station"
    records = [change(frame.iloc[i], "removed", "entered_elsewhere", reason) for i in gone]
    return frame.drop(index=gone).reset_index(drop=True), records


def _at_known_ground(rows: gpd.GeoDataFrame, known: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give a ground that a file knows by a point the outline that OSM has for it, by overlap or by name."""
    outlines = known[(shapely.area(known.geometry.to_numpy()) > 0) & known["ground"].to_numpy(dtype=bool)]
    geometry = rows.geometry.to_numpy().copy()
    fence = rows["fence_tag"].to_numpy(dtype=bool).copy()
    area = rows["area_m2"].to_numpy(dtype=float).copy()
    points = np.flatnonzero((shapely.get_type_id(geometry) == 0) & rows["ground"].to_numpy(dtype=bool))
    if not len(points) or not len(outlines):
        return rows
    shapes = outlines.geometry.to_numpy()
    i, j = shapely.STRtree(shapes).query(geometry[points], predicate="dwithin", distance=SAME_PLACE_M)
    gap = shapely.distance(geometry[points[i]], shapes[j])
    same_service = outlines["service"].to_numpy()[j] == rows["service"].to_numpy()[points[i]]
    ours, theirs = core_names(rows["name"]), core_names(outlines["name"])
    same_name = np.array([same_place_name(a, b) for a, b in zip(ours[points[i]], theirs[j], strict=True)], dtype=bool)
    good = np.flatnonzero(same_service & ((gap == 0) | same_name))
    order = good[np.lexsort((j[good], gap[good], i[good]))]
    first = order[np.unique(i[order], return_index=True)[1]]
    geometry[points[i[first]]] = shapes[j[first]]
    fence[points[i[first]]] = outlines["fence_tag"].to_numpy(dtype=bool)[j[first]]
    area[points[i[first]]] = outlines["area_m2"].to_numpy(dtype=float)[j[first]]
    return rows.assign(geometry=gpd.GeoSeries(geometry, crs=rows.crs), fence_tag=fence, area_m2=area)
