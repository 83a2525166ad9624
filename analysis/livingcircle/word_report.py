"""The Word report of a finished scan: one file for each district, from a template that a planner can edit."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from livingcircle._word_content import BLOCKS, WORDS, District, all_blocks, caption, is_left_out, sheets_of, words_of
from livingcircle._word_page import (
    NOTE,
    PLACEHOLDER,
    Block,
    Picture,
    Words,
    check_placeholders,
    fill,
    open_template,
    paragraphs_of,
    write_document,
)
from livingcircle.charts import Language, communities_of, level_of
from livingcircle.headings import load_headings
from livingcircle.map_pictures import find_browser, scene_pictures
from livingcircle.output_folder import replaced_file
from livingcircle.progress import Event, Note
from livingcircle.result import ScanResult
from livingcircle.saved import load_result
from livingcircle_layers.errors import InputError, UsageError
from livingcircle_layers.typed_toml import unknown_word

if TYPE_CHECKING:
    from docx.document import Document

MAPS = "maps"  # the placeholder of the scenes of the map
NOT_IN_NAMES = re.compile(r'[\x00-\x1f\\/:*?"<>|]+')  # signs that some system has in no name of a file


@dataclass(frozen=True)
class WordChoices:
    """How Word reports are made: template (None: the shipped one), headings, language, with the map or without."""

    template: Path | None = None
    headings: str = "themes"
    language: Language = "zh"
    with_map: bool = True


def word_reports(
    directory: str | Path,
    output: str | Path | None = None,
    *,
    districts: Sequence[str] = (),
    choices: WordChoices | None = None,
    progress: Callable[[Event], None] | None = None,
) -> list[Path]:
    """Write a Word report for each district of a finished scan; equal results give equal bytes.

    Parameters
    ----------
    directory
        Folder of the scan.
    output
        Folder for the reports; by default that of the scan.
    districts
        Ids of districts, or city; by default every district, or the whole city where none is named.
    choices
        Template, headings, language and whether the scenes of the map are drawn.
    progress
        Called with an event when a report begins, and for every picture of the map.

    Returns
    -------
    list of pathlib.Path
        ``report-<district>.docx`` each; where two names would make one file, the id of the district is added, or
        a number.

    Raises
    ------
    InputError
        python-docx is not installed, the template cannot be used (all its faults at once), or the folder holds no
        finished scan.
    UsageError
        There is no such district, or there are no such headings.
    """
    chosen, say = choices or WordChoices(), progress or (lambda _: None)
    headings = load_headings(chosen.headings)
    template, source = _template(chosen)
    _open(template, source)
    result = load_result(directory)
    made, sheets = [], sheets_of(result)
    names = _file_names(result)
    for unit in _units(result, districts):
        it = District(result, level_of(result, unit), unit, chosen.language, headings, sheets)
        say(Note(f"writing the report of {it.name}"))
        path = Path(output or directory) / names[unit]
        document = _open(template, source)
        asked = {name for p in paragraphs_of(document) for name in PLACEHOLDER.findall(p.text)}
        blocks = all_blocks(it, sorted(asked))
        if MAPS in asked:
            blocks[MAPS] = _maps(it, say) if chosen.with_map else [_see_the_map(it)]
        fill(document, words_of(it), blocks, without=partial(is_left_out, it))
        with replaced_file(path) as stage:
            write_document(document, stage, title=f"{it.name} {words_of(it)['study']}")
        made.append(path)
    return made


def write_template(path: str | Path, *, language: Language = "zh") -> Path:
    """Write the shipped template, to be edited; a file that is there already stays.

    Raises
    ------
    UsageError
        The name does not end in .docx, or the file is there.
    """
    path = Path(path)
    if path.suffix.lower() != ".docx":
        raise UsageError("a template is a Word file", got=path.name, expected="a name that ends in .docx")
    if path.exists():
        raise UsageError("the file for the template is there already", got=path, remedy="choose another name")
    with replaced_file(path) as stage:
        stage.write_bytes(_shipped(language))
    return path


def _open(template: bytes, name: str) -> Document:
    """Open a template whose placeholders are all known and stand where they can."""
    document = open_template(io.BytesIO(template), name=name)
    check_placeholders(document, list(WORDS), [*BLOCKS, MAPS], name=name)
    return document


def _template(choices: WordChoices) -> tuple[bytes, str]:
    """Return a template and its name."""
    if choices.template is None:
        return _shipped(choices.language), "the shipped template"
    try:
        return choices.template.read_bytes(), choices.template.name
    except OSError as fault:
        raise InputError(f"the template {choices.template} cannot be read", got=fault.strerror) from fault


def _shipped(language: Language) -> bytes:
    return (files("livingcircle") / "data" / f"report.{language}.docx").read_bytes()


def _units(result: ScanResult, asked: Sequence[str]) -> list[str]:
    """Return the districts that get a report."""
    levels = result.scores[result.scores["level"].isin(("district", "city"))]
    known = dict(zip(levels["unit_id"], levels["level"], strict=True))
    if faults := [unknown_word("there is no such district", unit, known) for unit in asked if unit not in known]:
        raise UsageError("; ".join(faults), expected=", ".join(known))
    return list(asked) or [unit for unit, level in known.items() if level == "district"] or ["city"]


def _file_names(result: ScanResult) -> dict[str, str]:
    """Return the file of every district and of the city, whichever are asked for; no two are the same on any system."""
    levels = result.scores[result.scores["level"].isin(("district", "city"))].sort_values("unit_id")
    names, taken = {}, set[str]()
    for unit, name in zip(levels["unit_id"], levels["unit_name"], strict=True):
        plain, apart = (NOT_IN_NAMES.sub("-", text) for text in (name or unit, f"{name} {unit}"))
        wanted = (
            plain,
            *([apart] if name != unit else []),
            *(f"{plain} {number}" for number in range(2, len(levels) + 2)),
        )
        own = next(text for text in wanted if text.casefold() not in taken)
        taken.add(own.casefold())
        names[str(unit)] = f"report-{own}.docx"
    return names


def _see_the_map(it: District) -> Words:
    return Words(it.pick("未附地图;请在浏览器中打开 map.html。", "Without maps: open map.html in a browser."), NOTE)


def _maps(it: District, say: Callable[[Event], None]) -> list[Block]:
    """Return the scenes of the map, seen from the district, as pictures; without a browser how to get them."""
    inside = None if it.level == "city" else (f"{it.level}:{it.unit}", set(communities_of(it.result, it.unit)))
    try:
        find_browser()
    except InputError as reason:
        return [Words(it.pick(f"未附地图:{reason}", f"No map: {reason}"), NOTE)]
    blocks: list[Block] = []
    with tempfile.TemporaryDirectory(prefix="livingcircle-word-") as folder:
        for number, (title, path) in enumerate(
            scene_pictures(it.result, Path(folder), language=it.language, inside=inside, progress=say), start=1
        ):
            blocks += [Picture(path.read_bytes(), 16.0), caption(it.pick("图", "Map ") + f" {number} {title}")]
    return blocks or [Words(it.pick("本次运行没有地图场景。", "The map of this run has no scenes."), NOTE)]
