"""A city of a few streets that is scanned within a second, in four tiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from livingcircle.study import Study
from towns import Town, study_of

CSV_FILES = (
    "coverage.csv", "scores.csv", "score_histogram.csv", "gaps.csv", "false_coverage.csv", "fairness.csv",
    "distances.csv", "unplaced.csv", "facility_changes.csv", "additions.csv",
)  # fmt: skip
RULES = [
    {"id": "shop", "services": ["supermarket"], "threshold": 300, "threshold_unit": "m"},
    {"id": "clinic", "services": ["clinic"], "threshold": 500, "threshold_unit": "m"},
    {"id": "park", "services": ["park"], "metric": "radius", "threshold": 500, "threshold_unit": "m"},
]


def small_town() -> Town:
    """Return 5 × 5 crossings, 200 m apart, around the origin of the plane, with a shop, a clinic and a park."""
    rows = ("abcde", "fghij", "klmno", "pqrst", "uvwxy")
    town = Town("\n".join("-".join(row) for row in rows), dx=100, dy=200, at=(-400, -400))
    for street in (*rows, *("".join(column) for column in zip(*rows, strict=True))):
        town.way(street)
    return (
        town.node(190, 10, shop="supermarket")
        .node(-310, -210, amenity="clinic")
        .box(250, 250, 100, 100, leisure="park")
    )


def small_study(folder: Path, **study: Any) -> Study:
    """Write the city into a folder and return its study."""
    folder.mkdir(parents=True, exist_ok=True)
    people = [(x, y, 10 + (x + y + 800) // 100) for x in range(-350, 400, 100) for y in range(-390, 400, 200)]
    units = {"w": (-500.0, -500.0, 500.0, 1000.0), "e": (0.0, -500.0, 500.0, 1000.0)}
    settings = {"candidates": {"top": 1}, **study}
    return study_of(folder, small_town(), people=people, rules=RULES, communities=units, **settings)
