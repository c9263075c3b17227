"""What a framework makes of its own function along rows: its forward pass, and the gradient of z by its own means.

Both passes are called on z as rows by columns. A backward pass alone follows a forward pass that is done before it,
whose graph, or function of dy, it gets.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from actbench.backends._autograd import Saved, named
from actbench.backends._shipped import Shipped
from actbench.model.names import Dtype, Op
from actbench.model.number_formats import numpy_dtype

ROWS, COLUMNS = 5, 31
"""Of the sample whose forward pass shows what is saved."""


class RowAutograd(ABC):
    """A framework's own function along rows and its gradient in one dtype."""

    saved: tuple[Saved, ...]
    """What the forward pass saves beside a target, each array once."""
    differentiator: str
    """What computes the gradient, as Python has it."""

    def __init__(self, shipped: Shipped, dtype: Dtype) -> None:
        """Take the framework's function."""
        self.call = str(shipped)
        self._shipped = shipped
        self._numpy_dtype = numpy_dtype(dtype)

    @abstractmethod
    def function(self, op: Op) -> Callable[..., Any]:
        """Return the function of ``backward`` or ``step``, which takes what `arguments` returns; dz is its last."""

    @abstractmethod
    def _arguments(self, op: Op, dy: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments, from dy and inputs of the shapes that the framework takes."""

    def arguments(self, op: Op, operands: Sequence[Any]) -> tuple[Any, ...]:
        """Return the arguments of a call on z, the target if there is one, and dy, each rows by columns."""
        *inputs, dy = operands
        if self._shipped.takes_target:
            inputs[1], dy = inputs[1].reshape(-1), dy.reshape(-1)
        return self._arguments(op, dy, tuple(inputs))

    def gradient(self, op: Op) -> str:
        """Return what computes the gradient in an op, as Python has it."""
        del op
        return self.differentiator

    def detached(self, output: Any) -> Any:
        """Return an output without what it is differentiated by."""
        return output

    def _sample(self) -> tuple[Any, ...]:
        """Return inputs as numpy arrays."""
        z = np.random.default_rng(0).standard_normal((ROWS, COLUMNS)).astype(self._numpy_dtype)
        return (z, np.arange(ROWS)) if self._shipped.takes_target else (z,)

    def _named(self, arrays: Sequence[Any], y: Any) -> Iterator[Saved]:
        """Yield what was saved of the sample, as far as it is one number an element or one a row, and no target."""
        z, *targets = self._sample()
        numbers = [
            array
            for array in arrays
            if array.size in {z.size, ROWS} and not any(np.array_equal(array.ravel(), target) for target in targets)
        ]
        for saved, array in zip(
            named([array.ravel() for array in numbers], z.ravel(), y.ravel()), numbers, strict=True
        ):
            yield replace(saved, per_row=array.size == ROWS)
