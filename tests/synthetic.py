"""A made-up scan result: communities on a grid, with every status and with names that try to be markup."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from livingcircle.columns import ACCESS_POINTS, COVERAGE, HOMES, SCORE_HISTOGRAM, SCORES, UNPLACED
from livingcircle.result import ScanResult
from livingcircle.rules import Rule
from livingcircle.scores import THEMES
from livingcircle.standards import load_standard
from livingcircle_layers.catalogue import load_catalogue

NO_DATA, INCOMPLETE = "gb50180_2018_elder_daycare", "gb50180_2018_nursery"
KINDERGARTEN = "gb50180_2018_kindergarten"
WEST, SOUTH = 104.03, 30.62
CELL = 0.011  # degrees, about 1 km
HOSTILE = {
    1: "<script>alert(1)</script>社区",
    2: "</script><img src=x onerror=alert(2)>",
    3: "<!-- 引号\" ' \u2028 & 社区",
}
RUN = {
    "name": "示意城区",
    "data_date": "2018-07-03",
    "inputs": [
        {
            "role": "osm",
            "path": "city.osm.pbf",
            "date": "2018-07-03",
            "licence": "ODbL 1.0",
            "attribution": "© OpenStreetMap contributors",
        },
        {
            "role": "communities",
            "path": "communities.geojson",
            "date": "",
            "licence": "restricted",
            "attribution": "",
        },
    ],
}
NAMES = ["春熙路", "督院街", "合江亭", "水井坊", "牛市口", "沙河", "东光", "狮子山", "成龙路", "柳江", "三圣", "锦官驿"]


def synthetic_result(
    *,
    rows: int = 3,
    columns: int = 4,
    walkers: tuple[str, ...] = ("adult", "elder"),
    scored: bool = True,
    approval: str = "",
    places: int = 400,
) -> ScanResult:
    """Return a result of `rows` x `columns` communities in two districts with three subdistricts each."""
    rng = np.random.default_rng(7)
    rules, catalogue = load_standard("chengdu"), load_catalogue()
    communities = _communities(rows, columns, rng)
    tables = [_one(rule, communities, walker, rng) for rule in rules.rules for walker in walkers]
    long = pd.concat([t for t in tables if t is not None], ignore_index=True)
    long = pd.concat([long, *(_held(long, communities, level) for level in ("subdistrict", "district", "city"))])
    scores = _scores(communities, long, scoring=rules.scoring, scored=scored)
    mine = scores[scores["level"] == "community"].set_index("unit_id")
    for name in [c for c in SCORES.names if c in mine and c not in communities]:
        communities[name] = mine[name]
    facilities = _facilities(catalogue, rng, rows, columns, places)
    return ScanResult(
        coverage=long.reset_index(drop=True)[list(COVERAGE.names)],
        scores=scores,
        histogram=pd.DataFrame(columns=list(SCORE_HISTOGRAM.names)),
        communities=communities,
        facilities=facilities,
        access_points=_doors(facilities),
        unplaced=pd.DataFrame(columns=list(UNPLACED.names)),
        homes=pd.DataFrame({name: ["home-7654321"] for name in HOMES.names if "*" not in name}),
        background=_background(rng, rows, columns),
        rules=rules,
        catalogue=catalogue,
        run=RUN,
        settings={"walker": "adult 1.33 m/s", "join_limit_m": 300, "datum": "WGS-84", "spreading": "buildings"},
        approval_number=approval,
    )


def _communities(rows: int, columns: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Quadrangles that share their corners, as real outlines share their borders."""
    y, x = np.mgrid[0 : rows + 1, 0 : columns + 1].astype(float)
    corners = np.dstack([x, y]) + rng.uniform(-0.22, 0.22, (rows + 1, columns + 1, 2))
    corners = corners * CELL + (WEST, SOUTH)
    shapes, names, district, subdistrict = [], [], [], []
    for r in range(rows):
        for c in range(columns):
            ring = [corners[r, c], corners[r, c + 1], corners[r + 1, c + 1], corners[r + 1, c]]
            shapes.append(shapely.Polygon(ring))
            n = len(names)
            names.append(HOSTILE.get(n, f"{NAMES[n % len(NAMES)]}{'' if n < 12 else n}社区"))
            district.append("锦江区" if c < columns / 2 else "成华区")
            subdistrict.append(f"{'甲乙丙'[r % 3]}街道")
    n = len(names)
    people = rng.integers(2_000, 14_000, n)
    people[4] = 60
    kinds = ["urban"] * n
    kinds[5], kinds[6] = "rural", "industrial"
    return gpd.GeoDataFrame(
        {
            "unit_name": names,
            "subdistrict": subdistrict,
            "district": district,
            "unit_type": kinds,
            "people": people,
            "basis": "buildings 92 %, streets 8 %",
            "leg_m_p50": 21.4,
            "leg_m_p90": 63.0,
            "pedestrian_shed": 0.61,
            "not_placed": 0,
        },
        geometry=shapes,
        crs="EPSG:4326",
        index=pd.Index([f"5101{k:05d}" for k in range(n)], name="unit_id", dtype="str"),
    )


def _one(rule: Rule, communities: gpd.GeoDataFrame, walker: str, rng: np.random.Generator) -> pd.DataFrame | None:
    """Rows of one rule and walker for every community; rules of the whole city have none."""
    if rule.denominator in {"units", "land"} or rule.tier == "city":
        return None
    n = len(communities)
    supply = rule.metric in {"per_100hh", "share"}
    demand = communities["people"].to_numpy() // (1 if rule.group == "all" else 25)
    radius = np.clip(rng.beta(3, 1.3, n) + 0.05, 0, 1)
    walk = radius * rng.beta(5, 1.7, n)
    slower = 0.8 if walker == "elder" else 1.0
    status = np.full(
        n, "incomplete" if rule.id == INCOMPLETE else "no_data" if rule.id == NO_DATA else "ok", dtype=object
    )
    status[communities["unit_type"] == "rural"] = "not_applicable"
    status[(demand == 0) | (communities["unit_type"].eq("industrial").to_numpy() & (rule.group != "all"))] = "no_demand"
    known = np.isin(status, ["ok", "incomplete"])
    table = _frame(rule, walker, communities.index, communities["unit_name"], level="community")
    table["demand"] = np.where(supply | (status == "not_applicable"), np.nan, demand)
    for column, part in (("covered", walk), ("radius_covered", radius), ("minutes_covered", walk * slower)):
        table[column] = np.where(known & ~np.array(supply), np.floor(demand * part), np.nan)
    table["value"] = np.where(known & np.array(supply), np.round(rng.uniform(10, 60, n), 2), np.nan)
    table["nearest_m_median"] = np.where(known & (walk > 0.3), np.round(700 - 600 * walk, 2), np.nan)
    table["facilities"] = np.where(status == "no_data", np.nan, rng.integers(0, 6, n))
    table["status"], table["edge_share"] = status, np.where(communities["people"] > 9_000, 0.12, 0.0)
    return _judged(table)


def _frame(rule: Rule, walker: str, ids: pd.Index, names: pd.Series, *, level: str) -> pd.DataFrame:
    table = pd.DataFrame(index=range(len(ids)), columns=list(COVERAGE.names), dtype=object)
    fixed = {
        "level": level, "standard": rule.standard, "rule": rule.id, "service": "|".join(rule.services),
        "tier": rule.tier, "group": rule.group, "group_basis": "counted", "walker": walker, "gates": "respect",
        "clause_measure": rule.metric,
        "threshold": rule.threshold, "threshold_unit": rule.threshold_unit, "denominator": rule.denominator,
        "clause": rule.citation, "bound": rule.bound, "provision": rule.provision, "confidence": rule.confidence,
    }  # fmt: skip
    return table.assign(**fixed, unit_id=list(ids), unit_name=list(names))


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    for share, covered in (
        ("share", "covered"),
        ("radius_share", "radius_covered"),
        ("minutes_share", "minutes_covered"),
    ):
        table[share] = table[covered].astype(float) / table["demand"].astype(float).where(lambda d: d > 0)
    judged = table["status"].eq("ok") & table["share"].notna()
    table["met_walk"] = (table["share"] >= 0.6).astype(object).where(judged, None)
    table["met_clause"] = (table["radius_share"] >= 0.7).astype(object).where(judged, None)
    return table


def _held(long: pd.DataFrame, communities: gpd.GeoDataFrame, level: str) -> pd.DataFrame:
    """The same rows summed over the subdistricts, the districts or the city."""
    unit = long["unit_id"].map(_holder(communities, level))
    sums = ["demand", "covered", "radius_covered", "minutes_covered", "facilities"]
    table = long.assign(unit_id=unit, level=level)
    table[sums] = table[sums].apply(pd.to_numeric)
    key = ["rule", "walker", "unit_id"]
    added = table.groupby(key, sort=False)[sums].sum(min_count=1)
    held = table.drop_duplicates(key).set_index(key)
    known = long["status"].isin(["ok", "incomplete", "no_data"])
    status = table[known].drop_duplicates(key).set_index(key)["status"]
    held[sums], held["status"] = added, status
    held = held.assign(nearest_m_median=321.0, value=np.nan, edge_share=0.02).reset_index()
    held["unit_name"] = held["unit_id"].str.split("/").str[-1].replace("city", "全市")
    held["status"] = held["status"].fillna("not_applicable")
    return _judged(held)


def _holder(communities: gpd.GeoDataFrame, level: str) -> pd.Series:
    if level == "subdistrict":
        return communities["district"] + "/" + communities["subdistrict"]
    return communities["district"] if level == "district" else pd.Series("city", index=communities.index)


def _scores(
    communities: gpd.GeoDataFrame, long: pd.DataFrame, *, scoring: tuple[str, ...], scored: bool
) -> pd.DataFrame:
    counted = long[long["rule"].isin(scoring) & (long["walker"] == long["walker"].iloc[0])]
    shares = counted.assign(share=counted["share"].astype(float)).pivot_table(
        index=["level", "unit_id"], columns="rule", values="share"
    )
    known = shares.notna().sum(axis=1)
    table = pd.DataFrame({"k_mean": shares.sum(axis=1), "n_scored": known, "n_listed": len(scoring)})
    table["score"] = 100 * table["k_mean"] / known
    table["score_low"] = 100 * table["k_mean"] / len(scoring)
    table["score_high"] = 100 * (table["k_mean"] + len(scoring) - known) / len(scoring)
    table["complete_share"], table["missing_one_share"], table["weakest_rule"] = 0.23, 0.31, shares.idxmin(axis=1)
    people = {("community", unit): int(n) for unit, n in communities["people"].items()}
    for level in ("subdistrict", "district", "city"):
        people |= {
            (level, unit): int(n)
            for unit, n in communities["people"].groupby(_holder(communities, level)).sum().items()
        }
    table = table.reindex(pd.MultiIndex.from_tuples(people, names=["level", "unit_id"]))
    table["people"] = list(people.values())
    silent = (table["people"] < 100) | table["k_mean"].isna() | (not scored)
    table.loc[silent, ["k_mean", "score", "score_low", "score_high", "complete_share", "missing_one_share"]] = np.nan
    table = table.reset_index()
    names = communities["unit_name"].to_dict()
    table["unit_name"] = [names.get(u, "全市" if u == "city" else u.rsplit("/", 1)[-1]) for u in table["unit_id"]]
    table["unit_type"] = table["unit_id"].map(communities["unit_type"])
    themes = {f"theme_{theme}": table["k_mean"] / len(scoring) for theme in THEMES}
    return table.assign(unit_complete=None, confidence="M+", **themes)[list(SCORES.names)]


def _facilities(catalogue: object, rng: np.random.Generator, rows: int, columns: int, number: int) -> gpd.GeoDataFrame:
    services = [s for s in catalogue.services.values() if s.spatial and s.theme != "information"][:40]
    picked = [services[k] for k in rng.integers(0, len(services), number)]
    xy = rng.uniform((0, 0), (columns, rows), (number, 2)) * CELL + (WEST, SOUTH)
    shapes = shapely.points(xy)
    shapes[::5] = shapely.buffer(shapes[::5], 0.0006, cap_style="square")
    names = [f"{s.name_zh}{k}" for k, s in enumerate(picked)]
    names[0] = "<b onclick=alert(3)>设施</b></script>"
    return gpd.GeoDataFrame(
        {
            "facility_id": [f"n{k}" for k in range(number)],
            "service": [s.id for s in picked],
            "theme": [s.theme for s in picked],
            "name": names,
            "source": ["osm" if k % 3 else "own.csv" for k in range(number)],
            "how": "gate",
            "area_m2": np.nan,
            "complete": "unknown",
        },
        geometry=shapes,
        crs="EPSG:4326",
    )


def _doors(facilities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    points = shapely.centroid(facilities.geometry.to_numpy())
    doors = gpd.GeoDataFrame(
        {
            "facility_id": facilities["facility_id"],
            "service": facilities["service"],
            "source": facilities["source"],
            "how": np.where(shapely.area(facilities.geometry.to_numpy()) > 0, "gate", "point"),
            "edge_id": 1,
            "leg_m": 12.0,
        },
        geometry=shapely.transform(points, lambda xy: xy + 0.0002),
        crs="EPSG:4326",
    )
    return doors[[*ACCESS_POINTS.names]]


def _background(rng: np.random.Generator, rows: int, columns: int) -> gpd.GeoDataFrame:
    def line(points: np.ndarray) -> shapely.LineString:
        return shapely.LineString(points * CELL + (WEST, SOUTH))

    things: list[tuple[str, int, str, object]] = []
    along = np.linspace(-0.5, columns + 0.5, 60)
    river = np.c_[along, rows * 0.45 + 0.5 * np.sin(along)]
    things.append(("water", 0, "锦江", shapely.buffer(line(river), 0.0009)))
    things.append(("water", 1, "沙河", line(np.c_[columns * 0.7 + 0.2 * np.sin(along), along * rows / columns])))
    for k in range(max(3, rows * columns // 3)):
        centre = rng.uniform((0, 0), (columns, rows)) * CELL + (WEST, SOUTH)
        things.append(("green", 0, f"公园{k}", shapely.buffer(shapely.Point(centre), rng.uniform(0.0006, 0.0022))))
    for k in np.arange(0, columns + 0.01, 0.25):
        things.append(
            ("road", 1 if k % 1 == 0 else 4, "", line(np.c_[np.full(9, k), np.linspace(-0.3, rows + 0.3, 9)]))
        )
    for k in np.arange(0, rows + 0.01, 0.25):
        things.append(
            (
                "road",
                0 if k == 1 else 2 if k % 1 == 0 else 4,
                "",
                line(np.c_[np.linspace(-0.3, columns + 0.3, 9), np.full(9, k)]),
            )
        )
    things.append(
        ("rail", 0, "", line(np.array([[-0.3, rows + 0.2], [columns / 2, rows * 0.8], [columns + 0.3, 0.1]])))
    )
    kind, rank, name, shapes = zip(*things, strict=True)
    return gpd.GeoDataFrame({"kind": kind, "rank": rank, "name": name}, geometry=list(shapes), crs="EPSG:4326")
