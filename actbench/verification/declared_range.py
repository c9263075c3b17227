"""The range that an activation declares, held to the truth of y: it stands in lists and documents."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from actbench.errors import WrongKernelError
from actbench.kernels.kernel import Kernel
from actbench.model.number_formats import limits
from actbench.verification.truth import Array, Truth

ROUNDED = 1e-6
"""How far relative to a bound y may be outside of it: a bound may be written with few digits."""

ROUNDING = 4.0
"""The same in eps of the format."""


def require(kernel: Kernel, y: Truth, of_interest: Array, where: Callable[[int], str]) -> None:
    """Raise `WrongKernelError` where true y of interest are outside of the declared range; `where` says where one is.

    A framework's function is bound by no declaration, and a derivative in place of y has no range.
    """
    if kernel.is_shipped or kernel.activation.first:
        return
    outside = of_interest & _outside(y, *kernel.formulas.range)
    if outside.any():
        place = int(np.argmax(outside))
        low, high = kernel.formulas.range
        raise WrongKernelError(
            f"{kernel.id} is declared to have values from {low:.6g} to {high:.6g}, but y is {y.nearest[place]:.6g} "
            f"{where(place)}: correct the range"
        )


def _outside(y: Truth, low: float, high: float) -> Array:
    """Return where y is below or above, by more than rounding and what is not known of it."""
    numbers, room = y.nearest.astype(np.float64), max(ROUNDED, ROUNDING * float(limits(y.nearest.dtype).eps))
    unknown = np.zeros(numbers.shape) if y.slack is None else np.nan_to_num(y.slack * y.ulp, nan=np.inf)
    below, above = (bound - room * abs(bound) if np.isfinite(bound) else bound for bound in (low, -high))
    return np.asarray((numbers < below - unknown) | (-numbers < above - unknown))
