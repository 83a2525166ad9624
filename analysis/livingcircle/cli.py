"""The command line: parses, calls one library function, prints."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from livingcircle.interrupts import interruptible
from livingcircle_layers.errors import LivingCircleError, UsageError

if TYPE_CHECKING:
    from livingcircle.ground import Ground
    from livingcircle.result import ScanResult
    from livingcircle.runs import Work
    from livingcircle.study import FacilitiesInput, Study, StudyOptions
    from livingcircle.walkers import Walker

app = typer.Typer(
    name="livingcircle",
    help="Who can walk to which service within the standard (15分钟社区生活圈).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=True,
)

Output = Annotated[Path, typer.Option("-o", "--output", help="Folder for the results.")]
StreetLayer = Annotated[
    Path | None, typer.Option("--streets", help="A street layer of your own, instead of OSM's streets.")
]
OsmFile = Annotated[Path, typer.Option("--osm", help="OpenStreetMap file: .osm.pbf, .osm, .osm.gz, .osm.bz2.")]
StreetColumns = Annotated[
    str | None,
    typer.Option("--streets-columns", help="Which column of --streets holds what, for example u=from,v=to."),
]
Heights = Annotated[Path | None, typer.Option("--dem", help="Heights (GeoTIFF), for walking times on slopes.")]
StudyFile = Annotated[
    Path | None,
    typer.Option("--study", help="Study file: its streets, heights and walkers, where no option says otherwise."),
]
WalkerName = Annotated[
    str | None,
    typer.Option(
        "--walker",
        help="adult (default, or the first of the study), elder, child_primary, caregiver_small_child, wheelchair.",
    ),
]

_SERVICE_FILE = re.compile(r"^(\+?)([a-z][a-z0-9_]*)=(.+)$")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; a user's mistake ends in one line, never in a traceback."""
    try:
        with interruptible():
            app(args=arguments)
    except LivingCircleError as fault:
        if "--debug" in (sys.argv[1:] if arguments is None else arguments):
            raise
        _complain(str(fault))
        sys.exit(2 if isinstance(fault, UsageError) else 1)


@app.callback()
def _options(
    *, debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False
) -> None:
    del debug  # read by main(), where errors end


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
        "streets": streets, "streets_columns": _columns(streets_columns), "dem": dem, "sensitivity": sensitivity,
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


@app.command()
def fetch(  # noqa: PLR0913  one parameter for each option
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the study.")],
    place: Annotated[str | None, typer.Option(help="Name of a place; goes to Nominatim.")] = None,
    bbox: Annotated[str | None, typer.Option(help="W,S,E,N in degrees; goes to Overpass.")] = None,
    polygon: Annotated[
        Path | None, typer.Option(help="Vector file; only the box around it goes to Overpass, never its outlines.")
    ] = None,
    standard: Annotated[
        str | None, typer.Option(help="Of the study; by default national in China, international elsewhere.")
    ] = None,
    communities: Annotated[str, typer.Option(help="grid:500, hex:500; or osm:8 (not in China).")] = "grid:500",
    margin_m: Annotated[float, typer.Option("--margin-m", min=0, max=10_000, help="Load more around it, metres.")] = 0,
    overpass: Annotated[str | None, typer.Option(help="Another Overpass server: https://host/api.")] = None,
    nominatim: Annotated[str | None, typer.Option(help="Another Nominatim server: https://host.")] = None,
    proxy: Annotated[str | None, typer.Option(help="http://host:port between here and the servers.")] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout-s", min=1, help="How long a silent server is waited for.")
    ] = 180,
    part_km2: Annotated[float, typer.Option("--part-km2", min=1, help="Larger boxes are asked for in parts.")] = 100,
    cache: Annotated[Path | None, typer.Option(help="Folder of answers, which a second run uses again.")] = None,
) -> None:
    """Download streets, services and land from OpenStreetMap, as a study that scans as it is.

    Says first which hosts will be asked. Sends a name or a box in degrees, never your outlines.

    Example: livingcircle fetch --place 成都市锦江区 -o jinjiang
    """
    from livingcircle.fetch import fetch as run_fetch
    from livingcircle.fetch import parse_box
    from livingcircle_layers.overpass import NOMINATIM, OVERPASS, Servers

    found = run_fetch(
        output,
        place=place,
        bbox=parse_box(bbox) if bbox else None,
        polygon=polygon,
        standard=standard,
        communities=communities,
        margin_m=margin_m,
        servers=Servers(overpass or OVERPASS, nominatim or NOMINATIM, proxy, timeout_s),
        part_km2=part_km2,
        cache=cache,
        say=typer.echo,
    )
    for note in found.notes:
        typer.echo(note)
    typer.echo(f"{found.study}: next, livingcircle check {found.study}")


@app.command()
def check(
    study: Annotated[Path, typer.Argument(help="Study file (TOML).")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print plain values instead of sentences.")] = False,
) -> None:
    """Validate and describe every input of a study on one page; measures no walk.

    Example: livingcircle check city.toml
    """
    import json

    from livingcircle.check import check_study
    from livingcircle.study import Study

    with _progress() as say:
        page = check_study(Study.load(study), progress=say)
    if as_json:
        typer.echo(json.dumps(page.as_dict(), ensure_ascii=False, indent=2))
        return
    for line in page.lines():
        typer.echo(line)


@app.command()
def streets(
    osm: OsmFile,
    output: Annotated[Path, typer.Option("-o", "--output", help="GeoPackage to write.")] = Path("streets.gpkg"),
) -> None:
    """Write the walking network of an OpenStreetMap file: layers nodes and edges.

    Example: livingcircle streets --osm city.osm.pbf -o streets.gpkg
    """
    from livingcircle.network import WalkNetwork
    from livingcircle.saved import save_streets
    from livingcircle_layers.osm import ATTRIBUTION, LICENCE

    network = WalkNetwork.from_osm(osm)
    save_streets(network.streets, output, credit=f"{ATTRIBUTION}, {LICENCE}")
    typer.echo(f"{output}: {len(network.streets.node_id)} nodes, {len(network.streets.tail)} edges")


@app.command()
def matrix(  # noqa: PLR0913  one parameter for each option
    osm: Annotated[Path | None, typer.Option("--osm", help="OpenStreetMap file.")] = None,
    *,
    origins: Annotated[Path, typer.Option(help="Table with id, lon, lat.")],
    destinations: Annotated[Path, typer.Option(help="Table with id, lon, lat.")],
    study: StudyFile = None,
    streets: StreetLayer = None,
    streets_columns: StreetColumns = None,
    dem: Heights = None,
    limit_m: Annotated[float, typer.Option("--limit-m", min=1, help="Longest walk, metres.")] = 2000.0,
    nearest: Annotated[
        int | None, typer.Option("--nearest", min=1, help="Only the K nearest destinations of every origin.")
    ] = None,
    walker: WalkerName = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="CSV file to write.")] = Path("matrix.csv"),
) -> None:
    """Write the walks between origins and destinations; pairs that are not reached are left out.

    Example: livingcircle matrix --osm city.osm.pbf --origins homes.csv --destinations schools.csv -o M.csv
    """
    from livingcircle.matrix import matrix_table
    from livingcircle.saved import save_matrix

    ground, who = _ground(study, walker, osm=osm, streets=streets, streets_columns=streets_columns, dem=dem)
    table, lost = matrix_table(ground, origins, destinations, limit_m=limit_m, walker=who, nearest=nearest)
    save_matrix(table, output)
    for line in lost:
        typer.echo(line, err=True)
    typer.echo(f"{output}: {len(table)} pairs within {limit_m:g} m")


@app.command()
def isochrone(  # noqa: PLR0913  one parameter for each option
    osm: Annotated[Path | None, typer.Option("--osm", help="OpenStreetMap file.")] = None,
    *,
    at: Annotated[list[str], typer.Option(help="LON,LAT; may be repeated.")],
    study: StudyFile = None,
    streets: StreetLayer = None,
    streets_columns: StreetColumns = None,
    dem: Heights = None,
    minutes: Annotated[str | None, typer.Option(help="For example 5,10,15.")] = None,
    metres: Annotated[str | None, typer.Option(help="For example 300,500,1000.")] = None,
    walker: WalkerName = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="GeoJSON file to write.")] = Path("isochrone.geojson"),
) -> None:
    """Draw the circles that can be walked from a point (生活圈).

    Example: livingcircle isochrone --osm city.osm.pbf --at 104.07,30.67 --minutes 5,10,15 -o I.geojson
    """
    from livingcircle.circles import isochrones
    from livingcircle.saved import save_geojson

    if (minutes is None) == (metres is None):
        raise UsageError("say how far: --minutes or --metres, one of them", got="both" if minutes else "neither")
    points = np.array([_point(text) for text in at])
    ground, who = _ground(study, walker, osm=osm, streets=streets, streets_columns=streets_columns, dem=dem)
    frame = isochrones(
        ground.network,
        ground.barriers,
        points,
        minutes=_numbers(minutes, "--minutes") if minutes else None,
        metres=_numbers(metres, "--metres") if metres else None,
        walker=who,
    )
    save_geojson(frame, output)
    typer.echo(f"{output}: {len(frame)} circles")


@app.command("map")
def map_(
    directory: Annotated[Path, typer.Argument(help="Folder of a finished scan.")],
    *,
    png: Annotated[bool, typer.Option("--png", help="Also a picture, A3 landscape (needs Chromium).")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also a PDF, A3 landscape (needs Chromium).")] = False,
    scene: Annotated[str, typer.Option(help="Number of the scene that is drawn, or all.")] = "",
    language: Annotated[str, typer.Option(help="Language of the picture: zh or en.")] = "zh",
) -> None:
    """Draw the map of a finished scan again, and its scenes as pictures.

    Example: livingcircle map outputs/city --png --scene all
    """
    from livingcircle.map_pictures import Kind, map_pictures
    from livingcircle.saved import load_result, save_map

    wanted: tuple[tuple[Kind, bool], ...] = (("png", png), ("pdf", pdf))
    kinds = [kind for kind, asked in wanted if asked]
    if scene and not kinds:
        raise UsageError("--scene chooses what is drawn as a picture", remedy="add --png or --pdf")
    if language not in ("zh", "en"):
        raise UsageError("unknown language", got=language, expected="zh or en")
    if not kinds:
        typer.echo(str(save_map(load_result(directory), directory)))
        return
    for path in map_pictures(directory, kinds=kinds, scene=scene, language=language):
        typer.echo(str(path))


@app.command()
def compare(
    old: Annotated[Path, typer.Argument(help="Folder of a finished scan.")],
    new: Annotated[Path, typer.Argument(help="Folder of a later one.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the tables.")] = Path("compare"),
) -> None:
    """Compare two finished scans: the difference per unit and rule in people, and what caused it.

    Example: livingcircle compare outputs/2024 outputs/2025 -o outputs/compare
    """
    from livingcircle.compare import compare as run_compare

    found = run_compare(old, new)
    city = found.rows[(found.rows["level"] == "city") & (found.rows["covered_change"].fillna(0) != 0)]
    for row in city.itertuples():
        typer.echo(f"{row.rule}\t{row.walker}\t{row.covered_change:+,.0f}")
    for cause in found.causes.itertuples():
        typer.echo(f"{cause.cause}: {cause.what}")
    only = found.rows["side"].value_counts()
    typer.echo(f"rows only in the old scan: {only.get('old', 0)}, only in the new one: {only.get('new', 0)}")
    typer.echo(f"{found.save(output)}: compare.csv, compare_causes.csv")


@app.command()
def sheet(
    directory: Annotated[Path, typer.Argument(help="Folder of a finished scan.")],
    *,
    unit: Annotated[str, typer.Option("--unit", help="Id of the community.")],
    at: Annotated[str | None, typer.Option(help="LON,LAT to begin at, instead of where its people live.")] = None,
    minutes: Annotated[str, typer.Option(help="The bands.")] = "5,10,15",
    walker: Annotated[str | None, typer.Option("--walker", help="Who walks; by default as in the scan.")] = None,
    paper: Annotated[str, typer.Option(help="A4 or A3.")] = "A4",
    study: Annotated[
        Path | None, typer.Option(help="The study file, where the inputs are not where they were.")
    ] = None,
    output: Annotated[list[Path] | None, typer.Option("-o", "--output", help="PDF or PNG; may be repeated.")] = None,
) -> None:
    """Make one page about one place for a hearing (生活圈单页): its circle, who lives inside, what is missing.

    Example: livingcircle sheet outputs/demo --unit SY004 --paper A3 -o sheet.pdf -o sheet.png
    """
    from livingcircle.sheet import save_sheet, scanned_sheet

    with _progress() as say:
        page = scanned_sheet(
            directory,
            unit,
            at=_point(at) if at else None,
            minutes=_numbers(minutes, "--minutes"),
            walker=walker,
            study=study,
            progress=say,
        )
    for path in output or [Path("sheet.pdf")]:
        typer.echo(str(save_sheet(page, path, paper=paper)))


@app.command()
def explain(
    directory: Annotated[Path, typer.Argument(help="Folder of a finished scan.")],
    *,
    unit: Annotated[str, typer.Option(help="Id of a community, subdistrict or district; or city.")],
    rule: Annotated[str, typer.Option(help="Id of a rule.")],
    walker: Annotated[str | None, typer.Option("--walker", help="Who walks; by default who scores.")] = None,
    gates: Annotated[str | None, typer.Option(help="respect or open; by default as scored.")] = None,
    study: Annotated[
        Path | None, typer.Option(help="The study file, where the inputs are not where they were.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print plain values instead of sentences.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="GeoJSON of the way that is too long.")] = None,
) -> None:
    """Tell why a unit has its share of a rule: the sum, the places that counted, a way that is just too long.

    Example: livingcircle explain outputs/demo --unit SY032 --rule gb50180_2018_primary_school -o explain.geojson
    """
    import json

    from livingcircle.explain import explain as run_explain

    with _progress() as say:
        found = run_explain(directory, unit, rule, walker=walker, gates=gates, study=study, progress=say)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=2))
    else:
        for line in found.lines():
            typer.echo(line)
    if output:
        typer.echo(str(found.save(output)), err=as_json)


@app.command()
def standards(
    name: Annotated[str | None, typer.Argument(help="Bundle, standard, or TOML file of rules.")] = None,
    *,
    unverified: Annotated[bool, typer.Option("--unverified", help="Only rules that nobody has checked yet.")] = False,
) -> None:
    """List standards and bundles; or the rules of one, a line each, with clause and confidence.

    With --unverified: what is still to be compared with the printed standards, of one or of all.

    Example: livingcircle standards gb50180-2018
    """
    from livingcircle.standards import checklist, describe, list_standards, load_standard

    if unverified:
        for line in checklist(name):
            typer.echo(line)
        typer.echo("Compared one? In a file of your own: [[verified]] rule = …, by = …, date = …, page = …", err=True)
        return
    if name is None:
        for entry in list_standards():
            typer.echo(f"{entry.id}\t{entry.kind}\t{entry.n_rules} rules\t{entry.title}")
        return
    for line in describe(load_standard(name)):
        typer.echo(line)


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


def _ground(
    study: Path | None, walker: str | None, *, streets_columns: str | None, **options: Path | None
) -> tuple[Ground, Walker]:
    """Read the streets of a study or of the options, tell what is not known of them, and find who walks."""
    from livingcircle.ground import chosen_ground
    from livingcircle.study import StudyOptions

    given = StudyOptions.model_validate({**options, "streets_columns": _columns(streets_columns)})
    ground, who = chosen_ground(study, given, walker=walker)
    for note in ground.notes:
        typer.echo(f"note: {note}", err=True)
    return ground, who


def _columns(text: str | None) -> dict[str, str]:
    """Return which column holds what, from role=heading pairs with commas between."""
    pairs = [pair.split("=") for pair in text.split(",")] if text else []
    if any(len(pair) != 2 or not all(part.strip() for part in pair) for pair in pairs):
        raise UsageError("--streets-columns is unclear", got=repr(text), expected="role=heading, such as u=from,v=to")
    return {role.strip(): heading.strip() for role, heading in pairs}


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

    with _progress() as say:
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
    with _progress() as say:
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


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show the running stage: a spinner on a terminal, plain lines elsewhere."""
    if not sys.stderr.isatty():
        yield lambda text: typer.echo(text, err=True)
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("starting") as status:
        yield status.update


def _point(text: str) -> tuple[float, float]:
    values = _numbers(text, "--at")
    if len(values) != 2 or not (-180 <= values[0] <= 180 and -90 <= values[1] <= 90):
        raise UsageError("--at is not a place", got=repr(text), expected="LON,LAT in degrees, for example 104.07,30.67")
    return values[0], values[1]


def _numbers(text: str, option: str) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{option} takes numbers with commas between", got=repr(text)) from None
    if option != "--at" and not all(0 < v < 1e6 for v in values):
        raise UsageError(f"{option} takes numbers above 0", got=repr(text))
    return values


def _complain(text: str) -> None:
    typer.echo(f"livingcircle: {text}", err=True)


if __name__ == "__main__":
    main()
