"""Files that were cut off, overwritten or otherwise damaged on their way: whatever is in them, one line says so."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from pyproj import CRS

from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.errors import InputError
from livingcircle_layers.osm import read_osm, readable
from livingcircle_layers.parsing import parsed
from livingcircle_layers.people import read_people
from livingcircle_layers.relief import sample_heights
from livingcircle_layers.tables import read_points
from livingcircle_layers.units import read_units
from towns import Town

PLANE = CRS.from_epsg(32648)
WINDOW = shapely.box(103.9, 30.5, 104.1, 30.7)
SQUARES = [shapely.box(104 + i / 100, 30.6, 104.01 + i / 100, 30.61) for i in range(3)]
OUTLINES = gpd.GeoDataFrame({"编号": ["1", "2", "3"], "人口": [5, 6, 7]}, geometry=SQUARES, crs=4326)
ROWS = pd.DataFrame({"名称": ["甲小学", "乙"], "经度": [104.01, 104.02], "纬度": [30.6, 30.7], "人口": [4, 5]})


def people(file: Path) -> object:
    return read_people(file, crs=PLANE, window=WINDOW)


def heights(file: Path) -> object:
    return sample_heights(file, np.array([[404500.0, 3387000.0], [404600.0, 3387100.0]]), PLANE)


def streets(file: Path) -> object:
    return read_osm(file, load_catalogue(), None)


def write_raster(file: Path) -> None:
    profile = {"width": 20, "height": 20, "count": 1, "dtype": "float32", "nodata": -1, "compress": "deflate"}
    place = rasterio.Affine(0.002, 0, 104, 0, -0.002, 30.64)
    with rasterio.open(file, "w", driver="GTiff", crs=4326, transform=place, **profile) as sink:
        sink.write(np.arange(400, dtype="float32").reshape(20, 20), 1)


def write_zip(file: Path) -> None:
    OUTLINES.to_file(file.with_suffix(".shp"), encoding="utf-8")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix in ("shp", "shx", "dbf", "prj"):
            archive.write(file.with_suffix(f".{suffix}"), f"u.{suffix}")


KINDS: dict[str, tuple[Callable[[Path], object], Sequence[Callable[[Path], object]], int]] = {
    "t.xlsx": (lambda file: ROWS.to_excel(file, index=False), (read_points, people), 60),
    "t.csv": (lambda file: ROWS.to_csv(file, index=False), (read_points, people), 60),
    "u.zip": (write_zip, (read_units,), 40),
    "u.shp": (lambda file: OUTLINES.to_file(file, encoding="utf-8"), (read_units,), 40),
    "u.gpkg": (OUTLINES.to_file, (read_units,), 20),
    "u.parquet": (OUTLINES.to_parquet, (read_units, people), 25),
    "u.geojson": (OUTLINES.to_file, (read_units, read_points), 80),
    "p.tif": (write_raster, (people, heights), 40),
    "s.osm": (lambda file: Town("a----b").way("ab").write(file), (streets,), 40),
}


def damaged(raw: bytes, chance: random.Random) -> bytes:
    """Cut a file off, overwrite a stretch of it, or change single bytes."""
    at = chance.randrange(1, len(raw))
    match chance.randrange(4):
        case 0:
            return raw[:at]
        case 1:
            length = min(chance.randrange(1, 60), len(raw) - at)
            return raw[:at] + chance.choice((bytes(length), chance.randbytes(length))) + raw[at + length :]
        case _:
            changed = bytearray(raw)
            for _ in range(chance.choice((1, 3, 12))):
                changed[chance.randrange(len(raw))] = chance.randrange(256)
            return bytes(changed)


def variants(file: Path, name: str, many: int) -> Iterator[None]:
    """Put one damaged file after another into the place of a sound one; of a shapefile any of its files."""
    sound = {part: part.read_bytes() for part in sorted(file.parent.glob(f"{file.stem}.*"))}
    if file.suffix != ".shp":
        sound = {file: sound[file]}
    for number in range(many):
        chance = random.Random(f"{name} {number}")
        hit = chance.choice(list(sound))
        for part, raw in sound.items():
            part.write_bytes(damaged(raw, chance) if part == hit else raw)
        yield


@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path: Path, name: str) -> None:
    write, readers, many = KINDS[name]
    file = tmp_path / name
    write(file)
    for read in readers:
        read(file)  # as it is, it is sound
    refused = []
    for _ in variants(file, name, many):
        for read in readers:
            try:
                read(file)
            except InputError as error:
                refused.append(str(error))
    assert len(refused) > many / 10
    assert [said for said in refused if name not in said or str(tmp_path) in said or "\n" in said] == []


@pytest.mark.parametrize("reading", [lambda file: parsed(file, expected="a table"), readable])
def test_want_of_memory_is_not_told_as_damage(
    tmp_path: Path, reading: Callable[[Path], AbstractContextManager[None]]
) -> None:
    """A file may be too large for the machine, or claim so as its bytes are damaged: nobody can tell which."""
    with (
        pytest.raises(
            InputError, match=r"t\.x does not fit into the memory of this machine; got 9 GiB; remedy: .*small"
        ),
        reading(tmp_path / "t.x"),
    ):
        raise MemoryError("9 GiB")
