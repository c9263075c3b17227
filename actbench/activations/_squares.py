"""The rounding error of a square, for exponentials of squares, which would otherwise be off by up to z^2 ULP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def rounding_error_of_square(m: Any) -> Callable[[Any, Any], Any]:
    """Return a formula of z and the computed square of z: the true square minus the computed one, for |z| up to 40.

    With z = h + r, where h is a multiple of 1 / 128 with so few bits that h h is exact, the square is
    h h + 2 h r + r r, whose last two terms are small. T. J. Dekker, "A floating-point technique for extending the
    available precision", Numerische Mathematik 18, 1971, splits numbers in the same way, into halves.
    """

    def error(z: Any, square: Any) -> Any:
        h = m.floor(z * 128.0) / 128.0
        r = z - h
        return ((h * h - square) + 2.0 * h * r) + r * r

    return error
