"""What a run says of operands in several states: side by side, and never as one figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from actbench.analysis.interval import Interval
from actbench.analysis.speedups import Speedup
from actbench.host import environment
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op, OperandState
from actbench.model.variants import Variant
from actbench.report.answers import answers
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.selections import PAIR, SMALL, rows
from tests.support.states import CACHE, seconds_by_state

WARM, RESIDUALS_COLD, COLD = OperandState


def summary(actbench: Actbench, *arguments: str) -> str:
    """Measure with times that depend on the state, and return summary.md."""
    result = actbench("run", *arguments, "-q", "-o", "here")
    assert result.exit_code == 0, result.output
    return Path("here/summary.md").read_text()


def table(text: str, title: str) -> list[list[str]]:
    """Return the cells of a table in Markdown, its head first."""
    lines = text.partition(f"### {title}")[2].partition("\n### ")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [row for row in cells if not row[0].startswith("---")]


# The answer


def test_the_answer_has_the_states_side_by_side(in_states: Actbench) -> None:
    del in_states
    assert (
        "\nlogistic, derivative: reusing the cached output is faster than recomputing in 4 of 6 comparisons, slower in "
        "1, undecided in 1. Times faster at n = 10\u202f000 with warm operands / residuals from memory / all operands "
        "from memory: numpy 4.0 / 2.0 / 1.00 (undecided); numpy-blocked 4.0 / 2.0 / 0.80.\n"
    ) in Path("states/summary.md").read_text()


def test_one_state_that_is_not_warm_is_named(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.seconds = seconds_by_state
    monkeypatch.setattr(environment, "last_level_cache", lambda _: CACHE)
    text = summary(actbench, *PAIR, "-n", "10k", "--operands", "residuals-cold")
    assert (
        "\nlogistic, derivative, operands residuals-cold: reusing the cached output is faster than recomputing in 1 of "
        "1 comparison (2.0 times with numpy).\n"
    ) in text
    assert table(text, "Speedup") == [
        ["backend", "dtype", "operands", "n", "cached"],
        ["numpy", "float64", "residuals-cold", "10\u202f000", "2.00 ± 0.00"],
    ]


def test_a_warm_run_says_nothing_of_states(actbench: Actbench) -> None:
    text = summary(actbench, *SMALL, "--operands", "warm")
    assert "operands |" not in text
    assert "Operands" not in text


def speedup(ratio: float, state: OperandState, *, size: int = 1000, activation: str = "logistic") -> Speedup:
    """Return a speedup that is certain."""
    of = [
        KernelId(activation, Variant(strategy), "numpy", Op.DERIVATIVE, Dtype.FLOAT64).at(size, state)
        for strategy in ("recompute", "cached")
    ]
    return Speedup(of[0], of[1], Interval(ratio, ratio, ratio), 6, 0.0)


def test_states_without_a_size_in_common_have_an_answer_each() -> None:
    lines = [*answers([speedup(4.0, WARM), speedup(2.0, COLD, size=2000)], "")]
    faster = "reusing the cached output is faster than recomputing in 1 of 1 comparison"
    assert lines == [
        f"logistic, derivative: {faster} (4.0 times with numpy).",
        f"logistic, derivative, operands cold: {faster} (2.0 times with numpy).",
    ]


def test_only_sizes_that_every_state_has_are_side_by_side() -> None:
    (line,) = answers([speedup(9.0, WARM), speedup(4.0, WARM, size=2000), speedup(2.0, COLD, size=2000)], "")
    assert line.endswith(" at n = 2\u202f000 with warm operands / all operands from memory: numpy 4.0 / 2.0.")


def test_the_answer_over_all_has_a_range_for_each_state() -> None:
    pairs = [speedup(ratio, state, activation=name) for name in "abcd" for ratio, state in ((4.0, WARM), (2.0, COLD))]
    assert next(answers(pairs, "")) == (
        "Over a, b, c, d, reusing the cached output is faster than recomputing in 8 of 8 comparisons (4.0 times with "
        "warm operands, 2.0 times with all operands from memory)."
    )


# Tables and files


@pytest.mark.parametrize(
    ("title", "numpy", "blocked"),
    [("Speedup", [4.0, 2.0, 1.0], [4.0, 2.0, 0.8]), ("Time", [1.0, 2.0, 4.0], [0.8, 1.6, 4.0])],
)
def test_tables_have_a_row_a_state(in_states: Actbench, title: str, numpy: list[float], blocked: list[float]) -> None:
    del in_states
    head, *body = table(Path("states/summary.md").read_text(), title)
    assert head[:4] == ["backend", "dtype", "operands", "n"]
    assert [(row[0], row[2]) for row in body] == [
        (backend, state) for backend in ("numpy", "numpy-blocked") for state in OperandState
    ]
    assert [float(row[-1].partition(" ")[0]) for row in body] == [*numpy, *blocked]


def test_rates_are_of_what_comes_from_memory(in_states: Actbench) -> None:
    """The copy takes 0.5, 1 and 2 ns: it moves two arrays from or to memory if these are cold, else one."""
    del in_states
    rates = {
        (row["backend"], row["operands"]): float(row["copy_limit_pct"])
        for row in rows(Path("states/cases.csv"))
        if row["strategy"] == "cached"
    }
    assert rates == {
        ("numpy", "warm"): 50.0,
        ("numpy", "residuals-cold"): 50.0,
        ("numpy", "cold"): 25.0,  # the result that it allocates is in cache
        ("numpy-blocked", "warm"): 62.5,
        ("numpy-blocked", "residuals-cold"): 62.5,
        ("numpy-blocked", "cold"): 50.0,
    }


@pytest.mark.parametrize(("op", "rate"), [("backward", "50"), ("step", "")])
def test_with_cold_residuals_dy_counts_for_nothing_and_a_step_has_no_rate(
    actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch, op: str, rate: str
) -> None:
    bench.seconds = seconds_by_state
    monkeypatch.setattr(environment, "last_level_cache", lambda _: CACHE)
    summary(actbench, *PAIR, "-n", "10k", "--operands", "residuals-cold", "--op", op)
    (cached,) = [row for row in rows(Path("here/cases.csv")) if row["strategy"] == "cached"]
    assert cached["copy_limit_pct"] == rate


def test_the_summary_explains_the_states_and_which_results_are_in_cache(in_states: Actbench) -> None:
    del in_states
    text = Path("states/summary.md").read_text()
    assert "- Operands are warm (in cache, as far as they fit" in text
    assert "again after others of 2 times the capacity of the last-level cache, which is 1 MiB." in text
    assert "- numpy: results of calls on cold operands lie where they are allocated, as a rule in cache." in text


def test_crossovers_are_those_of_a_state(actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.seconds = seconds_by_state
    monkeypatch.setattr(environment, "last_level_cache", lambda _: CACHE)
    text = summary(actbench, *PAIR, "-n", "10k,20k,30k,40k", "--operands", "warm,cold")
    assert "logistic, derivative, float64, numpy: no crossover from n = 10k to 40k: caching is faster" in text
    alike = "no difference as large as 10 % from n = 10k to 40k."
    assert f"\nlogistic, derivative, float64, numpy, operands cold: {alike}\n" in text
    head, *body = table(text, "Crossovers")
    assert (head[3], [row[3] for row in body]) == ("operands", ["warm", "cold"])
