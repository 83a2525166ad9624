"""The demo town scanned and measured once for all tests of a process, and where things are in it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

import livingcircle as lc
from livingcircle.demo._plan import bend
from livingcircle.measured import Measured, measure
from livingcircle.result import ScanResult


@cache
def demo_result(gates: str = "respect") -> ScanResult:
    """Scan the demo town, with the gates of its estates respected, open or both."""
    return lc.scan(lc.demo_study().model_copy(update={"gates": gates}))


@cache
def demo_measured() -> Measured:
    """Measure the demo town; nothing that is asked of it changes it."""
    return measure(lc.demo_study())


def metres(u: float, v: float) -> tuple[float, float]:
    """Return a grid position of the town in its metric plane."""
    x, y = bend(np.array([[u, v]]))[0]
    return float(x), float(y)


def row(unit_name: str, rule: str, result: ScanResult | None = None) -> pd.Series:
    """Return the one row of coverage of a unit and a rule."""
    table = (result or demo_result()).coverage
    found = table[(table["unit_name"] == unit_name) & (table["rule"] == rule)]
    assert len(found) == 1, f"{len(found)} rows of {unit_name} and {rule}"
    return found.iloc[0]


def home(u: float, v: float, people: int) -> pd.Series:
    """Return the home that stands at a grid position, to 5 cm."""
    homes = demo_result().homes
    x, y = metres(u, v)
    away = np.hypot(homes["x"] - x, homes["y"] - y)
    found = homes[(away < 0.05) & (homes["people"] == people)]
    assert len(found) == 1, f"{len(found)} homes of {people} people at {u}, {v}; the nearest is {away.min():.2f} m away"
    return found.iloc[0]
