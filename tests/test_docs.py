"""The documentation says what the product does: made pages are fresh, and what they show runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel, TypeAdapter
from typer.utils import get_params_from_function

from livingcircle import cli_page, python_page, study, study_page
from livingcircle.cli import app
from livingcircle.study import Study

PROJECT = Path(__file__).parent.parent
DOCS = PROJECT / "docs"
FENCE = re.compile(r'^( *)```(\w+)(?: title="([^"]+)")?\n(.*?)^\1```$', re.MULTILINE | re.DOTALL)
SHOWN = sorted((*DOCS.glob("*.md"), *DOCS.glob("tasks/*.md"), *PROJECT.glob("README*.md")))


class Block(NamedTuple):
    """A piece of code on a page."""

    kind: str
    title: str
    text: str


def blocks(text: str) -> list[Block]:
    found = FENCE.findall(text)
    return [Block(kind, title, re.sub(f"^{indent}", "", code, flags=re.M)) for indent, kind, title, code in found]


def name_of(path: Path) -> str:
    return str(path.relative_to(PROJECT))


@pytest.mark.parametrize(
    ("page", "made", "module"),
    [
        ("command-line.md", cli_page.reference_page, "livingcircle.cli_page"),
        ("study-file.md", study_page.reference_page, "livingcircle.study_page"),
        ("python.md", python_page.reference_page, "livingcircle.python_page"),
    ],
)
def test_made_pages_are_fresh(page: str, made: Any, module: str) -> None:
    written = (DOCS / page).read_text(encoding="utf-8")
    assert written == made(), f"python -m {module} > docs/{page}"


def test_every_command_shows_an_example() -> None:
    page = cli_page.reference_page()
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        shown = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert f"```sh\nlivingcircle {name}" in shown


def test_a_key_without_words_stops_the_page() -> None:
    class Mute(BaseModel):
        key: int = 1

    with pytest.raises(ValueError, match=r"Mute\.key has no description"):
        study_page._table(Mute, Mute.model_fields)


def test_every_part_of_a_study_is_told() -> None:
    page = study_page.reference_page()
    for key, field in Study.model_fields.items():
        assert f"`{key}`" in page or f"## `[{key}]`" in page or f"## `[[{key}]]`" in page, (key, field)


def shell_lines() -> list[tuple[str, str]]:
    """Every call of livingcircle in the documentation, with its page."""
    found = []
    for path in SHOWN:
        text = path.read_text(encoding="utf-8")
        lines = [
            line for b in blocks(text) if b.kind in ("sh", "bat") for line in b.text.replace("\\\n", " ").splitlines()
        ]
        lines += re.findall(r"`(livingcircle [^`]+)`", text)
        calls = [line[line.find("livingcircle ") :] for line in lines if re.search(r"(^|/|&& )livingcircle ", line)]
        calls = [re.split(r"\s#\s", call)[0] for call in calls]
        calls = [call[call.rfind("livingcircle ") :] if "&&" in call else call for call in calls]
        found += [(name_of(path), call) for call in calls]
    return found


@pytest.mark.parametrize(("page", "call"), sorted(set(shell_lines())))
def test_commands_of_the_pages_exist(page: str, call: str) -> None:
    commands = {c.name or c.callback.__name__.replace("_", "-"): c.callback for c in app.registered_commands}
    words = shlex.split(call)[1:]
    if words[0].isupper() or words[0].startswith("-"):  # livingcircle COMMAND --help
        return
    assert words[0] in commands, f"{page} calls {words[0]}"
    options = {"--help", "--debug"}
    for meta in get_params_from_function(commands[words[0]]).values():
        options |= set(getattr(meta.default, "param_decls", None) or ["--" + meta.name.replace("_", "-")])
    unknown = {word for word in words if re.match(r"--?[a-z]", word)} - options
    assert not unknown, f"{page}: livingcircle {words[0]} does not take {unknown}"


def fragments() -> list[tuple[str, str]]:
    """Every piece of a study file on the pages of tasks and the first steps."""
    pages = [p for p in SHOWN if p.parent.name == "tasks" or p.name.startswith(("start", "extending", "README"))]
    found = [(p, b) for p in pages for b in blocks(p.read_text(encoding="utf-8")) if b.kind == "toml"]
    return [(name_of(page), block.text) for page, block in found if block.title in ("", "in the study")]


@pytest.mark.parametrize(("page", "text"), fragments())
def test_pieces_of_studies_are_legal(page: str, text: str) -> None:
    raw = tomllib.loads(text)
    for district in [raw, *raw.pop("district", [])]:
        assert study.unknown_keys(district, Study, page) == []
        for key, value in district.items():
            if "." not in key and not (district is not raw and isinstance(value, dict)):
                TypeAdapter(Study.model_fields[key].rebuild_annotation()).validate_python(value)


def test_every_output_file_is_told() -> None:
    told = (DOCS / "outputs.md").read_text(encoding="utf-8")
    dictionary = (DOCS / "data-dictionary.md").read_text(encoding="utf-8")
    files = set(re.findall(r"File: (\w+\.\w+)", dictionary)) | {"map.html", "report.xlsx", "run.json", "LICENCES.txt"}
    assert len(files) > 20
    assert {name for name in files if name not in told} == set()


def sections() -> dict[str, list[Block]]:
    parts = re.split(r"^## ", (DOCS / "extending.md").read_text(encoding="utf-8"), flags=re.M)[1:]
    return {part.splitlines()[0]: blocks(part) for part in parts if "```python" in part}


@pytest.mark.parametrize("what", ["A service", "A standard", "A walker", "A layer reader"])
def test_examples_of_extending_run(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = sections()[what]
    assert sum(len(piece.text.splitlines()) for piece in pieces) < 30
    monkeypatch.chdir(tmp_path)
    for piece in pieces:
        if "." in piece.title:
            Path(piece.title).write_text(piece.text, encoding="utf-8")
    assert pieces[-1].title == "try it"
    if not Path("pyproject.toml").exists():
        exec(compile(pieces[-1].text, what, "exec"), {})
        return
    install(tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"])
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    run = subprocess.run(
        [sys.executable, "-c", pieces[-1].text],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def install(project: dict[str, Any]) -> None:
    """Put into the folder what an installer writes about a package."""
    about = Path(f"{project['name'].replace('-', '_')}-{project['version']}.dist-info")
    about.mkdir()
    about.joinpath("METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8")
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in points.items())
        for group, points in project["entry-points"].items()
    ]
    about.joinpath("entry_points.txt").write_text("\n".join(lines), encoding="utf-8")


def test_dependencies_are_justified_line_by_line() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def package(requirement: str) -> str:
        return re.split(r"[\[<>=! ]", requirement)[0]

    wanted = {("", package(r)) for r in project["dependencies"]}
    for extra, requirements in project["optional-dependencies"].items():
        wanted |= {(extra, package(r)) for r in requirements} - {(extra, "livingcircle")}
    rows = [
        [cell.strip(" `") for cell in line.strip("|").split("|")]
        for line in (DOCS / "dependencies.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    rows = [row if len(row) == 5 else ["", *row] for row in rows]
    assert {(row[0], row[1]) for row in rows} == wanted
    assert len(rows) == len(wanted)
    assert all(all(row[1:]) for row in rows), "a cell is empty"
