"""A case in full: its code, the bytes that it keeps and moves, its weaknesses, and its compiled code."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Collection, Iterator
from typing import Any

from actbench.backends import source, sources
from actbench.errors import InputError
from actbench.kernels.kernel import Kernel
from actbench.kernels.kernel_copy import KernelCopy
from actbench.kernels.overhead import Rung
from actbench.kernels.sets import TIMES_CACHE
from actbench.kernels.shipped import ShippedKernel
from actbench.kernels.shipped_functions import ShippedFunctionKernel
from actbench.kernels.subject import Subject
from actbench.kernels.user_kernel import UserKernel
from actbench.model.cases import RUNGS, Case
from actbench.model.checks import Compiled
from actbench.model.helpers import helpers
from actbench.model.kernel_copies import KERNEL_COPIES
from actbench.model.names import Op, OperandState
from actbench.model.rule import Formula, Rule
from actbench.report import mathematics

VECTOR_JACOBIAN = {
    (True, False): "dy b g'(a) and dy g(a), the vector-Jacobian products by a and by b",
    (False, True): "the gradient of z from dy, the vector-Jacobian product of a row",
}
"""What the backward pass is of an activation that is gated, or along rows."""


def listing(subject: Subject, case: Case) -> str:
    """Return the text of a case; `InputError` where that cannot be executed here."""
    subject.require_supported()
    if case.operands is not OperandState.WARM and (reason := subject.unsupported_cold()):
        raise InputError(f"{case.id} does not exist: {reason}")
    facts = subject.compiled
    compiled = [] if facts is None else [section("compiled", compiled_facts(facts))]
    match subject:
        case ShippedKernel():
            parts = _shipped(subject, case)
        case UserKernel():
            parts = _user_kernel(subject, case)
        case Kernel():
            parts = _kernel(subject, case)
        case _:
            parts = _plain(subject, case)
    return "\n\n".join([*parts, *compiled])


def _kernel(kernel: Kernel, case: Case) -> Iterator[str]:
    chosen, backend = kernel.rule, kernel.backend
    yield from _what(kernel, case)
    yield f"keeps {', '.join(chosen.residuals)}: {_bytes(kernel, case)}"
    of = chosen.conversion
    apart = (of.narrow, of.widen) if of else ()
    yield section("forward", code(chosen.save or chosen.forward, apart))
    yield section(f"{_returned(kernel)} {', '.join(chosen.residuals)}", code(chosen.derivative, apart))
    if of:
        yield section(f"kept in {of.kept_in}: every residual narrowed by", sources([of.narrow]))
        yield section(f"and widened to {kernel.dtype}, in which the derivative is computed, by", sources([of.widen]))
    if wide := chosen.arithmetic:
        yield section("computed in float32, to which every number is widened by", sources([wide.widen]))
        yield section(f"and rounded once to {kernel.dtype} by", sources([wide.narrow]))
    executed = f"executed by {backend.name}: {backend.summary}"
    if kernel.op is Op.STEP and case.operands is not OperandState.WARM:
        yield section(f"forward pass, {executed}", backend.forward_execution(chosen))
        yield section("backward pass, executed by the same", backend.execution(Op.BACKWARD, chosen))
    else:
        yield section(executed, backend.execution(kernel.op.bound_as, chosen))
    for weakness in kernel.weaknesses:
        yield f"known weakness: {weakness.flaw}: {weakness.why}"
    if kernel.storage:
        yield f"known weakness: {kernel.storage.rounds}"
    if backend.flushes:
        yield f"known weakness: flushes: {backend.flushes}"
    if backend.conventions:
        yield f"conventions: {backend.conventions}"


def _returned(kernel: Kernel) -> str:
    """Return what the formula of a strategy returns."""
    if kernel.activation.is_row:
        return "gradient of z, from dy and"
    if kernel.activation.is_gated:
        return "b g'(a) and g(a), from"
    return f"{'second ' * (kernel.op is Op.SECOND)}derivative, from"


def _bytes(kernel: Kernel, case: Case) -> str:
    """Return what a kernel keeps, and what a call of a case moves, in words."""
    of_rows = f" and {kernel.row_bytes.kept} bytes a row" if kernel.row_bytes.kept else ""
    return f"{kernel.kept_bytes} bytes per element{of_rows}; {_moved(kernel, case)}"


def _moved(subject: Subject, case: Case) -> str:
    """Return what a call of a case moves, in words."""
    nbytes = case.size * subject.moved_bytes + case.rows * subject.row_bytes.moved
    return f"one call moves {nbytes} bytes, temporaries not counted"


def _shipped(kernel: ShippedKernel, case: Case) -> Iterator[str]:
    """Yield the parts of what a framework has itself."""
    backend = kernel.backend
    autograd = kernel.function_autograd if isinstance(kernel, ShippedFunctionKernel) else kernel.autograd
    names = ", ".join(saved.name for saved in autograd.saved)
    yield from _what(kernel, case)
    yield f"keeps {names}, as read from the library: {_bytes(kernel, case)}"
    yield section("forward, the library's own", autograd.call)
    gradient = autograd.gradient(kernel.op)
    yield section(f"{kernel.op}, executed by {backend.name}: {backend.summary}", gradient)
    if backend.flushes:
        yield f"known weakness: flushes: {backend.flushes}"


def _user_kernel(kernel: UserKernel, case: Case) -> Iterator[str]:
    """Yield the parts of a user's kernel."""
    declaration, backend = kernel.declaration, kernel.backend
    kept = ", ".join(declaration.keeps)
    yield from _what(kernel, case)
    yield f"keeps {kept}: {_bytes(kernel, case)}"
    form = f"called on arrays of {backend.name}{', and fills an array that it is given' if declaration.fills else ''}"
    form += f", a Python function that {kernel.compiler} compiled" if kernel.compiler else ""
    if kernel.op is Op.STEP:
        yield section("forward", code(kernel.rule.save or kernel.rule.forward))
        yield section(
            f"forward pass, executed by {backend.name}: {backend.summary}", backend.forward_execution(kernel.rule)
        )
    yield section(
        f"{declaration.op}, a kernel of yours, {form}: {declaration.summary}", user_source(declaration.declared)
    )
    for weakness in kernel.weaknesses:
        yield f"known weakness: {weakness.flaw}: {weakness.why}"


def user_source(declared: Any) -> str:
    """Return the source of something callable where Python has it; else say what it is."""
    try:
        return source(declared)
    except (OSError, TypeError):
        what = type(declared)
        return f"no source to show: it is a {what.__module__}.{what.__qualname__}"


def _what(kernel: Kernel, case: Case) -> Iterator[str]:
    """Yield what a case is, and facts about its activation."""
    activation = kernel.activation
    state = _state(kernel, case.operands)
    meaning = VECTOR_JACOBIAN.get((activation.is_gated, activation.is_row), "") if kernel.op is Op.BACKWARD else ""
    yield f"{case.id}\n{activation.name}: {activation.summary}\n{kernel.op}: {meaning or kernel.op.meaning}{state}"
    yield "\n".join([activation.reference, *mathematics.facts(activation)])


def _state(subject: Subject, operands: OperandState) -> str:
    """Say where operands and results lie, and how a call finds them there; nothing of warm operands."""
    if operands is OperandState.WARM:
        return ""
    is_step = isinstance(subject, Kernel) and subject.op is Op.STEP
    lines = [
        "",
        f"operands {operands}: {operands.meaning}",
        f"each call has another set of arrays; it comes again after others of {TIMES_CACHE} times the last-level cache",
    ]
    if is_step:
        lines.append(
            "a step is two calls: a forward pass on the next set, and a backward pass on the set of the forward pass "
            "half of all sets ago"
        )
    if isinstance(subject, Kernel) and not subject.preallocates:
        kept = "; what the forward pass keeps is held until its set has its turn again" if is_step else ""
        lines.append(f"{subject.backend.name} allocates its results, as a rule where the last one lay, in cache{kept}")
    return "\n".join(lines)


def _plain(subject: Subject, case: Case) -> Iterator[str]:
    """Yield the parts of what has no formula of an activation's: a rung, or a yardstick."""
    backend = subject.backend
    rung = subject if isinstance(subject, Rung) else None
    what = f"a rung of the overhead ladder: {RUNGS[rung.name]}" if rung else "a plain copy, the yardstick of a block"
    if isinstance(subject, KernelCopy):
        what = f"{KERNEL_COPIES[subject.identity.strategy]}, which bounds what kernels can move"
    yield f"{case.id}\n{what}{_state(subject, case.operands)}"
    yield f"keeps nothing; {_moved(subject, case)}"
    title = f"executed by {backend.name}: {backend.summary}"
    if isinstance(subject, KernelCopy):
        yield section(f"compiled by {backend.name}", subject.listing)
        return
    executed = rung.declared if rung else backend.copy(subject.dtype)
    if isinstance(executed, Rule):
        yield section("of every element", source(executed.derivative))
        yield section(title, backend.execution(subject.op, executed))
    else:
        compiled = inspect.isbuiltin(inspect.unwrap(executed))
        yield section(title, f"{executed.__module__}.{executed.__name__}" if compiled else sources([executed]))


def code(formula: Formula, apart: Collection[Formula] = ()) -> str:
    """Return a formula's source with the functions that it calls, except those that are shown separately."""
    called = [helper for helper in helpers(formula) if helper not in apart]
    return "\n\n".join(dict.fromkeys(map(source, (formula, *called))))


def section(title: str, body: str) -> str:
    """Return a text below its title."""
    return f"{title}\n{textwrap.indent(body, '    ')}"


def compiled_facts(compiled: Compiled) -> str:
    """Return facts about compiled code, a line each."""
    vectors = f"{compiled.vector_bits} bits" if compiled.vector_bits else "scalar"
    return "\n".join(
        (
            f"signature             {compiled.signature}",
            f"vector arithmetic     {vectors}",
            f"library calls         {', '.join(compiled.library_calls) or 'none'}",
            f"float32 to float64    {compiled.double_conversions or 'none'}",
        )
    )
