"""CSV files: the bytes are those that pandas would write, whatever the texts and numbers, and however many rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livingcircle import csv_file
from livingcircle._table import Column, Table
from livingcircle.csv_file import write_csv

KINDS = ("id", "text", "int", "float", "bool")
TABLE = Table("t", "t.csv", "T", "表", tuple(Column(kind, kind, "people", "", "") for kind in KINDS))  # type: ignore[arg-type]
WORDS = st.one_of(
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=6),
    st.sampled_from(["=1+1", "-桂溪", "锦江,北", 'the "old" one', "a\r\nb", "\tx", " ", "", "NaN", "'"]),
)
ROWS = st.lists(
    st.tuples(
        st.none() | WORDS,
        st.none() | WORDS,
        st.none() | st.integers(-(2**53), 2**53),
        st.none() | st.floats(-1e18, 1e18) | st.sampled_from([-0.0, 0.1 + 0.2, 1e16, 1e-5, 5e-324]),
        st.none() | st.booleans(),
    ),
    max_size=9,
)


def table_of(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(KINDS), dtype=object)
    types = {"id": "str", "text": "str", "int": "Int64", "float": "float64", "bool": "boolean"}
    return frame.astype(types)


def as_pandas_writes(frame: pd.DataFrame) -> bytes:
    """Return the bytes that `DataFrame.to_csv` makes of a table in its published form."""
    text = frame["text"]
    starts = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
    marked = text.where(~text.str.startswith(starts).fillna(False).astype(bool), "'" + text)
    ready = frame.assign(
        text=marked.str.replace(r"[\x00-\x1f]+", " ", regex=True),
        float=frame["float"].round(6) + 0.0,
        bool=frame["bool"].map({True: "true", False: "false"}),
    )
    written: str = ready.to_csv(index=False, lineterminator="\n")
    return written.encode("utf-8-sig")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, at_a_time=st.integers(1, 4))
def test_the_bytes_are_those_of_pandas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[tuple[object, ...]], at_a_time: int
) -> None:
    monkeypatch.setattr(csv_file, "ROWS_AT_A_TIME", at_a_time)
    frame = table_of(rows)
    write_csv(frame, TABLE, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == as_pandas_writes(frame)


def test_small_counts_stand_as_words_among_the_numbers(tmp_path: Path) -> None:
    frame = table_of([("a", "A", 12, 0.5, True), ("b", "B", None, 1.0, False), ("c", "C", None, np.nan, None)])
    write_csv(frame, TABLE, tmp_path / "t.csv", {"t": pd.DataFrame({"int": [False, True, False]})})
    assert (tmp_path / "t.csv").read_text(encoding="utf-8-sig").splitlines() == [
        "id,text,int,float,bool",
        "a,A,12,0.5,true",
        "b,B,<10,1.0,false",
        "c,C,,,",
    ]


def test_a_disk_that_is_full_is_an_error_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left on device"):
        write_csv(table_of([("a" * 99, "", 1, 1.0, True)] * 9999), TABLE, Path("/dev/full"))
