"""What is compiled for another processor is compiled anew whenever its outcome may differ."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import targets

PROGRAM = """
import json
import sys

from actbench.doubling import double

with open("runs", "a") as file:
    file.write("x")
print(json.dumps([double(number) for number in map(int, sys.argv[1:])]))
"""

DOUBLING = "def double(number):\n    return 2 * number\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of a package that the program imports from."""
    directory = tmp_path / "actbench"
    directory.mkdir()
    (directory / "__init__.py").touch()
    (directory / "doubling.py").write_text(DOUBLING)
    monkeypatch.setattr(targets, "ROOT", tmp_path)
    monkeypatch.setattr(targets, "KEPT", tmp_path / "kept")
    return directory


def runs() -> int:
    """Return how often the program was run."""
    return (targets.ROOT / "runs").stat().st_size


def printed(*numbers: str, processor: str = "haswell", features: str = "") -> list[int]:
    doubled: list[int] = targets.printed_for(processor, PROGRAM, *numbers, features=features)
    return doubled


@pytest.mark.usefixtures("package")
def test_it_is_kept() -> None:
    assert printed("1", "2") == printed("1", "2") == [2, 4]
    assert runs() == 1


def test_it_follows_the_source(package: Path) -> None:
    assert printed("1") == [2]
    (package / "doubling.py").write_text(DOUBLING.replace("2 *", "3 * 1 *"))  # of another size, as Python's cache needs
    assert printed("1") == [3]
    (package / "beside.py").touch()
    printed("1")
    assert runs() == 3


@pytest.mark.parametrize(
    "differently",
    [
        lambda: printed("2"),
        lambda: printed("1", processor="znver4"),
        lambda: printed("1", features="+avx2"),
    ],
)
@pytest.mark.usefixtures("package")
def test_it_is_of_its_arguments_processor_and_features(differently: Callable[[], list[int]]) -> None:
    printed("1")
    differently()
    assert runs() == 2


@pytest.mark.usefixtures("package")
def test_it_is_of_the_variables_that_tune_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    printed("1")
    monkeypatch.setenv("NUMBA_OPT", "1")
    printed("1")
    assert runs() == 2
