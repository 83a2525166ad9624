"""A Word file from a template: words for its placeholders, and tables and pictures where they stand alone."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from livingcircle._sheet_rows import xml_text
from livingcircle._text_width import longest_word
from livingcircle_layers.errors import InputError
from livingcircle_layers.typed_toml import nearest

if TYPE_CHECKING:
    from docx.document import Document
    from docx.text.paragraph import Paragraph

FIXED_TIME = datetime(2000, 1, 1)
PLACEHOLDER = re.compile(r"\{\{\s*(.*?)\s*\}\}")
HEADING, TEXT, CAPTION, NOTE, HEAD_CELL, CELL, NUMBER_CELL, TABLE = (
    "Heading 2", "Normal", "Caption", "LC Note", "LC Table Head", "LC Table Text", "LC Table Number", "LC Table",
)  # fmt: skip
EMU = 914_400  # Word's unit: how many make an inch
SIGN = 0.068 * EMU  # a letter of the tables, bold as in their headings, and a little more (tried)
CELL_MARGINS = 0.16 * EMU  # left and right of what a cell holds
LONGEST_WORD = 14  # letters; a longer one, such as an id, may break
ROOM = int(1.2 * EMU)  # what a picture leaves on its page for a heading and its caption
STYLES = (HEADING, TEXT, CAPTION, NOTE, HEAD_CELL, CELL, NUMBER_CELL, TABLE)
_REMEDY = "write the shipped template with livingcircle report --write-template FILE and begin from it"


@dataclass(frozen=True)
class Words:
    """A paragraph in a style of the template."""

    text: str
    style: str = TEXT


@dataclass(frozen=True)
class Picture:
    """A picture, as large as its page lets it be, but no wider than it was drawn; it stays with its caption."""

    png: bytes
    width_in: float


@dataclass(frozen=True)
class Grid:
    """A table of ready words: headings, rows, shares of the width, and which columns hold numbers."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    numbers: frozenset[int] = field(default_factory=frozenset)


Block = Words | Picture | Grid


def open_template(source: io.BytesIO, *, name: str) -> Document:
    """Open a template.

    Raises
    ------
    InputError
        python-docx is not installed, the file cannot be read as a Word file, or it lacks styles that are needed.
    """
    docx = _docx()
    try:
        document: Document = docx.Document(source)
    except (OSError, BadZipFile, KeyError, ValueError, SyntaxError, docx.opc.exceptions.PackageNotFoundError) as fault:
        got = str(fault).replace(repr(source), name)  # python-docx names what it was given by its address in memory
        raise InputError(f"{name} is no Word template that can be read", got=got, remedy=_REMEDY) from fault
    known = {style.name for style in document.styles}
    if missing := [style for style in STYLES if style not in known]:
        raise InputError(f"{name} lacks styles of the report", got=f"no {', '.join(missing)}", remedy=_REMEDY)
    return document


def check_placeholders(document: Document, words: Sequence[str], blocks: Sequence[str], *, name: str) -> None:
    """Find every placeholder that is unknown or stands where it cannot; all of them make one error."""
    faults = []
    for paragraph in paragraphs_of(document):
        for found in PLACEHOLDER.findall(paragraph.text):
            shown = f"{name}: {{{{{found}}}}}"
            if found not in (*words, *blocks):
                close = nearest(found, [*words, *blocks])
                faults.append(f"{shown} is no known placeholder" + (f", did you mean {close}?" if close else ""))
            elif found in blocks and PLACEHOLDER.sub("", paragraph.text, count=1).strip():
                faults.append(f"{shown} stands for a table or picture and must be alone in its paragraph")
    if faults:
        known = f"known are {', '.join(words)}; alone in a paragraph: {', '.join(blocks)}"
        raise InputError("; ".join(faults), remedy=known)


def fill(
    document: Document,
    words: Mapping[str, str],
    blocks: Mapping[str, Sequence[Block]],
    *,
    without: Callable[[Sequence[str]], bool] = lambda _: False,
) -> None:
    """Put words, tables and pictures in the place of all placeholders, which must be known ones.

    ``without`` tells by the placeholders of a paragraph whether it is left out.
    """
    for paragraph in paragraphs_of(document):
        names = PLACEHOLDER.findall(paragraph.text)
        if names and without(names):
            _leave_out(paragraph)
        elif len(names) == 1 and names[0] in blocks:
            _put(document, paragraph, blocks[names[0]])
        elif names:
            _replace(paragraph, words)


def _leave_out(paragraph: Paragraph) -> None:
    """Take a paragraph away; one in a table is emptied, as Word needs one in every cell."""
    parent = paragraph._p.getparent()
    if parent is not None and parent.tag.endswith("}tc"):
        paragraph.text = ""
    elif parent is not None:
        parent.remove(paragraph._p)


def write_document(document: Document, path: Path, *, title: str) -> None:
    """Write a document; equal ones give equal bytes."""
    properties = document.core_properties
    properties.title, properties.author, properties.last_modified_by = xml_text(title), "livingcircle", "livingcircle"
    properties.created = properties.modified = FIXED_TIME
    properties.revision = 1
    drawn = io.BytesIO()
    document.save(drawn)
    with ZipFile(drawn) as made, ZipFile(path, "w", ZIP_DEFLATED) as out:
        for name in made.namelist():
            member = ZipInfo(name, FIXED_TIME.timetuple()[:6])
            member.compress_type = ZIP_DEFLATED
            out.writestr(member, made.read(name))


def _docx() -> Any:
    try:
        import docx
        import docx.opc.exceptions
    except ImportError as fault:
        raise InputError(
            "Word reports need python-docx, which is not installed", remedy="pip install python-docx"
        ) from fault
    return docx


def paragraphs_of(document: Document) -> list[Paragraph]:
    """Return the paragraphs of text, tables, text boxes, headers and footers."""
    from docx.oxml.ns import qn
    from docx.text.paragraph import Paragraph

    def of(part: Any) -> Iterator[Paragraph]:
        for element in part._element.iter(qn("w:p")):
            yield Paragraph(element, part)

    found = list(of(document._body))
    for section in document.sections:
        for edge in (
            section.header, section.footer, section.first_page_header, section.first_page_footer,
            section.even_page_header, section.even_page_footer,
        ):  # fmt: skip
            if not edge.is_linked_to_previous:
                found += of(edge)
    return found


def _replace(paragraph: Paragraph, words: Mapping[str, str]) -> None:
    """Put words in the place of placeholders, which Word may have cut into runs; they look as their first sign."""
    runs = [run for run in paragraph.runs if run.text]
    for found in reversed(list(PLACEHOLDER.finditer("".join(run.text for run in runs)))):
        said: str | None = xml_text(words[found[1]])
        start = 0
        for run in runs:
            text, end = run.text, start + len(run.text)
            cut_from, cut_to = max(found.start(), start), min(found.end(), end)
            if cut_from < cut_to:
                run.text = text[: cut_from - start] + (said or "") + text[cut_to - start :]
                said = None
            start = end


def _put(document: Document, paragraph: Paragraph, blocks: Sequence[Block]) -> None:
    """Put blocks before a paragraph and take it away."""
    from docx.oxml.ns import qn
    from docx.shared import Emu

    width, height = _text_size(document, paragraph)
    for block in blocks:
        if isinstance(block, Grid):
            paragraph._p.addprevious(_table(document, block, width)._tbl)
            continue
        own = paragraph.insert_paragraph_before("", style=block.style if isinstance(block, Words) else TEXT)
        if isinstance(block, Words):
            own.add_run(xml_text(block.text))
        else:
            own.paragraph_format.keep_with_next = True
            picture = own.add_run().add_picture(io.BytesIO(block.png), width=min(width, int(block.width_in * EMU)))
            if picture.height > (most := height - ROOM):
                picture.width, picture.height = Emu(picture.width * most // picture.height), Emu(most)
    last = paragraph._p.getprevious()
    section = paragraph._p.find(f"{qn('w:pPr')}/{qn('w:sectPr')}")
    if section is None and blocks and last is not None and last.tag == qn("w:p"):
        paragraph._p.getparent().remove(paragraph._p)
    else:  # a section ends with a paragraph, and so does a cell; two tables in a row would run into each other
        for run in paragraph.runs:
            run.text = ""


def _text_size(document: Document, paragraph: Paragraph) -> tuple[int, int]:
    """Return width and height of the text of the section in which a paragraph stands, in EMU."""
    from docx.oxml.ns import qn

    body, before = document._body._element, 0
    for element in body:
        if element is paragraph._p or paragraph._p in element.iter():
            break
        before += element.find(f"{qn('w:pPr')}/{qn('w:sectPr')}") is not None
    section = document.sections[before]
    width = (section.page_width or 0) - (section.left_margin or 0) - (section.right_margin or 0)
    return width, (section.page_height or 0) - (section.top_margin or 0) - (section.bottom_margin or 0)


def _table(document: Document, grid: Grid, width: int) -> Any:
    from docx.oxml import OxmlElement
    from docx.shared import Emu

    table = document.add_table(rows=1, cols=len(grid.headings), style=TABLE)
    table.autofit = False
    widths = [Emu(own) for own in column_widths(grid, width)]
    for column, own in zip(table.columns, widths, strict=True):
        column.width = own
    for cell, words, own in zip(table.rows[0].cells, grid.headings, widths, strict=True):
        cell.width = own
        cell.paragraphs[0].style = document.styles[HEAD_CELL]
        cell.paragraphs[0].add_run(xml_text(words))
    head = table.rows[0]._tr.get_or_add_trPr()
    head.append(OxmlElement("w:cantSplit"))
    head.append(OxmlElement("w:tblHeader"))  # said again on every page
    model = _empty_row(document, table, grid, widths)
    for row in grid.rows:
        table._tbl.append(_row(model, row))
    return table


def column_widths(grid: Grid, width: int) -> list[int]:
    """Share a width out over the columns of a table, in EMU: as the table says, but none too narrow for a word.

    What the narrow ones need is taken from the others in proportion to what they have to spare. Only where all words
    together are wider than the page do some break.
    """
    shares = [width * share / sum(grid.widths) for share in grid.widths]
    columns = [(heading, *(row[at] for row in grid.rows)) for at, heading in enumerate(grid.headings)]
    needs = [CELL_MARGINS + SIGN * max(min(longest_word(text), LONGEST_WORD) for text in texts) for texts in columns]
    wanted = sum(max(need - share, 0) for need, share in zip(needs, shares, strict=True))
    spare = sum(max(share - need, 0) for need, share in zip(needs, shares, strict=True))
    moved = min(wanted, spare)
    widths = []
    for need, share in zip(needs, shares, strict=True):
        more = (need - share) * moved / wanted if need > share else 0.0
        less = (share - need) * moved / spare if share > need else 0.0
        widths.append(int(share + more - less))
    return widths


def _empty_row(document: Document, table: Any, grid: Grid, widths: Sequence[Any]) -> Any:
    """Return one row without words, of which all are copies: python-docx is slow cell by cell."""
    row = table.add_row()
    for at, (cell, own) in enumerate(zip(row.cells, widths, strict=True)):
        cell.width = own
        cell.paragraphs[0].style = document.styles[NUMBER_CELL if at in grid.numbers else CELL]
        cell.paragraphs[0].add_run("·")
    table._tbl.remove(row._tr)
    return row._tr


def _row(model: Any, words: Sequence[str]) -> Any:
    from docx.oxml.ns import qn

    row = deepcopy(model)
    for place, text in zip(row.iter(qn("w:t")), words, strict=True):
        place.text = xml_text(text)
    return row
