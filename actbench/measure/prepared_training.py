"""In a worker: a block of training steps that is taken up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from time import perf_counter, thread_time

import numpy as np

from actbench.backends import StepArrays, TrainingStep
from actbench.host.code_placement import CodePlacement
from actbench.kernels.calls import Timed, repeated
from actbench.kernels.training import NetworkStep
from actbench.kernels.training_arrays import drawn
from actbench.measure.protocol import Prepare, Sweep, Taken
from actbench.measure.undisturbed import undisturbed
from actbench.model.training import StepPart
from actbench.verification import behaviour

STEADY = 1e-3
"""Relative difference between the norms of one gradient in two steps: above what the order of threads changes."""

QUIET = np.errstate(all="ignore")
"""Lets numpy not warn of an overflow, as in blocks of derivatives."""


class PreparedTraining:
    """The arms of a block of training steps, in order; the yardstick, a copy of all parameters, comes last.

    All arms share the inputs and, where their backends work on numpy's arrays, the parameters.
    """

    @QUIET
    def __init__(self, steps: Sequence[NetworkStep], batch: int, request: Prepare, threads: int) -> None:
        """Draw inputs and parameters, and do a step of every arm, which compiles what is compiled."""
        first = steps[0]
        self._arrays = drawn(first.network, batch, first.identity.dtype, request.seed, request.inputs)
        self._steps = [step.step(self._arrays, request.optimizer, threads) for step in steps]
        self._one_thread = threads == 1 and not any(step.trainer.products.on_device for step in steps)
        self._gradients = [_norms(step) for step in self._steps]
        self._copy = _Copy(self._arrays)

    @QUIET
    def sweep(self, sweep: Sweep, code: CodePlacement | None) -> list[Taken]:
        """Move code elsewhere in memory where the sweep says so; then time the slices."""
        if sweep.move and code is not None:
            code.move()
        return [
            undisturbed(partial(self._ready, arm, calls), one_thread=self._one_thread) for arm, calls, _ in sweep.slices
        ]

    @QUIET
    def instrument(self, steps: int) -> Iterator[tuple[float, ...]]:
        """Yield the seconds of each part, by arm, in the step of median duration; nothing for an arm without parts.

        They are those that the thread had the processor, where one thread does everything.
        """
        clock = thread_time if self._one_thread else perf_counter
        turns = [[step.instrumented(clock) for step in self._steps] for _ in range(steps)]
        for of_arm in zip(*turns, strict=True):
            timed = sorted((seconds for seconds in of_arm if seconds), key=lambda seconds: sum(seconds.values()))
            yield tuple(timed[len(timed) // 2][part] for part in StepPart) if timed else ()

    @QUIET
    def doubts(self) -> Iterator[behaviour.Doubt]:
        """Yield the arms whose gradients are not what they were before they were timed."""
        for arm, (step, before) in enumerate(zip(self._steps, self._gradients, strict=True)):
            if not np.allclose(_norms(step), before, rtol=STEADY, atol=0.0):
                yield behaviour.Doubt(arm, "its gradients are not the same after it was timed as before")

    def compared(self) -> Iterator[behaviour.Doubt]:
        """Yield what `doubts` does: a step is compared as a whole."""
        yield from self.doubts()

    def _ready(self, arm: int, calls: int) -> Timed:
        """Do a step untimed, and return what does `calls` steps."""
        step: TrainingStep | _Copy = self._steps[arm] if arm < len(self._steps) else self._copy
        step()
        return repeated(step, (), calls)


class _Copy:
    """A copy of all parameters."""

    def __init__(self, arrays: StepArrays) -> None:
        self._parameters = (*arrays.weights, *arrays.biases)
        self._copies = [np.empty_like(array) for array in self._parameters]

    def __call__(self) -> None:
        for copied, array in zip(self._copies, self._parameters, strict=True):
            np.copyto(copied, array)


def _norms(step: TrainingStep) -> list[float]:
    """Do a step, and return the Euclidean norms of its gradients."""
    return [float(np.linalg.norm(np.asarray(gradient, dtype=np.float64))) for gradient in step.gradients()]
