"""Excel workbooks: the cells of one sheet as text."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd

from livingcircle_layers.archives import GIB, archive_of
from livingcircle_layers.cells import as_text
from livingcircle_layers.errors import InputError
from livingcircle_layers.parsing import parsed

_WORKBOOK_LIMIT = GIB // 2  # bytes unpacked; a full sheet of a million rows and twenty columns has less
_WORKBOOK, _SAVE_AGAIN = "an Excel workbook (.xlsx)", "save it again from Excel"
_LAST_ROW = 2**20  # of a sheet of Excel


def read_workbook(file: Path, sheet: str | None) -> tuple[list[str], pd.DataFrame, str]:
    """Return headings, cells, and which of several sheets they are of.

    Parameters
    ----------
    file
        An Excel workbook.
    sheet
        The sheet that is read; None: the first that is not empty.

    Raises
    ------
    InputError
        It is locked, damaged, empty, too large when unpacked, or has no such sheet.
    """
    _refuse_locked(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # styles and drop-down lists, which no value depends on
        whole = parsed(file, expected=_WORKBOOK, remedy=_SAVE_AGAIN)
        with file.open("rb") as stream:  # which openpyxl would leave open where a workbook is damaged
            with archive_of(file, limit=_WORKBOOK_LIMIT, expected=_WORKBOOK), whole:
                book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            try:
                rows, sheets = _sheet(book, file, sheet)
            finally:
                book.close()
    if not rows:
        raise InputError(f"{file.name} is empty", expected="headings and rows in its first sheet")
    width = max(max((i + 1 for i, cell in enumerate(row) if cell), default=0) for row in rows)
    cells = [(row + [""] * width)[:width] for row in rows]
    return cells[0], pd.DataFrame(cells[1:], columns=range(width), dtype="str"), sheets


def _refuse_locked(file: Path) -> None:
    """Raise for a workbook with a password, which is an older kind of file around the encrypted one."""
    with file.open("rb") as stream:
        if stream.read(8) == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
            raise InputError(
                f"{file.name} cannot be opened",
                got="a workbook with a password, or one of Excel before 2007",
                expected=_WORKBOOK,
                remedy="save it from Excel as .xlsx without a password",
            )


def _sheet(book: openpyxl.Workbook, file: Path, wanted: str | None) -> tuple[list[list[str]], str]:
    """Return the cells of the wanted sheet, or of the first that is not empty."""
    titles = [sheet.title for sheet in book.worksheets]
    if wanted is not None and wanted not in titles:
        raise InputError(
            f"{file.name} has no sheet {wanted!r}", got=", ".join(titles), remedy="choose one with `sheet`"
        )
    for sheet in book.worksheets if wanted is None else [book[wanted]]:
        rows = [[as_text(cell) for cell in row] for row in _rows(sheet, file)]
        if any(any(row) for row in rows):
            others = ", ".join(title for title in titles if title != sheet.title)
            return rows, f"sheet {sheet.title}, not {others}" if others else ""
    return [], ""


def _rows(sheet: Any, file: Path) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a sheet."""
    with parsed(file, expected=_WORKBOOK, remedy=_SAVE_AGAIN):
        sheet.reset_dimensions()  # some programs write a wrong size, and rows would be lost
        # No further than the last row there can be: a damaged number of a row would be counted up to.
        yield from sheet.iter_rows(max_row=_LAST_ROW, values_only=True)
