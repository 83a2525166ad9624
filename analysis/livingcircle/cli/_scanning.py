"""Commands that scan: demo and scan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from livingcircle.cli._app import app
from livingcircle.cli._completion import standards, walkers
from livingcircle.cli._telling import AsEvents, Language, Quiet, Teller, telling
from livingcircle.cli._words import FacilityFiles, Heights, Output, StreetColumns, StreetLayer, columns
from livingcircle.said_zh import said
from livingcircle_layers.errors import UsageError

if TYPE_CHECKING:
    from livingcircle.result import ScanResult
    from livingcircle.study import Study, StudyOptions

Publish = Annotated[
    bool,
    typer.Option("--publish", help="For the public: no restricted places, counts of 1 to 9 people as <10."),
]


@app.command()
def demo(
    output: Output = Path("outputs/demo"),
    *,
    publish: Publish = False,
    as_events: AsEvents = False,
    quiet: Quiet = False,
    language: Language = "",
) -> None:
    """Scan the built-in demo town: every output, no network needed.

    Example: livingcircle demo -o outputs/demo
    """
    from livingcircle.demo import demo_study
    from livingcircle.output_folder import disk_errors
    from livingcircle.save import prepare_output

    with telling("demo", quiet=quiet, as_events=as_events, language=language) as teller:
        prepare_output(output)  # before the town is written into it
        with disk_errors(output):
            study = demo_study(output / "inputs").model_copy(update={"publish": publish})
        _scan_and_save(teller, study, output)
        teller.say(f"请用浏览器打开: {output / 'map.html'}", f"Open in a browser: {output / 'map.html'}")
        teller.say(
            "先看: 示意对岸社区, 小学 500 米: 在半径内, 隔河走不到, 即假覆盖。",
            "Look first at: 示意对岸社区, primary school within 500 m: inside the radius and out of reach on foot,"
            " across the river (false coverage).",
        )


@app.command()
def scan(  # noqa: PLR0913  one parameter for each option, which makes it long
    context: typer.Context,
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
    standard: Annotated[
        str | None, typer.Option(help="Bundle, standard, or TOML file of rules.", autocompletion=standards)
    ] = None,
    facilities: FacilityFiles = None,
    walker: Annotated[
        list[str] | None, typer.Option(help="Whose minutes are computed; may be repeated.", autocompletion=walkers)
    ] = None,
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
    publish: Publish = False,
    to_postgis: Annotated[
        str | None, typer.Option("--to-postgis", help="Also write tables: postgresql://user@host/database?schema=name.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that measure the walks.")] = 1,
    memory: Annotated[
        str | None,
        typer.Option(help="What the searches may use together, such as 4GB."),
    ] = None,
    scheduler: Annotated[str, typer.Option(help="Dask scheduler: tcp://HOST:8786 or tls://HOST:8786.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on after a fall; measure only what changed.")] = False,
    as_events: AsEvents = False,
    quiet: Quiet = False,
    language: Language = "",
) -> None:
    """Find out who can walk to which service within the standard, for every community.

    Example: livingcircle scan --osm city.osm.pbf --communities communities.geojson --population grid.csv
    --standard chengdu -o outputs/city
    """
    options = {
        "name": name, "osm": osm, "communities": communities, "areas": areas, "population": population,
        "standard": standard, "facilities": facilities, "walker": walker, "estates": estates, "gates": gates,
        "streets": streets, "streets_columns": streets_columns, "dem": dem, "sensitivity": sensitivity,
        "publish": publish,
    }  # fmt: skip
    from livingcircle.batch import is_batch
    from livingcircle.memory import seldom_searched_for_garbage
    from livingcircle.output_folder import folder_of
    from livingcircle.runs import Work, parse_memory

    with (
        seldom_searched_for_garbage(),
        telling("scan", quiet=quiet, as_events=as_events, language=language) as teller,
    ):
        work = Work(jobs, None if memory is None else parse_memory(memory), scheduler, resume)
        if study is not None and is_batch(study):
            if only:
                raise UsageError("--only names communities of one study", got="a batch", remedy="use --district")
            more: dict[str, Any] = {"chosen": district or [], "homes": homes, "work": work, "postgis": to_postgis}
            debug = bool(context.find_root().params.get("debug"))
            _scan_districts(teller, study, _chosen(options), output, debug=debug, **more)
            return
        if district:
            raise UsageError("--district needs a study file with [[district]] entries")
        chosen = _study(study, options)
        folder = output or folder_of(chosen.name)
        _scan_and_save(teller, chosen, folder, only=only or [], homes=homes, work=work, postgis=to_postgis)


def _study(path: Path | None, options: dict[str, Any]) -> Study:
    """Return the study of a file or of the options; options given beside a file win over it."""
    from livingcircle.study import Study

    chosen = _chosen(options)
    return chosen.on(Study.load(path)) if path else chosen.study()


def _chosen(options: dict[str, Any]) -> StudyOptions:
    """Return the options that are given."""
    from livingcircle.study import StudyOptions
    from livingcircle.study_parts import FacilitiesInput

    facilities = tuple(FacilitiesInput.of(text) for text in options.pop("facilities") or [])
    if options["gates"] not in (None, "respect", "open", "both"):
        raise UsageError("--gates is unknown", got=repr(options["gates"]), expected="respect, open or both")
    options["streets_columns"] = columns(options["streets_columns"])
    return StudyOptions(facilities=facilities, **{k: v for k, v in options.items() if v})


def _scan_and_save(teller: Teller, study: Study, output: Path, **more: Any) -> None:
    from livingcircle.runs import scan_into

    result = scan_into(study, output, progress=teller.progress, **more)
    _report(teller, result)
    _ended(teller, result, output)


def _scan_districts(
    teller: Teller, path: Path, options: StudyOptions, output: Path | None, *, debug: bool, **more: Any
) -> None:
    """Scan the districts of a study file, print what became of each, and end with 3 if one failed."""
    from livingcircle.batch import Batch, scan_batch
    from livingcircle.output_folder import folder_of

    batch = Batch.load(path, options)
    folder = output or folder_of(batch.name)
    ended = scan_batch(batch, folder, progress=teller.progress, **more)
    if ended.result is not None:
        _report(teller, ended.result)
    _ended(teller, ended.result, folder, {outcome.district: outcome.status for outcome in ended.outcomes})
    for outcome, line in zip(ended.outcomes, ended.lines(), strict=True):
        tell = teller.last if outcome.status == "failed" else teller.say
        tell("\t".join(said(part, "zh") for part in line.split("\t")), line)
        if outcome.details and debug:
            typer.echo(outcome.details, err=True)
    if ended.failed:
        raise typer.Exit(3)


def _report(teller: Teller, result: ScanResult) -> None:
    """Tell what the planner needs to know now: people, what is missing, every default in force."""
    from livingcircle.withholding import count_text

    people = {key: count_text(number) for key, number in result.run["people"].items()}
    of_people = result.run["demand"] == "people"
    teller.say(
        f"{'人口' if of_people else '居住用地(平方米)'}: {people['input']} = 已落位 {people['placed']}"
        f" + 未落位 {people['not_placed']} + 社区范围外 {people['outside']}",
        f"{'People' if of_people else 'Residential land, m²'}: {people['input']} = {people['placed']} placed"
        f" + {people['not_placed']} not placed + {people['outside']} outside the communities",
    )
    city = result.coverage[result.coverage["level"] == "city"].drop_duplicates("rule")
    names_zh = {rule.id: rule.name_zh or rule.id for rule in result.rules.rules}
    for status, zh in (("no_data", "没有数据"), ("incomplete", "数据不全,覆盖率为至少值")):
        rules = city["rule"][city["status"] == status].tolist()
        if rules:
            names = ";".join(names_zh.get(rule, rule) for rule in rules)  # a name may hold 、
            teller.say(f"{zh} {status}: {names}", f"{status}: {', '.join(rules)}")
    _say_why_unscored(teller, result)
    for source in result.run["inputs"]:
        if "rows" in source:
            teller.tell(f"read: {_reading(source)}")
    for warning in result.run["warnings"]:
        teller.warn(warning)
    settings = "; ".join(f"{key} = {value}" for key, value in result.settings.items())
    teller.say(f"采用: {said(settings, 'zh')}", f"In force: {settings}")


def _say_why_unscored(teller: Teller, result: ScanResult) -> None:
    """Tell that too few services have data for any score, as often after a first scan with OpenStreetMap alone."""
    from livingcircle.scores import MIN_DATA_SHARE

    communities = result.scores[result.scores["level"] == "community"]
    if result.run["demand"] != "people" or communities.empty or communities["score"].notna().any():
        return
    listed, known = int(communities["n_listed"].max()), int(communities["n_scored"].max())
    if known < MIN_DATA_SHARE * listed:
        teller.say(
            f"不评分: {listed} 项计分服务中 {known} 项有数据,须达 {MIN_DATA_SHARE:.0%};"
            "补充“没有数据”各项的名单后再运行",
            f"no score: {known} of {listed} services that score have data, and {MIN_DATA_SHARE:.0%} are needed; bring"
            " lists for those with no_data, and scan again",
        )


def _ended(teller: Teller, result: ScanResult | None, output: Path, districts: dict[str, str] | None = None) -> None:
    """Tell where the results are; None: all districts failed, and nothing was written."""
    from livingcircle.events import Result
    from livingcircle.save import result_files

    fates = districts or {}
    code = 3 if "failed" in fates.values() else 0
    if result is None:
        teller.last("没有结果: 所有区县均失败", "No results: every district failed")
        teller.result(Result(code, str(output), (), districts=fates))
        return
    first = "map.html, report.xlsx, coverage.csv, scores.csv, gaps.csv, unplaced.csv"
    teller.last(f"结果在 {output}: {first}", f"Results in {output}: {first}")
    files = tuple(name for name in result_files() if (output / name).exists())
    counted = "people" if result.run["demand"] == "people" else "residential_m2"
    teller.result(Result(code, str(output), files, counted, dict(result.run["people"]), fates))


def _reading(source: dict[str, Any]) -> str:
    from livingcircle_layers.sources import Reading

    sheets = source.get("sheets", "")
    return Reading(source["path"], source["rows"], source["filtered"], source["columns"], sheets=sheets).sentence()
