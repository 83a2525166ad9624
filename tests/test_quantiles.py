"""Quantiles by people: whose walk is the median, against a list with one entry per person."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livingcircle.cells import Cells
from livingcircle.coverage import Units
from livingcircle.hundredths import hundredths
from livingcircle.quantiles import people_quantiles, walk_quantiles


def units_of(code: list[int], n: int = 2) -> Units:
    ids = tuple("abc"[:n])
    return Units("community", ids, ids, ("",) * n, np.array(code, dtype=np.int64), np.ones(n, dtype=bool))


def quantiles(
    walks: list[float], people: list[int], code: list[int], **options: tuple[float, float]
) -> list[list[float]]:
    found = people_quantiles(np.array(walks, dtype=float), np.array(people), units_of(code), **options)
    return [part.tolist() for part in found]


def test_the_quantile_is_the_walk_of_a_person() -> None:
    # unit a, in order of walks: 4 people at 100 m, 2 at 200 m, 4 at 900 m: the 5th at 200 m, the 9th at 900 m;
    # unit b: one person; a home outside of all units counts in none
    walks, people, code = [200, 100, 900, 50, 7], [2, 4, 4, 1, 99], [0, 0, 0, 1, -1]
    assert quantiles(walks, people, code) == [[200.0, 50.0], [900.0, 50.0]]
    # 4 of 10 people are exactly those at 100 m, and the 5th is the first beyond
    assert quantiles(walks, people, code, at=(0.4, 0.41)) == [[100.0, 50.0], [200.0, 50.0]]
    # 0.7 of 10 is 7.000000000000001 in the computer: the 7th person, not the 8th
    tenths = quantiles([float(n) for n in range(10)], [1] * 10, [0] * 10, at=(0.7, 1.0))
    assert [part[0] for part in tenths] == [6.0, 9.0]


def test_who_reaches_nothing_is_beyond_everything_and_nobody_has_no_quantile() -> None:
    np.testing.assert_array_equal(quantiles([math.nan, 10], [5, 5], [0, 0]), [[10.0, math.nan], [math.nan] * 2])
    nobody = quantiles([10, 20], [0, 0], [0, 1])
    assert np.isnan(nobody).all()


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_quantiles_agree_with_a_list_of_people(data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 9))

    def drawn(values: st.SearchStrategy[Any]) -> list[Any]:
        return data.draw(st.lists(values, min_size=n, max_size=n))

    walks, people, code = (
        drawn(st.sampled_from([0.0, 5.5, 70.0, math.nan])),
        drawn(st.integers(0, 6)),
        drawn(st.integers(-1, 2)),
    )
    at = (data.draw(st.sampled_from([0.1, 0.25, 0.5])), data.draw(st.sampled_from([0.75, 0.9, 1.0])))
    metres, units = np.array(walks, dtype=float), units_of(code, 3)
    found = people_quantiles(metres, np.array(people, dtype=np.int64), units, at=at)
    across = units_of(drawn(st.integers(-1, 1)), 2)  # a second level that lies across
    cells, counts = Cells([across, units]), np.array(people, dtype=np.int64)
    totals = [across.total(counts), units.total(counts)]
    both = walk_quantiles(hundredths(metres), counts, cells, np.concatenate(totals), at=at)
    ordered = [by_level[1] for by_level in both]
    np.testing.assert_array_equal([q[0] for q in both], people_quantiles(metres, counts, across, at=at))
    for unit in range(3):
        mine = sorted(
            (math.inf if math.isnan(w) else w)
            for w, number, home in zip(walks, people, code, strict=True)
            for _ in range(number)
            if home == unit
        )
        for share, told, again in zip(at, found, ordered, strict=True):
            wanted = mine[math.ceil(share * len(mine) - 1e-9) - 1] if mine else math.inf
            assert told[unit] == pytest.approx(math.nan if math.isinf(wanted) else wanted, nan_ok=True)
            assert again[unit] == pytest.approx(told[unit], nan_ok=True)


@given(st.lists(st.tuples(st.integers(-1, 2), st.integers(-1, 1), st.integers(0, 6), st.booleans()), max_size=12))
@settings(max_examples=60, deadline=None)
def test_sums_by_cells_are_those_of_every_level(homes: list[tuple[int, int, int, bool]]) -> None:
    a, b, people, chosen = (list(column) for column in zip(*homes, strict=True)) if homes else ([], [], [], [])
    levels, weight, where = (
        [units_of(a, 3), units_of(b, 2)],
        np.array(people, dtype=np.int64),
        np.array(chosen, dtype=bool),
    )
    cells = Cells(levels)
    for got, units in zip(cells.total(weight), levels, strict=True):
        np.testing.assert_array_equal(got, units.total(weight))
    for got, units in zip(cells.total(weight, where), levels, strict=True):
        np.testing.assert_array_equal(got, units.total(weight, where))
