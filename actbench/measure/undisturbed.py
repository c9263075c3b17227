"""In a worker: a slice timed so that other processes do not count.

A slice that lost the processor is timed again, but one that is longer than a scheduler's `QUANTUM` loses it every time:
its wall time then says how many processes there are, not how fast a kernel is. Its processor time does not, as long as
the kernel keeps one thread busy and waits for nothing: the kernel is not affected by having been away, but for caches
that others filled. So the seconds of such a slice are processor time, and the answer says what share of the wall time
that is. The system knows whether a process gave up the processor by itself (a voluntary context switch), and how long
its other threads worked. A slice with either keeps its wall time, and so does one on a device, which works on while the
process is away; where such a slice lost the processor as well, the share is not known. The time that a hypervisor takes
is not measured here (see ``actbench env``).
"""

from __future__ import annotations

from collections.abc import Callable
from resource import RUSAGE_SELF, getrusage
from time import perf_counter, process_time, thread_time

from actbench.measure.protocol import Taken

MOST_TIMINGS = 8
"""How often a slice is timed at most, until one is not disturbed by another process on the same processor."""

UNDISTURBED = 0.98
"""The share of a slice's wall time that the process must have had the processor."""

QUANTUM = 0.005
"""Seconds: about what a scheduler gives a process at a time. A slice that needs more cannot do better a second time."""


def undisturbed(ready: Callable[[], Callable[[], None]], *, one_thread: bool = True) -> Taken:
    """Time a slice again until it is not disturbed; `ready` comes before each attempt and returns what makes its calls.

    `one_thread` is False for a backend that says that others work as well: further threads, or a device.
    """
    for attempt in range(1, MOST_TIMINGS + 1):
        calls = ready()
        switches, of_process = getrusage(RUSAGE_SELF), process_time()
        begun = thread_time()
        start = perf_counter()
        calls()
        seconds = perf_counter() - start
        busy = thread_time() - begun
        if busy > UNDISTURBED * seconds:
            return Taken(seconds, 1.0)
        others, since = process_time() - of_process - busy, getrusage(RUSAGE_SELF)
        alone = one_thread and since.ru_nvcsw == switches.ru_nvcsw and others < (1 - UNDISTURBED) * seconds
        if not alone and since.ru_nivcsw == switches.ru_nivcsw:
            return Taken(seconds, 1.0)  # it waited, and nothing was taken from it
        if busy > QUANTUM or attempt == MOST_TIMINGS:
            break
    return Taken(busy, busy / seconds) if alone and busy > 0 else Taken(seconds, 0.0)
