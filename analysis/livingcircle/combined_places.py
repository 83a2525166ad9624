"""The places of several districts as one list: each once, and lists of one name in different folders told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from livingcircle.result import ScanResult

PLACE = ["facility_id", "service", "source"]
_IDS = ("facility_id", "into", "nearest_id")  # columns that name a place, which begins with the name of its list
_DEGREES = 6  # decimals; each district draws on a plane of its own, and degrees differ in the last digits


def ambiguous_sources(results: Sequence[ScanResult]) -> set[str]:
    """Return the names that files of different content have in different districts."""
    contents: dict[str, set[str]] = {}
    for result in results:
        for entry in result.run["inputs"]:
            contents.setdefault(str(entry.get("path")), set()).add(str(entry.get("sha256")))
    return {name for name, digests in contents.items() if len(digests) > 1}


def with_own_sources(result: ScanResult, district: str, ambiguous: set[str]) -> ScanResult:
    """Return a result whose ambiguous sources, and the places from them, begin with the name of the district."""

    def told(text: Any) -> Any:
        return own_source(text, district, ambiguous) if isinstance(text, str) else text

    changes: dict[str, Any] = {}
    for field in fields(result):
        table = getattr(result, field.name)
        named = {"source", *_IDS} & set(table.columns) if isinstance(table, pd.DataFrame) else set()
        if named:
            changes[field.name] = table.assign(**{column: table[column].map(told) for column in sorted(named)})
    return replace(result, **changes)


def own_source(text: str, district: str, ambiguous: set[str]) -> str:
    """Return the name of a list, or of one of its rows, with the district in front where the list is ambiguous."""
    # "list.csv", its second namesake "list.csv (2)", or a row "list.csv:7"
    mine = any(text == name or text.startswith((f"{name} (", f"{name}:")) for name in ambiguous)
    return f"{district}/{text}" if mine else text


def with_places_once(whole: ScanResult, results: Sequence[ScanResult]) -> ScanResult:
    """Return the whole city with the facilities, access points and circles around facilities of all districts.

    A place in the reach of two districts is in both results: the first that has it counts, with its doors and circles.
    """
    numbered = [result.facilities.assign(_part=number) for number, result in enumerate(results)]
    places = stacked(numbered).drop_duplicates(PLACE).sort_values("source", kind="stable", ignore_index=True)
    doors = _of_first([result.access_points for result in results], places, PLACE)
    walks = [result.facility_circles for result in results]
    known = [frame for frame in walks if frame is not None]
    return replace(
        whole,
        facilities=places.drop(columns="_part"),
        access_points=doors.sort_values("source", kind="stable", ignore_index=True),
        facility_circles=_of_first(known, places, PLACE[:2]) if len(known) == len(results) else None,
    )


def _of_first(frames: Sequence[gpd.GeoDataFrame], places: pd.DataFrame, key: Sequence[str]) -> gpd.GeoDataFrame:
    """Return the rows of each place from the district that the place is taken from."""
    numbered = stacked([frame.assign(_part=number) for number, frame in enumerate(frames)])
    owner = pd.MultiIndex.from_frame(places[[*key, "_part"]].astype("str"))
    mine = pd.MultiIndex.from_frame(numbered[[*key, "_part"]].astype("str")).isin(owner)
    return numbered[mine].drop(columns="_part").reset_index(drop=True)


def drawn_once(layers: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Put layers of drawings together; what two districts have drawn alike is there once."""
    whole = stacked(layers)
    shapes = shapely.transform(whole.geometry.to_numpy(), lambda at: at.round(_DEGREES))
    same = whole.drop(columns="geometry").assign(_shape=shapely.to_wkb(shapes, hex=True)).astype("str")
    return whole[~same.duplicated()].reset_index(drop=True)


def stacked(tables: Sequence[Any]) -> Any:
    """Put tables under each other; one without rows does not change the types of the others."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]
