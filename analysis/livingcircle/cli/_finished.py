"""Commands on finished scans: map, charts, report, compare, sheet and explain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from livingcircle.cli._app import app
from livingcircle.cli._completion import walkers
from livingcircle.cli._telling import Language, tongue_of
from livingcircle.cli._words import known_language, numbers, point, progress
from livingcircle.said_zh import said
from livingcircle_layers.errors import UsageError

DrawnIn = Annotated[
    str, typer.Option("--lang", help="Language of the pictures, of the Word report and of what is printed: zh or en.")
]


@app.command("map")
def map_(
    directory: Annotated[Path, typer.Argument(help="Folder of a finished scan.")],
    *,
    png: Annotated[bool, typer.Option("--png", help="Also a picture, A3 landscape (needs Chromium).")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also a PDF, A3 landscape (needs Chromium).")] = False,
    scene: Annotated[str, typer.Option(help="Number of the scene that is drawn, or all.")] = "",
    language: DrawnIn = "zh",
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
    known_language(language)
    if not kinds:
        typer.echo(str(save_map(load_result(directory), directory)))
        return
    for path in map_pictures(directory, kinds=kinds, scene=scene, language=language):
        typer.echo(str(path))


@app.command()
def charts(
    directory: Annotated[Path, typer.Argument(help="Folder of a finished scan.")],
    *,
    unit: Annotated[str, typer.Option(help="Id of a district; by default the whole city.")] = "city",
    rule: Annotated[
        str, typer.Option(help="Rule of the chart of distances; by default the one most people go without.")
    ] = "",
    before: Annotated[Path | None, typer.Option(help="Folder of an earlier scan, for before and after.")] = None,
    svg: Annotated[bool, typer.Option("--svg", help="SVG instead of PNG.")] = False,
    language: DrawnIn = "zh",
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the charts.")] = Path("charts"),
) -> None:
    """Draw charts of a finished scan: ranking, Lorenz curve, how far people walk; and before and after.

    Example: livingcircle charts outputs/demo --before outputs/2024 -o outputs/charts
    """
    from livingcircle.charts import save_charts

    files, missing = save_charts(
        directory,
        output,
        form="svg" if svg else "png",
        unit=unit,
        rule=rule,
        before=before,
        language=known_language(language),
    )
    for reason in missing:
        typer.echo(said(f"note: {reason}", language), err=True)
    for path in files:
        typer.echo(str(path))


@app.command()
def report(
    directory: Annotated[Path | None, typer.Argument(help="Folder of a finished scan.")] = None,
    *,
    docx: Annotated[bool, typer.Option("--docx", help="Word reports, one per district, instead of Excel.")] = False,
    district: Annotated[list[str] | None, typer.Option(help="Id of a district, or city; may be repeated.")] = None,
    template: Annotated[Path | None, typer.Option(help="A template of your own (.docx).")] = None,
    headings: Annotated[str, typer.Option(help="themes, scenes7 (七大场景) or scenes9 (九场景).")] = "themes",
    language: DrawnIn = "zh",
    no_map: Annotated[bool, typer.Option("--no-map", help="Leave the scenes of the map out.")] = False,
    write_template: Annotated[
        Path | None, typer.Option(help="Write the shipped template to this file, to be edited.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder; by default that of the scan.")] = None,
) -> None:
    """Write the Excel report of a finished scan again, or a Word report for each of its districts.

    Example: livingcircle report outputs/demo --docx --headings scenes7 -o outputs/word
    """
    from livingcircle.saved import load_result, save_report
    from livingcircle.word_report import WordChoices, word_reports
    from livingcircle.word_report import write_template as write

    tongue = known_language(language)
    if write_template is not None:
        typer.echo(str(write(write_template, language=tongue)))
        return
    if directory is None:
        raise UsageError("the folder of a scan is missing", expected="livingcircle report DIR")
    if not docx:
        if district or template or no_map or headings != "themes":
            raise UsageError("--district, --template, --headings and --no-map are for Word", remedy="add --docx")
        typer.echo(str(save_report(load_result(directory), output or directory)))
        return
    chosen = WordChoices(template=template, headings=headings, language=tongue, with_map=not no_map)
    with progress(tongue) as say:
        made = word_reports(directory, output, districts=district or (), choices=chosen, progress=say)
    for path in made:
        typer.echo(str(path))


@app.command()
def compare(
    old: Annotated[Path, typer.Argument(help="Folder of a finished scan.")],
    new: Annotated[Path, typer.Argument(help="Folder of a later one.")],
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the tables.")] = Path("compare"),
    language: Language = "",
) -> None:
    """Compare two finished scans: the difference per unit and rule in people, and what caused it.

    Example: livingcircle compare outputs/2024 outputs/2025 -o outputs/compare
    """
    from livingcircle.compare import compare as run_compare

    tongue = tongue_of(language)
    found = run_compare(old, new)
    for line in found.city_lines(tongue) or [said("no rule covers more or fewer in the whole city", tongue)]:
        typer.echo(line)
    for line in found.cause_lines():
        typer.echo(said(line, tongue))
    only = found.rows["side"].value_counts()
    typer.echo(
        said(f"rows only in the old scan: {only.get('old', 0)}, only in the new one: {only.get('new', 0)}", tongue)
    )
    typer.echo(f"{found.save(output)}: compare.xlsx, compare.csv, compare_causes.csv")


@app.command()
def sheet(
    directory: Annotated[Path, typer.Argument(help="Folder of a finished scan.")],
    *,
    unit: Annotated[str, typer.Option("--unit", help="Id or name of the community.")],
    at: Annotated[str | None, typer.Option(help="LON,LAT to begin at, instead of where its people live.")] = None,
    minutes: Annotated[str, typer.Option(help="The bands.")] = "5,10,15",
    walker: Annotated[
        str | None, typer.Option("--walker", help="Who walks; by default as in the scan.", autocompletion=walkers)
    ] = None,
    paper: Annotated[str, typer.Option(help="A4 or A3.")] = "A4",
    study: Annotated[
        Path | None, typer.Option(help="The study file, where the inputs are not where they were.")
    ] = None,
    output: Annotated[list[Path] | None, typer.Option("-o", "--output", help="PDF or PNG; may be repeated.")] = None,
    language: Language = "",
) -> None:
    """Make one page about one place for a hearing (生活圈单页): its circle, who lives inside, what is missing.

    Example: livingcircle sheet outputs/demo --unit SY004 --paper A3 -o sheet.pdf -o sheet.png
    """
    from livingcircle.sheet import check_sheet_file, save_sheet, scanned_sheet

    files = output or [Path("sheet.pdf")]
    for path in files:
        check_sheet_file(path, paper=paper)
    with progress(tongue_of(language)) as say:
        page = scanned_sheet(
            directory,
            unit,
            at=point(at) if at else None,
            minutes=numbers(minutes, "--minutes"),
            walker=walker,
            study=study,
            progress=say,
        )
    for path in files:
        typer.echo(str(save_sheet(page, path, paper=paper)))


@app.command()
def explain(
    directory: Annotated[Path, typer.Argument(help="Folder of a finished scan.")],
    *,
    unit: Annotated[str, typer.Option(help="Id or name of a community, subdistrict or district; or city.")],
    rule: Annotated[str, typer.Option(help="Id of a rule.")],
    walker: Annotated[
        str | None, typer.Option("--walker", help="Who walks; by default who scores.", autocompletion=walkers)
    ] = None,
    gates: Annotated[str | None, typer.Option(help="respect or open; by default as scored.")] = None,
    study: Annotated[
        Path | None, typer.Option(help="The study file, where the inputs are not where they were.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print plain values instead of sentences.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="GeoJSON of the way that is too long.")] = None,
    language: Language = "",
) -> None:
    """Tell why a unit has its share of a rule: the sum, the places that counted, a way that is just too long.

    Example: livingcircle explain outputs/demo --unit SY032 --rule gb50180_2018_primary_school -o explain.geojson
    """
    import json

    from livingcircle.explain import explain as run_explain

    with progress(tongue_of(language)) as say:
        found = run_explain(directory, unit, rule, walker=walker, gates=gates, study=study, progress=say)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=2))
    else:
        for line in found.lines():
            typer.echo(line)
    if output:
        typer.echo(str(found.save(output)), err=as_json)
