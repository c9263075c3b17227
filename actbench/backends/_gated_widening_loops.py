"""The loops of `actbench.backends._gated_loops` over numbers of 16 bits, which are computed with in a wider type.

They are to those what `actbench.backends._widening_loops` is to the loops of formulas of one input.
"""

from __future__ import annotations

from actbench.backends import _gated_loops
from actbench.backends._gated_loops import step_of
from actbench.backends._widening_loops import Factories, Factory, of_rule
from actbench.model.names import Op
from actbench.model.rule import Formula, Rule

__all__ = ["forward_of", "loops_of", "step_of"]


def elementwise(widen: Formula, narrow: Formula) -> Factory:
    """Return the factory of the loop that computes the activation of every pair of elements."""

    def of_formula(span, formula):
        def loop(y, a, b):
            for i in span(y.size):
                y[i] = narrow(formula(widen(a[i]), widen(b[i])))

        return loop

    return of_formula


def saving(widen: Formula, narrow: Formula) -> Factory:
    """Return the factory of the loop that computes the activation of every pair of elements, and one residual."""

    def of_formula(span, save):
        def loop(y, residual, a, b):
            for i in span(y.size):
                wide, kept = save(widen(a[i]), widen(b[i]))
                y[i], residual[i] = narrow(wide), narrow(kept)

        return loop

    return of_formula


def backward_from_two(widen: Formula, narrow: Formula) -> Factory:
    """Return the factory of the loop that multiplies the upstream gradient by both factors, from two residuals."""

    def of_formula(span, formula):
        def loop(da, db, dy, residual, second):
            for i in span(dy.size):
                of_a, of_b = formula(widen(residual[i]), widen(second[i]))
                wide = widen(dy[i])
                da[i], db[i] = narrow(wide * of_a), narrow(wide * of_b)

        return loop

    return of_formula


def backward_from_three(widen: Formula, narrow: Formula) -> Factory:
    """Return the factory of the loop that multiplies the upstream gradient by both factors, from three residuals."""

    def of_formula(span, formula):
        def loop(da, db, dy, residual, second, third):  # noqa: PLR0913, PLR0917  # one parameter per array
            for i in span(dy.size):
                of_a, of_b = formula(widen(residual[i]), widen(second[i]), widen(third[i]))
                wide = widen(dy[i])
                da[i], db[i] = narrow(wide * of_a), narrow(wide * of_b)

        return loop

    return of_formula


WIDENING: Factories = {
    _gated_loops.elementwise: elementwise,
    _gated_loops.saving: saving,
    _gated_loops.backward_from_two: backward_from_two,
    _gated_loops.backward_from_three: backward_from_three,
}


def loops_of(op: Op, rule: Rule) -> list[Factory]:
    """Return the factories of the loops of an op, which widen where the rule's arithmetic is wider than its arrays."""
    return [of_rule(WIDENING, factory, rule) for factory in _gated_loops.loops_of(op, rule)]


def forward_of(rule: Rule) -> Factory:
    """Return the same of the loop of a forward pass."""
    return of_rule(WIDENING, _gated_loops.forward_of(rule), rule)
