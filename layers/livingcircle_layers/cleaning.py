"""One place, one facility: what several lists hold of a place is merged, what is only a part of a place is removed.

Every merge and removal is a record, and the planner may overrule each of them by the id of its row.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle_layers.errors import InputError
from livingcircle_layers.grounds import alike_within
from livingcircle_layers.headings import nearest
from livingcircle_layers.names import core_name, core_names, same_place_name

SAME_GROUND_M = 300.0  # two lists know a ground by its gate, its middle or its office (a judgement)
SAME_POINT_M = 50.0  # two lists put a shop or a stop this near to each other (a judgement)
TWICE_GROUND_M = 100.0  # a list that names a ground twice this near means one (a judgement)
TWICE_POINT_M = 10.0  # … a shop or a stop; those of a chain stand further apart (a judgement)
INNER_M = 500.0  # a building is a part of the place of its name within this distance (a judgement)

CHANGE_COLUMNS = (
    "facility_id", "source", "name", "service", "action", "into", "distance_m", "rule", "detail",
)  # fmt: skip

# Buildings and grounds inside a school or hospital that map services list beside it: 成都西川中学-教学楼.
_INNER = re.compile(
    r"(.{4,}?)(第?[一二三四五六七八九十\d]*号?(教学楼|实验楼|综合楼|办公楼|行政楼|图书馆|体育馆|运动场|操场|食堂|宿舍楼?)"
    r"|门诊(部|楼|大楼)|住院(部|楼|大楼)|急诊科?(中心)?|体检中心|[东南西北正后侧]\d?号?门|售票处|游客中心)"
)

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Override:
    """What the planner says of one row, whatever the cleaning makes of it.

    Attributes
    ----------
    id
        The ``facility_id`` of the row, as `facility_changes.csv` and `facilities.gpkg` have it.
    keep
        True: it is a facility of its own, neither merged nor removed. False: it is none.
    """

    id: str
    keep: bool


def kept_ids(overrides: Iterable[Override]) -> frozenset[str]:
    """Return the rows that the planner keeps."""
    return frozenset(o.id for o in overrides if o.keep)


def change(row: Mapping[str, Any], action: str, rule: str, detail: str, **more: Any) -> dict[str, Any]:
    """Return a record of `facility_changes.csv`; what does not apply stays empty."""
    empty = {"into": "", "distance_m": np.nan}
    own = {key: row[key] for key in ("facility_id", "source", "name", "service")}
    return {**empty, **own, "action": action, "rule": rule, "detail": detail, **more}


def changes_table(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the records in the order of source, service and id."""
    table = pd.DataFrame(list(records), columns=list(CHANGE_COLUMNS))
    texts = [c for c in CHANGE_COLUMNS if c != "distance_m"]
    table = table.astype({**dict.fromkeys(texts, "str"), "distance_m": "float64"})
    order = ["source", "service", "facility_id", "action", "into"]
    return table.sort_values(order, kind="stable").drop_duplicates(ignore_index=True)


def overruled(
    frame: gpd.GeoDataFrame, overrides: Sequence[Override], known: Iterable[str]
) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    """Take out what the planner says is no facility, and record what she keeps.

    Parameters
    ----------
    frame
        The facilities, those among them that are kept on her word.
    known
        Ids of all rows that were read, refused ones too.

    Raises
    ------
    InputError
        An id does not exist, or is named twice.
    """
    ids = [o.id for o in overrides]
    read = {*known, *frame["facility_id"].to_numpy(dtype=object)}
    faults = [
        f"[[facility_override]]: there is no facility {i!r}{nearest(i, sorted(read))}" for i in ids if i not in read
    ]
    faults += [f"[[facility_override]]: {i!r} is named twice" for i in sorted(set(ids)) if ids.count(i) > 1]
    if faults:
        raise InputError.of(faults)
    out = frame["facility_id"].isin([o.id for o in overrides if not o.keep])
    kept = frame["facility_id"].isin(kept_ids(overrides))
    records = [change(r, "removed", "override", "the study says that it is none") for r in _rows(frame[out])]
    records += [change(r, "kept", "override", "the study says that it is one") for r in _rows(frame[kept])]
    return frame[~out].reset_index(drop=True), records


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    records = frame[["facility_id", "source", "name", "service"]].to_dict("records")
    return [{str(key): value for key, value in record.items()} for record in records]


def without_inner_parts(
    frame: gpd.GeoDataFrame, *, keep: frozenset[str] = frozenset(), parents: Mapping[str, str] | None = None
) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    """Remove buildings and gates of a place that is in the table itself: by its name before theirs, or as their parent.

    Parameters
    ----------
    parents
        Of which row its list says that a row is a part, by ``facility_id``; it counts for grounds of one service.

    Returns
    -------
    The facilities, and a record per row removed, with its geometry as ``at``.
    """
    core = core_names(frame["name"])
    geometry = frame.geometry.to_numpy()
    service = frame["service"].to_numpy()
    by_name: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, name in enumerate(core):
        by_name[service[i], name].append(i)
    ids = frame["facility_id"].to_numpy()
    ground = frame["ground"].to_numpy(dtype=bool)
    at_id = {(service[i], ids[i]): i for i in range(len(frame))}
    gone, records = [], []
    for i, name in enumerate(core):
        match = _INNER.fullmatch(name)
        told = at_id.get((service[i], (parents or {}).get(ids[i], ""))) if ground[i] else None
        if (match is None and told is None) or told == i or ids[i] in keep:
            continue
        whole = [told] if told is not None else by_name.get((service[i], match[1]), []) if match else []
        gap = shapely.distance(geometry[i], geometry[whole]) if whole else np.array([])
        if len(gap) and gap.min() <= INNER_M:
            parent = ids[whole[int(np.argmin(gap))]]
            reason = f"{match[2]} is a part of it" if match else "its list says that it is a part of it"
            more = {"into": parent, "distance_m": round(float(gap.min()), 2), "at": geometry[i]}
            records.append(change(frame.iloc[i], "removed", "part_of_place", reason, **more))
            gone.append(i)
    return frame.drop(index=frame.index[gone]).reset_index(drop=True), records


def merged(
    frame: gpd.GeoDataFrame, *, keep: frozenset[str] = frozenset()
) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    """Make one facility of the rows that mean one place, service by service.

    Rows mean one place if they have the same outline, if one lies in the outline of the other, or if their names agree
    and they are near: grounds within 300 m between two lists and 100 m in one, everything else within 50 m and 10 m.
    A row joins the best row that it agrees with, never a chain of rows: the planner's own before OpenStreetMap's, then
    the one with an outline, then the one that most others agree with.

    Parameters
    ----------
    frame
        ``facility_id, service, name, source, area_m2, ground, fence_tag, given, geometry`` in a metric plane.
    keep
        Ids that stay, whatever they agree with.

    Returns
    -------
    The facilities, each with the best outline, area and name that its rows have, and a record per row that went into
    another.
    """
    geometry = frame.geometry.to_numpy()
    i, j, rule, named = _same_places(frame)
    gap = shapely.distance(geometry[i], geometry[j])
    order = _by_worth(frame, np.bincount(np.concatenate([i[named], j[named]]), minlength=len(frame)))
    place = np.empty(len(frame), dtype=np.int64)
    place[order] = np.arange(len(frame))
    partners: dict[int, list[tuple[float, int, int, str]]] = defaultdict(list)
    for a, b, d, r in zip(i.tolist(), j.tolist(), gap.tolist(), rule.tolist(), strict=True):
        for one, two in ((a, b), (b, a)):
            partners[one].append((d, int(place[two]), two, r))
    ids, source = frame["facility_id"].to_numpy(), frame["source"].to_numpy()
    ground = frame["ground"].to_numpy(dtype=bool)
    taken = np.isin(ids, list(keep))
    into: dict[int, tuple[int, float, str]] = {}
    for best in order.tolist():
        if best in into:
            continue
        taken[best] = True
        seen: set[str] = set()
        for d, _, other, how in sorted(partners.get(best, ())):
            elsewhere = source[other] != source[best]
            if taken[other] or (not ground[best] and elsewhere and source[other] in seen):
                continue  # of a chain's shops, only the nearest of another list is this one
            taken[other] = True
            seen.add(source[other])
            into[other] = (best, d, how)
    return _joined(frame, into)


def _same_places(frame: gpd.GeoDataFrame) -> tuple[Ints, Ints, npt.NDArray[Any], Bools]:
    """Return the pairs of rows that mean one place, why, and whether their names agree."""
    geometry = frame.geometry.to_numpy()
    kind = shapely.get_type_id(geometry)
    line, area = np.isin(kind, (1, 5)), np.isin(kind, (3, 6))
    source = frame["source"].to_numpy(dtype=object)
    on_ground = frame["ground"].to_numpy(dtype=bool)
    limits = (SAME_GROUND_M, SAME_POINT_M) if len(set(source)) > 1 else (TWICE_GROUND_M, TWICE_POINT_M)
    found = []
    for rows, limit_m in zip(
        (np.flatnonzero(~line & on_ground), np.flatnonzero(~line & ~on_ground)), limits, strict=True
    ):
        found.append(rows[np.stack(alike_within(geometry[rows], frame["service"].iloc[rows], limit_m + 1))])
    i, j = np.concatenate(found, axis=1)
    ground = on_ground[i]
    gap = shapely.distance(geometry[i], geometry[j])
    two_lists = source[i] != source[j]
    limit = np.where(
        ground, np.where(two_lists, SAME_GROUND_M, TWICE_GROUND_M), np.where(two_lists, SAME_POINT_M, TWICE_POINT_M)
    )
    names = core_names(frame["name"])
    near = gap <= limit
    named = near.copy()
    named[near] = [same_place_name(a, b) for a, b in zip(names[i[near]], names[j[near]], strict=True)]
    inside = ground & (gap == 0) & (area[i] != area[j])
    same = area[i] & area[j] & (gap == 0)
    same[same] = shapely.equals_exact(geometry[i[same]], geometry[j[same]])
    rule = np.select([same, named, inside], ["same_outline", "same_name", "inside"], "")
    good = rule != ""
    return i[good], j[good], rule[good], named[good]


def _by_worth(frame: gpd.GeoDataFrame, agreeing: Ints) -> Ints:
    """Return the rows from the best to the worst, whatever their order."""
    given = frame["given"].to_numpy()
    xy = shapely.get_coordinates(shapely.point_on_surface(given))
    name = frame["name"].to_numpy(dtype=str)
    keys = [
        frame["facility_id"].to_numpy(dtype=str),
        xy[:, 1],
        xy[:, 0],
        frame["source"].to_numpy(dtype=str),
        name,
        name == "",
        -agreeing,
        shapely.get_type_id(given) == 0,
        frame["source"].to_numpy() == "osm",
    ]
    return np.lexsort(keys)


def _joined(
    frame: gpd.GeoDataFrame, into: Mapping[int, tuple[int, float, str]]
) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    geometry, fence = frame.geometry.to_numpy().copy(), frame["fence_tag"].to_numpy(dtype=bool).copy()
    area, name = frame["area_m2"].to_numpy(dtype=float).copy(), frame["name"].to_numpy(dtype=object).copy()
    why = {
        "same_name": "the same name and service near by",
        "same_outline": "the same service at the same outline",
        "inside": "the same service, inside its outline",
    }
    members: dict[int, list[int]] = defaultdict(list)
    for row, (best, _, _) in into.items():
        members[best].append(row)
    worth = np.argsort(_by_worth(frame, np.zeros(len(frame), dtype=np.int64)), kind="stable")
    for best, rows in members.items():
        rows.sort(key=lambda r: worth[r])
        outlined = [r for r in rows if shapely.area(geometry[r]) > 0]
        if shapely.area(geometry[best]) == 0 and outlined and frame["ground"].iloc[best]:
            geometry[best], fence[best], area[best] = geometry[outlined[0]], fence[outlined[0]], area[outlined[0]]
        known = [area[r] for r in rows if area[r] > 0]
        if not area[best] > 0 and known:
            area[best] = known[0]
        # Of a park and a square in it, both rows at the park's outline, the outline's own name tells what it is.
        drawn = [name[r] for r in rows if into[r][2] == "same_outline" and frame["source"].iloc[r] == "osm"]
        agreed = any(same_place_name(core_name(name[best]), core_name(n)) for n in drawn)
        names = [name[best]] if agreed else [*drawn, name[best]]
        name[best] = next((n for n in (*names, *(name[r] for r in rows)) if n), "")
    records = [
        change(
            frame.iloc[row],
            "merged",
            rule,
            why[rule],
            into=frame["facility_id"].iloc[best],
            distance_m=round(d, 2),
        )
        for row, (best, d, rule) in into.items()
    ]
    whole = frame.assign(
        geometry=gpd.GeoSeries(geometry, index=frame.index, crs=frame.crs), fence_tag=fence, area_m2=area, name=name
    ).astype({"name": "str"})
    return whole.drop(index=whole.index[list(into)]).reset_index(drop=True), records
