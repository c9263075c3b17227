"""What a branch-free function is made of, each one LLVM instruction or two: numbers as bits, selects, multiply-adds.

Integer operations are here because numba widens int32 arithmetic to int64. No 64-bit integer is converted to a float or
shifted arithmetically: before AVX-512 there is no vector instruction for either. No float is rounded to an
integer by an instruction, but for `round_down`, which is that instruction: before SSE4.1 there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import extending
from numba.core import cgutils, types

intrinsic = cast(Callable[[Callable[..., Any]], Callable[..., Any]], extending.intrinsic)
"""numba's own annotation counts the typing context among the arguments."""

INTEGER: dict[Any, Any] = {types.float32: types.int32, types.float64: types.int64}
REAL = {integer: real for real, integer in INTEGER.items()}


LONG = 10
"""Coefficients: those of float64's exponential, the logistic derivative of which this makes 5 % faster."""


def _multiply_add(builder: ir.IRBuilder, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
    """LLVM fuses fmuladd where the target does so in hardware; fma would call libm where it does not."""
    function = builder.module.declare_intrinsic("llvm.fmuladd", [x.type], ir.FunctionType(x.type, [x.type] * 3))
    return builder.call(function, [x, y, z])


def _horner(builder: ir.IRBuilder, x: ir.Value, coefficients: list[ir.Value]) -> ir.Value:
    *lower, value = coefficients
    for coefficient in reversed(lower):
        value = _multiply_add(builder, value, x, coefficient)
    return value


@intrinsic
def muladd(_context: Any, x, y, z):
    """Return x y + z, rounded once or twice, as the hardware has it."""
    return x(x, y, z), lambda _context, builder, _signature, args: _multiply_add(builder, *args)


@intrinsic
def polynomial(_context: Any, x, coefficients):
    """Return the polynomial with these coefficients, from the constant up.

    By Horner's rule, and from `LONG` coefficients on by two of them, for even and odd powers: each step waits for the
    one before, and what the processor can hold of the next numbers does not fill so long a wait.
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
    """Return x where the condition holds, else y: both are evaluated, and nothing jumps."""
    return x(condition, x, y), lambda _context, builder, _signature, args: builder.select(*args)


@intrinsic
def square_root(_context: Any, x):
    """Return the square root by the hardware's instruction, which rounds correctly."""

    def generate(_context, builder, _signature, args):
        return builder.call(builder.module.declare_intrinsic("llvm.sqrt", [args[0].type]), args)

    return x(x), generate


@intrinsic
def round_down(_context: Any, x):
    """Return the largest integer not above x, by one instruction where there is SSE4.1, AVX or NEON, else by libm."""

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
    """Return the bits of a float as an integer of its size."""
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
