"""What a dry run prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from actbench.planning import presets
from actbench.report.numbers import duration
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.selections import SMALL


def test_a_dry_run_prints_cases_reasons_and_duration_and_writes_nothing(
    actbench: Actbench, bench: FakeBench, tmp_path: Path
) -> None:
    result = actbench(
        *("run", "-a", "logistic", "-s", "cached", "-b", "python,numpy", "-n", "1000,4e6", "-d", "float64"),
        *("--op", "derivative", "--dry-run"),
    )
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "logistic/cached/python/derivative/float64/1000",
        "logistic/cached/numpy/derivative/float64/1000",
        "logistic/cached/numpy/derivative/float64/4000000",
        "",
        (
            "left out 1 case, e.g. logistic/cached/python/derivative/float64/4000000: "
            "one call would take about 0.8 s, above the cap of 0.5 s (--max-call)"
        ),
        "inputs from normal:0,1",
        (
            "3 cases in 2 blocks; about 1 s before the first round, 1 s a round, 6 rounds or more: 6 s to "
            f"{duration(presets.get('default').budget)}"
        ),
    ]
    assert not list(tmp_path.iterdir())
    assert bench.workers_started == 0


@pytest.mark.parametrize("option", ["--affinity", "--threads"])
def test_a_dry_run_refuses_processors_that_are_not_there(actbench: Actbench, option: str) -> None:
    result = actbench("run", "-n", "1000", option, "9999", "--dry-run")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"actbench: {option} 9999: this process may run on ")
    assert "processor" in result.stderr
    assert ": name one of these, or leave it out\n" in result.stderr or ": ask for at most as" in result.stderr
    assert not result.stdout


def test_a_dry_run_predicts_the_rounds_that_were_asked_for(actbench: Actbench) -> None:
    result = actbench("run", *SMALL, "--rounds", "2", "--dry-run")
    assert "6 rounds" not in result.stdout


def test_a_budget_that_cuts_rounds_says_so_before_and_after(actbench: Actbench) -> None:
    few = (*SMALL, "--rounds", "300", "--budget", "1s")
    assert "a round, 300 rounds: as many as fit into 1 s" in actbench("run", *few, "--dry-run").stdout
    cut = " ".join(actbench("run", *few, "-q", "-o", "here").stdout.split())
    assert "3 of 300 rounds: --budget 1 s was too short for more; 'actbench run --resume here --rounds 300'" in cut
    assert "too short for more" not in actbench("run", *SMALL, "--rounds", "3", "--budget", "10m").stdout


def test_without_intervals_none_is_called_wide_and_an_answer_that_is_missing_is_reported_once(
    actbench: Actbench,
) -> None:
    chosen = ("-a", "gelu", "-b", "numpy", "-s", "recompute,intermediate,pair", "-d", "float64", "-n", "1000")
    said = " ".join(actbench("run", *chosen, "--op", "derivative", "--rounds", "2").stdout.split())
    assert said.count("No answer yet (gelu, derivative):") == 1
    assert "? marks a figure without an interval" in said
    assert "wider than the target" not in said


def test_a_dry_run_says_when_the_budget_is_too_small_for_an_interval(actbench: Actbench) -> None:
    assert "; an interval takes 6 rounds, " in actbench("run", "--budget", "1s", "--dry-run").stdout
    assert "an interval takes" not in actbench("run", "--dry-run").stdout


def test_a_larger_cap_lets_slow_cases_in(actbench: Actbench) -> None:
    selection = ("-a", "logistic", "-s", "cached", "-b", "python", "-n", "4e6", "-d", "float64")
    assert actbench("run", *selection, "--dry-run").exit_code == 2
    result = actbench("run", *selection, "--dry-run", "--max-call", "2s")
    assert result.stdout.startswith("logistic/cached/python/derivative/float64/4000000\n")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_dry_run_goes_on_with_no_run(actbench: Actbench, form: str) -> None:
    result = actbench("run", "--resume", "here", "--dry-run", "--format", form)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--dry-run shows a new run: leave --resume out" in result.stderr
