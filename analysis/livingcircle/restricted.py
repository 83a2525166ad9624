"""Places of lists under a restricted licence, which are counted but neither named nor drawn where all may look."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from livingcircle.credits import RESTRICTED
from livingcircle.result import ScanResult


def without_restricted(result: ScanResult) -> tuple[ScanResult, int]:
    """Leave out places, names and coordinates of lists that may not be shown; return how many places these are.

    Parameters
    ----------
    result
        A finished scan. It is not changed.
    """
    lists = [row for row in result.run.get("inputs", ()) if row.get("role") == "facilities"]
    shown = {str(row["path"]) for row in lists if str(row.get("licence") or "").casefold() != RESTRICTED}
    closed = {str(row["path"]) for row in lists} - shown
    # A source that is not known to be open is not: two lists of one name differ by a number.
    known = (shown - closed) | {"osm"}
    frame, changes = result.facilities, result.facility_changes
    restricted = ~frame["source"].isin(known)
    ids = set(frame["facility_id"][restricted])
    names = {str(name) for name in frame["name"][restricted].dropna()}
    touched: set[str] = set()
    if changes is not None:
        own = ~changes["source"].isin(known)
        ids |= set(changes["facility_id"][own])
        names |= {str(name) for name in changes["name"][own].dropna()}
        touched = set(changes["into"][own].dropna()) - {""}
        changes = changes[~(own | changes["into"].isin(ids))].reset_index(drop=True)
    names -= {""}
    # Into a place of OpenStreetMap a restricted row may have brought its name and its entrances.
    open_frame = frame[~restricted].reset_index(drop=True)
    open_frame = open_frame.assign(name=open_frame["name"].where(~_taken(open_frame, touched, names), None))
    points = result.access_points
    points = points[~points["facility_id"].isin(ids | touched)].reset_index(drop=True)
    of_lists = set(frame["service"][restricted | frame["facility_id"].isin(touched)])
    drawn = [rule.id for rule in result.rules.rules if of_lists.isdisjoint(rule.services)]
    circles, bands, gaps = result.facility_circles, result.bands, result.gaps
    if gaps is not None:
        blank = gaps["nearest_id"].isin(ids | touched) | gaps["nearest_name"].isin(names)
        gaps = gaps.assign(**{name: gaps[name].where(~blank, "") for name in ("nearest_id", "nearest_name")})
    open_result = replace(
        result,
        facilities=open_frame,
        access_points=points,
        facility_changes=changes,
        facility_circles=None if circles is None else circles[~circles["facility_id"].isin(ids | touched)],
        bands=None if bands is None else bands[bands["rule"].isin(drawn)].reset_index(drop=True),
        gaps=gaps,
        run={**result.run, "warnings": [w for w in result.run["warnings"] if not _names_any(w, names | ids)]},
    )
    return open_result, int(frame["facility_id"][restricted].nunique())


def _taken(frame: pd.DataFrame, touched: set[str], names: set[str]) -> pd.Series:
    return frame["facility_id"].isin(touched) & frame["name"].isin(names)


def _names_any(text: str, names: set[str]) -> bool:
    return any(name in text for name in names)
