"""Who goes without is the same number in every table, report and chart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from livingcircle.missed import counts_people, people_without


def test_only_people_of_known_layers_go_without() -> None:
    table = pd.DataFrame(
        [
            ("people", "ok", 10, 4.0, 6.0),
            ("people", "incomplete", 10, 10.0, 0.0),
            ("people", "no_data", 10, np.nan, np.nan),
            ("people", "not_applicable", 10, 3.0, np.nan),
            ("people", "ok", 10, np.nan, np.nan),  # a small count that is not published
            ("residential_land", "ok", 900, 100.0, np.nan),
            ("households", "ok", 9, 1.0, np.nan),
            ("", "ok", np.nan, np.nan, np.nan),
        ],
        columns=["denominator", "status", "demand", "covered", "expected"],
    )
    assert counts_people(table).tolist() == [True, True, *[False] * 6]
    pd.testing.assert_series_equal(people_without(table), table["expected"], check_names=False)
