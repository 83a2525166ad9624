"""In which datum a file of the planner's own is: what the streets say of it, and how she is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import geopandas as gpd

from livingcircle_layers.datum import Datum
from livingcircle_layers.datum_check import DatumVerdict, Known, check_datum
from livingcircle_layers.errors import InputError, UsageError
from livingcircle_layers.typed_toml import unknown_word

DATUMS: Mapping[str, Datum] = {name: name for name in get_args(Datum)}
_WHENCE = "高德、腾讯 Amap, Tencent = gcj02;百度 Baidu = bd09;天地图、测绘成果 = cgcs2000;GPS、OSM = wgs84"


@dataclass(frozen=True)
class Located:
    """The rows of a file where they lie as claimed, and their names."""

    frame: gpd.GeoDataFrame
    names: Sequence[str] = ()


@dataclass(frozen=True)
class DatumQuestion:
    """What is asked about the coordinates of one file.

    Attributes
    ----------
    file
        Its name.
    verdict
        What the streets say of its numbers, read as WGS-84.
    """

    file: str
    verdict: DatumVerdict

    @classmethod
    def of(cls, file: str, rows: Located, streets: Known) -> DatumQuestion:
        """Compare a file that was read as WGS-84 with the streets."""
        return cls(file, check_datum(rows.frame, "wgs84", [streets], layer=file, names=rows.names))

    @property
    def words(self) -> str:
        """The question, in Chinese and English, with what the streets say."""
        found = f"{self.likely} 吻合 fits" if self.likely else "无法判断 cannot tell"
        return (
            f"{self.file} 的坐标系  datum of {self.file} ({_WHENCE})\n  与路网比对 compared with the streets: {found}"
        )

    @property
    def likely(self) -> Datum | None:
        """The datum that the streets speak for; None where they do not tell."""
        return self.verdict.better or ("wgs84" if self.verdict.answer == "fits" else None)

    @property
    def proposals(self) -> tuple[Datum, ...]:
        """All datums, the likely one first."""
        rest = (datum for datum in DATUMS.values() if datum != self.likely)
        return (*([self.likely] if self.likely else []), *rest)

    def unasked(self) -> str:
        """Return what to tell where nobody can be asked; ``""`` where the streets agree with WGS-84.

        Raises
        ------
        UsageError
            The file is not in WGS-84, as which it would be read.
        """
        if self.verdict.answer == "does not fit":
            raise UsageError(
                f"{self.file} is not in wgs84",
                got=f"a layer that fits {self.verdict.better}: {self.verdict.statistic}",
                remedy=f"--datum {self.file}={self.verdict.better}",
            )
        if self.verdict.answer == "fits":
            return ""
        return (
            f"{self.file}: datum taken as wgs84, which the streets neither confirm nor refute; if it comes from Amap or"
            f" Tencent, --datum {self.file}=gcj02; from Baidu, bd09"
        )


def known_datum(text: str) -> Datum:
    """Return a datum by its name.

    Raises
    ------
    UsageError
        There is no such datum.
    """
    if (named := text.strip().lower().replace("-", "")) not in DATUMS:
        raise UsageError(unknown_word("there is no such datum", text, DATUMS), expected=", ".join(DATUMS))
    return DATUMS[named]


def check_claim(file: str, rows: Located, datum: Datum, streets: Known) -> None:
    """Refuse a datum that the streets speak against.

    Raises
    ------
    InputError
        The rows, read in this datum, do not meet the streets, and in another one they do.
    """
    verdict = check_datum(rows.frame, datum, [streets], layer=file, names=rows.names)
    if verdict.answer == "does not fit":
        raise InputError(
            f"{file} is not in {datum}",
            got=f"a layer that fits {verdict.better}: {verdict.statistic}",
            remedy=f"take {verdict.better}",
        )


def given_datums(texts: Sequence[str]) -> dict[str, Datum]:
    """Return the datum of each file from texts such as ``schools.csv=gcj02``.

    Raises
    ------
    UsageError
        A text is no such pair, or names no datum.
    """
    pairs = [text.rpartition("=") for text in texts]
    if unclear := [text for text, (file, _, _) in zip(texts, pairs, strict=True) if not file]:
        raise UsageError(
            "--datum is unclear", got=", ".join(unclear), expected="FILE=gcj02, for example schools.csv=gcj02"
        )
    return {file: known_datum(datum) for file, _, datum in pairs}
