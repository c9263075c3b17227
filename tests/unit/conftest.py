from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from actbench.runs.archive import Run, load
from tests.conftest import Actbench
from tests.support.compared import NEW, OLD, scaled
from tests.support.fake import FakeBench
from tests.support.selections import SMALL


@pytest.fixture
def old_and_new(actbench: Actbench, bench: FakeBench) -> Actbench:
    """A baseline, and a candidate in which `cached` takes 0.8 times as long."""
    assert actbench("run", *SMALL, "-o", OLD).exit_code == 0
    bench.seconds = scaled(cached=0.8)
    assert actbench("run", *SMALL, "-o", NEW).exit_code == 0
    return actbench


@pytest.fixture
def loaded_run(actbench: Actbench, two_runs: Path, tmp_path: Path) -> Run:
    """Return a run in the current directory."""
    del actbench  # which goes into that directory
    return load(Path(shutil.copytree(two_runs / "run", tmp_path / "run")))
