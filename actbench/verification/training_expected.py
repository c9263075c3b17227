"""The gradients that a training step should have, and how far rounding may take those of an arm from them.

g' is that of the activation's plainest strategy, which is itself held against differences of the loss
(`actbench.verification.training_differences`). For every weight and bias, in the Euclidean norm, rounding explains

* `ROUNDING` units in the last place times the square root of the number of terms of all sums in the network. Errors of
  roundings that do not depend on one another grow with this root: N. J. Higham and T. Mary, "A new approach to
  probabilistic rounding error analysis", SIAM Journal on Scientific Computing 41, 2019. Libraries add up numbers of 16
  bits in float32; what counts in their eps are the numbers of every layer that are rounded to 16 bits (`STORED`);
* what becomes of the gradients where all z are moved up, or down, by an error of rounding (`MOVING`): next to a kink,
  such as relu's at 0, a rounded z may be on the wrong side, and where g or g' is steep, it is that of a different z;
* where the strategy declares that digits cancel, a few eps in g'.

Added up over many layers in 16 bits, these exceed the gradients; no more than `MOST` is accepted as right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from math import isfinite, sqrt
from typing import Any

import numpy as np

from actbench.backends import StepArrays
from actbench.formula import Activation, Flaw, Weakness
from actbench.kernels.operands import Array
from actbench.kernels.training import plainest
from actbench.model.checks import STATED_ULP
from actbench.model.names import Dtype
from actbench.model.networks import Network
from actbench.model.number_formats import computed_in, limits
from actbench.model.variants import Variant
from actbench.verification import flaws
from actbench.verification.training_differences import disagreement
from actbench.verification.training_reference import ReferenceStep, Slope, parameter_names, slope_of
from actbench.verification.wording import distinct

ROUNDING = 16.0
"""Units in the last place. Steps of the built-in strategies in the built-in networks need less than 1 in float32 and in
float64, and those in which exp follows exp, whose g' is as steep as any, 8."""

ROUNDING_16_BITS = 8.0
"""The same of types of 16 bits. Built-in steps need up to 1.3 in bfloat16, and 4.3 in float16, where gradients are
subnormal."""

MOST = 0.5
"""The largest relative error of a gradient that can be told from a wrong one, however much rounding explains.

Zeros and twice the gradient are off by 1, the opposite sign by 2. With networks of 64 features, torch's bfloat16 needs
up to 0.04 in 32 linear layers and 0.25 in 99 where activations are smooth. Where z that are rounded cross kinks, as
those of relu and leaky-relu, it needs 0.4 in 32, up to 1 in 64, and more in 99: no digit of such gradients is right."""

STORED = 4
"""Numbers of a layer that an error passes through: z, y, and the gradients of both."""

MOVING = 1.0
"""Units in the last place, times the same root and relative to the root mean square of z."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The gradients that a step should have, in the order of the names of parameters."""

    names: tuple[str, ...]
    gradients: tuple[Array, ...]
    scales: tuple[float, ...]
    """Their Euclidean norms; not less than that of as many smallest normal numbers."""
    allowed: tuple[float, ...]
    """The largest relative errors that rounding explains."""
    slope: Slope
    """The g' that they come from."""

    def fits(self, dtype: Dtype) -> bool:
        """Return whether all elements are numbers of a format."""
        return all(bool(np.all(np.abs(gradient) <= float(limits(dtype).max))) for gradient in self.gradients)

    def errors(self, computed: Sequence[Array]) -> list[float]:
        """Return the relative errors of gradients: Euclidean norms of differences by those of the expected ones."""
        distances = (float(np.linalg.norm(one - right)) for one, right in zip(computed, self.gradients, strict=True))
        return [distance / scale for distance, scale in zip(distances, self.scales, strict=True)]

    def worst(self, computed: Sequence[Array]) -> tuple[float, str]:
        """Return the largest relative error, and the weight or bias that has it."""
        return max(zip(self.errors(computed), self.names, strict=True))

    def beyond(self, computed: Sequence[Array]) -> tuple[float, str, float] | None:
        """Return the largest error that is not allowed, where it is, and what is allowed there; None if all are."""
        errors = zip(self.errors(computed), self.names, self.allowed, strict=True)
        return max((one for one in errors if not one[0] <= one[2]), default=None)

    def allowing(self, gradients: Sequence[Array]) -> Expected:
        """Return the same gradients, where errors may be larger by that of these."""
        allowed = (sum(pair) for pair in zip(self.allowed, self.errors(gradients), strict=True))
        return replace(self, allowed=tuple(allowed))


@dataclass(frozen=True, slots=True)
class Problem:
    """A network with an activation, on arrays; equal where all numbers in these are."""

    network: Network
    activation: Activation
    digest: bytes
    arrays: StepArrays = field(compare=False, repr=False)

    @classmethod
    def on(cls, network: Network, activation: Activation, arrays: StepArrays) -> Problem:
        """Return the problem on these arrays."""
        digest = sha256()
        for array in (arrays.x, arrays.target, *arrays.weights, *arrays.biases):
            digest.update(array.tobytes())
        return cls(network, activation, digest.digest(), arrays)

    def step(self, moved: float = 0.0) -> ReferenceStep:
        """Return the step in float64."""
        return ReferenceStep(self.network, self.activation, self.arrays, moved)

    def expected(self, slope: Slope) -> Expected:
        """Return the gradients by this g'."""
        rounding, unit = self._rounding()
        moved = (0.0, MOVING * unit, -MOVING * unit)
        gradients, above, below = (self.step(size).gradients(slope)[0] for size in moved)
        tiny = float(self._format.tiny)
        scales = [max(float(np.linalg.norm(gradient)), tiny * sqrt(gradient.size)) for gradient in gradients]
        names, allowed = tuple(parameter_names(self.network)), (rounding * unit,) * len(scales)
        expected = Expected(names, tuple(gradients), tuple(scales), allowed, slope)
        return expected.allowing(above).allowing(below)

    def weakened(self, expected: Expected, weaknesses: tuple[Weakness, ...]) -> Expected:
        """Return the same gradients, with the largest error of g' that weaknesses allow where digits cancel."""
        if not any(weakness.flaw is Flaw.CANCELS for weakness in weaknesses):
            return expected
        most = STATED_ULP * float(self._format.eps)

        def with_error(z: Array) -> Array:
            flat = z.ravel().astype(self._dtype)
            there = flaws.regions(weaknesses, flat)[Flaw.CANCELS]
            error = np.where(there, most * flaws.factor(weaknesses, flat), 0.0)
            return np.add(expected.slope(z), error.reshape(z.shape))

        return expected.allowing(self.step().gradients(with_error)[0])

    def _rounding(self) -> tuple[float, float]:
        """Return the units that rounding explains, and the relative error that one of them is."""
        terms = sum(linear.inputs for linear in self.network.linears) + len(self.arrays.x)
        eps, accumulated = (float(limits(dtype).eps) for dtype in (self._dtype, computed_in(self._dtype)))
        if eps == accumulated:
            return ROUNDING, eps * sqrt(terms)
        return ROUNDING_16_BITS, eps * sqrt(STORED * len(self.network.linears)) + accumulated * sqrt(terms)

    @property
    def _dtype(self) -> np.dtype[Any]:
        return self.arrays.x.dtype

    @property
    def _format(self) -> np.finfo[np.floating[Any]]:
        return limits(self._dtype)


@lru_cache(maxsize=1)
def reference(problem: Problem) -> tuple[Expected, str]:
    """Return the gradients by the plainest accurate strategy, and in words what is wrong with these, if anything.

    They are kept for the next arm of the block, which is compared with them, too.
    """
    activation = problem.activation
    variant = _plainest_accurate(activation)
    slope = slope_of(activation, variant)
    expected = problem.expected(slope)
    missing = [name for name, scale in zip(expected.names, expected.scales, strict=True) if not isfinite(scale)]
    if missing:
        return expected, f"in float64, too, the gradient of {missing[0]} by '{variant}' is no number"
    if _is_inaccurate(activation, variant):
        return expected, ""
    fault = disagreement(problem.network, activation, problem.arrays, slope)
    if fault is None:
        return expected, ""
    declared, true = distinct(fault.slope, fault.difference, 4)
    return expected, (
        f"the derivative that {activation.name} declares as '{variant}' is not that of its forward function: in a "
        f"random direction of {fault.name} the slope of the loss is {true}, and {declared} by that derivative"
    )


def _is_inaccurate(activation: Activation, variant: Variant) -> bool:
    return any(weakness.flaw is Flaw.INACCURATE for weakness in activation.formulas.strategies[variant.name].weaknesses)


def _plainest_accurate(activation: Activation) -> Variant:
    """Return the plainest strategy, or the first that is not declared to be inaccurate, if there is one."""
    plain = plainest(activation)
    candidates = (plain, *map(Variant, activation.formulas.strategies))
    return next((one for one in candidates if not _is_inaccurate(activation, one)), plain)
