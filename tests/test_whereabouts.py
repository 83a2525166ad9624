"""Layers that lie in another place than the streets are refused with the reason that the numbers show."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from livingcircle import whereabouts
from livingcircle.check import check_study
from livingcircle.inputs import read_inputs
from livingcircle.study import Study
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import InputError
from towns import Town, lonlat, study_of, write_table

RULE = {"id": "r", "services": ["park"], "threshold": 500.0}


def study(folder: Path, **more: object) -> Study:
    return study_of(folder, Town("a----b").way("ab"), people=[(10, 5, 100)], rules=[RULE], **more)


def test_facilities_of_another_city(tmp_path: Path) -> None:
    away = write_table(tmp_path / "parks.csv", "name", [(900_000, 0, "x")])
    with pytest.raises(InputError, match=r"none of its 1 places .*got places at .*remedy: use the file of the same"):
        read_inputs(study(tmp_path, facilities=[{"file": away, "service": "park"}]), load_catalogue())


def test_degrees_that_a_file_calls_metres(tmp_path: Path) -> None:
    made = study(tmp_path)
    degrees = gpd.read_file(made.communities.file)
    wrong = degrees.set_crs(4544, allow_override=True)
    wrong.to_file(tmp_path / "wrong.gpkg")
    again = made.model_copy(
        update={"communities": made.communities.model_copy(update={"file": tmp_path / "wrong.gpkg"})}
    )
    with pytest.raises(
        InputError, match=r"metres of CGCS2000 / 3-degree Gauss-Kruger CM 105E, and they are degrees; .*EPSG:4326"
    ):
        read_inputs(again, load_catalogue())


def test_swapped_axes_that_no_range_betrays(tmp_path: Path) -> None:
    made = study(tmp_path)
    osm = made.streets.osm
    osm.write_text(osm.read_text(encoding="utf-8").replace('lon="104.', 'lon="4.'), encoding="utf-8")
    frame = gpd.read_file(made.communities.file)
    moved = shapely.transform(frame.geometry.to_numpy(), lambda xy: xy[:, ::-1] - [0, 100])
    frame.set_geometry(gpd.GeoSeries(moved, crs=WGS84)).to_file(made.communities.file)
    with pytest.raises(InputError, match=r"changed about is the city of the streets; .*remedy: longitude and latitude"):
        read_inputs(made, load_catalogue())


@pytest.mark.realdata
def test_hospitals_of_beijing_are_not_those_of_chengdu(tmp_path: Path, real_data: Path) -> None:
    folder = real_data / "chengdu"
    made = Study.model_validate(
        {
            "standard": "chengdu",
            "streets": {"osm": folder / "chengdu-centre.osm.pbf"},
            "communities": {"file": folder / "communities_standin.geojson"},
            "population": {"file": folder / "population_grid_night.csv"},
            "facilities": [{"file": folder / "dirty_hospitals_elsewhere.geojson", "service": "hospital"}],
        }
    )
    with pytest.raises(InputError, match=r"none of its 14 places .*got places at 116\.\d+–116\.\d+ E, 39"):
        read_inputs(made, load_catalogue())


def test_one_street_of_many_lies_in_a_community(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    osm = Town("a----b----c----d").way("abcd").way("bc").read(tmp_path)
    last = osm.streets.lines[-1].centroid.buffer(1)
    units = gpd.GeoDataFrame({"unit_id": ["u"]}, geometry=[last], crs=osm.crs)
    made = study(tmp_path)
    for at_a_time in (1, 2, 1000):
        monkeypatch.setattr(whereabouts, "_AT_A_TIME", at_a_time)
        whereabouts.check_overlap(made, units, osm)
        with pytest.raises(InputError, match="does not overlap"):
            whereabouts.check_overlap(made, units.set_geometry(units.translate(9000)), osm)


def box_layer(path: Path, x: float, y: float, *more: tuple[float, float]) -> Path:
    """Write squares of 50 m of the drawing."""
    squares = [shapely.box(*lonlat(a, b), *lonlat(a + 50, b + 50)) for a, b in [(x, y), *more]]
    gpd.GeoDataFrame({"id": [str(i) for i in range(len(squares))]}, geometry=squares, crs=WGS84).to_file(path)
    return path


def layers_at(folder: Path, x: float, y: float, *more: tuple[float, float]) -> dict[str, object]:
    """Write one layer of every kind with a square at a place, and name them as a study does."""
    file = box_layer(folder / "squares.gpkg", x, y, *more)
    copies = {name: folder / f"{name}.gpkg" for name in ("estates", "catchments", "parcels", "areas")}
    for path in copies.values():
        path.write_bytes(file.read_bytes())
    return {
        "estates": {"file": copies["estates"]},
        "catchments": [{"service": "park", "file": copies["catchments"]}],
        "candidates": {"file": copies["parcels"]},
        "areas": {"file": copies["areas"]},
        "population": {"file": write_table(folder / "far.csv", "population", [(a, b, 5) for a, b in [(x, y), *more]])},
    }


SAID = {
    "population": "far.csv: none of its 1 places where people live lies within the communities of communities.geojson",
    "areas": "areas.gpkg: none of its 1 areas lies within the communities of communities.geojson",
    "estates": "estates.gpkg: none of its 1 estates lies near the streets of town.osm",
    "catchments": "catchments.gpkg: none of its 1 catchments lies near the streets of town.osm",
    "candidates": "parcels.gpkg: none of its 1 parcels lies near the streets of town.osm",
}


def test_every_layer_of_another_city_is_refused_at_once(tmp_path: Path) -> None:
    away = study(tmp_path, **layers_at(tmp_path, 900_000, 0))
    with pytest.raises(InputError) as fault:
        read_inputs(away, load_catalogue())
    said = str(fault.value).split(" | ")
    assert [sum(words in line for line in said) for words in SAID.values()] == [1] * 5, said
    # 900 km east of 104° E on 30° N, where a degree is 96.5 km
    for line in said:
        assert re.search(r"got places at 113\.\d+–113\.\d+ E, .*remedy: use the file of the same city", line), line


def test_check_finds_layers_of_another_city_beside_other_faults(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("", encoding="utf-8")
    away = study(tmp_path, facilities=[{"file": tmp_path / "own.csv"}], **layers_at(tmp_path, 900_000, 0))
    with pytest.raises(InputError) as fault:
        check_study(away)
    said = str(fault.value).splitlines()
    assert [sum(words in line for line in said) for words in SAID.values()] == [1] * 5, said
    assert len(said) == 6


def test_a_layer_of_which_a_part_lies_here_is_fine(tmp_path: Path) -> None:
    partly = layers_at(tmp_path, 900_000, 0, (10, 10))
    inputs = read_inputs(study(tmp_path, **partly), load_catalogue())
    assert len(inputs.population.cells) == len(inputs.parcels) == 2


def test_people_with_changed_axes_that_no_range_betrays(tmp_path: Path) -> None:
    """In Porto 41° N, 8° W changed about is a place off Somalia, which is on the globe."""
    made = study(tmp_path)
    for file in (made.streets.osm, made.communities.file):
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(r'(lon="|\[ ?)10([34]\.)', r"\1\2", text), encoding="utf-8")
    lon, lat = lonlat(10, 5)
    made.population.file.write_text(f"lon,lat,population\n{lat},{lon - 100},5\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"people\.csv: none of its 1 .*remedy: longitude and latitude are swapped"):
        read_inputs(made, load_catalogue())
