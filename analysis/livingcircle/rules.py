"""One clause of a standard, and the set of clauses that a run computes."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from livingcircle_layers.catalogue import Catalogue, load_catalogue

Tier = Literal["5min", "8min", "10min", "15min", "block", "community", "subdistrict", "district", "city", "none"]
Metric = Literal[
    "radius",
    "walk_m",
    "walk_min",
    "drive",
    "commute",
    "per_100hh",
    "per_cap",
    "per_1000",
    "count",
    "floor_m2",
    "site_m2",
    "share_land",
    "share_pop",
    "share_unit",
    "share",
    "density",
    "score",
]
Unit = Literal[
    "m",
    "min",
    "m2",
    "m2_per_100hh",
    "m2_per_person",
    "m2_per_1000",
    "ha_per_1000",
    "count",
    "count_per_household",
    "count_per_3000_people",
    "count_per_50000_people",
    "share",
    "km_per_km2",
    "people_per_km2",
    "intersections_per_km2",
    "points",
]
Walker = Literal["", "adult", "elder", "caregiver_small_child", "child_primary", "wheelchair"]
Denominator = Literal["", "people", "residential_land", "land", "households", "units"]
Mark = Literal["", "V", "V2", "M+", "M?"]

DISTANCE_METRICS = frozenset({"radius", "walk_m", "walk_min"})
_OWN_UNIT = {
    "radius": "m",
    "walk_m": "m",
    "walk_min": "min",
    "drive": "min",
    "commute": "min",
    "count": "count",
    "floor_m2": "m2",
    "site_m2": "m2",
    "per_100hh": "m2_per_100hh",
    "per_cap": "m2_per_person",
    "share": "share",
    "share_land": "share",
    "share_pop": "share",
    "share_unit": "share",
    "score": "points",
}
_FIXED_UNIT = frozenset({"radius", "walk_m", "walk_min", "drive", "commute"})
_MARKS: tuple[Mark, ...] = ("V", "V2", "M+", "M?")
_MARK = re.compile(r"(?<!\w)(V2|V)(?=:)|(?<!\w)(M\+|M\?)")


class Rule(BaseModel):
    """One clause: which service, within what, for whom, and where it is written.

    ``None`` of a figure means that the source states none. A rule with ``combine`` is made of other rules,
    its ``parts``; it has no threshold of its own, save for a share of units that it restates.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$", description="unique name of the rule")
    standard: str = Field(default="", description="standard or file that the rule stands in")
    name_zh: str = Field(default="", description="short Chinese label; derived where it is not written")
    name_en: str = Field(default="", description="short English label; derived where it is not written")
    services: tuple[str, ...] = Field(default=(), description="services; any one of them will do")
    tier: Tier = Field(default="none", description="circle of the rule; tiers do not include each other")
    provision: Literal["required", "as_needed", ""] = Field(default="", description="▲ required, △ as needed")
    bound: Literal["must", "recommended", "optional", ""] = Field(
        default="", description="应 must, 宜 recommended, 可 optional; empty: the word is not known"
    )
    metric: Metric = Field(description="the measure of the clause itself")
    threshold: float | None = Field(
        default=None, gt=0, description="upper limit of metres, minutes and spacing, else lower limit"
    )
    threshold_unit: Unit = Field(description="unit of the threshold; follows from the metric where it is plain")
    walker: Walker = Field(default="", description="whose minutes count; only with walk_min")
    group: str = Field(default="all", pattern=r"^(all|age_\d+_(\d+|up))$", description="whom the service is for")
    min_site_m2: float | None = Field(default=None, gt=0, description="smallest site, m²")
    min_floor_m2: float | None = Field(default=None, gt=0, description="smallest floor area, m²")
    max_site_m2: float | None = Field(default=None, gt=0, description="site must be smaller than this, m²")
    denominator: Denominator = Field(default="", description="what a share is a share of; empty: not stated")
    target: float | None = Field(default=None, gt=0, le=1, description="share to be reached, 0 to 1")
    target_year: int | None = Field(default=None, description="year of the target")
    combine: Literal["any_of", "all_of", "sum_of"] | None = Field(
        default=None, description="how the parts make up the rule"
    )
    parts: tuple[str, ...] = Field(default=(), description="ids of the rules that make up this one")
    citation: str = Field(default="", description="standard and clause")
    confidence: str = Field(default="", description="how the figure is known, with marks V, V2, M+, M?")
    default_on: bool = Field(default=True, description="false: stays off until a file of your own enables it")
    note: str = Field(default="", description="what else the clause says")
    verified_by: str = Field(default="", description="who compared the figure with the printed standard")

    @model_validator(mode="before")
    @classmethod
    def _plain_units(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        filled = dict(raw)
        if "threshold_unit" not in filled and filled.get("metric") in _OWN_UNIT:
            filled["threshold_unit"] = _OWN_UNIT[filled["metric"]]
        if filled.get("metric") == "walk_min" and not filled.get("walker"):
            filled["walker"] = "adult"
        return filled

    @model_validator(mode="after")
    def _consistent(self) -> Rule:
        unit = _OWN_UNIT.get(self.metric)
        if self.metric in _FIXED_UNIT and self.threshold_unit != unit:
            raise ValueError(f"threshold_unit {unit!r} with metric {self.metric!r}")
        if self.walker and self.metric != "walk_min":
            raise ValueError("a walker only with metric 'walk_min'")
        if (self.combine is None) != (not self.parts) or len(self.parts) == 1:
            raise ValueError("combine together with at least two parts, or neither")
        if self.threshold is None and self.combine is None and self.default_on:
            raise ValueError("a threshold, unless the rule has parts or default_on = false")
        low, high = self.min_site_m2 or 0, self.max_site_m2
        if high is not None and high <= low:
            raise ValueError("max_site_m2 above min_site_m2")
        return self

    @property
    def mark(self) -> Mark:
        """The weakest mark that the confidence names, in the order V, V2, M+, M?; empty once verified.

        "M+; V2:S55" (from memory, and seen second-hand too) is M+: that sighting does not open the standard.
        "list V2:S41; size M+" is M+, because the size belongs to the rule. A text without a mark counts as
        M?.
        """
        if self.verified_by:
            return ""
        found = [_MARKS.index(first or second) for first, second in _MARK.findall(self.confidence)]
        return _MARKS[max(found)] if found else "M?"

    @property
    def may_fail_publicly(self) -> bool:
        """Whether 不达标 may be said: the clause binds (应) and its figure was seen in the text itself."""
        return self.bound == "must" and self.mark in ("", "V")

    @property
    def by_distance(self) -> bool:
        """Whether the clause measures by radius, walking metres or walking minutes."""
        return self.metric in DISTANCE_METRICS


@dataclass(frozen=True)
class RuleSet:
    """The rules of one run, in order, and those of them that score.

    ``off`` holds rules of the same source that stay off; they are listed, never computed.
    """

    id: str
    title_zh: str
    title_en: str
    kind: Literal["bundle", "standard", "file"]
    rules: tuple[Rule, ...]
    scoring: tuple[str, ...]
    off: tuple[Rule, ...] = ()

    def rule(self, id_: str) -> Rule:
        """Return one rule by id; raises KeyError for an id that is not in the set."""
        for rule in self.rules:
            if rule.id == id_:
                return rule
        raise KeyError(id_)

    @property
    def scoring_rules(self) -> tuple[Rule, ...]:
        """The scoring rules in order."""
        return tuple(self.rule(id_) for id_ in self.scoring)


def scoring_order(
    rules: Sequence[Rule],
    *,
    first: Sequence[str] = (),
    shown: Collection[str] = (),
    catalogue: Catalogue | None = None,
) -> tuple[str, ...]:
    """Choose the rules that score: for each service the first rule that measures by distance or minutes.

    A rule for several services takes all of them. Services of the theme information never score, nor do the
    parts of a distance rule that is made of others; parts of a sum of points may.

    Parameters
    ----------
    rules
        Candidates in order.
    first
        Ids that score already; they come first and take their services.
    shown
        Ids that were left out of the score on purpose.
    catalogue
        Gives the themes; the built-in one by default.
    """
    services = (catalogue or load_catalogue()).services
    by_id = {rule.id: rule for rule in rules}
    parts = {part for rule in rules if rule.by_distance for part in rule.parts}
    chosen = list(first)
    taken = {service for id_ in first for service in by_id[id_].services}
    for rule in rules:
        informs = any(services[s].theme == "information" for s in rule.services if s in services)
        if not rule.by_distance or not rule.services or informs:
            continue
        if rule.id not in parts and rule.id not in shown and taken.isdisjoint(rule.services):
            chosen.append(rule.id)
            taken.update(rule.services)
    return tuple(chosen)
