"""Tables and queries of a PostGIS database: read-only, and without a word about its password."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from livingcircle_layers.cells import as_text
from livingcircle_layers.errors import InputError
from livingcircle_layers.sources import Database, Source

if TYPE_CHECKING:
    import psycopg

CONNECT_S = 15  # seconds until a server that does not answer is given up
_CHUNK = 20_000  # rows that are fetched at a time


@contextmanager
def connected(database: Database, what: str) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection, of which one transaction is committed at the end, or rolled back after an error.

    Parameters
    ----------
    what
        What is to be read or written, as errors name it.

    Raises
    ------
    InputError
        The driver is missing, the server cannot be reached or says no. The text holds no password, and neither does a
        traceback: what the driver said is not chained to it.
    """
    try:
        import psycopg
    except ImportError as error:
        raise InputError(
            "a PostGIS database needs the package psycopg",
            remedy='in this project\'s folder: pip install -c constraints.txt ".[postgis]"',
        ) from error
    if not _is_understood(database.url):
        raise _not_understood(what)
    try:
        with psycopg.connect(database.url, connect_timeout=CONNECT_S, application_name="livingcircle") as connection:
            yield connection
    except psycopg.ProgrammingError as error:
        if error.sqlstate is None:  # the driver itself did not understand the URL, and would repeat it
            raise _not_understood(what) from None
        raise _refused(database, what, error) from None
    except psycopg.Error as error:
        raise _refused(database, what, error) from None


def _is_understood(url: str) -> bool:
    """Tell whether a URL is cut where its writer meant it to be; a bare @ or / in a password would become the host's.

    The server's name and port are said in errors, and with them would be what is left of the password.
    """
    rest = url.partition("://")[2].partition("?")[0]
    address, _, database = rest.partition("/")
    hosts = address.rpartition("@")[2].split(",")
    ports = [host.rpartition("]")[2].partition(":")[2] for host in hosts]
    return rest.count("@") <= 1 and "@" not in database and all(not port or port.isdecimal() for port in ports)


def _not_understood(what: str) -> InputError:
    return InputError(
        f"{what}: the URL of the database cannot be understood",
        expected="postgresql://user@host:5432/database",
        remedy="write %40 for @ and %2F for / in a name; leave the password to PGPASSWORD or .pgpass",
    )


def _refused(database: Database, what: str, error: Exception) -> InputError:
    """Return what the server said, in one line and without the password."""
    from psycopg import OperationalError
    from psycopg.errors import DependentObjectsStillExist

    said = " ".join(str(error).split("\nMultiple connection attempts")[0].split())
    for secret in sorted(_secrets(database.url), key=len, reverse=True):
        said = said.replace(secret, "…")
    if isinstance(error, OperationalError):
        remedy = "check the URL and the password (PGPASSWORD or .pgpass)"
    elif isinstance(error, DependentObjectsStillExist):
        remedy = "drop what depends on it, or choose another schema"
    else:
        remedy = "check `table` or `query`"
    return InputError(f"{what}: the database says no", got=said or type(error).__name__, remedy=remedy)


def _secrets(url: str) -> set[str]:
    """Return the URL, and every form of the password that may stand in it."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    secrets = {url}
    try:
        password = conninfo_to_dict(url).get("password")
    except ProgrammingError:
        password = None
    behind_user = url.partition("://")[2].rpartition("@")[0].partition(":")[2]
    for secret in (password, behind_user):
        if secret:
            secrets |= {str(secret), unquote(str(secret))}
    return secrets


def read_database(source: Source) -> pd.DataFrame:
    """Read a table or a query in a transaction that can change nothing.

    Parameters
    ----------
    source
        A database with a table or a SELECT.

    Returns
    -------
    Every value as text; a GeoDataFrame if there is a column of geometries, in the CRS of the database (None where it
    knows none). A database has no order of its own: rows are sorted by what they hold. ``attrs["digest"]`` is the
    sha256 of the rows.

    Raises
    ------
    InputError
        The database says no, there are no rows, several columns of geometries or headings that appear twice.
    """
    source.check()
    assert isinstance(source.file, Database)
    with connected(source.file, source.label) as connection:
        connection.read_only = True
        geometry_types = _geometry_types(connection)
        headings, types, rows = _fetched(connection, source)
        at = [i for i, kind in enumerate(types) if kind in geometry_types]
        srid, crs = 0, None
        if not rows:
            raise InputError(f"{source.label} has no rows", got=", ".join(headings[:12]))
        _check_headings(source.label, headings, at)
        if at:
            geometry = _geometries(source.label, [row[at[0]] for row in rows])
            srid = _one_srid(source.label, geometry)
            crs = _crs(connection, srid)
        connection.rollback()  # a function can do things that "read-only" does not stop
    text = [i for i in range(len(headings)) if i not in at]
    table = pd.DataFrame({headings[i]: [as_text(row[i]) for row in rows] for i in text}, dtype="str")
    shape = shapely.to_wkb(geometry, hex=True) if at else np.full(len(rows), "", dtype=object)
    shape = np.where(pd.isna(shape), "", shape)
    order = np.lexsort([shape.astype(str), *(table[name].to_numpy(dtype=str) for name in reversed(table.columns))])
    table = table.iloc[order].set_index(pd.RangeIndex(1, len(rows) + 1, name="row_number"))
    if at:
        table = gpd.GeoDataFrame(table, geometry=geometry[order], crs=crs)
    table.attrs["digest"] = _digest(headings, srid, table[[headings[i] for i in text]], shape[order])
    return table


def _geometry_types(connection: psycopg.Connection[Any]) -> set[int]:
    found = connection.execute("select oid from pg_type where typname in ('geometry', 'geography')")
    return {int(oid) for (oid,) in found}


def _fetched(
    connection: psycopg.Connection[Any], source: Source
) -> tuple[list[str], list[int], list[tuple[object, ...]]]:
    """Return headings, types and rows. A cursor of the server takes one SELECT, and nothing that changes data."""
    from psycopg import sql

    if source.table is not None:
        query: Any = sql.SQL("select * from {}").format(sql.Identifier(*source.table.split(".", 1)))
    else:
        query = str(source.query).strip().rstrip(";")
    with connection.cursor(name="livingcircle") as cursor:
        cursor.execute(query)
        rows: list[tuple[object, ...]] = []
        while chunk := cursor.fetchmany(_CHUNK):
            rows += chunk
        columns = cursor.description or []
        return [column.name for column in columns], [column.type_code for column in columns], rows


def _check_headings(label: str, headings: Sequence[str], at: Sequence[int]) -> None:
    if len(at) > 1:
        raise InputError(
            f"{label} has several columns of geometries",
            got=", ".join(headings[i] for i in at),
            remedy='choose one: query = "select …, one_of_them from …"',
        )
    twice = sorted({heading for heading in headings if headings.count(heading) > 1})
    if twice:
        raise InputError(f"{label}: headings appear twice: {', '.join(twice)}", remedy="name them apart with `as`")


def _geometries(label: str, written: Sequence[object]) -> npt.NDArray[Any]:
    """Return geometries; curves and triangle meshes, which a database can hold, are refused."""
    try:
        found: npt.NDArray[Any] = shapely.from_wkb(np.array(written, dtype=object))
    except (NotImplementedError, shapely.errors.ShapelyError) as error:  # a curve; a kind without a name here
        raise InputError(
            f"{label}: geometries that are no points, straight lines or polygons",
            got=str(error),
            expected="points, lines and polygons",
            remedy='straighten curves: query = "select …, ST_CurveToLine(geom) as geom from …"',
        ) from error
    return found


def _one_srid(label: str, geometry: npt.NDArray[Any]) -> int:
    srids = np.unique(shapely.get_srid(geometry[~shapely.is_missing(geometry)]))
    if len(srids) > 1:
        raise InputError(
            f"{label}: geometries in several CRS",
            got=", ".join(f"SRID {srid}" for srid in srids[:5]),
            remedy='bring them together: query = "select …, ST_Transform(geom, 4326) as geom from …"',
        )
    return int(srids[0]) if len(srids) else 0


def _crs(connection: psycopg.Connection[Any], srid: int) -> CRS | None:
    """Return the CRS that the database means by a number; None if it says nothing that is known here."""
    if srid == 0:
        return None
    found = connection.execute("select auth_name, auth_srid, srtext from spatial_ref_sys where srid = %s", [srid])
    for name, code, text in found:
        for known_as in (f"{name}:{code}", text):
            try:
                return CRS.from_user_input(known_as)
            except CRSError:
                continue
    return None


def _digest(headings: Sequence[str], srid: int, table: pd.DataFrame, shape: npt.NDArray[Any]) -> str:
    sha = hashlib.sha256(repr((list(headings), srid)).encode())
    for row in zip(*(table[name] for name in table.columns), shape, strict=True):
        sha.update(repr(row).encode())
    return sha.hexdigest()
