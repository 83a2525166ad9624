"""The score: how many of the listed services a resident can walk to within the standard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from livingcircle.columns import SCORES
from livingcircle.coverage import Judged, People, Standing, Units, theme_of
from livingcircle.rules import Rule, RuleSet
from livingcircle_layers.catalogue import Catalogue
from livingcircle_layers.services import THEMES_ZH

MIN_PEOPLE = 100  # fewer people mislead (standards.md 11.3)
MIN_DATA_SHARE = 0.7  # of the list must have data (standards.md 11.3)
THEMES = tuple(theme for theme in THEMES_ZH if theme != "information")  # shown, never scored
_OF_PEOPLE = ("people", "k_mean", "score", "score_low", "score_high", "complete_share", "missing_one_share")
_MARKS = ("", "V", "V2", "M+", "M?")

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Reached:
    """How many services of the list every home reaches within the standard: k of N.

    Attributes
    ----------
    listed
        The scoring rules (N of them), the same for all units.
    with_data
        Those of them whose layer has data.
    k
        Per home the number of listed services in reach; a layer without data counts as none.
    usable
        Per home the number of listed rules that have data and are meant for it.
    scored
        Homes for which enough of the list has data.
    by_theme
        k of the services of each theme.
    """

    listed: tuple[Rule, ...]
    with_data: tuple[Rule, ...]
    k: Ints
    usable: Ints
    scored: npt.NDArray[np.bool_]
    by_theme: Mapping[str, Ints]


def services_reached(
    rules: RuleSet,
    judged: Mapping[str, Judged],
    standings: Mapping[str, Standing],
    people: People,
    *,
    catalogue: Catalogue,
) -> Reached:
    """Count for every home the listed services that can be walked to within the standard.

    Parameters
    ----------
    rules
        The rules of the run; its scoring list is fixed for all units.
    judged
        Each rule's verdict per home.
    standings
        Per rule what is known about its layer.
    people
        Who is counted.
    catalogue
        Gives the theme of each service.
    """
    listed = tuple(r for r in rules.scoring_rules if r.id in judged)
    with_data = tuple(r for r in listed if standings[r.id].status != "no_data")
    n = len(people.groups["all"])
    usable = np.zeros(n, dtype=np.int64)
    by_theme = {theme: np.zeros(n, dtype=np.int64) for theme in sorted({theme_of(r, catalogue) for r in listed})}
    for rule in with_data:
        applies = people.applies(rule)
        usable += applies
        by_theme[theme_of(rule, catalogue)] += judged[rule.id].walk & applies
    k = sum(by_theme.values(), np.zeros(n, dtype=np.int64))
    scored = usable >= MIN_DATA_SHARE * len(listed) if listed else np.zeros(n, dtype=bool)
    return Reached(listed, with_data, k, usable, scored, by_theme)


def scores_table(
    rules: RuleSet,
    judged: Mapping[str, Judged],
    standings: Mapping[str, Standing],
    people: People,
    levels: Sequence[Units],
    *,
    catalogue: Catalogue,
) -> pd.DataFrame:
    """Return one row per unit with its score.

    Every resident counts the services of the list that she can walk to within the standard (k of N); the score of a
    unit is 100 · k / N averaged over its people, so that it adds up over levels. Layers without data count as none
    in ``score`` and ``score_low`` and as all in ``score_high``. The themes stand beside it and are never averaged
    into anything: ``theme_*`` is the same k / N of one theme's services.

    Parameters
    ----------
    rules, judged, standings, people, catalogue
        As for `services_reached`.
    levels
        Units of all levels.
    """
    reached = services_reached(rules, judged, standings, people, catalogue=catalogue)
    missing = _missing_required(reached.listed, judged, standings, people)
    frames = [_rows(units, reached, people.groups["all"], missing, catalogue) for units in levels]
    table = pd.concat(frames, ignore_index=True)
    if people.of_land:
        themes = [f"theme_{theme}" for theme in THEMES]
        table[[*_OF_PEOPLE, *themes]] = np.nan  # a score is of people, and land is none
    # What is known to be little data is not called the weakest, unless all of it is so.
    known = [r for r in reached.with_data if standings[r.id].status == "ok"] or reached.with_data
    weakest = [_weakest(units, known, judged, people) for units in levels]
    table = table.assign(
        weakest_rule=np.concatenate(weakest),
        confidence=max((r.mark for r in reached.with_data), key=_MARKS.index, default=""),
    )
    return table[list(SCORES.names)]


def histogram_table(reached: Reached, people: People, levels: Sequence[Units]) -> pd.DataFrame:
    """Return how many people of each unit and group reach k of the N services, for every k from 0 to N.

    Their sum is the people whom the score of the unit is about; units without a score have no rows.
    """
    n = len(reached.listed)
    frames = []
    for units in levels:
        enough = _enough(units, reached, people.groups["all"]) & (not people.of_land)
        cell = np.maximum(units.code, 0) * (n + 1) + reached.k
        for group, number in people.groups.items():
            counted = np.where(reached.scored & (units.code >= 0), number, 0)
            table = pd.DataFrame(
                {
                    "level": units.level,
                    "unit_id": np.repeat(np.array(units.ids, dtype=object), n + 1),
                    "group": group,
                    "k": np.tile(np.arange(n + 1), len(units.ids)),
                    "people": np.bincount(cell, counted, len(units.ids) * (n + 1)).astype(np.int64),
                }
            )
            frames.append(table[np.repeat(enough, n + 1)])
    return pd.concat(frames, ignore_index=True)


def _enough(units: Units, reached: Reached, everybody: Ints) -> npt.NDArray[np.bool_]:
    """Tell which units have a score: enough people, and data for enough of the list."""
    counted = units.total(everybody, reached.scored)
    return (units.total(everybody) >= MIN_PEOPLE) & (counted > 0)


def _missing_required(
    listed: Sequence[Rule], judged: Mapping[str, Judged], standings: Mapping[str, Standing], people: People
) -> Floats:
    """Return per home how many required services are out of reach; NaN where one of them has no data."""
    required = [r for r in listed if r.provision == "required"]
    out = np.zeros(len(people.rural))
    if not required:
        return np.full(len(people.rural), np.nan)
    for rule in required:
        applies = people.applies(rule)
        out += np.where(standings[rule.id].status == "no_data", np.nan, ~judged[rule.id].walk)
        out[~applies] = np.nan
    return out


def _rows(units: Units, reached: Reached, everybody: Ints, missing: Floats, catalogue: Catalogue) -> pd.DataFrame:
    counted = units.total(everybody, reached.scored)
    enough = _enough(units, reached, everybody)

    def mean(values: npt.NDArray[Any]) -> Floats:
        total = units.total(values * everybody, reached.scored)
        return np.divide(total, counted, out=np.full(len(counted), np.nan), where=enough)

    def share(mask: npt.NDArray[np.bool_]) -> Floats:
        known = units.total(everybody, ~np.isnan(missing))
        total = units.total(everybody, mask)
        return np.divide(total, known, out=np.full(len(counted), np.nan), where=known > 0)

    k_mean, n_listed = mean(reached.k), len(reached.listed)
    n = max(n_listed, 1)
    return pd.DataFrame(
        {
            "level": units.level,
            "unit_id": units.ids,
            "unit_name": units.names,
            "unit_type": units.types,
            "people": units.total(everybody),
            "unit_complete": units.complete,
            "k_mean": k_mean,
            "n_scored": _most(units, reached.usable),
            "n_listed": n_listed,
            "score": 100 * k_mean / n,
            "score_low": 100 * k_mean / n,
            "score_high": 100 * (k_mean + (n_listed - mean(reached.usable))) / n,
            "complete_share": share(missing == 0),
            "missing_one_share": share(missing == 1),
            **{f"theme_{theme}": _theme(theme, reached, mean, catalogue) for theme in THEMES},
        }
    )


def _theme(theme: str, reached: Reached, mean: Callable[[Ints], Floats], catalogue: Catalogue) -> Floats:
    """Return the mean k / N of one theme; nothing where none of its layers has data."""
    listed = sum(theme_of(rule, catalogue) == theme for rule in reached.listed)
    known = any(theme_of(rule, catalogue) == theme for rule in reached.with_data)
    values = mean(reached.by_theme.get(theme, np.zeros(len(reached.k), dtype=np.int64)))
    return values / listed if known else np.full(len(values), np.nan)


def _most(units: Units, usable: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the longest list with data among the homes of each unit."""
    out = np.zeros(len(units.ids), dtype=np.int64)
    inside = units.code >= 0
    np.maximum.at(out, units.code[inside], usable[inside])
    return out


def _weakest(units: Units, rules: Sequence[Rule], judged: Mapping[str, Judged], people: People) -> npt.NDArray[Any]:
    """Return per unit the scoring rule that the smallest share of residents reaches; the first of equals."""
    lowest = np.full(len(units.ids), np.inf)
    name = np.full(len(units.ids), "", dtype=object)
    for rule in rules:
        count = np.where(people.applies(rule), people.groups["all"], 0)
        total = units.total(count)
        reached = units.total(count, judged[rule.id].walk)
        share = np.divide(reached, total, out=np.full(len(total), np.inf), where=total > 0)
        better = share < lowest
        lowest[better], name[better] = share[better], rule.id
    return name
