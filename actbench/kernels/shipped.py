"""A framework's own activation with its own gradient, as what a case executes: strategy ``shipped``.

It stands beside the strategies, and has what the framework saves for residuals. Nothing of it is actbench's: neither
formulas nor weaknesses.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

from actbench.backends import Autograd, Backend, Bound
from actbench.errors import InputError
from actbench.formula import Activation, Weakness
from actbench.kernels import dtypes
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import DY, RESULT, Operand, Z
from actbench.kernels.placement import Invocation, Memory
from actbench.kernels.reference_library import without_reference
from actbench.kernels.second import without_second
from actbench.kernels.traffic import NOTHING, Traffic
from actbench.model.cases import KernelId
from actbench.model.checks import Compiled
from actbench.model.names import Op
from actbench.model.rule import Rule
from actbench.model.training import RECOMPUTE, SHIPPED

SHARED = {operand.name: operand for operand in (Z, DY)}
"""Operands that all strategies have; y is the framework's, which may differ from others in its last digits."""


class ShippedKernel(Kernel):
    """What a case of a framework's own derivative executes."""

    is_shipped = True
    has_formula = False
    is_built_in = True
    """Its code is the framework's, which reads no operands that it has seen from memory of its own."""
    weaknesses: tuple[Weakness, ...] = ()
    takes_read_only = False
    stores = ()

    def __init__(self, identity: KernelId, backend: Backend, activation: Activation) -> None:
        """Take what the names of an id stand for."""
        super().__init__(identity, backend, activation, SHIPPED.name, None)
        self._bounds: dict[tuple[str, int], Bound] = {}

    @property
    def unsupported(self) -> str | None:
        """Why its backend has no such activation, available or not; None where it has."""
        unshipped = self.backend.unshipped(self.activation.name, self.dtype)
        lacking = without_second(self) or unshipped or without_reference(self.activation)
        return dtypes.unsupported(self.backend, self.dtype) or lacking

    def unsupported_cold(self) -> str | None:
        """Return None: the passes of a framework can be called alone."""
        return None

    @property
    def outline(self) -> Kernel:
        """Strategy ``recompute``, which keeps z: what a framework keeps is read from it, and about as much as that."""
        return Kernel(replace(self.identity, strategy=RECOMPUTE), self.backend, self.activation, RECOMPUTE.name, None)

    @cached_property
    def functions(self) -> frozenset[str]:  # type: ignore[override]  # a constant of the other subjects
        """Those of strategy ``recompute``: about what a framework computes."""
        return self.outline.functions

    @property
    def code(self) -> None:
        """Nothing: a framework's code is its version's."""
        return

    @property
    def rule(self) -> Rule:
        """Nothing: `InputError`."""
        raise InputError(f"{self.id} has no formula: it is {self.call}")

    @cached_property
    def autograd(self) -> Autograd:
        """The framework's function and its gradient; `InputError` where it cannot be executed here."""
        self.require_supported()
        return self.backend.autograd(self.activation.name, self.dtype)

    @property
    def follows_forward_pass(self) -> bool:  # type: ignore[override]  # a constant of the other subjects
        """Whether a call runs the graph of a forward pass."""
        return self.autograd.holds_output(self.op)

    @property
    def call(self) -> str:
        """The framework's function as Python has it."""
        return self.autograd.call

    @property
    def bound(self) -> Bound:
        """The call on one element."""
        return self.bound_at(1)

    def bound_at(self, size: int) -> Bound:
        """Return the callable for arrays of one size."""
        key = str(self.op), size
        if key not in self._bounds:
            self._bounds[key] = self.autograd.bind(self.op, size)
        return self._bounds[key]

    def forward_at(self, size: int) -> Bound:
        """Return the forward pass of a step for arrays of one size."""
        key = "forward", size
        if key not in self._bounds:
            self._bounds[key] = self.autograd.bind_forward(size)
        return self._bounds[key]

    def backward_of_step(self, size: int, memory: Memory) -> Invocation:
        """Return the call of a step's backward pass, dy first; what its forward pass returned follows dy."""
        key = "backward", size
        if key not in self._bounds:
            self._bounds[key] = self.autograd.bind_backward(size)
        return Invocation(self._bounds[key].function, (memory.operand(self.backend, DY),), release=self.release)

    @cached_property
    def residuals(self) -> tuple[Operand, ...]:
        """What the framework saves."""
        return tuple(map(self._operand, (saved.name for saved in self.autograd.saved)))

    @cached_property
    def reads(self) -> tuple[Operand, ...]:
        """The arrays that a call reads, or from which what it reads is made."""
        return tuple(map(self._operand, self.autograd.reads(self.op)))

    @cached_property
    def writes(self) -> tuple[Operand, ...]:
        """The arrays that a call returns, after what the forward pass of a step saves, or a graph holds."""
        if self.op is not Op.STEP:
            return (Operand("y"), RESULT) if self.autograd.holds_output(self.op) else (RESULT,)
        beside = (residual for residual in self.residuals if residual != Z and residual.name != "y")
        return (Operand("y"), *beside, RESULT)

    @cached_property
    def touches(self) -> tuple[Operand, ...]:
        """The arrays that a call reads."""
        of_step = (Z, DY) if self.op is Op.STEP else (DY,) if self.op is Op.BACKWARD else ()
        return tuple(dict.fromkeys([*of_step, *self.residuals]))

    @property
    def traffic(self) -> Traffic:
        """Nothing by definition: its arrays may be of several types, and are counted by `kept_bytes` and others."""
        return NOTHING

    @cached_property
    def kept_bytes(self) -> int:
        """Bytes per element that the framework keeps between the forward and the backward pass."""
        return sum(operand.dtype(self.dtype).itemsize for operand in self.residuals)

    @cached_property
    def moved_bytes(self) -> int:
        """Bytes per element that a call reads and writes: temporaries not counted."""
        of_derivative = (DY, RESULT) if self.follows_forward_pass else (RESULT,)  # a graph reads an array of ones
        beside = {Op.DERIVATIVE: of_derivative, Op.BACKWARD: (DY, RESULT), Op.STEP: (Z, DY, *self.writes)}[self.op]
        return self.kept_bytes + sum(operand.dtype(self.dtype).itemsize for operand in beside)

    @property
    def compiled(self) -> Compiled | None:
        """None: a framework shows no code."""
        return None

    def release(self, output: Any) -> Any:
        """Return an output as a numpy array, without its graph."""
        return self.backend.release(self.autograd.detached(output))

    def input_of(self, z: Any) -> Any:
        """Return z, an operand, as what is differentiated."""
        return self.autograd.leaf(z)

    def invocation(self, size: int, memory: Memory) -> Invocation:
        """Return the call of a case of `size` elements, on operands in memory."""
        operands = [memory.operand(self.backend, operand) for operand in self.reads]
        arguments = self.autograd.arguments(self.op, size, operands)
        return Invocation(self.bound_at(size).function, arguments, release=self.release)

    def _operand(self, name: str) -> Operand:
        return SHARED.get(name) or Operand(name, SHIPPED.name, None, self.autograd)
