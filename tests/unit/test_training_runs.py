"""What commands make of a run of training steps that is there: they compare, check and export it, or refuse."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from actbench.analysis.interval import Interval
from actbench.analysis.within_run import Comparison
from actbench.model.names import OperandState
from actbench.report import compared_axis
from tests.conftest import Actbench, run_in
from tests.support.compared import scaled
from tests.support.exact_times import exact_seconds
from tests.support.steps import STEP

FEW = (*STEP, "--batch", "16", "-s", "recompute,cached,free")

EXACT = Interval(1.0, 0.99, 1.01)

BOUND = "copies dy in place of dy g'(z): the limit of what"


@pytest.fixture(scope="module")
def two_measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with two runs, ``one`` and ``two``, in which keeping y takes 1.2 times as long."""
    directory = tmp_path_factory.mktemp("two")
    run_in(directory, "train", *FEW, "-o", "one", seconds=exact_seconds)
    run_in(directory, "train", *FEW, "-o", "two", seconds=scaled(cached=1.2))
    return directory


@pytest.fixture
def two(actbench: Actbench, two_measured: Path) -> Actbench:
    """Return the command line beside copies of both."""
    shutil.copytree(two_measured, Path.cwd(), symlinks=True, dirs_exist_ok=True)
    return actbench


def test_strategies_of_steps_are_compared_with_the_bound_named(two: Actbench) -> None:
    result = two("compare", "one", "--format", "markdown")
    assert (
        "| logistic | dense:16-8 | numpy | cached / recompute | 1.03 ± 0.00 | 1.03 to 1.03 | 2 | 7 |" in result.stdout
    )
    assert "| logistic | dense:16-8 | numpy | free (bound) / recompute | 1.04 ± 0.00 |" in result.stdout
    assert BOUND in result.stdout
    assert "per row of a batch" in result.stdout


def test_a_comparison_within_a_run_of_steps_begins_with_its_answer(two: Actbench) -> None:
    answer = Path("one/summary.md").read_text(encoding="utf-8").split("\n\n")[1]
    assert "keeping y (cached)" in answer
    assert " ".join(two("compare", "one").stdout.split()).startswith(answer)


def test_backends_that_run_formulas_op_by_op_are_named_under_a_comparison() -> None:
    strategies = ("gelu", "ffn:8-32", "torch", OperandState.WARM, "recompute", "cached", 1, EXACT, 1.0, 1.0, 8)
    backends = ("gelu", "ffn:8-32", "cached", OperandState.WARM, "numpy", "jax", 1, EXACT, 1.0, 1.0, 8)
    note = "With torch, strategies may be the formula run op by op, as no user does; shipped is its own."
    assert note in compared_axis.table([Comparison(*strategies)], "strategy").note
    assert "op by op" not in compared_axis.table([Comparison(*backends)], "backend").note


def test_batches_are_compared_per_row(two: Actbench) -> None:
    result = two("compare", "one", "--by", "size", "--format", "markdown")
    assert "### By batch" in result.stdout
    assert "| logistic | dense:16-8 | cached/numpy | 16 / 8 | 1.00" in result.stdout
    assert "element" not in result.stdout


def test_two_runs_of_steps_are_compared_and_checked(two: Actbench) -> None:
    compared = two("compare", "one", "two")
    assert "6 cases in both runs: 2 slower, 4 undecided" in compared.stdout
    assert BOUND in " ".join(compared.stdout.split())
    checked = two("check", "two", "--baseline", "one")
    assert checked.exit_code == 1
    assert "4 cases, margin 5 %: 2 regressed, 2 unchanged" in checked.stdout
    assert "free" not in checked.stdout, "it is wrong by design"


def test_steps_that_update_differently_are_not_compared(two: Actbench) -> None:
    assert two("train", *FEW, "--optimizer", "adam", "-o", "adam").exit_code == 0
    result = two("compare", "one", "adam")
    assert result.exit_code == 5
    assert "the steps of one update by sgd, those of adam by adam: measure both with the same" in result.stderr


def test_steps_of_unlike_numbers_of_threads_are_not_compared(two: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    assert two("train", *FEW, "--threads", "2", "-o", "threads").exit_code == 0
    for command in (("compare", "one", "threads"), ("check", "threads", "--baseline", "one")):
        result = two(*command)
        assert result.exit_code == 5
        assert "the steps of one have --threads 1, those of threads 2: measure both with the same" in result.stderr


def test_steps_are_exported_in_time_per_call(two: Actbench) -> None:
    latency = json.loads(two("export", "one", "--to", "bmf").stdout)["logistic/cached/numpy/dense:16-8/float32/8"]
    assert latency["latency"]["value"] == 776_000.0
    lines = two("export", "one", "--to", "benchstat").stdout
    assert "BenchmarkLogistic/strategy=cached/backend=numpy/op=dense%3A16-8/dtype=float32/size=8-1 " in lines
    assert two("export", "one", "--to", "github-action-benchmark").exit_code == 0
    commit = "0123456789012345678901234567890123456789"
    assert two("export", "one", "--to", "asv", "--commit", commit, "-o", "asv").exit_code == 0


def test_the_page_of_two_runs_compares_their_steps(two: Actbench) -> None:
    assert two("report", "one", "two", "-o", "two.html").exit_code == 0
    assert "6 cases in both runs: 2 slower, 4 undecided" in Path("two.html").read_text(encoding="utf-8")


def test_a_run_of_derivatives_and_one_of_steps_have_nothing_in_common(two: Actbench) -> None:
    chosen = ("-a", "logistic", "-b", "numpy", "-s", "recompute,cached", "-n", "1000", "--rounds", "1")
    assert two("run", *chosen, "-o", "derivatives").exit_code == 0
    result = two("compare", "one", "derivatives")
    assert result.exit_code == 5
    assert "have no measured case in common" in result.stderr
