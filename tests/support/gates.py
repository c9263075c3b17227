"""Calls of kernels of gated activations in this process, as the oracle asks for them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array, Operands
from actbench.kernels.placement import Placement
from actbench.model.cases import KernelId
from actbench.model.names import Op
from actbench.verification.evaluation import Evaluation


def answers(of: Kernel) -> Callable[[KernelId, Array, Array], Evaluation]:
    """Return what evaluates a kernel in this process, one pair at a time where its arithmetic raises."""

    def evaluate(_: KernelId, inputs: Array, dy: Array) -> Evaluation:
        with np.errstate(all="ignore"):
            try:
                operands = Operands(of.activation, inputs, dy)
                outputs = of.invocation(len(inputs), Placement(operands, np.random.default_rng(0))).results()
            except (ArithmeticError, ValueError) as error:
                if len(inputs) == 1:
                    return Evaluation(np.full_like(inputs, np.nan), np.full_like(dy, np.nan), repr(error))
                parts = [evaluate(_, inputs[at : at + 1], dy[at : at + 1]) for at in range(len(inputs))]
                y = np.concatenate([part.y for part in parts]) if of.op is Op.STEP else None
                return Evaluation(np.concatenate([part.derivative for part in parts]), y, repr(error))
        return Evaluation(of.gradient(outputs), outputs[0] if of.op is Op.STEP else None)

    return evaluate
