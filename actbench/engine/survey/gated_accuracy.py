"""Survey of the accuracy of kernels of gated activations, y = g(a) b: gradients by band of a, with b from N(0, 1).

Of the gradients of a and of b, the one that is off by more ULP counts at every point. `Loss` is told at the points that
are evaluated: the ends of a zone are not searched between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import inf, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actbench.analysis.accuracy import (
    LOSS_TESTS,
    NEARBY,
    Accuracy,
    Loss,
    Part,
    Zone,
    errors,
    in_bands,
    in_tails,
    tail_of,
)
from actbench.analysis.conventions import AtInfinity, Conventions
from actbench.engine.working.conventions import at_kink
from actbench.formula import Activation
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Array
from actbench.model.names import Dtype, Op
from actbench.model.number_formats import numpy_dtype
from actbench.verification.evaluation import Evaluate, Evaluation
from actbench.verification.truth import Truth
from actbench.verification.truth.products import Truths, expected, gate_of


def accuracy(kernel: Kernel, evaluate: Evaluate, a: Array, normal: Array) -> Accuracy:
    """Call a kernel at these a, and at as many from N(0, 1), and summarise its errors."""
    computed, truth = _worse(kernel, evaluate, a)
    weighted = errors(Part.NORMAL, (0.0, inf), normal, *_worse(kernel, evaluate, normal))
    hits = {name: test(computed, truth) for name, test in LOSS_TESTS.items()}
    losses = {
        part: Loss(**{name: tuple(_zones(a, tail_of(a, part), hit)) for name, hit in hits.items()})
        for part in (Part.LEFT, Part.RIGHT)
    }
    return Accuracy(
        kernel.identity,
        in_bands(a, computed, truth),
        in_tails(a, computed, truth),
        weighted,
        losses,
        conventions=_conventions(kernel, evaluate, a.dtype),
        gated=True,
    )


def _conventions(kernel: Kernel, evaluate: Evaluate, dtype: np.dtype[Any]) -> Conventions:
    """Call a kernel at a = NaN, ±inf and kinks, with b = 1: its gradient of a, or y."""
    kinks = sorted(kernel.formulas.kinks) if kernel.op is not Op.STEP else []
    a = np.array([nan, -inf, inf, *kinks], dtype)
    answer = evaluate(kernel.identity, np.stack([a, np.ones_like(a)], axis=-1), np.ones_like(a))
    result = answer.derivative[:, 0] if answer.y is None else answer.y
    at_nan, left, right, *at_kinks = result.astype(np.float64).tolist()
    gate = gate_of(kernel.activation)
    return Conventions(
        at_nan,
        {Part.LEFT: AtInfinity(left, nan), Part.RIGHT: AtInfinity(right, nan)},
        tuple(at_kink(gate, *pair) for pair in zip(kinks, at_kinks, strict=True)),
    )


def _worse(kernel: Kernel, evaluate: Evaluate, a: Array) -> tuple[Array, Truth]:
    """Return the computed and the true gradient that is off by more, at each a; of a step, y."""
    inputs, truth = _truth(kernel.activation, kernel.dtype, a.tobytes())
    answer: Evaluation = evaluate(kernel.identity, inputs, np.ones_like(a))
    *gradients, output = (one.truth for one in truth)
    if kernel.op is Op.STEP:
        assert answer.y is not None  # noqa: S101  # a step has y
        return answer.y, output
    of_a, of_b = gradients
    computed = answer.derivative
    first = of_a.error(computed[:, 0]) >= of_b.error(computed[:, 1])
    worse = Truth(
        np.where(first, of_a.nearest, of_b.nearest),
        np.where(first, of_a.rest, of_b.rest),
        np.where(first, of_a.ulp, of_b.ulp),
    )
    return np.where(first, computed[:, 0], computed[:, 1]), worse


@cache
def _truth(activation: Activation, dtype: Dtype, data: bytes) -> tuple[Array, Truths]:
    """Return a with b beside it, and the truth there."""
    a = np.frombuffer(data, numpy_dtype(dtype))
    b = np.random.default_rng(a.size).standard_normal(a.size).astype(a.dtype)
    inputs = np.stack([a, b], axis=-1)
    return inputs, expected(activation, inputs, np.ones_like(a))


def _zones(a: Array, tail: NDArray[np.bool_], hit: NDArray[np.bool_]) -> Iterator[Zone]:
    """Yield the zones of a tail in which results are lost, outward."""
    order = np.argsort(np.abs(a[tail]), kind="stable")
    size, lost = np.abs(a[tail].astype(np.float64))[order], hit[tail][order]
    places = np.flatnonzero(lost)
    if not places.size:
        return
    apart = (np.diff(places) > 1) & (size[places[1:]] / NEARBY > size[places[:-1]])
    for zone in np.split(places, np.flatnonzero(apart) + 1):
        last = inf if zone[-1] == size.size - 1 else float(size[zone[-1]])
        yield Zone(float(size[zone[0]]), last, whole=bool(zone.size == zone[-1] - zone[0] + 1))
