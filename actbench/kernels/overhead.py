"""The overhead ladder: what a small call is made of, one step at a time.

Every rung does what the one before it does, and one thing more: nothing at all; taking a kernel's operands; allocating
the result; passing over the data; computing. What a rung adds is then the price of that one thing, and a speedup that
vanishes at small sizes can be seen to drown in the others.

A rung is measured as any case is, as an arm of a block, so that it has the same placement, rounds, files and
statistics; its activation is called `OVERHEAD`, and the rung stands in the strategy's place. It is not an activation
in the catalogue, because it has no derivative to be held to. Whatever asks an activation for its formulas asks here
instead, in one place each: `actbench.kernels.kernel` for what is called, `actbench.planning.suite` for what exists,
`actbench.verification.oracle` for what is right.

A backend declares its ladder (`Backend.ladder`), and its subclasses inherit it. A rung is a plain function whose
parameters say what it is called with, or a `Rule` which the backend executes as it does any formula, or the reason why
there is no such rung.
"""

from __future__ import annotations

import inspect
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actbench import registry
from actbench.backends import Backend, Bound
from actbench.errors import InputError, WrongKernelError, unknown
from actbench.model.cases import RUNGS, Case, Kernel
from actbench.model.checks import Check
from actbench.model.names import Op
from actbench.model.rule import Rule

Array = NDArray[Any]

STREAMS = {"loop": 2, "arithmetic": 2}
"""Arrays that a call of a rung reads or writes; the other rungs touch none."""

STATED_ULP = 2.0
"""The accuracy of `arithmetic`, y (1 - y): two operations."""


def obstacle(case: Case) -> str | None:
    """Say why a rung cannot be measured, or None when it can."""
    if case.op is not Op.DERIVATIVE:
        return f"the overhead ladder is the same for every op: it is measured as {Op.DERIVATIVE}"
    found = _found(registry.backends()[case.backend], case.strategy)
    return found if isinstance(found, str) else None


def step(kernel: Kernel) -> Any:
    """Return a rung as its backend declares it: a function or a `Rule`; `InputError` where there is none."""
    if kernel.strategy not in RUNGS:
        raise unknown("rung", kernel.strategy, RUNGS)
    backend = registry.backend(kernel.backend)
    reason = obstacle(kernel.at(1)) or backend.refusal(kernel.dtype)
    if reason:
        raise InputError(f"{kernel.id} does not exist: {reason}")
    return _found(backend, kernel.strategy)


def bind(kernel: Kernel) -> Bound:
    """Return a rung's callable."""
    backend = registry.backend(kernel.backend)
    found = step(kernel)
    if isinstance(found, Rule):
        return backend.bind(kernel.op, found, kernel.dtype)
    return backend.bind_call(found, kernel.dtype)


def operands(kernel: Kernel) -> tuple[str, ...]:
    """Name what a rung is called with: ``y`` the input, ``out`` the result, ``y0`` and ``out0`` their first element."""
    found = step(kernel)
    if isinstance(found, Rule):
        return ("out", "y") if registry.backend(kernel.backend).preallocates else ("y",)
    return tuple(inspect.signature(found).parameters)


def check(kernel: Kernel, y: Array, found: Array) -> Check:
    """Hold a rung to what it says it does to y, whose squares are finite; `WrongKernelError` says what it did instead.

    `found` is what it gave, empty where that is nothing; what was not written is NaN.
    """
    match kernel.strategy:
        case "empty":
            _refuse(kernel, found.size, f"it gives {found.size} numbers where it should do nothing")
        case "dispatch":
            written = 0 if found.tobytes() == y[:1].tobytes() else int(np.count_nonzero(~np.isnan(found)))
            _refuse(kernel, written, f"it writes {written} numbers where it should do no work")
        case _:
            form = f"it gives {found.dtype} of shape {found.shape} for {y.dtype} of shape {y.shape}"
            _refuse(kernel, found.dtype != y.dtype or found.shape != y.shape, form)
    match kernel.strategy:
        case "loop":
            error, allowed = np.where(_same(found, y), 0.0, np.inf), 0.0
        case "arithmetic":
            error, allowed = np.array([_ulp(*each) for each in zip(found, y.tolist(), strict=True)]), STATED_ULP
        case _:
            return Check(kernel, 0.0, 0.0)
    worst = int(np.argmax(error))
    what = f"at y = {y[worst]:.9g} it gives {found[worst]:.9g} ({error[worst]:.3g} ULP; {allowed:g} are allowed)"
    _refuse(kernel, error[worst] > allowed, what)
    return Check(kernel, float(error[worst]), float(y[worst]))


def _found(backend: Backend, rung: str) -> Any:
    return backend.ladder.get(rung, f"{backend.name} has no overhead ladder")


def _same(found: Array, y: Array) -> Array:
    return np.asarray((found == y) & (np.signbit(found) == np.signbit(y)))


def _ulp(computed: Any, y: float) -> float:
    """Return how far this is from y (1 - y), in units in the last place of the larger; inf where it is no number."""
    if not np.isfinite(computed):
        return float("inf")
    exact = Fraction(y) * (1 - Fraction(y))
    unit = np.spacing(max(abs(computed), type(computed)(abs(exact))))
    return float(abs(Fraction(float(computed)) - exact) / Fraction(float(unit)))


def _refuse(kernel: Kernel, wrong: object, what: str) -> None:
    if wrong:
        raise WrongKernelError(f"{kernel.id} is wrong: {what}")
