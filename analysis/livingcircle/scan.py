"""The main job: from a study to who can walk to what, for every community."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.accounts import account, lost_notes, run_record, settings_of
from livingcircle.coverage import (
    LEVELS,
    TIER_MINUTES,
    Judged,
    People,
    Standing,
    Units,
    coverage_table,
    judge,
    layer_standing,
    rule_walker,
)
from livingcircle.gates import (
    barriers_with,
    estate_gains,
    with_gate_paths,
    with_open_borders,
    without_closed_crossings,
)
from livingcircle.inputs import Inputs, Stages, read_inputs
from livingcircle.joins import Joiner, Joins
from livingcircle.network import WalkNetwork
from livingcircle.reach import City, Layer, Reach, exit_distance, measure_reach, nearest_m
from livingcircle.result import ScanResult
from livingcircle.rules import DISTANCE_METRICS, RuleSet
from livingcircle.scores import scores_table
from livingcircle.standards import load_standard
from livingcircle.study import Study
from livingcircle.walkers import Walker
from livingcircle_layers.access import access_points
from livingcircle_layers.catalogue import Catalogue, load_catalogue
from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import UsageError
from livingcircle_layers.facilities import Facilities
from livingcircle_layers.homes import Placement, place_people
from livingcircle_layers.streets import Streets
from livingcircle_layers.typed_toml import nearest
from livingcircle_layers.units import upper_levels


def scan(
    study: Study | str | Path, *, only: Sequence[str] = (), progress: Callable[[str], None] | None = None
) -> ScanResult:
    """Find out, for every community, who can walk to which service within the standard.

    Parameters
    ----------
    study
        A study, or the path of a study file.
    only
        Ids of communities: only these are listed; the numbers are those of a full scan.
    progress
        Called with a sentence when a stage begins.

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
    study = study if isinstance(study, Study) else Study.load(study)
    stages = Stages(progress)
    walkers = study.walker_profiles()
    catalogue = load_catalogue(study.catalogue)
    rules = load_standard(study.standard, catalogue=catalogue)
    study = study.model_copy(update={"search_limit_m": max(study.search_limit_m, _widest_m(study, rules))})
    inputs = read_inputs(study, catalogue, stages)
    _check_only(only, inputs.units)
    with stages.stage("place", "placing people in homes"):
        placement = place_people(
            inputs.population,
            inputs.units,
            buildings=inputs.osm.buildings,
            residential_land=inputs.osm.residential_land,
            street_lines=inputs.osm.streets.lines[(inputs.osm.streets.component == 0) & ~inputs.osm.streets.raised],
            water=inputs.osm.water,
        )
    with stages.stage("walk", "joining homes and facilities to the streets, measuring walks"):
        city, joins, doors = _build_city(study, inputs, placement)
        judged = _judge_all(study, inputs, city, rules, walkers)
        by_service = _nearest_by_service(city, catalogue, walkers[0], study.search_limit_m)
    with stages.stage("aggregate", "counting people by unit"):
        people = _counted(city.homes, inputs.units)
        lost = _not_placed(placement, joins)
        levels = make_levels(
            inputs.units, city.homes["unit"], complete=study.communities.complete, name=study.name, not_placed=lost
        )
        first = judged[0]
        standings = _standings(first, inputs.facilities, int(people.groups["all"].sum()))
        coverage = coverage_table(
            [j for verdicts in judged for j in verdicts.values()],
            standings,
            people,
            levels,
            catalogue=catalogue,
            exit_m=exit_distance(city, limit_m=study.search_limit_m),
            facility_units=_places_inside(inputs, first),
        )
        scores = scores_table(rules, first, standings, people, levels)
        gains = None
        if study.gates == "both":
            gains = estate_gains(inputs.estates, city.homes, people, first, judged[len(walkers)])
    unplaced, counts = account(study, inputs, placement, joins, doors)
    communities = _communities(inputs, placement, city, scores, lost)
    result = ScanResult(
        coverage=_sorted(coverage, rules, walkers),
        scores=_sorted_scores(scores),
        communities=communities,
        facilities=_facilities(inputs, catalogue),
        access_points=doors,
        unplaced=unplaced,
        homes=_homes(city, by_service),
        background=inputs.osm.background.to_crs(WGS84),
        rules=rules,
        catalogue=catalogue,
        run=_with_warnings(run_record(study, inputs, rules, first, counts, stages), lost_notes(communities)),
        settings=settings_of(study, walkers, rules),
        approval_number=study.map.approval_number,
        estates=gains,
    )
    return _restricted_to(result, only) if only else result


def _judge_all(
    study: Study, inputs: Inputs, city: City, rules: RuleSet, walkers: Sequence[Walker]
) -> list[dict[str, Judged]]:
    """Judge every home by every rule: one entry per walker, with gates respected, then with open borders."""
    reaches = {"respect": _measure(study, city, rules, walkers)}
    if study.gates != "respect":
        # Whoever may cross the border may still take the gate, so that opening never lengthens a walk.
        over = _measure(study, _with_open_gates(study, inputs, city), rules, walkers)
        reaches["open"] = {layer: reach.or_shorter(over[layer]) for layer, reach in reaches["respect"].items()}
    variants = ("respect", "open") if study.gates == "both" else (study.gates,)
    profiles = study.profiles()
    return [judge(rules.rules, reaches[g], w, gates=g, profiles=profiles) for g in variants for w in walkers]


def _widest_m(study: Study, rules: RuleSet) -> float:
    """Return how far must be looked so that every rule can be judged, in metres and in minutes."""
    widest, walkers, profiles = 0.0, study.walker_profiles(), study.profiles()
    for rule in rules.rules:
        if rule.metric in DISTANCE_METRICS and rule.threshold is not None:
            speed = max(w.speed_m_s for w in (*walkers, *(rule_walker(rule, w, profiles) for w in walkers)))
            minutes = rule.threshold if rule.metric == "walk_min" else TIER_MINUTES.get(rule.tier, 0)
            widest = max(widest, minutes * 60 * speed, 0.0 if rule.metric == "walk_min" else rule.threshold)
    return widest


def _check_only(only: Sequence[str], units: gpd.GeoDataFrame) -> None:
    unknown = [u for u in only if u not in units.index]
    if unknown:
        close = nearest(unknown[0], units.index)
        raise UsageError(
            "unknown community",
            got=", ".join(unknown),
            remedy=f"did you mean {close}?" if close else "use ids of the file",
        )


def _joiner(study: Study, inputs: Inputs, *, open_: bool) -> tuple[Streets, Joiner]:
    """Return the streets and what joins places to them, with gates of estates respected or open."""
    barriers = barriers_with(inputs.osm.barriers, inputs.estates, open_=open_)
    streets = inputs.osm.streets
    if open_:
        streets = with_open_borders(streets, inputs.estates, barriers, limit_m=study.join_limit_m)
    elif len(inputs.estates.frame):
        streets = without_closed_crossings(streets, inputs.estates)
        streets = with_gate_paths(streets, inputs.estates, barriers, limit_m=study.join_limit_m)
    return streets, Joiner(streets, barriers, limit_m=study.join_limit_m)


def _with_open_gates(study: Study, inputs: Inputs, city: City) -> City:
    """Return the same homes and access points on streets whose estates are open."""
    streets, joiner = _joiner(study, inputs, open_=True)
    return replace(
        city,
        network=WalkNetwork(streets),
        home_joins=joiner.join(city.homes[["x", "y"]].to_numpy(dtype=float)),
        door_joins=joiner.join(shapely.get_coordinates(city.doors.geometry.to_numpy())),
    )


def _build_city(study: Study, inputs: Inputs, placement: Placement) -> tuple[City, Joins, gpd.GeoDataFrame]:
    """Join homes and access points; return the city of joined homes, the joins of all homes inside, and the doors."""
    streets, joiner = _joiner(study, inputs, open_=False)
    homes = placement.homes[placement.homes["unit"] != ""].reset_index(drop=True)
    joins = joiner.join(homes[["x", "y"]].to_numpy(dtype=float))
    frame = inputs.facilities.frame
    # A place of several services is entered at its outline where one of its rows has one.
    outlines_first = np.argsort(shapely.get_type_id(frame.geometry.to_numpy()) == 0, kind="stable")
    places = frame.iloc[outlines_first].drop_duplicates("facility_id").sort_index().reset_index(drop=True)
    places = places.assign(ground=places["facility_id"].isin(frame["facility_id"][frame["ground"]]))
    walls = inputs.osm.barriers
    doors = access_points(
        places,
        streets=inputs.osm.streets,
        features=inputs.osm.features,
        walls=walls.geometry[walls["kind"] == "wall"].to_numpy(),
    )
    door_joins = joiner.join(shapely.get_coordinates(doors.geometry.to_numpy()))
    doors = doors.assign(
        facility_id=places["facility_id"].to_numpy()[doors["place"]],
        edge_id=door_joins.edge,
        leg_m=door_joins.leg_m,
    )
    city = City(
        network=WalkNetwork(streets),
        homes=homes[joins.joined].reset_index(drop=True),
        home_joins=joins.take(joins.joined),
        facilities=frame,
        doors=doors,
        door_joins=door_joins,
    )
    by_service = frame[["facility_id", "service", "source"]].merge(doors, on="facility_id", how="inner")
    access = gpd.GeoDataFrame(
        by_service[["facility_id", "service", "source", "how", "edge_id", "leg_m", "geometry"]], crs=streets.crs
    ).sort_values("source", kind="stable", ignore_index=True)
    return city, joins, access.to_crs(WGS84)


def _measure(study: Study, city: City, rules: RuleSet, walkers: Sequence[Walker]) -> dict[Layer, Reach]:
    """Measure every layer that a rule asks for, with the rule's own walker where it has one."""
    limit_m, profiles = study.search_limit_m, study.profiles()
    needed: dict[Layer, dict[str, Walker]] = {}
    for rule in rules.rules:
        if rule.metric in DISTANCE_METRICS:
            chosen = needed.setdefault(Layer.of(rule), {w.name: w for w in walkers})
            for walker in walkers:
                own = rule_walker(rule, walker, profiles)
                chosen.setdefault(own.name, own)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # the searches run without the interpreter's lock
        reaches = pool.map(
            lambda item: measure_reach(city, item[0], list(item[1].values()), limit_m=limit_m), needed.items()
        )
        return dict(zip(needed, reaches, strict=True))


def _nearest_by_service(city: City, catalogue: Catalogue, walker: Walker, limit_m: float) -> dict[str, Any]:
    """Measure the walk to every service that has places, for `homes.parquet`."""
    present = set(city.facilities["service"])
    return {
        f"nearest_m_{service}": nearest_m(city, Layer((service,)), walker, limit_m=limit_m)
        for service in catalogue.services
        if service in present
    }


def _counted(homes: pd.DataFrame, units: gpd.GeoDataFrame) -> People:
    groups = {"all": homes["people"].to_numpy(dtype=np.int64)}
    groups |= {c: homes[c].to_numpy(dtype=np.int64) for c in homes.columns if c.startswith("age_")}
    rural = (units["unit_type"].reindex(homes["unit"]) == "rural").to_numpy(dtype=bool)
    return People(groups, rural)


def make_levels(
    units: gpd.GeoDataFrame,
    home_unit: pd.Series,
    *,
    complete: bool,
    name: str = "",
    not_placed: pd.Series | None = None,
) -> list[Units]:
    """Return the units of every level that the communities name, with the unit of every home.

    Parameters
    ----------
    units
        Communities: index ``unit_id``, columns ``unit_name, subdistrict, district, unit_type``.
    home_unit
        Community of each home.
    complete
        Whether all communities of the upper units are supplied; otherwise those are never ranked.
    name
        Name of the city.
    not_placed
        People of each community who are not on the network.
    """
    lost = (pd.Series(dtype=float) if not_placed is None else not_placed).reindex(units.index).fillna(0).to_numpy()
    upper = upper_levels(units)
    position = units.index.get_indexer(home_unit)
    levels = []
    for level in LEVELS:
        owner = units.index.astype("str") if level == "community" else upper[level]
        ids = sorted(set(owner) - {""})
        if not ids:
            continue
        community_code = pd.Index(ids).get_indexer(owner)
        named = community_code >= 0
        types = (
            units["unit_type"].groupby(community_code).agg(lambda t: t.iloc[0] if (t == t.iloc[0]).all() else "mixed")
        )
        names = {"community": units["unit_name"].to_dict(), "city": {"city": name}}.get(level, {})
        levels.append(
            Units(
                level=level,
                ids=tuple(ids),
                names=tuple(names.get(i, i.rpartition("/")[2]) or i for i in ids),
                types=tuple(types.reindex(range(len(ids))).fillna("")),
                code=np.where(position >= 0, community_code[position], -1),
                complete=np.full(len(ids), complete or level == "community"),
                not_placed=np.bincount(community_code[named], lost[named], len(ids)).astype(np.int64),
            )
        )
    return levels


def _standings(judged: Mapping[str, Judged], facilities: Facilities, people: int) -> dict[str, Standing]:
    return {
        i: layer_standing(j, complete=facilities.complete, centre_only=facilities.centre_only, people=people)
        for i, j in judged.items()
    }


def _places_inside(inputs: Inputs, judged: Mapping[str, Judged]) -> dict[str, dict[Layer, npt.NDArray[np.int64]]]:
    """Count the places of each layer inside each unit, by a point that lies in the place."""
    frame = inputs.facilities.frame
    points = shapely.point_on_surface(frame.geometry.to_numpy())
    place, unit = shapely.STRtree(inputs.units.geometry.to_numpy()).query(points, predicate="intersects")
    order = np.lexsort((unit, place))  # on a border the unit with the smallest id, as for homes
    place, unit = place[order], unit[order]
    first = np.unique(place, return_index=True)[1]
    home = pd.Series(inputs.units.index[unit[first]], index=place[first])
    located = make_levels(inputs.units, home.reindex(range(len(frame))).fillna(""), complete=True)
    layers = {Layer.of(j.rule): Layer.of(j.rule).chosen(frame) for j in judged.values()}
    once = {layer: mask & ~frame["facility_id"].where(mask).duplicated().to_numpy() for layer, mask in layers.items()}
    return {
        units.level: {layer: units.total(mask.astype(np.int64)) for layer, mask in once.items()} for units in located
    }


def _sorted(coverage: pd.DataFrame, rules: RuleSet, walkers: Sequence[Walker]) -> pd.DataFrame:
    order = {
        "level": list(LEVELS),
        "rule": [r.id for r in rules.rules],
        "walker": [w.name for w in walkers],
        "gates": ["respect", "open"],
    }
    keys = [
        coverage[c].map({v: i for i, v in enumerate(order[c])}) if c in order else coverage[c]
        for c in ("gates", "walker", "rule", "unit_id", "level")
    ]
    return coverage.iloc[np.lexsort([np.asarray(k) for k in keys])].reset_index(drop=True)


def _sorted_scores(scores: pd.DataFrame) -> pd.DataFrame:
    level = scores["level"].map({v: i for i, v in enumerate(LEVELS)})
    return scores.assign(_level=level).sort_values(["_level", "unit_id"]).drop(columns="_level").reset_index(drop=True)


def _not_placed(placement: Placement, joins: Joins) -> pd.Series:
    """Return per community the people whose homes could not be joined to a street."""
    inside = placement.homes[placement.homes["unit"] != ""]
    return inside[~joins.joined].groupby("unit")["people"].sum()


def _communities(
    inputs: Inputs, placement: Placement, city: City, scores: pd.DataFrame, lost: pd.Series
) -> gpd.GeoDataFrame:
    own = scores[scores["level"] == "community"].set_index("unit_id").drop(columns=["level", "unit_name", "unit_type"])
    frame = inputs.communities.frame.join(own)
    legs = pd.DataFrame({"unit": city.homes["unit"], "leg": city.home_joins.leg_m, "people": city.homes["people"]})
    for q, column in ((0.5, "leg_m_p50"), (0.9, "leg_m_p90")):
        frame[column] = _by_people(legs, q).reindex(frame.index)
    total = placement.basis.sum(axis=1)
    share = placement.basis.div(total.where(total > 0), axis=0)
    text = [
        ", ".join(f"{b} {v:.0%}" for b, v in row[row > 0].items()) for _, row in share.reindex(frame.index).iterrows()
    ]
    not_placed = lost.reindex(frame.index).fillna(0).astype("int64")
    return frame.assign(basis=pd.Series(text, index=frame.index, dtype="str"), not_placed=not_placed)


def _by_people(legs: pd.DataFrame, q: float) -> pd.Series:
    ordered = legs.sort_values(["unit", "leg"])
    running = ordered.groupby("unit")["people"].cumsum()
    total = ordered.groupby("unit")["people"].transform("sum")
    return ordered[running >= q * total].groupby("unit")["leg"].first().round(2)


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
    kept = {"community": set(only), **{level: set(upper[level]) for level in LEVELS[1:]}}

    def of(table: pd.DataFrame) -> pd.DataFrame:
        keep = [u in kept[level] for level, u in zip(table["level"], table["unit_id"], strict=True)]
        return table[keep].reset_index(drop=True)

    return replace(result, coverage=of(result.coverage), scores=of(result.scores), communities=communities)
