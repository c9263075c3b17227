from __future__ import annotations

import io
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actbench import activations
from actbench.formula import Formulas
from actbench.model.cases import Block, Case
from actbench.planning import presets
from actbench.report.numbers import duration
from tests.conftest import Actbench
from tests.support.fake import FakeBench, crash, exact_seconds
from tests.support.selections import FILES, SMALL, SPEEDUPS, TWO_BLOCKS, names, record, rows


def noisy(spread: float) -> Any:
    """Return times that scatter by so much, the same every time."""
    generator = random.Random(7)  # noqa: S311
    return lambda case: exact_seconds(case) * (1 + spread * generator.uniform(-1, 1))


# What is written and printed


CASES = """\
activation,strategy,backend,op,dtype,size,seconds,low,high,rounds,loops,ns_per_element,gb_per_s,copy_limit_pct,copy_limit_low_pct,copy_limit_high_pct,residual_bytes_per_element,max_ulp,processor_pct
logistic,recompute,numpy,derivative,float64,1000,4e-06,4e-06,4e-06,6,128,4,4,12.5,12.5,12.5,8,,100
logistic,cached,numpy,derivative,float64,1000,1e-06,1e-06,1e-06,6,512,1,16,50,50,50,8,,100
logistic,yardstick,numpy,derivative,float64,1000,5e-07,5e-07,5e-07,6,1024,0.5,32,100,100,100,0,,100
"""

PRINTED = """\
logistic, derivative: reusing the cached output is faster than recomputing in 1 of 1 comparison (4.0 times with numpy).

Speedup over recompute: logistic, derivative
Times faster than recompute on the same backend, measured side by side; below 1 it is slower.
backend   dtype         n        cached
───────────────────────────────────────
numpy     float64   1\u202f000   4.00 ± 0.00

Time: logistic, derivative
Nanoseconds per element, and in brackets the rate of moving the operands as a percentage of a plain copy's, whose \
interval is in cases.csv; only where it is\u0020
known that the case's call takes less than half of its time, and the copy's less than two thirds.
backend   dtype         n            recompute               cached
───────────────────────────────────────────────────────────────────
numpy     float64   1\u202f000   4.00 ± 0.00 (12 %)   1.00 ± 0.00 (50 %)

What bounds it: logistic, derivative
dispatch: half of the time is spent on one element as well; memory: a copy of the operands takes half of the time, or\
"""

MARKDOWN = """\
# actbench: derivatives by re-evaluating exponentials, or from cached activations

logistic, derivative: reusing the cached output is faster than recomputing in 1 of 1 comparison (4.0 times with numpy).

### Speedup over recompute: logistic, derivative

Times faster than `recompute` on the same backend, measured side by side; below 1 it is slower.

| backend | dtype | n | cached |
| --- | --- | ---: | ---: |
| numpy | float64 | 1\u202f000 | 4.00 ± 0.00 |

### Time: logistic, derivative

Nanoseconds per element, and in brackets the rate of moving the operands as a percentage of a plain copy's, whose \
interval is in cases.csv; only where it is known that the case's call takes less than half of its time, and the \
copy's less than two thirds.

| backend | dtype | n | recompute | cached |
| --- | --- | ---: | ---: | ---: |
| numpy | float64 | 1\u202f000 | 4.00 ± 0.00 (12 %) | 1.00 ± 0.00 (50 %) |
"""


def test_exact_times_give_exact_files_and_tables(actbench: Actbench) -> None:
    result = actbench("run", *SMALL, "-o", "here")
    assert result.exit_code == 0
    cases = Path("here/cases.csv").read_text().splitlines(keepends=True)
    without_ulp = [cases[0], *(",".join([*line.split(",")[:-2], "", line.split(",")[-1]]) for line in cases[1:])]
    assert "".join(without_ulp) == CASES
    assert Path("here/speedups.csv").read_text() == SPEEDUPS
    assert result.stdout.startswith(PRINTED)
    assert Path("here/summary.md").read_text().startswith(MARKDOWN)
    assert result.stderr == "\nwritten to here\n"


def test_the_accuracy_of_every_case_is_given_and_the_yardstick_has_none(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "1")
    recompute, cached, yardstick = rows(Path("here/cases.csv"))
    assert 0.5 < float(recompute["max_ulp"]) < 8
    assert float(cached["max_ulp"]) > 1e6
    assert yardstick["max_ulp"] == ""


def test_every_value_is_a_row(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "here", "--rounds", "2")
    lines = Path("here/values.csv").read_text().splitlines()
    assert lines[:2] == [
        "activation,strategy,backend,op,dtype,size,round,value,loops,seconds,processor",
        "logistic,recompute,numpy,derivative,float64,1000,1,0,128,4e-06,1",
    ]
    calibrations = record(Path("here"))["calibrations"]
    assert len(lines) - 1 == 2 * sum(calibrations["logistic/derivative/float64/1000"]["values"])


def test_a_ratio_is_the_reference_s_seconds_over_the_candidate_s(actbench: Actbench) -> None:
    actbench(
        *("run", "-a", "logistic", "-b", "numpy,numba", "-s", "textbook,recompute,cached,complement"),
        *("-n", "1000", "-d", "float64", "--rounds", "1", "-o", "here"),
    )
    seconds = {(row["strategy"], row["backend"]): float(row["seconds"]) for row in rows(Path("here/cases.csv"))}
    speedups = rows(Path("here/speedups.csv"))
    assert len(speedups) == 2 * 6 + 4
    for row in speedups:
        reference = seconds[row["reference_strategy"], row["reference_backend"]]
        candidate = seconds[row["candidate_strategy"], row["candidate_backend"]]
        assert float(row["ratio"]) == pytest.approx(reference / candidate, rel=1e-8)


def test_a_run_is_seven_files_and_the_latest_is_linked(actbench: Actbench) -> None:
    actbench("run", *SMALL, "--rounds", "1")
    latest = Path("results/latest")
    assert latest.is_symlink()
    assert names(latest) == FILES
    assert names(Path("results")) == {"latest", ".newest", latest.resolve().name}


def test_a_run_elsewhere_is_not_the_latest(actbench: Actbench) -> None:
    actbench("run", *SMALL, "--rounds", "1", "-o", "here")
    assert names(Path("here")) == FILES
    assert not Path("results").exists()


def test_a_run_with_overflowing_textbook_formulas_can_be_read_back(actbench: Actbench) -> None:
    actbench("run", "-a", "tanh", "-b", "numpy", "-n", "1000", "-d", "float64", "--rounds", "1", "-o", "here")
    result = actbench("compare", "here")
    assert result.exit_code == 0, result.output
    assert actbench("run", "--resume", "here", "--rounds", "2").exit_code == 0


# When it stops


def test_exact_times_reach_the_target_with_six_rounds(actbench: Actbench) -> None:
    actbench("run", *SMALL, "-o", "here")
    assert {row["rounds"] for row in rows(Path("here/speedups.csv"))} == {"6"}


def test_scattering_times_take_more_rounds_until_the_target_is_reached(actbench: Actbench, bench: FakeBench) -> None:
    def seconds(case: Case) -> float:
        scatter = random.Random(f"{bench.workers_started}/{case.id}").uniform(-0.1, 0.1)  # noqa: S311
        return exact_seconds(case) * (1 + scatter)

    bench.seconds = seconds
    actbench("run", *SMALL, "-o", "here", "--target", "3")
    (row,) = rows(Path("here/speedups.csv"))
    assert int(row["rounds"]) > 6
    ratio, low, high = (float(row[name]) for name in ("ratio", "low", "high"))
    assert max(high - ratio, ratio - low) / ratio <= 0.03


@pytest.mark.parametrize("number", [1, 2, 5, 6, 9])
def test_so_many_rounds_are_exactly_so_many(actbench: Actbench, number: int) -> None:
    actbench("run", *TWO_BLOCKS, "-o", "here", "--rounds", str(number))
    assert {row["rounds"] for row in rows(Path("here/cases.csv"))} == {str(number)}


def test_fewer_than_six_rounds_give_no_interval_and_nothing_is_called_faster(actbench: Actbench) -> None:
    result = actbench("run", *SMALL, "-o", "here", "--rounds", "5")
    (row,) = rows(Path("here/speedups.csv"))
    assert (row["low"], row["high"]) == ("", "")
    assert "4.00 ?" in result.stdout
    assert "logistic, derivative: no answer yet. An interval takes 6 rounds" in result.stdout
    assert "? marks a figure without an interval: that takes 6 rounds." in result.stdout


def test_an_interval_that_holds_1_is_marked_and_not_called_faster(actbench: Actbench, bench: FakeBench) -> None:
    scatter = noisy(0.2)
    bench.seconds = lambda case: 1e-6 * scatter(case) / exact_seconds(case)
    result = actbench("run", *SMALL, "-o", "here", "--rounds", "8")
    (row,) = rows(Path("here/speedups.csv"))
    assert float(row["low"]) < 1 < float(row["high"])
    assert "in 0 of 1 comparison, undecided in 1." in result.stdout
    (line,) = [line for line in result.stdout.splitlines() if line.endswith("≈")]
    assert line.startswith("numpy     float64")


def test_a_slower_cache_is_called_slower(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = lambda case: exact_seconds(case) * (8 if case.strategy == "cached" else 1)
    result = actbench("run", *SMALL, "-o", "here")
    assert "in 0 of 1 comparison, slower in 1." in result.stdout
    assert "0.500 ± 0.000" in result.stdout


def test_a_budget_is_kept(actbench: Actbench, bench: FakeBench) -> None:
    scatter = noisy(0.5)
    bench.seconds = scatter
    actbench("run", *SMALL, "-o", "here", "--target", "0.01", "--budget", "1s")
    assert bench.clock.now <= 1.0
    assert int(rows(Path("here/speedups.csv"))[0]["rounds"]) > 1
    assert record(Path("here"))["seconds"] == pytest.approx(bench.clock.now)


def test_a_budget_too_small_for_a_round_measures_one_and_is_told_beforehand(actbench: Actbench) -> None:
    result = actbench("run", *SMALL, "-o", "before", "--budget", "1s")
    assert result.stderr.startswith("--budget 1 s may be too short: an interval takes 6 rounds, ")
    actbench("run", *SMALL, "-o", "here", "--budget", "1ms")
    assert {row["rounds"] for row in rows(Path("here/cases.csv"))} == {"1"}


def test_the_same_seed_gives_the_same_order_of_blocks(actbench: Actbench, bench: FakeBench) -> None:
    orders: list[list[str]] = []
    for name in ("one", "two"):
        order: list[str] = []
        bench.on_time = lambda block, order=order: order.append(block.id)  # type: ignore[misc]
        actbench("run", *TWO_BLOCKS, "-o", name, "--rounds", "2")
        orders.append(order)
    assert orders[0] == orders[1]


# A dry run


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
        f"3 cases in 2 blocks; about 2 s a round, 6 rounds or more: 12 s to {duration(presets.get('default').budget)}",
    ]
    assert not list(tmp_path.iterdir())
    assert bench.workers_started == 0


@pytest.mark.parametrize("option", ["--affinity", "--threads"])
def test_a_dry_run_refuses_processors_that_are_not_there(actbench: Actbench, option: str) -> None:
    result = actbench("run", "-n", "1000", option, "9999", "--dry-run")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"actbench: {option} 9999: this process may run on ")
    assert not result.stdout


def test_a_dry_run_predicts_the_rounds_that_were_asked_for(actbench: Actbench) -> None:
    result = actbench("run", *SMALL, "--rounds", "2", "--dry-run")
    assert "6 rounds" not in result.stdout


def test_a_budget_that_cuts_rounds_says_so_before_and_after(actbench: Actbench) -> None:
    few = (*SMALL, "--rounds", "300", "--budget", "1s")
    assert "a round, 300 rounds: as many as fit into 1 s" in actbench("run", *few, "--dry-run").stdout
    assert "\n4 of 300 rounds: there was no budget for more.\n" in actbench("run", *few, "-q").stdout
    assert "no budget for more" not in actbench("run", *SMALL, "--rounds", "3", "--budget", "10m").stdout


def test_without_intervals_none_is_called_wide_and_an_answer_that_is_missing_is_told_once(actbench: Actbench) -> None:
    chosen = ("-a", "gelu", "-b", "numpy", "-s", "recompute,intermediate,pair", "-d", "float64", "-n", "1000")
    said = " ".join(actbench("run", *chosen, "--op", "derivative", "--rounds", "2").stdout.split())
    assert said.count("gelu, derivative: no answer yet.") == 1
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


# What goes wrong


def test_a_crash_costs_its_block_only_and_is_reported(actbench: Actbench, bench: FakeBench) -> None:
    def on_time(block: Block) -> None:
        if block.size == 2000 and bench.workers_started >= 4:
            crash("the worker was killed by SIGSEGV; its last words: oh no")

    bench.on_time = on_time
    result = actbench("run", *TWO_BLOCKS, "-o", "here", "--rounds", "6")
    assert result.exit_code == 4
    words = "the worker was killed by SIGSEGV; its last words: oh no"
    assert f"FAILED logistic/derivative/float64/2000 in round 2: {words}" in " ".join(result.stdout.split())
    assert f"FAILED logistic/derivative/float64/2000: {words}" in " ".join(result.stderr.split())
    assert result.stderr.endswith("failed: logistic/derivative/float64/2000 (see above); the rest is complete\n")
    found = {row["size"]: row["rounds"] for row in rows(Path("here/speedups.csv"))}
    assert found == {"1000": "6", "2000": "1"}
    assert names(Path("here")) == FILES
    assert record(Path("here"))["failures"] == [
        {"block": "logistic/derivative/float64/2000", "round": 2, "reason": words}
    ]


def test_a_block_given_up_early_does_not_keep_the_others_at_it(actbench: Actbench, bench: FakeBench) -> None:
    def on_time(block: Block) -> None:
        if block.size == 2000 and bench.workers_started >= 5:
            crash("gone")

    bench.on_time = on_time
    limit = 20

    def start(cpu: int | None, timeout: float, role: str = "worker", threads: int = 1) -> Any:
        assert bench.workers_started < limit, "rounds go on although every interval is as narrow as it will be"
        return FakeBench.start(bench, cpu, timeout, role, threads)

    bench.start = start  # type: ignore[method-assign]
    result = actbench("run", *TWO_BLOCKS, "-o", "here")
    assert result.exit_code == 4, result.exception


def test_when_every_block_fails_the_run_says_so_and_can_be_read(actbench: Actbench, bench: FakeBench) -> None:
    bench.on_time = lambda _: crash("gone")
    result = actbench("run", *SMALL, "-o", "here")
    assert result.exit_code == 4
    assert "gone" in result.stdout
    compared = actbench("compare", "here")
    assert compared.exit_code == 2
    assert compared.stderr.startswith("actbench: ")


@contextmanager
def a_wrong_formula() -> Iterator[None]:
    """Let the cached derivative of the logistic be off by a thousandth."""
    right = activations.get("logistic")

    def build(m: Any) -> Formulas:
        formulas = right.build(m)
        return Formulas(
            forward=formulas.forward,
            recompute=formulas.strategies["recompute"],
            cached=replace(formulas.strategies["cached"], derivative=lambda y: y * (1.0 - y) * 1.001),
        )

    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(activations.catalogue(), "logistic", replace(right, build=build))
        bind = sys.modules["actbench.kernels.kernel"].bind
        patched.setattr("actbench.kernels.kernel.bind", getattr(bind, "__wrapped__"))  # noqa: B009
        yield


def test_a_wrong_kernel_is_refused_before_anything_is_timed(actbench: Actbench, bench: FakeBench) -> None:
    timed: list[Block] = []
    bench.on_time = timed.append
    with a_wrong_formula():
        result = actbench("run", *SMALL, "-o", "here")
    assert result.exit_code == 4
    assert "actbench: logistic/cached/numpy/derivative/float64 is wrong: at z = " in result.stderr
    assert "it seems to be off by a factor of 1.001" in result.stderr
    assert "wrong as well" not in result.stderr
    assert not timed
    assert record(Path("here"))["status"] == "refused"


def test_every_wrong_kernel_is_named(actbench: Actbench) -> None:
    with a_wrong_formula():
        result = actbench("run", *SMALL, "-b", "numpy,numba", "--op", "derivative,backward")
    assert result.exit_code == 4
    assert result.stderr.count("\n") == 1
    assert result.stderr.endswith(
        "; wrong as well: logistic/cached/numba/derivative/float64, logistic/cached/numpy/backward/float64, "
        "logistic/cached/numba/backward/float64\n"
    )


def test_where_a_run_was_refused_another_may_begin(actbench: Actbench) -> None:
    with a_wrong_formula():
        assert actbench("run", *SMALL, "-o", "here").exit_code == 4
    assert actbench("run", *SMALL, "-o", "here").exit_code == 0
    assert record(Path("here"))["status"] == "complete"
    assert actbench("run", *SMALL, "-o", "here").exit_code == 2


@pytest.mark.parametrize("option", ["--target", "--budget"])
def test_stock_pyperf_refuses_what_it_cannot_do(actbench: Actbench, option: str, tmp_path: Path) -> None:
    result = actbench("run", "--engine", "pyperf", option, "3")
    assert result.exit_code == 2
    assert "--target and --budget do not apply to stock pyperf" in result.stderr
    assert not list(tmp_path.iterdir())


# Quiet, and progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_progress_is_shown_on_a_terminal_only(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    from actbench.report import progress

    shown: dict[tuple[bool, bool], str] = {}
    for terminal in (True, False):
        for quiet in (True, False):
            stream = Terminal() if terminal else io.StringIO()
            monkeypatch.setattr(progress, "sys", type("Streams", (), {"stderr": stream}))
            name = f"{terminal}-{quiet}"
            assert actbench("run", *SMALL, "-o", name, *(["-q"] if quiet else [])).exit_code == 0
            shown[terminal, quiet] = stream.getvalue()
    assert shown[True, True] == shown[False, True] == shown[False, False] == ""
    assert "checking kernels against mpmath" in shown[True, False]
    assert "calibrating loops" in shown[True, False]
    assert "round 6" in shown[True, False]
    assert "left" in shown[True, False]


def test_quiet_still_prints_the_tables(actbench: Actbench) -> None:
    assert actbench("run", *SMALL, "-o", "here", "-q").stdout.startswith(PRINTED)
