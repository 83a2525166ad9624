"""The whole town, drawn in order."""

from __future__ import annotations

from random import Random

from livingcircle.demo import _blocks, _nature, _streets
from livingcircle.demo._canvas import Canvas
from livingcircle.demo._lots import PLACED, LotBook
from livingcircle.demo._plan import Cell, cells
from livingcircle.demo._services import draw_bus_stops, draw_points

PLAN_SEED = "示意镇"
VILLAGES = {
    (3, 10): (-980.0, 2150.0), (4, 10): (-980.0, 2050.0), (7, 10): (920.0, 1760.0), (9, 10): (1340.0, 2080.0),
    (11, 8): (2160.0, 1140.0), (11, 5): (2160.0, -70.0), (0, 6): (-2200.0, 330.0), (0, 7): (-2600.0, 520.0),
    (3, 0): (-980.0, -2200.0), (8, 0): (920.0, -1900.0), (1, 0): (-1800.0, -1900.0),
}  # fmt: skip


def draw_town() -> Canvas:
    """Draw the demo town and return the finished canvas."""
    canvas, rng = Canvas(), Random(PLAN_SEED)
    _nature.draw_river(canvas)
    _nature.draw_stream(canvas)
    _nature.draw_hill(canvas)
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
    canvas.finish()
    return canvas


def _draw_block(canvas: Canvas, book: LotBook, cell: Cell, number: int, rng: Random) -> None:
    block, name = cell.block, _blocks.estate_name(number)
    key = (cell.column, cell.row)
    match cell.land:
        case "E":
            rect = _blocks.inset(block, _blocks.STREET_MARGIN)
            if key in PLACED:
                rect = book.draw_strip(block, rect, *PLACED[key])
            _blocks.draw_estate(canvas, block, rect, _style(cell, rng), name, rng)
        case "W":
            _blocks.draw_open(canvas, block, name, rng)
        case "O":
            _blocks.draw_old_town(canvas, block, name, rng)
        case "C":
            _blocks.draw_commerce(canvas, block, name.removeprefix("示意"))
        case "I":
            _blocks.draw_works(canvas, block, rng)
        case "Q":
            _nature.draw_open_park(canvas, block)
        case "P" if cell.column == 2:
            _nature.draw_fenced_park(canvas, (-1800.0, 140.0, -980.0, 520.0))
        case _:
            if key in VILLAGES:
                _blocks.draw_village(canvas, cell, VILLAGES[key], rng)


def _style(cell: Cell, rng: Random) -> _blocks.EstateStyle:
    """Choose the gates of an estate on sides without grounds."""
    if (cell.column, cell.row) == (4, 4):
        return _blocks.EstateStyle("N", "full")
    taken = PLACED.get((cell.column, cell.row), ("", ""))[0]
    sides = [side for side in "NESW" if side != taken]
    rng.shuffle(sides)
    count = rng.choice((1, 2, 2, 3))
    return _blocks.EstateStyle("".join(sides[:count]), rng.choice(("full", "full", "spine", "none")))
