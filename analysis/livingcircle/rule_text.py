"""Short labels of rules: service and figure in Chinese and English."""

from __future__ import annotations

import re
from collections.abc import Mapping

from livingcircle.rules import Rule
from livingcircle_layers.catalogue import Service

_FIGURES: Mapping[str, tuple[str, str]] = {
    "m2": ("≥{} m²", "≥ {} m²"),
    "m2_per_100hh": ("{} m²/百户", "{} m²/100 households"),
    "m2_per_person": ("{} m²/人", "{} m²/person"),
    "m2_per_1000": ("{} m²/千人", "{} m²/1000 people"),
    "ha_per_1000": ("{} 公顷/千人", "{} ha/1000 people"),
    "count": ("≥{} 处", "≥ {}"),
    "count_per_household": ("≥{} 个/户", "≥ {} per household"),
    "count_per_3000_people": ("每 3000 人 {} 处", "{} per 3000 people"),
    "count_per_50000_people": ("每 50000 人 {} 处", "{} per 50 000 people"),
    "km_per_km2": ("≥{} km/km²", "≥ {} km/km²"),
    "people_per_km2": ("≥{} 人/km²", "≥ {} people/km²"),
    "intersections_per_km2": ("≥{} 个/km²", "≥ {} /km²"),
    "points": ("{} 分", "{} points"),
}
_BY_METRIC: Mapping[str, tuple[str, str]] = {
    "radius": ("{} 米", "{} m"),
    "walk_m": ("步行 {} 米", "{} m walk"),
    "walk_min": ("步行 {} 分钟", "{} min walk"),
    "drive": ("车行 {} 分钟", "{} min drive"),
    "commute": ("通勤 {} 分钟", "{} min commute"),
    "density": ("≤{} 米", "≤ {} m"),
    "floor_m2": ("建筑面积 {} m²", "floor {} m²"),
    "site_m2": ("用地 {} m²", "site {} m²"),
}
_HECTARE_FROM_M2 = 10_000


def number(value: float) -> str:
    """Write a figure without needless decimals.

    Examples
    --------
    >>> number(300.0), number(0.35)
    ('300', '0.35')
    """
    return f"{value:.10g}"


def figure(rule: Rule) -> tuple[str, str]:
    """Return the threshold in Chinese and English, empty where the source states none."""
    if rule.threshold is None:
        return "", ""
    if rule.threshold_unit == "share":
        percent = number(round(100 * rule.threshold, 6))
        return f"≥{percent}%", f"≥ {percent} %"
    by_metric = _BY_METRIC.get(rule.metric) if rule.threshold_unit in ("m", "min", "m2") else None
    chinese, english = by_metric or _FIGURES.get(rule.threshold_unit, ("{}", "{}"))
    return chinese.format(number(rule.threshold)), english.format(number(rule.threshold))


def with_labels(rule: Rule, services: Mapping[str, Service]) -> Rule:
    """Return the rule with both labels filled: written ones stay, others are made of service and figure."""
    if rule.name_zh and rule.name_en:
        return rule
    known = [services[id_] for id_ in rule.services if id_ in services]
    chinese = "/".join(_short(service.name_zh) for service in known) or rule.id
    english = "/".join(_short(service.name_en) for service in known) or rule.id
    size_zh, size_en = _size(rule, known)
    figure_zh, figure_en = figure(rule)
    return rule.model_copy(
        update={
            "name_zh": rule.name_zh or f"{chinese}{size_zh} {figure_zh}".strip(),
            "name_en": rule.name_en or _capital(f"{english}{size_en} {figure_en}".strip()),
        }
    )


def _short(name: str) -> str:
    return re.split(r"[(（、,]", name)[0].strip()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _size(rule: Rule, services: list[Service]) -> tuple[str, str]:
    """Name the least size where it makes another rule of it: open spaces only."""
    if rule.min_site_m2 is None or not any(service.theme == "ecology" for service in services):
        return "", ""
    if rule.min_site_m2 >= _HECTARE_FROM_M2:
        hectares = number(rule.min_site_m2 / _HECTARE_FROM_M2)
        return f"(≥{hectares} 公顷)", f" (≥ {hectares} ha)"
    return f"(≥{number(rule.min_site_m2)} m²)", f" (≥ {number(rule.min_site_m2)} m²)"
