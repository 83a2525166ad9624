"""Ranks of communities: only those of the same type and the same list are compared."""

from __future__ import annotations

import pandas as pd


def ranked_apart(communities: pd.DataFrame) -> pd.DataFrame:
    """Return for every community with whom it is compared, and its rank among them.

    Parameters
    ----------
    communities
        ``unit_type, n_scored, n_listed, score, people``, a row each.

    Returns
    -------
    pandas.DataFrame
        Same index: ``class`` in words; ``class_order``, 0 for the class in which most people live, so that no list
        begins with a few communities of factories; and ``rank``, 1 for the highest score and the same for equal ones;
        NaN without a score.
    """
    kind = communities["unit_type"].fillna("").replace("", "—")
    listed = communities["n_scored"].astype("str") + " / " + communities["n_listed"].astype("str")
    alike = kind + " · " + listed
    rank = communities["score"].groupby(alike).rank(ascending=False, method="min")
    people = communities["people"].fillna(0).where(communities["score"].notna(), 0).groupby(alike).sum()
    in_order = people.rename_axis("class").reset_index().sort_values(["people", "class"], ascending=[False, True])
    order = pd.Series(range(len(in_order)), index=in_order["class"])
    return pd.DataFrame({"class": alike, "class_order": alike.map(order), "rank": rank}, index=communities.index)
