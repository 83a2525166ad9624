"""Heights along streets: slopes from an elevation model, and streets that are cut without changing their lengths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from rasterio import Affine

from livingcircle.joins import Joins
from livingcircle.network import WalkNetwork
from livingcircle.walkers import Walker
from livingcircle_layers.crs import WGS84
from livingcircle_layers.cuts import split_edges, with_paths, without_edges
from livingcircle_layers.errors import InputError
from livingcircle_layers.relief import FLAT_SHARE, PIECE_M, drape, height_notes, sample_heights, share_without_height
from livingcircle_layers.streets import Streets
from towns import CRS, LAT, LON, streets_of

Floats = npt.NDArray[np.float64]
STEP = 0.0001  # degrees: cells of about 10 m
ONE = Walker(name="one", speed_m_s=1.0)


def write_dem(
    path: Path,
    height: Callable[[Floats, Floats], Any],
    *,
    cells: int = 300,
    crs: str | None = "EPSG:4326",
    lon: float = LON,
    lat: float = LAT,
) -> Path:
    """Write heights, given by metres from (LON, LAT), on a square around a place."""
    west, north = lon - cells / 2 * STEP, lat + cells / 2 * STEP
    x, y = np.meshgrid(west + (np.arange(cells) + 0.5) * STEP, north - (np.arange(cells) + 0.5) * STEP)
    metres = Transformer.from_crs(WGS84, CRS, always_xy=True)
    values = np.asarray(height(*metres.transform(x, y)), dtype="float32")
    with rasterio.open(path, "w", driver="GTiff", width=cells, height=cells, count=1, dtype="float32", crs=crs,
                       transform=Affine(STEP, 0, west, 0, -STEP, north), nodata=-9999) as raster:  # fmt: skip
        raster.write(values, 1)
    return path


def seconds(streets: Streets, start: tuple[int, float], end: tuple[int, float]) -> float:
    """Return the walk between the first vertex of one street and the last of another, in seconds at 1 m/s."""

    def join(edge: int, share: float) -> Joins:
        return Joins(np.array([edge]), np.array([share]), np.zeros(1), np.array([""], dtype=object))

    walk = WalkNetwork(streets).walk(ONE, unit="s")
    return float(walk.nearest(join(*start), join(*end), limit=1e6)[0][0])


def ends(streets: Streets) -> tuple[tuple[int, float], tuple[int, float]]:
    """Return the west and the east end of a draped street that runs along x."""
    west, east = int(np.argmin(streets.node_xy[:, 0])), int(np.argmax(streets.node_xy[:, 0]))

    def at(node: int) -> tuple[int, float]:
        tail = np.flatnonzero(streets.tail == node)
        return (int(tail[0]), 0.0) if len(tail) else (int(np.flatnonzero(streets.head == node)[0]), 1.0)

    return at(west), at(east)


# -- slopes ------------------------------------------------------------------------------------------------------------

LONG = streets_of([(0, 0), (600, 0)], [(0, 1)])


def test_heights_are_those_of_the_model(tmp_path: Path) -> None:
    # A plane that rises 10 % to the east and 5 % to the north: between cell centres it is interpolated exactly.
    dem = write_dem(tmp_path / "dem.tif", lambda x, y: 500 + 0.1 * x + 0.05 * y)
    xy = np.array([[0.0, 0.0], [333.0, -21.0], [-120.5, 250.0]])
    assert sample_heights(dem, xy, CRS) == pytest.approx([500, 532.25, 500.45], abs=0.01)


def test_a_long_street_over_a_ridge_costs_more_than_a_flat_one(tmp_path: Path) -> None:
    # Both ends are level; the ridge in the middle is 30 m high: 300 m up at 10 %, 300 m down at 10 %.
    ridge = drape(LONG, write_dem(tmp_path / "ridge.tif", lambda x, y: 530 - 0.1 * np.abs(x - 300)))
    flat = drape(LONG, write_dem(tmp_path / "flat.tif", lambda x, y: 530 + 0 * x))
    west, east = ends(ridge)
    assert seconds(flat, *ends(flat)) == pytest.approx(600)
    over = 300 / np.exp(-0.35) + 300 / 1.0  # up at +10 %: 0.70, down at -10 %: 1.00
    assert over == pytest.approx(725.7, abs=0.1)
    # The same from both sides; between the model's cells of 10 m the crest is a little lower than 530 m.
    assert seconds(ridge, west, east) == pytest.approx(over, rel=0.01)
    assert seconds(ridge, east, west) == pytest.approx(over, rel=0.01)


def test_home_to_facility_up_the_hill_is_slower_than_down(tmp_path: Path) -> None:
    hill = drape(LONG, write_dem(tmp_path / "hill.tif", lambda x, y: 500 + 0.1 * x))
    west, east = ends(hill)
    assert seconds(hill, west, east) == pytest.approx(600 / np.exp(-0.35), rel=1e-3)  # the facility is on the hill
    assert seconds(hill, east, west) == pytest.approx(600 / 1.0, rel=1e-3)


def test_a_bridge_does_not_dive_into_its_valley(tmp_path: Path) -> None:
    # 0 ──100── 1 ══200══ 2 ──100── 3: the bridge spans a valley 40 m deep between level banks
    spans = streets_of([(0, 0), (100, 0), (300, 0), (400, 0)], [(0, 1), (1, 2), (2, 3)], raised=[1])
    dem = write_dem(tmp_path / "v.tif", lambda x, y: np.where((x > 110) & (x < 290), 460.0, 500.0))
    over = drape(spans, dem)
    assert over.height_m is not None
    assert over.height_m == pytest.approx(np.full(len(over.node_id), 500.0), abs=0.01)
    assert seconds(over, *ends(over)) == pytest.approx(400, abs=0.01)
    through = drape(streets_of([(0, 0), (100, 0), (300, 0), (400, 0)], [(0, 1), (1, 2), (2, 3)]), dem)
    assert seconds(through, *ends(through)) > 500  # the street that does go down


def test_a_bridge_between_banks_of_two_heights_rises_evenly(tmp_path: Path) -> None:
    spans = streets_of([(0, 0), (100, 0), (300, 0), (400, 0)], [(0, 1), (1, 2), (2, 3)], raised=[1])
    dem = write_dem(tmp_path / "v.tif", lambda x, y: np.where(x < 120, 500.0, np.where(x > 280, 510.0, 400.0)))
    over = drape(spans, dem)
    assert over.height_m is not None
    on_bridge = (over.node_xy[:, 0] >= 100) & (over.node_xy[:, 0] <= 300)
    x = over.node_xy[on_bridge, 0]
    assert over.height_m[on_bridge] == pytest.approx(500 + 10 * (x - 100) / 200, abs=0.01)


def test_a_bridge_of_several_streets_rises_evenly_too(tmp_path: Path) -> None:
    # The bridge from 100 to 300 is three streets, as where its name or its lanes change:
    # 0 ── 1 ══ 2 ══ 3 ══ 4 ── 5 at x = 0, 100, 150, 220, 300, 400. Banks at 500 and 510 m, the valley at 400 m.
    x = np.array([0.0, 100, 150, 220, 300, 400])
    pairs = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
    spans = streets_of([(v, 0) for v in x], pairs, raised=[1, 2, 3])
    dem = write_dem(tmp_path / "v.tif", lambda x, y: np.where(x < 120, 500.0, np.where(x > 280, 510.0, 400.0)))
    over = drape(spans, dem)
    assert over.height_m is not None
    at = over.node_xy[:, 0]
    assert over.height_m == pytest.approx(np.clip(500 + 10 * (at - 100) / 200, 500, 510), abs=0.01)
    # One street of the bridge on the ground again, such as an island in the river, goes down to it.
    down = drape(replace(spans, raised=np.array([False, True, False, True, False])), dem)
    assert down.height_m is not None
    assert down.height_m[down.node_xy[:, 0] == 150].tolist() == pytest.approx([400.0], abs=0.01)


def test_a_bridge_with_an_unknown_end_and_one_without_an_end(tmp_path: Path) -> None:
    # Beyond x = 280 nothing is known. A raised ring hangs on nothing and keeps the heights of the model.
    spans = streets_of(
        [(-400, 0), (100, 0), (200, 0), (300, 0), (0, 50), (40, 50), (20, 80)],
        [(0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 4)],
        raised=[1, 2, 3, 4, 5],
    )
    over = drape(spans, write_dem(tmp_path / "v.tif", lambda x, y: np.where(x > 280, -9999.0, 500.0)))
    assert over.height_m is not None
    at = over.node_xy[:, 0]
    assert np.isnan(over.height_m[at > 100.1]).all()
    assert over.height_m[at <= 100.1] == pytest.approx(np.full((at <= 100.1).sum(), 500.0), abs=0.01)


def test_gaps_of_the_model_count_as_flat(tmp_path: Path) -> None:
    # Nodata from x = 200 to 320: those pieces have no height; the rest climbs 10 %.
    dem = write_dem(tmp_path / "gap.tif", lambda x, y: np.where((x > 200) & (x < 320), -9999, 500 + 0.1 * x))
    streets = drape(LONG, dem)
    assert streets.height_m is not None
    unknown = np.isnan(streets.height_m)
    assert 0 < unknown.sum() < 8
    assert ((streets.node_xy[unknown, 0] > 180) & (streets.node_xy[unknown, 0] < 340)).all()
    took = seconds(streets, *ends(streets))
    assert 600 < took < 600 / np.exp(-0.35)


def test_a_model_of_another_place_is_refused(tmp_path: Path) -> None:
    dem = write_dem(tmp_path / "beijing.tif", lambda x, y: 50 + 0 * x, lon=116.4, lat=39.9)
    with pytest.raises(InputError, match=r"beijing\.tif does not cover the streets.*100%.*larger raster"):
        drape(LONG, dem)


@pytest.mark.parametrize(("known_to_m", "missing"), [(600.0, 0.0), (420.0, 0.3), (330.0, 0.45), (240.0, 0.6)])
def test_a_model_that_misses_part_of_the_streets(tmp_path: Path, known_to_m: float, missing: float) -> None:
    # 20 streets of 30 m, the model knows the ground in the west only: a piece is flat where one end has no height.
    dem = write_dem(tmp_path / "part.tif", lambda x, y: np.where(x > known_to_m + 20, -9999, 500.0))
    if missing > FLAT_SHARE:
        with pytest.raises(InputError, match=r"part\.tif does not cover.*no heights for 60%.*larger raster"):
            drape(LONG, dem)
        return
    share = share_without_height(drape(LONG, dem))
    assert share == pytest.approx(missing, abs=0.06)  # a cell of 10 m and a piece of 30 m at the border
    assert height_notes(drape(LONG, dem)) == (
        [f"{share:.1%} of the street length has no height in the elevation model and counts as flat"] if missing else []
    )


def test_a_long_street_without_heights_weighs_more_than_short_ones(tmp_path: Path) -> None:
    # One long street of 3,000 m beyond the model, and 40 streets of 5 m on it: most points have heights, little length.
    places = [(5.0 * i, 0.0) for i in range(41)] + [(3200.0, 0.0)]
    streets = streets_of(places, [(i, i + 1) for i in range(41)])
    dem = write_dem(tmp_path / "near.tif", lambda x, y: np.where(x > 260, -9999, 500.0))
    with pytest.raises(InputError, match=r"no heights for 9\d% of the street length"):
        drape(streets, dem)


def test_a_model_with_nothing_but_gaps_is_refused(tmp_path: Path) -> None:
    dem = write_dem(tmp_path / "void.tif", lambda x, y: -9999 + 0 * x)
    with pytest.raises(InputError, match=r"void\.tif does not cover the streets"):
        drape(LONG, dem)


def test_models_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="elevation model not found"):
        drape(LONG, tmp_path / "none.tif")
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(InputError, match=r"text\.tif cannot be parsed.*expected a GeoTIFF of heights"):
        drape(LONG, tmp_path / "text.tif")
    with pytest.raises(InputError, match=r"bare\.tif has no CRS"):
        drape(LONG, write_dem(tmp_path / "bare.tif", lambda x, y: 0 * x, crs=None))


def test_draping_keeps_streets_as_long_as_they_were(tmp_path: Path) -> None:
    bent = streets_of([(0, 0), (200, 90)], [(0, 1)], via={0: [(70, 0), (70, 90)]})
    draped = drape(bent, write_dem(tmp_path / "dem.tif", lambda x, y: 500 + 0.1 * x))
    assert draped.length_m.sum() == pytest.approx(70 + 90 + 130)
    assert draped.length_m.max() <= PIECE_M + 1e-9
    assert shapely.line_merge(shapely.multilinestrings(draped.lines)).equals(bent.lines[0])
    assert draped.height_m is not None
    assert bent.height_m is None  # a new value; the old one is as it was


# -- cutting streets ---------------------------------------------------------------------------------------------------


@st.composite
def cut_streets(draw: st.DrawFn) -> tuple[Streets, npt.NDArray[np.int64], Floats]:
    """Return a few bent streets and places to cut them, ends and repetitions among them."""
    n = draw(st.integers(2, 6))
    places = draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=n, max_size=n, unique=True))
    pairs = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] != p[1]),
                          min_size=1, max_size=6))  # fmt: skip
    via = draw(st.dictionaries(st.integers(0, len(pairs) - 1),
                               st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), max_size=3)))  # fmt: skip
    streets = streets_of(places, pairs, via=via, height_m=[float(i) for i in range(n)])
    cuts = draw(st.lists(st.tuples(st.integers(0, len(pairs) - 1), st.sampled_from((0.0, 0.25, 0.5, 1.0)) |
                                   st.floats(0.01, 0.99)), max_size=8))  # fmt: skip
    edge = np.array([c[0] for c in cuts], dtype=np.int64)
    return streets, edge, np.array([c[1] for c in cuts], dtype=float)


@settings(max_examples=80, deadline=None)
@given(cut_streets())
def test_cuts_keep_lengths_and_lie_where_they_were_asked_for(
    given_: tuple[Streets, npt.NDArray[np.int64], Floats],
) -> None:
    streets, edge, share = given_
    cut, node = split_edges(streets, edge, share)
    per_way = np.bincount(cut.way_id, weights=cut.length_m, minlength=len(streets.tail) + 1)
    assert per_way[streets.way_id] == pytest.approx(streets.length_m)
    assert shapely.length(cut.lines) == pytest.approx(cut.length_m, abs=1e-6)
    wanted = shapely.line_interpolate_point(streets.lines[edge], share, normalized=True)
    assert shapely.distance(shapely.points(cut.node_xy[node]), wanted) == pytest.approx(np.zeros(len(edge)), abs=1e-6)
    # Every street begins and ends at the nodes that it names, old nodes stay, and new ids are below all others.
    assert cut.coords[cut.offsets[:-1]] == pytest.approx(cut.node_xy[cut.tail], abs=1e-6)
    assert cut.coords[cut.offsets[1:] - 1] == pytest.approx(cut.node_xy[cut.head], abs=1e-6)
    n = len(streets.node_id)
    assert (cut.node_id[:n] == streets.node_id).all()
    assert len(np.unique(cut.node_id)) == len(cut.node_id)
    assert (cut.node_id[n:] < 0).all()
    assert cut.height_m is not None
    assert streets.height_m is not None
    between = (1 - share) * streets.height_m[streets.tail[edge]] + share * streets.height_m[streets.head[edge]]
    assert cut.height_m[node] == pytest.approx(between)


def test_a_cut_at_an_end_is_that_end() -> None:
    streets = streets_of([(0, 0), (100, 0)], [(0, 1)])
    cut, node = split_edges(streets, np.array([0, 0, 0]), np.array([0.0, 1.0, 0.4]))
    assert node.tolist() == [0, 1, 2]
    assert cut.length_m.tolist() == [40, 60]
    assert split_edges(streets, np.array([0]), np.array([0.0]))[0].length_m.tolist() == [100]


def test_one_way_bridge_and_class_go_with_every_piece() -> None:
    streets = streets_of([(0, 0), (100, 0), (200, 0)], [(0, 1), (1, 2)], oneway=[1], steps=[1], raised=[1])
    cut, _ = split_edges(streets, np.array([1]), np.array([0.5]))
    assert cut.oneway.tolist() == [False, True, True]
    assert cut.raised.tolist() == [False, True, True]
    assert cut.highway.tolist() == ["residential", "steps", "steps"]
    assert (cut.tail.tolist(), cut.head.tolist()) == ([0, 1, 3], [1, 3, 2])


def test_paths_are_added_and_edges_taken_away() -> None:
    streets = streets_of([(0, 0), (100, 0)], [(0, 1)])
    more = with_paths(streets, np.array([1, 2]), np.array([2, 0]), np.array([[100.0, 50.0]]), highway="estate")
    assert more.length_m.round(2).tolist() == [100, 50, 111.8]
    assert more.highway.tolist() == ["residential", "estate", "estate"]
    less = without_edges(more, np.array([True, False, False]))
    assert less.length_m.round(2).tolist() == [50, 111.8]
    assert len(less.node_id) == 3
    assert len(streets.tail) == 1
