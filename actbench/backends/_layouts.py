"""What a framework's own function takes of a call's operands, and what is known of the arrays that it saves.

The operands of a call are flat arrays, or rows by columns. A function along rows takes the latter, and where it has a
target, that in one dimension. A gate takes a, and its product with b is the framework's own, too. A gated function of a
framework takes one array, b and then a: a linear layer twice as wide has it so, and it is joined before what is timed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from actbench.backends._autograd import SAMPLE, Saved, Y, Z, named

ROWS, COLUMNS = 5, 31
"""Of the sample of rows whose forward pass shows what is saved."""

Join = Callable[[Any, Any], Any]
"""The framework's concatenation of two of its arrays."""


class Layout(ABC):
    """The inputs of a framework's own function; those with a gradient are first."""

    gradients: ClassVar[int] = 1
    """How many of the inputs have a gradient."""

    @abstractmethod
    def sample(self, dtype: np.dtype[Any]) -> tuple[Any, ...]:
        """Return inputs as numpy arrays, whose forward pass shows what is saved."""

    def arranged(self, operands: Sequence[Any], join: Join) -> tuple[Any, tuple[Any, ...]]:
        """Return dy and the inputs of a call on operands, of which dy is the last."""
        del join
        *inputs, dy = operands
        return dy, tuple(inputs)

    @abstractmethod
    def saved(self, arrays: Sequence[Any], sample: tuple[Any, ...], y: Any) -> Iterator[Saved]:
        """Yield what was saved of the sample, from numpy arrays, as far as it grows with the operands."""

    def split(self, outputs: list[Any]) -> list[Any]:
        """Return the outputs of a call, of one dimension, with an array for each gradient."""
        return outputs


@dataclass(frozen=True, slots=True)
class AlongRowsLayout(Layout):
    """Rows by columns, and perhaps a target."""

    takes_target: bool

    def sample(self, dtype: np.dtype[Any]) -> tuple[Any, ...]:
        """Return a few rows, and targets."""
        z = np.random.default_rng(0).standard_normal((ROWS, COLUMNS)).astype(dtype)
        return (z, np.arange(ROWS)) if self.takes_target else (z,)

    def arranged(self, operands: Sequence[Any], join: Join) -> tuple[Any, tuple[Any, ...]]:
        """Return the same; where there is a target, it and dy in one dimension."""
        del join
        *inputs, dy = operands
        if self.takes_target:
            inputs[1], dy = inputs[1].reshape(-1), dy.reshape(-1)
        return dy, tuple(inputs)

    def saved(self, arrays: Sequence[Any], sample: tuple[Any, ...], y: Any) -> Iterator[Saved]:
        """Yield what is one number an element, or one a row, and no target."""
        z, *targets = sample
        numbers = [
            array
            for array in arrays
            if array.size in {z.size, ROWS} and not any(np.array_equal(array.ravel(), target) for target in targets)
        ]
        known = {Z: z.ravel(), Y: y.ravel()}
        for saved, array in zip(named([array.ravel() for array in numbers], known), numbers, strict=True):
            yield replace(saved, per_row=array.size == ROWS)


@dataclass(frozen=True, slots=True)
class GatedLayout(Layout):
    """The operands a and b of a gate."""

    gradients: ClassVar[int] = 2

    def sample(self, dtype: np.dtype[Any]) -> tuple[Any, ...]:
        """Return a and b."""
        return tuple(np.random.default_rng(0).standard_normal((2, SAMPLE)).astype(dtype))

    def saved(self, arrays: Sequence[Any], sample: tuple[Any, ...], y: Any) -> Iterator[Saved]:
        """Yield what is one number an element."""
        yield from _of_gate(arrays, dict(zip("ab", sample, strict=True)), y)


@dataclass(frozen=True, slots=True)
class PackedLayout(Layout):
    """One array, b and then a, whose gradient is one array, too."""

    def sample(self, dtype: np.dtype[Any]) -> tuple[Any, ...]:
        """Return b and a in one array."""
        return (np.random.default_rng(0).standard_normal(2 * SAMPLE).astype(dtype),)

    def arranged(self, operands: Sequence[Any], join: Join) -> tuple[Any, tuple[Any, ...]]:
        """Return dy, and b and a in one array."""
        a, b, dy = operands
        return dy, (join(b, a),)

    def saved(self, arrays: Sequence[Any], sample: tuple[Any, ...], y: Any) -> Iterator[Saved]:
        """Yield what is one number an element, or two."""
        parts = [part for array in arrays for part in np.split(array.ravel(), max(array.size // SAMPLE, 1))]
        yield from _of_gate(parts, dict(zip("ba", np.split(sample[0], 2), strict=True)), y)

    def split(self, outputs: list[Any]) -> list[Any]:
        """Return the halves of the gradient in the order of a and b."""
        *before, packed = outputs
        of_b, of_a = np.split(packed, 2)
        return [*before, of_a, of_b]


def _of_gate(arrays: Sequence[Any], inputs: Mapping[str, Any], y: Any) -> tuple[Saved, ...]:
    return named([array.ravel() for array in arrays if array.size == SAMPLE], {**inputs, Y: y.ravel()})
