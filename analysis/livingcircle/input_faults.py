"""The faults of all inputs of a study at once: whatever can be read is read, and compared with the streets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import geopandas as gpd
from pyproj import CRS

from livingcircle.inputs import (
    check_files,
    check_services,
    extent,
    plane_of,
    read_catchment_files,
    read_communities,
    read_gated,
    read_own_parcels,
    read_places,
    read_shares_of,
    read_streets,
)
from livingcircle.population import read_beside, read_counted, read_population
from livingcircle.study import Study
from livingcircle.study_parts import CommunitiesInput, PopulationInput
from livingcircle.whereabouts import Located, check_datums, check_layers, check_overlap, check_places, read_reference
from livingcircle_layers.catalogue import Catalogue
from livingcircle_layers.catchments import read_catchments
from livingcircle_layers.datum import shifted
from livingcircle_layers.errors import InputError
from livingcircle_layers.estates import read_estates
from livingcircle_layers.facility_files import read_facilities
from livingcircle_layers.osm import OsmExtract, check_osm_head
from livingcircle_layers.parcels import read_parcels
from livingcircle_layers.people import read_people
from livingcircle_layers.population_raster import RASTER_SUFFIXES
from livingcircle_layers.population_totals import has_coordinates
from livingcircle_layers.rasters import opened_raster
from livingcircle_layers.relief import drape
from livingcircle_layers.sources import Source
from livingcircle_layers.street_layer import read_street_layer
from livingcircle_layers.tables import TABLE_SUFFIXES, read_table
from livingcircle_layers.units import Units, read_units

_ANY_COMMUNITIES = CommunitiesInput.of("grid:500")  # nothing is compared with them
_PLANE = CRS.from_epsg(3857)  # the faults of a table are the same in every plane
_Read = TypeVar("_Read")


class Readings:
    """Inputs that were read for their faults: each once, though many districts name it. No table is kept.

    Attributes
    ----------
    totals
        Populations among them that hold totals of communities, without coordinates of their own.
    """

    def __init__(self) -> None:
        self.totals: list[PopulationInput] = []
        self._known: list[tuple[object, tuple[str, ...]]] = []

    def faults(self, read: partial[Any]) -> tuple[str, ...]:
        """Return the faults of what a function reads; it is called if it was not with the same arguments before."""
        asked = (read.func, read.args, read.keywords)
        for known, told in self._known:
            if known == asked:
                return told
        faults = _Faults(self)
        faults.of(read)
        self._known.append((asked, tuple(faults.said)))
        return tuple(faults.said)


class _Faults:
    """Faults as they are found, each once."""

    def __init__(self, readings: Readings) -> None:
        self.readings = readings
        self.said: dict[str, None] = {}
        self.unseen: list[str] = []  # what could not be looked at, as something else is at fault

    def of(self, read: Callable[[], _Read]) -> _Read | None:
        """Read something; where that fails, note why and return None."""
        try:
            return read()
        except InputError as fault:
            self.said |= dict.fromkeys(str(fault).split(" | "))
            return None

    def free(self, source: Source | Path | None, read: partial[Any]) -> bool:
        """Tell whether a source is there and can be read; that a file is missing has been said already."""
        file = source.file if isinstance(source, Source) else source
        if isinstance(file, Path) and not file.exists():
            return False
        found = self.readings.faults(read)
        self.said |= dict.fromkeys(found)
        return not found


def input_faults(study: Study, catalogue: Catalogue) -> list[str]:
    """Return every fault of the inputs of a study, one sentence each.

    Each input is read on its own. What can be read is then put on the streets, where those can be read, and compared
    with them: a layer of another city or in another datum is found beside a table that has a fault of its own.
    """
    faults = _Faults(Readings())
    faults.of(partial(check_files, study))
    sound = _sound(study, catalogue, faults)
    drawn = faults.of(partial(read_communities, sound))
    if drawn is None and (study.communities.rows or (study.communities.making() or ("",))[0] == "osm"):
        sound = _without_totals(sound, faults)
    osm = _streets(sound, catalogue, drawn, faults)
    if osm is not None:
        _compare(sound, catalogue, drawn, osm, faults, lived_in=sound.population is not None or not study.population)
    return [*faults.said, *faults.unseen]


def table_faults(
    study: Study, catalogue: Catalogue, drawn: gpd.GeoDataFrame | None, readings: Readings
) -> tuple[str, ...]:
    """Return the faults of a district that show without its streets being read: of its tables, layers and shares.

    Of an OpenStreetMap file and an elevation model only the head is read. What can only be compared with the streets,
    as where a layer lies, is left for later.

    Parameters
    ----------
    drawn
        Its communities (EPSG:4326), which have been read; None where they will be made of what is read later.
    readings
        What was read for the districts before.
    """
    faults = _Faults(readings)
    faults.of(partial(check_services, study, catalogue))
    streets = study.streets
    if streets.osm:
        faults.free(streets.osm, partial(check_osm_head, streets.osm))
    if streets.dem:
        faults.free(streets.dem, partial(_open_heights, streets.dem))
    for reference in study.references():
        faults.free(reference, partial(read_reference, reference))
    others = study.model_copy(update={"communities": _ANY_COMMUNITIES})
    sound = _sound(others, catalogue, faults)
    around = None if drawn is None else tuple(drawn.total_bounds)
    plane = None if around is None else faults.of(partial(plane_of, study, around))
    for given in (sound.population, sound.population_compare):
        if given and plane and around and (_is_raster(given) or given in readings.totals):
            faults.of(partial(read_counted, given, plane, drawn, around))
    return tuple(faults.said)


def _open_heights(file: Path) -> None:
    opened_raster(file, expected="a GeoTIFF of heights in metres")[0].close()


def _sound(study: Study, catalogue: Catalogue, faults: _Faults) -> Study:
    """Return the study without the parts that cannot be read, and note why."""
    units, estates, areas, streets = study.communities.rows, study.estates, study.areas, study.streets
    changed: dict[str, object] = {}
    if units and not faults.free(units, partial(read_units, units)):
        changed["communities"] = _ANY_COMMUNITIES
    # In a plane of its own, as ends that touch in metres may not do so in the one that serves for tables.
    if streets.own and not faults.free(streets.own, partial(read_street_layer, streets.own, datum=streets.datum)):
        changed["streets"] = streets.model_copy(update={"layer": None})
    changed["facilities"] = tuple(
        entry
        for entry in study.facilities
        if faults.free(entry.rows, partial(read_facilities, entry.source(), catalogue, crs=_PLANE))
    )
    if estates and estates.rows and not faults.free(estates.rows, partial(read_estates, estates.rows, crs=_PLANE)):
        changed["estates"] = None
    if areas and not faults.free(areas.rows, partial(read_units, areas.rows, overlapping=True)):
        changed["areas"] = None
    changed["catchments"] = tuple(
        part for part in study.catchments if faults.free(part.rows, partial(read_catchments, part.rows, crs=_PLANE))
    )
    parcels = study.candidates.table
    if parcels and not faults.free(parcels, partial(read_parcels, parcels, crs=_PLANE)):
        changed["candidates"] = study.candidates.model_copy(update={"file": None})
    for name in ("population", "population_compare"):
        given = getattr(study, name)
        if given and not faults.free(given.rows, partial(_read_people_alone, given, faults.readings.totals)):
            changed[name] = None
        if given and given.shares:
            faults.free(given.shares.rows, partial(read_shares_of, given))
    return study.model_copy(update=changed)


def _without_totals(study: Study, faults: _Faults) -> Study:
    """Return the study without totals of communities where those cannot be read, and say that nobody looked at them."""
    changed: dict[str, object] = {}
    for name in ("population", "population_compare"):
        given = getattr(study, name)
        if given and given in faults.readings.totals:
            changed[name] = None
            faults.unseen.append(
                f"{given.rows.label} was not looked at: it holds totals of communities, and those cannot be read;"
                " remedy: check again when the communities are in order"
            )
    return study.model_copy(update=changed)


def _is_raster(given: PopulationInput) -> bool:
    return isinstance(given.file, Path) and given.file.suffix.lower() in RASTER_SUFFIXES


def _read_people_alone(given: PopulationInput, totals: list[PopulationInput]) -> None:
    """Read people who say where they live; a raster and totals, which are noted, are read with the communities."""
    if _is_raster(given):
        return
    rows = given.rows
    is_table = isinstance(rows.file, Path) and rows.file.suffix.lower() in TABLE_SUFFIXES
    table = read_table(rows) if is_table else None
    if table is not None and not has_coordinates(rows, table):
        totals.append(given)
        return
    read_people(rows, crs=_PLANE, values=given.values, household_size=given.household_size, table=table)


def _streets(study: Study, catalogue: Catalogue, drawn: Units | None, faults: _Faults) -> OsmExtract | None:
    """Read the streets, and lay them over the relief where that can be read."""
    here = study.streets
    if here.own is None and (here.osm is None or not here.osm.exists()):
        return None
    osm = here.osm if here.osm is not None and here.osm.exists() else None
    flat = study.model_copy(update={"streets": here.model_copy(update={"dem": None, "osm": osm})})
    found = faults.of(partial(read_streets, flat, catalogue, drawn))
    if found is not None and here.dem is not None and here.dem.exists():
        faults.of(partial(drape, found[0].streets, here.dem))
    return None if found is None else found[0]


def _compare(
    study: Study, catalogue: Catalogue, drawn: Units | None, osm: OsmExtract, faults: _Faults, *, lived_in: bool
) -> None:
    """Note what lies in another city or in another datum, and what cannot be read in this place.

    `lived_in`: the population can be read, or there is none and residential land is to stand in for it.
    """
    units = drawn.frame.to_crs(osm.crs) if drawn else None
    if units is not None:
        faults.of(partial(check_overlap, study, units, osm))
    facilities = faults.of(partial(read_places, study, catalogue, osm))
    if facilities is not None:
        faults.of(partial(check_places, study, facilities, osm))
    around = drawn.frame.total_bounds if drawn else extent(osm).bounds
    read_lived = partial(read_population, study.population, osm, drawn.frame if drawn else None, tuple(around))
    people = faults.of(read_lived) if lived_in else None
    areas = faults.of(partial(read_units, study.areas.rows, overlapping=True)) if study.areas else None
    other = study.population_compare
    catchments = faults.of(partial(read_catchment_files, study, catalogue, osm))
    parcels = faults.of(partial(read_own_parcels, study, osm))
    located = Located(
        units,
        facilities,
        faults.of(partial(read_gated, study, osm)),
        people,
        shifted(areas.frame, study.areas.datum).to_crs(osm.crs) if areas and study.areas else None,
        faults.of(partial(read_beside, other, osm, drawn.frame)) if other and drawn else None,
        catchments[0] if catchments else (),
        parcels[0] if parcels else None,
    )
    faults.of(partial(check_layers, study, osm, located))
    faults.of(partial(check_datums, study, osm, located))
