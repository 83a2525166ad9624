"""What the catalogue knows of one service, and of one wide category of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from livingcircle_layers._terms import (
    Alternative,
    AmapCode,
    BlackWord,
    parse_alternative,
    parse_amap,
    parse_black_word,
    parse_english_black_word,
)

Theme = Literal["public_service", "convenience", "transit", "ecology", "information"]
THEMES_ZH: Mapping[str, str] = {
    "public_service": "公共服务",
    "convenience": "便民生活",
    "transit": "公共交通",
    "ecology": "生态",
    "information": "信息图层",
}


def _read_by(parse: Callable[[str], Any]) -> BeforeValidator:
    """Return what reads a value of the file by a function that takes text."""

    def read(given: object) -> Any:
        if not isinstance(given, str):
            raise ValueError(f"{given!r} is no text")  # noqa: TRY004  pydantic takes ValueError alone
        return parse(given)

    return BeforeValidator(read)


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Service(_Frozen):
    """One kind of facility, and how it is recognised."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name_zh: str
    name_en: str
    theme: Theme
    kind: Literal["point", "ground", "line"]
    spatial: bool = True
    osm: tuple[Annotated[Alternative, _read_by(parse_alternative)], ...] = ()
    amap: tuple[Annotated[AmapCode, _read_by(parse_amap)], ...] = ()
    min_site_m2: float | None = Field(default=None, gt=0)
    max_site_m2: float | None = Field(default=None, gt=0)
    keywords_zh: tuple[str, ...] = ()
    keywords_en: tuple[str, ...] = ()
    blacklist_zh: tuple[Annotated[BlackWord, _read_by(parse_black_word)], ...] = ()
    blacklist_en: tuple[Annotated[BlackWord, _read_by(parse_english_black_word)], ...] = ()
    open_ground: bool = False
    colour: str = Field(default="#5f6b76", pattern=r"^#[0-9a-fA-F]{6}$")
    icon: str = Field(default="", max_length=4)
    note: str = ""

    def refused_by(self, text: str) -> str | None:
        """Return the blacklist word that stands in the folded text, None if there is none."""
        words = (*self.blacklist_zh, *self.blacklist_en)
        return next((word.word for word in words if word.rejects(text)), None)

    def rejects(self, text: str) -> bool:
        """Tell whether a blacklist word stands in the folded text."""
        return self.refused_by(text) is not None

    def fits_band(self, site_m2: float | None) -> bool:
        """Tell whether a ground of this size lies in the service's band; unknown size lies in none."""
        if self.min_site_m2 is None and self.max_site_m2 is None:
            return True
        return site_m2 is not None and (self.min_site_m2 or 0) <= site_m2 < (self.max_site_m2 or float("inf"))


class Family(_Frozen):
    """A wide category of a table, such as 学校, within which the name of a place tells the service."""

    id: str
    words: tuple[str, ...]
    amap: tuple[Annotated[AmapCode, _read_by(parse_amap)], ...] = ()
    services: tuple[str, ...]
    name_role: Literal["decides", "corrects", "widens"] = "decides"
