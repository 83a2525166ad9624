"""Commands for single walks: streets, matrix and isochrone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from livingcircle.cli._app import app
from livingcircle.cli._telling import Language, tongue_of
from livingcircle.cli._words import (
    Heights,
    OsmFile,
    StreetColumns,
    StreetLayer,
    StudyFile,
    WalkerName,
    chosen_walk,
    numbers,
    point,
)
from livingcircle.said_zh import said
from livingcircle_layers.errors import UsageError


@app.command()
def streets(
    osm: OsmFile,
    output: Annotated[Path, typer.Option("-o", "--output", help="GeoPackage to write.")] = Path("streets.gpkg"),
    *,
    language: Language = "",
) -> None:
    """Write the walking network of an OpenStreetMap file: layers nodes and edges.

    Example: livingcircle streets --osm city.osm.pbf -o streets.gpkg
    """
    from livingcircle.network import WalkNetwork
    from livingcircle.saved import save_streets
    from livingcircle_layers.osm import ATTRIBUTION, LICENCE

    network = WalkNetwork.from_osm(osm)
    save_streets(network.streets, output, credit=f"{ATTRIBUTION}, {LICENCE}")
    typer.echo(
        said(f"{output}: {len(network.streets.node_id)} nodes, {len(network.streets.tail)} edges", tongue_of(language))
    )


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
    language: Language = "",
) -> None:
    """Write the walks between origins and destinations; pairs that are not reached are left out.

    Example: livingcircle matrix --osm city.osm.pbf --origins homes.csv --destinations schools.csv -o M.csv
    """
    from livingcircle.matrix import matrix_table
    from livingcircle.saved import save_matrix

    ground, who = chosen_walk(
        study, walker, osm=osm, streets=streets, streets_columns=streets_columns, dem=dem, language=language
    )
    table, lost = matrix_table(ground, origins, destinations, limit_m=limit_m, walker=who, nearest=nearest)
    save_matrix(table, output)
    for line in lost:
        typer.echo(said(line, tongue_of(language)), err=True)
    typer.echo(said(f"{output}: {len(table)} pairs within {limit_m:g} m", tongue_of(language)))


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
    language: Language = "",
) -> None:
    """Draw the circles that can be walked from a point (生活圈).

    Example: livingcircle isochrone --osm city.osm.pbf --at 104.07,30.67 --minutes 5,10,15 -o I.geojson
    """
    from livingcircle.circles import isochrones
    from livingcircle.saved import save_geojson

    if (minutes is None) == (metres is None):
        raise UsageError("say how far: --minutes or --metres, one of them", got="both" if minutes else "neither")
    points = np.array([point(text) for text in at])
    ground, who = chosen_walk(
        study, walker, osm=osm, streets=streets, streets_columns=streets_columns, dem=dem, language=language
    )
    frame = isochrones(
        ground.network,
        ground.barriers,
        points,
        minutes=numbers(minutes, "--minutes") if minutes else None,
        metres=numbers(metres, "--metres") if metres else None,
        walker=who,
    )
    save_geojson(frame, output)
    typer.echo(said(f"{output}: {len(frame)} circles", tongue_of(language)))
