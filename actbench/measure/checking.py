"""Ask the oracle about every kernel of a plan, as a worker executes it: before anything is timed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from actbench import oracle
from actbench.errors import BenchmarkError, WrongKernelError
from actbench.kernel import Array
from actbench.measure.client import StartWorker, Worker
from actbench.measure.protocol import Evaluated
from actbench.model import Kernel, Op, Plan
from actbench.runs.events import Checked


def check_kernels(plan: Plan, start_worker: StartWorker) -> Iterator[Checked]:
    """Check each kernel; `WrongKernelError` for the first that is wrong or takes the worker down."""
    worker = start_worker()
    try:
        for done, kernel in enumerate(plan.kernels, start=1):
            examined = _Examined(worker)
            try:
                found = oracle.check(kernel, examined)
            except WrongKernelError:
                raise
            except BenchmarkError as error:
                raise WrongKernelError(f"{kernel.id} cannot be checked: {error}") from None
            first = examined.first
            compiled = None if first.compile_seconds is None else worker.inspect(kernel).compiled
            check = replace(
                found, compile_seconds=first.compile_seconds, from_cache=first.from_cache, compiled=compiled
            )
            yield Checked(check, done, len(plan.kernels))
    finally:
        worker.close()


class _Examined:
    """`oracle.Evaluate` by a worker, keeping its first answer, which tells of compilation."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.first: Evaluated

    def __call__(self, kernel: Kernel, z: Array, dy: Array) -> oracle.Evaluation:
        """Evaluate all at once; where arithmetic raises, one by one, to learn at which z it does."""
        self.first = answer = self._worker.evaluate(kernel, z, dy)
        if answer.raised is None:
            outputs = [output.unpack() for output in answer.outputs]
        else:
            outputs = self._one_by_one(kernel, z, dy)
        last = outputs[-1] if outputs else np.empty(0, dtype=kernel.dtype)  # an empty call gives nothing
        return oracle.Evaluation(last, outputs[0] if kernel.op is Op.STEP else None, answer.raised)

    def _one_by_one(self, kernel: Kernel, z: Array, dy: Array) -> list[Array]:
        columns = []
        for at in range(z.size):
            answer = self._worker.evaluate(kernel, z[at : at + 1], dy[at : at + 1])
            columns.append([output.unpack() for output in answer.outputs])
        width = max(map(len, columns)) or (2 if kernel.op is Op.STEP else 1)
        nothing = [np.full(1, np.nan, dtype=kernel.dtype)] * width
        return [np.concatenate(parts) for parts in zip(*(column or nothing for column in columns), strict=True)]
