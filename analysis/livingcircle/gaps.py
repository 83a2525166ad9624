"""What is missing: per community the rules that people cannot reach, and how far the nearest place is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array

from livingcircle.columns import GAPS
from livingcircle.coverage import Judged
from livingcircle.measured import Measured
from livingcircle.missed import people_without
from livingcircle.quantiles import people_quantiles
from livingcircle.reach import Layer

Ints = npt.NDArray[np.int64]


def gaps_table(measured: Measured, coverage: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each community and rule that leaves people without: how many, and where the nearest place is.

    The nearest place is the one that is nearest to most of these people, its distance their median walk to it.

    Parameters
    ----------
    measured
        What was measured.
    coverage
        Its table of coverage (`livingcircle.scan.coverage_of`).
    """
    here = coverage[coverage["level"] == "community"]
    here = here.assign(without=people_without(here), scores=here["rule"].isin(measured.rules.scoring))
    here = here[here["without"] > 0]
    keys = ["unit_id", "rule", "walker", "gates"]
    places, lacking = _places_of(measured), set(here["rule"])
    found = [
        _nearest_of_those_without(measured, verdict, places)
        for verdicts in measured.judged
        for verdict in verdicts.values()
        if verdict.rule.id in lacking
    ]
    nearest = pd.concat([_no_places(), *found], ignore_index=True)
    table = here.merge(nearest, on=keys, how="left", validate="one_to_one")
    order = {rule.id: i for i, rule in enumerate(measured.rules.rules)}
    table = table.assign(_order=table["rule"].map(order), nearest_id=table["nearest_id"].fillna(""),
                         nearest_name=table["nearest_name"].fillna(""))  # fmt: skip
    table = table.sort_values(["unit_id", "without", "_order", "walker", "gates"],
                              ascending=[True, False, True, True, True], kind="stable")  # fmt: skip
    return table[list(GAPS.names)].reset_index(drop=True)


def nearest_doors(measured: Measured, verdict: Judged) -> npt.NDArray[np.int32]:
    """Return for every home the access point that a rule's walk leads to, as a position in the doors of the city.

    For a rule of several parts that of the part which decides: the nearest of any, the farthest of all; -1 where no
    place is reached within the search limit.
    """
    rule = verdict.rule
    if rule.combine is None:
        return measured.reaches[verdict.gates][Layer.of(rule)].nearest[verdict.walker]
    verdicts = measured.verdicts(verdict.walker, verdict.gates)
    doors = np.full(len(verdict.walk), -1, dtype=np.int32)
    for part in rule.parts:
        deciding = (doors < 0) & (verdicts[part].walk_m == verdict.walk_m)
        doors[deciding] = nearest_doors(measured, verdicts[part])[deciding]
    return doors


def without_place(measured: Measured, verdict: Judged) -> Ints:
    """Return per home the people of the rule's group who do not reach it on foot within the standard."""
    residents = measured.people.residents(verdict.rule)
    return np.where(measured.people.applies(verdict.rule) & ~verdict.walk, residents, 0)


@dataclass(frozen=True)
class _Places:
    """All places with doors, in order: ids and names, both empty at the end, and the place of each door."""

    ids: npt.NDArray[np.object_]
    names: npt.NDArray[np.object_]
    of_door: Ints


def _places_of(measured: Measured) -> _Places:
    ids, of_door = np.unique(measured.city.doors["facility_id"].to_numpy(dtype=object), return_inverse=True)
    names = measured.city.facilities.drop_duplicates("facility_id").set_index("facility_id")["name"]
    named = names.reindex(ids).fillna("").to_numpy(dtype=object)
    return _Places(np.append(ids, ""), np.append(named, ""), of_door)


def _nearest_of_those_without(measured: Measured, verdict: Judged, places: _Places) -> pd.DataFrame:
    """Return the place that is nearest to most of those without."""
    units = next(u for u in measured.levels if u.level == "community")
    doors, without = nearest_doors(measured, verdict), without_place(measured, verdict)
    reached = (without > 0) & (doors >= 0) & (units.code >= 0)
    code, place, people = units.code[reached], places.of_door[doors[reached]], without[reached]
    # Added up by unit and place as the cells of a sparse table; of equally many people the first place wins.
    cells = coo_array((people, (code, place)), shape=(len(units.ids), len(places.ids))).tocsr().tocoo()
    best_last = np.lexsort((-cells.col, cells.data, cells.row))
    most_used = np.full(len(units.ids), -1)
    most_used[cells.row[best_last]] = cells.col[best_last]
    theirs = np.zeros(len(without), dtype=np.int64)
    theirs[reached] = np.where(place == most_used[code], people, 0)
    median, _ = people_quantiles(verdict.walk_m, theirs, units)
    frame = pd.DataFrame(
        {
            "unit_id": units.ids,
            "rule": verdict.rule.id,
            "walker": verdict.walker,
            "gates": verdict.gates,
            "unreached": units.total(without, doors < 0),
            "nearest_id": places.ids[most_used],
            "nearest_name": places.names[most_used],
            "nearest_m": median,
        }
    )
    return frame[units.total(without) > 0]


def _no_places() -> pd.DataFrame:
    text, numbers = pd.Series(dtype="str"), pd.Series(dtype="float64")
    return pd.DataFrame({"unit_id": text, "rule": text, "walker": text, "gates": text, "unreached": numbers,
                         "nearest_id": text, "nearest_name": text, "nearest_m": numbers})  # fmt: skip
