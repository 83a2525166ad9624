"""A planner's own street layer: lines with or without node columns, cut where they meet or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle_layers.crs import WGS84, metric_crs
from livingcircle_layers.cuts import split_edges
from livingcircle_layers.datum import Datum, shifted
from livingcircle_layers.errors import InputError
from livingcircle_layers.globe import refuse_off_globe
from livingcircle_layers.headings import find_column, nearest
from livingcircle_layers.noding import cut_where_lines_meet
from livingcircle_layers.sources import Reading, Source, reading_of
from livingcircle_layers.street_lines import TOUCH_M, StreetLines, merge_directions, streets_from_lines
from livingcircle_layers.streets import Streets, walkability
from livingcircle_layers.vectors import attributes_as_text, layer_names, read_vector

STREET_HEADINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "u": ("u", "from_node", "node_from", "fnode", "start_node", "source", "from", "起点", "起点编号", "起节点"),
        "v": ("v", "to_node", "node_to", "tnode", "end_node", "target", "to", "终点", "终点编号", "止节点", "终节点"),
        "highway": ("highway", "fclass", "road_class", "道路类别", "道路类型", "道路等级"),
        "length": ("length", "length_m", "长度", "长度_m", "长度_米", "shape_length", "shape_leng"),
        "raised": ("raised",),
        "bridge": ("bridge", "桥梁"),
        "tunnel": ("tunnel", "隧道"),
        "signals": ("signals", "traffic_signals", "信号灯", "红绿灯"),
        "oneway": ("oneway_foot", "步行单向", "人行单向"),
    }
)
"""For every role of a column its usual headings; a plain `oneway` is for cars and counts only when it is mapped."""

SAME_PLACE_M = 1.0  # ends with one node id that lie further apart are not one node (a judgement)
MISPLACED_SHARE = 0.05  # of the ends may miss their node, or the columns hold something else (a judgement)
MOST_SIGNALS = 100  # on one line; what is more is an id or a length (a judgement)
LENGTH_TOLERANCE = 0.01  # a length column that is off by more is not metres along the line

_CAR_ONEWAY = ("oneway", "单行", "单行线")
_FORWARD = frozenset(("yes", "true", "t", "1", "forward", "ft", "是"))
_BACKWARD = frozenset(("-1", "reverse", "backward", "tf"))
_NO = frozenset(("", "no", "n", "false", "f", "0", "both", "b", "none", "nan", "否", "无"))

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Source:
    """The attributes of a layer as text, which column holds what, and what is to be told about it."""

    name: str
    table: pd.DataFrame
    used: Mapping[str, str]
    mapped: Mapping[str, str]
    notes: list[str]

    def column(self, role: str) -> pd.Series | None:
        """Return the column of a role, None where there is none."""
        return self.table[self.used[role]] if role in self.used else None


@dataclass(frozen=True)
class StreetLayer(Streets):
    """Streets of a planner's own layer.

    Attributes
    ----------
    notes
        What was left out, left alone or not believed: a sentence each.
    reading
        How many rows the layer has and how many of them count.
    """

    notes: tuple[str, ...] = ()
    reading: Reading | None = None


def read_street_layer(
    given: Source | Path | str,
    *,
    crs: CRS | None = None,
    cross: bool = False,
    datum: Datum = "wgs84",
) -> StreetLayer:
    """Read the walking network from a layer of lines.

    Where the layer has node columns (``u`` and ``v``, ``from_node`` and ``to_node``, 起点 and 终点), they tell which
    lines meet. Else lines meet where an end or a vertex of one lies on the other, within 0.01 m; lines that merely
    cross are left alone, since one may be a bridge. Metres are measured along the lines. Streets may be walked both
    ways, whether the layer holds them once or once per direction.

    Parameters
    ----------
    given
        What `read_vector` reads. Its ``columns`` map ``u``, ``v``, ``highway``, ``oneway``, ``length``, ``raised``,
        ``bridge``, ``tunnel``, ``signals`` to headings. Streets are one-way for people on foot only where a mapped
        ``oneway`` says so. ``signals`` is how many crossings with signals a line passes (yes: one), which are taken
        to lie evenly along it.
    crs
        The metric plane; by default one centred on the layer.
    cross
        Without node columns: join lines that merely cross too, except known bridges and tunnels.
    datum
        What its coordinates are in; GCJ-02 and BD-09 are shifted to WGS-84.

    Raises
    ------
    InputError
        The file cannot be read, holds no walkable line, lacks a mapped column, or has lines without a node.
    """
    asked = Source.of(given)
    name, mapped = asked.label, asked.columns
    layer = read_vector(replace(asked, layer=asked.layer or _own_layer(asked)))
    refuse_off_globe(layer, name)
    frame = shifted(layer, datum)
    table = attributes_as_text(frame)
    source = _Source(name, table, _columns(table, mapped, name), mapped, [])
    reading = reading_of(asked, frame, source.used)
    frame, source = _walkable(frame, source)
    plane = crs or metric_crs(frame.to_crs(WGS84).total_bounds.tolist())
    line = shapely.force_2d(frame.to_crs(plane).geometry.to_numpy())
    _compare_lengths(line, source)
    rows, against = _rows(line, source)
    noded = _by_columns(rows, against, source)
    if noded is None:
        noded = _by_geometry(rows.turned(against), source, cross=cross)
    elif cross:
        source.notes.append("crossings were not looked for: node columns tell which lines meet")
    lines, node_id, node_xy = noded
    streets = streets_from_lines(merge_directions(lines), crs=plane, node_id=node_id, node_xy=node_xy)
    streets = _with_signals(streets, line, source)
    return StreetLayer(
        **{f.name: getattr(streets, f.name) for f in fields(Streets)}, notes=tuple(source.notes), reading=reading
    )


def wait_notes(layer: StreetLayer, name: str) -> list[str]:
    """Say so where no waits are counted because a street layer tells of no signals."""
    return [] if layer.signals.any() else [f"{name} tells of no signals: no waits at crossings are counted"]


def _with_signals(streets: Streets, line: npt.NDArray[Any], source: _Source) -> Streets:
    """Return the streets with a node wherever a line passes signals."""
    column = source.column("signals")
    if column is None:
        return streets
    number = pd.to_numeric(column, errors="coerce").fillna((~_is_no(column)).astype(float)).to_numpy(dtype=float)
    wrong = ~((number >= 0) & (number <= MOST_SIGNALS) & (number == np.floor(number)))
    if wrong.any():
        raise InputError(
            f"{source.name}: {source.used['signals']!r} is no number of signals",
            got=", ".join(f"row {row}: {cell}" for row, cell in column[wrong].iloc[:5].items()),
            expected=f"how many crossings with signals the line passes (0 to {MOST_SIGNALS}), or yes or no",
            remedy="correct the cells, or map another column: columns = {signals = …}",
        )
    count = number.astype(np.int64)
    row = np.repeat(np.arange(len(count)), count)
    place = (np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + 0.5) / count[row]
    points = shapely.line_interpolate_point(shapely.get_geometry(line[row], 0), place, normalized=True)
    (at, edge) = shapely.STRtree(streets.lines).query_nearest(points, max_distance=SAME_PLACE_M, all_matches=False)
    # A street that the layer holds once per direction has its signals once.
    once = np.unique(np.round(shapely.get_coordinates(points[at]), 1), axis=0, return_index=True)[1]
    at, edge = at[once], edge[once]
    share = shapely.line_locate_point(streets.lines[edge], points[at], normalized=True)
    cut, node = split_edges(streets, edge, share)
    return replace(cut, signals=cut.signals | np.isin(np.arange(len(cut.node_id)), node))


def _own_layer(source: Source) -> str | None:
    """Return the layer `edges` of a GeoPackage that `livingcircle streets` wrote, so that a mended file can be used."""
    return "edges" if {"edges", "nodes"} <= set(layer_names(source)) else None


def _columns(table: pd.DataFrame, columns: Mapping[str, str], name: str) -> dict[str, str]:
    """Find the column of each role; what the planner maps wins."""
    present = [str(heading) for heading in table.columns]
    faults = []
    for role, heading in columns.items():
        if role not in STREET_HEADINGS:
            faults.append(f"{name}: `columns` cannot map {role!r}{nearest(role, list(STREET_HEADINGS))}")
        elif heading not in present:
            faults.append(f"{name} has no column {heading!r} for {role}{nearest(heading, present)}")
    for one, other in (("u", "v"), ("v", "u")):
        if one in columns and other not in columns and find_column(present, STREET_HEADINGS[other]) is None:
            faults.append(f"{name}: `columns` maps {one} but there is no column for {other}")
    if faults:
        raise InputError.of(faults)
    used = dict(columns)
    for role, headings in STREET_HEADINGS.items():
        found = find_column([h for h in present if h not in used.values()], headings)
        if role not in used and found is not None:
            used[role] = found
    return used


def _walkable(frame: gpd.GeoDataFrame, source: _Source) -> tuple[gpd.GeoDataFrame, _Source]:
    """Leave out rows that are no line, or a line that nobody walks along; say how many."""
    geometry = frame.geometry.to_numpy()
    missing = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    is_line = np.isin(shapely.get_type_id(geometry), (1, 5))
    finite = np.isfinite(shapely.bounds(geometry)).all(axis=1)
    degenerate = is_line & ~missing & (~finite | (np.nan_to_num(shapely.length(geometry)) == 0))
    u, v, highway = (source.column(role) for role in ("u", "v", "highway"))
    if u is not None and v is not None:
        # A line without length between two nodes still joins them, such as a lift.
        degenerate &= ~finite | (u == v).to_numpy()
    walked = np.ones(len(frame), dtype=bool)
    if highway is not None:
        value = highway.str.lower()
        closed = [v for v in value.unique() if v and walkability({"highway": v}) == "no"]
        walked = ~value.isin(closed).to_numpy()
    for lost, reason in (
        (missing, "no geometry"),
        (~missing & ~is_line, "no line"),
        (degenerate, "a line without length or with impossible coordinates"),
        (is_line & ~missing & ~degenerate & ~walked, "no street for people on foot"),
    ):
        if lost.any():
            source.notes.append(f"{int(lost.sum())} of {len(frame)} rows left out: {reason}")
    keep = is_line & ~missing & ~degenerate & walked
    if not keep.any():
        raise _no_street(source)
    return frame[keep], replace(source, table=source.table[keep])


def _no_street(source: _Source) -> InputError:
    return InputError(f"{source.name} holds no walkable line", got="; ".join(source.notes), expected="streets as lines")


def _is_no(text: pd.Series) -> pd.Series:
    return text.str.lower().isin(_NO)


def _rows(line: npt.NDArray[Any], source: _Source) -> tuple[StreetLines, Bools]:
    """Return the rows as lines whose nodes are not known yet, and which of them are one-way against the line."""
    rows = len(source.table)
    raised = np.zeros(rows, dtype=bool)
    for role in ("raised", "bridge", "tunnel"):
        value = source.column(role)
        if value is not None:
            raised |= (~_is_no(value) & (value != "building_passage")).to_numpy()
    forward, backward = _oneway(source)
    highway = source.column("highway")
    kind = np.full(rows, "", dtype=object) if highway is None else highway.to_numpy(dtype=object)
    unknown = np.full(rows, -1)
    row_number = source.table.index.to_numpy(dtype=np.int64)
    return StreetLines(line, unknown, unknown, forward | backward, kind, row_number, raised), backward


def _oneway(source: _Source) -> tuple[Bools, Bools]:
    """Tell which rows bind people on foot to the direction of the line, and which to the opposite one."""
    column = source.column("oneway")
    if column is None:
        car = find_column(source.table, _CAR_ONEWAY)
        if car is not None and not _is_no(_directions(source.table[car])).all():
            source.notes.append(f"{car} is taken to bind cars only; map it as `oneway` if it binds people on foot")
        return np.zeros(len(source.table), dtype=bool), np.zeros(len(source.table), dtype=bool)
    value = _directions(column)
    forward, backward = value.isin(_FORWARD), value.isin(_BACKWARD)
    strange = value[~(forward | backward | value.isin(_NO))].unique()
    if len(strange):
        raise InputError(
            f"{source.name}: the column {source.used['oneway']!r} does not say which way people may walk",
            got=", ".join(map(repr, strange[:5])),
            expected="yes, -1 (against the line), no or nothing",
        )
    return forward.to_numpy(), backward.to_numpy()


def _directions(column: pd.Series) -> pd.Series:
    value = column.str.lower()
    if (value == "b").any():  # Geofabrik's shapefiles say F (forward), T (against) and B (both)
        value = value.replace({"f": "forward", "t": "backward"})
    return value


def _compare_lengths(line: npt.NDArray[Any], source: _Source) -> None:
    """Tell how far a length column is from the lines; metres come from the lines either way."""
    column = source.column("length")
    if column is None:
        return
    given = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    metres = shapely.length(line)
    off = int((~(np.abs(given - metres) <= np.maximum(LENGTH_TOLERANCE * metres, TOUCH_M))).sum())
    if off:
        source.notes.append(
            f"{source.used['length']} differs from the line by more than {LENGTH_TOLERANCE:.0%} in {off} of"
            f" {len(column)} rows (sum {np.nansum(given):.0f}, along the lines {metres.sum():.0f} m): the lines count"
        )


Nodes = tuple[StreetLines, Ints, Floats]


def _by_columns(rows: StreetLines, against: Bools, source: _Source) -> Nodes | None:
    """Join the rows by their node columns; None where there are none, or where they hold something else."""
    first, last = source.column("u"), source.column("v")
    if first is None or last is None:
        return None
    u, v = first.to_numpy(dtype=object), last.to_numpy(dtype=object)
    whole, line = _single(rows.line)
    node, position = np.unique(np.concatenate([u, v]), return_inverse=True)
    lines = replace(rows, line=line, tail=position[: len(u)], head=position[len(u) :])
    lines, node_xy, gap = _fitted(lines.take(whole), len(node))
    misplaced = float((gap > SAME_PLACE_M).mean()) if len(gap) else 1.0
    heads = f"{source.used['u']} and {source.used['v']}"
    if misplaced > MISPLACED_SHARE and not {"u", "v"} & source.mapped.keys():
        source.notes.append(
            f"{heads} are no node ids ({misplaced:.0%} of line ends lie elsewhere): lines are joined where they meet"
        )
        return None
    blank = np.flatnonzero((u == "") | (v == ""))
    if len(blank):
        raise InputError(
            f"{source.name}: {len(blank)} lines lack a node in {heads}",
            got=f"the first is row {rows.way_id[blank[0]]}",
            expected="a node at both ends of every line",
            remedy="fill them, or delete both columns so that lines are joined where they meet",
        )
    if not whole.all():
        source.notes.append(f"{int((~whole).sum())} of {len(u)} rows left out: one edge in several pieces")
    if (gap > TOUCH_M).any():
        source.notes.append(f"{int((gap > TOUCH_M).sum())} line ends lie off their node, by up to {gap.max():.2f} m")
    return lines.turned(against[whole]), _numbered(node), node_xy


def _single(line: npt.NDArray[Any]) -> tuple[Bools, npt.NDArray[Any]]:
    """Return each row's one line, and False for rows whose pieces do not form one."""
    merged = shapely.line_merge(line)
    single = np.where(shapely.get_num_geometries(line) == 1, shapely.get_geometry(line, 0), merged)
    return shapely.get_type_id(single) == 1, single


def _numbered(node: npt.NDArray[Any]) -> Ints:
    """Return node ids as numbers: as they are where all are whole numbers, else counted from 1."""
    number = pd.to_numeric(pd.Series(node, dtype="str"), errors="coerce")
    whole = number.notna() & (number.abs() < 2**63) & pd.Series(node, dtype="str").str.fullmatch(r"[+-]?\d+")
    if whole.all():
        ids = np.array([int(n) for n in node], dtype=np.int64)
        if len(np.unique(ids)) == len(ids):
            return ids
    return np.arange(1, len(node) + 1)


def _fitted(lines: StreetLines, nodes: int) -> tuple[StreetLines, Floats, Floats]:
    """Turn the lines that were drawn from head to tail; return each node's place and how far line ends miss theirs."""
    place, gap = _node_places(lines, nodes)
    if (gap > TOUCH_M).any():
        against = _drawn_against(lines, nodes)
        line = np.where(against, shapely.reverse(lines.line), lines.line)
        lines = replace(lines, line=line)
        place, gap = _node_places(lines, nodes)
    return lines, place, gap


def _node_places(lines: StreetLines, nodes: int) -> tuple[Floats, Floats]:
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(lines.line, k)) for k in (0, -1)])
    node = np.concatenate([lines.tail, lines.head])
    frame = pd.DataFrame({"node": node, "x": ends[:, 0], "y": ends[:, 1]})
    place = frame.groupby("node")[["x", "y"]].median().reindex(np.arange(nodes)).to_numpy()
    return place, _gap(ends, place[node])


def _drawn_against(lines: StreetLines, nodes: int) -> Bools:
    """Tell which lines run from head to tail: a node lies where most of its lines have an end, whichever end it is."""
    pair = np.column_stack([np.minimum(lines.tail, lines.head), np.maximum(lines.tail, lines.head)])
    once = np.unique(pair, axis=0, return_index=True)[1]
    ends = [np.round(shapely.get_coordinates(shapely.get_point(lines.line, k)), 2) for k in (0, -1)]
    seen = pd.DataFrame(
        np.concatenate([np.column_stack([node[once], end[once]]) for node in (lines.tail, lines.head) for end in ends]),
        columns=["node", "x", "y"],
    )
    votes = seen.groupby(["node", "x", "y"]).size().reset_index(name="n").sort_values(["node", "n"], kind="stable")
    beaten = (votes["node"] != votes["node"].shift()) | (votes["n"] > votes["n"].shift())
    best = votes.assign(sure=beaten).drop_duplicates("node", keep="last")
    best = best[best["sure"]]
    place = np.full((nodes, 2), np.nan)
    place[best["node"].astype(np.int64)] = best[["x", "y"]]
    straight = np.fmin(_gap(ends[0], place[lines.tail]), _gap(ends[1], place[lines.head]))
    turned = np.fmin(_gap(ends[1], place[lines.tail]), _gap(ends[0], place[lines.head]))
    return np.nan_to_num(turned, nan=np.inf) < np.nan_to_num(straight, nan=np.inf)


def _gap(a: Floats, b: Floats) -> Floats:
    return np.hypot(*(a - b).T)


def _by_geometry(rows: StreetLines, source: _Source, *, cross: bool) -> Nodes:
    """Join the rows where their lines meet."""
    part, row = shapely.get_parts(rows.line, return_index=True)
    part = shapely.remove_repeated_points(part, TOUCH_M)
    long_enough = shapely.length(part) > TOUCH_M
    if not long_enough.all():
        source.notes.append(f"{int((~long_enough).sum())} lines shorter than {TOUCH_M} m left out")
    if not long_enough.any():
        raise _no_street(source)
    # A street drawn twice would be cut at every vertex of its double.
    lines = merge_directions(replace(rows.take(row[long_enough]), line=part[long_enough]))
    noded = cut_where_lines_meet(lines.line, lines.raised, cross=cross)
    if noded.crossings:
        source.notes.append(
            f"{noded.crossings} crossings of lines without a vertex there were "
            + ("joined, unmarked bridges too" if cross else "left alone: `node_crossings = true` joins them")
        )
    pieces = replace(lines.take(noded.source), line=noded.piece, tail=noded.tail, head=noded.head)
    return pieces, np.arange(1, len(noded.node_xy) + 1), noded.node_xy
