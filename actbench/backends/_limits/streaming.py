"""A copy whose stores bypass the caches: non-temporal, as the SSE2 and AVX manuals call them.

A line that is written as a whole need not be read first, which ordinary stores do, and evicts nothing. Its next reader
finds it in memory. LLVM makes such a store of a vector that is aligned to its size and marked as nontemporal. They are
not ordered with other stores, so that a fence ends the copy.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types

from actbench.backends._simd.bits import intrinsic

LINE = 64
"""Bytes of a cache line, which is written at once."""

LINES = 4
"""Lines of an iteration."""

VECTOR = ir.VectorType(ir.IntType(64), LINE // 8)


@intrinsic
def lines(_context: Any, out: Any, z: Any, start: Any):
    """Copy `LINES` lines from an index on, at which a line of `out` begins."""

    def generate(context, builder, signature, args):
        addresses = [
            builder.bitcast(
                builder.gep(context.make_array(kind)(context, builder, array).data, [args[2]]), VECTOR.as_pointer()
            )
            for kind, array in zip(signature.args[:2], args[:2], strict=True)
        ]
        target, source = ([builder.gep(first, [ir.IntType(64)(k)]) for k in range(LINES)] for first in addresses)
        element = signature.args[1].dtype.bitwidth // 8
        values = [builder.load(address, align=element) for address in source]
        mark = builder.module.add_metadata([ir.IntType(32)(1)])
        for address, value in zip(target, values, strict=True):
            builder.store(value, address, align=LINE).set_metadata("nontemporal", mark)
        return context.get_dummy_value()

    return types.void(out, z, start), generate


@intrinsic
def fence(_context: Any):
    """Order the stores before with those that follow."""

    def generate(context, builder, _signature, _args):
        ordering = ir.FunctionType(ir.VoidType(), ())
        builder.call(builder.module.declare_intrinsic("llvm.x86.sse.sfence", (), ordering), ())
        return context.get_dummy_value()

    return types.void(), generate


def non_temporal(out, z) -> None:
    """Copy every element; those before the first line of `out` and after the last whole ones by ordinary stores."""
    n, per_line = out.size, LINE // out.itemsize
    first = min(n, (LINE - out.ctypes.data % LINE) % LINE // out.itemsize)
    end = first + (n - first) // (LINES * per_line) * (LINES * per_line)
    for i in range(first):
        out[i] = z[i]
    for i in range(first, end, LINES * per_line):
        lines(out, z, i)
    for i in range(end, n):
        out[i] = z[i]
    fence()
