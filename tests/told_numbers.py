"""What each file of a result says in numbers, read back from the files alone, so that they can be compared.

A fact is what is told of a unit and a rule ("" for none): ``(unit, rule, what) -> (number, half of its last digit)``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pandas as pd

from map_reader import unpack_known

Facts = dict[tuple[str, str, str], tuple[float, float]]

# Heading in the Word and the Excel report -> what it says, by the name of the column of the tables.
HEADINGS = {
    "人口": "people", "得分": "score", "得分下限": "score_low", "得分上限": "score_high", "可达项数 k": "k_mean",
    "应服务量": "demand", "步行覆盖率": "share", "半径覆盖率": "radius_share", "未覆盖人数": "without",
    "步行已覆盖": "covered", "半径已覆盖": "radius_covered", "假覆盖人数": "false_covered", "假覆盖占比": "false_share",
}  # fmt: skip
# Sentences of the shipped template and of its sections: every number in them has a name here.
SENTENCES = (
    r"计入居民 (?P<people>{n}) 人。",
    r"居民平均可步行到达 (?P<n_listed>{n}) 项服务中的 (?P<k_mean>{n}) 项,"
    r"得分 (?P<score>{n})\(下限 (?P<score_low>{n}),上限 (?P<score_high>{n});(?P<n_scored>{n}) 项有数据\)。"
    r"(?P<complete_share>{n}%) 的居民可步行到达全部应配建服务,(?P<missing_one_share>{n}%) 的居民仅缺一项",
    r"步行覆盖率最低的是“(?P<rule>[^”]+)”,为 (?P<share>≥?{n}%)",
    r"未覆盖人数最多的是“(?P<rule>[^”]+)”,(?P<without>{n}) 人",
)
NUMBER = r"-?[\d,]+(?:\.\d+)?"


def number(text: str) -> tuple[float, float] | None:
    """Read a number as it is printed, with half of its last digit; a dash is nothing."""
    found = re.fullmatch(rf"≥?({NUMBER})(%?)(?: (?:人|m²|户|个社区))?", text.strip())
    if found is None:
        return None
    digits, scale = found[1].replace(",", ""), 100 if found[2] else 1
    decimals = len(digits.partition(".")[2])
    return float(digits) / scale, 0.5001 * 10**-decimals / scale


def word_facts(path: Path) -> Facts:
    """Read the tables and the sentences of a Word report of one unit."""
    document = docx.Document(str(path))
    unit = document.paragraphs[0].text.split(" 15分钟")[0]
    facts: Facts = {}
    for table in document.tables:
        rows = [[cell.text for cell in row.cells] for row in table.rows]
        facts |= table_facts(rows, unit)
    for paragraph in document.paragraphs:
        for sentence in SENTENCES:
            for found in re.finditer(sentence.replace("{n}", NUMBER), paragraph.text):
                named = found.groupdict()
                rule = named.pop("rule", "")
                told = {(unit, rule, what): number(text) for what, text in named.items()}
                facts |= {key: value for key, value in told.items() if value}
    return facts


def table_facts(rows: Sequence[Sequence[str]], unit: str) -> Facts:
    """Read a table by its headings; without a column of units it tells of one unit."""
    heading, facts = [str(name).split("\n")[0] for name in rows[0]], {}
    at = {name: heading.index(name) for name in heading}
    if "社区" not in at and "条文" not in at:
        return {}
    for row in rows[1:]:
        who = str(row[at["社区"]]) if "社区" in at else unit
        rule = str(row[at["条文"]]) if "条文" in at else ""
        for name, what in HEADINGS.items():
            value = row[at[name]] if name in at else None
            told = number(value) if isinstance(value, str) else None if value is None else (float(value), 1e-6)
            if told:
                facts[who, rule, what] = told
    return facts


def workbook_facts(path: Path) -> Facts:
    """Read the sheets of the Excel report that tell of the first walker; rules by their Chinese name."""
    book, facts = openpyxl.load_workbook(path, read_only=True), {}
    for title in ("排名", "缺口", "假覆盖"):
        (sheet,) = [s for s in book.worksheets if s.title.startswith(title)]
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
        heading = [str(name).split("\n")[0] for name in rows[0]]
        if "步行人群" in heading:
            first = next((row[heading.index("步行人群")] for row in rows[1:]), None)
            rows = [rows[0], *(row for row in rows[1:] if row[heading.index("步行人群")] == first)]
        if "条文" in heading:
            at = heading.index("条文")
            rows = [rows[0], *([*row[:at], chinese(str(row[at])), *row[at + 1 :]] for row in rows[1:])]
        facts |= table_facts(rows, "")
    return facts


def chinese(label: str) -> str:
    """Return the Chinese half of a rule's label: up to the English name, which begins with a capital letter."""
    return re.split(r" (?=[A-Z≥][A-Za-z, ()/–-]{3,}|[A-Z])", label)[0]


def csv_facts(folder: Path) -> Facts:
    """Read coverage.csv and scores.csv; rules by their Chinese name, from run.json."""
    names = rule_names(folder)
    coverage = pd.read_csv(folder / "coverage.csv", encoding="utf-8-sig", low_memory=False)
    coverage = coverage.drop_duplicates(["level", "unit_id", "rule"])
    people = coverage["denominator"].eq("people") & coverage["covered"].notna()
    coverage["without"] = (coverage["demand"] - coverage["covered"]).where(people)
    coverage["false_covered"] = (coverage["radius_covered"] - coverage["covered"]).where(people)
    coverage["false_share"] = coverage["false_covered"] / coverage["demand"]
    whats = ["demand", "covered", "share", "radius_covered", "radius_share", "without", "false_covered", "false_share"]
    facts = dict(_long(coverage, whats, coverage["rule"].map(names)))
    scores = pd.read_csv(folder / "scores.csv", encoding="utf-8-sig")
    whats = [
        "people", "score", "score_low", "score_high", "k_mean", "n_listed", "n_scored", "complete_share",
        "missing_one_share",
    ]  # fmt: skip
    return facts | dict(_long(scores, whats, pd.Series("", index=scores.index)))


def map_facts(folder: Path) -> Facts:
    """Read the data of map.html."""
    page = (folder / "map.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page, re.S)[1])
    names, units, facts = rule_names(folder), data["units"]["name"], {}
    for at, unit in enumerate(units):
        for what in ("people", "score", "score_low", "score_high", "k_mean"):
            if (value := data["units"][what][at]) is not None:
                facts[unit, "", what] = (float(value), 0.006)
    done = set()
    for series in data["series"]:
        if series["rule"] in done:
            continue
        done.add(series["rule"])
        for what in ("demand", "covered", "radius_covered"):
            if series[what] >= 0:
                for unit, value in zip(units, unpack_known(data["columns"][series[what]], 2), strict=True):
                    if value is not None:
                        facts[unit, names[series["rule"]], what] = (float(value), 0.01)
    return facts


def rule_names(folder: Path) -> dict[str, str]:
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return {rule["id"]: rule["name_zh"] for rule in run["rule_set"]["rules"]}


def disagreements(one: Facts, other: Facts) -> list[str]:
    """Return what two places say differently of the same unit and rule, beyond the rounding of both."""
    return [
        f"{key}: {one[key][0]:g} and {other[key][0]:g}"
        for key in sorted(one.keys() & other.keys())
        if abs(one[key][0] - other[key][0]) > one[key][1] + other[key][1] + 1e-9
    ]


def _long(table: pd.DataFrame, whats: Sequence[str], rules: Any) -> Iterator[tuple[Any, tuple[float, float]]]:
    for what in whats:
        for unit, rule, value in zip(table["unit_name"], rules, table[what], strict=True):
            if pd.notna(value):
                yield (str(unit), str(rule), what), (float(value), 1e-6)
