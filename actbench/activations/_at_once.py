"""Derivatives for which a backend's namespace has a function of its own, which takes fewer operations than their parts.

numba-simd has such functions. The formula in an activation's file is what all others execute, and what they compute.
"""

from __future__ import annotations

from typing import Any


def has(m: Any, function: str) -> bool:
    """Return whether a namespace defines this function; none imports a library to answer."""
    return function in getattr(m, "__dict__", {})
