"""What all tests share: where the real cities and the browser are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from livingcircle._compiled import of_several_kinds

if TYPE_CHECKING:
    from livingcircle.measured import Measured

os.environ["LC_ALL"] = "C.UTF-8"  # commands speak English wherever the tests run

# How long an example takes is the machine's affair: figures of speed stand in benchmarks/, never in a test.
settings.register_profile("livingcircle", deadline=None)
settings.load_profile("livingcircle")


SMALL_SCAN = """
import sys, pathlib
from livingcircle.scan import scan
from small_city import small_study
scan(small_study(pathlib.Path(sys.argv[1])))
"""


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let one of several workers have the inner loops compiled, while the others wait: all load what it has compiled.

    Otherwise each would compile all of them, 40 s of a core. A scan that fails is told by the tests of scans.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    import fcntl

    shared = tmp_path_factory.getbasetemp().parent
    with (shared / "compiling").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = shared / "compiled"
        if not folder.exists():
            folder.mkdir()
            command = [sys.executable, "-c", SMALL_SCAN, str(folder)]
            env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
            subprocess.run(command, env=env, capture_output=True, check=False)


@pytest.fixture(scope="session", autouse=True)
def compiled_for_one_kind() -> Iterator[None]:
    """Fail where a kept function has been called with several kinds of arguments (see `livingcircle._compiled`)."""
    yield
    assert of_several_kinds() == []


BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def missing(what: str) -> None:
    """Skip for want of means; on the build machine that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and a skip is a failure when CI=true")
    pytest.skip(what)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of the real cities."""
    folder = os.environ.get("LIVINGCIRCLE_DATA", "")
    if not folder or not Path(folder).is_dir():
        missing("LIVINGCIRCLE_DATA does not name a folder")
    return Path(folder)


@pytest.fixture(scope="session")
def measured() -> Measured:
    """Return the demo town, measured at once."""
    from demo_scans import demo_measured

    return demo_measured()


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the finished scan of the demo town, its inputs beside it; only a copy may be changed."""
    from demo_scans import demo_result
    from livingcircle.demo import demo_study

    folder = tmp_path_factory.mktemp("demo")
    return replace(demo_result(), study=demo_study(folder / "inputs")).save(folder / "out")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return the path of an installed Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing("no Chromium is installed")
    return str(path)


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Any]:
    """Start Chromium; it asks nothing of any network by itself."""
    try:
        from playwright import sync_api
    except ImportError:
        missing("playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def postgis_url() -> Iterator[str]:
    """Start a PostGIS server for all tests that need one; return its URL, with the password."""
    from postgis_server import running_server, server_programs

    programs = server_programs()
    if programs is None:
        missing("no PostgreSQL server is installed (Debian: postgresql, postgresql-postgis)")
    else:
        with running_server(programs) as url:
            yield url
