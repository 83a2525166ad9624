"""What a command says while it works and when it ends: a bar, lines of a log, events for programs, or little."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from typing import TYPE_CHECKING, Annotated

import typer

from livingcircle.events import Caution, Failure, Result, Started, json_line
from livingcircle.progress import (
    DistrictBegun,
    DistrictEnded,
    Event,
    Note,
    PartDone,
    Progress,
    StageBegun,
    StageEnded,
    nobody,
)
from livingcircle.said_zh import said
from livingcircle.tongues import Tongue as Tongue  # noqa: PLC0414  what commands are told in
from livingcircle.tongues import system_tongue
from livingcircle_layers.errors import LivingCircleError, UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

LOG_EVERY_S = 10.0  # a log of thousands of parts is read by people

AsEvents = Annotated[
    bool, typer.Option("--json", help="Print events for other programs, one JSON object per line (docs/events.md).")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and the last line only.")]
Language = Annotated[
    str, typer.Option("--lang", help="Language of what is printed: zh or en; by default as the system's.")
]

STAGES_ZH = {
    "read_units": "读取社区边界",
    "read_streets": "读取道路",
    "read_places": "读取设施、范围与服务区",
    "read_people": "读取人口",
    "place": "把人口落到居住点",
    "join": "接入道路",
    "walk": "测算步行距离",
    "check_datum": "把各图层与道路比对(坐标系)",
    "aggregate": "按单元统计人数",
    "additions": "寻找增设一处效果最好的位置",
    "capacity": "分摊床位、学位与面积",
    "sensitivity": "换用其他阈值、步速、人口与院门口径再判一遍",
    "ground": "查找生活圈起点",
    "circles": "绘制其余生活圈",
    "tables": "整理各结果表",
    "map": "绘制地图",
    "cut_nodes": "查找范围内的节点",
    "cut_ways": "查找与范围相交的道路和轮廓",
    "cut_areas": "查找跨越边界的面",
    "cut_write": "写出裁剪结果",
    "check": "检查各区县的输入",
    "combine": "合并各区县结果",
    "write": "写出图层、表格与报告",
}


@dataclass(frozen=True)
class Teller:
    """Who tells the user what goes on.

    Attributes
    ----------
    progress
        What long work hands its events to.
    tongue
        In which language lines are printed.
    quiet, as_events
        Whether only the last lines are wanted, or none but events.
    """

    progress: Progress
    tongue: Tongue
    quiet: bool = False
    as_events: bool = False

    def say(self, zh: str, en: str) -> None:
        """Print a line of what was found."""
        if not self.quiet:
            self.last(zh, en)

    def last(self, zh: str, en: str) -> None:
        """Print a line that also a quiet command ends with."""
        if not self.as_events:
            typer.echo(zh if self.tongue == "zh" else en)

    def warn(self, text: str) -> None:
        """Tell what the planner should know of the numbers."""
        if self.as_events:
            self.progress(Caution(text))
        self.say(f"提醒: {said(text, 'zh')}", f"note: {text}")

    def tell(self, text: str, *, err: bool = False) -> None:
        """Print a line that is made in English, in the language that is spoken."""
        if not self.quiet and not self.as_events:
            typer.echo(said(text, self.tongue), err=err)

    def result(self, ended: Result) -> None:
        """Tell other programs how it ended."""
        if self.as_events:
            self.progress(ended)


@contextmanager
def telling(command: str, *, quiet: bool = False, as_events: bool = False, language: str = "") -> Iterator[Teller]:
    """Tell of one command, from its start to its result or its error."""
    tongue = tongue_of(language)
    if not as_events:
        with progress(tongue, quiet=quiet) as tell:
            yield Teller(tell, tongue, quiet=quiet)
        return
    teller = Teller(_print_event, tongue, quiet=quiet, as_events=True)
    teller.progress(Started(command, metadata.version("livingcircle")))
    try:
        yield teller
    except LivingCircleError as fault:
        teller.progress(Failure.of(fault, 2 if isinstance(fault, UsageError) else 1))
        raise


def tongue_of(language: str) -> Tongue:
    """Return the language that is asked for, or the system's, where Chinese is one."""
    if language:
        return known_language(language)
    return system_tongue()


def tongue_of_words(words: Sequence[str]) -> Tongue:
    """Return the language that the words of a command line ask for; errors are said in it also before it is read."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        option, equals, value = word.partition("=")
        if option in ("--lang", "--language"):
            asked = value if equals else after
            return tongue_of(asked if asked in ("zh", "en") else "")
    return tongue_of("")


def known_language(text: str) -> Tongue:
    """Return a language that is named."""
    if text not in ("zh", "en"):
        raise UsageError("unknown language", got=text, expected="zh or en")
    return "zh" if text == "zh" else "en"


@contextmanager
def progress(tongue: Tongue | None = None, *, quiet: bool = False) -> Iterator[Progress]:
    """Show what goes on: a bar on a terminal, lines with the time elsewhere."""
    spoken = tongue or tongue_of("")
    if quiet:
        yield nobody
    elif sys.stderr.isatty():
        from rich.console import Console

        with bar(Console(stderr=True), spoken) as show:
            yield show
    else:
        yield _Log(spoken)


def _print_event(event: Event) -> None:
    # In UTF-8 whatever the system writes (GBK, as a rule, on Windows in China); half a character of a file's name,
    # which no encoding has, becomes the escape \udcXX, which JSON knows.
    sys.stdout.buffer.write((json_line(event) + "\n").encode("utf-8", errors="backslashreplace"))
    sys.stdout.buffer.flush()


def stage_words(event: StageBegun, tongue: Tongue) -> str:
    """Return what is done in a stage, in words."""
    return STAGES_ZH.get(event.stage, event.text) if tongue == "zh" else event.text


def part_words(event: PartDone, tongue: Tongue) -> str:
    """Return how many parts are done, how fast, and when the rest will be."""
    zh = tongue == "zh"
    words = [f"已测算 {event.done}/{event.total} 块" if zh else f"measured part {event.done} of {event.total}"]
    if event.seconds_left is not None and event.done < event.total:
        a_minute = 60 * (event.total - event.done) / max(event.seconds_left, 0.1)
        left = span(event.seconds_left, tongue)
        words += [f"每分钟 {a_minute:,.0f} 块" if zh else f"{a_minute:,.0f} per minute"]
        words += [f"约剩 {left}" if zh else f"about {left} left"]
    return ", ".join(words)


def district_words(event: DistrictBegun | DistrictEnded, tongue: Tongue) -> str:
    """Return which district began, or what became of it and when the others will be done."""
    if tongue == "en":
        return str(event)
    words = f"第 {event.number}/{event.total} 个区县"
    if isinstance(event, DistrictBegun):
        return words
    words += " 完成" if event.status == "done" else " 失败"
    words += "" if event.people is None else f",{event.people:,} 人"
    words += f": {event.reason}" if event.reason else ""
    return words + (f";其余约剩 {span(event.seconds_left, tongue)}" if event.seconds_left else "")


def span(seconds: float, tongue: Tongue) -> str:
    """Return a time in the unit in which one thinks of it.

    Examples
    --------
    >>> span(42.4, "en"), span(400, "en"), span(9000, "zh")
    ('42 s', '7 min', '2.5 小时')
    """
    zh = tongue == "zh"
    if seconds < 120:
        return f"{seconds:.0f} {'秒' if zh else 's'}"
    if seconds < 7200:
        return f"{seconds / 60:.0f} {'分钟' if zh else 'min'}"
    return f"{seconds / 3600:.1f} {'小时' if zh else 'h'}"


def words_of(event: Event, tongue: Tongue) -> str:
    """Return an event as a line."""
    match event:
        case StageBegun():
            return stage_words(event, tongue)
        case PartDone():
            return part_words(event, tongue)
        case DistrictBegun() | DistrictEnded():
            return district_words(event, tongue)
    return said(str(event), tongue)


class _Log:
    """Prints events as lines with the time, for a log or a pipe."""

    def __init__(self, tongue: Tongue) -> None:
        self.tongue = tongue
        self.told = -LOG_EVERY_S

    def __call__(self, event: Event) -> None:
        if isinstance(event, StageEnded):
            return  # the next line's time tells
        if isinstance(event, PartDone):
            now = time.monotonic()
            if 1 < event.done < event.total and now - self.told < LOG_EVERY_S:
                return
            self.told = now
        where = f"{event.district}: " if event.district else ""
        stamp = datetime.now().astimezone().strftime("%H:%M:%S")
        typer.echo(f"{stamp} {where}{words_of(event, self.tongue)}", err=True)


@contextmanager
def bar(console: Console, tongue: Tongue) -> Iterator[Progress]:
    """Show a bar for the stage that runs, with its parts, and one for the districts of a batch."""
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), TimeElapsedColumn())
    with Bars(*columns, console=console, transient=True) as bars:
        yield _Bar(bars, tongue)


class _Bar:
    """Moves the bars as events come."""

    def __init__(self, bars: Bars, tongue: Tongue) -> None:
        self.bars, self.tongue = bars, tongue
        self.districts: TaskID | None = None
        self.stage: TaskID = bars.add_task("…", total=None)

    def __call__(self, event: Event) -> None:
        text = words_of(event, self.tongue)
        match event:
            case StageBegun():
                self.bars.remove_task(self.stage)  # a bar that has had an end keeps it
                self.stage = self.bars.add_task(text, total=None)
            case PartDone():
                self.bars.update(self.stage, description=text, completed=event.done, total=event.total)
            case DistrictBegun():
                if self.districts is None:
                    self.districts = self.bars.add_task("", total=event.total)
                self.bars.update(self.districts, description=f"{event.district}, {text}")
            case DistrictEnded():
                if self.districts is not None:
                    self.bars.update(self.districts, completed=event.number)
                self.bars.console.print(f"{event.district}: {text}", markup=False, highlight=False)
            case Note():
                self.bars.console.print(text, markup=False, highlight=False)
