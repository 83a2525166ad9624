"""Errors that a planner can act on: what is wrong, what was found, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar


def sentence(what: str, *, got: object = None, expected: object = None, remedy: str | None = None) -> str:
    """Put the four parts of an error into one line; parts that are None are left out."""
    parts = [what]
    if got is not None:
        parts.append(f"got {got}")
    if expected is not None:
        parts.append(f"expected {expected}")
    if remedy is not None:
        parts.append(f"remedy: {remedy}")
    return " ".join("; ".join(parts).split())


class LivingCircleError(Exception):
    """Base of every error that livingcircle raises on purpose.

    Parameters
    ----------
    what
        The fault in plain words, naming file and column or row.
    got, expected
        What was found and what would have been right.
    remedy
        What the user should do next.

    Attributes
    ----------
    what, got, expected, remedy
        The same as texts, for programs that show the parts in places of their own; None is not said.
    """

    def __init__(self, what: str, *, got: object = None, expected: object = None, remedy: str | None = None) -> None:
        super().__init__(sentence(what, got=got, expected=expected, remedy=remedy))
        self.what = what
        self.got = None if got is None else str(got)
        self.expected = None if expected is None else str(expected)
        self.remedy = remedy

    in_words: ClassVar[Callable[[str], str]] = staticmethod(str)  # how a notebook shows the sentence

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook prints (a hook of IPython): the sentence, since the fault is not in the code."""
        return [f"{type(self).__name__}: {type(self).in_words(str(self))}"]


class InputError(LivingCircleError, ValueError):
    """An input cannot be used (exit code 1)."""

    @classmethod
    def of(cls, faults: Sequence[str]) -> InputError:
        """Join all faults of one table into one error of one line."""
        return cls(" | ".join(faults))

    @classmethod
    def each(cls, faults: Iterable[str]) -> InputError:
        """Return one error about several inputs, with a line for each fault."""
        error = cls("")
        error.args = ("\n".join(dict.fromkeys(faults)),)
        return error


class ResultWarning(UserWarning):
    """Something in a result is not as it should be; the result is made, and the command line prints the sentence."""


class UsageError(LivingCircleError, ValueError):
    """The command or call asks for something that does not exist (exit code 2)."""
