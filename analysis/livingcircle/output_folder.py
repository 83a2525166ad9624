"""A folder of result files that are replaced all together or not at all.

The new files are written to a hidden folder inside the output folder (so on the same disk, even where the
output folder is a mount of its own) and moved into place at the end; `livingcircle.stage` tells how.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO

from livingcircle.stage import Stage
from livingcircle_layers.errors import InputError

PROGRAM = "livingcircle"
RUN_FILE = "run.json"  # the file that tells whose result a folder holds: its "program"
LOCK_FILE = ".livingcircle.lock"
STAGE_PREFIX = ".livingcircle.partial-"
PROBE_PREFIX = ".livingcircle.probe-"
LONGEST_NAME = 60  # signs; file systems take 255 bytes, and a sign has up to four
FAR_OFF = 1 << 30  # Windows locks bytes and hides them: one that nobody reads


def folder_of(title: str) -> Path:
    """Return where a result goes when nobody says where: a folder in `outputs` with the name of its title.

    Examples
    --------
    >>> folder_of("成都市 2025").as_posix(), folder_of("../a: b").as_posix(), folder_of("..").as_posix()
    ('outputs/成都市 2025', 'outputs/a- b', 'outputs/scan')
    """
    plain = re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*]+', "-", title)  # what a name of a folder cannot have somewhere
    return Path("outputs") / (plain.strip(" .-")[:LONGEST_NAME].rstrip(" .-") or "scan")


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
        _finish_a_killed_run(directory)
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
        # A name of its own: a thread that still writes for a save that failed must not meet the next one.
        stage = Stage(directory / f"{STAGE_PREFIX}{os.getpid()}-{secrets.token_hex(4)}", RUN_FILE)
        stage.path.mkdir()
        try:
            yield stage.path
            stage.move_in(names)
        except OSError as error:
            if stage.unsettled:
                raise _half_moved(directory, error) from error
            raise
        finally:
            if not stage.unsettled:
                shutil.rmtree(stage.path, ignore_errors=True)


def settle(directory: Path) -> None:
    """Bring a folder that is to be read to one whole result, where a run was killed while it moved its files.

    Raises
    ------
    InputError
        A run is moving its files just now, or they cannot be moved.
    """
    try:
        if any(stage.unsettled for stage in _stages(directory)):
            with _locked(directory):
                _finish_a_killed_run(directory)
    except OSError as error:
        raise _half_moved(directory, error) from error


def _half_moved(directory: Path, error: OSError) -> InputError:
    return InputError(
        f"{directory} holds files of two results: a run was stopped while it moved its files, and they cannot be moved",
        got=error.strerror or str(error),
        remedy="close them in other programs (Excel, QGIS), make the folder writable, and run the command again:"
        " every file is still there, and they are put in order first",
    )


def _stages(directory: Path) -> list[Stage]:
    return [Stage(path, RUN_FILE) for path in sorted(directory.glob(f"{STAGE_PREFIX}*"))]


def _finish_a_killed_run(directory: Path) -> None:
    """Bring a folder that we hold to one whole result, the earlier or the new one, and clear what a kill has left."""
    for stage in _stages(directory):
        stage.settle()
    for probe in directory.glob(f"{PROBE_PREFIX}*"):
        with suppress(OSError):  # of a run that begins just now
            probe.rmdir()


def _foreign_files(directory: Path, names: Sequence[str]) -> list[str]:
    """Return which names are taken by something that no run of ours has written."""
    taken = [name for name in names if os.path.lexists(directory / name)]
    return [name for name in taken if (directory / name).is_dir()] if _is_ours(directory) else taken


def _is_ours(directory: Path) -> bool:
    if any(stage.moved for stage in _stages(directory)):
        return True  # a run was killed while it moved its files
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
        if isinstance(error.filename, str) and not _is_ours_or_below(Path(error.filename), directory):
            raise InputError(
                f"{error.filename} cannot be used", got=got, remedy="check the file and its rights"
            ) from error
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            got, remedy = "the disk is full", "free some space, or choose another -o"
        elif error.errno == errno.EFBIG:
            got, remedy = "a file is larger than the disk or your limit allows", "raise the limit, or choose another -o"
        elif isinstance(error, PermissionError):
            remedy = "close its files in other programs (Excel, QGIS), or choose another -o"
        raise InputError(f"cannot write to {directory}", got=got, remedy=remedy) from error


def _is_ours_or_below(path: Path, directory: Path) -> bool:
    """Tell whether a path lies in a folder, is one of those that lead to it, or a hidden file of ours."""
    inner, outer = path.absolute(), directory.absolute()
    hidden = path.name.startswith(f".{PROGRAM}")
    return hidden or inner.is_relative_to(outer) or outer.is_relative_to(inner)


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
    """Hold the folder's lock; the system lets go of it when the process ends, however it ends."""
    lock = directory / LOCK_FILE
    with ExitStack() as open_file:
        while True:
            stream = open_file.enter_context(lock.open("a+", encoding="ascii"))
            if not _try_to_hold(stream):
                raise _in_use(directory)
            # Whoever held it before may have deleted the file between our opening and our holding it.
            if lock.exists() and os.path.samestat(os.fstat(stream.fileno()), lock.stat()):
                break
            open_file.pop_all().close()
        try:
            stream.truncate(0)
            stream.write(str(os.getpid()))
            stream.flush()
            yield
        finally:
            if sys.platform == "win32":
                stream.close()  # an open file cannot be deleted there
            with suppress(OSError):
                lock.unlink(missing_ok=True)


def _refuse_if_locked(directory: Path) -> None:
    try:
        with (directory / LOCK_FILE).open(encoding="ascii") as stream:
            held = not _try_to_hold(stream, shared=True)
    except FileNotFoundError:
        return
    if held:
        raise _in_use(directory)


def _try_to_hold(stream: IO[str], *, shared: bool = False) -> bool:
    """Lock an open file unless another process has; the lock ends with the file, or with the process."""
    try:
        if sys.platform == "win32":
            import msvcrt

            stream.seek(FAR_OFF)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream.fileno(), (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            return False
        raise
    return True


def _in_use(directory: Path) -> InputError:
    with suppress(OSError):
        owner = (directory / LOCK_FILE).read_text(encoding="ascii", errors="replace").strip()
        if owner.isdecimal():
            return _refusal(directory, f"process {owner}")
    return _refusal(directory, "another process")


def _refusal(directory: Path, owner: str) -> InputError:
    return InputError(f"{owner} is writing into {directory}", remedy="wait until it ends, or choose another -o")


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
