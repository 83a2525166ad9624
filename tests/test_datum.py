"""Chinese web-map coordinates against the figures of the standards page (12.1)."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from livingcircle_layers import crs
from livingcircle_layers.crs import WGS84, metric_crs, reprojected
from livingcircle_layers.datum import Datum, bd09_from_wgs84, gcj02_from_wgs84, to_wgs84

TIANFU_SQUARE = np.array([[104.0657, 30.6595]])
GEOD = Geod(ellps="WGS84")


def metres(a: np.ndarray, b: np.ndarray) -> float:
    return float(GEOD.inv(*a[0], *b[0])[2])


def test_offsets_at_tianfu_square() -> None:
    gcj02, bd09 = gcj02_from_wgs84(TIANFU_SQUARE), bd09_from_wgs84(TIANFU_SQUARE)
    assert metres(TIANFU_SQUARE, gcj02) == pytest.approx(361, abs=1)
    assert metres(TIANFU_SQUARE, bd09) == pytest.approx(950, abs=2)
    assert metres(gcj02, bd09) == pytest.approx(914, abs=2)


@pytest.mark.parametrize(("datum", "shift"), [("gcj02", gcj02_from_wgs84), ("bd09", bd09_from_wgs84)])
@given(lon=st.floats(73.6, 135.0), lat=st.floats(18.2, 53.5))
@settings(max_examples=100, deadline=None)
def test_the_way_back_is_exact_to_a_millimetre(datum: Datum, shift: object, lon: float, lat: float) -> None:
    there = np.array([[lon, lat]])
    back = shapely.get_coordinates(to_wgs84(shapely.points(shift(there)), datum))  # type: ignore[operator]
    assert metres(there, back) < 0.001


@pytest.mark.parametrize("datum", ["wgs84", "cgcs2000"])
def test_other_datums_stay(datum: Datum) -> None:
    point = np.array([shapely.Point(104.0, 30.6)])
    assert to_wgs84(point, datum) is point


def test_threads_leave_every_shape_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = metric_crs((104.0, 30.5, 104.2, 30.7))
    rng = np.random.default_rng(3)
    shapes = np.array([shapely.Point(*xy).buffer(20, 4) for xy in rng.uniform(-5000, 5000, (50, 2))], dtype=object)
    shapes[7], shapes[8] = None, shapely.Polygon()
    alone = reprojected(shapes, plane, WGS84)
    monkeypatch.setattr(crs, "WORTH_THREADS", 100)
    together = reprojected(shapes, plane, WGS84)
    assert shapely.to_wkb(together).tolist() == shapely.to_wkb(alone).tolist()
    assert together[7] is None
    assert shapely.is_empty(together[8])
