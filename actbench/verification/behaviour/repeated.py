"""Detection of kernels that recognise operands which they have seen, by the time that they take.

A user's kernel may compare its operands, or a checksum of them, with the last ones and copy its last result. Its
results are right everywhere, but it has no meaningful speed, because the timed operands are always the same.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np

from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.verification.behaviour.guarded import exchange
from actbench.verification.behaviour.guarded_memory import GuardedMemory

PAIRS = 9
"""Number of pairs of calls: the first of a pair on operands that are new to the kernel, the second on the same."""

QUICKER = 2.0
"""Factor by which the second call of a pair is faster where operands are remembered."""

DISTURBED = 1
"""Number of pairs in which that may not show, because another process delayed the second call."""


def remembers(kernel: Kernel, size: int, memory: GuardedMemory) -> bool:
    """Return whether a kernel is faster on the operands of the previous call than on new ones."""
    invocation = kernel.invocation(size, memory)

    def seconds(*, new: bool) -> float:
        order, same = exchange(size), np.arange(size)
        memory.rearrange(order if new else same)  # both calls follow the same work, so that caches are alike
        start = perf_counter()
        invocation.function(*invocation.arguments)
        elapsed = perf_counter() - start
        if new:
            orders.append(order)
        return elapsed

    orders: list[Array] = []
    alike = 0
    for _ in range(PAIRS):
        alike += seconds(new=True) <= QUICKER * seconds(new=False)
        if alike > DISTURBED:
            break
    for order in reversed(orders):
        memory.rearrange(np.argsort(order))
    return alike <= DISTURBED
