"""Additions: against a search of every candidate one by one, and against a scan with the place really added."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import livingcircle as lc
from demo_scans import demo_measured as town
from demo_scans import demo_result
from livingcircle.additions import additions_table, candidate_notes, candidates_of
from livingcircle.explain import explain
from livingcircle.measured import measure
from livingcircle.scan import coverage_of, result_of
from livingcircle.study_parts import CandidatesInput, CommunitiesInput, FacilitiesInput, PopulationInput, StreetsInput
from livingcircle_layers.errors import InputError

MARKET = "gb50180_2018_fresh_market"
FITNESS = "gb50180_2018_outdoor_fitness"


def additions() -> pd.DataFrame:
    table = demo_result().additions
    assert table is not None
    return table


@cache
def walks() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every pair of home and candidate within 1,000 m: home, candidate, metres."""
    network, homes = town().city.network, town().city.home_joins
    return network.walk().pairs(homes, candidates_of(town()).joins, limit=1000)


def tried_one_by_one(rule_id: str) -> np.ndarray:
    """People gained at every candidate, from all pairs; for rules of one service, in metres."""
    measured, (home, candidate, cost) = town(), walks()
    verdict = measured.first[rule_id]
    group = np.where(measured.people.applies(verdict.rule), measured.people.residents(verdict.rule), 0)
    assert verdict.rule.threshold is not None
    near = (cost <= verdict.rule.threshold) & ~verdict.walk[home]
    n = len(candidates_of(measured).ids)
    return np.bincount(candidate[near], weights=group[home[near]], minlength=n).astype(int)


@pytest.mark.parametrize("rule", [MARKET, FITNESS, "gb50180_2018_kindergarten", "gb50180_2018_culture_centre"])
def test_the_best_are_the_best_of_all(rule: str) -> None:
    measured, candidates, gained = town(), candidates_of(town()), tried_one_by_one(rule)
    found = additions().query("rule == @rule").dropna(subset="rank")
    position = pd.Index(candidates.ids).get_indexer(found["candidate_id"])
    assert found["gained"].tolist() == gained[position].tolist()
    # One after the other the best of all that lie the rule's reach from those before it; the first of equals.
    reach = measured.first[rule].rule.threshold
    left, expected = np.ones(len(gained), dtype=bool), []
    for _ in range(measured.study.candidates.top):
        best = int(np.argmax(np.where(left, gained, -1)))
        expected.append(candidates.ids[best])
        left &= np.hypot(*(candidates.xy - candidates.xy[best]).T) >= reach
    assert found["candidate_id"].tolist() == expected


def test_completed_are_those_who_lack_nothing_else() -> None:
    measured, candidates = town(), candidates_of(town())
    required = [r for r in measured.rules.scoring_rules if r.provision == "required" and r.id in measured.first]
    required = [r for r in required if measured.standings[r.id].status != "no_data"]
    reached = np.sum([measured.first[r.id].walk | ~measured.people.applies(r) for r in required], axis=0)
    last = reached == len(required) - 1
    everybody = measured.people.groups["all"]
    for row in additions().dropna(subset="completed").itertuples():
        verdict = measured.first[row.rule]
        if len(verdict.rule.services) != 1 or verdict.rule.combine or not row.gained:
            continue
        at = int(np.flatnonzero(candidates.ids == row.candidate_id)[0])
        home, candidate, cost = walks()
        near = (candidate == at) & (cost <= (verdict.rule.threshold or 0))
        then = home[near & last[home] & ~verdict.walk[home]]
        assert row.completed == everybody[then].sum()
    ranked = additions().dropna(subset="city_rank").sort_values("city_rank")
    assert len(ranked)
    assert ranked["completed"].is_monotonic_decreasing


def test_a_scan_with_the_place_added_gains_exactly_these_people(tmp_path: Path) -> None:
    best = additions().query("rule == @MARKET and rank == 1").iloc[0]
    pd.DataFrame({"name": ["新店"], "lon": [best["lon"]], "lat": [best["lat"]]}).to_csv(
        tmp_path / "new.csv", index=False
    )
    study = town().study
    new = FacilitiesInput(file=tmp_path / "new.csv", service="fresh_market", mode="add")
    after = coverage_of(measure(study.model_copy(update={"facilities": (*study.facilities, new)})))

    def covered(table: pd.DataFrame) -> int:
        return int(table.query("level == 'city' and rule == @MARKET")["covered"].iloc[0])

    assert covered(after) - covered(demo_result().coverage) == best["gained"]


def test_listed_places_lie_apart_and_on_streets() -> None:
    measured = town()
    streets = measured.city.network.streets
    for rule, part in additions().dropna(subset="rank").groupby("rule"):
        points = gpd.GeoSeries(gpd.points_from_xy(part["lon"], part["lat"]), crs=4326).to_crs(streets.crs)
        away = points.geometry.apply(points.distance).to_numpy()
        # a rule of two parts lists places for the part that decides: here green within 300 m or a park within 500 m
        reach = measured.first[str(rule)].rule.threshold or 300.0
        assert len(points) > 1
        assert (away[~np.eye(len(away), dtype=bool)] >= reach - 0.5).all()
        near = shapely.STRtree(streets.lines).query_nearest(points.to_numpy(), return_distance=True)[1]
        assert (near < 0.2).all()  # six decimals of a degree


def test_parcels_of_the_planner(tmp_path: Path) -> None:
    west, south, east, north = demo_result().communities.total_bounds
    lon, lat = (west + east) / 2, (south + north) / 2
    gpd.GeoDataFrame(
        {"地块编号": ["B-2", "A-1", "远"], "name": ["乙", "甲", ""]},
        geometry=[
            shapely.box(lon, lat, lon + 0.0005, lat + 0.0005),
            shapely.Point(lon + 0.004, lat),
            shapely.Point(0, 0),
        ],
        crs=4326,
    ).to_file(tmp_path / "parcels.geojson")
    study = town().study
    chosen = CandidatesInput(file=tmp_path / "parcels.geojson")
    measured = measure(study.model_copy(update={"candidates": chosen}))
    candidates = candidates_of(measured)
    assert candidates.ids.tolist() == ["A-1", "B-2"]  # the third is on another continent
    assert "1 parcels were not tried, as no street can be joined from them: 远" in candidate_notes(measured, candidates)
    table = additions_table(measured, candidates)
    assert set(table["candidate_id"]) <= {"A-1", "B-2"}
    assert set(table["candidate_name"]) <= {"甲", "乙"}
    assert (table["gained"] > 0).all()


def test_parcels_that_cannot_be_used(tmp_path: Path) -> None:
    study = town().study
    lines = tmp_path / "lines.geojson"
    gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (1, 1)])], crs=4326).to_file(lines)
    with pytest.raises(InputError, match=r"lines.geojson holds no parcel; got lines only; expected polygons or points"):
        measure(study.model_copy(update={"candidates": CandidatesInput(file=lines)}))
    twice = tmp_path / "twice.geojson"
    gpd.GeoDataFrame({"id": ["a", "a"]}, geometry=[shapely.Point(0, 0), shapely.Point(1, 1)], crs=4326).to_file(twice)
    with pytest.raises(InputError, match="ids stand for several parcels; got a"):
        measure(study.model_copy(update={"candidates": CandidatesInput(file=twice)}))
    with pytest.raises(InputError, match=r"file not found: .*none.geojson; expected the parcels of the study"):
        measure(study.model_copy(update={"candidates": CandidatesInput(file=tmp_path / "none.geojson")}))


def test_none_are_looked_for() -> None:
    measured = town()
    quiet = measured.study.model_copy(update={"candidates": CandidatesInput(top=0)})
    assert result_of(replace(measured, study=quiet)).additions is None


@pytest.mark.realdata
def test_chengdu_against_all_pairs(real_data: Path) -> None:
    city = real_data / "chengdu"
    study = lc.Study(
        standard="chengdu",
        streets=StreetsInput(osm=city / "chengdu-centre.osm.pbf"),
        communities=CommunitiesInput(file=city / "communities_standin.geojson"),
        population=PopulationInput(file=city / "population_grid_night.csv"),
    )
    measured = measure(study)
    candidates = candidates_of(measured)
    assert 4_000 < len(candidates.ids) < 5_500  # about 815 km of walkable ways, thinned to one in a square of 100 m
    verdict = measured.first[MARKET]
    home, candidate, _ = measured.city.network.walk().pairs(measured.city.home_joins, candidates.joins, limit=500)
    missed = ~verdict.walk[home]
    people = measured.people.residents(verdict.rule)[home[missed]]
    gained = np.bincount(candidate[missed], weights=people, minlength=len(candidates.ids))
    best = additions_table(measured, candidates).query("rule == @MARKET and rank == 1").iloc[0]
    assert best["gained"] == gained.max()
    # An independent look at the map: markets are few, and a circle promises over twice as many people as can walk.
    coverage = coverage_of(measured).query("level == 'city' and rule == @MARKET").iloc[0]
    assert coverage["radius_covered"] > 2 * coverage["covered"]
    told = explain(measured, "city", MARKET)
    assert told.row["covered"] == coverage["covered"]
    assert sum(p.people or 0 for p in told.places) <= coverage["covered"]
