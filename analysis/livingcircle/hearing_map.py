"""The hearing map: one self-contained page that opens from a USB stick, without any network."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import folium
from branca.element import Figure
from folium.template import Template

from livingcircle._map_data import payload

if TYPE_CHECKING:
    from livingcircle.result import ScanResult

__all__ = ["HearingMap", "build_map", "payload", "render_map"]

SCRIPTS = (  # each uses what stands before it
    "text.js", "pack.js", "data.js", "state.js", "elements.js", "canvas.js", "ground.js", "communities.js", "places.js",
    "paint.js", "legend.js", "ranking.js", "layers.js", "sheet.js", "search.js", "print.js", "scenes.js", "app.js",
)  # fmt: skip
NOTEBOOK_HEIGHT = "760px"
HARMLESS = {sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


class HearingMap(folium.Map):
    """A folium map whose page, data and controls are livingcircle's own.

    It behaves as any folium map: it shows itself in a notebook, `save()` writes it, and folium markers
    can be added. Nothing is fetched: Leaflet is part of the page, and there are no tiles.

    Parameters
    ----------
    result
        A finished scan.
    """

    _template = Template("")
    default_js: list[tuple[str, str]] = []  # noqa: RUF012 - folium declares them as lists
    default_css: list[tuple[str, str]] = []  # noqa: RUF012

    def __init__(self, result: ScanResult) -> None:
        west, south, east, north = (float(edge) for edge in result.communities.total_bounds)
        super().__init__(location=[(south + north) / 2, (west + east) / 2], tiles=None, prefer_canvas=True)
        self._id = "livingcircle"  # folium's own is random; the same result gives the same bytes
        page = _Page(encode(payload(result)), title=str(result.run.get("name", "")))
        page.add_child(self, name=self.get_name())

    def __repr__(self) -> str:
        return "HearingMap: shows itself in a notebook; .save('map.html') writes the page"


class _Page(Figure):
    """The whole document, whose security policy admits exactly the scripts and styles it holds."""

    def __init__(self, data: str, *, title: str) -> None:
        super().__init__(height=NOTEBOOK_HEIGHT, title=title)
        self.data = data
        self._template = Template(_page_file("template.html"))

    def render(self, **kwargs: Any) -> str:
        for child in self._children.values():
            child.render(**kwargs)
        added = "".join(element.render(**kwargs) for element in self.script._children.values())
        scripts = [_leaflet("leaflet.js"), *map(_page_file, SCRIPTS)] + ([added] if added.strip() else [])
        styles = [_leaflet("leaflet.css"), _page_file("style.css")]
        page: str = self._template.render(
            title=self.title,
            policy=content_policy(scripts, styles),
            styles=styles,
            scripts=scripts,
            data=self.data,
        )
        return page


def build_map(result: ScanResult) -> HearingMap:
    """Return the hearing map of a scan, which shows itself in a notebook.

    Parameters
    ----------
    result
        A finished scan.
    """
    return HearingMap(result)


def render_map(result: ScanResult) -> str:
    """Return the hearing map of a scan as one HTML page; the same result gives the same text.

    Parameters
    ----------
    result
        A finished scan.
    """
    return str(build_map(result).get_root().render())


def encode(data: dict[str, Any]) -> str:
    r"""Write data as JSON that no name in it can break out of, wherever it stands in a page.

    Examples
    --------
    >>> encode({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign, instead in HARMLESS.items():  # in a fraction of the time of str.translate
        text = text.replace(sign, instead)
    return text


def content_policy(scripts: list[str], styles: list[str]) -> str:
    """Return the policy under which a browser runs these scripts and styles and loads nothing else."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src " + " ".join(map(_digest, scripts)),
            "style-src " + " ".join(map(_digest, styles)),
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _digest(code: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"


@cache
def _page_file(name: str) -> str:
    return (files("livingcircle") / "page" / name).read_text(encoding="utf-8")


@cache
def _leaflet(name: str) -> str:
    """Leaflet's own file without what would make a browser look for other files."""
    code = (files("js_lib_leaflet") / "static" / "js_lib_leaflet" / name).read_text(encoding="utf-8")
    code = re.sub(r"^//# sourceMappingURL=.*$", "", code, flags=re.MULTILINE)
    if name.endswith(".css"):
        code = re.sub(r"url\([^)]*\)", "none", code)
    return code.replace("\r\n", "\n").strip()
