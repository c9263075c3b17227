"""One call of a kernel beside the truth: where the result breaks what the strategy declares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from actbench.kernels.kernel import Kernel
from actbench.model.checks import STATED_ULP
from actbench.model.number_formats import limits
from actbench.verification import allowance, flaws, kept
from actbench.verification.evaluation import Evaluate, Evaluation
from actbench.verification.roots import beside_roots
from actbench.verification.truth import Array, Truth, truth_at


@dataclass(frozen=True)
class Examination:
    """One call of a kernel: inputs, answer and truth, as arrays of one length in the kernel's dtype."""

    kernel: Kernel
    z: Array
    dy: Array
    answer: Evaluation
    slope: Truth
    """g'."""
    output: Truth
    """y."""
    evaluate: Evaluate | None = None
    """What called the kernel, where it can be called again."""

    @classmethod
    def of_call(
        cls, kernel: Kernel, evaluate: Evaluate, z: Array, dy: Array, truth: tuple[Truth, Truth]
    ) -> Examination:
        """Call a kernel once at finite z where g' and y are known; dy is 1 where dy * g' would overflow."""
        slope, output = truth
        dy = np.where(np.abs(slope.nearest) > limits(z.dtype).max / 4, 1.0, dy).astype(z.dtype)
        return cls(kernel, z, dy, evaluate(kernel.identity, z, dy), slope, output, evaluate)

    @cached_property
    def derivative(self) -> Array:
        """The computed g': for ops that multiply by dy, the result divided by dy."""
        if not self.kernel.op.takes_dy:
            return self.answer.derivative
        with np.errstate(all="ignore"):
            return np.asarray(self.answer.derivative / self.dy)

    def derivative_at(self, z: Array) -> Array:
        """Call the kernel once more and return g' at as many other z; NaN where these are no finite numbers."""
        assert self.evaluate is not None  # noqa: S101  # only elements of an earlier call cannot be called again
        finite = np.where(np.isfinite(z), z, 0).astype(self.z.dtype)
        answer = self.evaluate(self.kernel.identity, finite, np.ones_like(finite))
        return np.where(np.isfinite(z), answer.derivative, np.nan)

    def errors_at_roots(self, within: Callable[[Array], Array]) -> Array:
        """Return the errors, in ULP, beside the roots of g' and within a region of z; it calls the kernel."""
        near = beside_roots(self.z, self.slope.nearest).astype(self.z.dtype)
        near = near[within(near)]
        near = near[np.argsort(np.abs(near))][: self.z.size]
        if not near.size:
            return np.array([])
        truth, _ = truth_at(self.kernel.activation, near)
        return truth.error(self.derivative_at(np.resize(near, self.z.size))[: near.size])

    @cached_property
    def expected(self) -> Truth:
        """What the strategy is compared with: g', or its formula evaluated on its narrow residuals."""
        return self._expected[0][0]

    def wrong_derivative(self, slack: float = 0.0) -> Array:
        """Return where the derivative exceeds what the strategy declares by more than `slack` ULP.

        A strategy with narrow residuals has its weaknesses both at z and at the z that it stored.
        """
        expected, places = self._expected
        wrong = [
            allowance.exceeding(self.kernel, self.derivative, truth, z, slack) for truth in expected for z in places
        ]
        return np.asarray(np.logical_and.reduce(wrong))

    def wrong_output(self) -> Array:
        """Return where the y of a step breaks what the activation declares."""
        assert self.answer.y is not None  # noqa: S101  # only called for a step, which has y
        return allowance.output_exceeding(self.kernel, self.answer.y, self.output, self.z, self.answer.raised)

    @cached_property
    def _expected(self) -> tuple[tuple[Truth, ...], tuple[Array, ...]]:
        """The values that g' may have, the likeliest first, and the z at which weaknesses count."""
        if self.kernel.storage is None:
            return (self.slope,), (self.z,)
        doubt = 2 * STATED_ULP * flaws.factor(self.kernel.forward_weaknesses, self.z)
        expected, at = kept.expected(self.kernel, self.z, doubt)
        return expected, (self.z, at)
