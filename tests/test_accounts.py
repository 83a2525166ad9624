"""The books of a run: nobody is lost, every input is named with its digest, every default in force is told."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from demo_scans import demo_result
from livingcircle.result import ScanResult
from livingcircle.scan import scan
from livingcircle.study import Study
from livingcircle_layers.errors import InputError
from towns import Town, study_of

#   y = 0    a ──────────────── b     300 m; a wall at y = 20 from x = 100 to 200 shuts a yard, a pond is in the east
RULES = [{"id": "shop", "services": ["convenience"], "metric": "walk_m", "threshold": 300, "threshold_unit": "m"}]
UNITS = {"u": (-100.0, -100.0, 600.0, 900.0)}
PEOPLE = [
    (50, 10, 11),  # placed
    (150, 40, 7),  # behind the wall of the yard
    (50, 500, 5),  # 500 m from the street
    (700, 0, 3),  # in no community
    (60, 10, "many"),  # no number
]


def town() -> Town:
    drawn = Town("a----------b", dx=300 / 11).way("ab").node(20, -5, shop="convenience", name="店")
    drawn.box(100, 20, 100, 100, barrier="wall")
    return drawn.box(300, 100, 80, 80, leisure="park", barrier="fence", name="无门公园")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return study_of(tmp_path_factory.mktemp("books"), town(), people=PEOPLE[:-1], rules=RULES, communities=UNITS)


@pytest.fixture(scope="module")
def books(study: Study) -> ScanResult:
    return scan(study)


def test_everybody_is_placed_not_placed_or_outside(books: ScanResult) -> None:
    assert books.run["people"] == {"input": 26, "placed": 11, "not_placed": 7 + 5, "outside": 3}
    assert books.homes["people"].sum() == 11


def test_whoever_could_not_be_used_is_listed_with_the_reason(books: ScanResult) -> None:
    lost = books.unplaced.set_index("reason")
    assert lost.index.is_monotonic_increasing
    assert lost.loc["way_to_street_blocked", "people"] == 7
    assert lost.loc["way_to_street_blocked", "detail"] == (
        "every way to a street within 300 m crosses water, rail, a motorway or a wall"
    )
    assert (lost.loc["no_street_within_limit", "people"], lost.loc["no_street_within_limit", "unit_id"]) == (5, "u")
    assert lost.loc["no_street_within_limit", "detail"] == "no street within 300 m"
    assert (lost.loc["outside_communities", "people"], lost.loc["outside_communities", "unit_id"]) == (3, "")
    assert set(lost["source"]) == {"people.csv", "osm"}


def test_a_place_that_nobody_can_enter_is_listed(books: ScanResult) -> None:
    park = books.unplaced[books.unplaced["reason"] == "fenced_without_gate"]
    assert park["name"].tolist() == ["无门公园"]
    assert park["people"].isna().all()


def test_the_joining_limit_in_force_is_the_one_that_is_told(study: Study) -> None:
    result = scan(study.model_copy(update={"join_limit_m": 600.0}))
    assert result.run["people"]["placed"] == 11 + 5
    assert result.settings["join_limit_m"] == 600
    blocked = result.unplaced.set_index("reason").loc["way_to_street_blocked", "detail"]
    assert "within 600 m" in blocked


def test_inputs_are_named_by_file_with_size_and_digest(study: Study, books: ScanResult) -> None:
    files = {
        "osm": study.streets.osm,
        "standard": Path(study.standard),
        "communities": study.communities.file,
        "population": study.population.file,
    }
    assert [entry["role"] for entry in books.run["inputs"]] == list(files)
    for entry in books.run["inputs"]:
        path = files[entry["role"]]
        assert entry["path"] == path.name  # no folder: it may hold a user's name
        assert entry["bytes"] == path.stat().st_size
        assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    osm = books.run["inputs"][0]
    assert "OpenStreetMap" in osm["attribution"]
    assert "ODbL" in osm["licence"]
    assert osm["date"] == books.run["data_date"] != ""


def test_inputs_of_every_kind_are_named() -> None:
    roles = [(entry["role"], entry["path"]) for entry in demo_result().run["inputs"]]
    assert roles == [
        ("osm", "town.osm.pbf"), ("elevation", "dem.tif"), ("communities", "communities.geojson"),
        ("population", "population.csv"), ("facilities", "kindergartens.csv"),
    ]  # fmt: skip
    licences = {entry["role"]: entry["licence"] for entry in demo_result().run["inputs"]}
    assert licences["population"] == licences["facilities"] == "fictional"


def test_every_default_in_force_is_told(books: ScanResult) -> None:
    settings = books.settings
    assert settings["walkers"] == "adult 1.33 m/s, 30 s at signals"
    assert (settings["join_limit_m"], settings["search_limit_m"]) == (300, 3000)
    assert (settings["datum"], settings["gates"]) == ("WGS-84", "respect")
    assert settings["grounds"] == "open to all"
    assert settings["slope"] == "flat, no elevation model"
    assert "residential buildings" in str(settings["spreading"])
    assert books.run["settings"] == settings
    assert demo_result().settings["slope"] == "Tobler's function on dem.tif"


def test_counts_are_of_what_was_read(books: ScanResult) -> None:
    counts = books.run["counts"]
    assert (counts["communities"], counts["facilities"], counts["rules"]) == (1, 2, 1)
    assert (counts["street_nodes"], counts["street_edges"], counts["street_components"]) == (2, 1, 1)
    assert counts["street_km"] == 0.3


def test_versions_and_timings_are_told(books: ScanResult) -> None:
    assert set(books.run["versions"]) >= {"livingcircle", "geopandas", "numpy", "shapely", "pyproj"}
    assert all(seconds >= 0 for seconds in books.run["timings_s"].values())
    assert set(books.run["timings_s"]) >= {"read_streets", "read_people", "place", "walk", "aggregate"}


def test_warnings_tell_what_is_not_known() -> None:
    warnings = demo_result().run["warnings"]
    assert any("gated estates" in text and "no gate is known for 0" in text for text in warnings)
    assert any("whether they are gated, and where, is not known" in text for text in warnings)


def test_every_table_says_how_it_was_read() -> None:
    record = next(i for i in demo_result().run["inputs"] if i["path"] == "kindergartens.csv")
    assert record["columns"]["lon"] == "经度"
    assert record["rows"] > 0
    assert record["filtered"] == 0


def test_the_books_are_the_same_the_second_time(study: Study, books: ScanResult) -> None:
    again = scan(study)
    assert without_time(again.run) == without_time(books.run)
    assert again.unplaced.equals(books.unplaced)


def test_a_row_that_is_no_number_stops_the_run(tmp_path: Path) -> None:
    made = study_of(tmp_path, town(), people=PEOPLE, rules=RULES, communities=UNITS)
    with pytest.raises(InputError, match=r"people\.csv: population .*not a number in row \(6: 'many'"):
        scan(made)


def without_time(run: Any) -> dict[str, Any]:
    return {key: value for key, value in dict(run).items() if key != "timings_s"}
