"""``actbench bisect`` from the command line, on commits of exact times."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Actbench
from tests.support.bisected import SELECTED, history, levels, step
from tests.support.fake import FakeBench
from tests.support.repository import repository


@pytest.fixture(autouse=True)
def project(actbench: Actbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the hashes of the commits of a project, which is the current directory."""
    del actbench
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    repository(tmp_path / "project", monkeypatch)
    return history(17)


def test_the_commit_with_the_step_is_named_with_subject_and_date_and_ends_with_1(
    actbench: Actbench, bench: FakeBench, project: list[str]
) -> None:
    levels(bench, project, step(at=11))
    result = actbench("bisect", project[0], *SELECTED)
    assert result.exit_code == 1
