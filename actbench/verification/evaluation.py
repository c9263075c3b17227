"""What a kernel answers, as the oracle asks it: by its id, since it may run in another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from actbench.model.cases import KernelId
from actbench.verification.truth import Array


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a kernel answers for an array z and upstream gradient dy.

    ``y`` is given by a step alone. Where the call raised, the elements are NaN and `raised` says what.
    """

    derivative: Array
    y: Array | None
    raised: str | None = None

    def at(self, mask: Array) -> Evaluation:
        """Return the elements that a boolean array picks."""
        return Evaluation(self.derivative[mask], None if self.y is None else self.y[mask], self.raised)


Evaluate = Callable[[KernelId, Array, Array], Evaluation]
