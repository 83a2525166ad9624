"""Rows of estates, catchments and parcels that hold no outline: listed, as every row that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import shapely

from livingcircle.study import Study
from livingcircle_layers.facilities import unplaced_rows
from livingcircle_layers.sources import Source
from livingcircle_layers.vectors import BROKEN, BROKEN_SHAPE, BROKEN_WHY, NO_SHAPE, read_vector

_POINT, _POLYGONS = 0, (3, 6)  # of shapely's types


def lost_shapes(study: Study) -> pd.DataFrame:
    """Return rows of `unplaced.csv` for what the outlines of a study do not use, each row of a file once."""
    rows = [row for source, kinds in _outlines(study) for row in _lost(source, kinds)]
    return unplaced_rows(rows).drop_duplicates(ignore_index=True)


def _outlines(study: Study) -> Iterator[tuple[Source, Sequence[int]]]:
    """Yield the files of outlines that were read, and the kinds of geometry that each may hold."""
    if study.estates and study.estates.rows:
        yield study.estates.rows, (_POINT, *_POLYGONS)
    for part in study.catchments:
        yield part.rows, _POLYGONS
    if study.candidates.table:
        yield study.candidates.table, (_POINT, *_POLYGONS)


def _lost(source: Source, kinds: Sequence[int]) -> Iterator[dict[str, object]]:
    layer = read_vector(source)
    shapes = layer.geometry.to_numpy()
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    broken = set(layer.attrs.get(BROKEN, ()))
    for at in np.flatnonzero(missing | ~np.isin(shapely.get_type_id(shapes), kinds)):
        row, reason, detail = layer.index[at], f"geometry is a {str(layer.geom_type.iloc[at]).lower()}", ""
        if missing[at]:
            reason, detail = (BROKEN_SHAPE, BROKEN_WHY) if row in broken else (NO_SHAPE, "")
        yield {"source": source.label, "row": str(row), "reason": reason, "detail": detail}
