"""What commands print in English, said in Chinese: notes, facts of a check, settings, and errors.

Sentences are made once, in English, where their numbers are known; `run.json`, events and exceptions keep them so. Here
each has its Chinese form beside it, by the fixed words around what varies: `_notes` are whole lines, `_faults_…` the
parts of errors (what, got, expected, remedy), which are put together again in Chinese. A sentence that is not here is
printed as it is. A test looks through the sources for every sentence that has no Chinese form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from livingcircle.said_zh._faults_files import FILES
from livingcircle.said_zh._faults_inputs import INPUTS
from livingcircle.said_zh._faults_places import PLACES
from livingcircle.said_zh._faults_results import RESULTS
from livingcircle.said_zh._faults_study import STUDIES
from livingcircle.said_zh._notes import NOTES
from livingcircle.said_zh._notes_inputs import REMARKS
from livingcircle.said_zh._others import OTHERS
from livingcircle.said_zh._words import WORDS

FAULTS = (*FILES, *INPUTS, *PLACES, *RESULTS, *STUDIES, *REMARKS)
PHRASES = (*NOTES, *FAULTS)

_FREE = {"columns", "file", "name", "names", "scene", "standard", "title", "unit", "units", "what"}
_NUMBERS = {"all", "m", "n"}
_SLOT = re.compile(r"\{(\w+)\}")
_SENTENCE = re.compile(r"(?<![\w.])[A-Za-z]{2,},? (?:[a-z]+,? ){2,}[a-z]{2,}")  # four English words in a row
_TWO_WORDS = re.compile(r"(?<![\w'`./-])[A-Za-z]?[a-z]+ [a-z]{2,}(?![\w'])")
_THREE_WORDS = re.compile(r"(?<![\w'`./-])[A-Za-z]?[a-z]+(?: [a-z]{2,}){2,}(?![\w'])")
_PARTS = re.compile(
    r"(?P<what>.*?)(?:; got (?P<got>.*?))?(?:; expected (?P<expected>.*?))?(?:; remedy: (?P<remedy>.*))?", re.DOTALL
)  # as livingcircle_layers.errors.sentence puts them together
_FRAMES = {"what": "{}", "got": "实际: {}", "expected": "应为: {}", "remedy": "{}"}  # a remedy begins with 请
_OTHERS_WORDS = "程序原文: {}"
_BETWEEN_FAULTS = " | "  # as InputError.of puts them together
_ROW = re.compile(r"(?:^|(?<=, )|(?<=; )|(?<=\())rows? (\d+)(?=$|[:,;)])")
_COUNTED = re.compile(r"(\d+) × (.+?)(?=, \d+ × | \(first: |$)")
_NOT_GIVEN = re.compile(r"(?:^|(?<=, ))no (?=[a-z-]+(?:, no |$))")
_FIRST = re.compile(r" \(first: (.+)\)$")
_MORE = re.compile(r"(?:, | )and (\d+) more$")


def said(text: str, tongue: str) -> str:
    """Return a printed line in a language, zh or en; in Chinese as far as its sentences are known.

    Examples
    --------
    >>> said("46 gated estates, 137 gates; no gate is known for 3 of them", "zh")
    '封闭小区 46 个,大门 137 处;其中 3 个小区没有已知大门'
    >>> said("file not found: a.csv; remedy: check the path", "zh")
    '找不到文件: a.csv;请检查路径'
    >>> said("gates = respect", "en")
    'gates = respect'
    """
    return _chinese(text) or text if tongue == "zh" else text


def said_in_both(text: str) -> str:
    r"""Return a line in Chinese and, beneath it, in English; one whose Chinese is not known as it is.

    Examples
    --------
    >>> said_in_both("datum = WGS-84")
    '坐标系 = WGS-84\ndatum = WGS-84'
    """
    zh = _chinese(text)
    return text if zh is None or zh == text else f"{zh}\n{text}"


def is_known(text: str) -> bool:
    """Tell whether the whole of a line has its Chinese form here."""
    return _chinese(text) is not None


def _chinese(text: str) -> str | None:
    for phrase in _notes():
        if (zh := phrase.chinese(text)) is not None:
            return zh
    if (zh := _fault(text)) is not None or _has_parts(text):
        return zh
    before, colon, rest = text.partition(": ")
    if colon and ";" not in before and (known := _chinese(rest)) is not None:  # a note of one district of a batch
        return f"{before}: {known}"
    if "; " in text:  # several sentences in one line, as settings and what is told of one file
        parts = [(part, _chinese(part)) for part in text.split("; ")]
        if any(zh for _, zh in parts):
            return ";".join(zh or _words(part) for part, zh in parts)
    return None


def _has_parts(text: str) -> bool:
    """Tell whether a text is an error with parts, of which none is said when it is not known what is wrong."""
    match = _PARTS.fullmatch(text)
    return match is not None and any(match[name] for name in ("got", "expected", "remedy"))


def _fault(text: str) -> str | None:
    """Say an error, or several of one table; None where it is not known what is wrong."""
    faults = text.split(_BETWEEN_FAULTS)
    if len(faults) > 1:
        said_ = [_fault(fault) for fault in faults]
        return (
            _BETWEEN_FAULTS.join(zh or fault for zh, fault in zip(said_, faults, strict=True)) if any(said_) else None
        )
    match = _PARTS.fullmatch(text)
    parts = {} if match is None else {name: part for name, part in match.groupdict().items() if part is not None}
    text = parts.pop("what", "")
    what = _part(text, whole=not parts)
    if what is None:
        return None
    return ";".join([what, *(_framed(name, part) for name, part in parts.items())])


def _framed(name: str, part: str) -> str:
    """Say what was found, what was expected, or what to do; another program's words stay in their language."""
    zh = _part(part) or _values(part)
    return (_OTHERS_WORDS if name == "got" and _SENTENCE.search(zh) else _FRAMES[name]).format(zh)


def _part(text: str, *, whole: bool = False) -> str | None:
    """Say one part of an error, which may be several sentences; `whole`: of a line that could be a list or a value."""
    text = text.strip()
    for phrase in _faults():
        if not (whole and phrase.short) and (zh := phrase.chinese(text)) is not None:
            return zh
    if "; " in text:
        parts = [(part, _part(part, whole=whole)) for part in text.split("; ")]
        if parts[0][1] is not None:
            return ";".join(zh or _values(part) for part, zh in parts)
    return None


def _values(text: str) -> str:
    """Return what was found: values as they are, with the words around them in Chinese."""
    counted = _COUNTED.sub(lambda match: f"{match[1]} × {_part(match[2]) or match[2]}", text.strip())
    counted = _NOT_GIVEN.sub("没有 ", _FIRST.sub(r"(首例: \1)", counted))
    return _MORE.sub(r" 等(另有 \1 个)", _ROW.sub(r"第 \1 行", counted))


@dataclass(frozen=True)
class _Phrase:
    """A sentence in both languages."""

    english: str
    template: str
    free: bool = False  # what varies in parts of errors can hold anything

    @cached_property
    def pieces(self) -> Sequence[str]:
        """The fixed words."""
        return [piece for piece in _SLOT.split(self.english)[::2] if piece]

    @cached_property
    def longest(self) -> str:
        """The longest of them: looked for before the pattern is made, which takes a hundred times as long."""
        return max(self.pieces, key=len)

    @cached_property
    def short(self) -> bool:
        """Whether so little is fixed ("one of …") that it could be found in other sentences, too."""
        return self.free and bool(_SLOT.search(self.english)) and sum(len(piece.strip()) for piece in self.pieces) < 10

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What matches the sentence whatever stands in its braces."""
        parts = _SLOT.split(self.english)
        fixed = [re.escape(part) for part in parts[::2]]
        slots = [f"(?P<{name}>{self._varies(name)})" for name in parts[1::2]]
        return re.compile("".join(text + slot for text, slot in zip(fixed, [*slots, ""], strict=True)), re.DOTALL)

    def chinese(self, text: str) -> str | None:
        """Return a text in Chinese if it is this sentence."""
        if self.longest not in text or (match := self.pattern.fullmatch(text)) is None:
            return None
        if any(self._too_much(name, value) for name, value in match.groupdict().items()):
            return None  # the outer words of another sentence
        slots = {name: _slot(name, value, free=self.free) for name, value in match.groupdict().items()}
        return _SLOT.sub(lambda slot: slots[slot[1]], self.template)

    def _too_much(self, name: str, value: str) -> bool:
        """Tell whether what varies holds words of a sentence: little that is fixed is found in other sentences, too."""
        if self.free:
            known = name.endswith("__") and _part(value) is not None
            return self.short and not known and _TWO_WORDS.search(value) is not None
        words = _THREE_WORDS if name in _FREE else _TWO_WORDS
        return not name.endswith("_") and words.search(value) is not None

    def _varies(self, name: str) -> str:
        if name == "row":
            return r"\d+"
        if self.free and name in _NUMBERS:
            return r"[^\s;]+"
        if name.endswith("__"):
            return ".+?"
        if self.free:
            return "(?:(?!; ).)+?"
        return "[^;]+?" if name in _FREE or name.endswith("_") else "[^;:]+?"


def _slot(name: str, value: str, *, free: bool) -> str:
    if name.endswith("__"):
        return (_part(value) or _chinese(value) or _values(value)) if free else (_chinese(value) or _list(value))
    if name.endswith("_"):
        return _words(value)
    return _values(value) if free else value.strip()


def _list(text: str) -> str:
    """Say lists in Chinese; where a sentence is among them all stays as it is: half of one is worse than none."""
    parts = [_words(part) for part in text.split("; ")]
    return text if any(map(_SENTENCE.search, parts)) else ";".join(parts)


def _words(text: str) -> str:
    return _known_words().sub(lambda match: _glossary()[match[0]], text)


@cache
def _glossary() -> Mapping[str, str]:
    from livingcircle.walkers import WALKERS  # here, as they take a moment that --help need not wait for
    from livingcircle_layers.catalogue import load_catalogue

    services = {service.id: service.name_zh for service in load_catalogue().services.values()}
    return {**services, **{name: walker.name_zh for name, walker in WALKERS.items()}, **WORDS}


@cache
def _known_words() -> re.Pattern[str]:
    longest_first = sorted(_glossary(), key=len, reverse=True)
    return re.compile(r"(?<![\w.])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![\w.])")


@cache
def _notes() -> Sequence[_Phrase]:
    return [_Phrase(english, chinese) for english, chinese in NOTES]


@cache
def _faults() -> Sequence[_Phrase]:
    """Return the parts of errors, those first that say most: what varies could be a part of another one's words."""
    phrases = [_Phrase(english, chinese, free=True) for english, chinese in (*FAULTS, *OTHERS)]
    return sorted(phrases, key=lambda phrase: -sum(map(len, phrase.pieces)))
