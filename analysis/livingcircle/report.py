"""The Excel report: the sheets that a planner hands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from livingcircle._report_charts import chart_pages
from livingcircle._report_cover import cover_page
from livingcircle._report_quality import data_dictionary_sheet, data_quality_sheet, not_measured_sheet
from livingcircle._report_summary import summary_sheet
from livingcircle._report_words import (
    BASES,
    DENOMINATORS,
    NO_PEOPLE,
    STATUSES,
    choice_words,
    in_words,
    rows_table,
    rule_label,
    sheet_of,
    study_name,
)
from livingcircle._workbook import Page, Sheet, write_workbook
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
    SMALL_COUNT,
    published,
)
from livingcircle.credits import NOT_A_SURVEY, approval_line, credits_of
from livingcircle.missed import counts_people, people_without
from livingcircle.ranks import ranked_apart
from livingcircle.scores import MIN_DATA_SHARE, MIN_PEOPLE

if TYPE_CHECKING:
    from livingcircle.result import ScanResult
    from livingcircle.standards import RuleSet

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
    # The approval stands first: a long list of credits is cut at what Excel prints.
    footer = " · ".join((approval_line(result.approval_number), *credits_of(result.run), NOT_A_SURVEY))
    sheets = [replace(s, frame=in_words(s.frame)) if isinstance(s, Sheet) else s for s in report_sheets(result)]
    write_workbook(path, sheets, title=study_name(result.run), footer=footer)


def report_sheets(result: ScanResult) -> list[Sheet | Page]:
    """Return the sheets of the report in the order they are shown."""
    labels = {rule.id: rule_label(rule) for rule in result.rules.rules}
    coverage = _with_words(published(result.coverage, COVERAGE), result.rules, labels)
    scores = published(result.scores, SCORES)
    communities = _communities(result, scores)
    here = coverage[coverage["level"] == "community"]
    city = coverage[coverage["level"] == "city"].drop_duplicates("rule")
    ranking = _ranking(communities, labels)
    sheets: list[Sheet | Page] = [
        summary_sheet(result, scores),
        *chart_pages(ranking.frame, city, result.rules, result.histogram),
        ranking,
        _gaps(here, result.gaps),
        _rules(result, city),
        _coverage(_with_small(here, result.small.get(COVERAGE.name))),
        _levels(scores, labels),
        *_across(coverage),
        _additions(result, labels),
        _false_coverage(here),
        *_fairness(result),
        *_capacity(result),
        *_sensitivity(result, labels),
        data_quality_sheet(result, communities, city),
        not_measured_sheet(result, city),
        data_dictionary_sheet(),
    ]
    return [cover_page(result, scores, sheets), *sheets]


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


def _with_words(coverage: pd.DataFrame, rules: RuleSet, labels: Mapping[str, str]) -> pd.DataFrame:
    """Add what a reader needs beside the numbers: the rule in words, status, findings, people missed."""
    binding = coverage["rule"].map({rule.id: rule.may_fail_publicly for rule in rules.rules})
    status = coverage["status"]
    circled = (coverage["radius_covered"] - coverage["covered"]).where(counts_people(coverage))
    return coverage.assign(
        label=coverage["rule"].map(labels),
        scores=coverage["rule"].isin(list(rules.scoring)).map({True: "✓", False: ""}),
        status_text=status.map(STATUSES).fillna(status),
        of_what=coverage["denominator"].map(DENOMINATORS),
        group_basis=coverage["group_basis"].map(BASES),
        finding=finding(coverage["met_clause"], binding=binding.eq(True), status=status),
        walk_finding=walk_finding(coverage["met_walk"], status=status),
        without=people_without(coverage),
        only_radius=circled,
    )


def _communities(result: ScanResult, scores: pd.DataFrame) -> pd.DataFrame:
    """Return the communities without geometry, in the order of the result."""
    own = scores.loc[scores["level"] == "community", ["unit_id", "unit_complete", "confidence"]]
    places = result.communities.rename_axis("unit_id").reset_index()
    places = places.drop(columns=["unit_complete", "confidence"], errors="ignore")
    whole = published(places.merge(own, on="unit_id", how="left", validate="one_to_one"), COMMUNITIES)
    return pd.DataFrame(whole.drop(columns="geometry"))


def _ranking(communities: pd.DataFrame, labels: Mapping[str, str]) -> Sheet:
    """Rank communities of the same type and list, the type of most people first; those without a score follow."""
    weakest = communities["weakest_rule"]
    table = communities.join(ranked_apart(communities)).assign(
        why=_why_unranked(communities),
        weakest_rule=weakest.map(labels).fillna(weakest),
        unscored=communities["score"].isna(),
    )
    order = ["unscored", "class_order", "rank", "unit_id"]
    names = (
        "rank", "unit_id", "unit_name", "subdistrict", "district", "people", "score", "score_low", "score_high",
        "k_mean", "n_scored", "n_listed", "complete_share", "missing_one_share", "weakest_rule", "class",
        "confidence", "why", "not_placed", "leg_m_p90",
    )  # fmt: skip
    return sheet_of("排名 Ranking", table.sort_values(order, kind="stable"), names, frozen=3)


def _why_unranked(communities: pd.DataFrame) -> pd.Series:
    unknown = communities["people"].isna()  # of a published result where few live; of all, where nobody was counted
    people, scored = communities["people"].fillna(0), communities["n_scored"].fillna(0)
    off_the_streets = communities["not_placed"].fillna(1) > 0  # also where a published result does not tell how many
    words = np.select(
        [
            communities["score"].notna(),
            unknown,
            (people == 0) & off_the_streets,
            people == 0,
            people < MIN_PEOPLE,
            scored < MIN_DATA_SHARE * communities["n_listed"].fillna(0),
        ],
        [
            "",
            NO_PEOPLE if unknown.all() else "人数不公布 people are not published",
            "居民均未接入路网,未计入 all who live here are away from every street, and are not counted",
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
        "unit_id", "unit_name", "label", "group", "walker", "without", "demand", "share", "nearest_m_median", "finding",
        "walk_finding", "status_text", "clause", "confidence", "scores", "gates", "rule",
    ]  # fmt: skip
    if nearest is not None:
        keys, found = ["unit_id", "rule", "walker", "gates"], ["nearest_name", "nearest_m", "unreached"]
        gaps = gaps.merge(published(nearest, GAPS)[keys + found], on=keys, how="left", validate="one_to_one")
        names[names.index("nearest_m_median") : names.index("nearest_m_median") + 1] = found
    return sheet_of("缺口 Gaps", gaps, names, frozen=2)


def _rules(result: ScanResult, city: pd.DataFrame) -> Sheet:
    """List every rule of the run with its clause and what the whole city makes of it."""
    rows = [
        (rule_label(r), r.threshold, r.threshold_unit, r.metric, r.tier, r.bound, r.provision, r.citation,
         r.confidence, " | ".join(r.services), r.id)
        for r in result.rules.rules
    ]  # fmt: skip
    stated = (
        "label", "threshold", "threshold_unit", "metric", "tier", "bound", "provision", "clause", "confidence",
        "service", "rule",
    )  # fmt: skip
    found = (
        "scores", "group", "of_what", "demand", "share", "radius_share", "status_text", "value", "target", "finding",
        "walk_finding",
    )  # fmt: skip
    further = ("attainment", "walker", "group_basis")
    table = rows_table(stated, rows).merge(
        city[["rule", *found, *further]], on="rule", how="left", validate="one_to_one"
    )
    return sheet_of("规则 Rules", table, (*stated[:9], *found, *stated[9:], *further), frozen=1)


def _coverage(here: pd.DataFrame) -> Sheet:
    names = (
        "unit_id", "unit_name", "label", "group", "walker", "of_what", "demand", "covered", "share", "radius_share",
        "nearest_m_median", "value", "finding", "walk_finding", "status_text", "clause", "confidence",
        "minutes_share", "target", "attainment", "nearest_m_p90", "facilities", "edge_share", "group_basis", "gates",
        "rule",
    )  # fmt: skip
    return sheet_of("覆盖 Coverage", here, names, frozen=2)


def _with_small(table: pd.DataFrame, small: pd.DataFrame | None) -> pd.DataFrame:
    """Print the counts of a published result that are small; the rows are those of its table."""
    if small is None:
        return table
    few = small.reindex(table.index)
    return table.assign(**{n: table[n].astype("object").mask(few[n], SMALL_COUNT) for n in map(str, few.columns)})


def _levels(scores: pd.DataFrame, labels: Mapping[str, str]) -> Sheet:
    """List the scores of all units that are no communities: districts and subdistricts, and estates and areas."""
    table = _of_any_unit(scores[scores["level"] != "community"])
    weakest = table["weakest_rule"]
    table = table.assign(weakest_rule=weakest.map(labels).fillna(weakest))
    parts = {True: "", False: "仅部分社区 only some of its communities"}
    table = table.assign(parts=table["unit_complete"].map(parts))
    names = (
        "level", "any_id", "any_name", "people", "score", "score_low", "score_high", "k_mean", "n_scored", "n_listed",
        "complete_share", "missing_one_share", "weakest_rule", "confidence", "parts",
    )  # fmt: skip
    return sheet_of("各层级得分 Levels", table, names)


def _across(coverage: pd.DataFrame) -> list[Sheet]:
    """List what every rule makes of estates and areas, which lie across the communities; none without them."""
    table = coverage[coverage["level"].isin(("estate", "area"))]
    if table.empty:
        return []
    names = (
        "level", "any_id", "any_name", "label", "group", "walker", "of_what", "demand", "covered", "share",
        "radius_share", "nearest_m_median", "value", "finding", "walk_finding", "status_text", "clause", "confidence",
        "minutes_share", "facilities", "gates", "rule",
    )  # fmt: skip
    return [sheet_of("小区与片区 Estates, areas", _of_any_unit(table), names, frozen=3)]


def _of_any_unit(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename(columns={"unit_id": "any_id", "unit_name": "any_name"})


def _additions(result: ScanResult, labels: Mapping[str, str]) -> Sheet:
    """List where one more place would help most; those that complete most people come first."""
    table = (
        published(result.additions, ADDITIONS)
        if result.additions is not None
        else pd.DataFrame(columns=list(ADDITIONS.names))
    )
    table = table.assign(
        label=table["rule"].map(labels),
        service=[_service_words(result, services) for services in table["service"]],
        status_text=table["status"].map(STATUSES),
        _row=np.arange(len(table)),
    ).sort_values(["city_rank", "_row"], na_position="last")
    names = (
        "city_rank", "completed", "label", "rank", "gained", "gained_share", "candidate_id", "candidate_name",
        "unit_name", "lon", "lat", "service", "status_text", "clause", "walker", "gates", "rule",
    )  # fmt: skip
    return sheet_of("补点 Additions", table, names)


def _fairness(result: ScanResult) -> list[Sheet]:
    """Tell of every unit above the communities how evenly services are spread, over all people and each group."""
    if result.fairness is None:
        return []
    table = published(result.fairness, FAIRNESS)
    table = _of_any_unit(table[table["level"] != "community"])
    return [sheet_of("公平 Fairness", table, list(table.columns))] if len(table) else []


def _capacity(result: ScanResult) -> list[Sheet]:
    """Tell how many beds, seats or m² people have in reach, shared with all others who have them in reach."""
    if result.capacity is None:
        return []
    table = _of_any_unit(_with_small(published(result.capacity, CAPACITY), result.small.get(CAPACITY.name)))
    table = table.assign(service=[_service_words(result, service) for service in table["service"]])
    return [sheet_of("供给 Capacity", table, list(table.columns))]


def _service_words(result: ScanResult, ids: str) -> str:
    """Return services, joined by a bar, in Chinese and English; the id of one that the catalogue does not have."""
    known = result.catalogue.services
    return "|".join(f"{known[id_].name_zh} {known[id_].name_en}" if id_ in known else id_ for id_ in ids.split("|"))


def _sensitivity(result: ScanResult, labels: Mapping[str, str]) -> list[Sheet]:
    """Show the range beside each share, the widest first, and how stable the ranks are."""
    if result.sensitivity is None or result.rank_stability is None:
        return []
    shares = published(result.sensitivity, SENSITIVITY)
    shares = shares.assign(
        label=shares["rule"].map(labels),
        low_by=[choice_words(choice) for choice in shares["low_by"]],
        high_by=[choice_words(choice) for choice in shares["high_by"]],
        _width=shares["share_low"] - shares["share_high"],
    ).sort_values(["_width", "level", "unit_id", "rule"], kind="stable")
    names = (
        "level", "any_id", "any_name", "label", "group", "walker", "share", "share_low", "share_high", "low_by",
        "high_by", "rule",
    )  # fmt: skip
    ranks = published(result.rank_stability, RANK_STABILITY)
    return [
        sheet_of("波动 Sensitivity", _of_any_unit(shares), names),
        sheet_of("名次稳定性 Rank stability", ranks, RANK_STABILITY.names),
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
        "rank", "unit_id", "unit_name", "label", "group", "walker", "only_radius", "false_share", "demand", "covered",
        "radius_covered", "share", "radius_share", "status_text", "clause", "confidence", "gates", "rule",
    )  # fmt: skip
    return sheet_of("假覆盖 False coverage", false, names, frozen=3)
