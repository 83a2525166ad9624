"""A planner's headings may be any words, those that the readers use inside for their own columns too."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.crs import metric_crs
from livingcircle_layers.estates import read_estates
from livingcircle_layers.facility_files import FacilitySource, read_facilities
from livingcircle_layers.headings import HEADINGS
from livingcircle_layers.parcels import read_parcels
from livingcircle_layers.people import read_people
from livingcircle_layers.shares import read_shares
from livingcircle_layers.sources import Source
from livingcircle_layers.units import read_units

CRS = metric_crs((104.0, 30.6, 104.1, 30.7))
WORDS = (
    "row", "unit", "geometry", "reason", "detail", "source", "people", "population", "area", "service", "given",
    "facility_id", "unit_id", "unit_name", "estate_id", "parcel_id", "_outline", "row_number", "index", "attrs", "0",
)  # fmt: skip
USUAL = {heading for headings in HEADINGS.values() for heading in headings}
SQUARES = [shapely.box(104 + i / 100, 30.6, 104.01 + i / 100, 30.61) for i in range(2)]
UNITS = gpd.GeoDataFrame({"unit_name": ["甲", "乙"]}, geometry=SQUARES, crs=4326, index=pd.Index(["a", "b"]))

Table = Mapping[str, list[Any]]


def csv(folder: Path, table: Table) -> Path:
    pd.DataFrame(table).to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


def outlines(folder: Path, table: Table) -> Path:
    shapes = [json.loads(shapely.to_geojson(square)) for square in SQUARES]
    features = [
        {"type": "Feature", "geometry": shape, "properties": {name: cells[i] for name, cells in table.items()}}
        for i, shape in enumerate(shapes)
    ]
    file = folder / "t.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return file


def facilities(source: Source) -> pd.DataFrame:
    return read_facilities(FacilitySource(source, service="nursing_home"), load_catalogue(), crs=CRS).frame


def people(source: Source) -> pd.DataFrame:
    return read_people(source, crs=CRS, units=UNITS).cells


def units(source: Source) -> pd.DataFrame:
    return read_units(source).frame.reset_index()


def shares(source: Source) -> pd.DataFrame:
    return read_shares({}, source).units.reset_index(drop=True)


def classified(source: Source) -> pd.DataFrame:
    return read_facilities(FacilitySource(source), load_catalogue(), crs=CRS).frame


PLACES = {"lon": [104.001, 104.011], "lat": [30.601, 30.602]}
NAMED = {"id": ["p", "q"], "name": ["甲", "乙"]}
CASES: list[tuple[str, Callable[[Path, Table], Path], Callable[[Source], pd.DataFrame], Table]] = [
    ("facilities", csv, facilities, {**NAMED, **PLACES, "beds": [7, 8], "area_m2": [70, 80]}),
    ("facilities by type", csv, classified, {**NAMED, **PLACES, "type": ["养老院", "公园"]}),
    ("facilities with outlines", outlines, facilities, {**NAMED, "beds": [7, 8], "seats": [1, 2]}),
    ("grid of people", csv, people, {**NAMED, **PLACES, "population": [5, 6], "area_m2": [70, 80], "age_0_3": [1, 2]}),
    ("polygons of people", outlines, people, {**NAMED, "population": [5, 6], "households": [1, 2]}),
    ("totals by id", csv, people, {"id": ["a", "b"], "population": [5, 6]}),
    ("totals by name", csv, people, {"name": ["甲", "乙"], "population": [5, 6], "age_0_3": [1, 2]}),
    ("communities", outlines, units, {**NAMED, "district": ["d", "d"], "type": ["urban", "rural"]}),
    ("estates", outlines, lambda s: read_estates(s, crs=CRS).frame, {"name": ["甲", "乙"], "gated": ["yes", "no"]}),
    ("parcels", outlines, lambda s: read_parcels(s, crs=CRS)[0], NAMED),
    ("shares", csv, shares, {"id": ["a", "b"], "age_60_up": [0.1, 0.2]}),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_a_column_may_be_called_anything(tmp_path: Path, case: Any) -> None:
    _, write, read, table = case
    plain = pd.DataFrame(read(Source(write(tmp_path, table))))
    for turn in range(len(WORDS)):  # every role is called by every word once
        words = [*WORDS[turn:], *WORDS[:turn]]
        called = dict(zip(table, words, strict=False))
        named = {called[role]: cells for role, cells in table.items()}
        # Beside them stand the other words, where they mean nothing.
        beside = {word: ["?", "!"] for word in words[len(table) :] if word not in USUAL}
        found = pd.DataFrame(read(Source(write(tmp_path, {**beside, **named}), columns=called)))
        pd.testing.assert_frame_equal(found, plain, obj=str(called))
