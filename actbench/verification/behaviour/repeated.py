"""Whether a kernel of the user's recognises operands that it has seen, which no result tells: by the time it takes.

One that compares its operands with the last ones, or takes a checksum of them, and copies what it gave, is right
everywhere, and has no speed: the operands that are timed are always the same.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np

from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.verification.behaviour.guarded import GuardedMemory, exchange

PAIRS = 9
"""Pairs of calls, the first of each on operands that are new to the kernel, the second on the same."""

QUICKER = 2.0
"""How many times less the second call of every pair takes, where operands are remembered."""


def remembers(kernel: Kernel, size: int, memory: GuardedMemory) -> bool:
    """Say whether a kernel is quicker on the operands of the call before than on those it has not seen."""
    invocation = kernel.invocation(size, memory)

    def seconds(*, new: bool) -> float:
        order, same = exchange(size), np.arange(size)
        memory.rearrange(order if new else same)  # what comes before a call is alike, so that caches are
        start = perf_counter()
        invocation.function(*invocation.arguments)
        taken = perf_counter() - start
        if new:
            orders.append(order)
        return taken

    orders: list[Array] = []
    slower = all(seconds(new=True) > QUICKER * seconds(new=False) for _ in range(PAIRS))
    for order in reversed(orders):
        memory.rearrange(np.argsort(order))
    return slower
