"""The loops of `actbench.backends._loops` over numbers of 16 bits, which are computed with in a wider type.

Each number is widened where it is loaded, and rounded once, to nearest even, where it is stored. A factory is made from
these two conversions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actbench.backends import _loops
from actbench.backends._loops import step_of
from actbench.model.names import Op
from actbench.model.rule import Formula, Rule

__all__ = ["forward_of", "loops_of", "step_of"]

Factory = Callable[[_loops.Span, Formula], _loops.Loop]

Factories = dict[Callable[..., Any], Callable[[Formula, Formula], Factory]]
"""What makes the factories of loops that widen, by the factories of those that do not."""


def elementwise(widen: Formula, narrow: Formula) -> Factory:
    """Return the factory of the loop that applies a formula to every element."""

    def of_formula(span, formula):
        def loop(out, residual):
            for i in span(out.size):
                out[i] = narrow(formula(widen(residual[i])))

        return loop

    return of_formula


def elementwise_from_two(widen: Formula, narrow: Formula) -> Factory:
    """Return the factory of the loop that applies a formula to every element of two residuals."""

    def of_formula(span, formula):
        def loop(out, residual, second):
            for i in span(out.size):
                out[i] = narrow(formula(widen(residual[i]), widen(second[i])))

        return loop

    return of_formula


def saving(widen: Formula, narrow: Formula) -> Factory:
    """Return the factory of the loop that computes the activation of every element, and one residual."""

    def of_formula(span, save):
        def loop(y, residual, z):
            for i in span(y.size):
                wide, kept = save(widen(z[i]))
                y[i], residual[i] = narrow(wide), narrow(kept)

        return loop

    return of_formula


def saving_two(widen: Formula, narrow: Formula) -> Factory:
    """Return the factory of the loop that computes the activation of every element, and two residuals."""

    def of_formula(span, save):
        def loop(y, residual, second, z):
            for i in span(y.size):
                wide, kept, too = save(widen(z[i]))
                y[i], residual[i], second[i] = narrow(wide), narrow(kept), narrow(too)

        return loop

    return of_formula


def backward(widen: Formula, narrow: Formula) -> Factory:
    """Return the factory of the loop that multiplies the upstream gradient by the derivative of every element."""

    def of_formula(span, formula):
        def loop(dz, dy, residual):
            for i in span(dz.size):
                dz[i] = narrow(widen(dy[i]) * formula(widen(residual[i])))

        return loop

    return of_formula


def backward_from_two(widen: Formula, narrow: Formula) -> Factory:
    """Return the factory of the loop that multiplies the gradient by the derivative, from two residuals."""

    def of_formula(span, formula):
        def loop(dz, dy, residual, second):
            for i in span(dz.size):
                dz[i] = narrow(widen(dy[i]) * formula(widen(residual[i]), widen(second[i])))

        return loop

    return of_formula


WIDENING: Factories = {
    _loops.elementwise: elementwise,
    _loops.elementwise_from_two: elementwise_from_two,
    _loops.saving: saving,
    _loops.saving_two: saving_two,
    _loops.backward: backward,
    _loops.backward_from_two: backward_from_two,
}


def loops_of(op: Op, rule: Rule) -> list[Factory]:
    """Return the factories of the loops of an op, which widen where the rule's arithmetic is wider than its arrays."""
    return [of_rule(WIDENING, factory, rule) for factory in _loops.loops_of(op, rule)]


def forward_of(rule: Rule) -> Factory:
    """Return the same of the loop of a forward pass."""
    return of_rule(WIDENING, _loops.forward_of(rule), rule)


def of_rule(widening: Factories, factory: Factory, rule: Rule) -> Factory:
    """Return a factory, or the one that widens in its place where the rule's arithmetic is wider than its arrays."""
    return widening[factory](rule.arithmetic.widen, rule.arithmetic.narrow) if rule.arithmetic else factory
