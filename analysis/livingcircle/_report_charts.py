"""The charts of the Excel report: Excel's own, with their figures beside them, so that a planner can change both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from openpyxl.chart import BarChart, Reference, ScatterChart, Series
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.drawing.text import (
    CharacterProperties,
    Paragraph,
    ParagraphProperties,
    RichTextProperties,
)
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from livingcircle._workbook import Page, put
from livingcircle.columns import SCORE_HISTOGRAM, published
from livingcircle.fairness import lorenz

if TYPE_CHECKING:
    from livingcircle.standards import RuleSet

MOST_BARS = 30  # what can be read on one printed page
CHART_COLUMNS, CHART_ROWS = 16, 36  # the cells that a chart covers: A4 across
FIGURES_FROM = 18  # first column of a chart's figures, right of the chart and outside the print area
TITLE_SIZE, LABEL_SIZE = 1400, 800  # hundredths of a point
WALK, RADIUS, EVEN, GRID = "3A808E", "E3B778", "8C8C8C", "D9D9D9"


def chart_pages(ranking: pd.DataFrame, city: pd.DataFrame, rules: RuleSet, histogram: pd.DataFrame) -> list[Page]:
    """Return a page per chart; one that has nothing to show is left out.

    Parameters
    ----------
    ranking
        Ranked communities, the group of most people first: ``unit_id, unit_name, class, rank, score``.
    city
        Coverage of the whole city, a row per rule: ``rule, share, radius_share, status``.
    rules
        Of the run.
    histogram
        People by services in reach (see `livingcircle.columns.SCORE_HISTOGRAM`).
    """
    return [*_ranking_page(ranking), *_coverage_page(city, rules), *_lorenz_page(histogram)]


def _ranking_page(ranking: pd.DataFrame) -> list[Page]:
    """Draw the scores of the communities that are compared with each other: of the group of most people."""
    ranked = ranking.dropna(subset="score")
    if ranked.empty:
        return []
    group = ranked["class"].iloc[0]
    one = ranked[ranked["class"] == group].sort_values(["score", "unit_id"], ascending=[False, True], kind="stable")
    shown = one.tail(MOST_BARS)
    title = f"社区得分 Scores of {len(one):,} communities ({group})"
    if len(shown) < len(one):
        title = f"得分最低的 {len(shown)} 个社区 The {len(shown)} lowest scores of {len(one):,} communities ({group})"
    names = shown["unit_name"].fillna("").where(shown["unit_name"].fillna("") != "", shown["unit_id"])
    figures = pd.DataFrame({"社区 Community": names, "得分 Score": shown["score"]})
    return [_bars("图 得分 Chart scores", title, figures, ("score",), (WALK,), top=100)]


def _coverage_page(city: pd.DataFrame, rules: RuleSet) -> list[Page]:
    """Draw what share of the people every rule reaches on foot and by radius, the lowest first."""
    known = city.dropna(subset="share").sort_values(["share", "rule"], kind="stable").head(MOST_BARS)
    if known.empty:
        return []
    names = known["rule"].map({rule.id: rule.name_zh or rule.name_en for rule in rules.rules})
    figures = pd.DataFrame(
        {
            "条文 Rule": names.where(known["status"] != "incomplete", names + "(至少)"),
            "步行覆盖率 Share on foot": known["share"],
            "半径覆盖率 Share by radius": known["radius_share"],
        }
    )
    title = "全市各条文覆盖率:步行与半径 Coverage of the city by rule: on foot and by radius"
    return [_bars("图 覆盖率 Chart coverage", title, figures, ("share", "share"), (WALK, RADIUS), top=1)]


def _lorenz_page(histogram: pd.DataFrame) -> list[Page]:
    """Draw how evenly the services in reach are spread over the people of the city."""
    table = published(histogram, SCORE_HISTOGRAM)
    city = table[(table["level"] == "city") & (table["group"] == "all")]
    people, reached = lorenz(city["k"], city["people"])
    if len(city) == 0 or pd.isna(reached[-1]):
        return []
    figures = pd.DataFrame(
        {
            "居民累计占比 Share of people": people,
            "可达服务项数累计占比 Share of services reached": reached,
            "完全均等 All the same": people,
        }
    )

    def draw(page: Worksheet) -> None:
        _write_figures(page, figures, ("share", "share", "share"))
        chart = ScatterChart()
        chart.style, chart.scatterStyle = 2, "lineMarker"
        for column, colour, dashes in ((1, WALK, "solid"), (2, EVEN, "dash")):
            series = Series(
                _cells_of(page, figures, column), _cells_of(page, figures, 0), title=figures.columns[column]
            )
            series.marker.symbol = "none"
            series.smooth = False
            series.graphicalProperties.line.solidFill = colour
            series.graphicalProperties.line.dashStyle = dashes
            series.graphicalProperties.line.width = 28_000  # EMU: 2.2 points
            chart.series.append(series)
        chart.x_axis.title, chart.y_axis.title = figures.columns[0], figures.columns[1]
        _scale(chart.x_axis, 1, "0%")
        _scale(chart.y_axis, 1, "0%")
        chart.legend.position = "b"
        _place(page, chart, "洛伦兹曲线:可达服务项数在居民中的分布 Lorenz curve of the services that people reach")

    return [Page("图 公平 Chart Lorenz", draw)]


def _bars(
    sheet: str, title: str, figures: pd.DataFrame, kinds: Sequence[str], colours: Sequence[str], *, top: float
) -> Page:
    """Return a page with horizontal bars: names in the first column of `figures`, one series per further column."""

    def draw(page: Worksheet) -> None:
        _write_figures(page, figures, ("text", *kinds))
        chart = BarChart()
        chart.type, chart.style, chart.gapWidth = "bar", 2, 40
        for column, colour in enumerate(colours, start=1):
            series = Series(_cells_of(page, figures, column), title=figures.columns[column])
            series.graphicalProperties = GraphicalProperties(solidFill=colour)
            chart.series.append(series)
        chart.set_categories(_cells_of(page, figures, 0))
        chart.x_axis.scaling.orientation = "maxMin"  # the first name stands at the top
        chart.x_axis.delete = False
        chart.x_axis.tickLblSkip = 1
        _scale(chart.y_axis, top, "0%" if top == 1 else "0")
        chart.y_axis.crosses = "max"  # the numbers stay below the bars
        if len(colours) == 1:
            chart.legend = None
            chart.dataLabels = DataLabelList(showVal=True, showSerName=False, showCatName=False, showLegendKey=False)
            chart.dataLabels.numFmt = "0.0"
        else:
            chart.legend.position = "b"
        _place(page, chart, title)

    return Page(sheet, draw)


def _write_figures(page: Worksheet, figures: pd.DataFrame, kinds: Sequence[str]) -> None:
    """Write what a chart shows into cells beside it."""
    for number in range(1, FIGURES_FROM):
        page.column_dimensions[get_column_letter(number)].width = 9
    for number, (name, kind) in enumerate(zip(figures.columns, kinds, strict=True)):
        column = FIGURES_FROM + number
        put(page, 1, column, str(name), "heading")
        for row, value in enumerate(figures[name].tolist(), start=2):
            put(page, row, column, None if pd.isna(value) else value, kind)
        page.column_dimensions[get_column_letter(column)].width = 26 if kind == "text" else 16


def _cells_of(page: Worksheet, figures: pd.DataFrame, column: int) -> Any:
    return Reference(page, min_col=FIGURES_FROM + column, min_row=2, max_row=len(figures) + 1)


def _scale(axis: Any, top: float, number_format: str) -> None:
    axis.delete = False
    axis.scaling.min, axis.scaling.max = 0, top
    axis.number_format = number_format
    axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill=GRID, w=6_350))  # EMU: half a point


def _place(page: Worksheet, chart: Any, title: str) -> None:
    chart.title = title
    chart.title.overlay = False
    for paragraph in chart.title.tx.rich.p:
        paragraph.pPr = ParagraphProperties(defRPr=CharacterProperties(sz=TITLE_SIZE, b=True))
        for run in paragraph.r:
            run.rPr = CharacterProperties(sz=TITLE_SIZE, b=True)
    for axis in (chart.x_axis, chart.y_axis):
        small = ParagraphProperties(defRPr=CharacterProperties(sz=LABEL_SIZE))
        axis.txPr = RichText(bodyPr=RichTextProperties(), p=[Paragraph(pPr=small, endParaRPr=CharacterProperties())])
    chart.anchor = TwoCellAnchor(_from=AnchorMarker(), to=AnchorMarker(col=CHART_COLUMNS, row=CHART_ROWS))
    page.add_chart(chart)
    page.print_area = f"A1:{get_column_letter(CHART_COLUMNS)}{CHART_ROWS}"
    page.page_setup.fitToHeight = 1
