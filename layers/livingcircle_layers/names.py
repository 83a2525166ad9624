"""Names of places as different lists write them."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

_MARKS = re.compile(r"[\s\W_]+")
_SCHOOL = re.compile(r"([小中])学校")
SHORTEST_END = 4  # characters that a name must share with the end of a longer one: 成都市新桥公园 is 新桥公园


def plain_name(name: str) -> str:
    """Reduce a name to what two lists share: no spaces, brackets or case.

    Examples
    --------
    >>> plain_name("人民公园（东门）") == plain_name("人民公园(东门)")
    True
    """
    return _MARKS.sub("", unicodedata.normalize("NFKC", name)).casefold() if name else ""


def core_name(name: str) -> str:
    """Return a plain name without the ways of writing that differ between lists.

    Examples
    --------
    >>> core_name("行知小学校(长久校区)") == core_name("行知小学 长久校区")
    True
    """
    plain = plain_name(name)
    return _SCHOOL.sub(r"\1学", plain) if "学校" in plain else plain


def core_names(names: Sequence[str] | pd.Series[str]) -> npt.NDArray[np.object_]:
    """Return the core names of a column, in which most names stand more than once or are empty."""
    code, different = pd.factorize(np.asarray(names, dtype=object))
    core = np.empty(len(different), dtype=object)
    core[:] = [core_name(name) for name in different]
    found: npt.NDArray[np.object_] = core[code]
    return found


def same_place_name(one: str, other: str) -> bool:
    """Tell whether two core names are one, save for the province, city or district that one of them begins with.

    Examples
    --------
    >>> same_place_name("四川省成都市盐道街中学", "盐道街中学"), same_place_name("茶文化公园", "文化公园")
    (True, False)
    """
    short, long = sorted((one, other), key=len)
    if not short or one == other:
        return bool(short)
    return long.endswith(short) and _PLACE.fullmatch(long[: -len(short)]) is not None


# What may stand before a name without changing it: 四川省, 成都市, 武侯区, or a city's short name (成都).
_PLACE = re.compile(r"([^省市区县]{2,6}(省|市|区|县))*([^省市区县]{2})?")


def same_name_pairs(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the positions of plain names that are equal, or of which one is the end of the other.

    Chinese names grow at the front (四川省成都市盐道街中学), so the end is what two lists share; it must have at least
    four characters. Of ends that several lengths match, all count.

    Examples
    --------
    >>> list(same_name_pairs(["成都市新桥公园", "新华公园"], ["新桥公园", "华公园", "新华公园"]))
    [(0, 0), (1, 2)]
    """
    exact = _positions(theirs)
    ends: dict[str, list[int]] = defaultdict(list)  # proper ends of their names
    for j, name in enumerate(theirs):
        for start in range(1, len(name) - SHORTEST_END + 1):
            ends[name[start:]].append(j)
    for i, name in enumerate(ours):
        if not name:
            continue
        found = {*exact.get(name, ()), *ends.get(name, ())}
        for start in range(1, len(name) - SHORTEST_END + 1):
            found.update(exact.get(name[start:], ()))
        yield from ((i, j) for j in sorted(found))


def _positions(names: Sequence[str]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(names):
        if name:
            found[name].append(i)
    return found
