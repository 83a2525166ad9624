"""Reading and checking every input of a study, before anything is computed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import geopandas as gpd
import shapely

from livingcircle.study import Study
from livingcircle.whereabouts import check_datums, check_overlap, check_places
from livingcircle_layers.catalogue import Catalogue
from livingcircle_layers.crs import metric_crs
from livingcircle_layers.datum import shifted
from livingcircle_layers.datum_check import DatumVerdict
from livingcircle_layers.errors import InputError, sentence
from livingcircle_layers.estates import Estates, osm_estates, read_estates, with_osm
from livingcircle_layers.facilities import Facilities, gather_facilities
from livingcircle_layers.osm import OsmExtract, read_osm
from livingcircle_layers.people import People, read_people
from livingcircle_layers.relief import drape
from livingcircle_layers.sources import Reading
from livingcircle_layers.street_layer import read_street_layer
from livingcircle_layers.units import Units, read_units


@dataclass
class Stages:
    """Times the stages of a scan and tells about them."""

    say: Callable[[str], None] | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, text: str) -> Iterator[None]:
        """Announce a stage and note how long it took."""
        if self.say:
            self.say(text)
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)


@dataclass(frozen=True)
class Inputs:
    """Everything that was read for a study; geometries in one metric plane."""

    communities: Units
    units: gpd.GeoDataFrame
    osm: OsmExtract
    population: People
    facilities: Facilities
    estates: Estates
    notes: tuple[str, ...] = ()
    readings: Mapping[str, tuple[Reading, ...]] = field(default_factory=dict)
    datums: tuple[DatumVerdict, ...] = ()


def read_inputs(study: Study, catalogue: Catalogue, stages: Stages | None = None) -> Inputs:
    """Read and check every input of a study; computes nothing."""
    stages = stages or Stages()
    _check_files(study)
    with stages.stage("read_units", "reading communities"):
        communities = read_units(study.communities.table)
        communities = replace(communities, frame=shifted(communities.frame, study.communities.datum))
        bounds = communities.frame.total_bounds
        crs = metric_crs(bounds)
        units = communities.frame.to_crs(crs)
    with stages.stage("read_streets", "reading streets and facilities"):
        osm = read_osm(study.streets.osm, catalogue, crs)
        notes: tuple[str, ...] = ()
        streets_read: Reading | None = None
        if study.streets.own:
            own = read_street_layer(
                study.streets.own, crs=crs, cross=study.streets.node_crossings, datum=study.streets.datum
            )
            osm, notes, streets_read = replace(osm, streets=own), own.notes, own.reading
        if study.streets.dem:
            osm = replace(osm, streets=drape(osm.streets, study.streets.dem))
        check_overlap(study, units, osm)
        facilities = gather_facilities(
            osm.features,
            catalogue,
            [f.source() for f in study.facilities],
            osm_complete={entry.service: entry.complete for entry in study.layer},
        )
        facility_notes = check_places(study, facilities, osm)
        estates = osm_estates(osm)
        if study.estates:
            own_estates = read_estates(study.estates.table, crs=crs, datum=study.estates.datum)
            estates = with_osm(own_estates, estates)
    with stages.stage("read_people", "reading people"):
        population = read_people(study.population.table, crs=crs, window=shapely.box(*bounds).buffer(0.02))
        population = replace(population, cells=shifted(population.cells, study.population.datum))
    with stages.stage("check_datum", "comparing every layer with the streets"):
        datums = check_datums(study, units, osm, facilities, estates, population)
    readings: dict[str, list[Reading | None]] = {
        "communities": [communities.reading],
        "streets": [streets_read],
        "facilities": list(facilities.readings),
        "estates": [estates.reading],
        "population": [population.reading],
    }
    known = {role: tuple(r for r in found if r is not None) for role, found in readings.items()}
    return Inputs(communities, units, osm, population, facilities, estates, (*notes, *facility_notes), known, datums)


def _check_files(study: Study) -> None:
    """Complain about every missing file at once, before anything is read."""
    named = {
        "streets": study.streets.osm,
        **({"street layer": study.streets.layer} if study.streets.layer else {}),
        **({"elevation model": study.streets.dem} if study.streets.dem else {}),
        **({"estates": study.estates.file} if study.estates else {}),
        "communities": study.communities.file,
        "population": study.population.file,
        **{f"facilities {i + 1}": entry.file for i, entry in enumerate(study.facilities)},
        **{f"reference {i + 1}": path for i, path in enumerate(study.references())},
    }
    faults = [
        sentence(f"file not found: {path}", expected=f"the {role} of the study", remedy="check the path")
        for role, path in named.items()
        if not path.exists()
    ]
    if faults:
        raise InputError.of(faults)
