"""Styles and column titles that a GeoPackage carries for QGIS."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import pyogrio
import pytest

from livingcircle.colours import SHARE
from livingcircle.columns import BANDS, CIRCLES, COMMUNITIES
from livingcircle.layer_looks import circles_look, column_title, rules_look, score_look, style_text
from livingcircle.save import save_result
from livingcircle.standards import load_standard
from livingcircle_layers.sources import Source
from livingcircle_layers.vectors import layer_names
from made_result import made_result
from test_palette import palettes

RULE = "gb50180_2018_kindergarten"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_result(made_result(), tmp_path_factory.mktemp("out"), homes=False)


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def test_communities_and_circles_have_a_default_style_that_qgis_finds(saved: Path) -> None:
    wanted = "SELECT f_table_catalog, f_table_schema, f_table_name, f_geometry_column, useAsDefault FROM layer_styles"
    assert rows(saved / "communities.gpkg", wanted) == [("", "", "communities", "geom", 1)]
    assert rows(saved / "circles.gpkg", wanted) == [("", "", "circles", "geom", 1)]
    layers = [name for (name,) in rows(saved / "facilities.gpkg", "SELECT f_table_name FROM layer_styles")]
    sources = ["facilities_osm", "access_osm", "facilities_菜市场_2024", "access_菜市场_2024"]
    assert layers == [*sources, "background"]
    contents = "SELECT data_type FROM gpkg_contents WHERE table_name = 'layer_styles'"
    assert rows(saved / "communities.gpkg", contents) == [("attributes",)]
    for file in ("communities.gpkg", "circles.gpkg", "facilities.gpkg"):
        assert rows(saved / file, "PRAGMA integrity_check") == [("ok",)]


def test_every_column_has_a_chinese_title_and_its_meaning(saved: Path) -> None:
    for file in ("communities.gpkg", "circles.gpkg", "facilities.gpkg"):
        for layer, geometry in pyogrio.list_layers(saved / file):
            if geometry is None:
                continue
            said = rows(
                saved / file,
                f"SELECT column_name, title, description FROM gpkg_data_columns WHERE table_name = '{layer}'",
            )
            fields = pyogrio.read_info(saved / file, layer=layer)["fields"].tolist()
            assert sorted(name for name, _, _ in said) == sorted(fields)
            for name, title, meaning in said:
                assert any("\u4e00" <= sign <= "\u9fff" for sign in title), f"{layer}.{name} has no Chinese title"
                assert meaning
    titles = dict(rows(saved / "communities.gpkg", "SELECT column_name, title FROM gpkg_data_columns"))
    assert titles["score"] == "得分"
    assert titles[f"share_{RULE}"].endswith("步行覆盖率")
    extension = "SELECT table_name, scope FROM gpkg_extensions WHERE extension_name = 'gpkg_schema' ORDER BY 1"
    assert rows(saved / "communities.gpkg", extension) == [
        ("gpkg_data_column_constraints", "read-write"), ("gpkg_data_columns", "read-write"),
    ]  # fmt: skip


def test_the_background_is_drawn_in_its_colours_whether_lines_or_outlines(saved: Path) -> None:
    """One layer holds both: QGIS draws an outline with a fill only, and a line with a line."""
    file = saved / "facilities.gpkg"
    ((text,),) = rows(file, "SELECT styleQML FROM layer_styles WHERE f_table_name = 'background'")
    style = ET.fromstring(text.split("\n", 1)[1])
    kinds = {symbol.get("name"): symbol.get("type") for symbol in style.iter("symbol")}
    drawn = {one.get("value"): kinds[one.get("symbol")] for one in style.iter("category")}
    assert drawn == {
        "green Polygon": "fill", "water Polygon": "fill", "water Line": "line", "road Line": "line",
        "rail Line": "line",
    }  # fmt: skip
    query = "SELECT column_name, title FROM gpkg_data_columns WHERE table_name = 'background'"
    assert dict(rows(file, query)) == {"kind": "类别", "rank": "重要程度", "name": "名称"}


def test_the_layers_read_as_before(saved: Path) -> None:
    layer = gpd.read_file(saved / "communities.gpkg", layer="communities")
    assert [name.replace("*", "") for name in COMMUNITIES.names[:6]] == list(layer.columns[:6])
    assert len(layer) == 4
    # As an input, the file has one layer: none need be chosen.
    assert layer_names(Source(saved / "communities.gpkg")) == ["communities"]


def test_looks_are_the_same_in_every_run(saved: Path, tmp_path: Path) -> None:
    again = save_result(made_result(), tmp_path / "again", homes=False)
    for file in ("communities.gpkg", "circles.gpkg", "facilities.gpkg"):
        assert (again / file).read_bytes() == (saved / file).read_bytes(), file


def test_the_classes_of_the_score_are_those_of_the_map() -> None:
    assert list(SHARE) == palettes()["share"]


def drawn(style: str, attribute: str) -> list[tuple[str, str]]:
    """Return label and colour of every class, as the style draws them."""
    root = ET.fromstring(style.split("\n", 1)[1])
    symbols = {symbol.get("name"): symbol for symbol in root.iter("symbol")}
    found = []
    for one in root.iter(attribute):
        options = {option.get("name"): option.get("value") for option in symbols[one.get("symbol")].iter("Option")}
        found.append((one.get("label"), options["color"]))
    return found


def test_scores_are_drawn_in_five_classes_and_the_unscored_in_grey() -> None:
    style = style_text(score_look("communities", COMMUNITIES), {"unit_name": "社区", "score": "得分"})
    classes = drawn(style, "range")
    assert [label for label, _ in classes] == ["不评分 no score", "0–20", "20–40", "40–60", "60–80", "80–100"]
    assert classes[0][1] == "217,217,217,255"
    assert classes[-1][1] == "27,72,105,255"  # #1b4869
    root = ET.fromstring(style.split("\n", 1)[1])
    assert [(a.get("field"), a.get("name")) for a in root.iter("alias")] == [("unit_name", "社区"), ("score", "得分")]
    assert next(root.iter("text-style")).get("fieldName") == 'coalesce("unit_name", "unit_id")'


def test_where_no_community_has_a_score_they_are_coloured_by_the_first_rule_with_a_share(tmp_path: Path) -> None:
    """A layer that opens wholly grey says nothing."""
    made = made_result()
    bare = replace(made, communities=made.communities.assign(score=float("nan")))
    first = next(r for r in made.rules.scoring if made.coverage.loc[made.coverage["rule"] == r, "share"].notna().any())
    path = save_result(bare, tmp_path / "out", homes=False) / "communities.gpkg"
    ((style,),) = rows(path, "SELECT styleQML FROM layer_styles")
    assert f"coalesce(&quot;share_{first}&quot;, -1)" in style
    labels = [label for label, _ in drawn(style, "range")]
    assert labels[0].endswith("无数据 no data")
    assert labels[1:] == ["0%–20%", "20%–40%", "40%–60%", "60%–80%", "80%–100%"]
    assert drawn(style, "range")[-1][1] == "27,72,105,255"


@pytest.mark.parametrize(
    ("make", "labels"),
    [
        (
            lambda: circles_look("circles", CIRCLES, [15.0, 5.0, 10.0, 5.0]),
            ["5 分钟 minutes", "10 分钟 minutes", "15 分钟 minutes"],
        ),
        (lambda: rules_look("bands", BANDS, ["own", RULE, RULE], load_standard("chengdu")), ["幼儿园 300 米", "own"]),
    ],
    ids=["circles", "bands"],
)
def test_circles_and_bands_have_a_class_for_each_value(make: Callable[[], Any], labels: list[str]) -> None:
    assert [label for label, _ in drawn(style_text(make(), {}), "category")] == labels


def test_a_layer_of_points_and_grounds_has_titles_and_keeps_the_colours_of_qgis(saved: Path) -> None:
    style = rows(saved / "facilities.gpkg", "SELECT styleQML FROM layer_styles")[0][0]
    root = ET.fromstring(style.split("\n", 1)[1])
    assert (root.get("styleCategories"), root.find("renderer-v2")) == ("Fields", None)
    assert "设施编号" in {alias.get("name") for alias in root.iter("alias")}


def test_a_column_without_a_title_keeps_its_name() -> None:
    rules = load_standard("chengdu")
    assert column_title("share_own_rule", rules) == "share_own_rule"
    assert column_title("whatever", rules) == "whatever"


def test_a_style_holds_no_time_of_writing(saved: Path) -> None:
    times = rows(saved / "communities.gpkg", "SELECT update_time FROM layer_styles")
    changes = rows(saved / "communities.gpkg", "SELECT DISTINCT last_change FROM gpkg_contents")
    assert times == changes == [("2000-01-01T00:00:00.000Z",)]
