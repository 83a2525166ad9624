"""The documentation as a site: it builds without a complaint, opens from a folder, and asks no network for anything."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from conftest import missing
from livingcircle.measured import Measured

pytestmark = pytest.mark.browser

CONFIG = Path(__file__).parent.parent / "docs/site/mkdocs.yml"
# What a page fetches by itself; a link that a reader may click is none of it.
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*?\b(?:src|data|srcset)\s*=\s*["']?\s*(?:https?:)?//"""
    r"""|<link\b(?=[^>]*\brel\s*=\s*["']?(?:stylesheet|preload|prefetch|preconnect|dns-prefetch|icon|modulepreload))"""
    r"""[^>]*\bhref\s*=\s*["']?\s*(?:https?:)?//"""
    r"""|@import\s*(?:url\()?["']?\s*(?:https?:)?//|url\(\s*["']?(?:https?:)?//|\bfetch\(\s*["'`](?:https?:)?//""",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as the build machine does: a broken link, anchor or page is an error."""
    if find_spec("material") is None:
        missing("mkdocs-material is not installed")
    folder = tmp_path_factory.mktemp("site")
    # Without -q: a complaint that is not printed is not counted either.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(CONFIG), "-d", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_pattern_finds_what_is_fetched() -> None:
    for text in (
        '<script src="https://x/y.js">',
        "<img alt=a src=//x/y.png>",
        '<link rel="stylesheet" href="https://x/y.css">',
        '<link href="https://x" rel=preconnect>',
        "@import url(https://x/y.css)",
        "src:url('https://x/y.woff')",
        'fetch("https://x")',
    ):
        assert FETCHED.search(text), text
    for text in ('<a href="https://x">', '<script src="assets/y.js">', '<link rel="canonical" href="https://x">'):
        assert not FETCHED.search(text), text


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    files = [p for p in site.rglob("*") if p.suffix in (".html", ".css", ".js")]
    assert len([p for p in files if p.suffix == ".html"]) > 20
    for path in files:
        found = FETCHED.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path.relative_to(site)}: {found.group()}"


def test_figures_are_the_same_to_the_byte(site: Path, measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(CONFIG.parent))
    from figures import figures

    drawn = figures(measured)
    assert set(drawn) == {path.name for path in (site / "figures").iterdir()}
    for name, content in drawn.items():
        assert (site / "figures" / name).read_bytes() == content, name


@pytest.mark.parametrize(("page", "language", "words"), [("index", "en", "Three promises"), ("zh", "zh", "三条承诺")])
def test_start_pages_open_from_a_folder_without_a_network(browser, site: Path, page, language, words) -> None:
    context = browser.new_context()
    view, asked, faults = context.new_page(), [], []
    view.on("request", lambda request: asked.append(request.url))
    view.on("pageerror", lambda fault: faults.append(str(fault)))
    view.goto(f"{(site / page).as_uri()}.html")
    assert view.locator("html").get_attribute("lang") == language
    assert view.get_by_role("heading", name=words).is_visible()
    view.wait_for_function("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert faults == []
    context.close()


@pytest.mark.parametrize(
    ("words", "expected"),
    [("假覆盖", "tasks/gaps.html"), ("gcj02", "tasks/datum.html"), ("resume", "tasks/batch.html")],
)
def test_the_search_works_from_a_folder(browser, site: Path, words: str, expected: str) -> None:
    context = browser.new_context()
    view = context.new_page()
    view.goto((site / "tasks/excel.html").as_uri())
    view.locator(".md-search__input").click()
    view.keyboard.insert_text(words)
    view.keyboard.press("End")  # as an input method does, a key goes up when the words are in
    view.wait_for_selector(".md-search-result__item a")
    links = view.locator(".md-search-result__item a").evaluate_all("found => found.map((link) => link.href)")
    assert any(expected in link for link in links[:12]), links[:12]
    context.close()
