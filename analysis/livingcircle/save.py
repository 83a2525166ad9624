"""Writing a finished scan: every output file, all together or not at all."""

from __future__ import annotations

import errno
import json
import math
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from livingcircle.beside import beside
from livingcircle.columns import (
    ACCESS_POINTS,
    ADDITIONS,
    BACKGROUND,
    BANDS,
    CAPACITY,
    CIRCLES,
    COMMUNITIES,
    COVERAGE,
    DISTANCES,
    DISTRICTS,
    ESTATE_NAMES,
    ESTATES,
    FACILITIES,
    FACILITY_CHANGES,
    FACILITY_CIRCLES,
    FAIRNESS,
    FALSE_COVERAGE,
    GAPS,
    HOMES,
    RANK_STABILITY,
    SCORE_HISTOGRAM,
    SCORES,
    SENSITIVITY,
    STREET_DIAGNOSIS,
    UNPLACED,
    published,
)
from livingcircle.credits import NOT_A_SURVEY, approval_line, credits_of, input_credit, input_licence
from livingcircle.csv_file import write_csv
from livingcircle.layer_looks import (
    Look,
    background_look,
    circles_look,
    rules_look,
    score_look,
    share_look,
    write_looks,
)
from livingcircle.output_folder import PROGRAM, RUN_FILE, check_folder, replaced_files
from livingcircle.postgis_tables import Target, check_target, replaced_tables
from livingcircle.progress import Progress, Stages
from livingcircle.recorded import study_record
from livingcircle.report import write_report
from livingcircle.rules import RuleSet
from livingcircle.saved import rule_set_record
from livingcircle.study import Study
from livingcircle_layers.errors import UsageError

if TYPE_CHECKING:
    from livingcircle.result import ScanResult

HOMES_FILE = "homes.parquet"
MAP_FILE = "map.html"
ROOM_FOR_A_LAYER = 1 << 20  # bytes; with less than this free, a layer that failed failed for want of room

# GeoPackage notes the time of writing; a fixed one keeps equal results equal. Dates of data are in run.json.
FIXED_GPKG_TIME = "2000-01-01T00:00:00.000Z"

# An absolute path in a message, on any system: it may hold a user's name. Addresses (https://…) are kept.
ABSOLUTE_PATH = re.compile(r"""(?<![\w:/.])(?:[A-Za-z]:[\\/]|\\\\|/(?=[^\s/"'`|;,]+/))(?:[^\s"'`|;,]*[\\/])?""")


def save_result(
    result: ScanResult,
    directory: Path,
    *,
    homes: bool,
    postgis: Target | None = None,
    held: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write every output file of a scan into a folder, all together or not at all.

    An earlier result is replaced as a whole, other people's files stay. After a failure the folder is as it
    was before.

    Parameters
    ----------
    result
        A finished scan.
    directory
        Created if missing.
    homes
        Also write `homes.parquet`, for checks; never to be published.
    postgis
        Where communities, facilities, coverage and scores are written, too.
    held
        Whether the caller keeps other runs out of the folder (`livingcircle.output_folder.held_folder`).
    progress
        Called with an event when the map and the other files begin and end (`livingcircle.progress`); `run.json` tells
        of these stages, too.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    InputError
        The folder or the database cannot be used (see `prepare_output`), the disk is full, or another run is writing
        there. Then neither of them has changed.
    """
    if homes and "publication" in result.run:
        raise homes_stay()
    # Every file may be handed on, so none may tell who ran it or where.
    study = None if result.study is None else _as_seen_from(directory, result.study)
    batch = {name: replace(own, study=_as_seen_from(directory, own.study)) for name, own in result.batch.items()}
    shared = replace(result, run=_plain(result.run), settings=_plain(result.settings), study=study, batch=batch)
    stages = Stages(progress, dict(shared.run.get("timings_s", {})))
    wanted = [name for name in _WRITERS if name != RUN_FILE and (name != HOMES_FILE or homes)]
    layers = [name for name in wanted if name.endswith(".gpkg")]
    tables = [name for name in wanted if name not in (MAP_FILE, *layers)]
    with _postgis_too(shared, postgis), replaced_files(directory, result_files(), held=held) as folder:
        # About half of the work each. Layers are written here: what GDAL says in another thread goes to the screen.
        with _written_beside(_with_own_indexes(shared), tables, folder) as tables_written:
            with stages.stage("map", "drawing the map"):
                _WRITERS[MAP_FILE](shared, folder / MAP_FILE)
            with stages.stage("write", "writing layers, tables and report"):
                for name in layers:
                    _WRITERS[name](shared, folder / name)
                tables_written()
        # Last of all: it tells how long the others took.
        timed = replace(shared, run={**shared.run, "timings_s": stages.seconds})
        _WRITERS[RUN_FILE](timed, folder / RUN_FILE)
    return directory


@contextmanager
def _written_beside(result: ScanResult, names: Sequence[str], folder: Path) -> Iterator[Callable[[], None]]:
    """Write files in a thread; what is yielded waits for them.

    When the caller fails, no further file is begun, and the one that is being written is waited for, so that the
    folder can go. Ctrl-C does not wait: the next run clears what is left.
    """
    given_up = Event()

    def write() -> None:
        for name in names:
            if given_up.is_set():
                return
            _WRITERS[name](result, folder / name)

    with beside(write) as written:
        try:
            yield written
        except Exception:
            given_up.set()
            with suppress(Exception):  # the caller's own fault is the one to tell
                written()
            raise
        finally:
            given_up.set()


def _with_own_indexes(result: ScanResult) -> ScanResult:
    """Return the same tables with indexes of their own, in which another thread can look things up."""
    own: dict[str, Any] = {}
    for field in fields(result):
        table = getattr(result, field.name)
        if isinstance(table, pd.DataFrame):
            own[field.name] = table.set_axis(table.index.copy(deep=True)).set_axis(
                table.columns.copy(deep=True), axis=1
            )
    return replace(result, **own)


def _as_seen_from(directory: Path, study: Study) -> Study:
    return Study.model_validate(study_record(study, directory))


@contextmanager
def _postgis_too(result: ScanResult, target: Target | None) -> Iterator[None]:
    """Write the tables of a database, if there is one; they appear there when all files are in place."""
    if target is None:
        yield
        return
    tables = {
        "communities": communities_table(result),
        "facilities": facilities_table(result),
        "coverage": published(result.coverage, COVERAGE),
        "scores": published(result.scores, SCORES),
    }
    with replaced_tables(target, tables, notice=_notice(result)):
        yield


def homes_stay() -> UsageError:
    """Return the error that homes were asked for in a result that is published."""
    return UsageError("homes are never published", remedy="scan once with --publish, and once with --homes for checks")


def result_files() -> list[str]:
    """Return the names of all files that a result may have."""
    return list(_WRITERS)


def prepare_output(directory: Path, postgis: Target | None = None) -> None:
    """Check that a result can be written into a folder, before anything is computed.

    Parameters
    ----------
    directory
        May be missing, empty, hold an earlier result, or hold other files with names unlike ours.
    postgis
        A database that is written to as well; see `check_target` for what is asked of it.

    Raises
    ------
    InputError
        It is a file, lies below a file, cannot be written to, is in use by another run, or holds a file of
        one of our names that another program wrote.
    """
    check_folder(directory, result_files())
    if postgis is not None:
        check_target(postgis)


def _write_coverage(result: ScanResult, path: Path) -> None:
    write_csv(result.coverage, COVERAGE, path, result.small)


def _write_scores(result: ScanResult, path: Path) -> None:
    write_csv(result.scores, SCORES, path, result.small)


def _write_histogram(result: ScanResult, path: Path) -> None:
    write_csv(result.histogram, SCORE_HISTOGRAM, path)


def _write_unplaced(result: ScanResult, path: Path) -> None:
    write_csv(result.unplaced, UNPLACED, path, result.small)


def _write_facility_changes(result: ScanResult, path: Path) -> None:
    if result.facility_changes is not None:
        write_csv(result.facility_changes, FACILITY_CHANGES, path)


def _write_distances(result: ScanResult, path: Path) -> None:
    if result.distances is not None:
        write_csv(result.distances, DISTANCES, path)


def _write_districts(result: ScanResult, path: Path) -> None:
    if result.districts is not None:
        write_csv(result.districts, DISTRICTS, path)


def _write_estates(result: ScanResult, path: Path) -> None:
    if result.estates is not None:
        write_csv(result.estates, ESTATES, path)


def _write_gaps(result: ScanResult, path: Path) -> None:
    if result.gaps is not None:
        write_csv(result.gaps, GAPS, path)


def _write_false_coverage(result: ScanResult, path: Path) -> None:
    if result.false_coverage is not None:
        write_csv(result.false_coverage, FALSE_COVERAGE, path)


def _write_fairness(result: ScanResult, path: Path) -> None:
    if result.fairness is not None:
        write_csv(result.fairness, FAIRNESS, path)


def _write_capacity(result: ScanResult, path: Path) -> None:
    if result.capacity is not None:
        write_csv(result.capacity, CAPACITY, path, result.small)


def _write_sensitivity(result: ScanResult, path: Path) -> None:
    if result.sensitivity is not None:
        write_csv(result.sensitivity, SENSITIVITY, path)


def _write_rank_stability(result: ScanResult, path: Path) -> None:
    if result.rank_stability is not None:
        write_csv(result.rank_stability, RANK_STABILITY, path)


def _write_additions(result: ScanResult, path: Path) -> None:
    if result.additions is not None:
        write_csv(result.additions, ADDITIONS, path, result.small)


def communities_table(result: ScanResult) -> gpd.GeoDataFrame:
    """Return the communities with their scores and one share per rule, for QGIS."""
    scores = result.scores[result.scores["level"] == "community"].set_index("unit_id")
    rows = result.coverage[result.coverage["level"] == "community"].drop_duplicates(["unit_id", "rule"])
    extra = {name: scores[name] for name in ("unit_complete", "confidence")}
    for rule, part in rows.groupby("rule", sort=False):
        extra[f"share_{rule}"] = part.set_index("unit_id")["share"]
    wide = {name: values.reindex(result.communities.index) for name, values in extra.items()}
    return published(result.communities.rename_axis("unit_id").assign(**wide), COMMUNITIES)


def _write_communities(result: ScanResult, path: Path) -> None:
    table = communities_table(result)
    _write_layer(table, path, layer="communities", result=result, outlines=True)
    _write_looks(path, [_communities_look(table, result.rules)], result)


def _communities_look(table: gpd.GeoDataFrame, rules: RuleSet) -> Look:
    """Colour communities by score; where none has one, as after a first scan with few lists, by the first share."""
    first = sorted(rules.rules, key=lambda rule: rule.id not in rules.scoring)
    shared = (rule for rule in first if table.get(f"share_{rule.id}", pd.Series(dtype=float)).notna().any())
    if table["score"].notna().any() or (rule := next(shared, None)) is None:
        return score_look("communities", COMMUNITIES)
    return share_look("communities", COMMUNITIES, rule)


def _write_diagnosis(result: ScanResult, path: Path) -> None:
    if result.diagnosis is not None:
        _write_layer(published(result.diagnosis, STREET_DIAGNOSIS), path, layer="diagnosis", result=result)
        _write_looks(path, [Look("diagnosis", STREET_DIAGNOSIS)], result)


def _write_circles(result: ScanResult, path: Path) -> None:
    looks = []
    if result.circles is not None:
        table = published(result.circles, CIRCLES)
        _write_layer(table, path, layer="circles", result=result, outlines=True)
        looks.append(circles_look("circles", CIRCLES, table["minutes"].tolist()))
    if result.facility_circles is not None and len(result.facility_circles):
        table = published(result.facility_circles, FACILITY_CIRCLES)
        _write_layer(table, path, layer="facilities", result=result, outlines=True)
        looks.append(Look("facilities", FACILITY_CIRCLES))
    if looks:
        _write_looks(path, looks, result)


def _write_bands(result: ScanResult, path: Path) -> None:
    if result.bands is not None and len(result.bands):
        _write_layer(published(result.bands, BANDS), path, layer="bands", result=result, outlines=True)
        _write_looks(path, [rules_look("bands", BANDS, result.bands["rule"].tolist(), result.rules)], result)


def facilities_table(result: ScanResult) -> gpd.GeoDataFrame:
    """Return the facilities as used, each with how its entrances were found."""
    points = published(result.access_points, ACCESS_POINTS)
    keys = ["source", "facility_id", "service"]
    hows = points[[*keys, "how"]].drop_duplicates()
    several = hows.duplicated(keys, keep=False)  # few: most places have entrances of one kind
    joined = hows[several].sort_values([*keys, "how"]).groupby(keys, sort=False, as_index=False)["how"].agg("|".join)
    places = result.facilities.drop(columns="how", errors="ignore")
    return published(places.merge(pd.concat([hows[~several], joined]), on=keys, how="left"), FACILITIES)


def _write_facilities(result: ScanResult, path: Path) -> None:
    """Write facilities and access points, two layers per source: different licences stay apart."""
    points = published(result.access_points, ACCESS_POINTS)
    places = facilities_table(result)
    sources = sorted({*places["source"].unique(), *points["source"].unique()})
    looks = []  # names of columns only: a layer holds points and grounds, and QGIS has one style for both
    for source, safe in _layer_names(sources or ["osm"]).items():
        _write_layer(places[places["source"] == source], path, layer=f"facilities_{safe}", result=result)
        _write_layer(points[points["source"] == source], path, layer=f"access_{safe}", result=result)
        looks += [Look(f"facilities_{safe}", FACILITIES), Look(f"access_{safe}", ACCESS_POINTS)]
    _write_layer(result.background, path, layer="background", result=result)
    looks.append(background_look("background", BACKGROUND))
    if result.estate_names is not None and len(result.estate_names):
        _write_layer(published(result.estate_names, ESTATE_NAMES), path, layer="estates", result=result)
        looks.append(Look("estates", ESTATE_NAMES))
    _write_looks(path, looks, result)


def _notice(result: ScanResult) -> str:
    return "; ".join((*credits_of(result.run), approval_line(result.approval_number), NOT_A_SURVEY))


def _layer_names(sources: Iterable[str]) -> dict[str, str]:
    """Return a name per source that is safe for a GeoPackage layer; no two differ by case only."""
    names: dict[str, str] = {}
    for source in sources:
        stem = source if source.startswith("postgis:") else Path(source).stem
        base = re.sub(r"\W+", "_", stem or source).strip("_") or "source"
        taken = {name.casefold() for name in names.values()}
        numbered = (f"{base}_{number}" for number in range(2, len(names) + 3))
        names[source] = next(name for name in (base, *numbered) if name.casefold() not in taken)
    return names


def _write_layer(
    table: gpd.GeoDataFrame, path: Path, *, layer: str, result: ScanResult, outlines: bool = False
) -> None:
    notice = _notice(result)
    with _gdal_errors(path), _gdal_option("OGR_CURRENT_DATE", FIXED_GPKG_TIME):
        pyogrio.write_dataframe(
            table,
            path,
            layer=layer,
            driver="GPKG",
            geometry_type="MultiPolygon" if outlines else "Unknown",
            promote_to_multi=outlines,
            # The same file in half the time; columns without a value have no type that pyogrio 0.9 knows in Arrow.
            use_arrow=len(table) > 0,
            layer_options={"DESCRIPTION": notice},
            layer_metadata={"ATTRIBUTION": notice},
        )


def _write_looks(path: Path, looks: Sequence[Look], result: ScanResult) -> None:
    with _gdal_errors(path):
        write_looks(path, looks, result.rules, time=FIXED_GPKG_TIME)


@contextmanager
def _gdal_errors(path: Path) -> Iterator[None]:
    """Turn errors of GDAL and SQLite into those of the file system; on a full disk GDAL says anything but that."""
    try:
        yield
    except (DataSourceError, DataLayerError, FeatureError, sqlite3.Error) as error:
        full = shutil.disk_usage(path.parent).free < ROOM_FOR_A_LAYER
        raise OSError(errno.ENOSPC if full else errno.EIO, f"{path.name}: {error}") from error


@contextmanager
def _gdal_option(name: str, value: str) -> Iterator[None]:
    before = pyogrio.get_gdal_config_option(name)
    pyogrio.set_gdal_config_options({name: value})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({name: before})


def _write_map(result: ScanResult, path: Path) -> None:
    from livingcircle.hearing_map import render_map

    path.write_text(render_map(result), encoding="utf-8", newline="\n")


def _write_run(result: ScanResult, path: Path) -> None:
    """Write settings, inputs, counts, warnings and timings."""
    run = {
        "settings": dict(result.settings),
        "settings_order": list(result.settings),  # the file is sorted; legends keep the order of the run
        **result.run,
        "program": PROGRAM,
        "rules": result.rules.id,
        "rule_set": rule_set_record(result.rules),
        "catalogue": dict(result.catalogue.own),  # the planner's own services; the folder is read without her file
        "approval_number": result.approval_number,
        "attribution": list(credits_of(result.run)),
        "map_approval": approval_line(result.approval_number),
        "notice": NOT_A_SURVEY,
    }
    record = _plain(run)
    if result.study is not None:
        record["study"] = result.study.model_dump(mode="json")
    if result.batch:
        record["batch"] = {
            name: {"study": own.study.model_dump(mode="json"), "communities": own.communities}
            for name, own in result.batch.items()
        }
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _plain(value: Any) -> Any:
    """Turn a value into what JSON knows: paths lose their folders, missing numbers become null."""
    if isinstance(value, Mapping):
        return {without_folders(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [_plain(item) for item in items]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, (bool, int, float)):
        return value
    return value.name if isinstance(value, Path) else without_folders(str(value))


def without_folders(text: str) -> str:
    """Take the folders out of every absolute path in a text, so that it names files only."""
    for folder in {str(Path.cwd()), str(Path.home())} - {"/"}:
        text = text.replace(folder + os.sep, "/_/")
    return ABSOLUTE_PATH.sub("", text)


def _write_licences(result: ScanResult, path: Path) -> None:
    """Write licence and attribution of every input, and what must be said when results are shown."""
    blocks = [
        "\n".join(
            f"{label}: {value}"
            for label, value in (
                ("role 用途", source.get("role")),
                ("file 文件", Path(str(source.get("path") or "—")).name),
                ("licence 许可", input_licence(source)),
                ("attribution 署名", input_credit(source) or "not stated 未注明"),
                ("sha256", source.get("sha256") or "—"),
            )
        )
        for source in result.run.get("inputs", ())
    ]
    shown = "\n".join(
        (
            "To be shown with every map and table made from this result 使用本结果的图表须注明:",
            *credits_of(result.run),
            approval_line(result.approval_number),
            NOT_A_SURVEY,
        )
    )
    path.write_text("\n\n".join([shown, *blocks]) + "\n", encoding="utf-8", newline="\n")


def _write_homes(result: ScanResult, path: Path) -> None:
    published(result.homes, HOMES).to_parquet(path, index=False)


_WRITERS: dict[str, Callable[[ScanResult, Path], None]] = {
    "coverage.csv": _write_coverage,
    "scores.csv": _write_scores,
    "gaps.csv": _write_gaps,
    "false_coverage.csv": _write_false_coverage,
    "score_histogram.csv": _write_histogram,
    "distances.csv": _write_distances,
    "fairness.csv": _write_fairness,
    "additions.csv": _write_additions,
    "capacity.csv": _write_capacity,
    "sensitivity.csv": _write_sensitivity,
    "rank_stability.csv": _write_rank_stability,
    "communities.gpkg": _write_communities,
    "facilities.gpkg": _write_facilities,
    "circles.gpkg": _write_circles,
    "bands.gpkg": _write_bands,
    "diagnosis.gpkg": _write_diagnosis,
    "unplaced.csv": _write_unplaced,
    "facility_changes.csv": _write_facility_changes,
    "estates.csv": _write_estates,
    "districts.csv": _write_districts,
    MAP_FILE: _write_map,
    "report.xlsx": write_report,
    HOMES_FILE: _write_homes,
    "LICENCES.txt": _write_licences,
    RUN_FILE: _write_run,
}
