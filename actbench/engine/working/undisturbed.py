"""In a worker: timing of a slice such that other processes do not count.

A slice that lost the processor is timed again. A slice longer than a scheduler's `QUANTUM` loses it every time; its
wall time then shows how many processes there are, not how fast a kernel is. Its processor time does not have this
fault, as long as the kernel keeps one thread busy and never waits: then the interruption affects the kernel only
through caches that other processes filled. So the seconds of such a slice are processor time, and the answer has the
share of the wall time. The system reports whether a process gave up the processor by itself (a voluntary context
switch), and how long its other threads worked. A slice with either keeps its wall time, and so does a slice on a
device, which works on while the process is interrupted; where such a slice lost the processor as well, the share is
unknown. Time that a hypervisor takes is not measured here (see ``actbench env``).

A slice in which the allocator took new memory from the system is timed again as well: of the 400 KB that torch aligns
for a result, glibc finds a new place in each of about seven calls whenever other arrays came in between, and a call
takes 150 microseconds with 98 page faults and 20 without (glibc 2.36). What faults as often the next time always does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from resource import RUSAGE_SELF, getrusage
from time import perf_counter, process_time, thread_time

from actbench.engine.protocol import Taken, Timed

MOST_TIMINGS = 8
"""Largest number of timings of a slice until one is not disturbed."""

UNDISTURBED = 0.98
"""Least share of a slice's wall time in which the process must have had the processor."""

QUANTUM = 0.005
"""Seconds that a scheduler gives a process at a time, about; repeating a longer slice cannot help."""


FAULT = 0.25e-6
"""Seconds of a page fault, at least; in virtual machines it is a multiple of that."""

FAULTS = 0.01
"""Largest share of a slice's time that its page faults may take."""


def undisturbed(ready: Callable[[], Callable[[], None]], *, one_thread: bool = True) -> Taken:
    """Time a slice again until it is not disturbed; `ready` precedes each attempt and returns the function to time.

    `one_thread` is False where other threads or a device work as well.
    """
    faults: float = math.inf
    for attempt in range(1, MOST_TIMINGS + 1):
        calls = ready()
        switches, of_process = getrusage(RUSAGE_SELF), process_time()
        begun = thread_time()
        start = perf_counter()
        calls()
        seconds = perf_counter() - start
        busy = thread_time() - begun
        others, since = process_time() - of_process - busy, getrusage(RUSAGE_SELF)
        before, faults = faults, since.ru_minflt - switches.ru_minflt
        if FAULTS * seconds < faults * FAULT and faults < before and seconds < QUANTUM and attempt < MOST_TIMINGS:
            continue
        if busy > UNDISTURBED * seconds:
            return Taken(seconds, 1.0)
        alone = one_thread and since.ru_nvcsw == switches.ru_nvcsw and others < (1 - UNDISTURBED) * seconds
        if not alone and since.ru_nivcsw == switches.ru_nivcsw:
            return Taken(seconds, 1.0)  # it waited voluntarily, and was not interrupted
        if busy > QUANTUM or attempt == MOST_TIMINGS:
            break
    return Taken(busy, busy / seconds) if alone and busy > 0 else Taken(seconds, 0.0)


def by_sweep(timings: Iterable[Sequence[Taken]], parts: Iterable[tuple[float, ...]] = ()) -> Timed:
    """Return the answer of the timings of slices, by sweep, and of the parts of training steps."""
    sweeps = [*timings]
    return Timed(
        tuple(tuple(taken.seconds for taken in sweep) for sweep in sweeps),
        tuple(tuple(taken.processor for taken in sweep) for sweep in sweeps),
        tuple(parts),
    )
