"""The hearing map as a file: what it holds, what it must never hold, and that it cannot be broken out of."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import math
import re
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livingcircle import _map_data, _map_shapes
from livingcircle._packing import SCALE, pack, pack_areas, pack_each_area, pack_known
from livingcircle.hearing_map import SCRIPTS, build_map, content_policy, encode, payload, render_map
from map_reader import unpack, unpack_known
from synthetic import HOSTILE, KINDERGARTEN, NO_DATA, synthetic_result

PAGE = Path(_map_data.__file__).parent / "page"
FIRST_POINT = shapely.Point(104.03, 30.62)


@pytest.fixture(scope="module")
def result():
    return synthetic_result()


@pytest.fixture(scope="module")
def data(result):
    return payload(result)


@pytest.fixture(scope="module")
def page(result):
    return render_map(result)


def paths(text, data):
    """Read packed paths as the page does: one array of lon, lat for each."""
    steps, at, where, found = unpack(text), 0, np.zeros(2), []
    while at < len(steps):
        count = steps[at]
        moves = np.array(steps[at + 1 : at + 1 + 2 * count], dtype=float).reshape(-1, 2)
        grid = where + np.cumsum(moves, axis=0)
        where, at = grid[-1], at + 1 + 2 * count
        found.append(grid / data["scale"] + data["origin"])
    return found


def area(text, data):
    """Read packed rings: outer ones run against the clock, holes with it."""
    rings = paths(text, data)
    outer = [shapely.Polygon(r) for r in rings if shapely.is_ccw(shapely.LinearRing(r))]
    holes = [shapely.Polygon(r) for r in rings if not shapely.is_ccw(shapely.LinearRing(r))]
    return shapely.difference(shapely.union_all(outer), shapely.union_all(holes))


def points(text, data):
    return np.cumsum(np.array(unpack(text)).reshape(-1, 2), axis=0) / data["scale"] + data["origin"]


def column(data, series, name):
    return unpack_known(data["columns"][series[name]], data["decimals"][name]) if series[name] >= 0 else None


def series_of(data, rule, walker="adult"):
    [found] = [s for s in data["series"] if s["rule"] == rule and s["walker"] == walker]
    return found


# -- the data ------------------------------------------------------------------------------------------


def test_payload_survives_json(data):
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_numbers_are_those_of_the_coverage_table(result, data):
    units = list(zip(data["units"]["level"], data["units"]["id"], strict=True))
    for walker in ("adult", "elder"):
        rows = result.coverage.query("rule == @KINDERGARTEN and walker == @walker").set_index(["level", "unit_id"])
        series = series_of(data, KINDERGARTEN, walker)
        for name in ("demand", "covered", "radius_covered", "minutes_covered"):
            told = rows[name].astype(float).reindex(units).tolist()
            assert [np.nan if v is None else v for v in column(data, series, name)] == pytest.approx(told, nan_ok=True)


def test_share_is_covered_of_demand(result, data):
    series = series_of(data, KINDERGARTEN)
    rows = result.coverage.query("rule == @KINDERGARTEN and walker == 'adult' and level == 'community'")
    shares = rows.set_index("unit_id")["share"].reindex(result.communities.index).tolist()
    for share, covered, demand in zip(
        shares, column(data, series, "covered"), column(data, series, "demand"), strict=False
    ):
        assert (covered is None and np.isnan(share)) or covered / demand == pytest.approx(share)


def test_no_data_is_not_zero(result, data):
    series = series_of(data, NO_DATA)
    communities = len(result.communities)
    assert set(series["status"][:communities]) == {"n", "a", "d"}
    assert series["covered"] == -1


def test_every_status_of_the_fixture_is_told_apart(data):
    assert {sign for series in data["series"] for sign in series["status"]} >= set("oinda")


def test_judgements_may_be_unknown(data):
    assert set(series_of(data, KINDERGARTEN)["met_walk"]) == {"0", "1", "-"}


def test_equal_columns_are_stored_once(data):
    assert len({json.dumps(c) for c in data["columns"]}) == len(data["columns"])
    adult, elder = series_of(data, KINDERGARTEN), series_of(data, KINDERGARTEN, "elder")
    assert adult["demand"] == elder["demand"]


def test_order_of_coverage_rows_does_not_matter_for_numbers(result, data):
    shuffled = dataclasses.replace(result, coverage=result.coverage.sample(frac=1, random_state=1))
    other = payload(shuffled)
    for rule in (KINDERGARTEN, NO_DATA):
        mine, theirs = series_of(data, rule), series_of(other, rule)
        assert column(data, mine, "covered") == column(other, theirs, "covered")
        assert mine["status"] == theirs["status"]


def test_unknown_score_is_null_and_not_zero(result, data):
    few = result.communities["people"].to_numpy() < 100
    scores = np.array(data["units"]["score"][: len(few)], dtype=object)
    assert all(score is None for score in scores[few])
    assert any(score is not None for score in scores[~few])


def test_marks_and_binding_come_from_the_rule(data):
    rules = {rule["id"]: rule for rule in data["rules"]}
    assert rules[KINDERGARTEN]["mark"] == "M+"
    assert rules[KINDERGARTEN]["scores"]
    assert not any(rule["binding"] for rule in rules.values())  # nothing verified says must in this bundle


def test_room_is_left_for_homes_and_network(data):
    assert data["homes"] is None
    assert data["network"] is None


# -- geometry ------------------------------------------------------------------------------------------


def test_outlines_stay_where_they_are_and_keep_shared_borders(result, data):
    shapes = [area(text, data) for text in data["units"]["shapes"]]
    own = result.communities.geometry.to_numpy()
    assert len(shapes) == len(own)
    assert shapely.hausdorff_distance(shapes, own).max() < 6e-5
    assert shapely.coverage_is_valid(shapes)


def test_holes_and_parts_are_kept():
    ring = shapely.box(0, 0, 0.01, 0.01).difference(shapely.box(0.004, 0.004, 0.006, 0.006))
    both = shapely.union(ring, shapely.box(0.02, 0, 0.03, 0.01))
    told = area(pack_areas(np.array([both]), [0.0, 0.0]), {"scale": SCALE, "origin": [0, 0]})
    assert shapely.equals_exact(shapely.normalize(told), shapely.normalize(both), tolerance=1e-9)


def test_circles_are_as_coarse_as_if_every_tolerance_had_been_tried(monkeypatch):
    along = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    rng = np.random.default_rng(5)
    rims = 0.004 + 0.0006 * rng.random((12, 90))
    middles = rng.random((12, 1, 2)) / 10
    stars = shapely.polygons(middles + rims[:, :, None] * np.stack([np.cos(along), np.sin(along)], axis=1))
    stars = shapely.multipolygons(stars, indices=np.arange(12))
    tolerances = _map_shapes.CIRCLE_M / _map_shapes.DEGREE_M * 2.0 ** np.arange(5)  # the last is beyond the coarsest
    tried = [_map_shapes._areas(stars, tolerance) for tolerance in tolerances]
    counts = [int(shapely.get_num_coordinates(simple).sum()) for simple in tried]
    assert counts == sorted(set(counts), reverse=True)
    for most in (*counts, *(count - 1 for count in counts), *(count + 1 for count in counts)):
        monkeypatch.setattr(
            _map_shapes, "SAMPLED_FROM", 0 if most % 2 else 100
        )  # all are much like those of the sample
        wanted = next((simple for simple, count in zip(tried, counts, strict=True) if count <= most), tried[-1])
        assert shapely.equals_exact(_map_shapes._simple(stars, most), wanted).all(), most


def rings_of(area: Any) -> list[int]:
    """Return how many rings each part has, in any order."""
    return sorted(1 + len(part.interiors) for part in shapely.get_parts(area))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(2, 9)), min_size=1, max_size=25))
def test_simplified_areas_lose_no_part_and_stay_where_they_are(discs):
    # Rough rims near each other, narrow rings and specks: some steps would cross another line, or leave nothing.
    area = shapely.union_all([shapely.Point(x, y).buffer(size, 9).symmetric_difference(
        shapely.Point(x, y).buffer(size / 2, 3)) for x, y, size in discs])  # fmt: skip
    for tolerance in (0.2, 1.5, 8.0):
        for ours in (
            _map_shapes.simplified(area, tolerance),
            _map_shapes._areas(np.array([area]), tolerance)[0],
        ):
            assert rings_of(ours) == rings_of(area)
            beside = area.boundary.buffer(2 * tolerance)  # of two lines that meet in a point, each moves by that much
            assert ours.is_valid
            assert ours.symmetric_difference(area).difference(beside).area < 1e-9


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=12), min_size=1))
def test_simplified_lines_do_not_vanish_and_stay_where_they_are(ways):
    lines = shapely.linestrings(np.concatenate(ways), indices=np.repeat(np.arange(len(ways)), [len(w) for w in ways]))
    for tolerance in (0.2, 3.0, 50.0):
        ours = _map_shapes._lines(lines, tolerance)
        assert (shapely.length(ours) > 0).tolist() == (shapely.length(lines) > 0).tolist()
        assert (shapely.hausdorff_distance(ours, lines) <= tolerance * (1 + 1e-9)).all()


def test_each_area_can_be_read_alone():
    shapes = np.array([shapely.box(1, 1, 2, 2), shapely.Polygon(), None, shapely.box(5, 5, 6, 7)], dtype=object)
    told = pack_each_area(shapes, [0.0, 0.0])
    assert told == [pack_areas(shapes[:1], [0.0, 0.0]), "", "", pack_areas(shapes[3:], [0.0, 0.0])]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(-(2**45), 2**45)))
def test_packed_numbers_are_read_back(numbers):
    assert unpack(pack(np.array(numbers, dtype=np.int64))) == numbers


@given(st.lists(st.one_of(st.just(math.nan), st.integers(-(10**9), 10**9).map(lambda n: n / 1000))))
def test_numbers_that_are_not_known_are_read_back_as_none(numbers):
    told = unpack_known(pack_known(np.array(numbers, dtype=float), 3), 3)
    assert told == [None if math.isnan(n) else n for n in numbers]


def test_facility_points_are_within_a_metre(result, data):
    told = points(data["facilities"]["xy"], data)
    own = result.facilities.geometry.to_numpy()
    assert (shapely.distance(shapely.points(told), own) < 1.1e-5).all()


def test_doors_belong_to_their_facility(result, data):
    owner = unpack(data["facilities"]["door_of"])
    ids = result.facilities["facility_id"].to_numpy()[owner]
    assert (ids == result.access_points["facility_id"].to_numpy()).all()


def test_background_holds_only_what_the_result_gives(data):
    assert {(group["kind"], group["form"]) for group in data["background"]} == {
        ("water", "area"), ("water", "line"), ("green", "area"), ("road", "line"), ("rail", "line"),
    }  # fmt: skip


def test_background_too_large_loses_the_least_important_first(result, monkeypatch):
    monkeypatch.setattr(_map_shapes, "BACKGROUND_VERTICES", 120)
    ranks = [group["rank"] for group in payload(result)["background"]]
    assert ranks
    assert max(ranks) < result.background["rank"].max()


def test_lines_that_continue_each_other_become_one():
    lines = np.array([shapely.LineString([(0, 0), (1, 0)]), shapely.LineString([(1, 0), (2, 1)])])
    areas, merged = _map_shapes.areas_and_lines(lines)
    assert len(areas) == 0
    assert shapely.equals(merged, shapely.LineString([(0, 0), (1, 0), (2, 1)])).tolist() == [True]


# -- results with parts missing --------------------------------------------------------------------------


def test_nothing_known_but_communities(result):
    bare = dataclasses.replace(
        result,
        coverage=result.coverage.iloc[:0],
        facilities=result.facilities.iloc[:0],
        access_points=result.access_points.iloc[:0],
        background=result.background.iloc[:0],
    )
    data = payload(bare)
    assert data["series"] == data["columns"] == data["background"] == []
    assert data["facilities"]["xy"] == ""
    assert render_map(bare)


def test_inputs_are_left_alone(result):
    before = result.coverage.copy(), result.communities.copy(), result.background.copy()
    payload(result)
    for frame, copy in zip((result.coverage, result.communities, result.background), before, strict=True):
        assert frame.equals(copy)


# -- the page ------------------------------------------------------------------------------------------


def test_same_result_same_bytes(page):
    assert render_map(synthetic_result()) == page


def test_homes_never_appear(page):
    assert "home-7654321" not in page


def test_page_loads_nothing(page):
    linked = re.findall(r"<(?:script|link|img|iframe)\s[^>]*(?:src|href)=([^\s>]*)", page)
    assert linked == ['"data:,"']
    assert "@import" not in page
    assert "sourceMappingURL" not in page
    assert not re.search(r"url\((?!data:)[^)]", "".join(re.findall(r"<style>(.*?)</style>", page, re.S)))
    for host in ("cdn.", "unpkg", "jsdelivr", "tile.openstreetmap", "amap.com", "baidu.com"):
        assert host not in page


def test_policy_admits_exactly_what_the_page_holds(page):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        blocks = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
        hashes = [base64.b64encode(hashlib.sha256(block.encode()).digest()).decode() for block in blocks]
        directive = re.search(rf"{tag}-src ([^;]*)", policy)[1]
        assert directive == " ".join(f"'sha256-{h}'" for h in hashes)
    assert not re.search(r"<[^>]+\son[a-z]+=", re.sub(r"<script.*?</script>", "", page, flags=re.S))
    assert not re.search(r"<[a-z][^>]*\sstyle=", re.sub(r"<script.*?</script>", "", page, flags=re.S))


def test_policy_changes_with_a_letter():
    assert content_policy(["a"], []) != content_policy(["b"], [])


def test_hostile_names_stay_inside_the_data(page):
    holder = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert len(holder) == 1
    assert not set("<>&\u2028\u2029") & set(holder[0])
    assert set(HOSTILE.values()) <= set(json.loads(holder[0])["units"]["name"])
    assert "<script>alert(1)" not in page
    assert "<b onclick" not in page


def test_encode_refuses_what_json_cannot_hold():
    with pytest.raises(ValueError, match="JSON"):
        encode({"share": float("nan")})


def test_title_is_escaped(result):
    named = dataclasses.replace(result, run={**result.run, "name": "</title><script>alert(9)</script>"})
    page = render_map(named)
    assert "<script>alert(9)" not in page
    assert "&lt;/title&gt;" in page


def test_map_is_a_folium_map_and_shows_itself_in_a_notebook(result, page):
    shown = build_map(result)
    assert isinstance(shown, folium.Map)
    frame = shown._repr_html_()
    assert frame.startswith("<iframe srcdoc=")
    assert "&lt;!DOCTYPE html&gt;" in frame
    assert shown.get_root().render() == page  # showing it does not change it


def test_folium_elements_can_be_added(result):
    shown = build_map(result)
    folium.CircleMarker([30.63, 104.05]).add_to(shown)
    page = shown.get_root().render()
    assert "map_livingcircle" in page
    added = re.findall(r"<script>(.*?)</script>", page, re.S)[-1]
    assert "L.circleMarker" in added
    assert base64.b64encode(hashlib.sha256(added.encode()).digest()).decode() in page


def test_map_can_be_saved(result, page, tmp_path):
    build_map(result).save(tmp_path / "map.html")
    assert (tmp_path / "map.html").read_text(encoding="utf-8") == page


def test_approval_number_is_carried(result):
    assert payload(result)["approval"] == ""
    assert payload(dataclasses.replace(result, approval_number="川S(2025)1号"))["approval"] == "川S(2025)1号"


def test_many_communities_stay_small():
    """A city of 1,000 communities; size grows with units, so 4,351 stay far below 15 MB."""
    page = render_map(synthetic_result(rows=25, columns=40, walkers=("adult",), places=2_000))
    assert len(page.encode()) < 15e6 * 1_000 / 4_351


def test_words_are_said_in_both_languages():
    text = (PAGE / "text.js").read_text(encoding="utf-8")
    chinese, english = text.split("  en: {")[0], text.split("  en: {")[1].split("\n};")[0]
    keys = [set(re.findall(r'(?:^|[{,])\s*"?([A-Za-z][\w+?]*)"?: "', part)) for part in (chinese, english)]
    assert keys[0] - {"zh"} == keys[1]
    used = set()
    for name in SCRIPTS:
        used |= set(re.findall(r'\bsay\("([^"]+)"', (PAGE / name).read_text(encoding="utf-8")))
    assert used <= keys[1]


def test_communities_frame_of_fixture_is_geographic(result):
    assert isinstance(result.communities, gpd.GeoDataFrame)
    assert result.communities.crs.to_epsg() == 4326
    assert result.communities.geometry.union_all().distance(FIRST_POINT) < 0.02


def test_stand_in_for_a_group_is_carried(result):
    assert not any(series["stand_in"] for series in payload(result)["series"])
    mine = result.coverage["rule"] == KINDERGARTEN
    basis = result.coverage["group_basis"].where(~mine, "stand_in")
    data = payload(dataclasses.replace(result, coverage=result.coverage.assign(group_basis=basis)))
    assert {series["rule"] for series in data["series"] if series["stand_in"]} == {KINDERGARTEN}
