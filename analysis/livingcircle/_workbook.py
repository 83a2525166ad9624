"""Excel files: a list of sheets in, one workbook out, with equal bytes for equal sheets.

openpyxl lays out each sheet (styles, widths, filters, print set-up) with its heading only; the rows of tables are
written by `livingcircle._sheet_rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.formatting.rule import ColorScaleRule
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from livingcircle._sheet_rows import FIXED_TIME, LONGEST_TEXT, Archive, RowColumn, Rows, row_height, xml_text
from livingcircle._table import FORMULA_STARTS
from livingcircle._text_width import lines_needed, longest_word, text_width

Kind = Literal["text", "long", "int", "share", "metres", "score", "number", "degrees"]

MOST_ROWS = 1_000_000  # Excel ends at 1,048,576
LONGEST_FOOTER = 230  # characters: Excel takes 255, with the codes of the page number
FONT = "微软雅黑"  # on every Windows; other systems take their own Chinese font in its place
FONT_SIZE = 10
A3, A4 = 8, 9  # Excel's numbers of papers
PRINTED_WIDTH = 320  # digits: what A3 across takes at two thirds of the size, where letters are 6.7 points high
A4_WIDTH = 190  # digits: what A4 takes at 80 %
CELL_MARGIN = 2  # digits, left and right of a value
INDENT = 1  # digits, keeps a text off the number before it
NUMBER_FORMATS: dict[Kind, str] = {
    "text": "@",
    "long": "General",  # a cell of format @ with over 255 characters shows as ##### in older Excel
    "int": "#,##0",
    "share": "0.0%",
    "metres": "#,##0",
    "score": "0.0",
    "number": "#,##0.##",
    "degrees": "0.000000",
}
# Orange to purple: colour-blind readers tell them apart, and black figures stay legible on both.
LOW, MIDDLE, HIGH = "FDB863", "F7F7F7", "B2ABD2"
HEADING_FILL, RULE_LINE = "DCE6F1", "BFBFBF"


@dataclass(frozen=True)
class Field:
    """One column of a sheet: Chinese heading, English below it, kind of its values, widest in digits.

    A column is as wide as what is in it; texts that are wider than `width` are broken into lines.
    """

    zh: str
    en: str
    kind: Kind = "text"
    width: int = 12
    scale_to: float | None = None  # colour scale from 0 to this value
    low_is_good: bool = False  # orange then marks the high values

    @property
    def heading(self) -> str:
        """Return both headings, one below the other."""
        return f"{self.zh}\n{self.en}"


@dataclass(frozen=True)
class Sheet:
    """One sheet with a table: the columns of `frame` in the order of `fields`.

    Columns to the right that would make the print too small are left out of it.
    """

    title: str
    fields: tuple[Field, ...]
    frame: pd.DataFrame
    frozen: int = 0  # columns that stay in sight when the sheet is moved sideways
    fit_pages: int = 0  # printed as small as it takes to stand on so many pages; 0: as many as it takes


@dataclass(frozen=True)
class Page:
    """One sheet that is laid out freely: a cover, charts. `draw` fills it, and its print area if not all is printed."""

    title: str
    draw: Callable[[Worksheet], None]


def write_workbook(path: Path, sheets: Sequence[Sheet | Page], *, title: str, footer: str) -> None:
    """Write sheets into an Excel file; a sheet with too many rows for Excel is continued on the next one.

    Parameters
    ----------
    path
        File to write.
    sheets
        In the order they are shown.
    title
        Title in the file's properties and at the head of every page.
    footer
        Printed at the foot of every page.
    """
    book = Workbook()
    book.remove(book.active)
    for style in _styles():
        book.add_named_style(style)
    title, footer = xml_text(title), xml_text(footer)
    book.properties.title = title
    book.properties.creator = "livingcircle"
    book.properties.created = book.properties.modified = FIXED_TIME
    rows: dict[str, Rows] = {}
    for number, sheet in enumerate((part for whole in sheets for part in _split(whole)), start=1):
        page = book.create_sheet(sheet.title)
        _set_up_print(page, title, footer)
        if isinstance(sheet, Page):
            sheet.draw(page)
        else:
            page.page_setup.fitToHeight = sheet.fit_pages
            rows[f"xl/worksheets/sheet{number}.xml"] = _lay_out(page, sheet)
    # Not Workbook.save: it stamps the present time.
    with Archive(path, rows) as archive:
        ExcelWriter(book, archive).save()


def put(page: Worksheet, row: int, column: int, value: str | float | None, kind: str) -> None:
    """Write a value into a cell in the style of its kind; a text that looks like a formula stays a text."""
    cell = page.cell(row, column)
    cell.style = kind
    if isinstance(value, str):
        cell.value = xml_text(value)[:LONGEST_TEXT]
        cell.data_type = "s"
        cell.quotePrefix = value.startswith(FORMULA_STARTS)
    else:
        cell.value = value


def fold(page: Worksheet, row: int, lines: int) -> None:
    """Give a row the height that so many lines take."""
    page.row_dimensions[row].height = row_height(lines)


def _split(sheet: Sheet | Page) -> Iterator[Sheet | Page]:
    if isinstance(sheet, Page):
        yield sheet
        return
    for part, start in enumerate(range(0, max(len(sheet.frame), 1), MOST_ROWS), start=1):
        title = sheet.title if part == 1 else f"{sheet.title} {part}"
        yield replace(sheet, title=title, frame=sheet.frame.iloc[start : start + MOST_ROWS])


def _styles() -> list[NamedStyle]:
    heading = NamedStyle(
        "heading",
        font=Font(name=FONT, size=FONT_SIZE, bold=True),
        fill=PatternFill("solid", start_color=HEADING_FILL),
        alignment=Alignment(wrap_text=True, vertical="top"),
        border=Border(bottom=Side(style="thin", color=RULE_LINE)),
    )
    return [heading] + [
        NamedStyle(
            kind,
            font=Font(name=FONT, size=FONT_SIZE),
            number_format=form,
            alignment=Alignment(
                wrap_text=_is_text(kind),
                vertical="top",
                **({"horizontal": "left", "indent": INDENT} if _is_text(kind) else {}),
            ),
        )
        for kind, form in NUMBER_FORMATS.items()
    ]


def _is_text(kind: Kind) -> bool:
    return kind in ("text", "long")


def _set_up_print(page: Worksheet, title: str, footer: str) -> None:
    """Print across, as wide as the paper, with the title above and footer and page number below."""
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = A4
    page.page_setup.fitToWidth = 1
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.page_margins = PageMargins(left=0.4, right=0.4, top=0.6, bottom=0.6, header=0.3, footer=0.3)
    # An ampersand begins a code in a header or footer, so one in the text is doubled.
    page.oddHeader.left.text = title[:LONGEST_FOOTER].replace("&", "&&")
    page.oddHeader.right.text = "&A"
    page.oddFooter.left.text = _whole_signs(footer.replace("&", "&&")[:LONGEST_FOOTER])
    page.oddFooter.right.text = "&P / &N"


def _whole_signs(text: str) -> str:
    """Take off half of a doubled ampersand that a cut has left at the end."""
    return text[:-1] if (len(text) - len(text.rstrip("&"))) % 2 else text


def _lay_out(page: Worksheet, sheet: Sheet) -> Rows:
    """Write the heading of a table and set its widths, colours, filter and print area; return its rows."""
    columns, width_so_far, printed = [], 0, 0
    last_row, last_letter = len(sheet.frame) + 1, get_column_letter(len(sheet.fields))
    heading_lines = 1
    for number, field in enumerate(sheet.fields, start=1):
        letter, values = get_column_letter(number), sheet.frame.iloc[:, number - 1]
        page.cell(1, number, field.heading).style = "heading"
        width = _fitting_width(field, values)
        page.column_dimensions[letter].width = width
        heading_lines = max(heading_lines, lines_needed(field.heading, width - 1))
        if field.scale_to is not None and len(sheet.frame):
            page.conditional_formatting.add(f"{letter}2:{letter}{last_row}", _colour_scale(field))
        columns.append(RowColumn(values, field.kind, *_style_ids(page, field.kind), _lines_of(field.kind, width)))
        width_so_far += width
        printed += width_so_far <= PRINTED_WIDTH
    page.row_dimensions[1].height = row_height(heading_lines)
    page.freeze_panes = f"{get_column_letter(sheet.frozen + 1)}2"
    page.auto_filter.ref = f"A1:{last_letter}{last_row}"
    page.print_title_rows = "1:1"
    page.print_area = f"A1:{get_column_letter(printed)}{last_row}"
    page.page_setup.paperSize = A4 if width_so_far <= A4_WIDTH else A3
    return Rows(columns, len(sheet.frame))


def _fitting_width(field: Field, values: pd.Series) -> int:
    """Return the width of a column in digits: as its longest value, not above the field's, and no heading cut."""
    if _is_text(field.kind):
        longest = max((text_width(text) for text in values.dropna().astype("str").unique()), default=0)
    else:
        numbers = pd.to_numeric(values, errors="coerce").astype("float64").dropna()  # <10 is narrower than any heading
        ends = [numbers.min(), numbers.max()] if len(numbers) else []
        longest = max((len(_as_shown(end, field.kind)) for end in ends), default=0)
    word = max(longest_word(field.heading), min(text_width(field.zh), 12))
    return max(min(longest, field.width), word) + CELL_MARGIN + (INDENT if _is_text(field.kind) else 0)


def _as_shown(number: float, kind: Kind) -> str:
    forms: dict[Kind, str] = {"share": "{:.1%}", "score": "{:.1f}", "number": "{:,.2f}", "degrees": "{:.6f}"}
    return forms.get(kind, "{:,.0f}").format(number)


def _lines_of(kind: Kind, width: int) -> Callable[[str], int] | None:
    """Return how many lines each text takes in a column of a width; None for numbers, which take one."""
    return cache(lambda text: lines_needed(text, width - CELL_MARGIN)) if _is_text(kind) else None


def _colour_scale(field: Field) -> Any:
    low, high = (HIGH, LOW) if field.low_is_good else (LOW, HIGH)
    end = field.scale_to or 0.0
    return ColorScaleRule(
        start_type="num",
        start_value=0,
        start_color=low,
        mid_type="num",
        mid_value=end / 2,
        mid_color=MIDDLE,
        end_type="num",
        end_value=end,
        end_color=high,
    )


def _style_ids(page: Worksheet, kind: Kind) -> tuple[int, int]:
    """Return the numbers of a kind's style, plain and for text that looks like a formula."""
    plain, quoted = Cell(page), Cell(page)
    plain.style = quoted.style = kind
    quoted.quotePrefix = True
    return int(plain.style_id), int(quoted.style_id)
