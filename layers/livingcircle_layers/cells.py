"""Cells of a table as people type them: numbers with separators, full-width digits, words for nothing."""

from __future__ import annotations

import datetime
import re
import unicodedata

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from livingcircle_layers.errors import InputError, sentence
from livingcircle_layers.headings import unit_of

BLANK = frozenset({"", "-", "--", "—", "——", "/", "\\", "na", "n/a", "nan", "null", "none", "无", "#n/a"})
"""What people type into a cell to say that there is no value (compared in lower case)."""

_PLAIN = r"^-?[0-9]{1,15}(\.[0-9]{1,20})?$"  # as programs write numbers: a column of a million is read at once
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_OF_AREAS = ("m², 公顷, 亩, 万平方米 or km²", "turn the numbers into m², and name the column so: 面积(㎡)")
_OF_COUNTS = (
    "numbers of them, no share and none per 1,000 people or per hectare",
    "turn the numbers into whole people, beds or places, under a heading that says so: 人口(人), 床位(张)",
)
_DECIMALS = 6  # of amounts in other units, which would end in 0000000001
_SHOWN = 5  # faults of a kind that an error lists by row; the rest is counted


def parse_numbers(
    table: pd.DataFrame,
    column: str,
    *,
    what: str,
    minimum: float | None = None,
    maximum: float | None = None,
) -> tuple[pd.Series[float], list[str]]:
    """Read a column of numbers and say which rows do not hold one.

    Thousands separators and full-width digits are read; blank cells are NaN; text and infinity are faults.

    Parameters
    ----------
    table, column
        A table of text, and the heading of the column.
    what
        What the numbers are, as the error names them.
    minimum, maximum
        Limits, inclusive.

    Returns
    -------
    The numbers, NaN where the cell is blank or at fault, and a sentence for every kind of fault, with the
    first rows of each and their count.
    """
    text = table[column].astype("str").str.strip()
    values, blank = as_numbers(text)
    finite = pd.Series(np.isfinite(values), index=text.index)
    faults = []
    if (unreadable := ~blank & ~finite).any():
        remedy = "; remedy: write a number alone (200, not 约200 or 200人), or leave the cell empty: not known"
        faults.append(_fault(what, column, text[unreadable], "not a number") + remedy)
    values = values.where(finite)
    if minimum is not None and (low := values < minimum).any():
        faults.append(_fault(what, column, text[low], f"below {minimum:g}"))
        values = values.mask(low)
    if maximum is not None and (high := values > maximum).any():
        faults.append(_fault(what, column, text[high], f"above {maximum:g}"))
        values = values.mask(high)
    return values, faults


def parse_amounts(
    table: pd.DataFrame, role: str, column: str, *, what: str, maximum: float | None = None
) -> tuple[pd.Series[float], list[str]]:
    """Read a column of areas or counts, none below 0, in the unit that its heading names: as m², people, beds."""
    unit = unit_of(role, column)
    if unit is None:
        expected, remedy = _OF_AREAS if role.endswith("_m2") else _OF_COUNTS
        fault = sentence(f"{what}: cannot be read", got=f"the heading {column!r}", expected=expected, remedy=remedy)
        return pd.Series(np.nan, table.index), [fault]
    most = None if maximum is None else maximum / unit
    values, faults = parse_numbers(table, column, what=what, minimum=0, maximum=most)
    return values if unit == 1.0 else (values * unit).round(_DECIMALS), faults


def numbers(
    table: pd.DataFrame,
    column: str,
    *,
    what: str,
    minimum: float | None = None,
    maximum: float | None = None,
) -> pd.Series[float]:
    """Read a column of numbers as `parse_numbers` does, and refuse it when any cell is at fault."""
    values, faults = parse_numbers(table, column, what=what, minimum=minimum, maximum=maximum)
    if faults:
        raise InputError.of(faults)
    return values


def as_numbers(text: pd.Series[str]) -> tuple[pd.Series[float], pd.Series[bool]]:
    """Return numbers (NaN: none) and whether the cell says that there is none."""
    cells = pa.chunked_array(pa.array(text, pa.large_string()))
    plain = np.asarray(pc.match_substring_regex(cells, _PLAIN), dtype=bool)
    values = np.full(len(text), np.nan)
    # Adding nought takes the sign from "-0".
    values[plain] = np.asarray(pc.cast(cells.filter(pa.array(plain)), pa.float64())) + 0.0
    blank = np.zeros(len(text), dtype=bool)
    other = text[~plain]
    if len(other):
        blank[~plain] = other.str.lower().isin(BLANK)
        typed = ~plain & ~blank
        values[typed] = [_number(cell) for cell in text[typed]]
    return pd.Series(values, text.index), pd.Series(blank, text.index, dtype="bool")


def _number(cell: str) -> float:
    """Return the number that somebody typed, NaN where it is none."""
    plain = unicodedata.normalize("NFKC", cell).strip()
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    return float(plain) if _NUMBER.fullmatch(plain) else np.nan


def _fault(what: str, column: str, cells: pd.Series[str], fault: str) -> str:
    shown = ", ".join(f"{row}: {cell[:20]!r}" for row, cell in cells.iloc[:_SHOWN].items())
    more = f" and {len(cells) - _SHOWN} more" if len(cells) > _SHOWN else ""
    rows = "row" if len(cells) == 1 else f"{len(cells)} rows"
    return f"{what} (column {column!r}): {fault} in {rows} ({shown}{more})"


def as_text(cell: object) -> str:
    """Return a value as a planner would type it: nothing is ``""``, and whole numbers carry no ``.0``."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime.datetime | datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell).strip()
