"""Streets and barriers for commands without communities: from an OpenStreetMap file, a street layer, or a study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livingcircle.joins import JOIN_LIMIT_M, Joiner
from livingcircle.network import WalkNetwork
from livingcircle.study import Study, StudyOptions, find_walkers
from livingcircle.walkers import Walker
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.datum import Datum
from livingcircle_layers.errors import UsageError
from livingcircle_layers.osm import read_osm
from livingcircle_layers.relief import drape, height_notes
from livingcircle_layers.sources import Source
from livingcircle_layers.street_layer import read_street_layer, wait_notes
from livingcircle_layers.streets import Streets


@dataclass(frozen=True)
class Ground:
    """Streets, and the lines that nobody walks across, in one metric plane.

    Attributes
    ----------
    streets, barriers
        The walking network; lines.
    join_limit_m
        The longest leg from a place to the street.
    notes
        What was left out or is not known, a sentence each.
    """

    streets: Streets
    barriers: npt.NDArray[Any]
    join_limit_m: float = JOIN_LIMIT_M
    notes: tuple[str, ...] = ()

    @property
    def network(self) -> WalkNetwork:
        """The streets as a graph."""
        return WalkNetwork(self.streets)

    def joiner(self) -> Joiner:
        """Return what joins places to the streets."""
        return Joiner(self.streets, self.barriers, limit_m=self.join_limit_m)


def read_ground(
    osm: str | Path | None,
    streets: Source | str | Path | None = None,
    *,
    dem: str | Path | None = None,
    node_crossings: bool = False,
    datum: Datum = "wgs84",
    join_limit_m: float = JOIN_LIMIT_M,
) -> Ground:
    """Read streets and barriers.

    Parameters
    ----------
    osm
        OpenStreetMap file: streets and barriers.
    streets, node_crossings, datum
        A planner's own street layer, which takes the place of the streets of the file (see `read_street_layer`).
    dem
        GeoTIFF of heights in metres, for walking times on slopes.

    Raises
    ------
    UsageError
        There are no streets.
    """
    if osm is None and streets is None:
        raise UsageError(
            "there are no streets",
            remedy="give --osm FILE, --streets FILE for a street layer of your own, or --study FILE",
        )
    extract = None if osm is None else read_osm(osm, load_catalogue())
    notes: list[str] = []
    if streets is not None:
        crs = None if extract is None else extract.crs
        own = read_street_layer(streets, crs=crs, cross=node_crossings, datum=datum)
        notes += [*own.notes, *wait_notes(own, Source.of(streets).label)]
        network: Streets = own
    elif extract is not None:
        network = extract.streets
    if dem is not None:
        network = drape(network, dem)
        notes += height_notes(network)
    barriers = np.array([], dtype=object) if extract is None else extract.barriers.geometry.to_numpy()
    return Ground(network, barriers, join_limit_m, tuple(notes))


def chosen_ground(
    study: str | Path | None, options: StudyOptions, *, walker: str | None = None
) -> tuple[Ground, Walker]:
    """Read the ground of a study, or of the options alone, and find who walks on it; options win over the study.

    Parameters
    ----------
    study
        A study file: its streets, heights, walkers and joining limit count; its estates do not.
    options
        Streets, street layer with its columns, and heights.
    walker
        A walker by name; by default the first one of the study, else adult.
    """
    if study is None:
        own = None if options.streets is None else Source(options.streets, columns=options.streets_columns)
        ground = read_ground(options.osm, own, dem=options.dem)
        return ground, find_walkers([walker or "adult"])[0]
    chosen = options.on(Study.load(study))
    source = chosen.streets
    ground = read_ground(
        source.osm,
        source.own,
        dem=source.dem,
        node_crossings=source.node_crossings,
        datum=source.datum,
        join_limit_m=chosen.join_limit_m,
    )
    return ground, find_walkers([walker or chosen.walkers[0]], chosen.profiles())[0]
