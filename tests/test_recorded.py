"""The study in a finished folder: nobody's name in it, and the same numbers when it is measured again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from demo_scans import demo_result
from livingcircle.recorded import measured_again, recorded_study, study_record
from livingcircle.scan import coverage_of, scan
from livingcircle.study import Study
from livingcircle.study_parts import CommunitiesInput, FacilitiesInput, PopulationInput, StreetsInput
from livingcircle_layers.errors import InputError

STUDY = Study(
    standard="chengdu",
    streets=StreetsInput(osm=Path("city.osm.pbf"), dem=Path("dem.tif")),
    communities=CommunitiesInput(file=Path("communities.geojson"), columns={"id": "code"}),
    population=PopulationInput(file=Path("people.csv")),
    facilities=(FacilitiesInput(file=Path("schools.csv"), service="primary_school", mode="add"),),
)


def test_measured_again_gives_the_same_coverage(demo_folder: Path) -> None:
    run = json.loads((demo_folder / "run.json").read_text(encoding="utf-8"))
    assert run["study"]["streets"]["osm"] == "../inputs/town.osm.pbf"
    assert run["study"]["facilities"][0]["mode"] == "add"
    again = coverage_of(measured_again(demo_folder))
    assert again.equals(demo_result().coverage)


def test_all_choices_are_kept(tmp_path: Path) -> None:
    changes = {"gates": "both", "walkers": ("elder",), "join_limit_m": 250.0}
    study = STUDY.relative_to(tmp_path / "inputs").model_copy(update=changes)
    record = json.loads(json.dumps(study_record(study, tmp_path / "out")))
    back = Study.model_validate(record).relative_to(tmp_path / "out")
    assert json.loads(back.model_dump_json().replace("out/../", "")) == json.loads(study.model_dump_json())


@pytest.mark.parametrize(
    ("out", "file", "kept"),
    [
        ("work/out", "work/data/city.osm.pbf", "../data/city.osm.pbf"),
        ("work/out", "work/out/inputs/city.osm.pbf", "inputs/city.osm.pbf"),
        ("home/li/out", "home/li/data/city.osm.pbf", "../data/city.osm.pbf"),  # inside one home: no name is told
        ("home/li/out", "disk/city.osm.pbf", "city.osm.pbf"),  # out of the home
        ("home/li/out", "home/wang/city.osm.pbf", "city.osm.pbf"),  # into another one
        ("work/out", "home/li/data/city.osm.pbf", "city.osm.pbf"),
        ("work/out", "work/by-li/city.osm.pbf", "city.osm.pbf"),  # the user's name
        ("work/out", "work/Users/wang/city.osm.pbf", "city.osm.pbf"),
        ("work/out", "work/planet9/city.osm.pbf", "city.osm.pbf"),  # the machine's name
    ],
)
def test_a_path_tells_neither_user_nor_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, file: str, kept: str
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "li")
    monkeypatch.setattr("platform.node", lambda: "planet9")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home/li")
    study = STUDY.model_copy(update={"streets": StreetsInput(osm=tmp_path / file)})
    assert study_record(study, tmp_path / out)["streets"]["osm"] == kept


def test_a_path_over_the_root_of_the_disk_is_a_name(tmp_path: Path) -> None:
    study = STUDY.model_copy(update={"catalogue": Path("/srv/own.toml")})
    assert study_record(study, tmp_path)["catalogue"] == "own.toml"


def test_changed_and_lost_inputs_are_all_named(demo_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(demo_folder.parent, tmp_path / "city")
    inputs, out = tmp_path / "city/inputs", tmp_path / "city/out"
    with (inputs / "population.csv").open("a", encoding="utf-8") as stream:
        stream.write("\n")
    (inputs / "dem.tif").unlink()
    with pytest.raises(InputError, match=r"dem.tif is not found.*--study FILE.*population.csv has changed.*scan again"):
        measured_again(out)


def test_inputs_elsewhere_are_found_by_the_study(demo_folder: Path, tmp_path: Path) -> None:
    out = shutil.copytree(demo_folder, tmp_path / "stick/out")
    assert not recorded_study(out).population.file.exists()
    with pytest.raises(InputError, match=r"town.osm.pbf is not found from the folder of the scan"):
        measured_again(out)
    measured = measured_again(out, demo_folder.parent / "inputs/study.toml")
    assert coverage_of(measured).equals(demo_result().coverage)


def test_changed_rules_are_refused(demo_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text('extends = "chengdu"\n', encoding="utf-8")
    (tmp_path / "own.toml").write_text('extends = "base.toml"\n', encoding="utf-8")
    study = recorded_study(demo_folder).model_copy(update={"standard": str(tmp_path / "own.toml")})
    out = scan(study, only=("SY001",)).save(tmp_path / "out")
    rule = next(r for r in measured_again(out, study).rules.rules if r.name_zh)
    changed = f'extends = "chengdu"\n[[rule]]\nid = "{rule.id}"\nname_zh = "改名"\n'
    (tmp_path / "base.toml").write_text(changed, encoding="utf-8")
    with pytest.raises(InputError, match=r"the rules of .*own.toml are not those of the scan.*scan again"):
        measured_again(out, study)
    (tmp_path / "own.toml").write_text('extends = "chengdu"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"own.toml has changed since the scan; remedy: scan again"):
        measured_again(out, study)


def test_a_folder_without_a_study_says_so(demo_folder: Path, tmp_path: Path) -> None:
    out = shutil.copytree(demo_folder, tmp_path / "out")
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    del run["study"]
    (out / "run.json").write_text(json.dumps(run), encoding="utf-8")
    with pytest.raises(InputError, match="does not hold the study; remedy: scan again"):
        measured_again(out)
