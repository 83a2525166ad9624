"""Fairness: how evenly the services within reach are spread over the people of a unit, and over its old people.

The Gini coefficient and the Lorenz curve are those of income studies (Lorenz 1905, Gini 1912), with k in the place of
income: k is the number of listed services that a resident can walk to within the standard. Delbosc and Currie (2011)
use them so for public transport.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from livingcircle.columns import FAIRNESS

WORST_SHARE = 0.1  # of the people: those who reach fewest
KEY = ["level", "unit_id", "group"]

Floats = npt.NDArray[np.float64]


def gini(k: npt.ArrayLike, people: npt.ArrayLike) -> float:
    """Return the Gini coefficient of k over people: 0 all reach as many, towards 1 few reach everything.

    It is half the mean difference of k between two people, over the mean of k. NaN where nobody lives or nobody
    reaches anything.

    Parameters
    ----------
    k
        Services in reach.
    people
        How many people reach just so many.

    Examples
    --------
    Half of the people reach nothing, the other half two services each:

    >>> gini([0, 2], [50, 50])
    0.5
    """
    share_of_people, share_of_k = lorenz(k, people)
    if np.isnan(share_of_k[-1]):
        return float("nan")
    return float(1 - np.sum(np.diff(share_of_people) * (share_of_k[1:] + share_of_k[:-1])))


def lorenz(k: npt.ArrayLike, people: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the Lorenz curve: the share of all services reached that the people with fewest have together.

    Returns
    -------
    Shares of people from 0 to 1, those who reach fewest first; and the share of the sum of k that they have. The latter
    is NaN but for its start where nobody reaches anything.
    """
    number, weight = np.asarray(k, dtype=float), np.asarray(people, dtype=float)
    order = np.argsort(number, kind="stable")
    running_people = np.concatenate([[0.0], np.cumsum(weight[order])])
    running_k = np.concatenate([[0.0], np.cumsum((weight * number)[order])])

    def shares(running: Floats) -> Floats:
        total = running[-1]
        return running / total if total > 0 else np.append(0.0, np.full(len(running) - 1, np.nan))

    return shares(running_people), shares(running_k)


def worst_mean(k: npt.ArrayLike, people: npt.ArrayLike, *, share: float = WORST_SHARE) -> float:
    """Return the mean k of the share of the people who reach fewest; people at its border count in part.

    Examples
    --------
    Ten people, of whom one reaches nothing, and two tenths of whom reach 0 and 4:

    >>> worst_mean([0, 4], [1, 9]), worst_mean([0, 4], [1, 9], share=0.2)
    (0.0, 2.0)
    """
    number, weight = np.asarray(k, dtype=float), np.asarray(people, dtype=float)
    order = np.argsort(number, kind="stable")
    wanted = share * weight.sum()
    if wanted <= 0:
        return float("nan")
    before = np.concatenate([[0.0], np.cumsum(weight[order])[:-1]])
    taken = np.clip(wanted - before, 0.0, weight[order])
    return float((taken * number[order]).sum() / wanted)


def fairness_table(histogram: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    """Return for every unit and group how evenly the services within reach are spread.

    Parameters
    ----------
    histogram
        People by k: ``level, unit_id, group, k, people`` (see `livingcircle.columns.SCORE_HISTOGRAM`).
    names
        ``level, unit_id, unit_name`` of all units.

    Returns
    -------
    pandas.DataFrame
        See `livingcircle.columns.FAIRNESS`; groups without anybody have no row.
    """
    rows = []
    number = histogram.groupby(KEY, sort=False).ngroup().to_numpy()
    ordered = histogram.iloc[np.argsort(number, kind="stable")]
    all_k, all_people = (ordered[column].to_numpy(dtype=float) for column in ("k", "people"))
    ends = np.cumsum(np.bincount(number))
    keys = ordered[KEY].iloc[ends - 1].itertuples(index=False)
    for (level, unit, group), begin, end in zip(keys, [0, *ends], ends, strict=False):
        k, people = all_k[begin:end], all_people[begin:end]
        if people.sum() > 0:
            mean = float((k * people).sum() / people.sum())
            rows.append((level, unit, group, int(people.sum()), mean, gini(k, people), worst_mean(k, people)))
    table = pd.DataFrame(rows, columns=[*KEY, "people", "k_mean", "gini", "worst_tenth_k"])
    everybody = table[table["group"] == "all"].set_index(["level", "unit_id"])["k_mean"].rename("k_all")
    table = table.join(everybody, on=["level", "unit_id"])
    table = table.assign(k_difference=table["k_mean"] - table["k_all"])
    named = table.merge(names[["level", "unit_id", "unit_name"]], on=["level", "unit_id"], how="left")
    return named[list(FAIRNESS.names)]
