"""What comparisons, charts and exports make of a run with operands in several states."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from actbench.host import environment
from actbench.model.names import OperandState
from actbench.runs.archive import load
from tests.conftest import Actbench
from tests.support.drawn import drawn, layer
from tests.support.exports import export, read_by_asv
from tests.support.fake import FakeBench
from tests.support.selections import PAIR
from tests.support.states import CACHE, IN_STATES, seconds_by_state

WARM, RESIDUALS_COLD, COLD = OperandState


# Comparisons


def compared(actbench: Actbench, *arguments: str) -> list[dict[str, str]]:
    """Return the rows of a comparison."""
    result = actbench("compare", *arguments, "--format", "csv")
    assert result.exit_code == 0, result.stderr
    return [*csv.DictReader(io.StringIO(result.stdout))]


def test_strategies_are_compared_in_each_state(in_states: Actbench) -> None:
    ratios = {(row["group"], row["operands"]): row["ratio"] for row in compared(in_states, "states")}
    assert [float(ratios["numpy", state]) for state in OperandState] == pytest.approx([4.0, 2.0, 1.0])
    assert len(ratios) == 6


def test_states_are_compared_for_each_strategy_and_backend(in_states: Actbench) -> None:
    rows = {(row["group"], row["candidate"]): row for row in compared(in_states, "states", "--by", "operands")}
    assert {row["reference"] for row in rows.values()} == {"warm"}
    assert float(rows["cached/numpy", "residuals-cold"]["ratio"]) == pytest.approx(0.5)
    assert float(rows["cached/numpy-blocked", "cold"]["ratio"]) == pytest.approx(0.2)
    shown = in_states("compare", "states", "--by", "operands", "--reference", "cold", "--format", "markdown").stdout
    assert "| logistic | derivative | cached/numpy | warm / cold | 4.00 ± 0.00 |  | 1 |" in shown
    assert "in different blocks of a round, not side by side" in shown
    assert "Below 1 it is slower: at 0.25 a call takes four times as long." in shown


def test_a_comparison_is_narrowed_to_states(in_states: Actbench) -> None:
    shutil.copytree("states", "other")
    assert {row["operands"] for row in compared(in_states, "states", "--operands", "cold")} == {"cold"}
    two = compared(in_states, "states", "other", "--operands", "cold,warm")
    assert {row["operands"] for row in two} == {"cold", "warm"}


@pytest.mark.parametrize("command", [("compare", "states"), ("plot", "speedup", "states", "-o", "x.svg")])
def test_a_state_that_the_run_does_not_have_is_refused(in_states: Actbench, command: tuple[str, ...]) -> None:
    result = in_states(*command, "--operands", "lukewarm")
    assert result.exit_code == 2
    assert result.stderr == (
        "actbench: --operands lukewarm: the run has no such case; it has warm, residuals-cold, cold\n"
    )


def test_two_runs_are_compared_state_by_state(in_states: Actbench) -> None:
    shutil.copytree("states", "other")
    groups = [(row["by"], row["name"], row["operands"]) for row in compared(in_states, "states", "other")]
    assert groups[-3:] == [("all", "all", state) for state in OperandState]
    by_strategy = compared(in_states, "states", "other", "--by", "strategy")
    assert [(row["name"], row["operands"]) for row in by_strategy if row["by"] == "strategy"] == [
        (strategy, state) for state in OperandState for strategy in ("recompute", "cached")
    ]
    shown = in_states("compare", "states", "other", "--by", "operands", "--format", "markdown").stdout
    assert "| operands | finding | cases |" in shown
    assert "| residuals-cold | undecided | 4 |" in shown
    cases = in_states("compare", "states", "other", "--format", "markdown").stdout
    assert "| geometric mean of 4 cases, operands cold | undecided |" in cases


def test_a_case_that_one_run_lacks_is_of_a_block_with_its_state(in_states: Actbench) -> None:
    assert in_states("run", *IN_STATES[:8], "-n", "10k", "--rounds", "6", "-q", "-o", "warm").exit_code == 0
    shown = in_states("compare", "states", "warm", "--format", "markdown").stdout
    arms = "recompute/numpy, cached/numpy, recompute/numpy-blocked, cached/numpy-blocked"
    assert f"| logistic/derivative/float64/10000/cold | missing | {arms} | 6, 0 |\n" in shown


def test_a_regression_is_that_of_a_state(actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "last_level_cache", lambda _: CACHE)
    selection = (*PAIR, "-n", "10k", "--operands", "warm,cold", "--rounds", "8")
    assert actbench("run", *selection, "-o", "old").exit_code == 0
    bench.seconds = lambda case: seconds_by_state(case) if case.strategy == "cached" else FakeBench.seconds(case)
    assert actbench("run", *selection, "-o", "new").exit_code == 0
    result = actbench("check", "new", "--baseline", "old", "--format", "github")
    assert result.exit_code == 1
    cold = "logistic/cached/numpy/derivative/float64/10000/cold"
    assert [line for line in result.stdout.splitlines() if line.startswith("::error")] == [
        f"::error title=actbench%3A regressed::{cold}: +300.00 %25 ± 0.00 %25, margin 5 %25"
    ]
    junit = actbench("check", "new", "--baseline", "old", "--format", "junit").stdout
    assert f'<testcase name="{cold}" classname="actbench.logistic.derivative" time="0">' in junit


# Charts


@pytest.mark.parametrize("kind", ["speedup", "time", "parts"])
def test_charts_have_a_panel_a_state_side_by_side(in_states: Actbench, kind: str) -> None:
    del in_states
    run = load(Path("states"))
    shown = drawn(kind, run)
    assert [*dict.fromkeys(shown.rows["panel"])] == [f"operands {state}" for state in OperandState]
    assert (shown.spec["columns"], shown.alike) == (3, "logistic, derivative, float64")
    assert " Operands are warm (in cache, " in shown.description
    one = drawn(kind, run, keep=lambda case: case.operands is COLD)
    assert one.alike == "logistic, derivative, float64, operands cold"
    warm = drawn(kind, run, keep=lambda case: case.operands is WARM)
    assert (warm.alike, "perands" in warm.description) == ("logistic, derivative, float64", False)
    (control,) = drawn(kind, run, choose=True).spec["params"]
    assert control["bind"]["options"] == [*OperandState]


def test_the_copy_in_a_panel_is_that_of_its_state(in_states: Actbench) -> None:
    del in_states
    copies = layer(drawn("time", load(Path("states"))), "copy")
    assert dict(zip(copies["operands"], copies["ns"], strict=True)) == {WARM: 0.5, RESIDUALS_COLD: 1.0, COLD: 2.0}


# Other tools


def test_only_operands_that_are_not_warm_are_in_benchstats_names(in_states: Actbench) -> None:
    names = {line.split()[0] for line in export(in_states, "states", "benchstat").splitlines() if "ns/op" in line}
    of = "BenchmarkLogistic/strategy=cached/backend=numpy/op=derivative/dtype=float64/size=10000"
    assert {f"{of}-1", f"{of}/operands=residuals-cold-1", f"{of}/operands=cold-1"} <= names
    assert len(names) == 12


def test_asvs_benchmarks_of_warm_operands_stay_as_they_are_and_others_have_a_parameter_more(
    in_states: Actbench,
) -> None:
    results = read_by_asv(export(in_states, "states", "asv"))
    plain = [["'recompute'", "'cached'"], ["'float64'"], ["10000"]]
    assert {name: columns["params"] for name, columns in results.items() if "blocked" not in name} == {
        "logistic.numpy.time_derivative": plain,
        "logistic.numpy.time_derivative_from_memory": [*plain, ["'residuals-cold'", "'cold'"]],
    }
    assert results["logistic.numpy.time_derivative_from_memory"]["result"] == [4e-5, 4e-5, 2e-5, 4e-5]
    assert in_states("export", "states", "--to", "asv", "--commit", "0" * 40, "-o", "asv").exit_code == 0
    benchmarks: dict[str, Any] = json.loads(Path("asv/benchmarks.json").read_text())
    cold = benchmarks["logistic.numpy.time_derivative_from_memory"]
    assert cold["param_names"] == ["strategy", "dtype", "size", "operands"]
    assert cold["code"] == "actbench show logistic/STRATEGY/numpy/derivative/DTYPE/SIZE/OPERANDS"


def test_a_lone_pyperf_suite_has_the_states(in_states: Actbench) -> None:
    shutil.copy("states/pyperf.json", "suite.json")
    assert len(compared(in_states, "suite.json")) == 6
