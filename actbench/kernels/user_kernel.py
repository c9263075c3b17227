"""A user's kernel as what a case executes: a callable over a backend's arrays, whatever it is written in.

It is no formula: what it computes is known by calling it, in a worker, on arrays that it takes. In a step it follows
the backend's own forward pass, which stores y and what the kernel keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np

from actbench.backends import Backend, Bound
from actbench.errors import InputError
from actbench.formula import Activation, Weakness
from actbench.kernels import dtypes
from actbench.kernels.kernel import Kernel
from actbench.kernels.operands import DY, RESULT, Operand
from actbench.kernels.placement import Invocation, Memory
from actbench.kernels.reference_library import without_reference
from actbench.model.cases import KernelId
from actbench.model.checks import Compiled
from actbench.model.names import Op
from actbench.model.rule import Dialect, Formula, Rule
from actbench.model.user_kernels import KernelDeclaration, UserStrategy


class UserKernel(Kernel):
    """What a case of a user's kernel executes."""

    has_formula = False
    is_built_in = False

    def __init__(self, identity: KernelId, backend: Backend, activation: Activation, strategy: UserStrategy) -> None:
        """Take what the names of an id stand for."""
        super().__init__(identity, backend, activation, identity.strategy.name, identity.strategy.storage)
        self._declared = strategy
        self._steps: dict[int, Bound] = {}

    @property
    def unsupported(self) -> str | None:
        """Why it is not called on arrays of its backend and dtype, available or not; None where it is."""
        if self.storage:
            return f"'{self.strategy}' is a kernel of yours: it takes what it keeps as the forward pass computes it"
        if self._chosen is None:
            return self._declared.limited(self.op, self.backend.name)
        if self._chosen.fills and not (self.backend.places and self.backend.fillable):
            return f"arrays of {self.backend.name} cannot be filled by '{self.strategy}': let it return a new one"
        lacking = self._lacking() or without_reference(self.activation)
        return dtypes.unsupported(self.backend, self.dtype) or lacking

    @cached_property
    def declaration(self) -> KernelDeclaration:
        """What is called; `InputError` where nothing is, on arrays of the backend and dtype."""
        self.require_supported()
        if self._chosen is None:
            raise InputError(f"{self.id} does not exist: {self.unsupported}")
        return self._chosen

    @property
    def compiler(self) -> str | None:  # type: ignore[override]  # a constant of formulas
        """What compiled it, where it is a Python function that something compiled."""
        return self._chosen.compiler if self._chosen else None

    @property
    def weaknesses(self) -> tuple[Weakness, ...]:
        """The weaknesses that it declares."""
        return self._chosen.weaknesses if self._chosen else ()

    @cached_property
    def rule(self) -> Rule:
        """The forward pass that saves what it keeps, with the formula that goes with that."""
        self.require_supported()
        return self._forward_rule(self.backend.dialect, self.backend.namespace())

    @cached_property
    def residuals(self) -> tuple[Operand, ...]:
        """What the forward pass keeps: z and y, and what a strategy saves."""
        saving = self._saving or ""
        return tuple(Operand.of(saving, name) for name in self._declared.keeps)

    @cached_property
    def writes(self) -> tuple[Operand, ...]:
        """The arrays that a call writes: the derivative, or dz, or y, all that the forward pass saves, and dz."""
        if self.op is not Op.STEP:
            return (RESULT,)
        saving = self._saving
        saved = self.activation.rule(saving, Dialect.SCALAR, None).saved if saving else ()
        return (Operand("y"), *(Operand.of(saving or "", name) for name in saved), RESULT)

    @cached_property
    def preallocates(self) -> bool:
        """Whether it fills an array; in a step, whether the forward pass does as well."""
        fills = self._chosen is not None and self._chosen.fills
        return fills and (self.backend.preallocates or self.op is not Op.STEP)

    @cached_property
    def backward(self) -> UserKernel:
        """The kernel without the forward pass of a step."""
        identity = replace(self.identity, op=Op.BACKWARD)
        return UserKernel(identity, self.backend, self.activation, self._declared)

    @cached_property
    def bound(self) -> Bound:
        """The callable, at any size where the forward pass of its backend is compiled for none."""
        if self.op is Op.STEP:
            return self._step(super().forward_at(1).function)
        return Bound(self.backend.finish(self.declaration.positional))

    def bound_at(self, size: int) -> Bound:
        """Return the callable for arrays of one size: that of a step has a forward pass compiled for it."""
        if self.op is not Op.STEP:
            return self.bound
        if size not in self._steps:
            self._steps[size] = self._step(super().forward_at(size).function)
        return self._steps[size]

    def forward_at(self, size: int) -> Bound:
        """Return the forward pass, which returns y and what the kernel keeps, or writes what it does not read."""
        forward = super().forward_at(size).function
        return Bound(forward if self.preallocates else self._keeping(forward))

    def backward_of_step(self, size: int, memory: Memory) -> Invocation:
        """Return the call of a step's backward pass, dy first; what was allocated for it follows dy."""
        if self.preallocates:
            return self.backward.invocation(size, memory)
        function = self.backend.finish(self._returning)
        dy = self.backend.alias(memory.operand(self.backend, DY))
        return Invocation(function, (dy,), release=self.release)

    def release(self, output: Any) -> Any:
        """Return an output, or what was kept, as a numpy array."""
        return self.backend.release(self.backend.alias(output))

    def input_of(self, z: Any) -> Any:
        """Return z, an operand, as what its forward pass takes, and the kernel where it keeps that."""
        return self.backend.alias(z)

    def arguments(self, outputs: Iterable[Any], inputs: Iterable[Any]) -> tuple[Any, ...]:
        """Return the arguments of a call, in the order of the callable's parameters."""
        inputs = tuple(map(self.backend.alias, inputs))
        if self.op is Op.STEP:
            return super().arguments(outputs, inputs)
        return self.declaration.arguments(next(iter(outputs), None), inputs)

    def invocation(self, size: int, memory: Memory) -> Invocation:
        """Return the call of a case of `size` elements, on operands in memory."""
        invocation = super().invocation(size, memory)
        if not self.preallocates:
            return invocation
        return Invocation(invocation.function, invocation.arguments, invocation.outputs, returns_nothing=True)

    @property
    def compiled(self) -> Compiled | None:
        """None: its code is not read."""
        return None

    @cached_property
    def _chosen(self) -> KernelDeclaration | None:
        """What is called; None where nothing is, on arrays of the backend and dtype."""
        return self._declared.kernel(self.op, self.backend.name, self.dtype)

    @cached_property
    def _saving(self) -> str | None:
        """The strategy whose forward pass saves what it keeps; None where that is z and y alone."""
        return self.activation.saving(self._declared.keeps)

    def _executed(self) -> list[Formula]:
        """Return the formula of the forward pass in a step."""
        rule = self._forward_rule(self.backend.dialect, None)
        return [rule.save or rule.forward] if self.op is Op.STEP else []

    def _forward_rule(self, dialect: Dialect, m: Any) -> Rule:
        if self._saving:
            return self.activation.rule(self._saving, dialect, m)
        return Rule(self.activation.forward(dialect, m), _from_z, None)

    def _step(self, forward: Callable[..., Any]) -> Bound:
        """Return a step that calls a forward pass of the backend's, then the kernel."""
        if not self.preallocates:
            keeping, backward = self._keeping(forward), self._returning

            def call(z: Any, dy: Any) -> tuple[Any, Any]:
                y, *kept = keeping(z)
                return y, backward(dy, *kept)

            return Bound(self.backend.finish(call))
        names = ("z", *(operand.name for operand in self.writes[:-1]))
        kept_of, fill, arguments = self._kept_of(names), self.declaration.positional, self.declaration.arguments

        def fill_all(*arrays: Any) -> None:
            *written, dz, z, dy = arrays
            forward(*written, z)
            fill(*arguments(dz, (dy, *kept_of((z, *written)))))

        return Bound(self.backend.finish(fill_all))

    def _keeping(self, forward: Callable[..., Any]) -> Callable[[Any], tuple[Any, ...]]:
        """Return a forward pass that allocates: z -> (y, *kept), of one of the backend's.

        The kernel gets another z than the next call of the forward pass, where tensors have a state.
        """
        keeping, alias = self._allocating(forward), self.backend.alias
        return keeping if self.backend.takes_arrays else lambda z: keeping(alias(z))

    def _allocating(self, forward: Callable[..., Any]) -> Callable[[Any], tuple[Any, ...]]:
        if self.backend.preallocates:
            types = [operand.dtype(self.dtype) for operand in self.writes[:-1]]
            kept_of, adopt = self._kept_of(("z", *(operand.name for operand in self.writes[:-1]))), self.backend.adopt

            def allocating(z: Any) -> tuple[Any, ...]:
                written = [adopt(np.empty(z.shape, of)) for of in types]
                forward(*written, z)
                return written[0], *kept_of((z, *written))

            return allocating
        kept_of = self._kept_of(("z", "y", *self.rule.residuals))

        def returning(z: Any) -> tuple[Any, ...]:
            y, *kept = forward(z)
            return y, *kept_of((z, y, *kept))

        return returning

    def _kept_of(self, names: tuple[str, ...]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
        """Return a function that picks what the kernel keeps, in its order, from arrays of these names."""
        places = [names.index(residual.name) for residual in self.residuals]
        if len(places) == 1:
            (place,) = places
            return lambda arrays: (arrays[place],)
        return itemgetter(*places)

    @cached_property
    def _returning(self) -> Callable[..., Any]:
        """The kernel as a function of (dy, *kept) that returns a new array."""
        declaration, function = self.declaration, self.declaration.positional
        if not declaration.fills:
            return function
        dtype, adopt = RESULT.dtype(self.dtype), self.backend.adopt

        def call(*inputs: Any) -> Any:
            out = adopt(np.empty(inputs[0].shape, dtype))
            function(*declaration.arguments(out, inputs))
            return out

        return call


def _from_z(z: Any) -> Any:
    """Name z, which a forward pass that saves nothing keeps."""
    return z
