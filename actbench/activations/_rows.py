"""What row activations have in common: where the exponentials of a row fail, unless its maximum is subtracted."""

from __future__ import annotations

from math import log
from typing import Any

from actbench.formula import Flaw, Weakness


def overflows(temperature: float = 1.0) -> Weakness:
    """Return the weakness of exp(z / temperature) summed over a row."""

    def where(z: Any, *more: Any) -> Any:
        fmt = more[-1]  # behind a target, if there is one
        largest = z.max(axis=-1, keepdims=True) / temperature
        above = largest > log(float(fmt.max)) - log(z.shape[-1]) - 1.0
        return above | (largest < log(float(fmt.tiny)) + 1.0)

    return Weakness(Flaw.OVERFLOWS, "exp overflows, or all exponentials of a row vanish", where)
