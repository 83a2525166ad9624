"""Gated estates: their people leave through the gates, or, as a question, over open borders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.coverage import Judged, People
from livingcircle.inside import ways_inside
from livingcircle.joins import Joiner
from livingcircle.reach import City
from livingcircle_layers.cuts import split_edges, with_paths, without_edges
from livingcircle_layers.estates import GIVEN_GATE_REACH_M, Estates
from livingcircle_layers.streets import Streets

INNER_STREET_M = 10.0  # an estate with this much street inside is walked on it; else people go straight to a gate
BORDER_STEP_M = 20.0  # an open border is crossed every 20 m, as an unfenced ground is entered (standards.md 11.3)
GAP_M = 1.0  # a street is interrupted this much where a planner's outline shuts it
ON_STREET_M = 1.0  # an outline this close to a street is traced on it; the border is this far inside (a judgement)
BEHIND_GATE_M = 1.0  # paths made for an estate's people begin this far behind the gate, out of reach from outside
ALONG_M = 5.0  # a wall this close to an outline is the estate's own (as for parks)

Geometries = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def barriers_with(barriers: gpd.GeoDataFrame, estates: Estates, streets: Streets, *, open_: bool) -> Geometries:
    """Return what blocks a connector: outlines of estates with known gates, or with open gates no wall of any estate.

    Parameters
    ----------
    barriers
        ``kind``, ``geometry`` of the OpenStreetMap file.
    estates
        Gated estates.
    streets
        Where an outline is traced on a street, the border is taken from inside it, so that the street is still joined
        from outside and no longer from within.
    open_
        True takes the walls of the estates away; all other barriers stay.
    """
    outline = shapely.boundary(estates.frame.geometry.to_numpy())
    not_there = shapely.boundary(estates.open_outlines)
    if not open_:
        lines = _without_walls(barriers, not_there)
        return np.concatenate([lines, _borders(estates, streets)[estates.frame["gates"].to_numpy() > 0]])
    return _without_walls(barriers, np.concatenate([outline, not_there]))


def _borders(estates: Estates, streets: Streets) -> Geometries:
    """Return the outlines of estates; where one is traced on a street, a line beside that street, open at the gates."""
    outline = shapely.boundary(estates.frame.geometry.to_numpy())
    inner = shapely.boundary(_drawn_in(estates))
    lines = streets.lines[~streets.raised]
    i, j = shapely.STRtree(lines).query(outline, predicate="dwithin", distance=ON_STREET_M)
    traced = shapely.intersection(shapely.buffer(outline[i], ON_STREET_M), lines[j])
    along = shapely.length(traced) > 2 * ALONG_M  # what is shorter only crosses
    borders = outline.copy()
    for e in np.unique(i[along]):
        street = shapely.union_all(traced[along & (i == e)])
        gates = shapely.multipoints(estates.gates.geometry.to_numpy()[estates.gates["estate"].to_numpy() == e])
        beside = shapely.intersection(inner[e], shapely.buffer(street, 4 * ON_STREET_M))
        kept = shapely.difference(outline[e], shapely.buffer(street, 2 * ON_STREET_M))
        borders[e] = shapely.union(kept, shapely.difference(beside, shapely.buffer(gates, ALONG_M)))
    return borders


def _drawn_in(estates: Estates) -> Geometries:
    """Return the grounds of estates without the rim on which streets may have been traced."""
    ground = estates.frame.geometry.to_numpy()
    smaller = shapely.buffer(ground, -ON_STREET_M)
    return np.where(shapely.is_empty(smaller), ground, smaller)


def _without_walls(barriers: gpd.GeoDataFrame, outline: Geometries) -> Geometries:
    """Return all barriers but the walls along some outlines."""
    lines = barriers.geometry.to_numpy()
    wall = np.flatnonzero(barriers["kind"].to_numpy() == "wall")
    kept = lines.copy()
    i, j = shapely.STRtree(outline).query(lines[wall], predicate="dwithin", distance=ALONG_M)
    for k in np.unique(i):
        own = shapely.union_all(shapely.buffer(outline[j[i == k]], ALONG_M))
        kept[wall[k]] = shapely.difference(lines[wall[k]], own)
    return kept[~shapely.is_empty(kept)]


def with_gate_paths(streets: Streets, estates: Estates, barriers: Geometries, *, limit_m: float) -> Streets:
    """Return the streets with the ways through gates that no mapped street passes.

    Where streets inside the estate are mapped, the gate is linked with the nearest one inside and outside. Where none
    are, people walk straight from home to a path from the middle of the estate to its gates, and out. Those links and
    paths are made for the estate's own people: they lead out, so that nobody else takes a way through the estate by
    them, and a place inside that no mapped street leads to serves its people only.

    Parameters
    ----------
    barriers
        What blocks the way: the outlines of estates among it.
    limit_m
        The longest straight way on either side of a gate.
    """
    bare = _without_streets(streets, estates)
    passed = _passed(streets, estates)
    own = bare[estates.gates["estate"].to_numpy()]
    gate_xy = shapely.get_coordinates(estates.gates.geometry.to_numpy())
    linked = _linked(streets, estates, gate_xy[~own & ~passed], barriers, limit_m, way_out=True)
    return _with_stars(linked, estates, own, Joiner(linked, barriers, limit_m=limit_m))


def _passed(streets: Streets, estates: Estates) -> npt.NDArray[np.bool_]:
    """Tell which gates a mapped street passes."""
    gates = estates.gates
    outline = shapely.boundary(estates.frame.geometry.to_numpy())[gates["estate"].to_numpy()]
    near = shapely.intersection(outline, shapely.buffer(gates.geometry.to_numpy(), GIVEN_GATE_REACH_M))
    lines = streets.lines[~streets.raised]
    gate, street = shapely.STRtree(lines).query(near, predicate="intersects")
    # A street that only runs past the gate, or up to it, does not lead in.
    leads_in = shapely.intersects(_drawn_in(estates)[gates["estate"].to_numpy()[gate]], lines[street])
    return np.isin(np.arange(len(gates)), gate[leads_in])


def _with_stars(streets: Streets, estates: Estates, own: npt.NDArray[np.bool_], joiner: Joiner) -> Streets:
    """Add a path from the middle of an estate to each of some gates, and a way out from there to the street."""
    gates = estates.gates[own]
    joins = joiner.join(shapely.get_coordinates(gates.geometry.to_numpy()))
    gates, joins = gates[joins.joined], joins.take(joins.joined)
    if gates.empty:
        return streets
    split, at = split_edges(streets, joins.edge, joins.share)
    gate_xy = shapely.get_coordinates(gates.geometry.to_numpy())
    middle, hub, arms = _arms(estates.frame.geometry.to_numpy(), gates["estate"].to_numpy(), gate_xy)
    # New nodes: the middles, the gates, and the corners of each arm but the last, which is the middle.
    n, k, corners = len(split.node_id), len(gate_xy), np.array([len(arm) - 1 for arm in arms])
    gate = n + len(middle) + np.arange(k)
    corner = n + len(middle) + k + np.arange(corners.sum())
    following = np.append(corner[1:], 0)
    following[np.cumsum(corners) - 1] = n + hub
    return with_paths(
        split,
        np.concatenate([gate, corner[np.cumsum(corners) - corners][:k], corner]),
        np.concatenate([at, gate, following]),
        np.concatenate([middle, gate_xy, *(arm[:-1] for arm in arms)]),
        highway="estate",
        way_out=np.repeat([True, True, False], [k, k, len(corner)]),
    )


def _arms(grounds: Geometries, estate: Ints, gate_xy: Floats) -> tuple[Floats, Ints, list[Floats]]:
    """Return middles of grounds, and ways to them: from just behind each gate, then from inner corners; each one's hub.

    The way is straight where that stays inside, and else the shortest one at a distance from the outline, so that
    nobody outside finds it beside the wall. A part of a ground that hangs on nothing has a middle of its own. Ways from
    inner corners are for homes that do not see the others.
    """
    used, hub = np.unique(estate, return_inverse=True)
    middle = shapely.get_coordinates(shapely.point_on_surface(grounds[used]))
    inward = middle[hub] - gate_xy
    behind = gate_xy + inward * np.minimum(1.0, BEHIND_GATE_M / np.maximum(np.hypot(*inward.T), 1e-9))[:, None]
    arms, bends = list(np.stack([behind, middle[hub]], axis=1)), list[tuple[int, Floats]]()
    floor = shapely.buffer(grounds[used], GAP_M / 100)
    straight = shapely.covers(floor[hub], shapely.linestrings(np.stack([gate_xy, middle[hub]], axis=1)))
    inner = shapely.buffer(grounds[used], -BEHIND_GATE_M, join_style="mitre")
    hollow = shapely.area(shapely.convex_hull(inner)) - shapely.area(inner) > 1.0
    for h in np.flatnonzero(hollow):
        mine = np.flatnonzero((hub == h) & ~straight)
        start = _nearest_in(inner[h], gate_xy[mine])
        ways, around = ways_inside(inner[h], start, middle[h])
        bends += [(int(h), way) for way in around]
        for g, first, way in zip(mine, start, ways, strict=True):
            if way is not None:
                arms[g] = way
            else:
                parts = shapely.get_parts(inner[h])
                part = parts[np.argmin(shapely.distance(parts, shapely.Point(first)))]
                own = shapely.get_coordinates(shapely.point_on_surface(part))[0]
                found, around = ways_inside(part, first, own)
                hub[g] = len(middle)
                middle = np.vstack([middle, own])
                arms[g] = arms[g] if found[0] is None else found[0]
                bends += [(int(hub[g]), further) for further in around]
    return middle, np.append(hub, [h for h, _ in bends]).astype(np.int64), [*arms, *(way for _, way in bends)]


def _nearest_in(ground: shapely.Geometry, xy: Floats) -> Floats:
    """Return the nearest place of a ground to each of some places."""
    return shapely.get_coordinates(shapely.get_point(shapely.shortest_line(ground, shapely.points(xy)), 0))


def inner_place_notes(city: City) -> list[str]:
    """Say how many places only the people of an estate walk to: no mapped street leads from the gates to them."""
    streets = city.network.streets
    way_out = (streets.highway == "estate") & streets.oneway
    # Without the ways out, the streets of an estate that hang on them alone are pieces of their own.
    alone = np.zeros(len(way_out), dtype=bool)
    alone[~way_out] = without_edges(streets, way_out).component > 0
    alone &= streets.component == 0
    joined = city.door_joins.joined
    inside = pd.Series(alone[city.door_joins.edge[joined]]).groupby(city.doors["facility_id"].to_numpy()[joined]).all()
    count = int(inside.sum())
    said = f"places in gated estates that no mapped street leads to, which serve their own people only: {count}"
    return [said] if count else []


def with_open_borders(streets: Streets, estates: Estates, barriers: Geometries, *, limit_m: float) -> Streets:
    """Return the streets with ways across the borders of estates, every 20 m of their outlines.

    Parameters
    ----------
    barriers
        What still blocks the way: everything but the walls of the estates.
    limit_m
        The longest straight way on either side of a border.
    """
    points = _along(shapely.boundary(estates.frame.geometry.to_numpy()))
    return _linked(streets, estates, points, barriers, limit_m, way_out=False)


def _linked(
    streets: Streets, estates: Estates, points: Floats, barriers: Geometries, limit_m: float, *, way_out: bool
) -> Streets:
    """Add straight ways through points on outlines, from the nearest street inside to the nearest one outside.

    A way out is for the estate's people alone: nobody comes in by it, nor joins it between its ends.
    """
    inner = shapely.buffer(estates.frame.geometry.to_numpy(), -ALONG_M)
    within = shapely.STRtree(streets.lines).query(inner, predicate="intersects")[1]
    inside = np.isin(np.arange(len(streets.tail)), within)
    if not len(points) or not inside.any() or inside.all():
        return streets
    to_inner = Joiner(without_edges(streets, ~inside), barriers, limit_m=limit_m).join(points)
    to_outer = Joiner(without_edges(streets, inside), barriers, limit_m=limit_m).join(points)
    both = to_inner.joined & to_outer.joined
    edge = np.concatenate([np.flatnonzero(inside)[to_inner.edge[both]], np.flatnonzero(~inside)[to_outer.edge[both]]])
    split, at = split_edges(streets, edge, np.concatenate([to_inner.share[both], to_outer.share[both]]))
    k = int(both.sum())
    middle = len(split.node_id) + np.arange(k)
    return with_paths(
        split,
        np.concatenate([at[:k], middle]),
        np.concatenate([middle, at[k:]]),
        points[both],
        highway="estate",
        way_out=np.full(2 * k, way_out),
    )


def _along(outlines: Geometries) -> Floats:
    """Return points at most `BORDER_STEP_M` apart along closed outlines."""
    rings = shapely.get_parts(outlines)
    steps = np.maximum(1, np.ceil(shapely.length(rings) / BORDER_STEP_M)).astype(np.int64)
    ring = np.repeat(np.arange(len(rings)), steps)
    step = np.arange(len(ring)) - np.repeat(np.cumsum(steps) - steps, steps)
    return shapely.get_coordinates(shapely.line_interpolate_point(rings[ring], step / steps[ring], normalized=True))


def _without_streets(streets: Streets, estates: Estates) -> npt.NDArray[np.bool_]:
    polygons = estates.frame.geometry.to_numpy()
    inner = shapely.buffer(polygons, -ALONG_M)
    i, j = shapely.STRtree(streets.lines).query(inner, predicate="intersects")
    length = shapely.length(shapely.intersection(inner[i], streets.lines[j]))
    return np.bincount(i, weights=length, minlength=len(polygons)) < INNER_STREET_M


def without_closed_crossings(streets: Streets, estates: Estates) -> Streets:
    """Return the streets interrupted where they pass an estate's outline and the planner says that there is no gate.

    Only estates of a planner's file with known gates close streets; what OpenStreetMap draws through a wall is a way
    through it. Inside and outside the street stays as it is.
    """
    frame, gates = estates.frame, estates.gates
    given = np.flatnonzero((frame["source"] != "osm").to_numpy() & (frame["gates"] > 0).to_numpy())
    outline = shapely.boundary(_drawn_in(estates)[given])
    i, j = shapely.STRtree(streets.lines).query(outline, predicate="crosses")
    crossing, k = shapely.get_parts(shapely.intersection(outline[i], streets.lines[j]), return_index=True)
    i, j = i[k], j[k]
    own = [shapely.multipoints(gates.geometry.to_numpy()[gates["estate"].to_numpy() == e]) for e in given]
    away = shapely.distance(crossing, np.array(own, dtype=object)[i]) > GIVEN_GATE_REACH_M
    shut = away & ~streets.raised[j]
    if not shut.any():
        return streets
    edge, points = j[shut], shapely.centroid(crossing[shut])
    place = shapely.line_locate_point(streets.lines[edge], points)
    ends = np.concatenate([place - GAP_M / 2, place + GAP_M / 2]) / np.tile(streets.length_m[edge], 2)
    cut, _ = split_edges(streets, np.tile(edge, 2), np.clip(ends, 0.0, 1.0))
    which, piece = shapely.STRtree(cut.lines).query(points, predicate="dwithin", distance=GAP_M / 4)
    mine = cut.way_id[piece] == streets.way_id[edge[which]]
    return without_edges(cut, np.isin(np.arange(len(cut.tail)), piece[mine]))


def estate_gains(
    estates: Estates,
    homes: pd.DataFrame,
    people: People,
    respect: Mapping[str, Judged],
    open_: Mapping[str, Judged],
) -> pd.DataFrame:
    """Return how many people of each estate come inside each rule's standard when its gates are opened.

    Parameters
    ----------
    homes
        ``x, y, unit`` of every home.
    respect, open_
        Each rule's verdict per home with gates respected and with open borders.

    Returns
    -------
    pandas.DataFrame
        ``estate_id, name, unit_id, known_gates, rule, people, inside, inside_open, gain``; estates with people only.
    """
    points = shapely.points(homes["x"].to_numpy(), homes["y"].to_numpy())
    home, estate = shapely.STRtree(estates.frame.geometry.to_numpy()).query(points, predicate="within")
    frame = estates.frame
    rows = []
    for rule_id, judged in respect.items():
        count = np.where(people.applies(judged.rule), people.residents(judged.rule), 0)[home]
        table = pd.DataFrame(
            {
                "estate": estate,
                "unit_id": homes["unit"].to_numpy()[home],
                "people": count,
                "inside": np.where(judged.walk[home], count, 0),
                "inside_open": np.where(open_[rule_id].walk[home], count, 0),
            }
        )
        rows.append(table.groupby(["estate", "unit_id"], as_index=False).sum().assign(rule=rule_id))
    table = pd.concat(rows, ignore_index=True)
    table = table.assign(
        estate_id=frame["estate_id"].to_numpy()[table["estate"]],
        name=frame["name"].to_numpy()[table["estate"]],
        known_gates=frame["gates"].to_numpy()[table["estate"]],
        gain=table["inside_open"] - table["inside"],
    )
    columns = ["estate_id", "name", "unit_id", "known_gates", "rule", "people", "inside", "inside_open", "gain"]
    return table[table["people"] > 0].sort_values(["estate_id", "unit_id", "rule"])[columns].reset_index(drop=True)
