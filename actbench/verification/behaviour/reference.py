"""Reference values in float64 for every element of a large result, by formulas that have passed the oracle.

The oracle checks some thousand z. A kernel may still be wrong between them, at some sizes, or in the last elements of
an array. So every element of a result is compared with another formula, which numpy evaluates in float64: that of the
built-in `recompute`, which tests compare with the truth on every float32. A user's activation is compared with its
first strategy that keeps z; and a sample also with differences of its forward function
(`actbench.verification.truth.differences`), because a wrong formula cannot vouch for itself. Of a user's gated
activation, and of g'', the sample is smaller, and the oracle evaluates the truth of all of it.

A difference alone is not a fault, since a strategy may lose digits that the reference keeps. The worst element of every
band of |z| is reported, and the oracle evaluates the truth there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from actbench import activations, backends
from actbench.errors import BenchmarkError
from actbench.formula import Activation, Flaw
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import DY, PIECE, Array, B, Operands
from actbench.model.checks import STATED_ULP
from actbench.model.number_formats import limits
from actbench.model.rule import Dialect, Formula
from actbench.verification.behaviour import NO_ELEMENTS, Elements
from actbench.verification.behaviour.row_reference import RowReference

EDGES = np.array([0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0])
"""Edges of the bands of |z|; the worst element of each band is reported."""

SAMPLE = 1 << 14
"""Number of elements that are compared with differences, which take some 200 forward evaluations per element."""

DRAWN = 8
"""Number of elements of every band of |z| that the oracle evaluates where there are no differences."""

SAFETY = 10.0
"""Tolerance of a difference, as a multiple of its estimated error."""

RECOMPUTE = "recompute"
"""The strategy that every built-in activation has, and that is accurate everywhere."""


class Reference:
    """The expected g' and y on the operands of a block, evaluated piece by piece."""

    def __init__(self, operands: Operands) -> None:
        """Take the operands of a block, whose kernels share one activation and op."""
        self._operands = operands
        self._rows = RowReference(operands)
        self._numpy = backends.namespace("numpy")
        self._known: dict[tuple[int, int], tuple[Array, ...]] = {}

    def suspects(self, kernel: Kernel, result: Array, pieces: list[slice] | None = None) -> Elements:
        """Return the elements of g', or dy * g', that differ from the reference: the worst one of each band of |z|."""
        if kernel.is_row:
            return self._rows.suspects(kernel, result, of_output=False, drawn=pieces is None)
        chosen = _Worst()
        for piece in pieces or _pieces(len(result)):
            scales = self._scales(kernel, piece)
            for column, (expected, scale) in enumerate(zip(self._expected(kernel, piece), scales, strict=False)):
                computed = result[piece, column] if kernel.is_gated else result[piece]
                self._compare(chosen, computed, expected, piece, scale)
        if _is_built_in(kernel) or pieces is not None:
            return self._elements(kernel, chosen, result)
        if kernel.is_gated or kernel.activation.first:
            drawn = _drawn_of_every_band(self._operands.z)
            return self.at(kernel, np.concatenate([chosen.indices(), drawn]), result)
        self._compare_with_differences(kernel, chosen, result)
        return self._elements(kernel, chosen, result)

    def suspects_of_output(self, kernel: Kernel, result: Array, pieces: list[slice] | None = None) -> Elements:
        """Return the elements of y that differ from the forward function in float64."""
        if kernel.is_row:
            return self._rows.suspects(kernel, result, of_output=True, drawn=False)
        chosen = _Worst()
        forward = kernel.activation.forward(Dialect.ARRAY, self._numpy)
        for piece in pieces or _pieces(result.size):
            (expected,) = _evaluated(forward, *self._inputs(kernel, piece))
            self._compare(chosen, result[piece], expected, piece, 0.0)
        return self._elements(kernel, chosen, result)

    def at(self, kernel: Kernel, indices: Array, result: Array) -> Elements:
        """Return the elements of a result at these indices, with their inputs."""
        if kernel.is_row:
            return self._rows.at(kernel, int(indices[0]), result) if indices.size else NO_ELEMENTS
        inputs = self._operands.inputs(kernel.activation)
        z = np.stack([array[indices] for array in inputs], axis=-1) if kernel.is_gated else inputs[0][indices]
        dy = np.ones_like(z) if not kernel.op.takes_dy else self._operands.array(DY)[indices]
        return Elements(z, dy, result[indices])

    def _elements(self, kernel: Kernel, chosen: _Worst, result: Array) -> Elements:
        return self.at(kernel, chosen.indices(), result)

    def _inputs(self, kernel: Kernel, piece: slice) -> list[Array]:
        return [array[piece] for array in self._operands.inputs(kernel.activation)]

    def _expected(self, kernel: Kernel, piece: slice) -> tuple[Array, ...]:
        """Return g', or dy * g', of a piece, in float64; nothing where there is no formula but the case's own.

        Of a gated activation, it is the gradient of a, and that of b.
        """
        if kernel.storage:
            arrays = [self._operands.array(operand) for operand in kernel.residuals]
            derivative = kernel.formula(Dialect.ARRAY, self._numpy).derivative
            return self._times_dy(kernel, _evaluated(derivative, *(array[piece] for array in arrays)), piece)
        trusted = _trusted(kernel.activation)
        if trusted is None or (trusted == kernel.strategy and not _is_built_in(kernel)):
            return ()
        key = (piece.start, piece.stop)
        if key not in self._known:
            derivative = kernel.activation.rule(trusted, Dialect.ARRAY, self._numpy).derivative
            slopes = _evaluated(derivative, *self._inputs(kernel, piece))
            self._known[key] = self._times_dy(kernel, slopes, piece)
        return self._known[key]

    def _times_dy(self, kernel: Kernel, slopes: tuple[Array, ...], piece: slice) -> tuple[Array, ...]:
        if not kernel.op.takes_dy:
            return slopes
        return tuple(slope * self._operands.array(DY)[piece] for slope in slopes)

    def _compare(self, chosen: _Worst, result: Array, expected: Array, piece: slice, scale: Array | float) -> None:
        """Note the elements of a piece whose distance from the expected value exceeds rounding."""
        fmt = limits(result.dtype)
        with np.errstate(all="ignore"):
            allowed = np.abs(expected)
            allowed += scale
            allowed *= STATED_ULP * float(fmt.eps)
            off = result - expected
            suspicious = np.flatnonzero(~(np.abs(off, out=off) <= allowed))
            if not suspicious.size:
                return
            computed, right = result[suspicious], expected[suspicious]
            same = off[suspicious] <= float(fmt.tiny)  # subnormal numbers have few digits
            same |= (np.abs(right) > float(fmt.max)) & (np.sign(right) * np.inf == computed)
            suspicious = suspicious[~same]
            distance = np.nan_to_num(off[suspicious] / np.abs(expected[suspicious]), nan=np.inf)
        size = np.abs(self._operands.z[piece][suspicious])
        chosen.add(suspicious + piece.start, size, distance)

    def _scales(self, kernel: Kernel, piece: slice) -> tuple[Array | float, ...]:
        """Return the size whose eps are allowed as error: 1 or |dy| where digits are declared to cancel, else 0.

        Of a gated activation, that of its gradients: |b dy| and |dy|.
        """
        if not any(weakness.flaw is Flaw.CANCELS for weakness in kernel.weaknesses):
            return (0.0,) * len(kernel.gradients)
        if not kernel.op.takes_dy:
            return (1.0,)
        dy = np.abs(self._operands.array(DY)[piece])
        return (dy * np.abs(self._operands.array(B)[piece]), dy) if kernel.is_gated else (dy,)

    def _compare_with_differences(self, kernel: Kernel, chosen: _Worst, result: Array) -> None:
        from actbench.verification.truth import differences

        step = -(-result.size // SAMPLE)
        sample = slice(0, None, step)
        z = self._operands.z[sample].astype(np.float64)
        try:
            known = differences.differentiate(differences.forward(kernel.activation), z, dict(kernel.formulas.kinks))
        except BenchmarkError:
            return  # the oracle has already reported such a function
        dy = 1.0 if not kernel.op.takes_dy else self._operands.array(DY)[sample].astype(np.float64)
        with np.errstate(all="ignore"):
            expected, slack = known.slope * dy, SAFETY * known.error * np.abs(dy)
            off = np.abs(result[sample] - expected)
            allowed = STATED_ULP * float(limits(result.dtype).eps) * np.abs(expected) + slack
            suspicious = np.flatnonzero(~(off <= allowed) & np.isfinite(slack))
            if suspicious.size:
                distance = np.nan_to_num(off[suspicious] / np.abs(expected[suspicious]), nan=np.inf)
                chosen.add(suspicious * step, np.abs(z[suspicious]), distance)


class _Worst:
    """The worst element of every band of |z|, collected piece by piece."""

    def __init__(self) -> None:
        self._index: dict[int, tuple[float, int]] = {}

    def add(self, indices: Array, size: Array, distance: Array) -> None:
        """Add elements: their indices, their |z|, and their relative errors."""
        bands = np.searchsorted(EDGES, size)
        order = np.lexsort((distance, bands))
        last = np.flatnonzero(np.diff(bands[order], append=-1))
        for at in order[last].tolist():
            worst = (float(distance[at]), int(indices[at]))
            band = int(bands[at])
            self._index[band] = max(worst, self._index.get(band, worst))

    def indices(self) -> Array:
        """Return the indices of the worst elements."""
        return np.array([index for _, index in self._index.values()], dtype=np.int64)


def _drawn_of_every_band(z: Array) -> Array:
    """Return the indices of `DRAWN` elements of every band of |z|, as far as a sample has them."""
    drawn = np.random.default_rng().integers(z.size, size=min(z.size, SAMPLE))
    bands = np.searchsorted(EDGES, np.abs(z[drawn]))
    return np.concatenate([drawn[bands == band][:DRAWN] for band in range(EDGES.size + 1)])


def _is_built_in(kernel: Kernel) -> bool:
    return activations.is_built_in(kernel.activation)


def _trusted(activation: Activation) -> str | None:
    """Return the name of the strategy whose formula serves as reference; None where there is none."""
    if activations.is_built_in(activation):
        return RECOMPUTE
    rules = {name: activation.rule(name, Dialect.SCALAR, None) for name in activation.formulas.strategies}
    return next((name for name, rule in rules.items() if rule.residuals == rule.inputs), None)


def _pieces(size: int) -> Iterator[slice]:
    for start in range(0, size, PIECE):
        yield slice(start, min(start + PIECE, size))


def _evaluated(formula: Formula, *operands: Array) -> tuple[Array, ...]:
    """Return the results of a formula, one or more, in float64."""
    wide = [operand.astype(np.float64) for operand in operands]
    with np.errstate(all="ignore"):
        computed = formula(*wide)
    results = (np.asarray(one, np.float64) for one in (computed if isinstance(computed, tuple) else (computed,)))
    return tuple(one if one.shape == wide[0].shape else np.broadcast_to(one, wide[0].shape) for one in results)
