"""The answer of a kernel to the oracle, which knows the kernel by its id, since it may run in another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from actbench.model.cases import KernelId
from actbench.verification.truth import Array


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The answer of a kernel for an array z and an upstream gradient dy.

    Only a step has `y`. Where the call raised, all elements are NaN and `raised` is the exception in words.
    """

    derivative: Array
    y: Array | None
    raised: str | None = None

    def at(self, mask: Array) -> Evaluation:
        """Return the elements that a boolean array selects."""
        return Evaluation(self.derivative[mask], None if self.y is None else self.y[mask], self.raised)


Evaluate = Callable[[KernelId, Array, Array], Evaluation]
