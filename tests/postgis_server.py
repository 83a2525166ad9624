"""A PostgreSQL server with PostGIS that lives as long as the tests that need it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "s3cr3t-Pässwort"
ENCODED = "s3cr3t-P%C3%A4sswort"
USER = "office_user_7"


def server_programs() -> Path | None:
    """Return the folder with initdb and postgres, of Debian's newest version or of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parent.parent.name))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def running_server(programs: Path) -> Iterator[str]:
    """Start a server on a free loopback port and yield a URL with its password; stop it and delete its data."""
    folder = Path(tempfile.mkdtemp(prefix="livingcircle-postgis-"))
    server = None
    try:
        (folder / "password").write_text(PASSWORD + "\n", encoding="utf-8")
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(folder, "postgres")
            shutil.chown(folder / "password", "postgres")
        data, port = folder / "data", _free_port()
        made = ["--auth=scram-sha-256", f"--username={USER}", f"--pwfile={folder / 'password'}", "--encoding=UTF8"]
        _run([programs / "initdb", "-D", data, "--no-sync", *made], folder)
        server = subprocess.Popen(
            _as_postgres([programs / "postgres", "-D", data, "-p", port, "-k", folder, "-c", "fsync=off"]),
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        url = f"postgresql://{USER}:{ENCODED}@127.0.0.1:{port}/postgres"
        _wait_for(url, server)
        yield url
    finally:
        if server is not None:
            server.terminate()
            server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with {server.returncode}")
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("create extension postgis")
                return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise RuntimeError("the server does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _as_postgres(command: Sequence[object]) -> list[str]:
    words = [str(part) for part in command]
    if os.geteuid() != 0:
        return words
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *words]


def _run(command: Sequence[object], folder: Path) -> None:
    ended = subprocess.run(_as_postgres(command), cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(ended.stderr)
