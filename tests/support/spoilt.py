"""What the tests of the oracle share: kernels that are spoilt, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actbench import registry
from actbench.errors import WrongKernelError
from actbench.formula import Activation, Formulas
from actbench.kernels.operands import Array
from actbench.kernels.resolution import resolve
from actbench.model.cases import KernelId
from actbench.model.names import Op
from actbench.verification import oracle
from actbench.verification.oracle import Evaluation
from tests.support import kernels
from tests.support.registered import register

Change = Callable[[Array, Array], Array]
"""From z and the right derivative to a wrong one."""


def spoilt(change: Change) -> oracle.Evaluate:
    """Evaluate a kernel whose derivative is changed in some way; its y is right."""

    def answer(kernel: KernelId, z: Array, dy: Array) -> Evaluation:
        right = kernels.evaluate(kernel, z, dy)
        factor = np.ones_like(z) if kernel.op is Op.DERIVATIVE else dy
        with np.errstate(all="ignore"):
            wrong = (factor * change(z, right.derivative / factor)).astype(right.derivative.dtype)
        return Evaluation(wrong, right.y, right.raised)

    return answer


def refusal(kernel: KernelId, evaluate: oracle.Evaluate) -> str:
    with pytest.raises(WrongKernelError) as refused:
        oracle.check(resolve(kernel), evaluate)
    return str(refused.value)


def declare(monkeypatch: pytest.MonkeyPatch, name: str, **strategies: Any) -> None:
    """Add an activation whose forward function is the logistic."""
    forward = registry.activation("logistic").build

    def build(m: Any) -> Formulas:
        return Formulas(forward=forward(m).forward, **strategies)

    register(monkeypatch, Activation(name, "for a test", build))
