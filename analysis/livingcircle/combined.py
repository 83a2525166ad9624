"""The results of districts as one: rows side by side, and the city counted anew from the people of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from livingcircle.accounts import NOT_JOINED
from livingcircle.columns import COVERAGE, conform
from livingcircle.combined_places import (
    ambiguous_sources,
    drawn_once,
    own_source,
    stacked,
    with_own_sources,
    with_places_once,
)
from livingcircle.coverage import Judged, People, Standing, Units, coverage_table, parts_standing
from livingcircle.distances import distances_table
from livingcircle.fairness import fairness_table
from livingcircle.false_coverage import false_coverage_table
from livingcircle.measured import Measured
from livingcircle.reach import Floats
from livingcircle.result import DistrictStudy, ScanResult
from livingcircle.scan import in_order, sorted_by_unit
from livingcircle.scores import histogram_table, scores_table, services_reached
from livingcircle.supply import restated
from livingcircle_layers.population_totals import NO_COMMUNITY

ROW = ["source", "row"]
_STREET_INPUTS = ("osm", "streets")  # roles of the files that streets are read from


@dataclass(frozen=True)
class Votes:
    """What every home (or point of land) of a district says: verdicts by walker and gates, and who is counted."""

    judged: tuple[Mapping[str, Judged], ...]
    people: People
    exit_m: Floats


@dataclass(frozen=True)
class Part:
    """A district that is done: its result, and what the city is counted from.

    Attributes
    ----------
    name
        Of the district.
    result
        Its tables; without the homes.
    homes, land
        Verdicts of its homes, and of its residential land where rules ask for that.
    standings
        Per rule what is known about its layer.
    not_placed
        People whose homes could not be joined to a street.
    people_by_row
        All people of each row of the population, inside the district or not.
    """

    name: str
    result: ScanResult
    homes: Votes
    land: Votes | None
    standings: Mapping[str, Standing]
    not_placed: int
    complete: bool
    people_by_row: pd.Series

    @classmethod
    def of(cls, measured: Measured, result: ScanResult) -> Part:
        """Keep of a district what the city needs."""
        land = measured.land
        return cls(
            name=measured.study.name,
            result=result,
            homes=Votes(measured.judged, measured.people, measured.exit_m),
            land=Votes(land.judged, land.square_metres, land.exit_m) if land else None,
            standings=measured.standings,
            not_placed=int(measured.not_placed.sum()),
            complete=measured.study.communities.complete,
            people_by_row=measured.placement.homes.groupby(ROW)["people"].sum(),
        )


def combined(name: str, parts: Sequence[Part]) -> ScanResult:
    """Return one result for all districts.

    Ids stay as they are; those that two districts use get the name of the district in front (``武侯区/1``). Where no
    community names its district, the districts of the batch are the level above. Rules about supply that are not
    walked have no row for the city: their figures are those of the districts.

    Parameters
    ----------
    name
        Of the city.
    parts
        Districts with the same rules, walkers and gates.
    """
    parts = _with_own_sources(parts)
    own = [_as_district(part) for part in parts]
    named = [
        _with_ids(result, part.name, clashes)
        for part, result in zip(parts, own, strict=True)
        for clashes in [_clashes(own)]
    ]
    first, rules, walkers = named[0], parts[0].result.rules, _walkers(parts)
    votes = _together([part.homes for part in parts])
    standings = {rule: _standing(rule, parts) for rule in parts[0].standings}
    unit = _city(name, parts, len(votes.people.rural))
    told = (rules, votes.judged[0], standings, votes.people)
    catalogue = first.catalogue
    coverage = _city_coverage(parts, votes, standings, unit)
    coverage = in_order(stacked([coverage, *(_without_city(r.coverage) for r in named)]), rules, walkers)
    scores = sorted_by_unit(
        stacked([scores_table(*told, [unit], catalogue=catalogue), *(_without_city(r.scores) for r in named)])
    )
    reached = services_reached(*told, catalogue=catalogue)
    histogram = sorted_by_unit(
        stacked([histogram_table(reached, votes.people, [unit]), *(_without_city(r.histogram) for r in named)])
    )
    return replace(
        with_places_once(_side_by_side(named), named),
        coverage=coverage,
        scores=scores,
        histogram=histogram,
        communities=pd.concat([r.communities for r in named]).sort_index(),
        unplaced=_unplaced(parts, named),
        homes=stacked([r.homes for r in named]),
        background=drawn_once([r.background for r in named]),
        run=_run(name, parts),
        approval_number=_approval(parts),
        settings=_settings(parts),
        study=None,
        batch=_districts(parts, named),
        **{key: _optional(named, key, drawn_once) for key in ("circles", "bands", "estate_names", "diagnosis")},
        facility_changes=_optional(named, "facility_changes", _changes_once),
        gaps=_optional(
            named, "gaps", lambda tables: stacked(tables).sort_values("unit_id", kind="stable", ignore_index=True)
        ),
        false_coverage=false_coverage_table(coverage),
        distances=_distances(coverage, votes, unit, named),
        fairness=fairness_table(histogram, scores),
        additions=_optional(named, "additions", partial(_ranked, coverage=coverage)),
        sensitivity=None,
        rank_stability=None,
    )


def _distances(coverage: pd.DataFrame, votes: Votes, unit: Units, results: Sequence[ScanResult]) -> pd.DataFrame | None:
    """Count the people of the city by their walks, beside those of its districts."""
    judged = [verdict for verdicts in votes.judged for verdict in verdicts.values()]
    city = distances_table(coverage, judged, votes.people, [unit])
    return _optional(results, "distances", lambda own: sorted_by_unit(stacked([city, *map(_without_city, own)])))


def _with_own_sources(parts: Sequence[Part]) -> list[Part]:
    """Tell inputs of one name and different content apart, by the district in front."""
    ambiguous = ambiguous_sources([part.result for part in parts])

    def told(part: Part) -> Part:
        rows = part.people_by_row
        names = [own_source(name, part.name, ambiguous) for name in rows.index.get_level_values("source")]
        index = pd.MultiIndex.from_arrays([names, rows.index.get_level_values("row")], names=ROW)
        result = with_own_sources(part.result, part.name, ambiguous)
        return replace(part, result=result, people_by_row=rows.set_axis(index))

    return [told(part) for part in parts] if ambiguous else list(parts)


def _walkers(parts: Sequence[Part]) -> list[str]:
    return list(dict.fromkeys(j.walker for verdicts in parts[0].homes.judged for j in verdicts.values()))


def _together(votes: Sequence[Votes]) -> Votes:
    """Put the homes of all districts into one row."""

    def joined(arrays: Sequence[Any]) -> Any:
        return None if any(array is None for array in arrays) else np.concatenate(arrays)

    people = [vote.people for vote in votes]
    groups = [group for group in people[0].groups if all(group in other.groups for other in people)]
    return Votes(
        judged=tuple(
            {
                rule: replace(
                    verdict,
                    **{
                        key: joined([getattr(vote.judged[i][rule], key) for vote in votes])
                        for key in ("walk", "radius", "minutes", "walk_cm")
                    },
                )
                for rule, verdict in votes[0].judged[i].items()
            }
            for i in range(len(votes[0].judged))
        ),
        people=People(
            groups={group: joined([other.groups[group] for other in people]) for group in groups},
            rural=joined([other.rural for other in people]),
            households=joined([other.households for other in people]),
            of_land=people[0].of_land,
            shared=frozenset().union(*(other.shared for other in people)),
        ),
        exit_m=joined([vote.exit_m for vote in votes]),
    )


def _standing(rule: str, parts: Sequence[Part]) -> Standing:
    """Return what is known in the city: what is known in any of its districts, as of a rule of several parts."""
    asked = parts[0].result.rules.rule(rule)
    return parts_standing(asked.model_copy(update={"combine": "any_of"}), [part.standings[rule] for part in parts])


def _city(name: str, parts: Sequence[Part], homes: int) -> Units:
    types = {kind for part in parts for kind in part.result.scores.query("level == 'city'")["unit_type"]}
    return Units(
        level="city",
        ids=("city",),
        names=(name,),
        types=(types.pop() if len(types) == 1 else "mixed",),
        code=np.zeros(homes, dtype=np.int64),
        complete=np.array([all(part.complete for part in parts)]),
        not_placed=np.array([sum(part.not_placed for part in parts)], dtype=np.int64),
    )


def _city_coverage(parts: Sequence[Part], votes: Votes, standings: Mapping[str, Standing], unit: Units) -> pd.DataFrame:
    catalogue, rules = parts[0].result.catalogue, parts[0].result.rules.rules
    land = [part.land for part in parts if part.land]
    of_land = _together(land) if len(land) == len(parts) else None
    tables = []
    for vote in filter(None, (votes, of_land)):
        judged = [
            j
            for verdicts in vote.judged
            for j in verdicts.values()
            if vote is of_land or of_land is None or not j.rule.of_land
        ]
        here = replace(unit, code=np.zeros(len(vote.people.rural), dtype=np.int64))
        tables.append(
            coverage_table(
                judged,
                standings,
                vote.people,
                [here],
                catalogue=catalogue,
                exit_m=vote.exit_m,
                facility_units={"city": {}},
            )
        )
    table = stacked([conform(t, COVERAGE) for t in tables if len(t)])
    table = stacked(
        [table, *(conform(restated(rule, table, catalogue), COVERAGE) for rule in rules if rule.measured_by)]
    )
    key = ["rule", "walker", "gates"]
    counted = (
        pd.concat([part.result.coverage.query("level == 'city'") for part in parts])
        .groupby(key)["facilities"]
        .sum(min_count=1)
    )
    return table.assign(facilities=counted.reindex(pd.MultiIndex.from_frame(table[key])).to_numpy())


def _as_district(part: Part) -> ScanResult:
    """Return a result whose communities lie in the district of the batch, where they name none themselves."""
    result = part.result
    if (result.communities["district"] != "").any():
        return result

    def moved(table: Any) -> Any:
        whole, between = table["level"] == "city", table["level"] == "subdistrict"
        ids = table["unit_id"].where(~whole, part.name).where(~between, part.name + "/" + table["unit_id"])
        named = {"unit_name": table["unit_name"].where(~whole, part.name)} if "unit_name" in table else {}
        return table.assign(unit_id=ids, level=table["level"].where(~whole, "district"), **named)

    return replace(
        result,
        communities=result.communities.assign(district=part.name),
        **{field.name: moved(table) for field in fields(result) if _is_levelled(table := getattr(result, field.name))},
    )


def _clashes(results: Sequence[ScanResult]) -> set[tuple[str, str]]:
    """Return the units whose id two districts use."""
    units = pd.concat([_without_city(result.scores)[["level", "unit_id"]] for result in results])
    twice = units[units.duplicated()]
    return set(zip(twice["level"], twice["unit_id"], strict=True))


def _with_ids(result: ScanResult, name: str, clashes: set[tuple[str, str]]) -> ScanResult:
    """Return a result in which ids that another district uses, too, begin with the name of the district."""
    if not clashes:
        return result

    def told(levels: Iterable[str], ids: Iterable[str]) -> list[str]:
        return [f"{name}/{i}" if (level, i) in clashes else i for level, i in zip(levels, ids, strict=True)]

    changes: dict[str, Any] = {}
    for field in fields(result):
        table = getattr(result, field.name)
        if isinstance(table, pd.DataFrame):
            for column in {"unit_id", "unit"} & set(table.columns):
                levels = table["level"] if "level" in table else ["community"] * len(table)
                table = table.assign(**{column: told(levels, table[column])})
            changes[field.name] = table
    communities = changes["communities"]
    index = pd.Index(told(["community"] * len(communities), communities.index), name="unit_id", dtype="str")
    upper = {"district": told(["district"] * len(communities), communities["district"])}
    if (communities["district"] == "").all():
        upper["subdistrict"] = told(["subdistrict"] * len(communities), communities["subdistrict"])
    return replace(result, **{**changes, "communities": communities.assign(**upper).set_axis(index)})


def _is_levelled(table: Any) -> bool:
    return isinstance(table, pd.DataFrame) and "level" in table


def _side_by_side(results: Sequence[ScanResult]) -> ScanResult:
    """Return the tables of all districts under each other, for those of which nobody knows more: without the city."""
    names = [field.name for field in fields(ScanResult) if isinstance(getattr(results[0], field.name), pd.DataFrame)]

    def put(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
        whole = stacked([_without_city(table) if _is_levelled(table) else table for table in tables])
        return sorted_by_unit(whole) if _is_levelled(whole) else whole

    return replace(results[0], **{name: _optional(results, name, put) for name in names})


def _without_city(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["level"] != "city"]


def _optional(results: Sequence[ScanResult], name: str, put: Callable[[Sequence[Any]], Any]) -> Any:
    """Put tables together that a result need not have."""
    tables = [getattr(result, name) for result in results]
    known = [table for table in tables if table is not None]
    return put(known) if known else None


def _ranked(tables: Sequence[pd.DataFrame], *, coverage: pd.DataFrame) -> pd.DataFrame:
    """Rank the additions of all districts anew, and tell which share of the people of the city each gains."""
    whole = stacked(tables)
    key = ["rule", "walker", "gates"]
    demand = coverage[coverage["level"] == "city"].set_index(key)["demand"].astype(float)
    of_all = demand.reindex(pd.MultiIndex.from_frame(whole[key])).to_numpy()
    whole = whole.assign(gained_share=whole["gained"] / of_all)
    listed = whole["rank"].notna()
    by_rule = whole["gained"].where(listed).groupby(whole["rule"]).rank(method="first", ascending=False)
    everywhere = whole["completed"].where(whole["city_rank"].notna()).rank(method="first", ascending=False)
    whole = whole.assign(rank=by_rule.astype("Int64"), city_rank=everywhere.astype("Int64"))
    order = {rule: i for i, rule in enumerate(whole["rule"].drop_duplicates())}
    return (
        whole.assign(_rule=whole["rule"].map(order))
        .sort_values(["_rule", "rank"], kind="stable", ignore_index=True)
        .drop(columns="_rule")
    )


def _changes_once(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """List once what was made of a place of a list that several districts read, each in a plane of its own."""
    whole = stacked(tables)
    return whole[~whole.drop(columns="distance_m").duplicated()].reset_index(drop=True)


def _unplaced(parts: Sequence[Part], results: Sequence[ScanResult]) -> pd.DataFrame:
    """List what could not be used, each row once; people whom another district has taken in are used."""
    whole = stacked([result.unplaced for result in results])
    outside = whole["reason"] == "outside_communities"
    appears = pd.concat([part.people_by_row for part in parts])
    kept = whole[~outside].drop_duplicates()
    taken_in = (kept["reason"] == NO_COMMUNITY) & pd.MultiIndex.from_frame(kept[ROW]).isin(appears.index)
    kept = kept[~taken_in]  # a total of a community of another district
    rows = whole[outside].groupby(ROW, sort=False)["people"].sum()
    times, total = appears.groupby(level=ROW).size(), appears.groupby(level=ROW).max()
    # Of a row that n districts have read, everybody inside any of them is outside of the other n - 1.
    left = (rows - (times.reindex(rows.index).fillna(1) - 1) * total.reindex(rows.index).fillna(0)).clip(lower=0)
    first = whole[outside].drop_duplicates(ROW).set_index(ROW)
    first = first.assign(people=left.reindex(first.index).astype("Int64")).reset_index()
    table = stacked([kept, first[first["people"] > 0][list(whole.columns)]])
    return table.sort_values(["reason", "source", "row", "unit_id"], kind="stable", ignore_index=True)


def _run(name: str, parts: Sequence[Part]) -> dict[str, Any]:
    """Return the record of all runs as one."""
    runs = [part.result.run for part in parts]
    first = runs[0]
    unplaced = _unplaced(parts, [part.result for part in parts])
    placed = sum(run["people"]["placed"] for run in runs)
    # Rows without a place are those of a list that several districts read; homes off the streets are of one of them.
    of_lists = unplaced["people"][~unplaced["reason"].isin(("outside_communities", *NOT_JOINED))]
    not_placed = sum(part.not_placed for part in parts) + int(of_lists.fillna(0).sum())
    outside = int(unplaced["people"][unplaced["reason"] == "outside_communities"].sum())
    people = {"input": placed + not_placed + outside, "placed": placed, "not_placed": not_placed, "outside": outside}
    walked = {rule for verdicts in parts[0].homes.judged for rule in verdicts}
    supply = [rule.id for rule in parts[0].result.rules.rules if rule.id not in walked and not rule.measured_by]
    dates = [run["data_date"] for run in runs if run["data_date"]]
    notes = [f"{part.name}: {note}" for part in parts for note in part.result.run["warnings"]]
    if supply:
        notes.append(
            f"rules about supply have rows for districts in a batch, none for the whole city: {', '.join(supply)}"
        )
    return {
        **first,
        "name": name,
        "inputs": _inputs(runs, unplaced),
        "people": people,
        "counts": _counts(parts),
        "crs": "; ".join(dict.fromkeys(run["crs"] for run in runs)),
        "data_date": " – ".join(dict.fromkeys(f(dates) for f in (min, max))) if dates else first["data_date"],
        "datum": [
            {**verdict, "layer": f"{part.name}: {verdict['layer']}"}
            for part in parts
            for verdict in part.result.run["datum"]
        ],
        "warnings": notes,
        "scenes": [],
        "settings": _settings(parts),
        "timings_s": {
            key: round(sum(run["timings_s"].get(key, 0.0) for run in runs), 3)
            for key in dict.fromkeys(key for run in runs for key in run["timings_s"])
        },
    }


def _approval(parts: Sequence[Part]) -> str:
    """Return the number under which the map was approved: that of all districts, as none approves the others."""
    numbers = {part.result.approval_number for part in parts}
    return numbers.pop() if len(numbers) == 1 else ""


def _inputs(runs: Sequence[Mapping[str, Any]], unplaced: pd.DataFrame) -> list[dict[str, Any]]:
    """Return every input once; of totals by community are left out those that no district has taken in."""
    inputs = {str((i.get("role"), i.get("path"), i.get("sha256"))): i for run in runs for i in run["inputs"]}
    nobodys = unplaced["source"][unplaced["reason"] == NO_COMMUNITY].value_counts()

    def counted(entry: dict[str, Any]) -> dict[str, Any]:
        lost = entry.get("left_out") or {}
        if NO_COMMUNITY not in lost:
            return entry
        left = int(nobodys.get(entry["path"], 0))
        kept = {reason: n for reason, n in {**lost, NO_COMMUNITY: left}.items() if n}
        return {**entry, "used": entry["used"] + lost[NO_COMMUNITY] - left, "left_out": kept}

    return [counted(entry) for entry in inputs.values()]


def _counts(parts: Sequence[Part]) -> dict[str, int | float]:
    """Return how much there is in all districts: a place once, and streets that several districts read once."""
    runs = [part.result.run for part in parts]
    streets = {
        frozenset(
            (i["role"], i.get("path"), i.get("sha256")) for i in run["inputs"] if i["role"] in _STREET_INPUTS
        ): run
        for run in reversed(runs)
    }
    own = {"facilities": pd.concat([part.result.facilities["facility_id"] for part in parts]).nunique()}
    own["rules"] = runs[0]["counts"]["rules"]
    return {
        key: own[key]
        if key in own
        else round(sum(run["counts"][key] for run in (streets.values() if key.startswith("street_") else runs)), 1)
        for key in runs[0]["counts"]
    }


def _districts(parts: Sequence[Part], results: Sequence[ScanResult]) -> dict[str, DistrictStudy]:
    """Return by which study each district was measured, and the communities that it has in the tables of all."""
    return {
        part.name: DistrictStudy(result.study, tuple(result.communities.index))
        for part, result in zip(parts, results, strict=True)
        if result.study is not None
    }


def _settings(parts: Sequence[Part]) -> dict[str, object]:
    """Return what is in force: in all districts, or in each of them."""
    out: dict[str, object] = {}
    for key in dict.fromkeys(key for part in parts for key in part.result.settings):
        values = {part.name: part.result.settings.get(key, "not stated") for part in parts}
        same = len({str(value) for value in values.values()}) == 1
        out[key] = next(iter(values.values())) if same else "; ".join(f"{n}: {v}" for n, v in values.items())
    return out
