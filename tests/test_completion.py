"""What the shell proposes, and what is said of a word that was mistyped."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from livingcircle.cli import app
from livingcircle.cli._completion import sources, standards, walkers
from livingcircle.study import find_walkers
from livingcircle_layers.errors import UsageError

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def proposed(typed: str) -> str:
    """Return what bash is told for a command line that ends at its last word."""
    words = typed.split(" ")
    told = {"_LIVINGCIRCLE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
    return CliRunner().invoke(app, [], prog_name="livingcircle", env=told).output


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("livingcircle sc", "scan"),
        ("livingcircle scan --standard che", "chengdu"),
        ("livingcircle scan --walker el", "elder"),
        ("livingcircle scan --facilities kinder", "kindergarten="),
        ("livingcircle fetch --standard nat", "national"),
        ("livingcircle isochrone --walker whe", "wheelchair"),
    ],
)
def test_the_shell_proposes_words(typed: str, word: str) -> None:
    assert word in proposed(typed)


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("bash", "complete -o default -F _livingcircle_completion livingcircle"),
        ("zsh", "#compdef livingcircle"),
        ("fish", "complete --command livingcircle --no-files"),
        ("powershell", "Register-ArgumentCompleter -Native -CommandName livingcircle"),
    ],
)
def test_the_script_of_a_named_shell_is_shown(shell: str, line: str) -> None:
    shown = CliRunner().invoke(app, ["--show-completion", shell])
    assert shown.exit_code == 0
    assert line in shown.output
    assert f"_LIVINGCIRCLE_COMPLETE=complete_{shell}" in shown.output.replace('"', "").replace(" = ", "=")


@pytest.mark.parametrize(("shell", "file"), [("zsh", ".zfunc/_livingcircle"), ("fish", ".config/fish/completions")])
def test_the_script_of_a_named_shell_is_installed(
    shell: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    ended = CliRunner().invoke(app, ["--install-completion", shell])
    assert ended.exit_code == 0, ended.output
    assert f"completion of {shell}" in ended.output
    assert (tmp_path / file).exists()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_told_the_same_words(shell: str) -> None:
    told = {"_LIVINGCIRCLE_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": "livingcircle scan --standard che"}
    told["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    assert "chengdu" in CliRunner().invoke(app, [], prog_name="livingcircle", env=told).output


def test_only_words_that_begin_as_typed_are_proposed() -> None:
    assert walkers("e") == ["elder"]
    assert standards("zzz") == []
    assert [word for word, _ in sources("+kinderg")] == ["+kindergarten="]


def test_a_mistyped_walker_is_told_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'elder'"):
        find_walkers(["eldr"])


@pytest.mark.parametrize("command", COMMANDS)
def test_the_example_of_every_command_parses(command: str) -> None:
    found = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    text = str(found.help).partition("Example: ")[2]
    examples = [part.replace("\\\n", " ") for part in ("\n" + text).split("\nlivingcircle ")[1:]]
    assert examples, f"{command} shows no example"
    for example in examples:
        words = shlex.split(example.split("\n\n")[0])
        assert words[0] == command
        found.make_context(command, words[1:])
