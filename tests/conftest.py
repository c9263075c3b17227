from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from actbench.cli import configuration, main
from actbench.runs import environment
from tests.fake import FakeBench

Actbench = Callable[..., Result]


@pytest.fixture
def bench() -> FakeBench:
    """Exact times; a test may change how long what takes."""
    return FakeBench()


@pytest.fixture
def actbench(bench: FakeBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Actbench:
    """Run the command line in an empty directory, with exact times instead of a clock."""
    monkeypatch.chdir(tmp_path)
    settings = [name for name in os.environ if name.startswith(configuration.PREFIX)]
    for name in (*environment.tuning(os.environ), *settings):
        monkeypatch.delenv(name)

    def run(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(main, list(arguments), obj=bench.seams, **options)

    return run
