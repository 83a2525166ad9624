"""Kinds of layers that other packages read."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import pytest
import shapely

from livingcircle_layers import readers, vectors
from livingcircle_layers.errors import InputError

FRAME = gpd.GeoDataFrame({"name": ["示意"]}, geometry=[shapely.Point(104, 30)], crs=4326)


def read_one(path: Path) -> gpd.GeoDataFrame:
    if path.read_text(encoding="utf-8") != "good":
        raise ValueError("line 1 is not good")
    return FRAME


def read_xml(path: Path) -> gpd.GeoDataFrame:
    ElementTree.parse(path)  # its complaint is no ValueError
    return FRAME


@pytest.fixture
def announce(monkeypatch: pytest.MonkeyPatch):
    """Announce a reader of .one files."""

    def with_target(target: str) -> None:
        point = EntryPoint(".ONE", target, readers.GROUP)
        monkeypatch.setattr(readers, "entry_points", lambda group: [point] if group == readers.GROUP else [])
        readers._announced.cache_clear()
        monkeypatch.setattr(vectors, "VECTOR_SUFFIXES", vectors.VECTOR_SUFFIXES | readers.added_suffixes())

    yield with_target
    monkeypatch.undo()
    readers._announced.cache_clear()


def write(folder: Path, text: str) -> Path:
    path = folder / "layer.One"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_package_reads_its_own_kind(announce, tmp_path: Path) -> None:
    announce("test_readers:read_one")
    assert vectors.read_vector(write(tmp_path, "good"))["name"].tolist() == ["示意"]


def test_its_complaint_is_one_line_that_names_the_file(announce, tmp_path: Path) -> None:
    announce("test_readers:read_one")
    with pytest.raises(InputError, match=r"layer\.One cannot be parsed; got line 1 is not good; expected a whole"):
        vectors.read_vector(write(tmp_path, "bad"))


def test_whatever_it_raises_is_one_line(announce, tmp_path: Path) -> None:
    announce("test_readers:read_xml")
    with pytest.raises(InputError, match=r"layer\.One cannot be read by .*read_xml; got ParseError: syntax.*ask who"):
        vectors.read_vector(write(tmp_path, "good"))


@pytest.mark.parametrize("target", ["no_such_package:read", "test_readers:no_such_function"])
def test_a_package_that_cannot_be_loaded_is_told(announce, tmp_path: Path, target: str) -> None:
    announce(target)
    with pytest.raises(InputError, match=r"\.one files cannot be read; got .*no_such.*; remedy: install that package"):
        vectors.read_vector(write(tmp_path, "good"))


def test_without_a_package_the_kind_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"layer\.One cannot be read as this input; got the kind \.one"):
        vectors.read_vector(write(tmp_path, "good"))
