"""The two floating-point formats, float32 and float64, with the constants that the functions need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Format:
    """An IEEE 754 binary format. Constants have its type, since numba widens float32 when it meets a Python float."""

    real: Any
    integer: Any
    fraction: int
    """Number of fraction bits."""
    bias: int
    """Bias of the exponent."""
    ln2_high: float
    """The leading bits of ln 2, so few that their product with any exponent is exact, with or without fusing."""
    ln2_low: float
    """The rest of ln 2 (W. J. Cody and W. Waite, "Software Manual for the Elementary Functions", 1980)."""

    @property
    def magic(self) -> float:
        """The number whose addition rounds to an integer, which then occupies the lowest bits of the sum."""
        return 1.5 * 2.0**self.fraction

    @property
    def eps(self) -> float:
        """The spacing of numbers at 1."""
        return 2.0**-self.fraction

    @property
    def smallest_normal(self) -> float:
        """The smallest normal number; smaller ones are subnormal."""
        return 2.0 ** (1 - self.bias)

    def reals(self, *values: float) -> tuple[Any, ...]:
        """Return constants in the format."""
        return tuple(self.real(value) for value in values)

    def bits(self, value: float) -> int:
        """Return the bits of a number as an integer."""
        return int(self.real(value).view(self.integer))


FLOAT32 = Format(np.float32, np.int32, 23, 127, 45426 / 2**16, 1.4286068203094173e-06)
FLOAT64 = Format(np.float64, np.int64, 52, 1023, 3048493539143 / 2**42, 5.497923018708371e-14)
