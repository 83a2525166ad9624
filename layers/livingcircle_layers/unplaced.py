"""Rows that cannot be used: one table of them, whatever input they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

UNPLACED_COLUMNS = ("source", "row", "name", "unit_id", "people", "reason", "detail")


def unplaced_rows(rows: Iterable[Mapping[Any, Any]]) -> pd.DataFrame:
    """Return rows of `unplaced.csv`; what a row does not say stays empty."""
    empty = {"source": "", "row": "", "name": "", "unit_id": "", "people": np.nan, "reason": "", "detail": ""}
    frame = pd.DataFrame([{**empty, **row} for row in rows], columns=list(UNPLACED_COLUMNS))
    text = [c for c in UNPLACED_COLUMNS if c != "people"]
    return frame.astype({**dict.fromkeys(text, "str"), "people": "float64"})
