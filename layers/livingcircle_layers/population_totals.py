"""Totals per community: a table of ids and people without any coordinates, which the communities' outlines give."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import InputError
from livingcircle_layers.headings import find_column, find_columns
from livingcircle_layers.sources import Source, reading_of
from livingcircle_layers.tables import Places

NO_COMMUNITY = "no such community"  # the reason of rows that name none of the communities
_SHOWN = 5


def has_coordinates(source: Source, table: pd.DataFrame) -> bool:
    """Tell whether a table says where its rows lie, by usual headings or by the planner's mapping."""
    roles = ("lon", "lat", "lonlat")
    return any(role in source.columns or find_column(table, role) is not None for role in roles)


def places_of_units(
    source: Source, table: pd.DataFrame, units: gpd.GeoDataFrame, *, roles: Sequence[str]
) -> tuple[Places, list[str]]:
    """Put every row of a table of totals on the outline of its community.

    Parameters
    ----------
    source, table
        As read; a column with the ids of communities, or with their names, and one with people.
    units
        EPSG:4326, index ``unit_id``, ``unit_name``.
    roles
        The roles whose columns the caller wants to know.

    Returns
    -------
    Rows with the outline and a column ``unit`` (``""``: no such community, which is the reason), and notes.

    Raises
    ------
    InputError
        No column names communities, or none of its values is one.
    """
    used = find_columns(table, list(roles), columns=source.columns, required=["population"], what=source.label)
    keys = [role for role in ("id", "name") if role in used]
    found = {role: _matched(table[used[role]].str.strip(), units, role) for role in keys}
    best = max(keys, key=lambda role: int((found[role] >= 0).sum()), default=None)
    if best is None or not (found[best] >= 0).any():
        shown = ", ".join(table[used[best]].iloc[:_SHOWN]) if best else f"the headings {', '.join(table.columns[:12])}"
        raise InputError(
            f"{source.label} has neither coordinates nor ids of communities",
            got=shown,
            expected=f"ids such as {', '.join(units.index[:3])}, or longitude and latitude",
            remedy='map the column of ids: columns = {id = "…"} in [population]',
        )
    position = found[best]
    known = position >= 0
    owner = pd.Series(np.where(known, units.index.to_numpy(dtype=object)[position], ""), table.index, dtype="str")
    geometry = np.where(known, units.geometry.to_numpy()[position], None)
    frame = gpd.GeoDataFrame({"row": table[used[best]].str.strip(), "unit": owner}, geometry=geometry, crs=WGS84)
    reason = pd.Series(np.where(known, "", NO_COMMUNITY), table.index, dtype="str")
    detail = (table[used[best]] + " is not among the communities").where(~known, "")
    if (twice := owner[known].duplicated()).any():
        raise InputError(
            f"{source.label} has several rows for a community",
            got=", ".join(owner[known][twice].unique()[:_SHOWN]),
            expected="one row each",
        )
    notes = [f"{source.label}: totals of communities, spread over where people can live in each"]
    if len(without := sorted(set(units.index) - set(owner))):
        more = f" and {len(without) - _SHOWN} more" if len(without) > _SHOWN else ""
        notes.append(
            f"{source.label}: {len(without)} communities have no row, so that nobody is counted there: "
            f"{', '.join(without[:_SHOWN])}{more}"
        )
    return Places(frame, table, reason, detail, used, reading_of(source, table, used)), notes


def _matched(values: pd.Series, units: gpd.GeoDataFrame, role: str) -> npt.NDArray[np.int64]:
    """Return the position of the community that each value names, -1 where none or several bear the name."""
    if role == "id":
        return units.index.get_indexer(values).astype(np.int64)
    names = pd.Series(np.arange(len(units)), index=units["unit_name"].astype("str").to_numpy())
    single = names[~names.index.duplicated(keep=False)]
    return single.reindex(values).fillna(-1).to_numpy(dtype=np.int64)
