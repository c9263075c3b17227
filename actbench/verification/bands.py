"""The largest errors by bands of z, as a `Check` has them."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from actbench.model.checks import BANDS
from actbench.verification.truth import Array


def by_band(z: Array, error: Array) -> Iterator[float | None]:
    """Yield the largest error of each band of z, to three digits; None for inf."""
    for low, high in BANDS:
        inside = (z > low) & (z <= high) if high <= 0 else (z >= low) & (z < high)
        inside &= ~((z == 0) & (high <= 0))
        largest = float(error[inside].max(initial=0.0))
        yield float(f"{largest:.3g}") if isfinite(largest) else None
