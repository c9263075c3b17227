"""Which copies, made as a kernel could make them, are timed beside numpy's: in blocks where they can differ from it.

They are compiled by numba, so plans without a backend of numba have none: its import doubles the start of a worker.
Both depend on what a plan says alone, and on the kind of processor, so that a plan is the same on all hosts of a kind.
"""

from __future__ import annotations

from dataclasses import replace

from actbench import registry
from actbench.backends._limits import copies
from actbench.backends.numba_simd import NumbaSimd
from actbench.host import environment
from actbench.model.cases import Block
from actbench.model.kernel_copies import LOOP_COPY, NON_TEMPORAL_COPY
from actbench.model.names import OperandState
from actbench.model.plan import Plan
from actbench.model.variants import Variant

LOOP_FROM = 1 << 13
"""Bytes of an array. The C library copies less than this by a loop of loads and stores as well: glibc's
``rep_movsb_threshold`` is 2 to 16 KiB, by the width of vectors, and where it has fast short copies 2 KiB or less."""

BYPASS_FROM = 1 << 20
"""Bytes of an array, above which it and its copy leave the private caches of a core, which have 2 MiB at most as a
rule. Inside of these an ordinary store is always faster."""


def leaves_private_caches(nbytes: int) -> bool:
    """Return whether an array of so many bytes, with its copy, is larger than the private caches of a core."""
    return nbytes > BYPASS_FROM


def with_kernel_copies(plan: Plan, cpu: int | None) -> Plan:
    """Return a plan with the copies that exist on this machine, in the blocks where they can differ from numpy's.

    A plan without a backend of numba stays as it is. Blocks of one element have those of their family, which show what
    a call of them costs. Where stores may bypass the last-level cache, that of processor `cpu` decides later whether
    they bound kernels.
    """
    if not _uses_numba(plan):
        return plan
    of_blocks = {block: _kernel_copies(block) for block in plan.blocks}
    of_families: dict[Block, dict[Variant, None]] = {}
    for block, kinds in of_blocks.items():
        of_families.setdefault(block.family, {}).update(dict.fromkeys(kinds))
    blocks = tuple(
        replace(block, kernel_copies=(*of_families[block.family],) if block == _single(block) else kinds)
        for block, kinds in of_blocks.items()
    )
    bypassing = any(NON_TEMPORAL_COPY in kinds for kinds in of_blocks.values())
    return replace(plan, blocks=blocks, cache=plan.cache or (environment.plausible_cache(cpu) if bypassing else 0))


def _uses_numba(plan: Plan) -> bool:
    backends = {arm.backend for block in plan.blocks for arm in block.arms if not block.op.network}
    return any(registry.backend(name).requires == NumbaSimd.requires for name in backends)


def without_kernel_copies(plan: Plan) -> Plan:
    """Return a plan without such copies, as plans were before there were any."""
    cold = any(block.operands is not OperandState.WARM for block in plan.blocks)
    blocks = tuple(replace(block, kernel_copies=()) for block in plan.blocks)
    return replace(plan, blocks=blocks, cache=plan.cache if cold else 0)


def _kernel_copies(block: Block) -> tuple[Variant, ...]:
    """Return the copies of a block; none where all cases are held against a copy of their backend's own."""
    if block.op.network or block.is_ladder or {arm.backend for arm in block.arms} <= {*block.copies}:
        return ()
    nbytes = block.size * block.dtype.itemsize
    can_differ = {
        LOOP_COPY: nbytes >= LOOP_FROM,
        NON_TEMPORAL_COPY: _can_bypass(block.operands, nbytes),
    }
    return tuple(kind for kind, differs in can_differ.items() if differs and not copies.unavailable(kind))


def _can_bypass(operands: OperandState, nbytes: int) -> bool:
    """Return whether a result that bypasses the caches can be written as fast as one that does not."""
    match operands:
        case OperandState.WARM:
            return leaves_private_caches(nbytes)
        case OperandState.COLD:
            return nbytes >= LOOP_FROM
        case OperandState.RESIDUALS_COLD:
            return False  # the result is in cache


def _single(block: Block) -> Block:
    return replace(block, size=1, operands=OperandState.WARM)
