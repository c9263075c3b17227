"""Numbers in 16 bits for compiled loops: float16 and bfloat16 as integers, since numba has no type for them.

bfloat16 is the upper half of a float32, and needs integer arithmetic only. float16 uses an instruction where the
processor has one (F16C on x86, any 64-bit Arm), which LLVM vectorises. Elsewhere LLVM would call a library that this
process does not have, so integers serve again.

Every conversion rounds once, to nearest even. A float64 becomes a float32 that is rounded to odd, so that a later
rounding to fewer bits gives the same as rounding the float64 directly (S. Boldo and G. Melquiond, "Emulation of a FMA
and correctly rounded sums: proved algorithms using rounding to odd", 2008). A formula in float32 may return a float64
that is exactly a float32, such as math.inf.
"""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba.core import config, types

from actbench.backends._simd.bits import bits, both, either, intrinsic, left, minus, plus, real, right, select
from actbench.backends._simd.dispatch import inlined

ONE = np.int32(1)
MAGNITUDE = np.int32(0x7FFFFFFF)
SIXTEEN = np.int32(16)

BELOW_HALF = np.int32(0x7FFF)
"""Half a unit in the last place of a bfloat16, less one bit, in the bits of a float32."""
QUIET = np.int32(0x400000)

DROPPED = np.int32(13)
"""Bits by which the fraction of a float32 is longer than that of a float16."""
BELOW_HALF_OF_HALF = np.int32(0xFFF)
REBIAS = np.int32((127 - 15) << 23)
FLOAT16_SCALE = np.float32(2.0**112)
FLOAT16_MAGNITUDE, FLOAT16_SIGN = np.int32(0x7FFF), np.int32(0x8000)
FLOAT16_INFINITY, FLOAT16_NAN = np.int32(0x7C00), np.int32(0x7E00)
FLOAT32_INFINITY = np.int32(0x7F800000)
SMALLEST_NORMAL = np.int32((127 - 14) << 23)
"""2^-14, as bits of a float32: smaller numbers are subnormal in float16."""
TOO_LARGE = np.int32((127 + 16) << 23)
"""2^16: larger numbers become infinite; smaller ones that round to it become infinite by the carry."""
HALF = np.float32(0.5)
"""Numbers from 1/2 to 1 have the spacing of float16's subnormal numbers, after scaling."""
HALF_BITS = np.int32(0x3F000000)


def converts() -> bool:
    """Return whether the processor that numba compiles for is known to convert float16."""
    if platform.machine().lower() in {"arm64", "aarch64"}:
        return True
    configured: str | None = vars(config)["CPU_FEATURES"]
    return "+f16c" in (binding.get_host_cpu_features().flatten() if configured is None else configured).split(",")


@intrinsic
def unsigned(_context: Any, kept):
    """Return 16 bits as a 32-bit integer."""
    return types.int32(kept), lambda _context, builder, _signature, args: builder.zext(args[0], ir.IntType(32))


@intrinsic
def low(_context: Any, i):
    """Return the lower 16 bits of an integer."""
    return types.uint16(i), lambda _context, builder, _signature, args: builder.trunc(args[0], ir.IntType(16))


@intrinsic
def widened_by_instruction(_context: Any, kept):
    """Return a float16 as a float32."""

    def generate(_context, builder, _signature, args):
        return builder.fpext(builder.bitcast(args[0], ir.HalfType()), ir.FloatType())

    return types.float32(kept), generate


@intrinsic
def narrowed_by_instruction(_context: Any, x):
    """Return a float32 as a float16, rounded to nearest even."""

    def generate(_context, builder, _signature, args):
        return builder.bitcast(builder.fptrunc(args[0], ir.HalfType()), ir.IntType(16))

    return types.uint16(x), generate


@inlined
def widened_by_integers(kept):
    """Return a float16 as a float32: the bits are moved to their new places, and scaled by 2^112, which is exact."""
    i = unsigned(kept)
    magnitude = both(i, FLOAT16_MAGNITUDE)
    shifted = left(magnitude, DROPPED)
    finite = bits(real(shifted) * FLOAT16_SCALE)
    positive = select(magnitude >= FLOAT16_INFINITY, either(shifted, FLOAT32_INFINITY), finite)
    return real(either(positive, left(both(i, FLOAT16_SIGN), SIXTEEN)))


@inlined
def narrowed_by_integers(x):
    """Return a float32 as a float16, rounded to nearest even (F. Giesen, "float->half variants", 2012)."""
    i = bits(x)
    magnitude = both(i, MAGNITUDE)
    odd = both(right(magnitude, DROPPED), ONE)
    normal = right(minus(plus(plus(magnitude, odd), BELOW_HALF_OF_HALF), REBIAS), DROPPED)
    subnormal = minus(bits(real(magnitude) + HALF), HALF_BITS)
    finite = select(magnitude < SMALLEST_NORMAL, subnormal, normal)
    special = select(magnitude > FLOAT32_INFINITY, FLOAT16_NAN, FLOAT16_INFINITY)
    positive = select(magnitude >= TOO_LARGE, special, finite)
    return low(either(positive, both(right(i, SIXTEEN), FLOAT16_SIGN)))


widened, narrowed = (
    (widened_by_instruction, narrowed_by_instruction) if converts() else (widened_by_integers, narrowed_by_integers)
)


@inlined
def rounded_to_odd(x):
    """Return a float64 as a float32; an inexact result is the one of its two neighbours whose last bit is 1."""
    near = np.float32(x)
    back = np.float64(near)
    i = bits(near)
    below = select(abs(back) > abs(x), minus(i, ONE), i)
    return real(select(back == x, i, either(below, ONE)))


@inlined
def float16_to_float32(kept):
    """Widen: by an instruction, vcvtph2ps on x86, or by integers where the processor has none."""
    return widened(kept)


@inlined
def float16_to_float64(kept):
    """Widen: by an instruction, vcvtph2ps on x86, or by integers where the processor has none."""
    return np.float64(widened(kept))


@inlined
def float32_to_float16(computed):
    """Round to nearest even: by an instruction, vcvtps2ph on x86, or by integers where the processor has none."""
    return narrowed(np.float32(computed))


@inlined
def float64_to_float16(computed):
    """Round to nearest even, once; by an instruction, vcvtps2ph on x86, or by integers where the processor has none."""
    return narrowed(rounded_to_odd(computed))


@inlined
def bfloat16_to_float32(kept):
    """Widen: the upper half of a float32."""
    return real(left(unsigned(kept), SIXTEEN))


@inlined
def bfloat16_to_float64(kept):
    """Widen: the upper half of a float32, as a float64."""
    return np.float64(real(left(unsigned(kept), SIXTEEN)))


@inlined
def float32_to_bfloat16(computed):
    """Round to nearest even: a carry from the lower half; NaN stays NaN."""
    i = bits(np.float32(computed))
    odd = both(right(i, SIXTEEN), ONE)
    carried = plus(plus(i, odd), BELOW_HALF)
    return low(right(select(both(i, MAGNITUDE) > FLOAT32_INFINITY, either(i, QUIET), carried), SIXTEEN))


@inlined
def float64_to_bfloat16(computed):
    """Round to nearest even, once."""
    return float32_to_bfloat16(rounded_to_odd(computed))


@inlined
def float32_to_float64(kept):
    """Widen."""
    return np.float64(kept)


@inlined
def float64_to_float32(computed):
    """Round to nearest even."""
    return np.float32(computed)
