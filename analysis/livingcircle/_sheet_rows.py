"""The rows of a sheet as Excel's XML, and the file that takes them.

The rows are streamed as text, because a city has millions of cells and one object per cell takes minutes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from openpyxl.utils import get_column_letter

from livingcircle._table import FORMULA_STARTS
from livingcircle._text_rows import Coded, Texts, as_bytes, joined

FIXED_TIME = datetime(2000, 1, 1)
LONGEST_TEXT = 32_767  # characters in one Excel cell
ROWS_AT_A_TIME = 5_000
LINE_HEIGHT = 15.0  # points, for letters of 10
HIGHEST_ROW = 409.0  # points, as Excel allows
COMPRESSION = 3  # of 9: half the time of 6, and a file that is a tenth larger
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class RowColumn:
    """One column of the rows: its values, the numbers of its styles, and how many lines a text of it takes."""

    values: pd.Series
    kind: str
    plain: int
    quoted: int  # style of a text that looks like a formula
    lines_of: Callable[[str], int] | None = None  # of texts

    def cell(self, value: Any) -> str | None:
        """Return the XML of a cell after its address; None for an empty one."""
        if self.lines_of:
            text = str(value)
            return _text_cell(text, self.quoted if text.startswith(FORMULA_STARTS) else self.plain)
        if isinstance(value, str):
            return _text_cell(value, self.plain)  # a count that is only said to be <10
        number = round(value) if self.kind == "int" else float(value)
        return f'" s="{self.plain}"><v>{number!r}</v></c>'


@dataclass(frozen=True)
class Rows:
    """The rows of one sheet below its heading."""

    columns: Sequence[RowColumn]
    number: int

    @property
    def extent(self) -> str:
        """Return the cells of heading and rows: A1:C4."""
        return f"A1:{get_column_letter(len(self.columns))}{self.number + 1}"

    def write(self, stream: IO[bytes]) -> None:
        """Write all rows as XML."""
        addresses = [f'<c r="{get_column_letter(number)}' for number in range(1, len(self.columns) + 1)]
        coded = [Coded.of(column.values) for column in self.columns]
        columns = [each.texts(column.cell) for each, column in zip(coded, self.columns, strict=True)]
        tall = self._tall(coded)
        for start in range(0, self.number, ROWS_AT_A_TIME):
            rows = slice(start, min(start + ROWS_AT_A_TIME, self.number))
            at = pc.cast(pa.array(np.arange(rows.start, rows.stop) + 2), pa.large_string())
            cells = [
                joined([address, at, column.part(rows)], whole=True)
                for address, column in zip(addresses, columns, strict=True)
            ]
            stream.write(as_bytes(joined(['<row r="', at, '"', tall.part(rows), ">", *cells, "</row>"])))

    def _tall(self, coded: Sequence[Coded]) -> Texts:
        """Return the height of each row that takes more than one line."""
        needed = np.ones(self.number, dtype=np.int64)
        for column, values in zip(self.columns, coded, strict=True):
            if column.lines_of:
                lines = np.array([*(column.lines_of(str(text)) for text in values.values), 1])
                needed = np.maximum(needed, lines[values.codes])
        return Coded.of(pd.Series(needed)).texts(
            lambda lines: None if lines == 1 else f' ht="{row_height(lines)}" customHeight="1"'
        )


def xml_text(text: str) -> str:
    r"""Return a text with a space for each sign that no XML file may hold, and so no file of an office program.

    Examples
    --------
    >>> xml_text("春熙路\x0b社区")
    '春熙路 社区'
    """
    return _NOT_IN_XML.sub(" ", text)


def row_height(lines: int) -> float:
    """Return the height of a row with so many lines, in points."""
    return min(lines * LINE_HEIGHT, HIGHEST_ROW)


def _text_cell(text: str, style: int) -> str | None:
    if not text:
        return None
    clean = escape(xml_text(text)[:LONGEST_TEXT])
    return f'" s="{style}" t="inlineStr"><is><t xml:space="preserve">{clean}</t></is></c>'


class Archive(ZipFile):
    """A zip file whose members carry no time of writing, and whose sheets receive their rows."""

    def __init__(self, path: Path, rows: dict[str, Rows]) -> None:
        super().__init__(path, "w", ZIP_DEFLATED, allowZip64=True, compresslevel=COMPRESSION)
        self._rows = rows

    def open(self, name: Any, mode: Any = "r", *args: Any, **options: Any) -> Any:
        """Open a member; one that is written carries the fixed time."""
        if isinstance(name, ZipInfo) and mode == "w":
            name.date_time = FIXED_TIME.timetuple()[:6]
        return super().open(name, mode, *args, **options)

    def write(self, filename: Any, arcname: Any = None, *args: Any, **options: Any) -> None:
        """Take a file into the archive; a sheet with its rows."""
        rows = self._rows.get(str(arcname).lstrip("/"))
        if rows is None:
            super().write(filename, arcname, *args, **options)
            return
        layout = Path(filename).read_text(encoding="utf-8")
        layout = re.sub(r'<dimension ref="[^"]*"', f'<dimension ref="{rows.extent}"', layout, count=1)
        before, after = layout.split("</sheetData>")
        # Excel marks every id made of digits as a doubtful text unless it is told that this is meant.
        meant = f'<ignoredErrors><ignoredError sqref="{rows.extent}" numberStoredAsText="1"/></ignoredErrors>'
        member = ZipInfo(str(arcname).lstrip("/"))
        member.compress_type = ZIP_DEFLATED
        member._compresslevel = COMPRESSION  # type: ignore[attr-defined]
        with self.open(member, "w", force_zip64=True) as stream:
            stream.write(before.encode())
            rows.write(stream)
            stream.write(b"</sheetData>" + after.replace("</worksheet>", meant + "</worksheet>").encode())
