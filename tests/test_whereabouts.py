"""Layers that lie in another place than the streets are refused with the reason that the numbers show."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from livingcircle import whereabouts
from livingcircle.inputs import read_inputs
from livingcircle.study import Study
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import InputError
from towns import Town, study_of, write_table

RULE = {"name": "r", "service": "park", "threshold": 500}


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
