"""Results on the disk: whole and as they were written, or measured again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livingcircle.runs import WORK_FOLDER, Work, scan_into
from livingcircle.tile_store import TileStore, read_arrays, write_arrays
from small_city import CSV_FILES, small_study

ARRAYS = {"straight_m": np.arange(40, dtype=np.int32), "nearest adult": np.arange(40, dtype=np.uint64)}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("arrays") / "whole.npz"
    write_arrays(path, ARRAYS)
    return path


def is_whole(arrays: dict[str, Any]) -> bool:
    return arrays.keys() == ARRAYS.keys() and all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)


@settings(max_examples=300, deadline=None)
@given(at=st.floats(0, 1, exclude_max=True), new=st.binary(min_size=1, max_size=8), cut=st.booleans())
def test_a_file_that_was_cut_off_or_overwritten_anywhere_is_read_as_it_was_or_not_at_all(
    written: Path, at: float, new: bytes, cut: bool
) -> None:
    whole = written.read_bytes()
    start = int(at * len(whole))
    path = written.with_name("damaged.npz")
    path.write_bytes(whole[:start] if cut else whole[:start] + new + whole[start + len(new) :])
    read = read_arrays(path)
    # Dates and rights of an archive may change, and a name: the store asks for the names.
    assert read is None or is_whole(read) or read.keys() != ARRAYS.keys()


def test_what_is_missing_a_folder_or_of_somebody_else_is_not_read(written: Path, tmp_path: Path) -> None:
    assert is_whole(read_arrays(written) or {})
    for content in (b"", b"junk", b"PK\x05\x06" + bytes(18), np.arange(3).tobytes()):
        (tmp_path / "a.npz").write_bytes(content)
        assert not read_arrays(tmp_path / "a.npz")
    np.save(tmp_path / "plain.npy", np.arange(3))
    np.savez(tmp_path / "objects.npz", x=np.array([{}], dtype=object))
    for other in (tmp_path, tmp_path / "missing.npz", tmp_path / "plain.npy", tmp_path / "objects.npz"):
        assert read_arrays(other) is None


@pytest.mark.parametrize("side", [np.array(-5.0), np.array(np.nan), np.array([5.0]), np.array("5"), np.array(5)])
def test_a_side_that_no_tile_has_is_no_side(tmp_path: Path, side: Any) -> None:
    store = TileStore(tmp_path)
    assert store.side_m is None
    store.note_side(5000.0)
    assert store.side_m == 5000.0
    write_arrays(tmp_path / "side_m.npz", {"side_m": side})
    assert store.side_m is None


def _folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "within").touch()


def _one_number_less(path: Path) -> None:
    arrays = read_arrays(path)
    assert arrays is not None
    write_arrays(path, {name: values[:-1] for name, values in arrays.items()})


def _overwritten(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[200:260] = bytes(60)
    path.write_bytes(whole)


DAMAGE: list[Callable[[Path], Any]] = [
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(path.read_bytes()[:100]),
    lambda path: np.savez(path, x=np.zeros(3)),
    _overwritten,
    _one_number_less,
    _folder_instead,
]


def test_damaged_files_of_the_work_folder_are_measured_again(tmp_path: Path) -> None:
    study, out, told = small_study(tmp_path / "city"), tmp_path / "out", list[str]()
    again: dict[str, Any] = {"work": Work(resume=True), "progress": lambda event: told.append(str(event))}
    scan_into(study, out, **again)
    calm = {name: (out / name).read_bytes() for name in CSV_FILES}
    work = out / WORK_FOLDER
    for damage, path in zip(DAMAGE, sorted((work / "results").iterdir()), strict=False):
        damage(path)
    (work / "side_m.npz").write_bytes(b"junk")
    (work / "parts/0_0.npz").mkdir(parents=True)
    (work / "parts/.0_0.npz.1").touch()
    scan_into(study, out, **again)
    assert told[-1] == "6 of 12 results were there already, 6 are new"
    assert {name: (out / name).read_bytes() for name in CSV_FILES} == calm
    shutil.rmtree(work)
    work.write_text("a file")
    TileStore(work)
    shutil.rmtree(work / "results")
    (work / "results").write_text("a file")
    assert list((TileStore(work).folder / "results").iterdir()) == []
