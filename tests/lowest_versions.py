"""Print the lowest versions that pyproject.toml allows, of the dependencies and of the extras of users, for pip."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

EXTRAS = ("word", "postgis", "cluster")  # what users install; test, docs and dev are ours


def lowest(requirements: list[str]) -> list[str]:
    """Return ``name==version`` for every requirement ``name>=version``; one without a lowest version is an error."""
    pins = []
    for requirement in requirements:
        match = re.fullmatch(r"([A-Za-z0-9_.-]+)(?:\[([^\]]*)\])?>=([0-9][0-9a-z.]*)", requirement)
        if match is None:
            raise SystemExit(f"{requirement} names no lowest version; expected name>=version")
        pins.append(f"{match[1]}=={match[3]}")
        pins += [f"{match[1]}-{extra.strip()}=={match[3]}" for extra in (match[2] or "").split(",") if extra]
    return pins


if __name__ == "__main__":
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [requirement for extra in EXTRAS for requirement in project["optional-dependencies"][extra]]
    sys.stdout.write("\n".join(lowest([*project["dependencies"], *extras])) + "\n")
