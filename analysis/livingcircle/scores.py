"""The score: how many of the listed services a resident can walk to within the standard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from livingcircle.coverage import Judged, People, Standing, Units
from livingcircle.rules import Rule, RuleSet

MIN_PEOPLE = 100  # fewer people mislead (standards.md 11.3)
MIN_DATA_SHARE = 0.7  # of the list must have data (standards.md 11.3)
_MARKS = ("", "V", "V2", "M+", "M?")

Floats = npt.NDArray[np.float64]


def scores_table(
    rules: RuleSet,
    judged: Mapping[str, Judged],
    standings: Mapping[str, Standing],
    people: People,
    levels: Sequence[Units],
) -> pd.DataFrame:
    """Return one row per unit with its score.

    Every resident counts the services of the list that she can walk to within the standard (k of N); the score of a
    unit is 100 · k / N averaged over its people, so that it adds up over levels. Layers without data count as none
    in ``score`` and ``score_low`` and as all in ``score_high``.

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
    levels
        Units of all levels.
    """
    listed = [r for r in rules.scoring_rules if r.id in judged]
    with_data = [r for r in listed if standings[r.id].status != "no_data"]
    everybody = people.groups["all"]
    n = len(everybody)
    k = np.zeros(n, dtype=np.int64)
    usable = np.zeros(n, dtype=np.int64)
    for rule in with_data:
        applies = people.applies(rule)
        usable += applies
        k += judged[rule.id].walk & applies
    scored = usable >= MIN_DATA_SHARE * len(listed) if listed else np.zeros(n, dtype=bool)
    missing = _missing_required(listed, judged, standings, people)
    frames = [_rows(units, len(listed), k, usable, scored, everybody, missing) for units in levels]
    table = pd.concat(frames, ignore_index=True)
    weakest = [_weakest(units, with_data, judged, people) for units in levels]
    return table.assign(
        weakest_rule=np.concatenate(weakest) if weakest else [],
        confidence=max((r.mark for r in with_data), key=_MARKS.index, default=""),
    )


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


def _rows(
    units: Units,
    n_listed: int,
    k: npt.NDArray[np.int64],
    usable: npt.NDArray[np.int64],
    scored: npt.NDArray[np.bool_],
    everybody: npt.NDArray[np.int64],
    missing: Floats,
) -> pd.DataFrame:
    people = units.total(everybody)
    counted = units.total(np.where(scored, everybody, 0))
    enough = (people >= MIN_PEOPLE) & (counted > 0)

    def mean(values: npt.NDArray[Any]) -> Floats:
        total = units.total(np.where(scored, values * everybody, 0))
        return np.divide(total, counted, out=np.full(len(people), np.nan), where=enough)

    def share(mask: npt.NDArray[np.bool_]) -> Floats:
        known = units.total(np.where(np.isnan(missing), 0, everybody))
        total = units.total(np.where(mask, everybody, 0))
        return np.divide(total, known, out=np.full(len(people), np.nan), where=known > 0)

    k_mean = mean(k)
    n = max(n_listed, 1)
    return pd.DataFrame(
        {
            "level": units.level,
            "unit_id": units.ids,
            "unit_name": units.names,
            "unit_type": units.types,
            "people": people,
            "unit_complete": units.complete,
            "k_mean": k_mean,
            "n_scored": _most(units, usable),
            "n_listed": n_listed,
            "score": 100 * k_mean / n,
            "score_low": 100 * k_mean / n,
            "score_high": 100 * (k_mean + (n_listed - mean(usable))) / n,
            "complete_share": share(missing == 0),
            "missing_one_share": share(missing == 1),
        }
    )


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
        reached = units.total(np.where(judged[rule.id].walk, count, 0))
        share = np.divide(reached, total, out=np.full(len(total), np.inf), where=total > 0)
        better = share < lowest
        lowest[better], name[better] = share[better], rule.id
    return name
