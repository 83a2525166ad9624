"""The shortest straight ways that stay inside a ground."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

SIMPLE_M = 0.25  # corners that stand out less than this are none (a judgement)

Floats = npt.NDArray[np.float64]


def ways_inside(ground: shapely.Geometry, starts: Floats, stop: Floats) -> tuple[list[Floats | None], list[Floats]]:
    """Return the shortest ways from some places to another one that do not leave a ground.

    Corners are rounded off by up to half a metre (twice `SIMPLE_M`).

    Parameters
    ----------
    ground
        A polygon, or several, in a metric plane.
    starts, stop
        Places in it (n × 2; x, y).

    Returns
    -------
    ways
        The corners of each way (n × 2), both places included; None where they lie in parts of the ground that do not
        hang together.
    bends
        The ways from all corners around which other corners are reached, and from those of holes: every place of the
        ground from which the stop is out of sight sees one of them.
    """
    floor = shapely.buffer(ground, 2 * SIMPLE_M)
    shapely.prepare(floor)
    parts = shapely.get_parts(shapely.simplify(ground, SIMPLE_M))
    outer = shapely.get_coordinates(shapely.get_exterior_ring(parts))
    holes = shapely.get_coordinates([hole for part in parts for hole in part.interiors])
    starts = starts.reshape(-1, 2)
    xy = np.vstack([stop, starts, outer, holes])
    a, b = np.triu_indices(len(xy), 1)
    free = shapely.covers(floor, shapely.linestrings(np.stack([xy[a], xy[b]], axis=1)))
    a, b = a[free], b[free]
    graph = coo_array((np.hypot(*(xy[a] - xy[b]).T), (a, b)), shape=(len(xy), len(xy))).tocsr()
    length, before = dijkstra(graph, directed=False, indices=0, return_predecessors=True)

    def way(at: int) -> Floats:
        found = [at]
        while found[-1] != 0:
            found.append(int(before[found[-1]]))
        return xy[found]

    own = range(1, len(starts) + 1)
    behind = np.arange(len(xy) - len(holes), len(xy))  # nothing but open ground may lie behind a hole
    bends = np.union1d(before[before > len(starts)], behind[np.isfinite(length[behind])])
    return [way(i) if np.isfinite(length[i]) else None for i in own], [way(int(i)) for i in bends]
