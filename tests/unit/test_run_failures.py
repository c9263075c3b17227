"""What a run does about workers that die, kernels that are wrong and engines that cannot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actbench import registry
from actbench.formula import Formulas
from actbench.measure.launch import WorkerOptions
from actbench.model.cases import Block
from tests.conftest import Actbench
from tests.support.fake import FakeBench, FakeWorker, crash
from tests.support.registered import register
from tests.support.selections import FILES, SMALL, TWO_BLOCKS, names, record, rows


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
    rounds = {row["size"]: row["rounds"] for row in rows(Path("here/speedups.csv"))}
    assert rounds == {"1000": "6", "2000": "1"}
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

    def start(options: WorkerOptions) -> FakeWorker:
        assert bench.workers_started < limit, "rounds go on although every interval is as narrow as it will be"
        return FakeBench.start(bench, options)

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
    right = registry.activation("logistic")

    def build(m: Any) -> Formulas:
        formulas = right.build(m)
        return Formulas(
            forward=formulas.forward,
            recompute=formulas.strategies["recompute"],
            cached=replace(formulas.strategies["cached"], derivative=lambda y: y * (1.0 - y) * 1.001),
        )

    with pytest.MonkeyPatch.context() as patched:
        register(patched, replace(right, build=build))
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
