"""What gated activations, y = g(a) b, share: weaknesses of g, and g(a) = y / b with what that loses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from math import e
from typing import Any

from actbench.formula import Flaw, Weakness


def of_gate(*weaknesses: Weakness) -> tuple[Weakness, ...]:
    """Return weaknesses of an elementwise activation as those of its gated one, at any b."""

    def at_any_b(weakness: Weakness) -> Weakness:
        return replace(
            weakness, why=re.sub(r"\bz\b", "a", weakness.why), where=lambda a, _, fmt: weakness.where(a, fmt)
        )

    return tuple(map(at_any_b, weaknesses))


def of_quotient(gate: Callable[[Any], Any]) -> tuple[Weakness, ...]:
    """Return the weaknesses of y / b, for g as numpy computes it."""
    return (
        Weakness(
            Flaw.INACCURATE,
            "where b is 0 or y subnormal, little or nothing of g(a) is left in y",
            lambda a, b, fmt: abs(gate(a) * b) < 2.0 * float(fmt.tiny),
        ),
        Weakness(
            Flaw.OVERFLOWS,
            "y overflows",
            lambda a, b, fmt: abs(gate(a) * b) > float(fmt.max),
        ),
    )


def logistic_of(x: Any) -> Any:
    """Return s(x) of arrays, roughly, for regions of weaknesses."""
    small = e ** -abs(x)
    return ((x < 0) * small + (x >= 0)) / (1.0 + small)


def quotients(m: Any) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """Return y / b in the scalar and in the array dialect; 0 where b is 0."""

    def of_numbers(y: Any, b: Any) -> Any:
        return y / b if b != 0.0 else 0.0

    def of_arrays(y: Any, b: Any) -> Any:
        zero = b == 0.0
        return m.where(zero, 0.0, y) / m.where(zero, 1.0, b)

    return of_numbers, of_arrays
