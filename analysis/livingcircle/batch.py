"""Many districts in one study file: all checked first, scanned one after the other, in one set of files at the end."""

from __future__ import annotations

import hashlib
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from livingcircle.columns import DISTRICTS, conform
from livingcircle.combined import Part, combined
from livingcircle.district_faults import check_districts, unusable
from livingcircle.inputs import check_inputs
from livingcircle.measured import measure
from livingcircle.output_folder import disk_errors, held_folder
from livingcircle.postgis_tables import Target
from livingcircle.progress import DistrictBegun, DistrictEnded, Progress, Stages, nobody, of_district
from livingcircle.publishing import published_result
from livingcircle.result import ScanResult
from livingcircle.runs import WORK_FOLDER, Measurements, Work, check_apart
from livingcircle.save import homes_stay, prepare_output, result_files, save_result, without_folders
from livingcircle.scan import result_of
from livingcircle.study import Study, StudyOptions
from livingcircle.study_parts import unknown_keys
from livingcircle_layers.crs import WIDEST_M, off_meridian_m
from livingcircle_layers.errors import InputError, LivingCircleError, UsageError, sentence
from livingcircle_layers.typed_toml import checked, nearest, read_toml

KEY = "district"  # [[district]] in a study file
ERRORS_FILE = f"{WORK_FOLDER}/errors.log"  # hidden: it names folders, and results are handed on
NOT_CHOSEN = "not among the chosen districts"


@dataclass(frozen=True)
class Batch:
    """Studies of the districts of a city, or of several cities.

    Attributes
    ----------
    name
        Title of map and report.
    studies
        By name of the district, in the order of the file.
    """

    name: str
    studies: Mapping[str, Study]

    @classmethod
    def load(cls, path: Path, options: StudyOptions | None = None) -> Batch:
        """Read a study file with ``[[district]]`` entries; what an entry says takes the place of what the file says.

        Tables are merged key by key, lists are replaced. Options of the command line win over both.

        Raises
        ------
        InputError
            Unknown keys, impossible values, missing or repeated names: all faults of all districts at once.
        """
        raw = read_toml(path)
        entries = raw.pop(KEY, [])
        shared = {key: value for key, value in raw.items() if key != "name"}
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise InputError(f"{path.name}: [{KEY}] is no list", expected=f"[[{KEY}]] for every district")
        faults = unknown_keys(raw, Study, path.name)
        if "scene" in raw:
            faults.append(f"{path.name}: [[scene]] belongs to the study of one city, not to a batch")
        studies: dict[str, Study] = {}
        for number, entry in enumerate(entries, start=1):
            name = entry.get("name")
            if not isinstance(name, str) or not name.strip() or name in studies:
                faults.append(
                    sentence(
                        f"{path.name}: district {number} needs a name of its own", got=repr(name), remedy="name = …"
                    )
                )
                continue
            where = f"{path.name}, district {name}"
            own = unknown_keys(entry, Study, where)
            study = None if own else checked(Study, _merged(shared, entry), where=where, faults=own)
            faults += own
            if study is not None:
                moved = study.relative_to(path.parent)
                studies[name] = options.on(moved).model_copy(update={"name": name}) if options else moved
        if entries == []:
            faults.append(f"{path.name}: no [[{KEY}]] is named")
        if faults:
            raise InputError.of(faults)
        return cls(str(raw.get("name") or path.stem), studies)


@dataclass(frozen=True)
class Outcome:
    """What became of a district: done, failed or skipped, and why; where the program is at fault, with a traceback."""

    district: str
    status: str
    reason: str = ""
    part: Part | None = None
    details: str = ""


@dataclass(frozen=True)
class BatchResult:
    """What became of every district, and the result of those that are done; None: of none."""

    outcomes: tuple[Outcome, ...]
    result: ScanResult | None

    @property
    def failed(self) -> bool:
        """Whether any district failed."""
        return any(outcome.status == "failed" for outcome in self.outcomes)

    def lines(self) -> list[str]:
        """Return a line per district: what became of it, its people, and why."""
        counts = [outcome.part.result.run["people"]["placed"] if outcome.part else None for outcome in self.outcomes]
        return [
            f"{outcome.district}\t{outcome.status}\t"
            + (
                f"{people:,} people in {len(outcome.part.result.communities):,} communities"
                if outcome.part
                else outcome.reason
            )
            for outcome, people in zip(self.outcomes, counts, strict=True)
        ]


def is_batch(path: Path) -> bool:
    """Tell whether a study file has ``[[district]]`` entries."""
    return path.is_file() and KEY in read_toml(path)


def scan_batch(
    batch: Batch,
    directory: Path,
    *,
    chosen: Sequence[str] = (),
    homes: bool = False,
    work: Work | None = None,
    postgis: str | None = None,
    progress: Progress | None = None,
) -> BatchResult:
    """Scan every district and write the results of all of them as one; one that fails does not stop the others.

    Parameters
    ----------
    batch
        The districts.
    directory
        As for `livingcircle.runs.scan_into`; also gets `districts.csv`.
    chosen
        Names of the districts that are scanned; none: all.
    homes, work, postgis, progress
        As for `livingcircle.runs.scan_into`.

    Raises
    ------
    InputError
        Communities or settings of the districts are wrong, or do not fit together: all faults at once. A district
        whose other inputs cannot be used fails before the first computation, and the others are scanned.
    UsageError
        A chosen district does not exist.
    """
    if unknown := [name for name in chosen if name not in batch.studies]:
        close = nearest(unknown[0], batch.studies)
        raise UsageError("unknown district", got=", ".join(unknown), remedy=f"did you mean {close}?" if close else None)
    wanted = {name: study for name, study in batch.studies.items() if not chosen or name in chosen}
    target = Target.of(postgis) if postgis else None
    prepare_output(directory, target)
    check_apart(directory, wanted.values())
    public = any(study.publish for study in wanted.values())
    if homes and public:
        raise homes_stay()
    stages = Stages(progress)
    with stages.stage("check", f"checking the inputs of {len(wanted)} districts"):
        drawn = check_districts(wanted)
        wanted = in_one_plane(wanted, {**drawn, **_others(batch, wanted)})
        failed = {name: _failed(name, directory, fault) for name, fault in unusable(wanted, drawn).items()}
    with held_folder(directory, result_files()):
        scanned = _scan_each(wanted, failed, directory, work or Work(), progress or nobody, homes=homes)
        outcomes = [scanned.get(name) or Outcome(name, "skipped", NOT_CHOSEN) for name in batch.studies]
        parts = [outcome.part for outcome in outcomes if outcome.part]
        if not parts:
            return BatchResult(tuple(outcomes), None)
        with stages.stage("combine", "putting the districts together"):
            whole = combined(batch.name, parts)
            result = replace(published_result(whole) if public else whole, districts=districts_table(outcomes))
        seconds = {**stages.seconds, **result.run["timings_s"]}
        result = replace(result, run={**result.run, "timings_s": seconds})
        save_result(result, directory, homes=homes, postgis=target, held=True, progress=progress)
    return BatchResult(tuple(outcomes), result)


def in_one_plane(studies: Mapping[str, Study], drawn: Mapping[str, gpd.GeoDataFrame]) -> dict[str, Study]:
    """Return the studies with the plane of all their communities, as one scan of the whole city has.

    People along the border of two districts then have the same homes in both, and each is counted in one. Districts
    without drawn communities, or with a plane of their own, keep theirs; so do all where one plane would be too wide.

    Parameters
    ----------
    studies
        Districts, by name.
    drawn
        Communities (EPSG:4326) of these and of other districts, by name.
    """
    if not drawn:
        return dict(studies)
    bounds = np.array([units.total_bounds for units in drawn.values()])
    box = np.concatenate([bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)]).tolist()
    middle = (round((box[0] + box[2]) / 2, 2), round((box[1] + box[3]) / 2, 2))
    if off_meridian_m(middle[0], box) > WIDEST_M:
        return dict(studies)
    return {
        name: study if study.plane or name not in drawn else study.model_copy(update={"plane": middle})
        for name, study in studies.items()
    }


def _others(batch: Batch, wanted: Mapping[str, Study]) -> dict[str, gpd.GeoDataFrame]:
    """Return the communities of the districts that were not chosen, so that the plane is that of all of them."""
    drawn: dict[str, gpd.GeoDataFrame] = {}
    for name in batch.studies.keys() - wanted.keys():
        with suppress(LivingCircleError):  # its faults are told when it is chosen
            units = check_inputs(batch.studies[name])
            drawn |= {} if units is None else {name: units}
    return drawn


def districts_table(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return a row per district: what became of it, why, and how many people it has."""
    rows = [
        {
            "district": outcome.district,
            "status": outcome.status,
            "why": outcome.reason,
            "communities": len(outcome.part.result.communities) if outcome.part else pd.NA,
            "people": outcome.part.result.run["people"]["placed"] if outcome.part else pd.NA,
        }
        for outcome in outcomes
    ]
    return conform(pd.DataFrame(rows).astype({"communities": "Int64", "people": "Int64"}), DISTRICTS)


def _scan_each(
    studies: Mapping[str, Study],
    failed: Mapping[str, Outcome],
    directory: Path,
    work: Work,
    progress: Progress,
    *,
    homes: bool,
) -> dict[str, Outcome]:
    """Tell which districts failed already, scan the others one by one, and tell when the rest will be done."""
    outcomes = dict(failed)
    numbers = {name: number for number, name in enumerate(studies, start=1)}
    for name, ended in failed.items():
        of_district(progress, name)(DistrictEnded(numbers[name], len(studies), ended.status, ended.reason))
    start = time.monotonic()
    for name in (name for name in studies if name not in failed):
        number, tell, begun = numbers[name], of_district(progress, name), time.monotonic()
        tell(DistrictBegun(number, len(studies)))
        ended = outcomes[name] = _scanned(name, studies[name], directory, work, tell, homes=homes)
        now = time.monotonic()
        left_s = (now - start) / (len(outcomes) - len(failed)) * (len(studies) - len(outcomes))
        people = ended.part.result.run["people"]["placed"] if ended.part else None
        took_s, left_s = round(now - begun, 1), round(left_s, 1)
        tell(DistrictEnded(number, len(studies), ended.status, ended.reason, people, took_s, left_s))
    return outcomes


def _scanned(name: str, study: Study, directory: Path, work: Work, progress: Progress, *, homes: bool) -> Outcome:
    folder = directory.absolute() / WORK_FOLDER / hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
    measurer = Measurements(work, folder, progress)
    try:
        with disk_errors(directory):
            # What is withheld is decided over all districts together.
            measured = measure(study.model_copy(update={"publish": False}), progress=progress, measurer=measurer)
            part = Part.of(measured, result_of(measured, walks_of_homes=homes, progress=progress))
            measurer.finish()
    except Exception as fault:  # noqa: BLE001  a night's work on the others is not lost; it is told, and kept in a log
        return _failed(name, directory, fault)
    return Outcome(name, "done", part=part)


def _failed(name: str, directory: Path, fault: Exception) -> Outcome:
    """Return what became of a district that cannot be scanned."""
    if isinstance(fault, LivingCircleError):
        return Outcome(name, "failed", str(fault))
    if isinstance(fault, MemoryError):  # of this district's size
        return Outcome(name, "failed", f"{type(fault).__name__} {fault}".strip())
    return _unexpected(name, directory, fault)


def _unexpected(name: str, directory: Path, fault: Exception) -> Outcome:
    """Return what became of a district on which the program itself failed, and keep the traceback in a log."""
    details, place = "".join(traceback.format_exception(fault)), f"details in {ERRORS_FILE}"
    stamp = datetime.now().astimezone().isoformat(timespec="seconds")
    try:
        (directory / WORK_FOLDER).mkdir(parents=True, exist_ok=True)
        with (directory / ERRORS_FILE).open("a", encoding="utf-8") as log:
            log.write(f"{stamp} district {name}\n{details}\n")
    except OSError as unwritten:
        place = f"details with --debug, as {ERRORS_FILE} cannot be written ({unwritten.strerror})"
    what = f"unexpected {type(fault).__name__} {without_folders(str(fault))}".strip()
    reason = sentence(what, remedy=f"this is a fault of livingcircle, please report it; {place}")
    return Outcome(name, "failed", reason, details=details)


def _merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the shared settings with a district's own in their place."""
    out = dict(shared)
    for key, value in own.items():
        base = out.get(key)
        if isinstance(value, dict) and isinstance(base, dict):
            instead = {"file", "make"} if {"file", "make"} & value.keys() else set()
            out[key] = _merged({k: v for k, v in base.items() if k not in instead}, value)
        else:
            out[key] = value
    return out
