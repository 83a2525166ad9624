"""Errors under --lang zh: every sentence of the sources has its Chinese form, and typical mistakes are told in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from livingcircle.cli import main
from livingcircle.cli._telling import STAGES_ZH, tongue_of_words
from livingcircle.said_zh import NOTES, PHRASES, WORDS, is_known, said
from livingcircle.study import Study
from livingcircle_layers.errors import InputError, sentence
from made_result import made_result
from said_sources import HOLE, english_left, errors, lines, stages
from small_city import small_study

# Modules whose lines stand in Chinese beside the English, or reach no command's output: their errors are looked at.
BOTH_LANGUAGES = frozenset((
    "cli", "demo", "said_zh", "columns.py", "credits.py", "colours.py", "scenes.py", "publishing.py", "rule_text.py",
    "charts.py", "sheet.py", "_sheet_page.py", "_sheet_rows.py", "report.py", "_report_charts.py", "_report_cover.py",
    "_report_quality.py", "_report_summary.py", "_report_words.py", "_word_content.py", "word_report.py",
    "_compare_book.py", "_explain_words.py", "explain.py", "notebook.py", "hearing_map.py", "_map_data.py",
    "layer_looks.py", "study_text.py", "events.py", "progress.py", "sensitivity.py", "walkers.py", "standards.py",
    # pages of the documentation
    "cli_page.py", "python_page.py", "study_page.py", "standards_page.py", "services_page.py",
    # columns of tables, in which the words are codes
    "cleaning.py", "facilities.py", "facility_rows.py", "grounds.py", "diagnosis.py", "headings.py", "population.py",
    # SQL, and arguments that only a caller in Python can get wrong
    "postgis.py", "postgis_tables.py", "apportion.py", "homes.py", "choice.py", "network.py", "_choice.py",
))  # fmt: skip
# What is looked for in other programs' words, or put together in pieces that no run leaves in English.
NO_LINES = frozenset((
    "© OpenStreetMap contributors", "out of order|twice in input", "timed out|memory|timeout", "timed out",
    "; It might help", "grid table", "Input should be", "Value error,", "Glyph .* missing from font",
    "select name, sql from sqlite_master where sql is not null", f"{HOLE} by share",
    f"{HOLE}: {HOLE} {HOLE}; see unplaced.csv",
    f"{HOLE} … (whole with --json)", f"of {{n}} places with a name in {HOLE} lie within {HOLE} m of it",
    f"of {{n}} points of its lines lie within {HOLE} m of a line of {HOLE}",
    f"{HOLE}: {HOLE} {HOLE} rows, the first of them {HOLE}", f"{HOLE}: none of its {HOLE} {HOLE} lies {HOLE}",
    f"communities are {HOLE} {HOLE} of {HOLE} m, drawn by rule", f"people: none given; {HOLE} stand in, {HOLE}",
    f"people: {HOLE}, {HOLE} people in {HOLE} cells, {HOLE}, {HOLE} rows rejected; {HOLE}",
    f"legs from home to street: {HOLE}; {HOLE}{HOLE} join, {HOLE} outside; {HOLE}",
    f"incomplete ({HOLE}; a share is then at least so much): {HOLE} of {HOLE} rules",
    f"; {HOLE} known within reach{HOLE}", f"{HOLE} (the name {HOLE}) and",
    f"to {HOLE}{HOLE} goes this box, {HOLE} km²: {HOLE}",
))  # fmt: skip


def in_chinese(text: str, part: str = "alone") -> bool:
    """Tell whether a line, or a part of an error, is said in Chinese, with a number where it varies."""
    filled = text.replace(HOLE, "7")
    whole = {"alone": filled, "what": sentence(filled, remedy="scan again")}.get(part)
    if whole is None:
        whole = sentence("a.csv is empty", **{part: filled})
        return filled not in said(whole, "zh") and english_left(said(whole, "zh")) == []
    return is_known(whole) and english_left(said(whole, "zh")) == []


def is_words(text: str) -> bool:
    """Tell whether a text is more than a number with its unit, a path or code."""
    return re.search(r"^(?!pip install)(.*[A-Za-z]{2,},? [a-z]{2,}|[a-z]{3,}$)", text) is not None


def test_every_part_of_every_error_is_said_in_chinese() -> None:
    found = list(errors())
    assert len(found) > 600
    assert {each.part for each in found} == {"alone", "what", "got", "expected", "remedy"}
    unsaid = {
        f"{each.place}: {each.text}" for each in found if is_words(each.text) and not in_chinese(each.text, each.part)
    }
    assert sorted(unsaid) == [], "their Chinese forms belong into livingcircle/said_zh"


def test_every_other_line_is_said_in_chinese() -> None:
    pieces = "\n".join(re.sub(r"\{\w+\}", HOLE, english) for english, _ in PHRASES)
    names = {text for _, text in stages()}
    unsaid = [
        f"{each.place}: {each.text}"
        for each in lines(without=BOTH_LANGUAGES)
        if not in_chinese(each.text)
        and each.text.strip(" ;:,.") not in pieces
        and each.text not in WORDS.keys() | NO_LINES | names
    ]
    assert unsaid == [], "their Chinese forms belong into livingcircle/said_zh"


def test_every_stage_has_a_chinese_name() -> None:
    found = [name for name, _ in stages()]
    assert len(found) > 20
    assert [name for name in found if name not in STAGES_ZH] == []


def test_a_sentence_without_a_chinese_form_is_found() -> None:
    """The two tests above would see it: one is not known at all, the other only in its outer words."""
    assert not in_chinese("the moon is too near")
    assert not in_chinese(f"one of the many moons of {HOLE}", "expected")
    assert in_chinese(f"one of {HOLE}", "expected")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the inputs of a small city, a study file, a finished scan and some bad files."""
    folder = tmp_path_factory.mktemp("city")
    small_study(folder)
    made_result().save(folder / "done")
    text = 'standard = "rules.toml"\n[streets]\nosm = "town.osm"\n[communities]\nfile = "communities.geojson"\n'
    for name, more in {
        "study": "", "slip": "walker = 'elder'\n", "type": "join_limit_m = 'far'\n", "eldre": 'walkers = ["eldre"]\n',
        "syntax": "name = \n",
    }.items():  # fmt: skip
        (folder / f"{name}.toml").write_text(more + text, encoding="utf-8")
    (folder / "batch.toml").write_text(text + '[[district]]\nname = "甲"\n', encoding="utf-8")
    (folder / "people_bad.csv").write_text("lon,lat,population\n104,30,许多\n104,30,-3\n", encoding="utf-8")
    (folder / "heads.csv").write_text("名称,人数\n甲,3\n", encoding="utf-8")
    (folder / "places.csv").write_text("name,lon,lat\n未名,104,30\n", encoding="utf-8")
    (folder / "empty.geojson").write_text("", encoding="utf-8")
    (folder / "text.docx").write_text("no document", encoding="utf-8")
    return folder


FILES = ["--osm", "town.osm", "--communities", "communities.geojson"]
MISTAKES = {
    "no study": (["check", "nowhere.toml"], 1, "找不到研究文件: nowhere.toml;请检查路径"),
    "slip in a key": (["check", "slip.toml"], 1, "slip.toml: 没有这个键;实际: 'walker';是否指 'walkers'?"),
    "text for a number": (["check", "type.toml"], 1, "type.toml: join_limit_m;实际: 'far';应为: 数字"),
    "slip in a walker": (["check", "eldre.toml"], 2, "没有这种步行人群;实际: eldre"),
    "syntax": (["check", "syntax.toml"], 1, "syntax.toml 不符合 TOML 格式;实际: 值无效(第 1 行第 8 列);请改正该行"),
    "no standard": (["scan", *FILES, "-o", "new"], 2, "测算须指定标准: 按哪些条文评价?"),
    "no streets": (["scan", "--standard", "chengdu", "-o", "new"], 2, "缺少输入"),
    "unknown standard": (["scan", *FILES, "--standard", "chengd", "-o", "new"], 1, "没有标准或组合 'chengd'"),
    "unknown gates": (["scan", "study.toml", "--gates", "opn"], 2, "--gates 没有这种取值;实际: 'opn'"),
    "no such file": (["scan", "study.toml", "--population", "p.csv", "-o", "new"], 1, "找不到文件: p.csv"),
    "empty layer": (["scan", "study.toml", "--communities", "empty.geojson", "-o", "new"], 1, "empty.geojson 是空文件"),
    "wrong kind": (
        ["scan", "study.toml", "--communities", "people.csv", "-o", "new"],
        1, "people.csv 的格式不能用于此项输入",
    ),
    "bad numbers": (
        ["scan", "study.toml", "--population", "people_bad.csv", "-o", "new"],
        1, "有 1 行不是数字(行号 2: '许多')",
    ),
    "no coordinates": (
        ["scan", "study.toml", "--population", "heads.csv", "-o", "new"],
        1, "heads.csv 既无坐标,也无社区编号",
    ),
    "no service": (
        ["scan", "study.toml", "--population", "people.csv", "--facilities", "places.csv", "-o", "new"],
        1, "places.csv: 没有一行能归入服务目录",
    ),
    "slip in a service": (
        ["scan", "study.toml", "--facilities", "kindergarden=places.csv", "-o", "new"],
        1, "没有服务 'kindergarden'",
    ),
    "unknown community": (["scan", "study.toml", "--only", "x", "-o", "new"], 2, "没有这个社区;实际: x"),
    "district of one study": (
        ["scan", "study.toml", "--district", "甲"],
        2, "--district 须配合写有 [[district]] 的研究文件",
    ),
    "unknown district": (["scan", "batch.toml", "--district", "乙", "-o", "new"], 2, "没有这个区县;实际: 乙"),
    "memory": (["scan", "study.toml", "--memory", "much"], 2, "--memory 不是内存大小"),
    "no scan there": (["map", "."], 1, ". 中没有完成的测算结果"),
    "unknown unit": (["explain", "done", "--unit", "x", "--rule", "y"], 2, "结果中没有 unit"),
    "no template": (
        ["report", "done", "--docx", "--template", "text.docx", "-o", "new"],
        1, "text.docx 不是可读取的 Word 模板",
    ),
    "scene without picture": (
        ["map", "done", "--scene", "1"],
        2, "--scene 用于选定要画成图片的场景;请加上 --png 或 --pdf",
    ),
    "unknown chart unit": (["charts", "done", "--unit", "nowhere", "-o", "new"], 2, "没有这个单元;实际: 'nowhere'"),
    "minutes and metres": (
        ["isochrone", "--osm", "town.osm", "--at", "104,30"],
        2, "请写明远近: --minutes 或 --metres",
    ),
    "no place": (["isochrone", "--osm", "town.osm", "--at", "here", "--minutes", "5"], 2, "--at 须为逗号分隔的数字"),
    "off the streets": (["isochrone", "--osm", "town.osm", "--at", "105,31", "--minutes", "5"], 1, "接不上道路"),
    "no box": (["extract", "town.osm", "--bbox", "1,2,3", "-o", "a.osm.pbf"], 2, "--bbox 不是范围"),
    "no pbf": (["extract", "town.osm", "--bbox", "104,30,104.1,30.1", "-o", "a.osm"], 2, "截取的文件须为 .osm.pbf"),
    "nothing to fetch": (["fetch", "-o", "new"], 2, "请写明要下载的范围;实际: 无"),
    "no terminal": (["init", "new"], 2, "缺少输入,且没有可供询问的终端"),
    "unknown rules": (["standards", "gb5018"], 1, "没有标准或组合 'gb5018'"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_typical_mistakes_are_told_in_chinese(
    name: str, city: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words, code, told = MISTAKES[name]
    monkeypatch.chdir(city)
    with pytest.raises(SystemExit) as ended:
        main([*words, "--lang", "zh"])
    printed = capsys.readouterr()
    complaints = [line for line in printed.err.splitlines() if line.startswith("livingcircle: ")]
    assert ended.value.code == code, printed
    assert len(complaints) == 1, printed
    assert told in complaints[0]
    assert english_left(complaints[0]) == []
    assert english_left(printed.out) == []


def test_exceptions_stay_english(city: Path) -> None:
    with pytest.raises(InputError, match="unknown key; got 'walker'; remedy: did you mean 'walkers'"):
        Study.load(city / "slip.toml")


@pytest.mark.parametrize(
    ("words", "system", "tongue"),
    [
        (["check", "s.toml", "--lang", "zh"], "en_GB.UTF-8", "zh"),
        (["check", "s.toml", "--lang=zh"], "C", "zh"),
        (["--debug", "check", "s.toml", "--language", "en"], "zh_CN.UTF-8", "en"),
        (["check", "s.toml"], "zh_CN.UTF-8", "zh"),
        (["check", "s.toml"], "C.UTF-8", "en"),
        (["check", "s.toml", "--lang", "fr"], "zh_CN.UTF-8", "zh"),
        (["check", "s.toml", "--lang"], "zh_CN.UTF-8", "zh"),
    ],
)
def test_errors_are_said_in_the_language_asked_for_or_the_systems(
    words: list[str], system: str, tongue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LC_ALL", system)
    assert tongue_of_words(words) == tongue


def test_several_faults_are_each_said() -> None:
    english = (
        "a.csv: ids appear twice; got 7; remedy: remove the repeated rows, or map `id` | a.csv is empty; got 0 bytes"
    )
    assert said(english, "zh") == "a.csv: 编号重复;实际: 7;请删去重复的行,或指定 `id` | a.csv 是空文件;实际: 0 字节"


def test_an_unknown_part_stays_as_it_is_beside_the_known_ones() -> None:
    assert (
        said("a.zip cannot be parsed; got bad magic; expected a moon", "zh")
        == "a.zip 无法解析;实际: bad magic;应为: a moon"
    )
    assert (
        said("a.zip cannot be parsed; got an error of the disk", "zh")
        == "a.zip 无法解析;程序原文: an error of the disk"
    )
    assert (
        said("no such moon in a.zip; remedy: export it again", "zh") == "no such moon in a.zip; remedy: export it again"
    )


def test_notes_come_before_parts_of_errors() -> None:
    """A line of a check may look like a part of an error; what is written for the whole line wins."""
    assert {english for english, _ in NOTES}.isdisjoint(english for english, _ in PHRASES[len(NOTES) :])
