"""Layers whose datum is not what they claim are caught; layers that say nothing are never stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from livingcircle.inputs import read_inputs
from livingcircle.study import Study
from livingcircle.whereabouts import Located, check_datums
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.crs import WGS84
from livingcircle_layers.datum import Datum, from_wgs84, may_be_shifted, shifted
from livingcircle_layers.datum_check import DatumVerdict, Known, check_datum, known_of_layer, known_of_osm
from livingcircle_layers.errors import InputError
from livingcircle_layers.osm import read_osm
from towns import CRS, Town, study_of

RULE = {"name": "r", "service": "park", "threshold": 500}


def lines(count: int = 60) -> list[shapely.LineString]:
    """Return crooked streets all over 6 km × 6 km, the same in every run."""
    chance = np.random.default_rng(7)
    starts, turns = chance.uniform(-3000, 3000, (count, 2)), chance.uniform(0, 2 * np.pi, (count, 8))
    steps = 150 * np.stack([np.cos(np.cumsum(turns / 6, axis=1)), np.sin(np.cumsum(turns / 6, axis=1))], axis=2)
    return [shapely.LineString(s + np.cumsum(step, axis=0)) for s, step in zip(starts, steps, strict=True)]


def known(names: Sequence[str] = (), at: Sequence[tuple[float, float]] = ()) -> Known:
    return Known(
        title="the drawn town",
        crs=CRS,
        lines=np.array(lines(), dtype=object),
        places=shapely.points(np.array(at, dtype=float).reshape(-1, 2)),
        names=tuple(names),
        extent=(-3500.0, -3500.0, 3500.0, 3500.0),
        reach_m=8.0,
    )


def written_in(frame: gpd.GeoDataFrame, datum: Datum) -> gpd.GeoDataFrame:
    """Return a right layer with the numbers that the datum would write, still called WGS-84."""
    degrees = frame.geometry.to_crs(WGS84).to_numpy()
    wrong = shapely.transform(degrees, lambda lonlat: from_wgs84(lonlat, datum))
    return frame.set_geometry(gpd.GeoSeries(wrong, index=frame.index, crs=WGS84))


def borders() -> gpd.GeoDataFrame:
    """Return narrow areas whose long sides are streets of the town."""
    shapes = [shapely.Polygon([*line.coords, line.centroid.coords[0]]).buffer(0) for line in lines()]
    return gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, crs=CRS))


def named(count: int = 12) -> tuple[list[str], list[tuple[float, float]]]:
    chance = np.random.default_rng(3)
    return [f"第{n}示意公园" for n in range(count)], [tuple(xy) for xy in chance.uniform(-2500, 2500, (count, 2))]


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
@pytest.mark.parametrize("claimed", ["wgs84", "gcj02", "bd09"])
def test_borders_along_streets_tell_the_datum(datum: Datum, claimed: Datum) -> None:
    frame = shifted(written_in(borders(), datum), claimed)
    verdict = check_datum(frame, claimed, [known()], layer="mine")
    assert verdict.answer == ("fits" if datum == claimed else "does not fit"), verdict.line()
    assert verdict.better == (None if datum == claimed else datum)
    assert "points of its lines lie within 8 m of a line of the drawn town; by chance" in verdict.statistic


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
def test_places_of_one_name_tell_the_datum(datum: Datum) -> None:
    names, at = named()
    frame = written_in(gpd.GeoDataFrame(geometry=gpd.points_from_xy(*zip(*at, strict=True), crs=CRS)), datum)
    mine = [f"成都市{name}" for name in names]
    verdict = check_datum(frame, "wgs84", [known(names, at)], layer="mine", names=mine)
    assert verdict.answer == ("fits" if datum == "wgs84" else "does not fit"), verdict.line()
    assert "of 12 places with a name in the drawn town lie within 60 m of it" in verdict.statistic


def test_four_names_are_too_few() -> None:
    # Four of four places within 60 m: 1 / 4 is the least that can be told apart, and 100 % is three times its spread.
    names, at = named(4)
    frame = written_in(gpd.GeoDataFrame(geometry=gpd.points_from_xy(*zip(*at, strict=True), crs=CRS)), "gcj02")
    assert check_datum(frame, "wgs84", [known(names, at)], layer="mine", names=names).answer == "cannot tell"


def test_a_layer_that_mixes_two_datums_is_left_open_and_says_so() -> None:
    names, at = named(24)
    right = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*zip(*at, strict=True), crs=CRS)).to_crs(WGS84)
    mixed = pd.concat([right.iloc[:12], written_in(right.iloc[12:], "gcj02")], ignore_index=True)
    verdict = check_datum(mixed, "wgs84", [known(names, at)], layer="mine", names=names)
    assert verdict.answer == "cannot tell"
    assert "both gcj02 and wgs84 stand out" in verdict.statistic


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
@pytest.mark.parametrize("seed", range(5))
def test_cells_around_centres_tell_nothing(datum: Datum, seed: int) -> None:
    centres = np.random.default_rng(seed).uniform(-2500, 2500, (60, 2))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(centres)))
    frame = written_in(gpd.GeoDataFrame(geometry=gpd.GeoSeries(cells, crs=CRS)), datum)
    assert check_datum(frame, "wgs84", [known()], layer="mine").answer == "cannot tell"


def test_points_without_names_tell_nothing() -> None:
    frame = gpd.GeoDataFrame(geometry=gpd.GeoSeries([shapely.Point(104.0, 30.0)] * 50, crs=WGS84))
    verdict = check_datum(frame, "wgs84", [known()], layer="mine")
    assert verdict.line() == ("datum of mine: wgs84: cannot tell (neither names nor outlines that could be compared)")


def test_order_of_the_rows_changes_nothing() -> None:
    frame = written_in(borders(), "gcj02")
    forth, back = (check_datum(f, "wgs84", [known()], layer="mine") for f in (frame, frame.iloc[::-1]))
    assert forth == back


def test_missing_rows_do_not_move_the_names() -> None:
    names, at = named()
    frame = gpd.GeoDataFrame(geometry=gpd.GeoSeries([None, *shapely.points(at)], crs=CRS))
    verdict = check_datum(frame, "wgs84", [known(names, at)], layer="mine", names=["nowhere", *names])
    assert verdict.answer == "fits"


@pytest.mark.parametrize(
    ("lon", "lat", "inside"),
    [
        (104.06, 30.66, True), (116.4, 39.9, True), (121.5, 31.2, True), (114.06, 22.54, True), (87.6, 43.8, True),
        (91.1, 29.65, True), (126.6, 45.75, True), (110.3, 20.0, True), (75.99, 39.47, True), (100.8, 22.0, True),
        (103.84, 1.28, False), (-51.2, -30.0, False), (-8.6, 41.15, False), (105.85, 21.03, False),
        (126.98, 37.57, False), (139.7, 35.7, False), (106.9, 47.9, False), (85.3, 27.7, False), (76.9, 43.2, False),
        (77.2, 28.6, False), (131.9, 43.1, False), (125.75, 39.0, False),
    ],
)  # fmt: skip
def test_where_shifted_datums_are_considered(lon: float, lat: float, inside: bool) -> None:
    assert may_be_shifted((lon, lat, lon, lat)) is inside


def test_nothing_is_considered_outside_china() -> None:
    frame = written_in(borders(), "gcj02")
    abroad = frame.set_geometry(frame.geometry.translate(-60, -60))
    assert check_datum(abroad, "wgs84", [known()], layer="mine").answer == "fits"


# In a study ---------------------------------------------------------------------------------------


def town_with_names() -> tuple[Town, list[str], list[tuple[float, float]]]:
    names, at = named()
    town = Town("a----b").way("ab").street((-3000, -3000), (3000, 3000)).street((-3000, 3000), (3000, -3000))
    for name, (x, y) in zip(names, at, strict=True):
        town.node(x, y, leisure="park", name=name)
    return town, names, at


def own_parks(folder: Path, datum: Datum) -> Path:
    _, names, at = town_with_names()
    right = gpd.GeoDataFrame({"name": names}, geometry=gpd.points_from_xy(*zip(*at, strict=True), crs=CRS))
    written_in(right, datum).to_file(folder / "parks.geojson")
    return folder / "parks.geojson"


def study(folder: Path, **more: object) -> Study:
    town, _, _ = town_with_names()
    return study_of(folder, town, people=[(10, 5, 100)], rules=[RULE], **more)


def test_a_layer_in_gcj02_stops_the_run_and_says_how_to_declare_it(tmp_path: Path) -> None:
    file = own_parks(tmp_path, "gcj02")
    wrong = study(tmp_path, facilities=[{"file": file, "service": "park"}])
    with pytest.raises(
        InputError,
        match=r"parks\.geojson is not in wgs84; got a layer that fits gcj02: .*"
        r"remedy: write datum = \"gcj02\" into this file's \[\[facilities\]\] in the study",
    ):
        read_inputs(wrong, load_catalogue())
    right = study(tmp_path, facilities=[{"file": file, "service": "park", "datum": "gcj02"}])
    verdicts = {v.layer: v.answer for v in read_inputs(right, load_catalogue()).datums}
    assert verdicts == {"communities.geojson": "cannot tell", "people.csv": "cannot tell", "parks.geojson": "fits"}


def test_communities_and_people_are_shifted_when_declared(tmp_path: Path) -> None:
    plain = read_inputs(study(tmp_path), load_catalogue())
    there = tmp_path / "gcj02"
    there.mkdir()
    base = study(there)
    written_in(gpd.read_file(base.communities.file), "gcj02").to_file(base.communities.file)
    people = pd.read_csv(base.population.file)
    people[["lon", "lat"]] = from_wgs84(people[["lon", "lat"]].to_numpy(), "gcj02")
    people.to_csv(base.population.file, index=False)
    declared = base.model_copy(
        update={
            "communities": base.communities.model_copy(update={"datum": "gcj02"}),
            "population": base.population.model_copy(update={"datum": "gcj02"}),
        }
    )
    found = read_inputs(declared, load_catalogue())
    for mine, theirs in ((found.units, plain.units), (found.population.cells, plain.population.cells)):
        mine_xy = shapely.get_coordinates(mine.geometry.to_crs(plain.osm.crs).to_numpy())
        assert mine_xy == pytest.approx(shapely.get_coordinates(theirs.geometry.to_numpy()), abs=0.02)


def test_a_reference_decides_before_the_streets(tmp_path: Path) -> None:
    outlines = borders()
    right = known_of_layer(outlines, title="districts.geojson", crs=CRS)
    verdict = check_datum(written_in(outlines, "gcj02"), "wgs84", [right, known()], layer="mine")
    assert (verdict.answer, verdict.better) == ("does not fit", "gcj02")
    assert "a line of districts.geojson" in verdict.statistic


def test_gcj02_abroad_is_refused(tmp_path: Path) -> None:
    made = study(tmp_path)
    wrong = made.model_copy(update={"population": made.population.model_copy(update={"datum": "gcj02"})})
    read = read_inputs(made, load_catalogue())
    singapore = gpd.GeoSeries(gpd.points_from_xy([103.84], [1.28]), crs="EPSG:4326").to_crs(read.osm.crs)
    people = replace(read.population, cells=read.population.cells.set_geometry(singapore))
    located = Located(read.units, read.facilities, read.estates, people)
    with pytest.raises(InputError, match=r"people\.csv cannot be in gcj02; .*remedy: remove datum"):
        check_datums(wrong, read.osm, located)


# Real data ----------------------------------------------------------------------------------------


@cache
def chengdu(real_data: Path) -> Known:
    return known_of_osm(read_osm(real_data / "chengdu" / "chengdu-centre.osm.pbf", load_catalogue()))


def verdict_of(real_data: Path, name: str, *against: Known, datum: Datum = "wgs84") -> DatumVerdict:
    frame = gpd.read_file(real_data / "chengdu" / name)
    names = frame["name"].astype("str").tolist() if "name" in frame else ()
    return check_datum(written_in(frame, datum), "wgs84", against or [chengdu(real_data)], layer=name, names=names)


@pytest.mark.realdata
@pytest.mark.parametrize("district", ["510104", "510105", "510106", "510108"])
@pytest.mark.parametrize("against", ["streets", "districts"])
def test_districts_in_gcj02_are_caught(real_data: Path, district: str, against: str) -> None:
    known_layer = chengdu(real_data)
    if against == "districts":
        frame = gpd.read_file(real_data / "chengdu" / "districts_wgs84.geojson")
        known_layer = known_of_layer(frame, title="districts", crs=known_layer.crs, names=frame["name"])
    verdict = verdict_of(real_data, f"gcj02_{district}.geojson", known_layer)
    assert (verdict.answer, verdict.better) == ("does not fit", "gcj02"), verdict.line()


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("districts_wgs84.geojson", "fits"),
        ("facilities.csv", "fits"),
        ("communities_standin.geojson", "cannot tell"),
        ("health_centres.geojson", "cannot tell"),
    ],
)
def test_layers_in_wgs84_pass(real_data: Path, name: str, answer: str) -> None:
    if name.endswith(".csv"):
        table = pd.read_csv(real_data / "chengdu" / name)
        places = gpd.points_from_xy(table["lon"], table["lat"], crs=WGS84)
        frame, names = gpd.GeoDataFrame(geometry=places), table["name"].tolist()
        assert check_datum(frame, "wgs84", [chengdu(real_data)], layer=name, names=names).answer == answer
        for datum in ("gcj02", "bd09"):
            wrong = check_datum(written_in(frame, datum), "wgs84", [chengdu(real_data)], layer=name, names=names)
            assert (wrong.answer, wrong.better) == ("does not fit", datum)
    else:
        assert verdict_of(real_data, name).answer == answer


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["outram-subzones.geojson", "outram-preschools.geojson", "outram-mrt-exits.geojson"])
def test_layers_of_singapore_pass(real_data: Path, name: str) -> None:
    streets = gpd.read_file(real_data / "outram" / "outram-walk-network.geojson")
    right = known_of_layer(streets, title="streets", crs=streets.estimate_utm_crs())
    assert check_datum(gpd.read_file(real_data / "outram" / name), "wgs84", [right], layer=name).answer == "fits"
