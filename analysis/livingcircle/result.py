"""The result of a scan: typed tables that maps, reports and files are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from livingcircle.charts import Chart
    from livingcircle.standards import RuleSet
    from livingcircle.study import Study
    from livingcircle_layers.catalogue import Catalogue


@dataclass(frozen=True)
class DistrictStudy:
    """A district of a batch: its study, and the ids of its communities in the tables of all districts."""

    study: Study
    communities: tuple[str, ...]


@dataclass(frozen=True)
class ScanResult:
    """Everything a scan found out; columns are described in `livingcircle.columns`.

    All geometries are in WGS-84 degrees (EPSG:4326). Tables are in their final order: saving a result
    only writes them.
    """

    coverage: pd.DataFrame
    scores: pd.DataFrame
    histogram: pd.DataFrame
    communities: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    access_points: gpd.GeoDataFrame
    unplaced: pd.DataFrame
    homes: pd.DataFrame
    background: gpd.GeoDataFrame
    rules: RuleSet
    catalogue: Catalogue
    run: Mapping[str, Any]
    settings: Mapping[str, object]
    approval_number: str = ""
    estates: pd.DataFrame | None = None
    study: Study | None = None
    batch: Mapping[str, DistrictStudy] = field(default_factory=dict)  # by name, where districts were scanned together
    circles: gpd.GeoDataFrame | None = None
    bands: gpd.GeoDataFrame | None = None
    facility_circles: gpd.GeoDataFrame | None = None
    estate_names: gpd.GeoDataFrame | None = None
    diagnosis: gpd.GeoDataFrame | None = None
    gaps: pd.DataFrame | None = None
    false_coverage: pd.DataFrame | None = None
    fairness: pd.DataFrame | None = None
    additions: pd.DataFrame | None = None
    capacity: pd.DataFrame | None = None
    sensitivity: pd.DataFrame | None = None
    rank_stability: pd.DataFrame | None = None
    facility_changes: pd.DataFrame | None = None
    districts: pd.DataFrame | None = None
    distances: pd.DataFrame | None = None
    small: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # by table: which missing numbers are 1–9 people

    def _repr_html_(self) -> str:
        from livingcircle.notebook import result_html

        return result_html(self)

    def __repr__(self) -> str:
        people = self.run["people"]
        return f"ScanResult({self.rules.id}: {len(self.communities)} communities, {people['placed']:,} placed)"

    def map(self) -> Any:
        """Return the hearing map as a folium map, which shows itself in a notebook."""
        from livingcircle.hearing_map import build_map

        return build_map(self)

    def chart(self, kind: str, **options: Any) -> Chart:
        """Return a chart of the result: ranking, lorenz or distances; options are those of `livingcircle.charts`."""
        from livingcircle.charts import chart_of

        return chart_of(self, kind, **options)

    def save(self, directory: str | Path, *, homes: bool = False, postgis: str | None = None) -> Path:
        """Write every output file into `directory`, all together or not at all.

        Parameters
        ----------
        directory
            Created if missing. An earlier result in it is replaced as a whole.
        homes
            Also write `homes.parquet`, for checks; it is never published.
        postgis
            URL of a PostGIS database that gets the tables communities, facilities, coverage and scores, too:
            ``postgresql://user@host/database?schema=livingcircle``.

        Returns
        -------
        pathlib.Path
            The directory.
        """
        from livingcircle.postgis_tables import Target
        from livingcircle.save import save_result

        return save_result(self, Path(directory), homes=homes, postgis=Target.of(postgis) if postgis else None)
