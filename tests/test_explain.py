"""Explanations: equal to the scan to the digit, the way equal to the walk, and nobody's home in them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer
from typer.testing import CliRunner

from demo_scans import demo_measured as town
from demo_scans import demo_result
from livingcircle.cli import app
from livingcircle.columns import COVERAGE, published
from livingcircle.explain import FEWEST, Explanation, _deciding, _withheld, explain
from livingcircle.gaps import nearest_doors
from livingcircle.route import route_parts, route_to_nearest
from livingcircle.unit_names import unit_called
from livingcircle.walkers import WALKERS
from livingcircle_layers.errors import InputError, UsageError

PRIMARY = "gb50180_2018_primary_school"
KINDERGARTEN = "gb50180_2018_kindergarten"
NURSERY = "gb50180_2018_nursery"


@cache
def unit_id(name: str) -> str:
    units = demo_result().communities["unit_name"]
    return str(units.index[units == name][0])


@cache
def told(unit: str, rule: str) -> Explanation:
    return explain(town(), unit, rule)


def test_every_number_is_that_of_the_scan() -> None:
    coverage = published(demo_result().coverage, COVERAGE)
    chosen = coverage[coverage["unit_id"].isin(["SY032", "SY045", "city"]) & (coverage["denominator"] == "people")]
    for row in chosen.groupby("unit_id").head(2).to_dict("records"):
        found = explain(town(), row["unit_id"], row["rule"])
        assert found.row == {k: None if pd.isna(v) else v for k, v in row.items()}
        if found.row["status"] in ("ok", "incomplete"):
            counted = sum(p.people or 0 for p in found.places)
            hidden = sum(p.people is None for p in found.places)
            # Places that show <10 hold what is left of the covered people.
            assert counted <= row["covered"] <= counted + hidden * max(1, row["covered"] - counted)
            assert found.unreached <= row["demand"] - row["covered"]


def test_the_measuring_street_by_hand() -> None:
    # 示意量尺社区: 10 of 20 children are 300.00 m from 示意量尺幼儿园, the other 10 are 300.01 m from it.
    found = told(unit_id("示意量尺社区"), KINDERGARTEN)
    assert (found.row["demand"], found.row["covered"]) == (20, 10)
    assert [(p.name, p.people) for p in found.places] == [("示意量尺幼儿园", 10)]
    assert found.outside is not None
    assert found.outside.name == "示意量尺幼儿园"
    assert 300 < found.outside.parts.metres <= 325  # street positions are looked at every 25 m
    assert found.outside.parts.metres == pytest.approx(
        found.outside.parts.leg_m + found.outside.parts.street_m, abs=0.01
    )


def test_the_way_is_drawn() -> None:
    found = told(unit_id("示意对岸社区"), PRIMARY)
    assert found.outside is not None
    drawing = found.geojson()
    kinds = {f["properties"]["kind"]: f for f in drawing["features"]}
    assert {"unit", "position", "street", "leg", "place"} <= set(kinds)
    assert "OpenStreetMap" in drawing["attribution"]
    assert "内部工作图" in drawing["attribution"]
    street = shapely.geometry.shape(kinds["street"]["geometry"])
    at = np.asarray(street.coords) * [np.cos(np.radians(30.5)) * 111_320, 110_852]
    assert np.hypot(*np.diff(at, axis=0).T).sum() == pytest.approx(found.outside.parts.street_m, rel=0.01)
    assert found.row["covered"] == 0
    assert 500 < found.outside.parts.metres < 1100  # the least of those outside; most are farther, by the bridge


def test_ways_are_as_long_as_the_walks() -> None:
    measured = town()
    network, joins = measured.city.network, measured.city.home_joins
    doors = measured.city.door_joins
    rng = np.random.default_rng(6)
    homes = rng.choice(len(joins.edge), 60, replace=False)
    for walker in (WALKERS["adult"], WALKERS["wheelchair"]):
        for unit in ("m", "s"):
            walk = network.walk(walker, unit=unit)  # type: ignore[arg-type]
            few = doors.take(np.arange(0, len(doors.edge), 40))
            costs, _ = walk.nearest(joins.take(homes), few, limit=3000.0)
            for home, cost in zip(homes, costs, strict=True):
                place = joins.take(np.array([home]))
                route = route_to_nearest(walk, place, few, limit=3000.0)
                if np.isnan(cost):
                    assert route is None
                    continue
                assert route is not None
                parts = route_parts(network, route, walker)
                assert (parts.metres if unit == "m" else parts.seconds) == pytest.approx(cost, abs=0.011)
                line = route.line(network.streets)
                assert line.length == pytest.approx(parts.street_m, abs=0.01)


def test_no_position_stands_for_few_people() -> None:
    measured = town()
    streets = measured.city.network.streets
    to_plane = Transformer.from_crs(4326, streets.crs, always_xy=True)
    homes = shapely.MultiPoint(measured.city.homes[["x", "y"]].to_numpy())
    for name in ("示意对岸社区", "示意石榴社区", "示意园前社区"):
        found = told(unit_id(name), "gb50180_2018_fresh_market")
        assert all(p.people is None or p.people >= FEWEST for p in found.places)
        if found.outside is not None:
            at = shapely.Point(to_plane.transform(*found.outside.position))
            assert shapely.distance(streets.lines, at).min() < 0.2  # six decimals of a degree
            assert at.distance(homes) > 1
            assert "people" not in json.dumps(found.geojson())


@pytest.mark.parametrize(
    ("people", "withheld"),
    [
        # all are in the sum that is shown: 73 less 50 and 20 would tell the 3
        ([50, 20, 3], [False, True, True]),
        ([50, 10, 10], [False, False, False]),
        ([50, 4, 3], [False, True, True]),  # two small ones hide each other
        ([9], [True]),
        ([], []),
    ],
)
def test_one_small_number_is_not_left_alone(people: list[int], withheld: list[bool]) -> None:
    assert _withheld(np.array(people, dtype=np.int64)).tolist() == withheld


def test_places_of_few_people_stand_in_the_explanation_without_their_number() -> None:
    measured, found = town(), told("city", KINDERGARTEN)
    verdict = measured.first[KINDERGARTEN]
    doors = nearest_doors(measured, verdict)
    place = measured.city.doors["facility_id"].to_numpy()[doors]
    people = (
        pd.Series(measured.people.residents(verdict.rule)).where(verdict.walk & (doors >= 0), 0).groupby(place).sum()
    )
    few = people[(people > 0) & (people < FEWEST)]
    assert len(few) > 1
    assert {p.facility_id for p in found.places if p.people is None} == set(few.index)


@pytest.mark.parametrize(("combine", "decides"), [("any_of", max), ("all_of", min)])
def test_of_a_rule_of_parts_that_part_is_explained_which_decides(combine: str, decides: Any) -> None:
    # One of several will do: whoever is outside misses the part that most reach. All are asked for: the rarest.
    measured = town()
    whole = next(v for v in measured.first.values() if v.rule.combine is not None and len(v.rule.parts) > 1)
    asked = replace(whole, rule=whole.rule.model_copy(update={"combine": combine}))
    reached = {p: int(measured.people.groups["all"][measured.first[p].walk].sum()) for p in whole.rule.parts}
    assert len(set(reached.values())) > 1
    everywhere = np.ones(len(whole.walk), dtype=bool)
    assert _deciding(measured, asked, everywhere).rule.id == decides(reached, key=lambda p: reached[p])
    single = measured.first[PRIMARY]
    assert _deciding(measured, single, everywhere) is single


def test_everybody_inside_and_no_data() -> None:
    coverage = demo_result().coverage.query("level == 'community' and denominator == 'people'")
    whole = coverage[(coverage["covered"] == coverage["demand"]) & (coverage["demand"] > 100)].iloc[0]
    assert "无人在外 nobody is outside" in told(whole["unit_id"], whole["rule"]).lines()
    unknown = coverage[coverage["status"] == "no_data"].iloc[0]
    lines = told(unknown["unit_id"], unknown["rule"]).lines()
    assert any("no data for this service" in line for line in lines)
    assert not any("Share on foot" in line for line in lines)


def test_land_in_the_sum_and_people_beside_it_are_kept_apart() -> None:
    lines = told("city", "park_300_500_statistic_500").lines()
    assert any("m² of residential land" in line for line in lines)
    assert any("of the residents, who are not in this sum" in line for line in lines)
    assert not any("of the residents" in line for line in told("city", PRIMARY).lines())


def test_a_name_will_do_for_an_id() -> None:
    name = str(demo_result().communities.loc["SY032", "unit_name"])
    assert explain(town(), name, PRIMARY).row == told("SY032", PRIMARY).row


def test_an_id_wins_over_a_name_and_a_name_of_two_units_is_not_guessed() -> None:
    names = pd.Series({"a": "桂花社区", "b": "桂花社区", "c": "a", "d": "芙蓉社区"})
    assert [unit_called(word, names) for word in ("a", "芙蓉社区", "桂花")] == ["a", "d", "桂花"]
    with pytest.raises(UsageError, match="2 units are called 桂花社区; expected an id; remedy: choose one of a, b"):
        unit_called("桂花社区", names)


def test_what_does_not_exist() -> None:
    with pytest.raises(UsageError, match=r"the scan has no rule gb50180_2018_primary; remedy: did you mean"):
        explain(town(), "city", "gb50180_2018_primary")
    with pytest.raises(
        UsageError, match=r"the scan has no rule 幼儿园; remedy: did you mean .*gb50180_2018_kindergarten 幼儿园"
    ):
        explain(town(), "city", "幼儿园")
    with pytest.raises(UsageError, match=r"the scan has no unit_id 示意对岸社; remedy: did you mean 示意对岸社区"):
        explain(town(), "示意对岸社", PRIMARY)
    with pytest.raises(UsageError, match=r"the scan has no unit_id SY999; remedy: did you mean SY0"):
        explain(town(), "SY999", PRIMARY)
    for rule, metric in (("chengdu_policy_park_per_cap_2025", "per_cap"), ("chengdu_policy_retail", "share_unit")):
        with pytest.raises(UsageError, match=rf"{rule} measures no walk of people; got {metric}"):
            explain(town(), "city", rule)
    with pytest.raises(UsageError, match=r"the scan has no walker elder"):
        explain(town(), "city", PRIMARY, walker="elder")


def test_from_a_folder_by_the_command(demo_folder: Path, tmp_path: Path) -> None:
    out = shutil.copytree(demo_folder.parent, tmp_path / "town") / "out"
    run = CliRunner()
    file = tmp_path / "explain.geojson"
    shown = run.invoke(app, ["explain", str(out), "--unit", "SY032", "--rule", PRIMARY, "--json", "-o", str(file)])
    assert shown.exit_code == 0, shown.output
    plain = json.loads(shown.stdout)
    assert plain == json.loads(json.dumps(told("SY032", PRIMARY).as_dict(), ensure_ascii=False))
    assert json.loads(file.read_text(encoding="utf-8"))["type"] == "FeatureCollection"
    unknown = run.invoke(app, ["explain", str(out), "--unit", "SY032", "--rule", NURSERY])
    assert unknown.exit_code == 0, unknown.output
    assert "no data for this service" in unknown.stdout
    # A number that was changed in the folder is not explained.
    text = (out / "coverage.csv").read_text(encoding="utf-8-sig")
    line = next(t for t in text.splitlines() if t.startswith("community,SY032") and PRIMARY in t)
    (out / "coverage.csv").write_text(text.replace(line, line.replace(",262,", ",263,", 1)), encoding="utf-8-sig")
    with pytest.raises(InputError, match=r"demand is another number than in the folder; got 262; expected 263"):
        explain(out, "SY032", PRIMARY)
    shutil.rmtree(out.parent / "inputs")
    with pytest.raises(InputError, match=r"town.osm.pbf is not found.*--study FILE"):
        explain(out, "SY032", PRIMARY)
