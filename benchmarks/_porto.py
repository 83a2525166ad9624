"""Porto's walking network, alone or tiled side by side, and figures about the machine."""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np

from livingcircle.joins import Joins
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.cuts import split_edges
from livingcircle_layers.osm import OsmExtract, read_osm
from livingcircle_layers.streets import Streets


def porto() -> OsmExtract:
    """Read Porto from the folder that LIVINGCIRCLE_DATA names."""
    return read_osm(Path(os.environ["LIVINGCIRCLE_DATA"]) / "porto" / "porto_portugal.osm.pbf", load_catalogue())


def dense(streets: Streets) -> tuple[Streets, Joins]:
    """Make every vertex a node, as node-based tools hold the network (303,140 walk nodes for Porto).

    Returns the dense network, and its nodes as positions on the edges between junctions.
    """
    owner = np.repeat(np.arange(len(streets.tail)), np.diff(streets.offsets))
    step = np.concatenate([[0.0], np.hypot(*np.diff(streets.coords, axis=0).T)])
    step[streets.offsets[:-1]] = 0.0
    along = np.cumsum(step)
    along -= along[streets.offsets[:-1]][owner]
    length = along[streets.offsets[1:] - 1][owner]
    share = np.divide(along, length, out=np.zeros(len(along)), where=length > 0)
    inner = (share > 0) & (share < 1)
    fine, node = split_edges(streets, owner[inner], share[inner])
    edge, at = np.zeros(len(fine.node_id), dtype=np.int64), np.zeros(len(fine.node_id))
    edge[node], at[node] = owner[inner], share[inner]
    edge[streets.tail], at[streets.tail] = np.arange(len(streets.tail)), 0.0
    edge[streets.head], at[streets.head] = np.arange(len(streets.tail)), 1.0
    return fine, Joins(edge, at, np.zeros(len(edge)), np.full(len(edge), "", dtype=object))


def tiled(streets: Streets, copies: int) -> Streets:
    """Put copies of a network side by side, not connected; ids and coordinates are shifted."""
    n, k = len(streets.node_id), len(streets.coords)
    width = np.ptp(streets.node_xy[:, 0]) + 1000.0
    copy = np.arange(copies)

    def shifted(values: np.ndarray, by: int) -> np.ndarray:
        return (values[None, :] + by * copy[:, None]).ravel()

    def moved(xy: np.ndarray) -> np.ndarray:
        offset = np.column_stack([width * copy, np.zeros(copies)])
        return (xy[None] + offset[:, None]).reshape(-1, 2)

    return replace(
        streets,
        node_id=np.arange(n * copies),
        node_xy=moved(streets.node_xy),
        tail=shifted(streets.tail, n),
        head=shifted(streets.head, n),
        coords=moved(streets.coords),
        offsets=np.concatenate([[0], shifted(streets.offsets[1:], k)]),
        length_m=np.tile(streets.length_m, copies),
        oneway=np.tile(streets.oneway, copies),
        highway=np.tile(streets.highway, copies),
        way_id=shifted(streets.way_id, 10**10),
        raised=np.tile(streets.raised, copies),
        signals=np.tile(streets.signals, copies),
        exits=np.tile(streets.exits, copies),
    )


def machine(*packages: str) -> str:
    """Return processor, cores and versions in one line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":")[1].strip() if names else model
    versions = ", ".join(f"{p} {metadata.version(p)}" for p in ("livingcircle", "numba", "numpy", *packages))
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"
