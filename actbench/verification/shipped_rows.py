"""What a framework ships along rows, beside the truth: it is described, and refused where it is another function."""

from __future__ import annotations

import numpy as np

from actbench.kernels.kernel import Kernel
from actbench.model.checks import STATED_ULP
from actbench.verification.shipped import GROSS, SMALL, library
from actbench.verification.truth import Array
from actbench.verification.truth.rows import RowTruth

ORDINARY = 4.0
"""|z| up to which all z of a row are, where it must be near the truth."""


def exceeding(computed: Array, right: RowTruth, z: Array, unit: Array) -> Array:
    """Return where results in rows of ordinary z are so far off that they are not the activation's.

    `unit` is one number a row: the size beside which a result is small, of dy or of y.
    """
    with np.errstate(all="ignore"):
        nearest = right.nearest.astype(np.float64)
        scale = np.maximum(np.abs(nearest).max(axis=1, keepdims=True), SMALL * unit)
        off = np.abs(computed.astype(np.float64) - nearest) > GROSS * scale
    ordinary = (np.abs(z) <= ORDINARY).all(axis=1, keepdims=True)
    return np.asarray((off | ~np.isfinite(computed)) & ordinary)


def remark(kernel: Kernel, computed: Array, error: Array, z: Array) -> str:
    """Say where a gradient is no number, or off, each with the spreads of these rows of z; "" where nowhere."""
    missing = ~np.isfinite(computed) & (error > STATED_ULP)
    off = ~missing & (error > STATED_ULP)
    clauses = [
        *([f"the gradient is no number {_spreads(z, missing)}"] if missing.any() else []),
        *([f"the gradient is off by up to {error[off].max():.2g} ULP {_spreads(z, off)}"] if off.any() else []),
    ]
    return f"as shipped by {library(kernel)}: {'; '.join(clauses)}" if clauses else ""


def _spreads(z: Array, there: Array) -> str:
    lowest = np.min(z, axis=1, initial=np.inf, where=np.isfinite(z))
    spread = np.maximum(z.max(axis=1) - lowest, 0.0)[there.any(axis=1)]
    low, high = f"{spread.min():.3g}", f"{spread.max():.3g}"
    return f"in rows of a spread {f'of {low}' if low == high else f'from {low} to {high}'}"
