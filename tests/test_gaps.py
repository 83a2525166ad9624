"""What is missing, and false coverage: planted cases of the demo town, and every row against its definition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import livingcircle as lc
from demo_scans import demo_measured as town
from demo_scans import demo_result, row
from livingcircle.columns import COVERAGE
from livingcircle.false_coverage import false_coverage_table
from livingcircle.gaps import nearest_doors
from made_result import made_result

KINDERGARTEN = "gb50180_2018_kindergarten"
PRIMARY = "gb50180_2018_primary_school"


def gap(unit_name: str, rule: str) -> pd.Series:
    gaps = demo_result().gaps
    assert gaps is not None
    found = gaps[(gaps["unit_name"] == unit_name) & (gaps["rule"] == rule)]
    assert len(found) == 1
    return found.iloc[0]


def test_a_home_one_centimetre_too_far_is_the_gap() -> None:
    # 示意量尺路: one home walks 300.00 m and is inside, the next 300.01 m: its 10 children are the gap.
    found = gap("示意量尺社区", KINDERGARTEN)
    assert (found["without"], found["demand"], found["unreached"]) == (10, 20, 0)
    assert found["nearest_name"] == "示意量尺幼儿园"
    assert found["nearest_m"] == pytest.approx(300.01, abs=0.005)
    assert found["clause"] == row("示意量尺社区", KINDERGARTEN)["clause"]


def test_across_the_river_the_school_is_near_and_the_walk_is_not() -> None:
    found = gap("示意对岸社区", PRIMARY)
    assert found["without"] == found["demand"]  # none within the walk
    assert found["nearest_m"] > 1000  # by the bridge; the radius of the rule is 500 m


def test_people_of_an_island_are_without_a_place_in_reach() -> None:
    gaps = demo_result().gaps
    assert gaps is not None
    # 示意洲小径 leads nowhere: its 12 people reach nothing at all.
    assert (gaps.groupby(["rule", "group"])["unreached"].sum().xs("all", level="group") >= 12).all()


def test_every_gap_is_a_row_of_coverage_and_none_is_left_out() -> None:
    coverage, gaps = demo_result().coverage, demo_result().gaps
    assert gaps is not None
    known = coverage[(coverage["level"] == "community") & coverage["status"].isin(["ok", "incomplete"])]
    known = known[known["denominator"] == "people"]
    assert gaps["without"].sum() == (known["demand"] - known["covered"]).sum()
    assert (gaps["unreached"] <= gaps["without"]).all()
    assert not gaps.duplicated(["unit_id", "rule", "walker", "gates"]).any()
    named = gaps["nearest_id"] != ""
    assert (gaps["nearest_m"].notna() == named).all()
    assert ((gaps["unreached"] == gaps["without"]) == ~named).all()


def test_the_nearest_place_is_that_of_most_people_without() -> None:
    measured = town()
    verdict = measured.first[PRIMARY]
    doors, homes = nearest_doors(measured, verdict), measured.city.homes
    group = measured.people.residents(verdict.rule)
    for found in demo_result().gaps.query("rule == @PRIMARY").itertuples():  # type: ignore[union-attr]
        count: dict[str, int] = {}
        walks: list[tuple[str, float, int]] = []
        for i in np.flatnonzero((homes["unit"] == found.unit_id).to_numpy() & ~verdict.walk & (doors >= 0)):
            place = measured.city.doors["facility_id"].iloc[doors[i]]
            count[place] = count.get(place, 0) + int(group[i])
            walks.append((place, verdict.walk_m[i], int(group[i])))
        if count:
            assert count[found.nearest_id] == max(count.values())
            mine = sorted((m, n) for place, m, n in walks if place == found.nearest_id)
            half, running = sum(n for _, n in mine) / 2, 0
            median = next(m for m, n in mine if (running := running + n) >= half)
            assert found.nearest_m == median


def test_a_rule_of_parts_names_the_part_that_decides() -> None:
    measured = town()
    for verdict in measured.first.values():
        if verdict.rule.combine is not None:
            doors = nearest_doors(measured, verdict)
            assert ((doors >= 0) == np.isfinite(verdict.walk_m)).all()


def test_false_coverage_by_hand() -> None:
    def line(unit: str, rule: str, radius: float, walk: float) -> dict[str, object]:
        return {"level": "community", "unit_id": unit, "rule": rule, "walker": "adult", "gates": "respect",
                "denominator": "people", "status": "ok", "demand": 100, "radius_covered": radius, "covered": walk,
                "radius_share": radius / 100, "share": walk / 100}  # fmt: skip

    rows = [line("a", "x", 80, 60), line("b", "x", 90, 50), line("b", "y", 70, 50), line("a", "y", 50, 50),
            line("a", "z", np.nan, 10)]  # fmt: skip
    table = pd.DataFrame(rows).reindex(columns=list(COVERAGE.names))
    found = false_coverage_table(table)
    assert list(zip(found["unit_id"], found["rule"], found["rank"], found["false_covered"], strict=True)) == [
        ("b", "x", 1, 40),  # 90 by radius, 50 on foot
        ("a", "x", 2, 20),
        ("b", "y", 2, 20),  # as many: the same rank
    ]
    assert found["false_share"].tolist() == [0.4, 0.2, 0.2]


def test_the_river_is_false_coverage_of_half_the_children() -> None:
    table = demo_result().false_coverage
    assert table is not None
    found = table[(table["unit_name"] == "示意对岸社区") & (table["rule"] == PRIMARY)].iloc[0]
    assert found["covered"] == 0
    assert (
        found["false_covered"] == found["radius_covered"] == row("示意对岸社区", PRIMARY)["radius_covered"] == 133
    )  # of 262


def test_only_some_communities() -> None:
    part = lc.scan(lc.demo_study(), only=("SY032",))
    assert set(part.gaps["unit_id"]) == {"SY032"}  # type: ignore[index]
    assert set(part.false_coverage.query("level == 'community'")["unit_id"]) == {"SY032"}  # type: ignore[union-attr]


def test_a_result_without_these_tables_is_saved_without_them(tmp_path) -> None:  # type: ignore[no-untyped-def]
    folder = made_result().save(tmp_path / "out")
    assert not (folder / "gaps.csv").exists()
    assert lc.load_result(folder).gaps is None


def test_read_back(demo_folder: Path) -> None:
    from livingcircle.columns import FALSE_COVERAGE, GAPS, published

    again = lc.load_result(demo_folder)
    for ours, theirs, table in (
        (demo_result().gaps, again.gaps, GAPS),
        (demo_result().false_coverage, again.false_coverage, FALSE_COVERAGE),
    ):
        assert ours is not None
        assert theirs is not None
        pd.testing.assert_frame_equal(published(ours, table), published(theirs, table), check_dtype=False)


def test_every_community_carries_its_pedestrian_shed() -> None:
    result = demo_result()
    assert result.circles is not None
    widest = result.circles.query("walker == 'adult' and minutes == 15").set_index("unit_id")["pedestrian_shed"]
    found = result.communities["pedestrian_shed"].dropna()
    assert found.to_dict() == widest.to_dict()
    assert found.between(0, 1).all()
