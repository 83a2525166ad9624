"""A published result: no small count can be worked out, and no restricted place is in any file."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from demo_scans import demo_result
from livingcircle.columns import COVERAGE, TABLES
from livingcircle.hearing_map import payload
from livingcircle.publishing import STEPS, published_result
from livingcircle.result import ScanResult
from livingcircle.saved import load_result
from livingcircle.standards import load_standard
from livingcircle.withholding import UnitTree, is_small
from livingcircle_layers.errors import InputError, UsageError
from made_result import made_result

MEASURES = ("covered", "radius_covered", "minutes_covered")
RULES = load_standard("chengdu")
PICKED = tuple(r for r in RULES.rules if r.id in RULES.scoring and r.by_distance and r.group == "all")[:3]


def town(people: list[int], streets: list[str], parts: np.ndarray) -> ScanResult:
    """Make a result of one district: people by community, its subdistrict, and covered people (rule, measure, unit)."""
    count, base = len(people), made_result(communities=len(people))
    units = pd.DataFrame({"level": "community", "unit_id": [f"c{n}" for n in range(count)], "people": people})
    own = pd.DataFrame({"street": streets, "at": np.arange(count)})
    sets = {("community", f"c{n}"): [n] for n in range(count)}
    sets |= {("subdistrict", f"区/{s}"): list(rows["at"]) for s, rows in own.groupby("street")}
    sets |= {("district", "区"): list(range(count)), ("city", "city"): list(range(count))}
    rows, scores = [], []
    row, score = base.coverage.iloc[0].to_dict(), base.scores.iloc[0].to_dict()
    for (level, unit), inside in sets.items():
        demand = int(np.array(people)[inside].sum())
        where = {"level": level, "unit_id": unit, "unit_name": unit}
        for r, rule in enumerate(PICKED):
            found = {name: int(parts[r, m, inside].sum()) for m, name in enumerate(MEASURES)}
            shares = {
                name.replace("covered", "share") if "_" in name else "share": n / demand if demand else np.nan
                for name, n in found.items()
            }
            rows.append({**row, **where, "rule": rule.id, "group": "all", "demand": demand, **found, **shares,
                         "status": "ok" if demand else "no_demand", "edge_share": 0.0})  # fmt: skip
        k = float(parts[:, 0, inside].sum() / demand) if demand >= 100 else np.nan
        scores.append({**score, **where, "people": demand, "k_mean": k, "score": 100 * k / 3, "score_low": 100 * k / 3,
                       "score_high": 100 * k / 3, "n_listed": 3, "n_scored": 3, "complete_share": 0.0,
                       "missing_one_share": 0.0})  # fmt: skip
    frame = base.communities.assign(people=people, subdistrict=streets, district="区", not_placed=0)
    frame.index = pd.Index(units["unit_id"], name="unit_id")
    rules = replace(RULES, rules=PICKED, scoring=tuple(r.id for r in PICKED))
    histogram = base.histogram.iloc[:0]
    table = pd.DataFrame(rows)[list(COVERAGE.names)]
    return replace(base, coverage=table, scores=pd.DataFrame(scores), histogram=histogram, communities=frame,
                   circles=None, rules=rules)  # fmt: skip


@st.composite
def towns(draw: st.DrawFn) -> ScanResult:
    count = draw(st.integers(2, 6))
    people = draw(st.lists(st.sampled_from([0, 4, 9, 14, 60, 150, 400, 3000]), min_size=count, max_size=count))
    streets = draw(st.lists(st.sampled_from(["甲", "乙"]), min_size=count, max_size=count))
    parts = np.zeros((len(PICKED), 3, count), dtype=np.int64)
    for r in range(len(PICKED)):
        for u in range(count):
            near = draw(st.sampled_from([0, 1, 5, 9, 10, 30, 75, -75, -30, -9, -1, None]))
            inside = people[u] if near is None else near if near >= 0 else people[u] + near
            covered = int(np.clip(inside, 0, people[u]))
            parts[r, :, u] = covered, min(covered + draw(st.sampled_from([0, 3, 40])), people[u]), covered
    return town(people, streets, parts)


class Reader:
    """Works out what a published result tells: whole numbers that fulfil everything that is printed."""

    def __init__(self, truth: ScanResult, shown: ScanResult) -> None:
        self.tree = UnitTree.of(truth.communities)
        self.leaves = len(truth.communities)
        self.known: list[tuple[np.ndarray, float, float]] = []
        self.names = ["demand", *(f"{m}:{rule.id}" for rule in PICKED for m in MEASURES)]
        self.width = len(self.names) * self.leaves
        self._read_coverage(shown)
        self._read_means(truth, shown)

    def sum_of(self, name: str, unit: int) -> np.ndarray:
        weights = np.zeros(self.width)
        weights[self.names.index(name) * self.leaves + self.tree.leaves_below[unit]] = 1
        return weights

    def _read_coverage(self, shown: ScanResult) -> None:
        table, small = shown.coverage, shown.small["coverage"]
        at = self.tree.positions(table["level"], table["unit_id"])
        for i, unit in enumerate(at):
            for column in ("demand", *MEASURES):
                name = column if column == "demand" else f"{column}:{table['rule'].iloc[i]}"
                weights, value = self.sum_of(name, unit), table[column].iloc[i]
                if small[column].iloc[i]:
                    self.known.append((weights, 1, 9))
                elif not pd.isna(value):
                    self.known.append((weights, float(value), float(value)))
        for name in self.names[1:]:  # nobody is covered who is not there
            for leaf in range(self.leaves):
                self.known.append((self.sum_of("demand", leaf) - self.sum_of(name, leaf), 0, np.inf))

    def _read_means(self, truth: ScanResult, shown: ScanResult) -> None:
        """k times the people is the sum of all who are covered, as exactly as k is printed."""
        at = self.tree.positions(shown.scores["level"], shown.scores["unit_id"])
        for unit, printed, exact, people in zip(
            at, shown.scores["k_mean"], truth.scores["k_mean"], shown.scores["people"], strict=True
        ):
            if pd.isna(printed) or pd.isna(people):
                continue
            off = abs(printed - exact)
            # Whoever reads it knows that it is rounded; the finest step that fits tells most.
            rounded = self._rounded(shown, unit) and abs(10 * printed - round(10 * printed)) < 1e-9
            half = next(s for s in STEPS if off <= s / 2 + 1e-9) / 2 if rounded else 1e-7
            weights = np.sum([self.sum_of(f"covered:{rule.id}", unit) for rule in PICKED], axis=0)
            self.known.append((weights, (printed - half) * people, (printed + half) * people))

    def _rounded(self, shown: ScanResult, unit: int) -> bool:
        at = self.tree.positions(shown.coverage["level"], shown.coverage["unit_id"])
        return bool((shown.coverage["status"][at == unit] == "withheld").any())

    def bounds_of(self, name: str, unit: int) -> tuple[float, float]:
        rows, low, high = (np.array(part) for part in zip(*self.known, strict=True))
        ends = []
        for sign in (1, -1):
            found = milp(
                sign * self.sum_of(name, unit),
                constraints=LinearConstraint(rows, low - 1e-6, high + 1e-6),
                integrality=np.ones(self.width),
                bounds=Bounds(0, 10_000),
            )
            assert found.success, found.message
            ends.append(sign * found.fun)
        return round(ends[0]), round(ends[1])


@settings(max_examples=15, deadline=None)
@given(towns())
def test_no_small_count_can_be_worked_out(truth: ScanResult) -> None:
    shown = published_result(truth)
    reader = Reader(truth, shown)
    table = truth.coverage
    at = reader.tree.positions(table["level"], table["unit_id"])
    checked = set()
    for i, unit in enumerate(at):
        demand = table["demand"].iloc[i]
        for column in ("demand", *MEASURES):
            value, name = table[column].iloc[i], column if column == "demand" else f"{column}:{table['rule'].iloc[i]}"
            if (is_small(value) or (column != "demand" and is_small(demand - value))) and (name, unit) not in checked:
                checked.add((name, unit))
                low, high = reader.bounds_of(name, int(unit))
                assert low < high, f"{name} of {table['unit_id'].iloc[i]} is {value}"


PRIVATE = "内部名单.csv"


def with_a_restricted_list(result: ScanResult) -> ScanResult:
    """Return the demo's result as if its kindergartens came from a list of the user's own, a metre away."""
    frame, doors = result.facilities, result.access_points
    mine = frame["service"] == "kindergarten"
    ids = {old: f"{PRIVATE}:{number}" for number, old in enumerate(frame["facility_id"][mine])}
    names = {new: f"密园{number:03d}号" for number, new in enumerate(ids.values())}
    new = frame["facility_id"].map(ids)
    frame = frame.assign(facility_id=new.fillna(frame["facility_id"]), name=new.map(names).fillna(frame["name"]),
                         source=frame["source"].where(~mine, PRIVATE))  # fmt: skip
    new = doors["facility_id"].map(ids)
    doors = doors.assign(
        facility_id=new.fillna(doors["facility_id"]), source=doors["source"].where(new.isna(), PRIVATE)
    )
    frame = frame.set_geometry(frame.geometry.where(~mine, frame.geometry.translate(1e-5, 1e-5)))
    moved = doors.geometry.translate(1e-5, 1e-5)
    doors = doors.set_geometry(doors.geometry.where(doors["source"] != PRIVATE, moved))
    assert result.gaps is not None
    assert result.facility_circles is not None
    new = result.gaps["nearest_id"].map(ids)
    gaps = result.gaps.assign(nearest_id=new.fillna(result.gaps["nearest_id"]),
                              nearest_name=new.map(names).fillna(result.gaps["nearest_name"]))  # fmt: skip
    circles = result.facility_circles
    circles = circles.assign(facility_id=circles["facility_id"].map(ids).fillna(circles["facility_id"]))
    unplaced = pd.DataFrame([{"source": PRIVATE, "row": "77", "name": "密园999号", "unit_id": "", "people": pd.NA,
                              "reason": "no_service", "detail": "密园999号 fits no service"}])  # fmt: skip
    changes = pd.DataFrame([{"facility_id": f"{PRIVATE}:990", "source": PRIVATE, "name": "密园990号",
                             "service": "kindergarten", "action": "merged", "into": frame["facility_id"][~mine].iloc[0],
                             "distance_m": 1.0, "rule": "same_name", "detail": "密园990号"}])  # fmt: skip
    listed = {"role": "facilities", "path": PRIVATE, "licence": "restricted", "sha256": "ab", "attribution": ""}
    run = {**result.run, "inputs": [*result.run["inputs"], listed], "warnings": ["密园001号 is far from every street"]}
    unplaced = pd.concat([result.unplaced, unplaced.astype({"people": "Int64"})], ignore_index=True)
    lost = pd.concat([result.unplaced, unplaced.astype({"people": "Int64"})], ignore_index=True)
    return replace(result, facilities=frame, access_points=doors, gaps=gaps, facility_circles=circles, run=run,
                   unplaced=lost, facility_changes=changes)  # fmt: skip


@pytest.fixture(scope="module")
def private() -> ScanResult:
    return with_a_restricted_list(demo_result())


@pytest.fixture(scope="module")
def folder(private: ScanResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published_result(private).save(tmp_path_factory.mktemp("published"))


def bytes_of(folder: Path) -> bytes:
    """Return every byte of a folder, with the files in an Excel file unpacked."""
    parts = []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as archive:
                parts += [archive.read(name) for name in archive.namelist()]
        elif path.is_file():
            parts.append(path.read_bytes())
    return b"\n".join(parts)


def test_no_restricted_place_is_in_any_file(private: ScanResult, folder: Path, tmp_path: Path) -> None:
    secret = private.facilities[private.facilities["source"] == PRIVATE]
    points = shapely.get_coordinates(secret.geometry.to_numpy())
    doors = private.access_points[private.access_points["source"] == PRIVATE]
    points = np.concatenate([points, shapely.get_coordinates(doors.geometry.to_numpy())])
    everything, open_ = bytes_of(folder), bytes_of(private.save(tmp_path))
    # The same search finds them all in a result that is not published.
    assert "密园" in open_.decode("utf-8", "ignore")
    assert all(struct.pack("<2d", *point) in open_ for point in points)
    assert "密园".encode() not in everything
    assert f"{PRIVATE}:".encode() not in everything
    assert not any(struct.pack("<2d", *point) in everything for point in points)
    shown = payload(published_result(private))["facilities"]
    assert len(secret) > 0
    assert str(shown).count("kindergarten") == 0


def test_places_of_restricted_lists_are_counted_all_the_same(private: ScanResult) -> None:
    shown = published_result(private)
    city = shown.coverage[(shown.coverage["level"] == "city") & (shown.coverage["service"] == "kindergarten")]
    places = private.facilities["facility_id"][private.facilities["source"] == PRIVATE].nunique()
    assert (city["facilities"] == places).all()
    assert shown.run["publication"]["places_only_counted"] == places
    assert "made for publication 供公布" in shown.settings["publication"]


def test_files_hold_no_small_count_of_people(folder: Path) -> None:
    """Every column that the data dictionary calls people, of every table."""
    seen = 0
    for table in TABLES:
        path = folder / table.file
        if path.suffix != ".csv" or not path.exists():
            continue
        frame = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
        if "denominator" in frame:
            frame = frame[frame["denominator"].isin(["people", "households"])]
        for column in table.columns:
            if column.counts_people:
                assert not frame[column.name].isin([str(n) for n in range(1, 10)]).any(), f"{table.name}.{column.name}"
                seen += int(frame[column.name].eq("<10").sum())
    assert seen > 0


def test_a_published_folder_is_read_and_drawn_again_and_explains_nothing(folder: Path) -> None:
    from livingcircle.recorded import recorded_study

    again = load_result(folder)
    assert "withheld" in set(again.coverage["status"])
    assert again.coverage["demand"].notna().any()
    with pytest.raises(InputError, match="was made for publication"):
        recorded_study(folder)


def test_homes_are_never_published(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="homes are never published"):
        published_result(demo_result()).save(tmp_path, homes=True)


def test_what_is_not_small_stays_as_it_is() -> None:
    """Where nobody's numbers are small, a published result tells the same as another."""
    truth = town([3000, 3000], ["甲", "甲"], np.full((len(PICKED), 3, 2), 1500))
    shown = published_result(truth)
    columns = ["demand", *MEASURES, "share", "status"]
    pd.testing.assert_frame_equal(shown.coverage[columns], truth.coverage[columns], check_dtype=False)
    assert shown.run["publication"]["numbers_withheld"] == 0


def test_a_number_beside_a_small_one_is_withheld() -> None:
    """Of three communities one has 5 people covered: one more is withheld, so that the sum does not tell it."""
    parts = np.full((len(PICKED), 3, 3), 1500)
    parts[0, :, 0] = 5
    shown = published_result(town([3000, 3000, 3000], ["甲", "甲", "甲"], parts)).coverage
    rows = shown[(shown["rule"] == PICKED[0].id) & (shown["level"] == "community")]
    assert sorted(rows["status"]) == ["ok", "withheld", "withheld"]
    assert shown[(shown["rule"] == PICKED[1].id)]["status"].eq("ok").all()


def test_the_report_prints_small_counts_as_less_than_ten(folder: Path) -> None:
    from openpyxl import load_workbook

    book = load_workbook(folder / "report.xlsx", read_only=True)
    cells = [cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row]
    assert "<10" in cells
    assert any("made for publication 供公布" in str(cell) for cell in cells)
