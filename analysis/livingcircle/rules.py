"""One clause of a standard, and the set of clauses that a run computes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
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
    "places_per_1000",
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
Denominator = Literal["", "people", "residential_land", "land", "households", "units"]
Mark = Literal["", "V", "V2", "M+", "M?"]

DISTANCE_METRICS = frozenset({"radius", "walk_m", "walk_min"})
TIER_MINUTES = {"5min": 5, "8min": 8, "10min": 10, "15min": 15}
WHOLE_CIRCLE_MIN = 15  # of a clause that names no reach: the 15-minute living circle is the nearest thing
# The units a threshold of each measure can be in; the first is meant where the rule names none, save where one would
# have to guess. per_cap in shares is a factor on another rule (standards-tables.md, old_area_relief).
_UNITS: Mapping[str, tuple[Unit, ...]] = {
    "radius": ("m",),
    "walk_m": ("m",),
    "walk_min": ("min",),
    "drive": ("min",),
    "commute": ("min",),
    "per_100hh": ("m2_per_100hh",),
    "per_cap": ("m2_per_person", "share"),
    "per_1000": ("m2_per_1000", "ha_per_1000", "places_per_1000"),
    "count": ("count", "count_per_household", "count_per_3000_people", "count_per_50000_people"),
    "floor_m2": ("m2",),
    "site_m2": ("m2",),
    "share_land": ("share",),
    "share_pop": ("share",),
    "share_unit": ("share",),
    "share": ("share",),
    "density": ("m", "km_per_km2", "people_per_km2", "intersections_per_km2"),
    "score": ("points",),
}
_NO_GUESS = frozenset({"per_1000", "density"})
# What a measure can be a share of; measures that are not listed take any.
_DENOMINATORS: Mapping[str, frozenset[str]] = {
    "per_100hh": frozenset(("", "households")),
    "share_land": frozenset(("", "land", "residential_land")),
    "share_pop": frozenset(("", "people")),
    "share_unit": frozenset(("", "units")),
}
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
    walker: str = Field(default="", description="whose minutes count, ours or one of the study; only with walk_min")
    applies_to: Literal["all", "urban"] = Field(
        default="all", description="urban: not meant for rural communities, where it is not_applicable"
    )
    group: str = Field(default="all", pattern=r"^(all|age_\d+_(\d+|up))$", description="whom the service is for")
    min_site_m2: float | None = Field(default=None, gt=0, description="smallest site, m²")
    min_floor_m2: float | None = Field(default=None, gt=0, description="smallest floor area, m²")
    max_site_m2: float | None = Field(default=None, gt=0, description="site must be smaller than this, m²")
    community_has: Literal["inside", "in_reach"] = Field(
        default="inside", description="for share_unit: a community has a place inside it, or one its people can walk to"
    )
    ways: Literal["roads", "walks"] = Field(
        default="roads", description="which ways a density counts: roads, or every way that can be walked"
    )
    broader: str = Field(
        default="",
        description="why its services hold more than the clause means; such a rule is no_data until a file of your "
        'own names services that fit (and broader = "")',
    )
    denominator: Denominator = Field(default="", description="what a share is a share of; empty: not stated")
    target: float | None = Field(default=None, gt=0, le=1, description="share to be reached, 0 to 1")
    target_year: int | None = Field(default=None, ge=1900, le=2100, description="year of the target")
    combine: Literal["any_of", "all_of", "sum_of"] | None = Field(
        default=None, description="how the parts make up the rule"
    )
    parts: tuple[str, ...] = Field(default=(), description="ids of the rules that make up this one")
    measured_by: str = Field(
        default="", description="id of the distance rule whose share of land this one sets a figure for"
    )
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
        metric = filled.get("metric")
        if "threshold_unit" not in filled and isinstance(metric, str) and metric not in _NO_GUESS:
            filled |= {"threshold_unit": _UNITS[metric][0]} if metric in _UNITS else {}
        if metric == "walk_min" and not filled.get("walker"):
            filled["walker"] = "adult"
        return filled

    @model_validator(mode="after")
    def _consistent(self) -> Rule:
        for fault, expected in (*self._misfits(), *self._contradictions()):
            if fault:
                raise ValueError(expected)
        return self

    def _misfits(self) -> tuple[tuple[bool, str], ...]:
        """Return what cannot go with the metric."""
        units, metric = _UNITS[self.metric], f"metric {self.metric!r}"
        known = _DENOMINATORS.get(self.metric, frozenset({self.denominator}))
        share = self.threshold_unit == "share" and self.metric != "per_cap"
        return (
            (self.threshold_unit not in units, f"threshold_unit {_either(units)} with {metric}"),
            (self.denominator not in known, f"denominator {_either(sorted(known - {''}))} with {metric}"),
            (share and (self.threshold or 0) > 1, "a share between 0 and 1: 80 % is threshold = 0.8"),
            (bool(self.walker) and self.metric != "walk_min", "a walker only with metric 'walk_min'"),
            (
                self.community_has != "inside" and self.metric != "share_unit",
                "community_has only with metric 'share_unit'",
            ),
            (
                bool(self.measured_by) and self.metric not in ("share_land", "share_pop"),
                "measured_by only with metric 'share_land' or 'share_pop'",
            ),
            (
                self.by_distance and self.default_on and not self.services,
                f"services with {metric}: a walk leads to a place",
            ),
        )

    def _contradictions(self) -> tuple[tuple[bool, str], ...]:
        """Return what cannot go together."""
        low, high = self.min_site_m2 or 0, self.max_site_m2
        ages = [int(year) for year in self.group.split("_")[1:] if year != "up"]
        return (
            (
                (self.combine is None) != (not self.parts) or len(self.parts) == 1,
                "combine together with at least two parts, or neither",
            ),
            (
                self.by_distance and self.combine is not None and self.threshold is not None,
                "no threshold beside parts: each part has its own",
            ),
            (
                self.threshold is None and self.combine is None and self.default_on,
                "a threshold, unless the rule has parts or default_on = false",
            ),
            (high is not None and high <= low, "max_site_m2 above min_site_m2"),
            (ages != sorted(set(ages)), "a group from younger to older, for example age_3_6"),
        )

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

    @property
    def of_land(self) -> bool:
        """Whether it is a distance whose share is one of residential land."""
        return self.by_distance and self.denominator == "residential_land"

    @property
    def walked(self) -> bool:
        """Whether walks to its places are measured: by the clause itself, or to tell who can reach them."""
        return self.by_distance or (self.metric == "share_unit" and bool(self.services) and not self.broader)

    @property
    def circle_min(self) -> int:
        """The minutes of the circle that the rule stands in; those of the whole living circle where none is named."""
        return TIER_MINUTES.get(self.tier, WHOLE_CIRCLE_MIN)


def _either(words: Sequence[str]) -> str:
    return " or ".join(repr(word) for word in words)


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

    def __repr__(self) -> str:
        counted = f"{len(self.rules)} rules, {len(self.scoring)} score, {len(self.off)} off"
        return f"RuleSet({self.id} {self.title_zh}: {counted})"

    def _repr_html_(self) -> str:
        from livingcircle.notebook import rules_html

        return rules_html(self)

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
