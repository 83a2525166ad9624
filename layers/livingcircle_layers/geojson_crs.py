"""The member ``crs`` of GeoJSON: GDAL takes the layer for WGS-84 where it does not understand it."""

from __future__ import annotations

import json
import mmap
import re
from pathlib import Path

from pyproj import CRS
from pyproj.exceptions import CRSError

from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import InputError

_MEMBER = re.compile(rb'"crs"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*+\}|"[^"]*"|[^\s,{}\[\]"]+)')


def refuse_unknown_crs(file: Path) -> None:
    """Raise if a file that was taken for WGS-84 states another CRS, or one that nobody knows.

    Only where something like it stands in the file is the whole of it parsed, as a column can be called ``crs`` too.
    """
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as text:
        if all(_is_wgs84(_value(found[1])) for found in _MEMBER.finditer(text)):
            return
    whole = _value(file.read_bytes())
    stated = whole.get("crs") if isinstance(whole, dict) else None
    if not _is_wgs84(stated):
        raise InputError(
            f"{file.name}: its `crs` is not understood",
            got=json.dumps(stated, ensure_ascii=False)[:200],
            expected='{"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}, or none for WGS-84',
            remedy='declare it in the study, for example crs = "EPSG:4490" (CGCS2000) or "EPSG:4326" (WGS-84)',
        )


def _value(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # GDAL reads what is no JSON in places
        return text.decode(errors="replace")


def _is_wgs84(stated: object) -> bool:
    """Tell whether a member states WGS-84; so does one that is null, by what RFC 7946 says of all GeoJSON."""
    if stated is None:
        return True
    properties = stated.get("properties") if isinstance(stated, dict) else None
    if not isinstance(properties, dict):
        return False
    name = str(properties.get("name") or f"EPSG:{properties.get('code')}")
    if name.upper().endswith("CRS84"):  # longitude first, as in all GeoJSON
        return True
    try:
        return bool(CRS.from_user_input(name).to_2d().equals(WGS84, ignore_axis_order=True))
    except CRSError:
        return False
