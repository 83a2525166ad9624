"""What a command prints under ``--json``: one event per line, for other programs; the page docs/events.md is made here.

The events of long work are those of `livingcircle.progress`. A command adds how it started, what the planner should
know, and how it ended: with a result or with an error.
"""

from __future__ import annotations

import json
import sys
from dataclasses import Field, asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from livingcircle.progress import (
    DistrictBegun,
    DistrictEnded,
    Event,
    Note,
    PartDone,
    StageBegun,
    StageEnded,
)
from livingcircle_layers.errors import LivingCircleError


@dataclass(frozen=True)
class Started(Event):
    """A command began."""

    kind = "started"
    command: str
    version: str

    def __str__(self) -> str:
        return f"livingcircle {self.version}: {self.command}"


@dataclass(frozen=True)
class Caution(Event):
    """Something the planner should know of the numbers before she shows them."""

    kind = "warning"
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Result(Event):
    """The command ended and wrote its files."""

    kind = "result"
    exit_code: int
    folder: str
    files: tuple[str, ...]
    counted: str = ""
    people: dict[str, int] = field(default_factory=dict)
    districts: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"results in {self.folder}: {', '.join(self.files)}"


@dataclass(frozen=True)
class Failure(Event):
    """The command ended with an error."""

    kind = "error"
    exit_code: int
    message: str
    what: str
    got: str | None = None
    expected: str | None = None
    remedy: str | None = None

    def __str__(self) -> str:
        return self.message

    @classmethod
    def of(cls, fault: LivingCircleError, exit_code: int) -> Failure:
        """Return the event of an error, with the parts of its sentence."""
        return cls(exit_code, str(fault), fault.what, fault.got, fault.expected, fault.remedy)


def json_line(event: Event, *, now: datetime | None = None) -> str:
    """Return an event as one line of JSON; what it happened in comes first.

    Examples
    --------
    >>> json_line(PartDone(1, 4, 2.5, district="锦江"), now=datetime(2026, 1, 31, 8, 0, tzinfo=UTC))
    '{"event": "part_done", "time": "2026-01-31T08:00:00Z", "district": "锦江", "done": 1, "total": 4, "seconds": 2.5, "seconds_left": null}'
    """  # noqa: E501  one line is what is shown
    at = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    own = asdict(event)
    district = own.pop("district")
    where = {"district": district} if district else {}
    return json.dumps({"event": event.kind, "time": at, **where, **own}, ensure_ascii=False)


KINDS: dict[type[Event], str] = {
    Started: "开始",
    StageBegun: "阶段开始",
    StageEnded: "阶段结束",
    PartDone: "分块完成",
    DistrictBegun: "区县开始",
    DistrictEnded: "区县结束",
    Note: "说明",
    Caution: "提醒",
    Result: "结果",
    Failure: "错误",
}  # every kind of event there is, in the order a reader meets them
MEANINGS = {
    "command": "demo, scan, extract",
    "version": "of livingcircle",
    "stage": "short name that stays the same from version to version: read_units, read_streets, walk, write …",
    "text": "a sentence for people; may be worded otherwise in a later version",
    "seconds": "how long it took; for a part: since the measuring began",
    "seconds_left": "an estimate from what is done so far; null before there is one",
    "done": "how many parts are done",
    "total": "how many parts, or chosen districts, there are",
    "number": "which of the districts it is, from 1",
    "status": "done or failed",
    "reason": "why it failed; empty where it did not",
    "people": "how many are counted: of a district the number, of a result input, placed, not_placed and outside;"
    " null or empty where there are none",
    "exit_code": "what the program ends with",
    "folder": "where the files are",
    "files": "their names",
    "counted": "people, or residential_m2 where a study has no people",
    "districts": "of a batch: done, failed or skipped by name",
    "message": "the whole sentence",
    "what": "what is wrong",
    "got": "what was found; null where nothing is to be said",
    "expected": "what would have been right",
    "remedy": "what to do",
}


def events_markdown() -> str:
    """Return the description of all events as Markdown."""
    lines = [
        "# Events for other programs 事件",
        "",
        "Made from `livingcircle.events`: `python -m livingcircle.events > docs/events.md`.",
        "",
        "`livingcircle scan … --json` (also `demo` and `extract`) prints nothing on standard output but one JSON"
        " object per line, in UTF-8,",
        "each flushed at once. Errors also stand on standard error, as one line for people.",
        "",
        "- Every object has `event` and `time` (UTC); within a district of a batch also `district`.",
        "- The last line is a `result` or an `error`. A run that ends without either was stopped: by Ctrl-C (exit code"
        " 130), by another signal (SIGTERM 143, SIGHUP 129) or by force."
        " A command that cannot be understood (exit code 2) prints no line at all.",
        "- Exit codes: 0 done, 1 an input or a file cannot be used, 2 wrong usage, 3 a batch of which a district"
        " failed.",
        "- A stage that fails has no `stage_ended`.",
        "- Later versions may add kinds and fields; they take none away. Leave alone what you do not know.",
        "- In Python the same events reach a function: `lc.scan(study, progress=print)`, see `livingcircle.progress`.",
        "",
    ]
    for kind, title in KINDS.items():
        lines += [f"## {kind.kind} {title}", "", (kind.__doc__ or "").strip().splitlines()[0], ""]
        lines += ["| field | type | meaning |", "|---|---|---|"]
        lines += [_markdown_row(f) for f in fields(kind) if f.name != "district"] + [""]
    return "\n".join(lines)


def _markdown_row(item: Field[Any]) -> str:
    kind = str(item.type)
    words = {"str": "text", "int": "whole number", "float": "number", "tuple[str, ...]": "list of texts"}
    parts = ["or null" if part == "None" else words.get(part, "object") for part in kind.split(" | ")]
    return f"| `{item.name}` | {' '.join(parts)} | {MEANINGS[item.name]} |"


if __name__ == "__main__":
    sys.stdout.write(events_markdown())
