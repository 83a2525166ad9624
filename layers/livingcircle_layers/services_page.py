"""The reference page of all services: ``python -m livingcircle_layers.services_page > docs/services.md``."""

from __future__ import annotations

import sys

from livingcircle_layers.catalogue import SERVICES_FILE, THEMES_ZH, load_catalogue
from livingcircle_layers.typed_toml import read_toml

_HEAD = """# Services

Made by `python -m livingcircle_layers.services_page > docs/services.md`; do not edit by hand.

A place provides a service when it meets one of the OpenStreetMap alternatives, or has one of the Amap codes,
and no word of the blacklist stands in its name. `name` means that a keyword stands in a name of the place.
The grammar is explained at the top of `services.toml`; a file of your own may add services or change keys.
"""


def reference_page() -> str:
    """Return the Markdown page of the built-in service catalogue, theme by theme."""
    written = {entry["id"]: entry for entry in read_toml(SERVICES_FILE)["service"]}
    lines = [_HEAD]
    for theme, chinese in THEMES_ZH.items():
        lines += [f"## {theme} {chinese}", ""]
        lines += ["| id | 中文 | English | OpenStreetMap | Amap | keywords | not | note |", "|" + "---|" * 8]
        for service in load_catalogue().services.values():
            if service.theme != theme:
                continue
            raw = written[service.id]
            cells = [
                f"`{service.id}`",
                service.name_zh,
                service.name_en,
                _code(raw.get("osm", [])) or "cannot be placed from map data",
                _code(raw.get("amap", [])),
                ", ".join((*service.keywords_zh, *service.keywords_en)),
                ", ".join((*raw.get("blacklist_zh", []), *raw.get("blacklist_en", []))),
                service.note,
            ]
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _code(words: list[str]) -> str:
    return "<br>".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    sys.stdout.write(reference_page())
