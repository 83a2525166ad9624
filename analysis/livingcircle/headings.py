"""The headings under which a report puts the rules: the four themes, or the scenes of Chengdu's planning."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from livingcircle_layers.errors import UsageError

HeadingsName = Literal["themes", "scenes7", "scenes9"]


class Heading(BaseModel):
    """One heading, and what stands under it: services by name, and all other services of some themes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str
    en: str
    themes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


class Headings(BaseModel):
    """A list of headings, with where its words come from and how sure that is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title_zh: str
    title_en: str
    source: str = ""
    mark: str = ""
    heading: tuple[Heading, ...]

    def of(self, services: Sequence[str], theme: str) -> Heading | None:
        """Return the heading of a rule: that of its first service, else that of its theme; None: no heading fits."""
        for service in services[:1]:
            for heading in self.heading:
                if service in heading.services:
                    return heading
        return next((heading for heading in self.heading if theme in heading.themes), None)


@cache
def load_headings(name: str) -> Headings:
    """Return a list of headings by its name: themes, scenes7 or scenes9.

    Raises
    ------
    UsageError
        There is no such list.
    """
    known = tomllib.loads((files("livingcircle") / "data" / "report_headings.toml").read_text(encoding="utf-8"))
    if name not in known:
        raise UsageError("there are no such headings", got=repr(name), expected=", ".join(known))
    return Headings.model_validate(known[name])
