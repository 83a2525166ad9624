"""Where a library reads bytes that may be damaged in any way: whatever it raises becomes one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from livingcircle_layers.errors import InputError


@contextmanager
def parsed(file: Path, *, expected: str, remedy: str = "export it again", called: str | None = None) -> Iterator[None]:
    """Turn whatever the libraries say of a broken file into one line.

    Every kind of exception is taken, since a parser can fail in every way on damaged bytes: a workbook alone gave
    zlib.error, KeyError, AttributeError, RuntimeError and the errors of two XML parsers. Therefore only calls of a
    library stand inside, and nothing of ours, whose faults are to be seen as what they are. Want of memory is told
    as that.

    Parameters
    ----------
    file
        What is read; its folder is not told.
    expected, remedy
        As the error says it.
    called
        What the planner calls the file, where that is not its name.
    """
    try:
        yield
    except InputError:
        raise
    except MemoryError as error:
        raise no_memory(called or file.name, error) from error
    except Exception as error:
        lines = str(error).replace(str(file), file.name).strip().splitlines()
        got = lines[0].split("; It might help")[0] if lines else type(error).__name__
        raise InputError(
            f"{called or file.name} cannot be parsed",
            got=got,
            expected=expected,
            remedy="save it without a password" if "encrypted" in got else remedy,
        ) from error


def no_memory(name: str, error: MemoryError) -> InputError:
    """Return the error for a file that memory does not hold: it is large, or damaged bytes claim that it is."""
    return InputError(
        f"{name} does not fit into the memory of this machine",
        got=str(error) or None,
        remedy="close other programs, or bring the part of the city that is needed; if the file is small, it is"
        " damaged: export it again",
    )
