"""What numba compiles for another interpreter is kept between checks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from actbench.engine.live import compiled_cache
from tests.conftest import Actbench


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "caches"
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory))
    return directory


def test_an_interpreter_has_an_entry_of_its_own_in_every_check() -> None:
    entry = compiled_cache.entry_of(Path("/one/bin/python"))
    assert entry is not None
    (entry / "kernel").touch()
    assert compiled_cache.entry_of(Path("/one/bin/python")) == entry
    assert compiled_cache.entry_of(Path("/another/bin/python")) != entry
    assert [*entry.iterdir()]


def test_the_least_recently_used_entries_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_cache, "MOST_ENTRIES", 2)
    first = compiled_cache.entry_of(Path("/1"))
    second = compiled_cache.entry_of(Path("/2"))
    assert first is not None
    assert second is not None
    os.utime(first, (1, 1))
    os.utime(second, (0, 0))
    third = compiled_cache.entry_of(Path("/3"))
    assert compiled_cache.entries() == [third, first]


def test_a_cache_that_cannot_be_written_is_done_without(caches: Path) -> None:
    caches.write_text("a file")
    assert compiled_cache.entry_of(Path("/1")) is None


def test_entries_are_removed_with_all_environments(actbench: Actbench) -> None:
    compiled_cache.entry_of(Path("/1"))
    assert actbench("cache", "clear").stdout == (
        "removed 0 environments\nremoved what was compiled for 1 interpreter\n"
    )
    assert not compiled_cache.entries()
