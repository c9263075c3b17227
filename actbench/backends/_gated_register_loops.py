"""The loops of `actbench.backends._gated_loops` over registers, as `actbench.backends._register_loops` says."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from actbench.backends import _gated_loops
from actbench.backends._loops import Loop, Span
from actbench.backends._register_loops import Factory
from actbench.model.rule import Formula


def elementwise(span: Span, formula: Formula, memory: ModuleType) -> Loop:
    """Return the loop that computes the activation of every pair of elements."""

    def loop(y, a, b):
        for block in span(memory.blocks(y)):
            memory.store(y, block, formula(memory.load(a, block), memory.load(b, block)))
        for part in range(memory.parts(y)):
            memory.store_part(y, part, formula(memory.load_part(a, part), memory.load_part(b, part)))

    return loop


def saving(span: Span, save: Formula, memory: ModuleType) -> Loop:
    """Return the loop that computes the activation of every pair of elements, and one residual."""

    def loop(y, residual, a, b):
        for block in span(memory.blocks(y)):
            value, kept = save(memory.load(a, block), memory.load(b, block))
            memory.store(y, block, value)
            memory.store(residual, block, kept)
        for part in range(memory.parts(y)):
            value, kept = save(memory.load_part(a, part), memory.load_part(b, part))
            memory.store_part(y, part, value)
            memory.store_part(residual, part, kept)

    return loop


def backward_from_two(span: Span, formula: Formula, memory: ModuleType) -> Loop:
    """Return the loop that multiplies the upstream gradient by both factors, from two residuals."""

    def loop(da, db, dy, residual, second):
        for block in span(memory.blocks(dy)):
            upstream = memory.load(dy, block)
            of_a, of_b = formula(memory.load(residual, block), memory.load(second, block))
            memory.store(da, block, upstream * of_a)
            memory.store(db, block, upstream * of_b)
        for part in range(memory.parts(dy)):
            upstream = memory.load_part(dy, part)
            of_a, of_b = formula(memory.load_part(residual, part), memory.load_part(second, part))
            memory.store_part(da, part, upstream * of_a)
            memory.store_part(db, part, upstream * of_b)

    return loop


REGISTERS: dict[Callable[..., Any], Factory] = {
    _gated_loops.elementwise: elementwise,
    _gated_loops.saving: saving,
    _gated_loops.backward_from_two: backward_from_two,
}
"""The loops over registers in place of others; no built-in derivative from three residuals has an exponential."""
