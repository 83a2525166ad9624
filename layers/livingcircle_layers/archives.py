"""Packed files, which are refused before they are unpacked when they would fill the disk or the memory."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from livingcircle_layers.errors import InputError
from livingcircle_layers.parsing import parsed

GIB = 2**30


@contextmanager
def archive_of(file: Path, *, limit: int, expected: str) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive if its members together unpack to no more than a limit in bytes.

    The sizes are those that the archive declares; Python reads no more of a member than is declared.

    Raises
    ------
    InputError
        It would unpack to more, or is no whole archive.
    """
    with parsed(file, expected=expected):
        opened = zipfile.ZipFile(file)
    with opened as archive:
        refuse_bomb(file.name, [member.file_size for member in archive.infolist()], limit=limit)
        yield archive


def refuse_bomb(name: str, sizes: Sequence[int], *, limit: int) -> None:
    """Raise if parts that a file unpacks to are larger than a limit together."""
    total = sum(sizes)
    if total > limit:
        raise InputError(
            f"{name} is too large when unpacked",
            got=f"{total / GIB:.1f} GiB",
            expected=f"{limit / GIB:g} GiB at most",
            remedy="check where it comes from; take out what is not needed, or cut it to the city",
        )
