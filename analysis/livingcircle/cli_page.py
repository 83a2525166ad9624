"""The reference page of the command line: ``python -m livingcircle.cli_page > docs/command-line.md``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from typer.models import ArgumentInfo, Context, ParamMeta
from typer.utils import get_params_from_function

from livingcircle.cli import app

_HEAD = """# Command line 命令行

Made by `python -m livingcircle.cli_page > docs/command-line.md`; do not edit by hand.

`livingcircle COMMAND --help` prints the same. Exit codes: 0 done; 1 bad data, one line that says what, got, expected
and the remedy; 2 wrong usage; 3 a batch finished but some districts failed.
"""
_VALUES = {Path: "PATH", str: "TEXT", int: "NUMBER", float: "NUMBER"}
_EXAMPLE = "Example:"


def reference_page() -> str:
    """Return the Markdown page of all commands with their examples, arguments and options."""
    lines = [_HEAD]
    if app.registered_callback is not None and app.registered_callback.callback is not None:
        lines += ["## Before every command", "", *_table(app.registered_callback.callback)]
    for command in app.registered_commands:
        if command.callback is None or command.hidden:
            continue
        name = command.name or command.callback.__name__.replace("_", "-")
        words, example = _told(command.callback)
        lines += [f"## {name}", "", words, "", "```sh", *example, "```", "", *_table(command.callback)]
    return "\n".join(lines).rstrip() + "\n"


def _told(command: Callable[..., Any]) -> tuple[str, list[str]]:
    """Return what a docstring says, and its example as a shell takes it: a line that goes on ends in a backslash."""
    words, _, example = (inspect.getdoc(command) or "").partition(_EXAMPLE)
    lines = [line.strip() for line in example.strip().splitlines()]
    goes_on = [not after.startswith("livingcircle ") for after in lines[1:]]
    return words.strip(), [f"{line} \\" if more else line for line, more in zip(lines, [*goes_on, False], strict=True)]


def _table(command: Callable[..., Any]) -> list[str]:
    rows = [row for meta in get_params_from_function(command).values() for row in _row(meta)]
    return ["| what | meaning | default |", "|---|---|---|", *rows, ""] if rows else []


def _row(meta: ParamMeta) -> Iterator[str]:
    info = meta.default
    if meta.annotation is Context or getattr(info, "hidden", False):  # a context is nothing that is typed
        return
    kind, many = _kind(meta.annotation)
    if isinstance(info, ArgumentInfo):
        name = f"`{meta.name.upper()}`"
    else:
        names = ", ".join(info.param_decls or ("--" + meta.name.replace("_", "-"),))
        name = f"`{names}`" if kind is bool else f"`{names} {_VALUES.get(kind, 'TEXT')}`"
    help_ = " ".join((info.help or "").split())
    if many and "repeated" not in help_:
        help_ = f"{help_.rstrip('.')}; may be repeated."
    yield "| " + " | ".join(part.replace("|", "\\|") for part in (name, help_, _default(info.default))) + " |"


def _kind(annotation: Any) -> tuple[Any, bool]:
    """Return the type of one value, and whether there may be several."""
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    if get_origin(annotation) is list:
        return get_args(annotation)[0], True
    return annotation, False


def _default(value: Any) -> str:
    if value is ...:
        return "must be given"
    if value in (None, False, ""):
        return ""
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(reference_page())
