"""The study of a finished scan: kept in its folder without a trace of whose machine it was, and measured again."""

from __future__ import annotations

import getpass
import json
import os
import platform
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livingcircle.accounts import digest
from livingcircle.marks import input_files
from livingcircle.measured import Measured, measure
from livingcircle.output_folder import RUN_FILE
from livingcircle.progress import Progress
from livingcircle.saved import read_run, rule_set_record
from livingcircle.study import Study
from livingcircle_layers.errors import InputError, UsageError, sentence
from livingcircle_layers.sources import Database
from livingcircle_layers.units import upper_levels

if TYPE_CHECKING:
    from livingcircle.result import ScanResult

_HOMES = frozenset(("home", "users", "documents and settings"))  # folders whose folders carry people's names


def study_record(study: Study, directory: Path) -> dict[str, Any]:
    """Return a study as `run.json` keeps it: every choice, and paths as they are seen from the output folder.

    A path that climbs to the root of the disk or through a home folder, or that names the user or the machine, is kept
    as the name of its file alone.
    """
    return dict(_paths(study.model_dump(), lambda path: _seen_from(directory, path)))


def recorded_study(directory: str | Path, district: str | None = None) -> Study:
    """Return the study of a finished scan, or of one district of a batch; paths start at the folder of the scan.

    Parameters
    ----------
    directory
        Folder of a finished scan.
    district
        Name of a district of a batch; None: the folder is of one study.

    Raises
    ------
    InputError
        The folder does not hold a finished scan, or one of a version that did not keep the study; or it was made for
        publication.
    UsageError
        It holds a batch, and no district or an unknown one is named.
    """
    folder = Path(directory)
    run = read_run(folder)
    if "publication" in run:
        raise InputError(
            f"{folder.name} was made for publication, and its inputs are not kept with it",
            remedy="scan without --publish into another folder, and ask there",
        )
    batch = run.get("batch", {})
    if batch and district not in batch:
        raise UsageError(
            f"{folder.name} holds the districts of a batch, which were measured one by one",
            got=district,
            expected=f"one of {', '.join(batch)}",
            remedy="name a district",
        )
    record = batch[district]["study"] if batch else run.get("study")
    if record is None:
        raise InputError(f"{RUN_FILE} of {folder.name} does not hold the study", remedy="scan again")
    return Study.model_validate(record).relative_to(folder)


def measured_again(
    directory: str | Path,
    study: Study | str | Path | None = None,
    *,
    district: str | None = None,
    progress: Progress | None = None,
) -> Measured:
    """Measure a finished scan again, from the same inputs and with the same choices.

    Parameters
    ----------
    directory
        Folder of a finished scan.
    study
        The study or its file, where the inputs are no longer where they were seen from the folder. Its paths count;
        all choices are those of the scan. Of a batch the file with its ``[[district]]`` entries.
    district
        Of a batch the district that is measured.
    progress
        Called with an event when something begins or ends; see `livingcircle.progress`.

    Raises
    ------
    InputError
        An input is not found, or it or the rules have changed since: scan again.
    UsageError
        The folder holds a batch, and no district or an unknown one is named.
    """
    folder = Path(directory)
    again = recorded_study(folder, district)
    if study is not None:
        again = _found_by(again, study if isinstance(study, Study) else _study_of(Path(study), district))
    _check_inputs(again, read_run(folder))
    measured = measure(again, progress=progress)
    _check_databases(measured, read_run(folder))
    if json.loads(json.dumps(rule_set_record(measured.rules))) != read_run(folder)["rule_set"]:
        raise InputError(
            f"the rules of {Path(again.standard).name} are not those of the scan in {folder.name} any more",
            remedy="scan again",
        )
    return measured


def district_of(result: ScanResult, unit: str) -> str | None:
    """Return the district of a batch that has a unit; None where the result is of one study.

    Parameters
    ----------
    result
        A finished scan.
    unit
        Id of a unit in its tables.

    Raises
    ------
    UsageError
        The unit lies in several districts, which were measured one by one.
    """
    if not result.batch:
        return None
    above = upper_levels(result.communities)
    ids = result.communities.index
    inside = ids[(ids == unit) | (above == unit).any(axis=1).to_numpy()]
    holding = [name for name, own in result.batch.items() if not inside.intersection(list(own.communities)).empty]
    if len(holding) == 1:
        return holding[0]
    raise UsageError(
        f"{unit} has communities of {len(holding)} districts, which were measured one by one",
        expected=f"a unit inside one of {', '.join(result.batch)}",
    )


def own_id(measured: Measured, district: str | None, unit: str) -> str:
    """Return the id that a unit of the tables of a batch has in the study of its district.

    Ids that two districts use have the name of the district in front, and where communities name no district, the
    districts of the batch stand in the place of the cities of their studies.
    """
    if district is None or any(unit in level.ids for level in measured.levels):
        return unit
    return "city" if unit == district else unit.removeprefix(f"{district}/")


def _study_of(path: Path, district: str | None) -> Study:
    """Read a study, or that of one district of a batch."""
    from livingcircle.batch import Batch, is_batch

    if district is None or not is_batch(path):
        return Study.load(path)
    studies = Batch.load(path).studies
    if district not in studies:
        raise InputError(f"{path.name} has no district {district}", got=", ".join(studies))
    return studies[district]


def _found_by(recorded: Study, study: Study) -> Study:
    """Return the choices of a recorded study with the files where another study names files of the same names."""
    places: dict[str, Path | Database] = {}
    _paths(study.model_dump(), lambda path: places.setdefault(path.name, path))
    return Study.model_validate(_paths(recorded.model_dump(), lambda path: places.get(path.name, path)))


def _paths(value: Any, put: Callable[[Path | Database], Any]) -> Any:
    """Return nested values with `put` in the place of every path; rules of one's own are a path in a text."""
    if isinstance(value, dict):
        return {key: _paths(item, put) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_paths(item, put) for item in value]
    if isinstance(value, Path | Database):
        return put(value)
    return str(put(Path(value))) if isinstance(value, str) and value.endswith(".toml") else value


def _check_inputs(study: Study, run: dict[str, Any]) -> None:
    """Complain about every input that is gone or has changed since the scan."""
    recorded = {(entry["role"], entry["path"], entry["sha256"]) for entry in run["inputs"]}
    names = {(role, name) for role, name, _ in recorded}
    faults = []
    for entry in input_files(study):
        name = entry.name
        if isinstance(entry.path, Database):
            if entry.path.is_hidden:
                faults.append(sentence(f"the database of {name} is not kept with a scan",
                                       remedy="name the study file (--study FILE)"))  # fmt: skip
        elif not entry.path.is_file():
            faults.append(sentence(f"{name} is not found from the folder of the scan", expected=f"the {entry.role}",
                                   remedy="name the study file (--study FILE), or scan again"))  # fmt: skip
        elif (entry.role, name, digest(entry.path)) not in recorded:
            known = (entry.role, name) in names
            faults.append(sentence(f"{name} has changed since the scan" if known else f"{name} was not in the scan",
                                   remedy="scan again"))  # fmt: skip
    if faults:
        raise InputError.of(faults)


def _check_databases(measured: Measured, run: dict[str, Any]) -> None:
    """Complain about every table of a database whose rows are not those of the scan."""
    recorded = {entry["sha256"] for entry in run["inputs"]}
    faults = [
        sentence(f"the rows of {reading.label} have changed since the scan", remedy="scan again")
        for found in measured.inputs.readings.values()
        for reading in found
        if reading.digest and reading.digest not in recorded
    ]
    if faults:
        raise InputError.of(faults)


def _seen_from(directory: Path, path: Path | Database) -> str:
    """Return a path as it is seen from a folder, or its name alone where more would tell whose machine it is."""
    if isinstance(path, Database):
        return path.name
    folder, place = directory.resolve(), path.absolute().parent.resolve() / path.name
    try:
        shared = Path(os.path.commonpath([folder, place]))
    except ValueError:  # on another disk of Windows
        return path.name
    home = Path.home().resolve()
    out_of_home = shared != home and shared in home.parents and home in (folder, *folder.parents)
    below = place.parent.relative_to(shared).parts
    if shared == Path(shared.anchor) or out_of_home or any(_tells(part) for part in below):
        return path.name
    return Path(os.path.relpath(place, folder)).as_posix()


def _tells(folder: str) -> bool:
    """Tell whether the name of a folder names a person or a machine."""
    names = {getpass.getuser().casefold(), Path.home().name.casefold(), platform.node().casefold()} - {""}
    words = set(re.split(r"[^a-z0-9]+", folder.casefold())) | {folder.casefold()}
    return not words.isdisjoint(names | _HOMES)
