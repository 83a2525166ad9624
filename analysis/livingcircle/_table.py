"""What a table is made of, and how a frame is brought into the form of its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import pandas as pd
from pandas.api import types

from livingcircle_layers.errors import InputError

Dtype = Literal["id", "text", "int", "float", "bool", "geometry"]
FrameT = TypeVar("FrameT", bound=pd.DataFrame)

# Decimals kept in files. Distances are compared at 0.01 m, so more would be noise; shares keep enough
# digits that people can be recovered from them in a city of a million.
DECIMALS = {"m": 2, "min": 2, "m²": 2, "points": 4, "degrees": 7}
DEFAULT_DECIMALS = 6

SMALL_COUNT = "<10"  # what files of a result that was made for publication print for 1 to 9 people

# A spreadsheet takes text that begins like this for a formula and runs it (the full-width forms too).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Column:
    """One column: `id` and `text` are both strings, but an id is a key and is never altered in any file.

    A name that ends in `*` stands for all columns that begin with it.
    """

    name: str
    dtype: Dtype
    unit: str
    meaning_en: str
    meaning_zh: str
    null: str = ""

    @property
    def counts_people(self) -> bool:
        """Whether it counts people, so that small numbers are not published; or what its row's denominator names."""
        return self.dtype == "int" and self.unit in ("people", "denominator")


@dataclass(frozen=True)
class Table:
    """One output table: the file it is written to, its titles and its columns in order."""

    name: str
    file: str
    title_en: str
    title_zh: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the column names in order."""
        return tuple(column.name for column in self.columns)


def conform(frame: FrameT, table: Table) -> FrameT:
    """Bring a table into its published form: the named columns, in order, each of its type.

    Columns that the table does not name are left out; the index is dropped (its named levels count as
    columns). Whole numbers stored as floats become integers, with `<NA>` for missing.

    Raises
    ------
    InputError
        All missing columns and wrong types at once.
    """
    index_names = [name for name in frame.index.names if name is not None and name not in frame.columns]
    flat = frame.reset_index(level=index_names).reset_index(drop=True)
    chosen: dict[str, pd.Series] = {}
    faults: list[str] = []
    for column in table.columns:
        names = _expand(column.name, [str(name) for name in flat.columns])
        if not names and not column.name.endswith("*"):
            faults.append(f"column {column.name} is missing")
        for name in names:
            try:
                chosen[name] = _typed(flat[name], column.dtype)
            except (TypeError, ValueError):
                faults.append(f"column {name} is {flat[name].dtype}, expected {column.dtype}")
    if faults:
        raise InputError.of([f"table {table.name}: {fault}" for fault in faults])
    picked = flat[list(chosen)]
    return picked.assign(**{name: column for name, column in chosen.items() if name != "geometry"})


def published(frame: FrameT, table: Table) -> FrameT:
    """Return the table as files hold it: `conform`, with floats rounded to the decimals of their unit."""
    ready = conform(frame, table)
    names = [str(name) for name in ready.select_dtypes("float")]
    floats = {name: rounded(ready[name], column_of(table, name).unit) for name in names}
    return ready.assign(**floats)


def column_of(table: Table, name: str) -> Column:
    """Return the description of a column, also of one that a `*` name stands for."""
    for column in table.columns:
        if _expand(column.name, [name]):
            return column
    raise KeyError(name)


def rounded(values: pd.Series, unit: str) -> pd.Series:
    """Round floats to the decimals that files keep for the unit; minus zero becomes zero."""
    return values.round(DECIMALS.get(unit, DEFAULT_DECIMALS)) + 0.0


def looks_like_formula(texts: pd.Series) -> pd.Series:
    """Say which texts a spreadsheet would take for a formula."""
    return texts.str.startswith(FORMULA_STARTS).fillna(False).astype(bool)


def _expand(pattern: str, present: Sequence[str]) -> list[str]:
    if pattern.endswith("*"):
        return [name for name in present if name.startswith(pattern[:-1])]
    return [pattern] if pattern in present else []


def _typed(values: pd.Series, dtype: Dtype) -> pd.Series:
    """Cast a column to its type; TypeError or ValueError if its values are of another one."""
    if dtype == "geometry":
        if str(values.dtype) != "geometry":
            raise TypeError(dtype)
        return values
    if values.isna().all():
        return pd.Series([None] * len(values), index=values.index, dtype=_PANDAS[dtype])
    if dtype in ("id", "text"):
        if values.dtype != "str" and not all(isinstance(value, str) for value in values.dropna().unique()):
            raise TypeError(dtype)
        return values.astype("str")
    if dtype == "bool":
        return values.astype("boolean")
    values = values.infer_objects()
    if types.is_bool_dtype(values.dtype) or not types.is_numeric_dtype(values.dtype):
        raise TypeError(dtype)
    if dtype == "int":
        whole = values.astype("Int64")
        return whole if whole.hasnans else whole.astype("int64")
    floats = values.astype("float64")
    if np.isinf(floats).any():
        raise ValueError(dtype)
    return floats


_PANDAS = {"id": "str", "text": "str", "int": "Int64", "float": "float64", "bool": "boolean"}
