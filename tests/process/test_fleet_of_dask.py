"""A fleet on a real Dask cluster of one machine: hosts are loopback addresses, one without a backend."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from actbench.runs.archive import load
from tests.support.dask_processes import LONGEST, Processes, reached, rounds, settle, wait_for_workers, wait_until
from tests.support.environments import lacking
from tests.support.tiers import EXHAUSTIVE

pytest.importorskip("distributed", reason="distributed is not installed")

pytestmark = EXHAUSTIVE

SELECTED = ("-a", "logistic", "-b", "numpy", "-d", "float64", "-n", "100,1000", "--rounds", "12", "--inputs", "z.npy")


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    settle(tmp_path, monkeypatch)
    running = Processes()
    yield running
    running.end()


def test_a_worker_and_a_client_that_are_killed_cost_nothing_that_was_finished(processes: Processes) -> None:
    address = processes.cluster()
    np.save("z.npy", np.linspace(-3, 3, 50))
    workers = {host: processes.worker(address, f"127.0.0.{host}") for host in (2, 3, 4)}
    wait_for_workers(address, 3)
    client = processes.start("actbench", "fleet", "run", *SELECTED, "--scheduler", address, "-o", "fleet", "-q")
    wait_until(lambda: reached(1) == 3, "a round of every host")
    workers[3].send_signal(signal.SIGKILL)
    client.send_signal(signal.SIGKILL)
    client.wait()
    kept = rounds()
    Path("z.npy").unlink()
    processes.worker(address, "127.0.0.7")
    wait_for_workers(address, 3)
    resumed = processes.start("actbench", "fleet", "run", "--resume", "fleet", "--scheduler", address, "-q")
    assert resumed.wait(timeout=LONGEST) == 0
    assert rounds() == dict.fromkeys(("kind1-host1", "kind1-host2", "kind1-host3"), ("complete", 12))
    assert kept.keys() == rounds().keys()


def test_a_host_that_lacks_a_backend_leaves_its_cases_out_and_all_others_are_measured(processes: Processes) -> None:
    pytest.importorskip("numexpr", reason="numexpr is not installed")
    address = processes.cluster()
    processes.worker(address, "127.0.0.2")
    processes.worker(
        address, "127.0.0.3", ("env", "-u", "PYTHONPATH"), python=lacking(Path("poorer").absolute(), "numexpr")
    )
    wait_for_workers(address, 2)
    absent = "backend 'numexpr' is not available: numexpr is not installed; python -m pip install numexpr"

    both = fleet("-b", "numpy,numexpr", "--scheduler", address, "-o", "both")
    assert both.returncode == 0, both.stderr
    (poorer,) = re.findall(rf"^(kind1-host\d): 2 cases left out: {absent}$", both.stderr, re.MULTILINE)
    measured = {path.parent.name: {case.backend for case in load(path.parent).plan.cases} for path in runs("both")}
    assert measured.pop(poorer) == {"numpy"}
    assert [*measured.values()] == [{"numpy", "numexpr"}]

    alone = fleet("-b", "numexpr", "--scheduler", address, "-o", "alone")
    assert alone.returncode == 4
    assert f": the plan has no case that can be measured here: {absent}; what is finished is kept" in alone.stderr
    assert len(runs("alone")) == 1


def fleet(*words: str) -> subprocess.CompletedProcess[str]:
    """Measure one block."""
    block = ("-a", "logistic", "-d", "float64", "-n", "1000", "-s", "recompute,cached", "--rounds", "1")
    command = [sys.executable, "-m", "actbench", "fleet", "run", *block, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)


def runs(directory: str) -> list[Path]:
    """Return the records of a fleet."""
    return [*Path(directory).glob("*/run.json")]
