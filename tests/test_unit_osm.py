"""Communities from OpenStreetMap's boundaries: levels, what the extract cuts, and never in China."""

from __future__ import annotations

from pathlib import Path

import pytest

from livingcircle_layers.datum import may_be_shifted
from livingcircle_layers.errors import InputError
from livingcircle_layers.unit_osm import read_osm_units

Unit = tuple[int, str, tuple[int, int, int, int]]


def osm(folder: Path, *units: Unit, lon: float = -51.2, lat: float = -30.0, cut: str = "") -> Path:
    """Write boundaries: level, name and box (x, y, width, height) in hundredths of a degree; `cut` loses a node."""
    nodes, ways, relations = [], [], []
    for k, (level, name, (x, y, w, h)) in enumerate(units, start=1):
        for c, (i, j) in enumerate(((0, 0), (1, 0), (1, 1), (0, 1))):
            if name != cut or c:
                at = f'lon="{lon + (x + i * w) / 100:.4f}" lat="{lat + (y + j * h) / 100:.4f}"'
                nodes.append(f'<node id="{k * 10 + c}" version="1" {at}/>')
        refs = "".join(f'<nd ref="{k * 10 + c}"/>' for c in (0, 1, 2, 3, 0))
        ways.append(f'<way id="{k}" version="1">{refs}<tag k="boundary" v="administrative"/>'
                    f'<tag k="admin_level" v="{level}"/></way>')  # fmt: skip
        tags = {"type": "boundary", "boundary": "administrative", "admin_level": level, "name": name}
        told = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
        member = f'<member type="way" ref="{k}" role="outer"/>'
        relations.append(f'<relation id="{100 + k}" version="1">{member}{told}</relation>')
    file = folder / "b.osm"
    text = "".join([*nodes, *ways, *relations])
    file.write_text(f'<osm version="0.6">{text}</osm>', encoding="utf-8")
    return file


BAIRROS = (
    (10, "Centro", (0, 0, 1, 1)),
    (10, "Floresta", (1, 0, 1, 1)),
    (9, "Zona 1", (0, 0, 2, 1)),
    (8, "Porto", (0, 0, 3, 2)),
    (4, "Estado", (-5, -5, 20, 20)),
)


def test_units_of_a_level_lie_in_those_above(tmp_path: Path) -> None:
    units = read_osm_units(osm(tmp_path, *BAIRROS), 10)
    assert units.frame.drop(columns="geometry").to_dict("index") == {
        "r101": {"unit_name": "Centro", "subdistrict": "Zona 1", "district": "Porto", "unit_type": ""},
        "r102": {"unit_name": "Floresta", "subdistrict": "Zona 1", "district": "Porto", "unit_type": ""},
    }
    assert units.frame.total_bounds == pytest.approx([-51.2, -30.0, -51.18, -29.99])
    assert units.problems.empty


def test_one_coarser_level_is_the_district(tmp_path: Path) -> None:
    units = read_osm_units(osm(tmp_path, *BAIRROS), 9)
    assert units.frame[["unit_name", "subdistrict", "district"]].to_numpy().tolist() == [["Zona 1", "", "Porto"]]


def test_a_unit_that_the_extract_cuts_is_named(tmp_path: Path) -> None:
    units = read_osm_units(osm(tmp_path, *BAIRROS, cut="Floresta"), 10)
    assert list(units.frame["unit_name"]) == ["Centro"]
    assert "b.osm: 1 units of level 10 are cut by the extract and left out: Floresta" in units.warnings


def test_a_level_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"no whole administrative boundary of level 7; got 0 .*level 8: 1, level 9: 1"
    ):
        read_osm_units(osm(tmp_path, *BAIRROS), 7)
    with pytest.raises(InputError, match="osm:4 names no level of communities; expected osm:6 to osm:10"):
        read_osm_units(osm(tmp_path, *BAIRROS), 4)


def test_never_may_be_shifted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"in or beside China; expected your own outlines: .* never drawn in China"):
        read_osm_units(osm(tmp_path, *BAIRROS, lon=104.06, lat=30.66), 10)


@pytest.mark.realdata
def test_never_in_the_real_chengdu(real_data: Path) -> None:
    with pytest.raises(InputError, match="never drawn in China"):
        read_osm_units(real_data / "chengdu" / "chengdu-centre.osm.pbf", 6)


@pytest.mark.parametrize(
    "lonlat",
    [(104.07, 30.66), (116.4, 39.9), (121.5, 31.2), (113.3, 23.1), (87.6, 43.8), (91.1, 29.7), (126.6, 45.8),
     (75.99, 39.47), (100.8, 22.0), (110.3, 20.0), (109.5, 18.25), (121.5, 25.05), (114.17, 22.3), (122.1, 37.5),
     (129.5, 42.9), (134.3, 48.36), (122.5, 53.48), (88.1, 47.85), (119.7, 49.2), (81.3, 43.9), (80.1, 32.5),
     (98.85, 25.0), (97.85, 24.0), (107.97, 21.55), (112.0, 43.65)],
)  # fmt: skip
def test_cities_of_china_are_may_be_shifted(lonlat: tuple[float, float]) -> None:
    assert may_be_shifted((*lonlat, *lonlat))


@pytest.mark.parametrize(
    "lonlat",
    [(103.85, 1.29), (100.5, 13.75), (105.85, 21.03), (106.7, 10.8), (121.0, 14.6), (126.98, 37.57), (135.5, 34.7),
     (131.9, 43.12), (106.9, 47.9), (76.9, 43.25), (74.6, 42.87), (77.2, 28.6), (85.3, 27.7), (88.4, 22.6),
     (96.15, 16.85), (102.6, 17.97), (-51.2, -30.0), (-8.6, 41.15)],
)  # fmt: skip
def test_cities_of_others_are_not(lonlat: tuple[float, float]) -> None:
    assert not may_be_shifted((*lonlat, *lonlat))
