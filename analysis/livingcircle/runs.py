"""A scan from its study to its folder: held from the first computation to the last file, and resumed after a fall."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from livingcircle.engine import Cluster, Engine, Processes, ThisProcess
from livingcircle.marks import input_files
from livingcircle.measured import measure
from livingcircle.memory import PROCESS_BYTES, expected_bytes, memory_note, resident_bytes
from livingcircle.output_folder import held_folder
from livingcircle.postgis_tables import Target
from livingcircle.progress import Note, Parts, Progress, nobody
from livingcircle.reach import City, Layer, Reach, measure_layers
from livingcircle.result import ScanResult
from livingcircle.save import homes_stay, prepare_output, result_files, save_result
from livingcircle.scan import result_of
from livingcircle.study import Study
from livingcircle.tile_store import TileStore
from livingcircle.tiled import Tally, Tiled
from livingcircle.tiles import tiles_of
from livingcircle.walkers import Walker
from livingcircle_layers.errors import InputError, UsageError

WORK_FOLDER = ".livingcircle-work"  # in the output folder: what was measured, for a later --resume
WORTH_KEEPING = 200_000  # homes; from here on the walks take longer than writing them down
SIDES_M = (40_000.0, 20_000.0, 10_000.0, 5_000.0, 2_500.0)  # of tiles, the largest that fits is taken
EDGE_BYTES = 500  # of a part, with its searches (measured)
HOME_BYTES = 300  # of a part, for one layer at a time (measured)
_UNITS = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


@dataclass(frozen=True)
class Work:
    """How a scan is worked; the numbers do not depend on it.

    Attributes
    ----------
    jobs
        Processes on this machine.
    memory_bytes
        What all processes together may use; None: as much as there is.
    scheduler
        Address of a Dask scheduler, or empty.
    resume
        Take what an earlier run into the same folder has measured, where nothing of it changed.
    """

    jobs: int = 1
    memory_bytes: int | None = None
    scheduler: str = ""
    resume: bool = False

    def __post_init__(self) -> None:
        """Refuse an address that Dask does not understand, before hours of work."""
        if self.scheduler and not re.fullmatch(r"(tcp|tls)://([^\s/:]+|\[[0-9a-fA-F:]+]):[0-9]+", self.scheduler):
            raise UsageError(
                "--scheduler is no address of a Dask scheduler",
                got=repr(self.scheduler),
                expected="tcp://HOST:8786 or tls://HOST:8786",
            )

    @property
    def plain(self) -> bool:
        """Whether nothing was asked for."""
        return self == Work()

    def fitting(self) -> Work:
        """Return the same with no more processes than the memory holds beside this one."""
        if self.memory_bytes is None or self.scheduler:
            return self
        room = (self.memory_bytes - resident_bytes()) // PROCESS_BYTES
        return replace(self, jobs=max(1, min(self.jobs, room)))

    def engine(self) -> Engine:
        """Return who does the work."""
        if self.scheduler:
            return Cluster(self.scheduler)
        return Processes(self.jobs) if self.jobs > 1 else ThisProcess()


def parse_memory(text: str) -> int:
    """Return an amount of memory in bytes.

    Examples
    --------
    >>> parse_memory("4GB"), parse_memory("1.5 GiB")
    (4000000000, 1610612736)
    """
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)\s*", text.casefold())
    if match is None or match[2] not in _UNITS or float(match[1]) <= 0:
        raise UsageError("--memory is no amount of memory", got=repr(text), expected="for example 4GB or 800MB")
    return int(float(match[1]) * _UNITS[match[2]])


@dataclass
class Measurements:
    """Measures at once what is small, and part by part what is large or was asked to be.

    What a study with ranges (`--sensitivity`) searches again afterwards is searched at once: no more than a second set
    of walks is held with it, and the note about memory counts it.
    """

    work: Work
    folder: Path
    progress: Progress
    judged_again: bool = False
    tally: Tally = field(default_factory=Tally)
    store: TileStore | None = None

    def __call__(
        self, city: City, needed: Mapping[Layer, Sequence[Walker]], *, limit_m: float
    ) -> Mapping[Layer, Reach]:
        """Measure every layer for all homes; see `livingcircle.reach.measure_layers`."""
        if self.work.plain and len(city.homes) < WORTH_KEEPING:
            return measure_layers(city, needed, limit_m=limit_m)
        if self.store is None:
            self.store = TileStore(self.folder)
            if not self.work.resume:
                self.store.keep_only(set())
            self._tell_of_memory(city, needed)
        work = self.work.fitting()
        side = side_m(city, work, limit_m)
        # An earlier run's tiles are cut again, unless they are too large for the memory that is given now.
        if self.work.resume and self.store.side_m is not None:
            side = self.store.side_m if self.work.memory_bytes is None else min(side, self.store.side_m)
        self.store.note_side(side)
        tiled = Tiled(self.store, work.engine(), side, Parts(self.progress), self.tally)
        return tiled(city, needed, limit_m=limit_m)

    def _tell_of_memory(self, city: City, needed: Mapping[Layer, Sequence[Walker]]) -> None:
        """Say before the long work begins where it will use more than it was given."""
        if self.work.memory_bytes is not None:
            note = memory_note(expected_bytes(city, needed, judged_again=self.judged_again), self.work.memory_bytes)
            if note:
                self.progress(Note(note))

    def finish(self) -> None:
        """Keep what a later run may take, and say what this one took."""
        if self.store is None:
            return
        self.store.keep_only(self.tally.used)
        if self.work.resume:
            total = self.tally.reused + self.tally.computed
            text = f"{self.tally.reused:,} of {total:,} results were there already, {self.tally.computed:,} are new"
            self.progress(Note(text))


def scan_into(
    study: Study | str | Path,
    directory: Path,
    *,
    only: Sequence[str] = (),
    homes: bool = False,
    work: Work | None = None,
    postgis: str | None = None,
    progress: Progress | None = None,
) -> ScanResult:
    """Scan a study and write every file into a folder, which no other run can use in the meantime.

    Parameters
    ----------
    study, only, progress
        As for `livingcircle.scan`.
    directory
        Created if missing. An earlier result is replaced as a whole, at the end or not at all.
    homes
        Also write `homes.parquet`, for checks.
    work
        How it is worked: processes, memory, cluster, resuming.
    postgis
        Address of a database that the tables are written to, too.

    Raises
    ------
    InputError
        An input cannot be used or would be replaced by the result, the folder is in use or cannot be written to, or
        memory is not enough.
    UsageError
        A standard, walker, service or community does not exist.
    """
    study = study if isinstance(study, Study) else Study.load(study)
    if homes and study.publish:
        raise homes_stay()
    target = Target.of(postgis) if postgis else None
    prepare_output(directory, target)
    check_apart(directory, [study])
    with _memory_told(), held_folder(directory, result_files()):
        folder, again = directory.absolute() / WORK_FOLDER, study.sensitivity is not None
        measurer = Measurements(work or Work(), folder, progress or nobody, judged_again=again)
        measured = measure(study, only=only, progress=progress, measurer=measurer)
        result = result_of(measured, walks_of_homes=homes, progress=progress)
        del measured  # no table refers to the reaches: their memory is free while files are written
        save_result(result, directory, homes=homes, postgis=target, held=True, progress=progress)
        measurer.finish()
    return result


def check_apart(directory: Path, studies: Iterable[Study]) -> None:
    """Refuse a folder in which the result would take the place of what it is made of.

    Raises
    ------
    InputError
        An input lies in the folder under the name of one of our files: all of them.
    """
    folder, names = directory.resolve(), set(result_files())
    paths = {entry.path for study in studies for entry in input_files(study) if isinstance(entry.path, Path)}
    ours = sorted({path.name for path in paths if path.name in names and path.parent.resolve() == folder})
    if ours:
        raise InputError(
            f"the result would take the place of its own input in {directory}: {', '.join(ours)}",
            expected="inputs in a folder of their own, or under other names",
            remedy="choose another -o, or move or rename the input",
        )


@contextmanager
def _memory_told() -> Iterator[None]:
    """Turn want of memory into one line that says what to do."""
    try:
        yield
    except MemoryError as error:
        raise InputError(
            "the memory of this machine is not enough",
            got=str(error) or None,
            remedy="close other programs, scan the districts of the city one by one (a batch), or take a larger"
            " machine; with --memory and --resume what was measured is kept",
        ) from error


def side_m(city: City, work: Work, limit_m: float) -> float:
    """Return the side of the largest tiles of which as many as there are processes fit into the memory, metres."""
    if work.memory_bytes is None:
        return SIDES_M[0] if work.jobs == 1 and not work.scheduler else SIDES_M[2]
    own = resident_bytes()
    each = (work.memory_bytes - own) / work.jobs - (PROCESS_BYTES if work.jobs > 1 or work.scheduler else 0)
    xy, streets = city.homes[["x", "y"]].to_numpy(dtype=float), city.network.streets
    middle = (streets.node_xy[streets.tail] + streets.node_xy[streets.head]) / 2
    for side in SIDES_M:
        halo = int(np.ceil(limit_m / side))
        homes = {name: len(positions) for name, positions in tiles_of(xy, side_m=side)}
        edges = {name: len(positions) for name, positions in tiles_of(middle, side_m=side)}
        if max(_part_bytes(name, homes, edges, halo) for name in homes) <= each:
            return side
    return SIDES_M[-1]


def _part_bytes(name: str, homes: Mapping[str, int], edges: Mapping[str, int], halo: int) -> int:
    column, row = (int(part) for part in name.split("_"))
    around = range(-halo, halo + 1)
    near = sum(edges.get(f"{column + dx}_{row + dy}", 0) for dx in around for dy in around)
    return HOME_BYTES * homes[name] + EDGE_BYTES * near
