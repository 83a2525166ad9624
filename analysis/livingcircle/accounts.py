"""The books of a run: what could not be used and why, what was in force, and what the inputs were."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from livingcircle.coverage import Judged
from livingcircle.inputs import Inputs
from livingcircle.joins import BLOCKED, ON_ISLAND_M, ONLY_ISLAND, TOO_FAR, Joins
from livingcircle.marks import input_files, layer_marks
from livingcircle.progress import Stages
from livingcircle.reach import Layer
from livingcircle.rules import RuleSet
from livingcircle.scenes import scene_records
from livingcircle.study import Study
from livingcircle.walkers import Walker
from livingcircle_layers.facilities import Facilities
from livingcircle_layers.grounds import OpenGrounds
from livingcircle_layers.homes import Placement
from livingcircle_layers.relief import height_notes
from livingcircle_layers.sources import Database, Reading
from livingcircle_layers.unplaced import unplaced_rows

_REASONS = {
    TOO_FAR: "no street within {limit:g} m",
    BLOCKED: "every way to a street within {limit:g} m crosses water, rail, a motorway or a wall",
    ONLY_ISLAND: f"no street can be walked to within {{limit:g}} m but those of an island, over {ON_ISLAND_M:g} m away",
}
NOT_JOINED = tuple(_REASONS)  # why people who have a home in a community are on no street
_VERSIONS = ("livingcircle", "geopandas", "numpy", "osmium", "pandas", "pyproj", "rasterio", "shapely")


_SHUT = {
    "access_not_on_network": "places are away from every street that can be walked to, and count for nobody",
    "fenced_without_gate": "grounds are fenced, and neither a gate nor a street through is known: nobody gets in",
}

LOST_SHARE = 0.25  # of a community's people not on the network is worth a word (a judgement)


def account(
    study: Study, inputs: Inputs, placement: Placement, joins: Joins, shut: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, int]]:
    """List what could not be used, and count people so that nobody is lost; `shut` as of `without_way_in`."""
    homes = placement.homes
    inside = homes[homes["unit"] != ""]
    outside = homes[homes["unit"] == ""]
    lost = inside[~joins.joined].assign(reason=joins.reason[~joins.joined])
    rejected = inputs.population.rejected
    parts = [inputs.facilities.unplaced, inputs.lost, unplaced_rows(rejected.to_dict("records"))]
    for frame in (lost, outside.assign(reason="outside_communities")):
        grouped = frame.groupby(["source", "row", "unit", "reason"], as_index=False)["people"].sum()
        detail = grouped["reason"].map(
            {k: v.format(limit=study.join_limit_m) for k, v in _REASONS.items()}
            | {"outside_communities": "lies in none of the communities"}
        )
        parts.append(
            unplaced_rows(
                pd.DataFrame(grouped).rename(columns={"unit": "unit_id"}).assign(detail=detail).to_dict("records")
            )
        )
    parts.append(shut)
    unplaced = pd.concat(parts, ignore_index=True)
    order = ["reason", "source", "row", "unit_id"]
    readable = int(rejected["people"].fillna(0).sum())
    return unplaced.sort_values(order, kind="stable").reset_index(drop=True), {
        "input": int(inputs.population.total),
        "placed": int(inside["people"].sum() - lost["people"].sum()),
        "not_placed": int(lost["people"].sum()) + readable,
        "outside": int(outside["people"].sum()),
    }


def without_way_in(study: Study, inputs: Inputs, doors: gpd.GeoDataFrame) -> pd.DataFrame:
    """List facilities that nobody can enter: a fence without a gate, or no street near any access point.

    Parameters
    ----------
    doors
        ``facility_id``, ``edge_id`` (-1: joins no street) of every access point.
    """
    frame = inputs.facilities.frame.drop_duplicates("facility_id").set_index("facility_id")
    of_door = doors["facility_id"].to_numpy(dtype=object)
    entered, reachable = set(of_door), set(of_door[doors["edge_id"].to_numpy() >= 0])
    sources, names = (frame[column].to_numpy(dtype=object) for column in ("source", "name"))
    away = frame.geometry.distance(inputs.osm.streets.box).to_numpy() > study.join_limit_m
    rows = []
    for i, facility_id in enumerate(frame.index.to_numpy(dtype=object)):
        if facility_id in reachable:
            continue
        if away[i]:
            reason, detail = "outside_streets", "lies outside the streets of the OpenStreetMap file"
        elif facility_id in entered:
            reason = "access_not_on_network"
            detail = f"no street that leads on within {study.join_limit_m:g} m of any access point can be walked to"
        else:
            reason = "fenced_without_gate"
            detail = "a fence or wall is mapped around it, but no gate and no street through it"
        source, name = sources[i], names[i]
        row = facility_id.removeprefix(f"{source}:")  # as every other row of a planner's file is called
        rows.append({"source": source, "row": row, "name": name, "reason": reason, "detail": detail})
    return unplaced_rows(rows)


def settings_of(study: Study, walkers: Sequence[Walker], rules: RuleSet) -> dict[str, object]:
    """Return every default in force, as the command line prints it and the legend of the map names it."""
    return {
        "standard": f"{rules.id} {rules.title_zh}",
        "walkers": "; ".join(w.label() for w in walkers),
        "join_limit_m": study.join_limit_m,
        "search_limit_m": study.search_limit_m,
        "datum": _datums_of(study),
        "gates": study.gates,
        "grounds": "; ".join(["open to all", *OpenGrounds(**study.grounds.model_dump()).let_in()]),
        "slope": f"Tobler's function on {study.streets.dem.name}" if study.streets.dem else "flat, no elevation model",
        **_demand_of(study),
        "spreading": "residential buildings, else residential land, else along streets, else evenly"
        if study.population
        else "evenly over residential land",
        "measure": "metres along streets, legs included",
        "public transport": "the walk to the stop only 公共交通只计步行到站,不含乘车",
    }


def _demand_of(study: Study) -> dict[str, object]:
    """Return how people, groups and households are known, where that is not by counting them."""
    given = study.population
    if given is None:
        return {"demand": "residential land in m²: no population is given, so there is no score"}
    said: dict[str, object] = {}
    if given.values:
        said["population_values"] = given.values
    if given.shares:
        city = ", ".join(f"{group} {share:g}" for group, share in given.shares.city().items())
        said["group_shares"] = "; ".join(filter(None, [given.shares.rows.label if given.shares.rows else "", city]))
    if given.household_size:
        said["household_size"] = given.household_size
    return said


def _datums_of(study: Study) -> str:
    """Return in what the numbers are, and which layers were shifted to it."""
    layers = [study.communities, study.areas, study.population, study.estates, *study.facilities]
    declared = {part.rows.label: part.datum for part in layers if part and part.rows and part.datum != "wgs84"}
    if study.streets.own and study.streets.datum != "wgs84":
        declared[study.streets.own.label] = study.streets.datum
    return "; ".join(["WGS-84", *(f"{name} read as {datum}" for name, datum in sorted(declared.items()))])


def run_record(
    study: Study,
    inputs: Inputs,
    rules: RuleSet,
    judged: Mapping[str, Judged],
    people: Mapping[str, int],
    shut: pd.DataFrame,
    stages: Stages,
) -> dict[str, Any]:
    """Return what `run.json` says of a run: inputs with digests, settings, counts, warnings, versions, timings."""
    streets = inputs.osm.streets
    return {
        "program": "livingcircle",
        "name": study.name,
        "settings": settings_of(study, study.walker_profiles(), rules),
        "inputs": _input_records(study, inputs, shut),
        "demand": "people" if study.population else "residential_land",
        "people": dict(people),
        "counts": {
            "communities": len(inputs.units),
            "facilities": int(inputs.facilities.frame["facility_id"].nunique()),
            "rules": len(judged),
            "street_nodes": len(streets.node_id),
            "street_edges": len(streets.tail),
            "street_km": round(float(streets.length_m.sum()) / 1000, 1),
            "street_components": int(streets.component.max()) + 1,
        },
        "crs": inputs.osm.crs.srs,
        "data_date": inputs.osm.data_date,
        "scenes": scene_records(study, rules, inputs.units),
        "warnings": input_warnings(inputs),
        "datum": [
            {"layer": v.layer, "claimed": v.claimed, "answer": v.answer, "statistic": v.statistic}
            for v in inputs.datums
        ],
        "versions": {name: metadata.version(name) for name in _VERSIONS},
        "timings_s": stages.seconds,
    }


def _input_records(study: Study, inputs: Inputs, shut: pd.DataFrame) -> list[dict[str, Any]]:
    """Return role, name, digest and licence of every input file, and the marks of what is in it."""
    files = input_files(study)
    return [
        {
            "role": entry.role,
            "path": entry.name,
            **_content_record(entry.path, mark.reading),
            "licence": entry.licence,
            "attribution": entry.attribution,
            "date": mark.date,
            **mark.as_dict(),
        }
        for entry, mark in zip(files, layer_marks(study, inputs, shut), strict=True)
    ]


def _content_record(path: Path | Database, reading: Reading | None) -> dict[str, Any]:
    """Return size and digest; of a table also how many rows were read and under which headings."""
    record: dict[str, Any] = {}
    if isinstance(path, Path):
        record = {"bytes": path.stat().st_size, "sha256": digest(path)}
    elif reading is not None:
        record = {"sha256": reading.digest}
    if reading is not None:
        record |= {"sheets": reading.sheets} if reading.sheets else {}
        record |= {"rows": reading.rows, "filtered": reading.filtered, "columns": dict(reading.columns)}
    return record


def input_warnings(inputs: Inputs) -> list[str]:
    """Return what the planner should know of her data, a sentence each."""
    found = [*inputs.communities.warnings, *inputs.population.warnings, *inputs.notes, *inputs.facilities.notes]
    found += [verdict.line() for verdict in inputs.datums if verdict.answer == "cannot tell"]
    found += _gate_notes(inputs)
    found += height_notes(inputs.osm.streets)
    return found


def lost_notes(communities: gpd.GeoDataFrame) -> list[str]:
    """Name the communities that lose many of their people because no street could be joined."""
    everybody = communities["people"] + communities["not_placed"]
    many = communities[communities["not_placed"] > LOST_SHARE * everybody]
    if many.empty:
        return []
    worst = many.sort_values("not_placed", ascending=False, kind="stable")
    shown = ", ".join(f"{unit} ({n:,})" for unit, n in worst["not_placed"].head(8).items())
    return [
        f"{len(many)} communities have over {LOST_SHARE:.0%} of their people away from every street that can be walked"
        f" to, who are in no share and no score: {shown}{' …' if len(many) > 8 else ''}; see unplaced.csv"
    ]


def shut_notes(shut: pd.DataFrame) -> list[str]:
    """Say how many places nobody can enter though they lie among the streets; `shut` as of `without_way_in`."""
    return [
        f"{source}: {n:,} {words}; see unplaced.csv"
        for reason, words in _SHUT.items()
        for source, n in shut["source"][shut["reason"] == reason].value_counts().sort_index().items()
    ]


def size_notes(rules: RuleSet, facilities: Facilities) -> list[str]:
    """Say of which places the size is not known, where a clause asks for it."""
    asked = {service for rule in rules.rules if Layer.of(rule).of_size for service in rule.services}
    places = facilities.frame[facilities.frame["service"].isin(asked)]
    unknown = places["area_m2"].isna().groupby(places["service"]).agg(["sum", "size"])
    return [
        f"{service}: the size of {some:,} of {all_:,} places is not known; clauses that ask for one cannot count them"
        for service, some, all_ in unknown[unknown["sum"] > 0].itertuples()
    ]


def outline_notes(rules: RuleSet, facilities: Facilities) -> list[str]:
    """Say which grounds, such as parks, are known by a point only: neither their edge nor a gate is known."""
    asked = {service for rule in rules.rules for service in rule.services}
    grounds = facilities.frame[facilities.frame["ground"] & facilities.frame["service"].isin(asked)]
    entered = set() if facilities.ways_in is None else set(facilities.ways_in["facility_id"])
    point = (grounds.geometry.geom_type == "Point") & ~grounds["facility_id"].isin(entered)
    told = point.groupby(grounds["service"]).agg(["sum", "size"])
    shown = ", ".join(f"{service} {some:,} of {all_:,}" for service, some, all_ in told[told["sum"] > 0].itertuples())
    if not shown:
        return []
    return [f"no outline and no gate is known, and walks to a point inside may be too long: {shown}"]


def _gate_notes(inputs: Inputs) -> list[str]:
    """Say what is known about gated estates, and where nothing is known."""
    frame, notes = inputs.estates.frame, []
    if len(frame):
        shut = int((frame["gates"] == 0).sum())
        notes.append(
            f"{len(frame)} gated estates, {int(frame['gates'].sum())} gates; no gate is known for {shut} of them"
        )
    if inputs.estates.unknown:
        notes.append(f"{inputs.estates.unknown} residential outlines: whether they are gated, and where, is not known")
    return notes


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
