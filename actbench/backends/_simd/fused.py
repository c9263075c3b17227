"""y (1 - y) and 1 - y^2, rounded once where the processor has fused multiply-adds.

y - y y is then half a unit in the last place off. Rounded twice, it would lose what y y loses where the difference is
small; a product with 1 - y, which is exact there, does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actbench.backends._simd.bits import fused_or
from actbench.backends._simd.dispatch import by_dtype
from actbench.backends._simd.formats import FLOAT32, FLOAT64, Format


def _times_complement(fmt: Format) -> Callable[..., Any]:
    (one,) = fmt.reals(1.0)

    def times_complement(x):
        """Return x (1 - x)."""
        return fused_or(-x, x, x, x * (one - x))

    return times_complement


def _one_minus_square(fmt: Format) -> Callable[..., Any]:
    (one,) = fmt.reals(1.0)

    def one_minus_square(x):
        """Return 1 - x^2."""
        return fused_or(-x, x, one, (one - x) * (one + x))

    return one_minus_square


times_complement = by_dtype("times_complement", _times_complement(FLOAT32), _times_complement(FLOAT64))
one_minus_square = by_dtype("one_minus_square", _one_minus_square(FLOAT32), _one_minus_square(FLOAT64))
