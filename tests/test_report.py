"""The Excel report: sheets that agree with the tables they are made from."""

import re
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import openpyxl
import pandas as pd
import pytest

from livingcircle import _sheet_rows, _workbook
from livingcircle._report_summary import summary_sheet
from livingcircle._report_words import score_sentence
from livingcircle._workbook import Field, Sheet, write_workbook
from livingcircle.columns import TABLES
from livingcircle.credits import INTERNAL_DRAWING, NOT_A_SURVEY, OSM_CREDIT
from livingcircle.report import finding, walk_finding, write_report
from livingcircle.standards import Rule
from made_result import made_result

TITLES = [
    "封面 Cover", "总览 Summary", "图 得分 Chart scores", "图 覆盖率 Chart coverage", "图 公平 Chart Lorenz",
    "排名 Ranking", "缺口 Gaps", "规则 Rules", "覆盖 Coverage", "各层级得分 Levels", "补点 Additions",
    "假覆盖 False coverage", "数据质量 Data quality", "未测量 Not measured", "数据字典 Data dictionary",
]  # fmt: skip

PAGES = ["封面 Cover", "图 得分 Chart scores", "图 覆盖率 Chart coverage", "图 公平 Chart Lorenz"]


@pytest.fixture(scope="module")
def result():
    return made_result(communities=5, names=['=HYPERLINK("http://x")', "-桂溪&<b>", "小\x07社区"])


@pytest.fixture(scope="module")
def path(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.xlsx"
    write_report(result, path)
    return path


@pytest.fixture(scope="module")
def book(path):
    return openpyxl.load_workbook(path)


def table(book, title):
    """Return a sheet as a frame, by the English half of the headings."""
    rows = list(book[title].values)
    return pd.DataFrame(rows[1:], columns=[str(heading).split("\n")[1] for heading in rows[0]])


def here(result):
    return result.coverage[
        (result.coverage["level"] == "community")
        & result.coverage["status"].isin(["ok", "incomplete"])
        & result.coverage["denominator"].eq("people")
    ]


def test_sheets_in_order(book):
    assert book.sheetnames == TITLES


def test_equal_results_give_equal_bytes_and_no_time_of_writing(path, result, tmp_path):
    write_report(result, tmp_path / "again.xlsx")
    assert (tmp_path / "again.xlsx").read_bytes() == path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        assert {member.date_time for member in archive.infolist()} == {(2000, 1, 1, 0, 0, 0)}
        assert archive.testzip() is None


def test_gaps_are_the_people_not_covered_most_first(book, result):
    gaps = table(book, "缺口 Gaps")
    missed = here(result)["demand"] - here(result)["covered"]
    assert gaps["People without"].sum() == missed.sum()
    assert len(gaps) == (missed > 0).sum()
    assert gaps["People without"].is_monotonic_decreasing


def test_false_coverage_is_what_the_circle_promises_too_much(book, result):
    false = table(book, "假覆盖 False coverage")
    promised = here(result)["radius_covered"] - here(result)["covered"]
    assert false["False coverage, people"].sum() == promised.sum()
    assert (false["False coverage, people"] == false["Covered by radius"] - false["Covered on foot"]).all()


def test_coverage_lists_communities_only_and_sums_agree(book, result):
    coverage = table(book, "覆盖 Coverage")
    own = result.coverage[result.coverage["level"] == "community"]
    assert len(coverage) == len(own)
    assert coverage["Covered on foot"].sum() == own["covered"].sum()
    assert coverage["Share on foot"].tolist() == pytest.approx(own["share"].tolist(), abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("title", ["规则 Rules", "覆盖 Coverage"])
def test_every_share_stands_beside_its_denominator_clause_and_doubt(book, result, title):
    sheet = table(book, title)
    rows = result.coverage[result.coverage["level"] == ("community" if title.startswith("覆盖") else "city")]
    assert not sheet["Share on foot"].isna().all()
    told = sheet[sheet["Share on foot"].notna()]
    assert told[["Share of what", "Demand", "Clause", "Confidence"]].notna().all().all()
    assert "人 people" in set(told["Share of what"])
    assert sheet["Target attained"].notna().sum() == rows["attainment"].notna().sum()


def test_levels_above_the_communities_have_a_sheet_and_estates_and_areas_one_of_their_own(result, tmp_path):
    city = result.coverage["level"] == "city"
    estate = result.coverage[city].assign(level="estate", unit_id="w1", unit_name="=某小区")
    whole = result.scores["level"] == "city"
    score = result.scores[whole].assign(level="estate", unit_id="w1", unit_name="=某小区")
    told = replace(result, coverage=pd.concat([result.coverage, estate]), scores=pd.concat([result.scores, score]))
    write_report(told, tmp_path / "report.xlsx")
    book = openpyxl.load_workbook(tmp_path / "report.xlsx")
    levels, across = table(book, "各层级得分 Levels"), table(book, "小区与片区 Estates, areas")
    assert levels["Level"].value_counts().to_dict() == {"区县 district": 1, "市 city": 1, "小区 estate": 1}
    assert levels["Score"].tolist()[-1] == pytest.approx(result.scores.loc[whole, "score"].iloc[0])
    assert (across["Unit id"].tolist(), set(across["Unit"])) == (["w1"] * city.sum(), {"=某小区"})
    assert across["Covered on foot"].sum() == result.coverage.loc[city, "covered"].sum()


def test_ranking_puts_scores_first_and_says_why_others_have_none(book):
    ranking = table(book, "排名 Ranking")
    assert ranking["Rank"].tolist()[:4] == [1, 2, 3, 4]
    assert ranking["Score"].dropna().is_monotonic_decreasing
    last = ranking.iloc[-1]
    assert last["People"] == 60
    assert pd.isna(last["Rank"])
    assert "fewer than 100 people" in last["Why not ranked"]


def test_a_community_whose_people_reach_no_street_is_not_said_to_be_empty(result, tmp_path):
    def told(**columns):
        nobody = result.communities.assign(score=float("nan"), **columns)
        write_report(replace(result, communities=nobody), tmp_path / "r.xlsx")
        ranking = table(openpyxl.load_workbook(tmp_path / "r.xlsx"), "排名 Ranking").sort_values("Community id")
        return ranking["On no street, not counted"].tolist(), [why.split(" ")[0] for why in ranking["Why not ranked"]]

    lost, few = [29_925, 0, 7, 7, 7], "有数据的服务不足"
    assert told(people=[0, 0, 5_000, 5_000, 5_000], not_placed=lost, n_scored=2) == (
        lost, ["居民均未接入路网,未计入", "无居住人口", few, few, few],
    )  # fmt: skip
    people = pd.array([None, 5_000, 5_000, 5_000, 5_000], dtype="Int64")  # one published as <10
    assert told(people=people, not_placed=0, n_scored=2)[1] == ["人数不公布", few, few, few, few]
    people, lost = pd.array([0, 0, 500, 500, 500], dtype="Int64"), pd.array([None, 0, 0, 0, 0], dtype="Int64")
    assert told(people=people, not_placed=lost, n_scored=2)[1][:2] == ["居民均未接入路网,未计入", "无居住人口"]


def test_communities_of_another_type_are_ranked_apart(tmp_path):
    made = made_result(communities=4)
    types = made.communities.assign(unit_type=["urban", "rural", "urban", "rural"])
    write_report(replace(made, communities=types), tmp_path / "r.xlsx")
    ranking = table(openpyxl.load_workbook(tmp_path / "r.xlsx"), "排名 Ranking").dropna(subset="Rank")
    assert ranking.groupby("Compared with")["Rank"].apply(list).tolist() == [[1, 2], [1]]


def test_summary_says_what_must_be_said(book, result):
    said = "\n".join(str(cell) for row in book["总览 Summary"].values for cell in row)
    people = result.run["people"]
    city = result.scores[result.scores["level"] == "city"].iloc[0]
    for expected in (
        "锦江区试算", OSM_CREDIT, INTERNAL_DRAWING, NOT_A_SURVEY, "walker = adult 1.33 m/s",
        "接入距离上限 = 300 米 · join_limit_m = 300", "3 streets have no surface",
        f"{people['input']:,}", f"{people['placed']:,}", "2024-06-01",
        score_sentence(city["k_mean"], 16), "其中 1 项无数据",
    ):  # fmt: skip
        assert expected in said


def test_a_city_without_score_says_why(result, tmp_path):
    scores = result.scores.assign(score=float("nan"), n_scored=10)
    write_report(replace(result, scores=scores), tmp_path / "r.xlsx")
    summary = table(openpyxl.load_workbook(tmp_path / "r.xlsx"), "总览 Summary").set_index("Item")["Content"]
    assert "16 项服务中 10 项有数据" in summary["全市得分 City score"]


def test_rules_stand_with_clause_and_city_shares(book, result):
    rules = table(book, "规则 Rules")
    assert rules["Rule"].tolist() == [rule.id for rule in result.rules.rules]
    assert rules["Clause"].tolist() == [rule.citation for rule in result.rules.rules]
    city = result.coverage[result.coverage["level"] == "city"].set_index("rule")
    shares = city["share"].reindex(rules["Rule"])
    assert shares.notna().sum() > 10
    assert rules["Share on foot"].tolist() == pytest.approx(shares.tolist(), abs=1e-6, nan_ok=True)


def test_not_measured_lists_rules_without_data_and_services_without_place(book, result):
    lost = table(book, "未测量 Not measured")
    city = result.coverage[result.coverage["level"] == "city"]
    assert (lost["Topic"] == "条文 Rule").sum() == city["status"].isin(["no_data", "not_applicable"]).sum() > 0
    hidden = [service for service in result.catalogue.services.values() if not service.spatial]
    assert (lost["Topic"] == "服务 Service").sum() == len(hidden) > 0


def test_data_quality_sums_what_was_not_used(book, result):
    quality = table(book, "数据质量 Data quality")
    unused = quality[quality["Topic"] == "未使用 Not used"]
    assert unused["Number"].sum() == len(result.unplaced)
    assert unused["People"].sum() == result.unplaced["people"].sum()
    placed = quality[quality["Topic"].str.startswith("人口落位")].set_index("Item")["People"]
    people = result.communities["people"].sum()
    assert placed.to_dict() == pytest.approx(
        {"居住建筑 residential buildings": 0.4 * people, "沿街 along streets": 0.6 * people}, abs=1
    )
    legs = quality[quality["Topic"].str.startswith("接入")].set_index("Item")["Number"]
    assert legs["未接入的居住点 homes not joined"] == 1
    assert legs["中位数 median"] == 40.0  # 1000, 60, 1030 and 1040 people at 10, 30, 40 and 50 m


def test_data_dictionary_names_every_column(book):
    dictionary = table(book, "数据字典 Data dictionary")
    assert dictionary[["Table", "Column"]].to_numpy().tolist() == [
        [group.name, column.name] for group in TABLES for column in group.columns
    ]


def test_names_like_formulas_are_text_and_odd_signs_survive(book):
    sheet = book["排名 Ranking"]
    cells = {cell.value: cell for cell in sheet["C"]}
    formula = cells['=HYPERLINK("http://x")']
    assert formula.data_type == "s"
    assert formula.quotePrefix
    assert cells["-桂溪&<b>"].quotePrefix
    assert cells["小 社区"].data_type == "s", "signs that XML cannot hold become a blank"
    assert not [cell for page in book for row in page.iter_rows() for cell in row if cell.data_type == "f"]


def test_every_sheet_is_ready_to_print(book):
    for sheet in book:
        assert (sheet.page_setup.orientation, sheet.page_setup.fitToWidth) == ("landscape", 1)
        assert sheet.page_setup.paperSize in (8, 9), "A3 or A4"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.oddHeader.left.text == "锦江区试算"
        assert sheet.oddFooter.left.text.startswith(INTERNAL_DRAWING)
        assert OSM_CREDIT in sheet.oddFooter.left.text
        assert sheet.oddFooter.right.text == "&P / &N"


def test_every_table_is_ready_to_filter_and_repeats_its_heading(book):
    for title in TITLES:
        if title in PAGES:
            assert book[title].page_setup.fitToHeight == 1
            continue
        sheet = book[title]
        assert sheet.freeze_panes in ("A2", "B2", "C2", "D2")
        assert sheet.auto_filter.ref == sheet.dimensions
        assert sheet.page_setup.fitToHeight == int(title == "总览 Summary")  # short enough for one page
        assert sheet.print_title_rows == "$1:$1"
        assert re.fullmatch(rf"'{title}'!\$A\$1:\$[A-Z]+\${sheet.max_row}", sheet.print_area)


def test_many_warnings_stand_last_and_are_printed_on_the_fewest_pages_that_can_be_read():
    """64 lines of 140 digits are a page: 20 facts of a line each, and 50 warnings of one line, are two."""
    made = made_result()
    made.run["warnings"] = [f"a warning, number {number}" for number in range(50)]
    sheet = summary_sheet(made, made.scores)
    assert sheet.fit_pages == 2
    assert set(sheet.frame["item"].iloc[-50:]) == {"提醒 Warning"}
    assert set(sheet.frame["item"].iloc[:-50]).isdisjoint({"提醒 Warning"})
    made.run["warnings"] = made.run["warnings"][:1]
    assert summary_sheet(made, made.scores).fit_pages == 1


def test_what_must_stand_beside_a_share_is_printed_with_it(book):
    for title in ("缺口 Gaps", "规则 Rules", "覆盖 Coverage", "假覆盖 False coverage"):
        printed = book[title][book[title].print_area.split("!")[1].replace("$", "")][0]
        assert {"Share on foot", "Status", "Clause", "Confidence"} <= {cell.value.split("\n")[1] for cell in printed}


def test_every_part_of_the_file_is_well_formed(path):
    with zipfile.ZipFile(path) as archive:
        parts = [name for name in archive.namelist() if name.endswith((".xml", ".rels"))]
        assert sum("charts/chart" in name for name in parts) == 3
        for name in parts:
            ElementTree.fromstring(archive.read(name))


def test_cover_names_standards_dates_and_approval_and_leads_to_every_sheet(book, result, tmp_path):
    cover = {row[0].value: row[1] for row in book["封面 Cover"].iter_rows(max_col=2) if row[0].value}
    assert cover["审图号 Map approval"].value == INTERNAL_DRAWING
    assert cover["声明 Notice"].value == NOT_A_SURVEY
    assert "chengdu.osm.pbf (osm): 2024-06-01\n菜市场 2024.csv (facilities): 未注明 not stated" in (
        cover["数据日期 Data dates"].value
    )
    for rule in result.rules.rules:
        assert rule.standard in cover["标准 Standards"].value
    assert cover["编制单位 Organisation"].value is None
    links = [cell.hyperlink.location for row in book["封面 Cover"].iter_rows() for cell in row if cell.hyperlink]
    assert links == [f"'{title}'!A1" for title in TITLES[1:]]
    write_report(replace(result, approval_number="川S(2024)001号"), tmp_path / "r.xlsx")
    approved = openpyxl.load_workbook(tmp_path / "r.xlsx")
    said = [row[1] for row in approved["封面 Cover"].values if row[0] == "审图号 Map approval"]
    assert said == ["审图号:川S(2024)001号"]
    assert all(sheet.oddFooter.left.text.startswith("审图号:川S(2024)001号") for sheet in approved)


def figures(sheet):
    """Return the figures of a chart's sheet, by the English half of the headings, or whole where it has none."""
    rows = [row[17:] for row in sheet.values]
    return pd.DataFrame(rows[1:], columns=rows[0]).dropna(axis=1, how="all").dropna(how="all")


def test_charts_show_the_figures_of_the_tables(book, result):
    scores = figures(book["图 得分 Chart scores"])
    ranking = table(book, "排名 Ranking").dropna(subset="Score")
    assert scores["得分 Score"].tolist() == ranking["Score"].tolist()
    assert scores["社区 Community"].tolist() == ranking["Community"].tolist()
    coverage = figures(book["图 覆盖率 Chart coverage"])
    assert coverage["步行覆盖率 Share on foot"].is_monotonic_increasing
    rules = (
        table(book, "规则 Rules").sort_values(["Share on foot", "Rule"], kind="stable").dropna(subset="Share on foot")
    )
    assert coverage["半径覆盖率 Share by radius"].tolist() == rules["Share by radius"].tolist()[:30]
    # Half of the people reach 3 services and half reach 4: together the first half has 3 / 7 of all.
    lorenz = figures(book["图 公平 Chart Lorenz"])
    assert lorenz["可达服务项数累计占比 Share of services reached"].tolist() == pytest.approx([0, 3 / 7, 1], abs=1e-3)
    for title in PAGES[1:]:
        assert len(book[title]._charts) == 1, title


def test_of_many_communities_the_chart_shows_the_lowest(tmp_path):
    write_report(made_result(communities=40), tmp_path / "r.xlsx")
    scores = figures(openpyxl.load_workbook(tmp_path / "r.xlsx")["图 得分 Chart scores"])
    assert len(scores) == 30
    assert scores["社区 Community"].iloc[-1] == "社区0"  # the score rises with the number of the community


def test_columns_are_as_wide_as_what_is_in_them_and_long_texts_get_the_lines_they_need(tmp_path):
    frame = pd.DataFrame({"a": ["成都市武侯区", "三圣花乡"], "b": ["字" * 30, "短"], "c": [0.5, 1.0]})
    fields = (Field("甲", "A", width=20), Field("乙", "B", "long", 20), Field("丙", "C", "share"))
    write_workbook(tmp_path / "w.xlsx", [Sheet("表", fields, frame)], title="t", footer="f")
    page = openpyxl.load_workbook(tmp_path / "w.xlsx")["表"]
    # 12 digits of six characters, two of margin, one of indent; 20 at most; "100.0%".
    assert [page.column_dimensions[letter].width for letter in "ABC"] == [15, 23, 8]
    # Sixty digits in a column that has room for 21, where twenty are ten characters: three lines of 15 points.
    assert (page.row_dimensions[2].height, page.row_dimensions[3].height) == (45, None)


def test_a_long_footer_keeps_the_approval_and_stays_within_what_excel_takes(result, tmp_path):
    inputs = [{"role": "facilities", "path": "a.csv", "attribution": "A&B" * 60 + str(number)} for number in range(4)]
    write_report(replace(result, run={**result.run, "inputs": inputs}), tmp_path / "r.xlsx")
    with zipfile.ZipFile(tmp_path / "r.xlsx") as archive:
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet2.xml"))
    footer = next(element.text for element in sheet.iter() if element.tag.endswith("oddFooter"))
    assert len(footer) <= 255
    assert INTERNAL_DRAWING in footer
    assert footer.count("&") == 2 * footer.count("&&") + len(["&L", "&R", "&P", "&N"])


def test_shares_and_scores_have_formats_and_colours(book):
    coverage, ranking = book["覆盖 Coverage"], book["排名 Ranking"]
    by_heading = {cell.value.split("\n")[1]: cell.column_letter for cell in coverage[1]}
    assert coverage[f"{by_heading['Share on foot']}2"].number_format == "0.0%"
    assert coverage[f"{by_heading['Demand']}2"].number_format == "#,##0"
    assert [str(area.sqref) for area in ranking.conditional_formatting] == ["G2:G6"]
    ends = [
        tuple(colour.rgb[2:] for colour in area.rules[0].colorScale.color[::2])
        for area in book["假覆盖 False coverage"].conditional_formatting
    ]
    orange, purple = _workbook.LOW, _workbook.HIGH
    assert ends == [(purple, orange), (orange, purple)], "much false coverage is bad, a large share on foot is good"


MET = pd.Series([True, False, False, False, pd.NA], dtype="boolean")
STATUS = pd.Series(["incomplete", "incomplete", "ok", "ok", "ok"])


def test_not_met_is_said_only_of_binding_clauses_with_complete_data():
    words = finding(MET, binding=pd.Series([True, True, True, False, True]), status=STATUS)
    assert words.tolist() == [
        "满足 met",
        "图层不全,不能判断 cannot tell",
        "不达标 not met",
        "未满足建议值 below the recommended value",
        "",
    ]


def test_the_walking_check_never_says_not_met():
    assert walk_finding(MET, status=STATUS).tolist() == [
        "满足 met",
        "图层不全,不能判断 cannot tell",
        "步行复核未满足 not met on foot",
        "步行复核未满足 not met on foot",
        "",
    ]


@pytest.mark.parametrize(
    ("bound", "confidence", "said"),
    [("must", "V:S1", True), ("must", "M+", False), ("recommended", "V:S1", False), ("", "V:S1", False)],
)
def test_the_report_says_it_of_verified_must_rules_only(tmp_path, bound, confidence, said):
    base = made_result().rules
    rule = base.rule("gb50180_2018_kindergarten").model_copy(update={"bound": bound, "confidence": confidence})
    assert isinstance(rule, Rule)
    rules = type(base)("own", "自定", "own", "file", (rule,), (rule.id,))
    write_report(made_result(rules=rules), tmp_path / "r.xlsx")
    with zipfile.ZipFile(tmp_path / "r.xlsx") as archive:
        text = "".join(archive.read(name).decode() for name in archive.namelist() if "sheet" in name)
    assert ("不达标" in text) is said
    assert ("未满足建议值" in text) is not said


def test_a_result_with_nothing_in_it_still_makes_a_report(tmp_path):
    full = made_result(communities=3)
    empty = {name: getattr(full, name).head(0) for name in ("coverage", "unplaced", "homes", "facilities")}
    write_report(made_result(communities=3, **empty), tmp_path / "r.xlsx")
    without = ["图 覆盖率 Chart coverage"]  # there is nothing to draw
    assert openpyxl.load_workbook(tmp_path / "r.xlsx").sheetnames == [t for t in TITLES if t not in without]


def test_more_rows_than_excel_takes_go_on_in_the_next_sheet(tmp_path, monkeypatch):
    monkeypatch.setattr(_workbook, "MOST_ROWS", 3)
    monkeypatch.setattr(_sheet_rows, "ROWS_AT_A_TIME", 2)
    sheet = Sheet("长 Long", (Field("数", "Number", "int"),), pd.DataFrame({"a": range(7)}))
    write_workbook(tmp_path / "long.xlsx", [sheet], title="t", footer="a & b")
    book = openpyxl.load_workbook(tmp_path / "long.xlsx", read_only=True)
    assert book.sheetnames == ["长 Long", "长 Long 2", "长 Long 3"]
    numbers = [value for page in book for (value,) in page.iter_rows(min_row=2, values_only=True)]
    book.close()
    assert numbers == list(range(7))
