"""What must be said beside every result: whose data, under which licence, and whether it may be shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OSM_CREDIT = "© OpenStreetMap contributors, ODbL 1.0"
INTERNAL_DRAWING = "内部工作图,未经地图审核,不得公开"
NOT_A_SURVEY = "本工具结果不是测绘成果"
RESTRICTED = "restricted"
RESTRICTED_NOTE = "restricted, not to be passed on 受限数据,不得外传"


def input_credit(source: Mapping[str, Any]) -> str:
    """Return the credit of one input: its attribution, or OpenStreetMap's where the data are theirs."""
    licence, attribution = _text(source, "licence"), _text(source, "attribution")
    if "openstreetmap" in attribution.casefold():
        return OSM_CREDIT
    unsaid = not attribution and ("odbl" in licence.casefold() or (_text(source, "role") == "osm" and not licence))
    return OSM_CREDIT if unsaid else attribution


def input_licence(source: Mapping[str, Any]) -> str:
    """Return the licence of one input in words; a restricted one says so."""
    licence = _text(source, "licence")
    if licence.casefold() == RESTRICTED:
        return RESTRICTED_NOTE
    return licence or ("ODbL 1.0" if input_credit(source) == OSM_CREDIT else "not stated 未注明")


def credits_of(run: Mapping[str, Any]) -> tuple[str, ...]:
    """Return every credit that the inputs of a run ask for, OpenStreetMap first, each once."""
    found = {input_credit(source) for source in run.get("inputs", ())} - {""}
    return tuple(sorted(found, key=lambda credit: (credit != OSM_CREDIT, credit)))


def approval_line(approval_number: str) -> str:
    """Return the map approval number, or the sentence that every page without one must carry."""
    return f"审图号:{approval_number}" if approval_number else INTERNAL_DRAWING


def _text(source: Mapping[str, Any], key: str) -> str:
    value = source.get(key)
    return "" if value is None else str(value).strip()
