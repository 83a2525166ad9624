"""Walks and lines as whole hundredths of a metre or second: they are rounded to 0.01, so half the memory holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

HUNDREDTHS = 100.0

Floats = npt.NDArray[np.float64]
Int32s = npt.NDArray[np.int32]


def hundredths(values: Floats) -> Int32s:
    """Return numbers that are rounded to 0.01 as whole hundredths; NaN becomes -1."""
    return np.where(np.isnan(values), -1, np.rint(values * HUNDREDTHS)).astype(np.int32)


def from_hundredths(values: Int32s) -> Floats:
    """Return whole hundredths as numbers; -1 becomes NaN.

    Examples
    --------
    >>> from_hundredths(hundredths(np.array([0.07, 300.01, np.nan]))).tolist()
    [0.07, 300.01, nan]
    """
    return np.where(values < 0, np.nan, values / HUNDREDTHS)


class Walks(Mapping[str, Floats]):
    """Numbers of every home by walker, kept as whole hundredths and made into numbers whenever they are looked at.

    Parameters
    ----------
    kept
        Whole hundredths by walker, -1 where nothing is reached.
    """

    def __init__(self, kept: Mapping[str, Int32s]) -> None:
        self.kept = dict(kept)

    @classmethod
    def of(cls, numbers: Mapping[str, Floats]) -> Walks:
        """Keep numbers that are rounded to 0.01, NaN where nothing is reached."""
        return numbers if isinstance(numbers, cls) else cls({name: hundredths(v) for name, v in numbers.items()})

    def __getitem__(self, walker: str) -> Floats:
        return from_hundredths(self.kept[walker])

    def __iter__(self) -> Iterator[str]:
        return iter(self.kept)

    def __len__(self) -> int:
        return len(self.kept)
