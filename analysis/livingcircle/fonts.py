"""A font with Chinese for charts and sheets: found on this computer, or clearly asked for; never boxes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from livingcircle_layers.errors import InputError

FONT_VARIABLE = "LIVINGCIRCLE_FONT"  # a font file that comes before all others

# Plain faces first, as they read better from afar; mainland forms before those of Japan and Taiwan.
FAMILIES = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei", "PingFang SC",
    "Hiragino Sans GB", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei", "Heiti SC", "STHeiti",
    "Droid Sans Fallback", "Noto Sans CJK JP", "Arial Unicode MS", "Noto Serif CJK SC", "Source Han Serif SC", "SimSun",
    "STSong", "KaiTi", "FangSong",
)  # fmt: skip
_SAMPLE = "社区生活圈步行范围"
_REMEDY = (
    "install one (Debian and Ubuntu: apt install fonts-noto-cjk; others: Noto Sans CJK SC from fonts.google.com),"
    f" or set {FONT_VARIABLE} to a font file that has Chinese"
)


@contextmanager
def chinese_text() -> Iterator[None]:
    """Draw all text of matplotlib with a font that has Chinese, and fail rather than draw a box.

    Raises
    ------
    InputError
        No such font is installed, or it lacks a sign that is to be drawn.
    """
    import matplotlib as mpl

    fonts: Any = {"font.family": [chinese_family(), "DejaVu Sans"], "axes.unicode_minus": False}
    with mpl.rc_context(fonts), warnings.catch_warnings():
        warnings.filterwarnings("error", message=r"Glyph .* missing from font")
        try:
            yield
        except UserWarning as fault:
            raise InputError(f"a sign cannot be drawn: {fault}", remedy=_REMEDY) from None


def chinese_family() -> str:
    """Return the name of an installed font family that has Chinese.

    Raises
    ------
    InputError
        There is none, or the file that the environment names is none.
    """
    return _own_family(own) if (own := os.environ.get(FONT_VARIABLE, "")) else _installed_family()


@cache
def _own_family(path: str) -> str:
    from matplotlib import font_manager

    try:
        font_manager.fontManager.addfont(path)
    except (OSError, RuntimeError) as fault:
        raise InputError(f"{FONT_VARIABLE} names no font", got=path, remedy=_REMEDY) from fault
    family = next(f.name for f in font_manager.fontManager.ttflist if f.fname == str(Path(path)))
    if not _has_chinese(family):
        raise InputError(f"the font of {FONT_VARIABLE} has no Chinese", got=f"{path} ({family})", remedy=_REMEDY)
    return family


@cache
def _installed_family() -> str:
    found = _first_family()
    if found is None:
        _find_new_fonts()
        found = _first_family()
    if found is None:
        raise InputError("no font with Chinese is installed", expected=f"{', '.join(FAMILIES[:8])} …", remedy=_REMEDY)
    return found


def _first_family() -> str | None:
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    return next((family for family in FAMILIES if family in known and _has_chinese(family)), None)


def _has_chinese(family: str) -> bool:
    """Tell whether a family draws Chinese."""
    from matplotlib import font_manager

    font = font_manager.get_font(font_manager.findfont(family, fallback_to_default=False))
    return all(font.get_char_index(ord(sign)) for sign in _SAMPLE)


def _find_new_fonts() -> None:
    """Look for fonts that were installed since matplotlib wrote its list."""
    from matplotlib import font_manager

    known = {font.fname for font in font_manager.fontManager.ttflist}
    for path in font_manager.findSystemFonts():
        if path not in known:
            try:
                font_manager.fontManager.addfont(path)
            except (OSError, RuntimeError):  # a file that is no usable font is not what we look for
                continue
