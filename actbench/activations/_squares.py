"""What rounding takes off a square, for exponentials of one: they would make of its ULP as many as z^2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def loss(m: Any) -> Callable[[Any, Any], Any]:
    """Return a formula of z and of z z as computed: how much larger the true square is; for |z| up to 40.

    With z = h + r, h a multiple of 1 / 128 with so few bits that h h is exact, it is h h + 2 h r + r r, and the last
    two are small. T. J. Dekker, "A floating-point technique for extending the available precision", Numerische
    Mathematik 18, 1971, splits likewise, into halves.
    """

    def lost(z: Any, square: Any) -> Any:
        h = m.floor(z * 128.0) / 128.0
        r = z - h
        return ((h * h - square) + 2.0 * h * r) + r * r

    return lost
