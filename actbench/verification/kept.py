"""The expected derivative of a strategy with narrow residuals: its formula, evaluated exactly on those residuals.

The formula of a strategy that keeps only z is g' itself.

The distance from g' is the price of the narrow type; it is reported and not judged. A forward pass may be off by a few
units in the last place, as any kernel may. A residual close to the midpoint of two narrow numbers may then round either
way, and both are right.

Where a residual is infinite, or exact arithmetic has no answer, such as 0 / 0, the formula is evaluated in float64,
because the rules of IEEE 754 for infinity and NaN apply there.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import mpmath
import numpy as np

from actbench import backends
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import Operands
from actbench.model.names import Dtype, Storage
from actbench.model.number_formats import limits, numpy_dtype
from actbench.model.rule import Dialect
from actbench.plugins import evaluating
from actbench.verification.truth import Array, Truth, nearest_to, slope_at

DIGITS = 100
"""Decimal digits of the formula's arithmetic."""

ASIDE = (0, -1, 1)
"""Where a residual may lie within its uncertainty: in the middle, or at either end."""


def expected(kernel: Kernel, z: Array, doubt: Array) -> tuple[tuple[Truth, ...], Array]:
    """Return the values that g' may have from the residuals, the likeliest first; and z as it is stored.

    z is unchanged where the strategy does not keep it. `doubt` is by how many units in the last place a residual may
    differ from the result of numpy's forward pass.
    """
    return _expected(kernel, z.tobytes(), doubt.tobytes())


@cache
@evaluating
def _expected(kernel: Kernel, z_bytes: bytes, doubt_bytes: bytes) -> tuple[tuple[Truth, ...], Array]:
    """Do the same with bytes, which can be cached."""
    dtype, storage = kernel.dtype, kernel.storage
    assert storage is not None  # noqa: S101  # other kernels are compared with the truth
    z, doubt = np.frombuffer(z_bytes, numpy_dtype(dtype)), np.frombuffer(doubt_bytes)
    operands = Operands(kernel.activation, z)
    wide = [operand._replace(storage=None) for operand in kernel.residuals]
    computed = {operand.name: operands.array(operand).astype(np.float64) for operand in wide}
    names = (*computed,)
    formula = _Formula(kernel)
    slopes = []
    for aside in (0,) if names == ("z",) else ASIDE:
        kept = [_rounded(computed[name], 0.0 if name == "z" else aside * doubt, dtype, storage) for name in names]
        slopes.append(
            nearest_to([formula(*row) for row in zip(*(column.tolist() for column in kept), strict=True)], z.dtype)
        )
    at = _rounded(z.astype(np.float64), 0.0, dtype, storage) if "z" in names else z
    limit = limits(dtype).max
    return tuple(slopes), np.clip(at, -float(limit), float(limit)).astype(z.dtype)


def _rounded(computed: Array, aside: Array | float, dtype: Dtype, storage: Storage) -> Array:
    """Return residuals in float64, shifted by `aside` units in the last place and rounded to the storage type."""
    with np.errstate(all="ignore"):
        unit = np.spacing(np.abs(computed.astype(numpy_dtype(dtype)))).astype(np.float64)
        moved = np.where(np.isfinite(unit), computed + aside * unit, computed).astype(numpy_dtype(dtype))
        return np.asarray(moved.astype(numpy_dtype(storage)).astype(np.float64))


class _Formula:
    """The formula of a strategy over numbers of any precision; each residual is evaluated once."""

    def __init__(self, kernel: Kernel) -> None:
        numpy = backends.namespace("numpy")
        exact = kernel.formula(Dialect.SCALAR, mpmath.mp)

        def slope(z: float) -> Any:
            return slope_at(kernel.activation, z)

        def from_residuals(*residuals: float) -> Any:
            with mpmath.workdps(DIGITS):
                return exact.derivative(*map(mpmath.mpf, residuals))

        self._exact = slope if exact.residuals == ("z",) else from_residuals
        self._float64 = kernel.formula(Dialect.ARRAY, numpy).derivative
        self._known: dict[tuple[float, ...], Any] = {}

    def __call__(self, *residuals: float) -> Any:
        """Return g' as a number of mpmath, or of float64 where mpmath has none."""
        if residuals not in self._known:
            self._known[residuals] = self._evaluate(residuals)
        return self._known[residuals]

    def _evaluate(self, residuals: tuple[float, ...]) -> Any:
        if np.all(np.isfinite(residuals)):
            try:
                slope = self._exact(*residuals)
            except (ArithmeticError, ValueError):
                slope = mpmath.mpc(0, 1)
            if not isinstance(slope, mpmath.mpc):
                return slope
        with np.errstate(all="ignore"):
            return float(self._float64(*(np.array([residual]) for residual in residuals))[0])
