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

intrinsic = cast(Callable[[Callable[..., Any]], Callable[..., Any]], extending.intrinsic)
"""numba's own annotation counts the typing context as an argument."""

INTEGER: dict[Any, Any] = {types.float32: types.int32, types.float64: types.int64}
REAL = {integer: real for real, integer in INTEGER.items()}


FUSING = ("+fma,", "arm64", "aarch64")
"""What the abilities of a processor, or its kind, are called where it has fused multiply-adds."""

LONG = 10
"""Coefficients from which on two Horner schemes are used: that makes float64's logistic derivative 5 % faster."""


def _multiply_add(builder: ir.IRBuilder, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
    """Return x y + z by fmuladd, which LLVM fuses where the hardware does; fma would call libm elsewhere."""
    function = builder.module.declare_intrinsic("llvm.fmuladd", [x.type], ir.FunctionType(x.type, [x.type] * 3))
    return builder.call(function, [x, y, z])


def _horner(builder: ir.IRBuilder, x: ir.Value, coefficients: list[ir.Value]) -> ir.Value:
    *lower, value = coefficients
    for coefficient in reversed(lower):
        value = _multiply_add(builder, value, x, coefficient)
    return value


@intrinsic
def muladd(_context: Any, x, y, z):
    """Return x y + z, rounded once or twice, depending on the hardware."""
    return x(x, y, z), lambda _context, builder, _signature, args: _multiply_add(builder, *args)


@intrinsic
def fused_or(_context: Any, x, y, z, otherwise):
    """Return x y + z, rounded once, where the processor can do that; otherwise the last argument."""

    def generate(context, builder, _signature, args):
        kind, _, abilities = context.codegen().magic_tuple()
        fuses = any(name in f"{kind},{abilities}," for name in FUSING)
        return _multiply_add(builder, *args[:3]) if fuses else args[3]

    return x(x, y, z, otherwise), generate


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
        return _multiply_add(builder, x, odd, even)

    return x(x, coefficients), generate


@intrinsic
def select(_context: Any, condition, x, y):
    """Return x where the condition holds, otherwise y; both are evaluated, and nothing branches."""
    return x(condition, x, y), lambda _context, builder, _signature, args: builder.select(*args)


@intrinsic
def square_root(_context: Any, x):
    """Return the square root by the hardware's instruction, which rounds correctly."""

    def generate(_context, builder, _signature, args):
        return builder.call(builder.module.declare_intrinsic("llvm.sqrt", [args[0].type]), args)

    return x(x), generate


@intrinsic
def round_down(_context: Any, x):
    """Return the largest integer not above x: by one instruction with SSE4.1, AVX or NEON, otherwise by libm."""

    def generate(_context, builder, _signature, args):
        return builder.call(builder.module.declare_intrinsic("llvm.floor", [args[0].type]), args)

    return x(x), generate


@intrinsic
def with_sign(_context: Any, magnitude, sign):
    """Return a magnitude with the sign of another number."""

    def generate(_context, builder, _signature, args):
        kind = args[0].type
        function = builder.module.declare_intrinsic("llvm.copysign", [kind], ir.FunctionType(kind, [kind] * 2))
        return builder.call(function, args)

    return magnitude(magnitude, sign), generate


@intrinsic
def bits(_context: Any, x):
    """Return the bits of a float as an integer of the same size."""
    integer = INTEGER[x]
    return integer(x), lambda _context, builder, _signature, args: builder.bitcast(
        args[0], ir.IntType(integer.bitwidth)
    )


@intrinsic
def real(_context: Any, i):
    """Return the float with these bits."""
    kind = {types.int32: ir.FloatType(), types.int64: ir.DoubleType()}[i]
    return REAL[i](i), lambda _context, builder, _signature, args: builder.bitcast(args[0], kind)


def _operation(name: str) -> Any:
    def operation(_context: Any, i, j):
        return i(i, j), lambda _context, builder, _signature, args: getattr(builder, name)(*args)

    operation.__name__ = name
    return intrinsic(operation)


plus = _operation("add")
minus = _operation("sub")
both = _operation("and_")
either = _operation("or_")
unlike = _operation("xor")
left = _operation("shl")
right = _operation("lshr")
