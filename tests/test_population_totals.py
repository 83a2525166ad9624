"""Totals of communities: people without coordinates, who stay in the community that the table names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from livingcircle.scan import scan
from livingcircle_layers.crs import metric_crs
from livingcircle_layers.errors import InputError
from livingcircle_layers.homes import Placement, place_people
from livingcircle_layers.people import People, read_people
from livingcircle_layers.sources import Source
from livingcircle_layers.units import read_units
from towns import Town, study_of

CRS = metric_crs((104.0, 30.6, 104.1, 30.7))
#   a  b     1.06 km² each; c lies over both
BOXES = {
    "a": shapely.box(104.00, 30.60, 104.01, 30.61),
    "b": shapely.box(104.01, 30.60, 104.02, 30.61),
    "c": shapely.box(104.005, 30.60, 104.015, 30.605),
}
UNITS = gpd.GeoDataFrame(
    {"unit_name": ["Alpha", "Beta", "Gamma"], "unit_type": "", "subdistrict": "", "district": ""},
    geometry=list(BOXES.values()),
    crs=4326,
    index=pd.Index(list(BOXES), name="unit_id"),
)
NOTHING = gpd.GeoDataFrame({"floor_m2": [], "residential": []}, geometry=[], crs=CRS)


def read(folder: Path, text: str, **options: Any) -> People:
    file = folder / "totals.csv"
    file.write_text(text, encoding="utf-8")
    return read_people(file, crs=CRS, units=UNITS, **options)


def placed(people: People, **layers: Any) -> Placement:
    given = {"buildings": NOTHING, "residential_land": NOTHING, "street_lines": np.array([], dtype=object)}
    return place_people(people, UNITS.to_crs(CRS), **{**given, "water": NOTHING, **layers})


def by_unit(placement: Placement, column: str = "people") -> dict[str, int]:
    return {str(k): int(v) for k, v in placement.homes.groupby("unit")[column].sum().items()}


def test_totals_stay_in_their_community_whatever_lies_over_it(tmp_path: Path) -> None:
    people = read(tmp_path, "社区代码,常住人口,户数,60岁以上\na,5000,2000,900\nb,3001,1000,0\nc,77,40,7\n")
    assert (people.kind, people.total, people.groups) == ("totals", 8078, ("age_60_up",))
    placement = placed(people)
    assert by_unit(placement) == {"a": 5000, "b": 3001, "c": 77}
    assert by_unit(placement, "households") == {"a": 2000, "b": 1000, "c": 40}
    assert by_unit(placement, "age_60_up") == {"a": 900, "b": 0, "c": 7}
    assert len(placement.homes) > 100  # spread, not heaped at the middle


def test_totals_go_to_residential_land_first(tmp_path: Path) -> None:
    land = gpd.GeoDataFrame(geometry=[shapely.box(104.002, 30.602, 104.004, 30.604)], crs=4326).to_crs(CRS)
    homes = placed(read(tmp_path, "id,population\na,900\n"), residential_land=land).homes
    assert set(homes["basis"]) == {"residential_land"}
    assert shapely.intersects_xy(land.geometry.iloc[0].buffer(1e-6), homes["x"], homes["y"]).all()


def test_names_will_do(tmp_path: Path) -> None:
    assert by_unit(placed(read(tmp_path, "名称,人口\nBeta,10\nAlpha,20\n"))) == {"a": 20, "b": 10}


def test_rows_of_other_places_are_listed_and_communities_without_row_named(tmp_path: Path) -> None:
    people = read(tmp_path, "id,population\na,10\nz,4\nb,\n")
    assert people.total == 14
    rejected = people.rejected[["row", "people", "reason", "detail"]].astype(object).to_numpy().tolist()
    assert ["z", 4, "no such community", "z is not among the communities"] in rejected
    assert sorted(row[0] for row in rejected) == ["b", "z"]
    assert "totals.csv: 1 communities have no row, so that nobody is counted there: c" in people.warnings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "id,population\nx,1\ny,2\n",
            "nor ids of communities; got x, y; expected ids such as a, b",
        ),
        ("编号X,population\na,1\n", "neither coordinates nor ids of communities; got the headings"),
        ("id,population\na,1\na,2\n", "several rows for a community; got a"),
        ("id,name\na,1\n", "no column for the population"),
    ],
)
def test_tables_that_cannot_be_totals(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_a_table_with_coordinates_is_none(tmp_path: Path) -> None:
    assert read(tmp_path, "id,lon,lat,population\na,104.015,30.609,5\n").kind == "grid table"


def test_densities_of_communities(tmp_path: Path) -> None:
    people = read(tmp_path, "id,population\na,1000\n", values="density")
    assert people.total == pytest.approx(1062, abs=2)  # on 1.062 km²
    file = tmp_path / "d.csv"
    file.write_text("id,population_density\na,1000\n")
    source = Source(file, columns={"population": "population_density"})
    with pytest.raises(InputError, match="looks like a density; got the heading 'population_density'"):
        read_people(source, crs=CRS, units=UNITS)


def test_households_by_their_size(tmp_path: Path) -> None:
    placement = placed(read(tmp_path, "id,population\na,1000\nb,5\n", household_size=2.5))
    assert by_unit(placement, "households") == {"a": 400, "b": 2}
    counted = placed(read(tmp_path, "id,population,households\na,1000,123\n", household_size=2.5))
    assert by_unit(counted, "households") == {"a": 123}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 100), st.integers(0, 100)), min_size=3, max_size=3))
def test_nobody_is_lost_in_any_group(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, int]]
) -> None:
    assume(any(n for n, _, _ in rows))
    lines = [f"{u},{n},{n * old // 100},{n * young // 100}" for u, (n, old, young) in zip("abc", rows, strict=True)]
    folder = tmp_path_factory.mktemp("t")
    placement = placed(read(folder, "id,population,age_60_up,age_0_3\n" + "\n".join(lines) + "\n"))
    homes = placement.homes
    for column, at in (("people", 1), ("age_60_up", 2), ("age_0_3", 3)):
        expected = {line.split(",")[0]: int(line.split(",")[at]) for line in lines}
        assert {u: by_unit(placement, column).get(u, 0) for u in "abc"} == expected
        assert ((homes[column] >= 0) & (homes[column] <= homes["people"])).all()


def test_a_scan_of_totals(tmp_path: Path) -> None:
    town = Town("a" + "-" * 40 + "b").way("ab").node(0, 5, shop="supermarket", name="S")
    rule = {"id": "shop", "services": ["supermarket"], "threshold": 5000}
    units = {"w": (0.0, -90.0, 200.0, 180.0), "e": (200.0, -90.0, 200.0, 180.0)}
    study = study_of(tmp_path, town, people=[(10, 0, 1)], rules=[rule], communities=units)
    totals = tmp_path / "totals.csv"
    totals.write_text("id,population\nw,120\ne,80\nx,5\n")
    study = study.model_copy(update={"population": study.population.model_copy(update={"file": totals})})
    result = scan(study)
    found = result.coverage.set_index(["level", "unit_id"])["demand"].to_dict()
    assert found == {("community", "e"): 80, ("community", "w"): 120, ("city", "city"): 200}
    assert result.run["people"] == {"input": 205, "placed": 200, "not_placed": 5, "outside": 0}
    assert result.unplaced.set_index("row").loc["x", "reason"] == "no such community"


@pytest.mark.realdata
def test_real_outram(real_data: Path) -> None:
    folder = real_data / "outram"
    units = read_units(Source(folder / "outram-subzones.geojson", columns={"id": "SUBZONE_C", "name": "SUBZONE_N"}))
    crs = metric_crs(units.frame.total_bounds)
    source = Source(folder / "outram-subzone-summary.csv", columns={"id": "subzone_code"})
    people = read_people(source, crs=crs, units=units.frame)
    nothing = NOTHING.to_crs(crs)
    lines = gpd.read_file(folder / "outram-walk-network.geojson").to_crs(crs).geometry.to_numpy()
    placement = place_people(
        people, units.frame.to_crs(crs), buildings=nothing, residential_land=nothing, street_lines=lines, water=nothing
    )
    assert by_unit(placement) == {"OTSZ01": 6120, "OTSZ02": 290, "OTSZ03": 10490, "OTSZ04": 1430}
    assert set(placement.homes["basis"]) == {"streets"}


def test_totals_need_communities_that_somebody_has_drawn(tmp_path: Path) -> None:
    """Cells of a grid are made of the people, so that nothing says where totals lie."""
    file = tmp_path / "totals.csv"
    file.write_text("社区代码,常住人口\na,5000\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"has no coordinates, and no communities are drawn .*give the communities as"):
        read_people(file, crs=CRS)
