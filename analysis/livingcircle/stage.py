"""New files that take the place of earlier ones, all together or not at all, wherever it is stopped.

A stage is a hidden folder inside the output folder, so on the same disk. What it holds tells where a run was stopped:

===========  ==============================  =======================================  ================================
state        the stage holds                 where the files are                      what ends it
===========  ==============================  =======================================  ================================
writing      no folder                       earlier ones in place                    delete the stage
moving out   ``earlier/``                    earlier ones in place or there           move them back, delete the stage
moving in    ``replaced/`` and ``run.json``  earlier ones there, new ones in place    move the others in, ``run.json``
                                             or in the stage                          last; delete the stage
done         ``replaced/`` alone             new ones in place                        delete the stage
===========  ==============================  =======================================  ================================

Each state begins with a single rename (or the making of a folder), which is done or not done. A fault goes the same
way back: new files return to the stage, ``replaced`` is renamed ``earlier``, earlier files return to their places. No
file is deleted on the way, so that the next run, or whoever reads the folder, can end every state: it is then wholly
the earlier result or wholly the new one. New files are flushed to the disk before the first earlier one is moved.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

_EARLIER, _REPLACED = "earlier", "replaced"


@dataclass(frozen=True)
class Stage:
    """A folder that new files are written to before they take their places in the folder around it.

    Attributes
    ----------
    path
        The folder.
    last
        Name of the file that is moved last: with it the new result counts.
    """

    path: Path
    last: str

    @property
    def unsettled(self) -> bool:
        """Whether the folder around it may hold files of two results."""
        return self._moving_out or self._moving_in

    @property
    def moved(self) -> bool:
        """Whether files of the folder around it were ever moved: then that folder is of our program."""
        return self._earlier.is_dir() or self._replaced.is_dir()

    def move_in(self, names: Collection[str]) -> None:
        """Put the new files into their places; earlier ones of these names are gone then.

        Raises
        ------
        OSError
            A file cannot be moved. The earlier ones are back, unless the stage is `unsettled`.
        """
        self._flush(names)
        try:
            self._earlier.mkdir()
            for name in names:
                if name != self.last and os.path.lexists(self._place(name)):
                    self._place(name).replace(self._earlier / name)
            self._earlier.replace(self._replaced)
            self._move_new_in()
        except BaseException:
            self._go_back(names)
            raise

    def settle(self) -> None:
        """End what a killed run has begun, and delete the stage; the folder around it must be held.

        Raises
        ------
        OSError
            A file cannot be moved; to be tried again.
        """
        if self._moving_out:
            self._move_earlier_back()
        elif self._moving_in:
            self._move_new_in()
        if self.path.is_dir():
            shutil.rmtree(self.path)
        else:
            self.path.unlink()  # a single file that was not finished

    @property
    def _earlier(self) -> Path:
        return self.path / _EARLIER

    @property
    def _replaced(self) -> Path:
        return self.path / _REPLACED

    @property
    def _moving_out(self) -> bool:
        return self._earlier.is_dir()

    @property
    def _moving_in(self) -> bool:
        return self._replaced.is_dir() and (self.path / self.last).exists()

    def _place(self, name: str) -> Path:
        return self.path.parent / name

    def _flush(self, names: Collection[str]) -> None:
        """Have the disk keep the new files, and drop what else a writer has left: all files of a stage are moved."""
        (self.path / self.last).stat()  # without it, moving in would look done before it began
        for path in self.path.iterdir():
            if path.name in names:
                with path.open("r+b") as stream:
                    os.fsync(stream.fileno())
            else:
                path.unlink()

    def _move_new_in(self) -> None:
        for path in sorted(self.path.iterdir()):
            if path.name not in (_REPLACED, self.last):
                path.replace(self._place(path.name))
        (self.path / self.last).replace(self._place(self.last))

    def _move_earlier_back(self) -> None:
        for path in sorted(self._earlier.iterdir()):
            path.replace(self._place(path.name))
        self._earlier.rmdir()

    def _go_back(self, names: Collection[str]) -> None:
        """Take the same way back, from wherever it was stopped; when all is done, it stays so."""
        if self._moving_in:
            for name in names:
                if name != self.last and os.path.lexists(self._place(name)):
                    self._place(name).replace(self.path / name)
            self._replaced.replace(self._earlier)
        if self._moving_out:
            self._move_earlier_back()
