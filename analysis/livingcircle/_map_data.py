"""How a scan result is packed for the hearing map: columns instead of objects, numbers and paths as short text."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from livingcircle import _map_shapes as shapes
from livingcircle._packing import SCALE, pack_known, pack_points
from livingcircle.columns import CIRCLES as CIRCLES_TABLE
from livingcircle.columns import COVERAGE as COVERAGE_TABLE
from livingcircle.columns import SCORES as SCORES_TABLE
from livingcircle.columns import published
from livingcircle.coverage import NESTED_LEVELS
from livingcircle.credits import NOT_A_SURVEY, credits_of
from livingcircle.reach import Layer
from livingcircle.scenes import scenes_of

if TYPE_CHECKING:
    from livingcircle.result import ScanResult
    from livingcircle.standards import Rule

FORMAT = 2  # the page refuses another one

STATUS_CODES = {"ok": "o", "incomplete": "i", "no_data": "n", "no_demand": "d", "not_applicable": "a", "withheld": "w"}
COUNTS = {  # column of the coverage table -> decimals
    "demand": 2,
    "covered": 2,
    "radius_covered": 2,
    "minutes_covered": 2,
    "value": 3,
    "target": 4,
    "nearest_m_median": 0,
    "edge_share": 3,
    "facilities": 0,
}
JUDGEMENTS = ("met_clause", "met_walk")
SCORES = {
    "people": 0,
    "k_mean": 3,
    "n_scored": 0,
    "n_listed": 0,
    "score": 2,
    "score_low": 2,
    "score_high": 2,
    "complete_share": 4,
    "missing_one_share": 4,
}

Number = int | float | None


def payload(result: ScanResult) -> dict[str, Any]:
    """Return everything the hearing map shows, as plain lists that JSON can hold.

    Units are the communities, in their order, followed by the units above them; every
    column is a list in that order. Coordinates are whole steps of 1e-5 degrees from `origin`, packed as
    `livingcircle._packing` says. Columns of the coverage table are packed numbers with `decimals`; equal ones
    are stored once, in `columns`, and named by their position there (-1: nothing known).

    Parameters
    ----------
    result
        A finished scan. Its homes are not read.
    """
    # The numbers as the tables hold them, so that a map that is drawn again from its folder says the same.
    coverage, scores = published(result.coverage, COVERAGE_TABLE), published(result.scores, SCORES_TABLE)
    circles = None if result.circles is None else published(result.circles, CIRCLES_TABLE)
    result = replace(result, coverage=coverage, scores=scores, circles=circles)
    origin = _origin(result)
    units = _units(result, origin)
    columns, series = _coverage(result, list(zip(units["level"], units["id"], strict=True)))
    return {
        "format": FORMAT,
        "title": str(result.run.get("name", "")),
        "data_date": str(result.run.get("data_date", "") or ""),
        "standard": {"zh": result.rules.title_zh, "en": result.rules.title_en},
        "approval": result.approval_number,
        "credits": list(credits_of(result.run)),
        "not_a_survey": NOT_A_SURVEY,
        "demand": str(result.run.get("demand", "people")),
        "settings": [[str(key), _plain(value)] for key, value in result.settings.items()],
        "sources": _sources(result),
        "origin": origin,
        "scale": SCALE,
        "units": units,
        "rules": [_rule(result, rule, scores=rule.id in set(result.rules.scoring)) for rule in result.rules.rules],
        "decimals": COUNTS,
        "columns": columns,
        "series": series,
        "services": _services(result),
        "facilities": shapes.facilities(result, origin),
        "estates": shapes.estates(result, origin),
        "circles": shapes.circles(result, origin),
        "bands": shapes.bands(result, origin),
        "facility_circles": shapes.facility_circles(result, origin),
        "background": shapes.background(result.background, origin),
        "places": shapes.names(result.background, origin),
        "scenes": scenes_of(result),
        "homes": None,  # room for people in cells, never single homes
        "network": None,
    }


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(part) for part in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _origin(result: ScanResult) -> list[float]:
    """South-west corner of the communities, rounded so that it is a whole number of steps."""
    west, south, _, _ = result.communities.total_bounds
    return [math.floor(float(west) * 100) / 100, math.floor(float(south) * 100) / 100]


def _sources(result: ScanResult) -> list[dict[str, str]]:
    keys = ("role", "path", "date", "licence", "attribution", "datum", "datum_answer", "used", "complete")
    return [
        {key: _plain(row.get(key)) for key in keys} for row in result.run.get("inputs", []) if isinstance(row, dict)
    ]


# -- columns -----------------------------------------------------------------------------------------


def _numbers(values: pd.Series, decimals: int) -> list[Number]:
    """Turn numbers into a list in which unknown ones are None and whole ones are integers."""
    rounded = pd.to_numeric(values, errors="coerce").astype("float64").round(decimals).to_numpy()
    return [None if not math.isfinite(x) else int(x) if x == int(x) else float(x) for x in rounded.tolist()]


def _judgements(values: pd.Series) -> str:
    """One sign per unit: 1 met, 0 not met, - not judged."""
    signs = {"true": "1", "1": "1", "1.0": "1", "yes": "1", "false": "0", "0": "0", "0.0": "0", "no": "0"}
    return "".join(signs.get(text.lower(), "-") for text in shapes.texts(values))


def _units(result: ScanResult, origin: list[float]) -> dict[str, Any]:
    communities, scores = result.communities, result.scores
    upper = scores[scores["level"].isin(NESTED_LEVELS[1:])]  # estates and areas have no outline on the map
    own = scores[scores["level"] == "community"].set_index("unit_id").reindex(communities.index)
    own = own.assign(people=communities["people"])
    table = pd.concat([own.reset_index(drop=True), upper.reset_index(drop=True)], ignore_index=True)
    blank = [""] * len(upper)
    packed: dict[str, Any] = {
        "communities": len(communities),
        "level": ["community"] * len(communities) + shapes.texts(upper["level"]),
        "id": [str(unit) for unit in communities.index] + shapes.texts(upper["unit_id"]),
        "name": shapes.texts(communities["unit_name"]) + shapes.texts(upper["unit_name"]),
        "weakest": shapes.texts(table["weakest_rule"]),
    }
    for name in ("subdistrict", "district", "unit_type"):
        packed[name] = shapes.texts(communities[name]) + blank
    packed |= {name: _numbers(table[name], decimals) for name, decimals in SCORES.items()}
    packed["basis"] = shapes.texts(communities["basis"])
    packed["not_placed"] = _numbers(communities["not_placed"], 0)
    packed["leg_m_p50"] = _numbers(communities["leg_m_p50"], 0)
    packed["middle"] = pack_points(communities.geometry.to_numpy(), origin)
    packed["shapes"] = shapes.outlines(communities.geometry.to_numpy(), origin)
    return packed


def _coverage(result: ScanResult, units: list[tuple[str, str]]) -> tuple[list[str], list[dict[str, Any]]]:
    """Spread the long coverage table into one column per rule, group, walker, gates and number."""
    table = result.coverage
    at = pd.MultiIndex.from_tuples(units).get_indexer(
        pd.MultiIndex.from_arrays([table["level"].astype(str), table["unit_id"].astype(str)])
    )
    table = table.assign(_at=at)[at >= 0]
    store: dict[str, int] = {}
    series = []
    key = ["rule", "group", "walker", "gates"]
    table[key] = table[key].astype("object").where(table[key].notna(), "")
    for names, part in table.groupby(key, sort=False):
        spread = part.set_index("_at").reindex(range(len(units)))
        packed: dict[str, Any] = {name: str(value) for name, value in zip(key, names, strict=True)}
        packed["stand_in"] = bool((part["group_basis"] == "stand_in").any())  # all people for the rule's group
        packed["status"] = "".join(STATUS_CODES.get(text, "-") for text in shapes.texts(spread["status"]))
        for column in JUDGEMENTS:
            packed[column] = _judgements(spread[column])
        for column, decimals in COUNTS.items():
            numbers = pd.to_numeric(spread[column], errors="coerce").astype("float64")
            text = pack_known(numbers.to_numpy(), decimals)
            packed[column] = store.setdefault(text, len(store)) if numbers.notna().any() else -1
        series.append(packed)
    return list(store), series


# -- rules and services ------------------------------------------------------------------------------


def _rule(result: ScanResult, rule: Rule, *, scores: bool) -> dict[str, Any]:
    services = [name for name in rule.services if name in result.catalogue.services]
    of_land = result.run.get("demand", "people") != "people"
    counts_people = rule.denominator in ("", "people") and (rule.by_distance or rule.metric == "share_pop")
    return {
        "id": rule.id,
        "zh": rule.name_zh or rule.id,
        "en": rule.name_en or rule.id,
        "standard": rule.standard,
        "services": services,
        "theme": result.catalogue.services[services[0]].theme if services else "",
        "tier": rule.tier,
        "provision": rule.provision,
        "bound": rule.bound,
        "metric": rule.metric,
        "threshold": rule.threshold,
        "unit": rule.threshold_unit,
        "walker": rule.walker,
        "site": _site(rule),
        "group": rule.group,
        "denominator": "residential_land" if of_land and counts_people else rule.denominator,
        "citation": rule.citation,
        "confidence": rule.confidence,
        "mark": rule.mark,
        "binding": bool(rule.may_fail_publicly),
        "note": rule.note,
        "scores": scores,
    }


def _site(rule: Rule) -> list[float | None] | None:
    """Return the sizes of ground that a rule counts, m²: from, and below (None: any); None where size says nothing."""
    layer = Layer.of(rule)
    if layer.min_site_m2 == 0 and math.isinf(layer.max_site_m2):
        return None
    return [layer.min_site_m2, None if math.isinf(layer.max_site_m2) else layer.max_site_m2]


def _services(result: ScanResult) -> list[dict[str, str]]:
    return [
        {
            "id": service.id,
            "zh": service.name_zh,
            "en": service.name_en,
            "theme": service.theme,
            "colour": service.colour,
        }
        for service in result.catalogue.services.values()
    ]
