"""False coverage (假覆盖): people inside a rule's straight-line radius who cannot walk there within it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from livingcircle.columns import FALSE_COVERAGE
from livingcircle.missed import counts_people


def false_coverage_table(coverage: pd.DataFrame) -> pd.DataFrame:
    """Return radius and walk side by side for every unit and rule, by level with the most people first.

    Rows without a radius (clauses in minutes) or without data are left out; so are those where nobody differs.

    Parameters
    ----------
    coverage
        Table of coverage.
    """
    table = coverage[counts_people(coverage) & coverage["radius_covered"].notna()]
    people = (table["radius_covered"] - table["covered"]).to_numpy(dtype=float)
    demand = table["demand"].to_numpy(dtype=float)
    share = np.divide(people, demand, out=np.full(len(table), np.nan), where=demand > 0)
    table = table.assign(false_covered=people, false_share=share, _row=np.arange(len(table)))
    table = table[table["false_covered"] > 0]
    levels = {level: i for i, level in enumerate(coverage["level"].drop_duplicates())}
    keys = [table["_row"], -table["false_covered"], table["level"].map(levels)]
    ordered = table.iloc[np.lexsort([key.to_numpy() for key in keys])]
    ranks = ordered.groupby(["level", "walker", "gates"], sort=False)["false_covered"].rank(
        method="min", ascending=False
    )
    return ordered.assign(rank=ranks)[list(FALSE_COVERAGE.names)].reset_index(drop=True)
