"""Kernels called in this process, and how far what they return is from a number known to many digits."""

from __future__ import annotations

from itertools import product
from typing import Any

import mpmath
import numpy as np

from actbench import activations, backends
from actbench.kernel import Array, Operands, Placement, bind, prepare
from actbench.model import Dtype, Kernel, Op
from actbench.oracle import Evaluation

TRUTH = {
    "identity": (lambda z: z, lambda _: mpmath.mpf(1)),
    "logistic": (
        lambda z: 1 / (1 + mpmath.exp(-z)),
        lambda z: mpmath.exp(-abs(z)) / (1 + mpmath.exp(-abs(z))) ** 2,
    ),
    "tanh": (mpmath.tanh, lambda z: mpmath.sech(z) ** 2),
}
"""g and g' of every activation, written down independently of the formulas."""


def every_kernel() -> list[Kernel]:
    """Return activations x strategies x backends x dtypes x ops, by discovery, but for the optional backends."""
    usable = [each for each in backends.catalogue().values() if not (each.optional or each.unavailable)]
    return [
        Kernel(activation.name, strategy, backend.name, op, dtype)
        for activation, backend, op in product(activations.catalogue().values(), usable, Op)
        for strategy, dtype in product(activation.strategies, backend.dtypes)
    ]


def outputs(kernel: Kernel, z: Array, dy: Array | None = None) -> list[Array]:
    """Call a kernel once; dy is 1 unless given."""
    operands = Operands(kernel.activation, z, np.ones_like(z) if dy is None else dy)
    placement = Placement(operands, np.random.default_rng(0))
    with np.errstate(all="ignore"):
        return prepare(kernel.at(z.size), placement).results()


def from_residual(kernel: Kernel, kept: Array) -> Array:
    """Call a derivative on a residual of one's own."""
    function = bind(kernel).function
    backend = backends.get(kernel.backend)
    with np.errstate(all="ignore"):
        if not backend.preallocates:
            return np.asarray(function(backend.adopt(kept)))
        out = np.empty_like(kept)
        function(out, kept)
        return out


def evaluate(kernel: Kernel, z: Array, dy: Array) -> Evaluation:
    """Answer as a worker does: one by one where the arithmetic raises."""
    raised: str | None = None
    try:
        found = outputs(kernel, z, dy)
    except ArithmeticError as error:
        each = [_at(kernel, z[i : i + 1], dy[i : i + 1]) for i in range(z.size)]
        found = [np.concatenate(parts) for parts in zip(*each, strict=True)]
        raised = repr(error)
    return Evaluation(found[-1], found[0] if kernel.op is Op.STEP else None, raised)


def slope(activation: str, z: Array) -> list[Any]:
    """Return g' to fifty digits."""
    return _exact(TRUTH[activation][1], z)


def output(activation: str, z: Array) -> list[Any]:
    """Return g to fifty digits."""
    return _exact(TRUTH[activation][0], z)


def rounded(exact: list[Any], dtype: Dtype) -> Array:
    """Return the nearest numbers of a format."""
    return np.array([float(number) for number in exact]).astype(dtype)


def ulps(computed: Array, exact: list[Any]) -> Array:
    """Return the error in units in the last place of the format that was computed in."""
    near = np.array([float(number) for number in exact])
    rest = np.array([float(number - mpmath.mpf(float(part))) for number, part in zip(exact, near, strict=True)])
    distance = np.abs((computed.astype(np.float64) - near) - rest)
    error: Array = distance / np.spacing(np.abs(near.astype(computed.dtype))).astype(np.float64)
    return error


def _exact(function: Any, z: Array) -> list[Any]:
    with mpmath.workdps(50):
        return [function(mpmath.mpf(float(each))) for each in z]


def _at(kernel: Kernel, z: Array, dy: Array) -> list[Array]:
    try:
        return outputs(kernel, z, dy)
    except ArithmeticError:
        return [np.full(1, np.nan, dtype=kernel.dtype)] * (2 if kernel.op is Op.STEP else 1)
