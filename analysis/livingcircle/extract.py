"""Cut the area of a study out of the OpenStreetMap file of a country, with everything that its people can walk to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from livingcircle.batch import Batch, is_batch
from livingcircle.inputs import check_inputs
from livingcircle.joins import JOIN_LIMIT_M
from livingcircle.measured import search_limit_m
from livingcircle.output_folder import replaced_file
from livingcircle.progress import Progress, Stages
from livingcircle.standards import load_standard
from livingcircle.study import SEARCH_LIMIT_M, Study
from livingcircle.tiles import reach_of
from livingcircle_layers.boxes import around, is_box
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.errors import UsageError
from livingcircle_layers.osm import check_osm_path
from livingcircle_layers.osm_extract import Box, Kept, cut_osm
from livingcircle_layers.sources import Source
from livingcircle_layers.units import read_units

SUFFIX = ".osm.pbf"
MARGIN_M = SEARCH_LIMIT_M + 2 * JOIN_LIMIT_M  # the longest search, and the legs from home and place to the street


@dataclass(frozen=True)
class Extract:
    """A file that was cut out of another.

    Attributes
    ----------
    path
        The new file.
    margin_m
        How far it goes beyond the area, metres.
    kept
        What is in it, and its box.
    bytes_read, bytes_written
        Sizes of the two files.
    """

    path: Path
    margin_m: float
    kept: Kept
    bytes_read: int
    bytes_written: int

    def line(self) -> str:
        """Return in one line how much was kept."""
        k = self.kept
        return (
            f"{self.path}: {k.nodes:,} of {k.nodes_read:,} nodes, {k.ways:,} of {k.ways_read:,} ways,"
            f" {k.relations:,} of {k.relations_read:,} relations; {self.bytes_written / 1e6:,.1f} of"
            f" {self.bytes_read / 1e6:,.1f} MB; {self.margin_m:,.0f} m beyond the area"
        )


def extract(
    source: str | Path,
    output: str | Path,
    *,
    communities: str | Path | None = None,
    bbox: Box | None = None,
    study: str | Path | None = None,
    margin_m: float | None = None,
    progress: Progress | None = None,
) -> Extract:
    """Cut the area of communities, of a box or of a study out of a large OpenStreetMap file.

    A scan of the extract gives the numbers of a scan of the whole file.

    Parameters
    ----------
    source
        OpenStreetMap file, ordered by type and id as every published one is.
    output
        The new ``.osm.pbf``; an earlier file is replaced at the end or not at all.
    communities, bbox, study
        One of them: a file of communities, (west, south, east, north) in degrees, or a study file, also of a batch.
    margin_m
        How much beyond the area is kept, metres; by default the largest reach of the study, with the legs to the
        street, or of any study with the usual settings.
    progress
        Called with an event when something begins or ends; see `livingcircle.progress`.

    Raises
    ------
    InputError
        A file is missing, damaged or cannot be written, or nothing lies in the area.
    UsageError
        Not one of communities, bbox and study is given, the box is none, or the output is the source.
    """
    path, target = check_osm_path(source), Path(output)
    if not target.name.endswith(SUFFIX):
        raise UsageError("an extract is a .osm.pbf file", got=target.name, remedy=f"-o {target.stem}{SUFFIX}")
    if target.exists() and target.samefile(path):
        raise UsageError("the extract would overwrite the file it is cut from", got=str(target), remedy="another -o")
    area, reach_m = _area(communities, bbox, study)
    margin = reach_m if margin_m is None else margin_m
    with replaced_file(target) as stage:
        stage.touch()  # a folder that cannot be written is told before the long reading
        kept = cut_osm(path, stage, around(area, margin), stage=Stages(progress).stage)
    return Extract(target, margin, kept, path.stat().st_size, target.stat().st_size)


def _area(communities: str | Path | None, bbox: Box | None, study: str | Path | None) -> tuple[Box, float]:
    """Return the area that is asked for in degrees, and how far its people can reach beyond it, metres."""
    given = [name for name, value in (("communities", communities), ("bbox", bbox), ("study", study)) if value]
    if len(given) != 1:
        raise UsageError(
            "say which area: --communities, --bbox or --study, one of them", got=" and ".join(given) or "none of them"
        )
    if bbox is not None:
        if not is_box(bbox):
            raise UsageError("--bbox is no box", got=str(bbox), expected="W,S,E,N in degrees with W < E and S < N")
        return bbox, MARGIN_M
    if communities is not None:
        return _bounds([read_units(Source(Path(communities))).frame.total_bounds]), MARGIN_M
    path = Path(str(study))
    studies = list(Batch.load(path).studies.values()) if is_batch(path) else [Study.load(path)]
    return _bounds([_bounds_of(one, path) for one in studies]), max(_reach_m(one) for one in studies)


def _bounds_of(study: Study, path: Path) -> Sequence[float]:
    units = check_inputs(study)
    if units is None:
        raise UsageError(
            f"{path.name} makes its communities of what is in the file",
            got=study.communities.make,
            remedy="name the area: --bbox W,S,E,N",
        )
    bounds: Sequence[float] = units.total_bounds
    return bounds


def _bounds(boxes: Sequence[Sequence[float]]) -> Box:
    table = np.array(boxes, dtype=float)
    west, south = table[:, :2].min(axis=0).tolist()
    east, north = table[:, 2:].max(axis=0).tolist()
    return west, south, east, north


def _reach_m(study: Study) -> float:
    """Return how far from its communities anything can count, metres."""
    rules = load_standard(study.standard, catalogue=load_catalogue(study.catalogue), walkers=study.profiles())
    limit_m = search_limit_m(study, rules)
    sloped = study.streets.dem is not None
    return reach_of(study.walker_profiles(), limit_m, sloped=sloped) + 2 * study.join_limit_m
