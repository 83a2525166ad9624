"""Faults of the districts of a batch that can be seen before the first computation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from livingcircle.input_faults import Readings, table_faults
from livingcircle.inputs import check_inputs
from livingcircle.standards import load_standard
from livingcircle.study import Study
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.errors import InputError, LivingCircleError, sentence

OVERLAP_SHARE = 0.01  # of the smaller community; borders that are drawn twice never fit to the centimetre
ALIKE = {
    "standard": "the standard",
    "catalogue": "the catalogue",
    "walkers": "the walkers",
    "walker_settings": "the walkers' settings",
    "gates": "the treatment of gates",
}  # what the sums and ranks of a whole city ask to be the same everywhere


def check_districts(studies: Mapping[str, Study]) -> dict[str, gpd.GeoDataFrame]:
    """Check what all districts must have before any of them is scanned: communities and settings that fit together.

    Returns
    -------
    The communities of every district that has drawn ones (EPSG:4326).

    Raises
    ------
    InputError
        All faults of all districts, those of their tables and layers with them.
    """
    faults: list[str] = []
    drawn: dict[str, gpd.GeoDataFrame] = {}
    for name, study in studies.items():
        with _collected(faults, name):
            units = check_inputs(study)
            drawn |= {} if units is None else {name: units}
        with _collected(faults, name):
            load_standard(study.standard, catalogue=load_catalogue(study.catalogue), walkers=study.profiles())
        with _collected(faults, name):
            study.walker_profiles()
    faults += _overlaps(drawn)
    faults += _shared_cells(studies)
    first = next(iter(studies.values()))
    for key, what in ALIKE.items():
        other = [name for name, study in studies.items() if getattr(study, key) != getattr(first, key)]
        if other:
            faults.append(
                sentence(
                    f"{what} of {', '.join(other)} differ from those of {first.name}",
                    expected="the same in all districts, as their people are summed and ranked",
                    remedy="scan these districts by a file of their own",
                )
            )
    if len({study.population is None for study in studies.values()}) > 1:
        faults.append("some districts have a population and some have none: people and land cannot be summed")
    if any(study.sensitivity is not None for study in studies.values()):
        faults.append(
            sentence("a batch has no ranges of sensitivity", remedy="ask for them in the scan of one district")
        )
    if faults:
        told = {name: fault for name, fault in unusable(studies, drawn).items() if isinstance(fault, InputError)}
        raise InputError.of([*faults, *(f"district {name}: {fault}" for name, fault in told.items())])
    return drawn


def unusable(studies: Mapping[str, Study], drawn: Mapping[str, gpd.GeoDataFrame]) -> dict[str, Exception]:
    """Read the tables and layers of every district, each file once, and tell which districts cannot be scanned.

    Parameters
    ----------
    studies
        By name of the district.
    drawn
        The communities (EPSG:4326) of those that have drawn ones.

    Returns
    -------
    By name: an `InputError` with all faults of the district, or what else went wrong with it alone.
    """
    readings = Readings()
    found: dict[str, Exception] = {}
    for name, study in studies.items():
        try:
            faults = table_faults(study, load_catalogue(study.catalogue), drawn.get(name), readings)
        except Exception as fault:  # noqa: BLE001  of one district: whoever scans the others tells of it
            found[name] = fault
            continue
        if faults:
            found[name] = InputError.of(faults)
    return found


@contextmanager
def _collected(faults: list[str], name: str) -> Iterator[None]:
    try:
        yield
    except LivingCircleError as fault:
        faults.append(f"district {name}: {fault}")


def _overlaps(drawn: Mapping[str, gpd.GeoDataFrame]) -> list[str]:
    """Name the communities of two districts that lie over each other, whose people would be counted twice."""
    if not drawn:
        return []
    owner = np.repeat(np.array(list(drawn), dtype=object), [len(units) for units in drawn.values()])
    ids = np.concatenate([units.index.to_numpy(dtype=object) for units in drawn.values()])
    shapes = np.concatenate([units.geometry.to_numpy() for units in drawn.values()])
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    a, b = (pair[(a < b) & (owner[a] != owner[b])] for pair in (a, b))
    smaller = np.minimum(shapely.area(shapes[a]), shapely.area(shapes[b]))
    over = shapely.area(shapely.intersection(shapes[a], shapes[b])) > OVERLAP_SHARE * smaller
    pairs: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for i, j in sorted(zip(a[over], b[over], strict=True)):
        pairs.setdefault((owner[i], owner[j]), []).append((ids[i], ids[j]))
    return [
        sentence(
            f"{of[0][0]} of district {one} and {of[0][1]} of district {other} lie over each other"
            + (f", and {len(of) - 1} more pairs of these districts" if len(of) > 1 else "")
            + ": their people would be counted twice",
            remedy="keep each community in one district",
        )
        for (one, other), of in pairs.items()
    ]


def _shared_cells(studies: Mapping[str, Study]) -> list[str]:
    """Name districts whose communities are made over people whom another district counts, too."""
    whose: dict[Any, list[str]] = {}
    for name, study in studies.items():
        if study.population is not None:
            whose.setdefault(study.population.file, []).append(name)
    return [
        sentence(
            f"communities of district {name} are made over people whom {', '.join(o for o in names if o != name)}"
            " may count, too",
            expected="communities from a file, or a population of its own",
            remedy="scan it by a file of its own",
        )
        for names in whose.values()
        for name in names
        if len(names) > 1 and studies[name].communities.rows is None
    ]
