"""Scenes of the hearing map: what a planner shows one after the other, prepared in the study or made from the data."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pandas as pd

from livingcircle.missed import counts_people, people_without
from livingcircle_layers.errors import InputError
from livingcircle_layers.typed_toml import unknown_word

if TYPE_CHECKING:
    import geopandas as gpd

    from livingcircle.result import ScanResult
    from livingcircle.rules import Rule, RuleSet
    from livingcircle.study import Study
    from livingcircle.study_parts import SceneInput

SCORE = "score"  # what the map calls the overall score where a rule would stand
CITY = "city:city"
GREEN_LIMITS = {300.0: ("300米见绿", "Green within 300 m"), 500.0: ("500米见园", "A park within 500 m")}
MEASURES = {"walk": "share", "radius": "radius", "minutes": "minutes", "false_coverage": "gap"}
ELDER_GROUP = "age_60_up"

Scene = dict[str, str]


def scene_records(study: Study, rules: RuleSet, units: gpd.GeoDataFrame) -> list[Scene]:
    """Return the scenes of a study as the map opens them: title in both languages, and the address.

    Parameters
    ----------
    study
        A study; its entries `[[scene]]` are read.
    rules
        Rules of the run.
    units
        Communities by id, with `unit_name`.

    Raises
    ------
    InputError
        A scene names a rule, a walker or a community that the run does not have: all of them at once.
    """
    known = {rule.id for rule in rules.rules} | {SCORE}
    by_name = {str(name): str(unit) for unit, name in units["unit_name"].items()}
    ids = {str(unit) for unit in units.index}
    faults = []
    for scene in study.scene:
        where = f"scene {scene.title!r}: unknown"
        if scene.rule and scene.rule not in known:
            faults.append(unknown_word(f"{where} rule", scene.rule, known))
        if scene.walker and scene.walker not in study.walkers:
            faults.append(unknown_word(f"{where} walker", scene.walker, study.walkers))
        if scene.unit and scene.unit not in ids and scene.unit not in by_name:
            faults.append(unknown_word(f"{where} community", scene.unit, [*ids, *by_name]))
    if faults:
        raise InputError.of(faults)
    return [_prepared(scene, ids, by_name) for scene in study.scene]


def _prepared(scene: SceneInput, ids: Collection[str], by_name: Mapping[str, str]) -> Scene:
    unit = scene.unit if scene.unit in ids else by_name.get(scene.unit, "")
    address = scene.hash.removeprefix("#") or _address(
        scene.rule,
        unit=f"community:{unit}" if unit else "",
        measure=MEASURES[scene.measure],
        walker=scene.walker,
        people=scene.people,
        view=scene.view,
    )
    return {"zh": scene.title, "en": scene.title_en or scene.title, "hash": address}


def _address(
    layer: str, *, unit: str = "", measure: str = "share", walker: str = "", people: bool = False, view: str = ""
) -> str:
    parts = {"c": layer, "m": measure, "u": unit or CITY, "w": walker, "n": "1" if people else "", "v": view}
    return urlencode({key: value for key, value in parts.items() if value})


def scenes_of(result: ScanResult) -> list[Scene]:
    """Return the scenes of a result: those its study prepared, or else the ones that its data suggest."""
    prepared = result.run.get("scenes")
    return [dict(scene) for scene in prepared] if prepared else default_scenes(result)


def default_scenes(result: ScanResult) -> list[Scene]:
    """Make scenes from the data: score, largest gap, green, false coverage, elder care, the weakest community.

    A scene stands only where the data carry it: no score, no scene of it; a layer without data has none.
    """
    rules = {rule.id: rule for rule in result.rules.rules}
    rows = _walked(result, rules)
    city = rows[rows["level"] == "city"]
    scoring = city[city["rule"].isin(result.rules.scoring)]
    scenes: list[Scene] = []
    if (result.scores["score"].notna() & (result.scores["level"] == "community")).any():
        scenes.append(_scene("综合得分", "Overall score", SCORE))
    if len(scoring):
        worst = rules[_first(scoring.assign(left=people_without(scoring)), "left")]
        scenes.append(
            _scene(f"缺口最大:{worst.name_zh}", f"Largest gap: {worst.name_en or worst.id}", worst.id, people=True)
        )
    scenes += _green_scenes([rules[name] for name in city["rule"]])
    scenes += _false_scene(rows, rules)
    scenes += _elder_scenes(city, rules, result)
    return scenes + _weakest_scene(result)


def _walked(result: ScanResult, rules: Mapping[str, Rule]) -> pd.DataFrame:
    """Rows that say how many people walk there, of the first walker and treatment of gates."""
    table = result.coverage
    table = table[table["rule"].isin(list(rules)) & counts_people(table) & (table["demand"].fillna(0) > 0)]
    return table.drop_duplicates(["level", "unit_id", "rule", "group"])


def _first(table: pd.DataFrame, column: str, name: str = "rule") -> str:
    """Return the name in the row with the largest value; of equal ones the first by name."""
    return str(table.sort_values([column, name], ascending=[False, True])[name].iloc[0])


def _green_scenes(rules: Sequence[Rule]) -> list[Scene]:
    scenes = []
    for limit, (zh, en) in GREEN_LIMITS.items():
        fitting = [r for r in rules if r.standard == "park-300-500" and r.threshold == limit]
        walked = [r for r in fitting if r.metric == "walk_m"] or fitting
        if walked:
            scenes.append(_scene(zh, en, walked[-1].id, people=True))
    return scenes


def _false_scene(rows: pd.DataFrame, rules: Mapping[str, Rule]) -> list[Scene]:
    """Show the rule that most people are counted for and do not reach, at the community with most of them."""
    false = rows.assign(false=rows["radius_covered"] - rows["covered"])
    false = false[false["false"].fillna(0) > 0]
    city, communities = false[false["level"] == "city"], false[false["level"] == "community"]
    if city.empty:
        return []
    rule = rules[_first(city, "false")]
    own = communities[communities["rule"] == rule.id]
    unit = f"community:{_first(own, 'false', 'unit_id')}" if len(own) else ""
    en = f"False coverage: {rule.name_en or rule.id}"
    return [_scene(f"假覆盖:{rule.name_zh}", en, rule.id, unit=unit, measure="gap", people=True)]


def _elder_scenes(city: pd.DataFrame, rules: Mapping[str, Rule], result: ScanResult) -> list[Scene]:
    own = [rules[name] for name in city.loc[city["group"] == ELDER_GROUP, "rule"]]
    walker = "elder" if (result.coverage["walker"] == "elder").any() else ""
    return [
        _scene(f"养老:{rule.name_zh}", f"Elder care: {rule.name_en or rule.id}", rule.id, walker=walker, people=True)
        for rule in own[:1]
    ]


def _weakest_scene(result: ScanResult) -> list[Scene]:
    """Show the community with the lowest score among those of the most frequent type, which alone are ranked."""
    scores = result.scores
    own = scores[(scores["level"] == "community") & scores["score"].notna()]
    if own.empty:
        return []
    kind = own["unit_type"].fillna("")
    last = own[kind == kind.mode().iloc[0]].sort_values(["score", "unit_id"]).iloc[0]
    name, unit = str(last["unit_name"]), f"community:{last['unit_id']}"
    return [_scene(f"得分最低:{name}", f"Lowest score: {name}", SCORE, unit=unit)]


def _scene(zh: str, en: str, layer: str, **state: Any) -> Scene:
    return {"zh": zh, "en": en, "hash": _address(layer, **state)}
