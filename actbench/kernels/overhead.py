"""The overhead ladder: what a small call is made of, one step at a time.

Every rung does what the one before it does, and one thing more: nothing at all; taking a kernel's operands; allocating
the result; passing over the data; computing. What a rung adds is then the price of that one thing, and a speedup that
vanishes at small sizes can be seen to drown in the others.

A rung is measured as any case is, as an arm of a block, so that it has the same placement, rounds, files and
statistics; its activation is called `OVERHEAD`, and the rung stands in the strategy's place. It is not an activation
in the registry, because it has no derivative to be held to.

A backend declares its ladder (`Backend.ladder`), and its subclasses inherit it. A rung is a plain function whose
parameters say what it is called with, or a `Rule` which the backend executes as it does any formula, or the reason why
there is no such rung.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actbench.backends import Backend, Bound
from actbench.errors import WrongKernelError, unknown
from actbench.kernels.operands import Z
from actbench.kernels.placement import Invocation, Memory
from actbench.kernels.subject import Subject
from actbench.kernels.traffic import COPY, NOTHING, Traffic
from actbench.model.cases import OVERHEAD, RUNGS, KernelId
from actbench.model.checks import Check, Compiled
from actbench.model.names import Op
from actbench.model.rule import Rule

Array = NDArray[Any]

TRAFFIC = {"loop": COPY, "arithmetic": COPY}
"""What a call of a rung moves; the other rungs touch nothing."""

STATED_ULP = 2.0
"""The accuracy of `arithmetic`, y (1 - y): two operations."""


class Rung(Subject):
    """A rung of the overhead ladder, as its backend declares it."""

    @property
    def name(self) -> str:
        """The rung's."""
        return self.identity.strategy

    @property
    def unsupported(self) -> str | None:
        """Why it cannot be measured; None where it can."""
        if self.op is not Op.DERIVATIVE:
            return f"the overhead ladder is the same for every op: it is measured as {Op.DERIVATIVE}"
        declared = self.declared
        return declared if isinstance(declared, str) else super().unsupported

    touches = ()

    def unsupported_cold(self) -> str:
        """Return why its operands cannot come from memory."""
        return "the overhead ladder shows what a call costs besides memory: it has warm operands"

    @property
    def declared(self) -> Any:
        """What the backend declares: a function, a `Rule`, or why there is no such rung."""
        return self.backend.ladder.get(self.name, f"{self.backend.name} has no overhead ladder")

    @cached_property
    def bound(self) -> Bound:
        """The callable; `InputError` where there is none."""
        self.require_supported()
        if isinstance(self.declared, Rule):
            return self.backend.bind(self.op, self._rule(self.declared), self.dtype)
        return self.backend.bind_call(self.declared, self.dtype)

    @property
    def compiled(self) -> Compiled | None:
        """What the compiler made of it; None where it is no formula."""
        if not isinstance(self.declared, Rule):
            return None
        return self.backend.compiled(self.bound, self.op, self._rule(self.declared), self.dtype)

    def _rule(self, declared: Rule) -> Rule:
        return replace(declared, arithmetic=self.backend.widening(self.dtype))

    @property
    def parameters(self) -> tuple[str, ...]:
        """What it is called with: ``y`` the input, ``out`` the result, ``y0`` and ``out0`` their first element."""
        if isinstance(self.declared, Rule):
            return ("out", "y") if self.backend.preallocates else ("y",)
        return tuple(inspect.signature(self.declared).parameters)

    @property
    def traffic(self) -> Traffic:
        """What a call moves."""
        return TRAFFIC.get(self.name, NOTHING)

    def invocation(self, size: int, memory: Memory) -> Invocation:
        """Return the call on the first input and output."""
        del size
        function = self.bound.function
        y, out = memory.operand(self.backend, Z), memory.output(0)
        results = {"out": out, "out0": out[:1]}
        arrays = {"y": y, "y0": y[:1]} | {name: self.backend.adopt(array) for name, array in results.items()}
        written = tuple(results[name] for name in self.parameters if name in results)
        return Invocation(function, tuple(arrays[name] for name in self.parameters), written or None)

    def check(self, y: Array, found: Array) -> Check:
        """Hold it to what it says it does to y, whose squares are finite; `WrongKernelError` says what it did instead.

        `found` is what it gave, empty where that is nothing; what was not written is NaN.
        """
        match self.name:
            case "empty":
                _refuse(self, found.size, f"it gives {found.size} numbers where it should do nothing")
            case "dispatch":
                written = 0 if found.tobytes() == y[:1].tobytes() else int(np.count_nonzero(~np.isnan(found)))
                _refuse(self, written, f"it writes {written} numbers where it should do no work")
            case _:
                form = f"it gives {found.dtype} of shape {found.shape} for {y.dtype} of shape {y.shape}"
                _refuse(self, found.dtype != y.dtype or found.shape != y.shape, form)
        match self.name:
            case "loop":
                error, allowed = np.where(_same(found, y), 0.0, np.inf), 0.0
            case "arithmetic":
                error, allowed = np.array(list(map(_ulp, found, y.tolist()))), STATED_ULP
            case _:
                return Check(self.identity, 0.0, 0.0)
        worst = int(np.argmax(error))
        what = f"at y = {y[worst]:.9g} it gives {found[worst]:.9g} ({error[worst]:.3g} ULP; {allowed:g} are allowed)"
        _refuse(self, error[worst] > allowed, what)
        return Check(self.identity, float(error[worst]), float(y[worst]))


class Ladder:
    """The ladder itself, where an activation could stand: it has rungs in place of strategies."""

    name = OVERHEAD
    strategies: Mapping[str, str] = RUNGS

    def rung(self, identity: KernelId, backend: Backend) -> Rung:
        """Return the rung that stands in the strategy's place; `InputError` where there is none of that name."""
        if identity.strategy not in self.strategies:
            raise unknown("rung", identity.strategy, self.strategies)
        return Rung(identity, backend)


LADDER = Ladder()


def _same(found: Array, y: Array) -> Array:
    return np.asarray((found == y) & (np.signbit(found) == np.signbit(y)))


def _ulp(computed: Any, y: float) -> float:
    """Return how far this is from y (1 - y), in units in the last place of the larger; inf where it is no number."""
    if not np.isfinite(computed):
        return float("inf")
    exact = Fraction(y) * (1 - Fraction(y))
    unit = np.spacing(max(abs(computed), type(computed)(float(abs(exact)))))
    return float(abs(Fraction(float(computed)) - exact) / Fraction(float(unit)))


def _refuse(rung: Rung, wrong: object, what: str) -> None:
    if wrong:
        raise WrongKernelError(f"{rung.id} is wrong: {what}")
