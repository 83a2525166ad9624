"""Who goes without: the rows of coverage that count people, and how many of these walk to no place in time."""

from __future__ import annotations

import pandas as pd

KNOWN = ("ok", "incomplete")  # statuses of layers that are known well enough to say that somebody goes without


def counts_people(coverage: pd.DataFrame) -> pd.Series:
    """Tell which rows count people, of a layer that is known well enough to say who goes without.

    Parameters
    ----------
    coverage
        With ``denominator, status, covered``. What counts land, households or communities is none of them, nor is a
        count that is not published.
    """
    people = coverage["denominator"].eq("people").fillna(False).astype(bool)
    return people & coverage["status"].isin(KNOWN) & coverage["covered"].notna()


def people_without(coverage: pd.DataFrame) -> pd.Series:
    """Return how many people of each row a rule does not reach on foot; missing where the row counts no people."""
    return (coverage["demand"] - coverage["covered"]).where(counts_people(coverage))
