"""The cover of the Excel report: what was measured, by which standards and data, who signs, what is inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from livingcircle._report_summary import score_words
from livingcircle._report_words import study_name
from livingcircle._text_width import lines_needed
from livingcircle._workbook import FONT, FONT_SIZE, Page, Sheet, fold, put
from livingcircle.credits import INTERNAL_DRAWING, NOT_A_SURVEY, approval_line, credits_of

if TYPE_CHECKING:
    from livingcircle.result import ScanResult

TITLE = "15分钟社区生活圈步行可达性报告"
TITLE_EN = "Who can walk to which service within the standard"
TO_FILL_IN = ("编制单位 Organisation", "编制人 Prepared by", "审核人 Checked by", "编制日期 Date")
ON_PAPER = (
    "打印为横向 A4,宽表为 A3,只含左侧主要列;右侧其余列在屏幕上查看。 "
    "Prints are across on A4, wide tables on A3, and hold the left columns; the others are for the screen."
)
LABEL_WIDTH, TEXT_WIDTH = 34, 100
WARNING_COLOUR, QUIET, LINK = "C00000", "595959", "1F4E79"
COVER = "封面 Cover"


def cover_page(result: ScanResult, scores: pd.DataFrame, sheets: Sequence[Sheet | Page]) -> Page:
    """Return the cover.

    Parameters
    ----------
    result
        A finished scan.
    scores
        Its scores as published.
    sheets
        All that come after the cover, which lists them.
    """
    facts = _facts(result, scores)

    def draw(page: Worksheet) -> None:
        page.sheet_view.showGridLines = False
        page.page_setup.fitToHeight = 1
        page.column_dimensions["A"].width, page.column_dimensions["B"].width = LABEL_WIDTH, TEXT_WIDTH
        row = _write_titles(page, study_name(result.run))
        row = _write_facts(page, row, facts)
        row = _write_approval(page, row + 1, result.approval_number)
        for label in TO_FILL_IN:
            row = _write_fact(page, row, label, "")
            page.cell(row - 1, 2).border = Border(bottom=Side(style="thin"))
        row = _write_fact(page, row + 1, "声明 Notice", NOT_A_SURVEY)
        row = _write_fact(page, row, "署名 Attribution", "\n".join(credits_of(result.run)))
        _write_contents(page, row + 1, sheets)

    return Page(COVER, draw)


def _facts(result: ScanResult, scores: pd.DataFrame) -> list[tuple[str, str]]:
    """Return what was measured, for whom, by which rules, of which data, and the result of the whole city."""
    run = result.run
    counts = result.coverage.drop_duplicates(["level", "unit_id"])["level"].value_counts()
    units = [("community", "社区"), ("subdistrict", "街道"), ("district", "区县")]
    where = "、".join(f"{counts.get(level, 0):,} 个{name}" for level, name in units if counts.get(level, 0))
    standards = pd.Series([rule.standard for rule in result.rules.rules], dtype="str").value_counts().sort_index()
    city = scores[scores["level"] == "city"].to_dict("records")
    return [
        ("范围 Where", where or "—"),
        (
            "居住用地 Residential land (m²)" if run.get("demand") == "residential_land" else "人口 People",
            f"{run.get('people', {}).get('placed', 0):,}",
        ),
        ("组合 Bundle", f"{result.rules.title_zh} {result.rules.title_en} ({result.rules.id})"),
        ("标准 Standards", "; ".join(f"{name} ({number} 条 rules)" for name, number in standards.items())),
        ("数据日期 Data dates", "\n".join(_dates(run))),
        *(("全市得分 City score", score_words(row)) for row in city),
        *(
            ("应配建齐全 All required in reach", f"{row['complete_share']:.1%} 的居民 of the people")
            for row in city
            if not pd.isna(row["complete_share"])
        ),
        ("软件 Made with", f"livingcircle {run.get('versions', {}).get('livingcircle', '')}".strip()),
    ]


def _dates(run: Mapping[str, Any]) -> list[str]:
    """Return the date of every input, OpenStreetMap's as the file says."""
    unknown = "未注明 not stated"
    own = [
        f"{source.get('path')} ({source.get('role')}): {source.get('date') or unknown}"
        for source in run.get("inputs", ())
    ]
    return own or [str(run.get("data_date") or unknown)]


def _write_titles(page: Worksheet, name: str) -> int:
    for row, (text, size, colour) in enumerate(((TITLE, 22, "000000"), (TITLE_EN, 12, QUIET), (name, 18, LINK)), 2):
        put(page, row, 1, text, "text")
        page.cell(row, 1).font = Font(name=FONT, size=size, bold=size > 12, color=colour)
        page.cell(row, 1).alignment = Alignment(vertical="center")
        page.row_dimensions[row].height = size * 1.9
    return 6


def _write_facts(page: Worksheet, row: int, facts: Sequence[tuple[str, str]]) -> int:
    for label, text in facts:
        row = _write_fact(page, row, label, text)
    return row


def _write_fact(page: Worksheet, row: int, label: str, text: str) -> int:
    """Write one line of the cover; return the row below it."""
    put(page, row, 1, label, "text")
    page.cell(row, 1).font = Font(name=FONT, size=FONT_SIZE, color=QUIET)
    put(page, row, 2, text or None, "long")
    fold(page, row, max(lines_needed(label, LABEL_WIDTH - 2), lines_needed(text, TEXT_WIDTH - 2)))
    return row + 1


def _write_approval(page: Worksheet, row: int, approval_number: str) -> int:
    line = approval_line(approval_number)
    below = _write_fact(page, row, "审图号 Map approval", line)
    if line == INTERNAL_DRAWING:
        page.cell(row, 2).font = Font(name=FONT, size=FONT_SIZE + 2, bold=True, color=WARNING_COLOUR)
    return below


def _write_contents(page: Worksheet, row: int, sheets: Sequence[Sheet | Page]) -> None:
    """List the sheets, each a link, with the number of rows of the tables."""
    put(page, row, 1, "目录 Contents", "heading")
    put(page, row, 2, ON_PAPER, "heading")
    page.cell(row, 2).font = Font(name=FONT, size=FONT_SIZE, color=QUIET)
    fold(page, row, lines_needed(ON_PAPER, TEXT_WIDTH - 2))
    for number, sheet in enumerate(sheets, start=row + 1):
        put(page, number, 1, sheet.title, "text")
        page.cell(number, 1).hyperlink = Hyperlink(ref=f"A{number}", location=f"'{sheet.title}'!A1")
        page.cell(number, 1).font = Font(name=FONT, size=FONT_SIZE, color=LINK, underline="single")
        if isinstance(sheet, Sheet):
            put(page, number, 2, f"{len(sheet.frame):,} 行 rows", "text")
