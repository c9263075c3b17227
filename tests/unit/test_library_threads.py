"""Backends whose library has a pool of threads: one thread, unless --threads asks for more."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result

from actbench import registry
from actbench.backends.numpy_blocked import NumpyBlocked
from actbench.engine.client import WorkerProcess, here
from actbench.engine.launch import WorkerOptions
from actbench.engine.protocol import Prepare, Slice, Sweep, Time
from actbench.host import processors
from actbench.model.cases import Arm, Block
from actbench.model.names import Dtype, Op
from actbench.model.plan import Plan
from actbench.model.variants import Variant
from actbench.planning import library_threads, suite
from actbench.runs import archive
from tests.conftest import Actbench
from tests.support.fake import FakeBench
from tests.support.registered import register
from tests.support.ticks import ticks

POOL = "numpy-blocked"
"""A backend that has a pool of threads in these tests."""

CASES = ("-a", "logistic", "-b", f"numpy,{POOL}", "-s", "recompute,cached", "-n", "1k", "-d", "float64")


class Pooled(NumpyBlocked):
    """numpy-blocked, of a library with a pool."""

    takes_threads = True


@pytest.fixture
def pooled(actbench: Actbench, bench: FakeBench, monkeypatch: pytest.MonkeyPatch) -> Actbench:
    """Run commands where a library has a pool, on two processors."""
    del bench
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)

    def run(*arguments: str) -> Result:
        register(monkeypatch, Pooled())  # anew, since a command unloads what was added
        return actbench(*arguments)

    return run


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Let libraries have two threads in this process."""
    before = {name: os.environ.get(name) for name in processors.POOLS}
    processors.share(2)
    yield
    processors._shared.clear()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


def copies(run: str) -> set[tuple[str, ...]]:
    return {block.copies for block in archive.load(Path(run)).plan.blocks}


def threads(run: str) -> int:
    return int(json.loads(Path(run, "run.json").read_text())["settings"]["threads"])


def test_a_library_has_one_thread_unless_more_are_asked_for(pooled: Actbench) -> None:
    assert pooled("run", *CASES, "-o", "one").exit_code == 0
    assert (copies("one"), threads("one")) == ({()}, 1)
    for number, run in (("2", "two"), ("all", "every")):
        assert pooled("run", *CASES, "--threads", number, "-o", run).exit_code == 0
        assert (copies(run), threads(run)) == ({(POOL,)}, 2)
    assert f"{POOL}: 2 threads (--threads), numpy 1; rates" in Path("two/summary.md").read_text()
    assert "--threads" not in Path("one/summary.md").read_text()


def test_its_workers_let_it_have_all_processors(pooled: Actbench) -> None:
    assert pooled("run", *CASES, "--threads", "2", "-o", "two").exit_code == 0
    assert pooled("run", *CASES, "-o", "one").exit_code == 0
    assert [library_threads.together(archive.load(Path(run)).plan) for run in ("two", "one")] == [True, False]


def test_runs_with_unlike_numbers_of_its_threads_are_not_compared(pooled: Actbench) -> None:
    assert pooled("run", *CASES, "-o", "one").exit_code == 0
    assert pooled("run", *CASES, "--threads", "2", "-o", "two").exit_code == 0
    for command in (("compare", "one", "two"), ("check", "two", "--baseline", "one")):
        result = pooled(*command)
        assert result.exit_code == 5
        assert f"{POOL} has --threads 1 in one, 2 in two: measure both with the same" in result.stderr
    names = [line.split()[0] for line in pooled("export", "two", "--to", "benchstat").stdout.splitlines()]
    assert {name.rpartition("-")[2] for name in names if f"backend={POOL}" in name} == {"2"}
    assert {name.rpartition("-")[2] for name in names if "backend=numpy/" in name} == {"1"}
    assert pooled("run", *CASES, "--threads", "2", "-o", "again").exit_code == 0
    assert pooled("compare", "two", "again").exit_code == 0


def test_a_run_goes_on_with_as_many_of_its_threads(pooled: Actbench) -> None:
    for run, named, unlike in (("one", (), "2"), ("two", ("--threads", "2"), "1")):
        assert pooled("run", *CASES, *named, "--rounds", "1", "-o", run).exit_code == 0
        assert pooled("run", "--resume", run, "--threads", unlike).exit_code == 5
        assert pooled("run", "--resume", run, "-a", "logistic", "-b", f"numpy,{POOL}", "--rounds", "1").exit_code == 5
        assert pooled("run", "--resume", run, *CASES, "--rounds", "1").exit_code == 0


@pytest.mark.usefixtures("two_threads")
def test_a_call_by_several_threads_is_not_timed_as_one_of_a_single_thread() -> None:
    assert not Pooled().one_thread_works
    assert NumpyBlocked().one_thread_works


@pytest.mark.skipif(
    not Path("/proc/self/task").is_dir() or len(os.sched_getaffinity(0)) < 2, reason="there is one processor"
)
@pytest.mark.parametrize(("name", "size"), [("torch", 1 << 20), ("jax", 1 << 22)])
@pytest.mark.parametrize("number", [1, 2])
def test_a_framework_in_a_worker_uses_as_many_threads_as_are_named(name: str, size: int, number: int) -> None:
    pytest.importorskip(name, reason=f"{name} is not installed")
    block = Block("gelu", Op.BACKWARD, Dtype.FLOAT32, size, (Arm(Variant("recompute"), name),))
    plan = suite.with_threads(Plan((block,), seed=1), number)
    options = WorkerOptions(max(os.sched_getaffinity(0)), 60.0, threads=number, together=library_threads.together(plan))
    worker = WorkerProcess(options, here())
    try:
        worker.ask(Prepare.of(plan.blocks[0], plan))
        tasks = Path(f"/proc/{worker._process.pid}/task")
        before = {task.name: ticks(task) for task in tasks.iterdir()}
        worker.ask(Time((Sweep(1, (Slice(0, 20),)),)))
        worked = [task.name for task in tasks.iterdir() if ticks(task) > before.get(task.name, 0) + 1]
    finally:
        worker.close()
    assert (len(worked) > 1) == (number > 1)


def test_the_help_names_every_backend_that_takes_threads(actbench: Actbench) -> None:
    on_processors = [one for one in registry.backends().values() if one.takes_threads]
    text = " ".join(actbench("run", "--help").stdout.split())
    pools = text[text.index("1 for ") : text.index("which take N too; the rest always have 1")]
    assert {one.name for one in on_processors} <= {*pools.replace(",", "").split()}
