"""Estates by name: found in the outlines, kept in the folder, packed for the map."""

from __future__ import annotations

import geopandas as gpd
import shapely

from demo_scans import demo_result
from livingcircle._map_shapes import estates
from livingcircle.saved import load_result
from made_result import made_result


def test_every_named_outline_of_the_demo_town_is_there_once():
    table = demo_result().estate_names
    assert "示意映月城" in set(table["name"])
    assert table["name"].is_monotonic_increasing
    assert (table["name"] != "").all()
    assert table.crs.to_epsg() == 4326
    places = table.geometry.x.round(5).astype(str) + table.geometry.y.round(5).astype(str)
    assert not (table["name"] + places).duplicated().any()


def test_estates_are_kept_and_packed_for_the_map(tmp_path):
    table = gpd.GeoDataFrame({"name": ["映月城"]}, geometry=[shapely.Point(104.002, 30.603)], crs=4326)
    kept = load_result(made_result(estate_names=table).save(tmp_path / "out"))
    assert kept.estate_names["name"].tolist() == ["映月城"]
    packed = estates(kept, [104.0, 30.6])
    assert packed == estates(made_result(estate_names=table), [104.0, 30.6])
    assert packed["name"] == ["映月城"]
    assert load_result(made_result().save(tmp_path / "without")).estate_names is None
