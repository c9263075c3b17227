"""Calls of kernels of row activations in this process, as the oracle asks for them."""

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
    """Return what evaluates a kernel, one row at a time where its arithmetic raises."""

    def evaluate(identity: KernelId, z: Array, dy: Array) -> Evaluation:
        with np.errstate(all="ignore"):
            try:
                memory = Placement(Operands(of.activation, z, dy), np.random.default_rng(0))
                outputs = of.invocation(z.size, memory).results()
            except (ArithmeticError, ValueError) as error:
                if len(z) == 1:
                    return Evaluation(np.full_like(z, np.nan), np.full_like(dy, np.nan), repr(error))
                parts = [evaluate(identity, z[at : at + 1], dy[at : at + 1]) for at in range(len(z))]
                y = np.concatenate([part.y for part in parts if part.y is not None]) if of.op is Op.STEP else None
                return Evaluation(np.concatenate([part.derivative for part in parts]), y, repr(error))
        y = outputs[0].reshape(len(z), -1) if of.op is Op.STEP else None
        return Evaluation(outputs[-1].reshape(z.shape), y)

    return evaluate
