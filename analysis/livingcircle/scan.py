"""The main job: from a study to who can walk to what, for every community."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.accounts import (
    account,
    lost_notes,
    outline_notes,
    run_record,
    settings_of,
    shut_notes,
    size_notes,
    without_way_in,
)
from livingcircle.additions import additions_beside
from livingcircle.beside import one_thread
from livingcircle.capacity import capacity_notes, capacity_table
from livingcircle.choice import count_within
from livingcircle.circles import CircleGrid, answered_beside
from livingcircle.columns import COVERAGE, conform
from livingcircle.community_circles import communities_question
from livingcircle.community_circles import ground_of as walked_ground
from livingcircle.coverage import LEVELS, NESTED_LEVELS, Judged, coverage_table, judge, rule_walker
from livingcircle.diagnosis import diagnose
from livingcircle.distances import distances_table
from livingcircle.estate_names import named_estates
from livingcircle.facility_circles import facilities_question
from livingcircle.fairness import fairness_table
from livingcircle.false_coverage import false_coverage_table
from livingcircle.gaps import gaps_table
from livingcircle.gates import estate_gains, inner_place_notes
from livingcircle.green_bands import bands_question
from livingcircle.inputs import Inputs
from livingcircle.measured import Measured, make_levels, measure
from livingcircle.progress import Progress, Stages
from livingcircle.publishing import published_result
from livingcircle.quantiles import people_quantiles
from livingcircle.reach import City, Layer, nearest_m
from livingcircle.result import ScanResult
from livingcircle.rules import DISTANCE_METRICS, RuleSet
from livingcircle.scores import histogram_table, scores_table, services_reached
from livingcircle.sensitivity import doubt_of
from livingcircle.stock import ground_of, stock_of
from livingcircle.study import Study
from livingcircle.supply import restated, supply_table
from livingcircle.walkers import Walker
from livingcircle_layers.catalogue import Catalogue
from livingcircle_layers.crs import WGS84
from livingcircle_layers.lattice import first_inside
from livingcircle_layers.units import upper_levels


def scan(study: Study | str | Path, *, only: Sequence[str] = (), progress: Progress | None = None) -> ScanResult:
    """Find out, for every community, who can walk to which service within the standard.

    Parameters
    ----------
    study
        A study, or the path of a study file.
    only
        Ids of communities: only these are listed; the numbers are those of a full scan.
    progress
        Called with an event when something begins or ends (`livingcircle.progress`); ``print`` will do.

    Returns
    -------
    ScanResult
        Coverage, scores and maps; `ScanResult.save` writes them.

    Raises
    ------
    InputError
        An input cannot be used; the message says what to do.
    UsageError
        A standard, walker, service or community does not exist.
    """
    return result_of(measure(study, only=only, progress=progress), progress=progress)


def result_of(measured: Measured, *, walks_of_homes: bool = True, progress: Progress | None = None) -> ScanResult:
    """Count people by unit and make every table of a scan from what was measured.

    Parameters
    ----------
    measured
        See `livingcircle.measured.measure`.
    walks_of_homes
        Whether the table of homes tells of every home's walks, which only `homes.parquet` needs.
    progress
        Called with an event when something begins or ends (`livingcircle.progress`); ``print`` will do.
    """
    # Long because a scan has many tables: it is one line for each, in the order in which they are made.
    study, inputs, rules, city = measured.study, measured.inputs, measured.rules, measured.city
    stages = Stages(progress, dict(measured.seconds))
    with (
        one_thread() as thread,
        # Circles last: they take as many cores as there are when nothing else is left to do.
        additions_beside(measured, thread) as added,
        _drawn_beside(measured, stages, thread) as drawn,
    ):
        with stages.stage("aggregate", "counting people by unit"):
            coverage = coverage_of(measured)
            told = (rules, measured.first, measured.standings, measured.people)
            scores = scores_table(*told, measured.levels, catalogue=measured.catalogue)
            reached = services_reached(*told, catalogue=measured.catalogue)
            gaps = gaps_table(measured, coverage)
            gains = _gains(measured)
        with stages.stage("capacity", "sharing out beds, seats and floor"):
            capacity = capacity_table(measured)
        doubt = None
        if study.sensitivity is not None:
            with stages.stage("sensitivity", "judging again with other thresholds, speeds, people and gates"):
                doubt = doubt_of(measured, coverage, sorted_by_unit(scores), counted=coverage_of)
        with stages.stage("tables", "making the tables of the result"):
            histogram = sorted_by_unit(histogram_table(reached, measured.people, measured.levels))
            doors = _access_points(city)
            shut = without_way_in(study, inputs, city.doors)
            unplaced, counts = account(study, inputs, measured.placement, measured.joins, shut)
            communities = _communities(measured, scores)
            run = run_record(study, inputs, rules, measured.first, counts, shut, stages)
            settings = settings_of(study, measured.walkers, rules)
            if doubt:
                settings["sensitivity"] = run["settings"]["sensitivity"] = (
                    "; ".join(doubt.tried) or "nothing was changed"
                )
            run["services_not_measured"] = measured.catalogue.unplaceable()
            result = ScanResult(
                coverage=coverage,
                scores=sorted_by_unit(scores),
                histogram=histogram,
                communities=communities,
                facilities=_facilities(inputs, measured.catalogue),
                access_points=doors,
                unplaced=unplaced,
                homes=_homes(city, _walks_of_homes(measured) if walks_of_homes else {}),
                background=inputs.osm.background.to_crs(WGS84),
                rules=rules,
                catalogue=measured.catalogue,
                run=_with_warnings(run, _notes(measured, communities, shut)),
                settings=settings,
                approval_number=study.map.approval_number,
                estates=gains,
                study=study,
                estate_names=named_estates(inputs),
                diagnosis=_diagnosis(city, of_land=measured.people.of_land),
                gaps=gaps,
                false_coverage=false_coverage_table(coverage),
                fairness=fairness_table(histogram, scores),
                capacity=capacity,
                sensitivity=doubt.shares if doubt else None,
                rank_stability=doubt.ranks if doubt else None,
                facility_changes=inputs.facilities.changes,
                distances=_distances(measured, coverage),
            )
        with stages.stage("additions", "looking where one more place would help most"):
            additions, more = added()
            result = replace(result, additions=additions, run=_with_warnings(dict(result.run), more))
        with stages.stage("circles", "drawing the last circles"):
            result = _with_circles(result, *drawn())
    chosen = _restricted_to(result, measured.only) if measured.only else result
    return published_result(chosen) if study.publish else chosen


def _distances(measured: Measured, coverage: pd.DataFrame) -> pd.DataFrame:
    """Return how far people walk, by every rule and walker."""
    judged = [j for verdicts in measured.judged for j in verdicts.values()]
    return distances_table(coverage, judged, measured.people, measured.levels)


def _gains(measured: Measured) -> pd.DataFrame | None:
    """Return what opening the gates of each estate would bring, where the study compares both."""
    if measured.study.gates != "both":
        return None
    opened = measured.judged[len(measured.walkers)]
    return estate_gains(measured.inputs.estates, measured.city.homes, measured.people, measured.first, opened)


def _notes(measured: Measured, communities: gpd.GeoDataFrame, shut: pd.DataFrame) -> list[str]:
    """Return what the planner should know of the numbers, beside what the inputs said."""
    return [
        *inner_place_notes(measured.city),
        *lost_notes(communities),
        *shut_notes(shut),
        *size_notes(measured.rules, measured.inputs.facilities),
        *outline_notes(measured.rules, measured.inputs.facilities),
        *(measured.land.notes if measured.land else ()),
        *capacity_notes(measured),
    ]


def coverage_of(measured: Measured) -> pd.DataFrame:
    """Return the long table of coverage, in its final order (see `livingcircle.columns.COVERAGE`)."""
    shared: dict[str, Any] = {
        "catalogue": measured.catalogue,
        "facility_units": _places_inside(measured.inputs, measured.first),
    }
    land, standings = measured.land, measured.standings
    of_people = [j for verdicts in measured.judged for j in verdicts.values() if not (land and j.rule.of_land)]
    tables = [coverage_table(of_people, standings, measured.people, measured.levels, exit_m=measured.exit_m, **shared)]
    if land is not None:
        of_land = [j for verdicts in land.judged for j in verdicts.values()]
        tables.append(coverage_table(of_land, standings, land.square_metres, land.levels, exit_m=land.exit_m, **shared))
    by_distance = pd.concat(tables, ignore_index=True)
    tables = [by_distance, _supply(measured)]
    tables += [restated(r, by_distance, measured.catalogue) for r in measured.rules.rules if r.measured_by]
    return in_order(_stacked(tables), measured.rules, [w.name for w in measured.walkers])


def _supply(measured: Measured) -> pd.DataFrame:
    """Return the rows of coverage of the rules that ask for a supply and for no walk."""
    inputs, study, rules = measured.inputs, measured.study, measured.rules.rules
    ids = pd.Series(inputs.units.index)
    first = next(iter(measured.first.values()), None)
    gates = first.gates if first else "respect"
    shares = [rule for rule in rules if rule.metric == "share_unit" and rule.walked]
    walked = judge(shares, measured.reaches[gates], measured.walkers[0], gates=gates, profiles=study.profiles())
    homes = measured.placement.homes
    return supply_table(
        rules,
        stock_of(inputs.facilities, inputs.units),
        ground_of(
            homes[homes["unit"] != ""],
            inputs.units,
            inputs.osm.streets if any(rule.metric == "density" for rule in rules) else None,
            of_land=measured.people.of_land,
            shared=measured.people.shared,
        ),
        make_levels(inputs.units, ids, complete=study.communities.complete, name=study.name),
        catalogue=measured.catalogue,
        in_reach={**measured.first, **walked},
        standings=measured.standings,
        people=measured.people,
        homes=[units for units in measured.levels if units.level in NESTED_LEVELS],
    )


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put tables of coverage under each other; a column that is empty in one of them keeps its type."""
    return pd.concat([conform(table, COVERAGE) for table in tables if len(table)], ignore_index=True)


def _access_points(city: City) -> gpd.GeoDataFrame:
    """Return the access points of every service of a place, by source, in WGS-84 degrees."""
    places = city.facilities[["facility_id", "service", "source"]].merge(city.doors, on="facility_id", how="inner")
    columns = ["facility_id", "service", "source", "how", "edge_id", "leg_m", "geometry"]
    table = gpd.GeoDataFrame(places[columns], crs=city.facilities.crs)
    return table.sort_values("source", kind="stable", ignore_index=True).to_crs(WGS84)


def _walks_of_homes(measured: Measured) -> dict[str, Any]:
    """Return what `homes.parquet` tells of every home's walks."""
    limit_m = measured.study.search_limit_m
    nearest = _nearest_by_service(measured.city, measured.catalogue, measured.walkers[0], limit_m)
    return {**nearest, **_within_thresholds(measured)}


def _nearest_by_service(city: City, catalogue: Catalogue, walker: Walker, limit_m: float) -> dict[str, Any]:
    """Measure the walk to every service that has places, for `homes.parquet`."""
    present = set(city.facilities["service"])
    return {
        f"nearest_m_{service}": nearest_m(city, Layer((service,)), walker, limit_m=limit_m)
        for service in catalogue.services
        if service in present
    }


def _places_inside(inputs: Inputs, judged: Mapping[str, Judged]) -> dict[str, dict[Layer, npt.NDArray[np.int64]]]:
    """Count the places of each layer inside each unit, by a point that lies in the place."""
    frame = inputs.facilities.frame
    points = shapely.point_on_surface(frame.geometry.to_numpy())
    unit = first_inside(points, inputs.units.geometry.to_numpy())
    home = pd.Series(np.append(inputs.units.index.to_numpy(dtype=object), "")[unit])
    nobody = gpd.GeoSeries([], crs=inputs.units.crs), pd.Series([], dtype="int64")
    located = [
        *make_levels(inputs.units, home, complete=True),
        *(units for overlay in inputs.overlays for units in overlay.levels(points, *nobody)),
    ]
    layers = {Layer.of(j.rule): Layer.of(j.rule).chosen(frame) for j in judged.values()}
    once = {layer: mask & ~frame["facility_id"].where(mask).duplicated().to_numpy() for layer, mask in layers.items()}
    return {units.key: {layer: units.total(mask.astype(np.int64)) for layer, mask in once.items()} for units in located}


def in_order(coverage: pd.DataFrame, rules: RuleSet, walkers: Sequence[str]) -> pd.DataFrame:
    """Return a table of coverage in its final order: by level, unit, rule, walker (in the order of names), gates."""
    order = {
        "level": list(LEVELS),
        "rule": [r.id for r in rules.rules],
        "walker": list(walkers),
        "gates": ["respect", "open"],
    }
    keys = [
        coverage[c].map({v: i for i, v in enumerate(order[c])}) if c in order else coverage[c]
        for c in ("gates", "walker", "rule", "unit_id", "level")
    ]
    return coverage.iloc[np.lexsort([np.asarray(k) for k in keys])].reset_index(drop=True)


def sorted_by_unit(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in its final order: by level and unit, otherwise as it is."""
    level = table["level"].map({v: i for i, v in enumerate(LEVELS)})
    order = np.lexsort([table["unit_id"].to_numpy(dtype=str), level.to_numpy()])
    return table.iloc[order].reset_index(drop=True)


def _communities(measured: Measured, scores: pd.DataFrame) -> gpd.GeoDataFrame:
    inputs, placement, city = measured.inputs, measured.placement, measured.city
    own = scores[scores["level"] == "community"].set_index("unit_id").drop(columns=["level", "unit_name", "unit_type"])
    frame = inputs.communities.frame.join(own)
    units = next(units for units in measured.levels if units.level == "community")
    legs = people_quantiles(city.home_joins.leg_m, city.homes["people"].to_numpy(dtype=np.int64), units)
    for leg, column in zip(legs, ("leg_m_p50", "leg_m_p90"), strict=True):
        frame[column] = pd.Series(leg, index=list(units.ids)).round(2).reindex(frame.index)
    total = placement.basis.sum(axis=1)
    share = placement.basis.div(total.where(total > 0), axis=0).reindex(frame.index)
    text = [
        ", ".join(f"{b} {v:.0%}" for b, v in zip(share.columns, row, strict=True) if v > 0)
        for row in share.to_numpy(dtype=float).tolist()
    ]
    not_placed = measured.not_placed.reindex(frame.index).fillna(0).astype("int64")
    return frame.assign(basis=pd.Series(text, index=frame.index, dtype="str"), not_placed=not_placed)


@contextmanager
def _drawn_beside(
    measured: Measured, stages: Stages, thread: ThreadPoolExecutor
) -> Iterator[Callable[[], list[gpd.GeoDataFrame]]]:
    """Draw the circles of communities, the bands around greens and the circles of facilities beside other work.

    All are drawn in one sweep, so that their ground is surveyed once. What is yielded waits for the three tables.
    """
    with stages.stage("ground", "finding where circles begin"):
        walked, barriers = walked_ground(measured)
        grid = CircleGrid(walked.network, barriers)
        questions = [communities_question(measured), bands_question(measured), facilities_question(measured)]
    with answered_beside(grid, questions, thread) as answers:
        yield answers


def _with_circles(
    result: ScanResult, circles: gpd.GeoDataFrame, bands: gpd.GeoDataFrame, of_facilities: gpd.GeoDataFrame
) -> ScanResult:
    """Return a result with its circles, and each community's pedestrian shed."""
    if result.run["demand"] != "people":
        circles = circles.assign(people=pd.array([pd.NA] * len(circles), dtype="Int64"))
    sheds = _sheds(circles).reindex(result.communities.index)
    return replace(
        result,
        communities=result.communities.assign(pedestrian_shed=sheds),
        circles=circles,
        bands=bands,
        facility_circles=of_facilities,
    )


def _sheds(circles: gpd.GeoDataFrame) -> pd.Series:
    """Return each community's pedestrian shed: that of its widest circle, for the first walker of the study."""
    mine = circles[circles["walker"] == circles["walker"].iloc[0]] if len(circles) else circles
    return mine.drop_duplicates("unit_id", keep="last").set_index("unit_id")["pedestrian_shed"]


def _facilities(inputs: Inputs, catalogue: Catalogue) -> gpd.GeoDataFrame:
    # By source, as the layers of a saved result are: read back, the tables are the same.
    frame = inputs.facilities.frame.sort_values("source", kind="stable", ignore_index=True)
    # As their own source has them: an outline of OpenStreetMap does not go into another source's layer.
    return (
        frame.set_geometry("given")
        .drop(columns="geometry")
        .rename_geometry("geometry")
        .assign(
            theme=[catalogue.services[s].theme for s in frame["service"]],
            complete=[inputs.facilities.complete[s] for s in frame["service"]],
        )[["facility_id", "service", "theme", "name", "source", "area_m2", "complete", "geometry"]]
        .to_crs(WGS84)
    )


def _diagnosis(city: City, *, of_land: bool) -> gpd.GeoDataFrame:
    """Return where the streets of the scan may be broken, by the legs of its homes too."""
    xy, people = city.homes[["x", "y"]].to_numpy(dtype=float), city.homes["people"].to_numpy(dtype=np.int64)
    return diagnose(city.network.streets, city.home_joins, xy, people=people, of_land=of_land)


def _within_thresholds(measured: Measured) -> dict[str, Any]:
    """Count for every home the places within the threshold of each scoring rule, for `homes.parquet`.

    By metres along streets, for a rule in minutes by its walker's minutes; a layer without any place is unknown.
    """
    city, walker = measured.city, measured.walkers[0]
    counts: dict[str, Any] = {}
    for rule in measured.rules.rules:
        if rule.id not in measured.rules.scoring or rule.metric not in DISTANCE_METRICS or rule.combine is not None:
            continue
        at = city.doors_of(Layer.of(rule))
        places = pd.factorize(city.doors["facility_id"].to_numpy()[at])[0].astype(np.int64)
        limit = np.nan if rule.threshold is None else float(rule.threshold)
        walk = city.network.walk(walker)
        if rule.metric == "walk_min":
            walk, limit = city.network.walk(rule_walker(rule, walker, measured.study.profiles()), unit="s"), limit * 60
        found = count_within(walk, city.home_joins, city.door_joins.take(at), places, limit=limit)
        known = Layer.of(rule).chosen(city.facilities).any()
        counts[f"within_{rule.id}"] = pd.array(found if known else [pd.NA] * len(found), dtype="Int64")
    return counts


def _homes(city: City, nearest: Mapping[str, Any]) -> pd.DataFrame:
    joins = city.home_joins
    groups = [c for c in city.homes.columns if c.startswith("age_")]
    return city.homes[["home", "unit", "x", "y", "people", *groups, "basis"]].assign(
        edge_id=joins.edge, fraction=joins.share, leg_m=joins.leg_m, **nearest
    )


def _with_warnings(run: dict[str, Any], more: list[str]) -> dict[str, Any]:
    return {**run, "warnings": [*run["warnings"], *more]}


def _restricted_to(result: ScanResult, only: Sequence[str]) -> ScanResult:
    """Keep the rows of some communities and of the units above them."""
    communities = result.communities.loc[sorted(set(only))]
    upper = upper_levels(communities)
    kept = {"community": set(only), **{level: set(upper[level]) for level in NESTED_LEVELS[1:]}}

    def of(table: pd.DataFrame) -> pd.DataFrame:
        keep = [u in kept.get(level, ()) for level, u in zip(table["level"], table["unit_id"], strict=True)]
        return table[np.array(keep, dtype=bool)].reset_index(drop=True)  # an empty list would choose columns

    gaps = result.gaps
    return replace(
        result,
        coverage=of(result.coverage),
        scores=of(result.scores),
        histogram=of(result.histogram),
        communities=communities,
        gaps=None if gaps is None else gaps[gaps["unit_id"].isin(kept["community"])].reset_index(drop=True),
        distances=None if result.distances is None else of(result.distances),
        fairness=None if result.fairness is None else of(result.fairness),
        capacity=None if result.capacity is None else of(result.capacity),
        sensitivity=None if result.sensitivity is None else of(result.sensitivity),
        rank_stability=None if result.rank_stability is None else of(result.rank_stability),
        false_coverage=None if result.false_coverage is None else of(result.false_coverage),
    )
