"""How far people walk to the nearest place of every rule, as numbers of people by steps of distance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from livingcircle.columns import DISTANCES
from livingcircle.coverage import Judged, People, Units
from livingcircle.gaps import KNOWN

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
    known = coverage[
        coverage["level"].isin(LEVELS) & coverage["status"].isin(KNOWN) & (coverage["denominator"] == "people")
    ]
    key = ["level", "unit_id", "rule", "walker", "gates"]
    found = [_counted(verdict, people, units) for verdict in judged for units in levels if units.level in LEVELS]
    empty = pd.DataFrame(columns=[*key, "to_m", "people"]).astype({"to_m": "float64", "people": "int64"})
    table = pd.concat([part for part in found if len(part)] or [empty], ignore_index=True)
    rows = known[[*key, "group"]].assign(_row=np.arange(len(known)))
    table = rows.merge(table, on=key, how="inner").sort_values(["_row", "to_m"], kind="stable")
    return table[list(DISTANCES.names)].reset_index(drop=True)


def _counted(verdict: Judged, people: People, units: Units) -> pd.DataFrame:
    """Return the people of each unit by steps, for one rule and walker."""
    count = np.where(people.applies(verdict.rule), people.of(verdict.rule).count, 0)
    here = (units.code >= 0) & (count > 0)
    walk, code = verdict.walk_m[here], units.code[here]
    # A walk of exactly 300 m ends the third step: limits are inclusive. Who lives at the door is in the first.
    step = np.maximum(np.ceil(np.round(walk, 2) / STEP_M), 1) * STEP_M
    summed = (
        pd.DataFrame({"code": code, "to_m": step, "people": count[here]})
        .groupby(["code", "to_m"], dropna=False)["people"]
        .sum()
        .reset_index()
    )
    ids = np.array(units.ids, dtype=object)
    return summed.assign(
        level=units.level,
        unit_id=ids[summed["code"].to_numpy(dtype=np.int64)],
        rule=verdict.rule.id,
        walker=verdict.walker,
        gates=verdict.gates,
        people=summed["people"].astype("int64"),
    )
