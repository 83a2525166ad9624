"""Estates and areas: each is counted by the homes inside it, whatever else lies over it."""

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

from livingcircle.overlays import Overlay
from livingcircle.result import ScanResult
from livingcircle.scan import scan
from towns import CRS, Town, rectangle, study_of, write_communities

#   a street from west to east; the shop stands at s, homes live on it
STREET = """
    a-------------------------b-------------------------c
"""  # a = 0, b = 260, c = 520 metres
WALK = {"id": "shop", "services": ["supermarket"], "metric": "walk_m", "threshold": 100}
#    40 people at 10 m, 60 at 200 m, 100 at 300 m; the shop at 260 m serves 160 of them within 100 m
PEOPLE = [(10, 0, 40), (200, 0, 60), (300, 0, 100)]
AREAS = {
    "all": (-50.0, -50.0, 700.0, 100.0),
    "east": (250.0, -50.0, 400.0, 100.0),
    "west": (-50.0, -50.0, 270.0, 100.0),
    "empty": (400.0, -50.0, 50.0, 100.0),
    "beyond": (250.0, -50.0, 60.0, 3000.0),
}


def result_with(folder: Path, town: Town | None = None, **study: Any) -> ScanResult:
    town = town or Town(STREET).way("abc")
    town.node(260, 0, shop="supermarket", name="S")
    communities = {"w": (-100.0, -100.0, 350.0, 200.0), "e": (250.0, -100.0, 600.0, 200.0)}
    return scan(study_of(folder, town, people=PEOPLE, rules=[WALK], communities=communities, **study))


def rows(table: pd.DataFrame, level: str) -> pd.DataFrame:
    return table[table["level"] == level].set_index("unit_id")


def test_areas_count_the_people_inside_each(tmp_path: Path) -> None:
    areas = write_communities(tmp_path / "areas.geojson", AREAS, name={"all": "Everything"})
    result = result_with(tmp_path, areas={"file": areas})
    found = rows(result.coverage, "area")
    assert list(found.index) == sorted(AREAS)
    assert found["demand"].to_dict() == {"all": 200, "beyond": 100, "east": 100, "empty": 0, "west": 100}
    assert found["covered"].fillna(-1).to_dict() == {"all": 160, "beyond": 100, "east": 100, "empty": -1, "west": 60}
    assert found["facilities"].to_dict() == {"all": 1, "beyond": 1, "east": 1, "empty": 0, "west": 0}
    assert found.loc["empty", "status"] == "no_demand"
    assert found.loc["all", "unit_name"] == "Everything"
    scores = rows(result.scores, "area")
    assert scores["score"].round(6).fillna(-1).to_dict() == {
        "all": 80, "beyond": 100, "east": 100, "empty": -1, "west": 60,
    }  # fmt: skip
    assert scores["unit_complete"].to_dict() == {
        "all": True,
        "beyond": False,
        "east": True,
        "empty": True,
        "west": True,
    }


def test_areas_change_nothing_else(tmp_path: Path) -> None:
    areas = write_communities(tmp_path / "areas.geojson", AREAS)
    with_areas = result_with(tmp_path, areas={"file": areas})
    without = result_with(tmp_path)
    for name in ("coverage", "scores"):
        table = getattr(with_areas, name)
        pd.testing.assert_frame_equal(
            table[table["level"] != "area"].reset_index(drop=True), getattr(without, name), check_dtype=False
        )


def test_an_area_beyond_the_communities_is_told(tmp_path: Path) -> None:
    areas = write_communities(tmp_path / "areas.geojson", AREAS)
    result = result_with(tmp_path, areas={"file": areas})
    # 60 by 3,000 m, of which 150 m lie in the communities: 95 % outside
    told = [w for w in result.run["warnings"] if "reach beyond" in w]
    assert told == [
        "areas.geojson: 1 of 5 areas reach beyond the communities, where nobody is counted: beyond (95%)"
    ]  # fmt: skip


def test_estates_of_openstreetmap_are_a_level_when_asked(tmp_path: Path) -> None:
    town = Town(STREET).way("abc")
    town.box(-20, -20, 120, 40, landuse="residential", name="金苑").box(190, -20, 50, 40, landuse="residential")
    result = result_with(tmp_path, town, estates={"level": True})
    found = rows(result.coverage, "estate")
    assert found["unit_name"].tolist() == ["金苑", found.index[1]]
    assert found["demand"].tolist() == [40, 60]
    assert found["covered"].tolist() == [0, 60]
    assert "estate" not in set(result_with(tmp_path, town).coverage["level"])


def test_estates_of_a_file_are_counted_gated_or_open(tmp_path: Path) -> None:
    features = [
        {"type": "Feature", "properties": {"name": n, "gated": g}, "geometry": rectangle(x, -20, 40, 40)}
        for n, g, x in (("A", "no", 0), ("B", "no", 190))
    ]
    file = tmp_path / "estates.geojson"
    gpd.GeoDataFrame.from_features(features, crs=4326).to_file(file)
    result = result_with(tmp_path, estates={"file": file, "level": True})
    found = rows(result.coverage, "estate")
    assert found["unit_name"].to_dict() == {"estates.geojson:1": "A", "estates.geojson:2": "B"}
    assert found["demand"].tolist() == [40, 60]


def test_only_lists_no_areas(tmp_path: Path) -> None:
    areas = write_communities(tmp_path / "areas.geojson", AREAS)
    town = Town(STREET).way("abc").node(260, 0, shop="supermarket", name="S")
    study = study_of(tmp_path, town, people=PEOPLE, rules=[WALK], areas={"file": areas})
    assert set(scan(study, only=["u"]).scores["level"]) == {"community", "city"}


BOXES = st.lists(
    st.tuples(*(st.integers(0, 9) for _ in range(2)), *(st.integers(1, 5) for _ in range(2))), min_size=1, max_size=9
)


@given(BOXES, st.lists(st.tuples(st.integers(0, 28), st.integers(0, 28)), max_size=15))
def test_every_unit_holds_what_lies_in_it(boxes: list[Any], places: list[Any]) -> None:
    shapes = np.array([shapely.box(x, y, x + w, y + h) for x, y, w, h in boxes], dtype=object)
    index = pd.Index([f"{k:02d}" for k in range(len(shapes))], name="unit_id", dtype="str")
    frame = gpd.GeoDataFrame({"unit_name": index, "unit_type": ""}, geometry=shapes, crs=CRS, index=index)
    overlay = Overlay.of("area", frame, gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 5, 20)], crs=CRS))
    points = np.array([shapely.Point(x / 2, y / 2) for x, y in places], dtype=object)  # also on borders
    lost = gpd.GeoSeries(points, crs=CRS), pd.Series(np.full(len(points), 3), dtype="int64")
    found = overlay.levels(points, *lost)
    counts = {i: int(n) for units in found for i, n in zip(units.ids, units.total(np.ones(len(points))), strict=True)}
    told = {i: int(n) for units in found for i, n in zip(units.ids, units.not_placed, strict=True)}
    expected = {i: sum(shape.intersects(p) for p in points) for i, shape in zip(index, shapes, strict=True)}
    assert counts == expected
    assert told == {i: 3 * n for i, n in expected.items()}
    assert len({units.key for units in found}) == len(found)
    inside = [shape.intersection(shapely.box(0, 0, 5, 20)).area / shape.area for shape in shapes]
    assert overlay.within == pytest.approx(inside)
