"""Scenes of the map as PNG and PDF: how the browser is found and asked, and what it draws."""

from __future__ import annotations

import re
import struct
import sys

import pytest

from livingcircle import map_pictures as pictures
from livingcircle.cli import main
from livingcircle.map_pictures import BROWSER_VARIABLE, find_browser, map_pictures
from livingcircle_layers.errors import InputError, UsageError
from made_result import made_result

FAKE = """#!{python}
import sys
wanted = [a.split("=", 1)[1] for a in sys.argv if a.startswith(("--screenshot=", "--print-to-pdf="))]
open("{log}", "a", encoding="utf-8").write("\\n".join(sys.argv[1:]) + "\\n\\n")
{act}
"""


@pytest.fixture
def folder(tmp_path):
    return made_result(names=["春熙路"]).save(tmp_path / "out")


@pytest.fixture
def browser(tmp_path, monkeypatch):
    """A program that is asked as Chromium is, writes down how, and draws nothing or a few bytes."""

    def install(act='open(wanted[0], "wb").write(b"drawn")'):
        path, log = tmp_path / "browser", tmp_path / "asked.txt"
        path.write_text(FAKE.format(python=sys.executable, log=log, act=act), encoding="utf-8")
        path.chmod(0o755)
        monkeypatch.setenv(BROWSER_VARIABLE, str(path))
        return log

    return install


def test_without_a_browser_the_remedy_is_said(monkeypatch):
    monkeypatch.delenv(BROWSER_VARIABLE, raising=False)
    monkeypatch.setattr(pictures, "BROWSERS", ("no-such-browser",))
    with pytest.raises(InputError, match=r"got none installed; remedy: install Chromium, .* or open map.html"):
        find_browser()


def test_a_browser_that_is_named_must_be_there(monkeypatch):
    monkeypatch.setenv(BROWSER_VARIABLE, "/nowhere/chromium")
    with pytest.raises(InputError, match="LIVINGCIRCLE_BROWSER=/nowhere/chromium, which is no program"):
        find_browser()


def test_the_browser_is_asked_without_network_for_one_sheet(folder, browser):
    log = browser()
    made = map_pictures(folder, kinds=["png", "pdf"], scene="1", language="en")
    assert [path.name for path in made] == ["map-scene-1.png", "map-scene-1.pdf"]
    assert made[0].read_bytes() == b"drawn"
    png, pdf = log.read_text(encoding="utf-8").strip().split("\n\n")
    for asked in (png, pdf):
        assert "--host-resolver-rules=MAP * ~NOTFOUND" in asked
        assert "--disable-background-networking" in asked
        assert re.search(r"^--user-data-dir=", asked, re.M)
    assert png.endswith("map.html#k=1&l=en&x=1")
    assert pdf.endswith("map.html#k=1&l=en")
    assert not [path for path in folder.iterdir() if path.name.startswith((".", "drawn"))]


def test_all_scenes_are_drawn(folder, browser):
    browser()
    made = map_pictures(folder, scene="all")
    assert [path.name for path in made] == [f"map-scene-{n + 1}.png" for n in range(len(made))]
    assert len(made) > 2


def test_a_browser_that_draws_nothing_is_told(folder, browser):
    browser(act='sys.stderr.write("no display\\n")')
    with pytest.raises(InputError, match=r"did not draw the map; got no display; remedy: open map.html in a browser"):
        map_pictures(folder)
    assert not (folder / "map.png").exists()


def test_scene_that_is_not_there(folder, browser):
    browser()
    for scene in ("0", "99", "first"):
        with pytest.raises(UsageError, match=r"there is no such scene; got .*; expected all, or 1 综合得分, 2 "):
            map_pictures(folder, scene=scene)


def test_scene_needs_a_picture(folder, capsys):
    with pytest.raises(SystemExit) as left:
        main(["map", str(folder), "--scene", "1"])
    assert left.value.code == 2
    assert "add --png or --pdf" in capsys.readouterr().err


@pytest.mark.browser
def test_chromium_draws_a3(tmp_path, chromium_path, monkeypatch):
    monkeypatch.setenv(BROWSER_VARIABLE, chromium_path)
    folder = made_result(communities=12).save(tmp_path / "out")
    png, pdf = map_pictures(folder, kinds=["png", "pdf"], scene="2")
    size = struct.unpack(">II", png.read_bytes()[16:24])
    assert size == (2 * 1588, 2 * 1123)
    assert size[0] / size[1] == pytest.approx(420 / 297, rel=0.001)
    assert png.stat().st_size > 120_000  # a white sheet of this size has some 20,000 bytes
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf.read_bytes())
    assert len(boxes) >= 2  # the map, then the sheet of the city
    for wide, high in boxes:
        assert (float(wide), float(high)) == pytest.approx((1190.55, 841.89), abs=2)
