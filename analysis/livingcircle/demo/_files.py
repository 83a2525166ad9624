"""The files of the demo study beside its OpenStreetMap file: communities, people, heights, own tables."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import rasterio
import shapely
from rasterio import Affine

from livingcircle.demo._canvas import Canvas, Plane
from livingcircle.demo._cases import PRIVATE_KINDERGARTEN, case_rows
from livingcircle.demo._nature import HILL, HILL_HEIGHT_M, HILL_RADIUS_M
from livingcircle.demo._people import COLUMNS, TOTAL_PEOPLE, grid_rows
from livingcircle.demo._plan import INDUSTRIAL, NAMES, RURAL, community_outlines, subdistrict_of
from livingcircle.demo._town import Town
from livingcircle_layers.datum import gcj02_from_wgs84

DEM_STEP_DEG = 0.0004
DEM_BOX = (104.166, 30.475, 104.234, 30.525)  # west, south, east, north: a little more than the town
PLAIN_M = 480.0
SAME_KINDERGARTEN = "示意第三幼儿园"


def community_name(key: str) -> str:
    """Return the name of a community on the plan."""
    return f"示意{NAMES[key]}{'村' if key in RURAL else '社区'}"


def write_communities(plane: Plane, path: Path) -> None:
    """Write the communities as GeoJSON."""
    features = []
    for number, (key, outline) in enumerate(sorted(community_outlines().items()), start=1):
        subdistrict, district = subdistrict_of(key)
        properties = {
            "id": f"SY{number:03d}",
            "name": community_name(key),
            "subdistrict": subdistrict,
            "district": district,
            "type": "乡村" if key in RURAL else "产业" if key in INDUSTRIAL else "城镇",
        }
        ring = plane.degrees(shapely.get_coordinates(outline)).round(7).tolist()
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    collection = {"type": "FeatureCollection", "name": "示意镇社区", "features": features}
    path.write_text(json.dumps(collection, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def write_people(canvas: Canvas, path: Path) -> None:
    """Write the population table: the planted homes and a grid of 200 m."""
    planted = case_rows(canvas)
    rest = TOTAL_PEOPLE - sum(row.population for row in planted)
    rows = [*planted, *grid_rows(canvas.buildings, canvas.plane, rest)]
    _write_table(path, COLUMNS, (row.text() for row in rows))


def write_kindergartens(town: Town, path: Path) -> None:
    """Write a planner's own list: a kindergarten that OpenStreetMap has too, and one that it lacks."""
    places = {SAME_KINDERGARTEN: town.grounds[SAME_KINDERGARTEN], "示意民办幼儿园": PRIVATE_KINDERGARTEN}
    lonlat = town.canvas.plane.degrees(np.array([town.canvas.metres(p) for p in places.values()])).tolist()
    rows = ([name, f"{lon:.6f}", f"{lat:.6f}", "270"] for name, (lon, lat) in zip(places, lonlat, strict=True))
    _write_table(path, ("名称", "经度", "纬度", "学位"), rows)


def write_markets_gcj02(town: Town, path: Path) -> None:
    """Write the fresh food markets as a Chinese web map would export them: shifted, in GCJ-02."""
    places = {name: at for name, at in town.grounds.items() if "菜市场" in name}
    lonlat = town.canvas.plane.degrees(np.array([town.canvas.metres(p) for p in places.values()])).tolist()
    shifted = gcj02_from_wgs84(np.array(lonlat))
    rows = ([name, *(f"{x:.6f}" for x in place)] for name, place in zip(places, shifted, strict=True))
    _write_table(path, ("名称", "经度", "纬度"), rows)


def write_heights(plane: Plane, path: Path) -> None:
    """Write ground heights in metres as GeoTIFF: a plain that falls to the east, and the hill."""
    west, south, east, north = DEM_BOX
    columns, rows = round((east - west) / DEM_STEP_DEG), round((north - south) / DEM_STEP_DEG)
    lon = west + (np.arange(columns) + 0.5) * DEM_STEP_DEG
    lat = north - (np.arange(rows) + 0.5) * DEM_STEP_DEG
    grid = np.stack(np.meshgrid(lon, lat), axis=-1).reshape(-1, 2)
    x, y = plane.metres(grid).T
    away = np.hypot(x - HILL[0], y - HILL[1]) / HILL_RADIUS_M
    height = PLAIN_M - x * 0.0008 + HILL_HEIGHT_M * np.exp(-((1.6 * away) ** 2))
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=1, dtype="float32", crs="EPSG:4326",
        transform=Affine(DEM_STEP_DEG, 0, west, 0, -DEM_STEP_DEG, north), compress="deflate", predictor=3, nodata=-9999,
    ) as raster:  # fmt: skip
        raster.write(np.round(height, 1).astype("float32").reshape(rows, columns), 1)


def _write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)
