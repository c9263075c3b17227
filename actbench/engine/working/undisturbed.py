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
takes 150 microseconds with 98 page faults and 20 without (glibc 2.36). That goes on as long as it has fewer faults
every time, and not in slices that are longer than a quantum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A timing of a slice: seconds of the wall, of the thread and of others; how often it waited, lost and faulted."""

    seconds: float
    busy: float
    others: float
    waits: int
    lost: int
    faults: int

    @property
    def faulted(self) -> bool:
        """Whether page faults took more of it than they may, and another timing may have fewer."""
        return FAULTS * self.seconds < self.faults * FAULT and self.seconds < QUANTUM


def undisturbed(ready: Callable[[], Callable[[], None]], *, one_thread: bool = True) -> Taken:
    """Time a slice again until it is not disturbed; `ready` precedes each attempt and returns the function to time.

    `one_thread` is False where other threads or a device work as well.
    """
    for number in range(1, MOST_TIMINGS + 1):
        attempt = _with_fewest_faults(ready)
        seconds, busy = attempt.seconds, attempt.busy
        if busy > UNDISTURBED * seconds:
            return Taken(seconds, 1.0)
        alone = one_thread and not attempt.waits and attempt.others < (1 - UNDISTURBED) * seconds
        if not alone and not attempt.lost:
            return Taken(seconds, 1.0)  # it waited voluntarily, and was not interrupted
        if busy > QUANTUM or number == MOST_TIMINGS:
            break
    return Taken(busy, busy / seconds) if alone and busy > 0 else Taken(seconds, 0.0)


def _with_fewest_faults(ready: Callable[[], Callable[[], None]]) -> _Attempt:
    """Time a slice, and again as long as it has page faults, and fewer than before; return the last with fewer."""
    best = _timed(ready())
    for _ in range(MOST_TIMINGS - 1):
        if not best.faulted:
            break
        attempt = _timed(ready())
        if attempt.faults >= best.faults:
            break
        best = attempt
    return best


def _timed(calls: Callable[[], None]) -> _Attempt:
    before, of_process = getrusage(RUSAGE_SELF), process_time()
    begun = thread_time()
    start = perf_counter()
    calls()
    seconds = perf_counter() - start
    busy = thread_time() - begun
    others, after = process_time() - of_process - busy, getrusage(RUSAGE_SELF)
    waits, lost = after.ru_nvcsw - before.ru_nvcsw, after.ru_nivcsw - before.ru_nivcsw
    return _Attempt(seconds, busy, others, waits, lost, after.ru_minflt - before.ru_minflt)


def by_sweep(timings: Iterable[Sequence[Taken]], parts: Iterable[tuple[float, ...]] = ()) -> Timed:
    """Return the answer of the timings of slices, by sweep, and of the parts of training steps."""
    sweeps = [*timings]
    return Timed(
        tuple(tuple(taken.seconds for taken in sweep) for sweep in sweeps),
        tuple(tuple(taken.processor for taken in sweep) for sweep in sweeps),
        tuple(parts),
    )
