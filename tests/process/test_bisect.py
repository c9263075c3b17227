"""A bisect of a package with native work, built and measured for real."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.bisect import SELECTED, SIZED
from benchmarks.bisect_project import project
from tests.support.tiers import EXHAUSTIVE


@EXHAUSTIVE
@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_a_step_of_native_work_is_found_for_real_and_nothing_is_left(tmp_path: Path, temporary: Path) -> None:
    made = project(tmp_path, commits=4, culprit=3, share=1.0)
    command = (sys.executable, "-m", "actbench", "bisect", made.commits[0], *SELECTED, *SIZED, "-q", "--format", "json")
    done = made.run(*command)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    (case,) = report["cases"]
    (culprit,) = case["culprits"]
    assert culprit["commits"] == [3]
    assert culprit["change"]["low"] > 1.5
    assert made.run("git", "worktree", "list").stdout.count("\n") == 1
    assert not list(temporary.iterdir())
