"""Loads and stores of registers: array by array, in blocks of as many numbers as registers hold, and of the rest.

`actbench.backends._simd.four_registers` and `actbench.backends._simd.eight_registers` have them for blocks of so many.
Loops refer to these modules and not to their functions, as `actbench.backends._simd.prefetch` does and says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import types

from actbench.backends._simd.bits import intrinsic
from actbench.backends._simd.prefetch import ask_lines_behind
from actbench.backends._simd.registers import BITS, Register, declared, lanes_of, parts_of, spread, suffix

INDEX = ir.IntType(64)

BYTES = ir.IntType(8).as_pointer()

REGISTER = BITS // 8
"""Bytes of a register."""


class RegisterMemory(NamedTuple):
    """Functions for compiled code, of an array, and of the number of a block or of a part of the rest."""

    blocks: Callable[..., Any]
    """The number of whole blocks in an array."""
    load: Callable[..., Any]
    store: Callable[..., Any]
    parts: Callable[..., Any]
    """How many registers have room for what follows the last whole block."""
    load_part: Callable[..., Any]
    """What a register has room for behind the last whole block, and zeros behind the array's end."""
    store_part: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class RegisterBlocks:
    """The division of arrays into blocks."""

    registers: int
    """Of a block."""
    ahead: int = 0
    """How many blocks ahead what is loaded is prefetched; with 0 it is not, and LLVM stores in any order.

    LLVM loads and stores the registers of a block in any order. Of eight, processors do not see that one line follows
    another: from memory, the logistic derivative in float64 took 1.6 times as long on Zen 5 as with four, and that of
    mish 2.2 times in float32. Prefetches keep their order, and so do stores to addresses of which LLVM knows nothing.
    """

    def lanes(self, kind: Any) -> ir.Constant:
        """Return how many numbers of an array of this type a block has."""
        return INDEX(lanes_of(kind.dtype, self.registers))

    def count(self, context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value) -> ir.Value:
        """Return the number of whole blocks in an array."""
        return builder.udiv(size_of(context, builder, kind, array), self.lanes(kind))

    def address(self, context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value, block: ir.Value) -> ir.Value:
        """Return the address of a block."""
        first = builder.mul(block, self.lanes(kind))
        return _address(builder, _data(context, builder, kind, array), first, vector_of(kind, self.registers))

    def part(
        self, context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value, part: ir.Value
    ) -> tuple[ir.Value, ir.Value]:
        """Return the address of a register behind the last whole block, and which of its lanes belong to the array."""
        vector = vector_of(kind, 1)
        end = builder.mul(self.count(context, builder, kind, array), self.lanes(kind))
        first = builder.add(end, builder.mul(part, INDEX(vector.count)))
        within = below(builder, builder.sub(size_of(context, builder, kind, array), first), vector)
        return _address(builder, _data(context, builder, kind, array), first, vector), within

    def prefetch(self, builder: ir.IRBuilder, address: ir.Value) -> None:
        """Ask the memory for what is ahead of a block, if anything."""
        size = self.registers * REGISTER
        if self.ahead:
            ask_lines_behind(builder, address, self.ahead * size, size)

    def stores(self, builder: ir.IRBuilder, value: ir.Value, address: ir.Value) -> list[ir.StoreInstr]:
        """Return the stores of a block: of all at once, or of registers, in order."""
        if not self.ahead:
            return [builder.store(value, address)]
        first, lanes = builder.bitcast(address, BYTES), value.type.count // self.registers
        kept = ir.FunctionType(BYTES, [BYTES])
        stores = []
        for register in range(self.registers):
            part = parts_of(builder, value, range(register * lanes, (register + 1) * lanes))
            place = builder.asm(kept, "", "=r,0", [builder.gep(first, [INDEX(register * REGISTER)])], False)
            stores.append(builder.store(part, builder.bitcast(place, part.type.as_pointer())))
        return stores


def register_memory(registers: int, ahead: int = 0) -> RegisterMemory:
    """Return the functions for blocks of so many registers, which prefetch so many blocks ahead."""
    of = RegisterBlocks(registers, ahead)
    return RegisterMemory(*_of_blocks(of), *_of_the_rest(of))


def _of_blocks(of: RegisterBlocks) -> tuple[Callable[..., Any], ...]:
    @intrinsic
    def blocks(_context: Any, array):
        def generate(context, builder, signature, args):
            return of.count(context, builder, signature.args[0], args[0])

        return types.intp(array), generate

    @intrinsic
    def load(_context: Any, array, block):
        def generate(context, builder, signature, args):
            address = of.address(context, builder, signature.args[0], *args)
            of.prefetch(builder, address)
            value = builder.load(address)
            value.align = bytes_of(signature.args[0])
            return value

        return Register(array.dtype, lanes_of(array.dtype, of.registers))(array, block), generate

    @intrinsic
    def store(_context: Any, array, block, value):
        def generate(context, builder, signature, args):
            kind = signature.args[0]
            address = of.address(context, builder, kind, *args[:2])
            for stored in of.stores(builder, spread(builder, args[2], vector_of(kind, of.registers)), address):
                stored.align = bytes_of(kind)
            return context.get_dummy_value()

        return types.void(array, block, value), generate

    return blocks, load, store


def _of_the_rest(of: RegisterBlocks) -> tuple[Callable[..., Any], ...]:
    @intrinsic
    def parts(_context: Any, array):
        def generate(context, builder, signature, args):
            (kind,) = signature.args
            rest = builder.urem(size_of(context, builder, kind, args[0]), of.lanes(kind))
            lanes = lanes_of(kind.dtype, 1)
            return builder.udiv(builder.add(rest, INDEX(lanes - 1)), INDEX(lanes))

        return types.intp(array), generate

    @intrinsic
    def load_part(_context: Any, array, part):
        def generate(context, builder, signature, args):
            kind = signature.args[0]
            vector, align = vector_of(kind, 1), ir.IntType(32)(bytes_of(kind))
            address, within = of.part(context, builder, kind, *args)
            values = [address, align, within, ir.Constant(vector, None)]
            return masked(builder, "llvm.masked.load", vector, vector, values)

        return Register(array.dtype, lanes_of(array.dtype, 1))(array, part), generate

    @intrinsic
    def store_part(_context: Any, array, part, value):
        def generate(context, builder, signature, args):
            kind = signature.args[0]
            vector, align = vector_of(kind, 1), ir.IntType(32)(bytes_of(kind))
            address, within = of.part(context, builder, kind, *args[:2])
            values = [spread(builder, args[2], vector), address, align, within]
            masked(builder, "llvm.masked.store", ir.VoidType(), vector, values)
            return context.get_dummy_value()

        return types.void(array, part, value), generate

    return parts, load_part, store_part


def vector_of(kind: Any, registers: int) -> ir.VectorType:
    element = ir.FloatType() if kind.dtype == types.float32 else ir.DoubleType()
    return ir.VectorType(element, lanes_of(kind.dtype, registers))


def _address(builder: ir.IRBuilder, data: ir.Value, first: ir.Value, vector: ir.VectorType) -> ir.Value:
    """Return the address of a vector that begins with an element of an array."""
    return builder.bitcast(builder.gep(data, [first]), vector.as_pointer())


def _data(context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value) -> ir.Value:
    return context.make_array(kind)(context, builder, array).data


def size_of(context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value) -> ir.Value:
    return context.make_array(kind)(context, builder, array).nitems


def below(builder: ir.IRBuilder, count: ir.Value, vector: ir.VectorType) -> ir.Value:
    """Return which lanes of a vector have numbers below this one."""
    numbers = ir.VectorType(ir.IntType(32), vector.count)
    limit = spread(builder, builder.trunc(count, numbers.element), numbers)
    return builder.icmp_signed("<", ir.Constant(numbers, [*range(vector.count)]), limit)


def bytes_of(kind: Any) -> int:
    return int(kind.dtype.bitwidth) // 8


def masked(builder: ir.IRBuilder, name: str, result: ir.Type, vector: ir.Type, values: list[ir.Value]) -> ir.Value:
    """Return the result of LLVM's masked load or store of a vector."""
    kind = ir.FunctionType(result, [value.type for value in values])
    return builder.call(declared(builder, f"{name}.{suffix(vector)}.p0", kind), values)
