"""How states of operands are listed, shown, refused and set."""

from __future__ import annotations

from pathlib import Path

import pytest

from actbench.host import environment
from actbench.model.names import OperandState
from tests.conftest import Actbench
from tests.support.selections import PAIR, SMALL
from tests.support.states import CACHE


def test_states_are_listed_with_their_meaning(actbench: Actbench) -> None:
    lines = [line.split(maxsplit=1) for line in actbench("list", "operands").stdout.splitlines()]
    assert lines == [[state, state.meaning] for state in OperandState]


def test_show_tells_where_operands_and_results_lie(actbench: Actbench) -> None:
    case = "logistic/cached/numpy/step/float64/10000/cold"
    shown = actbench("show", case).stdout
    assert shown.startswith(f"{case}\n")
    assert "\noperands cold: all in memory\n" in shown
    assert "\na step is two calls: a forward pass on the next set, and a backward pass " in shown
    assert (
        "\nnumpy allocates its results, as a rule where the last one lay, in cache; what the forward pass keeps"
        in shown
    )
    assert "\nforward pass, executed by numpy: " in shown
    assert "\nbackward pass, executed by the same\n    def backward(formula: Formula)" in shown
    assert "operands" not in actbench("show", case.removesuffix("/cold")).stdout.partition("\nforward\n")[0]


def test_show_refuses_a_cold_rung(actbench: Actbench) -> None:
    result = actbench("show", "overhead/loop/numpy/derivative/float64/16/cold")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "/cold does not exist: the overhead ladder shows what a call costs besides memory" in result.stderr


def test_stock_pyperf_is_refused_cold_operands_that_are_named(actbench: Actbench) -> None:
    result = actbench("run", "--engine", "pyperf", "--operands", "warm,cold", "--dry-run")
    assert result.exit_code == 2
    assert (
        "Error: --operands cold: stock pyperf (--engine pyperf) measures warm operands only: write --operands warm, or "
        "leave --engine out\n"
    ) in result.stderr


def test_stock_pyperf_leaves_cold_operands_of_a_preset_out(actbench: Actbench) -> None:
    result = actbench("run", "--engine", "pyperf", "-b", "numpy", "-s", "cached", "-d", "float64", "--dry-run")
    assert result.exit_code == 0
    assert "/cold\n" not in result.stdout
    assert "/residuals-cold: stock pyperf (--engine pyperf) measures warm operands only\n" in result.stdout


def test_states_that_are_set_give_way_to_stock_pyperf(actbench: Actbench) -> None:
    Path("actbench.toml").write_text('operands = ["cold"]\n')
    result = actbench("run", "--engine", "pyperf", *SMALL, "--dry-run")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("logistic/recompute/numpy/derivative/float64/1000\n")


def test_settings_name_states(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "last_level_cache", lambda _: CACHE)
    Path("actbench.toml").write_text('operands = ["cold"]\n')
    listed = actbench("list", "cases", *PAIR[:-2], "-n", "10k").stdout.splitlines()
    assert [line.rpartition("/")[2] for line in listed] == ["cold", "cold"]
    monkeypatch.setenv("ACTBENCH_OPERANDS", "warm,cold")
    assert len(actbench("list", "cases", *PAIR[:-2], "-n", "10k").stdout.splitlines()) == 4
