"""Rows of text from columns of values, for files of millions of cells.

Each value that differs is made into text once, and Arrow puts the texts together row by row, without the interpreter's
lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Coded:
    """A column by its values that differ: `codes` are positions among them, -1 where nothing is known."""

    codes: Codes
    values: Sequence[Any]

    @classmethod
    def of(cls, column: pd.Series) -> Coded:
        """Code texts, numbers or truth values."""
        if column.dtype == "float64":
            numbers = column.to_numpy()
            known = ~np.isnan(numbers)
            codes, bits = pd.factorize(numbers[known].view(np.int64))  # by their bits: -0.0 is not 0.0
            return cls(_spread(codes, known), bits.view(np.float64).tolist())
        if column.dtype == "object" and pd.api.types.infer_dtype(column, skipna=True) != "string":
            # 1, 1.0 and True are equal, and are not the same text
            known = column.notna().to_numpy()
            return cls(_spread(np.arange(known.sum()), known), column[known].tolist())
        codes, found = pd.factorize(column)
        return cls(codes.astype(np.int64), found.tolist())

    def texts(self, text_of: Callable[[Any], str | None]) -> Texts:
        """Return the column as text; a text of None leaves its cells empty."""
        return Texts(self.codes, pa.array(map(text_of, self.values), type=pa.large_string()))


def _spread(codes: Codes, known: npt.NDArray[np.bool_]) -> Codes:
    every = np.full(len(known), -1)
    every[known] = codes
    return every


@dataclass(frozen=True)
class Texts:
    """A column of text: which of the texts stands in each row, -1 for none."""

    codes: Codes
    texts: pa.Array

    def part(self, rows: slice) -> pa.Array:
        """Return the texts of some rows; null for none."""
        codes = self.codes[rows]
        return pc.take(self.texts, pa.array(codes, mask=codes < 0))


def joined(parts: Sequence[pa.Array | str], separator: str = "", *, whole: bool = False) -> pa.Array:
    """Put texts together, row by row.

    Parameters
    ----------
    parts
        Columns, and texts that stand in every row.
    whole
        A row of which one part is null is null; otherwise nulls are left out, or empty between separators.
    """
    arrays = [pa.scalar(part, pa.large_string()) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(
        *arrays, pa.scalar(separator, pa.large_string()), null_handling="emit_null" if whole else "replace"
    )


def as_bytes(rows: pa.Array) -> memoryview:
    """Return all rows as UTF-8, one after the other; they are not copied."""
    if not len(rows):
        return memoryview(b"")
    _, starts, data = rows.buffers()
    first, *_, last = np.frombuffer(starts, dtype=np.int64)[rows.offset : rows.offset + len(rows) + 1]
    return memoryview(data)[first:last]
