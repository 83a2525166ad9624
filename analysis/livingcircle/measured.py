"""What a scan measures, before anything is counted by unit: people in homes, places, walks and verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from livingcircle.beside import beside
from livingcircle.coverage import (
    NESTED_LEVELS,
    Judged,
    People,
    Standing,
    Units,
    judge,
    rule_walker,
)
from livingcircle.gates import (
    barriers_with,
    with_gate_paths,
    with_open_borders,
    without_closed_crossings,
)
from livingcircle.inputs import Inputs, check_inputs, read_inputs
from livingcircle.joins import Joiner, Joins
from livingcircle.land import Land, land_notes, land_points, of_every_point, square_metres
from livingcircle.network import WalkNetwork
from livingcircle.progress import Progress, Stages
from livingcircle.reach import City, Floats, Layer, Measurer, Reach, exit_distance, measure_layers
from livingcircle.rules import TIER_MINUTES, Rule, RuleSet
from livingcircle.scenes import scene_records
from livingcircle.standards import load_standard
from livingcircle.stock import standings_of, stock_of
from livingcircle.study import Study
from livingcircle.walkers import Walker
from livingcircle_layers.access import access_points
from livingcircle_layers.catalogue import Catalogue, load_catalogue
from livingcircle_layers.errors import UsageError
from livingcircle_layers.homes import Placement, place_people
from livingcircle_layers.people import LAND
from livingcircle_layers.shares import with_shares
from livingcircle_layers.streets import Streets
from livingcircle_layers.typed_toml import nearest
from livingcircle_layers.units import upper_levels


@dataclass(frozen=True)
class Measured:
    """Everything that was measured for a study: what tables, maps, explanations and comparisons start from.

    Homes are those of `city`, joined to the streets and inside a community; arrays per home are in their order.

    Attributes
    ----------
    study, inputs, catalogue, rules, walkers
        What was asked for and read; the study looks as far as its widest rule.
    placement, joins
        People in homes, and where the homes inside communities join the streets: also those that do not.
    city, open_city
        Homes and places on the streets, with gates respected, and with open borders where the study asks for them.
    reaches
        Distances by treatment of gates (respect, open) and layer.
    judged
        Each rule's verdict per home: one entry per treatment of gates and walker, in the order of the study.
    people, levels
        Who is counted, and the units of every level.
    standings
        Per rule what is known about its layer.
    not_placed
        People per community whose homes could not be joined to a street.
    land
        What the rules about residential land say of it; None where no rule asks.
    exit_m
        Each home's walk to where the streets leave the data, metres; NaN beyond the search limit.
    only
        Communities that are to be listed; none: all.
    seconds
        How long each stage took.
    """

    study: Study
    inputs: Inputs
    catalogue: Catalogue
    rules: RuleSet
    walkers: tuple[Walker, ...]
    placement: Placement
    joins: Joins
    city: City
    open_city: City | None
    reaches: Mapping[str, Mapping[Layer, Reach]]
    judged: tuple[Mapping[str, Judged], ...]
    people: People
    levels: tuple[Units, ...]
    standings: Mapping[str, Standing]
    not_placed: pd.Series
    land: Land | None
    exit_m: Floats
    only: tuple[str, ...]
    seconds: Mapping[str, float]

    @property
    def first(self) -> Mapping[str, Judged]:
        """The verdicts that score: those of the first walker and the first treatment of gates."""
        return self.judged[0]

    @property
    def first_gates(self) -> str:
        """The treatment of gates that scores: open only where the study asks for nothing else."""
        return "open" if self.study.gates == "open" else "respect"

    def verdicts(self, walker: str, gates: str) -> Mapping[str, Judged]:
        """Return the verdicts of one walker with gates respected or open, by rule."""
        return next(v for v in self.judged if all(j.walker == walker and j.gates == gates for j in v.values()))

    def city_of(self, gates: str) -> City:
        """Return homes and places on the streets with gates respected or open."""
        return self.city if self.open_city is None or gates == "respect" else self.open_city


def measure(
    study: Study | str | Path,
    *,
    only: Sequence[str] = (),
    progress: Progress | None = None,
    measurer: Measurer = measure_layers,
) -> Measured:
    """Read a study, place its people and measure every walk; `livingcircle.scan.result_of` makes the tables of it.

    Parameters
    ----------
    study
        A study, or the path of a study file.
    only
        Ids of communities that will be listed; checked before the work begins.
    progress
        Called with an event when something begins or ends; see `livingcircle.progress`.
    measurer
        Who measures the walks: at once, or part by part (`livingcircle.tiled`); the numbers are the same.

    Raises
    ------
    InputError
        An input cannot be used; the message says what to do.
    UsageError
        A standard, walker, service or community does not exist.
    """
    # Long because what is measured has many parts: a third of it is one line for each.
    study = study if isinstance(study, Study) else Study.load(study)
    stages = Stages(progress)
    walkers = study.walker_profiles()
    catalogue = load_catalogue(study.catalogue)
    rules = load_standard(study.standard, catalogue=catalogue, walkers=study.profiles())
    study = study.model_copy(update={"search_limit_m": search_limit_m(study, rules)})
    if only and (drawn := check_inputs(study)) is not None:  # before the streets, which take long
        check_units(only, drawn)
    inputs = read_inputs(study, catalogue, stages)
    check_units(only, inputs.units)
    scene_records(study, rules, inputs.units)  # scenes that name what is not there stop the run before the long work
    with stages.stage("place", "placing people in homes"):
        placement = place_homes(inputs)
    with stages.stage("join", "joining homes and facilities to the streets"):
        streets, joiner = joiner_of(study, inputs, open_=False)
        city, joins = _build_city(streets, joiner, inputs, placement)
        open_city = with_open_gates(study, inputs, city) if study.gates != "respect" else None
        inputs = inputs.without_used_up()
    with stages.stage("walk", "measuring walks"):
        reaches = _measure_all(study, city, open_city, layers_needed(study, rules.rules, walkers), measurer)
        judged = judge_all(study, rules.rules, reaches, walkers)
        exit_m = exit_distance(city, limit_m=study.search_limit_m)
        people = counted_people(city.homes, inputs, placement.shared)
        land = _measure_land(study, inputs, placement.homes, joiner, city, open_city, rules.rules, walkers)
        del joiner  # large, and nothing else will be joined
    return Measured(
        study=study,
        inputs=inputs,
        catalogue=catalogue,
        rules=rules,
        walkers=walkers,
        placement=placement,
        joins=joins,
        city=city,
        open_city=open_city,
        reaches=reaches,
        judged=judged,
        people=people,
        levels=levels_of(study, inputs, placement, joins),
        standings=what_is_known(study, inputs, rules.rules, placement, people),
        not_placed=people_not_placed(placement, joins),
        land=land,
        exit_m=exit_m,
        only=tuple(only),
        seconds=stages.seconds,
    )


def place_homes(inputs: Inputs) -> Placement:
    """Put the people of the inputs into homes, with the groups that are known by their share."""
    placement = place_people(
        inputs.population,
        inputs.units,
        buildings=inputs.osm.buildings,
        residential_land=inputs.osm.residential_land,
        street_lines=inputs.osm.streets.lines[(inputs.osm.streets.component == 0) & ~inputs.osm.streets.raised],
        water=inputs.osm.water,
        narrow_gaps=inputs.narrow_gaps,
    )
    return with_shares(placement, inputs.shares, inputs.units) if inputs.shares else placement


def _measure_all(
    study: Study, city: City, open_city: City | None, needed: Mapping[Layer, Sequence[Walker]], measurer: Measurer
) -> dict[str, Mapping[Layer, Reach]]:
    """Measure every layer by treatment of gates: respected, and with open borders where the study asks for them."""
    respect = measurer(city, needed, limit_m=study.search_limit_m)
    if open_city is None:
        return {"respect": respect}
    # Whoever may cross the border may still take the gate, so that opening never lengthens a walk.
    over = measurer(open_city, needed, limit_m=study.search_limit_m)
    return {"respect": respect, "open": {layer: reach.or_shorter(over[layer]) for layer, reach in respect.items()}}


def judge_all(
    study: Study, rules: Sequence[Rule], reaches: Mapping[str, Mapping[Layer, Reach]], walkers: Sequence[Walker]
) -> tuple[Mapping[str, Judged], ...]:
    """Judge every home by every rule: one entry per walker, with gates respected, then with open borders."""
    variants = ("respect", "open") if study.gates == "both" else (study.gates,)
    profiles, by_distance = study.profiles(), [rule for rule in rules if rule.by_distance]
    return tuple(judge(by_distance, reaches[g], w, gates=g, profiles=profiles) for g in variants for w in walkers)


def _measure_land(
    study: Study,
    inputs: Inputs,
    placed: pd.DataFrame,
    joiner: Joiner,
    city: City,
    open_city: City | None,
    rules: Sequence[Rule],
    walkers: Sequence[Walker],
) -> Land | None:
    """Measure residential land like homes, for the rules whose share is one of land."""
    asked = [rule for rule in rules if rule.of_land]
    if not asked:
        return None
    points = land_points(inputs.osm.residential_land, inputs.units)
    joins = joiner.join(points[["x", "y"]].to_numpy(dtype=float))
    joined = joins.joined
    here = replace(city, homes=points[joined].reset_index(drop=True), home_joins=joins.take(joined))
    opened = None
    if open_city is not None:
        over = joiner_of(study, inputs, open_=True)[1].join(here.homes[["x", "y"]].to_numpy(dtype=float))
        opened = replace(open_city, homes=here.homes, home_joins=over)
    limit_m = study.search_limit_m
    reaches_of_land = _measure_all(study, here, opened, layers_needed(study, asked, walkers), measure_layers)
    reaches = {
        gates: {
            layer: of_every_point(reach, layer, points, joined, city, limit_m=limit_m)
            for layer, reach in by_layer.items()
        }
        for gates, by_layer in reaches_of_land.items()
    }
    exit_m = np.full(len(points), np.nan)
    exit_m[joined] = exit_distance(here, limit_m=limit_m)
    people = city.homes.groupby("unit")["people"].sum()  # where they live and no land is mapped, nothing is known
    levels = make_levels(
        inputs.units, points["unit"], complete=study.communities.complete, name=study.name, not_placed=people
    )
    levels += _across(inputs, points, city.homes)
    judged = judge_all(study, asked, reaches, walkers)
    unpeopled = inputs.population.kind == LAND  # then nobody is known who could need more land than is mapped
    count = 0 if unpeopled else int(placed["people"][placed["unit"] != ""].sum())
    notes = tuple(land_notes(points, count))
    return Land(judged, square_metres(points, inputs.units), tuple(levels), exit_m, reaches, here, joined, notes)


def search_limit_m(study: Study, rules: RuleSet) -> float:
    """Return how far must be looked so that every rule can be judged, in metres and in minutes."""
    widest, walkers, profiles = study.search_limit_m, study.walker_profiles(), study.profiles()
    for rule in rules.rules:
        if rule.walked and rule.threshold is not None:
            speed = max(w.speed_m_s for w in (*walkers, *(rule_walker(rule, w, profiles) for w in walkers)))
            minutes = rule.threshold if rule.metric == "walk_min" else TIER_MINUTES.get(rule.tier, 0)
            metres = rule.threshold if rule.threshold_unit == "m" else 0.0
            widest = max(widest, (minutes if rule.by_distance else rule.circle_min) * 60 * speed, metres)
    return widest


def check_units(ids: Sequence[str], units: gpd.GeoDataFrame) -> None:
    """Refuse ids that no community has."""
    unknown = [u for u in ids if u not in units.index]
    if unknown:
        # Who types a name is told its id; who mistypes an id, the nearest one.
        named = units[units["unit_name"].str.contains(unknown[0], regex=False)]["unit_name"].head(5)
        close = ", ".join(f"{unit} {name}" for unit, name in named.items()) or nearest(unknown[0], units.index)
        raise UsageError(
            "unknown community",
            got=", ".join(unknown),
            remedy=f"did you mean {close}?" if close else f"use ids of the file, such as {units.index[0]}",
        )


def joiner_of(study: Study, inputs: Inputs, *, open_: bool) -> tuple[Streets, Joiner]:
    """Return the streets and what joins places to them, with gates of estates respected or open."""
    barriers = barriers_with(inputs.osm.barriers, inputs.estates, inputs.osm.streets, open_=open_)
    streets = inputs.osm.streets
    if open_:
        streets = with_open_borders(streets, inputs.estates, barriers, limit_m=study.join_limit_m)
    elif len(inputs.estates.frame):
        streets = without_closed_crossings(streets, inputs.estates)
        streets = with_gate_paths(streets, inputs.estates, barriers, limit_m=study.join_limit_m)
    return streets, Joiner(streets, barriers, limit_m=study.join_limit_m)


def with_open_gates(study: Study, inputs: Inputs, city: City) -> City:
    """Return the same homes and access points on streets whose estates are open."""
    streets, joiner = joiner_of(study, inputs, open_=True)
    return replace(
        city,
        network=WalkNetwork(streets),
        home_joins=joiner.join(city.homes[["x", "y"]].to_numpy(dtype=float)),
        door_joins=joiner.join(shapely.get_coordinates(city.doors.geometry.to_numpy())),
    )


def joined_homes(joiner: Joiner, placement: Placement) -> tuple[pd.DataFrame, Joins]:
    """Return the homes inside communities that join a street, and the joins of all homes inside."""
    homes = placement.homes.drop(columns=["source", "row"])  # where they were read is for the books alone
    homes = homes[homes["unit"] != ""].reset_index(drop=True)
    joins = joiner.join(homes[["x", "y"]].to_numpy(dtype=float))
    return homes[joins.joined].reset_index(drop=True), joins


def _given_ways(inputs: Inputs, places: gpd.GeoDataFrame) -> gpd.GeoDataFrame | None:
    """Return the ways in that the planner's lists tell, by the position of their place."""
    given = inputs.facilities.ways_in
    if given is None or given.empty:
        return None
    at = pd.Series(range(len(places)), index=places["facility_id"])
    return given.assign(place=at.reindex(given["facility_id"]).to_numpy())


def _build_city(streets: Streets, joiner: Joiner, inputs: Inputs, placement: Placement) -> tuple[City, Joins]:
    """Join homes and access points; return the city of joined homes, and the joins of all homes inside."""
    with beside(partial(joined_homes, joiner, placement)) as joined:
        doors, door_joins = joined_doors(joiner, inputs)
        homes, joins = joined()
    city = City(
        network=WalkNetwork(streets),
        homes=homes,
        home_joins=joins.take(joins.joined),
        facilities=inputs.facilities.frame,
        doors=doors,
        door_joins=door_joins,
    )
    return city, joins


def joined_doors(joiner: Joiner, inputs: Inputs) -> tuple[gpd.GeoDataFrame, Joins]:
    """Return the access points of all places with the street that each joins, and the joins."""
    frame = inputs.facilities.frame
    # A place of several services is entered at its outline where one of its rows has one.
    outlines_first = np.argsort(shapely.get_type_id(frame.geometry.to_numpy()) == 0, kind="stable")
    places = frame.assign(ground=frame.groupby("facility_id")["ground"].transform("any"))
    places = places.iloc[outlines_first].drop_duplicates("facility_id").sort_index().reset_index(drop=True)
    walls = inputs.osm.barriers
    doors = access_points(
        places,
        streets=inputs.osm.streets,
        features=inputs.osm.features,
        walls=walls.geometry[walls["kind"] == "wall"].to_numpy(),
        given=_given_ways(inputs, places),
    )
    door_joins = joiner.join(shapely.get_coordinates(doors.geometry.to_numpy()))
    doors = doors.assign(
        facility_id=places["facility_id"].to_numpy()[doors["place"]],
        edge_id=door_joins.edge,
        leg_m=door_joins.leg_m,
    )
    return doors, door_joins


def layers_needed(study: Study, rules: Sequence[Rule], walkers: Sequence[Walker]) -> dict[Layer, list[Walker]]:
    """Return every layer that a rule asks for, and whose walks to it: also the rule's own walker where it has one."""
    profiles = study.profiles()
    needed: dict[Layer, dict[str, Walker]] = {}
    for rule in rules:
        if rule.walked:
            chosen = needed.setdefault(Layer.of(rule), {w.name: w for w in walkers})
            for walker in walkers:
                own = rule_walker(rule, walker, profiles)
                chosen.setdefault(own.name, own)
    return {layer: list(chosen.values()) for layer, chosen in needed.items()}


def counted_people(homes: pd.DataFrame, inputs: Inputs, shared: Sequence[str]) -> People:
    """Return who is counted in the homes on the streets."""
    units = inputs.units
    groups = {"all": homes["people"].to_numpy(dtype=np.int64)}
    groups |= {c: homes[c].to_numpy(dtype=np.int64) for c in homes.columns if c.startswith("age_")}
    rural = (units["unit_type"].reindex(homes["unit"]) == "rural").to_numpy(dtype=bool)
    households = homes["households"].to_numpy(dtype=np.int64) if "households" in homes else None
    return People(groups, rural, households, inputs.population.kind == LAND, frozenset(shared))


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
    for level in NESTED_LEVELS:
        owner = units.index.astype("str") if level == "community" else upper[level]
        ids = sorted(set(owner) - {""})
        if not ids:
            continue
        community_code = pd.Index(ids).get_indexer(owner)
        named = community_code >= 0
        by_unit = units["unit_type"].groupby(community_code)
        types = by_unit.min().where(by_unit.min() == by_unit.max(), "mixed")
        names = {
            "community": units["unit_name"].to_dict(),
            "subdistrict": dict(zip(upper["subdistrict"], units["subdistrict"], strict=True)),
            "city": {"city": name},
        }.get(level, {})
        levels.append(
            Units(
                level=level,
                ids=tuple(ids),
                names=tuple(names.get(i) or i for i in ids),
                types=tuple(types.reindex(range(len(ids))).fillna("")),
                code=np.where(position >= 0, community_code[position], -1),
                complete=np.full(len(ids), complete or level == "community"),
                not_placed=np.bincount(community_code[named], lost[named], len(ids)).astype(np.int64),
            )
        )
    return levels


def levels_of(study: Study, inputs: Inputs, placement: Placement, joins: Joins) -> tuple[Units, ...]:
    """Return the units of every level over the homes that join a street, also those that lie across: estates, areas."""
    inside = placement.homes[placement.homes["unit"] != ""]
    here, lost = inside[joins.joined], inside[~joins.joined]
    levels = make_levels(
        inputs.units,
        here["unit"],
        complete=study.communities.complete,
        name=study.name,
        not_placed=people_not_placed(placement, joins),
    )
    return (*levels, *_across(inputs, here, lost))


def _across(inputs: Inputs, here: pd.DataFrame, lost: pd.DataFrame) -> list[Units]:
    """Return the estates and areas with what lies in them; a million homes are points only where there are any."""
    if not inputs.overlays:
        return []
    points = shapely.points(here["x"], here["y"])
    lost_points = gpd.GeoSeries(shapely.points(lost["x"], lost["y"]), crs=inputs.units.crs)
    return [units for overlay in inputs.overlays for units in overlay.levels(points, lost_points, lost["people"])]


def what_is_known(
    study: Study, inputs: Inputs, rules: Sequence[Rule], placement: Placement, people: People
) -> dict[str, Standing]:
    """Return for every rule what is known about its layer; no walk is needed for that."""
    inside = placement.homes["unit"] != ""
    return standings_of(
        rules,
        stock_of(inputs.facilities, inputs.units),
        walkers=people.number,
        residents=0 if people.of_land else int(placement.homes["people"][inside].sum()),
        walker=study.walker_profiles()[0],
        profiles=study.profiles(),
    )


def people_not_placed(placement: Placement, joins: Joins) -> pd.Series:
    """Return per community the people whose homes could not be joined to a street."""
    inside = placement.homes[placement.homes["unit"] != ""]
    return inside[~joins.joined].groupby("unit")["people"].sum()
