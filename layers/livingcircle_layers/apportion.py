"""Whole people: sharing a total by largest remainder, so that nobody is lost, split or counted twice."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_SAME = 9  # decimals to which two remainders are the same, so that sums in another order break no tie differently


def largest_remainder(weights: npt.ArrayLike, total: int) -> Ints:
    """Share a whole total in proportion to weights, the rest by largest remainder, ties by position.

    Parameters
    ----------
    weights
        Not negative; at least one above 0 unless the total is 0.
    total
        The whole number to share, not negative.

    Examples
    --------
    >>> largest_remainder([1.0, 1.0, 1.0], 5).tolist()
    [2, 2, 1]
    """
    weight = np.asarray(weights, dtype=float)
    whole = math.fsum(weight)
    if total == 0:
        return np.zeros(len(weight), dtype=np.int64)
    if not whole > 0 or weight.min() < 0 or total < 0:
        raise ValueError("weights must be >= 0 with a sum above 0, and the total >= 0")
    return _fill(weight / whole * total, total, None)


def round_to_whole(values: npt.ArrayLike, caps: npt.ArrayLike | None = None) -> Ints:
    """Round a column to whole numbers whose sum is the rounded sum of the column.

    Parameters
    ----------
    values
        Not negative, for example people of a grid cell, 12.4.
    caps
        Whole numbers that no result may exceed; in sum at least the rounded sum of the values.

    Examples
    --------
    >>> round_to_whole([0.4, 0.4, 0.4]).tolist()
    [1, 0, 0]
    """
    value = np.asarray(values, dtype=float)
    limit = None if caps is None else np.asarray(caps, dtype=np.int64)
    return _fill(value, round(math.fsum(value)), limit)


def _fill(quotas: Floats, total: int, caps: Ints | None) -> Ints:
    """Return whole numbers near the quotas, of sum ``total`` and at most ``caps``."""
    result = np.floor(np.round(quotas, _SAME)).astype(np.int64)
    if caps is not None:
        result = np.minimum(result, caps)
    left = total - int(result.sum())
    while left > 0:  # once; again only where caps are in the way
        free = np.arange(len(result)) if caps is None else np.flatnonzero(result < caps)
        if len(free) == 0:
            raise ValueError("the caps hold less than the total")
        remainder = np.round(quotas[free] - result[free], _SAME)
        chosen = free[np.argsort(-remainder, kind="stable")[:left]]
        result[chosen] += 1
        left -= len(chosen)
    return result


def spread(totals: Ints, owner: Ints, weights: Ints) -> Ints:
    """Share many whole totals at once, each among its own parts by largest remainder, in exact whole numbers.

    A part never gets more than its share rounded up. So a group of people that is shared by the people of the
    parts is nowhere larger than all people there.

    Parameters
    ----------
    totals
        The total of every owner, not negative.
    owner
        For every part the position of its owner in ``totals``, ascending.
    weights
        The whole weight of every part, not negative; an owner with a total needs a part with weight. A total
        times a weight must stay below 2**63.

    Returns
    -------
    The whole number of every part; ties go to the earlier part.

    Examples
    --------
    >>> spread(np.array([5, 1]), np.array([0, 0, 1]), np.array([1, 2, 7])).tolist()
    [2, 3, 1]
    """
    weight_sum = np.zeros(len(totals), dtype=np.int64)
    np.add.at(weight_sum, owner, weights)
    if ((totals > 0) & (weight_sum == 0)).any():
        raise ValueError("an owner with a total has no part with weight")
    divisor = np.maximum(weight_sum, 1)[owner]
    share, remainder = np.divmod(totals[owner] * weights, divisor)
    left = totals.astype(np.int64)
    np.subtract.at(left, owner, share)
    order = np.lexsort((-remainder, owner))  # stable: equal remainders keep their order
    first = np.searchsorted(owner, np.arange(len(totals)))
    rank = np.arange(len(owner)) - first[owner[order]]
    share[order] += rank < left[owner[order]]
    return share
