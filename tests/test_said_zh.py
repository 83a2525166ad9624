"""What commands print under --lang zh: every sentence of a run of the demo town, and none that is not said any more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import livingcircle
import livingcircle_layers
from demo_scans import demo_result
from livingcircle.check import check_study
from livingcircle.cli import main
from livingcircle.demo import demo_study
from livingcircle.said_zh import PHRASES, is_known, said
from made_result import made_result
from said_sources import HOLE, errors

SLOT = re.compile(r"\{(\w+)\}")


def test_every_note_and_setting_of_the_demo_town_is_said_in_chinese() -> None:
    result = demo_result()
    lines = [*result.run["warnings"], *(f"{key} = {value}" for key, value in result.settings.items())]
    assert [line for line in lines if not is_known(line)] == []


def test_every_line_of_its_check_is_said_in_chinese(tmp_path: Path) -> None:
    lines = check_study(demo_study(tmp_path)).lines()
    assert [line for line in lines if not is_known(line)] == []


def test_the_english_of_every_phrase_is_in_the_sources() -> None:
    """A sentence that was worded anew leaves its Chinese form behind, which must then go, too."""
    folders = [Path(str(package.__file__)).parent for package in (livingcircle, livingcircle_layers)]
    text = "".join(
        path.read_text(encoding="utf-8") for folder in folders for path in sorted(folder.rglob("*.py"))
        if path.parent.name != "said_zh"
    )  # fmt: skip
    text = re.sub(r'"\s*\n\s*f?"', "", text)  # strings that are written in several lines
    put_together = "\n".join(dict.fromkeys(each.text.replace(HOLE, "7") for each in errors()))
    stale = []
    for english, _ in PHRASES:
        longest = max((part.strip(" :;,.()=–") for part in SLOT.split(english)[::2]), key=len)
        if all(piece in text for piece in re.split(r" = |[:;,] | – ", longest)):  # parts that are put together
            continue
        if re.search("^" + ".+".join(map(re.escape, SLOT.split(english)[::2])) + "$", put_together, re.M) is None:
            stale.append(english)
    assert stale == []


def test_both_forms_have_the_same_gaps() -> None:
    for english, chinese in PHRASES:
        gaps = set(SLOT.findall(english)) - ({"words"} if english.startswith("public transport") else set())
        assert set(SLOT.findall(chinese)) == gaps, english


def test_what_is_not_known_is_printed_as_it_is() -> None:
    assert said("a sentence that nobody has written", "zh") == "a sentence that nobody has written"
    # also behind "note: ", where the words of a list would be said: half a sentence is worse than none
    unknown = (
        "note: nobody of city has a score, so that there is no park; expected 100 people, and data of it; remedy: ok"
    )
    assert said(unknown, "zh") == unknown.replace("note", "提醒")
    assert said("25 residential outlines: whether they are gated, and where, is not known", "en").startswith("25 res")


@pytest.mark.parametrize("option", ["--lang", "--language"])
def test_both_spellings_of_the_language_are_taken(tmp_path: Path, option: str) -> None:
    folder = made_result().save(tmp_path / "out")
    with pytest.raises(SystemExit) as ended:
        main(["charts", str(folder), option, "en", "--svg", "-o", str(tmp_path / "charts")])
    assert ended.value.code == 0
    assert "Communities by score" in (tmp_path / "charts" / "chart-ranking.svg").read_text(encoding="utf-8")


def test_every_command_takes_a_language() -> None:
    import typer

    from livingcircle.cli import app

    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    without = [name for name, command in commands.items() if not any("--lang" in p.opts for p in command.params)]
    assert without == []
