"""In a worker: a block of training steps that is taken up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt
from statistics import fmean
from time import perf_counter, thread_time

import numpy as np

from actbench.backends import StepArrays, TrainingStep
from actbench.engine import protocol
from actbench.engine.protocol import Prepare, Sweep, Taken
from actbench.engine.working.undisturbed import by_sweep, undisturbed
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
changes in float32 and float64."""

STEADY_ROUNDINGS = 8
"""The same in numbers of 16 bits, in relative distances between neighbouring numbers: sums in another order."""

UNTIMED_AFTER_ANOTHER = 4
"""Untimed steps of an arm after steps of another library, or after the yardstick.

A second step in torch after numpy's took 1.07 times as long as in a row of them, a third 1.04 times, a fifth 1.01 times
(an MLP's batch of 128 rows on a Granite Rapids Xeon); after another arm in torch, a second one took 1.01 times."""

QUIET = np.errstate(all="ignore")
"""Lets numpy not warn of an overflow, as in blocks of derivatives."""


class PreparedTraining:
    """The arms of a block of training steps, in order; the yardstick, a copy of all parameters, comes last.

    All arms share the inputs and, where their backends work on numpy's arrays, the parameters.
    """

    @QUIET
    def __init__(self, steps: Sequence[NetworkStep], batch: int, request: Prepare) -> None:
        """Draw inputs and parameters, and do steps of every arm, which compiles what is compiled."""
        first = steps[0]
        self.network = first.network
        self._arrays = drawn(self.network, batch, first.identity.dtype, request.seed, request.inputs)
        self._steps = [step.step(self._arrays, request.optimizer) for step in steps]
        on_device = any(step.trainer.products.on_device for step in steps)
        self._one_thread = threads_of_libraries() == 1 and not on_device
        self._drawn = _Copy(self._arrays)
        self._drawn()
        for step, executed in zip(steps, self._steps, strict=True):
            if step.trainer.products.compiles_for_a_size:
                executed()  # `gradients` may be another program
        self._gradients = [_sketches(executed.gradients()) for executed in self._steps]
        self._arms: list[TrainingStep | _Copy] = [*self._steps, _Copy(self._arrays)]
        self._libraries = [*(step.trainer.products.name for step in steps), ""]
        self._last: int | None = None

    @QUIET
    def sweep(self, sweep: Sweep, code: CodePlacement | None) -> list[Taken]:
        """Move code elsewhere in memory where the sweep says so; then time the slices."""
        _move(sweep, code)
        return [self._timed(arm, calls) for arm, calls, _ in sweep.slices]

    @QUIET
    def instrument(self, sweeps: Sequence[Sweep], code: CodePlacement | None) -> protocol.Timed:
        """Time the slices of sweeps, and beside every one, before it or after it in turns, the parts of as many steps.

        An arm without parts does as many whole steps there: so the timed slices of all arms follow alike, and the
        mirrored order of arms is one in time as well. The seconds of a part are the mean over the steps of an arm that
        are neither the fastest nor the slowest quarter, and those that the thread had the processor where one thread
        does everything.
        """
        taken: list[list[Taken]] = []
        watched: list[list[Mapping[StepPart, float]]] = [[] for _ in self._arms]
        for sweep in sweeps:
            _move(sweep, code)
            taken.append([])
            for place, (arm, calls, _) in enumerate(sweep.slices):
                if place % 2:
                    taken[-1].append(self._timed(arm, calls))
                watched[arm] += self._watched(arm, calls)
                if not place % 2:
                    taken[-1].append(self._timed(arm, calls))
        return by_sweep(taken, map(_average, watched[:-1]))

    @QUIET
    def doubts(self) -> list[behaviour.Doubt]:
        """Return the arms whose gradients at the first parameters are not what they were before they were timed.

        Some rows of the batch have changed places since then, which changes no gradient, and is a batch that nothing
        can have been remembered of. Steps on a device have copies of the batch before. `InputError` where steps moved
        the parameters that the arms share.
        """
        if self._drawn.has_moved:
            raise InputError(MOVING)
        self._drawn.restore()
        _shuffle(self._arrays)
        same = "its gradients are not the same after it was timed as before"
        what = f"{same}, or where rows of the batch have changed places"
        return [
            behaviour.Doubt(arm, what)
            for arm, (step, before) in enumerate(zip(self._steps, self._gradients, strict=True))
            if not all(map(_Sketch.is_near, _sketches(step.gradients()), before))
        ]

    def compared(self) -> list[behaviour.Doubt]:
        """Return what `doubts` does: a step is compared as a whole."""
        return self.doubts()

    def _timed(self, arm: int, calls: int) -> Taken:
        return undisturbed(partial(self._ready, arm, calls), one_thread=self._one_thread)

    def _ready(self, arm: int, calls: int) -> Timed:
        """Return what does `calls` steps."""
        return repeated(self._settled(arm), (), calls)

    def _watched(self, arm: int, calls: int) -> list[Mapping[StepPart, float]]:
        """Do so many steps of an arm and return the parts of each; nothing where it has none."""
        step = self._settled(arm)
        clock = thread_time if self._one_thread else perf_counter
        watched = []
        for _ in range(calls):
            parts = step.instrumented(clock)
            if parts is None:
                step()
            else:
                watched.append(parts)
        return watched

    def _settled(self, arm: int) -> TrainingStep | _Copy:
        """Return an arm's step after enough untimed ones that the next takes as long as in a row of them."""
        step = self._arms[arm]
        if arm != self._last:
            same = self._last is not None and self._libraries[arm] == self._libraries[self._last]
            for _ in range(1 if same else UNTIMED_AFTER_ANOTHER):
                step()
            self._last = arm
        return step


def _move(sweep: Sweep, code: CodePlacement | None) -> None:
    if sweep.move and code is not None:
        code.move()


def _average(steps: Sequence[Mapping[StepPart, float]]) -> tuple[float, ...]:
    """Return the mean seconds of each part over the steps that are neither the fastest nor the slowest quarter."""
    in_order = sorted(steps, key=lambda seconds: sum(seconds.values()))
    quarter = len(in_order) // 4
    middle = in_order[quarter : len(in_order) - quarter]
    return tuple(fmean(seconds[part] for seconds in middle) for part in StepPart) if middle else ()


class _Copy:
    """A copy of all parameters."""

    def __init__(self, arrays: StepArrays) -> None:
        self._parameters = (*arrays.weights, *arrays.biases)
        self._copies = [np.empty_like(array) for array in self._parameters]

    def __call__(self) -> None:
        for copied, array in zip(self._copies, self._parameters, strict=True):
            np.copyto(copied, array)

    def instrumented(self, clock: Callable[[], float]) -> Mapping[StepPart, float] | None:
        """Return None: it has no parts."""
        del clock
        return None

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
    steady: float
    """The relative difference that the order of rows and of threads may make."""

    def is_near(self, before: _Sketch) -> bool:
        """Return whether it may be the gradient of another step on the same batch; never where it is no number."""
        scale = self.steady * max(before.norm, before.least)
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
        known = limits(gradient.dtype)
        least, steady = float(known.tiny) * sqrt(wide.size), max(STEADY, STEADY_ROUNDINGS * float(known.eps))
        sketches.append(_Sketch(float(np.linalg.norm(wide)), float(component), least, steady))
    return sketches


def _shuffle(arrays: StepArrays) -> None:
    """Let half of the rows of a batch change places, in place; a batch of one row stays what it is."""
    rng = np.random.default_rng()
    rows = rng.permutation(len(arrays.x))[: len(arrays.x) // 2 + 1]
    for array in (arrays.x, arrays.target):
        array[rows] = array[np.roll(rows, 1)]
