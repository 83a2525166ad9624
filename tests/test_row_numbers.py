"""Every reader counts rows as the planner does in her file, and tells all faults of one table at once.

In a table the headings are row 1, as Excel shows it; in a layer the first feature is row 1, as QGIS lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pytest
import shapely
from pyproj import CRS

from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.catchments import read_catchments
from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import InputError
from livingcircle_layers.estates import read_estates
from livingcircle_layers.facility_files import FacilitySource, read_facilities
from livingcircle_layers.parcels import read_parcels
from livingcircle_layers.people import read_people
from livingcircle_layers.shares import read_shares
from livingcircle_layers.sources import Source
from livingcircle_layers.street_layer import read_street_layer
from livingcircle_layers.tables import read_points, read_table
from livingcircle_layers.units import read_units

PLANE = CRS.from_epsg(32648)
SQUARE = shapely.box(104.0, 30.0, 104.01, 30.01)
NEXT = shapely.box(104.01, 30.0, 104.02, 30.01)
CHANGED = shapely.box(30.0, 104.0, 30.01, 104.01)  # longitude and latitude changed about
CITY = gpd.GeoDataFrame({"unit_name": ["甲", "乙"]}, geometry=[SQUARE, SQUARE], crs=WGS84, index=["a", "b"])


def facilities(file: Path) -> object:
    return read_facilities(FacilitySource(file, service="park"), load_catalogue(), crs=PLANE)


@dataclass(frozen=True)
class Case:
    """A reader, what is in the rows of its file, and what must be said of it in one error."""

    name: str
    read: Callable[[Path], object]
    rows: Sequence[Sequence[Any]]  # of a table with its headings; of a layer geometries and values
    says: Sequence[str]
    columns: Sequence[str] = ()  # of a layer


TABLES = [
    Case("facilities", facilities, [  # rows 3 and 5 of the sheet hold nothing that is used
        ("lon", "lat", "name", "面积", "床位", "学位"),
        (104.0, 30.0, "甲", 100, 5, 5),
        ("", "", "乙", 100, 5, 5),
        (104.0, 30.0, "丙", "约200", "许多", 5),
        ("", "", "", "", "", ""),
        (104.0, 30.0, "丁", -1, 5, "x"),
    ], ("area_m2 (column '面积'): not a number in row (4: '约200')", "(column '面积'): below 0 in row (6: '-1')",
        "beds (column '床位'): not a number in row (4: '许多')", "(column '学位'): not a number in row (6: 'x')")),
    Case("facilities of no service", lambda file: read_facilities(
        FacilitySource(file), load_catalogue(), crs=PLANE), [
        ("lon", "lat", "name", "床位"), (104.0, 30.0, "甲", "许多")],
        ("beds (column '床位'): not a number in row (2: '许多')", "no row is a service of the catalogue")),
    Case("people", lambda file: read_people(file, crs=PLANE), [
        ("lon", "lat", "population", "户数"),
        (104.0, 30.0, 5, 2),
        ("东", 30.0, 5, 2),
        (104.0, 30.0, "many", -2),
    ], ("coordinates that are not numbers in 1 rows; got row 3: lon 东", "not a number in row (4: 'many')",
        "below 0 in row (4: '-2')")),
    Case("totals", lambda file: read_people(file, crs=PLANE, units=CITY), [
        ("id", "population", "户数"), ("a", "many", 1), ("b", 5, -1)],
        ("not a number in row (2: 'many')", "below 0 in row (3: '-1')")),
    Case("shares", lambda file: read_shares({}, Source(file)), [
        ("unit_id", "age_60_up", "age_0_3"), ("a", 0.1, "x"), ("a", 21, 0.1)],
        ("blank or repeated; got row 3", "got 21 in row 3", "not a number in row (2: 'x')")),
    Case("where", lambda file: read_table(Source(file, where="床位 > 5")), [
        ("name", "床位"), ("甲", 5), ("乙", "x")], ("text in 1 rows (row 3: 'x')",)),
]  # fmt: skip

LAYERS = [
    Case("communities", read_units, [(SQUARE, "a"), (CHANGED, ""), (NEXT, "a ")],
         ("1 units without id (row 2", "ids are not unique; got a",
          "longitude and latitude seem swapped in units; got row 2;", "remedy: change longitude and lat"), ["id"]),
    Case("areas", lambda file: read_units(file, overlapping=True), [(SQUARE, "a"), (CHANGED, "b")],
         ("seem swapped in units; got b",), ["id"]),
    Case("estates", lambda file: read_estates(file, crs=PLANE),
         [(shapely.Point(104, 30), "x"), (SQUARE, "yes"), (SQUARE, "perhaps")],  # the first is a gate
         ("column gated is neither yes nor no; got row 3: 'perhaps'",), ["gated"]),
    Case("swapped estates", lambda file: read_estates(file, crs=PLANE), [(SQUARE, "yes"), (CHANGED, "yes")],
         ("longitude and latitude seem swapped in 1 of 2 rows; got row 2: 30, 104", "remedy: change"), ["gated"]),
    Case("catchments", lambda file: read_catchments(Source(file), crs=PLANE), [(CHANGED, ""), (CHANGED, "")],
         ("seem swapped in 2 of 2 rows; got row 1: 30, 104; row 2: 30, 104", "QGIS"), ["id"]),
    Case("parcels", lambda file: read_parcels(file, crs=PLANE), [(SQUARE, "a"), (CHANGED, "b")],
         ("seem swapped in 1 of 2 rows; got row 2",), ["id"]),
    Case("streets", read_street_layer, [(shapely.LineString([(104, 30), (104.1, 30)]), "a"),
         (shapely.LineString([(30, 104), (30, 104.1)]), "b")],
         ("seem swapped in 1 of 2 rows; got row 2: 30, 104", "remedy: change"), ["name"]),
    Case("metres", lambda file: read_parcels(file, crs=PLANE), [(shapely.box(4e5, 3e6, 5e5, 4e6), "a")],
         ("coordinates out of range in 1 of 1 rows; got row 1: 400000, 3e+06", "crs ="), ["id"]),
]  # fmt: skip


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize("case", TABLES, ids=lambda case: case.name)
def test_rows_of_a_table_are_those_that_excel_shows(tmp_path: Path, case: Case, suffix: str) -> None:
    file = tmp_path / f"t{suffix}"
    if suffix == ".csv":
        file.write_text("\n".join(",".join(map(str, row)) for row in case.rows) + "\n", encoding="utf-8")
    else:
        book = openpyxl.Workbook()
        for row in case.rows:
            book.active.append([None if cell == "" else cell for cell in row])
        book.save(file)
    with pytest.raises(InputError) as fault:
        case.read(file)
    missing = [words for words in case.says if words not in str(fault.value)]
    assert not missing, str(fault.value)


@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.name)
def test_rows_of_a_layer_count_from_one(tmp_path: Path, case: Case) -> None:
    columns = {name: [row[1 + i] for row in case.rows] for i, name in enumerate(case.columns)}
    gpd.GeoDataFrame(columns, geometry=[row[0] for row in case.rows], crs=WGS84).to_file(tmp_path / "l.gpkg")
    with pytest.raises(InputError) as fault:
        case.read(tmp_path / "l.gpkg")
    missing = [words for words in case.says if words not in str(fault.value)]
    assert not missing, str(fault.value)


def test_rows_that_cannot_be_placed_carry_the_same_number(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("lon,lat,name\n104,30,甲\n\n,,乙\n104,30,丙\n", encoding="utf-8")
    read = facilities(file)
    assert read.frame["facility_id"].tolist() == ["t.csv:2", "t.csv:5"]
    assert read.unplaced[["row", "name"]].to_numpy().tolist() == [["4", "乙"]]
    file.write_text("lon,lat,population\n104,30,5\n,,6\n", encoding="utf-8")
    assert read_people(file, crs=PLANE).rejected["row"].tolist() == ["3"]


def test_degrees_of_another_system_are_found_to_be_swapped(tmp_path: Path) -> None:
    """PROJ has no place for a latitude of 104° and gives infinity, which alone would tell nothing."""
    file = tmp_path / "t.csv"
    file.write_text("lon,lat\n30.6,104.1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"seem swapped.*remedy: change longitude and latitude about"):
        read_points(Source(file, crs="EPSG:4490"))
    gpd.GeoDataFrame({"id": ["a"]}, geometry=[CHANGED], crs=4490).to_file(tmp_path / "l.gpkg")
    with pytest.raises(InputError, match="seem swapped in units; got a"):
        read_units(tmp_path / "l.gpkg")
