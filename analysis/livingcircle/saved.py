"""Finished scans read back from their folder, and single files written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio

from livingcircle.columns import (
    ADDITIONS,
    BANDS,
    CAPACITY,
    CIRCLES,
    COVERAGE,
    DISTANCES,
    DISTRICTS,
    ESTATE_NAMES,
    FACILITY_CHANGES,
    FACILITY_CIRCLES,
    FAIRNESS,
    FALSE_COVERAGE,
    GAPS,
    HOMES,
    MATRIX,
    RANK_STABILITY,
    SCORE_HISTOGRAM,
    SCORES,
    SENSITIVITY,
    SMALL_COUNT,
    STREET_DIAGNOSIS,
    STREET_EDGES,
    STREET_NODES,
    UNPLACED,
    Table,
    conform,
    looks_like_formula,
    published,
)
from livingcircle.diagnosis import diagnose
from livingcircle.output_folder import PROGRAM, RUN_FILE, replaced_file, settle
from livingcircle.result import DistrictStudy, ScanResult
from livingcircle.rules import Rule, RuleSet
from livingcircle.study import Study
from livingcircle_layers.catalogue import extended_catalogue
from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import InputError
from livingcircle_layers.streets import Streets, streets_frames


def load_result(directory: str | Path) -> ScanResult:
    """Read a finished scan back from its folder, for drawing its map again or for work in a notebook.

    Homes are not kept in a folder, so that table is empty.

    Raises
    ------
    InputError
        The folder does not hold a finished scan, or another scan replaced it meanwhile.
    """
    folder = Path(directory)
    record = read_run(folder)
    result = _read(folder, dict(record))
    if read_run(folder) != record:
        raise InputError(f"{folder} was replaced by another scan while it was read", remedy="run the command again")
    return result


def _read(folder: Path, run: dict[str, Any]) -> ScanResult:
    """Read every table beside `run.json`."""
    facilities, access = _facility_layers(folder / "facilities.gpkg")
    rules = run.pop("rule_set")
    study = _study(run.pop("study"), folder) if "study" in run else None
    batch = {
        name: DistrictStudy(_study(own["study"], folder), tuple(own["communities"]))
        for name, own in run.pop("batch", {}).items()
    }
    return ScanResult(
        coverage=_table(folder / "coverage.csv", COVERAGE),
        scores=_table(folder / "scores.csv", SCORES),
        histogram=_table(folder / "score_histogram.csv", SCORE_HISTOGRAM),
        communities=_layer(folder / "communities.gpkg", "communities").set_index("unit_id"),
        facilities=facilities,
        access_points=access,
        unplaced=_table(folder / "unplaced.csv", UNPLACED),
        homes=pd.DataFrame({c.name: pd.Series(dtype="float64") for c in HOMES.columns if "*" not in c.name}),
        background=_layer(folder / "facilities.gpkg", "background"),
        rules=RuleSet(
            id=rules["id"],
            title_zh=rules["title_zh"],
            title_en=rules["title_en"],
            kind=rules["kind"],
            rules=tuple(Rule.model_validate(r) for r in rules["rules"]),
            scoring=tuple(rules["scoring"]),
        ),
        catalogue=extended_catalogue(run.pop("catalogue", {}), "the catalogue in run.json"),
        run=run,
        settings={key: run["settings"][key] for key in run.pop("settings_order", run["settings"])},
        approval_number=run["approval_number"],
        study=study,
        batch=batch,
        circles=_layer_if_any(folder / "circles.gpkg", "circles", CIRCLES),
        estate_names=_layer_if_held(folder / "facilities.gpkg", "estates", ESTATE_NAMES),
        facility_circles=_layer_if_held(folder / "circles.gpkg", "facilities", FACILITY_CIRCLES),
        bands=_layer_if_any(folder / "bands.gpkg", "bands", BANDS),
        diagnosis=_layer_if_any(folder / "diagnosis.gpkg", "diagnosis", STREET_DIAGNOSIS),
        gaps=_if_there(folder / "gaps.csv", GAPS),
        distances=_if_there(folder / "distances.csv", DISTANCES),
        districts=_if_there(folder / "districts.csv", DISTRICTS),
        facility_changes=_if_there(folder / "facility_changes.csv", FACILITY_CHANGES),
        false_coverage=_if_there(folder / "false_coverage.csv", FALSE_COVERAGE),
        fairness=_if_there(folder / "fairness.csv", FAIRNESS),
        additions=_if_there(folder / "additions.csv", ADDITIONS),
        capacity=_if_there(folder / "capacity.csv", CAPACITY),
        sensitivity=_if_there(folder / "sensitivity.csv", SENSITIVITY),
        rank_stability=_if_there(folder / "rank_stability.csv", RANK_STABILITY),
    )


def _study(record: dict[str, Any], folder: Path) -> Study:
    return Study.model_validate(record).relative_to(folder)


def rule_set_record(rules: RuleSet) -> dict[str, Any]:
    """Return the rules of a run as `run.json` keeps them, so that a result can be read without its files of rules."""
    return {
        "id": rules.id,
        "title_zh": rules.title_zh,
        "title_en": rules.title_en,
        "kind": rules.kind,
        "rules": [rule.model_dump(mode="json", exclude_defaults=True) for rule in rules.rules],
        "scoring": list(rules.scoring),
    }


def read_run(folder: Path) -> dict[str, Any]:
    """Return what `run.json` says of a finished scan; a folder without one is an `InputError`.

    Where a run was killed while it moved its files, they are put in order first (`livingcircle.output_folder.settle`).
    """
    settle(folder)
    missing = InputError(
        f"{folder} does not hold a finished scan", remedy="name the folder that livingcircle scan wrote into"
    )
    try:
        run = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise missing from None
    if not isinstance(run, dict) or run.get("program") != PROGRAM or "rule_set" not in run:
        raise missing
    return run


def _table(path: Path, table: Table) -> pd.DataFrame:
    text = {c.name: "str" for c in table.columns if c.dtype in ("id", "text")}
    flags = {c.name: "boolean" for c in table.columns if c.dtype == "bool"}
    try:
        frame = pd.read_csv(
            path, encoding="utf-8-sig", dtype={**text, **flags}, keep_default_na=False, na_values=["", SMALL_COUNT]
        )
    except (OSError, ValueError) as fault:
        raise InputError(f"{path.name} of the scan cannot be read", got=str(fault), remedy="scan again") from fault
    frame = frame.fillna(dict.fromkeys(text, ""))
    names = [c.name for c in table.columns if c.dtype == "text"]
    try:
        return conform(frame.assign(**{name: _as_given(frame[name]) for name in names if name in frame}), table)
    except InputError as fault:
        raise InputError(
            f"{path} is not as this version of livingcircle writes it", got=str(fault), remedy="scan again"
        ) from fault


def _if_there(path: Path, table: Table) -> pd.DataFrame | None:
    """Read a table that scans of earlier versions do not have."""
    return _table(path, table) if path.exists() else None


def _as_given(texts: pd.Series) -> pd.Series:
    """Take off the apostrophe that keeps spreadsheets from running a name as a formula."""
    inner = texts.str.slice(1)
    return inner.where(texts.str.startswith("'") & looks_like_formula(inner), texts)


def _layer(path: Path, layer: str) -> gpd.GeoDataFrame:
    try:
        return pyogrio.read_dataframe(path, layer=layer)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as fault:
        raise InputError(f"{path.name} of the scan cannot be read", got=str(fault), remedy="scan again") from fault


def _layer_if_any(path: Path, layer: str, table: Table) -> gpd.GeoDataFrame | None:
    """Return a layer that results of earlier versions do not have."""
    return conform(_layer(path, layer), table) if path.exists() else None


def _layer_if_held(path: Path, layer: str, table: Table) -> gpd.GeoDataFrame | None:
    """Return a layer that a file may lack, as one without estates by name, or one of an earlier version."""
    held = path.exists() and layer in pyogrio.list_layers(path)[:, 0]
    return conform(_layer(path, layer), table) if held else None


def _facility_layers(path: Path) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    try:
        names = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    except pyogrio.errors.DataSourceError as fault:
        raise InputError(f"{path.name} of the scan cannot be read", got=str(fault), remedy="scan again") from fault

    def joined(start: str) -> gpd.GeoDataFrame:
        frames = [_layer(path, name) for name in names if name.startswith(start)]
        return gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=WGS84)

    return joined("facilities_"), joined("access_")


def save_map(result: ScanResult, directory: str | Path) -> Path:
    """Write `map.html` of a result into a folder."""
    from livingcircle.hearing_map import render_map

    path = Path(directory) / "map.html"
    with replaced_file(path) as stage:
        stage.write_text(render_map(result), encoding="utf-8", newline="\n")
    return path


def save_report(result: ScanResult, directory: str | Path) -> Path:
    """Write `report.xlsx` of a result into a folder."""
    from livingcircle.report import write_report

    path = Path(directory) / "report.xlsx"
    with replaced_file(path) as stage:
        write_report(result, stage)
    return path


def save_streets(streets: Streets, path: Path, *, credit: str) -> None:
    """Write a walking network as GeoPackage: the layers nodes, edges, and diagnosis (where it may be broken).

    Parameters
    ----------
    credit
        Whom the streets are owed to; every layer carries it.
    """
    nodes, edges = streets_frames(streets)
    faults = published(diagnose(streets), STREET_DIAGNOSIS)
    layers = (
        ("nodes", published(nodes, STREET_NODES), "Point"),
        ("edges", published(edges, STREET_EDGES), "LineString"),
    )
    with replaced_file(path) as stage:
        for name, table, kind in (*layers, ("diagnosis", faults, "MultiLineString")):
            pyogrio.write_dataframe(
                table,
                stage,
                layer=name,
                driver="GPKG",
                geometry_type=kind,
                layer_options={"DESCRIPTION": credit},
                layer_metadata={"ATTRIBUTION": credit},
            )


def save_geojson(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write a layer in WGS-84 degrees as GeoJSON (RFC 7946)."""
    with replaced_file(path) as stage:
        pyogrio.write_dataframe(frame, stage, layer=path.stem, driver="GeoJSON", layer_options={"RFC7946": "YES"})


def save_matrix(table: pd.DataFrame, path: Path) -> None:
    """Write a matrix of walks as CSV (UTF-8 with BOM)."""
    with replaced_file(path) as stage:
        published(table, MATRIX).to_csv(stage, index=False, encoding="utf-8-sig", lineterminator="\n")
