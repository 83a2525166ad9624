"""Commands about inputs: init, fetch, extract and check."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livingcircle.cli._app import app
from livingcircle.cli._completion import standards
from livingcircle.cli._telling import AsEvents, Language, Quiet, telling, tongue_of
from livingcircle.cli._words import FacilityFiles, progress
from livingcircle.said_zh import said

if TYPE_CHECKING:
    from livingcircle.starting import Question


@app.command()
def init(  # noqa: PLR0913  one parameter for each option
    folder: Annotated[
        Path, typer.Argument(help="Folder of the study; what lies in it is proposed.", show_default=False)
    ] = Path(),
    *,
    osm: Annotated[str | None, typer.Option(help="OpenStreetMap extract.")] = None,
    communities: Annotated[
        str | None, typer.Option(help="Polygons (FILE#LAYER of a GeoPackage), or grid:500, hex:500, osm:8.")
    ] = None,
    population: Annotated[
        str | None, typer.Option(help="Table or GeoTIFF; density=FILE if it is people per km²; none.")
    ] = None,
    facilities: FacilityFiles = None,
    standard: Annotated[
        str | None,
        typer.Option(
            help="Bundle, standard, or TOML file; proposed by where the streets lie.", autocompletion=standards
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Title of the map; by default the name of the folder.")] = None,
    datum: Annotated[
        list[str] | None,
        typer.Option(help="FILE=gcj02, bd09, cgcs2000 or wgs84: of a file of your own; may be repeated."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a study file that is there.")] = False,
    language: Language = "",
) -> None:
    """Begin a study: asks for its files, checks each at once, and writes a commented study.toml.

    On a terminal everything that no option says is asked for; elsewhere --osm and --communities must be given.

    Example: livingcircle init jinjiang
    """
    from livingcircle.starting import Answers, start_study

    tongue = tongue_of(language)

    def say(text: str) -> None:
        typer.echo(said(text, tongue))

    given = Answers(
        osm, communities, population, tuple(facilities) if facilities else None, standard, name, tuple(datum or ())
    )
    study = start_study(folder, given, ask=_ask if on_terminal() else None, say=say, force=force)
    typer.echo(said(f"{study}: next, livingcircle check {study}", tongue))


def on_terminal() -> bool:
    """Tell whether somebody can be asked."""
    return sys.stdin.isatty()


def _ask(question: Question) -> str:
    """Put a question, with its proposals by number; Enter takes the first."""
    typer.echo(f"\n{question.words}")
    for number, proposal in enumerate(question.proposals, start=1):
        typer.echo(f"  {number}  {proposal}")
    shown = question.default is not None
    return str(typer.prompt("  >", default=question.default or "", show_default=shown, prompt_suffix=" "))


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
        str | None,
        typer.Option(
            help="Of the study; by default national in China, international elsewhere.", autocompletion=standards
        ),
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
    language: Language = "",
) -> None:
    """Download streets, services and land from OpenStreetMap, as a study that scans as it is.

    Says first which hosts will be asked. Sends a name or a box in degrees, never your outlines.

    Example: livingcircle fetch --place 成都市锦江区 -o jinjiang
    """
    from livingcircle.fetch import fetch as run_fetch
    from livingcircle.fetch import parse_box
    from livingcircle_layers.overpass import NOMINATIM, OVERPASS, Servers

    tongue = tongue_of(language)

    def say(text: str) -> None:
        typer.echo(said(text, tongue))

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
        say=say,
    )
    for note in found.notes:
        say(note)
    typer.echo(said(f"{found.study}: next, livingcircle check {found.study}", tongue))


@app.command()
def extract(
    source: Annotated[Path, typer.Argument(help="OpenStreetMap file of a country or region.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="The new file, .osm.pbf.")],
    communities: Annotated[Path | None, typer.Option(help="Communities: the area they cover.")] = None,
    bbox: Annotated[str | None, typer.Option(help="The area: W,S,E,N in degrees.")] = None,
    study: Annotated[Path | None, typer.Option(help="Study file, also of many districts: its communities.")] = None,
    margin_m: Annotated[
        float | None,
        typer.Option("--margin-m", min=0, max=100_000, help="Kept beyond the area, metres; by default all in reach."),
    ] = None,
    as_events: AsEvents = False,
    quiet: Quiet = False,
    language: Language = "",
) -> None:
    """Cut the area of a study out of the OpenStreetMap file of a country, with all that can be walked to.

    Example: livingcircle extract china.osm.pbf --study city.toml -o city.osm.pbf
    """
    from livingcircle.events import Result
    from livingcircle.extract import extract as run_extract
    from livingcircle.fetch import parse_box

    with telling("extract", quiet=quiet, as_events=as_events, language=language) as teller:
        box = parse_box(bbox) if bbox else None
        made = run_extract(
            source,
            output,
            communities=communities,
            bbox=box,
            study=study,
            margin_m=margin_m,
            progress=teller.progress,
        )
        teller.last(said(made.line(), "zh"), made.line())
        teller.result(Result(0, str(made.path.parent), (made.path.name,)))


@app.command()
def check(
    study: Annotated[Path, typer.Argument(help="Study file (TOML), also of many districts.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print plain values instead of sentences.")] = False,
    language: Language = "",
) -> None:
    """Validate and describe every input of a study, or of each district of a batch; measures no walk.

    Example: livingcircle check city.toml
    """
    import json

    from livingcircle.batch import Batch, is_batch
    from livingcircle.batch_check import BatchCheck, check_batch
    from livingcircle.check import StudyCheck, check_study
    from livingcircle.study import Study

    tongue = tongue_of(language)
    page: StudyCheck | BatchCheck
    with progress(tongue) as say:
        if is_batch(study):
            page = check_batch(Batch.load(study), progress=say)
        else:
            page = check_study(Study.load(study), progress=say)
    if as_json:
        typer.echo(json.dumps(page.as_dict(), ensure_ascii=False, indent=2))
    else:
        for line in page.lines():
            typer.echo(said(line, tongue))
    if isinstance(page, BatchCheck) and page.failed:
        raise typer.Exit(3)
