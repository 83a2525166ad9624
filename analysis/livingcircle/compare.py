"""Two finished scans beside each other: the difference per unit and rule in people, and what caused it."""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import Geod

from livingcircle._compare_book import write_comparison
from livingcircle._report_words import rule_label
from livingcircle.columns import CAUSES, COMPARISON, conform, published
from livingcircle.output_folder import replaced_file
from livingcircle.result import ScanResult
from livingcircle.same_places import metres_apart, places_of, same_places
from livingcircle.saved import load_result
from livingcircle.walkers import WALKERS
from livingcircle_layers.crs import WGS84
from livingcircle_layers.errors import InputError

KEY = ["level", "unit_id", "rule", "walker", "gates"]
_ROWS_FILE, _CAUSES_FILE, _BOOK = "compare.csv", "compare_causes.csv", "compare.xlsx"
MOVED_M = 1.0  # metres; less is rounding
REDRAWN_SHARE = 0.001  # of two outlines together; less is rounding on another plane
_TOLD = ("facility", "community", "rule")  # causes whose values are told in a line; of files they are digests
# What a rule says beside its figures: no number follows from it.
_WORDS = {"standard", "name_zh", "name_en", "citation", "confidence", "note", "verified_by", "default_on"}
_GEOD = Geod(ellps="WGS84")
_SIDES = {"both": "both", "left_only": "old", "right_only": "new"}


@dataclass(frozen=True)
class Comparison:
    """What differs between two scans.

    Attributes
    ----------
    rows
        Per unit and rule the people before and after; see `livingcircle.columns.COMPARISON`.
    causes
        Facilities that came, went, moved or were renamed, communities that were renamed or redrawn, rules, settings
        and inputs that changed; see `livingcircle.columns.CAUSES`.
    labels
        The rules of both scans in words, by id.
    labels_zh
        The same in Chinese alone.
    """

    rows: pd.DataFrame
    causes: pd.DataFrame
    labels: Mapping[str, str] = field(default_factory=dict)
    labels_zh: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Comparison({len(self.rows):,} rows, {len(self.causes):,} causes)"

    def _repr_html_(self) -> str:
        from livingcircle.notebook import comparison_html

        return comparison_html(self)

    def city_lines(self, language: str = "en") -> list[str]:
        """Return a line for each rule that covers more or fewer in the whole city.

        In English its id, the walker and the difference between tabs; in Chinese (zh) in words, with old and new.
        """
        changed = self.rows[(self.rows["level"] == "city") & (self.rows["covered_change"].fillna(0) != 0)]
        rows = changed.to_dict("records")
        if language != "zh":
            return [f"{row['rule']}\t{row['walker']}\t{row['covered_change']:+,.0f}" for row in rows]
        return [self._said_zh(row) for row in rows]

    def _said_zh(self, row: Mapping[Any, Any]) -> str:
        rule, walker = self.labels_zh.get(row["rule"], row["rule"]), row["walker"]
        walker = WALKERS[walker].name_zh if walker in WALKERS else walker
        told = f"{rule}({walker}): {row['covered_change']:+,.0f}"
        told += f",步行达标 {row['covered_old']:,.0f} → {row['covered_new']:,.0f}"
        shares = [row["share_old"], row["share_new"]]
        return told if any(map(pd.isna, shares)) else f"{told},覆盖率 {shares[0]:.1%} → {shares[1]:.1%}"

    def cause_lines(self) -> list[str]:
        """Return a line for each cause; of a place, a community and a rule also what was, and what is now."""
        columns = (self.causes[name].astype("str") for name in ("cause", "what", "old_value", "new_value"))
        lines = []
        for cause, what, before, after in zip(*columns, strict=True):
            values = " → ".join(filter(None, (before, after))) if cause.startswith(_TOLD) else ""
            lines.append(f"{cause}: {what}" + (f" ({values})" if values else ""))
        return lines

    def save(self, directory: str | Path) -> Path:
        """Write `compare.csv`, `compare_causes.csv` and, to be read in Excel, `compare.xlsx` into a folder.

        Raises
        ------
        InputError
            It cannot be written to, or holds a file of one of these names that no comparison has written.
        """
        folder = Path(directory)
        _refuse_foreign(folder)
        for name, table in (
            (_CAUSES_FILE, published(self.causes, CAUSES)),  # first of all: it tells whose files they are
            (_ROWS_FILE, published(self.rows, COMPARISON)),
        ):
            with replaced_file(folder / name) as stage:
                table.to_csv(stage, index=False, encoding="utf-8-sig", lineterminator="\n")
        with replaced_file(folder / _BOOK) as stage:
            write_comparison(self.rows, self.causes, self.labels, stage)
        return folder


def compare(old: ScanResult | str | Path, new: ScanResult | str | Path) -> Comparison:
    """Compare two scans, or the folders of two.

    Units and rules that one side does not have are listed with ``side`` = old or new, and have no difference.

    Raises
    ------
    InputError
        A folder does not hold a finished scan.
    """
    before, after = (side if isinstance(side, ScanResult) else load_result(side) for side in (old, new))
    values = ["demand", "covered", "share", "status"]
    tables = [result.coverage[[*KEY, "unit_name", *values]] for result in (before, after)]
    both = tables[0].merge(tables[1], on=KEY, how="outer", suffixes=("_old", "_new"), indicator="side", sort=False)
    both = both.assign(
        side=both["side"].astype("str").map(_SIDES),
        unit_name=both["unit_name_new"].fillna(both["unit_name_old"]),
        covered_change=both["covered_new"] - both["covered_old"],
        share_change=both["share_new"] - both["share_old"],
    )
    rules = {rule.id: rule for side in (before, after) for rule in side.rules.rules}
    return Comparison(
        conform(both, COMPARISON),
        conform(_causes(before, after), CAUSES),
        {name: rule_label(rule) for name, rule in rules.items()},
        {name: rule.name_zh or name for name, rule in rules.items()},
    )


def _refuse_foreign(folder: Path) -> None:
    """Complain about files of our names in a folder without the causes of an earlier comparison."""
    taken = [name for name in (_ROWS_FILE, _CAUSES_FILE, _BOOK) if os.path.lexists(folder / name)]
    with suppress(OSError):
        own = ",".join(column.name for column in CAUSES.columns[:2])
        with (folder / _CAUSES_FILE).open("rb") as stream:
            if stream.read(100).removeprefix(BOM_UTF8).startswith(own.encode()):
                return
    if taken:
        raise InputError(
            f"{folder} holds files that no comparison has written: {', '.join(taken)}",
            expected="an empty folder, or that of an earlier comparison",
            remedy="choose another -o, or move the files away",
        )


def _causes(old: ScanResult, new: ScanResult) -> pd.DataFrame:
    """List what is not the same on both sides, apart from the numbers."""
    rows = [*_facilities(old, new), *_communities(old, new), *_rules(old, new)]
    known = [{**side.settings, **_made_with(side)} for side in (old, new)]
    for key in sorted({*known[0], *known[1]}):
        a, b = (str(side.get(key, "")) for side in known)
        rows += [("setting", key, a, b)] if a != b else []
    inputs = [_inputs(side) for side in (old, new)]
    for key in sorted({*inputs[0], *inputs[1]}):
        a, b = (side.get(key, "") for side in inputs)
        rows += [("input", key, a, b)] if a != b else []
    return pd.DataFrame(rows, columns=["cause", "what", "old_value", "new_value"])


def _made_with(side: ScanResult) -> dict[str, object]:
    """Return what no planner has set and still moves numbers: the plane, and the version of the program."""
    return {"plane": side.run["crs"], "livingcircle": side.run["versions"]["livingcircle"]}


def _inputs(side: ScanResult) -> dict[str, str]:
    """Return the digests of every input by role and name; those of one name, in several folders, together."""
    digests: dict[str, list[str]] = {}
    for given in side.run["inputs"]:
        digests.setdefault(f"{given['role']} {given.get('path') or ''}", []).append(str(given.get("sha256") or ""))
    return {name: " ".join(sorted(own)) for name, own in digests.items()}


def _facilities(old: ScanResult, new: ScanResult) -> list[tuple[str, str, str, str]]:
    """List the places that came, went, moved or have another name."""
    before, after = (places_of(side.facilities, side.run) for side in (old, new))
    first, second = same_places(before, after)
    was, now = before.iloc[first], after.iloc[second]
    metres = metres_apart(was, now)
    moved = metres > MOVED_M
    renamed = was["key"].to_numpy() != now["key"].to_numpy()
    rows = [
        *(("facility came", what, "", "") for what in _called(_without(after, second))),
        *(("facility went", what, "", "") for what in _called(_without(before, first))),
        *(
            ("facility moved", what, "", f"{m:.0f} m")
            for what, m in zip(_called(now[moved]), metres[moved], strict=True)
        ),
        *(
            ("facility renamed", what, a, b)
            for what, a, b in zip(_called(now[renamed]), was["name"][renamed], now["name"][renamed], strict=True)
        ),
    ]
    return sorted(rows, key=lambda row: (row[1], row[0]))


def _communities(old: ScanResult, new: ScanResult) -> list[tuple[str, str, str, str]]:
    """List the communities of both sides that have another name or another outline; its area in km² is told."""
    ids = old.communities.index.intersection(new.communities.index).sort_values()
    before, after = (side.communities.loc[ids].to_crs(WGS84) for side in (old, new))
    names = [side["unit_name"].fillna("").astype("str").to_numpy() for side in (before, after)]
    shapes = [side.geometry.to_numpy() for side in (before, after)]
    renamed = names[0] != names[1]
    redrawn = ~shapely.equals_exact(*(shapely.normalize(side) for side in shapes), tolerance=1e-7)
    differs, both = (op(*(side[redrawn] for side in shapes)) for op in (shapely.symmetric_difference, shapely.union))
    redrawn[redrawn] = shapely.area(differs) > REDRAWN_SHARE * shapely.area(both)
    areas = [[f"{abs(_GEOD.geometry_area_perimeter(s)[0]) / 1e6:.3f} km²" for s in side[redrawn]] for side in shapes]
    return [
        *(("community renamed", i, a, b) for i, a, b in zip(ids[renamed], *(n[renamed] for n in names), strict=True)),
        *(("community redrawn", i, a, b) for i, a, b in zip(ids[redrawn], *areas, strict=True)),
    ]


def _rules(old: ScanResult, new: ScanResult) -> list[tuple[str, str, str, str]]:
    """List the rules of both sides that ask for something else, with what differs in them."""
    rules = [{rule.id: rule.model_dump(exclude=_WORDS) for rule in side.rules.rules} for side in (old, new)]
    rows = []
    for id_ in sorted(rules[0].keys() & rules[1].keys()):
        was, now = rules[0][id_], rules[1][id_]
        other = [key for key in was if was[key] != now[key]]
        if other:
            before, after = (", ".join(f"{key} = {rule[key]}" for key in other) for rule in (was, now))
            rows.append(("rule", id_, before, after))
    return rows


def _without(places: pd.DataFrame, positions: npt.NDArray[np.int64]) -> pd.DataFrame:
    return places[~np.isin(np.arange(len(places)), positions)]


def _called(places: pd.DataFrame) -> list[str]:
    named = places["service"] + " " + places["facility_id"] + " " + places["name"]
    return [str(what).strip() for what in named]
