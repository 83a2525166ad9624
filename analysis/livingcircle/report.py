"""The Excel report: the sheets that a planner hands on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from livingcircle._report_words import BASES, DENOMINATORS, FIELDS, LAND_AS_DEMAND, MARKS, STATUSES
from livingcircle._workbook import Sheet, write_workbook
from livingcircle.columns import (
    ADDITIONS,
    CAPACITY,
    COMMUNITIES,
    COVERAGE,
    FAIRNESS,
    GAPS,
    RANK_STABILITY,
    SCORES,
    SENSITIVITY,
    TABLES,
    UNPLACED,
    published,
)
from livingcircle.credits import NOT_A_SURVEY, approval_line, credits_of
from livingcircle.marks import input_detail
from livingcircle.ranks import ranked_apart
from livingcircle.scores import MIN_DATA_SHARE, MIN_PEOPLE

if TYPE_CHECKING:
    from livingcircle.result import ScanResult
    from livingcircle.standards import Rule

BASIS_PART = r"(?P<basis>[^\W\d]+)(?: (?P<percent>\d+)%)?"  # "buildings 40%, streets 60%", or "buildings"
CANNOT_TELL = "图层不全,不能判断 cannot tell"


def write_report(result: ScanResult, path: Path) -> None:
    """Write the report of a scan as an Excel file; equal results give equal bytes.

    Parameters
    ----------
    result
        A finished scan.
    path
        File to write.
    """
    footer = " · ".join((*credits_of(result.run), approval_line(result.approval_number), NOT_A_SURVEY))
    write_workbook(path, report_sheets(result), title=_name(result), footer=footer)


def report_sheets(result: ScanResult) -> list[Sheet]:
    """Return the sheets of the report in the order they are shown."""
    rules = {rule.id: rule for rule in result.rules.rules}
    coverage = _with_words(published(result.coverage, COVERAGE), rules, result.rules.scoring)
    scores = published(result.scores, SCORES)
    communities = _communities(result, scores)
    here = coverage[coverage["level"] == "community"]
    city = coverage[coverage["level"] == "city"].drop_duplicates("rule")
    return [
        _summary(result, scores),
        _ranking(communities, rules),
        _gaps(here, result.gaps),
        _rules(result, city),
        _coverage(here),
        _levels(scores, rules),
        *_across(coverage),
        _additions(result, rules),
        _false_coverage(here),
        *_fairness(result),
        *_capacity(result),
        *_sensitivity(result, rules),
        _data_quality(result, communities, city),
        _not_measured(result, city),
        _data_dictionary(),
    ]


def finding(met: pd.Series, *, binding: pd.Series, status: pd.Series) -> pd.Series:
    """Say in words whether a clause is met; 不达标 only of a verified clause that says must (应).

    Parameters
    ----------
    met
        True, False or missing (cannot be judged: no words).
    binding
        Whether 不达标 may be said of the rule (`Rule.may_fail_publicly`).
    status
        Where the layer is incomplete, what is missing cannot be told from what is not known.
    """
    failed = met.eq(False).fillna(False).astype(bool)
    words = np.select(
        [met.fillna(False).astype(bool), failed & (status == "incomplete"), failed & binding, failed],
        ["满足 met", CANNOT_TELL, "不达标 not met", "未满足建议值 below the recommended value"],
        default="",
    )
    return pd.Series(words, index=met.index)


def walk_finding(met: pd.Series, *, status: pd.Series) -> pd.Series:
    """Say in words what walking along streets makes of a clause; it is a check, never a verdict."""
    failed = met.eq(False).fillna(False).astype(bool)
    words = np.select(
        [met.fillna(False).astype(bool), failed & (status == "incomplete"), failed],
        ["满足 met", CANNOT_TELL, "步行复核未满足 not met on foot"],
        default="",
    )
    return pd.Series(words, index=met.index)


def score_sentence(k_mean: float, n_listed: int) -> str:
    """Return the score in one breath.

    Examples
    --------
    >>> score_sentence(9.25, 16)
    '居民平均可步行到达 16 项服务中的 9.2 项'
    """
    return f"居民平均可步行到达 {n_listed} 项服务中的 {k_mean:.1f} 项"


def _sheet(title: str, frame: pd.DataFrame, names: Sequence[str]) -> Sheet:
    return Sheet(title, tuple(FIELDS[name] for name in names), frame[list(names)])


def _table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(names))


def _name(result: ScanResult) -> str:
    return str(result.run.get("name") or "livingcircle")


def _with_words(coverage: pd.DataFrame, rules: dict[str, Rule], scoring: Sequence[str]) -> pd.DataFrame:
    """Add what a reader needs beside the numbers: the rule in words, status, findings, people missed."""
    binding = coverage["rule"].map({name: rule.may_fail_publicly for name, rule in rules.items()})
    status = coverage["status"]
    counted = coverage["denominator"].fillna("").isin(("people", "")) & status.isin(("ok", "incomplete"))
    missed = (coverage["demand"] - coverage["covered"]).where(counted)
    circled = (coverage["radius_covered"] - coverage["covered"]).where(counted)
    return coverage.assign(
        label=coverage["rule"].map({name: _label(rule) for name, rule in rules.items()}),
        scores=coverage["rule"].isin(list(scoring)).map({True: "✓", False: ""}),
        status_text=status.map(STATUSES).fillna(status),
        of_what=coverage["denominator"].map(DENOMINATORS),
        group_basis=coverage["group_basis"].map(BASES),
        finding=finding(coverage["met_clause"], binding=binding.eq(True), status=status),
        walk_finding=walk_finding(coverage["met_walk"], status=status),
        without=missed,
        only_radius=circled,
    )


def _label(rule: Rule) -> str:
    return " ".join(text for text in (rule.name_zh, rule.name_en) if text)


def _communities(result: ScanResult, scores: pd.DataFrame) -> pd.DataFrame:
    """Return the communities without geometry, in the order of the result."""
    own = scores.loc[scores["level"] == "community", ["unit_id", "unit_complete", "confidence"]]
    places = result.communities.rename_axis("unit_id").reset_index()
    places = places.drop(columns=["unit_complete", "confidence"], errors="ignore")
    whole = published(places.merge(own, on="unit_id", how="left", validate="one_to_one"), COMMUNITIES)
    return pd.DataFrame(whole.drop(columns="geometry"))


def _summary(result: ScanResult, scores: pd.DataFrame) -> Sheet:
    run, people = result.run, result.run.get("people", {})
    city = scores[scores["level"] == "city"]
    rows: list[tuple[str, object]] = [
        ("研究 Study", _name(result)),
        ("标准 Standards", f"{result.rules.title_zh} {result.rules.title_en} ({result.rules.id})"),
        *_confidence(result.rules.rules),
        ("数据日期 Data date", run.get("data_date")),
        *([("需求 Demand", LAND_AS_DEMAND)] if run.get("demand") == "residential_land" else []),
        ("输入人口 People in the input", people.get("input")),
        ("已落位 Placed", people.get("placed")),
        ("未落位 Not placed", people.get("not_placed")),
        ("单元之外 Outside the units", people.get("outside")),
        *(("全市得分 City score", _score_words(row)) for row in city.to_dict("records")),
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
        *(("默认与选择 Setting in force", f"{key}: {value}") for key, value in result.settings.items()),
        *(("提醒 Warning", warning) for warning in run.get("warnings", ())),
        *(("数据署名 Attribution", credit) for credit in credits_of(run)),
        ("地图审核 Map approval", approval_line(result.approval_number)),
        ("声明 Notice", NOT_A_SURVEY),
    ]
    told = [(item, _words(value)) for item, value in rows]
    return _sheet("总览 Summary", _table(("item", "content"), told), ("item", "content"))


def _words(value: object) -> str:
    if value is None or value == "":
        return "未注明 not stated"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _score_words(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["people"]):
        return "不评分 no score (没有人口数据,需求按居住用地面积计 no population, demand is residential land)"
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


def _ranking(communities: pd.DataFrame, rules: dict[str, Rule]) -> Sheet:
    """Rank communities of the same type and list; those without a score follow, with the reason."""
    weakest = communities["weakest_rule"]
    table = communities.join(ranked_apart(communities)).assign(
        why=_why_unranked(communities),
        weakest_rule=weakest.map({name: _label(rule) for name, rule in rules.items()}).fillna(weakest),
        unscored=communities["score"].isna(),
    )
    order = ["unscored", "class", "rank", "unit_id"]
    names = (
        "class", "rank", "unit_id", "unit_name", "subdistrict", "district", "people", "score", "score_low",
        "score_high", "k_mean", "n_scored", "n_listed", "complete_share", "missing_one_share", "weakest_rule",
        "leg_m_p90", "confidence", "why",
    )  # fmt: skip
    return _sheet("排名 Ranking", table.sort_values(order, kind="stable"), names)


def _why_unranked(communities: pd.DataFrame) -> pd.Series:
    people, scored = communities["people"].fillna(0), communities["n_scored"].fillna(0)
    words = np.select(
        [
            communities["score"].notna(),
            people == 0,
            people < MIN_PEOPLE,
            scored < MIN_DATA_SHARE * communities["n_listed"].fillna(0),
        ],
        [
            "",
            "无居住人口 nobody lives here",
            f"人口少于 {MIN_PEOPLE} fewer than {MIN_PEOPLE} people",
            f"有数据的服务不足 {MIN_DATA_SHARE:.0%} data for less than {MIN_DATA_SHARE:.0%} of the list",
        ],
        default="清单不适用 the list does not apply",
    )
    return pd.Series(words, index=communities.index)


def _gaps(here: pd.DataFrame, nearest: pd.DataFrame | None) -> Sheet:
    """List who goes without what in each community, and the place that is nearest to most of them."""
    gaps = here[here["without"].gt(0).fillna(False)]
    gaps = gaps.sort_values(["without", "unit_id", "rule"], ascending=[False, True, True], kind="stable")
    names = [
        "unit_id", "unit_name", "label", "scores", "group", "walker", "gates", "without", "demand", "share",
        "nearest_m_median", "status_text", "finding", "walk_finding", "clause", "confidence", "rule",
    ]  # fmt: skip
    if nearest is not None:
        keys, found = ["unit_id", "rule", "walker", "gates"], ["nearest_name", "nearest_m", "unreached"]
        gaps = gaps.merge(published(nearest, GAPS)[keys + found], on=keys, how="left", validate="one_to_one")
        names[names.index("nearest_m_median") : names.index("nearest_m_median") + 1] = found
    return _sheet("缺口 Gaps", gaps, names)


def _rules(result: ScanResult, city: pd.DataFrame) -> Sheet:
    """List every rule of the run with its clause and what the whole city makes of it."""
    rows = [
        (r.id, _label(r), " | ".join(r.services), r.tier, r.metric, r.threshold, r.threshold_unit, r.citation,
         r.bound, r.provision, r.confidence)
        for r in result.rules.rules
    ]  # fmt: skip
    stated = (
        "rule", "label", "service", "tier", "metric", "threshold", "threshold_unit", "clause", "bound",
        "provision", "confidence",
    )  # fmt: skip
    found = (
        "scores", "group", "group_basis", "walker", "of_what", "demand", "share", "radius_share", "value", "target",
        "attainment", "status_text", "finding", "walk_finding",
    )  # fmt: skip
    table = _table(stated, rows).merge(city[["rule", *found]], on="rule", how="left", validate="one_to_one")
    return _sheet("规则 Rules", table, (*stated, *found))


def _coverage(here: pd.DataFrame) -> Sheet:
    names = (
        "unit_id", "unit_name", "rule", "label", "group", "group_basis", "walker", "gates", "of_what", "demand",
        "covered", "share", "radius_share", "minutes_share", "value", "target", "attainment", "finding",
        "walk_finding", "nearest_m_median", "nearest_m_p90", "facilities", "status_text", "edge_share", "clause",
        "confidence",
    )  # fmt: skip
    return _sheet("覆盖 Coverage", here, names)


def _levels(scores: pd.DataFrame, rules: dict[str, Rule]) -> Sheet:
    """List the scores of all units that are no communities: districts and subdistricts, and estates and areas."""
    table = _of_any_unit(scores[scores["level"] != "community"])
    weakest = table["weakest_rule"]
    table = table.assign(weakest_rule=weakest.map({name: _label(rule) for name, rule in rules.items()}).fillna(weakest))
    parts = {True: "", False: "仅部分社区 only some of its communities"}
    table = table.assign(parts=table["unit_complete"].map(parts))
    names = (
        "level", "any_id", "any_name", "parts", "people", "score", "score_low", "score_high", "k_mean", "n_scored",
        "n_listed", "complete_share", "missing_one_share", "weakest_rule", "confidence",
    )  # fmt: skip
    return _sheet("各层级得分 Levels", table, names)


def _across(coverage: pd.DataFrame) -> list[Sheet]:
    """List what every rule makes of estates and areas, which lie across the communities; none without them."""
    table = coverage[coverage["level"].isin(("estate", "area"))]
    if table.empty:
        return []
    names = (
        "level", "any_id", "any_name", "rule", "label", "group", "walker", "gates", "of_what", "demand", "covered",
        "share", "radius_share", "minutes_share", "value", "finding", "walk_finding", "nearest_m_median", "facilities",
        "status_text", "clause", "confidence",
    )  # fmt: skip
    return [_sheet("小区与片区 Estates, areas", _of_any_unit(table), names)]


def _of_any_unit(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename(columns={"unit_id": "any_id", "unit_name": "any_name"})


def _additions(result: ScanResult, rules: dict[str, Rule]) -> Sheet:
    """List where one more place would help most; those that complete most people come first."""
    table = (
        published(result.additions, ADDITIONS)
        if result.additions is not None
        else pd.DataFrame(columns=list(ADDITIONS.names))
    )
    table = table.assign(
        label=table["rule"].map({name: _label(rule) for name, rule in rules.items()}),
        status_text=table["status"].map(STATUSES),
        _row=np.arange(len(table)),
    ).sort_values(["city_rank", "_row"], na_position="last")
    names = (
        "city_rank", "completed", "label", "rank", "gained", "gained_share", "candidate_id", "candidate_name",
        "unit_name", "lon", "lat", "service", "walker", "gates", "status_text", "clause", "rule",
    )  # fmt: skip
    return _sheet("补点 Additions", table, names)


def _fairness(result: ScanResult) -> list[Sheet]:
    """Tell of every unit above the communities how evenly services are spread, over all people and each group."""
    if result.fairness is None:
        return []
    table = published(result.fairness, FAIRNESS)
    return [_sheet("公平 Fairness", table[table["level"] != "community"], FAIRNESS.names)]


def _capacity(result: ScanResult) -> list[Sheet]:
    """Tell how many beds, seats or m² people have in reach, shared with all others who have them in reach."""
    if result.capacity is None:
        return []
    return [_sheet("供给 Capacity", published(result.capacity, CAPACITY), CAPACITY.names)]


def _sensitivity(result: ScanResult, rules: dict[str, Rule]) -> list[Sheet]:
    """Show the range beside each share, the widest first, and how stable the ranks are."""
    if result.sensitivity is None or result.rank_stability is None:
        return []
    shares = published(result.sensitivity, SENSITIVITY)
    shares = shares.assign(
        label=shares["rule"].map({name: _label(rule) for name, rule in rules.items()}),
        _width=shares["share_low"] - shares["share_high"],
    ).sort_values(["_width", "level", "unit_id", "rule"], kind="stable")
    names = (
        "level", "unit_id", "unit_name", "label", "group", "walker", "share", "share_low", "share_high", "low_by",
        "high_by", "rule",
    )  # fmt: skip
    ranks = published(result.rank_stability, RANK_STABILITY)
    return [
        _sheet("波动 Sensitivity", shares, names),
        _sheet("名次稳定性 Rank stability", ranks, RANK_STABILITY.names),
    ]


def _false_coverage(here: pd.DataFrame) -> Sheet:
    """List where a circle promises more people than can walk there."""
    false = here[here["only_radius"].gt(0).fillna(False)]
    false = false.sort_values(["only_radius", "unit_id", "rule"], ascending=[False, True, True], kind="stable")
    false = false.assign(
        rank=false.groupby(["walker", "gates"])["only_radius"].rank(method="min", ascending=False),
        false_share=false["only_radius"] / false["demand"],
    )
    names = (
        "rank", "unit_id", "unit_name", "label", "group", "walker", "gates", "only_radius", "false_share", "demand",
        "covered", "radius_covered", "share", "radius_share", "status_text", "clause", "rule",
    )  # fmt: skip
    return _sheet("假覆盖 False coverage", false, names)


def _data_quality(result: ScanResult, communities: pd.DataFrame, city: pd.DataFrame) -> Sheet:
    """Tell what the numbers rest on: people, places, legs, layers and warnings, in one list."""
    names = ("topic", "what", "number", "persons", "detail")
    rows = [
        *_unplaced_rows(published(result.unplaced, UNPLACED)),
        *_basis_rows(communities),
        *_leg_rows(result.homes),
        *_layer_rows(result, city),
        *(
            ("坐标基准 Datum", v["layer"], None, None, f"{v['claimed']}: {v['answer']}; {v['statistic']}")
            for v in result.run.get("datum", ())
        ),
        *(("提醒 Warning", warning, None, None, "") for warning in result.run.get("warnings", ())),
        *(
            (
                "输入 Input",
                source.get("path"),
                source.get("used"),
                None,
                input_detail(source),
            )
            for source in result.run.get("inputs", ())
        ),
    ]
    return _sheet("数据质量 Data quality", _table(names, rows), names)


def _unplaced_rows(unplaced: pd.DataFrame) -> list[tuple[object, ...]]:
    by_reason = unplaced.groupby(["reason", "source"], dropna=False, sort=True)
    summed = by_reason.agg(number=("reason", "size"), people=("people", "sum")).reset_index()
    return [
        ("未使用 Not used", row.reason, row.number, row.people, f"来源 source: {row.source}")
        for row in summed.itertuples()
    ]


def _basis_rows(communities: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return how many people were placed by which basis, from the whole percents that communities carry."""
    parts = communities["basis"].fillna("").str.extractall(BASIS_PART)
    people = communities["people"].reindex(parts.index.get_level_values(0)).to_numpy(dtype="float64")
    known = pd.DataFrame({"basis": parts["basis"], "people": people * parts["percent"].fillna(100).astype(float) / 100})
    summed = known.groupby("basis", sort=True)["people"].agg(["size", "sum"]).reset_index()
    return [
        (
            "人口落位依据 How people were placed",
            row["basis"],
            row["size"],
            row["sum"],
            "社区数,约计人口 communities; people, about",
        )
        for row in summed.to_dict("records")
    ]


def _leg_rows(homes: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return the people-weighted median and 90th percentile of the leg from home to street."""
    joined = homes[homes["leg_m"].notna() & (homes["people"] > 0)].sort_values("leg_m", kind="stable")
    people = joined["people"].cumsum()
    rows: list[tuple[object, ...]] = []
    for part, words in ((0.5, "中位数 median"), (0.9, "90 分位 p90")):
        reached = joined.loc[people >= part * joined["people"].sum(), "leg_m"].round(2)
        rows.append(("接入街道距离 Leg to the street (m)", words, reached.iloc[0] if len(reached) else None, None, ""))
    lost = homes.loc[homes["leg_m"].isna(), "people"]
    rows.append(("接入街道距离 Leg to the street (m)", "未接入的居住点 homes not joined", len(lost), lost.sum(), ""))
    return rows


def _layer_rows(result: ScanResult, city: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return per service and source how many places were used, and the state of the layer."""
    states: dict[str, set[str]] = {}
    for services, status in zip(city["service"].fillna(""), city["status_text"], strict=True):
        for service in services.split("|"):
            states.setdefault(service, set()).add(status)
    by_layer = pd.DataFrame(result.facilities).groupby(["service", "source", "complete"], sort=True)
    rows: list[tuple[object, ...]] = []
    for row in by_layer.size().reset_index(name="number").to_dict("records"):
        state = "; ".join(sorted(states.get(row["service"], ())))
        detail = f"{row['source']}; 完整 complete: {row['complete']}; {state}"
        rows.append(("图层 Layer", _service_label(result, row["service"]), row["number"], None, detail))
    return rows


def _service_label(result: ScanResult, service: str) -> str:
    known = result.catalogue.services.get(service)
    return f"{known.name_zh} {known.name_en} ({service})" if known else service


def _not_measured(result: ScanResult, city: pd.DataFrame) -> Sheet:
    """List what the run says nothing about, so that silence is not read as good news."""
    status = dict(zip(city["rule"], city["status"], strict=True))
    names = ("topic", "what", "detail", "clause")
    rows = [
        (
            "条文 Rule",
            _label(rule),
            "; ".join(t for t in (STATUSES.get(status.get(rule.id, ""), "未计算 not computed"), rule.broader) if t),
            rule.citation,
        )
        for rule in result.rules.rules
        if status.get(rule.id) in (None, "no_data", "not_applicable")
    ]
    rows += [
        (
            "停用条文 Rule that is off",
            _label(rule),
            f"可信度 confidence: {rule.confidence}; {rule.note}",
            rule.citation,
        )
        for rule in result.rules.off
    ]
    rows += [
        (
            "服务 Service",
            _service_label(result, service.id),
            "无法由地图数据定位 cannot be placed from map data",
            "",
        )
        for service in result.catalogue.services.values()
        if not service.spatial
    ]
    return _sheet("未测量 Not measured", _table(names, rows), names)


def _data_dictionary() -> Sheet:
    names = ("table", "column", "dtype", "unit", "meaning_zh", "meaning_en", "null")
    rows = [
        (table.name, c.name, c.dtype, c.unit, c.meaning_zh, c.meaning_en, c.null or "不为空 never empty")
        for table in TABLES
        for c in table.columns
    ]
    return _sheet("数据字典 Data dictionary", _table(names, rows), names)
