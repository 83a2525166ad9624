"""Cases that are planted in the demo town so that their answers can be worked out by hand.

Positions are grid metres; west of -2240 they are metres of the metric plane (see `_plan`).

exactly 300 m
    示意量尺路 (v = -980): 示意量尺幼儿园 stands on it at u = -2900. Home `量尺300.00` (60 people, 10 of them aged 3-6)
    walks 300.00 m to it, home `量尺300.01` (40 people, 10 aged 3-6) 300.01 m. 示意量尺社区 has only these homes and
    the next one: 10 of its 20 children aged 3-6 are covered.
two places on one edge
    示意双店路 (v = -820): 示意双店东便利店 and 示意双店西便利店 stand 10 m beside one edge, at u = -2500 and
    -2800. Home `双店` (20 people) at u = -2700 walks 100 + 10 = 110 m to the western one.
across the river
    示意对岸社区: its estate at the bank lies within 500 m of the primary school on the west bank (near u = 211,
    v = -191), but walks over 1 km to it, by the bridges at v = 520 or v = -700.
the gate faces away
    示意石榴社区: the estate of cell (4, 4) has its only gate in the north; the kindergarten in the south-west corner of
    its block stands wall to wall with it.
one gate
    示意中央公园 is fenced and entered at its south gate only (u = -1330, v = 156). Home `园前` stands 8 m from the
    fence and walks 8 m to the street, 270 m along it and 16 m up to the gate.
island of the network
    示意洲小径 on the islet in the river: home `江心洲` (12 people) and the one house there join it and reach nothing.
beyond the joining limit
    home `远田` (30 people) at u = -2650, v = -2250: no street within 300 m; it is reported, not placed.
no elder day care
    示意新桥街道 has no elder_daycare.
a cell on a border
    Cell `分界` (101 people, 20 of them over 60) lies across v = 940, half in 示意西原村 and half in 示意示山村. Its two
    houses have 1,500 m² of floor in the south (u = -2880, v = 900) and 1,000 m² in the north (u = -2900, v = 1030): 61
    and 40 people, 12 and 8 of them over 60.
forty people
    示意园前社区 has 40 people, all in home `园前` (u = -1600, v = 148), too few for a score.
tier 15 is not tier 5
    示意银杏社区: a community health centre stands among the homes, and no community health station is in reach.
above and below
    示意高架快速路 on its viaduct (v = 992 and 1008) and 示意地铁一号线 in its tunnel (v = 150) block nobody. The
    northern house of `分界` joins 示意分界路, which ends at v = 980, under the viaduct: 50 m. Home `地铁上` (20 people)
    at u = -2600, v = 130 joins the bend of the village street at v = 330, across the tunnel: 200 m. Neither has
    another street within 300 m.
a name that is code
    a convenience store at u = -350, v = 531 is named `<script>alert(1)</script>示意`.
one kindergarten twice
    示意第三幼儿园 is in the OSM file and in kindergartens.csv, and is one place. 示意民办幼儿园 is only in the latter.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from livingcircle.demo._blocks import corners
from livingcircle.demo._canvas import Canvas, Point
from livingcircle.demo._people import SHARES, Row, row_of
from livingcircle.demo._plan import ISLET_V, RIVER_U, Array

FAR_GATE_CELL = (4, 4)
SCRIPT_NAME = "<script>alert(1)</script>示意"

RULER_V, RULER_START, RULER_END = -980.0, -2260.0, -2960.0
RULER_KINDERGARTEN: Point = (-2900.0, RULER_V)
DOUBLE_V = -820.0
DOUBLE_HOME: Point = (-2700.0, DOUBLE_V)
ISLET_HOME: Point = (RIVER_U + 2, ISLET_V + 20)
FAR_FIELD_HOME: Point = (-2650.0, -2250.0)
PARK_HOME: Point = (-1600.0, 148.0)
METRO_HOME: Point = (-2600.0, 130.0)
BORDER_CELL, BORDER_CELL_M2 = (-2900.0, 940.0), 200.0**2
BORDER_LANE: tuple[Point, ...] = ((-2710.0, 800.0), (-2900.0, 880.0), (-2900.0, 980.0))  # on from the village street
BORDER_SHOP: Point = (-2910.0, 930.0)
BORDER_HOUSES = (((-2895.0, 895.0), (-2865.0, 905.0)), ((-2910.0, 1025.0), (-2890.0, 1035.0)))  # corners
BORDER_LEVELS = 5
PRIVATE_KINDERGARTEN: Point = (-1820.0, 730.0)
HOME_M2 = 100.0  # a cell this small is one home at its centre

# People of the planted homes, and of them aged 3–6 where it matters.
PEOPLE: Mapping[str, int] = {
    "量尺300.00": 60, "量尺300.01": 40, "双店": 20, "江心洲": 12, "远田": 30, "园前": 40,
    "分界": 101, "地铁上": 20,
}  # fmt: skip
AGED_3_6: Mapping[str, int] = {"量尺300.00": 10, "量尺300.01": 10, "双店": 0}


def draw_cases(canvas: Canvas) -> None:
    """Draw the streets and places of the cases; what the town has anyway is not repeated."""
    for v, name in ((RULER_V, "示意量尺路"), (DOUBLE_V, "示意双店路")):
        line = [(-2200.0, v), (RULER_START, v), (RULER_END, v)]
        canvas.line(line, {"highway": "residential", "name": name})
    canvas.point(RULER_KINDERGARTEN, {"amenity": "kindergarten", "name": "示意量尺幼儿园"})
    for u, side in ((-2500.0, "东"), (-2800.0, "西")):
        canvas.point((u, DOUBLE_V + 10), {"shop": "convenience", "name": f"示意双店{side}便利店"})
    canvas.line(BORDER_LANE, {"highway": "residential", "name": "示意分界路"})
    canvas.point(BORDER_SHOP, {"shop": "convenience", "name": "示意分界便利店"})
    house = {"building": "apartments", "building:levels": str(BORDER_LEVELS)}
    for (west, south), (east, north) in BORDER_HOUSES:
        canvas.area(corners((west, south, east, north)), house)  # not a `building`: nobody else lives in it
    canvas.point((-350.0, 531.0), {"shop": "convenience", "name": SCRIPT_NAME})


def case_rows(canvas: Canvas) -> list[Row]:
    """Return the planted homes as rows of the population table."""
    at: dict[str, Array] = {
        "量尺300.00": _on_ruler(canvas, 300.00),
        "量尺300.01": _on_ruler(canvas, 300.01),
        "双店": canvas.metres(DOUBLE_HOME),
        "江心洲": canvas.metres(ISLET_HOME),
        "远田": canvas.metres(FAR_FIELD_HOME),
        "园前": canvas.metres(PARK_HOME),
        "分界": canvas.metres(BORDER_CELL),
        "地铁上": canvas.metres(METRO_HOME),
    }
    lonlat = canvas.plane.degrees(np.array(list(at.values()))).tolist()
    return [_row(name, place) for name, place in zip(at, lonlat, strict=True)]


def _row(name: str, lonlat: list[float]) -> Row:
    row = row_of(name, lonlat, PEOPLE[name], BORDER_CELL_M2 if name == "分界" else HOME_M2)
    if name not in AGED_3_6:
        return row
    groups = dict(zip(SHARES, row.groups, strict=True)) | {"age_3_6": AGED_3_6[name]}
    return Row(name, row.lon, row.lat, row.population, row.area_m2, tuple(groups.values()), row.households)


def _on_ruler(canvas: Canvas, walk_m: float) -> Array:
    """Return the place on the ruler street from which the walk to its kindergarten is `walk_m`.

    The file keeps places to about a centimetre, so that the street and the kindergarten stand where the file says,
    not where they were drawn; the leg from the street to the kindergarten counts.
    """
    start, end, place = (
        canvas.as_written(point) for point in ((RULER_START, RULER_V), (RULER_END, RULER_V), RULER_KINDERGARTEN)
    )
    along = (start - end) / np.hypot(*(start - end))
    foot = end + along * float(np.dot(place - end, along))
    home: Array = foot + along * (walk_m - float(np.hypot(*(place - foot))))
    return home
