"""Every kind of unusable input, one by one: one line that says what to do, and nothing written.

Each case is a scan of one small town whose inputs are sound but for one.
"""

from __future__ import annotations

import json
import re
import sqlite3
import struct
import zipfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import rasterio
import shapely

from livingcircle.cli import main
from livingcircle.said_zh import said
from said_sources import english_left
from towns import Town, lonlat, write_communities, write_rules, write_table

#   y = 100   c ─────────────── d        300 m
#             │                 │
#   y =   0   a ─────────────── b
SQUARE = shapely.box(*lonlat(-50, -50), *lonlat(350, 250))
FOREIGN = shapely.box(2.3, 48.8, 2.4, 48.9)  # Paris
VRT = "<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/etc/x</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
WMS = "<GDAL_WMS><Service name='WMS'><ServerUrl>http://127.0.0.1/</ServerUrl></Service></GDAL_WMS>"
STREAM = {
    "type": "gdal_streamed_alg",
    "command_line": "gdal vector pipeline ! read /vsicurl/http://127.0.0.1/x.geojson",
}
PEOPLE = "lon,lat,population,area_m2\n{}\n"
HERE = "{:.6f},{:.6f}".format(*lonlat(150, 10))

Changes = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """One thing that is wrong: what is written, which keys of the study it changes, and what must be said of it."""

    name: str
    make: Callable[[Path], Changes]
    says: tuple[str, ...]
    code: int = 1
    part: str = ""


# -- what a planner may bring ------------------------------------------------------------------------------------------


def text(name: str, content: str | bytes, **more: Any) -> Callable[[Path], Changes]:
    """Write a file of a content."""

    def make(folder: Path) -> Changes:
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(raw)
        return {"file": name, **more}

    return make


def keys(**changes: Any) -> Callable[[Path], Changes]:
    """Change keys of the study alone."""
    return lambda folder: changes


def layer(file: str, geometry: list[Any], crs: Any = 4326, **columns: Any) -> Callable[[Path], Changes]:
    """Write a vector file."""

    def make(folder: Path) -> Changes:
        given = columns or {"id": [str(i) for i in range(len(geometry))]}
        frame = gpd.GeoDataFrame(given, geometry=geometry, crs=crs)
        frame.to_file(folder / file)
        return {"file": file}

    return make


def without(make: Callable[[Path], Changes], *parts: str) -> Callable[[Path], Changes]:
    """Write files and take some of them away again."""

    def made(folder: Path) -> Changes:
        changes = make(folder)
        for part in parts:
            (folder / part).unlink(missing_ok=True)
        return changes

    return made


def beside(make: Callable[[Path], Changes], name: str, content: bytes) -> Callable[[Path], Changes]:
    """Write files and one more."""

    def made(folder: Path) -> Changes:
        changes = make(folder)
        (folder / name).write_bytes(content)
        return changes

    return made


def two_layers(folder: Path) -> Changes:
    for name in ("社区", "街道"):
        gpd.GeoDataFrame({"id": ["a"]}, geometry=[SQUARE], crs=4326).to_file(folder / "u.gpkg", layer=name)
    return {"file": "u.gpkg"}


def virtual_table(folder: Path) -> Changes:
    layer("v.gpkg", [SQUARE])(folder)
    with closing(sqlite3.connect(folder / "v.gpkg")) as database:
        database.execute("pragma writable_schema = on")
        database.execute(
            "insert into sqlite_master values ('table', 'x', 'x', 0,"
            " 'create virtual table x using VirtualOGR(''/vsicurl/http://127.0.0.1/x.geojson'')')"
        )
        database.commit()
    return {"file": "v.gpkg"}


def plain_sqlite(folder: Path) -> Changes:
    with closing(sqlite3.connect(folder / "s.gpkg")) as database:
        database.execute("create table t (a)")
        database.commit()
    return {"file": "s.gpkg"}


def shapes_in_zip(*names: str) -> Callable[[Path], Changes]:
    def make(folder: Path) -> Changes:
        with zipfile.ZipFile(folder / "u.zip", "w") as archive:
            for name in names:
                archive.writestr(name, b"x")
        return {"file": "u.zip"}

    return make


def bomb(name: str, member: str) -> Callable[[Path], Changes]:
    """Write an archive of a few hundred bytes that says it unpacks to 4 GiB and more, 2 GiB a member."""

    def make(folder: Path) -> Changes:
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in (member, f"{member}.2", f"{member}.3"):
                archive.writestr(part, b"\x00" * 1000)
        raw = bytearray((folder / name).read_bytes())
        at = raw.find(b"PK\x01\x02")
        while at >= 0:  # the directory at the end: 24 bytes in stands the size of the member
            raw[at + 24 : at + 28] = struct.pack("<I", 2**31 - 1)
            at = raw.find(b"PK\x01\x02", at + 4)
        (folder / name).write_bytes(bytes(raw))
        return {"file": name}

    return make


def workbook(*sheets: list[list[object]], **more: Any) -> Callable[[Path], Changes]:
    def make(folder: Path) -> Changes:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for number, rows in enumerate(sheets):
            sheet = book.create_sheet(f"表{number + 1}")
            for row in rows:
                sheet.append(row)
        book.save(folder / "t.xlsx")
        return {"file": "t.xlsx", **more}

    return make


def raster(
    values: list[list[float]],
    *,
    crs: str | None = "EPSG:4326",
    corner: tuple[float, float] | None = None,
    key: str = "file",
) -> Callable[[Path], Changes]:
    """Write a GeoTIFF of cells of 0.002 degrees over the town, or elsewhere."""

    def make(folder: Path) -> Changes:
        west, north = corner or lonlat(-100, 300)
        profile: dict[str, Any] = {"width": len(values[0]), "height": len(values), "count": 1, "dtype": "float32"}
        profile["transform"] = rasterio.Affine(0.002, 0, west, 0, -0.002, north)
        with rasterio.open(folder / "r.tif", "w", driver="GTiff", crs=crs, nodata=-9999, **profile) as sink:
            sink.write(np.array(values, dtype="float32"), 1)
        return {key: "r.tif"}

    return make


def cut_raster(folder: Path) -> Changes:
    changes = raster(np.ones((3, 3)).tolist())(folder)
    raw = (folder / "r.tif").read_bytes()
    (folder / "r.tif").write_bytes(raw[:-20])
    return changes


def parquet_without_geometry(folder: Path) -> Changes:
    pd.DataFrame({"id": ["a"]}).to_parquet(folder / "u.parquet")
    return {"file": "u.parquet"}


def damaged(make: Callable[[Path], Changes], name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], Changes]:
    """Write files and change the bytes of one of them."""

    def made(folder: Path) -> Changes:
        changes = make(folder)
        (folder / name).write_bytes(change((folder / name).read_bytes()))
        return changes

    return made


def archive_marked(flag: int = 0, method: int = 0) -> Callable[[bytes], bytes]:
    """Return what marks every member of an archive as encrypted (flag 1) or packed by a method."""

    def change(raw: bytes) -> bytes:
        marked = bytearray(raw)
        for mark, flags, packed in ((b"PK\x03\x04", 6, 8), (b"PK\x01\x02", 8, 10)):
            at = raw.find(mark)
            while at >= 0:
                marked[at + flags] |= flag
                marked[at + packed] = method or marked[at + packed]
                at = raw.find(mark, at + 4)
        return bytes(marked)

    return change


def turned_over(member: str) -> Callable[[bytes], bytes]:
    """Return what turns over the bits of some bytes of a member of an archive."""

    def change(raw: bytes) -> bytes:
        at = raw.index(member.encode()) + len(member) + 10
        return raw[:at] + bytes(255 - byte for byte in raw[at : at + 30]) + raw[at + 30 :]

    return change


def chart_alone(folder: Path) -> Changes:
    """Write a workbook with a chart sheet without a chart, over which the library stumbles."""
    book = openpyxl.Workbook()
    book.create_chartsheet("图")
    book.save(folder / "t.xlsx")
    return {"file": "t.xlsx"}


def packed_shapefile(folder: Path) -> Changes:
    layer("u.shp", [SQUARE])(folder)
    with zipfile.ZipFile(folder / "u.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix in ("shp", "shx", "dbf", "prj"):
            archive.write(folder / f"u.{suffix}", f"u.{suffix}")
    return {"file": "u.zip"}


def folder_in_place_of_a_file(folder: Path) -> Changes:
    (folder / "u.geojson").mkdir()
    return {"file": "u.geojson"}


def collection(*geometries: object) -> str:
    features = [{"type": "Feature", "properties": {"id": str(i)}, "geometry": g} for i, g in enumerate(geometries)]
    return json.dumps({"type": "FeatureCollection", "features": features})


def stating(crs: object, *geometries: object) -> str:
    """Return a collection with a member ``crs``."""
    return json.dumps({"crs": crs, **json.loads(collection(*geometries))})


def ring(*points: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[*points, points[0]]]}


def own_streets(file: str, geometry: list[Any], crs: Any = 4326, **columns: Any) -> Callable[[Path], Changes]:
    def make(folder: Path) -> Changes:
        return {"layer": layer(file, geometry, crs, **columns)(folder)["file"]}

    return make


CORNERS = [lonlat(x, y) for x, y in ((-50, -50), (350, -50), (350, 250), (-50, 250))]
SWAPPED = ring(*[(lat, lon) for lon, lat in CORNERS])
UNCLOSED = {"type": "Polygon", "coordinates": [CORNERS]}
OFF = ring((500, 30), (501, 30), (501, 31))
LOCAL = 'LOCAL_CS["site", UNIT["metre", 1]]'
LINE = shapely.LineString([lonlat(0, 0), lonlat(300, 0)])
FACILITY = "name,lon,lat,类型\n"

COMMUNITIES = [
    Case("unknown key", keys(fyle="x"), ("unknown key in [communities]", "did you mean 'file'?")),
    Case("file not there", keys(file="nowhere.geojson"), ("file not found", "remedy: check the path")),
    Case("folder", folder_in_place_of_a_file, ("file not found", "got a folder", "remedy: check the path")),
    Case("empty file", text("u.geojson", ""), ("u.geojson is empty", "got 0 bytes", "remedy")),
    Case("cut off", text("u.geojson", '{"type": "Feat'), ("cannot be parsed", "expected a whole .geo")),
    Case("no features", text("u.geojson", collection()), ("has no features", "remedy: export")),
    Case("no geometry", text("u.geojson", collection(None)), ("has no geometry", "expected polygons")),
    Case("points", layer("u.gpkg", [SQUARE.centroid]), ("units are points or lines", "expected polyg")),
    Case("no area", layer("u.gpkg", [shapely.Polygon([(1, 1), (2, 2), (3, 3)])]), ("without area",)),
    Case("ids twice", layer("u.gpkg", [SQUARE, FOREIGN], id=["a", "a"]), ("ids are not unique", "got a")),
    Case("a blank id", layer("u.gpkg", [SQUARE, SQUARE], id=["a", ""]), ("1 units without id (row 2",)),
    Case("swapped axes", text("u.geojson", collection(SWAPPED)), ("seem swapped", "degrees", "remedy: change lon")),
    Case("metres called degrees", layer("u.gpkg", [shapely.box(0, 0, 9e5, 9e5)]), ("outside the globe", "crs =")),
    Case("infinite", text("u.geojson", re.sub(r"1[\d.]+", "1e999", collection(SWAPPED))), (
        "u.geojson", "expected")),
    Case("another city", layer("u.gpkg", [FOREIGN]), ("does not overlap the streets", "got places at")),
    Case("rings not closed", text("u.geojson", collection(UNCLOSED)), ("u.geojson has no geometry; got rings that",)),
    Case("one ring not closed", text("u.geojson", collection(ring(*CORNERS), UNCLOSED)), (
        "units without geometry; got 1", "closed rings")),
    Case("two points", text("u.geojson", collection({"type": "Polygon", "coordinates": [CORNERS[:2]]})), (
        "has no geometry", "too few points")),
    Case("no points", text("u.geojson", collection({"type": "Polygon", "coordinates": []})), ("has no geometry",)),
    Case("no ring", text("u.geojson", collection({"type": "Polygon", "coordinates": [None]})), ("has no geometry",)),
    Case("wrong nesting", text("u.geojson", collection({"type": "Polygon", "coordinates": CORNERS})), (
        "has no geometry", "remedy: export")),
    Case("unknown crs member", text("u.geojson", stating(
        {"type": "name", "properties": {"name": "EPSG:99999"}}, ring(*CORNERS))), (
            "u.geojson: its `crs` is not understood", "EPSG:99999", "remedy: declare it in the study")),
    Case("crs member as text", text("u.geojson", stating("EPSG:4490", ring(*CORNERS))), ("not understood", "remedy")),
    Case("local plane", lambda f: {**text("u.geojson", collection(ring(*CORNERS)))(f), "crs": LOCAL}, (
        "`crs` has no places on the Earth", "site", "EPSG:4490")),
    Case("local .prj", beside(layer("u.shp", [SQUARE]), "u.prj", LOCAL.encode()), (
        "u.shp: its CRS has no places on the Earth", "remedy: declare it")),
    Case("heights as CRS", lambda f: {**text("u.geojson", collection(ring(*CORNERS)))(f), "crs": "EPSG:5773"}, (
        "`crs` has no places on the Earth", "EPSG:5773")),
    Case("empty .dbf", beside(layer("u.shp", [SQUARE]), "u.dbf", b""), ("u.shp: its .dbf hold", "0 bytes", "remedy")),
    Case("zip with a password", damaged(packed_shapefile, "u.zip", archive_marked(flag=1)), (
        "u.zip cannot be parsed", "encrypted", "remedy: save it without a password")),
    Case("zip packed oddly", damaged(packed_shapefile, "u.zip", archive_marked(method=9)), (
        "u.zip cannot be parsed", "not supported", "remedy")),
    Case("damaged zip", damaged(packed_shapefile, "u.zip", turned_over("u.shp")), ("u.zip cannot be parsed", "remedy")),
    Case("damaged parquet", lambda f: {"file": (
        gpd.GeoDataFrame({"id": ["a"]}, geometry=[SQUARE], crs=4326).to_parquet(f / "u.parquet"),
        (f / "u.parquet").write_bytes((f / "u.parquet").read_bytes()[:-30]), "u.parquet")[2]}, (
            "u.parquet cannot be parsed", "remedy")),
    Case("several layers", two_layers, ("several layers", "got 社区, 街道", "choose one with `layer`")),
    Case("no such layer", lambda f: {**two_layers(f), "layer": "村"}, ("no layer '村'", "got 社区, 街道")),
    Case("no .dbf", without(layer("u.shp", [SQUARE]), "u.dbf"), ("comes without .dbf", "remedy: copy")),
    Case("no .shx", without(layer("u.shp", [SQUARE]), "u.shx"), ("comes without .shx", "remedy: copy")),
    Case("no .prj", without(layer("u.shp", [SQUARE]), "u.prj"), ("without .prj", 'crs = "EPSG:4490"')),
    Case("wrong .cpg", beside(layer("u.shp", [SQUARE], 名称=["社区"]), "u.cpg", b"KLINGON"), (
        "u.shp: its .cpg names an encoding", "remedy: delete the .cpg")),
    Case("text called .shp", text("u.shp", "hello"), ("not what its name says", "expected a .shp")),
    Case("VRT called .geojson", text("u.geojson", VRT), ("is not what its name says", "remedy")),
    Case("VRT called .gpkg", text("u.gpkg", VRT), ("is not what its name says", "remedy")),
    Case("VRT", text("u.vrt", VRT), ("got the kind .vrt", "expected one of .geojson")),
    Case("WMS", text("u.wms", WMS), ("got the kind .wms", "remedy: export it again")),
    Case("WMS called .json", text("u.json", WMS), ("is not what its name says",)),
    Case("JSON that fetches", text("u.json", json.dumps(STREAM)), ("cannot be parsed", "remedy")),
    Case("GDALG", text("u.gdalg.json", json.dumps(STREAM)), ("cannot be parsed", "remedy")),
    Case("SQLite called .gpkg", plain_sqlite, ("not what its name says", "expected a .gpkg file")),
    Case("GeoPackage that fetches", virtual_table, ("holds tables that are not in it", "x (virtualogr)")),
    Case("/vsicurl", keys(file="/vsicurl/http://127.0.0.1/u.geojson"), ("not a local file", "remedy")),
    Case("/vsizip", keys(file="/vsizip/u.zip/u.geojson"), ("is not a local file", "remedy")),
    Case("web address", keys(file="https://a.b/u.geojson"), ("is not a local file", "download it")),
    Case("KML", text("u.kml", "<kml/>"), ("got the kind .kml", "remedy")),
    Case("CSV", text("u.csv", "id,name\n1,a\n"), ("got the kind .csv", "expected one of .geojson")),
    Case("zip without shapefile", shapes_in_zip("a.txt"), ("must hold one shapefile", "got 0")),
    Case("zip with two", shapes_in_zip("a.shp", "b.shp"), ("must hold one", "got 2: a.shp, b.shp")),
    Case("half a zip", text("u.zip", "PK\x03\x04"), ("cannot be parsed", "expected a whole .zip")),
    Case("zip bomb", bomb("u.zip", "u.shp"), ("too large when unpacked", "expected 4 GiB at most")),
    Case("parquet without geometry", parquet_without_geometry, ("u.parquet", "remedy: export it again")),
    Case("half a parquet", text("u.parquet", "PAR1"), ("cannot be parsed", "whole .parquet")),
    Case("unknown CRS", keys(crs="EPSG:99999"), ("`crs` is no coordinate", "got 'EPSG:99999'", "4490")),
    Case("column not there", keys(columns={"id": "idd"}), ("no column 'idd' for id", "nearest is 'id'")),
    Case("role not there", keys(columns={"ids": "id"}), ("cannot map 'ids'", "nearest is 'id'")),
    Case("filter of nothing", keys(where='id == "z"'), ("leaves none of the 1 rows", "remedy")),
    Case("database without table", keys(file="postgresql://u:geheim@h/d"), ("one of `table` and `query`",)),
    Case("table of a file", keys(table="a.b"), ("`table` does not fit", "expected it with postgresql://")),
]  # fmt: skip

POPULATION = [
    Case("empty file", text("p.csv", ""), ("p.csv is empty", "got 0 bytes")),
    Case("headings only", text("p.csv", "lon,lat,population\n"), ("headings but no rows", "got lon, lat")),
    Case("blank lines only", text("p.csv", "\n\n"), ("has no headings", "expected headings")),
    Case("titles above", text("p.csv", "a,,\nb,,\nc,,\nd,,\nlon,lat,population\n1,2,3\n"), ("remedy: remove what",)),
    Case("wrong delimiter", text("p.csv", "lon#lat#population\n1#2#3\n"), ("no column for", "got the head")),
    Case("mixed encodings", text("p.csv", "经度,".encode() + "纬度".encode("gb18030") + b",\xff\xff\n1,2,3\n"), (
        "is not a text table", "expected", "remedy: save it as CSV UTF-8")),
    # The first name is four signs, twelve bytes, which GB18030 reads as six others without a word.
    Case("lists of two encodings", text(
        "p.csv", b"lon,lat,population,name\n1,2,3," + "双林社区".encode() + b"\n1,2,3," + "玉林社区".encode("gb18030")
    ), ("is written in two encodings", "got UTF-8 in line 2", "remedy: export each list alone")),
    Case("zero bytes", text("p.csv", b"lon,lat,population\n1,2,\x00\n"), ("is not a text table",)),
    Case("longer rows", text("p.csv", "lon,lat,population\n1,2,3\n1,2,3,4\n"), ("do not fit its 3",)),
    Case("headings twice", text("p.csv", "lon,lat,人口,人口\n1,2,3,4\n"), ("headings appear twice: 人口",)),
    Case("heading missing", text("p.csv", "lon,,population\n1,2,3\n"), ("no heading in column 2", "remedy")),
    Case("no population", text("p.csv", f"lon,lat,beds\n{HERE},3\n"), ("no column for the population",)),
    Case("no coordinates", text("p.csv", "a,population\n1,2\n"), ("neither coordinates nor ids of comm", "remedy")),
    Case("text for a number", text("p.csv", PEOPLE.format(f"{HERE},许多,100")), ("not a number in row", "许多")),
    Case("comma for a point", text("p.csv", PEOPLE.format(f'{HERE},"1,23",100')), ("not a number in row",)),
    Case("infinite people", text("p.csv", PEOPLE.format(f"{HERE},inf,100")), ("not a number in row",)),
    Case("no number anywhere", text("p.csv", PEOPLE.format(f"{HERE},NaN,100")), ("blank in all 1 rows",)),
    Case("negative people", text("p.csv", PEOPLE.format(f"{HERE},-5,100")), ("below 0 in row (2: '-5'",)),
    Case("infinite place", text("p.csv", PEOPLE.format("inf,30,5,100")), ("not numbers in 1 rows", "remedy")),
    Case("text for a place", text("p.csv", PEOPLE.format("东,30,5,100")), ("are not numbers", "lon 东")),
    Case("0,0", text("p.csv", PEOPLE.format("0,0,5,100")), ("no row can be used", "coordinates are 0,0")),
    Case("swapped", text("p.csv", PEOPLE.format("30.6,104.1,5,100")), ("no row can be used", "swapped")),
    Case("metres", text("p.csv", PEOPLE.format("412345,3391234,5,100")), ("out of range", "remedy")),
    Case("nobody", text("p.csv", PEOPLE.format(f"{HERE},0,100")), ("nobody lives anywhere", "remedy")),
    Case("ids twice", text("p.csv", f"id,lon,lat,population\na,{HERE},1\na,{HERE},2\n"), ("ids appear twice",)),
    Case("group too large", text("p.csv", f"lon,lat,population,age_0_3\n{HERE},5,9\n"), ("exceeds the pop",)),
    Case("lines", layer("p.gpkg", [LINE], population=[5]), ("neither a point nor a polygon", "remedy")),
    Case(".xls", text("p.xls", "x"), ("got the kind .xls", "expected one of")),
    Case("text called .xlsx", text("p.xlsx", "a,b"), ("cannot be parsed", "expected an Excel workbook")),
    Case("empty workbook", workbook([], [[None]]), ("t.xlsx is empty", "expected headings and rows")),
    Case("damaged workbook", damaged(workbook([["a"], [1]]), "t.xlsx", turned_over("xl/worksheets/sheet1.xml")), (
        "t.xlsx cannot be parsed", "an Excel workbook", "remedy: save it again from Excel")),
    Case("cut workbook", damaged(workbook([["a"], [1]]), "t.xlsx", lambda raw: raw[: len(raw) // 2]), (
        "t.xlsx cannot be parsed", "an Excel workbook", "remedy")),
    Case("members with a password", damaged(workbook([["a"], [1]]), "t.xlsx", archive_marked(flag=1)), (
        "t.xlsx cannot be parsed", "encrypted", "remedy: save it without a password")),
    Case("workbook with a password", text("t.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600), (
        "t.xlsx cannot be opened", "a workbook with a password", "remedy: save it from Excel as .xlsx without")),
    Case("sheet of a chart", chart_alone, ("t.xlsx cannot be parsed", "remedy: save it again")),
    Case("more people than on Earth", lambda f: {**raster([[1e30]])(f), "values": "counts"}, (
        "r.tif: more people than live on Earth", "remedy")),
    Case("raster in a local plane", raster([[5]], crs=LOCAL), ("r.tif: its CRS has no places on the Earth", "remedy")),
    Case("no such sheet", workbook([["a"], [1]], sheet="表9"), ("no sheet '表9'", "got 表1", "`sheet`")),
    Case("workbook bomb", bomb("t.xlsx", "xl/worksheets/sheet1.xml"), ("too large when unpacked", "0.5 GiB")),
    Case("raster elsewhere", raster([[5]], corner=(2.3, 48.9)), ("does not overlap the communities", "got")),
    Case("raster without CRS", raster([[5]], crs=None), ("has no CRS", "expected a georeferenced", "remedy")),
    Case("raster of nodata", raster([[-9999]]), ("has only nodata over the communities", "remedy: check")),
    Case("raster of zeros", raster([[0]]), ("nobody lives anywhere", "remedy: check")),
    Case("negative raster", raster([[5, -1]]), ("cells are negative", "got -1", "gdal_edit.py")),
    Case("infinite raster", raster([[5, np.inf]]), ("holds infinite numbers", "expected people")),
    Case("text called .tif", text("p.tif", "hello"), ("cannot be parsed", "expected a GeoTIFF")),
    Case("VRT called .tif", text("p.tif", "<VRTDataset/>"), ("cannot be parsed", "expected a GeoTIFF")),
    Case("half a raster", cut_raster, ("r.tif cannot be parsed", "remedy: copy it again")),
]  # fmt: skip

SCHOOL = f"{FACILITY}小学,{HERE},小学\n"
FACILITIES = [
    Case("password beside a fault", keys(file="postgresql://u:geheim@h/d", table="t", mode="add"), (
        "mode 'replace' or 'add' with a service",)),
    Case("unknown service", text("f.csv", SCHOOL, service="schoool"), ("schoool", "primary_school")),
    Case("no kind of place", text("f.csv", f"name,lon,lat\nabc,{HERE}\n"), ("no row is a service", "SERVICE=")),
    Case("no place at all", text("f.csv", f"{FACILITY}小学,0,0,小学\n"), ("no row can be put on a map",)),
    Case("places elsewhere", text("f.csv", f"{FACILITY}小学,2.35,48.85,小学\n"), ("f.csv", "got places at")),
    Case("negative area", text("f.csv", f"name,lon,lat,类型,面积\n小学,{HERE},小学,-1\n"), ("below 0 in row",)),
    Case("one coordinate", text("f.csv", "name,lon\n小学,104\n"), ("no column for the lat", "remedy")),
    Case("filter half written", text("f.csv", SCHOOL, where="类型 =="), ("`where` cannot be understood", "write it")),
    Case("filter of brackets", text("f.csv", SCHOOL, where=f"{'(' * 3000}类型 == 1{')' * 3000}"), (
        "`where` cannot be understood", "more than 50 brackets inside one another", "write it")),
    Case("list for a name", lambda f: {"file": text("f.geojson", json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"name": ["a", "b"]}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
        ]}))(f)["file"]}, ("f.geojson: no row is a service", "remedy")),
    Case("filter that runs", text("f.csv", SCHOOL, where="__import__('os').x"), ("got '.' at character 17",)),
    Case("filter of no column", text("f.csv", SCHOOL, where='状态 == "a"'), ("no column '状态'", "there are")),
    Case("layer of a CSV", text("f.csv", SCHOOL, layer="x"), ("`layer` does not fit", "a GeoPackage")),
    Case("sheet of a CSV", text("f.csv", SCHOOL, sheet="x"), ("`sheet` does not fit", "a workbook")),
]  # fmt: skip

STREETS = [
    Case("OSM file not there", keys(osm="x.osm.pbf"), ("file not found", "the streets of the study")),
    Case("wrong kind of OSM", keys(osm="rules.toml"), ("is not an OpenStreetMap file", "expected .osm.pbf")),
    Case("OSM that is none", lambda f: {"osm": text("x.osm.pbf", b"\x00nope")(f)["file"]}, ("x.osm.pbf", "remedy")),
    Case("empty OSM", lambda f: {"osm": text("x.osm", '<osm version="0.6"/>')(f)["file"]}, ("x.osm", "remedy")),
    Case("OSM on the web", keys(osm="http://a.b/x.osm.pbf"), ("is not a local file", "remedy")),
    Case("polygons", own_streets("s.gpkg", [SQUARE]), ("holds no walkable line", "expected streets as lines")),
    Case("broken GeoPackage", lambda f: {"layer": text("s.gpkg", b"SQLite format 3\x00x")(f)["file"]}, (
        "s.gpkg cannot be parsed", "remedy")),
    Case("layer of its", lambda f: {"layer": two_layers(f)["file"]}, ("several layers", "`layer_name`")),
    Case("no such column", lambda f: {**own_streets("s.gpkg", [LINE])(f), "columns": {"u": "von"}}, (
        "no column 'von' for u",)),
    Case("direction unknown", lambda f: {
        **own_streets("s.gpkg", [LINE], oneway=["perhaps"])(f), "columns": {"oneway": "oneway"}}, (
            "which way", "'perhaps'")),
    Case("too many signals", own_streets("s.gpkg", [LINE], signals=["1e9"]), (
        "'signals' is no number of signals", "row 1: 1e9", "0 to 100", "remedy")),
    Case("streets off the globe", own_streets("s.gpkg", [shapely.LineString([(500, 1), (501, 2)])]), (
        "s.gpkg: coordinates out of range", "remedy")),
    Case("text of heights", lambda f: {"dem": text("d.tif", "hello")(f)["file"]}, (
        "d.tif cannot be parsed; got 'd.tif' not", "expected a GeoTIFF of heights", "remedy: export it again")),
    Case("heights without CRS", raster([[5]], crs=None, key="dem"), ("has no CRS", "remedy")),
    Case("heights elsewhere", raster([[5]], corner=(2.3, 48.9), key="dem"), ("r.tif", "expected heights")),
    Case("VRT of heights", lambda f: {"dem": text("d.tif", "<VRTDataset/>")(f)["file"]}, ("d.tif", "GeoTIFF")),
]  # fmt: skip

ESTATES = [
    Case(
        "no outline",
        layer("e.geojson", [SQUARE.centroid]),
        ("holds no estate", "got no polygon", "expected"),
    ),
    Case("perhaps gated", layer("e.geojson", [SQUARE], gated=["maybe"]), ("neither yes nor no", "'maybe'")),
    Case("off the globe", text("e.geojson", collection(OFF)), ("e.geojson: coordinates out of range", "crs =")),
    Case("rings not closed", text("e.geojson", collection(UNCLOSED)), ("e.geojson has no geometry; got rings",)),
]

AREAS = [Case("off the globe", text("a.geojson", collection(OFF)), ("a.geojson: units outside the globe", "crs ="))]
CANDIDATES = [
    Case("off the globe", text("p.geojson", collection(OFF)), ("p.geojson: coordinates out of range", "crs =")),
]

STUDY = [
    Case("wrong kind of value", keys(join_limit_m="far"), ("join_limit_m", "got 'far'", "expected")),
    Case("impossible value", keys(join_limit_m=-5), ("join_limit_m", "got -5", "expected")),
    Case(
        "unknown standard", keys(standard="gb"), ("there is no standard or bundle 'gb'", "expected a bundle (chengdu")
    ),
    Case("unknown walker", keys(walkers=["snail"]), ("unknown walker", "got snail", "expected adult"), 2),
]
CASES = [
    *(replace(case, part="communities") for case in COMMUNITIES),
    *(replace(case, part="population") for case in POPULATION),
    *(replace(case, part="facilities") for case in FACILITIES),
    *(replace(case, part="streets") for case in STREETS),
    *(replace(case, part="estates") for case in ESTATES),
    *(replace(case, part="areas") for case in AREAS),
    *(replace(case, part="candidates") for case in CANDIDATES),
    *STUDY,
]


# -- the test ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sound inputs of a small town."""
    folder = tmp_path_factory.mktemp("town")
    drawn = Town("c------d\n--------\na------b", dx=300 / 7, dy=50).way("ab").way("cd").way("ac").way("bd")
    drawn.node(250, 10, shop="supermarket").write(folder / "town.osm")
    write_communities(folder / "communities.geojson", {"w": (-50, -50, 400, 300)})
    write_table(folder / "people.csv", "population", [(100, 0, 40), (0, 50, 30)])
    write_rules(
        folder / "rules.toml", {"id": "shop", "services": ["supermarket"], "threshold": 200, "threshold_unit": "m"}
    )
    return folder


def study_text(changes: Changes, part: str) -> str:
    """Return a study as TOML, with the keys of one part changed."""
    parts: dict[str, dict[str, Any]] = {
        "": {"name": "town", "standard": "rules.toml"},
        "streets": {"osm": "town.osm"},
        "communities": {"file": "communities.geojson"},
        "population": {"file": "people.csv"},
    }
    parts[part] = {**parts.get(part, {}), **changes}
    lines = []
    for name, values in parts.items():
        if name:
            lines.append("[[facilities]]" if name == "facilities" else f"[{name}]")
        for key, value in values.items():
            table = isinstance(value, dict)
            inline = ", ".join(f"{k} = {json.dumps(v)}" for k, v in value.items()) if table else ""
            lines.append(f"{key} = {{ {inline} }}" if table else f"{key} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def scan(study: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str], str]:
    """Return the exit code, the lines that complain, and everything that was printed."""
    capsys.readouterr()
    code = 0
    try:
        main(["scan", str(study), "-o", str(out)])
    except SystemExit as ended:
        code = int(ended.code or 0)
    printed = capsys.readouterr()
    return (
        code,
        [line for line in printed.err.splitlines() if line.startswith("livingcircle: ")],
        printed.out + printed.err,
    )


def folder_of(town: Path, tmp_path: Path) -> Path:
    for file in town.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


@pytest.mark.parametrize("case", CASES, ids=[f"{case.part or 'study'}: {case.name}" for case in CASES])
def test_one_line_that_says_what_to_do(
    case: Case, town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(town, tmp_path)
    (folder / "study.toml").write_text(study_text(case.make(folder), case.part), encoding="utf-8")
    code, complaints, printed = scan(folder / "study.toml", folder / "out", capsys)
    assert code == case.code, printed
    assert len(complaints) == 1, printed
    assert printed.rstrip("\n").splitlines()[-1] == complaints[0]
    place = 0
    for words in case.says:
        assert words in complaints[0][place:], complaints[0]
        place = complaints[0].index(words, place)
    assert english_left(said(complaints[0].removeprefix("livingcircle: "), "zh")) == []
    assert "Traceback" not in printed
    assert "geheim" not in printed
    assert not (folder / "out").exists()


def test_the_cases_are_many_and_differ() -> None:
    assert len({(case.part, case.name) for case in CASES}) == len(CASES) >= 60


def test_the_town_itself_is_sound(town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(town, tmp_path)
    (folder / "study.toml").write_text(study_text({}, ""), encoding="utf-8")
    code, complaints, printed = scan(folder / "study.toml", folder / "out", capsys)
    assert (code, complaints) == (0, []), printed


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name = \n", ("is not valid TOML", "line 1", "remedy")),
        ("name = '社区'\n".encode("gb18030"), ("is not UTF-8", "remedy: save the file as UTF-8")),
        (b"", ("the key standard is missing", "the key streets is missing", "the key communities is missing")),
        (b'standart = "x"\nfoo = 1\n', ("got 'standart'", "did you mean 'standard'?", "got 'foo'")),
    ],
)
def test_unusable_study_files(
    content: bytes, words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "study.toml").write_bytes(content)
    code, complaints, printed = scan(tmp_path / "study.toml", tmp_path / "out", capsys)
    assert code == 1
    assert len(complaints) == 1, printed
    assert all(word in complaints[0] for word in words), complaints[0]
    assert english_left(said(complaints[0].removeprefix("livingcircle: "), "zh")) == []
    assert not (tmp_path / "out").exists()


def test_all_faults_of_one_table_at_once(town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(town, tmp_path)
    rows = [f"a,{HERE},x,5,1", f"a,{HERE},-3,y,2", f"b,{HERE},4,5,9"]
    (folder / "people.csv").write_text("id,lon,lat,population,area_m2,age_0_3\n" + "\n".join(rows) + "\n")
    (folder / "study.toml").write_text(study_text({}, ""), encoding="utf-8")
    _, (line,), _ = scan(folder / "study.toml", folder / "out", capsys)
    for fault in (
        "ids appear twice; got a",
        "not a number in row (2: 'x'",
        "below 0 in row (3: '-3'",
        "(3: 'y'",
        "exceeds",
    ):
        assert fault in line


# -- odd, and usable all the same --------------------------------------------------------------------------------------


def people_of(folder: Path) -> dict[str, int]:
    return json.loads((folder / "out" / "run.json").read_text(encoding="utf-8"))["people"]


def test_separators_full_width_digits_and_bad_rows_are_read_or_listed(
    town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(town, tmp_path)
    rows = [f'"1,200";{HERE.replace(",", ";")}', f"３０;{HERE.replace(',', ';')}", "7;0;0", "5;;"]
    (folder / "people.csv").write_bytes(("人口;经度;纬度\n" + "\n".join(rows) + "\n").encode("gb18030"))
    (folder / "study.toml").write_text(study_text({}, ""), encoding="utf-8")
    code, complaints, printed = scan(folder / "study.toml", folder / "out", capsys)
    assert (code, complaints) == (0, []), printed
    # 1,200 + ３０ live in the town, 7 at 0,0 and 5 nowhere: nobody is lost.
    assert people_of(folder) == {"input": 1242, "placed": 1230, "not_placed": 12, "outside": 0}
    assert "read: people.csv: 4 rows; columns read as population=人口, lon=经度, lat=纬度" in printed
    unplaced = pd.read_csv(folder / "out" / "unplaced.csv", encoding="utf-8-sig")
    assert set(unplaced["reason"]) >= {"coordinates are 0,0", "no coordinates"}


@pytest.mark.parametrize("shape", ["crossing", "high", "gauss-krueger", "gbk zip", "layer"])
def test_odd_outlines_are_read(shape: str, town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(town, tmp_path)
    a, b, c, d = CORNERS
    whole = gpd.GeoDataFrame({"id": ["甲"], "类型": ["城镇"]}, geometry=[SQUARE], crs=4326)
    changes: Changes
    if shape == "crossing":  # a bow tie: two triangles, of which both count
        changes = text("u.geojson", collection(ring(a, c, d, b)))(folder)
    elif shape == "high":
        changes = text("u.geojson", collection(ring(*[(*p, 500.0) for p in (a, b, c, d)])))(folder)  # type: ignore[arg-type]
    elif shape == "gauss-krueger":  # the .prj is lost, and the study says what it was
        whole.to_crs(4544).to_file(folder / "u.shp")
        (folder / "u.prj").unlink()
        changes = {"file": "u.shp", "crs": "EPSG:4544"}
    elif shape == "gbk zip":
        whole.to_file(folder / "u.shp", encoding="gbk")
        (folder / "u.cpg").unlink()
        with zipfile.ZipFile(folder / "u.zip", "w") as archive:
            for part in folder.glob("u.*"):
                archive.write(part, f"../../{part.name}") if part.suffix != ".zip" else None
        changes = {"file": "u.zip", "columns": {"type": "类型"}, "where": '类型 == "城镇"'}
    else:
        changes = {**two_layers(folder), "layer": "社区"}
    (folder / "study.toml").write_text(study_text(changes, "communities"), encoding="utf-8")
    code, complaints, printed = scan(folder / "study.toml", folder / "out", capsys)
    assert (code, complaints) == (0, []), printed
    assert people_of(folder)["input"] == 70
    assert people_of(folder)["placed"] > 0


def test_a_filter_is_counted_and_is_no_loss(town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(town, tmp_path)
    rows = [f"超市一,{HERE},超市,在用", f"超市二,{HERE},超市,停办"]
    (folder / "f.csv").write_text("名称,经度,纬度,类别,状态\n" + "\n".join(rows) + "\n", encoding="utf-8-sig")
    changes = {"file": "f.csv", "where": '类别 == "超市" and 状态 != "停办"'}
    (folder / "study.toml").write_text(study_text(changes, "facilities"), encoding="utf-8")
    code, complaints, printed = scan(folder / "study.toml", folder / "out", capsys)
    assert (code, complaints) == (0, []), printed
    assert "read: f.csv: 2 rows, 1 of them left out by `where`; columns read as" in printed
    run = json.loads((folder / "out" / "run.json").read_text(encoding="utf-8"))
    (record,) = [entry for entry in run["inputs"] if entry["path"] == "f.csv"]
    assert (record["rows"], record["filtered"], record["columns"]["lon"]) == (2, 1, "经度")
    assert "超市二" not in (folder / "out" / "unplaced.csv").read_text(encoding="utf-8-sig")


FORMULAS = ["=HYPERLINK(1)", "+cmd|1", "-2+3", "@SUM(1)"]


def test_names_that_look_like_formulas_are_text_in_every_output(
    town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(town, tmp_path)
    squares = [shapely.box(*lonlat(100 * i, -50), *lonlat(100 * i + 100, 250)) for i in range(4)]
    named = {"id": ["=1", "+2", "-3", "@4"], "name": FORMULAS}
    changes = layer("u.gpkg", squares, **named)(folder)
    (folder / "study.toml").write_text(study_text(changes, "communities"), encoding="utf-8")
    code, complaints, printed = scan(folder / "study.toml", folder / "out", capsys)
    assert (code, complaints) == (0, []), printed
    out = folder / "out"
    scores = pd.read_csv(out / "scores.csv", encoding="utf-8-sig", dtype=str)
    own = scores[scores["level"] == "community"]
    assert sorted(own["unit_id"]) == sorted(named["id"])
    assert sorted(own["unit_name"]) == sorted("'" + name for name in FORMULAS)  # Excel shows them, and runs none
    layer_ = gpd.read_file(out / "communities.gpkg", layer="communities")
    assert dict(zip(layer_["unit_id"], layer_["unit_name"], strict=True)) == dict(
        zip(named["id"], FORMULAS, strict=True)
    )
    book = openpyxl.load_workbook(out / "report.xlsx")
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.value in FORMULAS]
    assert {cell.value for cell in cells} == set(FORMULAS)
    assert {cell.data_type for cell in cells} == {"s"}
    assert not [c for s in book.worksheets for row in s.iter_rows() for c in row if c.data_type == "f"]
    page = (out / "map.html").read_text(encoding="utf-8")
    assert "=HYPERLINK(1)" in page
    assert "'=HYPERLINK(1)" not in page
