"""Write what a server sent as an OpenStreetMap file that every reader takes."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import osmium
import osmium.osm.mutable as made

from livingcircle_layers.boxes import Box

Elements = Mapping[str, Mapping[int, Mapping[str, Any]]]

_AREAS = ("multipolygon", "boundary")  # the relations that the reader makes something of


@contextmanager
def osm_file(path: Path, header: Any, form: str = "") -> Iterator[Any]:
    """Give a writer of an OpenStreetMap file, which replaces one that is there.

    Parameters
    ----------
    form
        As pyosmium calls the format, such as ``osm.pbf``; by default as the name of the file ends.

    Raises
    ------
    OSError
        The disk is full, for example; pyosmium says so in a text alone.
    """
    writer = osmium.SimpleWriter(osmium.io.File(str(path), form), header=header, overwrite=True)
    try:
        yield writer
        writer.close()
    except RuntimeError as fault:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(writer))  # freed after a fault, it aborts the whole program
        code = next((code for code in errno.errorcode if os.strerror(code) in str(fault)), errno.EIO)
        raise OSError(code, os.strerror(code), str(path)) from fault


def write_osm(elements: Elements, path: Path, *, box: Box, date: str) -> None:
    """Write nodes, ways and relations, each by ascending id, with the box and the date in the header.

    What lies wholly outside the box is left out: a server sends a river to its mouth with the piece that was asked for.

    Parameters
    ----------
    elements
        By kind and id, as Overpass writes them in JSON.
    path
        ``.osm.pbf`` or ``.osm``.
    """
    nodes, ways, relations = _within(elements, box)
    header = osmium.io.Header()
    west, south, east, north = box
    header.add_box(osmium.osm.Box(west, south, east, north))
    header.set("generator", "livingcircle")
    if date:
        header.set("osmosis_replication_timestamp", f"{date}T00:00:00Z")
    with osm_file(path, header) as out:
        for i, node in sorted(nodes.items()):
            out.add_node(made.Node(id=i, version=1, location=(node["lon"], node["lat"]), tags=node.get("tags", {})))
        for i, way in sorted(ways.items()):
            out.add_way(made.Way(id=i, version=1, nodes=way["nodes"], tags=way.get("tags", {})))
        for i, relation in sorted(relations.items()):
            members = [(m["type"][0], m["ref"], m["role"]) for m in relation["members"]]
            out.add_relation(made.Relation(id=i, version=1, members=members, tags=relation.get("tags", {})))


def _within(elements: Elements, box: Box) -> tuple[dict[int, Any], dict[int, Any], dict[int, Any]]:
    """Return the areas, the ways in the box or of an area, and the nodes in the box or of a way."""
    west, south, east, north = box
    nodes = elements["node"]
    relations = {i: r for i, r in elements["relation"].items() if r.get("tags", {}).get("type") in _AREAS}
    of_areas = {m["ref"] for r in relations.values() for m in r["members"] if m["type"] == "way"}

    def meets(way: Mapping[str, Any]) -> bool:
        known = [nodes[n] for n in way["nodes"] if n in nodes]
        lon, lat = [n["lon"] for n in known], [n["lat"] for n in known]
        return bool(known) and max(lon) >= west and min(lon) <= east and max(lat) >= south and min(lat) <= north

    ways = {i: w for i, w in elements["way"].items() if i in of_areas or meets(w)}
    used = {n for way in ways.values() for n in way["nodes"]}
    inside = {i: n for i, n in nodes.items() if i in used or (west <= n["lon"] <= east and south <= n["lat"] <= north)}
    return inside, ways, relations
