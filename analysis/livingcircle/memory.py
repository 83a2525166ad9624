"""Memory of a scan: what this process uses, giving back what it no longer needs, and what a city will need."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from livingcircle.reach import City, Layer
    from livingcircle.walkers import Walker

PROCESS_BYTES = 400_000_000  # a process of ours before it has any data (measured)
LAYER_BYTES = 8  # of a home, for a layer: its straight line and the verdicts
WALKER_BYTES = 12  # of a home, for a layer and a walker: metres, seconds and the nearest door
ADDITION_BYTES = 24  # of a home, for a layer: whom one more place would bring in, and who then has everything
HOME_BYTES = 600  # of a home, while people are counted by unit (measured)
NEW_OBJECTS = 1_000_000  # between two searches for garbage; Python's 700 would look through every geometry many times
CIRCLE_BYTES = 3_000  # of an edge, for circles and bands: streets in pieces, what is drawn, some ground (measured)


def give_back() -> None:
    """Return freed memory to the system; the C library of Linux keeps what millions of small geometries have left."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc, not of every C library
        if trim is not None:
            trim(0)


@contextmanager
def seldom_searched_for_garbage() -> Iterator[None]:
    """Let Python look less often for objects that hold each other, of which a scan leaves hardly any.

    Nearly everything is freed as soon as nobody needs it; each search passes through the millions of geometries that
    are still needed, and took a twelfth of a large scan. It is a setting of the whole process, for whoever owns that.
    """
    before = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def resident_bytes() -> int:
    """Return what this process uses now; where the system does not tell, what it has used at most."""
    if sys.platform == "win32":
        return PROCESS_BYTES
    import resource

    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def expected_bytes(
    city: City, needed: Mapping[Layer, Sequence[Walker]], *, judged_again: bool = False
) -> dict[str, int]:
    """Return about how much memory the stages after the searches will use, which hold the whole city at once.

    Parameters
    ----------
    city
        Read and joined, before anything is searched.
    needed
        The layers of the rules, and whose walks to each.
    judged_again
        Whether the study asks for ranges (`--sensitivity`): each choice holds walks and verdicts of its own.

    Returns
    -------
    Bytes by stage: ``tables``, ``sensitivity`` where it is asked for, ``additions``, ``circles``; what the process uses
    already is in each of them.
    """
    homes, edges = len(city.homes), len(city.network.streets.tail)
    walks = sum(LAYER_BYTES + WALKER_BYTES * len(walkers) for walkers in needed.values())
    tables = resident_bytes() + homes * (HOME_BYTES + walks)
    return {
        "tables": tables,
        **({"sensitivity": tables + homes * walks} if judged_again else {}),
        "additions": tables + homes * ADDITION_BYTES * len(needed),
        "circles": tables + edges * CIRCLE_BYTES,
    }


def memory_note(expected: Mapping[str, int], memory_bytes: int) -> str | None:
    """Say where a scan will use more than it was given; None where it will not."""
    beyond = {stage: size for stage, size in expected.items() if size > memory_bytes}
    if not beyond:
        return None
    shown = ", ".join(f"{stage} {size / 1e9:.1f} GB" for stage, size in beyond.items())
    return (
        f"more memory is needed than --memory {memory_bytes / 1e9:g} GB: only walks are searched part by part, and"
        f" what follows holds the whole city (expected: {shown}); the numbers do not depend on it. Remedy: if the"
        " machine has less, scan the districts of the city one by one (a batch)"
    )
