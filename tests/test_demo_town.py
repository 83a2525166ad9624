"""The demo town as it is written: the same bytes every time, sound OpenStreetMap, and the planted cases in place."""

from __future__ import annotations

import csv
import itertools
import json
import math
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import numpy as np
import osmium
import pytest
import rasterio
import shapely
from pyproj import Transformer

from livingcircle.demo import COMPLETE, NOT_MAPPED, SPARSE, write_demo_town
from livingcircle.demo._people import SHARES
from livingcircle.study import Study
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.crs import metric_crs

FILES = {
    "communities.geojson", "dem.tif", "kindergartens.csv", "markets_gcj02.csv", "population.csv", "study.toml",
    "town.osm.pbf",
}  # fmt: skip


@dataclass(frozen=True)
class Town:
    """The written files, read back without any code of the product but its metric plane."""

    folder: Path
    xy: dict[int, tuple[float, float]]
    nodes: dict[int, dict[str, str]]
    ways: dict[int, tuple[list[int], dict[str, str]]]
    relations: list[dict[str, str]]
    stamps: list[tuple[str, int, int, str]]

    def way(self, name: str) -> list[int]:
        return next(nodes for nodes, tags in self.ways.values() if tags.get("name") == name)

    def node(self, name: str) -> int:
        return next(node for node, tags in self.nodes.items() if tags.get("name") == name)

    def polygon(self, name: str) -> shapely.Polygon:
        return shapely.Polygon([self.xy[n] for n in self.way(name)])

    def names(self) -> list[str]:
        tagged = [*self.nodes.values(), *(tags for _, tags in self.ways.values()), *self.relations]
        return [tags["name"] for tags in tagged if "name" in tags]


def plane(folder: Path) -> Transformer:
    shapes = shapely.from_geojson((folder / "communities.geojson").read_text(encoding="utf-8"))
    return Transformer.from_crs(4326, metric_crs(shapely.total_bounds(shapes)), always_xy=True)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    folder = tmp_path_factory.mktemp("demo")
    write_demo_town(folder)
    to_metres = plane(folder)
    xy, nodes, ways, relations, stamps = {}, {}, {}, [], []
    for thing in osmium.FileProcessor(str(folder / "town.osm.pbf")):
        tags = {tag.k: tag.v for tag in thing.tags}
        stamps.append((thing.type_str(), thing.id, thing.version, thing.timestamp.isoformat()))
        if thing.is_node():
            xy[thing.id] = to_metres.transform(thing.lon, thing.lat)
            nodes[thing.id] = tags
        elif thing.is_way():
            ways[thing.id] = ([n.ref for n in thing.nodes], tags)
        else:
            relations.append(tags)
    return Town(folder, xy, {n: t for n, t in nodes.items() if t}, ways, relations, stamps)


@pytest.fixture(scope="module")
def walk(town: Town) -> nx.Graph:
    """The streets people may walk, with one edge between neighbouring vertices."""
    graph = nx.Graph()
    for nodes, tags in town.ways.values():
        if "highway" in tags and tags["highway"] != "motorway":
            for a, b in itertools.pairwise(nodes):
                graph.add_edge(a, b, length=math.dist(town.xy[a], town.xy[b]))
    return graph


def test_the_same_bytes_in_another_process(town: Town, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from livingcircle.demo import write_demo_town; write_demo_town(pathlib.Path(sys.argv[1]))"
    )
    paths = os.pathsep.join(str(Path(__file__).parents[1] / source) for source in ("analysis", "layers"))
    env = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": paths}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env=env)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (town.folder / name).read_bytes(), name


def test_an_older_town_in_the_folder_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "town.osm.pbf").write_bytes(b"old")
    study = write_demo_town(tmp_path)
    assert study == tmp_path / "study.toml"
    assert (tmp_path / "town.osm.pbf").stat().st_size > 50_000


def test_the_study_file_is_a_study(town: Town) -> None:
    study = Study.load(town.folder / "study.toml")
    assert study.standard == "chengdu"
    assert {entry.service for entry in study.layer} == set(COMPLETE)
    assert not set(COMPLETE) & {*NOT_MAPPED, *SPARSE}


def test_the_osm_file_is_sorted_and_undated(town: Town) -> None:
    order = {"n": 0, "w": 1, "r": 2}
    keys = [(order[kind], number) for kind, number, _, _ in town.stamps]
    assert keys == sorted(set(keys))
    assert {version for _, _, version, _ in town.stamps} == {1}
    assert {stamp for *_, stamp in town.stamps} == {"2026-01-01T00:00:00+00:00"}


def test_the_box_of_the_file_holds_everything(town: Town) -> None:
    reader = osmium.io.Reader(str(town.folder / "town.osm.pbf"))
    box = reader.header().box()
    reader.close()
    to_metres = plane(town.folder)
    west, south = to_metres.transform(box.bottom_left.lon, box.bottom_left.lat)
    east, north = to_metres.transform(box.top_right.lon, box.top_right.lat)
    xy = np.array(list(town.xy.values()))
    assert west < xy[:, 0].min()
    assert east > xy[:, 0].max()
    assert south < xy[:, 1].min()
    assert north > xy[:, 1].max()
    assert (east - west) - np.ptp(xy[:, 0]) < 400


def test_every_name_says_that_it_is_fictional(town: Town) -> None:
    names = town.names()
    assert len(names) > 500
    assert [name for name in names if "示意" not in name] == []


def test_ways_use_nodes_that_exist_and_never_the_same_twice_in_a_row(town: Town) -> None:
    for nodes, _ in town.ways.values():
        assert set(nodes) <= town.xy.keys()
        assert len(nodes) > 1
        assert all(a != b for a, b in itertools.pairwise(nodes))


def test_streets_that_cross_share_one_node(walk: nx.Graph, town: Town) -> None:
    nodes = list(walk)
    points = shapely.points([town.xy[n] for n in nodes])
    near = shapely.STRtree(points).query(points, predicate="dwithin", distance=0.5).T
    level_0 = Counter(int(a) for a, b in near if a < b)
    assert level_0 == Counter()


def test_all_streets_hang_together_but_the_islet(walk: nx.Graph, town: Town) -> None:
    parts = sorted(nx.connected_components(walk), key=len)
    assert len(parts) == 2
    assert parts[0] == set(town.way("示意洲小径"))


def test_viaduct_and_metro_share_no_node_with_the_streets(walk: nx.Graph, town: Town) -> None:
    for name in ("示意高架快速路", "示意地铁一号线"):
        assert not set(town.way(name)) & set(walk)


def test_only_four_streets_pass_the_railway(walk: nx.Graph, town: Town) -> None:
    rail = shapely.LineString([town.xy[n] for n in town.way("示意铁路")])
    assert sum(tags.get("railway") == "level_crossing" for tags in town.nodes.values()) == 2
    passing = {
        tags["name"] for nodes, tags in town.ways.values()
        if (tags.get("tunnel") == "yes" and "highway" in tags) or ("railway" not in tags and "highway" in tags
        and shapely.LineString([town.xy[n] for n in nodes]).crosses(rail))
    }  # fmt: skip
    assert len(passing) <= 4


def test_two_bridges_carry_walkers_over_the_river(town: Town) -> None:
    river = shapely.LineString([town.xy[n] for n in town.way("示意河")])
    over = [
        tags for nodes, tags in town.ways.values()
        if "highway" in tags and shapely.LineString([town.xy[n] for n in nodes]).crosses(river)
        and tags.get("name") != "示意洲小径"
    ]  # fmt: skip
    walked = [tags for tags in over if tags["highway"] != "motorway"]
    assert len(walked) == 2
    assert all(tags["bridge"] == "yes" and tags["layer"] == "1" for tags in walked)


def test_communities_tile_the_town(town: Town) -> None:
    collection = json.loads((town.folder / "communities.geojson").read_text(encoding="utf-8"))
    features = [f["properties"] for f in collection["features"]]
    assert 40 <= len(features) <= 48
    assert len({f["id"] for f in features}) == len({f["name"] for f in features}) == len(features)
    assert {f["type"] for f in features} == {"城镇", "乡村", "产业"}
    assert (len({f["subdistrict"] for f in features}), len({f["district"] for f in features})) == (4, 2)
    assert all("示意" in f[key] for f in features for key in ("name", "subdistrict", "district"))
    shapes = shapely.get_parts(shapely.from_geojson(json.dumps(collection)))
    assert shapely.is_valid(shapes).all()
    whole = shapely.union_all(shapes)
    assert whole.geom_type == "Polygon"
    assert len(whole.interiors) == 0
    assert shapely.area(shapes).sum() == pytest.approx(whole.area, rel=1e-9)


def test_people_are_whole_and_add_up(town: Town) -> None:
    people = rows(town.folder / "population.csv")
    assert sum(int(row["population"]) for row in people) == 150_000
    assert len({row["id"] for row in people}) == len(people)
    for row in people:
        groups = [int(row[group]) for group in SHARES]
        assert 0 < int(row["households"]) <= int(row["population"])
        assert min(groups) >= 0
        assert sum(groups) <= int(row["population"])


def test_the_catalogue_finds_every_service_but_the_missing_ones(town: Town) -> None:
    catalogue = load_catalogue()
    found: Counter[str] = Counter()
    for tags in [*town.nodes.values(), *(tags for _, tags in town.ways.values())]:
        found.update(catalogue.match_osm(tags))
    sized = {"large_sports_ground", "medium_sports_ground", "small_sports_ground"}
    wanted = {name for name, service in catalogue.services.items() if service.spatial} - sized
    assert wanted - found.keys() == set(NOT_MAPPED)
    assert found["outdoor_fitness"] == 3


def test_pitches_come_in_all_three_sizes(town: Town) -> None:
    areas = [
        shapely.Polygon([town.xy[n] for n in nodes]).area
        for nodes, tags in town.ways.values()
        if tags.get("leisure") == "pitch"
    ]
    assert sum(770 <= area < 1310 for area in areas) >= 3
    assert sum(1310 <= area < 3150 for area in areas) >= 10
    assert sum(area >= 3150 for area in areas) >= 2


@pytest.mark.parametrize(
    ("name", "area_m2"),
    [("示意三百平方米口袋公园", 300), ("示意五百平方米口袋公园", 500), ("示意六千平方米小游园", 6000)],
)
def test_pocket_parks_have_the_size_in_their_name(town: Town, name: str, area_m2: float) -> None:
    assert town.polygon(name).area == pytest.approx(area_m2, rel=0.005)


@pytest.mark.parametrize(("home", "expected"), [("量尺300.00", 300.00), ("量尺300.01", 300.01)])
def test_two_homes_stand_a_centimetre_either_side_of_the_limit(town: Town, home: str, expected: float) -> None:
    row = next(row for row in rows(town.folder / "population.csv") if row["id"] == home)
    place = shapely.Point(plane(town.folder).transform(float(row["lon"]), float(row["lat"])))
    street = shapely.LineString([town.xy[n] for n in town.way("示意量尺路")])
    kindergarten = shapely.Point(town.xy[town.node("示意量尺幼儿园")])
    walked = abs(street.project(place) - street.project(kindergarten))
    walked += street.distance(place) + street.distance(kindergarten)
    assert walked == pytest.approx(expected, abs=0.001)
    assert round(walked, 2) == expected


def test_no_other_kindergarten_is_near_the_ruler(town: Town) -> None:
    home = np.array([-2600.0, -980.0])
    names = []
    for nodes, tags in [*(([n], t) for n, t in town.nodes.items()), *town.ways.values()]:
        if tags.get("amenity") == "kindergarten" and np.hypot(*(np.array(town.xy[nodes[0]]) - home)) < 500:
            names.append(tags["name"])
    assert names == ["示意量尺幼儿园"]


def test_two_shops_stand_on_one_edge(town: Town, walk: nx.Graph) -> None:
    street = town.way("示意双店路")
    start, end = (town.xy[n][0] for n in street[-2:])
    assert end < -2800 < -2500 < start
    assert walk.degree[street[-1]] == 1
    for side, u in (("东", -2500), ("西", -2800)):
        assert town.xy[town.node(f"示意双店{side}便利店")] == pytest.approx((u, -810), abs=0.02)


def test_the_far_field_has_no_street_within_the_joining_limit(town: Town, walk: nx.Graph) -> None:
    lines = shapely.linestrings([[town.xy[a], town.xy[b]] for a, b in walk.edges])
    row = next(row for row in rows(town.folder / "population.csv") if row["id"] == "远田")
    home = shapely.Point(plane(town.folder).transform(float(row["lon"]), float(row["lat"])))
    assert shapely.distance(lines, home).min() > 310


def test_the_large_park_has_one_gate_in_its_fence(town: Town) -> None:
    fence = town.way("示意中央公园")
    gates = [n for n in set(fence) if town.nodes.get(n, {}).get("barrier") == "gate"]
    assert [town.nodes[n]["name"] for n in gates] == ["示意中央公园南门"]


def test_one_subdistrict_has_no_elder_day_care(town: Town) -> None:
    collection = json.loads((town.folder / "communities.geojson").read_text(encoding="utf-8"))
    to_metres = plane(town.folder)
    places = shapely.points([town.xy[n] for n, t in town.nodes.items() if t.get("social_facility") == "day_care"])
    count: Counter[str] = Counter()
    for feature in collection["features"]:
        ring = np.array(feature["geometry"]["coordinates"][0])
        shape = shapely.Polygon(np.column_stack(to_metres.transform(ring[:, 0], ring[:, 1])))
        count[feature["properties"]["subdistrict"]] += int(shapely.intersects(shape, places).sum())
    assert count.pop("示意新桥街道") == 0
    assert min(count.values()) > 5


def test_a_name_may_be_code(town: Town) -> None:
    assert town.node("<script>alert(1)</script>示意")


def test_the_planners_list_repeats_one_kindergarten(town: Town) -> None:
    listed = rows(town.folder / "kindergartens.csv")
    assert [row["名称"] for row in listed] == ["示意第三幼儿园", "示意民办幼儿园"]
    place = shapely.Point(plane(town.folder).transform(float(listed[0]["经度"]), float(listed[0]["纬度"])))
    assert town.polygon("示意第三幼儿园").contains(place)
    assert "示意民办幼儿园" not in town.names()


def test_the_web_maps_markets_are_shifted_by_the_datum(town: Town) -> None:
    listed = rows(town.folder / "markets_gcj02.csv")
    assert len(listed) > 10
    to_metres = plane(town.folder)
    for row in listed:
        shifted = to_metres.transform(float(row["经度"]), float(row["纬度"]))
        away = math.dist(shifted, shapely.get_coordinates(town.polygon(row["名称"]).centroid)[0])
        assert 340 < away < 400


def test_heights_show_the_hill_and_cover_the_town(town: Town) -> None:
    with rasterio.open(town.folder / "dem.tif") as raster:
        height = raster.read(1)
        assert raster.crs.to_epsg() == 4326
        west, south, east, north = raster.bounds
    box = shapely.box(west, south, east, north)
    shapes = shapely.from_geojson((town.folder / "communities.geojson").read_text(encoding="utf-8"))
    assert box.contains(shapely.union_all(shapely.get_parts(shapes)))
    assert 100 < height.max() - np.median(height) < 130
