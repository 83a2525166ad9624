"""The parts of a study: what can be said of streets, communities, people, facilities and of how they are judged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializationInfo,
    ValidationError,
    model_validator,
)

from livingcircle.walkers import WALKERS, Walker
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.datum import Datum
from livingcircle_layers.errors import InputError, UsageError
from livingcircle_layers.facility_files import FacilitySource
from livingcircle_layers.headings import GROUPS
from livingcircle_layers.sources import Database, Source
from livingcircle_layers.typed_toml import checked, faults_of, unknown_word
from livingcircle_layers.unit_grid import MIN_CELL_M

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass as _Model
else:
    _Model = type(BaseModel)  # by its public name there is none

_MADE = re.compile(r"^(?:(?:grid|hex):\d+(?:\.\d+)?|osm:\d+)$")
_SERVICE_FILE = re.compile(r"^(\+?)([^=/\\]+)=(.+)$")
_SERVICE_ID = re.compile(r"[a-z][a-z0-9_]*")


class _OneLine(_Model):
    """Makes a call with wrong keys end as a wrong study file does: one error that names every fault and what to do."""

    def __call__(self, *args: Any, **given: Any) -> Any:
        if args:
            raise UsageError(
                f"{self.__name__} takes keys, not a value alone",
                got=repr(args[0]),
                remedy=f"{self.__name__}(key=…); a study file is read by Study.load(path)",
            )
        try:
            return super().__call__(**given)
        except ValidationError as error:
            model, where = cast("type[BaseModel]", self), f"{self.__name__}(…)"
            faults = unknown_keys(given, model, where) + faults_of(model, error, where=where, keys_known=True)
        raise InputError.of(faults)


class StudyPart(BaseModel, metaclass=_OneLine):
    """A table of a study file: its keys and no others, never changed once it is read."""

    # A traceback would show the URL of a database, and the password in it.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True)


def _database_or_path(given: Any) -> Any:
    """Return the database that a text names; anything else as it is."""
    return (Database.named_by(given) if isinstance(given, str) else None) or given


def _dumped(place: Path | Database, info: SerializationInfo) -> Any:
    """Return a place as it is; as JSON, which may be written to a file, without the address of a database."""
    return place.name if isinstance(place, Database) and info.mode == "json" else place


Place = Annotated[Path | Database, BeforeValidator(_database_or_path), PlainSerializer(_dumped, return_type=Any)]


class TableKeys(StudyPart):
    """What can be said of every table or layer, besides where it is."""

    table: str | None = Field(default=None, description="table of a PostGIS database: schema.table")
    query: str | None = Field(default=None, description="SELECT in a PostGIS database, instead of a table")
    layer: str | None = Field(default=None, description="layer of a GeoPackage")
    sheet: str | None = Field(default=None, description="sheet of a workbook")
    columns: dict[str, str] = Field(default_factory=dict, description="what a column is = its heading")
    where: str | None = Field(default=None, description='which rows count: 类别 == "幼儿园" and 面积 >= 500')
    crs: str | None = Field(default=None, description='what the coordinates are in, such as "EPSG:4490"')
    datum: Datum = Field(
        default="wgs84",
        description="wgs84, cgcs2000, gcj02 or bd09; coordinates in the last two are shifted to WGS-84",
    )
    date: Annotated[str, BeforeValidator(str)] = Field(
        default="", description="of which day or year the data are, shown beside every result"
    )
    reference: Path | None = Field(
        default=None, description="a layer known to be in WGS-84, with which the datum is compared before the streets"
    )

    def _at(self, file: Path | Database) -> Source:
        return Source(file, **{f.name: getattr(self, f.name) for f in fields(Source) if f.name != "file"})


class _TableInput(TableKeys):
    """A table or layer in a file."""

    file: Place

    @property
    def rows(self) -> Source:
        """Return where the rows are, and how they are read."""
        return self._at(self.file)


class _OptionalTableInput(TableKeys):
    """A table or layer for which there may be no file."""

    file: Place | None = None

    @property
    def rows(self) -> Source | None:
        """Return where the rows are, if there are any."""
        return self._at(self.file) if self.file else None


class StreetsInput(StudyPart):
    """The OpenStreetMap file, a street layer of one's own, or both."""

    osm: Path | None = Field(
        default=None,
        description=".osm.pbf, .osm, .osm.gz or .osm.bz2; without it a layer, and facilities from your own files only",
    )
    layer: Place | None = Field(default=None, description="a street layer of your own, instead of OSM's streets")
    table: str | None = Field(default=None, description="table of it, if it is a PostGIS database")
    query: str | None = Field(default=None, description="SELECT in it, if it is a PostGIS database")
    layer_name: str | None = Field(default=None, description="layer of it, if it is a GeoPackage")
    columns: dict[str, str] = Field(default_factory=dict, description="u, v, highway, oneway, bridge … = heading of it")
    where: str | None = Field(default=None, description='which rows of it count: 道路等级 != "在建"')
    crs: str | None = Field(default=None, description='what its coordinates are in, such as "EPSG:4490"')
    datum: Datum = Field(default="wgs84", description="datum of your own street layer")
    node_crossings: bool = Field(default=False, description="join lines of it that merely cross")
    dem: Path | None = Field(default=None, description="GeoTIFF of heights in metres; slopes then change walking time")

    @model_validator(mode="after")
    def _some_streets(self) -> StreetsInput:
        if self.osm is None and self.layer is None:
            raise ValueError("osm = an OpenStreetMap file, layer = a street layer of your own, or both")
        return self

    @property
    def label(self) -> str:
        """The name of what the streets come from."""
        return self.own.label if self.own else self.osm.name if self.osm else ""

    @property
    def own(self) -> Source | None:
        """Return the planner's street layer, if there is one."""
        if self.layer is None:
            return None
        return Source(
            self.layer,
            layer=self.layer_name,
            columns=self.columns,
            where=self.where,
            crs=self.crs,
            table=self.table,
            query=self.query,
        )


class CommunitiesInput(_OptionalTableInput):
    """The community polygons: a file, or how to make them where there is none."""

    file: Place | None = Field(default=None, description="GeoJSON, GeoPackage, Shapefile, GeoParquet or postgresql://…")
    make: str | None = Field(
        default=None,
        description="instead of a file: grid:500 or hex:500 (cells of so many metres over the places where people "
        "live), or osm:8 (OpenStreetMap's administrative units of a level from 6 to 10, outside China)",
    )
    columns: dict[str, str] = Field(default_factory=dict, description="id, name, subdistrict, district, type = heading")
    complete: bool = Field(default=False, description="true: every community of each subdistrict and district is here")

    @model_validator(mode="after")
    def _one_source(self) -> CommunitiesInput:
        if (self.file is None) == (self.make is None):
            raise ValueError("a file, or make = 'grid:500', 'hex:500' or 'osm:8'; one of them")
        if self.make is not None and not _MADE.match(self.make):
            raise ValueError(f"make = 'grid:500', 'hex:500' or 'osm:8', not {self.make!r}")
        how, size = self.making() or ("", 0.0)
        if how in ("grid", "hex") and size < MIN_CELL_M:
            raise ValueError(f"make = {self.make!r}: cells of {MIN_CELL_M:g} m or more")
        return self

    @classmethod
    def of(cls, text: str) -> CommunitiesInput:
        """Return the communities that an option of the command line names.

        Raises
        ------
        UsageError
            It asks for cells or units of OpenStreetMap without saying of which size or level.
        """
        if text.partition(":")[0] in ("grid", "hex", "osm") and ":" in text and not _MADE.match(text):
            raise UsageError(
                "--communities is not clear", got=repr(text), expected="grid:500, hex:500, osm:8, or a file"
            )
        return cls(make=text) if _MADE.match(text) else cls(file=Path(text))

    @property
    def name(self) -> str:
        """What notes and errors call the communities."""
        return self.rows.label if self.rows else str(self.make)

    def making(self) -> tuple[str, float] | None:
        """Return how the communities are made (grid, hex, osm) and the size in metres or the level; None: of a file."""
        if self.make is None:
            return None
        how, _, number = self.make.partition(":")
        return how, float(number)


class AreasInput(_TableInput):
    """Areas of your own, which may overlap: each is counted by the people inside it."""

    file: Place = Field(description="GeoJSON, GeoPackage, Shapefile, GeoParquet or postgresql://… with polygons")
    columns: dict[str, str] = Field(default_factory=dict, description="id, name, type = heading")


class SharesInput(_OptionalTableInput):
    """Groups of people by their share of everybody (0 to 1): of the city, and of units by a table with unit_id."""

    file: Place | None = Field(default=None, description="table with unit_id and columns of groups")
    age_0_3: float | None = Field(default=None, ge=0, le=1, description="share of people from 0 to under 3 years")
    age_3_6: float | None = Field(default=None, ge=0, le=1, description="share of people from 3 to under 6 years")
    age_6_12: float | None = Field(default=None, ge=0, le=1, description="share of people from 6 to under 12 years")
    age_12_15: float | None = Field(default=None, ge=0, le=1, description="share of people from 12 to under 15 years")
    age_60_up: float | None = Field(default=None, ge=0, le=1, description="share of people 60 years and older")
    age_65_up: float | None = Field(default=None, ge=0, le=1, description="share of people 65 years and older")

    def city(self) -> dict[str, float]:
        """Return the shares of the whole city by group."""
        given = {group: getattr(self, group) for group in GROUPS}
        return {group: share for group, share in given.items() if share is not None}


class PopulationInput(_TableInput):
    """Where people live."""

    file: Place = Field(
        description="CSV or Excel grid with lon, lat, population, area_m2; a GeoTIFF of counts; or postgresql://…"
    )
    columns: dict[str, str] = Field(default_factory=dict, description="lon, lat, population, area_m2 … = heading")
    licence: str = Field(default="", description="licence of the data, shown beside every result")
    values: Literal["counts", "density"] | None = Field(
        default=None, description="people (counts) or people per km² (density); needed where the file looks like one"
    )
    household_size: float | None = Field(
        default=None, ge=1, le=20, description="people per household, where households are not counted"
    )
    shares: SharesInput | None = Field(default=None, description="groups by their share, where they are not counted")


class FacilitiesInput(_TableInput):
    """A file of facilities."""

    file: Place = Field(description="table with coordinates, vector file or postgresql://…")
    service: str | None = Field(default=None, description="take all rows as this service; else rows are classified")
    mode: Literal["classify", "replace", "add"] | None = Field(
        default=None, description="replace OpenStreetMap for the service, or add to it; default: replace"
    )
    columns: dict[str, str] = Field(default_factory=dict, description="name, lon, lat, category, area_m2 = heading")
    licence: str = Field(default="restricted", description="licence of the data")
    complete: Literal["yes", "no", "unknown"] = Field(default="unknown", description="whether every place is in it")

    @model_validator(mode="after")
    def _mode_fits(self) -> FacilitiesInput:
        if self.mode is not None and (self.mode == "classify") != (self.service is None):
            raise ValueError("mode 'replace' or 'add' with a service, 'classify' without")
        return self

    @classmethod
    def of(cls, text: str) -> FacilitiesInput:
        """Return the facilities that an option names: FILE, SERVICE=FILE or +SERVICE=FILE.

        A service is an id, also one that only the study's own catalogue knows, or a built-in one by its Chinese name.
        """
        if match := _SERVICE_FILE.match(text):
            plus, word, file = match.groups()
            service = word if _SERVICE_ID.fullmatch(word) else load_catalogue().named(word)
            if service is not None:
                return cls(file=Path(file), service=service, mode="add" if plus else "replace")
        return cls(file=Path(text))

    def source(self) -> FacilitySource:
        """Return what the reader of facilities takes."""
        mode = self.mode or ("replace" if self.service else "classify")
        return FacilitySource(self.rows, self.service, mode, self.complete, self.licence, self.datum)


class WalkerInput(StudyPart):
    """A walker of your own, or changes to one of ours by its name."""

    name: str = Field(description="a name of its own, or " + ", ".join(WALKERS))
    name_zh: str | None = Field(default=None, description="name in Chinese")
    speed_m_s: float | None = Field(default=None, description="speed on the flat, metres per second")
    steps: bool | None = Field(default=None, description="whether steps can be used at all")
    steps_speed_m_s: float | None = Field(default=None, description="horizontal speed on steps, metres per second")
    signal_wait_s: float | None = Field(default=None, description="mean wait at a crossing with signals, seconds")
    footbridge_s: float | None = Field(default=None, description="seconds that a footbridge or underpass costs more")

    def profile(self) -> Walker:
        """Return the walker; what is not given is as in ours of that name.

        Raises
        ------
        InputError
            A value is impossible, or a walker of your own has no speed.
        """
        base = WALKERS[self.name].model_dump() if self.name in WALKERS else {}
        faults: list[str] = []
        walker = checked(
            Walker, {**base, **self.model_dump(exclude_none=True)}, where=f"walker {self.name}", faults=faults
        )
        if walker is None:
            raise InputError.of(faults)
        return walker


class LayerInput(StudyPart):
    """What is known about OpenStreetMap's layer of one service."""

    service: str = Field(description="service of the catalogue")
    complete: Literal["yes", "no", "unknown"] = Field(description="whether the layer holds every place")


class FacilityOverride(StudyPart):
    """What you know of one place, whatever the cleaning makes of it; ids are those of facility_changes.csv."""

    id: str = Field(description="facility_id of the row")
    keep: bool = Field(description="true: a facility of its own, neither merged nor removed; false: none")


class GroundsInput(StudyPart):
    """Which parks, squares and pitches count although they are not open to all."""

    private: bool = Field(default=False, description="those tagged access = private, no, permit or members")
    customers: bool = Field(default=False, description="those tagged access = customers")
    fee: bool = Field(default=False, description="those that ask a fee")
    school: bool = Field(default=False, description="those in the grounds of schools and universities")
    golf: bool = Field(default=False, description="golf courses")


class EstatesInput(_OptionalTableInput):
    """Gated estates (封闭小区): outlines with a column gated (yes or no), and gate points."""

    file: Place | None = Field(default=None, description="vector file with polygons and points, or postgresql://…")
    level: bool = Field(
        default=False, description="also count by estate: those of the file, without one OSM's residential land"
    )


class CandidatesInput(StudyPart):
    """Where one more place is tried, to find where it would help most people."""

    file: Path | None = Field(default=None, description="parcels of your own; else street points are tried")
    layer: str | None = Field(default=None, description="layer of a GeoPackage")
    columns: dict[str, str] = Field(default_factory=dict, description="id, name = heading")
    where: str | None = Field(default=None, description='which rows count: 用途 == "公共服务"')
    crs: str | None = Field(default=None, description='what the coordinates are in, such as "EPSG:4490"')
    datum: Datum = Field(default="wgs84", description="wgs84, cgcs2000, gcj02 or bd09")
    step_m: float = Field(default=100.0, ge=20, le=1000, description="metres between street points")
    top: int = Field(default=5, ge=0, le=100, description="how many are listed for each rule; 0: none are looked for")

    @property
    def table(self) -> Source | None:
        """Return what the reader takes; None where street points are tried."""
        if self.file is None:
            return None
        return Source(self.file, self.layer, None, self.columns, self.where, self.crs)


class CatchmentInput(_TableInput):
    """Catchments of a service (学区): a home may only use the places that stand in a polygon with it."""

    service: str = Field(description="service of the catalogue")
    file: Place = Field(description="GeoJSON, GeoPackage, Shapefile, GeoParquet or postgresql://… with polygons")


class CapacityInput(StudyPart):
    """How beds, seats and floor within reach are shared (capacity.csv)."""

    decay: Literal["slow", "fast"] = Field(
        default="slow",
        description="weights of the near, middle and far third of the reach (Luo & Qi 2009): slow 1, 0.68, 0.22; "
        "fast 1, 0.42, 0.09",
    )


class SensitivityInput(StudyPart):
    """What is changed, one at a time, to see how much the shares and ranks depend on it."""

    thresholds: float = Field(default=0.2, ge=0, lt=1, description="distances and minutes, less and more; 0: not tried")
    speeds: float = Field(default=0.2, ge=0, lt=1, description="walking speeds, slower and faster; 0: not tried")
    gates: bool = Field(default=True, description="estates open where they are closed, and closed where they are open")
    population: bool = Field(default=True, description="the people of population_compare, where the study names them")


class MapInput(StudyPart):
    """What the map must carry."""

    approval_number: str = Field(default="", description="审图号; without it every page says 内部工作图")


class SceneInput(StudyPart):
    """A scene of the hearing map, in the order of the talk."""

    title: str = Field(description="what the scene is called")
    title_en: str = Field(default="", description="its title in English")
    hash: str = Field(default="", description="what stands after # in the map's address; in place of all that follows")
    rule: str = Field(default="score", description="a rule of the run, or score")
    measure: Literal["walk", "radius", "minutes", "false_coverage"] = Field(
        default="walk", description="by what the map is coloured"
    )
    walker: str = Field(default="", description="walker of the run")
    unit: str = Field(default="", description="id or name of a community")
    people: bool = Field(default=False, description="show people who are covered and who are not")
    view: str = Field(default="", pattern=r"^$|^[\d.]+/-?[\d.]+/-?[\d.]+$", description="zoom/latitude/longitude")


def unknown_keys(raw: Mapping[str, Any], model: type[BaseModel], where: str) -> list[str]:
    """Name every unknown key of a nested table with the nearest legal one."""
    faults = []
    for key, value in raw.items():
        if key not in model.model_fields:
            faults.append(unknown_word(f"{where}: unknown key", key, model.model_fields))
        elif (part := part_of(model.model_fields[key].annotation)[0]) is not None:
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, dict):
                    legal = part.model_fields
                    faults += [
                        unknown_word(f"{where}: unknown key in [{key}]", k, legal) for k in entry if k not in legal
                    ]
    return faults


def part_of(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return the model of a key that holds a table, and whether it holds several."""
    many = get_origin(annotation) is tuple
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part, many
    return None, False
