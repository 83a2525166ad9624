"""What several commands take, and how it is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livingcircle.cli._completion import sources, walkers
from livingcircle.cli._telling import known_language as known_language  # noqa: PLC0414  what most commands use
from livingcircle.cli._telling import progress as progress  # noqa: PLC0414
from livingcircle.cli._telling import tongue_of
from livingcircle.said_zh import said
from livingcircle_layers.errors import UsageError

if TYPE_CHECKING:
    from livingcircle.ground import Ground
    from livingcircle.walkers import Walker

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
FacilityFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--facilities",
        help="FILE (classified), SERVICE=FILE (replaces OSM), +SERVICE=FILE (adds).",
        autocompletion=sources,
    ),
]
WalkerName = Annotated[
    str | None,
    typer.Option(
        "--walker",
        help="adult (default, or the first of the study), elder, child_primary, caregiver_small_child, wheelchair.",
        autocompletion=walkers,
    ),
]


def chosen_walk(
    study: Path | None, walker: str | None, *, streets_columns: str | None, language: str, **options: Path | None
) -> tuple[Ground, Walker]:
    """Read the streets of a study or of the options, tell what is not known of them, and find who walks."""
    from livingcircle.ground import chosen_ground
    from livingcircle.study import StudyOptions

    given = StudyOptions.model_validate({**options, "streets_columns": columns(streets_columns)})
    ground, who = chosen_ground(study, given, walker=walker)
    for note in ground.notes:
        typer.echo(said(f"note: {note}", tongue_of(language)), err=True)
    return ground, who


def columns(text: str | None) -> dict[str, str]:
    """Return which column holds what, from role=heading pairs with commas between."""
    pairs = [pair.split("=") for pair in text.split(",")] if text else []
    if any(len(pair) != 2 or not all(part.strip() for part in pair) for pair in pairs):
        raise UsageError("--streets-columns is unclear", got=repr(text), expected="role=heading, such as u=from,v=to")
    return {role.strip(): heading.strip() for role, heading in pairs}


def point(text: str) -> tuple[float, float]:
    values = numbers(text, "--at")
    if len(values) != 2 or not (-180 <= values[0] <= 180 and -90 <= values[1] <= 90):
        raise UsageError("--at is not a place", got=repr(text), expected="LON,LAT in degrees, for example 104.07,30.67")
    return values[0], values[1]


def numbers(text: str, option: str) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{option} takes numbers with commas between", got=repr(text)) from None
    if option != "--at" and not all(0 < v < 1e6 for v in values):
        raise UsageError(f"{option} takes numbers above 0", got=repr(text))
    return values
