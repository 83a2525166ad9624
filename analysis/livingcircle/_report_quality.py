"""The sheets of the report that say what the numbers rest on, what is not measured, and what every column means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from livingcircle._report_words import COMPLETE, STATUSES, rows_table, rule_label, sheet_of
from livingcircle._workbook import Sheet
from livingcircle.columns import TABLES, UNPLACED, published
from livingcircle.joins import BLOCKED, TOO_FAR
from livingcircle.marks import input_detail
from livingcircle.said_zh import said, said_in_both

if TYPE_CHECKING:
    from livingcircle.result import ScanResult

PLACED_BY = {
    "buildings": "居住建筑 residential buildings",
    "residential_land": "居住用地 residential land",
    "streets": "沿街 along streets",
    "even": "格网内均匀 evenly in the cell",
    "cell": "格网中心 at the centre of the cell",
}
REASONS = {
    TOO_FAR: "限距内无街道 no_street_within_limit",
    BLOCKED: "通往街道的路被阻隔 way_to_street_blocked",
}
ANSWERS = {"fits": "吻合", "cannot tell": "无法判断", "reference": "基准"}
BASIS_PART = r"(?P<basis>[^\W\d]+)(?: (?P<percent>\d+)%)?"  # "buildings 40%, streets 60%", or "buildings"


def data_quality_sheet(result: ScanResult, communities: pd.DataFrame, city: pd.DataFrame) -> Sheet:
    """Tell what the numbers rest on: people, places, legs, layers and warnings, in one list."""
    counted = "land_m2" if result.run.get("demand") == "residential_land" else "persons"
    names = ("topic", "what", "number", counted, "detail")
    rows = [
        *_unplaced_rows(published(result.unplaced, UNPLACED)),
        *_basis_rows(communities),
        *_leg_rows(result.homes),
        *_layer_rows(result, city),
        *(
            ("坐标基准 Datum", v["layer"], None, None, _datum_words(v["claimed"], v["answer"], v["statistic"]))
            for v in result.run.get("datum", ())
        ),
        *(("提醒 Warning", "", None, None, said_in_both(warning)) for warning in result.run.get("warnings", ())),
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
    return sheet_of("数据质量 Data quality", rows_table(names, rows), names)


def _datum_words(claimed: str, answer: str, statistic: str) -> str:
    """Say what the streets say of a datum, in Chinese and beneath it in English."""
    zh = f"{claimed}: {ANSWERS.get(answer, answer)}; {said(statistic, 'zh')}"
    return f"{zh}\n{claimed}: {answer}; {statistic}"


def _unplaced_rows(unplaced: pd.DataFrame) -> list[tuple[object, ...]]:
    by_reason = unplaced.groupby(["reason", "source"], dropna=False, sort=True)
    summed = by_reason.agg(number=("reason", "size"), people=("people", "sum")).reset_index()
    return [
        ("未使用 Not used", REASONS.get(reason, reason), number, people, f"来源 source: {source}")
        for reason, source, number, people in summed.itertuples(index=False)
    ]


def _basis_rows(communities: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return how many people were placed by which basis, from the whole percents that communities carry."""
    communities = communities[communities["people"].notna()]
    parts = communities["basis"].fillna("").str.extractall(BASIS_PART)
    people = communities["people"].reindex(parts.index.get_level_values(0)).to_numpy(dtype="float64")
    known = pd.DataFrame({"basis": parts["basis"], "people": people * parts["percent"].astype(float).fillna(100) / 100})
    summed = known.groupby("basis", sort=True)["people"].agg(["size", "sum"]).reset_index()
    return [
        (
            "人口落位依据 How people were placed",
            PLACED_BY.get(row["basis"], row["basis"]),
            row["size"],
            row["sum"],
            "社区数,约计人口 communities; people, about",
        )
        for row in summed.to_dict("records")
    ]


def _leg_rows(homes: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return the people-weighted median and 90th percentile of the leg from home to street."""
    if homes.empty:  # read back from a folder, which keeps none: that is not "none was off the streets"
        words = "结果文件夹不保存居住点,见各社区 leg_m_p50、leg_m_p90 a folder keeps no homes: see communities.gpkg"
        return [("接入街道距离 Leg to the street (m)", words, None, None, "")]
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
        complete = COMPLETE.get(row["complete"], row["complete"])
        detail = "; ".join(part for part in (row["source"], f"完整 complete: {complete}", state) if part)
        rows.append(("图层 Layer", _service_label(result, row["service"]), row["number"], None, detail))
    return rows


def _service_label(result: ScanResult, service: str) -> str:
    known = result.catalogue.services.get(service)
    return f"{known.name_zh} {known.name_en} ({service})" if known else service


def not_measured_sheet(result: ScanResult, city: pd.DataFrame) -> Sheet:
    """List what the run says nothing about, so that silence is not read as good news."""
    status = dict(zip(city["rule"], city["status"], strict=True))
    names = ("topic", "what", "detail", "clause")
    rows = [
        (
            "条文 Rule",
            rule_label(rule),
            "; ".join(t for t in (STATUSES.get(status.get(rule.id, ""), "未计算 not computed"), rule.broader) if t),
            rule.citation,
        )
        for rule in result.rules.rules
        if status.get(rule.id) in (None, "no_data", "not_applicable")
    ]
    rows += [
        (
            "停用条文 Rule that is off",
            rule_label(rule),
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
    return sheet_of("未测量 Not measured", rows_table(names, rows), names)


def data_dictionary_sheet() -> Sheet:
    names = ("table", "column", "dtype", "unit", "meaning_zh", "meaning_en", "null")
    rows = [
        (table.name, c.name, c.dtype, c.unit, c.meaning_zh, c.meaning_en, c.null or "不为空 never empty")
        for table in TABLES
        for c in table.columns
    ]
    return sheet_of("数据字典 Data dictionary", rows_table(names, rows), names)
