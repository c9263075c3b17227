"""Which kernels of g'' exist: those of strategies that declare a form of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actbench.model.names import Op

if TYPE_CHECKING:
    from actbench.formula import Activation
    from actbench.kernels.kernel import Kernel


def of_op(activation: Activation, strategy: str, op: Op) -> Activation:
    """Return the activation whose strategy computes what an op does: with g'' in place of g', if it has that."""
    return activation.second if op is Op.SECOND and strategy in activation.second.strategies else activation


def without_second(kernel: Kernel) -> str | None:
    """Return why a kernel of g'' does not exist; None where it does, or the kernel computes something else."""
    activation = kernel.activation
    if kernel.op is not Op.SECOND:
        return None
    if kernel.backend.without_second:
        return kernel.backend.without_second
    if activation.first:
        return None
    if kernel.is_shipped:
        return f"what {kernel.backend.name} ships is measured up to g', not g''"
    if activation.formulas.without_second:
        return f"{activation.name} has no form of g'': {activation.formulas.without_second}"
    have = ", ".join(activation.second.strategies)
    return f"strategy '{kernel.strategy}' of {activation.name} has no form of g''{f', as have {have}' if have else ''}"
