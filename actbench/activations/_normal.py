"""What rounding costs Phi(z) = erfc(-z / sqrt(2)) / 2, the normal distribution function."""

from __future__ import annotations

from math import log

from actbench.formula import Flaw, Weakness

ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "z / sqrt(2) is rounded, and erfc multiplies the error by z^2",
    lambda z, _: z * z * (z < 0),
)
UNDERFLOWS = Weakness(
    Flaw.AMPLIFIES,
    "erfc may give 0 where it is subnormal",
    lambda z, fmt: 1e16 * ((z < 0) & (z * z > -2 * log(fmt.tiny))),
)
