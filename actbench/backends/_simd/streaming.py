"""Stores that bypass the caches: non-temporal, as the SSE2 and AVX manuals call them. A copy by them, and its parts.

A line that is written as a whole need not be read first, which ordinary stores do, and evicts nothing. Its next reader
finds it in memory. LLVM makes such a store of a vector that is aligned to its size and marked as nontemporal. They are
not ordered with other stores, so that a fence ends the copy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.np import arrayobj

from actbench.backends._simd.bits import intrinsic
from actbench.backends._simd.dispatch import inlined

LINE = 64
"""Bytes of a cache line, which is written at once."""

TOGETHER = 64
"""Numbers of an iteration: whole lines of any type. On Zen 3, 32 and 128 were slower, since LLVM keeps neither in
registers."""

ROW = 4096
"""Elements of the longest row that is computed aside: 16 or 32 KiB, about the first-level cache."""

VECTOR = ir.VectorType(ir.IntType(64), LINE // 8)


@intrinsic
def lines(_context: Any, out: Any, start: Any, z: Any, first: Any):
    """Copy `TOGETHER` elements of z, from an index on, to an index of `out` at which a line begins."""

    def generate(context, builder, signature, args):
        element = signature.args[2].dtype.bitwidth // 8

        def addresses(place: int) -> list[ir.Value]:
            array = context.make_array(signature.args[place])(context, builder, args[place])
            begin = builder.bitcast(builder.gep(array.data, [args[place + 1]]), VECTOR.as_pointer())
            return [builder.gep(begin, [ir.IntType(64)(k)]) for k in range(TOGETHER * element // LINE)]

        values = [builder.load(address, align=element) for address in addresses(2)]
        mark = builder.module.add_metadata([ir.IntType(32)(1)])
        for address, value in zip(addresses(0), values, strict=True):
            builder.store(value, address, align=LINE).set_metadata("nontemporal", mark)
        return context.get_dummy_value()

    return types.void(out, start, z, first), generate


@intrinsic
def fence(_context: Any):
    """Order the stores before with those that follow."""

    def generate(context, builder, _signature, _args):
        ordering = ir.FunctionType(ir.VoidType(), ())
        builder.call(builder.module.declare_intrinsic("llvm.x86.sse.sfence", (), ordering), ())
        return context.get_dummy_value()

    return types.void(), generate


def _room_for(count: int) -> Callable[..., Any]:
    """Return what makes an array of so many elements on the stack."""

    @intrinsic
    def room(_context: Any, like: Any):
        """Return an array of elements of an array's type on the stack; it is not initialised.

        What is written to `TOGETHER` elements and then copied by `lines` stays in registers: LLVM knows their number.
        """
        kind = types.Array(like.dtype, 1, "C")
        element = kind.dtype.bitwidth // 8

        def generate(context, builder, _signature, _args):
            number = context.get_data_type(kind.dtype)
            with builder.goto_entry_block():
                place = builder.alloca(ir.ArrayType(number, count))
            place.align = LINE
            array = context.make_array(kind)(context, builder)
            arrayobj.populate_array(
                array,
                data=builder.bitcast(place, number.as_pointer()),
                shape=[ir.IntType(64)(count)],
                strides=[ir.IntType(64)(element)],
                itemsize=ir.IntType(64)(element),
                meminfo=None,
            )
            return array._getvalue()  # noqa: SLF001  # numba's own way to a value

        return kind(like), generate

    return room


room, row = _room_for(TOGETHER), _room_for(ROW)


@inlined
def before_lines(out):
    """Return the number of elements before the first line that begins in an array."""
    return min(out.size, (LINE - out.ctypes.data % LINE) % LINE // out.itemsize)


@inlined
def whole(out, first):
    """Return how many elements after the first ones are copied by `lines`."""
    return (out.size - first) // TOGETHER * TOGETHER


@inlined
def has_rows_of_lines(out):
    """Return whether every row of an array is whole lines, stored by `lines`, and no longer than `row`."""
    return out.ctypes.data % LINE == 0 and out.shape[1] % TOGETHER == 0 and out.shape[1] <= ROW


def non_temporal(out, z) -> None:
    """Copy every element; those before the first line of `out` and after the last whole ones by ordinary stores."""
    n, first = out.size, before_lines(out)
    end = first + whole(out, first)
    for i in range(first):
        out[i] = z[i]
    for i in range(first, end, TOGETHER):
        lines(out, i, z, i)
    for i in range(end, n):
        out[i] = z[i]
    fence()
