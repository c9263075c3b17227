"""Survey of the accuracy of kernels: a worker calls them on points in both tails, to find where g' is lost.

The points of a band are drawn evenly; in the lowest band half of them, and in the highest band all, evenly in the
logarithm. They are the same for every kernel of an activation and dtype. Kinks, their neighbours and the ends of the
format are evaluated as well. `actbench.engine.survey.zones` finds the zones that begin or end between these points.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby
from math import inf, isinf

import numpy as np

from actbench.analysis.accuracy import (
    LOSS_TESTS,
    Accuracy,
    Part,
    Surveyed,
    bands,
    errors,
    in_bands,
    in_tails,
    with_further,
)
from actbench.engine.launch import Launch, UnsupportedError, Worker, is_crash
from actbench.engine.survey import gated_accuracy, row_accuracy
from actbench.engine.survey.known import Known
from actbench.engine.survey.look import Look
from actbench.engine.survey.zones import zones
from actbench.engine.working.conventions import conventions
from actbench.engine.working.examined import Examined
from actbench.errors import BenchmarkError
from actbench.formula import Activation
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.model.cases import KernelId
from actbench.model.names import Dtype, Op
from actbench.model.number_formats import limits, numpy_dtype
from actbench.verification.truth.products import gate_of

POINTS_PER_BAND = 150
"""Points per band, unless the user asks for another number."""


@cache
def sample(dtype: Dtype, points: int, seed: int) -> Array:
    """Return `points` numbers per band and tail, and 0, in order of |z|."""
    rng = np.random.default_rng(seed)
    fmt = limits(dtype)
    parts = []
    for low, high in bands():
        top = float(fmt.max) if isinf(high) else high
        even = rng.uniform(low, top if high < inf else 2 * low, (2, points))
        bottom = low or float(fmt.tiny)
        spread = np.exp(rng.uniform(np.log(bottom), np.log(top), (2, points)))
        if low == 0:
            even[:, ::2] = spread[:, ::2]
        parts.append(spread if isinf(high) else even)
    left, right = np.concatenate(parts, axis=1)
    z = np.unique(np.concatenate([-left, right, [0.0]]).astype(numpy_dtype(dtype)))
    return np.asarray(z[np.argsort(np.abs(z), kind="stable")])


@cache
def normal_sample(dtype: Dtype, points: int, seed: int) -> Array:
    """Return as many numbers from N(0, 1) as a tail has."""
    drawn = np.random.default_rng(seed).standard_normal(len(bands()) * points)
    return drawn.astype(numpy_dtype(dtype))


@cache
def ends_and_kinks(activation: Activation, dtype: Dtype) -> Array:
    """Return the kinks of an activation with their neighbours, and the smallest and largest numbers of the format."""
    fmt = limits(dtype)
    kinks = np.array([*activation.formulas.kinks], dtype=numpy_dtype(dtype))
    near = [np.nextafter(kinks, np.array(side, dtype=kinks.dtype)) for side in (-inf, inf)]
    ends = np.array([fmt.smallest_subnormal, fmt.tiny, fmt.max], dtype=kinks.dtype)
    return np.concatenate([kinks, *near, ends, -ends])


@cache
def points(activation: Activation, dtype: Dtype, count: int, seed: int) -> Array:
    """Return the sample with the ends and kinks, in order of |z|."""
    z = np.unique(np.concatenate([sample(dtype, count, seed), ends_and_kinks(activation, dtype)]))
    return np.asarray(z[np.argsort(np.abs(z), kind="stable")])


@dataclass(frozen=True, slots=True)
class Unexamined:
    """A kernel that cannot be surveyed, with the reason: its backend cannot compile it, or it crashes the worker."""

    kernel: KernelId
    reason: str
    failed: bool
    """Whether it crashed, hung or raised; otherwise it is unsupported here."""

    @classmethod
    def by(cls, error: BenchmarkError, kernel: KernelId, where: str = "") -> Unexamined:
        """Return what an error says of a kernel."""
        return cls(kernel, f"{error}{where}", failed=not isinstance(error, UnsupportedError))


@dataclass(frozen=True, slots=True)
class Survey:
    """The points and residuals of a survey."""

    points: int = POINTS_PER_BAND
    """Points per band; from N(0, 1), as many are drawn as a tail has."""
    exact: bool = False
    """Whether residuals of derivatives are correctly rounded; otherwise they are those of the forward pass."""
    seed: int = 0

    def of(self, kernels: Iterable[Kernel], launch: Launch) -> Iterator[Surveyed | Unexamined]:
        """Survey each kernel; one that loses its worker is tried a second time."""
        worker = launch.start()
        try:
            for (activation, dtype), group in groupby(kernels, key=lambda kernel: (kernel.activation, kernel.dtype)):
                known = None if activation.is_row else self._known(activation, dtype)
                for kernel in group:
                    for last in (False, True):
                        try:
                            if known is None:
                                yield row_accuracy.accuracy(kernel, Examined(worker), self.points, self.seed)
                            else:
                                yield self._accuracy(kernel, worker, known)
                        except BenchmarkError as error:
                            worker.close()
                            worker = launch.start()  # the old one may have ended, or be in an undefined state
                            if is_crash(error) and not last:
                                continue
                            yield Unexamined.by(error, kernel.identity)
                        break
        finally:
            worker.close()

    def _known(self, activation: Activation, dtype: Dtype) -> Known:
        """Return the points at which an activation is surveyed, of a gated one those of its g, and what is known."""
        z = points(activation, dtype, self.points, self.seed)
        return Known(gate_of(activation) if activation.is_gated else activation, z)

    def rounds(self, kernel: Kernel) -> bool:
        """Return whether the residuals of a kernel are correctly rounded: what a framework saves is its own."""
        return self.exact and not kernel.is_shipped and not kernel.op.takes_dy

    def _accuracy(self, kernel: Kernel, worker: Worker, known: Known) -> Accuracy:
        if kernel.is_gated:
            drawn = normal_sample(kernel.dtype, self.points, self.seed)
            return gated_accuracy.accuracy(kernel, Examined(worker), known.points, drawn)
        z, normal = known.points, normal_sample(kernel.dtype, self.points, self.seed)
        exact = self.exact and not kernel.is_shipped and kernel.op is not Op.STEP
        residuals = partial(known.residuals, kernel.strategy) if exact else None
        look = Look(kernel, Examined(worker, residuals), known, rounded=exact)
        computed, truth = look.computed(z), look.truth(z)
        weighted = errors(Part.NORMAL, (0.0, inf), normal, look.computed(normal), look.truth(normal))
        hits = {name: test(computed, truth) for name, test in LOSS_TESTS.items()}
        losses = zones(look, z, hits, look.screened(computed))
        further = look.further()
        return Accuracy(
            kernel.identity,
            tuple(with_further(band, further) for band in in_bands(z, computed, truth)),
            {part: with_further(tail, further) for part, tail in in_tails(z, computed, truth).items()},
            weighted,
            losses,
            digits=truth.digits,
            conventions=conventions(kernel, Look(kernel, Examined(worker), known, rounded=False)),
        )
