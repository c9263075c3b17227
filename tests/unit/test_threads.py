from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from actbench.engine.client import WorkerProcess, here
from actbench.engine.launch import WorkerOptions
from actbench.engine.protocol import Prepare, Slice, Sweep, Time
from actbench.host import environment
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.variants import Variant
from actbench.planning.suite import grouped
from actbench.runs import archive, pyperf_suite
from tests.conftest import Actbench
from tests.support.fake import FakeBench

ARMS = ("-a", "logistic", "-b", "numpy,numba-parallel", "-s", "recompute,cached", "-n", "1k")
PARALLEL = ("run", *ARMS, "-d", "float64")
BLOCK = Block(
    "logistic",
    Op.DERIVATIVE,
    Dtype.FLOAT64,
    20_000,
    (Arm(Variant("cached"), "numba-parallel"),),
    copies=("numba-parallel",),
)


def test_a_backend_of_several_threads_brings_a_copy_by_all_of_them() -> None:
    (block,) = grouped(BLOCK.cases)
    assert block == BLOCK
    assert [case.id for case in block.timed] == [
        "logistic/cached/numba-parallel/derivative/float64/20000",
        "logistic/yardstick/numba-parallel/derivative/float64/20000",
        "logistic/yardstick/numpy/derivative/float64/20000",
    ]


def test_a_case_is_held_against_the_copy_by_as_many_threads(actbench: Actbench, bench: FakeBench) -> None:
    assert actbench(*PARALLEL, "-o", "here").exit_code == 0
    rows = csv.DictReader(Path("here/cases.csv").read_text().splitlines())
    cases = {(row["strategy"], row["backend"]): row for row in rows}
    for backend in ("numpy", "numba-parallel"):
        case, copy = cases["cached", backend], cases["yardstick", backend]
        reached = 100 * float(copy["seconds"]) / float(case["seconds"])
        assert float(case["copy_limit_pct"]) == pytest.approx(reached)
        assert float(copy["copy_limit_pct"]) == pytest.approx(100)
    assert bench.workers_started > 0


def test_both_copies_come_back_from_the_files_of_a_run(actbench: Actbench) -> None:
    assert actbench("run", *ARMS, "-o", "here").exit_code == 0
    run = archive.load(Path("here"))
    suite = pyperf_suite.read(Path("here/pyperf.json"))
    assert {block.copies for block in run.plan.blocks} == {("numba-parallel",)}
    assert [*suite.plan.blocks] == [*run.plan.blocks]
    for block in suite.plan.blocks:
        np.testing.assert_allclose(suite.times.seconds(block), run.times.seconds(block), rtol=1e-15)


def test_the_number_of_threads_is_recorded_where_it_counts(actbench: Actbench) -> None:
    assert actbench(*PARALLEL, "--threads", "1", "-o", "one").exit_code == 0
    assert json.loads(Path("one/run.json").read_text())["settings"]["threads"] == 1
    assert actbench(*PARALLEL, "-o", "every").exit_code == 0
    assert json.loads(Path("every/run.json").read_text())["settings"]["threads"] == environment.choose_threads(None)
    ignored = actbench("run", "--preset", "smoke", "-b", "numpy", "--threads", "1", "-o", "none")
    assert ignored.exit_code == 0
    assert ignored.stderr.startswith("--threads 1 changes nothing: no backend of this run uses several threads\n")
    assert json.loads(Path("none/run.json").read_text())["settings"]["threads"] == 1


def test_more_threads_than_processors_are_refused(actbench: Actbench) -> None:
    for selection in (PARALLEL, ("run", "--preset", "smoke")):
        result = actbench(*selection, "--threads", "4096", "-o", "here")
        assert result.exit_code == 2
        assert "--threads 4096: this process may run on" in result.stderr
        assert not Path("here").exists()


def test_a_run_does_not_go_on_with_another_number_of_threads(
    actbench: Actbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    assert actbench(*PARALLEL, "--threads", "1", "--rounds", "1", "-o", "here").exit_code == 0
    assert actbench("run", "--resume", "here", "--threads", "2").exit_code == 5
    assert actbench("run", "--resume", "here", "--threads", "1").exit_code == 0


def test_stock_pyperf_is_not_asked_for_several_threads(actbench: Actbench) -> None:
    result = actbench(*PARALLEL, "--engine", "pyperf", "-o", "here")
    assert result.exit_code == 2
    assert "leave backends of several threads out" in result.stderr


def test_checks_take_a_number_of_threads_too(actbench: Actbench) -> None:
    chosen = ("-a", "tanh", "-b", "numba-parallel", "-s", "cached", "-n", "1k", "-d", "float64", "--threads", "1")
    assert actbench("check", "--against", "elsewhere", *chosen, "-o", "kept").exit_code == 0
    assert json.loads(Path("kept/candidate/run.json").read_text())["settings"]["threads"] == 1


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="there is one processor"
)
def test_a_worker_of_two_threads_keeps_each_on_a_processor_of_its_own() -> None:
    cpu = max(os.sched_getaffinity(0))
    worker = WorkerProcess(WorkerOptions(cpu, 60.0, threads=2), here())
    try:
        worker.ask(Prepare.of(BLOCK, Plan((), seed=1)))
        seconds = worker.ask(Time((Sweep(1, tuple(Slice(arm, 2) for arm in range(3))),))).seconds
        threads = [*Path(f"/proc/{worker._process.pid}/task").iterdir()]
        affinities = [os.sched_getaffinity(int(thread.name)) for thread in threads]
    finally:
        worker.close()
    assert all(value > 0 for value in seconds[0])
    assert {cpu} in affinities
    assert [*map(len, affinities)] == [1] * len(affinities)
    assert len(set().union(*affinities)) == 2
