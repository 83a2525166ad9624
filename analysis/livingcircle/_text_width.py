"""How wide a text is in a spreadsheet: a Chinese character takes the room of two digits."""

from __future__ import annotations

import re

WIDE = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6"
_WIDE_SIGN = re.compile(f"[{WIDE}]")
_UNBROKEN = re.compile(rf"[^\s{WIDE}]+")


def text_width(text: str) -> int:
    r"""Return the width of the longest line of a text, in digits.

    Examples
    --------
    >>> text_width("社区 A"), text_width("社区\nCommunity")
    (6, 9)
    """
    return max(_width(line) for line in text.split("\n"))


def longest_word(text: str) -> int:
    """Return the width of the longest piece that no line break may cut: a Latin word, or one Chinese character.

    Examples
    --------
    >>> longest_word("社区 Community name"), longest_word("社区")
    (9, 2)
    """
    words = [len(word) for word in _UNBROKEN.findall(text)]
    return max([*words, 2 if _WIDE_SIGN.search(text) else 0], default=0)


def lines_needed(text: str, width: float) -> int:
    """Return how many lines a text takes in a column, words kept whole where they fit.

    Parameters
    ----------
    text
        May have line breaks of its own.
    width
        Of the column, in digits.

    Examples
    --------
    >>> lines_needed("居民平均可步行到达", 10), lines_needed("a few words", 6), lines_needed("", 6)
    (2, 2, 1)
    """
    return sum(_lines_of_one(line, max(int(width), 2)) for line in text.split("\n"))


def _width(line: str) -> int:
    return len(line) if line.isascii() else len(line) + len(_WIDE_SIGN.findall(line))


def _lines_of_one(line: str, width: int) -> int:
    if _width(line) <= width:
        return 1
    lines, filled = 1, 0
    for piece in re.findall(rf"[{WIDE}]|[^\s{WIDE}]+\s*|\s+", line):
        size = 2 if _WIDE_SIGN.match(piece) else len(piece.rstrip())
        if filled and filled + size > width:
            lines, filled = lines + 1, 0
        lines += max(-(-size // width) - 1, 0)  # a word longer than the column is cut
        filled += size if _WIDE_SIGN.match(piece) else len(piece)
    return lines
