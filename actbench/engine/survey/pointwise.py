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

EVEN = 401
"""Number of evenly spaced z of an interval."""

NEAR_ZERO = 40
"""Number of z towards 0 on either side, evenly spaced in the logarithm."""

SMALLEST = 1e-6
"""Of these, the one nearest to 0."""


def on_interval(activation: Activation, dtype: Dtype, low: float, high: float) -> Array:
    """Return z of an interval: evenly spaced ones, more of them near 0, both ends, and kinks."""
    near = np.geomspace(SMALLEST, max(abs(low), abs(high), 2 * SMALLEST), NEAR_ZERO)
    every = np.concatenate([np.linspace(low, high, EVEN), -near, near, [0.0, *activation.formulas.kinks]])
    z = np.unique(every[(low <= every) & (every <= high)].astype(numpy_dtype(dtype)))
    return np.asarray(z)


def gradient_of(kernel: Kernel) -> Kernel:
    """Return the kernel whose g' is looked at: of a step, its backward pass."""
    return resolution.kernel(replace(kernel.identity, op=Op.BACKWARD)) if kernel.op is Op.STEP else kernel


def errors(kernels: Sequence[Kernel], z: Array, worker: Worker) -> dict[KernelId, PointError]:
    """Return the errors of kernels of one activation and dtype, as `gradient_of` has them, at some z.

    `BenchmarkError` where a worker is lost.
    """
    known = Known(kernels[0].activation, z)
    neighbours = [np.nextafter(z, np.array(side, dtype=z.dtype)) for side in (-inf, inf)]
    truth = known.truth(Quantity.DERIVATIVE, z)
    around = [known.truth(Quantity.DERIVATIVE, side).nearest.astype(np.float64) for side in neighbours]
    exact = truth.nearest.astype(np.float64)
    with np.errstate(invalid="ignore"):
        rounding = np.nanmax([np.abs(side - exact) for side in around], axis=0) / 2
    size = np.maximum(np.abs(exact), float(limits(truth.nearest.dtype).tiny))
    by_kernel = {}
    for kernel in kernels:
        computed = Look(kernel, Examined(worker), known, rounded=False).computed(z)
        deviations = Deviations.of(z, computed, truth)
        finite = np.isfinite(deviations.absolute)
        beyond = np.where(finite, np.maximum(deviations.absolute - rounding, 0.0) / size, inf)
        by_kernel[kernel.identity] = PointError.of(deviations, beyond, exact)
    return by_kernel
