"""The faults of all inputs of a study at once: whatever can be read is read, and compared with the streets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import shapely
from pyproj import CRS

from livingcircle.inputs import (
    check_files,
    extent,
    read_catchment_files,
    read_communities,
    read_gated,
    read_own_parcels,
    read_places,
    read_shares_of,
    read_streets,
)
from livingcircle.population import read_beside, read_population
from livingcircle.study import Study
from livingcircle.study_parts import CommunitiesInput, PopulationInput
from livingcircle.whereabouts import Located, check_datums, check_layers, check_overlap, check_places
from livingcircle_layers.catalogue import Catalogue
from livingcircle_layers.catchments import read_catchments
from livingcircle_layers.datum import shifted
from livingcircle_layers.errors import InputError
from livingcircle_layers.estates import read_estates
from livingcircle_layers.facilities import read_facilities
from livingcircle_layers.osm import OsmExtract
from livingcircle_layers.parcels import read_parcels
from livingcircle_layers.people import read_people
from livingcircle_layers.population_totals import has_coordinates
from livingcircle_layers.relief import drape
from livingcircle_layers.sources import Source
from livingcircle_layers.street_layer import read_street_layer
from livingcircle_layers.tables import TABLE_SUFFIXES, read_table
from livingcircle_layers.units import Units, read_units

_PLANE = CRS.from_epsg(3857)  # the faults of a table are the same in every plane
_Read = TypeVar("_Read")


class _Faults:
    """Faults as they are found, each once."""

    def __init__(self) -> None:
        self.said: dict[str, None] = {}
        self.unseen: list[str] = []  # what could not be looked at, as something else is at fault

    def of(self, read: Callable[[], _Read]) -> _Read | None:
        """Read something; where that fails, note why and return None."""
        try:
            return read()
        except InputError as fault:
            self.said |= dict.fromkeys(str(fault).split(" | "))
            return None

    def free(self, source: Source | None, read: Callable[[], object]) -> bool:
        """Tell whether a source is there and can be read; that a file is missing has been said already."""
        before = len(self.said)
        if source is not None and isinstance(source.file, Path) and not source.file.exists():
            return False
        self.of(read)
        return len(self.said) == before


def input_faults(study: Study, catalogue: Catalogue) -> list[str]:
    """Return every fault of the inputs of a study, one sentence each.

    Each input is read on its own. What can be read is then put on the streets, where those can be read, and compared
    with them: a layer of another city or in another datum is found beside a table that has a fault of its own.
    """
    faults = _Faults()
    faults.of(partial(check_files, study))
    sound = _sound(study, catalogue, faults)
    drawn = faults.of(partial(read_communities, sound))
    if drawn is None and (study.communities.rows or (study.communities.making() or ("",))[0] == "osm"):
        sound = _without_totals(sound, faults)
    osm = _streets(sound, catalogue, drawn, faults)
    if osm is not None:
        _compare(sound, catalogue, drawn, osm, faults, lived_in=sound.population is not None or not study.population)
    return [*faults.said, *faults.unseen]


def _sound(study: Study, catalogue: Catalogue, faults: _Faults) -> Study:
    """Return the study without the parts that cannot be read, and note why."""
    units, estates, areas, streets = study.communities.rows, study.estates, study.areas, study.streets
    changed: dict[str, object] = {}
    if units and not faults.free(units, partial(read_units, units)):
        changed["communities"] = CommunitiesInput.of("grid:500")  # any: nothing is compared with them
    if streets.own and not faults.free(
        streets.own, partial(read_street_layer, streets.own, crs=_PLANE, datum=streets.datum)
    ):
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
        if given and not faults.free(given.rows, partial(_read_people_alone, given)):
            changed[name] = None
        if given and given.shares:
            faults.free(given.shares.rows, partial(read_shares_of, given))
    return study.model_copy(update=changed)


def _without_totals(study: Study, faults: _Faults) -> Study:
    """Return the study without totals of communities where those cannot be read, and say that nobody looked at them."""
    changed: dict[str, object] = {}
    for name in ("population", "population_compare"):
        given = getattr(study, name)
        if given and _are_totals(given):
            changed[name] = None
            faults.unseen.append(
                f"{given.rows.label} was not looked at: it holds totals of communities, and those cannot be read;"
                " remedy: check again when the communities are in order"
            )
    return study.model_copy(update=changed)


def _is_table(given: PopulationInput) -> bool:
    return isinstance(given.file, Path) and given.file.suffix.lower() in TABLE_SUFFIXES


def _are_totals(given: PopulationInput) -> bool:
    """Tell whether a population that can be read holds totals of communities, without coordinates of its own."""
    return _is_table(given) and not has_coordinates(given.rows, read_table(given.rows))


def _read_people_alone(given: PopulationInput) -> None:
    """Read a grid of people; what needs the streets or the communities to be read is left to those."""
    if _is_table(given) and not _are_totals(given):
        window = shapely.box(-180, -90, 180, 90)
        read_people(given.rows, crs=_PLANE, window=window, values=given.values, household_size=given.household_size)


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
