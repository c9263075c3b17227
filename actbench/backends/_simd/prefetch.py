"""Prefetching of the next operands and results of a loop.

Loops refer to this module and not to the intrinsic: the key of numba's cache depends on the objects that a function
refers to. numba serialises modules by name, but an intrinsic by a number that differs in every process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types

from actbench.backends._simd import ROW_BLOCK
from actbench.backends._simd.bits import intrinsic
from actbench.backends._simd.streaming import TOGETHER

PREFETCHED = 128
"""Number of elements. At twice the distance, 8-byte numbers are evicted from the first-level cache again; at half the
distance, they arrive too late."""

LINE = 64
"""Bytes of a cache line, or half of one."""

READING, NEAR, DATA = 0, 3, 1
"""Arguments of llvm.prefetch: for reading as well as writing; as near to the processor as possible; data."""


def ask_lines_behind(builder: ir.IRBuilder, address: ir.Value, distance: int, size: int) -> None:
    """Prefetch so many bytes, from a distance in bytes behind an address on; behind an array that does no harm."""
    number, place = ir.IntType(32), ir.IntType(8).as_pointer()
    first = builder.bitcast(address, place)
    kind = ir.FunctionType(ir.VoidType(), [place, number, number, number])
    function = builder.module.declare_intrinsic("llvm.prefetch", [place], kind)
    for offset in range(distance, distance + size, LINE):
        builder.call(function, [builder.gep(first, [number(offset)]), number(READING), number(NEAR), number(DATA)])


def _asking(count: int) -> Callable[..., Any]:
    """Return what prefetches so many elements."""

    @intrinsic
    def ask(_context: Any, array: Any, start: Any):
        """Prefetch elements from an index on, rows one after the other; elements beyond the array do no harm."""

        def generate(context, builder, signature, args):
            kind = signature.args[0]
            first = builder.gep(context.make_array(kind)(context, builder, args[0]).data, [args[1]])
            ask_lines_behind(builder, first, 0, count * kind.dtype.bitwidth // 8)
            return context.get_dummy_value()

        return types.void(array, start), generate

    return ask


ask, ask_block, ask_lines = map(_asking, (PREFETCHED, ROW_BLOCK, TOGETHER))
