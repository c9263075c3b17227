"""e^x of registers, with powers 2^(j/16), or 2^(j/8), looked up in a table that a register holds: one instruction.

x = k ln(2) / 16 + r with an integer k and |r| <= ln(2) / 32, so that the polynomial for e^r has half or a third of the
coefficients that it needs for |r| <= ln(2) / 2 (P. T. P. Tang, "Table-driven implementation of the exponential function
in IEEE floating-point arithmetic", 1989). The bits of k, shifted to where the exponent begins, are a floating-point
number whose first bits of fraction are those of j, the last four of k. What the table adds to these bits makes the
rounded 2^(k/16) of them. A second table has the relative errors of these roundings.

A table has as many entries as a register of 512 bits has lanes, 16 in float32 and 8 in float64. With 16 entries in two
registers, float64's logistic derivative took 1.1 times as long on Zen 4. Errors are no larger than without a table: the
exponential itself has the second table, and what is made of a raised one has it in float32. In float64, where 8 powers
have smaller errors, that would only cost time: the logistic derivative, at most 2.3 ULP off, is 1.05 times faster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from math import e, log2
from typing import Any

from llvmlite import ir

from actbench.backends._simd import coefficients
from actbench.backends._simd.bits import bits, intrinsic, left, muladd, plus, polynomial, real, select
from actbench.backends._simd.dispatch import inlined
from actbench.backends._simd.formats import FLOAT32, FLOAT64, Format
from actbench.backends._simd.registers import BITS, by_register, declared

TAILS: dict[Format, tuple[Any, ...]] = {FLOAT32: coefficients.EXP_TABULATED_32, FLOAT64: coefficients.EXP_TABULATED_64}

LOOK_UP = {32: "llvm.x86.avx512.permvar.si.512", 64: "llvm.x86.avx512.permvar.di.512"}
"""The instruction, by the bits of an integer: its result's lanes are those of the table that the integers name."""

SCALE = {16: "llvm.x86.avx512.mask.scalef.ps.512", 8: "llvm.x86.avx512.mask.scalef.pd.512"}
"""The instruction that multiplies by powers of two, by lanes."""

LANES = {ir.FloatType(): 16, ir.DoubleType(): 8}
"""Of a register."""

CURRENT_ROUNDING = 4
"""As other instructions round."""

EXACTLY = Context(prec=50)

ENTRIES = {FLOAT32: 16, FLOAT64: 8}
"""Of a table. The last bits of k name one."""


def _look_up(entries: Sequence[int]) -> Callable[..., Any]:
    """Return a function of integers in registers that gives, for the last bits of each, an entry."""
    width = BITS // len(entries)
    numbers = ir.VectorType(ir.IntType(width), len(entries))
    table = ir.Constant(numbers, [*entries])

    @intrinsic
    def looked_up(_context: Any, index):
        def generate(_context, builder, _signature, args):
            function = declared(builder, LOOK_UP[width], ir.FunctionType(numbers, [numbers] * 2))
            return by_register(builder, args, lambda part: builder.call(function, [table, part]))

        return index(index), generate

    return looked_up


@intrinsic
def scaled(_context: Any, x, k):
    """Return x 2^(the largest integer not above k), rounded once, in registers."""

    def generate(_context, builder, _signature, args):
        lanes = LANES[args[0].type.element]
        vector, mask, rounding = ir.VectorType(args[0].type.element, lanes), ir.IntType(lanes), ir.IntType(32)
        kind = ir.FunctionType(vector, [vector, vector, vector, mask, rounding])
        function = declared(builder, SCALE[lanes], kind)
        rest = [ir.Constant(vector, None), ir.Constant(mask, -1), rounding(CURRENT_ROUNDING)]
        return by_register(builder, args, lambda *parts: builder.call(function, [*parts, *rest]))

    return x(x, k), generate


def _powers(fmt: Format) -> list[Any]:
    """Return the rounded powers of 2."""
    return [fmt.real(float(power)) for power in _true_powers(fmt)]


def _errors(fmt: Format) -> Callable[..., Any]:
    """Return the look-up of the powers' relative errors, what is exact less 1."""
    pairs = zip(_true_powers(fmt), _powers(fmt), strict=True)
    errors = [EXACTLY.divide(power, Decimal(float(rounded))) - 1 for power, rounded in pairs]
    return _look_up([fmt.bits(float(error)) for error in errors])


def _true_powers(fmt: Format) -> list[Decimal]:
    return [EXACTLY.power(2, Decimal(j) / ENTRIES[fmt]) for j in range(ENTRIES[fmt])]


def _series(fmt: Format, steepness: float) -> tuple[Any, ...]:
    return tuple(fmt.real(float(c) * steepness**power) for power, c in enumerate((1.0, *TAILS[fmt]), 1))


def tabulated(fmt: Format, steepness: float) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the two functions of a raised e^(`steepness` x), as `decay` does, of registers."""
    entries = ENTRIES[fmt]
    first = fmt.fraction + 1 - entries.bit_length()
    powers = _powers(fmt)
    added = _look_up([fmt.bits(power) - fmt.bits(1.0) - (j << first) for j, power in enumerate(powers)])
    shift = fmt.integer(first)
    steps, less, per_ln2, minus_high, minus_low = fmt.reals(
        entries,
        (entries - 1) * fmt.magic,
        entries * steepness * log2(e),
        -fmt.ln2_high / (entries * steepness),
        -fmt.ln2_low / (entries * steepness),
    )

    grown = _growth(fmt, steepness)(fmt, steepness)

    @inlined
    def reduced(x, constant):
        finer = steps * constant - less
        total = muladd(x, per_ln2, finer)
        k = total - finer
        return total, muladd(k, minus_low, muladd(k, minus_high, x))

    @inlined
    def raised(total, r):
        k = bits(total)
        return grown(real(plus(left(k, shift), added(k))), r, k)

    return reduced, raised


def _growth(fmt: Format, steepness: float) -> Callable[[Format, float], Callable[..., Any]]:
    """Return which function of a power, r and the bits of k is raised to.

    Pairs were 1.05 times faster on Zen 5. Of a steepness of 1/2, GELU's, they were slower by as much: its coefficients
    leave no room in registers.
    """
    if fmt is FLOAT32:
        return _corrected
    return _by_pairs if abs(steepness) >= 1.0 else _by_horner


def _corrected(fmt: Format, steepness: float) -> Callable[..., Any]:
    """Return the function that multiplies a rounded power by e^(`steepness` r), and corrects it."""
    series, error_of = _series(fmt, steepness), _errors(fmt)

    @inlined
    def grown(scale, r, k):
        return muladd(muladd(polynomial(r, series), r, real(error_of(k))), scale, scale)

    return grown


def _by_horner(fmt: Format, steepness: float) -> Callable[..., Any]:
    """Return the function that multiplies a rounded power by e^(`steepness` r)."""
    series = _series(fmt, steepness)

    @inlined
    def grown(scale, r, _k):
        return muladd(polynomial(r, series), scale * r, scale)

    return grown


def _by_pairs(fmt: Format, steepness: float) -> Callable[..., Any]:
    """Return that function, of a shorter chain of as many multiply-adds: pairs of terms do not wait for each other."""
    c2, c3, c4, c5, c6, c7 = (fmt.real(float(c) / steepness) for c in _series(fmt, steepness)[1:])
    times = _times(fmt, steepness)

    @inlined
    def grown(scale, r, _k):
        square = r * r
        upper = muladd(muladd(r, c7, c6), square, muladd(r, c5, c4))
        return muladd(muladd(muladd(upper, square, muladd(r, c3, c2)), square, r), times(scale), scale)

    return grown


def _times(fmt: Format, factor: float) -> Callable[..., Any]:
    """Return the function that multiplies a positive normal number by a power of two, or minus one, exactly."""
    raising = fmt.integer(int(log2(abs(factor))) << fmt.fraction)

    @inlined
    def same(x):
        return x

    @inlined
    def negative(x):
        return -x

    @inlined
    def times(x):
        return real(plus(bits(x), raising))

    return {1.0: same, -1.0: negative}.get(factor, times)


def exponential(fmt: Format, lowest: float, highest: float) -> Callable[..., Any]:
    """Return e^x of registers, where numbers below `lowest` count as that, and those above `highest` as that.

    An instruction multiplies by the power of two, so that nothing is raised: it rounds once and overflows by itself.
    """
    powers, error_of = _powers(fmt), _errors(fmt)
    power_of = _look_up([fmt.bits(power) for power in powers])
    series = _series(fmt, 1.0)
    constant, per_ln2, minus_high, minus_low, low, high = fmt.reals(
        fmt.magic / ENTRIES[fmt], log2(e), -fmt.ln2_high, -fmt.ln2_low, lowest, highest
    )

    def exponential(x):
        """Return e^x, no farther off than without the table."""
        x = select(x > high, high, x)
        x = select(x < low, low, x)
        total = muladd(x, per_ln2, constant)
        k = total - constant
        r = muladd(k, minus_low, muladd(k, minus_high, x))
        power = real(power_of(bits(total)))
        return scaled(muladd(muladd(polynomial(r, series), r, real(error_of(bits(total)))), power, power), k)

    return exponential
