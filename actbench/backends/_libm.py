"""``math`` for compiled loops: numba compiles math.floor to an integer, which would turn float32 into float64."""

from __future__ import annotations

import math
from typing import Any

from numpy import floor

__all__ = ["floor"]


def __getattr__(name: str) -> Any:
    return getattr(math, name)
