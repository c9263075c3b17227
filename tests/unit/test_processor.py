"""A processor that other processes use as well: what a worker makes of it, and what is said."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from resource import RUSAGE_SELF
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from actbench.engine.client import WorkerProcess, here
from actbench.engine.launch import WorkerOptions
from actbench.engine.protocol import Prepare, Slice, Sweep, Taken, Time, Timed
from actbench.engine.timing import Values, values
from actbench.engine.working import undisturbed
from actbench.model.calibration import Calibration
from actbench.model.cases import Arm, Block, Case
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.variants import Variant
from tests.conftest import Actbench
from tests.support.exact_times import exact_seconds
from tests.support.fake import FakeBench
from tests.support.selections import PAIR, SMALL, record, rows

# In a worker


class Attempt(NamedTuple):
    """What one attempt at a slice takes: seconds of the wall, of the thread and of other threads; switches; faults."""

    wall: float
    thread: float
    others: float = 0.0
    waits: int = 0
    lost: int = 0
    faults: int = 0


@dataclass
class System:
    """The clocks and counts that a worker reads, as scripted."""

    attempts: Sequence[Attempt]
    begun: int = 0
    now: Attempt = field(default_factory=lambda: Attempt(0.0, 0.0))

    def call(self) -> None:
        """Let an attempt pass."""
        attempt = self.attempts[self.begun]
        self.now = Attempt(
            self.now.wall + attempt.wall,
            self.now.thread + attempt.thread,
            self.now.others + attempt.others,
            self.now.waits + attempt.waits,
            self.now.lost + attempt.lost,
            self.now.faults + attempt.faults,
        )
        self.begun += 1

    def getrusage(self, who: int) -> SimpleNamespace:
        """Tell the switches and page faults of the process."""
        assert who == RUSAGE_SELF
        return SimpleNamespace(ru_nvcsw=self.now.waits, ru_nivcsw=self.now.lost, ru_minflt=self.now.faults)


def timed(monkeypatch: pytest.MonkeyPatch, *attempts: Attempt, one_thread: bool = True) -> tuple[Taken, int]:
    """Return what a worker makes of a slice of one call, and how many attempts it took."""
    system = System(attempts)
    monkeypatch.setattr(undisturbed, "perf_counter", lambda: system.now.wall)
    monkeypatch.setattr(undisturbed, "thread_time", lambda: system.now.thread)
    monkeypatch.setattr(undisturbed, "process_time", lambda: system.now.thread + system.now.others)
    monkeypatch.setattr(undisturbed, "getrusage", system.getrusage)
    timing = undisturbed.undisturbed(lambda: system.call, one_thread=one_thread)
    return timing, system.begun


def test_a_slice_that_had_the_processor_takes_its_wall_time(monkeypatch: pytest.MonkeyPatch) -> None:
    timing, attempts = timed(monkeypatch, Attempt(1e-4, 0.99e-4, lost=1))
    assert timing == pytest.approx((1e-4, 1.0))
    assert attempts == 1


def test_a_short_slice_that_lost_the_processor_is_timed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    timing, attempts = timed(monkeypatch, Attempt(3e-3, 1e-4, lost=1), Attempt(1.1e-4, 1.1e-4))
    assert timing == pytest.approx((1.1e-4, 1.0))
    assert attempts == 2


def test_a_slice_longer_than_a_quantum_that_lost_the_processor_takes_its_processor_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timing, attempts = timed(monkeypatch, Attempt(0.06, 0.01, lost=15))
    assert timing == pytest.approx((0.01, 1 / 6))
    assert attempts == 1


def test_so_does_a_short_one_that_loses_it_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    timing, attempts = timed(monkeypatch, *[Attempt(4e-3, 1e-3, lost=1)] * undisturbed.MOST_TIMINGS)
    assert timing == pytest.approx((1e-3, 0.25))
    assert attempts == undisturbed.MOST_TIMINGS


LONG = Attempt(0.06, 0.01, lost=15)


@pytest.mark.parametrize(
    ("attempt", "one_thread"),
    [(LONG._replace(waits=1), True), (LONG._replace(others=0.04), True), (LONG, False)],
    ids=["it waits", "other threads work", "a device works"],
)
def test_where_work_may_go_on_without_the_processor_wall_time_stays_and_the_share_is_not_known(
    monkeypatch: pytest.MonkeyPatch, attempt: Attempt, *, one_thread: bool
) -> None:
    timing, _ = timed(monkeypatch, attempt, one_thread=one_thread)
    assert timing == pytest.approx((0.06, 0.0))


def test_waiting_is_no_loss_where_nothing_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    timing, attempts = timed(monkeypatch, Attempt(0.06, 0.01, waits=3))
    assert timing == pytest.approx((0.06, 1.0))
    assert attempts == 1


FAULTING = Attempt(9e-4, 9e-4, faults=700)


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [
        ([FAULTING, Attempt(5e-4, 5e-4, faults=300), Attempt(1e-4, 1e-4, faults=2)], 1e-4),
        ([FAULTING, FAULTING._replace(wall=8e-4, thread=8e-4)], 9e-4),
        ([FAULTING, Attempt(5e-4, 5e-4, faults=300), FAULTING], 5e-4),
        ([Attempt(0.02, 0.02, faults=9000)], 0.02),
    ],
    ids=["until it has none", "unless it has as many then", "and what has fewest is kept", "unless it is long"],
)
def test_a_slice_with_page_faults_is_timed_again(
    monkeypatch: pytest.MonkeyPatch, attempts: list[Attempt], seconds: float
) -> None:
    timing, made = timed(monkeypatch, *attempts)
    assert timing == pytest.approx((seconds, 1.0))
    assert made == len(attempts)


def test_a_value_has_the_share_of_its_slices_together_and_none_where_one_is_not_known() -> None:
    calibration = Calibration(loops=(2, 1), values=(2, 1), slices=2, round_seconds=1.0)
    slices = (Slice(0, 2), Slice(1, 1), Slice(1, 1), Slice(0, 2))
    swept = [Sweep(1, slices), Sweep(2, (slices[0], slices[3]))]
    first = Timed(((1.0, 5.0, 5.0, 1.0),), ((1.0, 1.0, 0.0, 0.25),))
    second = Timed(((1.0, 3.0),), ((1.0, 1.0),))
    timed_values = values(calibration, swept, [first, second])
    assert timed_values == Values(((0.5, 1.0), (5.0,)), ((0.4, 1.0), (0.0,)))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot pin")
def test_beside_a_busy_process_a_real_worker_says_what_it_did_not_get() -> None:
    cpu = max(os.sched_getaffinity(0))
    code = f"import os, time\nos.sched_setaffinity(0, {{{cpu}}})\nend = time.time() + 30\nwhile time.time() < end: pass"
    arms = (Arm(Variant("recompute"), "python"), Arm(Variant("cached"), "python"))
    started = WorkerProcess(WorkerOptions(cpu, 60.0), here())
    busy = subprocess.Popen([sys.executable, "-c", code])
    try:
        started.ask(Prepare.of(Block("logistic", Op.DERIVATIVE, Dtype.FLOAT64, 40_000, arms), Plan((), seed=1)))
        slices = tuple(Slice(arm, 3) for arm in (0, 1) * 4)
        answer = started.ask(Time((Sweep(1, slices),)))
    finally:
        busy.kill()
        busy.wait()
        started.close()
    ((*shares,),) = answer.processor
    assert 0 < min(shares) < 0.9
    assert max(shares) <= 1


# In a run


def shared(case: Case) -> float:
    """Let the larger of python's slices lose the processor."""
    return 0.2 if (case.backend, case.size) == ("python", 100_000) else 1.0


def test_what_cases_had_of_the_processor_is_said_and_is_no_bottleneck(actbench: Actbench, bench: FakeBench) -> None:
    bench.processor = shared
    chosen = ("-a", "logistic", "-b", "python,numpy", "-s", "recompute,cached", "-d", "float64", "-n", "10k,100k")
    said = " ".join(actbench("run", *chosen, "-o", "here").stdout.split())
    assert "Other processes used the processor: 2 cases of 8 had it for less than 95 % of the time, logistic/" in said
    assert "/python/derivative/float64/100000 the least, 20 % (processor_pct in cases.csv)" in said
    cases = [row for row in rows(Path("here/cases.csv")) if row["strategy"] != "yardstick-loop"]
    percents = {(row["backend"], row["size"]): row["processor_pct"] for row in cases}
    assert percents == {
        ("python", "10000"): "100",
        ("python", "100000"): "20",
        ("numpy", "10000"): "100",
        ("numpy", "100000"): "100",
    }
    words = Path("here/summary.md").read_text().partition("Bottleneck")[2]
    assert "| python | float64 | 100\u202f000 | compute | compute |" in words
    assert actbench("report", "here", "-o", "page.html").exit_code == 0
    assert "Other processes used the processor" in Path("page.html").read_text()


def test_an_undisturbed_run_says_nothing_of_it(actbench: Actbench) -> None:
    assert "Other processes" not in actbench("run", *SMALL, "-o", "here", "--rounds", "1").stdout


def test_of_a_case_that_lost_an_unknown_share_no_bottleneck_is_named(actbench: Actbench, bench: FakeBench) -> None:
    bench.seconds = lambda case: exact_seconds(case) * (6 if (case.strategy, case.size) == ("cached", 100_000) else 1)
    bench.processor = lambda case: 0.0 if (case.strategy, case.size) == ("cached", 100_000) else 1.0
    said = " ".join(actbench("run", *PAIR, "-n", "100k", "-o", "here").stdout.split())
    assert "Other processes used the processor: 1 case, such as logistic/cached/numpy/derivative/float64/100000" in said
    assert "| numpy | float64 | 100\u202f000 | compute |  |" in Path("here/summary.md").read_text()
    recompute, cached, *_ = rows(Path("here/cases.csv"))
    assert (recompute["processor_pct"], cached["processor_pct"]) == ("100", "")


def test_shares_survive_a_kill_and_a_resume(actbench: Actbench, bench: FakeBench) -> None:
    def on_time(block: Block) -> None:
        if block.size == 1000 and bench.workers_started == 5:
            raise KeyboardInterrupt

    bench.processor = lambda case: 0.5 if case.strategy == "cached" else 1.0
    bench.on_time = on_time
    assert actbench("run", *SMALL, "-o", "here").exit_code == 130
    bench.on_time = lambda _: None
    assert actbench("run", "--resume", "here").exit_code == 0
    assert [row["processor_pct"] for row in rows(Path("here/cases.csv"))] == ["100", "50", "100"]
    assert {row["processor"] for row in rows(Path("here/probes.csv")) if row["strategy"] == "cached"} == {"0.5"}
    assert record(Path("here"))["rounds"] == 6
