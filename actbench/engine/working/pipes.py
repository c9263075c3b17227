"""In a worker: how long calls of a case take, and a cycle of the processor meanwhile, repeat by repeat in turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from actbench.engine.protocol_limits import MeasuredCall
from actbench.engine.working.roofs import SAMPLE_SECONDS, Clock, Undisturbed
from actbench.kernels.calls import Timed, WarmCalls
from actbench.kernels.operands import Operands
from actbench.kernels.placement import Placement
from actbench.kernels.subject import Subject


def measured(subject: Subject, sizes: Sequence[int], seed: int, repeats: int, undisturbed: Undisturbed) -> MeasuredCall:
    """Measure a call on each number of elements of N(0, 1), and the clock after it, this often; operands move."""
    calls = [_SizeCalls(subject, size, seed, undisturbed) for size in sizes]
    clock = Clock()
    seconds: list[list[float]] = [[] for _ in sizes]
    cycles = []
    for repeat in range(repeats):
        for of_size, taken in zip(calls, seconds, strict=True):
            taken.append(of_size.seconds(repeat))
        cycles.append(clock.seconds(calls[0].load()))
    return MeasuredCall(tuple(map(tuple, seconds)), tuple(cycles))


class _SizeCalls:
    """The calls on so many elements; the first repeat finds how many take long enough."""

    def __init__(self, subject: Subject, size: int, seed: int, undisturbed: Undisturbed) -> None:
        self._subject, self._size, self._seed, self._undisturbed = subject, size, seed, undisturbed
        self._operands = Operands.drawn(subject.activation, subject.dtype, size, seed)
        self._loops = 0

    def seconds(self, repeat: int) -> float:
        """Return the seconds of a call."""
        ready = self._ready(repeat)
        self._loops = self._loops or _count(ready, self._undisturbed)
        return self._undisturbed(partial(ready, self._loops)).seconds / self._loops

    def load(self) -> Callable[[], object]:
        """Return a function that makes a fifth of the calls that are timed at once, after the first repeat."""
        return self._ready(0)(-(-self._loops // 5))

    def _ready(self, repeat: int) -> Callable[[int], Timed]:
        placement = Placement(self._operands, np.random.default_rng([self._seed, repeat]))
        calls = WarmCalls(self._subject.invocation(self._size, placement))
        return partial(calls.ready, placement, phase=0)


def _count(ready: Callable[[int], Timed], undisturbed: Undisturbed) -> int:
    """Return the number of calls that takes long enough."""
    count = 1
    while undisturbed(partial(ready, count)).seconds < SAMPLE_SECONDS:
        count *= 2
    return count
