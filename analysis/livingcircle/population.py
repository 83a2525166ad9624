"""Who lives in a study, as read; what stands in where nobody is known; and how two populations differ."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from livingcircle.study_parts import PopulationInput
from livingcircle_layers.crs import WGS84
from livingcircle_layers.datum import shifted
from livingcircle_layers.errors import InputError
from livingcircle_layers.osm import OsmExtract
from livingcircle_layers.people import People, people_in, people_of_land, read_people

_AROUND = 0.02  # degrees beyond the communities from which a raster is read
_SHOWN = 5


def read_population(
    given: PopulationInput | None, osm: OsmExtract, units: gpd.GeoDataFrame | None, around: tuple[float, ...]
) -> People:
    """Read one population of a study; without one, residential land stands in, each m² as one of the people.

    Parameters
    ----------
    given
        What the study says of it.
    osm
        Its plane is that of the result; its residential land stands in.
    units
        EPSG:4326, communities that totals may name; None: they are made of cells and have no names yet.
    around
        Box in degrees that a raster is read for.

    Raises
    ------
    InputError
        The population cannot be used, or there is neither one nor residential land.
    """
    if given is None:
        if osm.residential_land.empty:
            raise InputError(
                "nobody is known, and no residential land either",
                got="a study without population, streets without landuse=residential",
                expected="where people live",
                remedy="give --population: a table, totals of communities or a raster",
            )
        return people_of_land(osm.residential_land)
    return read_counted(given, osm.crs, units, around)


def read_counted(given: PopulationInput, crs: CRS, units: gpd.GeoDataFrame | None, around: tuple[float, ...]) -> People:
    """Read one population of a study into the plane `crs`; see `read_population`."""
    people = read_people(
        given.rows,
        crs=crs,
        window=shapely.box(*around).buffer(_AROUND),
        units=units,
        values=given.values,
        household_size=given.household_size,
    )
    moved = people.kind == "grid table"  # a raster says itself where it lies, totals lie where the communities do
    return replace(people, cells=shifted(people.cells, given.datum)) if moved else people


def read_beside(given: PopulationInput, osm: OsmExtract, communities: gpd.GeoDataFrame) -> People:
    """Read another population for the same communities (EPSG:4326), for a comparison."""
    units = communities.to_crs(WGS84)
    return read_population(given, osm, units, tuple(units.total_bounds))


def compare_people(first: People, second: People, units: gpd.GeoDataFrame) -> pd.DataFrame:
    """Compare two populations by community; a cell on a border counts by the ground it shares.

    Parameters
    ----------
    first, second
        In the plane of the units.
    units
        Index ``unit_id``; ``unit_name, subdistrict, district``.

    Returns
    -------
    Same index; ``unit_name, subdistrict, district, first, second`` (people), ``difference`` (second - first) and
    ``ratio`` (second / first; NaN where the first has nobody).
    """
    ground = units.geometry.to_numpy()
    one, other = people_in(first, ground), people_in(second, ground)
    table = pd.DataFrame(units[["unit_name", "subdistrict", "district"]])
    ratio = np.divide(other, one, out=np.full(len(one), np.nan), where=one > 0)
    return table.assign(first=one, second=other, difference=other - one, ratio=ratio)


def comparison_lines(table: pd.DataFrame, first: str, second: str) -> list[str]:
    """Say how two populations differ: totals, by district, correlation over communities, largest differences.

    Parameters
    ----------
    table
        As `compare_people` returns it.
    first, second
        Names of the two.
    """
    total = table[["first", "second"]].sum()
    change = _change(total["first"], total["second"])
    lines = [f"two populations: {first} {total['first']:,.0f}, {second} {total['second']:,.0f} people ({change})"]
    districts = table[table["district"] != ""].groupby("district")[["first", "second"]].sum()
    lines += [
        f"two populations: district {name}: {row['first']:,.0f}, {row['second']:,.0f}"
        f" ({_change(row['first'], row['second'])})"
        for name, row in districts.iterrows()
    ]
    if len(table) > 2 and table["first"].std() > 0 and table["second"].std() > 0:
        r = float(np.corrcoef(table["first"], table["second"])[0, 1])
        lines.append(f"two populations: correlation over {len(table)} communities r = {r:.3f}")
    largest = table.loc[table["difference"].abs().round(6).sort_values(ascending=False, kind="stable").index[:_SHOWN]]
    shown = "; ".join(
        f"{unit} {row['first']:,.0f} → {row['second']:,.0f}" for unit, row in largest.iterrows() if row["difference"]
    )
    return [*lines, f"two populations: largest differences: {shown or 'none'}"]


def _change(first: float, second: float) -> str:
    return f"{second / first - 1:+.1%}" if first > 0 else "nobody in the first"
