"""The plan of the demo town: how it bends, where its streets run, which blocks and communities it has.

The town is drawn on a plain grid in metres, `u` to the east and `v` to the north, and then bent by `bend` so that
its river meanders and its streets are not a chessboard. West of `STRAIGHT_WEST_OF` nothing is bent: there `(u, v)`
are metres of the metric plane itself, and distances can be worked out by hand.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

Array = npt.NDArray[np.float64]

CENTRE = (104.20, 30.50)  # the plane of `livingcircle_layers.crs.metric_crs` for this town has its origin here
STRAIGHT_WEST_OF = -2240.0

# Grid lines: borders of the cells. 400 is the middle of the river, the outermost lines are the edge of the town.
U = (-3000, -2200, -1800, -1380, -980, -560, -160, 400, 920, 1340, 1740, 2160, 2900)
V = (-2500, -1900, -1500, -1080, -700, -280, 140, 520, 940, 1340, 1760, 2400)
RIVER_U = 400.0
WEST_BANK, EAST_BANK = 280.0, 520.0  # the streets along the river
BRIDGES_V = (520.0, -700.0)
RAIL_V = -1700.0
ISLET_V = 1150.0
VIADUCT_V = 1000.0

# One character per cell, north first. E gated estate, W open block with inner streets, O old town, C commerce around
# a square, P the large fenced park, Q open park, I industry, F fields and villages, H hill, x kept for planted cases.
LAND = (
    "HHFFFFFFFFFF",
    "FEWEEWEEWEEF",
    "FEEQEOOWEEEF",
    "FWEOOCOEWEWF",
    "FEPPEOOEWCEF",
    "FEWEOOEEEQEF",
    "xEEWEEOEEEWF",
    "xEEEWEEWEQEF",
    "xWEEEQEEWEII",
    "xxIIIIIIIIII",
    "FFFFFFFFFIIF",
)
COMMUNITIES = (
    "aaaabbbccccc",
    "aAAABBBCCCCc",
    "aDDEEFFGGHHc",
    "dIIJJKKLLMMc",
    "dNOOPPPQQRRc",
    "dSSTTUUVVWWe",
    "dXXYYZZ1122e",
    "k3334445566e",
    "g77788899900",
    "ggfffff00000",
    "ggggggghh000",
)
NAMES = {
    "A": "青竹", "B": "银杏", "C": "桂花", "D": "听松", "E": "望月", "F": "梧桐", "G": "芙蓉", "H": "海棠",
    "I": "清溪", "J": "书院", "K": "钟楼", "L": "东篱", "M": "晨光", "N": "和风", "O": "园前", "P": "老街",
    "Q": "渡口", "R": "云锦", "S": "织女", "T": "春晓", "U": "文庙", "V": "对岸", "W": "柳岸", "X": "新桥",
    "Y": "石榴", "Z": "玉兰", "1": "平安", "2": "长乐", "3": "永和", "4": "锦屏", "5": "荷塘", "6": "百草",
    "7": "双井", "8": "白鹭", "9": "南门", "a": "示山", "b": "北原", "c": "东原", "d": "西原", "e": "河湾",
    "g": "南原", "h": "下游", "0": "仓前", "f": "南站", "k": "量尺",
}  # fmt: skip
RURAL, INDUSTRIAL = frozenset("abcdegh"), frozenset("0f")
SUBDISTRICTS = {
    "示意山前街道": ("示意河西区", "abABDEFIJKNOP"),
    "示意南门街道": ("示意河西区", "dkSTUXYZ3478fg"),
    "示意东原街道": ("示意河东区", "cCGHLMQR"),
    "示意新桥街道": ("示意河东区", "eVW125690h"),
}


@dataclass(frozen=True)
class Cell:
    """One cell of the grid: its column and row (from the south), land use, community and borders in grid metres."""

    column: int
    row: int
    land: str
    community: str
    west: float
    south: float
    east: float
    north: float

    @property
    def block(self) -> tuple[float, float, float, float]:
        """Borders between the middles of the streets around it: at the river the street along the bank."""
        west = EAST_BANK if self.west == RIVER_U else self.west
        east = WEST_BANK if self.east == RIVER_U else self.east
        return west, self.south, east, self.north


def cells() -> Iterator[Cell]:
    """Yield every cell, row by row from the south, west to east."""
    for row in range(len(V) - 1):
        land, community = LAND[-1 - row], COMMUNITIES[-1 - row]
        for column in range(len(U) - 1):
            yield Cell(column, row, land[column], community[column], U[column], V[row], U[column + 1], V[row + 1])


def bend(uv: Array) -> Array:
    """Bend grid positions `(n, 2)` into the metric plane; the identity west of `STRAIGHT_WEST_OF`."""
    u, v = uv[:, 0], uv[:, 1]
    t = np.clip((u - STRAIGHT_WEST_OF) / 700, 0, 1)
    ease = t * t * (3 - 2 * t)
    sway = 170 * np.sin(v / 820 + 0.4) + 55 * np.sin(v / 350 + 1.1)
    x = u + ease * sway * np.exp(-(((u - RIVER_U) / 1100) ** 2))
    y = v + ease * (70 * np.sin(u / 900 + 0.5) + 30 * np.sin(u / 420 + v / 1300))
    bent: Array = np.column_stack([x, y])
    return bent


def river_half_width(v: Array) -> Array:
    """Return half the width of the river; it opens out around the islet."""
    half: Array = 50 + 6 * np.sin(v / 260) + 34 * np.exp(-(((v - ISLET_V) / 190) ** 2))
    return half


def _densified(ring: Array, step: float) -> Array:
    """Add the multiples of `step` and the grid corners to a ring of straight grid edges, the same from both sides."""
    out: list[tuple[float, float]] = []
    for (u0, v0), (u1, v1) in itertools.pairwise(ring):
        lines = U if v0 == v1 else V
        start, end = (u0, u1) if v0 == v1 else (v0, v1)
        low, high = min(start, end), max(start, end)
        stops = {k * step for k in range(int(low // step), int(high // step) + 2)} | set(map(float, lines))
        between = sorted((s for s in stops if low < s < high), reverse=bool(end < start))
        out.append((u0, v0))
        out.extend((s, v0) if v0 == v1 else (u0, s) for s in between)
    return np.array([*out, out[0]])


def community_outlines() -> dict[str, shapely.Polygon]:
    """Return the outline of every community in the metric plane; together they tile the town without gaps."""
    boxes: dict[str, list[shapely.Polygon]] = {}
    for cell in cells():
        boxes.setdefault(cell.community, []).append(shapely.box(cell.west, cell.south, cell.east, cell.north))
    outlines = {}
    for key, parts in sorted(boxes.items()):
        union = shapely.normalize(shapely.union_all(parts))
        ring = _densified(shapely.get_coordinates(union.exterior), 60)
        outlines[key] = shapely.Polygon(bend(ring))
    return outlines


def subdistrict_of(community: str) -> tuple[str, str]:
    """Return the subdistrict and the district of a community."""
    for name, (district, members) in SUBDISTRICTS.items():
        if community in members:
            return name, district
    raise KeyError(community)
