"""What a backend says of gated activations, which have two inputs, and of its library's functions of more than z."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from actbench.errors import InputError
from actbench.model.names import Dtype

if TYPE_CHECKING:
    from actbench.backends._function_autograd import FunctionAutograd


class SeveralInputs:
    """The part of a backend that concerns these; by default it executes none."""

    name: ClassVar[str]
    takes_gated: ClassVar[bool] = False
    """Whether it executes the formulas of gated activations, which have two inputs and two gradients."""

    def function_autograd(self, activation: str, dtype: Dtype, inputs: tuple[str, ...]) -> FunctionAutograd:
        """Return the library's own function, along rows or of a and b, and its gradients; `InputError` without one."""
        del dtype, inputs
        raise InputError(f"{self.name} has no {activation} of its own")
