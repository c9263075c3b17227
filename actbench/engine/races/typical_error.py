"""The relative error of g' at z that a run's inputs give: of kernels whose size was named by a shape.

It is shown beside a tensor's time and memory, where the largest error over the whole range of z says nothing of the
tensor that the user has.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

import numpy as np

from actbench.analysis.deviations import Deviations
from actbench.formula import Activation
from actbench.kernels.drawing import draw
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.kernels.subject import Subject
from actbench.model.checks import Check
from actbench.model.names import Dtype
from actbench.model.plan import Plan
from actbench.verification import oracle

SAMPLE = 1000
"""Number of z at which the error is determined."""

PERCENTILE = 0.99
"""The share of z that err by less: the largest error near a root of g' grows with the number of z."""


class TypicalErrors:
    """The errors of the kernels of a plan."""

    def __init__(self, plan: Plan) -> None:
        """Take the plan, with its inputs and seed."""
        self._plan = plan
        self._of_tensors = {case.kernel for block in plan.blocks if block.shape for case in block.cases}
        self._samples: dict[tuple[Activation, Dtype], tuple[Array, oracle.Truth]] = {}

    def added_to(self, check: Check, subject: Subject, evaluate: oracle.Evaluate) -> Check:
        """Return a check with the error of its kernel, where one is asked for."""
        if subject.identity not in self._of_tensors or not isinstance(subject, Kernel):
            return check
        if subject.is_gated or subject.is_row:
            return check
        z, truth = self._sample(subject.activation, subject.dtype)
        derivative = evaluate(subject.identity, z, np.ones_like(z)).derivative
        relative = float(np.quantile(Deviations.of(z, derivative, truth).relative, PERCENTILE, method="higher"))
        return replace(check, sampled=z.size, relative=relative if isfinite(relative) else None)

    def _sample(self, activation: Activation, dtype: Dtype) -> tuple[Array, oracle.Truth]:
        """Return z as the plan's inputs give them, and g' there."""
        if (activation, dtype) not in self._samples:
            z, _ = draw(self._plan.inputs, dtype, SAMPLE, self._plan.seed)
            self._samples[activation, dtype] = z, oracle.slopes_at(activation, z)
        return self._samples[activation, dtype]
