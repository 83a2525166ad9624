"""Describe every input of a study on one page: what is there, what is missing, and what a scan will make of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from livingcircle.accounts import input_warnings, outline_notes, shut_notes, size_notes, without_way_in
from livingcircle.coverage import INCOMPLETE_UNDER
from livingcircle.input_faults import input_faults
from livingcircle.inputs import Inputs, read_inputs
from livingcircle.joins import Joins
from livingcircle.land import land_points
from livingcircle.marks import LayerMark, layer_marks
from livingcircle.measured import counted_people, joined_doors, joined_homes, joiner_of, place_homes
from livingcircle.population import compare_people, comparison_lines
from livingcircle.progress import Progress, Stages
from livingcircle.rules import RuleSet
from livingcircle.standards import load_standard
from livingcircle.standings import Lived, RuleLayer, rule_layers
from livingcircle.study import Study
from livingcircle.study_parts import SensitivityInput
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.crs import WGS84, transformer
from livingcircle_layers.errors import InputError
from livingcircle_layers.homes import Placement
from livingcircle_layers.lattice import first_inside

_SHOWN = 3
_LONGEST = 240  # characters of a line of the page; the whole of it is in the JSON


@dataclass(frozen=True)
class UnreachedLand:
    """Residential land inside the communities from which no street can be joined.

    Attributes
    ----------
    m2, without_m2
        All of it, and what has no street within the joining limit that can be walked to, in whole m².
    largest
        The pieces with most of it: ``osm_id, name, m2, lon, lat``.
    """

    m2: int
    without_m2: int
    largest: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Legs:
    """The straight walks from homes to the street, metres, by people (or m² of land where nobody is known).

    Attributes
    ----------
    p50, p90
        Quantiles of those who join; NaN where nobody does.
    joined, outside
        Who joins a street, and who lives outside the communities.
    lost
        Who does not, by reason.
    of_land
        All these are m² of residential land, as nobody is known.
    """

    p50: float
    p90: float
    joined: int
    outside: int
    lost: Mapping[str, int]
    of_land: bool


@dataclass(frozen=True)
class Places:
    """How many places of a service are known, by the source they are from, and whether they are all."""

    service: str
    by_source: Mapping[str, int]
    complete: str

    def text(self) -> str:
        """Return it as a few words; that nobody knows whether they are all goes without saying."""
        counts = " + ".join(f"{n:,} {source}" for source, n in self.by_source.items()) or "none"
        return f"{self.service} {counts}" + (f" (complete: {self.complete})" if self.complete != "unknown" else "")


@dataclass(frozen=True)
class StudyCheck:
    """What every input of a study holds.

    Attributes
    ----------
    facts
        Sentences about study, communities, streets, people, and what no map data can place.
    layers
        Marks of every input, as `run.json`, report and map have them.
    rules
        The layer of every rule, as a scan will judge it.
    places
        Places of every service of the rules.
    land, legs
        How well the streets serve where people live.
    estates, gates_unknown, estates_unknown
        Gated estates, how many of them have no known gate, and outlines of which nothing tells whether they are gated.
    comparison
        How the two populations differ, where the study names two.
    cleaning
        What was merged and removed, by source and rule.
    readings, datums
        How tables were understood; what the comparison of each layer with the streets says.
    warnings
        What the planner should know; none of it stops a scan.
    """

    facts: tuple[str, ...]
    layers: tuple[LayerMark, ...]
    rules: tuple[RuleLayer, ...]
    places: tuple[Places, ...]
    land: UnreachedLand
    legs: Legs
    estates: int
    gates_unknown: int
    estates_unknown: int
    comparison: tuple[str, ...]
    cleaning: tuple[str, ...]
    readings: tuple[str, ...]
    datums: tuple[str, ...]
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return the page as lines: one for each input and each rule with data; what is long is cut short."""
        return [
            *self.facts,
            *self.comparison,
            *(mark.line() for mark in self.layers),
            *self._services(),
            *(layer.line() for layer in self.rules if layer.standing.status != "no_data"),
            *self._gaps(),
            *self._streets(),
            *(_cut(line) for line in self.cleaning),
            *(_cut(f"read: {sentence}") for sentence in self.readings),
            *(_cut(verdict) for verdict in self.datums if verdict not in self.warnings),
            *(_cut(f"note: {warning}") for warning in self.warnings),
            f"nothing stops a scan; {len(self.warnings)} notes",
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return the page as plain values for JSON; what is not known is null."""
        land, legs = self.land, self.legs
        return {
            "facts": list(self.facts),
            "layers": [self._layer(mark) for mark in self.layers],
            "services": [
                {"service": p.service, "places": dict(p.by_source), "complete": p.complete} for p in self.places
            ],
            "rules": [
                {
                    "rule": layer.rule.id,
                    "services": list(layer.rule.services),
                    "tier": layer.rule.tier,
                    "status": layer.standing.status,
                    "complete": layer.complete or None,
                    "places": layer.places,
                    "expected": None if layer.expected is None else round(layer.expected, 1),
                }
                for layer in self.rules
            ],
            "residential_land": {
                "m2": land.m2,
                "without_street_m2": land.without_m2,
                "largest": [dict(piece) for piece in land.largest],
            },
            "legs": {
                "p50_m": None if np.isnan(legs.p50) else legs.p50,
                "p90_m": None if np.isnan(legs.p90) else legs.p90,
                "joined": legs.joined,
                "not_joined": dict(legs.lost),
                "outside": legs.outside,
                "counted": "residential_m2" if legs.of_land else "people",
            },
            "estates": {
                "gated": self.estates,
                "gates_unknown": self.gates_unknown,
                "gated_unknown": self.estates_unknown,
            },
            "population_comparison": list(self.comparison),
            "cleaning": list(self.cleaning),
            "read": list(self.readings),
            "datum": list(self.datums),
            "warnings": list(self.warnings),
        }

    @staticmethod
    def _layer(mark: LayerMark) -> dict[str, Any]:
        reading = mark.reading
        rows = {"rows": reading.rows, "filtered": reading.filtered, "columns": dict(reading.columns)} if reading else {}
        own = {"role": mark.role, "source": mark.source, "date": mark.date or None, "licence": mark.licence or None}
        more = {"statistic": mark.statistic, "contents": mark.contents}
        return {**own, **rows, **mark.as_dict(), **{name: told for name, told in more.items() if told}}

    def _services(self) -> Iterator[str]:
        """Say how many places of each service are known, and which services have none."""
        known = [places.text() for places in self.places if places.by_source]
        if known:
            yield f"places by source, also those that no street here reaches: {'; '.join(known)}"
        lacking = [places.service for places in self.places if not places.by_source]
        if lacking:
            yield f"services without any place: {', '.join(lacking)}"

    def _gaps(self) -> Iterator[str]:
        """Say which rules will have no data, and how many too little."""
        states = [layer.standing.status for layer in self.rules]
        if n := states.count("incomplete"):
            few = f"known to lack some, or under {INCOMPLETE_UNDER:.0%} of the expected"
            yield f"incomplete ({few}; a share is then at least so much): {n} of {len(self.rules)} rules"
        nothing = [layer.rule.id for layer in self.rules if layer.standing.status == "no_data"]
        if nothing:
            yield f"no_data (no result): {len(nothing)} of {len(self.rules)} rules: {', '.join(nothing)}"

    def _streets(self) -> Iterator[str]:
        """Say how well the streets serve where people live."""
        land, legs = self.land, self.legs
        if land.m2:
            pieces = "; ".join(
                f"{p['name'] or p['osm_id']} {p['m2']:,} m² at {p['lon']:.5f},{p['lat']:.5f}" for p in land.largest
            )
            yield (
                f"residential land without a street that can be walked to: {land.without_m2:,} of {land.m2:,} m²"
                f" ({land.without_m2 / land.m2:.1%})" + (f"; most of it: {pieces}" if pieces else "")
            )
        else:
            yield "residential land: none is mapped in the communities"
        nothing = "none is lost" if legs.of_land else "nobody is lost"
        lost = ", ".join(f"{n:,} {reason}" for reason, n in legs.lost.items()) or nothing
        quantiles = "nobody joins" if np.isnan(legs.p50) else f"p50 {legs.p50:.0f} m, p90 {legs.p90:.0f} m"
        unit = " m² of residential land" if legs.of_land else ""
        yield f"legs from home to street: {quantiles}; {legs.joined:,}{unit} join, {legs.outside:,} outside; {lost}"
        yield (
            f"gated estates: {self.estates}, of which {self.gates_unknown} without a known gate;"
            f" {self.estates_unknown} outlines may be gated or not"
        )


def check_study(study: Study, *, progress: Progress | None = None) -> StudyCheck:
    """Read and check all inputs of a study, and describe what is in them; no walk is measured.

    Raises
    ------
    InputError
        Inputs cannot be used: the faults of all of them at once, each with what to do.
    UsageError
        A standard or walker does not exist.
    """
    stages = Stages(progress)
    study = _with_both_populations(study)
    study.walker_profiles()  # a slip in a name ends here
    catalogue = load_catalogue(study.catalogue)
    rules = load_standard(study.standard, catalogue=catalogue, walkers=study.profiles())
    try:
        inputs = read_inputs(study, catalogue, stages)
    except InputError as fault:
        raise InputError.each([*str(fault).split(" | "), *input_faults(study, catalogue)]) from fault
    with stages.stage("join", "joining homes, residential land and places to the streets"):
        placement = place_homes(inputs)
        joiner = joiner_of(study, inputs, open_=False)[1]
        homes, joins = joined_homes(joiner, placement)
        shut = without_way_in(study, inputs, joined_doors(joiner, inputs)[0])
    here = placement.homes[placement.homes["unit"] != ""]
    lived = Lived(here, counted_people(homes, inputs, placement.shared))
    frame, legs = inputs.estates.frame, _legs(placement, joins, of_land=study.population is None)
    return StudyCheck(
        facts=tuple(_facts(study, inputs, rules, catalogue.unplaceable(), legs)),
        layers=layer_marks(study, inputs, shut),
        rules=tuple(rule_layers(study, rules, inputs, catalogue, lived)),
        places=tuple(_places(inputs, [s for r in rules.rules for s in r.services])),
        land=_unreached_land(study, inputs),
        legs=legs,
        estates=len(frame),
        gates_unknown=int((frame["gates"] == 0).sum()),
        estates_unknown=inputs.estates.unknown,
        comparison=tuple(_compare_people(inputs)),
        cleaning=tuple(_cleaning(inputs)),
        readings=tuple(reading.sentence() for found in inputs.readings.values() for reading in found),
        datums=tuple(verdict.line() for verdict in inputs.datums),
        warnings=(
            *input_warnings(inputs),
            *shut_notes(shut),
            *size_notes(rules, inputs.facilities),
            *outline_notes(rules, inputs.facilities),
        ),
    )


def describe_study(study: Study) -> list[str]:
    """Read and check all inputs of a study and say in lines what is in them.

    Raises
    ------
    InputError
        As `check_study`.
    """
    return check_study(study).lines()


def _facts(study: Study, inputs: Inputs, rules: RuleSet, unplaceable: Sequence[str], legs: Legs) -> Iterator[str]:
    yield (
        f"study: {study.name}; standard {rules.id} ({rules.title_zh}),"
        f" {len(rules.rules)} rules, {len(rules.scoring)} score"
    )
    yield from (_about_units(study, inputs), _about_streets(study, inputs), _about_people(study, inputs, legs))
    yield f"not measured, as no map data can place them: {', '.join(unplaceable)}"


def _unreached_land(study: Study, inputs: Inputs) -> UnreachedLand:
    """Find the residential land from which no street within the joining limit can be walked to."""
    land = inputs.osm.residential_land
    if land.empty:
        return UnreachedLand(0, 0, ())
    points = land_points(land, inputs.units)
    joins = joiner_of(study, inputs, open_=False)[1].join(points[["x", "y"]].to_numpy(dtype=float))
    lost = points[~joins.joined]
    piece = first_inside(shapely.points(lost["x"], lost["y"]), land.geometry.to_numpy())
    by_piece = (
        lost["m2"].groupby(piece).agg("sum").sort_values(ascending=False, kind="stable").drop(-1, errors="ignore")
    )
    largest, to_degrees = [], transformer(inputs.osm.crs, WGS84)
    for at, m2 in by_piece.head(_SHOWN).items():
        mine = lost[piece == at]
        lon, lat = to_degrees.transform(mine["x"].mean(), mine["y"].mean())
        row = land.iloc[int(str(at))]
        largest.append(
            {"osm_id": row["osm_id"], "name": row["name"], "m2": int(m2),
             "lon": round(lon, 5), "lat": round(lat, 5)}
        )  # fmt: skip
    return UnreachedLand(int(points["m2"].sum()), int(lost["m2"].sum()), tuple(largest))


def _legs(placement: Placement, joins: Joins, *, of_land: bool) -> Legs:
    """Weigh the legs by people; quantiles are the leg of the person who stands there in line."""
    homes = placement.homes
    inside = homes["unit"].to_numpy() != ""
    people = homes["people"].to_numpy(dtype=np.int64)
    count, leg = people[inside][joins.joined], joins.leg_m[joins.joined]
    order = np.argsort(leg, kind="stable")
    running = np.cumsum(count[order])
    total = int(count.sum())
    p50, p90 = (
        round(float(leg[order][np.searchsorted(running, q * total)]), 2) if total else float("nan") for q in (0.5, 0.9)
    )
    lost = {str(r): int(people[inside][joins.reason == r].sum()) for r in np.unique(joins.reason[~joins.joined])}
    return Legs(p50, p90, total, int(people[~inside].sum()), lost, of_land)


def _cleaning(inputs: Inputs) -> list[str]:
    """Say how many rows were merged or removed, by source and rule."""
    changes = inputs.facilities.changes
    kinds = changes["source"] + ": " + changes["action"] + " (" + changes["rule"] + ")"
    if kinds.empty:
        return []
    told = ", ".join(f"{kind} {n} times" for kind, n in kinds.value_counts().sort_index().items())
    return [f"cleaning (a scan lists each in facility_changes.csv): {told}"]


def _about_units(study: Study, inputs: Inputs) -> str:
    units = inputs.units
    upper = {level: units[level].replace("", None).nunique() for level in ("subdistrict", "district")}
    return (
        f"communities: {study.communities.name}, {len(units)} communities, {upper['subdistrict']} subdistricts,"
        f" {upper['district']} districts; {units.area.sum() / 1e6:.1f} km²;"
        f" {'all supplied' if study.communities.complete else 'districts may be partly supplied'}"
    )


def _about_streets(study: Study, inputs: Inputs) -> str:
    streets = inputs.osm.streets
    return (
        f"streets: {study.streets.label}, {streets.length_m.sum() / 1000:.0f} km walkable,"
        f" {len(streets.node_id)} nodes, {len(streets.tail)} edges, {int(streets.component.max()) + 1} separate pieces,"
        f" {int(streets.exits.sum())} streets leave the data; data of {inputs.osm.data_date or 'unknown date'}"
    )


def _about_people(study: Study, inputs: Inputs, legs: Legs) -> str:
    people = inputs.population
    outside = f"{legs.outside:,} of them outside the communities"
    if study.population is None:
        land = f"{people.total:,} m² of residential land in {len(people.cells)} pieces"
        return f"people: none given; {land} stand in, {outside}"
    by_share = inputs.shares.groups if inputs.shares else ()
    shared = [f"{group} by share" for group in by_share if group not in people.groups]
    groups = ", ".join([*people.groups, *shared]) or "no age groups (everybody is counted in their place)"
    return (
        f"people: {study.population.rows.label}, {people.total:,} people in {len(people.cells)} cells, {outside},"
        f" {len(people.rejected)} rows rejected; {groups}"
    )


def _with_both_populations(study: Study) -> Study:
    """Return the study such that a second population is read and compared, which a scan does when it tries both."""
    asked = (study.sensitivity or SensitivityInput()).model_copy(update={"population": True})
    return study.model_copy(update={"sensitivity": asked}) if study.population_compare else study


def _compare_people(inputs: Inputs) -> list[str]:
    second = inputs.other_people
    if second is None:
        return []
    table = compare_people(inputs.population, second, inputs.units)
    return comparison_lines(table, inputs.population.source, second.source)


def _places(inputs: Inputs, services: Sequence[str]) -> list[Places]:
    """Count the places of each service by source."""
    frame, complete = inputs.facilities.frame, inputs.facilities.complete
    found = []
    for service in dict.fromkeys(services):
        sources = frame["source"][frame["service"] == service].value_counts().sort_index()
        found.append(Places(service, {str(source): int(n) for source, n in sources.items()}, complete[service]))
    return found


def _cut(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 25].rstrip()} … (whole with --json)"
