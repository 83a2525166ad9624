"""Porto's walking network, alone or tiled side by side, and figures about the machine."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from livingcircle.joins import Joins
from livingcircle_layers.catalogue import load_catalogue
from livingcircle_layers.cuts import split_edges
from livingcircle_layers.osm import OsmExtract, read_osm
from livingcircle_layers.streets import Streets

LIMIT_M = 1250.125  # 1,250 m and a bit: no sum of quarters of a metre lies at it


def porto() -> OsmExtract:
    """Read Porto from the folder that LIVINGCIRCLE_DATA names."""
    return read_osm(Path(os.environ["LIVINGCIRCLE_DATA"]) / "porto" / "porto_portugal.osm.pbf", load_catalogue())


def _inner_vertices(streets: Streets) -> tuple[np.ndarray, np.ndarray]:
    """Return the edge and the share of it of every vertex between the ends of an edge."""
    owner = np.repeat(np.arange(len(streets.tail)), np.diff(streets.offsets))
    step = np.concatenate([[0.0], np.hypot(*np.diff(streets.coords, axis=0).T)])
    step[streets.offsets[:-1]] = 0.0
    along = np.cumsum(step)
    along -= along[streets.offsets[:-1]][owner]
    length = along[streets.offsets[1:] - 1][owner]
    share = np.divide(along, length, out=np.zeros(len(along)), where=length > 0)
    inner = (share > 0) & (share < 1)
    return owner[inner], share[inner]


def dense(streets: Streets) -> tuple[Streets, Joins]:
    """Make every vertex a node, as node-based tools hold the network (303,140 walk nodes for Porto).

    Returns the dense network, and its nodes as positions on the edges between junctions.
    """
    inner_edge, inner_share = _inner_vertices(streets)
    fine, node = split_edges(streets, inner_edge, inner_share)
    edge, at = np.zeros(len(fine.node_id), dtype=np.int64), np.zeros(len(fine.node_id))
    edge[node], at[node] = inner_edge, inner_share
    edge[streets.tail], at[streets.tail] = np.arange(len(streets.tail)), 0.0
    edge[streets.head], at[streets.head] = np.arange(len(streets.tail)), 1.0
    return fine, Joins(edge, at, np.zeros(len(edge)), np.full(len(edge), "", dtype=object))


def snapped(streets: Streets, quarters: int = 4) -> tuple[Streets, Streets, Joins]:
    """Return a network whose pieces are whole quarters of a metre long, so that no tool has anything to round.

    Tools keep lengths as floats, whole millimetres or centimetres; sums of quarters are exact in all of these, and
    no sum lies at a limit that is between two of them (`LIMIT_M`): equal answers can be demanded.

    Returns
    -------
    The network between junctions, the same with every vertex a node, and its nodes as positions on the former.
    """
    fine, at = dense(streets)
    owner = _pieces_of(streets)
    length = np.maximum(1.0, np.rint(fine.length_m * quarters)) / quarters
    before = np.cumsum(length) - length
    first = np.unique(owner, return_index=True)[1]
    total = np.bincount(owner, weights=length, minlength=len(streets.tail))
    share = (before - before[first][owner]) / total[owner]
    edge, place = at.edge.copy(), at.share.copy()
    inner = np.flatnonzero((at.share > 0) & (at.share < 1))
    begins = np.full(len(fine.node_id), -1)
    begins[fine.tail[share > 0]] = np.flatnonzero(share > 0)
    edge[inner], place[inner] = owner[begins[inner]], share[begins[inner]]
    between = replace(streets, length_m=total)
    return between, replace(fine, length_m=length), Joins(edge, place, at.leg_m, at.reason)


def _pieces_of(streets: Streets) -> np.ndarray:
    """Return the edge that each piece of the dense network was cut from: pieces follow one another edge by edge."""
    cuts = np.unique(np.column_stack(_inner_vertices(streets)), axis=0)[:, 0].astype(np.int64)
    return np.repeat(np.arange(len(streets.tail)), 1 + np.bincount(cuts, minlength=len(streets.tail)))


def nodes_alone(streets: Streets) -> np.ndarray:
    """Return the nodes that share their spot with no other: pandana finds the node of a place by its coordinates."""
    _, first, count = np.unique(streets.node_xy.round(2), axis=0, return_index=True, return_counts=True)
    return np.sort(first[count == 1])


def pandana_network(streets: Streets) -> tuple[Any, float]:
    """Return the network as pandana has it, and the seconds to build it."""
    import pandana

    x, y = (pd.Series(values) for values in streets.node_xy.T)
    edges = pd.DataFrame({"from": streets.tail, "to": streets.head, "m": streets.length_m})
    start = time.perf_counter()
    network = pandana.Network(x, y, edges["from"], edges["to"], edges[["m"]], twoway=True)
    return network, time.perf_counter() - start


def at_nodes(streets: Streets) -> Joins:
    """Return every node as a place at an end of one of its edges."""
    edge, share = np.zeros(len(streets.node_id), dtype=np.int64), np.zeros(len(streets.node_id))
    edge[streets.tail], share[streets.tail] = np.arange(len(streets.tail)), 0.0
    edge[streets.head], share[streets.head] = np.arange(len(streets.tail)), 1.0
    return Joins(edge, share, np.zeros(len(edge)), np.full(len(edge), "", dtype=object))


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
