"""What stands in the blocks: gated estates, open quarters, old town, squares, works, villages."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from random import Random

import numpy as np

from livingcircle.demo._canvas import Canvas, Point
from livingcircle.demo._plan import RAIL_V, VIADUCT_V, Array, Cell

Rect = tuple[float, float, float, float]  # west, south, east, north in grid metres

INSIDE = {"highway": "service", "access": "private"}  # the ways that only residents use
STREET_MARGIN = 14.0  # from the middle of a street to the wall
ESTATE_NAMES = (
    "春和",
    "景明",
    "岚光",
    "枫林",
    "映月",
    "朝晖",
    "沁园",
    "丹霞",
    "悦湖",
    "静安",
    "明珠",
    "丽都",
    "紫荆",
    "金桂",
    "翠屏",
    "雅居",
)


@dataclass(frozen=True)
class EstateStyle:
    """How an estate is shut off: the sides its gates are on and how much of its inside is mapped."""

    gates: str
    inside: str  # 'full': a ring and two paths across; 'ring'; 'court': one way in from a gate in the north or south
    behind: str = ""  # the side before which grounds stand, and where between them the way to a gate runs
    passage: float = 0.0


def inset(rect: Rect, by: float) -> Rect:
    """Return the rectangle made smaller on every side."""
    return rect[0] + by, rect[1] + by, rect[2] - by, rect[3] - by


def corners(rect: Rect) -> list[Point]:
    """Return the four corners, counter-clockwise from the south-west."""
    w, s, e, n = rect
    return [(w, s), (e, s), (e, n), (w, n)]


def way_in(block: Rect, rect: Rect, side: str, along: float) -> tuple[Point, Point]:
    """Return where a path through the `side` of `rect` starts on the street and where it passes the wall.

    `along` is the grid coordinate along the side (u for N and S, v for E and W).
    """
    w, s, e, n = rect
    bw, bs, be, bn = block
    return {
        "N": ((along, bn), (along, n)),
        "S": ((along, bs), (along, s)),
        "E": ((be, along), (e, along)),
        "W": ((bw, along), (w, along)),
    }[side]


def draw_estate(canvas: Canvas, block: Rect, rect: Rect, style: EstateStyle, name: str, rng: Random) -> None:
    """Draw a walled estate with its gates, inner ways and slab houses."""
    w, s, e, n = rect
    canvas.area(corners(rect), {"landuse": "residential", "name": name})
    canvas.ring(corners(rect), {"barrier": "wall"})
    ring = inset(rect, 22)
    middle = round((w + e) / 2), round((s + n) / 2)
    for side in style.gates:
        along: float = middle[0] if side in "NS" else middle[1]
        if side == style.behind:
            along = style.passage
        street, gate = way_in(block, rect, side, along)
        _, inner = way_in(rect, ring, side, along)
        canvas.line([street, gate], {"highway": "service"})
        end = middle if style.inside == "court" else inner
        canvas.line([gate, end], INSIDE)
        canvas.mark(gate, {"barrier": "gate", "name": f"{name}大门"})
    if style.inside != "court":
        canvas.ring(corners(ring), INSIDE)
    if style.inside == "full":
        canvas.line([(middle[0], ring[1]), (middle[0], ring[3])], {"highway": "footway"})
        canvas.line([(ring[0], middle[1]), (ring[2], middle[1])], {"highway": "footway"})
    _slabs(canvas, ring, middle[0], rng)


def _slabs(canvas: Canvas, ring: Rect, spine: float, rng: Random) -> None:
    """Set rows of slab houses on both sides of the spine; they face south, as they do there."""
    w, s, e, n = ring
    levels = rng.choice((7, 11, 11, 18, 18, 24))
    gap = 46.0 if levels > 11 else 40.0
    rows = (int((n - s - 30) // gap) + 1) // 2 * 2  # even, so that a path fits in the middle
    start = (s + n) / 2 - (rows - 1) * gap / 2
    for row, (left, right) in itertools.product(range(rows), ((w, spine), (spine, e))):
        room = right - left - 20
        count = 1 if room < 70 else 2 if room < 170 else 3
        if rng.random() < 0.08:
            continue  # a garden instead
        for k in range(count):
            width = min(58.0, room / count - 10)
            if width < 18:
                continue
            middle = (left + 10 + room * (k + 0.5) / count, start + row * gap)
            if _under_viaduct(middle):
                continue
            canvas.building(middle, width, 14.0, {"building": "apartments", "building:levels": str(levels)})


def _under_viaduct(middle: Point) -> bool:
    return abs(middle[1] - VIADUCT_V) < 30


def draw_open(canvas: Canvas, block: Rect, name: str, rng: Random) -> None:
    """Draw an open quarter: two inner streets that cross, and houses without walls."""
    w, s, e, n = block
    middle = round((w + e) / 2), round((s + n) / 2)
    tags = {"highway": "residential", "name": f"{name}巷"}
    canvas.line([(middle[0], s), (middle[0], n)], tags)
    canvas.line([(w, middle[1]), (e, middle[1])], {"highway": "living_street", "name": f"{name}里"})
    canvas.area(corners(inset(block, STREET_MARGIN)), {"landuse": "residential", "name": name})
    for south, north in ((s, middle[1]), (middle[1], n)):
        _slabs(canvas, (w + 12, south + 12, e - 12, north - 12), middle[0], rng)


def draw_old_town(canvas: Canvas, block: Rect, name: str, rng: Random) -> None:
    """Draw an old quarter: a fine net of lanes, low houses along them."""
    w, s, e, n = block
    us = [w, *(round(w + (e - w) * k / 4) for k in (1, 2, 3)), e]
    vs = [s, *(round(s + (n - s) * k / 4) for k in (1, 2, 3)), n]
    for u in us[1:-1]:
        canvas.line([(u, s), (u, n)], {"highway": "residential", "name": f"{name}弄"})
    for v in vs[1:-1]:
        canvas.line([(w, v), (e, v)], {"highway": "pedestrian" if v == vs[2] else "residential"})
    canvas.area(corners(inset(block, 8)), {"landuse": "residential", "name": f"{name}老街"})
    for (left, right), (south, north) in itertools.product(itertools.pairwise(us), itertools.pairwise(vs)):
        for du, dv in itertools.product((0.3, 0.7), (0.25, 0.75)):
            if rng.random() < 0.06:
                continue
            middle = (left + (right - left) * du, south + (north - south) * dv)
            if _under_viaduct(middle):
                continue
            levels = rng.choice((3, 4, 5, 6, 6))
            size = min(34.0, (right - left) * 0.34), min(26.0, (north - south) * 0.3)
            canvas.building(middle, *size, {"building": "residential", "building:levels": str(levels)})


def draw_commerce(canvas: Canvas, block: Rect, name: str) -> None:
    """Draw a shopping block around a square that people cross from four sides."""
    w, s, e, n = block
    cu, cv = round((w + e) / 2), round((s + n) / 2)
    half = 62.0
    square = [
        (cu - half, cv - half), (cu, cv - half), (cu + half, cv - half), (cu + half, cv),
        (cu + half, cv + half), (cu, cv + half), (cu - half, cv + half), (cu - half, cv),
    ]  # fmt: skip
    canvas.ring(square, {"highway": "pedestrian", "area": "yes", "place": "square", "name": f"{name}广场"})
    for start, end in (((cu, s), square[1]), ((e, cv), square[3]), ((cu, n), square[5]), ((w, cv), square[7])):
        canvas.line([start, end], {"highway": "footway"})
    offset = half + (e - w - 2 * half) / 4
    for du, dv in itertools.product((-1, 1), (-1, 1)):
        middle = (cu + du * offset, cv + dv * offset)
        canvas.building(middle, 84, 84, {"building": "retail", "building:levels": "5"})


def draw_works(canvas: Canvas, block: Rect, rng: Random) -> None:
    """Draw a works: halls along a service road, or sheds where the railway passes through the block."""
    w, s, e, n = block
    if s < RAIL_V < n:
        _yards(canvas, block)
        return
    canvas.area(corners(inset(block, 20)), {"landuse": "industrial"})
    middle = round((s + n) / 2)
    canvas.line([(w, middle), (e, middle)], {"highway": "service"})
    count = int((e - w) // 110)
    for k, side in itertools.product(range(count), (-1, 1)):
        at = (w + (e - w) * (k + 0.5) / count, middle + side * (60 + 8 * rng.random()))
        canvas.building(at, 80, 62, {"building": "industrial"})
    if s > RAIL_V:  # in the works nearest to the town some people live
        for share in (0.3, 0.7):
            dormitory = {"building": "dormitory", "building:levels": "6"}
            canvas.building((w + (e - w) * share, s + 40), 52, 14, dormitory)


def _yards(canvas: Canvas, block: Rect) -> None:
    """Draw sheds on both sides of the railway, which nothing but the passing streets crosses."""
    w, s, e, n = block
    for south, north in ((s + 20, RAIL_V - 30), (RAIL_V + 30, n - 20)):
        canvas.area(corners((w + 20, south, e - 20, north)), {"landuse": "industrial"})
        for k in range(3):
            middle = (w + (e - w) * (k + 0.5) / 3, (south + north) / 2)
            canvas.building(middle, (e - w) / 3 - 40, 58, {"building": "warehouse"})


def draw_village(canvas: Canvas, cell: Cell, entry: Point, rng: Random) -> None:
    """Draw a village: a bending lane from the town street, houses on both sides, an orchard behind."""
    cu, cv = (cell.west + cell.east) / 2, (cell.south + cell.north) / 2
    middle = (round(cu), round(cv))
    turn = (round((entry[0] + middle[0]) / 2 + 30), round((entry[1] + middle[1]) / 2 + 25))
    end = (round(cu - 110), round(cv + 70))
    canvas.line([entry, turn, middle, end], {"highway": "unclassified", "name": "示意村路"})
    for k in range(14):
        a, b = (turn, middle) if k < 7 else (middle, end)
        t = (k % 7 + 0.5) / 7
        side = 16 if k % 2 else -16
        at = (a[0] + (b[0] - a[0]) * t + side * 0.6, a[1] + (b[1] - a[1]) * t + side)
        canvas.building(at, 13, 11 + rng.random() * 3, {"building": "house", "building:levels": "2"})
    orchard = blob(((2, 0.15, rng.random() * 6), (3, 0.1, rng.random() * 6)), 20) * np.array([105.0, 70.0])
    canvas.area(as_points(orchard + np.array([cu - 40, cv + 170])), {"landuse": "orchard"})


def estate_name(number: int) -> str:
    """Return the name of the nth estate."""
    first, second = divmod(number, len(ESTATE_NAMES))
    return f"示意{ESTATE_NAMES[second]}{('苑', '花园', '家园', '城', '里')[first % 5]}"


def blob(lobes: tuple[tuple[int, float, float], ...], n: int = 36) -> Array:
    """Return a closed, smooth outline about one unit wide; `lobes` are (waves, amplitude, phase)."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    r = np.ones(n)
    for waves, amplitude, phase in lobes:
        r += amplitude * np.cos(waves * t + phase)
    ring = np.column_stack([r * np.cos(t), r * np.sin(t)])
    return np.vstack([ring, ring[:1]])


def as_points(ring: Array) -> list[Point]:
    """Return the corners of a closed outline, the first not repeated."""
    return [(float(u), float(v)) for u, v in ring[:-1]]
