"""The loops that numba compiles around the formulas of a gated activation, y = g(a) b, which has two gradients.

They are to those formulas what `actbench.backends._loops` is to formulas of one input: a step consists of two loops.
"""

from __future__ import annotations

from collections.abc import Callable

from actbench.backends._loops import Loop, Span
from actbench.model.names import Op
from actbench.model.rule import Formula, Rule


def elementwise(span: Span, formula: Formula) -> Loop:
    """Return the loop that computes the activation of every pair of elements."""

    def loop(y, a, b):
        for i in span(y.size):
            y[i] = formula(a[i], b[i])

    return loop


def saving(span: Span, save: Formula) -> Loop:
    """Return the loop that computes the activation of every pair of elements, and one residual."""

    def loop(y, residual, a, b):
        for i in span(y.size):
            y[i], residual[i] = save(a[i], b[i])

    return loop


def backward_from_two(span: Span, formula: Formula) -> Loop:
    """Return the loop that multiplies the upstream gradient by both factors, from two residuals."""

    def loop(da, db, dy, residual, second):
        for i in span(dy.size):
            of_a, of_b = formula(residual[i], second[i])
            da[i] = dy[i] * of_a
            db[i] = dy[i] * of_b

    return loop


def backward_from_three(span: Span, formula: Formula) -> Loop:
    """Return the loop that multiplies the upstream gradient by both factors, from three residuals."""

    def loop(da, db, dy, residual, second, third):  # noqa: PLR0913, PLR0917  # one parameter per array
        for i in span(dy.size):
            of_a, of_b = formula(residual[i], second[i], third[i])
            da[i] = dy[i] * of_a
            db[i] = dy[i] * of_b

    return loop


def step_keeping_inputs(forward: Loop, backward: Loop) -> Loop:
    """Return the step that runs forward, then backward from a and b."""

    def kernel(y, da, db, a, b, dy):  # noqa: PLR0913, PLR0917  # one parameter per array
        forward(y, a, b)
        backward(da, db, dy, a, b)

    return kernel


def step_keeping_output(forward: Loop, backward: Loop) -> Loop:
    """Return the step that runs forward, then backward from y and b."""

    def kernel(y, da, db, a, b, dy):  # noqa: PLR0913, PLR0917  # one parameter per array
        forward(y, a, b)
        backward(da, db, dy, y, b)

    return kernel


def step_keeping_all(forward: Loop, backward: Loop) -> Loop:
    """Return the step that runs forward, then backward from a, b and y."""

    def kernel(y, da, db, a, b, dy):  # noqa: PLR0913, PLR0917  # one parameter per array
        forward(y, a, b)
        backward(da, db, dy, a, b, y)

    return kernel


def step_saving(forward: Loop, backward: Loop) -> Loop:
    """Return the step that runs forward and stores y and a residual, then backward from a, b and the residual."""

    def kernel(y, residual, da, db, a, b, dy):  # noqa: PLR0913, PLR0917  # one parameter per array
        forward(y, residual, a, b)
        backward(da, db, dy, a, b, residual)

    return kernel


def step_saving_beside_b(forward: Loop, backward: Loop) -> Loop:
    """Return the step that runs forward and stores y and a residual, then backward from b and the residual."""

    def kernel(y, residual, da, db, a, b, dy):  # noqa: PLR0913, PLR0917  # one parameter per array
        forward(y, residual, a, b)
        backward(da, db, dy, b, residual)

    return kernel


STEPS: dict[tuple[str, ...], Callable[[Loop, Loop], Loop]] = {
    ("a", "b"): step_keeping_inputs,
    ("y", "b"): step_keeping_output,
    ("a", "b", "y"): step_keeping_all,
}
"""The functions that combine the loops of a step which stores y alone, by its residuals."""


def forward_of(rule: Rule) -> Callable[[Span, Formula], Loop]:
    """Return the factory of the loop of a forward pass."""
    return saving if rule.save else elementwise


def loops_of(op: Op, rule: Rule) -> list[Callable[[Span, Formula], Loop]]:
    """Return the factories of the loops of an op, in the order in which the loops run."""
    back = backward_from_two if len(rule.residuals) == 2 else backward_from_three
    return [forward_of(rule), back] if op is Op.STEP else [back]


def step_of(rule: Rule) -> Callable[[Loop, Loop], Loop]:
    """Return the function that combines a forward and a backward loop into a step."""
    if rule.save:
        return step_saving if "a" in rule.residuals else step_saving_beside_b
    return STEPS[rule.residuals]
