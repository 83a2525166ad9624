"""Moving files in, stopped before every single step on the disk: whoever comes next finds one whole result."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from livingcircle.output_folder import held_folder, replaced_files, settle
from livingcircle.saved import read_run
from livingcircle_layers.errors import InputError

STEPS = ("rename", "replace", "unlink", "rmdir", "mkdir", "fsync", "open")  # of `os`, and what pathlib opens to write
NAMES = ("a.csv", "b.csv", "gone.csv", "more.csv", "run.json")


def run_file(name: str) -> str:
    return json.dumps({"program": "livingcircle", "name": name, "rule_set": {}})


OLD = {"a.csv": "old", "b.csv": "old", "gone.csv": "old", "run.json": run_file("old")}
NEW = {"a.csv": "new", "b.csv": "new", "more.csv": "new", "run.json": run_file("new")}


class Stopped(BaseException):
    """Stands for SIGKILL, or for Ctrl-C."""


@dataclass
class Disk:
    """A disk that fails at one step, and is never heard of again after another; steps are counted from 1."""

    faulty: int = 0
    killed: int = 0
    interrupted: int = 0  # Ctrl-C as the step has ended
    steps: list[str] = field(default_factory=list)

    def step(self, name: str, act: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        self.steps.append(name)
        now = len(self.steps)
        if self.killed and now >= self.killed:
            raise Stopped  # nothing is done any more, whatever a `finally` tries
        if now == self.faulty:
            raise OSError(errno.EIO, "Input/output error")
        done = act(*arguments, **options)
        if now == self.interrupted:
            if name == "open":
                done.close()
            raise Stopped
        return done

    @property
    def over(self) -> bool:
        """Whether it was stopped too late to matter."""
        return len(self.steps) < max(self.killed or self.faulty, self.interrupted)


@contextmanager
def failing(disk: Disk) -> Iterator[Disk]:
    """Let all that is done on the disk go through `disk`; what only reads does not count."""

    def watched(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def doing(*arguments: Any, **options: Any) -> Any:
            mode = options.get("mode", "".join(arguments[1:2]) if name == "open" else "")
            if name == "open" and not set("wa+") & set(mode):
                return act(*arguments, **options)
            return disk.step(name, act, *arguments, **options)

        return doing

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)  # a step, but the disk of this machine need not wait
        for name in STEPS:
            owner: Any = Path if name == "open" else os
            patch.setattr(owner, name, watched(name, getattr(owner, name)))
        yield disk


def write(folder: Path, files: dict[str, str]) -> None:
    with replaced_files(folder, NAMES) as stage:
        for name, text in files.items():
            (stage / name).write_text(text)
        (stage / "a.csv-journal").touch()  # a library has left something


def shown(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if not path.name.startswith(".")}


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".livingcircle")]


@pytest.fixture
def fresh() -> Iterator[Callable[[], Path]]:
    """Give folders with the earlier result; in memory where there is such a disk, as they are a thousand."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as place:
        count = iter(range(10**6))

        def folder() -> Path:
            made = Path(place) / str(next(count))
            made.mkdir()
            for name, text in {**OLD, "notes.docx": "mine"}.items():
                (made / name).write_text(text)
            return made

        yield folder


def copy_of(folder: Path) -> Callable[[], Path]:
    """Return what makes copies of a folder as it is now."""
    content = {path.relative_to(folder): path.read_text() for path in folder.rglob("*") if path.is_file()}
    empty = [path.relative_to(folder) for path in folder.rglob("*") if path.is_dir()]
    count = iter(range(10**6))

    def again() -> Path:
        made = folder.with_name(f"{folder.name}-{next(count)}")
        for path in (Path(), *empty):
            (made / path).mkdir(parents=True, exist_ok=True)
        for path, text in content.items():
            (made / path).write_text(text)
        return made

    return again


def next_run(folder: Path) -> None:
    with held_folder(folder, NAMES):
        pass


def reader(folder: Path) -> None:
    read_run(folder)


def result_of(folder: Path) -> str:
    """Return whose result a folder holds; one of two results fails."""
    found = shown(folder)
    assert found.pop("notes.docx") == "mine"
    assert found in (OLD, NEW), found
    return "new" if found == NEW else "old"


def stopped_runs(fresh: Callable[[], Path], *, faulty: int = 0) -> Iterator[Path]:
    """Yield folders in which a run was stopped before its first step (after a fault), its second, …, its last."""
    for number in range(faulty + 1, 200):
        folder = fresh()
        with failing(Disk(killed=number, faulty=faulty)) as disk, suppress(Stopped, InputError):
            write(folder, NEW)
        if disk.over:
            return
        yield folder


def test_a_kill_before_any_step_leaves_one_whole_result_for_the_next_run_and_for_a_reader(
    fresh: Callable[[], Path],
) -> None:
    found = []
    for folder in stopped_runs(fresh):
        again = copy_of(folder)()
        next_run(folder)
        found.append(result_of(folder))
        assert hidden(folder) == []
        reader(again)
        assert result_of(again) == found[-1] == json.loads((again / "run.json").read_text())["name"]
    # what is written, and four files that are flushed; the folder; three files out: then it is the new one
    turn = found.index("new")
    assert found == ["old"] * turn + ["new"] * (len(found) - turn)
    assert turn > 12
    assert found.count("new") > 8  # three files in, run.json in, and nine to clear


def test_a_fault_at_any_step_is_told_and_leaves_the_earlier_result_or_does_no_harm(fresh: Callable[[], Path]) -> None:
    told = []
    for number in range(1, 200):
        folder = fresh()
        with failing(Disk(faulty=number)) as disk:
            try:
                write(folder, NEW)
            except InputError:
                told.append(True)
            else:
                told.append(False)
        if disk.over:
            break
        assert result_of(folder) == ("old" if told[-1] else "new")  # without any help
    assert sum(told) > 15
    assert not any(told[-6:])  # what only clears the stage


def test_ctrl_c_after_any_step_leaves_the_earlier_result_or_the_whole_new_one(fresh: Callable[[], Path]) -> None:
    found = []
    for number in range(1, 200):
        folder = fresh()
        with failing(Disk(interrupted=number)) as disk:
            try:
                write(folder, NEW)
            except Stopped:
                found.append(result_of(folder))
        if disk.over:
            break
    turn = found.index("new")
    assert found == ["old"] * turn + ["new"] * (len(found) - turn)
    assert len(found) - turn > 5  # from the last rename on: it stays, and what follows is tidying


def test_a_fault_and_a_kill_while_files_are_put_back_leave_one_whole_result(fresh: Callable[[], Path]) -> None:
    with failing(Disk()) as disk:
        write(fresh(), NEW)
    found = []
    for faulty in range(1, len(disk.steps) + 1):
        for folder in stopped_runs(fresh, faulty=faulty):
            next_run(folder)
            found.append(result_of(folder))
            assert hidden(folder) == []
    assert len(found) > 200
    assert {"old", "new"} == set(found)


def test_a_kill_while_the_next_run_puts_in_order_is_put_in_order_by_the_one_after(fresh: Callable[[], Path]) -> None:
    tried = 0
    for faulty in (0, 22, 26):  # undisturbed, a fault while files are moved out, and while they are moved in
        for folder in stopped_runs(fresh, faulty=faulty):
            again = copy_of(folder)
            for number in range(1, 200):
                second = again()
                with failing(Disk(killed=number)) as disk, suppress(Stopped):
                    next_run(second)
                if disk.over:
                    break
                reader(second)
                result_of(second)
                next_run(second)
                result_of(second)
                assert hidden(second) == []
                tried += 1
    assert tried > 500


def test_files_that_cannot_be_put_back_are_kept_and_told(
    fresh: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two programs hold files: one cannot be moved in, and then none can be moved at all."""
    folder, replace = fresh(), Path.replace

    def held(self: Path, target: Path) -> Path:
        if Path(target) == folder / "b.csv":
            raise PermissionError(errno.EACCES, "used by another process")
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", held)
        for use in (lambda: write(folder, NEW), lambda: reader(folder)):
            with pytest.raises(InputError, match=r"holds files of two results.*used by another.*every file is still"):
                use()
        with pytest.raises(InputError, match=r"cannot write to .*close its files in other programs"):
            write(folder, NEW)
    reader(folder)
    assert result_of(folder) == "old"


def test_a_reader_waits_for_no_run_that_moves_its_files_just_now(fresh: Callable[[], Path]) -> None:
    folder = fresh()
    with held_folder(folder, NAMES):
        reader(folder)  # it computes, or writes beside: the earlier result is whole
        (folder / ".livingcircle.partial-1/earlier").mkdir(parents=True)
        with pytest.raises(InputError, match=f"process {os.getpid()} is writing into"):
            reader(folder)


def test_nothing_is_locked_or_written_where_nothing_was_stopped(fresh: Callable[[], Path]) -> None:
    folder = fresh()
    with failing(Disk()) as disk:
        settle(folder)
    assert disk.steps == []
