"""The command that lists standards and their rules."""

from __future__ import annotations

from typing import Annotated

import typer

from livingcircle.cli._app import app
from livingcircle.cli._telling import Language, tongue_of
from livingcircle.said_zh import said


@app.command()
def standards(
    name: Annotated[str | None, typer.Argument(help="Bundle, standard, or TOML file of rules.")] = None,
    *,
    unverified: Annotated[bool, typer.Option("--unverified", help="Only rules that nobody has checked yet.")] = False,
    language: Language = "",
) -> None:
    """List standards and bundles; or the rules of one, a line each, with clause and confidence.

    With --unverified: what is still to be compared with the printed standards, of one or of all.

    Example: livingcircle standards gb50180-2018
    """
    tongue = tongue_of(language)
    from livingcircle.standards import checklist, describe, list_standards, load_standard

    if unverified:
        for line in checklist(name):
            typer.echo(line)
        asked = "Compared one? In a file of your own: [[verified]] rule = …, by = …, date = …, page = …"
        typer.echo(said(asked, tongue), err=True)
        return
    if name is None:
        for entry in list_standards():
            kind = {"bundle": "组合", "standard": "标准"}[entry.kind] if tongue == "zh" else entry.kind
            rules = f"{entry.n_rules} 条" if tongue == "zh" else f"{entry.n_rules} rules"
            typer.echo(f"{entry.id}\t{kind}\t{rules}\t{entry.title}")
        return
    for line in describe(load_standard(name, walkers=None)):
        typer.echo(line)
