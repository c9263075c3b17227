"""The loops of `actbench.backends._gated_loops` over registers, as `actbench.backends._register_loops` says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actbench.backends import _gated_loops
from actbench.backends._loops import Loop, Span
from actbench.backends._simd import register_memory
from actbench.model.rule import Formula


def elementwise(span: Span, formula: Formula) -> Loop:
    """Return the loop that computes the activation of every pair of elements."""

    def loop(y, a, b):
        for block in span(register_memory.blocks(y)):
            register_memory.store(y, block, formula(register_memory.load(a, block), register_memory.load(b, block)))
        for part in range(register_memory.parts(y)):
            register_memory.store_part(
                y, part, formula(register_memory.load_part(a, part), register_memory.load_part(b, part))
            )

    return loop


def saving(span: Span, save: Formula) -> Loop:
    """Return the loop that computes the activation of every pair of elements, and one residual."""

    def loop(y, residual, a, b):
        for block in span(register_memory.blocks(y)):
            value, kept = save(register_memory.load(a, block), register_memory.load(b, block))
            register_memory.store(y, block, value)
            register_memory.store(residual, block, kept)
        for part in range(register_memory.parts(y)):
            value, kept = save(register_memory.load_part(a, part), register_memory.load_part(b, part))
            register_memory.store_part(y, part, value)
            register_memory.store_part(residual, part, kept)

    return loop


def backward_from_two(span: Span, formula: Formula) -> Loop:
    """Return the loop that multiplies the upstream gradient by both factors, from two residuals."""

    def loop(da, db, dy, residual, second):
        for block in span(register_memory.blocks(dy)):
            upstream = register_memory.load(dy, block)
            of_a, of_b = formula(register_memory.load(residual, block), register_memory.load(second, block))
            register_memory.store(da, block, upstream * of_a)
            register_memory.store(db, block, upstream * of_b)
        for part in range(register_memory.parts(dy)):
            upstream = register_memory.load_part(dy, part)
            of_a, of_b = formula(register_memory.load_part(residual, part), register_memory.load_part(second, part))
            register_memory.store_part(da, part, upstream * of_a)
            register_memory.store_part(db, part, upstream * of_b)

    return loop


REGISTERS: dict[Callable[..., Any], Callable[[Span, Formula], Loop]] = {
    _gated_loops.elementwise: elementwise,
    _gated_loops.saving: saving,
    _gated_loops.backward_from_two: backward_from_two,
}
"""The loops over registers in place of others; no built-in derivative from three residuals has an exponential."""
