"""The reference page of the Python package: ``python -m livingcircle.python_page > docs/python.md``."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from pydantic import BaseModel

import livingcircle as lc

_HEAD = """# Python and notebooks 在 Python 与笔记本中使用

Made by `python -m livingcircle.python_page > docs/python.md`; do not edit by hand.

```sh
.venv/bin/python -m pip install -q jupyterlab && .venv/bin/jupyter lab notebooks
```

Seven short notebooks stand in the folder `notebooks`: a first scan, green and parks, schools and elders, your own
lists, your own standard, many districts, how a number came about. In a notebook results, maps, charts and rules show
themselves, and a mistake is one line that says what to do. `lc.` and the Tab key list what follows; `lc.scan?` shows
the same text.

```python
import livingcircle as lc

study = lc.Study(
    name="锦江区",
    standard="chengdu",
    walkers=["adult", "elder"],
    streets={"osm": "city.osm.pbf"},
    communities={"file": "communities.gpkg"},
    population={"file": "grid.csv"},
    facilities=[{"file": "幼儿园.xlsx", "service": "kindergarten", "datum": "gcj02"}],
)
result = lc.scan(study, progress=lc.NotebookBar())
```

Keys are those of the [study file](study-file.md), columns of tables those of the [data
dictionary](data-dictionary.md). Lengths are in metres, areas in m², times in minutes unless a name says seconds
(`_s`), shares between 0 and 1. Coordinates that go in or come out are longitude and latitude in WGS-84 degrees
(EPSG:4326). NaN is *not known* or *not reached*, 0 is *counted, and none*. Two errors are raised on purpose, both
also a `ValueError`: `lc.InputError` (the data cannot be used) and `lc.UsageError` (what is asked for does not exist).
"""
_SECTIONS = re.compile(r"^([A-Z][a-z]+)\n-+\n", re.MULTILINE)


def reference_page() -> str:
    """Return the Markdown page of everything that `livingcircle` names for users."""
    return "\n".join([_HEAD, *(line for name in lc.__all__ for line in _told(name, getattr(lc, name)))]).rstrip() + "\n"


def _told(name: str, value: Any) -> Iterator[str]:
    yield f"## {name}\n"
    if isinstance(value, ModuleType):
        yield from _words(value)
        for function in (f for f in vars(value).values() if _own_function(f, value.__name__)):
            yield f"### {name}.{function.__name__}\n"
            yield from _called(f"{name}.{function.__name__}", function)
    elif isinstance(value, type) and issubclass(value, BaseModel):
        yield from _words(value)
        keys = ", ".join(f"`{key}`" for key in value.model_fields)
        yield "Keys: see the [study file](study-file.md).\n" if value is lc.Study else f"Keys: {keys}.\n"
        yield from _methods(value)
    elif isinstance(value, type):
        yield from _words(value)
        if dataclasses.is_dataclass(value) and "Attributes\n---" not in str(value.__doc__):
            shown = (f for f in dataclasses.fields(value) if not f.name.startswith("_"))
            yield "It holds " + ", ".join(f"`{f.name}`" for f in shown) + ".\n"
        yield from _methods(value)
    elif callable(value):
        yield from _called(name, value)
    else:
        yield f"{type(value).__name__}: " + ", ".join(f"`{key}`" for key in value) + "\n"


def _own_function(value: Any, module: str) -> bool:
    return inspect.isfunction(value) and value.__module__ == module and not value.__name__.startswith("_")


def _methods(kind: type) -> Iterator[str]:
    """Tell the methods that a class has of its own; what it takes over from a library is documented there."""
    for name, member in vars(kind).items():
        function = member.__func__ if isinstance(member, classmethod) else member
        if inspect.isfunction(function) and not name.startswith("_"):
            yield f"### {kind.__name__}.{name}\n"
            yield from _called(f"{kind.__name__}.{name}", function)


def _called(name: str, function: Callable[..., Any]) -> Iterator[str]:
    signature = inspect.signature(function)
    given = [p.replace(annotation=p.empty) for p in signature.parameters.values() if p.name not in ("self", "cls")]
    told = str(signature.replace(parameters=given, return_annotation=signature.empty)).replace("'", '"')
    yield f"```python\n{name}{re.sub(r'<[^>]*>|Walker[(].*?[)](?=[,)])', '…', told)}\n```\n"
    yield from _words(function)


def _words(value: Any) -> Iterator[str]:
    """Return a docstring as Markdown: its sections as lists of what is given, returned and raised."""
    text = inspect.getdoc(value) or ""
    first, *rest = _SECTIONS.split(text)
    yield _plain(first)
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        yield f"**{title}**\n"
        yield _example(body) if title == "Examples" else _entries(body)


def _entries(body: str) -> str:
    """Return the entries of a section, a name and what is indented beneath it, as a list."""
    entries = re.findall(r"^(\S[^\n]*)\n((?:(?:[ ]+[^\n]*)?\n?)*)", body.strip() + "\n", re.MULTILINE)
    rows = [
        f"- `{name.strip('`')}`: {' '.join(told.split())}" if told.strip() else f"- {name}" for name, told in entries
    ]
    return _plain("\n".join(rows))


def _example(body: str) -> str:
    return f"```pycon\n{body.strip()}\n```\n"


def _plain(text: str) -> str:
    return text.strip().replace("``", "`") + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference_page())
