"""The largest error of a kernel's g' over some z, without what one rounding of z itself would cause.

Near a root of g' the relative error of any kernel grows beyond all bounds, because z is a rounded number: half a unit
in the last place of z moves the root. What that moves g' by, judged by g' at the two neighbours of z, is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from math import inf

import numpy as np

from actbench.analysis.deviations import Deviations
from actbench.analysis.point_error import PointError
from actbench.engine.launch import Worker
from actbench.engine.survey.known import Known
from actbench.engine.survey.look import Look
from actbench.engine.survey.search import Search
from actbench.engine.survey.searched_points import SearchedPoints
from actbench.engine.working.examined import Examined
from actbench.formula import Activation
from actbench.kernels import resolution
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.model.names import Op, Quantity
from actbench.model.number_formats import limits
from actbench.verification.truth import Truth, slopes_at


def gradient_of(kernel: Kernel) -> Kernel:
    """Return the kernel whose g' is looked at: of a step, its backward pass."""
    return resolution.kernel(replace(kernel.identity, op=Op.BACKWARD)) if kernel.op is Op.STEP else kernel


class PointTruth:
    """The true g' of an activation at some z, which is computed once for all kernels."""

    def __init__(self, activation: Activation, points: SearchedPoints) -> None:
        """Take finite z, whose neighbours are finite."""
        self._activation, self._points = activation, points
        self._known = Known(activation, points.sample)

    def error_of(self, kernel: Kernel, worker: Worker) -> PointError:
        """Return the error of a kernel, as `gradient_of` has it; `BenchmarkError` where it fails."""
        examined = Examined(worker)
        look = Look(kernel, examined, self._known, rounded=False)
        z, compared = self._points.sample, [self._points.sample]
        computed = look.computed(z)
        if examined.answer.raised is None and self._search:  # what raises would be called for every single z
            searched = self._search.of(look.computed)
            compared.append(searched.compared)
            z, computed = np.concatenate([z, searched.z]), np.concatenate([computed, searched.computed])
        truth = self._truth(z)
        exact = truth.nearest.astype(np.float64)
        deviations = Deviations.of(z, computed, truth)
        relative = beyond_rounding(deviations, exact, rounding_of(truth, map(self._truth, around(z))))
        return PointError.of(deviations, relative, exact, distinct(compared))

    @cached_property
    def _search(self) -> Search | None:
        return self._points.search(partial(slopes_at, self._activation), self._activation.formulas.kinks)

    def _truth(self, z: Array) -> Truth:
        return self._known.truth(Quantity.DERIVATIVE, z)


def distinct(parts: Sequence[Array]) -> int:
    """Return the number of distinct z of some arrays."""
    return int(np.unique(np.concatenate(parts)).size)


def around(z: Array) -> Iterator[Array]:
    """Yield the neighbours of all z on either side."""
    return (np.nextafter(z, np.array(side, dtype=z.dtype)) for side in (-inf, inf))


def rounding_of(truth: Truth, sides: Iterable[Truth]) -> Array:
    """Return what rounding z moves g' by: half of what it differs by at a neighbour of z; 0 where all overflow."""
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.fmax(*(np.abs(_difference(side, truth)) for side in sides)) / 2
    return np.where(np.isnan(apart), 0.0, apart)


def _difference(one: Truth, less: Truth) -> Array:
    """Return the difference of two truths, with what they are beyond numbers of their format."""
    rests = one.rest * one.ulp - less.rest * less.ulp
    return np.asarray(one.nearest.astype(np.float64) - less.nearest.astype(np.float64) + rests)


def beyond_rounding(deviations: Deviations, exact: Array, rounding: Array) -> Array:
    """Return relative errors without what rounding z causes."""
    size = np.maximum(np.abs(exact), float(limits(deviations.z.dtype).tiny))
    finite = np.isfinite(deviations.absolute)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.where(finite, np.maximum(deviations.absolute - rounding, 0.0) / size, inf))
