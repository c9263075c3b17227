"""What a framework makes of its own activation: what its automatic differentiation saves, and how it is called.

Strategy ``shipped`` executes it. What the forward pass saves is read from the framework, by a forward pass on a few
numbers: it is no choice of actbench's, and it changes with the framework's version.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from actbench.backends._backend import Bound
from actbench.model.names import Op

SAMPLE = 257
"""Number of elements of the forward pass that shows what is saved."""

Z, DY, Y = "z", "dy", "y"
"""The names of operands; what is saved beside z and y is numbered."""


@dataclass(frozen=True, slots=True)
class Saved:
    """An array that the forward pass saves, with one element for each z, or for each row of z."""

    name: str
    dtype: np.dtype[Any]
    """The type of its elements: that of z, or another, such as bool."""
    per_row: bool = False
    """Whether it is one number a row."""


class Autograd(ABC):
    """A framework's own activation and its gradient in one dtype."""

    saved: tuple[Saved, ...]
    """What the forward pass saves, each array once."""
    call: str
    """The function as Python has it: ``torch.nn.functional.gelu(z)``."""

    @abstractmethod
    def bind(self, op: Op, size: int) -> Bound:
        """Return the function of an op on arrays of one size; it takes what `arguments` returns."""

    @abstractmethod
    def bind_forward(self, size: int) -> Bound:
        """Return the forward pass alone: ``function(z)``, with z as `leaf` returns it, gives (y, *what is saved)."""

    @abstractmethod
    def bind_backward(self, size: int) -> Bound:
        """Return the backward pass of that: ``function(dy, *what is saved)``; it may be called more than once."""

    @abstractmethod
    def reads(self, op: Op) -> tuple[str, ...]:
        """Return the names of the operands that `arguments` takes."""

    def holds_output(self, op: Op) -> bool:
        """Return whether the arguments of an op include y, which it does not read."""
        del op
        return False

    @abstractmethod
    def arguments(self, op: Op, size: int, operands: Sequence[Any]) -> tuple[Any, ...]:
        """Return the arguments of a call on operands; a forward pass that must come before it is done here."""

    @abstractmethod
    def keep(self, z: Any) -> Mapping[str, Any]:
        """Return what the forward pass saves beside z itself, as numpy arrays by name, of a numpy array."""

    @abstractmethod
    def gradient(self, op: Op) -> str:
        """Return what computes dy * g' in an op, as Python has it."""

    def detached(self, output: Any) -> Any:
        """Return an output without what it is differentiated by."""
        return output

    def leaf(self, z: Any) -> Any:
        """Return an operand as what is differentiated: the same memory."""
        return z


def named(arrays: Sequence[Any], known: Mapping[str, Any]) -> tuple[Saved, ...]:
    """Return what was saved, from numpy arrays: z, y and others are known by their elements, the rest are numbered."""
    names: list[str] = []
    for array in arrays:
        same = (
            name
            for name, one in known.items()
            if name not in names and array.dtype == one.dtype and np.array_equal(array, one, equal_nan=True)
        )
        names.append(next(same, f"saved_{1 + sum(name not in known for name in names)}"))
    return tuple(Saved(name, array.dtype) for name, array in zip(names, arrays, strict=True))
