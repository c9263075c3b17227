"""The width to which LLVM may vectorise the function that is compiled."""

from __future__ import annotations

from typing import Any

from numba.core import types

from actbench.backends._simd.bits import intrinsic

ATTRIBUTE = '"prefer-vector-width"="512"'


@intrinsic
def widest(_context: Any):
    """Let the loops of the calling function use 512-bit vectors, where the processor has them.

    LLVM prefers 256 bits on Intel processors, because their predecessors lowered the clock for 512. On a Sapphire
    Rapids Xeon, 512 bits made the logistic derivative at n = 100 000 1.3 times faster, in float32 and in float64.
    Without AVX-512 this has no effect.
    """

    def generate(context, builder, _signature, _args):
        set.add(builder.function.attributes, ATTRIBUTE)  # llvmlite's own `add` accepts only names without values
        return context.get_dummy_value()

    return types.void(), generate


def has_registers() -> bool:
    """Return whether the processor for which numba compiles has AVX-512."""
    kind, _, abilities = _target()
    return kind.startswith("x86_64") and "+avx512f" in abilities.split(",")


def is_zen_5() -> bool:
    """Return whether it is a Zen 5 of AMD, as far as LLVM knows it."""
    _, processor, _ = _target()
    return processor == "znver5"


def _target() -> tuple[str, str, str]:
    """Return the kind, the name and the abilities of the processor: this one, or the one that NUMBA_CPU_* name."""
    from numba.core.registry import cpu_target

    kind, processor, abilities = cpu_target.target_context.codegen().magic_tuple()
    return kind, processor, abilities
