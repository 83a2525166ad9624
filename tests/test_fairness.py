"""How evenly services are spread over people: known answers, and what must hold of any distribution."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_scans import demo_result
from livingcircle.fairness import fairness_table, gini, lorenz, worst_mean

distributions = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 500)), min_size=1, max_size=8)


def gini_of_pairs(k: list[int], people: list[int]) -> float:
    """The definition: the mean difference of all pairs of people, over twice the mean."""
    each = np.repeat(k, people).astype(float)
    return sum(abs(a - b) for a, b in product(each, each)) / len(each) ** 2 / 2 / each.mean()


def test_gini_of_four_people() -> None:
    # 1, 2, 3, 4: differences of all 16 ordered pairs add up to 2 · (1+2+3+1+2+1) = 20; 20 / 16 / 2 / 2.5 = 0.25.
    assert gini([1, 2, 3, 4], [1, 1, 1, 1]) == pytest.approx(0.25)
    assert gini([7], [30]) == pytest.approx(0.0)
    assert np.isnan(gini([0], [30]))  # nobody reaches anything: there is nothing to be shared


def test_gini_is_the_mean_difference_of_pairs() -> None:
    assert gini([0, 3, 5, 9], [4, 7, 2, 6]) == pytest.approx(gini_of_pairs([0, 3, 5, 9], [4, 7, 2, 6]))


def test_lorenz_curve() -> None:
    # 10 people reach 1 and 10 reach 3: the poorer half has 10 of 40.
    people, services = lorenz([3, 1], [10, 10])
    assert people.tolist() == [0.0, 0.5, 1.0]
    assert services.tolist() == [0.0, 0.25, 1.0]


def test_worst_tenth_takes_people_in_part() -> None:
    # 25 people: a tenth is 2.5 of them. Two reach 1 service, the next reach 5: (2 · 1 + 0.5 · 5) / 2.5 = 1.8.
    assert worst_mean([5, 1, 6], [3, 2, 20]) == pytest.approx(1.8)
    assert np.isnan(worst_mean([3], [0]))


@given(distributions)
def test_what_holds_of_any_distribution(pairs: list[tuple[int, int]]) -> None:
    k, people = (list(column) for column in zip(*pairs, strict=True))
    value = gini(k, people)
    if sum(a * b for a, b in pairs) == 0:
        assert np.isnan(value)
        return
    assert -1e-12 <= value < 1
    assert gini(k[::-1], people[::-1]) == pytest.approx(value)  # order is nothing
    assert gini([3 * number for number in k], people) == pytest.approx(value)  # nor is the unit
    share_of_people, share_of_k = lorenz(k, people)
    assert (share_of_k <= share_of_people + 1e-12).all()  # the poorer never have more than their part
    mean = np.average(k, weights=people)
    assert worst_mean(k, people) <= mean + 1e-9


def test_old_people_stand_beside_all() -> None:
    histogram = pd.DataFrame(
        {
            "level": "community",
            "unit_id": "a",
            "group": ["all", "all", "age_60_up", "age_60_up"],
            "k": [0, 2, 0, 2],
            "people": [50, 50, 30, 10],
        }
    )
    names = pd.DataFrame({"level": ["community"], "unit_id": ["a"], "unit_name": ["示意"]})
    table = fairness_table(histogram, names).set_index("group")
    assert table["k_mean"].to_dict() == {"all": 1.0, "age_60_up": 0.5}
    assert table["k_difference"].to_dict() == {"all": 0.0, "age_60_up": -0.5}
    assert table["gini"].to_dict() == {"all": 0.5, "age_60_up": 0.75}
    assert table["worst_tenth_k"].to_dict() == {"all": 0.0, "age_60_up": 0.0}


def test_the_demo_town_tells_of_all_groups_and_levels() -> None:
    result = demo_result()
    assert result.fairness is not None
    city = result.fairness.query("level == 'city'").set_index("group")
    assert {"all", "age_60_up", "age_6_12"} <= set(city.index)
    scored = result.scores.set_index(["level", "unit_id"])["k_mean"]
    for row in result.fairness.query("group == 'all'").itertuples():
        assert row.k_mean == pytest.approx(scored[row.level, row.unit_id])
    assert set(result.fairness["level"]) == {"community", "subdistrict", "district", "city"}
