"""What the site needs beside its pages: figures drawn by the product, files of the project, the language of a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from figures import figures
from mkdocs.structure.files import File

import livingcircle as lc

_HERE = Path(__file__).parent
_PROJECT = _HERE.parent.parent
_FILES = ("favicon.svg", "iframe-worker.js", "site.css")
_PICTURES = ("benchmarks/city.png",)  # of pages that are taken from elsewhere; they stand beside the page here


def on_files(files: Any, config: Any) -> Any:
    """Add the figures and the files that stand beside this one, and list every page."""
    for name in _FILES:
        files.append(File.generated(config, f"assets/{name}", abs_src_path=str(_HERE / name)))
    for name in _PICTURES:
        files.append(File.generated(config, Path(name).name, abs_src_path=str(_PROJECT / name)))
    for name, content in figures(lc.measure(lc.demo_study())).items():
        files.append(File.generated(config, f"figures/{name}", content=content))
    listed = set(_listed(config.nav))
    rest = [file.src_uri for file in files.documentation_pages() if file.src_uri not in listed]
    if rest:
        config.nav.append({"More 其他": sorted(rest)})
    return files


def _listed(nav: Any) -> Iterator[str]:
    """Return the pages that the navigation names."""
    if isinstance(nav, str):
        yield nav
        return
    for part in nav.values() if isinstance(nav, dict) else nav:
        yield from _listed(part)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Take a page that says ``from:`` at its top from that file of the project, with its links seen from here."""
    source = page.meta.get("from")
    return (_PROJECT / source).read_text(encoding="utf-8").replace("](docs/", "](") if source else markdown


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Say that a page is in Chinese, for readers' ears and for fonts: ``lang: zh`` at its top."""
    language = page.meta.get("lang")
    return output.replace('<html lang="en"', f'<html lang="{language}"', 1) if language else output
