"""Which rows of a table count: a small language of comparisons, in which nothing can be run."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from livingcircle_layers.cells import as_numbers
from livingcircle_layers.errors import InputError, sentence
from livingcircle_layers.headings import nearest, plain_heading
from livingcircle_layers.sources import Source

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>"[^"]*"|'[^']*'|“[^”]*”|‘[^’]*’)
    | (?P<column>`[^`]+`)
    | (?P<number>[+-]?\d+(?:\.\d+)?(?![\w.]))
    | (?P<mark>==|!=|>=|<=|>|<|\(|\)|（|）|,|，)
    | (?P<word>\w+)
    )""",
    re.VERBOSE,
)
_PLAIN_MARKS = {"（": "(", "）": ")", "，": ","}
_WORDS = frozenset(("and", "or", "not", "in"))
_DEEPEST = 50  # brackets inside one another; Python itself gives up at a few hundred
_LONGEST_SHOWN = 300  # characters
_EXAMPLE = '类别 == "幼儿园" and 状态 != "停办" and 面积 >= 500'

_ORDER: dict[str, Callable[[pd.Series, float], pd.Series]] = {
    "==": lambda values, other: values == other,
    "!=": lambda values, other: values != other,
    ">=": lambda values, other: values >= other,
    "<=": lambda values, other: values <= other,
    ">": lambda values, other: values > other,
    "<": lambda values, other: values < other,
}


@dataclass(frozen=True)
class _Token:
    kind: str
    value: str
    at: int


def rows_where(table: pd.DataFrame, where: str, *, what: str) -> pd.Series[bool]:
    """Tell which rows of a table of text an expression asks for.

    ``==``, ``!=`` and ``in (…)`` compare text with text and numbers with numbers; ``<``, ``<=``, ``>``, ``>=`` take
    numbers. Comparisons are joined with ``and``, ``or``, ``not`` and brackets; ``and`` binds closer than ``or``. A
    column whose heading is more than one word stands in backticks. A blank cell is ``""``, and no number: it is
    unequal to every number, and neither above nor below one.

    Parameters
    ----------
    table
        Every cell as text.
    where
        The expression.
    what
        The table, as errors name it.

    Raises
    ------
    InputError
        The expression is no such expression, names a column that does not exist, or compares text with a number.

    Examples
    --------
    >>> table = pd.DataFrame({"类别": ["幼儿园", "小学"], "面积": ["1,200", ""]})
    >>> rows_where(table, '类别 in ("幼儿园", "小学") and not 面积 < 500', what="schools.csv").tolist()
    [True, True]
    """
    return _Parser(where, table, what).parsed()


def kept_rows(table: pd.DataFrame, source: Source) -> npt.NDArray[np.bool_]:
    """Tell which rows of a table its source wants; a source that wants none of them is an error."""
    if source.where is None:
        return np.ones(len(table), dtype=bool)
    kept = rows_where(table, source.where, what=source.label).to_numpy(dtype=bool)
    if not kept.any():
        raise InputError(
            f"{source.label}: `where` leaves none of the {len(table)} rows",
            got=_shown(source.where),
            remedy="check the values it compares with",
        )
    return kept


def _shown(where: str) -> str:
    """Return an expression as an error repeats it."""
    return where if len(where) <= _LONGEST_SHOWN else f"{where[:_LONGEST_SHOWN]} …"


class _Parser:
    """Reads an expression from left to right and works it out on the way: one method for each rule of the grammar."""

    def __init__(self, where: str, table: pd.DataFrame, what: str) -> None:
        self.where, self.table, self.what = where, table, what
        self.tokens = self._tokens()
        self.position = self.depth = 0

    def parsed(self) -> pd.Series[bool]:
        found = self._either()
        if self._peek().kind != "end":
            raise self._unexpected("and, or, or the end")
        return found

    def _tokens(self) -> list[_Token]:
        tokens, at = [], 0
        text = self.where.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                at += len(text[at:]) - len(text[at:].lstrip())
                raise self._fault(f"{text[at]!r} at character {at + 1}", "columns, comparisons, and, or, not")
            kind = str(match.lastgroup)
            value, start = match[kind], match.start(kind)
            if kind in {"text", "column"}:
                value = value[1:-1]
            elif kind == "word" and value.lower() in _WORDS:
                kind, value = "word_of_ours", value.lower()
            elif kind == "mark":
                value = _PLAIN_MARKS.get(value, value)
            tokens.append(_Token(kind, value, start))
            at = match.end()
        return [*tokens, _Token("end", "", len(text))]

    def _peek(self) -> _Token:
        return self.tokens[self.position]

    def _take(self, *values: str) -> _Token | None:
        """Move on if the next token is one of ours with such a value."""
        token = self._peek()
        if token.kind in {"mark", "word_of_ours"} and token.value in values:
            self.position += 1
            return token
        return None

    def _either(self) -> pd.Series[bool]:
        found = self._both()
        while self._take("or"):
            found = found | self._both()
        return found

    def _both(self) -> pd.Series[bool]:
        found = self._one()
        while self._take("and"):
            found = found & self._one()
        return found

    def _one(self) -> pd.Series[bool]:
        turned = False
        while self._take("not"):
            turned = not turned
        if self._take("("):
            self.depth += 1
            if self.depth > _DEEPEST:
                raise self._fault(f"more than {_DEEPEST} brackets inside one another", "fewer")
            found = self._either()
            self._expect(")")
            self.depth -= 1
        else:
            found = self._comparison()
        return ~found if turned else found

    def _comparison(self) -> pd.Series[bool]:
        token = self._peek()
        if token.kind not in {"word", "column"}:
            raise self._unexpected("a column")
        self.position += 1
        cells = self.table[self._heading(token.value)].astype("str").str.strip()
        if self._take("not"):
            self._expect("in")
            return ~self._in(token.value, cells)
        if self._take("in"):
            return self._in(token.value, cells)
        mark = self._take(*_ORDER)
        if mark is None:
            raise self._unexpected(f"==, !=, >=, <=, >, < or in after the column {token.value}")
        return self._compared(token.value, cells, mark.value, self._value())

    def _in(self, column: str, cells: pd.Series[str]) -> pd.Series[bool]:
        self._expect("(")
        found = self._compared(column, cells, "==", self._value())
        while self._take(","):
            found = found | self._compared(column, cells, "==", self._value())
        self._expect(")")
        return found

    def _value(self) -> str | float:
        token = self._peek()
        if token.kind not in {"text", "number"}:
            raise self._unexpected('a number, or a text in quotes ("…")')
        self.position += 1
        return float(token.value) if token.kind == "number" else token.value.strip()

    def _compared(self, column: str, cells: pd.Series[str], mark: str, value: str | float) -> pd.Series[bool]:
        if isinstance(value, str):
            if mark not in {"==", "!="}:
                raise self._fault(f"{column} {mark} {value!r}", f"a number after {mark}, without quotes")
            same = cells == value
            return same if mark == "==" else ~same
        numbers, blank = as_numbers(cells)
        text = cells[~blank & ~np.isfinite(numbers)]
        if len(text):
            shown = ", ".join(f"row {row}: {cell[:20]!r}" for row, cell in text.iloc[:3].items())
            raise self._fault(f"{column} compared with a number, and text in {len(text)} rows ({shown})", "numbers")
        return _ORDER[mark](numbers, value)

    def _heading(self, name: str) -> str:
        present = [str(heading) for heading in self.table.columns]
        if name in present:
            return name
        plain = [heading for heading in present if plain_heading(heading) == plain_heading(name)]
        if len(plain) == 1:
            return plain[0]
        raise InputError(f"{self.what} has no column {name!r} for `where`{nearest(name, present)}")

    def _expect(self, value: str) -> None:
        if self._take(value) is None:
            raise self._unexpected(value)

    def _unexpected(self, expected: str) -> InputError:
        token = self._peek()
        got = f"{token.value!r} at character {token.at + 1}" if token.kind != "end" else "its end"
        return self._fault(got, expected)

    def _fault(self, got: str, expected: str) -> InputError:
        present: Sequence[str] = [str(heading) for heading in self.table.columns]
        columns = ", ".join(present[:12]) + (" …" if len(present) > 12 else "")
        return InputError(
            sentence(
                f"{self.what}: `where` cannot be understood: {_shown(self.where)}",
                got=got,
                expected=expected,
                remedy=f"write it like {_EXAMPLE}; the columns are {columns}",
            )
        )
