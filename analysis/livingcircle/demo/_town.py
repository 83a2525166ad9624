"""The whole town, drawn in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from livingcircle.demo import _blocks, _cases, _nature, _streets
from livingcircle.demo._canvas import Canvas, Point
from livingcircle.demo._lots import PLACED, LotBook
from livingcircle.demo._plan import Cell, cells
from livingcircle.demo._services import draw_bus_stops, draw_points

SEED = "示意镇"
VILLAGES: Mapping[tuple[int, int], Point] = {
    (3, 10): (-980.0, 2150.0), (4, 10): (-980.0, 2050.0), (7, 10): (920.0, 1760.0), (9, 10): (1340.0, 2080.0),
    (11, 8): (2160.0, 1140.0), (11, 5): (2160.0, -70.0), (0, 6): (-2200.0, 330.0), (0, 7): (-2600.0, 520.0),
    (3, 0): (-980.0, -2200.0), (8, 0): (920.0, -1900.0), (1, 0): (-1800.0, -1900.0),
}  # fmt: skip


OPEN_PARKS = {(9, 3): "示意东园", (3, 8): "示意北园", (9, 5): "示意桃园", (5, 2): "示意南园"}


@dataclass(frozen=True)
class Town:
    """The finished drawing, and where the grounds with a name are, in grid metres."""

    canvas: Canvas
    grounds: Mapping[str, Point]


def draw_town() -> Town:
    """Draw the demo town."""
    canvas, rng = Canvas(), Random(SEED)  # noqa: S311 - a drawing, not a secret
    _nature.draw_river(canvas)
    _nature.draw_stream(canvas)
    _nature.draw_hill(canvas)
    _nature.draw_woods(canvas)
    _streets.draw_streets(canvas)
    _streets.draw_rail(canvas)
    _streets.draw_viaduct(canvas)
    _streets.draw_metro(canvas)
    _streets.draw_footbridge(canvas)
    _nature.draw_banks(canvas)
    book = LotBook(canvas)
    for number, cell in enumerate(cells()):
        _draw_block(canvas, book, cell, number, rng)
    draw_bus_stops(canvas)
    draw_points(canvas, rng)
    _cases.draw_cases(canvas)
    canvas.finish()
    return Town(canvas, book.middles)


def _draw_block(canvas: Canvas, book: LotBook, cell: Cell, number: int, rng: Random) -> None:
    block, name, key = cell.block, _blocks.estate_name(number), (cell.column, cell.row)
    match cell.land:
        case "E":
            _draw_estate(canvas, book, cell, name, rng)
        case "W":
            _blocks.draw_open(canvas, block, name, rng)
        case "O":
            _blocks.draw_old_town(canvas, block, name, rng)
        case "C":
            _blocks.draw_commerce(canvas, block, name)
        case "I":
            _blocks.draw_works(canvas, block, rng)
        case "Q":
            _nature.draw_open_park(canvas, block, OPEN_PARKS[key])
        case "P" if cell.column == 2:
            _nature.draw_fenced_park(canvas, (block[0], block[1], block[2] + 400, block[3]))
        case "F" if key in VILLAGES:
            _blocks.draw_village(canvas, cell, VILLAGES[key], rng)
        case _:
            pass


def _draw_estate(canvas: Canvas, book: LotBook, cell: Cell, name: str, rng: Random) -> None:
    """Draw the grounds of a block and, beside them, its estate, shut off in one way or another."""
    rect, key = _blocks.inset(cell.block, _blocks.STREET_MARGIN), (cell.column, cell.row)
    behind, passage = "", 0.0
    if key in PLACED:
        behind, codes = PLACED[key]
        rect, passage = book.draw_strip(cell.block, rect, behind, codes)
    inside = rng.choice(("full", "full", "full", "ring", "ring", "court"))
    sides = list("N" if inside == "court" else "NEW")
    rng.shuffle(sides)
    gates = "".join(["S", *sides][: rng.choice((1, 2, 3, 4, 4, 4))])
    style = _blocks.EstateStyle(gates, inside, behind, passage)
    if key == _cases.FAR_GATE_CELL:
        style = _blocks.EstateStyle("N", "full")
    _blocks.draw_estate(canvas, cell.block, rect, style, name, rng)
