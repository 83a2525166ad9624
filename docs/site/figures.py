"""The figures of the page on the model, drawn from the demo town as the product measures it."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from scipy.spatial import cKDTree

import livingcircle as lc
from livingcircle.circles import places_of
from livingcircle.community_circles import starts_of
from livingcircle.fonts import chinese_text
from livingcircle.measured import Measured
from livingcircle.reach import Layer
from livingcircle.route import route_to_nearest
from livingcircle.scores import histogram_table, services_reached

RIVERSIDE, SCHOOL = "SY032", "gb50180_2018_primary_school"  # 示意对岸社区: the school on the other bank
INK, FAINT, STREET = "#1d2733", "#5c6875", "#c3c8cc"
WATER, GREEN, HOUSE = "#a9cfe4", "#d3e6c3", "#e3ded6"
TEAL, AMBER, RED = "#0b5a66", "#d98e04", "#a61c1c"
BANDS = ("#0b5a66", "#2a8c99", "#7cc0c6")


def figures(measured: Measured) -> dict[str, bytes]:
    """Return the figures of the measured demo town by file name; the same town gives the same bytes."""
    with chinese_text():
        drawn = {
            "joining.png": _joining(measured),
            "walk.png": _walk(measured),
            "false-coverage.png": _false_coverage(measured),
            "circle.png": _circle(measured),
            "score.png": _score(measured),
        }
        return {name: _png(figure) for name, figure in drawn.items()}


def _joining(measured: Measured) -> Figure:
    """Draw a home in the middle of a long street: joined along it, and where a snap to the corner would take it."""
    city, streets = measured.city, measured.city.network.streets
    joins, homes = city.home_joins, city.homes[["x", "y"]].to_numpy(dtype=float)
    ends = np.bincount(np.concatenate([streets.tail, streets.head]), minlength=len(streets.node_id))
    corners = streets.node_xy[ends >= 3]
    feet = places_of(streets, joins)
    moved, nearest = cKDTree(corners).query(feet)
    # 200 m: half the side of a superblock; corners farther away are those of roads through the fields.
    at = int(np.argmax(np.where((joins.leg_m > 15) & (joins.leg_m < 60) & (moved <= 200), moved, -1.0)))
    home, foot, corner = homes[at], feet[at], corners[nearest[at]]
    figure, axes = _map(measured, shapely.box(*_around([home, foot, corner], 90)))
    _line(axes, shapely.LineString([home, corner]), color=RED, lw=2, ls=(0, (4, 3)))
    _line(axes, shapely.LineString([home, foot]), color=TEAL, lw=3)
    axes.plot(*corner, "s", color=RED, ms=10, zorder=6)
    axes.plot(*foot, "o", color=TEAL, ms=9, zorder=6)
    axes.plot(*home, "o", color=AMBER, ms=12, mec="white", mew=1.5, zorder=6)
    _say(axes, home, "居民 home", AMBER, (10, 8))
    _say(axes, foot, f"沿街接入,路程 {joins.leg_m[at]:.0f} m\njoins along the street", TEAL, (12, -26))
    _say(axes, corner, f"若接路口,偏 {moved[at]:.0f} m\na snap to the corner", RED, (12, 8))
    return figure


def _walk(measured: Measured) -> Figure:
    """Draw one home and one school, as the crow flies and along the streets."""
    home, school, straight, line, metres = _farthest_inside(measured)
    figure, axes = _map(measured, shapely.box(*_around([*line.coords, home, school], 120)))
    _line(axes, shapely.LineString([home, school]), color=AMBER, lw=2.5, ls=(0, (4, 3)))
    _line(axes, line, color=TEAL, lw=3.5)
    axes.plot(*home, "o", color=AMBER, ms=11, mec="white", mew=1.5, zorder=6)
    axes.plot(*school, "s", color=TEAL, ms=11, mec="white", mew=1.5, zorder=6)
    _say(axes, home, "居民 home", INK, (8, -18))
    _say(axes, school, "小学 primary school", INK, (-60, -24))
    _say(axes, (np.asarray(home) + school) / 2, f"半径 straight line {straight:.0f} m", AMBER, (-70, 12))
    _say(axes, line.interpolate(0.5, normalized=True).coords[0], f"步行 walk {metres:,.0f} m", TEAL, (8, 8))
    return figure


def _farthest_inside(measured: Measured) -> tuple[Any, Any, float, shapely.LineString, float]:
    """Return the home of the riverside that walks farthest to the school whose radius it is in, and both ways."""
    city, verdict = measured.city, measured.first[SCHOOL]
    ground, school_id = _school(measured)
    xy = city.homes[["x", "y"]].to_numpy(dtype=float)
    straight = shapely.distance(shapely.points(xy), ground)
    gates = city.door_joins.take(np.flatnonzero((city.doors["facility_id"] == school_id).to_numpy()))
    walk = city.network.walk(measured.walkers[0])
    metres = walk.nearest(city.home_joins, gates, limit=measured.study.search_limit_m)[0]
    riverside = (city.homes["unit"] == RIVERSIDE).to_numpy() & (straight <= verdict.reach_m)
    at = int(np.argmax(np.where(riverside, np.nan_to_num(metres), -1.0)))
    route = route_to_nearest(walk, city.home_joins.take(np.array([at])), gates, limit=measured.study.search_limit_m)
    assert route is not None
    school = shapely.get_coordinates(shapely.shortest_line(shapely.Point(xy[at]), ground))[-1]
    line = shapely.LineString([xy[at], *route.line(city.network.streets).coords])
    return xy[at], school, float(straight[at]), line, float(metres[at])


def _school(measured: Measured) -> tuple[Any, str]:
    """Return the ground and id of the school that is nearest to the riverside in a straight line."""
    city, layer = measured.city, Layer.of(measured.first[SCHOOL].rule)
    schools = city.facilities[layer.chosen(city.facilities)]
    homes = shapely.multipoints(city.home_points[(city.homes["unit"] == RIVERSIDE).to_numpy()])
    at = int(np.argmin(shapely.distance(schools.geometry.to_numpy(), homes)))
    return schools.geometry.to_numpy()[at], str(schools["facility_id"].iloc[at])


def _false_coverage(measured: Measured) -> Figure:
    """Draw the riverside community: who is inside the radius, and who can walk there."""
    city, verdict = measured.city, measured.first[SCHOOL]
    ground, _ = _school(measured)
    radius = ground.buffer(verdict.reach_m)
    figure, axes = _map(measured, shapely.box(*radius.buffer(60).bounds))
    axes.plot(*radius.exterior.xy, color=AMBER, lw=2, ls=(0, (4, 3)), zorder=4)
    xy, people = city.homes[["x", "y"]].to_numpy(dtype=float), city.homes["people"].to_numpy(dtype=float)
    inside = shapely.distance(city.home_points, ground) <= verdict.reach_m
    kinds = (
        (inside & verdict.walk, TEAL, "走得到 within the walk"),
        (inside & ~verdict.walk, RED, "假覆盖 inside the radius, out of reach"),
        (~inside, FAINT, "半径之外 outside"),
    )
    for chosen, colour, words in kinds:
        axes.scatter(*xy[chosen].T, s=6 + people[chosen] * 0.5, color=colour, lw=0.4, ec="white", zorder=5, label=words)
    school = ground.centroid.coords[0]
    axes.plot(*school, "s", color=INK, ms=11, mec="white", mew=1.5, zorder=6)
    _say(axes, school, "小学 school", INK, (10, -16))
    axes.legend(loc="lower right", framealpha=0.95, fontsize=9, markerscale=0.8).set_zorder(9)
    return figure


def _circle(measured: Measured) -> Figure:
    """Draw the circles of 5, 10 and 15 minutes of the riverside community."""
    bands = lc.community_circles(replace(measured, only=(RIVERSIDE,))).to_crs(measured.city.network.streets.crs)
    bands = bands.sort_values("minutes", ascending=False)
    figure, axes = _map(measured, shapely.box(*shapely.buffer(bands.geometry.iloc[0], 120).bounds))
    for (_, band), colour in zip(bands.iterrows(), BANDS[::-1], strict=True):
        for part in shapely.get_parts(band.geometry):
            axes.fill(*part.exterior.xy, color=colour, alpha=0.35, lw=0, zorder=3)
            axes.plot(*part.exterior.xy, color=colour, lw=1.6, zorder=4)
        top = np.asarray(max(shapely.get_coordinates(band.geometry).tolist(), key=lambda point: point[1]))
        _say(axes, top, f"{band.minutes:.0f} min  {band.people:,} 人 people", TEAL, (-20, -14))
    starts = starts_of(measured.city)
    start = starts.xy[list(starts.unit_id).index(RIVERSIDE)]
    axes.plot(*start, "o", color=INK, ms=9, mec="white", mew=1.5, zorder=6)
    return figure


def _score(measured: Measured) -> Figure:
    """Draw how many people reach how many services, and the mean that is the score."""
    reached = services_reached(
        measured.rules, measured.first, measured.standings, measured.people, catalogue=measured.catalogue
    )
    table = histogram_table(reached, measured.people, measured.levels)
    city = table[(table["level"] == "city") & (table["group"] == "all")]
    k, people, n = city["k"].to_numpy(), city["people"].to_numpy(), len(reached.listed)
    mean = float((k * people).sum() / people.sum())
    figure = Figure(figsize=(8, 4), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.1, 0.16, 0.87, 0.78))
    axes.bar(k, people, color=BANDS[1], width=0.8)
    axes.axvline(mean, color=RED, lw=2)
    words = f"平均 mean k = {mean:.1f}\n得分 score = 100 · {mean:.1f} / {n} = {100 * mean / n:.0f}"
    axes.annotate(words, (0.66, 0.8), xycoords="axes fraction", color=RED, fontsize=12)
    axes.set(
        xlabel=f"步行可达的服务项数 k(共 {n} 项) services in reach, of {n}", ylabel="人 people", xticks=range(n + 1)
    )
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _map(measured: Measured, view: shapely.Geometry) -> tuple[Figure, Any]:
    """Return a map of a window of the town, with a scale bar: land, water, houses, streets."""
    west, south, east, north = view.bounds
    wider = max(0.0, (north - south) / 0.85 - (east - west)) / 2  # no figure is nearly square
    west, east = west - wider, east + wider
    figure = Figure(figsize=(8.0, 8.0 * (north - south) / (east - west)), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), facecolor="#f4f3ee")
    axes.set(xlim=(west, east), ylim=(south, north), xticks=[], yticks=[])
    osm = measured.inputs.osm
    near = shapely.box(west, south, east, north)
    ground = osm.background
    for kind, colour in (("green", GREEN), ("water", WATER)):
        _fill(axes, ground.geometry[ground["kind"] == kind], near, colour)
    _fill(axes, osm.buildings.geometry, near, HOUSE)
    for line in osm.streets.lines[shapely.intersects(osm.streets.lines, near)]:
        _line(axes, line, color=STREET, lw=1.4, zorder=2)
    step = 100 if east - west < 1500 else 500
    x, y = west + 0.03 * (east - west), south + 0.04 * (north - south)
    axes.plot([x, x + step], [y, y], color=INK, lw=3, solid_capstyle="butt", zorder=8)
    _say(axes, (x, y), f"{step} m", INK, (0, 5))
    return figure, axes


def _fill(axes: Any, shapes: Iterable[Any], near: shapely.Geometry, colour: str) -> None:
    for shape in shapes:
        if not shape.intersects(near):
            continue
        for part in shapely.get_parts(shape):
            if part.geom_type == "Polygon":
                axes.fill(*part.exterior.xy, color=colour, lw=0, zorder=1)


def _line(axes: Any, line: Any, **style: Any) -> None:
    axes.plot(*shapely.get_coordinates(line).T, **{"zorder": 5, "solid_capstyle": "round", **style})


def _say(axes: Any, at: Any, words: str, colour: str, offset: tuple[int, int]) -> None:
    halo = [withStroke(linewidth=3, foreground="white")]
    style: dict[str, Any] = {"textcoords": "offset points", "color": colour, "fontsize": 11, "path_effects": halo}
    axes.annotate(words, tuple(at), offset, zorder=9, **style)


def _around(points: Iterable[Any], margin: float) -> tuple[float, float, float, float]:
    xy = np.array([tuple(point)[:2] for point in points], dtype=float)
    return (*(xy.min(axis=0) - margin), *(xy.max(axis=0) + margin))


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()
