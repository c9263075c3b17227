"""What a framework ships of gated activations, beside the truth: it is described, and refused only where it is another.

Of y = g(a) b it is refused where it errs grossly at ordinary a and b, as `actbench.verification.shipped` has it.
"""

from __future__ import annotations

import numpy as np

from actbench.kernels.kernel import Kernel
from actbench.model.checks import STATED_ULP
from actbench.model.number_formats import limits
from actbench.verification.shipped import AT_KINK, GROSS, ORDINARY, SMALL, extent, library
from actbench.verification.truth import Array
from actbench.verification.truth.products import Product

LARGE = 1e3
"""|b| above which products with it may overflow."""


def exceeding(kernel: Kernel, computed: Array, right: Product, inputs: Array, scale: Array) -> Array:
    """Return where a result is so far off at ordinary a and b that it is not the activation's.

    `scale` is the size of the other factors of a result, beside which it may be small.
    """
    rounding = STATED_ULP * float(limits(inputs.dtype).eps)
    a, b = np.abs(inputs.astype(np.float64)).T
    with np.errstate(all="ignore"):
        nearest = right.truth.nearest.astype(np.float64)
        size = np.abs(nearest)
        gross = np.maximum(GROSS * np.maximum(size, SMALL * scale), rounding * np.maximum(size, scale))
        off = np.abs(computed.astype(np.float64) - nearest) > gross
    ordinary = (a <= ORDINARY) & ((b == 0) | ((b >= SMALL) & (b <= LARGE))) & np.isfinite(nearest)
    for kink in kernel.formulas.kinks:
        ordinary &= np.abs(inputs[:, 0].astype(np.float64) - kink) > max(AT_KINK, rounding * abs(kink))
    return np.asarray((off | ~np.isfinite(computed)) & ordinary)


def remark(kernel: Kernel, computed: Array, errors: Array, inputs: Array) -> str:
    """Say where gradients are no numbers, or off, each with the ends of these a; "" where nowhere.

    Results and errors are two columns, of a and of b. A framework multiplies dy by b first, which may overflow.
    """
    a, b = inputs[:, 0], np.abs(inputs[:, 1].astype(np.float64))
    missing = (~np.isfinite(computed) & (errors > STATED_ULP)).any(axis=1)
    overflows, missing = missing & (b > LARGE), missing & (b <= LARGE)
    error = np.where(np.isfinite(computed), errors, 0.0).max(axis=1)
    off = error > STATED_ULP
    clauses = [
        *([f"a gradient is no number {extent(a, missing, 'a')}"] if missing.any() else []),
        *([f"a gradient is no number at some |b| from {b[overflows].min():.3g} on"] if overflows.any() else []),
        *([f"gradients are off by up to {error[off].max():.2g} ULP {extent(a, off, 'a')}"] if off.any() else []),
    ]
    return f"as shipped by {library(kernel)}: {'; '.join(clauses)}" if clauses else ""
