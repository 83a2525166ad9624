"""A study as a file for people: what is chosen, and every other key as a comment with its default."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from livingcircle.study import Study
from livingcircle.study_page import plain_keys, values_of
from livingcircle.study_parts import TableKeys, part_of

_HEAD = """\
# 研究文件:一次测算的全部输入与选择。A study: all inputs and choices of a run.
#   livingcircle check {file}    逐项检查输入,不测算  looks through every input, measures nothing
#   livingcircle scan {file}     测算  the run
# 以 # 开头的键可省略,所写为缺省值;去掉 # 即可修改,连同它上方的 [方括号] 一行。路径相对于本文件。
# Keys behind a # may be left out; they show their defaults. To change one, take the # away, and also that of the
# [heading] above it. Paths are relative to this file."""
_TITLES = {
    "streets": "街道",
    "communities": "社区边界",
    "population": "人口",
    "population.shares": "各年龄段占比",
    "facilities": "自有设施清单:每份清单一段",
    "estates": "封闭小区",
    "areas": "自定范围",
    "population_compare": "另一份人口,用于比较",
    "population_compare.shares": "另一份人口的各年龄段占比",
    "layer": "OpenStreetMap 某类设施是否齐全",
    "walker_settings": "步行人群的设定",
    "candidates": "新增设施的备选地点",
    "capacity": "床位、学位与面积的分配",
    "catchments": "学区等服务范围",
    "sensitivity": "敏感性分析",
    "facility_override": "逐个设施的保留或剔除",
    "grounds": "不完全开放的绿地与场地是否计入",
    "map": "地图",
    "scene": "听证会地图的场景",
}
_FIRST = ("streets", "communities", "population", "facilities")
# What stands for a value without a default, by how its kind is told; all others are texts.
_BLANKS = {"`{ role = heading }`": '{ role = "heading" }', "number": "…", "true or false": "…"}
_BARE = re.compile(r"^[A-Za-z0-9_-]+$")


def study_text(study: Study, file: str = "study.toml") -> str:
    """Return a study as a commented TOML file that `Study.load` reads as the same study.

    What a key means, and its default, are those of the models, so that neither can go stale.

    Parameters
    ----------
    study
        Its inputs are files; a database has an address that must not be written down.
    file
        What the file will be called.
    """
    blocks = [_HEAD.format(file=file), "\n".join(_lines(Study, study))]
    parts = {key: field for key, field in Study.model_fields.items() if part_of(field.annotation)[0]}
    told: dict[type[BaseModel], str] = {}
    for key in sorted(parts, key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST)):
        blocks += _part(key, parts[key], getattr(study, key), told)
    blocks.append(_common())
    return "\n\n".join(blocks) + "\n"


def _part(name: str, field: FieldInfo, value: Any, told: dict[type[BaseModel], str]) -> Iterator[str]:
    """Return a part as blocks of lines: one for each of its entries, and for the parts of it.

    ``told`` are the models whose keys stand in the file already, with the part in which they do.
    """
    model, many = part_of(field.annotation)
    if model is None:
        raise ValueError(f"{name} is no part")
    words = " ".join((model.__doc__ or "").split())
    more = f" {field.description[0].upper()}{field.description[1:]}." if field.description else ""
    head = [f"# —— {_TITLES[name]} —— {words}{more}"]
    heading = f"[[{name}]]" if many else f"[{name}]"
    if not value and model in told:
        yield "\n".join([*head, f"# {heading}  # 同 the same keys as {told[model]}"])
        return
    told.setdefault(model, heading)
    for entry in (value if many else [value]) or [None]:
        # A table that is there anyway keeps its heading, so that a key below it can be changed alone.
        yield "\n".join([*head, heading if entry else f"# {heading}", *_lines(model, entry), *_common_given(entry)])
        head = []
        for key, own in model.model_fields.items():
            if part_of(own.annotation)[0]:
                yield from _part(f"{name}.{key}", own, getattr(entry, key, None), told)


def _lines(model: type[BaseModel], entry: BaseModel | None) -> list[str]:
    """Return the keys of a part that are its own, the file first."""
    keys = sorted(plain_keys(model).items(), key=lambda item: item[0] != "file")
    return [_line(key, field, getattr(entry, key, None)) for key, field in keys]


def _common_given(entry: BaseModel | None) -> list[str]:
    """Return those keys of every table that this one says; of a file always in which datum it is."""
    own = plain_keys(type(entry)) if entry is not None else {}
    common = TableKeys.model_fields if isinstance(entry, TableKeys) else {}
    always = {"datum"} if getattr(entry, "file", None) else set()
    return [
        _line(key, field, getattr(entry, key))
        for key, field in common.items()
        if key not in own and (key in always or getattr(entry, key) != field.get_default(call_default_factory=True))
    ]


def _common() -> str:
    lines = [
        "# —— 每个表或图层还可写 —— These keys can also stand in every part that names a file with rows:",
        *(_line(key, field, None) for key, field in TableKeys.model_fields.items()),
    ]
    return "\n".join(lines)


def _line(key: str, field: FieldInfo, value: Any) -> str:
    """Return a key with its value; as a comment with its default where nothing is chosen."""
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    chosen = value is not None and value != default
    kinds = values_of(field.annotation)
    blank = default in (None, "", {}, ())
    shown = _toml(value) if chosen else _BLANKS.get(kinds[0], '"…"') if blank else _toml(default)
    words = " | ".join(kind.strip("`") for kind in kinds) + ": " if kinds[0].startswith('`"') else ""
    return f"{'' if chosen else '# '}{key} = {shown}  # {words}{field.description}"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    if isinstance(value, Path):
        return _toml(value.as_posix())
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        pairs = (f"{key if _BARE.match(key) else _toml(key)} = {_toml(one)}" for key, one in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    raise TypeError(f"{type(value).__name__} cannot be written into a study file")
