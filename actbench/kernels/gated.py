"""Which kernels of gated activations, y = g(a) b, exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actbench.model.names import Op

if TYPE_CHECKING:
    from actbench.formula import Activation
    from actbench.kernels.kernel import Kernel

NO_DERIVATIVE = "is gated, y = g(a) b, and has a gradient for a and one for b: use --op backward, or --op step"

NO_SECOND = "is gated, y = g(a) b, with three second derivatives: g'' is measured of activations of one input"


def without_derivative(activation: Activation, op: Op) -> str | None:
    """Return why a gated activation has no kernel of an op; None where it has."""
    words = {Op.DERIVATIVE: NO_DERIVATIVE, Op.SECOND: NO_SECOND}.get(op)
    return words and f"{activation.name} {words}"


def unsupported(kernel: Kernel) -> str | None:
    """Return why a kernel of a gated activation does not exist; None where it does."""
    name, backend = kernel.activation.name, kernel.backend
    if not kernel.has_formula:
        return f"{name} is gated: its kernels are formulas alone"
    if not backend.takes_gated:
        return f"{backend.name} has no loops for gated activations such as {name}"
    if kernel.storage:
        return f"residuals of gated activations such as {name} are kept in the type of the arithmetic"
    return None
