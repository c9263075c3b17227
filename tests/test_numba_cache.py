from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import numba
import numpy as np
import pytest
from numba.core.caching import IndexDataCacheFile

from actbench.backends import _numba_cache

ENTRIES = 60

SAVE = """
import sys
from pathlib import Path
from numba.core.caching import IndexDataCacheFile
from actbench.backends import _numba_cache

place, own, entries = sys.argv[1:]
index = IndexDataCacheFile(place, "loop", "stamp")
save = _numba_cache.alone(Path(place, "lock"), index.save)
for number in range(int(entries)):
    save((own, number), f"{own} {number}")
"""


def test_what_several_processes_save_at_once_is_each_found_as_it_was(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SAVE, str(tmp_path)]
    running = [subprocess.Popen([*command, own, str(ENTRIES)], cwd=Path(__file__).parent.parent) for own in "abc"]
    assert [each.wait(60) for each in running] == [0, 0, 0]
    index: Any = cast(Any, IndexDataCacheFile)(str(tmp_path), "loop", "stamp")
    for own in "abc":
        assert [index.load((own, number)) for number in range(ENTRIES)] == [f"{own} {n}" for n in range(ENTRIES)]


def test_a_kernel_goes_to_the_cache_and_comes_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))

    def double(out: Any, z: Any) -> None:
        for i in range(out.size):
            out[i] = 2.0 * z[i]

    hits = []
    for _ in range(2):
        dispatcher = numba.njit(double)
        _numba_cache.share(dispatcher)
        dispatcher.compile(numba.void(numba.float64[::1], numba.float64[::1]))
        out = np.zeros(3)
        dispatcher(out, np.ones(3))
        assert out.tolist() == [2.0] * 3
        hits.append(bool(dispatcher.stats.cache_hits))
    assert hits == [False, True]
    assert len([*tmp_path.rglob("*.lock")]) == 1


def test_where_no_lock_can_be_written_it_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert _numba_cache.alone(tmp_path / "file" / "lock", lambda key: f"found {key}")("this") == "found this"
