"""What is known about the layer of every rule before any walk is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from livingcircle.coverage import TIER_PEOPLE, Bools, People, Standing
from livingcircle.inputs import Inputs
from livingcircle.measured import make_levels
from livingcircle.rules import Rule, RuleSet
from livingcircle.stock import Stock, ground_of, standings_of, stock_of
from livingcircle.study import Study
from livingcircle.supply import supply_table
from livingcircle_layers.catalogue import Catalogue


@dataclass(frozen=True)
class Lived:
    """Who lives in the communities.

    Attributes
    ----------
    homes
        All homes inside communities, also those off the streets.
    people
        Those whose homes join the streets, by whom rules about walks expect places.
    """

    homes: pd.DataFrame
    people: People

    @property
    def residents(self) -> int:
        """All of them; 0 where nobody is known."""
        return 0 if self.people.of_land else int(self.homes["people"].sum())


@dataclass(frozen=True)
class RuleLayer:
    """The layer of one rule: its state as a scan will give it, places known, and places expected.

    Attributes
    ----------
    places
        Places that count for the rule and that the people of the communities could use (`Stock.known`).
    expected
        Places that these people would need by the tier of the rule; None without a tier or without people.
    """

    rule: Rule
    standing: Standing
    places: int
    expected: float | None

    @property
    def complete(self) -> str:
        """Whether every place is in it: yes, no or unknown; "" where the rule asks for no places."""
        return self.standing.complete if self.rule.services or self.rule.parts else ""

    def line(self) -> str:
        """Return the layer as one line."""
        named = "|".join(self.rule.services) or "+".join(self.rule.parts) or self.rule.metric
        need = f", about {self.expected:,.0f} expected for a {self.rule.tier}" if self.expected is not None else ""
        mark = f"; complete: {self.complete}" if self.complete in ("yes", "no") else ""
        known = f"; {self.places:,} known within reach{need}" if self.rule.services else ""
        return f"rule {self.rule.id} ({named}): {self.standing.status}{known}{mark}"


def rule_layers(study: Study, rules: RuleSet, inputs: Inputs, catalogue: Catalogue, lived: Lived) -> list[RuleLayer]:
    """Return the layer of every rule, in the order of the rules; no walk is measured.

    A rule about supply is also without data where no figure of its places is known, such as their area.
    """
    walkers, residents = lived.people.number, lived.residents
    stock = stock_of(inputs.facilities, inputs.units)
    by_id = {rule.id: rule for rule in rules.rules}
    walker, profiles = study.walker_profiles()[0], study.profiles()

    def known(rule: Rule) -> Bools:
        if rule.combine is None:
            return stock.known(rule, walker, profiles)
        return np.logical_or.reduce([known(by_id[part]) for part in rule.parts])

    def expected(rule: Rule) -> float | None:
        people = walkers if rule.by_distance else residents
        return people / TIER_PEOPLE[rule.tier] if rule.tier in TIER_PEOPLE and people and rule.services else None

    standings = standings_of(rules.rules, stock, walkers=walkers, residents=residents, walker=walker, profiles=profiles)
    of_supply = _supply_statuses(study, rules, inputs, catalogue, lived, stock, standings)
    return [
        RuleLayer(
            rule,
            replace(standings[rule.id], status=of_supply.get(rule.id, standings[rule.id].status)),
            int(stock.places["facility_id"][known(rule)].nunique()) if rule.services else 0,
            expected(rule),
        )
        for rule in rules.rules
    ]


def _supply_statuses(
    study: Study,
    rules: RuleSet,
    inputs: Inputs,
    catalogue: Catalogue,
    lived: Lived,
    stock: Stock,
    standings: Mapping[str, Standing],
) -> dict[str, str]:
    """Return the state in the whole city of the rules that ask for a supply, which needs no walk."""
    # A sum of points looks at walks too; its state is that of its layers.
    asked = [rule for rule in rules.rules if not rule.by_distance and rule.metric != "score"]
    counts_streets = any(rule.metric == "density" for rule in asked)
    ground = ground_of(
        lived.homes,
        inputs.units,
        inputs.osm.streets if counts_streets else None,
        of_land=lived.people.of_land,
        shared=lived.people.shared,
    )
    levels = make_levels(inputs.units, pd.Series(inputs.units.index), complete=True, name=study.name)
    city = [units for units in levels if units.level == "city"]
    table = supply_table(
        asked, stock, ground, city, catalogue=catalogue, in_reach={}, standings=standings, people=lived.people,
        homes=city,
    )  # fmt: skip
    told = table[table["status"].isin(("ok", "incomplete", "no_data"))]
    return dict(zip(told["rule"], told["status"], strict=True))
