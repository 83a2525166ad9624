"""The command line: parses, calls one library function, prints."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from livingcircle.interrupts import ended_at_once

if TYPE_CHECKING:
    from livingcircle.cli._commands import app

__all__ = ["app", "main"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; a user's mistake ends in one line, never in a traceback."""
    with ended_at_once():  # loading the libraries takes a moment, too
        from livingcircle.cli._commands import run

        run(arguments)


def __getattr__(name: str) -> Any:
    """Load the commands when they are first asked for: all of them, so that --help has them in its order."""
    if name.startswith("__"):
        raise AttributeError(name)
    commands = import_module("livingcircle.cli._commands")
    if name == "app":
        return commands.app
    raise AttributeError(f"module 'livingcircle.cli' has no attribute {name!r}")  # or a module of its own
