"""Results as tables of a PostGIS database: all of them replaced in one transaction, or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely
from pandas.api import types

from livingcircle.output_folder import PROGRAM
from livingcircle_layers.errors import InputError, UsageError
from livingcircle_layers.postgis import connected
from livingcircle_layers.sources import Database

if TYPE_CHECKING:
    import psycopg

TABLES = ("communities", "facilities", "coverage", "scores")
SCHEMA = "livingcircle"  # where tables go unless the URL says ?schema=…
_NAME_BYTES = 63  # of a column; PostgreSQL would cut more off, and two columns could become one


@dataclass(frozen=True)
class Target:
    """Where results go: a database, and a schema in it that is made if missing."""

    database: Database
    schema: str = SCHEMA

    @classmethod
    def of(cls, url: str) -> Target:
        """Return the target that a URL names; ``?schema=…`` in it is ours, the rest is the database's.

        Raises
        ------
        UsageError
            It is no URL of a database; what it is instead is not repeated, as it may hold a password.
        """
        if Database.named_by(url) is None:
            raise UsageError(
                "the target is no PostGIS database", expected="postgresql://user@host/database?schema=name"
            )
        address, _, options = url.partition("?")
        schema, rest = SCHEMA, []
        for option in filter(None, options.split("&")):
            key, _, value = option.partition("=")
            if key == "schema":
                schema = value
            else:
                rest.append(option)
        if not schema:
            raise UsageError("the schema of the target is empty", expected="?schema=name")
        return cls(Database(address + ("?" + "&".join(rest) if rest else "")), schema)


def check_target(target: Target) -> None:
    """Check that results can be written, before anything is computed.

    Raises
    ------
    InputError
        The database cannot be reached, has no PostGIS, gives no right to write, or the schema holds a table of one of
        our names that another program made.
    """
    with connected(target.database, "the target of --to-postgis") as connection:
        connection.read_only = True
        _check(connection, target)


def _check(connection: psycopg.Connection[Any], target: Target) -> None:
    def one(query: str, *values: object) -> Any:
        row = connection.execute(query.encode(), values).fetchone()
        return row[0] if row else None

    if not one("select count(*) from pg_extension where extname = 'postgis'"):
        raise InputError("the target database has no PostGIS", remedy="let its owner run: create extension postgis")
    exists = one("select count(*) from pg_namespace where nspname = %s", target.schema)
    if exists:
        allowed = one("select has_schema_privilege(%s, 'CREATE')", target.schema)
    else:
        allowed = one("select has_database_privilege(current_database(), 'CREATE')")
    if not allowed:
        raise InputError(
            f"no right to write into the schema {target.schema} of the target database",
            remedy="ask its owner for it, or choose another with ?schema=…",
        )
    foreign = [name for name in TABLES if not _is_ours(connection, target.schema, name)]
    if foreign:
        raise InputError(
            f"the schema {target.schema} of the target database holds tables that are not ours: {', '.join(foreign)}",
            expected=f"none of these names, or an earlier result of {PROGRAM}",
            remedy="choose another with ?schema=…",
        )


def _is_ours(connection: psycopg.Connection[Any], schema: str, name: str) -> bool:
    """Tell whether a name is free, or is that of a table that we made: its comment says so."""
    found = connection.execute(
        "select obj_description(c.oid, 'pg_class') from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = %s and c.relname = %s",
        [schema, name],
    ).fetchone()
    return found is None or str(found[0] or "").startswith(f"{PROGRAM}:")


@contextmanager
def replaced_tables(target: Target, tables: Mapping[str, pd.DataFrame], *, notice: str) -> Iterator[None]:
    """Write tables; they take the place of the earlier ones when the block ends, and not if it fails.

    Parameters
    ----------
    target
        Database and schema.
    tables
        By name; those with geometry (EPSG:4326) get a column ``geometry`` with a spatial index.
    notice
        Credits and approval of the map; the comment of every table.

    Raises
    ------
    InputError
        As `check_target`; also if something in the database depends on an earlier table.
    """
    from psycopg import sql

    with connected(target.database, "the target of --to-postgis") as connection:
        _check(connection, target)
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(target.schema)))
        for name, table in tables.items():
            place = sql.Identifier(target.schema, name)
            connection.execute(sql.SQL("drop table if exists {}").format(place))
            _create(connection, place, table)
            comment = sql.SQL("comment on table {} is {}").format(place, sql.Literal(f"{PROGRAM}: {notice}"))
            connection.execute(comment)
        yield


def _create(connection: psycopg.Connection[Any], place: Any, table: pd.DataFrame) -> None:
    from psycopg import sql

    columns = {name: _sql_type(table[name]) for name in map(str, table.columns)}
    defined = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(_column_name(name)), sql.SQL(kind)) for name, kind in columns.items()
    )
    connection.execute(sql.SQL("create table {} ({})").format(place, defined))
    values = [_sql_values(table[name], kind) for name, kind in columns.items()]
    with connection.cursor() as cursor, cursor.copy(sql.SQL("copy {} from stdin").format(place)) as copy:
        for row in zip(*values, strict=True):
            copy.write_row(row)
    if "geometry" in columns:
        connection.execute(sql.SQL("create index on {} using gist (geometry)").format(place))


def _sql_type(values: pd.Series) -> str:
    if isinstance(values, gpd.GeoSeries):
        return "geometry(Geometry, 4326)"
    if types.is_bool_dtype(values.dtype):
        return "boolean"
    if types.is_integer_dtype(values.dtype):
        return "bigint"
    return "double precision" if types.is_float_dtype(values.dtype) else "text"


def _sql_values(values: pd.Series, kind: str) -> list[Any]:
    """Return plain values, None for what is missing; a NUL, which the database cannot hold, becomes a space."""
    if kind.startswith("geometry"):
        return shapely.to_wkb(shapely.set_srid(values.to_numpy(), 4326), hex=True, include_srid=True).tolist()
    plain = values.astype(object).where(values.notna(), None)
    return [v.replace("\x00", " ") if isinstance(v, str) else v for v in plain.tolist()]


def _column_name(name: str) -> str:
    raw = name.encode()
    if len(raw) <= _NAME_BYTES:
        return name
    return raw[: _NAME_BYTES - 9].decode(errors="ignore") + "_" + sha256(raw).hexdigest()[:8]
