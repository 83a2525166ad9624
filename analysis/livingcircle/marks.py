"""What every input brought: rows read, used and left out with the reason, its date, datum and licence.

The same marks stand in `livingcircle check`, in `run.json`, in the report's sheet on data quality and on the map.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from livingcircle.inputs import Inputs
from livingcircle.study import Study
from livingcircle.study_parts import AreasInput, CommunitiesInput, EstatesInput, PopulationInput
from livingcircle_layers.osm import ATTRIBUTION, LICENCE, OsmExtract
from livingcircle_layers.sources import Database, Reading, Source


@dataclass(frozen=True)
class InputFile:
    """One file that a study names: what it is for, where it is, and under which licence."""

    role: str
    path: Path | Database
    name: str
    licence: str = ""
    attribution: str = ""
    date: str = ""

    @classmethod
    def of(cls, role: str, source: Source, licence: str = "", attribution: str = "", date: str = "") -> InputFile:
        """Return the input that a source is; of a database the name is that of its table or query."""
        return cls(role, source.file, source.label, licence, attribution, date)


def input_files(study: Study) -> list[InputFile]:
    """Return every file that the numbers of a study come from."""
    return [
        *([InputFile.of("osm", Source(study.streets.osm), LICENCE, ATTRIBUTION)] if study.streets.osm else []),
        *([InputFile.of("streets", study.streets.own)] if study.streets.own else []),
        *([InputFile.of("elevation", Source(study.streets.dem))] if study.streets.dem else []),
        *_own("estates", study.estates),
        *([InputFile.of("standard", Source(Path(study.standard)))] if study.standard.endswith(".toml") else []),
        *([InputFile.of("catalogue", Source(study.catalogue))] if study.catalogue else []),
        *_own("communities", study.communities),
        *_own("areas", study.areas),
        *([InputFile.of("candidates", study.candidates.table)] if study.candidates.table else []),
        *_population_files(study.population, "population"),
        *_population_files(study.other_people, "population_compare"),
        *(InputFile.of("catchments", c.rows, date=c.date) for c in study.catchments),
        *(InputFile.of("facilities", f.rows, f.licence, date=f.date) for f in study.facilities),
    ]


def _own(role: str, part: CommunitiesInput | AreasInput | EstatesInput | None) -> list[InputFile]:
    return [InputFile.of(role, part.rows, date=part.date)] if part and part.rows else []


def _population_files(given: PopulationInput | None, role: str) -> list[InputFile]:
    if given is None:
        return []
    shares = given.shares.rows if given.shares else None
    return [
        InputFile.of(role, given.rows, given.licence, date=given.date),
        *([InputFile.of("shares", shares, given.licence)] if shares else []),
    ]


@dataclass(frozen=True)
class LayerMark:
    """What one input brought.

    Attributes
    ----------
    role, source
        What it is for, and its name.
    date
        Of the data, as the file or the study says; "" unknown.
    licence
        As the study says.
    datum, datum_answer, statistic
        What its coordinates are claimed to be in; fits, cannot tell, or "" where nothing is compared; and what was
        counted. Of OpenStreetMap the answer is `REFERENCE`.
    used
        Places that can be walked to, communities, cells or estates that the run counts with; None where it has no
        such rows.
    left_out
        Rows that could not be used, by reason.
    merged, removed
        Rows that are the same place as another, and rows that are no place of their service.
    complete
        yes, no or unknown, for lists of facilities; by_service where the study says it of each; "" otherwise.
    reading
        How the table was read; None for what is none.
    contents
        What was read where there are no rows: of OpenStreetMap its ways and objects.
    """

    role: str
    source: str
    date: str
    licence: str
    datum: str = ""
    datum_answer: str = ""
    statistic: str = ""
    used: int | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    merged: int = 0
    removed: int = 0
    complete: str = ""
    reading: Reading | None = None
    contents: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the marks as plain values; those that do not apply to an input are left out."""
        counts = {} if self.used is None else {"used": self.used, "left_out": dict(self.left_out)}
        if self.role in _LISTS:
            counts |= {"merged": self.merged, "removed": self.removed, "complete": self.complete}
        datum = {"datum": self.datum, "datum_answer": self.datum_answer} if self.datum else {}
        return {**datum, **counts}

    def line(self) -> str:
        """Return the marks as one line."""
        rows = f"{self.reading.rows:,} rows" if self.reading else self.contents
        if self.reading and self.reading.filtered:
            rows += f", {self.reading.filtered:,} left out by `where`"
        lost = ", ".join(f"{n:,} {reason}" for reason, n in self.left_out.items())
        parts = [
            f"of {self.date or 'unknown date'}",
            f"licence {self.licence or 'not stated'}",
            f"datum {self.datum}: {self.datum_answer or 'not compared'}" if self.datum else "",
            rows,
            f"{self.used:,} used" if self.used is not None else "",
            f"left out: {lost}" if lost else "",
            f"{self.merged:,} merged with the same place" if self.merged else "",
            f"{self.removed:,} of those removed by the cleaning" if self.removed else "",
            f"complete: {self.complete}" if self.complete else "",
        ]
        return f"{self.role} {self.source}: " + "; ".join(part for part in parts if part)


REFERENCE = "reference"  # the answer about OpenStreetMap, with which the others are compared
_LISTS = ("osm", "facilities")  # inputs whose rows are places


def layer_marks(study: Study, inputs: Inputs, shut: pd.DataFrame) -> tuple[LayerMark, ...]:
    """Return the marks of every input file of a study, in the order of `input_files`.

    Parameters
    ----------
    shut
        ``source``, ``reason``: the places that nobody can walk into, a row each.
    """
    readings = {role: iter(found) for role, found in inputs.readings.items()}
    verdicts = {verdict.layer: verdict for verdict in inputs.datums}
    claims = _claims(study)
    labels, entries = iter(inputs.facilities.labels), iter(study.facilities)
    marks = []
    for file in input_files(study):
        given: dict[str, Any] = {"reading": next(readings.get(file.role, iter(())), None)}
        if (file.role, file.name) in claims:
            verdict = verdicts.get(file.name)
            given["datum"] = claims[file.role, file.name]
            given |= {"datum_answer": verdict.answer, "statistic": verdict.statistic} if verdict else {}
        if file.role == "osm":
            given |= {**_of_facilities(inputs, "osm", shut), "complete": "by_service" if study.layer else "unknown"}
            given |= {
                "datum": "wgs84",
                "datum_answer": REFERENCE,
                "contents": _map(inputs.osm),
            }
        elif file.role == "facilities":
            given |= {**_of_facilities(inputs, next(labels), shut), "complete": next(entries).complete}
        elif file.role == "communities":
            given["used"] = len(inputs.units)
        elif file.role == "estates":
            given["used"] = int((inputs.estates.frame["source"] == file.name).sum()) + len(inputs.estates.open_outlines)
        elif file.role == "population":
            given |= _of_people(inputs, given["reading"])
        date = inputs.osm.data_date if file.role == "osm" else file.date
        marks.append(LayerMark(file.role, file.name, date, file.licence, **given))
    return tuple(marks)


def _claims(study: Study) -> dict[tuple[str, str], str]:
    """Return what the study says its layers are in, by role and name."""
    parts = [("communities", study.communities), ("areas", study.areas), ("population", study.population),
             ("population_compare", study.other_people),
             ("estates", study.estates), *(("facilities", f) for f in study.facilities),
             *(("catchments", c) for c in study.catchments)]  # fmt: skip
    claims = {(role, part.rows.label): str(part.datum) for role, part in parts if part and part.rows}
    if study.streets.own:
        claims["streets", study.streets.own.label] = str(study.streets.datum)
    return claims


def _map(osm: OsmExtract) -> str:
    """Say what was read of OpenStreetMap."""
    ways = len(np.unique(osm.streets.way_id))
    return (
        f"{ways:,} ways, {len(osm.features):,} places, gates and crossings, {len(osm.buildings):,} buildings,"
        f" {len(osm.residential_land):,} pieces of residential land read"
    )


def _of_facilities(inputs: Inputs, source: str, shut: pd.DataFrame) -> dict[str, Any]:
    """Count what became of the rows of one list of places."""
    found = inputs.facilities
    changes = found.changes[found.changes["source"] == source].drop_duplicates(["facility_id", "action"])
    actions = changes["action"].value_counts()
    away = shut[shut["source"] == source]
    lost = pd.concat([found.unplaced[found.unplaced["source"] == source], away])
    return {
        "used": int(found.frame["facility_id"][found.frame["source"] == source].nunique()) - len(away),
        "left_out": _by_reason(lost),
        "merged": int(actions.get("merged", 0)),
        "removed": int(actions.get("removed", 0)),
    }


def _of_people(inputs: Inputs, reading: Reading | None) -> dict[str, Any]:
    """Count what became of the rows of the people."""
    people = inputs.population
    lost = _by_reason(people.rejected)
    if reading is not None:
        nobody = reading.rows - reading.filtered - people.number_of_cells - len(people.rejected)
        lost |= {"nobody_lives_there": nobody} if nobody > 0 else {}
    return {"used": people.number_of_cells, "left_out": lost}


def _by_reason(lost: pd.DataFrame) -> dict[str, int]:
    return {str(reason): int(n) for reason, n in lost["reason"].value_counts().sort_index().items()}


def input_detail(source: Mapping[str, Any]) -> str:
    """Return the marks of one input of `run.json` in words; an earlier run may have fewer of them.

    Parameters
    ----------
    source
        One of the ``inputs`` of `run.json`.
    """
    lost = "、".join(f"{reason} {n}" for reason, n in (source.get("left_out") or {}).items())
    parts = [
        str(source.get("role", "")),
        str(source.get("date") or "—"),
        str(source.get("licence") or ""),
        f"{source['datum']}: {source.get('datum_answer') or '未比对 not compared'}" if source.get("datum") else "",
        f"读入 read {source['rows']}" if source.get("rows") is not None else "",
        f"未用 left out {lost}" if lost else "",
        f"合并 merged {source['merged']}" if source.get("merged") else "",
        f"剔除 removed {source['removed']}" if source.get("removed") else "",
        f"完整 complete: {source['complete']}" if source.get("complete") else "",
    ]
    return "; ".join(part for part in parts if part)
