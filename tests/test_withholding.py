"""Which units are withheld beside a small number: answers worked out on a tree of six communities."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from livingcircle.withholding import UnitTree, count_text, is_small

#                 city
#            ┌─────┴─────┐
#            东          西
#        ┌───┴───┐       │
#      东/甲    东/乙     │          f is of no subdistrict
#     ┌──┼──┐   ┌─┴─┐     │
#     a  b  c   d   e     f
TREE = UnitTree.of(
    gpd.GeoDataFrame(
        {"subdistrict": ["甲", "甲", "甲", "乙", "乙", None], "district": ["东", "东", "东", "东", "东", "西"]},
        index=list("abcdef"),
        geometry=[None] * 6,
        crs=4326,
    )
)
NAMES = [unit for _, unit in TREE.index]


def withheld(small: list[str], **room: float) -> set[str]:
    """Return the names of what is withheld; units whose room is not told have none."""
    rooms = np.array([room.get(name, 0.0) for name in NAMES])
    hidden = TREE.withheld(np.isin(NAMES, small), rooms)
    return {name for name, gone in zip(NAMES, hidden, strict=True) if gone}


def test_the_tree_of_units() -> None:
    assert NAMES == ["a", "b", "c", "d", "e", "f", "东/乙", "东/甲", "东", "西", "city"]
    above = {name: NAMES[up] if up >= 0 else None for name, up in zip(NAMES, TREE.parent, strict=True)}
    assert above == {
        "a": "东/甲", "b": "东/甲", "c": "东/甲", "d": "东/乙", "e": "东/乙", "f": "西",
        "东/甲": "东", "东/乙": "东", "东": "city", "西": "city", "city": None,
    }  # fmt: skip
    below = {NAMES[node]: "".join(NAMES[leaf] for leaf in leaves) for node, leaves in TREE.leaves_below.items()}
    assert below == {
        "a": "a", "b": "b", "c": "c", "d": "d", "e": "e", "f": "f",
        "东/甲": "abc", "东/乙": "de", "东": "abcde", "西": "f", "city": "abcdef",
    }  # fmt: skip
    rows = pd.DataFrame({"level": ["community", "estate", "district"], "unit_id": ["b", "b", "西"]})
    assert TREE.positions(rows["level"], rows["unit_id"]).tolist() == [1, -1, 9]


@pytest.mark.parametrize(
    ("small", "room", "gone"),
    [
        ([], {"a": 50}, ""),
        # beside a: of b and c the one by which least is lost
        (["a"], {"b": 50, "c": 20, "d": 15}, "a c"),
        # one more or one less of 11 people is not small, of 10 it could be
        (["a"], {"b": 11, "c": 10}, "a b"),
        # nobody beside it in the subdistrict has room: one of the next, with both subdistricts
        (["a"], {"b": 10, "c": 10, "d": 15, "e": 14}, "a 东/甲 e 东/乙"),
        (["a"], {"f": 30}, "a 东/甲 东 f 西"),
        # nobody at all has room: then the number is in no sum above it
        (["a"], {}, "a 东/甲 东 city"),
        (["b"], {}, "b 东/甲 东 city"),
        # both small ones use the same third
        (["a", "b"], {"c": 40}, "a b c"),
        # f takes c, which a has taken already, though less were lost by d
        (["a", "f"], {"b": 50, "c": 20, "d": 15}, "a c 东/甲 东 f 西"),
        # a small sum: the largest community within it, and one outside
        (["东/甲"], {"a": 12, "b": 50, "c": 20, "d": 15}, "b 东/甲 d 东/乙"),
        # ... but a community within it that is withheld already will do
        (["a", "东/甲"], {"b": 50, "c": 20, "d": 15}, "a c 东/甲 d 东/乙"),
        (["city"], {"a": 20, "f": 30}, "f 西 city"),
    ],
)
def test_what_is_withheld_beside_a_small_number(small: list[str], room: dict[str, float], gone: str) -> None:
    assert withheld(small, **room) == set(gone.split())


def test_the_nearest_number_above_that_is_published() -> None:
    hidden = np.isin(NAMES, ["a", "东/甲", "西", "f"])
    assert [TREE.published_above(node, hidden) for node in range(len(NAMES))] == [8, 1, 2, 3, 4, 10, 6, 8, 8, 10, 10]
    assert TREE.published_above(0, np.isin(NAMES, ["a", "东/甲", "东", "city"])) == -1


def test_small_counts() -> None:
    # sums of shares of people are off by less than a millionth: 9.9999999 are ten people, 0.0000001 are none
    numbers = [0, 1, 9, 10, np.nan, 9.9999999, 0.0000001, 0.5, -1]
    assert is_small(numbers).tolist() == [False, True, True, False, False, False, False, True, False]
    assert [count_text(number) for number in (None, 0, 1234567)] == ["withheld 不公布", "0", "1,234,567"]
