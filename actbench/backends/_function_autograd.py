"""What a framework makes of its own function along rows, or of two inputs: its forward pass, and its gradients.

A backward pass alone follows a forward pass that is done before it, whose graph, or function of dy, it gets.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from actbench.backends._autograd import Saved
from actbench.backends._layouts import Layout
from actbench.backends._shipped import Shipped
from actbench.model.names import Op


class FunctionAutograd(ABC):
    """A framework's own function of such inputs and its gradients in one dtype."""

    saved: tuple[Saved, ...]
    """What the forward pass saves beside a target, each array once."""
    differentiator: str
    """What computes the gradients, as Python has it."""

    def __init__(self, shipped: Shipped, layout: Layout) -> None:
        """Take the framework's function."""
        self.call = str(shipped)
        self._layout = layout

    @abstractmethod
    def function(self, op: Op) -> Callable[..., Any]:
        """Return the function of ``backward`` or ``step``, which takes what `arguments` returns; gradients are last."""

    @abstractmethod
    def _arguments(self, op: Op, dy: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments, from dy and inputs of the shapes that the framework takes."""

    @abstractmethod
    def _joined(self, first: Any, second: Any) -> Any:
        """Return two arrays as one, in memory of its own."""

    def arguments(self, op: Op, operands: Sequence[Any]) -> tuple[Any, ...]:
        """Return the arguments of a call on the inputs of the activation, and dy."""
        return self._arguments(op, *self._layout.arranged(operands, self._joined))

    def split(self, outputs: list[Any]) -> list[Any]:
        """Return the outputs of a call, as numpy arrays of one dimension, with an array for each gradient."""
        return self._layout.split(outputs)

    def gradient(self, op: Op) -> str:
        """Return what computes the gradients in an op, as Python has it."""
        del op
        return self.differentiator

    def detached(self, output: Any) -> Any:
        """Return an output without what it is differentiated by."""
        return output
