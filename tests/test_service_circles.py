"""Circles of a service: each place's own, the whole, and the ground shared out among the places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from livingcircle.circles import CELL_M, CircleGrid, circles
from livingcircle.joins import Joiner
from livingcircle.measured import Measured
from livingcircle.network import WalkNetwork
from livingcircle.service_circles import nearest_parts, service_circles
from livingcircle_layers.errors import UsageError
from test_circles import BLOCK_EDGES, BLOCKS, NO_BARRIERS, SMALL, networks
from towns import streets_of


def shared_out(streets: Any, xy: Any, limits: list[float], **options: Any) -> tuple[Any, Any]:
    """Return the parts of places and their whole."""
    grid, joins = CircleGrid(WalkNetwork(streets)), Joiner(streets, NO_BARRIERS).join(xy)
    whole = circles(grid, xy, joins, limits=limits, merge=True)
    return nearest_parts(grid, xy, joins, limits=limits, **options), whole


def test_two_places_on_a_street_share_it_in_the_middle() -> None:
    parts, whole = shared_out(streets_of([(0, 0), (1000, 0)], [(0, 1)]), np.array([[200.0, 0], [600.0, 0]]), [300.0])
    west, east = parts.geometry
    assert west.bounds[2] == pytest.approx(400, abs=CELL_M)
    assert east.bounds[0] == pytest.approx(400, abs=CELL_M)
    assert west.area + east.area == pytest.approx(whole.geometry.iloc[0].area)


def test_places_away_from_every_street_have_no_part() -> None:
    parts, whole = shared_out(streets_of([(0, 0), (1000, 0)], [(0, 1)]), np.array([[0.0, 9000.0]]), [300.0])
    assert len(parts) == 0
    assert whole.geometry.is_empty.all()


PLACES = st.lists(st.tuples(st.floats(0, 400), st.floats(0, 400)), min_size=1, max_size=5)


@SMALL
@given(networks(), PLACES)
def test_the_parts_do_not_overlap_and_sum_to_the_whole(drawn: Any, places: Any) -> None:
    nodes, edges, kinds = drawn
    streets, xy = streets_of(nodes, edges, **kinds), np.array(places)
    if not Joiner(streets, NO_BARRIERS).join(xy).joined.any():
        return
    parts, whole = shared_out(streets, xy, [100.0, 250.0])
    for limit, circle in zip(whole["limit"], whole.geometry, strict=True):
        own = parts[parts["limit"] == limit].geometry.to_numpy()
        assert shapely.area(own).sum() == pytest.approx(circle.area, abs=1e-3)
        assert shapely.area(shapely.symmetric_difference(shapely.union_all(own), circle)) < 1e-3
    assert shapely.is_valid(parts.geometry.to_numpy()).all()


def test_the_doors_of_one_owner_have_one_part_and_one_circle() -> None:
    streets, xy = streets_of(BLOCKS, BLOCK_EDGES), np.array([[0.0, 0.0], [400.0, 200.0], [200.0, 0.0]])
    owner = np.array([7, 7, 3])
    parts, _ = shared_out(streets, xy, [150.0], owner=owner)
    assert parts["origin"].tolist() == [3, 7]
    joins = Joiner(streets, NO_BARRIERS).join(xy)
    grid = CircleGrid(WalkNetwork(streets))
    table = circles(grid, xy, joins, limits=[150.0], owner=owner, towards=True)
    assert table["origin"].tolist() == [3, 7]
    assert shapely.intersects_xy(table.geometry.iloc[1], [0, 400], [0, 200]).all()
    both = circles(grid, xy[:2], joins.take(np.array([0, 1])), limits=[150.0], merge=True)
    assert shapely.equals_exact(table.geometry.iloc[1], both.geometry.iloc[0])


def test_the_three_variants_of_a_service_of_the_demo_town(measured: Measured) -> None:
    each, whole, nearest = (
        service_circles(measured, "primary_school", metres=[500], variant=v) for v in ("each", "whole", "nearest")
    )
    assert each.columns.tolist() == ["facility_id", "metres", "walker", "geometry"]
    assert len(whole) == 1
    assert set(nearest["facility_id"]) <= set(each["facility_id"])
    area = shapely.area(whole.geometry.to_numpy()).sum()
    assert shapely.area(nearest.geometry.to_numpy()).sum() == pytest.approx(area, rel=1e-6)
    assert shapely.area(each.geometry.to_numpy()).sum() > area
    with pytest.raises(UsageError, match="there are no places of town_hall; expected one of"):
        service_circles(measured, "town_hall", minutes=[5])
    with pytest.raises(UsageError, match="minutes or metres"):
        service_circles(measured, "primary_school")
