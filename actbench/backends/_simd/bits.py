"""Building blocks of branch-free functions, of one or two LLVM instructions each: bits, selects, multiply-adds.

The integer operations exist because numba widens int32 arithmetic to int64. No 64-bit integer is converted to a float
or shifted arithmetically, since before AVX-512 there is no vector instruction for either. Only `round_down` rounds a
float to an integer by an instruction, which exists from SSE4.1 on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import extending
from numba.core import cgutils, types

from actbench.backends._simd.registers import Register, alike, called, common, element_of, with_element

intrinsic = cast(Callable[[Callable[..., Any]], Callable[..., Any]], extending.intrinsic)
"""numba's own annotation counts the typing context as an argument."""

INTEGER: dict[Any, Any] = {types.float32: types.int32, types.float64: types.int64}
REAL = {integer: real for real, integer in INTEGER.items()}

FUSING = ("+fma,", "arm64", "aarch64")
"""What the abilities of a processor, or its kind, are called where it has fused multiply-adds."""

LONG = 10
"""Coefficients from which on two Horner schemes are used: that makes float64's logistic derivative 5 % faster."""


def multiply_add(builder: ir.IRBuilder, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
    """Return x y + z by fmuladd, which LLVM fuses where the hardware does; fma would call libm elsewhere."""
    return called(builder, "llvm.fmuladd", alike(builder, [x, y, z]))


def _horner(builder: ir.IRBuilder, x: ir.Value, coefficients: list[ir.Value]) -> ir.Value:
    *lower, value = coefficients
    for coefficient in reversed(lower):
        value = multiply_add(builder, value, x, coefficient)
    return value


@intrinsic
def muladd(_context: Any, x, y, z):
    """Return x y + z, rounded once or twice, depending on the hardware."""
    return common(x, y, z)(x, y, z), lambda _context, builder, _signature, args: multiply_add(builder, *args)


@intrinsic
def fused_or(_context: Any, x, y, z, otherwise):
    """Return x y + z, rounded once, where the processor can do that; otherwise the last argument."""

    def generate(context, builder, _signature, args):
        kind, _, abilities = context.codegen().magic_tuple()
        fuses = any(name in f"{kind},{abilities}," for name in FUSING)
        return multiply_add(builder, *args[:3]) if fuses else args[3]

    return common(x, y, z)(x, y, z, otherwise), generate


@intrinsic
def polynomial(_context: Any, x, coefficients):
    """Return the polynomial with these coefficients, from the constant up.

    It uses Horner's rule, and from `LONG` coefficients on two independent Horner schemes, for even and odd powers. Each
    step waits for the step before, and the processor does not look far enough ahead to fill that time with other
    elements.
    """

    def generate(_context, builder, _signature, args):
        x, values = args[0], cgutils.unpack_tuple(builder, args[1])
        if len(values) < LONG:
            return _horner(builder, x, values)
        square = builder.fmul(x, x)
        even, odd = _horner(builder, square, values[::2]), _horner(builder, square, values[1::2])
        return multiply_add(builder, x, odd, even)

    return x(x, coefficients), generate


@intrinsic
def select(_context: Any, condition, x, y):
    """Return x where the condition holds, otherwise y; both are evaluated, and nothing branches."""
    wide = next((kind for kind in (condition, x, y) if isinstance(kind, Register)), x)
    result = with_element(wide, element_of(x))
    return result(condition, x, y), lambda _context, builder, _signature, args: builder.select(*alike(builder, args))


@intrinsic
def square_root(_context: Any, x):
    """Return the square root by the hardware's instruction, which rounds correctly."""
    return x(x), lambda _context, builder, _signature, args: called(builder, "llvm.sqrt", args)


@intrinsic
def round_down(_context: Any, x):
    """Return the largest integer not above x: by one instruction with SSE4.1, AVX or NEON, otherwise by libm."""
    return x(x), lambda _context, builder, _signature, args: called(builder, "llvm.floor", args)


@intrinsic
def with_sign(_context: Any, magnitude, sign):
    """Return a magnitude with the sign of another number."""

    def generate(_context, builder, _signature, args):
        return called(builder, "llvm.copysign", alike(builder, args))

    return common(magnitude, sign)(magnitude, sign), generate


def _reinterpreted(kinds: dict[Any, Any], x: Any) -> Any:
    result = with_element(x, kinds[element_of(x)])

    def generate(context, builder, _signature, args):
        return builder.bitcast(args[0], context.get_value_type(result))

    return result(x), generate


@intrinsic
def bits(_context: Any, x):
    """Return the bits of a float as an integer of the same size."""
    return _reinterpreted(INTEGER, x)


@intrinsic
def real(_context: Any, i):
    """Return the float with these bits."""
    return _reinterpreted(REAL, i)


def _operation(name: str) -> Any:
    def operation(_context: Any, i, j):
        def generate(_context, builder, _signature, args):
            return getattr(builder, name)(*alike(builder, args))

        return common(i, j)(i, j), generate

    operation.__name__ = name
    return intrinsic(operation)


plus = _operation("add")
minus = _operation("sub")
both = _operation("and_")
either = _operation("or_")
unlike = _operation("xor")
left = _operation("shl")
right = _operation("lshr")
