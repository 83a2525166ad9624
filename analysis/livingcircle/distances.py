"""How far people walk to the nearest place of every rule, as numbers of people by steps of distance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from livingcircle.columns import DISTANCES
from livingcircle.coverage import Judged, People, Units
from livingcircle.missed import counts_people

STEP_M = 100.0  # metres; the limits of the clauses are whole hundreds, so that they lie on a border of two steps
LEVELS = ("district", "city")  # few units: a curve of some dozens of people would tell of single homes


def distances_table(
    coverage: pd.DataFrame, judged: Iterable[Judged], people: People, levels: Sequence[Units]
) -> pd.DataFrame:
    """Return how many people of every district and of the city walk how far to the nearest place of a rule.

    Parameters
    ----------
    coverage
        Table of coverage; its rows say which rules are known well enough, and count people.
    judged
        The rules' verdicts per home, of every walker and treatment of gates.
    people
        Who is counted, per home.
    levels
        Units of all levels.

    Returns
    -------
    pandas.DataFrame
        See `livingcircle.columns.DISTANCES`; its people are those of the demand, each counted once. Steps in which
        nobody lives have no row.
    """
    known = coverage[coverage["level"].isin(LEVELS) & counts_people(coverage)]
    key = ["level", "unit_id", "rule", "walker", "gates"]
    units_of = [units for units in levels if units.level in LEVELS]
    found = [part for verdict in judged for part in _counted(verdict, people, units_of)]
    empty = pd.DataFrame(columns=[*key, "to_m", "people"]).astype({"to_m": "float64", "people": "int64"})
    table = pd.concat([part for part in found if len(part)] or [empty], ignore_index=True)
    rows = known[[*key, "group"]].assign(_row=np.arange(len(known)))
    table = rows.merge(table, on=key, how="inner").sort_values(["_row", "to_m"], kind="stable")
    return table[list(DISTANCES.names)].reset_index(drop=True)


def _counted(verdict: Judged, people: People, levels: Sequence[Units]) -> Iterator[pd.DataFrame]:
    """Count the people of the units of each level by steps, for one rule and walker."""
    count = np.where(people.applies(verdict.rule), people.of(verdict.rule).count, 0)
    # A walk of exactly 300 m ends the third step: limits are inclusive. Who lives at the door is in the first.
    step = np.maximum(np.ceil(np.round(verdict.walk_m, 2) / STEP_M), 1)
    last = int(np.nanmax(step, initial=0)) + 1  # of those who are not reached
    step = np.where(np.isnan(step), last, step).astype(np.int64)
    for units in levels:
        here = units.code >= 0
        cell = units.code[here] * (last + 1) + step[here]
        summed = np.bincount(cell, weights=count[here])
        some = np.flatnonzero(summed)
        to = some % (last + 1)
        yield pd.DataFrame(
            {
                "to_m": np.where(to == last, np.nan, to * STEP_M),
                "people": summed[some].astype(np.int64),
                "level": units.level,
                "unit_id": np.array(units.ids, dtype=object)[some // (last + 1)],
                "rule": verdict.rule.id,
                "walker": verdict.walker,
                "gates": verdict.gates,
            }
        )
