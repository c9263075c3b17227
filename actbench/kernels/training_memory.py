"""The bytes that a training step holds from its forward to its backward pass, predicted from declarations alone.

A linear layer keeps its input, a product of two sequences of layers both factors, and the loss the network's output:
these are **alive** whatever the strategy is. An activation keeps the residuals of its strategy: z and y are the very
arrays that layers keep or hand on anyway, and any further residual, narrow ones included, is an array beside them. What
only residuals keep is kept **for g'**. Every array counts once; the network's input and its parameters, which outlive a
step, do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from actbench.kernels.operands import Operand
from actbench.kernels.training import NetworkStep
from actbench.model.names import Dtype
from actbench.model.networks import Activate, Layer, Linear, Multiply
from actbench.model.training import ARMS


@dataclass(frozen=True, slots=True)
class KeptBytes:
    """The bytes that one step on a batch holds from its forward to its backward pass."""

    alive: int
    """What linear layers, products and the loss keep."""
    for_gradient: int
    """What is kept for g' beside that."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.alive + self.for_gradient


def predicted(step: NetworkStep, batch: int) -> KeptBytes | None:
    """Return the bytes that an arm's step keeps; None for a framework's own gradient, which declares nothing.

    An arm that computes z in its backward pass, and one that leaves g' out, keep nothing for it.
    """
    if step.kernel is None:
        return None
    residuals = () if step.variant in ARMS else step.kernel.residuals
    walk = _Walk(step.identity.dtype, residuals)
    x = _Value(step.network.inputs, walk.dtype.itemsize)
    walk.alive.add(walk.through(step.network.layers, x))
    alive = walk.alive - {x}
    return KeptBytes(_bytes(alive, batch), _bytes(walk.residual - alive - {x}, batch))


@dataclass(frozen=True, slots=True, eq=False)
class _Value:
    """An array of a step, of shape (batch, features): the same array where it is the same object."""

    features: int
    itemsize: int
    """Bytes per element."""


@dataclass(frozen=True, slots=True)
class _Walk:
    """What the layers of a forward pass keep."""

    dtype: Dtype
    residuals: tuple[Operand, ...]
    """Of every activation."""
    alive: set[_Value] = field(default_factory=set)
    residual: set[_Value] = field(default_factory=set)

    def through(self, layers: Sequence[Layer], h: _Value) -> _Value:
        """Return what layers make of h."""
        for layer in layers:
            h = self._after(layer, h)
        return h

    def _after(self, layer: Layer, h: _Value) -> _Value:
        match layer:
            case Linear():
                self.alive.add(h)
                return _Value(layer.outputs, self.dtype.itemsize)
            case Activate():
                y = _Value(h.features, self.dtype.itemsize)
                self.residual.update(self._kept(operand, h, y) for operand in self.residuals)
                return y
            case Multiply():
                left, right = self.through(layer.left, h), self.through(layer.right, h)
                self.alive.update((left, right))
                return _Value(left.features, self.dtype.itemsize)

    def _kept(self, operand: Operand, z: _Value, y: _Value) -> _Value:
        if operand.storage is None and operand.name in {"z", "y"}:
            return z if operand.name == "z" else y
        return _Value(z.features, operand.dtype(self.dtype).itemsize)


def _bytes(values: Iterable[_Value], batch: int) -> int:
    return sum(batch * value.features * value.itemsize for value in values)
