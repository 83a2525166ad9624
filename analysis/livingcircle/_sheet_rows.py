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
import numpy.typing as npt
import pandas as pd
from openpyxl.utils import get_column_letter

from livingcircle.columns import looks_like_formula

FIXED_TIME = datetime(2000, 1, 1)
LONGEST_TEXT = 32_767  # characters in one Excel cell
ROWS_AT_A_TIME = 5_000
LINE_HEIGHT = 15.0  # points, for letters of 10
HIGHEST_ROW = 409.0  # points, as Excel allows
COMPRESSION = 3  # of 9: half the time of 6, and a file that is a tenth larger
NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class RowColumn:
    """One column of the rows: its values, the numbers of its styles, and how many lines a text of it takes."""

    values: pd.Series
    kind: str
    plain: int
    quoted: int  # style of a text that looks like a formula
    lines_of: Callable[[str], int] | None = None  # of texts


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
        columns = [_Texts.of(column) if column.lines_of else _Numbers(column) for column in self.columns]
        for start in range(0, self.number, ROWS_AT_A_TIME):
            part = slice(start, min(start + ROWS_AT_A_TIME, self.number))
            heights = np.max([column.lines(part) for column in columns], axis=0).tolist()
            cells = zip(*(column.cells(part) for column in columns), strict=True)
            rows = []
            for row, (height, line) in enumerate(zip(heights, cells, strict=True), start=start + 2):
                at = str(row)
                text = "".join([address + at + cell for address, cell in zip(addresses, line, strict=True) if cell])
                tall = "" if height == 1 else f' ht="{row_height(height)}" customHeight="1"'
                rows.append(f'<row r="{at}"{tall}>{text}</row>')
            stream.write("".join(rows).encode())


def row_height(lines: int) -> float:
    """Return the height of a row with so many lines, in points."""
    return min(lines * LINE_HEIGHT, HIGHEST_ROW)


@dataclass(frozen=True)
class _Texts:
    """The cells of a column of texts: each text is made into XML once, however often it stands there."""

    codes: npt.NDArray[np.intp]  # -1 is empty: the last of the arrays below
    xml: npt.NDArray[np.object_]
    needed: npt.NDArray[np.int64]

    @classmethod
    def of(cls, column: RowColumn) -> _Texts:
        assert column.lines_of is not None
        codes, known = pd.factorize(column.values.astype("str").to_numpy(dtype=object))
        styles = looks_like_formula(pd.Series(known, dtype="str")).map({True: column.quoted, False: column.plain})
        xml = [*(_text_cell(text, style) for text, style in zip(known, styles, strict=True)), ""]
        needed = [*(column.lines_of(text) for text in known), 1]
        return cls(codes, np.array(xml, dtype=object), np.array(needed, dtype=np.int64))

    def cells(self, part: slice) -> list[str]:
        """Return each cell's XML after its address; an empty cell is the empty string."""
        return self.xml[self.codes[part]].tolist()

    def lines(self, part: slice) -> npt.NDArray[np.int64]:
        """Return how many lines each cell takes."""
        return self.needed[self.codes[part]]


@dataclass(frozen=True)
class _Numbers:
    """The cells of a column of numbers, as `_Texts`; each takes one line."""

    column: RowColumn

    def cells(self, part: slice) -> list[str]:
        given = self.column.values.iloc[part]
        words = [value if isinstance(value, str) else "" for value in given] if given.dtype == "object" else []
        numbers = (pd.to_numeric(given, errors="coerce") if words else given).astype("float64").to_numpy()
        known = ~np.isnan(numbers)
        found = np.rint(numbers[known]).astype(np.int64) if self.column.kind == "int" else numbers[known]
        before, after = f'" s="{self.column.plain}"><v>', "</v></c>"
        cells = np.full(len(numbers), "", dtype=object)
        cells[known] = [before + repr(number) + after for number in found.tolist()]
        for place, word in enumerate(words):
            cells[place] = _text_cell(word, self.column.plain) or cells[place]  # a count that is only said to be <10
        return cells.tolist()

    def lines(self, part: slice) -> npt.NDArray[np.int64]:
        return np.ones(part.stop - part.start, dtype=np.int64)


def _text_cell(text: str, style: int) -> str:
    if not text:
        return ""
    clean = escape(NOT_IN_XML.sub(" ", text)[:LONGEST_TEXT])
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
