"""TOML files that people write: read them, and name every fault in plain words."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from livingcircle_layers.errors import InputError, sentence
from livingcircle_layers.sources import without_address

Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """Read one TOML file, which must be UTF-8; a syntax error names file and line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path} cannot be read", got=error.strerror, remedy="check the path of the file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8", remedy="save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is not valid TOML", got=error, remedy="correct that line") from error


def nearest(word: str, legal: Iterable[str]) -> str | None:
    """Return the legal word that looks most like this one, if any comes near.

    Examples
    --------
    >>> nearest("tresholds", ["threshold", "tier"])
    'threshold'
    """
    found = difflib.get_close_matches(word, list(legal), n=1, cutoff=0.5)
    return found[0] if found else None


def unknown_word(what: str, word: str, legal: Iterable[str]) -> str:
    """Word the fault of a name that does not exist, with the nearest one that does."""
    close = nearest(word, legal)
    return sentence(what, got=repr(word), remedy=f"did you mean {close!r}?" if close else None)


def checked(model: type[Model], raw: Mapping[str, Any], *, where: str, faults: list[str]) -> Model | None:
    """Build the model from raw values; put every fault into ``faults`` and return None if there is one.

    Parameters
    ----------
    model
        The pydantic model that describes the legal keys.
    raw
        The values as read from the file.
    where
        File and entry, as the user should read them in the message.
    faults
        Collects one sentence per fault.
    """
    try:
        return model.model_validate(dict(raw))
    except ValidationError as error:
        faults += faults_of(model, error, where=where)
        return None


def faults_of(model: type[BaseModel], error: ValidationError, *, where: str, keys_known: bool = False) -> list[str]:
    """Return a sentence for every fault; `keys_known` leaves out unknown keys, which the caller has named."""
    return [
        _fault(model, where, fault["type"], fault["loc"], fault["msg"], fault["input"])
        for fault in error.errors()
        if not (keys_known and fault["type"] == "extra_forbidden")
    ]


def _fault(model: type[BaseModel], where: str, kind: str, loc: tuple[int | str, ...], message: str, got: Any) -> str:
    place = ".".join(str(part) for part in loc) or "entry"
    if kind == "extra_forbidden":
        return unknown_word(f"{where}: unknown key", place, model.model_fields)
    if kind == "missing":
        return sentence(f"{where}: the key {place} is missing", remedy=f"add {place} = …")
    if kind == "model_type":
        held = hasattr(got, "to_csv")  # a pandas or GeoPandas table
        return sentence(
            f"{where}: {place}",
            got=f"a {type(got).__name__} in memory" if held else without_address(repr(got)),
            expected="keys and values",
            remedy="write it to a file and name that: {'file': 'own.gpkg'}" if held else "name a file: {'file': …}",
        )
    expected = message.removeprefix("Value error, ").removeprefix("Input should be ")
    close = (
        nearest(got, re.findall(r"'([^']+)'", expected)) if kind == "literal_error" and isinstance(got, str) else None
    )
    remedy = f"did you mean {close!r}?" if close else None
    return sentence(f"{where}: {place}", got=without_address(repr(got)), expected=expected, remedy=remedy)
