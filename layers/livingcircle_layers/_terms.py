"""The small grammar of the service catalogue: OSM terms, Amap codes and blacklist words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

NAME_KEYS = ("name", "name:zh", "name:en", "alt_name", "official_name")
SITE_KEY = "site_m2"

Operator = Literal["=", "!=", "*", "<=", ">=", "name"]

_TERM = re.compile(r"(?P<key>[^\s=!<>~*]+)\s*(?P<op>!=|<=|>=|=)\s*(?P<value>\S.*)")
_AMAP = re.compile(r"(?P<never>!?)(?P<code>\d{6})(?P<named>\+name)?")


@dataclass(frozen=True, slots=True)
class Term:
    """One condition on an OSM object, such as ``amenity=school`` or ``name~小学``."""

    key: str
    op: Operator
    value: str = ""
    words: tuple[str, ...] = ()

    def holds(self, tags: Mapping[str, str], site_m2: float | None = None) -> bool:
        """Tell whether the tags meet the condition; name terms are judged by the service, not here."""
        if self.key == SITE_KEY:
            return site_m2 is None or _compare(site_m2, self.op, float(self.value))
        found = tags.get(self.key)
        if self.op == "!=":
            return found is None or self.value not in values_of(self.key, found)
        if found is None:
            return False
        if self.op == "*":
            return found != "no"
        if self.op == "=":
            return self.value in values_of(self.key, found)
        try:
            return _compare(float(found), self.op, float(self.value))
        except ValueError:  # a tag such as max_age=toddler says no number
            return False


@dataclass(frozen=True, slots=True)
class Alternative:
    """Terms that must hold together; a service has one or more of these."""

    terms: tuple[Term, ...]
    name: Term | None

    @property
    def sized(self) -> bool:
        """Whether a term asks for the size of the ground."""
        return any(term.key == SITE_KEY for term in self.terms)


@dataclass(frozen=True, slots=True)
class AmapCode:
    """A type code of Amap that a service is found under."""

    code: str
    named: bool = False
    never: bool = False

    @property
    def major(self) -> bool:
        """Whether the code is a whole class, such as 14 (education, culture): too wide without a keyword."""
        return self.code.endswith("0000")

    @property
    def prefix(self) -> str:
        """The leading digits that a covered code shares: all six, four of a middle, two of a major code."""
        if self.major:
            return self.code[:2]
        return self.code[:4] if self.code.endswith("00") else self.code

    def covers(self, code: str) -> bool:
        """Tell whether a code is this one or one of its minors."""
        return code.startswith(self.prefix)


@dataclass(frozen=True, slots=True)
class BlackWord:
    """A word that rejects a name, unless a sparing word stands in the name too.

    Attributes
    ----------
    last
        The word must stand at the end of the name.
    whole
        The word must stand alone, as English words do: ``car`` is not in ``Carol``.
    """

    word: str
    spares: tuple[str, ...] = ()
    last: bool = False
    whole: bool = False

    def rejects(self, text: str) -> bool:
        """Tell whether the folded text, a name a line, is rejected."""
        return self._stands_in(text) and not any(spare in text for spare in self.spares)

    def _stands_in(self, text: str) -> bool:
        if self.last:
            return any(name.endswith(self.word) for name in text.split("\n"))
        if self.whole:
            return self.word in text and re.search(word_pattern([self.word]), text) is not None
        return self.word in text


def parse_alternative(text: str) -> Alternative:
    """Read one alternative, such as ``amenity=school + name``.

    Examples
    --------
    >>> parse_alternative("amenity=school + isced:level=1").terms[1].key
    'isced:level'
    """
    terms: list[Term] = []
    name: Term | None = None
    for part in text.split(" + "):
        term = _parse_term(part.strip(), text)
        if term.op == "name":
            name = term
        else:
            terms.append(term)
    if name is None and not any(term.op in ("=", "*") and term.key != SITE_KEY for term in terms):
        raise ValueError(f"{text!r} needs at least one key=value, key=* or name term")
    return Alternative(tuple(terms), name)


def _parse_term(part: str, text: str) -> Term:
    if part == "name":
        return Term("name", "name")
    if part.startswith("name~"):
        words = tuple(fold(word) for word in part[5:].split("/") if word.strip())
        if words:
            return Term("name", "name", words=words)
    match = _TERM.fullmatch(part)
    if match is None:
        raise ValueError(f"{part!r} in {text!r} is no term: write key=value, key!=value, key=*, name or name~a/b")
    key, op, value = match["key"], match["op"], match["value"].strip()
    if op == "=" and value == "*":
        return Term(key, "*")
    if op in ("<=", ">="):
        try:
            float(value)
        except ValueError:
            raise ValueError(f"{part!r} in {text!r} needs a number after {op}") from None
    return Term(key, op, value)  # type: ignore[arg-type]  # the pattern allows these four only


def parse_amap(text: str) -> AmapCode:
    """Read one Amap code: ``060400``, ``070000+name`` or ``!072001``."""
    match = _AMAP.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no Amap code: write six digits, six digits+name, or !six digits")
    return AmapCode(match["code"], named=bool(match["named"]), never=bool(match["never"]))


def parse_black_word(text: str, *, whole: bool = False) -> BlackWord:
    """Read one blacklist word: ``停车场``, ``公馆$`` (at the end), ``高级中学 unless 初中/初级``."""
    word, _, spares = text.partition(" unless ")
    last = word.endswith("$")
    word = fold(word.removesuffix("$"))
    if not word:
        raise ValueError("a blacklist word is empty")
    spared = tuple(fold(spare) for spare in spares.split("/") if spare.strip())
    return BlackWord(word, spared, last=last, whole=whole)


def parse_english_black_word(text: str) -> BlackWord:
    """Read one English blacklist word, which must stand alone: ``car park``."""
    return parse_black_word(text, whole=True)


def fold(text: str) -> str:
    """Bring a name into the form in which words are looked for: lower case, British spelling.

    Examples
    --------
    >>> fold("Community Health Center ")
    'community health centre'
    """
    folded = text.strip().casefold()
    return folded.replace("center", "centre").replace("neighborhood", "neighbourhood")


def word_pattern(words: Iterable[str]) -> str:
    """Return a regular expression that finds any of the words; Latin ones only as whole words."""
    patterns = []
    for word in sorted({fold(word) for word in words}, key=lambda word: (-len(word), word)):
        escaped = re.escape(word)
        patterns.append(rf"(?<![a-z]){escaped}s?(?![a-z])" if word[-1].isascii() else escaped)
    return "|".join(patterns)


def values_of(key: str, text: str) -> tuple[str, ...]:
    """Split a tag that lists several values; levels such as ``1-2`` are spelled out.

    Examples
    --------
    >>> values_of("isced:level", "1-3")
    ('1', '2', '3')
    >>> values_of("sport", "soccer; basketball")
    ('soccer', 'basketball')
    """
    if key == "isced:level":
        levels: list[str] = []
        for part in re.split(r"[;,/\s]+", text):
            ends = re.fullmatch(r"(\d)[-–](\d)", part)
            levels += [str(n) for n in range(int(ends[1]), int(ends[2]) + 1)] if ends else [part]
        return tuple(levels)
    return tuple(part.strip() for part in text.split(";")) if ";" in text else (text,)


def _compare(found: float, op: Operator, limit: float) -> bool:
    return found <= limit if op == "<=" else found >= limit
