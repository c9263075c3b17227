"""Engine ``pyperf``: the same plan through the stock ``pyperf.Runner``, as a cross-check.

pyperf measures one case after the other, each in its own processes, so its ratios are not paired: the k-th processes of
two cases are minutes apart, and are compared as independent samples.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyperf

from actbench import plugins
from actbench.analysis.speedups import KnownSpeedups
from actbench.engine.client import PACKAGE_DIRECTORY
from actbench.engine.launch import RETRIES
from actbench.engine.stock_script import MODULE
from actbench.errors import BenchmarkError
from actbench.host.variables import worker_environment
from actbench.model.calibration import Calibration
from actbench.model.cases import Block
from actbench.model.events import Calibrated, Event, Failed, Lost, Measured, Recovered, RoundDone
from actbench.model.outcomes import BlockTimes, Failure
from actbench.model.plan import Plan
from actbench.model.times import Times

PROCESSES = 20
"""Number of processes, pyperf's default."""

PROCESS_SECONDS = 0.9
"""Approximate duration of a process with pyperf's default of three values and a warm-up of 0.1 s or more."""


@dataclass(slots=True)
class Stock:
    """One run of the stock engine. Times in seconds."""

    plan: Plan
    processes: int
    cpu: int | None
    timeout: float
    """Time limit of one of pyperf's processes."""
    started: float
    times: Times
    failed: Collection[str]
    """The blocks that failed in an earlier session."""
    clock: Callable[[], float] = time.monotonic

    def events(self) -> Iterator[Event]:
        """Measure block by block; yield events."""
        todo = [block for block in self.plan.blocks if not self.times.rounds(block)]
        for done, block in enumerate(todo, start=1):
            begun = self.clock()
            suite = yield from self._tried(block)
            if suite is None:
                continue
            if block.id in self.failed:
                yield Recovered(block.id)
            runs = {benchmark.get_name(): [run for run in benchmark.get_runs() if run.values] for benchmark in suite}
            of_arms = [runs[case.id] for case in block.timed]
            calibration = Calibration(
                loops=tuple(arm[0].get_loops() for arm in of_arms),
                values=tuple(len(arm[0].values) for arm in of_arms),
                slices=1,
                round_seconds=(self.clock() - begun) / self.processes,
            )
            yield Calibrated(block.id, calibration, done, len(todo))
            for number, of_round in enumerate(zip(*of_arms, strict=True), start=1):
                times = BlockTimes(block, number, tuple(run.values for run in of_round))
                self.times.add(times)
                yield Measured(times, done, len(todo))
            yield self._round_done(begun, len(todo) - done)

    def _round_done(self, begun: float, blocks_left: int) -> RoundDone:
        speedup = KnownSpeedups(self.times).widest(self.plan.blocks)
        width, where = (0.0, "") if speedup is None else (speedup.half_width, speedup.candidate.id)
        now = self.clock()
        return RoundDone(self.processes, width, where, now - self.started, (now - begun) * blocks_left)

    def _tried(self, block: Block) -> Generator[Event, None, pyperf.BenchmarkSuite | None]:
        """Return pyperf's measurements of a block; None where it fails after the last retry."""
        for losses in range(1 + RETRIES):
            try:
                return self._suite(block)
            except BenchmarkError as error:
                failure = Failure(block.id, 0, str(error))
                yield Lost(failure) if losses < RETRIES else Failed(failure)
        return None

    def _suite(self, block: Block) -> pyperf.BenchmarkSuite:
        environment = worker_environment(os.environ) | {"PYTHONSAFEPATH": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(
            filter(None, [environment.get("PYTHONPATH"), str(PACKAGE_DIRECTORY.parent)])
        )
        with tempfile.TemporaryDirectory() as directory:
            output = Path(directory, "suite.json")
            command = [
                *(sys.executable, "-m", MODULE, "--quiet", "-o", str(output)),
                *("--cases", ",".join(case.id for case in block.timed), "--seed", str(self.plan.seed)),
                *("--inputs", msgspec.json.encode(self.plan.inputs).decode()),
                *(part for code in plugins.loaded() for part in ("--load", f"{code.sha256}={code.name}")),
                *("--processes", str(self.processes), "--timeout", str(max(1, round(self.timeout)))),
                *("--inherit-environ", ",".join(environment)),
                *(() if self.cpu is None else ("--affinity", str(self.cpu))),
            ]
            _run(command, environment)
            return pyperf.BenchmarkSuite.load(str(output))


def _run(command: list[str], environment: dict[str, str]) -> None:
    """Run pyperf in its own session, and end all of it when this process is interrupted."""
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            with suppress(ProcessLookupError, PermissionError):  # macOS forbids it where all of them have ended
                os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        words = [line.strip() for line in output.splitlines() if line.strip()]
        raise BenchmarkError(
            f"pyperf exited with status {process.returncode}; its last words: {(words or ['none'])[-1]}"
        )
