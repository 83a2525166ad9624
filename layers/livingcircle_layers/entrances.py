"""What a planner's list tells of its rows beside their place: where they are entered, and of which row they are a part.

Exports of map services carry both: ``entr_location`` and ``parent``; and they list the gates of a park as rows of their
own, which are no parks, but ways in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from livingcircle_layers.estates import GIVEN_GATE_REACH_M
from livingcircle_layers.names import core_name, same_place_name

ENTRANCE_REACH_M = 300.0  # an entrance further from its place is a slip of the list (a judgement)

# 人民公园(东门), 人民公园-出入口: a way in, as a car park or a ticket office is none.
_GATE = re.compile(
    r"([东南西北正后侧]{1,2}\d?号?门|\d号门|大门|出入口|入口|检票口|(north|south|east|west|main|back)?gate|entrance)$"
)


@dataclass(frozen=True)
class Hints:
    """What lists say of their rows, by ``facility_id``.

    Attributes
    ----------
    entrance
        The point where a row is entered, in the metric plane.
    parent
        The ``facility_id`` of the row of which it is a part; it may stand in no list.
    """

    entrance: Mapping[str, Any] = field(default_factory=dict)
    parent: Mapping[str, str] = field(default_factory=dict)

    def and_(self, other: Hints) -> Hints:
        """Return the hints of two lists."""
        return Hints({**self.entrance, **other.entrance}, {**self.parent, **other.parent})


def ways_in(
    frame: gpd.GeoDataFrame, records: Iterable[Mapping[str, Any]], hints: Hints
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Find the ways into facilities that lists tell.

    Parameters
    ----------
    frame
        The facilities as used: ``facility_id, service, name, ground, geometry`` in a metric plane.
    records
        What was merged and removed; removed parts carry their point as ``at``.
    hints
        What the lists say.

    Returns
    -------
    ``facility_id, geometry``: points, those of grounds on their outline; and what the planner should know. A gate
    counts where it lies within 20 m of the outline of the ground that its list or its name says it belongs to.
    """
    records = list(records)
    into: dict[str, set[str]] = {}
    for record in records:
        if record["action"] == "merged":
            into.setdefault(record["facility_id"], set()).add(record["into"])
    rows: dict[str, list[int]] = {}
    for i, id_ in enumerate(frame["facility_id"].to_numpy(dtype=object)):
        rows.setdefault(id_, []).append(i)
    found: list[tuple[str, Any]] = []
    astray = set[str]()
    for id_, point in hints.entrance.items():
        for place in {id_, *into.get(id_, ())} & rows.keys():
            at = _at_place(frame.iloc[rows[place]], point)
            if at is None:
                astray.add(id_)
            else:
                found.append((place, at))
    outlined = frame[_outlined(frame)]
    for record in records:
        stem = _GATE.sub("", core_name(record["name"]))
        if record["rule"] != "part_of_place" or record.get("at") is None or stem == core_name(record["name"]):
            continue
        parent = record["into"] or hints.parent.get(record["facility_id"], "")
        near = outlined[(outlined["service"] == record["service"]).to_numpy()]
        grounds = _grounds(near, {parent, *into.get(parent, ())}, stem, record["at"])
        found += [(ground["facility_id"], _on_outline(ground["geometry"], record["at"])) for ground in grounds]
    table = gpd.GeoDataFrame(found, columns=["facility_id", "geometry"], geometry="geometry", crs=frame.crs)
    xy = shapely.get_coordinates(table.geometry.to_numpy())
    order = np.lexsort((xy[:, 1], xy[:, 0], table["facility_id"].to_numpy(dtype=str)))
    table = table.iloc[order].drop_duplicates(ignore_index=True)
    note = f"{len(astray)} entrances of lists lie over {ENTRANCE_REACH_M:.0f} m from their place and are not used"
    return table, [note] if astray else []


def _outlined(frame: gpd.GeoDataFrame) -> Any:
    return frame["ground"].to_numpy(dtype=bool) & (shapely.area(frame.geometry.to_numpy()) > 0)


def _at_place(rows: gpd.GeoDataFrame, point: Any) -> Any:
    """Return the entrance of a place, on its outline if it is a ground with one; None where it is not near."""
    outlined = rows.geometry.to_numpy()[_outlined(rows)]
    nearest = outlined[0] if len(outlined) else rows.geometry.iloc[0]
    if shapely.distance(nearest, point) > ENTRANCE_REACH_M:
        return None
    return _on_outline(outlined[0], point) if len(outlined) else point


def _on_outline(ground: Any, point: Any) -> Any:
    return shapely.get_point(shapely.shortest_line(shapely.boundary(ground), point), 0)


def _grounds(near: gpd.GeoDataFrame, parents: Collection[str], stem: str, point: Any) -> list[dict[Any, Any]]:
    """Return the grounds to which a gate belongs: at whose outline it lies, and whose part or namesake it is."""
    at = near[shapely.distance(shapely.boundary(near.geometry.to_numpy()), point) <= GIVEN_GATE_REACH_M]
    named = np.array([same_place_name(stem, core_name(name)) for name in at["name"]], dtype=bool)
    return at[named | at["facility_id"].isin(parents).to_numpy()].to_dict("records")
