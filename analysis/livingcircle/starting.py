"""Begin a study: ask for its files, check every answer at once, and write the study file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import geopandas as gpd

from livingcircle.candidates import PART, Candidates, look_into
from livingcircle.datum_question import DatumQuestion, Located, check_claim, given_datums, known_datum
from livingcircle.inputs import extent, read_communities
from livingcircle.output_folder import disk_errors
from livingcircle.population import read_population
from livingcircle.standards import list_standards, load_standard
from livingcircle.study import Study
from livingcircle.study_parts import CommunitiesInput, FacilitiesInput, PopulationInput, StreetsInput
from livingcircle.study_text import study_text
from livingcircle.whereabouts import check_overlap
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.datum import may_be_shifted
from livingcircle_layers.datum_check import Known, known_of_osm
from livingcircle_layers.errors import InputError, LivingCircleError, UsageError
from livingcircle_layers.facility_files import ReadFile, read_facilities
from livingcircle_layers.osm import SUFFIXES as OSM_SUFFIXES
from livingcircle_layers.osm import OsmExtract, check_osm_path, read_osm
from livingcircle_layers.tables import TABLE_SUFFIXES
from livingcircle_layers.vectors import VECTOR_SUFFIXES

STUDY_FILE = "study.toml"
NONE = "none"  # the answer that there is no such file
_NONE_WORDS = {"", NONE, "no", "-", "无", "没有"}
_MADE = "grid:500"
_DENSITY = "density="
_CHENGDU = (103.2, 30.4, 104.7, 30.8)  # west, south, east, north: a box that lies inside the city as a whole
_NUMBERED = re.compile(r"^(density=|\+?[a-z][a-z0-9_]*=)?(\d+)$")
T = TypeVar("T")
Part = TypeVar("Part", CommunitiesInput, PopulationInput, FacilitiesInput)


@dataclass(frozen=True)
class Question:
    """A question to the planner.

    Attributes
    ----------
    words
        In Chinese and English.
    proposals
        Answers to choose from, by their number from 1.
    default
        What an empty answer means; None: something must be said.
    """

    words: str
    proposals: tuple[str, ...]
    default: str | None


Ask = Callable[[Question], str]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Answers:
    """What is known before anybody is asked; None is not known.

    Files are looked for in the folder of the study, then in the current one. ``FILE#LAYER`` names a layer of a
    GeoPackage or a sheet of a workbook. ``none`` says that there is none: as population, among the facilities, and of
    communities, which are then cells. ``datums`` are texts such as ``schools.csv=gcj02``.
    """

    osm: str | None = None
    communities: str | None = None
    population: str | None = None
    facilities: tuple[str, ...] | None = None
    standard: str | None = None
    name: str | None = None
    datums: tuple[str, ...] = ()


def start_study(
    folder: str | Path,
    given: Answers | None = None,
    *,
    ask: Ask | None = None,
    say: Say = print,
    force: bool = False,
) -> Path:
    """Write a commented study file for the files of a folder; every input is read once, as a scan will read it.

    Parameters
    ----------
    folder
        Where the study file is written, and where files are looked for that could be its inputs.
    given
        Answers that are known already; one that cannot be used is an error.
    ask
        Asks for what is not known, again after an answer that cannot be used. None: nobody can be asked; then streets
        and communities must be given, the standard follows from where the streets lie, and the rest is left out.
    say
        Is told what was read, and what is wrong with an answer.
    force
        Write over a study file that is there already.

    Returns
    -------
    The study file.

    Raises
    ------
    UsageError
        Nobody can be asked, and streets or communities are missing, or a file is in another datum than WGS-84 and it is
        not said in which; or the folder is a file.
    InputError
        A given answer cannot be used, or the study file is there already.
    """
    folder, given = Path(folder), given or Answers()
    _refuse_file(folder)
    given_datums(given.datums)
    target = folder / STUDY_FILE
    if os.path.lexists(target) and not force:
        raise InputError(f"{target} is there already", remedy="choose another folder, or --force to write over it")
    found = look_into(folder)
    if ask is None:
        _refuse_missing(given, found)
    study = _Start(folder, given, found, ask, say).study()
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        stage = folder / f".{STUDY_FILE}.{os.getpid()}.toml"
        try:
            stage.write_text(study_text(study, STUDY_FILE), encoding="utf-8", newline="\n")
            Study.load(stage)
            stage.replace(target)
        finally:
            stage.unlink(missing_ok=True)
    return target


def proposed_standard(box: Sequence[float]) -> str:
    """Return the bundle that fits where streets lie: of Chengdu, of the country, or an international one.

    Parameters
    ----------
    box
        West, south, east, north in degrees.

    Examples
    --------
    >>> proposed_standard((104.0, 30.6, 104.1, 30.7)), proposed_standard((103.8, 1.2, 103.9, 1.3))
    ('chengdu', 'international')
    """
    lon, lat = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    west, south, east, north = _CHENGDU
    if west <= lon <= east and south <= lat <= north:
        return "chengdu"
    return "national" if may_be_shifted(box) else "international"


def _refuse_file(folder: Path) -> None:
    if not folder.is_file():
        return
    named = f'"{folder}"' if " " in str(folder) else str(folder)
    within = named if folder.parent == Path() else f'"{folder.parent}"' if " " in str(folder) else str(folder.parent)
    remedy = f"livingcircle init {'.' if folder.parent == Path() else within}, which finds the files in it"
    if folder.suffix.lower() == ".toml":
        remedy = f"livingcircle check {named} for a study that is there"
    elif folder.name.lower().endswith(OSM_SUFFIXES):
        remedy = f"livingcircle init NEW_FOLDER --osm {named}"
    raise UsageError("init takes the folder of a study", got=f"the file {folder}", expected="a folder", remedy=remedy)


def _refuse_missing(given: Answers, found: Candidates) -> None:
    missing = [role for role in ("osm", "communities") if getattr(given, role) is None]
    if not missing:
        return
    likely = {"osm": found.osm, "communities": (*found.communities, _MADE)}
    raise UsageError(
        "inputs are missing, and there is no terminal to ask on",
        got=f"no --{', no --'.join(missing)}",
        expected="--osm and --communities; also --population, --facilities, --standard, --name",
        remedy="give " + " ".join(f"--{role} {(likely[role] or ('CITY.osm.pbf',))[0]}" for role in missing),
    )


@dataclass
class _Start:
    """The questions in their order; what is read for one is what the next are checked against."""

    folder: Path
    given: Answers
    found: Candidates
    ask: Ask | None
    say: Say

    def study(self) -> Study:
        """Settle every input, and return the study with paths seen from its folder."""
        osm_words = "OpenStreetMap 数据(.osm.pbf)  OpenStreetMap extract"
        self.streets = self._settle(osm_words, self.given.osm, self.found.osm, self._read_osm)
        words = f"社区边界(没有则用 {_MADE})  community polygons, or {_MADE} for cells of 500 m"
        likely = (*self.found.communities, _MADE)
        communities = self._settle(words, self.given.communities, likely, self._read_communities)
        words = f"人口(每平方公里人数写 {_DENSITY}FILE)  population; {_DENSITY}FILE if it is people per km²"
        likely = (*self.found.population, NONE)
        population = self._settle(words, self.given.population, likely, self._read_population)
        facilities = self._facilities()
        bundles = [entry.id for entry in list_standards() if entry.kind == "bundle"]
        first = proposed_standard(extent(self.osm).bounds)
        others = (name for name in bundles if name != first)
        standard = self._settle("标准  standard", self.given.standard, (first, *others), self._standard)
        title = self.folder.resolve().name or "study"
        name = self._settle("名称,即地图标题  name, the title of the map", self.given.name, (title,), str)
        return Study(
            name=name, standard=standard, streets=self.streets, communities=communities, population=population,
            facilities=tuple(facilities),
        )  # fmt: skip

    @cached_property
    def catalogue(self) -> Any:
        """The services that places are sorted by."""
        return load_catalogue()

    @cached_property
    def known(self) -> Known:
        """Streets and named places that own files are compared with."""
        return known_of_osm(self.osm)

    def _settle(
        self, words: str, given: str | None, proposals: Sequence[str], take: Callable[[str], T], *, safe: bool = True
    ) -> T:
        """Return what the answer to a question means; whoever can be asked again is asked until it means something.

        The first of the proposals is the default, if it is safe to take it unread.
        """
        default = proposals[0] if proposals and safe else None
        if given is not None:
            return take(given)
        if self.ask is None:
            return take(NONE if NONE in proposals else default or NONE)
        while True:
            text = self.ask(Question(words, tuple(proposals), default)).strip() or default or ""
            if not text:
                self.say("请选一项,输入编号或名称  please choose: type a number or a name")
                continue
            try:
                return take(_by_number(text, proposals))
            except LivingCircleError as fault:
                self.say(str(fault))

    def _facilities(self) -> list[FacilitiesInput]:
        """Settle lists of places, one after the other until there are no more."""
        if self.given.facilities is not None or self.ask is None:
            read = (self._read_facilities(text) for text in self.given.facilities or ())
            return [part for part in read if part is not None]
        words = (
            "自有设施清单:FILE 自动分类,SERVICE=FILE 替换,+SERVICE=FILE 补充"
            "  lists of your own places: FILE is sorted, SERVICE=FILE replaces, +SERVICE=FILE adds"
        )
        parts: list[FacilitiesInput] = []
        while True:
            left = [name for name in self.found.facilities if name not in {_named(part) for part in parts}]
            part = self._settle(words, None, (NONE, *left), self._read_facilities)
            if part is None:
                return parts
            parts.append(part)

    def _read_osm(self, text: str) -> StreetsInput:
        place = check_osm_path(self._place(text)[0])
        self.say(f"reading 读取 {place.name} …")
        self.osm: OsmExtract = read_osm(place, self.catalogue)
        km = self.osm.streets.length_m.sum() / 1000
        self.say(f"{place.name}: {km:,.0f} km walkable 可步行, {len(self.osm.features):,} places 地物")
        return StreetsInput(osm=self._written(place))

    def _read_communities(self, text: str) -> CommunitiesInput:
        part = CommunitiesInput.of(_MADE if text.lower() in _NONE_WORDS else text)
        self.drawn: gpd.GeoDataFrame | None = None
        if part.make is not None:
            if text != part.make:
                self.say(f"没有社区边界,用 {_MADE}  no communities: {_MADE}, cells of 500 m")
            return part
        place, more = self._place(text)

        def look(part: CommunitiesInput) -> Located:
            study = self._so_far(part)
            units = read_communities(study)
            if units is None:
                raise InputError(f"{part.name} holds no communities")
            check_overlap(study, units.frame.to_crs(self.osm.crs), self.osm)
            self.drawn = units.frame
            return Located(units.frame, units.frame["unit_name"].tolist())

        part = self._with_datum(CommunitiesInput(file=place, **more), place, look)
        self.say(f"{part.name}: {0 if self.drawn is None else len(self.drawn):,} communities 社区")
        return part.model_copy(update={"file": self._written(place)})

    def _read_population(self, text: str) -> PopulationInput | None:
        around = extent(self.osm).bounds if self.drawn is None else tuple(self.drawn.total_bounds)
        if text.lower() in _NONE_WORDS:
            land = read_population(None, self.osm, self.drawn, around)
            self.say(f"{land.source}: {land.total:,} m² residential land 居住用地; no score 无得分")
            return None
        values = "density" if text.startswith(_DENSITY) else None
        place, more = self._place(text.removeprefix(_DENSITY))
        total = 0

        def look(part: PopulationInput) -> Located | None:
            nonlocal total
            people = read_population(part, self.osm, self.drawn, around)
            total = people.total
            return Located(people.cells) if people.kind == "grid table" else None  # totals lie where communities do

        part = self._with_datum(PopulationInput(file=place, values=values, **more), place, look)
        self.say(f"{part.rows.label}: {total:,} people 人")
        return part.model_copy(update={"file": self._written(place)})

    def _read_facilities(self, text: str) -> FacilitiesInput | None:
        if text.lower() in _NONE_WORDS:
            return None
        part = FacilitiesInput.of(text)
        place, more = self._place(str(part.file))
        counted = ""

        def look(part: FacilitiesInput) -> Located:
            nonlocal counted
            read = read_facilities(part.source(), self.catalogue, crs=self.osm.crs)
            counted = f"{place.name}: {_accounted(read)}"
            return Located(read.frame, read.frame["name"].tolist())

        part = self._with_datum(part.model_copy(update={"file": place, **more}), place, look)
        self.say(counted)
        return part.model_copy(update={"file": self._written(place)})

    def _with_datum(self, part: Part, place: Path, look: Callable[[Part], Located | None]) -> Part:
        """Return a part with the datum of its coordinates, which is given or asked for and compared with the streets.

        Outside of China, and of a file without coordinates of its own, nothing is asked.
        """
        rows, datums = look(part), given_datums(self.given.datums)
        if rows is None or not len(rows.frame) or not may_be_shifted(extent(self.osm).bounds):
            return part
        asked = DatumQuestion.of(place.name, rows, self.known)

        def take(text: str) -> Part:
            claimed = part.model_copy(update={"datum": known_datum(text)})
            check_claim(place.name, look(claimed) or rows, claimed.datum, self.known)
            return claimed

        if place.name in datums or self.ask is not None:
            safe = asked.likely is not None
            return self._settle(asked.words, datums.get(place.name), asked.proposals, take, safe=safe)
        if note := asked.unasked():
            self.say(note)
        return part

    def _standard(self, text: str) -> str:
        if not text.endswith(".toml"):
            load_standard(text, walkers=None)
            return text
        place, _ = self._place(text)
        load_standard(place, walkers=None)  # its own ones come into the study by hand
        return self._written(place).as_posix()

    def _so_far(self, communities: CommunitiesInput) -> Study:
        """Return a study of streets and communities, with paths seen from here."""
        osm = self.folder / self.streets.osm if self.streets.osm else None
        return Study(standard="", streets=StreetsInput(osm=osm), communities=communities)

    def _place(self, text: str) -> tuple[Path, dict[str, str]]:
        """Return the file that an answer means, and the layer or sheet of it."""
        if (place := self._existing(text)) is not None:
            return place, {}
        file, _, part = text.rpartition(PART)
        place = self._existing(file) if file else None
        if place is None:
            return Path(text), {}  # the reader says that it is not there
        suffix = place.suffix.lower()
        key = "sheet" if suffix in TABLE_SUFFIXES else "layer" if suffix in VECTOR_SUFFIXES else None
        return place, {key: part} if key else {}

    def _existing(self, text: str) -> Path | None:
        likely = (place for way in _spellings(text) for place in (self.folder / way, way))
        return next((place for place in likely if place.is_file()), None)

    def _written(self, place: Path) -> Path:
        """Return a file as the study names it: by its way from there, or in full where there is none (Windows)."""
        try:
            return Path(os.path.relpath(place, self.folder))
        except ValueError:
            return place.resolve()


def _spellings(text: str) -> list[Path]:
    """Return what a path may mean that is typed or dragged onto a terminal: quoted, escaped, of a home, an address."""
    text = text.strip()
    bare = text.strip("\"'")
    ways = [text, bare, re.sub(r"\\(.)", r"\1", bare)]
    if (address := urlsplit(bare)).scheme == "file":
        ways.append(unquote(address.path))
    return [Path(way).expanduser() if way.startswith("~") else Path(way) for way in ways if way]


def _by_number(text: str, proposals: Sequence[str]) -> str:
    """Return an answer with the proposal that its number means: ``2``, ``kindergarten=2``."""
    match = _NUMBERED.match(text)
    if match is None or not 1 <= int(match[2]) <= len(proposals):
        return text
    return f"{match[1] or ''}{proposals[int(match[2]) - 1]}"


def _accounted(read: ReadFile) -> str:
    """Return what became of the rows of a file: used, not used, or told by others; and the places they make."""
    used, unused, places = read.frame["facility_id"].nunique(), len(read.unplaced), len(read.frame)
    rows = read.reading.rows - read.reading.filtered
    parts = [f"{used:,} used 采用"] + [f"{unused:,} not used 未用"] * bool(unused)
    if stood_for := rows - used - unused:
        parts.append(f"{stood_for:,} stations told by their entrances 由出入口代表的站点")
    made = "" if places == used else f"; {places:,} places 设施, as one row can be of several services 一行可属多项服务"
    return f"{rows:,} rows 行 = {' + '.join(parts)}{made}"


def _named(part: FacilitiesInput) -> str:
    return f"{part.file}{PART}{part.layer}" if part.layer else str(part.file)
