"""Scenes of the hearing map: those of a study, and those that the data suggest."""

from __future__ import annotations

import dataclasses
import json
from urllib.parse import parse_qs

import numpy as np
import pytest

from demo_scans import demo_result
from livingcircle.saved import load_result
from livingcircle.scenes import default_scenes, scene_records, scenes_of
from livingcircle.study import Study
from livingcircle.study_parts import SceneInput
from livingcircle_layers.errors import InputError
from made_result import made_result


def study_with(*scenes, walkers=("adult",)):
    return Study.model_validate(
        {
            "standard": "chengdu",
            "walkers": walkers,
            "streets": {"osm": "a.osm.pbf"},
            "communities": {"file": "c.geojson"},
            "population": {"file": "p.csv"},
            "scene": list(scenes),
        }
    )


def records(*scenes, **options):
    result = made_result(names=["春熙路"])
    return scene_records(study_with(*scenes, **options), result.rules, result.communities)


def test_scene_names_rule_measure_community_and_view():
    [scene] = records(
        {
            "title": "学校",
            "rule": "gb50180_2018_primary_school",
            "measure": "false_coverage",
            "unit": "春熙路",
            "people": True,
            "view": "14/30.6/104.0",
        }
    )
    assert (scene["zh"], scene["en"]) == ("学校", "学校")
    assert parse_qs(scene["hash"]) == {
        "c": ["gb50180_2018_primary_school"],
        "m": ["gap"],
        "u": ["community:510104000000"],
        "n": ["1"],
        "v": ["14/30.6/104.0"],
    }


def test_scene_may_be_an_address_as_the_map_writes_it():
    assert records({"title": "a", "title_en": "b", "hash": "#c=score&u=city%3Acity"}) == [
        {"zh": "a", "en": "b", "hash": "c=score&u=city%3Acity"}
    ]


def test_every_unknown_name_of_all_scenes_is_told_at_once():
    with pytest.raises(InputError) as fault:
        records(
            {"title": "一", "rule": "gb50180_2018_primary_schol"},
            {"title": "二", "unit": "春西路"},
            {"title": "三", "walker": "elder"},
        )
    said = str(fault.value)
    assert "scene '一': unknown rule" in said
    assert "did you mean 'gb50180_2018_primary_school'?" in said
    assert "scene '二': unknown community" in said
    assert "did you mean '春熙路'?" in said
    assert "scene '三': unknown walker" in said


def test_view_is_zoom_latitude_longitude():
    with pytest.raises(ValueError, match="view"):
        SceneInput.model_validate({"title": "a", "view": "javascript:alert(1)"})


def test_scenes_of_the_demo_town():
    scenes = default_scenes(demo_result())
    titles = [scene["zh"] for scene in scenes]
    assert titles[0] == "综合得分"
    assert titles[2:4] == ["300米见绿", "500米见园"]
    assert [title.split(":")[0] for title in titles] == [
        "综合得分", "缺口最大", "300米见绿", "500米见园", "假覆盖", "养老", "得分最低",
    ]  # fmt: skip
    false = parse_qs(scenes[4]["hash"])
    assert false["m"] == ["gap"]
    # The rule and the community with most people inside the radius and out of reach, counted again from the table.
    rows = demo_result().coverage
    rows = rows[rows["denominator"].isin(["people"]) & rows["covered"].notna() & (rows["status"] != "not_applicable")]
    gap = (rows["radius_covered"] - rows["covered"]).astype(float)
    city = rows[rows["level"] == "city"]
    rule = city.loc[gap[city.index].idxmax(), "rule"]
    assert false["c"] == [rule]
    own = rows[(rows["level"] == "community") & (rows["rule"] == rule)]
    assert false["u"] == [f"community:{own.loc[gap[own.index].idxmax(), 'unit_id']}"]


def test_no_scene_where_the_data_carry_none():
    result = made_result()
    unscored = dataclasses.replace(result, scores=result.scores.assign(score=np.nan))
    assert not {"综合得分", "得分最低"} & {s["zh"].split(":")[0] for s in default_scenes(unscored)}
    nothing = dataclasses.replace(unscored, coverage=result.coverage.iloc[:0])
    assert default_scenes(nothing) == []


def test_scenes_of_a_study_take_the_place_of_those_of_the_data(tmp_path):
    own = [{"zh": "开场", "en": "Opening", "hash": "c=score"}]
    result = made_result()
    result = dataclasses.replace(result, run={**result.run, "scenes": own})
    assert scenes_of(result) == own
    result.save(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["scenes"] == own
    assert scenes_of(load_result(tmp_path / "out")) == own
