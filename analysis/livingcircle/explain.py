"""Why a share is what it is: the sum behind it, the places that counted, and a way that is just too long.

Nothing here speaks of a single building: the position is a point of a street beside which at least ten people live who
are outside, it carries no number of people, and places that serve fewer than ten people of the unit show ``<10``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.columns import COVERAGE, published
from livingcircle.coverage import Judged, rule_walker
from livingcircle.credits import NOT_A_SURVEY, approval_line, input_credit
from livingcircle.gaps import nearest_doors, without_place
from livingcircle.joins import Joins
from livingcircle.marks import input_files
from livingcircle.measured import Measured, measure
from livingcircle.missed import KNOWN
from livingcircle.output_folder import replaced_file
from livingcircle.progress import Progress
from livingcircle.reach import City, Layer
from livingcircle.recorded import district_of, measured_again, own_id
from livingcircle.result import ScanResult
from livingcircle.route import Route, RouteParts, route_parts, route_to_nearest
from livingcircle.rules import Rule, RuleSet
from livingcircle.saved import load_result
from livingcircle.scan import coverage_of
from livingcircle.study import Study
from livingcircle.unit_names import unit_called
from livingcircle.walkers import Walker
from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import InputError, UsageError
from livingcircle_layers.typed_toml import nearest

FEWEST = 10  # people; smaller numbers and streets of fewer people could speak of one household (design: 1–9 as <10)
_STEP_M = 25.0  # between the street positions that are looked at
_KEY = ["unit_id", "rule", "walker", "gates"]


@dataclass(frozen=True)
class Place:
    """A place that counted: nearest to so many of the covered people of the unit; None stands for under ten."""

    facility_id: str
    name: str
    people: int | None


@dataclass(frozen=True)
class Outside:
    """A street position that is just outside, and its way to the nearest place."""

    part: Rule
    walker: Walker
    facility_id: str
    name: str
    parts: RouteParts
    position: tuple[float, float]
    street: shapely.LineString
    leg: shapely.LineString
    crossings: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Explanation:
    """Why a unit has its share of a rule.

    Attributes
    ----------
    row
        The row of `coverage.csv`, number by number.
    rule
        The rule.
    unreached
        Of the people not covered those without any place within the search limit.
    not_placed
        People of the unit who are on no street and in no number.
    places
        Places that counted, by people.
    outside
        A street position just outside; None where nobody is outside, or no way leads to a place.
    outline
        The unit, of the user's own layer; None for the city.
    credits
        What must stand beside it.
    """

    row: Mapping[str, Any]
    rule: Rule
    unreached: int
    not_placed: int
    places: tuple[Place, ...]
    outside: Outside | None
    outline: Any
    credits: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        from livingcircle.notebook import explanation_html

        return explanation_html(self)

    def lines(self) -> list[str]:
        """Return the explanation in Chinese and English, a line each."""
        from livingcircle._explain_words import told

        return told(self)

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the drawing as plain values."""
        outside = self.outside
        return {
            "row": dict(self.row),
            "rule": {"id": self.rule.id, "name_zh": self.rule.name_zh, "name_en": self.rule.name_en},
            "unreached": self.unreached,
            "not_placed": self.not_placed,
            "places": [{"id": p.facility_id, "name": p.name, "people": _shown(p.people)} for p in self.places],
            "outside": None
            if outside is None
            else {
                "part": outside.part.id,
                "walker": outside.walker.name,
                "lon": outside.position[0],
                "lat": outside.position[1],
                "facility_id": outside.facility_id,
                "facility_name": outside.name,
                "metres": outside.parts.metres,
                "seconds": outside.parts.seconds,
                **{k: round(v, 2) for k, v in vars(outside.parts).items()},
            },
            "credits": list(self.credits),
        }

    def geojson(self) -> dict[str, Any]:
        """Return unit, position, way and crossings as GeoJSON in WGS-84 degrees, with what must stand beside it."""
        features = [] if self.outline is None else [_feature(self.outline, kind="unit", unit_id=self.row["unit_id"])]
        if self.outside is not None:
            o = self.outside
            features += [
                _feature(shapely.Point(o.position), kind="position", rule=self.rule.id),
                _feature(o.street, kind="street", metres=round(o.parts.street_m, 2)),
                _feature(o.leg, kind="leg", metres=round(o.parts.leg_m, 2)),
                _feature(shapely.Point(o.leg.coords[-1]), kind="place", id=o.facility_id, name=o.name),
                *(_feature(shapely.Point(x, y), kind="crossing", wait_s=wait) for x, y, wait in o.crossings),
            ]
        return {"type": "FeatureCollection", "attribution": "; ".join(self.credits), "features": features}

    def save(self, path: str | Path) -> Path:
        """Write the drawing as GeoJSON."""
        path = Path(path)
        with replaced_file(path) as stage:
            stage.write_text(json.dumps(self.geojson(), ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
        return path


def explain(
    scan: Measured | ScanResult | Study | str | Path,
    unit: str,
    rule: str,
    *,
    walker: str | None = None,
    gates: str | None = None,
    study: Study | str | Path | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Explain the share of one unit for one rule.

    Parameters
    ----------
    scan
        What was measured (`livingcircle.measure`), or a study, which is; or a scan's result or folder, which is
        measured again from the same inputs; of the folder of a batch the district that has the unit.
    unit
        Id of a community, subdistrict or district, or a name that one of them alone has; or ``city``.
    rule
        Id of a rule.
    walker, gates
        By default those that score.
    study
        The study or its file, where the inputs of a folder are not where they were.
    progress
        Called with an event when something begins or ends; see `livingcircle.progress`.

    Raises
    ------
    InputError
        The inputs of the folder have changed since, or its numbers are those of another version.
    UsageError
        There is no such unit, rule, walker or treatment of gates; the rule measures no walk; the unit lies in several
        districts of a batch.
    """
    if isinstance(scan, Measured | Study):
        measured = scan if isinstance(scan, Measured) else measure(scan, progress=progress)
        return _explained(measured, unit, rule, walker, gates)
    folder = scan if isinstance(scan, ScanResult) else load_result(scan)
    asked = _unit(folder.coverage, unit)
    chosen = {name: word for name, word in (("walker", walker), ("gates", gates)) if word}
    _check_words(folder.coverage, folder.rules, unit_id=asked, rule=rule, **chosen)  # before the long work begins
    district = district_of(folder, asked)
    if isinstance(scan, ScanResult):
        measured = measure(_study_of(scan), progress=progress)
    else:
        measured = measured_again(scan, study, district=district, progress=progress)
    found = _explained(measured, own_id(measured, district, asked), rule, walker, gates)
    row = _row(folder.coverage, asked, rule, found.row["walker"], found.row["gates"])
    _check_row(found.row, row)
    names = ("level", "unit_id", "unit_name")  # those of the folder: of a batch the ids of all districts
    return found if row is None else replace(found, row={**found.row, **{name: row[name] for name in names}})


def _study_of(result: ScanResult) -> Study:
    if result.study is None:
        raise UsageError("the result does not hold its study", got="a batch", remedy="name the folder it is saved in")
    return result.study


def _explained(measured: Measured, unit: str, rule: str, walker: str | None, gates: str | None) -> Explanation:
    walker, gates = walker or measured.walkers[0].name, gates or measured.first_gates
    coverage = coverage_of(measured)
    unit = _unit(coverage, unit)
    _check_words(coverage, measured.rules, unit_id=unit, rule=rule, walker=walker, gates=gates)
    verdict = measured.verdicts(walker, gates).get(rule)
    row = _row(coverage, unit, rule, walker, gates)
    if verdict is None or row is None:
        got = measured.rules.rule(rule).metric
        raise UsageError(f"{rule} measures no walk of people", got=got, remedy="choose another rule")
    level = next(u for u in measured.levels if u.level == row["level"])
    code = level.ids.index(unit)
    inside = level.code == code
    known = row["status"] in KNOWN
    without = np.where(inside, without_place(measured, verdict), 0)
    return Explanation(
        row={str(k): _plain(v) for k, v in row.items()},
        rule=verdict.rule,
        unreached=int(without[np.isnan(verdict.walk_m)].sum()),
        not_placed=0 if level.not_placed is None else int(level.not_placed[code]),
        places=_places(measured, verdict, inside) if known else (),
        outside=_outside(measured, verdict, inside) if known and without.any() else None,
        outline=_outline(measured, row["level"], unit),
        credits=_credits(measured),
    )


def _unit(coverage: pd.DataFrame, unit: str) -> str:
    return unit_called(unit, coverage.drop_duplicates(["level", "unit_id"]).set_index("unit_id")["unit_name"])


def _check_words(coverage: pd.DataFrame, rules: RuleSet, **asked: str) -> None:
    """Name what is legal where a word that is asked for is in no row."""
    for column, value in asked.items():
        legal = [word for word in dict.fromkeys(coverage[column]) if word]
        if value not in legal:
            close = _meant(column, value, coverage, rules) or nearest(value, legal)
            raise UsageError(f"the scan has no {column} {value}", remedy=f"did you mean {close}?" if close else
                             f"choose one of {', '.join(map(str, legal[:12]))}")  # fmt: skip


def _meant(column: str, value: str, coverage: pd.DataFrame, rules: RuleSet) -> str | None:
    """Return the ids of the rules whose name holds a word, or the unit whose name comes near; None: neither."""
    if column == "rule":
        ids = set(coverage["rule"])
        return ", ".join([f"{r.id} {r.name_zh}" for r in rules.rules if r.id in ids and value in r.name_zh][:5]) or None
    return nearest(value, coverage["unit_name"].dropna().unique()) if column == "unit_id" else None


def _row(coverage: pd.DataFrame, unit: str, rule: str, walker: str, gates: str) -> pd.Series | None:
    """Return the one row of coverage, as files hold it; None for a rule that nobody walks."""
    found = coverage[(coverage[_KEY] == [unit, rule, walker, gates]).all(axis=1)]
    return None if found.empty else published(found, COVERAGE).iloc[0]


def _check_row(row: Mapping[str, Any], theirs: pd.Series | None) -> None:
    """Refuse to explain a number that is not the one in the folder."""
    for name in ("demand", "covered", "radius_covered"):
        there = row[name] if theirs is None else _plain(theirs[name])
        if row[name] != there:
            raise InputError(
                f"measured again, {name} is another number than in the folder", got=row[name], expected=there,
                remedy="the folder was written by another version: scan again",
            )  # fmt: skip


def _places(measured: Measured, verdict: Judged, inside: npt.NDArray[np.bool_]) -> tuple[Place, ...]:
    """Return the places nearest to the covered people, by people; small numbers are withheld."""
    people = np.where(measured.people.applies(verdict.rule), measured.people.residents(verdict.rule), 0)
    doors = nearest_doors(measured, verdict)
    counted = inside & verdict.walk & (doors >= 0) & (people > 0)
    table = pd.DataFrame({"id": measured.city.doors["facility_id"].to_numpy()[doors[counted]], "n": people[counted]})
    total = table.groupby("id")["n"].sum().reset_index().sort_values(["n", "id"], ascending=[False, True])
    number, ids = total["n"].to_numpy(), total["id"].tolist()
    few = _withheld(number)
    names = measured.city.facilities.drop_duplicates("facility_id").set_index("facility_id")["name"]
    return tuple(Place(i, str(names[i]), None if hide else int(n)) for i, n, hide in zip(ids, number, few, strict=True))


def _withheld(number: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Tell which numbers, the largest first, are not shown: the small ones, and never one alone as the sum is known."""
    few = number < FEWEST
    if few.sum() == 1 and len(few) > 1:
        few[-2] = True
    return few


def _outside(measured: Measured, verdict: Judged, inside: npt.NDArray[np.bool_]) -> Outside | None:
    """Return the street position that is least outside, among streets beside which ten people or more are."""
    part = _deciding(measured, verdict, inside)
    rule = part.rule
    walker = next(w for w in measured.walkers if w.name == verdict.walker)
    own, minutes = rule_walker(rule, walker, measured.study.profiles()), rule.metric == "walk_min"
    limit = (rule.threshold or 0.0) * (60 if minutes else 1)
    farthest = measured.study.search_limit_m / (own.speed_m_s if minutes else 1)
    city = measured.city_of(verdict.gates)
    walk, at = city.network.walk(own, unit="s" if minutes else "m"), city.doors_of(Layer.of(rule))
    doors = city.door_joins.take(at)
    missed = inside & ~part.walk & (without_place(measured, verdict) > 0)
    positions = _positions(city, np.where(missed, measured.people.groups["all"], 0))
    cost = walk.nearest(positions, doors, limit=farthest)[0]
    beyond = cost > limit
    if not np.isfinite(cost).any():
        return None
    # Where streets reach everywhere, people are outside by their own way to the street: then the farthest position.
    best = np.nanargmin(np.where(beyond, cost, np.nan)) if beyond.any() else np.nanargmax(cost)
    place = positions.take(np.array([best]))
    route = route_to_nearest(walk, place, doors, limit=farthest)
    return None if route is None else _drawn(city, rule, own, route, place, int(at[route.door]))


def _deciding(measured: Measured, verdict: Judged, inside: npt.NDArray[np.bool_]) -> Judged:
    """Return the part of a rule that decides: of all that must be reached the rarest, of any the most common."""
    rule, verdicts = verdict.rule, measured.verdicts(verdict.walker, verdict.gates)
    if rule.combine is None:
        return verdict
    people = np.where(inside, measured.people.residents(rule), 0)
    reached = {p: int(people[verdicts[p].walk].sum()) for p in rule.parts}
    choose = min if rule.combine == "all_of" else max
    return verdicts[choose(rule.parts, key=lambda p: reached[p])]


def _positions(city: City, without: npt.NDArray[np.int64]) -> Joins:
    """Return positions along the streets beside which at least ten of these people live."""
    streets, joins = city.network.streets, city.home_joins
    joined = joins.joined
    beside = np.bincount(joins.edge[joined], weights=without[joined], minlength=len(streets.tail))
    edge = np.flatnonzero(beside >= FEWEST)
    count = np.ceil(streets.length_m[edge] / _STEP_M).astype(np.int64) + 1
    owner = np.repeat(edge, count)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    share = number / np.maximum(np.repeat(count, count) - 1, 1)
    return Joins(owner, share, np.zeros(len(owner)), np.full(len(owner), "", dtype=object))


def _drawn(city: City, rule: Rule, walker: Walker, route: Route, place: Joins, door: int) -> Outside:
    streets = city.network.streets
    street = route.line(streets)
    point = city.doors.geometry.to_numpy()[door]
    foot = shapely.Point(street.coords[-1])
    start = shapely.line_interpolate_point(streets.lines[place.edge[0]], place.share[0], normalized=True)
    waits = city.network.walk(walker, unit="s").wait
    passed = [n for n in route.nodes if waits[n] > 0]
    shapes = [start, street, shapely.LineString([foot, point]), *shapely.points(streets.node_xy[passed])]
    start, street, leg, *nodes = gpd.GeoSeries(shapes, crs=streets.crs).to_crs(WGS84)
    facility_id = str(city.doors["facility_id"].iloc[door])
    names = city.facilities.drop_duplicates("facility_id").set_index("facility_id")["name"]
    return Outside(
        part=rule,
        walker=walker,
        facility_id=facility_id,
        name=str(names[facility_id]),
        parts=route_parts(city.network, route, walker),
        position=(round(start.x, 6), round(start.y, 6)),
        street=street,
        leg=leg,
        crossings=tuple((p.x, p.y, float(waits[n])) for p, n in zip(nodes, passed, strict=True)),
    )


def _outline(measured: Measured, level: str, unit: str) -> Any:
    if level != "community":
        return None
    return gpd.GeoSeries([measured.inputs.units.geometry[unit]], crs=measured.inputs.units.crs).to_crs(WGS84).iloc[0]


def _credits(measured: Measured) -> tuple[str, ...]:
    sources = [vars(entry) for entry in input_files(measured.study)]
    found = sorted({input_credit(source) for source in sources} - {""})
    return (*found, approval_line(measured.study.map.approval_number), NOT_A_SURVEY)


def _plain(value: Any) -> Any:
    """Return a cell as a plain value; None where it is empty."""
    if pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _shown(people: int | None) -> int | str:
    return f"<{FEWEST}" if people is None else people


def _feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    shape = shapely.geometry.mapping(shapely.set_precision(geometry, 1e-7, mode="pointwise"))
    return {"type": "Feature", "properties": properties, "geometry": shape}
