"""Groups by their share: whole people, nobody in two groups' places, and the finest share that is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from livingcircle.scan import scan
from livingcircle_layers.errors import InputError
from livingcircle_layers.homes import Placement
from livingcircle_layers.shares import Shares, read_shares, with_shares
from livingcircle_layers.sources import Source
from towns import Town, study_of

#   district D holds subdistrict S (a, b) and subdistrict T (c); d lies in none
UNITS = gpd.GeoDataFrame(
    {"subdistrict": ["S", "S", "T", ""], "district": ["D", "D", "D", ""]},
    geometry=[shapely.box(k, 0, k + 1, 1) for k in range(4)],
    index=pd.Index(list("abcd"), name="unit_id", dtype="str"),
)


def homes_of(*rows: tuple[str, int]) -> Placement:
    frame = pd.DataFrame({"home": range(len(rows)), "unit": [u for u, _ in rows], "people": [n for _, n in rows]})
    return Placement(frame.assign(basis="cell"), pd.DataFrame())


def shares_of(units: dict[str, float] | None = None, **city: float) -> Shares:
    table = pd.DataFrame({"age_60_up": units}) if units else pd.DataFrame()
    return Shares(city, table, "shares.csv")


def given_to(placement: Placement, group: str = "age_60_up") -> list[int]:
    return [int(n) for n in placement.homes[group]]


def test_a_share_of_the_city_reaches_everybody() -> None:
    # 20 % of 105 are 21; by largest remainder 8, 2, 11 of homes with 40, 10 and 55 (outside)
    placement = with_shares(homes_of(("a", 40), ("c", 10), ("", 55)), shares_of(age_60_up=0.2), UNITS)
    assert given_to(placement) == [8, 2, 11]
    assert placement.shared == ("age_60_up",)
    assert list(placement.homes.columns) == ["home", "unit", "people", "age_60_up", "basis"]


def test_the_finest_share_counts() -> None:
    shares = shares_of({"a": 0.5, "S": 0.1, "D": 0.3}, age_60_up=0.0)
    placement = with_shares(homes_of(("a", 10), ("b", 10), ("c", 10), ("d", 10), ("", 10)), shares, UNITS)
    assert given_to(placement) == [5, 1, 3, 0, 0]


def test_a_subdistrict_may_be_named_with_its_district() -> None:
    placement = with_shares(homes_of(("a", 10), ("c", 10)), shares_of({"D/S": 0.5}, age_60_up=0.1), UNITS)
    assert given_to(placement) == [5, 1]


def test_counted_groups_stay() -> None:
    placement = homes_of(("a", 10))
    placement = Placement(placement.homes.assign(age_60_up=[7]), placement.basis)
    result = with_shares(placement, shares_of(age_60_up=0.2, age_0_3=0.1), UNITS)
    assert given_to(result) == [7]
    assert given_to(result, "age_0_3") == [1]
    assert result.shared == ("age_0_3",)


def test_a_community_without_share_is_named() -> None:
    with pytest.raises(InputError, match=r"no share of age_60_up for 2 communities; got nothing for c, d; remedy: add"):
        with_shares(homes_of(("a", 10)), shares_of({"S": 0.2}), UNITS)


def test_strange_units_are_named() -> None:
    with pytest.raises(InputError, match="units that the study does not have; got X, Y"):
        with_shares(homes_of(("a", 10)), shares_of({"Y": 0.2, "X": 0.1}, age_60_up=0.1), UNITS)


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c", "d", ""]), st.integers(1, 500)), min_size=1, max_size=30),
    st.dictionaries(st.sampled_from(["a", "b", "c", "S", "T", "D"]), st.floats(0, 1)),
    st.floats(0, 1),
)
def test_nobody_is_lost_and_no_group_exceeds_its_people(
    rows: list[tuple[str, int]], units: dict[str, float], city: float
) -> None:
    placement = with_shares(homes_of(*rows), shares_of(units, age_60_up=city), UNITS)
    homes = placement.homes
    assert ((homes["age_60_up"] >= 0) & (homes["age_60_up"] <= homes["people"])).all()
    above = {"a": ["a", "S", "D"], "b": ["b", "S", "D"], "c": ["c", "T", "D"], "d": [], "": []}
    owner = homes["unit"].map(lambda u: next((o for o in above[u] if o in units), "city"))
    for name, part in homes.groupby(owner):
        share = units.get(str(name), city)
        assert part["age_60_up"].sum() == np.floor(part["people"].sum() * share + 0.5)


def test_a_table_of_shares(tmp_path: Path) -> None:
    file = tmp_path / "s.csv"
    file.write_text("unit_id,60岁以上,0-3岁\na,0.25,0.02\nS,,0.03\n", encoding="utf-8")
    shares = read_shares({"age_60_up": 0.1}, Source(file))
    assert shares.groups == ("age_0_3", "age_60_up")
    placement = with_shares(homes_of(("a", 100)), Shares({**shares.city, "age_0_3": 0.0}, shares.units, "s"), UNITS)
    assert given_to(placement) == [25]
    assert given_to(placement, "age_0_3") == [2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "unit_id,60岁以上老年人口(万人)\na,0.07\n",
            r"age_60_up is no share; got the heading '60岁以上老年人口\(万人\)'",
        ),
        ("unit_id,age_60_up\na,21\n", "age_60_up is no share; got 21 in row 2; expected numbers from 0 to 1; remedy"),
        ("unit_id,age_60_up\na,0.2\na,0.3\n", "ids are blank or repeated; got row 3 first"),
        ("unit_id,old\na,0.2\n", "has no column of a group; expected one of age_0_3"),
        ("unit_id,age_60_up\na,many\n", "many"),
        ("age_60_up\n0.2\n", "no column for the id"),
    ],
)
def test_tables_that_hold_no_shares(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "s.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_shares({}, Source(file))


def test_a_scan_says_that_a_group_is_a_share(tmp_path: Path) -> None:
    town = Town("a" + "-" * 40 + "b").way("ab").node(0, 5, shop="supermarket", name="S")
    rules: list[dict[str, Any]] = [
        {"id": group, "services": ["supermarket"], "threshold": 150, "group": group}
        for group in ("age_60_up", "age_3_6", "age_0_3")
    ]
    people = [(10, 0, 60, 6), (300, 0, 40, 4)]
    study = study_of(tmp_path, town, people=people, people_heading="population,age_3_6", rules=rules)
    study = study.model_validate(
        {**study.model_dump(), "population": {**study.population.model_dump(), "shares": {"age_60_up": 0.25}}}
    )
    result = scan(study)
    city = result.coverage[result.coverage["level"] == "city"].set_index("rule")
    # 25 of 100: 15 of the 60 near the shop, 10 of the 40 away from it
    assert city.loc["age_60_up", ["group", "group_basis", "demand", "covered"]].tolist() == [
        "age_60_up",
        "share",
        25,
        15,
    ]
    assert city.loc["age_3_6", ["group", "group_basis", "demand", "covered"]].tolist() == ["age_3_6", "given", 10, 6]
    assert city.loc["age_0_3", ["group", "group_basis", "demand", "covered"]].tolist() == ["all", "stand_in", 100, 60]
    assert result.run["settings"]["group_shares"] == "age_60_up 0.25"
    assert "age_60_up" in result.homes
