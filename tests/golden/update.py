"""The numbers of the demo town as they were last accepted: `python tests/golden/update.py` writes them anew.

A number that changes is a change for the user: say in CHANGELOG.md why.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

FOLDER = Path(__file__).parent
MOST_BYTES = 150_000

# Of coverage.csv: all units above the communities, the communities of the planted cases, and every column that is not a
# text of the rule or the unit (those are compared with the standards elsewhere).
KEYS: Mapping[str, tuple[str, ...]] = {
    "coverage.csv": ("level", "unit_id", "rule", "group", "walker", "gates"),
    "scores.csv": ("level", "unit_id"),
}
TEXTS = (
    "unit_name", "standard", "service", "theme", "tier", "clause_measure", "denominator", "clause", "bound",
    "provision", "confidence",
)  # fmt: skip
COMMUNITIES = (
    "示意量尺社区", "示意对岸社区", "示意银杏社区", "示意石榴社区", "示意园前社区", "示意芙蓉社区", "示意示山村",
    "示意西原村", "示意仓前社区", "示意南站社区",
)  # fmt: skip

Table = dict[tuple[str, ...], dict[str, str]]


def reduced(name: str, text: str) -> list[dict[str, str]]:
    """Return the rows and columns of a result file that are kept."""
    rows = list(csv.DictReader(io.StringIO(text)))
    if name == "coverage.csv":
        rows = [r for r in rows if r["level"] != "community" or r["unit_name"] in COMMUNITIES]
        rows = [{k: v for k, v in r.items() if k not in TEXTS} for r in rows]
    return rows


def keyed(name: str, rows: list[dict[str, str]]) -> Table:
    """Return rows by their key."""
    return {tuple(row[k] for k in KEYS[name]): row for row in rows}


def differences(old: Table, new: Table) -> Iterator[str]:
    """Yield a line for everything that changed: unit, rule, column, old, new."""
    for key in [*old, *(k for k in new if k not in old)]:
        place = " ".join(part for part in key if part)
        if key not in new:
            yield f"{place}: the row is gone"
        elif key not in old:
            yield f"{place}: a new row"
        else:
            columns = dict.fromkeys([*old[key], *new[key]])
            changed = ((c, old[key].get(c, "no column"), new[key].get(c, "no column")) for c in columns)
            yield from (f"{place}: {c}: {was or 'empty'} -> {now or 'empty'}" for c, was, now in changed if was != now)


def accepted(name: str) -> Table:
    """Return the accepted rows by their key."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as stream:
        return keyed(name, list(csv.DictReader(stream)))


def main() -> None:
    """Scan the demo town and accept its numbers."""
    import livingcircle as lc

    with tempfile.TemporaryDirectory() as folder:
        lc.scan(lc.demo_study()).save(folder)
        for name in KEYS:
            rows = reduced(name, (Path(folder) / name).read_text(encoding="utf-8-sig"))
            with (FOLDER / name).open("w", encoding="utf-8", newline="") as stream:
                table = csv.DictWriter(stream, rows[0], lineterminator="\n")
                table.writeheader()
                table.writerows(rows)


if __name__ == "__main__":
    main()
