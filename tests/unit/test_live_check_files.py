"""The files and formats of a live check."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from actbench.model.cases import Block
from actbench.runs import files
from tests.conftest import Actbench
from tests.support.checked import CACHED, CASES, slower
from tests.support.fake import FakeBench, crash
from tests.support.selections import UNPROBED, names, rows


def test_both_sides_and_the_control_are_kept_as_runs(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower(1.1)
    actbench(*CASES, "-o", "kept")
    assert names(Path("kept")) == {"baseline", "candidate", "control"}
    assert all(names(directory) == UNPROBED for directory in Path("kept").iterdir())
    seconds = {}
    for side in ("baseline", "candidate"):
        values = rows(Path("kept", side, "values.csv"))
        seconds[side] = {row["seconds"] for row in values if (row["strategy"], row["size"]) == ("cached", "1000")}
    assert {side: len(lines) for side, lines in seconds.items()} == {"baseline": 1, "candidate": 1}
    assert float(seconds["candidate"].pop()) == pytest.approx(1.1 * float(seconds["baseline"].pop()))
    assert actbench("compare", "kept/candidate").exit_code == 0


def test_a_directory_that_holds_something_is_refused_before_measuring(actbench: Actbench, bench: FakeBench) -> None:
    Path("taken").mkdir()
    Path("taken/file").touch()
    result = actbench(*CASES, "-o", "taken")
    assert result.exit_code == 2
    assert result.stderr == "actbench: -o taken: there is something already: name a new directory\n"
    assert bench.workers_started == 0


def test_json_holds_the_control_and_the_confirmation(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower(1.1)
    report: dict[str, Any] = json.loads(actbench(*CASES, "--format", "json").stdout)
    (cached,) = (case for case in report["cases"] if case["case"] == CACHED)
    assert cached["ratio"] == pytest.approx(1.1)
    assert cached["control"] == pytest.approx({"ratio": 1.0, "low": 1.0, "high": 1.0})
    assert cached["confirmation"] == pytest.approx({"ratio": 1.1, "low": 1.1, "high": 1.1})
    assert (report["too_noisy"], report["failures"]) == (False, [])


def test_a_check_is_written_in_as_many_formats_as_one_likes(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower(1.1)
    reports = [f"--report={form}=check.{form}" for form in ("text", "markdown", "junit", "json", "github")]
    result = actbench(*CASES, *reports)
    assert result.exit_code == 1
    head, _, _ = Path("check.markdown").read_text().partition("\n")
    assert head == "**regressed (exit code 1): 4 cases, margin 5 %: 1 regressed, 3 unchanged**"
    assert 'failures="1"' in Path("check.junit").read_text()
    assert json.loads(Path("check.json").read_text())["cases"]
    assert Path("check.github").read_text().startswith("::error ")
    assert "Against the baseline" in result.stdout
    text = Path("check.text").read_text()
    assert text.split() == result.stdout.split(), "as on stdout"


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ("csv=check.csv", "write FORMAT=FILE with one of text, markdown, github, junit, json"),
        ("json", "write FORMAT=FILE"),
        ("json=nowhere/check.json", "--report json=nowhere/check.json: cannot write there (No such file or directory)"),
        (f"json={'x' * 300}", ": cannot write there (File name too long): name a file in a directory that exists"),
        ("json=.", "--report json=.: cannot write there (Is a directory)"),
    ],
)
def test_a_report_that_cannot_be_is_refused_before_measuring(
    actbench: Actbench, bench: FakeBench, report: str, said: str
) -> None:
    result = actbench(*CASES, "--report", report)
    assert result.exit_code == 2
    assert said in result.stderr
    assert bench.workers_started == 0


def test_a_summary_of_a_job_that_cannot_be_written_is_refused_before_measuring(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "nowhere/summary.md")
    result = actbench(*CASES, "--format", "markdown")
    assert result.exit_code == 2
    assert "cannot write to $GITHUB_STEP_SUMMARY (No such file or directory)" in result.stderr
    assert bench.workers_started == 0


def test_reports_have_the_exit_code_with_which_a_check_for_git_bisect_ends(
    actbench: Actbench, bench: FakeBench
) -> None:
    bench.on_time = lambda block: crash("no memory") if block.size == 2000 else None
    reports = ("--report", "json=check.json", "--report", "junit=check.xml", "--report", "text=check.txt")
    actbench(*CASES, "--for-bisect", *reports)
    report = json.loads(Path("check.json").read_text())
    assert (report["verdict"], report["exit_code"]) == ("failed", 125)
    assert 'name="exit_code" value="125"' in Path("check.xml").read_text()
    assert "failed (exit code 125): " in Path("check.txt").read_text()


def crash_once(bench: FakeBench, workers: int, reason: str) -> None:
    """Let the larger block crash once, as soon as more than so many workers have started."""
    crashed: list[str] = []

    def crash_first(block: Block) -> None:
        if block.size == 2000 and bench.workers_started > workers and not crashed:
            crashed.append(block.id)
            crash(reason)

    bench.on_time = crash_first


def test_a_block_that_loses_a_worker_once_goes_on_and_that_is_reported(actbench: Actbench, bench: FakeBench) -> None:
    crash_once(bench, 20, "the control was killed by SIGKILL")
    result = actbench(*CASES)
    assert result.exit_code == 0
    assert "4 unchanged" in result.stdout
    assert "logistic/derivative/float64/2000 went on after round " in result.stdout
    assert "the control was killed by SIGKILL" in result.stdout


def test_a_block_whose_first_round_fails_is_measured_later(actbench: Actbench, bench: FakeBench) -> None:
    crash_once(bench, 6, "the candidate was killed by SIGKILL")
    result = actbench(*CASES)
    assert result.exit_code == 0
    assert "4 unchanged" in result.stdout


def test_margins_that_match_nothing_are_reported(actbench: Actbench) -> None:
    shown = actbench(*CASES, "--margins", "*/pyton/*=9").stdout
    assert shown.count("pyton") == 1
    assert "--margins '*/pyton/*' matches no case" in shown


def test_a_verdict_is_reported_even_where_nothing_can_be_written_any_more(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.seconds = slower(1.1)
    bench.on_time = lambda _: monkeypatch.setattr("os.fsync", full_disk)
    result = actbench(*CASES, "--report", "json=check.json")
    assert result.exit_code == 1
    assert "1 regressed, 3 unchanged" in result.stdout
    assert "cannot write check.json: No space left on device" in result.stderr


def full_disk(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_two_reports_do_not_share_a_file(actbench: Actbench) -> None:
    result = actbench(*CASES, "--report", "json=here", "--report", "junit=here")
    assert (result.exit_code, "another report goes there, too" in result.stderr) == (2, True)


def test_a_directory_that_another_check_writes_to_is_refused(actbench: Actbench, bench: FakeBench) -> None:
    Path("taken").mkdir()
    with files.locked(Path("taken")):
        result = actbench(*CASES, "-o", "taken")
    assert result.exit_code == 2
    assert "another run is writing to taken" in result.stderr
    assert bench.workers_started == 0
