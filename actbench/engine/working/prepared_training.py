"""In a worker: a block of training steps that is taken up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt
from statistics import fmean
from time import perf_counter, thread_time

import numpy as np

from actbench.backends import StepArrays, TrainingStep
from actbench.engine.protocol import Prepare, Sweep, Taken
from actbench.engine.working.undisturbed import undisturbed
from actbench.errors import InputError
from actbench.host.code_placement import CodePlacement
from actbench.host.processors import threads_of_libraries
from actbench.kernels.calls import Timed, repeated
from actbench.kernels.operands import Array
from actbench.kernels.training import NetworkStep
from actbench.kernels.training_arrays import drawn
from actbench.model.number_formats import limits
from actbench.model.training import StepPart
from actbench.verification import behaviour
from actbench.verification.training import MOVED, MOVING

STEADY = 1e-3
"""Difference of one gradient between two steps, relative to its norm: above what the order of rows and of threads
changes."""

QUIET = np.errstate(all="ignore")
"""Lets numpy not warn of an overflow, as in blocks of derivatives."""


class PreparedTraining:
    """The arms of a block of training steps, in order; the yardstick, a copy of all parameters, comes last.

    All arms share the inputs and, where their backends work on numpy's arrays, the parameters.
    """

    @QUIET
    def __init__(self, steps: Sequence[NetworkStep], batch: int, request: Prepare) -> None:
        """Draw inputs and parameters, and do a step of every arm, which compiles what is compiled."""
        first = steps[0]
        self.network = first.network
        self._arrays = drawn(self.network, batch, first.identity.dtype, request.seed, request.inputs)
        self._steps = [step.step(self._arrays, request.optimizer) for step in steps]
        on_device = any(step.trainer.products.on_device for step in steps)
        self._one_thread = threads_of_libraries() == 1 and not on_device
        self._drawn = _Copy(self._arrays)
        self._drawn()
        self._gradients = [_sketches(step.gradients()) for step in self._steps]
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
        """Yield the seconds of each part, by arm, on average over steps; nothing for an arm without parts.

        The quarter of the steps that is fastest and the quarter that is slowest do not count. The seconds are those
        that the thread had the processor, where one thread does everything. As before timed steps, an untimed one of
        the same arm comes first: after another library's, all parts of a step take longer. The order of the arms is
        reversed from turn to turn.
        """
        clock = thread_time if self._one_thread else perf_counter
        arms = range(len(self._steps))
        turns = [
            {arm: _after_another(self._steps[arm], clock) for arm in (reversed(arms) if turn % 2 else arms)}
            for turn in range(steps)
        ]
        for arm in arms:
            of_arm = (seconds for turn in turns if (seconds := turn[arm]))
            timed = sorted(of_arm, key=lambda seconds: sum(seconds.values()))
            quarter = len(timed) // 4
            middle = timed[quarter : len(timed) - quarter]
            yield tuple(fmean(seconds[part] for seconds in middle) for part in StepPart) if middle else ()

    @QUIET
    def doubts(self) -> Iterator[behaviour.Doubt]:
        """Yield the arms whose gradients at the first parameters are not what they were before they were timed.

        Some rows of the batch have changed places since then, which changes no gradient, and is a batch that nothing
        can have been remembered of. Steps on a device have copies of the batch before. `InputError` where steps moved
        the parameters that the arms share.
        """
        if self._drawn.has_moved:
            raise InputError(MOVING)
        self._drawn.restore()
        _shuffle(self._arrays)
        for arm, (step, before) in enumerate(zip(self._steps, self._gradients, strict=True)):
            if not all(map(_Sketch.is_near, _sketches(step.gradients()), before)):
                what = "its gradients are not the same after it was timed as before"
                yield behaviour.Doubt(arm, f"{what}, or where rows of the batch have changed places")

    def compared(self) -> Iterator[behaviour.Doubt]:
        """Yield what `doubts` does: a step is compared as a whole."""
        yield from self.doubts()

    def _ready(self, arm: int, calls: int) -> Timed:
        """Do a step untimed, and return what does `calls` steps."""
        step: TrainingStep | _Copy = self._steps[arm] if arm < len(self._steps) else self._copy
        step()
        return repeated(step, (), calls)


def _after_another(step: TrainingStep, clock: Callable[[], float]) -> Mapping[StepPart, float] | None:
    """Do a step, then an instrumented one, and return the seconds of its parts."""
    step()
    return step.instrumented(clock)


class _Copy:
    """A copy of all parameters."""

    def __init__(self, arrays: StepArrays) -> None:
        self._parameters = (*arrays.weights, *arrays.biases)
        self._copies = [np.empty_like(array) for array in self._parameters]

    def __call__(self) -> None:
        for copied, array in zip(self._copies, self._parameters, strict=True):
            np.copyto(copied, array)

    def restore(self) -> None:
        """Write the copy into the parameters."""
        for copied, array in zip(self._copies, self._parameters, strict=True):
            np.copyto(array, copied)

    @property
    def has_moved(self) -> bool:
        """Whether a parameter differs from its copy by more than `MOVED`, or is no number any more."""
        moved = (
            np.linalg.norm(array.astype(np.float64) - copied) / np.linalg.norm(copied)
            for copied, array in zip(self._copies, self._parameters, strict=True)
        )
        return not all(one <= MOVED for one in moved)


@dataclass(frozen=True, slots=True)
class _Sketch:
    """What is remembered of a gradient: its norm, and its component in a random direction."""

    norm: float
    component: float
    least: float
    """The norm of as many smallest normal numbers, below which rounding decides."""

    def is_near(self, before: _Sketch) -> bool:
        """Return whether it may be the gradient of another step on the same batch; never where it is no number."""
        scale = STEADY * max(before.norm, before.least)
        return abs(self.norm - before.norm) <= scale and abs(self.component - before.component) <= scale


def _sketches(gradients: Sequence[Array]) -> list[_Sketch]:
    """Return sketches of gradients of shapes (inputs, outputs) and (outputs,).

    The direction is the outer product of one random vector per axis, with elements 1 and -1.
    """
    rng = np.random.default_rng(0)
    sketches = []
    for gradient in gradients:
        wide = np.asarray(gradient, dtype=np.float64)
        component = wide
        for length in wide.shape:
            component = rng.choice((-1.0, 1.0), length) @ component
        least = float(limits(gradient.dtype).tiny) * sqrt(wide.size)
        sketches.append(_Sketch(float(np.linalg.norm(wide)), float(component), least))
    return sketches


def _shuffle(arrays: StepArrays) -> None:
    """Let half of the rows of a batch change places, in place; a batch of one row stays what it is."""
    rng = np.random.default_rng()
    rows = rng.permutation(len(arrays.x))[: len(arrays.x) // 2 + 1]
    for array in (arrays.x, arrays.target):
        array[rows] = array[np.roll(rows, 1)]
