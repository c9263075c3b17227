"""Reductions whose order LLVM may choose, so that it vectorises them: sums, and maxima without regard to NaN."""

from __future__ import annotations

from typing import Any

from actbench.backends._simd.bits import intrinsic


@intrinsic
def plus(_context: Any, x, y):
    """Return x + y, as part of a sum in any order."""

    def generate(_context, builder, _signature, args):
        return builder.fadd(*args, flags=("reassoc",))

    return x(x, y), generate


@intrinsic
def larger(_context: Any, x, y):
    """Return the larger number, either where one is NaN, and either zero."""

    def generate(_context, builder, _signature, args):
        flags = ("nnan", "nsz")
        above = builder.fcmp_ordered(">", *args, flags=flags)
        return builder.select(above, *args, flags=flags)

    return x(x, y), generate
