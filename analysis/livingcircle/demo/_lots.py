"""Grounds with an outline beside the estates: schools, kindergartens, hospitals, pitches, markets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from livingcircle.demo._blocks import Rect, blob, corners, way_in
from livingcircle.demo._canvas import Canvas, Point
from livingcircle.demo._streets import numeral


@dataclass(frozen=True)
class Lot:
    """A ground: size in metres, tags, name pattern, whether it is fenced, floors of its building (0 = none)."""

    width: float
    length: float
    tags: Mapping[str, str]
    name: str
    fenced: bool = False
    levels: int = 0
    shape_m2: float = 0.0


SPACE = "--"  # nothing is built here: the viaduct passes above
SPACE_M = 72.0

LOTS: Mapping[str, Lot] = {
    "kg": Lot(76, 76, {"amenity": "kindergarten", "capacity": "270"}, "示意第{}幼儿园", True, 3),
    "ps": Lot(110, 150, {"amenity": "school", "isced:level": "1", "capacity": "1080"}, "示意第{}小学", True, 4),
    "js": Lot(130, 190, {"amenity": "school", "isced:level": "2", "capacity": "1200"}, "示意第{}初级中学", True, 5),
    "hs": Lot(130, 190, {"amenity": "school", "isced:level": "3", "capacity": "1500"}, "示意第{}高级中学", True, 5),
    "ho": Lot(110, 140, {"amenity": "hospital", "beds": "400"}, "示意第{}医院", False, 10),
    "nh": Lot(70, 76, {"amenity": "social_facility", "social_facility": "nursing_home",
              "social_facility:for": "senior", "beds": "120"}, "示意第{}养老院", False, 4),
    "hc": Lot(50, 44, {"amenity": "clinic", "healthcare": "centre"}, "示意第{}社区卫生服务中心", False, 4),
    "ch": Lot(60, 60, {"amenity": "arts_centre"}, "示意第{}文化活动中心", False, 3),
    "sh": Lot(84, 70, {"leisure": "sports_hall"}, "示意第{}体育馆", False, 2),
    "mk": Lot(50, 44, {"amenity": "marketplace"}, "示意第{}菜市场", False, 2),
    "pm": Lot(34, 48, {"leisure": "pitch", "sport": "basketball"}, "示意第{}篮球场"),
    "pl": Lot(58, 92, {"leisure": "pitch", "sport": "soccer"}, "示意第{}足球场"),
    "pt": Lot(24, 36, {"leisure": "pitch", "sport": "table_tennis"}, "示意第{}乒乓球场"),
    "pk": Lot(76, 78, {"leisure": "park"}, "示意第{}小游园"),
    "p3": Lot(24, 24, {"leisure": "park"}, "示意三百平方米口袋公园", shape_m2=300),
    "p5": Lot(28, 28, {"leisure": "garden"}, "示意五百平方米口袋公园", shape_m2=500),
    "p6": Lot(86, 92, {"leisure": "park"}, "示意六千平方米小游园", shape_m2=6000),
    "ml": Lot(110, 90, {"shop": "mall", "building": "retail"}, "示意第{}购物中心"),
    "fs": Lot(60, 60, {"amenity": "fire_station"}, "示意第{}消防站", False, 3),
    "pa": Lot(60, 60, {"amenity": "parking", "capacity": "120"}, "示意第{}停车场"),
    "sr": Lot(60, 50, {"emergency": "assembly_point"}, "示意第{}应急避难场所"),
}  # fmt: skip

# The grounds beside the estate of a cell (column, row from the south): the side they are on, and which.
PLACED: Mapping[tuple[int, int], tuple[str, str]] = {
    (1, 9): ("E", "kg pm ps"), (3, 9): ("W", "ps kg pm mk"), (4, 9): ("E", "mk hc pt ps"), (6, 9): ("W", "kg sh js"),
    (7, 9): ("E", "ps pm kg mk"), (9, 9): ("W", "kg mk p6 pm"), (10, 9): ("W", "pl sr kg ch"),
    (1, 8): ("E", "-- mk pm nh pt"), (2, 8): ("W", "-- kg js"), (4, 8): ("W", "-- kg pm pa"),
    (8, 8): ("E", "-- kg ch pt hc"), (9, 8): ("W", "-- js fs"), (10, 8): ("W", "-- kg pm pk"),
    (2, 7): ("E", "ps pk sr hc"), (7, 7): ("E", "ho kg mk pk"), (9, 7): ("E", "ps pm pk nh"),
    (1, 6): ("E", "kg mk ps pm"), (4, 6): ("W", "kg ch pt pa pk"), (7, 6): ("E", "mk pm ch kg pk"),
    (10, 6): ("W", "kg pm ps"),
    (1, 5): ("E", "ps pk kg"), (3, 5): ("W", "kg pm mk sh pk"), (6, 5): ("E", "ps kg pk"), (7, 5): ("E", "kg pt mk pk"),
    (8, 5): ("W", "pm mk pk kg"), (10, 5): ("W", "kg hc p3 ps"),
    (1, 4): ("E", "kg mk pm pk"), (2, 4): ("W", "pm nh p5 kg"), (4, 4): ("S", "kg"), (5, 4): ("E", "ps kg pm pk"),
    (7, 4): ("E", "mk kg pm pk"), (8, 4): ("W", "pm nh kg sh"), (9, 4): ("E", "ps pt sr kg"),
    (1, 3): ("E", "js pt kg"), (2, 3): ("W", "kg hc pa mk pm"), (3, 3): ("E", "ps pm mk pk"),
    (5, 3): ("W", "ho kg mk pm"), (6, 3): ("W", "mk kg pa pm ch"), (8, 3): ("E", "ps kg mk pm"),
    (10, 3): ("W", "js kg mk"),
    (2, 2): ("E", "kg mk ps pm"), (3, 2): ("W", "pm ml sr kg"), (4, 2): ("E", "kg sh js"), (6, 2): ("W", "ps pl kg"),
    (7, 2): ("E", "kg mk pt ps"), (9, 2): ("W", "kg hc hs"),
}  # fmt: skip

GAP = 8.0
BUILDINGS = {"kg": "kindergarten", "ps": "school", "js": "school", "hs": "school", "ho": "hospital"}


class LotBook:
    """Draws grounds and numbers them by kind."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._count: dict[str, int] = {}
        self.middles: dict[str, Point] = {}

    def draw_strip(self, block: Rect, rect: Rect, side: str, codes: str) -> tuple[Rect, float]:
        """Draw the grounds along one side of `rect`; return what remains, and where a way passes between them."""
        w, s, e, n = rect
        depth = max(LOTS[code].width for code in codes.split() if code != SPACE)
        at = w if side == "S" else s
        gaps = []
        for code in codes.split():
            if code == SPACE:
                at += SPACE_M
                continue
            lot = LOTS[code]
            ground = {
                "E": (e - lot.width, at, e, at + lot.length),
                "W": (w, at, w + lot.width, at + lot.length),
                "S": (at, s, at + lot.length, s + lot.width),
            }[side]
            self._draw(code, block, ground, side)
            at += lot.length + GAP
            gaps.append(at - GAP / 2)
        rest = {
            "E": (w, s, e - depth - GAP, n),
            "W": (w + depth + GAP, s, e, n),
            "S": (w, s + depth + GAP, e, n),
        }[side]
        return rest, min(gaps, key=lambda gap: abs(gap - (s + n) / 2))

    def _draw(self, code: str, block: Rect, ground: Rect, side: str) -> None:
        lot, canvas = LOTS[code], self._canvas
        self._count[code] = self._count.get(code, 0) + 1
        name = lot.name.format(numeral(self._count[code]))
        tags = {**lot.tags, "name": name}
        w, s, e, n = ground
        middle = self.middles[name] = (w + e) / 2, (s + n) / 2
        if lot.shape_m2:
            canvas.shape(middle, lot.shape_m2, tags, unit_ring=blob(((2, 0.1, 0.6), (3, 0.05, 1.9))))
        elif lot.fenced:
            front = "S" if ground[1] - block[1] < 2 * GAP else side  # at a corner: to the south
            street, gate = way_in(block, ground, front, round(middle[0] if front == "S" else middle[1]))
            canvas.ring(corners(ground), {**tags, "barrier": "fence"})
            canvas.line([street, gate], {"highway": "service"})
            canvas.mark(gate, {"barrier": "gate", "entrance": "main"})
        else:
            canvas.area(corners(ground), tags)
        if lot.levels:
            use = {"building": BUILDINGS.get(code, "public"), "building:levels": str(lot.levels)}
            canvas.building(middle, (e - w) * 0.62, min(30.0, (n - s) * 0.5), use)
