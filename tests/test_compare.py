"""Two scans beside each other: people gained and lost, and what caused it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

import livingcircle as lc
from livingcircle import compare
from livingcircle.cli import main
from livingcircle_layers.errors import InputError
from small_city import small_study
from towns import write_communities, write_table


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
    found.save(tmp_path / "out")  # takes the place of the earlier one
    mine = tmp_path / "mine" / "compare.csv"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(InputError, match=r"mine holds files that no comparison has written: compare.csv; .*another -o"):
        found.save(mine.parent)
    assert mine.read_text() == "mine"

    book = load_workbook(tmp_path / "out" / "compare.xlsx")
    city_sheet, units, why = book.worksheets
    assert [sheet.title for sheet in book] == ["全市 City", "变化的单元 Changed units", "原因 Causes"]
    table = list(units.values)
    names = [str(heading).split("\n")[1] for heading in table[0]]
    shown = [dict(zip(names, row, strict=True)) for row in table[1:]]
    assert {row["Rule"] for row in shown} == {"clinic"}  # nothing else changed
    assert {row["Rule in words"] for row in shown} == {found.labels["clinic"]}
    assert {row["Walker"] for row in shown} == {"成年人 adult"}
    assert sum(row["Change, people covered"] for row in shown if row["Level"] == "社区 community") == city
    gains = [row["Change, people covered"] for row in shown]
    assert gains == sorted(gains, key=abs, reverse=True)
    assert city_sheet.max_row == 1 + 3  # one row for each rule
    assert ["设施新增 facility came" in row for row in why.values].count(True) == 1
    found.save(tmp_path / "again")
    assert (tmp_path / "again" / "compare.xlsx").read_bytes() == (tmp_path / "out" / "compare.xlsx").read_bytes()


def test_a_row_in_front_of_a_list_without_ids_is_the_only_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = (210, 390, "二诊所"), (-310, 190, "三诊所"), (310, -190, "四诊所")
    lists = {
        "old": [first, second],
        "front": [third, first, second],
        "moved": [(first[0] + 30, first[1], first[2]), (*second[:2], "仁心诊所")],
    }
    found = {}
    for name, rows in lists.items():
        file = write_table(tmp_path / "clinics.csv", "name", rows)
        study = small_study(tmp_path / "a", facilities=[{"file": str(file), "service": "clinic", "mode": "add"}])
        lc.scan(study).save(tmp_path / name)
        causes = compare(tmp_path / "old", tmp_path / name).causes
        found[name] = causes[causes["cause"].str.startswith("facility")].to_numpy().tolist()
    assert found == {
        "old": [],
        "front": [["facility came", "clinic clinics.csv:2 四诊所", "", ""]],
        "moved": [
            ["facility moved", "clinic clinics.csv:2 二诊所", "", "30 m"],
            ["facility renamed", "clinic clinics.csv:3 仁心诊所", "三诊所", "仁心诊所"],
        ],
    }
    with pytest.raises(SystemExit):
        main(["compare", str(tmp_path / "old"), str(tmp_path / "moved"), "-o", str(tmp_path / "out")])
    lines = capsys.readouterr().out.splitlines()
    assert "facility moved: clinic clinics.csv:2 二诊所 (30 m)" in lines
    assert "facility renamed: clinic clinics.csv:3 仁心诊所 (三诊所 → 仁心诊所)" in lines


def test_another_plane_is_a_cause(tmp_path: Path) -> None:
    results = [lc.scan(small_study(tmp_path, plane=plane)) for plane in (None, (104.01, 30.0))]
    causes = compare(*results).causes
    assert list(causes["what"]) == ["plane"]
    assert "+lon_0=104.0 " in causes["old_value"][0]
    assert "+lon_0=104.01 " in causes["new_value"][0]


def test_a_rule_and_communities_that_changed_are_causes(tmp_path: Path) -> None:
    """The border of w and e moves 250 m east: 0.50 → 0.75 km² and 0.50 → 0.25 km²."""
    study = small_study(tmp_path)
    old = lc.scan(study)
    names = {"w": "新西", "e": "e"}
    units = {"w": (-500.0, -500.0, 750.0, 1000.0), "e": (250.0, -500.0, 250.0, 1000.0)}
    write_communities(tmp_path / "communities.geojson", units, name=names)
    rules = tmp_path / "rules.toml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("= 300", "= 200"), encoding="utf-8")
    found = compare(old, lc.scan(study))
    causes = [tuple(row) for row in found.causes.itertuples(index=False) if row.cause not in ("input", "setting")]
    assert causes == [
        ("community renamed", "w", "w", "新西"),
        ("community redrawn", "e", "0.500 km²", "0.250 km²"),
        ("community redrawn", "w", "0.500 km²", "0.750 km²"),
        ("rule", "shop", "threshold = 300.0", "threshold = 200.0"),
    ]
    assert "rule: shop (threshold = 300.0 → threshold = 200.0)" in found.cause_lines()
    found.save(tmp_path / "out")
    why = load_workbook(tmp_path / "out" / "compare.xlsx").worksheets[2]
    assert sum("社区边界变化 community redrawn" in row for row in why.values) == 2


def test_a_change_in_either_of_two_lists_of_one_name_is_listed(tmp_path: Path) -> None:
    """Two folders have a clinics.csv each; a row more in the first, then in the second."""
    lists = {name: [(x, 390, f"{name}一")] for name, x in (("a", 210), ("b", -210))}

    def scanned() -> lc.ScanResult:
        files = []
        for name, rows in lists.items():
            (tmp_path / name).mkdir(exist_ok=True)
            file = write_table(tmp_path / name / "clinics.csv", "name", rows)
            files.append({"file": str(file), "service": "clinic", "mode": "add"})
        return lc.scan(small_study(tmp_path / "city", facilities=files))

    results = [scanned()]
    for name, rows in lists.items():
        rows.append((110, -390, f"{name}二"))
        results.append(scanned())
    for before, after in pairwise(results):
        causes = compare(before, after).causes
        assert "facilities clinics.csv" in set(causes.loc[causes["cause"] == "input", "what"])


def test_units_of_one_side_only_are_listed(tmp_path: Path) -> None:
    result = lc.scan(small_study(tmp_path / "a"))
    west = lc.scan(small_study(tmp_path / "a"), only=["w"])
    rows = compare(result, west).rows
    assert set(rows[rows["unit_id"] == "e"]["side"]) == {"old"}
    assert rows[rows["side"] == "old"]["covered_change"].isna().all()


def test_the_command_tells_the_change_and_its_cause(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = lc.scan(small_study(tmp_path / "a")).save(tmp_path / "old")
    more = write_table(tmp_path / "clinics.csv", "name", [(210, 390, "二诊所")])
    study = small_study(tmp_path / "a", facilities=[{"file": str(more), "service": "clinic", "mode": "add"}])
    new = lc.scan(study).save(tmp_path / "new")
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(old), str(new), "-o", str(tmp_path / "out")])
    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    changed = pd.read_csv(tmp_path / "out" / "compare.csv").query("level == 'city' and covered_change > 0").iloc[0]
    assert lines[0] == f"clinic\t{changed['walker']}\t+{changed['covered_change']:,.0f}"
    assert any(line.startswith("facility came") and "二诊所" in line for line in lines)
    assert lines[-2:] == [
        "rows only in the old scan: 0, only in the new one: 0",
        f"{tmp_path / 'out'}: compare.xlsx, compare.csv, compare_causes.csv",
    ]

    def told(before: Path, after: Path) -> str:
        with pytest.raises(SystemExit):
            main(["compare", str(before), str(after), "-o", str(tmp_path / "out"), "--lang", "zh"])
        return capsys.readouterr().out.splitlines()[0]

    was, now = (f"{changed[name]:,.0f}" for name in ("covered_old", "covered_new"))
    assert f"(成年人): +{changed['covered_change']:,.0f},步行达标 {was} → {now},覆盖率" in told(old, new)
    assert told(old, old) == "全市各条文的覆盖均无增减"
