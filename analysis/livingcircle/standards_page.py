"""The reference page of all standards: ``python -m livingcircle.standards_page > docs/standards.md``."""

from __future__ import annotations

import sys

from livingcircle.rules import Rule, RuleSet
from livingcircle.standards import cells, list_standards, load_standard, stated

_HEAD = """# Standards and bundles

Made by `python -m livingcircle.standards_page > docs/standards.md`; do not edit by hand.

Marks: V seen in the text itself, V2 seen second-hand, M+ from memory and sure, M? from memory and unsure.
A rule that is off is never computed unless a file of your own enables it.
"""


def reference_page() -> str:
    """Return the Markdown page of all bundles, standards, rules, and keys of a rule."""
    lines = [_HEAD]
    for listing in list_standards():
        rules = load_standard(listing.id)
        lines += [f"## {rules.id}: {rules.title_zh} · {rules.title_en}", ""]
        lines += [f"A {rules.kind} of {len(rules.rules)} rules, {len(rules.scoring)} of them score.", ""]
        lines += [part for sentence in stated(rules.id) for part in (sentence, "")]
        lines += _table(rules)
    lines += ["## Keys of a rule", "", "| key | meaning |", "|---|---|"]
    lines += [f"| `{key}` | {field.description} |" for key, field in Rule.model_fields.items()]
    return "\n".join(lines) + "\n"


def _table(rules: RuleSet) -> list[str]:
    rows = [
        "| rule | 中文 | English | figure | clause | confidence | state |",
        "|---|---|---|---|---|---|---|",
    ]
    for rule in (*rules.rules, *rules.off):
        id_, *others = (cell.replace("|", "\\|") for cell in cells(rule, rules))
        rows.append(f"| `{id_}` | " + " | ".join(others) + " |")
    return [*rows, ""]


if __name__ == "__main__":
    sys.stdout.write(reference_page())
