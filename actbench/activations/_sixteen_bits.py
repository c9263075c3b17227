"""What formulas lose that are computed in 16 bits, each operation rounded, though float32 has the digits and the range.

A backend that computes in float32 and rounds once has little of it.
"""

from __future__ import annotations

from math import sqrt

from actbench.formula import Flaw, Weakness

SQUARE_ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "in 16 bits z^2 is rounded, and what corrects it as well; the exponential multiplies the error by z^2",
    lambda z, _: z * z,
    narrow=True,
)
SQUARE_OVERFLOWS = Weakness(
    Flaw.OVERFLOWS,
    "z^2 overflows in float16",
    lambda z, fmt: (abs(z) > sqrt(float(fmt.max)) / 2) & (float(fmt.max) < 1e9),
    narrow=True,
)
QUOTIENT_ROUNDED = Weakness(
    Flaw.AMPLIFIES,
    "y is subnormal in float16, and y / z has the few digits that y has left",
    lambda z, fmt: 4.0 * float(fmt.tiny) / (abs(z) + float(fmt.tiny * fmt.eps)) * (float(fmt.tiny) > 1e-30),
    narrow=True,
)
