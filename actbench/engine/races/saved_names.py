"""What a framework's own activation saves for the backward pass, by name: z, y, g' itself, or an array of no name."""

from __future__ import annotations

import numpy as np

from actbench.kernels.shipped import ShippedKernel
from actbench.model.number_formats import limits, numpy_dtype
from actbench.verification.truth import truth_at

DERIVATIVE = "g'"
"""The name of what is kept where it is the derivative itself."""

SAMPLE, NEAR = 64, 64.0
"""Number of z that show that, and the eps by which a framework's g' may be off there."""


def kept_by(kernel: ShippedKernel) -> tuple[str, ...]:
    """Return the names of what a framework keeps: those that it has as an operand, or g', where it is that."""
    if kernel.is_gated:
        return tuple(operand.name for operand in kernel.residuals)
    z = np.random.default_rng(0).standard_normal(SAMPLE).astype(numpy_dtype(kernel.dtype))
    slope, kept = truth_at(kernel.activation, z)[0].nearest, kernel.autograd.keep(z)
    near = NEAR * float(limits(z.dtype).eps)
    return tuple(
        DERIVATIVE if name in kept and np.allclose(kept[name].astype(slope.dtype), slope, near, near) else name
        for name in (operand.name for operand in kernel.residuals)
    )
