"""What all tests share: where the real cities and the browser are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from livingcircle.measured import Measured

os.environ["LC_ALL"] = "C.UTF-8"  # commands speak English wherever the tests run

# How long an example takes is the machine's affair: figures of speed stand in benchmarks/, never in a test.
settings.register_profile("livingcircle", deadline=None)
settings.load_profile("livingcircle")


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
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Return the demo town, measured at once."""
    from livingcircle.demo import demo_study
    from livingcircle.measured import measure

    return measure(demo_study(tmp_path_factory.mktemp("town")))


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
