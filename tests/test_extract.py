"""Cutting a city out of a country's file: what is kept, what is refused, and that a scan gives the same numbers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import osmium
import osmium.osm.mutable as made
import pytest

from livingcircle.cli import main
from livingcircle.extract import MARGIN_M, extract
from livingcircle.runs import scan_into
from livingcircle.study import Study
from livingcircle_layers.errors import InputError, UsageError
from small_city import CSV_FILES, small_study, small_town
from towns import LAT, LON, Town, lonlat

PROJECT = Path(__file__).parents[1]
ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(str(PROJECT / part) for part in ("analysis", "layers"))}
Box = tuple[float, float, float, float]


def box(west: float, south: float, east: float, north: float) -> Box:
    """Return a box of the drawing in degrees."""
    return (*lonlat(west, south), *lonlat(east, north))


def held(path: Path) -> dict[str, list[int]]:
    """Return the ids of a file by kind, in their order."""
    ids: dict[str, list[int]] = {"n": [], "w": [], "r": []}
    for item in osmium.FileProcessor(str(path)):
        ids[item.type_str()].append(item.id)
    return ids


#   h ──── i         y = 100: far north, wholly outside
#
#   a ──── b ──── c  y = 0: b and c within the box, the street goes on to a
#          │
#   e ──── d ──── g  y = -100: d alone is in the box; ring e-f and f-g of a park that reaches over the border
#    ╲_____f_____╱
ART = """
h----i-----

a----b----c
-----------
e----d----g
-----f-----
"""


def border_town() -> Town:
    town = Town(ART, dx=100, dy=50)
    town.way("abc").way("hi").way("bd")
    town.way("ed", source="ring").way("dg", source="ring").way("gf", source="ring").way("fe", source="ring")
    town.relation([("outer", 3), ("outer", 4), ("outer", 5), ("outer", 6)], leisure="park")
    return town


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("country") / "country.osm"
    border_town().write(path)
    return path


def test_ways_and_areas_are_whole_at_the_border_and_the_rest_is_left_out(country: Path, tmp_path: Path) -> None:
    out = tmp_path / "city.osm.pbf"
    # b at (500, 150), d at (500, 50) and c at (1000, 150); a and e at x = 0 are outside, f at y = 0 as well
    found = extract(country, out, bbox=box(400, 40, 1100, 160), margin_m=0)
    # a, b, c of the first way; d of the third; e, g, f of the park's ring: all but h and i
    assert held(out) == {
        "n": [ord(mark) for mark in "abcdefg"],
        "w": [100, 102, 103, 104, 105, 106],
        "r": [900],
    }
    kept = found.kept
    assert (kept.nodes, kept.nodes_read, kept.ways, kept.ways_read) == (7, 9, 6, 7)
    assert (kept.relations, kept.relations_read) == (1, 1)
    assert "7 of 9 nodes, 6 of 7 ways, 1 of 1 relations" in found.line()


def test_the_extract_says_its_box_and_is_ordered(country: Path, tmp_path: Path) -> None:
    out = tmp_path / "city.osm.pbf"
    wanted = box(400, 40, 3000, 160)
    extract(country, out, bbox=wanted, margin_m=0)
    with osmium.io.Reader(str(out), osmium.osm.NOTHING) as reader:
        header = reader.header()
    low, high = header.box().bottom_left, header.box().top_right
    east = lonlat(1000, 0)[0]  # the file ends at c and g
    assert (low.lon, low.lat, high.lon, high.lat) == pytest.approx((*wanted[:2], east, wanted[3]), abs=2e-7)
    assert header.get("sorting") == "Type_then_ID"


def test_an_extract_of_an_extract_is_the_same(country: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.osm.pbf", tmp_path / "second.osm.pbf"
    asked: dict[str, Any] = {"bbox": box(400, 40, 1100, 160), "margin_m": 0}
    extract(country, first, **asked)
    extract(first, second, **asked)
    assert held(first) == held(second)


def test_borders_of_provinces_and_routes_do_not_draw_in_half_the_country(tmp_path: Path) -> None:
    source = tmp_path / "country.osm.pbf"
    with osmium.SimpleWriter(str(source)) as out:
        for number in range(1, 7):
            out.add_node(made.Node(id=number, version=1, location=(LON + number * 0.1, LAT)))
        for number in range(1, 6):
            out.add_way(made.Way(id=number, version=1, nodes=[number, number + 1], tags={"highway": "path"}))
        kinds: tuple[dict[str, str], ...] = (
            {"type": "boundary", "boundary": "administrative", "admin_level": "4"},
            {"type": "boundary", "boundary": "administrative", "admin_level": "8"},
            {"type": "route", "route": "bus"},
        )
        for number, tags in enumerate(kinds, start=1):
            members = [("w", 1, "outer"), ("w", 5, "outer")] if number != 2 else [("w", 1, "outer"), ("w", 3, "outer")]
            out.add_relation(made.Relation(id=number, version=1, members=members, tags=tags))
    city = tmp_path / "city.osm.pbf"
    extract(source, city, bbox=(LON + 0.05, LAT - 0.1, LON + 0.15, LAT + 0.1), margin_m=0)
    # node 1 alone is inside: way 1; the district's border has way 3 too; the province's and the route's way 5 has not
    assert held(city) == {"n": [1, 2, 3, 4], "w": [1, 3], "r": [2]}


def test_a_scan_of_the_extract_is_a_scan_of_the_whole_file(tmp_path: Path) -> None:
    study = small_study(tmp_path / "city")
    whole = study.streets.osm
    assert whole is not None
    other = Town("a---b", dx=100, at=(40_000, 40_000)).way("ab").node(40_050, 40_000, shop="supermarket")
    both = tmp_path / "country.osm.pbf"
    merged(both, small_town(), other)
    study = study.model_copy(update={"streets": study.streets.model_copy(update={"osm": both})})
    cut = tmp_path / "cut.osm.pbf"
    found = extract(both, cut, communities=tmp_path / "city" / "communities.geojson")
    assert 0 < found.kept.nodes == found.kept.nodes_read - 3  # a, b and the far shop
    scan_into(study, tmp_path / "a")
    scan_into(study.model_copy(update={"streets": study.streets.model_copy(update={"osm": cut})}), tmp_path / "b")
    for name in CSV_FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def merged(path: Path, *towns: Town) -> None:
    """Write towns into one file, each with ids of its own."""
    nodes: list[Any] = []
    ways: list[Any] = []
    for number, town in enumerate(towns):
        single = path.with_name(f"{number}.osm")
        town.write(single)
        add = number * 1_000_000
        for item in osmium.FileProcessor(str(single)):
            if item.is_node():
                at = (item.lon, item.lat)
                nodes.append(made.Node(id=item.id + add, version=1, location=at, tags=dict(item.tags)))
            elif item.is_way():
                refs = [node.ref + add for node in item.nodes]
                ways.append(made.Way(id=item.id + add, version=1, nodes=refs, tags=dict(item.tags)))
    header = osmium.io.Header()
    header.add_box(osmium.osm.Box(*box(-410, -5e3, 45e3, 45e3)))  # it ends at the city's western streets
    with osmium.SimpleWriter(str(path), header=header) as out:
        for node in sorted(nodes, key=lambda node: node.id):
            out.add_node(node)
        for way in sorted(ways, key=lambda way: way.id):
            out.add_way(way)


# -- areas that are asked for ------------------------------------------------------------------------------------------


def test_a_study_says_how_far_its_people_reach(tmp_path: Path) -> None:
    small_study(tmp_path)
    lines = 'standard = "rules.toml"\nstreets.osm = "town.osm"\npopulation.file = "people.csv"\n'
    (tmp_path / "one.toml").write_text(lines + 'communities.file = "communities.geojson"\n', encoding="utf-8")
    source = tmp_path / "town.osm"
    found = extract(source, tmp_path / "a.osm.pbf", study=tmp_path / "one.toml")
    assert found.margin_m == MARGIN_M == 3600  # 3 km are searched, and 300 m to the street at both ends
    far = "search_limit_m = 5000\njoin_limit_m = 100\n"
    shared = 'communities.file = "communities.geojson"\n'
    districts = f'{shared}[[district]]\nname = "w"\n[[district]]\nname = "e"\nsearch_limit_m = 1000\n'
    (tmp_path / "many.toml").write_text(far + lines + districts, encoding="utf-8")
    found = extract(source, tmp_path / "b.osm.pbf", study=tmp_path / "many.toml")
    assert found.margin_m == 5200
    (tmp_path / "cells.toml").write_text(lines + 'communities.make = "grid:500"\n', encoding="utf-8")
    with pytest.raises(UsageError, match=r"cells\.toml makes its communities .* got grid:500; remedy: .*--bbox"):
        extract(source, tmp_path / "c.osm.pbf", study=tmp_path / "cells.toml")


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("area", "message"),
    [
        ({}, "one of them; got none of them"),
        ({"bbox": box(0, 0, 1, 1), "study": "s.toml"}, "got bbox and study"),
        ({"bbox": (2.0, 1.0, 1.0, 2.0)}, "--bbox is no box"),
        (
            {"bbox": box(9e3, 9e3, 9.1e3, 9.1e3), "margin_m": 0},
            r"nothing of country\.osm lies in the box; .*within",
        ),
    ],
)
def test_areas_that_cannot_be_cut(country: Path, tmp_path: Path, area: dict[str, Any], message: str) -> None:
    with pytest.raises((InputError, UsageError), match=message):
        extract(country, tmp_path / "x.osm.pbf", **area)
    assert not list(tmp_path.iterdir())


def test_files_that_cannot_be_read_or_written(country: Path, tmp_path: Path) -> None:
    everything = box(-1e3, -1e3, 3e3, 3e3)
    with pytest.raises(InputError, match="file not found"):
        extract(tmp_path / "no.osm.pbf", tmp_path / "x.osm.pbf", bbox=everything)
    with pytest.raises(UsageError, match=r"a \.osm\.pbf file; got x\.osm; remedy: -o x\.osm\.pbf"):
        extract(country, tmp_path / "x.osm", bbox=everything)
    same = tmp_path / "same.osm.pbf"
    extract(country, same, bbox=everything)
    before = same.read_bytes()
    link = tmp_path / "link.osm.pbf"
    link.symlink_to(same)
    for target in (same, link):
        with pytest.raises(UsageError, match="would overwrite the file it is cut from"):
            extract(same, target, bbox=everything)
    assert same.read_bytes() == before
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        extract(country, tmp_path / "file" / "x.osm.pbf", bbox=everything)
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(before[: len(before) // 2])
    with pytest.raises(InputError, match=r"broken\.osm\.pbf cannot be read as OpenStreetMap data"):
        extract(broken, same, bbox=everything)
    assert same.read_bytes() == before
    mixed = tmp_path / "mixed.osm"
    mixed.write_text(border_town().xml(seed=1), encoding="utf-8")
    with pytest.raises(InputError, match=r"mixed\.osm is not ordered by id; .*osmium sort"):
        extract(mixed, same, bbox=everything)


FULL = """
import resource, sys
from livingcircle.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
main(sys.argv[1:])
"""


def test_a_full_disk_is_told_in_one_line_and_leaves_the_earlier_file(country: Path, tmp_path: Path) -> None:
    out = tmp_path / "city.osm.pbf"
    out.write_bytes(b"earlier")
    corners = ",".join(f"{side:.6f}" for side in box(400, 40, 1100, 160))
    command = ["extract", str(country), f"--bbox={corners}", "--quiet", "-o", str(out)]
    # in a process of its own: the limit stays, and pyosmium's writer could abort the program when it is freed
    ended = subprocess.run([sys.executable, "-c", FULL, *command], env=ENV, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    assert re.fullmatch(r"livingcircle: cannot write to .*larger than.*\n", ended.stderr)
    assert out.read_bytes() == b"earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["city.osm.pbf"]


def test_the_command_tells_stages_and_how_much_was_kept(
    country: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corners = ",".join(f"{side:.6f}" for side in box(400, 40, 1100, 160))
    out = tmp_path / "city.osm.pbf"
    with pytest.raises(SystemExit) as ended:
        main(["extract", str(country), f"--bbox={corners}", "--margin-m", "0", "-o", str(out), "--json"])
    assert not ended.value.code
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    stages = [line["stage"] for line in lines if line["event"] == "stage_begun"]
    assert stages == ["cut_nodes", "cut_ways", "cut_areas", "cut_write"]
    assert lines[-1]["files"] == ["city.osm.pbf"]
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["extract", str(country), f"--bbox={corners}", "--margin-m", "0", "-o", str(out), "--quiet"])
    assert "7 of 9 nodes" in capsys.readouterr().out


# -- a real city -------------------------------------------------------------------------------------------------------


@pytest.mark.realdata
def test_a_part_of_porto_alegre_gives_the_same_tables_from_its_extract(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "porto-alegre"
    west, south, side = -51.215, -30.045, 0.006
    squares = {
        f"q{i}{j}": (west + i * side, south + j * side, west + (i + 1) * side, south + (j + 1) * side)
        for i in range(2)
        for j in range(2)
    }
    features = [
        {"type": "Feature", "properties": {"id": name, "name": name},
         "geometry": {"type": "Polygon", "coordinates": [[(w, s), (e, s), (e, n), (w, n), (w, s)]]}}
        for name, (w, s, e, n) in squares.items()
    ]  # fmt: skip
    drawn = tmp_path / "communities.geojson"
    drawn.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    cut = tmp_path / "cut.osm.pbf"
    found = extract(folder / "poa_osm.pbf", cut, communities=drawn, margin_m=MARGIN_M)
    assert 0.02 < found.kept.nodes / found.kept.nodes_read < 0.9
    settings: dict[str, Any] = {"name": "POA", "standard": "international", "communities": {"file": drawn},
                                "population": {"file": folder / "poa_hexgrid.csv"}}  # fmt: skip
    for name, file in (("whole", folder / "poa_osm.pbf"), ("part", cut)):
        scan_into(Study.model_validate({**settings, "streets": {"osm": file}}), tmp_path / name)
    for name in set(CSV_FILES) - {"facility_changes.csv"}:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "part" / name).read_bytes(), name
    # lists what was merged and left out anywhere in the file, also where nobody of these communities walks
    of_whole, of_part = (
        (tmp_path / name / "facility_changes.csv").read_text(encoding="utf-8-sig").splitlines()
        for name in ("whole", "part")
    )
    assert set(of_part) <= set(of_whole)
    assert len(of_part) > 1
