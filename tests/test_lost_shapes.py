"""Rows of estates, catchments and parcels without an outline stand in unplaced.csv, and nobody is lost by them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyogrio
import pytest

from livingcircle.scan import scan
from towns import Town, lonlat, study_of

SQUARE = [lonlat(x, y) for x, y in ((-50, -50), (250, -50), (250, 150), (-50, 150), (-50, -50))]
OUTLINE: dict[str, Any] = {"type": "Polygon", "coordinates": [SQUARE]}
UNCLOSED = {"type": "Polygon", "coordinates": [SQUARE[:4]]}
LINE = {"type": "LineString", "coordinates": SQUARE[:2]}
POINT = {"type": "Point", "coordinates": SQUARE[0]}


def layer(file: Path, *shapes: dict[str, Any] | None) -> Path:
    features = [
        {"type": "Feature", "properties": {"id": str(i), "gated": "no"}, "geometry": s} for i, s in enumerate(shapes)
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return file


def test_rows_without_an_outline_are_listed_with_the_reason(tmp_path: Path) -> None:
    estates = layer(tmp_path / "estates.geojson", OUTLINE, UNCLOSED, POINT, LINE)
    catchments = layer(tmp_path / "catchments.geojson", None, OUTLINE, POINT)
    parcels = layer(tmp_path / "parcels.geojson", OUTLINE, POINT, {"type": "Polygon", "coordinates": []})
    rule = {"id": "shop", "services": ["supermarket"], "threshold": 500, "threshold_unit": "m"}
    study = study_of(
        tmp_path,
        Town("a----b").way("ab").node(50, 10, shop="supermarket"),
        people=[(0, 10, 30), (100, 10, 40)],
        rules=[rule],
        estates={"file": estates},
        catchments=[{"service": "kindergarten", "file": catchments}, {"service": "supermarket", "file": catchments}],
        candidates={"file": parcels},
    )
    result = scan(study)
    mine = result.unplaced[result.unplaced["source"].str.endswith(".geojson")]
    assert mine[["source", "row", "reason"]].to_numpy().tolist() == [
        ["estates.geojson", "4", "geometry is a linestring"],
        ["catchments.geojson", "3", "geometry is a point"],
        ["estates.geojson", "2", "geometry is broken"],
        ["catchments.geojson", "1", "no geometry"],
        ["parcels.geojson", "3", "no geometry"],
    ]
    assert mine["detail"].tolist() == ["", "", "a ring is not closed, or has too few points", "", ""]
    assert result.run["people"] == {"input": 70, "placed": 70, "not_placed": 0, "outside": 0}


def test_each_layer_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("estates", "areas", "catchments", "parcels")
    files = {name: layer(tmp_path / f"{name}.geojson", OUTLINE) for name in names}
    study = study_of(
        tmp_path,
        Town("a----b").way("ab").node(50, 10, shop="supermarket"),
        people=[(0, 10, 30)],
        rules=[{"id": "shop", "services": ["supermarket"], "threshold": 500, "threshold_unit": "m"}],
        estates={"file": files["estates"], "level": True},
        areas={"file": files["areas"]},
        catchments=[{"service": "supermarket", "file": files["catchments"]}],
        candidates={"file": files["parcels"]},
    )
    opened: list[str] = []
    honest = pyogrio.read_dataframe

    def counted(path: str | Path, **options: Any) -> Any:
        opened.append(Path(path).name)
        return honest(path, **options)

    monkeypatch.setattr(pyogrio, "read_dataframe", counted)
    result = scan(study)
    assert sorted(opened) == sorted(f"{name}.geojson" for name in ("communities", *names))
    assert {"estate", "area"} <= set(result.coverage["level"])
