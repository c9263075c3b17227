"""A block that loses its worker is tried again, in the run and on resume; one that always fails ends with code 4."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from actbench.engine.stock import Stock
from actbench.errors import BenchmarkError
from actbench.model.cases import Block
from actbench.model.events import Event, Failed, Lost, Recovered
from actbench.model.times import Times
from actbench.runs import archive
from tests.conftest import Actbench
from tests.support.fake import FakeBench, crash
from tests.support.selections import SMALL, TWO_BLOCKS, record, rows

LARGE = "logistic/derivative/float64/2000"


def losing(bench: FakeBench, *workers: int) -> Callable[[Block], None]:
    """Return what kills these workers when they time the larger block; 1 checks, 2 calibrates, 3 is the first round."""
    lost: set[int] = set()

    def on_time(block: Block) -> None:
        number = bench.workers_started
        if block.size == 2000 and number in workers and number not in lost:
            lost.add(number)
            crash("the worker was killed by SIGKILL")

    return on_time


def rounds_by_size() -> dict[str, str]:
    return {row["size"]: row["rounds"] for row in rows(Path("here/speedups.csv"))}


@pytest.mark.parametrize("worker", [2, 3, 5])
def test_a_worker_that_is_lost_once_costs_nothing_and_is_reported(
    actbench: Actbench, bench: FakeBench, worker: int
) -> None:
    bench.on_time = losing(bench, worker)
    result = actbench("run", *TWO_BLOCKS, "-o", "here", "--rounds", "6")
    assert result.exit_code == 0, result.stderr
    assert rounds_by_size() == {"1000": "6", "2000": "6"}
    when = "while calibrating" if worker == 2 else f"in round {worker - 2}"
    message = f"{LARGE} failed {when}, and was tried again: the worker was killed by SIGKILL"
    assert message in " ".join(result.stdout.split())
    assert record(Path("here"))["failures"] == []


@pytest.mark.parametrize(("workers", "begun"), [((2, 3), 0), ((3, 4), 0), ((5, 6), 2)])
@pytest.mark.parametrize("limit", [("--rounds", "6"), ("--budget", "1m")], ids=" ".join)
def test_resume_tries_again_what_was_given_up(
    actbench: Actbench, bench: FakeBench, workers: tuple[int, int], begun: int, limit: tuple[str, str]
) -> None:
    bench.on_time = losing(bench, *workers)
    assert actbench("run", *TWO_BLOCKS, "-o", "here", *limit).exit_code == 4
    assert rounds_by_size() == {"1000": "6"} | ({"2000": str(begun)} if begun else {})
    result = actbench("run", "--resume", "here", *(() if "--rounds" in limit else limit))
    assert result.exit_code == 0, result.stderr
    assert rounds_by_size() == {"1000": "6", "2000": "6"}
    assert record(Path("here"))["failures"] == []
    assert [loss["block"] for loss in record(Path("here"))["losses"]] == [LARGE] * 2
    assert archive.load(Path("here")).times.last_round == 6


def test_a_block_that_always_fails_ends_with_4_again_and_is_reported_once(actbench: Actbench, bench: FakeBench) -> None:
    bench.on_time = lambda block: crash("no memory") if block.size == 2000 else None
    assert actbench("run", *TWO_BLOCKS, "-o", "here", "--rounds", "3").exit_code == 4
    for _ in range(2):
        result = actbench("run", "--resume", "here")
        assert result.exit_code == 4
        assert result.stderr.endswith(f"failed: {LARGE} (see above); the rest is complete\n")
        assert record(Path("here"))["failures"] == [{"block": LARGE, "round": 0, "reason": "no memory"}]
    assert rounds_by_size() == {"1000": "3"}


def test_a_resume_that_is_interrupted_still_knows_what_failed(actbench: Actbench, bench: FakeBench) -> None:
    bench.on_time = losing(bench, 4, 5)
    assert actbench("run", *TWO_BLOCKS, "-o", "here", "--rounds", "6").exit_code == 4

    def interrupt(block: Block) -> None:
        if block.size == 2000 and bench.workers_started > before + 2:
            raise KeyboardInterrupt

    before, bench.on_time = bench.workers_started, interrupt
    assert actbench("run", "--resume", "here").exit_code == 130
    assert [failure["block"] for failure in record(Path("here"))["failures"]] == [LARGE]
    bench.on_time = lambda _: None
    assert actbench("run", "--resume", "here").exit_code == 0
    assert rounds_by_size() == {"1000": "6", "2000": "6"}


def test_a_resume_without_time_for_what_failed_still_ends_with_4(actbench: Actbench, bench: FakeBench) -> None:
    bench.on_time = losing(bench, 5, 6)
    assert actbench("run", *TWO_BLOCKS, "-o", "here", "--rounds", "6").exit_code == 4
    assert actbench("run", "--resume", "here", "--budget", "1ms").exit_code == 4
    assert [failure["block"] for failure in record(Path("here"))["failures"]] == [LARGE]
    assert rounds_by_size() == {"1000": "6", "2000": "2"}


@pytest.mark.parametrize(("losses", "events"), [(1, [Lost, Recovered]), (2, [Lost, Failed])])
def test_the_stock_engine_tries_a_block_again(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch, losses: int, events: list[type[Event]]
) -> None:
    assert actbench("run", *SMALL, "-o", "here", "--rounds", "1").exit_code == 0
    plan = archive.load(Path("here")).plan
    run = SimpleNamespace(values=(1e-6, 2e-6), get_loops=lambda: 8)
    suite = [
        SimpleNamespace(get_name=lambda name=case.id: name, get_runs=lambda: [run]) for case in plan.blocks[0].timed
    ]
    answers: list[Any] = [*[BenchmarkError("lost")] * losses, suite]

    def measured(*_: object) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, BenchmarkError):
            raise answer
        return answer

    monkeypatch.setattr(Stock, "_suite", measured)
    stock = Stock(plan, 1, None, 1.0, 0.0, Times(plan), {plan.blocks[0].id})
    assert [type(event) for event in stock.events()][:2] == events
