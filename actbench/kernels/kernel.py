"""A kernel: an activation's strategy and op, bound by a backend to a dtype; what it calls, reads and writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from actbench.backends import Backend, Bound, narrowed
from actbench.formula import Activation, Formulas, Weakness
from actbench.kernels import code_digest, gated
from actbench.kernels.lacking import lacking
from actbench.kernels.operands import DA, DB, DY, RESULT, Array, Operand, Operands
from actbench.kernels.placement import Invocation, Memory
from actbench.kernels.reference_library import without_reference
from actbench.kernels.second import without_second
from actbench.kernels.subject import Subject
from actbench.kernels.traffic import Traffic, traffic
from actbench.model.cases import KernelId
from actbench.model.checks import Compiled
from actbench.model.names import NARROW, Op, Quantity, Storage
from actbench.model.number_formats import numpy_dtype
from actbench.model.rule import GATED, Dialect, Formula, Rule, names_used
from actbench.plugins import with_room

CALLED_BY = ("numba", "llvmlite")
"""The distributions that compile kernels and call them."""


class Kernel(Subject):
    """What a case of a derivative executes."""

    activation: Activation
    is_compared = True
    compiler: str | None = None
    """What compiled it, where it is a Python function of the user's that something compiled."""
    is_shipped = False
    """Whether it is a framework's own, which no declaration of actbench's binds."""
    has_formula = True
    """Whether it is a formula, which can be evaluated in any arithmetic."""

    def __init__(
        self, identity: KernelId, backend: Backend, activation: Activation, strategy: str, storage: Storage | None
    ) -> None:
        """Take what the names of an id stand for; `strategy` names one that the activation has."""
        super().__init__(identity, backend)
        self.activation = activation
        self.strategy = strategy
        self.storage = storage
        self._at_size: dict[tuple[Bound, int], Bound] = {}

    @cached_property
    def formulas(self) -> Formulas:
        """What is known of the activation without a namespace."""
        return self.activation.formulas

    @cached_property
    def weaknesses(self) -> tuple[Weakness, ...]:
        """The weaknesses that its strategy declares, as far as its dtype has them."""
        return self._in_dtype(self.backend.weaknesses(self.activation, self.strategy, Quantity.DERIVATIVE))

    @cached_property
    def forward_weaknesses(self) -> tuple[Weakness, ...]:
        """The weaknesses of its forward pass, as far as its dtype has them."""
        return self._in_dtype(self.backend.weaknesses(self.activation, self.strategy, Quantity.FORWARD))

    def _in_dtype(self, weaknesses: tuple[Weakness, ...]) -> tuple[Weakness, ...]:
        return tuple(weakness for weakness in weaknesses if self.dtype in NARROW or not weakness.narrow)

    def formula(self, dialect: Dialect, m: Any) -> Rule:
        """Return its strategy in a dialect over a namespace, with residuals as wide as the arithmetic."""
        return self.activation.rule(self.strategy, dialect, m)

    @cached_property
    def is_built_in(self) -> bool:  # type: ignore[override]  # a constant of the other subjects
        """Whether it is actbench's own code alone, and not a formula or a backend of the user's."""
        formula = self.formula(Dialect.ARRAY, None).derivative
        modules = (getattr(formula, "__module__", ""), type(self.backend).__module__)
        return all(module.startswith("actbench.") for module in modules)

    @property
    def unsupported(self) -> str | None:
        """Why its backend cannot execute it, available or not; None where it can."""
        reason = gated.without_derivative(self.activation, self.op) if self.is_gated else None
        reason = reason or without_second(self) or super().unsupported
        reason = reason or (self.storage and self.backend.unsupported_storage(self.storage, self.dtype))
        reason = reason or (gated.unsupported(self) if self.is_gated else None)
        if limits := self.formulas.strategies[self.strategy].limited(self.backend.name, self.dtype):
            reason = reason or f"strategy '{self.strategy}' of {self.activation.name} is limited to {limits}"
        reason = reason or self.backend.unsupported_strategy(self.activation.name, self.strategy)
        return reason or self._lacking() or without_reference(self.activation)

    def _lacking(self) -> str | None:
        """Return which functions of its formulas the backend lacks; None where it has all."""
        return lacking(self.backend, self._executed())

    @cached_property
    def functions(self) -> frozenset[str]:  # type: ignore[override]  # a constant of the other subjects
        """The functions of the namespace that its formulas look up."""
        return frozenset(name for formula in self._executed() for name in names_used(formula))

    def _executed(self) -> list[Formula]:
        """Return the formulas that a call executes."""
        rule = self.formula(self.backend.dialect, None)
        return [rule.save or rule.forward, rule.derivative] if self.op is Op.STEP else [rule.derivative]

    @cached_property
    def rule(self) -> Rule:
        """Its formulas as its backend executes them; `InputError` where it cannot."""
        self.require_supported()
        rule = self.formula(self.backend.dialect, self.backend.namespace())
        library_gradient = self.backend.library_gradient(self.activation.name, self.strategy)
        rule = replace(
            rule,
            library_gradient=library_gradient if self.op is not Op.SECOND else None,
            arithmetic=self.backend.widening(self.dtype),
        )
        return narrowed(rule, self.backend.conversion(self.storage, self.dtype)) if self.storage else rule

    @cached_property
    def bound(self) -> Bound:
        """The callable, compiled once a process."""
        return self.backend.bind(self.op.bound_as, self.rule, self.dtype)

    def bound_at(self, size: int) -> Bound:
        """Return the callable for arrays of one size, compiled for it where the backend does that."""
        return self._specialised(self.bound, self.reads, size)

    def forward_at(self, size: int) -> Bound:
        """Return the forward pass of a step for arrays of one size (`Backend.bind_forward`)."""
        return self._specialised(self._forward, self.inputs, size)

    def _specialised(self, bound: Bound, reads: tuple[Operand, ...], size: int) -> Bound:
        """Compile, with operands of the size, each of its own, where the backend does that."""
        if bound.specialise is None:
            return bound
        if (bound, size) not in self._at_size:
            arrays = (np.ones(size, operand.dtype(self.dtype)) for operand in reads)
            self._at_size[bound, size] = bound.specialise(tuple(map(self.backend.adopt, arrays)))
        return self._at_size[bound, size]

    @property
    def preallocates(self) -> bool:
        """Whether a call writes to preallocated arrays; otherwise it returns new ones."""
        return self.backend.preallocates

    @cached_property
    def is_gated(self) -> bool:
        """Whether its activation has two inputs, and its backward pass two gradients."""
        return self.formulas.inputs == GATED

    @cached_property
    def inputs(self) -> tuple[Operand, ...]:
        """What the forward pass takes."""
        return tuple(map(Operand, self.formulas.inputs))

    @cached_property
    def gradients(self) -> tuple[Operand, ...]:
        """The last arrays that a call writes: g', or a gradient for each input."""
        return (DA, DB) if self.is_gated else (RESULT,)

    def gradient(self, outputs: Sequence[Array]) -> Array:
        """Return the gradient among the outputs of a call; of a gated activation, those of a and b, as two columns."""
        return np.stack(outputs[-2:], axis=-1) if self.is_gated else outputs[-1]

    @cached_property
    def residuals(self) -> tuple[Operand, ...]:
        """What the forward pass keeps."""
        names = self.formula(Dialect.SCALAR, None).residuals
        return tuple(Operand.of(self.strategy, name, self.storage) for name in names)

    @property
    def alive_bytes(self) -> int:
        """Bytes per element of y as it was computed, if it is kept: the next layer's product needs it, too."""
        of_y = (operand for operand in self.residuals if operand.name == "y" and not operand.per_row)
        kept = (operand for operand in of_y if operand.storage is None)
        return sum(operand.dtype(self.dtype).itemsize for operand in kept)

    @cached_property
    def reads(self) -> tuple[Operand, ...]:
        """The arrays that a call reads."""
        match self.op:
            case Op.DERIVATIVE | Op.SECOND:
                return self.residuals
            case Op.BACKWARD:
                return (DY, *self.residuals)
            case Op.STEP:
                return (*self.inputs, DY)

    @cached_property
    def writes(self) -> tuple[Operand, ...]:
        """The arrays that a call writes: the derivative, or dz, or y, the residuals that are stored, and dz.

        Of a gated activation, da and db are in place of dz.
        """
        if self.op is not Op.STEP:
            return self.gradients
        stored = tuple(residual for residual in self.residuals if self.storage or residual.strategy)
        return (Operand("y"), *stored, *self.gradients)

    @cached_property
    def stores(self) -> tuple[Operand, ...]:
        """The arrays that the forward pass of a step writes: none where it allocates them."""
        return self.writes[: -len(self.gradients)] if self.preallocates else ()

    @cached_property
    def touches(self) -> tuple[Operand, ...]:
        """The arrays that a call reads, and those that it writes where it does not allocate them, each once."""
        written = self.writes if self.preallocates else ()
        return tuple(dict.fromkeys([*self.reads, *self.residuals, *written]))

    def unsupported_cold(self) -> str | None:
        """Why its operands cannot come from memory; None where they can."""
        if self.op is Op.STEP and not self.backend.separates:
            return f"{self.backend.name} cannot call a step's forward pass alone (Backend.bind_forward)"
        return None

    @cached_property
    def backward(self) -> Kernel:
        """The backward pass of a step, alone."""
        identity = replace(self.identity, op=Op.BACKWARD)
        return type(self)(identity, self.backend, self.activation, self.strategy, self.storage)

    def backward_of_step(self, size: int, memory: Memory) -> Invocation:
        """Return the call of a step's backward pass, dy first; what a backend allocated for it follows dy."""
        return self.backward.invocation(size, memory)

    def release(self, output: Any) -> Any:
        """Return an output as a numpy array."""
        return self.backend.release(output)

    def input_of(self, z: Any) -> Any:
        """Return z, an operand, as what its forward pass takes."""
        return z

    @cached_property
    def _forward(self) -> Bound:
        return self.backend.bind_forward(self.rule, self.dtype)

    @property
    def traffic(self) -> Traffic:
        """What a call moves, by definition."""
        return traffic(self.activation, self.strategy, self.storage, self.op)

    @property
    def compiled(self) -> Compiled | None:
        """What the compiler made of it; None where nothing is compiled that can be read."""
        return self.backend.compiled(self.bound, self.op.bound_as, self.rule, self.dtype)

    @property
    def code(self) -> str | None:
        """Digest of all code that a call executes; None where that is not known."""
        if (compiled := self.compiled) is not None:
            return compiled.code and code_digest.of_machine_code(compiled.code, CALLED_BY)
        functions = {name for formula in self._executed() for name in names_used(formula)}
        executed_by = self.backend.executed_by(functions)
        return code_digest.of_interpreted_code(executed_by) if self.is_built_in and executed_by is not None else None

    @cached_property
    def takes_read_only(self) -> bool:
        """Whether it can be called on operands that it cannot write to, so that it spoils them for no other."""
        if not self.backend.protects:
            return False
        operands = Operands(self.activation, np.linspace(-1.0, 1.0, 8).astype(numpy_dtype(self.dtype)))
        arrays = [with_room(operands.array(operand)) for operand in self.reads]
        for array in arrays:
            array.flags.writeable = False
        empty = (np.empty(8, operand.dtype(self.dtype)) for operand in self.writes) if self.preallocates else ()
        written = map(with_room, empty)
        arguments = self.arguments(map(self.backend.adopt, written), map(self.backend.adopt, arrays))
        function = self.bound.function
        try:
            with np.errstate(all="ignore"):
                function(*arguments)
        except Exception:  # noqa: BLE001  # a user's own code may raise anything; if it is wrong, the oracle says so
            return False
        return True

    def arguments(self, outputs: Iterable[Any], inputs: Iterable[Any]) -> tuple[Any, ...]:
        """Return the arguments of a call, with the arrays that it writes where it does not allocate them."""
        return (*outputs, *inputs)

    def invocation(self, size: int, memory: Memory) -> Invocation:
        """Return the call of a case of `size` elements, on operands in memory."""
        backend, function = self.backend, self.bound_at(size).function
        writable = not self.takes_read_only
        shaped = partial(self.shaped, rows=memory.rows)
        inputs = tuple(shaped(memory.operand(backend, operand, writable=writable)) for operand in self.reads)
        if not self.preallocates:
            return Invocation(function, self.arguments((), inputs), release=self.release)
        written = tuple(
            memory.output(position, operand.dtype(self.dtype), per_row=operand.per_row)
            for position, operand in enumerate(self.writes)
        )
        outputs = (shaped(backend.adopt(array)) for array in written)
        return Invocation(function, self.arguments(outputs, inputs), written)
