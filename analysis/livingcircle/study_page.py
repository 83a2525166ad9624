"""The reference page of the study file: ``python -m livingcircle.study_page > docs/study-file.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from livingcircle.study import Study
from livingcircle.study_parts import TableKeys, part_of
from livingcircle_layers.sources import Database

_HEAD = """# Study file 研究文件

Made by `python -m livingcircle.study_page > docs/study-file.md`; do not edit by hand.

A study is one TOML file that names all inputs and choices of a run; `livingcircle check STUDY.toml` looks through it.
Paths are relative to the file. A key that does not exist is an error that names the nearest legal one. How files are
read, with examples: [inputs](inputs.md). Keys above `[[district]]` entries hold for all districts; an entry may replace
any of them.
"""
_KINDS = {str: "text", int: "number", float: "number", bool: "true or false", Path: "path", Database: "database"}


def reference_page() -> str:
    """Return the Markdown page of every key of a study file."""
    lines = [_HEAD, "## At the top", "", *_table(Study, plain_keys(Study))]
    lines += [
        "## Keys of every table or layer",
        "",
        "Parts that say *and the keys of every table* take these, too.",
        "",
    ]
    lines += _table(TableKeys, TableKeys.model_fields)
    told: dict[type[BaseModel], str] = {}
    for heading, model, field in _parts(Study):
        needed = "must be given" if field.is_required() else "may be left out"
        words = " ".join((model.__doc__ or "").split())
        more = f" {field.description[0].upper()}{field.description[1:]}." if field.description else ""
        also = " And the keys of every table." if issubclass(model, TableKeys) else ""
        same = f" The same keys as {told[model]}." if model in told else ""
        lines += [f"## {heading}", "", f"{words}{more} *{needed.capitalize()}.*{same or also}", ""]
        lines += [] if same else _table(model, plain_keys(model))
        told.setdefault(model, heading)
    return "\n".join(lines).rstrip() + "\n"


def _parts(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, type[BaseModel], FieldInfo]]:
    """Return the heading, model and field of every table in a table."""
    for key, field in model.model_fields.items():
        part, many = part_of(field.annotation)
        if part is not None:
            yield f"`[[{above}{key}]]`" if many else f"`[{above}{key}]`", part, field
            yield from _parts(part, f"{above}{key}.")


def plain_keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the keys of a table that are no tables themselves, without those that every table has."""
    common = TableKeys.model_fields if issubclass(model, TableKeys) and model is not TableKeys else {}
    return {
        key: field
        for key, field in model.model_fields.items()
        if part_of(field.annotation)[0] is None and not (key in common and field.description == common[key].description)
    }


def _table(model: type[BaseModel], keys: dict[str, FieldInfo]) -> list[str]:
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key, field in sorted(keys.items(), key=lambda item: item[0] != "file"):
        if not field.description:
            raise ValueError(f"{model.__name__}.{key} has no description")
        cells = (f"`{key}`", " or ".join(values_of(field.annotation)), _default(field), field.description)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return [*rows, ""]


def values_of(annotation: Any) -> list[str]:
    """Return what may be written, in plain words."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return [f'`"{word}"`' for word in parts]
    if origin is Annotated:
        return values_of(parts[0])
    if origin in (Union, UnionType):
        return [word for part in parts if part is not NoneType for word in values_of(part)]
    if origin is tuple:
        return [f"list of {word}s" for word in values_of(parts[0])]
    if origin is dict:
        return ["`{ role = heading }`"]
    return [_KINDS[annotation]]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ("", {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'`"{value}"`'
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{part}"' for part in value) + "]`"
    return f"`{value:g}`"


if __name__ == "__main__":
    sys.stdout.write(reference_page())
