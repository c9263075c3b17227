"""In a worker: how long a call of a case takes, and a cycle of the processor meanwhile, repeat by repeat in turns."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from actbench.engine.protocol_limits import MeasuredCall
from actbench.engine.working.roofs import SAMPLE_SECONDS, Clock, Undisturbed
from actbench.kernels.calls import Timed, WarmCalls
from actbench.kernels.operands import Operands
from actbench.kernels.placement import Placement
from actbench.kernels.subject import Subject


def measured(subject: Subject, size: int, seed: int, repeats: int, undisturbed: Undisturbed) -> MeasuredCall:
    """Measure a call on so many elements of N(0, 1), and the clock, this often; operands move from repeat to repeat."""
    operands = Operands.drawn(subject.activation, subject.dtype, size, seed)
    cycle = Clock(undisturbed)
    loops = 0
    seconds, cycles = [], []
    for repeat in range(repeats):
        placement = Placement(operands, np.random.default_rng([seed, repeat]))
        calls = WarmCalls(subject.invocation(size, placement))

        def ready(count: int, calls: WarmCalls = calls, placement: Placement = placement) -> Timed:
            return calls.ready(placement, count, phase=0)

        loops = loops or _count(ready, undisturbed)
        seconds.append(undisturbed(partial(ready, loops)).seconds / loops)
        cycles.append(cycle.seconds())
    return MeasuredCall(tuple(seconds), tuple(cycles))


def _count(ready: Callable[[int], Timed], undisturbed: Undisturbed) -> int:
    """Return the number of calls that takes long enough."""
    count = 1
    while undisturbed(partial(ready, count)).seconds < SAMPLE_SECONDS:
        count *= 2
    return count
