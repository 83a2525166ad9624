"""The page of a circle sheet: map on the left, what is inside and what is missing on the right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, PathPatch, Polygon, Rectangle
from matplotlib.path import Path
from matplotlib.patheffects import withStroke

from livingcircle._report_words import MARKS
from livingcircle.colours import FAINT, INK, WARNING
from livingcircle.credits import NOT_A_SURVEY, approval_line, credits_of
from livingcircle.fonts import chinese_text, spell
from livingcircle.rule_text import number
from livingcircle.sheet import BEYOND, MISSING, NO_DATA, WITHIN, Sheet

PAGE_MM = (297.0, 210.0)  # A4 landscape; A3 is the same page √2 times as large
SCALES = {"A4": 1.0, "A3": 2**0.5}
ROAD_NAMES = 24  # more would crowd the map
DPI = 220  # of a PNG
NUMBERED = 3  # places of a kind that carry its number; the others are dots

RULE = "#c9d0d6"
GROUND = {"water": "#a9cfe4", "green": "#d3e6c3"}
ROAD_MM = (1.3, 1.1, 0.95, 0.8, 0.55, 0.45, 0.35, 0.25)  # by rank
# One hue from dark to light, told apart in grey print too, and outlines that differ by their dashes.
BANDS = ("#0b5a66", "#2a8c99", "#7cc0c6")
DASHES: tuple[Any, ...] = ("solid", (0, (5, 1.5)), (0, (2, 1.2)))
VERDICTS = {
    WITHIN: ("● 达到", "within", "#0b5a66"),
    BEYOND: ("◐ 超出", "beyond", "#9a5b00"),
    MISSING: ("○ 圈内无", "none", WARNING),
    NO_DATA: ("– 无数据", "no data", FAINT),
}


@dataclass(frozen=True)
class _Page:
    """A figure measured in millimetres of A4 from the upper left corner, whatever the paper."""

    figure: Figure
    scale: float

    def text(self, x: float, y: float, words: str, size: float = 6.0, **style: Any) -> Any:
        """Write words; sizes are points on A4."""
        style = {"color": INK, "va": "baseline", **style}
        return self.figure.text(x / PAGE_MM[0], 1 - y / PAGE_MM[1], _plain(words), fontsize=size * self.scale, **style)

    def box(self, x: float, y: float, width: float, height: float, **style: Any) -> None:
        """Draw a rectangle."""
        style = {"linewidth": 0, "transform": self.figure.transFigure, **style}
        corner = (x / PAGE_MM[0], 1 - (y + height) / PAGE_MM[1])
        self.figure.add_artist(Rectangle(corner, width / PAGE_MM[0], height / PAGE_MM[1], **style))

    def dot(self, x: float, y: float, colour: str, words: str) -> None:
        """Draw a numbered marker."""
        axes = self.figure.axes[0]
        to_map = axes.transData.inverted().transform
        middle = to_map(self.figure.transFigure.transform((x / PAGE_MM[0], 1 - y / PAGE_MM[1])))
        _marker(axes, middle[0], middle[1], colour, words, self.scale, clip=False)

    def line(self, x: float, y: float, to_x: float, to_y: float, **style: Any) -> None:
        """Draw a line."""
        style = {"color": RULE, "linewidth": 0.5 * self.scale, **style}
        self.figure.add_artist(
            Line2D([x / PAGE_MM[0], to_x / PAGE_MM[0]], [1 - y / PAGE_MM[1], 1 - to_y / PAGE_MM[1]], **style)
        )


MAP = (8.0, 23.0, 134.0, 154.0)  # left, top, width, height
RIGHT, RIGHT_END = 147.0, 289.0


def draw_sheet(sheet: Sheet, path: FilePath, *, paper: str, form: str) -> None:
    """Draw a sheet and write it as ``pdf`` or ``png``."""
    scale = SCALES[paper]
    with chinese_text():
        figure = Figure(figsize=(PAGE_MM[0] / 25.4 * scale, PAGE_MM[1] / 25.4 * scale), facecolor="white")
        FigureCanvasAgg(figure)
        page = _Page(figure, scale)
        _map(page, sheet)
        _heading(page, sheet)
        below = _figures(page, sheet)
        below = _summary(page, sheet, below)
        _table(page, sheet, below)
        _legend(page, sheet)
        _foot(page, sheet)
        spell(figure)
        # Without dates and names of programs, so that the same sheet gives the same bytes.
        nothing = {"CreationDate": None, "Producer": None, "Creator": None} if form == "pdf" else {"Software": None}
        figure.savefig(path, format=form, dpi=DPI, metadata=nothing)


def _heading(page: _Page, sheet: Sheet) -> None:
    title = f"{sheet.unit_name} 步行生活圈"
    page.text(8, 13, title, 17, weight="bold")
    lived, lived_en = ("居住用地", "its residential land is") if sheet.of_land else ("居民居住", "its people live")
    where = "自选定地点起步" if sheet.chosen else f"自{lived}中心起步"
    where_en = "from a chosen point" if sheet.chosen else f"from where {lived_en}"
    page.text(8, 19, f"{sheet.above}  ·  {where}  Walking circle {where_en}".lstrip(" ·"), 7, color=FAINT)
    page.text(RIGHT_END, 13, f"{sheet.walker.name_zh} {number(sheet.walker.speed_m_s)} 米/秒", 9, ha="right")
    run = sheet.result.run
    page.text(
        RIGHT_END, 19,
        f"{sheet.walker.label()}  ·  数据日期 date of the data: {run.get('data_date') or '不详 unknown'}", 6,
        ha="right", color=FAINT,
    )  # fmt: skip


# -- the map ---------------------------------------------------------------------------------------------------------


def _map(page: _Page, sheet: Sheet) -> None:
    left, top, width, height = MAP
    axes = page.figure.add_axes(
        (left / PAGE_MM[0], 1 - (top + height) / PAGE_MM[1], width / PAGE_MM[0], height / PAGE_MM[1]),
        facecolor="#f4f3ee",
    )
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(color=INK, linewidth=0.6 * page.scale)
    west, south, east, north = _window(sheet, width / height)
    axes.set(xlim=(west, east), ylim=(south, north), aspect="equal")
    view = shapely.box(west, south, east, north)
    shapes = sheet.bands.geometry.to_numpy()
    _areas(axes, sheet, view)
    for n in reversed(range(len(shapes))):
        style = _band(n, len(shapes))
        axes.add_patch(PathPatch(_path(shapes[n]), facecolor=style[0], alpha=0.34, linewidth=0, zorder=3))
    _ways(axes, sheet, view, page.scale)
    for n in reversed(range(len(shapes))):
        colour, dashes = _band(n, len(shapes))
        axes.add_patch(
            PathPatch(_path(shapes[n]), fill=False, edgecolor=colour, linestyle=dashes, linewidth=1.0 * page.scale,
                      zorder=6)
        )  # fmt: skip
    axes.add_patch(
        PathPatch(_path(sheet.outline), fill=False, edgecolor="#7a1f5c", linestyle=(0, (6, 2, 1, 2)),
                  linewidth=0.9 * page.scale, zorder=7)
    )  # fmt: skip
    _road_names(axes, sheet, view, page.scale, (east - west) / width)
    _markers(axes, sheet, page.scale, (east - west) / width)
    _start_mark(axes, sheet.start.x, sheet.start.y, page.scale)
    _scale_bar(axes, page, west, south, (east - west) / width)
    _north(axes, page, east, north, (east - west) / width)


def _band(n: int, count: int) -> tuple[str, Any]:
    """Return colour and dashes of a band: the shortest is darkest."""
    at = min(n, len(BANDS) - 1) if count <= len(BANDS) else round(n * (len(BANDS) - 1) / (count - 1))
    return BANDS[at], DASHES[at]


def _window(sheet: Sheet, ratio: float) -> tuple[float, float, float, float]:
    """Return the part of the plane that is shown: the widest circle with a margin, in the shape of the map."""
    widest = sheet.bands.geometry.to_numpy()[-1]
    west, south, east, north = shapely.union(widest, sheet.start).bounds
    middle_x, middle_y = (west + east) / 2, (south + north) / 2
    half = max((north - south) / 2, (east - west) / 2 / ratio) * 1.08
    return middle_x - half * ratio, middle_y - half, middle_x + half * ratio, middle_y + half


def _areas(axes: Axes, sheet: Sheet, view: shapely.Polygon) -> None:
    for kind, colour, z in (("green", GROUND["green"], 1), ("water", GROUND["water"], 2)):
        for shape in _seen(sheet, kind, view):
            if shapely.get_dimensions(shape) == 2:
                axes.add_patch(PathPatch(_path(shape), facecolor=colour, linewidth=0, zorder=z))
            else:
                axes.plot(*shapely.get_coordinates(shape).T, color=colour, linewidth=1.2, zorder=z)


def _ways(axes: Axes, sheet: Sheet, view: shapely.Polygon, scale: float) -> None:
    """Draw streets as white lines in a faint casing, and rails."""
    frame = sheet.background
    roads = frame[frame["kind"] == "road"]
    for rank in sorted(roads["rank"].unique(), reverse=True):
        points = ROAD_MM[min(int(rank), len(ROAD_MM) - 1)] * 72 / 25.4 * scale
        for line in _parts(roads[roads["rank"] == rank].geometry.to_numpy(), view):
            xy = shapely.get_coordinates(line).T
            axes.plot(*xy, color="#b9b4a6", linewidth=points + 0.5 * scale, zorder=4, solid_capstyle="round")
            axes.plot(*xy, color="white", linewidth=points, zorder=4.5, solid_capstyle="round")
    for line in _parts(frame[frame["kind"] == "rail"].geometry.to_numpy(), view):
        axes.plot(*shapely.get_coordinates(line).T, color="#6f7a82", linewidth=0.7 * scale, dashes=(5, 2), zorder=5)


def _road_names(axes: Axes, sheet: Sheet, view: shapely.Polygon, scale: float, mm: float) -> None:
    """Write the names of the main roads along their longest straight piece, so that people find their way."""
    frame = sheet.background
    roads = frame[(frame["kind"] == "road") & (frame["rank"] <= 4) & (frame["name"].fillna("") != "")]
    taken: list[Any] = []
    for (_, name), rows in roads.groupby(["rank", "name"]):
        words, pieces = str(name), list(_parts(rows.geometry.to_numpy(), view))
        need = (sum(map(_width, words)) * 0.95 + 3) * mm
        if not pieces or len(taken) == ROAD_NAMES:
            continue
        line = shapely.get_coordinates(max(pieces, key=shapely.length))
        step = np.hypot(*np.diff(line, axis=0).T)
        n = int(step.argmax())
        middle = (line[n] + line[n + 1]) / 2
        if shapely.length(shapely.LineString(line)) < need or any(np.hypot(*(middle - t)) < 16 * mm for t in taken):
            continue
        taken.append(middle)
        angle = np.degrees(np.arctan2(*(line[n + 1] - line[n])[::-1]))
        axes.text(
            middle[0], middle[1], words, fontsize=5.2 * scale, color="#4a4a42", ha="center", va="center", zorder=7.5,
            clip_on=True,
            rotation=(angle + 90) % 180 - 90, rotation_mode="anchor",
            path_effects=[withStroke(linewidth=1.6 * scale, foreground="white")],
        )  # fmt: skip


def _seen(sheet: Sheet, kind: str, view: shapely.Polygon) -> Iterator[shapely.Geometry]:
    return _parts(sheet.background.geometry[sheet.background["kind"] == kind].to_numpy(), view)


def _parts(shapes: npt.NDArray[Any], view: shapely.Polygon) -> Iterator[shapely.Geometry]:
    """Return the single lines and polygons of shapes that lie in the view, cut to it."""
    near = shapes[shapely.intersects(shapes, view)]
    parts = shapely.get_parts(shapely.intersection(shapely.make_valid(near), view))
    return iter(parts[shapely.get_dimensions(parts) > 0])


def _path(shape: shapely.Geometry) -> Path:
    """Return a polygon with its holes as one path."""
    polygons = [p for p in shapely.get_parts(shape) if shapely.get_dimensions(p) == 2]
    rings = shapely.get_rings(np.array(polygons, dtype=object))
    return Path.make_compound_path(*(Path(shapely.get_coordinates(ring), closed=True) for ring in rings))


def _markers(axes: Axes, sheet: Sheet, scale: float, mm: float) -> None:
    """Mark the places: the nearest of a kind with its number, each where no other stands, the others as dots."""
    colours = dict(zip(sheet.services["number"], sheet.services["colour"], strict=True))
    rank = sheet.places.groupby("number").cumcount().to_numpy()
    xy = shapely.get_coordinates(sheet.places.geometry.to_numpy())
    labels = sheet.places["number"].to_numpy()
    for n in np.flatnonzero(rank >= NUMBERED):
        axes.add_patch(Circle(tuple(xy[n]), 0.75 * mm, facecolor=colours[labels[n]], edgecolor="white",
                              linewidth=0.3 * scale, zorder=8))  # fmt: skip
    taken = [np.array([sheet.start.x, sheet.start.y])]
    for n in np.flatnonzero(rank < NUMBERED):
        spot = _free(xy[n], taken, 3.3 * mm)
        taken.append(spot)
        if not np.array_equal(spot, xy[n]):
            axes.plot(*np.array([xy[n], spot]).T, color=INK, linewidth=0.4 * scale, zorder=9)
            axes.add_patch(Circle(tuple(xy[n]), 0.4 * mm, facecolor=INK, linewidth=0, zorder=9))
        _marker(axes, spot[0], spot[1], colours[labels[n]], str(labels[n]), scale, radius=1.65 * mm)


def _free(at: npt.NDArray[np.float64], taken: list[Any], gap: float) -> npt.NDArray[np.float64]:
    """Return the nearest spot on rings around a place that keeps its distance from all that are taken."""
    others = np.array(taken)
    for ring in range(12):
        for turn in range(max(1, 6 * ring)):
            angle = 2 * np.pi * turn / max(1, 6 * ring) + 0.5
            spot = at + ring * gap * 0.8 * np.array([np.cos(angle), np.sin(angle)])
            if (np.hypot(*(others - spot).T) >= gap).all():
                return spot if ring else at
    return at


def _marker(
    axes: Axes, x: float, y: float, colour: str, words: str, scale: float, *, radius: float = 0.0, clip: bool = True
) -> None:
    if not radius:
        radius = 1.65 * (axes.get_xlim()[1] - axes.get_xlim()[0]) / MAP[2]
    axes.add_patch(Circle((x, y), radius, facecolor=colour, edgecolor="white", linewidth=0.5 * scale, zorder=10,
                          clip_on=clip))  # fmt: skip
    axes.text(x, y, words, fontsize=5.4 * scale, weight="bold", color=_on(colour), ha="center", va="center_baseline",
              zorder=11, clip_on=clip)  # fmt: skip


def _on(colour: str) -> str:
    """Return black or white, whichever reads better on a colour."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.6 else "white"


def _start_mark(axes: Axes, x: float, y: float, scale: float, *, clip: bool = True) -> None:
    for colour, size in (("white", 11), ("#d2222d", 8)):
        axes.plot([x], [y], marker="*", color=colour, markersize=size * scale, markeredgewidth=0, zorder=12,
                  clip_on=clip)  # fmt: skip


def _scale_bar(axes: Axes, page: _Page, west: float, south: float, mm: float) -> None:
    metres = max(m for m in (50, 100, 200, 500, 1000, 2000, 5000) if m <= 45 * mm or m == 50)
    x, y = west + 5 * mm, south + 5 * mm
    axes.add_patch(Rectangle((x - 2 * mm, y - 2.2 * mm), metres + 4 * mm, 7.6 * mm, facecolor="white", alpha=0.85,
                             linewidth=0, zorder=13))  # fmt: skip
    for part, colour in ((0, INK), (1, "white")):
        axes.add_patch(Rectangle((x + part * metres / 2, y), metres / 2, 1.1 * mm, facecolor=colour, edgecolor=INK,
                                 linewidth=0.5 * page.scale, zorder=14))  # fmt: skip
    for share in (0, 0.5, 1):
        words = f"{metres * share:g}" + (" m" if share == 1 else "")
        axes.text(x + share * metres, y + 2.0 * mm, words, fontsize=5.5 * page.scale, ha="center", zorder=14,
                  color=INK)  # fmt: skip


def _north(axes: Axes, page: _Page, east: float, north: float, mm: float) -> None:
    x, y = east - 6 * mm, north - 5 * mm
    arrow = np.array([(0, 0), (-2, -6), (0, -4.6), (2, -6)]) * mm + np.array([x, y])
    axes.add_patch(Polygon(arrow, closed=True, facecolor=INK, edgecolor="white", linewidth=0.5, zorder=14))
    axes.text(x, y - 9.4 * mm, "北 N", fontsize=6.5 * page.scale, ha="center", color=INK, zorder=14)


# -- figures, table, legend ------------------------------------------------------------------------------------------


def _figures(page: _Page, sheet: Sheet) -> float:
    """Write people, area and pedestrian shed of each band; return where the next part begins."""
    width = (RIGHT_END - RIGHT + 2) / len(sheet.bands)
    for n, band in enumerate(sheet.bands.itertuples()):
        x, (colour, _) = RIGHT + n * width, _band(n, len(sheet.bands))
        page.box(x, 23, width - 2, 22, facecolor="#f2f5f6")
        page.box(x, 23, 1.4, 22, facecolor=colour)
        page.text(x + 3.5, 28.2, f"{number(band.minutes)} 分钟 min", 7.5, weight="bold")
        page.text(x + 3.5, 35.2, f"{band.people:,}", 12, weight="bold", color=BANDS[0])
        page.text(x + width - 4, 35.2, "m² 居住用地 land" if sheet.of_land else "人 people", 6, color=FAINT, ha="right")
        hectares = band.area_m2 / 10_000
        page.text(x + 3.5, 39.6, f"面积 area {hectares:,.0f} 公顷 ha", 6)
        page.text(x + 3.5, 43.2, f"步行可达比 pedestrian shed {band.pedestrian_shed:.0%}", 6)
    return 50.0


def _summary(page: _Page, sheet: Sheet, y: float) -> float:
    """Name what is missing, what is too far, and what is not known."""
    widest = number(sheet.bands["minutes"].iloc[-1])
    heads = {
        MISSING: f"{widest} 分钟圈内没有 None inside {widest} min",
        BEYOND: "圈内有,但超出标准距离 Inside, but beyond the standard",
        NO_DATA: "无数据,不能判断 No data",
    }
    for verdict, words in heads.items():
        chosen = sheet.services[sheet.services["verdict"] == verdict]
        if verdict == NO_DATA and not len(chosen):
            continue
        page.text(RIGHT, y, words, 6.8, weight="bold", color=VERDICTS[verdict][2])
        names = [
            f"{row.number} {_short(str(row.name_zh))}{'(图层可能不全)' if row.at_least and verdict == MISSING else ''}"
            for row in chosen.itertuples()
        ]
        lines = _wrapped("、".join(names) or "无 none", 118)
        for n, line in enumerate(lines):
            page.text(RIGHT, y + 3.7 + 3.3 * n, line, 6.3)
        y += 3.7 + 3.3 * len(lines) + 1.6
    return y + 1.0


# Columns of the table: left edge or right edge (mm), heading in two languages, alignment.
_NUMBER, _NAME, _INSIDE, _NEAREST, _VERDICT, _SHARE, _CLAUSE = RIGHT + 2, RIGHT + 5.5, 205.0, 221.0, 224.0, 254.0, 257.0


def _table(page: _Page, sheet: Sheet, top: float) -> None:
    """Draw a row per rule: places inside, the nearest one, whether the start is within the rule, residents, clause."""
    minutes = "/".join(number(m) for m in sheet.bands["minutes"])
    whose = ("本社区用地", "land within") if sheet.of_land else ("本社区居民", "residents within")
    heads = (
        (_NAME, "left", "服务与标准", "Service and standard"), (_INSIDE, "right", "圈内处数", f"inside {minutes} min"),
        (_NEAREST, "right", "最近", "nearest"), (_VERDICT, "left", "起点至标准", "from the start"),
        (_SHARE, "right", *whose), (_CLAUSE, "left", "条文", "clause, mark"),
    )  # fmt: skip
    for x, side, chinese, english in heads:
        page.text(x, top, chinese, 6, weight="bold", ha=side)
        page.text(x, top + 2.7, english, 4.8, color=FAINT, ha=side)
    page.line(RIGHT, top + 4, RIGHT_END, top + 4, color=INK)
    height = min(6.2, (MAP[1] + MAP[3] - top - 4) / max(1, len(sheet.services)))
    for n, row in enumerate(sheet.services.itertuples()):
        y = top + 4 + (n + 1) * height
        if n % 2 == 0:
            page.box(RIGHT, y - height, RIGHT_END - RIGHT, height, facecolor="#f7f8f9", zorder=0)
        _row(page, row, y - 0.32 * height, min(5.8, height * 1.5))


def _row(page: _Page, row: Any, y: float, size: float) -> None:
    page.dot(_NUMBER, y - 0.8, row.colour, str(row.number))
    page.text(_NAME, y, _cut(row.name_zh, 38), size)
    page.text(_INSIDE, y, " / ".join(map(str, row.inside)), size, ha="right")
    near = "—" if np.isnan(row.nearest_m) else f"{row.nearest_m:,.0f} 米"
    page.text(_NEAREST, y, near, size, ha="right")
    chinese, english, colour = VERDICTS[row.verdict]
    page.text(_VERDICT, y, f"{chinese} {english}", size * 0.92, color=colour, weight="bold")
    share = "—" if pd.isna(row.share) or row.verdict == NO_DATA else f"{'至少 ' if row.at_least else ''}{row.share:.0%}"
    page.text(_SHARE, y, share, size, ha="right")
    page.text(_CLAUSE, y, _cut(row.clause, 33) + f"  {row.mark}", size * 0.85, color=FAINT)


def _legend(page: _Page, sheet: Sheet) -> None:
    """Explain lines, marks and figures below the map."""
    y, x = MAP[1] + MAP[3] + 5.5, MAP[0]
    for n, band in enumerate(sheet.bands.itertuples()):
        colour, dashes = _band(n, len(sheet.bands))
        page.box(x, y - 2.6, 6, 3, facecolor=colour, alpha=0.34)
        page.line(x, y + 0.4, x + 6, y + 0.4, color=colour, linestyle=dashes, linewidth=1.2 * page.scale)
        page.text(x + 7.2, y, f"{number(band.minutes)} 分钟 min", 5.6)
        x += min(30.0, 134 / len(sheet.bands))
    y, x = y + 5, MAP[0]
    axes = page.figure.axes[0]
    to_map = axes.transData.inverted().transform
    star = to_map(page.figure.transFigure.transform(((x + 3) / PAGE_MM[0], 1 - (y - 0.9) / PAGE_MM[1])))
    _start_mark(axes, star[0], star[1], page.scale * 0.9, clip=False)
    where = (
        "选定地点 chosen point"
        if sheet.chosen
        else f"起点:{'居住用地' if sheet.of_land else '居民居住'}中心的临街位置 start"
    )
    page.text(x + 7.2, y, where, 5.6)
    page.line(x + 58, y - 0.9, x + 65, y - 0.9, color="#7a1f5c", linestyle=(0, (6, 2, 1, 2)), linewidth=1 * page.scale)
    page.text(x + 66.5, y, "社区边界(用户提供)", 5.6)
    page.dot(x + 97, y - 0.8, "#5f6b76", "1")
    page.text(x + 100, y, f"最近 {NUMBERED} 处,其余为点 nearest {NUMBERED}", 5.6)


def _foot(page: _Page, sheet: Sheet) -> None:
    used = [m for m in MARKS if m in set(sheet.services["mark"])]
    marks = ";".join(MARKS[m] for m in used)
    widest = number(sheet.bands["minutes"].iloc[-1])
    who, whose, who_en = (
        ("居住用地", "可到的居住用地", "Land is") if sheet.of_land else ("居民", "可到家的居民", "People are")
    )
    notes = (
        f"{'居住用地(无人口数据)' if sheet.of_land else '人口'}:从起点沿街步行 {widest} 分钟内{whose},含其他社区;"
        "不按圈的面积估算。步行可达比 = 圈面积 ÷ 同时间直线圆面积。"
        f" {who_en} counted along streets, not by area; pedestrian shed = circle ÷ disc of the straight walk.",
        f"起点至标准:起点到最近一处的沿街距离与条文数值相比。本社区{'用地' if sheet.of_land else who}:"
        f"沿街步行在标准内的{who}比例;至少 = 图层可能不全。"
        f" 可信度 Marks: {marks or '—'}",
    )
    for n, words in enumerate(line for note in notes for line in _wrapped(note, 226)):
        page.text(8, 192.3 + 3.0 * n, words, 5.2, color=FAINT)
    credit = "  ·  ".join((*credits_of(sheet.result.run), NOT_A_SURVEY, f"标准 {sheet.result.rules.title_zh}"))
    page.line(8, 203.0, RIGHT_END, 203.0)
    page.text(8, 206.6, credit, 5.4, color=FAINT)
    approval = approval_line(sheet.result.approval_number)
    page.text(RIGHT_END, 206.6, approval, 6.6, weight="bold", ha="right", color=WARNING)


def _short(name: str) -> str:
    """Return the name of a service without its figure."""
    return name.split(" ", 1)[0]


def _plain(words: str) -> str:
    """Keep words on one line."""
    return " ".join(words.split())


_CLOSING = "、,。;:)”》 "  # no line begins with one of these


def _width(sign: str) -> int:
    return 2 if ord(sign) > 0x2E7F else 1


def _cut(words: str, width: int) -> str:
    """Shorten words to a width in half signs, with an ellipsis."""
    if sum(map(_width, words)) <= width:
        return words
    kept, used = [], 1
    for sign in words:
        used += _width(sign)
        if used > width:
            break
        kept.append(sign)
    return "".join(kept).rstrip() + "…"


def _wrapped(words: str, width: int) -> list[str]:
    """Break words into lines of a width in half signs, between Chinese signs or at spaces."""
    lines, line, used = [], "", 0
    for sign in words:
        if used + _width(sign) > width and sign not in _CLOSING:
            space = line.rfind(" ")
            whole = _width(sign) == 2 or sign == " " or _width(line[-1]) == 2 or space < len(line) // 2
            lines.append(line if whole else line[:space])
            line = "" if whole else line[space + 1 :]
            used = sum(map(_width, line))
        line, used = line + sign, used + _width(sign)
    return [*lines, line] if line.strip() else lines
