"""Cut a box out of a large OpenStreetMap file, in memory that grows with what is kept and not with the file.

Ids of what is kept are held in sorted arrays, 8 bytes each. (The id sets of the libraries are bit fields over all ids
there are, 1.7 GB for the scattered nodes of one city.) The file is read once for its nodes, once for its ways, once for
its relations, again for the ways of areas that reach over the border, and once to write.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import osmium

from livingcircle_layers.errors import InputError
from livingcircle_layers.osm import header_box, header_date, readable
from livingcircle_layers.osm_writer import osm_file

Box = tuple[float, float, float, float]
Ids = npt.NDArray[np.int64]
Stage = Callable[[str, str], AbstractContextManager[None]]

AREAS = ("multipolygon", "boundary")  # the relations that the reader makes something of
WIDE_BORDERS = ("1", "2", "3", "4")  # of countries and provinces: nobody's park, and they would draw in half the file
_WAYS_AT_ONCE = 50_000
_UNIT = 10_000_000  # OpenStreetMap's coordinates are whole ten-millionths of a degree
_FAR = 2**31 - 1  # what a node without a place has for both of them


@dataclass(frozen=True)
class Kept:
    """What was kept of a file.

    Attributes
    ----------
    box
        What the new file says of its extent: the box that was asked for, as far as the file went.
    nodes, ways, relations
        How many were kept.
    nodes_read, ways_read, relations_read
        How many there were.
    """

    box: Box
    nodes: int
    ways: int
    relations: int
    nodes_read: int
    ways_read: int
    relations_read: int


def cut_osm(source: Path, target: Path, box: Box, *, stage: Stage) -> Kept:
    """Write what lies in a box: its nodes, every way with a node in it, whole, and the areas of such ways, whole.

    Relations that are no areas (routes, turn restrictions) and the borders of countries and provinces are left out; so
    is an area that goes all around the box without a node in it.

    Parameters
    ----------
    source
        Ordered by type and id, as every published extract is.
    target
        Written as ``.osm.pbf``, ordered; it must not be the source.
    box
        West, south, east, north in degrees.
    stage
        Called with a short name and a sentence; what is done in the context it gives is that stage.

    Raises
    ------
    InputError
        The source is damaged or not ordered, or nothing of it lies in the box.
    """
    with readable(source):
        with stage("cut_nodes", "looking for the nodes in the box"):
            inside, nodes_read = _nodes_inside(source, box)
            extent = header_box(source) or _extent(source)
        if not len(inside) or extent is None:
            raise InputError(
                f"nothing of {source.name} lies in the box",
                got=_shown(box),
                expected=f"a box within {_shown(extent)}" if extent else "a file with nodes",
                remedy="check the area and that the file is of the right country",
            )
        with stage("cut_ways", "looking for the ways that meet it"):
            ways, refs, ways_read = _ways_meeting(source, inside)
        with stage("cut_areas", "looking for areas, and for what they need beyond the border"):
            relations, members, relations_read = _relations_meeting(source, ways)
            missing = np.setdiff1d(members, ways)
            found, more = _refs_of(source, missing)
    ways = np.union1d(ways, found)
    nodes = np.union1d(inside, np.concatenate([refs, more]))
    with stage("cut_write", "writing the extract"):  # faults are those of the disk: the source has been read already
        covered = _common(box, extent)
        written = _write(source, target, covered, (nodes, ways, relations))
    return Kept(covered, *written, nodes_read, ways_read, relations_read)


def _in_order(source: Path, kind: Any) -> Iterator[Any]:
    """Yield the objects of one kind, whose ids must ascend."""
    last = -(2**63)
    for item in osmium.FileProcessor(str(source), kind):
        if item.id <= last:
            raise _unordered(source, item.id, last)
        last = item.id
        yield item


def _unordered(source: Path, here: int, last: int) -> InputError:
    return InputError(
        f"{source.name} is not ordered by id",
        got=f"{here} after {last}",
        expected="a file ordered by type and id, each object once",
        remedy=f"order it first: osmium sort {source.name} -o ordered.osm.pbf",
    )


def _nodes_inside(source: Path, box: Box) -> tuple[Ids, int]:
    """Return the nodes in a box, and how many there are."""
    west, south, east, north = (round(side * _UNIT) for side in box)
    ids, read, last = array("q"), 0, -(2**63)
    node: Any
    for node in osmium.FileProcessor(str(source), osmium.osm.NODE):  # most of the time is spent in this loop
        here, at = node.id, node.location
        if here <= last:
            raise _unordered(source, here, last)
        last = here
        read += 1
        if west <= at.x <= east and south <= at.y <= north:  # a node without a place is far outside
            ids.append(here)
    return np.frombuffer(ids, dtype=np.int64), read


def _extent(source: Path) -> Box | None:
    """Return the box of all nodes, None without any."""
    low_x, low_y, high_x, high_y = _FAR, _FAR, -_FAR, -_FAR
    node: Any
    for node in osmium.FileProcessor(str(source), osmium.osm.NODE):
        if node.location.valid():
            x, y = node.location.x, node.location.y
            low_x, high_x, low_y, high_y = min(low_x, x), max(high_x, x), min(low_y, y), max(high_y, y)
    return None if low_x == _FAR else (low_x / _UNIT, low_y / _UNIT, high_x / _UNIT, high_y / _UNIT)


def _ways_meeting(source: Path, inside: Ids) -> tuple[Ids, Ids, int]:
    """Return the ways that have one of some nodes, all their nodes, and how many ways there are."""
    kept, needed, read = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)], 0
    for ids, sizes, refs in _ways_in_batches(source):
        read += len(ids)
        meets = np.zeros(len(ids), dtype=bool)
        of_way = np.repeat(np.arange(len(ids)), sizes)
        meets[of_way[_among(refs, inside)]] = True
        kept.append(ids[meets])
        needed.append(np.unique(refs[meets[of_way]]))
    return np.concatenate(kept), np.unique(np.concatenate(needed)), read


def _ways_in_batches(source: Path) -> Iterator[tuple[Ids, Ids, Ids]]:
    """Yield the ids of many ways, how many nodes each has, and their nodes."""
    ids, sizes, refs = array("q"), array("q"), array("q")
    for way in _in_order(source, osmium.osm.WAY):
        ids.append(way.id)
        sizes.append(len(way.nodes))
        refs.extend([node.ref for node in way.nodes])
        if len(ids) == _WAYS_AT_ONCE:
            yield _arrays(ids, sizes, refs)
            ids, sizes, refs = array("q"), array("q"), array("q")
    yield _arrays(ids, sizes, refs)


def _arrays(*columns: array[int]) -> tuple[Ids, Ids, Ids]:
    first, second, third = (np.array(column, dtype=np.int64) for column in columns)
    return first, second, third


def _among(values: Ids, ids: Ids) -> npt.NDArray[np.bool_]:
    """Tell which values are among sorted ids."""
    if not len(ids):
        return np.zeros(len(values), dtype=bool)
    at = np.searchsorted(ids, values)
    at[at == len(ids)] = 0
    found: npt.NDArray[np.bool_] = ids[at] == values
    return found


def _relations_meeting(source: Path, ways: Ids) -> tuple[Ids, Ids, int]:
    """Return the areas that have one of some ways, all ways that they are made of, and how many relations there are."""
    kept, members, read = array("q"), array("q"), 0
    for relation in _in_order(source, osmium.osm.RELATION):
        read += 1
        tags = relation.tags
        if tags.get("type") not in AREAS:
            continue
        if tags.get("boundary") == "administrative" and tags.get("admin_level") in WIDE_BORDERS:
            continue
        of_it = [member.ref for member in relation.members if member.type == "w"]
        if _among(np.array(of_it, dtype=np.int64), ways).any():
            kept.append(relation.id)
            members.extend(of_it)
    return np.array(kept, dtype=np.int64), np.unique(np.array(members, dtype=np.int64)), read


def _refs_of(source: Path, wanted: Ids) -> tuple[Ids, Ids]:
    """Return which of some ways are in the file, and their nodes."""
    found, refs = array("q"), array("q")
    if len(wanted):
        for way in _chosen(_in_order(source, osmium.osm.WAY), wanted):
            found.append(way.id)
            refs.extend([node.ref for node in way.nodes])
    return np.array(found, dtype=np.int64), np.array(refs, dtype=np.int64)


def _chosen(items: Iterator[Any], ids: Ids) -> Iterator[Any]:
    """Yield the items of some ids; both ascend."""
    following = iter(ids.tolist())
    wanted = next(following, None)
    for item in items:
        while wanted is not None and wanted < item.id:  # named by a way, and not in the file
            wanted = next(following, None)
        if wanted is None:
            return
        if item.id == wanted:
            yield item


def _write(source: Path, target: Path, box: Box, ids: tuple[Ids, Ids, Ids]) -> tuple[int, int, int]:
    """Write what is kept, by type and id; return how many of each."""
    header = osmium.io.Header()
    header.add_box(osmium.osm.Box(*box))
    header.set("generator", "livingcircle")
    header.set("sorting", "Type_then_ID")
    if date := header_date(source):
        header.set("osmosis_replication_timestamp", f"{date}T00:00:00Z")
    counts = []
    with osm_file(target, header, "osm.pbf") as writer:
        for kind, wanted in zip((osmium.osm.NODE, osmium.osm.WAY, osmium.osm.RELATION), ids, strict=True):
            number = 0
            for number, item in enumerate(_chosen(_in_order(source, kind), wanted), start=1):  # noqa: B007
                writer.add(item)
            counts.append(number)
    nodes, ways, relations = counts
    return nodes, ways, relations


def _common(box: Box, other: Box) -> Box:
    """Return what two boxes have in common."""
    return max(box[0], other[0]), max(box[1], other[1]), min(box[2], other[2]), min(box[3], other[3])


def _shown(box: Box) -> str:
    return ",".join(f"{side:.4f}" for side in box)
