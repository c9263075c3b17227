"""What bounds a case: dispatch, allocation, compute or memory, by a rule that users can check.

While a block is calibrated, each arm is also timed on one element, which is all fixed cost, and on `CACHED` elements,
which lie in the caches next to the processor. With T the time of the case, F that of one element, and C the time that
its elements would take as fast as those in cache:

1. **dispatch** where F is half of T or more;
2. **memory** where a plain copy would take half of T or more to move the operands (`copy_limit_pct` of 50 or more);
3. where T is more than `SLOWED` times C, in arrays larger than `CACHED`, the data have left the cache: **allocation**
   for a backend that allocates its results and temporaries, which must come from memory as well, **memory** for one
   that writes to given arrays;
4. **compute** otherwise: arithmetic, or the interpreter, at the rate that it has in cache.

Where F is half of what the elements in cache take, as with threads to wake or a device to wait for, C would be mostly
the call, many times over: of larger arrays nothing is said beyond the first two.
"""

from __future__ import annotations

from enum import StrEnum

from actbench import backends
from actbench.model import CACHED, Case, Probe

HALF = 0.5

SLOWED = 1.5


class Bound(StrEnum):
    """What a case would have to do less of, to be faster."""

    DISPATCH = "dispatch"
    ALLOCATION = "allocation"
    COMPUTE = "compute"
    MEMORY = "memory"


def bound(case: Case, seconds: float, copy_limit_pct: float, probe: Probe) -> Bound | None:
    """Apply the rule; `seconds` is the time of one call. None where it says nothing."""
    if probe.single >= HALF * seconds:
        return Bound.DISPATCH
    if copy_limit_pct >= 100 * HALF:
        return Bound.MEMORY
    in_cache = probe.cached / CACHED * case.size
    if case.size > CACHED and not probe.tells:
        return None
    if case.size <= CACHED or seconds <= SLOWED * in_cache:
        return Bound.COMPUTE
    backend = backends.catalogue().get(case.backend)
    return Bound.MEMORY if backend is not None and backend.preallocates else Bound.ALLOCATION
