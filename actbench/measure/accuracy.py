"""Survey the accuracy of kernels: call them, as a worker does, on points in both tails, and find where g' is lost.

A band's points are drawn evenly, half of the lowest band's and all of the highest's evenly in the logarithm; they are
the same for every kernel of an activation and dtype. The z from which g' is lost is looked for inward of the first
point where it is, as long as there are others, because where rounding decides it is lost here and there at first; and
then between that one and the one before, finer and finer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import groupby
from math import inf, isinf

import numpy as np
from numpy.typing import NDArray

from actbench import oracle
from actbench.analysis.accuracy import LOST, MAY_BE, Accuracy, Loss, Part, bands, errors, in_bands, in_tails, tail_of
from actbench.errors import BenchmarkError
from actbench.kernel import Array
from actbench.measure.checking import Examined
from actbench.measure.client import StartWorker
from actbench.model import Dtype, Kernel
from actbench.oracle import Truth

POINTS = 150
"""Points a band, unless the user wants more."""

INWARD = (0.25, 0.95)
"""How far inward of a point that is lost others are looked for, coarsely and then finely, as a share of it."""

LOOKED_AT = 1024
"""Points between the two."""

SEARCH = (64, 64)
"""Points of each step of that search."""


@cache
def sample(dtype: Dtype, points: int, seed: int) -> Array:
    """Return `points` numbers a band and tail, 0 too, in order of |z|."""
    rng = np.random.default_rng(seed)
    fmt = np.finfo(dtype)
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
    z = np.unique(np.concatenate([-left, right, [0.0]]).astype(dtype))
    return np.asarray(z[np.argsort(np.abs(z), kind="stable")])


@cache
def normal_sample(dtype: Dtype, points: int, seed: int) -> Array:
    """Return as many numbers as a tail has, from N(0, 1)."""
    drawn = np.random.default_rng(seed).standard_normal(len(bands()) * points)
    return drawn.astype(dtype)


@dataclass(frozen=True, slots=True)
class Unexamined:
    """A kernel that cannot be looked at, and why: its backend cannot compile it, or it takes the worker down."""

    kernel: Kernel
    reason: str


@dataclass(frozen=True, slots=True)
class Survey:
    """How to look."""

    points: int = POINTS
    """Points a band; as many as a tail has are drawn from N(0, 1)."""
    exact: bool = False
    """Whether what a strategy keeps is correctly rounded, and not what the forward pass gives."""
    seed: int = 0

    def of(self, kernels: Sequence[Kernel], start_worker: StartWorker) -> Iterator[Accuracy | Unexamined]:
        """Look at each kernel."""
        worker = start_worker()
        try:
            for (activation, dtype), group in groupby(kernels, key=lambda kernel: (kernel.activation, kernel.dtype)):
                known = _Known(activation, outputs=self.exact)
                z, normal = sample(dtype, self.points, self.seed), normal_sample(dtype, self.points, self.seed)
                for kernel in group:
                    residuals = partial(known.residuals, kernel.strategy) if self.exact else None
                    found: Accuracy | Unexamined
                    try:
                        found = _accuracy(kernel, Examined(worker, residuals), known.truth, z, normal)
                    except BenchmarkError as error:
                        found = Unexamined(kernel, str(error))
                        worker.close()
                        worker = start_worker()  # the other may be gone, or not what it was
                    yield found
        finally:
            worker.close()


class _Known:
    """What is true of an activation at many z, computed once for all kernels that ask for the same."""

    def __init__(self, activation: str, *, outputs: bool) -> None:
        """With `outputs`, y is going to be asked for as well."""
        self._activation = activation
        self._outputs = outputs
        self._truths = lru_cache(maxsize=128)(self._truth_at)
        self._slopes = lru_cache(maxsize=128)(self._slopes_at)
        self._residuals = lru_cache(maxsize=128)(self._residuals_at)

    def truth(self, z: Array) -> Truth:
        """Return g'."""
        return self._slopes(z.tobytes(), str(z.dtype))

    def residuals(self, strategy: str, z: Array) -> dict[str, Array]:
        """Return what a strategy keeps, correctly rounded."""
        return self._residuals(strategy, z.tobytes(), str(z.dtype))

    def _slopes_at(self, data: bytes, dtype: str) -> Truth:
        if self._outputs:
            return self._truths(data, dtype)[0]
        return oracle.slopes_at(self._activation, np.frombuffer(data, dtype=dtype))

    def _truth_at(self, data: bytes, dtype: str) -> tuple[Truth, Truth]:
        return oracle.truth_at(self._activation, np.frombuffer(data, dtype=dtype))

    def _residuals_at(self, strategy: str, data: bytes, dtype: str) -> dict[str, Array]:
        return oracle.residuals_at(
            self._activation, strategy, np.frombuffer(data, dtype=dtype), lambda: self._truths(data, dtype)[1]
        )


def _accuracy(
    kernel: Kernel, examined: Examined, truth_at: Callable[[Array], Truth], z: Array, normal: Array
) -> Accuracy:
    def computed(at: Array) -> Array:
        return examined(kernel, at, np.ones_like(at)).derivative

    found, truth = computed(z), truth_at(z)
    weighted = errors(Part.NORMAL, (0.0, inf), normal, computed(normal), truth_at(normal))
    losses = {}
    for part in (Part.LEFT, Part.RIGHT):
        mask = tail_of(z, part)
        lost = {name: test(found[mask], truth.at(mask)) for name, test in LOST.items()}
        losses[part] = Loss(**{name: _first(z[mask], lost[name], name, computed, truth_at) for name in LOST})
    return Accuracy(kernel, in_bands(z, found, truth), in_tails(z, found, truth), weighted, losses, digits=truth.digits)


def _first(
    z: Array,
    lost: NDArray[np.bool_],
    name: str,
    computed: Callable[[Array], Array],
    truth_at: Callable[[Array], Truth],
) -> float | None:
    """Return the least |z| that is lost, to five digits or so; z is in order of |z|."""
    if not lost.any():
        return None
    index = int(np.argmax(lost))
    outer, inner = z[index], z[max(index - 1, 0)]
    for share in INWARD:
        while abs(outer) > 0:
            if outer * z.dtype.type(share) == 0:
                return 0.0  # lost down to the smallest numbers
            nearer = np.geomspace(outer * z.dtype.type(share), outer, LOOKED_AT, endpoint=False).astype(z.dtype)
            hits = _lost(nearer, name, computed, truth_at)
            if not hits.any():
                break
            outer, inner = nearer[int(np.argmax(hits))], nearer[max(int(np.argmax(hits)) - 1, 0)]
    for count in SEARCH:
        spaced = np.geomspace if abs(inner) > 0 else np.linspace
        finer = spaced(inner, outer, count + 1).astype(z.dtype)
        hits = _lost(finer, name, computed, truth_at)
        at = int(np.argmax(hits)) if hits.any() else count
        inner, outer = finer[max(at - 1, 0)], finer[at]
    return float(abs(outer))


def _lost(
    z: Array, name: str, computed: Callable[[Array], Array], truth_at: Callable[[Array], Truth]
) -> NDArray[np.bool_]:
    """Return where results are lost in that way: the truth takes long, and is asked for where they may be."""
    found = computed(z)
    hits = MAY_BE[name](found)
    if hits.any():
        hits[hits] = LOST[name](found[hits], truth_at(z[hits]))
    return hits
