"""Water and green of the demo town: river with an islet, stream, lake, hill, parks of exact size, greenway."""

from __future__ import annotations

import numpy as np

from livingcircle.demo._blocks import Rect, as_points, blob, corners, inset
from livingcircle.demo._canvas import Canvas, Point
from livingcircle.demo._plan import EAST_BANK, ISLET_V, RIVER_U, WEST_BANK, V, river_half_width

STREAM: tuple[Point, ...] = (
    (-2420, 1990), (-2150, 1930), (-1850, 1870), (-1560, 1905), (-1240, 1860), (-1010, 1840),
    (-950, 1838), (-640, 1880), (-330, 1850), (-40, 1890), (200, 1845), (342, 1850),
)  # fmt: skip
HILL: Point = (-2640.0, 1960.0)
HILL_HEIGHT_M, HILL_RADIUS_M = 115.0, 300.0


def draw_river(canvas: Canvas) -> None:
    """Draw the river as a multipolygon with an islet, and the islet with paths that lead nowhere else."""
    v = np.arange(V[0], V[-1] + 1, 50.0)
    half = river_half_width(v)
    west = list(zip((RIVER_U - half).tolist(), v.tolist(), strict=True))
    east = list(zip((RIVER_U + half).tolist(), v.tolist(), strict=True))
    outer = canvas.area([*east, *reversed(west)], {})
    islet = blob(((2, 0.12, 0.3), (3, 0.05, 1.0)), 24) * np.array([26, 95]) + np.array([RIVER_U, ISLET_V])
    inner = canvas.area(as_points(islet), {})
    canvas.relation(
        [("w", outer, "outer"), ("w", inner, "inner")],
        {"type": "multipolygon", "natural": "water", "water": "river", "name": "示意河"},
    )
    canvas.line([(RIVER_U, float(y)) for y in v], {"waterway": "river", "name": "示意河"}, level=-9)
    canvas.line(
        [(RIVER_U - 4, ISLET_V - 60), (RIVER_U + 6, ISLET_V), (RIVER_U - 4, ISLET_V + 60)],
        {"highway": "footway", "name": "示意洲小径"},
    )
    canvas.building((RIVER_U - 8, ISLET_V + 20), 10, 8, {"building": "house", "building:levels": "1"})


def draw_stream(canvas: Canvas) -> None:
    """Draw the stream; under the one street that crosses it, it runs in a culvert."""
    tags = {"waterway": "stream", "name": "示意溪"}
    before, after = STREAM[:6], STREAM[6:]
    canvas.line(before, tags, level=-8)
    canvas.line([before[-1], after[0]], {**tags, "tunnel": "culvert", "layer": "-1"}, level=-8)
    canvas.line(after, tags, level=-8)


def draw_banks(canvas: Canvas) -> None:
    """Draw the open park along the west bank and the greenway on both banks."""
    park = [(WEST_BANK + 8.0, -600.0), (WEST_BANK + 8.0, 430.0), (WEST_BANK + 34, 430.0), (WEST_BANK + 34, -600.0)]
    canvas.area(park, {"leisure": "park", "name": "示意滨河公园"})
    greenway = {"highway": "cycleway", "foot": "yes", "name": "示意绿道"}
    for u, bank, name in ((WEST_BANK + 22, WEST_BANK, "西"), (EAST_BANK - 22, EAST_BANK, "东")):
        canvas.line([(u, float(V[1]) + 300), (u, float(V[-2]) - 60)], {**greenway, "name": f"示意{name}岸绿道"})
        for v in (-1500.0, -1080.0, -500.0, -60.0, 330.0, 720.0, 1340.0, 1640.0):
            canvas.line([(bank, v), (u, v)], {"highway": "footway"})


def draw_hill(canvas: Canvas) -> None:
    """Draw the hill: wood, a path that winds up, steps to the top."""
    cu, cv = HILL
    wood = blob(((2, 0.1, 0.4), (3, 0.08, 2.0), (5, 0.04, 0.0)), 40) * 290 + np.array(HILL)
    canvas.area(as_points(wood), {"landuse": "forest", "name": "示意山"})
    winding = [(-2200.0, 1760.0), (cu + 260, cv - 150), (cu + 60, cv - 190), (cu + 170, cv - 70), (cu - 20, cv - 60)]
    canvas.line(winding, {"highway": "path", "name": "示意山步道"})
    canvas.line([winding[-1], (cu, cv)], {"highway": "steps", "step_count": "120", "incline": "up"})


def draw_fenced_park(canvas: Canvas, block: Rect) -> None:
    """Draw the large park behind a fence with one gate, in the south."""
    w, s, e, n = inset(block, 16)
    gate = (round((w + e) / 2 + 60), s)
    outline = [
        gate,
        (e - 60, s),
        (e, s + 50),
        (e, n - 60),
        (e - 70, n),
        (w + 70, n),
        (w, n - 70),
        (w, s + 60),
        (w + 60, s),
    ]
    canvas.ring(outline, {"leisure": "park", "barrier": "fence", "name": "示意中央公园"})
    canvas.mark(gate, {"barrier": "gate", "entrance": "yes", "name": "示意中央公园南门"})
    hub = (gate[0], s + 70)
    canvas.line([(gate[0], block[1]), gate, hub], {"highway": "footway"})
    lake = blob(((2, 0.16, 0.5), (3, 0.12, 1.2)), 36) * np.array([115, 72]) + np.array([(w + e) / 2, (s + n) / 2 + 15])
    canvas.area(as_points(lake), {"natural": "water", "name": "示意湖"})
    mu, mv = (w + e) / 2, (s + n) / 2 + 15
    walk = blob(((2, 0.1, 0.5), (3, 0.08, 1.2)), 22) * np.array([175, 122]) + np.array([mu, mv])
    path = as_points(walk)
    canvas.ring(path, {"highway": "footway", "name": "示意环湖步道"})
    nearest = min(path, key=lambda p: (p[0] - hub[0]) ** 2 + (p[1] - hub[1]) ** 2)
    canvas.line([hub, nearest], {"highway": "footway"})


def draw_open_park(canvas: Canvas, block: Rect, name: str) -> None:
    """Draw a park without a fence that fills its block: a pond, a path around it, ways in from all corners."""
    w, s, e, n = block
    canvas.area(corners(inset(block, 12)), {"leisure": "park", "name": name})
    middle, half = np.array([(w + e) / 2, (s + n) / 2]), np.array([(e - w) / 2, (n - s) / 2])
    phase = (w + 3 * s) / 500
    pond = blob(((2, 0.2, phase), (3, 0.12, 2 * phase)), 28) * half * 0.3 + middle
    canvas.area(as_points(pond), {"natural": "water", "name": f"{name}池"})
    walk = as_points(blob(((2, 0.08, phase), (3, 0.07, 2 * phase)), 20) * half * 0.55 + middle)
    canvas.ring(walk, {"highway": "footway"})
    for corner in corners(block):
        nearest = min(walk, key=lambda p: (p[0] - corner[0]) ** 2 + (p[1] - corner[1]) ** 2)
        canvas.line([corner, nearest], {"highway": "footway"})


def draw_woods(canvas: Canvas) -> None:
    """Draw woods and meadows around the town."""
    for k, (u, v, width, height, use) in enumerate(
        (
            (2560, 1900, 230, 150, "forest"), (2520, 700, 150, 90, "meadow"), (2560, -480, 200, 110, "forest"),
            (-2650, 1400, 180, 110, "meadow"), (-2640, -1420, 210, 90, "forest"), (-300, -2240, 230, 110, "forest"),
            (-1400, -2290, 180, 80, "meadow"), (60, 2130, 180, 120, "forest"), (-1720, 2180, 170, 90, "forest"),
        )
    ):  # fmt: skip
        wood = blob(((2, 0.14, k * 1.3), (3, 0.1, k * 2.1), (5, 0.04, k * 0.7)), 32) * np.array([width, height])
        canvas.area(as_points(wood + np.array([u, v])), {"landuse": use})
