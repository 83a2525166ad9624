"""Inputs of all districts of a batch are read before the first is scanned, and by check, which computes nothing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import rasterio
import shapely

from livingcircle import batch as batches
from livingcircle import input_faults
from livingcircle.batch import Batch, scan_batch
from livingcircle.batch_check import check_batch
from livingcircle.cli import main
from livingcircle.district_faults import check_districts, unusable
from livingcircle_layers import tables
from livingcircle_layers.errors import InputError
from small_city import small_study
from towns import lonlat, write_communities

UNITS = {  # left, bottom, width, height
    "west": (-500.0, -500.0, 500.0, 1000.0),
    "mid": (0.0, -500.0, 250.0, 1000.0),
    "east": (250.0, -500.0, 250.0, 1000.0),
}
SHARED = """
name = "三区"
standard = "rules.toml"
streets.osm = "town.osm"
population.file = "people.csv"
candidates.top = 1
[[facilities]]
file = "clinics.csv"
service = "clinic"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("city")
    small_study(made)
    for name, box in UNITS.items():
        write_communities(made / f"{name}.geojson", {name: box})
    lon, lat = lonlat(100, 10)
    (made / "clinics.csv").write_text(f"lon,lat,name\n{lon},{lat},一诊所\n", encoding="utf-8")
    (made / "many.csv").write_text(f"lon,lat,population\n{lon},{lat},5\n{lon},{lat},many\n", encoding="utf-8")
    (made / "beds.csv").write_text(f"lon,lat,name,床位\n{lon},{lat},院,几张\n", encoding="utf-8")
    return made


def city(folder: Path, name: str, **own: str) -> Path:
    """Write a batch of the three districts; `own` are lines of their own."""
    parts = [
        f'[[district]]\nname = "{unit}"\ncommunities.file = "{unit}.geojson"\n{own.get(unit, "")}\n' for unit in UNITS
    ]
    path = folder / f"{name}.toml"
    path.write_text(SHARED + "".join(parts), encoding="utf-8")
    return path


BEDS = 'facilities = [{file = "beds.csv", service = "clinic"}]'


def test_faulty_districts_are_told_before_the_first_computation(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = city(folder, "faulty", west=f'population.file = "many.csv"\n{BEDS}', east=BEDS)
    with pytest.raises(SystemExit) as ended:
        main(["scan", str(path), "-o", str(folder / "faulty"), "--lang", "en"])
    assert ended.value.code == 3
    told = capsys.readouterr()
    log = [line.partition(" ")[2] for line in told.err.splitlines()]
    people, beds = "many.csv: population (column 'population'): not a number in row (3: 'many')", "beds.csv: beds"
    assert log[0] == "checking the inputs of 3 districts"
    assert log[1].startswith("west: district 1 of 3 failed: ")
    assert people in log[1]
    assert beds in log[1]  # both faults of it
    assert log[2].startswith(
        "east: district 3 of 3 failed: beds.csv: beds (column '床位'): not a number in row (2: '几张')"
    )
    assert log[3] == "mid: district 2 of 3"
    table = pd.read_csv(folder / "faulty" / "districts.csv")
    assert list(table["status"]) == ["failed", "done", "failed"]
    assert people in table["why"][0]
    assert told.out.splitlines()[-3].startswith("west\tfailed\t")


def test_a_file_that_goes_bad_meanwhile_fails_its_district_alone(folder: Path) -> None:
    lists = (folder / "clinics.csv").read_text(encoding="utf-8")
    (folder / "late.csv").write_text(lists, encoding="utf-8")
    path = city(folder, "late", mid=BEDS.replace("beds", "late"))

    def spoil(event: Any) -> None:
        if event.kind == "district_begun" and event.district == "west":
            (folder / "late.csv").write_text("lon,lat,name\n东,北,所\n", encoding="utf-8")

    ended = scan_batch(Batch.load(path), folder / "late", progress=spoil)
    assert [outcome.status for outcome in ended.outcomes] == ["done", "failed", "done"]
    assert "late.csv" in ended.outcomes[1].reason


def test_faults_of_tables_are_told_with_those_that_stop_the_batch(folder: Path) -> None:
    path = city(folder, "both", west='communities.file = "gone.geojson"', east=BEDS)
    text = path.read_text(encoding="utf-8").replace('communities.file = "west.geojson"\n', "")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"district west: .*gone\.geojson.* \| district east: beds\.csv"):
        scan_batch(Batch.load(path), folder / "both")
    assert not (folder / "both").exists()


def test_what_districts_share_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[str] = Counter()
    honest = tables.read_table

    def counted(given: Any) -> Any:
        read[tables.Source.of(given).label] += 1
        return honest(given)

    monkeypatch.setattr(input_faults, "read_table", counted)
    monkeypatch.setattr(tables, "read_table", counted)
    own = BEDS.replace("beds", "clinics").replace('"}', '", where = \'name != "x"\'}')
    studies = Batch.load(city(folder, "shared", east=own)).studies
    drawn = check_districts(studies)
    assert unusable(studies, drawn) == {}
    assert read == {"people.csv": 1, "clinics.csv": 2}  # the list of east is another choice of rows


def wrong_totals(folder: Path) -> str:
    (folder / "totals.csv").write_text("id,population\nnobody,7\n", encoding="utf-8")
    return 'population.file = "totals.csv"'


def wrong_raster(folder: Path) -> str:
    place = rasterio.Affine(0.01, 0, 12, 0, -0.01, 42)  # Rome
    with rasterio.open(folder / "p.tif", "w", driver="GTiff", width=2, height=2, count=1, dtype="float32", crs=4326,
                       transform=place) as sink:  # fmt: skip
        sink.write(pd.DataFrame([[1, 2], [3, 4]]).to_numpy(dtype="float32"), 1)
    return 'population.file = "p.tif"'


def wrong_people(folder: Path) -> str:
    square = shapely.box(*lonlat(0, 0), *lonlat(100, 100))
    gpd.GeoDataFrame({"population": [-4]}, geometry=[square], crs=4326).to_file(folder / "p.gpkg")
    return 'population.file = "p.gpkg"'


def wrong_reference(folder: Path) -> str:
    (folder / "right.csv").write_text("lon,name\n1,a\n", encoding="utf-8")
    return 'population.reference = "right.csv"'


def wrong_streets(folder: Path) -> str:
    (folder / "bad.osm.pbf").write_bytes(b"no map at all, though it is called one")
    return 'streets.osm = "bad.osm.pbf"'


def wrong_heights(folder: Path) -> str:
    (folder / "dem.tif").write_bytes(b"no raster")
    return 'streets.dem = "dem.tif"'


def wrong_shares(folder: Path) -> str:
    (folder / "shares.csv").write_text("unit_id,age_60_up\nwest,21\n", encoding="utf-8")
    return 'population.shares.file = "shares.csv"'


def wrong_catchment(folder: Path) -> str:
    shape = shapely.LineString([lonlat(0, 0), lonlat(50, 50)])
    gpd.GeoDataFrame({"id": [1]}, geometry=[shape], crs=4326).to_file(folder / "c.gpkg")
    return 'catchments = [{service = "clinic", file = "c.gpkg"}]'


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (wrong_totals, "totals.csv has neither coordinates nor ids of communities; got nobody"),
        (wrong_raster, "p.tif does not overlap the communities"),
        (wrong_people, "p.gpkg: population (column 'population'): below 0"),
        (wrong_reference, "right.csv"),
        (wrong_streets, "bad.osm.pbf cannot be read as OpenStreetMap data"),
        (wrong_heights, "dem.tif"),
        (wrong_shares, "shares.csv: "),
        (wrong_catchment, "c.gpkg holds no catchment"),
        (lambda _: BEDS.replace('"clinic"', '"klinic"'), "klinic"),
        (lambda _: "plane = [98.0, 30.0]", "plane lies too far from the communities"),
    ],
)
def test_each_kind_of_input_is_looked_at(tmp_path: Path, folder: Path, spoil: Any, says: str) -> None:
    studies = Batch.load(city(folder, "kinds", mid=spoil(folder))).studies
    found = unusable(studies, check_districts(studies))
    assert list(found) == ["mid"]
    assert says in str(found["mid"])


def test_a_fault_of_the_program_in_the_check_fails_one_district(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = input_faults.read_shares_of

    def broken(given: Any) -> Any:
        raise KeyError("nobody thought of it") if given.shares else honest(given)

    (folder / "fine.csv").write_text("unit_id,age_60_up\nwest,0.2\n", encoding="utf-8")
    monkeypatch.setattr(input_faults, "read_shares_of", broken)
    ended = scan_batch(
        Batch.load(city(folder, "broken", west='population.shares.file = "fine.csv"')), folder / "broken"
    )
    assert [outcome.status for outcome in ended.outcomes] == ["failed", "done", "done"]
    assert ended.outcomes[0].reason.startswith("unexpected KeyError")
    assert "district west" in (folder / "broken" / batches.ERRORS_FILE).read_text(encoding="utf-8")


# -- check ---------------------------------------------------------------------------------------------------------


def test_check_answers_for_every_district(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = city(folder, "pages", mid=BEDS)
    with pytest.raises(SystemExit) as ended:
        main(["check", str(path), "--json"])
    assert ended.value.code == 3  # as the scan
    pages = json.loads(capsys.readouterr().out)["districts"]
    assert list(pages) == list(UNITS)
    assert pages["west"]["layers"]
    (fault,) = pages["mid"]["faults"]
    assert fault.startswith("beds.csv: beds")
    with pytest.raises(SystemExit) as ended:
        main(["check", str(path), "--lang", "zh"])
    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 3
    assert lines[0] == "区县 west:"
    assert lines[1].startswith("研究: west;")
    at = lines.index("区县 mid: 无法测算")
    assert lines[at + 1].startswith("beds.csv: beds('床位' 列)有 1 行不是数字(行号 2: '几张')")
    assert lines[-1] == "3 个区县中 1 个无法测算: mid"


def test_check_of_sound_districts_and_of_a_batch_that_cannot_be_scanned(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = check_batch(Batch.load(city(folder, "sound")))
    assert page.failed == []
    assert page.lines()[-1] == "nothing stops a scan of the 3 districts"
    with pytest.raises(SystemExit) as ended:
        main(["check", str(city(folder, "torn", east='walkers = ["elder"]'))])
    assert ended.value.code == 1
    assert "the walkers of east differ" in capsys.readouterr().err
