"""A plain reader of what the hearing map packs: the oracle of the page's own."""

from __future__ import annotations

from livingcircle._packing import ALPHABET


def codes(text: str) -> list[int]:
    """Read digits of five bits, lowest first, until one says that none follows."""
    found, value, place = [], 0, 0
    for letter in text:
        digit = ALPHABET.index(letter)
        value += (digit % 32) * 32**place
        place += 1
        if digit < 32:
            found.append(value)
            value, place = 0, 0
    assert place == 0, "the text ends inside a number"
    return found


def signed(code: int) -> int:
    return -(code + 1) // 2 if code % 2 else code // 2


def unpack(text: str) -> list[int]:
    return [signed(code) for code in codes(text)]


def unpack_known(text: str, decimals: int) -> list[float | None]:
    return [None if code == 0 else signed(code - 1) / 10**decimals for code in codes(text)]
