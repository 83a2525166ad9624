"""A folder of result files that are replaced all together or not at all.

The new files are written to a hidden folder inside the output folder (so on the same disk, even where the
output folder is a mount of its own) and moved into place at the end.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from livingcircle_layers.errors import InputError

PROGRAM = "livingcircle"
RUN_FILE = "run.json"  # the file that tells whose result a folder holds: its "program"
LOCK_FILE = ".livingcircle.lock"
STAGE_PREFIX = ".livingcircle.partial-"
PROBE_PREFIX = ".livingcircle.probe-"
EARLIER = "earlier"  # inside the stage: the files of the earlier result, until all new ones are in place


def check_folder(directory: Path, names: Sequence[str]) -> None:
    """Check that files can be written into a folder without harm to files of another program.

    Parameters
    ----------
    directory
        May be missing, empty, hold an earlier result, or hold other files.
    names
        Names of the files to be written.

    Raises
    ------
    InputError
        It is a file, lies below a file, cannot be written to, is in use by another run, or holds a file of
        one of the names that another program wrote.
    """
    with disk_errors(directory):
        existing = next(path for path in (directory, *directory.absolute().parents) if os.path.lexists(path))
        if not existing.is_dir():
            raise InputError(
                f"cannot write to {directory}",
                got=f"{existing} is a file",
                expected="a folder",
                remedy="choose another -o",
            )
        with tempfile.TemporaryDirectory(prefix=PROBE_PREFIX, dir=existing):
            pass  # asking for rights is not enough: the disk may be read-only
    if existing != directory:
        return
    _refuse_if_locked(directory)
    foreign = _foreign_files(directory, names)
    if foreign:
        raise InputError(
            f"{directory} is holding a file of ours from another program: {', '.join(foreign)}",
            expected=f"an empty folder, or an earlier result of {PROGRAM} with its {RUN_FILE}",
            remedy="choose another -o, or move the file away",
        )


@contextmanager
def held_folder(directory: Path, names: Sequence[str]) -> Iterator[None]:
    """Keep other runs out of a folder from the first computation to the last file; create it if missing.

    Parameters
    ----------
    directory, names
        As for `check_folder`.

    Raises
    ------
    InputError
        As `check_folder`.
    """
    check_folder(directory, names)
    with disk_errors(directory), _made(directory), _locked(directory):
        yield


@contextmanager
def replaced_files(directory: Path, names: Sequence[str], *, held: bool = False) -> Iterator[Path]:
    """Give a folder to write into; at the end its files take the place of those of the earlier result.

    Files of `names` that were not written again are removed, files of other names stay. If anything fails,
    `directory` is left as it was.

    Parameters
    ----------
    directory
        Output folder; created if missing.
    names
        Names of all files that a result may have, RUN_FILE among them.
    held
        Whether the caller holds the folder (`held_folder`).

    Yields
    ------
    pathlib.Path
        The folder to write into.

    Raises
    ------
    InputError
        As `check_folder`; also if the disk is full, or a file cannot be replaced.
    """
    with nullcontext() if held else held_folder(directory, names), disk_errors(directory):
        for left_over in directory.glob(f"{STAGE_PREFIX}*"):  # of a killed run: we hold the lock
            shutil.rmtree(left_over)
        stage = directory / f"{STAGE_PREFIX}{os.getpid()}"
        stage.mkdir()
        try:
            yield stage
            _move_into_place(stage, directory, names)
        finally:
            shutil.rmtree(stage, ignore_errors=True)


def _move_into_place(stage: Path, directory: Path, names: Sequence[str]) -> None:
    """Move the staged files in and the earlier ones out; if one cannot be moved, put all back.

    RUN_FILE goes last: as long as it is the earlier one, the folder still counts as ours.
    """
    earlier = stage / EARLIER
    earlier.mkdir()
    moved: list[str] = []
    try:
        for name in names:
            if name == RUN_FILE:
                continue
            if os.path.lexists(directory / name):
                (directory / name).replace(earlier / name)
            moved.append(name)
            if (stage / name).exists():
                (stage / name).replace(directory / name)
        (stage / RUN_FILE).replace(directory / RUN_FILE)
    except BaseException:
        for name in moved:
            if os.path.lexists(earlier / name):
                (earlier / name).replace(directory / name)
            else:
                (directory / name).unlink(missing_ok=True)
        raise


def _foreign_files(directory: Path, names: Sequence[str]) -> list[str]:
    """Return which names are taken by something that no run of ours has written."""
    taken = [name for name in names if os.path.lexists(directory / name)]
    return [name for name in taken if (directory / name).is_dir()] if _is_ours(directory) else taken


def _is_ours(directory: Path) -> bool:
    if any(directory.glob(f"{STAGE_PREFIX}*/{EARLIER}")):  # a run was killed while it moved its files in
        return True
    try:
        run = json.loads((directory / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(run, dict) and run.get("program") == PROGRAM


@contextmanager
def disk_errors(directory: Path) -> Iterator[None]:
    """Turn faults of the disk into one line that says what to do."""
    try:
        yield
    except OSError as error:
        got, remedy = error.strerror or str(error), "choose another -o"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            got, remedy = "the disk is full", "free some space, or choose another -o"
        elif isinstance(error, PermissionError):
            remedy = "close its files in other programs (Excel, QGIS), or choose another -o"
        raise InputError(f"cannot write to {directory}", got=got, remedy=remedy) from error


@contextmanager
def _made(directory: Path) -> Iterator[None]:
    """Create a folder and its parents; on failure remove those that were not there before."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):  # somebody else has put a file there
            for path in missing:
                path.rmdir()
        raise


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the folder's lock file; the lock of a process that has ended is taken over."""
    lock = directory / LOCK_FILE
    _refuse_if_locked(directory)
    lock.unlink(missing_ok=True)
    try:
        with lock.open("x", encoding="ascii") as stream:
            stream.write(str(os.getpid()))
    except FileExistsError:
        raise _in_use(directory, "another process") from None
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _refuse_if_locked(directory: Path) -> None:
    try:
        owner = (directory / LOCK_FILE).read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return
    if not owner.isdecimal() or _is_alive(int(owner)):
        raise _in_use(directory, f"process {owner or '?'}")


def _in_use(directory: Path, owner: str) -> InputError:
    return InputError(
        f"{owner} is writing into {directory}",
        remedy=f"wait until it ends, choose another -o, or delete {LOCK_FILE} if no such process is running",
    )


def _is_alive(process: int) -> bool:
    if sys.platform == "win32":  # there, os.kill would end the process
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, process)  # only to ask about it
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Give a hidden file to write; at the end it takes the place of `path`, or nothing is left of it.

    Raises
    ------
    InputError
        The file cannot be written, or the disk is full.
    """
    with disk_errors(path), _made(path.parent):
        stage = path.with_name(f"{STAGE_PREFIX}{os.getpid()}{path.suffix}")
        try:
            yield stage
            stage.replace(path)
        finally:
            stage.unlink(missing_ok=True)
