"""Tables as CSV that Excel opens: UTF-8 with BOM, lines that end in LF, the same bytes for the same table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from livingcircle._text_rows import Coded, as_bytes, joined
from livingcircle.columns import SMALL_COUNT, Table, looks_like_formula, published

ROWS_AT_A_TIME = 20_000
BOM = "\ufeff"


def write_csv(frame: pd.DataFrame, table: Table, path: Path, small: Mapping[str, pd.DataFrame] | None = None) -> None:
    """Write a table in its published form.

    Texts that a spreadsheet would run as a formula are marked; ids never are.

    Parameters
    ----------
    frame
        Has the columns of the table.
    table
        Which one it is.
    path
        File to write.
    small
        By table: which of its missing numbers are counts of 1 to 9 people, which are written as ``<10``.

    Raises
    ------
    InputError
        Columns are missing or of another type (see `livingcircle.columns.conform`).
    OSError
        The file cannot be written.
    """
    ready = published(frame, table)
    texts = {column.name for column in table.columns if column.dtype == "text"}
    for name in texts & set(ready.columns):
        ready[name] = _safe_text(ready[name])
    few = (small or {}).get(table.name, pd.DataFrame())
    for name in map(str, few.columns):
        ready[name] = ready[name].astype("object").mask(few[name].to_numpy(), SMALL_COUNT)
    columns = [Coded.of(ready[name]).texts(_cell) for name in ready.columns]
    with path.open("wb") as stream:
        stream.write((BOM + _line(ready.columns)).encode())
        for start in range(0, len(ready), ROWS_AT_A_TIME):
            rows = slice(start, start + ROWS_AT_A_TIME)
            *cells, last = [column.part(rows) for column in columns]
            stream.write(as_bytes(joined([*cells, joined([last, "\n"])], ",")))


def _safe_text(texts: pd.Series) -> pd.Series:
    """Keep each text on one line, and mark those that a spreadsheet would run as a formula."""
    codes, found = pd.factorize(texts)
    known = pd.Series(found, dtype="str")
    safe = known.where(~looks_like_formula(known), "'" + known).str.replace(r"[\x00-\x1f]+", " ", regex=True)
    return safe.reindex(codes).set_axis(texts.index)


def _cell(value: Any) -> str:
    """Return a value as a cell of CSV; floats with as many digits as tell them from every other."""
    if isinstance(value, str):
        return _line([value, ""])[:-2]  # in quotes where it has a comma, a quote or a line break
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
