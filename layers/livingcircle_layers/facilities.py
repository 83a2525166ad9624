"""The facilities of a city: from OpenStreetMap and from a planner's own tables, by the same catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle_layers.access import has_fence_tag
from livingcircle_layers.catalogue import SCHOOL_LEVELS, Catalogue
from livingcircle_layers.cleaning import Override, change, changes_table, kept_ids, overruled, without_inner_parts
from livingcircle_layers.cleaning import merged as merged_places
from livingcircle_layers.entrances import Hints, ways_in
from livingcircle_layers.facility_files import Complete, FacilitySource, read_facilities
from livingcircle_layers.facility_rows import Records, refused, rows_frame, stations_by_entrances
from livingcircle_layers.grounds import ONLY_OPEN, OpenGrounds, campuses, ground_m2, is_campus, on_campus, united
from livingcircle_layers.names import core_names, same_place_name
from livingcircle_layers.sources import Reading, Source
from livingcircle_layers.unplaced import unplaced_rows

SAME_PLACE_M = 300.0  # a row and an OSM ground of one name this close are one place (a judgement)


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
    # Long because places pass through many hands: a line or two for each, in an order that matters.
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
    known = {*frame["facility_id"].to_numpy(dtype=object), *(c["facility_id"] for c in (*changes, *seams))}
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
    ids = features["osm_id"].to_numpy(dtype=object)  # many times sooner gone through than a column of text
    told = zip(ids, features["tags"], features["verdict"], strict=True)
    for i, (osm_id, tags, (allowed, refusals)) in enumerate(told):
        matched = allowed or (tuple(r.service for r in refusals) if osm_id in keep else ())
        services = catalogue.sized(matched, area[i] or None, tags=tags)
        name = tags.get("name", tags.get("name:en", ""))
        own = {"facility_id": osm_id, "source": "osm", "row": osm_id, "name": name}
        if not matched:
            removed += [refused(own, refusal) for refusal in refusals]
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
    frame = rows_frame(rows, geometry[at], features.crs)
    way_in = {i for i, t in zip(ids, features["tags"], strict=True) if t.get("railway") == "subway_entrance"}
    frame, stations = stations_by_entrances(frame, frame["facility_id"].isin(way_in).to_numpy(), keep=keep)
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
