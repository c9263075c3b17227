"""Which cases of a failing block are to blame: each is tried alone, and costs no other case its figures."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from actbench.engine.launch import Launch, RestartingWorker, UnsupportedError, Worker
from actbench.engine.protocol import ListDoubts, Prepare, Time
from actbench.engine.timing import calibrated, sweeps
from actbench.engine.working.checking import RefusedError, Verification, leaving_out
from actbench.errors import BenchmarkError
from actbench.model.cases import Block
from actbench.model.plan import LeftOut, Plan


@dataclass(frozen=True, slots=True)
class Isolation:
    """Trials of single cases, calibrated and timed as in a round."""

    verification: Verification
    launch: Launch
    arm_seconds: float
    """Intended time of an arm per round."""
    clock: Callable[[], float]

    def to_blame(self, block: Block, plan: Plan, error: BenchmarkError) -> list[LeftOut]:
        """Return what of a plan is to be left out for the failure of a block; nothing where that is not known."""
        if isinstance(error, RefusedError) and block.yardstick.kernel not in {one.kernel for one in error.refused}:
            return [item for refused in error.refused for item in leaving_out(plan, refused)]
        if block in plan.probes and not plan.training:
            return []  # its arms are those of its blocks
        return self.failing(block, plan)

    def failing(self, block: Block, plan: Plan) -> list[LeftOut]:
        """Return what of a plan is to be left out, because it fails alone; nothing where no case does, or all do.

        Of a wrong kernel, that is every case, even where there is no other.
        """
        wrong: list[LeftOut] = []
        failing: list[LeftOut] = []
        with RestartingWorker(self.launch) as restarting:
            for case in block.cases:
                worker, alone = restarting.get(), block.alone(case)
                try:
                    self._try(alone, plan, worker)
                except RefusedError as error:
                    wrong += leaving_out(plan, error.refused[0].of(case))
                except BenchmarkError as error:
                    failed = not isinstance(error, UnsupportedError)
                    reason = f"{case.id} cannot be timed: {error}" if failed else str(error)
                    failing.append(LeftOut(case.id, reason, failed))
                    restarting.end()
                if not self.verification.is_built_in(alone):
                    restarting.end()  # it may have changed the process for the next one
        if len(failing) == len(block.cases):
            return []
        return wrong + failing

    def _try(self, block: Block, plan: Plan, worker: Worker) -> None:
        worker.ask(Prepare.of(block, plan))
        calibration = calibrated(worker, block, self.arm_seconds, self.clock)
        rng = random.Random(f"{plan.seed}/{block.id}")  # noqa: S311  # not for cryptography
        worker.ask(Time(tuple(sweeps(block, calibration, rng))), calibration.round_seconds)
        self.verification.settle(block, worker.ask(ListDoubts()).doubts)
