"""The loops that numba compiles around a formula: one for each op and number of residuals.

Each is made from what it counts with, ``range`` or ``prange``, and from the formula. A step is made of two loops, so
that its forward pass and its backward pass each go over whole arrays, as they do in a network.
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
"""What loops call the arrays that may be of another type than the arithmetic."""


def elementwise(span: Span, formula: Formula) -> Loop:
    """Call a formula on every element: the activation, or its derivative."""

    def loop(out, residual):
        for i in span(out.size):
            out[i] = formula(residual[i])

    return loop


def elementwise_from_two(span: Span, formula: Formula) -> Loop:
    """Call a formula on every element of two residuals."""

    def loop(out, residual, second):
        for i in span(out.size):
            out[i] = formula(residual[i], second[i])

    return loop


def saving(span: Span, save: Formula) -> Loop:
    """Compute the activation of every element, and a residual."""

    def loop(y, residual, z):
        for i in span(y.size):
            y[i], residual[i] = save(z[i])

    return loop


def saving_two(span: Span, save: Formula) -> Loop:
    """Compute the activation of every element, and two residuals."""

    def loop(y, residual, second, z):
        for i in span(y.size):
            y[i], residual[i], second[i] = save(z[i])

    return loop


def backward(span: Span, formula: Formula) -> Loop:
    """Multiply the upstream gradient by the derivative of every element."""

    def loop(dz, dy, residual):
        for i in span(dz.size):
            dz[i] = dy[i] * formula(residual[i])

    return loop


def backward_from_two(span: Span, formula: Formula) -> Loop:
    """Multiply the upstream gradient by the derivative of every element, from two residuals."""

    def loop(dz, dy, residual, second):
        for i in span(dz.size):
            dz[i] = dy[i] * formula(residual[i], second[i])

    return loop


def step_keeping_z(forward: Loop, backward: Loop) -> Loop:
    """Forward; then backward from z."""

    def kernel(y, dz, z, dy):
        forward(y, z)
        backward(dz, dy, z)

    return kernel


def step_keeping_y(forward: Loop, backward: Loop) -> Loop:
    """Forward; then backward from y."""

    def kernel(y, dz, z, dy):
        forward(y, z)
        backward(dz, dy, y)

    return kernel


def step_keeping_both(forward: Loop, backward: Loop) -> Loop:
    """Forward; then backward from z and y."""

    def kernel(y, dz, z, dy):
        forward(y, z)
        backward(dz, dy, z, y)

    return kernel


def step_saving(forward: Loop, backward: Loop) -> Loop:
    """Forward, storing a residual and y; then backward from it."""

    def kernel(y, residual, dz, z, dy):
        forward(y, residual, z)
        backward(dz, dy, residual)

    return kernel


def step_saving_beside_z(forward: Loop, backward: Loop) -> Loop:
    """Forward, storing a residual and y; then backward from z and it."""

    def kernel(y, residual, dz, z, dy):
        forward(y, residual, z)
        backward(dz, dy, z, residual)

    return kernel


def step_saving_two(forward: Loop, backward: Loop) -> Loop:
    """Forward, storing two residuals and y; then backward from them."""

    def kernel(y, residual, second, dz, z, dy):  # noqa: PLR0913, PLR0917  # it has as many arrays
        forward(y, residual, second, z)
        backward(dz, dy, residual, second)

    return kernel


def formulas_of(op: Op, rule: Rule) -> list[Formula]:
    """Return the formulas that the loops of an op call, one a loop."""
    return [rule.save or rule.forward, rule.derivative] if op is Op.STEP else [rule.derivative]


def loops_of(op: Op, rule: Rule) -> list[Callable[[Span, Formula], Loop]]:
    """Return the functions that make the loops of an op, in the order in which these run."""
    two = len(rule.residuals) == 2
    if op is Op.DERIVATIVE:
        return [elementwise_from_two if two else elementwise]
    back = backward_from_two if two else backward
    if op is Op.BACKWARD:
        return [back]
    forward = elementwise if not rule.save else saving_two if two and "z" not in rule.residuals else saving
    return [forward, back]


def step_of(rule: Rule) -> Callable[[Loop, Loop], Loop]:
    """Return the function that makes a step of a forward and a backward loop."""
    two = len(rule.residuals) == 2
    if rule.save:
        return step_saving_beside_z if "z" in rule.residuals else step_saving_two if two else step_saving
    return step_keeping_both if two else {"z": step_keeping_z, "y": step_keeping_y}[rule.residuals[0]]
