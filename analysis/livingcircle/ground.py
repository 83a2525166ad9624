"""Streets and barriers for commands without communities: from an OpenStreetMap file, a street layer, or both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livingcircle.joins import Joiner
from livingcircle.network import WalkNetwork
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.errors import UsageError
from livingcircle_layers.osm import read_osm
from livingcircle_layers.street_layer import read_street_layer
from livingcircle_layers.streets import Streets


@dataclass(frozen=True)
class Ground:
    """Streets, and the lines that nobody walks across, in one metric plane."""

    streets: Streets
    barriers: npt.NDArray[Any]

    @property
    def network(self) -> WalkNetwork:
        """The streets as a graph."""
        return WalkNetwork(self.streets)

    def joiner(self) -> Joiner:
        """Return what joins places to the streets."""
        return Joiner(self.streets, self.barriers)


def read_ground(osm: str | Path | None, streets: str | Path | None = None) -> Ground:
    """Read streets and barriers.

    Parameters
    ----------
    osm
        OpenStreetMap file: streets and barriers.
    streets
        A planner's own street layer, which takes the place of the streets of the file.

    Raises
    ------
    UsageError
        Neither is given.
    """
    if osm is None and streets is None:
        raise UsageError(
            "there are no streets", remedy="give --osm FILE, or --streets FILE for a street layer of your own"
        )
    if osm is None:
        return Ground(read_street_layer(str(streets)), np.array([], dtype=object))
    extract = read_osm(osm, load_catalogue())
    own = extract.streets if streets is None else read_street_layer(streets, crs=extract.crs)
    return Ground(own, extract.barriers.geometry.to_numpy())
