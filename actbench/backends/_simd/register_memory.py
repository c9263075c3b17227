"""Loads and stores of registers: array by array, in blocks of as many numbers as registers hold, and of the rest.

Loops refer to this module and not to its functions, as `actbench.backends._simd.prefetch` does and says why.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types

from actbench.backends._simd.bits import intrinsic
from actbench.backends._simd.registers import REGISTERS, Register, declared, lanes_of, spread, suffix

INDEX = ir.IntType(64)


def _vector(kind: Any, registers: int = REGISTERS) -> ir.VectorType:
    element = ir.FloatType() if kind.dtype == types.float32 else ir.DoubleType()
    return ir.VectorType(element, lanes_of(kind.dtype, registers))


def _address(builder: ir.IRBuilder, data: ir.Value, first: ir.Value, vector: ir.VectorType) -> ir.Value:
    """Return the address of a vector that begins with an element of an array."""
    return builder.bitcast(builder.gep(data, [first]), vector.as_pointer())


def _data(context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value) -> ir.Value:
    return context.make_array(kind)(context, builder, array).data


def _size(context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value) -> ir.Value:
    return context.make_array(kind)(context, builder, array).nitems


def _blocks(context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value) -> ir.Value:
    return builder.udiv(_size(context, builder, kind, array), INDEX(lanes_of(kind.dtype)))


def _part(context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value, part: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Return the address of a register behind the last whole block, and which of its lanes belong to the array."""
    vector = _vector(kind, 1)
    blocks = builder.mul(_blocks(context, builder, kind, array), INDEX(lanes_of(kind.dtype)))
    first = builder.add(blocks, builder.mul(part, INDEX(vector.count)))
    count = builder.trunc(builder.sub(_size(context, builder, kind, array), first), ir.IntType(32))
    numbers = ir.VectorType(ir.IntType(32), vector.count)
    within = builder.icmp_signed("<", ir.Constant(numbers, [*range(vector.count)]), spread(builder, count, numbers))
    return _address(builder, _data(context, builder, kind, array), first, vector), within


def _bytes(kind: Any) -> int:
    return int(kind.dtype.bitwidth) // 8


@intrinsic
def blocks(_context: Any, array):
    """Return the number of whole blocks in an array."""

    def generate(context, builder, signature, args):
        return _blocks(context, builder, signature.args[0], args[0])

    return types.intp(array), generate


@intrinsic
def parts(_context: Any, array):
    """Return how many registers have room for what follows the last whole block of an array."""

    def generate(context, builder, signature, args):
        (kind,) = signature.args
        rest = builder.urem(_size(context, builder, kind, args[0]), INDEX(lanes_of(kind.dtype)))
        lanes = lanes_of(kind.dtype, 1)
        return builder.udiv(builder.add(rest, INDEX(lanes - 1)), INDEX(lanes))

    return types.intp(array), generate


@intrinsic
def load(_context: Any, array, block):
    """Return a block of an array, by its number."""

    def generate(context, builder, signature, args):
        kind = signature.args[0]
        first = builder.mul(args[1], INDEX(lanes_of(kind.dtype)))
        value = builder.load(_address(builder, _data(context, builder, kind, args[0]), first, _vector(kind)))
        value.align = _bytes(kind)
        return value

    return Register(array.dtype, lanes_of(array.dtype))(array, block), generate


@intrinsic
def store(_context: Any, array, block, value):
    """Store a block of an array, by its number."""

    def generate(context, builder, signature, args):
        kind = signature.args[0]
        first = builder.mul(args[1], INDEX(lanes_of(kind.dtype)))
        address = _address(builder, _data(context, builder, kind, args[0]), first, _vector(kind))
        stored = builder.store(spread(builder, args[2], _vector(kind)), address)
        stored.align = _bytes(kind)
        return context.get_dummy_value()

    return types.void(array, block, value), generate


def _masked(builder: ir.IRBuilder, name: str, result: ir.Type, vector: ir.Type, values: list[ir.Value]) -> ir.Value:
    """Return the result of LLVM's masked load or store of a vector."""
    kind = ir.FunctionType(result, [value.type for value in values])
    return builder.call(declared(builder, f"{name}.{suffix(vector)}.p0", kind), values)


@intrinsic
def load_part(_context: Any, array, part):
    """Return what a register has room for behind the last whole block of an array, and zeros behind its end."""

    def generate(context, builder, signature, args):
        kind = signature.args[0]
        vector, align = _vector(kind, 1), ir.IntType(32)(_bytes(kind))
        address, within = _part(context, builder, kind, *args)
        return _masked(builder, "llvm.masked.load", vector, vector, [address, align, within, ir.Constant(vector, None)])

    return Register(array.dtype, lanes_of(array.dtype, 1))(array, part), generate


@intrinsic
def store_part(_context: Any, array, part, value):
    """Store what a register holds behind the last whole block of an array, up to its end."""

    def generate(context, builder, signature, args):
        kind = signature.args[0]
        vector, align = _vector(kind, 1), ir.IntType(32)(_bytes(kind))
        address, within = _part(context, builder, kind, *args[:2])
        values = [spread(builder, args[2], vector), address, align, within]
        _masked(builder, "llvm.masked.store", ir.VoidType(), vector, values)
        return context.get_dummy_value()

    return types.void(array, part, value), generate
