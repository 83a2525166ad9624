"""Reading and checking every input of a study, before anything is computed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import geopandas as gpd
import shapely

from livingcircle.study import Study
from livingcircle_layers.catalogue import Catalogue
from livingcircle_layers.crs import WGS84, metric_crs
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


def read_inputs(study: Study, catalogue: Catalogue, stages: Stages | None = None) -> Inputs:
    """Read and check every input of a study; computes nothing."""
    stages = stages or Stages()
    _check_files(study)
    with stages.stage("read_units", "reading communities"):
        communities = read_units(study.communities.table)
        bounds = communities.frame.total_bounds
        crs = metric_crs(bounds)
        units = communities.frame.to_crs(crs)
    with stages.stage("read_streets", "reading streets and facilities"):
        osm = read_osm(study.streets.osm, catalogue, crs)
        notes: tuple[str, ...] = ()
        streets_read: Reading | None = None
        if study.streets.own:
            own = read_street_layer(study.streets.own, crs=crs, cross=study.streets.node_crossings)
            osm, notes, streets_read = replace(osm, streets=own), own.notes, own.reading
        if study.streets.dem:
            osm = replace(osm, streets=drape(osm.streets, study.streets.dem))
        _check_overlap(study, units, osm)
        facilities = gather_facilities(
            osm.features,
            catalogue,
            [f.source() for f in study.facilities],
            osm_complete={entry.service: entry.complete for entry in study.layer},
        )
        facility_notes = _check_places(study, facilities, osm)
        estates = osm_estates(osm)
        if study.estates:
            estates = with_osm(read_estates(study.estates.table, crs=crs), estates)
    with stages.stage("read_people", "reading people"):
        population = read_people(study.population.table, crs=crs, window=shapely.box(*bounds).buffer(0.02))
    readings: dict[str, list[Reading | None]] = {
        "communities": [communities.reading],
        "streets": [streets_read],
        "facilities": list(facilities.readings),
        "estates": [estates.reading],
        "population": [population.reading],
    }
    known = {role: tuple(r for r in found if r is not None) for role, found in readings.items()}
    return Inputs(communities, units, osm, population, facilities, estates, (*notes, *facility_notes), known)


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
    }
    faults = [
        sentence(f"file not found: {path}", expected=f"the {role} of the study", remedy="check the path")
        for role, path in named.items()
        if not path.exists()
    ]
    if faults:
        raise InputError.of(faults)


def _check_places(study: Study, facilities: Facilities, osm: OsmExtract) -> list[str]:
    """Refuse a file of facilities that lies wholly away from the streets; say how much of the others does."""
    frame, notes = facilities.frame, []
    away = frame.geometry.distance(osm.streets.box).to_numpy() > study.join_limit_m
    for source in sorted(set(frame["source"]) - {"osm"}):
        own = frame["source"].to_numpy() == source
        if away[own].all():
            west, south, east, north = frame[own].to_crs(WGS84).total_bounds
            ours = gpd.GeoSeries([osm.streets.box], crs=osm.crs).to_crs(WGS84).total_bounds
            raise InputError(
                f"{source}: none of its {int(own.sum())} places lies near the streets of {study.streets.osm.name}",
                got=f"places at {west:.3f}–{east:.3f} E, {south:.3f}–{north:.3f} N",
                expected=f"within {ours[0]:.3f}–{ours[2]:.3f} E, {ours[1]:.3f}–{ours[3]:.3f} N",
                remedy="use the file of the same city, and check that longitude and latitude are not swapped",
            )
        if away[own].any():
            notes.append(
                f"{source}: {int(away[own].sum())} of {int(own.sum())} places lie outside the streets' extract"
            )
    return notes


def _check_overlap(study: Study, units: gpd.GeoDataFrame, osm: OsmExtract) -> None:
    streets = shapely.STRtree(osm.streets.lines)
    if not len(streets.query(units.geometry.to_numpy(), predicate="intersects")[0]):
        west, south, east, north = gpd.GeoSeries([osm.extent], crs=osm.crs).to_crs(WGS84).total_bounds
        ours = units.to_crs(WGS84).total_bounds
        raise InputError(
            f"{study.communities.file.name} does not overlap the streets of {study.streets.osm.name}",
            got=f"communities at {ours[0]:.3f}–{ours[2]:.3f} E, {ours[1]:.3f}–{ours[3]:.3f} N",
            expected=f"within {west:.3f}–{east:.3f} E, {south:.3f}–{north:.3f} N",
            remedy="use an extract of the same city, or check that longitude and latitude are not swapped",
        )
