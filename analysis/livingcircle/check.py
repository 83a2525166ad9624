"""Describe every input of a study before anything is computed."""

from __future__ import annotations

from livingcircle.inputs import Inputs, read_inputs
from livingcircle.population import compare_people, comparison_lines, read_beside
from livingcircle.standards import load_standard
from livingcircle.study import Study
from livingcircle_layers.catalogue import load_catalogue


def describe_study(study: Study) -> list[str]:
    """Read and check all inputs of a study and say in lines what is in them.

    Raises
    ------
    InputError
        An input cannot be used; the message says what to do.
    """
    catalogue = load_catalogue(study.catalogue)
    rules = load_standard(study.standard, catalogue=catalogue)
    inputs = read_inputs(study, catalogue)
    return [
        f"study: {study.name}; standard {rules.id} ({rules.title_zh}),"
        f" {len(rules.rules)} rules, {len(rules.scoring)} score",
        *_describe_units(study, inputs),
        *_describe_streets(study, inputs),
        *_describe_people(study, inputs),
        *_compare_people(study, inputs),
        *_describe_layers(inputs, rules_services=[s for r in rules.rules for s in r.services]),
        f"not measured, as no map data can place them: {', '.join(catalogue.unplaceable())}",
        *_describe_changes(inputs),
        *(f"read: {reading.sentence()}" for found in inputs.readings.values() for reading in found),
        *(verdict.line() for verdict in inputs.datums),
        *(f"note: {w}" for w in (*inputs.communities.warnings, *inputs.population.warnings)),
        *(f"note: {w}" for w in (*inputs.notes, *inputs.facilities.notes)),
    ]


def _describe_changes(inputs: Inputs) -> list[str]:
    """Say how many rows were merged or removed, by source and rule."""
    changes = inputs.facilities.changes
    kinds = changes["source"] + ": " + changes["action"] + " (" + changes["rule"] + ")"
    if kinds.empty:
        return []
    told = ", ".join(f"{kind} {n} times" for kind, n in kinds.value_counts().sort_index().items())
    return [f"cleaning (a scan lists each in facility_changes.csv): {told}"]


def _describe_units(study: Study, inputs: Inputs) -> list[str]:
    units = inputs.units
    upper = {level: units[level].replace("", None).nunique() for level in ("subdistrict", "district")}
    return [
        f"communities: {study.communities.name}, {len(units)} communities, {upper['subdistrict']} subdistricts,"
        f" {upper['district']} districts; {units.area.sum() / 1e6:.1f} km²;"
        f" {'all supplied' if study.communities.complete else 'districts may be partly supplied'}"
    ]


def _describe_streets(study: Study, inputs: Inputs) -> list[str]:
    streets = inputs.osm.streets
    return [
        f"streets: {study.streets.label}, {streets.length_m.sum() / 1000:.0f} km walkable,"
        f" {len(streets.node_id)} nodes, {len(streets.tail)} edges, {int(streets.component.max()) + 1} separate pieces,"
        f" {int(streets.exits.sum())} streets leave the data; data of {inputs.osm.data_date or 'unknown date'}"
    ]


def _describe_people(study: Study, inputs: Inputs) -> list[str]:
    people = inputs.population
    if study.population is None:
        return [f"people: none given; {people.total:,} m² of residential land in {len(people.cells)} pieces stand in"]
    by_share = inputs.shares.groups if inputs.shares else ()
    shared = [f"{group} by share" for group in by_share if group not in people.groups]
    groups = ", ".join([*people.groups, *shared]) or "no age groups (everybody is counted in their place)"
    return [
        f"people: {study.population.rows.label}, {people.total:,} people in {len(people.cells)} cells,"
        f" {len(people.rejected)} rows rejected; {groups}"
    ]


def _compare_people(study: Study, inputs: Inputs) -> list[str]:
    other = study.population_compare
    if study.population is None or other is None:
        return []
    second = read_beside(other, inputs.osm, inputs.communities.frame)
    table = compare_people(inputs.population, second, inputs.units)
    return comparison_lines(table, inputs.population.source, second.source)


def _describe_layers(inputs: Inputs, *, rules_services: list[str]) -> list[str]:
    frame = inputs.facilities.frame
    lines = []
    for service in dict.fromkeys(rules_services):
        mine = frame[frame["service"] == service]
        by_source = ", ".join(f"{n} from {source}" for source, n in mine["source"].value_counts().sort_index().items())
        lines.append(f"layer {service}: {by_source or 'no data'}; complete: {inputs.facilities.complete[service]}")
    lost = inputs.facilities.unplaced["reason"].value_counts().sort_index()
    if len(lost):
        lines.append("not used: " + ", ".join(f"{n} × {reason}" for reason, n in lost.items()))
    return lines
