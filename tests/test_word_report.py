"""The Word report: what it says agrees with every other file, templates, headings, districts, and mistakes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace

import docx
import openpyxl
import pandas as pd
import pytest

from conftest import missing
from livingcircle import map_pictures, word_report
from livingcircle._word_content import BLOCKS, MOST_ROWS, WORDS
from livingcircle._word_page import CELL_MARGINS, EMU, PLACEHOLDER, SIGN, STYLES, Grid, column_widths, paragraphs_of
from livingcircle.cli import main
from livingcircle.credits import INTERNAL_DRAWING, NOT_A_SURVEY, OSM_CREDIT
from livingcircle.headings import load_headings
from livingcircle.rules import RuleSet
from livingcircle.saved import load_result
from livingcircle.word_report import WordChoices, word_reports, write_template
from livingcircle_layers.errors import InputError, UsageError
from livingcircle_layers.services import THEMES_ZH
from made_result import made_result
from told_numbers import csv_facts, disagreements, map_facts, word_facts, workbook_facts

PLAIN = WordChoices(with_map=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished scan of five communities in one district."""
    return made_result(communities=5, names=["春熙路", "盐市口"]).save(tmp_path_factory.mktemp("made") / "out")


@pytest.fixture(scope="module")
def report(folder, tmp_path_factory):
    (path,) = word_reports(folder, tmp_path_factory.mktemp("word"), choices=PLAIN)
    return path


@pytest.fixture(scope="module")
def town(demo_folder):
    return demo_folder


@pytest.fixture(scope="module")
def town_reports(town, tmp_path_factory):
    return word_reports(town, tmp_path_factory.mktemp("word"), choices=PLAIN)


def said(path):
    """Return every paragraph of text, tables and footers."""
    return [paragraph.text for paragraph in paragraphs_of(docx.Document(str(path)))]


def own_template(tmp_path, *lines, language="zh"):
    path = write_template(tmp_path / "own.docx", language=language)
    document = docx.Document(str(path))
    for line in lines:
        paragraph = document.add_paragraph()
        for part in [line] if isinstance(line, str) else line:
            paragraph.add_run(part)
    document.save(str(path))
    return path


# -- what it says ------------------------------------------------------------------------------------------------------


def test_text_and_tables_say_what_every_other_file_says(town, town_reports):
    assert [path.name for path in town_reports] == ["report-示意河东区.docx", "report-示意河西区.docx"]
    for path in town_reports:
        told = word_facts(path)
        for name, other in (
            ("coverage.csv", csv_facts(town)), ("report.xlsx", workbook_facts(town / "report.xlsx")),
            ("map.html", map_facts(town)),
        ):  # fmt: skip
            assert disagreements(told, other) == [], f"{path.name} and {name}"
            assert len(told.keys() & other.keys()) > 40, f"{path.name} and {name} have little in common"
        assert told.keys() <= csv_facts(town).keys(), "a number that no table of the run has"


def test_every_number_of_the_sentences_is_read(town_reports):
    """What the checker does not read it cannot compare."""
    unit = "示意河东区"
    facts = word_facts(town_reports[0])
    wanted = ["people", "score", "score_low", "score_high", "k_mean", "complete_share", "missing_one_share"]
    assert all((unit, "", what) in facts for what in wanted)
    lines = [line for line in said(town_reports[0]) if "未覆盖人数最多的是" in line]
    assert len(lines) >= 4
    named = [re.search(r"最多的是“([^”]+)”", line)[1] for line in lines]
    assert all((unit, rule, "without") in facts for rule in named)


@pytest.mark.parametrize("planted", ["table", "sentence"])
def test_a_planted_disagreement_is_found(town, town_reports, tmp_path, planted):
    path = tmp_path / "report.docx"
    shutil.copyfile(town_reports[0], path)
    document = docx.Document(str(path))
    if planted == "table":
        table = next(t for t in document.tables if "未覆盖人数" in t.rows[0].cells[2].text)
        text = table.rows[1].cells[2].paragraphs[0].runs[0]
        text.text = f"{int(text.text.replace(',', '')) + 1:,}"
    else:
        paragraph = next(p for p in document.paragraphs if "计入居民" in p.text)
        run = next(
            r for r in paragraph.runs if re.search(r"计入居民 [\d,]+", r.text) or re.fullmatch(r"[\d,]+", r.text)
        )
        run.text = re.sub(r"(\d)( 人|$)", lambda m: f"{(int(m[1]) + 1) % 10}{m[2]}", run.text, count=1)
    document.save(str(path))
    assert len(disagreements(word_facts(path), csv_facts(town))) == 1


def test_the_page_says_what_must_be_said(report):
    words = "\n".join(said(report))
    for expected in (OSM_CREDIT, INTERNAL_DRAWING, NOT_A_SURVEY, "锦江区试算", "2024-06-01", "锦江区"):
        assert expected in words
    assert not PLACEHOLDER.search(words)


@pytest.mark.parametrize(("confidence", "verdict"), [("V:S1", "不达标"), ("M+", "未满足建议值")])
def test_it_says_not_met_of_verified_must_rules_only(tmp_path, confidence, verdict):
    base = made_result().rules
    rule = base.rule("gb50180_2018_kindergarten").model_copy(update={"bound": "must", "confidence": confidence})
    made = made_result(names=["春熙路"], rules=RuleSet("own", "自定", "own", "file", (rule,), (rule.id,)))
    unmet = pd.Series(False, index=made.coverage.index, dtype="boolean")
    result = replace(made, coverage=made.coverage.assign(status="ok", met_clause=unmet))
    (path,) = word_reports(result.save(tmp_path / "out"), tmp_path, choices=PLAIN)
    assert {word for word in ("不达标", "未满足建议值") if word in "\n".join(said(path))} == {verdict}


def test_every_rule_stands_once_under_the_headings_with_its_mark(folder, report):
    result = load_result(folder)
    tables = [t for t in docx.Document(str(report)).tables if t.rows[0].cells[-1].text == "可信度"]
    *sections, standards = [[[c.text for c in row.cells] for row in t.rows[1:]] for t in tables]
    listed = [row[0] for rows in sections for row in rows]
    assert sorted(listed) == sorted(rule.name_zh for rule in result.rules.rules)
    assert [row[-1] for row in standards] == [rule.mark or "✓" for rule in result.rules.rules]
    assert [row[-3] for row in standards] == [rule.citation for rule in result.rules.rules]


def test_a_share_of_a_layer_that_may_miss_places_is_a_lower_bound_and_no_data_is_a_dash(folder, report):
    names = {rule.id: rule.name_zh for rule in load_result(folder).rules.rules}
    coverage = load_result(folder).coverage.query("level == 'district'")
    shares = {
        row.cells[0].text: row.cells[2].text
        for table in docx.Document(str(report)).tables
        if table.rows[0].cells[2].text == "步行覆盖率"
        for row in table.rows[1:]
    }
    for row in coverage.itertuples():
        text = shares[names[row.rule]]
        assert (text == "—") == (row.share != row.share)
        assert text.startswith("≥") == (row.status == "incomplete")


def test_shares_of_people_and_of_ground_are_not_compared(tmp_path):
    made = made_result(names=["春熙路"])
    base = made.rules.rule("gb50180_2018_kindergarten")
    people, more, land = (
        base.model_copy(update={"id": id_, "name_zh": name}) for id_, name in (("a", "甲"), ("b", "乙"), ("c", "丙"))
    )
    row = made.coverage[made.coverage["rule"] == base.id].assign(status="ok")
    told = {
        "a": {"denominator": "people", "demand": 2000, "covered": 1000, "share": 0.5},
        "b": {"denominator": "people", "demand": 2000, "covered": 1800, "share": 0.9},
        "c": {"denominator": "residential_land", "demand": 70000, "covered": 7000, "share": 0.1},
    }
    coverage = pd.concat([row.assign(rule=rule, **values) for rule, values in told.items()], ignore_index=True)
    rules = RuleSet("own", "自定", "own", "file", (people, more, land), ("a", "b"))
    result = replace(made, rules=rules, coverage=coverage, gaps=None, false_coverage=None)
    (path,) = word_reports(result.save(tmp_path / "out"), tmp_path, choices=PLAIN)
    assert (
        "步行覆盖率最低的是“甲”,为 50.0%;按居住用地面积计,步行覆盖率最低的是“丙”,为 10.0%;"
        "未覆盖人数最多的是“甲”,1,000 人。"
    ) in "\n".join(said(path))
    table = next(t for t in docx.Document(str(path)).tables if t.rows[0].cells[1].text == "应服务量")
    assert {row.cells[0].text: row.cells[1].text for row in table.rows[1:]} == {
        "甲": "2,000 人", "乙": "2,000 人", "丙": "70,000 m²",
    }  # fmt: skip


def test_without_a_score_it_says_why(folder, tmp_path):
    result = load_result(folder)
    bare = result.scores.assign(score=float("nan"), score_low=float("nan"), score_high=float("nan"))
    saved = replace(result, scores=bare).save(tmp_path / "bare")
    (path,) = word_reports(saved, tmp_path, choices=PLAIN)
    assert any("不评分:有数据的计分服务不足 70%" in line for line in said(path))
    assert not any("居民平均可步行到达" in line or "— 的居民" in line for line in said(path)), "a sentence of dashes"
    assert list(said(path)).count("未绘图:没有社区有得分。") == 2  # the ranking and the Lorenz curve
    # A template of her own that tells both in one paragraph keeps it: why there is no score stands there.
    template = own_template(tmp_path, "{{people}} 人,得分 {{score}}。{{no_score}}")
    (path,) = word_reports(saved, tmp_path / "own", choices=WordChoices(template=template, with_map=False))
    assert any("得分 —。不评分:有数据" in line for line in said(path))
    document = docx.Document(str(template))
    document.add_table(1, 2).rows[0].cells[1].text = "得分 {{score}}"
    document.save(str(template))
    (path,) = word_reports(saved, tmp_path / "own", choices=WordChoices(template=template, with_map=False))
    cell = docx.Document(str(path)).tables[-1].rows[0].cells[1]
    assert [paragraph.text for paragraph in cell.paragraphs] == [""]  # Word takes no cell without a paragraph


def test_long_tables_end_with_where_the_rest_is(town_reports):
    tables = docx.Document(str(town_reports[0])).tables
    gaps = next(t for t in tables if "未覆盖人数" in t.rows[0].cells[2].text)
    assert len(gaps.rows) == MOST_ROWS + 1
    assert any(re.fullmatch(r"另有 [\d,]+ 行,见 report.xlsx。", line) for line in said(town_reports[0]))


def test_equal_results_give_equal_bytes_and_no_time_of_writing(folder, report, tmp_path):
    (again,) = word_reports(folder, tmp_path, choices=PLAIN)
    assert again.read_bytes() == report.read_bytes()
    with zipfile.ZipFile(report) as archive:
        assert {member.date_time for member in archive.infolist()} == {(2000, 1, 1, 0, 0, 0)}


def test_an_english_report_speaks_english(folder, tmp_path):
    (path,) = word_reports(folder, tmp_path, choices=WordChoices(language="en", with_map=False))
    headings = [p.text for p in docx.Document(str(path)).paragraphs if p.style.name.startswith("Heading")]
    assert headings[:3] == ["1 Summary", "2 Ranking of communities", "3 Services"]
    assert not any(re.search("[一-鿿]", text) for text in headings)
    assert "People without" in [cell.text for t in docx.Document(str(path)).tables for cell in t.rows[0].cells]


def test_a_control_character_in_a_name_is_a_space(tmp_path):
    """Half of a line of Excel that was pasted from a chat: XML, and so Word, has no such sign."""
    made = made_result(names=["春熙\x0b路", "盐\x00市口"])
    named = replace(
        made,
        scores=made.scores.replace({"unit_name": {"锦江区": "锦江\x1f区"}}),
        facilities=made.facilities.assign(name="学\x02校"),
        run={**made.run, "name": "试\x07算"},
    )
    folder = named.save(tmp_path / "out")
    city, district = word_reports(folder, tmp_path, districts=["city", "510104"], choices=PLAIN)
    words = "\n".join(said(city))
    assert "春熙 路" in words
    assert "盐 市口" in words
    assert docx.Document(str(district)).core_properties.title == "锦江 区 试 算"


# -- districts and headings --------------------------------------------------------------------------------------------


def test_districts_are_chosen_by_id_and_the_city_is_one_report_where_there_are_none(folder, tmp_path):
    (path,) = word_reports(folder, tmp_path, districts=["510104"], choices=PLAIN)
    assert path.name == "report-锦江区.docx"
    (path,) = word_reports(folder, tmp_path, districts=["city"], choices=PLAIN)
    assert path.name == "report-成都市.docx"
    with pytest.raises(UsageError, match=r"no such district; got '510105'; remedy: .*'510104'.*510104, city"):
        word_reports(folder, tmp_path, districts=["510105"], choices=PLAIN)


def test_no_column_is_too_narrow_for_a_word_of_it():
    """Five equal columns of 1.2 inches: one long heading takes what the others can spare, in proportion."""
    grid = Grid(("No.", "recommended", "a", "b", "Services reached"), (("1", "x", "y", "z", "0.5"),), (1, 1, 1, 1, 1))
    widths = column_widths(grid, 6 * EMU)
    assert widths == [int(1.2 * EMU)] * 5  # all words fit: as the table says
    tight = column_widths(grid, 3 * EMU)
    assert sum(tight) <= 3 * EMU
    assert tight[1] == pytest.approx(CELL_MARGINS + 11 * SIGN, abs=1)
    assert tight[4] == pytest.approx(CELL_MARGINS + 8 * SIGN, abs=1)
    assert min(tight) >= CELL_MARGINS + SIGN
    assert sum(column_widths(grid, EMU)) <= EMU  # too narrow for all: shared out all the same


def test_notes_of_the_data_are_chinese_in_a_chinese_report(town_reports):
    words = "\n".join(said(town_reports[0]))
    assert "个居住区轮廓: 是否封闭、大门在哪里均不明" in words
    assert "米以内者所占比例" in words
    assert "whether they are gated" not in words


def test_names_that_would_make_one_file_make_two(tmp_path):
    scores = made_result().scores
    district = scores[scores["level"] == "district"]
    more = [district.assign(unit_id=i, unit_name=n) for i, n in (("A/B", "A/B"), ("A:B", "A:B"), ("1", "a-b"))]
    result = made_result(scores=pd.concat([*more, scores], ignore_index=True))
    paths = word_reports(
        result.save(tmp_path / "out"), tmp_path, districts=["A/B", "A:B", "1", "510104"], choices=PLAIN
    )
    assert [path.name for path in paths] == [
        "report-A-B 2.docx", "report-A-B 3.docx", "report-a-b.docx", "report-锦江区.docx",
    ]  # fmt: skip
    (alone,) = word_reports(tmp_path / "out", tmp_path / "alone", districts=["A:B"], choices=PLAIN)
    assert alone.name == "report-A-B 3.docx"  # its name does not depend on which others are asked for


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("scenes7", "服务, 文化, 生态, 空间, 产业, 共治, 智慧"),
        ("scenes9", "生态融合, 健康医养, 人文教育, 建筑空间, 绿色出行, 休闲消费, 智慧智能, 创新创业, 共建共治共享"),
    ],
)
def test_scenes_have_the_words_of_the_policy_text_and_say_where_they_are_from(folder, tmp_path, name, words):
    assert [h.zh.removesuffix("场景") for h in load_headings(name).heading] == words.split(", ")
    (path,) = word_reports(folder, tmp_path, choices=WordChoices(headings=name, with_map=False))
    text = "\n".join(said(path))
    assert "名称出自成都市“十四五”城乡社区发展治理规划 解读 (2022),可信度 V 已见原文" in text
    assert "归类由本工具作出,须由规划师核定" in text
    assert "没有可归入此节的条文,未测量" in text


def test_headings_name_known_services_and_themes_only_and_each_service_once():
    services = made_result().catalogue.services
    for name in ("themes", "scenes7", "scenes9"):
        listed = [service for heading in load_headings(name).heading for service in heading.services]
        assert set(listed) <= set(services)
        assert len(listed) == len(set(listed))
        assert {theme for heading in load_headings(name).heading for theme in heading.themes} <= set(THEMES_ZH)
    with pytest.raises(
        UsageError, match="there are no such headings; got 'scenes8'; expected themes, scenes7, scenes9"
    ):
        load_headings("scenes8")


# -- templates ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_shipped_template_uses_every_placeholder_and_has_every_style(tmp_path, language):
    document = docx.Document(str(write_template(tmp_path / "t.docx", language=language)))
    used = {name for p in paragraphs_of(document) for name in PLACEHOLDER.findall(p.text)}
    assert used == {*WORDS, *BLOCKS, word_report.MAPS}
    assert set(STYLES) <= {style.name for style in document.styles}
    assert document.core_properties.author == "livingcircle"


def test_a_template_of_her_own_is_filled_also_where_word_has_cut_a_placeholder_into_runs(folder, tmp_path):
    template = own_template(tmp_path, ["共 {{", "peo", "ple}} 人,", "{{unit}}"], "{{gaps_table}}")
    document = docx.Document(str(template))
    document.sections[0].header.paragraphs[0].text = "编制:{{unit}}规划办"
    document.add_table(1, 1).cell(0, 0).text = "得分 {{score}}"
    document.save(str(template))
    (path,) = word_reports(folder, tmp_path, choices=WordChoices(template=template, with_map=False))
    words = said(path)
    people = load_result(folder).scores.query("level == 'district'")["people"].item()
    assert f"共 {people:,} 人,锦江区" in words
    assert "编制:锦江区规划办" in words
    assert any(re.fullmatch(r"得分 \d+\.\d", line) for line in words)


def test_all_unknown_placeholders_are_told_at_once_with_those_that_are_known(folder, tmp_path):
    template = own_template(tmp_path, "{{peopel}} {{wetter}}", "见 {{gaps_table}}")
    with pytest.raises(InputError) as told:
        word_reports(folder, tmp_path, choices=WordChoices(template=template, with_map=False))
    message = str(told.value)
    assert "own.docx: {{peopel}} is no known placeholder, did you mean people?" in message
    assert "{{wetter}} is no known placeholder" in message
    assert "{{gaps_table}} stands for a table or picture and must be alone in its paragraph" in message
    assert "remedy: known are study, unit, communities" in message
    assert not list(tmp_path.glob("report-*"))


def test_a_template_without_the_styles_or_no_word_file_is_refused_with_the_remedy(folder, tmp_path):
    docx.Document().save(str(tmp_path / "bare.docx"))
    with pytest.raises(InputError, match=r"bare.docx lacks styles.*LC Note.*--write-template FILE"):
        word_reports(folder, tmp_path, choices=WordChoices(template=tmp_path / "bare.docx"))
    (tmp_path / "text.docx").write_text("no archive")
    with pytest.raises(InputError, match=r"text.docx is no Word template that can be read"):
        word_reports(folder, tmp_path, choices=WordChoices(template=tmp_path / "text.docx"))
    with zipfile.ZipFile(tmp_path / "bare.docx") as whole, zipfile.ZipFile(tmp_path / "cut.docx", "w") as cut:
        for name in whole.namelist():
            cut.writestr(name, whole.read(name)[: 200 if name == "word/document.xml" else None])
    with pytest.raises(InputError, match=r"cut.docx is no Word template that can be read"):
        word_reports(folder, tmp_path, choices=WordChoices(template=tmp_path / "cut.docx"))
    (tmp_path / "book.docx").write_bytes((folder / "report.xlsx").read_bytes())
    with pytest.raises(InputError, match=r"book.docx is no Word template that can be read; got file 'book.docx' is"):
        word_reports(folder, tmp_path, choices=WordChoices(template=tmp_path / "book.docx"))
    with pytest.raises(InputError, match=r"the template .*none.docx cannot be read; got No such file"):
        word_reports(folder, tmp_path, choices=WordChoices(template=tmp_path / "none.docx"))
    with pytest.raises(UsageError, match="is there already"):
        write_template(tmp_path / "bare.docx")


# -- pictures of the map -----------------------------------------------------------------------------------------------


def test_without_a_browser_the_report_says_how_to_get_the_maps(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(map_pictures, "BROWSERS", ("no-such-browser",))
    monkeypatch.delenv(map_pictures.BROWSER_VARIABLE, raising=False)
    (path,) = word_reports(folder, tmp_path)
    (line,) = [line for line in said(path) if line.startswith("未附地图")]
    assert "install Chromium" in line


def test_scenes_are_seen_from_the_district(folder, tmp_path, monkeypatch):
    asked = []

    def draw(browser, address, path, kind, *, density):
        asked.append(address)
        shutil.copyfile(made, path)

    made = tmp_path / "drawn.png"
    load_result(folder).chart("lorenz").save(made)
    monkeypatch.setattr(map_pictures, "find_browser", lambda: "browser")
    monkeypatch.setattr(word_report, "find_browser", lambda: "browser")
    monkeypatch.setattr(map_pictures, "_draw", draw)
    (path,) = word_reports(folder, tmp_path)
    assert len(asked) >= 3
    assert all("u=district%3A510104" in a or "u=community%3A510104" in a for a in asked)
    captions = [p.text for p in docx.Document(str(path)).paragraphs if re.match(r"图 \d", p.text)]
    assert len(captions) == len(asked)


# -- the command -------------------------------------------------------------------------------------------------------


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(a) for a in arguments])
    return ended.value.code


def test_the_command_writes_word_and_excel(folder, tmp_path, capsys):
    assert run("report", folder, "--docx", "--no-map", "--headings", "scenes7", "-o", tmp_path) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "report-锦江区.docx")]
    assert run("report", folder, "-o", tmp_path) == 0
    book = openpyxl.load_workbook(tmp_path / "report.xlsx", read_only=True)
    (quality,) = [sheet for sheet in book.worksheets if sheet.title.startswith("数据质量")]
    rows = [row for row in quality.iter_rows(values_only=True) if str(row[0]).startswith("接入街道距离")]
    assert ["a folder keeps no homes" in str(row[1]) for row in rows] == [True], "unknown is not none"
    assert run("report", "--write-template", tmp_path / "mine.docx") == 0
    assert run("report", folder, "--district", "510104") == 2
    assert "are for Word; remedy: add --docx" in capsys.readouterr().err
    assert run("report") == 2


def test_without_python_docx_the_remedy_is_said(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(InputError, match=r"python-docx, which is not installed; remedy: pip install python-docx"):
        word_reports(folder, tmp_path, choices=PLAIN)


@pytest.mark.office
def test_an_office_program_opens_the_report_and_every_page_has_its_footer(report, tmp_path):
    office, pdftotext = shutil.which("soffice"), shutil.which("pdftotext")
    if office is None or pdftotext is None:
        missing("no LibreOffice or no pdftotext is installed (Debian: libreoffice-writer, poppler-utils)")
    subprocess.run(
        [office, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless", "--convert-to", "pdf",
         "--outdir", str(tmp_path), str(report)], check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    pdf = tmp_path / f"{report.stem}.pdf"
    text = subprocess.run([pdftotext, "-layout", str(pdf), "-"], check=True, capture_output=True, text=True).stdout
    pages = text.split("\f")[:-1]
    assert len(pages) >= 5
    assert all(INTERNAL_DRAWING in page and OSM_CREDIT in page for page in pages)
    assert "{{" not in text
