"""A finished scan made of plain numbers, for tests of everything that consumes a result.

Communities are squares in a row, 0.01 degrees wide; every number follows from the position of the community
and of the rule, so that equal arguments give equal results.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from livingcircle.columns import COVERAGE
from livingcircle.result import ScanResult
from livingcircle.scores import THEMES
from livingcircle.standards import Rule, RuleSet, load_standard
from livingcircle_layers.catalogue import load_catalogue

STATUSES = ("ok", "ok", "incomplete", "no_data", "ok")


def made_result(
    *, communities: int = 4, names: Sequence[str] = (), rules: RuleSet | None = None, **changes: Any
) -> ScanResult:
    """Make a result; `changes` replace fields of the ScanResult."""
    chosen = rules or load_standard("chengdu")
    named = [*names, *(f"社区{number}" for number in range(len(names), communities))]
    units = _units(named)
    fields: dict[str, Any] = {
        "coverage": _coverage(units, chosen),
        "scores": _scores(units, chosen),
        "histogram": _histogram(units),
        "communities": _communities(units, chosen),
        "facilities": _facilities(),
        "access_points": _access_points(),
        "unplaced": _unplaced(),
        "homes": _homes(units),
        "background": gpd.GeoDataFrame(
            {"kind": ["water"], "rank": [0], "name": ["锦江"]},
            geometry=[shapely.box(104, 30.6, 104.01, 30.601)],
            crs=4326,
        ),
        "rules": chosen,
        "catalogue": load_catalogue(),
        "run": _run(int(units["people"].sum())),
        "settings": {"walker": "adult 1.33 m/s", "join_limit_m": 300, "datum": "WGS-84"},
        "approval_number": "",
        "circles": _circles(units),
    }
    return ScanResult(**(fields | changes))


def _units(names: Sequence[str]) -> pd.DataFrame:
    """One row per unit of every level; the third community has few people, the last of many has none."""
    count = len(names)
    people = np.array([1000 + 10 * number for number in range(count)])
    people[2:3] = 60
    communities = pd.DataFrame(
        {
            "level": "community",
            "unit_id": [f"510104{n:06d}" for n in range(count)],
            "unit_name": names,
            "people": people,
        }
    )
    above = pd.DataFrame(
        {
            "level": ["district", "city"],
            "unit_id": ["510104", "city"],
            "unit_name": ["锦江区", "成都市"],
            "people": [people.sum()] * 2,
        }
    )
    return pd.concat([communities, above], ignore_index=True)


def _coverage(units: pd.DataFrame, rules: RuleSet) -> pd.DataFrame:
    unit, rule = (
        axis.ravel() for axis in np.meshgrid(np.arange(len(units)), np.arange(len(rules.rules)), indexing="ij")
    )
    picked: list[Rule] = list(rules.rules)
    demand = units["people"].to_numpy()[unit].astype("int64")
    part = ((unit * 7 + rule * 3) % 11) / 10
    by_distance = np.array([r.by_distance for r in picked])[rule]
    status = np.where(by_distance, np.array(STATUSES)[rule % len(STATUSES)], "ok")
    known = by_distance & (status != "no_data")
    radius = np.floor(demand * np.minimum(part + 0.1, 1))
    columns: dict[str, Any] = {name: units[name].to_numpy()[unit] for name in ("level", "unit_id", "unit_name")}
    columns |= {
        name: np.array([getattr(r, attribute) for r in picked], dtype=object)[rule]
        for name, attribute in {
            "standard": "standard", "rule": "id", "tier": "tier", "group": "group",
            "clause_measure": "metric", "threshold": "threshold", "threshold_unit": "threshold_unit",
            "target": "target", "clause": "citation", "bound": "bound",
            "provision": "provision", "confidence": "confidence",
        }.items()
    }  # fmt: skip
    covered = pd.Series(np.floor(demand * part)).where(known)
    columns |= {
        "service": np.array(["|".join(r.services) for r in picked], dtype=object)[rule],
        "theme": "public_service",
        "group_basis": "given",
        "walker": "adult",
        "gates": "respect",
        "denominator": np.array([r.denominator or "people" for r in picked], dtype=object)[rule],
        "demand": pd.Series(demand).where(by_distance).astype("Int64"),
        "covered": covered.astype("Int64"),
        "share": covered / demand,
        "radius_covered": pd.Series(radius).where(known).astype("Int64"),
        "radius_share": pd.Series(radius / demand).where(known),
        "minutes_covered": covered.astype("Int64"),
        "minutes_share": covered / demand,
        "value": pd.Series(part * 100 / 3).where(~by_distance),
        "met_clause": pd.Series(part >= 0.5, dtype="boolean").where(known),
        "met_walk": pd.Series(part >= 0.8, dtype="boolean").where(known),
        "nearest_m_median": pd.Series(100 + 1000 * part / 3).where(known & (part > 0.1)),
        "nearest_m_p90": pd.Series(200 + 1000 * part / 3).where(known & (part > 0.3)),
        "facilities": rule % 4,
        "status": status,
        "layer_complete": "unknown",
        "edge_share": part / 30,
        "attainment": pd.Series(part).where(known & (rule % 5 == 0)),
    }
    return pd.DataFrame(columns)[list(COVERAGE.names)]


def _scores(units: pd.DataFrame, rules: RuleSet) -> pd.DataFrame:
    listed = len(rules.scoring)
    scored = units["people"] >= 100
    k = pd.Series(np.linspace(3, 9, len(units))).where(scored)
    return pd.DataFrame(
        {
            "level": units["level"],
            "unit_id": units["unit_id"],
            "unit_name": units["unit_name"],
            "unit_type": "urban",
            "people": units["people"],
            "unit_complete": pd.Series([True, False, None] * len(units), dtype="boolean").head(len(units)),
            "k_mean": k,
            "n_scored": listed - 1,
            "n_listed": listed,
            "score": 100 * k / listed,
            "score_low": 100 * k / listed,
            "score_high": 100 * (k + 1) / listed,
            "complete_share": 0.123456789,
            "missing_one_share": 0.25,
            "weakest_rule": rules.scoring[0] if listed else None,
            "confidence": "M+",
            **{f"theme_{theme}": (k / 12) for theme in THEMES},
        }
    )


def _histogram(units: pd.DataFrame) -> pd.DataFrame:
    """Return half of the people of each unit at 3 services, the others at 4."""
    rows = units.loc[units.index.repeat(2), ["level", "unit_id", "people"]].reset_index(drop=True)
    half = rows["people"] // 2
    return rows.assign(
        group="all", k=[3, 4] * len(units), people=half.where(rows.index % 2 == 0, rows["people"] - half)
    )


def _communities(units: pd.DataFrame, rules: RuleSet) -> gpd.GeoDataFrame:
    scores = _scores(units, rules)
    own = scores[scores["level"] == "community"].set_index("unit_id")
    own = own.drop(columns=["level", "unit_complete", "confidence"])
    west = 104 + 0.01 * np.arange(len(own))
    return gpd.GeoDataFrame(
        own.assign(
            subdistrict="春熙路街道",
            district="锦江区",
            basis="buildings 40%, streets 60%",
            leg_m_p50=20.123,
            leg_m_p90=61.0,
            pedestrian_shed=0.61,
            not_placed=7,
        ),
        geometry=shapely.box(west, 30.6, west + 0.01, 30.61),
        crs=4326,
    )


def _circles(units: pd.DataFrame) -> gpd.GeoDataFrame:
    """Squares of 200, 400 and 600 m around the middle of each community."""
    own = units[units["level"] == "community"].reset_index(drop=True)
    rows = own.loc[own.index.repeat(3), ["unit_id", "unit_name", "people"]].reset_index(drop=True)
    minutes = np.tile([5.0, 10.0, 15.0], len(own))
    lon, half = 104.005 + 0.01 * np.repeat(np.arange(len(own)), 3), minutes * 0.0002
    return gpd.GeoDataFrame(
        rows.assign(
            walker="adult",
            minutes=minutes,
            people=(rows["people"] * minutes / 15).astype("int64"),
            area_m2=(minutes * 40) ** 2,
            pedestrian_shed=0.1,
            lon=lon,
            lat=30.605,
        ),
        geometry=shapely.box(lon - half, 30.605 - half, lon + half, 30.605 + half),
        crs=4326,
    )


def _facilities() -> gpd.GeoDataFrame:
    rows = [
        ("n1", "kindergarten", "public_service", "第一幼儿园", "osm", None, "unknown"),
        ("w2", "park", "ecology", "=cmd|' /C calc'!A0", "osm", 6000.123456, "unknown"),
        ("r3", "fresh_market", "convenience", None, "菜市场 2024.csv", None, "yes"),
    ]
    places = [
        shapely.Point(104.002, 30.602),
        shapely.box(104.01, 30.602, 104.015, 30.604),
        shapely.Point(104.02, 30.605),
    ]
    names = ["facility_id", "service", "theme", "name", "source", "area_m2", "complete"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=names), geometry=places, crs=4326)


def _access_points() -> gpd.GeoDataFrame:
    rows = [
        ("n1", "kindergarten", "osm", "point", 5, 12.345),
        ("w2", "park", "osm", "gate", 6, 1.0),
        ("w2", "park", "osm", "frontage", 7, 2.0),
        ("r3", "fresh_market", "菜市场 2024.csv", "point", -1, None),
    ]
    names = ["facility_id", "service", "source", "how", "edge_id", "leg_m"]
    places = shapely.points(104.002 + 0.005 * np.arange(4), 30.602)
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=names), geometry=places, crs=4326)


def _unplaced() -> pd.DataFrame:
    rows = [
        ("people.csv", "7", None, "510104000000", 12, "no_street", "no street within 300 m"),
        ("people.csv", "9", None, None, 30, "no_street", "no street within 300 m"),
        ("菜市场 2024.csv", "-3", "@小店\r\n分店", None, None, "no_service", "no keyword fits"),
    ]
    names = ["source", "row", "name", "unit_id", "people", "reason", "detail"]
    return pd.DataFrame(rows, columns=names).astype({"people": "Int64"})


def _homes(units: pd.DataFrame) -> pd.DataFrame:
    own = units[units["level"] == "community"].reset_index(drop=True)
    return pd.DataFrame(
        {
            "home": np.arange(len(own)),
            "unit": own["unit_id"],
            "x": 500000.0 + np.arange(len(own)),
            "y": 3390000.0,
            "people": own["people"],
            "age_3_6": own["people"] // 30,
            "edge_id": np.arange(len(own)),
            "fraction": 0.5,
            "leg_m": np.where(np.arange(len(own)) == 1, np.nan, 10.0 * (1 + np.arange(len(own)))),
            "nearest_m_park": 321.5,
        }
    )


def _run(people: int) -> dict[str, Any]:
    return {
        "name": "锦江区试算",
        "inputs": [
            {
                "role": "osm", "path": "chengdu.osm.pbf", "sha256": "ab" * 32, "bytes": 10,
                "date": "2024-06-01", "licence": "ODbL 1.0", "attribution": "OpenStreetMap",
            },
            {
                "role": "facilities", "path": "菜市场 2024.csv", "sha256": "cd" * 32, "bytes": 20,
                "date": None, "licence": "restricted", "attribution": "",
            },
        ],
        "people": {"input": people + 50, "placed": people, "not_placed": 42, "outside": 8},
        "counts": {"homes": np.int64(4)},
        "warnings": ["3 streets have no surface"],
        "versions": {"livingcircle": "0.1.0"},
        "timings_s": {"scan": 1.25},
        "data_date": "2024-06-01",
    }  # fmt: skip
