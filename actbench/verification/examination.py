"""A kernel's answer at some z, with what is true there: where it is wrong, by what the strategy declares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from actbench.kernels.kernel import Kernel
from actbench.model.checks import STATED_ULP
from actbench.model.names import Op
from actbench.verification import allowance, kept
from actbench.verification.evaluation import Evaluate, Evaluation
from actbench.verification.truth import Array, Truth


@dataclass(frozen=True)
class Examination:
    """One call of a kernel: its inputs, its answer, and the truth; arrays of one length, in the kernel's dtype."""

    kernel: Kernel
    z: Array
    dy: Array
    answer: Evaluation
    slope: Truth
    """g'."""
    output: Truth
    """y."""

    @classmethod
    def of_call(
        cls, kernel: Kernel, evaluate: Evaluate, z: Array, dy: Array, truth: tuple[Truth, Truth]
    ) -> Examination:
        """Call a kernel once at finite z, where g' and y are known; dy is 1 where dy * g' would overflow."""
        slope, output = truth
        dy = np.where(np.abs(slope.nearest) > np.finfo(z.dtype).max / 4, 1, dy).astype(z.dtype)
        return cls(kernel, z, dy, evaluate(kernel.identity, z, dy), slope, output)

    @cached_property
    def derivative(self) -> Array:
        """What it gives for g': an op that multiplies by dy, divided by it."""
        if self.kernel.op is Op.DERIVATIVE:
            return self.answer.derivative
        with np.errstate(all="ignore"):
            return np.asarray(self.answer.derivative / self.dy)

    @cached_property
    def expected(self) -> Truth:
        """What the strategy is held to: g', or its formula on what it keeps narrowly."""
        return self._expected[0][0]

    def wrong_derivative(self, slack: float = 0.0) -> Array:
        """Return where it is not what the strategy declares, and not by up to `slack` ULP more.

        A strategy that keeps its residuals narrowly has its weaknesses where z is, or z as it is kept.
        """
        expected, places = self._expected
        wrong = [
            allowance.exceeding(self.kernel, self.derivative, truth, z, slack) for truth in expected for z in places
        ]
        return np.asarray(np.logical_and.reduce(wrong))

    def wrong_output(self) -> Array:
        """Return where a step's y is not what the activation declares."""
        assert self.answer.y is not None  # noqa: S101  # a step gives it, and is asked for it
        return allowance.output_exceeding(self.kernel, self.answer.y, self.output, self.z, self.answer.raised)

    @cached_property
    def _expected(self) -> tuple[tuple[Truth, ...], tuple[Array, ...]]:
        """What g' may be, the likeliest first, and the z at which weaknesses count."""
        if self.kernel.storage is None:
            return (self.slope,), (self.z,)
        doubt = 2 * STATED_ULP * allowance.factor(self.kernel.formulas.weaknesses, self.z)
        expected, at = kept.expected(self.kernel, self.z, doubt)
        return expected, (self.z, at)
