"""Peak arithmetic: chains of fused multiply-adds on packed registers, without a load or a store.

Every step of a chain waits for the step before. To keep all units busy, the number of chains must be the latency of a
unit times the number of units: about 8 on x86, 16 on Arm cores with four units. More chains than there are registers
would spill. The number of units, of registers and their width are not known here, so several forms are tried, and the
fastest one counts.

LLVM's generic ``fmuladd`` on generic vectors serves any processor. Without a fused multiply-add instruction, it becomes
a multiplication and an addition; vectors wider than a register become several registers. The vector types fix the
width: LLVM's preference for the loops that it vectorises itself, 256 bits on many processors with AVX-512, has no
effect on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from actbench.model.names import Dtype

FORMS = ((128, 10), (128, 20), (256, 10), (512, 10))
"""Bits of a vector, and independent chains of them: 10 fit 16 registers with both operands, 20 fit 32."""

FLOPS = 2
"""Operations per fused multiply-add."""


def _chained(typing_context, count, factor, term, lanes, chains):  # noqa: PLR0913, PLR0917  # numba adds the first
    """Do x = x * factor + term `count` times in every lane of every chain, and return the sum of all lanes."""
    del typing_context
    if not (isinstance(lanes, types.IntegerLiteral) and isinstance(chains, types.IntegerLiteral)):
        return None
    width, number = lanes.literal_value, chains.literal_value

    def generate(context, builder, signature, arguments):
        del context, signature
        times, scalar_factor, scalar_term, *_ = arguments
        vector = ir.VectorType(scalar_factor.type, width)
        bits = factor.bitwidth
        fused = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fmuladd.v{width}f{bits}"
        )
        factors, terms = (_everywhere(builder, vector, scalar) for scalar in (scalar_factor, scalar_term))
        # The compiler would merge chains that begin with equal values.
        starts = [ir.Constant(vector, [1.0 + chain / number] * width) for chain in range(number)]
        slots = [cgutils.alloca_once_value(builder, start) for start in starts]
        with cgutils.for_range(builder, times):
            for slot in slots:
                builder.store(builder.call(fused, [builder.load(slot), factors, terms]), slot)
        total = builder.load(slots[0])
        for slot in slots[1:]:
            total = builder.fadd(total, builder.load(slot))
        lane_sums = [builder.extract_element(total, ir.Constant(ir.IntType(32), lane)) for lane in range(width)]
        result = lane_sums[0]
        for lane_sum in lane_sums[1:]:
            result = builder.fadd(result, lane_sum)
        return result

    return factor(count, factor, term, lanes, chains), generate


chained: Any = intrinsic(prefer_literal=True)(_chained)
"""The function for compiled code, without the first argument; no type of Python functions describes it."""


def _everywhere(builder, vector, scalar):
    """Return a vector with the scalar in all lanes."""
    filled = ir.Constant(vector, ir.Undefined)
    for lane in range(vector.count):
        filled = builder.insert_element(filled, scalar, ir.Constant(ir.IntType(32), lane))
    return filled


def loop(lanes: int, chains: int) -> Callable[..., Any]:
    """Return the function to compile."""

    def run(count, factor, term):
        return chained(count, factor, term, lanes, chains)

    return run


def compiled(dtype: Dtype, bits: int, chains: int) -> Any:
    """Return ``run(count, factor, term)``, compiled or from numba's cache."""
    return _compile(dtype, bits, chains, cache=True)


def operations(dtype: Dtype, bits: int, chains: int) -> int:
    """Return the number of floating-point operations in one iteration of the loop."""
    return FLOPS * chains * bits // (8 * dtype.itemsize)


def code(dtype: Dtype, bits: int, chains: int) -> tuple[str, str]:
    """Return LLVM's optimised code and the assembly, for inspection and tests."""
    dispatcher = _compile(dtype, bits, chains, cache=False)
    (optimised,), (assembly,) = dispatcher.inspect_llvm().values(), dispatcher.inspect_asm().values()
    return optimised, assembly


def _compile(dtype: Dtype, bits: int, chains: int, *, cache: bool) -> Any:
    real = getattr(types, dtype)
    signature = real(types.intp, real, real)
    return numba.njit([signature], cache=cache)(loop(bits // (8 * dtype.itemsize), chains))
