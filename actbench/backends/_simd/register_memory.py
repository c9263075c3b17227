"""Loads and stores of registers: array by array, in blocks of as many numbers as registers hold, and of the rest.

Loops refer to this module and not to its functions, as `actbench.backends._simd.prefetch` does and says why.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types

from actbench.backends._simd.bits import intrinsic
from actbench.backends._simd.registers import Register, declared, lanes_of, spread, suffix

INDEX = ir.IntType(64)


def _vector(kind: Any) -> ir.VectorType:
    element = ir.FloatType() if kind.dtype == types.float32 else ir.DoubleType()
    return ir.VectorType(element, lanes_of(kind.dtype))


def _address(context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value, first: ir.Value) -> ir.Value:
    """Return the address of a vector that begins with an element of an array."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [first]), _vector(kind).as_pointer())


def _size(context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value) -> ir.Value:
    return context.make_array(kind)(context, builder, array).nitems


def _blocks(context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value) -> ir.Value:
    return builder.udiv(_size(context, builder, kind, array), INDEX(lanes_of(kind.dtype)))


def _last(context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Return the address behind the last whole block of an array, and which lanes of a vector there belong to it."""
    lanes = lanes_of(kind.dtype)
    first = builder.mul(_blocks(context, builder, kind, array), INDEX(lanes))
    count = builder.trunc(builder.sub(_size(context, builder, kind, array), first), ir.IntType(32))
    numbers = ir.VectorType(ir.IntType(32), lanes)
    within = builder.icmp_signed("<", ir.Constant(numbers, [*range(lanes)]), spread(builder, count, numbers))
    return _address(context, builder, kind, array, first), within


def _bytes(kind: Any) -> int:
    return int(kind.dtype.bitwidth) // 8


@intrinsic
def blocks(_context: Any, array):
    """Return the number of whole blocks in an array."""

    def generate(context, builder, signature, args):
        return _blocks(context, builder, signature.args[0], args[0])

    return types.intp(array), generate


@intrinsic
def rest(_context: Any, array):
    """Return how many numbers follow the last whole block of an array."""

    def generate(context, builder, signature, args):
        (kind,) = signature.args
        return builder.urem(_size(context, builder, kind, args[0]), INDEX(lanes_of(kind.dtype)))

    return types.intp(array), generate


@intrinsic
def load(_context: Any, array, block):
    """Return a block of an array, by its number."""

    def generate(context, builder, signature, args):
        kind = signature.args[0]
        first = builder.mul(args[1], INDEX(lanes_of(kind.dtype)))
        value = builder.load(_address(context, builder, kind, args[0], first))
        value.align = _bytes(kind)
        return value

    return Register(array.dtype, lanes_of(array.dtype))(array, block), generate


@intrinsic
def store(_context: Any, array, block, value):
    """Store a block of an array, by its number."""

    def generate(context, builder, signature, args):
        kind = signature.args[0]
        first = builder.mul(args[1], INDEX(lanes_of(kind.dtype)))
        stored = builder.store(
            spread(builder, args[2], _vector(kind)), _address(context, builder, kind, args[0], first)
        )
        stored.align = _bytes(kind)
        return context.get_dummy_value()

    return types.void(array, block, value), generate


def _masked(builder: ir.IRBuilder, name: str, result: ir.Type, vector: ir.Type, values: list[ir.Value]) -> ir.Value:
    """Return the result of LLVM's masked load or store of a vector."""
    kind = ir.FunctionType(result, [value.type for value in values])
    return builder.call(declared(builder, f"{name}.{suffix(vector)}.p0", kind), values)


@intrinsic
def load_rest(_context: Any, array):
    """Return what follows the last whole block of an array, and zeros behind it."""

    def generate(context, builder, signature, args):
        (kind,) = signature.args
        vector, align = _vector(kind), ir.IntType(32)(_bytes(kind))
        address, within = _last(context, builder, kind, args[0])
        return _masked(builder, "llvm.masked.load", vector, vector, [address, align, within, ir.Constant(vector, None)])

    return Register(array.dtype, lanes_of(array.dtype))(array), generate


@intrinsic
def store_rest(_context: Any, array, value):
    """Store what follows the last whole block of an array."""

    def generate(context, builder, signature, args):
        kind, vector = signature.args[0], _vector(signature.args[0])
        address, within = _last(context, builder, kind, args[0])
        values = [spread(builder, args[1], vector), address, ir.IntType(32)(_bytes(kind)), within]
        _masked(builder, "llvm.masked.store", ir.VoidType(), vector, values)
        return context.get_dummy_value()

    return types.void(array, value), generate
