from __future__ import annotations

import errno
import json
import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actbench.model.cases import Block, Case
from actbench.runs import files
from tests.conftest import Actbench
from tests.support.fake import FakeBench, crash, exact_seconds
from tests.support.selections import PAIR, TWO_BLOCKS, UNPROBED, names, rows

OTHER = ("check", "--against", "other")
CASES = (*OTHER, *TWO_BLOCKS)
CACHED = "logistic/cached/numpy/derivative/float64/1000"


def slower(factor: float, *, size: int = 1000) -> Callable[[Case], float]:
    """Return exact times in which one case takes so many times as long."""
    return lambda case: exact_seconds(case) * (factor if (case.strategy, case.size) == ("cached", size) else 1.0)


def scattered(spread: float, of: Callable[[Case], float] = exact_seconds) -> Callable[[Case], float]:
    """Return times that scatter, evenly, by so much either way."""
    generator = random.Random(1)  # noqa: S311
    return lambda case: of(case) * (1 + spread * generator.uniform(-1, 1))


def verdicts(stdout: str) -> dict[str, str]:
    return {case["case"]: case["verdict"] for case in json.loads(stdout)["cases"]}


# Verdicts


def test_two_environments_of_one_speed_end_with_0_after_the_fewest_rounds(actbench: Actbench) -> None:
    result = actbench(*CASES)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["case", "verdict", "change", "control", "rounds"] in lines
    assert f"{CACHED} unchanged +0.00 % ± 0.00 % +0.00 % ± 0.00 % 8, 8".split() in lines
    assert "\n4 cases, margin 5 %: 4 unchanged\n" in result.stdout
    assert "the same versions on both sides: python" in result.stdout


def test_a_regression_is_measured_anew_and_ends_with_1(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower(1.1)
    result = actbench(*CASES)
    assert result.exit_code == 1
    assert f"{CACHED} regressed +10.00 % ± 0.00 % +0.00 % ± 0.00 %" in " ".join(result.stdout.split())
    assert "4 cases, margin 5 %: 1 regressed, 3 unchanged" in result.stdout
    assert f"{CACHED} was measured anew: +10.00 % ± 0.00 %, regressed again" in result.stdout
    assert "measuring anew 1 case that may have regressed" in result.stderr


def test_a_regression_is_confirmed_even_where_that_takes_longer_than_the_budget(
    actbench: Actbench, bench: FakeBench
) -> None:
    bench.seconds = slower(1.1)
    result = actbench(*OTHER, *PAIR, "-n", "1000", "--budget", "5s", "--format", "json")
    assert result.exit_code == 1
    (cached,) = (case for case in json.loads(result.stdout)["cases"] if case["case"] == CACHED)
    assert (cached["verdict"], cached["rounds"]) == ("regressed", 8)
    assert cached["confirmation"]["low"] == pytest.approx(1.1)
    assert bench.clock.now > 5
    assert result.stderr.startswith(
        "budget 5 s; what seems to have regressed is measured anew on top of that, in up to 16 rounds, or more for "
        "more than two cases\n"
    )
    assert re.search(rf"regressed: {CACHED}; up to 16 rounds, about \d+ s, whatever the budget\n", result.stderr)
    help_text = " ".join(actbench("check", "--help").stdout.split())
    assert "what then seems to have regressed is measured anew on top of that" in help_text


def test_what_does_not_show_again_has_not_regressed(actbench: Actbench, bench: FakeBench) -> None:
    first = bench.workers_started

    def seconds(case: Case) -> float:
        confirming = bench.workers_started - first > 3 + 2 + 1 + 3 * 9
        return (exact_seconds if confirming else slower(1.2))(case)

    bench.seconds = seconds
    result = actbench(*CASES)
    assert result.exit_code == 3
    assert "1 inconclusive, 3 unchanged" in result.stdout
    assert "which does not confirm that it regressed" in result.stdout


def test_an_improvement_is_fine(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower(0.8)
    result = actbench(*CASES)
    assert (result.exit_code, "1 improved, 3 unchanged" in result.stdout) == (0, True)


def test_a_slowdown_inside_the_margin_is_none(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower(1.04)
    assert actbench(*CASES).exit_code == 0
    assert actbench(*CASES, "--margin", "3").exit_code == 1


def test_cases_can_have_margins_of_their_own(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower(1.1)
    result = actbench(*CASES, "--margins", "*/cached/*=15%")
    assert result.exit_code == 0
    assert "4 cases, margin 5 % (2 with one of their own): 4 unchanged" in result.stdout


def test_a_slowdown_at_the_margin_stays_open_until_the_budget_is_spent(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = scattered(0.02, slower(1.05))
    result = actbench(*CASES, "--budget", "60s", "--format", "json")
    assert result.exit_code == 3
    found = {case["case"]: case for case in json.loads(result.stdout)["cases"]}
    assert found[CACHED]["verdict"] == "inconclusive"
    assert found[CACHED]["rounds"] > 3 * found[CACHED.replace("1000", "2000")]["rounds"], "what is decided rests"
    assert 50 < bench.clock.now < 60


def test_a_budget_that_is_too_short_decides_nothing(actbench: Actbench) -> None:
    result = actbench(*CASES, "--budget", "1ms")
    assert result.exit_code == 3
    assert "4 inconclusive" in result.stdout


def test_a_host_whose_baseline_differs_from_itself_is_too_noisy(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = bench.control_seconds = slower(1.1)
    result = actbench(*CASES)
    assert result.exit_code == 3
    assert "the host is too noisy for a verdict: the baseline differed from itself beyond the margin in 1 case" in (
        result.stdout
    )
    assert "regressed" not in result.stdout


def test_a_drift_of_the_host_is_no_regression(actbench: Actbench, bench: FakeBench) -> None:
    def drifting(case: Case) -> float:
        return exact_seconds(case) * (1 + bench.clock.now)

    bench.seconds = bench.baseline_seconds = bench.control_seconds = drifting
    result = actbench(*CASES)
    assert result.exit_code == 0
    assert "4 unchanged" in result.stdout


# What the environments have


def test_a_case_that_only_the_baseline_has_is_missing_and_one_that_only_the_candidate_has_is_new(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from actbench.planning import suite

    offered = suite.offered
    monkeypatch.setattr(
        "actbench.planning.suite.offered", lambda asked: [case for case in offered(asked) if case.size != 2000]
    )
    bench.baseline_has = lambda case: case.size != 3000
    monkeypatch.setattr("tests.support.fake.offered", offered)
    result = actbench(*OTHER, *PAIR, "-n", "1000,2000,3000", "--format", "json")
    assert result.exit_code == 3
    assert sorted(verdicts(result.stdout).values()) == ["missing"] * 2 + ["new"] * 2 + ["unchanged"] * 2


def test_environments_without_a_common_case_cannot_be_compared(actbench: Actbench, bench: FakeBench) -> None:
    bench.baseline_has = lambda _: False
    result = actbench(*CASES)
    assert result.exit_code == 5
    assert "have no selected case in common" in result.stderr


def test_versions_that_differ_are_told(actbench: Actbench, bench: FakeBench) -> None:
    bench.baseline_versions = bench.baseline_versions | {"numpy": "1.0.0"}
    assert "numpy: 1.0.0 in the baseline, " in actbench(*CASES).stdout


def test_a_name_that_neither_environment_knows_is_bad_input(actbench: Actbench) -> None:
    result = actbench(*OTHER, "-a", "logistic,tahn")
    assert result.exit_code == 2
    assert result.stderr == "actbench: unknown activation 'tahn': did you mean 'tanh'?\n"


# What goes wrong


def test_a_block_that_fails_is_told_and_ends_with_4(actbench: Actbench, bench: FakeBench) -> None:
    def failing(block: Block) -> None:
        if block.size == 2000:
            crash("the control was killed by SIGSEGV")

    bench.on_time = failing
    result = actbench(*CASES)
    assert result.exit_code == 4
    assert result.stderr.endswith("actbench: failed: logistic/derivative/float64/2000 (see above)\n")
    assert result.stdout.count("the control was killed by SIGSEGV") == 1
    assert "2 unchanged" in result.stdout


def test_ctrl_c_prints_the_verdicts_so_far(actbench: Actbench, bench: FakeBench) -> None:
    def interrupt(_: Block) -> None:
        if bench.workers_started > 3 + 2 + 1 + 3 * 5:
            raise KeyboardInterrupt

    bench.on_time = interrupt
    result = actbench(*CASES)
    assert result.exit_code == 130
    assert "4 inconclusive" in result.stdout
    assert "interrupted: these are the verdicts so far" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check",), "name what to compare with"),
        (("check", "latest"), "name what to compare with"),
        (("check", "--against", "other", "--baseline", "old"), "name what to compare with"),
        (("check", "--baseline", "old"), "--baseline needs a RUN to check"),
        (("check", "latest", "--against", "other"), "--against measures both sides itself"),
        (("check", "latest", "--baseline", "old", "-n", "1000"), "leave it out with --baseline"),
        ((*OTHER, "--margins", "5"), "is not a margin of some cases"),
        ((*OTHER, "--margins", "*=much"), "is not a percentage"),
    ],
)
def test_contradictions_are_usage_errors(actbench: Actbench, arguments: tuple[str, ...], said: str) -> None:
    result = actbench(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


# Files and formats


def test_both_sides_and_the_control_are_kept_as_runs(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower(1.1)
    actbench(*CASES, "-o", "kept")
    assert names(Path("kept")) == {"baseline", "candidate", "control"}
    assert all(names(directory) == UNPROBED for directory in Path("kept").iterdir())
    seconds = {}
    for side in ("baseline", "candidate"):
        values = rows(Path("kept", side, "values.csv"))
        seconds[side] = {row["seconds"] for row in values if (row["strategy"], row["size"]) == ("cached", "1000")}
    assert {side: len(found) for side, found in seconds.items()} == {"baseline": 1, "candidate": 1}
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
    found: dict[str, Any] = json.loads(actbench(*CASES, "--format", "json").stdout)
    (cached,) = (case for case in found["cases"] if case["case"] == CACHED)
    assert cached["ratio"] == pytest.approx(1.1)
    assert cached["control"] == pytest.approx({"ratio": 1.0, "low": 1.0, "high": 1.0})
    assert cached["confirmation"] == pytest.approx({"ratio": 1.1, "low": 1.1, "high": 1.1})
    assert (found["too_noisy"], found["failures"]) == (False, [])


def test_a_check_is_written_in_as_many_formats_as_one_likes(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = slower(1.1)
    reports = [f"--report={form}=check.{form}" for form in ("markdown", "junit", "json", "github")]
    result = actbench(*CASES, *reports)
    assert result.exit_code == 1
    assert Path("check.markdown").read_text().startswith("**4 cases, margin 5 %: 1 regressed, 3 unchanged**\n")
    assert 'failures="1"' in Path("check.junit").read_text()
    assert json.loads(Path("check.json").read_text())["cases"]
    assert Path("check.github").read_text().startswith("::error ")
    assert "Against the baseline" in result.stdout


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ("text=check.txt", "write FORMAT=FILE with one of markdown, github, junit, json"),
        ("json", "write FORMAT=FILE"),
        ("json=nowhere/check.json", "--report json=nowhere/check.json: cannot write there"),
    ],
)
def test_a_report_that_cannot_be_is_refused_before_measuring(
    actbench: Actbench, bench: FakeBench, report: str, said: str
) -> None:
    result = actbench(*CASES, "--report", report)
    assert result.exit_code == 2
    assert said in result.stderr
    assert bench.workers_started == 0


def test_a_block_that_loses_a_worker_once_goes_on_and_that_is_told(actbench: Actbench, bench: FakeBench) -> None:
    lost: list[str] = []

    def crash_once(block: Block) -> None:
        if block.size == 2000 and bench.workers_started > 20 and not lost:
            lost.append(block.id)
            crash("the control was killed by SIGKILL")

    bench.on_time = crash_once
    result = actbench(*CASES)
    assert result.exit_code == 0
    assert "4 unchanged" in result.stdout
    assert "logistic/derivative/float64/2000 went on after round " in result.stdout
    assert "the control was killed by SIGKILL" in result.stdout


def test_a_block_whose_first_round_fails_is_measured_later(actbench: Actbench, bench: FakeBench) -> None:
    failed: list[str] = []

    def crash_first(block: Block) -> None:
        if block.size == 2000 and bench.workers_started > 6 and not failed:
            failed.append(block.id)
            crash("the candidate was killed by SIGKILL")

    bench.on_time = crash_first
    result = actbench(*CASES)
    assert result.exit_code == 0
    assert "4 unchanged" in result.stdout


def test_cases_without_an_interval_are_explained(actbench: Actbench) -> None:
    result = actbench(*CASES, "--budget", "3s")
    assert result.exit_code == 3
    assert "4 cases without an interval (?): it takes eight rounds" in result.stdout


def test_margins_that_match_nothing_are_told(actbench: Actbench) -> None:
    shown = actbench(*CASES, "--margins", "*/pyton/*=9").stdout
    assert shown.count("pyton") == 1
    assert "--margins '*/pyton/*' matches no case" in shown


def test_a_verdict_is_told_even_where_nothing_can_be_written_any_more(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.seconds = slower(1.1)
    monkeypatch.setattr("os.fsync", full_disk)
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
