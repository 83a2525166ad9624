"""The built-in demo town (示意镇), drawn by code: fictional, and the same to the byte every time."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from livingcircle.demo._canvas import Canvas
from livingcircle.demo._people import COLUMNS, TOTAL_PEOPLE, grid_rows
from livingcircle.demo._plan import INDUSTRIAL, NAMES, RURAL, community_outlines, subdistrict_of
from livingcircle.demo._town import draw_town

__all__ = ["write_demo_town"]

UNKNOWN = ("outdoor_fitness", "nursery_0_3", "ferry", "light_rail")
COMPLETE = (
    "kindergarten primary_school junior_secondary community_health_centre community_health_station "
    "hospital pharmacy elder_daycare nursing_home community_service_station culture_centre library sports_hall "
    "sports_field medium_sports_ground park fresh_market supermarket convenience bus_stop metro toilet"
).split()
STUDY = """\
name = "示意镇 Demo town"
standard = "chengdu"
walkers = ["adult"]

[streets]
osm = "town.osm.pbf"

[communities]
file = "communities.geojson"
complete = true

[population]
file = "population.csv"

# The demo town is known completely, except for the services that are not named here.
"""


def write_demo_town(directory: Path) -> Path:
    """Write the demo town as a study that `scan` can run, and return the path of its study file.

    Parameters
    ----------
    directory
        Created if missing; files of an earlier demo town in it are replaced.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_demo_town(Path(folder)).name
    'study.toml'
    """
    directory.mkdir(parents=True, exist_ok=True)
    canvas = draw_town()
    canvas.write(directory / "town.osm.pbf")
    _write_communities(canvas, directory / "communities.geojson")
    _write_people(canvas, directory / "population.csv")
    layers = "".join(f'\n[[layer]]\nservice = "{service}"\ncomplete = "yes"\n' for service in COMPLETE)
    study = directory / "study.toml"
    study.write_text(STUDY + layers, encoding="utf-8", newline="\n")
    return study


def _write_communities(canvas: Canvas, path: Path) -> None:
    features = []
    for number, (key, outline) in enumerate(sorted(community_outlines().items()), start=1):
        subdistrict, district = subdistrict_of(key)
        ring = canvas.plane.degrees(_coordinates(outline)).round(7).tolist()
        properties = {
            "id": f"SY{number:03d}",
            "name": f"示意{NAMES[key]}{'村' if key in RURAL else '社区'}",
            "subdistrict": subdistrict,
            "district": district,
            "type": "乡村" if key in RURAL else "产业" if key in INDUSTRIAL else "城镇",
        }
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    collection = {"type": "FeatureCollection", "name": "示意镇社区", "features": features}
    path.write_text(json.dumps(collection, ensure_ascii=False), encoding="utf-8", newline="\n")


def _coordinates(outline: object) -> "Array":
    import shapely

    return shapely.get_coordinates(outline)


def _write_people(canvas: Canvas, path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(row.text() for row in grid_rows(canvas.buildings, canvas.plane, TOTAL_PEOPLE))
