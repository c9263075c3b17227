from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import Result

from actbench.host import environment
from actbench.runs.archive import Run, load
from tests.conftest import Actbench, run_in
from tests.support.cluster import Cluster, three
from tests.support.compared import NEW, OLD, scaled
from tests.support.fake import FakeBench
from tests.support.races import LOGISTIC, Recommend, Seconds, unlike
from tests.support.selections import SMALL
from tests.support.states import CACHE, IN_STATES, seconds_by_state

MeasuredOnce = Callable[..., None]


@pytest.fixture(scope="session")
def measured_once(tmp_path_factory: pytest.TempPathFactory) -> MeasuredOnce:
    """Give a function that measures a run once a session, and leaves a copy of it in the current directory.

    Its arguments are the factors by which strategies take longer than exact times, and those of ``actbench run``.
    """
    directories: dict[object, Path] = {}

    def leave(factors: Mapping[str, float], *arguments: str) -> None:
        key = (tuple(factors.items()), arguments)
        if key not in directories:
            directories[key] = tmp_path_factory.mktemp("measured")
            run_in(directories[key], "run", *arguments, seconds=scaled(**factors))
        shutil.copytree(directories[key], Path.cwd(), symlinks=True, dirs_exist_ok=True)

    return leave


@pytest.fixture
def old_and_new(actbench: Actbench, measured_once: MeasuredOnce) -> Actbench:
    """A baseline, and a candidate in which `cached` takes 0.8 times as long."""
    measured_once({}, *SMALL, "-o", OLD)
    measured_once({"cached": 0.8}, *SMALL, "-o", NEW)
    return actbench


@pytest.fixture
def loaded_run(actbench: Actbench, two_runs: Path, tmp_path: Path) -> Run:
    """Return a run in the current directory."""
    del actbench  # which goes into that directory
    return load(Path(shutil.copytree(two_runs / "run", tmp_path / "run")))


@pytest.fixture(scope="session")
def measured_in_states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a run in three states of operands, ``states``: to be copied and not to be changed."""
    directory = tmp_path_factory.mktemp("in_states")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "last_level_cache", lambda _: CACHE)
        run_in(directory, "run", *IN_STATES, "-o", "states", seconds=seconds_by_state)
    return directory


@pytest.fixture
def in_states(actbench: Actbench, measured_in_states: Path) -> Actbench:
    """Return the command line beside a run in three states of operands, ``states``."""
    shutil.copytree(measured_in_states / "states", "states")
    return actbench


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, bench: FakeBench, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Three hosts of a kind, whose locks are not those of a cluster in another process of the tests."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("hosts")))
    return Cluster(three()).connected(monkeypatch, bench)


@pytest.fixture
def recommend(actbench: Actbench, bench: FakeBench) -> Recommend:
    """Run ``actbench recommend`` with the exact times of its first argument, from round to round a little longer."""

    def run(seconds: Seconds, *options: str, fresh: bool = True) -> Result:
        bench.seconds = unlike(bench, seconds)
        return actbench("recommend", *LOGISTIC, *options, *(["--fresh"] if fresh else []))

    return run
