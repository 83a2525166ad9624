"""The circle sheet (生活圈单页): one place on one page, for a hearing about it.

The circle of a community from where its people live, or from a chosen point; who lives inside; which services of the
run's scoring list can be walked to from there, and which are missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from livingcircle.circles import CircleGrid, answered, join_points
from livingcircle.community_circles import MINUTES, Starts, circles_question, ground_of, starts_of
from livingcircle.coverage import rule_walker
from livingcircle.measured import Measured, check_units
from livingcircle.output_folder import replaced_file
from livingcircle.progress import Progress
from livingcircle.reach import City, Layer
from livingcircle.recorded import district_of, measured_again, own_id, recorded_study
from livingcircle.result import ScanResult
from livingcircle.rules import Rule
from livingcircle.saved import load_result
from livingcircle.study import Study, find_walkers
from livingcircle.unit_names import unit_called
from livingcircle.walkers import Walker
from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import InputError, UsageError
from livingcircle_layers.typed_toml import nearest

Floats = npt.NDArray[np.float64]

WITHIN, BEYOND, MISSING, NO_DATA = "within", "beyond", "missing", "no_data"
PAPERS = ("A4", "A3")


@dataclass(frozen=True)
class Sheet:
    """Everything a circle sheet shows; geometries in the plane `crs` of the network.

    Attributes
    ----------
    unit_id, unit_name, above
        The community, and its subdistrict and district.
    start, chosen
        Where the circle begins; whether the user chose the point.
    bands
        ``minutes, people, area_m2, pedestrian_shed, geometry``, the shortest first.
    services
        A row per rule: ``number, name_zh, name_en, colour, inside`` (places within each band), ``nearest_m``,
        ``nearest_min`` (NaN: not reached within the search limit), ``verdict`` (within or beyond the rule's own
        measure from the start; missing: no place in the widest circle; no_data), ``share`` of the community's people
        within the rule on foot, ``at_least``, ``clause, mark``.
    places
        The places inside the widest circle: ``number`` of their row, ``minutes``, ``geometry`` (a point).
    """

    unit_id: str
    unit_name: str
    above: str
    start: shapely.Point
    chosen: bool
    walker: Walker
    bands: gpd.GeoDataFrame
    services: pd.DataFrame
    places: gpd.GeoDataFrame
    outline: shapely.Geometry
    background: gpd.GeoDataFrame
    result: ScanResult

    @property
    def of_land(self) -> bool:
        """Nobody is known, and m² of residential land stand in the place of people."""
        return bool(self.result.run.get("demand") == "residential_land")


def circle_sheet(
    measured: Measured,
    result: ScanResult,
    unit_id: str,
    *,
    at: tuple[float, float] | None = None,
    minutes: Sequence[float] = MINUTES,
    walker: Walker | None = None,
) -> Sheet:
    """Return what the circle sheet of a community shows.

    Parameters
    ----------
    measured, result
        A scan, as measured and as counted by unit.
    unit_id
        The community.
    at
        Longitude and latitude of a point to begin at; by default where the community's people live (see
        `livingcircle.community_circles`).
    minutes
        The bands.
    walker
        Who walks; by default the first walker of the study.

    Raises
    ------
    UsageError
        There is no such community.
    InputError
        The point is not on the street network, or nobody lives there and no point is given.
    """
    units = measured.inputs.units
    check_units([unit_id], units)
    walker = walker or measured.walkers[0]
    city, barriers = ground_of(measured)
    start = _start(measured, city, barriers, unit_id, at)
    [bands] = answered(CircleGrid(city.network, barriers), [circles_question(city, start, walker, minutes)])
    services, places = _services(measured, result, city, start, walker, bands["minutes"].to_numpy(), unit_id)
    row = units.loc[unit_id]
    above = [str(row[c]) for c in ("subdistrict", "district") if str(row.get(c) or "") not in ("", "nan", "None")]
    return Sheet(
        unit_id=unit_id,
        unit_name=str(row["unit_name"] or unit_id),
        above=" · ".join(above),
        start=shapely.Point(*start.xy[0]),
        chosen=at is not None,
        walker=walker,
        bands=bands,
        services=services,
        places=places,
        outline=row.geometry,
        background=measured.inputs.osm.background,
        result=result,
    )


def scanned_sheet(
    directory: str | Path,
    unit_id: str,
    *,
    at: tuple[float, float] | None = None,
    minutes: Sequence[float] = MINUTES,
    walker: str | None = None,
    study: Study | str | Path | None = None,
    progress: Progress | None = None,
) -> Sheet:
    """Return the circle sheet of a community of a finished scan, whose inputs are read again.

    Parameters
    ----------
    directory
        Folder of the scan.
    walker
        Name of who walks; by default the first walker of the scan.
    study
        Where the inputs are now, if not where the scan found them.
    unit_id
        The community; its name will do where no other has it.
    at, minutes
        As for `circle_sheet`.
    """
    result = load_result(directory)
    unit_id = unit_called(unit_id, result.communities["unit_name"])
    check_units([unit_id], result.communities)  # before the long work begins
    district = district_of(result, unit_id)
    who = find_walkers([walker], recorded_study(directory, district).profiles())[0] if walker else None
    measured = measured_again(directory, study, district=district, progress=progress)
    own = own_id(measured, district, unit_id)
    here = result.coverage["unit_id"] == unit_id
    result = replace(result, coverage=result.coverage[here].assign(unit_id=own))
    return circle_sheet(measured, result, own, at=at, minutes=minutes, walker=who)


def check_sheet_file(path: str | Path, *, paper: str = "A4") -> None:
    """Refuse a name or a paper that no sheet can be written to, before the long work begins.

    Raises
    ------
    UsageError
        The name ends in neither .pdf nor .png, or the paper is neither A4 nor A3.
    """
    path = Path(path)
    if path.suffix.lower() not in (".pdf", ".png"):
        raise UsageError(
            "a sheet is a PDF or a PNG",
            got=path.name,
            expected="a name that ends in .pdf or .png",
            remedy=f"did you mean {path.with_suffix('.pdf').name}?",
        )
    if paper not in PAPERS:
        close = nearest(paper.upper(), PAPERS)
        remedy = f"did you mean {close}?" if close else None
        raise UsageError("a sheet is not printed on this paper", got=paper, expected=" or ".join(PAPERS), remedy=remedy)


def save_sheet(sheet: Sheet, path: str | Path, *, paper: str = "A4") -> Path:
    """Write a circle sheet as PDF or PNG, by the ending of the name; the same sheet gives the same bytes.

    Raises
    ------
    UsageError
        The name ends in neither, or the paper is neither A4 nor A3.
    InputError
        No font with Chinese is installed, or the file cannot be written.
    """
    from livingcircle._sheet_page import draw_sheet

    path = Path(path)
    check_sheet_file(path, paper=paper)
    with replaced_file(path) as stage:
        draw_sheet(sheet, stage, paper=paper, form="pdf" if path.suffix.lower() == ".pdf" else "png")
    return path


def _start(
    measured: Measured, city: City, barriers: npt.NDArray[Any], unit_id: str, at: tuple[float, float] | None
) -> Starts:
    """Return where the circle begins: at the chosen point, or where the community's people live."""
    if at is not None:
        point = gpd.GeoSeries([shapely.Point(*at)], crs=WGS84).to_crs(city.network.streets.crs)
        xy = shapely.get_coordinates(point.to_numpy())
        joins = join_points(
            city.network, barriers, xy, [f"({at[0]:g}, {at[1]:g})"], limit_m=measured.study.join_limit_m
        )
        return Starts(np.array([unit_id]), joins, xy)
    starts = starts_of(city)
    own = starts.unit_id == unit_id
    if not own.any():
        raise InputError(
            f"nobody of community {unit_id} lives on the street network, so that its circle has no start",
            remedy="choose a point with --at LON,LAT",
        )
    return starts.take(own)


def _services(
    measured: Measured,
    result: ScanResult,
    city: City,
    start: Starts,
    walker: Walker,
    minutes: Floats,
    unit_id: str,
) -> tuple[pd.DataFrame, gpd.GeoDataFrame]:
    """Return a row per rule of the list, and the places of all rows inside the widest circle."""
    listed = [r for r in measured.rules.scoring_rules if r.id in measured.first]
    listed = listed or [j.rule for j in measured.first.values()]
    walks = _Walks(measured, city, start, walker)
    coverage = result.coverage
    own = coverage[(coverage["level"] == "community") & (coverage["unit_id"] == unit_id)]
    shares = own.drop_duplicates("rule").set_index("rule")
    rows, places = [], []
    for number, rule in enumerate(listed, start=1):
        inside = walks.places(rule, minutes[-1])
        status = measured.standings[rule.id].status
        service = measured.catalogue.services[rule.services[0]] if rule.services else None
        counts = tuple(int((inside["minutes"] <= m).sum()) for m in minutes)
        rows.append(
            {
                "number": number,
                "name_zh": rule.name_zh,
                "name_en": rule.name_en,
                "colour": service.colour if service else "#5f6b76",
                "inside": counts,
                "nearest_m": walks.nearest(rule, "m"),
                "nearest_min": walks.nearest(rule, "min"),
                "verdict": NO_DATA if status == "no_data" else walks.verdict(rule, counts[-1]),
                "share": float(shares["share"].get(rule.id, np.nan)),
                "at_least": status == "incomplete",
                "clause": rule.citation,
                "mark": rule.mark,
            }
        )
        places.append(inside.assign(number=number))
    table = gpd.GeoDataFrame(pd.concat(places, ignore_index=True), crs=city.network.streets.crs)
    return pd.DataFrame(rows), table


class _Walks:
    """Walks from one start to all access points of a city, within the search limit."""

    def __init__(self, measured: Measured, city: City, start: Starts, walker: Walker) -> None:
        self._measured, self._city, self._start, self._walker = measured, city, start, walker
        self._found: dict[tuple[str, str], pd.Series] = {}

    def to_facilities(self, walker: Walker, unit: Literal["m", "min"]) -> pd.Series:
        """Return metres or minutes to each facility_id that is reached."""
        if (walker.name, unit) not in self._found:
            limit = self._measured.study.search_limit_m
            walk = self._city.network.walk(walker, unit="m" if unit == "m" else "s")
            seconds = limit / walker.speed_m_s
            _, door, cost = walk.pairs(
                self._start.joins, self._city.door_joins, limit=limit if unit == "m" else seconds
            )
            ids = self._city.doors["facility_id"].to_numpy()[door]
            nearest = pd.Series(cost / (1 if unit == "m" else 60)).groupby(ids).min()
            self._found[walker.name, unit] = nearest
        return self._found[walker.name, unit]

    def nearest(self, rule: Rule, unit: Literal["m", "min"], walker: Walker | None = None) -> float:
        """Return the walk to the nearest place of a rule; NaN where none is reached."""
        if rule.parts:
            parts = [self.nearest(self._measured.first[p].rule, unit, walker) for p in rule.parts]
            return float((np.fmin if rule.combine == "any_of" else np.maximum).reduce(parts))
        walks = self.to_facilities(walker or self._walker, unit)
        ids = self._city.facilities["facility_id"][Layer.of(rule).chosen(self._city.facilities)]
        return float(walks.reindex(ids.unique()).min())

    def places(self, rule: Rule, minutes: float) -> pd.DataFrame:
        """Return the places of a rule within some minutes: `minutes` and `geometry`, the nearest first."""
        rules = [self._measured.first[p].rule for p in rule.parts] if rule.parts else [rule]
        mine = np.any([Layer.of(r).chosen(self._city.facilities) for r in rules], axis=0)
        once = self._city.facilities[mine].drop_duplicates("facility_id")
        walk = self.to_facilities(self._walker, "min").reindex(once["facility_id"]).to_numpy()
        points = shapely.point_on_surface(once.geometry.to_numpy())
        table = pd.DataFrame({"minutes": walk, "id": once["facility_id"].to_numpy(), "geometry": points})
        return table[table["minutes"] <= minutes].sort_values(["minutes", "id"], ignore_index=True)

    def verdict(self, rule: Rule, inside: int) -> str:
        """Tell whether the start lies within the rule's own measure of a place."""
        if self._within(rule):
            return WITHIN
        return BEYOND if inside else MISSING

    def _within(self, rule: Rule) -> bool:
        if rule.parts:
            parts = [self._within(self._measured.first[p].rule) for p in rule.parts]
            return any(parts) if rule.combine == "any_of" else all(parts)
        if rule.threshold_unit == "min":
            walk = self.nearest(rule, "min", rule_walker(rule, self._walker, self._measured.study.profiles()))
        else:
            walk = self.nearest(rule, "m")
        return rule.threshold is not None and walk <= rule.threshold
