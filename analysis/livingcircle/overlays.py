"""Units that lie across the communities and may overlap: estates (小区), and areas of the planner's own."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.coverage import Units

WHOLE_SHARE = 0.99  # of an area inside the communities; the rest is slack between two drawings


@dataclass(frozen=True)
class Overlay:
    """Units of one level that are counted by the homes inside each, and never summed.

    Attributes
    ----------
    level
        ``estate`` or ``area``.
    frame
        Index ``unit_id``, ascending; ``unit_name``, ``unit_type``, ``geometry`` in the metric plane.
    within
        Per unit the share of its ground that lies inside the communities; elsewhere nobody is known.
    """

    level: str
    frame: gpd.GeoDataFrame
    within: npt.NDArray[np.float64]

    @classmethod
    def of(cls, level: str, frame: gpd.GeoDataFrame, communities: gpd.GeoDataFrame) -> Overlay:
        """Lay units over the communities, in the same plane."""
        frame = frame.sort_index()
        shapes, ground = frame.geometry.to_numpy(), communities.geometry.to_numpy()
        unit, community = shapely.STRtree(ground).query(shapes, predicate="intersects")
        # The communities around each unit are joined first, as they may overlap.
        near = pd.Series(ground[community]).groupby(unit).agg(lambda parts: shapely.union_all(parts.to_numpy()))
        shared = np.zeros(len(shapes))
        index = near.index.to_numpy(dtype=np.int64)
        shared[index] = shapely.area(shapely.intersection(shapes[index], near.to_numpy()))
        return cls(level, frame, shared / shapely.area(shapes))

    def inside(self) -> Overlay:
        """Return the units that reach into a community at all."""
        some = self.within > 0
        return Overlay(self.level, self.frame[some], self.within[some])

    def notes(self, name: str) -> list[str]:
        """Name the units that reach beyond the communities."""
        beyond = self.within < WHOLE_SHARE
        if not beyond.any():
            return []
        shown = [f"{unit} ({1 - w:.0%})" for unit, w in zip(self.frame.index[beyond], self.within[beyond], strict=True)]
        more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
        return [
            f"{name}: {len(shown)} of {len(self.frame)} areas reach beyond the communities, where nobody is counted: "
            f"{', '.join(shown[:5])}{more}"
        ]

    def levels(self, points: npt.NDArray[np.object_], lost: gpd.GeoSeries, lost_people: pd.Series) -> list[Units]:
        """Return the units with what of some points lies in each, in as many parts as lie over each other.

        Parameters
        ----------
        points
            Homes or places, in the metric plane; one on a border lies in both units.
        lost, lost_people
            Homes that could not be joined to the streets, and their people.
        """
        shapes = self.frame.geometry.to_numpy()
        part = _parts(shapes)
        tree, lost_tree = shapely.STRtree(points), shapely.STRtree(lost.to_numpy())
        found = []
        for k in range(part.max() + 1 if len(part) else 0):
            mine = self.frame[part == k]
            unit, point = tree.query(mine.geometry.to_numpy(), predicate="intersects")
            code = np.full(len(points), -1, dtype=np.int64)
            code[point] = unit
            owner, home = lost_tree.query(mine.geometry.to_numpy(), predicate="intersects")
            not_placed = np.bincount(owner, lost_people.to_numpy()[home], len(mine)).astype(np.int64)
            found.append(
                Units(
                    level=self.level,
                    ids=tuple(mine.index),
                    names=tuple(mine["unit_name"]),
                    types=tuple(mine["unit_type"]),
                    code=code,
                    complete=self.within[part == k] >= WHOLE_SHARE,
                    not_placed=not_placed,
                    part=k,
                )
            )
        return found


def _parts(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
    """Return a part for every unit, so that no two of one part touch: the first free one, in order."""
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    part = np.zeros(len(shapes), dtype=np.int64)
    for unit in range(len(shapes)):
        taken = set(part[second[(first == unit) & (second < unit)]])
        part[unit] = next(k for k in range(len(taken) + 1) if k not in taken)
    return part
