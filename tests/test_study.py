"""Study files: what may stand in them, and what is said of everything else."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from livingcircle.study import Study, find_walkers
from livingcircle.study_parts import CommunitiesInput, FacilitiesInput
from livingcircle_layers.errors import InputError, LivingCircleError, UsageError

MINIMAL = """
standard = "chengdu"
[streets]
osm = "city.osm.pbf"
[communities]
file = "communities.geojson"
[population]
file = "people.csv"
"""


def written(folder: Path, text: str, name: str = "study.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def fails(folder: Path, text: str, *words: str) -> None:
    """Check that a study is refused in one line that holds all the words."""
    with pytest.raises(InputError) as caught:
        Study.load(written(folder, text))
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert re.search(word, message), f"{word} not in: {message}"


def test_paths_are_relative_to_the_file_and_the_name_is_its_own(tmp_path: Path) -> None:
    study = Study.load(written(tmp_path, MINIMAL, "锦江.toml"))
    assert study.streets.osm == tmp_path / "city.osm.pbf"
    assert study.communities.file == tmp_path / "communities.geojson"
    assert study.population.file == tmp_path / "people.csv"
    assert study.name == "锦江"
    assert study.standard == "chengdu"


def test_everything_that_may_stand_in_it(tmp_path: Path) -> None:
    study = Study.load(
        written(
            tmp_path,
            'name = "S"\nwalkers = ["adult", "elder"]\njoin_limit_m = 200\n'
            + 'search_limit_m = 2000\ncatalogue = "c.toml"\n'
            + MINIMAL.replace('"chengdu"', '"rules.toml"')
            + '[[facilities]]\nfile = "f.csv"\nservice = "park"\nmode = "add"\n'
            + 'complete = "yes"\ncolumns = {lon = "x"}\n'
            + '[[facilities]]\nfile = "/data/g.csv"\n[[layer]]\nservice = "park"\ncomplete = "no"\n'
            + '[map]\napproval_number = "GS(2024)1"\n',
        )
    )
    assert (study.name, study.join_limit_m, study.search_limit_m) == ("S", 200, 2000)
    assert study.standard == str(tmp_path / "rules.toml")
    assert study.catalogue == tmp_path / "c.toml"
    assert [w.name for w in study.walker_profiles()] == ["adult", "elder"]
    first, second = study.facilities
    assert (first.file, second.file) == (tmp_path / "f.csv", Path("/data/g.csv"))
    assert (first.source().mode, first.source().complete, first.source().source.columns) == ("add", "yes", {"lon": "x"})
    assert second.source().mode == "classify"
    assert study.layer[0].complete == "no"
    assert study.map.approval_number == "GS(2024)1"


def test_a_file_for_a_service_replaces_unless_said_otherwise() -> None:
    assert FacilitiesInput(file=Path("f.csv"), service="park").source().mode == "replace"


@pytest.mark.parametrize("mode", ["mode = 'replace'", "mode = 'add'", "mode = 'classify'\nservice = 'park'"])
def test_modes_that_do_not_fit(tmp_path: Path, mode: str) -> None:
    fails(tmp_path, f"{MINIMAL}[[facilities]]\nfile = 'f.csv'\n{mode}\n", "facilities", "with a service")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('standart = "x"', ["unknown key", "'standart'", "did you mean 'standard'"]),
        ("[street]\nosm = 'x'", ["unknown key", "did you mean 'streets'"]),
        ("[map]\naproval_number = 'x'", [r"unknown key in \[map\]", "did you mean 'approval_number'"]),
        (
            "[[facilities]]\nfile = 'f.csv'\nservise = 'park'",
            [r"unknown key in \[facilities\]", "did you mean 'service'"],
        ),
        (
            "[[layer]]\nservice = 'park'\ncomplete = 'maybe'",
            ["layer.0.complete", "'maybe'", "'yes', 'no' or 'unknown'"],
        ),
        ("join_limit_m = -3", ["join_limit_m", "-3"]),
        ("join_limit_m = 'far'", ["join_limit_m", "'far'"]),
        ("[[facilities]]\nservice = 'park'", ["facilities.0.file", "missing"]),
    ],
)
def test_faults_are_named_with_their_remedy(tmp_path: Path, text: str, words: list[str]) -> None:
    top = text if not text.startswith("[") else ""
    tables = text if text.startswith("[") else ""
    fails(tmp_path, f"{top}\n{MINIMAL}\n{tables}\n", "study.toml", *words)


def test_all_faults_at_once(tmp_path: Path) -> None:
    fails(tmp_path, "nam = 'x'\nwalker = ['adult']\n" + MINIMAL, "did you mean 'name'", "did you mean 'walkers'")
    fails(tmp_path, 'standard = "chengdu"\n', "streets is missing", "communities is missing")


def test_files_that_are_no_study(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="study file not found"):
        Study.load(tmp_path / "gone.toml")
    fails(tmp_path, "standard = here\n", "not valid TOML", "line 1")
    (tmp_path / "gbk.toml").write_bytes('name = "成都"'.encode("gb18030"))
    with pytest.raises(InputError, match="not UTF-8"):
        Study.load(tmp_path / "gbk.toml")


def test_unknown_walkers_list_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"got runner.*expected adult, elder"):
        find_walkers(["adult", "runner"])
    with pytest.raises(UsageError, match="got none"):
        find_walkers([])
    assert [w.name for w in find_walkers(["elder", "adult", "elder"])] == ["elder", "adult"]


def test_a_study_is_a_value(tmp_path: Path) -> None:
    study = Study.load(written(tmp_path, MINIMAL))
    with pytest.raises(ValidationError, match="frozen"):
        study.name = "other"  # type: ignore[misc]
    assert study.relative_to(Path("/elsewhere")).streets.osm == tmp_path / "city.osm.pbf"
    assert issubclass(InputError, LivingCircleError)
    assert issubclass(InputError, ValueError)


def test_walkers_can_be_set_and_added(tmp_path: Path) -> None:
    own = """
[[walker_settings]]
name = "elder"
speed_m_s = 0.7
[[walker_settings]]
name = "runner"
speed_m_s = 3.0
signal_wait_s = 0
"""
    study = Study.load(written(tmp_path, 'walkers = ["elder", "runner"]\n' + MINIMAL + own))
    elder, runner = study.walker_profiles()
    assert (elder.speed_m_s, elder.signal_wait_s, elder.name_zh) == (0.7, 30.0, "老年人")
    assert (runner.speed_m_s, runner.signal_wait_s) == (3.0, 0.0)
    assert study.profiles()["adult"].speed_m_s == 1.33


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ('name = "runner"', "walker runner: the key speed_m_s is missing"),
        ('name = "elder"\nspeed_m_s = -1', "walker elder: speed_m_s; got -1"),
    ],
)
def test_impossible_walkers_of_a_study(tmp_path: Path, own: str, message: str) -> None:
    study = Study.load(written(tmp_path, MINIMAL + "[[walker_settings]]\n" + own))
    with pytest.raises(InputError, match=message):
        study.walker_profiles()


def test_communities_of_an_option() -> None:
    assert CommunitiesInput.of("c.geojson").file == Path("c.geojson")
    assert CommunitiesInput.of("hex:250").making() == ("hex", 250)
    assert CommunitiesInput.of("osm:8").name == "osm:8"
    for unclear in ("grid:abc", "hex:", "osm:8.5"):
        with pytest.raises(UsageError, match="expected grid:500, hex:500, osm:8, or a file"):
            CommunitiesInput.of(unclear)


def test_communities_have_one_source(tmp_path: Path) -> None:
    both = MINIMAL.replace('file = "communities.geojson"', 'file = "c.geojson"\nmake = "grid:500"')
    fails(tmp_path, both, "communities", "one of them")
    fails(tmp_path, MINIMAL.replace('file = "communities.geojson"', 'make = "squares"'), "not 'squares'")


def test_shares_move_with_the_study(tmp_path: Path) -> None:
    text = MINIMAL + '[population.shares]\nfile = "s.csv"\nage_60_up = 0.2\n[areas]\nfile = "a.geojson"\n'
    study = Study.load(written(tmp_path, text))
    assert study.population is not None
    assert study.population.shares is not None
    assert study.population.shares.file == tmp_path / "s.csv"
    assert study.population.shares.city() == {"age_60_up": 0.2}
    assert study.areas is not None
    assert study.areas.file == tmp_path / "a.geojson"


def test_a_study_made_in_python_tells_its_faults_in_one_line_too():
    with pytest.raises(InputError) as caught:
        Study(standrd="chengdu", streets={"osmm": "a.pbf"}, communities="c.geojson")
    assert str(caught.value).split(" | ") == [
        "Study(…): unknown key; got 'standrd'; remedy: did you mean 'standard'?",
        "Study(…): unknown key in [streets]; got 'osmm'; remedy: did you mean 'osm'?",
        "Study(…): the key standard is missing; remedy: add standard = …",
        "Study(…): communities; got 'c.geojson'; expected keys and values; remedy: name a file: {'file': …}",
    ]
    with pytest.raises(InputError, match=r"got a DataFrame in memory; .*write it to a file and name that"):
        Study(standard="chengdu", streets={"osm": "a.pbf"}, communities=pd.DataFrame({"a": [1]}))
    with pytest.raises(UsageError, match=r"takes keys, not a value alone; got 'a.toml'; .*read by Study.load"):
        Study("a.toml")


@pytest.mark.parametrize(
    ("text", "file", "service", "mode"),
    [
        ("kindergarten=k.xlsx", "k.xlsx", "kindergarten", "replace"),
        ("幼儿园=名单/k=2.xlsx", "名单/k=2.xlsx", "kindergarten", "replace"),
        ("+菜市场=m.csv", "m.csv", "fresh_market", "add"),
        ("of_my_own=m.csv", "m.csv", "of_my_own", "replace"),  # a service that only the study's catalogue may know
        ("幼稚园=k.xlsx", "幼稚园=k.xlsx", None, None),  # no name of a service: a file that is called so
        ("名单/幼儿园=新.csv", "名单/幼儿园=新.csv", None, None),
        ("k.xlsx", "k.xlsx", None, None),
    ],
)
def test_an_option_names_a_list_and_what_it_is_of(text: str, file: str, service: str | None, mode: str | None) -> None:
    part = FacilitiesInput.of(text)
    assert (part.file, part.service, part.mode) == (Path(file), service, mode)
