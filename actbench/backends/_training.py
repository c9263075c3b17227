"""What backends that train networks share: what a step is made of, and what can be asked of one.

A step does what a user's training loop does for one batch: the forward pass, the loss, the backward pass and the update
of all parameters. The loss is the mean of the squared errors over all elements of the output.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actbench.model.names import Dtype
from actbench.model.networks import Network
from actbench.model.training import Optimizer, StepPart

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Passes:
    """The activation in a step, over arrays of any shape of the library that does the products."""

    forward: Callable[[Any], tuple[Any, ...]]
    """z -> (y, *residuals); residuals that are z or y are these very arrays."""
    backward: Callable[..., Any]
    """(dy, *residuals) -> dz."""
    kept: Callable[[Any, Any], tuple[Any, ...]] | None = None
    """(z, y) -> residuals, where these come from z and y alone: y may then be computed by the library's own function.

    None where only `forward` computes them."""

    def with_function(self, function: Callable[[Any], Any] | None) -> Callable[[Any], tuple[Any, ...]]:
        """Return the forward pass with the library's own g, where it has one, and residuals come from z and y alone."""
        kept = self.kept
        if function is None or kept is None:
            return self.forward

        def keeping(z):
            y = function(z)
            return y, *kept(z, y)

        return keeping


def writing(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    names: Sequence[str],
    dtype: np.dtype[Any],
    adopt: Callable[[Array], Any],
) -> Passes:
    """Return the passes of kernels that write into arrays of one dimension; every call allocates these.

    `names` are the residuals; those that are neither z nor y are of type `dtype`.
    """
    stored = [place for place, name in enumerate(names) if name not in {"z", "y"}]

    def keeping(z: Array) -> tuple[Array, ...]:
        y = np.empty_like(z)
        kept: list[Array] = [z if name == "z" else y if name == "y" else np.empty(z.shape, dtype) for name in names]
        forward(*(adopt(array.reshape(-1)) for array in (y, *(kept[place] for place in stored), z)))
        return y, *kept

    def gradient(dy: Array, *residuals: Array) -> Array:
        dz = np.empty_like(dy)
        backward(*(adopt(array.reshape(-1)) for array in (dz, dy, *residuals)))
        return dz

    return Passes(keeping, gradient)


@dataclass(frozen=True, slots=True)
class StepSpec:
    """What one arm's step executes."""

    network: Network
    activation: str
    """The name of the activation, with parameters."""
    passes: Passes | None
    """What it computes and keeps; None for the framework's own activation and gradient."""
    checkpoints: bool
    """Whether z is computed again, from the input of the linear layer before; `passes` then keep z."""
    dtype: Dtype
    optimizer: Optimizer


@dataclass(frozen=True, slots=True)
class StepArrays:
    """What the steps of all arms of a block share. No step changes x and target."""

    x: Array
    """Shape (batch, inputs)."""
    target: Array
    """Shape (batch, outputs)."""
    weights: tuple[Array, ...]
    """One a linear layer, of shape (inputs, outputs); updated in place by the arms that can."""
    biases: tuple[Array, ...]
    """One a linear layer, of shape (outputs,)."""


class TrainingStep(ABC):
    """One arm's training step, with its parameters.

    None is part of a reference cycle: workers hold the garbage collector back, and a step is as large as its network.
    """

    @abstractmethod
    def __call__(self) -> None:
        """Do one step; return when its results have been computed."""

    @abstractmethod
    def gradients(self) -> Sequence[Array]:
        """Do one step, and return the gradients that it updates with: W, b of each linear layer in turn."""

    @abstractmethod
    def instrumented(self, clock: Callable[[], float]) -> Mapping[StepPart, float] | None:
        """Do one step and return the seconds of each part, which add up to its duration.

        Where it has no parts, do nothing and return None: those of a compiled step could not be told apart. `clock`
        returns seconds: those of the wall, or those that this thread had the processor.
        """

    @abstractmethod
    def kept_bytes(self) -> int:
        """Count the bytes that a step holds from its forward to its backward pass, without parameters and inputs.

        They are counted in what the step really holds, every buffer once.
        """

    @abstractmethod
    def peak_bytes(self) -> int | None:
        """Return the most bytes that a step has allocated at once; None where that cannot be measured."""
