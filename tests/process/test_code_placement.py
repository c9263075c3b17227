from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from actbench.host import code_placement
from actbench.host.code_placement import CodePlacement
from tests.conftest import Actbench

linux = pytest.mark.skipif(sys.platform != "linux", reason="code is moved on Linux alone")


MOVE = """
from pathlib import Path

import numpy as np

from actbench.host.code_placement import CodePlacement

z = np.linspace(-5, 5, 1001)
before = np.exp(z)
placement = CodePlacement()
for _ in range(3):
    assert placement.move()
    assert np.array_equal(np.exp(z), before)
print(Path("/proc/self/maps").read_text())
"""


def executable_files(maps: str) -> set[str]:
    lines = [line.split(maxsplit=5) for line in maps.splitlines()]
    return {Path(line[5]).name for line in lines if len(line) > 5 and line[1] == "r-xp"}


@linux
def test_moved_code_is_no_longer_that_of_the_files_and_computes_the_same() -> None:
    """In a fresh process: in this one, another test may have moved it before."""
    done = subprocess.run([sys.executable, "-c", MOVE], capture_output=True, text=True, check=True)
    left = executable_files(done.stdout)
    assert left
    assert not [name for name in left if name.startswith(("_multiarray_umath", "libm.so", "libc.so"))]


@linux
@pytest.mark.parametrize(
    "name",
    [
        "libc.so.6",
        "libm.so.6",
        "libm-2.31.so",
        "libpython3.11.so.1.0",
        "math.cpython-311-x86_64-linux-gnu.so",
        "_multiarray_umath.cpython-313-aarch64-linux-gnu.so",
    ],
)
def test_code_that_is_timed_is_moved(name: str) -> None:
    assert code_placement.MOVED.match(name)


@pytest.mark.parametrize(
    "name", ["libcrypto.so.3", "libmvec.so.1", "libllvmlite.so", "libscipy_openblas64_.so", "heap"]
)
def test_other_code_stays(name: str) -> None:
    assert not code_placement.MOVED.match(name)


@linux
def test_where_the_system_forbids_it_everything_stays_and_that_is_reported(
    monkeypatch: pytest.MonkeyPatch, actbench: Actbench
) -> None:
    monkeypatch.setattr(code_placement, "EXECUTE", 1 << 20)
    assert not CodePlacement().move()
    assert np.exp(0.0) == 1.0
    assert "fixed for as long as libraries stay in the page cache" in actbench("env").stdout


def test_elsewhere_than_on_linux_nothing_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not CodePlacement().move()
