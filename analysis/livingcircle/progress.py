"""What long work tells while it runs: a few kinds of event, handed one by one to whoever wants to know.

A listener is any callable that takes an event: ``scan(study, progress=print)`` prints a line for each, as every event
is a sentence of its own. A bar looks at the kinds:

>>> def bar(event: Event) -> None:
...     match event:
...         case StageBegun(text=text):
...             print("now", text)
...         case PartDone(done=done, total=total):
...             print(done / total)
>>> bar(PartDone(1, 4, 2.5))
0.25

``livingcircle scan --json`` prints the same events, one JSON object per line; docs/events.md describes them all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import ClassVar

from livingcircle.memory import give_back


@dataclass(frozen=True)
class Event:
    """Something that happened in long work.

    Attributes
    ----------
    district
        The district of a batch that it happened in; empty outside of one.
    """

    kind: ClassVar[str]
    district: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class StageBegun(Event):
    """A stage began: its short name, which stays the same from version to version, and what is done in it."""

    kind = "stage_begun"
    stage: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class StageEnded(Event):
    """A stage ended, after so many seconds."""

    kind = "stage_ended"
    stage: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.stage} took {self.seconds:.1f} s"


@dataclass(frozen=True)
class PartDone(Event):
    """Of the parts that a city was cut into, so many are measured; the seconds left are None before they are known."""

    kind = "part_done"
    done: int
    total: int
    seconds: float
    seconds_left: float | None = None

    def __str__(self) -> str:
        left = "" if self.seconds_left is None else f", about {self.seconds_left:.0f} s left"
        return f"measured part {self.done} of {self.total}{left}"


@dataclass(frozen=True)
class DistrictBegun(Event):
    """The work on a district of a batch began."""

    kind = "district_begun"
    number: int
    total: int

    def __str__(self) -> str:
        return f"district {self.number} of {self.total}"


@dataclass(frozen=True)
class DistrictEnded(Event):
    """A district of a batch is done or failed; people are None where they were not counted.

    The seconds left are for all further districts, judged by those that were scanned; None before there is one.
    """

    kind = "district_ended"
    number: int
    total: int
    status: str
    reason: str = ""
    people: int | None = None
    seconds: float = 0.0
    seconds_left: float | None = None

    def __str__(self) -> str:
        people = "" if self.people is None else f", {self.people:,} people"
        why = f": {self.reason}" if self.reason else ""
        left = f"; about {self.seconds_left:.0f} s left for the others" if self.seconds_left else ""
        return f"district {self.number} of {self.total} {self.status}{people}{why}{left}"


@dataclass(frozen=True)
class Note(Event):
    """Something else worth knowing."""

    kind = "note"
    text: str

    def __str__(self) -> str:
        return self.text


Progress = Callable[[Event], None]


def nobody(event: Event) -> None:
    """Listen to nothing."""
    del event


def of_district(progress: Progress, district: str) -> Progress:
    """Return a listener that tells another one in which district it happened."""
    return lambda event: progress(replace(event, district=district))


@dataclass
class Stages:
    """Times the stages of a scan and tells about them."""

    progress: Progress | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, text: str) -> Iterator[None]:
        """Announce a stage, note how long it took, and tell that it ended."""
        progress = self.progress or nobody
        progress(StageBegun(name, text))
        start = time.perf_counter()
        yield
        give_back()
        self.seconds[name] = round(time.perf_counter() - start, 3)
        progress(StageEnded(name, self.seconds[name]))


@dataclass
class Parts:
    """Tells how many parts are done and when the rest will be."""

    progress: Progress
    start: float = field(default_factory=time.monotonic)
    ends: list[float] = field(default_factory=list)

    def __call__(self, done: int, total: int) -> None:
        """Tell that one more part is done."""
        now = time.monotonic()
        self.ends.append(now)
        each_s = (now - self.ends[0]) / max(len(self.ends) - 1, 1)  # the first one also starts the workers
        left_s = round(each_s * (total - done), 1) if len(self.ends) > 1 else None
        self.progress(PartDone(done, total, round(now - self.start, 1), left_s))
