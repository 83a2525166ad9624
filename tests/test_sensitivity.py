"""Doubt: ranges of shares worked out by hand, stable ranks, and every variant against a scan of its own."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import livingcircle as lc
from demo_scans import demo_result
from livingcircle.measured import Measured, measure
from livingcircle.network import Walk
from livingcircle.scan import coverage_of, scan
from livingcircle.sensitivity import ranks_table, shares_table
from livingcircle.study import Study
from livingcircle.study_parts import SensitivityInput
from livingcircle.variants import variants_of
from livingcircle_layers.errors import InputError
from towns import Town, study_of, write_table

#   a ──p2──p1── S ──p4────────── b        1,000 m; S: a supermarket at x = 500
#
# unit w holds x < 600: p1 40 people at 250 m, p2 30 at 350 m, p3 30 at 450 m; unit e p4: 100 people at 200 m
PEOPLE = [(250, 0, 40), (150, 0, 30), (50, 0, 30), (700, 0, 100)]
OTHERS = [(250, 0, 10), (150, 0, 90), (700, 0, 100)]
UNITS = {"w": (-200.0, -200.0, 800.0, 1500.0), "e": (600.0, -200.0, 600.0, 1500.0)}
SHARE_KEY = ["level", "unit_id", "rule", "walker"]
METRES = {"id": "metres", "services": ["supermarket"], "threshold": 300}
MINUTES = {"id": "minutes", "services": ["supermarket"], "metric": "walk_min", "threshold": 5, "walker": "adult"}


def street(folder: Path, **changes: Any) -> Study:
    drawn = changes.pop("town", None) or Town("a--------------------b", dx=1000 / 21).way("ab")
    drawn = drawn.node(500, 0, shop="supermarket", name="S")
    others = write_table(folder / "others.csv", "population", OTHERS)
    inputs = {"people": PEOPLE, "rules": [METRES, MINUTES], "communities": UNITS, "sensitivity": {},
              "population_compare": {"file": others}, **changes}  # fmt: skip
    return study_of(folder, drawn, **inputs)


def ranges(table: pd.DataFrame | None, unit: str) -> dict[str, tuple[float, float, float, str, str]]:
    assert table is not None
    mine = table[(table["unit_id"] == unit) & (table["level"] == "community")]
    return {r.rule: (r.share, r.share_low, r.share_high, r.low_by, r.high_by) for r in mine.itertuples()}


@pytest.mark.parametrize("limit", [3000, 300])  # 300: what lies beyond is searched again
def test_a_range_beside_each_share(tmp_path: Path, limit: int) -> None:
    result = scan(street(tmp_path, search_limit_m=limit))
    assert ranges(result.sensitivity, "w") == {
        # 240 m: nobody; 360 m: 40 + 30. The others: 10 of 100 within 300 m
        "metres": (0.4, 0.0, 0.7, "thresholds × 0.8", "thresholds × 1.2"),
        # 5 min are 399 m: 40 + 30 of 100; 4 min 319.2 m: 40; 6 min 478.8 m: all. The others: all within 399 m
        "minutes": (0.7, 0.4, 1.0, "thresholds × 0.8", "thresholds × 1.2"),
    }
    assert ranges(result.sensitivity, "e")["metres"] == (1.0, 1.0, 1.0, "as scanned", "as scanned")
    tried = "thresholds × 0.8; thresholds × 1.2; speeds × 0.8; speeds × 1.2; population others.csv"
    assert result.settings["sensitivity"] == tried  # no estates, so no gates
    assert [entry["path"] for entry in result.run["inputs"] if entry["role"] == "population_compare"] == ["others.csv"]


def test_speeds_alone(tmp_path: Path) -> None:
    # 0.8 × 1.33 m/s are 319.2 m in 5 min: 40 people; 1.2 × 1.33: 478.8 m: all 100. Metres do not know of speed.
    asked = {"thresholds": 0, "population": False}
    result = scan(street(tmp_path, sensitivity=asked))
    assert ranges(result.sensitivity, "w") == {
        "metres": (0.4, 0.4, 0.4, "as scanned", "as scanned"),
        "minutes": (0.7, 0.4, 1.0, "speeds × 0.8", "speeds × 1.2"),
    }


def test_a_wait_does_not_get_shorter_with_speed(tmp_path: Path) -> None:
    # t: signals cost 30 s. In the other 270 s adults walk 359.1 m: 40 + 30, slow ones 287.3 m: 40, fast ones
    # 430.9 m: 40 + 30, too
    town = Town("a-----t--------------b", dx=1000 / 21).way("atb").tag("t", highway="traffic_signals")
    study = street(tmp_path, town=town, sensitivity={"thresholds": 0, "population": False})
    assert ranges(scan(study).sensitivity, "w")["minutes"] == (0.7, 0.4, 0.7, "speeds × 0.8", "as scanned")


def test_ranks_by_hand() -> None:
    # Scores 60, 50, 40 of a, b, c; in x b passes a, in y all fall by 10. d has another list, e is not
    # complete, f has no score
    scores = pd.DataFrame(
        {
            "level": "community",
            "unit_id": list("abcdef"),
            "unit_name": "",
            "unit_type": "urban",
            "n_scored": [9, 9, 9, 8, 9, 9],
            "n_listed": 9,
            "unit_complete": [True, True, True, True, False, True],
            "score": [60, 50, 40, 70, 90, np.nan],
        }
    )
    index = pd.MultiIndex.from_frame(scores[["level", "unit_id"]])
    variants = pd.DataFrame({"x": [60, 65, 40, 70, 90, 1], "y": [50, 40, 30, 60, 80, np.nan]}, index=index)
    found = ranks_table(scores, variants.iloc[::-1]).set_index("unit_id")
    assert found["rank"].fillna(0).to_dict() == {"a": 1, "b": 2, "c": 3, "d": 1, "e": 0}
    assert found["ranked_units"].fillna(0).to_dict() == {"a": 3, "b": 3, "c": 3, "d": 1, "e": 0}  # d is first of one
    assert found["rank_low"].fillna(0).to_dict() == {"a": 1, "b": 1, "c": 3, "d": 1, "e": 0}
    assert found["rank_high"].fillna(0).to_dict() == {"a": 2, "b": 2, "c": 3, "d": 1, "e": 0}
    assert found["rank_share_stable"].fillna(-1).to_dict() == {"a": 0.5, "b": 0.5, "c": 1.0, "d": 1.0, "e": -1}
    assert found["score_low_variant"].to_dict() == {"a": 50, "b": 40, "c": 30, "d": 60, "e": 80}
    assert found["score_high_variant"].to_dict() == {"a": 60, "b": 65, "c": 40, "d": 70, "e": 90}


def test_a_variant_that_knows_nothing_says_nothing() -> None:
    coverage = pd.DataFrame(
        {"level": "city", "unit_id": "city", "unit_name": "", "rule": ["r", "s"], "group": "all", "walker": "adult",
         "share": [0.5, np.nan]}
    )  # fmt: skip
    index = pd.MultiIndex.from_tuples([("city", "city", "r", "adult")])
    found = shares_table(coverage, pd.DataFrame({"x": [np.nan], "y": [0.4]}, index=index))
    assert found[["rule", "share_low", "share_high", "low_by", "high_by"]].to_numpy().tolist() == [
        ["r", 0.4, 0.5, "y", "as scanned"]  # s has no share
    ]


def test_unknown_keys_and_impossible_values(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(
        "standard = 'chengdu'\n[streets]\nosm = 'a'\n[communities]\nfile = 'b'\n[sensitivity]\nspeed = 0.2\n"
    )
    with pytest.raises(InputError, match=r"speed.*speeds"):
        Study.load(path)
    path.write_text(path.read_text().replace("speed = 0.2", "speeds = 20"))
    with pytest.raises(InputError, match="less than 1"):
        Study.load(path)


# The demo town: every variant against a scan of its own --------------------------------------------------------------


@cache
def doubtful() -> Study:
    study = lc.demo_study()
    people = pd.read_csv(study.population.file)  # type: ignore[union-attr,arg-type]
    number = next(c for c in people.columns if c in ("population", "人口"))
    people[number] = (people[number] // 2).where(np.arange(len(people)) % 3 == 0, people[number])
    other = Path(study.population.file).with_name("other_people.csv")  # type: ignore[union-attr,arg-type]
    people.drop(columns=[c for c in people.columns if c.startswith(("age_", "household"))]).to_csv(other, index=False)
    compare = study.population.model_copy(update={"file": other})  # type: ignore[union-attr]
    return study.model_copy(update={"sensitivity": SensitivityInput(), "population_compare": compare})


def shares(measured: Measured) -> pd.Series:
    return coverage_of(measured).set_index(SHARE_KEY)["share"]


def test_every_variant_is_a_scan_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    study = doubtful()
    slow = [{"name": w.name, "speed_m_s": 0.8 * w.speed_m_s, "steps_speed_m_s": 0.8 * w.steps_speed_m_s}
            for w in study.profiles().values()]  # fmt: skip
    own = {
        "speeds × 0.8": Study.model_validate({**study.model_dump(), "walker_settings": slow}),
        "population other_people.csv": study.model_copy(update={"population": study.population_compare}),
    }
    base = measure(study)
    found = {name: shares(variant) for name, variant in variants_of(base)}
    assert set(found) == {*own, "gates open", "thresholds × 0.8", "thresholds × 1.2", "speeds × 1.2"}
    before = shares(base)
    scans = {name: coverage_of(measure(changed)) for name, changed in own.items()}
    shorter = tuple(
        rule.model_copy(update={"threshold": round(0.8 * rule.threshold, 6)})
        if rule.threshold is not None and (rule.by_distance or rule.metric in ("floor_m2", "site_m2"))
        else rule
        for rule in base.rules.rules
    )
    with monkeypatch.context() as patched:
        patched.setattr("livingcircle.measured.load_standard", lambda *_, **__: replace(base.rules, rules=shorter))
        scans["thresholds × 0.8"] = coverage_of(measure(study))
    for name, table in {**scans, "gates open": demo_result("open").coverage}.items():
        expected = table.set_index(SHARE_KEY)["share"]
        pd.testing.assert_series_equal(found[name], expected)
        assert not expected.equals(before), name  # or nothing was tried


def test_a_sensitivity_run_costs_less_than_three_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    searches: list[str] = []
    stage = ["reading"]
    nearest = Walk.nearest
    monkeypatch.setattr(Walk, "nearest", lambda self, *a, **k: (searches.append(stage[-1]), nearest(self, *a, **k))[1])
    result = scan(doubtful(), progress=lambda event: stage.append(str(event)))
    again = sum(name.startswith("judging again") for name in searches)
    once = len(searches) - again  # what a scan without the switch searches
    assert 0 < again < once  # measured: a third of it
    assert len(searches) < 3 * once

    plain = demo_result()  # what was scanned does not change
    assert_frame_equal(result.coverage, plain.coverage)
    assert_frame_equal(result.scores, plain.scores)
    assert plain.sensitivity is None
    assert plain.rank_stability is None
    assert "sensitivity" not in plain.settings
    known = result.sensitivity
    assert known is not None
    assert (known["share_low"] <= known["share"]).all()
    assert (known["share"] <= known["share_high"]).all()
    assert (known["share_low"] < known["share_high"]).any()
