"""The machine code that a user's file opens, and the modules that it imports, are recorded with it, and compared."""

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
from actbench.model.loaded import Loaded, LoadedFrom, UsedFile, changes_of_code, shared_by_both
from tests.conftest import Actbench
from tests.support.races import Recommend, taking

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

HERE = UsedFile("/opt/libmine.so", "a" * 64)


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
    plugins.unload()
    assert plugins.load(str(file)).libraries == (opened,), "the process has it open already"


IMPORTING = """\
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import helper_of_mine
from actbench.formula import Strategy, strategy

@strategy("logistic")
def mine(m):
    return Strategy(helper_of_mine.derivative)
"""

HELPER = """\
def derivative(y):
    return y * (1.0 - y)
"""


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a module that a user's file beside it imports; it is imported anew."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    Path("mine.py").write_text(IMPORTING)
    Path("helper_of_mine.py").write_text(HELPER)
    yield tmp_path / "helper_of_mine.py"
    plugins.unload()


def test_a_file_is_recorded_with_the_modules_of_no_package_that_it_imports(helper: Path) -> None:
    before = [plugins.load("mine.py")]
    (imported,) = before[0].libraries
    assert Path(imported.path) == helper
    plugins.unload()
    helper.write_text(HELPER.replace("1.0 - y", "1.0 - 1.0 * y"))
    ((name, was, now),) = changes_of_code(before, [plugins.load("mine.py")])
    assert name == "helper_of_mine.py of mine.py"
    assert was != now


def test_what_a_file_imports_is_executed_anew_by_the_next_load(helper: Path) -> None:
    json = sys.modules["json"]
    plugins.load("mine.py")
    assert sys.modules["helper_of_mine"].derivative(0.5) == 0.25
    plugins.unload()
    helper.write_text(HELPER.replace("1.0 - y", "2.0 - y"))
    plugins.load("mine.py")
    assert sys.modules["helper_of_mine"].derivative(0.5) == 0.75
    assert sys.modules["json"] is json


def test_rounds_of_a_module_that_has_changed_since_are_neither_used_nor_continued(
    recommend: Recommend, actbench: Actbench, helper: Path
) -> None:
    weak = IMPORTING.replace("import Strategy", "import Flaw, Strategy, Weakness").replace(
        "derivative)", 'derivative, weaknesses=(Weakness(Flaw.CANCELS, "1 - y cancels", lambda z, fmt: z > 0),))'
    )
    Path("mine.py").write_text(weak)
    options = ("-s", "recompute,mine", "--load", "mine.py")
    assert recommend(taking(mine=0.5), *options).exit_code == 0
    (run,) = Path("results").glob("2*")
    for text, expected in ((HELPER, "nothing was measured now"), (f"{HELPER}# changed\n", "Measured now")):
        plugins.unload()
        helper.write_text(text)
        assert expected in recommend(taking(mine=0.5), *options, fresh=False).stdout
    plugins.unload()
    resumed = actbench("run", "--resume", str(run))
    assert resumed.exit_code == 5
    assert "helper_of_mine.py of mine.py changed since this run started" in resumed.stderr


def loaded(*libraries: UsedFile) -> list[Loaded]:
    return [Loaded(LoadedFrom.FILE, "mine.py", "b" * 64, libraries=libraries)]


def test_a_library_that_both_sides_open_is_told_apart_from_one_that_differs() -> None:
    assert shared_by_both(loaded(HERE), loaded(HERE)) == [("mine.py", HERE.path, f"sha256 {'a' * 12}")]
    assert not changes_of_code(loaded(HERE), loaded(HERE))
    elsewhere = UsedFile("/tmp/tree/libmine.so", "c" * 64)  # noqa: S108  # no file is written there
    assert not shared_by_both(loaded(HERE), loaded(elsewhere))
    assert changes_of_code(loaded(HERE), loaded(elsewhere)) == [
        ("libmine.so of mine.py", f"sha256 {'a' * 12}", f"sha256 {'c' * 12}")
    ]
    assert not changes_of_code(loaded(HERE), loaded()), "earlier versions recorded none"


def test_of_files_with_one_name_every_change_is_noticed() -> None:
    outer, inner = (UsedFile(f"/tmp/{place}/__init__.py", "d" * 64) for place in ("pkg", "pkg/sub"))  # noqa: S108
    for changed in ((replace(outer, sha256="e" * 64), inner), (outer, replace(inner, sha256="e" * 64))):
        assert changes_of_code(loaded(outer, inner), loaded(*changed)) == [
            ("__init__.py of mine.py", f"sha256 {'d' * 12}", f"sha256 {'e' * 12}")
        ]
    assert not changes_of_code(loaded(outer, inner), loaded(inner, outer))
