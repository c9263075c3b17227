from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from actbench import registry
from actbench.cli import main
from actbench.engine import client
from actbench.engine.client import WorkerProcess, here
from actbench.engine.launch import WorkerLostError, WorkerOptions
from actbench.engine.protocol import Evaluate, Prepare, Slice, Sweep, Time
from actbench.errors import BenchmarkError
from actbench.host.variables import worker_environment
from actbench.kernels.resolution import resolve
from actbench.model.cases import Arm, Block, KernelId
from actbench.model.names import FIRST_ORDER, Dtype, Op
from actbench.model.plan import Plan
from actbench.model.variants import Variant
from tests.support.peers import widest
from tests.support.selections import FILES, names, rows
from tests.support.tiers import exhaustive_but

AVAILABLE = [name for name, backend in registry.backends().items() if not backend.unavailable]
TIMEOUT = 60.0

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")


def block(backend: str, op: Op = Op.DERIVATIVE) -> Block:
    arms = (Arm(Variant("recompute"), backend), Arm(Variant("cached"), backend))
    return Block("logistic", op, widest(backend), 1000, arms)


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    """A real worker, not pinned."""
    started = WorkerProcess(WorkerOptions(None, TIMEOUT), here())
    yield started
    started.close()


@pytest.fixture(scope="module")
def lasting() -> Iterator[WorkerProcess]:
    """A real worker that several tests use, since it must outlive what they ask of it."""
    started = WorkerProcess(WorkerOptions(None, TIMEOUT), here())
    yield started
    started.close()


def pid(worker: WorkerProcess) -> int:
    return worker._process.pid


def once(worker: WorkerProcess, *, arm: int = 0, calls: int = 1, timeout: float = TIMEOUT) -> float:
    """Time one slice."""
    worker.timeout = timeout
    ((seconds,),) = worker.ask(Time((Sweep(1, (Slice(arm, calls),)),))).seconds
    return seconds


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize(
    ("backend", "op"),
    exhaustive_but(product(AVAILABLE, FIRST_ORDER), lambda pair: pair[1] is Op.STEP or not pair[0].startswith("numba")),
)
def test_a_worker_times_every_arm_of_a_backend(lasting: WorkerProcess, backend: str, op: Op) -> None:
    lasting.ask(Prepare.of(block(backend, op), Plan((), seed=1)))
    there_and_back = tuple(Slice(arm, 3, phase) for phase, arm in enumerate((0, 1, 2, 2, 1, 0)))
    timed = lasting.ask(Time((Sweep(2, there_and_back), Sweep(3, there_and_back[:1])))).seconds
    assert [len(slices) for slices in timed] == [6, 1]
    assert all(seconds > 0 for slices in timed for seconds in slices)


@pytest.mark.parametrize(
    ("backend", "strategy", "op"),
    exhaustive_but(
        product(AVAILABLE, ("textbook", "recompute", "cached", "complement"), FIRST_ORDER),
        lambda of: of[2] is Op.STEP and (of[1] in {"recompute", "cached"} or not of[0].startswith("numba")),
    ),
)
def test_a_worker_evaluates_what_the_mathematics_says(
    lasting: WorkerProcess, backend: str, strategy: str, op: Op
) -> None:
    dtype = widest(backend)
    kernel = KernelId("logistic", Variant(strategy), backend, op, dtype)
    if reason := resolve(kernel).unsupported:
        pytest.skip(reason)
    z = np.linspace(-3, 3, 7).astype(dtype.value)
    dy = np.linspace(1, 2, 7).astype(dtype.value)
    y = 1 / (1 + np.exp(-z))
    answer = lasting.ask(Evaluate.of(kernel, z, dy))
    outputs = [array.unpack() for array in answer.outputs]
    assert answer.raised is None
    digits = 1e-13 if dtype is Dtype.FLOAT64 else 1e-5
    np.testing.assert_allclose(outputs[-1], y * (1 - y) * (1 if op is Op.DERIVATIVE else dy), rtol=digits)
    if op is Op.STEP:
        np.testing.assert_allclose(outputs[0], y, rtol=digits)
    compiled = backend.startswith("numba") or backend in {"torch-compile", "torch-compile-cuda", "jax", "onednn"}
    assert (answer.compile_seconds is not None) == compiled


def test_arithmetic_that_raises_is_an_answer(lasting: WorkerProcess) -> None:
    kernel = KernelId("logistic", Variant("textbook"), "python", Op.DERIVATIVE, Dtype.FLOAT64)
    answer = lasting.ask(Evaluate.of(kernel, np.array([-1000.0]), np.ones(1)))
    assert answer.raised is not None
    assert answer.raised.startswith("OverflowError")
    assert answer.outputs == ()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system cannot pin")
def test_a_worker_is_pinned() -> None:
    cpu = max(os.sched_getaffinity(0))
    worker = WorkerProcess(WorkerOptions(cpu, TIMEOUT), here())
    try:
        assert os.sched_getaffinity(pid(worker)) == {cpu}
    finally:
        worker.close()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_relevant_variables_reach_a_worker_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    relevant = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    for name, value in {**relevant, "ACTBENCH_SECRET": "hush", "PYTHONWARNINGS": "error"}.items():
        monkeypatch.setenv(name, value)
    worker = WorkerProcess(WorkerOptions(None, TIMEOUT), here())
    try:
        pairs = Path(f"/proc/{pid(worker)}/environ").read_text().split("\0")
        variables = dict(pair.split("=", 1) for pair in pairs if pair)
    finally:
        worker.close()
    assert variables.items() >= relevant.items()
    assert not {"ACTBENCH_SECRET", "PYTHONWARNINGS"} & variables.keys()
    assert variables == worker_environment(os.environ)


def test_a_request_that_raises_gives_its_words_and_the_worker_lives_on(lasting: WorkerProcess) -> None:
    with pytest.raises(BenchmarkError, match=r"^unknown activation 'isru'") as raised:
        lasting.ask(
            Prepare.of(
                Block("isru", Op.DERIVATIVE, Dtype.FLOAT64, 10, (Arm(Variant("cached"), "numpy"),)), Plan((), seed=1)
            )
        )
    assert not isinstance(raised.value, WorkerLostError)
    process = pid(lasting)
    lasting.ask(Prepare.of(block("numpy"), Plan((), seed=1)))
    assert once(lasting) > 0
    assert pid(lasting) == process


def test_a_kernel_that_raises_gives_its_words_and_the_worker_lives_on(lasting: WorkerProcess) -> None:
    lasting.ask(Prepare.of(block("python"), Plan((), seed=1)))
    with pytest.raises(BenchmarkError, match="IndexError"):
        once(lasting, arm=7)
    assert once(lasting) > 0


def test_a_killed_worker_is_reported_with_its_signal(worker: WorkerProcess) -> None:
    os.kill(pid(worker), signal.SIGKILL)
    with pytest.raises(WorkerLostError, match=r"^the worker was killed by SIGKILL$"):
        worker.ask(Prepare.of(block("numpy"), Plan((), seed=1)))


@pytest.mark.skipif(not hasattr(signal, "SIGRTMIN"), reason="no real-time signals here")
def test_a_worker_killed_by_a_signal_without_a_name_is_reported(worker: WorkerProcess) -> None:
    os.kill(pid(worker), signal.SIGRTMIN + 3)
    with pytest.raises(WorkerLostError, match="killed by"):
        worker.ask(Prepare.of(block("numpy"), Plan((), seed=1)))


def test_a_quick_answer_takes_no_look_at_the_processes_of_the_host(
    lasting: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(process: int) -> None:
        pytest.fail(f"it looks at process {process}")

    monkeypatch.setattr(client, "QUICK", TIMEOUT)
    monkeypatch.setattr(client, "ProcessorTime", refuse)
    lasting.ask(Prepare.of(block("numpy"), Plan((), seed=1)))
    assert once(lasting) > 0


def test_a_hanging_worker_is_ended_after_the_timeout(worker: WorkerProcess) -> None:
    worker.ask(Prepare.of(block("numpy"), Plan((), seed=1)))
    with pytest.raises(
        WorkerLostError, match=r"took longer than .* \(--timeout allows more\), with logistic/derivative/float64/1000: "
    ):
        once(worker, calls=10**9, timeout=0.1)
    assert is_gone(pid(worker))


def test_a_stopped_worker_counts_as_hanging() -> None:
    worker = WorkerProcess(WorkerOptions(None, TIMEOUT), here())
    try:
        os.kill(pid(worker), signal.SIGSTOP)
        with pytest.raises(WorkerLostError, match="took longer"):
            once(worker, timeout=0.2)
    finally:
        worker.close()
    assert is_gone(pid(worker))


def test_an_interpreter_that_is_no_python_is_lost_with_its_last_words(tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho first >&2\necho 'my last words' >&2\nexit 3\n")
    script.chmod(0o755)
    with pytest.raises(WorkerLostError, match="the worker exited with status 3; its last words: my last words"):
        WorkerProcess(WorkerOptions(None, TIMEOUT), replace(here(), python=str(script)))


def test_closing_twice_is_harmless_and_leaves_no_process() -> None:
    worker = WorkerProcess(WorkerOptions(None, TIMEOUT), here())
    worker.close()
    worker.close()
    assert is_gone(pid(worker))


# The whole command


def actbench(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "actbench", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_a_real_smoke_run_leaves_all_files(tmp_path: Path) -> None:
    command = ("run", "--preset", "smoke", "-b", "numpy", "--rounds", "1", "-q", "-o", "here")
    done = actbench(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert names(tmp_path / "here") == FILES
    assert "Speedup over recompute: logistic, derivative" in done.stdout
    assert done.stderr == "\nwritten to here\n"
    assert all(float(row["seconds"]) > 0 for row in rows(tmp_path / "here/values.csv"))


@pytest.mark.parametrize("number", exhaustive_but([signal.SIGINT, signal.SIGTERM], signal.SIGTERM.__eq__))
def test_an_interrupted_run_exits_with_130_and_readable_files(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "actbench", "run", "-a", "logistic", "-b", "numpy", "-s", "recompute,cached"]
    process = subprocess.Popen(  # no threads here; a background job would inherit an ignored SIGINT
        [*command, "-n", "1000", "-d", "float64", "--rounds", "10000", "-o", "here"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A background job inherits an ignored SIGINT; there are no threads here.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    try:
        speedups = tmp_path / "here/speedups.csv"
        for _ in range(600):
            if speedups.exists() and len(rows(speedups)) > 0:
                break
            assert process.poll() is None
            time.sleep(0.1)
        os.kill(process.pid, number)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "interrupted: what is finished is kept" in said
    assert "Traceback" not in said
    assert names(tmp_path / "here") == FILES
    assert json.loads((tmp_path / "here/run.json").read_text())["status"] == "interrupted"
    assert int(rows(speedups)[0]["rounds"]) >= 1
    assert CliRunner().invoke(main, ["compare", str(tmp_path / "here")]).exit_code == 0
