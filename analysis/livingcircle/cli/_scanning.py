"""Commands that scan: demo and scan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from livingcircle.cli._app import app
from livingcircle.cli._words import Heights, Output, StreetColumns, StreetLayer, columns, progress
from livingcircle_layers.errors import UsageError

if TYPE_CHECKING:
    from livingcircle.result import ScanResult
    from livingcircle.runs import Work
    from livingcircle.study import FacilitiesInput, Study, StudyOptions

_SERVICE_FILE = re.compile(r"^(\+?)([a-z][a-z0-9_]*)=(.+)$")


@app.command()
def demo(output: Output = Path("outputs/demo")) -> None:
    """Scan the built-in demo town: every output, no network needed.

    Example: livingcircle demo -o outputs/demo
    """
    from livingcircle.demo import demo_study
    from livingcircle.output_folder import disk_errors
    from livingcircle.save import prepare_output

    prepare_output(output)  # before the town is written into it
    with disk_errors(output):
        study = demo_study(output / "inputs")
    _scan_and_save(study, output)
    typer.echo(f"请用浏览器打开 Open in a browser: {output / 'map.html'}")
    typer.echo(
        "先看 Look first at: 示意对岸社区, 小学 500 米 (primary school): 在半径内, 隔河走不到, 即假覆盖 –"
        " inside the radius and out of reach on foot, across the river (false coverage)."
    )


@app.command()
def scan(  # noqa: PLR0913  one parameter for each option
    study: Annotated[Path | None, typer.Argument(help="Study file (TOML); or use the options below.")] = None,
    *,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder for the results.")] = None,
    osm: Annotated[Path | None, typer.Option(help="OpenStreetMap file.")] = None,
    communities: Annotated[
        str | None,
        typer.Option(help="Community polygons; or grid:500, hex:500 (cells); or osm:8 (not in China)."),
    ] = None,
    areas: Annotated[Path | None, typer.Option(help="Areas of your own, which may overlap.")] = None,
    population: Annotated[
        Path | None,
        typer.Option(help="People: grid, totals per community, GeoTIFF; without them residential land."),
    ] = None,
    standard: Annotated[str | None, typer.Option(help="Bundle, standard, or TOML file of rules.")] = None,
    facilities: Annotated[
        list[str] | None, typer.Option(help="FILE (classified), SERVICE=FILE (replaces OSM), +SERVICE=FILE (adds).")
    ] = None,
    walker: Annotated[list[str] | None, typer.Option(help="Whose minutes are computed; may be repeated.")] = None,
    estates: Annotated[
        Path | None, typer.Option(help="Gated estates: outlines (gated yes/no) and gate points.")
    ] = None,
    gates: Annotated[str | None, typer.Option(help="respect (default), open, or both to compare.")] = None,
    streets: StreetLayer = None,
    streets_columns: StreetColumns = None,
    dem: Heights = None,
    name: Annotated[str | None, typer.Option(help="Title of map and report.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only this community; may be repeated.")] = None,
    district: Annotated[
        list[str] | None,
        typer.Option(help="Of a study file with [[district]] entries, only this one; may be repeated."),
    ] = None,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="A range beside each share: other thresholds, speeds, people, gates.")
    ] = False,
    homes: Annotated[bool, typer.Option("--homes", help="Also write homes.parquet, for checks.")] = False,
    to_postgis: Annotated[
        str | None, typer.Option("--to-postgis", help="Also write tables: postgresql://user@host/database?schema=name.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that measure the walks.")] = 1,
    memory: Annotated[str | None, typer.Option(help="What they all may use together, for example 4GB.")] = None,
    scheduler: Annotated[str, typer.Option(help="Dask scheduler: tcp://HOST:8786 or tls://HOST:8786.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on after a fall; measure only what changed.")] = False,
) -> None:
    """Find out who can walk to which service within the standard, for every community.

    Example: livingcircle scan --osm city.osm.pbf --communities communities.geojson --population grid.csv
    --standard chengdu -o outputs/city
    """
    options = {
        "name": name, "osm": osm, "communities": communities, "areas": areas, "population": population,
        "standard": standard, "facilities": facilities, "walker": walker, "estates": estates, "gates": gates,
        "streets": streets, "streets_columns": columns(streets_columns), "dem": dem, "sensitivity": sensitivity,
    }  # fmt: skip
    from livingcircle.batch import is_batch
    from livingcircle.runs import Work, parse_memory

    work = Work(jobs, None if memory is None else parse_memory(memory), scheduler, resume)
    if study is not None and is_batch(study):
        if only:
            raise UsageError("--only names communities of one study", got="a batch", remedy="use --district")
        _scan_districts(study, _chosen(options), output, district or [], homes=homes, work=work, postgis=to_postgis)
        return
    if district:
        raise UsageError("--district needs a study file with [[district]] entries")
    chosen = _study(study, options)
    folder = output or Path("outputs") / (chosen.name or "scan")
    _scan_and_save(chosen, folder, only=only or [], homes=homes, work=work, to_postgis=to_postgis)


def _study(path: Path | None, options: dict[str, Any]) -> Study:
    """Return the study of a file or of the options; options given beside a file win over it."""
    from livingcircle.study import Study

    chosen = _chosen(options)
    return chosen.on(Study.load(path)) if path else chosen.study()


def _chosen(options: dict[str, Any]) -> StudyOptions:
    """Return the options that are given."""
    from livingcircle.study import StudyOptions

    facilities = tuple(_facilities(text) for text in options.pop("facilities") or [])
    if options["gates"] not in (None, "respect", "open", "both"):
        raise UsageError("--gates is unknown", got=repr(options["gates"]), expected="respect, open or both")
    return StudyOptions(facilities=facilities, **{k: v for k, v in options.items() if v})


def _facilities(text: str) -> FacilitiesInput:
    from livingcircle.study import FacilitiesInput

    match = _SERVICE_FILE.match(text)
    if match is None:
        return FacilitiesInput(file=Path(text))
    plus, service, file = match.groups()
    return FacilitiesInput(file=Path(file), service=service, mode="add" if plus else "replace")


def _scan_and_save(
    study: Study,
    output: Path,
    *,
    only: Sequence[str] = (),
    homes: bool = False,
    work: Work | None = None,
    to_postgis: str | None = None,
) -> None:
    from livingcircle.runs import scan_into

    with progress() as say:
        result = scan_into(study, output, only=only, homes=homes, work=work, postgis=to_postgis, progress=say)
    _report(result, output)


def _scan_districts(
    path: Path,
    options: StudyOptions,
    output: Path | None,
    chosen: Sequence[str],
    *,
    homes: bool,
    work: Work,
    postgis: str | None,
) -> None:
    """Scan the districts of a study file, print what became of each, and end with 3 if one failed."""
    from livingcircle.batch import Batch, scan_batch

    batch = Batch.load(path, options)
    folder = output or Path("outputs") / batch.name
    with progress() as say:
        ended = scan_batch(batch, folder, chosen=chosen, homes=homes, work=work, postgis=postgis, progress=say)
    if ended.result is not None:
        _report(ended.result, folder)
    for line in ended.lines():
        typer.echo(line)
    if ended.failed:
        raise typer.Exit(3)


def _report(result: ScanResult, output: Path) -> None:
    """Print what the planner needs to know now: people, what is missing, every default in force, where to look."""
    people = result.run["people"]
    what = "People" if result.run["demand"] == "people" else "Residential land, m²"
    typer.echo(
        f"{what}: {people['input']:,} = {people['placed']:,} placed + {people['not_placed']:,} not placed"
        f" + {people['outside']:,} outside the communities"
    )
    city = result.coverage[result.coverage["level"] == "city"].drop_duplicates("rule")
    for status in ("no_data", "incomplete"):
        rules = city["rule"][city["status"] == status]
        if len(rules):
            typer.echo(f"{status}: {', '.join(rules)}")
    for source in result.run["inputs"]:
        if "rows" in source:
            typer.echo(f"read: {_reading(source)}")
    for warning in result.run["warnings"]:
        typer.echo(f"note: {warning}")
    typer.echo("In force: " + "; ".join(f"{key} = {value}" for key, value in result.settings.items()))
    typer.echo(f"Results in {output}: map.html, report.xlsx, coverage.csv, scores.csv, gaps.csv, unplaced.csv")


def _reading(source: dict[str, Any]) -> str:
    from livingcircle_layers.sources import Reading

    sheets = source.get("sheets", "")
    return Reading(source["path"], source["rows"], source["filtered"], source["columns"], sheets=sheets).sentence()
