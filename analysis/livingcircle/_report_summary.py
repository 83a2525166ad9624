"""The sheet of the report that says what was measured, how, of which data, and the result for the whole city."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from livingcircle._report_words import (
    LAND_AS_DEMAND,
    MARKS,
    NO_PEOPLE,
    rows_table,
    score_sentence,
    sheet_of,
    study_name,
)
from livingcircle._text_width import lines_needed
from livingcircle._workbook import Sheet
from livingcircle.credits import NOT_A_SURVEY, approval_line, credits_of
from livingcircle.said_zh import said_in_both
from livingcircle.scores import MIN_DATA_SHARE, MIN_PEOPLE

if TYPE_CHECKING:
    from livingcircle.result import ScanResult
    from livingcircle.standards import Rule

LINE = 140  # digits of the wide column
MOST_LINES = 64  # more would be too small to read on one page


def summary_sheet(result: ScanResult, scores: pd.DataFrame) -> Sheet:
    run, people = result.run, result.run.get("people", {})
    of_land = run.get("demand") == "residential_land"
    city = scores[scores["level"] == "city"]
    rows: list[tuple[str, object]] = [
        ("研究 Study", study_name(result.run)),
        ("标准 Standards", f"{result.rules.title_zh} {result.rules.title_en} ({result.rules.id})"),
        *_confidence(result.rules.rules),
        ("数据日期 Data date", run.get("data_date")),
        *([("需求 Demand", LAND_AS_DEMAND)] if of_land else []),
        ("居住用地 Residential land (m²)" if of_land else "输入人口 People in the input", people.get("input")),
        ("已落位 Placed", people.get("placed")),
        ("未落位 Not placed", people.get("not_placed")),
        ("单元之外 Outside the units", people.get("outside")),
        *(("全市得分 City score", score_words(row)) for row in city.to_dict("records")),
        (
            "口径 Measures",
            "步行覆盖按沿街距离,半径覆盖按直线距离(同官方统计)。 "
            "On foot along streets; by radius in a straight line, as statistics do.",
        ),
        (
            "可信度 Confidence",
            "V2、M+、M? 的指标使用前须与标准原文核对。 Figures marked V2, M+ or M? are to be checked first.",
        ),
        ("不评分 No score", f"人口少于 {MIN_PEOPLE},或有数据的计分项不足 {MIN_DATA_SHARE:.0%}。"),
        *(
            ("默认与选择 Setting in force", said_in_both(f"{key} = {value}").replace("\n", " · "))
            for key, value in result.settings.items()
        ),
        *(("数据署名 Attribution", credit) for credit in credits_of(run)),
        ("地图审核 Map approval", approval_line(result.approval_number)),
        ("声明 Notice", NOT_A_SURVEY),
        # last, as they can be many: what was measured and how stays together on the first page
        *(("提醒 Warning", said_in_both(warning)) for warning in run.get("warnings", ())),
    ]
    told = [(item, _words(value)) for item, value in rows]
    sheet = sheet_of("总览 Summary", rows_table(("item", "content"), told), ("item", "content"))
    return replace(sheet, fit_pages=math.ceil(sum(lines_needed(words, LINE) for _, words in told) / MOST_LINES))


def _words(value: object) -> str:
    if value is None or value == "":
        return "未注明 not stated"
    return f"{value:,}" if isinstance(value, int) else str(value)


def score_words(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["people"]):
        return f"不评分 no score ({NO_PEOPLE})"
    if pd.isna(row["score"]):
        return f"不评分 no score ({row['n_listed']} 项服务中 {row['n_scored']} 项有数据,{row['people']:,} 人)"
    bounds = f"得分 {row['score']:.1f}(下限 {row['score_low']:.1f},上限 {row['score_high']:.1f})"
    left = int(row["n_listed"] - row["n_scored"])
    unknown = f"(其中 {left} 项无数据,按无计)" if left else ""
    return f"{score_sentence(row['k_mean'], int(row['n_listed']))}{unknown};{bounds}"


def _confidence(rules: Sequence[Rule]) -> list[tuple[str, object]]:
    """Return per standard how many of its rules carry which confidence mark."""
    marks = pd.DataFrame({"standard": [r.standard for r in rules], "mark": [r.mark for r in rules]})
    counts = marks.groupby(["standard", "mark"]).size().reset_index(name="number")
    return [
        (f"标准 {row['standard']}", f"{row['number']} 条 rules: {MARKS[row['mark']]}")
        for row in counts.to_dict("records")
    ]
