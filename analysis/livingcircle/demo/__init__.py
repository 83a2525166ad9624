"""The built-in demo town (示意镇), drawn by code: fictional, and the same to the byte every time.

Forty-five communities on both sides of a river, 150,000 people, and a place of nearly every service. The cases that
are planted in it, with the answers that must come out, are listed in `livingcircle.demo._cases`.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from livingcircle.demo import _files
from livingcircle.demo._town import draw_town

if TYPE_CHECKING:
    from livingcircle.study import Study

__all__ = ["demo_study", "write_demo_town"]

# Services without any place in the town, and one of which only a few are mapped: nothing is claimed about them.
NOT_MAPPED = ("nursery_0_3",)
SPARSE = ("outdoor_fitness",)
COMPLETE = (
    "kindergarten", "primary_school", "junior_secondary", "community_health_centre", "community_health_station",
    "hospital", "pharmacy", "elder_daycare", "nursing_home", "community_service_station", "culture_centre", "library",
    "sports_hall", "medium_sports_ground", "park", "greenway", "fresh_market", "supermarket", "convenience",
    "breakfast", "housekeeping", "bus_stop", "metro", "parking", "charging", "toilet",
)  # fmt: skip
STUDY = """\
name = "示意镇 Demo town"
standard = "chengdu"
walkers = ["adult"]

[streets]
osm = "town.osm.pbf"
dem = "dem.tif"          # ground heights, for walking times on slopes

[communities]
file = "communities.geojson"
complete = true          # all communities of every subdistrict and district are here

[population]
file = "population.csv"
licence = "fictional"

[[facilities]]           # a planner's own list, added to what the map has
file = "kindergartens.csv"
service = "kindergarten"
mode = "add"
licence = "fictional"

# [[facilities]]         # the markets once more, as a web map exports them: shifted by some 370 m
# file = "markets_gcj02.csv"
# service = "fresh_market"
# mode = "replace"
# datum = "gcj02"

# What is known about the layers of the map: every place of these services is in it.
"""


def demo_study(directory: str | Path | None = None) -> Study:
    """Return the study of the built-in demo town (示意镇).

    Parameters
    ----------
    directory
        Where its files are written; by default a temporary folder that goes away with the program.

    Examples
    --------
    >>> demo_study().name
    '示意镇 Demo town'
    """
    from livingcircle.study import Study

    return Study.load(write_demo_town(Path(directory) if directory else Path(_temporary_folder().name)))


@cache
def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="livingcircle-demo-")


def write_demo_town(directory: Path) -> Path:
    """Write the demo town as a study that can be scanned, and return the path of its study file.

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
    town = draw_town()
    town.canvas.write(directory / "town.osm.pbf")
    _files.write_communities(town.canvas.plane, directory / "communities.geojson")
    _files.write_people(town.canvas, directory / "population.csv")
    _files.write_kindergartens(town, directory / "kindergartens.csv")
    _files.write_markets_gcj02(town, directory / "markets_gcj02.csv")
    _files.write_heights(town.canvas.plane, directory / "dem.tif")
    layers = "".join(f'\n[[layer]]\nservice = "{service}"\ncomplete = "yes"\n' for service in COMPLETE)
    study = directory / "study.toml"
    study.write_text(STUDY + layers, encoding="utf-8", newline="\n")
    return study
