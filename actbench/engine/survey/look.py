"""A kernel in the search for zones: it is called at any z, and compared with the expected or the true g'."""

from __future__ import annotations

from math import frexp
from typing import Any

import numpy as np

from actbench.analysis.accuracy import LOSS_TESTS, MAY_BE, Part, tail_of
from actbench.analysis.deviations import Deviations
from actbench.analysis.expectation import States
from actbench.backends import Backend
from actbench.engine.survey.known import Known
from actbench.engine.survey.zones import Hits, at_ranks, between, ranks
from actbench.engine.working.examined import Examined
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.model.names import Op, Quantity
from actbench.model.number_formats import limits
from actbench.verification.evaluation import Evaluation
from actbench.verification.shipped import AT_KINK
from actbench.verification.truth import Truth, sides_at

SCREENED = 15
"""Number of further arguments between neighbouring points at which a kernel is called."""

SCREENED_EXACTLY = 1
"""The same number where residuals must be correctly rounded, which takes as long as the truth."""

FINER, FINER_EXACTLY = (2048, 256), (1024, 0)
"""Points to evaluate beyond the inner and the outer end of a zone; the second pair with correctly rounded residuals."""

LARGEST_EXPONENT = 40
"""Powers of 2 and of 1/2 up to this exponent are evaluated with their neighbours, and whole numbers as well."""

LARGEST_INTEGER = 100

CONVENTION_EPS = 4.0
"""Eps by which a framework's slope at a kink may be beyond those on both sides."""

LEAST_CALL = 64
"""Least number of elements of a call; others are rounded up, since some backends compile for every size."""

SIZES = 8
"""Ratio of the numbers of elements of calls for a backend that compiles for every size."""


class Look:
    """Calls of a kernel, with the errors that become known."""

    def __init__(self, kernel: Kernel, examined: Examined, known: Known, *, rounded: bool) -> None:
        """Take a kernel; `rounded` is whether its residuals are correctly rounded."""
        self._kernel = kernel
        self.quantity = Quantity.of(kernel.op)
        self.dtype = known.points.dtype
        self._examined = examined
        self._known = known
        slow = rounded and [operand.name for operand in kernel.residuals] != ["z"]
        self._count = SCREENED_EXACTLY if slow else SCREENED
        self.finer = FINER_EXACTLY if slow else FINER
        self._slow = slow
        self._further: list[Deviations] = []

    def computed(self, z: Array) -> Array:
        """Return the result of the kernel, a framework's convention at a kink as right; NaN where it raises."""
        return with_conventions(self._kernel, z, self.called(z))

    def called(self, z: Array) -> Array:
        """Return the result of the kernel as it is; NaN where it raises."""
        padded = np.resize(z, padded_size(self._kernel.backend, z.size))
        return computed_of(self._examined(self._kernel.identity, padded, np.ones_like(padded)))[: z.size]

    def truth(self, z: Array) -> Truth:
        """Return the truth of what is computed."""
        return self._known.truth(self.quantity, z)

    def screened(self, computed: Array) -> Array:
        """Return further z: between known points of which one has a finite result, and round numbers."""
        z = self._known.points
        chosen = [_round_numbers(z.dtype)[:: 1 if not self._slow else 3]]
        for part in (Part.LEFT, Part.RIGHT):
            inside = tail_of(z, part)
            none = ~np.isfinite(computed[inside])
            places = ranks(z[inside])
            chosen.append(at_ranks(between(places, self._count, ~(none[:-1] & none[1:])), part, z.dtype))
        return np.concatenate(chosen)

    def states(self, z: Array) -> States:
        """Return the states of the results, compared with the expected ones."""
        computed = self.computed(z)
        states = {name: np.zeros(z.size, dtype=np.int8) for name in LOSS_TESTS}
        for part, expectation in self._known.expectations(self.quantity).items():
            inside = tail_of(z, part)
            for name, of_part in expectation.states(np.abs(z[inside]), computed[inside]).items():
                states[name][inside] = of_part
        return states

    def lost(self, z: Array, wanted: Hits) -> Hits:
        """Return where results are lost, among those that `wanted` selects; the truth is computed where they may be."""
        computed = self.computed(z)
        hits = {name: wanted[name] & MAY_BE[name](computed) for name in LOSS_TESTS}
        needed = np.any([hits[name] for name in LOSS_TESTS], axis=0)
        if needed.any():
            truth = self.truth(z[needed])
            self._further.append(Deviations.of(z[needed], computed[needed], truth))
            for name, test in LOSS_TESTS.items():
                hits[name][needed] &= test(computed[needed], truth)
        return hits

    def further(self) -> Deviations:
        """Return the errors that became known at further z."""
        return Deviations.joined(self._further, self._known.points[:0])


def padded_size(backend: Backend, count: int) -> int:
    """Return the number of elements of a call on this many: one of few, so that little is compiled."""
    if backend.compiles_for_a_size:
        size = LEAST_CALL
        while size < count:
            size *= SIZES
        return size
    step = max(LEAST_CALL, (1 << frexp(count)[1]) // 16)
    return -(-count // step) * step


def computed_of(answer: Evaluation) -> Array:
    """Return what is compared with the truth: y of a step, or g'."""
    return answer.derivative if answer.y is None else answer.y


def with_conventions(kernel: Kernel, z: Array, computed: Array) -> Array:
    """Return results with the true g' at kinks where a framework returns another slope between those on both sides."""
    if not kernel.is_shipped or kernel.op is Op.STEP:
        return computed
    rounding = CONVENTION_EPS * float(limits(z.dtype).eps)
    for kink, declared in kernel.formulas.kinks.items():
        near = np.abs(z.astype(np.float64) - kink) <= AT_KINK
        sides = sides_at(kernel.activation, kink) if near.any() else None
        if sides:
            result = computed.astype(np.float64)
            low, high = sorted((sides.left, sides.right))
            inside = (result >= low - rounding * abs(low)) & (result <= high + rounding * abs(high))
            right = np.where(z == kink, declared, np.where(z < kink, sides.left, sides.right))
            computed = np.where(near & inside, right.astype(computed.dtype), computed)
    return computed


def _round_numbers(dtype: np.dtype[np.floating[Any]]) -> Array:
    size = np.concatenate(
        [np.ldexp(1.0, np.arange(-LARGEST_EXPONENT, LARGEST_EXPONENT + 1)), np.arange(1.0, LARGEST_INTEGER + 1)]
    )
    with np.errstate(over="ignore"):
        middle = np.unique(size.astype(dtype))
    middle = middle[np.isfinite(middle) & (middle != 0)]
    neighbours = [np.nextafter(middle, np.array(side, dtype=dtype)) for side in (0, np.inf)]
    numbers = np.concatenate([neighbours[0], middle, neighbours[1]])
    return np.concatenate([-numbers, numbers])
