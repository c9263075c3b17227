"""What bounds a case: dispatch, allocation, compute or memory, by a rule that users can check.

While a block is calibrated, each arm is also timed on one element, which is all fixed cost, and on `CACHED` elements,
which lie in the caches next to the processor. With T the time of the case, F that of one element, and C the time that
its elements would take as fast as those in cache, F not counted:

1. **dispatch** where F is half of T or more;
2. **memory** where a plain copy would take half of T or more to move the operands, its own call not counted, and where
   it moves them for half as long as that call or longer: of less, the call's scatter would pass for moving;
3. where T - F is more than `SLOWED` times C, in arrays larger than `CACHED`, data have left the cache: **allocation**
   for a backend that allocates its results and temporaries, which must come from memory as well, **memory** for one
   that writes to given arrays;
4. **compute** otherwise: arithmetic, or the interpreter, at the rate that it has in cache.

Where the elements in cache take less than half of F, as with threads to wake or a device to wait for, C would be F's
scatter, many times over: of larger arrays nothing is said beyond the first two.
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


def bound(case: Case, seconds: float, moving: float, probe: Probe) -> Bound | None:
    """Apply the rule; `seconds` is the time of one call. None where it says nothing.

    `moving` are the seconds that a plain copy would take to move the operands, without those of its call.
    """
    if probe.single >= HALF * seconds:
        return Bound.DISPATCH
    if moving >= HALF * seconds:
        return Bound.MEMORY
    if case.size <= CACHED:
        return Bound.COMPUTE
    if probe.elements is None:
        return None
    if seconds - probe.single <= SLOWED * probe.elements * case.size:
        return Bound.COMPUTE
    backend = backends.catalogue().get(case.backend)
    return Bound.MEMORY if backend is not None and backend.preallocates else Bound.ALLOCATION
