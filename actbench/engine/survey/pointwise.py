"""The largest error of a kernel's g' at given z, without what one rounding of z itself would cause.

Near a root of g' the relative error of any kernel grows beyond all bounds, because z is a rounded number: half a unit
in the last place of z moves the root. What that moves g' by, judged by g' at the two neighbours of z, is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import numpy as np

from actbench.analysis.deviations import Deviations
from actbench.analysis.point_error import PointError
from actbench.engine.launch import Worker
from actbench.engine.survey.known import Known
from actbench.engine.survey.look import Look
from actbench.engine.working.checking import Examined
from actbench.formula import Activation
from actbench.kernels import resolution
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op, Quantity
from actbench.model.number_formats import limits, numpy_dtype
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


def errors(kernels: Sequence[Kernel], z: Array, worker: Worker) -> dict[KernelId, PointError]:
    """Return the errors of kernels of one activation and dtype, as `gradient_of` has them, at some z.

    `BenchmarkError` where a worker is lost.
    """
    if kernels[0].is_gated:
        return _gated_errors(kernels, z, worker)
    known = Known(kernels[0].activation, z)
    neighbours = [np.nextafter(z, np.array(side, dtype=z.dtype)) for side in (-inf, inf)]
    truth = known.truth(Quantity.DERIVATIVE, z)
    around = [known.truth(Quantity.DERIVATIVE, side).nearest.astype(np.float64) for side in neighbours]
    exact = truth.nearest.astype(np.float64)
    rounding = _rounding(exact, around)
    by_kernel = {}
    for kernel in kernels:
        computed = Look(kernel, Examined(worker), known, rounded=False).computed(z)
        deviations = Deviations.of(z, computed, truth)
        by_kernel[kernel.identity] = PointError.of(deviations, _beyond(deviations, exact, rounding), exact)
    return by_kernel


def _gated_errors(kernels: Sequence[Kernel], a: Array, worker: Worker) -> dict[KernelId, PointError]:
    """Return the errors of both gradients of y = g(a) b, for dy = 1 and b from N(0, 1): those of a, then those of b."""
    b = np.random.default_rng(a.size).standard_normal(a.size).astype(a.dtype)
    dy = np.ones_like(a)

    def truth(at: Array) -> list[Product]:
        return [*expected(kernels[0].activation, np.stack([at, b], axis=-1), dy)[:2]]

    def numbers(products: Sequence[Product]) -> Array:
        return np.concatenate([one.truth.nearest.astype(np.float64) for one in products])

    right = truth(a)
    exact = numbers(right)
    rounding = _rounding(
        exact, [numbers(truth(np.nextafter(a, np.array(side, dtype=a.dtype)))) for side in (-inf, inf)]
    )
    by_kernel = {}
    for kernel in kernels:
        computed = Examined(worker)(kernel.identity, np.stack([a, b], axis=-1), dy).derivative
        columns = [(one, one.error(computed[:, column])) for column, one in enumerate(right)]
        ulp = np.concatenate([error for _, error in columns])
        with np.errstate(invalid="ignore"):
            absolute = np.concatenate([error * one.unit for one, error in columns])
        deviations = Deviations(np.tile(a, 2), ulp, absolute, absolute)
        by_kernel[kernel.identity] = PointError.of(deviations, _beyond(deviations, exact, rounding), exact)
    return by_kernel


def _rounding(exact: Array, around: Sequence[Array]) -> Array:
    """Return what rounding z moves g' by: half of what it differs by at a neighbour of z."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nanmax([np.abs(side - exact) for side in around], axis=0) / 2)


def _beyond(deviations: Deviations, exact: Array, rounding: Array) -> Array:
    """Return relative errors without what rounding z causes."""
    size = np.maximum(np.abs(exact), float(limits(deviations.z.dtype).tiny))
    finite = np.isfinite(deviations.absolute)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(finite, np.maximum(deviations.absolute - rounding, 0.0) / size, inf))
