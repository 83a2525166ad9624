"""Cells in the place of communities: where they lie, what they are called, that they tile."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from livingcircle_layers.errors import InputError
from livingcircle_layers.unit_grid import grid_units

POA = shapely.box(-51.25, -30.05, -51.20, -30.00)  # UTM zone 22 south
CHENGDU = shapely.box(104.00, 30.60, 104.06, 30.66)


def points(*lonlat: tuple[float, float]) -> np.ndarray:
    return shapely.points(np.array(lonlat, dtype=float))


def test_a_square_has_the_id_of_its_place() -> None:
    # PROJ puts -51.23, -30.03 at 477 821 m east, 6 677 770 m north in UTM 22S: column 955, row 13355 of 500 m.
    frame = grid_units(points((-51.23, -30.03)), POA, shape="grid", size_m=500).frame
    assert list(frame.index) == ["grid500-32722-00955-13355"]
    square = frame.to_crs(32722).geometry.iloc[0]
    assert np.allclose(square.bounds, (477500, 6677500, 478000, 6678000), atol=1e-3)
    assert frame["unit_type"].tolist() == frame["district"].tolist() == [""]
    assert frame["unit_name"].tolist() == list(frame.index)


def test_a_hexagon_is_as_wide_as_asked() -> None:
    frame = grid_units(points((104.03, 30.63)), CHENGDU, shape="hex", size_m=500).frame.to_crs(32648)
    west, south, east, north = frame.geometry.iloc[0].bounds
    assert east - west == pytest.approx(500, abs=1e-3)
    assert north - south == pytest.approx(1000 / 3**0.5, abs=1e-3)
    assert frame.geometry.iloc[0].area == pytest.approx(500**2 * 3**0.5 / 2, rel=1e-5)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["grid", "hex"]),
    st.sampled_from([200.0, 333.0, 500.0]),
    st.lists(st.tuples(st.floats(104.001, 104.059), st.floats(30.601, 30.659)), min_size=1, max_size=12),
    st.tuples(st.floats(104.001, 104.059), st.floats(30.601, 30.659)),
)
def test_cells_tile_hold_everybody_and_keep_their_ids(shape, size, places, more) -> None:  # type: ignore[no-untyped-def]
    alone = grid_units(points(*places), CHENGDU, shape=shape, size_m=size).frame
    # Everybody is in a cell, and nobody in two.
    inside = shapely.STRtree(alone.geometry.to_numpy()).query(points(*places), predicate="intersects")[0]
    assert set(inside) == set(range(len(places)))
    flat = alone.to_crs(32648).geometry.to_numpy()
    assert shapely.union_all(flat).area == pytest.approx(shapely.area(flat).sum(), rel=1e-9)
    # Another place and another extract add cells, and change none.
    wider = grid_units(points(more, *places), CHENGDU.buffer(0.01).envelope, shape=shape, size_m=size).frame
    assert set(alone.index) <= set(wider.index)
    assert wider.geometry.loc[alone.index].geom_equals(alone.geometry).all()


def test_neighbours_share_their_corners() -> None:
    frame = grid_units(np.array([CHENGDU]), CHENGDU, shape="hex", size_m=500).frame
    assert shapely.coverage_is_valid(frame.geometry.to_numpy())


def test_what_lies_outside_the_extract_makes_no_cell() -> None:
    land = np.array([shapely.box(104.05, 30.65, 104.2, 30.8)])
    frame = grid_units(land, CHENGDU, shape="grid", size_m=1000).frame
    assert frame.intersects(CHENGDU).all()
    assert len(frame) <= 9  # 0.96 km by 1.1 km of the land lies in the extract


@pytest.mark.parametrize(
    ("place", "size", "message"),
    [
        ((104.03, 30.63), 10.0, "cells of 10 m; expected 50 m or more"),
        ((116.0, 40.0), 500.0, "no ground to cover"),
    ],
)
def test_cells_that_make_no_sense(place: tuple[float, float], size: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        grid_units(points(place), CHENGDU, shape="grid", size_m=size)


def test_a_country_in_small_cells_is_refused() -> None:
    country = shapely.box(100, 25, 110, 35)
    with pytest.raises(InputError, match="too many cells"):
        grid_units(np.array([country]), country, shape="grid", size_m=100)


def test_the_frame_is_geographic() -> None:
    frame = grid_units(points((104.03, 30.63)), CHENGDU, shape="grid", size_m=500).frame
    assert isinstance(frame, gpd.GeoDataFrame)
    assert frame.crs.to_epsg() == 4326
