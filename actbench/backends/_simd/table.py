"""e^x of registers, with powers 2^(j/16), or 2^(j/8), looked up in a table that a register holds: one instruction.

x = k ln(2) / 16 + r with an integer k and |r| <= ln(2) / 32, so that the polynomial for e^r has half or a third of the
coefficients that it needs for |r| <= ln(2) / 2 (P. T. P. Tang, "Table-driven implementation of the exponential function
in IEEE floating-point arithmetic", 1989). The bits of k, shifted to where the exponent begins, are a floating-point
number whose first bits of fraction are those of j, the last four of k. What the table adds to these bits makes the
rounded 2^(k/16) of them. A second table has the relative errors of these roundings.

A table has as many entries as a register of 512 bits has lanes, 16 in float32 and 8 in float64. Look-ups in two
registers take twice as long on Zen 4: with 16 entries, float64's logistic derivative took 1.1 times as long.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any

from llvmlite import ir

from actbench.backends._simd import coefficients
from actbench.backends._simd.bits import bits, intrinsic, left, muladd, plus, polynomial, real
from actbench.backends._simd.dispatch import inlined
from actbench.backends._simd.formats import FLOAT32, FLOAT64, Format
from actbench.backends._simd.reduction import reduction
from actbench.backends._simd.registers import BITS, by_register

TAILS: dict[Format, tuple[Any, ...]] = {FLOAT32: coefficients.EXP_TABULATED_32, FLOAT64: coefficients.EXP_TABULATED_64}

LOOK_UP = {32: "llvm.x86.avx512.permvar.si.512", 64: "llvm.x86.avx512.permvar.di.512"}
"""The instruction, by the bits of an integer: its result's lanes are those of the table that the integers name."""

EXACTLY = Context(prec=50)


def _looked_up(entries: list[Any]) -> Callable[..., Any]:
    """Return a function of integers in registers that gives, for the last bits of each, the bits of an entry."""
    width = BITS // len(entries)
    numbers = ir.VectorType(ir.IntType(width), len(entries))
    table = ir.Constant(numbers, [*map(int, entries)])

    @intrinsic
    def looked_up(_context: Any, index):
        def generate(_context, builder, _signature, args):
            function = ir.FunctionType(numbers, [numbers] * 2)
            known = builder.module.globals.get(LOOK_UP[width])
            look_up = known or ir.Function(builder.module, function, LOOK_UP[width])
            return by_register(builder, args[0], lambda part: builder.call(look_up, [table, part]))

        return index(index), generate

    return looked_up


def tabulated(fmt: Format, steepness: float) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the two functions of a raised e^(`steepness` x), as `decay` does, of registers."""
    entries = BITS // fmt.integer(0).nbytes // 8
    step = fmt.fraction + 1 - entries.bit_length()
    true = [EXACTLY.power(2, Decimal(j) / entries) for j in range(entries)]
    nearest = [fmt.real(float(power)) for power in true]
    errors = [
        float(EXACTLY.divide(power, Decimal(float(rounded))) - 1) for power, rounded in zip(true, nearest, strict=True)
    ]
    added = _looked_up([fmt.bits(power) - fmt.bits(1.0) - (j << step) for j, power in enumerate(nearest)])
    error_of = _looked_up([fmt.bits(error) for error in errors])
    reduced_by_table = reduction(fmt, factor=entries * steepness)
    series = tuple(fmt.real(float(c) * steepness**power) for power, c in enumerate((1.0, *TAILS[fmt]), 1))
    steps, less = fmt.reals(entries, (entries - 1) * fmt.magic)
    shift = fmt.integer(step)

    @inlined
    def reduced(x, constant):
        return reduced_by_table(x, steps * constant - less)

    @inlined
    def raised(total, r):
        k = bits(total)
        scale = real(plus(left(k, shift), added(k)))
        return muladd(muladd(polynomial(r, series), r, real(error_of(k))), scale, scale)

    return reduced, raised
