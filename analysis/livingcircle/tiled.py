"""Measuring a city part by part: in bounded memory, by several processes, and again only where something changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from livingcircle.engine import Engine, Job
from livingcircle.hundredths import Walks
from livingcircle.reach import City, Layer, Reach, measure_reach
from livingcircle.tile_store import (
    Task,
    TileStore,
    arrays_of,
    arrays_of_reach,
    city_of,
    tasks_of,
    write_arrays,
)
from livingcircle.tiles import door_keys, part_of, reach_of, tiles_of
from livingcircle.walkers import Walker
from livingcircle_layers.errors import InputError

Ints = npt.NDArray[np.int64]

FEW = 2  # threads that cut out parts and put results together: each holds a part, and the interpreter half of the time


@dataclass
class Tally:
    """What a tiled measurement did: parts, results that were there already, results that were computed, their names."""

    parts: int = 0
    reused: int = 0
    computed: int = 0
    used: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Tiled:
    """Measures a city part by part; to be called as `livingcircle.reach.measure_layers`, with the same answer.

    Attributes
    ----------
    store
        Where parts and results are.
    engine
        Who works on them.
    side_m
        Side of the squares that homes are put into, metres.
    tell
        Called with the number of parts that are done, and of all parts.
    tally
        What was done so far.
    """

    store: TileStore
    engine: Engine
    side_m: float
    tell: Callable[[int, int], None] | None = None
    tally: Tally = field(default_factory=Tally)

    def __call__(
        self, city: City, needed: Mapping[Layer, Sequence[Walker]], *, limit_m: float
    ) -> Mapping[Layer, Reach]:
        """Measure every layer for all homes."""
        walkers = {w.name: w for chosen in needed.values() for w in chosen}
        reach_m = reach_of(walkers.values(), limit_m, sloped=city.network.streets.height_m is not None)
        squares = tiles_of(city.homes[["x", "y"]].to_numpy(dtype=float), side_m=self.side_m)
        keys = door_keys(city.doors)

        def cut_out(square: tuple[str, Ints]) -> _Part:
            name, homes = square
            part = part_of(city, name, homes, reach_m=reach_m)
            arrays = arrays_of(part, keys[part.doors])
            tasks = tasks_of(part, arrays, needed, limit_m=limit_m)
            missing = tuple(task for task in tasks if self.store.load(task, len(homes)) is None)
            if missing:
                write_arrays(self.store.part_file(name), arrays)
            return _Part(name, homes, {task.layer: task for task in tasks}, missing)

        with ThreadPoolExecutor(FEW) as pool:
            parts = list(pool.map(cut_out, squares))
            self._run(parts)
            reaches = pool.map(lambda layer: _gathered(city, layer, needed[layer], parts, self.store, keys), needed)
            return dict(zip(needed, reaches, strict=True))

    def _run(self, parts: Sequence[_Part]) -> None:
        """Have the parts measured of which results are missing."""
        for part in parts:
            self.tally.parts += 1
            self.tally.reused += len(part.tasks) - len(part.missing)
            self.tally.computed += len(part.missing)
            self.tally.used |= {task.key for task in part.tasks.values()}
        left = [part for part in parts if part.missing]
        threads = self.engine.threads(len(left))
        jobs = [Job(work, (str(self.store.folder), part.name, part.missing, threads)) for part in left]
        for done, _ in enumerate(self.engine.run(jobs), start=len(parts) - len(left) + 1):
            if self.tell:
                self.tell(done, len(parts))


class _Part(NamedTuple):
    """A part that was cut out: its name, the positions of its homes, what is asked of it, and what is not there yet."""

    name: str
    homes: Ints
    tasks: Mapping[Layer, Task]
    missing: tuple[Task, ...]


def work(folder: str, name: str, tasks: Sequence[Task], threads: int | None = None) -> str:
    """Measure layers of one part and write their results; runs wherever the folder can be seen.

    Parameters
    ----------
    threads
        How many layers are measured at a time; None: as many as the machine has cores.
    """
    store = TileStore(Path(folder))
    with np.load(store.part_file(name)) as file:
        city = city_of(dict(file))
    keys = city.doors["key"].to_numpy(dtype=np.uint64)

    def measured(task: Task) -> None:
        if store.load(task, len(city.homes)) is None:
            reach = measure_reach(city, task.layer, task.walkers, limit_m=task.limit_m)
            store.save(task.key, arrays_of_reach(reach, keys))

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:  # the searches run without the interpreter's lock
        list(pool.map(measured, {task.key: task for task in tasks}.values()))  # equal layers have equal names
    return name


def _gathered(
    city: City,
    layer: Layer,
    walkers: Sequence[Walker],
    parts: Sequence[_Part],
    store: TileStore,
    keys: npt.NDArray[np.uint64],
) -> Reach:
    """Put the results of all parts together, in the order of the city's homes; `keys` are those of its doors."""
    n = len(city.homes)
    columns = ["straight_m", *(f"walk_{unit} {w.name}" for w in walkers for unit in "ms")]
    whole = {column: np.full(n, -1, dtype=np.int32) for column in columns}
    doors = {w.name: np.zeros(n, dtype=np.uint64) for w in walkers}
    for part in parts:
        homes = part.homes
        result = store.load(part.tasks[layer], len(homes))
        if result is None:
            raise InputError(
                f"a part that was measured is not found in {store.folder}",
                expected="a folder that all workers write to, and nobody else",
                remedy="scan again with --resume: what is there is kept",
            )
        for column in columns:
            whole[column][homes] = result[column]
        for name, door in doors.items():
            door[homes] = result[f"nearest {name}"]
    mine = city.doors_of(layer)
    position = pd.Series(mine, index=pd.Index(keys[mine]))
    position = position[~position.index.duplicated()]
    numbers = np.append(position.to_numpy(), -1).astype(np.int32)
    return Reach(
        walk_m=Walks({w.name: whole[f"walk_m {w.name}"] for w in walkers}),
        walk_s=Walks({w.name: whole[f"walk_s {w.name}"] for w in walkers}),
        straight_cm=whole["straight_m"],
        nearest={name: numbers[position.index.get_indexer(pd.Index(door))] for name, door in doors.items()},
    )
