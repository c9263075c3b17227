"""What a run does about workers that die, kernels that are wrong and engines that cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.engine.launch import UnsupportedError, WorkerHungError, WorkerLostError, WorkerOptions
from actbench.engine.protocol import Doubts, Evaluate, ListDoubts, PackedDoubt
from actbench.engine.wire import PackedArray, Request
from actbench.engine.working.checking import Refused, RefusedError
from actbench.errors import BenchmarkError
from actbench.formula import Formulas
from actbench.model.cases import Block, KernelId
from actbench.model.names import Dtype, Op
from actbench.model.variants import Variant
from actbench.runs import archive
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


@pytest.mark.parametrize("worker", [2, 4], ids=["while calibrating", "in a round"])
@pytest.mark.parametrize("error", [WorkerLostError, WorkerHungError, UnsupportedError])
def test_the_case_that_fails_alone_is_left_out_and_costs_the_others_nothing(
    actbench: Actbench, bench: FakeBench, worker: int, error: type[BenchmarkError]
) -> None:
    def on_time(block: Block) -> None:
        cached = any(case.strategy == "cached" for case in block.cases)
        if block.size == 2000 and cached and bench.workers_started >= worker:
            raise error("it does not work")

    bench.on_time = on_time
    result = actbench("run", *TWO_BLOCKS, "-o", "here", "--rounds", "6")
    unsupported = error is UnsupportedError
    assert result.exit_code == (0 if unsupported else 4), result.stderr
    case = "logistic/cached/numpy/derivative/float64/2000"
    why = f"left out 1 case, e.g. {case}: {'' if unsupported else f'{case} cannot be timed: '}it does not work"
    assert f"{'' if unsupported else 'FAILED: '}{why}" in result.stderr
    timed = {(row["strategy"], row["size"], row["rounds"]) for row in rows(Path("here/cases.csv"))}
    arms = {("recompute", "1000"), ("cached", "1000"), ("recompute", "2000")}
    copies = {("yardstick", "1000"), ("yardstick", "2000")}
    assert timed == {(*arm, "6") for arm in arms | copies}
    assert record(Path("here"))["failures"] == []
    bench.on_time = lambda _: None
    assert actbench("run", "--resume", "here", "--rounds", "7").exit_code == result.exit_code


def counts_its_calls(*, after: int, size: int) -> Callable[..., Any]:
    """Return what workers answer where `cached` of logistic turns out to be wrong at a size after so many rounds."""
    real, rounds = FakeWorker.ask, count()

    def ask(self: FakeWorker, request: Request[Any], more_time: float = 0.0) -> Any:
        doubted = self.block and (self.block.activation, self.block.size) == ("logistic", size)
        if isinstance(request, ListDoubts) and self.block and doubted and next(rounds) >= after:
            arm = next((arm for arm, case in enumerate(self.block.cases) if case.strategy == "cached"), None)
            nothing = PackedArray.pack(np.empty(0))
            doubt = PackedDoubt(arm or 0, "it counts its calls", False, nothing, nothing, nothing)
            return Doubts(() if arm is None else (doubt,))
        return real(self, request, more_time)

    return ask


def test_a_kernel_that_turns_out_to_be_wrong_loses_what_was_measured_of_it(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeWorker, "ask", counts_its_calls(after=3, size=2000))
    result = actbench("run", *TWO_BLOCKS, "-o", "here", "--rounds", "6")
    assert result.exit_code == 4
    assert "logistic/cached/numpy/derivative/float64 is wrong: it counts its calls" in result.stderr
    assert {(row["strategy"], row["rounds"]) for row in rows(Path("here/cases.csv"))} == {
        ("recompute", "6"),
        ("yardstick", "6"),
    }
    assert archive.load(Path("here")).times.last_round == 6


def refused_in_a_later_round(actbench: Actbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the only kernel of a run turn out to be wrong after three rounds."""
    alone = (*SMALL, "--filter", "*/cached/*")
    with monkeypatch.context() as patched:
        patched.setattr(FakeWorker, "ask", counts_its_calls(after=3, size=1000))
        assert actbench("run", *alone, "-o", "here", "--rounds", "6").exit_code == 4


def test_a_run_whose_only_kernel_turns_out_to_be_wrong_is_refused_and_checked_again_by_a_resume(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused_in_a_later_round(actbench, monkeypatch)
    assert record(Path("here"))["status"] == "refused"
    compared = actbench("compare", "here")
    assert compared.stderr.startswith("actbench: here was refused, for a wrong kernel")
    with a_wrong_formula():
        resumed = actbench("run", "--resume", "here")
    assert resumed.exit_code == 4
    assert "it seems to be off by a factor of 1.001" in resumed.stderr


def test_rounds_of_a_kernel_that_was_wrong_do_not_count_once_it_is_mended(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused_in_a_later_round(actbench, monkeypatch)
    refused = archive.load(Path("here"))
    assert (refused.times.last_round, record(Path("here"))["rounds"]) == (0, 0)
    resumed = actbench("run", "--resume", "here")
    assert resumed.exit_code == 0, resumed.stderr
    assert archive.load(Path("here")).times.last_round == 6
    assert all("it counts its calls" in lost["reason"] for lost in record(Path("here"))["losses"])


def test_where_a_strict_run_ends_for_a_wrong_kernel_the_other_blocks_keep_their_rounds(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(FakeWorker, "ask", counts_its_calls(after=3, size=1000))
        assert actbench("run", *SMALL, "-a", "logistic,tanh", "--strict", "-o", "here", "--rounds", "6").exit_code == 4
    assert [block.activation for block in archive.load(Path("here")).times.blocks] == ["tanh"]
    assert actbench("run", "--resume", "here").exit_code == 0
    times = archive.load(Path("here")).times
    assert {block.activation: len(times.rounds(block)) for block in times.blocks} == {"logistic": 6, "tanh": 6}


def test_rounds_of_a_kernel_that_cannot_be_checked_at_a_resume_are_kept(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FakeWorker.ask

    def ask(self: FakeWorker, request: Request[Any], more_time: float = 0.0) -> Any:
        if isinstance(request, Evaluate) and request.case.startswith("tanh/"):
            raise WorkerHungError("the worker took longer than 60 s")
        return real(self, request, more_time)

    with monkeypatch.context() as patched:
        patched.setattr(FakeWorker, "ask", counts_its_calls(after=3, size=1000))
        assert actbench("run", *SMALL, "-a", "logistic,tanh", "--strict", "-o", "here", "--rounds", "6").exit_code == 4
    with monkeypatch.context() as patched:
        patched.setattr(FakeWorker, "ask", ask)
        assert "cannot be checked" in actbench("run", "--strict", "--resume", "here").stderr
    assert [block.activation for block in archive.load(Path("here")).times.blocks] == ["tanh"]


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


WRONG = "logistic/cached/numpy/derivative/float64/1000"


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


def test_a_wrong_kernel_gets_no_speed_and_the_others_are_measured(actbench: Actbench, bench: FakeBench) -> None:
    timed: set[str] = set()
    bench.on_time = lambda block: timed.update(case.strategy for case in block.cases)
    with a_wrong_formula():
        result = actbench("run", *SMALL, "-o", "here")
    assert result.exit_code == 4
    why = "logistic/cached/numpy/derivative/float64 is wrong: at z = "
    assert f"FAILED: left out 1 case, e.g. {WRONG}: {why}" in result.stderr
    assert "it seems to be off by a factor of 1.001" in result.stderr
    assert result.stderr.endswith(f"actbench: failed: {WRONG} (see above); the rest is complete\n")
    assert why in " ".join(result.stdout.split())
    assert timed == {"recompute"}
    assert [row["strategy"] for row in rows(Path("here/cases.csv"))] == ["recompute", "yardstick"]
    written = record(Path("here"))
    assert written["status"] == "complete"
    assert [check["kernel"]["strategy"] for check in written["checks"]] == ["recompute"]
    (left_out,) = written["plan"]["left_out"]
    assert (left_out["case"], left_out["failed"]) == (WRONG, True)


def test_the_run_without_a_wrong_kernel_can_be_resumed(actbench: Actbench) -> None:
    with a_wrong_formula():
        assert actbench("run", *SMALL, "-o", "here", "--rounds", "1").exit_code == 4
        assert actbench("run", "--resume", "here", *SMALL, "--rounds", "2").exit_code == 4
    assert {row["rounds"] for row in rows(Path("here/cases.csv"))} == {"2"}


@pytest.mark.parametrize("command", [("run", *SMALL), ("check", "--against", "other", *SMALL)], ids=lambda of: of[0])
def test_with_strict_which_check_implies_a_wrong_kernel_lets_nothing_be_timed(
    actbench: Actbench, bench: FakeBench, command: tuple[str, ...]
) -> None:
    timed: list[Block] = []
    bench.on_time = timed.append
    with a_wrong_formula():
        result = actbench(*command, *(["-o", "here", "--strict"] if command[0] == "run" else []))
    assert result.exit_code == 4
    assert "logistic/cached/numpy/derivative/float64 is wrong: at z = " in result.stderr
    assert not timed


def test_every_wrong_kernel_is_named(actbench: Actbench) -> None:
    with a_wrong_formula():
        result = actbench("run", *SMALL, "-b", "numpy,numba", "--op", "derivative,backward", "--strict")
    assert result.exit_code == 4
    assert result.stderr.count("\n") == 1
    assert result.stderr.endswith(
        "; refused as well: logistic/cached/numba/derivative/float64, logistic/cached/numpy/backward/float64, "
        "logistic/cached/numba/backward/float64\n"
    )


def test_the_error_has_a_reason_for_every_strategy() -> None:
    kernels = [
        KernelId("logistic", Variant(name), backend, Op.DERIVATIVE, Dtype.FLOAT64)
        for name in ("cached", "recompute")
        for backend in ("numpy", "numba")
    ]
    assert str(RefusedError([Refused(one, f"{one.strategy} is wrong in {one.backend}") for one in kernels])) == (
        "cached is wrong in numpy; recompute is wrong in numpy; refused as well: "
        "logistic/cached/numba/derivative/float64, logistic/recompute/numba/derivative/float64"
    )


@pytest.mark.parametrize("options", [("--strict",), ("--filter", "*/cached/*")], ids=" ".join)
def test_where_a_run_was_refused_another_may_begin(actbench: Actbench, options: tuple[str, ...]) -> None:
    with a_wrong_formula():
        assert actbench("run", *SMALL, *options, "-o", "here").exit_code == 4
    assert record(Path("here"))["status"] == "refused"
    assert actbench("run", *SMALL, "-o", "here").exit_code == 0
    assert record(Path("here"))["status"] == "complete"
    assert actbench("run", *SMALL, "-o", "here").exit_code == 2


@pytest.mark.parametrize("option", ["--target", "--budget"])
def test_stock_pyperf_refuses_what_it_cannot_do(actbench: Actbench, option: str, tmp_path: Path) -> None:
    result = actbench("run", "--engine", "pyperf", option, "3")
    assert result.exit_code == 2
    assert "--target and --budget do not apply to stock pyperf" in result.stderr
    assert not list(tmp_path.iterdir())
