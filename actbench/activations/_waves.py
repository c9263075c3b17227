"""Sine and cosine of one number, also of an infinite one, of which pure Python raises an exception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def waves(m: Any) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Return both, for the scalar dialect."""

    def sin(x: Any) -> Any:
        return m.sin(x) if abs(x) <= 1.7976931348623157e308 else x - x  # NaN

    def cos(x: Any) -> Any:
        return m.cos(x) if abs(x) <= 1.7976931348623157e308 else x - x

    return sin, cos
