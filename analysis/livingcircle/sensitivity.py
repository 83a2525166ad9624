"""Doubt: how far shares and ranks move when the choices behind them are made otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from livingcircle.columns import RANK_STABILITY, SENSITIVITY
from livingcircle.measured import Measured
from livingcircle.scores import scores_table
from livingcircle.variants import variants_of

AS_SCANNED = "as scanned"
_SHARE_KEY = ["level", "unit_id", "rule", "walker"]
_UNIT_KEY = ["level", "unit_id"]
_CLASS = ["level", "unit_type", "n_scored", "n_listed"]  # only units of the same list and type are ranked

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Doubt:
    """What a sensitivity run found out.

    Attributes
    ----------
    shares
        A range beside each share (see `livingcircle.columns.SENSITIVITY`).
    ranks
        How stable the rank of each unit is (see `livingcircle.columns.RANK_STABILITY`).
    tried
        What was changed, one at a time.
    """

    shares: pd.DataFrame
    ranks: pd.DataFrame
    tried: tuple[str, ...]


def doubt_of(
    measured: Measured, coverage: pd.DataFrame, scores: pd.DataFrame, *, counted: Callable[[Measured], pd.DataFrame]
) -> Doubt:
    """Judge a measured city again with other choices, one changed at a time.

    Parameters
    ----------
    measured
        What was measured; its study says what is tried (`livingcircle.study_parts.SensitivityInput`).
    coverage, scores
        Its own tables.
    counted
        Makes the table of coverage of what was measured (`livingcircle.scan.coverage_of`).
    """
    shares, points = {}, {}
    for name, variant in variants_of(measured):
        shares[name] = counted(variant).set_index(_SHARE_KEY)["share"]
        told = scores_table(
            variant.rules, variant.first, variant.standings, variant.people, variant.levels, catalogue=variant.catalogue
        )
        points[name] = told.set_index(_UNIT_KEY)["score"]
    scoring = coverage[coverage["gates"] == measured.first_gates]
    return Doubt(shares_table(scoring, pd.DataFrame(shares)), ranks_table(scores, pd.DataFrame(points)), tuple(shares))


def shares_table(coverage: pd.DataFrame, variants: pd.DataFrame) -> pd.DataFrame:
    """Return a range beside each known share.

    Parameters
    ----------
    coverage
        Rows of the treatment of gates that scores.
    variants
        Index ``level, unit_id, rule, walker``; the share in each variant, a column each; NaN where it is unknown.
    """
    known = coverage[coverage["share"].notna()]
    keys = pd.MultiIndex.from_frame(known[_SHARE_KEY])
    share = known["share"].to_numpy(dtype=float)
    all_ = np.column_stack([share, *variants.reindex(keys).to_numpy(dtype=float).T])
    names = np.array([AS_SCANNED, *variants.columns], dtype=object)
    low, high = _first_least(all_), _first_least(-all_)
    rows = np.arange(len(all_))
    table = known.assign(share_low=all_[rows, low], share_high=all_[rows, high], low_by=names[low], high_by=names[high])
    return table[list(SENSITIVITY.names)].reset_index(drop=True)


def ranks_table(scores: pd.DataFrame, variants: pd.DataFrame) -> pd.DataFrame:
    """Return the range of score and rank of each unit that has a score.

    Ranks are those among units of one level, type and list; units that are not complete are not ranked.

    Parameters
    ----------
    scores
        As scanned (see `livingcircle.columns.SCORES`).
    variants
        Index ``level, unit_id``; the score in each variant, a column each; NaN where there is none.
    """
    known = scores[scores["score"].notna()].reset_index(drop=True)
    others = variants.reindex(pd.MultiIndex.from_frame(known[_UNIT_KEY])).reset_index(drop=True)
    points = pd.concat([known["score"].rename(AS_SCANNED), others], axis=1).astype(float).round(6)
    ranked = known["unit_complete"].to_numpy(dtype=bool)
    classes = [known[name][ranked] for name in _CLASS]
    alike = points[ranked].groupby(classes)
    ranks = alike.rank(ascending=False, method="min").reindex(known.index)
    same = ranks.drop(columns=AS_SCANNED).eq(ranks[AS_SCANNED], axis=0).sum(axis=1)
    tried = ranks.drop(columns=AS_SCANNED).notna().sum(axis=1)
    table = known.assign(
        score_low_variant=points.min(axis=1),
        score_high_variant=points.max(axis=1),
        rank=ranks[AS_SCANNED],
        ranked_units=alike[AS_SCANNED].transform("size").reindex(known.index),
        rank_low=ranks.min(axis=1),
        rank_high=ranks.max(axis=1),
        rank_share_stable=(same / tried).where(tried > 0),
    )
    return table[list(RANK_STABILITY.names)]


def _first_least(values: Floats) -> npt.NDArray[np.int64]:
    """Return the column of each row's smallest known number, the first of equals."""
    found: npt.NDArray[np.int64] = np.argmin(np.where(np.isnan(values), np.inf, np.round(values, 9)), axis=1)
    return found
