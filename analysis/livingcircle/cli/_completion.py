"""What the shell proposes for the value of an option, and the script that makes it do so."""

from __future__ import annotations

from typing import Any

import typer
from typer._completion_shared import Shells, get_completion_script, install
from typer.core import TyperGroup

PROGRAM = "livingcircle"
_SPELLINGS = {"--language": "--lang"}  # how some commands once called it


class NamedShells(TyperGroup):
    """The program's options on completion, which by themselves mean the shell they run in, also take one by its name.

    So a script can be made for the shell of another computer, or where the running one cannot be told.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Print or install the script of a shell that is named behind the option; else parse as ever."""
        args = [_SPELLINGS.get(word.partition("=")[0], word.partition("=")[0]) + "".join(word.partition("=")[1:])
                for word in args]  # fmt: skip
        option, shell = (*args, "", "")[:2]
        if shell in {known.value for known in Shells}:
            if option == "--show-completion":
                variable = f"_{PROGRAM.upper()}_COMPLETE"
                typer.echo(get_completion_script(prog_name=PROGRAM, complete_var=variable, shell=shell))
                ctx.exit()
            if option == "--install-completion":
                _, place = install(shell=shell, prog_name=PROGRAM)
                typer.echo(f"{place}: completion of {shell}, from its next start on")
                ctx.exit()
        return super().parse_args(ctx, args)


def standards(incomplete: str) -> list[tuple[str, str]]:
    """Return bundles and standards that begin with what is typed, with their titles."""
    from livingcircle.standards import list_standards

    return [(entry.id, entry.title) for entry in list_standards() if entry.id.startswith(incomplete)]


def walkers(incomplete: str) -> list[str]:
    """Return walkers that begin with what is typed."""
    from livingcircle.walkers import WALKERS

    return [name for name in WALKERS if name.startswith(incomplete)]


def sources(incomplete: str) -> list[tuple[str, str]]:
    """Return the services of which a file may be given, as SERVICE= or +SERVICE=, with their names."""
    from livingcircle_layers.catalogue import load_catalogue

    plus, typed = ("+", incomplete[1:]) if incomplete.startswith("+") else ("", incomplete)
    services = load_catalogue().services.values()
    return [(f"{plus}{service.id}=", service.name_zh) for service in services if service.id.startswith(typed)]
