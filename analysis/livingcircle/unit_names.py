"""Units by the names that people know: an id is what a table holds, a name what a planner types."""

from __future__ import annotations

import pandas as pd

from livingcircle_layers.errors import UsageError


def unit_called(word: str, names: pd.Series[str]) -> str:
    """Return the id of the unit that a word means: the id itself, or else a name that one unit alone has.

    Parameters
    ----------
    word
        What was typed.
    names
        Names of units, their ids as the index; an id may stand at several levels.

    Returns
    -------
    The id; a word that is neither comes back as it is, for the caller to say what exists.

    Raises
    ------
    UsageError
        Several units have this name.
    """
    if word in names.index:
        return word
    ids = sorted({str(unit) for unit, name in names.items() if name == word})
    if len(ids) > 1:
        shown = ", ".join(ids[:12]) + (" …" if len(ids) > 12 else "")
        raise UsageError(f"{len(ids)} units are called {word}", expected="an id", remedy=f"choose one of {shown}")
    return ids[0] if ids else word
