"""Headings and fixed words of the reports, Chinese with English beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from livingcircle._workbook import Field, Sheet
from livingcircle.walkers import WALKERS

if TYPE_CHECKING:
    from livingcircle.standards import Rule

LAND_AS_DEMAND = "居住用地平方米(无人口数据) m² of residential land, as no population is given"
NO_PEOPLE = "没有人口数据,需求按居住用地面积计 no population, demand is residential land"
STATUSES = {
    "ok": "正常 ok",
    "incomplete": "图层不全,覆盖为至少值 at least",
    "no_data": "无数据 no data",
    "no_demand": "无需求 no demand",
    "not_applicable": "不适用 not applicable",
    "withheld": "人数过少或为保护而不公布 withheld: few people, or to protect them",
}
MARKS = {
    "": "已与标准原文核对 checked against the printed standard",
    "V": "V 已见原文 read in the source",
    "V2": "V2 二手来源 secondary source",
    "M+": "M+ 待与标准原文核对 to be checked against the standard's text",
    "M?": "M? 存疑 unsure",
}
DENOMINATORS = {
    "people": "人 people",
    "residential_land": "平方米居住用地 m² of residential land",
    "land": "平方米土地 m² of land",
    "households": "户 households",
    "units": "个社区 communities",
}
BASES = {"given": "", "share": "按比例推算 a share of everybody", "stand_in": "以全体人口代替 all people stand in"}
LEVELS = {
    "estate": "小区 estate",
    "community": "社区 community",
    "subdistrict": "街道 subdistrict",
    "district": "区县 district",
    "city": "市 city",
    "area": "片区 area",
}
COMPLETE = {"yes": "是 yes", "no": "否 no", "unknown": "未知 unknown"}
_AGES = ((0, 3), (3, 6), (6, 12), (12, 15))
SAID: Mapping[str, Mapping[str, str]] = {
    "level": LEVELS,
    "group": {
        "all": "全体 all",
        **{f"age_{a}_{b}": f"{a}–{b} 岁 age {a}–{b}" for a, b in _AGES},
        **{f"age_{a}_up": f"{a} 岁以上 age {a} and over" for a in (60, 65)},
    },
    "walker": {name: f"{walker.name_zh} {name}" for name, walker in WALKERS.items()},
    "gates": {"respect": "经院门 respect", "open": "院门开放 open"},
    "measure": {"beds": "床位 beds", "seats": "学位 seats", "m2": "面积 m²"},
    "method": {
        "2sfca": "两步移动搜索 2sfca",
        "e2sfca_slow": "距离衰减(慢) e2sfca_slow",
        "e2sfca_fast": "距离衰减(快) e2sfca_fast",
    },
}  # what the words of a column mean; one's own walkers keep their names
CHOICES = {
    "as scanned": "同本次测算",
    "thresholds": "阈值",
    "speeds": "步速",
    "population": "人口",
    "gates open": "院门打开",
    "gates respect": "经院门",
}  # what a variant chooses otherwise, by how it begins
FIELDS = {
    "item": Field("项目", "Item", width=34),
    "content": Field("内容", "Content", "long", 120),
    "topic": Field("主题", "Topic", width=26),
    "what": Field("项目", "Item", "long", 44),
    "number": Field("数量", "Number", "number"),
    "persons": Field("人口", "People", "int"),
    "land_m2": Field("居住用地 (m²)", "Residential land (m²)", "int", 16),
    "detail": Field("说明", "Detail", "long", 90),
    "class": Field("可比组", "Compared with", width=18),
    "rank": Field("名次", "Rank", "int", 8),
    "unit_id": Field("社区编号", "Community id", width=18),
    "unit_name": Field("社区", "Community", width=18),
    "any_id": Field("单元编号", "Unit id", width=18),
    "any_name": Field("单元", "Unit", width=22),
    "subdistrict": Field("街道", "Subdistrict", width=14),
    "district": Field("区县", "District", width=14),
    "people": Field("人口", "People", "int", 10),
    "score": Field("得分", "Score", "score", 9, scale_to=100),
    "score_low": Field("得分下限", "Score low", "score", 9),
    "score_high": Field("得分上限", "Score high", "score", 9),
    "measure": Field("规模", "Measure", width=12),
    "method": Field("方法", "Method", width=24),
    "reach_m": Field("步行范围 (m)", "Reach (m)", "metres"),
    "supply_in_reach": Field("可达总供给", "Supply in reach", "number"),
    "access_per_1000": Field("每千人供给", "Per 1,000 people", "number"),
    "access_p10": Field("每千人供给 10 分位", "Per 1,000, p10", "number"),
    "access_p50": Field("每千人供给中位数", "Per 1,000, median", "number"),
    "people_without": Field("无供给人数", "People without", "int", 11),
    "required_per_1000": Field("条文千人指标", "Asked per 1,000", "number"),
    "people_below": Field("低于指标人数", "People below it", "int", 11),
    "places_known": Field("规模已知设施", "Places, known", "int", 9),
    "places_unknown": Field("规模未知设施", "Places, unknown", "int", 9),
    "share_low": Field("覆盖率最低", "Share, lowest", "share", 10, scale_to=1),
    "share_high": Field("覆盖率最高", "Share, highest", "share", 10, scale_to=1),
    "low_by": Field("最低值的情形", "Lowest by", width=22),
    "high_by": Field("最高值的情形", "Highest by", width=22),
    "score_low_variant": Field("各情形最低得分", "Score, lowest tried", "score", 9),
    "score_high_variant": Field("各情形最高得分", "Score, highest tried", "score", 9),
    "ranked_units": Field("一同排名的单元数", "Units ranked together", "int", 9),
    "rank_low": Field("最靠前名次", "Best rank tried", "int", 9),
    "rank_high": Field("最靠后名次", "Worst rank tried", "int", 9),
    "rank_share_stable": Field("名次不变的情形占比", "Rank unchanged, share", "share", 10),
    "k_mean": Field("可达项数 k", "Services reached", "score", 10),
    "level": Field("层级", "Level", width=18),
    "parts": Field("单元范围", "Extent", width=16),
    "gini": Field("k 的基尼系数", "Gini of services reached", "number"),
    "worst_tenth_k": Field("最少的十分之一居民可达项数", "Services reached, worst tenth", "score", 14),
    "k_difference": Field("与全体之差", "Difference to all", "score", 10),
    "n_scored": Field("计分项数", "Scored", "int", 9),
    "n_listed": Field("清单项数 N", "Listed", "int", 9),
    "complete_share": Field("应配建齐全人口占比", "All required reached", "share"),
    "missing_one_share": Field("仅缺一项人口占比", "One required missing", "share"),
    "weakest_rule": Field("最弱条文", "Weakest rule", width=28),
    "leg_m_p90": Field("接入距离 90 分位 (m)", "Leg p90 (m)", "metres"),
    "not_placed": Field("未接入路网、未计入", "On no street, not counted", "int", 12),
    "why": Field("未排名原因", "Why not ranked", "long", 26),
    "rule": Field("条文编号", "Rule", width=40),
    "label": Field("条文", "Rule in words", width=28),
    "scores": Field("计分", "Scores", width=8),
    "group": Field("人群", "Group", width=20),
    "walker": Field("步行人群", "Walker", width=22),
    "group_basis": Field("人群数依据", "How the group is known", width=16),
    "gates": Field("院门口径", "Gates", width=16),
    "without": Field("未覆盖人数", "People without", "int", 11),
    "only_radius": Field("假覆盖人数", "False coverage, people", "int", 12),
    "of_what": Field("分母", "Share of what", width=14),
    "demand": Field("应服务量", "Demand", "int", 11),
    "covered": Field("步行已覆盖", "Covered on foot", "int", 11),
    "share": Field("步行覆盖率", "Share on foot", "share", 10, scale_to=1),
    "radius_covered": Field("半径已覆盖", "Covered by radius", "int", 11),
    "radius_share": Field("半径覆盖率", "Share by radius", "share", 10),
    "minutes_share": Field("分钟覆盖率", "Share in minutes", "share", 10),
    "value": Field("指标结果", "Value", "number", 10),
    "target": Field("目标值", "Target", "number", 9),
    "attainment": Field("目标达成率", "Target attained", "share", 10),
    "nearest_m_median": Field("最近步行距离中位数 (m)", "Nearest, median (m)", "metres"),
    "nearest_name": Field("对其中多数人最近的设施", "Nearest place for most of them", width=22),
    "nearest_m": Field("到该设施步行距离中位数 (m)", "Walk to it, median (m)", "metres"),
    "unreached": Field("搜索范围内无设施可达人数", "No place within the search limit", "int", 14),
    "false_share": Field("假覆盖占比", "False coverage, share", "share", 10, scale_to=1, low_is_good=True),
    "city_rank": Field("全市名次", "Rank in the city", "int", 9),
    "completed": Field("补齐人口", "People who then have all", "int", 12),
    "gained": Field("新增覆盖人口", "People gained", "int", 12),
    "gained_share": Field("占应服务人口", "Share gained", "share", 10),
    "candidate_id": Field("位置编号", "Candidate", width=22),
    "candidate_name": Field("地块名称", "Parcel", width=18),
    "lon": Field("经度", "Longitude", "degrees", 12),
    "lat": Field("纬度", "Latitude", "degrees", 12),
    "nearest_m_p90": Field("最近步行距离 90 分位 (m)", "Nearest, p90 (m)", "metres"),
    "facilities": Field("设施数", "Places", "int", 9),
    "status_text": Field("状态", "Status", width=16),
    "edge_share": Field("数据边界影响", "Edge share", "share", 10),
    "finding": Field("按条文口径", "By the clause", width=18),
    "walk_finding": Field("按步行距离复核", "Checked by walking", width=16),
    "service": Field("服务", "Service", width=22),
    "tier": Field("圈层", "Tier", width=11),
    "metric": Field("条文口径", "Clause measure", width=12),
    "threshold": Field("指标值", "Threshold", "number", 10),
    "threshold_unit": Field("单位", "Unit", width=16),
    "clause": Field("条文出处", "Clause", "long", 36),
    "bound": Field("约束程度", "Bound", width=13),
    "provision": Field("配建要求", "Provision", width=13),
    "confidence": Field("可信度", "Confidence", "long", 22),
    "table": Field("表", "Table", width=16),
    "column": Field("列", "Column", width=24),
    "dtype": Field("类型", "Type", width=10),
    "unit": Field("单位", "Unit", width=14),
    "meaning_zh": Field("含义", "In Chinese", "long", 44),
    "meaning_en": Field("英文含义", "Meaning", "long", 60),
    "null": Field("空值含义", "Empty means", "long", 40),
}


def study_name(run: Mapping[str, Any]) -> str:
    """Return the name of a run, as titles show it."""
    return str(run.get("name") or "livingcircle")


def rule_label(rule: Rule) -> str:
    """Return a rule in words, Chinese and English."""
    return " ".join(text for text in (rule.name_zh, rule.name_en) if text)


def score_sentence(k_mean: float, n_listed: int) -> str:
    """Return the score in one breath.

    Examples
    --------
    >>> score_sentence(9.25, 16)
    '居民平均可步行到达 16 项服务中的 9.2 项'
    """
    return f"居民平均可步行到达 {n_listed} 项服务中的 {k_mean:.1f} 项"


def sheet_of(title: str, frame: pd.DataFrame, names: Sequence[str], *, frozen: int = 0) -> Sheet:
    """Return a sheet of the report: the named columns of a table, under their headings.

    Parameters
    ----------
    title
        On the tab.
    frame
        Has at least the named columns.
    names
        Keys of `FIELDS`, in order. What does not fit on paper is printed as far as it does, from the left.
    frozen
        Columns that stay in sight when the sheet is moved sideways.
    """
    return Sheet(title, tuple(FIELDS[name] for name in names), frame[list(names)], frozen)


def in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose levels, groups, walkers, gates and methods are said in Chinese, the word of the CSV beside.

    Examples
    --------
    >>> in_words(pd.DataFrame({"level": ["city"], "walker": ["mine"]})).iloc[0].tolist()
    ['市 city', 'mine']
    """
    names = [name for name in SAID if name in frame.columns]
    return frame.assign(**{name: _said(frame[name], SAID[name]) for name in names})


def _said(values: pd.Series, words: Mapping[str, str]) -> pd.Series:
    """Return what is said for each value, itself where nothing is; few are looked up, as they repeat."""
    code, known = pd.factorize(values)
    said = np.array([*(words.get(value, value) for value in known), None], dtype=object)
    return pd.Series(said[code], index=values.index, dtype="str")


def choice_words(choice: object) -> str:
    """Return what was chosen otherwise in a variant of a scan, Chinese before English; ``""`` where nothing is known.

    Examples
    --------
    >>> choice_words("speeds × 0.8"), choice_words("gates open")
    ('步速 speeds × 0.8', '院门打开 gates open')
    """
    if not isinstance(choice, str):
        return ""
    known = next((words for words in CHOICES if choice.startswith(words)), None)
    return f"{CHOICES[known]} {choice}" if known else choice


def rows_table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> pd.DataFrame:
    """Return rows as a table; without any row it has the columns all the same."""
    return pd.DataFrame(list(rows), columns=list(names))
