"""The two formats in numbers: what the functions need to know of float32 and float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Format:
    """An IEEE 754 binary format. Constants are of its own type, since numba widens float32 with a Python float."""

    real: Any
    integer: Any
    fraction: int
    """Bits of the fraction."""
    bias: int
    """Of the exponent."""
    ln2_high: float
    """So few bits of ln 2 that their product with any exponent is exact, with or without fused multiply-add."""
    ln2_low: float
    """The rest of ln 2 (W. J. Cody and W. Waite, "Software Manual for the Elementary Functions", 1980)."""

    @property
    def magic(self) -> float:
        """Adding it rounds to an integer, which then stands in the lowest bits of the sum."""
        return 1.5 * 2.0**self.fraction

    @property
    def eps(self) -> float:
        """The spacing of numbers at 1."""
        return 2.0**-self.fraction

    @property
    def smallest_normal(self) -> float:
        """Below it, numbers are subnormal."""
        return 2.0 ** (1 - self.bias)

    def reals(self, *values: float) -> tuple[Any, ...]:
        """Return constants in the format."""
        return tuple(self.real(value) for value in values)

    def bits(self, value: float) -> int:
        """Return the bits of a number as an integer."""
        return int(self.real(value).view(self.integer))


FLOAT32 = Format(np.float32, np.int32, 23, 127, 45426 / 2**16, 1.4286068203094173e-06)
FLOAT64 = Format(np.float64, np.int64, 52, 1023, 3048493539143 / 2**42, 5.497923018708371e-14)
