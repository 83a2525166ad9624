"""Reading and checking every input of a study, before anything is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle.beside import beside
from livingcircle.overlays import Overlay
from livingcircle.population import read_beside, read_counted, read_population
from livingcircle.progress import Stages
from livingcircle.study import Study
from livingcircle.study_parts import PopulationInput, SharesInput
from livingcircle.whereabouts import Located, check_datums, check_layers, check_overlap, check_places
from livingcircle_layers.catalogue import Catalogue
from livingcircle_layers.catchments import read_catchments
from livingcircle_layers.cleaning import Override
from livingcircle_layers.crs import WGS84, WIDEST_M, metric_crs, off_meridian_m
from livingcircle_layers.datum import shifted
from livingcircle_layers.datum_check import DatumVerdict
from livingcircle_layers.errors import InputError, sentence
from livingcircle_layers.estates import Estates, estate_units, osm_estates, read_estates, with_osm
from livingcircle_layers.facilities import Facilities, gather_facilities
from livingcircle_layers.grounds import OpenGrounds, roads_of
from livingcircle_layers.osm import OsmExtract, read_osm
from livingcircle_layers.parcels import read_parcels
from livingcircle_layers.people import People, people_in
from livingcircle_layers.relief import drape
from livingcircle_layers.shares import Shares, read_shares
from livingcircle_layers.sources import Database, Reading, is_elsewhere, without_address
from livingcircle_layers.street_layer import read_street_layer, wait_notes
from livingcircle_layers.typed_toml import unknown_word
from livingcircle_layers.unit_grid import grid_units
from livingcircle_layers.unit_osm import read_osm_units
from livingcircle_layers.units import Units, narrow_gaps, problem_notes, read_units
from livingcircle_layers.unplaced import unplaced_rows


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
    overlays: tuple[Overlay, ...] = ()
    parcels: gpd.GeoDataFrame | None = None
    shares: Shares | None = None
    catchments: Mapping[str, npt.NDArray[np.object_]] = field(default_factory=dict)
    other_people: People | None = None
    other_shares: Shares | None = None
    lost: pd.DataFrame = field(default_factory=lambda: unplaced_rows([]))

    def without_used_up(self) -> Inputs:
        """Return the inputs without what only homes and access points are made of, once those are there.

        What another population or the planner's parcels will be put upon later is kept.
        """
        if self.other_people is None:
            osm = replace(self.osm, buildings=self.osm.buildings.iloc[:0].copy(), water=self.osm.water.iloc[:0].copy())
        else:
            osm = self.osm
        if self.parcels is None:
            osm = replace(osm, features=osm.features.iloc[:0].copy())
        return replace(self, osm=osm, population=self.population.without_cells())

    @property
    def narrow_gaps(self) -> npt.NDArray[np.object_]:
        """Slack between the communities, whose people count in the nearest one."""
        gaps: npt.NDArray[np.object_] = narrow_gaps(self.communities).to_crs(self.units.crs).to_numpy()
        return gaps


def read_inputs(study: Study, catalogue: Catalogue, stages: Stages | None = None) -> Inputs:
    """Read and check every input of a study; computes nothing."""
    stages = stages or Stages()
    check_files(study)
    check_services(study, catalogue)
    with stages.stage("read_units", "reading communities"):
        drawn = read_communities(study)
    with _people_beside(study, drawn) as people:
        with stages.stage("read_streets", "reading streets"):
            osm, street_notes, streets_read = read_streets(study, catalogue, drawn)
            if drawn:
                check_overlap(study, drawn.frame.to_crs(osm.crs), osm)
        with stages.stage("read_people", "reading people"):
            population = people(osm)
            shares = read_shares_of(study.population)
    with stages.stage("read_places", "reading facilities, areas and catchments"):
        facilities = read_places(study, catalogue, osm)
        facility_notes = check_places(study, facilities, osm)
        estates = read_gated(study, osm)
        communities = drawn or _cells(study, osm, population)
        units = communities.frame.to_crs(osm.crs)
        overlays, overlay_notes, areas_read = _read_overlays(study, osm, units, estates)
        unit_notes = _problem_notes(study, communities, population)
        other = study.other_people
        other_people = read_beside(other, osm, communities.frame) if other else None
        catchments, beside_catchments = read_catchment_files(study, catalogue, osm)
        parcels, beside_parcels = read_own_parcels(study, osm)
    # A file of two services is read for each of them.
    lost = pd.concat([estates.lost, beside_catchments, beside_parcels]).drop_duplicates(ignore_index=True)
    areas = next((overlay.frame for overlay in overlays if overlay.level == "area"), None)
    with stages.stage("check_datum", "comparing every layer with the streets"):
        located = Located(units, facilities, estates, population, areas, other_people, catchments, parcels)
        check_layers(study, osm, located)
        datums = check_datums(study, osm, located)
    notes = (*street_notes, *unit_notes, *overlay_notes, *facility_notes)
    readings: dict[str, list[Reading | None]] = {
        "communities": [communities.reading],
        "areas": [areas_read],
        "streets": [streets_read],
        "facilities": list(facilities.readings),
        "estates": [estates.reading],
        "population": [population.reading],
        "population_compare": [other_people.reading if other_people else None],
    }
    known = {role: tuple(r for r in found if r is not None) for role, found in readings.items()}
    return Inputs(
        communities, units, osm, population, facilities, estates, notes, known, datums, overlays, parcels, shares,
        _by_service(study, catchments), other_people, read_shares_of(other), lost,
    )  # fmt: skip


@contextmanager
def _people_beside(study: Study, drawn: Units | None) -> Iterator[Callable[[OsmExtract], People]]:
    """Read the population beside the streets where the communities tell the plane, else when it is asked for.

    Nothing else may read a workbook or a raster meanwhile: what quiets their warnings does so for all threads.
    """
    given = study.population
    if drawn is None:
        yield lambda osm: read_population(given, osm, None, extent(osm).bounds)
        return
    around = tuple(drawn.frame.total_bounds)
    if given is None:
        yield lambda osm: read_population(given, osm, drawn.frame, around)
        return
    # An index of its own: two threads must not look things up in the same one.
    units = drawn.frame.set_axis(drawn.frame.index.copy(deep=True))
    with beside(partial(read_counted, given, plane_of(study, around), units, around)) as people:
        yield lambda _: people()


def check_inputs(study: Study) -> gpd.GeoDataFrame | None:
    """Check what can be checked at once, without the streets: every file is there, and the communities can be used.

    Returns
    -------
    The communities (EPSG:4326), None where they are made of what is read later.

    Raises
    ------
    InputError
        A file is missing, or the communities cannot be counted.
    """
    check_files(study)
    if study.communities.rows is None:
        return None
    return shifted(read_units(study.communities.rows).frame, study.communities.datum)


def read_communities(study: Study) -> Units | None:
    """Read the communities; None where they are cells over people who are not read yet."""
    if study.communities.rows:
        read = read_units(study.communities.rows)
        problems = shifted(read.problems, study.communities.datum)
        return replace(read, frame=shifted(read.frame, study.communities.datum), problems=problems)
    making = study.communities.making()
    if not making or making[0] != "osm":
        return None
    if study.streets.osm is None:
        raise InputError(
            "communities cannot be made of OpenStreetMap's borders",
            got="no OpenStreetMap file",
            remedy="give --osm, or communities = grid:SIZE",
        )
    return read_osm_units(study.streets.osm, int(making[1]))


def read_shares_of(population: PopulationInput | None) -> Shares | None:
    """Read the shares of age groups that a population names; None where it names none."""
    given = population.shares if population else None
    return read_shares(given.city(), given.rows) if given else None


def read_places(study: Study, catalogue: Catalogue, osm: OsmExtract) -> Facilities:
    """Read the facilities of a study, of OpenStreetMap and of its own files."""
    return gather_facilities(
        osm.features,
        catalogue,
        [f.source() for f in study.facilities],
        osm_complete={entry.service: entry.complete for entry in study.layer},
        roads=roads_of(osm.streets.lines, osm.streets.highway),
        estates=osm.residential_land,
        grounds=OpenGrounds(**study.grounds.model_dump()),
        overrides=[Override(entry.id, entry.keep) for entry in study.facility_override],
    )


def read_gated(study: Study, osm: OsmExtract) -> Estates:
    """Read the gated estates of a study, of OpenStreetMap and of its own file."""
    estates = osm_estates(osm)
    if study.estates is None or study.estates.rows is None:
        return estates
    return with_osm(read_estates(study.estates.rows, crs=osm.crs, datum=study.estates.datum), estates)


def read_catchment_files(
    study: Study, catalogue: Catalogue, osm: OsmExtract
) -> tuple[list[npt.NDArray[np.object_]], pd.DataFrame]:
    """Return the outlines of every file of catchments, in the order of the study, and the rows that hold none."""
    unknown = [part.service for part in study.catchments if part.service not in catalogue.services]
    if unknown:
        raise InputError.of([unknown_word("[[catchments]]: unknown service", s, catalogue.services) for s in unknown])
    read = [read_catchments(part.rows, crs=osm.crs, datum=part.datum) for part in study.catchments]
    return [outlines for outlines, _ in read], pd.concat([unplaced_rows([]), *(lost for _, lost in read)])


def read_own_parcels(study: Study, osm: OsmExtract) -> tuple[gpd.GeoDataFrame | None, pd.DataFrame]:
    """Read the parcels on which a place could be added, None where the study names none; and the rows that are none."""
    given = study.candidates
    if given.table is None:
        return None, unplaced_rows([])
    return read_parcels(given.table, crs=osm.crs, datum=given.datum)


def _by_service(study: Study, files: Sequence[npt.NDArray[np.object_]]) -> dict[str, npt.NDArray[np.object_]]:
    """Take several files of catchments of one service together."""
    found: dict[str, npt.NDArray[np.object_]] = {}
    for part, outlines in zip(study.catchments, files, strict=True):
        found[part.service] = np.append(found.get(part.service, np.array([], dtype=object)), outlines)
    return found


def read_streets(
    study: Study, catalogue: Catalogue, drawn: Units | None
) -> tuple[OsmExtract, tuple[str, ...], Reading | None]:
    """Read the streets in the plane of the communities, or in their own; with notes, and what a street layer held."""
    if study.plane and not drawn:
        raise InputError("plane is for communities of a file", got="cells over the people", remedy="leave plane out")
    crs = plane_of(study, drawn.frame.total_bounds) if drawn else None
    mapped = read_osm(study.streets.osm, catalogue, crs) if study.streets.osm else None
    notes: tuple[str, ...] = ()
    reading: Reading | None = None
    if study.streets.own:
        crs = mapped.crs if mapped else crs
        own = read_street_layer(
            study.streets.own, crs=crs, cross=study.streets.node_crossings, datum=study.streets.datum
        )
        mapped = replace(mapped, streets=own) if mapped else OsmExtract.of_streets(own)
        reading = own.reading
        notes = (*own.notes, *wait_notes(own, study.streets.own.label))
    if mapped is None:
        raise ValueError("streets come from an OpenStreetMap file or a layer")
    osm = mapped
    if study.streets.dem:
        osm = replace(osm, streets=drape(osm.streets, study.streets.dem))
    return osm, notes, reading


def plane_of(study: Study, bounds: Sequence[float]) -> CRS:
    """Return the plane of the study, by default that of its communities.

    Parameters
    ----------
    study
        Its `plane` is the middle of the plane, where it names one.
    bounds
        Of the communities: ``(west, south, east, north)`` in degrees.

    Raises
    ------
    InputError
        The communities lie so far from the middle that lengths would be wrong.
    """
    if study.plane is None:
        return metric_crs(bounds)
    lon, lat = study.plane
    if off_meridian_m(lon, bounds) > WIDEST_M:
        raise InputError(
            "plane lies too far from the communities, and lengths in it would be wrong",
            got=f"{lon:g}, {lat:g}",
            expected=f"a longitude within {WIDEST_M / 1000:g} km of all of them,"
            f" which lie within {bounds[0]:.2f} and {bounds[2]:.2f}",
            remedy="leave plane out",
        )
    return metric_crs((lon, lat, lon, lat))


def extent(osm: OsmExtract) -> shapely.Polygon:
    """Return the box of the streets in degrees."""
    extent: shapely.Polygon = gpd.GeoSeries([osm.extent], crs=osm.crs).to_crs(WGS84).iloc[0]
    return extent


def _cells(study: Study, osm: OsmExtract, population: People) -> Units:
    """Lay communities over people and residential land, where nobody has drawn any."""
    lived_in = pd.concat([population.cells.geometry, osm.residential_land.geometry]).to_crs(WGS84).to_numpy()
    shape, size_m = study.communities.making() or ("grid", 0.0)
    return grid_units(lived_in, extent(osm), shape="hex" if shape == "hex" else "grid", size_m=size_m)


def _read_overlays(
    study: Study, osm: OsmExtract, units: gpd.GeoDataFrame, estates: Estates
) -> tuple[tuple[Overlay, ...], list[str], Reading | None]:
    """Read the units that lie across the communities: estates where the study counts by them, and areas."""
    overlays: list[Overlay] = []
    notes: list[str] = []
    reading = None
    if study.estates and study.estates.level:
        overlays.append(Overlay.of("estate", estate_units(osm, estates.given), units).inside())
    if study.areas:
        areas = read_units(study.areas.rows, overlapping=True)
        reading = areas.reading
        overlay = Overlay.of("area", shifted(areas.frame, study.areas.datum).to_crs(osm.crs), units)
        overlays.append(overlay)
        notes += [*areas.warnings, *overlay.notes(study.areas.rows.label)]
    return tuple(overlays), notes, reading


def _problem_notes(study: Study, communities: Units, population: People) -> list[str]:
    """Say what is wrong with the outlines, and whom it concerns."""
    ground = communities.problems.to_crs(population.cells.crs).geometry.to_numpy()
    return problem_notes(
        study.communities.name,
        communities.problems,
        people_in(population, ground),
        demand="people" if study.population else "m² of residential land",
    )


def _populations(study: Study) -> dict[str, PopulationInput | SharesInput]:
    given = {"population": study.population, "population_compare": study.population_compare}
    parts: dict[str, PopulationInput | SharesInput] = {}
    for role, part in given.items():
        if part:
            parts[role] = part
            parts |= {f"{role} shares": part.shares} if part.shares else {}
    return parts


def check_services(study: Study, catalogue: Catalogue) -> None:
    """Complain about every service of the study that does not exist, before anything is read."""
    named = [entry.service for part in (study.facilities, study.layer, study.catchments) for entry in part]
    unknown = dict.fromkeys(name for name in named if name is not None and name not in catalogue.services)
    if unknown:
        raise InputError.of([str(catalogue.unknown_service(name)) for name in unknown])


def check_files(study: Study) -> None:
    """Complain about every missing file at once, before anything is read."""
    named: dict[str, Path | Database] = {
        **({"streets": study.streets.osm} if study.streets.osm else {}),
        **({"street layer": study.streets.layer} if study.streets.layer else {}),
        **({"elevation model": study.streets.dem} if study.streets.dem else {}),
        **({"estates": study.estates.file} if study.estates and study.estates.file else {}),
        **({"communities": study.communities.file} if study.communities.file else {}),
        **({"areas": study.areas.file} if study.areas else {}),
        **({"parcels": study.candidates.file} if study.candidates.file else {}),
        **{role: part.file for role, part in _populations(study).items() if part.file},
        **{f"catchments {i + 1}": entry.file for i, entry in enumerate(study.catchments)},
        **{f"facilities {i + 1}": entry.file for i, entry in enumerate(study.facilities)},
        **{f"reference {i + 1}": path for i, path in enumerate(study.references())},
    }
    faults = [_not_found(role, path) for role, path in named.items() if isinstance(path, Path) and not path.exists()]
    if faults:
        raise InputError.of(faults)


def _not_found(role: str, path: Path) -> str:
    if not is_elsewhere(path):
        return sentence(f"file not found: {path}", expected=f"the {role} of the study", remedy="check the path")
    return sentence(
        f"{without_address(str(path))} is not a local file",
        expected=f"the {role} of the study",
        remedy='download it; or declare a PostGIS database in a study file: file = "postgresql://…", table = "…"',
    )
