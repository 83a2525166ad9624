"""Services that are single points along the streets: shops, stations, stops."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from livingcircle.demo._canvas import Canvas, Point
from livingcircle.demo._plan import EAST_BANK, WEST_BANK, Cell, cells, subdistrict_of
from livingcircle.demo._streets import CLASS_OF_COLUMN, CLASS_OF_ROW, COLUMNS, ROWS, numeral

Tags = Mapping[str, str]
TOWNLIKE = frozenset("EWOCQ")


@dataclass(frozen=True)
class Kind:
    """A kind of place: how many at most, how far apart at least, its tags and the pattern of its name."""

    count: int
    apart_m: float
    tags: Tags
    name: str


def kind(count: int, apart_m: float, name: str, **tags: str) -> Kind:
    """Write one kind; `__` in a key stands for the colon of OpenStreetMap."""
    return Kind(count, apart_m, {key.replace("__", ":"): value for key, value in tags.items()}, name)


SENIOR = {"amenity": "social_facility", "social_facility": "day_care", "social_facility__for": "senior"}
KINDS: Mapping[str, Kind] = {
    "community_service_station": kind(66, 210, "示意第{}社区便民服务站", office="government"),
    "party_service_centre": kind(8, 900, "示意第{}社区党群服务中心", office="government"),
    "community_complex": kind(3, 1500, "示意第{}社区综合体", office="government"),
    "community_service_centre": kind(4, 1500, "示意第{}街道社区服务中心", office="government"),
    "estate_service_post": kind(6, 600, "示意第{}小区党群服务站", office="government"),
    "subdistrict_office": kind(4, 1500, "示意第{}街道办事处", amenity="townhall"),
    "judicial_office": kind(4, 1500, "示意第{}司法所", office="government"),
    "safety_centre": kind(2, 2000, "示意第{}综治中心", office="government"),
    "community_education": kind(2, 1500, "示意第{}社区教育工作站", office="educational_institution"),
    "police": kind(4, 1400, "示意第{}派出所", amenity="police"),
    "community_health_station": kind(64, 220, "示意第{}社区卫生服务站", amenity="doctors"),
    "small_kindergarten": kind(34, 230, "示意第{}街坊幼儿园", amenity="kindergarten"),
    "clinic": kind(12, 500, "示意第{}诊所", amenity="doctors"),
    "pharmacy": kind(40, 240, "示意第{}药店", amenity="pharmacy"),
    "elder_daycare": kind(62, 220, "示意第{}社区日间照料中心", **SENIOR, capacity="30"),
    "elder_activity": kind(12, 500, "示意第{}老年活动室", leisure="social_club"),
    "community_canteen": kind(10, 600, "示意第{}社区食堂", amenity="restaurant"),
    "culture_station": kind(2, 2500, "示意第{}文化活动站", amenity="community_centre"),
    "child_afterschool": kind(1, 900, "示意第{}儿童之家", amenity="community_centre"),
    "library": kind(9, 700, "示意第{}社区书屋", amenity="library"),
    "exhibition_hall": kind(2, 1500, "示意第{}乡愁展示馆", tourism="museum"),
    "gym": kind(7, 600, "示意第{}健身房", leisure="fitness_centre"),
    "outdoor_fitness": kind(3, 1500, "示意第{}健身苑", leisure="fitness_station"),
    "playground": kind(10, 600, "示意第{}儿童乐园", leisure="playground"),
    "supermarket": kind(20, 450, "示意第{}超市", shop="supermarket"),
    "greengrocer": kind(30, 380, "示意第{}生鲜店", shop="greengrocer"),
    "convenience": kind(130, 120, "示意第{}便利店", shop="convenience"),
    "restaurant": kind(26, 250, "示意第{}餐馆", amenity="restaurant"),
    "fast_food": kind(14, 300, "示意第{}快餐店", amenity="fast_food"),
    "breakfast": kind(26, 330, "示意第{}早餐店", amenity="fast_food"),
    "hairdresser": kind(24, 300, "示意第{}理发店", shop="hairdresser"),
    "laundry": kind(14, 450, "示意第{}洗衣店", shop="laundry"),
    "repair": kind(12, 500, "示意第{}修鞋铺", craft="shoemaker"),
    "housekeeping": kind(10, 600, "示意第{}家政服务部", office="company"),
    "copy_photo": kind(10, 600, "示意第{}文印店", shop="copyshop"),
    "parcel": kind(34, 260, "示意第{}快递驿站", amenity="parcel_locker"),
    "post": kind(4, 1300, "示意第{}邮局", amenity="post_office"),
    "bank": kind(14, 450, "示意第{}银行", amenity="bank"),
    "telecom": kind(6, 900, "示意第{}营业厅", shop="mobile_phone"),
    "parking": kind(60, 200, "示意第{}街边停车场", amenity="parking", capacity="40"),
    "charging": kind(12, 600, "示意第{}充电站", amenity="charging_station"),
    "toilet": kind(22, 400, "示意第{}公共厕所", amenity="toilets"),
    "recycling": kind(9, 700, "示意第{}再生资源回收点", amenity="recycling"),
    "waste_point": kind(18, 400, "示意第{}垃圾收集点", amenity="waste_disposal"),
    "waste_station": kind(4, 1300, "示意第{}垃圾收集站", amenity="waste_transfer_station"),
}
# A part of the town that has none of a service on purpose.
WITHOUT: Mapping[str, Callable[[Cell], bool]] = {
    "elder_daycare": lambda cell: subdistrict_of(cell.community)[0] == "示意新桥街道",
    "small_kindergarten": lambda cell: cell.land not in "WO" or cell.community == "V",
    "community_health_station": lambda cell: cell.column in range(3, 7) and cell.row in (8, 9),
}


# Services of daily life stand where people come out: beside the gates and inner streets, in the middle of a side.
AT_GATES = frozenset(
    (
        "community_service_station",
        "community_health_station",
        "elder_daycare",
        "convenience",
        "greengrocer",
        "small_kindergarten",
    )
)
MIDDLE, SIDES = (0.44, 0.56), (0.1, 0.2, 0.3, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Slot:
    """A place on a frontage, 9 m from the middle of the street."""

    cell: Cell
    at: Point
    at_gate: bool


def slots() -> list[Slot]:
    """List the frontage places of all town blocks, away from corners and clear of the gates themselves."""
    found = []
    for cell in cells():
        if cell.land not in TOWNLIKE:
            continue
        w, s, e, n = cell.block
        for share in (*MIDDLE, *SIDES):
            u, v = w + (e - w) * share, s + (n - s) * share
            frontages = ((u, s + 9), (u, n - 9), (w + 9, v), (e - 9, v))
            found += [Slot(cell, at, share in MIDDLE) for at in frontages]
    return found


def draw_points(canvas: Canvas, rng: Random) -> None:
    """Place every kind of point service on free slots, spread over the town."""
    free = slots()
    rng.shuffle(free)
    for service, what in KINDS.items():
        without = WITHOUT.get(service, _nowhere)
        chosen: list[Slot] = []
        for slot in free:
            if len(chosen) == what.count:
                break
            wanted = slot.at_gate == (service in AT_GATES) and not without(slot.cell)
            if wanted and all(math.dist(slot.at, other.at) >= what.apart_m for other in chosen):
                chosen.append(slot)
        taken = {slot.at for slot in chosen}
        free = [slot for slot in free if slot.at not in taken]
        for number, slot in enumerate(chosen, start=1):
            canvas.point(slot.at, {**what.tags, "name": what.name.format(numeral(number))})


def _nowhere(_cell: Cell) -> bool:
    return False


def draw_bus_stops(canvas: Canvas) -> None:
    """Place stops on both sides of the larger streets, one pair in every block."""
    for number, (u, v, along_u) in enumerate(_stops(), start=1):
        for side in (-1, 1):
            at = (u + side * 20, v + side * 9) if along_u else (u + side * 9, v + side * 20)
            canvas.point(at, {"highway": "bus_stop", "bus": "yes", "name": f"示意{numeral(number)}站"})


def _stops() -> list[tuple[float, float, bool]]:
    """List where stops are, in the middle of a block, and whether their street runs east to west."""
    found: list[tuple[float, float, bool]] = []
    for v in CLASS_OF_ROW:
        for west, east in itertools.pairwise(COLUMNS):
            if v >= -1500 and (west, east) != (WEST_BANK, EAST_BANK):
                found.append((round((west + east) / 2) + 30, v, True))
    for u in CLASS_OF_COLUMN:
        for south, north in itertools.pairwise(ROWS[1:]):
            found.append((u, round((south + north) / 2) + 30, False))
    return sorted(found)
