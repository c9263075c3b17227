"""g' or y of an activation at the z of findings, and where any arithmetic would be off."""

from __future__ import annotations

from functools import cache
from math import isfinite, isinf
from typing import Any

import mpmath
import numpy as np

from actbench import registry
from actbench.analysis.accuracy import NEARBY
from actbench.model.names import Quantity
from actbench.model.number_formats import limits
from actbench.verification.truth.exact import Exact

BESIDE_KINK = 8.0
"""Distance from a kink, in eps times its size, within which rounding decides on which side a z lies."""

DIGITS = 20
"""Decimal digits of what is right."""


def eps(dtype: str) -> float:
    """Return the eps of a dtype."""
    return float(limits(dtype).eps)


def tiny(dtype: str) -> float:
    """Return the smallest normal number of a dtype."""
    return float(limits(dtype).tiny)


@cache
def known(activation: str, quantity: str) -> Known:
    """Return what is known of a function."""
    return Known(activation, Quantity(quantity))


class Known:
    """g' or y of an activation."""

    def __init__(self, activation: str, quantity: Quantity) -> None:
        """Take an activation that mpmath can evaluate."""
        described = registry.activation(activation)
        self._kinks = described.formulas.kinks if quantity is Quantity.DERIVATIVE else {}
        self._exact, self._quantity = Exact(described), quantity

    def at(self, z: float) -> Any:
        """Return it as a number of mpmath, or None."""
        (point,) = self._exact.at(np.array([z]))
        return point.slope if self._quantity is Quantity.DERIVATIVE else point.output

    def text(self, z: float) -> str:
        """Return it in `DIGITS` digits."""
        return str(mpmath.nstr(self.at(z), DIGITS))

    def excuses(self, first: float, last: float, dtype: str) -> bool:
        """Return whether any arithmetic would be off between two z of one sign.

        That is around a root, right beside a kink, and where all z or all results are subnormal, and may count as 0.
        """
        ends = (first, last)
        if abs(last) <= tiny(dtype) or all(isfinite(z) and abs(self.at(z) or 1) < tiny(dtype) for z in ends):
            return True
        return self.is_beside_kink(*ends, dtype) or self.has_root(*ends)

    def is_beside_kink(self, first: float, last: float, dtype: str) -> bool:
        """Return whether two z are right beside a kink."""
        for kink in self._kinks:
            reach = max(BESIDE_KINK * eps(dtype) * abs(kink), tiny(dtype))
            if all(abs(end - kink) <= reach for end in (first, last)):
                return True
        return False

    def has_root(self, first: float, last: float) -> bool:
        """Return whether it changes its sign between two z of one sign, or close to them."""
        if isinf(last) or first == 0:
            return False
        before, after = self.at(first / NEARBY), self.at(last * NEARBY)
        return None not in {before, after} and before * after < 0
