"""Rasters: densities, scales, turned grids, and a national file of which only the city is read."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from pyproj import Transformer

from livingcircle_layers.crs import WGS84, metric_crs
from livingcircle_layers.errors import InputError
from livingcircle_layers.people import read_people
from livingcircle_layers.population_raster import PIECE, is_density

CRS = metric_crs((104.0, 30.6, 104.1, 30.7))
WINDOW = shapely.box(104.00, 30.60, 104.10, 30.70)
LARGE, SMALL = 0.01, 0.001  # cells of about 958 by 1,109 m, and of 96 by 111 m


def raster(path: Path, values: Any, *, cell: float = LARGE, scale: float = 1.0, offset: float = 0.0, unit: str = "",
           dtype: str = "float32", nodata: float | None = -9.0, description: str = "") -> Path:  # fmt: skip
    array = np.array(values, dtype=dtype)
    transform = rasterio.Affine(cell, 0, 104.00, 0, -cell, 30.70)
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:4326", nodata=nodata, height=array.shape[0],
                       width=array.shape[1], count=1, dtype=dtype, transform=transform) as sink:  # fmt: skip
        sink.write(array, 1)
        sink.scales, sink.offsets = (scale,), (offset,)
        sink.units = (unit,)
        if description:
            sink.set_band_description(1, description)
    return path


def total(path: Path, **options: Any) -> int:
    return read_people(path, crs=CRS, window=WINDOW, **options).total


def test_a_raster_of_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"n\.tif: nobody lives anywhere; got 0 people in all cells.*remedy: check"):
        total(raster(tmp_path / "n.tif", [[0, -9], [0, 0.3]]))  # 0.3 people are no whole one


def test_densities_are_multiplied_by_the_ground(tmp_path: Path) -> None:
    path = raster(tmp_path / "d.tif", [[1000, -9], [0, 2000]])
    west, south = Transformer.from_crs(WGS84, CRS, always_xy=True).transform([104.0, 104.01], [30.69, 30.70])
    km2 = (west[1] - west[0]) * (south[1] - south[0]) / 1e6  # 1.062 km², to 0.1 %
    assert km2 == pytest.approx(1.062, abs=0.002)
    assert total(path, values="density") == pytest.approx(3000 * km2, rel=2e-3)
    assert total(path, values="counts") == total(path) == 3000


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("population_density.tif", {}),
        ("chn_pd_2020_1km.tif", {}),
        ("人口密度.tif", {}),
        ("p.tif", {"unit": "people/km2"}),
        ("p.tif", {"unit": "persons per sq km"}),
        ("p.tif", {"description": "Population density"}),
    ],
)
def test_what_calls_itself_a_density_must_be_declared(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    path = raster(tmp_path / name, [[1000, 5]], **options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r'looks like a density; .*remedy: write values = "density"'):
        total(path)
    assert total(path, values="counts") == 1005


@pytest.mark.parametrize("name", ["chn_ppp_2020", "population", "pop_count_100m", "人口", "pdf_grid"])
def test_other_names_are_none(name: str) -> None:
    assert not is_density(name)


def test_counts_too_dense_to_be_true_are_refused(tmp_path: Path) -> None:
    # 5,000 on a cell of 0.01062 km² would be 470,828 people per km²: it is a density of 5,000
    path = raster(tmp_path / "p.tif", [[5000, 5000]], cell=SMALL)
    with pytest.raises(InputError, match=r"looks like a density; got cells of 10,6\d\d m², .* 470,\d\d\d neighbours"):
        total(path)
    assert total(path, values="density") == 106  # 10,000 · 0.01062
    assert total(raster(tmp_path / "q.tif", [[1500, 10]], cell=SMALL)) == 1510  # 141,000 per km²: there are such


def test_scale_and_offset_are_respected(tmp_path: Path) -> None:
    path = raster(tmp_path / "p.tif", [[10, 20], [255, 0]], dtype="uint8", nodata=255, scale=0.5, offset=1.0)
    assert total(path) == 6 + 11 + 1  # 10/2 + 1, 20/2 + 1, nodata, 0/2 + 1


def test_a_mollweide_raster_lies_where_it_says(tmp_path: Path) -> None:
    to = Transformer.from_crs(WGS84, "ESRI:54009", always_xy=True)
    x, y = to.transform(104.05, 30.65)
    path = tmp_path / "ghs.tif"
    transform = rasterio.Affine(1000, 0, x - 1500, 0, -1000, y + 1500)
    with rasterio.open(path, "w", driver="GTiff", crs="ESRI:54009", nodata=-200, height=3, width=3, count=1,
                       dtype="float64", transform=transform) as sink:  # fmt: skip
        sink.write(np.array([[0, 0, 0], [0, 321.0, 0], [0, 0, -200]]), 1)
    people = read_people(path, crs=CRS, window=WINDOW)
    assert people.total == 321
    (cell,) = people.cells.geometry
    back = Transformer.from_crs(CRS, WGS84, always_xy=True)
    assert back.transform(cell.centroid.x, cell.centroid.y) == pytest.approx((104.05, 30.65), abs=1e-4)
    assert cell.area == pytest.approx(1e6, rel=5e-3)  # Mollweide keeps areas, but takes the earth for a sphere


def test_pieces_give_what_the_whole_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(3)
    path = raster(tmp_path / "p.tif", chance.random((37, 23)) * 3, cell=SMALL)
    whole = read_people(path, crs=CRS, window=WINDOW)
    monkeypatch.setattr("livingcircle_layers.population_raster.PIECE", 5)
    pieces = read_people(path, crs=CRS, window=WINDOW)
    assert pieces.cells.equals(whole.cells)
    assert len(whole.cells) > 400


def test_a_national_raster_needs_no_more_memory_than_the_city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # 60,000 by 40,000 cells would be 9.6 GB in memory; the city is 100 by 100 of them. Empty tiles are not stored.
    path = tmp_path / "nation.tif"
    side = 256
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:4326", width=60_000, height=40_000, count=1, tiled=True,
                       blockxsize=side, blockysize=side, dtype="float32", nodata=-9.0, SPARSE_OK="TRUE",
                       transform=rasterio.Affine(SMALL, 0, 75.0, 0, -SMALL, 54.0)) as sink:  # fmt: skip
        window = rasterio.windows.Window(29_000, 23_300, 100, 100)  # 104.0 E, 30.7 N
        sink.write(np.ones((100, 100), dtype="float32"), 1, window=window)
    asked: list[Any] = []
    read = rasterio.DatasetReader.read

    class Spy(rasterio.DatasetReader):  # type: ignore[misc]
        def read(self, *args: Any, **options: Any) -> Any:
            asked.append(options["window"])
            return read(self, *args, **options)

    monkeypatch.setattr(rasterio, "open", lambda file, **options: Spy(rasterio._path._parse_path(str(file)), **options))
    tracemalloc.start()
    try:
        people = read_people(path, crs=CRS, window=WINDOW)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert people.total == 100 * 100
    assert sum(w.width * w.height for w in asked) <= 102 * 102
    assert max(w.width for w in asked) <= PIECE
    assert peak < 50e6
