"""A font with Chinese for charts and sheets: found on this computer, or clearly asked for; never boxes."""

from __future__ import annotations

import os
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livingcircle_layers.errors import InputError, ResultWarning

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FONT_VARIABLE = "LIVINGCIRCLE_FONT"  # a font file that comes before all others

# Plain faces first, as they read better from afar; mainland forms before those of Japan and Taiwan.
FAMILIES = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei", "PingFang SC",
    "Hiragino Sans GB", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei", "Heiti SC", "STHeiti",
    "Droid Sans Fallback", "Noto Sans CJK JP", "Arial Unicode MS", "Noto Serif CJK SC", "Source Han Serif SC", "SimSun",
    "STSong", "KaiTi", "FangSong",
)  # fmt: skip
# Taken for single signs that the face above lacks: rare Chinese ones, symbols, emoji drawn with lines.
FALLBACKS = (
    "SimSun-ExtB", "MingLiU-ExtB", "HanaMinA", "HanaMinB", "Jigmo", "Jigmo2", "Jigmo3", "Noto Sans Symbols",
    "Noto Sans Symbols 2", "Noto Sans Symbols2", "Segoe UI Symbol", "Noto Emoji", "Segoe UI Emoji", "Symbola",
    "DejaVu Sans",
)  # fmt: skip
UNKNOWN_SIGN = "?"
_JOINERS = frozenset("\u200b\u200c\u200d\u2060\ufe0e\ufe0f")  # seen only by what they do to the signs beside them
_SAMPLE = "社区生活圈步行范围"
_REMEDY = (
    "install one (Debian and Ubuntu: apt install fonts-noto-cjk; others: Noto Sans CJK SC from fonts.google.com),"
    f" or set {FONT_VARIABLE} to a font file that has Chinese"
)


@contextmanager
def chinese_text() -> Iterator[None]:
    """Draw all text of matplotlib with a font that has Chinese, and fail rather than draw a box.

    Names are drawn as they are written: no ``$`` begins a formula. Call `spell` on a figure before it is written.

    Raises
    ------
    InputError
        No such font is installed, or a sign that no font has is to be drawn.
    """
    import matplotlib as mpl

    fonts: Any = {"font.family": _families(), "axes.unicode_minus": False, "text.parse_math": False}
    with mpl.rc_context(fonts), warnings.catch_warnings():
        warnings.filterwarnings("error", message=r"Glyph .* missing from font")
        try:
            yield
        except ResultWarning:  # of `spell`, where a user has made warnings errors
            raise
        except UserWarning as fault:
            raise InputError(f"a sign cannot be drawn: {fault}", remedy=_REMEDY) from None


def spell(figure: Figure) -> None:
    """Put ``?`` in the place of every sign of a figure that no font here has, within `chinese_text`.

    A control character becomes a space. Signs that were replaced are named in a `ResultWarning`.
    """
    from matplotlib.text import Text

    faces, unknown = _faces(), dict[str, None]()
    for axes in figure.axes:  # labels of ticks are written again whenever the chart is drawn
        for axis in (axes.xaxis, axes.yaxis):
            labels = [label.get_text() for label in axis.get_ticklabels()]
            if (spelled := [_spelled(text, faces, unknown) for text in labels]) != labels:
                axis.set_ticklabels(spelled)
    for text in figure.findobj(Text):
        text.set_text(_spelled(text.get_text(), faces, unknown))
    if unknown:
        named = ", ".join(f"{sign} (U+{ord(sign):04X})" for sign in unknown)
        warnings.warn(
            f"no font on this computer has {named}; {UNKNOWN_SIGN} is drawn instead; remedy: install a font that has"
            f" it, or set {FONT_VARIABLE} to its file",
            ResultWarning,
            stacklevel=3,
        )


def _spelled(text: str, faces: list[Any], unknown: dict[str, None]) -> str:
    """Return a text of signs that can be drawn; the others are noted."""
    if text.isascii() and text.isprintable():
        return text
    drawn = []
    for sign in text:
        if sign == "\n":
            drawn.append(sign)
        elif unicodedata.category(sign) == "Cc":
            drawn.append(" ")
        elif sign in _JOINERS:
            continue
        elif any(font.get_char_index(ord(sign)) for font in faces):
            drawn.append(sign)
        else:
            unknown[sign] = None
            drawn.append(UNKNOWN_SIGN)
    return "".join(drawn)


def _families() -> list[str]:
    """Return the families that text is drawn with: the one with Chinese, and those for single signs."""
    from matplotlib import font_manager

    first = chinese_family()
    known = {font.name for font in font_manager.fontManager.ttflist}
    return list(dict.fromkeys([first, *(family for family in (*FALLBACKS, *FAMILIES) if family in known)]))


def _faces() -> list[Any]:
    from matplotlib import font_manager

    found = (font_manager.findfont(family, fallback_to_default=False) for family in _families())
    return [font_manager.get_font(path) for path in found]


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
