"""The program: its name, its commands, and how a mistake ends."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import Annotated, Any

import typer

from livingcircle.cli._completion import PROGRAM, NamedShells
from livingcircle.cli._telling import Tongue, tongue_of_words
from livingcircle.interrupts import interruptible
from livingcircle.said_zh import said
from livingcircle_layers.errors import LivingCircleError, ResultWarning, UsageError

app = typer.Typer(
    name=PROGRAM,
    cls=NamedShells,
    help="Who can walk to which service within the standard (15分钟社区生活圈).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=True,
)


def run(arguments: list[str] | None = None) -> None:
    """Run the command line; a user's mistake ends in one line, never in a traceback."""
    given = sys.argv[1:] if arguments is None else arguments
    tongue = tongue_of_words(given)
    try:
        with _told_warnings(tongue), interruptible(next((word for word in given if not word.startswith("-")), "")):
            app(args=arguments)
    except LivingCircleError as fault:
        if "--debug" in given:
            raise
        _complain(str(fault), tongue)
        sys.exit(2 if isinstance(fault, UsageError) else 1)


@contextmanager
def _told_warnings(tongue: Tongue) -> Iterator[None]:
    """Print what is said about a result as a line, not as a place in the code."""
    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, ResultWarning):
            typer.echo(said(f"note: {message}", tongue), err=True)
        else:
            usual(message, category, *place, **more)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = usual


def _tell_version(asked: bool) -> None:  # noqa: FBT001  as typer calls it
    if asked:
        typer.echo(f"{PROGRAM} {metadata.version(PROGRAM)}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_tell_version)
    ] = False,
) -> None:
    del debug, version  # read by main(), where errors end; told by its own callback


def _complain(text: str, tongue: Tongue) -> None:
    for line in text.splitlines():
        typer.echo(f"livingcircle: {said(line, tongue)}", err=True)
