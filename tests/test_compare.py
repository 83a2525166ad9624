"""Two scans beside each other: people gained and lost, and what caused it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import livingcircle as lc
from livingcircle import compare
from small_city import small_study
from towns import write_table


def test_a_new_clinic_is_the_cause_of_what_it_brings(tmp_path: Path) -> None:
    old = lc.scan(small_study(tmp_path / "a"))
    more = write_table(tmp_path / "clinics.csv", "name", [(210, 390, "二诊所")])
    new = lc.scan(small_study(tmp_path / "a", facilities=[{"file": str(more), "service": "clinic", "mode": "add"}]))
    found = compare(old, new)
    changed = found.rows[found.rows["covered_change"].fillna(0) != 0]
    assert set(changed["rule"]) == {"clinic"}
    city = changed[changed["level"] == "city"]["covered_change"].item()
    assert city == changed[changed["level"] == "community"]["covered_change"].sum() > 0
    assert set(found.rows["side"]) == {"both"}
    causes = list(zip(found.causes["cause"], found.causes["what"], strict=True))
    assert [c for c, what in causes if "二诊所" in what] == ["facility came"]
    assert {cause for cause, _ in causes} == {"facility came", "input"}
    found.save(tmp_path / "out")
    assert len(pd.read_csv(tmp_path / "out" / "compare.csv")) == len(found.rows)
    assert compare(old, old).causes.empty


def test_units_of_one_side_only_are_listed(tmp_path: Path) -> None:
    result = lc.scan(small_study(tmp_path / "a"))
    west = lc.scan(small_study(tmp_path / "a"), only=["w"])
    rows = compare(result, west).rows
    assert set(rows[rows["unit_id"] == "e"]["side"]) == {"old"}
    assert rows[rows["side"] == "old"]["covered_change"].isna().all()
