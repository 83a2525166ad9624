"""People: grids and rasters become whole people in cells; what cannot be counted is refused or listed."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st

from livingcircle_layers.apportion import largest_remainder, round_to_whole, spread
from livingcircle_layers.crs import metric_crs
from livingcircle_layers.errors import InputError
from livingcircle_layers.people import People, _by_place, read_people
from livingcircle_layers.sources import Source

CRS = metric_crs((104.0, 30.6, 104.1, 30.7))
WINDOW = shapely.box(104.0, 30.6, 104.1, 30.7)


def read(folder: Path, text: str, columns: dict[str, str] | None = None) -> People:
    path = folder / "p.csv"
    path.write_text(text, encoding="utf-8")
    return read_people(Source(path, columns=columns or {}), crs=CRS)


def raster(
    folder: Path,
    values: list[list[float]],
    *,
    crs: str | None = "EPSG:4326",
    transform: rasterio.Affine | None = None,
    nodata: float | None = -99999,
    dtype: str = "float32",
) -> Path:
    """Write cells of 0.01 degrees whose upper left corner is 104.00 E, 30.70 N."""
    cells = np.array(values, dtype=dtype)
    path = folder / "p.tif"
    profile = {"width": cells.shape[-1], "height": cells.shape[-2], "count": 1, "dtype": dtype}
    profile["transform"] = transform or rasterio.Affine(0.01, 0, 104.00, 0, -0.01, 30.70)
    with rasterio.open(path, "w", driver="GTiff", crs=crs, nodata=nodata, **profile) as sink:
        sink.write(cells, 1)
    return path


# -- whole numbers


def slow_spread(total: int, weights: list[int]) -> list[int]:
    """Share one total, one unit at a time to the part that lacks most (the plain reading of the method)."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    lack = [total * weight % whole for weight in weights]
    while sum(parts) < total:
        best = max(range(len(weights)), key=lambda k: (lack[k], -k))
        parts[best] += 1
        lack[best] = -1
    return parts


OWNERS = st.lists(
    st.tuples(
        st.integers(0, 5000),
        st.lists(st.integers(0, 900), min_size=1, max_size=8).filter(lambda w: sum(w) > 0),
    ),
    max_size=6,
)


@given(OWNERS)
def test_spread_equals_the_plain_method(owners: list[tuple[int, list[int]]]) -> None:
    totals = np.array([total for total, _ in owners], dtype=np.int64)
    owner = np.repeat(np.arange(len(owners)), [len(weights) for _, weights in owners])
    weights = np.array([weight for _, weights in owners for weight in weights], dtype=np.int64)
    expected = [part for total, weights_ in owners for part in slow_spread(total, weights_)]
    assert spread(totals, owner, weights).tolist() == expected


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12), st.floats(0, 1))
def test_a_group_never_exceeds_the_people(people: list[int], share: float) -> None:
    group = int(sum(people) * share)
    if sum(people) == 0:
        return
    parts = spread(np.array([group]), np.zeros(len(people), dtype=np.int64), np.array(people))
    assert parts.sum() == group
    assert (parts >= 0).all()
    assert (parts <= people).all()


def test_spread_needs_someone_to_give_to() -> None:
    with pytest.raises(ValueError, match="no part with weight"):
        spread(np.array([1, 2]), np.array([0, 1]), np.array([1, 0]))


def test_spread_leaves_its_totals_alone() -> None:
    totals = np.array([5])
    spread(totals, np.array([0, 0]), np.array([1, 1]))
    assert totals.tolist() == [5]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_rounding_keeps_the_total_and_stays_within_one(values: list[float]) -> None:
    whole = round_to_whole(values)
    assert abs(whole.sum() - sum(values)) <= 0.5 + 1e-6
    assert (np.abs(whole - np.array(values)) < 1 + 1e-6).all()


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0, 1)), min_size=1, max_size=30))
def test_rounded_groups_fit_into_rounded_people(rows: list[tuple[float, float]]) -> None:
    people, group = np.array([p for p, _ in rows]), np.array([p * share for p, share in rows])
    whole = round_to_whole(people)
    part = round_to_whole(group, whole)
    assert (part <= whole).all()
    assert abs(part.sum() - group.sum()) <= 0.5 + 1e-6


def test_ties_go_to_the_first() -> None:
    assert largest_remainder([1, 1, 1, 1], 6).tolist() == [2, 2, 1, 1]
    assert largest_remainder([0.1, 0.2, 0.3], 60).tolist() == [10, 20, 30]
    assert largest_remainder([3, 0, 1], 0).tolist() == [0, 0, 0]
    assert round_to_whole([0.5, 0.5, 0.5, 0.5]).tolist() == [1, 1, 0, 0]


def test_caps_pass_the_rest_on() -> None:
    assert round_to_whole([0.9, 0.9, 0.2], [0, 3, 3]).tolist() == [0, 1, 1]
    assert round_to_whole([1.4, 1.4, 0.2], [1, 1, 5]).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="caps hold less"):
        round_to_whole([2.0, 2.0], [1, 1])


@pytest.mark.parametrize(("weights", "total"), [([0, 0], 1), ([-1, 3], 1), ([1], -1)])
def test_impossible_shares(weights: list[float], total: int) -> None:
    with pytest.raises(ValueError, match="weights must be"):
        largest_remainder(weights, total)


# -- tables


def test_squares_of_the_given_area(tmp_path: Path) -> None:
    people = read(tmp_path, "GRID_ID,lon,lat,population,area_m2\nb,104.06,30.65,7,90000\na,104.05,30.65,5,90000\n")
    assert people.cells["row"].to_list() == ["a", "b"]
    assert people.cells["people"].to_list() == [5, 7]
    assert shapely.area(people.cells.geometry.to_numpy()) == pytest.approx([90000, 90000])
    assert people.cells.geometry.iloc[0].bounds == pytest.approx((-150, -150, 150, 150), abs=1e-6)
    assert (people.kind, people.source, people.total) == ("grid table", "p.csv", 12)


def test_rows_without_area_are_points(tmp_path: Path) -> None:
    people = read(tmp_path, "经度,纬度,人口,面积\n104.05,30.65,5,\n104.06,30.65,6,400\n")
    assert people.cells.geometry.geom_type.to_list() == ["Point", "Polygon"]


def test_people_and_areas_are_read_in_the_units_of_their_headings(tmp_path: Path) -> None:
    columns = {"area_m2": "面积(公顷)"}
    people = read(tmp_path, "经度,纬度,常住人口(万人),面积(公顷),60岁以上(人)\n104.05,30.65,0.0123,9,45\n", columns)
    assert people.cells[["people", "age_60_up"]].to_numpy().tolist() == [[123, 45]]
    assert shapely.area(people.cells.geometry.to_numpy()) == pytest.approx([90000])


def test_the_area_of_a_community_is_no_cell(tmp_path: Path) -> None:
    table = "经度,纬度,常住人口,面积(平方公里)\n104.05,30.65,5,101\n"
    assert read(tmp_path, table).cells.geometry.geom_type.tolist() == ["Point"]
    with pytest.raises(InputError, match=r"1 points is too large for a cell; got 101 km² under .*area_m2 = \"\""):
        read(tmp_path, table, {"area_m2": "面积(平方公里)"})


def test_counts_beside_densities_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("经度,纬度,人口密度,面积,60岁以上(人)\n104.05,30.65,20000,10000,30\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"counts beside densities; got '60岁以上\(人\)' for age_60_up"):
        read_people(Source(path, columns={"population": "人口密度"}), crs=CRS, values="density")


@pytest.mark.parametrize(
    "heading", ["人口密度(万人/平方公里)", "常住人口(万人)2024年", "人口(百万人)", "人口(%)", "population (thousands)"]
)
def test_people_in_other_units_are_refused(tmp_path: Path, heading: str) -> None:
    with pytest.raises(InputError, match="population: cannot be read; got the heading"):
        read(tmp_path, f'经度,纬度,"{heading}"\n104.05,30.65,5\n', {"population": heading})


def test_a_number_too_large_in_its_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"households.*above 1e\+09"):
        read(tmp_path, "经度,纬度,人口,总户数(万户)\n104.05,30.65,5,9999999999\n")


def test_people_per_hectare_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"population: cannot be read; got the heading '人口\(人/公顷\)'"):
        read(tmp_path, "经度,纬度,人口(人/公顷)\n104.05,30.65,5\n", {"population": "人口(人/公顷)"})


def test_parts_of_people_keep_the_total(tmp_path: Path) -> None:
    rows = "".join(f"{104 + k / 1000},30.65,0.4,0.3\n" for k in range(10))
    people = read(tmp_path, "lon,lat,population,60岁以上\n" + rows)
    assert people.total == 4
    assert people.cells["people"].to_list() == [1, 1, 1, 1]
    assert people.cells["age_60_up"].to_list() == [1, 1, 1, 0]
    assert people.groups == ("age_60_up",)


def test_groups_and_households(tmp_path: Path) -> None:
    people = read(tmp_path, "lon,lat,人口数,0-3岁,户数\n104.05,30.65,100,3,40\n104.06,30.65,10,,\n")
    assert people.groups == ("age_0_3",)
    assert people.cells[["people", "age_0_3", "households"]].to_numpy().tolist() == [[100, 3, 40], [10, 0, 0]]
    assert people.warnings == (
        "p.csv: age_0_3 is blank in 1 rows with people and counts as 0 there",
        "p.csv: households is blank in 1 rows with people and counts as 0 there",
    )


def test_rows_that_cannot_be_used_are_listed_and_counted(tmp_path: Path) -> None:
    text = """id,lon,lat,population,households
a,104.05,30.65,5,2
b,104.06,30.65,,1
c,0,0,7,1
d,104.07,30.65,0,0
e,104.08,30.65,0,3
"""
    people = read(tmp_path, text)
    assert people.cells["row"].to_list() == ["a"]
    listed = people.rejected.set_index("row")
    assert listed["reason"].to_dict() == {
        "b": "population is blank",
        "c": "coordinates are 0,0",
        "e": "households without people",
    }
    assert listed.loc["c", "people"] == 7
    assert listed["people"].isna().to_dict() == {"b": True, "c": False, "e": False}
    assert listed.loc["e", "detail"] == "3 households"
    assert people.total == 12 == people.cells["people"].sum() + people.rejected["people"].sum()


def test_groups_of_a_row_without_population_are_given_to_nobody(tmp_path: Path) -> None:
    people = read(tmp_path, "lon,lat,population,60岁以上,户数\n104.05,30.65,50,5,9\n104.06,30.65,,20,20\n")
    assert people.cells[["people", "age_60_up", "households"]].to_numpy().tolist() == [[50, 5, 9]]


def test_a_table_in_which_nobody_lives_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nobody lives anywhere; got population 0 in every row"):
        read(tmp_path, "lon,lat,population\n104.05,30.65,0\n")


def test_text_for_a_coordinate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"coordinates that are not numbers in 1 rows; got row 3: lon abc, lat 30.65"):
        read(tmp_path, "lon,lat,population\n104.05,30.65,7\nabc,30.65,8\n")


def test_groups_that_cannot_all_be_right_are_told(tmp_path: Path) -> None:
    table = "lon,lat,population,age_0_3,age_60_up,age_65_up\n104.05,30.65,10,{}\n104.06,30.65,,9,9,9\n"
    assert read(tmp_path, table.format("5,5,5")).warnings == ()
    assert read(tmp_path, table.format("1,2,3")).warnings == (
        "p.csv: age_65_up exceeds age_60_up in 1 rows, the first of them 2",
    )
    assert read(tmp_path, table.format("5,6,6")).warnings == (
        "p.csv: the groups of ages add up to more than the population in 1 rows, the first of them 2",
    )


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("lon,lat,population\n104,30,-5\n", [r"population.*below 0 in row \(2: '-5'"]),
        ("lon,lat,population\n104,30,many\n", [r"population.*not a number in row \(2: 'many'"]),
        ("lon,lat,population\n104,30,inf\n", [r"not a number in row \(2: 'inf'"]),
        ("lon,lat,population\n104,30,\n104,31,-\n", ["population is blank in all 2 rows"]),
        ("lon,lat,pops\n104,30,4\n", ["no column for the population of p.csv; got .* lon, lat, pops"]),
        ("id,lon,lat,population\na,104,30,4\na,104,31,4\n", ["ids appear twice; got a; remedy: remove"]),
        ("lon,lat,population,age_3_6\n104,30,4,5\n", [r"age_3_6 .* exceeds the population; 1 rows \(2\)"]),
        ("lon,lat,population\n30,104,4\n", ["no row can be used; got 1 × longitude and latitude seem"]),
        (
            "id,lon,lat,population,户数,60岁以上,面积\na,1,1,-1,-2,1,-3\na,1,2,x,y,z,w\nb,1,3,4,1,9,1\n",
            ["ids appear twice", r"population.*below 0", r"population.*not a number", "households.*below 0",
             r"age_60_up.*not a number", "age_60_up.*exceeds", r"area_m2.*below 0", r"area_m2.*not a number"],
        ),
    ],
)  # fmt: skip
def test_all_faults_of_a_table_at_once(tmp_path: Path, text: str, messages: list[str]) -> None:
    for message in messages:
        with pytest.raises(InputError, match=message):
            read(tmp_path, text)


def test_wrong_mapping(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no column 'popn' for population; the nearest is 'pop'"):
        read(tmp_path, "lon,lat,pop\n104,30,1\n", {"population": "popn"})


def test_order_of_the_rows_changes_nothing(tmp_path: Path) -> None:
    rows = [f"r{k},{104 + (k * 7 % 13) / 100},{30.6 + k % 3 / 100},{k * 0.37:.3f}" for k in range(40)]
    one = read(tmp_path, "\n".join(["id,lon,lat,population", *rows]))
    other = read(tmp_path, "\n".join(["id,lon,lat,population", *rows[::-1]]))
    assert one.cells.equals(other.cells)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([104.1, 104.2]), st.sampled_from([30.6, 30.7]), st.sampled_from([2, 3]), st.text(max_size=2)
        ),
        min_size=1,
        max_size=9,
    )
)
def test_rows_are_ordered_by_place_people_and_label(rows: list[tuple[float, float, int, str]]) -> None:
    frame = pd.DataFrame(rows, columns=["x", "y", "population", "row"]).astype({"row": "str", "population": float})
    frame.loc[0, "population"] = np.nan  # what is unknown comes last
    plain = frame.sort_values(["x", "y", "population", "row"], kind="stable")
    pd.testing.assert_frame_equal(frame.iloc[_by_place(frame)], plain)


def test_polygons_with_people_are_their_own_cells(tmp_path: Path) -> None:
    polygon = shapely.box(104.0, 30.6, 104.01, 30.61)
    gpd.GeoDataFrame({"population": [50]}, geometry=[polygon], crs=4326).to_file(tmp_path / "p.gpkg")
    people = read_people(tmp_path / "p.gpkg", crs=CRS)
    expected = gpd.GeoSeries([polygon], crs=4326).to_crs(CRS).area.iloc[0]
    assert shapely.area(people.cells.geometry.to_numpy()) == pytest.approx([expected])


def test_lines_with_people_are_listed(tmp_path: Path) -> None:
    shapes = [shapely.Point(104, 30.6), shapely.LineString([(104, 30.6), (104.1, 30.6)])]
    gpd.GeoDataFrame({"population": [50, 6]}, geometry=shapes, crs=4326).to_file(tmp_path / "p.gpkg")
    people = read_people(tmp_path / "p.gpkg", crs=CRS)
    assert people.rejected[["people", "reason"]].to_numpy().tolist() == [
        [6, "geometry is neither a point nor a polygon"]
    ]


# -- rasters


def test_raster_cells(tmp_path: Path) -> None:
    people = read_people(raster(tmp_path, [[5, -99999], [0, 7]]), crs=CRS, window=WINDOW)
    assert (people.kind, people.total, people.groups) == ("raster", 12, ())
    assert people.cells["people"].to_list() == [5, 7]
    assert people.cells["row"].to_list() == ["", ""]
    corners = people.cells.to_crs(4326).geometry.iloc[1].bounds
    assert corners == pytest.approx((104.01, 30.68, 104.02, 30.69), abs=1e-9)


def test_raster_parts_of_people_and_nan(tmp_path: Path) -> None:
    path = raster(tmp_path, [[0.4, 0.4], [np.nan, 0.4]], nodata=None)
    people = read_people(path, crs=CRS, window=WINDOW)
    assert (people.total, len(people.cells)) == (1, 1)


def test_only_the_window_is_counted(tmp_path: Path) -> None:
    path = raster(tmp_path, [[1, 2, 4, 8], [16, 32, 64, 128]])
    window = shapely.box(104.012, 30.682, 104.028, 30.688)  # second and third cell of the second row
    assert sorted(read_people(path, crs=CRS, window=window).cells["people"]) == [32, 64]
    assert read_people(path, crs=CRS).total == 255


@pytest.mark.parametrize("turn", [0, 30])
def test_raster_in_metres_and_turned(tmp_path: Path, turn: float) -> None:
    corner = gpd.GeoSeries([shapely.Point(104.05, 30.65)], crs=4326).to_crs(32648).iloc[0]
    cos, sin = np.cos(np.radians(turn)) * 100, np.sin(np.radians(turn)) * 100
    transform = rasterio.Affine(cos, sin, corner.x, sin, -cos, corner.y)
    path = raster(tmp_path, [[1, 2], [3, 4]], crs="EPSG:32648", transform=transform)
    people = read_people(path, crs=CRS, window=WINDOW)
    assert people.total == 10
    assert shapely.area(people.cells.geometry.to_numpy()) == pytest.approx([10000] * 4, rel=2e-3)
    whole = shapely.union_all(people.cells.geometry.to_numpy())
    assert shapely.area(whole) == pytest.approx(40000, rel=2e-3)
    assert shapely.distance(whole, shapely.Point(*_plane(104.05, 30.65))) < 0.01


def _plane(lon: float, lat: float) -> tuple[float, float]:
    point = gpd.GeoSeries([shapely.Point(lon, lat)], crs=4326).to_crs(CRS).iloc[0]
    return point.x, point.y


FAR = rasterio.Affine(0.01, 0, -51.0, 0, -0.01, -30.0)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([[1, -3]], {}, r"1 cells are negative; got -3 as the lowest.*-a_nodata -3"),
        ([[1, -99999]], {"nodata": None}, "got -99999 as the lowest"),
        ([[-99999, -99999]], {}, "only nodata over the communities"),
        ([[1, np.inf]], {}, "infinite"),
        ([[1, 2]], {"crs": None}, r"p\.tif has no CRS; expected a georeferenced GeoTIFF"),
        (
            [[1, 2]],
            {"transform": FAR},
            r"does not overlap the communities; got a raster of -51, -30.01, -50.98",
        ),
        ([[1, 2]], {"crs": "EPSG:32648"}, "does not overlap the communities"),
        ([[1, 2]], {"dtype": "complex64", "nodata": None}, r"p\.tif holds no plain numbers; got complex64"),
        (
            [[1, 2]],
            {"transform": rasterio.Affine(0.01, 0.02, 104, 0.01, 0.02, 30.7)},
            r"p\.tif: its cells have no size; got 0\.01, 0\.02, 0\.01, 0\.02 per cell",
        ),
    ],
)
def test_unusable_rasters(tmp_path: Path, values: list[list[float]], options: dict[str, object], message: str) -> None:
    path = raster(tmp_path, values, **options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message) as error:
        read_people(path, crs=CRS, window=WINDOW)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.tif", b"", "p.tif is empty"),
        ("p.tif", b"no raster", r"p\.tif cannot be parsed; got .*; expected a GeoTIFF"),
        ("p.asc", b"ncols 1", r"got the kind \.asc; expected one of \.csv"),
    ],
)
def test_files_that_are_no_rasters(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_people(tmp_path / name, crs=CRS, window=WINDOW)


def test_more_bands_than_one_are_said(tmp_path: Path) -> None:
    transform = rasterio.Affine(0.01, 0, 104.00, 0, -0.01, 30.70)
    with rasterio.open(
        tmp_path / "p.tif", "w", driver="GTiff", width=1, height=1, count=2, dtype="uint8",
        crs="EPSG:4326", transform=transform,
    ) as sink:  # fmt: skip
        sink.write(np.array([[[3]], [[9]]], dtype="uint8"))
    people = read_people(tmp_path / "p.tif", crs=CRS)
    assert people.total == 3
    assert people.warnings == ("p.tif has 2 bands; the first is read",)


@pytest.mark.realdata
def test_real_chengdu(real_data: Path) -> None:
    path = real_data / "chengdu" / "population_grid_night.csv"
    people = read_people(path, crs=CRS, window=WINDOW)
    assert people.total == 6_998_920 == people.cells["people"].sum()
    assert people.rejected.empty
    raw = pd.read_csv(path)
    assert len(people.cells) == (raw["population"] > 0).sum()


@pytest.mark.realdata
def test_real_porto_alegre(real_data: Path) -> None:
    people = read_people(
        real_data / "porto-alegre" / "poa_hexgrid.csv", crs=metric_crs((-51.26, -30.11, -51.14, -29.99))
    )
    assert people.total == 812_935
    assert set(people.cells.geometry.geom_type) == {"Point"}


@pytest.mark.parametrize("cell", ["1e30", "12345678901234567890", "9e12"])
def test_more_people_than_live_on_earth_are_another_column(tmp_path: Path, cell: str) -> None:
    """An id in the column of people was shared out one by one, without an end."""
    path = tmp_path / "people.csv"
    path.write_text(f"lon,lat,population\n104.1,30.6,{cell}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"population.*above 1e\+13|more people than live on Earth; got 9e\+12"):
        read_people(path, crs=CRS)
