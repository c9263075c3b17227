"""What a framework ships, beside the truth: it is described, and refused only where it cannot be that activation.

A strategy of actbench's has to be accurate, except where it declares a weakness. A framework declares none, and its
users run it as it is, so that it is timed whatever its error is. Its `Check` says where g' is 0, or no number, or how
far it is off. It is refused where it has the wrong form, or errs grossly at ordinary z: then another function is called
than the activation is.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import numpy as np

from actbench.kernels.kernel import Kernel
from actbench.model.checks import STATED_ULP
from actbench.model.number_formats import limits
from actbench.verification.truth import Array, Truth

ORDINARY = 1.0
"""|z| up to which it must be near the truth."""

GROSS = 1e-2
"""The relative error that no rounding makes at ordinary z, unless the format has so few bits (`STATED_ULP`)."""

SMALL = 1e-3
"""Size of g' or y below which the error counts in proportion to this: near a root no relative error is small."""

AT_KINK = 1e-30
"""Distance from a kink within which any result is described, or that of rounding to the kink; denormal z count as 0."""


def exceeding(kernel: Kernel, computed: Array, expected: Truth, z: Array) -> Array:
    """Return where a result is so far off at ordinary z that it is not the activation's."""
    rounding = STATED_ULP * float(limits(z.dtype).eps)
    with np.errstate(all="ignore"):
        nearest = expected.nearest.astype(np.float64)
        size = np.abs(nearest)
        gross = np.maximum(GROSS * np.maximum(size, SMALL), rounding * np.maximum(size, 1.0))
        off = np.abs(computed.astype(np.float64) - nearest) > gross
    ordinary = (np.abs(z) <= ORDINARY) & np.isfinite(nearest)
    for kink in kernel.formulas.kinks:
        ordinary &= np.abs(z.astype(np.float64) - kink) > max(AT_KINK, rounding * abs(kink))
    return np.asarray((off | ~np.isfinite(computed)) & ordinary)


def remark(kernel: Kernel, computed: Array, expected: Truth, z: Array) -> str:
    """Say where g' of what is shipped is 0, no number, or off, each with the ends of these z; "" where nowhere."""
    error = expected.error(computed)
    nearest = expected.nearest
    zero = (computed == 0) & (nearest != 0) & (error > STATED_ULP)
    missing = ~np.isfinite(computed) & np.isfinite(nearest)
    off = ~zero & ~missing & (error > STATED_ULP)
    clauses = [
        *([f"g' is 0 {extent(z, zero)}, where it is up to {_size(nearest[zero])}"] if zero.any() else []),
        *([f"g' is no number {extent(z, missing)}"] if missing.any() else []),
        *([f"g' is off by up to {np.max(error[off]):.2g} ULP {extent(z, off)}"] if off.any() else []),
    ]
    return f"as shipped by {library(kernel)}: {'; '.join(clauses)}" if clauses else ""


def library(kernel: Kernel) -> str:
    """Return the library of a kernel with its release: ``torch 2.9``."""
    name = kernel.backend.requires or kernel.backend.name
    try:
        release = ".".join(version(name).partition("+")[0].split(".")[:2])
    except PackageNotFoundError:
        return name
    return f"{name} {release}"


def _size(values: Array) -> str:
    return f"{np.max(np.abs(values.astype(np.float64))):.2g}"


def extent(z: Array, there: Array, name: str = "z") -> str:
    """Return the smallest and the largest of these z, below 0 and from 0 on, under a name."""
    sides = (z[there & (z < 0)], z[there & (z >= 0)])
    return " and ".join(_ends(name, float(side.min()) + 0.0, float(side.max()) + 0.0) for side in sides if side.size)


def _ends(name: str, low: float, high: float) -> str:
    return f"at {name} = {low:.3g}" if low == high else f"from {name} = {low:.3g} to {high:.3g}"
