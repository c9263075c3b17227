"""Quotients of registers: one of four by a reciprocal on processors whose divider is slow, the others by the divider.

Golden Cove of Intel, and what is derived from it, divides 8 float64 in 16 cycles, while its two pipes for 512 bits
compute the rest of a derivative in 10 to 14. A reciprocal to 14 bits, two steps of Newton's method and a correction of
the quotient (P. Markstein, "Computation of elementary functions on the IBM RISC System/6000 processor", IBM Journal of
Research and Development 34, 1990) take 5 cycles of these pipes. So one register of four is divided in that way: on a
Granite Rapids Xeon the derivatives of logistic, tanh and softplus take 0.93 times as long in float64, silu 0.98. In
float32, where the divider takes 10 cycles, it did not pay. Zen 4 and 5 divide 8 float64 in 10 and 9 cycles, and do so.
"""

from __future__ import annotations

from itertools import chain, repeat
from typing import Any

from llvmlite import ir

from actbench.backends._simd.bits import intrinsic
from actbench.backends._simd.registers import BITS, Register, alike, by_register, called, common, declared

LANES = 8
"""Numbers of float64 in a register."""


@intrinsic
def quotient(_context: Any, dividend, divisor):
    """Return the quotient of positive normal numbers, which does not overflow and can be subnormal.

    It is rounded as a division rounds: the correction leaves an error of less than 2^-50 units in the last place
    before it is rounded, so that one of 2^49 quotients may be rounded the other way. That needs a dividend of at least
    2^-969, or a divisor of at least 2^53: what is left of a smaller dividend would underflow.
    """

    def generate(context, builder, signature, args):
        values = alike(builder, args)
        if not (isinstance(signature.return_type, Register) and _divides_slowly(context, values[0].type)):
            return builder.fdiv(*values)
        ways = chain([_by_reciprocal], repeat(ir.IRBuilder.fdiv))
        return by_register(builder, values, lambda *parts: next(ways)(builder, *parts))

    return common(dividend, divisor)(dividend, divisor), generate


def _divides_slowly(context: Any, vector: ir.VectorType) -> bool:
    """Return whether the divider of the processor for which is compiled delays a division of more than one register."""
    _, processor, _ = context.codegen().magic_tuple()
    return vector.element == ir.DoubleType() and vector.count > LANES and not processor.startswith("znver")


def _by_reciprocal(builder: ir.IRBuilder, dividend: ir.Value, divisor: ir.Value) -> ir.Value:
    def fused(x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        return called(builder, "llvm.fma", [x, y, z])

    vector, minus = divisor.type, builder.fneg(divisor)
    one = ir.Constant(vector, [1.0] * LANES)
    inverse = _rough_reciprocal(builder, divisor)
    for _ in range(2):
        inverse = fused(inverse, fused(minus, inverse, one), inverse)
    rounded = builder.fmul(dividend, inverse)
    return fused(fused(minus, rounded, dividend), inverse, rounded)


def _rough_reciprocal(builder: ir.IRBuilder, divisor: ir.Value) -> ir.Value:
    """Return the reciprocal, at most 2^-14 of it off."""
    vector, mask = divisor.type, ir.IntType(LANES)
    kind = ir.FunctionType(vector, [vector, vector, mask])
    function = declared(builder, f"llvm.x86.avx512.rcp14.pd.{BITS}", kind)
    return builder.call(function, [divisor, ir.Constant(vector, None), mask(-1)])
