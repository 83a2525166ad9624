"""The page about the inputs of a study: its figures by hand, its marks as the scan has them, and all faults at once."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import shapely

import livingcircle as lc
from demo_scans import demo_result
from livingcircle._map_data import _sources
from livingcircle.check import StudyCheck, check_study
from livingcircle.cli import main
from livingcircle.marks import input_detail
from livingcircle.study import Study
from livingcircle.study_parts import FacilitiesInput
from livingcircle_layers.errors import InputError
from towns import Town, lonlat, rectangle, study_of, write_table

RULE = {"id": "shop", "services": ["supermarket"], "threshold": 500.0, "tier": "5min"}


def town() -> Town:
    """Return a street of 400 m with housing beside it, and a hamlet of 100 m by 100 m a kilometre away."""
    return (
        Town("a" + "-" * 39 + "b")
        .way("ab")
        .box(0, 10, 100, 50, landuse="residential", name="Beside")
        .box(0, 1000, 100, 100, landuse="residential", name="远村")
        .node(200, 5, shop="supermarket", name="Shop")
    )


# Legs of 10, 50 and 200 m, and one of 400 m, which is over the joining limit of 300 m.
PEOPLE = [(100, 10, 60), (200, 50, 30), (300, 200, 10), (300, 400, 5), (5000, 5000, 7)]


def checked(folder: Path, **more: Any) -> StudyCheck:
    return check_study(study_of(folder, town(), people=PEOPLE, rules=[RULE], **more))


@pytest.fixture(scope="module")
def demo_page() -> StudyCheck:
    return check_study(lc.demo_study())


def test_legs_are_those_of_people(tmp_path: Path) -> None:
    page = checked(tmp_path)
    # In line by leg: 60 at 10 m, 30 at 50 m, 10 at 200 m. The 50th stands at 10 m, the 90th at 50 m.
    assert (page.legs.p50, page.legs.p90) == (pytest.approx(10, abs=0.05), pytest.approx(50, abs=0.05))
    assert (page.legs.joined, page.legs.outside, dict(page.legs.lost)) == (100, 7, {"no_street_within_limit": 5})
    assert "legs from home to street: p50 10 m, p90 50 m; 100 join, 7 outside; 5 no_street_within_limit" in page.lines()


def test_land_without_a_street_is_measured_and_named(tmp_path: Path) -> None:
    land = checked(tmp_path).land
    assert land.m2 == pytest.approx(5_000 + 10_000, rel=0.1)  # a lattice of points stands for the land
    assert land.without_m2 == pytest.approx(10_000, rel=0.1)
    (piece,) = land.largest
    assert (piece["name"], piece["m2"]) == ("远村", land.without_m2)
    lon, lat = lonlat(50, 1050)
    assert (piece["lon"], piece["lat"]) == (pytest.approx(lon, abs=2e-4), pytest.approx(lat, abs=2e-4))


def test_known_places_stand_beside_those_expected(tmp_path: Path) -> None:
    people = [(100, 10, 60_000)]
    page = check_study(study_of(tmp_path, town(), people=people, rules=[RULE]))
    (layer,) = page.rules
    # A 5-minute circle houses 5,000 to 12,000: GB 50180 table 4.0.1, of which the upper end is taken.
    assert (layer.places, layer.expected) == (1, 60_000 / 12_000)
    assert layer.standing.status == "incomplete"  # 1 of 5 is under a quarter
    assert "rule shop (supermarket): incomplete; 1 known within reach, about 5 expected for a 5min" in page.lines()
    assert any(line.startswith("incomplete (") and line.endswith("1 of 1 rules") for line in page.lines())


def test_without_people_nothing_is_expected(tmp_path: Path) -> None:
    study = study_of(tmp_path, town(), people=PEOPLE, rules=[RULE]).model_copy(update={"population": None})
    page = check_study(study)
    assert page.rules[0].expected is None
    assert page.rules[0].standing.status == "ok"
    (legs,) = [line for line in page.lines() if line.startswith("legs ")]
    assert "m² of residential land join" in legs  # 5,000 m² are no 5,000 people
    assert page.as_dict()["legs"]["counted"] == "residential_m2"


def test_a_second_population_is_compared_with_the_streets_though_no_scan_tries_it(tmp_path: Path) -> None:
    other = write_table(tmp_path / "other.csv", "population", [(100, 10, 70)])
    page = checked(tmp_path, population_compare={"file": other})
    assert any(verdict.startswith("datum of other.csv: wgs84: ") for verdict in page.datums)
    (mark,) = [mark for mark in page.layers if mark.role == "population_compare"]
    assert (mark.source, mark.reading.rows if mark.reading else 0, mark.datum) == ("other.csv", 1, "wgs84")
    assert any(line.startswith("two populations: people.csv ") for line in page.lines())


def test_grounds_known_by_a_point_only_are_named(tmp_path: Path) -> None:
    drawn = town().node(300, 5, leisure="park", name="点公园").box(0, -100, 50, 50, leisure="park", name="面公园")
    park = {"id": "green", "services": ["park"], "threshold": 500.0, "tier": "5min"}
    page = check_study(study_of(tmp_path, drawn, people=PEOPLE, rules=[RULE, park]))
    assert [w for w in page.warnings if w.startswith("no outline")] == [
        "no outline and no gate is known, and walks to a point inside may be too long: park 1 of 2"
    ]


def test_rows_are_used_or_left_out_for_a_reason(tmp_path: Path) -> None:
    rows = [(10, 20, "超市", "家家超市"), (200, 5, "超市", "Shop"), (30, 20, "火箭", "x"), (40, 20, "超市", "万家")]
    own = write_table(tmp_path / "own.csv", "类别,名称", rows)
    entry = FacilitiesInput(file=own, where='名称 != "万家"', licence="CC0", date="2026-05", complete="no")
    page = checked(tmp_path, facilities=[entry])
    mark = page.layers[-1]
    assert (mark.role, mark.source, mark.licence, mark.date, mark.complete) == (
        "facilities", "own.csv", "CC0", "2026-05", "no",
    )  # fmt: skip
    reading = mark.reading
    assert reading is not None
    assert (reading.rows, reading.filtered, mark.used, mark.merged, dict(mark.left_out)) == (
        4, 1, 2, 0, {"no_service": 1},
    )  # fmt: skip
    assert reading.rows == reading.filtered + (mark.used or 0) + mark.merged + sum(mark.left_out.values())
    assert page.layers[0].merged == 1  # the map's own shop of the same name at the same place
    (line,) = [line for line in page.lines() if line.startswith("facilities own.csv")]
    for words in ("of 2026-05", "licence CC0", "datum wgs84:", "4 rows, 1 left out by `where`", "2 used",
                  "left out: 1 no_service", "complete: no"):  # fmt: skip
        assert words in line, words


def test_places_that_nobody_can_walk_into_are_not_used(tmp_path: Path) -> None:
    """A shop beside the street, one within walls and one off the map; a park whose fence has no gate."""
    drawn = (
        town().box(0, -60, 50, 50, leisure="park", barrier="fence", name="Shut").box(300, 200, 40, 40, barrier="wall")
    )
    rows = [(10, 20, "超市", "近"), (320, 220, "超市", "远"), (9000, 9000, "超市", "外")]
    entry = FacilitiesInput(file=write_table(tmp_path / "own.csv", "类别,名称", rows))
    green = {"id": "green", "services": ["park"], "threshold": 500.0, "tier": "5min"}
    study = study_of(tmp_path, drawn, people=PEOPLE, rules=[RULE, green], facilities=[entry])
    page = check_study(study)
    osm, own = page.layers[0], page.layers[-1]
    assert (own.used, dict(own.left_out)) == (1, {"access_not_on_network": 1, "outside_streets": 1})
    assert (osm.used, dict(osm.left_out)) == (1, {"fenced_without_gate": 1})  # used: the shop of the street
    notes = [
        "own.csv: 1 places are away from every street that can be walked to, and count for nobody; see unplaced.csv",
        "osm: 1 grounds are fenced, and neither a gate nor a street through is known: nobody gets in; see unplaced.csv",
    ]
    assert set(notes) <= set(page.warnings)

    result = lc.scan(study)
    inputs = {entry["path"]: entry for entry in result.run["inputs"]}
    assert inputs["own.csv"]["left_out"] == dict(own.left_out)
    assert sorted(result.unplaced["reason"][result.unplaced["source"] == "own.csv"]) == sorted(own.left_out)
    assert set(notes) <= set(result.run["warnings"])


def test_rows_of_people_are_accounted_for(tmp_path: Path) -> None:
    study = study_of(tmp_path, town(), people=[*PEOPLE, (0, 0, 0)], rules=[RULE])
    mark = next(m for m in check_study(study).layers if m.role == "population")
    assert (mark.used, dict(mark.left_out)) == (5, {"nobody_lives_there": 1})


def test_gates_and_what_is_not_known_of_estates(demo_page: StudyCheck) -> None:
    assert demo_page.estates > 0
    assert demo_page.estates_unknown > 0
    assert any(
        line.startswith(f"gated estates: {demo_page.estates}, of which {demo_page.gates_unknown} without")
        for line in demo_page.lines()
    )


def test_the_page_says_of_every_rule_what_the_scan_will_say(demo_page: StudyCheck) -> None:
    """The scan is the oracle: where it counts anything in the city, the state of the layer is the one foretold."""
    coverage = demo_result().coverage
    city = coverage[coverage["level"] == "city"].drop_duplicates("rule").set_index("rule")
    known = city[city["status"].isin(("ok", "incomplete", "no_data"))]
    foretold = {layer.rule.id: layer for layer in demo_page.rules}
    assert len(known) > 20
    assert {rule: foretold[rule].standing.status for rule in known.index} == known["status"].to_dict()
    assert {rule: foretold[rule].complete for rule in known.index} == known["layer_complete"].to_dict()


def test_run_report_and_map_have_the_same_marks(demo_page: StudyCheck) -> None:
    result = demo_result()
    for record, mark, source in zip(result.run["inputs"], demo_page.layers, _sources(result), strict=True):
        assert {key: record[key] for key in mark.as_dict()} == mark.as_dict()
        assert source["datum_answer"] == mark.datum_answer
        assert source["used"] == ("" if mark.used is None else str(mark.used))
    own = next(record for record in result.run["inputs"] if record["role"] == "facilities")
    detail = input_detail(own)
    assert f"wgs84: {own['datum_answer']}" in detail
    assert f"读入 read {own['rows']}" in detail
    assert "完整 complete: unknown" in detail


def test_json_holds_plain_values_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study_of(tmp_path, town(), people=[(1000, 1500, 7)], rules=[RULE])
    (tmp_path / "s.toml").write_text(
        'standard = "rules.toml"\n[streets]\nosm = "town.osm"\n[communities]\nfile = "communities.geojson"\n'
        '[population]\nfile = "people.csv"\ndate = 2020-11-01\n',
        encoding="utf-8",
    )
    with pytest.raises(SystemExit) as ended:
        main(["check", str(tmp_path / "s.toml"), "--json"])
    assert ended.value.code == 0

    def no_constant(text: str) -> None:
        pytest.fail(f"{text} is no JSON")

    page = json.loads(capsys.readouterr().out, parse_constant=no_constant)
    assert page["legs"] == {
        "p50_m": None,
        "p90_m": None,
        "joined": 0,
        "not_joined": {"no_street_within_limit": 7},
        "outside": 0,
        "counted": "people",
    }
    assert page["rules"][0]["status"] == "ok"
    assert [layer["date"] for layer in page["layers"] if layer["role"] == "population"] == ["2020-11-01"]
    assert page["residential_land"]["largest"][0]["name"] == "远村"


def test_faults_of_all_inputs_come_at_once(tmp_path: Path) -> None:
    study = study_of(tmp_path, town(), people=PEOPLE, rules=[RULE])
    (tmp_path / "people.csv").write_text("lon,lat,population\n104,30,many\n", encoding="utf-8")
    (tmp_path / "communities.geojson").write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    (tmp_path / "own.csv").write_text("", encoding="utf-8")
    bad = [FacilitiesInput(file=tmp_path / name, service="supermarket") for name in ("own.csv", "gone.csv")]
    with pytest.raises(InputError) as fault:
        check_study(study.model_copy(update={"facilities": tuple(bad)}))
    said = str(fault.value).splitlines()
    assert len(said) == 4
    assert "gone.csv" in said[0]  # what is missing comes first
    for words in ("communities.geojson", "'many'", "own.csv is empty"):
        assert sum(words in line for line in said) == 1, words


def test_sound_totals_are_not_accused_of_what_is_wrong_with_the_communities(tmp_path: Path) -> None:
    study = study_of(tmp_path, town(), people=PEOPLE, rules=[RULE])
    (tmp_path / "people.csv").write_text("id,population\nu,500\n", encoding="utf-8")
    sound = check_study(study)
    assert sound.legs.joined + sum(sound.legs.lost.values()) == 500
    two = json.loads((tmp_path / "communities.geojson").read_text(encoding="utf-8"))
    two["features"] *= 2
    two["features"][1] = {**two["features"][1], "geometry": rectangle(0, 0, 10, 10)}  # another outline of the same id
    (tmp_path / "communities.geojson").write_text(json.dumps(two), encoding="utf-8")
    with pytest.raises(InputError) as fault:
        check_study(study)
    assert str(fault.value).splitlines() == [
        "communities.geojson: ids are not unique; got u; expected every id once; remedy: merge the parts of a unit, or "
        "map another column to `id`",
        "people.csv was not looked at: it holds totals of communities, and those cannot be read; remedy: check again "
        "when the communities are in order",
    ]


def test_coordinates_that_the_planner_names_are_read_beside_other_faults(tmp_path: Path) -> None:
    study = study_of(tmp_path, town(), people=PEOPLE, rules=[RULE])
    (tmp_path / "people.csv").write_text("X坐标,Y坐标,population\n104,30,many\n", encoding="utf-8")
    (tmp_path / "own.csv").write_text("", encoding="utf-8")
    people = study.population.model_copy(update={"columns": {"lon": "X坐标", "lat": "Y坐标"}})
    lists = (FacilitiesInput(file=tmp_path / "own.csv", service="supermarket"),)
    with pytest.raises(InputError, match=r"(?s)'many'.*own\.csv is empty"):
        check_study(study.model_copy(update={"facilities": lists, "population": people}))


def test_what_needs_the_streets_is_looked_at_beside_faults_of_single_files(tmp_path: Path) -> None:
    """Another city and a wrong datum come at once with an empty file, a line each; the scan would stop at the first."""
    study = study_of(tmp_path, town(), people=PEOPLE, rules=[RULE])
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")

    far = [
        write_table(tmp_path / f"far{i}.csv", "类别,名称", [(40_000 + 900 * i, 0, "超市", f"远店{i}")]) for i in (1, 2)
    ]
    lists = [FacilitiesInput(file=tmp_path / "empty.csv"), *(FacilitiesInput(file=file) for file in far)]
    (tmp_path / "people.csv").write_text("lon,lat,population\n104,30,many\n", encoding="utf-8")
    # Communities in another city, and a second list of people with a fault of its own.
    west, east = lonlat(90_000, 0), lonlat(91_000, 1000)
    box = json.loads(shapely.to_geojson(shapely.box(*west, *east)))
    feature = {"type": "Feature", "properties": {"id": "1", "name": "远方"}, "geometry": box}
    (tmp_path / "communities.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8"
    )
    with pytest.raises(InputError) as fault:
        check_study(study.model_copy(update={"facilities": tuple(lists)}))
    said = str(fault.value).splitlines()
    for words in (
        "communities.geojson does not overlap the streets of town.osm",
        "empty.csv is empty",
        "'many'",
        "far1.csv: none of its 1 places lies near the streets",
        "far2.csv: none of its 1 places lies near the streets",
    ):
        assert sum(words in line for line in said) == 1, (words, said)
    assert len(said) == 5


def test_every_fault_is_a_line_of_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.toml").write_text(
        'standard = "national"\n[streets]\nosm = "a.osm"\n[communities]\nfile = "b.geojson"\n', encoding="utf-8"
    )
    with pytest.raises(SystemExit) as ended:
        main(["check", str(tmp_path / "s.toml")])
    assert ended.value.code == 1
    said = [line for line in capsys.readouterr().err.splitlines() if "reading" not in line]
    assert len(said) == 2
    assert all(line.startswith("livingcircle: file not found: ") for line in said)


@cache
def chengdu_page(real_data: Path) -> StudyCheck:
    folder = real_data / "chengdu"
    study = Study.model_validate(
        {
            "standard": "chengdu",
            "streets": {"osm": folder / "chengdu-centre.osm.pbf"},
            "communities": {"file": folder / "communities_standin.geojson"},
            "population": {"file": folder / "population_grid_night.csv"},
            "facilities": [{"file": folder / "facilities.csv"}],
        }
    )
    return check_study(study)


@pytest.mark.realdata
def test_chengdu_is_described_with_its_gaps(real_data: Path) -> None:
    page = chengdu_page(real_data)
    states = {layer.rule.id: layer.standing.status for layer in page.rules}
    assert states["gb50180_2018_elder_daycare"] == "no_data"  # the file has no elderly facility at all
    assert states["gb50180_2018_kindergarten"] == "incomplete"  # 8 for over a million people
    own = page.layers[-1]
    assert (own.source, own.datum_answer) == ("facilities.csv", "fits")
    reading = own.reading
    assert reading is not None
    assert reading.rows == 1054 == (own.used or 0) + own.merged + sum(own.left_out.values())


@pytest.mark.realdata
def test_the_page_about_chengdu_is_a_page(real_data: Path) -> None:
    page = chengdu_page(real_data)
    lines = page.lines()
    assert 30 <= len(lines) <= 60
    people = next(line for line in lines if line.startswith("people: "))
    assert f"{page.legs.outside:,} of them outside the communities" in people
    (osm,) = [line for line in lines if line.startswith("osm ")]
    assert "datum wgs84: reference;" in osm
    assert re.search(r"; [\d,]+ ways, [\d,]+ places, gates and crossings, [\d,]+ buildings, [\d,]+ pieces", osm)
    told = page.as_dict()
    assert len(told["rules"]) == len(page.rules)  # nothing is cut there
    assert {"service": "kindergarten", "places": {"osm": 8}, "complete": "unknown"} in told["services"]


@pytest.mark.realdata
def test_a_wrong_datum_is_told_beside_a_broken_file(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "chengdu"
    (tmp_path / "own.csv").write_text("", encoding="utf-8")
    shifted = folder / "gcj02_510104.geojson"
    study = Study.model_validate(
        {
            "standard": "chengdu",
            "streets": {"osm": folder / "chengdu-centre.osm.pbf"},
            "communities": {"file": folder / "communities_standin.geojson"},
            "areas": {"file": shifted},
            "catchments": [{"service": "primary_school", "file": shifted}],
            "facilities": [{"file": tmp_path / "own.csv"}, {"file": folder / "dirty_hospitals_elsewhere.geojson"}],
        }
    )
    with pytest.raises(InputError) as fault:
        check_study(study)
    said = str(fault.value).splitlines()
    assert sum("own.csv is empty" in line for line in said) == 1
    assert sum("dirty_hospitals_elsewhere.geojson: none of its" in line for line in said) == 1
    for entry in ("[areas]", "this file's [[catchments]]"):
        assert sum(f'write datum = "gcj02" into {entry} in the study' in line for line in said) == 1, entry
    assert len(said) == 4
