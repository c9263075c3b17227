"""The largest error of a gated kernel's gradients over some a, without what one rounding of a itself would cause."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial

import numpy as np

from actbench.analysis.deviations import Deviations
from actbench.analysis.point_error import PointError
from actbench.engine.launch import Worker
from actbench.engine.survey.look import padded_size
from actbench.engine.survey.pointwise import around, beyond_rounding, distinct, rounding_of
from actbench.engine.survey.search import Search
from actbench.engine.survey.searched_points import SearchedPoints
from actbench.engine.working.examined import Examined
from actbench.formula import Activation
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.verification.truth import truth_at
from actbench.verification.truth.products import Product, expected, gate_of

DRAWN_B = 32
"""Number of b that are drawn where an error is among the largest."""


class GatedPointTruth:
    """Both true gradients of y = g(a) b, for dy = 1 and b from N(0, 1): those of a, then those of b.

    The search is with b = 1. Where it finds the largest errors, many b are drawn.
    """

    def __init__(self, activation: Activation, points: SearchedPoints) -> None:
        """Take finite a, whose neighbours are finite."""
        self._activation, self._points = activation, points

    def error_of(self, kernel: Kernel, worker: Worker) -> PointError:
        """Return the error of a kernel, as `gradient_of` has it; `BenchmarkError` where it fails."""
        examined = Examined(worker)
        call = partial(_gradients, examined, kernel)
        a, compared = self._points.sample, [self._points.sample]
        call(a, np.ones_like(a))
        for column, search in enumerate(self._searches):
            if search and examined.answer.raised is None:  # what raises would be called for every single a
                searched = search.of(partial(_with_one, call, column))
                compared.append(searched.compared)
                a = np.concatenate([a, np.repeat(searched.z, DRAWN_B)])
        b = np.random.default_rng(a.size).standard_normal(a.size).astype(a.dtype)
        computed, right = call(a, b), self._truth(b, a)
        ulp, absolute = [], []
        for column, one in enumerate(right):
            error = one.error(computed[:, column])
            with np.errstate(invalid="ignore", over="ignore"):
                ulp.append(error)
                absolute.append(error * one.unit)
        exact = np.concatenate([one.truth.nearest.astype(np.float64) for one in right])
        deviations = Deviations(np.tile(a, 2), np.concatenate(ulp), np.concatenate(absolute), np.concatenate(absolute))
        columns = zip(right, *map(partial(self._truth, b), around(a)), strict=True)
        rounding = [rounding_of(one.truth, [side.truth for side in sides]) for one, *sides in columns]
        relative = beyond_rounding(deviations, exact, np.concatenate(rounding))
        return PointError.of(deviations, relative, exact, distinct(compared))

    @cached_property
    def _searches(self) -> list[Search | None]:
        """Those of g', by which the gradient of a is off, and of g, by which that of b is."""
        gate = gate_of(self._activation)

        def of(column: int) -> Search | None:
            return self._points.search(lambda a: truth_at(gate, a)[column], gate.formulas.kinks)

        return [of(0), of(1)]

    def _truth(self, b: Array, a: Array) -> list[Product]:
        return [*expected(self._activation, np.stack([a, b], axis=-1), np.ones_like(a))[:2]]


def _gradients(examined: Examined, kernel: Kernel, a: Array, b: Array) -> Array:
    """Return the gradients of a and b by a kernel, of which few sizes are called: some are compiled for every size."""
    size = padded_size(kernel.backend, a.size)
    inputs = np.resize(np.stack([a, b], axis=-1), (size, 2))
    return examined(kernel.identity, inputs, np.ones(size, a.dtype)).derivative[: a.size]


def _with_one(call: Callable[[Array, Array], Array], column: int, a: Array) -> Array:
    """Return one gradient where b is 1."""
    return call(a, np.ones_like(a))[:, column]
