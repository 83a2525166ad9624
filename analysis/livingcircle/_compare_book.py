"""The workbook of a comparison: what changed in the city, in each unit, and why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from livingcircle._report_words import FIELDS, STATUSES, in_words
from livingcircle._workbook import Field, Sheet, write_workbook
from livingcircle.credits import NOT_A_SURVEY

TITLE = "两次运行的对比 Comparison of two scans"
FOOTER = f"{NOT_A_SURVEY} 数据来源见两次运行的 LICENCES.txt Sources: LICENCES.txt of both scans."
SIDES = {"both": "两次均有 both", "old": "仅旧 only the old", "new": "仅新 only the new"}
CAUSES = {
    "facility came": "设施新增 facility came",
    "facility went": "设施减少 facility went",
    "facility moved": "设施移位 facility moved",
    "facility renamed": "设施更名 facility renamed",
    "community renamed": "社区更名 community renamed",
    "community redrawn": "社区边界变化 community redrawn",
    "rule": "条文 rule",
    "setting": "设置 setting",
    "input": "输入文件 input",
}
_UNIT = {
    "level": Field("层级", "Level", width=18),
    "unit_id": Field("单元编号", "Unit id", width=18),
    "unit_name": Field("单元", "Unit", width=24),
}
_NUMBERS = {
    "label": FIELDS["label"],
    "walker": FIELDS["walker"],
    "gates": FIELDS["gates"],
    "covered_change": Field("步行达标人口变化", "Change, people covered", "number", 12),
    "covered_old": Field("旧:步行达标", "Old: covered", "number"),
    "covered_new": Field("新:步行达标", "New: covered", "number"),
    "demand_old": Field("旧:服务人口", "Old: demand", "number"),
    "demand_new": Field("新:服务人口", "New: demand", "number"),
    "share_old": Field("旧:覆盖率", "Old: share", "share", 9),
    "share_new": Field("新:覆盖率", "New: share", "share", 9),
    "status_old": Field("旧:状态", "Old: status", width=24),
    "status_new": Field("新:状态", "New: status", width=24),
    "side": Field("哪次有", "In which scan", width=18),
    "rule": FIELDS["rule"],
}
_CAUSE = {
    "cause": Field("原因", "Cause", width=24),
    "what": Field("名称", "What", "long", 60),
    "old_value": Field("旧值", "Old value", "long", 40),
    "new_value": Field("新值", "New value", "long", 40),
}


def write_comparison(rows: pd.DataFrame, causes: pd.DataFrame, labels: Mapping[str, str], path: Path) -> None:
    """Write the tables of `livingcircle.compare.Comparison` as an Excel file with equal bytes for equal tables.

    The sheet of units has only rows in which something changed, those with the largest changes first. `labels` are the
    rules in words, by id.
    """
    said = in_words(rows).assign(
        label=[labels.get(id_, id_) for id_ in rows["rule"]],
        side=rows["side"].map(SIDES),
        status_old=rows["status_old"].map(STATUSES),
        status_new=rows["status_new"].map(STATUSES),
    )
    city = said[rows["level"] == "city"]
    changed = (rows["covered_change"].fillna(0) != 0) | (rows["side"] != "both")
    changed |= (rows["status_old"] != rows["status_new"]) & (rows["side"] == "both")
    units = said[changed & (rows["level"] != "city")]
    units = units.loc[
        units["covered_change"].abs().sort_values(ascending=False, kind="stable", na_position="last").index
    ]
    sheets = [
        _sheet("全市 City", city, _NUMBERS, frozen=1),
        _sheet("变化的单元 Changed units", units, {**_UNIT, **_NUMBERS}, frozen=3),
        _sheet("原因 Causes", causes.assign(cause=causes["cause"].map(CAUSES)), _CAUSE),
    ]
    write_workbook(path, sheets, title=TITLE, footer=FOOTER)


def _sheet(title: str, frame: pd.DataFrame, fields: dict[str, Field], *, frozen: int = 0) -> Sheet:
    return Sheet(title, tuple(fields.values()), frame[list(fields)].reset_index(drop=True), frozen=frozen)
