"""Where a planner's table or layer lies, and how it is to be read: what every reader takes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from livingcircle_layers.errors import InputError, sentence

_DATABASE = re.compile(r"^postgres(?:ql)?:/")
_ANY_DATABASE = "postgresql://…"
_ADDRESS = re.compile(r"(?<![A-Za-z])([A-Za-z][\w+.-]+:/{1,2})\S+")


class Database:
    """A PostgreSQL server with PostGIS; shown as text it keeps its user, host and password to itself.

    No dataclass, of which other libraries would write out the fields.

    Parameters
    ----------
    url
        ``postgresql://user@host/database``; the password is best left to ``PGPASSWORD`` or ``.pgpass``.
    """

    __slots__ = ("_url",)

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def url(self) -> str:
        """The whole address; for the driver alone."""
        return self._url

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Database) and other._url == self._url

    def __hash__(self) -> int:
        return hash(self._url)

    def __repr__(self) -> str:
        """Return what may be shown to anybody."""
        return _ANY_DATABASE

    @property
    def name(self) -> str:
        """The same, in the place of a file's name."""
        return _ANY_DATABASE

    @property
    def is_hidden(self) -> bool:
        """Tell whether this is only what may be shown of a database, and no address of one."""
        return self.url == _ANY_DATABASE

    @classmethod
    def named_by(cls, text: str) -> Database | None:
        """Return the database that a text names, None if it names none."""
        return cls(text) if _DATABASE.match(text) else None


@dataclass(frozen=True)
class Source:
    """One table or layer of a planner's.

    Attributes
    ----------
    file
        A local file, or a declared PostGIS database.
    layer, sheet
        The layer of a GeoPackage; the sheet of a workbook. Needed when there are several to choose from.
    table, query
        Of a database, one of them: a table (``schema.table``), or a SELECT.
    columns
        The planner's mapping, role to heading; wins over the usual headings.
    where
        Which rows count (see `rows_where`).
    crs
        What the coordinates are in; wins over what the file says, and is needed where it says nothing.
    """

    file: Path | Database
    layer: str | None = None
    sheet: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    where: str | None = None
    crs: str | None = None
    table: str | None = None
    query: str | None = None

    @classmethod
    def of(cls, given: Source | Path | str) -> Source:
        """Return a source; a path alone is one without further choices."""
        return given if isinstance(given, Source) else cls(Path(given))

    @property
    def label(self) -> str:
        """How errors and results name it; neither folder nor server."""
        if isinstance(self.file, Path):
            return self.file.name
        if self.table is not None:
            return f"postgis:{self.table}"
        return f"postgis:query {hashlib.sha256((self.query or '').encode()).hexdigest()[:8]}"

    def check(self) -> None:
        """Raise with every key that does not fit the kind of file."""
        suffix = self.file.suffix.lower() if isinstance(self.file, Path) else "database"
        faults = []
        for key, fits, kind in (
            ("layer", suffix == ".gpkg", "a GeoPackage (.gpkg)"),
            ("sheet", suffix in {".xlsx", ".xlsm"}, "a workbook (.xlsx)"),
            ("table", suffix == "database", _ANY_DATABASE),
            ("query", suffix == "database", _ANY_DATABASE),
        ):
            value = getattr(self, key)
            if value is not None and not fits:
                faults.append(
                    sentence(
                        f"{self.label}: `{key}` does not fit", got=f"{key} = {value!r}", expected=f"it with {kind}"
                    )
                )
        if suffix == "database" and (self.table is None) == (self.query is None):
            got = "neither" if self.table is None else "both"
            remedy = 'add table = "schema.table" or query = "select …"'
            faults.append(sentence("a database needs one of `table` and `query`", got=got, remedy=remedy))
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
    digest
        Of the rows of a database, sha256; ``""`` for a file, which has a digest of its own.
    sheets
        Which sheet of a workbook was read, and which were not; ``""`` where there is one.
    """

    label: str
    rows: int
    filtered: int
    columns: Mapping[str, str]
    digest: str = ""
    sheets: str = ""

    def sentence(self) -> str:
        """Return the line that tells the planner how her table was understood."""
        left_out = f", {self.filtered} of them left out by `where`" if self.filtered else ""
        columns = ", ".join(f"{role}={heading}" for role, heading in self.columns.items())
        sheets = f" ({self.sheets})" if self.sheets else ""
        return f"{self.label}{sheets}: {self.rows} rows{left_out}" + (f"; columns read as {columns}" if columns else "")


def is_elsewhere(path: Path | str) -> bool:
    """Tell whether a path is none, but an address on the network or in GDAL's file systems.

    A Windows drive has one letter, the schemes of addresses have more.
    """
    return str(path).startswith("/vsi") or _ADDRESS.match(str(path)) is not None


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
    told = table.attrs
    digest, sheets = told.get("digest", ""), told.get("sheets", "")
    return Reading(source.label, told["rows"], told["filtered"], dict(columns), digest, sheets)
