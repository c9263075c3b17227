from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from actbench.cli import main
from actbench.planning import costs
from tests.conftest import Actbench
from tests.support.browser import CHROMIUM, OPTIONS
from tests.support.environments import PACKAGES


@pytest.fixture(scope="session")
def only_numpy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with this environment's numpy and nothing else."""
    directory = tmp_path_factory.mktemp("packages")
    for entry in PACKAGES.glob("numpy*"):
        (directory / entry.name).symlink_to(entry)
    return directory


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go: a directory of the test's own."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setenv("TMPDIR", str(directory))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return directory


@pytest.fixture(autouse=True)
def caches(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where caches go: a directory of this process of tests, not the user's."""
    directory = tmp_path_factory.getbasetemp() / "caches"
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory))
    return directory


@pytest.fixture(autouse=True)
def little_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a round of few cases measure for hundredths of a second: that a process has times is all that tests ask."""
    monkeypatch.setattr(costs, "LEAST_MEASURED", 0.03)
    monkeypatch.setattr(costs, "LEAST_MEASURED_LIVE", 0.01)


@pytest.fixture
def check(actbench: Actbench, temporary: Path) -> Callable[..., Result]:
    """Check against an environment with real workers; nothing may be left behind."""
    del actbench  # it only goes to an empty directory, with no variables set

    def run(against: str | Path, *arguments: str) -> Result:
        small = ("-a", "logistic", "-b", "numpy", "-s", "recompute,cached", "-d", "float64", "-n", "1000", "-q")
        command = ["check", "--against", str(against), *small, "--budget", "100ms", "--margin", "99", *arguments]
        result = CliRunner().invoke(main, command)
        assert not list(temporary.iterdir())
        return result

    return run


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as engine:
        chromium = engine.chromium.launch(executable_path=CHROMIUM, args=[*OPTIONS])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def runs(two_runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with two runs."""
    return Path(shutil.copytree(two_runs, tmp_path_factory.mktemp("page") / "runs"))
