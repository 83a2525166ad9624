"""A result made fit for publication: without restricted places, and without small counts of people.

What is withheld follows from one thought (`livingcircle.withholding`): for every count of 1 to 9 people somebody else
could be counted in another community instead, and not one published number would differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from livingcircle.accounts import lost_notes
from livingcircle.columns import ADDITIONS, CAPACITY, COVERAGE, SCORES, UNPLACED, Table
from livingcircle.coverage import theme_of
from livingcircle.restricted import without_restricted
from livingcircle.result import ScanResult
from livingcircle.scores import THEMES
from livingcircle.withholding import SMALL, Bools, Floats, Ints, UnitTree, is_small

WITHHELD = "withheld"  # status of a row of coverage whose numbers are not published
COUNTED = ("people", "households")  # denominators that are somebody
STEPS = (0.1, 0.5, 1.0)  # to which a mean number of services is rounded where one of its services is withheld
_MEASURES = ("covered", "radius_covered", "minutes_covered")
_FOUND = (
    "share", "radius_share", "minutes_share", "value", "met_clause", "met_walk", "nearest_m_median", "nearest_m_p90",
    "attainment",
)  # fmt: skip
_SCORE = ("score", "score_low", "score_high")
_SMALL_IN_WORDS = re.compile(r"(?<![\d.,])[1-9] (?:people|residents)|(?<![\d.,])[1-9] ?人")


def published_result(result: ScanResult) -> ScanResult:
    """Return a result that may be handed to the public, from which every file is then written.

    - Places of lists under a restricted licence are counted and neither named nor drawn.
    - Counts of 1 to 9 people are missing and marked in `ScanResult.small` (files say ``<10``), with every number
      from which one of them could be worked out; a row of coverage without its numbers has the status ``withheld``.
    - Homes, single rows of inputs, estates and areas of one's own (which overlap the communities), walks by steps of
      100 m, and the tables that try other choices are left out.

    Parameters
    ----------
    result
        A finished scan. It is not changed.
    """
    counts = _Counts.of(result)
    coverage, small_coverage = _coverage(result, counts)
    scores, small_scores = _scores(result, counts)
    capacity, small_capacity = _capacity(result, counts)
    additions, small_additions = _additions(result)
    unplaced, small_unplaced = _unplaced(result.unplaced)
    communities, lost_hidden = _communities(result, counts, scores)
    small = {
        COVERAGE.name: small_coverage,
        SCORES.name: small_scores,
        UNPLACED.name: small_unplaced,
        **({CAPACITY.name: small_capacity} if capacity is not None else {}),
        **({ADDITIONS.name: small_additions} if additions is not None else {}),
    }
    study = result.study
    shared = replace(
        result,
        coverage=coverage,
        scores=scores,
        histogram=_histogram(result.histogram, counts),
        communities=communities,
        unplaced=unplaced,
        homes=result.homes.iloc[:0],
        circles=_circles(result.circles, counts),
        gaps=_gaps(result, counts),
        false_coverage=_false_coverage(result, counts),
        fairness=_fairness(result.fairness, counts),
        additions=additions,
        capacity=capacity,
        estates=None,
        estate_names=None if study is None or study.estates is not None else result.estate_names,
        diagnosis=_diagnosis(result),
        distances=None,
        sensitivity=None,
        rank_stability=None,
        study=None,
        batch={},
        small=small,
    )
    open_, left_out = without_restricted(shared)
    numbers = _withheld(result.coverage, coverage) + _withheld(result.scores, scores)
    numbers += _withheld(result.capacity, capacity) if result.capacity is not None and capacity is not None else 0
    return _told(open_, communities, lost_hidden=lost_hidden, numbers=numbers, places=left_out)


# -- counts ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Counts:
    """Which units' numbers are withheld, as positions in the tree.

    Attributes
    ----------
    node
        Of each row of coverage the position of its unit; -1 for estates and areas.
    whole
        Units of which nothing is told, as their people are few, or the few of another would follow from theirs.
    groups
        Units of which nothing is told by age.
    rules
        By rule the units whose coverage is withheld.
    scoring
        Units of which the coverage of a scoring rule is withheld.
    """

    tree: UnitTree
    node: Ints
    whole: Bools
    groups: Bools
    rules: Mapping[str, Bools]
    scoring: Bools

    @classmethod
    def of(cls, result: ScanResult) -> _Counts:
        tree = UnitTree.of(result.communities)
        table = result.coverage
        node = tree.positions(table["level"], table["unit_id"])
        whole, groups = _few_people(result, tree, node)
        demand, counted = _numbers(table["demand"]), table["denominator"].isin(COUNTED).to_numpy() & (node >= 0)
        values = [_numbers(table[name]) for name in _MEASURES]
        falsely = np.abs(values[1] - values[0])
        small = np.any([is_small(x) | is_small(demand - x) for x in values] + [is_small(falsely)], axis=0)
        room = np.min([_room(x, demand) for x in values], axis=0)
        rules: dict[str, Bools] = {}
        names, group = table["rule"].to_numpy(dtype=object), table["group"].to_numpy(dtype=object)
        for rule in pd.unique(table["rule"]):
            mine = counted & (names == rule)
            hidden = tree.withheld(*_by_node(tree, node[mine], small[mine], room[mine])) | whole
            rules[str(rule)] = hidden | groups if (group[mine] != "all").any() else hidden
        scoring = np.any([rules[r] for r in result.rules.scoring if r in rules] or [whole], axis=0)
        return cls(tree, node, whole, groups, rules, scoring)

    def at(self, table: pd.DataFrame, hidden: Bools) -> Bools:
        """Tell which rows of a table with level and unit_id are of withheld units; units outside the tree are."""
        node = self.tree.positions(table["level"], table["unit_id"])
        return (node < 0) | hidden[node]

    def of_rule(self, rules: pd.Series, node: Any) -> Bools:
        """Tell which rows, of a rule and a unit each, are withheld; units outside the tree are."""
        nothing = np.zeros(len(self.whole), dtype=bool)
        found = [bool(self.rules.get(str(r), nothing)[n]) for r, n in zip(rules, node, strict=True)]
        return np.array(found, dtype=bool) | (np.asarray(node) < 0)


def _few_people(result: ScanResult, tree: UnitTree, node: Any) -> tuple[Bools, Bools]:
    """Return the units of which nothing is told, and those of which nothing is told by age."""
    scores = result.scores
    at = tree.positions(scores["level"], scores["unit_id"])
    people = np.full(len(tree.parent), np.nan)
    people[at[at >= 0]] = _numbers(scores["people"])[at >= 0]
    small, room = is_small(people), np.nan_to_num(people, nan=-1.0)
    table = result.coverage
    demand, group = _numbers(table["demand"]), table["group"].to_numpy(dtype=object)
    counted = table["denominator"].isin(COUNTED).to_numpy() & (node >= 0)
    everybody = counted & (group == "all")
    small |= _by_node(tree, node[everybody], is_small(demand[everybody]), demand[everybody])[0]
    whole = tree.withheld(small, room)
    aged = counted & (group != "all")
    own, rest = demand[aged], people[node[aged]] - demand[aged]
    few = is_small(own) | is_small(rest)
    # A rule for a group that nobody counted stands for all people; then there is no rest.
    free = np.where(rest == 0, own, np.fmin(own, rest))
    return whole, tree.withheld(*_by_node(tree, node[aged], few, free)) | whole


def _numbers(values: pd.Series) -> Floats:
    return np.asarray(pd.to_numeric(values, errors="coerce").astype("float64"))


def _room(values: Floats, whole: Floats) -> Floats:
    """Return by how much counts can change both ways; what is not known is no obstacle."""
    return np.nan_to_num(np.minimum(values, whole - values), nan=np.inf)


def _by_node(tree: UnitTree, node: Any, small: Bools, room: Floats) -> tuple[Bools, Floats]:
    """Bring rows to units: small if one of its rows is, the least room of all; units without rows have none."""
    few, free = np.zeros(len(tree.parent), dtype=bool), np.full(len(tree.parent), np.inf)
    np.logical_or.at(few, node, small)
    np.minimum.at(free, node, room)
    return few, np.where(np.isinf(free), -1.0, free)


# -- tables ---------------------------------------------------------------------------------------------


def _coverage(result: ScanResult, counts: _Counts) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = result.coverage
    inside = counts.node >= 0
    kept, node = table[inside].reset_index(drop=True), counts.node[inside]
    somebody = (kept["denominator"].isin(COUNTED) | kept["denominator"].fillna("").eq("")).to_numpy()
    hidden = counts.of_rule(kept["rule"], node) & somebody
    few = counts.whole[node] | (counts.groups[node] & (kept["group"] != "all").to_numpy())
    gone = dict.fromkeys((*_MEASURES, *_FOUND), hidden)
    gone |= {"demand": few & somebody, "edge_share": _edges(kept, counts.tree, node) | few | ~somebody & few}
    small = _small(kept, COVERAGE, gone)
    known = kept["status"].isin(("ok", "incomplete")).to_numpy()
    status = kept["status"].where(~(hidden & known), WITHHELD)
    return _blank(kept, gone).assign(status=status), small


def _edges(table: pd.DataFrame, tree: UnitTree, node: Any) -> Bools:
    """Tell where the share of people whose reach leaves the data would tell a small count."""
    demand, edge = _numbers(table["demand"]), _numbers(table["edge_share"])
    out = edge * demand
    small, room = is_small(out) | is_small(demand - out), _room(out, demand)
    gone, names = np.zeros(len(table), dtype=bool), table["rule"].to_numpy(dtype=object)
    for rule in pd.unique(table["rule"]):
        mine = names == rule
        gone[mine] = tree.withheld(*_by_node(tree, node[mine], small[mine], room[mine]))[node[mine]]
    return gone


def _scores(result: ScanResult, counts: _Counts) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = result.scores[~counts.at(result.scores, np.zeros_like(counts.whole))].reset_index(drop=True)
    node = counts.tree.positions(table["level"], table["unit_id"])
    whole, partly = counts.whole[node], counts.scoring[node]
    ends = _complete_hidden(table, counts.tree, node) | whole
    themes = {f"theme_{theme}": whole | _theme_hidden(result, counts, theme)[node] for theme in THEMES}
    gone = {
        "people": whole,
        **dict.fromkeys(("complete_share", "missing_one_share"), ends),
        **dict.fromkeys(("k_mean", *_SCORE), whole),
        **themes,
    }
    small = _small(table, SCORES, gone)
    shown = _blank(table, gone)
    rough = _rough_means(result, counts, table, node)
    step = np.where(partly, rough - _numbers(table["k_mean"]), 0.0)
    points = 100 * step / np.maximum(_numbers(table["n_listed"]), 1)
    shown = shown.assign(k_mean=_numbers(shown["k_mean"]) + step)
    shown = shown.assign(**{name: np.clip(_numbers(shown[name]) + points, 0, 100) for name in _SCORE})
    return shown.assign(weakest_rule=table["weakest_rule"].where(~partly, "")), small


def _complete_hidden(table: pd.DataFrame, tree: UnitTree, node: Any) -> Bools:
    people = _numbers(table["people"])
    both = [_numbers(table[name]) * people for name in ("complete_share", "missing_one_share")]
    small = np.any([is_small(x) | is_small(people - x) for x in both], axis=0)
    room = np.min([_room(x, people) for x in both], axis=0)
    return tree.withheld(*_by_node(tree, node, small, room))[node]


def _theme_hidden(result: ScanResult, counts: _Counts, theme: str) -> Bools:
    """Tell for which units a scoring rule of the theme is withheld: the mean of the theme would tell its number."""
    listed = set(result.rules.scoring)
    mine = [r.id for r in result.rules.rules if r.id in listed and theme_of(r, result.catalogue) == theme]
    return np.any([counts.rules[r] for r in mine if r in counts.rules] or [np.zeros_like(counts.whole)], axis=0)


def _rough_means(result: ScanResult, counts: _Counts, table: pd.DataFrame, node: Any) -> Floats:
    """Round the mean number of services so far that it is the same for all values that the withheld ones may have.

    k times the people is the sum of the people whom each service covers: exact, it would tell the one that is missing.
    """
    k, people = _numbers(table["k_mean"]), np.maximum(_numbers(table["people"]), 1)
    down, up = _leeway(result, counts)
    low, high = k - down[node] / people, k + up[node] / people
    rough = np.full(len(k), np.nan)
    for step in reversed(STEPS):
        same = np.floor(low / step + 0.5) == np.floor(high / step + 0.5)
        rough = np.where(same, np.floor(k / step + 0.5) * step, rough)
    return rough


def _leeway(result: ScanResult, counts: _Counts) -> tuple[Floats, Floats]:
    """Return by how many people less and more the withheld coverage of scoring rules may be, summed per unit.

    A small count may be anything from 1 to 9; one that is withheld beside it makes up for that.
    """
    total_down, total_up = np.zeros(len(counts.whole)), np.zeros(len(counts.whole))
    first = result.coverage.assign(_node=counts.node)[counts.node >= 0].drop_duplicates(["rule", "_node"])
    for rule in result.rules.scoring:
        rows = first[(first["rule"] == rule) & first["denominator"].isin(COUNTED)]
        if rows.empty:
            continue
        covered, demand = np.full((2, len(counts.whole)), np.nan)
        covered[rows["_node"]], demand[rows["_node"]] = _numbers(rows["covered"]), _numbers(rows["demand"])
        hidden, left = counts.rules[rule], demand - covered
        few, nearly = hidden & is_small(covered), hidden & is_small(left) & ~is_small(covered)
        down = np.select([few, nearly], [covered - 1, SMALL - 1 - left], 0.0)
        up = np.select([few, nearly], [SMALL - 1 - covered, left - 1], 0.0)
        beside = np.flatnonzero(hidden & ~few & ~nearly)
        above = np.array([counts.tree.published_above(int(n), hidden) for n in range(len(hidden))])
        leaves = counts.tree.index.get_level_values("level") == "community"
        own = leaves & (few | nearly)
        for n in beside[leaves[beside]]:
            under = own & (above == above[n])
            down[n], up[n] = up[under].sum(), down[under].sum()
        for n in np.flatnonzero(hidden & ~leaves):
            below = counts.tree.leaves_below[int(n)]
            down[n], up[n] = (np.where(hidden, part, 0)[below].sum() for part in (down, up))
        total_down, total_up = total_down + down, total_up + up
    return total_down, total_up


def _capacity(result: ScanResult, counts: _Counts) -> tuple[pd.DataFrame | None, pd.DataFrame]:
    if result.capacity is None:
        return None, pd.DataFrame()
    table = result.capacity[~counts.at(result.capacity, np.zeros_like(counts.whole))].reset_index(drop=True)
    node = counts.tree.positions(table["level"], table["unit_id"])
    people = _numbers(table["people"])
    parts = [_numbers(table[name]) for name in ("people_without", "people_below")]
    small = np.any([is_small(x) | is_small(people - x) for x in parts] + [is_small(people)], axis=0)
    room = np.min([_room(x, people) for x in parts], axis=0)
    hidden = np.zeros(len(table), dtype=bool)
    for rows in table.groupby(["service", "measure", "group"], sort=False, dropna=False).indices.values():
        mine = _by_node(counts.tree, node[rows], small[rows], room[rows])
        hidden[rows] = counts.tree.withheld(*mine)[node[rows]]
    few = counts.whole[node] | (counts.groups[node] & (table["group"] != "all").to_numpy())
    names = ("people_without", "people_below", "access_per_1000", "access_p10", "access_p50")
    gone = {"people": few | is_small(people), **dict.fromkeys(names, hidden | few)}
    return _blank(table, gone), _small(table, CAPACITY, gone)


def _additions(result: ScanResult) -> tuple[pd.DataFrame | None, pd.DataFrame]:
    """Withhold small gains; parcels of the planner's own list are neither named nor placed."""
    table = result.additions
    if table is None:
        return None, pd.DataFrame()
    gained, completed = is_small(table["gained"]), is_small(_numbers(table["completed"]))
    gone = {"gained": gained, "gained_share": gained, "completed": completed}
    shown = _blank(table, gone)
    if result.study is None or result.study.candidates.file is not None:
        shown = shown.assign(candidate_id="", candidate_name="", lon=np.nan, lat=np.nan)
    return shown, _small(table, ADDITIONS, gone)


def _unplaced(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count what could not be used by file and reason; no row of it is shown."""
    grouped = table.groupby(["reason", "source"], as_index=False, dropna=False, sort=True)
    found = grouped.agg(people=("people", lambda p: p.sum(min_count=1)), rows=("reason", "size"))
    shown = pd.DataFrame(
        {
            "source": found["source"],
            "row": "",
            "name": "",
            "unit_id": "",
            "people": found["people"].astype("Int64"),
            "reason": found["reason"],
            "detail": [f"{n:,} rows" for n in found["rows"]],
        }
    )
    small = is_small(_numbers(shown["people"]))
    gone = {"people": np.full(len(shown), bool(small.any()))}  # their sums are told elsewhere
    return _blank(shown, gone), _small(shown, UNPLACED, gone)


def _communities(result: ScanResult, counts: _Counts, scores: pd.DataFrame) -> tuple[gpd.GeoDataFrame, bool]:
    """Return the communities with their published scores, and whether the sum of those not placed is withheld."""
    frame, tree = result.communities, counts.tree
    own = scores[scores["level"] == "community"].set_index("unit_id").reindex(frame.index)
    same = [c for c in ("people", *SCORES.names[6:]) if c in frame.columns and c in own.columns]
    lost = np.zeros(len(tree.parent))
    for leaf, number in zip(range(len(frame)), _numbers(frame["not_placed"]), strict=True):
        for step in tree.upwards(leaf):
            lost[step] += number
    hidden = tree.withheld(is_small(lost), lost) | counts.whole
    mine, whole = hidden[: len(frame)], counts.whole[: len(frame)]
    shown = frame.assign(**{name: own[name] for name in same})
    gone = {"not_placed": mine, "leg_m_p50": whole, "leg_m_p90": whole}
    return _blank(shown, gone).assign(basis=frame["basis"].map(_main_basis)), bool(hidden[-1])


def _main_basis(text: object) -> str:
    """Return by what most people of a community were placed, without the percents that tell how few the others are."""
    parts = re.findall(r"([^\W\d]+)(?: (\d+)%)?", text) if isinstance(text, str) else []
    return str(max(parts, key=lambda part: int(part[1] or 100))[0]) if parts else ""


def _histogram(table: pd.DataFrame, counts: _Counts) -> pd.DataFrame:
    """Keep the spread of services over all people of the city, where no count in it is small."""
    city = table[(table["level"] == "city") & (table["group"] == "all")]
    few = is_small(_numbers(city["people"])).any() or counts.scoring[-1] or counts.whole[-1]
    return city.iloc[: 0 if few else len(city)].reset_index(drop=True)


def _fairness(table: pd.DataFrame | None, counts: _Counts) -> pd.DataFrame | None:
    if table is None:
        return None
    of_group = (table["group"] != "all").to_numpy() & counts.at(table, counts.groups)
    gone = counts.at(table, counts.whole | counts.scoring) | of_group | is_small(_numbers(table["people"]))
    return table[~gone].reset_index(drop=True)


def _gaps(result: ScanResult, counts: _Counts) -> pd.DataFrame | None:
    """Leave out gaps that are withheld: that one is listed would tell that it is not none."""
    table = result.gaps
    if table is None:
        return None
    node = counts.tree.positions(pd.Series("community", index=table.index), table["unit_id"])
    kept = table[~counts.of_rule(table["rule"], node)].reset_index(drop=True)
    without, unreached = _numbers(kept["without"]), _numbers(kept["unreached"])
    return _blank(kept, {"unreached": is_small(unreached) | is_small(without - unreached)})


def _false_coverage(result: ScanResult, counts: _Counts) -> pd.DataFrame | None:
    table = result.false_coverage
    if table is None:
        return None
    node = counts.tree.positions(table["level"], table["unit_id"])
    kept = table[~counts.of_rule(table["rule"], node)].reset_index(drop=True)
    same = kept.groupby(["level", "walker", "gates"], sort=False, dropna=False)
    return kept.assign(rank=same["false_covered"].rank(method="min", ascending=False).astype("int64"))


def _circles(table: gpd.GeoDataFrame | None, counts: _Counts) -> gpd.GeoDataFrame | None:
    """Leave out the circles of communities with few people, and people of circles that differ by few."""
    if table is None:
        return None
    node = counts.tree.positions(pd.Series("community", index=table.index), table["unit_id"])
    kept = table[~counts.whole[node]].reset_index(drop=True)
    ordered = kept.sort_values(["unit_id", "walker", "minutes"], kind="stable")
    more = ordered.groupby(["unit_id", "walker"])["people"].diff()
    few = pd.Series(is_small(_numbers(ordered["people"])) | is_small(_numbers(more)), index=ordered.index)
    any_few = few.groupby([ordered["unit_id"], ordered["walker"]]).transform("any").reindex(kept.index)
    return _blank(kept, {"people": any_few.to_numpy(dtype=bool)})


def _diagnosis(result: ScanResult) -> gpd.GeoDataFrame | None:
    """Keep faults of the streets of OpenStreetMap; legs begin where people live."""
    if result.diagnosis is None or result.study is None or result.study.streets.own is not None:
        return None
    return result.diagnosis[result.diagnosis["kind"] != "long_connector"].reset_index(drop=True)


# -- what is said of it ---------------------------------------------------------------------------------


def _told(
    result: ScanResult, communities: gpd.GeoDataFrame, *, lost_hidden: bool, numbers: int, places: int
) -> ScanResult:
    """Say in `run.json`, and by the settings on map and report, how the result was made for publication."""
    words = (
        f"made for publication 供公布: 1–9 people are <10 少于10人不列出; {numbers:,} numbers withheld 个数值不公布;"
        f" {places:,} places of restricted lists only counted 处受限设施只计数;"
        " means of services rounded where one is withheld"
    )
    run, people = dict(result.run), dict(result.run.get("people", {}))
    if lost_hidden or is_small(list(people.values())).any():
        people = {key: value if key == "placed" else None for key, value in people.items()}
    steady = communities.assign(**{n: communities[n].fillna(0).astype("int64") for n in ("people", "not_placed")})
    kept = [w for w in run["warnings"] if "away from every street" not in w and not _SMALL_IN_WORDS.search(w)]
    run |= {
        "people": people,
        "warnings": [*kept, *lost_notes(steady)],
        "publication": {"numbers_withheld": numbers, "places_only_counted": places, "small": f"<{SMALL}"},
        "settings": {**run.get("settings", {}), "publication": words},
    }
    return replace(result, run=run, settings={**result.settings, "publication": words})


def _blank(table: Any, gone: Mapping[str, Bools]) -> Any:
    """Return a table without the numbers that are withheld."""
    changed: dict[str, Any] = {}
    for name, mask in gone.items():
        whole = table[name].dtype.kind in "iu"
        changed[name] = (table[name].astype("Int64") if whole else table[name]).mask(mask)
    return table.assign(**changed)


def _small(table: pd.DataFrame, described: Table, gone: Mapping[str, Bools]) -> pd.DataFrame:
    """Tell which of the withheld numbers are counts of 1 to 9 people, which files print as ``<10``."""
    counted = [c.name for c in described.columns if c.counts_people and c.name in gone]
    return pd.DataFrame({name: gone[name] & is_small(_numbers(table[name])) for name in counted})


def _withheld(before: pd.DataFrame, after: pd.DataFrame) -> int:
    """Count the numbers that a table no longer tells."""
    numbers = [str(name) for name in before.select_dtypes("number")]
    return int(before[numbers].notna().to_numpy().sum() - after[numbers].notna().to_numpy().sum())
