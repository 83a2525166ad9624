"""Communities: the polygons for which everything is counted, and the levels above them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle_layers.crs import METRES_REMEDY, WGS84, metric_crs
from livingcircle_layers.errors import InputError, sentence
from livingcircle_layers.globe import SWAPPED, SWAPPED_REMEDY, off_globe
from livingcircle_layers.headings import find_columns
from livingcircle_layers.sources import Reading, Source, reading_of
from livingcircle_layers.vectors import attributes_as_text, read_vector

TWIN_SHARE = 0.95  # of both units shared: the same place twice, which nobody can count (a judgement)
NARROW_GAP_M = 10.0  # a gap narrower than this is slack between two drawings of one border (a judgement)
# Of a gap or an overlap: narrower is rounding, or a long border that the plane draws straight for one unit only.
_LEAST_WIDTH_M = 0.5
_TOUCH_M = 0.01  # units this near to a gap border on it
_ROLES = ("id", "name", "subdistrict", "district", "type")
_SHOWN = 5
_TYPES = {
    "urban": "urban 城镇 城市 城镇社区 城市社区 城市型 城镇型",
    "rural": "rural village 乡村 农村 村 乡村社区 农村社区 行政村 乡村型 农村型",
    "industrial": "industrial industry 产业 产业社区 工业 产业型 园区",
}
_TYPE_OF = {word: unit_type for unit_type, words in _TYPES.items() for word in words.split()}


@dataclass(frozen=True)
class Units:
    """Communities as read.

    Attributes
    ----------
    frame
        EPSG:4326, index ``unit_id`` (text, ascending); ``unit_name``, ``subdistrict`` and ``district``
        (``""``: not given), ``unit_type`` (``urban``, ``rural``, ``industrial`` or ``""``), ``geometry``
        (valid polygons).
    warnings
        What looks doubtful, a sentence each.
    columns_used
        Role to heading, for printing.
    problems
        EPSG:4326; what is wrong with the outlines, for `problem_notes`: ``kind`` (of `PROBLEMS`), ``units`` (which, as
        text), ``area_m2``, ``geometry``; the largest first within a kind.
    reading
        How many rows the file has and how many of them count.
    """

    frame: gpd.GeoDataFrame
    warnings: tuple[str, ...]
    columns_used: Mapping[str, str]
    problems: gpd.GeoDataFrame
    reading: Reading | None = None


PROBLEMS = {
    "repaired": "crossing borders repaired",
    "repeated": "rows that repeat another one, used once",
    "overlap": "units overlap; people there count once, in the smaller id",
    "narrow_gap": f"gaps narrower than {NARROW_GAP_M:g} m between units; people there count in the nearest one",
    "gap": "gaps inside the communities that belong to none of them; people there are outside",
}
"""What can be wrong with outlines, and what is done about it."""


def read_units(given: Source | Path | str, *, overlapping: bool = False) -> Units:
    """Read the communities from a polygon file and check that each can be counted.

    Parameters
    ----------
    given
        What `read_vector` reads; its ``columns`` map ``id, name, subdistrict, district, type`` to headings.
    overlapping
        The units are areas that may lie over each other and apart.

    Raises
    ------
    InputError
        For repeated or blank ids, geometry that is missing or no polygon, coordinates outside the globe, and two
        units of the same ground; all faults at once.
    """
    source = Source.of(given)
    name = source.label
    layer = read_vector(source)
    table = attributes_as_text(layer)
    used = find_columns(table, _ROLES, columns=source.columns, what=name)
    again = _repeated(table, used, layer.geometry.to_numpy())
    repeated = gpd.GeoSeries(layer.geometry.to_numpy()[again], crs=layer.crs, index=table.index[again])
    reading = reading_of(source, layer, used)
    layer, table = layer[~again], table[~again]
    text = {role: table[used[role]].str.strip() for role in used}
    missing = pd.Series("", index=table.index, dtype="str")
    names = text.get("name", missing)
    ids = text["id"] if "id" in text else _made_ids(names)
    geometry = shapely.force_2d(layer.geometry.to_crs(WGS84).to_numpy())
    rows = pd.Series("row " + ids.index.astype("str"), index=ids.index, dtype="str")
    called = ids.where(ids != "", rows)
    if faults := [*_id_faults(name, ids), *_geometry_faults(name, geometry, called, off_globe(layer))]:
        raise InputError.of(faults)

    sound, repaired = repair_polygons(geometry)
    types, type_warnings = _unit_types(name, text.get("type", missing))
    frame = gpd.GeoDataFrame(
        {
            "unit_name": names.where(names != "", ids).to_numpy(),
            "subdistrict": text.get("subdistrict", missing).to_numpy(),
            "district": text.get("district", missing).to_numpy(),
            "unit_type": types.to_numpy(),
        },
        geometry=sound,
        crs=WGS84,
        index=pd.Index(ids.to_numpy(), name="unit_id", dtype="str"),
    ).sort_index()
    notes = [f"{name}: no column with ids; ids are made from names or rows"] if "id" not in text else []
    crossed = gpd.GeoSeries(sound[repaired], index=ids[repaired], crs=WGS84)
    repeated = gpd.GeoSeries(repeated.to_crs(WGS84).to_numpy(), index="row " + repeated.index.astype("str"), crs=WGS84)
    found = [_problem("repaired", crossed), _problem("repeated", repeated)]
    if not overlapping:
        flat = _metric(frame.geometry)
        pairs = _pairs(flat)
        _refuse_twins(name, frame.index, pairs)
        found += [_overlaps(flat, pairs), *_gaps(flat)]
    problems = pd.concat([part for part in found if len(part)] or [no_problems()], ignore_index=True)
    return Units(frame, (*notes, *type_warnings), used, problems, reading)


def upper_levels(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return for every unit the ids of the units above it.

    Returns
    -------
    Same index; ``subdistrict`` (``district/subdistrict``, as two districts can use a name), ``district`` and
    ``city`` (always ``"city"``); ``""`` where not given.
    """
    subdistrict, district = frame["subdistrict"].astype("str"), frame["district"].astype("str")
    both = (district + "/" + subdistrict).where(district != "", subdistrict).where(subdistrict != "", "")
    city = pd.Series("city", index=frame.index, dtype="str")
    return pd.DataFrame({"subdistrict": both, "district": district, "city": city})


def repair_polygons(
    geometry: npt.NDArray[np.object_],
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.bool_]]:
    """Return polygons whose rings do not cross, and which of them had to be repaired.

    Parameters
    ----------
    geometry
        Polygons and multipolygons. What has no area after the repair comes back empty.
    """
    bad = ~shapely.is_valid(geometry)
    result = geometry.copy()
    result[bad] = shapely.make_valid(geometry[bad], method="structure", keep_collapsed=False)
    return result, bad


def _made_ids(names: pd.Series[str]) -> pd.Series[str]:
    if names.is_unique and (names != "").all():
        return names
    width = len(str(len(names)))
    return pd.Series([str(i).zfill(width) for i in range(1, len(names) + 1)], index=names.index, dtype="str")


def _id_faults(file: str, ids: pd.Series[str]) -> list[str]:
    faults = []
    if (blank := ids == "").any():
        faults.append(sentence(f"{file}: {blank.sum()} units without id (row {ids.index[blank][0]} first)"))
    twice = ids[ids.duplicated() & ~blank].unique()
    if len(twice):
        faults.append(
            sentence(
                f"{file}: ids are not unique",
                got=_listed(pd.Series(twice)),
                expected="every id once",
                remedy="merge the parts of a unit, or map another column to `id`",
            )
        )
    return faults


def _geometry_faults(
    file: str,
    geometry: npt.NDArray[np.object_],
    ids: pd.Series[str],
    away: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]],
) -> list[str]:
    """Say which outlines cannot be counted; `away`: which lie off the globe, and which of them by changed axes."""
    kind = shapely.get_type_id(geometry)
    lost = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    other = ~lost & ~np.isin(kind, [3, 6])
    off, swapped = away
    flat = ~lost & ~other & ~off
    flat[flat] = shapely.area(repair_polygons(geometry[flat])[0]) == 0
    faults = []
    for bad, what, expected, remedy in (
        (lost, "units without geometry", "a polygon each, of closed rings", "draw them, or leave the rows out"),
        (other, "units are points or lines", "polygons", None),
        (swapped, f"{SWAPPED} in units", "degrees within ±180 and ±90", SWAPPED_REMEDY),
        (off & ~swapped, "units outside the globe", "degrees within ±180 and ±90", METRES_REMEDY),
        (flat, "units without area", "polygons that enclose something", None),
    ):
        if bad.any():
            faults.append(sentence(f"{file}: {what}", got=_listed(ids[bad]), expected=expected, remedy=remedy))
    return faults


def _unit_types(file: str, text: pd.Series[str]) -> tuple[pd.Series[str], list[str]]:
    plain = text.str.casefold()
    types = plain.map(_TYPE_OF).fillna("").astype("str")
    unknown = sorted(text[(types == "") & (plain != "")].unique())
    if not unknown:
        return types, []
    return types, [
        f"{file}: unit types not known, left blank: {_listed(pd.Series(unknown))}; known are "
        "urban/城镇, rural/乡村, industrial/产业"
    ]


def no_problems() -> gpd.GeoDataFrame:
    """Return an empty table of problems."""
    text = pd.Series([], dtype="str")
    table = {"kind": text, "units": text, "area_m2": pd.Series([], dtype="float64")}
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries([], crs=WGS84), crs=WGS84)


def problem_notes(
    name: str, problems: gpd.GeoDataFrame, people: npt.NDArray[np.float64], *, demand: str = "people"
) -> list[str]:
    """Say what is wrong with the outlines, over how much ground and for how many people, a sentence per kind.

    Parameters
    ----------
    name
        The file, for the sentences.
    problems
        As in `Units`.
    people
        How many people live on the ground of each problem, about.
    demand
        What they are called, for example m² of land that stand in for them.
    """
    notes = []
    for kind, what in PROBLEMS.items():
        mine = (problems["kind"] == kind).to_numpy()
        if not mine.any():
            continue
        part, lives = problems[mine], people[mine]
        each = [
            f"{row.units} ({row.area_m2:,.0f} m², {lived:,.0f} {demand})"
            for row, lived in zip(part.itertuples(), lives, strict=True)
        ]
        total = f"{len(part)} times, {part['area_m2'].sum():,.0f} m², about {lives.sum():,.0f} {demand}"
        notes.append(f"{name}: {what} – {total}: {_listed(pd.Series(each), '; ')}")
    return notes


def narrow_gaps(units: Units) -> gpd.GeoSeries:
    """Return the gaps (EPSG:4326) whose people count in the nearest unit."""
    return units.problems.geometry[units.problems["kind"] == "narrow_gap"]


def _metric(geometry: gpd.GeoSeries) -> gpd.GeoSeries:
    return geometry.to_crs(metric_crs(geometry.total_bounds))


def _problem(kind: str, ground: gpd.GeoSeries) -> gpd.GeoDataFrame:
    """Make a table of problems of one kind, the largest first; the index of the ground names the units."""
    area = shapely.area(_metric(ground).to_numpy()) if len(ground) else np.array([])
    order = np.argsort(-np.round(area, 1), kind="stable")
    return gpd.GeoDataFrame(
        {"kind": kind, "units": ground.index.astype("str")[order], "area_m2": area[order]},
        geometry=ground.to_numpy()[order],
        crs=WGS84,
    )


def _repeated(table: pd.DataFrame, used: Mapping[str, str], geometry: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    """Tell which rows repeat an earlier one: the same id (without ids the same attributes) and the same outline."""
    told = table[[used["id"]]] if "id" in used else table
    key = told.set_axis(range(told.shape[1]), axis="columns")  # so that no heading is that of the outline
    key[-1] = shapely.to_wkb(geometry)
    again: npt.NDArray[np.bool_] = key.duplicated().to_numpy() & ~shapely.is_missing(geometry)
    return again


def _pairs(flat: gpd.GeoSeries) -> pd.DataFrame:
    """Return the pairs of units that share ground: positions ``a < b``, ``shared`` m², ``most`` of both."""
    shapes = flat.to_numpy()
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    first, second = first[first < second], second[first < second]
    area = shapely.area(shapes)
    return pd.DataFrame(
        {
            "a": first,
            "b": second,
            "shared": shapely.area(shapely.intersection(shapes[first], shapes[second])),
            "most": np.maximum(area[first], area[second]),
        }
    )


def _refuse_twins(file: str, ids: pd.Index[str], pairs: pd.DataFrame) -> None:
    """Refuse two units of the same ground: all people would count in one of them, and the other would look empty."""
    twins = pairs[pairs["shared"] > TWIN_SHARE * pairs["most"]].sort_values(["a", "b"])
    if len(twins):
        named = [f"{ids[a]} and {ids[b]}" for a, b in zip(twins["a"], twins["b"], strict=True)]
        raise InputError(
            f"{file}: units cover the same ground under different ids",
            got=_listed(pd.Series(named), "; "),
            expected="every place in one unit",
            remedy="remove one of each pair; areas that may lie over each other go in with --areas",
        )


def _overlaps(flat: gpd.GeoSeries, pairs: pd.DataFrame) -> gpd.GeoDataFrame:
    """Find pairs of units that share more than a sliver."""
    some = pairs[pairs["shared"] > 0].sort_values(["a", "b"])
    shapes = flat.to_numpy()
    shared = shapely.intersection(shapes[some["a"]], shapes[some["b"]])
    parts, pair = shapely.get_parts(shared, return_index=True)
    wide = np.unique(pair[_is_wide(parts)])
    large = some.iloc[wide]
    names = [f"{flat.index[a]} and {flat.index[b]}" for a, b in zip(large["a"], large["b"], strict=True)]
    return _problem("overlap", gpd.GeoSeries(shared[wide], index=names, crs=flat.crs).to_crs(WGS84))


def _is_wide(parts: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Tell which pieces of ground are more than slack between two drawings of a border, by their mean width."""
    wide: npt.NDArray[np.bool_] = 2 * shapely.area(parts) > _LEAST_WIDTH_M * shapely.length(parts)
    return wide


def _gaps(flat: gpd.GeoSeries) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Find what units leave open between them: narrow gaps, and wide ones that they enclose."""
    whole = shapely.union_all(flat.to_numpy())
    # Corners are kept (mitre); what is left open after closing is wider than the limit.
    wider = shapely.buffer(whole, NARROW_GAP_M / 2, join_style="mitre")
    closed = shapely.union(shapely.buffer(wider, -NARROW_GAP_M / 2, join_style="mitre"), whole)
    outer = shapely.union_all(shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(closed))))
    found = []
    for kind, ground in (("narrow_gap", shapely.difference(closed, whole)), ("gap", shapely.difference(outer, closed))):
        parts = shapely.get_parts(ground)
        parts = parts[_is_wide(parts)]
        part, unit = shapely.STRtree(flat.to_numpy()).query(parts, predicate="dwithin", distance=_TOUCH_M)
        around = [sorted(flat.index[unit[part == k]]) for k in range(len(parts))]
        between = np.array([len(ids) > 1 for ids in around], dtype=bool)  # a notch of one unit is its own matter
        names = [" and ".join(ids[:3]) for ids in around if len(ids) > 1]
        found.append(_problem(kind, gpd.GeoSeries(parts[between], index=names, crs=flat.crs).to_crs(WGS84)))
    return found[0], found[1]


def _listed(items: pd.Series[str], separator: str = ", ") -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return separator.join(items.iloc[:_SHOWN]) + more
