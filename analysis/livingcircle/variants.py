"""The same city with one choice changed: other thresholds, speeds, people or gates.

What does not change is taken from the scan. Only walks that a changed verdict asks for are searched again, only in the
unit (metres or seconds) that its clause compares, and only as far as the clause reaches.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from livingcircle.coverage import rule_walker
from livingcircle.hundredths import Walks, hundredths
from livingcircle.land import spread_walks
from livingcircle.measured import (
    Measured,
    counted_people,
    joined_homes,
    joiner_of,
    judge_all,
    levels_of,
    people_not_placed,
    place_homes,
    what_is_known,
    with_open_gates,
)
from livingcircle.reach import City, Int32s, Layer, Reach
from livingcircle.rules import Rule
from livingcircle.study_parts import SensitivityInput, WalkerInput
from livingcircle.walkers import Walker

Reaches = Mapping[Layer, Reach]
_OF_SIZE = ("floor_m2", "site_m2")  # clauses whose figure is a smallest size: a share of communities has it


@dataclass(frozen=True)
class _Asked:
    """The farthest walk to one layer that a verdict compares, for each walker: metres, and seconds."""

    metres: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Site:
    """What is judged: homes, or points of residential land; on streets with gates respected, and with open borders."""

    rules: Sequence[Rule]
    reaches: Mapping[str, Reaches]
    city: City
    open_city: Callable[[], City]
    joined: npt.NDArray[np.bool_] | None


_Change = Callable[[_Site], Reaches]


def variants_of(measured: Measured) -> Iterator[tuple[str, Measured]]:
    """Yield what the study's `[sensitivity]` tries, one choice changed at a time: its name, and what is measured then.

    All are of the treatment of gates that scores. Shares on foot and scores can be counted from them; straight lines,
    walks to nearest places and the edge of the data are not measured again and mean nothing there.
    """
    asked = measured.study.sensitivity or SensitivityInput()
    base = scoring_part(measured)
    for factor in (1 - asked.thresholds, 1 + asked.thresholds) if asked.thresholds else ():
        yield f"thresholds × {factor:g}", with_thresholds(base, factor)
    for factor in (1 - asked.speeds, 1 + asked.speeds) if asked.speeds else ():
        yield f"speeds × {factor:g}", with_speeds(base, factor)
    if base.inputs.other_people is not None:
        yield f"population {base.inputs.other_people.source}", with_other_people(base)
    if asked.gates and len(base.inputs.estates.frame):
        gates = "respect" if base.first_gates == "open" else "open"
        yield f"gates {gates}", with_gates(base, gates)


def scoring_part(measured: Measured) -> Measured:
    """Return what was measured with the verdicts of the first treatment of gates only, which scores."""
    n, land = len(measured.walkers), measured.land
    return replace(
        measured,
        study=measured.study.model_copy(update={"gates": measured.first_gates}),
        judged=measured.judged[:n],
        land=None if land is None else replace(land, judged=land.judged[:n]),
    )


def with_thresholds(base: Measured, factor: float) -> Measured:
    """Return the city judged by rules whose distances, minutes and smallest sizes are so many times as large."""

    def scaled(rule: Rule) -> Rule:
        if rule.threshold is None or not (rule.by_distance or rule.metric in _OF_SIZE):
            return rule
        return rule.model_copy(update={"threshold": round(rule.threshold * factor, 6)})

    changed = replace(base, rules=replace(base.rules, rules=tuple(scaled(rule) for rule in base.rules.rules)))
    limit_s = {w.name: base.study.search_limit_m / w.speed_m_s for w in base.study.profiles().values()}
    return _judged(changed, lambda site: _farther(changed, site, site.reaches[base.first_gates], limit_s))


def with_speeds(base: Measured, factor: float) -> Measured:
    """Return the city judged for walkers so many times as fast, on the flat, on slopes and on steps; waits stay.

    Where nobody waits anywhere, seconds are divided by the factor (to 0.01 s) instead of being searched again.
    """

    def scaled(walker: Walker) -> WalkerInput:
        speeds = {"speed_m_s": walker.speed_m_s * factor, "steps_speed_m_s": walker.steps_speed_m_s * factor}
        return WalkerInput(**{**walker.model_dump(), **speeds})

    before = base.study.profiles()
    study = base.study.model_copy(update={"walker_settings": tuple(scaled(w) for w in before.values())})
    changed = replace(base, study=study, walkers=study.walker_profiles())
    waiting = bool(base.city.network.streets.signals.any()) and any(w.signal_wait_s for w in before.values())
    if waiting or any(w.footbridge_s for w in before.values()):
        return _judged(changed, lambda site: _again(changed, site, lambda asked: _Asked({}, asked.seconds)))
    limit_s = {w.name: base.study.search_limit_m / w.speed_m_s / factor for w in before.values()}

    def divided(site: _Site) -> Reaches:
        sooner = {
            layer: replace(reach, walk_s=Walks.of({w: np.round(s / factor, 2) for w, s in reach.walk_s.items()}))
            for layer, reach in site.reaches[base.first_gates].items()
        }
        return _farther(changed, site, sooner, limit_s)

    return _judged(changed, divided)


def with_gates(base: Measured, gates: str) -> Measured:
    """Return the city with the gates of closed estates open, or respected."""
    study = base.study.model_copy(update={"gates": gates})
    changed = replace(base, study=study)
    if gates in base.reaches:
        return _judged(changed, lambda site: site.reaches[gates])
    changed = replace(changed, open_city=with_open_gates(study, base.inputs, base.city))

    def opened(site: _Site) -> Reaches:
        asked = _asked(changed, site.rules)
        over = _search(site.open_city(), asked, changed.study.profiles(), site.reaches["respect"], site.joined)
        # Whoever may cross the border may still take the gate.
        return {layer: site.reaches["respect"][layer].or_shorter(walks) for layer, walks in over.items()}

    return _judged(changed, opened)


def with_other_people(base: Measured) -> Measured:
    """Return the city with the other population of the study, in homes of its own; land is the same."""
    people, study = base.inputs.other_people, base.study
    assert people is not None
    inputs = replace(base.inputs, population=people, shares=base.inputs.other_shares)
    placement = place_homes(inputs)
    homes, joins = joined_homes(joiner_of(study, inputs, open_=False)[1], placement)
    changed = replace(
        base,
        inputs=inputs,
        placement=placement,
        joins=joins,
        city=replace(base.city, homes=homes, home_joins=joins.take(joins.joined)),
        people=counted_people(homes, inputs, placement.shared),
        levels=levels_of(study, inputs, placement, joins),
        not_placed=people_not_placed(placement, joins),
        exit_m=np.full(len(homes), np.nan),
        land=None,
    )
    return replace(_judged(changed, lambda site: _walks(changed, site, _asked(changed, site.rules))), land=base.land)


# Judging again --------------------------------------------------------------------------------------------------------


def _judged(changed: Measured, change: _Change) -> Measured:
    """Return what was measured with verdicts on changed walks, of homes and of land."""
    study, rules, gates, walkers = changed.study, changed.rules.rules, changed.first_gates, changed.walkers
    reaches = {gates: change(_Site(rules, changed.reaches, changed.city, lambda: _open(changed, changed.city), None))}
    judged = judge_all(study, rules, reaches, walkers)
    land = changed.land
    if land is not None:
        asked, here = [rule for rule in rules if rule.of_land], land.city
        of_land = {gates: change(_Site(asked, land.reaches, here, lambda: _open(changed, here), land.joined))}
        land = replace(land, judged=judge_all(study, asked, of_land, walkers), reaches=of_land)
    return replace(
        changed,
        reaches=reaches,
        judged=judged,
        standings=what_is_known(study, changed.inputs, rules, changed.placement, changed.people),
        land=land,
    )


def _open(changed: Measured, city: City) -> City:
    """Return homes or points of land on the streets with open borders."""
    opened = changed.open_city
    assert opened is not None
    if opened.homes is city.homes:
        return opened
    joiner = joiner_of(changed.study, changed.inputs, open_=True)[1]
    return replace(opened, homes=city.homes, home_joins=joiner.join(city.homes[["x", "y"]].to_numpy(dtype=float)))


def _asked(changed: Measured, rules: Sequence[Rule]) -> dict[Layer, _Asked]:
    """Return what the verdicts of rules compare, by layer (see `livingcircle.coverage.judge`)."""
    found: dict[Layer, _Asked] = {}
    profiles = changed.study.profiles()

    def note(limits: dict[str, float], walker: Walker, limit: float) -> None:
        limits[walker.name] = max(limits.get(walker.name, 0.0), limit)

    for rule in rules:
        if not rule.walked or rule.combine is not None:
            continue
        here = found.setdefault(Layer.of(rule), _Asked())
        for walker in changed.walkers:
            if not rule.by_distance:
                note(here.seconds, walker, rule.circle_min * 60.0)
            elif rule.metric == "walk_min":
                note(here.seconds, rule_walker(rule, walker, profiles), (rule.threshold or 0.0) * 60.0)
            else:
                note(here.metres, walker, rule.threshold or 0.0)
    return found


# Searching again ------------------------------------------------------------------------------------------------------


def _farther(changed: Measured, site: _Site, reaches: Reaches, limit_s: Mapping[str, float]) -> Reaches:
    """Return walks as they are, and search those that a clause looks for beyond the limit of the scan."""
    limit_m = changed.study.search_limit_m

    def beyond(asked: _Asked) -> _Asked:
        return _Asked(
            {w: limit for w, limit in asked.metres.items() if limit > limit_m},
            {w: limit for w, limit in asked.seconds.items() if limit > limit_s[w]},
        )

    return _again(changed, replace(site, reaches={changed.first_gates: reaches}), beyond)


def _again(changed: Measured, site: _Site, choose: Callable[[_Asked], _Asked]) -> Reaches:
    """Search a part of what verdicts compare; everything else is as it was."""
    chosen = {layer: choose(asked) for layer, asked in _asked(changed, site.rules).items()}
    chosen = {layer: asked for layer, asked in chosen.items() if asked.metres or asked.seconds}
    old = site.reaches[changed.first_gates]
    new = _walks(changed, replace(site, reaches={"respect": old}), chosen)

    def merged(layer: Layer, reach: Reach) -> Reach:
        asked, found = chosen[layer], new[layer]
        return replace(
            reach,
            walk_m=Walks({**reach.walk_m.kept, **{w: found.walk_m.kept[w] for w in asked.metres}}),
            walk_s=Walks({**reach.walk_s.kept, **{w: found.walk_s.kept[w] for w in asked.seconds}}),
        )

    return {layer: merged(layer, reach) if layer in chosen else reach for layer, reach in old.items()}


def _walks(changed: Measured, site: _Site, asked: Mapping[Layer, _Asked]) -> Reaches:
    """Search walks under the treatment of gates that judges."""
    profiles, like = changed.study.profiles(), site.reaches["respect"]
    found = _search(site.city, asked, profiles, like, site.joined)
    if changed.first_gates == "respect" or not asked:
        return found
    over = _search(site.open_city(), asked, profiles, like, site.joined)
    return {layer: reach.or_shorter(over[layer]) for layer, reach in found.items()}


def _search(
    city: City,
    asked: Mapping[Layer, _Asked],
    profiles: Mapping[str, Walker],
    like: Reaches,
    joined: npt.NDArray[np.bool_] | None,
) -> dict[Layer, Reach]:
    """Search what is asked; all other walks are unknown. `like` names the walkers."""

    def one(layer: Layer) -> Reach:
        want, n = asked[layer], len(city.homes)
        doors = city.door_joins.take(city.doors_of(layer))
        unknown = np.full(n, -1, dtype=np.int32)  # neither a walk nor a door
        by_steps: dict[bool, Int32s] = {}
        walk_m, walk_s = dict.fromkeys(like[layer].walk_m, unknown), dict.fromkeys(like[layer].walk_s, unknown)
        for name in want.metres:
            walker = profiles[name]
            if walker.steps not in by_steps:
                farthest = max(want.metres.values())
                metres = city.network.walk(walker).nearest(city.home_joins, doors, limit=farthest)[0]
                by_steps[walker.steps] = hundredths(metres)
            walk_m[name] = by_steps[walker.steps]
        for name, limit in want.seconds.items():
            seconds = city.network.walk(profiles[name], unit="s")
            walk_s[name] = hundredths(seconds.nearest(city.home_joins, doors, limit=limit)[0])
        nearest = dict.fromkeys(like[layer].nearest, unknown)
        found = Reach(Walks(walk_m), Walks(walk_s), unknown, nearest)
        return found if joined is None else spread_walks(found, joined)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(asked, pool.map(one, asked), strict=True))
