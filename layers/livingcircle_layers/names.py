"""Names of places as different lists write them."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

SHORTEST_END = 4  # characters that a name must share with the end of a longer one: 成都市新桥公园 is 新桥公园


def plain_name(name: str) -> str:
    """Reduce a name to what two lists share: no spaces, brackets or case.

    Examples
    --------
    >>> plain_name("人民公园（东门）") == plain_name("人民公园(东门)")
    True
    """
    return re.sub(r"[\s\W_]+", "", unicodedata.normalize("NFKC", name)).casefold()


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
