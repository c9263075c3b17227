"""numba-parallel: the loop of numba-simd, shared among threads.

The threads start when the first kernel is bound. Each is then pinned to a processor of its own, the calling thread to
the first. Waking them costs microseconds per call, which small arrays do not earn back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from actbench.backends._backend import Bound
from actbench.backends._compiling import jitted
from actbench.backends._rewriting import unchanged
from actbench.backends.numba import array_of
from actbench.backends.numba_simd import NumbaSimd
from actbench.host import processors
from actbench.model.names import Dtype, Op
from actbench.model.rule import Rule


def copying(span: Callable[[int], Any]) -> Callable[..., Any]:
    """Copy every element."""

    def kernel(out, z):
        for i in span(out.size):
            out[i] = z[i]

    return kernel


@cache
def copier(dtype: Dtype) -> Callable[..., Any]:
    """Return the copy by all threads, compiled once per process; the threads are started and pinned."""
    import numba

    dispatcher: Callable[..., Any] = jitted(
        copying(numba.prange), [array_of(dtype)] * 2, parallel=True, count_references=False
    )
    nothing = np.zeros(1, array_of(dtype))
    dispatcher(nothing.copy(), nothing)  # the first call starts the threads
    processors.spread()
    return dispatcher


class NumbaParallel(NumbaSimd):
    """A compiled loop that is vector code, over several threads."""

    name = "numba-parallel"
    summary = "the loop of numba-simd shared among threads by prange (--threads)"
    rank = 40
    threaded = True

    def span(self) -> Callable[[int], Any]:
        """Return ``prange``, which gives each thread a part of the range."""
        import numba

        counter: Callable[[int], Any] = numba.prange
        return counter

    def bind(self, op: Op, rule: Rule, dtype: Dtype) -> Bound:
        """Start the threads, then compile the loop or load it from numba's cache."""
        copier(dtype)
        return super().bind(op, rule, dtype)

    def bind_forward(self, rule: Rule, dtype: Dtype) -> Bound:
        """Likewise, for the loop of a forward pass."""
        copier(dtype)
        return super().bind_forward(rule, dtype)

    def around(self, arrays: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Return a function that returns the loop itself, which the threads share."""
        del arrays
        return unchanged

    def copy(self, dtype: Dtype) -> Callable[..., Any]:
        """Return the copy by all threads."""
        return copier(dtype)
