"""How compiled loops are kept on disk: never the wrong code, and no failure where they cannot be kept."""

from __future__ import annotations

import errno
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from livingcircle import WalkNetwork, _compiled, count_within, nearest_k
from livingcircle.joins import Joiner
from towns import streets_of

SOURCE = """
from livingcircle._compiled import inner, kept

@inner
def _one(a):
    return 1

@kept
def plus_one(a):
    return a + _one(a)
"""


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Load a compiled function as a new process would; its code is kept in a folder of its own."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "code"))
    monkeypatch.setattr(_compiled, "_KEPT", [])
    source = tmp_path / "loops.py"
    source.write_text(SOURCE, encoding="utf-8")

    def load() -> Any:
        spec = importlib.util.spec_from_file_location("loops", source)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.plus_one

    return load


def files(folder: Path, suffix: str) -> list[Path]:
    return sorted((folder / "code").rglob(f"*.{suffix}"))


def hits(function: Any) -> int:
    return sum(function.stats.cache_hits.values())


def test_code_is_found_again_and_each_kind_has_a_file_of_its_own(loaded: Callable[[], Any], tmp_path: Path) -> None:
    first = loaded()
    assert (first(1), first(0.5), hits(first)) == (2, 1.5, 0)
    assert (len(files(tmp_path, "nbc")), len(files(tmp_path, "nbi"))) == (2, 1)
    second = loaded()
    assert (second(1), second(0.5), hits(second)) == (2, 1.5, 2)
    assert [name.splitlines()[0] for name in _compiled.of_several_kinds()] == ["loops.plus_one"] * 2


def test_processes_that_keep_different_kinds_at_once_never_swap_them(loaded: Callable[[], Any], tmp_path: Path) -> None:
    # Both have read the index before either has written: the later one forgets the other's kind, and no more.
    one, other = loaded(), loaded()
    for function in (one, other):
        function._cache._cache_file._load_index = dict
    assert (one(1), other(0.5)) == (2, 1.5)
    assert len(files(tmp_path, "nbc")) == 2
    later = loaded()
    assert (later(0.5), later(1), hits(later)) == (1.5, 2, 1)


@pytest.mark.parametrize("suffix", ["nbc", "nbi"])
@pytest.mark.parametrize("length", [0, 10, 200])
def test_a_damaged_file_is_compiled_again(loaded: Callable[[], Any], tmp_path: Path, suffix: str, length: int) -> None:
    assert loaded()(1) == 2
    (file,) = files(tmp_path, suffix)
    whole = file.read_bytes()
    assert len(whole) > length
    file.write_bytes(whole[:length])
    again = loaded()
    assert (again(1), hits(again)) == (2, 0)
    healed = loaded()
    assert (healed(1), hits(healed)) == (2, 1)


def test_code_of_other_sources_is_not_taken(loaded: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded()(1) == 2
    monkeypatch.setattr(_compiled, "WITH_INNER", ("_sums",))
    changed = loaded()
    assert (changed(1), hits(changed)) == (2, 0)


def test_a_full_disk_and_no_folder_at_all_only_cost_time(
    loaded: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def nowhere(*_: object) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(_compiled._Files, "_save_data", full)
    assert loaded()(1) == 2
    monkeypatch.setattr(_compiled._Cache, "__init__", nowhere)
    assert loaded()(1) == 2
    assert files(tmp_path, "nbi") == []


def test_every_module_with_inner_functions_is_named() -> None:
    folder = Path(_compiled.__file__).parent
    found = [p.stem for p in sorted(folder.glob("*.py")) if re.search(r"^@inner$", p.read_text("utf-8"), re.MULTILINE)]
    assert tuple(found) == _compiled.WITH_INNER


@pytest.mark.parametrize("limit", [1000, 1000.0, np.float32(1000), np.int32(1000)])
def test_limits_of_any_kind_of_number_are_one_kind(limit: Any) -> None:
    streets = streets_of([(0, 0), (300, 0), (600, 0)], [(0, 1), (1, 2)])
    join = Joiner(streets, np.array([], dtype=object)).join
    homes, doors = join(np.array([[10.0, 5.0]])), join(np.array([[400.0, 5.0], [590.0, 5.0]]))
    walk = WalkNetwork(streets).walk(None)
    owner = np.arange(2)
    assert nearest_k(walk, homes, doors, owner, k=np.int32(2), limit=limit)[1].tolist() == [0, 1]
    assert count_within(walk, homes, doors, owner, limit=limit).tolist() == [2]
    assert walk.nearest(homes, doors, limit=limit)[1].tolist() == [0]
    assert walk.pairs(homes, doors, limit=limit)[1].tolist() == [0, 1]
    assert _compiled.of_several_kinds() == []
