"""Ranks of communities: only those of the same type and the same list are compared."""

from __future__ import annotations

import pandas as pd


def ranked_apart(communities: pd.DataFrame) -> pd.DataFrame:
    """Return for every community with whom it is compared, and its rank among them.

    Parameters
    ----------
    communities
        ``unit_type, n_scored, n_listed, score``, a row each.

    Returns
    -------
    pandas.DataFrame
        Same index: ``class`` in words, and ``rank``, 1 for the highest score and the same for equal ones; NaN without
        a score.
    """
    kind = communities["unit_type"].fillna("").replace("", "—")
    listed = communities["n_scored"].astype("str") + " / " + communities["n_listed"].astype("str")
    alike = kind + " · " + listed
    rank = communities["score"].groupby(alike).rank(ascending=False, method="min")
    return pd.DataFrame({"class": alike, "rank": rank}, index=communities.index)
