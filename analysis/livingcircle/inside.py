"""The shortest straight ways that stay inside a ground."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

SIMPLE_M = 0.25  # corners that stand out less than this are none (a judgement)

Floats = npt.NDArray[np.float64]


def way_inside(ground: shapely.Geometry, start: Floats, stop: Floats) -> Floats | None:
    """Return the corners of the shortest way between two places that does not leave a ground, both places included.

    Corners are rounded off by up to half a metre (twice `SIMPLE_M`).

    Parameters
    ----------
    ground
        A polygon, or several, in a metric plane.
    start, stop
        Places in it (x, y).

    Returns
    -------
    Corners (n × 2) from start to stop; None where they lie in parts of the ground that do not hang together.
    """
    floor = shapely.buffer(ground, 2 * SIMPLE_M)
    shapely.prepare(floor)
    corners = np.unique(shapely.get_coordinates(shapely.simplify(ground, SIMPLE_M)), axis=0)
    xy = np.vstack([start, stop, corners])
    a, b = np.triu_indices(len(xy), 1)
    free = shapely.covers(floor, shapely.linestrings(np.stack([xy[a], xy[b]], axis=1)))
    a, b = a[free], b[free]
    graph = coo_array((np.hypot(*(xy[a] - xy[b]).T), (a, b)), shape=(len(xy), len(xy))).tocsr()
    length, before = dijkstra(graph, directed=False, indices=0, return_predecessors=True)
    if not np.isfinite(length[1]):
        return None
    way = [1]
    while way[-1] != 0:
        way.append(int(before[way[-1]]))
    return xy[way[::-1]]
