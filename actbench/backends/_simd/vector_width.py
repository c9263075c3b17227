"""How wide LLVM may vectorise the function being compiled."""

from __future__ import annotations

from typing import Any

from numba.core import types

from actbench.backends._simd.bits import intrinsic

ATTRIBUTE = '"prefer-vector-width"="512"'


@intrinsic
def widest(_context: Any):
    """Let the loops of the function that calls this use 512-bit vectors, where the processor has them.

    LLVM prefers 256 bits on Intel processors whose predecessors lowered their clock for more. On a Sapphire Rapids
    Xeon, 512 bits made the logistic derivative at n = 100 000 1.3 times faster, in float32 as in float64. Without
    AVX-512 it changes nothing.
    """

    def generate(context, builder, _signature, _args):
        set.add(
            builder.function.attributes, ATTRIBUTE
        )  # past llvmlite's own add, which knows names without values alone
        return context.get_dummy_value()

    return types.void(), generate
