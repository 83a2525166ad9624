"""The circle sheet: what it says of a place, that it can be printed, and what it asks for when it cannot."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import shapely

from demo_scans import demo_measured as measured
from demo_scans import demo_result
from livingcircle import fonts
from livingcircle._sheet_page import _cut, _free, _wrapped
from livingcircle.community_circles import starts_of
from livingcircle.credits import INTERNAL_DRAWING, OSM_CREDIT
from livingcircle.sheet import BEYOND, MISSING, NO_DATA, WITHIN, Sheet, _Walks, circle_sheet, save_sheet
from livingcircle.walkers import WALKERS
from livingcircle_layers.errors import InputError, UsageError

UNIT = "SY004"
ADULT = WALKERS["adult"]


@cache
def sheet() -> Sheet:
    return circle_sheet(measured(), demo_result(), UNIT)


def test_the_sheet_says_what_the_tables_say() -> None:
    own = demo_result().circles
    rows = own[own["unit_id"] == UNIT]
    assert sheet().bands["people"].tolist() == rows["people"].tolist()
    assert sheet().bands["area_m2"].tolist() == pytest.approx(rows["area_m2"].tolist())
    coverage = demo_result().coverage
    shares = coverage[(coverage["unit_id"] == UNIT) & (coverage["level"] == "community")].set_index("rule")["share"]
    listed = list(measured().rules.scoring_rules)
    assert sheet().services["share"].tolist() == pytest.approx([shares[r.id] for r in listed], nan_ok=True)
    assert sheet().services["clause"].tolist() == [r.citation for r in listed]


def test_verdicts_follow_the_clause_and_the_circle() -> None:
    services, rules = sheet().services, measured().rules.scoring_rules
    assert {WITHIN, BEYOND, MISSING, NO_DATA} == set(services["verdict"]), "the place shows every verdict"
    for row, rule in zip(services.itertuples(), rules, strict=True):
        inside = row.inside
        assert list(inside) == sorted(inside)
        if rule.parts:
            continue
        if row.verdict == WITHIN:
            assert row.nearest_m <= rule.threshold
        elif row.verdict == BEYOND:
            assert row.nearest_m > rule.threshold
            assert inside[-1] > 0
        elif row.verdict == MISSING:
            assert inside[-1] == 0
        else:
            assert measured().standings[rule.id].status == "no_data"


def test_a_rule_of_two_parts_needs_both_and_names_the_longer_walk() -> None:
    #  300 m to green and 500 m to a park: within only where both are.
    walks = _Walks(measured(), measured().city, starts_of(measured().city).take(np.array([3])), ADULT)
    [both] = [r for r in measured().rules.scoring_rules if r.parts]
    parts = [measured().first[p].rule for p in both.parts]
    assert walks.nearest(both, "m") == max(walks.nearest(p, "m") for p in parts)
    near = {p.id: walks.nearest(p, "m") <= p.threshold for p in parts}
    assert (walks.verdict(both, 1) == WITHIN) == all(near.values())


def test_places_inside_are_those_that_the_walk_reaches() -> None:
    services, places = sheet().services, sheet().places
    counts = places.groupby("number").size().reindex(services["number"], fill_value=0)
    assert counts.tolist() == [inside[-1] for inside in services["inside"]]
    assert places["minutes"].max() <= 15
    single = [n for n, rule in enumerate(measured().rules.scoring_rules, start=1) if not rule.parts]
    nearest = places[places["number"].isin(single)].groupby("number")["minutes"].min()
    both = services.set_index("number").loc[nearest.index, "nearest_min"]
    assert nearest.tolist() == pytest.approx(both.tolist())


def test_a_chosen_point_is_the_start() -> None:
    lon, lat = demo_result().circles.set_index("unit_id").loc[UNIT, ["lon", "lat"]].iloc[0]
    own = circle_sheet(measured(), demo_result(), UNIT, at=(lon, lat), minutes=[8])
    assert own.chosen
    assert own.bands["minutes"].tolist() == [8]
    assert shapely.distance(own.start, sheet().start) < 0.01
    with pytest.raises(InputError, match=r"point \(104, 31\) is not on the street network"):
        circle_sheet(measured(), demo_result(), UNIT, at=(104.0, 31.0))
    with pytest.raises(UsageError, match="unknown community; got SY04"):
        circle_sheet(measured(), demo_result(), "SY04")


def test_it_is_printed_with_all_that_must_be_said_and_the_same_bytes_again(tmp_path: Path) -> None:
    for name in ("a.pdf", "a.png"):
        first = save_sheet(sheet(), tmp_path / name).read_bytes()
        assert save_sheet(sheet(), tmp_path / name).read_bytes() == first
        assert len(first) > 20_000
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert _size_mm(tmp_path / "a.pdf") == pytest.approx((297, 210), abs=0.1)
    save_sheet(sheet(), tmp_path / "big.pdf", paper="A3")
    assert _size_mm(tmp_path / "big.pdf") == pytest.approx((420, 297), abs=0.1)


def _size_mm(path: Path) -> tuple[float, ...]:
    """Return width and height of the first page of a PDF."""
    box = re.search(rb"/MediaBox \[ ?0 0 ([0-9.]+) ([0-9.]+) ?\]", path.read_bytes())
    assert box is not None
    return tuple(float(points) * 25.4 / 72 for points in box.groups())


def test_the_words_of_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    said: list[str] = []
    write = Figure.text

    def listen(self: Figure, x: float, y: float, s: str, *args: object, **kwargs: object) -> object:
        assert 0 < x < 1, s
        assert 0 < y < 1, s
        said.append(s)
        return write(self, x, y, s, *args, **kwargs)

    monkeypatch.setattr(Figure, "text", listen)
    save_sheet(sheet(), tmp_path / "a.png")
    page = " ".join(said)
    for words in (INTERNAL_DRAWING, OSM_CREDIT, "示意永和社区", "成年人 1.33 米/秒", "2026-01-01", "15 分钟圈内没有",
                  "至少", "无数据", "M+ 待与标准原文核对", f"{sheet().bands['people'].iloc[2]:,}"):  # fmt: skip
        assert words in page
    said.clear()
    run = {**sheet().result.run, "demand": "residential_land"}
    save_sheet(replace(sheet(), result=replace(sheet().result, run=run)), tmp_path / "b.png")
    page = " ".join(said)
    assert "m² 居住用地 land" in page
    assert "本社区用地" in page
    assert not any(word in page for word in ("人 people", "居民", "People"))


@pytest.mark.parametrize(
    ("name", "paper", "message"),
    [("a.svg", "A4", "a sheet is a PDF or a PNG; got a.svg"), ("a.pdf", "A5", "not printed on this paper; got A5")],
)
def test_what_cannot_be_written(tmp_path: Path, name: str, paper: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        save_sheet(sheet(), tmp_path / name, paper=paper)


def test_without_a_chinese_font_it_asks_for_one_and_draws_no_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    fonts._installed_family.cache_clear()
    monkeypatch.setattr(fonts, "FAMILIES", ("No Such Font",))
    with pytest.raises(InputError, match=r"no font with Chinese is installed.*remedy: install one .*fonts-noto-cjk"):
        fonts.chinese_family()
    fonts._installed_family.cache_clear()


def test_a_font_file_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from matplotlib import font_manager

    monkeypatch.setenv(fonts.FONT_VARIABLE, str(tmp_path / "none.ttf"))
    with pytest.raises(InputError, match="LIVINGCIRCLE_FONT names no font"):
        fonts.chinese_family()
    monkeypatch.setenv(fonts.FONT_VARIABLE, font_manager.findfont("DejaVu Sans"))
    with pytest.raises(InputError, match=r"LIVINGCIRCLE_FONT has no Chinese.*DejaVu Sans"):
        fonts.chinese_family()


def test_a_sign_that_no_font_has_is_named(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    def draw(words: str) -> None:
        with fonts.chinese_text():
            figure = Figure()
            figure.text(0.5, 0.5, words)
            figure.savefig(tmp_path / "a.png")

    draw("社区")
    with pytest.raises(InputError, match=r"a sign cannot be drawn: Glyph 78860 .*; remedy"):
        draw("社区 \U0001340c")


def test_markers_keep_their_distance_and_lines_their_width() -> None:
    taken = [np.array([0.0, 0.0])]
    for _ in range(20):
        taken.append(_free(np.array([0.0, 0.0]), taken, 3.0))
    gaps = [np.hypot(*(a - b)) for n, a in enumerate(taken) for b in taken[:n]]
    assert min(gaps) >= 3.0
    assert _wrapped("一二三、四五六", 6) == ["一二三、", "四五六"]
    assert _wrapped("one two three", 8) == ["one two", "three"]
    assert _cut("一二三四", 7) == "一二三…"
    assert _cut("一二三", 6) == "一二三"


def test_the_command_makes_a_page_of_a_finished_scan(
    demo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from livingcircle.cli import main

    folder = shutil.copytree(demo_folder, tmp_path / "scan")  # away from its inputs
    study = demo_folder.parent / "inputs" / "study.toml"
    with pytest.raises(SystemExit) as ended:
        main(["sheet", str(folder), "--unit", UNIT, "--walker", "elder", "--study", str(study),
              "-o", str(tmp_path / "s.png")])  # fmt: skip
    assert ended.value.code == 0
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["sheet", str(folder), "--unit", "SY4", "-o", str(tmp_path / "t.pdf")])
    assert "unknown community; got SY4; remedy: did you mean SY" in capsys.readouterr().err
