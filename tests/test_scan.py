"""The whole scan: a town whose numbers fit on a page, inputs in any order, and inputs that cannot be used."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from pandas.testing import assert_frame_equal

from livingcircle.measured import check_units
from livingcircle.result import ScanResult
from livingcircle.saved import save_streets
from livingcircle.scan import scan
from livingcircle.standards import load_standard
from livingcircle.study import Study
from livingcircle_layers.errors import InputError, LivingCircleError, UsageError
from livingcircle_layers.osm import read_streets
from towns import LAT, LON, Town, lonlat, study_of, write_communities, write_rules, write_table

#   y = 200   c ─────────────────────────── d        1,000 m; c–a is the only link, 200 m
#             │            p3
#   y =   0   a ──p2──p1── S ──p4────────── b        S: a supermarket at x = 500
#
#   unit w holds x < 600 (p1, p2, p3), unit e the rest (p4); p5 lies in no unit, p6 900 m from any street
SHOP = {"shop": "supermarket", "name": "S"}
PEOPLE = [(250, 0, 40), (150, 0, 30), (500, 200, 30), (700, 0, 100), (-800, 0, 5), (300, 1100, 7)]
UNITS = {"w": (-200.0, -200.0, 800.0, 1500.0), "e": (600.0, -200.0, 600.0, 1500.0)}
WALK = {"id": "shop_walk", "services": ["supermarket"], "threshold": 300, "provision": "required"}
RADIUS = {**WALK, "id": "shop_radius", "metric": "radius", "provision": ""}
ABOVE = {"subdistrict": {"w": "West", "e": "East"}, "district": {"w": "D", "e": "D"}}


def ladder() -> Town:
    return Town("""
        c--------------------d
        |
        a----------s---------b
    """, dx=1000 / 21, dy=100).way("cd").way("ac").way("ab")  # fmt: skip


def town() -> Town:
    """Return the town above; the drawing's columns are stretched so that it is 1,000 m wide."""
    return ladder().node(500, 0, **SHOP)


def study(folder: Path, **changes: Any) -> Study:
    inputs: dict[str, Any] = {
        "people": PEOPLE, "rules": [WALK, RADIUS], "communities": UNITS, "columns": ABOVE, "name": "Ladder", **changes,
    }  # fmt: skip
    return study_of(folder, inputs.pop("town", None) or town(), **inputs)


def rows(result: ScanResult, rule: str) -> Any:
    table = result.coverage
    return table[table["rule"] == rule].set_index(["level", "unit_id"])


# Known answers ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> ScanResult:
    return scan(study(tmp_path_factory.mktemp("ladder")))


def test_walks_of_the_ladder(result: ScanResult) -> None:
    # p1 250 m, p2 350 m, p3 500 + 200 + 500 = 1,200 m though 200 m as the crow flies, p4 200 m
    homes = result.homes.set_index("people")["nearest_m_supermarket"]
    for people, metres in ((40, 250), (30, None), (100, 200)):
        if metres:
            assert homes[people] == pytest.approx(metres, abs=0.05)
    assert sorted(homes[30]) == [pytest.approx(350, abs=0.05), pytest.approx(1200, abs=0.05)]


@pytest.mark.parametrize(
    ("level", "unit", "demand", "covered", "radius"),
    [
        ("community", "w", 100, 40, 70),
        ("community", "e", 100, 100, 100),
        ("subdistrict", "D/West", 100, 40, 70),
        ("subdistrict", "D/East", 100, 100, 100),
        ("district", "D", 200, 140, 170),
        ("city", "city", 200, 140, 170),
    ],
)
def test_coverage_of_the_ladder(
    result: ScanResult, level: str, unit: str, demand: int, covered: int, radius: int
) -> None:
    row = rows(result, "shop_radius").loc[(level, unit)]
    assert (row["demand"], row["covered"], row["radius_covered"]) == (demand, covered, radius)
    assert row["share"] == covered / demand
    assert row["radius_share"] - row["share"] == pytest.approx((radius - covered) / demand)  # false coverage
    walk = rows(result, "shop_walk").loc[(level, unit)]
    assert (walk["covered"], walk["status"], walk["layer_complete"]) == (covered, "ok", "unknown")


def test_quantiles_and_places_of_the_ladder(result: ScanResult) -> None:
    table = rows(result, "shop_walk")
    west = table.loc[("community", "w")]
    # in line: 40 people at 250 m, 30 at 350 m, 30 at 1,200 m: the 50th and the 90th
    assert west["nearest_m_median"] == pytest.approx(350, abs=0.05)
    assert west["nearest_m_p90"] == pytest.approx(1200, abs=0.05)
    assert (west["facilities"], table.loc[("community", "e")]["facilities"]) == (1, 0)
    assert table.loc[("city", "city")]["facilities"] == 1


def test_nobody_is_lost(result: ScanResult) -> None:
    assert result.run["people"] == {"input": 212, "placed": 200, "not_placed": 7, "outside": 5}
    lost: Any = result.unplaced.set_index("reason")
    assert lost.loc["outside_communities", "people"] == 5
    assert lost.loc["no_street_within_limit", "people"] == 7
    assert lost.loc["no_street_within_limit", "unit_id"] == "w"
    assert "300 m" in lost.loc["no_street_within_limit", "detail"]
    assert result.homes["people"].sum() == 200


def test_streets_of_ones_own_need_no_openstreetmap_file(tmp_path: Path) -> None:
    # the same streets and the same shop, without the file: the same walks; what no file brings is no data
    lines = read_streets(tmp_path / study(tmp_path).streets.label)
    save_streets(lines, tmp_path / "streets.gpkg", credit="made for a test")
    lon, lat = lonlat(500, 0)
    (tmp_path / "shops.csv").write_text(f"name,lon,lat\nS,{lon:.9f},{lat:.9f}\n", encoding="utf-8")
    school = {**WALK, "id": "school", "services": ["primary_school"]}
    result = scan(
        study(
            tmp_path,
            rules=[WALK, RADIUS, school],
            streets={"layer": tmp_path / "streets.gpkg"},
            facilities=[{"file": tmp_path / "shops.csv", "service": "supermarket"}],
        )
    )
    assert rows(result, "shop_walk").loc[("community", "w"), "covered"] == 40
    assert rows(result, "shop_walk").loc[("community", "e"), "covered"] == 100
    assert rows(result, "school").loc[("city", "city"), "status"] == "no_data"
    assert len(result.background) == 0
    assert [entry["role"] for entry in result.run["inputs"]].count("osm") == 0
    result.save(tmp_path / "out")  # the map has no background and is drawn all the same


def test_streets_come_from_somewhere(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="an OpenStreetMap file, layer = a street layer of your own, or both"):
        study(tmp_path, streets={"node_crossings": True})


def test_floor_for_a_hundred_households_of_the_ladder(tmp_path: Path) -> None:
    # w: 45 + 15 m² for 200 households are 30 m² for a hundred; e has 50 households and a hall of unknown floor
    people = [(250, 0, 400, 200), (700, 0, 100, 50)]
    halls = [(200, 0, "45"), (100, 0, "15"), (800, 0, "")]
    lines = [f"{lonlat(x, y)[0]:.9f},{lonlat(x, y)[1]:.9f},{floor}" for x, y, floor in halls]
    (tmp_path / "halls.csv").write_text("\n".join(["lon,lat,建筑面积", *lines]) + "\n", encoding="utf-8")
    rule = {"id": "floor", "services": ["community_complex"], "metric": "per_100hh", "threshold": 30}
    found = rows(
        scan(
            study(
                tmp_path,
                people=people,
                people_heading="population,households",
                rules=[WALK, rule],
                facilities=[{"file": tmp_path / "halls.csv", "service": "community_complex"}],
            )
        ),
        "floor",
    )
    assert found.loc[("community", "w"), ["value", "demand", "denominator"]].tolist() == [30.0, 200, "households"]
    assert found.loc[("community", "w"), "met_clause"]
    assert found.loc[("community", "e"), "status"] == "no_data"
    assert found.loc[("city", "city"), ["value", "status"]].tolist() == [24.0, "incomplete"]  # at least 60 m² for 250


def test_scores_of_the_ladder(result: ScanResult) -> None:
    # one service: in w 40 of 100 people reach it, in e all
    scores = result.scores.set_index(["level", "unit_id"])
    assert scores.loc[("community", "w"), "score"] == pytest.approx(40)
    assert scores.loc[("community", "e"), "score"] == pytest.approx(100)
    assert scores.loc[("city", "city"), "score"] == pytest.approx(70)
    assert scores.loc[("city", "city"), "n_listed"] == 1
    assert scores.loc[("community", "w"), "complete_share"] == pytest.approx(0.4)
    assert scores.loc[("community", "w"), "missing_one_share"] == pytest.approx(0.6)
    assert result.communities.loc["w", "score"] == pytest.approx(40)
    assert result.communities.crs.to_epsg() == 4326


def test_the_city_bears_the_name_of_the_study(result: ScanResult) -> None:
    assert rows(result, "shop_walk").loc[("city", "city"), "unit_name"] == "Ladder"


def test_minutes_of_the_ladder(tmp_path: Path) -> None:
    # an elder walks 350 m in 388.9 s and 250 m in 277.8 s: one of them within 5 minutes
    rule = {"id": "m", "services": ["supermarket"], "metric": "walk_min", "threshold": 5, "walker": "elder"}
    table = rows(scan(study(tmp_path, rules=[rule], walkers=("adult", "elder"))), "m").loc[("community", "w")]
    assert table["walker"].tolist() == ["adult", "elder"]
    assert table["covered"].tolist() == [40, 40]
    assert table["minutes_covered"].tolist() == [70, 40]  # 350 m take an adult 263 s


def test_a_rule_in_minutes_of_a_walker_of_ones_own(tmp_path: Path) -> None:
    # at 1.2 m/s 350 m take 292 s, within 5 minutes; at 0.8 m/s 250 m take 313 s, which is beyond
    rule = {"id": "m", "services": ["supermarket"], "metric": "walk_min", "threshold": 5, "walker": "mine"}
    for speed, covered in ((1.2, 70), (0.8, 0)):
        mine = {"name": "mine", "speed_m_s": speed}
        table = rows(scan(study(tmp_path, rules=[rule], walker_settings=[mine])), "m").loc[("community", "w")]
        assert table["covered"] == covered, speed


def test_groups_of_the_ladder(tmp_path: Path) -> None:
    people = [(250, 0, 40, 4), (150, 0, 30, 0), (500, 200, 30, 12)]
    rules = [{**WALK, "id": "young", "group": "age_3_6"}, {**WALK, "id": "old", "group": "age_60_up"}]
    table = scan(study(tmp_path, people=people, people_heading="population,age_3_6", rules=rules)).coverage
    young, old = (table[(table["rule"] == r) & (table["level"] == "city")].iloc[0] for r in ("young", "old"))
    assert (young["group"], young["group_basis"], young["demand"], young["covered"]) == ("age_3_6", "given", 16, 4)
    assert (old["group"], old["group_basis"], old["demand"], old["covered"]) == ("all", "stand_in", 100, 40)


def test_rural_communities_of_the_ladder(tmp_path: Path) -> None:
    urban = {**WALK, "standard": "gb50180-2018"}
    types = {**ABOVE, "unit_type": {"w": "农村", "e": "城镇"}}
    result = scan(study(tmp_path, rules=[urban], columns=types))
    table = rows(result, "shop_walk")
    assert table.loc[("community", "w"), "status"] == "not_applicable"
    assert table.loc[("city", "city"), ["demand", "share"]].tolist() == [100, 1.0]
    assert result.communities["unit_type"].to_dict() == {"e": "urban", "w": "rural"}


def test_a_missing_layer_is_no_data_until_it_is_known_to_be_missing(tmp_path: Path) -> None:
    rules = [{**WALK, "services": ["pharmacy"]}]
    row = rows(scan(study(tmp_path, rules=rules)), "shop_walk").loc[("city", "city")]
    assert row["status"] == "no_data"
    assert np.isnan(row["share"])
    known = scan(study(tmp_path, rules=rules, layer=[{"service": "pharmacy", "complete": "yes"}]))
    row = rows(known, "shop_walk").loc[("city", "city")]
    assert (row["status"], row["share"], row["layer_complete"]) == ("ok", 0.0, "yes")


def test_a_fenced_park_without_a_gate_is_listed_and_reaches_nobody(tmp_path: Path) -> None:
    # beside p1: 250 m along the street, 50 m north of it, with a fence of its own
    fenced = town().box(200, 50, 100, 50, leisure="park", name="P", barrier="fence")
    rules = [{**WALK, "id": "park_walk", "services": ["park"]}, {**RADIUS, "id": "park_radius", "services": ["park"]}]
    found = scan(study(tmp_path, town=fenced, rules=rules))
    row = rows(found, "park_radius").loc[("city", "city")]
    assert (row["covered"], row["radius_covered"]) == (0, 100)  # p1, p2 and p3, p4 lies 400 m east
    listed = found.unplaced[found.unplaced["reason"] == "fenced_without_gate"]
    assert listed[["name", "source"]].values.tolist() == [["P", "osm"]]
    opened = town().box(200, 50, 100, 50, leisure="park", name="P", barrier="fence").node(250, 50, barrier="gate")
    (tmp_path / "open").mkdir()
    row = rows(scan(study(tmp_path / "open", town=opened, rules=rules)), "park_walk").loc[("city", "city")]
    assert row["covered"] == 70  # p1 50 m, p2 150 m, through the gate


def test_a_rule_wider_than_the_search_is_still_judged(tmp_path: Path) -> None:
    rules = [{**WALK, "threshold": 1300}]
    row = rows(scan(study(tmp_path, rules=rules, search_limit_m=100)), "shop_walk").loc[("city", "city")]
    assert row["covered"] == 200


def test_a_place_of_two_services_is_entered_at_its_outline(tmp_path: Path) -> None:
    # the row is a clinic and a park; the park has an outline that reaches the street, 200 m from its point
    drawn = town().box(300, 10, 50, 400, leisure="park", name="双用园")
    both = write_table(tmp_path / "both.csv", "name", [(325, 390, "双用园")])
    given = tuple({"file": both, "service": s, "mode": "add"} for s in ("clinic", "park"))
    rules = [{**WALK, "services": ["park"], "threshold": 100}]
    found = scan(study(tmp_path, town=drawn, rules=rules, facilities=given))
    assert rows(found, "shop_walk").loc[("city", "city"), "covered"] >= 40


def test_a_place_whose_first_service_is_no_ground_is_entered_as_the_ground_it_is(tmp_path: Path) -> None:
    # one outline is a clinic and a park: entered along the street 10 m away, and not at its middle, 210 m away
    drawn = town().box(300, 10, 50, 400, leisure="park", amenity="clinic", name="双用园")
    rules = [{**WALK, "services": ["park"], "threshold": 100}]
    found = scan(study(tmp_path, town=drawn, rules=rules))
    assert found.facilities["service"].tolist() == ["clinic", "park", "supermarket"]
    assert rows(found, "shop_walk").loc[("city", "city"), "covered"] >= 40


# Any order of the inputs --------------------------------------------------------------------------


def many(folder: Path, *, seed: int | None) -> Study:
    """Return a town of 80 homes and 20 places, with rows, communities and map objects in an order of their own."""
    fixed = random.Random(1)
    people = [(fixed.uniform(0, 1000), fixed.uniform(-100, 300), fixed.randint(1, 40)) for _ in range(80)]
    shops = [(fixed.uniform(0, 1000), fixed.uniform(-100, 300), f"店{k}", "超市") for k in range(20)]
    units = dict(UNITS)
    if seed is not None:
        chance = random.Random(seed)
        chance.shuffle(people)
        chance.shuffle(shops)
        units = dict(reversed(units.items()))
    folder.mkdir()
    drawn = town().box(100, 80, 80, 60, leisure="park", name="P")
    places = write_table(folder / "shops.csv", "name,类型", shops)
    rules = [WALK, RADIUS, {**WALK, "id": "park", "services": ["park"]}]
    made = study(folder, town=drawn, people=people, communities=units, rules=rules, facilities=({"file": places},))
    drawn.write(folder / "town.osm", seed=seed)
    return made


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_order_of_rows_and_objects_changes_nothing(tmp_path: Path, seed: int) -> None:
    one, other = scan(many(tmp_path / "one", seed=None)), scan(many(tmp_path / "other", seed=seed))
    assert_frame_equal(one.coverage, other.coverage)
    assert_frame_equal(one.scores, other.scores)
    assert one.coverage.to_csv() == other.coverage.to_csv()
    columns = [c for c in one.communities.columns if c != "geometry"]
    assert_frame_equal(one.communities[columns], other.communities[columns])
    assert one.run["people"] == other.run["people"]


def test_twice_the_same_is_the_same(tmp_path: Path, result: ScanResult) -> None:
    again = scan(study(tmp_path))
    assert_frame_equal(result.coverage, again.coverage)
    assert_frame_equal(result.scores, again.scores)
    assert_frame_equal(result.unplaced, again.unplaced)


def test_only_some_communities_with_the_numbers_of_all(tmp_path: Path, result: ScanResult) -> None:
    part = scan(study(tmp_path), only=("w", "w"))
    assert part.communities.index.tolist() == ["w"]
    assert part.scores["unit_id"].tolist() == ["w", "D/West", "D", "city"]
    kept = result.coverage["unit_id"].isin(["w", "D/West", "D", "city"])
    assert_frame_equal(part.coverage, result.coverage[kept].reset_index(drop=True))


def test_only_what_exists(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown community; got ww; remedy: did you mean w"):
        scan(study(tmp_path), only=("w", "ww"))


def test_progress_is_told_in_sentences(tmp_path: Path) -> None:
    said: list[str] = []
    scan(study(tmp_path), progress=lambda event: said.append(str(event)))
    assert said[0] == "reading communities"
    assert len(said) >= 5


def test_a_study_file_is_a_study(tmp_path: Path, result: ScanResult) -> None:
    made = study(tmp_path)
    text = (
        'name = "Ladder"\nstandard = "rules.toml"\n[streets]\nosm = "town.osm"\n'
        '[communities]\nfile = "communities.geojson"\n[population]\nfile = "people.csv"\n'
    )
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    assert made.name == "Ladder"
    assert_frame_equal(scan(tmp_path / "study.toml").coverage, result.coverage)


# Inputs that cannot be used -----------------------------------------------------------------------


def refused(made: Study, *words: str, error: type[LivingCircleError] = InputError) -> None:
    """Check that a scan ends with one line that holds all the words."""
    with pytest.raises(error) as caught:
        scan(made)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert re.search(word, message), f"{word} not in: {message}"


@pytest.mark.parametrize("part", ["streets", "communities", "population", "facilities"])
def test_a_file_that_is_missing(tmp_path: Path, part: str) -> None:
    made = study(tmp_path)
    gone = tmp_path / "gone.geojson"
    entry = {"osm": gone} if part == "streets" else {"file": gone}
    changed: Any = [entry] if part == "facilities" else entry
    refused(Study.model_validate({**made.model_dump(), part: changed}), r"file not found: \S*gone\.geojson", "remedy")


def test_streets_that_are_no_map(tmp_path: Path) -> None:
    made = study(tmp_path)
    for name, content in (("a.osm.pbf", b"words" * 99), ("b.osm", b"\x89PNG\r\n\x1a\n" + bytes(99))):
        (tmp_path / name).write_bytes(content)
        refused(made.model_copy(update={"streets": made.streets.model_copy(update={"osm": tmp_path / name})}), name)


def test_streets_of_another_city(tmp_path: Path) -> None:
    far = {"u": (50_000.0, 0.0, 900.0, 900.0)}
    refused(study(tmp_path, communities=far, columns={}), "does not overlap the streets", "of the same city")


def spoilt(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        content = json.loads(file.read_text(encoding="utf-8"))
        change(content)
        file.write_text(json.dumps(content), encoding="utf-8")

    return write


def _without_shapes(content: dict[str, Any]) -> None:
    for feature in content["features"]:
        feature["geometry"] = None


def _set(content: dict[str, Any], feature: int, **values: Any) -> None:
    content["features"][feature].update(values)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoilt(_without_shapes), ["has no geometry"]),
        (spoilt(lambda c: _set(c, 1, geometry=None)), ["without geometry", "e"]),
        (spoilt(lambda c: _set(c, 1, properties={"id": "w"})), ["ids are not unique", "got w"]),
        (spoilt(lambda c: _set(c, 1, geometry={"type": "Point", "coordinates": [LON, LAT]})), ["points or lines"]),
        (spoilt(lambda c: c.update(features=[])), ["has no features"]),
        (lambda file: file.write_text("not json", encoding="utf-8"), ["is not what its name says"]),
        (lambda file: file.write_text('{"type": "Feat', encoding="utf-8"), ["cannot be parsed"]),
    ],
)  # fmt: skip
def test_communities_that_cannot_be_used(tmp_path: Path, spoil: Callable[[Path], None], words: list[str]) -> None:
    made = study(tmp_path)
    spoil(made.communities.file)
    refused(made, r"communities\.geojson", *words)


def test_communities_without_a_coordinate_system(tmp_path: Path) -> None:
    import geopandas as gpd

    made = study(tmp_path)
    frame = gpd.read_file(made.communities.file)
    bare = tmp_path / "bare.gpkg"
    with pytest.warns(UserWarning, match="crs"):
        frame.set_crs(None, allow_override=True).to_file(bare)
    refused(
        made.model_copy(update={"communities": made.communities.model_copy(update={"file": bare})}),
        r"bare\.gpkg has no CRS",
    )


@pytest.mark.parametrize(
    ("rows_", "words"),
    [
        ([(0, 0, -4), (9, 9, 5)], ["population", "below 0", "-4"]),
        ([(0, 0, "many"), (9, 9, 5)], ["population", "not a number", "'many'"]),
        ([(0, 0, ""), (9, 9, "")], ["blank"]),
        ([], ["has headings but no rows"]),
    ],
)
def test_people_that_cannot_be_counted(tmp_path: Path, rows_: Sequence[Any], words: list[str]) -> None:
    refused(study(tmp_path, people=rows_), r"people\.csv", *words)


def test_people_without_a_column_of_people(tmp_path: Path) -> None:
    refused(study(tmp_path, people_heading="how_many"), r"people\.csv", "population", "how_many")


def test_people_outside_all_communities_are_an_empty_scan(tmp_path: Path) -> None:
    result = scan(study(tmp_path, people=[(-300, 0, 9)]))  # beside them; far away they would be of another city
    assert result.run["people"] == {"input": 9, "placed": 0, "not_placed": 0, "outside": 9}
    assert set(result.coverage["status"]) <= {"no_demand"}
    assert result.scores["score"].isna().all()


def raster(file: Path, values: Any, **profile: Any) -> Path:
    counts = np.array(values, dtype="float32")
    step = 0.001
    where = rasterio.Affine(step, 0.0, LON, 0.0, -step, LAT + counts.shape[0] * step)
    keys = {"driver": "GTiff", "dtype": "float32", "count": 1, "crs": "EPSG:4326", "transform": where, **profile}
    with rasterio.open(file, "w", height=counts.shape[0], width=counts.shape[1], **keys) as out:
        out.write(counts, 1)
    return file


@pytest.mark.parametrize(
    ("values", "words"),
    [([[-1.0, -1.0], [-1.0, -1.0]], ["only nodata"]), ([[5.0, -7.0], [1.0, 1.0]], ["negative", "-7"])],
)
def test_rasters_that_cannot_be_used(tmp_path: Path, values: Any, words: list[str]) -> None:
    made = study(tmp_path)
    file = raster(tmp_path / "people.tif", values, nodata=-1.0)
    refused(made.model_copy(update={"population": made.population.model_copy(update={"file": file})}), *words)


def test_a_raster_of_people(tmp_path: Path) -> None:
    made = study(tmp_path)
    file = raster(tmp_path / "people.tif", [[60.4, 0.0], [40.4, 20.4]])
    result = scan(made.model_copy(update={"population": made.population.model_copy(update={"file": file})}))
    people = result.run["people"]
    assert people["input"] == 121  # 121.2 by largest remainder
    assert people["placed"] + people["not_placed"] + people["outside"] == 121


def test_names_that_do_not_exist(tmp_path: Path) -> None:
    made = study(tmp_path)
    refused(made.model_copy(update={"standard": "chengdoo"}), "did you mean 'chengdu'", error=LivingCircleError)
    refused(made.model_copy(update={"walkers": ("runner",)}), "unknown walker", error=UsageError)
    rules = write_rules(tmp_path / "odd.toml", {**WALK, "services": ["supermarkt"]})
    refused(made.model_copy(update={"standard": str(rules)}), "unknown service", "did you mean 'supermarket'")
    places = {"file": tmp_path / "people.csv", "service": "parks"}
    odd: Mapping[str, Any] = {**made.model_dump(), "facilities": [places]}
    refused(Study.model_validate(odd), "parks", "did you mean 'park'", error=LivingCircleError)
    odd = {**made.model_dump(), "layer": [{"service": "parks", "complete": "yes"}]}
    refused(Study.model_validate(odd), "parks", "did you mean 'park'", error=LivingCircleError)


def test_a_unit_of_one_community_is_enough(tmp_path: Path) -> None:
    write_communities(tmp_path / "one.geojson", {"only": (-200.0, -200.0, 1400.0, 1500.0)})
    made = study(tmp_path, columns={})
    one = made.model_copy(
        update={"communities": made.communities.model_copy(update={"file": tmp_path / "one.geojson"})}
    )
    result = scan(one)
    assert result.coverage["level"].unique().tolist() == ["community", "city"]


# Chengdu ------------------------------------------------------------------------------------------


@pytest.mark.realdata
def test_chengdu_adds_up(real_data: Path) -> None:
    folder = real_data / "chengdu"
    complete = {service for rule in load_standard("chengdu").scoring_rules for service in rule.services}
    result = scan(
        Study.model_validate(
            {
                "standard": "chengdu",
                "streets": {"osm": folder / "chengdu-centre.osm.pbf"},
                "communities": {"file": folder / "communities_standin.geojson"},
                "population": {"file": folder / "population_grid_night.csv"},
                "facilities": [{"file": folder / "facilities.csv"}],
                "layer": [{"service": service, "complete": "yes"} for service in sorted(complete)],
            }
        )
    )
    people = result.run["people"]
    assert people["input"] == people["placed"] + people["not_placed"] + people["outside"]
    assert people["input"] == pd.read_csv(folder / "population_grid_night.csv")["population"].sum()
    table = result.coverage
    assert not table.duplicated(["level", "unit_id", "rule", "group", "walker", "gates"]).any()
    known = table[table["share"].notna()]
    assert known["share"].between(0, 1).all()
    assert (known["radius_covered"].isna() | (known["covered"] <= known["radius_covered"])).all()
    for level in ("subdistrict", "district", "city"):
        low, high = (
            known[known["level"] == n].groupby("rule")[["demand", "covered"]].sum() for n in ("community", level)
        )
        assert_frame_equal(low, high)
    homes = result.homes
    assert homes["people"].sum() == people["placed"]
    stop = table[(table["rule"] == "gb50180_2018_bus_stop") & (table["level"] == "city")].iloc[0]
    assert stop["covered"] == homes.loc[homes["nearest_m_bus_stop"] <= 500, "people"].sum()
    scores = result.scores
    city = scores[scores["level"] == "city"].iloc[0]
    ranked = scores[(scores["level"] == "community") & scores["score"].notna()]
    assert city["people"] == scores.loc[scores["level"] == "community", "people"].sum()
    assert len(ranked) > 50
    assert (ranked["score_low"] == ranked["score"]).all()
    assert (ranked["score"] <= ranked["score_high"]).all()
    mean = (ranked["score"] * ranked["people"]).sum() / ranked["people"].sum()
    assert city["score"] == pytest.approx(mean, rel=0.01)  # but for communities of fewer than 100 people


def test_places_of_another_city_are_refused(tmp_path: Path) -> None:
    elsewhere = write_table(tmp_path / "beijing.csv", "name", [(1_000_000, 900_000, "医院")])
    study = study_of(
        tmp_path,
        Town("a----b").way("ab", highway="residential"),
        people=[(0, 5, 10)],
        rules=[WALK],
        facilities=[{"file": elsewhere, "service": "hospital", "mode": "add"}],
    )
    with pytest.raises(InputError, match=r"beijing.csv: none of its 1 places lies near the streets of town.osm"):
        scan(study)


def test_who_types_the_name_of_a_community_is_told_its_id() -> None:
    units = gpd.GeoDataFrame({"unit_name": ["示意对岸社区", "示意量尺社区"]}, index=["SY013", "SY014"])
    with pytest.raises(UsageError, match="unknown community; got 对岸; remedy: did you mean SY013 示意对岸社区"):
        check_units(["对岸"], units)
    with pytest.raises(UsageError, match="use ids of the file, such as SY013"):
        check_units(["0000"], units)
