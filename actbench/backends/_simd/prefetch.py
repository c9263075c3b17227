"""Prefetch what a loop will need next.

It is a module of its own, for loops to name it: numba's cache goes by what functions hold, and serialises modules by
name, but of an intrinsic a number that is another in every process.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types

from actbench.backends._simd.bits import intrinsic

PREFETCHED = 128
"""Elements. Asked for twice as early, numbers of 8 bytes are pushed out of the first cache again; half as early, they
come too late."""

LINE = 64
"""Bytes of a cache line, or half of one."""

READING, NEAR, DATA = 0, 3, 1
"""Arguments of llvm.prefetch: not only for writing; as near to the processor as can be; and not instructions."""


@intrinsic
def ask(_context: Any, array: Any, start: Any):
    """Prefetch the `PREFETCHED` elements from an index on. Prefetching elements that do not exist is harmless."""

    def generate(context, builder, signature, args):
        kind, number = signature.args[0], ir.IntType(32)
        first = builder.gep(context.make_array(kind)(context, builder, args[0]).data, [args[1]])
        first = builder.bitcast(first, ir.IntType(8).as_pointer())
        function = builder.module.declare_intrinsic(
            "llvm.prefetch", [first.type], ir.FunctionType(ir.VoidType(), [first.type, number, number, number])
        )
        for offset in range(0, PREFETCHED * kind.dtype.bitwidth // 8, LINE):
            builder.call(function, [builder.gep(first, [number(offset)]), number(READING), number(NEAR), number(DATA)])
        return context.get_dummy_value()

    return types.void(array, start), generate
