"""Many districts in one file: checked first, scanned one after the other, counted as one city."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import livingcircle as lc
from livingcircle import batch as batches
from livingcircle.batch import Batch, in_one_plane, scan_batch
from livingcircle.cli import main
from livingcircle.combined_places import drawn_once, with_places_once
from livingcircle.district_faults import check_districts
from livingcircle.saved import load_result
from livingcircle.sheet import scanned_sheet
from livingcircle.study_parts import CommunitiesInput
from livingcircle_layers.errors import InputError, UsageError
from small_city import CSV_FILES, small_study
from towns import lonlat, write_communities, write_table

WEST, EAST = (-500.0, -500.0, 500.0, 1000.0), (0.0, -500.0, 500.0, 1000.0)
SHARED = """
name = "两区"
standard = "rules.toml"
[streets]
osm = "town.osm"
[population]
file = "people.csv"
[candidates]
top = 1
"""
DISTRICTS = """
[[district]]
name = "west"
communities.file = "west.geojson"
[[district]]
name = "east"
communities.file = "east.geojson"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("batch")
    small_study(made)  # one city of two communities, w and e
    write_communities(made / "west.geojson", {"w": WEST})
    write_communities(made / "east.geojson", {"e": EAST})
    write_communities(made / "same.geojson", {"w": EAST})
    return made


def written(folder: Path, text: str, name: str = "city.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ended(folder: Path) -> Any:
    return scan_batch(Batch.load(written(folder, SHARED + DISTRICTS)), folder / "out")


def test_districts_together_are_the_city_that_is_scanned_at_once(folder: Path, ended: Any) -> None:
    whole = lc.scan(small_study(folder, name="两区"))
    ours = ended.result
    for level in ("community", "city"):
        for name in ("coverage", "scores", "histogram"):
            tables = (getattr(result, name) for result in (ours, whole))
            mine, theirs = (table[table["level"] == level].reset_index(drop=True) for table in tables)
            pd.testing.assert_frame_equal(mine, theirs, check_dtype=False)
    assert ours.run["people"] == whole.run["people"]
    assert len(ours.facilities) == len(whole.facilities)  # each is in the reach of both
    assert ours.unplaced["people"].sum() == whole.unplaced["people"].sum()
    np.testing.assert_array_equal(ours.gaps["without"], whole.gaps["without"])
    share = ours.additions["gained_share"] * ours.run["people"]["placed"]
    np.testing.assert_allclose(share, ours.additions["gained"])  # of the people of the city, as it says


def wide_districts(folder: Path) -> str:
    """Write two districts whose own planes differ, and cells of 400 m across their border; return the study file."""
    small_study(folder)
    whole = {"w": (-3000.0, -500.0, 3000.0, 4000.0), "e": (0.0, -500.0, 5000.0, 4000.0)}
    write_communities(folder / "communities.geojson", whole)
    for unit, name in (("w", "west"), ("e", "east")):
        write_communities(folder / f"{name}.geojson", {unit: whole[unit]})
    cells = [(*lonlat(37.0 * i - 150.0, 420.0 * i), 997 + i, 160_000) for i in range(9)]
    (folder / "people.csv").write_text(
        "lon,lat,population,area_m2\n" + "".join(f"{x:.7f},{y:.7f},{n},{a}\n" for x, y, n, a in cells)
    )
    return SHARED + DISTRICTS


def test_people_on_a_border_are_counted_in_one_district(tmp_path: Path) -> None:
    """The sum of the cells is 9 × 997 + 36; of each, what lies west of the border is not east of it."""
    text = wide_districts(tmp_path)
    result = scan_batch(Batch.load(written(tmp_path, text)), tmp_path / "out").result
    assert result is not None
    whole = lc.scan(written(tmp_path, SHARED + '[communities]\nfile = "communities.geojson"\n', "whole.toml"))
    assert result.run["people"] == whole.run["people"]
    assert result.run["people"]["input"] == 9009
    for level in ("community", "city"):
        ours, theirs = (r.coverage[r.coverage["level"] == level].reset_index(drop=True) for r in (result, whole))
        numbers = ["unit_id", "rule", "demand", "covered", "radius_covered", "nearest_m_median"]
        pd.testing.assert_frame_equal(ours[numbers], theirs[numbers], check_dtype=False)
    one = scan_batch(Batch.load(tmp_path / "city.toml"), tmp_path / "one", chosen=["west"]).result
    assert one is not None
    mine, of_all = (r.coverage[r.coverage["unit_id"] == "w"].reset_index(drop=True) for r in (one, result))
    pd.testing.assert_frame_equal(mine, of_all, check_dtype=False)
    found = lc.explain(tmp_path / "out", "w", "shop")  # measured again, in the plane of the batch
    assert found.row["covered"] == of_all.set_index("rule").loc["shop", "covered"]


def test_districts_too_far_apart_for_one_plane_keep_their_own(tmp_path: Path) -> None:
    text = wide_districts(tmp_path)
    studies = Batch.load(written(tmp_path, text)).studies
    drawn = check_districts(studies)
    near = in_one_plane(studies, drawn)
    assert near["west"].plane == near["east"].plane == (104.01, 30.01)  # 1000 m east, 1500 m north
    far = {**drawn, "east": drawn["east"].translate(xoff=5.0).to_frame("geometry")}  # 480 km
    assert [study.plane for study in in_one_plane(studies, far).values()] == [None, None]
    own = {**studies, "west": studies["west"].model_copy(update={"plane": (104.0, 30.0)})}
    assert in_one_plane(own, drawn)["west"].plane == (104.0, 30.0)


def test_a_plane_far_from_the_communities_is_refused(tmp_path: Path) -> None:
    study = small_study(tmp_path, plane=(101.0, 30.0))  # 289 km to the west
    with pytest.raises(InputError, match=r"plane lies too far.*101, 30.*within 200 km.*remedy: leave plane out"):
        lc.scan(study)
    cells = CommunitiesInput(make="grid:500")
    with pytest.raises(InputError, match="plane is for communities of a file"):
        lc.scan(study.model_copy(update={"communities": cells}))


def test_a_district_is_a_level_of_its_own_where_communities_name_none(ended: Any) -> None:
    districts = ended.result.scores.query("level == 'district'")
    assert list(districts["unit_id"]) == ["east", "west"]
    assert districts["people"].sum() == ended.result.run["people"]["placed"]


def test_all_files_are_written_and_read_back(folder: Path, ended: Any) -> None:
    assert (folder / "out" / "districts.csv").read_text(encoding="utf-8-sig").splitlines() == [
        "district,status,why,communities,people",
        f"west,done,,1,{ended.outcomes[0].part.result.run['people']['placed']}",
        f"east,done,,1,{ended.outcomes[1].part.result.run['people']['placed']}",
    ]
    again = load_result(folder / "out")
    pd.testing.assert_frame_equal(again.coverage, ended.result.coverage, check_dtype=False, rtol=1e-4, atol=1e-4)
    assert (folder / "out" / "map.html").stat().st_size > 100_000


@pytest.mark.parametrize("unit", ["w", "west"])
def test_a_number_of_a_batch_is_explained_by_its_district(folder: Path, ended: Any, unit: str) -> None:
    """West alone is the scan of its community: the district of the batch is the city of that study."""
    found = lc.explain(folder / "out", unit, "shop")
    alone = lc.explain(
        lc.measure(Batch.load(folder / "city.toml").studies["west"]), unit.replace("west", "city"), "shop"
    )
    coverage = ended.result.coverage
    row = coverage[(coverage["unit_id"] == unit) & (coverage["rule"] == "shop")].iloc[0]
    assert (found.row["level"], found.row["unit_name"]) == (row["level"], row["unit_name"])
    assert found.row["covered"] == row["covered"] == alone.row["covered"]
    assert found.places == alone.places
    assert found.outside == alone.outside


def test_a_number_of_several_districts_is_told_to_be_a_sum(folder: Path, ended: Any) -> None:
    with pytest.raises(UsageError, match=r"city has communities of 2 districts.*a unit inside one of east, west"):
        lc.explain(folder / "out", "city", "shop")
    with pytest.raises(UsageError, match=r"holds the districts of a batch.*expected one of east, west"):
        lc.measured_again(folder / "out")


def test_the_sheet_of_a_community_of_a_batch_is_that_of_its_district(folder: Path, ended: Any, tmp_path: Path) -> None:
    text = SHARED + DISTRICTS.replace("east.geojson", "same.geojson")
    scan_batch(Batch.load(written(folder, text, "same.toml")), folder / "same")
    moved = tmp_path / "elsewhere/out"
    moved.parent.mkdir()
    (folder / "same").rename(moved)
    with pytest.raises(InputError, match="is not found from the folder of the scan"):
        scanned_sheet(moved, "west/w")
    sheet = scanned_sheet(moved, "west/w", study=folder / "same.toml")
    plain = scanned_sheet(folder / "out", "w")
    pd.testing.assert_frame_equal(sheet.services, plain.services)
    assert sheet.services["share"].notna().any()
    other = written(folder, (SHARED + DISTRICTS).replace('"west"', '"south"'), "other.toml")
    with pytest.raises(InputError, match=r"other\.toml has no district west; got south, east"):
        scanned_sheet(moved, "west/w", study=other)


def test_ids_that_two_districts_use_get_the_district_in_front(folder: Path) -> None:
    text = SHARED + DISTRICTS.replace("east.geojson", "same.geojson")
    result = scan_batch(Batch.load(written(folder, text, "same.toml")), folder / "same").result
    assert result is not None
    assert list(result.communities.index) == ["east/w", "west/w"]
    assert set(result.gaps["unit_id"]) <= {"east/w", "west/w"}


def test_every_fault_of_every_district_is_told_before_anything_is_computed(folder: Path) -> None:
    text = SHARED + DISTRICTS + '[[district]]\nname = "west"\n[[district]]\nname = "north"\nwalker = "adult"\n'
    with pytest.raises(InputError, match=r"district 3 needs a name of its own.*north.*unknown key.*'walkers'"):
        Batch.load(written(folder, text, "faults.toml"))
    elders = DISTRICTS.replace('"east"', '"east"\nwalkers = ["elder"]')
    text = SHARED + elders.replace("west.geojson", "missing.geojson")
    told: list[str] = []
    with pytest.raises(InputError, match=r"district west: .*missing\.geojson.*the walkers of east differ"):
        scan_batch(
            Batch.load(written(folder, text, "late.toml")),
            folder / "late",
            progress=lambda event: told.append(str(event)),
        )
    assert told == ["checking the inputs of 2 districts"]
    assert not (folder / "late").exists()


def test_communities_of_two_districts_that_lie_over_each_other_are_refused(folder: Path) -> None:
    text = SHARED + DISTRICTS.replace("east.geojson", "communities.geojson")  # w and e
    with pytest.raises(InputError, match=r"w of district west and w of district east lie over each other"):
        scan_batch(Batch.load(written(folder, text, "over.toml")), folder / "over")
    text = text.replace("west.geojson", "communities.geojson")
    with pytest.raises(InputError, match=r"over each other, and 1 more pairs of these districts: [^|]*$"):
        scan_batch(Batch.load(written(folder, text, "over.toml")), folder / "over")


def test_a_district_that_fails_does_not_stop_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "bad.csv").write_text("lon,lat,population\n104,30,many\n", encoding="utf-8")
    bad = '"west.geojson"\npopulation.file = "bad.csv"'
    path = written(folder, (SHARED + DISTRICTS).replace('"west.geojson"', bad), "fails.toml")
    with pytest.raises(SystemExit) as ended:
        main(["scan", str(path), "-o", str(folder / "fails")])
    assert ended.value.code == 3
    table = pd.read_csv(folder / "fails" / "districts.csv")
    assert list(table["status"]) == ["failed", "done"]
    assert "bad.csv" in table["why"][0]
    out = capsys.readouterr().out.splitlines()
    assert out[-2].startswith("west\tfailed\t")
    assert out[-1].startswith("east\tdone\t")
    monkeypatch.setattr(batches, "measure", lambda *_, **__: pytest.fail("computed"))
    with pytest.raises(UsageError, match="unknown district; got wst; remedy: did you mean west"):
        scan_batch(Batch.load(path), folder / "none", chosen=["wst"])


def test_districts_that_are_not_chosen_are_skipped(folder: Path) -> None:
    path = written(folder, SHARED + DISTRICTS)
    ended = scan_batch(Batch.load(path), folder / "one", chosen=["east"], homes=True)
    assert [(o.district, o.status) for o in ended.outcomes] == [("west", "skipped"), ("east", "done")]
    assert ended.result is not None
    assert list(ended.result.communities.index) == ["e"]
    assert all((folder / "one" / name).exists() for name in CSV_FILES)
    homes = pd.read_parquet(folder / "one" / "homes.parquet")
    assert set(homes["unit"]) == {"e"}
    assert "within_shop" in homes  # the walks of every home are measured, as they were asked for


def test_walks_of_single_homes_are_measured_only_where_they_are_written(ended: Any) -> None:
    assert not [c for c in ended.result.homes if c.startswith(("nearest_m_", "within_"))]


def test_a_place_counts_once_though_each_district_draws_it_on_a_plane_of_its_own(ended: Any) -> None:
    first = ended.outcomes[0].part.result
    moved = {
        name: getattr(first, name).set_geometry(getattr(first, name).translate(1e-9, -1e-9))
        for name in ("facilities", "access_points")
    }
    whole = with_places_once(first, [first, replace(first, **moved)])
    assert len(whole.facilities) == len(first.facilities) > 0
    assert len(whole.access_points) == len(first.access_points) > 0
    assert len(drawn_once([first.facilities, moved["facilities"]])) == len(first.facilities)


def test_lists_of_one_name_in_two_folders_stay_apart(folder: Path) -> None:
    east = folder / "east"
    east.mkdir()
    people = (folder / "people.csv").read_text(encoding="utf-8").splitlines()
    (east / "people.csv").write_text("\n".join(people[: len(people) // 2]) + "\n", encoding="utf-8")
    text = SHARED + DISTRICTS + 'population.file = "east/people.csv"\n'
    result = scan_batch(Batch.load(written(folder, text, "folders.toml")), folder / "folders").result
    assert result is not None
    both = [pd.read_csv(folder / name / "people.csv")["population"].sum() for name in (".", "east")]
    assert result.run["people"]["input"] == sum(both)  # two lists, though of one name: nobody of either is lost
    outside = result.unplaced.query("reason == 'outside_communities'")
    assert set(outside["source"]) == {"west/people.csv", "east/people.csv"}


def test_a_list_that_all_districts_read_counts_once(folder: Path) -> None:
    """300 of west, 400 of east and 77 of a community that is in none; one school is listed twice."""
    (folder / "totals.csv").write_text("unit_id,population\nw,300\ne,400\nx,77\n", encoding="utf-8")
    write_table(folder / "schools.csv", "name", [(-210, 390, "实验小学"), (-210, 390, "实验小学"), (210, 390, "二小")])
    lists = '[[facilities]]\nfile = "schools.csv"\nservice = "primary_school"\n'
    text = SHARED.replace("people.csv", "totals.csv") + lists + DISTRICTS
    result = scan_batch(Batch.load(written(folder, text, "totals.toml")), folder / "totals").result
    assert result is not None
    assert result.run["people"] == {"input": 777, "placed": 700, "not_placed": 77, "outside": 0}
    lost = result.unplaced[result.unplaced["source"] == "totals.csv"]
    assert list(zip(lost["row"], lost["people"], strict=True)) == [("x", 77)]
    (people,) = (entry for entry in result.run["inputs"] if entry["role"] == "population")
    assert (people["used"], people["left_out"]) == (2, {"no such community": 1})
    one = text.replace(DISTRICTS, '[communities]\nfile = "communities.geojson"\n')
    whole = lc.scan(written(folder, one, "at_once.toml"))
    assert result.run["counts"] == whole.run["counts"]
    assert whole.facility_changes is not None
    assert len(whole.facility_changes) == 1
    pd.testing.assert_frame_equal(result.facility_changes, whole.facility_changes)


def test_what_holds_for_one_district_is_not_said_of_all(folder: Path) -> None:
    """A map approved for west alone is an internal drawing; streets are of 2024, in east of 2025."""
    town = (folder / "town.osm").read_text(encoding="utf-8")
    (folder / "later.osm").write_text(town.replace("2024-", "2025-"), encoding="utf-8")
    west, east = DISTRICTS.split("\n[[district]]")[1:]
    text = f'{SHARED}[[district]]{west}\nmap.approval_number = "图A"\n[[district]]{east}streets.osm = "later.osm"\n'
    result = scan_batch(Batch.load(written(folder, text, "two_maps.toml")), folder / "two_maps").result
    assert result is not None
    assert result.approval_number == ""
    assert result.run["data_date"] == "2024-05-06 – 2025-05-06"
    assert {verdict["layer"].split(":")[0] for verdict in result.run["datum"]} == {"west", "east"}


def test_cells_over_people_of_another_district_are_refused(folder: Path) -> None:
    text = SHARED + DISTRICTS.replace('communities.file = "east.geojson"', 'communities.make = "grid:500"')
    with pytest.raises(InputError, match=r"communities of district east are made over people whom west may count, too"):
        scan_batch(Batch.load(written(folder, text, "cells.toml")), folder / "cells")


def test_a_batch_without_districts_says_so(folder: Path) -> None:
    with pytest.raises(InputError, match=r"no \[\[district\]\] is named"):
        Batch.load(written(folder, "district = []\n" + SHARED, "none.toml"))


def test_want_of_memory_fails_one_district_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = batches.measure

    def short(study: Any, **more: Any) -> Any:
        if study.name == "west":
            raise MemoryError("Unable to allocate 9 GiB")
        return honest(study, **more)

    monkeypatch.setattr(batches, "measure", short)
    ended = scan_batch(Batch.load(written(folder, SHARED + DISTRICTS)), folder / "short")
    assert [(o.status, o.reason) for o in ended.outcomes] == [
        ("failed", "MemoryError Unable to allocate 9 GiB"),
        ("done", ""),
    ]


@pytest.mark.parametrize("debug", [True, False])
def test_a_fault_of_the_program_fails_one_district_and_is_kept_in_a_log(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, debug: bool
) -> None:
    honest = batches.measure

    def broken(study: Any, **more: Any) -> Any:
        if study.name == "west":
            raise KeyError("/home/li/a column\nnobody thought of")
        return honest(study, **more)

    monkeypatch.setattr(batches, "measure", broken)
    path = written(folder, SHARED + DISTRICTS)
    with pytest.raises(SystemExit) as ended:
        main([*(["--debug"] if debug else []), "scan", str(path), "-o", str(tmp_path)])
    assert ended.value.code == 3
    table = pd.read_csv(tmp_path / "districts.csv")
    assert list(table["status"]) == ["failed", "done"]
    assert table["why"][0].startswith("unexpected KeyError 'a column")
    assert table["why"][0].endswith("please report it; details in .livingcircle-work/errors.log")
    log = (tmp_path / ".livingcircle-work/errors.log").read_text(encoding="utf-8")
    assert "district west\nTraceback (most recent call last):" in log
    assert "in broken" in log
    told = capsys.readouterr()
    assert told.out.splitlines()[-2] == f"west\tfailed\t{table['why'][0]}"
    assert ("Traceback" in told.err) == debug


def test_an_input_that_goes_while_others_are_scanned_is_told_in_words(folder: Path, tmp_path: Path) -> None:
    (folder / "gone.osm").write_bytes((folder / "town.osm").read_bytes())
    text = SHARED + DISTRICTS.replace('"west.geojson"', '"west.geojson"\nstreets.osm = "gone.osm"')

    def told(event: Any) -> None:
        if event.kind == "district_begun" and event.district == "west":
            (folder / "gone.osm").unlink()
        if event.kind == "stage_begun" and event.stage == "join" and event.district == "east":
            raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / ".livingcircle-work"))

    ended = scan_batch(Batch.load(written(folder, text, "gone.toml")), tmp_path, progress=told)
    assert [outcome.status for outcome in ended.outcomes] == ["failed", "failed"]
    assert "gone.osm" in ended.outcomes[0].reason
    assert "the disk is full" in ended.outcomes[1].reason
    assert not any(outcome.details for outcome in ended.outcomes)
    assert not (tmp_path / ".livingcircle-work/errors.log").exists()


def test_a_log_that_cannot_be_written_does_not_stop_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(batches, "measure", broken)
    (tmp_path / ".livingcircle-work/errors.log").mkdir(parents=True)
    ended = scan_batch(Batch.load(written(folder, SHARED + DISTRICTS)), tmp_path)
    assert [outcome.reason.partition(";")[0] for outcome in ended.outcomes] == ["unexpected ZeroDivisionError"] * 2
    assert all(outcome.reason.endswith("cannot be written (Is a directory)") for outcome in ended.outcomes)
    assert all("in broken" in outcome.details for outcome in ended.outcomes)
