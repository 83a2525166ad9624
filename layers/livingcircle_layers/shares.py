"""Groups of people by their share of everybody, where nobody has counted them: of a unit, or of the whole city."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from livingcircle_layers.apportion import spread
from livingcircle_layers.errors import InputError, sentence
from livingcircle_layers.headings import GROUPS, find_columns, unit_of
from livingcircle_layers.homes import Placement
from livingcircle_layers.sources import Source
from livingcircle_layers.tables import parse_numbers, read_table
from livingcircle_layers.units import upper_levels

CITY = ""
"""The owner of everybody for whom no unit has a share."""


@dataclass(frozen=True)
class Shares:
    """Shares of groups of people.

    Attributes
    ----------
    city
        Group to share (0 to 1), for every place that no unit of the table holds.
    units
        Index: ids of communities, subdistricts or districts; one column per group, NaN where not known.
    label
        What errors call them.
    """

    city: Mapping[str, float]
    units: pd.DataFrame
    label: str

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups with a share anywhere, in the order of `GROUPS`."""
        return tuple(group for group in GROUPS if group in self.city or group in self.units)


def read_shares(city: Mapping[str, float], given: Source | None = None) -> Shares:
    """Return shares of the whole city and, of a table, those of units.

    Parameters
    ----------
    city
        Group to share.
    given
        A table with ``unit_id`` (a community, subdistrict or district) and columns of groups.

    Raises
    ------
    InputError
        Ids are missing or repeated, no group has a column, or numbers are no shares; all faults at once.
    """
    if given is None:
        return Shares(city, pd.DataFrame(), "[population.shares]")
    table = read_table(given)
    used = find_columns(table, ["id", *GROUPS], columns=given.columns, required=["id"], what=given.label)
    ids = table[used["id"]].str.strip()
    faults = []
    if len(wrong := ids[ids.duplicated() | (ids == "")]):
        faults.append(sentence(f"{given.label}: ids are blank or repeated", got=f"row {wrong.index[0]} first"))
    groups = [group for group in GROUPS if group in used]
    if not groups:
        faults.append(sentence(f"{given.label} has no column of a group", expected=f"one of {', '.join(GROUPS)}"))
    read: dict[str, pd.Series[float]] = {}
    for group in groups:
        read[group], found = parse_numbers(table, used[group], what=f"{given.label}: {group}", minimum=0)
        faults += found
        if unit_of(group, used[group]) not in (1.0, None):
            faults.append(_no_share(given.label, group, f"the heading {used[group]!r}"))
        if (more := read[group] > 1).any():
            faults.append(_no_share(given.label, group, f"{read[group][more].iloc[0]:g} in row {more.index[more][0]}"))
    if faults:
        raise InputError.of(faults)
    return Shares(city, pd.DataFrame(read).set_index(pd.Index(ids, dtype="str")), given.label)


def _no_share(label: str, group: str, got: str) -> str:
    return sentence(
        f"{label}: {group} is no share", got=got, expected="numbers from 0 to 1", remedy="divide percentages by 100"
    )


def with_shares(placement: Placement, shares: Shares, units: gpd.GeoDataFrame) -> Placement:
    """Give homes the groups that the people's own table does not count.

    The people of a group in a unit are its share of everybody there, rounded, and spread over the homes by their
    people: whole numbers, none larger than all people of the home, whose sum is that of the unit. Of several units
    around a home the smallest one with a share counts.

    Parameters
    ----------
    placement
        People in homes.
    shares
        As read.
    units
        The communities, with the names of the units above them.

    Raises
    ------
    InputError
        A unit of the shares is none of the study's, or a community has no share of a group.
    """
    owners = _owners(shares, units)
    homes, added = placement.homes, []
    people = homes["people"].to_numpy(dtype=np.int64)
    groups: dict[str, npt.NDArray[np.int64]] = {}
    for group in shares.groups:
        if group in homes:
            continue
        share_of, owner_of = _share_per_unit(shares, group, owners, units.index)
        owner = homes["unit"].map(owner_of).fillna(CITY).astype("str")
        share = owner.map(share_of).fillna(shares.city.get(group, 0.0))
        groups[group] = _spread_group(owner.to_numpy(dtype=object), np.asarray(share, dtype=float), people)
        added.append(group)
    names = list(homes.columns)
    position = names.index("people") + 1
    homes = homes.assign(**groups)[[*names[:position], *added, *names[position:]]]
    return Placement(homes, placement.basis, (*placement.shared, *added))


def _owners(shares: Shares, units: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return for every community the row of the shares for itself, its subdistrict and its district."""
    upper = upper_levels(units)
    known = set(shares.units.index)
    columns = {
        "community": units.index.to_series(),
        "subdistrict": upper["subdistrict"].where(upper["subdistrict"].isin(known), units["subdistrict"]),
        "district": upper["district"],
    }
    table = pd.DataFrame(columns, index=units.index)
    table = table.where(table.isin(known), CITY)
    if strange := sorted(known - set(table.to_numpy().ravel())):
        raise InputError(
            f"{shares.label} names units that the study does not have",
            got=", ".join(strange[:5]) + (f" and {len(strange) - 5} more" if len(strange) > 5 else ""),
            expected="ids of communities, subdistricts or districts",
            remedy="correct the ids, or leave those rows out with `where`",
        )
    return table


def _share_per_unit(
    shares: Shares, group: str, owners: pd.DataFrame, units: pd.Index[str]
) -> tuple[dict[str, float], pd.Series[str]]:
    """Return the share of every owner of people, and the owner of every community."""
    known = shares.units[group].dropna() if group in shares.units else pd.Series(dtype="float64")
    owner = pd.Series(CITY, index=units, dtype="str")
    for level in ("district", "subdistrict", "community"):
        owner = owners[level].where(owners[level].isin(known.index), owner)
    share = {str(unit): float(value) for unit, value in known.items()}
    if group in shares.city:
        return {**share, CITY: shares.city[group]}, owner
    if (lost := owner.index[owner == CITY]).size:
        raise InputError(
            f"{shares.label} has no share of {group} for {len(lost)} communities",
            got=f"nothing for {', '.join(lost[:5])}{' …' if len(lost) > 5 else ''}",
            remedy=f"add them, or a share of the whole city: {group} = … in [population.shares]",
        )
    return share, owner


def _spread_group(
    owner: npt.NDArray[np.object_], share: npt.NDArray[np.float64], people: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    names, code = np.unique(owner.astype(str), return_inverse=True)
    everybody = np.bincount(code, people, len(names))
    rate = np.zeros(len(names))
    rate[code] = share
    totals = np.floor(everybody * rate + 0.5).astype(np.int64)
    order = np.argsort(code, kind="stable")
    group = np.empty(len(people), dtype=np.int64)
    group[order] = spread(np.minimum(totals, everybody.astype(np.int64)), code[order], people[order])
    return group
