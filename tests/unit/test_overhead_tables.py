"""What a run of the overhead ladder writes, and what every command makes of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from actbench import registry
from actbench.analysis.ladder import steps
from actbench.model.cases import OVERHEAD, RUNGS, Arm, Block, KernelId
from actbench.model.names import Dtype, Op
from actbench.model.outcomes import BlockTimes
from actbench.model.plan import Plan
from actbench.model.rule import Rule
from actbench.model.times import Times
from actbench.model.variants import Variant
from tests.conftest import Actbench
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.rungs import NUMPY, every_rung
from tests.support.selections import UNPROBED, names, rows
from tests.unit.conftest import MeasuredOnce

TABLE = """
Overhead ladder: float64
Nanoseconds per call, and in brackets what a rung adds to the one before it, from paired values and \
not from the columns: ≈ 0 where the interval includes 0,\u0020
nothing where there is no interval.
backend    n        empty                    dispatch              allocation            loop           arithmetic
──────────────────────────────────────────────────────────────────────────────────────────────────────────────────
numpy     16   30.0 ± 0.0   100.0 ± 0.0 (+70.0 ± 0.0)   150 ± 0 (+50.0 ± 0.0)   150 ± 0 (≈ 0)   400 ± 0 (+250 ± 0)
"""


def test_exact_times_give_an_exact_ladder_and_no_other_table(actbench: Actbench) -> None:
    result = actbench("run", *NUMPY, "-o", "here")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(TABLE)
    markdown = Path("here/summary.md").read_text()
    assert "### Overhead ladder: float64" in markdown
    assert "| numpy | 16 | 30.0 ± 0.0 | 100.0 ± 0.0 (+70.0 ± 0.0) | 150 ± 0 (+50.0 ± 0.0) | 150 ± 0 (≈ 0) |" in markdown
    assert not [other for other in ("Speedup over", "Time:", "What a strategy costs") if other in markdown]


def test_the_files_have_rungs_like_any_case(actbench: Actbench) -> None:
    assert actbench("run", *NUMPY, "-o", "here").exit_code == 0
    assert names(Path("here")) == UNPROBED
    cases = {row["strategy"]: row for row in rows(Path("here/cases.csv"))}
    assert list(cases) == [*RUNGS, "yardstick"]
    assert {row["residual_bytes_per_element"] for row in cases.values()} == {"0"}
    assert {
        name: row["max_ulp"] for name, row in cases.items() if name not in {"arithmetic", "yardstick"}
    } == dict.fromkeys(RUNGS.keys() - {"arithmetic"}, "0")
    assert 0 < float(cases["arithmetic"]["max_ulp"]) <= 2
    pairs = {
        (row["reference_strategy"], row["candidate_strategy"]): row["ratio"] for row in rows(Path("here/speedups.csv"))
    }
    assert pairs["dispatch", "arithmetic"] == "0.25"


def test_a_rung_is_shown_over_the_one_before_it_that_was_measured(actbench: Actbench) -> None:
    result = actbench("run", *NUMPY, "-s", "empty,loop")
    assert "150 ± 0 (+120 ± 0)" in result.stdout


def test_without_intervals_the_ladder_says_so_and_nothing_of_what_a_rung_adds(actbench: Actbench) -> None:
    line = actbench("run", *NUMPY, "--rounds", "2").stdout.partition("numpy  ")[2].partition("\n")[0]
    assert "100 ?" in line
    assert "(" not in line


def test_a_rung_that_is_cheaper_than_the_one_before_it_adds_less_than_nothing(
    actbench: Actbench, bench: FakeBench
) -> None:
    bench.seconds = lambda case: exact_seconds(case) * (0.5 if case.strategy == "loop" else 1.0)
    assert "75.0 ± 0.0 (-75.0 ± 0.0)" in actbench("run", *NUMPY).stdout


def test_drift_that_two_rungs_share_is_in_neither_of_their_differences() -> None:
    arms = (Arm(Variant("empty"), "numpy"), Arm(Variant("empty"), "numba"), Arm(Variant("dispatch"), "numpy"))
    block = Block(OVERHEAD, Op.DERIVATIVE, Dtype.FLOAT64, 16, arms)
    drift = [0.0, 5.0, 1.0, 7.0, 3.0, 9.0, 2.0]
    finished = [
        BlockTimes(block, number, ((1 + factor, 2 + factor), (9.0,), (4 + factor, 5 + factor), (1.0,)))
        for number, factor in enumerate(drift, start=1)
    ]
    lowest, other, dispatch = steps(Times(Plan((block,), seed=1), finished), block)
    assert (lowest.added, other.added) == (None, None)
    assert dispatch.added == pytest.approx((3.0, 3.0, 3.0))
    assert dispatch.seconds.high > dispatch.seconds.low


def test_derivatives_and_rungs_of_one_run_have_tables_of_their_own(actbench: Actbench) -> None:
    result = actbench(
        *("run", "-a", "logistic,overhead", "-s", "recompute,cached,empty,loop", "-b", "numpy", "-n", "16"),
        *("-d", "float64", "-o", "here"),
    )
    assert result.exit_code == 0, result.output
    titles = [line for line in Path("here/summary.md").read_text().splitlines() if line.startswith("### ")]
    assert titles == [
        "### Speedup over recompute: logistic, derivative",
        "### Time: logistic, derivative",
        "### Bottleneck: logistic, derivative",
        "### What a strategy costs",
        "### Overhead ladder: float64",
    ]
    assert result.stdout.startswith("logistic, derivative: reusing the cached output is faster")


COMMANDS = [
    ("compare", "here"),
    ("compare", "here", "--by", "backend"),
    ("compare", "here", "--by", "size"),
    ("compare", "here", "there"),
    ("check", "here", "--baseline", "there"),
    ("check", "--against", ".venv", "--preset", "overhead", "-n", "16"),
    ("run", "--resume", "here", "--rounds", "8"),
    ("run", "--preset", "overhead", "--dry-run"),
    ("list", "cases", "--preset", "overhead"),
    ("list", "presets"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_takes_such_a_run(
    actbench: Actbench, measured_once: MeasuredOnce, words: tuple[str, ...]
) -> None:
    measured_once({}, "--preset", "overhead", "-b", "numpy,numba", "-n", "16,99", "--seed", "1", "-o", "here")
    shutil.copytree("here", "there")
    result = actbench(*words)
    assert result.exit_code == 0, result.output


def test_every_export_takes_such_a_run(actbench: Actbench) -> None:
    assert actbench("run", *NUMPY, "-o", "here").exit_code == 0
    for form in ("bmf", "benchstat", "github-action-benchmark"):
        result = actbench("export", "here", "--to", form)
        assert result.exit_code == 0, result.output
        assert "dispatch" in result.stdout


@every_rung
def test_show_prints_the_code_of_a_rung(actbench: Actbench, of: KernelId) -> None:
    shown = actbench("show", of.at(16).id).stdout
    assert shown.startswith(f"{of.at(16).id}\na rung of the overhead ladder: {RUNGS[of.strategy]}\n")
    step: Any = registry.backends()[of.backend].ladder[of.strategy]
    function = step.derivative if isinstance(step, Rule) else step
    assert f"def {function.__name__}(" in shown
    assert ("\ncompiled\n" in shown) == (of.backend.startswith("numba") and isinstance(step, Rule))


def test_a_ladder_without_a_counterpart_is_not_regrouped_with_arms_of_another_activation() -> None:
    arms = (Arm(Variant("loop"), "numpy"),)
    block = Block(OVERHEAD, Op.DERIVATIVE, Dtype.FLOAT64, 16, arms)
    assert block.id == "overhead/derivative/float64/16"
    assert [case.id for case in block.timed] == [
        "overhead/loop/numpy/derivative/float64/16",
        "overhead/yardstick/numpy/derivative/float64/16",
    ]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (("-a", "overhead"), "'overhead' has rungs in place of strategies: add -s empty,dispatch"),
        (("-a", "overhead,logistic"), "'overhead' has rungs in place of strategies"),
        (("-s", "loop,cached"), "'loop' is a rung of the overhead ladder: add -a overhead, or use --preset overhead"),
        (("--preset", "overhead", "-a", "logistic"), "'empty' is a rung of the overhead ladder"),
        (("--preset", "overhead", "-a", "overhead,logistic"), "'logistic' has strategies in place of rungs"),
    ],
)
@pytest.mark.parametrize("command", [("run",), ("check", "--against", ".venv")], ids=["run", "check"])
def test_a_part_of_a_selection_does_not_go_without_a_word(
    actbench: Actbench, command: tuple[str, ...], chosen: tuple[str, ...], message: str
) -> None:
    result = actbench(*command, *chosen)
    assert result.exit_code == 2
    assert message in result.stderr
