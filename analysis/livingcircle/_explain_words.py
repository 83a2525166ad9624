"""An explanation in words, Chinese and English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from livingcircle._report_words import DENOMINATORS

if TYPE_CHECKING:
    from livingcircle.explain import Explanation

STATUS_WORDS = {
    "no_data": "该图层无数据,不能判断 no data for this service: nothing can be said",
    "no_demand": "无应服务人口 nobody to be served lives here",
    "not_applicable": "该条文不适用 the rule does not apply here",
    "incomplete": "图层不全,覆盖为至少值 the layer is incomplete: the share is a lower bound",
}


def told(explanation: Explanation) -> list[str]:
    """Return the explanation line by line."""
    row, rule = explanation.row, explanation.rule
    lines = [
        f"{row['unit_name']} ({row['unit_id']}) · {rule.name_zh} {rule.name_en} ({rule.id})",
        f"条文 Clause: {rule.citation or '—'}; {rule.metric} {rule.threshold or ''} {rule.threshold_unit};"
        f" 可信度 confidence {rule.confidence or '—'}; 步行人群 walker {row['walker']}; 院门 gates {row['gates']}",
    ]
    if row["status"] in STATUS_WORDS:
        lines.append(STATUS_WORDS[row["status"]])
    if row["covered"] is not None:
        lines += _sum(explanation)
        lines += _places(explanation)
        lines += _outside(explanation)
    return [*lines, " · ".join(explanation.credits)]


def _sum(explanation: Explanation) -> list[str]:
    row = explanation.row
    demand, covered = int(row["demand"]), int(row["covered"])
    unit = DENOMINATORS.get(str(row["denominator"]), str(row["denominator"]))
    of_people = row["denominator"] == "people"
    split = f"  = 已覆盖 covered {covered:,} + 未覆盖 not covered {demand - covered:,};"
    among = " 其中搜索范围内无设施 of them without any place in reach" if of_people else (
        " 居民(不在上式内)中搜索范围内无设施 of the residents, who are not in this sum, without any place in reach"
    )  # fmt: skip
    lines = [
        f"步行覆盖率 Share on foot: {covered:,} / {demand:,} = {row['share']:.6f} ({unit})",
        f"{split}{among} {explanation.unreached:,};"
        f" 未接入路网、未计入 on no street and not counted {explanation.not_placed:,}",
    ]
    if row["radius_covered"] is not None:
        lines.append(
            f"半径覆盖率 Share by radius: {int(row['radius_covered']):,} / {demand:,} = {row['radius_share']:.6f}"
        )
    return lines


def _places(explanation: Explanation) -> list[str]:
    if not explanation.places:
        return ["计入的设施 Places that counted: 无 none"]
    lines = [f"计入的设施 Places that counted: {len(explanation.places)}"]
    of_land = explanation.row["denominator"] == "residential_land"
    whom = "对其最近的已覆盖居住用地 nearest for m²" if of_land else "对其最近的已覆盖人口 nearest for"
    for place in explanation.places:
        people = "<10" if place.people is None else f"{place.people:,}"
        lines.append(f"  {place.name or '—'} ({place.facility_id}): {whom} {people}")
    return lines


def _outside(explanation: Explanation) -> list[str]:
    outside = explanation.outside
    if outside is None:
        everybody = int(explanation.row["demand"]) == int(explanation.row["covered"])
        return ["无人在外 nobody is outside" if everybody else "无可画的路线 no way to a place that could be drawn"]
    p = outside.parts
    return [
        f"刚在标准之外的街道位置 A street position just outside: {outside.position[0]:.6f}, {outside.position[1]:.6f}"
        f" → {outside.name or outside.facility_id}",
        f"  {p.metres:,.2f} m = 街道 street {p.street_m:,.2f} + 接入段 leg {p.leg_m:,.2f}",
        f"  {p.seconds / 60:.2f} min ({outside.walker.name})"
        f" = 街道 street {p.street_s:.0f} s + 接入段 leg {p.leg_s:.0f} s"
        f" + 过街 crossings {p.crossing_s:.0f} s ({p.signals} 处信号 signals) + 坡度 slope {p.slope_s:+.0f} s"
        f" (爬升 climb {p.climb_m:.1f} m)",
    ]
