"""Whether every input of a study lies where it says: in the same city, and in the datum that is declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy.typing as npt
import shapely

from livingcircle.study import Study
from livingcircle_layers.crs import WGS84
from livingcircle_layers.datum import Datum, may_be_shifted
from livingcircle_layers.datum_check import DatumVerdict, Known, check_datum, known_of_layer, known_of_osm
from livingcircle_layers.errors import InputError, sentence
from livingcircle_layers.estates import Estates
from livingcircle_layers.facilities import Facilities
from livingcircle_layers.globe import SWAPPED_REMEDY, on_globe
from livingcircle_layers.headings import find_column
from livingcircle_layers.osm import OsmExtract
from livingcircle_layers.people import People
from livingcircle_layers.sources import Source
from livingcircle_layers.tables import TABLE_SUFFIXES, read_points
from livingcircle_layers.vectors import VECTOR_SUFFIXES, attributes_as_text, read_vector

_AT_A_TIME = 1000  # streets or outlines that are looked at before it is asked whether one of them is near
_CALLED = {
    "population": "places where people live",
    "population_compare": "places where people live",
    "areas": "areas",
    "estates": "estates",
    "catchments": "catchments",
    "candidates": "parcels",
}
_COUNTED = frozenset(("population", "population_compare", "areas"))  # what is counted in the communities alone


@dataclass(frozen=True)
class _Layer:
    """An input whose datum is checked: what the study calls it, and where its rows lie as claimed."""

    part: str
    label: str
    source: Source
    datum: Datum
    reference: Path | None
    frame: gpd.GeoDataFrame
    names: Sequence[str]


@dataclass(frozen=True)
class Located:
    """What was read of a study, shifted as declared; None where the study has none of it, or where it was not read.

    Attributes
    ----------
    units, areas
        Communities and areas of the planner's own, with ``unit_name``.
    people, other_people
        The population, and the second one.
    catchments
        Outlines in the plane of the streets, one array for each of the study's, in its order.
    parcels
        Where the planner could add a place.
    """

    units: gpd.GeoDataFrame | None = None
    facilities: Facilities | None = None
    estates: Estates | None = None
    people: People | None = None
    areas: gpd.GeoDataFrame | None = None
    other_people: People | None = None
    catchments: Sequence[npt.NDArray[Any]] = ()
    parcels: gpd.GeoDataFrame | None = None


def check_datums(study: Study, osm: OsmExtract, located: Located) -> tuple[DatumVerdict, ...]:
    """Compare every layer of the study with the streets, or with the layer that the study names as its reference.

    Parameters
    ----------
    study
        What the layers claim.
    osm, located
        The streets, and the layers as read.

    Returns
    -------
    tuple of DatumVerdict
        One per file; "cannot tell" is a warning.

    Raises
    ------
    InputError
        Layers that do not fit what they claim, all at once, each with what to write into the study; and layers
        that are said to be in GCJ-02 or BD-09 where nobody uses these.
    """
    streets = known_of_osm(osm)
    verdicts, faults = [], []
    for layer in _layers(study, osm, located):
        verdict = check_datum(
            layer.frame, layer.datum, [*_reference(layer, osm), streets], layer=layer.label, names=layer.names
        )
        verdicts.append(verdict)
        shifted = layer.datum in ("gcj02", "bd09") and len(layer.frame) > 0
        if shifted and not may_be_shifted(bounds := layer.frame.to_crs(WGS84).total_bounds):
            faults.append(
                sentence(
                    f"{layer.label} cannot be in {layer.datum}",
                    got=f"places at {_box(bounds)}",
                    expected="places in China, where that datum is in use",
                    remedy=f'remove datum = "{layer.datum}" from {_entry(layer.part)}',
                )
            )
        elif verdict.answer == "does not fit":
            faults.append(
                sentence(
                    f"{layer.label} is not in {verdict.claimed}",
                    got=f"a layer that fits {verdict.better}: {verdict.statistic}",
                    expected="coordinates in the datum that the study declares",
                    remedy=f'write datum = "{verdict.better}" into {_entry(layer.part)}',
                )
            )
    if faults:
        raise InputError.of(faults)
    return tuple(verdicts)


def _layers(study: Study, osm: OsmExtract, located: Located) -> Iterator[_Layer]:
    """Yield the layers that were read and whose coordinates the study makes a claim about."""
    for part, given, outlines in (
        ("communities", study.communities, located.units),
        ("areas", study.areas, located.areas),
    ):
        if given and given.rows and outlines is not None:
            names = outlines["unit_name"].tolist()
            yield _Layer(part, given.rows.label, given.rows, given.datum, given.reference, outlines, names)
    for part, lived, people in (
        ("population", study.population, located.people),
        ("population_compare", study.population_compare, located.other_people),
    ):
        if lived and people is not None and people.kind == "grid table":  # totals lie where the communities do
            yield _Layer(part, lived.rows.label, lived.rows, lived.datum, lived.reference, people.cells, ())
    if study.streets.own:
        lines = gpd.GeoDataFrame(geometry=gpd.GeoSeries(osm.streets.lines, crs=osm.crs))
        own = study.streets.own
        yield _Layer("streets", own.label, own, study.streets.datum, None, lines, ())
    if study.estates and study.estates.rows and located.estates is not None:
        estates, rows = located.estates, study.estates.rows
        gated = estates.frame[estates.frame["source"] == rows.label]
        shapes = [*gated.geometry, *estates.open_outlines]
        frame = gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, crs=osm.crs))
        names = [*gated["name"], *[""] * len(estates.open_outlines)]
        yield _Layer("estates", rows.label, rows, study.estates.datum, study.estates.reference, frame, names)
    if located.facilities is not None:
        for entry, label in zip(study.facilities, located.facilities.labels, strict=True):
            mine = located.facilities.frame[located.facilities.frame["source"] == label].drop_duplicates("facility_id")
            mine = mine.set_geometry("given")
            names = mine["name"].tolist()
            yield _Layer("facilities", entry.rows.label, entry.rows, entry.datum, entry.reference, mine, names)
    for catchment, shapes_of_it in zip(study.catchments, located.catchments, strict=bool(located.catchments)):
        frame = gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes_of_it, crs=osm.crs))
        rows = catchment.rows
        yield _Layer("catchments", rows.label, rows, catchment.datum, catchment.reference, frame, ())


def _reference(layer: _Layer, osm: OsmExtract) -> list[Known]:
    """Return the layer that the study knows to be right."""
    if layer.reference is None:
        return []
    frame, names = read_reference(layer.reference)
    return [known_of_layer(frame, title=layer.reference.name, crs=osm.crs, names=names)]


def read_reference(file: Path) -> tuple[gpd.GeoDataFrame, Sequence[str]]:
    """Read a layer that is known to be right, and the names in it; none where it has none."""
    if file.suffix.lower() in TABLE_SUFFIXES:
        places, _ = read_points(file)
        frame, table = places.frame, places.table
    else:
        frame = on_globe(read_vector(file), file.name)
        table = attributes_as_text(frame)
    column = find_column(table, "name")
    return frame, table[column].tolist() if column else ()


def check_places(study: Study, facilities: Facilities, osm: OsmExtract) -> list[str]:
    """Refuse files of facilities that lie wholly away from the streets; say how much of the others does."""
    frame, notes, faults = facilities.frame, [], []
    away = frame.geometry.distance(osm.streets.box).to_numpy() > study.join_limit_m
    for entry, source in zip(study.facilities, facilities.labels, strict=True):
        own = frame["source"].to_numpy() == source
        if own.any() and away[own].all():
            fault = _elsewhere(
                f"{source}: none of its {int(own.sum())} places lies near the streets of {study.streets.label}",
                entry.rows,
                frame[own],
                gpd.GeoSeries([osm.streets.box], crs=osm.crs),
            )
            faults.append(str(fault))
        elif away[own].any():
            notes.append(
                f"{source}: {int(away[own].sum())} of {int(own.sum())} places lie outside the streets' extract"
            )
    if faults:
        raise InputError.of(faults)
    return notes


def check_overlap(study: Study, units: gpd.GeoDataFrame, osm: OsmExtract) -> None:
    """Refuse communities that no street passes through."""
    if not _near(osm.streets.lines, units.geometry.to_numpy(), 0.0):
        raise _elsewhere(
            f"{study.communities.name} does not overlap the streets of {study.streets.label}",
            study.communities.rows,
            units,
            gpd.GeoSeries([osm.extent], crs=osm.crs),
        )


def check_layers(study: Study, osm: OsmExtract, located: Located) -> None:
    """Refuse people and areas that lie wholly away from the communities, and other layers away from the streets.

    A layer of which a part lies here is fine: what lies outside is counted, and listed, as that. Facilities and
    communities are compared by `check_places` and `check_overlap`.

    Raises
    ------
    InputError
        All such layers at once, each with where it lies.
    """
    faults = []
    streets = gpd.GeoSeries([osm.streets.box], crs=osm.crs)
    layers = [(layer.part, layer.label, layer.source, layer.frame) for layer in _layers(study, osm, located)]
    if study.candidates.table and located.parcels is not None:
        layers.append(("candidates", study.candidates.table.label, study.candidates.table, located.parcels))
    for part, label, source, frame in layers:
        if part not in _CALLED or frame.empty:
            continue
        if part in _COUNTED and located.units is not None:
            ground, where = located.units.geometry, f"within the communities of {study.communities.name}"
        else:
            ground, where = streets, f"near the streets of {study.streets.label}"
        if not _near(frame.geometry.to_numpy(), ground.to_numpy(), study.join_limit_m):
            what = f"{label}: none of its {len(frame)} {_CALLED[part]} lies {where}"
            faults.append(str(_elsewhere(what, source, frame, ground)))
    if faults:
        raise InputError.of(faults)


def _near(shapes: npt.NDArray[Any], ground: npt.NDArray[Any], metres: float) -> bool:
    """Tell whether any shape comes near to the ground; those of a sound layer mostly do, so few are looked at."""
    tree = shapely.STRtree(ground)
    some = (shapes[begin : begin + _AT_A_TIME] for begin in range(0, len(shapes), _AT_A_TIME))
    return any(tree.query(part, predicate="dwithin", distance=metres).size for part in some)


def _elsewhere(what: str, source: Source | None, frame: gpd.GeoDataFrame, streets: gpd.GeoSeries) -> InputError:
    """Explain a layer that lies elsewhere: swapped axes, degrees called metres, or another city."""
    west, south, east, north = frame.to_crs(WGS84).total_bounds
    ours = streets.to_crs(WGS84).total_bounds
    city = shapely.box(*ours)
    got, remedy = _box((west, south, east, north)), "use the file of the same city"
    if city.intersects(shapely.box(south, west, north, east)):
        got += ", which with longitude and latitude changed about is the city of the streets"
        remedy = f"longitude and latitude are swapped: {SWAPPED_REMEDY}"
    elif (crs := _false_metres(source, city)) is not None:
        got += f", as the file says that its coordinates are metres of {crs}, and they are degrees"
        remedy = "save the layer with the CRS EPSG:4326 (assign it, do not reproject)"
    return InputError(what, got=f"places at {got}", expected=f"within {_box(ours)}", remedy=remedy)


def _false_metres(source: Source | None, city: shapely.Polygon) -> str | None:
    """Return the metric CRS that a file claims although its coordinates are the degrees of the city."""
    if source is None or not isinstance(source.file, Path) or source.file.suffix.lower() not in VECTOR_SUFFIXES:
        return None
    raw = read_vector(source)
    if raw.crs is None or raw.crs.is_geographic or not city.intersects(shapely.box(*raw.total_bounds)):
        return None
    return str(raw.crs.name)


def _box(bounds: Sequence[float]) -> str:
    west, south, east, north = bounds
    return f"{west:.3f}–{east:.3f} E, {south:.3f}–{north:.3f} N"


def _entry(part: str) -> str:
    """Return how a part of a study file is headed; of lists every file has an entry of its own."""
    listed = part in ("facilities", "catchments")
    return f"this file's [[{part}]] in the study" if listed else f"[{part}] in the study"
