"""The machine code that a user's file opens is recorded with it, and compared."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from actbench import plugins
from actbench.host import environment, shared_libraries
from actbench.model.loaded import Loaded, LoadedFrom, SharedLibrary, changes_of_code, shared_by_both

MINE = """\
import ctypes
from actbench.formula import Strategy, strategy

ctypes.CDLL({library!r})
import decimal, numpy.linalg  # which open what is installed

@strategy("logistic")
def mine(m):
    def derivative(y):
        return y * (1.0 - y)
    return Strategy(derivative)
"""

HERE = SharedLibrary("/opt/libmine.so", "a" * 64)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Path]:
    """Return a library of the user's: a copy of libm."""
    maps = shared_libraries.MAPS.read_text() if shared_libraries.MAPS.is_file() else ""
    libm = re.search(r"\S*/libm[.-]\S*", maps)
    if sys.platform != "linux" or libm is None:
        pytest.skip("libm is not found")
    yield Path(shutil.copy(libm[0], tmp_path / "libmine.so"))
    plugins.unload()


def test_a_file_is_recorded_with_the_libraries_that_it_opens(library: Path) -> None:
    file = library.with_name("mine.py")
    file.write_text(MINE.format(library=str(library)))
    (opened,) = plugins.load(str(file)).libraries
    assert Path(opened.path) == library
    assert len(opened.sha256) == 64
    (public,) = environment.public_code(plugins.loaded())
    assert public.libraries == (replace(opened, path=".../libmine.so"),)


def loaded(*libraries: SharedLibrary) -> list[Loaded]:
    return [Loaded(LoadedFrom.FILE, "mine.py", "b" * 64, libraries=libraries)]


def test_a_library_that_both_sides_open_is_told_apart_from_one_that_differs() -> None:
    assert shared_by_both(loaded(HERE), loaded(HERE)) == [("mine.py", HERE.path, f"sha256 {'a' * 12}")]
    assert not changes_of_code(loaded(HERE), loaded(HERE))
    elsewhere = SharedLibrary("/tmp/tree/libmine.so", "c" * 64)  # noqa: S108  # no file is written there
    assert not shared_by_both(loaded(HERE), loaded(elsewhere))
    assert changes_of_code(loaded(HERE), loaded(elsewhere)) == [
        ("libmine.so of mine.py", f"sha256 {'a' * 12}", f"sha256 {'c' * 12}")
    ]
    assert not changes_of_code(loaded(HERE), loaded()), "earlier versions recorded none"
