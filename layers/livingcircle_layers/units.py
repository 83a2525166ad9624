"""Communities: the polygons for which everything is counted, and the levels above them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle_layers.crs import WGS84, metric_crs
from livingcircle_layers.errors import InputError, sentence
from livingcircle_layers.headings import find_columns
from livingcircle_layers.sources import Reading, Source, reading_of
from livingcircle_layers.vectors import attributes_as_text, read_vector

OVERLAP_SHARE = 0.01  # of the smaller unit; less is the usual slack between hand-drawn borders
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
        What was repaired or looks doubtful, a sentence each.
    columns_used
        Role to heading, for printing.
    reading
        How many rows the file has and how many of them count.
    """

    frame: gpd.GeoDataFrame
    warnings: tuple[str, ...]
    columns_used: Mapping[str, str]
    reading: Reading | None = None


def read_units(given: Source | Path | str) -> Units:
    """Read the communities from a polygon file and check that each can be counted.

    Parameters
    ----------
    given
        What `read_vector` reads; its ``columns`` map ``id, name, subdistrict, district, type`` to headings.

    Raises
    ------
    InputError
        For repeated or blank ids, geometry that is missing or no polygon, coordinates outside the globe; all
        faults at once.
    """
    source = Source.of(given)
    name = source.label
    layer = read_vector(source)
    table = attributes_as_text(layer)
    used = find_columns(table, _ROLES, columns=source.columns, what=name)
    text = {role: table[used[role]].str.strip() for role in used}
    missing = pd.Series("", index=table.index, dtype="str")
    names = text.get("name", missing)
    ids = text["id"] if "id" in text else _made_ids(names)
    geometry = shapely.force_2d(layer.geometry.to_crs(WGS84).to_numpy())
    if faults := [*_id_faults(name, ids), *_geometry_faults(name, geometry, ids)]:
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
    if repaired.any():
        notes.append(f"{name}: crossing borders repaired in {_listed(ids[repaired])}")
    return Units(
        frame, (*notes, *type_warnings, *_overlap_warnings(name, frame)), used, reading_of(source, layer, used)
    )


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


def _geometry_faults(file: str, geometry: npt.NDArray[np.object_], ids: pd.Series[str]) -> list[str]:
    kind = shapely.get_type_id(geometry)
    lost = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    other = ~lost & ~np.isin(kind, [3, 6])
    bounds = shapely.bounds(geometry)
    inside = (np.abs(bounds[:, [0, 2]]) <= 180) & (np.abs(bounds[:, [1, 3]]) <= 90)
    off = ~lost & ~inside.all(axis=1)
    flat = ~lost & ~other & ~off
    flat[flat] = shapely.area(repair_polygons(geometry[flat])[0]) == 0
    faults = []
    for bad, what, expected in (
        (lost, "units without geometry", "a polygon each"),
        (other, "units are points or lines", "polygons"),
        (off, "units outside the globe", "degrees within ±180 and ±90, or the right CRS"),
        (flat, "units without area", "polygons that enclose something"),
    ):
        if bad.any():
            faults.append(sentence(f"{file}: {what}", got=_listed(ids[bad]), expected=expected))
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


def _overlap_warnings(file: str, frame: gpd.GeoDataFrame) -> list[str]:
    """Name pairs of units that share more than a sliver, the largest first."""
    flat = frame.geometry.to_crs(metric_crs(frame.total_bounds)).to_numpy()
    first, second = shapely.STRtree(flat).query(flat, predicate="intersects")
    first, second = first[first < second], second[first < second]
    shared = shapely.area(shapely.intersection(flat[first], flat[second]))
    area = shapely.area(flat)
    large = np.flatnonzero(shared > OVERLAP_SHARE * np.minimum(area[first], area[second]))
    if len(large) == 0:
        return []
    large = large[np.argsort(-shared[large], kind="stable")]
    pairs = [f"{frame.index[first[k]]} and {frame.index[second[k]]} share {shared[k]:,.0f} m²" for k in large]
    shown = _listed(pd.Series(pairs), "; ")
    return [f"{file}: units overlap; people there count once, in the smaller id: {shown}"]


def _listed(items: pd.Series[str], separator: str = ", ") -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return separator.join(items.iloc[:_SHOWN]) + more
