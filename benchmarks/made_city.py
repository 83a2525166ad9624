"""A made city for figures of scale: copies of Porto's streets, with invented communities, people and places.

LIVINGCIRCLE_DATA=../shared/data python benchmarks/made_city.py FOLDER --copies 3 --communities 4351 --homes 1000000

Only the streets are real (OpenStreetMap, ODbL 1.0), and they are repeated: this is for measuring speed, never a city.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import shapely
from osmium.filter import EntityFilter
from osmium.osm import NODE, WAY
from osmium.osm.mutable import Node, Way

ID_STEP = 10**11  # between the ids of two copies
GAP_DEG = 0.05  # between two copies: farther than anybody is searched for
PLACES = 2000  # of each kind and copy
PARK_DEG = 0.0005  # half the side of a made park: about 50 m
SEED = 20_180_701
TAGS: tuple[dict[str, str], ...] = (
    {"amenity": "school", "isced:level": "1"},
    {"amenity": "school", "isced:level": "2"},
    {"amenity": "kindergarten"},
    {"amenity": "childcare"},
    {"amenity": "clinic"},
    {"amenity": "hospital"},
    {"amenity": "pharmacy"},
    {"amenity": "marketplace"},
    {"amenity": "community_centre"},
    {"amenity": "social_facility", "social_facility": "day_care", "social_facility:for": "senior"},
    {"amenity": "library"},
    {"amenity": "post_office"},
    {"amenity": "bank"},
    {"amenity": "parking"},
    {"shop": "supermarket"},
    {"shop": "convenience"},
    {"highway": "bus_stop"},
    {"leisure": "sports_centre"},
    {"leisure": "fitness_station"},
)


class MadeCity:
    """Writes the files of a made city into a folder."""

    def __init__(self, source: Path, folder: Path, copies: int) -> None:
        self.source, self.folder, self.copies = source, folder, copies
        self.rng = np.random.default_rng(SEED)
        ways = osmium.FileProcessor(str(source)).with_locations().with_filter(EntityFilter(WAY))
        one = np.array([(n.lon, n.lat) for way in ways for n in way.nodes if n.location.valid()])
        width = np.ptp(one[:, 0]) + GAP_DEG
        self.shift = np.column_stack([width * np.arange(copies), np.zeros(copies)])
        self.nodes = (one[None] + self.shift[:, None]).reshape(-1, 2)

    def beside_streets(self, n: int, away_deg: float) -> np.ndarray:
        """Return n places close to street nodes (n × 2, degrees)."""
        at = self.nodes[self.rng.integers(len(self.nodes), size=n)]
        return np.round(at + self.rng.normal(0, away_deg, (n, 2)), 7)

    def write_streets(self) -> None:
        """Write the streets, points of every kind of place, and square parks."""
        target = self.folder / "city.osm.pbf"
        target.unlink(missing_ok=True)
        with osmium.SimpleWriter(str(target)) as writer:
            for copy, shift in enumerate(self.shift):
                for node in osmium.FileProcessor(str(self.source)).with_filter(EntityFilter(NODE)):
                    where = (node.location.lon + shift[0], node.location.lat)
                    writer.add_node(node.replace(id=node.id + copy * ID_STEP, location=where))
            rings = self._write_places(writer)
            for copy in range(self.copies):
                for way in osmium.FileProcessor(str(self.source)).with_filter(EntityFilter(WAY)):
                    refs = [node.ref + copy * ID_STEP for node in way.nodes]
                    writer.add_way(way.replace(id=way.id + copy * ID_STEP, nodes=refs))
            for ring in rings:
                writer.add_way(Way(id=ring[0], nodes=[*ring, ring[0]], tags={"leisure": "park"}))

    def _write_places(self, writer: Any) -> list[list[int]]:
        number = 10**15  # beyond all ids of streets
        for tags in TAGS:
            for lon, lat in self.beside_streets(PLACES * self.copies, 0.0003):
                number += 1
                named = {**tags, "name": f"示意{number % 9973}"}
                writer.add_node(Node(id=number, location=(lon, lat), tags=named))
        rings = []
        for lon, lat in self.beside_streets(PLACES * self.copies, 0.001):
            ring = []
            for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
                number += 1
                ring.append(number)
                writer.add_node(Node(id=number, location=(lon + dx * PARK_DEG, lat + dy * PARK_DEG)))
            rings.append(ring)
        return rings

    def write_communities(self, n: int) -> None:
        """Write cells around n places as communities, in districts of about 200 and subdistricts of about 15."""
        seeds = self.beside_streets(n, 0.001)
        low, high = self.nodes.min(axis=0), self.nodes.max(axis=0)
        box = shapely.box(*low.tolist(), *high.tolist())
        cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seeds), extend_to=box))
        cells = shapely.intersection(cells, box)
        centre = shapely.get_coordinates(shapely.centroid(cells))
        order = np.lexsort((centre[:, 1], np.floor((centre[:, 0] - low[0]) / 0.05)))
        number = np.arange(n)
        frame = gpd.GeoDataFrame(
            {
                "id": [f"{i:06d}" for i in number],
                "name": [f"示意社区{i}" for i in number],
                "subdistrict": [f"示意街道{i // 15}" for i in number],
                "district": [f"示意区{i // 195}" for i in number],
                "type": "urban",
            },
            geometry=cells[order],
            crs="EPSG:4326",
        )
        frame.to_file(self.folder / "communities.gpkg", layer="communities", engine="pyogrio")

    def write_people(self, n: int) -> None:
        """Write n homes with one to eight people."""
        lon, lat = self.beside_streets(n, 0.0003).T
        people = self.rng.integers(1, 9, size=n)
        table = pd.DataFrame({"id": np.arange(n), "lon": lon, "lat": lat, "population": people})
        table.to_csv(self.folder / "people.csv", index=False)

    def write_study(self) -> None:
        """Write a study of all that."""
        (self.folder / "study.toml").write_text(
            'name = "made city"\nstandard = "chengdu"\n\n[streets]\nosm = "city.osm.pbf"\n\n'
            '[communities]\nfile = "communities.gpkg"\ncomplete = true\n\n[population]\nfile = "people.csv"\n',
            encoding="utf-8",
        )


def main() -> None:
    """Write a made city."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--communities", type=int, default=4351)
    parser.add_argument("--homes", type=int, default=1_000_000)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    source = Path(os.environ["LIVINGCIRCLE_DATA"]) / "porto" / "porto_portugal.osm.pbf"
    city = MadeCity(source, options.folder, options.copies)
    city.write_streets()
    city.write_communities(options.communities)
    city.write_people(options.homes)
    city.write_study()


if __name__ == "__main__":
    main()
