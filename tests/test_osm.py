"""Reading OpenStreetMap files: every format says the same, broken files say what is wrong, some things stay unread."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.errors import InputError
from livingcircle_layers.osm import OsmExtract, forbidden, read_osm, read_streets
from towns import CRS, FILE_CM, Town

CATALOGUE = load_catalogue()
ONE_LINE = re.compile(r"[^\n]+")


def sample() -> Town:
    """Return a town with a little of everything."""
    return (
        Town("""
        a--b--c--g
        |  |  |  |
        d--e--f--h
        """)
        .way("abcg")
        .way("defh", highway="primary", name="东大街")
        .way("ad", highway="steps")
        .way("be", highway="cycleway", foot="designated")
        .way("cf", highway="service", access="private")
        .way("gh", railway="rail")
        .tag("b", highway="bus_stop", name="B")
        .tag("e", barrier="gate")
        .box(100, 0, 50, 50, leisure="park", name="示意公园")
        .box(100, 100, 20, 30, building="apartments", building__levels="6")
        .box(200, 100, 20, 30, building="retail", shop="supermarket")
        .box(55, -5, 20, 60, landuse="residential")
        .box(300, 0, 80, 80, natural="water", name="示意湖")
    )


def same(a: OsmExtract, b: OsmExtract) -> None:
    for name, value in vars(a.streets).items():
        if isinstance(value, np.ndarray) and name != "lines":
            np.testing.assert_array_equal(value, getattr(b.streets, name), err_msg=name)
    for name in ("features", "buildings", "residential_land", "water", "barriers", "background"):
        one, other = (by_place(getattr(x, name)) for x in (a, b))
        pd.testing.assert_frame_equal(one, other, obj=name)
    assert a.extent.equals(b.extent)
    assert a.data_date == b.data_date


def by_place(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return rows in an order of their own, tags as sorted text."""
    frame = frame.to_wkt()
    if "tags" in frame:
        frame = frame.assign(tags=[str(sorted(tags.items())) for tags in frame["tags"]])
    return frame.sort_values(list(frame.columns)).reset_index(drop=True)


@pytest.mark.parametrize("name", ["t.osm.pbf", "t.pbf", "t.osm.gz", "t.osm.bz2"])
def test_every_format_says_the_same(tmp_path: Path, name: str) -> None:
    same(sample().read(tmp_path, "plain.osm"), sample().read(tmp_path, name))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_order_of_objects_does_not_matter(tmp_path: Path, seed: int) -> None:
    same(sample().read(tmp_path, "a.osm"), sample().read(tmp_path, "b.osm", seed=seed))


def test_ways_before_their_nodes_and_objects_twice_are_read(tmp_path: Path) -> None:
    lines = sample().xml().splitlines()
    ways = [line for line in lines if line.startswith("<way")]
    nodes = [line for line in lines if line.startswith("<node")]
    mixed = tmp_path / "mixed.osm"
    mixed.write_text("\n".join([*lines[:2], *ways, *nodes, *ways, lines[-1]]), encoding="utf-8")
    same(sample().read(tmp_path), read_osm(mixed, CATALOGUE, CRS))
    mixed.write_text("\n".join([*lines[:2], *ways, *nodes, lines[-1]]), encoding="utf-8")
    same(sample().read(tmp_path), read_osm(mixed, CATALOGUE, CRS))


def test_metadata_is_not_needed(tmp_path: Path) -> None:
    dated, plain = sample().read(tmp_path, "a.osm"), sample().read(tmp_path, "b.osm", metadata=False)
    assert dated.data_date == "2024-05-06"
    assert plain.data_date == ""
    np.testing.assert_array_equal(dated.streets.length_m, plain.streets.length_m)
    assert plain.features["osm_id"].tolist() == dated.features["osm_id"].tolist()


def test_a_file_with_nothing_but_a_street_is_enough(tmp_path: Path) -> None:
    osm = Town("a--b").way("ab").read(tmp_path)
    assert len(osm.streets.tail) == 1
    for frame in (osm.features, osm.buildings, osm.residential_land, osm.water, osm.barriers):
        assert len(frame) == 0
        assert frame.crs == osm.crs
    assert osm.background["kind"].tolist() == ["road"]


def test_a_file_with_nothing_but_a_square_is_enough(tmp_path: Path) -> None:
    town = Town("""
        a--b
        |  |
        d--c
    """).area("abcd").relation([("outer", 0)], highway="pedestrian", area="yes")  # fmt: skip
    osm = town.read(tmp_path)
    assert osm.streets.length_m.tolist() == [pytest.approx(140, abs=2 * FILE_CM)]
    assert osm.streets.way_id.tolist() == [900]


def test_what_is_in_the_file(tmp_path: Path) -> None:
    osm = sample().read(tmp_path)
    assert osm.features["osm_id"].is_unique
    by_id = osm.features.set_index("osm_id")
    assert {f"n{ord('b')}", f"n{ord('e')}"} <= set(by_id.index)
    park = by_id[[t.get("leisure") == "park" for t in by_id["tags"]]]
    assert park.geometry.iloc[0].area == pytest.approx(2500, abs=5)
    assert park.index[0].startswith("w")
    floors = dict(zip(osm.buildings["residential"], osm.buildings["floor_m2"], strict=True))
    assert floors == {True: pytest.approx(3600, abs=10), False: pytest.approx(600, abs=2)}
    assert osm.residential_land.area.tolist() == [pytest.approx(1200, abs=4)]
    assert osm.water.area.tolist() == [pytest.approx(6400, abs=8)]
    assert osm.barriers["kind"].sort_values().tolist() == ["rail", "water"]
    kinds = osm.background.groupby("kind")["name"].agg(lambda names: sorted(set(names)))
    assert kinds.to_dict() == {"green": ["示意公园"], "rail": [""], "road": ["", "东大街"], "water": ["示意湖"]}


@pytest.mark.parametrize("levels", ["nine", "-3", "0", "5000"])
def test_impossible_numbers_of_storeys_count_as_one(tmp_path: Path, levels: str) -> None:
    town = Town("a--b").way("ab").box(0, 50, 10, 10, building="apartments", building__levels=levels)
    assert town.read(tmp_path).buildings["floor_m2"].tolist() == [pytest.approx(100, abs=0.5)]


def test_plane_is_centred_on_the_data(tmp_path: Path) -> None:
    osm = read_osm(Town("a--b").way("ab").write(tmp_path / "t.osm"), CATALOGUE)
    assert osm.streets.length_m.tolist() == [pytest.approx(30, abs=FILE_CM)]
    assert np.abs(osm.streets.node_xy).max() < 1500


def test_an_area_that_the_cut_has_broken_is_no_error(tmp_path: Path) -> None:
    town = (
        Town("""
        a--b   c--d
               |  |
               f--e
    """)
        .way("ab")
        .area("cdef", natural="water")
        .without("e")
    )
    osm = town.read(tmp_path)
    assert len(osm.streets.tail) == 1
    assert len(osm.water) == 0


# What a map in China must not show ----------------------------------------------------------------


@pytest.mark.parametrize(
    "tags",
    [
        {"military": "barracks"},
        {"landuse": "military"},
        {"amenity": "prison"},
        {"power": "substation"},
        {"man_made": "pipeline"},
        {"landuse": "grass", "military": "range"},
        {"leisure": "park", "military": "yes"},
        {"building": "yes", "military": "bunker"},
        {"natural": "water", "landuse": "military"},
    ],
)
def test_forbidden_things_are_not_read_at_all(tmp_path: Path, tags: dict[str, str]) -> None:
    town = Town("a--b\nc--d").way("ab").box(0, 50, 40, 40, **tags, name="secret").node(5, 5, **tags, name="secret")
    osm = town.tagged_way("cd", {"barrier": "fence", **tags}).read(tmp_path)
    assert forbidden(tags)
    assert len(osm.features) == len(osm.water) == len(osm.barriers) == len(osm.buildings) == 0
    assert osm.background["kind"].tolist() == ["road"]
    assert "secret" not in osm.background["name"].tolist()


# Broken files -------------------------------------------------------------------------------------


def fails(path: Path, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_osm(path, CATALOGUE)
    assert ONE_LINE.fullmatch(str(caught.value))
    assert path.name in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    fails(tmp_path / "gone.osm.pbf", "not found")


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    other = tmp_path / "city.shp"
    other.write_bytes(b"x")
    fails(other, r"got suffix '\.shp'")


def test_an_empty_file(tmp_path: Path) -> None:
    empty = tmp_path / "empty.osm.pbf"
    empty.write_bytes(b"")
    fails(empty, "is empty")


PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256))


@pytest.mark.parametrize(
    "content", [b"These are words, not a map.\n" * 50, PNG, b"\x00" * 2000], ids=["text", "png", "zeros"]
)
@pytest.mark.parametrize("name", ["x.osm.pbf", "x.osm", "x.osm.gz", "x.osm.bz2"])
def test_other_content_under_the_name_of_a_map(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    fails(file, "cannot be read as OpenStreetMap data; got .+; remedy")


@pytest.mark.parametrize("name", ["cut.osm.gz", "cut.osm.bz2", "cut.osm"])
def test_a_file_that_is_cut_off(tmp_path: Path, name: str) -> None:
    whole = sample().write(tmp_path / name).read_bytes()
    for share in (0.3, 0.9):
        (tmp_path / name).write_bytes(whole[: int(share * len(whole))])
        fails(tmp_path / name, "cannot be read as OpenStreetMap data")


def test_xml_of_another_kind(tmp_path: Path) -> None:
    file = tmp_path / "x.osm"
    file.write_text("<?xml version='1.0'?><gpx></gpx>", encoding="utf-8")
    fails(file, "cannot be read as OpenStreetMap data|holds no walkable way")


def test_a_map_without_streets(tmp_path: Path) -> None:
    fails(Town("a--b").way("ab", railway="rail").write(tmp_path / "rail.osm"), "holds no walkable way")
    fails(Town("a--b").tag("a", shop="supermarket").write(tmp_path / "shops.osm"), "holds no walkable way")
    empty = tmp_path / "nothing.osm"
    empty.write_text('<?xml version="1.0"?><osm version="0.6"></osm>', encoding="utf-8")
    fails(empty, "holds no walkable way")


def test_ways_without_any_node_in_the_file(tmp_path: Path) -> None:
    fails(Town("a--b").way("ab").without("ab").write(tmp_path / "t.osm"), "holds no walkable way")
    bare = tmp_path / "bare.osm"
    bare.write_text('<osm version="0.6"><way id="1"><tag k="highway" v="path"/></way></osm>', encoding="utf-8")
    fails(bare, "holds no walkable way")


@pytest.mark.realdata
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_real_extract_that_is_cut_off(tmp_path: Path, real_data: Path, share: float) -> None:
    whole = (real_data / "chengdu" / "chengdu-centre.osm.pbf").read_bytes()
    cut = tmp_path / "cut.osm.pbf"
    cut.write_bytes(whole[: int(share * len(whole))])
    fails(cut, "cannot be read as OpenStreetMap data")


@pytest.mark.realdata
def test_chengdu_as_it_is_known(real_data: Path) -> None:
    osm = read_osm(real_data / "chengdu" / "chengdu-centre.osm.pbf", CATALOGUE)
    assert osm.streets.length_m.sum() == pytest.approx(895_000, rel=0.02)
    assert osm.features["osm_id"].is_unique
    assert not {"military", "power"} & {key for tags in osm.features["tags"] for key in tags}
    kept = shapely.intersects(osm.extent, osm.streets.lines)
    assert osm.streets.length_m[kept].sum() > 0.9 * osm.streets.length_m.sum()


@pytest.mark.realdata
@pytest.mark.parametrize("file", ["chengdu/chengdu-centre.osm.pbf", "porto-alegre/poa_osm.pbf"])
def test_streets_alone_are_the_same_streets(real_data: Path, file: str) -> None:
    alone, whole = read_streets(real_data / file), read_osm(real_data / file, load_catalogue()).streets
    for name in ("node_id", "node_xy", "tail", "head", "coords", "length_m", "highway", "raised", "signals", "exits"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(whole, name), err_msg=name)
