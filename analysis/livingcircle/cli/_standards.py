"""The command that lists standards and their rules."""

from __future__ import annotations

from typing import Annotated

import typer

from livingcircle.cli._app import app


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
