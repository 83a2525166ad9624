"""Where a planner's table or layer lies, and how it is to be read: what every reader takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from livingcircle_layers.errors import InputError, sentence

_ADDRESS = re.compile(r"(?<![A-Za-z])([A-Za-z][\w+.-]+:/{1,2})\S+")


@dataclass(frozen=True)
class Source:
    """One table or layer of a planner's.

    Attributes
    ----------
    file
        A local file.
    layer, sheet
        The layer of a GeoPackage; the sheet of a workbook. Needed when there are several to choose from.
    columns
        The planner's mapping, role to heading; wins over the usual headings.
    where
        Which rows count (see `rows_where`).
    crs
        What the coordinates are in; wins over what the file says, and is needed where it says nothing.
    """

    file: Path
    layer: str | None = None
    sheet: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    where: str | None = None
    crs: str | None = None

    @classmethod
    def of(cls, given: Source | Path | str) -> Source:
        """Return a source; a path alone is one without further choices."""
        return given if isinstance(given, Source) else cls(Path(given))

    @property
    def label(self) -> str:
        """How errors and results name it, without its folder."""
        return self.file.name

    def check(self) -> None:
        """Raise with every key that does not fit the kind of file."""
        suffix = self.file.suffix.lower()
        faults = []
        for key, fits, kind in (
            ("layer", suffix == ".gpkg", "a GeoPackage (.gpkg)"),
            ("sheet", suffix in {".xlsx", ".xlsm"}, "a workbook (.xlsx)"),
        ):
            value = getattr(self, key)
            if value is not None and not fits:
                faults.append(
                    sentence(
                        f"{self.label}: `{key}` does not fit", got=f"{key} = {value!r}", expected=f"it with {kind}"
                    )
                )
        if faults:
            raise InputError.of(faults)


@dataclass(frozen=True)
class Reading:
    """What was read of one source, for printing and for `run.json`.

    Attributes
    ----------
    label
        The name of the source.
    rows
        Rows of the source that are not blank.
    filtered
        Rows among them that `where` leaves out.
    columns
        Role to heading, as found or as the planner mapped them.
    """

    label: str
    rows: int
    filtered: int
    columns: Mapping[str, str]

    def sentence(self) -> str:
        """Return the line that tells the planner how her table was understood."""
        left_out = f", {self.filtered} of them left out by `where`" if self.filtered else ""
        columns = ", ".join(f"{role}={heading}" for role, heading in self.columns.items())
        return f"{self.label}: {self.rows} rows{left_out}" + (f"; columns read as {columns}" if columns else "")


def is_address(text: str) -> bool:
    """Tell whether a path is none, but an address on the network; a Windows drive has one letter."""
    return _ADDRESS.match(text) is not None


def without_address(text: str) -> str:
    """Take everything behind the scheme out of the addresses in a text: there may be a password in them.

    Examples
    --------
    >>> without_address("no file postgresql://me:secret@host/db here")
    'no file postgresql://… here'
    """
    return _ADDRESS.sub(r"\1…", text)


def reading_of(source: Source, table: pd.DataFrame, columns: Mapping[str, str]) -> Reading:
    """Return what is to be told about a table that a reader of this package returned."""
    return Reading(source.label, int(table.attrs["rows"]), int(table.attrs["filtered"]), dict(columns))
