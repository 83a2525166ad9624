"""What a map in China must not do: one test for each rule that the hearing map has to keep."""

from __future__ import annotations

import json
import re
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import livingcircle
import livingcircle_layers
from livingcircle import _map_data
from livingcircle._map_shapes import BACKGROUND_M
from livingcircle.credits import INTERNAL_DRAWING, NOT_A_SURVEY, OSM_CREDIT
from livingcircle.hearing_map import payload, render_map
from livingcircle.scan import scan
from synthetic import synthetic_result
from towns import Town, study_of

PAGE = Path(_map_data.__file__).parent / "page"
ROOT = Path(__file__).parent.parent
RULE = {"id": "shop_walk", "services": ["supermarket"], "threshold": 300}
FORBIDDEN = [
    {"military": "barracks"},
    {"landuse": "military"},
    {"amenity": "prison"},
    {"power": "substation"},
    {"man_made": "pipeline"},
    {"boundary": "administrative", "admin_level": "6"},
    {"natural": "water", "military": "range"},
    {"leisure": "park", "landuse": "military"},
]


def written(data):
    return json.dumps(data, ensure_ascii=False)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A town with everything that must not be shown, each thing with a name that begins with 禁."""
    town = Town("a----------b", dx=100).way(
        "ab", highway="residential", name="大街", maxheight="4.5", maxweight="20", bridge="yes"
    )
    town.node(500, 0, shop="supermarket", name="超市")
    for number, tags in enumerate(FORBIDDEN):
        town.box(100 + 90 * number, 50, 80, 80, name=f"禁{number}", **tags)
    for number, tags in enumerate(({"power": "line"}, {"boundary": "administrative"}, {"man_made": "pipeline"})):
        town.street((0, 200 + 20 * number), (900, 200 + 20 * number), name=f"禁线{number}", **tags)
    town.box(100, 300, 200, 100, name="公园", leisure="park").box(400, 300, 200, 100, name="湖", natural="water")
    study = study_of(tmp_path_factory.mktemp("town"), town, people=[(300, 5, 200)], rules=[RULE])
    return payload(scan(study))


def test_background_is_the_allow_list_and_nothing_else(town):
    assert set(BACKGROUND_M) == {"water", "green", "road", "rail"}
    assert {group["kind"] for group in town["background"]} == {"water", "green", "road"}
    assert sorted(town["places"]["name"]) == ["公园", "湖"]


def test_military_prisons_power_pipelines_and_boundaries_never_appear(town):
    assert "禁" not in written(town)


def test_limits_of_bridges_never_appear(town):
    assert not re.search(r"maxheight|maxweight|\b4\.5\b", written(town))


def test_a_background_of_other_kinds_is_not_drawn():
    result = synthetic_result()
    more = gpd.GeoDataFrame(
        {"kind": ["boundary", "military", "power"], "rank": 0, "name": "禁"},
        geometry=[shapely.LineString([(104.03, 30.62), (104.05, 30.64)])] * 3,
        crs="EPSG:4326",
    )
    background = pd.concat([result.background, more], ignore_index=True)
    data = payload(type(result)(**{**vars(result), "background": background}))
    assert data["background"] == payload(result)["background"]
    assert "禁" not in written(data)


def test_outlines_come_from_the_communities_alone():
    result = synthetic_result()
    assert len(payload(result)["units"]["shapes"]) == len(result.communities)


def test_no_outline_of_china_or_of_anything_else_is_shipped():
    for package in (livingcircle, livingcircle_layers):
        files = {path.suffix for path in Path(package.__file__).parent.rglob("*")}
        assert not files & {".geojson", ".shp", ".gpkg", ".topojson", ".kml", ".parquet"}


def test_without_approval_number_the_page_says_internal_in_both_languages():
    words = (PAGE / "text.js").read_text(encoding="utf-8")
    assert len(re.findall(f'internal: "{INTERNAL_DRAWING}', words)) == 2
    assert payload(synthetic_result())["approval"] == ""
    style = (PAGE / "style.css").read_text(encoding="utf-8")
    hidden = [
        rule for rule in re.findall(r"([^{}]+)\{[^}]*display: none", style) if re.search(r"\.foot|#approval", rule)
    ]
    assert hidden == []


def test_page_says_that_it_is_no_survey():
    assert payload(synthetic_result())["not_a_survey"] == NOT_A_SURVEY


def test_osm_is_credited_in_head_data_and_on_the_map():
    page = render_map(synthetic_result())
    assert OSM_CREDIT in payload(synthetic_result())["credits"]
    assert "© OpenStreetMap contributors · ODbL 1.0" in page
    assert 'addAttribution("© OpenStreetMap contributors")' in page


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_readme_says_what_may_not_be_put_in(name):
    said = (ROOT / name).read_text(encoding="utf-8")
    for sentence in ("勿输入涉密测绘成果", "坐标转换仅用于您有权使用的数据", NOT_A_SURVEY):
        assert sentence in said


def test_no_client_of_chinese_map_services():
    for package in (livingcircle, livingcircle_layers):
        for path in Path(package.__file__).parent.rglob("*.*"):
            if path.suffix in {".py", ".js", ".html", ".toml", ".csv"}:
                text = path.read_text(encoding="utf-8").lower()
                assert not re.search(r"amap\.com|map\.baidu|lbsyun|autonavi|map\.qq\.com|tianditu", text), path
