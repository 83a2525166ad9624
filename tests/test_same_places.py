"""Places of two lists are paired by what they are, never by where they stand in the list.

A degree of latitude is 110.85 km on 30° N, so 0.001° are 110.9 m; a degree of longitude 96.49 km.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from livingcircle.same_places import metres_apart, places_of, same_places

Row = tuple[str, float, float]  # name, degrees east of 104 and north of 30
BARE = {"inputs": [{"role": "facilities", "path": "list.csv", "columns": {"name": "名称"}}]}
WITH_IDS = {"inputs": [{"role": "facilities", "path": "data/list.csv", "columns": {"id": "编号"}}]}


def listed(*rows: Row, service: str = "clinic", ids: list[str] | None = None) -> gpd.GeoDataFrame:
    """Return a list as a scan has it: without ids of their own, rows are known by their number in the file."""
    known = ids or [str(2 + i) for i in range(len(rows))]
    return gpd.GeoDataFrame(
        {
            "facility_id": pd.Series([f"list.csv:{i}" for i in known], dtype="str"),
            "service": service,
            "name": pd.Series([row[0] for row in rows], dtype="str"),
            "source": "list.csv",
        },
        geometry=shapely.points([104 + row[1] for row in rows], [30 + row[2] for row in rows]),
        crs=4326,
    )


def told(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, run: dict = BARE) -> set[tuple[str, str, int]]:
    """Return the pairs as ids of both sides and metres between; what has no pair stands alone."""
    before, after = places_of(old, run), places_of(new, run)
    i, j = same_places(before, after)
    a, b = before.iloc[i], after.iloc[j]
    pairs = set(zip(a["facility_id"], b["facility_id"], metres_apart(a, b).round().astype(int).tolist(), strict=True))
    pairs |= {(id_, "", 0) for id_ in set(before["facility_id"]) - set(a["facility_id"])}
    pairs |= {("", id_, 0) for id_ in set(after["facility_id"]) - set(b["facility_id"])}
    return {(one.removeprefix("list.csv:"), other.removeprefix("list.csv:"), m) for one, other, m in pairs}


A, B, C = ("甲诊所", 0.0, 0.0), ("乙诊所", 0.01, 0.0), ("丙诊所", 0.02, 0.0)
OLD = listed(A, B, C)  # rows 2, 3, 4

CASES = {
    "nothing changed": (listed(A, B, C), {("2", "2", 0), ("3", "3", 0), ("4", "4", 0)}),
    "a row in front": (
        listed(("新诊所", 0.05, 0.0), A, B, C),
        {("", "2", 0), ("2", "3", 0), ("3", "4", 0), ("4", "5", 0)},
    ),
    "a row of the middle removed": (listed(A, C), {("2", "2", 0), ("3", "", 0), ("4", "3", 0)}),
    "another order": (listed(C, A, B), {("2", "3", 0), ("3", "4", 0), ("4", "2", 0)}),
    # 0.03° of longitude are 2,895 m; the name is the only one of its kind on both sides
    "one moved far": (listed(A, ("乙诊所", 0.04, 0.0), C), {("2", "2", 0), ("3", "3", 2895), ("4", "4", 0)}),
    "renamed at its spot": (listed(A, ("仁心诊所", 0.01, 0.0), C), {("2", "2", 0), ("3", "3", 0), ("4", "4", 0)}),
    # 0.0001° of latitude are 11 m: beyond the spot, so another place
    "another one next door": (
        listed(A, ("仁心诊所", 0.01, 0.0001), C),
        {("2", "2", 0), ("3", "", 0), ("", "3", 0), ("4", "4", 0)},
    ),
    "written otherwise": (listed(A, ("乙 诊所", 0.01, 0.0), C), {("2", "2", 0), ("3", "3", 0), ("4", "4", 0)}),
}


@pytest.mark.parametrize(("new", "expected"), CASES.values(), ids=CASES)
def test_rows_of_a_list_without_ids(new: gpd.GeoDataFrame, expected: set[tuple[str, str, int]]) -> None:
    assert told(OLD, new) == expected


def test_a_place_is_the_same_as_one_other_at_most() -> None:
    # 0.00005° of latitude are 6 m: at the spot of 乙诊所, which is there on both sides
    more = listed(A, B, C, ("仁心诊所", 0.01, 0.00005))
    same = {("2", "2", 0), ("3", "3", 0), ("4", "4", 0)}
    assert told(OLD, more) == {*same, ("", "5", 0)}
    assert told(more, OLD) == {*same, ("5", "", 0)}


def test_two_places_of_one_name() -> None:
    """One stays and one moves by 111 m; the row in front is a third of the name, 5 km away."""
    old = listed(("幼儿园", 0.0, 0.0), ("幼儿园", 0.0, 0.005))
    new = listed(("幼儿园", 0.05, 0.0), ("幼儿园", 0.0, 0.006), ("幼儿园", 0.0, 0.0))
    assert told(old, new) == {("2", "4", 0), ("3", "3", 111), ("", "2", 0)}


def test_branches_of_a_chain_do_not_wander_through_the_city() -> None:
    """One branch closed in the west and one opened 4.8 km east of it are two events."""
    old = listed(("全家", 0.0, 0.0), ("全家", 0.02, 0.02))
    new = listed(("全家", 0.05, 0.0), ("全家", 0.02, 0.02))
    assert told(old, new) == {("3", "3", 0), ("2", "", 0), ("", "2", 0)}


def test_services_are_kept_apart() -> None:
    assert told(listed(A), listed(A, service="pharmacy")) == {("2", "", 0), ("", "2", 0)}


def test_ids_of_a_list_tell_its_places() -> None:
    old = listed(A, A, ids=["x", "y"])
    new = listed(("甲诊所", 0.03, 0.0), ("仁心诊所", 0.0, 0.0), ids=["y", "x"])
    # 0.03° of longitude are 2,895 m; x bears another name at its spot, y moved
    assert told(old, new, WITH_IDS) == {("x", "x", 0), ("y", "y", 2895)}


def test_a_list_that_was_numbered_anew_is_not_believed() -> None:
    """A column 编号 of running numbers: with a row in front every place has the id of another one."""
    new = listed(("新诊所", 0.05, 0.0), A, B, C)
    expected = {("", "2", 0), ("2", "3", 0), ("3", "4", 0), ("4", "5", 0)}
    assert told(OLD, new, WITH_IDS) == expected


def test_places_of_the_map_keep_their_ids_under_a_new_name_and_outline() -> None:
    old = listed(("一公园", 0.0, 0.0)).assign(source="osm", facility_id="w1")
    new = listed(("二公园", 0.001, 0.0)).assign(source="osm", facility_id="w1")
    assert told(old, new) == {("w1", "w1", 96)}


def test_unnamed_places_are_known_by_their_spot_alone() -> None:
    old, new = listed(("", 0.0, 0.0), ("", 0.01, 0.0)), listed(("", 0.01, 0.0), ("", 0.0, 0.003))
    assert told(old, new) == {("3", "2", 0), ("2", "", 0), ("", "3", 0)}


def test_the_planes_of_both_sides_may_differ() -> None:
    there = listed(A, ("乙诊所", 0.04, 0.0), C)
    assert told(OLD.to_crs(32648), there.to_crs(4544)) == told(OLD, there)


def test_nothing_on_one_side() -> None:
    assert told(OLD, OLD.iloc[:0]) == {("2", "", 0), ("3", "", 0), ("4", "", 0)}
    assert told(OLD.iloc[:0], OLD.iloc[:0]) == set()


near = st.integers(0, 6).map(lambda n: n / 1000)
rows = st.lists(st.tuples(st.sampled_from(["", "甲", "乙"]), near, near), max_size=8)


@settings(max_examples=40)
@given(rows, st.randoms())
def test_the_order_of_rows_changes_nothing(some: list[Row], random: object) -> None:
    """A list in another order is the same list: every place is found, and where it was."""
    mixed = list(some)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    if some:
        pairs = told(listed(*some), listed(*mixed))
        assert len(pairs) == len(some)
        assert all(one and other and metres == 0 for one, other, metres in pairs)


def test_many_places_of_one_name_are_paired() -> None:
    """40,000 places, all of one name, each moved by a few metres: no machine holds a list of all pairs."""
    chance = np.random.default_rng(7)
    here = chance.uniform(0, 0.2, (40_000, 2))
    there = here + chance.uniform(-2e-5, 2e-5, here.shape)
    old, new = (listed(*(("停车场", x, y) for x, y in side)) for side in (here, there))
    before, after = places_of(old, BARE), places_of(new, BARE)
    i, j = same_places(before, after)
    assert len(i) == len(j) == 40_000
    assert metres_apart(before.iloc[i], after.iloc[j]).max() < 1000
