"""The loops of `actbench.backends._loops` over registers, for processors with AVX-512 and formulas that compute.

A formula is applied to a block of numbers at a time, and to single registers behind the last whole block, masked.
The code is the same for both, so that a result does not depend on where in an array it is. LLVM's vectoriser has no
part in it (`actbench.backends._simd.registers`).
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dis import get_instructions
from functools import wraps
from types import ModuleType
from typing import Any

from actbench.backends import _loops
from actbench.model.helpers import helpers
from actbench.model.rule import Formula, names_used

Factory = Callable[[_loops.Span, Formula, ModuleType], _loops.Loop]
"""Of a range function and a formula, and of a module for blocks of registers."""


def elementwise(span: _loops.Span, formula: Formula, memory: ModuleType) -> _loops.Loop:
    """Return the loop that applies a formula to every element."""

    def loop(out, residual):
        for block in span(memory.blocks(out)):
            memory.store(out, block, formula(memory.load(residual, block)))
        for part in range(memory.parts(out)):
            memory.store_part(out, part, formula(memory.load_part(residual, part)))

    return loop


def elementwise_from_two(span: _loops.Span, formula: Formula, memory: ModuleType) -> _loops.Loop:
    """Return the loop that applies a formula to every element of two residuals."""

    def loop(out, residual, second):
        for block in span(memory.blocks(out)):
            kept, too = memory.load(residual, block), memory.load(second, block)
            memory.store(out, block, formula(kept, too))
        for part in range(memory.parts(out)):
            kept, too = memory.load_part(residual, part), memory.load_part(second, part)
            memory.store_part(out, part, formula(kept, too))

    return loop


def saving(span: _loops.Span, save: Formula, memory: ModuleType) -> _loops.Loop:
    """Return the loop that computes the activation of every element, and one residual."""

    def loop(y, residual, z):
        for block in span(memory.blocks(y)):
            value, kept = save(memory.load(z, block))
            memory.store(y, block, value)
            memory.store(residual, block, kept)
        for part in range(memory.parts(y)):
            value, kept = save(memory.load_part(z, part))
            memory.store_part(y, part, value)
            memory.store_part(residual, part, kept)

    return loop


def backward(span: _loops.Span, formula: Formula, memory: ModuleType) -> _loops.Loop:
    """Return the loop that multiplies the upstream gradient by the derivative of every element."""

    def loop(dz, dy, residual):
        for block in span(memory.blocks(dz)):
            upstream = memory.load(dy, block)
            memory.store(dz, block, upstream * formula(memory.load(residual, block)))
        for part in range(memory.parts(dz)):
            upstream = memory.load_part(dy, part)
            memory.store_part(dz, part, upstream * formula(memory.load_part(residual, part)))

    return loop


def backward_from_two(span: _loops.Span, formula: Formula, memory: ModuleType) -> _loops.Loop:
    """Return the loop that multiplies the upstream gradient by the derivative of every element, from two residuals."""

    def loop(dz, dy, residual, second):
        for block in span(memory.blocks(dz)):
            kept, too = memory.load(residual, block), memory.load(second, block)
            memory.store(dz, block, memory.load(dy, block) * formula(kept, too))
        for part in range(memory.parts(dz)):
            kept, too = memory.load_part(residual, part), memory.load_part(second, part)
            memory.store_part(dz, part, memory.load_part(dy, part) * formula(kept, too))

    return loop


REGISTERS: dict[Callable[..., Any], Factory] = {
    _loops.elementwise: elementwise,
    _loops.elementwise_from_two: elementwise_from_two,
    _loops.saving: saving,
    _loops.backward: backward,
    _loops.backward_from_two: backward_from_two,
}
"""The loops over registers in place of others; no built-in activation computes two residuals by an exponential."""


def over_blocks(factory: Factory, memory: ModuleType) -> Callable[[_loops.Span, Formula], _loops.Loop]:
    """Return the factory of a loop over blocks of the registers that a module loads and stores."""

    @wraps(factory)
    def of_registers(span: _loops.Span, formula: Formula) -> _loops.Loop:
        return factory(span, formula, memory)

    of_registers.arguments = {"memory": memory}  # type: ignore[attr-defined]  # the listing finds what the loop calls
    return of_registers


OPERATORS = frozenset({"+", "-", "*", "/", "&", "|"})
CONSTANTS = frozenset({"LOAD_CONST", "RETURN_CONST", "LOAD_SMALL_INT"})
"""Instructions of byte code that have a constant, of any version of Python."""


def supports(formula: Formula, namespace: Any) -> bool:
    """Return whether a formula can be applied to registers, if all functions of its namespace can.

    It must not branch, and use no other operators, functions and constants than registers have.
    """
    known = {abs, *helpers(formula)}
    return names_used(formula) <= {*namespace.__all__} and all(
        _is_straight(function, lambda value: isinstance(value, float) or value is namespace or value in known)
        for function in (formula, *helpers(formula))
    )


def _is_straight(function: Formula, has: Callable[[Any], bool]) -> bool:
    """Return whether a function without branches uses only what registers have."""
    code = [*get_instructions(function)]
    scope = vars(builtins) | function.__globals__
    variables = [scope.get(one.argval) for one in code if one.opname == "LOAD_GLOBAL"]
    variables += [cell.cell_contents for cell in function.__closure__ or ()]
    return (
        all(map(has, variables))
        and not any("JUMP" in one.opname or one.opname == "FOR_ITER" for one in code)
        and all(one.argrepr in OPERATORS for one in code if one.opname == "BINARY_OP")
        and all(isinstance(one.argval, float) for one in code if one.opname in CONSTANTS)
    )
