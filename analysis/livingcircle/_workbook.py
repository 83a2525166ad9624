"""Excel files: a list of sheets in, one workbook out, with equal bytes for equal sheets.

openpyxl lays out each sheet (styles, widths, filters, print set-up) with its heading only. The rows are
streamed into the file as text, because a city has millions of cells and one object per cell takes minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.formatting.rule import ColorScaleRule
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from livingcircle.columns import looks_like_formula

Kind = Literal["text", "long", "int", "share", "metres", "score", "number", "degrees"]

FIXED_TIME = datetime(2000, 1, 1)
MOST_ROWS = 1_000_000  # Excel ends at 1,048,576
LONGEST_TEXT = 32_767  # characters in one Excel cell
LONGEST_FOOTER = 255  # characters, as Excel counts them
A4 = 9
ROWS_AT_A_TIME = 5_000
NUMBER_FORMATS: dict[Kind, str] = {
    "text": "@",
    "long": "@",
    "int": "#,##0",
    "share": "0.0%",
    "metres": "#,##0",
    "score": "0.0",
    "number": "#,##0.##",
    "degrees": "0.000000",
}
LOW, MIDDLE, HIGH = "E66101", "F7F7F7", "5E3C99"  # orange to purple: told apart by colour-blind readers
HEADING_FILL, RULE_LINE = "DCE6F1", "BFBFBF"
NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Field:
    """One column of a sheet: Chinese heading, English below it, kind of its values, width in characters."""

    zh: str
    en: str
    kind: Kind = "text"
    width: int = 12
    scale_to: float | None = None  # colour scale from 0 to this value


@dataclass(frozen=True)
class Sheet:
    """One sheet: the columns of `frame` in the order of `fields`."""

    title: str
    fields: tuple[Field, ...]
    frame: pd.DataFrame


def write_workbook(path: Path, sheets: Sequence[Sheet], *, title: str, footer: str) -> None:
    """Write sheets into an Excel file; a sheet with too many rows for Excel is continued on the next one.

    Parameters
    ----------
    path
        File to write.
    sheets
        In the order they are shown.
    title
        Title in the file's properties.
    footer
        Printed at the foot of every page.
    """
    book = Workbook()
    book.remove(book.active)
    for style in _styles():
        book.add_named_style(style)
    book.properties.title = title
    book.properties.creator = "livingcircle"
    book.properties.created = book.properties.modified = FIXED_TIME
    rows: dict[str, _Rows] = {}
    for sheet in (part for whole in sheets for part in _split(whole)):
        page = book.create_sheet(sheet.title)
        _lay_out(page, sheet, footer)
        rows[f"xl/worksheets/sheet{len(rows) + 1}.xml"] = _Rows(sheet, _style_ids(page, sheet.fields))
    # Not Workbook.save: it stamps the present time.
    with _Archive(path, rows) as archive:
        ExcelWriter(book, archive).save()


def _split(sheet: Sheet) -> Iterator[Sheet]:
    for part, start in enumerate(range(0, max(len(sheet.frame), 1), MOST_ROWS), start=1):
        title = sheet.title if part == 1 else f"{sheet.title} {part}"
        yield replace(sheet, title=title, frame=sheet.frame.iloc[start : start + MOST_ROWS])


def _styles() -> list[NamedStyle]:
    line = Border(bottom=Side(style="thin", color=RULE_LINE))
    heading = NamedStyle(
        "heading",
        font=Font(bold=True),
        fill=PatternFill("solid", start_color=HEADING_FILL),
        alignment=Alignment(wrap_text=True, vertical="top"),
        border=line,
    )
    top = Alignment(vertical="top")
    wrapped = Alignment(wrap_text=True, vertical="top")
    return [heading] + [
        NamedStyle(kind, number_format=form, alignment=wrapped if kind == "long" else top)
        for kind, form in NUMBER_FORMATS.items()
    ]


def _lay_out(page: Worksheet, sheet: Sheet, footer: str) -> None:
    last_row, last_letter = len(sheet.frame) + 1, get_column_letter(len(sheet.fields))
    for number, field in enumerate(sheet.fields, start=1):
        letter = get_column_letter(number)
        cell = page.cell(1, number, f"{field.zh}\n{field.en}")
        cell.style = "heading"
        page.column_dimensions[letter].width = field.width
        if field.scale_to is not None and len(sheet.frame):
            page.conditional_formatting.add(f"{letter}2:{letter}{last_row}", _colour_scale(field.scale_to))
    page.row_dimensions[1].height = 45
    page.freeze_panes = "A2"
    page.auto_filter.ref = f"A1:{last_letter}{last_row}"
    page.print_title_rows = "1:1"
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = A4
    page.page_setup.fitToWidth = 1
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    # An ampersand begins a code in a footer, so one in the text is doubled.
    page.oddFooter.left.text = footer.replace("&", "&&")[:LONGEST_FOOTER]
    page.oddFooter.right.text = "&P / &N"


def _colour_scale(end: float) -> Any:
    return ColorScaleRule(
        start_type="num",
        start_value=0,
        start_color=LOW,
        mid_type="num",
        mid_value=end / 2,
        mid_color=MIDDLE,
        end_type="num",
        end_value=end,
        end_color=HIGH,
    )


def _style_ids(page: Worksheet, fields: Sequence[Field]) -> tuple[tuple[int, int], ...]:
    """Return per column the numbers of its style, plain and for text that looks like a formula."""
    ids = []
    for field in fields:
        plain, quoted = Cell(page), Cell(page)
        plain.style = quoted.style = field.kind
        quoted.quotePrefix = True
        ids.append((int(plain.style_id), int(quoted.style_id)))
    return tuple(ids)


@dataclass(frozen=True)
class _Rows:
    """The rows of one sheet as Excel's XML."""

    sheet: Sheet
    style_ids: tuple[tuple[int, int], ...]

    @property
    def extent(self) -> str:
        return f"A1:{get_column_letter(len(self.sheet.fields))}{len(self.sheet.frame) + 1}"

    def write(self, stream: IO[bytes]) -> None:
        letters = [get_column_letter(number) for number in range(1, len(self.sheet.fields) + 1)]
        frame = self.sheet.frame
        for start in range(0, len(frame), ROWS_AT_A_TIME):
            part = frame.iloc[start : start + ROWS_AT_A_TIME]
            columns = [
                _cells(part.iloc[:, number], field.kind, *ids)
                for number, (field, ids) in enumerate(zip(self.sheet.fields, self.style_ids, strict=True))
            ]
            lines = []
            for row, cells in enumerate(zip(*columns, strict=True), start=start + 2):
                text = "".join(
                    f'<c r="{letter}{row}{cell}' for letter, cell in zip(letters, cells, strict=True) if cell
                )
                lines.append(f'<row r="{row}">{text}</row>')
            stream.write("".join(lines).encode())


def _cells(values: pd.Series, kind: Kind, plain: int, quoted: int) -> list[str]:
    """Return each cell's XML after its address; an empty cell is the empty string."""
    if kind in ("text", "long"):
        texts = values.astype("str")
        known = texts.dropna().drop_duplicates()
        styles = looks_like_formula(known).map({True: quoted, False: plain})
        cells = {text: _text_cell(text, style) for text, style in zip(known, styles, strict=True)}
        return [cells.get(text, "") for text in texts]
    numbers = values.astype("float64").tolist()
    number_format = "{:.0f}" if kind == "int" else "{!r}"
    body = f'" s="{plain}"><v>{number_format}</v></c>'
    return ["" if number != number else body.format(number) for number in numbers]  # noqa: PLR0124 - NaN


def _text_cell(text: str, style: int) -> str:
    if not text:
        return ""
    clean = escape(NOT_IN_XML.sub(" ", text)[:LONGEST_TEXT])
    return f'" s="{style}" t="inlineStr"><is><t xml:space="preserve">{clean}</t></is></c>'


class _Archive(ZipFile):
    """A zip file whose members carry no time of writing, and whose sheets receive their rows."""

    def __init__(self, path: Path, rows: dict[str, _Rows]) -> None:
        super().__init__(path, "w", ZIP_DEFLATED, allowZip64=True)
        self._rows = rows

    def open(self, name: Any, mode: Any = "r", *args: Any, **options: Any) -> Any:
        if isinstance(name, ZipInfo) and mode == "w":
            name.date_time = FIXED_TIME.timetuple()[:6]
        return super().open(name, mode, *args, **options)

    def write(self, filename: Any, arcname: Any = None, *args: Any, **options: Any) -> None:
        rows = self._rows.get(str(arcname).lstrip("/"))
        if rows is None:
            super().write(filename, arcname, *args, **options)
            return
        layout = Path(filename).read_text(encoding="utf-8")
        layout = re.sub(r'<dimension ref="[^"]*"', f'<dimension ref="{rows.extent}"', layout, count=1)
        before, after = layout.split("</sheetData>")
        member = ZipInfo(str(arcname).lstrip("/"))
        member.compress_type = ZIP_DEFLATED
        with self.open(member, "w", force_zip64=True) as stream:
            stream.write(before.encode())
            rows.write(stream)
            stream.write(b"</sheetData>" + after.encode())
