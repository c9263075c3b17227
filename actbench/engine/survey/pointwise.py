"""The largest error of a kernel's g' at given z, without what one rounding of z itself would cause.

Near a root of g' the relative error of any kernel grows beyond all bounds, because z is a rounded number: half a unit
in the last place of z moves the root. What that moves g' by, judged by g' at the two neighbours of z, is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from math import inf

import numpy as np

from actbench.analysis.deviations import Deviations
from actbench.analysis.point_error import PointError
from actbench.engine.launch import Worker
from actbench.engine.survey.known import Known
from actbench.engine.survey.look import Look
from actbench.engine.working.examined import Examined
from actbench.formula import Activation
from actbench.kernels import resolution
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.model.names import Dtype, Op, Quantity
from actbench.model.number_formats import limits, numpy_dtype
from actbench.verification.truth import Truth
from actbench.verification.truth.products import Product, expected

EVEN = 401
"""Number of evenly spaced z of an interval."""

NEAR_ZERO = 40
"""Number of z towards 0 on either side, evenly spaced in the logarithm."""

SMALLEST = 1e-6
"""Of these, the one nearest to 0."""


def on_interval(activation: Activation, dtype: Dtype, low: float, high: float) -> Array:
    """Return z of an interval: evenly spaced ones, more of them near 0, both ends, and kinks.

    They and their neighbours are finite.
    """
    of_format = numpy_dtype(dtype)
    most = float(np.nextafter(np.array(limits(of_format).max, dtype=of_format), np.array(0, dtype=of_format)))
    low, high = (min(max(end, -most), most) for end in (low, high))
    near = np.geomspace(SMALLEST, max(abs(low), abs(high), 2 * SMALLEST), NEAR_ZERO)
    every = np.concatenate([2 * np.linspace(low / 2, high / 2, EVEN), -near, near, [0.0, *activation.formulas.kinks]])
    z = np.unique(every[(low <= every) & (every <= high)].astype(of_format))
    return np.asarray(z)


def gradient_of(kernel: Kernel) -> Kernel:
    """Return the kernel whose g' is looked at: of a step, its backward pass."""
    return resolution.kernel(replace(kernel.identity, op=Op.BACKWARD)) if kernel.op is Op.STEP else kernel


def truth_at(activation: Activation, z: Array) -> PointTruth | GatedPointTruth:
    """Return what kernels of an activation are compared with at some z."""
    return GatedPointTruth(activation, z) if activation.is_gated else PointTruth(activation, z)


class PointTruth:
    """The true g' of an activation at some z, which is computed once for all kernels."""

    def __init__(self, activation: Activation, z: Array) -> None:
        """Take finite z, whose neighbours are finite."""
        self._z, self._known = z, Known(activation, z)

    def error_of(self, kernel: Kernel, worker: Worker) -> PointError:
        """Return the error of a kernel, as `gradient_of` has it; `BenchmarkError` where it fails."""
        computed = Look(kernel, Examined(worker), self._known, rounded=False).computed(self._z)
        deviations = Deviations.of(self._z, computed, self._truth(self._z))
        return PointError.of(deviations, _beyond(deviations, self._exact, self._rounding), self._exact)

    def _truth(self, z: Array) -> Truth:
        return self._known.truth(Quantity.DERIVATIVE, z)

    @cached_property
    def _exact(self) -> Array:
        return self._truth(self._z).nearest.astype(np.float64)

    @cached_property
    def _rounding(self) -> Array:
        around = (np.nextafter(self._z, np.array(side, dtype=self._z.dtype)) for side in (-inf, inf))
        return _rounding(self._exact, [self._truth(side).nearest.astype(np.float64) for side in around])


class GatedPointTruth:
    """Both true gradients of y = g(a) b, for dy = 1 and b from N(0, 1): those of a, then those of b."""

    def __init__(self, activation: Activation, a: Array) -> None:
        """Take finite a, whose neighbours are finite."""
        self._activation, self._a, self._dy = activation, a, np.ones_like(a)
        self._b = np.random.default_rng(a.size).standard_normal(a.size).astype(a.dtype)

    def error_of(self, kernel: Kernel, worker: Worker) -> PointError:
        """Return the error of a kernel, as `gradient_of` has it; `BenchmarkError` where it fails."""
        computed = Examined(worker)(kernel.identity, np.stack([self._a, self._b], axis=-1), self._dy).derivative
        columns = [(one, one.error(computed[:, column])) for column, one in enumerate(self._right)]
        ulp = np.concatenate([error for _, error in columns])
        with np.errstate(invalid="ignore"):
            absolute = np.concatenate([error * one.unit for one, error in columns])
        deviations = Deviations(np.tile(self._a, 2), ulp, absolute, absolute)
        return PointError.of(deviations, _beyond(deviations, self._exact, self._rounding), self._exact)

    def _truth(self, a: Array) -> list[Product]:
        return [*expected(self._activation, np.stack([a, self._b], axis=-1), self._dy)[:2]]

    @cached_property
    def _right(self) -> list[Product]:
        return self._truth(self._a)

    @cached_property
    def _exact(self) -> Array:
        return _numbers(self._right)

    @cached_property
    def _rounding(self) -> Array:
        around = (np.nextafter(self._a, np.array(side, dtype=self._a.dtype)) for side in (-inf, inf))
        return _rounding(self._exact, [_numbers(self._truth(side)) for side in around])


def _numbers(products: Sequence[Product]) -> Array:
    return np.concatenate([one.truth.nearest.astype(np.float64) for one in products])


def _rounding(exact: Array, around: Sequence[Array]) -> Array:
    """Return what rounding z moves g' by: half of what it differs by at a neighbour of z; NaN where g' overflows."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.fmax.reduce([np.abs(side - exact) for side in around]) / 2)


def _beyond(deviations: Deviations, exact: Array, rounding: Array) -> Array:
    """Return relative errors without what rounding z causes."""
    size = np.maximum(np.abs(exact), float(limits(deviations.z.dtype).tiny))
    finite = np.isfinite(deviations.absolute)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.where(finite, np.maximum(deviations.absolute - rounding, 0.0) / size, inf))
