"""Loops that prefetch their next operands and results while they compute.

A loop that computes for about as long as its data take to arrive from the last cache still waits for them: the
processor looks ahead by some hundred instructions, which is less than one vector of an exponential. So large arrays are
processed piece by piece, and each piece begins by prefetching the next. On a Sapphire Rapids Xeon this made the
logistic derivative at n = 1 000 000 in float64 1.1 to 1.2 times faster. A loop that is bound by memory alone, such as
y (1 - y), gains as much from n = 4 000 000 on, and nothing at 1 000 000. On Zen 5 of AMD, plain loops are 1.05 to 1.4
times faster than these, almost everywhere. So only Intel's processors prefetch: elsewhere it was not measured to help.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actbench.backends._simd import prefetch
from actbench.backends._simd.prefetch import PREFETCHED
from actbench.host import processors

PREFETCH_BEYOND = 1 << 21
"""Size of an array, in bytes, beside which a second-level cache has no room for a second one."""


def helps() -> bool:
    """Return whether prefetching was measured to help on this kind of processor."""
    return processors.vendor() == "GenuineIntel"


def helps_rows() -> bool:
    """Return whether asking for the next row was measured to help on this kind of processor: AMD's without AVX-512.

    Of 4096 rows of 1024 float32 it saved 10 to 15 % of the time on Zen 3. On Zen 4 the forward pass of softmax took 1.1
    times as long with it, and the backward pass 1.4 times from y and 1.7 times from z.
    """
    processor = processors.description()
    return processor.vendor == "AuthenticAMD" and "avx512f" not in processor.flags


def over_two(loop: Callable[..., Any]) -> Callable[..., Any]:
    """Return the loop over two arrays, which prefetches the next piece of large ones."""

    def kernel(a, b):
        whole = a.size // PREFETCHED * PREFETCHED if a.nbytes > PREFETCH_BEYOND else 0
        for start in range(0, whole, PREFETCHED):
            end = start + PREFETCHED
            prefetch.ask(a, end)
            prefetch.ask(b, end)
            loop(a[start:end], b[start:end])
        loop(a[whole:], b[whole:])

    return kernel


def over_three(loop: Callable[..., Any]) -> Callable[..., Any]:
    """Return the loop over three arrays, with prefetching."""

    def kernel(a, b, c):
        whole = a.size // PREFETCHED * PREFETCHED if a.nbytes > PREFETCH_BEYOND else 0
        for start in range(0, whole, PREFETCHED):
            end = start + PREFETCHED
            prefetch.ask(a, end)
            prefetch.ask(b, end)
            prefetch.ask(c, end)
            loop(a[start:end], b[start:end], c[start:end])
        loop(a[whole:], b[whole:], c[whole:])

    return kernel


def over_four(loop: Callable[..., Any]) -> Callable[..., Any]:
    """Return the loop over four arrays, with prefetching."""

    def kernel(a, b, c, d):
        whole = a.size // PREFETCHED * PREFETCHED if a.nbytes > PREFETCH_BEYOND else 0
        for start in range(0, whole, PREFETCHED):
            end = start + PREFETCHED
            prefetch.ask(a, end)
            prefetch.ask(b, end)
            prefetch.ask(c, end)
            prefetch.ask(d, end)
            loop(a[start:end], b[start:end], c[start:end], d[start:end])
        loop(a[whole:], b[whole:], c[whole:], d[whole:])

    return kernel


OVER = {2: over_two, 3: over_three, 4: over_four}
"""The wrappers of loops, by number of arrays."""
