"""How a scan result is packed for the hearing map: columns instead of objects, whole numbers, steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from livingcircle.columns import COVERAGE as COVERAGE_TABLE
from livingcircle.columns import SCORES as SCORES_TABLE
from livingcircle.columns import published
from livingcircle.coverage import NESTED_LEVELS

if TYPE_CHECKING:
    import geopandas as gpd

    from livingcircle.result import ScanResult
    from livingcircle.standards import Rule

FORMAT = 1  # the page refuses another one
SCALE = 100_000  # steps per degree: one step is about 1 m, finer than any outline or facility is known
DEGREE_M = 111_320.0  # metres per degree of latitude
OUTLINE_M = 3.0  # outlines may move by this much; shared borders stay shared
OUTLINE_VERTICES = 400_000  # beyond it outlines are drawn more coarsely: about 3 MB of text
BACKGROUND_VERTICES = 600_000  # beyond it the least important background is left out: about 4 MB of text
BACKGROUND_M = {"water": 4.0, "green": 5.0, "road": 3.0, "rail": 4.0}  # a line may move by this much
PLACE_NAMES = 300  # names of the largest waters and greens

STATUS_CODES = {"ok": "o", "incomplete": "i", "no_data": "n", "no_demand": "d", "not_applicable": "a"}
COUNTS = {  # column of the coverage table -> decimals
    "demand": 2,
    "covered": 2,
    "radius_covered": 2,
    "minutes_covered": 2,
    "value": 3,
    "target": 4,
    "nearest_m_median": 0,
    "edge_share": 3,
    "facilities": 0,
}
JUDGEMENTS = ("met_clause", "met_walk")
SCORES = {
    "people": 0,
    "k_mean": 3,
    "n_scored": 0,
    "n_listed": 0,
    "score": 2,
    "score_low": 2,
    "score_high": 2,
    "complete_share": 4,
    "missing_one_share": 4,
}

Number = int | float | None


def payload(result: ScanResult) -> dict[str, Any]:
    """Return everything the hearing map shows, as plain lists that JSON can hold.

    Units are the communities, in their order, followed by the units above them; every
    column is a list in that order. Coordinates are whole steps of 1e-5 degrees from `origin`, and within
    a path each vertex is the step from the one before. Equal columns are stored once, in `columns`,
    and named by their position there (-1: nothing known).

    Parameters
    ----------
    result
        A finished scan. Its homes are not read.
    """
    # The numbers as the tables hold them, so that a map that is drawn again from its folder says the same.
    coverage, scores = published(result.coverage, COVERAGE_TABLE), published(result.scores, SCORES_TABLE)
    result = replace(result, coverage=coverage, scores=scores)
    origin = _origin(result)
    units = _units(result, origin)
    columns, series = _coverage(result, list(zip(units["level"], units["id"], strict=True)))
    return {
        "format": FORMAT,
        "title": str(result.run.get("name", "")),
        "data_date": str(result.run.get("data_date", "") or ""),
        "standard": {"zh": result.rules.title_zh, "en": result.rules.title_en},
        "approval": result.approval_number,
        "settings": [[str(key), _plain(value)] for key, value in result.settings.items()],
        "sources": _sources(result),
        "origin": origin,
        "scale": SCALE,
        "units": units,
        "rules": [_rule(result, rule, scores=rule.id in set(result.rules.scoring)) for rule in result.rules.rules],
        "columns": columns,
        "series": series,
        "services": _services(result),
        "facilities": _facilities(result, origin),
        "background": _background(result.background, origin),
        "places": _places(result.background, origin),
        "homes": None,  # room for people in cells, never single homes
        "network": None,
    }


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(part) for part in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _origin(result: ScanResult) -> list[float]:
    """South-west corner of the communities, rounded so that it is a whole number of steps."""
    west, south, _, _ = result.communities.total_bounds
    return [math.floor(float(west) * 100) / 100, math.floor(float(south) * 100) / 100]


def _sources(result: ScanResult) -> list[dict[str, str]]:
    keys = ("role", "path", "date", "licence", "attribution")
    return [
        {key: _plain(row.get(key)) for key in keys} for row in result.run.get("inputs", []) if isinstance(row, dict)
    ]


# -- columns -----------------------------------------------------------------------------------------


def _numbers(values: pd.Series, decimals: int) -> list[Number]:
    """Turn numbers into a list in which unknown ones are None and whole ones are integers."""
    rounded = pd.to_numeric(values, errors="coerce").astype("float64").round(decimals).to_numpy()
    return [None if not math.isfinite(x) else int(x) if x == int(x) else float(x) for x in rounded.tolist()]


def _texts(values: pd.Series) -> list[str]:
    return values.astype("object").where(values.notna(), "").astype(str).tolist()


def _judgements(values: pd.Series) -> str:
    """One sign per unit: 1 met, 0 not met, - not judged."""
    signs = {"true": "1", "1": "1", "1.0": "1", "yes": "1", "false": "0", "0": "0", "0.0": "0", "no": "0"}
    return "".join(signs.get(text.lower(), "-") for text in _texts(values))


def _units(result: ScanResult, origin: list[float]) -> dict[str, Any]:
    communities, scores = result.communities, result.scores
    upper = scores[scores["level"].isin(NESTED_LEVELS[1:])]  # estates and areas have no outline on the map
    own = scores[scores["level"] == "community"].set_index("unit_id").reindex(communities.index)
    own = own.assign(people=communities["people"])
    table = pd.concat([own.reset_index(drop=True), upper.reset_index(drop=True)], ignore_index=True)
    blank = [""] * len(upper)
    packed: dict[str, Any] = {
        "communities": len(communities),
        "level": ["community"] * len(communities) + _texts(upper["level"]),
        "id": [str(unit) for unit in communities.index] + _texts(upper["unit_id"]),
        "name": _texts(communities["unit_name"]) + _texts(upper["unit_name"]),
        "weakest": _texts(table["weakest_rule"]),
    }
    for name in ("subdistrict", "district", "unit_type"):
        packed[name] = _texts(communities[name]) + blank
    packed |= {name: _numbers(table[name], decimals) for name, decimals in SCORES.items()}
    packed["basis"] = _texts(communities["basis"])
    packed["not_placed"] = _numbers(communities["not_placed"], 0)
    packed["leg_m_p50"] = _numbers(communities["leg_m_p50"], 0)
    packed["shapes"] = _shapes(_outlines(communities.geometry.to_numpy()), origin)
    return packed


def _coverage(result: ScanResult, units: list[tuple[str, str]]) -> tuple[list[list[Number]], list[dict[str, Any]]]:
    """Spread the long coverage table into one column per rule, group, walker, gates and number."""
    table = result.coverage
    at = pd.MultiIndex.from_tuples(units).get_indexer(
        pd.MultiIndex.from_arrays([table["level"].astype(str), table["unit_id"].astype(str)])
    )
    table = table.assign(_at=at)[at >= 0]
    store: dict[tuple[Number, ...], int] = {}
    series = []
    key = ["rule", "group", "walker", "gates"]
    table[key] = table[key].astype("object").where(table[key].notna(), "")
    for names, part in table.groupby(key, sort=False):
        spread = part.set_index("_at").reindex(range(len(units)))
        packed: dict[str, Any] = {name: str(value) for name, value in zip(key, names, strict=True)}
        packed["stand_in"] = bool((part["group_basis"] == "stand_in").any())  # all people for the rule's group
        packed["status"] = "".join(STATUS_CODES.get(text, "-") for text in _texts(spread["status"]))
        for column in JUDGEMENTS:
            packed[column] = _judgements(spread[column])
        for column, decimals in COUNTS.items():
            numbers = tuple(_numbers(spread[column], decimals))
            known = any(number is not None for number in numbers)
            packed[column] = store.setdefault(numbers, len(store)) if known else -1
        series.append(packed)
    return [list(numbers) for numbers in store], series


# -- rules and services ------------------------------------------------------------------------------


def _rule(result: ScanResult, rule: Rule, *, scores: bool) -> dict[str, Any]:
    services = [name for name in rule.services if name in result.catalogue.services]
    return {
        "id": rule.id,
        "zh": rule.name_zh or rule.id,
        "en": rule.name_en or rule.id,
        "standard": rule.standard,
        "services": services,
        "theme": result.catalogue.services[services[0]].theme if services else "",
        "tier": rule.tier,
        "provision": rule.provision,
        "bound": rule.bound,
        "metric": rule.metric,
        "threshold": rule.threshold,
        "unit": rule.threshold_unit,
        "walker": rule.walker,
        "group": rule.group,
        "denominator": rule.denominator,
        "citation": rule.citation,
        "confidence": rule.confidence,
        "mark": rule.mark,
        "binding": bool(rule.may_fail_publicly),
        "note": rule.note,
        "scores": scores,
    }


def _services(result: ScanResult) -> list[dict[str, str]]:
    return [
        {
            "id": service.id,
            "zh": service.name_zh,
            "en": service.name_en,
            "theme": service.theme,
            "colour": service.colour,
        }
        for service in result.catalogue.services.values()
    ]


# -- geometry ----------------------------------------------------------------------------------------

Geometries = NDArray[np.object_]


def _outlines(shapes: Geometries) -> Geometries:
    """Simplify outlines without opening gaps between neighbours, until they are few enough to draw."""
    tolerance = OUTLINE_M / DEGREE_M
    simple: Geometries = shapely.coverage_simplify(shapes, tolerance)
    while shapely.get_num_coordinates(simple).sum() > OUTLINE_VERTICES and tolerance < 0.001:
        tolerance *= 2
        simple = shapely.coverage_simplify(shapes, tolerance)
    return np.where(shapely.is_empty(simple), shapes, simple)


def _steps(lines: Geometries, origin: Sequence[float]) -> list[list[int]]:
    """Write each line as x, y of its first vertex and then the steps from vertex to vertex."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    if len(xy) == 0:
        return []
    grid = np.rint((xy - np.asarray(origin)) * SCALE).astype(np.int64)
    first = np.r_[True, line[1:] != line[:-1]]
    moved = np.r_[True, (grid[1:] != grid[:-1]).any(axis=1)]
    grid, line = grid[first | moved], line[first | moved]
    first = np.r_[True, line[1:] != line[:-1]]
    steps = np.diff(grid, axis=0, prepend=0)
    steps[first] = grid[first]
    return [part.ravel().tolist() for part in np.split(steps, np.flatnonzero(first)[1:])]


def _shapes(areas: Geometries, origin: Sequence[float]) -> list[list[list[list[int]]]]:
    """Write each area as its polygons, each polygon as its rings."""
    polygons, area = shapely.get_parts(areas, return_index=True)
    rings, polygon = shapely.get_rings(polygons, return_index=True)
    nested: list[list[list[int]]] = [[] for _ in polygons]
    for position, steps in zip(polygon.tolist(), _steps(rings, origin), strict=True):
        nested[position].append(steps)
    shapes: list[list[list[list[int]]]] = [[] for _ in areas]
    for position, packed in zip(area.tolist(), nested, strict=True):
        shapes[position].append(packed)
    return shapes


def _points(shapes: Geometries, origin: Sequence[float]) -> list[int]:
    """Write one point per geometry, each as the step from the point before."""
    xy = shapely.get_coordinates(shapely.point_on_surface(shapes))
    grid = np.rint((xy - np.asarray(origin)) * SCALE).astype(np.int64)
    return [int(step) for step in np.diff(grid, axis=0, prepend=0).ravel()] if len(grid) else []


def _coded(values: pd.Series) -> tuple[list[str], list[int]]:
    codes, names = pd.factorize(pd.Series(_texts(values), dtype="object"))
    return [str(name) for name in names], [int(code) for code in codes]


def _facilities(result: ScanResult, origin: Sequence[float]) -> dict[str, Any]:
    places, doors = result.facilities, result.access_points
    sources, source = _coded(places["source"])
    hows, how = _coded(doors["how"])
    key = ["facility_id", "service", "source"]
    owners = pd.MultiIndex.from_frame(places[key].astype(str)).get_indexer(
        pd.MultiIndex.from_frame(doors[key].astype(str))
    )
    services = pd.Index(list(result.catalogue.services)).get_indexer(pd.Index(places["service"].astype(str)))
    return {
        "service": [int(position) for position in services],
        "name": _texts(places["name"]),
        "sources": sources,
        "source": source,
        "xy": _points(places.geometry.to_numpy(), origin),
        "hows": hows,
        "door_how": how,
        "door_of": [int(position) for position in owners],
        "door_xy": _points(doors.geometry.to_numpy(), origin),
    }


def _background(background: gpd.GeoDataFrame, origin: Sequence[float]) -> list[dict[str, Any]]:
    """Simplify the background by kind and rank, the most important first, and stop when it is too much."""
    drawn: list[dict[str, Any]] = []
    left = BACKGROUND_VERTICES
    for (rank, kind), part in background.groupby(["rank", "kind"], sort=True):
        areas, lines = _areas_and_lines(part.geometry.to_numpy())
        for form, shapes in (("area", areas), ("line", lines)):
            simple = shapely.simplify(shapes, BACKGROUND_M[str(kind)] / DEGREE_M)
            simple = simple[~shapely.is_empty(simple)]
            left -= int(shapely.get_num_coordinates(simple).sum())
            if left < 0:
                return drawn
            if len(simple):
                packed = _shapes(simple, origin) if form == "area" else _steps(simple, origin)
                drawn.append({"kind": str(kind), "rank": int(rank), "form": form, "shapes": packed})
    return drawn


def _areas_and_lines(shapes: Geometries) -> tuple[Geometries, Geometries]:
    """Take polygons and lines apart; lines that only continue each other become one."""
    parts = shapely.get_parts(shapely.get_parts(shapes))
    parts = parts[~shapely.is_empty(parts)]
    kind = shapely.get_type_id(parts)
    lines = parts[kind == shapely.GeometryType.LINESTRING]
    if len(lines):
        lines = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines)))
    return parts[kind == shapely.GeometryType.POLYGON], lines


def _places(background: gpd.GeoDataFrame, origin: Sequence[float]) -> dict[str, Any]:
    """Names of the largest waters and greens, largest first."""
    size = shapely.area(background.geometry.to_numpy())
    worth = (background["name"].fillna("") != "").to_numpy() & background["kind"].isin(["water", "green"]).to_numpy()
    largest = np.argsort(-size, kind="stable")
    named = background.iloc[largest[(worth & (size > 0))[largest]]]
    named = named[~named["name"].duplicated()].head(PLACE_NAMES)
    return {
        "name": _texts(named["name"]),
        "kind": _texts(named["kind"]),
        "xy": _points(named.geometry.to_numpy(), origin),
    }
