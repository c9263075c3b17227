"""A case in full: its code, the bytes that it keeps and moves, its weaknesses, and its compiled code."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator
from dataclasses import replace

from actbench.backends import helpers, source, sources
from actbench.kernels.kernel import Kernel
from actbench.kernels.overhead import Rung
from actbench.kernels.resolution import resolve
from actbench.kernels.subject import Subject
from actbench.model.cases import RUNGS, Case
from actbench.model.checks import Compiled
from actbench.model.rule import Formula, Rule
from actbench.planning.suite import canonical
from actbench.report import mathematics


def listing(case: Case) -> str:
    """Return the text; `InputError` for names that are unknown or unavailable."""
    case = replace(case, activation=canonical(case.activation))
    subject = resolve(case)
    subject.require_supported()
    facts = subject.compiled
    compiled = [] if facts is None else [_section("compiled", _facts(facts))]
    return "\n\n".join([*(_kernel(case, subject) if isinstance(subject, Kernel) else _rung(case, subject)), *compiled])


def _kernel(case: Case, kernel: Kernel) -> Iterator[str]:
    chosen, activation, backend = kernel.rule, kernel.activation, kernel.backend
    yield f"{case.id}\n{activation.name}: {activation.summary}\n{case.op}: {case.op.meaning}"
    yield "\n".join([activation.reference, *mathematics.facts(activation)])
    yield (
        f"keeps {', '.join(chosen.residuals)}: {kernel.kept_bytes} bytes per element; "
        f"one call moves {case.size * kernel.moved_bytes} bytes, temporaries not counted"
    )
    of = chosen.conversion
    apart = (of.narrow, of.widen) if of else ()
    yield _section("forward", _code(chosen.save or chosen.forward, apart))
    yield _section(f"derivative, from {', '.join(chosen.residuals)}", _code(chosen.derivative, apart))
    if of:
        yield _section(f"kept in {of.kept_in}: every residual narrowed by", sources([of.narrow]))
        yield _section(f"and widened to {case.dtype}, in which the derivative is computed, by", sources([of.widen]))
    yield _section(f"executed by {backend.name}: {backend.summary}", backend.execution(case.op, chosen))
    for weakness in kernel.weaknesses:
        yield f"known weakness: {weakness.flaw}: {weakness.why}"
    if kernel.storage:
        yield f"known weakness: {kernel.storage.rounds}"
    if backend.flushes:
        yield f"known weakness: flushes: {backend.flushes}"


def _rung(case: Case, subject: Subject) -> Iterator[str]:
    backend = subject.backend
    yield f"{case.id}\na rung of the overhead ladder: {RUNGS[case.strategy]}"
    yield f"keeps nothing; one call moves {case.size * subject.moved_bytes} bytes, temporaries not counted"
    title = f"executed by {backend.name}: {backend.summary}"
    rung = subject.declared if isinstance(subject, Rung) else backend.copy(case.dtype)
    if isinstance(rung, Rule):
        yield _section("of every element", source(rung.derivative))
        yield _section(title, backend.execution(case.op, rung))
    else:
        yield _section(title, sources([rung]))


def _code(formula: Formula, apart: Collection[Formula]) -> str:
    """Return a formula's source with the functions that it calls, except those that are shown separately."""
    called = [helper for helper in helpers(formula) if helper not in apart]
    return "\n\n".join(dict.fromkeys(map(source, (formula, *called))))


def _section(title: str, body: str) -> str:
    return f"{title}\n{textwrap.indent(body, '    ')}"


def _facts(compiled: Compiled) -> str:
    vectors = f"{compiled.vector_bits} bits" if compiled.vector_bits else "scalar"
    return "\n".join(
        (
            f"signature             {compiled.signature}",
            f"vector arithmetic     {vectors}",
            f"library calls         {', '.join(compiled.library_calls) or 'none'}",
            f"float32 to float64    {compiled.double_conversions or 'none'}",
        )
    )
