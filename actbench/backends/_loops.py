"""The loops that numba compiles around a formula: one for each op and number of residuals.

A factory makes each loop from a range function (``range`` or ``prange``) and a formula. A step consists of two loops,
so that its forward pass and its backward pass each run over whole arrays, as they do in a network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actbench.model.names import Op
from actbench.model.rule import Formula, Rule

Loop = Callable[..., Any]
"""A function of arrays, the outputs first, that returns nothing."""

Span = Callable[[int], Any]
"""``range`` or ``prange``."""

RESIDUALS = {"residual", "second"}
"""The names, in loops, of the arrays that may have another type than the arithmetic."""


def elementwise(span: Span, formula: Formula) -> Loop:
    """Return the loop that applies a formula to every element: the activation, or its derivative."""

    def loop(out, residual):
        for i in span(out.size):
            out[i] = formula(residual[i])

    return loop


def elementwise_from_two(span: Span, formula: Formula) -> Loop:
    """Return the loop that applies a formula to every element of two residuals."""

    def loop(out, residual, second):
        for i in span(out.size):
            out[i] = formula(residual[i], second[i])

    return loop


def saving(span: Span, save: Formula) -> Loop:
    """Return the loop that computes the activation of every element, and one residual."""

    def loop(y, residual, z):
        for i in span(y.size):
            y[i], residual[i] = save(z[i])

    return loop


def saving_two(span: Span, save: Formula) -> Loop:
    """Return the loop that computes the activation of every element, and two residuals."""

    def loop(y, residual, second, z):
        for i in span(y.size):
            y[i], residual[i], second[i] = save(z[i])

    return loop


def backward(span: Span, formula: Formula) -> Loop:
    """Return the loop that multiplies the upstream gradient by the derivative of every element."""

    def loop(dz, dy, residual):
        for i in span(dz.size):
            dz[i] = dy[i] * formula(residual[i])

    return loop


def backward_from_two(span: Span, formula: Formula) -> Loop:
    """Return the loop that multiplies the upstream gradient by the derivative of every element, from two residuals."""

    def loop(dz, dy, residual, second):
        for i in span(dz.size):
            dz[i] = dy[i] * formula(residual[i], second[i])

    return loop


def step_keeping_z(forward: Loop, backward: Loop) -> Loop:
    """Return the step that runs forward, then backward from z."""

    def kernel(y, dz, z, dy):
        forward(y, z)
        backward(dz, dy, z)

    return kernel


def step_keeping_y(forward: Loop, backward: Loop) -> Loop:
    """Return the step that runs forward, then backward from y."""

    def kernel(y, dz, z, dy):
        forward(y, z)
        backward(dz, dy, y)

    return kernel


def step_keeping_both(forward: Loop, backward: Loop) -> Loop:
    """Return the step that runs forward, then backward from z and y."""

    def kernel(y, dz, z, dy):
        forward(y, z)
        backward(dz, dy, z, y)

    return kernel


def step_saving(forward: Loop, backward: Loop) -> Loop:
    """Return the step that runs forward and stores y and a residual, then backward from the residual."""

    def kernel(y, residual, dz, z, dy):
        forward(y, residual, z)
        backward(dz, dy, residual)

    return kernel


def step_saving_beside_z(forward: Loop, backward: Loop) -> Loop:
    """Return the step that runs forward and stores y and a residual, then backward from z and the residual."""

    def kernel(y, residual, dz, z, dy):
        forward(y, residual, z)
        backward(dz, dy, z, residual)

    return kernel


def step_saving_two(forward: Loop, backward: Loop) -> Loop:
    """Return the step that runs forward and stores y and two residuals, then backward from the residuals."""

    def kernel(y, residual, second, dz, z, dy):  # noqa: PLR0913, PLR0917  # one parameter per array
        forward(y, residual, second, z)
        backward(dz, dy, residual, second)

    return kernel


def formulas_of(op: Op, rule: Rule) -> list[Formula]:
    """Return the formulas that the loops of an op call, one per loop."""
    return [rule.save or rule.forward, rule.derivative] if op is Op.STEP else [rule.derivative]


def loops_of(op: Op, rule: Rule) -> list[Callable[[Span, Formula], Loop]]:
    """Return the factories of the loops of an op, in the order in which the loops run."""
    two = len(rule.residuals) == 2
    if op is Op.DERIVATIVE:
        return [elementwise_from_two if two else elementwise]
    back = backward_from_two if two else backward
    return [back] if op is Op.BACKWARD else [forward_of(rule), back]


def forward_of(rule: Rule) -> Callable[[Span, Formula], Loop]:
    """Return the function that makes the loop of a forward pass, which stores y and what is saved."""
    if not rule.save:
        return elementwise
    return saving_two if len(rule.residuals) == 2 and "z" not in rule.residuals else saving


def step_of(rule: Rule) -> Callable[[Loop, Loop], Loop]:
    """Return the factory that combines a forward and a backward loop into a step."""
    two = len(rule.residuals) == 2
    if rule.save:
        return step_saving_beside_z if "z" in rule.residuals else step_saving_two if two else step_saving
    return step_keeping_both if two else {"z": step_keeping_z, "y": step_keeping_y}[rule.residuals[0]]
