"""What row activations have in common: exponentials of z less the row's maximum, and where those of z itself fail."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import Any

from actbench.activations._at_once import has
from actbench.formula import Flaw, Weakness


def exp_below_1(m: Any) -> Callable[[Any], Any]:
    """Return exp of what is not positive: by the function for that where a namespace has it."""

    def exp(x):
        return m.exp(x)

    def capped(x):
        return m.capped_exp(x)

    return capped if has(m, "capped_exp") else exp


def overflows(temperature: float = 1.0) -> Weakness:
    """Return the weakness of exp(z / temperature) summed over a row."""

    def where(z: Any, *more: Any) -> Any:
        fmt = more[-1]  # behind a target, if there is one
        largest = z.max(axis=-1, keepdims=True) / temperature
        above = largest > log(float(fmt.max)) - log(z.shape[-1]) - 1.0
        return above | (largest < log(float(fmt.tiny)) + 1.0)

    return Weakness(Flaw.OVERFLOWS, "exp overflows, or all exponentials of a row vanish", where)
