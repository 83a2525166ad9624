"""Slips of the keyboard: each is told, with what was meant, before any long work begins."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from livingcircle.cli import main
from livingcircle.study import Study
from made_result import made_result
from towns import write_communities

RULE = "gb50180_2018_kindergarten"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished scan."""
    return made_result().save(tmp_path_factory.mktemp("made") / "out")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sheet", "{out}", "--unit", "510104000000", "--paper", "a4"], "did you mean A4?"),
        (["sheet", "{out}", "--unit", "510104000000", "-o", "s.txt"], "did you mean s.pdf?"),
        (["sheet", "{out}", "--unit", "510104000000", "--walker", "eldr"], "did you mean 'elder'?"),
        (["explain", "{out}", "--unit", "city", "--rule", RULE, "--walker", "adul"], "did you mean adult?"),
        (["explain", "{out}", "--unit", "city", "--rule", RULE, "--gates", "opn"], "choose one of respect"),
        (["check", "{study}"], "did you mean 'elder'?"),
        (["scan", "{study}", "--walker", "adlt", "-o", "{new}"], "did you mean 'adult'?"),
        (["scan", "{study}", "--walker", "adult", "--only", "dd", "-o", "{new}"], "did you mean d?"),
        (["scan", "{study}", "--walker", "adult", "--facilities", "kindergarden={list}", "-o", "{new}"],
         "did you mean 'kindergarten'?"),
    ],
)  # fmt: skip
def test_a_slip_in_a_word_is_told_before_the_long_work(
    out: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    said: str,
) -> None:
    """Reading the streets of a city takes minutes: whoever mistyped a name must not wait for them."""

    def long_work(*_: Any, **__: Any) -> None:
        raise AssertionError("the long work began")

    write_communities(tmp_path / "c.geojson", {"d": (0, 0, 100, 100)})
    (tmp_path / "list.csv").write_text("name,lon,lat\n园,104.1,30.5\n", encoding="utf-8")
    (tmp_path / "town.osm").write_text("<osm/>", encoding="utf-8")
    (tmp_path / "study.toml").write_text(
        'standard = "chengdu"\nwalkers = ["eldre"]\n[streets]\nosm = "town.osm"\n[communities]\nfile = "c.geojson"\n',
        encoding="utf-8",
    )
    sheets, reasons = (import_module(f"livingcircle.{name}") for name in ("sheet", "explain"))
    monkeypatch.setattr("livingcircle.inputs.read_streets", long_work)
    monkeypatch.setattr(sheets, "measured_again", long_work)
    monkeypatch.setattr(sheets, "recorded_study", lambda *_: Study.load(tmp_path / "study.toml"))
    monkeypatch.setattr(reasons, "measured_again", long_work)
    places = {"out": out, "study": tmp_path / "study.toml", "new": tmp_path / "new", "list": tmp_path / "list.csv"}
    with pytest.raises(SystemExit) as ended:
        main([word.format(**places) for word in words])
    assert ended.value.code in (1, 2)
    assert said in capsys.readouterr().err
