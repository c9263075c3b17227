"""The clock of the processor while it computes: how long a chain of dependent instructions takes, of known latency.

Each iteration multiplies 64-bit integers and takes the exclusive or of the product: 3 cycles and 1 on Intel processors
since Nehalem, on AMD's since Zen, and on Arm's since Cortex-A76. Multiplications alone would be regrouped, as they are
associative.
"""

from __future__ import annotations

from typing import Any

from actbench.backends._numba_import import import_compiler

CYCLES = 4
"""Of an iteration."""

FACTOR = 0x5851F42D4C957F2D
"""Odd, so that no bit of the product is lost."""


def chain(count, x):
    """Do `count` iterations on x, and return the last product."""
    for _ in range(count):
        x = (x * FACTOR) ^ count
    return x


def compiled() -> Any:
    """Return `chain`, compiled or from numba's cache, for integers of 64 bits."""
    import numba

    import_compiler()
    return numba.njit([numba.int64(numba.int64, numba.int64)], cache=True)(chain)


def code() -> str:
    """Return the assembly of `chain`, for tests."""
    import numba

    (assembly,) = numba.njit([numba.int64(numba.int64, numba.int64)])(chain).inspect_asm().values()
    return str(assembly)
