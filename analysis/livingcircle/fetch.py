"""Download a study: streets, services and land of a place from OpenStreetMap, in a folder that scans as it is."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from livingcircle.credits import OSM_CREDIT
from livingcircle.output_folder import PROGRAM, RUN_FILE, disk_errors, held_folder, replaced_files
from livingcircle.standards import load_standard
from livingcircle.study import Study
from livingcircle.study_parts import CommunitiesInput
from livingcircle_layers.boxes import LARGEST_KM2, Box, area_km2, around, is_box, shown, turned_about
from livingcircle_layers.catalogue import Catalogue, load_catalogue
from livingcircle_layers.crs import WGS84
from livingcircle_layers.datum import may_be_shifted
from livingcircle_layers.errors import InputError, UsageError
from livingcircle_layers.globe import on_globe
from livingcircle_layers.osm import OsmExtract, keys_read, read_osm
from livingcircle_layers.osm_writer import write_osm
from livingcircle_layers.overpass import PART_KM2, Download, Say, Servers, download, find_place
from livingcircle_layers.unit_osm import LEVELS
from livingcircle_layers.vectors import read_vector

OSM_FILE, STUDY_FILE, LICENCES_FILE = "streets.osm.pbf", "study.toml", "LICENCES.txt"
SCAN_FILE = "coverage.csv"  # tells a folder of results, whose run.json must not be lost

_FILES = (OSM_FILE, LICENCES_FILE, RUN_FILE)


@dataclass(frozen=True)
class Fetched:
    """What was downloaded, and where it is.

    Attributes
    ----------
    study
        The study file.
    box
        West, south, east, north in degrees: what was asked for.
    date
        Of the data; "" where the server does not say.
    notes
        What the planner should know of it.
    """

    study: Path
    box: Box
    date: str
    notes: tuple[str, ...]


def fetch(  # noqa: PLR0913  one parameter for each choice
    directory: str | Path,
    *,
    place: str | None = None,
    bbox: Box | None = None,
    polygon: str | Path | None = None,
    standard: str | None = None,
    communities: str = "grid:500",
    margin_m: float = 0.0,
    servers: Servers | None = None,
    part_km2: float = PART_KM2,
    cache: str | Path | None = None,
    say: Say = print,
) -> Fetched:
    """Download streets, services and land of a place from OpenStreetMap, as a study that scans as it is.

    The hosts are named before anything is sent to them: the name of a place to Nominatim, a box to Overpass. Outlines
    of a planner's own never leave her computer, only the box around them.

    Parameters
    ----------
    directory
        Folder of the study; it is written whole or not at all. A study file that is there already stays as it is.
    place, bbox, polygon
        Where, one of them: a name, a box (west, south, east, north in degrees), or a vector file.
    standard
        Bundle, standard or file of rules; by default `national` in China, `international` elsewhere.
    communities
        ``grid:500``, ``hex:500``; or ``osm:8`` outside China, which also loads administrative units.
    margin_m
        How far around the place more is loaded, for walks over its border.
    servers
        Whom to ask.
    part_km2
        Larger boxes are asked for in parts.
    cache
        Folder of answers, which a second run uses again; by default one of the user's.
    say
        Is told what is going to be sent to whom, and how it goes.

    Raises
    ------
    InputError
        A server cannot be used, has nothing or not all; or the folder cannot be written.
    UsageError
        It is not clear what to load, or it is too much.
    """
    folder, asked = Path(directory), servers or Servers()
    kept = Path(cache) if cache else cache_folder()
    _check_choice(place, bbox, polygon, communities, part_km2)
    if standard is not None:
        load_standard(standard)
    if (folder / SCAN_FILE).exists():
        raise InputError(f"{folder} holds the results of a scan", remedy="choose another -o for the study")
    with held_folder(folder, _FILES), disk_errors(kept):
        say(_announcement(asked, place))
        box, title = _box_of(place, bbox, polygon, asked, kept, say)
        box = _checked_box(around(box, margin_m), communities)
        say(f"to {asked.overpass_host}{asked.way()} goes this box, {area_km2(box):,.1f} km²: {shown(box)}")
        catalogue = load_catalogue(None)
        tags: dict[str, bool | str | list[str]] = dict.fromkeys(sorted(keys_read(catalogue)), True)
        if communities.startswith("osm:"):
            tags["admin_level"] = [str(level) for level in LEVELS]
        found = download(box, tags, asked, kept, say, part_km2=part_km2)
        if found.kept:
            say(f"{found.kept} of {found.parts} answers were there already; to load them again, delete {kept}")
        return _write(folder, catalogue, found, box, title=title, standard=standard, communities=communities)


def cache_folder() -> Path:
    """Return the folder of the user's in which answers are kept between runs."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "livingcircle" / "fetch"


def parse_box(text: str) -> Box:
    """Return the box that an option names.

    Examples
    --------
    >>> parse_box("104.0,30.6,104.1,30.7")
    (104.0, 30.6, 104.1, 30.7)
    """
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            "--bbox is no box", got=repr(text), expected="W,S,E,N in degrees: 104.0,30.6,104.1,30.7"
        ) from None
    return west, south, east, north


def _check_choice(
    place: str | None, bbox: Box | None, polygon: str | Path | None, communities: str, part_km2: float
) -> None:
    given = [
        option
        for option, value in (("--place", place and place.strip()), ("--bbox", bbox), ("--polygon", polygon))
        if value
    ]
    if len(given) != 1:
        raise UsageError(
            "say what to load", got=" and ".join(given) or "nothing", expected="one of --place, --bbox and --polygon"
        )
    if not 1 <= part_km2 <= LARGEST_KM2:
        raise UsageError(
            "--part-km2 is no size of a part", got=f"{part_km2:g}", expected=f"1 to {LARGEST_KM2:,.0f} km²"
        )
    if CommunitiesInput.of(communities).make is None:
        raise UsageError(
            "--communities names no way to make communities",
            got=repr(communities),
            expected="grid:500, hex:500 or osm:8",
            remedy=f"own outlines are named in {STUDY_FILE} after the download",
        )


def _announcement(servers: Servers, place: str | None) -> str:
    """Say before anything is sent which hosts, mostly abroad, will be asked, and for what."""
    asked = f"{servers.nominatim_host} (the name {place!r}) and " if place else ""
    return (
        f"asking {asked}{servers.overpass_host} (a box in degrees){servers.way()}; nothing else is sent, and to nobody"
        " else 只发送地名或经纬度范围"
    )


def _box_of(
    place: str | None, bbox: Box | None, polygon: str | Path | None, servers: Servers, cache: Path, say: Say
) -> tuple[Box, str]:
    """Return the box that was asked for, and what the study is called."""
    if bbox is not None:
        return bbox, shown(bbox)
    if polygon is not None:
        bounds = on_globe(read_vector(Path(polygon)), Path(polygon).name).to_crs(WGS84).total_bounds
        # To whole ten-thousandths of a degree outwards, some 10 m: no corner of an outline is given away.
        west, south = (np.floor(bounds[:2] * 1e4) / 1e4).tolist()
        east, north = (np.ceil(bounds[2:] * 1e4) / 1e4).tolist()
        return (west, south, east, north), Path(polygon).stem
    name = " ".join(str(place).split())
    box, full = find_place(name, servers, cache, say)
    say(f"found: {full}")
    return box, name


def _checked_box(box: Box, communities: str) -> Box:
    if not is_box(box):
        turned = turned_about(box)
        raise UsageError(
            "the box is none",
            got=shown(box),
            expected="W,S,E,N in degrees with W < E and S < N",
            remedy=f"did you mean {shown(turned)}?" if turned else None,
        )
    if area_km2(box) > LARGEST_KM2:
        raise UsageError(
            "the box is too large",
            got=f"{area_km2(box):,.0f} km²",
            expected=f"at most {LARGEST_KM2:,.0f} km²",
            remedy="load a part, or get an extract of the region as .osm.pbf and scan that",
        )
    if communities.startswith("osm:") and may_be_shifted(box):
        raise UsageError(
            "administrative boundaries of OpenStreetMap are never used in China",
            got=f"--communities {communities} for a place in or beside China",
            expected="your own outlines, or grid:500 or hex:500",
        )
    return box


def _write(
    folder: Path, catalogue: Catalogue, found: Download, box: Box, *, title: str, standard: str | None, communities: str
) -> Fetched:
    """Write the study folder after its streets have been read as a scan reads them."""
    study = folder / STUDY_FILE
    fresh = not study.exists()
    rules = _from(folder, standard) or ("national" if may_be_shifted(box) else "international")
    with replaced_files(folder, (*_FILES, *((STUDY_FILE,) if fresh else ())), held=True) as stage:
        write_osm(found.elements, stage / OSM_FILE, box=box, date=found.date)
        osm = read_osm(stage / OSM_FILE, catalogue)
        licence = f"{OSM_CREDIT}, https://www.openstreetmap.org/copyright"
        (stage / LICENCES_FILE).write_text(f"{OSM_FILE}: {licence}\n", encoding="utf-8")
        if fresh:
            text = _study_text(title, rules, communities, found.date)
            (stage / STUDY_FILE).write_text(text, encoding="utf-8", newline="\n")
            Study.load(stage / STUDY_FILE)
        record = {"program": PROGRAM, "command": "fetch", "name": title, "box": box, "data_date": found.date}
        (stage / RUN_FILE).write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return Fetched(study, box, found.date, tuple(_notes(osm, found, fresh=fresh)))


def _from(folder: Path, standard: str | None) -> str | None:
    """Return how a study in a folder names a standard: a file by its way from there."""
    if standard is None or not standard.endswith(".toml"):
        return standard
    return Path(os.path.relpath(standard, folder)).as_posix()


def _notes(osm: OsmExtract, found: Download, *, fresh: bool) -> list[str]:
    land = osm.residential_land.geometry.area.sum() / 1e6
    notes = [
        f"OpenStreetMap of {found.date or 'unknown date'}: {osm.streets.length_m.sum() / 1000:,.0f} km walkable,"
        f" {len(osm.features):,} places, gates and crossings, {len(osm.buildings):,} buildings,"
        f" {land:,.1f} km² of residential land"
    ]
    if not land:
        notes.append("no residential land is mapped here: the study needs a population before it can be scanned")
    if found.empty:
        notes.append(f"{found.empty} of {found.parts} parts hold nothing at all; that is right for the open sea only")
    if not fresh:
        notes.append(f"{STUDY_FILE} was there already and stays as it is")
    return notes


def _study_text(title: str, standard: str, communities: str, date: str) -> str:
    """Return a study file that scans, and says what the planner still brings."""
    return _STUDY.format(
        name=json.dumps(title, ensure_ascii=False),
        standard=json.dumps(standard),
        osm=OSM_FILE,
        date=date or "unknown date",
        credit=OSM_CREDIT,
        make=json.dumps(communities),
    )


_STUDY = """\
# livingcircle check study.toml    what is in it
# livingcircle scan study.toml     who can walk to what
name = {name}
standard = {standard}     # others: livingcircle standards

[streets]
osm = "{osm}"     # OpenStreetMap of {date}; {credit}

# STILL TO BRING 1: the communities 社区. Until then cells stand in, which nobody is responsible for.
# (Outside China OpenStreetMap's units can be used: load with --communities osm:8.)
[communities]
make = {make}
# file = "communities.geojson"     # in the place of `make`; also .gpkg, .shp, .zip, .parquet
# complete = true                  # when every community of each subdistrict is in it

# STILL TO BRING 2: the people 人口. Until then m² of residential land stand in, and there is no score.
# [population]
# file = "population.csv"          # lon, lat, population, area_m2; or totals per community; or a GeoTIFF of counts
# licence = "…"

# STILL TO BRING 3: lists of your own 设施清单. Where OpenStreetMap lacks places, a result is "no_data" or "incomplete".
# [[facilities]]
# file = "kindergartens.xlsx"
# service = "kindergarten"         # without it rows are sorted by name and category
# mode = "add"                     # or "replace"
# datum = "gcj02"                  # for exports of web maps
# licence = "restricted"
# complete = "yes"                 # when every place is in it

# [map]
# approval_number = "…"            # 审图号; without it every page says 内部工作图,未经地图审核,不得公开
"""
