"""Streets, bridges, railway, viaduct and metro of the demo town."""

from __future__ import annotations

from livingcircle.demo._canvas import Canvas, Point, Tags
from livingcircle.demo._plan import (
    BRIDGES_V,
    EAST_BANK,
    RAIL_V,
    VIADUCT_V,
    WEST_BANK,
    U,
    V,
)

EDGE_W, EDGE_E, EDGE_S, EDGE_N = float(U[0]), float(U[-1]), float(V[0]), float(V[-1])
TOWN_W, TOWN_E, TOWN_S, TOWN_N = float(U[1]), float(U[-2]), float(V[1]), float(V[-2])
COLUMNS = (*(float(u) for u in U[1:7]), WEST_BANK, EAST_BANK, *(float(u) for u in U[8:-1]))
ROWS = tuple(float(v) for v in V[1:-1])
NUMERALS = "零一二三四五六七八九十"

CLASS_OF_ROW = {520.0: "primary", -700.0: "secondary", -1900.0: "secondary", 1760.0: "secondary", 940.0: "secondary"}
CLASS_OF_COLUMN = {
    -980.0: "primary",
    1340.0: "secondary",
    -2200.0: "secondary",
    WEST_BANK: "tertiary",
    -160.0: "secondary",
}

# How each column street passes the railway; all others end before it.
UNDERPASSES, LEVEL_CROSSINGS = (-1800.0, 920.0), (-980.0, 1740.0)


def numeral(n: int) -> str:
    """Write 1..999 in Chinese."""
    hundreds, rest = divmod(n, 100)
    tens, ones = divmod(rest, 10)
    text = f"{NUMERALS[hundreds]}百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else NUMERALS[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return text + (NUMERALS[ones] if ones or not n else "")


def draw_streets(canvas: Canvas) -> None:
    """Draw the street grid with its bridges and the roads that leave the town."""
    for i, v in enumerate(reversed(ROWS), start=1):
        tags = {"highway": CLASS_OF_ROW.get(v, "tertiary"), "name": f"示意{numeral(i)}路"}
        west = EDGE_W if v in (520.0,) else TOWN_W
        east = EDGE_E if v in (520.0, -700.0) else TOWN_E
        canvas.line([(west, v), (WEST_BANK, v)], tags)
        canvas.line([(EAST_BANK, v), (east, v)], tags)
        if v in BRIDGES_V:
            bridge = {**tags, "bridge": "yes", "layer": "1"}
            canvas.line([(WEST_BANK, v), (EAST_BANK, v)], bridge, level=1)
    for i, u in enumerate(COLUMNS, start=1):
        name = {WEST_BANK: "示意西河街", EAST_BANK: "示意东河街"}.get(u, f"示意{numeral(i)}街")
        _column(canvas, u, {"highway": CLASS_OF_COLUMN.get(u, "tertiary"), "name": name})


def _column(canvas: Canvas, u: float, tags: Tags) -> None:
    """Draw one street from south to north; only some pass the railway."""
    north = EDGE_N if u in (-980.0, 1340.0) else TOWN_N
    south = EDGE_S if u in (-980.0, 1740.0) else TOWN_S
    above, below = RAIL_V + 45, RAIL_V - 45
    if u in LEVEL_CROSSINGS:
        canvas.line([(u, south), (u, north)], tags)
        canvas.mark((u, RAIL_V), {"railway": "level_crossing"})
    elif u in UNDERPASSES:
        canvas.line([(u, south), (u, below)], tags)
        canvas.line([(u, below), (u, above)], {**tags, "tunnel": "yes", "layer": "-1"}, level=-1)
        canvas.line([(u, above), (u, north)], tags)
    elif u == -1380.0:  # the large park lies in its way
        canvas.line([(u, -1500.0), (u, 140.0)], tags)
        canvas.line([(u, 520.0), (u, north)], tags)
    else:
        canvas.line([(u, -1500.0), (u, north)], tags)


def draw_rail(canvas: Canvas) -> None:
    """Draw the surface railway with its station, a barrier that four streets pass; a tram stop, and the ferry."""
    rail = {"railway": "rail", "name": "示意铁路", "usage": "main"}
    canvas.line([(EDGE_W, RAIL_V), (330.0, RAIL_V)], rail)
    canvas.line([(330.0, RAIL_V), (470.0, RAIL_V)], {**rail, "bridge": "yes", "layer": "1"}, level=1)
    canvas.line([(470.0, RAIL_V), (EDGE_E, RAIL_V)], rail)
    canvas.point((-360.0, RAIL_V + 18), {"railway": "station", "name": "示意火车站", "train": "yes"})
    canvas.point((-300.0, RAIL_V + 30), {"railway": "tram_stop", "name": "示意有轨电车站"})
    canvas.point((230.0, -120.0), {"amenity": "ferry_terminal", "name": "示意渡口码头"})


def draw_viaduct(canvas: Canvas) -> None:
    """Draw the expressway on its viaduct, over blocks and river: nothing that a walker meets."""
    tags = {
        "highway": "motorway",
        "name": "示意高架快速路",
        "bridge": "yes",
        "layer": "2",
        "foot": "no",
        "oneway": "yes",
    }
    canvas.line([(EDGE_W, VIADUCT_V + 8), (EDGE_E, VIADUCT_V + 8)], tags, level=2)
    canvas.line([(EDGE_E, VIADUCT_V - 8), (EDGE_W, VIADUCT_V - 8)], tags, level=2)


METRO: tuple[tuple[Point, str], ...] = (
    ((-1800.0, 150.0), "示意西站"),
    ((-560.0, 150.0), "示意中心站"),
    ((700.0, 160.0), "示意对岸站"),
    ((1740.0, 540.0), "示意东站"),
)


def draw_metro(canvas: Canvas) -> None:
    """Draw the underground metro, its stations and the entrances that are walked to."""
    path = [(-2900.0, 150.0), (-560.0, 150.0), (700.0, 160.0), (1150.0, 300.0), (1740.0, 540.0), (2800.0, 560.0)]
    canvas.line(path, {"railway": "subway", "tunnel": "yes", "layer": "-2", "name": "示意地铁一号线"}, level=-2)
    for (u, v), name in METRO:
        canvas.point((u, v), {"railway": "station", "station": "subway", "subway": "yes", "name": name})
        row = min(ROWS, key=lambda r: abs(r - v))
        for letter, du, dv in (("A", 45, 12), ("B", -45, 12), ("C", 45, -12), ("D", -45, -12)):
            canvas.point((u + du, row + dv), {"railway": "subway_entrance", "name": f"{name}{letter}口", "ref": letter})


def draw_footbridge(canvas: Canvas) -> None:
    """Draw a footbridge with steps over the widest road of the west bank."""
    u, v = -760.0, 520.0
    steps = {"highway": "steps", "step_count": "28", "incline": "up"}
    deck = {"highway": "footway", "bridge": "yes", "layer": "1", "name": "示意人行天桥"}
    for side in (-1, 1):
        walk = [(u - 80, v + side * 14), (u + 80, v + side * 14)]
        canvas.line(walk, {"highway": "footway", "footway": "sidewalk"})
        canvas.line([(u - 80, v), walk[0]], {"highway": "footway", "footway": "crossing"})
        canvas.line([(u + 80, v), walk[1]], {"highway": "footway", "footway": "crossing"})
        canvas.line([(u + 30, v + side * 14), (u + 27, v + side * 11), (u, v + side * 11)], steps)
    canvas.line([(u, v - 11), (u, v + 11)], deck, level=1)
